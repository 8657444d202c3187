"""Profiles against Python software that nobody here wrote, with its default intervals, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from pytest_wsstability import Cause, Orchestrator, StabilityError, connect, faults, voice
from pytest_wsstability.core.timeline.events import Direction
from pytest_wsstability.profiles.ocpp import OCPP, OCPP201
from pytest_wsstability.profiles.openai_realtime import OPENAI_REALTIME
from tests.test_write_your_own_page import legacy_graphql

pytestmark = [
    pytest.mark.ws_stability(time="virtual", patch_time=True),
    # The libraries' own business.
    pytest.mark.filterwarnings("ignore"),
]

RECEIVED = Direction.RECEIVED


@contextlib.asynccontextmanager
async def uvicorn_of(app, **options):
    """An ASGI app under uvicorn; gives its port."""
    uvicorn = pytest.importorskip("uvicorn")
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", lifespan="off", **options)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def websockets_of(handler, **options):
    """A handler under `websockets.serve`; gives its port."""
    from websockets.asyncio.server import serve

    async with serve(handler, "127.0.0.1", 0, ping_interval=None, **options) as server:
        yield server.sockets[0].getsockname()[1]


# Socket.IO.


@contextlib.asynccontextmanager
async def socketio_server(**options):
    socketio = pytest.importorskip("socketio")
    sio = socketio.AsyncServer(async_mode="asgi", **options)

    @sio.event
    async def connect(sid, environ, auth):
        if auth == {"token": "bad"}:
            raise socketio.exceptions.ConnectionRefusedError("no")

    @sio.event(namespace="/chat")
    async def leave(sid, data):
        await sio.disconnect(sid, namespace="/chat")

    async with uvicorn_of(socketio.ASGIApp(sio), ws_ping_interval=None) as port:
        yield f"ws://127.0.0.1:{port}/socket.io/"


@pytest.mark.parametrize("profile", ["engineio", "socketio"])
async def test_a_socketio_server(profile):
    """Asks every 25 s, and is answered ten times; each connection has a session of its own."""
    async with socketio_server() as url:
        client = await connect(url, profile=profile)
        await client.assert_session_confirmed(within="1s")
        await client.assert_alive_for("260s")
        client.assert_heartbeats_answered(within="1s", at_least=10)
        assert client.timeline.heartbeat_sender is RECEIVED
        assert (client.timeline.intervals.server, client.timeline.intervals.timeout) == (25, 20)
        await client.close()
        again = await client.reconnect()
        await again.assert_session_confirmed(within="1s")
        assert again.session_id != client.session_id
        await again.close()


async def test_a_socketio_server_that_ends_the_session_of_a_namespace():
    """The connection lives on, with its heartbeats, and the hold is unstable."""
    from pytest_wsstability.profiles.socketio import socketio

    async with socketio_server() as url:
        client = await connect(url, profile=socketio("/chat", auth={"token": "x"}))
        await client.assert_session_confirmed(within="1s")
        await client.assert_stable(alive_for="1m", heartbeat_within="1s")
        await client.send('42/chat,["leave",1]')
        with pytest.raises(StabilityError, match="an error message at 60 s: the server said '41/chat,'"):
            await client.assert_stable(alive_for="2m", heartbeat_within="1s")
        await client.close()


async def test_a_socketio_server_without_answers():
    """Ends with 1000 at 45 s, and the cause is Engine.IO's ping timeout."""
    async with socketio_server() as url:
        client = await connect(url, profile="socketio", client="mute")
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2m")
        assert client.timeline.close.at == pytest.approx(45, abs=0.1)
        assert client.timeline.close.code == 1000
        assert caught.value.headline.startswith("Engine.IO's ping timeout of 20 s ran out")


async def test_a_socketio_server_that_refuses():
    """Says 44, and the session is not confirmed."""
    from pytest_wsstability.profiles import Prefixed
    from pytest_wsstability.profiles.socketio import SOCKETIO

    profile = SOCKETIO.replace(session_info=Prefixed("40", {"token": "bad"}))
    async with socketio_server() as url:
        client = await connect(url, profile=profile)
        with pytest.raises(StabilityError, match="session not confirmed"):
            await client.assert_session_confirmed(within="5s")
        assert client.timeline.close is None
        await client.close()


async def test_a_socketio_client():
    """Joins, answers ten heartbeats, and comes back with a new session."""
    socketio = pytest.importorskip("socketio")
    async with Orchestrator(profile="socketio") as orchestrator:
        client = socketio.AsyncClient()
        await client.connect(orchestrator.url.replace("ws:", "http:"), transports=["websocket"])
        session = await orchestrator.wait_for_session(within="5s")
        await session.assert_session_confirmed(within="5s")
        await asyncio.sleep(255)
        session.assert_heartbeats_answered(within="1s", at_least=10)
        assert client.get_sid() == session.id
        session.connection.websocket.start_close(1012)
        await asyncio.sleep(20)
        assert len(orchestrator.sessions) == 2
        assert orchestrator.sessions[1].confirmed_at is not None
        await client.disconnect()


async def test_a_socketio_client_without_heartbeats():
    """Gives up 45 s after the last one, without a close frame."""
    socketio = pytest.importorskip("socketio")
    withheld = [("30s", faults.WithholdHeartbeats())]
    async with Orchestrator(profile="socketio", faults=withheld) as orchestrator:
        client = socketio.AsyncClient(reconnection=False)
        await client.connect(orchestrator.url.replace("ws:", "http:"), transports=["websocket"])
        session = await orchestrator.wait_for_session(within="5s")
        await asyncio.sleep(100)
        close = session.timeline.close
        assert (close.at, close.code) == (pytest.approx(70, abs=0.1), 1006)
        with pytest.raises(StabilityError, match=r"^the client's heartbeat timeout of Engine\.IO of 45 s"):
            await session.assert_alive_for("99s")


# GraphQL.


@contextlib.asynccontextmanager
async def strawberry_server(**options):
    strawberry = pytest.importorskip("strawberry")
    fastapi = pytest.importorskip("fastapi")
    from strawberry.fastapi import GraphQLRouter

    def hello() -> str:
        return "world"

    query = strawberry.type(
        type("Query", (), {"hello": strawberry.field(resolver=hello), "__annotations__": {}})
    )
    app = fastapi.FastAPI()
    app.include_router(GraphQLRouter(strawberry.Schema(query), **options), prefix="/graphql")
    async with uvicorn_of(app, ws_ping_interval=None) as port:
        yield f"ws://127.0.0.1:{port}/graphql"


async def test_a_strawberry_server():
    """Answers ten pings."""
    async with strawberry_server() as url:
        client = await connect(url, profile="graphql-transport-ws", heartbeat="12s")
        await client.assert_session_confirmed(within="1s")
        await client.assert_alive_for("125s")
        client.assert_heartbeats_answered(within="1s", at_least=10)
        assert client.subprotocol == "graphql-transport-ws"
        await client.close()


async def test_a_strawberry_server_that_waits_for_connection_init():
    """Ends with 4408 after a minute."""
    from pytest_wsstability.profiles.graphql_transport_ws import GRAPHQL_TRANSPORT_WS

    silent = GRAPHQL_TRANSPORT_WS.replace(name="silent", session_info=None, session_confirmed=None)
    async with strawberry_server() as url:
        client = await connect(url, profile=silent)
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2m")
        assert (client.timeline.close.code, client.timeline.close.at) == (4408, pytest.approx(60, abs=0.1))
        assert "4408" in str(caught.value)
        assert caught.value.verdict.diagnosis.cause is Cause.SESSION_NOT_CONFIRMED


async def test_a_strawberry_server_of_the_older_protocol():
    """Sends ``ka`` each second, as the profile of docs/write-your-own.md has it."""
    pytest.importorskip("strawberry")
    from strawberry.subscriptions import GRAPHQL_WS_PROTOCOL

    options = {"keep_alive": True, "subscription_protocols": [GRAPHQL_WS_PROTOCOL]}
    async with strawberry_server(**options) as url:
        client = await connect(url, profile=legacy_graphql())
        await client.assert_session_confirmed(within="1s")
        await client.assert_stable(alive_for="11s", heartbeat_every="1s", heartbeat_within="1s")
        assert client.timeline.heartbeats.sent >= 10
        assert client.subprotocol == "graphql-ws"
        await client.close()


def gql_client(orchestrator):
    """It pings every 10 s, and gives up 5 s after a ping that was not answered."""
    gql = pytest.importorskip("gql")
    from gql.transport.websockets import WebsocketsTransport

    transport = WebsocketsTransport(
        url=orchestrator.url, ping_interval=10, pong_timeout=5,
        subprotocols=["graphql-transport-ws"], connect_args={"ping_interval": None},
    )  # fmt: skip
    return gql.Client(transport=transport)


async def test_a_gql_client():
    """Begins its session, and ten of its pings are answered."""
    async with Orchestrator(profile="graphql-transport-ws") as orchestrator, gql_client(orchestrator):
        session = await orchestrator.wait_for_session(within="5s")
        await session.assert_session_confirmed(within="1s")
        await asyncio.sleep(105)
        session.assert_heartbeats_answered(within="1s", at_least=10)
        assert session.timeline.heartbeat_sender is RECEIVED


async def test_a_gql_client_without_answers():
    """Its pings are not answered: it closes 5 s after the first, and the server's record says which."""
    withheld = {"profile": "graphql-transport-ws", "faults": [faults.WithholdHeartbeats()]}
    async with Orchestrator(**withheld) as orchestrator, gql_client(orchestrator):
        session = await orchestrator.wait_for_session(within="5s")
        await asyncio.sleep(30)
        assert session.timeline.close.at == pytest.approx(15, abs=0.1)
        with pytest.raises(StabilityError) as caught:
            await session.assert_alive_for("1m")
        assert caught.value.verdict.diagnosis.cause is Cause.HEARTBEAT_UNANSWERED


# OCPP.


@pytest.mark.parametrize("profile", [OCPP, OCPP201], ids=lambda profile: profile.name)
async def test_a_central_system(profile):
    """Of the ocpp package: accepts the boot, names 60 s, and answers ten heartbeats."""
    pytest.importorskip("ocpp")
    if profile is OCPP:
        from ocpp.v16 import ChargePoint, call_result
        from ocpp.v16.enums import RegistrationStatus
    else:
        from ocpp.v201 import ChargePoint, call_result
        from ocpp.v201.enums import RegistrationStatusEnumType as RegistrationStatus
    from ocpp.routing import on

    class Central(ChargePoint):
        @on("BootNotification")
        def boot(self, **_):
            return call_result.BootNotification(
                current_time="2026-01-01T00:00:00Z", interval=60, status=RegistrationStatus.accepted
            )

        @on("Heartbeat")
        def heartbeat(self):
            return call_result.Heartbeat(current_time="2026-01-01T00:00:00Z")

    async def handler(websocket):
        with contextlib.suppress(Exception):
            await Central("CP_1", websocket).start()

    async with websockets_of(handler, subprotocols=list(profile.subprotocols)) as port:
        client = await connect(f"ws://127.0.0.1:{port}/ocpp/CP_1", profile=profile)
        await client.assert_session_confirmed(within="1s")
        await client.assert_alive_for("610s")
        client.assert_heartbeats_answered(within="1s", at_least=10)
        assert client.timeline.intervals.client == 60
        await client.close()


@pytest.mark.parametrize("profile", ["ocpp", "ocpp2.0.1"])
async def test_a_charge_point(profile):
    """Of the ocpp package: boots against the orchestrator and keeps to the interval that it names."""
    pytest.importorskip("ocpp")
    if profile == "ocpp":
        from ocpp.v16 import ChargePoint, call

        boot = call.BootNotification(charge_point_model="m", charge_point_vendor="v")
    else:
        from ocpp.v201 import ChargePoint, call

        boot = call.BootNotification(charging_station={"model": "m", "vendor_name": "v"}, reason="PowerUp")
    from websockets.asyncio.client import connect as dial

    protocol = "ocpp1.6" if profile == "ocpp" else "ocpp2.0.1"
    async with (
        Orchestrator(profile=profile, heartbeat_interval="60s") as orchestrator,
        dial(f"{orchestrator.url}CP_1", subprotocols=[protocol], ping_interval=None) as websocket,
    ):
        point = ChargePoint("CP_1", websocket)
        running = asyncio.create_task(point.start())
        accepted = await point.call(boot)
        assert (accepted.status, accepted.interval) == ("Accepted", 60)
        for _ in range(10):
            await asyncio.sleep(accepted.interval)
            await point.call(call.Heartbeat())
        session = orchestrator.sessions[0]
        session.assert_heartbeats_answered(within="1s", at_least=10)
        assert session.confirmed_at is not None
        running.cancel()


async def test_a_central_system_that_rejects():
    """The session is refused in OCPP's words."""
    pytest.importorskip("ocpp")
    from ocpp.routing import on
    from ocpp.v16 import ChargePoint, call_result

    class Central(ChargePoint):
        @on("BootNotification")
        def boot(self, **_):
            return call_result.BootNotification(
                current_time="2026-01-01T00:00:00Z", interval=60, status="Rejected"
            )

    async def handler(websocket):
        with contextlib.suppress(Exception):
            await Central("CP_1", websocket).start()

    async with websockets_of(handler, subprotocols=["ocpp1.6"]) as port:
        client = await connect(f"ws://127.0.0.1:{port}/ocpp/CP_1", profile="ocpp")
        with pytest.raises(StabilityError, match=r"session_info sent at .*, refused at"):
            await client.assert_session_confirmed(within="5s")
        await client.close()


async def test_a_charge_point_whose_heartbeat_is_not_answered():
    """The call fails after 30 s, the connection stays; the server's record has the heartbeat as missed."""
    pytest.importorskip("ocpp")
    from ocpp.v16 import ChargePoint, call
    from websockets.asyncio.client import connect as dial

    withheld = {"profile": "ocpp", "faults": [faults.WithholdHeartbeats()]}
    async with (
        Orchestrator(**withheld) as orchestrator,
        dial(f"{orchestrator.url}CP_1", subprotocols=["ocpp1.6"], ping_interval=None) as websocket,
    ):
        point = ChargePoint("CP_1", websocket)
        running = asyncio.create_task(point.start())
        await point.call(call.BootNotification(charge_point_model="m", charge_point_vendor="v"))
        with pytest.raises(TimeoutError):
            await point.call(call.Heartbeat())
        session = orchestrator.sessions[0]
        with pytest.raises(StabilityError, match="1 of 1 heartbeats not answered within 5 s"):
            session.assert_heartbeats_answered(within="5s")
        assert session.timeline.close is None
        running.cancel()


# Voice.


async def test_an_openai_client():
    """Updates its session and is told so."""
    openai = pytest.importorskip("openai")
    async with Orchestrator(profile="openai-realtime") as orchestrator:
        base = orchestrator.url.rstrip("/")
        client = openai.AsyncOpenAI(api_key="k", websocket_base_url=base)
        async with client.realtime.connect(model="gpt-realtime") as connection:
            created = await connection.recv()
            await connection.session.update(session={"type": "realtime", "instructions": "hi"})
            updated = await connection.recv()
            session = await orchestrator.wait_for_session(within="5s")
            await session.assert_session_confirmed(within="5s")
            assert (created.type, updated.type) == ("session.created", "session.updated")
            assert created.session.id == session.id
            await asyncio.sleep(600)
            await session.assert_alive_for("10m")


async def test_what_an_openai_client_is_told_has_all_that_its_types_require():
    """The Agents SDK looks at each event, and passes none on that lacks something."""
    events = pytest.importorskip("openai.types.realtime")
    told = pytest.importorskip("pydantic").TypeAdapter(events.RealtimeServerEvent)
    quick = voice.Pipeline(stt="100ms", ai="100ms", tts="100ms", answer="2s")
    async with Orchestrator(profile="openai-realtime", voice=quick) as orchestrator:
        connection = await connect(orchestrator.url, profile="frames", inbox=10_000)
        speech = OPENAI_REALTIME.audio.write_speech(OPENAI_REALTIME.audio.format.written([9000] * 480))
        silence = OPENAI_REALTIME.audio.write_speech(OPENAI_REALTIME.audio.format.silence)
        await connection.send_json({"type": "session.update", "session": {"type": "realtime"}})
        for frame in [speech] * 50 + [silence] * 60 + [speech] * 50 + [silence] * 200:
            await connection.send(frame)
            await asyncio.sleep(0.02)
        kinds = set()
        with contextlib.suppress(TimeoutError):
            while True:
                kinds.add(told.validate_json(await connection.recv(within="1s"), strict=True).type)
        await connection.close()
        assert {"session.created", "session.updated", "response.output_audio.done", "response.done"} < kinds


async def test_an_openai_client_without_pongs():
    """Its library pings each 20 s, and gives up after 20 s more; the cause at the server is that."""
    openai = pytest.importorskip("openai")
    async with Orchestrator(profile="openai-realtime", faults=[faults.WithholdPongs()]) as orchestrator:
        client = openai.AsyncOpenAI(api_key="k", websocket_base_url=orchestrator.url.rstrip("/"))
        async with client.realtime.connect(model="gpt-realtime") as connection:
            await connection.recv()
            await asyncio.sleep(60)
            session = orchestrator.sessions[0]
            assert (session.timeline.close.at, session.timeline.close.code) == (
                pytest.approx(40, abs=0.1),
                1011,
            )
            with pytest.raises(StabilityError) as caught:
                await session.assert_alive_for("2m")
            assert caught.value.verdict.diagnosis.cause in (Cause.PING_UNANSWERED, Cause.NO_PONGS)


@contextlib.asynccontextmanager
async def deepgram_client(orchestrator):
    deepgram = pytest.importorskip("deepgram")
    from deepgram.environment import DeepgramClientEnvironment

    base = orchestrator.url.rstrip("/")
    http = base.replace("ws:", "http:")
    environment = DeepgramClientEnvironment(base=http, production=base, agent=base, agent_rest=http)
    yield deepgram.AsyncDeepgramClient(api_key="k", environment=environment)


async def test_a_deepgram_client_that_keeps_alive():
    """Ten KeepAlive messages, and no answer is due."""
    async with Orchestrator(profile="deepgram") as orchestrator, deepgram_client(orchestrator) as client:
        options = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16000}
        async with client.listen.v1.connect(**options) as stream:
            for _ in range(10):
                await asyncio.sleep(5)
                await stream.send_keep_alive()
            await asyncio.sleep(1)
            (session,) = orchestrator.sessions
            assert session.timeline.heartbeats.sent == 10
            assert session.timeline.close is None


async def test_a_deepgram_agents_client():
    """Is welcomed, sends its settings, is told that they apply, and keeps alive."""
    pytest.importorskip("deepgram")
    from deepgram.agent.v1.types import AgentV1Settings, AgentV1SettingsAgent, AgentV1SettingsAudio

    server = Orchestrator(profile="deepgram-agent")
    async with (
        server as orchestrator,
        deepgram_client(orchestrator) as client,
        client.agent.v1.connect() as stream,
    ):
        welcome = await stream.recv()
        settings = AgentV1Settings(audio=AgentV1SettingsAudio(), agent=AgentV1SettingsAgent())
        await stream.send_settings(settings)
        applied = await stream.recv()
        for _ in range(10):
            await asyncio.sleep(8)
            await stream.send_keep_alive()
        await asyncio.sleep(1)
        (session,) = orchestrator.sessions
        assert (welcome.type, applied.type) == ("Welcome", "SettingsApplied")
        assert session.timeline.session_confirmed_at is not None
        assert session.timeline.heartbeats.sent == 10
        assert not session.timeline.irregular


async def test_a_deepgram_client_that_says_nothing():
    """NET-0001 after 10 s."""
    async with Orchestrator(profile="deepgram") as orchestrator, deepgram_client(orchestrator) as client:
        options = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16000}
        async with client.listen.v1.connect(**options):
            await asyncio.sleep(15)
            close = orchestrator.sessions[0].timeline.close
            assert (close.at, close.sent.code) == (pytest.approx(10, abs=0.1), 1011)
            assert "net0001" in close.sent.reason
            with pytest.raises(StabilityError, match=r"Deepgram's timeout without audio of 10 s ran out"):
                await orchestrator.sessions[0].assert_alive_for("1m")

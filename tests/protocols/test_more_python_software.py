"""Profiles of the second tier against Python software of their makers, in virtual time where that has one."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json

import pytest

from pytest_wsstability import Cause, Orchestrator, StabilityError, assert_alive_for, connect, faults
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.events import Direction, Role
from pytest_wsstability.profiles.discord import DISCORD, discord
from pytest_wsstability.profiles.jsonrpc import jsonrpc
from tests.net.certificates import authority, server_context
from tests.protocols.test_python_software import websockets_of

pytestmark = [
    pytest.mark.ws_stability(time="virtual", patch_time=True),
    # The libraries' own business.
    pytest.mark.filterwarnings("ignore"),
]

RECEIVED = Direction.RECEIVED


# WAMP.


@contextlib.asynccontextmanager
async def wamp_component(url, **options):
    """A component of autobahn that keeps connecting, with options of its transport."""
    pytest.importorskip("autobahn")
    from autobahn.asyncio.component import Component

    transport = {"type": "websocket", "url": url, "serializers": ["json"], "options": options}
    component = Component(transports=[transport], realm="realm1")
    joined = []

    @component.on_join
    async def join(session, details):
        joined.append(details.session)

    loop = asyncio.get_running_loop()
    done = component.start(loop)
    try:
        yield joined
    finally:
        # It says GOODBYE and waits for one.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await component.stop()
        done.cancel()


async def test_an_autobahn_client():
    """Joins its realm, knows the number of its session, and comes back with another one."""
    async with Orchestrator(profile="wamp") as orchestrator, wamp_component(orchestrator.url) as joined:
        session = await orchestrator.wait_for_session(within="10s")
        await session.assert_session_confirmed(within="5s")
        await asyncio.sleep(600)
        assert [str(number) for number in joined] == [session.id]
        await session.assert_alive_for("10m")
        session.connection.websocket.start_close(1001)
        await asyncio.sleep(20)
        assert len(orchestrator.sessions) == 2
        assert str(joined[1]) == orchestrator.sessions[1].id != session.id


async def test_an_autobahn_client_that_is_refused():
    """Tries again, and no session is confirmed."""
    refused = {"profile": "wamp", "faults": [faults.RefuseSession()]}
    async with Orchestrator(**refused) as orchestrator, wamp_component(orchestrator.url) as joined:
        await asyncio.sleep(20)
        assert joined == []
        assert not any(session.confirmed_at for session in orchestrator.sessions)
        assert len(orchestrator.attempts) > 1


PINGING = {"autoPingInterval": 10, "autoPingTimeout": 5}


async def test_an_autobahn_client_that_pings():
    """Ten of its pings are answered; they are off by default."""
    server = Orchestrator(profile="wamp")
    async with server as orchestrator, wamp_component(orchestrator.url, **PINGING):
        session = await orchestrator.wait_for_session(within="10s")
        await asyncio.sleep(105)
        heartbeats = session.timeline.heartbeats
        assert heartbeats.answered >= 10
        assert session.timeline.heartbeat_sender is RECEIVED
        assert session.timeline.close is None


async def test_an_autobahn_client_whose_pings_are_not_answered():
    """Gives up, comes back with another session, and the cause at the server is its missing pong."""
    withheld = faults.Program.of([faults.WithholdPongs()], connections=1)
    server = Orchestrator(profile="wamp", faults=withheld)
    async with server as orchestrator, wamp_component(orchestrator.url, **PINGING):
        session = await orchestrator.wait_for_session(within="10s")
        await asyncio.sleep(40)
        with pytest.raises(StabilityError) as caught:
            await session.assert_alive_for("1m")
        assert caught.value.verdict.diagnosis.cause is Cause.PING_UNANSWERED
        assert len(orchestrator.sessions) == 2


# Slack.


@contextlib.asynccontextmanager
async def slack_client(orchestrator, name):
    """A client of Socket Mode whose tickets are ours."""
    pytest.importorskip("slack_sdk")
    from aiohttp import web
    from slack_sdk.socket_mode.aiohttp import SocketModeClient as AiohttpClient
    from slack_sdk.socket_mode.websockets import SocketModeClient as WebsocketsClient
    from slack_sdk.web.async_client import AsyncWebClient

    async def opened(request):
        return web.json_response({"ok": True, "url": f"{orchestrator.url}link/?ticket=T1"})

    app = web.Application()
    app.router.add_post("/api/apps.connections.open", opened)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    kind = AiohttpClient if name == "aiohttp" else WebsocketsClient
    api = AsyncWebClient(base_url=f"http://127.0.0.1:{port}/api/")
    client = kind(app_token="xapp-1", web_client=api)
    await client.connect()
    try:
        yield client
    finally:
        await client.close()
        await runner.cleanup()


@pytest.mark.parametrize(("name", "every"), [("aiohttp", 5), ("websockets", 10)])
async def test_a_slack_client(name, every):
    """Is told hello, pings at its interval, and is answered ten times."""
    async with Orchestrator(profile="slack") as orchestrator, slack_client(orchestrator, name):
        await asyncio.sleep(10 * every + 2)
        attempt = orchestrator.attempts[0]
        assert attempt.timeline.session_confirmed_at == 0
        assert attempt.timeline.heartbeats.answered >= 10
        assert attempt.timeline.heartbeat_sender is RECEIVED
        assert attempt.timeline.close is None


@pytest.mark.parametrize("name", ["aiohttp", "websockets"])
async def test_a_slack_client_that_is_told_to_leave(name):
    """Opens another connection first, and closes the old one politely."""
    notice = faults.Program.of([("12s", faults.SendNotice())], connections=1)
    async with Orchestrator(profile="slack", faults=notice) as orchestrator, slack_client(orchestrator, name):
        await asyncio.sleep(40)
        first, second = orchestrator.attempts[:2]
        assert first.timeline.close.code == 1000
        assert second.at - first.at == pytest.approx(12, abs=0.5)
        assert second.timeline.close is None


@pytest.mark.parametrize(("name", "code", "at"), [("aiohttp", 1006, 10), ("websockets", 1011, 30)])
async def test_a_slack_client_without_pongs(name, code, at):
    """Gives up as the profile's timers say."""
    withheld = faults.Program.of([faults.WithholdPongs()], connections=1)
    server = Orchestrator(profile="slack", faults=withheld)
    async with server as orchestrator, slack_client(orchestrator, name):
        await asyncio.sleep(45)
        close = orchestrator.attempts[0].timeline.close
        assert close.at == pytest.approx(at, abs=3)
        assert close.code in (code, 1000, 1006)
        assert len(orchestrator.attempts) > 1


# ElevenLabs.


@contextlib.asynccontextmanager
async def elevenlabs_conversation(orchestrator, **options):
    """A conversation; without audio, unless the options say otherwise."""
    pytest.importorskip("elevenlabs")
    from elevenlabs.client import ElevenLabs
    from elevenlabs.conversational_ai.conversation import AsyncConversation

    client = ElevenLabs(api_key="k", base_url=orchestrator.url.replace("ws:", "http:").rstrip("/"))
    conversation = AsyncConversation(client, "agent1", requires_auth=False, **options)
    await conversation.start_session()
    try:
        yield conversation
    finally:
        await conversation.end_session()
        with contextlib.suppress(Exception):
            await conversation.wait_for_session_end()


async def test_an_elevenlabs_client():
    """Begins, is told the conversation's id, and answers ten pings with their numbers."""
    server = Orchestrator(profile="elevenlabs", heartbeat_interval="2s")
    async with server as orchestrator, elevenlabs_conversation(orchestrator) as conversation:
        session = await orchestrator.wait_for_session(within="5s")
        await session.assert_session_confirmed(within="5s")
        await asyncio.sleep(21)
        session.assert_heartbeats_answered(within="1s", at_least=10)
        assert conversation._conversation_id == session.id


async def test_an_elevenlabs_client_that_answers_no_ping(monkeypatch):
    """Its program overlooks them: the audio of a call would go on, and the client is named."""
    conversation = pytest.importorskip("elevenlabs.conversational_ai.conversation")
    handle = conversation.AsyncConversation._handle_message

    async def overlook(self, message, ws):
        if message["type"] != "ping":
            await handle(self, message, ws)

    monkeypatch.setattr(conversation.AsyncConversation, "_handle_message", overlook)
    server = Orchestrator(profile="elevenlabs", heartbeat_interval="2s")
    async with server as orchestrator, elevenlabs_conversation(orchestrator):
        session = await orchestrator.wait_for_session(within="5s")
        await asyncio.sleep(21)
        with pytest.raises(StabilityError, match=r"^the client lives, but answers no heartbeat") as caught:
            session.assert_heartbeats_answered(within="1s", at_least=10)
        assert caught.value.verdict.diagnosis.cause is Cause.ZOMBIE
        assert caught.value.verdict.diagnosis.blame.value == "client"


# Gemini.


@contextlib.asynccontextmanager
async def gemini_session(genai, url):
    """What google-genai opens, over TLS."""
    import ssl

    trusting = ssl.create_default_context()
    authority().configure_trust(trusting)
    client = genai.Client(
        api_key="k",
        http_options={
            "base_url": url.replace("wss:", "http:").rstrip("/"),
            "async_client_args": {"ssl": trusting},
        },
    )
    async with client.aio.live.connect(
        model="gemini-live-x", config={"response_modalities": ["TEXT"]}
    ) as live:
        yield live


@pytest.mark.ws_stability(patch_time=False)
async def test_a_gemini_client():
    """Sets up over TLS, and is told which session it has; goAway and handles reach the program."""
    genai = pytest.importorskip("google.genai")
    notice = [("30s", faults.SendNotice())]
    server = Orchestrator(profile="gemini-live", tls=server_context("127.0.0.1"), faults=notice)
    async with server as orchestrator, gemini_session(genai, orchestrator.url) as live:
        session = await orchestrator.wait_for_session(within="5s")
        await session.assert_session_confirmed(within="5s")
        heard = []

        async def listen():
            async for message in live.receive():
                heard.append(message)

        listening = asyncio.create_task(listen())
        await asyncio.sleep(31)
        listening.cancel()
        assert any(message.go_away is not None for message in heard)
        updates = [each.session_resumption_update for each in heard if each.session_resumption_update]
        assert [each.new_handle for each in updates] == [session.id]


@pytest.mark.ws_stability(patch_time=False)
async def test_a_gemini_client_that_does_not_go_away():
    """It is told to, closes when it is asked, and nobody comes back with the handle."""
    genai = pytest.importorskip("google.genai")
    notice = [("30s", faults.SendNotice())]
    server = Orchestrator(profile="gemini-live", tls=server_context("127.0.0.1"), faults=notice)
    async with server as orchestrator:
        async with gemini_session(genai, orchestrator.url):
            session = await orchestrator.wait_for_session(within="5s")
            await asyncio.sleep(40)
        with pytest.raises(StabilityError) as caught:
            await session.assert_reconnects(within="10s")
        assert caught.value.verdict.violations[0].rule is Rule.RECONNECTS


# JSON-RPC.


@pytest.mark.parametrize("begins", [False, True])
async def test_a_json_rpc_server(begins):
    """Of jsonrpcserver: answers ten pings, and ``initialize`` where the profile has it."""
    pytest.importorskip("jsonrpcserver")
    from jsonrpcserver import Success, async_dispatch

    async def ping():
        return Success({})

    async def initialize(processId):
        return Success({"capabilities": {}})

    methods = {"ping": ping, "initialize": initialize}

    async def handler(websocket):
        async for message in websocket:
            await websocket.send(await async_dispatch(message, methods=methods))

    profile = jsonrpc(initialize={"processId": None}) if begins else "jsonrpc"
    async with websockets_of(handler) as port:
        client = await connect(f"ws://127.0.0.1:{port}/", profile=profile, heartbeat="10s")
        if begins:
            await client.assert_session_confirmed(within="1s")
        await client.assert_alive_for("105s")
        client.assert_heartbeats_answered(within="1s", at_least=10)
        await client.close()


async def test_a_json_rpc_server_that_knows_no_ping():
    """Its error has the question's id, and proves as much."""
    pytest.importorskip("jsonrpcserver")
    from jsonrpcserver import async_dispatch

    async def handler(websocket):
        async for message in websocket:
            await websocket.send(await async_dispatch(message, methods={}))

    async with websockets_of(handler) as port:
        client = await connect(f"ws://127.0.0.1:{port}/", profile="jsonrpc", heartbeat="10s")
        await client.assert_alive_for("105s")
        client.assert_heartbeats_answered(within="1s", at_least=10)
        await client.close()


# Discord.


@contextlib.asynccontextmanager
async def discord_client(orchestrator, monkeypatch, **options):
    """A bot that is logged in, with options of its client."""
    library = pytest.importorskip("discord")
    import yarl
    from aiohttp import web

    def answer(**members):
        async def handle(request):
            # discord.py reads JSON of exactly this type only.
            fields = {"Content-Type": "application/json"}
            return web.Response(body=json.dumps({"id": "1", **members}), headers=fields)

        return handle

    me = answer(username="bot", discriminator="0", avatar=None)
    owner = {"id": "2", "username": "owner", "discriminator": "0", "avatar": None}
    application = answer(
        name="bot", description="", icon=None, rpc_origins=[], bot_public=False, flags=0, owner=owner,
        bot_require_code_grant=False, verify_key="", team=None,
    )  # fmt: skip

    app = web.Application()
    app.router.add_get("/users/@me", me)
    app.router.add_get("/oauth2/applications/@me", application)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setattr(library.http.Route, "BASE", f"http://127.0.0.1:{runner.addresses[0][1]}")
    gateway = library.gateway.DiscordWebSocket
    monkeypatch.setattr(gateway, "DEFAULT_GATEWAY", yarl.URL(orchestrator.url))
    client = library.Client(intents=library.Intents.none(), **options)
    running = asyncio.create_task(client.start("token"))
    try:
        yield client
    finally:
        await client.close()
        with contextlib.suppress(Exception, asyncio.CancelledError):
            await running
        await runner.cleanup()


async def test_a_discord_client_resumes(monkeypatch):
    """With its session's id and the last number, whatever the code."""
    # Any port is free in the virtual network.
    profile = discord(resume_url="ws://127.0.0.1:8765/")
    server = Orchestrator(profile=profile, port=8765)
    async with server as orchestrator, discord_client(orchestrator, monkeypatch):
        session = await orchestrator.wait_for_session(within="10s")
        await session.assert_session_confirmed(within="5s")
        await asyncio.sleep(10)
        session.connection.websocket.start_close(4009)
        await asyncio.sleep(10)
        assert len(orchestrator.sessions) == 1
        assert len(session.connections) == 2
        resumed = session.connections[1].timeline
        assert resumed.last(direction=RECEIVED, role=Role.SESSION_INFO) == 0
        assert resumed.session_confirmed_at == 0


@pytest.mark.ws_stability(time="real", patch_time=False)
async def test_a_discord_client_beats(monkeypatch):
    """In a thread of its own, so in real time: ten times at the interval that the server names."""
    server = Orchestrator(profile="discord", heartbeat_interval="200ms")
    async with server as orchestrator, discord_client(orchestrator, monkeypatch):
        session = await orchestrator.wait_for_session(within="60s")
        async with asyncio.timeout(60):
            while session.timeline.heartbeats.answered < 10:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        assert session.timeline.heartbeat_sender is RECEIVED
        assert session.timeline.close is None


@pytest.mark.ws_stability(time="real", patch_time=False)
async def test_a_discord_client_that_hears_nothing(monkeypatch):
    """Closes with 4000 after its timeout, here 1 s and not 60, and comes back; the cause is its timer."""
    short = DISCORD.replace(timers=tuple(dataclasses.replace(each, seconds=1) for each in DISCORD.timers))
    silent = faults.Program.of([faults.WithholdHeartbeats()], connections=1)
    server = Orchestrator(profile=short, heartbeat_interval="200ms", faults=silent, read_deadline=None)
    async with server as orchestrator, discord_client(orchestrator, monkeypatch, heartbeat_timeout=1.0):
        async with asyncio.timeout(60):
            while len(orchestrator.attempts) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        timeline = orchestrator.attempts[0].timeline
        assert timeline.close.code == 4000
        with pytest.raises(StabilityError, match=r"^discord\.py's heartbeat timeout"):
            assert_alive_for(timeline.sealed(), "10m")

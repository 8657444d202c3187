"""Sessions as the server keeps them: by id, through reconnects, waited for."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

import pytest

from pytest_wsstability import Orchestrator, StabilityError, faults
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.events import Opcode
from pytest_wsstability.net import short_frames
from pytest_wsstability.net.server.orchestrator import NoSessionError
from pytest_wsstability.net.wire import frame
from pytest_wsstability.profiles import JSON, SESSION_ID, Profile
from tests.net.peers import connected, opened, pump, served

pytestmark = pytest.mark.ws_stability


async def test_a_reconnect_belongs_to_the_same_session():
    """One session, two connections, oldest first; assertions are on the latest."""
    async with Orchestrator() as orchestrator:
        async with opened(orchestrator.url, session_id="abc") as first:
            await first.assert_session_confirmed(within="5s")
            await first.close(4000)
        async with opened(orchestrator.url, session_id="abc") as second:
            await second.assert_session_confirmed(within="5s")

            (session,) = orchestrator.sessions
            await session.connections[0].wait_closed()
            assert [each.session_id for each in session.connections] == ["abc", "abc"]
            assert session.connections[0].timeline.close.code == 4000
            assert session.connection is session.connections[1]
            assert session.timeline is session.connections[1].timeline
            assert session.timeline.close is None
            assert repr(session).startswith("<Session abc, 2 connection(s): <Timeline server")


@pytest.mark.parametrize("path", ["", "bots/1"])
async def test_a_server_says_where_its_client_has_reached_it(path):
    """By the name and the path that the client asked with, without a query."""
    async with Orchestrator(profile="discord") as orchestrator:
        port = urlsplit(orchestrator.url).port
        async with opened(f"ws://localhost:{port}/{path}?v=10", profile="frames") as client:
            await client.recv(within="5s")
            await client.send_json({"op": 2, "d": {}})
            ready = await client.recv_json(within="5s")

            assert ready["d"]["resume_gateway_url"] == f"ws://localhost:{port}/{path}"


async def test_two_sessions_are_two():
    """Each client has its own, in the order of arrival."""
    async with served(session_id="a") as (a, orchestrator), opened(orchestrator.url, session_id="b") as b:
        await a.assert_session_confirmed(within="5s")
        await b.assert_session_confirmed(within="5s")

        assert [session.id for session in orchestrator.sessions] == ["a", "b"]
        assert (await orchestrator.wait_for_session("b")).id == "b"
        assert (await orchestrator.wait_for_session()).id == "a"


async def test_a_client_that_closes_in_the_same_read_has_had_its_session():
    """What it said before the close frame counts, though nothing can be confirmed any more."""
    raw = Profile(name="raw")
    async with served(profile=raw) as (connection, orchestrator):
        info = short_frames.write(Opcode.TEXT, b'{"type":"session_info","session_id":"abc"}', masked=True)
        connection.websocket.transport.write(info + frame(Opcode.CLOSE, b"\x03\xe8", masked=True))
        await connection.wait_closed()

        (session,) = orchestrator.sessions
        assert session.id == "abc"
        assert session.confirmed_at is None


async def test_a_client_that_says_who_it_is_twice_is_counted_once():
    """session_info may be repeated."""
    async with connected(session_id="abc") as (connection, orchestrator):
        await connection.send('{"type":"session_info","session_id":"abc"}')
        await connection.ping()

        (session,) = orchestrator.sessions
        assert len(session.connections) == 1


async def test_a_client_without_session_info_is_a_session_without_an_id():
    """It came, so it stands in the registry."""
    async with served(profile=Profile(name="raw")) as (raw, orchestrator):
        await raw.ping()

        assert [session.id for session in orchestrator.sessions] == [None]


async def test_a_profile_may_name_its_sessions_otherwise():
    """The template says where the id stands."""
    ours = JSON.replace(name="ours", session_info={"op": "hello", "sid": SESSION_ID})
    async with connected({"profile": ours}, session_id="s1") as (_, orchestrator):
        assert orchestrator.sessions[0].id == "s1"


@pytest.mark.ws_stability(time="virtual")
async def test_a_session_is_waited_for():
    """Until the client comes, and no longer."""
    async with Orchestrator() as orchestrator:
        waiting = asyncio.create_task(orchestrator.wait_for_session("abc", within="1m"))
        await asyncio.sleep(30)
        async with opened(orchestrator.url, session_id="other"):
            await asyncio.sleep(5)
            assert not waiting.done()
            async with opened(orchestrator.url, session_id="abc"):
                session = await waiting

                assert session.id == "abc"
                assert asyncio.get_running_loop().time() == 35.0


async def test_several_may_wait():
    """For the same session, or for different ones."""
    async with Orchestrator() as orchestrator:
        waiting = [asyncio.create_task(orchestrator.wait_for_session(id)) for id in ("a", "a", None)]
        await asyncio.sleep(0)
        async with opened(orchestrator.url, session_id="a"):
            assert {session.id for session in await asyncio.gather(*waiting)} == {"a"}


@pytest.mark.ws_stability(time="virtual")
async def test_nobody_came():
    """After exactly the time that was given, with the address."""
    async with Orchestrator() as orchestrator:
        with pytest.raises(NoSessionError) as caught:
            await orchestrator.wait_for_session(within="30s")

        assert asyncio.get_running_loop().time() == 30.0
        assert str(caught.value) == (
            f"no session came to {orchestrator.url} within 30 s\n  observed  no client opened a connection\n"
            "  hint      in virtual time a server is reached from this process only: a client in another one "
            "needs ws_stability(time='real')"
        )


async def test_somebody_else_came():
    """The failure lists who did."""
    async with Orchestrator() as orchestrator:
        raw = Profile(name="raw")
        async with opened(orchestrator.url, session_id="b") as other, opened(orchestrator.url, profile=raw):
            await other.assert_session_confirmed(within="5s")
            with pytest.raises(NoSessionError) as caught:
                await orchestrator.wait_for_session("abc", within="10ms")

        lines = str(caught.value).splitlines()
        assert lines[0] == f"no session 'abc' came to {orchestrator.url} within 10 ms"
        assert lines[1].startswith("  observed  session 'b': <Timeline server, ")
        assert lines[2].startswith("  observed  a connection without session_info: <Timeline server, ")
        assert lines[3] == (
            "  hint      a client of the profile 'json' begins its session with session_info; one that needs "
            "none is sessions[0] of the orchestrator"
        )


GRAPHQL = "this looks like GraphQL over WebSocket: --ws-profile graphql-transport-ws"


@pytest.mark.parametrize(
    ("path", "subprotocols", "said", "looks"),
    [
        ("", [], '{"type":"connection_init"}', GRAPHQL),
        ("", ["graphql-transport-ws"], None, GRAPHQL),
        ("", ["graphql-ws"], '{"type":"connection_init"}', None),
        ("socket.io/?EIO=4", [], None, "this looks like Engine.IO 4: --ws-profile socketio"),
        ("", [], '{"type":"hello there"}', None),
    ],
)
async def test_who_waits_for_a_session_is_told_what_its_client_speaks(path, subprotocols, said, looks):
    """By its messages, its subprotocol or its path: the profile was forgotten."""
    async with (
        Orchestrator(subprotocols=subprotocols) as server,
        opened(f"{server.url}{path}", profile="frames", subprotocols=subprotocols) as client,
    ):
        if said is not None:
            await client.send(said)
        with pytest.raises(NoSessionError) as caught:
            await server.wait_for_session(within="1s")

    hints = [line.partition("; ")[2] for line in str(caught.value).splitlines() if "nothing here" in line]
    assert hints == ([] if looks is None else [looks])


@pytest.mark.parametrize(
    ("offered", "told"),
    [
        (["graphql-ws"], "graphql-ws"),
        (["chat", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"], "chat, ***"),
        (["other", "graphql-transport-ws"], None),
        ([], None),
    ],
)
async def test_a_subprotocol_that_was_not_chosen_is_told(offered, told):
    """To who waits for a client that goes no further then, and in what its record shows."""
    profile = "graphql-transport-ws"
    async with Orchestrator(profile=profile) as server:
        async with opened(server.url, profile="frames", subprotocols=offered) as client:
            client.websocket.transport.close()
            await server.sessions[0].connection.wait_closed()
        with pytest.raises(NoSessionError) as caught:
            await server.wait_for_session(within="10ms")
        with pytest.raises(StabilityError) as ended:
            await server.sessions[0].assert_alive_for("1m")

    hint = f"it offered the subprotocol {told}, and none was chosen: browsers and node's ws go no further"
    assert (hint in str(caught.value)) is (told is not None)
    cause = f"no subprotocol chosen, and the client offered {told}"
    assert (ended.value.verdict.diagnosis.headline == cause) is (told is not None)


async def test_a_session_that_was_not_confirmed_has_no_name():
    """Where the server names it; the client has said all that it has to."""
    profile, program = "phoenix", [faults.RefuseSession()]
    async with served({"profile": profile, "faults": program}) as (_, server):
        with pytest.raises(NoSessionError) as caught:
            await server.wait_for_session(within="10ms")

    _, observed = str(caught.value).splitlines()
    assert observed.startswith("  observed  a connection whose session was not confirmed: <Timeline server, ")


async def test_a_client_that_never_says_who_it_is_is_not_the_session():
    """Where the profile has sessions, a connection alone is none."""
    async with served(profile=Profile(name="raw")) as (_, orchestrator):
        with pytest.raises(NoSessionError, match="a connection without session_info"):
            await orchestrator.wait_for_session(within="10ms")


@pytest.mark.parametrize("within", [0, "soon", -1])
async def test_a_wait_needs_a_duration(within):
    """As everywhere."""
    async with Orchestrator() as orchestrator:
        with pytest.raises(ValueError, match=r"^within: "):
            await orchestrator.wait_for_session(within=within)


@pytest.mark.ws_stability(time="virtual")
async def test_a_cancelled_wait_leaves_nothing():
    """A test that gave up waiting."""
    async with Orchestrator() as orchestrator:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(orchestrator.wait_for_session(within="1h"), 5)
        async with opened(orchestrator.url, session_id="abc"):
            assert (await orchestrator.wait_for_session()).id == "abc"


@pytest.mark.ws_stability(time="virtual")
async def test_a_session_has_the_assertions_of_a_connection():
    """At the server's end, for a client that behaves and one that does not."""
    async with connected(heartbeat="25s") as (_, orchestrator):
        session = await orchestrator.wait_for_session()
        await session.assert_alive_for("2m")
        await session.assert_session_confirmed(within="1s")
        session.assert_heartbeats_answered(within="1s", at_least=4)
        session.assert_pings_answered(within="1s")
        session.assert_no_abnormal_closure()
        verdict = await session.assert_stable(alive_for="2m", heartbeat_every="25s")
        assert verdict.horizon == 120.0
    async with connected({"ping_interval": None}) as (_, orchestrator):
        session = await orchestrator.wait_for_session()
        with pytest.raises(StabilityError, match="1006 at 60 s of 120 s"):
            await session.assert_alive_for("2m")
        with pytest.raises(StabilityError, match=r"\[server end\]"):
            session.assert_no_abnormal_closure()
        with pytest.raises(StabilityError):
            await session.assert_stable(alive_for="2m")
        with pytest.raises(StabilityError):
            session.assert_heartbeats_answered(within="1s")


@pytest.mark.ws_stability(time="virtual")
async def test_a_client_that_stops_its_heartbeats_is_found_at_the_server():
    """At 1.5 intervals after the last one."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await asyncio.sleep(25)
        await connection.send('{"type":"ping"}')
        with pytest.raises(StabilityError, match=r"no heartbeat for 37.5 s \(every 25 s\)"):
            await session.assert_stable(alive_for="2m", heartbeat_every="25s")

        assert asyncio.get_running_loop().time() == session.timeline.opened + 62.5


async def test_a_witness_is_the_other_end():
    """Failures of the client show what the server saw."""
    async with Orchestrator() as one, Orchestrator() as two:
        async with opened(one.url) as connection:
            two.witness(connection)
            assert connection.others == ()
            one.witness(connection)
            assert connection.others == (one.sessions[0].timeline,)
            assert connection.timelines == (connection.timeline, one.sessions[0].timeline)
        one.witness(connection)


@asynccontextmanager
async def relay(url):
    """A relay of somebody else's: bytes go both ways, and addresses say nothing."""
    target = urlsplit(url)

    async def serve(reader, writer):
        there = await asyncio.open_connection(target.hostname, target.port)
        with suppress(ConnectionError):
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


async def test_both_ends_are_joined_by_the_session_where_a_relay_hides_them():
    """Each connection with its own other end, also the one with which the session comes back."""
    async with Orchestrator() as orchestrator, relay(orchestrator.url) as url:
        async with opened(url, session_id="other") as other, opened(url, session_id="abc") as first:
            for connection in (other, first):
                orchestrator.witness(connection)
                await connection.assert_session_confirmed(within="5s")
            (session,) = (each for each in orchestrator.sessions if each.id == "abc")
            assert first.timelines == (first.timeline, session.connections[0].timeline)
            assert session.connections[0].peer is first
            assert other.timelines == (
                other.timeline,
                (await orchestrator.wait_for_session("other")).timeline,
            )
        async with opened(url, session_id="abc") as second:
            # It may be named before or after somebody asks for it.
            await second.assert_session_confirmed(within="5s")
            orchestrator.witness(second)
            assert second.timelines == (second.timeline, session.connections[1].timeline)


async def test_an_old_connection_of_a_session_is_not_the_other_end_of_a_new_one():
    """The server of somebody else's is asked, and ours holds the session still."""
    async with Orchestrator() as ours, Orchestrator() as theirs, opened(ours.url, session_id="abc") as old:
        await old.assert_session_confirmed(within="5s")
        await asyncio.sleep(2)
        async with opened(theirs.url, session_id="abc") as new:
            ours.witness(new)
            await new.assert_session_confirmed(within="5s")
            assert new.timelines == (new.timeline,)


# Ids that a client chooses.


@pytest.mark.parametrize("escaped", [r"\ud800", r"a\udfffb", r"\udc00\ud800"])
async def test_an_id_that_is_no_text_ends_one_connection(escaped):
    """With 1007 and the reason; others go on, nothing is raised in a callback, and all can be shown."""
    unhandled = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
    async with (
        Orchestrator() as orchestrator,
        opened(orchestrator.url, session_id="abc") as other,
        opened(orchestrator.url, profile="frames") as connection,
    ):
        await connection.send(f'{{"type":"session_info","session_id":"{escaped}"}}')
        await connection.wait_closed()

        connection.assert_closed(code=1007, reason="session id", by="server")
        assert orchestrator.sessions[1].timeline.close.local_reason is LocalReason.SESSION_ID
        repr(orchestrator.sessions).encode()
        await other.assert_session_confirmed(within="1s")
        assert other.timeline.close is None
    assert unhandled == []


@pytest.mark.parametrize(("length", "code"), [(4096, None), (4097, 1009), (8_000, 1009)])
async def test_an_id_is_not_kept_however_long_it_is(length, code):
    """A session outlives its connections, and so does its id."""
    async with served(profile="frames") as (connection, orchestrator):
        await connection.send(f'{{"type":"session_info","session_id":"{"x" * length}"}}')
        await asyncio.sleep(1)

        close = connection.timeline.close
        assert (close and close.code) == code
        assert [session.id is not None for session in orchestrator.sessions] == [code is None]


@pytest.mark.parametrize("escaped", [r"\u001b[2J", r"a\n::error::b", r"\u202e", r"\u0000", r"\u009b2J"])
async def test_a_session_is_shown_without_control_characters(escaped):
    """Whatever its client called it; the id itself stays as it is."""
    async with served(profile="frames") as (connection, orchestrator):
        await connection.send(f'{{"type":"session_info","session_id":"{escaped}"}}')
        session = await orchestrator.wait_for_session()

        assert repr(session).isprintable()
        assert session.id == json.loads(f'"{escaped}"')

"""The reference server: what it says, what it withholds, and what its handler may do."""

import asyncio
import json

import pytest

from pytest_wsstability import ConnectionEnded, Direction, OpeningError, Orchestrator, Role, connect
from pytest_wsstability.profiles import JSON, Profile
from tests.net.peers import TEXT, connected, opened, served

pytestmark = pytest.mark.ws_stability


def when(timeline, role, direction=Direction.RECEIVED):
    return [event.at for event in timeline if (event.role, event.direction) == (role, direction)]


async def test_it_greets_and_confirms():
    """connection_established, session_info, session_confirmed, with the client's own id."""
    async with connected(session_id="abc") as (connection, orchestrator):
        assert len(when(connection.timeline, Role.GREETING)) == 1
        assert len(when(connection.timeline, Role.SESSION_INFO, Direction.SENT)) == 1
        assert len(when(connection.timeline, Role.SESSION_CONFIRMED)) == 1
        assert orchestrator.sessions[0].id == connection.session_id == "abc"
        assert orchestrator.sessions[0].confirmed_at is not None


async def test_its_words_are_those_of_the_profile():
    """As a page's JSON.parse would read them; session messages are not given to `recv`."""
    raw = Profile(name="raw")
    async with served(profile=raw) as (connection, _):
        assert json.loads(await connection.recv()) == {"type": "connection_established"}
        await connection.send('{"type": "session_info", "session_id": "x"}')
        assert json.loads(await connection.recv()) == {"type": "session_confirmed", "session_id": "x"}
        await connection.send('{"type": "ping"}')
        assert json.loads(await connection.recv()) == {"type": "pong"}


async def test_a_client_may_speak_before_it_is_greeted():
    """A page that sends session_info in its onopen handler."""
    raw = Profile(name="raw")
    async with served({"greet": False}, profile=raw) as (connection, orchestrator):
        await connection.send('{"type": "session_info", "session_id": "early"}')

        assert json.loads(await connection.recv())["type"] == "session_confirmed"
        assert (await orchestrator.wait_for_session("early")).id == "early"


async def test_without_a_greeting_a_waiting_client_says_nothing():
    """The session never stands, and the failure says why."""
    async with connected({"greet": False, "confirm_sessions": False}) as (connection, _):
        with pytest.raises(AssertionError, match="no greeting arrived, so session_info was not sent"):
            await connection.assert_session_confirmed(within="50ms")


async def test_without_a_confirmation_the_session_does_not_stand():
    """The server read session_info and kept silent."""
    async with connected({"confirm_sessions": False}) as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        with pytest.raises(AssertionError, match=r"session_info sent at .*, never confirmed"):
            await connection.assert_session_confirmed(within="50ms")
        assert session.confirmed_at is None
        with pytest.raises(AssertionError, match=r"session_info received at .*, never confirmed"):
            await session.assert_session_confirmed(within="60ms")


@pytest.mark.ws_stability(time="virtual")
async def test_delays_are_exact():
    """A slow server: greets after 2 s, confirms 3 s after it was told, answers heartbeats after 1 s."""
    server = {"greet": "2s", "confirm_sessions": "3s", "answer_heartbeats": "1s"}
    async with connected(server, heartbeat="25s") as (connection, _):
        await asyncio.sleep(30)

        assert when(connection.timeline, Role.GREETING) == [2.0]
        assert when(connection.timeline, Role.SESSION_CONFIRMED) == [5.0]
        assert when(connection.timeline, Role.HEARTBEAT_ANSWER) == [26.0]
        assert connection.timeline.session_confirmed_at == 5.0


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("what", ["greet", "confirm_sessions", "answer_heartbeats"])
async def test_what_is_due_after_the_end_is_not_said(what):
    """A delayed answer to a client that has gone is nobody's error."""
    async with connected({what: "30s"}, heartbeat="5s") as (connection, _):
        await asyncio.sleep(6)
        await connection.close()
        await asyncio.sleep(60)

        connection.assert_closed(code=1000)


@pytest.mark.ws_stability(time="virtual")
async def test_heartbeats_are_answered_or_not():
    """True, False."""
    for answer, answered in ((True, 4), (False, 0)):
        async with connected({"answer_heartbeats": answer}, heartbeat="25s") as (connection, _):
            await asyncio.sleep(110)

            assert connection.timeline.heartbeats.answered == answered


async def test_a_profile_of_ones_own_at_both_ends():
    """Exact text and bytes for messages."""
    mine = Profile(name="mine", ping="PING", pong=b"PONG", greeting="hello")
    async with served({"profile": mine, "echo": True}) as (connection, _):
        await connection.send("PING")
        await connection.send("text")

        assert await connection.recv() == "text"
        assert connection.timeline.heartbeats.answered == 1


async def test_frames_need_no_session():
    """A connection is a session of its own."""
    async with connected({"profile": "frames"}) as (connection, orchestrator):
        session = await orchestrator.wait_for_session()

        assert (session.id, session.confirmed_at, connection.session_id) == (None, None, None)
        assert "without id" in repr(session)


async def test_application_messages_are_recorded_and_thrown_away():
    """Without a handler nobody takes them, so reading never stops."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        for _ in range(2000):
            await connection.send("x")
        await connection.ping()

        assert session.timeline.dropped_reads == 2000
        assert not session.timeline.paused


# Handlers.


async def test_a_handler_that_returns_closes_with_1000():
    """Its work is done."""

    async def handler(connection):
        await connection.send("bye")

    async with served({"handler": handler}) as (connection, orchestrator):
        assert [message async for message in connection] == ["bye"]
        await connection.wait_closed()

        connection.assert_closed(code=1000, by="server")
        session = orchestrator.sessions[0]
        await session.connection.wait_closed()
        assert session.timeline.close.local_text == "the handler returned"


async def test_a_handler_that_raises_closes_with_1011_and_fails_the_test():
    """The client sees an internal error, stop() raises the first one."""

    async def handler(connection):
        await connection.recv()
        raise LookupError("no such room")

    orchestrator = Orchestrator(handler=handler)
    await orchestrator.start()
    for _ in range(2):
        async with opened(orchestrator.url) as connection:
            await connection.send("go")
            await connection.wait_closed()

            connection.assert_closed(code=1011, reason="", by="server")
    session = orchestrator.sessions[0]
    await session.connection.wait_closed()
    assert session.timeline.close.local_text == "the handler raised LookupError('no such room')"
    with pytest.raises(LookupError, match=r"^no such room$"):
        await orchestrator.stop()
    # Told once.
    await orchestrator.stop()


async def test_a_handler_that_cancels_itself_has_failed():
    """Nobody has cancelled it, so that its connection would stay open with nobody behind it."""

    async def handler(connection):
        task = asyncio.ensure_future(connection.recv())
        task.cancel()
        await task

    orchestrator = Orchestrator(handler=handler)
    await orchestrator.start()
    async with opened(orchestrator.url) as connection:
        await connection.wait_closed()

        connection.assert_closed(code=1011, by="server")
    with pytest.raises(RuntimeError, match=r"^the handler raised CancelledError, and nobody had"):
        await orchestrator.stop()


async def test_a_handler_that_awaits_what_it_cancelled_after_the_end_has_not_failed():
    """Of two tasks one ends with the connection, and the other is cancelled and awaited."""

    async def handler(connection):
        tasks = [asyncio.ensure_future(connection.recv()), asyncio.ensure_future(asyncio.sleep(100))]
        _, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
            await task

    async with connected({"handler": handler}) as (connection, orchestrator):
        await connection.close()
        await orchestrator.stop()


async def test_a_handler_whose_client_goes_is_no_error():
    """`recv` and `send` raise ConnectionEnded, which ends it quietly."""
    raised = asyncio.get_running_loop().create_future()

    async def handler(connection):
        try:
            await connection.recv()
        except ConnectionEnded as exc:
            raised.set_result(exc.evidence.code)
            raise

    async with connected({"handler": handler}) as (connection, _):
        await connection.close(4000)

        assert await raised == 4000


async def test_a_handler_is_not_given_the_profiles_messages():
    """Session and heartbeats are the server's own affair, even while a handler reads."""
    taken = []

    async def handler(connection):
        taken.extend([message async for message in connection])

    async with connected({"handler": handler}) as (connection, _):
        await connection.send('{"type":"ping"}')
        await connection.send("mine")
        await connection.close()
    assert taken == ["mine"]


@pytest.mark.ws_stability(time="virtual")
async def test_a_handler_may_be_slow():
    """Each connection has its own; heartbeats are answered meanwhile."""

    async def handler(connection):
        async for message in connection:
            await asyncio.sleep(60)
            await connection.send(message)

    async with (
        connected({"handler": handler}, heartbeat="25s") as (connection, orchestrator),
        opened(orchestrator.url) as other,
    ):
        await connection.send("one")
        await other.send("two")

        assert (await connection.recv(), await other.recv()) == ("one", "two")
        assert asyncio.get_running_loop().time() == connection.timeline.opened + 60.0
        assert connection.timeline.heartbeats.answered == 2


async def test_ended_is_called_with_each_connection():
    """Once its evidence is there."""
    gone = []
    async with Orchestrator(ended=gone.append) as orchestrator:
        async with opened(orchestrator.url) as connection:
            await connection.close(4000)
        async with opened(orchestrator.url):
            pass
    assert sorted(each.timeline.close.code for each in gone) == [1006, 4000]


async def test_refused_is_called_with_each_attempt_that_does_not_open():
    """What is no WebSocket request at all among them; who looks at the page wants no connection."""
    came = []
    async with Orchestrator(refused=came.append, page="<p>", allow_origins=[]) as orchestrator:
        port = int(orchestrator.url.rstrip("/").rpartition(":")[2])
        with pytest.raises(OpeningError):
            await connect(orchestrator.url, origin="https://evil.example")
        for request in (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\r\n\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            await reader.read()
            writer.close()
        async with opened(orchestrator.url):
            pass
    assert [(each.status, each.told[:7]) for each in came] == [(403, "Origin:"), (400, "did not")]


async def test_what_ended_raises_is_told_when_the_server_stops():
    """A failed assertion in it would be a line in the log, and the test would pass."""

    def ended(connection):
        assert connection.timeline.close.code == 4000

    orchestrator = Orchestrator(ended=ended)
    await orchestrator.start()
    async with opened(orchestrator.url):
        pass
    with pytest.raises(AssertionError):
        await orchestrator.stop()
    # Told once.
    await orchestrator.stop()


async def test_what_refused_raises_is_told_when_the_server_stops():
    """The server goes on, and has taken down who came."""

    def refused(attempt):
        raise LookupError(attempt.status)

    orchestrator = Orchestrator(refused=refused, allow_origins=[])
    await orchestrator.start()
    with pytest.raises(OpeningError):
        await connect(orchestrator.url, origin="https://elsewhere.example")
    with pytest.raises(LookupError, match=r"^403$"):
        await orchestrator.stop()
    assert [attempt.status for attempt in orchestrator.attempts] == [403]


async def test_a_message_over_the_servers_limit_is_refused():
    """1009 at the server's end."""
    async with connected({"echo": True, "max_size": 100}) as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.send("x" * 101)
        await connection.wait_closed()
        await session.connection.wait_closed()

        connection.assert_closed(code=1009, by="server")
        assert session.timeline.close.sent.code == 1009


async def test_text_that_is_not_utf8_is_refused_by_the_server_too():
    """The same class at both ends."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        connection.websocket.protocol.send_text(b"\xff")
        connection.websocket.flush(connection.websocket.loop.time())
        await connection.wait_closed()

        connection.assert_closed(code=1007, by="server")
        await session.connection.wait_closed()
        assert session.timeline.close.parser_error.startswith("invalid UTF-8")


async def test_it_is_shown_with_its_address():
    """Before and after it was started."""
    orchestrator = Orchestrator()
    assert repr(orchestrator) == "<Orchestrator not started, 0 session(s)>"
    async with orchestrator:
        assert repr(orchestrator) == f"<Orchestrator {orchestrator.url}, 0 session(s)>"


async def test_the_opcode_of_its_words_is_text():
    """JSON is sent as text (RFC 8259 is UTF-8); bytes of a profile as binary."""
    async with connected({"profile": JSON}) as (connection, _):
        greeting = next(event for event in connection.timeline if event.role is Role.GREETING)

        assert greeting.opcode == TEXT

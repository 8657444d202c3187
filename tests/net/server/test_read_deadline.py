"""Which traffic resets the read deadline, and what happens at the instant at which it runs out."""

import asyncio

import pytest

from pytest_wsstability import End, EventKind, Orchestrator
from pytest_wsstability.core.timeline.close import TransportEnd
from tests.net.peers import connected, opened, talking

pytestmark = pytest.mark.ws_stability(time="virtual")

HOUR = 3600.0


async def pongs(connection):
    """A one-way keepalive every 25 s."""
    await every(25, connection.pong)


async def pings(connection):
    await every(25, connection.ping)


async def text(connection):
    await every(25, lambda: connection.send("audio"))


async def fragments(connection):
    """One message in pieces, for as long as it takes."""
    websocket = connection.websocket
    websocket.send_message("piece", fin=False)
    await every(25, lambda: asyncio.sleep(0, websocket.send_fragment("piece", fin=False)))


async def heartbeats(connection):
    await every(25, lambda: connection.send('{"type":"ping"}'))


async def nothing(connection):
    await every(25, lambda: asyncio.sleep(0))


async def every(seconds, action):
    while True:
        await asyncio.sleep(seconds)
        await action()


# Which kinds of traffic keep a connection alive whose deadline of 60 s is reset by one of them.
KEEPS = {
    "pong": {pongs},
    "ping": {pings},
    "data": {text, fragments, heartbeats},
    "heartbeat": {heartbeats},
    "any": {pongs, pings, text, fragments, heartbeats},
}
TRAFFIC = (nothing, pongs, pings, text, fragments, heartbeats)


@pytest.mark.parametrize("traffic", TRAFFIC, ids=lambda each: each.__name__)
@pytest.mark.parametrize("reset_by", KEEPS)
async def test_only_the_right_traffic_keeps_a_connection(reset_by, traffic):
    """The others die after exactly 60 s, whatever is said in vain meanwhile."""
    server = {"deadline_reset_by": reset_by, "ping_interval": None, "greet": False, "confirm_sessions": False}
    async with connected(server) as (connection, orchestrator):
        talking_on = asyncio.create_task(traffic(connection))
        if traffic in KEEPS[reset_by]:
            await connection.assert_alive_for(HOUR)
        else:
            await connection.wait_closed()
            (session,) = orchestrator.sessions
            assert session.timeline.close.at == 60.0
            assert session.timeline.close.local_text.startswith("read deadline of 60 s ran out (")
        await stopped(talking_on)


async def stopped(task):
    task.cancel()
    with pytest.raises((asyncio.CancelledError, ConnectionError)):
        await task


async def test_the_deadline_counts_from_the_last_reset():
    """Pongs at 30 and 50 s, none after: 110 s."""
    async with connected({"ping_interval": None}) as (connection, _):
        await asyncio.sleep(30)
        await connection.pong()
        await asyncio.sleep(20)
        await connection.pong()
        await connection.wait_closed()

        assert connection.timeline.close.at == 110.0


async def test_several_kinds_reset_it():
    """Any one of them will do."""
    server = {"deadline_reset_by": {"ping", "heartbeat"}, "ping_interval": None}
    async with connected(server) as (
        connection,
        _,
    ):
        await asyncio.sleep(50)
        await connection.ping()
        await asyncio.sleep(50)
        await connection.send('{"type":"ping"}')
        await connection.wait_closed()

        assert connection.timeline.close.at == 160.0


async def test_answers_to_the_servers_pings_keep_a_quiet_client():
    """The default server pings every 30 s, a browser answers."""
    async with connected() as (connection, _):
        await connection.assert_alive_for("24h")


@pytest.mark.parametrize(("interval", "dies_at"), [("59s", None), ("61s", 60.0), (None, 60.0)])
async def test_pings_must_be_more_frequent_than_the_deadline(interval, dies_at):
    """The answer to the first one must come in time."""
    async with connected({"ping_interval": interval}) as (connection, _):
        await connection.websocket.wait_ended(connection.timeline.opened + HOUR)

        assert (connection.timeline.close and connection.timeline.close.at) == dies_at


async def test_heartbeats_do_not_help_against_a_deadline_that_pongs_reset():
    """The story of this project: heartbeats every 25 s, all answered, and 1006 after 60 s."""
    async with connected({"ping_interval": None}, heartbeat="25s") as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.wait_closed()

        evidence = connection.timeline.close
        assert (evidence.code, evidence.at, evidence.by) == (1006, 60.0, End.SERVER)
        assert evidence.transport is TransportEnd.FIN
        connection.assert_heartbeats_answered(within="1s", at_least=2)
        assert session.timeline.close.local_text == (
            "read deadline of 60 s ran out "
            "(only pongs reset it; none came; heartbeats, the last at 50 s, do not)"
        )
        assert any(event.kind is EventKind.DEADLINE and event.at == 60.0 for event in session.timeline)


@pytest.mark.parametrize(
    ("reset_by", "words"),
    [
        ("any", "any frame resets it; the last came at 50 s"),
        ("data", "only data frames reset it; the last came at 50 s"),
        ("heartbeat", "only heartbeats reset it; the last came at 50 s"),
        ("ping", "only pings reset it; none came; heartbeats, the last at 50 s, do not"),
        ({"ping", "pong"}, "only pongs and pings reset it; none came; heartbeats, the last at 50 s, do not"),
    ],
)
async def test_the_reason_says_what_would_have_helped(reset_by, words):
    """What resets the deadline, when it last came, and what came in vain."""
    async with connected({"deadline_reset_by": reset_by, "ping_interval": None}) as (connection, server):
        session = await server.wait_for_session()
        for _ in range(2):
            await asyncio.sleep(25)
            await connection.send('{"type":"ping"}')
        await session.connection.wait_closed()

        assert session.timeline.close.local_text == f"read deadline of 60 s ran out ({words})"


async def test_a_drop_is_a_fin_without_a_close_frame():
    """As Go servers do: 1006 at both ends."""
    async with connected({"ping_interval": None}) as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.wait_closed()

        client, server = connection.timeline.close, session.timeline.close
        assert (client.received, client.sent, client.transport) == (None, None, TransportEnd.FIN)
        assert (server.code, server.by, server.transport) == (1006, End.SERVER, TransportEnd.ABORTED)
        assert (client.abnormal, server.abnormal) == (True, True)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 4408])
async def test_a_code_is_sent_where_one_is_wanted(code):
    """With a reason, and at the same instant."""
    async with connected({"ping_interval": None, "on_deadline": code}) as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.wait_closed()

        connection.assert_closed(code=code, reason="read deadline", by="server")
        assert connection.timeline.close.at == session.timeline.close.at == 60.0
        assert session.timeline.close.local_text.startswith("read deadline of 60 s ran out")


async def test_a_client_that_answers_no_close_frame_is_given_up():
    """The deadline of a dead client ends it for good, 10 s later."""
    server = {"ping_interval": None, "on_deadline": 1001}
    async with connected(server, client="stalled") as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await session.connection.wait_closed()

        assert asyncio.get_running_loop().time() == connection.timeline.opened + 70.0
        assert (session.timeline.close.at, session.timeline.close.code) == (60.0, 1006)


async def test_no_deadline_no_end():
    """A server that reads for ever."""
    async with connected({"read_deadline": None, "ping_interval": None}) as (connection, _):
        await connection.assert_alive_for("24h")


async def test_a_deadline_of_a_connection_that_has_ended_ends_nothing():
    """The timer is gone with the connection."""
    async with Orchestrator(ping_interval=None) as orchestrator:
        async with opened(orchestrator.url) as connection:
            session = await orchestrator.wait_for_session()
            await connection.close()
        await asyncio.sleep(600)

        session.assert_closed(code=1000, by="client")


async def test_a_deadline_does_not_run_while_the_closing_handshake_does():
    """Who closes at 55 s is closing, and not overdue at 60 s."""

    async def handler(connection):
        await asyncio.sleep(55)
        await connection.close(4000)

    async with connected({"ping_interval": None, "handler": handler}, client="stalled") as (_, orchestrator):
        session = await orchestrator.wait_for_session()
        await session.connection.wait_closed()

        assert not any(event.kind is EventKind.DEADLINE for event in session.timeline)
        assert session.timeline.close.at == 55.0


async def test_a_client_knows_nothing_of_the_servers_deadline():
    """Against a raw server that just drops at 60 s the evidence at the client is the same."""

    async def script(peer):
        await asyncio.sleep(60)

    async with talking(script) as connection:
        await connection.wait_closed()

        evidence = connection.timeline.close
        assert (evidence.code, evidence.at, evidence.by, evidence.local_text) == (
            1006,
            60.0,
            End.SERVER,
            None,
        )

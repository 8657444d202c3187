"""Each assertion of a connection has a server that passes it and one that fails it."""

import asyncio

import pytest

from pytest_wsstability import StabilityError
from tests.net.peers import connected

pytestmark = pytest.mark.ws_stability(time="virtual")


async def waited(connection, seconds=60):
    await connection.websocket.wait_ended(connection.timeline.opened + seconds)


async def alive(connection):
    await connection.assert_alive_for("2m")


async def confirmed(connection):
    await connection.assert_session_confirmed(within="3s")


async def heartbeats(connection):
    await waited(connection)
    connection.assert_heartbeats_answered(within="5s", at_least=2)


async def pings(connection):
    connection.websocket.send_ping()
    await waited(connection, 20)
    connection.assert_pings_answered(within="5s")


async def no_abnormal_closure(connection):
    await waited(connection, 120)
    connection.assert_no_abnormal_closure()


async def closed(connection):
    await waited(connection, 120)
    connection.assert_closed(code=4000, reason="read deadline", by="server")


async def rtt(connection):
    await waited(connection)
    connection.assert_rtt(p95="1s")


async def stable(connection):
    await connection.assert_stable(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")


QUIET = {"ping_interval": None}
CODE = {**QUIET, "on_deadline": 4000}
SLOW = {"answer_heartbeats": "10s"}
DEAF = {"answer_heartbeats": False}
UNCONFIRMED = {"confirm_sessions": False}

# The assertion, a server that passes it, and servers that fail it, with a word of the failure.
CASES = {
    alive: ({}, [(QUIET, "1006 at 60 s of 120 s"), (CODE, "4000 at 60 s of 120 s")]),
    confirmed: ({}, [(UNCONFIRMED, "never confirmed"), ({"greet": "4s"}, "no greeting arrived")]),
    heartbeats: ({}, [(DEAF, "2 of 2 heartbeats not answered"), (SLOW, "answered after 10 s")]),
    pings: ({}, [({"profile": "frames", "answer_heartbeats": False}, "1 of 1 pings not answered")]),
    no_abnormal_closure: (CODE, [(QUIET, "1006 at 60 s"), ({**QUIET, "on_deadline": 1011}, "1011 at 60 s")]),
    closed: (CODE, [({}, "still open after 120 s"), (QUIET, "not closed with code 4000")]),
    rtt: ({}, [({"answer_heartbeats": "1.5s"}, "rtt 1.5 s")]),
    stable: ({}, [(QUIET, "1006 at 60 s"), (DEAF, "not answered within 5 s"), (SLOW, "within 5 s")]),
}
FAILING = [
    pytest.param(assertion, server, words, id=f"{assertion.__name__}: {words}")
    for assertion, (_, servers) in CASES.items()
    for server, words in servers
]


@pytest.mark.parametrize("assertion", CASES, ids=lambda each: each.__name__)
async def test_a_good_server_passes(assertion):
    """The assertion can be met."""
    async with connected(CASES[assertion][0], heartbeat="25s") as (connection, _):
        await assertion(connection)


@pytest.mark.parametrize(("assertion", "server", "words"), FAILING)
async def test_a_bad_server_fails(assertion, server, words):
    """And it can be missed, which the message tells in its first line, with both ends' timelines."""
    heartbeat = None if server.get("profile") == "frames" else "25s"
    async with connected(server, heartbeat=heartbeat) as (connection, orchestrator):
        orchestrator.witness(connection)
        with pytest.raises(StabilityError) as caught:
            await assertion(connection)

        message = str(caught.value)
        assert words in message.splitlines()[0] or words in message.splitlines()[2]
        assert "\n  client    " in message
        assert "\n  server    " in message


async def test_assertions_do_not_wait_longer_than_they_must():
    """All of them at once over a healthy connection end with the longest."""
    async with connected(heartbeat="25s") as (connection, _):
        await asyncio.gather(alive(connection), confirmed(connection), stable(connection))

        assert asyncio.get_running_loop().time() == connection.timeline.opened + 120.0


@pytest.mark.parametrize("keywords", [{"alive": "2m"}, {"alive_for": "2m", "every": 1}])
async def test_an_unknown_requirement_is_refused(keywords):
    """The valid ones are named."""
    async with connected() as (connection, _):
        with pytest.raises(TypeError, match=r"^unknown requirement '\w+'; valid ones: alive_for, "):
            await connection.assert_stable(**keywords)

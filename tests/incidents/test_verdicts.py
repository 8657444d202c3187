"""
Red for what was broken, and green for what was mended.

After reports about wire-webapp (21477) and superset (5130), where a page sleeps on a dead path for ever;
about discord-api-docs (1619); and about supabase (16684) and realtime-js (246), where a notice is the last
word.

"""

import asyncio
import contextlib
import json

import pytest
import websockets

from pytest_wsstability import Outcome, SessionError, StabilityError, faults
from pytest_wsstability.profiles import Profile
from tests.incidents.ended import GATEWAY, insert, phoenix, serving

pytestmark = pytest.mark.ws_stability(time="virtual")


# A path that goes silent under a client.


async def page(url, *, keepalive, comes_back=True, waits=1.0):
    """A client that pings every so many seconds, or not at all, and comes back or not."""
    while True:
        with contextlib.suppress(OSError, websockets.WebSocketException):
            async with websockets.connect(
                url, ping_interval=keepalive, ping_timeout=keepalive, close_timeout=1
            ) as ws:
                await ws.recv()
                await ws.send(json.dumps({"type": "session_info", "session_id": "s"}))
                async for _ in ws:
                    pass
        if not comes_back:
            return
        await asyncio.sleep(waits)


def asleep(*faults_of_the_first):
    """A server that never looks whether its clients live, and the faults of the first connection to it."""
    program = faults.Program.of(list(faults_of_the_first), connections=1)
    return pytest.mark.ws_orchestrator(faults=program, ping_interval=None, read_deadline=None)


DEAD = ("30s", faults.Blackhole())


async def outcome_of(assertion):
    """What an assertion comes to, and what it says."""
    try:
        await assertion
    except SessionError as error:
        return error.verdict.outcome, str(error)
    return Outcome.STABLE, ""


@asleep(DEAD)
@pytest.mark.parametrize(
    ("client", "within", "outcome", "words"),
    [
        # Nothing tells it of the dead path, and it sends nothing that could.
        ({"keepalive": None}, "60s", Outcome.UNSTABLE, "session 's' did not come back within 60 s"),
        # Pings at 40 s are not answered by 60 s.
        ({"keepalive": 20}, "60s", Outcome.STABLE, ""),
        ({"keepalive": 20}, "20s", Outcome.UNSTABLE, "did not come back within 20 s"),
        # It notices, and stays away.
        ({"keepalive": 20, "comes_back": False}, "60s", Outcome.UNSTABLE, "did not come back within 60 s"),
        ({"keepalive": 20, "waits": 45.0}, "60s", Outcome.UNSTABLE, "did not come back within 60 s"),
    ],
)
async def test_a_page_that_sleeps_on_a_dead_path(ws_orchestrator, client, within, outcome, words):
    """It has to come back in time, counted from the loss, though no end of the connection was ever seen."""
    task = asyncio.create_task(page(ws_orchestrator.url, **client))
    session = await ws_orchestrator.wait_for_session("s")

    found, said = await outcome_of(session.assert_reconnects(within=within, same_session=True))

    assert found is outcome, said
    assert words in said
    if found is Outcome.UNSTABLE:
        assert "hint      expect a sign of life" in said
        assert "after faults.Blackhole(direction='both') was applied" in said
    task.cancel()


@asleep(("30s", faults.Stall("10s")))
async def test_a_path_that_is_silent_for_a_while(ws_orchestrator):
    """There is nothing to come back from: all went on in time."""
    task = asyncio.create_task(page(ws_orchestrator.url, keepalive=None))
    session = await ws_orchestrator.wait_for_session("s")

    found, said = await outcome_of(session.assert_reconnects(within="60s", same_session=True))

    assert found is Outcome.INCONCLUSIVE, said
    assert "there is nothing to come back from" in said
    task.cancel()


# A session that is resumed.


def gateway(*, forgets):
    """A server that rotates the first connection, and then knows the session or resets it."""
    seen = []

    async def handler(ws):
        await ws.send(json.dumps({"op": 10}))
        async for message in ws:
            told = json.loads(message)
            if told["op"] == 1:
                await ws.send(json.dumps({"op": 11}))
            elif seen and forgets:
                return ws.transport.abort()
            else:
                await ws.send(json.dumps({"t": "RESUMED", "session": told["session"]}))
                seen.append(told["session"])
                if len(seen) == 1:
                    await ws.send(json.dumps({"op": 7}))
                    await ws.close(1001)

    return handler


@pytest.mark.parametrize("forgets", [True, False])
async def test_a_session_that_is_resumed(ws_connect, forgets):
    """Red where each resumption is reset, green where the session goes on."""
    async with serving(gateway(forgets=forgets)) as url:
        first = await ws_connect(url, profile=GATEWAY.replace(notice={"op": 7}), heartbeat="41s")
        await first.wait_closed()
        second = await first.reconnect(within="30s")
        if not forgets:
            await second.assert_session_resumed(within="5s")
            await second.assert_alive_for("2m")
            return
        with pytest.raises(StabilityError, match=r"; then 1006 at 0 s: no close frame") as failure:
            await second.assert_session_resumed(within="5s")
    assert failure.value.verdict.outcome is Outcome.UNSTABLE


# A notice that is the last word.

REALTIME = Profile(
    name="realtime",
    session_info={"event": "phx_join", "topic": "{session_id}"},
    session_confirmed={"event": "phx_reply", "topic": "{session_id}"},
    ping={"event": "heartbeat"},
    pong={"event": "phx_reply", "topic": "phoenix"},
    notice={"event": "system", "status": "error"},
)


def channel(seconds, *, closes=False):
    """A server that sends an event every 10 s, until the token expires."""

    async def events(ws):
        await insert(ws, seconds // 10)
        said = {"event": "system", "status": "error", "message": "access token has expired"}
        await ws.send(json.dumps(said))
        await ws.send(json.dumps({"event": "phx_close"}))
        if closes:
            await ws.close(1001)

    return phoenix(events)


@pytest.mark.parametrize(
    ("server", "outcome"),
    [
        (channel(600), Outcome.UNSTABLE),
        (channel(10_000), Outcome.STABLE),
        # The end that was announced: a rotation, which the client is to follow.
        (channel(600, closes=True), Outcome.STABLE),
    ],
)
async def test_a_token_that_expires_on_a_connection_that_lives(ws_connect, server, outcome):
    """Heartbeats are answered for ever; the server said that it was over, and sent no event any more."""
    async with serving(server) as url:
        connection = await ws_connect(url, profile=REALTIME, heartbeat="25s", inbox=0)
        wanted = {"alive_for": "30m", "heartbeat_every": "25s", "session_within": "5s", "allow_close": 1001}
        if outcome is Outcome.STABLE:
            await connection.assert_stable(**wanted)
            return
        with pytest.raises(StabilityError, match="an error message at 600") as failure:
            await connection.assert_stable(**wanted)
    assert failure.value.verdict.outcome is outcome
    assert "access token has expired" in str(failure.value)

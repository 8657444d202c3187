"""A server that goes deaf before the end of a hold, in whatever way: the end of the hold sees it."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import FaultProxy, Orchestrator, StabilityError, faults
from pytest_wsstability.core.judge.verdict import Outcome
from tests.net.peers import TEXT, frame, opened, served, talking

virtual = pytest.mark.ws_stability(time="virtual")
# Bytes of the server's own accord would be signs of life.
QUIET = {"read_deadline": None, "ping_interval": None}
BEATS = {"heartbeat_every": "25s", "heartbeat_within": "5s"}
# What the server does at an instant of a hold of 120 s, and what its client asks it.
WAYS = {
    "heartbeats": (faults.WithholdHeartbeats(), {"heartbeat": "25s"}, BEATS),
    "pongs": (faults.WithholdPongs(), {"profile": "frames", "heartbeat": "25s"}, BEATS),
    "reading": (faults.StopReading(), {"heartbeat": "25s"}, BEATS),
    "reading, unasked": (faults.StopReading(), {}, {}),
    "the loop": (faults.FreezeLoop("10m"), {"heartbeat": "25s"}, BEATS),
    "the loop, unasked": (faults.FreezeLoop("10m"), {}, {}),
}


async def verdict(connection, **requirement):
    """The outcome of a hold."""
    try:
        await connection.assert_stable(**requirement)
    except StabilityError as exc:
        return exc.verdict.outcome
    return Outcome.STABLE


@virtual
@pytest.mark.parametrize(("fault", "client", "asked"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("at", ["76s", "99s"])
async def test_it_is_unstable(fault, client, asked, at):
    """The last question before the end stays open, or the proof of life does."""
    async with (
        Orchestrator(profile=client.get("profile", "json"), faults=[(at, fault)], **QUIET) as server,
        opened(server.url, **client) as connection,
    ):
        assert await verdict(connection, alive_for="2m", **asked) is Outcome.UNSTABLE


@virtual
@pytest.mark.parametrize(
    "fault", [faults.Blackhole("both"), faults.Blackhole("upstream"), faults.Stall("10m")], ids=repr
)
@pytest.mark.parametrize("asked", [{}, BEATS], ids=["unasked", "heartbeats"])
async def test_a_path_that_is_dead_before_the_end(fault, asked):
    """To the client it is the same."""
    async with Orchestrator(**QUIET) as server, FaultProxy(server.url) as proxy:
        proxy.add(fault, at="76s")
        async with opened(proxy.url, heartbeat="25s" if asked else None) as connection:
            assert await verdict(connection, alive_for="2m", **asked) is Outcome.UNSTABLE


@virtual
@pytest.mark.parametrize("every", [1, 7, 25])
@pytest.mark.parametrize("missed", [1, 5, 1000])
async def test_a_server_that_never_answers_is_not_stable(every, missed):
    """However many may be missed: nothing was shown."""
    async with served({"faults": [faults.WithholdHeartbeats()], **QUIET}, heartbeat=every) as (connection, _):
        asked = {"heartbeat_every": every, "heartbeat_within": 1, "heartbeat_missed_max": missed}
        assert await verdict(connection, alive_for="2m", **asked) is not Outcome.STABLE
        with pytest.raises(StabilityError):
            connection.assert_heartbeats_answered(within=1, missed_max=missed)


@virtual
@pytest.mark.parametrize(("until", "outcome"), [(76, Outcome.UNSTABLE), (200, Outcome.STABLE)])
async def test_a_stream_that_stops_before_the_end(until, outcome):
    """The last gap ends with the hold."""

    async def script(peer):
        for _ in range(until // 4):
            await asyncio.sleep(4)
            peer.send(frame(TEXT, b"news"))
        await asyncio.sleep(600)

    async with talking(script) as connection:
        assert await verdict(connection, message_every="10s", alive_for="2m") is outcome


@virtual
@pytest.mark.parametrize(("at", "outcome"), [("76s", Outcome.UNSTABLE), (None, Outcome.STABLE)])
async def test_a_server_that_asks_no_more(at, outcome):
    """Where the server sends the heartbeats, those that do not come are missed."""
    program = [(at, faults.WithholdHeartbeats())] if at else []
    async with served({"profile": "engineio", "faults": program, **QUIET}) as (connection, _):
        asked = {"heartbeat_every": "25s", "heartbeat_within": "20s"}
        assert await verdict(connection, alive_for="2m", **asked) is outcome


@pytest.mark.real
@pytest.mark.slow
def test_in_real_time():
    """Deaf for the last seconds of five."""

    async def main():
        async with (
            Orchestrator(faults=[("2s", faults.WithholdHeartbeats())], **QUIET) as server,
            opened(server.url, heartbeat="1s") as connection,
        ):
            return await verdict(connection, alive_for="5s", heartbeat_every="1s", heartbeat_within="5s")

    # A machine that stood still meanwhile makes it inconclusive; stable it never is.
    assert asyncio.run(main()) is not Outcome.STABLE

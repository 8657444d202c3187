"""A verdict, its cause and its message see the record as it stood at the verdict."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import Orchestrator, faults, run_virtual
from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.message.errors import StabilityError
from pytest_wsstability.core.timeline.events import EventKind
from pytest_wsstability.net.hold import hold
from tests.net.peers import connected

BEATS = {"heartbeat_every": "1s", "heartbeat_within": "2s", "session_within": "2s"}


def two_holds(*steps, **server):
    """Two holds of one orchestrator to which faults are applied, the second told of the first."""

    async def main():
        async with Orchestrator(faults=list(steps), **server) as orchestrator:
            where = {"url": orchestrator.url, "orchestrator": orchestrator}
            wanted = [Requirement.of(alive_for=seconds, **BEATS) for seconds in ("9s", "5s")]
            return await asyncio.gather(*(hold(each, **where) for each in wanted))

    holds = run_virtual(main())
    for each in holds:
        each.beside([other.timeline for other in holds])
    return holds


@pytest.mark.parametrize(
    ("steps", "server"),
    [
        ([("2500ms", faults.FreezeLoop("1m"))], {}),
        ([("2500ms", faults.Blackhole())], {}),
        ([("2500ms", faults.WithholdHeartbeats())], {}),
        ([], {"confirm_sessions": False}),
    ],
    ids=["a frozen server", "a black hole", "no answers", "no confirmation"],
)
def test_our_own_close_is_no_cause(steps, server):
    """Neighbours that are looked at later add knowledge, and never the close after the hold."""
    for each in two_holds(*steps, **server):
        assert each.verdict.outcome is Outcome.UNSTABLE
        assert each.verdict.diagnosis.cause is not Cause.CLOSED_HERE
        assert each.timeline.close is None
        with pytest.raises(StabilityError) as error:
            each.assert_stable()
        assert "closed by the client" not in str(error.value)


@pytest.mark.ws_stability(time="virtual")
async def test_both_ends_are_sealed_together():
    """Where the server ends the connection first and the path is slow, its end is in the client's failure."""
    steps = [("1s", faults.Latency("300ms")), ("10s", faults.CloseWith(4000))]
    async with connected({"faults": steps}) as (connection, orchestrator):
        orchestrator.witness(connection)
        with pytest.raises(StabilityError) as error:
            await orchestrator.sessions[0].assert_alive_for("20s")
        assert error.value.timelines[0].close.received is None

        client = connection.timeline
        assert client.close is not None
        assert client.close.received.code == 4000


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(("late", "seen"), [("900ms", True), ("1100ms", False)])
async def test_the_other_end_has_a_second(late, seen):
    """Then the verdict is told without it: the other end may never notice."""
    steps = [("1s", faults.Latency(late)), ("10s", faults.CloseWith(4000))]
    async with connected({"faults": steps}) as (connection, orchestrator):
        orchestrator.witness(connection)
        before = connection.websocket.loop.time()
        with pytest.raises(StabilityError):
            await orchestrator.sessions[0].assert_alive_for("20s")

        assert (connection.timeline.close is not None) is seen
        took = connection.websocket.loop.time() - before
        assert took == pytest.approx(10.9 if seen else 11.0, abs=0.06)


@pytest.mark.ws_stability(time="virtual")
async def test_a_report_has_the_record_of_the_verdict():
    """What the connection lives through afterwards is not what was judged."""
    async with connected(heartbeat="1s") as (connection, _):
        await connection.assert_stable(alive_for="3500ms", heartbeat_every="1s")
        at_the_verdict = connection.judgement.timelines[0]
        await asyncio.sleep(5)
        await connection.close()

        assert (at_the_verdict.close, at_the_verdict.heartbeats.sent) == (None, 3)
        assert EventKind.ENDED not in [event.kind for event in at_the_verdict]
        assert connection.timeline.close is not None

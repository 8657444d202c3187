"""The holds in the background: limits, and what an interrupt leaves."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pytest_wsstability import faults, run_virtual
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.plugin.soaks.background import Hold, HoldInterrupted, Holds, Ramp
from tests.serving import SOON, Crowd, serving

LONG = Requirement.of(alive_for="2m")
SHORT = Requirement.of(alive_for="200ms")


@pytest.mark.parametrize(
    ("asked", "delays"),
    [
        # (host, instant): ten a second, each host for itself.
        ([("a", 0), ("a", 0), ("a", 0), ("b", 0)], [0, 0.1, 0.2, 0]),
        ([("a", 0), ("a", 0.05), ("a", 5)], [0, 0.05, 0]),
        ([("localhost", 0), ("localhost", 0), ("127.0.0.1", 0), ("127.0.0.1", 0)], [0, 0, 0, 0]),
    ],
)
def test_ramp(asked, delays):
    """A host that is not this machine gets its connections one after the other."""
    ramp = Ramp(10)

    assert [ramp.delay(f"wss://{host}/ws", now) for host, now in asked] == pytest.approx(delays)


def test_turns():
    """Who waits for a turn waits no longer than it takes."""

    async def three() -> list[float]:
        ramp, loop = Ramp(10), asyncio.get_running_loop()
        start = loop.time()
        came = []

        async def one() -> None:
            await ramp.turn("wss://example.org/ws")
            came.append(loop.time() - start)

        await asyncio.gather(one(), one(), one())
        return came

    assert run_virtual(three()) == pytest.approx([0, 0.1, 0.2])


def finished(holds, all_of):
    """Wait for every hold; the order in which they finished."""
    order = []
    while not set(all_of) <= set(order):
        holds.wait(SOON)
        order += holds.news()
    return order


@pytest.mark.real
@pytest.mark.parametrize(("concurrency", "most"), [(None, 6), (2, 2)])
def test_concurrency(concurrency, most):
    """All of them at once, or as many as the limit lets."""
    crowd = Crowd(most)
    with serving(handler=crowd.handle) as url:
        holds = Holds(concurrency=concurrency)
        all_of = [Hold(f"test_{number}", url, SHORT, {}) for number in range(6)]
        holds.start(all_of)
        finished(holds, all_of)
        assert holds.stop() == []

    assert crowd.most == most
    assert {hold.soak.verdict.outcome for hold in all_of} == {Outcome.STABLE}


@pytest.mark.real
def test_stop_closes_and_keeps():
    """Each hold gets its closing handshake, and its verdict is inconclusive; one that waits has none."""
    crowd = Crowd(2)
    with serving(handler=crowd.handle) as url:
        holds = Holds(concurrency=2)
        all_of = [Hold(f"test_{number}", url, LONG, {}) for number in range(3)]
        holds.start(all_of)
        assert crowd.complete.wait(SOON)
        assert holds.stop() == all_of

    assert crowd.codes == [1000, 1000]
    assert all(hold.finished for hold in all_of)
    for hold in all_of[:2]:
        assert hold.soak.verdict.outcome is Outcome.INCONCLUSIVE
        assert hold.headline.startswith("inconclusive: interrupted at ")
        assert hold.headline.endswith(" of 120 s")
        assert not hold.broken
    assert isinstance(all_of[2].error, HoldInterrupted)
    assert str(all_of[2].error) == "interrupted before the connection was open"


@pytest.mark.real
def test_an_interrupt_leaves_alone_what_is_closing():
    """It has its verdict, and waits for nothing but the server's answer to its close frame."""
    with serving(faults=[faults.IgnoreClose()]) as url:
        holds = Holds()
        hold = Hold("test_it", url, SHORT, {})
        holds.start([hold])
        while not hold.closing:
            assert not hold.finished
            holds.wait(0.01)
        holds.interrupt(hold)
        assert holds.stop() == [hold]

    assert hold.soak.verdict.outcome is Outcome.STABLE


@pytest.mark.real
def test_a_broken_one_is_known_while_others_go_on():
    """What finishes first is told first."""

    async def leave(connection):
        await connection.close(1011)

    crowd = Crowd(1)
    with serving(handler=crowd.handle) as good, serving(handler=leave) as bad:
        holds = Holds()
        long, broken = Hold("test_long", good, LONG, {}), Hold("test_broken", bad, LONG, {})
        holds.start([long, broken])
        assert finished(holds, [broken]) == [broken]
        assert holds.running == [long]
        holds.stop()

    assert broken.broken
    assert broken.headline.startswith("the server's handler failed (1011 at ")


def test_what_does_not_open_is_broken():
    """Its error is kept for its test."""
    holds = Holds()
    hold = Hold("test_it", "ws://127.0.0.1:1", LONG, {})
    holds.start([hold])
    finished(holds, [hold])
    holds.stop()

    assert hold.broken
    assert "nobody listens on 127.0.0.1:1" in hold.headline


def test_a_loop_that_has_no_time_keeps_nobody():
    """The tests' thread goes on with what it knew before."""
    holds, free = Holds(), threading.Event()
    holds.on_loop(lambda: None, None)

    def block():
        holds._loop.call_soon(free.wait)
        return "blocked"

    assert holds.on_loop(block, "late", within=SOON) == "blocked"
    assert holds.on_loop(lambda: "in time", "late", within=0.01) == "late"
    free.set()
    holds.stop()

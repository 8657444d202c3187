"""What many connections are made of is kept from the garbage collector while they are held."""

import asyncio
import gc

import pytest

from pytest_wsstability import Requirement, run_virtual
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.fleet import FleetJob
from pytest_wsstability.net.fleet import engine
from pytest_wsstability.net.fleet.aside import put_aside


class Collector:
    """What was asked of the garbage collector."""

    def __init__(self, monkeypatch):
        self.frozen = self.others = 0
        self.calls = []
        monkeypatch.setattr(gc, "get_freeze_count", lambda: self.others)
        for name in ("freeze", "unfreeze"):
            monkeypatch.setattr(gc, name, lambda name=name: self.calls.append(name))
        monkeypatch.setattr(gc, "collect", self.calls.append)


@pytest.fixture
def collector(monkeypatch):
    return Collector(monkeypatch)


async def takes(seconds, *, error=None):
    await asyncio.sleep(seconds)
    if error is not None:
        raise error
    return "done"


@pytest.mark.parametrize(("seconds", "times"), [(60.0, 12), (4.5, 5)])
def test_what_has_opened_is_put_aside_until_all_have(collector, seconds, times):
    """Each second of the ramp, one more time for the last ones, and not for ever: returns leave garbage."""
    assert run_virtual(put_aside(takes(seconds), 10.0)) == "done"
    assert collector.calls == [1, "freeze"] * times + ["unfreeze"]


def test_what_others_have_put_aside_stays_there(collector):
    """A server that forks does so too (`gc.freeze`), and undoing is all or nothing."""
    collector.others = 7
    run_virtual(put_aside(takes(1.5), 0.0))

    assert collector.calls == [1, "freeze"] * 2


def test_what_it_raises_is_told(collector):
    with pytest.raises(RuntimeError, match=r"^no$"):
        run_virtual(put_aside(takes(2.0, error=RuntimeError("no")), 10.0))

    assert collector.calls[-1] == "unfreeze"


@pytest.mark.parametrize("seconds", [5, 30])
def test_who_is_stopped_stops_it(collector, seconds):
    """In the ramp and after it; and is over only when it is: it has connections to close."""
    ended = []

    async def endless():
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(2)
            ended.append(True)

    async def main():
        running = asyncio.ensure_future(put_aside(endless(), 10.0))
        await asyncio.sleep(seconds)
        running.cancel()
        await asyncio.wait([running])
        assert ended == [True]
        return running.cancelled()

    assert run_virtual(main())
    assert collector.calls[-1] == "unfreeze"


@pytest.mark.parametrize(
    ("run", "connections", "frozen"),
    [(asyncio.run, 1_000, True), (asyncio.run, 999, False), (run_virtual, 1_000, False)],
)
def test_only_a_large_fleet_in_real_time_is_put_aside(collector, monkeypatch, run, connections, frozen):
    """A test's own garbage is collected as ever beside a small one, and virtual time cannot lag."""

    async def nothing(*slot):
        """Nothing of it opens."""

    monkeypatch.setattr(engine, "run_slot", nothing)
    monkeypatch.setattr(engine, "check_here", lambda *needs: None)
    plan = FleetPlan(connections=connections, hold=60.0)
    job = FleetJob(url="ws://127.0.0.1:9/", requirement=Requirement.of(alive_for="1m"))
    run(engine.InProcess().run(plan, job, FleetMerge(plan), print))

    assert ("freeze" in collector.calls) == frozen

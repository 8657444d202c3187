"""A slot in a process of its own: told in JSON, and not held up by what it holds."""

import asyncio
import gc

import pytest

from pytest_wsstability import run_virtual
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net.fleet.worker import run_alone


class Running:
    """A task of a worker that takes its time."""

    def __init__(self, seconds, *, ramp=10.0, error=None):
        self.plan = FleetPlan(connections=4, hold=60.0, ramp=ramp)
        self._seconds, self._error = seconds, error

    async def run(self, say):
        await asyncio.sleep(self._seconds)
        if self._error is not None:
            raise self._error
        say("done")


@pytest.fixture
def frozen(monkeypatch):
    """How often what there is was put aside."""
    calls = []
    monkeypatch.setattr(gc, "freeze", lambda: calls.append(1))
    return calls


@pytest.mark.parametrize(("seconds", "times"), [(60.0, 12), (4.5, 5)])
def test_what_has_opened_is_put_aside_until_all_have(frozen, seconds, times):
    """Each second of the ramp, one more time for the last ones, and not for ever: returns leave garbage."""
    said = []
    run_virtual(run_alone(Running(seconds), said.append))

    assert len(frozen) == times
    assert said == ["done"]


def test_what_a_slot_raises_is_told(frozen):
    with pytest.raises(RuntimeError, match=r"^no$"):
        run_virtual(run_alone(Running(2.0, error=RuntimeError("no")), print))


def test_who_is_stopped_stops_the_slot(frozen):
    ended = []

    class Endless(Running):
        async def run(self, say):
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

    async def main():
        running = asyncio.ensure_future(run_alone(Endless(0), print))
        await asyncio.sleep(30)
        running.cancel()
        await asyncio.wait([running])
        await asyncio.sleep(0)

    run_virtual(main())
    assert ended == [True]

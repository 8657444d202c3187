"""Who of the workers is silent, in virtual time; a controller that stood still could not hear them."""

import asyncio
import json

import pytest

from pytest_wsstability import run_virtual
from pytest_wsstability.core.fleet.frame import Frame
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net.fleet.worker_listener import SILENT, WorkerListener

NAMES = {0: "worker 0", 1: "worker 1"}


class Controller:
    """Listens to two workers with a connection each; its clock can go on while it does nothing."""

    def __init__(self, watch=lambda merge: None):
        self.loop = asyncio.get_running_loop()
        self.merge = FleetMerge(FleetPlan(connections=2, hold=20.0, workers=2))
        self.listener = WorkerListener(NAMES, self.merge, watch)
        self._sequences = [0, 0]
        for slot in (0, 1):
            self.listener.begin(slot)

    def say(self, *slots, is_last=False):
        for slot in slots:
            sequence = self._sequences[slot]
            self._sequences[slot] += 1
            stable = ((slot, slot),) if is_last else ()
            frame = Frame(slot=slot, attempt=1, sequence=sequence, at=1.0, stable=stable, is_last=is_last)
            self.listener.hand_over(slot, json.dumps(frame.as_dict()))

    def stand_still(self, seconds):
        self.loop._now += seconds

    async def listen(self):
        await self.listener.to_the_end()
        return self.merge


def test_what_has_come_counts_before_anybody_is_called_silent():
    """Frames of both lie there after a long pause: the first one taken is no proof against the other."""

    async def main():
        controller = Controller()
        listening = asyncio.ensure_future(controller.listen())
        for _ in range(3):
            await asyncio.sleep(SILENT - 0.5)
            controller.say(0, 1)
        controller.stand_still(SILENT + 1)
        controller.say(0, 1)
        controller.say(0, 1, is_last=True)
        return await listening

    merge = run_virtual(main())

    assert (merge.count.stable, merge.notes, merge.refusals) == (2, [], {})


@pytest.mark.parametrize("speaks", [False, True])
@pytest.mark.parametrize(("after", "lost"), [(SILENT - 0.1, False), (SILENT + 1.1, True)])
def test_a_controller_that_stood_still_hears_them_first(after, lost, speaks):
    """What its threads have not read yet is in no queue: each has its whole time again, and no more."""

    async def main():
        controller = Controller()
        listening = asyncio.ensure_future(controller.listen())
        await asyncio.sleep(0.5)
        controller.stand_still(60)
        if speaks:
            controller.say(0, 1)
        await asyncio.sleep(after)
        controller.say(0, 1, is_last=True)
        return await listening

    merge = run_virtual(main())

    assert merge.count.unobserved == (2 if lost else 0)


@pytest.mark.parametrize(("pause", "lost"), [(SILENT, 0), (SILENT + 1.1, 1)])
def test_one_that_is_silent_is_lost(pause, lost):
    async def main():
        controller = Controller()
        listening = asyncio.ensure_future(controller.listen())
        for _ in range(int(pause * 10)):
            await asyncio.sleep(0.1)
            controller.say(0)
        controller.say(0, 1, is_last=True)
        return await listening

    merge = run_virtual(main())

    assert merge.count.unobserved == lost
    assert [note.rpartition(": ")[2] for note in merge.notes] == ["worker 1 was silent for 6 s"] * lost

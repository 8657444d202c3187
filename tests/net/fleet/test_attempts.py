"""What Dask does again: the first attempt at a slot gets the word, and another one is not counted."""

import asyncio
import json

import pytest

from pytest_wsstability.core.fleet.frame import Frame
from pytest_wsstability.core.fleet.merge import FleetMerge, Refusal
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net.fleet.cluster import _Run
from pytest_wsstability.net.fleet.worker_listener import WorkerListener

pytest.importorskip("distributed")


def said(attempt, frame=None):
    told = {"slot": 0, "attempt": attempt}
    if frame is not None:
        told["frame"] = json.dumps(frame.as_dict())
    return (0.0, told)


def test_a_second_attempt_is_refused_and_counted():
    async def main():
        merge = FleetMerge(FleetPlan(connections=2, hold=1))
        run = _Run(None, {0: "tcp://one"})
        run._heard(said("first"))
        run._listener = listener = WorkerListener(run.names, merge, lambda merge: None)
        listener.begin(0)
        run._heard(said("second"))
        run._heard(said("second", Frame(slot=0, attempt=1, sequence=0, at=1.0, opened=2)))
        last = Frame(slot=0, attempt=1, sequence=0, at=1.0, opened=2, stable=((0, 1),), is_last=True)
        run._heard(said("first", last))
        await listener.to_the_end()
        return run, merge

    run, merge = asyncio.run(main())

    assert run._attempts == {0: "first"}
    assert (merge.opened, merge.count.stable) == (2, 2)
    assert merge.refusals == {Refusal.SECOND_ATTEMPT: 1}


def test_a_worker_that_ends_is_lost():
    async def main():
        merge = FleetMerge(FleetPlan(connections=2, hold=1))
        listener = WorkerListener({0: "worker 0 (tcp://one)"}, merge, lambda merge: None)
        listener.begin(0)
        listener.hand_over(0, None)
        await listener.to_the_end()
        return merge

    merge = asyncio.run(main())

    assert merge.count.unobserved == 2
    assert merge.notes == [
        "2 of 2 connections of worker 0 unobserved from 0 s on: worker 0 (tcp://one) ended"
    ]

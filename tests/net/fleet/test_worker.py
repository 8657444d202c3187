"""What a function of the user's raises in a worker: told as text, with the connections that it costs."""

import asyncio
import json

import pytest

from pytest_wsstability import Orchestrator, Requirement, run_virtual
from pytest_wsstability.core.fleet.frame import Frame
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net.fleet.job import FleetJob
from pytest_wsstability.net.fleet.worker import Task


async def talk(connection):
    await asyncio.sleep(5)
    raise RuntimeError("no answer to ?access_token=abcdefgh&n=1")


async def fail(connection):
    """As `pytest.fail` does, whose exception is no `Exception`."""
    raise BaseExceptionGroup("several", [pytest.fail.Exception("mine")])


async def speak(connection):
    await asyncio.sleep(0.5)
    await connection.send("hello")
    await asyncio.sleep(60)


async def speak_late(connection):
    """In the last half second, after the last look at whether all is well."""
    await asyncio.sleep(29.5)
    await connection.send("hello")
    await asyncio.sleep(60)


def options_of(number):
    return {} if number < 3 else {}["none"]


def name_of(message):
    if message == "hello":
        raise ValueError


def run(**functions):
    """What the controller knows after a worker with such a job has ended."""

    async def main():
        async with Orchestrator() as orchestrator:
            plan = FleetPlan(connections=4, hold=30.0)
            job = FleetJob(url=orchestrator.url, requirement=Requirement.of(alive_for="30s"), **functions)
            said = []
            await Task(plan.slots[0], plan, job).run(said.append)
            return plan, said

    plan, said = run_virtual(main())
    merge = FleetMerge(plan)
    for text in said:
        merge.add(Frame.from_dict(json.loads(text)))
    return merge


@pytest.mark.parametrize(
    ("functions", "note"),
    [
        ({"options_of": options_of}, "from 0 s on: KeyError: 'none'"),
        ({"url_of": options_of}, "from 0 s on: ValueError: url: '{}' is not a WebSocket URL"),
        ({"traffic": talk}, "from 5 s on: RuntimeError: no answer to ?access_token=***&n=1"),
        ({"traffic": fail}, "from 0 s on: Failed: mine"),
        ({"traffic": speak, "fanout_of": name_of}, "from 1 s on: ValueError"),
        ({"traffic": speak_late, "fanout_of": name_of}, "from 30 s on: ValueError"),
    ],
)
def test_what_it_raises_is_the_reason_of_those_that_nobody_saw(functions, note):
    merge = run(**functions)

    assert (merge.is_over, merge.count.unobserved) == (True, 4)
    (told,) = merge.notes
    assert told.startswith(f"4 of 4 connections of worker 0 unobserved {note}")


def test_what_a_worker_tells_is_one_line_without_secrets_whatever_it_is():
    """The controller does not rely on the worker for that."""
    merge = FleetMerge(FleetPlan(connections=1, hold=30.0))
    told = "Error:\x1b[31m\n?token=abcdefgh"
    merge.add(Frame(slot=0, attempt=1, sequence=0, at=1.0, is_last=True, failure=told))

    assert merge.notes[0].endswith(r"on: Error:\x1b[31m\n?token=***")

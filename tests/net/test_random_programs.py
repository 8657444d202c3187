"""Random faults against our own client that reconnects: no hang, no leak, the same story from a seed."""

import asyncio
import gc

import pytest

from pytest_wsstability import Backoff, ConnectionEnded, Orchestrator, faults, run_virtual
from pytest_wsstability.core.faults import Program
from pytest_wsstability.core.message.errors import StabilityError
from tests.net.reconnecting_client import ReconnectingClient

PROGRAMS = 200
# Every fault was applied by then, and every one that lasts has had its consequences.
HORIZON = 600.0
# The first connections get the faults, those after them are healthy.
BROKEN = 3


def program_of(seed):
    return Program.random(seed, within="60s", connections=BROKEN)


async def live_through(program):
    """What became of a client whose connections a program breaks, and whether it is well in the end."""
    before = asyncio.all_tasks()
    orchestrator = Orchestrator(faults=program, echo=True)
    backoff = Backoff(first="1s", factor=2, longest="30s", jitter=0.1)
    async with (
        orchestrator,
        ReconnectingClient(orchestrator.url, backoff=backoff, heartbeat="5s", answer_within="5s") as client,
    ):
        await asyncio.sleep(HORIZON)
        story = [
            (str(connection.timeline.close), connection.timeline.duration, connection.timeline.total)
            for connection in client.connections
        ]
        refused = [str(error) for error in client.errors]
        applied = [str(applied) for applied in orchestrator.applied]
        late = [applied.lateness for applied in orchestrator.applied if applied.lateness]
        well = await _is_well(client)
    assert asyncio.all_tasks() == before
    assert not late
    return story, refused, applied, well


async def _is_well(client):
    connection = client.connection
    if connection is None:
        return "no connection"
    try:
        await connection.assert_alive_for("30s")
    except (StabilityError, ConnectionEnded) as exc:
        return str(exc)
    return "well"


# Each begins with programs of its own; some of them are enough between two edits.
FIRST = [pytest.param(seed, marks=[] if seed < 20 else pytest.mark.slow) for seed in range(0, PROGRAMS, 20)]


@pytest.mark.parametrize("first", FIRST)
def test_the_client_comes_through(first):
    """It never hangs, and is well again once the broken connections are behind it, whatever they met."""
    for seed in range(first, first + 20):
        program = program_of(seed)
        story, _, _, well = run_virtual(live_through(program))

        # One that is never told of the end of its connection has no other.
        assert well == "well", f"seed {seed}: {program!r}: {story}"


@pytest.mark.slow
def test_the_programs_do_break_something():
    """Most clients have lost connections on their way, some were refused."""
    stories = [run_virtual(live_through(program_of(seed))) for seed in range(60)]

    assert sum(len(story) > 1 for story, *_ in stories) > 30
    assert sum(bool(refused) for _, refused, *_ in stories) > 3
    assert sum(bool(applied) for *_, applied, _ in stories) > 15


def test_a_client_that_is_always_broken_is_never_well():
    """The control: what these tests look at fails where it should."""
    program = Program.of([("1s", faults.Blackhole())])

    assert run_virtual(live_through(program))[-1] != "well"


@pytest.mark.parametrize("seed", range(0, PROGRAMS, 10))
def test_the_story_is_reproducible_from_the_seed(seed):
    """What was printed is enough: the same program has the same story, to the last event."""
    printed = repr(program_of(seed))

    first = run_virtual(live_through(program_of(seed)))

    assert run_virtual(live_through(eval(printed, {"faults": faults}))) == first


@pytest.mark.slow
def test_nothing_is_leaked():
    """Loops, connections and timers of many programs are gone in the end."""
    counted = []
    for seed in range(30):
        run_virtual(live_through(program_of(seed)))
        if seed in (9, 29):
            gc.collect()
            counted.append(
                sum(type(each).__name__ in ("WebSocket", "Link", "Endpoint") for each in gc.get_objects())
            )

    assert counted[1] <= counted[0]

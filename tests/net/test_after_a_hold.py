"""A hold that is watched and the same hold judged later, with random faults and requirements: one verdict."""

import asyncio
import random

import pytest

from pytest_wsstability import Orchestrator, Outcome, Requirement, connect, run_virtual
from pytest_wsstability.core.faults import Program
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.net.errors import OpeningError
from pytest_wsstability.net.holding import hold_open

CASES = 2000
# What a requirement may ask for, each with what it may be.
PARTS = {
    "heartbeat_every": [5, 7.3, 10],
    "heartbeat_within": [1, 3, 5.5],
    "rtt_p95": [0.05, 0.3, 1],
    "message_every": [4, 8, 12],
    "messages_at_least": [1, 5, 10],
    "session_within": [2, 8],
    "pings_within": [1, 4],
    "max_age_ok": [10, 30],
    "allow_close": [[1000, 1001, 1012]],
    "handshake": [True],
    "no_error_messages": [False],
}
HOLD, AFTER = 33.3, 60.0


def required(chance):
    """A requirement, and the interval of a client's heartbeats."""
    written = {name: chance.choice(values) for name, values in PARTS.items() if chance.random() < 0.35}
    if "heartbeat_every" in written or "heartbeat_within" in written:
        written["heartbeats_at_least"] = chance.randint(0, 6)
        written["heartbeat_missed_max"] = chance.choice([0, 0, 1, 2])
    return Requirement.of(alive_for=HOLD, **written), written.get("heartbeat_every", chance.choice([None, 5]))


async def both_ways(seed):
    """A requirement, and its verdicts: watched, and later; None where nothing opened."""
    chance = random.Random(seed)
    program = Program.random(seed, within="90s", connections=1) if chance.random() < 0.7 else ()
    pauses = [chance.choice([0.5, 1, 3, 3, 7, 15]) + chance.random() / 100 for _ in range(200)]

    async def feed(connection):
        for pause in pauses:
            await asyncio.sleep(pause)
            await connection.send("news")

    requirement, heartbeat = required(chance)
    client = chance.choice(["browser", "browser", "keepalive", "mute"])
    async with Orchestrator(faults=program, handler=feed) as orchestrator:
        try:
            connection = await connect(orchestrator.url, heartbeat=heartbeat, client=client, inbox=0)
        except OpeningError:
            return None
        watched = await hold_open(connection.websocket, requirement)
        await asyncio.sleep(AFTER)
        later = judge(requirement, connection.timeline)
        begun = connection.timeline.session_confirmed_at
        await connection.close()
    # Messages are due from the opening while no session is begun, and from its confirmation later.
    late = requirement.message_every is not None and (begun is None or begun > requirement.message_every)
    return None if late else (requirement, watched, later)


@pytest.mark.parametrize(
    "first",
    [pytest.param(seed, marks=[] if seed < 100 else pytest.mark.slow) for seed in range(0, CASES, 50)],
)
def test_both_ways_give_one_verdict(first):
    """What came after the hold, as far as the record goes, counts neither for it nor against it."""
    for seed in range(first, first + 50):
        found = run_virtual(both_ways(seed), seed=seed)
        if found is not None:
            requirement, watched, later = found
            assert later.outcome is watched.outcome, f"seed {seed}: {requirement}: {watched} {later}"


def test_they_are_of_all_kinds():
    """The control: holds pass, fail and are in doubt."""
    found = [run_virtual(both_ways(seed), seed=seed) for seed in range(60)]

    assert {verdict.outcome for _, verdict, _ in filter(None, found)} == set(Outcome)

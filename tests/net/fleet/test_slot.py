"""A slot of a fleet in virtual time, against the reference orchestrator."""

import asyncio
from collections import Counter
from itertools import count

import pytest
from websockets.asyncio.server import serve

from pytest_wsstability import Orchestrator, Requirement, faults, run_virtual
from pytest_wsstability.core.diagnosis import Cohort
from pytest_wsstability.core.fleet.frame import Fate
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.net.errors import OpeningError, OpeningStage
from pytest_wsstability.net.fleet import explaining, slot
from pytest_wsstability.net.fleet.fleet import prepared, run_fleet
from pytest_wsstability.net.fleet.job import FleetJob
from pytest_wsstability.net.fleet.slot import FleetSlot, run_slot
from tests.net.fleet.by_turn import ByTurn

HOLD = Requirement.of(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")


def held(
    connections=20, *, requirement=HOLD, ramp=0.0, workers=1, disturb=None, job=None, tick=0.0, **behaviour
):
    """A fleet that ran to its end: what was merged, and the frames."""

    async def main():
        async with Orchestrator(**behaviour) as orchestrator:
            plan = FleetPlan(connections=connections, hold=requirement.alive_for, ramp=ramp, workers=workers)
            merge, frames = FleetMerge(plan, requirement.answer_within), []

            def emit(frame):
                frames.append(frame)
                assert merge.add(frame) is None

            made = FleetJob(url=orchestrator.url, requirement=requirement, **(job or {}))
            runs = [run_slot(slot, plan, made, emit) for slot in plan.slots]
            if disturb is not None:
                runs.append(disturb(orchestrator))
            await asyncio.gather(*runs)
            return merge, frames

    return run_virtual(main(), tick=tick)


def causes(merge):
    return Counter(ending.cause for ending in merge.endings)


def test_a_healthy_fleet():
    """20 connections for 2 minutes: four heartbeats each."""
    merge, frames = held()

    assert merge.count.stable == 20
    assert (merge.heartbeats_sent, merge.heartbeats_answered) == (80, 80)
    assert merge.rtts.count == 80
    assert [frame.sequence for frame in frames] == list(range(len(frames)))
    assert [frame.is_last for frame in frames] == [False] * (len(frames) - 1) + [True]
    assert len(merge.records[""]) == 8


@pytest.mark.parametrize(("profile", "one_way"), [("deepgram", 340), ("json", 0)])
def test_heartbeats_that_nobody_answers_are_told_apart(profile, one_way):
    """17 each, of 20 connections."""
    asked = Requirement.of(alive_for="2m", heartbeat_every="7s", heartbeat_within="2s")
    merge, _ = held(requirement=asked, profile=profile, job={"options": {"profile": profile}})

    assert merge.count.stable == 20
    assert (merge.heartbeats_one_way, merge.heartbeats_sent - merge.heartbeats_answered) == (one_way, one_way)
    assert merge.heartbeats_missed == 0


def test_heartbeats_that_are_not_answered_are_missed():
    """The first of each has no answer, which ends it."""
    merge, _ = held(3, faults=[("1s", faults.WithholdHeartbeats())])

    assert (merge.heartbeats_sent, merge.heartbeats_answered, merge.heartbeats_missed) == (3, 0, 3)


def test_abnormal_ends_are_told_of():
    """An abort is one, and a close with 1001 is none."""
    aborted, _ = held(
        3,
        on_deadline="drop",
        read_deadline="60s",
        deadline_reset_by="pong",
        job={"options": {"client": "mute"}},
    )
    closed, _ = held(3, faults=[("60s", faults.CloseWith(1001))])

    assert [each.abnormal for each in aborted.endings] == [True] * 3
    assert [each.abnormal for each in closed.endings] == [False] * 3


def test_frames_tell_how_it_goes():
    """A frame a second; heartbeats are told when they were answered."""
    _, frames = held(2)

    assert [frame.at for frame in frames[:3]] == [1.0, 2.0, 3.0]
    assert [frame.at for frame in frames if frame.heartbeats_answered] == [25.0, 50.0, 75.0, 100.0]


def test_connections_open_over_the_ramp():
    _, frames = held(20, ramp=10.0)

    assert [frame.opened for frame in frames[:11]] == [2] * 10 + [0]


@pytest.mark.parametrize("workers", [1, 3])
def test_slots_share_the_connections(workers):
    merge, frames = held(20, workers=workers)

    assert merge.count.stable == 20
    assert {frame.slot for frame in frames} == set(range(workers))


def test_connections_that_end_are_told_with_their_cause():
    """No heartbeat, no pong: the read deadline of 60 s ends all."""
    silent = Requirement.of(alive_for="2m")
    merge, _ = held(10, requirement=silent, job={"options": {"client": "mute"}})

    assert merge.count.ended == 10
    assert [ending.age for ending in merge.endings] == [pytest.approx(60.0)] * 10
    assert {ending.code for ending in merge.endings} == {1006}
    assert list(causes(merge).values()) == [10]
    assert [len(kept) for kept in merge.records.values()] == [10]


def test_who_broke_a_promise_and_was_closed_here_did_not_end():
    """Its workload closes it halfway; that its answers were slow is seen then."""

    async def until_half_time(connection):
        await asyncio.sleep(60)
        await connection.close()

    slow = Requirement.of(alive_for="2m", heartbeat_every="25s", rtt_p95="1s")
    job = {"traffic": until_half_time, "options": {"heartbeat": 25}}
    merge, _ = held(3, requirement=slow, job=job, answer_heartbeats="2s")

    assert (merge.count.ended, merge.count.broke) == (3, 3)
    assert [round(ending.age) for ending in merge.endings] == [60] * 3


def test_a_restart_is_one_cause_for_all():
    async def restart(orchestrator):
        await asyncio.sleep(61.2)
        await orchestrator.restart(down_for="1s")

    merge, _ = held(20, ramp=10.0, disturb=restart)

    assert merge.count.ended == 20
    assert len(causes(merge)) == 1
    assert {round(ending.at, 3) for ending in merge.endings} == {61.2}


def test_openings_that_fail_are_told_apart():
    async def stop(orchestrator):
        await asyncio.sleep(5.1)
        await orchestrator.restart(down_for="20s")

    merge, _ = held(10, ramp=10.0, disturb=stop)
    fates = Counter(ending.fate for ending in merge.endings)

    assert fates == {Fate.ENDED: 6, Fate.REFUSED: 4}
    assert merge.count.open == 0


def test_who_answers_is_known_of_openings_that_fail_too():
    """A load balancer in front of three backends, of which one refuses; each request has a number."""
    numbers = count()

    def answer(connection, request):
        number = next(numbers)
        backend = "abc"[number % 3]
        full = backend == "b"
        response = connection.respond(503, "full") if full else connection.protocol.accept(request)
        response.headers["X-Backend"] = backend
        response.headers["CF-Ray"] = f"{number}-FRA"
        return response

    async def idle(connection):
        await connection.wait_closed()

    async def main():
        async with serve(idle, "127.0.0.1", 0, process_request=answer, server_header=None) as server:
            port = server.sockets[0].getsockname()[1]
            plan = FleetPlan(connections=30, hold=20.0, ramp=10.0)
            job = FleetJob(url=f"ws://127.0.0.1:{port}", requirement=Requirement.of(alive_for="20s"))
            made = prepared(job, plan)
            await run_fleet(made, job)
            return made

    made = run_virtual(main())
    (group,) = made.groups

    assert made.merge.backends == {"a": 10, "b": 10, "c": 10}
    assert (len(group), [str(each) for each in group.shared]) == (10, ["all behind b"])


def test_a_planned_rotation_is_no_loss():
    rotating = Requirement.of(alive_for="2m", max_age_ok="60s")

    async def restart(orchestrator):
        await asyncio.sleep(70)
        await orchestrator.restart(down_for="1s")

    assert held(5, requirement=rotating, disturb=restart)[0].count.rotated == 5


def test_each_connection_may_be_another():
    """By its number: a session of its own."""
    seen = []

    async def look(orchestrator):
        await asyncio.sleep(10)
        seen.extend(sorted(session.id for session in orchestrator.sessions))

    held(3, disturb=look, job={"options_of": lambda number: {"session_id": f"caller-{number}"}})

    assert seen == ["caller-0", "caller-1", "caller-2"]


def test_connections_may_talk():
    async def talk(connection):
        while True:
            await connection.send("hello")
            await asyncio.sleep(10)

    merge, _ = held(3, job={"traffic": talk})

    assert merge.count.stable == 3


def test_the_same_fleet_is_the_same_twice():
    """In virtual time nothing is left to chance."""
    first, second = held(20, ramp=10.0), held(20, ramp=10.0)

    assert [frame.as_dict() for frame in first[1]] == [frame.as_dict() for frame in second[1]]


def test_a_slot_that_is_cancelled_leaves_the_rest_unobserved():
    async def main():
        async with Orchestrator() as orchestrator:
            plan = FleetPlan(connections=4, hold=120.0)
            merge = FleetMerge(plan)
            job = FleetJob(url=orchestrator.url, requirement=HOLD)
            task = asyncio.create_task(run_slot(plan.slots[0], plan, job, merge.add))
            await asyncio.sleep(30)
            task.cancel()
            await asyncio.wait([task])
            return merge.count

    count = run_virtual(main())

    assert (count.unobserved, count.open) == (4, 0)


def test_a_slot_that_is_cancelled_while_connections_end_raises_nothing():
    """Whoever ends then is one of those that nobody saw to their end."""
    raised = []

    async def main():
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: raised.append(context))
        async with Orchestrator() as orchestrator:
            plan = FleetPlan(connections=50, hold=120.0)
            merge = FleetMerge(plan)
            job = FleetJob(url=orchestrator.url, requirement=HOLD)
            task = asyncio.create_task(run_slot(plan.slots[0], plan, job, merge.add))
            await asyncio.sleep(30)
            ending = asyncio.create_task(orchestrator.restart(down_for="1s"))
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task, ending])
            return merge.count

    count = run_virtual(main())

    assert raised == []
    assert (count.open, count.ended + count.unobserved) == (0, 50)


@pytest.mark.parametrize(("connections", "most"), [(19, 19), (20, 20), (50, 20)])
def test_what_is_behind_the_plan_opens_a_part_in_each_turn(monkeypatch, connections, most):
    """Otherwise nothing that is open has its turn, and the worker seems to be dead."""
    by_turn = ByTurn()

    async def refused(url, **options):
        by_turn.note()
        raise OpeningError(url, OpeningStage.CONNECT, "nobody listens")

    async def main():
        plan = FleetPlan(connections=connections, hold=60.0)
        merge = FleetMerge(plan)
        job = FleetJob(url="ws://127.0.0.1:9/", requirement=Requirement.of(alive_for="1m"))
        await run_slot(plan.slots[0], plan, job, merge.add)
        return merge

    monkeypatch.setattr(slot, "connect", refused)
    merge = run_virtual(main())

    assert merge.count.refused == connections
    assert max(by_turn.counts) == most == min(connections, slot.AT_ONCE)


def test_a_workload_gets_the_first_messages_too():
    """Those that came with the opening handshake."""
    heard = []

    async def greets(connection):
        await connection.send("first")
        await connection.wait_closed()

    async def listens(connection):
        heard.append(await connection.recv())

    merge, _ = held(3, handler=greets, job={"traffic": listens})

    assert heard == ["first"] * 3
    assert merge.count.stable == 3


async def restart_at_61(orchestrator):
    await asyncio.sleep(61.2)
    await orchestrator.restart(down_for="1s")


def test_a_crowd_that_ends_is_judged_a_part_in_each_turn(monkeypatch):
    """Ten thousand judged at once would hold the loop up for seconds."""
    by_turn = ByTurn()
    monkeypatch.setattr(slot, "hold_talking", by_turn.noting(slot.hold_talking))
    merge, _ = held(50, disturb=restart_at_61)

    assert merge.count.ended == 50
    assert max(by_turn.counts) == slot.AT_ONCE


def test_whoever_is_stopped_closes_a_part_in_each_turn(monkeypatch):
    by_turn = ByTurn()
    monkeypatch.setattr(FleetSlot, "_close", by_turn.noting(FleetSlot._close))

    async def main():
        async with Orchestrator() as orchestrator:
            plan = FleetPlan(connections=50, hold=120.0)
            job = FleetJob(url=orchestrator.url, requirement=HOLD)
            task = asyncio.create_task(run_slot(plan.slots[0], plan, job, print))
            await asyncio.sleep(30)
            task.cancel()
            await asyncio.wait([task])

    run_virtual(main())

    assert by_turn.counts == [20, 20, 10]


def test_an_end_is_told_at_its_instant_whenever_its_turn_comes(monkeypatch):
    """In a large crowd some are judged seconds after the others, and their instant is one still."""
    judged = slot.hold_talking

    async def late(connection, *rest):
        verdict = await judged(connection, *rest)
        await asyncio.sleep(0.1 * len(connection.timeline.session_id or ""))
        return verdict

    monkeypatch.setattr(slot, "hold_talking", late)
    named = {"options_of": lambda number: {"session_id": "x" * (number + 1)}}
    merge, _ = held(5, disturb=restart_at_61, job=named)

    assert {round(ending.at, 3) for ending in merge.endings} == {61.2}


def test_a_crowd_is_explained_when_all_of_it_is_judged(monkeypatch):
    """Where turns take long: half of a crowd would be seen beside that half alone."""
    crowds = []

    class Counted(Cohort):
        def __init__(self, timelines=()):
            super().__init__(timelines)
            self.number = len(crowds)
            crowds.append(0)

        def add(self, timeline):
            super().add(timeline)
            crowds[self.number] += 1

    monkeypatch.setattr(explaining, "Cohort", Counted)
    monkeypatch.setattr(slot, "AT_ONCE", 1)
    merge, _ = held(60, disturb=restart_at_61, tick=0.05)

    assert merge.count.ended == 60
    # Those of all times, and the only crowd.
    assert crowds == [60, 60]

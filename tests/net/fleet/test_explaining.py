"""Ends of a crowd are explained beside each other, and a bounded part of them in each turn of the loop."""

import asyncio

import pytest

from pytest_wsstability import run_virtual
from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis import Cohort, diagnose_beside
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.net.fleet import explaining
from pytest_wsstability.net.fleet.explaining import (
    COMPARED_AT_ONCE,
    EXPLAINED_AT_ONCE,
    EndedConnection,
    EndExplainer,
)
from tests.core.script import FIN, closed_by_peer, timeline
from tests.net.fleet.by_turn import ByTurn

HOLD = Requirement.of(alive_for="2m")


def ended(number, at, age):
    """A connection that ended at an instant, in the middle of traffic."""
    record = timeline(*[(second, "<text") for second in range(1, age)], (age, FIN), origin=at - age)
    return EndedConnection(number, judge(HOLD, record), record, at, "")


def crowd(count, at=100.0):
    """Connections of all ages that ended at one instant."""
    return [ended(number, at, 10 + number % 80) for number in range(count)]


def explained_again(ends, *crowds, lived=()):
    """Numbers and diagnoses at the end of a slot whose crowds were explained at these instants."""
    again = []

    async def main():
        made = EndExplainer(tuple, lambda end, diagnosis: None)
        for end in ends:
            made.add(end)
        for at in crowds:
            await made.explain(at)
            await asyncio.sleep(0)
        await made.explain_again(lived, lambda end, diagnosis: again.append((end.number, diagnosis)))

    run_virtual(main())
    return again


def explained(ends, *, until=1000.0, beside=(), stopped_after=None):
    """Numbers and diagnoses in the order in which they came; explained again if that was stopped."""
    found = []

    async def main():
        def take(end, diagnosis):
            found.append((end.number, diagnosis))
            if len(found) == stopped_after:
                running.cancel()

        made = EndExplainer(lambda: beside, take)
        for end in ends:
            made.add(end)
        running = asyncio.ensure_future(made.explain(until))
        await asyncio.wait([running])
        if stopped_after is not None:
            await made.explain(until)

    run_virtual(main())
    return found


@pytest.mark.parametrize("count", [1, 10, 11, 35])
def test_ten_are_explained_in_a_turn(monkeypatch, count):
    """A thousand at once would hold up what is open for half a second."""
    by_turn = ByTurn()
    monkeypatch.setattr(explaining, "diagnose_beside", by_turn.noting(diagnose_beside))

    assert len(explained(crowd(count))) == count
    assert max(by_turn.counts) == min(count, EXPLAINED_AT_ONCE)
    assert EXPLAINED_AT_ONCE == 10


def test_a_hundred_are_compared_in_a_turn(monkeypatch):
    by_turn = ByTurn()

    class Counted(Cohort):
        add = by_turn.noting(Cohort.add)

    monkeypatch.setattr(explaining, "Cohort", Counted)
    explained(crowd(250))

    # Each that is explained is taken down for the end too.
    assert by_turn.counts[:3] == [COMPARED_AT_ONCE, COMPARED_AT_ONCE, 50 + EXPLAINED_AT_ONCE]
    assert by_turn.counts[3:] == [EXPLAINED_AT_ONCE] * 24
    assert COMPARED_AT_ONCE == 100


def test_turns_change_no_diagnosis():
    """Each is seen beside all others of its crowd and those that live on, whenever its turn comes."""
    ends, alive = crowd(35), [timeline((5.0, "<text"), until=200.0, origin=50.0)]
    cohort = Cohort([*(each.timeline for each in ends), *alive])
    found = explained(ends, beside=alive)
    alone = [(each.number, diagnose_beside(each.timeline, Cohort())) for each in ends]

    assert found == [(each.number, diagnose_beside(each.timeline, cohort)) for each in ends]
    assert found != alone


def test_ends_after_the_instant_wait():
    """Others of their event may be to come."""
    ends = [*crowd(3), *crowd(2, at=500.0)]

    assert len(explained(ends, until=499.9)) == 3
    assert len(explained(ends, until=500.0)) == 5


def test_one_crowd_at_a_time(monkeypatch):
    """Of a second one, each turn would have twice as much."""
    by_turn = ByTurn()
    monkeypatch.setattr(explaining, "diagnose_beside", by_turn.noting(diagnose_beside))

    async def main():
        made = EndExplainer(list, lambda end, diagnosis: None)
        running = []
        for at in (100.0, 200.0):
            for end in crowd(25, at):
                made.add(end)
            running.append(asyncio.ensure_future(made.explain(at)))
            await asyncio.sleep(0)
        await asyncio.gather(*running)

    run_virtual(main())

    assert sum(by_turn.counts) == 50
    assert max(by_turn.counts) == EXPLAINED_AT_ONCE


def test_whoever_is_stopped_explains_the_rest_later():
    """Each once."""
    found = explained(crowd(35), stopped_after=12)

    assert sorted(number for number, _ in found) == list(range(35))


def test_an_age_that_repeats_over_time_is_known_at_the_end():
    """When the first of them ended nobody had the age, and each had a second of its own."""
    ends = [ended(number, 100.0 + 10 * number, 47) for number in range(9)]
    alone = [found.cause for end in ends for _, found in explained([end])]
    again = explained_again(ends, *[each.at for each in ends])

    assert set(alone) == {Cause.RESTART}
    assert [(number, found.cause) for number, found in again] == [(n, Cause.MAX_AGE) for n in range(9)]


def test_those_that_live_on_are_seen_at_the_end():
    ends, alive = crowd(3), [timeline((5.0, "<text"), until=400.0, origin=50.0)]
    ends += [ended(9, 300.0, 40)]
    cohort = Cohort([*(each.timeline for each in ends), *alive])

    assert explained_again(ends, 200.0, 300.0, lived=alive) == [
        (each.number, diagnose_beside(each.timeline, cohort)) for each in ends
    ]


def test_one_crowd_has_seen_all_of_itself():
    """It is not explained twice."""
    assert explained_again(crowd(3), 99.0, 100.0, 500.0) == []


def test_what_is_sure_is_not_explained_again():
    """Thousands of causes that a close code names would be looked at twice."""
    sure = timeline((1.0, "<text"), (30.0, closed_by_peer(1012)), origin=70.0)
    named = EndedConnection(7, judge(HOLD, sure), sure, 100.0, "")
    again = explained_again([named, ended(9, 300.0, 40)], 100.0, 300.0)

    assert [number for number, _ in again] == [9]


def test_ten_are_explained_again_in_a_turn(monkeypatch):
    by_turn, ends = ByTurn(), [*crowd(25), *crowd(10, at=500.0)]
    monkeypatch.setattr(explaining, "diagnose_beside", by_turn.noting(diagnose_beside))

    assert len(explained_again(ends, 100.0, 500.0)) == 35
    assert max(by_turn.counts) == EXPLAINED_AT_ONCE

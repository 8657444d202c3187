"""Frames of workers as one: every connection is accounted for once, whatever the workers do."""

import dataclasses
import json
import math
import random

import pytest

from pytest_wsstability.core.fleet.frame import RTT_LIMITS, Ending, Fate, Frame, Return
from pytest_wsstability.core.fleet.merge import KEPT_FAILURES, KEPT_STABLE, FleetMerge, Refusal
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet_summary import FleetCount, FleetRecord
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.fleet.merging import merged

PLAN = FleetPlan(connections=6, hold=60, ramp=6, workers=2)


def frame(slot=0, sequence=0, at=10.0, attempt=1, **values):
    return Frame(slot=slot, sequence=sequence, at=at, attempt=attempt, **values)


def ended(number, age=20.0, fate=Fate.ENDED, **values):
    return Ending(number=number, fate=fate, age=age, at=age, **values)


def count(**parts):
    parts = {"stable": 0, "ended": 0, "rotated": 0, "refused": 0, "unobserved": 0, "open": 0, **parts}
    return FleetCount(planned=sum(parts.values()), **parts)


BOTH = (
    frame(0, opened=3, stable=((0, 4),), is_last=True),
    frame(1, opened=3, stable=((1, 5),), is_last=True),
)


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], count(open=6)),
        (BOTH, count(stable=6)),
        ([BOTH[0]], count(stable=3, open=3)),
        ([BOTH[0], frame(1, endings=(ended(3),))], count(stable=3, ended=1, open=2)),
        ([frame(endings=(ended(0, fate=Fate.ROTATED), ended(2, 0, Fate.REFUSED)))],
         count(rotated=1, refused=1, open=4)),
        # A last frame that leaves some out: nobody knows what became of them.
        ([frame(0, stable=((0, 2),), is_last=True)], count(stable=2, unobserved=1, open=3)),
        # One connection ends once, and a worker speaks for its own only.
        ([frame(0, endings=(ended(0), ended(0), ended(1), ended(99)))], count(ended=1, open=5)),
    ],
)  # fmt: skip
def test_the_parts_add_up_to_the_plan(frames, expected):
    assert merged(PLAN, frames).count == expected


def test_the_parts_add_up_whoever_asks_meanwhile():
    """The thread that serves metrics counts while the loop adds what has just ended."""
    merge = merged(PLAN, [frame(opened=3)])
    more = iter([frame(sequence=1, endings=(ended(0),)), frame(sequence=2, stable=((2, 2),))])

    class Adding(bytearray):
        def count(self, *value):
            counted = super().count(*value)
            for each in more:
                merge.add(each)
            return counted

    merge._fates = Adding(merge._fates)
    found = merge.count

    assert found.planned == found.stable + found.ended + found.open


@pytest.mark.parametrize(
    ("frames", "refusal"),
    [
        ([frame(), frame(attempt=2, sequence=0)], Refusal.SECOND_ATTEMPT),
        # An engine that tries again before the first attempt has told anything.
        ([frame(attempt=2)], Refusal.SECOND_ATTEMPT),
        ([frame(), frame()], Refusal.REPEATED),
        ([frame(sequence=1), frame(sequence=0)], Refusal.REPEATED),
        ([frame(slot=2)], Refusal.UNPLANNED),
        ([frame(is_last=True), frame(sequence=1)], Refusal.AFTER_THE_END),
    ],
)
def test_frames_that_do_not_count(frames, refusal):
    merge = FleetMerge(PLAN)
    *before, last = [merge.add(each) for each in frames]

    assert (before, last) == ([None] * len(before), refusal)
    assert merge.refusals == {refusal: 1}


def test_a_second_attempt_adds_nothing():
    """An engine that runs a dead worker's share again must not turn its connections into stable ones."""
    merge = merged(PLAN, [frame(opened=3)])
    merge.lose(0, "its process died")
    merge.add(frame(attempt=2, opened=3, stable=((0, 4),), is_last=True))

    assert merge.count == count(unobserved=3, open=3)
    assert merge.opened == 3


def test_a_lost_worker_is_told_with_what_it_held():
    merge = merged(PLAN, [frame(at=12.0, opened=3, endings=(ended(2),))])
    merge.lose(0, "silent for 3 s")
    merge.lose(0, "dead")

    assert merge.count == count(ended=1, unobserved=2, open=3)
    assert merge.notes == ["2 of 3 connections of worker 0 unobserved from 12 s on: silent for 3 s"]
    assert merge.waiting == [1]


def test_unobserved_connections_are_censored_where_they_were_last_seen():
    """Connections 0 and 4 opened at 0 and 4 s; the worker was last heard at 12 s."""
    merge = merged(PLAN, [frame(at=12.0, opened=3, endings=(ended(2, 7.0),)), BOTH[1]])
    merge.lose(0, "dead")

    assert sorted(merge.lifetimes()) == [(7.0, True), (8.0, False), (12.0, False), *[(60, False)] * 3]


def test_a_planned_rotation_is_censored_and_a_refused_opening_no_lifetime():
    endings = (ended(0, 30.0, Fate.ROTATED), ended(2, 0.0, Fate.REFUSED))

    assert merged(PLAN, [frame(endings=endings)]).lifetimes() == [(30.0, False)]


@pytest.mark.parametrize(
    ("fate", "age", "lifetime"),
    [
        (Fate.ENDED, 59.0, (59.0, True)),
        (Fate.ENDED, 60.0, (60.0, True)),
        (Fate.ENDED, 65.0, (60.0, True)),
        (Fate.ROTATED, 65.0, (60.0, False)),
        (Fate.UNOBSERVED, 59.0, (59.0, False)),
        (Fate.UNOBSERVED, 60.0, (math.nextafter(60.0, 0.0), False)),
        (Fate.UNOBSERVED, 65.0, (math.nextafter(60.0, 0.0), False)),
    ],
)
def test_no_lifetime_is_longer_than_the_hold(fate, age, lifetime):
    """And who is in doubt has not been seen to reach its end."""
    assert merged(PLAN, [frame(endings=(ended(0, age, fate),))]).lifetimes() == [lifetime]


def test_a_worker_that_is_lost_at_the_end_has_shown_nothing_of_it():
    """It was heard 0.5 s after the hold as planned, of which the handshakes may have been a part."""
    merge = merged(PLAN, [frame(at=60.5, opened=3)])
    merge.lose(0, "dead")

    assert sorted(merge.lifetimes())[-1] == (math.nextafter(60.0, 0.0), False)


@pytest.mark.parametrize(
    ("lag", "expected"), [(0.5, count(ended=1, open=5)), (0.51, count(unobserved=1, open=5))]
)
def test_a_worker_that_lags_blames_nobody(lag, expected):
    """A tenth of the 5 s that a heartbeat has."""
    merge = merged(PLAN, [frame(lag=lag, endings=(ended(0, 9.0),))], heartbeat_within=5.0)

    assert merge.count == expected
    assert merge.notes == (
        [] if lag == 0.5 else ["worker 0 lagged 510 ms before 10 s: what ended there is not the server's"]
    )


def back_never(number, at):
    return Return(number=number, at=at, after=None, attempts=1)


@pytest.mark.parametrize(
    ("at", "excused"),
    [(1.0, False), (2.99, False), (3.0, True), (3.5, True), (4.0, True), (5.0, True), (5.01, False)],
)
def test_a_lag_excuses_what_was_seen_in_it_or_right_after_it(at, excused):
    """An end is told seconds after it was seen: the frame that tells it says nothing of its instant."""
    told = frame(sequence=2, at=7.0, endings=(ended(0, at),), returns=(back_never(2, at),))
    frames = [frame(sequence=0, at=3.0), frame(sequence=1, at=4.0, lag=0.51), told]
    merge = merged(PLAN, frames, heartbeat_within=5.0)

    assert merge.count == (count(unobserved=1, open=5) if excused else count(ended=1, open=5))
    assert merge.returns_excused == excused
    assert len(merge.notes) == excused


@pytest.mark.parametrize(
    ("at", "excused", "told"),
    [
        (2.99, False, [2.99, 2.99]),
        (3.0, False, []),
        (5.0, False, []),
        (5.01, False, [5.01] * 2),
        (6.0, True, []),
    ],
)
def test_an_abnormal_closure_while_its_worker_lagged_is_in_doubt(at, excused, told):
    """That of a first end is told beside its end; of a later one nothing else tells."""
    ends = {"abnormal_at": at, "abnormal_excused": excused}
    again = [Return(number=0, at=6.5, after=0.5, attempts=1, **ends) for _ in range(2)]
    frames = [
        frame(at=3.0),
        frame(sequence=1, at=4.0, lag=0.51),
        frame(sequence=2, at=7.0, returns=tuple(again)),
    ]
    merge = merged(PLAN, frames, heartbeat_within=5.0)

    assert (merge.abnormal, merge.ends) == (told, 2)
    assert merge.returns_excused == (0 if told else 1)


def test_an_abnormal_closure_counts_where_its_return_is_excused():
    """This machine could not open it again: that says nothing of how it had ended."""
    back = Return(number=0, at=12.0, after=None, attempts=1, excused=True, abnormal_at=2.0)
    merge = merged(PLAN, [frame(returns=(back,))])

    assert (merge.abnormal, merge.ends, merge.returns_excused) == ([2.0], 1, 1)


def test_the_lag_of_the_frame_that_tells_an_end_excuses_nothing():
    """The server closed at 10 s with 1011; the worker stood still at 13 s."""
    told = frame(sequence=1, at=13.5, lag=0.51, endings=(ended(0, 10.0),))

    assert merged(PLAN, [frame(at=12.9), told], heartbeat_within=5.0).count == count(ended=1, open=5)


def test_a_lag_is_that_of_its_worker_and_is_told_once():
    """Two seconds of it are one; what another worker saw then is not excused."""
    frames = [
        frame(at=3.0, lag=0.7),
        frame(sequence=1, at=4.0, lag=0.6),
        frame(1, at=4.0, endings=(ended(1, 3.5),)),
        frame(sequence=2, at=6.0, endings=(ended(0, 2.5), ended(2, 3.5))),
        frame(sequence=3, at=9.0, lag=0.8),
        frame(sequence=4, at=10.0, lag=0.6),
        frame(sequence=5, at=12.0, endings=(ended(4, 8.0),)),
    ]
    merge = merged(PLAN, frames, heartbeat_within=5.0)

    assert merge.count == count(ended=1, unobserved=3, open=2)
    assert merge.notes == [
        "worker 0 lagged 700 ms before 4 s: what ended there is not the server's",
        "worker 0 lagged 800 ms before 10 s: what ended there is not the server's",
    ]


class Counting(list):
    """Counts the elements that are read."""

    read = 0

    def __iter__(self):
        for each in super().__iter__():
            self.read += 1
            yield each

    def __getitem__(self, place):
        self.read += 1
        return super().__getitem__(place)


def test_an_end_is_held_against_a_few_of_many_lags():
    """A worker may lag each other second of a day, and lose all of its connections then."""
    frames = [frame(sequence=second, at=second, lag=second % 2) for second in range(1000)]
    merge = merged(PLAN, frames, heartbeat_within=5.0)
    lags = merge._slots[0].lags.times = Counting(merge._slots[0].lags.times)
    merge.add(frame(sequence=1000, at=1002.0, endings=(ended(0, 1001.0), ended(2, 999.5))))

    assert merge.count == count(ended=1, unobserved=1, open=4)
    assert len(lags) == 500
    assert lags.read < 50


@pytest.mark.parametrize(
    ("number", "at", "late"),
    [
        # Worker 0 lagged up to 4 s, and what came meanwhile is seen until a second later.
        (0, 2.99, 0.0),
        (0, 3.0, 0.11),
        (2, 5.0, 0.11),
        (2, 5.01, 0.0),
        # Worker 1 lagged by no more than a tenth of a second.
        (1, 3.5, 0.0),
    ],
)
@pytest.mark.parametrize("within", [None, 5.0])
def test_what_a_worker_saw_while_it_lagged_is_not_counted_by_seconds(number, at, late, within):
    """However long a heartbeat may take, and where none is asked for."""
    frames = [
        frame(slot, sequence=sequence, at=3.0 + sequence, lag=lag * sequence)
        for slot, lag in ((0, 0.11), (1, 0.1))
        for sequence in (0, 1)
    ]

    assert merged(PLAN, frames, heartbeat_within=within).lag_at(number, at) == late


def test_a_worker_that_lags_blames_nobody_for_openings():
    """Its own loop may have been too late to see them open."""
    refused = (ended(0, 0.0, Fate.REFUSED),)

    assert merged(PLAN, [frame(lag=0.51, endings=refused)], heartbeat_within=5.0).count == count(
        unobserved=1, open=5
    )
    assert merged(PLAN, [frame(lag=0.5, endings=refused)], heartbeat_within=5.0).count == count(
        refused=1, open=5
    )


def test_frames_that_never_came_are_counted():
    assert merged(PLAN, [frame(sequence=0), frame(sequence=3), frame(slot=1, sequence=1)]).gaps == 3


def test_numbers_add_up_and_quantiles_are_of_all():
    """Counts and buckets are merged, never averages of percentiles."""
    fast, slow = Sample(), Sample()
    for _ in range(99):
        fast.add(0.01, 1.0)
    slow.add(1.0, 2.0)
    merge = merged(
        PLAN,
        [
            frame(0, heartbeats_sent=99, heartbeats_answered=99, rtts=fast, messages=4, backends={"a": 2}),
            frame(
                1,
                heartbeats_sent=2,
                heartbeats_answered=1,
                rtts=slow,
                messages=5,
                backends={"a": 1, "b": 1},
            ),
        ],
    )

    assert (merge.heartbeats_sent, merge.heartbeats_answered) == (101, 100)
    assert merge.messages == 9
    assert merge.backends == {"a": 3, "b": 1}
    assert merge.rtts.quantile(0.5) == pytest.approx(0.01, rel=0.01)
    assert merge.rtts.maximum == 1.0


@pytest.mark.parametrize(
    ("at", "frames", "unwatched"),
    [
        (55.0, (), {1}),
        # Less than the two frames that one worker may be behind the other in any case.
        (59.0, (), set()),
        # It came to its end by itself, which was earlier.
        (55.0, (frame(1, 2, at=55.0, stable=((1, 5),), is_last=True),), set()),
    ],
)
def test_a_lost_worker_is_compared_with_none(at, frames, unwatched):
    """What answered its connections, and where they came from, is left out where ends are compared."""
    merge = merged(
        PLAN,
        [
            frame(0, opened=3, backends={"a": 3}, subnets={"10.1.1.0/24": 3}),
            frame(1, opened=3, backends={"b": 3}, subnets={"10.1.2.0/24": 3}),
            frame(1, 1, at=at),
            *frames,
        ],
    )
    merge.lose(1, "it died")
    merge.add(frame(0, 1, at=60.5))

    assert merge.unwatched == unwatched
    assert set(merge.backends) == ({"a"} if unwatched else {"a", "b"})
    assert set(merge.subnets) == ({"10.1.1.0/24"} if unwatched else {"10.1.1.0/24", "10.1.2.0/24"})


def test_an_interrupted_fleet_was_watched_by_all_of_its_workers():
    merge = merged(PLAN, [frame(0, at=30.0), frame(1, at=29.0)])
    merge.interrupt()

    assert not merge.unwatched


def test_what_a_worker_could_not_judge_is_compared_with_none():
    """It lagged when one ended, and lacked a descriptor for another: neither was seen."""
    unseen = [ended(1, served_by="b", subnet="10.1.2.0/24"), ended(3, 0.0, Fate.UNOBSERVED)]
    merge = merged(
        PLAN,
        [
            frame(0, opened=3, backends={"a": 3}, subnets={"10.1.1.0/24": 3}),
            frame(1, opened=2, backends={"b": 2}, subnets={"10.1.2.0/24": 2}),
            frame(1, 1, at=20.0, lag=3.0),
            frame(1, 2, at=21.0, endings=tuple(unseen)),
        ],
        heartbeat_within=5.0,
    )

    assert merge.watched == {0: 3, 1: 1}
    assert merge.backends == {"a": 3, "b": 1}
    assert merge.subnets == {"10.1.1.0/24": 3, "10.1.2.0/24": 1}


def test_the_order_of_slots_decides_nothing():
    """200 seeded shuffles that keep each slot's own order."""
    frames = [
        frame(slot, sequence, at=10.0 * sequence, opened=1, endings=(ended(slot + 2 * sequence, 9.0 + slot),))
        for slot in (0, 1)
        for sequence in (0, 1, 2)
    ]
    expected = merged(PLAN, frames)
    dice = random.Random(3)
    for _ in range(200):
        queues = [list(frames[:3]), list(frames[3:])]
        mixed = []
        while any(queues):
            mixed.append(dice.choice([queue for queue in queues if queue]).pop(0))
        found = merged(PLAN, mixed)

        assert found.count == expected.count
        assert sorted(found.lifetimes()) == sorted(expected.lifetimes())


def test_frames_survive_json():
    rtts = Sample()
    rtts.add(0.25, 3.0)
    sent = frame(
        1, 7, 33.5, opened=2, heartbeats_sent=4, heartbeats_answered=3, messages=7, rtt_counts=(1, 2),
        lag=0.01, rtts=rtts, endings=(ended(3, 5.0, cause="idle timeout", code=1006, closed_here=True),),
        stable=((1, 1),), is_last=True, cut_short=True,
    )  # fmt: skip
    read = Frame.from_dict(json.loads(json.dumps(sent.as_dict())))

    assert read.as_dict() == sent.as_dict()
    assert read.endings == sent.endings
    assert read.stable == sent.stable


@pytest.mark.parametrize(
    "data",
    [{}, {"slot": 0}, {"slot": 0, "attempt": 1, "sequence": 0, "at": 0, "endings": [{"fate": "gone"}]}],
)
def test_something_that_is_no_frame(data):
    with pytest.raises((KeyError, TypeError, ValueError)):
        Frame.from_dict(data)


def test_records_are_kept_of_each_cause_and_not_more_of_many_workers():
    """Three workers send their most; what is kept is as much as one of them has, of each kind."""
    merge = FleetMerge(FleetPlan(connections=90, hold=60.0, workers=3))
    for slot in range(3):
        records = tuple(
            FleetRecord(number=slot + 3 * place, cause=cause, timeline=Timeline(End.CLIENT))
            for cause, most in (("restart", KEPT_FAILURES), ("", KEPT_STABLE))
            for place in range(most)
        )
        frame = Frame(slot=slot, attempt=1, sequence=0, at=60.0, records=records, is_last=True)
        merge.add(Frame.from_dict(json.loads(json.dumps(frame.as_dict()))))

    assert {cause: len(kept) for cause, kept in merge.records.items()} == {
        "restart": KEPT_FAILURES,
        "": KEPT_STABLE,
    }
    assert {each.number % 3 for each in merge.records["restart"]} == {0, 1, 2}


def test_a_fleet_that_is_interrupted_is_over():
    """What was seen by then counts; the rest is unobserved, with the age that it was seen to reach."""
    merge = merged(PLAN, [BOTH[0], frame(1, at=4.0, opened=2, endings=(ended(3, 1.0),))])
    merge.interrupt()

    assert merge.count == count(stable=3, ended=1, unobserved=2)
    assert merge.is_over
    assert merge.interrupted_at == 10.0
    assert sorted(merge.lifetimes()) == [(0.0, False), (1.0, True), (3.0, False)] + [(60, False)] * 3
    assert merge.notes == ["2 of 3 connections of worker 1 unobserved from 4 s on: the fleet was interrupted"]


def test_nobody_interrupts_what_is_over():
    merge = merged(PLAN, BOTH)
    merge.interrupt()

    assert merge.count == count(stable=6)
    assert merge.notes == []


def test_a_worker_tells_of_returns_of_its_own_connections_only():
    """As with ends: another worker's number, or one of no connection, counts nowhere."""
    returns = tuple(Return(number=number, at=20.0, after=5.0, attempts=1) for number in (0, 1, 4, 99))
    excused = tuple(Return(number=number, at=20.0, after=None, attempts=1) for number in (0, 1, 4, 99))

    assert [each.number for each in merged(PLAN, [frame(returns=returns)]).returns] == [0, 4]
    assert merged(PLAN, [frame(at=20.0, returns=excused, lag=1.0)], heartbeat_within=5.0).returns_excused == 2


def test_each_worker_says_whether_its_own_returns_were_watched():
    """One came to its end, the other was lost: what came back there may have ended again."""
    back = tuple(Return(number=number, at=25.0, after=5.0, attempts=1) for number in range(6))
    whole = frame(0, endings=(ended(2),), returns=back, stable=((0, 0), (4, 4)), is_last=True)
    lost = frame(1, endings=(ended(1), ended(3), ended(5, closed_here=True)), returns=back)
    merge = merged(PLAN, [whole, lost])
    merge.lose(1, "dead")

    assert (merge.count.ended, merge.unreturned) == (4, 2)


REFUSED, UNOBSERVED = Fate.REFUSED, Fate.UNOBSERVED


@pytest.mark.parametrize(
    ("frames", "lost", "held", "unopened"),
    [
        ([], [], 0, 0),
        ([frame(opened=3)], [], 3, 0),
        ([frame(opened=3), frame(1, opened=2)], [], 5, 0),
        ([frame(opened=3, endings=(ended(0), ended(2, fate=Fate.ROTATED)))], [], 1, 0),
        ([frame(opened=3, stable=((0, 2),))], [], 1, 0),
        ([frame(opened=2, endings=(ended(0, 0.0, REFUSED),))], [], 2, 0),
        # No descriptor was left for one; another was in doubt when it was open.
        ([frame(opened=2, endings=(ended(0, 0.0, UNOBSERVED),))], [], 2, 1),
        ([frame(opened=3, endings=(ended(0, 9.0, UNOBSERVED),))], [], 2, 0),
        # The worker lagged: one that was refused, and one that ended at once.
        ([frame(opened=2, lag=0.51, endings=(ended(0, 0.0, REFUSED),))], [], 2, 1),
        ([frame(opened=3, lag=0.51, endings=(ended(0, 0.0),))], [], 2, 0),
        ([frame(opened=2, lag=0.51, endings=(ended(0, 0.0, REFUSED), ended(2), ended(4)))], [], 0, 1),
        # A worker that is lost holds nothing, and takes nothing from what others hold.
        ([frame(opened=3)], [1], 3, 3),
        ([frame(opened=3), frame(1, opened=1)], [1], 3, 2),
        ([frame(opened=3), frame(1, opened=2, endings=(ended(1), ended(3, 0.0, REFUSED)))], [1], 3, 0),
        ([frame(opened=3), frame(1, opened=1, endings=(ended(1), ended(3, 0.0, REFUSED)))], [1], 3, 1),
        ([frame(opened=3)], [0, 1], 0, 3),
        ([*BOTH], [], 0, 0),
        # What a frame that never came would have told.
        ([frame(1, sequence=1, endings=(ended(1),))], [], 0, 0),
    ],
)
def test_how_many_are_open_and_how_many_nobody_saw_open(frames, lost, held, unopened):
    merge = merged(PLAN, frames, heartbeat_within=5.0)
    for slot in lost:
        merge.lose(slot, "silent for 6 s")

    assert (merge.held, merge.unopened) == (held, unopened)


@pytest.mark.parametrize(("after", "lost", "excused"), [(None, 0, 1), (5.0, 1, 0)])
def test_a_return_that_failed_here_is_excused(after, lost, excused):
    """One that came back counts, whatever it lacked before."""
    told = frame(returns=(Return(number=0, at=20.0, after=after, attempts=1, excused=True),))
    merge = merged(PLAN, [Frame.from_dict(json.loads(json.dumps(told.as_dict())))])

    assert (len(merge.returns), merge.returns_excused) == (lost, excused)


@pytest.mark.parametrize(
    ("counts", "share", "limit"),
    [
        # How many round trips were how long, in seconds; None is longer than all limits.
        ({0.005: 5}, 0.5, 0.005),
        ({0.005: 3, 0.1: 3}, 0.5, 0.005),
        ({0.005: 2, 0.1: 4}, 0.5, 0.1),
        ({5.0: 3, None: 3}, 0.5, 5.0),
        ({5.0: 2, None: 4}, 0.5, None),
        ({0.005: 57, None: 3}, 0.95, 0.005),
        ({0.005: 56, None: 4}, 0.95, None),
        # Too few to tell.
        ({0.005: 4}, 0.5, None),
        ({0.005: 58}, 0.95, None),
        ({}, 0.5, None),
    ],
)
def test_the_limit_below_which_round_trips_are(counts, share, limit):
    """A bound, and never a guess: beyond the last limit nobody knows how long they were."""
    made = tuple(counts.get(each, 0) for each in (*RTT_LIMITS, None))

    assert merged(PLAN, [frame(rtt_counts=made)]).rtt_below(share) == limit


def test_causes_may_be_told_anew():
    """With the records that are kept of each."""
    line = Timeline(End.CLIENT)
    record = FleetRecord(number=1, cause="an idle timeout", timeline=line)
    stable = FleetRecord(number=2, cause="", timeline=line)
    merge = merged(
        FleetPlan(connections=3, hold=60),
        [frame(endings=(ended(1, cause="an idle timeout"),), records=(record, stable))],
    )
    merge.retell([dataclasses.replace(each, cause="an error") for each in merge.endings])

    assert [each.cause for each in merge.endings] == ["an error"]
    assert {cause: [each.number for each in kept] for cause, kept in merge.records.items()} == {
        "an error": [1], "": [2]
    }  # fmt: skip


def test_a_last_frame_may_tell_its_own_ends_anew():
    """By what all ends of its slot show; those of others, and what nobody may be blamed for, stay."""
    causes = ["restart"] * 15 + ["close"] * 15
    endings = tuple(ended(2 * number, cause=cause) for number, cause in enumerate(causes))
    records = tuple(
        FleetRecord(number=each.number, cause=each.cause, timeline=Timeline(End.CLIENT)) for each in endings
    )
    told = tuple(ended(number, cause="max age") for number in range(70))
    frames = [
        frame(1, endings=(ended(1, cause="restart"),)),
        frame(0, endings=(*endings, ended(60, fate=Fate.UNOBSERVED))),
        frame(0, sequence=1, endings=(ended(62, cause="idle"),), retold=told, records=records, is_last=True),
    ]
    frames = [Frame.from_dict(json.loads(json.dumps(each.as_dict()))) for each in frames]
    merge = merged(FleetPlan(connections=70, hold=60, workers=2), frames)

    assert {each.cause for each in merge.endings if each.number % 2 == 0} == {"max age"}
    assert [each.cause for each in merge.endings if each.number % 2] == ["restart"]
    assert {cause: len(kept) for cause, kept in merge.records.items()} == {"max age": KEPT_FAILURES}
    assert merge.count == count(ended=32, unobserved=4, open=34)


def test_those_in_doubt_are_told_once_with_the_first_of_them():
    """Before what is said of workers; who was not watched is in none."""
    doubted = [ended(n, fate=Fate.UNOBSERVED, headline=f"{n} of 4 heartbeats, perhaps") for n in (3, 5)]
    merge = merged(PLAN, [BOTH[0], frame(1, endings=tuple(doubted)), frame(1, 1, is_last=True)])

    of = PLAN.connections
    assert merge.reasons[0] == f"2 of {of} in doubt, such as connection 3: 3 of 4 heartbeats, perhaps"
    assert merge.reasons[1:] == merge.notes
    assert merged(PLAN, [BOTH[0], frame(1, is_last=True)]).doubted is None

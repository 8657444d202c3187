"""What a slot tells with its next frame: it adds up, and begins anew."""

import random
from types import SimpleNamespace

from pytest_wsstability.core.fleet.frame import FanoutCounts
from pytest_wsstability.core.fleet.merge import KEPT_FAILURES, KEPT_STABLE
from pytest_wsstability.core.fleet.plan import Slot
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from pytest_wsstability.net.fleet.explaining import EndedConnection
from pytest_wsstability.net.fleet.next_frame import NextFrame
from tests.core.script import FIN, timeline

HOLD = Requirement.of(alive_for="2m")
SLOT = Slot(number=1, of=2, connections=2000)
ENDS = timeline((60, FIN))
ONE_WAY = ProtocolFacts(name="x", title="X", heartbeat=HeartbeatShape.ONE_WAY)


def fresh():
    return NextFrame(SLOT, random.Random(1))


def held():
    """As much as `Held` remembers of what was told."""
    return SimpleNamespace(sent=0, answered=0, messages=0, events=0)


def take(frame, at=1.0, **options):
    return frame.take(at, rtt_counts=(), fanout=None, **options)


def ended(number):
    return EndedConnection(number, judge(HOLD, ENDS), ENDS, 60.0, "")


def test_frames_follow_each_other_and_say_whose_they_are():
    following = fresh()

    frames = [take(following, at) for at in (1.0, 2.0)]

    assert [(each.slot, each.attempt, each.sequence, each.at) for each in frames] == [
        (1, 1, 0, 1.0), (1, 1, 1, 2.0),
    ]  # fmt: skip


def test_what_was_told_is_not_told_again():
    following = fresh()
    following.opened += 2
    following.lag = 0.5
    following.rtts.add(0.08, 25.0)
    following.backends["nginx"] += 1
    following.subnets["10.0.0.0/24"] += 2
    following.stable += [1, 3, 5]

    first, second = take(following), take(following, 2.0)

    assert (first.opened, first.lag, first.rtts.count) == (2, 0.5, 1)
    assert (first.backends, first.subnets, first.stable) == ({"nginx": 1}, {"10.0.0.0/24": 2}, ((1, 5),))
    assert (second.opened, second.lag, second.rtts.count) == (0, 0.0, 0)
    assert (second.backends, second.subnets, second.stable) == ({}, {}, ())


def test_of_a_connection_only_what_came_since_is_counted():
    """It is looked at now and then."""
    following, one, other = fresh(), held(), held()
    early = timeline((25, ">beat"), (26, "<answer"), (27, "<feed"))
    later = timeline(
        (25, ">beat"), (26, "<answer"), (27, "<feed"), (50, ">beat"), (51, "<answer"), (75, ">beat")
    )
    following.count(one, early)
    following.count(other, early)
    first = take(following)
    following.count(one, later)
    second = take(following, 2.0)

    assert (first.heartbeats_sent, first.heartbeats_answered, first.messages) == (2, 2, 2)
    assert (second.heartbeats_sent, second.heartbeats_answered, second.messages) == (2, 1, 0)
    assert (one.events, other.events) == (later.total, early.total)


def test_what_is_known_once_a_connection_is_over():
    """Round trips, and heartbeats without an answer in time: the last had none, and time left."""
    following, one, other = fresh(), held(), held()
    answered = timeline((25, ">beat"), (26, "<answer"), (50, ">beat"), (75, ">beat"), until=78)
    one_way = timeline((25, ">beat"), (50, ">beat"), until=78, protocol=ONE_WAY)
    following.finish(one, answered, 5.0)
    following.finish(other, one_way, 5.0)
    frame = take(following)

    assert (frame.heartbeats_sent, frame.heartbeats_one_way, frame.rtts.count) == (5, 2, 1)
    assert frame.heartbeats_missed == 1


def test_what_waits_for_the_last_frame():
    """Whole records, and endings that are told once more; a failure is told with each."""
    following = fresh()
    following.retold.append(object())
    following.keep_stable(1, ENDS)
    following.keep_ended(ended(3), "max-age")
    following.failure = "RuntimeError: mine"

    first, last = take(following), take(following, 2.0, is_last=True, cut_short=True)

    assert (first.records, first.retold, first.is_last, first.cut_short) == ((), (), False, False)
    assert [(each.number, each.cause) for each in last.records] == [(1, ""), (3, "max-age")]
    assert (len(last.retold), last.is_last, last.cut_short) == (1, True, True)
    assert first.failure == last.failure == "RuntimeError: mine"


def test_the_first_records_of_a_cause_are_kept():
    following = fresh()
    for number in range(KEPT_FAILURES + 1):
        following.keep_ended(ended(number), "max-age")
    following.keep_ended(ended(99), "restart")

    kept = [(each.number, each.cause) for each in take(following, is_last=True).records]
    assert kept == [*((number, "max-age") for number in range(KEPT_FAILURES)), (99, "restart")]


def test_each_stable_connection_has_the_same_chance_to_be_kept():
    """As many are kept of a thousand as of a few; of the last half about half."""
    late = 0
    for seed in range(100):
        following = NextFrame(SLOT, random.Random(seed))
        for number in range(1000):
            following.keep_stable(number, ENDS)
        kept = [each.number for each in take(following, is_last=True).records]
        assert len(kept) == len(following.kept_stable) == KEPT_STABLE
        late += sum(number >= 500 for number in kept)

    assert 0.4 < late / (100 * KEPT_STABLE) < 0.6


def test_messages_for_all_are_told_where_somebody_sends_them():
    counts, times = FanoutCounts(messages=1, late=2), Sample()
    times.add(0.2, 1.0)
    following = fresh()

    first, second = following.take(1.0, rtt_counts=(2, 1), fanout=(counts, times)), take(following)

    assert (first.fanout, first.fanout_times.count, first.rtt_counts) == (counts, 1, (2, 1))
    assert (second.fanout, second.fanout_times.count, second.rtt_counts) == (FanoutCounts(), 0, ())

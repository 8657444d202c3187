"""Round trips over time: each is told once, while its connection is held."""

from pytest_wsstability import Tier, Timeline
from pytest_wsstability.core.fleet.frame import RTT_LIMITS
from pytest_wsstability.core.timeline.events import Direction, End, Opcode, Role
from pytest_wsstability.net.fleet.timing import TIMED, Timing


def held():
    return Timeline(End.CLIENT, Tier.VIRTUAL, origin=0.0)


def beat(timeline, at, rtt):
    timeline.frame(at, Direction.SENT, Opcode.TEXT, 5, Role.HEARTBEAT, None)
    timeline.frame(at + rtt, Direction.RECEIVED, Opcode.TEXT, 5, Role.HEARTBEAT_ANSWER, None)


def counts(**by_limit):
    rows = [0] * (len(RTT_LIMITS) + 1)
    for row, count in by_limit.items():
        rows[int(row.removeprefix("row"))] = count
    return tuple(rows)


def test_each_is_told_once():
    timing, one, other = Timing(), held(), held()
    timing.add(1, one)
    timing.add(2, other)
    beat(one, 1.0, 0.015)
    beat(other, 1.0, 0.3)

    assert timing.since() == counts(row4=1, row8=1)
    assert timing.since() == counts()
    beat(one, 5.0, 9.0)
    assert timing.since() == counts(row12=1)


def test_those_that_cannot_be_told_are_left_out():
    """Until they can: each of two questions has its answer, 3 s late."""
    timing, one = Timing(), held()
    timing.add(1, one)
    one.frame(1.0, Direction.SENT, Opcode.TEXT, 5, Role.HEARTBEAT, None)
    beat(one, 2.0, 0.3)
    assert timing.since() == counts()
    one.frame(4.0, Direction.RECEIVED, Opcode.TEXT, 5, Role.HEARTBEAT_ANSWER, None)

    assert sum(timing.since()) == 2


def test_one_that_is_over_takes_nothing_of_the_others_away():
    timing, one, other = Timing(), held(), held()
    timing.add(1, one)
    timing.add(2, other)
    beat(one, 1.0, 0.015)
    beat(other, 1.0, 0.015)
    assert timing.since() == counts(row4=2)
    timing.remove(1)
    beat(other, 2.0, 0.015)

    assert timing.since() == counts(row4=1)


def test_what_one_had_not_told_when_it_was_over_is_told_next():
    """The last answers before the end of a hold, or of a server, are the ones that tell most."""
    timing, one = Timing(), held()
    timing.add(1, one)
    beat(one, 1.0, 0.015)
    assert timing.since() == counts(row4=1)
    beat(one, 2.0, 9.0)
    timing.remove(1)

    assert timing.since() == counts(row12=1)
    assert timing.since() == counts()


def test_so_many_are_timed_and_another_takes_the_place_of_one_that_is_over():
    timing = Timing()
    for number in range(TIMED):
        timing.add(number, held())
    late = held()
    beat(late, 1.0, 0.015)
    timing.add(TIMED, late)
    assert timing.since() == counts()
    timing.remove(0)
    timing.add(TIMED, late)

    assert timing.since() == counts(row4=1)


def test_nobody_is_removed_twice():
    timing = Timing()
    timing.remove(7)

    assert timing.since() == counts()

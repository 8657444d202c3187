"""How many of something there were by an instant."""

import copy

import pytest

from pytest_wsstability.core.timeline.arrivals import Arrivals
from pytest_wsstability.core.timeline.ordinals import FIRST, OTHERS, Ordinals
from pytest_wsstability.core.timeline.round_trips import RoundTrips

FULL = FIRST + OTHERS


def add(ordinals, at):
    """One more, as their owners add it."""
    if ordinals.count == ordinals.due:
        ordinals.keep(at)
    ordinals.count += 1
    ordinals.last = at


def numbered(count):
    """One each second, from 1 s on."""
    ordinals = Ordinals()
    for at in range(1, count + 1):
        add(ordinals, float(at))
    return ordinals


@pytest.mark.parametrize(
    ("count", "until", "number"),
    [
        (0, 5, (0, 0)),
        (1, 1, (0, 0)),
        (1, 1.1, (1, 1)),
        (2, 1.1, (1, 1)),
        (2, 1, (0, 0)),
        (3, 0.5, (0, 0)),
        # One at the instant itself does not lie before it.
        (3, 2, (1, 1)),
        (3, 2.1, (2, 2)),
        (3, 9, (3, 3)),
        # As many as are all kept.
        (FULL, 40, (39, 39)),
        # One more: after the first ones, each second is kept.
        (FULL + 1, FIRST, (FIRST - 1, FIRST - 1)),
        (FULL + 1, FIRST + 1, (FIRST, FIRST)),
        (FULL + 1, FIRST + 2, (FIRST + 1, FIRST + 2)),
        (FULL + 1, 40, (39, 40)),
        (FULL + 1, FULL + 1, (FULL - 1, FULL)),
        (FULL + 1, FULL + 1.1, (FULL + 1, FULL + 1)),
        # Behind the last one that is kept, whatever came after that.
        (FULL + 2, FULL + 2, (FULL + 1, FULL + 2)),
        # Each fourth.
        (FIRST + 2 * OTHERS, 60, (59, 60)),
        (FIRST + 2 * OTHERS + 1, 60, (57, 60)),
    ],
)
def test_how_many_lie_before_an_instant(count, until, number):
    """At least, and at most: of many not each one is kept."""
    assert numbered(count).before(until) == number
    assert numbered(count).count == count


@pytest.mark.parametrize("count", [100, 1000, 10_000, 100_000])
def test_it_stays_small_and_is_never_far_off(count):
    """Of many, a sixteenth of them at most is in doubt."""
    ordinals = numbered(count)

    for until in range(1, count, max(1, count // 200)):
        least, most = ordinals.before(until)
        assert least <= until - 1 <= most
        assert most - least <= count / 16
    assert len(ordinals._instants) <= FULL


def test_of_those_that_a_report_tells_of_only_the_number_is_known():
    """They lie in what was judged."""
    assert Ordinals(7).before(0.5) == (7, 7)


def test_a_copy_goes_its_own_way():
    """What is sealed does not grow."""
    ordinals = numbered(3)
    copied = copy.copy(ordinals)
    add(ordinals, 4.0)

    assert copied.before(9) == (3, 3)
    assert ordinals.before(9) == (4, 4)


@pytest.mark.parametrize("count", [1, 2, FULL, FULL + 1, FIRST + 2 * OTHERS + 1, 1000])
def test_messages_and_questions_are_added_in_the_same_way(count):
    """By their owners themselves: there may be thousands a second."""
    trips, messages, ordinals = RoundTrips(), Arrivals(), numbered(count)
    for at in range(1, count + 1):
        trips.ask(float(at))
        messages.add(float(at))

    for until in (0.5, 1, 1.5, count / 2, count, count + 1):
        expected = ordinals.before(until)
        assert (trips.sent_before(until), messages.before(until)) == (expected, expected)


@pytest.mark.parametrize(("count", "kept"), [(0, False), (1, False), (2, True)])
def test_one_alone_needs_no_memory(count, kept):
    """Thousands of connections have one heartbeat each so far."""
    assert (numbered(count)._instants is not None) is kept

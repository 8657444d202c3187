"""When application messages came."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.arrivals import Arrivals
from pytest_wsstability.core.timeline.events import Role
from tests.core.script import RECEIVED, timeline


@pytest.mark.parametrize(
    ("instants", "until", "gap"),
    [
        ([], 0, (0, 0)),
        ([], 30, (30, 0)),
        ([10, 15, 40], 41, (25, 15)),
        # The one still running counts.
        ([10, 15, 40], 70, (30, 40)),
        ([10, 15, 40], 65, (25, 15)),
        # Of two as long, the first.
        ([10, 20, 25], 26, (10, 0)),
        ([10], 20, (10, 0)),
        # One that goes on counts as far as that, and one that begins later not at all.
        ([10, 15, 40], 39, (24, 15)),
        ([10, 15, 40], 14, (10, 0)),
        # A shorter one that lies before it is known still, and so are those before that.
        ([5, 30, 40, 80], 60, (25, 5)),
        ([5, 30, 40, 80], 66, (26, 40)),
        ([5, 30, 40, 80], 10, (5, 0)),
        ([5, 30, 40, 80, 200], 100, (40, 40)),
    ],
)
def test_the_longest_time_without_a_message(instants, until, gap):
    """From the opening on, and up to now."""
    arrivals = Arrivals()
    for at in instants:
        arrivals.add(at)

    assert arrivals.gap(until) == gap
    assert arrivals.count == len(instants)
    assert Arrivals.from_dict(arrivals.as_dict()).as_dict() == arrivals.as_dict()


def test_instants_are_written_to_the_microsecond():
    """What a clock shows beyond it is noise."""
    arrivals = Arrivals(1 / 3)
    arrivals.add(2 / 3)
    arrivals.add(2)

    assert list(arrivals.as_dict().values()) == [2, 0.333333, 2, 1.333333, 0.666667, None, False]


def test_gaps_count_from_the_confirmation():
    """What came before it is counted and is no gap; without a session they count from the opening."""
    line = timeline((1, "<hello"), until=2)
    line.message(1002.0)
    line.message(1030.0)
    line.frame(1032.0, RECEIVED, 1, 40, Role.SESSION_CONFIRMED)
    assert line.messages.gap(33) == (1, 32)

    line.message(1035.0)
    assert line.messages.gap(36) == (3, 32)
    assert line.messages.count == 3


def test_a_timeline_without_messages_counts_from_its_confirmation_too():
    """Nothing is kept for one that receives none."""
    assert timeline((5, "<confirmed"), until=20).messages.gap(20) == (15, 5)
    assert timeline(until=20).messages.gap(20) == (20, 0)


@pytest.mark.parametrize(("until", "came"), [(6, 5), (25, 30), (70, 80), (110, 80), (200, 200)])
def test_the_message_that_ended_the_longest_time_without_one(until, came):
    """Up to an instant, wherever it goes on to."""
    arrivals = Arrivals()
    for at in (5, 30, 80, 110, 200):
        arrivals.add(at)

    assert arrivals.came_after(until) == came


@pytest.mark.parametrize(
    ("texts", "usual"),
    [
        (["tick", "tick", "session expired"], False),
        (["session expired", "session expired", "session expired"], True),
        # No words that tell why something ends.
        (["tick", "tick", "tick"], False),
        # None is kept of what is long, or bytes.
        ([None, None, "session expired"], False),
    ],
)
def test_whether_the_last_words_are_usual_is_kept_in_reports(texts, usual):
    """Of the texts before they have nothing."""
    arrivals = Arrivals()
    for at, text in enumerate(texts):
        arrivals.add(at, text)
    read = Arrivals.from_dict(arrivals.as_dict())

    assert (read.last_is_usual, arrivals.as_dict()["last_words_usual"]) == (usual, usual)
    assert read.as_dict() == arrivals.as_dict()


def test_what_came_before_the_confirmation_makes_no_message_usual():
    arrivals = Arrivals()
    for at in range(3):
        arrivals.add(at, "session expired")
    arrivals.restart(3)
    arrivals.add(4, "session expired")

    assert not arrivals.last_is_usual

"""Questions and answers of one connection."""

import pytest

from pytest_wsstability.core.timeline.round_trips import RoundTrips


def played(*rows):
    """Rows are ``(at, "?")`` or ``(at, "!")``, with a key where there is one."""
    trips = RoundTrips()
    for at, what, *key in rows:
        (trips.ask if what == "?" else trips.answer)(at, *key)
    return trips


@pytest.mark.parametrize(
    ("rows", "answered", "oldest_pending", "rtts"),
    [
        ([], 0, None, []),
        ([(25, "?")], 0, 25, []),
        ([(25, "?"), (26, "!")], 1, None, [(25, 1)]),
        # The first answer was lost: the second question keeps its true time.
        ([(25, "?"), (50, "?"), (51, "!")], 1, 25, [(50, 1)]),
        ([(25, "?"), (50, "?"), (51, "!"), (52, "!")], 2, None, [(25, 27), (50, 1)]),
        # With keys an answer finds its own question, and closes the older ones: they waited as long.
        ([(25, "?", b"1"), (50, "?", b"2"), (51, "!", b"1")], 1, 50, [(25, 26)]),
        ([(25, "?", b"1"), (50, "?", b"2"), (51, "!", b"2")], 2, None, [(25, 26), (50, 1)]),
        (
            [(1, "?", b"1"), (2, "?", b"2"), (3, "!", b"1"), (4, "?", b"3"), (5, "!", b"2"), (6, "!", b"3")],
            3,
            None,
            [(1, 2), (2, 3), (4, 2)],
        ),
        # Unsolicited, or twice.
        ([(1, "!")], 0, None, []),
        ([(25, "?", b"1"), (26, "!", b"9")], 0, 25, []),
        ([(25, "?", b"1"), (26, "!", b"1"), (27, "!", b"1")], 1, None, [(25, 1)]),
    ],
)
def test_an_answer_finds_its_question(rows, answered, oldest_pending, rtts):
    """Without a key the youngest open question is meant; with one, that question and those before it."""
    trips = played(*rows)

    assert trips.sent == sum(row[1] == "?" for row in rows)
    assert trips.answered == trips.rtts.count == answered
    assert trips.oldest_pending == oldest_pending
    assert trips.rtts.slowest_above(0) == rtts


def test_answer_says_whether_it_was_asked_for():
    """An unsolicited pong is no answer."""
    trips = played((1, "?", b"1"))

    assert trips.answer(2, b"2") is False
    assert trips.answer(2, b"1") is True
    assert trips.answer(2, b"1") is False
    assert trips.answer(2) is False


@pytest.mark.parametrize(
    ("now", "overdue", "next_overdue"),
    [
        (29.9, [], 30.0),
        (30.0, [25.0], 55.0),
        (54.9, [25.0], 55.0),
        (55.0, [25.0, 50.0], None),
    ],
)
def test_a_question_is_overdue_at_its_limit(now, overdue, next_overdue):
    """What has no answer after exactly five seconds is missed, and the watcher is told when that will be."""
    trips = played((25.0, "?"), (50.0, "?"))

    assert trips.overdue(now, 5.0) == overdue
    assert trips.missed(now, 5.0) == len(overdue)
    assert trips.next_overdue(now, 5.0) == next_overdue


@pytest.mark.parametrize(("answered_at", "missed"), [(30.0, 0), (30.001, 1)])
def test_an_answer_at_its_limit_is_in_time(answered_at, missed):
    """Within five seconds includes the fifth."""
    assert played((25.0, "?"), (answered_at, "!")).missed(60.0, 5.0) == missed


def test_the_last_bit_of_a_clock_breaks_no_promise():
    """Differences of clock readings are a bit too long or too short; the promise is in whole microseconds."""
    origin = 229.9
    trips = played((origin + 25.3 - origin, "?"), (origin + 25.3 + 5 - origin, "!"))
    assert trips.rtts.maximum > 5.0

    assert trips.missed(60.0, 5.0) == trips.late(5.0) == 0


def test_questions_that_nobody_answers_do_not_fill_the_memory():
    """After 1,024 open questions the oldest are given up, and stay missed."""
    trips = played(*((float(at), "?") for at in range(1030)))

    assert trips.oldest_pending == 6.0
    assert trips.missed(2000.0, 5.0) == trips.sent == 1030

    keyed = played(*((float(at), "?", b"%d" % at) for at in range(1030)))
    assert keyed.answer(1030.0, b"5") is False
    assert keyed.answer(1030.0, b"6") is True
    assert keyed.oldest_pending == 7.0
    assert keyed.rtts.slowest_above(0) == [(6.0, 1024.0)]


@pytest.mark.parametrize(
    ("asked", "longest_gap", "since"),
    [
        ([], 0.0, 0.0),
        # The opening counts as the first.
        ([25.0], 25.0, 0.0),
        ([25.0, 50.0, 90.0, 115.0], 40.0, 50.0),
    ],
)
def test_the_longest_gap_between_questions_is_known(asked, longest_gap, since):
    """And when it began."""
    trips = played(*((at, "?") for at in asked))

    assert (trips.longest_gap, trips.longest_gap_from) == (longest_gap, since)
    assert (trips.first_at, trips.last_at) == ((asked[0], asked[-1]) if asked else (None, None))

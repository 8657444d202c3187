"""Questions and answers of one connection."""

import copy
import json

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
        # Or it was late: then the second one is too.
        ([(25, "?"), (50, "?"), (51, "!"), (52, "!")], 2, None, [(25, 26), (50, 2)]),
        # With keys an answer finds its own question, and leaves the others open.
        ([(25, "?", b"1"), (50, "?", b"2"), (51, "!", b"1")], 1, 50, [(25, 26)]),
        ([(25, "?", b"1"), (50, "?", b"2"), (51, "!", b"2")], 1, 25, [(50, 1)]),
        # The older one is answered behind the younger one; a second answer to either is to nobody.
        (
            [(25, "?", b"1"), (26, "?", b"2"), (27, "!", b"2"), (27, "!", b"2"), (28, "!", b"1")],
            2,
            None,
            [(25, 3), (26, 1)],
        ),
        # Every second one is lost, and none of the others counts for it.
        (
            [
                row
                for n in (1, 3, 5)
                for row in ((n, "?", b"%d" % n), (n + 1, "?", b"b%d" % n), (n + 2, "!", b"b%d" % n))
            ],
            3,
            1,
            [(2, 1), (4, 1), (6, 1)],
        ),
        (
            [(1, "?", b"1"), (2, "?", b"2"), (3, "!", b"1"), (4, "?", b"3"), (5, "!", b"2"), (6, "!", b"3")],
            3,
            None,
            [(1, 2), (2, 3), (4, 2)],
        ),
        # An answer without a key is to the youngest question, which the next one with its key is not.
        ([(1, "?", b"1"), (2, "?", b"2"), (3, "!"), (4, "!", b"1")], 1, 1, [(2, 1)]),
        ([(1, "?", b"1"), (2, "?", b"2"), (3, "!"), (4, "!", b"2")], 1, 1, [(2, 1)]),
        ([(1, "?", b"1"), (2, "?"), (3, "!"), (4, "?", b"4"), (5, "!", b"4")], 2, 1, [(2, 1), (4, 1)]),
        # Unsolicited, or twice.
        ([(1, "!")], 0, None, []),
        ([(25, "?", b"1"), (26, "!", b"9")], 0, 25, []),
        ([(25, "?", b"1"), (26, "!", b"1"), (27, "!", b"1")], 1, None, [(25, 1)]),
    ],
)
def test_an_answer_finds_its_question(rows, answered, oldest_pending, rtts):
    """Without a key, in order and as quick as can be; with one, that question and no other."""
    trips = played(*rows)

    assert trips.sent == sum(row[1] == "?" for row in rows)
    assert trips.answered == trips.rtts.count == answered
    assert trips.oldest_pending == oldest_pending
    assert trips.rtts.slowest_above(0) == rtts


@pytest.mark.parametrize(
    ("key", "rtts", "still"),
    [(b"1", [(1, 4)], (2, 3)), (b"2", [(1, 4), (2, 3)], (3,)), (b"3", [(1, 4), (2, 3), (3, 2)], ())],
)
def test_a_pong_frame_answers_the_older_pings_too(key, rtts, still):
    """RFC 6455, section 5.5.3: they waited until it came."""
    trips = played((1, "?", b"1"), (2, "?", b"2"), (3, "?", b"3"))

    assert trips.answer(5, key, older=True) is True
    assert trips.rtts.slowest_above(0) == rtts
    assert trips.answered == len(rtts)
    assert trips.open == still
    assert trips.answer(6, b"1", older=True) is False


def test_a_question_that_was_passed_over_is_overdue_in_its_time():
    """A younger one was answered; the older one may still be, and is missed where it is not."""
    trips = played((5, "?", b"1"), (10, "?", b"2"), (11, "!", b"2"))

    assert trips.are_in_time(15.999, within=11.0)
    assert not trips.are_in_time(16.0, within=11.0)
    assert [trips.missed(now, 11.0) for now in (15.999, 16.0)] == [0, 1]
    back = RoundTrips.from_dict(json.loads(json.dumps(trips.as_dict())))
    assert (back.answered, back.open, back.missed(16.0, 11.0)) == (1, (5.0,), 1)


def test_a_copy_keeps_what_was_open():
    """What is answered later changes the record, and not what was sealed of it."""
    trips = played((1, "?", b"1"), (2, "?", b"2"), (3, "!", b"2"))
    sealed = copy.copy(trips)
    trips.answer(4, b"1")

    assert (trips.answered, trips.open) == (2, ())
    assert (sealed.answered, sealed.open) == (1, (1.0,))
    assert sealed.answer(5, b"1") is True


def test_answer_says_whether_it_was_asked_for():
    """An unsolicited pong is no answer."""
    trips = played((1, "?", b"1"))

    assert trips.answer(2, b"2") is False
    assert trips.answer(2, b"1") is True
    assert trips.answer(2, b"1") is False
    assert trips.answer(2) is False

    plain = played((1, "?"), (2, "?"), (3, "?"))
    assert [plain.answer(4.0) for _ in range(4)] == [True, True, True, False]
    plain.ask(5)
    assert [plain.answer(6.0) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("now", "overdue"), [(29.9, []), (30.0, [25.0]), (54.9, [25.0]), (55.0, [25.0, 50.0])]
)
def test_a_question_is_overdue_at_its_limit(now, overdue):
    """What has no answer after exactly five seconds is missed."""
    trips = played((25.0, "?"), (50.0, "?"))

    assert trips.overdue(now, 5.0) == overdue
    assert trips.missed(now, 5.0) == len(overdue)


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
    """After 1,024 open questions the oldest are given up, and stay missed unless an answer comes."""
    trips = played(*((float(at), "?") for at in range(1030)))

    assert trips.oldest_pending == 6.0
    assert trips.missed(2000.0, 5.0) == trips.sent == 1030

    keyed = played(*((float(at), "?", b"%d" % at) for at in range(1030)))
    assert keyed.missed(2000.0, 5.0) == 1030
    assert keyed.answer(1030.0, b"5") is True
    assert (keyed.missed(2000.0, 5.0), keyed.unsettled) == (1029, 1)
    assert keyed.answer(1030.0, b"6") is True
    assert keyed.oldest_pending == 7.0
    assert keyed.rtts.slowest_above(0) == [(6.0, 1024.0)]


def test_questions_that_are_passed_over_do_not_fill_the_memory():
    """Each second one is lost: a thousand of them are kept, and all are missed."""
    trips = RoundTrips()
    for at in range(3000):
        trips.ask(float(at), b"%d" % at)
        if at % 2:
            trips.answer(at + 0.5, b"%d" % at)

    assert (trips.answered, trips.missed(4000.0, 5.0)) == (1500, 1500)
    assert len(trips.open) == 1023
    assert trips.rtts.maximum == 0.5
    assert trips.answer(3000.0, b"2998") is True
    # Of those that were too many to keep nobody knows how long the answer took.
    assert trips.answer(3000.0, b"2") is True
    assert trips.unsettled == 1


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


def beats(*asked, answered=()):
    return played(*sorted([(at, "?") for at in asked] + [(at, "!") for at in answered]))


def missed_of(trips, now, within):
    return [each.missed(lambda at: now - at >= within, within) for each in trips.readings(within)]


# Each answered 1.05 s late, with a heartbeat each second.
LATE = [n + 1.05 for n in range(1, 10)]


@pytest.mark.parametrize(
    ("asked", "answered", "within", "least", "most", "between"),
    [
        # One open question at a time: there is nothing to read.
        (range(1, 6), [1.1, 2.1, 3.1, 4.1, 5.1], 0.5, 0, 0, None),
        # The first was lost and the others were quick, or each came one interval late.
        (range(1, 11), LATE, 0.5, 1, 10, (0.05, 1.05)),
        (range(1, 11), LATE, 1.04, 1, 10, (0.05, 1.05)),
        (range(1, 11), LATE, 1.06, 1, 1, (0.05, 1.05)),
        (range(1, 11), LATE, 2.0, 1, 1, (0.05, 1.05)),
        # Neither the quickest nor the slowest has most in time: those are to the last two, one of them after
        # all the time that it has, or at the instant of its question.
        (range(4), [2.6, 4.5, 4.6], 1.5, 2, 4, (1.6, 3.5)),
        (range(4), [2.0, 3.25, 3.3], 0.5, 2, 4, (0.3, 2.25)),
        # Two too late, at the end.
        ([1, 2, 3], [3.2], 1.0, 2, 3, (0.2, 2.2)),
        # As many answers as questions: each has its own.
        ([1, 2, 3], [3.2, 3.3, 3.4], 1.0, 2, 2, None),
        # The second was lost; one after it went out a quarter of an interval early, and the answers follow.
        ([1, 2, 3, 3.75, 4.75], [1.1, 3.1, 3.85, 4.85], 0.5, 1, 1, None),
        # The first was lost, and only that the fifth went out early tells it.
        ([1, 2, 3, 4, 4.75], [2.1, 3.1, 4.1, 4.85], 0.5, 1, 1, None),
        # It was not lost: all answers are 1.6 s late, and follow the questions before.
        ([1, 2, 2.75, 3.75], [2.6, 3.6, 4.35], 0.5, 4, 4, (0.6, 1.6)),
        # The answers are in neither rhythm.
        ([1, 2, 3.25, 4.25, 5.25], [1.1, 3.35, 4.48, 5.48], 0.5, 1, 4, (0.1, 1.35)),
    ],
)
def test_all_readings_are_kept(asked, answered, within, least, most, between):
    """How many were missed at least and at most, and between what a round trip lies that cannot be told."""
    trips = beats(*asked, answered=answered)
    missed = missed_of(trips, 20.0, within)

    assert (min(missed), max(missed)) == (least, most)
    assert trips.range == (None if between is None else pytest.approx(between))
    assert trips.answered == trips.rtts.count == len(answered)


@pytest.mark.parametrize(("apart", "told"), [(1.062, True), (1.063, False), (1.187, False), (1.188, True)])
def test_a_rhythm_is_told_by_a_quarter(apart, told):
    """Questions 1.25 s and 1 s apart; answers that are near to neither tell nothing."""
    trips = beats(1, 2.25, 3.25, answered=[2.35, 2.35 + apart])

    assert (trips.range is None) is told


@pytest.mark.parametrize(("shift", "told"), [(0.099, False), (0.101, True)])
def test_another_rhythm_differs_by_a_tenth(shift, told):
    """Less is a timer that was late."""
    asked = (1, 2 + shift, 3 + shift)
    trips = beats(*asked, answered=[at + 0.05 for at in asked[1:]])

    assert (trips.range is None) is told


def test_what_one_rhythm_cannot_tell_stays_open():
    """Where the peer asks, nothing shifts its questions: a lost answer leaves two readings."""
    trips = beats(*range(1, 101), answered=[n + 0.05 for n in range(2, 101)])

    assert trips.missed(200, 0.5) == 1
    assert missed_of(trips, 200, 0.5) == [1, 100, 1]
    assert trips.oldest_pending == 1


def test_readings_do_not_fill_the_memory():
    """After 1,024 questions the youngest ones are taken, and that they were is known."""
    trips = beats(*range(1, 2000), answered=[n + 0.05 for n in range(2, 2000)])

    assert trips.unsettled > 1000
    assert trips.missed(3000, 0.5) == 1
    assert trips.answered == 1998


@pytest.mark.parametrize(
    ("answered", "unasked", "after"),
    [([0.5], 0, 0), ([1.1], 0, 0), ([1.1, 1.2], 1, 0.2), ([1.1, 1.2, 1.9, 2.1], 2, 0.9)],
)
def test_answers_that_nobody_asked_for(answered, unasked, after):
    """They are counted from the first question on: before, they cannot be taken for an answer."""
    trips = beats(1, 2, answered=answered)

    assert (trips.unasked, trips.unasked_after) == (unasked, pytest.approx(after))


def test_answers_that_were_there_before_what_they_are_to_are_refused():
    """As in no record of ours."""
    trips = beats(1, 2, 3.25, 4.25, answered=[3.35])
    for answers in ([0.5], [5, 6, 7, 8, 9]):
        with pytest.raises(ValueError, match=r"^answers that were there before what they are to$"):
            RoundTrips.from_dict({**trips.as_dict(), "answers": answers})


def test_answers_whose_key_no_open_question_has_are_counted():
    """A second one to the same question, and one to somebody else's; and they are nobody's answer."""
    trips = RoundTrips()
    trips.ask(1.0, b"a")
    found = [trips.answer(1.1, key) for key in (b"a", b"a", b"b")]

    assert found == [True, False, False]
    assert (trips.answered, trips.unmatched, trips.unasked) == (1, 2, 0)
    assert RoundTrips.from_dict(trips.as_dict()).unmatched == 2


def test_the_shortest_gap_between_questions_is_known():
    """The opening is no question."""
    trips = played(*((at, "?") for at in (5.0, 30.0, 50.0, 80.0)))

    assert (trips.shortest_gap, trips.shortest_gap_from) == (20.0, 30.0)
    assert played((5.0, "?")).shortest_gap is None


@pytest.mark.parametrize("answered", [[], [1.1, 3.35], [3.35], LATE])
def test_they_are_written_and_read_back(answered):
    """With the answers that are not told apart yet."""
    trips = beats(1, 2, 3.25, 4.25, answered=answered)
    back = RoundTrips.from_dict(json.loads(json.dumps(trips.as_dict())))

    assert back.as_dict() == trips.as_dict()
    assert missed_of(back, 9, 0.5) == missed_of(trips, 9, 0.5)
    assert (back.rtts.count, back.rtts.maximum) == (trips.rtts.count, pytest.approx(trips.rtts.maximum))


def test_instants_are_written_to_the_microsecond():
    """What a clock shows beyond it is noise."""
    written = beats(1 / 3, 5 / 3, 2.5, 4, 5, 6, answered=[14 / 3]).as_dict()

    assert (written["first_at"], written["last_at"]) == (0.333333, 6)
    assert written["pending"] == [0.333333, 1.666667, 2.5, 4, 5, 6]
    assert written["answers"] == [4.666667]
    assert (written["longest_gap"], written["longest_gap_from"]) == (1.5, 2.5)
    assert (written["shortest_gap"], written["shortest_gap_from"]) == (0.833333, 1.666667)
    lost = beats(1 / 3, 5 / 3, 2.5, 4, 5, 6, answered=[14 / 3, 17 / 3]).as_dict()
    assert lost["lost"] == [0.333333, 1.666667, 2.5]
    longest = beats(1 / 3, 3, 3.5, 4).as_dict()
    assert (longest["longest_gap"], longest["longest_gap_from"]) == (2.666667, 0.333333)
    unasked = played((1 / 3, "?"), (0.5, "!"), (1, "!")).as_dict()
    assert unasked["unasked_after"] == 0.666667


@pytest.mark.parametrize(
    ("rows", "now", "in_time"),
    [
        ([], 100.0, True),
        ([(10, "ask")], 14.999, True),
        ([(10, "ask")], 15.0, False),
        ([(10, "ask"), (15, "answer")], 100.0, True),
        ([(10, "ask"), (15.001, "answer")], 15.001, False),
        # Two are open, and one answer has come: which is in time is not told.
        ([(10, "ask"), (11, "ask"), (11.1, "answer")], 11.1, False),
    ],
)
def test_whether_all_is_in_time_is_known_without_a_reading(rows, now, in_time):
    trips = RoundTrips()
    for at, what in rows:
        getattr(trips, what)(at)

    assert trips.are_in_time(now, within=5.0) is in_time


def test_a_question_whose_answer_was_lost_is_not_in_time():
    """A key tells that the younger one was answered; what had no room is lost too."""
    lost, full = RoundTrips(), RoundTrips()
    lost.ask(10)
    lost.ask(11)
    lost.answer(11.1)
    lost.ask(13)
    lost.answer(13.1)
    for at in range(1025):
        full.ask(at)

    assert not lost.are_in_time(13.1, within=5.0)
    assert not full.are_in_time(0.0, within=2000.0)


def test_of_two_intervals_as_long_the_first_is_told():
    """The longest from the opening on, and the shortest between two questions."""
    trips = played((10, "?"), (20, "?"), (30, "?"))

    assert (trips.longest_gap, trips.longest_gap_from) == (10, 0)
    assert (trips.shortest_gap, trips.shortest_gap_from) == (10, 10)


@pytest.mark.parametrize(("asked", "kept"), [(1024, 1024), (1025, 1024)])
def test_of_questions_without_an_answer_the_last_thousand_are_kept(asked, kept):
    """A month of them must not fill the memory; all are counted."""
    trips = played(*((at, "?") for at in range(asked)))

    assert len(trips.open) == kept
    assert trips.missed(asked + 10.0, 5.0) == asked


@pytest.mark.parametrize("keyed", [True, False])
@pytest.mark.parametrize(("asked", "unsettled"), [(1024, 0), (1025, 1), (2000, 976)])
def test_questions_that_were_too_many_to_keep_are_answered_too(asked, unsettled, keyed):
    """How long that took, nobody knows; one answer more than there were questions is a stray one."""
    trips = RoundTrips()
    keys = [b"%d" % number if keyed else None for number in range(asked)]
    for number, key in enumerate(keys):
        trips.ask(1 + number / 1000, key)
    for number, key in enumerate(keys):
        assert trips.answer(4 + number / 1000, key)

    assert (trips.answered, trips.unsettled, trips.missed(9.0, 5.0)) == (asked, unsettled, 0)
    assert not trips.answer(8.0, keys[0])
    assert (trips.answered, trips.unmatched + trips.unasked) == (asked, 1)


def test_an_answer_to_the_last_of_too_many_is_one_to_all():
    """RFC 6455, section 5.5.3."""
    trips = RoundTrips()
    for number in range(1030):
        trips.ask(1.0, b"%d" % number)
    trips.answer(1.1, b"1029", older=True)

    assert (trips.answered, trips.unsettled, trips.missed(9.0, 5.0)) == (1030, 6, 0)


def test_an_answer_may_be_there_at_the_instant_of_its_question():
    """A clock stands still between two readings; what is written is read."""
    trips = played((10, "?"), (10, "?"), (10, "!"))

    assert RoundTrips.from_dict(trips.as_dict()).as_dict() == trips.as_dict()


@pytest.mark.parametrize(
    ("rows", "awaits"),
    [
        ([], False),
        ([(10, "?")], True),
        ([(10, "?"), (11, "!")], False),
        # The one answer may be to the first or to the second; a third is open either way.
        ([(10, "?"), (20, "?"), (21, "!")], False),
        ([(10, "?"), (20, "?"), (21, "!"), (30, "?")], True),
        # With keys each answer is told.
        ([(10, "?", b"1")], False),
    ],
)
def test_whether_the_last_question_waits_for_an_answer(rows, awaits):
    """One that nothing would tell from another's."""
    assert played(*rows).awaits_last is awaits


@pytest.mark.parametrize(
    ("answered", "told", "least", "most"),
    [
        ([1.1, 2.2], [0.1, 0.2], [0.1, 0.2], [0.1, 0.2]),
        # Each as quick as 50 ms, or 1.05 s late.
        (LATE[:4], [], [0.05] * 4, [1.05] * 4),
        # What was told before is known, and what came then is not.
        ([1.1, 3.2, 4.2], [0.1], [0.1, 0.2, 0.2], [0.1, 1.2, 1.2]),
    ],
)
def test_round_trip_times_have_bounds(answered, told, least, most):
    """At the least and at the most, of all that was answered; they are the same where each is told."""
    trips = beats(*range(1, 6), answered=answered)
    found = [[took for _, took in each.slowest_above(0)] for each in (trips.told, *trips.bounds)]

    assert found == [pytest.approx(each) for each in (told, least, most)]
    assert trips.are_told is (least == most)
    assert trips.known.count == (len(told) if trips.are_told else 0)


def test_round_trips_that_there_was_no_room_for_have_no_upper_bound():
    """They were taken to be as quick as can be."""
    trips = beats(*range(1, 2000), answered=[n + 0.05 for n in range(2, 2000)])

    assert not trips.are_told
    assert trips.bounds[0].maximum == pytest.approx(0.05)
    assert trips.bounds[1] is None

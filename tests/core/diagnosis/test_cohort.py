"""What other connections of a run show of one: each limit from both sides."""

from __future__ import annotations

import dataclasses
import math
import sys

import pytest

from pytest_wsstability.core.cause import Confidence
from pytest_wsstability.core.diagnosis import Cause, diagnose
from pytest_wsstability.core.diagnosis.cohort import ALONE, Beside, Cohort, Shared, is_lively
from pytest_wsstability.core.timeline.close import CloseEvidence
from tests.core.script import FIN, closed_by_peer, timeline


def spoken_until(last, every):
    """Messages at least so often, up to the last."""
    count = math.ceil(last / every)
    return [(last * part / count, "<text") for part in range(1, count + 1)]


def ended(at, age, *, silence=None, end=FIN):
    """A connection that ended at an instant and an age, after a silence that was the longest."""
    heard = [] if silence is None else spoken_until(age - silence, silence / 2)
    return timeline(*heard, (age, end), origin=1000.0 + at - age)


def beside(mine, *others):
    return Cohort([mine, *others]).beside(mine)


def opened_beside(*instants, age=60.0, sessions=("a", "a"), comes_back=False):
    """What others that opened at these instants show of one that ended, before or after it had."""

    def opening(at, session):
        line = timeline(origin=1000.0 + at)
        line.session_id = session
        return line

    mine = opening(0, sessions[0])
    others = [] if comes_back else [opening(at, sessions[1]) for at in instants]
    mine.over(1000.0 + age, CloseEvidence(end=mine.end, at=age, **FIN))
    others = others or [opening(at, sessions[1]) for at in instants]
    found = beside(mine, *others)
    return found.same_session_opened, found.another_opened


def test_nobody_is_beside_one_alone():
    """Whatever is counted starts at nothing."""
    assert Beside() == ALONE
    assert (ALONE.youngest, ALONE.oldest, ALONE.lively, ALONE.together, ALONE.outlived) == (0, 0, 0, 0, 0)
    assert (ALONE.apart, ALONE.same_age, ALONE.same_silence) == (0, 0, 0)
    # As of connections that were opened at one instant: the age of one alone tells nothing.
    assert beside(ended(100, 60)).ages_apart == ALONE.ages_apart == 1


def test_what_is_compared_is_not_kept():
    """A fleet compares each end of hours with all others, and keeps few of the records."""
    line = ended(100, 60)
    count = sys.getrefcount(line)
    cohort = Cohort([line])
    cohort.beside(line)

    assert sys.getrefcount(line) == count


def test_more_may_be_added_at_any_time():
    """Each shows of all others what is known of them by then; one that is there already is there once."""
    mine, other = ended(100, 60), ended(101, 30)
    cohort = Cohort([mine])
    before = cohort.beside(mine).together
    for each in (other, other, mine):
        cohort.add(each)

    assert (before, cohort.beside(mine).together, cohort.beside(other).together) == (0, 1, 1)


@pytest.mark.parametrize("earlier", [0, 1, 15, 16, 17, 31])
def test_who_ended_with_it_is_found_behind_whoever_ended_before(earlier):
    """Their ages tell what they have in common."""
    before = [ended(10 + number, 5) for number in range(earlier)]
    found = beside(ended(100, 60), *before, *(ended(100 + number / 10, 30 + number) for number in range(3)))

    assert (found.together, found.youngest, found.oldest) == (3, 30, 60)


def test_what_others_show_cannot_be_changed():
    """One value stands for all who were alone."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        ALONE.together = 1


@pytest.mark.parametrize("is_among_them", [True, False])
def test_ends_at_other_instants_are_apart(is_among_them):
    """Whether the record that is asked for is one of them or not."""
    mine, others = ended(100, 60), [ended(101, 30), ended(200, 30), ended(300, 30), ended(400, 30)]
    found = Cohort([mine, *others] if is_among_them else others).beside(mine)

    assert (found.together, found.apart) == (1, 3)


@pytest.mark.parametrize(("apart", "together"), [(1.9, 1), (2.1, 0)])
def test_ends_within_two_seconds_are_together(apart, together):
    """On either side."""
    assert beside(ended(100, 60), ended(100 + apart, 30)).together == together
    assert beside(ended(100, 60), ended(100 - apart, 30)).together == together


@pytest.mark.parametrize(
    ("age", "apart", "repeats"), [(30, 0.45, 1), (30, 0.55, 0), (600, 5.9, 1), (600, 6.1, 0)]
)
def test_ages_that_differ_by_half_a_second_or_a_hundredth_are_one_timers(age, apart, repeats):
    """Of connections that lived beside each other and ended at different instants."""
    assert beside(ended(1000, age), ended(1010, age + apart)).same_age == repeats
    assert beside(ended(1000, age), ended(990, age - apart)).same_age == repeats


@pytest.mark.parametrize(("apart", "repeats"), [(2.5, 0), (2.75, 1)])
def test_ends_that_one_event_may_have_caused_repeat_nothing(apart, repeats):
    """Two seconds, and the half by which the ages may differ."""
    assert beside(ended(1000, 30), ended(1000 + apart, 30)).same_age == repeats


def test_ends_of_another_code_repeat_nothing():
    """One timer ends all its connections in one way."""
    assert beside(ended(1000, 30), ended(1010, 30, end=closed_by_peer(1001))).same_age == 0


def test_one_that_opened_after_the_other_had_ended_repeats_nothing():
    """Something that changed between them may have ended it."""
    for end, repeats in ((1029.5, 0), (1029, 0), (1028.5, 1)):
        one, other = ended(1000, 30), ended(end, 30)
        assert beside(one, other).same_age == beside(other, one).same_age == repeats


@pytest.mark.parametrize(
    ("others", "in_a_row"),
    [
        # A client that comes back after a second.
        ([(969, 30), (938, 30)], 2),
        ([(969, 30), (1031, 30)], 2),
        ([(969, 30), (938, 30.6)], 1),
        # Two that ended together may have met something that happened once.
        ([(969, 30), (967, 30)], 1),
        ([(969, 30), (966.75, 30)], 2),
        # Beside it.
        ([(969, 30), (985, 30)], 1),
        ([(971, 30), (971.1, 30)], 1),
        ([(971.1, 30), (971.2, 30)], 0),
    ],
)
def test_who_lived_as_long_before_or_after_it_lived_in_a_row(others, in_a_row):
    """Whatever ended them, it was not one event."""
    assert beside(ended(1000, 30), *(ended(at, age) for at, age in others)).in_a_row == in_a_row


def test_an_end_within_a_second_and_one_of_another_code_are_in_no_row():
    one, other = ended(1000, 30), ended(969, 30, end=closed_by_peer(1001))

    assert beside(one, other).in_a_row == beside(ended(1000, 0.9), ended(998, 0.9)).in_a_row == 0


@pytest.mark.parametrize(
    ("at", "age", "repeats"),
    [
        # A client that comes back, and is let go after the same silence, as old as before or not.
        (800, 50, 1),
        (800, 118, 0),
        (800, 120, 0),
        (800, 150, 1),
        # Beside it.
        (1060, 120, 1),
    ],
)
def test_a_silence_repeats_one_after_another_at_other_ages(at, age, repeats):
    """Whatever ends a process so long after its start, does not know how long one was silent."""
    mine, other = ended(1000, 120, silence=30), ended(at, age, silence=30)

    assert beside(mine, other).same_silence == beside(other, mine).same_silence == repeats


@pytest.mark.parametrize(("before", "shared", "repeats"), [(2, Shared.SILENCE, 1), (10, Shared.INSTANT, 0)])
def test_a_silence_that_was_survived_before_is_no_timers(before, shared, repeats):
    """A server that restarts right after what it sends to all, now and then, has no timer of that length."""

    def fed(at, age):
        return timeline(*spoken_until(age - 5, before), (age, FIN), origin=1000.0 + at - age)

    mine = fed(1000, 205)

    assert beside(mine, fed(1000.5, 105)).shared is shared
    # Of those that were opened together the age tells nothing all the same.
    assert beside(mine, fed(1000.5, 205.5)).shared is Shared.SILENCE
    assert beside(mine, fed(1010, 105)).same_silence == repeats


@pytest.mark.parametrize(("silence", "repeats"), [(0.9, 0), (1, 1), (1.1, 1)])
def test_a_silence_below_a_second_is_no_timers(silence, repeats):
    mine, other = (ended(at, age, silence=silence) for at, age in ((1000, 50), (1010, 90)))

    assert beside(mine, other).same_silence == repeats


@pytest.mark.parametrize(
    ("mine", "other", "shared"),
    [
        # Neither the age nor the silence: at one instant.
        ((100, 60, 0.5), (100.5, 30, 0.5), Shared.INSTANT),
        # The same age, opened as far apart as they ended.
        ((100, 60, 0.5), (101, 60, 0.5), Shared.AGE),
        # The same silence, of other ages.
        ((100, 60, 20), (101, 30, 20), Shared.SILENCE),
        # A tenth of a second is none.
        ((100, 60, 0.5), (100.09, 60.09, 0.5), Shared.EVERYTHING),
        ((100, 60, 0.5), (100.12, 60.1, 0.5), Shared.AGE),
        # Half a second between silences, or 2 % of them.
        ((100, 60, 10), (101.5, 30, 10.45), Shared.SILENCE),
        ((100, 60, 10), (101.5, 30, 10.55), Shared.INSTANT),
        ((200, 150, 100), (202, 120, 101.0), Shared.SILENCE),
        # A silence of a second is the shortest that a timer has.
        ((100, 60, 1), (101, 30, 1), Shared.SILENCE),
        ((100, 60, 0.9), (101, 30, 0.9), Shared.INSTANT),
        # What they share differs least: silences by half of what ages and ends differ by, at most.
        ((100, 60, 10), (100.8, 60.6, 10.3), Shared.SILENCE),
        ((100, 60, 10), (100.8, 60.6, 10.45), Shared.AGE),
        # Ages that differ by no more than the ends; those of ends within two seconds by two, at most.
        ((100, 60, 0.5), (101.9, 61.8, 0.5), Shared.AGE),
        ((100, 60, 0.5), (101.9, 62.1, 0.5), Shared.INSTANT),
        ((1000, 600, 0.5), (1001.9, 611, 0.5), Shared.INSTANT),
    ],
)
def test_what_those_share_that_ended_together(mine, other, shared):
    """The age is a limit's, the silence a timer's, the instant a restart's."""
    first, second = (ended(at, age, silence=silence) for at, age, silence in (mine, other))

    assert beside(first, second).shared is shared


@pytest.mark.parametrize(
    ("lag", "at", "end", "age", "shared"),
    [
        # The ends were seen at one instant, or as far apart as the loop stood still: the ages may be one.
        (4, 60, 100, 64, Shared.UNTOLD),
        (4, 60, 101, 65, Shared.UNTOLD),
        (4, 60, 101, 65.25, Shared.INSTANT),
        (1, 60, 101, 60.5, Shared.UNTOLD),
        (0.75, 60, 101, 60.5, Shared.AGE),
        # What stood still two seconds before the end had no part in it.
        (4, 58, 100, 64, Shared.UNTOLD),
        (4, 57.75, 100, 64, Shared.INSTANT),
    ],
)
def test_a_loop_that_stood_still_tells_neither_age_nor_instant(lag, at, end, age, shared):
    """By so much ends may be seen late."""
    rows = sorted([(at, "lag", lag), (59.5, "<text")], key=lambda row: row[0])
    mine = timeline(*rows, (60, FIN), origin=1040)

    assert Cohort([mine, ended(end, age, silence=0.5)]).beside(mine).shared is shared


@pytest.mark.parametrize(("longer", "lively"), [(0.005, True), (0.02, False)])
def test_an_end_in_the_middle_of_traffic_is_lively(longer, lively):
    """No silence before it was longer than those before."""
    rows = [(at, what) for at in (10, 20, 30) for what in (">text", "<text")]

    assert is_lively(timeline(*rows, (40 + longer, FIN))) is lively


@pytest.mark.parametrize(("age", "outlived"), [(62.1, 1), (61.9, 0)])
def test_who_lived_two_seconds_longer_outlived_it(age, outlived):
    """A limit of age would have ended it too."""
    assert beside(ended(100, 60), ended(300, age)).outlived == outlived


@pytest.mark.parametrize(
    ("facts", "at_once"),
    [
        ({}, True),
        ({"together": 1}, False),
        ({"lively": 2}, False),
        ({"youngest": 29.0, "oldest": 60.0}, True),
        ({"youngest": 31.0, "oldest": 60.0}, False),
        ({"youngest": 0.9, "oldest": 30.8}, False),
        ({"youngest": 0.9, "oldest": 31.0}, True),
        # Of just the longest sweep, or just half as old.
        ({"youngest": 10.0, "oldest": 40.0}, False),
        ({"youngest": 40.0, "oldest": 80.0}, False),
        ({"youngest": 39.5, "oldest": 80.0}, True),
        ({"shared": Shared.AGE}, False),
        # A pong-only deadline that is looked at each 30 s ends some at one instant, and others at another.
        ({"apart": 1}, False),
        ({"apart": 1, "together": 3}, False),
        ({"apart": 1, "together": 4}, True),
    ],
)
def test_nothing_but_the_instant_ended_them(facts, at_once):
    """Three of them in traffic, and of ages that no sweep of five seconds explains."""
    crowd = {"together": 2, "lively": 3, "youngest": 5.0, "oldest": 60.0, **facts}

    assert Beside(**crowd).at_one_instant is at_once


@pytest.mark.parametrize(
    ("others", "cause"),
    [
        # Each ended right after a message: it is the message's, though all send it at one age.
        ([30.0, 30.0], Cause.HANDLER_ERROR),
        # The others spoke at other times: the age ended this one too, by chance after a message.
        ([12.0, 19.0], Cause.MAX_AGE),
    ],
)
def test_an_age_that_all_share_is_a_limit_unless_each_had_just_spoken(others, cause):
    """Three connections, opened one after the other, that end at 30 s."""

    def one(spoke, opened):
        beats = [row for at in range(1, 31) for row in ((at, "<text"), (at, "<ping"), (at, ">pong"))]
        rows = sorted([*beats, (spoke, ">text")], key=lambda row: row[0])
        return timeline(*rows, (30.01, FIN), origin=opened)

    lines = [one(30.0, 1000), *(one(spoke, 1010 + 9 * n) for n, spoke in enumerate(others))]

    found = diagnose(lines[0], cohort=lines)
    # Never high: a handler that ends by a clock of its own looks the same from this end.
    assert (found.cause, found.confidence) == (cause, Confidence.MEDIUM)


@pytest.mark.parametrize(
    ("spread", "count", "confidence"),
    [
        # Opened 1.2 s apart, and ended so.
        (0.0, 3, Confidence.MEDIUM),
        (0.29, 3, Confidence.MEDIUM),
        # Their ages agree hardly closer than their ends: a restart of what was opened together.
        (0.31, 3, Confidence.LOW),
        # One other may agree by accident.
        (0.0, 2, Confidence.LOW),
    ],
)
def test_ends_within_two_seconds_show_an_age_only_if_the_ages_agree_closer_than_the_ends(
    spread, count, confidence
):
    """Four times as close, of three connections or more."""

    def one(number):
        age = 30.2 + (spread if number else 0.0)
        said = ((-0.4, ">text"), (0, "<text"), (0, "<ping"), (0, ">pong"))
        beats = [(at + after, what) for at in range(1, 31) for after, what in said]
        return timeline(*beats, (age, FIN), origin=1000 + (1.2 - spread if number else 0.0))

    lines = [one(number) for number in range(count)]

    found = diagnose(lines[0], cohort=lines)
    assert (found.cause, found.confidence) == (Cause.MAX_AGE, confidence)
    assert Cause.RESTART in found.alternatives
    assert f"{count - 1} other connections" in found.sentence


@pytest.mark.parametrize(
    ("mine", "others", "confidence"),
    [
        (30.3, 30.3, Confidence.LOW),
        # Half a second before the end is right before, on either side.
        (29.99, 30.3, Confidence.LOW),
        (29.9, 30.3, Confidence.MEDIUM),
        (30.3, 29.9, Confidence.MEDIUM),
    ],
)
def test_an_age_at_which_each_had_just_sent_something_may_be_a_message_that_fails(mine, others, confidence):
    """A heartbeat too: a handler that fails on the seventh message ends all in equal traffic at one age."""

    def one(asked, opened):
        beats = [row for at in range(1, 31) for row in ((at, "<text"), (at, "<ping"), (at, ">pong"))]
        rows = sorted([*beats, (asked, ">beat"), (asked + 0.01, "<answer")], key=lambda row: row[0])
        return timeline(*rows, (30.45, FIN), origin=opened)

    lines = [one(mine, 1000), one(others, 1010), one(others, 1019)]

    found = diagnose(lines[0], cohort=lines)
    assert (found.cause, found.confidence) == (Cause.MAX_AGE, confidence)
    assert (Cause.HANDLER_ERROR in found.alternatives) is (confidence is Confidence.LOW)


@pytest.mark.parametrize(("age", "confidence"), [(60.0, Confidence.MEDIUM), (47.3, Confidence.LOW)])
def test_a_stream_always_ends_right_after_a_message(age, confidence):
    """It then takes an age that limits have."""

    def one(opened):
        pings = [row for at in range(7, int(age), 10) for row in ((at, "<ping"), (at, ">pong"))]
        audio = [(at / 10, what) for at in range(1, int(10 * age)) for what in (">audio", "<audio")]
        return timeline(*sorted([*pings, *audio], key=lambda row: row[0]), (age, FIN), origin=opened)

    lines = [one(1000), one(1010), one(1020)]

    found = diagnose(lines[0], cohort=lines)
    assert (found.cause, found.confidence) == (Cause.MAX_AGE, confidence)


@pytest.mark.parametrize(("before", "is_right"), [(0.5, True), (0.625, False)])
def test_half_a_second_before_an_end_is_right_before_it(before, is_right):
    """A message, and whatever else was sent."""

    def one(opened):
        return timeline((60 - before, ">text"), (60, FIN), origin=opened)

    found = beside(one(1000), one(1010))
    assert (found.same_age_spoke, found.same_age_sent) == (is_right, is_right)


def test_of_a_crowd_sixteen_tell_what_they_share():
    """A fleet that ends at one instant takes time in proportion to its size, and not to the square of it."""
    talk = [(10, "<text"), (10, ">text")]
    crowd = [timeline(*talk, (20, FIN)) for _ in range(60)]
    mine = timeline((0.5, "<text"), (0.5, ">text"), *talk, (19.5, FIN), origin=1000.5)

    found = Cohort([*crowd, mine]).beside(mine)
    assert (found.together, found.lively) == (60, 17)


@pytest.mark.parametrize(("silent", "all_spoke"), [(0, False), (197, False), (198, True)])
def test_of_those_of_one_age_sixty_four_are_looked_at(silent, all_spoke):
    """From the youngest to the oldest."""

    def one(number, age):
        spoke = 20 if number == silent else age - 0.1
        return timeline((spoke, ">text"), (age, FIN), origin=1000 + number * 0.25)

    crowd = [one(number, 60 + number / 1000) for number in range(200)]
    mine = one(-20, 60.25)

    found = Cohort([*crowd, mine]).beside(mine)
    assert (found.same_age, found.same_age_spoke) == (64, all_spoke)


@pytest.mark.parametrize("number", [0, 100, 199])
def test_an_age_that_repeats_in_a_large_fleet_does_so_for_each_of_it(number):
    """Most of the others ended before one had opened, or opened when it had ended."""
    fleet = [ended(1060 + opened, 60) for opened in range(200)]

    assert Cohort(fleet).beside(fleet[number]).same_age >= 10


@pytest.mark.parametrize(("oldest", "may_be_swept"), [(45, True), (45.5, False)])
def test_ages_within_five_seconds_may_be_of_one_look(oldest, may_be_swept):
    """Servers look at all connections every few seconds."""

    def one(age):
        beats = [row for at in range(1, 40) for row in ((at, ">beat"), (at + 0.1, "<answer"))]
        return timeline(*beats, (age, FIN), origin=1100 - age)

    lines = [one(40.0), one(oldest)]
    found = diagnose(lines[0], cohort=lines)
    assert found.cause is Cause.RESTART
    assert ("every few seconds" in found.sentence) is may_be_swept


@pytest.mark.parametrize(
    ("instants", "more", "same_session", "another"),
    [
        ([60.0], {}, True, True),
        # Not longer before than a second, or a tenth of one.
        ([59.01], {}, True, False),
        ([58.99], {}, False, False),
        ([59.91], {}, True, True),
        ([59.89], {}, True, False),
        ([60.0], {"sessions": ("a", "b")}, False, True),
        ([60.0], {"sessions": (None, None)}, False, True),
        # It came after the end: whoever has lost its connection opens another.
        ([60.0], {"comes_back": True}, False, False),
        # The handshake of the other is over a moment later than this end is seen.
        ([60.05], {}, True, True),
        # Nor is it one in a hundred, as others open all the time.
        ([10.0], {"age": 10.0}, True, True),
        ([9.9], {"age": 9.9}, True, False),
        ([1, 2, 3, 4, 5, 60.0], {"age": 60.1}, True, True),
        ([1, 2, 3, 4, 5, 60.0], {"age": 59.9}, True, False),
    ],
)
def test_another_that_opens_may_have_ended_one(instants, more, same_session, another):
    """A server that allows one of a session, or of a user."""
    assert opened_beside(*instants, **more) == (same_session, another)


def test_of_an_end_that_another_process_saw_nobody_knows_the_order():
    """It has an instant, and no place among the openings of this process."""
    mine, other = ended(100, 60), timeline(origin=1100.0)
    mine.session_id = other.session_id = "a"
    mine.ended_serial = None

    assert not beside(mine, other).same_session_opened


def test_one_that_is_older_still_may_have_outlived_the_older_ones():
    lines = [timeline(origin=1000.0 + opened) for opened in (10, 20, 30)]
    for line, over in zip(lines, (200, 25, 40), strict=True):
        line.session_id = "a"
        line.over(1000.0 + over, CloseEvidence(end=line.end, at=over - (line.opened - 1000), **FIN))

    assert beside(lines[2], *lines[:2]).same_session_open
    assert beside(lines[1], lines[0], lines[2]).same_session_open
    assert not beside(lines[0], *lines[1:]).same_session_open


@pytest.mark.parametrize(
    ("older", "confirmed", "is_open"),
    [
        # When the older one opened and ended, and its session; this one was there from 100 to 160 s.
        ((50, None, "a"), False, True),
        ((50, 160.01, "a"), False, True),
        ((50, 160, "a"), False, False),
        ((50, 99, "a"), False, False),
        ((50, None, "b"), False, False),
        ((50, None, None), False, False),
        ((50, None, "a"), True, False),
    ],
)
def test_an_older_one_of_the_same_session_may_still_be_there(older, confirmed, is_open):
    """A server that allows one refuses the younger one then; a session that was confirmed was not refused."""
    opened, over, session = older
    other = timeline(origin=1000.0 + opened)
    other.session_id = session
    if over is not None:
        other.over(1000.0 + over, CloseEvidence(end=other.end, at=over - opened, **FIN))
    mine = timeline(origin=1100.0)
    mine.session_id, mine.session_confirmed_at = "a", 0.1 if confirmed else None
    mine.over(1160.0, CloseEvidence(end=mine.end, at=60, **FIN))

    assert beside(mine, other).same_session_open is is_open
    # A younger one did not take its place.
    assert not beside(other, mine).same_session_open
    assert not beside(mine).same_session_open


def test_the_close_frame_ends_no_silence():
    """Servers say 1001 when their idle timer runs out, and that is no traffic."""

    def closed(at, age):
        rows = [*spoken_until(age - 30, 15), (age, "<close"), (age, ">close"), (age, closed_by_peer(1001))]
        return timeline(*rows, origin=1000.0 + at - age)

    mine, others = closed(1000, 50), [closed(1010, 90), closed(1020, 120)]

    assert beside(mine, *others).same_silence == 2
    assert beside(closed(1000, 50), closed(1001, 90)).shared is Shared.SILENCE

"""Rows for timers that cut without a word: each limit of what they need."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.cohort import Shared
from pytest_wsstability.core.diagnosis.rows_timers import CLOSED, ROWS
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import FIN


@pytest.mark.parametrize(("silent", "causes"), [(0.75, []), (1, ["IDLE_TIMEOUT / MAX_AGE RESTART"])])
def test_a_second_is_the_shortest_silence_of_a_timer(silent, causes):
    """The longest of its connection."""
    assert fitting(ROWS, read((0.5, ">text"), end=0.5 + silent)) == causes


@pytest.mark.parametrize(
    ("same_age", "same_silence", "rivals"),
    [(0, 0, "RESTART"), (0, 1, "RESTART"), (1, 0, "RESTART MAX_AGE"), (1, 1, "RESTART MAX_AGE"), (1, 2, "")],
)
def test_as_many_of_the_same_age_as_of_the_same_silence_leave_a_limit_on_it(same_age, same_silence, rivals):
    """One at least."""
    beside = {"same_age": same_age, "same_silence": same_silence}
    (cause,) = fitting(ROWS, read((10, ">text"), (10, "<text"), end=40, beside=beside))

    assert cause == (f"IDLE_TIMEOUT / {rivals}" if rivals else "IDLE_TIMEOUT")


@pytest.mark.parametrize(
    ("silent", "apart", "alike"),
    [
        (30, 0.9375, True), (30, 1, True), (30, 1.0625, False),
        (60, 1.1875, True), (60, 1.25, False),
    ],
)  # fmt: skip
def test_messages_of_both_ends_stopped_within_a_second_or_a_fiftieth(silent, apart, alike):
    """While pings went on, and messages came before."""
    pings = [row for at in range(3, 100, 3) for row in ((at, "<ping"), (at, ">pong"))]
    last = 100 - silent
    talk = [row for at in range(5, last - 1, 5) for row in ((at, ">text"), (at, "<text"))]
    rows = [*pings, *talk, (last, ">text"), (last - apart, "<text")]

    assert (fitting(ROWS, read(*rows, end=100))[0] == "IDLE_TIMEOUT / RESTART") is alike


@pytest.mark.parametrize(("after", "rows"), [(0.75, 1), (1, 1), (1.25, 2)])
def test_the_peer_spoke_last_if_by_more_than_a_second(after, rows):
    """No timer for this end's bytes ran from there; a longer time without a pong was survived."""
    talk = [(at, "<text") for at in range(5, 50, 5)]
    pings = [(1, "<ping"), (1, ">pong"), (49, "<ping"), (49, ">pong")]
    script = [*talk, *pings, (50, ">text"), (50 + after, "<text")]
    causes = fitting(ROWS, read(*script, end=80 + after, beside={"same_silence": 2}))

    assert causes[:rows] == ["IDLE_TIMEOUT"] * rows
    assert causes[rows : rows + 1] != ["IDLE_TIMEOUT"]


def pings_at_both_ends(until, every=3.0):
    """Pings of the peer, each answered, so that messages alone are missing."""
    steps = range(1, int(until / every) + 1)
    return [row for step in steps for row in ((step * every, "<ping"), (step * every, ">pong"))]


@pytest.mark.parametrize(
    ("sent", "spoken"),
    [((10,), False), ((5, 10), True), ((0.5, 1.25), True), ((0.5, 1), True), ((0.25, 0.5), False)],
)
def test_a_kind_of_traffic_is_spoken_with_two_frames_after_the_first_second(sent, spoken):
    """Before, nobody knows how often it comes."""
    rows = [*pings_at_both_ends(90), *((at, ">text") for at in sent)]
    causes = fitting(ROWS, read(*rows, end=sent[-1] + 60))

    assert any(each.startswith("READ_DEADLINE") for each in causes) is spoken


@pytest.mark.parametrize(("silent", "fits"), [(1, True), (0.875, False)])
@pytest.mark.parametrize(
    ("ways", "timers"),
    [(">", ["READ_DEADLINE"]), ("<>", ["IDLE_TIMEOUT", "READ_DEADLINE", "IDLE_TIMEOUT"])],
)
def test_messages_of_a_second_ago_are_the_shortest_silence(ways, timers, silent, fits):
    """Of one end, or of both."""
    pings = pings_at_both_ends(9, every=0.125)
    talk = [(step / 2, f"{way}text") for step in range(1, 17) for way in ways]
    causes = [each.partition(" ")[0] for each in fitting(ROWS, read(*pings, *talk, end=8 + silent))]

    assert [each for each in causes if each in timers] == (timers if fits else [])


@pytest.mark.parametrize(("way", "other", "cause"), [(">", "<", "READ_DEADLINE"), ("<", ">", "IDLE_TIMEOUT")])
@pytest.mark.parametrize(
    ("spoke", "end", "fits"),
    [
        # Nothing since one frame: for a minute, a number that nobody writes, the shortest and less.
        ([4], 64, True), ([4], 57.3, False), ([0.5], 1.5, True), ([0.5], 1.375, False),
        # Nothing at all: as long as timers are, and as nothing but limits on the age are known to be.
        ([], 60, True), ([], 45, True), ([], 30, False), ([], 57.3, False),
        # An earlier time without was longer.
        ([40, 70], 100, False),
    ],
)  # fmt: skip
def test_who_sent_nothing_or_one_frame_may_have_been_waited_for(way, other, cause, spoke, end, fits):
    """While the other end spoke each eighth of a second."""
    talk = [(step / 8, f"{other}text") for step in range(1, int(end * 8))]
    causes = fitting(ROWS, read(*talk, *((at, f"{way}text") for at in spoke), end=end))

    assert any(each.startswith(cause) and "RESTART" in each for each in causes) is fits


@pytest.mark.parametrize(
    "beside", [{"same_age": 2}, {"together": 2, "shared": Shared.EVERYTHING}], ids=["one age", "one instant"]
)
def test_who_sent_nothing_ends_at_an_age_or_an_instant_that_others_share(beside):
    """What they share tells more than a silence that is as long as the life."""
    talk = [(at, "<text") for at in range(1, 60)]

    assert fitting(ROWS, read(*talk))[0].startswith("READ_DEADLINE")
    assert not any(each.startswith("READ_DEADLINE") for each in fitting(ROWS, read(*talk, beside=beside)))


@pytest.mark.parametrize(("heard", "timers"), [([], 1), ([5, 58], 0)])
def test_a_peer_that_was_never_heard_leaves_a_deadline_for_pongs_behind_a_timer_of_its_bytes(heard, timers):
    """A minute, which both are known for."""
    talk = [(at, ">text") for at in range(5, 60, 5)]
    causes = fitting(ROWS, read(*talk, *((at, "<text") for at in heard)))

    assert causes == ["IDLE_TIMEOUT / PONG_DEADLINE MAX_AGE RESTART"] * timers


@pytest.mark.parametrize(
    ("pings", "end", "stopped"),
    [
        # Each 20 s, and none in 40 s: what an idle timeout counts was due.
        ((20, 40, 60), 100, True),
        ((20, 40, 60), 81.5, True),
        ((20, 40, 60), 80.5, False),
        # Nobody knows how often they come.
        ((40, 60), 120, False),
        ((10, 20, 60), 120, False),
    ],
)
def test_pings_that_were_due_in_a_silence_make_it_no_idle_timeout(pings, end, stopped):
    """They stopped before, as they do on a dead path and from a frozen process."""
    rows = [(at, what) for at in pings for what in ("<ping", ">pong")]

    assert (fitting(ROWS, read((1, ">text"), *rows, end=end))[0] == "HALF_OPEN") is stopped


@pytest.mark.parametrize(
    ("last", "end", "how", "causes"),
    [
        # AWS API Gateway: ten minutes without messages, and "Going away".
        (33, 633, 1001, ["IDLE_AS_NORMAL"]),
        (33, 633, 1000, ["IDLE_AS_NORMAL"]),
        (33, 633, 1011, []),
        (33, 632.5, 1001, []),
        # Nothing but pings since the opening.
        (0.5, 600.5, 1001, ["IDLE_AS_NORMAL / MAX_AGE"]),
        (0.5, 600.5, FIN, ["IDLE_TIMEOUT / MAX_AGE RESTART"]),
        (33, 633, FIN, ["IDLE_TIMEOUT / RESTART"]),
        # Nobody is known for that.
        (0.5, 420.5, FIN, []),
        (33, 453, 1001, []),
        # A limit on the age is known, too (Cloud Run, and API Gateway's own).
        (0.5, 300.5, FIN, []),
        (6600, 7200, 1001, []),
    ],
)
def test_a_timer_that_pings_do_not_reset(last, end, how, causes):
    """logseq 8166, subscriptionless 3."""
    pings = [row for at in range(25, int(end) + 1, 25) for row in ((at, ">ping"), (at, "<pong"))]
    talk = [(at, what) for at in range(10, int(last), 60) for what in (">text", "<text")]
    rows = [*pings, *talk, (last, ">text"), (last, "<text")]
    table = ROWS if how is FIN else CLOSED

    assert fitting(table, read(*rows, end=end, how=how))[:1] == causes

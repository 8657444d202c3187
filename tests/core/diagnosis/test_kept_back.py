"""What faults that the test applied to the link kept back, and which causes it is then."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.cause import Blame, Cause
from pytest_wsstability.core.diagnosis import diagnose, rows_late, rows_said_keepalive, rows_said_timers
from pytest_wsstability.core.diagnosis.features import ProxyView
from pytest_wsstability.core.diagnosis.kept_back import kept_answers, kept_end
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.delays import Delay
from pytest_wsstability.core.timeline.events import Direction, End
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import closed_by_peer, timeline

THERE, BACK = Direction.SENT, Direction.RECEIVED
# The first is asked at 10 s and answered after 4 s, the second at 20 s after 1 s.
BEATS = [(10, ">beat", b"1"), (14, "<answer", b"1"), (20, ">beat", b"2"), (21, "<answer", b"2")]


def seen(features, *delays):
    """The same, with a proxy whose faults kept so much back."""
    made = [Delay(*each) for each in delays]
    return replace(features, between=ProxyView(behind=0.0, pong_missing=False, delays=made))


def test_nothing_is_kept_back_without_a_proxy():
    features = read(*BEATS, how=OPEN)

    assert (kept_answers(features), kept_end(features)) == (0, 0)


@pytest.mark.parametrize(
    ("delays", "kept"),
    [
        ([], 0),
        # Half of its time, and less; both ways count.
        ([(THERE, 10, 12, 2.0)], 2),
        ([(THERE, 10, 12, 1.9)], 0),
        ([(THERE, 10, 11, 1.0), (BACK, 13, 14, 1.0)], 2),
        # The longest of each way, as far as it was waited for then.
        ([(BACK, 11, 14, 1.0), (BACK, 11, 14, 3.0)], 3),
        ([(BACK, 13, 16, 3.0)], 0),
        ([(THERE, 8, 12, 4.0)], 2),
        # No more than it took: a path that stands still does so both ways at once.
        ([(THERE, 10, 14, 4.0), (BACK, 10, 14, 4.0)], 4),
        # Before it was asked, and after it was answered.
        ([(THERE, 5, 9.9, 4.0)], 0),
        ([(BACK, 14.1, 18, 4.0)], 0),
    ],
)
def test_half_of_the_time_of_a_slow_answer_explains_it(delays, kept):
    """The other one was quick beside it."""
    assert kept_answers(seen(read(*BEATS, how=OPEN), *delays)) == kept


@pytest.mark.parametrize(("second", "kept"), [(22, 4), (22.1, 0)])
def test_each_answer_that_took_more_than_half_as_long_is_to_be_explained(second, kept):
    """A fault that had ended by then says nothing of the peer, which is slow by itself."""
    rows = [*BEATS[:3], (second, "<answer", b"2")]

    assert kept_answers(seen(read(*rows, how=OPEN), (THERE, 10, 14, 4.0))) == kept


@pytest.mark.parametrize(("looked_at", "kept"), [(38, 4), (38.1, 0)])
def test_an_answer_that_is_due_is_explained_for_twice_as_long(looked_at, kept):
    """What is missing for longer is not on its way."""
    features = read(*BEATS, (30, ">beat", b"3"), how=OPEN, end=looked_at)

    assert kept_answers(seen(features, (THERE, 9, 40, 4.0))) == kept


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([(1, ">info"), (5, "<confirmed")], 3),
        ([(1, ">info"), (7, "<confirmed")], 3),
        ([(1, ">info"), (7.1, "<confirmed")], 0),
        # Nobody was asked: the greeting is waited for, from the opening on.
        ([(6, ">text")], 3),
        ([(6.1, ">text")], 0),
    ],
)
def test_a_confirmation_answers_what_asks_for_the_session(rows, kept):
    """By half of its time too."""
    features = read(*rows, how=OPEN, end=rows[-1][0])
    asked = replace(features, broken=frozenset({Rule.SESSION}))

    assert kept_answers(seen(asked, (BACK, 0, 9, 3.0))) == kept


@pytest.mark.parametrize(
    ("delays", "kept"),
    [
        ([(THERE, 55, 60, 5.0)], 5),
        # It had left, and came later: the peer had not ended it yet, or had ended it already.
        ([(THERE, 52, 57.9, 5.9)], 0),
        ([(THERE, 58.1, 63, 4.9)], 0),
        # It resets no timer of the peer's what the peer says.
        ([(BACK, 30, 60, 7.0)], 0),
        # What is always kept back for so long was survived, jitter's too.
        ([(THERE, 0, 60, 5.0)], 0),
        ([(THERE, 10, 15, 5.0), (THERE, 55, 60, 5.0)], 0),
        ([(THERE, 10, 14, 4.0), (THERE, 55, 60, 5.0)], 5),
    ],
)
def test_what_was_said_is_kept_back_when_the_peer_ends_it(delays, kept):
    """Its close frame passed the proxy two seconds before it came."""
    features = seen(read(how=4000), *delays)
    late = replace(features, between=replace(features.between, behind=2.0))

    assert kept_end(late) == kept
    assert kept_end(seen(read(how=OPEN), *delays)) == 0


@pytest.mark.parametrize(("since", "kept"), [(50.1, 5), (50, 0)])
def test_a_link_that_has_just_become_slow_has_not_been_survived(since, kept):
    """Until twice as long is over as it keeps things back."""
    assert kept_end(seen(read(how=4000), (THERE, since, 62, 5.0))) == kept


def test_a_server_ends_what_came_to_a_proxy_from_itself():
    """At its record, what it said goes the other way."""
    features = read(how=4000, line_end=End.SERVER)

    assert kept_end(seen(features, (BACK, 55, 60, 5.0))) == 5
    assert kept_end(seen(features, (THERE, 55, 60, 5.0))) == 0


@pytest.mark.parametrize(
    ("rows", "reason", "cause"),
    [
        (rows_said_keepalive.ROWS, "keepalive ping timeout", "PATH_STALLED"),
        (rows_said_timers.ROWS, "idle timeout", "PATH_STALLED"),
        (rows_said_timers.ROWS, "read timeout", "PATH_STALLED"),
        # What timed out may be something else.
        (rows_said_timers.ROWS, "turn timeout", "PATH_STALLED / HANDLER_ERROR"),
        (rows_said_keepalive.ROWS, "going to lunch", None),
        (rows_said_timers.ROWS, "going to lunch", None),
    ],
)
@pytest.mark.parametrize(("seconds", "fits"), [(1.0, False), (1.1, True)])
def test_a_timer_of_the_peer_runs_out_while_the_path_keeps_back_what_resets_it(
    rows, reason, cause, seconds, fits
):
    """More than a second, and by the words of its close frame."""
    talk = [(at, ">text") for at in range(5, 60, 5)]
    features = read(*talk, how=closed_by_peer(4000, reason))
    found = fitting(rows, seen(features, (THERE, 60 - seconds, 60, seconds)))

    assert [each for each in found if each.startswith("PATH_STALLED")] == ([cause] if cause and fits else [])


def diagnosed(*rows, until, **required):
    """What a client says of a record with a proxy that kept back each way for three seconds."""
    line, proxy = timeline(*rows, until=until), timeline(end=End.PROXY, until=until)
    proxy.delays = tuple(Delay(each, 0.0, until, 3.0) for each in (THERE, BACK))
    return diagnose(line, [proxy], verdict=judge(Requirement.of(**required), line))


@pytest.mark.parametrize(
    ("rows", "until", "required"),
    [
        ([(0.1, ">info")], 2, {"session_within": 1}),
        ([(0.1, ">info"), (6.1, "<confirmed")], 20, {"session_within": 1}),
        ([], 2, {"session_within": 1}),
        ([(10, ">beat"), (16, "<answer"), (20, ">beat"), (26, "<answer")], 30, {"heartbeat_within": 1}),
        ([(10, ">beat"), (16, "<answer"), (20, ">beat")], 24, {"heartbeat_within": 1}),
    ],
)
def test_the_path_is_to_blame_and_not_the_peer(rows, until, required):
    """Though all that this end sees is answers that are slow, or not there."""
    found = diagnosed(*rows, until=until, **required)

    assert (found.cause, found.blame) == (Cause.SLOW_ANSWERS, Blame.PATH)
    assert "faults that the test applied to the link kept back what passed for" in found.sentence


def test_an_answer_that_is_due_is_late_and_not_missing():
    """Before what says that the peer is dead; without a fault nobody knows that."""
    rows = [(10, ">beat", b"1"), (10.1, "<answer", b"1"), (20, ">beat", b"2")]
    features = read(*rows, how=OPEN, end=26)

    assert fitting(rows_late.DUE, seen(features, (THERE, 20, 26, 6.0))) == ["SLOW_ANSWERS"]
    assert fitting(rows_late.DUE, seen(features)) == []


def test_none_is_due_of_a_connection_that_has_ended():
    rows = [(10, ">beat", b"1"), (10.1, "<answer", b"1"), (20, ">beat", b"2")]
    features = read(*rows, how=1001, end=26)

    assert fitting(rows_late.DUE, seen(features, (THERE, 20, 26, 6.0))) == []


def test_pings_tell_where_there_are_no_heartbeats():
    pings = [(10, ">ping", b"1"), (14, "<pong", b"1")]

    assert kept_answers(seen(read(*pings, how=OPEN), (THERE, 10, 14, 4.0))) == 4

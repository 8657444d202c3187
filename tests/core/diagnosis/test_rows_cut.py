"""Ends without a close frame, where a limit decides between two causes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.diagnosis.features import ProxyView, Shared
from pytest_wsstability.core.diagnosis.rows_cut import ROWS
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import FIN, RST, timeline


def reset_after(quiet, *, before):
    """A message after some silence that is answered with RST; ``before`` is the longest silence before."""
    often = [(float(at), "<text") for at in range(1, 31)]
    rows = often if before <= 1 else [*often, (30 + before, "<text")]
    said = rows[-1][0] + quiet
    return timeline(*rows, (said, ">text"), (said + 0.01, RST))


@pytest.mark.parametrize(("before", "forgotten"), [(1, True), (5.5, True), (6.5, False), (40, False)])
def test_only_after_the_longest_silence_is_a_path_suspected(before, forgotten):
    """A longer one that was survived shows that nobody on the way forgets so soon."""
    assert (diagnose(reset_after(6, before=before)).cause is Cause.NAT_EXPIRED) is forgotten


@pytest.mark.parametrize(("quiet", "forgotten"), [(4.9, False), (5.1, True)])
def test_a_path_forgets_after_five_seconds_at_the_soonest(quiet, forgotten):
    assert (diagnose(reset_after(quiet, before=1)).cause is Cause.NAT_EXPIRED) is forgotten


TALK = [row for at in range(5, 60, 5) for row in ((at, ">text"), (at + 0.5, "<text"))]
PING = [(2, ">ping", b"1"), (2, "<pong", b"1")]


@pytest.mark.parametrize(
    ("quiet", "causes"),
    [
        (4.75, []),
        (5, ["NAT_EXPIRED / RESTART RESTART"]),
        # RFC 5626: what keeps bindings open is sent each 24 s.
        (23.75, ["NAT_EXPIRED / RESTART RESTART"]),
        (24, ["NAT_EXPIRED / RESTART"]),
        # The soonest that somebody is known for.
        (239, ["NAT_EXPIRED / RESTART"]),
        (240, ["NAT_EXPIRED"]),
    ],
)
def test_the_longer_the_silence_the_likelier_a_path_forgot(quiet, causes):
    """Answered with RST on the first bytes after it."""
    rows = [(1, "<text"), *PING, (2 + quiet, ">ping", b"2")]

    assert fitting(ROWS, read(*rows, end=2.01 + quiet, how=RST)) == causes


@pytest.mark.parametrize(
    ("oldest", "youngest", "ponged", "rivals"),
    [
        # A tenth of the age, or five seconds, for limits on it.
        (30, 27, 54, "MAX_AGE MAX_AGE"),
        (30, 26.75, 54, "MAX_AGE"),
        (60, 54, 54, "MAX_AGE"),
        (60, 53.75, 54, ""),
        (90, 85, 54, "MAX_AGE MAX_AGE"),
        # Half a minute, and six seconds without a pong, for a deadline that only pongs reset.
        (60, 30, 53.75, "PONG_DEADLINE"),
        (60, 30, 54, ""),
        (60, 29.75, 53.75, ""),
        (60, 30, 43, "PONG_DEADLINE"),
    ],
)
def test_how_far_ages_may_differ_that_one_timer_ended(oldest, youngest, ponged, rivals):
    """Timers are looked at now and then."""
    ages = {"together": 1, "oldest": oldest, "youngest": youngest}
    features = read(*TALK, (ponged, "<ping"), (ponged, ">pong"), beside=ages)

    assert fitting(ROWS, features) == [f"RESTART / {rivals}" if rivals else "RESTART"]


@pytest.mark.parametrize(("survivors", "outlived", "rivals"), [(0, 0, ""), (1, 0, " / MAX_AGE"), (1, 1, "")])
def test_one_younger_that_lives_on_leaves_a_limit_on_the_age(survivors, outlived, rivals):
    """Unless somebody grew older."""
    ages = {"together": 1, "oldest": 60, "youngest": 1, "survivors": survivors, "outlived": outlived}

    assert fitting(ROWS, read(*TALK, beside=ages)) == [f"RESTART{rivals}"]


@pytest.mark.parametrize(
    ("together", "shared", "first"),
    [
        (0, Shared.INSTANT, "PING_UNANSWERED"),
        (1, Shared.INSTANT, "PING_UNANSWERED / RESTART"),
        (1, Shared.AGE, "PING_UNANSWERED"),
    ],
)
def test_one_other_that_ended_with_it_leaves_a_restart(together, shared, first):
    """Not where they are of one age."""
    beside = {"together": together, "shared": shared, "oldest": 60, "youngest": 1}

    assert fitting(ROWS, read(*TALK, (40, "<ping"), beside=beside))[0] == first


@pytest.mark.parametrize(("pings", "rivals"), [(1, ""), (2, ""), (3, " / RESTART"), (4, " / RESTART")])
def test_three_pings_without_an_answer_are_no_keepalives(pings, rivals):
    """Whoever enforces an answer ends it sooner."""
    asked = [(40 - number, "<ping") for number in range(pings)]

    assert fitting(ROWS, read(*TALK, *asked)) == [f"PING_UNANSWERED{rivals}"]


@pytest.mark.parametrize(
    ("before", "rivals"), [(0, " / IDLE_TIMEOUT"), (0.04, " / IDLE_TIMEOUT"), (0.0625, "")]
)
def test_a_ping_that_was_the_last_byte_began_the_silence(before, rivals):
    """Within 50 ms; a minute is what idle timeouts have."""
    rows = [(1, "<text"), (30 - before, "<ping"), (30, ">text")]

    assert fitting(ROWS, read(*rows, end=90)) == [f"PING_UNANSWERED{rivals}"]


@pytest.mark.parametrize(("silent", "causes"), [(0.75, ["HARNESS_BLOCKED"]), (1, [])])
def test_a_silent_second_tells_more_than_a_loop_that_stood_still(silent, causes):
    """The silence is what the others share then."""
    beside = {"together": 1, "shared": Shared.UNTOLD}

    assert fitting(ROWS, read((0.5, "<text"), end=0.5 + silent, beside=beside)) == causes


@pytest.mark.parametrize(
    ("confirmed", "causes"),
    [([], ["SESSION_NOT_CONFIRMED / SESSION_LOST HANDLER_ERROR"]), ([(10, ">info"), (11, "<confirmed")], [])],
)
def test_a_session_is_cut_in_answer_to_its_first_message(confirmed, causes):
    """Once it is confirmed, the message is no more than any other."""
    assert fitting(ROWS, read(*confirmed, (59.97, ">info"))) == causes


@pytest.mark.parametrize(
    ("rows", "causes"),
    [
        ([(59, "<ping"), (59, ">pong")], ["PONG_LATE / PEER_NOT_READING"]),
        # A pong that nobody asked for.
        ([(59, ">pong")], []),
    ],
)
def test_a_pong_is_late_that_was_asked_for(rows, causes):
    """Behind bytes of this end."""
    assert fitting(ROWS, read(*TALK, (58, "queued", 70_000), *rows)) == causes


def test_nothing_waits_at_this_end_where_a_proxy_shows_that_the_pong_is_late():
    """So that nobody can say that none of it left."""
    features = read(*TALK, (59, "<ping"), (59, ">pong"))
    features = replace(features, between=ProxyView(behind=9.0, pong_missing=False))

    assert fitting(ROWS, features) == ["PONG_LATE"]


@pytest.mark.parametrize(
    ("since", "confidence", "second"),
    [
        # gorilla's chat example gives up on a pong after 6 s, and nobody known does so sooner.
        (54.0, Confidence.LOW, Cause.PONG_LATE),
        (54.1, Confidence.MEDIUM, Cause.RESTART),
        (None, Confidence.MEDIUM, Cause.RESTART),
    ],
)
def test_a_frame_that_took_as_long_as_keepalives_wait_has_their_pings_behind_it(since, confidence, second):
    """socket.io 2666: a status of 2 MB on a slow link, and the ping timeout of 20 s."""
    line = timeline((1, "<text"), (60, {**FIN, "mid_frame": True}))
    line.half_frame_since = line.half_frame_last = since

    found = diagnose(line)
    assert (found.cause, found.confidence, found.runner_up) == (Cause.MID_FRAME, confidence, second)
    assert ("pings wait behind it" in found.sentence) is (second is Cause.PONG_LATE)


@pytest.mark.parametrize(("youngest", "confidence"), [(1, Confidence.HIGH), (40, Confidence.MEDIUM)])
def test_a_proxy_that_was_reloaded_has_a_knob_of_its_own(youngest, confidence):
    """nginx-gateway-fabric 5524: all connections of a worker end at one instant, whatever they say."""
    ages = {"together": 3, "oldest": 60, "youngest": youngest, "lively": 4}
    features = read(*TALK, beside=ages)
    row = next(row for row in ROWS if row.when(features))

    assert (row.cause, row.confidence) == (Cause.RESTART, confidence)
    assert "worker_shutdown_timeout" in row.remedy

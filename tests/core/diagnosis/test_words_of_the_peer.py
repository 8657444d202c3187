"""What the peer says comes first: its words before its code, and its close frame before any inference."""

import pytest

from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.timeline.close import TransportEnd
from tests.core.script import closed_by_peer, timeline

HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM
TALK = [(1, ">text"), (1.1, "<text"), (10, ">beat"), (10.1, "<answer"), (20, ">text"), (20.1, "<text")]
CODES = (1000, 1001, 1008, 1011, 3000, 4000, 4999)


def told(code, reason, *rows, **more):
    return diagnose(timeline(*TALK, *rows, (33.3, closed_by_peer(code, reason, **more))))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("reason", "causes"),
    [
        ("heartbeat timeout", {Cause.KEEPALIVE_TIMEOUT}),
        ("pong not received", {Cause.KEEPALIVE_TIMEOUT}),
        ("connection idle", {Cause.IDLE_TIMEOUT, Cause.READ_DEADLINE}),
        ("timeout", {Cause.READ_DEADLINE, Cause.IDLE_TIMEOUT}),
        ("client is too slow", {Cause.SLOW_CONSUMER}),
        ("too many messages", {Cause.RATE_LIMITED}),
        ("rate limit exceeded", {Cause.RATE_LIMITED}),
        ("message size limit", {Cause.MESSAGE_TOO_BIG}),
        ("restarting", {Cause.RESTART}),
        ("shutdown", {Cause.RESTART}),
        ("origin not allowed", {Cause.ORIGIN_REFUSED}),
        ("token expired", {Cause.AUTH_EXPIRED}),
        ("session expired", {Cause.SESSION_EXPIRED}),
    ],
)
def test_words_are_read_with_any_code(code, reason, causes):
    """The code that stands before them changes nothing."""
    assert told(code, reason).cause in causes


@pytest.mark.parametrize("code", [1008, 3000, 1011])
@pytest.mark.parametrize(
    "reason",
    [
        "",
        "\u63a5\u7d9a" * 20 + "\u7d42",
        "\x00\x01\x02\x1b[31m\x7f",
        "Verbindung beendet",
        "\u0441\u043e\u0435\u0434\u0438\u043d\u0435\u043d\u0438\u0435",
        "?" * 123,
    ],
)
def test_a_code_without_words_that_are_understood_is_at_most_medium(code, reason):
    """1008, 3000 and 1011 were seen for half a dozen causes each."""
    assert len(reason.encode()) <= 123
    assert told(code, reason).confidence is not HIGH


@pytest.mark.parametrize(
    ("reason", "first", "second"),
    [
        ("timeout: restart", Cause.READ_DEADLINE, Cause.RESTART),
        ("rate limit or message too big", Cause.RATE_LIMITED, Cause.MESSAGE_TOO_BIG),
        ("token expired, server shutting down", Cause.RESTART, Cause.AUTH_EXPIRED),
    ],
)
def test_words_that_contradict_each_other_name_both_causes(reason, first, second):
    """Neither is certain."""
    found = told(1000, reason)

    assert (found.cause, found.confidence) == (first, MEDIUM)
    assert second in found.alternatives


def test_a_close_frame_comes_before_a_parser_error_behind_it():
    """What stood behind the peer's last word is no cause of it."""
    found = told(1012, "", parser_error="invalid opcode", stray="HTTP/1.1 400 Bad Request")

    assert (found.cause, found.confidence) == (Cause.RESTART, HIGH)


def test_a_close_frame_comes_before_what_heartbeats_suggest():
    """Three heartbeats without an answer, and a peer that says why."""
    silent = [(22, ">beat"), (25, ">beat"), (28, ">beat")]
    found = told(1008, "token expired", *silent)

    assert (found.cause, found.confidence) == (Cause.AUTH_EXPIRED, HIGH)


@pytest.mark.parametrize(
    ("stray", "cause"),
    [
        ("java.io.IOException: Broken pipe\n", Cause.NO_FRAMES),
        # The frames go on behind the line that a process wrote among them.
        ("java.io.IOException: Broken pipe\n\x82\x64xxxxx", Cause.NO_FRAMES),
        ("segfault", Cause.NO_FRAMES),
        ("segfaul", Cause.PROTOCOL_ERROR),
        ("segfaul\n\x82\x64xxxxx", Cause.PROTOCOL_ERROR),
        ("\xc1\x05hello, all of you\n", Cause.PROTOCOL_ERROR),
    ],
)
def test_a_line_of_text_in_the_place_of_a_frame_is_no_frame(stray, cause):
    """Eight printable bytes before its end, whatever stands behind."""
    how = {"transport": TransportEnd.ABORTED, "parser_error": "reserved bits must be 0", "stray": stray}

    assert diagnose(timeline(*TALK, (33.3, how))).cause is cause

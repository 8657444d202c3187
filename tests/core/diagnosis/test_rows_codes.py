"""Rows for close codes that have a meaning: each code, and what else it may be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.cause import Blame, Cause, Confidence
from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.diagnosis.rows_codes import DEFINED, POLICIES, UNSAID
from pytest_wsstability.core.timeline.close import CloseEvidence
from pytest_wsstability.core.timeline.events import End, FaultName
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import closed_by_peer, timeline

ROWS = (*DEFINED, *POLICIES, *UNSAID)
TALK = [(10, ">audio"), (10.5, "<text")]
CODES = [
    *((code, []) for code in (1000, 1001, 1005, 1011, 3001, 4000)),
    (1003, ["PROTOCOL_ERROR"]),
    (1007, ["PROTOCOL_ERROR / CLOSED_BY_PEER"]),
    (1008, ["AUTH_EXPIRED / READ_DEADLINE RATE_LIMITED"]),
    (1009, ["MESSAGE_TOO_BIG"]),
    (1010, ["PROTOCOL_ERROR"]),
    (1012, ["RESTART"]),
    (1013, ["OVERLOADED"]),
    (1014, ["UPSTREAM_FAILED"]),
    (3000, ["AUTH_EXPIRED / READ_DEADLINE RATE_LIMITED"]),
    (3003, ["AUTH_EXPIRED"]),
    (4401, ["AUTH_EXPIRED"]),
    (4403, ["AUTH_EXPIRED"]),
    (4408, ["SESSION_NOT_CONFIRMED / READ_DEADLINE"]),
    (4409, ["SESSION_DUPLICATED"]),
    (4429, ["OVERLOADED / RATE_LIMITED"]),
]


@pytest.mark.parametrize(("code", "causes"), CODES)
def test_what_a_code_means(code, causes):
    """RFC 6455, IANA's registry, and conventions."""
    assert fitting(ROWS, read(*TALK, how=code)) == causes


@pytest.mark.parametrize(
    ("code", "end", "same_age", "rivals"),
    [
        (1008, 61.7, 0, "RATE_LIMITED"),
        (1008, 61.7, 1, "MAX_AGE RATE_LIMITED"),
        # Binance's day.
        (1008, 86_400, 0, "MAX_AGE RATE_LIMITED"),
        (3000, 61.7, 1, "MAX_AGE RATE_LIMITED"),
        (4401, 86_400, 1, ""),
    ],
)
def test_a_policy_may_be_a_limit_on_the_age(code, end, same_age, rivals):
    """Where its code says nothing of credentials."""
    rows = [(end - 7.3, ">audio"), (end - 0.2, ">audio")]
    (found,) = fitting(ROWS, read(*rows, end=end, how=code, beside={"same_age": same_age}))

    assert found == f"AUTH_EXPIRED / {rivals}".removesuffix(" / ")


@pytest.mark.parametrize(
    ("code", "reason", "causes"),
    [
        # SaltyRTC.
        (3003, "Handover of the signalling channel", ["AUTH_EXPIRED / CLOSED_BY_PEER"]),
        (3003, "Forbidden", ["AUTH_EXPIRED"]),
        (4403, "Handover of the signalling channel", ["AUTH_EXPIRED"]),
    ],
)
def test_a_library_may_have_had_a_code_before_the_registry(code, reason, causes):
    """Its words are then no rule's."""
    assert fitting(ROWS, read(*TALK, how=closed_by_peer(code, reason))) == causes


@pytest.mark.parametrize(
    ("rows", "causes"),
    [
        ([(1, ">info")], ["SESSION_NOT_CONFIRMED"]),
        ([(1, ">info"), (2, "<confirmed")], ["SESSION_NOT_CONFIRMED / READ_DEADLINE"]),
    ],
)
def test_4408_is_about_a_session_while_one_waits(rows, causes):
    """Another timeout may be meant where none does."""
    assert fitting(ROWS, read(*rows, how=4408)) == causes


@pytest.mark.parametrize(("largest", "is_small"), [(124, True), (125, True), (126, False)])
def test_nobodys_limit_is_smaller_than_a_control_frames(largest, is_small):
    """RFC 6455, section 5.5: 125 bytes."""
    features = read(*TALK, how=1009)
    features = replace(features, messages=replace(features.messages, largest=largest))

    assert (fitting(ROWS, features) == ["MESSAGE_TOO_BIG / PROTOCOL_ERROR"]) is is_small


@pytest.mark.parametrize(("silent", "fits"), [(0.75, False), (1, True), (30, True), (32, False)])
def test_a_protocol_error_after_a_silent_second_may_be_an_idle_timeout(silent, fits):
    """The longest silence of this end, and a number that people write."""
    causes = fitting(ROWS, read((0.5, ">audio"), (0.5, "<text"), end=0.5 + silent, how=1002))

    assert ("IDLE_TIMEOUT" in causes) is fits
    assert causes[-1] == "PROTOCOL_ERROR / IDLE_TIMEOUT"


@pytest.mark.parametrize(
    ("rows", "end", "line_end", "fits"),
    [
        ([], 0.02, End.CLIENT, True),
        ([(0.01, "<text")], 0.9375, End.CLIENT, True),
        # It may have been on its way before this was read.
        ([(0, ">info")], 0.02, End.CLIENT, True),
        ([(0, ">info")], 1, End.CLIENT, False),
        ([(0, ">info"), (0.01, ">text")], 0.02, End.CLIENT, False),
        ([], 1, End.CLIENT, False),
        ([(0.01, ">text")], 0.02, End.CLIENT, False),
        ([(0.01, "<ping"), (0.01, ">pong")], 0.02, End.CLIENT, False),
        ([], 0.02, End.SERVER, False),
    ],
)
def test_a_protocol_error_before_anything_was_said_is_about_the_request(rows, end, line_end, fits):
    """As of a server that wants another subprotocol, and says so once the connection is open."""
    line = timeline(*rows, (end, closed_by_peer(1002)), end=line_end)

    assert ("a subprotocol that is missing?" in diagnose(line).headline) is fits


@pytest.mark.parametrize(
    ("rows", "line_end", "fault", "blame", "last"),
    [
        # It answers its first ping with 1002 (deno-websocket 5), or what else is said.
        ([(30, ">ping")], End.SERVER, None, Blame.CLIENT, True),
        ([(28, ">ping"), (30, ">text")], End.SERVER, None, Blame.CLIENT, False),
        ([(28.9, ">ping"), (29, "<pong")], End.SERVER, None, Blame.CLIENT, False),
        # The test wanted it so, or the server is another one.
        ([(30, ">ping")], End.SERVER, FaultName.MALFORMED, Blame.SERVER, False),
        ([(30, ">ping")], End.CLIENT, None, Blame.CLIENT, False),
    ],
)
def test_a_client_that_refuses_right_frames(rows, line_end, fault, blame, last):
    """The reference server writes no others, unless a fault of the test says so."""
    line = timeline((0, "<text"), (0, ">text"), *rows, end=line_end)
    if fault is not None:
        line.fault_applied(1030.0, fault)
    line.over(1030.0, CloseEvidence(end=line_end, at=30.0, **closed_by_peer(1002)))
    found = diagnose(line)

    assert (found.cause, found.blame) == (Cause.PROTOCOL_ERROR, blame)
    assert ("last a ping" in found.headline) is last


@pytest.mark.parametrize(
    ("rows", "reason", "confidence"),
    [
        ([(30, ">ping")], "", Confidence.MEDIUM),
        ([(30, ">text")], "", Confidence.MEDIUM),
        # Nothing went out right before it; or its words are not understood.
        ([(28.9, ">ping"), (29, "<pong")], "", Confidence.LOW),
        ([(30, ">ping")], "so long", Confidence.LOW),
    ],
)
def test_a_protocol_error_that_may_be_about_no_frame_is_told_less_surely(rows, reason, confidence):
    """Whoever's record it is."""
    line = timeline((0.5, "<text"), *rows, (30, closed_by_peer(1002, reason)), end=End.SERVER)

    assert diagnose(line).confidence is confidence

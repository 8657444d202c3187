"""Rows for timers that a close reason speaks of: which of them, by what was silent."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.rows_said_timers import ROWS
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import closed_by_peer

TALK = [(at, "<text") for at in range(5, 100, 5)]
BOTH = [(at, what) for at in (2, 5, 40, 60, 80, 98) for what in (">text", "<text")]


def causes(reason, *rows, end=100):
    return fitting(ROWS, read(*rows, end=end, how=closed_by_peer(4008, reason)))


@pytest.mark.parametrize(("silent", "is_first"), [(0.75, False), (1, True)])
def test_an_idle_timeout_has_a_second_at_least(silent, is_first):
    """Shorter silences are between any two messages."""
    assert (causes("idle timeout", (0.5, ">text"), end=0.5 + silent)[0] == "IDLE_TIMEOUT") is is_first


@pytest.mark.parametrize(
    ("reason", "rows", "first"),
    [
        # Said nothing but in the first twentieth of its life.
        ("timed out", [(2, ">text")], "READ_DEADLINE / MAX_AGE"),
        ("timed out", [(5, ">text")], "READ_DEADLINE"),
        ("timed out", [(45, ">text")], "READ_DEADLINE"),
        # One ping is enough for a keepalive, where the reason may mean one.
        ("timed out", [(10, ">text"), (50, "<ping"), (50, ">pong")], "READ_DEADLINE / KEEPALIVE_TIMEOUT"),
        ("idle timeout", [(2, ">text"), (50, "<ping"), (50, ">pong")], "READ_DEADLINE"),
    ],
)
def test_a_timeout_without_a_name_may_be_several(reason, rows, first):
    """While the peer talked."""
    assert causes(reason, *TALK, *rows)[0] == first


@pytest.mark.parametrize(
    ("reason", "more", "first"),
    [
        # It counts something else: audio, an input of the user, pongs.
        ("did not receive audio data within the timeout window", [], "READ_DEADLINE"),
        ("closed due to inactivity", [], "READ_DEADLINE"),
        ("closed due to inactivity", [(97, "<ping"), (97, ">pong")], "READ_DEADLINE"),
        # Which timeout it was is said, or it may be any.
        ("read tcp 10.0.0.1:80: i/o timeout", [], "PONG_DEADLINE"),
        ("read deadline exceeded", [], "PONG_DEADLINE"),
        ("Session timed out.", [], "PONG_DEADLINE / MAX_AGE"),
        ("already timed out", [], "PONG_DEADLINE / MAX_AGE"),
        ("Session timed out.", [(97, "<ping"), (97, ">pong")], "IDLE_TIMEOUT"),
    ],
)
def test_a_timeout_that_messages_did_not_reset(reason, more, first):
    """The traffic went on to the end, both ways."""
    assert causes(reason, *BOTH, *more)[0] == first


@pytest.mark.parametrize(
    ("reason", "rows", "first"),
    [
        # Twitch's welcome, and nothing subscribed to: that is done by HTTP.
        ("connection unused", [(1, "<text")], "SESSION_NOT_CONFIRMED"),
        ("connection unused", [(at, "<text") for at in (1, 60, 99)], "SESSION_NOT_CONFIRMED"),
        ("unused", [(99, ">beat")], "SESSION_NOT_CONFIRMED"),
        # It was used before; by its URL, or by HTTP.
        ("connection unused", [(at, "<text") for at in (1, 2, 3, 4)], "IDLE_TIMEOUT / CLOSED_BY_PEER"),
        ("connection unused", [(1, ">text"), (1.1, "<text")], "IDLE_TIMEOUT / CLOSED_BY_PEER"),
        # Idleness needs no message to begin.
        ("idle timeout", [(1, "<text")], "IDLE_TIMEOUT"),
    ],
)
def test_a_connection_that_nothing_was_asked_of_is_unused(reason, rows, first):
    """Traffic would not keep it; what it waits for would."""
    assert causes(reason, *rows)[0] == first


@pytest.mark.parametrize(("last", "cause"), [(99.25, "READ_DEADLINE"), (60.5, "IDLE_TIMEOUT")])
def test_idleness_that_was_none_and_idleness(last, cause):
    """A silence that was the longest is what the reason speaks of."""
    rows = [(at, what) for at in (2, 30, 60, last) for what in (">text", "<text")]

    assert causes("closed due to inactivity", *rows)[0] == cause


@pytest.mark.parametrize(
    ("confirmed", "end", "first"),
    [
        ([], 99.52, None),
        ([(99.5, "<confirmed")], 99.52, "PONG_DEADLINE / MAX_AGE"),
        # The answer may take a while, but not longer than answers take.
        ([], 100.4, None),
        ([], 100.6, "PONG_DEADLINE / MAX_AGE"),
        ([(99.6, "<confirmed")], 100.4, "PONG_DEADLINE / MAX_AGE"),
    ],
)
def test_a_timeout_in_answer_to_the_session_is_the_sessions(confirmed, end, first):
    """What was resumed had timed out before; on this connection nothing has waited yet."""
    found = causes("Session timed out.", *BOTH, (99.5, ">info"), *confirmed, end=end)

    assert (found[0] if found else None) == first


@pytest.mark.parametrize(
    ("code", "reason", "first"),
    [
        (1011, "redis: connection pool timeout", "HANDLER_ERROR / UPSTREAM_FAILED"),
        (1011, "pq: canceling statement due to statement timeout", "HANDLER_ERROR / UPSTREAM_FAILED"),
        # No word beside it, or of what is read here.
        (1011, "connection timed out after 60 s", "READ_DEADLINE / HANDLER_ERROR"),
        (1011, "read tcp 10.0.0.1:80: i/o timeout", "READ_DEADLINE / HANDLER_ERROR"),
        (1011, "recv timed out", "READ_DEADLINE / HANDLER_ERROR"),
        # What a language raises where any time is over: asyncio.wait_for(ws.recv(), 55), say.
        (1011, "asyncio.exceptions.TimeoutError", "READ_DEADLINE / HANDLER_ERROR"),
        (1011, "concurrent.futures.TimeoutError", "READ_DEADLINE / HANDLER_ERROR"),
        (1011, "context deadline exceeded", "READ_DEADLINE / HANDLER_ERROR"),
        (1011, "ConnectionTimeout", "READ_DEADLINE / HANDLER_ERROR"),
        (1011, "redis.exceptions.TimeoutError", "HANDLER_ERROR / UPSTREAM_FAILED"),
        # A code of the peer's own says no more.
        (4000, "speech provider timed out", "READ_DEADLINE / HANDLER_ERROR"),
        (4000, "connection timed out after 60 s", "READ_DEADLINE"),
    ],
)
def test_what_timed_out_may_stand_beside_the_timeout(code, reason, first):
    """With 1011, an error of the sender's own, that comes first."""
    features = read(*TALK, (45, ">text"), end=100, how=closed_by_peer(code, reason))

    assert fitting(ROWS, features)[0] == first

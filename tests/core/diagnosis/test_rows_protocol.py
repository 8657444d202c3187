"""Rows for what the application's protocol says, and what each leaves open."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.cause import Confidence
from pytest_wsstability.core.diagnosis.engine import diagnose
from pytest_wsstability.core.diagnosis.rows_protocol import CODES, TIMERS
from pytest_wsstability.core.diagnosis.signature import Blamed
from pytest_wsstability.core.timeline.protocol_facts import Intervals
from pytest_wsstability.profiles.catalogue import shipped
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import FIN, closed_by_peer, timeline


@pytest.mark.parametrize(
    ("at", "text", "causes"),
    [
        (55, "rate limit exceeded", ["RATE_LIMITED"]),
        (54.75, "rate limit exceeded", []),
        (55, "oh", ["HANDLER_ERROR"]),
    ],
)
def test_an_error_message_is_about_an_end_within_five_seconds(at, text, causes):
    """Servers write one, and close."""
    assert fitting(CODES, read((1, ">text"), (at, "<error", text))) == causes
    assert fitting(CODES, read((1, ">text"), (at, "<error", text), how=OPEN)) == []


@pytest.mark.parametrize(
    ("text", "confidence"), [("rate limit exceeded", Confidence.MEDIUM), ("oh", Confidence.LOW)]
)
def test_an_error_without_a_keyword_says_little(text, confidence):
    """It is told in its own words all the same."""
    features = read((1, ">text"), (59, "<error", text))
    (row,) = [row for row in CODES if row.when(features)]

    assert row.confidence is confidence
    assert ("without a keyword" in row.shows) is (confidence is Confidence.LOW)


@pytest.mark.parametrize(
    ("at", "text", "cause"),
    [
        (56, "rate limit exceeded", "RATE_LIMITED"),
        # It came too early to be about the end, or tells no more than the reason.
        (54.5, "rate limit exceeded", "HANDLER_ERROR"),
        (56, "oh", "HANDLER_ERROR"),
        (56, "the request timed out", "HANDLER_ERROR"),
    ],
)
def test_an_error_message_tells_more_than_a_reason_that_speaks_of_an_error_only(at, text, cause):
    told = diagnose(
        timeline((1, ">text"), (at, "<error", text), (60, closed_by_peer(1011, "An error occurred")))
    )

    assert told.cause.name == cause


@pytest.mark.parametrize(
    ("code", "reason", "cause"),
    [
        # Discord's own words for 4009; and a word that means other things too.
        (4009, "Session timed out.", "SESSION_EXPIRED"),
        (4007, "Invalid seq", "SESSION_EXPIRED"),
        (4008, "quota", "RATE_LIMITED"),
        # Words that tell another thing are read first, and a code without a meaning leaves them all.
        (4007, "rate limit exceeded", "RATE_LIMITED"),
        (4009, "Internal Error", "HANDLER_ERROR"),
        (4100, "Invalid seq", "PROTOCOL_ERROR"),
    ],
)
def test_a_code_of_the_protocol_tells_more_than_vague_words_or_a_timeout(code, reason, cause):
    """Whoever writes such words means what the code means."""
    rows = [(at, ">text") for at in (10, 30, 50)]
    told = diagnose(timeline(*rows, (60, closed_by_peer(code, reason)), protocol=shipped("discord").facts))

    assert told.cause.name == cause


def timed(profile, *rows, end, how, client=None):
    """Which rows of timers fit, where a profile knows some."""
    intervals = Intervals(client=client) if client is not None else None
    protocol = shipped(profile).facts
    return fitting(TIMERS, read(*rows, end=end, how=how, protocol=protocol, intervals=intervals))


@pytest.mark.parametrize(
    ("profile", "agreed", "fits"),
    [
        # Nothing was agreed on yet, or heart-beats were; "heart-beat:0,0" wants none, so that no timer runs.
        ("stomp", None, True),
        ("stomp", Intervals(client=10, server=10), True),
        ("stomp", Intervals(), False),
        # Where one end alone names an interval, the default holds until it does.
        ("socketio", Intervals(timeout=20), True),
    ],
)
def test_a_timer_of_heartbeats_that_both_ends_agreed_not_to_send_does_not_run(profile, agreed, fits):
    """Spring's simple broker wants none by default, and nginx cuts what is silent for a minute."""
    beat = [(15, "<beat")] if profile == "socketio" else []
    how = closed_by_peer(1005) if profile == "socketio" else FIN
    features = read(*beat, end=60, how=how, protocol=shipped(profile).facts, intervals=agreed)

    assert bool(fitting(TIMERS, features)) is fits


@pytest.mark.parametrize(
    ("end", "text", "fits"),
    [
        (45, "Broker not available.", False),
        (45, "not_found", False),
        (45, "heart-beat timeout", True),
        # It ran out, to the instant.
        (30, "Broker not available.", True),
    ],
)
def test_an_error_message_before_the_end_says_more_than_a_timer_that_ran_for_longer(end, text, fits):
    """STOMP's ERROR."""
    said, agreed = (end, "<error", text), Intervals(client=10, server=10)
    features = read(said, end=end, how=1000, protocol=shipped("stomp").facts, intervals=agreed)

    assert bool(fitting(TIMERS, features)) is fits


@pytest.mark.parametrize(
    ("end", "how", "left"),
    [
        # MQTT's keep-alive: one and a half intervals of 10 s after the last message.
        (20, 1000, "READ_DEADLINE"),
        (35, 1000, "READ_DEADLINE / CLOSED_BY_PEER"),
        (20, FIN, "READ_DEADLINE / RESTART"),
        (35, FIN, "READ_DEADLINE / RESTART"),
    ],
)
def test_what_a_timer_of_the_protocol_leaves_open(end, how, left):
    """Its own length and its code leave nothing; a longer time, or no close frame, leaves another reason."""
    assert timed("mqtt", (5, ">text"), end=end, how=how, client=10)[-1] == left


@pytest.mark.parametrize(("last", "left"), [(1, "READ_DEADLINE"), (5, "READ_DEADLINE / KEEPALIVE_TIMEOUT")])
def test_a_timer_that_is_named_before_its_length(last, left):
    """Deepgram's ten seconds without audio."""
    named = closed_by_peer(1011, "NET-0001")

    assert timed("deepgram", (1, ">audio"), (last, ">audio"), end=11, how=named)[-1] == left


def test_whom_to_look_at_when_a_timer_of_the_protocol_fits():
    """The peer for the age of a connection, this end for what it did not send."""
    blame = {row.cause.name: row.blame for row in TIMERS}

    assert blame.pop("MAX_AGE") is Blamed.PEER
    assert set(blame.values()) == {Blamed.SELF}


@pytest.mark.parametrize("name", ["engineio", "socketio"])
@pytest.mark.parametrize(
    ("rows", "code", "causes"),
    [
        # Any other application may answer at this path, and its server closes.
        ([], 1005, []),
        ([(0.1, "<hello")], 1005, ["CLOSED_BY_PEER"]),
        # A code that says something by itself.
        ([], 1009, ["MESSAGE_TOO_BIG"]),
    ],
)
def test_an_ordinary_close_before_the_greeting_means_nothing_in_the_protocol(name, rows, code, causes):
    """Engine.IO sends its packet 0 at once, so that no session of it has begun."""
    protocol = shipped(name).facts
    found = fitting(CODES, read(*rows, end=0.3, how=closed_by_peer(code), protocol=protocol))

    assert [each.partition(" / ")[0] for each in found] == causes

"""Rows for a message of the peer's application that tells why nothing comes behind it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis.engine import diagnose
from pytest_wsstability.core.diagnosis.rows_last_words import (
    ANNOUNCED,
    CALLED_ERRORS,
    CLOSED,
    CUT,
    STATUSES,
    STOPPED,
    UNCLEAR,
)
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.profiles.catalogue import shipped
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import FIN, PLANNED, closed_by_peer, timeline

KICKED = '{"type": "kicked", "reason": "logged in from another device"}'
NORMAL = closed_by_peer(1000)


def said(text, how=NORMAL, *, end=61.1):
    """It was said at 61.1 s."""
    return read((61.1, "<feed", text), end=end, how=how)


def all_fitting(features):
    return [fitting(rows, features) for rows in (CLOSED, UNCLEAR, CUT, STOPPED)]


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (KICKED, "SESSION_DUPLICATED"),
        ('{"type": "message", "text": "JWT expired"}', "AUTH_EXPIRED"),
        ("closing: no activity for 60 seconds", "IDLE_TIMEOUT"),
        ('{"op": "maintenance"}', "RESTART"),
        ("ERROR: rate limit exceeded", "RATE_LIMITED"),
        ("Maximum session duration exceeded", "SESSION_EXPIRED"),
        ('{"code": 1013, "msg": "Too many connections"}', "OVERLOADED"),
    ],
)
def test_its_words_are_read_as_a_close_reason(text, cause):
    """With a close frame behind it, and with none."""
    assert all_fitting(said(text)) == [[cause], [], [], []]
    assert all_fitting(said(text, FIN)) == [[], [], [cause], []]


@pytest.mark.parametrize(
    ("text", "cause", "cut_by"),
    [
        ('{"type": "error", "message": "oops"}', "HANDLER_ERROR", "HANDLER_ERROR"),
        ('{"type": "end", "reason": "caller hung up"}', "CLOSED_BY_PEER", "RESTART"),
    ],
)
def test_words_that_are_no_keywords_are_told(text, cause, cut_by):
    """Who closes behind them did so on purpose; who was cut, maybe not."""
    assert all_fitting(said(text)) == [[], [cause], [], []]
    assert all_fitting(said(text, FIN)) == [[], [], [cut_by], []]


@pytest.mark.parametrize(
    ("code", "text", "cause", "confidence"),
    [
        *((code, KICKED, "SESSION_DUPLICATED", "medium") for code in (1008, 1011, 1013, 4401, 4409)),
        (4401, '{"type": "error", "message": "oops"}', "AUTH_EXPIRED", "medium"),
        (4403, "request timed out", "AUTH_EXPIRED", "medium"),
        (4409, '{"error": "invalid move"}', "SESSION_DUPLICATED", "medium"),
        (1013, '{"type": "end", "reason": "caller hung up"}', "OVERLOADED", "low"),
        # These leave most open.
        (1008, '{"type": "error", "message": "oops"}', "HANDLER_ERROR", "low"),
        (4402, "request timed out", "READ_DEADLINE", "low"),
        (1000, '{"type": "end", "reason": "caller hung up"}', "CLOSED_BY_PEER", "low"),
        (1011, '{"type": "end", "reason": "caller hung up"}', "HANDLER_ERROR", "low"),
    ],
)
def test_a_code_says_more_than_words_that_may_mean_anything(code, text, cause, confidence):
    told = diagnose(timeline((40, ">text"), (61.1, "<feed", text), (61.1, closed_by_peer(code))))

    assert (told.cause.name, told.confidence.value) == (cause, confidence)


@pytest.mark.parametrize(
    ("how", "end"),
    [
        # More than a second later, by this end, and not at all.
        (NORMAL, 62.11),
        (FIN, 62.11),
        (PLANNED, 61.1),
        (OPEN, 62.0),
    ],
)
def test_it_stands_right_before_an_end_that_the_peer_brings(how, end):
    """What came earlier is about something else."""
    assert all_fitting(said(KICKED, how, end=end)) == [[], [], [], []]


@pytest.mark.parametrize("how", [NORMAL, FIN])
def test_within_a_second(how):
    """Both are sent at once; the network may take a while."""
    assert ["SESSION_DUPLICATED"] in all_fitting(said(KICKED, how, end=62.09))


@pytest.mark.parametrize(
    ("messages", "beside", "fits"),
    [
        (6, {}, "SESSION_DUPLICATED"),
        (7, {}, "SESSION_DUPLICATED / CLOSED_BY_PEER"),
        (0, {"together": 2}, "SESSION_DUPLICATED / RESTART"),
    ],
)
def test_it_may_be_content_or_stand_there_by_accident(messages, beside, fits):
    """Where other messages come every ten seconds, or other connections end at the same instant."""
    feed = [(each, "<feed") for each in range(1, messages + 1)]
    features = read(*feed, (61.1, "<feed", KICKED), end=61.1, how=NORMAL, beside=beside)

    assert fitting(CLOSED, features) == [fits]


def test_it_may_be_content_like_messages_of_its_form():
    """However rarely they come."""
    alerts = [(at, "<feed", f'{{"alert": "{at} % of the disk"}}') for at in (10, 35)]
    features = read(*alerts, (61.1, "<feed", '{"alert": "too many requests"}'), end=61.1, how=NORMAL)

    assert fitting(CLOSED, features) == ["RATE_LIMITED / CLOSED_BY_PEER"]


OVERLOADED = '{"status": 503, "error": "Overloaded, try again later"}'


@pytest.mark.parametrize(
    ("text", "before", "more", "cause"),
    [
        (OVERLOADED, (), {}, ["OVERLOADED"]),
        ("ERROR: rate limit exceeded", (), {}, ["RATE_LIMITED"]),
        (OVERLOADED, (), {"together": 2}, ["OVERLOADED / RESTART"]),
        # It calls itself none, tells of a timer or of anything, or by a word among others.
        (KICKED, (), {}, []),
        ('{"error": "idle timeout"}', (), {}, []),
        ('{"error": "the request timed out"}', (), {}, []),
        ('{"error": "oops"}', (), {}, []),
        ('{"error": "Forbidden Planet"}', (), {}, []),
        # It was survived before; others show an age or a silence.
        (OVERLOADED, ((20, "<feed", OVERLOADED), (40, "<feed", OVERLOADED)), {}, []),
        (OVERLOADED, (), {"same_age": 2}, []),
        (OVERLOADED, (), {"same_silence": 2}, []),
    ],
)
def test_one_that_calls_itself_an_error_before_a_cut(text, before, more, cause):
    features = read(*before, (61.1, "<feed", text), end=61.1, how=FIN, beside=more)

    assert fitting(CALLED_ERRORS, features) == cause


@pytest.mark.parametrize(
    ("last", "cause", "confidence"),
    [
        ((50, "<feed", OVERLOADED), "OVERLOADED", "medium"),
        ((50, "<feed"), "READ_DEADLINE", "low"),
        # It came too early for that.
        ((48, "<feed", OVERLOADED), "READ_DEADLINE", "low"),
    ],
)
def test_a_timer_that_fits_by_chance_does_not_outweigh_it(last, cause, confidence):
    """A client that never spoke, and an age that timers have."""
    told = diagnose(timeline((20, "<feed"), (40, "<feed"), last, (50, FIN)))

    assert (told.cause.name, told.confidence.value) == (cause, confidence)


@pytest.mark.parametrize(("at", "cause"), [(60.0, ["OVERLOADED"]), (59.9, [])])
def test_an_error_of_a_stream_comes_with_the_end_that_it_explains(at, cause):
    """A log has one now and then, in other words each time, which stands before an end by chance."""
    lines = [(second, "<feed", f"INFO {second} requests") for second in range(2, 59, 2)]
    features = read(*lines, (at, "<feed", "ERROR: overloaded"), end=60.0, how=FIN)

    assert fitting(CALLED_ERRORS, features) == cause


def test_a_restart_that_is_told_is_not_its_own_runner_up():
    told = diagnose(timeline((20, "<feed"), (50, "<feed", '{"error": "server restarting"}'), (50, FIN)))

    assert told.cause.name == "RESTART"
    assert told.runner_up is not None
    assert told.runner_up.name == "READ_DEADLINE"


@pytest.mark.parametrize(("text", "cause"), [(OVERLOADED, "OVERLOADED"), ('{"left": 0}', "HANDLER_ERROR")])
def test_an_error_in_answer_to_a_message_tells_more_than_that_it_was_the_last(text, cause):
    told = diagnose(timeline((20, "<feed"), (47.3, ">text"), (47.3, "<feed", text), (47.3, FIN)))

    assert told.cause.name == cause


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        # A hint, one word among others, and two things at once.
        ('{"error": "invalid move"}', "PROTOCOL_ERROR / CLOSED_BY_PEER"),
        ('{"film": "Forbidden Planet"}', "AUTH_EXPIRED / CLOSED_BY_PEER"),
        ("bad gateway, session expired", "SESSION_EXPIRED / CLOSED_BY_PEER"),
        ("session expired", "SESSION_EXPIRED"),
    ],
)
def test_its_words_may_mean_something_else(text, fits):
    assert fitting(CLOSED, said(text)) == [fits]
    assert fitting(STOPPED, stopped(text=text)) == [fits.replace("CLOSED_BY_PEER", "ONE_WAY_DEAD")]


@pytest.mark.parametrize(
    ("how", "cause", "confidence"),
    [
        (NORMAL, "SESSION_DUPLICATED", "medium"),
        (closed_by_peer(1008), "SESSION_DUPLICATED", "medium"),
        # The close frame says why, too.
        (closed_by_peer(1012), "RESTART", "high"),
        (closed_by_peer(1000, "idle timeout"), "READ_DEADLINE", "medium"),
        (closed_by_peer(1000, "adieu"), "SESSION_DUPLICATED", "low"),
        (FIN, "SESSION_DUPLICATED", "low"),
    ],
)
def test_the_diagnosis_quotes_it(how, cause, confidence):
    """It is told where the end says nothing that is surer."""
    told = diagnose(timeline((40, ">text"), (61.1, "<feed", KICKED), (61.1, how)))

    assert (told.cause.name, told.confidence.value) == (cause, confidence)
    if cause == "SESSION_DUPLICATED":
        assert "the server's last message at 61.1 s" in str(told.evidence[0])
        assert "logged in from another device" in told.sentence
        assert told.headline.startswith('the server said {"type": "kicked", ')
        assert told.remedy.startswith("close the old connection before the new one")


@pytest.mark.parametrize(
    ("text", "cause", "confidence"),
    [
        ("An error occurred: see below", "HANDLER_ERROR", "low"),
        ("the request timed out, it failed", "READ_DEADLINE", "low"),
        ("invalid move", "PROTOCOL_ERROR", "low"),
        ("rate limit exceeded", "RATE_LIMITED", "medium"),
    ],
)
def test_words_that_much_text_has_say_little(text, cause, confidence):
    """Errors and timeouts are what programs talk about."""
    told = diagnose(timeline((40, ">text"), (61.1, "<feed", text), (61.1, NORMAL)))

    assert (told.cause.name, told.confidence.value) == (cause, confidence)


def stopped(*rows, text="JWT expired", end=72, broken=(Rule.FLOW,)):
    """Messages every five seconds, the last of them with this text, and none until the end."""
    feed = [*((each, "<feed") for each in range(1, 61, 5)), (61, "<feed", text)]
    return replace(read(*feed, *rows, end=end, how=OPEN), broken=frozenset(broken))


@pytest.mark.parametrize(
    ("features", "fits"),
    [
        (stopped(), ["AUTH_EXPIRED"]),
        (stopped((65, ">beat"), (66, "<answer")), ["AUTH_EXPIRED"]),
        (stopped(end=66), []),
        (stopped(text="hello"), []),
        (stopped(broken=()), []),
        # Something else stopped with them.
        (stopped((65, ">beat")), []),
        (stopped(broken=(Rule.FLOW, Rule.CADENCE)), []),
        (stopped(broken=(Rule.FLOW, Rule.HEARTBEATS)), []),
    ],
)
def test_a_stream_whose_last_message_says_why_it_is_over(features, fits):
    """The connection lives, and messages that are due stay away."""
    assert all_fitting(features) == [[], [], [], fits]


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1009, 1010, 1012, 1014])
def test_a_code_that_means_another_thing_is_no_surer_for_a_message(code):
    """Its reason speaks of an error, so that it is neither a restart nor a gateway for certain."""
    said = (61, "<feed", '{"type": "error", "message": "rate limit exceeded"}')
    told = diagnose(timeline((47, ">text"), said, (61.1, closed_by_peer(code, "Internal Error"))))

    assert (told.cause.name, told.confidence.value) == ("HANDLER_ERROR", "medium")


@pytest.mark.parametrize(
    ("code", "found"), [(4008, ("RATE_LIMITED", "high")), (4007, ("HANDLER_ERROR", "medium"))]
)
def test_a_code_of_the_protocol_and_a_message_have_to_agree(code, found):
    """Discord's 4008 is its limit, and 4007 a sequence number that is wrong; the reason names an error."""
    said = (61, "<feed", '{"type": "error", "message": "rate limit exceeded"}')
    end = (61.1, closed_by_peer(code, "Internal Error"))
    told = diagnose(timeline((47, ">text"), said, end, protocol=shipped("discord").facts))

    assert (told.cause.name, told.confidence.value) == found


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("line 9: rate limit exceeded for a job", "HANDLER_ERROR"),
        ('{"result": "rate limit exceeded for a job", "error": null}', "HANDLER_ERROR"),
        ('{"text": "rate limit exceeded for a job", "errors": []}', "HANDLER_ERROR"),
        ('{"type": "error", "message": "rate limit exceeded"}', "RATE_LIMITED"),
        ('{"result": null, "error": "rate limit exceeded"}', "RATE_LIMITED"),
    ],
)
def test_in_a_stream_a_message_has_to_call_itself_an_error(text, cause):
    """Its others are content too, and the reason says that there was an error."""
    stream = [(at, "<feed", "line") for at in range(1, 60)]
    told = diagnose(timeline(*stream, (61, "<feed", text), (61.1, closed_by_peer(1011, "Internal Error"))))

    assert told.cause.name == cause
    # One that does is no content, of which another would stand there by chance.
    assert told.confidence.value == "medium"


@pytest.mark.parametrize(
    ("text", "reason", "cause", "confidence"),
    [
        ("ERROR: rate limit exceeded", "An error occurred", "RATE_LIMITED", "medium"),
        ('{"type": "error", "message": "token expired"}', "Internal Error", "AUTH_EXPIRED", "medium"),
        # It tells no more than the reason does, or only by one word among others.
        ('{"type": "error", "message": "oops"}', "An error occurred", "HANDLER_ERROR", "medium"),
        ("the request timed out", "An error occurred", "HANDLER_ERROR", "medium"),
        ('{"film": "Forbidden Planet"}', "An error occurred", "HANDLER_ERROR", "medium"),
        # IBM Watson: the reason sends its reader to the message.
        (
            '{"error": "Session timed out."}',
            "see the previous message for the error details.",
            "READ_DEADLINE",
            "low",
        ),
    ],
)
def test_a_message_tells_more_than_a_reason_that_speaks_of_an_error_only(text, reason, cause, confidence):
    told = diagnose(timeline((40, ">text"), (61.1, "<feed", text), (61.1, closed_by_peer(1011, reason))))

    assert (told.cause.name, told.confidence.value) == (cause, confidence)


FULL = '[{"ev": "status", "status": "max_connections", "message": "Maximum number of connections exceeded."}]'
TRADES = [(second, "<feed", f'[{{"ev": "T", "p": {second}}}]') for second in range(1, 61)]


@pytest.mark.parametrize(
    ("text", "before", "more", "cause"),
    [
        # A stream of trades, and a word in another form (polygon-io/issues 49); one in a form of its own.
        (FULL, TRADES, {}, ["OVERLOADED"]),
        (KICKED, [], {}, ["SESSION_DUPLICATED"]),
        (KICKED, [], {"together": 2}, ["SESSION_DUPLICATED / RESTART"]),
        # It calls itself an error, is for people, tells of a timer, or by a word among others.
        (OVERLOADED, [], {}, []),
        ("logged in from another device", [], {}, []),
        ('{"type": "notice", "text": "idle timeout"}', [], {}, []),
        ('{"type": "notice", "text": "Forbidden Planet"}', [], {}, []),
        # Such messages came before; others show an age or a silence.
        (FULL, [(20, "<feed", FULL), (40, "<feed", FULL)], {}, []),
        (FULL, TRADES, {"same_age": 2}, []),
        (FULL, TRADES, {"same_silence": 2}, []),
    ],
)
def test_a_status_before_a_cut(text, before, more, cause):
    """Of a form that did not come before, it tells why, whatever timer fits by chance."""
    features = read(*before, (61.1, "<feed", text), end=61.1, how=FIN, beside=more)

    assert fitting(STATUSES, features) == cause


@pytest.mark.parametrize(
    ("at", "cause"), [(60.0, "OVERLOADED"), (59.96, "OVERLOADED"), (59.9, "READ_DEADLINE")]
)
def test_a_status_comes_with_the_cut_that_it_explains(at, cause):
    """Here at an age that timers have, of a client that never spoke."""
    told = diagnose(timeline(*TRADES[:-1], (at, "<feed", FULL), (60.0, FIN)))

    assert (told.cause.name, told.confidence.value) == (cause, "low")


STOPPING = '{"event": "info", "msg": "Stopping. Please try to reconnect"}'


@pytest.mark.parametrize(
    ("text", "before", "end", "more", "fits"),
    [
        # A feed that ends with the words that announce it, and a cut some time later.
        (STOPPING, TRADES, 71.1, {}, True),
        (STOPPING, TRADES, 181.0, {}, True),
        (STOPPING, TRADES, 181.2, {}, False),
        ('{"event": "serverShutdown"}', TRADES, 71.1, {}, True),
        # Nothing shows that the feed stopped; it came before; it tells of something else, or by chance.
        (STOPPING, TRADES, 62.1, {}, False),
        (STOPPING, [], 71.1, {}, False),
        (STOPPING, [*TRADES, (60.2, "<feed", STOPPING), (60.3, "<feed", STOPPING)], 71.1, {}, False),
        (FULL, TRADES, 71.1, {}, False),
        # Others show that it is a timer.
        (STOPPING, TRADES, 71.1, {"same_silence": 2}, False),
        (STOPPING, TRADES, 71.1, {"same_age": 2}, False),
    ],
)
def test_an_announcement_before_a_silence(text, before, end, more, fits):
    """The silence behind it is no idle timeout's."""
    features = read(*before, (61.1, "<feed", text), end=end, how=FIN, beside=more)

    assert (fitting(ANNOUNCED, features) == ["RESTART"]) is fits

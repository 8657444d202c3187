"""Close reasons, and what they speak of."""

import pytest

from pytest_wsstability.core.timeline.close_reasons import Reading, Topic, read_reason

T = Topic


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("keepalive ping timeout", T.KEEPALIVE),
        ("No response from heartbeat", T.KEEPALIVE),
        ("HeartbeatTimeout", T.KEEPALIVE),
        ("ping_timeout", T.KEEPALIVE),
        ("NET-0001: no audio within the timeout window", T.IDLE),
        ("Connection idle for too long", T.IDLE),
        ("closed: inactivity", T.IDLE),
        ("session timeout", T.TIMEOUT),
        ("i/o deadline exceeded", T.TIMEOUT),
        ("Policy error: client is too slow.", T.SLOW),
        ("SlowConsumer", T.SLOW),
        ("slow", T.SLOW),
        ("write queue full", T.SLOW),
        ("rate_limit_exceeded", T.RATE),
        ("too many requests, server busy", T.RATE),
        ("frame with 5000 bytes exceeds limit of 1000 bytes", T.SIZE),
        ("websocket: read limit exceeded", T.SIZE),
        ("Going away: deployment", T.RESTART),
        ("server shutting down", T.RESTART),
        ("Origin not allowed", T.ORIGIN),
        ("logged in elsewhere", T.DUPLICATE),
        ("token timed out", T.TOKEN),
        ("Unauthorized", T.TOKEN),
        ("session expired", T.SESSION_OVER),
        ("maximum session duration reached", T.SESSION_OVER),
        ("unexpected token < in JSON", T.PROTOCOL),
        ("upstream timed out", T.UPSTREAM),
        ("origin server unreachable", T.UPSTREAM),
        ("too many connections", T.OVERLOAD),
        ("Internal server error", T.ERROR),
        ("KeyError: 'x'", T.ERROR),
        ("\uff54\uff49\uff4d\uff45\uff4f\uff55\uff54", T.TIMEOUT),
    ],
)
def test_a_keyword_tells_the_topic(reason, topic):
    """Whatever the case, and however the words are joined."""
    assert read_reason(reason) == Reading(topic, None, has_words=True)


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("answers are slow", T.SLOW),
        ("request queue full", T.SLOW),
        ("backpressure in the broker", T.SLOW),
        ("rate this conversation", T.RATE),
        ("message size", T.SIZE),
        ("drain cleaner", T.RESTART),
        ("origin moved", T.ORIGIN),
        ("other session", T.DUPLICATE),
        ("login node is full", T.TOKEN),
        ("unsupported region", T.PROTOCOL),
        ("no such backend", T.UPSTREAM),
        ("busy line", T.OVERLOAD),
        ("connection unused", T.IDLE),
        ("stale connection", T.KEEPALIVE),
    ],
)
def test_a_word_that_means_other_things_too_is_a_hint(reason, topic):
    """It tells the topic, and is not clear."""
    reading = read_reason(reason)

    assert reading == Reading(topic, None, is_vague=True, has_words=True)
    assert not reading.is_clear


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("too many pings", T.RATE),
        ("Ping rate exceeded", T.RATE),
        ("heartbeats too often", T.RATE),
        ("token bucket empty", T.RATE),
        ("login flood", T.RATE),
        ("invalid ping payload", T.PROTOCOL),
        ("pong without ping", T.PROTOCOL),
        ("unexpected token < in JSON", T.PROTOCOL),
        ("message was too big for the output buffer", T.SIZE),
        ("origin returned 502", T.UPSTREAM),
        ("lost connection to origin", T.UPSTREAM),
        ("auth timeout", T.TOKEN),
    ],
)
def test_a_word_in_a_phrase_of_another_topic_is_no_word_of_its_own(reason, topic):
    """Pings that come too often are no keepalive that ran out; a hint beside clear words says nothing."""
    assert read_reason(reason) == Reading(topic, None, has_words=True)


@pytest.mark.parametrize(
    "reason",
    [
        "sample rate changed",
        "interest rate feed over",
        "font size",
        "slow query",
        "lagging replica",
        "stack overflow",
        "no data found",
        "no message with this id",
        "new session required",
        "please restart your client",
        "shopping cart closed",
        "operation generated",
        "the original author left",
        "goodbye",
        "max tokens reached",
        "\u63a5\u7d9a\u304c\u7d42\u4e86\u3057\u307e\u3057\u305f" * 5,
        "\x00\x01\x02\x1b[31m",
        "Verbindung beendet",
        "?" * 123,
    ],
)
def test_words_without_a_keyword_have_no_topic(reason):
    """A part of a word is none, and neither is another language."""
    assert read_reason(reason) == Reading(None, None, has_words=bool(reason.strip()))


@pytest.mark.parametrize(
    ("reason", "topics"),
    [
        ("timeout: restart", (T.TIMEOUT, T.RESTART)),
        ("token expired or origin server unreachable", (T.TOKEN, T.UPSTREAM)),
        ("rate limit or message too big", (T.RATE, T.SIZE)),
    ],
)
def test_words_that_contradict_each_other_have_two_topics(reason, topics):
    """Neither is then clear."""
    reading = read_reason(reason)

    assert (reading.topic, reading.other, reading.is_clear) == (*topics, False)


def test_an_empty_reason_says_nothing():
    """No words are something else than words that nobody knows."""
    assert read_reason("") == Reading()
    assert read_reason("  \t ") == Reading()

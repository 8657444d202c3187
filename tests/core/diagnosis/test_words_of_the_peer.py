"""What the peer says comes first: its words before its code, and its close frame before any inference."""

import pytest

from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.timeline.close import CloseFrame, TransportEnd
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


HEDGE = "its words may mean something else"


@pytest.mark.parametrize(
    ("code", "reason", "cause", "confidence"),
    [
        (4009, "Kicked by moderator: spamming", Cause.RATE_LIMITED, MEDIUM),
        (1008, "userBanned", Cause.AUTH_EXPIRED, MEDIUM),
        (4128, "forbidden word in chat", Cause.AUTH_EXPIRED, MEDIUM),
        (4116, "unauthorizedMove", Cause.AUTH_EXPIRED, MEDIUM),
        (4118, "shutdown of your turret", Cause.RESTART, MEDIUM),
        (4127, "overload of cargo", Cause.OVERLOADED, MEDIUM),
        # The whole reason says it.
        (4403, "forbidden", Cause.AUTH_EXPIRED, HIGH),
        (4120, "Maintenance", Cause.RESTART, HIGH),
        (4121, "slow down", Cause.RATE_LIMITED, HIGH),
        # A code of the standard does.
        (1012, "deploying build of turrets", Cause.RESTART, HIGH),
        # It makes no proof of a word that means other things even by itself.
        (1012, "reload", Cause.RESTART, MEDIUM),
        (1013, "overload of cargo", Cause.OVERLOADED, HIGH),
        (3000, "unauthorizedMove", Cause.AUTH_EXPIRED, HIGH),
    ],
)
def test_one_word_of_a_longer_reason_is_at_most_medium(code, reason, cause, confidence):
    """The others may be what it is about; the sentence says so."""
    found = told(code, reason)

    assert (found.cause, found.confidence) == (cause, confidence)
    assert (HEDGE in found.sentence) is (confidence is MEDIUM)


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ((1001, 1012), "deploying build of turrets"),
        ((1002, 1003, 1007), "malformed cargo"),
        ((1009,), "oversized cargo"),
        ((1013,), "overload of cargo"),
        ((1014,), "upstream of turrets"),
        ((3000, 3003), "unauthorizedMove"),
    ],
)
def test_codes_of_the_standard_confirm_the_one_word_of_their_meaning(codes, reason):
    """And no other code does: RFC 6455, section 7.4.1, and IANA's registry."""
    others = {1001, 1002, 1009, 1013, 1014, 3000, 4000}.difference(codes)

    assert {told(code, reason).confidence for code in codes} == {HIGH}
    assert {told(code, reason).confidence for code in others} == {MEDIUM}


@pytest.mark.parametrize(
    ("reason", "cause", "behind"),
    [
        ("OpenAI rate limit reached, try again in 20s", Cause.RATE_LIMITED, Cause.UPSTREAM_FAILED),
        ("request failed: invalid api key", Cause.AUTH_EXPIRED, Cause.UPSTREAM_FAILED),
        ("stream error: h2 protocol error", Cause.PROTOCOL_ERROR, Cause.UPSTREAM_FAILED),
        ("RPC::DEADLINE_EXCEEDED", Cause.HANDLER_ERROR, Cause.UPSTREAM_FAILED),
        # Celery's, of a worker behind the server.
        (
            "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)",
            Cause.RESTART,
            Cause.UPSTREAM_FAILED,
        ),
        # Google's of speech, handed on.
        (
            "Exceeded maximum allowed stream duration of 305 seconds.",
            Cause.SESSION_EXPIRED,
            Cause.UPSTREAM_FAILED,
        ),
    ],
)
def test_an_error_of_the_peers_own_may_have_come_from_behind_it(reason, cause, behind):
    """1011 says that it failed itself (RFC 6455, section 7.4.1), and no other code does."""
    found = told(1011, reason)

    assert (found.cause, found.confidence) == (cause, MEDIUM)
    assert behind in found.alternatives
    assert "1011 is an error of the server's own" in found.sentence
    assert behind not in told(4000, reason).alternatives


@pytest.mark.parametrize(
    "reason",
    [
        "sent 1011 (internal error) keepalive ping timeout; no close frame received",
        "received 1000 (OK); then sent 1000 (OK)",
        "received 1009 (message too big) frame with 2 MiB exceeds limit",
        "no close frame received or sent",
    ],
)
def test_the_end_of_another_connection_in_a_close_reason_is_one_behind_the_peer(reason):
    """Who passes the words of `websockets` on speaks of its own upstream: this end has not come yet."""
    for code in CODES:
        found = told(code, reason)

        assert (found.cause, found.confidence) == (Cause.UPSTREAM_FAILED, HIGH)


def test_what_a_client_is_told_to_do_is_no_restart_of_the_server():
    """Nothing of it is understood."""
    found = told(4108, "client restart required")

    assert (found.cause, found.confidence) == (Cause.CLOSED_BY_PEER, Confidence.LOW)


@pytest.mark.parametrize(
    ("reason", "is_age"),
    [
        ("maxAgeReached", True),
        ("connection lifetime exceeded", True),
        ("session lifetime exceeded", False),
        ("session expired", False),
    ],
)
def test_an_age_that_is_over_may_be_that_of_the_connection(reason, is_age):
    """A session is named where one is meant."""
    found = told(4000, reason)

    assert (found.cause, found.confidence) == (Cause.SESSION_EXPIRED, MEDIUM if is_age else HIGH)
    assert (found.runner_up is Cause.MAX_AGE and "limit on that of each" in found.sentence) is is_age


def test_a_close_frame_comes_before_a_parser_error_behind_it():
    """What stood behind the peer's last word is no cause of it."""
    found = told(1012, "", parser_error="invalid opcode", stray="HTTP/1.1 400 Bad Request")

    assert (found.cause, found.confidence) == (Cause.RESTART, HIGH)


@pytest.mark.parametrize(("code", "reason"), [(1011, ""), (1000, ""), (1008, "token expired"), (4000, "bye")])
def test_a_text_that_is_none_comes_before_the_close_frame_behind_it(code, reason):
    """A client fails the connection there; what the peer says of itself is told beside it."""
    found = told(code, reason, parser_error="invalid UTF-8 in a text message: invalid start byte")

    assert (found.cause, found.confidence) == (Cause.PROTOCOL_ERROR, MEDIUM)
    assert found.runner_up is Cause.CLOSED_BY_PEER


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


@pytest.mark.parametrize(
    ("stray", "is_message"),
    [
        ('{"type": "delta"}', True),
        ('["delta", 1, 2]', True),
        (', "index": 12}\n', True),
        ("java.io.IOException: Broken pipe\n", False),
    ],
)
def test_text_that_looks_like_json_may_be_a_message_without_its_head(stray, is_message):
    """Two tasks that write at once lose one; a line of a log is none."""
    how = {"transport": TransportEnd.ABORTED, "parser_error": "reserved bits must be 0", "stray": stray}
    found = diagnose(timeline(*TALK, (33.3, how)))

    assert (found.cause, Cause.PROTOCOL_ERROR in found.alternatives) == (Cause.NO_FRAMES, is_message)


def test_a_session_that_is_not_set_up_is_told_as_that():
    """Servers close who does not log in; once a session is confirmed they may mean another timeout."""
    session = [(0.1, "<hello"), (0.1, ">info")]
    words = "Did not receive auth message within 10 seconds"
    early = diagnose(timeline((10, closed_by_peer(1000, words))))
    late = diagnose(timeline(*session, (0.2, "<confirmed"), *TALK, (33.3, closed_by_peer(1000, words))))

    assert (early.cause, early.confidence) == (Cause.SESSION_NOT_CONFIRMED, HIGH)
    assert "right after the opening" in early.remedy
    assert (late.cause, late.confidence) == (Cause.SESSION_NOT_CONFIRMED, MEDIUM)
    assert Cause.READ_DEADLINE in late.alternatives


@pytest.mark.parametrize(("code", "second"), [(1001, Cause.RESTART), (1000, Cause.CLOSED_BY_PEER)])
@pytest.mark.parametrize(
    ("age", "last", "words", "is_limit"),
    [
        (7200, ">beat", "Going away", True),
        (7199, ">beat", "Going away", False),
        # Right after a message, or with words, it may be for those.
        (7200, ">text", "Going away", False),
        (7200, ">beat", "Sayonara", False),
    ],
)
def test_a_polite_close_at_a_known_limit_on_the_age_is_that(code, second, age, last, words, is_limit):
    """API Gateway says "Going away" after two hours, in the middle of talk."""
    beats = [row for at in range(300, 7199, 300) for row in ((at, ">text"), (at + 0.1, "<text"))]
    found = diagnose(timeline(*beats, (age, last), (age, closed_by_peer(code, words))))

    assert (found.cause is Cause.MAX_AGE) is is_limit
    assert found.confidence is Confidence.LOW
    if is_limit:
        assert second in found.alternatives
        assert "AWS API Gateway" in found.sentence


@pytest.mark.parametrize(("until", "is_limit"), [(7200, True), (7160, False)])
def test_a_polite_close_at_a_known_limit_came_in_the_middle_of_talk(until, is_limit):
    """After the longest silence, a deadline fits as well."""
    talk = [row for at in range(30, until, 30) for row in ((at, ">text"), (at + 0.1, "<text"))]

    assert (diagnose(timeline(*talk, (7200, closed_by_peer(1000)))).cause is Cause.MAX_AGE) is is_limit


@pytest.mark.parametrize("told", [{"origin": 1000}, {}])
def test_a_polite_close_at_a_known_limit_is_no_limit_of_those_that_ended_with_it(told):
    """Others of other ages, or an end that never spoke, though it answered each ping."""
    talk = [(at, ">text") for at in range(300, 7200, 300)] if told else []
    beats = [(at, what) for at in range(300, 7200, 300) for what in ("<ping", ">pong", "<text")]
    line = timeline(*sorted([*talk, *beats]), (7200, closed_by_peer(1001)), **told)
    beside = [
        timeline((at, ">text"), (at + 7.3, closed_by_peer(1001)), origin=8192.7 - at) for at in (31, 75)
    ]

    assert diagnose(line, cohort=[line, *beside] if told else ()).cause is Cause.RESTART


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_polite_close_of_several_at_one_age_is_told_as_a_limit_on_it(code):
    """Whatever the number: they ended at other instants; which of two kinds of limit is not told."""
    lines = [
        timeline(
            *((at, what) for at in range(1, 47) for what in (">beat", "<answer")),
            (47.3, closed_by_peer(code)), origin=1000 + start,
        )
        for start in (0, 7, 19)
    ]  # fmt: skip

    found = diagnose(lines[0], cohort=lines)
    assert (found.cause, found.confidence) == (Cause.MAX_AGE, Confidence.LOW)
    assert {Cause.PONG_DEADLINE, Cause.CLOSED_BY_PEER} <= set(found.alternatives)


WAITED = ["Authentication Timeout", "Connection not authorized within timeout", "not authenticated in time"]
CONFIRMED = [(0, ">info"), (0, "<confirmed")]


@pytest.mark.parametrize("reason", WAITED)
@pytest.mark.parametrize(
    ("rows", "at", "cause"),
    [
        ([], 2, Cause.SESSION_NOT_CONFIRMED),
        ([(1, ">text")], 2, Cause.SESSION_NOT_CONFIRMED),
        ([(1, ">text")], 120, Cause.SESSION_NOT_CONFIRMED),
        ([(1, ">text")], 120.01, Cause.AUTH_EXPIRED),
        # The server's session is no login, the client's is.
        ([(0, "<confirmed")], 30, Cause.SESSION_NOT_CONFIRMED),
        (CONFIRMED, 30, Cause.AUTH_EXPIRED),
    ],
)
def test_a_deadline_for_credentials_is_one_for_the_session(reason, rows, at, cause):
    """NATS closes who does not log in with 1008, whatever else it says; Pusher with 4009 after 30 s."""
    found = diagnose(timeline(*rows, (at, closed_by_peer(1008, reason))))

    assert (found.cause, found.confidence) == (cause, HIGH)


@pytest.mark.parametrize(
    ("reason", "confidence"),
    [
        ("Auth token timed out", MEDIUM),
        ("jwt timeout", MEDIUM),
        ("token expired: timeout", MEDIUM),
        ("permission check timed out", MEDIUM),
        ("authentication failed: invalid login timestamp", HIGH),
        ("access denied in time window", HIGH),
    ],
)
def test_what_else_times_out_is_no_deadline_for_credentials(reason, confidence):
    """Nobody says that none came; where a timeout is named, it may have been that."""
    found = diagnose(timeline((1, ">text"), (60, closed_by_peer(4401, reason))))

    assert (found.cause, found.confidence) == (Cause.AUTH_EXPIRED, confidence)


@pytest.mark.parametrize(
    ("rows", "at", "reason", "confidence"),
    [
        # Hocuspocus waits 30 s for a token, whatever else is said.
        ([(20, ">text"), (20, "<text")], 30, "Unauthorized", MEDIUM),
        ([(0.5, ">text")], 1, "not authenticated", MEDIUM),
        ([(0.5, ">text")], 0.99, "not authenticated", HIGH),
        ([(20, ">text")], 120, "authentication required", MEDIUM),
        ([(20, ">text")], 120.01, "authentication required", HIGH),
        # A client that was let in gave some.
        ([*CONFIRMED, (20, ">text")], 30, "Unauthorized", HIGH),
        # So did one whose token is not what it was, or not enough.
        ([(20, ">text")], 30, "token expired", HIGH),
        ([(20, ">text")], 30, "invalid token", HIGH),
        ([(20, ">text")], 30, "forbidden", HIGH),
    ],
)
def test_credentials_that_never_came_fit_as_long_as_servers_wait_for_them(rows, at, reason, confidence):
    """Tokens live for longer: nobody's had expired by then."""
    found = diagnose(timeline(*rows, (at, closed_by_peer(4401, reason))))

    assert (found.cause, found.confidence) == (Cause.AUTH_EXPIRED, confidence)
    assert (Cause.SESSION_NOT_CONFIRMED in found.alternatives) is (confidence is MEDIUM)


@pytest.mark.parametrize(
    ("stray", "cause", "words"),
    [
        ("\x15\x03\x03\x00\x02\x01\x00", Cause.NO_FRAMES, "where TLS ends"),
        ("\x17\x03\x04\x00", Cause.NO_FRAMES, "where TLS ends"),
        # What a WSGI server answers for a handler that raised; a gateway's own statuses are others.
        ("HTTP/1.1 500 INTERNAL SERVER ERROR\r\n", Cause.HANDLER_ERROR, "traceback"),
        ("HTTP/1.0 500 Oops", Cause.HANDLER_ERROR, "traceback"),
        ("HTTP/1.1 502 Bad Gateway\r\n", Cause.NO_FRAMES, "a proxy"),
        ("HTTP/1.1 501 Not Implemented\r\n", Cause.NO_FRAMES, "a proxy"),
        # Five is no version, and 24 no type, of TLS.
        ("\x17\x03\x05\x00", Cause.PROTOCOL_ERROR, "compression off"),
        ("\x18\x03\x03\x00", Cause.PROTOCOL_ERROR, "compression off"),
        ("\x1f\x8b\x08\x00", Cause.PROTOCOL_ERROR, "(gzip)"),
        ("\x1f\x8a\x08\x00", Cause.PROTOCOL_ERROR, "compression off"),
        ("7\r\n\x81\x05hello\r\n", Cause.PROTOCOL_ERROR, "chunks of HTTP"),
        ("1a2b3c4d5\r\n\x81", Cause.NO_FRAMES, "writes such text"),
        ("\x81\x05world", Cause.PROTOCOL_ERROR, "two tasks of the server write at once"),
        ("\x83\x05world", Cause.PROTOCOL_ERROR, "two tasks of it write at once"),
        ("\x80\x05world", Cause.PROTOCOL_ERROR, "continues nothing"),
        ("\x89\x05world", Cause.PROTOCOL_ERROR, "library's version"),
    ],
)
def test_what_stood_in_the_place_of_a_frame_says_whom_to_look_at(stray, cause, words):
    """Each by the bytes with which it begins."""
    how = {"transport": TransportEnd.ABORTED, "parser_error": "it was refused", "stray": stray}
    found = diagnose(timeline(*TALK, (33.3, how)))

    assert found.cause is cause
    assert words in found.remedy


def test_text_that_is_no_text_is_told_as_that_whoever_sent_it():
    """Bytes in a text message have nothing to do with compression."""
    sent = {"transport": TransportEnd.FIN, "sent": CloseFrame(1007), "parser_error": "invalid UTF-8"}
    refused = diagnose(timeline(*TALK, (33.3, sent)))
    told_so = told(1007, "Request contains an invalid argument.", (33.27, ">text"))
    bare = told(1007, "", (33.27, ">text"))

    assert {each.cause for each in (refused, told_so, bare)} == {Cause.PROTOCOL_ERROR}
    assert {each.confidence for each in (refused, told_so, bare)} == {HIGH}
    assert "as binary messages" in refused.remedy
    assert "as binary messages" in bare.remedy
    assert not any("compression" in each.remedy for each in (refused, told_so, bare))
    # By itself it is about no message.
    assert (told(1007, "").confidence, told(1007, "").runner_up) == (Confidence.LOW, Cause.CLOSED_BY_PEER)


@pytest.mark.parametrize(("code", "helps"), [(1002, True), (1007, False), (4000, False)])
def test_a_bit_of_a_frame_is_told_with_compression(code, helps):
    """That sets one of them; of a message that is refused, it says nothing."""
    found = told(code, "Invalid WebSocket frame: RSV1 must be clear", (33.27, ">text"))

    assert found.cause is Cause.PROTOCOL_ERROR
    assert ("compression off" in found.remedy) is helps


@pytest.mark.parametrize("code", [1000, 4000])
@pytest.mark.parametrize(("confirmed", "is_told"), [([], True), ([(0.2, "<confirmed")], False)])
def test_a_close_in_answer_to_the_sessions_first_message_is_about_that(code, confirmed, is_told):
    """A server that does not know the session may say so with a code that says little."""
    rows = [(0.1, "<hello"), (0.19, ">info"), *confirmed]
    found = diagnose(timeline(*rows, (0.21, closed_by_peer(code))))

    assert (found.cause is Cause.SESSION_NOT_CONFIRMED) is is_told
    if is_told:
        assert (found.confidence, found.runner_up) == (MEDIUM, Cause.SESSION_LOST)


def test_a_server_that_counts_messages_alone_is_among_the_causes():
    """Its pings go on; this end was silent for as long as timers are."""
    pings = [row for at in range(13, 60, 13) for row in ((at, "<ping"), (at, ">pong"))]
    closed = diagnose(timeline((0, ">text"), *pings, (60, closed_by_peer(4000))))
    cut = diagnose(timeline((0, ">text"), *pings, (60, {"transport": TransportEnd.FIN})))

    assert Cause.READ_DEADLINE in closed.alternatives
    assert Cause.READ_DEADLINE in (cut.cause, *cut.alternatives)


def test_a_mask_that_was_missing_may_be_missing_on_a_frame_of_a_proxys():
    """Caddy 2.6 sends its backend one, when it is terminated; the client's were right before."""
    rows = [(at, what) for at in (0.5, 1, 1.5, 2) for what in (">text", "<text")]
    found = diagnose(timeline(*rows, (2.5, closed_by_peer(1002, "incorrect masking"))))

    assert (found.cause, found.confidence) == (Cause.PROTOCOL_ERROR, Confidence.LOW)


@pytest.mark.parametrize("code", CODES)
def test_an_unavailable_service_is_overloaded_or_restarts(code):
    """It says no more (googleapis/python-genai 760)."""
    found = told(code, "The service is currently unavailable.")

    assert (found.cause, found.confidence) == (Cause.OVERLOADED, Confidence.LOW)
    assert Cause.RESTART in found.alternatives


@pytest.mark.parametrize(("code", "confidence"), [(1008, Confidence.HIGH), (1009, Confidence.LOW)])
def test_a_length_behind_the_code_of_sizes_may_be_one(code, confidence):
    """Of a stream people say so in minutes, and in bytes."""
    found = told(code, "max stream length exceeded")

    assert (found.cause, found.confidence) == (Cause.SESSION_EXPIRED, confidence)
    assert (Cause.MESSAGE_TOO_BIG in found.alternatives) is (code == 1009)

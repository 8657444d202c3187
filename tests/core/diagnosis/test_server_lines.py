"""What the server itself said at the instant of an end."""

from dataclasses import replace

import pytest

from pytest_wsstability.core.cause import Blame
from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.diagnosis.client_end import ClientEnd
from pytest_wsstability.core.diagnosis.lines import LineKind, ServerLine, all_printed, printed
from pytest_wsstability.core.diagnosis.server_lines import with_lines
from pytest_wsstability.core.diagnosis.told_anew import without_path
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import TransportEnd
from pytest_wsstability.core.timeline.events import End
from tests.core.script import FIN, PLANNED, closed_by_peer, timeline

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
# The end is at 47.3 s of a record that begins at 1000 s of the clock.
TALK = [row for at in range(1, 47) for row in ((at, ">beat"), (at + 0.1, "<answer"))]
KEEPALIVE = "keepalive ping timeout"
CUT = [*TALK, (47.3, FIN)]
PINGED = [*TALK, (20, "<ping", b"1"), (40, closed_by_peer(1011))]


def said(text, at=1047.3, **more):
    return ServerLine(at=at, text=text, **more)


def told(rows, *lines, alone=True, **more):
    record = timeline(*sorted(rows, key=lambda row: row[0]), **more)
    return with_lines(diagnose(record), [record], lines, alone=alone)


@pytest.mark.parametrize(
    ("line", "cause", "confidence"),
    [
        (said("KeyError: 'user'", kind=LineKind.RAISED), Cause.HANDLER_ERROR, HIGH),
        (said("ConnectionError: redis is away", kind=LineKind.RAISED), Cause.HANDLER_ERROR, HIGH),
        (said("ended with exit code 3", kind=LineKind.EXITED), Cause.RESTART, HIGH),
        (said("a CancelledError of its own", kind=LineKind.CANCELLED), Cause.HANDLER_ERROR, HIGH),
        (said("INFO    uvicorn.error: Shutting down", is_warning=False), Cause.RESTART, HIGH),
        (said("WARNING chat: too many messages of this client"), Cause.RATE_LIMITED, MEDIUM),
        (said("WARNING auth: token expired"), Cause.AUTH_EXPIRED, MEDIUM),
        # What processes of other languages print.
        (printed(1047.3, "panic: runtime error: index out of range [3]"), Cause.HANDLER_ERROR, HIGH),
        (printed(1047.3, "TypeError: Cannot read properties of undefined"), Cause.HANDLER_ERROR, HIGH),
        (printed(1047.3, "java.lang.IllegalStateException: no room"), Cause.HANDLER_ERROR, HIGH),
        (printed(1047.3, "Error [ERR_INVALID_ARG_TYPE]: a list"), Cause.HANDLER_ERROR, HIGH),
    ],
)
def test_a_line_of_the_server_at_that_instant_is_the_cause(line, cause, confidence):
    """Its words outrank a guess, and are quoted as the first evidence."""
    found = told(CUT, line)

    assert (found.cause, found.confidence) == (cause, confidence), found
    assert line.text.partition(":")[0] in found.sentence
    whose = {LineKind.EXITED: "process", LineKind.CANCELLED: "app"}.get(line.kind, "log")
    assert found.evidence[0].text.startswith(f"the server's {whose} at 47.3 s")


@pytest.mark.parametrize(
    "text",
    [
        "System.OperationCanceledException: The operation was canceled.",
        "System.ObjectDisposedException: Cannot access a disposed object.",
        "reactor.netty.channel.AbortedException: Connection has been closed BEFORE send operation",
        "Uncaught Error: Cannot call send() while not connected.",
        "Error [ERR_STREAM_WRITE_AFTER_END]: write after end",
        "Error: socket hang up",
        "panic: close of closed channel",
        "OSError: [Errno 9] Bad file descriptor",
        # Of a service behind the handler, which may have brought the end about.
        "redis.exceptions.ConnectionError: Connection closed by server.",
    ],
)
def test_an_error_that_says_that_something_is_over_may_come_of_the_end(text):
    """So it is never sure, and second to a timer that fits."""
    found = told(CUT, printed(1047.3, text))
    rows = [(1, ">text"), (1.1, "<text"), (61.1, FIN)]
    timed = told(rows, printed(1061.1, text))

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, MEDIUM)
    assert found.runner_up is told(CUT).cause
    assert (timed.cause, timed.confidence) == (Cause.IDLE_TIMEOUT, MEDIUM)
    assert timed.alternatives == (*told(rows).alternatives, Cause.HANDLER_ERROR)
    assert text.split(": ")[1][:20] in timed.evidence[0].text
    # One that says something else comes first.
    both = told(rows, printed(1061.1, text), printed(1061.1, "KeyError: 'user'"))
    assert both.sentence == "the server's handler failed: KeyError: 'user'"


NODE = """\
Error: WebSocket is not open: readyState 3 (CLOSED)
    at sendAfterClose (/srv/node_modules/ws/lib/websocket.js:1139:17)
    at Timeout._onTimeout (/srv/server.js:4:33)
    at listOnTimeout (node:internal/timers:581:17)"""
GO = """\
2026/11/28 13:15:12 http: panic serving 127.0.0.1:5000: repeated read on failed websocket connection
goroutine 34 [running, 2 minutes]:
panic({0x6b2c80?, 0x7a1f10?})
\t/usr/lib/go/src/runtime/panic.go:890 +0x262
main.(*Client).idleTimeout(0xc000126000, {0x6b2c80?, 0x7a1f10?})
\t/srv/rate_limit.go:12 +0x25
created by example.com/chat.v2/limits.idleTimeout in goroutine 1
\t/srv/rate_limit.go:12 +0x25"""
RUST = """\
thread 'main' (42) panicked at src/main.rs:42:30:
called `Result::unwrap()` on an `Err` value: ConnectionClosed
stack backtrace:
   3: chat::rate_limit::idle_timeout
             at ./src/main.rs:42:30"""
RUBY = """\
server.rb:3:in `write': Broken pipe (Errno::EPIPE)
\tfrom server.rb:5:in `idle_timeout'"""
PYTHON = """\
ERROR:    Exception in ASGI application: closed
  + Exception Group Traceback (most recent call last):
  |   File "rate_limit.py", line 63, in receive
  |     raise TimeoutError("too many requests")
  |     ~~~~~^^^^^
  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)
    | ConnectionError: redis went away"""


def test_a_deadline_for_messages_is_told_behind_a_ping_too():
    """What coder/websocket says of a read that took a ping before its time ran out."""
    rows = [(2, ">beat as ping"), (2.1, "<answer as pong"), (4, ">beat as ping"), (4.1, "<answer as pong")]
    line = (
        "failed to handle control frame opPing: WebSocket closed: read timed out: context deadline exceeded"
    )
    found = told([*rows, (4.2, FIN)], printed(1004.2, line))

    assert (found.cause, found.confidence) == (Cause.READ_DEADLINE, MEDIUM)
    assert line in found.sentence


@pytest.mark.parametrize("text", [NODE, GO, RUST, RUBY])
def test_places_below_an_error_are_no_words(text):
    """What a timer of Node has run is no timeout, nor is a function that is called so."""
    assert told(CUT, *all_printed((1047.3, line) for line in text.splitlines())) == told(CUT)


def test_a_panic_in_a_stack_of_go_is_a_place():
    """As the file and line below it; the head says it in words."""
    said_of_go = [line.text for line in all_printed((0.0, line) for line in GO.splitlines())]
    assert said_of_go == GO.splitlines()[:1]
    assert [line.text for line in all_printed([(0.0, "panic: boom (x)")])] == ["panic: boom (x)"]


def test_code_below_an_error_is_no_words():
    """Python prints it."""
    said_of_python = [line.text for line in all_printed((0.0, line) for line in PYTHON.splitlines())]
    assert [line.strip(" |+")[:15] for line in said_of_python] == [
        "ERROR:    Excep", "ExceptionGroup:", "ConnectionError",
    ]  # fmt: skip


@pytest.mark.parametrize("raised", [(), (printed(1047.3, "KeyError: 'room'"),)])
def test_a_process_that_ends_after_its_goodbye_is_blamed_for_an_error_only(raised):
    """A server that closed with 1001 is there to stop; one that was cut off is not."""
    goodbye = [(47.2, closed_by_peer(1001))]
    ended = said("ended with exit code 1", kind=LineKind.EXITED)

    assert ("the server's process ended" in told(goodbye, *raised, ended).sentence) is bool(raised)
    assert "the server's process ended" in told(CUT, *raised, ended).sentence


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("websockets.exceptions.InvalidMessage: did not receive a valid HTTP request", False),
        ("EOFError: connection closed while reading HTTP request line", False),
        ("EOFError: stream ends after 0 bytes, before end of line", False),
        ("panic: Error during the websocket handshake occurred: Protocol(HandshakeIncomplete)", False),
        ("panic: http: TLS handshake error from 127.0.0.1:50000: EOF", False),
        ("ValueError: no valid HTTP method", True),
        # A handler's own client has handshakes, too.
        ("TimeoutError: timed out during opening handshake", True),
        ("websockets.exceptions.InvalidMessage: did not receive a valid HTTP response", True),
        ("ConnectionError: SSL handshake with db.internal took longer than 60 seconds", True),
        ("ProtocolError: the room's handshake came twice", True),
    ],
)
def test_an_error_of_a_connection_that_never_opened_is_of_no_other(text, is_told):
    """Servers log one for each look whether they listen."""
    found = told(CUT, *all_printed([(1047.3, text)]))

    assert (text in found.sentence) is is_told


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ("server.rb:2:in `block (3 levels) in <main>': boom (RuntimeError)", True),
        ("server.rb:2:in 'Room#find': undefined method 'x' for nil (NoMethodError)", True),
        ("db.rb:5:in `connect': Connection refused - connect(2) for redis:6379 (Errno::ECONNREFUSED)", True),
        ("server.rb:2:in `block in <main>': warning: already initialized (constant)", False),
        ("server.rb:2: warning: method redefined (RuntimeError)", False),
    ],
)
def test_an_error_of_ruby_has_its_type_last(text, is_told):
    """Behind the place and the words."""
    found = told(CUT, *all_printed([(1047.3, text)]))

    assert (found.sentence == f"the server's handler failed: {text}") is is_told
    assert (found.cause is Cause.HANDLER_ERROR) is is_told


@pytest.mark.parametrize(
    ("text", "is_quoted"),
    [
        # What Flask prints at its start, which may be that of the next process.
        ("WARNING: This is a development server. Do not use it in a production deployment.", False),
        ("https://eventlet.readthedocs.io/en/latest/asyncio/migration.html", False),
        ("Gracefully stopping, the server shuts down: shutting down", True),
    ],
)
def test_a_word_that_may_mean_something_else_is_not_quoted(text, is_quoted):
    found = told(CUT, said("ended with exit code 3", kind=LineKind.EXITED), printed(1047.5, text))

    assert (text in " ".join(each.text for each in found.evidence)) is is_quoted


def test_what_was_raised_is_quoted_before_other_lines():
    """A level of a log is no error that was raised."""
    found = told(CUT, *all_printed((1047.3, line) for line in PYTHON.splitlines()))

    assert found.sentence == "the server's handler failed: ConnectionError: redis went away"
    assert found.evidence[0].text == "the server's log at 47.3 s: ConnectionError: redis went away"


@pytest.mark.parametrize(
    "line",
    [
        # Consequences of the end, whatever their words.
        said("ConnectionClosedError: no close frame received or sent", kind=LineKind.RAISED),
        said("starlette.websockets.WebSocketDisconnect: 1006", kind=LineKind.RAISED),
        said("CancelledError: ", kind=LineKind.RAISED),
        said("BrokenPipeError: [Errno 32] Broken pipe", kind=LineKind.RAISED),
        printed(1047.3, "Error: WebSocket is not open: readyState 3 (CLOSED)"),
        # A group only counts; what it is made of is printed below it.
        printed(1047.3, "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)"),
        printed(1047.3, "    | starlette.websockets.WebSocketDisconnect: (1006, None)"),
        # No words of a cause, or in passing.
        said("INFO    chat: connection closed", is_warning=False),
        said("INFO    auth: token of user 7 is valid", is_warning=False),
        # Of a cause, and no warning.
        said("INFO    chat: too many messages of this client", is_warning=False),
        said("ERROR   chat: \u63a5\u7d9a\u304c\u5207\u308c\u307e\u3057\u305f"),
        # Two things at once.
        said("WARNING proxy: timeout while restarting upstream"),
        # Another instant.
        said("KeyError: 'user'", at=1046.2, kind=LineKind.RAISED),
        said("KeyError: 'user'", at=1048.4, kind=LineKind.RAISED),
    ],
)
def test_other_lines_change_nothing(line):
    """The diagnosis stays what the record says."""
    assert told(CUT, line) == told(CUT)


@pytest.mark.parametrize(
    ("text", "is_warning", "confidence"),
    [
        ("INFO    uvicorn.error: Shutting down", False, HIGH),
        ("INFO    app: SIGTERM received, exiting", False, HIGH),
        ("INFO    game: player reached shutdown turret level", False, None),
        ("WARNING game: player reached shutdown turret level", True, MEDIUM),
        ("[2026-11-28 13:15:12 +0000] [7] [INFO] Worker exiting (pid: 7)", False, HIGH),
        ("INFO    app: shutting down mixer", False, MEDIUM),
        ("WARNING app: shutting down mixer", True, MEDIUM),
        # What a server stops of one connection, or of itself, while it goes on.
        ("INFO    app: Shutting down session 7 of ada", False, None),
        ("INFO    app: client disconnected, shutting down voice pipeline", False, None),
        ("INFO    app: Connection 7: shutting down", False, None),
        ("WARNING app: scheduler has been shut down", True, None),
        ("INFO    kernels: AsyncIOLoopKernelRestarter: restarting kernel (1/5)", False, None),
        ("WARNING daphne.server: Application <Task> for <Web> took too long to shut down", True, None),
    ],
)
def test_one_word_of_a_restart_among_others_may_mean_something_else(text, is_warning, confidence):
    """It counts where it warns, and is never sure."""
    found = told(CUT, said(text, is_warning=is_warning))

    if confidence is None:
        assert found == told(CUT)
    else:
        assert (found.cause, found.confidence) == (Cause.RESTART, confidence)
        assert (found.runner_up is None) is (confidence is HIGH)


@pytest.mark.parametrize("at", [1046.3, 1048.3])
def test_a_panic_that_a_server_of_go_caught_is_that_of_a_handler(at):
    """It goes on, and prints whose handler that was; but a connection that was over is no cause."""
    panic = "2026/11/28 13:15:12 http: panic serving 127.0.0.1:5000: "
    found = told(CUT, printed(at, f"{panic}runtime error: index out of range [3]"))
    over = told(CUT, printed(at, f"{panic}repeated read on failed websocket connection"))

    assert found.cause is Cause.HANDLER_ERROR
    assert over == told(CUT)


@pytest.mark.parametrize("at", [1046.3, 1048.3])
def test_how_near_a_line_has_to_be(at):
    """One second either way."""
    assert told(CUT, said("KeyError: 'user'", at=at, kind=LineKind.RAISED)).cause is Cause.HANDLER_ERROR


@pytest.mark.parametrize(
    ("at", "port", "confidence"),
    [
        (1047.26, None, HIGH),
        (1047.34, None, HIGH),
        (1047.24, None, MEDIUM),
        (1047.36, None, MEDIUM),
        # It names the client.
        (1046.3, 50_000, HIGH),
        (1046.3, 50_001, MEDIUM),
        # It came after the end, so that it has not brought it about.
        (1047.34, 50_000, HIGH),
        (1047.36, 50_000, MEDIUM),
    ],
)
def test_an_error_that_names_nobody_may_be_of_a_task_beside_the_handler(at, port, confidence):
    """But right at the end it is the handler's."""
    record = timeline(*CUT)
    record.port = 50_000
    line = said("KeyError: 'user'", at=at, kind=LineKind.RAISED, port=port)
    found = with_lines(diagnose(record), [record], [line], alone=True)

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, confidence)
    assert found.alternatives or confidence is HIGH


@pytest.mark.parametrize(
    ("what", "at", "confidence"),
    [
        ("<text", 46.36, MEDIUM),
        ("<audio", 46.36, MEDIUM),
        # It may have been on its way; and a pong needs no handler.
        ("<text", 46.34, HIGH),
        ("<ping", 46.36, HIGH),
    ],
)
def test_an_error_after_which_a_handler_went_on_may_not_have_ended_anything(what, at, confidence):
    """It was caught, and logged."""
    record = timeline(*TALK, (at, what), (47.3, FIN))
    record.port = 50_000
    line = said("KeyError: 'user'", at=1046.3, kind=LineKind.RAISED, port=50_000)
    found = with_lines(diagnose(record), [record], [line], alone=True)

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, confidence)


def test_an_error_of_a_task_beside_the_handlers_may_have_nothing_to_do_with_the_end():
    """Whenever it comes, and whether or not the handler returned then."""
    error = said("KeyError: 'user'", kind=LineKind.RAISED, is_beside=True)
    found = told(CUT, error)

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, MEDIUM)
    assert found.sentence == "a task of the server failed: KeyError: 'user'"
    assert found.runner_up is told(CUT).cause
    own = told(CUT, error, said("LookupError: 7", kind=LineKind.RAISED))
    assert own.sentence == "the server's handler failed: LookupError: 7"
    returned = told(CUT, error, RETURNED)
    assert (returned.cause, returned.confidence) == (Cause.CLOSED_BY_PEER, HIGH)


def test_a_keepalive_of_the_server_confirms_what_the_record_shows():
    """The client did not answer, and the server says for what it closed."""
    before = told(PINGED)
    found = told(PINGED, said("ERROR   websockets.server: keepalive ping timeout", at=1040))

    assert (before.cause, before.confidence) == (Cause.PING_UNANSWERED, MEDIUM)
    assert (found.cause, found.confidence) == (Cause.PING_UNANSWERED, HIGH)
    assert "keepalive ping timeout" in found.sentence


def test_a_shutdown_that_the_server_logs_confirms_what_its_close_code_says():
    """1001 alone may be for a reason of one connection."""
    rows = [*TALK, (47.3, closed_by_peer(1001))]
    before = told(rows)
    found = told(rows, said("INFO    uvicorn.error: Shutting down", is_warning=False))

    assert (before.cause, before.confidence) == (Cause.RESTART, LOW)
    assert (found.cause, found.confidence) == (Cause.RESTART, HIGH)
    assert found.sentence == f"{before.sentence}; the server logged: INFO    uvicorn.error: Shutting down"


@pytest.mark.parametrize(
    "text",
    [
        "DEBUG   websockets.server: % sending keepalive ping",
        "DEBUG   websockets.server: % received keepalive pong",
        "INFO    app: heartbeat under way",
        "INFO    app: restarted heartbeat timer",
    ],
)
def test_a_keepalive_that_goes_on_tells_nothing(text):
    """It has not given up; nor where it is printed without a level, as a warning would be."""
    assert told(PINGED, said(text, at=1040, is_warning=False)) == told(PINGED)
    assert told(CUT, printed(1047.3, text.partition(": ")[2])) == told(CUT)


@pytest.mark.parametrize(
    "text",
    [
        "WARNING app: no pong of ada",
        "INFO    app: closing for missed heartbeats",
        *(
            f"INFO    app: heartbeat {word}"
            for word in (
                "timed", "not there", "never there", "without answer", "missed", "failed", "lost", "late",
                "dead", "stale", "expired", "closing", "unanswered", "unresponsive",
            )
        ),
    ],
)  # fmt: skip
def test_a_keepalive_that_gave_up_in_other_words(text):
    """Something is missing, or too late."""
    assert told(PINGED, said(text, at=1040, is_warning=False)).confidence is HIGH


@pytest.mark.parametrize(
    ("code", "text", "confidence"),
    [
        (1001, "INFO    app: shutting down mixer", MEDIUM),
        (1001, "INFO    app: Shutting down", HIGH),
        # Nor does it make one less sure that is certain by itself.
        (1012, "INFO    app: shutting down mixer", HIGH),
    ],
)
def test_what_else_may_be_shut_down_makes_no_restart_sure(code, text, confidence):
    """Though the record says the same."""
    rows = [*TALK, (47.3, closed_by_peer(code))]
    found = told(rows, said(text, is_warning=False))

    assert (found.cause, found.confidence) == (Cause.RESTART, confidence)


def test_a_keepalive_of_the_server_says_not_why_the_pong_was_missing():
    """Where each ping was answered, that stays open."""
    rows = [
        *TALK,
        (20, "<ping", b"1"),
        (20, ">pong", b"1"),
        (40, closed_by_peer(1011, "keepalive ping timeout")),
    ]
    found = told(rows, said("DEBUG   websockets.server: keepalive ping timeout", at=1040, is_warning=False))

    assert found.cause is Cause.KEEPALIVE_TIMEOUT
    assert found.confidence is MEDIUM


def test_the_headline_begins_with_what_the_line_speaks_of():
    """A table shows its first words; a timeout has more to change than a log to read."""
    rows = [(1, ">beat"), (1.1, "<answer"), (2, ">beat"), (2.1, "<answer"), (2.2, FIN)]
    found = told(rows, printed(1002.1, "2026/11/28 13:15:12 read tcp 127.0.0.1:80->127.0.0.1:5: i/o timeout"))

    assert (found.cause, found.confidence) == (Cause.READ_DEADLINE, MEDIUM)
    assert found.headline.startswith("a timeout: the server logged: read tcp ")
    assert found.remedy.startswith("find where the server sets this deadline")
    limited = told(CUT, said("WARNING chat: too many messages of this client"))
    assert limited.headline.startswith("a rate limit: the server logged: ")
    assert limited.remedy.endswith("; see the server's log at this instant")


@pytest.mark.parametrize(
    ("text", "cause", "blame", "helps"),
    [
        ("[ERR] wid:5 - Slow Consumer Detected", Cause.SLOW_CONSUMER, Blame.CLIENT, "read faster"),
        ("too many messages of this client", Cause.RATE_LIMITED, Blame.CLIENT, "send less often"),
        (
            "failed to read: read limited at 32769 bytes",
            Cause.MESSAGE_TOO_BIG,
            Blame.CLIENT,
            "smaller messages",
        ),
        ("Client dev1 already connected", Cause.SESSION_DUPLICATED, Blame.CLIENT, "close the old connection"),
        ("too many open connections", Cause.OVERLOADED, Blame.SERVER, "raise the server's limit"),
        ("token expired", Cause.AUTH_EXPIRED, Blame.SERVER, "see the server's log"),
    ],
)
def test_a_line_says_whom_to_change_and_what_as_a_close_reason_would(text, cause, blame, helps):
    """Where the cause has one remedy; of others the log tells more."""
    found = told(CUT, printed(1047.3, text))

    assert (found.cause, found.confidence, found.blame) == (cause, MEDIUM, blame)
    assert helps in found.remedy
    assert "{" not in found.remedy


def test_a_limit_on_what_a_client_takes_is_no_failure_of_a_handler():
    """Spring raises an error, logs it and closes; other errors that speak of a size are the handler's."""
    kind = "org.springframework.web.socket.handler.SessionLimitExceededException"
    found = told(
        CUT, printed(1047.3, f"{kind}: Send time 10038 (ms) for session 'x' exceeded the limit 10000")
    )
    other = told(CUT, printed(1047.3, "ValueError: buffer size must be a multiple of element size"))

    assert (found.cause, found.confidence, found.blame) == (Cause.SLOW_CONSUMER, MEDIUM, Blame.CLIENT)
    assert (other.cause, other.confidence) == (Cause.HANDLER_ERROR, HIGH)


@pytest.mark.parametrize(
    ("text", "confirms"),
    [
        ("KeyError: 'timeout'", False),
        ("** (MatchError) no match of right hand side value: {:error, :timeout}", False),
        ("io.netty.handler.timeout.ReadTimeoutException", True),
        ("panic: read tcp 127.0.0.1:80->127.0.0.1:5: i/o timeout", True),
    ],
)
def test_an_error_confirms_a_timer_where_it_is_a_timeout(text, confirms):
    """One that has the word in it is the handler's."""
    rows = [(5, ">text"), (65, FIN)]
    found = told(rows, printed(1065, text))

    assert found.cause is (Cause.IDLE_TIMEOUT if confirms else Cause.HANDLER_ERROR)
    assert found.confidence is (MEDIUM if confirms else HIGH)


def test_a_bare_timeout_confirms_a_limit_on_the_age():
    """A deadline that nothing puts off, as the context of a request in Go has, is one."""
    talk = [row for at in range(1, 30, 7) for row in ((at, ">beat"), (at + 0.1, "<answer"))]
    records = [timeline(*talk, (30.2, FIN), origin=origin) for origin in (1000, 1007.3, 1015.9)]
    before = diagnose(records[0], cohort=records)
    line = printed(1030.2, "failed to get reader: context deadline exceeded")
    found = with_lines(before, records[:1], [line], alone=True)

    assert before.cause is found.cause is Cause.MAX_AGE
    assert (found.confidence, found.remedy) == (MEDIUM, before.remedy)
    assert line.text in found.sentence


def test_a_keepalive_that_gave_up_may_be_named_in_one_word():
    """EMQX."""
    line = "[warning] clientid: dev1, msg: socket_force_closed, reason: keepalive_timeout"

    assert told(CUT, printed(1047.3, line)).cause is Cause.KEEPALIVE_TIMEOUT


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("java.util.concurrent.TimeoutException: Idle timeout expired: 30001/30000 ms", Cause.IDLE_TIMEOUT),
        ("PingTimeoutError: no pong within 20 s", Cause.KEEPALIVE_TIMEOUT),
        # Its words are about something else, or its type is.
        ("TimeoutError: query took too long", Cause.HANDLER_ERROR),
        ("KeyError: 'idle'", Cause.HANDLER_ERROR),
    ],
)
def test_an_error_that_is_a_timeout_of_the_connection_is_no_failure_of_a_handler(text, cause):
    """Jetty raises one when its idle timeout runs out."""
    rows = [*TALK, (47.25, ">text"), (47.3, FIN)]
    found = told(rows, printed(1047.3, text))

    assert told(rows).cause not in (Cause.IDLE_TIMEOUT, Cause.KEEPALIVE_TIMEOUT)
    assert (found.cause, found.confidence) == (cause, HIGH if cause is Cause.HANDLER_ERROR else MEDIUM)


@pytest.mark.parametrize(("before", "counts"), [("", True), ("WARN: ", True), ("INFO:     ", False)])
def test_a_printed_line_counts_by_its_level_as_a_record_does(before, counts):
    """One without a level may be anything."""
    found = told(CUT, printed(1047.3, f"{before}token expired"))

    assert (found.cause is Cause.AUTH_EXPIRED) is counts
    # That the server goes needs no warning.
    assert told(CUT, printed(1047.3, f"{before}Shutting down")).cause is Cause.RESTART


def test_an_error_of_a_group_is_printed_behind_a_bar():
    """The group itself, before it, tells nothing."""
    group = "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)"
    found = told(CUT, printed(1047.3, group), printed(1047.3, "    | KeyError: 'x'"))

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, HIGH)
    assert found.sentence == "the server's handler failed: KeyError: 'x'"


@pytest.mark.parametrize("text", ["ERROR:    Exception in ASGI application", "error: something broke"])
def test_the_level_of_a_logger_is_no_error_that_nobody_caught(text):
    """What it was stands in a line of its own."""
    assert told(CUT, printed(1047.3, text)) == told(CUT)


@pytest.mark.parametrize(
    ("words", "blame"), [("[trace] Inactivity timeout", Blame.SERVER), ("i/o timeout", Blame.PATH)]
)
def test_an_idle_timeout_that_the_server_logs_is_its_own(words, blame):
    """Mojolicious; any timeout of the server may be one of the connection that it had to something else."""
    rows = [(5, ">text"), (65, FIN)]
    found = told(rows, printed(1065, words))

    assert (found.cause, found.confidence, found.blame) == (Cause.IDLE_TIMEOUT, MEDIUM, blame)
    assert told(rows).blame is Blame.PATH


def test_a_timeout_of_the_server_confirms_a_timer():
    """A read deadline that a handler let run out."""
    rows = [(5, ">text"), (65, FIN)]
    found = told(rows, said("TimeoutError: ", at=1065, kind=LineKind.RAISED))

    assert (found.cause, found.confidence) == (Cause.IDLE_TIMEOUT, MEDIUM)
    assert "TimeoutError" in found.sentence


@pytest.mark.parametrize("level", ["info", "error"])
@pytest.mark.parametrize(
    ("words", "cause"),
    [
        # nginx, of a connection on which nothing came for proxy_read_timeout.
        ("upstream timed out (110: Connection timed out) while proxying upgraded connection", None),
        ("upstream prematurely closed connection while reading upstream", Cause.UPSTREAM_FAILED),
    ],
)
def test_a_proxy_that_logs_a_timeout_confirms_an_idle_timeout(words, cause, level):
    """It says that of the server behind it; where that went, it says so as an error."""
    rows = [(5, ">text"), (5.1, "<text"), (73, FIN)]
    found = told(rows, printed(1073, f"2026/11/29 23:10:27 [{level}] 7#7: *2 {words}, client: 127.0.0.1"))

    assert (told(rows).cause, told(rows).confidence) == (Cause.IDLE_TIMEOUT, LOW)
    if cause is None:
        assert (found.cause, found.confidence) == (Cause.IDLE_TIMEOUT, MEDIUM)
        assert "upstream timed out" in found.sentence
    else:
        assert found.cause is (cause if level == "error" else Cause.IDLE_TIMEOUT)


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "2026/11/28 13:15:12 ",
        "2026-11-28T13:15:12.965Z ",
        "[2026-11-28 13:15:12,965] ",
        "2026-11-28 13:15:12+00:00: ",
        "[2026-11-28 13:15:12 +0000] ",
    ],
)
def test_a_bare_timeout_confirms_a_deadline_for_pongs(stamp):
    """All that gorilla/websocket says of one; the record tells more, and the quote needs no second clock."""
    rows = [*TALK[:4], (2.7, "<ping", b"1"), (3, FIN)]
    before = told(rows)
    found = told(rows, printed(1003, f"{stamp}read tcp 127.0.0.1:80->127.0.0.1:5: i/o timeout"))

    assert found.cause is before.cause is Cause.PING_UNANSWERED
    assert found.remedy == before.remedy
    assert (
        found.sentence
        == f"{before.sentence}; the server logged: read tcp 127.0.0.1:80->127.0.0.1:5: i/o timeout"
    )


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ([], "the server's process ended with exit code 3"),
        ([said("GET / 200", is_warning=False)], "the server's process ended with exit code 3"),
        (
            [said("ClientDisconnected: 1006", kind=LineKind.RAISED)],
            "the server's process ended with exit code 3",
        ),
        (
            [printed(1047.3, "TypeError: x of null"), printed(1047.3, "    at y.js:5")],
            "the server's process ended: TypeError: x of null",
        ),
    ],
)
def test_how_a_process_ended(others, words):
    """The error that nobody caught says more than a number."""
    record = timeline(*CUT)
    lines = [*others, said("ended with exit code 3", kind=LineKind.EXITED)]

    assert with_lines(diagnose(record), [record], lines, alone=True).sentence == words


@pytest.mark.parametrize(
    ("how", "confidence"),
    [(closed_by_peer(1011), HIGH), (closed_by_peer(1011, "failed"), HIGH), (FIN, MEDIUM)],
)
def test_a_server_that_says_that_it_failed_has_not_lost_the_connection(how, confidence):
    """So what is over is something that its handler needs; where nothing came, it may be the connection."""
    rows = [(1, ">text"), (1.1, "<text"), (31, ">text"), (31.01, how)]
    found = told(rows, printed(1031.01, "redis.exceptions.ConnectionError: Connection closed by server."))

    assert told(rows).cause is Cause.HANDLER_ERROR
    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, confidence)
    assert "redis" in found.sentence


@pytest.mark.parametrize(("text", "helps"), [("TimeoutError: ", True), ("KeyError: 'timeout'", False)])
def test_a_deadline_that_a_handler_set_itself_is_to_be_looked_for(text, helps):
    """Its traceback shows where: asyncio.wait_for(ws.recv(), 30), say."""
    found = told([*TALK, (47.3, closed_by_peer(1011))], said(text, kind=LineKind.RAISED))

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, HIGH)
    assert ("where the server sets this deadline" in found.remedy) is helps


@pytest.mark.parametrize(
    ("size", "how", "cause", "confidence"),
    [
        (">audio", FIN, Cause.MESSAGE_TOO_BIG, HIGH),
        (">audio", closed_by_peer(1011, "internal error"), Cause.MESSAGE_TOO_BIG, MEDIUM),
        # No message of its own came right before.
        (">ping", FIN, Cause.HANDLER_ERROR, HIGH),
    ],
)
def test_an_error_about_a_size_is_that_of_the_largest_message(size, how, cause, confidence):
    """SignalR closes "with an error" at a message over its limit, and logs which it was."""
    text = "System.IO.InvalidDataException: The maximum message size of 32768B was exceeded."
    found = told([*TALK, (47.3, size), (47.31, how)], printed(1047.31, text))

    assert (found.cause, found.confidence) == (cause, confidence)
    assert "The maximum message size of 32768B" in found.sentence


def test_what_helps_a_process_that_crashed():
    """A close frame before it is told to stop does not."""
    ended = said("was ended by SIGABRT", kind=LineKind.EXITED)
    crashed = told(CUT, printed(1047.3, "FATAL ERROR: Reached heap limit"), ended)

    assert crashed.sentence == "the server's process ended: FATAL ERROR: Reached heap limit"
    assert crashed.remedy.startswith("mend this error")
    assert told(CUT, ended).remedy.startswith("see why it ended: what runs out of memory")


@pytest.mark.parametrize(
    ("code", "other", "is_told"),
    [
        (1001, [], False),
        (1012, [], False),
        (1001, [said("LookupError: no room", kind=LineKind.RAISED)], True),
    ],
)
def test_a_process_that_closed_first_may_end_but_not_by_an_error(code, other, is_told):
    """That it should have closed is no advice then."""
    lines = [*other, said("ended with exit code 0", kind=LineKind.EXITED)]
    found = told([*TALK, (47.3, closed_by_peer(code))], *lines)

    assert found.cause is Cause.RESTART
    assert found.sentence.startswith("the server's process ended: LookupError") is is_told


@pytest.mark.parametrize("code", [1000, 1001, 1012])
def test_what_a_server_cancels_when_it_stops_is_no_crash(code):
    """It closed first; the error that a handler got then has ended no process."""
    rows = [*TALK, (47.3, closed_by_peer(code))]
    over = printed(1047.3, "System.OperationCanceledException: The operation was canceled.")
    ended = said("ended with exit code 0", kind=LineKind.EXITED)
    found = told(rows, over, ended)

    assert found.cause is Cause.RESTART
    assert "OperationCanceledException" not in found.sentence
    assert not found.remedy.startswith("mend this error")
    # Of one that said nothing, what nobody caught may be all that is known.
    assert "ended: System.OperationCanceledException" in told(CUT, over, ended).sentence
    # And what is no consequence of an end comes before what may be.
    assert "ended: KeyError" in told(rows, printed(1047.3, "KeyError: 'x'"), over, ended).sentence


def test_a_restart_that_is_certain_is_not_doubted_for_what_it_cancels():
    rows = [*TALK, (47.3, closed_by_peer(1012))]
    over = printed(1047.3, "System.OperationCanceledException: The operation was canceled.")

    assert told(rows).confidence is HIGH
    assert told(rows, over) == told(rows)


def test_a_deadline_that_is_a_guess_is_a_restart_where_the_process_ended():
    """The same normal close, after 30 s without messages of the client."""
    heard = [(at, "<text") for at in range(1, 60, 3)]
    rows = [*heard, (10, ">text"), (30, ">text"), (60, closed_by_peer(1000))]
    found = told(rows, said("ended with exit code 0", at=1060.0, kind=LineKind.EXITED))

    assert (told(rows).cause, told(rows).confidence) == (Cause.READ_DEADLINE, LOW)
    assert (found.cause, found.confidence, found.runner_up) == (Cause.RESTART, MEDIUM, Cause.READ_DEADLINE)


@pytest.mark.parametrize(("at", "is_told"), [(999.99, False), (1000.0, True)])
def test_a_process_that_ended_before_the_opening_was_another_one(at, is_told):
    """A test had started the command again: the connection was opened to the new process."""
    lines = [said("KeyError: 'x'", at=1000.3, kind=LineKind.RAISED)]
    found = told([(0.3, FIN)], *lines, said("ended", at=at, kind=LineKind.EXITED))

    assert found.cause is (Cause.RESTART if is_told else Cause.HANDLER_ERROR)


@pytest.mark.parametrize("code", [1000, 1005])
def test_a_close_that_says_nothing_is_a_restart_where_the_process_ended(code):
    """As fastify closes; but a process may also end because the connection was its last."""
    rows = [*TALK, (47.3, closed_by_peer(code))]
    found = told(rows, said("ended with exit code 0", kind=LineKind.EXITED))

    assert told(rows).cause is Cause.CLOSED_BY_PEER
    assert (found.cause, found.confidence, found.runner_up) == (Cause.RESTART, MEDIUM, Cause.CLOSED_BY_PEER)
    assert found.sentence == "the server's process ended with exit code 0"
    assert found.remedy.endswith("should close with 1001 or 1012 first")


def test_an_error_explains_the_page_of_an_http_server_in_the_stream():
    """Flask-sock under gunicorn: the page is written to the socket that was a WebSocket."""
    page = {"transport": TransportEnd.FIN, "parser_error": "reserved bits", "stray": "HTTP/1.1 500 OOPS\r\n"}
    rows = [*TALK, (47.3, page)]
    found = told(rows, printed(1047.3, "KeyError: 'boom'"))

    assert (found.cause, found.confidence) == (Cause.HANDLER_ERROR, HIGH)
    assert found.sentence == "the server's handler failed: KeyError: 'boom'"
    assert (told(rows).confidence, told(rows).blame) == (MEDIUM, Blame.SERVER)


RETURNED = said("its function returned", kind=LineKind.RETURNED)


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        (said("KeyError: 'user'", kind=LineKind.RAISED), Cause.HANDLER_ERROR),
        (said("ClientDisconnected: 1006", kind=LineKind.RAISED), Cause.CLOSED_BY_PEER),
        (said("ERROR   chat: no such user"), Cause.CLOSED_BY_PEER),
    ],
)
def test_a_handler_whose_error_was_logged_has_not_just_returned(other, cause):
    """A framework that catches what a handler raised, and logs it, returns to the server."""
    for lines in ([other, RETURNED], [RETURNED, other]):
        found = told(CUT, *lines)

        assert (found.cause, found.confidence) == (cause, HIGH), found


@pytest.mark.parametrize(
    ("kind", "cause"), [(LineKind.RETURNED, Cause.CLOSED_BY_PEER), (LineKind.CANCELLED, Cause.HANDLER_ERROR)]
)
def test_a_handler_that_is_done_after_an_end_has_not_ended_it(kind, cause):
    """It would have been done before, or at that instant."""
    assert told(CUT, said("done", kind=kind, at=1046.3)).cause is cause
    assert told(CUT, said("done", kind=kind, at=1047.34)).cause is cause
    assert told(CUT, said("done", kind=kind, at=1047.36)) == told(CUT)


def test_a_line_of_another_process_that_names_the_client_is_read_late():
    """By its text: it has no instant of its own."""
    record = timeline(*CUT)
    record.port = 50_000
    panic = printed(1048.2, "http: panic serving 127.0.0.1:50000: index out of range")

    assert with_lines(diagnose(record), [record], [panic], alone=False).confidence is HIGH


LINES = {
    "of another port": said("KeyError: 'user'", kind=LineKind.RAISED, port=40_001),
    "of nobody": said("KeyError: 'user'", kind=LineKind.RAISED),
    "of a longer number": said("KeyError: 'user' of 127.0.0.1:400007", kind=LineKind.RAISED),
    "of this port": said("KeyError: 'user'", kind=LineKind.RAISED, port=40_000),
    "with this port": said("KeyError: 'user' of 127.0.0.1:40000", kind=LineKind.RAISED),
    "with this session": said("KeyError: session alpha-1 is unknown", kind=LineKind.RAISED),
    "of another port, with this session": said(
        "KeyError: session alpha-1 is unknown", port=40_001, kind=LineKind.RAISED
    ),
    "of the process": said("ended with exit code 3", kind=LineKind.EXITED),
}


@pytest.mark.parametrize("name", list(LINES))
def test_with_several_connections_only_lines_about_this_one_count(name):
    """By its port, or its session's id; a process that ends is everybody's."""
    record = timeline(*CUT)
    record.port, record.session_id = 40_000, "alpha-1"
    before = diagnose(record)
    counts = name not in ("of another port", "of nobody", "of a longer number")

    assert (with_lines(before, [record], [LINES[name]], alone=False) != before) is counts


def test_a_proxy_of_the_test_has_the_port_that_the_server_sees():
    """Its record is one of those of the connection."""
    record, proxy = timeline(*CUT), timeline(end=End.PROXY, until=48)
    record.port, proxy.port = 39_000, 40_000
    found = with_lines(diagnose(record), [record, proxy], [LINES["of this port"]], alone=False)

    assert found.cause is Cause.HANDLER_ERROR


@pytest.mark.parametrize(
    "rows",
    [
        [*TALK, (47.3, PLANNED)],
        [*TALK, (47, "<notice"), (47.3, closed_by_peer(1001))],
        [*TALK, (46, "lag", 4.0), (47.3, FIN)],
    ],
)
def test_what_is_settled_needs_no_words_of_the_server(rows):
    """This end's own close, a notice, and the test's own trouble."""
    assert told(rows, LINES["of nobody"]) == told(rows)


def test_words_of_a_close_frame_are_not_replaced_by_a_log():
    """What the server told the client is what it meant."""
    rows = [*TALK, (47.3, closed_by_peer(1008, "rate limit exceeded"))]

    assert told(rows, LINES["of nobody"]).cause is Cause.RATE_LIMITED


def test_an_open_connection_is_not_read_from_the_log():
    """There is no instant of an end."""
    record = timeline(*TALK, until=60)

    found = diagnose(record)
    assert with_lines(found, [record], [LINES["of nobody"]], alone=True) is found


# Its last heartbeat, at 47 s, is not answered; the handler took the one before.
HUNG = [*TALK, (47, ">beat")]
BUSY = LineKind.BUSY


@pytest.mark.parametrize(
    ("rows", "line", "alone", "cause"),
    [
        (HUNG, said("busy", 1046.05, kind=BUSY), True, Cause.PEER_NOT_READING),
        (HUNG, said("busy", 1046.05, kind=BUSY, port=4), False, Cause.PEER_NOT_READING),
        # It may have taken the heartbeat itself, a moment later.
        (HUNG, said("busy", 1048.0, kind=BUSY), True, Cause.PEER_NOT_READING),
        (HUNG, said("busy", 1048.1, kind=BUSY), True, Cause.HALF_OPEN),
        # The handler of another connection, or it is not known whose.
        (HUNG, said("busy", 1046.05, kind=BUSY, port=5), False, Cause.HALF_OPEN),
        (HUNG, said("busy", 1046.05, kind=BUSY), False, Cause.HALF_OPEN),
        # A ping is answered without a handler.
        ([*TALK, (47, ">beat as ping", b"1")], said("busy", 1046.05, kind=BUSY), True, Cause.HALF_OPEN),
        # It has ended, with every heartbeat answered.
        (CUT, said("busy", 1047.2, kind=BUSY), True, Cause.IDLE_TIMEOUT),
    ],
)
def test_a_heartbeat_behind_a_handler_that_hangs(rows, line, alone, cause):
    """Its app's server saw what it asked for, so nothing else is blamed."""
    record = timeline(*rows, until=None if rows is CUT else 60)
    record.port = 4
    found = with_lines(diagnose(record), [record], [line], alone=alone)

    assert found.cause is cause, found
    if cause is Cause.PEER_NOT_READING:
        assert found.confidence is HIGH
        assert found.headline == "server stopped answering heartbeats at 47 s: its handler hangs"
        assert found.evidence[0].text.startswith("the server's app at ")


def test_a_handler_that_hangs_confirms_an_end_that_reads_no_more():
    """What the record says of it stays."""
    record = timeline(*HUNG, until=60)
    read = replace(diagnose(record), cause=Cause.PEER_NOT_READING, confidence=MEDIUM)
    found = with_lines(read, [record], [said("busy", 1046.05, kind=BUSY)], alone=True)

    assert (found.cause, found.confidence, found.sentence) == (read.cause, HIGH, read.sentence)
    assert found.evidence[0].text.startswith("the server's app at ")


TAKEN = LineKind.TAKEN
# Never answered; answered until 47 s.
NEW = [(25, ">beat"), (50, ">beat")]


@pytest.mark.parametrize(
    ("rows", "at", "cause", "confidence", "headline"),
    [
        (HUNG, 47.0, Cause.ZOMBIE, HIGH, "server stopped answering heartbeats at 47 s: its app hangs"),
        (HUNG, 55.0, Cause.ZOMBIE, HIGH, "server stopped answering heartbeats at 47 s: its app hangs"),
        # What it has taken is another message, from before.
        (HUNG, 46.9, Cause.HALF_OPEN, LOW, "no answer, and nothing else was due: dead path?"),
        (NEW, 50.0, Cause.ZOMBIE, MEDIUM, "no heartbeat was ever answered: does the server know it?"),
        # One that is answered without a handler.
        ([*TALK, (47, ">beat as ping", b"1")], 47.0, Cause.HALF_OPEN, LOW, None),
    ],
)
def test_a_heartbeat_that_the_app_took_and_did_not_answer(rows, at, cause, confidence, headline):
    """A framework that reads ahead takes it, whatever the handler does: no path has lost it."""
    record = timeline(*rows, until=60)
    line = said("it took a message, and has sent none since", 1000.0 + at, kind=TAKEN)
    found = with_lines(diagnose(record), [record], [line], alone=True)

    assert (found.cause, found.confidence) == (cause, confidence), found
    assert headline in (None, found.headline)
    assert (found.blame is Blame.SERVER) == (cause is Cause.ZOMBIE)


def test_of_a_handler_that_hangs_it_is_told_that_it_asks_for_nothing():
    """It has taken the heartbeat too, and sent nothing since."""
    record = timeline(*HUNG, until=60)
    lines = [said("busy", 1047.0, kind=BUSY), said("taken", 1047.0, kind=TAKEN)]

    assert with_lines(diagnose(record), [record], lines, alone=True).cause is Cause.PEER_NOT_READING


NEST = "[Nest] 9 - 11/30/2026, 10:08:19 PM ERROR [WsExceptionsHandler] Error: no database"
MOJO = "Mojo::Reactor::Poll: I/O watcher failed: no database at app.pl line 3."
# The one at 47 s is not answered; the next are.
SKIPPED = [*HUNG, (48, ">beat"), (48.1, "<answer"), (49, ">beat"), (49.1, "<answer")]


@pytest.mark.parametrize(
    ("rows", "line", "cause"),
    [
        (HUNG, printed(1047.0, NEST), Cause.HANDLER_ERROR),
        (HUNG, printed(1047.01, MOJO), Cause.HANDLER_ERROR),
        (HUNG, printed(1048.0, "TypeError: x is undefined"), Cause.HANDLER_ERROR),
        (NEW, printed(1025.0, MOJO), Cause.HANDLER_ERROR),
        (SKIPPED, printed(1047.0, MOJO), Cause.HANDLER_ERROR),
        # Of another instant, no error, and what a server says of an end.
        (HUNG, printed(1046.9, MOJO), Cause.HALF_OPEN),
        (HUNG, printed(1048.1, MOJO), Cause.HALF_OPEN),
        (HUNG, printed(1047.0, "[warn] slow query took 300 ms"), Cause.HALF_OPEN),
        (HUNG, printed(1047.0, "INFO: no error in 2 of 2 checks"), Cause.HALF_OPEN),
        (HUNG, printed(1047.0, "Error: write EPIPE"), Cause.HALF_OPEN),
        # All are answered, and one by ping needs no handler.
        (TALK, printed(1046.0, MOJO), None),
        ([*TALK, (47, ">beat as ping", b"1")], printed(1047.0, MOJO), Cause.HALF_OPEN),
    ],
)
def test_a_heartbeat_that_met_an_error_of_the_server(rows, line, cause):
    """Many servers catch what a handler raises, and keep the connection."""
    record = timeline(*rows, until=60)
    read = diagnose(record)
    found = with_lines(read, [record], [line], alone=True)

    assert found.cause is (cause or read.cause), found
    if cause is Cause.HANDLER_ERROR:
        assert (found.confidence, found.blame) == (MEDIUM, Blame.SERVER)
        assert found.headline.startswith("the heartbeat at ")
        assert found.evidence[0].text.startswith("the server's log at ")
        # One that has never answered any may not know them (y-websocket: "Unexpected end of array").
        assert ("--ws-profile" in found.remedy) == (rows is NEW)


CABLE = 'Could not execute command from ({"command"=>"subscribe"}) [RuntimeError - boom]: app.rb:3'
INFO = [(0.1, ">info")]


@pytest.mark.parametrize(
    ("rows", "line", "cause"),
    [
        (INFO, printed(1000.1, CABLE), Cause.HANDLER_ERROR),
        (INFO, printed(1001.1, CABLE), Cause.HANDLER_ERROR),
        (INFO, printed(1001.2, CABLE), Cause.SESSION_NOT_CONFIRMED),
        (INFO, printed(1000.1, "[warn] slow query took 300 ms"), Cause.SESSION_NOT_CONFIRMED),
        # The client was told why.
        ([*INFO, (0.2, "<refused")], printed(1000.1, CABLE), Cause.SESSION_NOT_CONFIRMED),
    ],
)
def test_a_session_that_met_an_error_of_the_server(rows, line, cause):
    """What is raised while it is set up leaves the connection open, in Action Cable."""
    record = timeline(*rows, until=6)
    read = diagnose(record, verdict=judge(Requirement(session_within=5), record))
    found = with_lines(read, [record], [line], alone=True)

    assert (read.cause, found.cause) == (Cause.SESSION_NOT_CONFIRMED, cause), found
    if cause is Cause.HANDLER_ERROR:
        assert found.headline == "the session asked for at 100 ms met an error of the server"
        assert found.remedy.endswith(read.remedy)


@pytest.mark.parametrize("words", [MOJO, "ValueError: no metrics"])
def test_an_error_of_every_day_is_not_what_a_heartbeat_met(words):
    """It was logged, or raised, while heartbeats were answered too."""
    record = timeline(*HUNG, until=60)
    lines = [printed(1000.0 + at, words) for at in (20, 30, 40, 47)]

    assert with_lines(diagnose(record), [record], lines, alone=True).cause is Cause.HALF_OPEN


@pytest.mark.parametrize(("at", "cause"), [(1047.05, Cause.HANDLER_ERROR), (1047.1, Cause.ZOMBIE)])
def test_an_error_of_a_task_of_its_own_is_met_at_once_or_not(at, cause):
    """Some servers give each message a task; others have tasks that fail about then."""
    record = timeline(*HUNG, until=60)
    error = ServerLine(at=at, text="ValueError: no metrics", kind=LineKind.RAISED, is_beside=True)
    lines = [said("taken", 1047.0, kind=LineKind.TAKEN), error]

    assert with_lines(diagnose(record), [record], lines, alone=True).cause is cause


@pytest.mark.parametrize(
    ("rows", "cause", "confidence"),
    [(HUNG, Cause.ZOMBIE, MEDIUM), (NEW, Cause.ZOMBIE, MEDIUM), (CUT, Cause.IDLE_TIMEOUT, None)],
)
def test_where_nothing_lies_between_the_ends_no_path_is_blamed(rows, cause, confidence):
    """Nor is a process that stands still, which has both ends."""
    record = timeline(*rows, until=None if rows is CUT else 60)
    record.direct = True
    before = diagnose(record)
    found = without_path(before, ClientEnd.of([record]))

    assert (found.cause, found.confidence) == (cause, confidence or before.confidence), found
    assert found.blame is Blame.SERVER
    named = {*found.alternatives, found.runner_up, *(each.cause for each in found.hypotheses)}
    assert named.isdisjoint({Cause.HALF_OPEN, Cause.PATH_STALLED, Cause.NAT_EXPIRED, Cause.PEER_FROZEN})


def test_what_is_known_of_a_server_stays_where_nothing_lies_between_the_ends():
    """A handler that hangs, or an error."""
    record = timeline(*HUNG, until=60)
    hung = with_lines(diagnose(record), [record], [said("busy", 1047.0, kind=BUSY)], alone=True)
    record.direct = True
    found = without_path(hung, ClientEnd.of([record]))

    assert (found.cause, found.confidence, found.headline) == (hung.cause, HIGH, hung.headline)


def test_secrets_and_control_characters_of_a_log_are_not_shown():
    """A log has whatever a program writes into it."""
    secret = "Bearer abcdefghijklmnopqrstuvwxyz0123456789"
    found = told(CUT, said(f"ValueError: bad header Authorization: {secret} \x1b[31m", kind=LineKind.RAISED))

    assert "abcdefghijklmnop" not in str(found)
    assert "\x1b" not in str(found)


def test_three_lines_are_quoted_with_so_much_of_each_as_can_be_read():
    """Of five, the first."""
    lines = [said(f"KeyError: '{number}' {'x' * 300}", kind=LineKind.RAISED) for number in range(5)]
    quotes = [each.text for each in told(CUT, *lines).evidence if each.text.startswith("the server's log")]

    assert [len(quote.partition(" s: ")[2]) for quote in quotes] == [160, 160, 160]


@pytest.mark.parametrize(
    ("line", "is_sure"),
    [
        (said("KeyError: 'user'", kind=LineKind.RAISED), True),
        (said("WARNING auth: token expired"), False),
    ],
)
def test_what_the_server_is_sure_of_leaves_nothing_else(line, is_sure):
    """A warning beside an end may have nothing to do with it."""
    before, found = told(CUT), told(CUT, line)

    assert (found.alternatives == ()) is is_sure
    assert found.runner_up is (None if is_sure else before.cause)


def test_what_was_logged_before_the_opening_is_told_of_as_at_the_opening():
    """There is no instant before it on the connection's clock."""
    found = told([(0.2, FIN)], said("KeyError: 'user'", at=999.5, kind=LineKind.RAISED))
    assert (found.evidence[0].at, found.evidence[0].text[:24]) == (0.0, "the server's log at 0 s:")

    record = timeline((1, ">beat"), (1.1, "<answer"), (47, ">beat"), until=60)
    hung = with_lines(diagnose(record), [record], [said("busy", 999.5, kind=LineKind.BUSY)], alone=True)
    assert hung.sentence.endswith("has asked for no message since 0 s")


@pytest.mark.parametrize(("reason", "confirms"), [("Connection Timeout", False), ("timed out", True)])
def test_an_error_that_came_of_a_close_confirms_none_of_its_words(reason, confirms):
    """A handler that reads on gets the close frame of its own server back; other words are the server's."""
    words = "ConnectionClosedError: sent 4000 (private use) Connection Timeout"
    line = said(words, 1046.5, kind=LineKind.RAISED)
    # Messages of this end, each answered: what timed out is not said.
    talk = [row for at in range(1, 47) for row in ((at, ">text"), (at + 0.1, "<text"))]
    rows = [*talk, (46.5, closed_by_peer(4000, reason))]
    alone, found = told(rows), told(rows, line)

    assert ("the server logged" in found.sentence) is confirms
    assert (alone.confidence, found.confidence) == (LOW, MEDIUM if confirms else LOW)
    # What the server says by itself confirms its own words.
    assert told(rows, said("WARNING chat: Connection Timeout of user 3", 1046.5)).confidence is MEDIUM


UPSTREAM = "websockets.exceptions.ConnectionClosedError: received 1002 (protocol error); then sent 1002 (...)"


@pytest.mark.parametrize(
    ("rows", "line", "cause", "confidence"),
    [
        (CUT, said(UPSTREAM, kind=LineKind.RAISED), Cause.UPSTREAM_FAILED, HIGH),
        (CUT, said(f"ERROR relay: {UPSTREAM}"), Cause.UPSTREAM_FAILED, MEDIUM),
        (CUT, said(UPSTREAM.replace("1002", "1001"), kind=LineKind.RAISED), Cause.UPSTREAM_FAILED, MEDIUM),
        # What went over this connection, either way.
        (
            [*TALK, (47.3, closed_by_peer(1002))],
            said(UPSTREAM, kind=LineKind.RAISED),
            Cause.PROTOCOL_ERROR,
            None,
        ),
        # It came later, or quotes no frame that came: it may be of the end of this one.
        (CUT, said(UPSTREAM, 1047.6, kind=LineKind.RAISED), Cause.IDLE_TIMEOUT, LOW),
        (
            CUT,
            said("ConnectionClosedError: no close frame received or sent", kind=LineKind.RAISED),
            Cause.IDLE_TIMEOUT,
            LOW,
        ),
        # The close frame says for itself why it came.
        (
            [*TALK, (47.3, closed_by_peer(4001, "token expired"))],
            said(UPSTREAM, kind=LineKind.RAISED),
            Cause.AUTH_EXPIRED,
            HIGH,
        ),
    ],
)
def test_an_error_that_quotes_the_close_of_another_connection_is_of_a_service_behind(
    rows, line, cause, confidence
):
    """A relay whose own client was closed (twilio-samples 57)."""
    found = told(rows, line)

    assert found.cause is cause, found
    assert confidence is None or found.confidence is confidence


def test_a_process_that_ended_says_more_than_a_service_behind_it():
    ended = said("ended with exit code 3", kind=LineKind.EXITED)

    assert told(CUT, said(UPSTREAM, kind=LineKind.RAISED), ended).cause is Cause.RESTART


@pytest.mark.parametrize(
    ("earlier", "is_routine"),
    [
        ((1005, 1010, 1015), True),
        ((1005, 1010), False),
        # In the second half of its life, or before it opened: that may build up to this end, or to another.
        ((1005, 1010, 1024), False),
        ((990, 1005, 1010), False),
    ],
)
@pytest.mark.parametrize(
    "text", ["WARNING auth: token expired for user %d", "WARNING kafka: heartbeat failed"]
)
def test_a_line_that_was_said_all_the_time_says_nothing_of_the_end(earlier, is_routine, text):
    """Three times in the first half of a life that went on, whatever the numbers in it."""
    lines = [said(text % at if "%" in text else text, at=at) for at in (*earlier, 1047)]

    assert (told(CUT, *lines).cause is told(CUT).cause) is is_routine


def test_what_a_handler_raises_is_no_routine():
    """The like of it ended other connections, perhaps."""
    lines = [said("KeyError: 'user'", at=at, kind=LineKind.RAISED) for at in (1005, 1010, 1015, 1047.3)]

    assert told(CUT, *lines).cause is Cause.HANDLER_ERROR

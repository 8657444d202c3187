"""What a line of a server is, told by itself; what it makes of a diagnosis is in `test_server_lines`."""

import pytest

from pytest_wsstability.core.diagnosis import lines as module
from pytest_wsstability.core.diagnosis.lines import LineKind, ServerLine, all_printed, printed

STAMP = "2026-11-28 13:15:12,345 "


@pytest.mark.parametrize(
    ("text", "kind", "is_warning"),
    [
        ("KeyError: 'user'", LineKind.RAISED, True),
        (f"{STAMP}KeyError: 'user'", LineKind.RAISED, True),
        ("    | KeyError: 'user'", LineKind.RAISED, True),
        ("Unhandled KeyError: 'user'", LineKind.RAISED, True),
        ('Exception in thread "main" java.lang.Error', LineKind.RAISED, True),
        # Without words.
        ("MemoryError", LineKind.RAISED, True),
        ("java.lang.NullPointerException", LineKind.RAISED, True),
        ("    raise ValueError", LineKind.SAID, True),
        ("Error", LineKind.SAID, True),
        ("socket.onError", LineKind.SAID, True),
        # Of what ends a process: V8, Go, PHP, CPython.
        ("FATAL ERROR: Reached heap limit Allocation failed", LineKind.RAISED, True),
        ("fatal error: concurrent map writes", LineKind.RAISED, True),
        ("PHP Fatal error:  Allowed memory size exhausted", LineKind.RAISED, True),
        ("Fatal Python error: Segmentation fault", LineKind.RAISED, True),
        ("==42==ERROR: AddressSanitizer: heap-use-after-free", LineKind.RAISED, True),
        ("==42==ERROR: something else", LineKind.SAID, True),
        # .NET, Ruby, PHP and Elixir.
        ("Unhandled exception. System.NullReferenceException: no user", LineKind.RAISED, True),
        ("Unhandled exception: System.NullReferenceException: no user", LineKind.RAISED, True),
        ("Unhandled exception caught: none", LineKind.SAID, True),
        ("System.Net.Sockets.SocketException (111): Connection refused", LineKind.RAISED, True),
        ("Redis::CannotConnectError: no redis", LineKind.RAISED, True),
        ("App\\Chat\\RoomException: no room", LineKind.RAISED, True),
        ("** (RuntimeError) no room", LineKind.RAISED, True),
        ("** (Ecto.NoResultsError) expected one", LineKind.RAISED, True),
        *((f"** ({what}) :no_room", LineKind.RAISED, True) for what in ("exit", "stop", "throw")),
        ("** (note) all is well", LineKind.SAID, True),
        ("ERROR: no user", LineKind.SAID, True),
        (f"{STAMP}INFO no user", LineKind.SAID, False),
        ("KeyError: 'INFO'", LineKind.RAISED, True),
        ("no user", LineKind.SAID, True),
    ],
)
def test_what_a_process_printed(text, kind, is_warning):
    """An error that nobody caught, or a line that is as grave as its level says."""
    line = printed(1.0, text)

    assert (line.kind, line.is_warning) == (kind, is_warning)


@pytest.mark.parametrize(
    ("begin", "is_warning"),
    [
        ("INFO:     ", False),
        ("[2026-11-28 13:15:12 +0000] [25252] [INFO] ", False),
        ("2026-11-28T13:15:12.965+00:00  INFO 42 --- [main] c.e.Chat : ", False),
        ("2026/11/28 13:15:12 INFO ", False),
        ('time="2026-11-28T13:15:12Z" level=info msg="', False),
        ('{"level":"debug","msg":"', False),
        ("info: ", False),
        ("[info] ", False),
        ('{"level":30,"msg":"', False),
        ("time=13:15 level=debug msg=", False),
        # .NET, Serilog, zerolog, NATS, glog.
        *((f"{level}: Chat.Hub[8]", False) for level in ("trce", "dbug")),
        *((f"[13:15:12 {level}] ", False) for level in ("VRB", "DBG", "INF")),
        ("1:15PM INF ", False),
        ("2026-11-28T13:15:12Z TRC ", False),
        ("[42] 2026/11/28 13:15:12.345678 [INF] ", False),
        ("I1128 13:15:12.345678   42 main.go:12] ", False),
        ("W1128 13:15:12.345678   42 main.go:12] ", True),
        ("I11 ", True),
        ("fail: Chat.Hub[8] INFO ", True),
        ("crit: Chat.Hub[8] INFO ", True),
        ("[13:15:12 WRN] INFO ", True),
        ("[13:15:12 ERR] INFO ", True),
        ("[13:15:12 FTL] INFO ", True),
        ("the score is INF ", True),
        ("WARNING:  ", True),
        ("[2026-11-28 13:15:12 +0000] [25252] [CRITICAL] ", True),
        ('{"level":"error","msg":"', True),
        ('{"level":40,"msg":"', True),
        ("[error] ", True),
        # The first level is that of the line.
        ("ERROR: cannot parse INFO: ", True),
        ("[error] INFO ", True),
        ("warn: NOTICE ", True),
        ('{"level":"error","msg":"DEBUG: ', True),
        ("2026/11/28 13:15:12 INFO ERROR ", False),
        ("", True),
        # Each level, as each of the ways has it.
        *((f"{level} ", False) for level in ("TRACE", "DEBUG", "NOTICE")),
        *((f"[{level}] ", False) for level in ("trace", "debug", "notice")),
        *((f"{level}: ", False) for level in ("trace", "debug", "notice")),
        *((f"level={level} ", False) for level in ("trace", "notice", "10")),
        *((f"{level} INFO ", True) for level in ("WARN", "WARNING", "CRITICAL", "SEVERE", "FATAL", "error")),
        *((f"[{level}] INFO ", True) for level in ("warn", "crit")),
        *((f"level={level} INFO ", True) for level in ("warn", "fatal", "50")),
        # Too far behind the begin to be its level.
        (f"{'x' * 60} INFO ", True),
        (f"{'x' * 58} INFO ", False),
    ],
)
def test_the_level_of_a_line_that_was_printed(begin, is_warning):
    """A lesser line speaks of much that is no cause; one that names no level may be a warning."""
    assert printed(1, f"{begin}too many messages of a client").is_warning is is_warning


@pytest.mark.parametrize(
    ("text", "message", "first"),
    [
        ("WARNING chat: no user", "no user", "WARNING chat: no user"),
        (f"{STAMP}no user\nbut three", "no user\nbut three", "no user"),
        ("  | KeyError: 'user'", "  | KeyError: 'user'", "KeyError: 'user'"),
        ("", "", ""),
    ],
)
def test_what_a_line_says(text, message, first):
    """Its words are read without what loggers put before them, and quoted without a second clock."""
    line = ServerLine(at=1.0, text=text)

    assert (line.message, line.first) == (message, first)


def test_the_words_of_a_panic_of_rust_stand_below_its_head():
    """They are one; a head may be the last that is there."""
    head = "thread 'main' (42) panicked at src/main.rs:42:30:"
    texts = [head, "an `Err` value: ConnectionClosed", "note: run with a backtrace", head]
    lines = list(all_printed(enumerate(texts)))

    assert [(line.at, line.text) for line in lines] == [
        (0, f"{head} an `Err` value: ConnectionClosed"), (2, texts[2]), (3, head),
    ]  # fmt: skip
    assert [line.is_failure for line in lines] == [False, False, True]


def test_the_words_of_an_exception_of_c_stand_below_its_head():
    """They are one."""
    head = "terminate called after throwing an instance of 'std::out_of_range'"
    (line,) = all_printed(enumerate([head, "  what():  map::at"]))

    assert line.text == f"{head}   what():  map::at"
    assert line.is_failure


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["info: Chat.Hub[8]", "      idle timeout of 30 s"], [("info: idle timeout of 30 s", False)]),
        (["dbug: Chat.Hub[8]", "      slow client"], [("dbug: slow client", False)]),
        (
            ["warn: Chat.Hub[8]", "      slow client"],
            [("warn: Chat.Hub[8]", True), ("      slow client", True)],
        ),
        # Another process wrote between them; and the last that is there.
        (["info: Chat.Hub[8]", "slow client"], [("info: Chat.Hub[8]", False), ("slow client", True)]),
        (
            ["info: Chat.Hub[8]", "dbug: Chat.Hub[9]", "      slow client"],
            [("info: Chat.Hub[8]", False), ("dbug: slow client", False)],
        ),
        (["info: Chat.Hub[8]"], [("info: Chat.Hub[8]", False)]),
    ],
)
def test_the_words_of_a_record_of_net_have_the_level_of_its_head(texts, told):
    """It stands above them."""
    assert [(line.text, line.is_warning) for line in all_printed(enumerate(texts))] == told


JAVA = """\
java.lang.IllegalStateException: no answer
\tat com.example.Chat.send(Chat.java:12)
\t... 42 common frames omitted
Caused by: java.io.IOException: Broken pipe
\tat sun.nio.ch.SocketDispatcher.write(SocketDispatcher.java:62)
\t... 12 more
started"""
DOTNET = """\
System.AggregateException: One or more errors occurred.
 ---> System.IO.IOException: Broken pipe
   at Chat.Send() in /srv/Chat.cs:line 12
started"""
ELIXIR = """\
** (FunctionClauseError) no function clause matching in Chat.handle_in/3
    (chat 0.1.0) lib/chat/rate_limit.ex:12: Chat.handle_in("timeout", %{})
    (stdlib) gen_server.erl:1077: :gen_server.try_handle_info/3
Last message: {:timeout, :rate_limit}
Last message (from #PID<0.512.0>): {:timeout, :rate_limit}
State: %{token: "expired"}
started"""


@pytest.mark.parametrize(
    ("printed_lines", "error"),
    [
        (JAVA, "java.lang.IllegalStateException: no answer Caused by: java.io.IOException: Broken pipe"),
        (
            DOTNET,
            "System.AggregateException: One or more errors occurred. ---> System.IO.IOException: Broken pipe",
        ),
        (ELIXIR, "** (FunctionClauseError) no function clause matching in Chat.handle_in/3"),
    ],
)
def test_an_error_is_one_with_what_brought_it_about(printed_lines, error):
    """Java and .NET print that below it; places, and what a process of Elixir's had in hand, are no words."""
    assert [line.text for line in all_printed(enumerate(printed_lines.splitlines()))] == [error, "started"]


def test_a_cause_without_an_error_above_it_is_a_line():
    """The beginning may be cut off."""
    (line,) = all_printed([(0, "Caused by: java.io.IOException: Broken pipe")])

    assert line.kind is LineKind.SAID


@pytest.mark.parametrize(
    ("text", "is_of_opening"),
    [
        ("opening handshake failed", True),
        ("WebSocket protocol error: Handshake not finished", True),
        ("Protocol(HandshakeIncomplete)", True),
        ("http: TLS handshake error from 10.0.0.1:5000: EOF", True),
        ("did not receive a valid HTTP request", True),
        ("unsupported HTTP request line", True),
        ("connection closed before end of line", True),
        ("handshake of the session done", False),
    ],
)
def test_a_line_about_a_connection_that_never_opened(text, is_of_opening):
    """Other looks than that of a test make a server say so."""
    assert printed(1, text).is_of_opening is is_of_opening


@pytest.mark.parametrize(
    "place",
    [
        "    at Timeout._onTimeout (server.js:3:9)", "   3: chat::handler::read",
        "\tfrom server.rb:2:in 'find'",
        '  File "chat.py", line 3, in read', "goroutine 7 [running]:", "created by main.serve.",
    ],
)  # fmt: skip
def test_a_place_in_the_code_says_nothing(place):
    """Nor does the code below it, which stands further in."""
    code = f"{place[: len(place) - len(place.lstrip())]}      timeout(30)"

    assert list(all_printed([(0, place), (1, code)])) == []


def test_a_line_is_read_once_however_many_connections_it_is_held_against(monkeypatch):
    """In a fleet thousands of lines meet thousands of ends."""
    read = []
    monkeypatch.setattr(module, "is_consequence", lambda text: bool(read.append(text)))
    monkeypatch.setattr(module, "may_be_consequence", lambda text: bool(read.append(text)))
    raised = [ServerLine(at=at, text="KeyError: 'read once'", kind=LineKind.RAISED) for at in range(3)]

    assert [each.is_failure for each in raised] == [True] * 3
    assert [each.may_be_of_end for each in raised] == [False] * 3
    assert read == ["KeyError: 'read once'"] * 2

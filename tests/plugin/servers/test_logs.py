"""What is kept of the log of a server in this process."""

import asyncio
import logging

import pytest

from pytest_wsstability.net.apps.watching import AppRecord
from pytest_wsstability.plugin.servers import logs
from pytest_wsstability.plugin.servers.logs import ServerLog
from pytest_wsstability.virtual import run_virtual
from pytest_wsstability.virtual.addresses import LISTENERS, outside

CHAT = logging.getLogger("chat")


@pytest.fixture
def log(monkeypatch):
    """A log that keeps five records, and two warnings before them."""
    monkeypatch.setattr(logs, "_RECORDS", 5)
    monkeypatch.setattr(logs, "_WARNINGS", 2)
    made = ServerLog()
    with made.listening():
        yield made


def test_warnings_are_kept_longer_than_the_rest(log):
    """What a fleet was told of its ends may be long ago when it is over."""
    CHAT.setLevel(logging.DEBUG)
    for number in range(12):
        (CHAT.warning if number % 3 == 0 else CHAT.info)("line %d", number)

    assert [line.text.split()[-1] for line in log.lines] == ["7", "8", "9", "10", "11"]
    assert [line.text.split()[-1] for line in log.warned] == ["3", "6", "7", "8", "9", "10", "11"]


def test_what_a_thread_logs_is_of_no_handler(log):
    """Whatever context it was started in."""

    async def main():
        await asyncio.to_thread(CHAT.warning, "full")

    asyncio.run(main())
    assert [line.port for line in log.lines] == [None]


def test_what_a_handler_runs_or_starts_is_told_from_the_rest(log):
    """By the context that it has set, which tasks and threads inherit."""

    async def handler(scope, receive, send):
        CHAT.warning("in it")
        await asyncio.create_task(asyncio.to_thread(CHAT.warning, "started by it"))

    async def main():
        served = AppRecord().watching(handler)
        await asyncio.create_task(served({"type": "websocket", "client": ("127.0.0.1", 4)}, None, None))
        CHAT.warning("outside")

    asyncio.run(main())
    assert [(line.port, line.is_beside) for line in log.lines] == [(4, False), (None, False), (None, True)]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError("redis went away"), "OSError: redis went away"),
        (ExceptionGroup("2 errors", [OSError("a"), ValueError("b")]), "OSError: a"),
        (ExceptionGroup("1 error", [ExceptionGroup("1 error", [KeyError("user")])]), "KeyError: 'user'"),
        # What a task is told when its connection is gone explains nothing, unless there is nothing else.
        (ExceptionGroup("2 errors", [BrokenPipeError("gone"), KeyError("user")]), "KeyError: 'user'"),
        (ExceptionGroup("1 error", [BrokenPipeError("gone")]), "BrokenPipeError: gone"),
    ],
)
def test_of_a_group_that_was_raised_an_error_in_it_is_told(log, error, words):
    """The words of the group only count them."""
    try:
        raise error
    except (OSError, ExceptionGroup):
        CHAT.exception("the handler failed")

    line = log.lines[-1]
    assert line.raised == words
    assert line.text.splitlines()[1].startswith(words)


@pytest.mark.parametrize(
    ("first", "later", "kept"),
    [
        # The server logs what its handler has raised, or the app what it raises again.
        ("raised", 0.9, ["chat"]),
        ("logged", 0.9, ["chat"]),
        # The same words a second later are of another error.
        ("raised", 1.1, ["", "chat"]),
        ("logged", 1.1, ["chat", ""]),
    ],
)
def test_what_is_raised_and_logged_is_kept_once(log, first, later, kept):
    """Whichever comes first; what is logged stays."""
    error = LookupError("no room")
    steps = [lambda: log.raised(error), lambda: CHAT.error("failed", exc_info=error)]

    async def main():
        for step in steps if first == "raised" else reversed(steps):
            step()
            await asyncio.sleep(later)

    run_virtual(main())
    assert [line.logger for line in log.lines] == kept


def test_a_message_is_kept_without_its_colours(log):
    """As structlog gives it to logging."""
    CHAT.error("\x1b[31merror\x1b[0m: token\x1b[0m=abc")

    assert log.lines[-1].text.endswith("chat: error: token=abc")


@pytest.mark.parametrize(("length", "kept"), [(100, 100), (8192, 8192), (8193, 4099), (1_000_000, 4099)])
def test_of_a_long_record_the_beginning_is_kept(log, length, kept):
    """An app may log each message that it gets, and raise with it."""
    error = ValueError("x" * (length - len("ValueError: ")))

    CHAT.error("%s", "y" * length)
    CHAT.error("failed", exc_info=error)

    said, failed = log.lines
    assert (len(said.text.removeprefix("ERROR   chat: ")), len(failed.raised)) == (kept, kept)
    assert said.text.endswith("...") == failed.raised.endswith("...") == (length > kept)


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ('{"password":"hunter2 of mine"}', '{"password":"...'),
        ("Authorization: Token Zz99aa88bb77", "Authorization: Token ..."),
        ("to wss://host/ws?token=Zz99aa88bb77", "to ..."),
    ],
)
def test_a_secret_that_the_end_cuts_is_not_kept(log, text, end):
    """Of its half nothing may say that it is one."""
    before = "x" * (8192 - len(text))

    CHAT.warning("%s", f"{before} {text} and more")

    assert log.lines[-1].text.endswith(f"x {end}")


def test_of_a_long_record_of_many_lines_the_last_ones_are_kept(log):
    """An error stands at the end of a traceback."""
    lines = ["Traceback", *(f"  line {each} {'x' * 80}" for each in range(200)), "Oh"]

    CHAT.error("failed: %s", "\n".join(lines))

    texts = logs.shown(log.lines, None).splitlines()
    assert len(texts) == 21
    assert [texts[0][-9:], texts[1].strip(), texts[-1].strip()] == ["Traceback", "... 182 more lines", "Oh"]


def test_what_leaves_the_virtual_network_is_known_where_loggers_are_off(log):
    """An app that catches the error never tells; the first one is kept, and nobody listens afterwards."""
    logging.disable()
    try:
        outside(("10.1.2.3", 6379))
        outside(("10.1.2.4", 6379))
    finally:
        logging.disable(logging.NOTSET)

    assert log.left.startswith("a TCP connection to 10.1.2.3:6379 leaves the virtual network")


def test_a_log_that_listens_no_more_is_told_nothing():
    """The next test has its own."""
    made = ServerLog()
    with made.listening():
        pass
    outside(("10.1.2.3", 6379))

    assert made.left is None
    assert LISTENERS == []

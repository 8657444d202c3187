"""What a server in this process logs, with the instants of the loop's clock."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from ...core.diagnosis.consequences import is_consequence
from ...core.project_code import place_of
from ...core.redact import show_text
from ...core.unescaped import without_colours
from ...core.url import port_of
from ...net.apps.watching import HANDLING
from ...virtual.addresses import LISTENERS

# So many records are kept, besides them so many warnings that are older, and so many lines of each are shown.
_RECORDS, _WARNINGS = 500, 10_000
_LINES = 20
# Characters of one line of a long record, or one printed line, that are kept: an app may log each message
# that it gets.
LONGEST = 8192
# Seconds before the end of which lines are shown.
SHOWN = 60.0

_OWN = __name__.partition(".")[0]
# In place of a logger's name: what was raised, and not logged.
_UNLOGGED = ""
# Seconds from what was raised to the server's line on it, and back to the app's.
_SOON = 1.0


class LogLine(NamedTuple):
    """What was logged or printed at an instant of the loop's clock."""

    at: float
    text: str
    # Of a log record: its logger, its level, and what was raised, without its place.
    logger: str = ""
    level: int = logging.NOTSET
    raised: str = ""
    # The port of the client that it is about; None where it does not say.
    port: int | None = None
    # Whether no handler runs it, nor has started what does; of servers whose handlers are not known, always.
    is_beside: bool = False
    # Whether the server had been told to stop, as it is when all has been seen that a test is judged by.
    is_of_stop: bool = False
    # Whether it is a note of this package's on a process, and no word of the process.
    is_note: bool = False


class ServerLog(logging.Handler):
    """Keeps the latest records of all loggers but ours."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: deque[LogLine] = deque()
        # What a fleet was told of its ends may be long ago when it is over.
        self._older: deque[LogLine] = deque(maxlen=_WARNINGS)
        self._loop: asyncio.AbstractEventLoop | None = None
        self.is_silent = False
        self.is_stopping = False
        # What tried to leave the virtual network first.
        self.left: str | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Take down what is logged while the block runs."""
        root = logging.getLogger()
        root.addHandler(self)
        LISTENERS.append(self._leaves)
        try:
            yield
        finally:
            LISTENERS.remove(self._leaves)
            root.removeHandler(self)

    def _leaves(self, words: str) -> None:
        if not self.is_silent and self.left is None:
            self.left = words

    def emit(self, record: logging.LogRecord) -> None:
        """Take down a record."""
        leaves = getattr(record, "outside", False)
        if self.is_silent or (record.name.partition(".")[0] == _OWN and not leaves):
            return
        # Not in another thread of the server's.
        with suppress(RuntimeError):
            self._loop = asyncio.get_running_loop()
        at = self._loop.time() if self._loop is not None else 0.0
        text = f"{record.levelname:<7} {record.name}: {without_colours(cut(record.getMessage()))}"
        line = self._line(at, text, record.name, record.levelno, _port(record))
        if record.exc_info and record.exc_info[1] is not None:
            line = _with_error(line, record.exc_info[1])
            # The server logs what was taken down when it was raised.
            if self.lines and _is_raised_as(self.lines[-1], line):
                self.lines.pop()
        self._keep(line)

    def raised(self, error: BaseException) -> None:
        """
        Take down what has ended a handler, unless the app has logged it.

        An app that sets up logging by ``dictConfig`` disables the loggers that there are, its server's
        included, and takes the handlers of the root away.

        """
        if self.is_silent:
            return
        at = asyncio.get_running_loop().time()
        line = self._line(at, "ERROR   raised by a handler of the app", _UNLOGGED, logging.ERROR, _port(None))
        line = _with_error(line, error)
        if not self.lines or not _is_raised_as(line, self.lines[-1]):
            self._keep(line)

    def _line(self, at: float, text: str, logger: str, level: int, port: int | None) -> LogLine:
        beside = HANDLING.get(None) is None
        return LogLine(at, text, logger, level, "", port, beside, self.is_stopping)

    def _keep(self, line: LogLine) -> None:
        self.lines.append(line)
        if len(self.lines) > _RECORDS and (gone := self.lines.popleft()).level >= logging.WARNING:
            self._older.append(gone)

    @property
    def warned(self) -> list[LogLine]:
        """The latest records, and the warnings and errors before them."""
        return [*self._older, *self.lines]


def cut(text: str) -> str:
    """Of a text that is longer than anybody reads the lines that are shown, and of these the beginnings."""
    return text if len(text) <= LONGEST else "\n".join(map(_beginning, _few(text.splitlines())))


def _beginning(line: str) -> str:
    """Up to the last quote, or else the last space: of half a secret nothing says that it is one."""
    if len(line) <= LONGEST:
        return line
    ends = (max(line.rfind(mark, LONGEST // 2, LONGEST - 3) for mark in marks) for marks in ("\"'", " \t"))
    end = next((end + 1 for end in ends if end >= 0), LONGEST // 2)
    return f"{line[:end]}..."


def _few(lines: list[str]) -> list[str]:
    """The first and the last ones: an error stands at the end of a traceback."""
    if len(lines) <= _LINES + 1:
        return lines
    return [lines[0], f"... {len(lines) - _LINES} more lines", *lines[1 - _LINES :]]


def _with_error(line: LogLine, error: BaseException) -> LogLine:
    own = own_error(error)
    raised = cut(raised_words(own))
    return line._replace(text=f"{line.text}\n{raised}{place_of(own)}", raised=raised)


def _is_raised_as(unlogged: LogLine, other: LogLine) -> bool:
    """Whether a line that nobody logged is of the error that another one is of."""
    same = (unlogged.raised, unlogged.port) == (other.raised, other.port)
    return unlogged.logger == _UNLOGGED and same and abs(unlogged.at - other.at) < _SOON


def own_error(error: BaseException) -> BaseException:
    """The error itself; of a group the first that is no consequence of an end, or else the first."""
    if not isinstance(error, BaseExceptionGroup):
        return error
    found = [own_error(each) for each in error.exceptions]
    return next((each for each in found if not is_consequence(raised_words(each))), found[0])


def raised_words(error: BaseException) -> str:
    """Its type and its words."""
    return f"{type(error).__name__}: {error}"


def _port(record: logging.LogRecord | None) -> int | None:
    """The client's port: of the connection that a record of `websockets` carries, or whose handler runs."""
    connection = getattr(record, "websocket", None)
    if (port := port_of(getattr(connection, "remote_address", None))) is not None:
        return port
    handling = HANDLING.get(None)
    # A task that a handler has started may serve others too.
    with suppress(RuntimeError):
        if handling is not None and handling.task() is asyncio.current_task():
            return handling.port
    return None


def shown(lines: list[LogLine], opened: float | None) -> str:
    """
    The lines of the last minute, each with its instant.

    Args:
        lines: oldest first.
        opened: when the connection opened, by the same clock, which instants are counted from; None: from the
            last line.

    """
    if not lines:
        return ""
    last = lines[-1].at
    begin = last if opened is None else opened
    return "\n".join(_shown(line, begin) for line in lines if line.at >= last - SHOWN)


def _shown(line: LogLine, opened: float) -> str:
    texts = _few(line.text.splitlines() or [""])
    head = f"{line.at - opened:+10.3f} s  "
    return "\n".join(
        (head if number == 0 else " " * len(head)) + show_text(text) for number, text in enumerate(texts)
    )

"""A line of a server: what it logged, printed or did."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from ..timeline.close_reasons import Topic, read_reason, says_nothing_else
from .consequences import is_consequence, may_be_consequence

# How processes print an error that nobody caught: Python, Node, Java, .NET, Go, Rust, Ruby, PHP, Elixir, C++;
# one without words is its type alone, which begins as one ("onError" is a name). The level of a logger
# ("ERROR: ") is none.
_PRINTED = re.compile(
    r"^[\s|]*+(?i:uncaught |unhandled (?:exception[.:] )?)?"
    r"(?:(?:\w+(?:\.|::|\\))*(?:\w*(?:Error|Exception)\b(?: [\[(]\w+[\])])?: |[A-Z]\w*(?:Error|Exception)$)|"
    r"(?:http: panic serving \S+|panic): |thread '.*'(?: \(\d+\))? panicked|"
    r"(?i:exception in thread |(?:php )?fatal (?:python )?error: )|"
    r"\S+:\d+:in [`'][^']*': .*\([A-Z]\w*(?:::\w+)*\)$|"
    r"\*\* \((?:(?:\w+\.)*\w*Error|exit|stop|throw)\) |terminate called after throwing |"
    r"==\d+==ERROR: \w+Sanitizer: )"
)
# What servers say of a connection that ends before it is a WebSocket: websockets, tungstenite, Go.
_OPENING = re.compile(
    r"opening handshake failed|handshake(?:Incomplete| not finished)|TLS handshake error from|"
    r"valid HTTP request\b|HTTP request line|before end of line",
    re.IGNORECASE,
)
# A place in the code of an error: Node, Java and Rust, Ruby, Elixir, Python and Go, which have more of it
# further in; and what a process of Elixir's had in hand.
_PLACE = re.compile(
    r"^(?P<margin>[ \t|+]*)(?:(?<=[ \t])(?:at |\d+: \S*::|from \S+:\d|File \"|\.\.\. \d+ (?:more|common)\b|"
    r"\(\w+(?: \d[\w.-]*)?\) \S+\.(?:exs?|erl):\d+: )|(?:Last message(?: \(from .*\))?|State): |"
    r"(?:Exception Group )?Traceback \(|goroutine \d+ \[|created by \S+\.|"
    r"(?:(?:[\w.@-]+/)*[\w-]+\.[\w.()*]*\w|panic)\([^()]*\)$)"
)
# How processes print a level below a warning: in capitals or in brackets near the beginning, as the first
# word, in three letters (Serilog, zerolog, NATS), with the first letter of glog, or in a field of JSON or of
# key=value (pino: as a number). Behind another level it is a word like any.
_GRAVER = (
    r"\b(?:WARN|WARNING|WRN|ERROR|ERR|CRITICAL|SEVERE|FATAL|FTL)\b|\[(?:warn|error|crit)|"
    r"^(?:warn|error|fail|crit)|"
    r"\blevel[\"']?\s*[:=]\s*[\"']?(?:warn|error|fatal|[456]0)"
)
_LESSER = re.compile(
    rf"^(?:(?!{_GRAVER}).){{0,60}}?(?:\b(?:TRACE|DEBUG|INFO|NOTICE)\b|\[(?:trace|debug|info|notice)\]|"
    r"(?:\[|[\dZM] )(?:TRC|VRB|DBG|INF)\b)|^(?:trace|trce|debug|dbug|info|notice)[:\]]|^I\d{4} \d|"
    r"\blevel[\"']?\s*[:=]\s*[\"']?(?:trace|debug|info|notice|[123]0)\b"
)
# The head of what Rust prints of a panic, and C++ of an exception, whose words stand in the next line.
_PANIC = re.compile(
    r"thread '.*'(?: \(\d+\))? panicked at \S+:\d+:\d+:$|terminate called after throwing an instance of '.*'$"
)
# The head of what .NET logs below a warning, whose words stand in the next line, indented.
_LESSER_HEAD = re.compile(r"(?P<level>trce|dbug|info): [\w.`+]+\[\d+\]$")
# How Java and .NET begin the error that brought the one above about.
_CAUSE = re.compile(r"(?:Caused by:| ---> ?)(?=.)")
# The instant that many loggers begin a line with: that of the connection's clock stands beside a quote.
_STAMP = re.compile(
    r"^\[?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?\]?:?\s+(?=\S)"
)
# The level and the name that a log record begins with.
_LOGGER = re.compile(r"^[A-Z]+\s+[\w.]+: ")

_NUMBER = re.compile(r"\d+")
# A line that was said so often before, and nothing ended, is one of every day: a client's missed pongs are
# counted to three at most.
_ROUTINE = 3


class LineKind(Enum):
    """What a line is."""

    # A log record, or a line that was printed.
    SAID = "said"
    # An error that was raised, and nobody caught.
    RAISED = "raised"
    # The process has ended.
    EXITED = "exited"
    # A handler was done with a connection, and had not closed it.
    RETURNED = "returned"
    # A handler raised a CancelledError that nobody had asked for.
    CANCELLED = "cancelled"
    # A handler has taken a message, and asked for no other since.
    BUSY = "busy"
    # A handler has taken a message, and the app has sent none since.
    TAKEN = "taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLine:
    """
    A line of the server.

    Attributes:
        at: the reading of the clock that timelines have too.
        text: what was logged or printed; of an error its type and its words.
        kind: what it is.
        is_warning: whether it is one, or worse: lesser ones speak of much that is no cause.
        port: the port of the client that it is about; None where it does not say.
        is_beside: whether it is known to be of no handler: of a task of the server's own.

    """

    at: float
    text: str
    kind: LineKind = LineKind.SAID
    is_warning: bool = True
    port: int | None = None
    is_beside: bool = False

    @property
    def is_failure(self) -> bool:
        """Whether it is an error, and more than a consequence of the end."""
        return self.kind is LineKind.RAISED and not _is_of_end(self.text)

    @property
    def may_be_of_end(self) -> bool:
        """Whether it is an error that may be a consequence of the end too: it says that something is over."""
        return self.is_failure and _may_be_of_end(self.text)

    @property
    def is_of_opening(self) -> bool:
        """Whether it is about a connection that never opened, such as a look whether the server listens."""
        return _OPENING.search(self.text) is not None

    @property
    def is_about_all(self) -> bool:
        """Whether it is about all connections: the server goes."""
        return self.kind is LineKind.EXITED or self.says_restart

    @property
    def says_restart(self) -> bool:
        """Whether it says that the server goes; one word among others ("shutdown turret level") may not."""
        reading = read_reason(self.message)
        return reading.topic is Topic.RESTART and not reading.is_lone

    @property
    def says_only_restart(self) -> bool:
        """The same, and of nothing else: "Shutting down", and not "shutting down mixer"."""
        return self.says_restart and says_nothing_else(self.message)

    @property
    def message(self) -> str:
        """What was said, without its instant, its level and the logger's name."""
        return _message(self.text)

    @property
    def likeness(self) -> str:
        """What it says, whatever its numbers are."""
        return _likeness(self.text)

    @property
    def first(self) -> str:
        """Its first line, without the instant and the bar of a group's traceback."""
        text = _STAMP.sub("", self.text.strip().lstrip("| "))
        return text.splitlines()[0] if text else ""


def without_routine(
    lines: Sequence[ServerLine], since: float, until: float, *, raised: bool = False
) -> list[ServerLine]:
    """
    The lines, but for those whose like was said so often between two instants that it says nothing.

    Args:
        lines: oldest first.
        since, until: readings of the clock, of a time in which the connection lived on.
        raised: errors that were raised may be such, too.

    """
    kinds = {LineKind.SAID, LineKind.RAISED} if raised else {LineKind.SAID}
    said = [each.likeness for each in lines if each.kind in kinds and since <= each.at < until]
    routine = {like for like, count in Counter(said).items() if count >= _ROUTINE}
    return [each for each in lines if each.kind not in kinds or each.likeness not in routine]


# Each line is held against each connection that ended about then: thousands against thousands, in a fleet.
@lru_cache(maxsize=4096)
def _is_of_end(text: str) -> bool:
    return is_consequence(_STAMP.sub("", text))


@lru_cache(maxsize=4096)
def _may_be_of_end(text: str) -> bool:
    return may_be_consequence(_message(text))


@lru_cache(maxsize=4096)
def _message(text: str) -> str:
    return _LOGGER.sub("", _STAMP.sub("", text))


@lru_cache(maxsize=4096)
def _likeness(text: str) -> str:
    return _NUMBER.sub("0", _message(text))


def printed(at: float, text: str) -> ServerLine:
    """A line that a process printed, which may be an error that nobody caught."""
    is_raised = _PRINTED.match(_STAMP.sub("", text)) is not None
    return ServerLine(
        at=at, text=text, kind=LineKind.RAISED if is_raised else LineKind.SAID,
        is_warning=is_raised or _LESSER.search(text) is None,
    )  # fmt: skip


def all_printed(lines: Iterable[tuple[float, str]]) -> Iterator[ServerLine]:
    """The lines that a process printed, each with its instant, but for places and code, which say nothing."""
    for at, text in _with_causes(_without_places(_with_words(lines))):
        yield printed(at, text)


def _with_causes(lines: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """The lines, each error together with those that brought it about, which are printed below it."""
    last: tuple[float, str] | None = None
    for at, text in lines:
        if last is not None and _CAUSE.match(text):
            last = last[0], f"{last[1]} {text.strip()}"
            continue
        if last is not None:
            yield last
        last = at, text
    if last is not None:
        yield last


def _without_places(lines: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """The lines, but for places and code."""
    margin: int | None = None
    for at, text in lines:
        if (place := _PLACE.match(text)) is not None:
            margin = len(place["margin"])
        elif margin is None or len(text) - len(text.lstrip(" \t|+")) <= margin:
            margin = None
            yield at, text


def _with_words(lines: Iterable[tuple[float, str]]) -> Iterator[tuple[float, str]]:
    """The lines, but for heads of panics and of .NET's records, each of which is one with the next line."""
    head: tuple[float, str] | None = None
    for at, text in lines:
        whole = None if head is None else _behind_head(head, at, text)
        if head is not None:
            yield whole or head
            head = None
        if whole is not None:
            continue
        if _PANIC.match(text) or _LESSER_HEAD.match(text):
            head = at, text
        else:
            yield at, text
    if head is not None:
        yield head


def _behind_head(head: tuple[float, str], at: float, text: str) -> tuple[float, str] | None:
    """A head and the line below it as one; None where that is no part of it."""
    level = _LESSER_HEAD.match(head[1])
    if level is None:
        return head[0], f"{head[1]} {text}"
    return (at, f"{level['level']}: {text.strip()}") if text[:2].isspace() else None

"""What an application protocol tells core about itself: its heartbeat, timers and close codes, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .close_reasons import Topic
from .events import End


class HeartbeatShape(Enum):
    """What a heartbeat is, and whether an answer is due."""

    # Protocol pings and pongs (RFC 6455, section 5.5.2).
    PING_FRAMES = "ping frames"
    # A message and its answer.
    ANSWERED = "asked and answered"
    # A message that nobody answers: what is judged is the longest silence.
    ONE_WAY = "one-way"


class Awaited(Enum):
    """What a timer of a protocol waits for."""

    ANSWER = "the answer to a heartbeat"
    HEARTBEAT = "a heartbeat"
    MESSAGE = "any message"
    PONG = "a pong"
    SESSION = "the start of a session"
    # Nothing: the connection ends at this age.
    AGE = "nothing"


class Intervals(NamedTuple):
    """What both ends of a connection go by, in seconds; None where there is none."""

    # Between two heartbeats of the client, and of the server.
    client: float | None = None
    server: float | None = None
    # How long an answer may take.
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a peer's first messages look like, where they are not those of the protocol that was asked for."""

    # The profile to use instead.
    profile: str
    # As people write the protocol: "Engine.IO 4".
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolTimer:
    """
    A timer that one end of a protocol runs, and how it ends the connection.

    Attributes:
        name: as it stands in a sentence: "Engine.IO's ping timeout".
        by: the end that runs it.
        awaits: what resets it.
        seconds: how long it runs; None where the interval tells.
        intervals: how many heartbeat intervals it runs instead; None where ``seconds`` tells. The interval is
            that of the end that is waited for.
        and_timeout: the timeout that the server names is added.
        code: what the other end records: a close code, 1005 for an empty close frame, 1006 for none.
        reason: the close reason.
        also: codes of other makers for the same end.
        words: parts of a close reason by which it is told, whatever the code.
        remedy: what to change.
        source: where the numbers are from.
        played: whether the orchestrator runs it too, where the server does.
        announced: so many seconds before the end the server says the profile's ``notice``; None: it does not.

    """

    name: str
    by: End
    awaits: Awaited
    seconds: float | None = None
    intervals: float | None = None
    and_timeout: bool = False
    code: int = 1006
    reason: str = ""
    also: tuple[int, ...] = ()
    words: tuple[str, ...] = ()
    remedy: str = ""
    source: str = ""
    played: bool = True
    announced: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.by, End):
            raise ValueError(f"timer {self.name!r}: by is {self.by!r}; give End.CLIENT or End.SERVER")
        if (self.seconds is None) == (self.intervals is None):
            raise ValueError(f"timer {self.name!r}: give seconds or intervals, and not both")

    def runs(self, every: float | None, timeout: float | None = None) -> float | None:
        """
        Seconds that it runs on one connection.

        Args:
            every: the heartbeat interval that rules there; None if there is none.
            timeout: the timeout that the server named; None if it named none.

        """
        if self.awaits is Awaited.ANSWER and timeout is not None:
            return timeout
        if self.intervals is None:
            return self.seconds
        if not every:
            return None
        return self.intervals * every + ((timeout or 0.0) if self.and_timeout else 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolCode:
    """
    What a close code means in a protocol.

    Attributes:
        code: 1005 stands for an empty close frame.
        meaning: in a few words: "connection initialisation timeout".
        by: the end that sends it; None for either.
        topic: what it speaks of, as a close reason would; None where it says no more than its meaning.
        planned: the end was announced or is a rotation, and is no instability if the client returns.
        returns: whether a client comes back after it; None where clients differ.
        source: where that is from.

    """

    code: int
    meaning: str
    by: End | None = None
    topic: Topic | None = None
    planned: bool = False
    returns: bool | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProtocolFacts:
    """
    What is known about a protocol, for verdicts and causes; durations are seconds.

    Attributes:
        name: of the profile.
        title: as people write it: "Engine.IO 4".
        heartbeat: what a heartbeat is.
        heartbeats_from: the ends that send them.
        every: the interval where neither test nor server says one; None: none is sent.
        timers: that either end runs.
        codes: that it gives a meaning of its own.
        max_age: the age at which the server ends every connection; None where it does not.
        greets: whether the server says something first.
        begins_session: whether the client begins a session.
        has_session: whether a session is confirmed.
        session_of: which of a server's it asks for, and what asks for another; empty where it has no name.
        names_errors: whether it says which messages are errors.
        cumulative: whether an answer with an id is one to all heartbeats before that one, too.
        heartbeats_in_session: whether the client sends none before its session is confirmed.
        names_interval: whether the server says how often heartbeats are sent.
        ends_with_fin: whether its servers end connections without a close frame.
        agrees: whether both ends agree on intervals, so that one that is not named is none.

    """

    name: str
    title: str
    heartbeat: HeartbeatShape = HeartbeatShape.PING_FRAMES
    heartbeats_from: frozenset[End] = frozenset({End.CLIENT})
    every: float | None = None
    timers: tuple[ProtocolTimer, ...] = ()
    codes: tuple[ProtocolCode, ...] = ()
    max_age: float | None = None
    greets: bool = False
    begins_session: bool = False
    has_session: bool = False
    session_of: str = ""
    names_errors: bool = False
    cumulative: bool = False
    heartbeats_in_session: bool = False
    names_interval: bool = False
    ends_with_fin: bool = False
    agrees: bool = False

    @property
    def both_ask(self) -> bool:
        """Whether each end sends heartbeats of its own."""
        return len(self.heartbeats_from) > 1

    def code(self, code: int, by: End) -> ProtocolCode | None:
        """What a close code means when an end sends it; None where the protocol gives it no meaning."""
        return next((each for each in self.codes if each.code == code and each.by in (None, by)), None)

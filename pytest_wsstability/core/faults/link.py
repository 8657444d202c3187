"""Faults of the link: what the way between the ends does to bytes. One class each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from ..duration import Duration, parse_duration
from ..timeline.events import FaultName
from .fault import Fault, Flow, Place, member, positive, some, whole


class ControlKind(Enum):
    """Control frames (RFC 6455, section 5.5)."""

    PING = "ping"
    PONG = "pong"
    CLOSE = "close"


class ResetBy(Enum):
    """The traffic that makes the timer of a middlebox start anew."""

    # Any byte, either way.
    ANY = "any"
    # Any byte of this direction only.
    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"
    # Each direction has a timer of its own, and the first to run out ends the connection.
    EACH = "each"
    # Messages, either way: text and binary frames, and no control frames.
    DATA = "data"


class EndsWith(Enum):
    """How a middlebox ends a connection; none sends a close frame."""

    FIN = "fin"
    RESET = "reset"
    # Nothing is said; whoever sends next gets RST.
    SILENCE = "silence"
    # Nothing is said, and nothing passes any more.
    BLACKHOLE = "blackhole"


@dataclass(frozen=True, init=False)
class LinkFault(Fault):
    """A fault of the way between the ends."""

    place = Place.LINK


@dataclass(frozen=True)
class Drop(LinkFault):
    """Both ends get FIN, without a close frame, behind the bytes that are on their way."""

    name = FaultName.DROP
    is_loss = True
    ends = True


@dataclass(frozen=True)
class Reset(LinkFault):
    """Both ends get RST, behind the bytes that are on their way."""

    name = FaultName.RESET
    is_loss = True
    ends = True


@dataclass(frozen=True, init=False)
class Blackhole(LinkFault):
    """Nothing passes until `Heal`; TCP loses nothing, so all that was held is then delivered."""

    name = FaultName.BLACKHOLE
    is_loss = True
    keeps_back = True
    direction: Flow

    def __init__(self, direction: Flow | str = Flow.BOTH) -> None:
        self._set(direction=member(direction, "Blackhole.direction", Flow))


@dataclass(frozen=True)
class Heal(LinkFault):
    """All lasting faults of the link end; what was held is delivered."""

    name = FaultName.HEAL


@dataclass(frozen=True, init=False)
class Stall(LinkFault):
    """Nothing passes for a while; then all that was held is delivered at once."""

    name = FaultName.STALL
    is_loss = True
    keeps_back = True
    seconds: float

    def __init__(self, seconds: Duration) -> None:
        self._set(seconds=parse_duration(seconds, "Stall.seconds"))


@dataclass(frozen=True, init=False)
class Latency(LinkFault):
    """Each direction takes longer by ``delay``, give or take up to ``jitter``; the order is kept."""

    name = FaultName.LATENCY
    keeps_back = True
    delay: float
    jitter: float

    def __init__(self, delay: Duration, *, jitter: Duration = 0.0) -> None:
        self._set(
            delay=parse_duration(delay, "Latency.delay", zero=True),
            jitter=parse_duration(jitter, "Latency.jitter", zero=True),
        )
        if self.jitter > self.delay:
            raise ValueError(
                f"Latency.jitter: {self.jitter:g} s is more than the delay of {self.delay:g} s, and "
                "nothing can arrive before it was sent"
            )


@dataclass(frozen=True, init=False)
class Bandwidth(LinkFault):
    """Each direction carries so many bytes a second."""

    name = FaultName.BANDWIDTH
    keeps_back = True
    bytes_per_second: float

    def __init__(self, bytes_per_second: float) -> None:
        self._set(bytes_per_second=positive(bytes_per_second, "Bandwidth.bytes_per_second", unit="bytes"))


@dataclass(frozen=True, init=False)
class CutAfter(LinkFault):
    """
    Both ends get FIN once so many more bytes have passed in a direction, in the middle of a frame too.

    Bytes of the opening handshake do not count, except over TLS, where nobody can tell them apart.

    """

    name = FaultName.CUT_AFTER
    is_loss = True
    bytes: int
    direction: Flow

    def __init__(self, bytes: int, *, direction: Flow | str = Flow.BOTH) -> None:
        self._set(
            bytes=whole(bytes, "CutAfter.bytes", least=0, unit="bytes"),
            direction=member(direction, "CutAfter.direction", Flow),
        )


@dataclass(frozen=True, init=False)
class CutAt(LinkFault):
    """Both ends get FIN at this age of the connection, whatever the traffic."""

    name = FaultName.CUT_AT
    is_loss = True
    ends = True
    at: float

    def __init__(self, at: Duration) -> None:
        self._set(at=parse_duration(at, "CutAt.at"))


@dataclass(frozen=True, init=False)
class HalfClose(LinkFault):
    """FIN in one direction: its receiver reads the end of the stream, and what else is sent is lost."""

    name = FaultName.HALF_CLOSE
    is_loss = True
    direction: Flow

    def __init__(self, direction: Flow | str) -> None:
        self._set(direction=member(direction, "HalfClose.direction", Flow))
        if self.direction is Flow.BOTH:
            raise ValueError(
                "HalfClose.direction: 'both' would close it whole, which is Drop(); "
                "give 'upstream' or 'downstream'"
            )


@dataclass(frozen=True, init=False)
class Slicer(LinkFault):
    """Bytes arrive in pieces of ``size`` bytes, ``delay`` apart."""

    name = FaultName.SLICER
    keeps_back = True
    size: int
    delay: float

    def __init__(self, size: int, *, delay: Duration = 0.0) -> None:
        self._set(
            size=whole(size, "Slicer.size", least=1, unit="bytes"),
            delay=parse_duration(delay, "Slicer.delay", zero=True),
        )


@dataclass(frozen=True, init=False)
class DropControlFrames(LinkFault):
    """Control frames vanish on the way, as some proxies let them; data passes. Not over TLS."""

    name = FaultName.DROP_CONTROL_FRAMES
    is_loss = True
    kinds: frozenset[ControlKind]
    direction: Flow

    def __init__(
        self,
        kinds: Iterable[ControlKind | str] | ControlKind | str = (ControlKind.PING, ControlKind.PONG),
        *,
        direction: Flow | str = Flow.BOTH,
    ) -> None:
        self._set(
            kinds=some(kinds, "DropControlFrames.kinds", ControlKind),
            direction=member(direction, "DropControlFrames.direction", Flow),
        )


@dataclass(frozen=True, init=False)
class IdleTimeout(LinkFault):
    """The timer of a proxy or load balancer: it ends the connection after so much silence."""

    name = FaultName.IDLE_TIMEOUT
    is_loss = True
    seconds: float
    reset_by: ResetBy
    ends_with: EndsWith

    def __init__(
        self,
        seconds: Duration,
        *,
        reset_by: ResetBy | str = ResetBy.ANY,
        ends_with: EndsWith | str = EndsWith.FIN,
    ) -> None:
        self._set(
            seconds=parse_duration(seconds, "IdleTimeout.seconds"),
            reset_by=member(reset_by, "IdleTimeout.reset_by", ResetBy),
            ends_with=member(ends_with, "IdleTimeout.ends_with", EndsWith),
        )


@dataclass(frozen=True, init=False)
class MaxAge(LinkFault):
    """A proxy or load balancer ends the connection at this age, whatever the traffic."""

    name = FaultName.MAX_AGE
    is_loss = True
    seconds: float
    ends_with: EndsWith

    def __init__(self, seconds: Duration, *, ends_with: EndsWith | str = EndsWith.FIN) -> None:
        self._set(
            seconds=parse_duration(seconds, "MaxAge.seconds"),
            ends_with=member(ends_with, "MaxAge.ends_with", EndsWith),
        )


LINK_FAULTS: tuple[type[LinkFault], ...] = (
    Drop, Reset, Blackhole, Heal, Stall, Latency, Bandwidth, CutAfter, CutAt, HalfClose, Slicer,
    DropControlFrames, IdleTimeout, MaxAge,
)  # fmt: skip

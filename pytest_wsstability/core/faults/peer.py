"""Faults of the peer: what a server that misbehaves says, withholds or breaks. One class each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from ..duration import Duration, parse_duration
from ..number import is_whole
from ..timeline.close import VALID_CLOSE_CODES, may_be_sent
from ..timeline.events import FaultName
from .fault import Fault, Place, member, positive, text, whole


class Malformation(Enum):
    """What is wrong with a frame (RFC 6455, section 5)."""

    # A reserved bit is set and no extension was negotiated (5.2).
    RESERVED_BIT = "reserved_bit"
    # An opcode that means nothing (5.2).
    UNKNOWN_OPCODE = "unknown_opcode"
    # A control frame in fragments (5.5).
    FRAGMENTED_PING = "fragmented_ping"
    # A control frame of more than 125 bytes (5.5).
    LONG_PING = "long_ping"
    # A continuation of no message (5.4).
    STRAY_CONTINUATION = "stray_continuation"
    # A close frame whose body is one byte (5.5.1).
    SHORT_CLOSE = "short_close"


@dataclass(frozen=True, init=False)
class PeerFault(Fault):
    """A fault of the server."""

    place = Place.PEER


@dataclass(frozen=True)
class WithholdPongs(PeerFault):
    """The client's pings are not answered any more."""

    name = FaultName.WITHHOLD_PONGS
    is_loss = True


@dataclass(frozen=True)
class WithholdHeartbeats(PeerFault):
    """No heartbeat of the client is answered any more, nor any sent, though pings are answered: a zombie."""

    name = FaultName.WITHHOLD_HEARTBEATS
    is_loss = True


@dataclass(frozen=True)
class NeverConfirm(PeerFault):
    """The session is never confirmed."""

    name = FaultName.NEVER_CONFIRM


@dataclass(frozen=True, init=False)
class LateConfirm(PeerFault):
    """The session is confirmed so much later."""

    name = FaultName.LATE_CONFIRM
    delay: float

    def __init__(self, delay: Duration) -> None:
        self._set(delay=parse_duration(delay, "LateConfirm.delay"))


@dataclass(frozen=True)
class WrongSession(PeerFault):
    """A session that is not the client's is confirmed."""

    name = FaultName.WRONG_SESSION


@dataclass(frozen=True)
class DuplicateConfirm(PeerFault):
    """The session is confirmed twice."""

    name = FaultName.DUPLICATE_CONFIRM


@dataclass(frozen=True, init=False)
class CloseWith(PeerFault):
    """The server closes with this code and reason."""

    name = FaultName.CLOSE_WITH
    is_loss = True
    ends = True
    code: int
    reason: str

    def __init__(self, code: int, reason: str = "") -> None:
        self._set(code=_code(code, "CloseWith.code"), reason=text(reason, "CloseWith.reason"))
        # RFC 6455, section 5.5: 125 bytes in a control frame, of which the code takes two.
        if len(self.reason.encode()) > 123:
            raise ValueError(f"CloseWith.reason: {len(self.reason.encode())} bytes; a close frame holds 123")


@dataclass(frozen=True)
class EmptyClose(PeerFault):
    """The server closes with a frame without code or reason, which reads as 1005."""

    name = FaultName.EMPTY_CLOSE
    is_loss = True
    ends = True


@dataclass(frozen=True, init=False)
class InvalidCloseCode(PeerFault):
    """The server closes with a code that no close frame may carry (RFC 6455, section 7.4)."""

    name = FaultName.INVALID_CLOSE_CODE
    is_loss = True
    ends = True
    code: int

    def __init__(self, code: int = 1006) -> None:
        name = "InvalidCloseCode.code"
        if not is_whole(code, 0) or code > 0xFFFF:
            raise ValueError(f"{name}: {code!r} is not a number of two bytes, 0 to 65535")
        if may_be_sent(code):
            raise ValueError(f"{name}: {code} is a valid close code; CloseWith({code}) sends it")
        self._set(code=code)


@dataclass(frozen=True)
class IgnoreClose(PeerFault):
    """The client's close frame is not answered."""

    name = FaultName.IGNORE_CLOSE


@dataclass(frozen=True)
class HandlerError(PeerFault):
    """The server's handler fails, and the connection is closed with 1011."""

    name = FaultName.HANDLER_ERROR
    is_loss = True
    ends = True


@dataclass(frozen=True, init=False)
class Oversize(PeerFault):
    """The server sends a message of so many bytes, which a client with a limit refuses with 1009."""

    name = FaultName.OVERSIZE
    bytes: int

    def __init__(self, bytes: int) -> None:
        self._set(bytes=whole(bytes, "Oversize.bytes", least=1, unit="bytes"))


@dataclass(frozen=True, init=False)
class Malformed(PeerFault):
    """The server sends a frame that breaks the protocol, which a client refuses with 1002."""

    name = FaultName.MALFORMED
    kind: Malformation

    def __init__(self, kind: Malformation | str = Malformation.RESERVED_BIT) -> None:
        self._set(kind=member(kind, "Malformed.kind", Malformation))


@dataclass(frozen=True)
class BadUtf8(PeerFault):
    """The server sends a text message that is not UTF-8, which a client refuses with 1007."""

    name = FaultName.BAD_UTF8


@dataclass(frozen=True)
class MaskedFrame(PeerFault):
    """The server sends a masked frame, which a client refuses with 1002 (RFC 6455, section 5.1)."""

    name = FaultName.MASKED_FRAME


@dataclass(frozen=True)
class StopReading(PeerFault):
    """The server reads nothing any more, as one whose handler waits for something else."""

    name = FaultName.STOP_READING
    is_loss = True


@dataclass(frozen=True, init=False)
class FreezeLoop(PeerFault):
    """The server does nothing at all for so long, as one whose event loop is blocked."""

    name = FaultName.FREEZE_LOOP
    is_loss = True
    seconds: float

    def __init__(self, seconds: Duration) -> None:
        self._set(seconds=parse_duration(seconds, "FreezeLoop.seconds"))


@dataclass(frozen=True, init=False)
class Flood(PeerFault):
    """The server sends many messages for a while."""

    name = FaultName.FLOOD
    messages_per_second: float
    size: int
    seconds: float

    def __init__(self, messages_per_second: float, *, size: int = 1000, seconds: Duration = 1.0) -> None:
        self._set(
            messages_per_second=positive(
                messages_per_second, "Flood.messages_per_second", unit="messages a second"
            ),
            size=whole(size, "Flood.size", least=0, unit="bytes"),
            seconds=parse_duration(seconds, "Flood.seconds"),
        )


@dataclass(frozen=True, init=False)
class RefuseUpgrade(PeerFault):
    """The opening handshake is answered with an HTTP error, with Retry-After (seconds) if given."""

    name = FaultName.REFUSE_UPGRADE
    ends = True
    status: int
    retry_after: float | None

    def __init__(self, status: int = 503, *, retry_after: Duration | None = None) -> None:
        if not is_whole(status, 400) or status > 599:
            raise ValueError(f"RefuseUpgrade.status: {status!r} is not an HTTP error; give 400 to 599")
        name = "RefuseUpgrade.retry_after"
        after = None if retry_after is None else parse_duration(retry_after, name, zero=True)
        if after is not None and after != int(after):
            raise ValueError(f"{name}: {after:g} s; HTTP has whole seconds (RFC 9110, section 10.2.3)")
        self._set(status=status, retry_after=after)


@dataclass(frozen=True, init=False)
class AcceptThenClose(PeerFault):
    """The connection opens and is closed at once with this code, before anything is said."""

    name = FaultName.ACCEPT_THEN_CLOSE
    is_loss = True
    ends = True
    code: int

    def __init__(self, code: int = 1013) -> None:
        self._set(code=_code(code, "AcceptThenClose.code"))


@dataclass(frozen=True, init=False)
class Restart(PeerFault):
    """The server goes down: all connections are dropped, and its port refuses for so long."""

    name = FaultName.RESTART
    is_loss = True
    ends = True
    down_for: float

    def __init__(self, down_for: Duration = 0.0) -> None:
        self._set(down_for=parse_duration(down_for, "Restart.down_for", zero=True))


def _code(value: int, name: str) -> int:
    if not is_whole(value) or not may_be_sent(value):
        raise ValueError(
            f"{name}: {value!r} cannot be sent in a close frame; valid ones: {VALID_CLOSE_CODES} "
            "(InvalidCloseCode sends others)"
        )
    return value


PEER_FAULTS: tuple[type[PeerFault], ...] = (
    WithholdPongs, WithholdHeartbeats, NeverConfirm, LateConfirm, WrongSession, DuplicateConfirm, CloseWith,
    EmptyClose, InvalidCloseCode, IgnoreClose, HandlerError, Oversize, Malformed, BadUtf8, MaskedFrame,
    StopReading, FreezeLoop, Flood, RefuseUpgrade, AcceptThenClose, Restart,
)  # fmt: skip

# These happen at the opening of a connection, and at no other time.
AT_OPENING = (RefuseUpgrade, AcceptThenClose)

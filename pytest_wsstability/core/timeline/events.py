"""One event of a connection, and the closed sets its fields come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


class End(Enum):
    """Which end of the connection recorded a timeline."""

    CLIENT = "client"
    SERVER = "server"
    PROXY = "proxy"

    @property
    def peer(self) -> End:
        """The other end; a proxy has two, so it has no peer of its own and answers itself."""
        return {End.CLIENT: End.SERVER, End.SERVER: End.CLIENT, End.PROXY: End.PROXY}[self]


class Tier(Enum):
    """Whether a timeline ran on the real clock or in virtual time; the two are never mixed."""

    REAL = "real time"
    VIRTUAL = "virtual time"


class EventKind(IntEnum):
    """What sort of thing happened."""

    OPENED = 0
    FRAME = 1
    # We stopped or started to take bytes from the transport.
    READING_PAUSED = 2
    READING_RESUMED = 3
    # Our own event loop ran late; `seconds` says by how much.
    LOOP_LAG = 4
    # The machine slept; `seconds` says for how long.
    SUSPENDED = 5
    # A read deadline of this end ran out.
    DEADLINE = 6
    # The transport is gone; `Timeline.close` holds the evidence.
    ENDED = 7
    # A fault was done on purpose; `size` is its place in `faults.FAULTS`.
    FAULT = 8


class Direction(IntEnum):
    """Seen from the end that recorded the event."""

    SENT = 0
    RECEIVED = 1
    LOCAL = 2


class Opcode(IntEnum):
    """RFC 6455, section 5.2. ``NONE`` stands for events that are no frame."""

    CONT = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA
    NONE = 0xF


class Role(IntEnum):
    """What a frame is for, in the application protocol's words."""

    # Control frames, and continuation frames of a message whose role is not known yet.
    NONE = 0
    DATA = 1
    GREETING = 2
    SESSION_INFO = 3
    SESSION_CONFIRMED = 4
    HEARTBEAT = 5
    HEARTBEAT_ANSWER = 6
    # The peer says that it will end the connection soon: "go away", "disconnect", "server restart".
    NOTICE = 7
    # The peer says that something is wrong: "token has expired".
    ERROR = 8
    # The server will not have this session.
    SESSION_REFUSED = 9
    # A further step of the session's handshake.
    STEP = 10


class FrameKind(IntEnum):
    """What a timer may be reset by; close frames count as none."""

    # Text, binary and continuation frames, whatever is in them.
    DATA = 0
    PING = 1
    PONG = 2
    ANY = 3


class DeadlineTraffic(Enum):
    """Traffic of the client that may reset a server's read deadline."""

    PONG = "pong"
    PING = "ping"
    # Text and binary frames, whatever is in them.
    DATA = "data"
    # The profile's heartbeats only.
    HEARTBEAT = "heartbeat"
    ANY = "any"

    @property
    def plural(self) -> str:
        """As it stands in a sentence: ``pongs``, ``data frames``."""
        return {DeadlineTraffic.DATA: "data frames", DeadlineTraffic.ANY: "frames"}.get(
            self, f"{self.value}s"
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a connection."""

    # Seconds since the opening handshake ended.
    at: float
    kind: EventKind
    direction: Direction = Direction.LOCAL
    opcode: Opcode = Opcode.NONE
    # Payload bytes of a frame, before compression; 0 for what is no frame.
    size: int = 0
    role: Role = Role.NONE
    # How long, for LOOP_LAG and SUSPENDED; 0.0 for the rest.
    seconds: float = 0.0

"""One event of a connection, and the closed sets its fields come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum, StrEnum

# Seconds: two ways to one instant, as differences of clock readings, may differ in the last bits.
SAME = 1e-9


class End(Enum):
    """Which end of the connection recorded a timeline."""

    CLIENT = "client"
    SERVER = "server"
    PROXY = "proxy"

    @property
    def peer(self) -> End:
        """The other end; a proxy has two, so it has no peer of its own and answers itself."""
        return _PEERS[self]


_PEERS = {End.CLIENT: End.SERVER, End.SERVER: End.CLIENT, End.PROXY: End.PROXY}


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
    # A fault was applied on purpose; `fault` says which.
    FAULT = 8
    # Our own event loop ran late over what the peer sent; `seconds` says by how much.
    FLOOD = 9


class FaultName(StrEnum):
    """
    What a fault is called, in files and on timelines; `core.faults` has a class for each.

    Timelines hold and files write the name, so that one that is added changes no older report.

    """

    DROP = "drop"
    RESET = "reset"
    BLACKHOLE = "blackhole"
    HEAL = "heal"
    STALL = "stall"
    LATENCY = "latency"
    BANDWIDTH = "bandwidth"
    CUT_AFTER = "cut_after"
    CUT_AT = "cut_at"
    HALF_CLOSE = "half_close"
    SLICER = "slicer"
    DROP_CONTROL_FRAMES = "drop_control_frames"
    IDLE_TIMEOUT = "idle_timeout"
    MAX_AGE = "max_age"
    WITHHOLD_PONGS = "withhold_pongs"
    WITHHOLD_HEARTBEATS = "withhold_heartbeats"
    NEVER_CONFIRM = "never_confirm"
    LATE_CONFIRM = "late_confirm"
    WRONG_SESSION = "wrong_session"
    DUPLICATE_CONFIRM = "duplicate_confirm"
    CLOSE_WITH = "close_with"
    EMPTY_CLOSE = "empty_close"
    INVALID_CLOSE_CODE = "invalid_close_code"
    IGNORE_CLOSE = "ignore_close"
    HANDLER_ERROR = "handler_error"
    OVERSIZE = "oversize"
    MALFORMED = "malformed"
    BAD_UTF8 = "bad_utf8"
    MASKED_FRAME = "masked_frame"
    STOP_READING = "stop_reading"
    FREEZE_LOOP = "freeze_loop"
    FLOOD = "flood"
    REFUSE_UPGRADE = "refuse_upgrade"
    ACCEPT_THEN_CLOSE = "accept_then_close"
    RESTART = "restart"
    LATE_HEARTBEATS = "late_heartbeats"
    LATE_ANSWERS = "late_answers"
    WRONG_IDS = "wrong_ids"
    DUPLICATE_ANSWERS = "duplicate_answers"
    REFUSE_SESSION = "refuse_session"
    REFUSE_RESUME = "refuse_resume"
    SEND_NOTICE = "send_notice"
    SEND_ERROR = "send_error"


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


# What a frame of the wire may be; the others are reserved, and no timeline holds them.
FRAME_OPCODES = frozenset(int(opcode) for opcode in Opcode if opcode is not Opcode.NONE)


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
    # The ping at the end of a hold that sees whether the peer is still there.
    PROOF_OF_LIFE = 11
    # The client says that it goes.
    GOODBYE = 12
    # The server wants a heartbeat of the client at once.
    HEARTBEAT_REQUEST = 13


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
    # How long, for LOOP_LAG, FLOOD and SUSPENDED; 0.0 for the rest.
    seconds: float = 0.0
    # Which one, for FAULT; None for the rest.
    fault: FaultName | None = None

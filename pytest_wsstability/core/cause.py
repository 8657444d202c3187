"""What a diagnosis is made of: a cause, how sure it is, who is to blame, and what proves it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from .site import code


class Cause(Enum):
    """What ended or broke a connection; the value is the cause in words."""

    # The test process itself.
    MACHINE_SLEPT = "the machine slept"
    HARNESS_BLOCKED = "the test's own event loop stood still"
    HARNESS_NOT_READING = "the test did not take its messages, so reading was paused"
    INJECTED_FAULT = "a fault that the test injected"
    CLOSED_HERE = "this end closed the connection itself"
    # Timers.
    IDLE_TIMEOUT = "an idle timeout"
    IDLE_AS_NORMAL = "an idle timeout that closes as if all were well"
    READ_DEADLINE = "a read deadline that the traffic of the other end did not reset"
    PONG_DEADLINE = "a read deadline that only pongs reset"
    PING_UNANSWERED = "pings that were not answered with pongs"
    HEARTBEAT_UNANSWERED = "heartbeats that this end did not answer"
    KEEPALIVE_TIMEOUT = "a keepalive of the other end that ran out"
    PONG_LATE = "a pong that came too late"
    ENGINE_IO_PING_TIMEOUT = "the ping timeout of Engine.IO"
    MAX_AGE = "a maximum age"
    PLANNED_ROTATION = "a planned rotation"
    # The path.
    NAT_EXPIRED = "an address translation or load balancer that forgot the connection"
    HALF_OPEN = "a dead path (half-open)"
    PATH_STALLED = "a path that stood still for a while"
    CONTROL_FRAMES_LOST = "a path that loses control frames"
    SLOW_ANSWERS = "answers that are slow"
    # The other end.
    PEER_FROZEN = "a process that stands still"
    PEER_NOT_READING = "an end that stopped reading"
    BACKPRESSURE = "an end that reads too slowly"
    SLOW_CONSUMER = "an end that takes messages slower than they are sent"
    NO_PONGS = "an end that answers no pings"
    ZOMBIE = "an application that does nothing behind a connection that lives"
    ONE_WAY_DEAD = "a stream that went silent while the connection lives"
    HEARTBEATS_STOPPED = "heartbeats that stopped coming"
    HEARTBEATS_RARE = "heartbeats that are due less often than the test wants them"
    HEARTBEATS_SKIPPED = "heartbeats of which some are not answered"
    HANDLER_ERROR = "an error in the handler"
    RESTART = "a restart or a deployment"
    OVERLOADED = "overload"
    RATE_LIMITED = "a limit on how often something is sent"
    UPSTREAM_FAILED = "a gateway whose upstream failed"
    AUTH_EXPIRED = "a policy: authentication expired, or not allowed"
    SESSION_EXPIRED = "a session that expired"
    ORIGIN_REFUSED = "an origin that was refused"
    CLOSED_BY_PEER = "a close of the other end on purpose"
    PEER_LEFT = "a page or client that left"
    # What was said.
    MESSAGE_TOO_BIG = "a message that is too big"
    PROTOCOL_ERROR = "frames that break the protocol"
    MID_FRAME = "a stream cut in the middle of a frame"
    HALF_FRAME = "a frame whose rest never came"
    NO_FRAMES = "bytes on the stream that are no frames"
    # The session.
    SESSION_NOT_CONFIRMED = "a session that was not confirmed"
    SESSION_LOST = "a session that was lost"
    SESSION_DUPLICATED = "a session that exists twice"
    # Of a spoken conversation.
    STAGE_SLOW = "a stage of the voice pipeline that is slow"
    STAGE_STALLED = "a stage of the voice pipeline that gives no result"
    TURN_BROKE_OFF = "an answer that broke off"
    TURN_GOES_ON = "an answer that went on for too long"
    NOT_INTERRUPTED = "an agent that speaks on while the user speaks"
    AUDIO_FLOOD = "audio that is sent far ahead of its time"
    AUDIO_LOST = "audio that was lost"
    AUDIO_REORDERED = "audio that is out of order"
    AUDIO_TWICE = "audio that was sent twice"
    AUDIO_OF_OTHERS = "audio of another session"
    AUDIO_UNREADABLE = "audio that cannot be read"
    AUDIO_AFTER_END = "audio behind the end of its turn"
    CONTEXT_LOST = "a conversation that was forgotten at a reconnect"
    # The opening.
    REFUSED = "an upgrade that was refused"
    THROTTLED = "a limit on connections"
    UNAUTHORIZED = "credentials that were not accepted"
    TLS_FAILED = "a TLS handshake that failed"
    NAME_UNKNOWN = "a name that does not resolve"
    UNREACHABLE = "an address where nothing listens"
    PROXY_REFUSED = "a proxy that did not open a way"
    NO_WEBSOCKET = "an answer that is no WebSocket handshake"
    OPENING_TIMED_OUT = "an opening that took too long"
    HARNESS_SHORT = "a shortage on the test's own machine"

    UNDETERMINED = "undetermined"

    @property
    def code(self) -> str:
        """What the FAQ explains it under: ``ping-unanswered``."""
        return code(self.name)


class Confidence(Enum):
    """How far the evidence carries: at HIGH, no other known cause fits it as well."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """2 for high, 1 for medium, 0 for low."""
        return (Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH).index(self)


class Blame(Enum):
    """Who has to change something."""

    SERVER = "server"
    PATH = "path"
    CLIENT = "client"
    HARNESS = "harness"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact on the record."""

    text: str
    # The event it stands for, in seconds since the opening handshake ended; None for the whole life.
    at: float | None = None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A cause that was not proved, and how far the record is from it."""

    cause: Cause
    # What the record would have to show, and what it shows.
    text: str
    # Seconds, or other units named in the text; smaller is nearer.
    distance: float

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """
    Why a connection ended or broke, as far as the record carries it.

    Attributes:
        cause: the likeliest cause; ``UNDETERMINED`` when nothing fits.
        confidence: how sure.
        blame: who has to change something.
        sentence: the cause in one sentence, with its numbers.
        headline: the same in at most 70 characters.
        evidence: the facts that carry it.
        ruled_out: what it is not, and which fact says so.
        runner_up: the next likely cause; None if there is none.
        alternatives: every other cause that fits the record too, the runner-up first.
        experiment: what tells the two apart; None if there is no second.
        remedy: what to change, with the knob's name where the owner is known.
        hypotheses: the nearest causes when undetermined.
        together: what connections of which the same is said are called; empty where the cause says it.

    """

    cause: Cause
    confidence: Confidence
    blame: Blame
    sentence: str
    headline: str
    evidence: tuple[Evidence, ...] = ()
    ruled_out: tuple[Evidence, ...] = ()
    runner_up: Cause | None = None
    experiment: str | None = None
    remedy: str | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    alternatives: tuple[Cause, ...] = ()
    together: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} (confidence {self.confidence.value})"

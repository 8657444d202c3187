"""How the reference orchestrator behaves: its timers, and what it says or withholds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict, Unpack

from ...core.duration import Duration, parse_duration, parse_optional
from ...core.number import is_whole
from ...core.timeline.close import VALID_CLOSE_CODES, may_be_sent
from ...core.timeline.events import DeadlineTraffic, Direction, End, Opcode, Role
from ...core.timeline.timeline import Timeline
from ...profiles import Profile

# Heartbeats are told by their role and not by their opcode.
OPCODES = {
    DeadlineTraffic.PONG: (Opcode.PONG,),
    DeadlineTraffic.PING: (Opcode.PING,),
    DeadlineTraffic.DATA: (Opcode.TEXT, Opcode.BINARY, Opcode.CONT),
    DeadlineTraffic.ANY: (Opcode.PONG, Opcode.PING, Opcode.CLOSE, Opcode.TEXT, Opcode.BINARY, Opcode.CONT),
}

# What a server's read deadline can do when it has run out.
DROP = "drop"


ResetName = Literal["pong", "ping", "data", "heartbeat", "any"]


class BehaviourKeywords(TypedDict, total=False):
    """What people write for the fields of a `Behaviour`: for editors and type checkers."""

    read_deadline: Duration | None
    ping_interval: Duration | None
    heartbeat_interval: Duration | None
    deadline_reset_by: ResetName | Iterable[ResetName]
    on_deadline: Literal["drop"] | int
    greet: Duration | bool
    confirm_sessions: Duration | bool
    answer_heartbeats: Duration | bool


# Looked up once: before Python 3.12 a member of an enum takes ten times as long as a name.
_HEARTBEAT = Role.HEARTBEAT


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """
    The server's side of the protocol, validated; durations are seconds.

    The defaults are those of the server in which this project began: a read deadline of 60 s that only
    pongs reset, ping frames every 30 s, and a connection dropped without a close frame.

    """

    # None: there is no read deadline, or there are no pings.
    read_deadline: float | None = 60.0
    ping_interval: float | None = 30.0
    # Between two heartbeats of the server, where its protocol has some; None: as the protocol has it.
    heartbeat_interval: float | None = None
    deadline_reset_by: frozenset[DeadlineTraffic] = frozenset({DeadlineTraffic.PONG})
    # "drop" closes the stream without a close frame, as Go servers do; a number is a close code.
    on_deadline: str | int = DROP
    # Seconds after which each is done, 0.0 at once; None: never.
    greet: float | None = 0.0
    confirm_sessions: float | None = 0.0
    answer_heartbeats: float | None = 0.0
    # After how many seconds the server's own heartbeats go out, where its protocol has some; None: never.
    send_heartbeats: float | None = 0.0
    # What faults do to answers: how often each is sent, and whether with another id.
    answers: int = 1
    wrong_ids: bool = False
    # What faults do to the confirmation: how often it is sent, and for whose session (None: the client's).
    confirmations: int = 1
    confirm_as: str | None = None
    refuse_sessions: bool = False
    # The opcodes that reset the deadline, whatever their frames are for, and whether heartbeats do.
    _opcodes: frozenset[int] = field(init=False, repr=False, compare=False)
    _heartbeats: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        opcodes = {int(opcode) for kind in self.deadline_reset_by for opcode in OPCODES.get(kind, ())}
        object.__setattr__(self, "_opcodes", frozenset(opcodes))
        object.__setattr__(self, "_heartbeats", DeadlineTraffic.HEARTBEAT in self.deadline_reset_by)

    @classmethod
    def of(cls, **values: Unpack[BehaviourKeywords]) -> Behaviour:
        """
        A behaviour from what people write.

        Raises:
            TypeError: for a name that it does not have.
            ValueError: for a value that makes no sense, naming it.

        """
        valid = list(_CONVERT)
        for name in values:
            if name not in valid:
                raise TypeError(f"unknown orchestrator keyword {name!r}; valid ones: {', '.join(valid)}")
        converted: dict[str, Any] = {name: _CONVERT[name](value, name) for name, value in values.items()}
        return cls(**converted)

    def resets(self, opcode: int, role: Role) -> bool:
        """Whether a frame from the client resets the read deadline."""
        return opcode in self._opcodes or (self._heartbeats and role is _HEARTBEAT)

    def last_reset(self, timeline: Timeline) -> float | None:
        """When something last reset the read deadline, in seconds since the opening; None if nothing has."""
        instants = (last_traffic(kind, timeline) for kind in self.deadline_reset_by)
        return max((at for at in instants if at is not None), default=None)


def last_traffic(kind: DeadlineTraffic, timeline: Timeline) -> float | None:
    """When a client last sent such traffic, in seconds since the opening; None if it never did."""
    if kind is DeadlineTraffic.HEARTBEAT:
        return timeline.last(direction=Direction.RECEIVED, role=Role.HEARTBEAT)
    instants = [timeline.last(direction=Direction.RECEIVED, opcode=opcode) for opcode in OPCODES[kind]]
    return max((at for at in instants if at is not None), default=None)


def sends_heartbeats(profile: Profile) -> bool:
    """Whether servers of a profile send heartbeats as messages."""
    return not profile.heartbeat_is_frame and profile.beats(End.SERVER)


def behaviour_of(profile: Profile, **values: Unpack[BehaviourKeywords]) -> Behaviour:
    """
    The behaviour of a server that speaks a protocol, from what people write.

    A protocol with heartbeats or timers of its own has no read deadline and no pings besides, unless they
    are asked for.

    Raises:
        TypeError, ValueError: as `Behaviour.of`, for a heartbeat where servers send none, and for a protocol
            that a server cannot speak.

    """
    profile.check_written_by(End.SERVER)
    interval = values.get("heartbeat_interval")
    if interval is not None and not (sends_heartbeats(profile) or profile.words.interval_is_named):
        raise ValueError(
            f"heartbeat_interval: {interval!r}: servers of the profile {profile.name!r} neither send "
            "heartbeats nor say how often to send them"
        )
    if profile.words.names_interval and interval is None and profile.interval is None:
        raise ValueError(
            f"heartbeat_interval: servers of the profile {profile.name!r} say how often heartbeats are sent, "
            "and it has no interval: give heartbeat_interval=, or interval= in the profile"
        )
    if profile.interval is not None or profile.timers:
        values = {"read_deadline": None, "ping_interval": None, **values}
    return Behaviour.of(**values)


def _delay(value: Duration | bool, name: str) -> float | None:
    if isinstance(value, bool):
        return 0.0 if value else None
    try:
        return parse_duration(value, name, zero=True)
    except ValueError as exc:
        raise ValueError(f"{exc}; or True (at once) or False (never)") from None


def _kinds(
    value: str | DeadlineTraffic | Iterable[str | DeadlineTraffic], name: str
) -> frozenset[DeadlineTraffic]:
    valid = ", ".join(repr(kind.value) for kind in DeadlineTraffic)
    given = list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]
    for each in given:
        if each not in [*DeadlineTraffic, *(kind.value for kind in DeadlineTraffic)]:
            raise ValueError(
                f"{name}: {each!r} is no kind of traffic; valid ones: {valid}, or several in a set"
            )
    if not given:
        raise ValueError(f"{name}: nothing would reset the deadline; valid ones: {valid}")
    return frozenset(map(DeadlineTraffic, given))


def _action(value: str | int, name: str) -> str | int:
    if value == DROP or (is_whole(value) and may_be_sent(value)):
        return value
    raise ValueError(
        f"{name}: {value!r} is neither 'drop' nor a close code; valid codes: {VALID_CLOSE_CODES}"
    )


def restart_code(how: int | str) -> int | None:
    """
    The close code with which a server that restarts ends its connections; None for "drop", a FIN without one.

    Raises:
        ValueError: if it is neither.

    """
    code = _action(how, "how")
    return code if isinstance(code, int) else None


_CONVERT: dict[str, Callable[[Any, str], Any]] = {
    "read_deadline": parse_optional,
    "ping_interval": parse_optional,
    "heartbeat_interval": parse_optional,
    "deadline_reset_by": _kinds,
    "on_deadline": _action,
    "greet": _delay,
    "confirm_sessions": _delay,
    "answer_heartbeats": _delay,
}

"""Faults of a server against its application protocol, where that has such a message."""

from __future__ import annotations

from dataclasses import dataclass

from ..duration import Duration, parse_duration
from ..timeline.events import FaultName
from .peer import PeerFault


@dataclass(frozen=True, init=False)
class ProtocolFault(PeerFault):
    """A fault that needs a profile with what it acts on."""


@dataclass(frozen=True, init=False)
class LateHeartbeats(ProtocolFault):
    """The server's own heartbeats go out so much later."""

    name = FaultName.LATE_HEARTBEATS
    delay: float

    def __init__(self, delay: Duration) -> None:
        self._set(delay=parse_duration(delay, "LateHeartbeats.delay"))


@dataclass(frozen=True, init=False)
class LateAnswers(ProtocolFault):
    """The client's heartbeats are answered so much later."""

    name = FaultName.LATE_ANSWERS
    delay: float

    def __init__(self, delay: Duration) -> None:
        self._set(delay=parse_duration(delay, "LateAnswers.delay"))


@dataclass(frozen=True)
class WrongIds(ProtocolFault):
    """Answers to the client's heartbeats carry another id than the heartbeat's."""

    name = FaultName.WRONG_IDS
    is_loss = True


@dataclass(frozen=True)
class DuplicateAnswers(ProtocolFault):
    """Each heartbeat of the client is answered twice."""

    name = FaultName.DUPLICATE_ANSWERS


@dataclass(frozen=True)
class RefuseSession(ProtocolFault):
    """The session is refused in the protocol's own words."""

    name = FaultName.REFUSE_SESSION


@dataclass(frozen=True)
class RefuseResume(ProtocolFault):
    """The session that a client comes back to is not known any more."""

    name = FaultName.REFUSE_RESUME


@dataclass(frozen=True)
class SendNotice(ProtocolFault):
    """The server announces that it will end the connection, and does not end it by itself."""

    name = FaultName.SEND_NOTICE
    # A client that does not come back in time has not heard it.
    is_loss = True


@dataclass(frozen=True)
class SendError(ProtocolFault):
    """The server sends what its protocol calls an error, such as that a token has expired."""

    name = FaultName.SEND_ERROR


PROTOCOL_FAULTS: tuple[type[ProtocolFault], ...] = (
    LateHeartbeats, LateAnswers, WrongIds, DuplicateAnswers, RefuseSession, RefuseResume, SendNotice,
    SendError,
)  # fmt: skip

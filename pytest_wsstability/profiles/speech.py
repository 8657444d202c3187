"""What a conversation hears, and what it wants said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from ..core.timeline.events import Role
from ..core.timeline.flaws import Flaw
from ..core.timeline.protocol_facts import ProtocolTimer
from .placeholders import Values


class Problem(NamedTuple):
    """Something in a message that is against its protocol."""

    flaw: Flaw
    # In words, with the value and what would be valid.
    detail: str


class Heard(NamedTuple):
    """What one message is for."""

    role: Role
    # What tells a heartbeat from its neighbours; None where nothing does.
    key: bytes | None = None
    # The session that it names; None if it names none.
    session_id: str | None = None
    # What stands for its placeholders; None where it has none.
    values: Values | None = None
    # The message itself, where the frame is more or less than it; None where it is the frame's payload.
    payload: str | bytes | None = None
    # Which of the profile's `steps` it is.
    step: int | None = None
    # A client comes back to its session.
    resumes: bool = False
    problem: Problem | None = None
    # Further messages of the same frame.
    rest: tuple[Heard, ...] = ()


class Say(NamedTuple):
    """A message that should go out now; `Conversation.write` makes it when it does."""

    role: Role
    values: Values | None = None
    # Which of the profile's `steps` it is.
    step: int | None = None
    # It resumes a session, or answers such a message.
    resumes: bool = False

    @property
    def key(self) -> bytes | None:
        """What tells it from its neighbours; None where nothing does."""
        return None if self.values is None else key_of(self.values)

    def with_another_id(self) -> Say:
        """The same for another question than the one that was asked, if it carries an id."""
        values = self.values or {}
        if "id" not in values:
            return self
        found = values["id"]
        return self._replace(values={**values, "id": found + 1 if isinstance(found, int) else f"{found}x"})


class HttpAnswer(NamedTuple):
    """What a server says over HTTP to a client that asks before it connects."""

    # 200 and above.
    status: int
    # JSON.
    body: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """The connection should be ended: a timer of this end ran out."""

    timer: ProtocolTimer
    seconds: float


def key_of(values: Values) -> bytes | None:
    """What tells a heartbeat from its neighbours, of its id; None without one."""
    found = values.get("id")
    return None if found is None else str(found).encode("utf-8", "backslashreplace")

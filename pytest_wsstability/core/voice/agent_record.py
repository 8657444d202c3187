"""What a voice agent knows of its own turns: when each stage began, when it gave its first result."""

from __future__ import annotations

from dataclasses import dataclass, field

from .stage_faults import StageName


@dataclass(slots=True)
class StageRun:
    """One stage in one turn; instants are readings of the agent's clock."""

    began: float
    # Its first result; None for one that has not come.
    first: float | None = None
    # It raised.
    crashed: bool = False
    # Seconds for which nobody read because it worked.
    not_reading: float = 0.0
    # Seconds for which it kept the event loop.
    kept_loop: float = 0.0

    def seconds(self, now: float) -> float:
        """How long it took, or has taken by now."""
        return (now if self.first is None else self.first) - self.began


@dataclass(slots=True)
class AgentTurn:
    """One turn as the agent saw it."""

    # Counted over all connections of the session.
    number: int
    # The user's speech; None while it goes on.
    heard_from: float
    heard_until: float | None = None
    stages: dict[StageName, StageRun] = field(default_factory=dict)
    # Seconds of audio that were made, and chunks of it that went wrong.
    audio: float = 0.0
    dropped: int = 0
    reordered: int = 0
    # The most seconds of audio that were sent ahead of real time.
    ahead: float = 0.0
    done_at: float | None = None


@dataclass(slots=True)
class AgentRecord:
    """The turns of one session."""

    turns: list[AgentTurn] = field(default_factory=list)
    # Messages that should have carried audio and did not, the first few.
    malformed: list[str] = field(default_factory=list)
    # How many turns were forgotten when the session came back; None if none were.
    forgot: int | None = None

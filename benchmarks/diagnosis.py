"""What it costs to say why: one long record, and a crowd that ended together."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_wsstability import CloseEvidence, Direction, End, Opcode, Role, Tier, Timeline, TransportEnd
from pytest_wsstability.core.diagnosis import diagnose, diagnose_all

from .figures import Figure, cpu_seconds, middle, spread

DAY = 86_400
CROWD = 10_000
ROUNDS = 15


def figures() -> Iterator[Figure]:
    """A day, then a crowd."""
    day = _record(DAY, every=5.0)
    times = [1000 * cpu_seconds(lambda: diagnose(day)) for _ in range(ROUNDS)]
    yield Figure(name="a record of 24 h", value=middle(times), unit="ms", limit=20, of=spread(times))
    crowd = [_record(60 + number % 600, every=25.0, origin=number / 100) for number in range(CROWD)]
    seconds = cpu_seconds(lambda: diagnose_all(crowd))
    yield Figure(name=f"{CROWD} that failed", value=seconds, unit="s", limit=5, of="cohorts included")
    together = [_record(60 + number % 600, every=25.0, until=1000.0) for number in range(CROWD)]
    seconds = cpu_seconds(lambda: diagnose_all(together))
    yield Figure(name=f"{CROWD} that ended together", value=seconds, unit="s", limit=5, of="one cohort")


def _record(seconds: float, *, every: float, origin: float = 0.0, until: float | None = None) -> Timeline:
    """Answered heartbeats, the server's pings, some data, and an end without a close frame."""
    if until is not None:
        origin = until - seconds
    timeline = Timeline(End.CLIENT, Tier.REAL, origin=origin)
    sent, received = Direction.SENT, Direction.RECEIVED
    for number in range(1, int(seconds / every) + 1):
        now = origin + number * every
        timeline.frame(now, sent, Opcode.TEXT, 15, Role.HEARTBEAT)
        timeline.frame(now + 0.01, received, Opcode.TEXT, 15, Role.HEARTBEAT_ANSWER)
        timeline.frame(now + 0.02, received, Opcode.PING, 4, Role.NONE, b"ping")
        timeline.frame(now + 0.02, sent, Opcode.PONG, 4, Role.NONE, b"ping")
        timeline.frame(now + 0.03, received, Opcode.BINARY, 640, Role.DATA)
    end = CloseEvidence(end=End.CLIENT, at=float(seconds), transport=TransportEnd.FIN)
    timeline.ended(origin + seconds, end)
    return timeline

"""What it costs to say why: one long record, and a crowd that ended together."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator

from pytest_wsstability import CloseEvidence, Direction, End, Role, Tier, Timeline, run_virtual
from pytest_wsstability.core.diagnosis import Cohort, diagnose, diagnose_beside
from pytest_wsstability.core.timeline.close import TransportEnd
from pytest_wsstability.core.timeline.events import Opcode

from . import day
from .figures import Figure, cpu_seconds, interleaved, middle, spread

DAY = 86_400
CROWD = 10_000
ROUNDS = 15


def figures() -> Iterator[Figure]:
    """A day, then a crowd."""
    day = _record(DAY, every=5.0)
    times = [1000 * cpu_seconds(lambda: diagnose(day)) for _ in range(ROUNDS)]
    yield Figure(name="a record of 24 h", value=middle(times), unit="ms", limit=20, of=spread(times))
    crowd = [_record(60 + number % 600, every=25.0, origin=number / 100) for number in range(CROWD)]
    seconds = cpu_seconds(lambda: _diagnose_all(crowd))
    yield Figure(name=f"{CROWD} that failed", value=seconds, unit="s", limit=5, of="cohorts included")
    together = [_record(60 + number % 600, every=25.0, until=1000.0) for number in range(CROWD)]
    seconds = cpu_seconds(lambda: _diagnose_all(together))
    yield Figure(name=f"{CROWD} that ended together", value=seconds, unit="s", limit=5, of="one cohort")
    yield from _recording()


def _diagnose_all(crowd: list[Timeline]) -> None:
    cohort = Cohort(crowd)
    for timeline in crowd:
        diagnose_beside(timeline, cohort)


def _recording() -> Iterator[Figure]:
    """What the record of silences, which only diagnosis reads, takes of a day's hold in virtual time."""
    pairs = interleaved([_hold, lambda: _frames(_silences), lambda: _frames(_nothing)], ROUNDS)
    shares = [100 * (full - empty) / hold for hold, full, empty in zip(*pairs, strict=True)]
    yield Figure(
        name="recording for it, of a hold", value=middle(shares), unit="%", limit=10, of=spread(shares)
    )


def _hold() -> float:
    return cpu_seconds(lambda: run_virtual(day.ours()))


def _frames(step: Callable[[array[float], int, float], None]) -> float:
    """CPU seconds of a step for each frame that both ends of that hold record."""
    silences = array("d", bytes(8 * 16))
    frames = range(2 * day.FRAMES)
    return cpu_seconds(lambda: [step(silences, number % 2, number / 10) for number in frames])


def _silences(silences: array[float], direction: int, at: float) -> None:
    """What `Timeline.frame` does for silences by direction and kind."""
    for place in (direction, 6 + direction):
        gap = at - silences[place]
        if gap > silences[8 + place]:
            silences[8 + place] = gap
        silences[place] = at


def _nothing(silences: array[float], direction: int, at: float) -> None:
    """The loop around it alone."""


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
    timeline.over(origin + seconds, end)
    return timeline

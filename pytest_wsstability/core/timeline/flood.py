"""A lag of the test's own loop that went into what the peer sent, and is no fault of the machine."""

from __future__ import annotations

from collections.abc import Iterable

from .events import Direction, Event

# So many frames, or bytes, in one read that makes the loop late are a flood. A stream of audio has 50 frames
# of 1 KiB a second, of which 5 lie in the time between two looks at the loop.
FLOOD_FRAMES = 64
FLOOD_BYTES = 2**20
# A read that makes the loop late may have begun this much before the loop was to be looked at.
_LOOKED_BEFORE = 0.1


def began(at: float, seconds: float) -> float:
    """The earliest instant of a read that makes the loop so late up to ``at``."""
    return at - seconds - _LOOKED_BEFORE


def is_flood(events: Iterable[Event], at: float, seconds: float) -> bool:
    """
    Whether a lag that ended at ``at`` went into one read of frames of the peer.

    They are all recorded at the instant at which that began; what a stopped process finds waiting, it
    reads at the end of the lag.

    """
    start, half = began(at, seconds), at - seconds / 2
    frames = size = 0
    for event in events:
        if start <= event.at <= half and event.direction is Direction.RECEIVED:
            frames, size = frames + 1, size + event.size
    return frames >= FLOOD_FRAMES or size >= FLOOD_BYTES

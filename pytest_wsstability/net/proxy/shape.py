"""What faults do to the bytes of one direction: later, slower, in pieces, or not at all."""

from __future__ import annotations

from random import Random

# A slow link trickles: it delivers what it carries in so many seconds at a time.
_QUANTUM = 0.05
_NEVER = float("inf")
# Bytes from which on a message is large.
_LARGE = 512


class Shape:
    """The times at which the bytes of one channel may leave it."""

    __slots__ = (
        "_drawn", "_drawn_at", "_free", "_last_due", "_random", "bandwidth", "delay", "held",
        "held_until", "jitter", "slice_delay", "slice_size",
    )  # fmt: skip

    def __init__(self, random: Random) -> None:
        self._random = random
        # Seconds that everything takes longer, give or take the jitter.
        self.delay = 0.0
        self.jitter = 0.0
        # The jitter of an instant.
        self._drawn = 0.0
        self._drawn_at = -1.0
        # Bytes a second; None for no limit.
        self.bandwidth: float | None = None
        # Bytes that arrive at once, and the seconds between two such pieces; 0 for no slicing.
        self.slice_size = 0
        self.slice_delay = 0.0
        # Nothing passes: until it is healed, or until an instant of the loop's clock.
        self.held = False
        self.held_until = 0.0
        # When the last thing was due, so that nothing overtakes it, and when the way is free again.
        self._last_due = 0.0
        self._free = 0.0

    def hold(self, until: float | None = None) -> None:
        """Let nothing pass: until it is healed, or until an instant."""
        if until is None:
            self.held = True
        else:
            self.held_until = max(self.held_until, until)

    def due(self, now: float) -> float:
        """When what comes now may leave at the earliest."""
        if self.jitter and now != self._drawn_at:
            # Once for an instant, so that chance does not depend on how bytes are cut into chunks.
            self._drawn_at, self._drawn = now, self._random.uniform(-self.jitter, self.jitter)
        self._last_due = max(now + self.delay + (self._drawn if self.jitter else 0.0), self._last_due)
        return self._last_due

    def alone(self, due: float, size: int) -> float:
        """
        When ``size`` bytes would have left if nothing had been before them.

        What is large takes its time on any link, and others wait behind it: no fault is to blame for that.

        """
        start = max(due, self.held_until)
        return start + size / self.bandwidth if self.bandwidth is not None and size < _LARGE else start

    def leave(self, due: float, size: int) -> tuple[int, float]:
        """How many of ``size`` bytes may leave together, and when; 0 bytes stand for a FIN or RST."""
        if self.held:
            return size, _NEVER
        if size and self.slice_size:
            size = min(size, self.slice_size)
        if size and self.bandwidth is not None:
            size = min(size, max(1, int(self.bandwidth * _QUANTUM)))
        return size, self._done(due, size)

    def left(self, due: float, size: int) -> None:
        """So many bytes have left, so the way is free for the next ones."""
        # Counted from the plan and not from the clock: a late timer slows nothing down.
        self._free = self._done(due, size) + self.slice_delay

    def _done(self, due: float, size: int) -> float:
        start = max(due, self._free, self.held_until)
        return start + size / self.bandwidth if self.bandwidth is not None else start

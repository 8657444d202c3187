"""What the workers of a fleet say, wherever they are: frames as JSON, an end, or nothing any more."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress

from ...core.fleet.frame import Frame
from ...core.fleet.merge import FleetMerge
from .engine import Watch
from .slot import INTERVAL

# A worker that says nothing for so long is lost, in seconds: six of its frames.
SILENT = 6 * INTERVAL


class WorkerListener:
    """
    Listens to all workers of a fleet until each has ended, or is lost.

    Args:
        names: what people call the worker of each slot.
        merge: takes the frames; slots that are lost are lost in it.
        watch: called after all that has come, and at least once a second.

    """

    def __init__(self, names: dict[int, str], merge: FleetMerge, watch: Watch) -> None:
        self._names, self._merge, self._watch = names, merge, watch
        self._loop = asyncio.get_running_loop()
        # The threads of workers put in what this one takes out.
        self._messages: deque[tuple[int, str | None]] = deque()
        self._came = asyncio.Event()
        self._heard: dict[int, float] = {}
        # When it was seen last who is silent.
        self._looked = self._loop.time()

    def hand_over(self, slot: int, text: str | None) -> None:
        """Take a frame as JSON, or None where the worker ended; from any thread, even when nobody listens."""
        self._messages.append((slot, text))
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._came.set)

    def begin(self, slot: int) -> None:
        """From now on the worker of a slot has something to say."""
        self._heard[slot] = self._loop.time()

    async def to_the_end(self) -> None:
        """Listen until nothing more can come."""
        while not self._merge.is_over:
            await self._listen()
            self._watch(self._merge)

    async def _listen(self) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._came.wait(), INTERVAL)
        self._came.clear()
        # All that has come counts before anybody is called silent.
        for _ in range(len(self._messages)):
            self._take(*self._messages.popleft())
        self._lose_the_silent()

    def _take(self, slot: int, text: str | None) -> None:
        self.begin(slot)
        if text is None:
            self._merge.lose(slot, f"{self._names[slot]} ended")
        else:
            self._merge.add(Frame.from_dict(json.loads(text)))

    def _lose_the_silent(self) -> None:
        now = self._loop.time()
        # While this process stood still it could hear nobody.
        deaf, self._looked = max(0.0, now - self._looked - INTERVAL), now
        for slot in self._merge.waiting:
            self._heard[slot] = min(now, self._heard[slot] + deaf)
            silent = now - self._heard[slot]
            if silent > SILENT:
                self._merge.lose(slot, f"{self._names[slot]} was silent for {silent:.0f} s")

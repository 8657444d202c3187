"""A probe: the ladder opened side by side, watched for one lifetime, and read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ...core.duration import Duration, parse_duration
from ...core.probe.findings import Findings
from ...core.probe.inference import infer
from ...core.probe.observation import Observation
from ...core.probe.rungs import MOST_CONNECTIONS, Rung, Traffic, ladder, waits
from ...core.redact import redact_url
from ...profiles import JSON, Profile
from ...profiles.catalogue import find
from ..health import tier_of
from .climber import ANSWER, Climber

# Seconds between two openings: polite, and ages then tell a timer from a restart. A short probe has less.
STAGGER = 0.25
_STAGGER_SHARE = 0.01
# A timer that tells nobody is narrowed down to this share of its length, either way, while there is time.
_NARROW = 0.005
# Kept short, so that a server that reads JSON can read it, and knows no such message.
TEXT = '{"type":"probe"}'


class Prober:
    """
    A probe of a URL.

    Args:
        url: ``ws://`` or ``wss://``.
        seconds: how long each connection is watched at most.
        every: time between two messages of the busy connections; None takes a share of the wait.
        text: the application message of the one that sends text.
        profile: the application protocol.
        options: further keywords of `connect`, such as ``headers`` and ``tls``.

    Raises:
        ValueError: for a value that makes no sense, naming it.

    """

    def __init__(
        self,
        url: str,
        *,
        seconds: Duration = "10m",
        every: Duration | None = None,
        text: str = TEXT,
        profile: Profile | str = JSON,
        **options: Any,
    ) -> None:
        self.url = redact_url(url)
        self.seconds = parse_duration(seconds, "max")
        interval = None if every is None else parse_duration(every, "every")
        if interval is not None and interval > self.seconds / 4:
            raise ValueError(
                f"every: {every!r} is too seldom for a wait of {self.seconds:g} s; at most a quarter"
            )
        self._profile = find(profile)
        self._url, self._options = url, {"profile": self._profile, **options}
        self.rungs: Sequence[Rung] = ladder(
            self.seconds, every=interval, heartbeats=not self._profile.heartbeat_is_frame
        )
        self._text = text
        # Those of the ladder, and those that were sent after.
        self.climbers: list[Climber] = []
        self._over = False

    def stop(self) -> None:
        """End early, with what has been seen."""
        self._over = True
        for climber in self.climbers:
            climber.conclude()

    async def run(self, watch: Callable[[Prober], object] | None = None) -> Findings:
        """
        Open the ladder, wait, and read it.

        Args:
            watch: called once the first connection is open.

        Raises:
            OpeningError: if the first connection did not open.

        """
        loop = asyncio.get_running_loop()
        until = loop.time() + self.seconds
        ladder = self._send(self.rungs)
        # Nothing else is opened where the first is refused.
        await ladder[0].open(self._url, self._options)
        if watch is not None:
            watch(self)
        tasks = self._start(ladder)
        narrowing = loop.create_task(self._narrow(ladder, tasks, until))
        try:
            await asyncio.gather(*tasks, narrowing)
        finally:
            for task in (*tasks, narrowing):
                task.cancel()
            await asyncio.gather(*tasks, narrowing, return_exceptions=True)
        return infer(self._seen(), tier=tier_of(loop))

    def _send(self, rungs: Sequence[Rung]) -> list[Climber]:
        loop = asyncio.get_running_loop()
        climbers = [Climber(rung, self._text, loop) for rung in rungs]
        self.climbers += climbers
        return climbers

    def _start(self, climbers: Sequence[Climber], seconds: float | None = None) -> list[asyncio.Task[None]]:
        loop, stagger = asyncio.get_running_loop(), min(STAGGER, self.seconds * _STAGGER_SHARE)
        return [
            loop.create_task(self._climb(climber, number * stagger, seconds))
            for number, climber in enumerate(climbers)
        ]

    async def _climb(self, climber: Climber, delay: float, seconds: float | None) -> None:
        await asyncio.wait([climber.concluded], timeout=delay)
        if not climber.concluded.done() or climber.timeline is not None:
            await climber.climb(self._url, self._options, self.seconds if seconds is None else seconds)

    def _seen(self) -> list[Observation]:
        return [seen for climber in self.climbers if (seen := climber.seen()) is not None]

    # After a connection was lost without a word.

    async def _narrow(
        self, ladder: Sequence[Climber], tasks: Sequence[asyncio.Task[None]], until: float
    ) -> None:
        """Send connections after that wait as long as lies between what survived and what did not."""
        slow = {task for climber, task in zip(ladder, tasks, strict=True) if climber.rung.slow}
        while slow and not any(climber.is_lost for climber in ladder if climber.rung.slow):
            _, slow = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        if not any(climber.is_lost for climber in ladder):
            return
        # Whoever is not slow has told what it can: who lives now outlived the timer.
        told = [pair for pair in zip(ladder, tasks, strict=True) if self._has_told(pair[0])]
        for climber, _ in told:
            climber.conclude()
        await asyncio.wait([task for _, task in told])
        while (rungs := self._between(until)) and not self._over:
            await asyncio.gather(*self._start(self._send(rungs), max(rung.every or 0.0 for rung in rungs)))

    def _has_told(self, climber: Climber) -> bool:
        return not climber.rung.slow and climber.rung.traffic is not Traffic.ALL

    def _between(self, until: float) -> Sequence[Rung]:
        """Waits that narrow the timer down; none if it is known well enough or the time is over."""
        seen = self._seen()
        timer = infer(seen).idle
        if timer is None or not timer.silent or timer.error <= _NARROW * timer.seconds:
            return ()
        low, high = timer.least, timer.seconds + timer.error
        room = MOST_CONNECTIONS - sum(climber.observation is None for climber in self.climbers)
        left = until - asyncio.get_running_loop().time() - room * STAGGER - ANSWER
        # Where pings reset nothing, a wait that ends with one tells nothing.
        if left < high or room < 1 or infer(seen).resets.get(Traffic.PING) is False:
            return ()
        return waits(low, high, room)


async def probe_url(
    url: str,
    *,
    max: Duration = "10m",
    every: Duration | None = None,
    text: str = TEXT,
    profile: Profile | str = JSON,
    **options: Any,
) -> Findings:
    """
    Find out which timers rule a URL, and what resets them.

    Opens at most 12 connections side by side, each with one kind of traffic, and waits for one lifetime.

    Args:
        url: ``ws://`` or ``wss://``.
        max: how long to wait at most: nothing is known beyond.
        every: time between two messages of the busy connections; None takes a share of ``max``.
        text: the application message of the connection that sends text.
        profile: the application protocol, whose heartbeat is tried: "json", "frames", or a `Profile`.
        options: further keywords of `connect`, such as ``headers`` and ``tls``.

    Raises:
        OpeningError: if no connection opened.
        ValueError: for a value that makes no sense, naming it.

    """
    prober = Prober(url, seconds=max, every=every, text=text, profile=profile, **options)
    assert len(prober.rungs) <= MOST_CONNECTIONS
    return await prober.run()

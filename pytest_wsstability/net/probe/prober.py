"""A probe: the ladder opened side by side, watched for one lifetime, and read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ...core.duration import Duration, parse_duration
from ...core.ladder.findings import Findings
from ...core.ladder.inference import infer
from ...core.ladder.rungs import MOST_CONNECTIONS, Rung, ladder
from ...core.redact import redact_url
from ...profiles import JSON, Profile
from ..client import profile_of
from ..health import tier_of
from .climber import Climber

# Seconds between two openings: polite, and ages then tell a timer from a restart. A short probe has less.
STAGGER = 0.25
_STAGGER_SHARE = 0.01
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
        self._profile = profile_of(profile)
        self._url, self._options = url, {"profile": self._profile, **options}
        self.rungs: Sequence[Rung] = ladder(
            self.seconds, every=interval, heartbeats=not self._profile.heartbeat_is_frame
        )
        self._text = text
        self.climbers: list[Climber] = []
        self._stopped: asyncio.Future[None] | None = None

    def stop(self) -> None:
        """End early, with what has been seen."""
        if self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)

    async def run(self, watch: Callable[[Prober], object] | None = None) -> Findings:
        """
        Open the ladder, wait, and read it.

        Args:
            watch: called once the first connection is open.

        Raises:
            OpeningError: if the first connection did not open.

        """
        loop = asyncio.get_running_loop()
        self._stopped = loop.create_future()
        self.climbers = [Climber(rung, self._text, self._stopped) for rung in self.rungs]
        # Nothing else is opened where the first is refused.
        await self.climbers[0].open(self._url, self._options)
        if watch is not None:
            watch(self)
        stagger = min(STAGGER, self.seconds * _STAGGER_SHARE)
        async with asyncio.TaskGroup() as group:
            for number, climber in enumerate(self.climbers):
                group.create_task(self._climb(climber, number * stagger))
        seen = [climber.observation for climber in self.climbers if climber.observation is not None]
        return infer(seen, tier=tier_of(loop))

    async def _climb(self, climber: Climber, delay: float) -> None:
        assert self._stopped is not None
        await asyncio.wait([self._stopped], timeout=delay)
        if not self._stopped.done() or climber.timeline is not None:
            await climber.climb(self._url, self._options, self.seconds)


async def probe(
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

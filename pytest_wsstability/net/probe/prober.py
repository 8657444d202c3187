"""A probe: the ladder opened side by side, watched for one lifetime, and read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ...core.duration import Duration, parse_duration, parse_optional
from ...core.probe.findings import Findings
from ...core.probe.inference import SURVIVED, infer
from ...core.probe.lengths import LONGEST_TICK
from ...core.probe.observation import Observation
from ...core.probe.policy import tolerance
from ...core.probe.rungs import MOST_CONNECTIONS, Rung, Traffic, ladder, waits
from ...core.redact import is_text, redact_url
from ...profiles import JSON, Profile
from ...profiles.catalogue import find
from ..health import tier_of
from .climber import ANSWER, Climber

# Seconds between two openings: polite, and ages then tell a timer from a restart. A short probe has less.
STAGGER = 0.25
_STAGGER_SHARE = 0.01
# A timer that tells nobody is narrowed down to this share of its length, either way, while there is time.
_NARROW = 0.005
# What is advised is tried this often, the first ones of it.
_TRIALS, _TRIED = 2, 2
# What lives for so much longer than the timer, as a share of it, was reset: checkers are late by a third.
_OUTLIVED = 0.4
# A proxy that gives its client a second to close (Envoy's delayed_close_timeout) answers no more meanwhile.
_GRACE = 0.75
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
        interval = parse_optional(every, "every")
        if interval is not None and interval > self.seconds / 4:
            raise ValueError(
                f"every: {every!r} is too seldom for a wait of {self.seconds:g} s; at most a quarter"
            )
        self._profile = find(profile)
        self._url, self._options = url, {"profile": self._profile, **options}
        self.rungs: Sequence[Rung] = ladder(
            self.seconds, every=interval, heartbeats=not self._profile.heartbeat_is_frame
        )
        if not is_text(text):
            raise ValueError("text: it has half of a character, which no message can carry; give UTF-8")
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
        trying = loop.create_task(self._try(ladder, tasks, narrowing, until))
        try:
            await asyncio.gather(*tasks, narrowing, trying)
            await self._see_again(until)
        finally:
            for task in (*tasks, narrowing, trying):
                task.cancel()
            await asyncio.gather(*tasks, narrowing, trying, return_exceptions=True)
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

    @property
    def _room(self) -> int:
        """How many more connections may be open."""
        return MOST_CONNECTIONS - sum(climber.observation is None for climber in self.climbers)

    # After a connection was lost without a word.

    async def _narrow(
        self, ladder: Sequence[Climber], tasks: Sequence[asyncio.Task[None]], until: float
    ) -> None:
        """Send connections after that wait as long as lies between what survived and what did not."""
        slow = {task for climber, task in zip(ladder, tasks, strict=True) if climber.rung.slow}
        while slow and not self._is_hidden(climber for climber in ladder if climber.rung.slow):
            _, slow = await asyncio.wait(slow, return_when=asyncio.FIRST_COMPLETED)
        if not self._is_hidden(ladder):
            return
        # Whoever is not slow has told what it can: who lives now outlived the timer.
        told = [pair for pair in zip(ladder, tasks, strict=True) if self._has_told(pair[0])]
        for climber, _ in told:
            climber.conclude()
        await asyncio.wait([task for _, task in told])
        await self._send_between(until)

    async def _send_between(self, until: float) -> None:
        while (rungs := self._between(until)) and not self._over:
            await asyncio.gather(*self._start(self._send(rungs), max(rung.every or 0.0 for rung in rungs)))

    def _is_hidden(self, climbers: Iterable[Climber]) -> bool:
        """Whether a timer ends connections without a word, or before a word comes."""
        ends = [(climber.is_lost, climber.was_unanswered) for climber in climbers]
        if any(lost for lost, _ in ends):
            return True
        idle = infer(self._seen()).idle if any(unanswered for _, unanswered in ends) else None
        return idle is not None and idle.told_late > 0

    def _has_told(self, climber: Climber) -> bool:
        return not climber.rung.slow and climber.rung.traffic is not Traffic.ALL

    def _between(self, until: float) -> Sequence[Rung]:
        """Waits that narrow the timer down; none if it is known well enough or the time is over."""
        seen = self._seen()
        timer = infer(seen).idle
        hidden = timer is not None and (timer.silent or timer.told_late)
        if timer is None or not hidden or timer.error <= _NARROW * timer.seconds:
            return ()
        low, high = timer.least, timer.seconds + timer.error
        room = self._room
        left = until - asyncio.get_running_loop().time() - room * STAGGER - ANSWER
        # Where pings reset nothing, a wait that ends with one tells nothing.
        if left < high or room < 1 or infer(seen).resets.get(Traffic.PING) is False:
            return ()
        return waits(low, high, room)

    # What is advised is tried.

    async def _try(
        self,
        ladder: Sequence[Climber],
        tasks: Sequence[asyncio.Task[None]],
        narrowing: asyncio.Task[None],
        until: float,
    ) -> None:
        """Send what is to be safe for twice the timer, and half as seldom where that was not survived."""
        loop = asyncio.get_running_loop()
        silent = [t for c, t in zip(ladder, tasks, strict=True) if c.rung.traffic is Traffic.SILENCE]
        while silent and not self._over:
            await asyncio.wait(silent, return_when=asyncio.FIRST_COMPLETED)
            silent = [task for task in silent if not task.done()]
            # Who lives now has to outlive what ended before it is known to.
            length = max((seen.age for seen in self._seen() if seen.gone), default=0.0)
            await asyncio.wait(tasks, timeout=min(_OUTLIVED * length + 1.0, max(0.0, until - loop.time())))
            if infer(self._seen()).advice:
                break
        await self._check_silence(narrowing, until)
        tried: set[tuple[Traffic, float]] = set()
        for _ in range(_TRIALS):
            rungs = [rung for rung in self._trials(until) if (rung.traffic, rung.every) not in tried]
            if not rungs or self._over:
                return
            tried |= {(rung.traffic, rung.every or 0.0) for rung in rungs}
            await asyncio.gather(*self._start(self._send(rungs), self._to_survive()))

    async def _check_silence(self, narrowing: asyncio.Task[None], until: float) -> None:
        """See whether a silence that is a bit shorter than the timer is answered, before anything else."""
        findings = infer(self._seen())
        idle = findings.idle
        if idle is None or idle.silent:
            await asyncio.wait([narrowing])
            return
        wait, left = idle.seconds - _GRACE, until - asyncio.get_running_loop().time()
        tells = findings.resets.get(Traffic.PING) and tolerance(idle.seconds) < _GRACE < idle.seconds
        if not tells or left < idle.seconds + ANSWER:
            return
        rung = Rung(traffic=Traffic.PING, every=wait, answers=True, slow=True, once=True)
        await asyncio.gather(*self._start(self._send([rung]), wait))
        await self._send_between(until)

    def _to_survive(self) -> float:
        idle = infer(self._seen()).idle
        return SURVIVED * (idle.seconds + idle.error) + ANSWER if idle is not None else 0.0

    def _trials(self, until: float) -> list[Rung]:
        """What is advised first, or half of what died; none where there is no time for it."""
        findings = infer(self._seen())
        left = until - asyncio.get_running_loop().time()
        room = self._room
        if findings.idle is None or left < self._to_survive() or room < 1:
            return []
        dead = [seen.rung for seen in self._seen() if seen.rung.trial and seen.gone]
        again = [
            Rung(traffic=rung.traffic, every=rung.every / 2, trial=True)
            for rung in dead
            if rung.every is not None
        ]
        first = [
            Rung(traffic=advice.traffic, every=advice.safe, trial=True)
            for advice in findings.advice
            if advice.survived is None
        ]
        return (again or first)[: min(room, _TRIED)]

    async def _see_again(self, until: float) -> None:
        """Where all ended together, open some once more: a restart does not come again at the same age."""
        seen, loop = self._seen(), asyncio.get_running_loop()
        if self._over or not seen or not all(each.gone for each in seen):
            return
        longest = max(each.age for each in seen) + LONGEST_TICK
        if until - loop.time() < longest or not infer(seen).doubts:
            return
        busy = next(rung for rung in self.rungs if rung.traffic is Traffic.ALL)
        rungs = [replace(rung, again=True) for rung in (self.rungs[0], busy, busy)]
        await asyncio.gather(*self._start(self._send(rungs), longest))


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
        profile: the application protocol, whose heartbeat is tried: a name, as for `connect`, or a `Profile`.
        options: further keywords of `connect`, such as ``headers`` and ``tls``.

    Raises:
        OpeningError: if no connection opened.
        ValueError: for a value that makes no sense, naming it.

    """
    prober = Prober(url, seconds=max, every=every, text=text, profile=profile, **options)
    assert len(prober.rungs) <= MOST_CONNECTIONS
    return await prober.run()

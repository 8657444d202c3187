"""One hold from start to end, for those who have no event loop of their own."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Unpack

from ..core import assertions
from ..core.assertions import Judged
from ..core.diagnosis import diagnosed
from ..core.duration import Duration
from ..core.judge.interrupted import interrupted
from ..core.judge.judgement import Judgement
from ..core.judge.knife_edge import knife_edge
from ..core.judge.requirement import Requirement, RequirementKeywords, check_requirement
from ..core.judge.verdict import Outcome, Verdict
from ..core.message.errors import StabilityError
from ..core.timeline.timeline import Timeline
from ..profiles import JSON
from ..profiles.catalogue import find
from .client import connect
from .connection import Connection
from .keywords import ConnectKeywords
from .proxy.path import between
from .proxy.proxy import FaultProxy
from .server.orchestrator import Orchestrator
from .traffic import Traffic, hold_talking, inbox_for


class Soak(Judged):
    """
    A finished hold: nothing waits any more, so every assertion is an ordinary call.

    Attributes:
        requirement: what the hold was for.
        verdict: what came of it.
        judgement: both, with what was asserted on it since.
        url: the target, secrets masked.
        ties: instants of virtual time at which several timers were due together; 0 in real time.
        spins: instants at which virtual time went on though a task spun, with the place in the code.
        proxy: what stood in front of the target, closed by now; None if nothing did.

    """

    def __init__(
        self,
        requirement: Requirement,
        verdict: Verdict,
        timelines: Sequence[Timeline],
        *,
        url: str,
        ties: int = 0,
        spins: Sequence[tuple[float, str]] = (),
        proxy: FaultProxy | None = None,
    ) -> None:
        self.requirement = requirement
        self.verdict = verdict
        # The close that follows is ours, and no part of what was judged.
        self._timelines = tuple(timeline.sealed() for timeline in timelines)
        self._error: StabilityError | None = None
        if verdict.outcome is not Outcome.STABLE:
            self._error = self._failure(verdict)
            self.verdict = self._error.verdict
        self.judgement = Judgement(requirement, self.verdict, self._timelines)
        self.url = url
        self.ties = ties
        self.spins = tuple(spins)
        self.proxy = proxy

    @classmethod
    def interrupted(cls, requirement: Requirement, connection: Connection) -> Soak:
        """What a hold saw that somebody ended before its time."""
        verdict = interrupted(requirement, connection.timelines[0])
        return cls(requirement, verdict, connection.timelines, url=connection.url)

    def _failure(self, verdict: Verdict) -> StabilityError:
        """What is raised for a verdict that is not stable."""
        return StabilityError(self.requirement, verdict, self._timelines)

    def _diagnosed(self, verdict: Verdict, cohort: Sequence[Timeline]) -> Verdict:
        """A verdict with its diagnosis, with other connections to the target in view."""
        return diagnosed(verdict, self._timelines, cohort=cohort)

    @property
    def timeline(self) -> Timeline:
        """What the client saw."""
        return self._timelines[0]

    @property
    def timelines(self) -> Sequence[Timeline]:
        """What the client saw, then what the reference orchestrator did if it was the target."""
        return self._timelines

    def beside(self, cohort: Sequence[Timeline]) -> None:
        """Diagnose the failure, if there is one, once more: with other connections to the target in view."""
        others = [each for each in cohort if each.serial != self.timeline.serial]
        if self._error is None or not others:
            return
        unexplained = dataclasses.replace(self.verdict, diagnosis=None)
        self.verdict = self._diagnosed(unexplained, others)
        self.judgement = dataclasses.replace(self.judgement, verdict=self.verdict)
        self._error.retell(self.verdict)

    def compared_with(self, other: Soak) -> Soak:
        """This hold, or an inconclusive one if another order of simultaneous timers ends differently."""
        verdict = knife_edge(self.verdict, other.verdict, self._timelines, other._timelines)
        if verdict is self.verdict:
            return self
        return Soak(
            self.requirement, verdict, self._timelines, url=self.url, ties=self.ties, spins=self.spins,
            proxy=self.proxy,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"<Soak {self.url}: {self.verdict.headline}, {self.timeline!r}>"

    def note(self, judgement: Judgement) -> None:
        """Take down what was judged, for reports."""
        self.judgement = judgement.after(self.judgement)

    def assert_stable(self, **requirement: Unpack[RequirementKeywords]) -> Verdict:
        """
        Every part of the requirement holds; without keywords it is the marker's own.

        Raises:
            StabilityError: if a part does not hold, or the record cannot tell (the verdict says which).

        """
        __tracebackhide__ = True
        if requirement:
            asked = assertions.stable(requirement)
            return self._conclude(asked, assertions.judge(asked, self.timeline))
        if self._error is not None:
            raise self._error
        return self.verdict

    def assert_alive_for(self, duration: Duration) -> None:
        """The connection stayed open so long after its opening handshake."""
        __tracebackhide__ = True
        self._enforce(assertions.alive_for(duration))

    def assert_session_confirmed(self, *, within: Duration) -> None:
        """The session was confirmed so soon after the opening handshake."""
        __tracebackhide__ = True
        self._enforce(assertions.session_confirmed(within))


async def hold(
    requirement: Requirement,
    *,
    url: str | None = None,
    orchestrator: Orchestrator | None = None,
    through: Callable[[str], FaultProxy] | None = None,
    opened: Callable[[Connection], object] | None = None,
    traffic: Traffic | None = None,
    **options: Unpack[ConnectKeywords],
) -> Soak:
    """
    Open a connection, hold it to a requirement, close it.

    Args:
        requirement: what to hold it to; its ``heartbeat_every`` is the client's heartbeat.
        url: the target; None starts an orchestrator for the hold and stops it after.
        orchestrator: the one to start, or the running one behind the URL.
        through: makes the proxy to hold the connection through, given the target; None for no proxy.
        opened: called with the connection once it is open.
        traffic: a coroutine function that talks on the connection from the session's confirmation on.
        options: keywords of `connect`.

    Raises:
        OpeningError: if the connection did not open.
        ValueError: for what the connection's protocol does not have, such as a session.
        Exception: what the traffic raises.

    """
    check_requirement(requirement)
    requirement.check_fits(find(options.get("profile", JSON)).facts)
    async with AsyncExitStack() as stack:
        if url is None:
            orchestrator = await stack.enter_async_context(orchestrator or Orchestrator())
            url = orchestrator.url
        connection, proxy = await stack.enter_async_context(
            opened_to_hold(url, requirement, orchestrator, through, opened, options, inbox=inbox_for(traffic))
        )
        connection.requirement = requirement
        try:
            verdict = await hold_talking(connection, requirement, traffic)
            if verdict.outcome is not Outcome.STABLE:
                await connection.both_ended()
            loop = connection.websocket.loop
            ties = getattr(loop, "ties", None)
            return Soak(
                requirement, verdict, connection.timelines, url=connection.url,
                ties=ties.count if ties is not None else 0, spins=getattr(loop, "spins", ()),
                proxy=proxy,
            )  # fmt: skip
        finally:
            await connection.close()


@asynccontextmanager
async def opened_to_hold(
    url: str,
    requirement: Requirement,
    orchestrator: Orchestrator | None,
    through: Callable[[str], FaultProxy] | None,
    opened: Callable[[Connection], object] | None,
    options: ConnectKeywords,
    *,
    inbox: int = 0,
) -> AsyncIterator[tuple[Connection, FaultProxy | None]]:
    """
    Open the connection of a hold, and stop the proxy in front of its target in the end; see `hold`.

    Yields:
        The connection, which whoever holds it closes, and the proxy; None without one.

    """
    async with AsyncExitStack() as stack:
        proxies = [await stack.enter_async_context(through(url))] if through is not None else []
        if proxies:
            # Names in the handshake and in certificates are the target's; only the way is another.
            options["address"] = proxies[0].address
        options.setdefault("heartbeat", requirement.heartbeat_every)
        # Where nobody takes the messages of a hold, reading must not stop for them.
        options["inbox"] = inbox
        connection = await connect(url, **options)
        try:
            if orchestrator is not None:
                orchestrator.witness(connection, through=proxies)
            connection.others = connection.others or between(connection, proxies)
            if opened is not None:
                opened(connection)
        except BaseException:
            # Nobody has it yet who would close it.
            await connection.close()
            raise
        yield connection, next(iter(proxies), None)

"""The assertions as plain functions of a timeline; connections, sessions and soaks offer the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from .asserted import asserting
from .diagnosis import diagnosed
from .duration import Duration, parse_duration
from .judge.judgement import Judgement
from .judge.requirement import ExpectedClose, Requirement, RequirementKeywords, check_requirement
from .judge.rules import judge as judge_by_rules
from .judge.verdict import Outcome, Verdict
from .message.errors import StabilityError
from .timeline.events import End
from .timeline.timeline import Timeline, check_timeline


def judge(requirement: Requirement, timeline: Timeline) -> Verdict:
    """
    Judge what the timeline holds up to now.

    Raises:
        TypeError: for what is no requirement, or no timeline.
        ValueError: for what the connection's protocol does not have, such as a session.

    """
    check_requirement(requirement)
    check_timeline(timeline)
    asserting(requirement)
    requirement.check_fits(timeline.protocol)
    return judge_by_rules(requirement, timeline)


def enforce(requirement: Requirement, timeline: Timeline) -> Verdict:
    """
    Judge a timeline.

    Args:
        requirement: what to check.
        timeline: the record to judge.

    Raises:
        StabilityError: if the verdict is not STABLE.

    """
    __tracebackhide__ = True
    verdict = judge(requirement, timeline)
    if verdict.outcome is not Outcome.STABLE:
        raise StabilityError(requirement, verdict, [timeline.sealed()])
    return verdict


def assert_stable(timeline: Timeline, **requirement: Unpack[RequirementKeywords]) -> Verdict:
    """
    Every part of a requirement holds.

    Args:
        timeline: the record of one end.
        requirement: the keywords of the ``ws_stability`` marker.

    Raises:
        StabilityError: if a part does not hold, or the record cannot tell (the verdict says which).
        TypeError: for a keyword that a requirement does not have.
        ValueError: for a value that makes no sense, naming it, and where nothing is required.

    """
    __tracebackhide__ = True
    return enforce(stable(requirement), timeline)


def assert_alive_for(timeline: Timeline, duration: Duration) -> None:
    """
    The connection stayed open so long after its opening handshake: any earlier end fails.

    Args:
        timeline: the record of one end.
        duration: seconds, or text such as "2m".

    Raises:
        StabilityError: if it ended before; inconclusive, if it is open and not that old yet.

    """
    __tracebackhide__ = True
    enforce(alive_for(duration), timeline)


def assert_session_confirmed(timeline: Timeline, *, within: Duration) -> None:
    """
    The session was confirmed so soon after the opening handshake.

    Args:
        timeline: the record of one end.
        within: seconds, or text such as "5s".

    Raises:
        StabilityError: if it was not, or another session was.
        ValueError: if the connection's protocol has no session.

    """
    __tracebackhide__ = True
    enforce(session_confirmed(within), timeline)


def assert_heartbeats_answered(
    timeline: Timeline, *, within: Duration, at_least: int = 1, missed_max: int = 0
) -> None:
    """
    Heartbeats went out and were answered in time.

    Args:
        timeline: the record of one end.
        within: time for each answer: seconds, or text such as "5s".
        at_least: so many were answered.
        missed_max: so many may stay without an answer in time.

    Raises:
        StabilityError: if more were missed; inconclusive, if too few went out.

    """
    __tracebackhide__ = True
    enforce(heartbeats_answered(within, at_least, missed_max), timeline)


def assert_pings_answered(timeline: Timeline, *, within: Duration) -> None:
    """
    The peer answered each protocol ping of this end in time, and there was at least one.

    Args:
        timeline: the record of one end.
        within: time for each pong: seconds, or text such as "5s".

    Raises:
        StabilityError: if one was not answered; inconclusive, if none was sent.

    """
    __tracebackhide__ = True
    enforce(pings_answered(within), timeline)


def assert_no_abnormal_closure(timeline: Timeline) -> None:
    """
    No 1006 at this end, nor what hides behind other codes.

    An open connection passes, and so does a closing handshake with 1000, 1001, an empty close
    frame, or an application's own code (3000 to 4999).

    Raises:
        StabilityError: for any other end; inconclusive, if nobody takes messages, so that none is read.

    """
    __tracebackhide__ = True
    enforce(NO_ABNORMAL_CLOSURE, timeline)


def assert_closed(
    timeline: Timeline, *, code: int | None = None, reason: str | None = None, by: End | str | None = None
) -> None:
    """
    The connection has ended, in this way.

    Args:
        timeline: the record of one end.
        code: the close code, 1005 and 1006 as an API reports them; None for any.
        reason: the whole close reason; None for any.
        by: the end that began: "client" or "server"; None for either.

    Raises:
        StabilityError: if it is open, or ended otherwise.
        ValueError: for an end that is none.

    """
    __tracebackhide__ = True
    enforce(closed(code, reason, by), timeline)


def assert_handshake(timeline: Timeline) -> None:
    """
    The session's handshake was right: greeting, session_info and session_confirmed once each, in this order.

    At a server: to see whether clients wait for the greeting, delay it (``greet="1s"``).

    Raises:
        StabilityError: if not, saying which message was missing, double or early.
        ValueError: if the connection's protocol has no session.

    """
    __tracebackhide__ = True
    enforce(HANDSHAKE, timeline)


def assert_rtt(timeline: Timeline, *, p95: Duration) -> None:
    """
    95 of 100 round trips are as quick as this; with fewer than 20, the slowest is.

    Args:
        timeline: the record of one end.
        p95: seconds, or text such as "300ms".

    Raises:
        StabilityError: if they were slower; inconclusive, if there was none.

    """
    __tracebackhide__ = True
    enforce(rtt(p95), timeline)


def assert_messages_flow(timeline: Timeline, *, every: Duration | None = None, at_least: int = 0) -> None:
    """
    Application messages kept coming; heartbeats, session messages and control frames do not count.

    Args:
        timeline: the record of one end.
        every: no longer time without one: seconds, or text such as "10s".
        at_least: so many came.

    Raises:
        StabilityError: if not; inconclusive, where the record is too short to tell.
        ValueError: if neither is given.

    """
    __tracebackhide__ = True
    enforce(messages_flow(every, at_least), timeline)


class Judged:
    """
    The assertions that need no waiting, for everything that has a timeline.

    What each takes, and raises, stands with the function of the same name.

    """

    __slots__ = ()

    @property
    def timelines(self) -> Sequence[Timeline]:
        """The timeline that is judged, then those of other ends of the same connection that we hold."""
        raise NotImplementedError

    def cohort(self) -> Sequence[Timeline]:
        """Timelines of other connections to the same target, which a diagnosis looks at too."""
        return ()

    def note(self, judgement: Judgement) -> None:
        """Take down what was judged, for reports; who has none takes nothing down."""

    def assert_heartbeats_answered(self, *, within: Duration, at_least: int = 1, missed_max: int = 0) -> None:
        """Heartbeats went out and were answered in time: at least so many, and few were missed."""
        __tracebackhide__ = True
        self._enforce(heartbeats_answered(within, at_least, missed_max))

    def assert_pings_answered(self, *, within: Duration) -> None:
        """The peer answered each protocol ping of this end in time, and there was at least one."""
        __tracebackhide__ = True
        self._enforce(pings_answered(within))

    def assert_no_abnormal_closure(self) -> None:
        """No 1006 at this end, nor what hides behind other codes; an open connection passes."""
        __tracebackhide__ = True
        self._enforce(NO_ABNORMAL_CLOSURE)

    def assert_closed(
        self, *, code: int | None = None, reason: str | None = None, by: End | str | None = None
    ) -> None:
        """The connection has ended: with this code, reason, and by this end ("client" or "server")."""
        __tracebackhide__ = True
        self._enforce(closed(code, reason, by))

    def assert_handshake(self) -> None:
        """The session's handshake was right: each message once, in order, and for this session."""
        __tracebackhide__ = True
        self._enforce(HANDSHAKE)

    def assert_rtt(self, *, p95: Duration) -> None:
        """95 of 100 round trips are as quick as this; with fewer than 20, the slowest is."""
        __tracebackhide__ = True
        self._enforce(rtt(p95))

    def assert_messages_flow(self, *, every: Duration | None = None, at_least: int = 0) -> None:
        """Application messages kept coming: no time without one longer than ``every``, and so many."""
        __tracebackhide__ = True
        self._enforce(messages_flow(every, at_least))

    def _enforce(self, requirement: Requirement) -> None:
        __tracebackhide__ = True
        self._conclude(requirement, judge(requirement, self.timelines[0]))

    def _conclude(self, requirement: Requirement, verdict: Verdict) -> Verdict:
        """Take a verdict down, with the records as they stand now; raise unless it is STABLE."""
        __tracebackhide__ = True
        timelines = tuple(timeline.sealed() for timeline in self.timelines)
        if verdict.outcome is not Outcome.STABLE:
            verdict = diagnosed(verdict, timelines, cohort=self.cohort())
        self.note(Judgement(requirement, verdict, timelines))
        if verdict.outcome is not Outcome.STABLE:
            raise StabilityError(requirement, verdict, timelines)
        return verdict


# The requirements behind the assertions, for those who hold more than one timeline.

NO_ABNORMAL_CLOSURE = Requirement(no_abnormal_closure=True)
HANDSHAKE = Requirement(handshake=True)


# In a requirement None asks for nothing; as the one argument of an assertion it is a value that is missing.


def stable(keywords: RequirementKeywords) -> Requirement:
    """Be all that the keywords say, which is something."""
    requirement = Requirement.of(**keywords)
    if requirement == Requirement():
        if keywords:
            written = ", ".join(f"{name}={value!r}" for name, value in keywords.items())
            raise ValueError(
                f"assert_stable: {written} asks for nothing; name what is required, such as alive_for, or "
                "give no keywords: then it is what the ws_stability marker asks for"
            )
        raise ValueError(
            "assert_stable: no requirement; give keywords such as alive_for, or a ws_stability marker"
        )
    return requirement


def alive_for(duration: Duration) -> Requirement:
    """Stay open for so long."""
    return Requirement.of(alive_for=parse_duration(duration, "alive_for"))


def session_confirmed(within: Duration) -> Requirement:
    """Have the session confirmed within."""
    return Requirement.of(session_within=parse_duration(within, "session_within"))


def heartbeats_answered(within: Duration, at_least: int, missed_max: int) -> Requirement:
    """Have heartbeats answered within."""
    seconds = parse_duration(within, "heartbeat_within")
    return Requirement.of(
        heartbeat_within=seconds, heartbeats_at_least=at_least, heartbeat_missed_max=missed_max
    )


def rtt(p95: Duration) -> Requirement:
    """Have round trips of which 95 of 100 are as quick as this."""
    return Requirement.of(rtt_p95=parse_duration(p95, "rtt_p95"))


def messages_flow(every: Duration | None, at_least: int) -> Requirement:
    """Have messages come so often, and so many."""
    if every is None and not at_least:
        raise ValueError("assert_messages_flow: give every= (a duration), at_least= (a number), or both")
    return Requirement.of(message_every=every, messages_at_least=at_least)


def pings_answered(within: Duration) -> Requirement:
    """Have protocol pings answered within."""
    return Requirement.of(pings_within=parse_duration(within, "pings_within"))


def closed(code: int | None, reason: str | None, by: End | str | None) -> Requirement:
    """Have ended in a way."""
    if isinstance(by, str):
        try:
            by = End(by)
        except ValueError:
            raise ValueError(f"by: {by!r} is no end; valid ones: 'client', 'server'") from None
    return Requirement.of(closed=ExpectedClose(code=code, reason=reason, by=by))

"""What a hold asks at each of its looks: whether a promise is broken, and when one may be next."""

from __future__ import annotations

from collections.abc import Iterator

from ..timeline.events import SAME
from ..timeline.round_trips import RoundTrips
from ..timeline.timeline import Timeline
from . import message_rules
from .heartbeat_rules import answered_by_peer, peer_beats
from .one_way import silent_from
from .progress import asks_until, goes_on
from .requirement import CADENCE_TOLERANCE, PROOF_TIMEOUT, Requirement
from .rules import BROKEN_WHILE_HELD, RULES, findings
from .verdict import Violation


class HoldChecks:
    """
    What the looks at connections ask that are held to one requirement.

    Made once for all of them: which rules have anything to find is known before the first look.

    Attributes:
        requirement: what they are held to.

    """

    __slots__ = ("_while_held", "requirement")

    def __init__(self, requirement: Requirement) -> None:
        self.requirement = requirement
        self._while_held = tuple(
            rule for rule, part in BROKEN_WHILE_HELD if part is None or _asks(requirement, part)
        )

    def is_broken(self, timeline: Timeline) -> bool:
        """
        Whether what the timeline holds up to now breaks a promise, whatever may excuse it.

        A hold asks this at each of its heartbeats, so what only an end can break waits for one.

        """
        rules = self._while_held if goes_on(self.requirement, timeline) else RULES
        found = findings(self.requirement, timeline, rules)
        return any(isinstance(finding, Violation) for finding in found)

    def next_check(self, timeline: Timeline) -> float | None:
        """
        When the verdict may change next, unless the connection ends before.

        During a hold (``alive_for``) that is also when a heartbeat that is still to come may be overdue;
        after it, what was open at its end, and the proof of life if one was asked for.

        Returns:
            Seconds since the opening handshake ended, later than the timeline's last look; None when
            the passing of time alone changes nothing any more.

        """
        if timeline.close is not None:
            return None
        requirement, now = self.requirement, timeline.duration
        hold, held = requirement.alive_for, goes_on(requirement, timeline)
        instants, until = [hold], asks_until(requirement)
        if timeline.session_confirmed_at is None:
            instants.append(requirement.session_within)
        if timeline.proof_asked_at is not None and timeline.proof_at is None:
            instants.append(timeline.proof_asked_at + PROOF_TIMEOUT)
        instants += _heartbeats_due(requirement, timeline, held=held)
        if requirement.pings_within is not None:
            due = now if held else None
            instants.append(_next_overdue(timeline.pings, now, requirement.pings_within, until, due))
        if requirement.heartbeats_apart is not None and held:
            # Those that were too close are found as soon as two may be so again.
            instants.append(now + requirement.heartbeats_apart)
        if requirement.message_every is not None and (held or hold is None):
            instants.append(message_rules.silent_from(requirement, timeline, requirement.message_every))
        return min((at for at in instants if at is not None and at > now + SAME), default=None)


def due_by_itself(requirement: Requirement, timeline: Timeline) -> Iterator[float]:
    """By when, if it is there, a peer will have sent what it sends without being asked."""
    trips, within = timeline.heartbeats, requirement.answer_within or PROOF_TIMEOUT
    if (silent := silent_from(requirement, timeline, within)) is not None:
        yield silent
    if trips.last_at is not None and peer_beats(timeline):
        # Where nobody says how often they come: as they came.
        every = requirement.heartbeat_every or timeline.peer_interval or trips.longest_gap
        yield trips.last_at + every * CADENCE_TOLERANCE
    if requirement.message_every is not None:
        yield message_rules.silent_from(requirement, timeline, requirement.message_every)


def _asks(requirement: Requirement, part: str) -> bool:
    value = getattr(requirement, part)
    return value is not None and value is not False


def _heartbeats_due(requirement: Requirement, timeline: Timeline, *, held: bool) -> Iterator[float | None]:
    trips, every, within = timeline.heartbeats, requirement.heartbeat_every, requirement.answer_within
    due = (trips.last_at or 0.0) + (every or 0.0)
    if within is not None:
        if held or requirement.alive_for is None:
            yield silent_from(requirement, timeline, within)
        until = asks_until(requirement)
        for each in answered_by_peer(timeline):
            yield _next_overdue(each, timeline.duration, within, until, due if held else None)
    if every is not None and held and peer_beats(timeline):
        yield due - every + every * CADENCE_TOLERANCE


def _next_overdue(
    trips: RoundTrips, now: float, within: float, until: float, due: float | None
) -> float | None:
    """When a question will be overdue: an open one of the hold, or else one that is due; None for neither."""
    asked = (at for at in trips.perhaps_open if at < until)
    overdue = next((at + within for at in asked if at + within > now + SAME), None)
    if overdue is None and due is not None:
        overdue = max(now, due) + within
    return overdue

"""The proof of life: a sign of the peer after a hold that nothing else shows it to have outlived."""

from __future__ import annotations

from collections.abc import Iterator

from ..duration import show_duration as show
from ..timeline.close import LocalReason
from ..timeline.events import SAME
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .heartbeat_rules import peer_beats
from .progress import asks_until
from .requirement import PROOF_TIMEOUT, Requirement
from .verdict import Doubt, Finding, Note, Noted, Reason, Rule, Violation


def asks_proof(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether nothing that is required tells that the peer is there at the end of a hold."""
    if requirement.answer_within is None or timeline.is_one_way:
        return True
    # Who asks is not there because its last question was answered.
    asks = requirement.heartbeat_every is None and peer_beats(timeline)
    return asks or _last_missed(requirement, timeline, requirement.answer_within)


def needs_proof(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether a hold ends with a proof of life: nothing tells that the peer is there, or it was silent."""
    return asks_proof(requirement, timeline) or _is_silent_at_end(requirement, timeline)


def _is_silent_at_end(requirement: Requirement, timeline: Timeline) -> bool:
    """
    Whether the peer was not heard in the last `PROOF_TIMEOUT` of a hold, nor since, and no answer may come.

    The answer to a heartbeat does not tell that the path is there one interval later, and one that was missed
    and may be, however early, is waited for no longer.

    """
    hold, within = requirement.alive_for, requirement.answer_within or 0.0
    if hold is None or hold - timeline.heard_at <= PROOF_TIMEOUT + SAME:
        return False
    if timeline.close is not None:
        return True
    asked = (at for at in timeline.heartbeats.perhaps_open if at < asks_until(requirement))
    return not any(timeline.duration - at < within - SAME for at in asked)


def _last_missed(requirement: Requirement, timeline: Timeline, within: float) -> bool:
    """Whether the last heartbeat of a hold was missed, as it may be, and nothing was heard since."""
    if not requirement.heartbeat_missed_max:
        return False
    until, asked = asks_until(requirement), timeline.proof_asked_at
    if asked is not None and asked >= until and timeline.proof_at is None:
        # It was when the hold was over: what came later changes nothing.
        return True
    last = max((at for at in timeline.heartbeats.perhaps_open if at < until), default=None)
    return last is not None and timeline.heard_at < last and timeline.duration - last >= within - SAME


def proof(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """After a hold that needs one: any byte within `PROOF_TIMEOUT`, or with a heartbeat behind that."""
    hold, asked, close = requirement.alive_for, timeline.proof_asked_at, timeline.close
    if hold is None or not needs_proof(requirement, timeline):
        return
    if asked is None or asked < hold - SAME:
        # Of none, or of a shorter hold: this one has its own still to ask for.
        yield from _given_up(hold, timeline, incidents)
        return
    if timeline.proof_at is not None or hold - SAME <= timeline.heard_at < asked - SAME:
        # The latter of a longer one, after a sign of life.
        return
    waited = timeline.duration - asked
    if close is None and waited < PROOF_TIMEOUT - SAME:
        yield Doubt(Reason.TOO_SHORT, f"waiting for a sign of life for {show(waited)}")
        return
    if close is not None and close.planned:
        yield Doubt(Reason.OWN_END, "this end closed before the peer gave a sign of life")
        return
    seen = "nothing came" if close is None else f"{close.headline()}: {close}"
    yield Violation(
        Rule.PROOF,
        asked + PROOF_TIMEOUT if close is None else close.at,
        f"a sign of life within {show(PROOF_TIMEOUT)} of a ping after the hold",
        f"{seen} ({show(waited)} after the ping at {show(asked)})",
        f"no sign of life after {show(hold)}",
        seen,
        excuses=incidents.late(asked + PROOF_TIMEOUT, None) if close is None else incidents.end(close),
    )


def _given_up(hold: float, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """That this end gave the peer up for silence since before the end of a hold, and did so after it."""
    close, pinged = timeline.close, timeline.pings.oldest_pending
    if close is None or close.local_reason is not LocalReason.PING_TIMEOUT:
        return
    # Whose last pings were answered, and the next one after the hold was not, was there at its end.
    in_hold = pinged is not None and pinged < hold - SAME
    if in_hold and timeline.heard_at < hold - SAME <= close.at:
        yield Violation(
            Rule.PROOF,
            close.at,
            "a sign of life at the end of the hold",
            f"{close.headline()}: {close} (nothing came since {show(timeline.heard_at)})",
            f"no sign of life after {show(hold)}",
            str(close),
            excuses=incidents.end(close),
        )


def proved(timeline: Timeline) -> Iterator[Note]:
    """The answer to the ping at the end of a hold, which is in no statistics of pings."""
    asked, came = timeline.proof_asked_at, timeline.proof_at
    if asked is not None and came is not None:
        text = (
            f"a byte of the peer {show(came - asked)} after the ping at the end of the hold, at {show(asked)}"
        )
        yield Note(Noted.PROOF, came, text)

"""The session's handshake: what was said out of turn, twice, wrongly, or for somebody else."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..duration import show_duration as show
from ..redact import show_message, show_session, show_text
from ..timeline.events import SAME, Direction, End, Role
from ..timeline.flaws import OF_PROTOCOL, Flaw, Irregularity
from ..timeline.timeline import Timeline
from .excuses import Incidents
from .progress import is_over
from .requirement import Requirement
from .verdict import Doubt, Finding, Reason, Rule, Verdict, Violation

# What each of them should have been.
_RIGHT = {
    Flaw.EARLY: "session_info after the greeting",
    Flaw.REPEATED: "session_info once a connection",
    Flaw.CHANGED: "one session id a connection",
    Flaw.MALFORMED: "session_info with the session's id",
    Flaw.UNEXPECTED: "session_info before anything else",
    Flaw.WRONG_SESSION: "session_confirmed for this session",
    Flaw.UNNAMED: "session_confirmed with the session's id",
    Flaw.CONFIRMED_AGAIN: "session_confirmed once a connection",
    Flaw.UNASKED: "session_confirmed after session_info",
    Flaw.INTERVAL: "intervals that make sense",
    Flaw.SEQUENCE: "sequence numbers that rise",
    Flaw.SUBPROTOCOL: "the subprotocol of the protocol",
    Flaw.VERSION: "the version of the protocol that was asked for",
    Flaw.FRAMING: "messages with an end",
}


def _in_hold(requirement: Requirement, at: float | None) -> bool:
    """Whether something was, and not after the hold, if there is one."""
    hold = requirement.alive_for
    return at is not None and (hold is None or at <= hold + SAME)


def _flaws(requirement: Requirement, timeline: Timeline) -> list[Irregularity]:
    return [each for each in timeline.irregular if _in_hold(requirement, each.at)]


def raised(requirement: Requirement, timeline: Timeline, *, until: float = math.inf) -> tuple[Doubt, ...]:
    """
    That a function of the profile raised, by an instant: what it did not say or understand is not the peer's.

    What was missing before is.

    """
    flaws = _flaws(requirement, timeline)
    found = (each for each in flaws if each.flaw is Flaw.FUNCTION and each.at <= until + SAME)
    return tuple(Doubt(Reason.PROFILE, show_text(each.detail)) for each in found)


def protocol(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """The rule: the peer keeps to its protocol, whatever was asked of it."""
    yield from raised(requirement, timeline)
    for each in _flaws(requirement, timeline):
        if each.flaw in OF_PROTOCOL and each.flaw is not Flaw.FUNCTION:
            what, detail = each.flaw.value, show_text(each.detail)
            yield Violation(Rule.PROTOCOL, each.at, _RIGHT[each.flaw], f"{what}: {detail}", what, detail)


def judge_resumption(timeline: Timeline, *, resumed: bool | None, expected: str | None) -> Verdict:
    """
    The verdict on a client that came back and whose session was confirmed.

    Args:
        timeline: what the client saw of the new connection.
        resumed: whether the server has the session again; None where nobody could say otherwise.
        expected: what the session was called.

    """
    findings: list[Finding] = []
    if resumed is False:
        named = timeline.session_id not in (None, expected)
        names = f"session {show_session(timeline.session_id)!r}, not {show_session(expected)!r}"
        what = names if named else "a new session"
        observed = f"{what} was confirmed: the server did not know the old one"
        at = timeline.session_confirmed_at or 0.0
        findings.append(
            Violation(Rule.RESUMED, at, "the same session again", observed, "session not resumed", observed)
        )
    return Verdict.of(findings, horizon=timeline.duration, tier=timeline.tier)


def session_due(timeline: Timeline) -> str:
    """What of the session's handshake a client waits for: its greeting, a step, or its confirmation."""
    protocol = timeline.protocol
    if timeline.session_info_at is not None:
        return "confirmation"
    greets = protocol is None or protocol.greets
    if greets and timeline.last(direction=Direction.RECEIVED, role=Role.GREETING) is None:
        return "greeting"
    return "step" if protocol is None or protocol.begins_session else "confirmation"


def info_flaw(
    timeline: Timeline, session_id: str | None, *, has_greeting: bool, names_session: bool = True
) -> Flaw | None:
    """
    What is wrong with a session_info that a server has received and recorded; None if nothing.

    Args:
        timeline: what the server saw; its session id is that of an earlier session_info.
        session_id: the one that came now; None if it names none.
        has_greeting: whether the protocol has one, for which clients have to wait.
        names_session: whether the client has to name its session.

    """
    if names_session and (session_id is None or not session_id.strip()):
        return Flaw.MALFORMED
    if timeline.session_id is not None:
        again = session_id is None or timeline.session_id == session_id
        return Flaw.REPEATED if again else Flaw.CHANGED
    greeted = timeline.last(direction=Direction.SENT, role=Role.GREETING) is not None
    return Flaw.EARLY if has_greeting and not greeted else None


def confirmation_flaw(
    timeline: Timeline, session_id: str | None, *, again: bool, names_session: bool = False
) -> Flaw | None:
    """
    What is wrong with a session_confirmed that a client has received and recorded; None if nothing.

    Args:
        timeline: what the client saw; its session id is the client's own, or None where the server names it.
        session_id: the one that the confirmation names; None if it names none.
        again: whether one has come before.
        names_session: whether the protocol has the session's id in it.

    """
    if None not in (session_id, timeline.session_id) and session_id != timeline.session_id:
        return Flaw.WRONG_SESSION
    if again:
        return Flaw.CONFIRMED_AGAIN
    begins = timeline.protocol is None or timeline.protocol.begins_session
    if begins and timeline.session_info_at is None:
        return Flaw.UNASKED
    return Flaw.UNNAMED if names_session and not session_id else None


def session_message(timeline: Timeline) -> str:
    """What the client's message about its session is called: ``session_info``, or ``resume``."""
    return "resume" if timeline.session_resumes else "session_info"


def refusal(timeline: Timeline) -> tuple[float, str] | None:
    """When and what came instead of the confirmation that session_info asked for; None if nothing did."""
    way = Direction.SENT if timeline.end is End.SERVER else Direction.RECEIVED
    refused = timeline.last(direction=way, role=Role.SESSION_REFUSED)
    if refused is not None:
        said = next((f": {show_message(text)!r}" for at, text in timeline.refusals if at == refused), "")
        return refused, f"refused at {show(refused)}{said}"
    asked, protocol = timeline.session_info_at, timeline.protocol
    if asked is None or (protocol is not None and not protocol.has_session):
        return None
    # Many protocols have no other word for it: STOMP's ERROR, Pusher's pusher:error.
    errors = (
        (at, f"an error at {show(at)}: {show_message(text)!r}") for at, text in timeline.errors if at >= asked
    )
    return next(errors, None)


_WAITED_FOR = {
    "greeting": "no greeting arrived, so session_info was not sent",
    "step": "session_info was never sent",
    "confirmation": "no confirmation arrived",
}


def session_so_far(timeline: Timeline, *, unanswered: str = "never confirmed") -> str:
    """
    How far the session came: ``session_info sent at 1 s, never confirmed``.

    Args:
        timeline: what either end saw.
        unanswered: what is said of a session_info that neither a confirmation nor a refusal followed.

    """
    if timeline.session_confirmed_at is not None:
        return f"confirmed after {show(timeline.session_confirmed_at)}"
    refused = refusal(timeline)
    if timeline.session_info_at is not None:
        verb = "received" if timeline.end is End.SERVER else "sent"
        then = refused[1] if refused is not None else unanswered
        return f"{session_message(timeline)} {verb} at {show(timeline.session_info_at)}, {then}"
    if refused is not None:
        return refused[1]
    if timeline.end is End.SERVER:
        return "the client never sent session_info"
    return _WAITED_FOR[session_due(timeline)]


def wrong_session(requirement: Requirement, timeline: Timeline) -> Irregularity | None:
    """The first confirmation of a session that is not the client's; None if there was none."""
    return next((each for each in _flaws(requirement, timeline) if each.flaw is Flaw.WRONG_SESSION), None)


def handshake(requirement: Requirement, timeline: Timeline, incidents: Incidents) -> Iterator[Finding]:
    """The rule: the greeting, session_info and session_confirmed once each, in this order."""
    if not requirement.handshake:
        return
    wrong = [each for each in _flaws(requirement, timeline) if each.flaw not in OF_PROTOCOL]
    for each in wrong:
        yield Violation(
            Rule.HANDSHAKE,
            each.at,
            _RIGHT[each.flaw],
            f"{each.flaw.value} at +{each.at:.3f} s: {show_text(each.detail)}",
            each.flaw.value,
            show_text(each.detail),
        )
    if wrong:
        return
    missing, at = _missing(requirement, timeline), _too_late(requirement, timeline)
    if missing is None:
        return
    expected, never = missing
    if at is None or (timeline.end is End.SERVER and expected == _RIGHT[Flaw.UNASKED]):
        # It may still come; or it is this end that has not said it.
        yield Doubt(Reason.TOO_FEW, f"{never} so far")
    else:
        excuses = incidents.unread(at)
        yield Violation(Rule.HANDSHAKE, at, expected, never, never, excuses=excuses)


def _missing(requirement: Requirement, timeline: Timeline) -> tuple[str, str] | None:
    """What of the handshake was not said: as it is expected, and that it was not; None if all was."""
    begins = timeline.protocol is None or timeline.protocol.begins_session
    confirms = timeline.protocol is None or timeline.protocol.has_session
    if begins and not _in_hold(requirement, timeline.session_info_at):
        is_server = timeline.end is End.SERVER
        never = "the client never sent session_info" if is_server else "session_info was not sent"
        return "session_info from the client", never
    if confirms and not _in_hold(requirement, timeline.session_confirmed_at):
        return _RIGHT[Flaw.UNASKED], "the session was not confirmed"
    return None


def _too_late(requirement: Requirement, timeline: Timeline) -> float | None:
    """From when on nothing more comes that counts: the end of the connection, or of the hold; or None."""
    close = timeline.close
    if close is not None and not close.planned and _in_hold(requirement, close.at):
        return close.at
    return requirement.alive_for if is_over(requirement, timeline) else None

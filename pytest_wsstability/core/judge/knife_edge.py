"""Verdicts that hang on the order of simultaneous timers."""

from __future__ import annotations

from collections.abc import Sequence

from ..timeline.events import SAME, Direction, Event, EventKind, Opcode, Role
from ..timeline.timeline import Timeline
from .verdict import Doubt, Reason, Verdict


def knife_edge(
    verdict: Verdict, other: Verdict, timelines: Sequence[Timeline], others: Sequence[Timeline]
) -> Verdict:
    """
    The verdict of two runs that differ in the order of simultaneous timers and in nothing else.

    Args:
        verdict, other: what came of each run.
        timelines, others: their records.

    Returns:
        The first verdict if the runs agree; else one in doubt, with the instant and what happened at
        it, and inconclusive if only one of the runs was stable. In real time the order is not ours.

    """
    firsts = [_first(each) for each in (verdict, other)]
    if verdict.outcome is other.outcome and _same(*firsts):
        return verdict
    broken = [(at, each) for at, each in zip(firsts, (verdict, other), strict=True) if at is not None]
    if not broken:
        return verdict
    at, worse = min(broken, key=lambda pair: pair[0])
    names = [*begun_at(at, timelines), *begun_at(at, others)]
    together = " and ".join(dict.fromkeys(names)) or "several timers"
    better = other if worse is verdict else verdict
    text = f"knife edge at t={at:.3f} s: {together} together; in one order {worse.headline}"
    text += f", in another {better.headline}"
    # Where only one run was broken, the order decides, so that nothing is proved.
    violations = verdict.violations if verdict.outcome is other.outcome else ()
    return Verdict.of(
        [Doubt(Reason.TIE, text), *violations, *verdict.doubts],
        horizon=verdict.horizon,
        tier=verdict.tier,
        diagnosis=verdict.diagnosis,
        notes=verdict.notes,
    )


def _first(verdict: Verdict) -> float | None:
    return min((violation.at for violation in verdict.violations), default=None)


def _same(at: float | None, other: float | None) -> bool:
    return at is other or (at is not None and other is not None and abs(at - other) < SAME)


def begun_at(at: float, timelines: Sequence[Timeline]) -> list[str]:
    """What was begun at an instant, by whichever end."""
    names = []
    for timeline in timelines:
        # The instant is the judged end's; the other end counts from its own opening.
        shift = timelines[0].opened - timeline.opened
        for event in timeline.between(at + shift - SAME, at + shift + SAME):
            name = _name(event)
            if name is not None:
                names.append(name)
    return names


def _name(event: Event) -> str | None:
    if event.kind is EventKind.DEADLINE:
        return "read deadline"
    if event.kind is not EventKind.FRAME or event.direction is not Direction.SENT:
        return None
    if event.role is Role.HEARTBEAT:
        return "heartbeat"
    return {Opcode.PING: "ping", Opcode.PONG: "pong"}.get(event.opcode)

"""Faults that cannot both be meant: found before anything is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import takewhile

from ..duration import show_duration
from .fault import Fault, Flow
from .link import (
    Bandwidth,
    Blackhole,
    CutAfter,
    CutAt,
    DropControlFrames,
    EndsWith,
    Heal,
    IdleTimeout,
    Latency,
    LinkFault,
    MaxAge,
    Slicer,
    Stall,
)
from .peer import (
    AT_OPENING,
    DuplicateConfirm,
    IgnoreClose,
    LateConfirm,
    NeverConfirm,
    PeerFault,
    StopReading,
    WithholdHeartbeats,
    WithholdPongs,
    WrongSession,
)
from .protocol import DuplicateAnswers, RefuseResume, RefuseSession, WrongIds

Timed = tuple[float, Fault]

# From when they are applied until they are healed.
_LASTING = (Blackhole, Latency, Bandwidth, CutAfter, Slicer, DropControlFrames, IdleTimeout, MaxAge, Stall)
# These stay on, and there is no more than on.
_ON = (
    WithholdPongs,
    WithholdHeartbeats,
    NeverConfirm,
    WrongSession,
    DuplicateConfirm,
    IgnoreClose,
    StopReading,
    WrongIds,
    DuplicateAnswers,
    RefuseSession,
    RefuseResume,
)


def contradiction(program: Sequence[Timed]) -> str | None:
    """What makes no sense in a program, whose faults are sorted by time; None if nothing."""
    for find in _RULES:
        for position, timed in enumerate(program):
            if reason := find(timed, program[:position], program):
                return reason
    return None


def _show(timed: Timed) -> str:
    return f"{timed[1]!r} at {show_duration(timed[0])}"


def _too_old(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    at, fault = timed
    age = fault.at if isinstance(fault, CutAt) else fault.seconds if isinstance(fault, MaxAge) else None
    if age is None or at < age:
        return None
    return f"{_show(timed)}: the connection is older than {show_duration(age)} by then"


def _not_at_opening(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    at, fault = timed
    if not isinstance(fault, AT_OPENING):
        return None
    if at:
        return f"{_show(timed)}: this can only happen at the opening, so it takes no time"
    other = next((each for each in program if isinstance(each[1], PeerFault) and each is not timed), None)
    return f"{_show(other)}: {fault!r} leaves nothing of the connection to break" if other else None


def _after_the_end(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    for earlier in program:
        end = _end(earlier)
        # At one instant, the order in which they are given decides.
        late = end is not None and (timed[0] > end or (timed[0] == end and earlier in before))
        # A server that closes says so on a link, which can still be broken.
        same = isinstance(earlier[1], LinkFault) or isinstance(timed[1], PeerFault)
        if end is not None and late and same and not _held(program, earlier, end):
            return f"{_show(timed)}: {earlier[1]!r} has ended the connection at {show_duration(end)}"
    return None


def _end(timed: Timed) -> float | None:
    at, fault = timed
    if isinstance(fault, CutAt):
        return fault.at
    if isinstance(fault, MaxAge) and fault.ends_with in (EndsWith.FIN, EndsWith.RESET):
        return fault.seconds
    return at if fault.ends else None


def _held(program: Sequence[Timed], ending: Timed, at: float) -> bool:
    """Whether the link holds everything back then, so that an end cannot arrive before it is healed."""
    held, earlier = False, program[: program.index(ending)]
    # At one instant, what comes behind the end is too late.
    for when, fault in takewhile(
        lambda timed: timed[0] < at or (timed[0] == at and timed in earlier), program
    ):
        if isinstance(fault, Blackhole):
            held = True
        elif isinstance(fault, Heal):
            held = False
        elif isinstance(fault, Stall) and when + fault.seconds > at:
            return True
    return held


def _nothing_to_heal(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    if not isinstance(timed[1], Heal):
        return None
    for _, fault in reversed(before):
        if isinstance(fault, Heal):
            break
        if isinstance(fault, _LASTING):
            return None
    return f"{_show(timed)}: nothing is broken then that could be healed"


def _again(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    at, fault = timed
    for earlier in reversed(before):
        if isinstance(earlier[1], Heal):
            break
        if (
            isinstance(fault, Stall)
            and isinstance(earlier[1], Blackhole)
            and earlier[1].direction is Flow.BOTH
        ):
            return f"{_show(timed)}: nothing passes since {_show(earlier)} in any case"
        if type(earlier[1]) is not type(fault) or not _overlap(earlier[1], fault):
            continue
        if isinstance(fault, Blackhole):
            return f"{_show(timed)}: nothing passes since {_show(earlier)} in any case"
        if earlier[0] == at and (isinstance(fault, _LASTING) or earlier[1] == fault):
            return f"{_show(timed)}: {earlier[1]!r} is applied at the same instant; give one of them"
    return None


def _overlap(one: Fault, other: Fault) -> bool:
    if (
        isinstance(one, DropControlFrames)
        and isinstance(other, DropControlFrames)
        and not one.kinds & other.kinds
    ):
        return False
    flows = {flow for fault in (one, other) for flow in [getattr(fault, "direction", Flow.BOTH)]}
    return len(flows) == 1 or Flow.BOTH in flows


def _confirmed_never(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    if not isinstance(timed[1], NeverConfirm | RefuseSession):
        return None
    confirmations = (LateConfirm, WrongSession, DuplicateConfirm)
    other = next((each for each in program if isinstance(each[1], confirmations)), None)
    return f"{_show(other)}: {timed[1]!r} says that no session is confirmed" if other else None


def _on_already(timed: Timed, before: Sequence[Timed], program: Sequence[Timed]) -> str | None:
    if not isinstance(timed[1], _ON):
        return None
    earlier = next((each for each in before if each[1] == timed[1]), None)
    return f"{_show(timed)}: it lasts since {show_duration(earlier[0])}" if earlier else None


_RULES: tuple[Callable[[Timed, Sequence[Timed], Sequence[Timed]], str | None], ...] = (
    _too_old, _not_at_opening, _after_the_end, _nothing_to_heal, _again, _confirmed_never, _on_already,
)  # fmt: skip

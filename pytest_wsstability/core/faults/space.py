"""What random faults look like: for each class, the ranges of what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .contradictions import contradiction
from .fault import Fault, Flow
from .link import (
    Bandwidth,
    Blackhole,
    ControlKind,
    CutAfter,
    CutAt,
    Drop,
    DropControlFrames,
    EndsWith,
    HalfClose,
    Heal,
    IdleTimeout,
    Latency,
    MaxAge,
    Reset,
    ResetBy,
    Slicer,
    Stall,
)
from .peer import (
    AcceptThenClose,
    BadUtf8,
    CloseWith,
    DuplicateConfirm,
    EmptyClose,
    Flood,
    FreezeLoop,
    HandlerError,
    IgnoreClose,
    InvalidCloseCode,
    LateConfirm,
    Malformation,
    Malformed,
    MaskedFrame,
    NeverConfirm,
    Oversize,
    RefuseUpgrade,
    Restart,
    StopReading,
    WithholdHeartbeats,
    WithholdPongs,
    WrongSession,
)
from .protocol import (
    DuplicateAnswers,
    LateAnswers,
    LateHeartbeats,
    ProtocolFault,
    RefuseResume,
    RefuseSession,
    SendError,
    SendNotice,
    WrongIds,
)


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these values."""

    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """A number from ``low`` to ``high``, both included; whole if they are."""

    low: float
    high: float


Range = OneOf | Between


def _one(values: Iterable[Any]) -> OneOf:
    return OneOf(tuple(values))


_SINGLE = _one(Flow.BOTH.directions)
_FLOW = _one(Flow)
_SECONDS = Between(0.1, 20.0)
_ENDS_WITH = _one(EndsWith)

# By the names of what each takes; of a latency the jitter is a share of the delay.
SPACE: Mapping[type[Fault], Mapping[str, Range]] = {
    Drop: {},
    Reset: {},
    Blackhole: {"direction": _FLOW},
    Heal: {},
    Stall: {"seconds": _SECONDS},
    Latency: {"delay": Between(0.001, 3.0), "share": OneOf((0.0, 0.1, 1.0))},
    Bandwidth: {"bytes_per_second": Between(20, 100_000)},
    CutAfter: {"bytes": Between(0, 2000), "direction": _FLOW},
    CutAt: {"at": _SECONDS},
    HalfClose: {"direction": _SINGLE},
    Slicer: {"size": Between(1, 100), "delay": OneOf((0.0, 0.001, 0.1))},
    DropControlFrames: {"kinds": _one(ControlKind), "direction": _FLOW},
    IdleTimeout: {"seconds": _SECONDS, "reset_by": _one(ResetBy), "ends_with": _ENDS_WITH},
    MaxAge: {"seconds": _SECONDS, "ends_with": _ENDS_WITH},
    WithholdPongs: {},
    WithholdHeartbeats: {},
    NeverConfirm: {},
    LateConfirm: {"delay": _SECONDS},
    WrongSession: {},
    DuplicateConfirm: {},
    CloseWith: {"code": OneOf((1000, 1001, 1008, 1011, 1012, 1013, 3000, 4999))},
    EmptyClose: {},
    InvalidCloseCode: {"code": OneOf((0, 999, 1004, 1005, 1006, 1015, 2999, 65535))},
    IgnoreClose: {},
    HandlerError: {},
    Oversize: {"bytes": OneOf((1, 65_536, 1_048_577))},
    Malformed: {"kind": _one(Malformation)},
    BadUtf8: {},
    MaskedFrame: {},
    StopReading: {},
    FreezeLoop: {"seconds": _SECONDS},
    Flood: {"messages_per_second": Between(1, 200), "size": Between(0, 2000)},
    RefuseUpgrade: {"status": OneOf((401, 403, 429, 503)), "retry_after": OneOf((None, 1, 60))},
    AcceptThenClose: {"code": OneOf((1001, 1008, 1013))},
    Restart: {"down_for": Between(0.0, 20.0)},
    LateHeartbeats: {"delay": _SECONDS},
    LateAnswers: {"delay": _SECONDS},
    WrongIds: {},
    DuplicateAnswers: {},
    RefuseSession: {},
    RefuseResume: {},
    SendNotice: {},
    SendError: {},
}
# What makes sense whatever the profile.
ANY_PROFILE = tuple(kind for kind in SPACE if not issubclass(kind, ProtocolFault))


def made(kind: type[Fault], /, **values: Any) -> Fault:
    """The fault of a class with some values of its space."""
    if kind is Latency:
        values["jitter"] = round(values["delay"] * values.pop("share"), 4)
    return kind(**values)


def compatible(timed: Sequence[tuple[float, Fault]]) -> list[tuple[float, Fault]]:
    """As many of these faults as make sense together, those that come first preferred, sorted by time."""
    kept: list[tuple[float, Fault]] = []
    for each in timed:
        both = sorted([*kept, each], key=lambda pair: pair[0])
        if contradiction(both) is None:
            kept = both
    return kept

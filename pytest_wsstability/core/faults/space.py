"""What random faults look like: for each class, the ranges of what it takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import link, peer, protocol
from .contradictions import contradiction
from .fault import Fault, Flow


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
_ENDS_WITH = _one(link.EndsWith)

# By the names of what each takes; of a latency the jitter is a share of the delay.
SPACE: Mapping[type[Fault], Mapping[str, Range]] = {
    link.Drop: {},
    link.Reset: {},
    link.Blackhole: {"direction": _FLOW},
    link.Heal: {},
    link.Stall: {"seconds": _SECONDS},
    link.Latency: {"delay": Between(0.001, 3.0), "share": OneOf((0.0, 0.1, 1.0))},
    link.Bandwidth: {"bytes_per_second": Between(20, 100_000)},
    link.CutAfter: {"bytes": Between(0, 2000), "direction": _FLOW},
    link.CutAt: {"at": _SECONDS},
    link.HalfClose: {"direction": _SINGLE},
    link.Slicer: {"size": Between(1, 100), "delay": OneOf((0.0, 0.001, 0.1))},
    link.DropControlFrames: {"kinds": _one(link.ControlKind), "direction": _FLOW},
    link.IdleTimeout: {"seconds": _SECONDS, "reset_by": _one(link.ResetBy), "ends_with": _ENDS_WITH},
    link.MaxAge: {"seconds": _SECONDS, "ends_with": _ENDS_WITH},
    peer.WithholdPongs: {},
    peer.WithholdHeartbeats: {},
    peer.NeverConfirm: {},
    peer.LateConfirm: {"delay": _SECONDS},
    peer.WrongSession: {},
    peer.DuplicateConfirm: {},
    peer.CloseWith: {"code": OneOf((1000, 1001, 1008, 1011, 1012, 1013, 3000, 4999))},
    peer.EmptyClose: {},
    peer.InvalidCloseCode: {"code": OneOf((0, 999, 1004, 1005, 1006, 1015, 2999, 65535))},
    peer.IgnoreClose: {},
    peer.HandlerError: {},
    peer.Oversize: {"bytes": OneOf((1, 65_536, 1_048_577))},
    peer.Malformed: {"kind": _one(peer.Malformation)},
    peer.BadUtf8: {},
    peer.MaskedFrame: {},
    peer.StopReading: {},
    peer.FreezeLoop: {"seconds": _SECONDS},
    peer.Flood: {"messages_per_second": Between(1, 200), "size": Between(0, 2000)},
    peer.RefuseUpgrade: {"status": OneOf((401, 403, 429, 503)), "retry_after": OneOf((None, 1, 60))},
    peer.AcceptThenClose: {"code": OneOf((1001, 1008, 1013))},
    peer.Restart: {"down_for": Between(0.0, 20.0)},
    protocol.LateHeartbeats: {"delay": _SECONDS},
    protocol.LateAnswers: {"delay": _SECONDS},
    protocol.WrongIds: {},
    protocol.DuplicateAnswers: {},
    protocol.RefuseSession: {},
    protocol.RefuseResume: {},
    protocol.SendNotice: {},
    protocol.SendError: {},
}
# What makes sense whatever the profile.
ANY_PROFILE = tuple(kind for kind in SPACE if not issubclass(kind, protocol.ProtocolFault))


def made(kind: type[Fault], /, **values: Any) -> Fault:
    """The fault of a class with some values of its space."""
    if kind is link.Latency:
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

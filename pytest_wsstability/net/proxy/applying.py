"""What each fault of the link does to a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...core.faults import (
    Bandwidth,
    Blackhole,
    CutAfter,
    CutAt,
    Drop,
    DropControlFrames,
    Fault,
    Flow,
    HalfClose,
    Heal,
    IdleTimeout,
    Latency,
    MaxAge,
    Reset,
    Slicer,
    Stall,
)
from .channel import TcpFlag
from .filters import ByteBudget
from .link import Link
from .shape import Shape


def apply(link: Link, fault: Fault) -> None:
    """Do to a link what the fault says, now; when it does so is the link's plan."""
    _APPLY[type(fault)](link, fault)


def _drop(link: Link, fault: Drop | CutAt) -> None:
    link.end(TcpFlag.FIN, fault)


def _reset(link: Link, fault: Reset) -> None:
    link.end(TcpFlag.RST, fault)


def _blackhole(link: Link, fault: Blackhole) -> None:
    link.reshape(fault.direction, lambda shape: shape.hold())


def _heal(link: Link, fault: Heal) -> None:
    link.heal()


def _stall(link: Link, fault: Stall) -> None:
    until = link.opened + link.age + fault.seconds
    link.reshape(Flow.BOTH, lambda shape: shape.hold(until))


def _latency(link: Link, fault: Latency) -> None:
    def delay(shape: Shape) -> None:
        shape.delay, shape.jitter = fault.delay, fault.jitter

    link.reshape(Flow.BOTH, delay)


def _bandwidth(link: Link, fault: Bandwidth) -> None:
    def limit(shape: Shape) -> None:
        shape.bandwidth = fault.bytes_per_second

    link.reshape(Flow.BOTH, limit)


def _slicer(link: Link, fault: Slicer) -> None:
    def cut_up(shape: Shape) -> None:
        shape.slice_size, shape.slice_delay = fault.size, fault.delay

    link.reshape(Flow.BOTH, cut_up)


def _cut_after(link: Link, fault: CutAfter) -> None:
    if not fault.bytes:
        link.cut(fault)
        return
    budget = ByteBudget(fault)
    for each in link.frame_filters(fault.direction):
        each.budget = budget


def _drop_control_frames(link: Link, fault: DropControlFrames) -> None:
    for each in link.frame_filters(fault.direction):
        each.drop(fault.kinds)


_APPLY: dict[type[Fault], Callable[[Link, Any], None]] = {
    Drop: _drop,
    Reset: _reset,
    Blackhole: _blackhole,
    Heal: _heal,
    Stall: _stall,
    Latency: _latency,
    Bandwidth: _bandwidth,
    CutAfter: _cut_after,
    CutAt: _drop,
    HalfClose: Link.half_close,
    Slicer: _slicer,
    DropControlFrames: _drop_control_frames,
    IdleTimeout: Link.start_idle_timer,
    MaxAge: Link.start_age_timer,
}

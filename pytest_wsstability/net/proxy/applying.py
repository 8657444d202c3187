"""What each fault of the link does to a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

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
from .gate import Cut
from .lane import Mark
from .shape import Shape

if TYPE_CHECKING:
    from .link import Link


def strike(link: Link, fault: Fault) -> None:
    """Do to a link what the fault says, now."""
    _DEEDS[type(fault)](link, fault)


def _drop(link: Link, fault: Drop | CutAt) -> None:
    link.end(Mark.FIN, fault)


def _reset(link: Link, fault: Reset) -> None:
    link.end(Mark.RST, fault)


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
    cut = Cut(fault)
    for gate in link.watches(fault.direction):
        gate.cut = cut


def _half_close(link: Link, fault: HalfClose) -> None:
    link.lane(fault.direction).end(Mark.FIN)


def _drop_control_frames(link: Link, fault: DropControlFrames) -> None:
    for gate in link.watches(fault.direction):
        gate.drop(fault.kinds)


def _idle_timeout(link: Link, fault: IdleTimeout) -> None:
    link.start_idle_timer(fault)


def _max_age(link: Link, fault: MaxAge) -> None:
    link.age_out(fault)


_DEEDS: dict[type[Fault], Callable[[Link, Any], None]] = {
    Drop: _drop,
    Reset: _reset,
    Blackhole: _blackhole,
    Heal: _heal,
    Stall: _stall,
    Latency: _latency,
    Bandwidth: _bandwidth,
    CutAfter: _cut_after,
    CutAt: _drop,
    HalfClose: _half_close,
    Slicer: _slicer,
    DropControlFrames: _drop_control_frames,
    IdleTimeout: _idle_timeout,
    MaxAge: _max_age,
}

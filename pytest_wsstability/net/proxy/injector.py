"""Faults of the link for all connections that go one way: those that are open, and those to come."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ...core.duration import Duration, parse_duration
from ...core.faults import (
    AppliedFault,
    Drop,
    DropControlFrames,
    Fault,
    HalfClose,
    Heal,
    IdleTimeout,
    Place,
    Program,
    Reset,
    ResetBy,
    Stall,
    Step,
)
from ...core.faults.fault import FaultLabel
from ...core.faults.program import checked_fault
from .applying import apply
from .channel import Receiver, Sender
from .link import Link

# What happens once, and does not go on.
_ONCE = (Drop, Reset, HalfClose, Heal, Stall)
_CROWD = 16


class FaultInjector:
    """
    Makes the links of connections, applies faults to them, and keeps them until they are over.

    Args:
        program: the faults of each connection; faults of the peer are refused.
        reads: whether frames can be read; not over TLS.
        name: how faults are called on timelines; None keeps no timelines.

    Raises:
        ValueError: for a fault that is none of a link, or that must read what TLS hides.

    """

    def __init__(
        self, program: Program, *, reads: bool = True, name: Callable[[Fault], FaultLabel] | None = None
    ) -> None:
        self._reads = reads
        self._name = name
        for step in program:
            self._check(step.fault)
        self.program = program
        self.applied: list[AppliedFault] = []
        self._made = 0
        # Links that are not over; a dict, because a set would have an order of its own.
        self._open: dict[Link, None] = {}
        # With so many of them it is time to look which are over.
        self._crowd = _CROWD
        # The latest of each address of a client.
        self._by_client: dict[Any, Link] = {}

    def _check(self, fault: Fault) -> None:
        if fault.place is not Place.LINK:
            raise ValueError(
                f"faults: {fault!r} is nothing that a link can do, but a server: Orchestrator(faults=[...]) "
                "takes it"
            )
        if not self._reads and _reads_frames(fault):
            raise ValueError(
                f"faults: {fault!r} must read frames, and over TLS (wss://) nobody between the ends can; "
                "test it on a ws:// URL"
            )

    def link(
        self,
        loop: asyncio.AbstractEventLoop,
        client: tuple[Sender, Receiver],
        server: tuple[Sender, Receiver],
        address: Any = None,
    ) -> Link:
        """The link of a further connection, with the faults of its opening applied; see `link_of`."""
        link = Link(
            loop, client, server, number=self._made, program=self.program, applied=self.applied,
            apply=apply, reads=self._reads, name=self._name,
        )  # fmt: skip
        self._made += 1
        self._open[link] = None
        if len(self._open) > self._crowd:
            self._forget_those_over()
            # Not with each new connection: looking at thousands for each of thousands takes long.
            self._crowd = 2 * len(self._open) + _CROWD
        if address is not None:
            self._by_client[address] = link
        return link

    def link_of(self, client: Any) -> Link | None:
        """The link of the client with this address."""
        return self._by_client.get(client)

    def _forget_those_over(self) -> None:
        for link in [link for link in self._open if link.is_over]:
            del self._open[link]

    def add(self, fault: Fault, at: Duration | None = None) -> None:
        """
        Break something more.

        Args:
            fault: what happens to each connection that is open, and to those to come (to the first so many,
                if the program says so).
            at: seconds since each connection was opened; older ones get it at once. None is now:
                what lasts is then applied to connections to come at their opening, and what happens once
                (`Drop`, for one) is not.

        Raises:
            TypeError, ValueError: for what is no fault of a link, or no time.

        """
        self._check(checked_fault(fault))
        when = None if at is None else parse_duration(at, "at", zero=True)
        if when is not None or not isinstance(fault, _ONCE):
            steps = sorted([*self.program.steps, Step(when or 0.0, fault)], key=lambda step: step.when)
            self.program = replace(self.program, steps=tuple(steps))
        self._forget_those_over()
        for link in list(self._open):
            link.plan(fault, link.age if when is None else when)

    def heal(self) -> None:
        """End all faults: what was held is delivered, and none is applied until `add` is called."""
        self.program = replace(self.program, steps=())
        for link in list(self._open):
            link.cancel_faults()

    def close(self) -> None:
        """Cut all connections."""
        for link in list(self._open):
            link.close()
        self._open.clear()


def _reads_frames(fault: Fault) -> bool:
    if isinstance(fault, IdleTimeout):
        return fault.reset_by is ResetBy.DATA
    return isinstance(fault, DropControlFrames)

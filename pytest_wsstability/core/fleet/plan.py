"""Which connections a fleet has, who opens them and when: all of it known before the first one opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..number import is_whole

# Nobody is told to open more connections than this, nor may: it is a hundred times what a cluster holds.
MOST = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """
    The share of one worker: each `of`-th connection, so that every worker has connections of each age.

    A worker has one slot. When it dies, so does the slot: nobody opens its connections again.

    """

    number: int
    of: int
    # Connections of the whole fleet.
    connections: int

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[int]:
        return iter(self.numbers)

    @property
    def numbers(self) -> range:
        """The numbers of its connections, from 0 on, in the order in which they open."""
        return range(self.number, self.connections, self.of)


def check_connections(connections: object, stalled: object = 0) -> None:
    """
    See that there are connections, and that some are left to judge besides those that stop reading.

    Raises:
        ValueError: if not, naming the keyword.

    """
    if not is_whole(connections):
        raise ValueError(f"connections: {connections!r} is no fleet; give a whole number from 1")
    if connections < 1:
        raise ValueError(f"connections: {connections!r} is no fleet; give 1 or more")
    if connections > MOST:
        raise ValueError(f"connections: {connections:,} are more than anything carries; at most {MOST:,}")
    if not is_whole(stalled):
        raise ValueError(f"stalled: {stalled!r}; give how many of the connections stop reading")
    if not 0 <= stalled < connections:
        raise ValueError(f"stalled: {stalled!r} of {connections:,}; leave some to judge")


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetPlan:
    """
    A fleet before it starts. Durations are seconds.

    Raises:
        ValueError: for a number that makes no fleet, naming it.

    """

    connections: int
    # How long each connection is held after its opening handshake.
    hold: float
    # Over how long they open, evenly.
    ramp: float = 0.0
    workers: int = 1
    # So many of them stop reading, evenly among the others, and are not judged: the others are.
    stalled: int = 0

    def __post_init__(self) -> None:
        check_connections(self.connections, self.stalled)
        if self.workers < 1:
            raise ValueError(f"workers: {self.workers!r}; give 1 or more")
        if self.hold <= 0:
            raise ValueError(f"alive_for: {self.hold:g} s is no time to hold; give a duration above 0")
        if self.ramp < 0 or self.ramp > self.hold:
            raise ValueError(
                f"ramp: {self.ramp:g} s is longer than the hold (alive_for={self.hold:g} s), so the first "
                "connections would end before the last ones open"
                if self.ramp > 0
                else f"ramp: {self.ramp:g} s; give 0 or more"
            )

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The share of each worker; no more slots than connections."""
        of = min(self.workers, self.connections)
        return tuple(Slot(number=number, of=of, connections=self.connections) for number in range(of))

    def opens_at(self, number: int) -> float:
        """When a connection begins to open, in seconds after the start of the fleet."""
        return self.ramp * number / self.connections

    def is_stalled(self, number: int) -> bool:
        """Whether a connection stops reading: each n-th, from the first on."""
        share = self.stalled * number // self.connections
        return self.stalled > 0 and (number == 0 or share != self.stalled * (number - 1) // self.connections)

    @property
    def opens_per_second(self) -> float:
        """How many connections open a second; infinite where all open at once."""
        return self.connections / self.ramp if self.ramp else float("inf")

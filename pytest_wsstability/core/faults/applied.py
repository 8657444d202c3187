"""What a fault did, and when: planned and actual."""

from __future__ import annotations

from dataclasses import dataclass

from ..duration import show_duration
from .fault import Fault


@dataclass(frozen=True, slots=True)
class Strike:
    """
    A fault that struck a connection.

    Instants are seconds since the connection was opened. Timers of faults (idle timeout, age) strike when
    they run out, and what counts bytes when it has counted.

    """

    fault: Fault
    # Which connection, counted from 0 in the order of arrival.
    connection: int
    planned: float
    at: float

    @property
    def lateness(self) -> float:
        """Seconds between plan and deed; 0.0 in virtual time."""
        # What is left of a difference of two readings of a clock is no time.
        return round(self.at - self.planned, 9)

    def __str__(self) -> str:
        late = f", {show_duration(self.lateness)} late" if self.lateness else ""
        return f"{self.fault!r} at {show_duration(self.planned)} on connection {self.connection}{late}"

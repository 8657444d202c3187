"""What a worker tells about its connections: numbered, additive frames of builtin types, never pickles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from ..cause import Cause
from ..diagnosis.client_end import ClientEnd
from ..fleet_summary import FleetRecord
from ..plain import plain, restore
from ..samples import Sample


class Fate(Enum):
    """What became of one connection of a fleet."""

    # Held to its end, and nothing of the requirement was broken.
    STABLE = "stable"
    # Ended or broke the requirement.
    ENDED = "ended"
    # Stopped reading, because the test asked for that: what becomes of it is not judged.
    STALLED = "stalled"
    # Ended by plan: a rotation that was announced, an age that is allowed.
    ROTATED = "rotated"
    # Did not open.
    REFUSED = "refused"
    # The test process itself was in no state to tell.
    UNOBSERVED = "unobserved"


# The rows of a heat map of round trip times, in seconds; one row more holds what is longer.
RTT_LIMITS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The end of one connection, and what it may have in common with others."""

    number: int
    fate: Fate
    # Seconds since its opening handshake; 0 where it did not open.
    age: float
    # Seconds since the start of its worker's slot: never compared with another machine's.
    at: float
    # What those of its cause are called together, and the cause itself; empty and None where there is none.
    cause: str = ""
    found: Cause | None = None
    confidence: str = ""
    # The close code at this end; None without one.
    code: int | None = None
    # Whether something went wrong with the end itself, behind whatever code: see `CloseEvidence`.
    abnormal: bool = False
    # Nobody but this end ended it, if only after it had broken the requirement: there is nothing to come
    # back from.
    closed_here: bool = False
    # Seconds without a byte either way before the end.
    silence: float = 0.0
    # What the response named as its sender: ``server``, ``via``, ``x-backend``...
    served_by: str = ""
    # The network that it was opened from, such as ``10.1.2.0/24``; empty where nobody can tell.
    subnet: str = ""
    # What was promised, or seen, in one line; of one that rotated, what it had too little time to show.
    headline: str = ""
    # What to change.
    remedy: str = ""
    # What the server's own lines are compared with; None for what has no cause.
    seen: ClientEnd | None = None
    # The HTTP status of an upgrade that was refused; None else.
    status: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """What became of a connection after it had ended: it came back, or it did not."""

    number: int
    # When it was back, or given up, in seconds since the start of its worker's slot.
    at: float
    # Seconds from its end until it was open again; None where it was not in the time that it had.
    after: float | None
    # How often it was tried.
    attempts: int
    # It may have failed because this machine could not try, or not in time: that is not the server's.
    excused: bool = False
    # Why the last attempt that failed did; empty where none did.
    why: str = ""
    # It was back, and then broke a promise without an end: told beside its return.
    broke: bool = False
    # When the end that it came back from was, in seconds since the start of the slot, if that was an abnormal
    # closure where none was promised; None else. And whether this machine may have brought it about.
    abnormal_at: float | None = None
    abnormal_excused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FanoutCounts:
    """What became of messages that a server sends on to all connections of a worker."""

    # Messages that connections of this worker sent.
    messages: int = 0
    # Receivers that got one later than asked, or not at all; and those of which a lag of this end may have
    # made them late.
    late: int = 0
    missing: int = 0
    excused: int = 0

    def __add__(self, other: FanoutCounts) -> FanoutCounts:
        return FanoutCounts(
            messages=self.messages + other.messages,
            late=self.late + other.late,
            missing=self.missing + other.missing,
            excused=self.excused + other.excused,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What happened in a slot since its frame before: all numbers are added up."""

    slot: int
    # 1, or more where an engine runs a slot again though nobody asked it to.
    attempt: int
    # From 0 on, without gaps.
    sequence: int
    # Seconds since the slot started, on its own machine's monotonic clock.
    at: float
    opened: int = 0
    heartbeats_sent: int = 0
    heartbeats_answered: int = 0
    # Those sent that no answer is ever due to; and those of connections that are over that were not
    # answered in the time that they have.
    heartbeats_one_way: int = 0
    heartbeats_missed: int = 0
    # Application messages that came.
    messages: int = 0
    # Round trips that ended since, by the first of `RTT_LIMITS` that they do not exceed: those of some
    # connections, drawn beforehand. Those of all come in `rtts`, when a connection is over.
    rtt_counts: tuple[int, ...] = ()
    rtts: Sample = field(default_factory=Sample)
    # Connections that were answered, by what the response named as its sender.
    backends: dict[str, int] = field(default_factory=dict)
    # Those that opened by the network that they were opened from.
    subnets: dict[str, int] = field(default_factory=dict)
    # Connections that ended, and came back or did not.
    returns: tuple[Return, ...] = ()
    fanout: FanoutCounts = FanoutCounts()
    # From the instant at which a message was sent to that at which another connection had it, in seconds.
    fanout_times: Sample = field(default_factory=Sample)
    # The worst lag of the worker's event loop since the frame before, in seconds.
    lag: float = 0.0
    endings: tuple[Ending, ...] = ()
    # Connections that were held to their end, as the first and last of each run of numbers of the slot.
    stable: tuple[tuple[int, int], ...] = ()
    # The slot has come to its end, and this is its last frame.
    is_last: bool = False
    # Of the last frame: more would have come of some connections, had the slot not been stopped.
    cut_short: bool = False
    # What a function of the user's raised, which ends the slot before its time.
    failure: str = ""
    # Of the last frame: whole records of some of its connections.
    records: tuple[FleetRecord, ...] = ()
    # Of the last frame: endings that were told before, with causes that the others of all times show.
    retold: tuple[Ending, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The frame in builtin types, for JSON."""
        made = {name: plain(getattr(self, name)) for name in _PLAIN if getattr(self, name)}
        made |= {name: getattr(self, name) for name in ("slot", "attempt", "sequence", "at")}
        for name in _SAMPLES:
            if (sample := getattr(self, name)).count:
                made[name] = sample.as_dict()
        if self.records:
            made["records"] = [each.as_dict() for each in self.records]
        if self.fanout != FanoutCounts():
            made["fanout"] = plain(self.fanout)
        return made

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Frame:
        """
        The frame that `as_dict` made this of.

        Raises:
            KeyError, TypeError, ValueError: for something missing or wrong.

        """
        values = dict(data)
        values["stable"] = tuple((int(first), int(last)) for first, last in values.get("stable", ()))
        values["rtt_counts"] = tuple(map(int, values.get("rtt_counts", ())))
        for name in ("endings", "retold"):
            values[name] = tuple(restore(Ending, each, name) for each in values.get(name, ()))
        values["returns"] = tuple(restore(Return, each, "returns") for each in values.get("returns", ()))
        for name in _SAMPLES:
            values[name] = Sample.from_dict(values[name]) if name in values else Sample()
        values["records"] = tuple(map(FleetRecord.from_dict, values.get("records", ())))
        if "fanout" in values:
            values["fanout"] = restore(FanoutCounts, values["fanout"], "fanout")
        return cls(**values)


_PLAIN = (
    "opened", "heartbeats_sent", "heartbeats_answered", "heartbeats_one_way", "heartbeats_missed", "messages",
    "rtt_counts", "backends", "subnets", "lag", "endings", "retold", "returns", "stable", "is_last",
    "cut_short", "failure",
)  # fmt: skip
_SAMPLES = ("rtts", "fanout_times")


def runs_of(numbers: Iterable[int], step: int) -> list[tuple[int, int]]:
    """Numbers as the first and last of each run with this step."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + step:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs

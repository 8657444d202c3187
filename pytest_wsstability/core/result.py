"""What a run of tests leaves behind: one result for each hold, and the run around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from .call_summary import CallSummary
from .fleet_summary import FleetRecord, FleetSummary
from .judge.requirement import Requirement
from .judge.verdict import Outcome, Verdict
from .plain import instant, plain, restore
from .redact import printable, redact_text, show_text
from .timeline.events import Tier
from .timeline.round_trips import RoundTrips
from .timeline.timeline import Timeline
from .transcript import TranscriptMessage

# Counted up when a reader of the old form would misread the new one.
SCHEMA = 2


class SchemaError(ValueError):
    """What was read is no report of this schema; said in one line that moves no cursor."""

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One connection, or a fleet of them, that was held to a requirement in a test."""

    nodeid: str
    # The target, secrets masked; empty where it is not known.
    url: str
    requirement: Requirement
    verdict: Verdict
    # The judged end first, then other ends of the same connection; empty if it did not open.
    timelines: tuple[Timeline, ...] = ()
    # Seconds of real time from the start of the session to the opening (in virtual time: to the verdict).
    started_at: float = 0.0
    # Counted from 1; more than 1 when a plugin ran the test again.
    attempt: int = 1
    # The xdist worker that ran it; empty without xdist.
    worker: str = ""
    # The test passed although the verdict is not stable: it asked for this end.
    expected: bool = False
    # Where the test stands: relative to the root directory, and counted from 1.
    path: str = ""
    line: int = 1
    # Many connections as one; None for a single one.
    fleet: FleetSummary | None = None
    # Whole records of some connections of a fleet; empty for a single one, whose record is above.
    records: tuple[FleetRecord, ...] = ()
    # What was spoken on it; None where nobody speaks.
    call: CallSummary | None = None
    # What was said, with payloads; empty unless somebody asked for it. No report has it but a HAR file.
    transcript: tuple[TranscriptMessage, ...] = ()

    @property
    def tier(self) -> Tier:
        """Real time or virtual time."""
        return self.verdict.tier

    @property
    def failed(self) -> bool:
        """Whether the verdict is not stable, and the test did not ask for that."""
        return self.verdict.outcome is not Outcome.STABLE and not self.expected

    @property
    def lifetime(self) -> tuple[float, bool] | None:
        """Seconds for which it was watched, and whether it then ended unplanned; None if it did not open."""
        if not self.timelines:
            return None
        first = self.timelines[0]
        return first.duration, first.close is not None and not first.close.planned

    @property
    def lifetimes(self) -> list[tuple[float, bool]]:
        """The same of each connection that opened, of a fleet too."""
        if self.fleet is not None:
            return self.fleet.lifetimes
        return [] if self.lifetime is None else [self.lifetime]

    @property
    def connections(self) -> int:
        """How many were to open."""
        return 1 if self.fleet is None else self.fleet.count.planned

    @property
    def abnormal_closures(self) -> int:
        """How many of them ended abnormally, and not by this end's plan."""
        if self.fleet is not None:
            return self.fleet.abnormal
        close = self.timelines[0].close if self.timelines else None
        return int(close is not None and close.abnormal and not close.planned)

    @property
    def heartbeats(self) -> RoundTrips:
        """The heartbeats that the judged end saw."""
        return self.timelines[0].heartbeats if self.timelines else RoundTrips()

    @property
    def heartbeats_due(self) -> int:
        """How many were to be answered: by some protocols none is."""
        if self.fleet is not None:
            return self.fleet.heartbeats_sent - self.fleet.heartbeats_one_way
        return 0 if self.is_one_way else self.heartbeats.sent

    @property
    def is_one_way(self) -> bool:
        """Whether no answer is ever due to the heartbeats that the judged end saw."""
        return bool(self.timelines) and self.timelines[0].is_one_way

    @property
    def missed_heartbeats(self) -> int:
        """How many were not answered in the time that the requirement gives them."""
        if self.fleet is not None:
            return self.fleet.heartbeats_missed
        within = self.requirement.answer_within
        if within is None or not self.timelines:
            return 0
        return self.heartbeats.missed(self.timelines[0].duration, within)

    @property
    def round_trips(self) -> RoundTrips:
        """Heartbeats, or pings where no heartbeat was answered: what the round trip times are of."""
        if not self.timelines or self.heartbeats.answered:
            return self.heartbeats
        return self.timelines[0].pings

    def as_dict(self, *, events: bool = True, payloads: bool = False) -> dict[str, Any]:
        """
        The result in exact builtin types, as ``report/schema.json`` says.

        Args:
            events: whether events are in it.
            payloads: whether the transcript is in it, for the way from a worker to its controller.

        """
        shown = None if events else ()
        said = {"transcript": [each.as_list() for each in self.transcript]} if payloads else {}
        return {
            **said,
            "schema": SCHEMA,
            "nodeid": str(self.nodeid),
            "url": str(self.url),
            "requirement": plain(self.requirement),
            "verdict": {**plain(self.verdict), "headline": redact_text(self.verdict.headline)},
            "timelines": [timeline.as_dict(shown) for timeline in self.timelines],
            "started_at": round(float(self.started_at), 3),
            "attempt": int(self.attempt),
            "worker": str(self.worker),
            "expected": bool(self.expected),
            "path": str(self.path),
            "line": int(self.line),
            "fleet": plain(self.fleet),
            "records": [each.as_dict(shown) for each in self.records],
            "call": plain(self.call),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "result") -> Result:
        """
        The result that `as_dict` made this of.

        Raises:
            SchemaError: for another schema, or for something missing or wrong, naming it.

        """
        check_schema(data, where)
        with _of_the_schema(where):
            return cls(
                nodeid=restore(str, data["nodeid"], f"{where}.nodeid"),
                url=restore(str, data["url"], f"{where}.url"),
                requirement=restore(Requirement, data["requirement"], f"{where}.requirement"),
                verdict=_verdict(data["verdict"], f"{where}.verdict"),
                timelines=tuple(
                    Timeline.from_dict(each, f"{where}.timelines[{index}]")
                    for index, each in enumerate(data["timelines"])
                ),
                started_at=instant(data["started_at"], f"{where}.started_at"),
                attempt=restore(int, data["attempt"], f"{where}.attempt"),
                worker=restore(str, data["worker"], f"{where}.worker"),
                expected=restore(bool, data["expected"], f"{where}.expected"),
                path=restore(str, data["path"], f"{where}.path"),
                line=restore(int, data["line"], f"{where}.line"),
                fleet=restore(FleetSummary | None, data.get("fleet"), f"{where}.fleet"),
                records=tuple(
                    FleetRecord.from_dict(each, f"{where}.records[{index}]")
                    for index, each in enumerate(data.get("records", ()))
                ),
                call=restore(CallSummary | None, data.get("call"), f"{where}.call"),
                transcript=tuple(TranscriptMessage.from_list(each) for each in data.get("transcript", ())),
            )


@contextmanager
def _of_the_schema(where: str) -> Iterator[None]:
    """Say of what is missing or wrong that it is none of this schema."""
    try:
        yield
    except KeyError as exc:
        raise SchemaError(f"{where}: {exc.args[0]!r} is missing") from None
    except (TypeError, ValueError, AttributeError, OverflowError) as exc:
        raise SchemaError(str(exc)) from None


def _verdict(data: Any, where: str) -> Verdict:
    """A verdict that names why: every table tells the first of its violations or doubts."""
    verdict: Verdict = restore(Verdict, data, where)
    if verdict.outcome is Outcome.UNSTABLE and not verdict.violations:
        raise ValueError(f"{where}: it is unstable and names no violation")
    if verdict.outcome is Outcome.INCONCLUSIVE and not verdict.doubts:
        raise ValueError(f"{where}: it is inconclusive and names no doubt")
    return verdict


def check_schema(data: Any, where: str) -> None:
    """
    See that something is a report of this schema.

    Raises:
        SchemaError: if it is not, naming the schema it has.

    """
    if not isinstance(data, Mapping) or "schema" not in data:
        raise SchemaError(f"{where}: this is no report of pytest-wsstability")
    if data["schema"] != SCHEMA:
        raise SchemaError(
            f"{where}: its schema is {show_text(repr(data['schema']))}, and this version reads {SCHEMA}: "
            "make it anew by another run, or read it with the version of pytest-wsstability that wrote it"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of tests: its results and what was said about them as a whole."""

    # When it began: ISO 8601 in UTC, such as "2026-11-24T02:00:00Z".
    started: str
    # What made it: "pytest-wsstability 0.1.0".
    tool: str
    # Interpreter and operating system: "CPython 3.11.7, Linux x86_64".
    machine: str
    results: tuple[Result, ...] = ()
    # A line for each gate that failed and for each regression.
    complaints: tuple[str, ...] = ()
    # A line for each gate that held.
    passed: tuple[str, ...] = ()
    # What the results mean together, a line each: what a probe found.
    notes: tuple[str, ...] = ()
    # The runs that it was merged of; empty for one run. No file has them.
    nights: tuple[Run, ...] = ()

    def as_dict(self, *, events: bool = True) -> dict[str, Any]:
        """The run in exact builtin types, as ``report/schema.json`` describes it."""
        return {
            "schema": SCHEMA,
            "started": str(self.started),
            "tool": str(self.tool),
            "machine": str(self.machine),
            "complaints": [str(line) for line in self.complaints],
            "passed": [str(line) for line in self.passed],
            "notes": [str(line) for line in self.notes],
            "results": [result.as_dict(events=events) for result in self.results],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "report") -> Run:
        """
        The run that `as_dict` made this of.

        Raises:
            SchemaError: for another schema, or for something missing or wrong, naming it.

        """
        check_schema(data, where)
        with _of_the_schema(where):
            return cls(
                started=restore(str, data["started"], f"{where}.started"),
                tool=restore(str, data["tool"], f"{where}.tool"),
                machine=restore(str, data["machine"], f"{where}.machine"),
                complaints=restore(tuple[str, ...], data["complaints"], f"{where}.complaints"),
                passed=restore(tuple[str, ...], data.get("passed", []), f"{where}.passed"),
                notes=restore(tuple[str, ...], data.get("notes", []), f"{where}.notes"),
                results=tuple(
                    Result.from_dict(each, f"{where}.results[{index}]")
                    for index, each in enumerate(data["results"])
                ),
            )

"""
The timelines of a run, a line each event: written while holds run, so that a crash costs a second.

Lines are objects with a ``record``: ``run`` first; ``hold`` for each connection, with a number of its
own; ``event`` for what happened on it, a row as in the JSON file; ``traffic`` for the frames and bytes so
far, data frames included; ``tick`` about once a second, up to when all open ones were watched; ``close`` for
how one ended; ``result`` at the end of its test, the whole result as in the JSON file; ``dropped`` for one
that nobody judged; ``complaint`` for each gate and regression; ``note`` for what the results mean together;
``end`` when the run is over.

"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..core.judge.requirement import Requirement
from ..core.judge.rules import judge
from ..core.plain import instant, plain, restore, word
from ..core.redact import show_text
from ..core.result import SCHEMA, Result, Run, SchemaError, check_schema
from ..core.timeline.close import CloseEvidence
from ..core.timeline.events import Direction, End, Event, EventKind, Tier
from ..core.timeline.recorder import Packed
from ..core.timeline.recorder import event_of as event_of_packed
from ..core.timeline.rows import event_of, masked, row
from ..core.timeline.timeline import Timeline
from .door import loads
from .json_file import dump

# The last line, without which a run was cut short.
END = '{"record":"end"}'


def render(run: Run) -> str:
    """The whole run at once, as it would have been written in the course of it."""
    lines = [run_line(run)]
    for number, result in enumerate(run.results, 1):
        lines += finished_lines(number, result)
    lines += [*(complaint_line(text) for text in run.complaints), *map(note_line, run.notes), END]
    return "".join(f"{line}\n" for line in lines)


def run_line(run: Run) -> str:
    """The first line."""
    head = {"started": run.started, "tool": run.tool, "machine": run.machine}
    return dump({"schema": SCHEMA, "record": "run", **head})


def hold_line(
    number: int, *, nodeid: str, url: str, requirement: Requirement, timeline: Timeline, opened_at: float
) -> str:
    """A connection has opened that may be held; ``opened_at`` is on the clock of the ticks."""
    what = {"nodeid": nodeid, "url": url, "requirement": plain(requirement), "opened_at": round(opened_at, 3)}
    ends = {"end": timeline.end.value, "tier": timeline.tier.value}
    return dump({"record": "hold", "hold": number, **what, **ends})


def event_lines(number: int, records: Iterable[Packed]) -> list[str]:
    """
    What happened on a connection, a line each, straight from packed records.

    This is what a recording writes all the time. An object and a `dump` for each event took a fifth of
    what the holds take themselves (measured).

    """
    start = f'{{"record":"event","hold":{number},"event":['
    return [f"{start}{at:.6f}{_rest_of_row(what)}" for at, what in records]


@lru_cache(4096)
def _rest_of_row(what: bytes) -> str:
    """What stands behind the instant: the same for each heartbeat."""
    return f"{dump(row(event_of_packed((0.0, what)))).removeprefix('[0.0')}}}"


def traffic_line(number: int, timeline: Timeline) -> str:
    """How many frames and bytes there were so far, either way."""
    ways = {
        word(way): [timeline.count(way), timeline.bytes(way)] for way in (Direction.SENT, Direction.RECEIVED)
    }
    return dump({"record": "traffic", "hold": number, "at": round(timeline.duration, 6), **ways})


def tick_line(at: float) -> str:
    """Every open connection was watched until now: seconds since the start of the session."""
    return dump({"record": "tick", "at": round(at, 3)})


def dropped_line(number: int) -> str:
    """The test of a connection is over, and nobody has judged it."""
    return dump({"record": "dropped", "hold": number})


def close_line(number: int, close: CloseEvidence) -> str:
    """A connection has ended."""
    return dump({"record": "close", "hold": number, "close": plain(masked(close))})


def result_line(number: int, result: Result) -> str:
    """A test is over, and so is what it held."""
    return dump({"record": "result", "hold": number, "result": result.as_dict()})


def complaint_line(text: str) -> str:
    """What was said about the run as a whole."""
    return dump({"record": "complaint", "text": text})


def note_line(text: str) -> str:
    """What the results mean together."""
    return dump({"record": "note", "text": text})


def finished_lines(number: int, result: Result) -> Iterator[str]:
    """Everything about a hold that nobody wrote down while it ran."""
    for timeline in result.timelines[:1]:
        yield hold_line(
            number,
            nodeid=result.nodeid,
            url=result.url,
            requirement=result.requirement,
            timeline=timeline,
            opened_at=result.started_at,
        )
        for event in timeline:
            yield dump({"record": "event", "hold": number, "event": row(event)})
    yield result_line(number, result)


# Reading.

_HEAD = ("started", "tool", "machine")


@dataclass
class _Hold:
    """What a file says about a connection that has no result yet."""

    head: Mapping[str, Any]
    events: list[Event] = field(default_factory=list)
    close: CloseEvidence | None = None
    watched: float = 0.0

    def result(self, where: str) -> Result:
        """The hold as far as it was written down: judged by what is there."""
        head = self.head
        requirement: Requirement = restore(Requirement, head["requirement"], f"{where}.requirement")
        end, tier = (restore(kind, head[kind.__name__.lower()], where) for kind in (End, Tier))
        timeline = Timeline(end, tier)
        for event in self.events:
            if event.kind is EventKind.FRAME:
                timeline.frame(event.at, event.direction, event.opcode, event.size, event.role)
            elif event.fault is not None:
                timeline.fault_applied(event.at, event.fault)
            elif event.kind not in (EventKind.OPENED, EventKind.ENDED):
                timeline.mark(event.at, event.kind, event.seconds)
        timeline.observe(self.watched)
        if self.close is not None:
            timeline.over(self.close.at, self.close)
        return Result(
            nodeid=restore(str, head["nodeid"], where),
            url=restore(str, head["url"], where),
            requirement=requirement,
            verdict=judge(requirement, timeline),
            timelines=(timeline,),
            started_at=instant(head["opened_at"], where),
        )


def parse(lines: Iterable[str], where: str) -> Run:
    """
    The run that was written down in lines, those of a run that was killed included.

    A hold without a result is judged by what is there: inconclusive while it was open. A last line
    that was cut short is left out.

    Raises:
        SchemaError: for another schema, or for a line that is none of ours, naming it.

    """
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    head: Mapping[str, Any] = {}
    holds: dict[int, _Hold] = {}
    results: list[Result] = []
    texts: dict[str, list[str]] = {"complaint": [], "note": []}
    for number, line in numbered:
        here = f"{where}, line {number}"
        try:
            data = loads(line)
        except ValueError:
            if number == numbered[-1][0] and not line.endswith("\n"):
                break
            raise SchemaError(f"{here}: this is no JSON") from None
        if not head:
            check_schema(data, where)
            head = data
            continue
        try:
            _take(data, here, holds, results, texts)
        except (KeyError, TypeError, AttributeError, OverflowError) as exc:
            raise SchemaError(f"{here}: {show_text(str(exc))} is missing or wrong") from None
        except ValueError as exc:
            raise SchemaError(str(exc)) from None
    if not head:
        raise SchemaError(f"{where}: this is no report of pytest-wsstability")
    try:
        results += [hold.result(f"{where}, hold {number}") for number, hold in sorted(holds.items())]
        heads = {name: restore(str, head.get(name), f"{where}.{name}") for name in _HEAD}
    except (KeyError, TypeError, ValueError) as exc:
        raise SchemaError(str(exc)) from None
    return Run(
        **heads,
        results=tuple(results),
        complaints=tuple(texts["complaint"]),
        notes=tuple(texts["note"]),
    )


def _take(
    data: Mapping[str, Any],
    here: str,
    holds: dict[int, _Hold],
    results: list[Result],
    texts: dict[str, list[str]],
) -> None:
    record = data["record"]
    if record == "hold":
        holds[data["hold"]] = _Hold(data)
    elif record == "event":
        holds[data["hold"]].events.append(event_of(data["event"], here))
    elif record == "close":
        holds[data["hold"]].close = CloseEvidence.from_dict(data["close"], f"{here}.close")
    elif record == "tick":
        for hold in holds.values():
            hold.watched = data["at"] - hold.head["opened_at"]
    elif record == "traffic":
        # The counters of a connection stand in its result; before that, they are for people.
        holds[data["hold"]]
    elif record == "dropped":
        del holds[data["hold"]]
    elif record == "result":
        holds.pop(data["hold"], None)
        results.append(Result.from_dict(data["result"], here))
    elif record in texts:
        texts[record].append(restore(str, data["text"], here))
    elif record == "end":
        # Whoever finds it knows that nothing is missing.
        return
    else:
        raise SchemaError(f"{here}: there is no record {show_text(repr(record))}")

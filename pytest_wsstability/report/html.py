"""The HTML report: one file that opens without a network, for people who look at what happened."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from ..core.cause import Blame
from ..core.duration import show_duration as show
from ..core.judge.verdict import Outcome
from ..core.redact import redact_text, show_text
from ..core.result import Result, Run
from ..core.statistics.trend import PastRun, Trend, trends
from ..core.timeline.events import Tier
from . import calls
from .cells import cells, rank, split_name, totals, verdict_word
from .charts import Trip, charts, round_trips_text, survival_text, trips_of
from .extras import MissingExtra
from .fleets import section
from .groups import Group, by_cause
from .lanes import drawn

# Groups of a table that has more rows are folded together; a table shows so many groups before it is asked.
_OPEN_ROWS = 20
_GROUPS = 10
# Tests of the trend that are shown before it is asked.
_TRENDS = 8
_NIGHTS = 30
# Where a long name may be broken: behind what joins its words.
_JOINTS = re.compile(r"([_/:.,=\[-])(?=\w)")
_SIGNS = {Outcome.STABLE: "✓", Outcome.INCONCLUSIVE: "?", Outcome.UNSTABLE: "✗", None: "·"}


def check() -> None:
    """
    See that a report can be written, before a long run starts.

    Raises:
        MissingExtra: if jinja2 is not installed, naming the extra.

    """
    try:
        import jinja2  # noqa: F401
    except ImportError:
        raise MissingExtra("an HTML report needs jinja2: pip install 'pytest-wsstability[report]'") from None


def render(run: Run) -> str:
    """
    The report of a run as HTML; of several runs that were merged, with a trend for each test.

    Whatever a server sent (close reasons, headers, messages) is escaped by the template or put in as
    text by the script; the page's policy allows no other script than its own, and no request.

    Raises:
        MissingExtra: if jinja2 is not installed.

    """
    check()
    from jinja2 import Environment
    from markupsafe import Markup

    by_tier = {tier: by_cause(each for each in run.results if each.tier is tier) for tier in Tier}
    ordered = [result for groups in by_tier.values() for result in _results(groups)]
    number = {id(result): row for row, result in enumerate(ordered)}
    lanes, rtts = zip(*(drawn(result.timelines) for result in ordered), strict=True) if ordered else ((), ())
    trips = {
        tier: trips_of({number[id(each)]: rtts[number[id(each)]] for each in _results(groups)})
        for tier, groups in by_tier.items()
    }
    counts = Counter(verdict_word(result).lower() for result in ordered)
    # The licence asks that its text goes with the script.
    uplot = f"/* {_file('uplot/LICENSE')} */\n{_file('uplot/uPlot.iife.min.js')}"
    style = f"{_file('uplot/uPlot.min.css')}\n{_file('report.css')}"
    script = _file("report.js")
    links = _permalinks(ordered)
    environment = Environment(autoescape=True)
    environment.filters["breakable"] = _breakable
    return environment.from_string(_file("report.html.j2")).render(
        run=_shown(run),
        policy=_policy([uplot, script], [style]),
        summary=_summary(counts),
        words=[(word, counts[word]) for word in _WORDS if counts[word]],
        tiers=[
            _tier(run, tier, groups, trips[tier], number, links) for tier, groups in by_tier.items() if groups
        ],
        total=len(ordered),
        fleets=[section(result) for result in ordered if result.fleet is not None],
        calls=[calls.section(result) for result in ordered if result.call is not None],
        trends=_trends(run),
        data={
            "holds": [_detail(result, own) for result, own in zip(ordered, lanes, strict=True)],
            "charts": [charts(_results(groups), trips[tier]) for tier, groups in by_tier.items() if groups],
        },
        style=Markup(style),
        uplot=Markup(uplot),
        script=Markup(script),
    )


def _shown(run: Run) -> Run:
    """What a file says of a run, for a page: printable, whoever wrote the file."""
    return dataclasses.replace(
        run,
        started=show_text(run.started),
        tool=show_text(run.tool),
        machine=show_text(run.machine),
        complaints=tuple(show_text(text, 500) for text in run.complaints),
        passed=tuple(show_text(text, 500) for text in run.passed),
        notes=tuple(show_text(text, 1000) for text in run.notes),
    )


_WORDS = ("unstable", "inconclusive", "stable", "expected")


def _breakable(text: str) -> Any:
    """Text that may be broken between its words, and in none of them."""
    from markupsafe import Markup, escape

    # Escaped, it has entities: none of them has a joint within.
    return Markup(_JOINTS.sub(r"\1<wbr>", str(escape(text))))


def _file(name: str) -> str:
    return resources.files(__package__).joinpath("page", name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """Only these, by their digests (Content Security Policy, section 6.7): nothing from elsewhere."""
    return (
        f"default-src 'none'; script-src {' '.join(map(_digest, scripts))}; "
        f"style-src {' '.join(map(_digest, styles))}; img-src data:"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _summary(counts: Counter[str]) -> str:
    parts = [f"{counts[word]} {_AS_EXPECTED.get(word, word)}" for word in _WORDS if counts[word]]
    return ", ".join(parts) or "nothing was held"


_AS_EXPECTED = {"expected": "ended as expected"}


# The tables.


def _results(groups: Sequence[Group]) -> list[Result]:
    return [result for group in groups for result in group.results]


def _tier(
    run: Run,
    tier: Tier,
    groups: Sequence[Group],
    trips: Sequence[Trip],
    number: dict[int, int],
    links: Sequence[str],
) -> dict[str, Any]:
    results = _results(groups)
    targets = {cells(result).target for result in results}
    folded = len(results) > _OPEN_ROWS
    return {
        "name": tier.value,
        "total": totals(run.results, tier),
        # Of one target it is enough to say it once.
        "target": next(iter(targets)) if len(targets) == 1 else "",
        "survival_text": survival_text(results),
        "rtts_text": round_trips_text(trips, results),
        "folded": folded,
        "more": max(0, len(groups) - _GROUPS) if folded else 0,
        "groups": [
            {
                "verdict": group.verdict,
                "outcome": group.outcome.value,
                "cause": group.cause,
                "count": len(group.results),
                "late": folded and place >= _GROUPS,
                "holds": [
                    _row(result, number[id(result)], links, len(targets) > 1) for result in group.results
                ],
            }
            for place, group in enumerate(groups)
        ],
    }


def _row(result: Result, number: int, links: Sequence[str], show_target: bool) -> dict[str, Any]:
    row = cells(result)
    path, test = split_name(row.test)
    rtts = result.round_trips.rtts
    return {
        **dataclasses.asdict(row),
        "test": test,
        "where": " · ".join(filter(None, [path, row.target if show_target else ""])),
        "word": row.verdict.lower(),
        "outcome": result.verdict.outcome.value,
        "number": number,
        "id": links[number],
        # What the columns are sorted by.
        "keys": {
            "test": row.test,
            "held": round(result.verdict.horizon, 3),
            "heartbeats": result.missed_heartbeats,
            "rtt": round(rtts.quantile(0.95), 6) if rtts.count else -1,
            "close": row.close,
            "cause": row.cause,
        },
    }


def _permalinks(results: Sequence[Result]) -> list[str]:
    """A name for each hold in the page, the same however often and in whatever order a run is rendered."""
    seen: Counter[str] = Counter()
    names = []
    for result in results:
        named = f"{result.tier.name} {result.nodeid} {result.attempt} {result.url}"
        seen[named] += 1
        names.append(f"hold-{hashlib.sha256(f'{named} {seen[named]}'.encode()).hexdigest()[:10]}")
    return names


def _detail(result: Result, lanes: Sequence[str]) -> dict[str, Any]:
    first = result.timelines[0].opened if result.timelines else 0.0
    found = result.verdict.diagnosis
    return {
        "within": result.requirement.answer_within,
        "alive": result.requirement.alive_for,
        "blame": found.blame.value if found is not None and found.blame is not Blame.NOBODY else None,
        "facts": [[name, redact_text(text)] for name, text in _facts(result)],
        "lanes": [
            {
                "end": each.end.value,
                # On the clock of the first.
                "offset": round(each.opened - first, 3),
                "age": round(each.duration, 3),
                "close": None if each.close is None else str(each.close.code),
                "events": lane,
            }
            for each, lane in zip(result.timelines, lanes, strict=True)
        ],
    }


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    """What the failure says, in parts: why and what to change before what was promised."""
    verdict, diagnosis = result.verdict, result.verdict.diagnosis
    if diagnosis is not None:
        yield "likely", f"{diagnosis.sentence} (confidence {diagnosis.confidence.value})"
        yield "blame", diagnosis.blame.value
        if diagnosis.remedy is not None:
            yield "fix", diagnosis.remedy
    for violation in verdict.violations:
        yield "expected", violation.expected
        yield "observed", violation.observed
    for doubt in verdict.doubts:
        yield "in doubt", doubt.text
    yield from ((note.noted.value, note.text) for note in verdict.notes)
    for each in result.timelines:
        if each.close is not None:
            yield f"{each.end.value} end", str(each.close)
    if diagnosis is not None:
        yield from (("evidence", each.text) for each in diagnosis.evidence)
        yield from (("not", each.text) for each in diagnosis.ruled_out)
        if diagnosis.runner_up is not None:
            yield "runner-up", "; ".join(filter(None, [diagnosis.runner_up.value, diagnosis.experiment]))
        yield from (("hypothesis", each.text) for each in diagnosis.hypotheses)
    yield "covered", f"{show(verdict.horizon)} in {verdict.tier.value}"
    if result.path:
        yield "test", f"{result.path}:{result.line}"


# Several nights.


def _trends(run: Run) -> dict[str, Any] | None:
    if not run.nights:
        return None
    nights = run.nights[-_NIGHTS:]
    found = sorted(trends(nights), key=lambda each: (rank(each.worst), each.nodeid))
    return {
        "count": len(nights),
        "first": _day(nights[0].started),
        "last": _day(nights[-1].started),
        "rows": [_trend(each) for each in found],
        "more": max(0, len(found) - _TRENDS),
        "shown": _TRENDS,
    }


def _trend(trend: Trend) -> dict[str, Any]:
    latest = next(night for night in reversed(trend.nights) if night.outcome is not None)
    path, test = split_name(trend.nodeid)
    return {
        "test": test,
        "where": path,
        "nights": [
            {"sign": _SIGNS[night.outcome], "word": _outcome(night), "text": _night(night)}
            for night in trend.nights
        ],
        "p95": show(latest.p95) if latest.p95 is not None else "-",
        "line": _line([night.p95 for night in trend.nights]),
        "missed": sum(night.missed for night in trend.nights),
        "missed_by_night": ", ".join(
            "-" if night.outcome is None else str(night.missed) for night in trend.nights
        ),
    }


def _day(started: str) -> str:
    """``2026-11-24 02:00`` of ISO 8601."""
    return show_text(started[:16].replace("T", " "))


def _outcome(night: PastRun) -> str:
    return night.outcome.value if night.outcome is not None else "absent"


def _night(night: PastRun) -> str:
    """``2026-11-24T02:00:00Z: unstable, idle timeout 60 s (1006 at 60 s of 120 s); p95 0.4 ms; 2 missed``."""
    if night.outcome is None:
        return f"{night.started}: not run"
    parts = [f"{night.started}: {', '.join(filter(None, [night.outcome.value, night.cause]))}"]
    if night.p95 is not None:
        parts.append(f"p95 {show(night.p95)}")
    parts.append(f"{night.missed} missed")
    return show_text("; ".join(parts), 300)


def _line(values: Sequence[float | None]) -> str:
    """The path of a line in a box of 100 by 20, broken where there is nothing; none without two points."""
    there = [value for value in values if value is not None]
    if len(there) < 2:
        return ""
    top = max(there)
    path, pen = "", "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        y = 18 - 16 * value / top if top else 18
        path += f"{pen}{100 * place / (len(values) - 1):.1f} {y:.1f}"
        pen = "L"
    return path

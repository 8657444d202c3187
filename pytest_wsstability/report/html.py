"""The HTML report: one file that opens without a network, for people who look at what happened."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from typing import Any

from ..core.duration import show_duration as show
from ..core.judge.verdict import Outcome
from ..core.redact import redact_text
from ..core.result import Result, Run
from ..core.statistics.survival import survival
from ..core.timeline.events import Tier
from .cells import cells, totals, worst_first
from .lanes import lane, round_trips

# More points than a chart has pixels say nothing more.
_POINTS = 20_000
_ORDER = (Outcome.UNSTABLE, Outcome.INCONCLUSIVE, Outcome.STABLE)


class MissingExtra(RuntimeError):
    """What the HTML report is written with is not installed."""


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
    The report of a run as HTML.

    Whatever a server sent (close reasons, headers, messages) is escaped by the template or put in as
    text by the script; the page's policy allows no other script than its own, and no request.

    Raises:
        MissingExtra: if jinja2 is not installed.

    """
    check()
    from jinja2 import Environment
    from markupsafe import Markup

    results = worst_first(run.results)
    counts = Counter(result.verdict.outcome for result in results)
    points = _points(results)
    steps = survival(_lifetimes(results))
    # The licence asks that its text goes with the script.
    uplot = f"/* {_file('uplot/LICENSE')} */\n{_file('uplot/uPlot.iife.min.js')}"
    style = f"{_file('uplot/uPlot.min.css')}\n{_file('report.css')}"
    script = _file("report.js")
    template = Environment(autoescape=True).from_string(_file("report.html.j2"))
    return template.render(
        run=run,
        policy=_policy([uplot, script], [style]),
        summary=_summary(counts),
        horizons=[f"{tier.value}: {text}" for tier in Tier if (text := totals(results, tier))],
        outcomes=[(each.value, counts[each]) for each in _ORDER if counts[each]],
        holds=[_row(result) for result in results],
        survival_text=_survival_text(results, steps),
        rtts_text=f"{len(points)} round trips of heartbeats" if points else "no round trip was recorded",
        data={
            "holds": [_detail(result) for result in results],
            "survival": _curve(results, steps),
            "rtts": [[at for at, _ in points], [round(rtt * 1000, 3) for _, rtt in points]],
        },
        style=Markup(style),
        uplot=Markup(uplot),
        script=Markup(script),
    )


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


def _summary(counts: Counter[Outcome]) -> str:
    parts = [f"{counts[outcome]} {outcome.value}" for outcome in _ORDER if counts[outcome]]
    return ", ".join(parts) or "nothing was held"


def _row(result: Result) -> dict[str, str]:
    row = cells(result)
    path, _, test = row.test.rpartition("::")
    return {
        **dataclasses.asdict(row),
        "test": test,
        "where": " · ".join(filter(None, [path, row.target])),
        "outcome": result.verdict.outcome.value,
    }


def _detail(result: Result) -> dict[str, Any]:
    return {
        "within": result.requirement.answer_within,
        "facts": [[name, redact_text(text)] for name, text in _facts(result)],
        "lanes": [
            {"end": each.end.value, "age": round(each.duration, 3), "events": lane(each)}
            for each in result.timelines
        ],
    }


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    """What the failure says, in parts."""
    verdict, diagnosis = result.verdict, result.verdict.diagnosis
    for violation in verdict.violations:
        yield "expected", violation.expected
        yield "observed", violation.observed
    for doubt in verdict.doubts:
        yield "in doubt", doubt.text
    for each in result.timelines:
        if each.close is not None:
            yield f"{each.end.value} end", str(each.close)
    if diagnosis is not None:
        yield "likely", str(diagnosis)
        yield from (("evidence", each.text) for each in diagnosis.evidence)
        yield from (("not", each.text) for each in diagnosis.ruled_out)
        if diagnosis.runner_up is not None:
            yield "runner-up", "; ".join(filter(None, [diagnosis.runner_up.value, diagnosis.experiment]))
        if diagnosis.remedy is not None:
            yield "fix", diagnosis.remedy
        yield from (("hypothesis", each.text) for each in diagnosis.hypotheses)
    yield "covered", f"{show(verdict.horizon)} in {verdict.tier.value}; nothing is known beyond"


# Charts.


def _lifetimes(results: Sequence[Result]) -> list[tuple[float, bool]]:
    """How long each connection was watched, and whether it ended unplanned."""
    return [result.lifetime for result in results if result.lifetime is not None]


def _curve(results: Sequence[Result], steps: Sequence[tuple[float, float]]) -> list[list[float]]:
    """The survival curve from the opening to the longest look, as uPlot takes it: ages, then shares."""
    longest = max((age for age, _ in _lifetimes(results)), default=None)
    if longest is None:
        return [[], []]
    points = [(0.0, 1.0), *steps, (longest, steps[-1][1] if steps else 1.0)]
    return [[round(age, 3) for age, _ in points], [round(share, 6) for _, share in points]]


def _survival_text(results: Sequence[Result], steps: Sequence[tuple[float, float]]) -> str:
    lifetimes = _lifetimes(results)
    if not lifetimes:
        return "no connection was opened"
    lost = sum(ended for _, ended in lifetimes)
    text = f"{lost} of {len(lifetimes)} connections ended unplanned"
    if steps:
        text += f"; {steps[-1][1]:.1%} were still up after {show(steps[-1][0])}"
    return text


def _points(results: Sequence[Result]) -> list[tuple[float, float]]:
    """Round trips of all connections by age, thinned out where they are too many."""
    found = sorted(
        pair for result in results if result.timelines for pair in round_trips(result.timelines[0])
    )
    step = -(-len(found) // _POINTS) or 1
    # The slowest of each bunch: what is thinned out must not be what matters.
    bunches = (found[start : start + step] for start in range(0, len(found), step))
    return [max(bunch, key=lambda pair: pair[1]) for bunch in bunches]

"""The summary of a CI job: a table, and the failures folded away below it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ..core.fleet.failure import explain_fleet
from ..core.fleet_summary import FleetRecord
from ..core.judge.verdict import Noted
from ..core.message import explain
from ..core.message.strip import strips
from ..core.result import Result, Run
from ..core.timeline.events import Tier
from ..core.voice.failure import explain_call
from .cells import Cells, cells, totals, worst_first

# GitHub refuses more than 1,024 KiB a step, and nobody reads a tenth of that.
_FAILURES = 20
_ROWS = 200
_DETAIL = 20_000
# So many connections of a fleet are drawn of each cause, and of the stable ones.
_DRAWN = 3
_HEAD = ("verdict", "cause", "test", "held")
# What means something in Markdown or HTML: the text is a peer's, and may be hostile. Of a link, the colon.
_SPECIAL = re.compile(r"[\\`*\[\]#|<>&~@$]|:(?=//)")


def render(run: Run) -> str:
    """The run as Markdown, for ``GITHUB_STEP_SUMMARY`` for one."""
    return "\n".join(_lines(run)) + "\n"


def escape(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no link, no mention, one line."""
    flat = "".join(char if char.isprintable() else "?" for char in " ".join(text.split()))
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", flat)


def _lines(run: Run) -> Iterator[str]:
    yield "## WebSocket stability"
    yield ""
    for tier in Tier:
        if (total := totals(run.results, tier)) is not None:
            yield f"- **{tier.value}**: {total}"
    if not run.results:
        yield "- no connection was held"
    yield from (f"- ❌ {escape(complaint)}" for complaint in run.complaints)
    yield from (f"- {escape(line)}" for line in run.notes)
    yield from (f"- ✅ {escape(line)}" for line in run.passed)
    ordered = worst_first(run.results)
    for tier in Tier:
        yield from _table(tier, [result for result in ordered if result.tier is tier])
    failures = [result for result in ordered if result.failed]
    for result in failures[:_FAILURES]:
        yield from _details(result)
    if len(failures) > _FAILURES:
        yield f"\nand {len(failures) - _FAILURES} more failures\n"
    yield f"\n<sub>{escape(run.tool)}, {escape(run.started)}, {escape(run.machine)}</sub>"


def _table(tier: Tier, results: list[Result]) -> Iterator[str]:
    if not results:
        return
    yield f"\n### {tier.value.capitalize()}\n"
    targets = dict.fromkeys(cells(result).target for result in results)
    yield f"{escape(', '.join(targets))}\n"
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|{'---|' * len(_HEAD)}"
    for result in results[:_ROWS]:
        yield f"| {' | '.join(_columns(cells(result)))} |"
    if len(results) > _ROWS:
        yield f"\nand {len(results) - _ROWS} more"


def _columns(row: Cells) -> list[str]:
    proof = row.heartbeats if row.heartbeats == Noted.PROOF.value else ""
    why = "; ".join(filter(None, [row.cause, row.note, proof]))
    return [escape(text) for text in (row.verdict, why, row.test, row.held)]


def _details(result: Result) -> Iterator[str]:
    """The whole story of a failure. Indented, so that nothing in it can end a fence."""
    row = cells(result)
    yield f"\n<details><summary>{escape(row.test)}: {escape(row.cause)}</summary>\n"
    text = ""
    if result.fleet is not None:
        text = "\n".join([explain_fleet(result.verdict, result.fleet), *_records(result.records)])
    elif result.call is not None:
        text = explain_call(result.verdict, result.timelines, result.call)
    elif result.timelines:
        text = explain(result.verdict, result.timelines)
    yield from (f"    {line}" for line in text[:_DETAIL].splitlines())
    yield "\n</details>"


def _records(kept: Sequence[FleetRecord]) -> Iterator[str]:
    """The last minute of some connections kept whole: the first ones of each cause, and stable ones."""
    drawn: Counter[str] = Counter()
    for record in kept:
        drawn[record.cause] += 1
        if drawn[record.cause] <= _DRAWN:
            yield f"  kept      connection {record.number}, {record.cause or 'stable'}"
            yield from strips([record.timeline])

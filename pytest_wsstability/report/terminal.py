"""The summary at the end of a run: the worst first, in at most 100 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..core.diagnosis.together import together
from ..core.message.wrap import wrapped
from ..core.result import Result, Run
from ..core.timeline.events import Tier
from .cells import Cells, cells, totals, worst_first

WIDTH = 100
# More rows than this are no summary any more.
_ROWS = 40
_HEAD = ("verdict", "held", "heartbeats", "rtt p50", "p95", "max", "close")
_COLOURS = {"stable": "green", "UNSTABLE": "red", "INCONCLUSIVE": "yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the summary and its colour, a name of pytest's terminal writer; empty for none."""

    text: str
    colour: str = ""


def is_quiet(run: Run) -> bool:
    """Whether a line a tier says it all: nothing failed, and no real time was spent."""
    return not any(result.failed or result.tier is Tier.REAL for result in run.results)


def summary(run: Run, *, width: int = WIDTH, everything: bool = False) -> list[Line]:
    """
    The lines of the summary.

    Args:
        run: what to show; its complaints come last.
        width: columns there are; `WIDTH` at most are used.
        everything: rows for stable holds in virtual time and for expected ends, too.

    """
    width = min(width, WIDTH)
    shown = [
        result
        for result in worst_first(run.results)
        if everything or result.failed or (result.tier is Tier.REAL and not result.expected)
    ]
    lines: list[Line] = []
    for tier in Tier:
        lines += _tier(tier, [result for result in shown if result.tier is tier], run, width)
    lines += [Line(part, "red") for crowd in together(run.results) for part in _parts(str(crowd), width)]
    return lines + [Line(f"FAIL {line}", "red") for line in run.complaints]


def _tier(tier: Tier, shown: Sequence[Result], run: Run, width: int) -> Iterator[Line]:
    total = totals(run.results, tier)
    if total is None:
        return
    by_target: dict[str, list[Cells]] = {}
    for result in shown[:_ROWS]:
        row = cells(result)
        by_target.setdefault(row.target, []).append(row)
    for target, rows in by_target.items():
        yield Line(_cut(f"{tier.value}, {target}", width))
        yield from _table(rows, width)
    if len(shown) > _ROWS:
        yield Line(f"  and {len(shown) - _ROWS} more")
    total = f"{tier.value}: {total}"
    yield from map(Line, _parts(total, width))


def _parts(text: str, width: int) -> list[str]:
    return [text] if len(text) <= width else text.split("; ")


def _table(rows: Sequence[Cells], width: int) -> Iterator[Line]:
    table = [_columns(row) for row in rows]
    widths = [max(len(row[column]) for row in (_HEAD, *table)) for column in range(len(_HEAD))]
    room = width - sum(widths) - 2 * (len(widths) + 1)
    # The name of a test stands in the row where all of them fit, and else below it.
    beside = max(len(row.test) for row in rows) <= room
    yield Line(_row(_HEAD, widths) + ("  test" if beside else ""))
    for row, columns in zip(rows, table, strict=True):
        colour = _COLOURS.get(row.verdict, "")
        yield Line(_row(columns, widths) + (f"  {row.test}" if beside else ""), colour)
        if not beside:
            name = row.test if len(row.test) <= width - 4 else f"..{row.test[6 - width :]}"
            yield Line(f"    {name}", colour)
        if row.cause:
            yield from (Line(line, colour) for line in wrapped(f"    cause: {row.cause}", width))


def _columns(row: Cells) -> tuple[str, ...]:
    return row.verdict, row.held, row.heartbeats, row.p50, row.p95, row.slowest, row.close


def _row(columns: Sequence[str], widths: Sequence[int]) -> str:
    verdict, *others = (text.rjust(size) for text, size in zip(columns, widths, strict=True))
    return "  ".join(["", verdict.strip().ljust(widths[0]), *others])


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."

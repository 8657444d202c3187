"""The summary at the end of a run: the worst first, in at most 100 columns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from textwrap import wrap

from ..core.diagnosis.together import together
from ..core.judge.verdict import Noted
from ..core.message.wrap import wrapped
from ..core.redact import printable
from ..core.result import Result, Run
from ..core.timeline.events import Tier
from .cells import Cells, cells, totals, worst_first
from .groups import by_cause

WIDTH = 100
# More rows than this are no summary any more; more failures than a screen has are told by their causes.
_ROWS, _SCREEN = 40, 15
# Tests that are named of each.
_NAMED = 3
_HEAD = ("verdict", "held", "heartbeats", "rtt p50", "p95", "max", "close")
_COLOURS = {"stable": "green", "UNSTABLE": "red", "INCONCLUSIVE": "yellow"}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the summary and its colour, a name of pytest's terminal writer; empty for none."""

    text: str
    colour: str = ""


def is_quiet(run: Run) -> bool:
    """Whether a line a tier says it all: nothing failed or is odd, and no real time was spent."""
    return not any(_is_odd(result) or result.tier is Tier.REAL for result in run.results)


def _is_odd(result: Result) -> bool:
    """Whether it failed, or is stable though heartbeats stopped, or the peer has said why nothing comes."""
    odd = (Noted.SAID_WHY, Noted.STOPPED)
    return result.failed or any(note.noted in odd for note in result.verdict.notes)


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
        if everything or _is_odd(result) or (result.tier is Tier.REAL and not result.expected)
    ]
    lines: list[Line] = []
    for tier in Tier:
        lines += _tier(tier, [result for result in shown if result.tier is tier], run, width)
    lines += [Line(part, "red") for crowd in together(run.results) for part in _parts(str(crowd), width)]
    lines += [Line(line) for text in run.notes for line in wrapped(printable(text), width)]
    lines += [Line(line, "green") for text in run.passed for line in wrapped(f"✓ {text}", width)]
    complaints = (printable(text) for text in run.complaints)
    return lines + [Line(line, "red") for text in complaints for line in wrapped(f"✗ {text}", width)]


def _tier(tier: Tier, shown: Sequence[Result], run: Run, width: int) -> Iterator[Line]:
    total = totals(run.results, tier)
    if total is None:
        return
    if shown:
        where, differing = _targets(list(dict.fromkeys(cells(result).target for result in shown)))
        yield Line(_cut(f"{tier.value}, {where}", width))
        if sum(result.failed for result in shown) > _SCREEN:
            yield from _groups(shown, width)
        else:
            rows = [_at(cells(result), differing) for result in shown[:_ROWS]]
            yield from _table(rows, width)
            if len(shown) > _ROWS:
                yield Line(f"  and {len(shown) - _ROWS} more")
    yield from map(Line, _parts(f"{tier.value}: {total}", width))


def _groups(shown: Sequence[Result], width: int) -> Iterator[Line]:
    """More than a screen: each cause with some of its tests."""
    groups = by_cause(shown)
    counts = [f"{len(group.results)} of {len(shown)}" for group in groups]
    size = max(map(len, counts))
    for group, count in zip(groups, counts, strict=True):
        colour = _COLOURS.get(group.verdict, "")
        head = f"  {count.rjust(size)}  {group.verdict}{': ' if group.cause else ''}{group.cause}"
        hang = " " * (size + 4)
        for line in wrap(head, width, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False):
            yield Line(line, colour)
        if group.results[0].failed:
            for result in group.results[:_NAMED]:
                yield Line(f"    {_end_of(cells(result).test, width - 4)}", colour)
            if len(group.results) > _NAMED:
                yield Line(f"    and {len(group.results) - _NAMED} more", colour)


def _at(row: Cells, differing: Mapping[str, str]) -> Cells:
    """A row whose test says at which of several targets it was."""
    where = differing.get(row.target, "")
    return dataclasses.replace(row, test=f"{row.test} at {where}") if where else row


def _targets(targets: Sequence[str]) -> tuple[str, dict[str, str]]:
    """
    What targets have in common, and what each has for itself.

    ``wss://*.example/ws`` and ``{"wss://eu.example/ws": "eu", "wss://us.example/ws": "us"}``

    """
    if len(targets) == 1:
        return targets[0], {}
    # Words stay whole.
    start = _to_word(_common(targets))
    rest = [target[len(start) :] for target in targets]
    end = _to_word(_common([each[::-1] for each in rest]))[::-1]
    parts = {target: target[len(start) : len(target) - len(end)] for target in targets}
    return f"{start}*{end}", {target: part or target for target, part in parts.items()}


def _common(texts: Iterable[str]) -> str:
    """What all of them begin with."""
    same = takewhile(lambda chars: len(set(chars)) == 1, zip(*texts, strict=False))
    return "".join(chars[0] for chars in same)


def _to_word(text: str) -> str:
    """As much of a text as ends behind a word."""
    return text.rstrip("".join(char for char in set(text) if char.isalnum() or char in "-_"))


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
            yield Line(f"    {_end_of(row.test, width - 4)}", colour)
        if row.cause:
            yield from (Line(line, colour) for line in wrapped(f"    cause: {row.cause}", width))
        if row.note:
            yield from (Line(line, colour) for line in wrapped(f"    note: {row.note}", width))


def _columns(row: Cells) -> tuple[str, ...]:
    return row.verdict, row.held, row.heartbeats, row.p50, row.p95, row.slowest, row.close


def _row(columns: Sequence[str], widths: Sequence[int]) -> str:
    verdict, *others = (text.rjust(size) for text, size in zip(columns, widths, strict=True))
    return "  ".join(["", verdict.strip().ljust(widths[0]), *others])


def _end_of(text: str, width: int) -> str:
    """A name that loses its beginning where it is too long: its end tells it from others."""
    return text if len(text) <= width else f"..{text[2 - width :]}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."

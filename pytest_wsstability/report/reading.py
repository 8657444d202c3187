"""Reports that are read back, and several of them as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..core.result import Result, Run, SchemaError
from .door import loads
from .jsonl import parse


def read(path: Path) -> Run:
    """
    The run in a ``.json`` or ``.jsonl`` report.

    Raises:
        OSError: if the file cannot be read.
        SchemaError: if it is no such report, or one of another schema, naming what is wrong.

    """
    if path.suffix not in (".json", ".jsonl"):
        kind = f"{path.suffix!r} is no report that can be read" if path.suffix else "it has no suffix"
        raise SchemaError(f"{path}: {kind}; give a .json or .jsonl report")
    try:
        if path.suffix == ".jsonl":
            with path.open(encoding="utf-8", newline="\n") as lines:
                return parse(lines, str(path))
        return Run.from_dict(loads(path.read_text(encoding="utf-8")), str(path))
    except SchemaError:
        raise
    except UnicodeDecodeError:
        raise SchemaError(f"{path}: this is no text") from None
    except ValueError as exc:
        raise SchemaError(f"{path}: this is no JSON: {exc}") from None


def merged(runs: Sequence[Run]) -> Run:
    """
    Several runs as one: all their results, those of a run that is there twice once.

    It began when the first of them did; the words of tools and machines stand side by side.

    """
    by_key: dict[tuple[object, ...], Result] = {}
    for run in runs:
        # A test may have held several connections: in a copy of the run, the same one is the n-th, too.
        held: Counter[tuple[object, ...]] = Counter()
        for result in run.results:
            place = (run.started, result.nodeid, result.attempt, result.worker, result.started_at)
            held[place] += 1
            by_key.setdefault((*place, held[place]), result)
    return Run(
        started=min(run.started for run in runs),
        tool=_together(run.tool for run in runs),
        machine=_together(run.machine for run in runs),
        results=tuple(by_key.values()),
        complaints=tuple(dict.fromkeys(line for run in runs for line in run.complaints)),
        passed=tuple(dict.fromkeys(line for run in runs for line in run.passed)),
        notes=tuple(dict.fromkeys(line for run in runs for line in run.notes)),
        nights=_nights(runs),
    )


def _nights(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Each run once, the oldest first; none where there is but one."""
    by_start = {run.started: run for run in runs}
    return tuple(by_start[started] for started in sorted(by_start)) if len(by_start) > 1 else ()


def _together(words: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(words))

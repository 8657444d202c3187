"""The verdicts and timelines of a run as one JSON file, which `schema.json` describes."""

from __future__ import annotations

import json
from typing import Any

from ..core.result import Run

_ENCODER = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False, check_circular=False)


def render(run: Run, *, events: bool = True) -> str:
    """The run, a result a line: it can be compared line by line, and is not twice as long for it."""
    data = run.as_dict(events=events)
    results = data.pop("results")
    head = json.dumps(data, ensure_ascii=True)[:-1]
    lines = ",\n".join(dump(result) for result in results)
    return f'{head}, "results": [\n{lines}\n]}}\n' if results else f'{head}, "results": []}}\n'


def dump(value: Any) -> str:
    """One line of JSON: ASCII, so that nothing in it can end the line or fool a terminal."""
    return _ENCODER.encode(value)

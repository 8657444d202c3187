"""Which renderer writes which file: the suffix decides."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from ..core.result import Run

# A suffix, and the module that has `render(run) -> str`; what a module needs, it imports in there.
RENDERERS = {".json": "json_file", ".jsonl": "jsonl", ".md": "markdown"}


def wrong_report(path: str) -> str | None:
    """What is wrong with the name of a report's file; None if nothing."""
    suffix = Path(path).suffix
    if suffix in RENDERERS:
        return None
    kind = f"a report cannot be {suffix!r}" if suffix else "without a suffix its form is not known"
    return f"{path!r}: {kind}; valid ones: {', '.join(RENDERERS)}"


def renderer(path: str) -> Callable[[Run], str]:
    """
    What renders a run for a file.

    Raises:
        ValueError: if the suffix is none of `RENDERERS`.

    """
    if reason := wrong_report(path):
        raise ValueError(reason)
    render: Callable[[Run], str] = import_module(f".{RENDERERS[Path(path).suffix]}", __package__).render
    return render

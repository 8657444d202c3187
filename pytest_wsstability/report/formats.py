"""Which renderer writes which file: the suffix decides."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType

from ..core.result import Run

# A suffix, and the module that has `render(run) -> str`; one that needs more than the package does has
# `check()`, too, which raises RuntimeError when that is not installed.
RENDERERS = {".json": "json_file", ".jsonl": "jsonl", ".md": "markdown", ".html": "html", ".xml": "junit"}


def wrong_report(path: str) -> str | None:
    """What is wrong with the name of a report's file, or what is not installed for it; None if nothing."""
    suffix = Path(path).suffix
    if suffix not in RENDERERS:
        kind = f"a report cannot be {suffix!r}" if suffix else "without a suffix its form is not known"
        return f"{path!r}: {kind}; valid ones: {', '.join(RENDERERS)}"
    check: Callable[[], object] | None = getattr(_module(suffix), "check", None)
    if check is not None:
        try:
            check()
        except RuntimeError as exc:
            return f"{path!r}: {exc}"
    return None


def renderer(path: str) -> Callable[[Run], str]:
    """
    What renders a run for a file.

    Raises:
        ValueError: if the suffix is none of `RENDERERS`.

    """
    if reason := wrong_report(path):
        raise ValueError(reason)
    render: Callable[[Run], str] = _module(Path(path).suffix).render
    return render


def _module(suffix: str) -> ModuleType:
    return import_module(f".{RENDERERS[suffix]}", __package__)

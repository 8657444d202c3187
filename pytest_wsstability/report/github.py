"""Annotations of GitHub Actions: a line each, which the runner turns into a mark at the test's line."""

from __future__ import annotations

from collections.abc import Iterator

from ..core.redact import show_text
from ..core.result import Run
from .cells import worst_first

# GitHub shows ten errors a step, and drops the rest without a word.
CAP = 10


def error_commands(run: Run, prefix: str = "") -> Iterator[str]:
    """
    The commands for the worst failures and the complaints, `CAP` at most.

    Args:
        run: what to tell.
        prefix: where the tests' root directory is in the repository, with a slash at its end.

    """
    failures = [result for result in worst_first(run.results) if result.failed]
    lines = [f"::error title=WebSocket stability::{_data(show_text(text))}" for text in run.complaints]
    lines += [
        f"::error file={_property(prefix + result.path)},line={result.line},"
        f"title={_property(show_text(result.nodeid))}::{_data(show_text(result.verdict.headline))}"
        for result in failures
    ]
    yield from lines[: CAP if len(lines) <= CAP else CAP - 1]
    if len(lines) > CAP:
        yield f"::error title=WebSocket stability::and {len(lines) - CAP + 1} more failures"


def _data(text: str) -> str:
    """The runner reads these three as they are written here, and everything else literally."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

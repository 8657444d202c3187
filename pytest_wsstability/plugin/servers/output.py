"""What the server under test logged or printed, below the failure of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..markers import uses_us
from ..plans import base_target_of, runs_command
from ..settings import TargetKind
from ..stash import command_key, connector_key, server_log_key, soak_key
from .logs import Line, ServerLog, shown

if TYPE_CHECKING:
    import pytest

_REAL = (
    "give the test ws_stability(time='real'), or run with --ws-time real: the app is then served on loopback"
)


@contextmanager
def taking_down(item: pytest.Item) -> Iterator[None]:
    """Take down what the app under test logs while a test runs, its fixtures included."""
    if not uses_us(item) or base_target_of(item).kind is not TargetKind.APP or runs_command(item):
        yield
        return
    item.stash[server_log_key] = log = ServerLog()
    with log.listening():
        yield


@contextmanager
def silenced(item: pytest.Item) -> Iterator[None]:
    """Take nothing down for a test while the block runs: what it does is tried once more, and told once."""
    log = item.stash.get(server_log_key, None)
    if log is None:
        yield
        return
    log.is_silent = True
    try:
        yield
    finally:
        log.is_silent = False


def add_output(item: pytest.Item, report: pytest.TestReport) -> None:
    """Show what the server said in the last minute, with the instants of the connection."""
    if not report.failed:
        return
    opened = _opened(item)
    log = item.stash.get(server_log_key, None)
    if log is not None:
        _add(report, "log of the app", list(log.lines), opened)
        if log.left is not None:
            report.sections.append(("virtual time", f"{log.left.text}\n{_REAL}"))
    process = item.stash.get(command_key, None)
    if process is not None:
        _add(report, f"output of the command, {process.url}", list(process.lines), opened)


def _add(report: pytest.TestReport, title: str, lines: list[Line], opened: float | None) -> None:
    if text := shown(lines, opened):
        report.sections.append((title, text))


def _opened(item: pytest.Item) -> float | None:
    """When the first connection of a test opened, by its loop's clock."""
    soak = item.stash.get(soak_key, None)
    if soak is not None:
        return soak.timeline.opened
    connector = item.stash.get(connector_key, None)
    opened = [each.timeline.opened for each in connector.connections] if connector is not None else []
    return min(opened, default=None)

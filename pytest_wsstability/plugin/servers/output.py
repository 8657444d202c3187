"""What the server under test logged or printed, below the failure of a test."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ...core.cause import Cause
from ...core.diagnosis.client_end import ClientEnd
from ...core.diagnosis.lines import LineKind, ServerLine, all_printed
from ...core.diagnosis.server_lines import may_be_an_exit, with_lines
from ...core.diagnosis.told_anew import without_path
from ..markers import uses_us
from ..plans import base_target_of, is_virtual, runs_command
from ..settings import TargetKind
from ..stash import app_record_key, command_key, command_since_key, connector_key, server_log_key, soak_key
from .logs import LogLine, ServerLog, shown

if TYPE_CHECKING:
    import pytest

    from ...core.cause import Diagnosis
    from ...core.timeline.timeline import Timeline
    from ...net.apps.watching import AppRecord

_REAL = (
    "give the test ws_stability(time='real'), or run with --ws-time real: the app is then served on loopback"
)

# Loggers of clients, which the test itself may use; and asyncio's, whose tasks are anybody's.
_CLIENTS = (
    "websockets.client", "aiohttp.client", "httpx", "httpcore", "urllib3", "socketio.client",
    "engineio.client", "asyncio",
)  # fmt: skip

# Seconds that a process under test has to end after it has cut a connection.
_TO_END = 1.0


@contextmanager
def taking_down(item: pytest.Item) -> Iterator[None]:
    """Take down what is logged in this process while a test runs, its fixtures included."""
    if not uses_us(item):
        yield
        return
    item.stash[server_log_key] = log = ServerLog()
    with log.listening():
        yield


@contextmanager
def silenced(item: pytest.Item) -> Iterator[None]:
    """
    Take nothing down for a test while the block runs: what it does is tried once more, and told once.

    What is known of the app's handlers stays that of the first try as well.

    """
    log, record = item.stash.get(server_log_key, None), item.stash.get(app_record_key, None)
    if log is not None:
        log.is_silent = True
    try:
        yield
    finally:
        if log is not None:
            log.is_silent = False
        if record is not None:
            item.stash[app_record_key] = record


@contextmanager
def stopping(item: pytest.Item) -> Iterator[None]:
    """Tell what the server of a test logs while the block runs from what it logged before it had to stop."""
    log = item.stash.get(server_log_key, None)
    if log is not None:
        log.is_stopping = True
    try:
        yield
    finally:
        if log is not None:
            log.is_stopping = False


def add_output(item: pytest.Item, report: pytest.TestReport) -> None:
    """Show what the server said in the last minute, with the instants of the connection."""
    if not report.failed:
        return
    opened = _opened(item)
    log = item.stash.get(server_log_key, None)
    # What a server of the project's fixtures logs, pytest shows by itself.
    if log is not None and base_target_of(item).kind is TargetKind.APP and not runs_command(item):
        _add(report, "log of the app", list(log.lines), opened)
        if log.left is not None:
            report.sections.append(("virtual time", f"{log.left}\n{_REAL}"))
    process = item.stash.get(command_key, None)
    if process is not None:
        _add(report, f"output of the command, {process.url}", list(process.lines), opened)


def told_by_server(item: pytest.Item, found: Diagnosis, timelines: Sequence[Timeline]) -> Diagnosis:
    """
    A diagnosis with what the server of a test said or did at that instant.

    Args:
        item: the test, which owns the server.
        found: what the records say.
        timelines: the record that was judged, then those of other ends of the same connection.

    """
    line = timelines[0]
    # One that says that it restarts may have crashed.
    may_have_ended = line.close is not None and (
        line.close.received is None or found.cause is Cause.RESTART or may_be_an_exit(found)
    )
    lines = server_lines(item, cut=line.opened if may_have_ended else None)
    record = item.stash.get(app_record_key, None)
    if record is not None:
        lines += done(record, line.opened + line.duration)
    told = with_lines(found, timelines, lines, alone=_is_alone(item))
    return without_path(told, ClientEnd.of(timelines))


def server_lines(item: pytest.Item, *, cut: float | None) -> list[ServerLine]:
    """
    What the server of a test logged or printed, and whether its process ended.

    Args:
        item: the test.
        cut: the opening of the connection that the end of the process may have cut; None where it has not.

    """
    log, process = item.stash.get(server_log_key, None), item.stash.get(command_key, None)
    record = item.stash.get(app_record_key, None)
    known = record is not None and record.marks_handlers
    logged = (_logged(line, known) for line in (log.warned if log is not None else ()))
    lines = [each for each in logged if each is not None]
    if process is not None:
        ended_at = process.ended_within(_TO_END, since=cut) if cut is not None else None
        # By now its output has come; what it printed before was about connections of other tests.
        since = item.stash[command_since_key]
        said = [line for line in list(process.lines) if line.at >= since and not line.is_note]
        lines += all_printed((line.at, line.text) for line in said)
        if ended_at is not None:
            lines.append(ServerLine(at=ended_at, text=process.end, kind=LineKind.EXITED))
    return lines


def done(record: AppRecord, now: float) -> Iterator[ServerLine]:
    """What handlers of the app under test had done by then that is no line of a log."""
    for each in record.left_open:
        yield ServerLine(at=each.at, text="its function returned", kind=LineKind.RETURNED, port=each.port)
    for each in record.cancelled:
        text = "its function raised CancelledError, and nobody had cancelled it"
        yield ServerLine(at=each.at, text=text, kind=LineKind.CANCELLED, port=each.port)
    for handler in record.handlers:
        if (since := handler.busy_at(now)) is not None:
            text = "its handler took a message, and has asked for no other since"
            yield ServerLine(at=since, text=text, kind=LineKind.BUSY, port=handler.port)
        if (since := handler.silent_at(now)) is not None:
            text = "it took a message, and has sent none since"
            yield ServerLine(at=since, text=text, kind=LineKind.TAKEN, port=handler.port)


def _logged(line: LogLine, known: bool) -> ServerLine | None:
    """
    What a server logged; None where it was a client, an access log, or the server's stop after the test.

    Args:
        line: the record.
        known: whether what its handlers run is known as such.

    """
    if line.is_of_stop or line.logger.startswith(_CLIENTS) or line.logger.endswith(".access"):
        return None
    # What is logged below an error has been caught.
    is_raised = bool(line.raised) and line.level >= logging.ERROR
    raised = LineKind.RAISED if is_raised else LineKind.SAID
    text = line.raised if is_raised else line.text.partition("\n")[0]
    return ServerLine(
        at=line.at, text=text, kind=raised, is_warning=line.level >= logging.WARNING, port=line.port,
        is_beside=known and line.is_beside,
    )  # fmt: skip


def _is_alone(item: pytest.Item) -> bool:
    """Whether the server of a test has one connection, so that whatever it says is about that one."""
    connector = item.stash.get(connector_key, None)
    if connector is not None:
        return sum(len(each.timelines) for each in connector.connections) == 1
    # Holds that overlap in real time may share a server, but for an app or a command that the plugin starts.
    return is_virtual(item) or app_record_key in item.stash or command_key in item.stash


def _add(report: pytest.TestReport, title: str, lines: list[LogLine], opened: float | None) -> None:
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

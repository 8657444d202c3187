"""What pytest prints of a failure: our words, without frames of ours, and a team's own diagnosis."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from ..core.cause import Diagnosis, Evidence
from ..core.faults import DropControlFrames
from ..core.fleet.failure import FleetError
from ..core.judge.verdict import Outcome, Verdict
from ..core.message import read_on
from ..core.message.errors import StabilityError, leaves
from ..core.project_code import is_of_project
from ..core.redact import redact_text, show_text
from ..core.timeline.events import Tier
from ..net.errors import ConnectionEnded, OpeningError, OpeningStage
from ..report.colours import styled
from ..virtual.errors import VirtualDeadlock, VirtualTimeError
from .again import command, from_here
from .markers import FLEET, VOICE, fixtures_of
from .plans import leads_out
from .project_fixtures import overrides, set_up_after
from .servers.fleet_causes import tell_fleet
from .servers.output import told_by_server
from .servers.routes import other_routes, usual_path
from .stash import (
    app_record_key,
    async_url_key,
    fleet_key,
    orchestrator_key,
    proxies_key,
    server_log_key,
    settings_key,
)

if TYPE_CHECKING:
    from types import TracebackType

    import pytest

    from ..core.faults import Fault
    from ..core.result import Result
    from ..core.timeline.timeline import Timeline
    from ..net.fleet.fleet import Fleet
    from ..net.proxy.link import Link

_PACKAGE = __name__.partition(".")[0]
_HOME = Path(__file__).parents[1]
# Fixtures that open a connection when they are set up.
_OPENERS = frozenset({"ws_soak", "ws_connection", FLEET, VOICE})
# Characters of a line of the app's log.
_LONGEST = 300
# RFC 6455, section 7.4.1; and RFC 9110, section 15.6.1.
_NORMAL, _FAILED = 1000, 500
# From -vv on, failures show every event on record.
_WHOLE = 2


def hide_frames(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """
    Take our own frames out of an error that is ours: people read their test, and the message.

    With ``--full-trace`` too, for their local variables are what the user gave. Other errors that come from
    here are mistakes of ours, and need their frames.

    """
    if _is_ours(excinfo.value) or says_what_is_wrong(excinfo.value):
        _hide_behind(excinfo.tb)
    elif isinstance(excinfo.value, BaseExceptionGroup):
        for error in filter(_is_ours, leaves(excinfo.value)):
            error.__traceback__ = _first_of_others(error.__traceback__)
            _hide_behind(error.__traceback__)
    elif isinstance(excinfo.value, TimeoutError):
        # Of asyncio.wait_for() or timeout(), which have cancelled what waited in a function of ours.
        waited = excinfo.value.__cause__
        while isinstance(waited, asyncio.CancelledError):
            waited.__traceback__ = _first_of_others(waited.__traceback__)
            _hide_behind(waited.__traceback__)
            waited = waited.__cause__ or waited.__context__


def _hide_behind(entry: TracebackType | None) -> None:
    # Not every one of them can know that an error will pass (__tracebackhide__): the loop's, for one.
    while entry is not None:
        entry.tb_next = _first_of_others(entry.tb_next)
        entry = entry.tb_next


def _first_of_others(entry: TracebackType | None) -> TracebackType | None:
    while entry is not None and _is_own(entry):
        entry = entry.tb_next
    return entry


def says_what_is_wrong(error: BaseException) -> bool:
    """Whether an error is about an argument, and raised by us."""
    entry = error.__traceback__
    if not isinstance(error, TypeError | ValueError) or entry is None:
        return False
    while entry.tb_next is not None:
        entry = entry.tb_next
    return _is_own(entry)


def _is_own(entry: TracebackType) -> bool:
    return Path(entry.tb_frame.f_code.co_filename).is_relative_to(_HOME)


def tell_of_faults(reports: Iterable[str], error: BaseException) -> None:
    """Say with a failure which faults were applied, and how to apply them again."""
    if isinstance(error, Exception):
        for report in reports:
            error.add_note(report)


def tell_what_broke(
    excinfo: pytest.ExceptionInfo[BaseException] | None, broken: Callable[[], Iterable[Result]]
) -> None:
    """Say with a test that stands still what had failed in it: what it cleans up then may never end."""
    if excinfo is not None and isinstance(excinfo.value, VirtualDeadlock):
        for verdict in (each.verdict for each in broken()):
            excinfo.value.add_note(f"  before    {verdict.outcome.value}: {verdict.headline}")
            if verdict.diagnosis is not None:
                excinfo.value.add_note(f"  likely    {verdict.diagnosis.sentence}")


def retell(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Let the server and a team have their say, show the whole record with -vv, and say where to read on."""
    for error in filter(_is_ours, leaves(excinfo.value)):
        _retell(item, error, list(_where(item, excinfo)))


def _retell(item: pytest.Item, error: BaseException, where: Sequence[str]) -> None:
    if isinstance(error, OpeningError):
        for note in (
            f"  fix       {_remedy(item, error)}",
            *_refused(item, error.status, error.url),
            *(_kept_waiting(item) if error.stage is OpeningStage.TIMEOUT else ()),
            *_too_late(item),
            read_on(error.stage.code),
        ):
            # A fixture that failed once fails each of its tests with the same error.
            if note not in getattr(error, "__notes__", ()):
                error.add_note(note)
    if type(error) is VirtualTimeError:
        for note in _loop(item):
            error.add_note(note)
    if isinstance(error, ConnectionEnded) and error.diagnosis is not None:
        found = told_by_server(item, error.diagnosis, error.timelines)
        error.diagnosis = _asked(item, found, error.timelines)
    if isinstance(error, StabilityError):
        verdict = error.verdict
        if verdict.diagnosis is not None and error.timelines:
            found = told_by_server(item, verdict.diagnosis, error.timelines)
            verdict = dataclasses.replace(verdict, diagnosis=found)
        verdict = ask_hooks(item, verdict, error.timelines)
        whole = item.config.get_verbosity() >= _WHOLE
        refused = list(_of_fleet(item, error)) if isinstance(error, FleetError) else []
        error.retell(verdict, whole=whole, more=[*refused, *where, *_when(error)])


def _remedy(item: pytest.Item, error: OpeningError) -> str | None:
    """What to change: where a fault of the test's own kept it from opening, that one."""
    if error.stage in (OpeningStage.HANDSHAKE, OpeningStage.TIMEOUT):
        running = item.stash.get(orchestrator_key, None)
        applied = running.applied[-1:] if running is not None else []
        found = [each.fault for each in applied if each.fault.is_loss and not each.planned]
        if found := found or _of_proxies(item, urlsplit(error.url).netloc):
            later = ", ".join(f'("30s", {fault!r})' for fault in found)
            return f"the test injected it at the opening; {later} would come later"
    return error.diagnosis.remedy


def _of_proxies(item: pytest.Item, address: str) -> list[Fault]:
    """Faults of the test's own proxies that ended the last handshake with an address, or keep it back."""
    proxies = [proxy for each in item.stash.get(proxies_key, ()) for proxy in each.proxies]
    last = [
        proxy.connections[-1]
        for proxy in proxies
        if proxy.connections and address in (urlsplit(proxy.url).netloc, urlsplit(proxy.target).netloc)
    ]
    return [
        each.fault
        for connection in last
        for each in connection.applied
        if not each.planned and _prevents_opening(each.fault, connection.link)
    ]


def _prevents_opening(fault: Fault, link: Link) -> bool:
    """Whether a fault of a link ended the handshake, or keeps it back still."""
    if fault.keeps_back:
        return link.keeps_back
    # A handshake has no control frames.
    return fault.is_loss and not isinstance(fault, DropControlFrames)


def _refused(item: pytest.Item, status: int | None, url: str) -> Iterator[str]:
    """What only the app under test knows of an upgrade that it refused: its routes, its close, its error."""
    if status is not None:
        path = urlsplit(url).path
        if (found := other_routes(item, path)) is not None:
            yield f"  routes    {': '.join(found)}"
        elif (usual := usual_path(item, path, status)) is not None:
            yield f"  path      {usual}"
        yield from _logged(item) if status == _FAILED else _closed(item)


def _of_fleet(item: pytest.Item, error: FleetError) -> Iterator[str]:
    """The same of a fleet, whose causes have the rest of what its server knows; that of ws_fleet was told."""
    fleet: Fleet | None = error.fleet
    if fleet is None:
        return
    if fleet is not item.stash.get(fleet_key, None):
        tell_fleet(item, fleet)
        error.summary = fleet.summary
    statuses = {each.status for each in fleet.merge.endings}
    if statuses - {None, _FAILED}:
        yield from _closed(item)
    if _FAILED in statuses:
        yield from _logged(item)


def _closed(item: pytest.Item) -> Iterator[str]:
    """What the app under test closed a connection with before it had accepted: no client hears that."""
    record = item.stash.get(app_record_key, None)
    if record is None or not record.unaccepted:
        return
    last = record.unaccepted[-1]
    # A router closes what has no route with 1000.
    if last.reason or last.code != _NORMAL:
        said = f" {redact_text(show_text(last.reason))}" if last.reason else ""
        yield f"  app       closed it before it had accepted: {last.code}{said}"
    # A framework that closes where a handler has raised logs it.
    yield from _logged(item, last.port)


def _logged(item: pytest.Item, port: int | None = None) -> Iterator[str]:
    """The last error in the log of the app under test, of the client at a port where one is given."""
    log = item.stash.get(server_log_key, None)
    raised = [line for line in log.lines if line.raised and port in (None, line.port)] if log else []
    if raised and app_record_key in item.stash:
        yield f"  log       {redact_text(show_text(raised[-1].text.splitlines()[-1], _LONGEST))}"


def _kept_waiting(item: pytest.Item) -> Iterator[str]:
    """What kept an opening from its answer: a loop that stands still, or a handler that awaits something."""
    yield from _loop(item)
    record = item.stash.get(app_record_key, None)
    if record is not None and not all(each.has_answered for each in record.handlers):
        yield "  app       its handler has the connection, and awaits something before it accepts it"


def _loop(item: pytest.Item) -> Iterator[str]:
    """That the server under test may stand still: in virtual time, collection says so of sync tests."""
    if (text := item.stash.get(async_url_key, None)) is not None:
        yield f"  server    {text}"


def _too_late(item: pytest.Item) -> Iterator[str]:
    """The fixtures of the project's that stand behind the one that opens: they were not set up yet."""
    opener = next((name for name in fixtures_of(item) if name in _OPENERS), None)
    # A hold that starts with others waits for no fixture but that of its URL.
    if opener is None or (leads_out(item) and not overrides("ws_url", item)):
        return
    if later := ", ".join(set_up_after(opener, item)):
        yield f"  order     {opener} had opened before {later} was set up: name {opener} behind it"


def _where(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> Iterator[str]:
    """The place of the test, which pytest does not tell where no line of it is shown."""
    if _only_ours(excinfo):
        path, line, _ = item.location
        yield f"  test      {from_here(item.config.rootpath / path, item.config)}:{(line or 0) + 1}"


def _when(error: StabilityError) -> Iterator[str]:
    """The end by the clock on the wall, to be looked up in the log of the server."""
    close = error.timelines[0].close if error.timelines else None
    if close is None or error.verdict.tier is not Tier.REAL:
        return
    # Loops read the monotonic clock.
    ago = time.monotonic() - (error.timelines[0].opened + close.at)
    moment = datetime.fromtimestamp(time.time() - ago, tz=UTC)
    yield f"  ended at  {moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC"


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == _PACKAGE


def refine(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport
) -> None:
    """Make a failure of stability read as one: its own words, and one of them in the short summary."""
    errors = leaves(excinfo.value)
    # An expected failure is "skipped" by now, and is shown with --xfail-tb.
    if report.passed or isinstance(report.longrepr, tuple) or not any(map(_is_ours, errors)):
        return
    skips = item.config.stash[settings_key].inconclusive == "skip"
    if skips and report.failed and all(map(_is_inconclusive, errors)):
        report.outcome = "skipped"
        path, line, _ = item.location
        report.longrepr = (path, (line or 0) + 1, f"Skipped: {_headline(errors[0])}")
        return
    report.sections.append(("run it again", command(item)))
    if _is_ours(excinfo.value) and _only_ours(excinfo):
        representation: Any = excinfo.getrepr(style="value")
        # This style leaves notes out, and the faults that were applied are one.
        notes = "\n".join(getattr(excinfo.value, "__notes__", ())).splitlines()
        representation.reprtraceback.reprentries[-1].lines += notes
        # Workers of pytest-xdist send it as pytest's own class.
        sent = hasattr(item.config, "workerinput")
        report.longrepr = representation if sent else cast("Any", Coloured(representation))
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and all(map(_is_ours, errors)):
        # The short summary shows the beginning of one line. What is in doubt counts less than what is not.
        told = min(errors, key=_is_inconclusive)
        more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
        crash.message = _headline(told).partition("\n")[0] + more


def _is_inconclusive(error: BaseException) -> bool:
    if isinstance(error, OpeningError):
        return error.shortage is not None
    return isinstance(error, StabilityError) and error.verdict.outcome is Outcome.INCONCLUSIVE


def _headline(error: BaseException) -> str:
    if isinstance(error, StabilityError):
        return error.headline
    if isinstance(error, OpeningError):
        return f"inconclusive: {error.headline}" if error.shortage is not None else error.headline
    return str(error)


def _only_ours(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether no line of the user's stands between the test runner and the failure."""
    return not any(is_of_project(str(entry.path)) for entry in excinfo.traceback)


def ask_hooks(item: pytest.Item, verdict: Verdict, timelines: Sequence[Timeline]) -> Verdict:
    """
    A verdict with the diagnosis of `pytest_wsstability_diagnose`, where an implementation gives one.

    Args:
        item: the test, whose conftest files may have an implementation.
        verdict: the verdict that was raised.
        timelines: the record that was judged, then those of other ends of the same connection.

    """
    if verdict.diagnosis is None or not timelines:
        return verdict
    return dataclasses.replace(verdict, diagnosis=_asked(item, verdict.diagnosis, timelines))


def _asked(item: pytest.Item, built_in: Diagnosis, timelines: Sequence[Timeline]) -> Diagnosis:
    found = item.ihook.pytest_wsstability_diagnose(timeline=timelines[0], others=tuple(timelines[1:]))
    if found is None:
        return built_in
    if not isinstance(found, Diagnosis):
        # Told where it is read: a warning could not be raised here, where a report is being made.
        mistake = Evidence(f"pytest_wsstability_diagnose: {found!r} is no Diagnosis; the built-in one stays")
        return dataclasses.replace(built_in, evidence=(mistake, *built_in.evidence))
    return found


class Coloured:
    """
    A representation of a failure that pytest made, written line by line.

    Everything else is the representation's own: reports take it apart and send it between processes.

    """

    def __init__(self, representation: Any) -> None:
        self._representation = representation

    def __getattr__(self, name: str) -> Any:
        if name == "_representation":
            # Asked for while it is being copied, before there is one.
            raise AttributeError(name)
        return getattr(self._representation, name)

    def __str__(self) -> str:
        return str(self._representation)

    def toterminal(self, tw: Any) -> None:
        """Write it; a writer without colours leaves them out."""
        for line, style in styled(str(self), tw.fullwidth, ("red", "bold")):
            tw.line(line, **dict.fromkeys(style, True))

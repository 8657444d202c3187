"""What a failing test does to find out more: a probe of its URL (``--ws-diagnose probe``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..core.duration import show_duration
from ..core.judge.verdict import Outcome, Rule
from ..core.message.errors import StabilityError
from ..core.probe.command import PROBED, probe_command
from ..core.probe.words import report as probe_report
from ..core.redact import redact_url
from ..core.timeline.events import End
from ..net.errors import OpeningError
from ..net.probe import probe_url
from .orders import timers_of
from .own_loop import run_private
from .plans import is_virtual
from .stash import loop_key, probes_key, settings_key
from .targets import OwnURL, aimed, connect_options, known_url

if TYPE_CHECKING:
    from collections.abc import Coroutine

    import pytest

    from ..core.probe.findings import Findings

# Seconds that a probe watches: so many lifetimes of the connection that failed, within bounds.
_LIFETIMES, _SPARE, _LEAST, _MOST = 4.0, 10.0, 30.0, 600.0


def after_failure(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport
) -> None:
    """After an end that no timer explains from the record alone: look for the timer, or say how."""
    at = _lost_at(excinfo.value) if report.failed else None
    url = _url(item) if at is not None else None
    if at is None or url is None:
        return
    seconds = min(max(_LIFETIMES * at + _SPARE, _LEAST), _MOST)
    if item.config.stash[settings_key].diagnose == "probe":
        report.sections.append(("wsstability probe", _probed(item, url, seconds)))
    elif urlsplit(url).hostname is not None and not is_virtual(item):
        report.sections.append(("which timer, and what resets it", _command(url, seconds)))


def _lost_at(error: BaseException) -> float | None:
    """When a client lost its connection, seconds after it opened; None if the failure is another one."""
    if not isinstance(error, StabilityError) or not error.timelines:
        return None
    if error.timelines[0].end is not End.CLIENT:
        return None
    if error.verdict.outcome is not Outcome.UNSTABLE or error.timelines[0].close is None:
        return None
    found = error.verdict.diagnosis
    if found is not None and PROBED.isdisjoint({found.cause, *found.alternatives}):
        return None
    return next((each.at for each in error.verdict.violations if each.rule is Rule.ALIVE), None)


def _url(item: pytest.Item) -> str | None:
    """The URL under test; None for the reference orchestrator, whose timers are known."""
    url = getattr(item, "funcargs", {}).get("ws_url") or known_url(item)
    # What the test itself runs is gone when a probe would open its connections.
    return aimed(item, url) if isinstance(url, str) and not isinstance(url, OwnURL) else None


def _command(url: str, seconds: float) -> str:
    return f"{probe_command(url, seconds)}   (or run this test with --ws-diagnose probe)"


def _probed(item: pytest.Item, url: str, seconds: float) -> str:
    known = item.config.stash.setdefault(probes_key, {})
    if url not in known or known[url][0] < seconds:
        _announce(item, url, seconds)
        known[url] = (seconds, _probe(item, url, seconds))
    return known[url][1]


def _announce(item: pytest.Item, url: str, seconds: float) -> None:
    """A run that seems to hang is interrupted."""
    reporter: Any = item.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write_line(
            f"wsstability: probing {redact_url(url)} with 12 connections for {show_duration(round(seconds))}"
        )


def _probe(item: pytest.Item, url: str, seconds: float) -> str:
    options = connect_options(item, url, url)
    options = {name: value for name, value in options.items() if name not in ("client", "heartbeat")}
    try:
        findings = _run(item, probe_url(max=seconds, **options))
    except OpeningError as exc:
        return f"{exc}; so nothing was found out"
    return "\n".join([redact_url(url), *probe_report(findings)])


def _run(item: pytest.Item, coroutine: Coroutine[Any, Any, Findings]) -> Findings:
    """On the test's own loop while there is one: the server of a user's fixture may live there."""
    loop = item.stash.get(loop_key, None)
    if loop is not None and not loop.is_closed() and not loop.is_running():
        return loop.run_until_complete(coroutine)
    return run_private(coroutine, timers_of(item))

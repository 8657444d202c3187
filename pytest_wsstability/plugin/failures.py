"""What pytest prints: the header line, and failures without frames of ours."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .clock import is_virtual
from .colour import Coloured
from .diagnosing import ask_hooks
from .options import Settings, settings_key
from .orders import chance_of

if TYPE_CHECKING:
    from types import TracebackType

    import pytest

_PACKAGE = __name__.partition(".")[0]

_HOME = Path(__file__).parents[1]
_STDLIB = Path(os.__file__).parent
# From -vv on, failures show every event on record.
_WHOLE = 2


def header(settings: Settings) -> str:
    """Target, clock and profile of a run in one line."""
    from ..core.redact import redact_url

    target = "the reference orchestrator"
    if settings.url is not None:
        target = f"{redact_url(settings.url)} (from {settings.url_from})"
    time = settings.time
    if time == "auto":
        time = "auto (real: the target is remote)" if settings.url else "auto (virtual)"
    return f"wsstability: target {target}, time {time}, profile {settings.profile}"


def hide_frames(config: pytest.Config, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Take our own frames out of an error that is ours: people read their test, and the message."""
    if not _is_ours(excinfo.value) or config.getoption("fulltrace"):
        return
    # Not every one of them can know that an error will pass (__tracebackhide__): the loop's, for one.
    entry: TracebackType | None = excinfo.tb
    while entry is not None:
        following = entry.tb_next
        while following is not None and Path(following.tb_frame.f_code.co_filename).is_relative_to(_HOME):
            following = following.tb_next
        entry.tb_next = following
        entry = following


def tell_of_faults(reports: Iterable[str], error: BaseException) -> None:
    """Say with a failure which faults were applied, and how to apply them again."""
    if isinstance(error, Exception):
        for report in reports:
            error.add_note(report)


def retell(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Let a team's own rules have their say, and show the whole record with -vv."""
    if not _is_ours(excinfo.value):
        return
    from ..core.message.errors import StabilityError

    error = excinfo.value
    if isinstance(error, StabilityError):
        verdict = ask_hooks(item, error.verdict, error.timelines)
        whole = item.config.get_verbosity() >= _WHOLE
        if whole or verdict is not error.verdict:
            error.retell(verdict, whole=whole)


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == _PACKAGE


def refine(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport
) -> None:
    """Make a failure of stability read as one: its own words, and one of them in the short summary."""
    error = excinfo.value
    # An expected failure is "skipped" by now, and is shown with --xfail-tb.
    if report.passed or isinstance(report.longrepr, tuple) or not _is_ours(error):
        return
    from ..core.judge.verdict import Outcome
    from ..core.message.errors import StabilityError

    if isinstance(error, StabilityError):
        inconclusive = error.verdict.outcome is Outcome.INCONCLUSIVE
        if inconclusive and report.failed and item.config.stash[settings_key].inconclusive == "skip":
            report.outcome = "skipped"
            path, line, _ = item.location
            report.longrepr = (path, (line or 0) + 1, f"Skipped: {error.verdict.headline}")
            return
    if is_virtual(item):
        chance = chance_of(item)
        again = f"--ws-time virtual --ws-order {chance.order} --ws-seed {chance.seed}"
        report.sections.append(("virtual time", f"the same again with {again}"))
    if _only_ours(excinfo):
        representation: Any = excinfo.getrepr(style="value")
        # This style leaves notes out, and the faults that were applied are one.
        notes = "\n".join(getattr(error, "__notes__", ())).splitlines()
        representation.reprtraceback.reprentries[-1].lines += notes
        # Workers of pytest-xdist send it as pytest's own class.
        sent = hasattr(item.config, "workerinput")
        report.longrepr = representation if sent else cast("Any", Coloured(representation))
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        # The short summary shows the beginning of one line.
        text = error.verdict.headline if isinstance(error, StabilityError) else str(error)
        crash.message = text.partition("\n")[0]


def _only_ours(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether no line of the user's stands between the test runner and the failure."""
    return all(_is_library(Path(str(entry.path))) for entry in excinfo.traceback)


def _is_library(path: Path) -> bool:
    installed = {"site-packages", "dist-packages"}.intersection(path.parts)
    return bool(installed) or path.is_relative_to(_HOME) or path.is_relative_to(_STDLIB)

"""
Secrets in a run of pytest: what the options give is collected, and what leaves goes through one redactor.

Text leaves in reports of tests (which terminals, JUnit files and other plugins show), on the terminal (live
log records and what other plugins write included), and into the file of ``--log-file``. ``caplog`` and what
fixtures hand to tests stay as they are.

"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from ..core.redact import redact_source, redact_text
from ..core.secret_names import name_own
from ..core.secret_values import SECRETS
from .seams.pytest import is_representation, redact_log_file, redact_terminal
from .settings import TargetKind

if TYPE_CHECKING:
    import pytest

    from .settings import Settings

_NAME = "wsstability-secrecy"
# Levels of a value that are looked at one by one.
_DEEPEST = 50
_NAME_IN_JUNIT = re.compile(r'(?<= name=")[^"]*')


def watch(config: pytest.Config) -> None:
    """Redact what leaves a run from now on; to be called once terminal and logging of pytest are there."""
    if not config.pluginmanager.has_plugin(_NAME):
        config.pluginmanager.register(object(), _NAME)
        redact_terminal(config, redact_source)
        redact_log_file(config, redact_source)


def collect(settings: Settings) -> None:
    """Collect what the options, the environment and the ini file give."""
    name_own(settings.secrets)
    for target in settings.targets:
        if target.kind is TargetKind.URL:
            SECRETS.take_url(target.value)
        elif target.kind is TargetKind.COMMAND:
            SECRETS.take_command(target.value)
    SECRETS.take_url(settings.command_url)
    SECRETS.take_opening(
        headers=settings.headers, subprotocols=settings.subprotocols, proxy=settings.proxy
    )  # fmt: skip


def parameter_id(value: str) -> str | None:
    """What a parameter of a test is called in its id; None if there is nothing to hide."""
    shown = redact_source(value)
    return None if shown == value else shown


def redact_report(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Redact everything in a report that somebody will show."""
    for name in ("longrepr", "user_properties", "wasxfail"):
        value = getattr(report, name, None)
        if value:
            setattr(report, name, _redacted(value))
    # What was printed or logged is no source: there "password: ..." has one behind it.
    report.sections = [(title, redact_text(text)) for title, text in report.sections]


def redact_junit(config: pytest.Config) -> None:
    """Redact the JUnit file that pytest has written: names of tests and properties of others are in it."""
    path = config.getoption("xmlpath", None)
    if path:
        file = config.invocation_params.dir / os.path.expanduser(os.path.expandvars(path))
        with suppress(FileNotFoundError):
            text = file.read_text("utf-8")
            # What `ids=` has made of a parameter is in the name of its test alone.
            masked = _NAME_IN_JUNIT.sub(lambda name: redact_source(name[0]), SECRETS.mask(text))
            if masked != text:
                file.write_text(masked, "utf-8")


def _redacted(value: Any, within: tuple[object, ...] = ()) -> Any:
    """
    A value with every text in it redacted: in lists, tuples and mappings, in place in what pytest prints.

    Anything else belongs to a test or to another plugin, and stays as it is, unless it is printed with a
    secret: then that text, redacted, stands for it.

    Args:
        value: of any kind.
        within: what it is in, the outermost first.

    """
    if type(value) is str:
        return redact_source(value)
    # A list may have itself in it, more than once.
    if len(within) > _DEEPEST or any(each is value for each in within):
        return _printed(value)
    inside = partial(_redacted, within=(*within, value))
    if type(value) in (list, tuple):
        return type(value)(map(inside, value))
    if type(value) is dict:
        return {inside(name): inside(each) for name, each in value.items()}
    if not is_representation(value):
        return _printed(value)
    for name, each in list(vars(value).items()):
        setattr(value, name, _redacted_lines(each) if name == "lines" and _is_text(each) else inside(each))
    return value


def _printed(value: Any) -> Any:
    """What a value of others prints, redacted; the value itself where that changes nothing."""
    # Their code may fail, and nobody has asked for it.
    with suppress(Exception):
        text = str(value)
        # In a list it is printed as by `repr`.
        if any(redact_source(each) != each for each in (text, repr(value))):
            return redact_source(text)
    return value


def _is_text(value: Any) -> TypeGuard[list[str]]:
    """Whether this is several texts."""
    return isinstance(value, list) and len(value) > 1 and all(type(each) is str for each in value)


def _redacted_lines(lines: list[str]) -> list[str]:
    """Those of a traceback: a secret may go over several."""
    # Those that Python has made have their ends.
    end = "" if lines[0].endswith("\n") else "\n"
    shown = redact_source(end.join(lines))
    return shown.split("\n") if end else [shown]

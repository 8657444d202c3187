"""
The private parts of pytest that the plugin touches, and what it puts in the place of public ones.

pytest has no public way to ask for a fixture's definition before the fixture is set up, and whether a test's
target is in this process depends on the definition of ``ws_url``: it has to be known when the test is made,
because its event loop does. Tried with pytest 8.4 and 9.0 to 9.2.

"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

# What is touched, and of what; `definitions` says what is missing. Without the other, less is known.
FIXTURE_MANAGER = "_fixturemanager"
FIXTURE_INFO = "_fixtureinfo"
PARENT_REQUEST = "_parent_request"
# Whose representations of failures are made of texts, and may be changed: pytest's, and the plugin's own.
_REPRESENTED_BY = frozenset({"_pytest", __name__.partition(".")[0]})


def definitions(name: str, node: pytest.Item | pytest.Collector) -> Sequence[pytest.FixtureDef[Any]]:
    """
    The definitions of a fixture that a test, class or module sees, the one that counts last.

    Raises:
        RuntimeError: if pytest does not tell any more.

    """
    find = getattr(getattr(node.session, FIXTURE_MANAGER, None), "getfixturedefs", None)
    if find is None:
        raise RuntimeError(
            f"pytest {pytest.__version__} does not tell how fixtures are defined (no Session."
            f"{FIXTURE_MANAGER}): give the test ws_stability(time=...), and tell the maintainers of "
            "pytest-wsstability"
        )
    found: Sequence[pytest.FixtureDef[Any]] | None = find(name, node)
    return found or ()


def is_parameter(name: str, node: pytest.Item | pytest.Collector) -> bool:
    """Whether a test that is made is given a parameter in the place of a fixture, by a mark or a hook."""
    # pytest makes a fixture of its own of each, for this test only.
    found = getattr(getattr(node, FIXTURE_INFO, None), "name2fixturedefs", {}).get(name, ())
    return bool(found) and found[-1].func.__module__ == "_pytest.python"


def asking(request: pytest.FixtureRequest | None) -> Iterator[str]:
    """The names of the fixtures that are being set up: of a request, of the one that asked, and so on."""
    while request is not None:
        if request.fixturename is not None:
            yield request.fixturename
        request = getattr(request, PARENT_REQUEST, None)


def is_representation(value: object) -> bool:
    """Whether this is a failure, or a part of one, as pytest prints it; plugins extend its classes."""
    makers = {each.__module__.partition(".")[0] for each in type(value).__mro__}
    return not makers.isdisjoint(_REPRESENTED_BY) and hasattr(value, "toterminal")


def redact_terminal(config: pytest.Config, redact: Callable[[str], str]) -> None:
    """Let everything that is written to the terminal of a run go through a function, whoever writes it."""
    if not config.pluginmanager.has_plugin("terminalreporter"):
        return
    # No hook sees what other plugins and pytest itself write: names of tests, warnings, live log records.
    writer = config.get_terminal_writer()
    write = writer.write

    def redacted(msg: str, **keywords: Any) -> None:
        write(redact(msg), **keywords)

    writer.write = redacted  # type: ignore[method-assign]


def redact_log_file(config: pytest.Config, redact: Callable[[str], str]) -> None:
    """Let the records in the file of ``--log-file`` go through a function; those of ``caplog`` do not."""
    handler = getattr(config.pluginmanager.get_plugin("logging-plugin"), "log_file_handler", None)
    if isinstance(handler, logging.FileHandler) and handler.formatter is not None:
        handler.setFormatter(_Redacting(handler, handler.formatter, redact))


class _Redacting(logging.Formatter):
    """A formatter whose texts go through a function, unless nobody reads them: pytest always has the file."""

    def __init__(
        self, handler: logging.FileHandler, formatter: logging.Formatter, redact: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._handler = handler
        self._formatter = formatter
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        # By its stream: a plugin may give it another file at any time.
        is_read = getattr(self._handler.stream, "name", None) != os.path.abspath(os.devnull)
        text = self._formatter.format(record)
        return self._redact(text) if is_read else text


@contextmanager
def nothing_collected() -> Iterator[None]:
    """
    Collect no garbage for a while.

    Where a task that failed is collected, asyncio logs its error. While pytest looks up the lines of a
    failure, that ended the run: Python 3.11 cannot parse while it parses ("AST constructor recursion depth
    mismatch").

    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

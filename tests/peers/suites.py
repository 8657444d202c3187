"""The suites of other people: where they are, and how they want to be run."""

from __future__ import annotations

import importlib.util
import pkgutil
from typing import NamedTuple


class Suite(NamedTuple):
    """A package of unittest tests."""

    package: str
    # Modules of it; empty for all whose name begins with test_.
    modules: tuple[str, ...] = ()
    # Loggers whose warnings its tests must not hear: tornado's fail on any line that they do not expect. Its
    # own runner silences the first; the second says that a kernel socket leaves the virtual network.
    quiet: tuple[str, ...] = ()
    # Why no installation has it.
    missing: str = ""


SUITES = {
    "cpython": Suite("test.test_asyncio"),
    "tornado": Suite(
        "tornado.test",
        modules=(
            "asyncio_test",
            "concurrent_test",
            "gen_test",
            "http1connection_test",
            "httpclient_test",
            "httpserver_test",
            "ioloop_test",
            "iostream_test",
            "locks_test",
            "netutil_test",
            "process_test",
            "queues_test",
            "routing_test",
            "simple_httpclient_test",
            "tcpclient_test",
            "tcpserver_test",
            "testing_test",
            "web_test",
            "websocket_test",
        ),
        quiet=("tornado.access", "pytest_wsstability.virtual"),
    ),
    "aiohttp": Suite("aiohttp", missing="its wheel has no tests, they are in its source distribution only"),
}


def lacking(suite: Suite) -> str | None:
    """Why a suite cannot run here; None if it can."""
    if suite.missing:
        return suite.missing
    try:
        found = importlib.util.find_spec(suite.package)
    except ModuleNotFoundError:
        found = None
    return None if found else f"{suite.package} is not installed"


def modules_of(suite: Suite) -> list[str]:
    """The modules of a suite that is here, by full name."""
    found = importlib.util.find_spec(suite.package)
    places = (found and found.submodule_search_locations) or ()
    names = suite.modules or tuple(
        each.name for each in pkgutil.iter_modules(places) if each.name.startswith("test_")
    )
    return [f"{suite.package}.{name}" for name in names]

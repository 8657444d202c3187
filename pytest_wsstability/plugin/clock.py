"""Which clock a test runs on, and the clock as the test sees it."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from .markers import STABILITY, plan_of, uses_us
from .options import settings_key

if TYPE_CHECKING:
    from ..core.duration import Duration

_PACKAGE = __name__.partition(".")[0]


class Clock:
    """The clock of a test: ``now`` in seconds, and a way to let time pass."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def now(self) -> float:
        """Seconds on the loop's clock; differences of it are durations, in either time."""
        return self._loop.time()

    @property
    def is_virtual(self) -> bool:
        """Whether waiting costs nothing."""
        return bool(getattr(self._loop, "is_virtual", False))

    async def advance(self, duration: Duration) -> None:
        """Let so much time pass: at once in virtual time, by waiting in real time."""
        from ..core.duration import parse_duration

        await asyncio.sleep(parse_duration(duration, "advance", zero=True))

    def __repr__(self) -> str:
        return f"<Clock {'virtual' if self.is_virtual else 'real'}, {self.now:.3f} s>"


def is_virtual(node: pytest.Item | pytest.Collector) -> bool:
    """
    Whether the loops of a test, class or module run in virtual time.

    Its marker says so, or the option; "auto" is virtual when the target is in this process.

    """
    settings = node.config.stash[settings_key]
    if isinstance(node, pytest.Item):
        if not uses_us(node):
            return False
        plan = plan_of(node)
        time = plan.time or settings.time
        if time != "auto":
            return time == "virtual"
        return plan.url is None and settings.url is None and not _leaves(node)
    # A class or module shares its loop, so its own marker decides for all of its tests.
    marker = next(node.iter_markers(STABILITY), None)
    if marker is None:
        return False
    time = marker.kwargs.get("time", settings.time)
    if time != "auto":
        return bool(time == "virtual")
    return settings.url is None and "url" not in marker.kwargs and not _leaves(node)


def patches_time(node: pytest.Item | pytest.Collector) -> bool:
    """Whether the time module is to follow the virtual loop of a test, class or module."""
    if isinstance(node, pytest.Item):
        return plan_of(node).patch_time
    marker = next(node.iter_markers(STABILITY), None)
    return marker is not None and bool(marker.kwargs.get("patch_time", False))


def loop_scope(item: pytest.Item) -> str:
    """The scope of the loop on which an async test runs: what its asyncio marker says, or else the ini."""
    marker = item.get_closest_marker("asyncio")
    own = marker.kwargs.get("loop_scope", marker.kwargs.get("scope")) if marker is not None else None
    return own or item.config.getini("asyncio_default_test_loop_scope") or "function"


def refuse_mixed_time(item: pytest.Item) -> None:
    """
    Refuse a virtual test on a loop that it shares with others and that is real.

    Raises:
        pytest.fail.Exception: if it is one.

    """
    scope = loop_scope(item)
    if scope == "function" or not pytest_asyncio.is_async_test(item) or not is_virtual(item):
        return
    kind = getattr(pytest, scope.capitalize())
    owners = [node for node in item.listchain() if isinstance(node, kind)]
    if not owners or not is_virtual(owners[-1]):
        pytest.fail(
            f"{item.nodeid}: runs in virtual time, but its loop is the {scope}'s, and that is real; give the "
            f"{scope} the mark ws_stability(time='virtual'), the test time='real', or loop_scope='function'",
            pytrace=False,
        )


def overrides_url(node: pytest.Item | pytest.Collector) -> bool:
    """Whether a fixture of the user's gives ``ws_url``."""
    definitions = node.session._fixturemanager.getfixturedefs("ws_url", node)
    return definitions is not None and definitions[-1].func.__module__ != f"{__package__}.fixtures"


def leads_out(item: pytest.Item) -> bool:
    """Whether the target of a test is outside this process, so that any thread may hold it in real time."""
    if is_virtual(item) or "ws_orchestrator" in getattr(item, "fixturenames", ()):
        return False
    if overrides_url(item):
        return _leaves(item)
    url = plan_of(item).url or item.config.stash[settings_key].url
    return url is not None and not _may_be_on_its_loop(item, url)


def _may_be_on_its_loop(item: pytest.Item, url: str) -> bool:
    """Whether an async fixture of the project may run the server at a URL, on the loop of an async test."""
    from ..core.url import is_loopback

    if not pytest_asyncio.is_async_test(item) or not is_loopback(urlsplit(url).hostname or ""):
        return False
    manager = item.session._fixturemanager
    names: list[str] = getattr(item, "fixturenames", [])
    functions = [found[-1].func for name in names if (found := manager.getfixturedefs(name, item))]
    return any(
        inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each)
        for each in functions
        if each.__module__.partition(".")[0] not in (_PACKAGE, "pytest_asyncio")
    )


def _leaves(node: pytest.Item | pytest.Collector) -> bool:
    """
    Whether an overridden ``ws_url`` leads out of this process.

    A fixture that is async, or uses one that is, starts its server on the test's loop; another one
    names a server that runs elsewhere.

    """
    # pytest has no public way to ask for a fixture's definition before it is set up.
    manager = node.session._fixturemanager
    # A fixture that asks for its own name gets the one that it overrides: one further up.
    pending, seen = [("ws_url", 1)], set()
    while pending:
        name, up = found = pending.pop()
        definitions = manager.getfixturedefs(name, node)
        if found in seen or not definitions or up > len(definitions):
            continue
        seen.add(found)
        definition = definitions[-up]
        if name == "ws_url" and definition.func.__module__ == f"{__package__}.fixtures":
            return False
        if inspect.iscoroutinefunction(definition.func) or inspect.isasyncgenfunction(definition.func):
            return False
        if name == "ws_orchestrator":
            return False
        pending += [(each, up + 1 if each == name else 1) for each in definition.argnames]
    return True

"""Passes that rest on nothing: assertions that nobody awaited or heard of, marks that nobody checked."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ..core.asserted import Watch, keywords, watching
from ..core.duration import show_duration
from .asked import NO_FLEET
from .checking import late_mark
from .margins import StabilityWarning
from .markers import FLEET, STABILITY
from .plans import asks, plan_of
from .project_fixtures import our_fixtures
from .stash import connection_key, connector_key, fleet_key, loop_key, soak_key, unheld_key, watch_key

if TYPE_CHECKING:
    from ..core.asserted import Unused
    from ..core.judge.requirement import Requirement

# With one of these the plugin itself checks the requirement of the mark.
_CHECKED = frozenset({"ws_soak", "ws_connection", FLEET})


class EmptyPass(AssertionError):
    """A test passed, and asserted nothing, or not what its mark says: no failure that anybody expected."""


@contextmanager
def watched(item: pytest.Item) -> Iterator[None]:
    """Take down what a test asserts, with its fixtures."""
    with watching(Watch()) as watch:
        item.stash[watch_key] = watch
        listener = _Listener(watch)
        # What asyncio says of a task whose error nobody took, on whatever loop.
        logger = logging.getLogger("asyncio")
        logger.addFilter(listener)
        try:
            yield
        finally:
            logger.removeFilter(listener)


class _Listener(logging.Filter):
    """
    Hears of failures that nobody else hears of, and lets every record pass.

    No handler: with one, what a run without others would print on stderr is lost (`logging.lastResort`).

    """

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if record.levelno >= logging.ERROR and isinstance(error, AssertionError):
            self._watch.unheard(error)
        return True


def begin(item: pytest.Item) -> None:
    """Forget what another run of the test has asserted."""
    watch = item.stash.get(watch_key, None)
    if watch is not None:
        watch.forget()
        item.stash[unheld_key] = False


def begin_body(item: pytest.Item) -> None:
    """The fixtures are set up: what is asserted from now on is the test's own."""
    watch = item.stash.get(watch_key, None)
    if watch is not None:
        watch.begin_body()


def refuse(item: pytest.Item) -> None:
    """
    See that a test whose body passed has asserted what it says.

    Raises:
        EmptyPass: if not, with what to write.

    """
    __tracebackhide__ = True
    refuse_unused(item)
    stash, names = item.stash, our_fixtures(item)
    # One that has a mark of its own may have asked by name for what holds it to that.
    asked = "ws_connect" in names or any(map(asks, item.own_markers))
    if stash.get(watch_key, None) is None or not asked:
        return
    if FLEET not in names and fleet_key not in stash and plan_of(item).fleet is not None:
        raise EmptyPass(NO_FLEET)
    if _CHECKED.intersection(names) or soak_key in stash or fleet_key in stash or connection_key in stash:
        return
    # Where a fixture of the user's opens the connection, it may hold it once the test is over.
    own = inspect.signature(item.function).parameters if isinstance(item, pytest.Function) else ()
    stash[unheld_key] = "ws_connect" not in own and connector_key in stash
    if not stash[unheld_key]:
        _refuse_unheld(item)


def refuse_late_mark(item: pytest.Item) -> None:
    """
    See that a fixture or the body has given the test no mark, which would promise what nobody checks.

    Raises:
        EmptyPass: if one was.

    """
    __tracebackhide__ = True
    if text := late_mark(item):
        raise EmptyPass(text)


def refuse_at_end(item: pytest.Item) -> None:
    """
    The same once the fixtures of the test are torn down, of a mark that was left to them.

    Raises:
        EmptyPass: if nothing was held to it.

    """
    __tracebackhide__ = True
    refuse_unused(item)
    if item.stash.get(unheld_key, False):
        _refuse_unheld(item)


def _refuse_unheld(item: pytest.Item) -> None:
    """See that something in a test was held to its mark."""
    __tracebackhide__ = True
    watch, requirement = item.stash[watch_key], plan_of(item).requirement
    if requirement is not None and not watch.judges(requirement):
        raise EmptyPass(
            f"nothing in this test was held to its mark {STABILITY}({_written(requirement)})\n"
            "  fix       write  await connection.assert_stable()  in the test, which checks all of it on a "
            "connection of ws_connect; or use the fixture ws_connection, which is held to it after the test"
        )


def refuse_unused(item: pytest.Item) -> None:
    """
    See that every call that has to be awaited was, and what came of an assertion heard.

    Raises:
        EmptyPass: if one was not, with the line that calls it, or the failure.

    """
    __tracebackhide__ = True
    if unused := drop_unused(item):
        raise EmptyPass("\n".join(map(_sentence, unused)))
    watch = item.stash.get(watch_key, None)
    if watch is not None and (unheard := watch.take_unheard()):
        raise EmptyPass(f"failed in a task whose result nobody took, so the test went on: {unheard[0]}")


def drop_unused(item: pytest.Item) -> list[Unused]:
    """Close what nobody awaited, and give it."""
    watch, loop = item.stash.get(watch_key, None), item.stash.get(loop_key, None)
    if watch is None:
        return []
    tasks = asyncio.all_tasks(loop) if loop is not None else ()
    return watch.take_unused([task.get_coro() for task in tasks])


def warn_of_unused(item: pytest.Item, unused: Iterable[Unused]) -> None:
    """
    Warn of what a body that failed forgot to do: that may be why, and what it raised does not say it.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    for each in unused:
        if not each.asserts:
            item.warn(StabilityWarning(_sentence(each)))


def warn_of_unfinished(item: pytest.Item) -> None:
    """
    Warn of assertions that were still waiting in a task when the body ended: nobody hears of them any more.

    Raises:
        StabilityWarning: where filters make it an error.

    """
    watch, loop = item.stash.get(watch_key, None), item.stash.get(loop_key, None)
    if watch is None or loop is None:
        return
    # A task that is being cancelled is one that somebody has looked after.
    waiting = [task.get_coro() for task in asyncio.all_tasks(loop) if not task.cancelling()]
    held = [inner for coroutine in waiting for inner in _chain(coroutine)]
    for coroutine, where in watch.unfinished():
        if any(coroutine is each for each in held):
            text = f"{where.name}() was still waiting when the test ended, so it asserted nothing"
            item.warn(StabilityWarning(f"{_place(where)}: {text}: await its task"))


def _chain(coroutine: object) -> Iterator[object]:
    """A coroutine, the one that it awaits, and so on."""
    while coroutine is not None:
        yield coroutine
        coroutine = getattr(coroutine, "cr_await", None)


def insist(excinfo: pytest.ExceptionInfo[BaseException], report: pytest.TestReport) -> None:
    """An empty pass is no failure that a test is expected to have."""
    if isinstance(excinfo.value, EmptyPass) and hasattr(report, "wasxfail"):
        del report.wasxfail
        report.outcome = "failed"


def _sentence(unused: Unused) -> str:
    return (
        f"{_place(unused)}: {unused.name}() was never awaited, so {unused.without}: "
        f"write  await {unused.on}{unused.name}(...)"
    )


def _place(unused: Unused) -> str:
    path = os.path.relpath(unused.path)
    return f"{unused.path if path.startswith('..') else path}:{unused.line}"


def _written(requirement: Requirement) -> str:
    """A requirement as a mark says it."""
    values = {name: getattr(requirement, name) for name in keywords(requirement)}
    return ", ".join(f"{name}={_value(value)}" for name, value in values.items())


def _value(value: object) -> str:
    if isinstance(value, float):
        return repr(show_duration(value).replace(" ", ""))
    return repr(sorted(value) if isinstance(value, frozenset) else value)

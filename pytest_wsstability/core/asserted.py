"""
What a test has asserted so far, and what it forgot to await.

An assertion that waits is a coroutine: one that nobody awaits asserts nothing, and the test that ends with it
would pass. So would one whose connection was never opened, whose server never went down, or whose time never
passed. While a `Watch` is on, each of them is kept until it is known whether somebody has used it. One that
fails in a task whose result nobody takes is known as well.

"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Collection, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from types import CoroutineType, FrameType
from typing import Any, TypeVar, cast
from weakref import WeakSet

from .judge.requirement import Requirement

F = TypeVar("F", bound=Callable[..., Coroutine[Any, Any, Any]])

_PACKAGE = __name__.partition(".")[0]
# From so many coroutines on, those that have ended are let go.
_MANY = 1000
# Keywords that one assertion judges together, by what they are about; others stand for themselves.
_TOGETHER = {
    "allow_close": "alive_for",
    "max_age_ok": "alive_for",
    # A hold judges it too; see `Requirement.no_error_messages`.
    "no_error_messages": "alive_for",
    "heartbeat_within": "heartbeat_every",
    "heartbeat_missed_max": "heartbeat_every",
    "heartbeats_at_least": "heartbeat_every",
    "messages_at_least": "message_every",
}
_NOTHING = Requirement()


def keywords(requirement: Requirement) -> list[str]:
    """The keywords of a requirement that ask for something."""
    names = [field.name for field in fields(Requirement)]
    return [name for name in names if getattr(requirement, name) != getattr(_NOTHING, name)]


@dataclass(frozen=True, slots=True)
class Unused:
    """A call that nobody awaited, and where the test makes it."""

    name: str
    path: str
    line: int
    # What did not happen, and what the name is called on.
    without: str = "it asserted nothing"
    on: str = "...."
    # Whether it would have asserted something, rather than done it.
    asserts: bool = True


class Watch:
    """What was asserted while it was on."""

    def __init__(self) -> None:
        # Those of the test's body, and of the fixtures that were set up before it.
        self._coroutines: list[tuple[Coroutine[Any, Any, Any], Unused]] = []
        self._of_fixtures: list[tuple[Coroutine[Any, Any, Any], Unused]] = []
        self._most = _MANY
        # What the assertions were about.
        self._judged: set[str] = set()
        # What failed, and of that what the event loop says nobody has heard of.
        self._failed: WeakSet[AssertionError] = WeakSet()
        self._unheard: list[AssertionError] = []

    def forget(self) -> None:
        """Begin anew."""
        self._coroutines.clear()
        self._of_fixtures.clear()
        self._judged.clear()
        self._unheard.clear()

    def begin_body(self) -> None:
        """The fixtures of the test are set up."""
        self._of_fixtures, self._coroutines = [*self._of_fixtures, *self._coroutines], []

    def unfinished(self) -> list[tuple[Coroutine[Any, Any, Any], Unused]]:
        """The assertions of the body that have begun, and wait still."""
        # What only does something, such as a reader of messages, may wait beyond the end.
        return [
            (coroutine, where)
            for coroutine, where in self._coroutines
            if where.asserts and inspect.getcoroutinestate(coroutine) == inspect.CORO_SUSPENDED
        ]

    def judges(self, requirement: Requirement) -> bool:
        """Whether an assertion was about one of the keywords of a requirement."""
        return not self._judged.isdisjoint(_about(requirement))

    def take_unused(self, scheduled: Collection[object] = ()) -> list[Unused]:
        """
        The calls that nobody has awaited so far, oldest first; each is told once, and closed.

        Args:
            scheduled: coroutines of tasks, which close them when they are cancelled.

        """
        unused = [each for each in (*self._of_fixtures, *self._coroutines) if not _is_used(each[0])]
        self._of_fixtures.clear()
        self._coroutines.clear()
        for coroutine, _ in unused:
            if coroutine not in scheduled:
                coroutine.close()
        return [where for _, where in unused]

    def unheard(self, error: AssertionError) -> None:
        """The event loop says that nobody took the result of a task that failed with this."""
        # What is thrown away late may be of an earlier test.
        if error in self._failed:
            self._unheard.append(error)

    def take_unheard(self) -> list[AssertionError]:
        """The failures that nobody has heard of so far, oldest first; each is told once."""
        unheard, self._unheard = self._unheard, []
        return unheard

    def fail(self, error: AssertionError) -> None:
        """An assertion failed."""
        self._failed.add(error)

    def note(self, requirement: Requirement) -> None:
        """An assertion is about this."""
        self._judged |= _about(requirement)

    def keep(self, coroutine: Coroutine[Any, Any, Any], where: Unused) -> None:
        """A call was made, and its coroutine not used yet."""
        self._coroutines.append((coroutine, where))
        if len(self._coroutines) > self._most:
            # One that waits may wait still when the test ends.
            self._coroutines = [each for each in self._coroutines if _native(each[0]).cr_frame is not None]
            self._most = max(_MANY, 2 * len(self._coroutines))


# Those that are on, the innermost last: a test may run pytest itself.
_watches: list[Watch] = []


@contextmanager
def watching(watch: Watch) -> Iterator[Watch]:
    """Take down what is asserted meanwhile."""
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)


def asserting(requirement: Requirement) -> None:
    """Say that a test asserts something, whatever comes of it."""
    if _watches:
        _watches[-1].note(requirement)


def failing(error: AssertionError) -> None:
    """Say that an assertion fails, whoever hears of it."""
    if _watches:
        _watches[-1].fail(error)


def awaited(assertion: F) -> F:
    """Keep the coroutines of an assertion that waits, so that one that is never awaited is found."""
    return _kept(assertion, assertion.__name__)


def doing(without: str, *, name: str | None = None, on: str = "....") -> Callable[[F], F]:
    """
    Keep those of a call that does something, and has not done it before it is awaited.

    Args:
        without: what did not happen.
        name: what the test calls; None for the function's own name.
        on: what it calls that on.

    """

    def decorate(action: F) -> F:
        return _kept(action, name or action.__name__, without=without, on=on, asserts=False)

    return decorate


def _kept(function: F, name: str, **more: Any) -> F:
    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        __tracebackhide__ = True
        coroutine = function(*args, **kwargs)
        _keep(coroutine, sys._getframe(1), name, **more)
        return coroutine

    return cast("F", called)


def opening(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Keep that of a call of ``ws_connect``, which opens nothing before it is awaited."""
    _keep(coroutine, sys._getframe(2), "ws_connect", without="nothing was opened", on="", asserts=False)


def advancing(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Keep that of a call of ``ws_clock.advance``, which lets no time pass before it is awaited."""
    _keep(coroutine, sys._getframe(2), "advance", without="no time passed", on="ws_clock.", asserts=False)


def _keep(coroutine: Coroutine[Any, Any, Any], caller: FrameType, name: str, **more: Any) -> None:
    # Assertions of ours that are made of others await them.
    if _watches and caller.f_globals.get("__name__", "").partition(".")[0] != _PACKAGE:
        _watches[-1].keep(coroutine, Unused(name, caller.f_code.co_filename, caller.f_lineno, **more))


def _is_used(coroutine: Coroutine[Any, Any, Any]) -> bool:
    """Whether somebody has sent into it, thrown into it, or closed it."""
    # As `inspect.getcoroutinestate` finds it, which is too slow for every message that a test sends.
    native = _native(coroutine)
    return native.cr_frame is None or native.cr_suspended or native.cr_running


def _native(coroutine: Coroutine[Any, Any, Any]) -> CoroutineType[Any, Any, Any]:
    """The same, of which it can be told how far it is."""
    return cast("CoroutineType[Any, Any, Any]", coroutine)


def _about(requirement: Requirement) -> set[str]:
    return {_TOGETHER.get(name, name) for name in keywords(requirement)}

"""A loop of the plugin's own for a hold, and threads that do not wait for virtual time."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..core.judge.verdict import Outcome
from ..core.message.errors import StabilityError, leaves
from ..net.apps.exits import exits_as_errors
from ..net.errors import ConnectionEnded, OpeningError
from ..virtual import run_virtual
from ..virtual.leftovers import Jobs, Threads
from ..virtual.loop import VirtualLoop
from ..virtual.runner import LoopSettings, is_loop_running, run_to_the_end
from .slow import tell_if_slow
from .stash import loop_key

if TYPE_CHECKING:
    import pytest

    from ..core.judge.verdict import Verdict


class _Held(Protocol):
    """What a hold gives, of one connection or of many."""

    @property
    def verdict(self) -> Verdict: ...


# What a test in virtual time fails with when the server said nothing, or the wrong thing, in time.
_BLAMING = (StabilityError, OpeningError, ConnectionEnded, TimeoutError)

T = TypeVar("T")
H = TypeVar("H", bound=_Held)


def run_private(
    coroutine: Coroutine[Any, Any, T], timers: LoopSettings | None, *, patch_time: bool = False
) -> T:
    """
    Run a coroutine on a loop of its own, in a thread of its own where a loop runs already.

    Args:
        coroutine: what to run.
        timers: those of virtual time; None for real time.
        patch_time: let the time module follow the virtual clock.

    """
    if not is_loop_running():
        return _run(coroutine, timers, patch_time)
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(_run(coroutine, timers, patch_time))
        except BaseException as exc:
            errors.append(exc)

    thread = threading.Thread(target=target, name="wsstability-soak")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _run(coroutine: Coroutine[Any, Any, T], timers: LoopSettings | None, patch_time: bool) -> T:
    # Of a callback, a task of the app's own, or a handler of Tornado: pytest keeps no setup that ends so.
    with exits_as_errors():
        if timers is not None:
            return run_virtual(coroutine, **dataclasses.asdict(timers), patch_time=patch_time)
        jobs = Jobs()
        with asyncio.Runner(loop_factory=lambda: _real_loop(jobs)) as runner:
            return run_to_the_end(runner, coroutine, jobs)


def _real_loop(jobs: Jobs) -> asyncio.AbstractEventLoop:
    """A loop of the project's kind, whose jobs of executors are counted: an app may live on it."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(Threads(jobs))
    uncounted = loop.run_in_executor

    def run_in_executor(executor: Any, function: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        return uncounted(executor, jobs.run, function, *args)

    loop.run_in_executor = run_in_executor  # type: ignore[assignment, method-assign]
    return loop


@contextmanager
def late_threads(item: pytest.Item) -> Iterator[None]:
    """
    See that a failure of a test in virtual time is not that of a thread which the clock did not wait for.

    Raises:
        VirtualTimeError: naming the thread, in the place of a failure that blames the server.

    """
    __tracebackhide__ = True
    try:
        yield
    except Exception as error:
        blames = any(isinstance(each, _BLAMING) for each in leaves(error))
        if blames and loop_key in item.stash:
            _refuse_late_thread(item.stash[loop_key])
        raise


async def without_late_threads(item: pytest.Item, held: Coroutine[Any, Any, H]) -> H:
    """
    What a hold on a loop of its own gives, seen to as `late_threads` does for the loop of a test.

    Raises:
        VirtualTimeError: as there.

    """
    __tracebackhide__ = True
    tell_if_slow(item, asyncio.get_running_loop())
    try:
        found = await held
    except OpeningError:
        _refuse_late_thread(asyncio.get_running_loop())
        raise
    if found.verdict.outcome is not Outcome.STABLE:
        _refuse_late_thread(asyncio.get_running_loop())
    return found


def _refuse_late_thread(loop: asyncio.AbstractEventLoop) -> None:
    """
    See that no thread wakes a loop whose virtual time has passed it by.

    Raises:
        VirtualTimeError: naming the thread that does.

    """
    if isinstance(loop, VirtualLoop) and (late := loop.late_thread()) is not None:
        raise late from None

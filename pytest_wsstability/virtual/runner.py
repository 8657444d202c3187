"""Running a coroutine in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from .errors import VirtualTimeError
from .leftovers import Jobs, end_leftovers
from .loop import HORIZON, VirtualLoop
from .patching import patched_time
from .timers import Order

T = TypeVar("T")


def run_virtual(
    coro: Coroutine[Any, Any, T],
    *,
    order: Order = "fifo",
    seed: int = 0,
    patch_time: bool = False,
    horizon: float = HORIZON,
    tick: float = 0.0,
) -> T:
    """
    Run a coroutine in virtual time, as `asyncio.run` does in real time.

    The global `random` is seeded for the run and restored afterwards.

    Args:
        coro: what to run.
        order: which of several timers due at exactly the same instant comes first; see `VirtualLoop`.
        seed: of the order ``"random"`` and of the global `random`.
        horizon: seconds beyond what was asked for, after which the run is given up; see `VirtualLoop`.
        tick: seconds that pass in each turn of the loop, for code that wants its clock to move.
        patch_time: let `time.time`, `time.monotonic` and `datetime.datetime` follow the virtual clock; see
            `patched_time` for what that cannot reach.

    Returns:
        What the coroutine returns.

    Raises:
        RuntimeError: if an event loop is running in this thread.
        VirtualTimeError: for what virtual time cannot cover.
        VirtualDeadlock: if nothing can ever happen any more, or nothing but what happens again and again.

    """
    if is_loop_running():
        coro.close()
        raise RuntimeError("run_virtual() was called from a running event loop; await the coroutine instead")
    with ExitStack() as stack:
        stack.enter_context(_seeded_random(seed))
        loop = VirtualLoop(order=order, seed=seed, horizon=horizon, tick=tick)
        runner = stack.enter_context(asyncio.Runner(loop_factory=lambda: loop))
        if patch_time:
            stack.enter_context(patched_time(loop))
        return run_to_the_end(runner, coro, loop.jobs)


def run_to_the_end(runner: asyncio.Runner, coro: Coroutine[Any, Any, T], jobs: Jobs) -> T:
    """Run a coroutine, then end what it has left; see `end_leftovers`."""
    failed: BaseException | None = None
    try:
        result = runner.run(coro)
    except BaseException as error:
        failed = error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
    # Out of the handler, for a task that is cancelled there tells of that error as of its own; and what
    # ended the run is told, not what its leftovers do.
    with suppress(VirtualTimeError, Warning) if failed is not None else nullcontext():
        runner.run(end_leftovers(jobs))
    if failed is not None:
        raise failed
    return result


def is_loop_running() -> bool:
    """Whether an event loop is running in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """What a virtual loop is made with (see `VirtualLoop`); called, it makes one."""

    # No function and no partial: those would become methods as attributes of a TestCase.
    order: Order = "fifo"
    seed: int = 0
    horizon: float = HORIZON
    tick: float = 0.0

    def __call__(self) -> VirtualLoop:
        return VirtualLoop(order=self.order, seed=self.seed, horizon=self.horizon, tick=self.tick)


def virtual_loop_factory(
    *, order: Order = "fifo", seed: int = 0, horizon: float = HORIZON, tick: float = 0.0
) -> Callable[[], VirtualLoop]:
    """
    A callable that makes virtual loops.

    For ``asyncio.Runner(loop_factory=...)``, for anyio's ``("asyncio", {"loop_factory": ...})`` and for
    ``unittest.IsolatedAsyncioTestCase.loop_factory``.

    """
    return LoopSettings(order, seed, horizon, tick)


@contextmanager
def _seeded_random(seed: int) -> Iterator[None]:
    state = random.getstate()
    random.seed(seed)
    try:
        yield
    finally:
        random.setstate(state)

"""Holds on private event loops, for tests that have none."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ...core.judge.requirement import Requirement
    from ...net.hold import Soak
    from ...virtual import Order

T = TypeVar("T")


# So much of a hold is tried in another order of simultaneous timers: timers that meet, meet early.
_TRIED = 3600.0


@dataclass(frozen=True, slots=True)
class Chance:
    """What virtual time leaves open: the seed, and which of several simultaneous timers comes first."""

    seed: int
    order: Order


def run_hold(
    requirement: Requirement, hold: Callable[[Requirement], Coroutine[Any, Any, Soak]], chance: Chance | None
) -> Soak:
    """
    Hold a connection to a requirement, in virtual time with a second look at timers that met.

    Args:
        requirement: what to hold it to.
        hold: makes the coroutine of one hold.
        chance: of virtual time; None for real time.

    Returns:
        The hold; inconclusive if another order of simultaneous timers ends it otherwise.

    """
    return in_another_order(run_private(hold(requirement), chance), hold, chance)


def in_another_order(
    soak: Soak, hold: Callable[[Requirement], Coroutine[Any, Any, Soak]], chance: Chance | None
) -> Soak:
    """
    Look at a finished hold a second time, in another order of simultaneous timers, if there were any.

    Args:
        soak: the hold.
        hold: makes the coroutine of one just like it.
        chance: with which it ran; None for real time.

    Returns:
        The hold; inconclusive if the other order ends it otherwise.

    """
    if chance is None or not soak.ties:
        return soak
    requirement = soak.requirement
    seconds = min(requirement.alive_for or _TRIED, _TRIED)
    shorter = dataclasses.replace(requirement, alive_for=seconds, heartbeats_at_least=0)
    other: Order = "lifo" if chance.order == "fifo" else "fifo"
    return soak.compared_with(run_private(hold(shorter), Chance(chance.seed, other)))


def run_private(coroutine: Coroutine[Any, Any, T], chance: Chance | None) -> T:
    """
    Run a coroutine on a loop of its own, in a thread of its own where a loop runs already.

    Args:
        coroutine: what to run.
        chance: of virtual time; None for real time.

    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return _run(coroutine, chance)
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(_run(coroutine, chance))
        except BaseException as exc:
            errors.append(exc)

    thread = threading.Thread(target=target, name="wsstability-soak")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


def _run(coroutine: Coroutine[Any, Any, T], chance: Chance | None) -> T:
    if chance is not None:
        from ...virtual import run_virtual

        return run_virtual(coroutine, order=chance.order, seed=chance.seed)
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        return runner.run(coroutine)

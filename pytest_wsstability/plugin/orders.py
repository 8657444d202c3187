"""
Simultaneous timers of virtual time: which comes first, and whether it matters.

A hold of ws_soak is looked at a second time in another order by itself. Other virtual tests are, with
``--ws-order all``: they are parametrized, so that each run has an id, fixtures and a loop of its own. The
second run is left out where no timers met in the first, and fails with the knife edge where it ends
otherwise.

Two runs end otherwise where the outcome, the cause or the close code is another; at another instant alone
they do not.

"""

from __future__ import annotations

import dataclasses
import inspect
import math
import zlib
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from ..core.duration import parse_duration
from ..core.judge.knife_edge import begun_at
from ..core.judge.rules import judge
from ..core.judge.verdict import Outcome, Verdict
from ..core.message.errors import StabilityError, leaves
from ..net.hold import Soak
from ..virtual.loop import HORIZON
from ..virtual.runner import LoopSettings
from .markers import id_of, needs_runner, params_of
from .own_loop import run_private
from .plans import is_virtual, loop_scope
from .registered import registered
from .settings import Settings
from .stash import connector_key, settings_key, ties_key

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement
    from ..core.judge.verdict import Verdict
    from ..core.timeline.timeline import Timeline
    from ..virtual import Order


# The fixture that carries the order, and what its two values are called in the ids of tests.
FIXTURE = "_ws_order"
_ORDERS: tuple[Order, ...] = ("fifo", "lifo")
_SAME = 1e-9
_NAME = "wsstability-orders"
# So much of a hold that lasts longer is tried in another order of timers: those that meet, meet early.
_TRIED = 3600.0


def in_another_order(
    soak: Soak,
    hold: Callable[[Requirement], Coroutine[Any, Any, Soak]],
    timers: LoopSettings | None,
    *,
    patch_time: bool = False,
) -> Soak:
    """
    Look at a finished hold a second time, in another order of simultaneous timers, if there were any.

    A hold that was over within an hour is held once more as it was. Of one that lasted longer the first hour
    is, and counts only if it breaks a promise before it is over: what the hold shows later was seen in one
    order, and stands.

    Args:
        soak: the hold.
        hold: makes the coroutine of one just like it.
        timers: with which it ran; None for real time.
        patch_time: see `run_private`.

    Returns:
        The hold; inconclusive if the other order ends it otherwise.

    """
    if timers is None or not soak.ties:
        return soak
    requirement = tried = soak.requirement
    cut = (requirement.alive_for or 0.0) > _TRIED and _is_long(soak)
    if cut:
        tried = dataclasses.replace(requirement, alive_for=_TRIED)
    order: Order = "lifo" if timers.order == "fifo" else "fifo"
    found = run_private(hold(tried), dataclasses.replace(timers, order=order), patch_time=patch_time)
    other = _broken_early(found, requirement) if cut else found
    if other is None or _ending(soak.verdict, soak.timelines) == _ending(other.verdict, other.timelines):
        return soak
    return soak.compared_with(other)


def _broken_early(first_hour: Soak, requirement: Requirement) -> Soak | None:
    """
    The first hour of a hold, judged as all of it; None if no promise was broken before the hour was over.

    What is judged in the end, such as how many messages came, is not judged of a part.

    """
    if first_hour.verdict.outcome is not Outcome.UNSTABLE or _is_long(first_hour):
        return None
    timelines = first_hour.timelines
    return Soak(requirement, judge(requirement, timelines[0]), timelines, url=first_hour.url)


def _is_long(soak: Soak) -> bool:
    """Whether the verdict of a hold reaches as far as is tried in another order."""
    return soak.verdict.horizon >= _TRIED - _SAME


def _ending(verdict: Verdict, timelines: Sequence[Timeline]) -> tuple[object, ...]:
    """What two orders are compared by: how a connection was judged, and why; not when."""
    close = timelines[0].close if timelines else None
    return verdict.outcome, verdict.code, None if close is None else close.code


# Tests in two orders.


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """How a test ended in one order."""

    order: Order
    # One line; empty for a test that passed.
    failure: str
    # What the two are compared by: of a connection's failure not the instant, of others the line.
    ending: tuple[object, ...]
    # The instants of the loop at which timers met, oldest first, as far as they are kept.
    ties: tuple[float, ...]
    # How many there were.
    count: int
    # When it failed, by the loop's clock; None if it passed, or that is not known.
    at: float | None
    # What its connections saw.
    timelines: tuple[Timeline, ...]


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Make two tests of one that runs on a virtual loop of its own."""
    test = metafunc.definition
    if test.config.stash[settings_key].order != "all" or not inspect.iscoroutinefunction(metafunc.function):
        return
    # A test that has no runner yet will get one of its own.
    if needs_runner(test) or loop_scope(test) == "function":
        metafunc.fixturenames.append(FIXTURE)
        metafunc.parametrize(FIXTURE, _ORDERS, indirect=True, ids=[f"order-{order}" for order in _ORDERS])


def order_of(item: pytest.Item | pytest.Collector) -> LoopSettings:
    """What virtual time leaves open in a test, class or module."""
    timers = order_by(item.config.stash[settings_key])
    # What each test draws differs from what others draw: an app that serves them all may keep the names.
    seed = zlib.crc32(_twins(item).encode(errors="replace"), timers.seed)
    return dataclasses.replace(timers, order=_order(item) or timers.order, seed=seed)


def timers_of(item: pytest.Item) -> LoopSettings | None:
    """The same for a test; None in real time."""
    return order_of(item) if is_virtual(item) else None


def order_by(settings: Settings) -> LoopSettings:
    """
    What the options say of it.

    Raises:
        ValueError: if the horizon is no duration.

    """
    horizon = HORIZON
    if settings.virtual_horizon is not None:
        horizon = parse_duration(settings.virtual_horizon, "ini ws_virtual_horizon")
    order: Order = "fifo" if settings.order == "all" else settings.order
    return LoopSettings(order, settings.seed, horizon, settings.virtual_tick)


def _order(item: pytest.Item | pytest.Collector) -> Order | None:
    """The order that a test was parametrized with; None for others."""
    return params_of(item).get(FIXTURE)


class FirstRuns:
    """How the first of two runs ended, by what the ids of both have in common."""

    def __init__(self) -> None:
        self._runs: dict[str, OrderOutcome] = {}

    def skip_needless(self, item: pytest.Item) -> None:
        """Leave the second run of a test out if no timers met in the first."""
        first = self._runs.get(_twins(item)) if _order(item) is not None else None
        if first is not None and not first.count:
            pytest.skip(f"no timers met with --ws-order {first.order}: another order changes nothing")

    def compare(self, item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
        """Remember how the first of two runs ended; fail the second if it ended otherwise."""
        order = _order(item)
        # What was left out or is expected to fail says nothing about the order.
        if order is None or call.when != "call" or report.skipped or hasattr(report, "wasxfail"):
            return
        run = _ended(item, order, call)
        first = self._runs.setdefault(_twins(item), run)
        if first.order == order or first.ending == run.ending:
            return
        report.outcome = "failed"
        text = _knife_edge(first, run)
        report.longrepr = f"{text}\n\n{report.longreprtext}".rstrip()


def first_runs_of(config: pytest.Config) -> FirstRuns:
    """Those of a session, none of them known when they are first asked for."""
    return registered(config, _NAME, FirstRuns)


def _twins(item: pytest.Item | pytest.Collector) -> str:
    """What the two runs of a test have in common: its id without the order."""
    return id_of(item).replace(f"order-{_order(item)}", "order")


def _ended(item: pytest.Item, order: Order, call: pytest.CallInfo[None]) -> OrderOutcome:
    ties = item.stash.get(ties_key, None)
    instants = tuple(instant for instant, _ in ties.instants) if ties is not None else ()
    count = ties.count if ties is not None else 0
    failure, ending, at = _failure(call.excinfo.value) if call.excinfo is not None else ("", (), None)
    connector = item.stash.get(connector_key, None)
    connections = connector.connections if connector is not None else ()
    timelines = tuple(timeline for connection in connections for timeline in connection.timelines)
    return OrderOutcome(order, failure, ending, instants, count, at, timelines)


def _failure(error: BaseException) -> tuple[str, tuple[object, ...], float | None]:
    """One line about a failure, what it is compared by, and when it came by the loop's clock."""
    told = next((each for each in leaves(error) if isinstance(each, StabilityError)), None)
    if told is None:
        line = f"{type(error).__name__}: {error}".partition("\n")[0]
        return line, (line,), None
    at = min((violation.at for violation in told.verdict.violations), default=None)
    # A failure of several connections as one has no timeline: it came when the last of them was looked at.
    opened = told.timelines[0].opened if told.timelines else 0.0
    ending = _ending(told.verdict, told.timelines)
    return told.verdict.headline, ending, None if at is None else at + opened


def _knife_edge(first: OrderOutcome, second: OrderOutcome) -> str:
    """The instant from which two runs went different ways, as far as it can be told, and both ends."""
    end = min(run.at if run.at is not None else math.inf for run in (first, second))
    at = max((tie for run in (first, second) for tie in run.ties if tie <= end + _SAME), default=0.0)
    ends = ", ".join(f"with --ws-order {run.order} {run.failure or 'it passes'}" for run in (first, second))
    return f"knife edge at t={at:.3f} s: {_together(at, first, second)} together; {ends}"


def _together(at: float, *runs: OrderOutcome) -> str:
    """What began at an instant of the loop's clock in one run or the other."""
    names = [
        name
        for run in runs
        if run.timelines
        for name in begun_at(at - run.timelines[0].opened, run.timelines)
    ]
    found = list(dict.fromkeys(names))
    if not found:
        return "several timers"
    return " and ".join(found) if len(found) > 1 else f"{found[0]} and another timer"

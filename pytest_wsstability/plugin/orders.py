"""
Each virtual test in two orders of simultaneous timers: ``--ws-order all``.

The tests are parametrized, so that each run has an id, fixtures and a loop of its own. The second run is
left out where no timers met in the first, and fails with the knife edge where it ends otherwise. Nothing of
this happens without the option.

"""

from __future__ import annotations

import inspect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from .clock import loop_scope
from .fixtures import connector_key
from .markers import needs_runner
from .options import settings_key

if TYPE_CHECKING:
    from ..core.timeline.timeline import Timeline
    from ..virtual import Order
    from ..virtual.timers import Ties
    from .soaks.private_loops import Chance

# The fixture that carries the order, and what its two values are called in the ids of tests.
FIXTURE = "_ws_order"
_ORDERS: tuple[Order, ...] = ("fifo", "lifo")

# What the loop of a test counts; set where the loop is made.
ties_key = pytest.StashKey["Ties"]()
_runs_key = pytest.StashKey["dict[str, Run]"]()

_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class Run:
    """How a test ended in one order."""

    order: Order
    # One line; empty for a test that passed.
    failure: str
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


def chance_of(item: pytest.Item | pytest.Collector) -> Chance:
    """What virtual time leaves open in a test, class or module."""
    from .soaks.private_loops import Chance

    chance = item.config.stash[settings_key].chance
    order = _order(item)
    return chance if order is None else Chance(chance.seed, order)


def _order(item: pytest.Item | pytest.Collector) -> Order | None:
    """The order that a test was parametrized with; None for others."""
    return getattr(getattr(item, "callspec", None), "params", {}).get(FIXTURE)


def skip_needless(item: pytest.Item) -> None:
    """Leave the second run of a test out if no timers met in the first."""
    first = _runs(item).get(_twins(item)) if _order(item) is not None else None
    if first is not None and not first.count:
        pytest.skip(f"no timers met with --ws-order {first.order}: another order changes nothing")


def compare(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Remember how the first of two runs ended; fail the second if it ended otherwise."""
    order = _order(item)
    # What was left out or is expected to fail says nothing about the order.
    if order is None or call.when != "call" or report.skipped or hasattr(report, "wasxfail"):
        return
    run = _run(item, order, call)
    first = _runs(item).setdefault(_twins(item), run)
    if first.order == order or first.failure == run.failure:
        return
    report.outcome = "failed"
    text = _knife_edge(first, run)
    report.longrepr = f"{text}\n\n{report.longreprtext}".rstrip()


def _runs(item: pytest.Item) -> dict[str, Run]:
    return item.session.stash.setdefault(_runs_key, {})


def _twins(item: pytest.Item) -> str:
    """What the two runs of a test have in common: its id without the order."""
    return item.nodeid.replace(f"order-{_order(item)}", "order")


def _run(item: pytest.Item, order: Order, call: pytest.CallInfo[None]) -> Run:
    ties: Ties | None = item.stash.get(ties_key, None)
    instants = tuple(instant for instant, _ in ties.instants) if ties is not None else ()
    count = ties.count if ties is not None else 0
    failure, at = _failure(call.excinfo.value) if call.excinfo is not None else ("", None)
    connector = item.stash.get(connector_key, None)
    connections = connector.connections if connector is not None else ()
    timelines = tuple(timeline for connection in connections for timeline in connection.timelines)
    return Run(order, failure, instants, count, at, timelines)


def _failure(error: BaseException) -> tuple[str, float | None]:
    """One line about a failure, and when it came by the loop's clock."""
    from ..core.message.errors import StabilityError

    if not isinstance(error, StabilityError):
        return f"{type(error).__name__}: {error}".partition("\n")[0], None
    at = min((violation.at for violation in error.verdict.violations), default=None)
    return error.verdict.headline, None if at is None else at + error.timelines[0].opened


def _knife_edge(first: Run, second: Run) -> str:
    """The instant from which two runs went different ways, as far as it can be told, and both ends."""
    end = min(run.at if run.at is not None else math.inf for run in (first, second))
    at = max((tie for run in (first, second) for tie in run.ties if tie <= end + _SAME), default=0.0)
    ends = ", ".join(f"with --ws-order {run.order} {run.failure or 'it passes'}" for run in (first, second))
    return f"knife edge at t={at:.3f} s: {_together(at, first, second)} together; {ends}"


def _together(at: float, *runs: Run) -> str:
    """What began at an instant of the loop's clock in one run or the other."""
    from ..core.judge.knife_edge import begun_at

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

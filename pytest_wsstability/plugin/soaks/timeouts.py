"""pytest-timeout beside long holds: the hold's own length counts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

from ..plans import is_virtual, plan_of
from ..project_fixtures import our_fixtures
from ..stash import raised_timeout_key

# Seconds for opening, the proof of life, closing and the test's own body.
GRACE = 30.0
_HOLDING = frozenset({"ws_soak", "ws_connection"})


def too_short(item: pytest.Item) -> str:
    """What is wrong with the ``timeout`` mark of a test that holds in real time; empty for nothing."""
    hold, mark = _hold(item), item.get_closest_marker("timeout")
    if hold is None or mark is None:
        return ""
    given = _seconds(mark.args[0] if mark.args else mark.kwargs.get("timeout"))
    spared = mark.kwargs.get("func_only") and _holds_in_setup(item)
    if spared or given is None or not 0 < given < hold:
        return ""
    return (
        f"timeout: {given:g} s is shorter than the hold ({hold:g} s with the wait for what is open at its "
        f"end); give {hold + GRACE:g} or more"
    )


def raise_global(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """Give tests that hold longer than the timeout of all tests one that lets them."""
    if not config.pluginmanager.has_plugin("timeout"):
        return
    given = config.getoption("timeout", None)
    if given is None:
        given = os.environ.get("PYTEST_TIMEOUT") or config.getini("timeout")
    limit = _seconds(given)
    if limit is None or limit <= 0:
        return
    unmarked = [(item, _hold(item)) for item in items if item.get_closest_marker("timeout") is None]
    if config.getini("timeout_func_only"):
        unmarked = [(item, hold) for item, hold in unmarked if not _holds_in_setup(item)]
    raised = [(item, hold) for item, hold in unmarked if hold is not None and hold + GRACE > limit]
    for item, hold in raised:
        item.add_marker(pytest.mark.timeout(hold + GRACE))
    if raised:
        config.stash[raised_timeout_key] = (limit, len(raised))


def lines(config: pytest.Config) -> list[str]:
    """What was done, for people."""
    if raised_timeout_key not in config.stash:
        return []
    limit, count = config.stash[raised_timeout_key]
    tests = "1 test" if count == 1 else f"{count} tests"
    return [
        f"wsstability: the timeout of {limit:g} s is too short for the holds of {tests}; "
        f"theirs is the hold and {GRACE:g} s"
    ]


def _hold(item: pytest.Item) -> float | None:
    """Seconds of real time that a test holds by its marker; None if it does not."""
    names = our_fixtures(item)
    if _HOLDING.isdisjoint(names) or is_virtual(item):
        return None
    plan = plan_of(item)
    return plan.requirement.lasts(plan.profile.facts) if plan.requirement is not None else None


def _holds_in_setup(item: pytest.Item) -> bool:
    """Whether a test has held before it is called: ws_soak has, ws_connection is held after the body."""
    return "ws_connection" not in our_fixtures(item)


def _seconds(value: Any) -> float | None:
    """What pytest-timeout takes for seconds; None where it will complain itself."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None

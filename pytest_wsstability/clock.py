"""Which clock a test runs on."""

from __future__ import annotations

import inspect

import pytest

from .markers import STABILITY, plan_of, uses_us
from .settings import settings_key


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
    marker = next((marker for marker in node.iter_markers(STABILITY)), None)
    if marker is None:
        return False
    time = marker.kwargs.get("time", settings.time)
    return time == "virtual" or (time == "auto" and settings.url is None and "url" not in marker.kwargs)


def _leaves(item: pytest.Item) -> bool:
    """
    Whether an overridden ``ws_url`` leads out of this process.

    A fixture that is async, or uses one that is, starts its server on the test's loop; another one
    names a server that runs elsewhere.

    """
    manager = item.session._fixturemanager
    pending, seen = ["ws_url"], set()
    while pending:
        name = pending.pop()
        definitions = manager.getfixturedefs(name, item)
        if name in seen or not definitions:
            continue
        seen.add(name)
        definition = definitions[-1]
        if name == "ws_url" and definition.func.__module__ == f"{__package__}.fixtures":
            return False
        if inspect.iscoroutinefunction(definition.func) or inspect.isasyncgenfunction(definition.func):
            return False
        if name == "ws_orchestrator":
            return False
        pending += definition.argnames
    return True

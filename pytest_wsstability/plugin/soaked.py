"""The finished hold of a test: what ``ws_soak`` gives."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any

import pytest

from ..net.hold import Soak, hold
from .asked import HOW_LONG
from .orders import in_another_order, timers_of
from .own_loop import run_private, without_late_threads
from .own_server import own_orchestrator, own_server
from .plans import has_a_loop, leads_out, plan_of
from .servers.apps import source_of
from .servers.output import silenced
from .soaks.scheduling import soaks_of
from .stash import fleet_key, orchestrator_key, soak_key, unserved_key
from .targets import AppURL, ReferenceURL, aimed, hold_options, prepare_opening

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement


def soaked(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    """What ``ws_soak`` gives."""
    _requirement(request)
    ws_url = aimed(request.node, ws_url)
    prepare_opening(request)
    if leads_out(request.node) and orchestrator_key not in request.node.stash:
        held = soaks_of(request.session).judge(request.node, ws_url)
    elif has_a_loop(request.node):
        held = _on_the_loop_of_the_test(request, ws_url)
    else:
        held = _on_a_loop_of_its_own(request, ws_url)
    request.node.stash[soak_key] = held
    return held


def judge_holds(item: pytest.Item, *, before: Collection[object] = ()) -> list[object]:
    """
    See that the finished holds of a test are stable.

    Args:
        item: the test.
        before: those that were judged already.

    Returns:
        All that it has.

    """
    __tracebackhide__ = True
    soak, fleet = item.stash.get(soak_key, None), item.stash.get(fleet_key, None)
    if soak is not None and soak not in before:
        soak.assert_stable()
    if fleet is not None and fleet not in before:
        fleet.assert_stable()
    return [soak, fleet]


def _on_the_loop_of_the_test(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    """A hold where the server of a user's fixture may live."""
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
    options = hold_options(request.node, ws_url)
    running = own_orchestrator(request, ws_url)
    held = loop.run_until_complete(hold(_requirement(request), orchestrator=running, **options))
    # The reference orchestrator can be had twice; a server of the user's cannot.
    if isinstance(ws_url, ReferenceURL):
        return in_another_order(held, _hold_maker(request, ReferenceURL()), timers_of(request.node))
    return held


def _on_a_loop_of_its_own(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    make, timers = _hold_maker(request, ws_url), timers_of(request.node)
    patch_time = plan_of(request.node).patch_time
    held = run_private(make(_requirement(request)), timers, patch_time=patch_time)
    # An app that was given, and not made for this hold, cannot be served a second time.
    if isinstance(ws_url, AppURL) and not source_of(request).is_factory:
        return held
    with silenced(request.node):
        try:
            return in_another_order(held, make, timers, patch_time=patch_time)
        except pytest.fail.Exception as error:
            if error.msg != request.node.stash.get(unserved_key, None):
                raise
            # Nor can what a function makes that can be called, or started, once only.
            return held


def _hold_maker(
    request: pytest.FixtureRequest, ws_url: str
) -> Callable[[Requirement], Coroutine[Any, Any, Soak]]:
    """Holds on loops of their own, each with a server of its own if the test runs that itself."""
    server = own_server(request, ws_url)

    async def held(requirement: Requirement) -> Soak:
        async with server() as (url, running):
            return await hold(requirement, orchestrator=running, **hold_options(request.node, url))

    return lambda requirement: without_late_threads(request.node, held(requirement))


def _requirement(request: pytest.FixtureRequest) -> Requirement:
    requirement = plan_of(request.node).requirement
    # One that is asked for by name was not looked at when the test was collected.
    if requirement is None or requirement.alive_for is None:
        pytest.fail(HOW_LONG, pytrace=False)
    return requirement

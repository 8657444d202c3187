"""The fleets of tests: checked before they open anything, held, judged like a soak."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, cast

import pytest

from ..core.message.errors import leaves
from ..net.fleet.cluster import Cluster
from ..net.fleet.engine import Engine, InProcess, WorkerError, check_here, check_virtual
from ..net.fleet.fleet import Fleet, planned, prepared, run_fleet, too_much
from ..net.fleet.job import FleetJob
from ..net.fleet.workers import Workers, spread
from ..profiles.catalogue import is_shipped
from ..virtual import run_virtual
from .failures import says_what_is_wrong
from .markers import FLEET
from .orders import order_of
from .own_loop import without_late_threads
from .own_server import OwnServer, own_server
from .plans import has_a_loop, is_too_long, is_virtual, plan_of, target_of
from .project_fixtures import our_fixtures, overrides
from .reports.results import results_of
from .servers.commands import refuse
from .servers.fleet_causes import tell_fleet
from .settings import TargetKind
from .stash import begun_fleet_key, fleet_key, settings_key
from .targets import aimed, connect_options, leads_to_app, prepare_opening

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..core.fleet.plan import FleetPlan
    from ..net.connection import Connection
    from ..net.keywords import ConnectKeywords
    from ..net.server.orchestrator import Orchestrator
    from .asked import FleetAsked


def check_resources(session: pytest.Session) -> None:
    """
    See that the fleets of the tests may be, and that this machine has what they need, if they run here.

    Raises:
        pytest.UsageError: if not, with both numbers.

    """
    for item in session.items:
        if FLEET not in our_fixtures(item) or is_too_long(item):
            continue
        fleet = plan_of(item).fleet
        if fleet is None:
            continue
        try:
            _check(item, fleet)
        except (ValueError, WorkerError) as error:
            raise pytest.UsageError(f"{item.nodeid}: {error}") from error


def _check(item: pytest.Item, fleet: FleetAsked) -> None:
    if is_virtual(item):
        check_virtual(fleet.connections)
        return
    settings, target, count = item.config.stash[settings_key], target_of(item), fleet.connections
    if target.kind is TargetKind.URL:
        _see_that_it_is_agreed(item, target.value, _planned(item, target.value, fleet))
    if settings.cluster is not None or overrides("ws_cluster", item):
        return
    # A server in this process has the other end of each.
    inside = target.kind in (TargetKind.REFERENCE, TargetKind.APP)
    # By itself over as many workers as it takes, each of which looks after its own descriptors.
    if specs := settings.workers or (() if inside else spread(count)):
        workers = _workers(specs)
        workers.check(_planned(item, target.value, fleet, len(workers)), fleet.sources)
    else:
        check_here(count, fleet.sources, beside=count if inside else 0)


def _workers(specs: Sequence[str]) -> Workers:
    try:
        return Workers(specs)
    except ValueError as error:
        raise ValueError(f"--ws-workers: {error}") from None


def _planned(item: pytest.Item, url: str, asked: FleetAsked, workers: int = 1) -> FleetPlan:
    """
    The plan of the fleet of a test.

    Raises:
        ValueError: for one that makes no sense.

    """
    requirement = plan_of(item).requirement
    assert requirement is not None
    assert requirement.alive_for is not None
    return planned(
        url, connections=asked.connections, alive_for=requirement.alive_for, ramp=asked.ramp,
        stalled=asked.stalled, workers=workers,
    )  # fmt: skip


def _see_that_it_is_agreed(item: pytest.Item, url: str, plan: FleetPlan) -> None:
    """
    See that a host elsewhere is treated gently, or that its owner agrees.

    Raises:
        ValueError: if not.

    """
    much = too_much(url, plan)
    if much is not None and not item.config.stash[settings_key].load_agreed:
        raise ValueError(f"{much}: run with --ws-load-agreed if its owner agrees")


def held(request: pytest.FixtureRequest, ws_url: str) -> Fleet:
    """What ``ws_fleet`` gives."""
    item = request.node
    server = own_server(request, aimed(item, ws_url))
    prepare_opening(request)
    engine = InProcess() if is_virtual(item) else _engine(request)
    try:
        fleet = _held(request, server, engine)
    except KeyboardInterrupt:
        _take_down(item)
        raise
    finally:
        engine.close()
    tell_fleet(item, fleet)
    item.stash[fleet_key] = fleet
    return fleet


def _take_down(item: pytest.Item) -> None:
    """Report what a fleet has shown that somebody ends: its test has no turn any more."""
    fleet = item.stash.get(begun_fleet_key, None)
    if fleet is None:
        return
    if fleet.merge.interrupted_at is None:
        fleet.merge.interrupt()
    results_of(item.config).add_interrupted(item, fleet)


def _held(request: pytest.FixtureRequest, server: OwnServer, engine: Engine) -> Fleet:
    item = request.node
    if has_a_loop(item):
        loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
        return loop.run_until_complete(_hold(item, server, engine))
    if is_virtual(item):
        return run_virtual(without_late_threads(item, _hold(item, server, engine)), **asdict(order_of(item)))
    return asyncio.run(_hold(item, server, engine))


def _engine(request: pytest.FixtureRequest) -> Engine:
    """Where the connections run in real time: on a cluster, in workers, or in this process."""
    item = request.node
    specs, cluster = item.config.stash[settings_key].workers, request.getfixturevalue("ws_cluster")
    if specs and cluster is not None:
        pytest.fail("--ws-workers and a Dask cluster: give one of them", pytrace=False)
    try:
        if cluster is not None:
            return Cluster(cluster)
        asked = plan_of(item).fleet
        specs = specs or (spread(asked.connections) if asked is not None else ())
        return _workers(specs) if specs else InProcess()
    except (ValueError, WorkerError) as error:
        refuse(str(error) if specs else f"ws_cluster: {error}")


async def _hold(item: pytest.Item, server: OwnServer, engine: Engine) -> Fleet:
    asked = plan_of(item).fleet
    assert asked is not None
    async with AsyncExitStack() as stack:
        url, orchestrator = await stack.enter_async_context(server())
        try:
            plan = _planned(item, url, asked, len(engine))
            # What a fixture gives is known by now.
            _see_that_it_is_agreed(item, url, plan)
        except ValueError as error:
            refuse(str(error))
        asked_of_all = connect_options(item, url, url)
        url, options = asked_of_all.pop("url"), cast("ConnectKeywords", asked_of_all)
        profile = plan_of(item).profile
        if is_shipped(profile):
            # Workers load it by its name.
            options["profile"] = profile.name
        requirement = plan_of(item).requirement
        assert requirement is not None
        job = FleetJob(
            url=url,
            requirement=requirement,
            options=options,
            options_of=asked.options_of,
            url_of=asked.url_of,
            traffic=plan_of(item).traffic,
            fanout_of=asked.fanout_of,
            fanout_within=asked.asked.fanout_within,
            fanout_p99=asked.asked.fanout_p99,
            reconnects=asked.asked.reconnects,
            sources=asked.sources,
            opened=_watcher(item, orchestrator),
        )
        try:
            fleet = item.stash[begun_fleet_key] = prepared(job, plan, asked.asked)
            await run_fleet(fleet, job, engine)
        except (ValueError, WorkerError) as error:
            refuse(f"ws_fleet: {error}")
        except BaseExceptionGroup as group:
            # What a function of the user's raised for one connection, or for several at once.
            raised = leaves(group)[0]
            if says_what_is_wrong(raised):
                # Or what it gave: no frame of the user's is in it.
                refuse(f"ws_fleet: {raised}")
            raise raised from None
    return fleet


def _watcher(item: pytest.Item, orchestrator: Orchestrator | None) -> Callable[[Connection], object]:
    """What is called with each connection of a fleet in this process once it is open."""

    def opened(connection: Connection) -> None:
        connection.timeline.direct = leads_to_app(item, connection)
        if orchestrator is not None:
            orchestrator.witness(connection)

    return opened

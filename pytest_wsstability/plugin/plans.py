"""What a test asks for: its markers, merged and checked, and the clock that it runs on."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

import pytest
import pytest_asyncio

from ..core.faults.middleboxes import MIDDLEBOXES, middlebox
from ..core.judge.requirement import Requirement
from ..core.url import as_websocket, is_here, is_loopback, is_relative, wrong_url
from ..net.server.behaviour import Behaviour
from ..net.server.orchestrator import Orchestrator
from ..net.target import client_kind
from ..profiles import JSON, Profile
from ..profiles.catalogue import find
from .asked import Plan
from .import_path import import_from_here
from .markers import (
    FLEET,
    JUDGES,
    LONG,
    MIDDLEBOX,
    ORCHESTRATOR,
    STABILITY,
    VOICE,
    closest_first,
    fixtures_of,
    has_pytest_asyncio,
    is_of_anyio,
    params_of,
    uses_us,
)
from .opening import (
    OF_A_FLEET,
    collect_secrets,
    read_fleet,
    read_headers,
    read_origin,
    read_subprotocols,
    read_traffic,
)
from .options import TIMES
from .project_fixtures import has_async_fixture, leaves, our_fixtures, overrides, parametrized, replaces_ours
from .server_choice import DAPHNE, server_of
from .settings import IN_INI, ON_COMMAND_LINE, GivenTarget, TargetKind
from .stash import async_url_key, orchestrator_options_key, overrides_key, plan_key, settings_key

_NOT_REQUIRED = (
    "url", "headers", "subprotocol", "origin", "traffic", "profile", "client", "time", "patch_time"
)  # fmt: skip


def plan_of(item: pytest.Item) -> Plan:
    """What the ws_stability markers of a test say; read once."""
    if plan_key not in item.stash:
        item.stash[plan_key] = _plan(item)
    return item.stash[plan_key]


def same_function(item: pytest.Item) -> tuple[object, ...]:
    """What tests have in common that differ in their parameters only, and not in the marks of these."""
    return (item.parent, getattr(item, "originalname", item.name), *map(id, item.own_markers))


def share_plan(known: pytest.Item, other: pytest.Item) -> None:
    """Take what the markers and fixtures of one test say for what those of another do, which has the same."""
    other.stash[plan_key] = plan_of(known)
    other.stash[orchestrator_options_key] = orchestrator_of(known)
    other.stash[overrides_key] = known.stash.setdefault(overrides_key, {})
    if async_url_key in known.stash:
        other.stash[async_url_key] = known.stash[async_url_key]


def orchestrator_of(item: pytest.Item) -> dict[str, Any]:
    """The keywords of the reference orchestrator that the markers of a test say; read once."""
    if orchestrator_options_key not in item.stash:
        item.stash[orchestrator_options_key] = _orchestrator(item)
    return item.stash[orchestrator_options_key]


def middleboxes_of(item: pytest.Item) -> list[str]:
    """
    The names of the middleboxes that a test is for: those of the closest marker, its parameter, or all.

    Raises:
        TypeError, ValueError: for a name that there is not, and for a marker that nothing looks at.

    """
    marker = next(closest_first(item, MIDDLEBOX), None)
    ours = our_fixtures(item)
    if MIDDLEBOX not in ours:
        if marker is not None:
            raise ValueError(f"{MIDDLEBOX}: the test does not use the fixture {MIDDLEBOX}")
        if replaces_ours(MIDDLEBOX, item) and not JUDGES.isdisjoint(ours):
            raise ValueError(
                f"{MIDDLEBOX}: nothing goes through what parametrize gives; name middleboxes by their mark, "
                "@pytest.mark.ws_middlebox('nginx', ...)"
            )
        return []
    if FLEET in ours:
        raise ValueError(
            f"{MIDDLEBOX}: the fleet of {FLEET} goes past it; hold one connection through it, with ws_soak"
        )
    if marker is None:
        params = params_of(item)
        return [middlebox(params[MIDDLEBOX]).name] if MIDDLEBOX in params else list(MIDDLEBOXES)
    if MIDDLEBOX in parametrized(item):
        raise ValueError(f"{MIDDLEBOX}: this mark names some, and parametrize others; leave one of them out")
    if marker.kwargs:
        raise TypeError(f"{MIDDLEBOX}: takes names only, not {next(iter(marker.kwargs))}=")
    names = [middlebox(name).name for name in marker.args]
    if not names:
        raise ValueError(f"{MIDDLEBOX}: names none; leave the marker out for all of them")
    if len(names) != len(set(names)):
        raise ValueError(f"{MIDDLEBOX}: {max(names, key=names.count)!r} is there twice")
    return names


def middlebox_of(item: pytest.Item) -> str | None:
    """The name of the middlebox that a test was made for; None if it has none of ours."""
    return params_of(item).get(MIDDLEBOX) if MIDDLEBOX in our_fixtures(item) else None


def merged(item: pytest.Item, name: str) -> dict[str, Any]:
    """The keywords of the markers of a name; the closest wins."""
    values: dict[str, Any] = {}
    for marker in closest_first(item, name):
        if marker.args:
            raise TypeError(f"{name}: takes keywords only, not {marker.args[0]!r}")
        # The closest marker comes first and wins.
        values = {**marker.kwargs, **values}
    return values


def _check_names(values: Mapping[str, Any]) -> None:
    """See that the markers of a test name only what they can require."""
    if "closed" in values:
        raise TypeError("closed: a hold cannot require an end; assert_closed() in the test can")
    required = [field.name for field in dataclasses.fields(Requirement) if field.name != "closed"]
    for name in values:
        if name not in required:
            valid = ", ".join((*required, *_NOT_REQUIRED, *OF_A_FLEET))
            raise TypeError(f"unknown requirement {name!r}; valid ones: {valid}")


def _plan(item: pytest.Item) -> Plan:
    values = merged(item, STABILITY)
    others = {name: values.pop(name) for name in _NOT_REQUIRED if name in values}
    of_fleet = {name: values.pop(name) for name in OF_A_FLEET if name in values}
    fleet = read_fleet(of_fleet, values.get("alive_for"))
    if fleet is not None and fleet.asked.drain is not None:
        # Ends as the drain has them are planned.
        values["allow_close"] = fleet.asked.drain.with_planned(values.get("allow_close", ()))
    _check_names(values)
    # One that asks for nothing is none: so a test takes back what the mark of its class asks for.
    requirement = Requirement.of(**values) if values else None
    requirement = None if requirement == Requirement() else requirement
    url = others.get("url")
    collect_secrets(others)
    if url is not None and not is_relative(url) and (reason := wrong_url(as_websocket(str(url)))):
        raise ValueError(f"url: {reason}, or a path of the server under test, such as '/voice'")
    if (time := others.get("time")) is not None and time not in TIMES:
        raise ValueError(f"time: {time!r} is none of {', '.join(TIMES)}")
    if not isinstance(patch_time := others.get("patch_time", False), bool):
        raise ValueError(f"patch_time: {patch_time!r} is neither True nor False")
    profile = find_profile(item.config, others.get("profile"))
    if requirement is not None:
        requirement.check_fits(profile.facts)
    client = client_kind(others.get("client", "browser")).value
    return Plan(
        requirement=requirement,
        url=None if url is None or is_relative(url) else as_websocket(url),
        path=url if is_relative(url) else None,
        profile=profile,
        client=client,
        time=time,
        patch_time=patch_time,
        headers=read_headers(others.get("headers", {})),
        subprotocols=read_subprotocols(others.get("subprotocol", ())),
        origin=read_origin(others.get("origin")),
        traffic=read_traffic(others.get("traffic")),
        fleet=fleet,
    )


def asks(mark: object) -> bool:
    """Whether a mark says what a connection must show; others only say how a test is to run."""
    if not isinstance(mark, pytest.Mark) or mark.name != STABILITY:
        return False
    return any(value is not None for name, value in mark.kwargs.items() if name not in _NOT_REQUIRED)


def find_profile(config: pytest.Config, profile: Profile | str | None) -> Profile:
    """
    The profile of a marker, or else that of the option.

    Raises:
        ValueError: if there is no such profile.

    """
    given = config.pluginmanager.hook.pytest_wsstability_profiles(config=config)
    name = config.stash[settings_key].profile if profile is None else profile
    if isinstance(name, str) and ":" in name:
        import_from_here(config)
    return find(name, [own for owns in given for own in owns])


def _orchestrator(item: pytest.Item) -> dict[str, Any]:
    settings = item.config.stash[settings_key]
    given = {"host": settings.host, "port": settings.port}
    options = {name: value for name, value in given.items() if value is not None}
    values = merged(item, ORCHESTRATOR)
    if not values:
        return options
    if "profile" in values:
        values["profile"] = find_profile(item.config, values["profile"])
    parameters = inspect.signature(Orchestrator).parameters.values()
    own = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    try:
        Behaviour.of(**{name: value for name, value in values.items() if name not in own})
    except TypeError as exc:
        raise TypeError(f"{exc}, {', '.join(own)}") from None
    Orchestrator(**{"profile": _spoken(item), **values})
    _refuse_exposure(values.get("host"), settings.host)
    return {**options, **values}


def _spoken(item: pytest.Item) -> Profile:
    """What a test's orchestrator speaks where its mark does not say; anything where none is started."""
    asked = "ws_orchestrator" in fixtures_of(item)
    return plan_of(item).profile if asked or target_of(item).kind is TargetKind.REFERENCE else JSON


def _refuse_exposure(host: str | None, allowed: str | None) -> None:
    """A test file opens no port to the network by itself: whoever runs it says so."""
    if host is not None and not is_loopback(host) and host != allowed:
        raise ValueError(
            f"host: {host!r} can be reached from the network; run with --ws-host {host}, or leave it out"
        )


# Which clock.


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
        return time == "virtual" if time != "auto" else _is_in_this_process(node)
    # A class or module shares its loop, so its own marker decides for all of its tests.
    marker = next(closest_first(node, STABILITY), None)
    if marker is None:
        return False
    time = marker.kwargs.get("time", settings.time)
    return bool(time == "virtual") if time != "auto" else _is_in_this_process(node)


def target_of(node: pytest.Item | pytest.Collector) -> GivenTarget:
    """What is under test in a test, class or module; an overridden fixture ``ws_url`` has the last word."""
    if overrides("ws_url", node):
        return GivenTarget(TargetKind.FIXTURE, source="the fixture ws_url")
    return base_target_of(node)


def base_target_of(node: pytest.Item | pytest.Collector) -> GivenTarget:
    """
    What is under test where no fixture ``ws_url`` of the project's says otherwise.

    The mark's URL counts before the command line, that before the environment, that before an overridden
    fixture ``ws_app``, and that before the ini file.

    """
    marked = _marked_url(node)
    if marked is not None:
        return GivenTarget(TargetKind.URL, marked, source="ws_stability(url=...)", place=ON_COMMAND_LINE)
    given = node.config.stash[settings_key].target
    if given.place == IN_INI and overrides("ws_app", node):
        return GivenTarget(TargetKind.APP, source="the fixture ws_app")
    return given


def _marked_url(node: pytest.Item | pytest.Collector) -> str | None:
    if isinstance(node, pytest.Item):
        return plan_of(node).url
    urls = (mark.kwargs["url"] for mark in closest_first(node, STABILITY) if "url" in mark.kwargs)
    return next((url for url in urls if not is_relative(url)), None)


def _is_in_this_process(node: pytest.Item | pytest.Collector) -> bool:
    """Whether the target is, so that its time can be virtual."""
    target = target_of(node)
    if target.kind is TargetKind.FIXTURE:
        base = base_target_of(node).kind
        return base not in (TargetKind.URL, TargetKind.COMMAND) and not leaves(node)
    if target.kind is TargetKind.APP:
        return server_of(node).name != DAPHNE
    return target.kind is TargetKind.REFERENCE


def patches_time(node: pytest.Item | pytest.Collector) -> bool:
    """Whether the time module is to follow the virtual loop of a test, class or module."""
    if isinstance(node, pytest.Item):
        return plan_of(node).patch_time
    marker = next(closest_first(node, STABILITY), None)
    return marker is not None and bool(marker.kwargs.get("patch_time", False))


def has_a_loop(item: pytest.Item) -> bool:
    """Whether pytest-asyncio has a loop for a test, on which its fixtures are set up too."""
    return pytest_asyncio.is_async_test(item) and not is_of_anyio(item)


def loop_scope(item: pytest.Item) -> str:
    """The scope of the loop on which an async test runs: what its asyncio marker says, or else the ini."""
    marker = item.get_closest_marker("asyncio")
    own = marker.kwargs.get("loop_scope", marker.kwargs.get("scope")) if marker is not None else None
    known = has_pytest_asyncio(item.config)
    return own or (known and item.config.getini("asyncio_default_test_loop_scope")) or "function"


def refuse_mixed_time(item: pytest.Item) -> None:
    """
    Refuse a virtual test on a loop that it shares with others and that is real.

    Raises:
        pytest.fail.Exception: if it is one.

    """
    scope = loop_scope(item)
    if scope == "function" or not pytest_asyncio.is_async_test(item) or not is_virtual(item):
        return
    kind = getattr(pytest, scope.capitalize())
    owners = [node for node in item.listchain() if isinstance(node, kind)]
    if not owners or not is_virtual(owners[-1]):
        # A session and a package have no place in which a mark could be written.
        markable = scope in ("class", "module")
        virtual = f"the {scope} the mark ws_stability(time='virtual'), " if markable else ""
        own = "time='real'" if markable else "ws_stability(time='real')"
        pytest.fail(
            f"{item.nodeid}: runs in virtual time, but its loop is the {scope}'s, and that is real; give "
            f"{virtual}the test {own}, or loop_scope='function'",
            pytrace=False,
        )


def is_too_long(item: pytest.Item) -> bool:
    """Whether a test takes long in real time, and nobody asks for such: it is skipped."""
    long_ones = {FLEET, VOICE}.intersection(our_fixtures(item))
    is_long = item.get_closest_marker(LONG) is not None or bool(long_ones)
    return is_long and not item.config.stash[settings_key].long and not is_virtual(item)


def leads_out(item: pytest.Item) -> bool:
    """Whether the target of a test is outside this process, so that any thread may hold it in real time."""
    if is_virtual(item) or "ws_orchestrator" in fixtures_of(item):
        return False
    target = target_of(item)
    if target.kind is TargetKind.FIXTURE:
        return leaves(item)
    if target.kind is TargetKind.URL:
        return not _may_be_on_its_loop(item, target.value)
    return runs_command(item)


def runs_command(item: pytest.Item) -> bool:
    """Whether the target is a process of its own that the plugin starts."""
    kind = base_target_of(item).kind
    return kind is TargetKind.COMMAND or (kind is TargetKind.APP and server_of(item).name == DAPHNE)


def _may_be_on_its_loop(item: pytest.Item, url: str) -> bool:
    """Whether an async fixture of the project may run the server at a URL, on the loop of an async test."""
    if not pytest_asyncio.is_async_test(item) or not is_here(url):
        return False
    return has_async_fixture(item)

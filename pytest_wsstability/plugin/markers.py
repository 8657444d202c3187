"""The ws_stability and ws_orchestrator markers of a test, merged and checked."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from .options import TIMES, settings_key

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement
    from ..profiles import Profile

STABILITY = "ws_stability"
ORCHESTRATOR = "ws_orchestrator"
LONG = "ws_long"
MIDDLEBOX = "ws_middlebox"

DESCRIPTIONS = (
    "ws_stability(alive_for, heartbeat_every, heartbeat_within, heartbeat_missed_max, session_within, "
    "rtt_p95, allow_close, max_age_ok, url, profile, client, time, patch_time): the stability that a "
    "WebSocket must show",
    "ws_orchestrator(read_deadline, ping_interval, deadline_reset_by, on_deadline, greet, confirm_sessions, "
    "answer_heartbeats, echo, ...): how the reference orchestrator behaves",
    "ws_long: long when it runs in real time; then it needs --ws-long",
    "ws_middlebox(*names): the proxies and load balancers that the ws_middlebox fixture stands for; else all",
)

FIXTURES = frozenset({
    "ws_url", "ws_connect", "ws_connection", "ws_soak", "ws_orchestrator", "ws_clock", "ws_proxy", MIDDLEBOX,
})  # fmt: skip
_REQUIREMENTS = frozenset({STABILITY, ORCHESTRATOR, MIDDLEBOX})
_LONG = frozenset({LONG})
# Without one of these a requirement would be checked by nobody.
_JUDGES = frozenset({"ws_connect", "ws_connection", "ws_soak"})
# Other plugins' marks that say who runs an async test.
_RUNNERS = ("asyncio", "anyio", "trio")
_NOT_REQUIRED = ("url", "profile", "client", "time", "patch_time")


class Plan:
    """What the ws_stability markers of a test say; no dataclass for the reason that `Settings` is none."""

    __slots__ = ("client", "patch_time", "profile", "requirement", "time", "url")

    def __init__(
        self,
        *,
        requirement: Requirement | None,
        profile: Profile,
        url: str | None,
        client: str,
        time: str | None,
        patch_time: bool,
    ) -> None:
        # None: the markers name no part of a requirement.
        self.requirement = requirement
        self.profile = profile
        # None: the option says it, or the default.
        self.url = url
        self.client = client
        # None: the option says it.
        self.time = time
        # Let the time module follow the clock of an async test in virtual time.
        self.patch_time = patch_time


_plan_key = pytest.StashKey[Plan]()
_orchestrator_key = pytest.StashKey[dict[str, Any]]()


def uses_us(item: pytest.Item) -> bool:
    """Whether a test has a fixture or marker of ours."""
    if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return True
    return _is_marked(item, _REQUIREMENTS)


def concerns_us(item: pytest.Item) -> bool:
    """Whether anything is to be done when a test runs: it uses us, or is long."""
    return uses_us(item) or _is_marked(item, _LONG)


def _is_marked(item: pytest.Item, names: frozenset[str]) -> bool:
    # Every test of a run is asked, so not by `iter_markers`, which takes four times as long.
    node: pytest.Item | pytest.Collector | None = item
    while node is not None:
        for mark in node.own_markers:
            if mark.name in names:
                return True
        node = node.parent
    return False


def needs_runner(item: pytest.Function) -> bool:
    """Whether a test is async, and no mark, fixture of anyio's or mode of trio's says who runs it."""
    if not inspect.iscoroutinefunction(item.function):
        return False
    if any(map(item.get_closest_marker, _RUNNERS)) or "anyio_backend" in item.fixturenames:
        return False
    return not (item.config.pluginmanager.has_plugin("trio") and item.config.getini("trio_mode"))


def check(item: pytest.Item) -> None:
    """
    Find what is wrong with the markers of a test.

    Raises:
        TypeError, ValueError: for a value that makes no sense, naming it.

    """
    plan = plan_of(item)
    orchestrator = orchestrator_of(item)
    middleboxes_of(item)
    names = set(getattr(item, "fixturenames", ()))
    if plan.requirement is not None and _JUDGES.isdisjoint(names):
        fixtures = ", ".join(sorted(_JUDGES))
        raise ValueError(
            f"{STABILITY}: nothing in this test is held to it; use one of the fixtures {fixtures}"
        )
    if plan.requirement is not None and plan.requirement.alive_for is not None:
        _check_program(orchestrator, plan.requirement.alive_for)
    if "ws_soak" in names and (plan.requirement is None or plan.requirement.alive_for is None):
        raise ValueError(f"ws_soak: how long? give the test a {STABILITY} marker with alive_for")


def _check_program(orchestrator: dict[str, Any], hold: float) -> None:
    """A fault that is due after the hold would prove nothing."""
    if "faults" in orchestrator:
        from ..core.faults import Program

        Program.of(orchestrator["faults"]).check_within(hold)


def plan_of(item: pytest.Item) -> Plan:
    """What the ws_stability markers of a test say; read once."""
    if _plan_key not in item.stash:
        item.stash[_plan_key] = _plan(item)
    return item.stash[_plan_key]


def orchestrator_of(item: pytest.Item) -> dict[str, Any]:
    """The keywords of the reference orchestrator that the markers of a test say; read once."""
    if _orchestrator_key not in item.stash:
        item.stash[_orchestrator_key] = _orchestrator(item)
    return item.stash[_orchestrator_key]


def middleboxes_of(item: pytest.Item) -> list[str]:
    """
    The names of the middleboxes that a test is for: those of the closest marker, or all.

    Raises:
        TypeError, ValueError: for a name that there is not, and for a marker that nothing looks at.

    """
    marker = item.get_closest_marker(MIDDLEBOX)
    if MIDDLEBOX not in getattr(item, "fixturenames", ()):
        if marker is not None:
            raise ValueError(f"{MIDDLEBOX}: the test does not use the fixture {MIDDLEBOX}")
        return []
    from ..core.faults.middleboxes import MIDDLEBOXES, middlebox

    if marker is None:
        return list(MIDDLEBOXES)
    if marker.kwargs:
        raise TypeError(f"{MIDDLEBOX}: takes names only, not {next(iter(marker.kwargs))}=")
    names = [middlebox(name).name for name in marker.args]
    if not names:
        raise ValueError(f"{MIDDLEBOX}: names none; leave the marker out for all of them")
    if len(names) != len(set(names)):
        raise ValueError(f"{MIDDLEBOX}: {max(names, key=names.count)!r} is there twice")
    return names


def _merged(item: pytest.Item, name: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    # pytest lists the marks of a parameter after those of its function, though they are the closer ones.
    of_parameter = getattr(getattr(item, "callspec", None), "marks", ())
    for marker in [*(mark for mark in of_parameter if mark.name == name), *item.iter_markers(name)]:
        if marker.args:
            raise TypeError(f"{name}: takes keywords only, not {marker.args[0]!r}")
        # The closest marker comes first and wins.
        values = {**marker.kwargs, **values}
    return values


def _plan(item: pytest.Item) -> Plan:
    from ..core.judge.requirement import Requirement
    from ..core.url import wrong_url
    from ..net.target import client_kind

    values = _merged(item, STABILITY)
    if "closed" in values:
        raise TypeError("closed: a hold cannot require an end; assert_closed() in the test can")
    others = {name: values.pop(name) for name in _NOT_REQUIRED if name in values}
    try:
        requirement = Requirement.of(**values) if values else None
    except TypeError as exc:
        raise TypeError(f"{exc}, {', '.join(_NOT_REQUIRED)}") from None
    if (url := others.get("url")) is not None and (reason := wrong_url(url)):
        raise ValueError(f"url: {reason}")
    if (time := others.get("time")) is not None and time not in TIMES:
        raise ValueError(f"time: {time!r} is none of {', '.join(TIMES)}")
    if not isinstance(patch_time := others.get("patch_time", False), bool):
        raise ValueError(f"patch_time: {patch_time!r} is neither True nor False")
    profile = find_profile(item.config, others.get("profile"))
    if requirement is not None and requirement.session_within is not None and not profile.has_session:
        raise ValueError(f"session_within: the profile {profile.name!r} has no session to confirm")
    client = client_kind(others.get("client", "browser")).value
    return Plan(
        requirement=requirement, url=url, profile=profile, client=client, time=time, patch_time=patch_time
    )


def find_profile(config: pytest.Config, profile: Profile | str | None) -> Profile:
    """
    The profile of a marker, or else that of the option.

    Raises:
        ValueError: if there is no such profile.

    """
    from ..profiles import BUILTIN, Profile

    if isinstance(profile, Profile):
        return profile
    given = config.pluginmanager.hook.pytest_wsstability_profiles(config=config)
    known: dict[str, Profile] = {**BUILTIN, **{own.name: own for owns in given for own in owns}}
    name = config.stash[settings_key].profile if profile is None else profile
    if name not in known:
        raise ValueError(
            f"profile: {name!r} is unknown; valid ones: {', '.join(map(repr, known))}, or a Profile"
        )
    return known[name]


def _orchestrator(item: pytest.Item) -> dict[str, Any]:
    settings = item.config.stash[settings_key]
    given = {"host": settings.host, "port": settings.port}
    options = {name: value for name, value in given.items() if value is not None}
    values = _merged(item, ORCHESTRATOR)
    if not values:
        return options
    from ..net.server.behaviour import Behaviour
    from ..net.server.orchestrator import Orchestrator

    parameters = inspect.signature(Orchestrator).parameters.values()
    own = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY]
    try:
        Behaviour.of(**{name: value for name, value in values.items() if name not in own})
    except TypeError as exc:
        raise TypeError(f"{exc}, {', '.join(own)}") from None
    Orchestrator(**values)
    _refuse_exposure(values.get("host"), settings.host)
    return {**options, **values}


def _refuse_exposure(host: str | None, allowed: str | None) -> None:
    """A test file opens no port to the network by itself: whoever runs it says so."""
    from ..core.url import is_loopback

    if host is not None and not is_loopback(host) and host != allowed:
        raise ValueError(
            f"host: {host!r} can be reached from the network; run with --ws-host {host}, or leave it out"
        )

"""Our marks and fixtures by name, a look at a test that every test can afford, and what marks say."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pytest

    from ..core.duration import Duration
    from ..core.fleet.requirement import FleetRequirement
    from ..core.judge.requirement import Requirement
    from ..core.voice.requirement import VoiceRequirement
    from ..core.voice.script import Script
    from ..net.keywords import ConnectKeywords
    from ..net.traffic import Traffic
    from ..profiles import Profile

STABILITY = "ws_stability"
ORCHESTRATOR = "ws_orchestrator"
LONG = "ws_long"
MIDDLEBOX = "ws_middlebox"
FLEET = "ws_fleet"
VOICE = "ws_voice"
SERVER = "ws_server"

DESCRIPTIONS = (
    "ws_stability(alive_for, heartbeat_every, heartbeat_within, heartbeat_missed_max, session_within, "
    "rtt_p95, allow_close, max_age_ok, url, headers, subprotocol, origin, traffic, profile, client, time, "
    "patch_time; connections, survival, confidence, ramp, refused_max, stalled, drain, reconnects, sources, "
    "options_of, url_of, fanout_of, fanout_within, fanout_p99 with ws_fleet): "
    "the stability that a WebSocket must show",
    "ws_orchestrator(read_deadline, ping_interval, deadline_reset_by, on_deadline, greet, confirm_sessions, "
    "answer_heartbeats, echo, ...): how the reference orchestrator behaves",
    "ws_server(name, **settings): the server that serves the app under test, and its own settings",
    "ws_voice(turns, first_audio_p95, first_audio_within, underruns, barge_in_within, transcripts, "
    "audio_intact, ahead_max; speech, pause, silence, barge_ins, reconnect_in, answer_within, sound, seed): "
    "what a spoken conversation must show, and how the caller speaks",
    "ws_long: long when it runs in real time; then it needs --ws-long",
    "ws_middlebox(*names): the proxies and load balancers that the ws_middlebox fixture stands for; else all",
)

FIXTURES = frozenset({
    "ws_url", "ws_connect", "ws_connection", "ws_soak", "ws_orchestrator", "ws_clock", "ws_proxy",
    "ws_app", "ws_command", "ws_headers", "ws_subprotocols", FLEET, MIDDLEBOX,
})  # fmt: skip
_REQUIREMENTS = frozenset({STABILITY, ORCHESTRATOR, MIDDLEBOX, SERVER, VOICE})
_MARKS = _REQUIREMENTS | {LONG}
# Other plugins' marks that say who runs an async test.
_RUNNERS = ("asyncio", "anyio", "trio")


def uses_us(item: pytest.Item) -> bool:
    """Whether a test has a fixture or marker of ours."""
    if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return True
    return _is_marked(item, _REQUIREMENTS)


def any_concerns_us(items: Iterable[pytest.Item]) -> bool:
    """Whether anything is to be done when one of these tests runs: it uses us, or is long."""
    parents: dict[pytest.Collector | None, bool] = {}
    for item in items:
        if not FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
            return True
        for mark in item.own_markers:
            if mark.name in _MARKS:
                return True
        parent = item.parent
        if parent not in parents:
            parents[parent] = _is_marked(parent, _MARKS)
        if parents[parent]:
            return True
    return False


def _is_marked(node: pytest.Item | pytest.Collector | None, names: frozenset[str]) -> bool:
    # Every test of a run is asked, so not by `iter_markers`, which takes four times as long.
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


class FleetAsked:
    """What the ws_stability markers of a test say of a fleet; no dataclass, as `Plan` is none."""

    __slots__ = (
        "asked", "connections", "fanout_of", "options_of", "ramp", "sources", "stalled", "url_of",
    )  # fmt: skip

    def __init__(
        self,
        *,
        connections: int,
        ramp: Duration | None,
        stalled: int,
        asked: FleetRequirement,
        sources: tuple[str, ...],
        options_of: Callable[[int], ConnectKeywords] | None,
        url_of: Callable[[int], str] | None,
        fanout_of: Callable[[str | bytes], str | None] | None,
    ) -> None:
        self.connections = connections
        # Addresses that they are opened from, in turn; empty: the system chooses.
        self.sources = sources
        # Names a message that the server sends on to all; None where nobody looks for them.
        self.fanout_of = fanout_of
        # What one connection has otherwise, and where it goes, by its number.
        self.options_of = options_of
        self.url_of = url_of
        self.stalled = stalled
        # None: a gentle one.
        self.ramp = ramp
        self.asked = asked


class VoiceAsked:
    """What the ws_voice markers of a test say: of the conversation, and of how the caller speaks."""

    __slots__ = ("asked", "script")

    def __init__(self, *, asked: VoiceRequirement, script: Script) -> None:
        self.asked = asked
        self.script = script


class Plan:
    """What the ws_stability markers of a test say; no dataclass for the reason that `Settings` is none."""

    __slots__ = (
        "client", "fleet", "headers", "origin", "patch_time", "path", "profile", "requirement",
        "subprotocols", "time", "traffic", "url",
    )  # fmt: skip

    def __init__(
        self,
        *,
        requirement: Requirement | None,
        profile: Profile,
        url: str | None,
        path: str | None = None,
        client: str,
        time: str | None,
        patch_time: bool,
        headers: dict[str, str | None] | None = None,
        subprotocols: tuple[str, ...] = (),
        origin: str | None = None,
        traffic: Traffic | None = None,
        fleet: FleetAsked | None = None,
    ) -> None:
        # None: the markers name no part of a requirement.
        self.requirement = requirement
        self.profile = profile
        # None: the option says it, or the default.
        self.url = url
        # A path on that server; None: as it is.
        self.path = path
        self.client = client
        # None: the option says it.
        self.time = time
        # Let the time module follow the clock of an async test in virtual time.
        self.patch_time = patch_time
        # By name; a field that is None is not sent, whoever else gives it.
        self.headers = headers or {}
        # Empty: what the fixture or the options say.
        self.subprotocols = subprotocols
        self.origin = origin
        # Talks while the connection is held.
        self.traffic = traffic
        # None: the markers ask for no fleet.
        self.fleet = fleet

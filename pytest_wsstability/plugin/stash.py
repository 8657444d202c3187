"""Every key under which the plugin keeps something on a config, a session or a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import asyncio

    from ..core.asserted import Watch
    from ..net.apps.watching import AppRecord
    from ..net.connection import Connection
    from ..net.connector import Connector
    from ..net.errors import OpeningError
    from ..net.fleet.fleet import Fleet
    from ..net.hold import Soak
    from ..net.proxy.proxies import Proxies
    from ..net.server.orchestrator import Orchestrator
    from ..virtual.timers import Ties
    from .asked import MarkedNode, Plan, VoiceAsked
    from .settings import Settings
    from .stopping import StopSignals

# On the config.

settings_key: pytest.StashKey[Settings] = pytest.StashKey()
# By URL: the seconds that a probe covered, and what it found.
probes_key: pytest.StashKey[dict[str, tuple[float, str]]] = pytest.StashKey()
# What ends a run that the system ends.
stopping_key: pytest.StashKey[StopSignals] = pytest.StashKey()
# The timeout of all tests, and for how many it was raised.
raised_timeout_key: pytest.StashKey[tuple[float, int]] = pytest.StashKey()
# Holds that were not open yet when the run ended: a line each.
never_open_key: pytest.StashKey[list[str]] = pytest.StashKey()

# What was collected below classes and modules that have a mark of their own.
marked_key: pytest.StashKey[dict[pytest.Collector, MarkedNode]] = pytest.StashKey()
# The app of the options: the text that names it, and what it names.
app_key: pytest.StashKey[tuple[str, Any]] = pytest.StashKey()
# The app that was started last.
started_app_key: pytest.StashKey[Any] = pytest.StashKey()

# On a test: the paths at which the app that is under test has WebSockets, as far as that is known.
routes_key: pytest.StashKey[list[str]] = pytest.StashKey()

# On a test: what the app under test did, why it was not served, and what went wrong when it was stopped.
app_record_key: pytest.StashKey[AppRecord] = pytest.StashKey()
unserved_key: pytest.StashKey[str] = pytest.StashKey()
app_stop_key: pytest.StashKey[str] = pytest.StashKey()

# On a test: that its URL comes from an async fixture whose loop stands still while the test runs.
async_url_key: pytest.StashKey[str] = pytest.StashKey()

# On a test: what its markers say, read once.

plan_key: pytest.StashKey[Plan] = pytest.StashKey()
# The marks of ours that it had itself then, by their ids.
marks_key: pytest.StashKey[list[int]] = pytest.StashKey()
voice_key: pytest.StashKey[VoiceAsked | None] = pytest.StashKey()
orchestrator_options_key: pytest.StashKey[dict[str, Any]] = pytest.StashKey()
# Which fixtures of ours the project overrides, by name, as far as somebody has asked.
overrides_key: pytest.StashKey[dict[str, bool]] = pytest.StashKey()
# Of each attempt that was unstable the headline, and the codes of what raised nothing in it; None for one
# that was stable; others say nothing.
attempts_key: pytest.StashKey[list[tuple[str, tuple[str, ...]] | None]] = pytest.StashKey()

# What it has asserted so far.
watch_key: pytest.StashKey[Watch] = pytest.StashKey()
# Whether nothing is held to its mark yet, and its fixtures may do so once its body is over.
unheld_key: pytest.StashKey[bool] = pytest.StashKey()

# On a test: what its fixtures hold, until it is over.

loop_key: pytest.StashKey[asyncio.AbstractEventLoop] = pytest.StashKey()
soak_key: pytest.StashKey[Soak] = pytest.StashKey()
fleet_key: pytest.StashKey[Fleet] = pytest.StashKey()
# One that has begun, and may be over or not.
begun_fleet_key: pytest.StashKey[Fleet] = pytest.StashKey()
connection_key: pytest.StashKey[Connection] = pytest.StashKey()
# What talks on that connection.
talk_key: pytest.StashKey[asyncio.Task[None]] = pytest.StashKey()
# Why a connection of its fixtures did not open; not there where all did.
unopened_key: pytest.StashKey[OpeningError] = pytest.StashKey()
connector_key: pytest.StashKey[Connector] = pytest.StashKey()
orchestrator_key: pytest.StashKey[Orchestrator] = pytest.StashKey()
# Not there where it has none.
proxies_key: pytest.StashKey[list[Proxies]] = pytest.StashKey()
# What the server in this process has logged.
server_log_key: pytest.StashKey[Any] = pytest.StashKey()
# The process under test, and when the test was given it, by the monotonic clock.
command_key: pytest.StashKey[Any] = pytest.StashKey()
command_since_key: pytest.StashKey[float] = pytest.StashKey()
# Those whose payloads are taken down, by the serial of their timeline.
transcripts_key: pytest.StashKey[dict[int, Connection]] = pytest.StashKey()
# What its fixtures say about opening: header fields, and subprotocols or None.
opening_key: pytest.StashKey[tuple[Any, Any]] = pytest.StashKey()
# What the virtual loop of the test counts.
ties_key: pytest.StashKey[Ties] = pytest.StashKey()
# The instants at which its clock went on though a task spun, with the place in the code.
spins_key: pytest.StashKey[list[tuple[float, str]]] = pytest.StashKey()


def forget(item: pytest.Item) -> None:
    """Drop what a test held, for the test may run again, and others should not keep it in memory."""
    held: tuple[pytest.StashKey[Any], ...] = (
        soak_key, fleet_key, begun_fleet_key, connection_key, connector_key, orchestrator_key, unopened_key,
        transcripts_key,
    )  # fmt: skip
    for key in held:
        if key in item.stash:
            del item.stash[key]

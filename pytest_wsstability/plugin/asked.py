"""What the marks of a test say, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from ..core.duration import Duration
    from ..core.fleet.requirement import FleetRequirement
    from ..core.judge.requirement import Requirement
    from ..core.voice.requirement import VoiceRequirement
    from ..core.voice.script import Script
    from ..net.keywords import ConnectKeywords
    from ..net.traffic import Traffic
    from ..profiles import Profile


# Of a hold that no mark says it of.
HOW_LONG = "ws_soak: how long? give the test a ws_stability marker with alive_for"
# Of a test that holds no fleet.
NO_FLEET = "connections: only makes sense with the fixture ws_fleet"


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class FleetAsked:
    """What the ws_stability markers of a test say of a fleet."""

    asked: FleetRequirement
    connections: int
    # None: a gentle one.
    ramp: Duration | None
    stalled: int
    # Addresses that they are opened from, in turn; empty: the system chooses.
    sources: tuple[str, ...]
    # What one connection has otherwise, and where it goes, by its number.
    options_of: Callable[[int], ConnectKeywords] | None
    url_of: Callable[[int], str] | None
    # Names a message that the server sends on to all; None where nobody looks for them.
    fanout_of: Callable[[str | bytes], str | None] | None


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class VoiceAsked:
    """What the ws_voice markers of a test say: of the conversation, and of how the caller speaks."""

    asked: VoiceRequirement
    script: Script


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """What the ws_stability markers of a test say."""

    # None: the markers name no part of a requirement.
    requirement: Requirement | None
    profile: Profile
    # None: the option says it, or the default.
    url: str | None
    # A path on that server; None: as it is.
    path: str | None
    client: str
    # None: the option says it.
    time: str | None
    # Let the time module follow virtual time.
    patch_time: bool
    # By name; a field that is None is not sent, whoever else gives it.
    headers: dict[str, str | None]
    # Empty: what the fixture or the options say.
    subprotocols: tuple[str, ...]
    origin: str | None
    # Talks while the connection is held.
    traffic: Traffic | None
    # None: the markers ask for no fleet.
    fleet: FleetAsked | None


@dataclass(slots=True)
class MarkedNode:
    """What was collected below a class or module with a mark of its own."""

    # Collectors below it that were made, and have not collected yet: a run of some tests passes others over.
    pending: int = 0
    tests: list[pytest.Function] = field(default_factory=list)

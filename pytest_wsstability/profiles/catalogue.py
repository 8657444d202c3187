"""Profiles by their names: those that come with the package, and a team's own."""

from __future__ import annotations

import importlib
from collections.abc import Iterable

from ..core.project_code import imported
from .audio import Audio
from .profile import Profile

# Where each stands; loaded with the first use.
_SHIPPED = {
    "json": ("json", "JSON"),
    "frames": ("frames", "FRAMES"),
    "socketio": ("socketio", "SOCKETIO"),
    "engineio": ("engineio", "ENGINEIO"),
    "socketio-recovery": ("socketio", "SOCKETIO_RECOVERY"),
    "graphql-transport-ws": ("graphql_transport_ws", "GRAPHQL_TRANSPORT_WS"),
    "phoenix": ("phoenix", "PHOENIX"),
    "actioncable": ("actioncable", "ACTIONCABLE"),
    "signalr": ("signalr", "SIGNALR"),
    "stomp": ("stomp", "STOMP"),
    "mqtt": ("mqtt", "MQTT"),
    "mqtt5": ("mqtt", "MQTT5"),
    "wamp": ("wamp", "WAMP"),
    "pusher": ("pusher", "PUSHER"),
    "ocpp": ("ocpp", "OCPP"),
    "ocpp2.0.1": ("ocpp", "OCPP201"),
    "jsonrpc": ("jsonrpc", "JSONRPC"),
    "discord": ("discord", "DISCORD"),
    "slack": ("slack", "SLACK"),
    "openai-realtime": ("openai_realtime", "OPENAI_REALTIME"),
    "deepgram": ("deepgram", "DEEPGRAM"),
    "deepgram-agent": ("deepgram", "DEEPGRAM_AGENT"),
    "twilio": ("twilio", "TWILIO"),
    "elevenlabs": ("elevenlabs", "ELEVENLABS"),
    "gemini-live": ("gemini_live", "GEMINI_LIVE"),
    "rtvi": ("rtvi", "RTVI"),
    "pipecat": ("pipecat", "PIPECAT"),
}
SHIPPED = tuple(_SHIPPED)


def shipped(name: str) -> Profile:
    """A profile that comes with the package; a KeyError for another name."""
    module, constant = _SHIPPED[name]
    return getattr(importlib.import_module(f".{module}", __package__), constant)  # type: ignore[no-any-return]


def audio_of(profile: Profile) -> Audio:
    """
    How people speak in a protocol.

    Raises:
        ValueError: if they do not, naming the profiles in which they do.

    """
    if profile.audio is not None:
        return profile.audio
    valid = ", ".join(repr(name) for name in SHIPPED if shipped(name).audio is not None)
    raise ValueError(
        f"profile: {profile.name!r} has no audio; valid ones: {valid}, or Profile.replace(audio=Audio(...))"
    )


def is_shipped(profile: Profile) -> bool:
    """Whether a profile comes with the package, so that its name is enough to find it."""
    return profile.name in _SHIPPED and shipped(profile.name) is profile


def find(profile: Profile | str, own: Iterable[Profile] = ()) -> Profile:
    """
    The profile with a name, or the profile itself.

    Args:
        profile: a profile, the name of one, or where one stands: ``"myapp.protocol:OURS"``.
        own: a team's; one of them may have the name of a shipped one, and replaces it.

    Raises:
        ValueError: if there is no such profile, naming the valid ones.

    """
    if isinstance(profile, Profile):
        return profile
    known = {each.name: each for each in own}
    # Whatever a marker gives.
    if isinstance(profile, str):
        if profile in known:
            return known[profile]
        if profile in _SHIPPED:
            return shipped(profile)
        if ":" in profile:
            return _load(profile)
    valid = ", ".join(map(repr, dict.fromkeys([*SHIPPED, *known])))
    shown = repr(profile) if isinstance(profile, str) else f"a value of the type {type(profile).__name__}"
    raise ValueError(f"profile: {shown} is unknown; valid ones: {valid}, module:NAME, or a Profile")


def _load(place: str) -> Profile:
    module, _, name = place.partition(":")
    try:
        found = getattr(imported(module), name)
    except (ModuleNotFoundError, AttributeError) as exc:
        raise ValueError(f"profile: {place!r} is not there: {exc}") from None
    except ValueError as exc:
        raise ValueError(f"profile: {place!r}: {exc}") from exc
    if not isinstance(found, Profile):
        # Not by its value: the settings of a team, for one, hold more than is to be read.
        raise ValueError(f"profile: {place!r} is of the type {type(found).__name__}, which is no Profile")
    return found

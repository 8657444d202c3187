"""
The markers of the plugin as functions, whose keywords editors complete and type checkers check.

``@marks.stability(alive_for="2m")`` is ``@pytest.mark.ws_stability(alive_for="2m")``.

"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Never, Unpack

import pytest

from ..core.duration import Duration
from ..core.fleet.requirement import Drain, FleetReconnects
from ..core.judge.requirement import RequirementKeywords
from ..core.voice.requirement import VoiceKeywords
from ..core.voice.script import ScriptKeywords
from ..net.keywords import ConnectKeywords
from ..net.server.orchestrator import OrchestratorKeywords
from ..net.target import Headers
from ..net.traffic import Traffic
from ..profiles import Profile
from . import markers


class StabilityKeywords(RequirementKeywords, total=False):
    """The keywords of the ``ws_stability`` marker: those of a requirement, and how the test opens."""

    url: str
    headers: Headers
    subprotocol: str | Sequence[str]
    origin: str | None
    traffic: Traffic
    profile: Profile | str
    client: Literal["browser", "mute", "stalled", "keepalive"]
    time: Literal["auto", "virtual", "real"]
    patch_time: bool
    # With the fixture `ws_fleet`.
    connections: int
    survival: float
    confidence: float
    ramp: Duration
    refused_max: float
    stalled: int
    drain: Drain | int
    reconnects: FleetReconnects | Duration
    sources: Sequence[str]
    options_of: Callable[[int], ConnectKeywords]
    url_of: Callable[[int], str]
    fanout_of: Callable[[str | bytes], str | None]
    fanout_within: Duration
    fanout_p99: Duration


def stability(*nothing: Never, **requirement: Unpack[StabilityKeywords]) -> pytest.MarkDecorator:
    """
    The stability that a WebSocket must show: ``ws_stability``.

    Raises:
        TypeError: if it stands bare, as ``@marks.stability``, or has an argument without a keyword.

    """
    _only_keywords("stability", nothing, 'alive_for="2m"')
    return _marker(markers.STABILITY)(**requirement)


def orchestrator(*nothing: Never, **behaviour: Unpack[OrchestratorKeywords]) -> pytest.MarkDecorator:
    """
    How the reference orchestrator behaves: ``ws_orchestrator``.

    Raises:
        TypeError: if it stands bare, as ``@marks.orchestrator``, or has an argument without a keyword.

    """
    _only_keywords("orchestrator", nothing, 'read_deadline="60s"')
    return _marker(markers.ORCHESTRATOR)(**behaviour)


class VoiceMarkKeywords(VoiceKeywords, ScriptKeywords, total=False):
    """The keywords of the ``ws_voice`` marker: what the conversation shows, and how the caller speaks."""


def voice(*nothing: Never, **conversation: Unpack[VoiceMarkKeywords]) -> pytest.MarkDecorator:
    """
    What a spoken conversation must show, and how the caller speaks: ``ws_voice``.

    Raises:
        TypeError: if it stands bare, as ``@marks.voice``, or has an argument without a keyword.

    """
    _only_keywords("voice", nothing, "turns=20")
    return _marker(markers.VOICE)(**conversation)


def long(*nothing: Never) -> pytest.MarkDecorator:
    """
    The test is long when it runs in real time, and then needs ``--ws-long``: ``ws_long``.

    Raises:
        TypeError: if it stands bare, as ``@marks.long``.

    """
    _only_keywords("long", nothing, "")
    return _marker(markers.LONG)


def middlebox(*names: str) -> pytest.MarkDecorator:
    """
    The proxies and load balancers that the fixture ``ws_middlebox`` stands for: ``ws_middlebox``.

    Raises:
        TypeError: if it stands bare, as ``@marks.middlebox``.

    """
    if any(map(callable, names)):
        _only_keywords("middlebox", names, '"nginx"')
    return _marker(markers.MIDDLEBOX)(*names)


def _marker(name: str) -> pytest.MarkDecorator:
    marker: pytest.MarkDecorator = getattr(pytest.mark, name)
    return marker


def _only_keywords(name: str, given: tuple[object, ...], example: str) -> None:
    if not given:
        return
    if callable(given[0]):
        raise TypeError(f"marks.{name} stands bare; call it: @marks.{name}({example})")
    raise TypeError(f"marks.{name} takes keywords only, not {given[0]!r}; write marks.{name}({example})")

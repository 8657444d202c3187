"""Runs as the nights of a voice team leave them: many holds, few causes, both tiers."""

from __future__ import annotations

import dataclasses
from functools import cache
from itertools import cycle, islice

from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.result import Result, Run
from pytest_wsstability.core.timeline.events import Tier
from tests.core.judging import BEATS
from tests.core.script import FIN, RST, closed_by_peer
from tests.report import held, made


def _scripted(*rows, until=None) -> Result:
    result = made.result(*rows, until=until)
    return dataclasses.replace(result, verdict=diagnosed(result.verdict, result.timelines))


# What is held, and what it is called.
KINDS = {
    "test_voice_session_is_stable": lambda: held.result(),
    "test_agent_answers_within_a_second": lambda: held.result(),
    "test_page_in_a_background_tab_keeps_its_session": lambda: held.result(client="mute"),
    "test_stream_outlives_a_pause": lambda: held.result(read_deadline="40s", deadline_reset_by="ping"),
    "test_heartbeats_are_answered": lambda: held.result(answer_heartbeats=False),
    "test_dashboard": lambda: _scripted(*BEATS, until=120),
    "test_token_outlives_the_call": lambda: _scripted(
        *BEATS[:4], (60, closed_by_peer(4401, "token expired"))
    ),
    "test_stays_up_over_lunch": lambda: _scripted(*BEATS[:6], (90, closed_by_peer(1001, "deploy"))),
    "test_the_gateway_lets_it_live": lambda: _scripted((50, {**FIN})),
    "test_survives_the_night": lambda: _scripted(*BEATS[:2], (31.4, RST)),
    "test_was_seen_for_long_enough": lambda: _scripted(*BEATS[:2], until=40),
}


@cache
def _kind(name: str) -> Result:
    return KINDS[name]()


def holds(count: int) -> list[Result]:
    """So many, two real ones and a virtual one in turn; each with a name of its own."""
    results = []
    for number, name in enumerate(islice(cycle(KINDS), count)):
        kind = _kind(name)
        tier = Tier.VIRTUAL if number % 3 == 2 else Tier.REAL
        results.append(
            dataclasses.replace(
                kind,
                nodeid=f"tests/voice/test_sessions.py::{name}[agent-{number:03}-eu-central-1]",
                url="wss://staging.voice.example/v1/agents/stream" if tier is Tier.REAL else kind.url,
                verdict=dataclasses.replace(kind.verdict, tier=tier),
                started_at=float(number),
            )
        )
    return results


def run_of(count: int, *, started: str = "2026-11-24T02:00:00Z", skip: int = 0) -> Run:
    """A run of so many holds, of which some are left out."""
    return Run(
        started=started,
        tool="pytest-wsstability 0.1.0",
        machine="CPython 3.11.7, Linux x86_64",
        results=tuple(holds(count)[skip:]),
        complaints=("ws_fail_on survival < 99%: 36% of 200 connections up after 120 s (real time)",),
    )

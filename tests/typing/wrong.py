"""
What a user gets wrong: each line that ends with ``# wrong`` is reported by mypy and by pyright, and no other.

Never imported: the checkers read it, a test compares what they say.

"""

# pyright: strict

from __future__ import annotations

from pytest_wsstability import (
    Connector,
    Orchestrator,
    Requirement,
    Soak,
    Timeline,
    assert_stable,
    connect,
    faults,
    marks,
)


@marks.stability  # wrong
def test_bare() -> None: ...


@marks.stability(alive_fro="2m")  # wrong
def test_misspelt() -> None: ...


@marks.stability("2m")  # wrong
def test_no_keyword() -> None: ...


@marks.stability(alive_for=[120])  # wrong
def test_no_duration() -> None: ...


@marks.stability(client="chrome")  # wrong
def test_no_client() -> None: ...


@marks.orchestrator(deadline_reset_by={"pongs"})  # wrong
def test_no_traffic() -> None: ...


@marks.orchestrator(read_dedaline="60s")  # wrong
def test_misspelt_deadline() -> None: ...


def test_soak(ws_soak: Soak) -> None:
    ws_soak.assert_stable(heartbeats_missed_max=1)  # wrong
    ws_soak.assert_rtt("80ms")  # wrong
    ws_soak.assert_alive_for()  # wrong
    print(ws_soak.verdict.outcom)  # wrong


async def test_connections(ws_connect: Connector) -> None:
    await ws_connect(heart_beat="25s")  # wrong
    await ws_connect(client="chrome")  # wrong
    connection = await connect("ws://127.0.0.1/", hearbeat="25s")  # wrong
    connection.assert_heartbeats_answered("5s")  # wrong
    await connection.assert_stable(alive_for=None, sesion_within="5s")  # wrong


def values(timeline: Timeline) -> None:
    Requirement.of(alivefor="2m")  # wrong
    Orchestrator(ping_intervall="30s")  # wrong
    Orchestrator(on_deadline="close")  # wrong
    assert_stable(timeline, rtt_p59="80ms")  # wrong
    faults.Latency()  # wrong

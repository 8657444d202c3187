"""The probe against servers of other makers, in real time: timer within 3 %, and what resets it."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import Policy, TimerKind, probe
from tests.real.servers import KINDS

pytestmark = [pytest.mark.soak, pytest.mark.servers, pytest.mark.real]

IDLE, DEADLINE, KEEPALIVE = TimerKind.IDLE, TimerKind.READ_DEADLINE, TimerKind.KEEPALIVE
ROWS = [
    ("nginx", "/ws", IDLE, 3.0, Policy.ANY),
    ("haproxy", "/ws", IDLE, 3.0, Policy.ANY),
    ("gorilla", "/ws?deadline=3s&reset=pong", DEADLINE, 3.0, Policy.PONGS),
    ("gorilla", "/ws?deadline=3s&reset=pong&ping=2700ms", DEADLINE, 3.0, Policy.PONGS),
    # Its messages and pongs reset it, its pings do not.
    ("gorilla", "/ws?deadline=3s&reset=message", IDLE, 3.0, Policy.SOME),
    ("websockets", "/ws", KEEPALIVE, 2.0, Policy.OWN_PONG),
    # A ping after 2 s of silence, and any traffic of the client answers it.
    ("aiohttp", "/ws", IDLE, 3.0, Policy.CLIENT),
]


@pytest.mark.parametrize(
    ("kind", "path", "timer", "seconds", "policy"), ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS]
)
def test_the_timer_is_found(kind, path, timer, seconds, policy):
    """Configured, and not patched; a machine too busy to measure says so."""
    if reason := KINDS[kind].missing():
        pytest.skip(f"{kind}: {reason}")
    with KINDS[kind].start() as server:
        findings = asyncio.run(probe(server.url(path), max="10s", every="250ms"))
    if any("event loop stood still" in doubt for doubt in findings.doubts):
        pytest.skip("the machine is too busy to measure anything")

    assert findings.doubts == ()
    assert (findings.idle.kind, findings.idle.policy) == (timer, policy)
    assert findings.idle.seconds == pytest.approx(seconds, rel=0.03)
    assert findings.max_age is None

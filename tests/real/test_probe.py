"""The probe against servers of other makers, in real time: timer within 3 %, and what resets it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from typing import NamedTuple

import pytest

from pytest_wsstability.probe import Findings, Policy, TimerKind, probe_url
from tests.real.profiles import BEATS
from tests.real.scenarios.gorilla import ANY_MESSAGE, CHAT, LIFETIME, WITHOUT_PINGS
from tests.real.servers import KINDS

pytestmark = [pytest.mark.soak, pytest.mark.servers, pytest.mark.real]

MAX = "20s"


class Row(NamedTuple):
    """A server, and what the probe has to find there."""

    kind: str
    path: str
    timer: TimerKind
    seconds: float
    policy: Policy
    # Seconds between two pings of the server.
    pings: float | None = None
    max: str = MAX


IDLE, DEADLINE, KEEPALIVE = TimerKind.IDLE, TimerKind.READ_DEADLINE, TimerKind.KEEPALIVE
ROWS = {
    "nginx": Row("nginx", "/ws", IDLE, 3, Policy.ANY),
    "haproxy": Row("haproxy", "/ws", IDLE, 3, Policy.ANY),
    "varnish": Row("varnish", "/ws", IDLE, 3, Policy.ANY),
    # It gives a client one second to close: 3 s are not 4 s, where there is time to see it.
    "envoy": Row("envoy", "/ws", IDLE, 3, Policy.ANY, max="60s"),
    "envoy, maximum age": Row("envoy", "/aged", TimerKind.MAX_AGE, 3, Policy.NOTHING),
    "gorilla, pongs only": Row("gorilla", CHAT, DEADLINE, 3, Policy.PONGS, 2),
    "gorilla, pongs only, no pings": Row("gorilla", WITHOUT_PINGS, DEADLINE, 3, Policy.PONGS),
    # Its messages and pongs reset it, its pings do not.
    "gorilla, any message": Row("gorilla", ANY_MESSAGE, IDLE, 3, Policy.SOME),
    "gorilla, maximum age": Row("gorilla", LIFETIME, TimerKind.MAX_AGE, 3, Policy.NOTHING, 0.5),
    "websockets": Row("websockets", "/ws", KEEPALIVE, 2, Policy.OWN_PONG, 1),
    # A ping after 2 s of silence, and any traffic of the client answers it.
    "aiohttp": Row("aiohttp", "/ws", IDLE, 3, Policy.CLIENT, 2),
}


@pytest.fixture(scope="module")
def findings() -> Mapping[str, Findings]:
    """What every probe that can run here finds, all side by side."""
    rows = {name: row for name, row in ROWS.items() if KINDS[row.kind].missing() is None}
    with ExitStack() as stack:
        kinds = {row.kind for row in rows.values()}
        servers = {kind: stack.enter_context(KINDS[kind].start()) for kind in kinds}
        urls = {name: servers[row.kind].url(row.path) for name, row in rows.items()}
        return asyncio.run(probe_all(urls))


async def probe_all(urls: Mapping[str, str]) -> dict[str, Findings]:
    probes = (probe_url(url, max=ROWS[name].max, profile=BEATS) for name, url in urls.items())
    return dict(zip(urls, await asyncio.gather(*probes), strict=True))


@pytest.mark.parametrize("name", ROWS)
def test_the_timer_is_found(findings, name):
    """Configured, and not patched; no second timer is found. A machine too busy to measure says so."""
    row = ROWS[name]
    if reason := KINDS[row.kind].missing():
        pytest.skip(f"{row.kind}: {reason}")
    found = findings[name]
    if any("event loop stood still" in doubt for doubt in found.doubts):
        pytest.skip("the machine is too busy to measure anything")

    assert found.doubts == ()
    (timer,) = found.timers
    assert (timer.kind, timer.policy) == (row.timer, row.policy)
    # The end that is told later lies between an answer and a question that had none.
    within = timer.error if timer.told_late else None
    assert timer.seconds == pytest.approx(row.seconds, rel=0.03, abs=within)
    assert found.server_ping_every == (row.pings and pytest.approx(row.pings, rel=0.03))

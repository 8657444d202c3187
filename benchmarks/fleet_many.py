"""
20,000 connections on one machine of two cores: two workers and two servers, each a process of its own.

Half of the connections go to each server. What a process may have open ends at 20,000 on many systems, so
that a process carries 10,000 with what else it needs.

"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator

from pytest_wsstability import Requirement
from pytest_wsstability.fleet import Fleet, FleetJob, FleetPlan, FleetRequirement, Workers, hold_fleet

from .figures import Figure
from .processes import ROOT, raise_file_limit, raw_server

CONNECTIONS = 20_000
EVERY = 25.0
# After the last one has opened.
HOLD = 60.0
_RATE = 500.0
_SPARE = 200
# Workers inherit it: where their connections go.
_URLS = "WSSTABILITY_BENCHMARK_URLS"


def url_of(number: int) -> str:
    """The server of a connection: each worker talks to both."""
    urls = os.environ[_URLS].split()
    return urls[number // 2 % len(urls)]


def figures() -> Iterator[Figure]:
    """How many were seen to their end, and how late a worker's loop was at p99."""
    connections = min(CONNECTIONS, 2 * (raise_file_limit() - _SPARE))
    fleet = held(connections, HOLD)
    count, lags = fleet.count, fleet.merge.lags
    of = (
        f"{connections:,} for {HOLD:.0f} s after the last one opened, 2 workers, 2 servers, a beat every 25 s"
    )
    yield Figure(name="stable", value=count.stable, limit=connections, at_least=True, of=of)
    yield Figure(name="unobserved", value=count.unobserved, limit=0, of=of)
    answered = fleet.merge.heartbeats_answered
    yield Figure(
        name="heartbeats answered", value=answered / fleet.merge.heartbeats_sent, limit=1.0, at_least=True
    )
    of = (
        f"the worst of each second of each worker, {lags.count} of them; longest {lags.maximum * 1000:.0f} ms"
    )
    yield Figure(name="lag, p99", value=lags.quantile(0.99) * 1000, unit="ms", limit=50, of=of)


def held(connections: int, hold: float) -> Fleet:
    """A fleet that is over."""
    ramp = connections / _RATE
    each = Requirement.of(alive_for=ramp + hold, heartbeat_every=EVERY, heartbeat_within=EVERY)
    plan = FleetPlan(connections=connections, hold=ramp + hold, ramp=ramp, workers=2)
    with raw_server() as one, raw_server() as other:
        os.environ[_URLS] = f"{one} {other}"
        job = FleetJob(url=one, url_of=url_of, requirement=each)
        engine = Workers([f"2*popen//chdir={ROOT}"])
        return asyncio.run(hold_fleet(job, plan, FleetRequirement(), engine=engine))


if __name__ == "__main__":
    CONNECTIONS, HOLD = int(sys.argv[1]), float(sys.argv[2])
    from . import fleet_many

    fleet_many.CONNECTIONS, fleet_many.HOLD = CONNECTIONS, HOLD
    for figure in fleet_many.figures():
        print(figure.row(), flush=True)

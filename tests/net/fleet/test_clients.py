"""Both roles: the orchestrator under thousands of clients that are not its own, in virtual time."""

import asyncio

import pytest

from pytest_wsstability import Orchestrator, StabilityError, faults, run_virtual
from pytest_wsstability.fleet import FleetReconnects, open_fleet
from pytest_wsstability.net.server.connection_log import ConnectionLog


def restarted(clients, backoff):
    """What a server says of clients that it lost at once, and what became of them."""

    async def main():
        async with Orchestrator() as orchestrator:
            asked = {"alive_for": "30s", "heartbeat_every": "10s", "ramp": "5s", "survival": 0.5}
            reconnects = FleetReconnects(within="15s", backoff=backoff)
            async with open_fleet(
                orchestrator.url, connections=clients, reconnects=reconnects, **asked
            ) as made:
                await asyncio.sleep(16)
                await orchestrator.restart(down_for="500ms")
                await orchestrator.assert_reconnects(within="15s")
                try:
                    orchestrator.assert_no_reconnect_storm(max_per_second=clients, jitter="100ms")
                    storm = None
                except StabilityError as error:
                    storm = error.verdict.violations[0].rule.name
            return made, orchestrator.sessions, storm

    return run_virtual(main())


@pytest.mark.soak
def test_five_thousand_clients_come_back_each_with_its_session():
    """Each has had its first heartbeat answered before: nobody waits for the others."""
    made, sessions, storm = restarted(5_000, None)

    assert (len(sessions), storm) == (5_000, None)
    assert (made.summary.returns.back, made.summary.returns.lost) == (5_000, 0)
    assert {len(session.connections) for session in sessions} == {2}
    assert made.summary.rtt_max < 0.1
    assert made.merge.heartbeats_answered >= 2 * 5_000


def test_a_storm_of_clients_is_found():
    """Equal waits: all of them are back in one second, and the server says so."""
    made, _, storm = restarted(100, "2s")

    assert (made.summary.returns.busiest, storm) == (100, "STORM")


def test_a_crowd_is_looked_at_now_and_then_while_it_is_waited_for(monkeypatch):
    """A look at thousands takes tens of milliseconds: after each of their changes it would stop the loop."""
    looks, look = [], ConnectionLog.history
    monkeypatch.setattr(ConnectionLog, "history", lambda log: looks.append(log) or look(log))

    async def main():
        program = faults.Program.of([("10s", faults.CloseWith(1012))], connections=200)
        async with Orchestrator(faults=program) as orchestrator:
            asked = {"alive_for": "20s", "ramp": "2s", "reconnects": "10s"}
            async with open_fleet(orchestrator.url, connections=200, **asked):
                await asyncio.sleep(1)
                await orchestrator.assert_reconnects(within="10s")
                # The first that ended came back.
                assert asyncio.get_running_loop().time() < 15

    run_virtual(main())

    assert len(looks) < 200

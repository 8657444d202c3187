"""
Many connections as one requirement.

One connection that lives proves little: none lost of twenty is "at least 86 %", with 95 % confidence.

"""

import asyncio

import pytest

from pytest_wsstability import fleet


@pytest.mark.ws_stability(
    alive_for="10m", heartbeat_every="25s", heartbeat_within="5s", connections=300, survival=0.99
)
def test_ten_minutes_of_three_hundred(ws_fleet):
    """At least 99 % live on: 299 without a loss would do. A pull request can have that in virtual time."""
    assert ws_fleet.count.stable == 300


async def test_a_restart_is_seen_as_one_event(ws_orchestrator):
    """The clients of a deploy: all of them end, at one instant, whatever their ages."""
    async with fleet.open_fleet(
        ws_orchestrator.url,
        orchestrator=ws_orchestrator,
        connections=60,
        ramp="30s",
        alive_for="5m",
        heartbeat_every="25s",
    ) as opened:
        await asyncio.sleep(61.2)
        await ws_orchestrator.restart(down_for="1s")
    (group,) = opened.summary.groups

    assert opened.count.ended == 60
    assert "one instant, 61.2 s" in map(str, group.shared)

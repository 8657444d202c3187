"""Fleets in virtual time, from the plan to the message of a failure."""

import asyncio

import pytest

from pytest_wsstability import Orchestrator, StabilityError, run_virtual
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.net.fleet.fleet import open_fleet, planned, too_much

ALIVE = {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s"}


def fleet(act=None, *, behaviour=None, **asked):
    async def main():
        async with Orchestrator(**(behaviour or {})) as orchestrator:
            async with open_fleet(orchestrator.url, **{**ALIVE, "connections": 20, **asked}) as made:
                if act is not None:
                    await act(orchestrator, made)
            return made

    return run_virtual(main())


def test_a_fleet_that_is_stable():
    made = fleet(survival=0.85)

    assert made.assert_stable().outcome is Outcome.STABLE
    assert repr(made).endswith(": 20 planned: 20 stable>")


def test_a_fleet_that_cannot_show_what_is_asked():
    with pytest.raises(StabilityError, match=r"^inconclusive: between 86\.0892% .* 2,995 connections would"):
        fleet(survival=0.999).assert_stable()


def test_a_restart_under_a_fleet_is_one_cause_in_one_event():
    async def restart(orchestrator, made):
        await asyncio.sleep(61.2)
        assert made.count.open == 20
        await orchestrator.restart(down_for="1s")

    made = fleet(restart, survival=0.85, ramp="10s")
    with pytest.raises(StabilityError) as failed:
        made.assert_stable()
    (group,) = made.groups
    message = str(failed.value)

    assert made.verdict.outcome is Outcome.UNSTABLE
    assert len(group) == 20
    assert "one instant, 61.2 s" in str(group)
    assert message.startswith(f"{group.cause}: ")
    assert "  of these  20 planned: 20 ended\n" in message
    assert "  events    20 ends in 1 event; design effect 20\n" in message


def test_the_block_is_left_when_the_fleet_is_finished():
    async def look(orchestrator, made):
        assert made.count.open == 20

    assert fleet(look).count.open == 0


def test_an_error_in_the_block_ends_the_fleet():
    async def fail(orchestrator, made):
        await asyncio.sleep(1)
        raise RuntimeError("mine")

    with pytest.raises(ExceptionGroup) as failed:
        fleet(fail)

    assert failed.value.subgroup(RuntimeError)


def test_a_fleet_needs_a_length():
    with pytest.raises(ValueError, match=r"^alive_for: how long is each connection held\?"):
        fleet(alive_for=None, heartbeat_every=None, heartbeat_within=None)


@pytest.mark.parametrize(
    ("url", "ramp", "opens"),
    [
        ("ws://127.0.0.1:1/", None, 500),
        ("wss://staging.example/", None, 50),
        ("ws://127.0.0.1:1/", "5s", 200),
    ],
)
def test_connections_open_gently(url, ramp, opens):
    assert planned(url, connections=1_000, alive_for=600.0, ramp=ramp).opens_per_second == pytest.approx(
        opens
    )


def test_a_ramp_that_nobody_chose_leaves_half_of_the_hold():
    assert planned("wss://staging.example/", connections=1_000, alive_for=10.0).ramp == 5.0


@pytest.mark.parametrize(
    ("url", "connections", "ramp", "told"),
    [
        ("wss://staging.example/", 1_000, 20.0, None),
        ("wss://staging.example/", 1_001, 60.0, "1,001 connections (unasked: 1,000)"),
        ("wss://staging.example/", 1_000, 19.0, "52.6 opens a second (unasked: 50)"),
        ("ws://127.0.0.1:1/", 100_000, 1.0, None),
    ],
)
def test_a_load_that_somebody_has_to_agree_to(url, connections, ramp, told):
    assert too_much(url, FleetPlan(connections=connections, hold=600.0, ramp=ramp)) == told

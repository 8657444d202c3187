"""What a fleet is before it starts."""

import pytest

from pytest_wsstability.core.fleet.plan import FleetPlan


def test_every_connection_has_one_worker():
    """Ten connections, three workers: each third, so that all have connections of each age."""
    slots = FleetPlan(connections=10, hold=60, workers=3).slots

    assert [list(slot) for slot in slots] == [[0, 3, 6, 9], [1, 4, 7], [2, 5, 8]]


def test_no_more_slots_than_connections():
    assert len(FleetPlan(connections=2, hold=60, workers=8).slots) == 2


def test_connections_open_evenly_over_the_ramp():
    plan = FleetPlan(connections=4, hold=60, ramp=10)

    assert [plan.opens_at(number) for number in range(4)] == [0, 2.5, 5, 7.5]
    assert plan.opens_per_second == 0.4
    assert FleetPlan(connections=4, hold=60).opens_per_second == float("inf")


@pytest.mark.parametrize(
    ("stalled", "connections", "numbers"),
    [
        (0, 20, []),
        (1, 20, [0]),
        (3, 20, [0, 7, 14]),
        (5, 10, [0, 2, 4, 6, 8]),
        (9, 10, [0, 2, 3, 4, 5, 6, 7, 8, 9]),
    ],
)
def test_those_that_stall_stand_evenly_among_the_others(stalled, connections, numbers):
    plan = FleetPlan(connections=connections, hold=60, stalled=stalled)

    assert [number for number in range(connections) if plan.is_stalled(number)] == numbers


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"connections": 0}, r"^connections: 0 is no fleet; give 1 or more$"),
        ({"connections": 2.0}, r"^connections: 2\.0 is no fleet; give a whole number from 1$"),
        ({"connections": True}, r"^connections: True is no fleet; give a whole number from 1$"),
        ({"connections": "5"}, r"^connections: '5' is no fleet; give a whole number from 1$"),
        (
            {"connections": 10_000_001},
            r"^connections: 10,000,001 are more than anything carries; at most 10,000,000$",
        ),
        ({"workers": 0}, r"^workers: 0; give 1 or more$"),
        ({"hold": 0}, r"^alive_for: 0 s is no time to hold"),
        ({"stalled": -1}, r"^stalled: -1 of 10; leave some to judge$"),
        ({"stalled": 10}, r"^stalled: 10 of 10; leave some to judge$"),
        ({"stalled": 1.5}, r"^stalled: 1\.5; give how many of the connections stop reading$"),
        ({"ramp": -1}, r"^ramp: -1 s; give 0 or more$"),
        ({"ramp": 60.1}, r"^ramp: 60\.1 s is longer than the hold \(alive_for=60 s\)"),
    ],
)
def test_numbers_that_make_no_fleet(values, message):
    with pytest.raises(ValueError, match=message):
        FleetPlan(**{"connections": 10, "hold": 60, **values})


def test_the_most_connections():
    assert FleetPlan(connections=10_000_000, hold=60).connections == 10_000_000


def test_a_ramp_as_long_as_the_hold_is_one():
    assert FleetPlan(connections=10, hold=60, ramp=60).opens_at(5) == 30

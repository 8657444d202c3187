"""What a frame of a fleet tells in short."""

import json

import pytest

from pytest_wsstability.core.fleet.frame import FanoutCounts, Frame, runs_of


@pytest.mark.parametrize(
    ("numbers", "step", "runs"),
    [
        ([], 2, []),
        ([7], 2, [(7, 7)]),
        ([5, 1, 3], 2, [(1, 5)]),
        ([1, 3, 9, 11], 2, [(1, 3), (9, 11)]),
        ([1, 2, 3], 1, [(1, 3)]),
    ],
)
def test_numbers_are_told_as_runs(numbers, step, runs):
    assert runs_of(numbers, step) == runs


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (FanoutCounts(), None),
        (
            FanoutCounts(messages=3, late=2, missing=1, excused=4),
            {"messages": 3, "late": 2, "missing": 1, "excused": 4},
        ),
    ],
)
def test_messages_that_fan_out_are_told_where_there_are_any(counts, told):
    """All four numbers survive JSON; a fleet without such messages sends nothing of them."""
    data = json.loads(json.dumps(Frame(slot=0, attempt=1, sequence=0, at=5.0, fanout=counts).as_dict()))

    assert data.get("fanout") == told
    assert Frame.from_dict(data).fanout == counts

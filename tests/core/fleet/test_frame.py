"""What a frame of a fleet tells in short."""

import json

import pytest

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis.client_end import ClientEnd
from pytest_wsstability.core.fleet.frame import Ending, FanoutCounts, Fate, Frame, runs_of


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


def test_why_connections_ended_survives_json():
    """With what lines of their server are compared with."""
    seen = ClientEnd(opened=1000.5, age=20.25, is_open=False, asked=None, ports=(40_000, 7), session="a-1")
    endings = (
        Ending(number=1, fate=Fate.ENDED, age=20.25, at=21, cause="cut", found=Cause.RESTART, seen=seen),
        Ending(number=2, fate=Fate.REFUSED, age=0, at=1, found=Cause.UNAUTHORIZED, status=403, remedy="ask"),
    )
    data = json.loads(json.dumps(Frame(slot=0, attempt=1, sequence=0, at=5.0, endings=endings).as_dict()))

    assert Frame.from_dict(data).endings == endings

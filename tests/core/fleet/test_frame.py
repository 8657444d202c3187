"""What a frame of a fleet tells in short."""

import pytest

from pytest_wsstability.core.fleet.frame import runs_of


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

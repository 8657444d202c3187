"""The cause of each end on servers of other makers, in real time, 20 connections to a scenario."""

from __future__ import annotations

import pytest

from tests.real.bench import Grade, Load, results
from tests.real.play import REPETITIONS
from tests.real.scenarios import SCENARIOS
from tests.real.servers import KINDS

pytestmark = [pytest.mark.soak, pytest.mark.servers, pytest.mark.real]

ROWS = [(kind, name) for kind, scenarios in SCENARIOS.items() for name in scenarios]
# A machine that others use may starve the test process now and then even without our own load.
DOUBTFUL_WHEN_QUIET = 2


@pytest.mark.parametrize("load", Load, ids=lambda load: load.value)
@pytest.mark.parametrize(("kind", "name"), ROWS, ids=[f"{kind}: {name}" for kind, name in ROWS])
def test_the_cause_is_right(kind, name, load):
    """It is named; with every core busy it is named or left open, and never a wrong one."""
    if reason := KINDS[kind].missing():
        pytest.skip(f"{kind}: {reason}")
    result = results(kind, load)[name]

    notes = "\n".join(result.notes[:2])
    assert result.grades.total() == REPETITIONS
    assert result.grades[Grade.WRONG] == 0, notes
    if load is Load.NONE:
        assert result.grades[Grade.DOUBTFUL] <= DOUBTFUL_WHEN_QUIET, notes

"""How far a hold has come: at its boundary, and where it has none."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.progress import goes_on, held_for
from pytest_wsstability.core.judge.requirement import Requirement
from tests.core.script import FIN, timeline


@pytest.mark.parametrize(
    ("hold", "rows", "until", "held", "still"),
    [
        (60, [], 59.5, 59.5, True),
        (60, [], 60, 60, False),
        # The last bit of a clock is no time.
        (60, [], 60 - 1e-9, 60 - 1e-9, False),
        (60, [], 65, 60, False),
        (60, [(30, FIN)], None, 30, False),
        (None, [], 65, 65, False),
    ],
)
def test_a_hold_goes_on_until_its_time_or_its_connection_is_over(hold, rows, until, held, still):
    """What comes after it does not belong to it."""
    line, requirement = timeline(*rows, until=until), Requirement(alive_for=hold)

    assert held_for(requirement, line) == pytest.approx(held, abs=1e-12)
    assert goes_on(requirement, line) is still

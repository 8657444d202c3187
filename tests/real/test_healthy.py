"""No false alarm: where nothing is wrong, nothing is reported."""

from __future__ import annotations

import pytest

from pytest_wsstability import Outcome
from tests.real import healthy

pytestmark = [pytest.mark.soak, pytest.mark.servers, pytest.mark.real]


def test_no_instability_is_reported_on_a_busy_machine(capsys):
    """300 holds of 10 s with every core busy; those that could not be judged are counted and shown."""
    if not healthy.targets():
        pytest.skip("none of the servers is installed: tests/real/install.sh")
    health = healthy.holds()

    with capsys.disabled():
        counts = ", ".join(f"{count} {outcome.value}" for outcome, count in health.outcomes.most_common())
        print(f"\n{healthy.CONNECTIONS} healthy holds of {healthy.HOLD}, every core busy: {counts}")
    assert health.outcomes.total() == healthy.CONNECTIONS
    assert health.outcomes[Outcome.UNSTABLE] == 0, "\n".join(health.notes)

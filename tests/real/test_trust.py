"""A verdict that can be trusted: on a busy machine, and in a process that stands still."""

from __future__ import annotations

import pytest

from tests.real import trust

pytestmark = [pytest.mark.soak, pytest.mark.real]


def test_a_busy_machine_makes_nothing_unstable():
    """1,000 healthy holds, every core busy: none is unstable, at most one in a hundred inconclusive."""
    told = trust.healthy(1000)

    assert len(told) == 1000
    assert trust.complaints("healthy", told) == []


def test_a_process_that_stands_still_claims_nothing_and_blames_nobody():
    """500 holds, stopped for 3 to 8 s: none stable that lost a heartbeat, none that blames the server."""
    told = trust.stopped(500)

    assert len(told) == 500
    assert trust.complaints("stopped", told) == []

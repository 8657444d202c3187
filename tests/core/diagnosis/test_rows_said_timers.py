"""Rows for timers that a close reason speaks of: which of them, by what was silent."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.rows_said_timers import ROWS
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import closed_by_peer

TALK = [(at, "<text") for at in range(5, 100, 5)]


def causes(reason, *rows, end=100):
    return fitting(ROWS, read(*rows, end=end, how=closed_by_peer(4008, reason)))


@pytest.mark.parametrize(("silent", "is_first"), [(0.75, False), (1, True)])
def test_an_idle_timeout_has_a_second_at_least(silent, is_first):
    """Shorter silences are between any two messages."""
    assert (causes("idle timeout", (0.5, ">text"), end=0.5 + silent)[0] == "IDLE_TIMEOUT") is is_first


@pytest.mark.parametrize(
    ("reason", "rows", "first"),
    [
        # Said nothing but in the first twentieth of its life.
        ("timed out", [(2, ">text")], "READ_DEADLINE / MAX_AGE"),
        ("timed out", [(5, ">text")], "READ_DEADLINE"),
        ("timed out", [(45, ">text")], "READ_DEADLINE"),
        # One ping is enough for a keepalive, where the reason may mean one.
        ("timed out", [(10, ">text"), (50, "<ping"), (50, ">pong")], "READ_DEADLINE / KEEPALIVE_TIMEOUT"),
        ("idle timeout", [(2, ">text"), (50, "<ping"), (50, ">pong")], "READ_DEADLINE"),
    ],
)
def test_a_timeout_without_a_name_may_be_several(reason, rows, first):
    """While the peer talked."""
    assert causes(reason, *TALK, *rows)[0] == first

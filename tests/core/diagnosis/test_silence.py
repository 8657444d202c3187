"""Why nothing comes on an open connection, where something is due."""

import pytest

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.diagnosis.silence import diagnose_silence
from tests.core.script import FIN, timeline

LIVES = [(10, ">beat"), (10.1, "<answer"), (20, ">beat"), (20.1, "<answer")]
DEAD = [*LIVES, (30, ">beat"), (40, ">beat")]

RECORDS = [
    # Nothing is asked of the peer, which may have nothing to say.
    ([], 90, None),
    ([(0, "<text"), (1, ">text")], 90, None),
    (LIVES, 29, None),
    # An answer on its way is not late yet.
    ([*LIVES, (30, ">beat")], 34.9, None),
    (DEAD, 45, Cause.HALF_OPEN),
    ([(10, ">ping"), (10.1, "<pong"), (30, ">ping")], 45, Cause.HALF_OPEN),
    ([*DEAD, (41, "<ping"), (41, ">pong"), (44, "<text")], 45, Cause.ZOMBIE),
]


@pytest.mark.parametrize(("rows", "until", "cause"), RECORDS)
def test_a_cause_is_told_where_something_is_due(rows, until, cause):
    """Who waits for a message reads then why none came."""
    found = diagnose_silence([timeline(*rows, until=until)])

    assert (found.cause if found is not None else None) is cause


def test_an_end_is_told_elsewhere():
    """It has its own error."""
    assert diagnose_silence([timeline(*DEAD, (45, FIN))]) is None

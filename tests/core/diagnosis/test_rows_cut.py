"""Ends without a close frame, where a limit decides between two causes."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis import Cause, diagnose
from tests.core.script import RST, timeline


def reset_after(quiet, *, before):
    """A message after some silence that is answered with RST; ``before`` is the longest silence before."""
    often = [(float(at), "<text") for at in range(1, 31)]
    rows = often if before <= 1 else [*often, (30 + before, "<text")]
    said = rows[-1][0] + quiet
    return timeline(*rows, (said, ">text"), (said + 0.01, RST))


@pytest.mark.parametrize(("before", "forgotten"), [(1, True), (5.5, True), (6.5, False), (40, False)])
def test_only_after_the_longest_silence_is_a_path_suspected(before, forgotten):
    """A longer one that was survived shows that nobody on the way forgets so soon."""
    assert (diagnose(reset_after(6, before=before)).cause is Cause.NAT_EXPIRED) is forgotten


@pytest.mark.parametrize(("quiet", "forgotten"), [(4.9, False), (5.1, True)])
def test_a_path_forgets_after_five_seconds_at_the_soonest(quiet, forgotten):
    assert (diagnose(reset_after(quiet, before=1)).cause is Cause.NAT_EXPIRED) is forgotten

"""Rows for closes that the peer wanted: what fits beside, and a reason that asks to reconnect."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.cause import Confidence as C
from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.diagnosis.rows_on_purpose import ASKED, ON_PURPOSE
from pytest_wsstability.core.timeline.events import End
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import closed_by_peer, timeline

TALK = [row for at in range(5, 55, 5) for row in ((at, ">beat"), (at + 0.01, "<answer"))]


@pytest.mark.parametrize(
    ("spoke", "end", "fits"),
    [
        # What a record excludes is no second cause: a second of silence was survived, the last was shorter.
        ([2, 3], 3.3, True),
        ([2, 3.4], 4.9, True),
        # Nobody's timer waits for so short a time, though it was the longest silence.
        ([], 0.99, True),
        ([], 1, False),
        ([1, 1.4], 3.3, False),
    ],
)
def test_a_close_behind_no_silence_is_a_restart_rather_than_an_idle_timeout(spoke, end, fits):
    """Servers on node close with 1000, or without a code, where they are told to stop."""
    features = read(*((at, ">text") for at in spoke), end=end, how=1000)
    (found,) = fitting(ON_PURPOSE, features)

    assert ("RESTART" in found) is fits


@pytest.mark.parametrize("more", [{"beside": {"survivors": 1}}, {"line_end": End.SERVER}])
def test_no_restart_is_told_where_others_lived_on_or_of_a_client(more):
    (found,) = fitting(ON_PURPOSE, read((3, ">text"), end=3.03, how=1000, **more))

    assert "RESTART" not in found


@pytest.mark.parametrize(
    ("code", "beside", "fits"),
    [
        (1000, {}, ["PLANNED_ROTATION / RESTART"]),
        # An age that others have is a limit's; other codes say more themselves.
        (1000, {"same_age": 2}, ["PLANNED_ROTATION"]),
        (1011, {}, []),
    ],
)
def test_who_asks_to_reconnect_may_restart(code, beside, fits):
    features = read((3, ">text"), end=57.3, how=closed_by_peer(code, "please reconnect"), beside=beside)

    assert fitting(ASKED, features) == fits


@pytest.mark.parametrize(
    ("code", "reason", "fits"),
    [
        (4006, "", True),
        (4006, "version malformed", False),
        (4005, "", False),
        (1006 + 2000, "", False),
    ],
)
def test_a_gateway_that_may_not_say_1006_says_4006(code, reason, fits):
    (found,) = fitting(ON_PURPOSE, read((3, ">text"), end=3.03, how=closed_by_peer(code, reason)))

    assert ("UPSTREAM_FAILED" in found) is fits


@pytest.mark.parametrize(
    ("code", "reason", "cause", "confidence"),
    [
        (1000, "please reconnect", Cause.PLANNED_ROTATION, C.MEDIUM),
        (4000, "Reconnect.", Cause.PLANNED_ROTATION, C.MEDIUM),
        (4000, "PleaseReconnect", Cause.PLANNED_ROTATION, C.MEDIUM),
        (4000, "session_reconnect", Cause.PLANNED_ROTATION, C.MEDIUM),
        (1000, "Please try to re-connect later", Cause.PLANNED_ROTATION, C.MEDIUM),
        (1012, "please reconnect", Cause.RESTART, C.HIGH),
        # Other words may give another reason.
        (1000, "out of sync, please reconnect", Cause.CLOSED_BY_PEER, C.LOW),
        (1000, "do not reconnect", Cause.CLOSED_BY_PEER, C.LOW),
    ],
)
def test_a_reason_that_asks_to_reconnect_and_says_nothing_else_is_planned(code, reason, cause, confidence):
    """Such as that of uWebSockets at the end of its maxLifetime."""
    found = diagnose(timeline(*TALK, (57.3, closed_by_peer(code, reason))))

    assert (found.cause, found.confidence) == (cause, confidence), found

"""What is open at the end of a hold, and the proof of life after one without heartbeats."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.events import End
from tests.core.judging import BEATS, HOLD, INCONCLUSIVE, SERVER, STABLE, UNSTABLE, WITHIN, check
from tests.core.script import FIN, PLANNED, RST, closed_by_peer, timeline

EACH = {**HOLD, "heartbeat_every": 25}


@pytest.mark.parametrize(
    ("rows", "until", "outcome", "why", "again"),
    [
        # Waited for, up to an interval longer.
        (BEATS[:7], 120, INCONCLUSIVE, "inconclusive: 1 of 4 heartbeats is still open", 125),
        (BEATS[:7], 124.9, INCONCLUSIVE, [Reason.TOO_SHORT], 125),
        ([*BEATS[:7], (121, "<answer")], 121, STABLE, [], None),
        ([*BEATS[:7], (125, "<answer")], 125, STABLE, [], None),
        (BEATS[:7], 125, UNSTABLE, [Rule.HEARTBEATS], None),
        # An end meanwhile counts for the open one, and not against the hold.
        ([*BEATS[:7], (122, FIN)], None, UNSTABLE, [Rule.HEARTBEATS], None),
        ([*BEATS[:7], (122, closed_by_peer(1000))], None, UNSTABLE, [Rule.HEARTBEATS], None),
        ([*BEATS[:7], (121, "<answer"), (122, FIN)], None, STABLE, [], None),
        # Our own end takes the answer away.
        ([*BEATS[:7], (122, PLANNED)], None, INCONCLUSIVE, [Reason.OWN_END], None),
        # What goes out at the end of the hold is no part of it.
        ([*BEATS, (120, ">beat")], 130, STABLE, [], None),
        ([*BEATS, (119.5, ">beat")], 130, INCONCLUSIVE, [Reason.TOO_SHORT], 144.5),
    ],
)
def test_open_heartbeats_are_waited_for(rows, until, outcome, why, again):
    """A hold is stable when every heartbeat of it was answered, and not before."""
    line, requirement = timeline(*rows, until=until), Requirement.of(**EACH)

    check(judge(requirement, line), outcome, why)
    assert HoldChecks(requirement).next_check(line) == again


@pytest.mark.parametrize(("answered", "outcome"), [(4, STABLE), (3, STABLE), (2, STABLE), (1, UNSTABLE)])
def test_those_that_may_be_missed_are_counted_first(answered, outcome):
    """With two that may be missed, two open ones at the end decide nothing once they are overdue."""
    rows = [row for row in BEATS if row[1] == ">beat" or row[0] < 25 * (answered + 1)]
    check(
        judge(Requirement.of(**EACH, heartbeat_missed_max=2), timeline(*rows, until=125)),
        outcome,
        [] if outcome is STABLE else [Rule.HEARTBEATS],
    )


@pytest.mark.parametrize(("until", "outcome"), [(5.9, INCONCLUSIVE), (6, UNSTABLE)])
def test_an_open_ping_is_waited_for(until, outcome):
    """As a heartbeat is."""
    rows = [(1, ">ping", b"1"), (1.1, "<pong", b"1"), (4, ">ping", b"2")]
    requirement = Requirement.of(alive_for=5, pings_within=2)
    line = timeline(*rows, until=until)

    check(judge(requirement, line), outcome, [Reason.TOO_SHORT] if outcome is INCONCLUSIVE else [Rule.PINGS])
    assert HoldChecks(requirement).next_check(line) == (6 if outcome is INCONCLUSIVE else None)


PINGED = [(1, ">ping", b"1"), (1.1, "<pong", b"1")]
FEED = [(at, "<feed") for at in range(10, 120, 10)]
SENT_BEATS = [row for at in (25, 50, 75, 100) for row in ((at, "<beat"), (at, ">answer"))]


@pytest.mark.parametrize(
    ("written", "rows", "after", "end", "outcome", "why"),
    [
        # A gap that goes on at the end of the hold counts as far as the hold goes.
        ({"message_every": 10}, FEED, [(131, "<feed")], End.CLIENT, STABLE, []),
        (
            {"message_every": 10},
            [*FEED[:-1], (109.9, "<feed")],
            [(131, "<feed")],
            End.CLIENT,
            UNSTABLE,
            [Rule.FLOW],
        ),
        ({"message_every": 10}, FEED, [(119, "<feed"), (150, "<feed")], End.CLIENT, STABLE, []),
        ({"message_every": 10}, [*FEED[:3], *FEED[5:]], [(129, "<feed")], End.CLIENT, UNSTABLE, [Rule.FLOW]),
        ({"heartbeat_every": 25}, SENT_BEATS, [(145, "<beat"), (145, ">answer")], SERVER, STABLE, []),
        (
            {"heartbeat_every": 25},
            SENT_BEATS[:6],
            [(145, "<beat"), (145, ">answer")],
            SERVER,
            UNSTABLE,
            [Rule.CADENCE],
        ),
        # What is asked after the hold is no part of it, answered late or not at all.
        (WITHIN, BEATS, [(130, ">beat"), (136, "<answer")], End.CLIENT, STABLE, []),
        (WITHIN, BEATS, [(120, ">beat"), (126, "<answer")], End.CLIENT, STABLE, []),
        (WITHIN, BEATS, [(119, ">beat"), (125, "<answer")], End.CLIENT, UNSTABLE, [Rule.HEARTBEATS]),
        ({"pings_within": 2}, PINGED, [(130, ">ping", b"2"), (133, "<pong", b"2")], End.CLIENT, STABLE, []),
        (
            {"pings_within": 2},
            PINGED,
            [(119, ">ping", b"2"), (122, "<pong", b"2")],
            End.CLIENT,
            UNSTABLE,
            [Rule.PINGS],
        ),
        # Nor is what is said after it.
        ({}, [], [(120.1, "<error", "late")], End.CLIENT, STABLE, []),
        ({}, [], [(120, "<error", "in time")], End.CLIENT, UNSTABLE, [Rule.ERRORS]),
        ({"no_error_messages": True}, [], [(120.1, "<error", "late")], End.CLIENT, STABLE, []),
    ],
)
def test_what_comes_after_a_hold_changes_no_verdict(written, rows, after, end, outcome, why):
    """It is the same as without it, but for the answers to what is open."""
    requirement = Requirement.of(**HOLD, **written)

    check(judge(requirement, timeline(*rows, *after, end=end, until=160)), outcome, why)


def proved(rows=(), *, asked=120.0, came=None, until=None):
    line = timeline(*rows)
    line.ask_proof(1000 + asked)
    if came is not None:
        line.prove(1000 + came)
    if until is not None:
        line.observe(1000 + until)
    return line


@pytest.mark.parametrize(
    ("line", "outcome", "why", "again"),
    [
        (proved(until=120), INCONCLUSIVE, [Reason.TOO_SHORT], 125),
        (proved(until=124.9), INCONCLUSIVE, [Reason.TOO_SHORT], 125),
        (proved(until=125), UNSTABLE, "no sign of life after 120 s: nothing came", None),
        (proved(came=124.9, until=125), STABLE, [], None),
        (proved(came=120.1, until=120.1), STABLE, [], None),
        # One that a shorter hold asked for, and did not get, is its own.
        (proved(asked=119.9, until=130), STABLE, [], None),
    ],
)
def test_proof_of_life(line, outcome, why, again):
    """Any byte within five seconds of a ping; a path that is dead is not stable."""
    requirement = Requirement.of(**HOLD)
    verdict = judge(requirement, line)

    check(verdict, outcome, why)
    assert HoldChecks(requirement).next_check(line) == again
    assert [each.at for each in verdict.violations] == [125] * (outcome is UNSTABLE)


@pytest.mark.parametrize(
    ("end", "outcome", "why"),
    [
        # The ping met nobody.
        (RST, UNSTABLE, "no sign of life after 120 s: 1006 at 121 s: no close frame received or sent; RST"),
        (PLANNED, INCONCLUSIVE, [Reason.OWN_END]),
    ],
)
def test_an_end_instead_of_a_sign_of_life(end, outcome, why):
    """What was open at the end of the hold lived as long as that; whether it did, nobody knows any more."""
    line = timeline(until=120)
    line.ask_proof(1120)
    line = timeline((121, end))
    line.ask_proof(1120)

    check(judge(Requirement.of(**HOLD), line), outcome, why)


def test_a_lag_excuses_a_sign_of_life_that_was_not_read():
    """If the loop stood still until the time for it was over."""
    late = timeline((125.1, "lag", 4.0), until=125.2)
    late.ask_proof(1120)
    check(judge(Requirement.of(**HOLD), late), INCONCLUSIVE, [Reason.LOOP_LAG])

    early = timeline((124.5, "lag", 4.0), until=125.2)
    early.ask_proof(1120)
    check(judge(Requirement.of(**HOLD), early), UNSTABLE, [Rule.PROOF])


@pytest.mark.parametrize(
    ("written", "lasts"),
    [
        ({}, None),
        (WITHIN, None),
        (HOLD, 125),
        ({**HOLD, **WITHIN}, 125),
        ({**HOLD, "heartbeat_every": 25}, 145),
        ({**HOLD, "heartbeat_every": 25, "heartbeat_within": 2}, 122),
        ({**HOLD, "pings_within": 9, "heartbeat_within": 2}, 129),
    ],
)
def test_how_long_a_hold_may_last(written, lasts):
    """With the longest wait at its end: for heartbeats or pings that are open, or else for a sign of life."""
    assert Requirement.of(**written).lasts == lasts

"""What is open at the end of a hold, and the proof of life after one without heartbeats."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.proof import asks_proof, needs_proof
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from tests.core.judging import BEATS, HOLD, INCONCLUSIVE, SERVER, STABLE, UNSTABLE, WITHIN, check
from tests.core.script import FIN, GIVEN_UP, PLANNED, RST, closed_by_peer, timeline

EACH = {**HOLD, "heartbeat_every": 25}


@pytest.mark.parametrize(
    ("rows", "until", "outcome", "again"),
    [
        # Waited for, up to an interval longer.
        (BEATS[:7], 120, "inconclusive: 1 of 4 heartbeats is still open", 125),
        (BEATS[:7], 124.9, [Reason.TOO_SHORT], 125),
        ([*BEATS[:7], (121, "<answer")], 121, STABLE, None),
        ([*BEATS[:7], (125, "<answer")], 125, STABLE, None),
        (BEATS[:7], 125, [Rule.HEARTBEATS], None),
        # An end meanwhile counts for the open one, and not against the hold.
        ([*BEATS[:7], (122, FIN)], None, [Rule.HEARTBEATS], None),
        ([*BEATS[:7], (122, closed_by_peer(1000))], None, [Rule.HEARTBEATS], None),
        ([*BEATS[:7], (121, "<answer"), (122, FIN)], None, STABLE, None),
        # Our own end takes the answer away.
        ([*BEATS[:7], (122, PLANNED)], None, [Reason.OWN_END], None),
        # What goes out at the end of the hold is no part of it.
        ([*BEATS, (120, ">beat")], 130, STABLE, None),
        ([*BEATS, (119.5, ">beat")], 130, [Reason.TOO_SHORT], 144.5),
    ],
)
def test_open_heartbeats_are_waited_for(rows, until, outcome, again):
    """A hold is stable when every heartbeat of it was answered, and not before."""
    line, requirement = timeline(*rows, until=until), Requirement.of(**EACH)

    check(judge(requirement, line), outcome)
    assert HoldChecks(requirement).next_check(line) == again


@pytest.mark.parametrize(
    ("answered", "outcome"), [(4, STABLE), (3, STABLE), (2, STABLE), (1, [Rule.HEARTBEATS])]
)
def test_those_that_may_be_missed_are_counted_first(answered, outcome):
    """With two that may be missed, two open ones at the end decide nothing once they are overdue."""
    rows = [row for row in BEATS if row[1] == ">beat" or row[0] < 25 * (answered + 1)]
    check(judge(Requirement.of(**EACH, heartbeat_missed_max=2), timeline(*rows, until=125)), outcome)


@pytest.mark.parametrize(
    ("until", "outcome", "again"), [(5.9, [Reason.TOO_SHORT], 6), (6, [Rule.PINGS], None)]
)
def test_an_open_ping_is_waited_for(until, outcome, again):
    """As a heartbeat is."""
    rows = [(1, ">ping", b"1"), (1.1, "<pong", b"1"), (4, ">ping", b"2")]
    requirement = Requirement.of(alive_for=5, pings_within=2)
    line = timeline(*rows, until=until)

    check(judge(requirement, line), outcome)
    assert HoldChecks(requirement).next_check(line) == again


PINGED = [(1, ">ping", b"1"), (1.1, "<pong", b"1")]
FEED = [(at, "<feed") for at in range(10, 120, 10)]
SENT_BEATS = [row for at in (25, 50, 75, 100) for row in ((at, "<beat"), (at, ">answer"))]


@pytest.mark.parametrize(
    ("written", "rows", "after", "outcome"),
    [
        # A gap that goes on at the end of the hold counts as far as the hold goes.
        ({"message_every": 10}, FEED, [(131, "<feed")], STABLE),
        ({"message_every": 10}, [*FEED[:-1], (109.9, "<feed")], [(131, "<feed")], [Rule.FLOW]),
        ({"message_every": 10}, FEED, [(119, "<feed"), (150, "<feed")], STABLE),
        ({"message_every": 10}, [*FEED[:3], *FEED[5:]], [(129, "<feed")], [Rule.FLOW]),
        # What is asked after the hold is no part of it, answered late or not at all.
        (WITHIN, BEATS, [(130, ">beat"), (136, "<answer")], STABLE),
        (WITHIN, BEATS, [(120, ">beat"), (126, "<answer")], STABLE),
        (WITHIN, BEATS, [(119, ">beat"), (125, "<answer")], [Rule.HEARTBEATS]),
        ({"pings_within": 2}, PINGED, [(130, ">ping", b"2"), (133, "<pong", b"2")], STABLE),
        ({"pings_within": 2}, PINGED, [(119, ">ping", b"2"), (122, "<pong", b"2")], [Rule.PINGS]),
        # Nor is what is said after it.
        ({}, [], [(120.1, "<error", "late")], STABLE),
        ({}, [], [(120, "<error", "in time")], [Rule.ERRORS]),
        ({"no_error_messages": True}, [], [(120.1, "<error", "late")], STABLE),
        # Nothing that is counted.
        ({"messages_at_least": 11}, FEED, [(121, "<feed")], STABLE),
        ({"messages_at_least": 12}, FEED, [(120, "<feed")], STABLE),
        ({"messages_at_least": 12}, FEED, [(120.1, "<feed")], "11 of at least 12 messages in 120 s"),
        ({"messages_at_least": 12}, FEED, [(150, PLANNED)], [Rule.FLOW]),
        ({**WITHIN, "heartbeats_at_least": 4}, BEATS, [(130, ">beat"), (131, "<answer")], STABLE),
        (
            {**WITHIN, "heartbeats_at_least": 5},
            BEATS,
            [(120, ">beat"), (121, "<answer")],
            "inconclusive: 4 of at least 5 heartbeats answered (4 sent in 120 s)",
        ),
        # One that is open at the end of the hold and answered in time is a part of it.
        (
            {**WITHIN, "heartbeats_at_least": 5},
            BEATS,
            [(119, ">beat"), (123, "<answer"), (130, ">beat")],
            STABLE,
        ),
        (
            {"heartbeat_every": 25},
            BEATS[:4],
            [(at, ">beat") for at in (121, 131)],
            [Reason.TOO_FEW, Reason.OWN_BEATS],
        ),
        ({"pings_within": 2}, [], [(130, ">ping", b"1"), (130.1, "<pong", b"1")], [Reason.TOO_FEW]),
        # Nor a round trip that was slow.
        ({"rtt_p95": 1}, BEATS, [(120, ">beat"), (122, "<answer")], STABLE),
        ({"rtt_p95": 1}, BEATS, [(118, ">beat"), (120, "<answer")], [Rule.RTT]),
        # One that is open then is waited for where heartbeats are required, and no longer than they say.
        ({"rtt_p95": 1}, BEATS, [(119, ">beat"), (121, "<answer")], STABLE),
        (
            {**WITHIN, "rtt_p95": 1},
            BEATS,
            [(119, ">beat"), (121, "<answer")],
            "rtt 2 s (slowest of 5, too few for a p95)",
        ),
        (
            {**WITHIN, "rtt_p95": 1, "heartbeat_missed_max": 1},
            BEATS,
            [(119, ">beat"), (124.1, "<answer")],
            STABLE,
        ),
        # Heartbeats after it do not stand for the pings in it.
        ({"rtt_p95": 1}, PINGED, [(130, ">beat"), (133, "<answer")], STABLE),
        (
            {"rtt_p95": 0.05},
            PINGED,
            [(130, ">beat"), (130, "<answer")],
            "rtt 100 ms (slowest of 1, too few for a p95)",
        ),
        # Quick ones after it make up for none in it.
        (
            {"rtt_p95": 1},
            [(1, ">beat"), (3, "<answer")],
            [row for at in range(121, 150) for row in ((at, ">beat"), (at + 0.1, "<answer"))],
            "rtt 2 s (slowest of 1, too few for a p95)",
        ),
        # What was announced in the hold did not come in it.
        ({}, [(60, "<notice", "token has expired")], [(140, FIN)], [Rule.ERRORS]),
        ({}, [(10, "<feed"), (20, "<feed"), (21, "<notice")], [(140, FIN)], [Rule.FLOW]),
    ],
)
def test_what_comes_after_a_hold_changes_no_verdict(written, rows, after, outcome):
    """It is the same as without it, but for the answers to what is open."""
    requirement = Requirement.of(**HOLD, **written)

    check(judge(requirement, timeline(*rows, *after, until=160)), outcome)


@pytest.mark.parametrize(
    ("written", "rows", "after", "outcome"),
    [
        ({"heartbeat_every": 25}, SENT_BEATS, [(145, "<beat"), (145, ">answer")], STABLE),
        ({"heartbeat_every": 25}, SENT_BEATS[:6], [(145, "<beat"), (145, ">answer")], [Rule.CADENCE]),
        (
            {**WITHIN, "heartbeats_at_least": 5},
            SENT_BEATS,
            [(145, "<beat"), (145, ">answer")],
            "4 of at least 5 heartbeats answered (4 sent in 120 s)",
        ),
        (WITHIN, [], [(150, RST)], "the client never sent a heartbeat in 150 s"),
        # Heartbeats that are too close then tell nothing of those before, which are known beside them.
        ({"heartbeats_apart": 20}, SENT_BEATS, [(130, "<beat"), (131, "<beat")], STABLE),
        ({"heartbeats_apart": 21}, SENT_BEATS, [(120, "<beat")], STABLE),
        ({"heartbeats_apart": 21}, SENT_BEATS, [(119.9, "<beat")], [Rule.APART]),
        (
            {"heartbeats_apart": 30},
            SENT_BEATS,
            [(130, "<beat"), (131, "<beat")],
            "two heartbeats 25 s apart, not 30 s or more",
        ),
        # Those before them are known but for many that were each the closest so far.
        (
            {"heartbeats_apart": 20},
            SENT_BEATS,
            [(150 + n - n * n / 40, "<beat") for n in range(17)],
            "inconclusive: two heartbeats 225 ms apart after the hold: those in it are not known",
        ),
        ({"heartbeats_apart": 20}, SENT_BEATS[:2], [(145, "<beat")], [Reason.TOO_FEW]),
    ],
)
def test_what_comes_after_a_hold_changes_no_verdict_of_a_server(written, rows, after, outcome):
    """Whose client sends the heartbeats."""
    requirement = Requirement.of(**HOLD, **written)

    check(judge(requirement, timeline(*rows, *after, end=SERVER, until=160)), outcome)


def proved(rows=(), *, asked=120.0, came=None, until=None):
    line = timeline(*rows)
    line.ask_proof(1000 + asked)
    if came is not None:
        line.prove(1000 + came)
    if until is not None:
        line.observe(1000 + until)
    return line


@pytest.mark.parametrize(
    ("line", "outcome", "again"),
    [
        (proved(until=120), [Reason.TOO_SHORT], 125),
        (proved(until=124.9), [Reason.TOO_SHORT], 125),
        (proved(until=125), "no sign of life after 120 s: nothing came", None),
        (proved(came=124.9, until=125), STABLE, None),
        (proved(came=120.1, until=120.1), STABLE, None),
        # One that a shorter hold asked for, and did not get, is its own.
        (proved(asked=119.9, until=130), STABLE, None),
    ],
)
def test_proof_of_life(line, outcome, again):
    """Any byte within five seconds of a ping; a path that is dead is not stable."""
    requirement = Requirement.of(**HOLD)
    verdict = judge(requirement, line)

    check(verdict, outcome)
    assert HoldChecks(requirement).next_check(line) == again
    assert [each.at for each in verdict.violations] == [125] * (verdict.outcome is UNSTABLE)


@pytest.mark.parametrize(
    ("end", "outcome"),
    [
        # The ping met nobody.
        (RST, "no sign of life after 120 s: 1006 at 121 s: no close frame received or sent; RST"),
        (PLANNED, [Reason.OWN_END]),
    ],
)
def test_an_end_instead_of_a_sign_of_life(end, outcome):
    """What was open at the end of the hold lived as long as that; whether it did, nobody knows any more."""
    line = timeline(until=120)
    line.ask_proof(1120)
    line = timeline((121, end))
    line.ask_proof(1120)

    check(judge(Requirement.of(**HOLD), line), outcome)


def test_a_lag_excuses_a_sign_of_life_that_was_not_read():
    """If the loop stood still until the time for it was over."""
    late = timeline((125.1, "lag", 4.0), until=125.2)
    late.ask_proof(1120)
    check(judge(Requirement.of(**HOLD), late), [Reason.LOOP_LAG])

    early = timeline((124.5, "lag", 4.0), until=125.2)
    early.ask_proof(1120)
    check(judge(Requirement.of(**HOLD), early), [Rule.PROOF])


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(30, "<feed"), (119.9, GIVEN_UP)], [Rule.ALIVE]),
        ([(30, "<feed"), (100, ">ping"), (120, GIVEN_UP)], [Rule.PROOF]),
        ([(119.5, ">ping"), (119.9, "<feed"), (140, GIVEN_UP)], [Rule.PROOF]),
        ([(119.5, ">ping"), (120, "<feed"), (140, GIVEN_UP)], STABLE),
        # Who answered the last ping of the hold was lost after it.
        ([(119.5, ">ping"), (119.9, "<pong"), (120, ">ping"), (140, GIVEN_UP)], STABLE),
        # Who ends a connection is there.
        ([(30, "<feed"), (120, FIN)], STABLE),
    ],
)
def test_a_peer_that_was_given_up_for_silence_was_not_there_at_the_end_of_the_hold(rows, outcome):
    """Where the pings of this end tell so at the very instant at which the hold would ask."""
    check(judge(Requirement.of(**HOLD), timeline(*rows, until=150)), outcome)


def test_the_proof_of_a_shorter_hold_proves_nothing_of_a_longer_one():
    """Whose peer was given up for silence in the end."""
    line = timeline((30, "<feed"), (100, ">ping"), (120, GIVEN_UP))
    line.ask_proof(1030)
    line.prove(1030)

    check(judge(Requirement.of(alive_for=30), line), STABLE)
    check(judge(Requirement.of(**HOLD), line), [Rule.PROOF])


MISSED = [*BEATS[:6], (100, ">beat")]


@pytest.mark.parametrize(
    ("end", "heard", "outcome"),
    [
        (GIVEN_UP, [], [Rule.PROOF]),
        (GIVEN_UP, [(115, "<feed")], STABLE),
        # Who ends a connection is there.
        (FIN, [], STABLE),
    ],
)
def test_no_answer_comes_to_a_peer_that_was_given_up(end, heard, outcome):
    """The last heartbeat, which may be missed, had time until 125 s; the ping before it had none."""
    requirement = Requirement.of(**EACH, heartbeat_missed_max=1)
    rows = [*BEATS[:6], (100, ">ping"), (100, ">beat"), *heard, (120.1, end)]

    check(judge(requirement, timeline(*rows)), outcome)


@pytest.mark.parametrize(
    ("rows", "until", "allowed", "asks"),
    [
        (MISSED, 104.9, 1, False),
        (MISSED, 105, 1, True),
        (MISSED, 120, 1, True),
        # Without one that may be missed the hold is broken by that.
        (MISSED, 120, 0, False),
        # What came since shows that the peer is there.
        ([*MISSED, (101, "<feed")], 120, 1, False),
        ([*BEATS[:6], (99, "<feed"), (100, ">beat")], 120, 1, True),
        (BEATS[:8], 120, 1, False),
        # What goes out after the hold is none of it.
        ([*BEATS[:8], (121, ">beat")], 130, 1, False),
    ],
)
def test_a_last_heartbeat_that_may_be_missed_proves_nothing(rows, until, allowed, asks):
    """A path that died in the middle of the hold would pass with as many as were missed since."""
    requirement = Requirement.of(**EACH, heartbeat_within=5, heartbeat_missed_max=allowed)

    assert asks_proof(requirement, timeline(*rows, until=until)) is asks


# The first heartbeat is missed, and no answer is to be taken for its own.
EARLY = [(25, ">beat", b"1"), (50, ">beat", b"2"), (50.1, "<answer", b"2"), (75, ">beat", b"3")]


@pytest.mark.parametrize(
    ("rows", "until", "needs"),
    [
        # It was missed long ago, and tells nothing of the end of the hold.
        ([*EARLY, (75.1, "<answer", b"3")], 120, True),
        ([*EARLY, (114.9, "<answer", b"3")], 120, True),
        ([*EARLY, (115, "<answer", b"3")], 120, False),
        # An answer may come yet, until it is missed as well.
        ([*EARLY, (118, ">beat", b"4")], 120, False),
        ([*EARLY, (118, ">beat", b"4")], 122.9, False),
        ([*EARLY, (118, ">beat", b"4")], 123, True),
        ([*EARLY, (118, ">beat", b"4"), (122, "<answer", b"4")], 123, False),
    ],
)
def test_a_heartbeat_that_was_missed_early_proves_nothing(rows, until, needs):
    """A hold ends with a proof of life all the same, if the peer was silent at its end."""
    requirement = Requirement.of(**EACH, heartbeat_within=5, heartbeat_missed_max=3)

    assert needs_proof(requirement, timeline(*rows, until=until)) is needs


@pytest.mark.parametrize(("asked", "asks"), [(119.9, False), (120, True)])
def test_a_proof_that_a_shorter_hold_missed_asks_for_none(asked, asks):
    """The last heartbeat of this one was answered."""
    requirement = Requirement.of(**EACH, heartbeat_within=5, heartbeat_missed_max=1)
    line = timeline(*BEATS[:8], until=120)
    line.ask_proof(1000 + asked)

    assert asks_proof(requirement, line) is asks


@pytest.mark.parametrize(
    ("came", "later", "outcome"),
    [
        (None, (), "no sign of life after 120 s: nothing came"),
        (124.9, (), STABLE),
        # The peer is there again, and answers, after it was silent for five seconds.
        (None, [(126, "<answer"), (127, "<feed")], [Rule.PROOF]),
    ],
)
def test_the_proof_of_life_after_a_last_heartbeat_that_was_missed(came, later, outcome):
    requirement = Requirement.of(**EACH, heartbeat_within=5, heartbeat_missed_max=1)

    check(judge(requirement, proved([*MISSED, *later], came=came, until=130)), outcome)


@pytest.mark.parametrize(
    ("written", "lasts"),
    [
        ({}, None),
        (WITHIN, None),
        (HOLD, 125),
        ({**HOLD, **WITHIN}, 130),
        ({**HOLD, "heartbeat_every": 25}, 150),
        ({**HOLD, "heartbeat_every": 25, "heartbeat_within": 2}, 127),
        # Of a server that asks (Socket.IO), as of one without heartbeats.
        ({**HOLD, "heartbeat_within": 2}, 127),
        ({**HOLD, "pings_within": 2}, 127),
        ({**HOLD, "pings_within": 9, "heartbeat_within": 2}, 134),
        # The last one may be missed, and so may the one that follows the ping.
        ({**HOLD, "heartbeat_within": 2, "heartbeat_missed_max": 1}, 129),
    ],
)
def test_how_long_a_hold_may_last(written, lasts):
    """With the longest waits at its end: for a sign of life after a ping, and for heartbeats or pings."""
    assert Requirement.of(**written).lasts(ProtocolFacts(name="ours", title="ours")) == lasts


@pytest.mark.parametrize(
    ("sender", "every", "written", "lasts"),
    [
        # A path that is dead is known when the next heartbeat of the peer would have come.
        (End.SERVER, 60, HOLD, 210),
        (End.SERVER, 60, {**HOLD, "heartbeat_within": 40}, 220),
        (End.SERVER, 60, {**HOLD, "heartbeat_every": 20}, 210),
        (End.SERVER, 3, HOLD, 130),
        (End.SERVER, None, HOLD, 125),
        # Asked for one, though none is required.
        (End.CLIENT, 60, HOLD, 130),
        (End.CLIENT, 60, {**HOLD, "message_every": 30}, 150),
    ],
)
def test_how_long_it_may_last_where_the_peer_speaks_by_itself(sender, every, written, lasts):
    """It is waited for, because some answer no pings."""
    facts = ProtocolFacts(name="ours", title="ours", heartbeats_from=frozenset({sender}), every=every)

    assert Requirement.of(**written).lasts(facts) == lasts


@pytest.mark.parametrize("at", [120, 120.1])
@pytest.mark.parametrize(
    ("flaw", "written", "rule"),
    [
        (Flaw.SEQUENCE, {}, Rule.PROTOCOL),
        (Flaw.CONFIRMED_AGAIN, {"handshake": True}, Rule.HANDSHAKE),
        (Flaw.WRONG_SESSION, {"session_within": 5}, Rule.SESSION),
    ],
)
def test_what_goes_wrong_after_a_hold_is_no_part_of_it(at, flaw, written, rule):
    """Neither of the protocol nor of the session."""
    line = timeline((0.5, ">info"), (1, "<confirmed"), until=160)
    line.irregularity(1000 + at, flaw, "the detail")

    check(judge(Requirement.of(**HOLD, **written), line), [rule] if at <= 120 else STABLE)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([(121, ">info"), (122, "<confirmed")], "session_info was not sent"),
        ([(0.5, ">info"), (122, "<confirmed")], "the session was not confirmed"),
        ([(0.5, ">info")], "the session was not confirmed"),
    ],
)
@pytest.mark.parametrize("end", [[], [(150, FIN)]])
def test_a_session_after_the_hold_is_none_of_it(rows, why, end):
    """A handshake that was not seen in the hold was not right in it, and an end after it changes nothing."""
    requirement = Requirement.of(**HOLD, handshake=True)
    verdict = judge(requirement, timeline(*rows, *end, until=None if end else 160))

    check(verdict, why)
    assert [(each.rule, each.at) for each in verdict.violations] == [(Rule.HANDSHAKE, 120)]


@pytest.mark.parametrize(
    ("until", "outcome"), [(119.9, [Reason.TOO_SHORT, Reason.TOO_FEW]), (120, [Rule.HANDSHAKE])]
)
@pytest.mark.parametrize("rows", [[], [(0.5, ">info")]])
def test_while_the_hold_lasts_a_handshake_may_come(rows, until, outcome):
    """It is `session_within` that says how soon."""
    check(judge(Requirement.of(**HOLD, handshake=True), timeline(*rows, until=until)), outcome)


@pytest.mark.parametrize(("at", "broken_at"), [(60, 60), (120, 120), (120.1, 120)])
@pytest.mark.parametrize("rows", [[], [(0.5, ">info")]])
def test_a_handshake_that_was_not_whole_is_told_by_an_end_in_the_hold(rows, at, broken_at):
    verdict = judge(Requirement.of(**HOLD, handshake=True), timeline(*rows, (at, FIN)))

    assert verdict.outcome is UNSTABLE
    assert [each.at for each in verdict.violations if each.rule is Rule.HANDSHAKE] == [broken_at]


@pytest.mark.parametrize("written", [{"heartbeat_within": 5}, {"pings_within": 5}])
def test_of_questions_that_are_too_many_it_is_not_known_when_they_were(written):
    """Those without an answer that were asked after a hold are not missed in it."""
    ask, answer = (">ping", "<pong") if "pings_within" in written else (">beat", "<answer")
    rows = [row for at in range(10, 120, 10) for row in ((at, ask), (at + 0.1, answer))]
    after = [(121 + at / 10, ask) for at in range(1024 + 50)]

    for number, outcome in ((1024, STABLE), (1025, [Reason.TOO_FEW])):
        line = timeline(*rows, *after[:number], until=300)
        check(judge(Requirement.of(**HOLD, **written), line), outcome)


@pytest.mark.parametrize(("asked", "outcome"), [(16, INCONCLUSIVE), (17, INCONCLUSIVE), (400, UNSTABLE)])
@pytest.mark.parametrize("ask", [">beat", ">ping"])
def test_answers_that_all_came_after_the_hold_were_not_slow_in_it(ask, asked, outcome):
    """Nor quick: none was measured. Of more than sixteen only the number is kept."""
    answer = "<answer" if ask == ">beat" else "<pong"
    at = [50 + each / 100 for each in range(asked)]
    # The four hundred were all answered in the hold.
    late = 130 if outcome is INCONCLUSIVE else 100
    rows = [(each, ask, b"%d" % place) for place, each in enumerate(at)]
    rows += [(late + each / 100, answer, b"%d" % place) for place, each in enumerate(at)]
    line = timeline(*rows, until=160)

    verdict = judge(Requirement.of(**HOLD, rtt_p95=1), line)

    assert verdict.outcome is outcome, verdict


def test_messages_are_due_from_a_confirmation_in_the_hold():
    """Of those before a later one nothing is known any more."""
    rows = [*FEED[:3], (0.5, ">info"), (130, "<confirmed")]
    requirement = Requirement.of(**HOLD, message_every=10)

    check(judge(requirement, timeline(*sorted(rows), until=160)), [Reason.TOO_FEW])


SECONDS = [(at, "<feed") for at in range(1, 145)]


@pytest.mark.parametrize(
    ("least", "outcome"),
    [
        (117, STABLE),
        (118, "inconclusive: 117 to 120 of at least 118 messages in 120 s: the record goes on after it"),
        (120, [Reason.TOO_FEW]),
        (121, "120 of at least 121 messages in 120 s"),
    ],
)
def test_of_many_messages_not_each_instant_is_kept(least, outcome):
    """Where the number would decide, the record cannot tell."""
    requirement = Requirement.of(**HOLD, messages_at_least=least)

    check(judge(requirement, timeline(*SECONDS)), outcome)


LATE = [row for at in range(130, 330, 10) for row in ((at, ">beat"), (at + 6, "<answer"))]
LATE_PONGS = [row for at in range(130, 330, 10) for row in ((at, ">ping", b"2"), (at + 6, "<pong", b"2"))]
NOT_KNOWN = "it is not known any more how many of so many were in it"


@pytest.mark.parametrize(
    ("written", "rows", "outcome"),
    [
        # As many as are kept with their instants, and one more.
        (WITHIN, [*BEATS, *LATE[:32]], STABLE),
        (WITHIN, [*BEATS, *LATE[:34]], [Reason.TOO_FEW]),
        ({**WITHIN, "heartbeat_missed_max": 1}, [*BEATS, *LATE[:34]], STABLE),
        ({**WITHIN, "heartbeats_at_least": 4}, [*BEATS, *LATE[:32]], STABLE),
        (
            {**WITHIN, "heartbeats_at_least": 4, "heartbeat_missed_max": 1},
            [*BEATS, *LATE[:34]],
            [Reason.TOO_FEW],
        ),
        ({"rtt_p95": 1}, [*BEATS, *LATE[:32]], STABLE),
        ({"rtt_p95": 1}, [*BEATS, *LATE[:34]], [Reason.TOO_FEW]),
        ({"pings_within": 2}, [*PINGED, *LATE_PONGS[:32]], STABLE),
        ({"pings_within": 2}, [*PINGED, *LATE_PONGS[:34]], [Reason.TOO_FEW]),
    ],
)
def test_of_many_late_answers_not_each_instant_is_kept(written, rows, outcome):
    """Those after the hold may hide one in it, which the record cannot tell."""
    verdict = judge(Requirement.of(**HOLD, **written), timeline(*rows, until=400))

    check(verdict, outcome)
    assert all(NOT_KNOWN in doubt.text for doubt in verdict.doubts)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(119, "paused")], INCONCLUSIVE),
        ([(119, "paused"), (130, "resumed")], INCONCLUSIVE),
        ([(119, "paused"), (120, "resumed")], INCONCLUSIVE),
        ([(119, "paused"), (119.9, "resumed")], UNSTABLE),
        ([(120.1, "paused")], UNSTABLE),
    ],
)
@pytest.mark.parametrize(
    ("written", "end"), [({"messages_at_least": 1}, End.CLIENT), ({"heartbeat_within": 5}, SERVER)]
)
def test_what_may_lie_unread_is_not_missing(rows, outcome, written, end):
    """Too few of what an end has not read blames nobody."""
    verdict = judge(Requirement.of(**HOLD, **written), timeline(*rows, end=end, until=140))

    assert verdict.outcome is outcome
    assert all(doubt.reason is Reason.READING_PAUSED for doubt in verdict.doubts)


def test_a_session_that_may_lie_unread_is_not_missing():
    """Nor is the client's part of the handshake."""
    line = timeline((0.1, "paused"), (60, RST), end=SERVER)

    check(judge(Requirement(handshake=True), line), [Reason.READING_PAUSED])


@pytest.mark.parametrize(
    ("paused_at", "outcome"), [(29.9, INCONCLUSIVE), (30, INCONCLUSIVE), (30.1, UNSTABLE)]
)
def test_a_stall_explains_no_answer_that_was_missed_before(paused_at, outcome):
    """The heartbeat of 25 s was due at 30 s."""
    line = timeline(*BEATS[:1], (paused_at, "paused"), until=60)
    line.deliberately_stalled = True

    assert judge(Requirement.of(**HOLD, **WITHIN), line).outcome is outcome


@pytest.mark.parametrize(
    ("rows", "asked", "outcome"),
    [
        # A longer hold asked, after a byte that came when this one was over.
        ([(60, "<text")], 120, STABLE),
        ([(59.9, "<text")], 120, UNSTABLE),
        # Its own ping, with which the byte came.
        ([(60, "<text")], 60, UNSTABLE),
    ],
)
def test_a_sign_of_life_after_a_shorter_hold(rows, asked, outcome):
    """What a longer hold asks for in vain is no matter of a shorter one that the peer outlived."""
    line = proved(rows, asked=asked, until=125)

    assert judge(Requirement.of(alive_for=60), line).outcome is outcome


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        # The last answer came five seconds before the end of the hold, or earlier.
        ([(114, ">beat"), (115, "<answer")], STABLE),
        ([(114, ">beat"), (114.75, "<answer")], [Rule.PROOF]),
        # What came later than that was no answer.
        ([(110, ">beat"), (110, "<answer"), (116, "<text")], STABLE),
        # One that is open at the end tells, too.
        ([(114, ">beat"), (114.5, "<answer"), (119, ">beat"), (123, "<answer")], STABLE),
    ],
)
def test_a_hold_at_whose_end_the_peer_was_silent_needs_a_sign_of_life(rows, outcome):
    """An answer to a heartbeat says nothing of the path one interval later."""
    check(judge(Requirement.of(**HOLD, **WITHIN), proved(rows, until=126)), outcome)

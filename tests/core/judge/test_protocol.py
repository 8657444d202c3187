"""The rule that a peer keeps to its protocol."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.timeline.events import Direction, End, EventKind, Opcode, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, Intervals, ProtocolFacts
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.judging import STABLE, check
from tests.core.script import timeline


@pytest.mark.parametrize("flaw", [Flaw.INTERVAL, Flaw.SEQUENCE, Flaw.SUBPROTOCOL, Flaw.VERSION, Flaw.FRAMING])
def test_a_peer_that_breaks_its_protocol_is_unstable(flaw):
    """Whatever was asked of the connection."""
    line = timeline((1, ">beat"), (2, "<answer"), until=60)
    line.irregularity(1003.0, flaw, "the detail")
    verdict = judge(Requirement(alive_for=60), line)

    assert verdict.outcome is Outcome.UNSTABLE
    (violation,) = verdict.violations
    assert (violation.rule, violation.at) == (Rule.PROTOCOL, 3.0)
    assert violation.line == f"{flaw.value}: the detail"


def test_a_function_of_the_profile_that_raised_proves_nothing():
    """Its author is to blame and not the peer, and no claim stands on it."""
    line = timeline((1, ">beat"), (2, "<answer"), until=60)
    line.irregularity(1003.0, Flaw.FUNCTION, "pong raised ValueError()")
    verdict = judge(Requirement(alive_for=60), line)

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert [(doubt.reason, doubt.text) for doubt in verdict.doubts] == [
        (Reason.PROFILE, "pong raised ValueError()")
    ]


def test_a_session_that_such_a_function_did_not_begin_is_not_the_servers_matter():
    """Nor is anybody blamed for it."""
    line = timeline((0.1, "<hello"), until=60)
    line.irregularity(1000.1, Flaw.FUNCTION, "session_info: write raised KeyError('salt')")
    verdict = diagnosed(judge(Requirement(alive_for=60, session_within=5), line), [line])

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.headline == "inconclusive: session_info: write raised KeyError('salt')"
    assert verdict.diagnosis is None
    # Where none raised, it is.
    late = timeline((0.1, "<hello"), (0.2, ">info"), until=60)
    assert judge(Requirement(alive_for=60, session_within=5), late).outcome is Outcome.UNSTABLE


@pytest.mark.parametrize(("at", "outcome"), [(5.0, Outcome.INCONCLUSIVE), (5.1, Outcome.UNSTABLE)])
def test_a_function_that_raised_later_did_not_keep_the_session_back(at, outcome):
    """What was missing by then is the server's."""
    line = timeline((0.1, "<hello"), (0.2, ">info"), until=60)
    line.irregularity(1000.0 + at, Flaw.FUNCTION, "news: read raised KeyError('text')")

    assert judge(Requirement(alive_for=60, session_within=5), line).outcome is outcome


def test_a_flaw_of_the_handshake_is_another_rule():
    """It counts only where the handshake is asked for."""
    line = timeline((1, ">beat"), (2, "<answer"), until=60)
    line.irregularity(1003.0, Flaw.REPEATED, "twice")

    assert judge(Requirement(alive_for=60), line).outcome is Outcome.STABLE
    violations = judge(Requirement(alive_for=60, handshake=True), line).violations
    assert [violation.rule for violation in violations] == [Rule.HANDSHAKE]


def test_a_flaw_of_the_protocol_is_none_of_the_handshake():
    """It is told once."""
    line = timeline((0.1, "<hello"), (0.2, ">info"), (0.3, "<confirmed"), until=60)
    line.irregularity(1003.0, Flaw.SEQUENCE, "back")
    violations = judge(Requirement(alive_for=60, handshake=True), line).violations

    assert [violation.rule for violation in violations] == [Rule.PROTOCOL]


ONE_WAY = {"name": "x", "title": "X", "heartbeat": HeartbeatShape.ONE_WAY}
BOTH = ProtocolFacts(**ONE_WAY, heartbeats_from=frozenset({End.CLIENT, End.SERVER}))
CLIENT_ONLY = ProtocolFacts(**ONE_WAY)


def one_way(facts, *rows, until=60.0):
    line = Timeline(End.CLIENT, protocol=facts)
    for at, direction, role in rows:
        line.frame(at, direction, Opcode.TEXT, 10, role)
    line.observe(until)
    return line


OURS = [(float(at), Direction.SENT, Role.HEARTBEAT) for at in range(15, 60, 15)]


@pytest.mark.parametrize(
    ("facts", "rows", "outcome"),
    [
        # 15 s and 5 s: what comes at 20 s comes in time.
        (BOTH, [(float(at), Direction.RECEIVED, Role.HEARTBEAT) for at in (20, 40, 60)], Outcome.STABLE),
        (BOTH, [(float(at), Direction.RECEIVED, Role.DATA) for at in (20, 40, 60)], Outcome.STABLE),
        (BOTH, [(float(at), Direction.RECEIVED, Role.HEARTBEAT) for at in (20, 41, 60)], Outcome.UNSTABLE),
        (BOTH, [], Outcome.UNSTABLE),
        # A server that sends none owes nothing.
        (CLIENT_ONLY, [], Outcome.STABLE),
    ],
)
def test_of_one_way_heartbeats_the_silence_is_judged(facts, rows, outcome):
    """Any message counts; no answer is ever due."""
    line = one_way(facts, *sorted(OURS + rows))

    assert judge(Requirement(alive_for=60, heartbeat_every=15, heartbeat_within=5), line).outcome is outcome


BROKER = ProtocolFacts(
    **ONE_WAY, heartbeats_from=frozenset({End.CLIENT, End.SERVER}), begins_session=True, every=10
)


@pytest.mark.parametrize("every", [None, 15])
@pytest.mark.parametrize(
    ("agreed", "instants", "outcome"),
    [
        # The server's interval and 5 s, where it is longer than the client's.
        (Intervals(15, 30), (20, 55), Outcome.STABLE),
        (Intervals(15, 30), (19.9, 55), Outcome.UNSTABLE),
        # A server that sends none owes nothing, whatever the client sends.
        (Intervals(15, None), (), Outcome.STABLE),
        (Intervals(None, 30), (), Outcome.UNSTABLE),
    ],
)
def test_a_silence_is_held_against_the_interval_that_both_ends_agreed_on(every, agreed, instants, outcome):
    """STOMP 1.2, "Heart-beating": 0 means that none are sent."""
    came = [(float(at), Direction.RECEIVED, Role.HEARTBEAT) for at in instants]
    line = one_way(BROKER, *sorted(OURS + came))
    line.intervals = agreed
    requirement = Requirement(alive_for=60, heartbeat_every=every, heartbeat_within=5)

    assert judge(requirement, line).outcome is outcome


ASKER = ProtocolFacts(
    name="x", title="X", heartbeats_from=frozenset({End.SERVER}), every=10, names_interval=True
)
ASKED = [(10, "<beat"), (10.1, ">answer")]


@pytest.mark.parametrize(
    ("intervals", "within", "came", "outcome"),
    [
        # Half of the interval more, or what an answer may take where that is longer.
        (Intervals(server=20, timeout=5), 5, 40, STABLE),
        (Intervals(server=20, timeout=5), 5, 40.1, [Rule.CADENCE]),
        (Intervals(server=20, timeout=5), 15, 45, STABLE),
        (Intervals(server=20, timeout=5), 15, 45.1, [Rule.CADENCE]),
        # Any message proves as much; one that never comes again does not.
        (Intervals(server=20), 5, None, [Rule.CADENCE]),
        # That of the profile is not the server's word, and one that sends none owes nothing.
        (None, 5, None, STABLE),
        (Intervals(timeout=5), 5, None, STABLE),
    ],
)
def test_a_server_that_asks_keeps_to_the_interval_that_it_has_named(intervals, within, came, outcome):
    """Its last question was answered, and that proves nothing of the time since."""
    rows = [] if came is None else [(came, "<feed")]
    line = timeline(*ASKED, *rows, until=60, protocol=ASKER, intervals=intervals)
    line.ask_proof(1060)
    line.prove(1060)

    check(judge(Requirement(alive_for=60, heartbeat_within=within), line), outcome)


@pytest.mark.parametrize(
    ("intervals", "until", "outcome"),
    [
        (Intervals(server=20), 10, Outcome.INCONCLUSIVE),
        (Intervals(server=20), 30, Outcome.INCONCLUSIVE),
        (Intervals(server=20), 30.1, Outcome.UNSTABLE),
        # Of one that names none nobody knows when the first is due.
        (None, 10, Outcome.UNSTABLE),
    ],
)
def test_a_hold_may_end_before_the_first_heartbeat_is_due_by_the_servers_word(intervals, until, outcome):
    """Then nothing is known of its heartbeats; what else it says changes nothing."""
    line = timeline((5, "<feed"), until=until, protocol=ASKER, intervals=intervals)
    line.ask_proof(1000 + until)
    line.prove(1000 + until)
    verdict = judge(Requirement(alive_for=until, heartbeat_within=5), line)

    assert verdict.outcome is outcome
    due = "; the server's heartbeats are due every 20 s"
    assert [each.text.endswith(due) for each in verdict.doubts] == [True] * (outcome is Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("protocol", "end"),
    [
        (ASKER, End.SERVER),
        (replace(ASKER, heartbeats_from=frozenset({End.CLIENT, End.SERVER})), End.CLIENT),
        # It names a timeout alone (SocketCluster), and how often it asks is the profile's guess.
        (replace(ASKER, names_interval=False), End.CLIENT),
    ],
)
def test_who_has_named_no_interval_of_its_own_may_be_silent(protocol, end):
    """A server's record, and a protocol in which the client's questions prove that the server is there."""
    line = timeline(*ASKED, until=60, protocol=protocol, intervals=Intervals(10, 10), end=end)
    violations = judge(Requirement(alive_for=60, heartbeat_within=5), line).violations

    assert Rule.CADENCE not in [each.rule for each in violations]


def test_the_interval_of_the_test_is_asked_for_by_itself():
    """One that is longer than the server's stands."""
    line = timeline(*ASKED, until=40, protocol=ASKER, intervals=Intervals(server=10))
    requirement = Requirement(alive_for=40, heartbeat_every=25, heartbeat_within=5)

    assert judge(requirement, line).outcome is Outcome.STABLE


@pytest.mark.parametrize(("until", "broken"), [(38, False), (40.1, True)])
def test_a_look_is_due_when_a_server_that_asks_has_been_silent_for_too_long(until, broken):
    """And the hold ends then."""
    line = timeline(*ASKED, until=until, protocol=ASKER, intervals=Intervals(server=20))
    checks = HoldChecks(Requirement(alive_for=60, heartbeat_within=5))

    assert checks.is_broken(line) is broken
    assert checks.next_check(line) == pytest.approx(45.1 if broken else 40)


@pytest.mark.parametrize(
    "written",
    [
        {"heartbeat_within": 5},
        {},
        # Where its heartbeats are due, the last one may be as long ago.
        {"heartbeat_every": 50, "heartbeat_within": 5},
    ],
)
def test_a_hold_of_a_server_that_asks_ends_with_a_proof_of_life(written):
    """As one without heartbeats does: that its last question was answered may be long ago."""
    line = timeline(*ASKED, until=60, protocol=ASKER)
    line.ask_proof(1060)
    line.observe(1066)

    check(judge(Requirement(alive_for=60, **written), line), [Rule.PROOF])


@pytest.mark.parametrize(("second", "outcome"), [(35, Outcome.STABLE), (35.1, Outcome.UNSTABLE)])
def test_where_nobody_names_an_interval_it_is_the_protocols(second, outcome):
    """10 s, and 5 s."""
    instants = (10, 20, second, 45, 60)
    came = [(float(at), Direction.RECEIVED, Role.HEARTBEAT) for at in instants]
    requirement = Requirement(alive_for=60, heartbeat_within=5)

    assert judge(requirement, one_way(BROKER, *sorted(OURS + came))).outcome is outcome


def test_at_the_server_the_clients_interval_counts():
    """What both ends agreed on for the other direction is none of it."""
    line = Timeline(End.SERVER, protocol=BROKER)
    line.intervals = Intervals(30, 10)
    for at in (30.0, 60.0):
        line.frame(at, Direction.RECEIVED, Opcode.TEXT, 1, Role.HEARTBEAT)
    line.observe(60.0)

    assert judge(Requirement(alive_for=60, heartbeat_within=5), line).outcome is Outcome.STABLE


@pytest.mark.parametrize(
    ("second", "until", "outcome"),
    [
        (40, 60.0, Outcome.STABLE),
        (40, 60.5, Outcome.INCONCLUSIVE),
        (41, 61.0, Outcome.UNSTABLE),
        (41, 61.5, Outcome.UNSTABLE),
    ],
)
def test_a_lag_excuses_the_silence_that_goes_on_only(second, until, outcome):
    """One that was over by then was heard to be over."""
    rows = [(float(at), Direction.RECEIVED, Role.DATA) for at in (20, second)]
    line = one_way(BOTH, *sorted(OURS[:3] + rows), until=until)
    line.mark(until, EventKind.LOOP_LAG, 3.0)

    assert judge(Requirement(heartbeat_every=15, heartbeat_within=5), line).outcome is outcome


@pytest.mark.parametrize(
    ("instants", "headline"),
    [
        # One that goes on at the end of the hold counts as far as that.
        ([20, 40, 75], "stable"),
        ([20, 39.9, 75], "no message for 20.1 s"),
        ([20, 41, 60, 90, 150], "no message for 21 s"),
        ([20, 40, 60, 130], "stable"),
        # Heard at the end of the hold for the last time.
        ([20, 40, 60], "stable"),
        ([20, 39.9], "no message for 20.1 s"),
    ],
)
def test_a_silence_after_the_hold_is_none_of_it(instants, headline):
    """However long it was."""
    rows = [(float(at), Direction.RECEIVED, Role.DATA) for at in instants]
    verdict = judge(
        Requirement(alive_for=60, heartbeat_every=15, heartbeat_within=5),
        one_way(BOTH, *sorted(OURS + rows), until=200.0),
    )

    assert verdict.headline == headline


@pytest.mark.parametrize(("at", "outcome"), [(59.9, Outcome.STABLE), (60.0, Outcome.INCONCLUSIVE)])
def test_one_way_heartbeats_after_the_hold_are_none_of_it(at, outcome):
    """Four are asked for."""
    line = one_way(CLIENT_ONLY, *OURS, (at, Direction.SENT, Role.HEARTBEAT), until=90.0)
    requirement = Requirement(alive_for=60, heartbeat_within=5, heartbeats_at_least=4)

    assert judge(requirement, line).outcome is outcome


def test_a_silence_in_a_record_that_was_read_back():
    """Its place is not known; it lies in what was judged."""
    rows = [(float(at), Direction.RECEIVED, Role.DATA) for at in (20, 41, 60)]
    line = Timeline.from_dict(one_way(BOTH, *sorted(OURS + rows)).as_dict())

    assert judge(Requirement(alive_for=60, heartbeat_every=15, heartbeat_within=5), line).headline == (
        "no message for 21 s"
    )


SERVER_ONLY = ProtocolFacts(**ONE_WAY, heartbeats_from=frozenset({End.SERVER}), every=20)


@pytest.mark.parametrize(
    ("facts", "instants", "least", "outcome"),
    [
        # It beats only when it has nothing else to say (Twitch EventSub), and has always had something.
        (SERVER_ONLY, (20, 40), 0, Outcome.STABLE),
        (SERVER_ONLY, (20, 46), 0, Outcome.UNSTABLE),
        # Heartbeats were asked for.
        (SERVER_ONLY, (20, 40), 1, Outcome.INCONCLUSIVE),
        # A greeting alone shows nothing where the hold is no longer than a silence may be.
        (replace(SERVER_ONLY, every=54.9), (0.5,), 0, Outcome.STABLE),
        (replace(SERVER_ONLY, every=55), (0.5,), 0, Outcome.INCONCLUSIVE),
        (replace(SERVER_ONLY, every=60), (0,), 0, Outcome.INCONCLUSIVE),
        # Those that the client sends are its own affair.
        (replace(BOTH, every=20), (20, 40), 0, Outcome.INCONCLUSIVE),
    ],
)
def test_a_server_that_beats_only_when_idle_has_spoken(facts, instants, least, outcome):
    """Any message stands for a heartbeat that nobody answers."""
    line = one_way(facts, *((float(at), Direction.RECEIVED, Role.DATA) for at in instants))
    requirement = Requirement(alive_for=60, heartbeat_within=5, heartbeats_at_least=least)

    assert judge(requirement, line).outcome is outcome


@pytest.mark.parametrize(("least", "outcome"), [(3, Outcome.STABLE), (4, Outcome.INCONCLUSIVE)])
def test_so_many_one_way_heartbeats_are_sent(least, outcome):
    requirement = Requirement(heartbeat_within=5, heartbeats_at_least=least)

    assert judge(requirement, one_way(CLIENT_ONLY, *OURS)).outcome is outcome


def test_no_one_way_heartbeat_at_all_proves_nothing():
    """The claim was that they are sent."""
    line = one_way(CLIENT_ONLY)
    verdict = judge(Requirement(heartbeat_within=5), line)

    assert [doubt.text for doubt in verdict.doubts] == ["0 of at least 1 heartbeats in 60 s"]


@pytest.mark.parametrize(
    ("facts", "rows", "written", "until", "at"),
    [
        # The last message, 15 s and 5 s; the hold's end is sooner.
        (BOTH, [(10.0, Direction.RECEIVED, Role.DATA), OURS[0]], {"alive_for": 60}, 20, 30.0),
        (BOTH, [(50.0, Direction.RECEIVED, Role.DATA)], {"alive_for": 60}, 55, 60.0),
        (BOTH, [(10.0, Direction.RECEIVED, Role.DATA)], {}, 20, 30.0),
        (CLIENT_ONLY, OURS[:1], {"alive_for": 60}, 20, 35.0),
    ],
)
def test_when_a_silence_may_be_too_long(facts, rows, written, until, at):
    """A look is due when the peer will have been silent for too long."""
    requirement = Requirement(heartbeat_every=15, heartbeat_within=5, **written)

    assert HoldChecks(requirement).next_check(one_way(facts, *rows, until=until)) == pytest.approx(at)


def test_who_sends_heartbeats_is_known_before_the_first():
    """A server that should have asked and never did is at fault."""
    facts = ProtocolFacts(
        name="x", title="X", heartbeat=HeartbeatShape.ANSWERED, heartbeats_from=frozenset({End.SERVER})
    )
    verdict = judge(Requirement(alive_for=60, heartbeat_every=25), one_way(facts))

    assert verdict.outcome is Outcome.UNSTABLE
    assert Rule.CADENCE in [violation.rule for violation in verdict.violations]


LATER = ProtocolFacts(name="x", title="X", has_session=True, begins_session=True, heartbeats_in_session=True)


@pytest.mark.parametrize(
    ("facts", "first", "until", "outcome"),
    [
        # Confirmed at 40 s: a heartbeat each 25 s from then on; one that is due at the end need not go out.
        (LATER, 65, 115, Outcome.STABLE),
        (LATER, 65, 115.1, Outcome.INCONCLUSIVE),
        # 25 s, and 5 s: one that goes out 30 s after the confirmation is in time, a later one is none.
        (LATER, 70, 115, Outcome.STABLE),
        (LATER, 70.1, 115, Outcome.INCONCLUSIVE),
        # Where they do not wait, they are due from the opening on.
        (replace(LATER, heartbeats_in_session=False), 65, 115, Outcome.INCONCLUSIVE),
    ],
)
def test_heartbeats_that_wait_for_the_session_are_due_from_its_confirmation(facts, first, until, outcome):
    """A server that refuses them before is not asked."""
    rows = [(0, ">info"), (40, "<confirmed")]
    for at in (first, first + 25):
        rows += [(at, ">beat"), (at + 0.25, "<answer")]
    line = timeline(*rows, until=until, protocol=facts)

    assert (
        judge(Requirement(alive_for=until, heartbeat_every=25, heartbeat_within=5), line).outcome is outcome
    )


@pytest.mark.parametrize(("late", "outcome"), [(121, Outcome.STABLE), (121.1, Outcome.INCONCLUSIVE)])
def test_the_time_before_the_confirmation_hides_no_heartbeat_that_was_late(late, outcome):
    """It was longer than any between two heartbeats, and is none of those."""
    rows = [(0, ">info"), (40, "<confirmed")]
    for at in (41, 66, 91, late, 122, 147):
        rows += [(at, ">beat"), (at + 0.25, "<answer")]
    line = timeline(*rows, until=160, protocol=LATER)

    assert judge(Requirement(alive_for=160, heartbeat_every=25, heartbeat_within=5), line).outcome is outcome


def test_heartbeats_that_wait_for_a_session_which_never_comes_are_not_due():
    """What is in doubt is that none was sent at all."""
    line = timeline((0, ">info"), until=60, protocol=LATER)
    verdict = judge(Requirement(alive_for=60, heartbeat_every=25), line)

    assert [doubt.reason for doubt in verdict.doubts] == [Reason.TOO_FEW]
    assert "heartbeats went out" not in verdict.headline

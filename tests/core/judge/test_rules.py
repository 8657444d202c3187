"""The rules: each with a timeline that keeps the promise, one that breaks it, and one that can't tell."""

import pytest

from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Noted, Reason, Rule
from pytest_wsstability.core.timeline.close import CloseFrame
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from tests.core.judging import BEATS, CLOSURE, HOLD, SERVER, STABLE, STALLED_END, WITHIN, check, judged
from tests.core.script import FIN, GIVEN_UP, PLANNED, RST, closed_by_peer, timeline


@pytest.mark.parametrize(
    ("more", "rows", "until", "outcome"),
    [
        ({}, [], 120, STABLE),
        ({}, [], 500, STABLE),
        ({}, [(120, FIN)], None, STABLE),
        ({}, [], 119.9, "inconclusive: watched 119.9 s of 120 s: it is still open"),
        ({}, [(60, PLANNED)], None, "inconclusive: watched 60 s of 120 s: this end closed it"),
        ({}, [(60, FIN)], None, "1006 at 60 s of 120 s: no close frame received or sent; FIN"),
        ({}, [(119.9, RST)], None, [Rule.ALIVE]),
        # Clean ends are ends: a ping timeout of Socket.IO arrives as an empty close frame.
        ({}, [(60, closed_by_peer(1000))], None, [Rule.ALIVE]),
        ({}, [(60, closed_by_peer(1001))], None, [Rule.ALIVE]),
        ({}, [(60, closed_by_peer(1005))], None, [Rule.ALIVE]),
        ({}, [(60, closed_by_peer(4408))], None, [Rule.ALIVE]),
        ({"allow_close": 1001}, [(60, closed_by_peer(1001))], None, STABLE),
        ({"allow_close": 1001}, [(60, closed_by_peer(1000))], None, [Rule.ALIVE]),
        ({"allow_close": 1001}, [(60, FIN)], None, [Rule.ALIVE]),
        ({"allow_close": 1006}, [(60, FIN)], None, STABLE),
        ({"max_age_ok": 60}, [(60, FIN)], None, STABLE),
        ({"max_age_ok": 60}, [(59.9, FIN)], None, [Rule.ALIVE]),
        # Nobody rotated what fell silent.
        ({"max_age_ok": 60}, [(60, GIVEN_UP)], None, [Rule.ALIVE]),
        ({"max_age_ok": 60}, [(60, RST)], None, STABLE),
    ],
)
def test_alive(more, rows, until, outcome):
    """Any end before the hold is over breaks it, except a planned one, which proves nothing."""
    check(judged({**HOLD, **more}, rows, until), outcome)


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        # Reading stopped before the hold was over, so the end may be as old as that.
        ([(10, "paused")], 130, [Reason.READING_PAUSED]),
        ([(10, "paused"), (125, "resumed"), (125, PLANNED)], None, [Reason.READING_PAUSED]),
        ([(10, "paused"), (125, "resumed"), (125.1, FIN)], None, [Reason.READING_PAUSED]),
        ([(10, "paused"), (125, RST)], None, [Reason.READING_PAUSED]),
        # Read again, and it was still there; or it stopped after the hold was over.
        ([(10, "paused"), (20, "resumed")], 120, STABLE),
        ([(10, "paused"), (125, "resumed")], 130, STABLE),
        ([(125, "paused")], 130, STABLE),
        ([(10, "paused"), (122, "resumed"), (125, FIN)], None, STABLE),
        ([(125, "paused"), (130, "resumed"), (130, FIN)], None, STABLE),
        # With the end of the hold.
        ([(120, "paused")], 130, STABLE),
        ([(120, "paused"), (125, "resumed"), (126.5, {**FIN, "hidden_since": 120})], None, STABLE),
        # What was decided while nothing was read shows within a second.
        ([(10, "paused"), (124, "resumed"), (125, FIN)], None, [Reason.READING_PAUSED]),
    ],
)
def test_alive_while_nothing_is_read(rows, until, outcome):
    """An end that could not be seen is no life."""
    check(judged(HOLD, rows, until), outcome)


def test_a_stalled_client_alone_proves_nothing():
    """That the test wanted no bytes read does not make the peer live: somebody has to look."""
    line = timeline((0.5, "paused"), until=120)
    line.deliberately_stalled = True
    verdict = judge(Requirement.of(**HOLD), line)

    check(verdict, [Reason.READING_PAUSED])
    assert verdict.horizon == 0.5
    assert verdict.doubts[0].text.startswith("this end reads nothing, as it was told to")


def test_the_end_of_a_stalled_client_counts_however_late_it_was_seen():
    """It waited unread behind what the client did not take, and may be as old as the stall."""
    line = timeline((0.5, "paused"), (120, "resumed"), (120.1, STALLED_END))
    line.deliberately_stalled = True

    check(
        judge(Requirement.of(**HOLD), line),
        "1006 at 120.1 s of 120 s: no close frame received or sent; FIN; "
        "seen late, nothing was read since 500 ms",
    )
    assert judge(Requirement.of(**HOLD), line).horizon == 120


SESSION = {"session_within": 5}


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        ([(1, "<hello"), (1, ">info"), (2, "<confirmed")], 2, STABLE),
        ([(5, "<confirmed")], 60, STABLE),
        ([(2, "<confirmed"), (3, FIN)], None, STABLE),
        ([], 4.9, "inconclusive: watched 4.9 s of the 5 s a session has"),
        ([(3, PLANNED)], None, [Reason.TOO_SHORT]),
        ([(5.1, "<confirmed")], 6, "session not confirmed within 5 s: confirmed after 5.1 s"),
        ([(0.5, "<hello")], 5, "session not confirmed within 5 s: session_info was never sent"),
        (
            [(0.5, "<hello"), (0.5, ">info")],
            5,
            "session not confirmed within 5 s: session_info sent at 500 ms, never confirmed",
        ),
        ([], 5, "session not confirmed within 5 s: no greeting arrived, so session_info was not sent"),
        (
            [(3, FIN)],
            None,
            "1006 at 3 s, before the session was confirmed: no greeting arrived, so session_info was not "
            "sent; then 1006 at 3 s: no close frame received or sent; FIN",
        ),
    ],
)
def test_session(rows, until, outcome):
    """Confirmed in time, or else the step that is missing is named."""
    check(judged(SESSION, rows, until), outcome)


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        (
            [(0.5, "<info")],
            5,
            "session not confirmed within 5 s: session_info received at 500 ms, never confirmed",
        ),
        ([], 5, "session not confirmed within 5 s: the client never sent session_info"),
        ([(0.5, "<info"), (0.6, ">confirmed")], 5, STABLE),
    ],
)
def test_session_at_a_server(rows, until, outcome):
    """Which waits for what the client says."""
    check(judged(SESSION, rows, until, SERVER), outcome)


def test_a_resume_that_is_not_confirmed_is_called_so():
    """The client sent no session_info on this connection."""
    line = timeline((0.5, ">info"), until=5)
    line.session_resumes = True

    (violation,) = judge(Requirement.of(**SESSION), line).violations
    assert violation.observed == "resume sent at 500 ms, never confirmed"


@pytest.mark.parametrize(
    ("more", "rows", "until", "outcome"),
    [
        ({}, BEATS, 120, STABLE),
        ({}, [(25, ">beat"), (30, "<answer")], 40, STABLE),
        # A young question is not missed yet, but another must have been answered.
        ({}, [*BEATS, (118, ">beat")], 120, STABLE),
        ({}, [(25, ">beat")], 29.9, [Reason.TOO_FEW]),
        ({}, [(25, ">beat")], 30, "1 of 1 heartbeats not answered within 5 s: sent at 25 s: no answer"),
        (
            {},
            [(25, ">beat"), (30.1, "<answer"), (50, ">beat")],
            60,
            "2 of 2 heartbeats not answered within 5 s: sent at 25 s: answered after 5.1 s",
        ),
        ({"heartbeat_missed_max": 1}, [*BEATS[2:], (110, ">beat")], 120, STABLE),
        ({"heartbeat_missed_max": 1}, [*BEATS, (102, ">beat"), (110, ">beat")], 120, [Rule.HEARTBEATS]),
        # No vacuous pass.
        (
            {},
            [],
            120,
            "inconclusive: 0 of at least 1 heartbeats answered (0 sent in 120 s); "
            'none was sent: heartbeat="25s" sends them',
        ),
        # None was due: nobody is told to send what is sent.
        (
            {"heartbeat_every": 25},
            [],
            24.9,
            "inconclusive: 0 of at least 1 heartbeats answered (0 sent in 24.9 s)",
        ),
        (
            {"heartbeat_every": 25},
            [],
            25,
            "inconclusive: 0 of at least 1 heartbeats answered (0 sent in 25 s); "
            'none was sent: heartbeat="25s" sends them',
        ),
        # So many were allowed to be missed; but one at least has to be answered.
        (
            {"heartbeat_missed_max": 9},
            [(25, ">beat")],
            120,
            "0 of at least 1 heartbeats answered (1 sent in 120 s)",
        ),
        ({"heartbeat_missed_max": 9}, [(25, ">beat")], 29.9, [Reason.TOO_FEW]),
        ({"heartbeats_at_least": 4}, BEATS, 120, STABLE),
        (
            {"heartbeats_at_least": 5},
            BEATS,
            120,
            "inconclusive: 4 of at least 5 heartbeats answered (4 sent in 120 s)",
        ),
        # Late answers are answers, but none in time.
        ({"heartbeat_missed_max": 1}, [(25, ">beat"), (31, "<answer")], 40, [Rule.HEARTBEATS]),
    ],
)
def test_heartbeats_of_this_end(more, rows, until, outcome):
    """Each one answered in time, and at least one there to be answered."""
    check(judged({**WITHIN, **more}, rows, until), outcome)


@pytest.mark.parametrize(
    ("rows", "until", "at"),
    [([], 6, 5), ([(0.1, ">info"), (5.5, "<confirmed")], 6, 5.5), ([(3, FIN)], None, 3)],
)
def test_when_a_session_was_not_confirmed(rows, until, at):
    """With the limit, with a confirmation that was late, or with the end."""
    (violation,) = judged(SESSION, rows, until).violations

    assert violation.at == at


REFUSED = "the session was refused at 1 s: the server said 'no'"


@pytest.mark.parametrize(
    ("written", "rows", "until", "outcome"),
    [
        (HOLD, [(1, "<refused", "no")], 120, REFUSED),
        ({**HOLD, "no_error_messages": True}, [(1, "<refused", "no")], 120, REFUSED),
        # Not before the hold is over: it may be asked for again.
        (HOLD, [(1, "<refused", "no")], 119, [Reason.TOO_SHORT]),
        (HOLD, [(1, "<refused", "pending"), (2, "<confirmed")], 120, STABLE),
        ({**HOLD, "no_error_messages": False}, [(1, "<refused", "no")], 120, STABLE),
        ({"no_abnormal_closure": True}, [(1, "<refused", "no")], 120, STABLE),
        # What a server under test was told to refuse, or has begun anew.
        (HOLD, [(1, "<refused")], 120, STABLE),
        (HOLD, [(1, ">refused")], 120, STABLE),
    ],
)
def test_a_session_that_is_refused_is_not_held(written, rows, until, outcome):
    """Though nothing asks for one in time."""
    check(judged(written, rows, until), outcome)


def test_a_lag_excuses_an_end_before_the_session():
    check(judged(SESSION, [(2.5, "lag", 2.0), (3, FIN)]), [Reason.LOOP_LAG])


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(50, "<notice", "going away"), (60, closed_by_peer(1001))], [Reason.ANNOUNCED]),
        ([(50, "<notice", "going away"), (60, FIN)], [Rule.ALIVE]),
        # What went wrong is a reason, and no plan; what was announced after it is one.
        ([(50, "<notice", "token has expired"), (60, closed_by_peer(1000))], [Rule.ALIVE]),
        (
            [(50, "<notice", "an error"), (55, "<notice", "going away"), (60, closed_by_peer(1001))],
            [Reason.ANNOUNCED],
        ),
        ([(50, "<notice", "going away"), (60, {**FIN, "sent": CloseFrame(1000)})], [Rule.ALIVE]),
    ],
)
def test_an_end_that_was_announced(rows, outcome):
    """By the peer, who then closed as it had said."""
    check(judged(HOLD, rows), outcome)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(59, "<notice", "going away"), (60, FIN)], [Reason.ANNOUNCED]),
        ([(59, "<notice", "going away"), (60, RST)], [Rule.ALIVE]),
        ([(59, "<notice", "going away"), (60, {**FIN, "mid_frame": True})], [Rule.ALIVE]),
        ([(59, "<notice", "going away"), (60, {**FIN, "sent": CloseFrame(1000)})], [Rule.ALIVE]),
        ([(59, "<notice", "token has expired"), (60, FIN)], [Rule.ALIVE]),
        ([(60, FIN)], [Rule.ALIVE]),
    ],
)
def test_an_end_that_was_announced_where_servers_send_no_close_frame(rows, outcome):
    """MQTT: mosquitto ends the stream behind its DISCONNECT, and that is all (measured)."""
    facts = ProtocolFacts(name="p", title="P", ends_with_fin=True)
    verdict = judge(Requirement.of(**HOLD), timeline(*rows, protocol=facts))

    check(verdict, outcome)


@pytest.mark.parametrize(
    ("written", "rows", "notes"),
    [
        (WITHIN, [(25, ">beat"), (26, "<answer"), (27, "<answer")], ["1 answers came to heartbeats that"]),
        (WITHIN, [(25, ">beat"), (26, "<answer")], []),
        ({"alive_for": 20}, [(25, ">beat"), (26, "<answer"), (27, "<answer")], []),
    ],
)
def test_answers_that_nobody_asked_for_are_noted(written, rows, notes):
    """Where heartbeats are judged."""
    verdict = judged(written, rows, 30)

    assert [each.noted for each in verdict.notes] == [Noted.STRAY] * len(notes)
    assert all(each.text.startswith(text) for each, text in zip(verdict.notes, notes, strict=True))


WHY = "JWT expired"


@pytest.mark.parametrize(
    ("rows", "until", "noted"),
    [
        ([(5, "<feed", WHY)], 6, True),
        ([(5, "<feed"), (10, "<feed"), (15, "<feed", WHY)], 20.1, True),
        # No longer than the messages before.
        ([(5, "<feed"), (10, "<feed"), (15, "<feed", WHY)], 20, False),
        # Something came behind it, or the end did, and the words are content.
        ([(5, "<feed"), (6, "<feed", WHY), (15, "<feed")], 120, False),
        ([(5, "<feed", WHY), (20, FIN)], 20, False),
        ([(5, "<feed", "hello")], 120, False),
        ([(5, "<feed", '{"type": "hello", "reason": "reconnect"}')], 120, False),
        # What a login is answered, and what came of it.
        ([(5, "<feed", '{"type":"authenticated","user":"x"}')], 120, False),
    ],
)
def test_messages_that_end_with_one_that_says_why_are_noted(rows, until, noted):
    """The connection lives, and nothing requires more of it."""
    notes = judged({"alive_for": 5}, rows, until).notes

    assert [each.noted for each in notes] == [Noted.SAID_WHY] * noted
    assert all("the server said 'JWT expired' at" in each.text for each in notes)


@pytest.mark.parametrize("answered", [True, False])
def test_the_proof_of_life_is_noted(answered):
    """If it came."""
    line = timeline(until=120)
    line.ask_proof(1120)
    if answered:
        line.prove(1120.25)
    verdict = judge(Requirement.of(**HOLD), line)

    assert [each.noted for each in verdict.notes] == [Noted.PROOF] * answered


@pytest.mark.parametrize(
    ("end", "keyword"),
    [(End.CLIENT, 'heartbeat="25s" sends them'), (End.SERVER, 'heartbeat_interval="25s" sends them')],
)
def test_what_makes_this_end_send_heartbeats(end, keyword):
    """The keyword of the orchestrator is another one."""
    protocol = ProtocolFacts(name="p", title="P", heartbeats_from=frozenset({end}))
    verdict = judge(Requirement.of(**HOLD, **WITHIN), timeline(until=120, end=end, protocol=protocol))

    assert verdict.headline.endswith(f"; none was sent: {keyword}")


SERVED = [row for at in (25, 50, 75, 100) for row in ((at, "<beat"), (at, ">answer"))]


@pytest.mark.parametrize(
    ("more", "rows", "until", "outcome"),
    [
        ({"heartbeats_at_least": 4}, SERVED, 120, STABLE),
        ({}, [], 120, "the client never sent a heartbeat in 120 s"),
        ({"heartbeats_at_least": 5}, SERVED, 120, [Rule.HEARTBEATS]),
        # Before the hold is over, a heartbeat that did not come yet breaks nothing.
        ({"alive_for": 120}, [], 0, [Reason.TOO_SHORT, Reason.TOO_FEW]),
        ({"alive_for": 120}, [], 120, [Rule.HEARTBEATS]),
        # Without a hold each look is the last one.
        ({}, [], 0.5, "the client never sent a heartbeat in 500 ms"),
        # Unless it is said how often they come: none is due so soon after the client came (back).
        ({"heartbeat_every": 25}, [], 37.4, [Reason.TOO_FEW]),
        ({"heartbeat_every": 25}, [], 37.5, [Rule.HEARTBEATS, Rule.CADENCE]),
        ({"heartbeat_every": 25, "alive_for": 30}, [], 30, [Rule.HEARTBEATS]),
        # The client is gone: no more can come, and how it went is another rule's affair.
        ({}, [(60, PLANNED)], None, "inconclusive: 0 of at least 1 heartbeats answered (0 sent in 60 s)"),
    ],
)
def test_heartbeats_of_the_client_at_a_server(more, rows, until, outcome):
    """A server watches whether its client sends them; nobody else can be meant."""
    check(judged({**WITHIN, **more}, rows, until, SERVER), outcome)


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        (BEATS, 120, STABLE),
        # A heartbeat that is due at the end of the hold need not have gone out.
        (BEATS[:6], 100, STABLE),
        (BEATS[:6], 100.1, "inconclusive: 3 of 4 heartbeats went out in 100.1 s"),
        (BEATS[:2], 54.9, "inconclusive: 1 of 2 heartbeats went out in 54.9 s"),
        (
            BEATS[:2],
            55,
            "inconclusive: 1 of 2 heartbeats went out in 55 s; "
            "no heartbeat of ours went out for 30 s from 25 s on (every 25 s)",
        ),
    ],
)
def test_cadence_of_this_end(rows, until, outcome):
    """Heartbeats that this end owed and did not send are no fault of the peer."""
    check(judged({"heartbeat_every": 25, "heartbeat_within": 5}, rows, until), outcome)


def served(*instants):
    return [row for at in instants for row in ((at, "<beat"), (at, ">answer"))]


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        (served(20, 40, 60), 80, STABLE),
        # Half an interval of grace, in the middle and at the end.
        (served(20, 50), 79.9, STABLE),
        (served(20, 50.1), 60, "no heartbeat for 30.1 s (every 20 s)"),
        (served(20, 50), 80, "no heartbeat for 30 s (every 20 s)"),
        (served(30.1), 31, "no heartbeat for 30.1 s (every 20 s)"),
        ([*served(20), (45, FIN)], None, STABLE),
        # What was late may have been read late, as far as it was read.
        ([*served(20, 40), (91, "lag", 30.0), *served(91, 100)], 100, [Reason.LOOP_LAG]),
    ],
)
def test_cadence_of_the_client_at_a_server(rows, until, outcome):
    """A heartbeat each interval, from the opening to the last look."""
    check(judged({"heartbeat_every": 20}, rows, until, SERVER), outcome)


@pytest.mark.parametrize(
    ("until", "outcome"),
    [(29.9, [Reason.TOO_SHORT, Reason.TOO_FEW]), (30, [Rule.CADENCE])],
)
def test_cadence_of_a_client_that_sends_none(until, outcome):
    """The first heartbeat is due an interval after the opening, and its grace ends the wait for it."""
    check(judged({"alive_for": 120, "heartbeat_every": 20}, [], until, SERVER), outcome)


def test_a_gap_that_begins_with_the_end_of_the_hold_is_none_of_it():
    """What comes after it was not required."""
    rows = served(*range(20, 121, 20), 200)

    check(judged({**HOLD, "heartbeat_every": 20}, rows, 200, SERVER), STABLE)


def test_before_the_first_is_due_no_heartbeat_is_owed():
    """All that is missing is an answer."""
    check(judged({"heartbeat_every": 25}, [], 20), [Reason.TOO_FEW])


def test_a_broken_cadence_says_when():
    """The instant is that at which the grace was over, for whoever looks for its cause."""
    (violation,) = judged({"heartbeat_every": 20}, served(20, 40, 100, 120), 120, SERVER).violations

    assert violation.at == 70
    assert violation.expected == "a heartbeat every 20 s"
    assert violation.observed == "4 heartbeats in 120 s, 60 s without one from 40 s on"


@pytest.mark.parametrize(
    ("rows", "until", "outcome"),
    [
        ([(20, ">ping", b"1"), (22, "<pong", b"1")], 30, STABLE),
        ([(20, ">ping", b"1")], 22, "1 of 1 pings not answered within 2 s: sent at 20 s: no answer"),
        ([(20, ">ping", b"1"), (22.1, "<pong", b"1")], 30, [Rule.PINGS]),
        # A pong nobody asked for is no answer.
        ([(20, ">ping", b"1"), (21, "<pong", b"2")], 22, [Rule.PINGS]),
        ([(20, ">ping", b"1")], 21.9, "inconclusive: no ping was answered yet"),
        (
            [],
            30,
            "inconclusive: no ping was answered yet: this end sent none "
            '(client="keepalive", connection.ping())',
        ),
    ],
)
def test_pings(rows, until, outcome):
    """Each protocol ping of this end, and at least one."""
    check(judged({"pings_within": 2}, rows, until), outcome)


def trips(*rtts):
    return [row for at, rtt in enumerate(rtts, 1) for row in ((at, ">beat"), (at + rtt, "<answer"))]


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (trips(0.1, 0.15), STABLE),
        (trips(0.1, 0.25), "rtt 250 ms (slowest of 2, too few for a p95)"),
        (trips(*[0.1] * 18, 0.25), "rtt 250 ms (slowest of 19, too few for a p95)"),
        # One in twenty may be slower.
        (trips(*[0.1] * 19, 0.25), STABLE),
        (trips(*[0.1] * 18, 0.25, 0.3), "rtt 250 ms (p95 of 20)"),
        # Where heartbeats were measured, pings are not asked.
        ([*trips(0.1), (9, ">ping", b"1"), (9.9, "<pong", b"1")], STABLE),
        ([(9, ">ping", b"1"), (9.9, "<pong", b"1")], [Rule.RTT]),
        ([(9, ">beat")], "inconclusive: no round trip was measured"),
    ],
)
def test_rtt(rows, outcome):
    """95 of 100 as quick as 150 ms; with fewer than 20, all of them."""
    check(judged({"rtt_p95": "150ms"}, rows, 100), outcome)


@pytest.mark.parametrize(
    ("until", "outcome"),
    [
        (119.9, [Reason.TOO_SHORT]),
        (120, [Rule.RTT]),
        ((60, FIN), [Rule.ALIVE, Rule.RTT]),
    ],
)
def test_rtt_is_judged_at_the_end_of_a_hold(until, outcome):
    """Or of the connection: until then round trips that are still to come may make up for slow ones."""
    ended = isinstance(until, tuple)
    rows = [*trips(0.25, 0.1), *([until] if ended else [])]

    check(judged({**HOLD, "rtt_p95": "150ms"}, rows, None if ended else until), outcome)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        # In time to the last bit, though the loop stood still: that excuses no other.
        (
            [(10, ">beat"), (10.25, "lag", 0.25), (10.25, "<answer"), (20, ">beat"), (20.5, "<answer")],
            [Rule.RTT],
        ),
        # ... and it needs no excuse itself.
        (
            [(10, ">beat"), (10.25, "<answer"), (20, ">beat"), (20.5, "lag", 0.5), (20.5, "<answer")],
            [Reason.LOOP_LAG],
        ),
    ],
)
def test_a_round_trip_of_the_limit_is_quick_enough(rows, outcome):
    check(judged({"rtt_p95": "250ms"}, rows, 100), outcome)


@pytest.mark.parametrize(
    ("beat", "answer", "until", "outcome"),
    [
        (">beat", "<answer", 25.9, [Reason.TOO_SHORT]),
        (">beat", "<answer", 26, [Rule.HEARTBEATS]),
        (">beat", "<answer", 120, [Rule.HEARTBEATS]),
        (">beat as ping", "<answer as pong", 120, STABLE),
    ],
)
def test_answers_to_younger_heartbeats_are_none_to_an_older_one(beat, answer, until, outcome):
    """Each third one is lost, and an answer has longer than until the next one; pong frames answer both."""
    rows = [(5 * n, beat, b"%d" % n) for n in range(1, 12)]
    rows += [(5 * n + 0.1, answer, b"%d" % n) for n in range(1, 12) if n % 3]
    seen = sorted(row for row in rows if row[0] < until)

    check(judged({**HOLD, "heartbeat_within": 11}, seen, until), outcome)


def test_an_answer_at_its_limit_is_none_of_the_missed():
    rows = [(25, ">beat"), (30, "<answer"), (50, ">beat")]
    (violation,) = judged(WITHIN, rows, 60).violations

    assert violation.observed == "1 of 2 missed (sent at 50 s: no answer)"


def test_an_end_with_the_end_of_the_hold_leaves_no_answer():
    """What was asked within the hold is not answered any more."""
    check(judged({**HOLD, **WITHIN}, [*BEATS, (118, ">beat"), (120, FIN)]), [Rule.HEARTBEATS])


def test_a_ping_of_the_last_second_is_waited_for():
    rows = [(10, ">ping", b"1"), (11, "<pong", b"1"), (119, ">ping", b"2")]

    check(judged({**HOLD, "pings_within": 2}, rows, 120), [Reason.TOO_SHORT])


@pytest.mark.parametrize(
    ("count", "answered", "outcome"),
    [
        (1024, 1024, STABLE),
        (1025, 1025, [Reason.AMBIGUOUS]),
        (1025, 1024, [Rule.PINGS]),
    ],
)
def test_more_pings_in_flight_than_are_kept(count, answered, outcome):
    """An answer to one of the others is one, after nobody knows how long."""
    rows = [(1, ">ping", b"%d" % number) for number in range(count)]
    rows += [(1.1, "<pong", b"%d" % number) for number in range(answered)]

    check(judged({"pings_within": 5}, rows, 10), outcome)


def test_rtt_never_blames_for_the_width_of_a_bucket():
    """Of 1,000 round trips the quantile is an estimate, half a percent wide: the limit may lie in between."""
    line = timeline(*trips(*[0.1] * 999, 0.9))
    assert line.heartbeats.rtts.quantile(0.95) > 0.1002

    check(judge(Requirement.of(rtt_p95=0.1002), line), STABLE)
    check(judge(Requirement.of(rtt_p95=0.099), line), [Rule.RTT])


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([], STABLE),
        ([(60, PLANNED)], STABLE),
        ([(60, closed_by_peer(1000))], STABLE),
        ([(60, closed_by_peer(1001))], STABLE),
        ([(60, closed_by_peer(1005))], STABLE),
        ([(60, closed_by_peer(4408))], STABLE),
        ([(60, FIN)], "1006 at 60 s: no close frame received or sent; FIN"),
        ([(60, RST)], [Rule.CLOSURE]),
        ([(60, closed_by_peer(1011))], [Rule.CLOSURE]),
        # Hidden behind 1000: this end had to say 1002.
        ([(60, {**PLANNED, "sent": CloseFrame(1002)})], [Rule.CLOSURE]),
    ],
)
def test_closure(rows, outcome):
    """No 1006 at this end, nor what hides behind other codes; an open connection is no closure."""
    check(judged(CLOSURE, rows, 90), outcome)


@pytest.mark.parametrize(
    ("more", "rows", "outcome"),
    [
        ({}, [(130, FIN)], [Rule.CLOSURE]),
        ({"allow_close": 1006}, [(60, FIN)], STABLE),
        ({"allow_close": 1001}, [(130, FIN)], [Rule.CLOSURE]),
        ({"max_age_ok": 60}, [(60, FIN)], STABLE),
        ({"max_age_ok": 60}, [(59.9, FIN)], [Rule.ALIVE, Rule.CLOSURE]),
    ],
)
def test_closure_after_an_end_that_the_hold_allows(more, rows, outcome):
    """What one keyword allows, the other does not forbid."""
    check(judged({**HOLD, **CLOSURE, **more}, rows), outcome)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(10, "paused")], [Reason.READING_PAUSED]),
        ([(10, "paused"), (60, "resumed")], STABLE),
        # Who takes messages slowly makes short pauses.
        ([(89, "paused")], STABLE),
        ([(88.9, "paused")], [Reason.READING_PAUSED]),
        ([(10, "paused"), (60, PLANNED)], STABLE),
    ],
)
def test_closure_while_nothing_is_read(rows, outcome):
    """The close of a server may stand behind the messages that nobody takes."""
    check(judged(CLOSURE, rows, 90), outcome)


@pytest.mark.parametrize(
    ("expected", "rows", "outcome"),
    [
        ({}, [(60, FIN)], STABLE),
        ({"code": 1006, "by": SERVER}, [(60, FIN)], STABLE),
        ({"code": 1000, "reason": "bye", "by": SERVER}, [(60, closed_by_peer(1000, "bye"))], STABLE),
        ({"by": End.CLIENT}, [(60, PLANNED)], STABLE),
        ({"code": 1000}, [], "still open after 90 s"),
        ({"code": 1000}, [(10, "paused")], [Reason.READING_PAUSED]),
        ({"code": 1000}, [(10, "paused"), (60, "resumed")], "still open after 90 s"),
        (
            {"code": 1000},
            [(60, FIN)],
            "not closed with code 1000: 1006 (abnormal closure), by the server: "
            "no close frame received or sent; FIN",
        ),
        ({"reason": "bye"}, [(60, closed_by_peer(1000, "go"))], [Rule.CLOSED]),
        ({"by": SERVER}, [(60, PLANNED)], [Rule.CLOSED]),
    ],
)
def test_closed(expected, rows, outcome):
    """Ended, and in the way that was expected."""
    check(judged({"closed": ExpectedClose(**expected)}, rows, 90), outcome)


@pytest.mark.parametrize(
    ("until", "outcome"),
    [(119.9, [Reason.TOO_SHORT]), (120, "still open after 120 s")],
)
def test_an_expected_end_is_missing_once_the_hold_is_over(until, outcome):
    """Before that it may come."""
    check(judged({**HOLD, "closed": ExpectedClose(code=1001)}, [], until), outcome)

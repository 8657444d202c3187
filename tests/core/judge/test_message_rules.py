"""The rules about application messages, and about heartbeats that are too close."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.events import End, Tier
from pytest_wsstability.core.timeline.protocol_facts import ProtocolFacts
from tests.core.judging import HOLD, STABLE, check
from tests.core.script import FIN, PLANNED, timeline

EVERY = {**HOLD, "message_every": 10}
TENS = [10.0 * n for n in range(1, 12)]


# What confirms a session, and what does not.
SESSION = ProtocolFacts(name="s", title="S", has_session=True)
PLAIN = ProtocolFacts(name="p", title="P")


def heard(instants, *rows, until=None, errors=(), protocol=None):
    """A record in which messages came at these instants."""
    line = timeline(*rows, protocol=protocol)
    for at in instants:
        line.message(1000 + at)
    for at, text in errors:
        line.error_message(1000 + at, text)
    if until is not None:
        line.observe(1000 + until)
    return line


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (heard(TENS, until=120), STABLE),
        (heard([*TENS[:4], 50.1, *TENS[5:]], until=120), [Rule.FLOW]),
        (heard(TENS[:10], until=120), "no message for 20 s (every 10 s): since the last one at 100 s"),
        # From the session's confirmation on.
        (heard([9.9], (0.5, ">info"), (2, "<confirmed"), until=12), [Reason.TOO_SHORT]),
        (
            heard([], (0.5, ">info"), (2, "<confirmed"), until=12.1),
            "no message for 10.1 s (every 10 s): since the session's confirmation at 2 s",
        ),
        # Up to the end of the hold, and no further.
        (heard(TENS, until=200), STABLE),
        # While it is not broken, it is held.
        (heard(TENS[:3], until=39), [Reason.TOO_SHORT]),
    ],
)
def test_messages_keep_coming(line, outcome):
    """The first gap counts from the confirmation, the last to the end of the hold."""
    check(judge(Requirement.of(**EVERY), line), outcome)


@pytest.mark.parametrize(
    ("heard_at", "until", "outcome"),
    [
        ([], 8, [Reason.TOO_FEW]),
        ([7], 8, STABLE),
        ([], 10.1, [Rule.FLOW]),
    ],
)
def test_a_time_in_which_no_message_was_due_shows_nothing(heard_at, until, outcome):
    """It would pass with a server that never sends one."""
    check(judge(Requirement.of(message_every=10), heard(heard_at, until=until)), outcome)


BEGUN = (0.5, ">info")
NONE_CONFIRMED = (
    "inconclusive: the session was not confirmed, and messages are due then: session_within= finds it early"
)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        # While the hold goes on it may be confirmed still; then the count begins.
        (heard([], BEGUN, until=119, protocol=SESSION), [Reason.TOO_SHORT]),
        (heard([1, 30], BEGUN, until=119, protocol=SESSION), [Reason.TOO_SHORT]),
        (
            heard([], BEGUN, (100, "<confirmed"), until=110, protocol=SESSION),
            [Reason.TOO_SHORT, Reason.TOO_FEW],
        ),
        (heard([], BEGUN, (100, "<confirmed"), until=110.1, protocol=SESSION), [Rule.FLOW]),
        # One was begun, where nobody knows what is spoken; a protocol may begin one that nobody confirms.
        (heard([], (0.5, ">info"), until=10.1, protocol=PLAIN), [Rule.FLOW]),
        (heard([], (0.5, ">info"), until=60), [Reason.TOO_SHORT]),
        # It never was: what came is judged from the opening on.
        (heard([], BEGUN, until=120, protocol=SESSION), NONE_CONFIRMED),
        (heard(TENS, BEGUN, until=120, protocol=SESSION), STABLE),
        (heard([1, 30], BEGUN, until=120, protocol=SESSION), [Rule.FLOW]),
        (heard([1], BEGUN, (30, FIN), protocol=SESSION), [Rule.ALIVE, Rule.FLOW]),
        # None was begun, and none is required: nobody greeted, as an app that knows no sessions does.
        (heard([], until=10, protocol=SESSION), [Reason.TOO_SHORT, Reason.TOO_FEW]),
        (heard([], until=10.1, protocol=SESSION), [Rule.FLOW]),
        (heard([1, 2], until=12.1, protocol=SESSION), [Rule.FLOW]),
        # Where there is none to confirm, the opening counts.
        (
            heard([], until=10.1, protocol=PLAIN),
            "no message for 10.1 s (every 10 s): since the opening at 0 s",
        ),
        (heard([], until=10, protocol=PLAIN), [Reason.TOO_SHORT, Reason.TOO_FEW]),
    ],
)
def test_a_session_that_is_not_confirmed_yet(line, outcome):
    """Silence before it is the session's affair."""
    requirement = Requirement.of(**EVERY)
    verdict = judge(requirement, line)

    check(verdict, outcome)
    assert HoldChecks(requirement).is_broken(line) is (len(verdict.violations) > 0)


@pytest.mark.parametrize(
    ("written", "line", "at", "broken"),
    [
        (EVERY, heard(TENS[:3], until=31), 40, True),
        (EVERY, heard([], until=0), 10, True),
        ({"message_every": 10}, heard(TENS[:3], until=31), 40, True),
        (EVERY, heard([], (2, "<confirmed"), until=3, protocol=SESSION), 12, True),
        # It may be confirmed right after this look.
        (EVERY, heard([1], BEGUN, until=31, protocol=SESSION), 41, False),
    ],
)
def test_the_watcher_looks_when_a_message_is_due(written, line, at, broken):
    """Not later, so that a feed that stops is told at once; and not before its absence can be seen."""
    requirement = Requirement.of(**written)
    again = HoldChecks(requirement).next_check(line)
    assert again == pytest.approx(at, abs=1e-6)

    line.observe(1000 + at)
    assert not HoldChecks(requirement).is_broken(line)
    line.observe(1000 + again)
    assert HoldChecks(requirement).is_broken(line) is broken


def test_the_watcher_looks_for_no_message_after_the_hold():
    """What is due then is no part of it."""
    assert HoldChecks(Requirement.of(**EVERY)).next_check(heard(TENS, until=119)) == 120
    assert HoldChecks(Requirement.of(**EVERY)).next_check(heard(TENS, until=121)) is None


def test_a_lag_excuses_a_message_that_was_read_late():
    """If it was waiting when the loop ran again."""
    late = heard([*TENS[:4], 53, *TENS[5:]], (53, "lag", 4.0), until=120)
    check(judge(Requirement.of(**EVERY), late), [Reason.LOOP_LAG])

    silent = heard(TENS[:4], (53, "lag", 4.0), until=60)
    check(judge(Requirement.of(**EVERY), silent), [Rule.FLOW])

    # None came up to the last look, which was after the hold.
    silent = heard(TENS[:10], (120.5, "lag", 15.0), until=130)
    check(judge(Requirement.of(**EVERY), silent), [Rule.FLOW])


@pytest.mark.parametrize(
    ("instants", "count"),
    [([], "0 messages"), ([10], "1 message"), ([10, 20], "2 messages"), (TENS[:3], "3 messages")],
)
def test_messages_before_a_silence_are_counted(instants, count):
    (violation,) = judge(Requirement.of(message_every=10), heard(instants, until=60)).violations

    assert violation.observed.startswith(f"{count} in 60 s, ")


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        (heard(TENS[:3], until=120), STABLE),
        (heard(TENS[:2], until=120), "2 of at least 3 messages in 120 s"),
        (heard(TENS[:2], until=60), [Reason.TOO_SHORT, Reason.TOO_FEW]),
        (heard(TENS[:2], (60, FIN)), [Rule.ALIVE, Rule.FLOW]),
        (heard(TENS[:2], (60, PLANNED)), [Reason.TOO_SHORT, Reason.TOO_FEW]),
    ],
)
def test_so_many_messages(line, outcome):
    """Counted at the end of the hold, or of the connection."""
    check(judge(Requirement.of(**HOLD, messages_at_least=3), line), outcome)


EXPIRED = [(60.0, '{"message": "token has expired"}'), (61.0, "x")]


@pytest.mark.parametrize(
    ("written", "errors", "outcome"),
    [
        (HOLD, [], STABLE),
        (HOLD, EXPIRED[:1], 'an error message at 60 s: the server said \'{"message": "token has expired"}\''),
        ({**HOLD, "no_error_messages": True}, EXPIRED, [Rule.ERRORS]),
        ({**HOLD, "no_error_messages": False}, EXPIRED, STABLE),
        # What is asked of a part only is that part.
        ({"no_abnormal_closure": True}, EXPIRED, STABLE),
        ({"no_error_messages": True}, EXPIRED, [Rule.ERRORS]),
    ],
)
def test_messages_that_are_errors(written, errors, outcome):
    """Every hold requires that there are none, unless it is told not to."""
    check(judge(Requirement.of(**written), heard([], until=120, errors=errors)), outcome)


# As real servers announce an end.
TOKEN = '{"event": "system", "status": "error", "message": "access token has expired"}'
SPOKEN_OF = [
    (TOKEN, True),
    ('{"op": 7}', False),
    ('{"type":"goAway","timeLeft":"60s"}', False),
    ('{"type":"reconnect","resume_token":"abc","error":null}', False),
    ('{"type":"reconnect","errors":[],"error":""}', False),
    ('{"type":"disconnect","reason":"token revoked"}', True),
    ('{"type":"disconnect","error":"unauthorized"}', True),
    ('{"metadata":{"message_type":"session_reconnect"}}', False),
    ("server restarts in 10 s", False),
]


def announced(at, text, *rows, instants=(), until=120):
    """A record in which the peer announced the end."""
    line = timeline(*rows, (at, "<notice"))
    for instant in instants:
        line.message(1000 + instant)
    line.notice_message(1000 + at, text)
    line.observe(1000 + until)
    return line


@pytest.mark.parametrize(("text", "wrong"), SPOKEN_OF)
def test_a_notice_of_what_went_wrong(text, wrong):
    """It is an error message, if the end that it announced does not come before that of the hold."""
    check(judge(Requirement.of(**HOLD), announced(60, text)), [Rule.ERRORS] if wrong else STABLE)


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        # The end may come still.
        (announced(60, TOKEN, until=100), [Reason.TOO_SHORT]),
        # Or has: another rule says what it is.
        (announced(60, TOKEN, (61, FIN), until=61), [Rule.ALIVE]),
    ],
)
def test_a_notice_whose_end_may_come(line, outcome):
    """Nothing is said before the hold is over."""
    check(judge(Requirement.of(**HOLD), line), outcome)


@pytest.mark.parametrize(
    ("instants", "outcome"),
    [
        # Messages every 10 s, and none from 60 s on.
        (TENS[:6], [Rule.FLOW]),
        # They go on.
        (TENS, STABLE),
        # None were expected.
        ([], STABLE),
        # Three times the longest gap before: 60 s are not more than 3 * 20 s, and more than 3 * 19.9 s.
        ([20.0, 40.0, 60.0], STABLE),
        ([19.9, 39.8, 59.7], [Rule.FLOW]),
        # It was quiet when the end was announced, since what came with the session, or for 20 s.
        ([0.25], STABLE),
        ([*range(5, 41, 5)], STABLE),
        ([at + 0.1 for at in range(5, 41, 5)], [Rule.FLOW]),
        # One that came with the announcement is no sign of life.
        ([*TENS[:6], 61.0], [Rule.FLOW]),
        ([*TENS[:6], 61.1], STABLE),
    ],
)
def test_messages_that_stop_with_the_notice(instants, outcome):
    """A subscription that ended on a connection that lives on."""
    check(judge(Requirement.of(**HOLD), announced(60, '{"op": 7}', instants=instants)), outcome)


def test_errors_are_counted():
    """The first one in words."""
    (violation,) = judge(Requirement.of(**HOLD), heard([], until=120, errors=EXPIRED)).violations

    assert violation.observed.endswith("at 60 s and 1 more")


@pytest.mark.parametrize(
    ("instants", "tier", "outcome"),
    [
        ([25, 50, 75], Tier.VIRTUAL, STABLE),
        ([25, 45, 70], Tier.VIRTUAL, STABLE),
        ([25, 44.9, 70], Tier.VIRTUAL, "two heartbeats 19.9 s apart, not 20 s or more"),
        # In real time the network may hold up the first of two.
        ([25, 44.96, 70], Tier.REAL, STABLE),
        ([25, 44.94, 70], Tier.REAL, [Rule.APART]),
        ([25], Tier.VIRTUAL, [Reason.TOO_FEW]),
    ],
)
def test_heartbeats_apart(instants, tier, outcome):
    """A second timer that nobody stopped sends its own."""
    line = timeline(*((at, "<beat") for at in instants), end=End.SERVER, tier=tier, until=80)

    check(judge(Requirement.of(heartbeats_apart=20), line), outcome)


@pytest.mark.parametrize(("second", "outcome"), [(40.0, STABLE), (39.9, [Rule.APART])])
def test_heartbeats_of_this_end_apart(second, outcome):
    """After one without an answer it sends one a quarter of the interval early itself."""
    line = timeline((25, ">beat"), (second, ">beat"), (second + 0.1, "<answer"), until=50)

    check(judge(Requirement.of(heartbeats_apart=20), line), outcome)


def test_late_reading_brings_heartbeats_together():
    """The first of them waited for our loop."""
    line = timeline((25, "<beat"), (60, "lag", 8.0), (60, "<beat"), (77, "<beat"), end=End.SERVER, until=80)

    check(judge(Requirement.of(heartbeats_apart=20), line), [Reason.LOOP_LAG])


def test_a_client_that_never_sent_a_heartbeat_is_told_so():
    """It is another mistake than one that came late."""
    every = {"heartbeat_every": 25, "heartbeat_within": 5}
    never = judge(Requirement.of(**every), timeline(end=End.SERVER, until=60))
    late = judge(Requirement.of(**every), timeline((25, "<beat"), (25, ">answer"), end=End.SERVER, until=90))

    assert never.headline == "the client never sent a heartbeat in 60 s"
    assert never.violations[1].headline == "the client never sent a heartbeat in 60 s (every 25 s)"
    assert late.headline == "no heartbeat for 65 s (every 25 s)"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"alive_for": "10s", "message_every": "10s"}, r"^message_every: 10 s is not shorter than the hold "),
        ({"message_every": 0}, r"^message_every: must be longer than 0"),
        ({"messages_at_least": -1}, r"^messages_at_least: -1 is not a count"),
        ({"heartbeats_apart": "x"}, r"^heartbeats_apart: 'x' is not a duration"),
        ({"no_error_messages": 1}, r"^no_error_messages: 1 is not True or False$"),
    ],
)
def test_values_that_make_no_sense(written, message):
    """They are named."""
    with pytest.raises(ValueError, match=message):
        Requirement.of(**written)


@pytest.mark.parametrize(("until", "at"), [(30, 50), (110, 120), (121, None)])
def test_the_watcher_looks_for_heartbeats_that_are_too_close(until, at):
    """Nothing else wakes it for them."""
    requirement = Requirement.of(**HOLD, heartbeats_apart=20)

    assert HoldChecks(requirement).next_check(timeline(end=End.SERVER, until=until)) == at


@pytest.mark.parametrize(
    ("within", "until", "outcome"),
    [
        # Nobody has greeted so far.
        (20, 19, [Reason.TOO_SHORT, Reason.TOO_SHORT]),
        (20, 20, [Rule.SESSION]),
        (None, 19, [Rule.FLOW]),
    ],
)
def test_a_session_that_is_required_is_awaited(within, until, outcome):
    """However late it is begun: messages are due from its confirmation on."""
    line = heard([], until=until, protocol=SESSION)

    check(judge(Requirement.of(**EVERY, session_within=within), line), outcome)

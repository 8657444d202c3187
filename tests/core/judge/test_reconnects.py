"""The rules about clients that come back, over records of literals: ``(opened, ended, session)``."""

import pickle

import pytest

from pytest_wsstability.core.judge.attempts import ConnectionAttempt, ConnectionHistory
from pytest_wsstability.core.judge.backoff import Backoff
from pytest_wsstability.core.judge.reconnects import NoStorm, Reconnects, no_duplicate_session
from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.message.session_error import SessionError
from pytest_wsstability.core.timeline.events import End, Tier
from tests.core.script import FIN, closed_by_peer, timeline

START = 1000.0
STABLE, UNSTABLE, INCONCLUSIVE = Outcome.STABLE, Outcome.UNSTABLE, Outcome.INCONCLUSIVE


def history(*rows, now=100.0, tier=Tier.VIRTUAL):
    """
    ``(at, ended, session)`` opened; ``(at, status)`` was refused, with None for no HTTP at all.

    A status of text has a Retry-After behind it: ``"503 5"``.

    """
    attempts = []
    for at, *rest in rows:
        status, _, later = str(rest[0] if len(rest) == 1 else 101).partition(" ")
        attempt = ConnectionAttempt(START + at, int(status) if status != "None" else None)
        attempt.retry_after = float(later) if later else None
        if len(rest) == 2:
            ended, session = rest
            line = timeline(
                *[(ended - at, FIN)] if ended is not None else [], end=End.SERVER, origin=START + at
            )
            line.session_id = session
            attempt.timeline = line
        attempts.append(attempt)
    return ConnectionHistory(attempts=attempts, now=START + now, tier=tier)


class Counted(list):
    """Attempts, and how many of them were looked at."""

    looks = 0

    def __iter__(self):
        self.looks += len(self)
        return super().__iter__()

    def __getitem__(self, key):
        found = super().__getitem__(key)
        self.looks += len(found) if isinstance(key, slice) else 1
        return found


def reconnects(seen, *, within=10.0, same_session=True, backoff=None):
    return Reconnects(within=within, same_session=same_session, backoff=backoff).judge(seen, seen.opened)


ONCE = (0, 60, "a")
SECOND = Backoff.of("1s")
GROWING = Backoff(first="1s", factor=2, longest="30s", jitter=0)

NEVER_AWAY = (
    "inconclusive: no connection has ended but by the client's own wish: there is nothing to come back from"
)
EARLY = "attempt 2 came after 1 s, not 2 s or more"

# The history, keywords, and the headline.
RECONNECTS = [
    ([ONCE, (61, None, "a")], {}, "stable"),
    ([ONCE, (70, None, "a")], {}, "stable"),
    ([ONCE, (70.001, None, "a")], {}, "session 'a' came back after 10.001 s, not within 10 s"),
    ([ONCE], {}, "session 'a' did not come back within 10 s"),
    ([(0, 90, "a")], {}, "session 'a' did not come back within 10 s"),
    ([ONCE, (61, 503), (63, 503)], {}, "session 'a' did not come back within 10 s"),
    ([ONCE, (61, 503), (63, None, "a")], {}, "stable"),
    ([ONCE, (61, None, "b")], {}, "session 'a' came back as session 'b'"),
    ([ONCE, (61, None, "b")], {"same_session": False}, "stable"),
    ([ONCE, (61, None, None)], {}, "session 'a' came back as no session at all"),
    ([(0, 60, None), (61, None, None)], {"same_session": False}, "stable"),
    # One that ended as it began is not the one that came back for it.
    ([(60, 60, None), (61, None, None)], {"same_session": False}, "stable"),
    ([(60, 60, None)], {"same_session": False}, "the client did not come back within 10 s"),
    # Back at the instant of the end.
    ([(0, 60, None), (60, None, None)], {"same_session": False}, "stable"),
    ([(0, 60, None), (80, None, None)], {"same_session": False},
     "the client came back after 20 s, not within 10 s"),
    ([ONCE, (61, 65, "a"), (80, None, "a")], {}, "session 'a' came back after 15 s, not within 10 s"),
    ([ONCE, (0, 60, "b"), (61, None, "b")], {}, "session 'a' did not come back within 10 s"),
    ([ONCE, (0, 60, "b"), (61, None, "b"), (62, None, "a")], {}, "stable"),
    ([ONCE, (59, None, "a")], {}, "stable"),
    ([(0, None, "a")], {}, NEVER_AWAY),
    ([(0, 95, "a")], {}, "inconclusive: session 'a' has been away for 5 s only"),
    ([ONCE, (61, None, "a")], {"backoff": SECOND}, "stable"),
    ([ONCE, (60.5, None, "a")], {"backoff": SECOND}, "attempt 1 came after 500 ms, not 1 s or more"),
    ([ONCE, (61, 503), (63, 503), (67, None, "a")], {"backoff": GROWING}, "stable"),
    ([ONCE, (61, 503), (62, 503), (63, None, "a")], {"backoff": GROWING}, EARLY),
    # Let in for a moment, and not more: an attempt that failed, and its wait begins at its end.
    ([ONCE, (61, 61.9, "a"), (63.9, None, "a")], {"backoff": GROWING}, "stable"),
    ([ONCE, (61, 61.9, "a"), (62.9, None, "a")], {"backoff": GROWING}, EARLY),
    ([ONCE, (61, 62, "a"), (63, None, "a")], {"backoff": GROWING}, "stable"),
    ([ONCE, (61, 61, "a"), (63, 503), (67, 67, "a"), (75, None, "a")], {"backoff": GROWING}, "stable"),
    ([ONCE, (61, 61, "a"), (63, 503), (67, 67, "a"), (68, None, "a")], {"backoff": GROWING},
     "attempt 4 came after 1 s, not 8 s or more"),
    # The first of all may be brief, too.
    ([(0, 0, "a"), (1, 1, "a"), (2, None, "a")], {"backoff": GROWING}, EARLY),
    ([ONCE, (61, "503 5"), (66, None, "a")], {}, "stable"),
    ([ONCE, (60, "503 5"), (65, None, "a")], {}, "stable"),
    ([ONCE, (61, "503 5"), (65, None, "a")], {},
     "attempt 2 came after 4 s, not 5 s or more, as Retry-After said"),
    ([ONCE, (61, "503 1"), (62, None, "a")], {"backoff": GROWING}, EARLY),
    # Who is back by then is not away, nor who stays.
    ([ONCE, (0, 55, "b"), (60, None, "b"), (61, 503), (63, None, "a")], {"backoff": GROWING}, "stable"),
    ([ONCE, (0, 63, "b"), (61, 503), (63, None, "a"), (64, None, "b")], {"backoff": GROWING}, "stable"),
    ([ONCE, (0, 70, "b"), (61, 503), (63, None, "a"), (71, None, "b")], {"backoff": GROWING}, "stable"),
    ([ONCE, (0, None, "b"), (61, 503), (63, None, "a")], {"backoff": GROWING}, "stable"),
    ([ONCE, (0, 60, "b"), (61, 503), (62, None, "a"), (62, None, "b")], {"backoff": GROWING},
     "inconclusive: several clients were away at once, so whose attempts failed cannot be told"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "keywords", "headline"), RECONNECTS)
def test_reconnects(rows, keywords, headline):
    """How soon, as whom, and after which wait."""
    verdict = reconnects(history(*rows), **keywords)

    assert verdict.headline == headline
    rule = Rule.BACKOFF if "came after" in headline else Rule.RECONNECTS
    assert all(violation.rule is rule for violation in verdict.violations)
    assert all(doubt.reason in (Reason.TOO_FEW, Reason.TOO_SHORT) for doubt in verdict.doubts)


@pytest.mark.parametrize(
    ("rows", "until"),
    [
        ([(0, 95, "a")], 105.0),
        ([(0, 95, "a"), (0, 93, "b")], 103.0),
        ([(0, 95, "a"), (96, None, None)], 105.0),
        ([(0, 95, "a"), (96, None, "a")], None),
        ([(0, 60, "a")], None),
        ([(0, 90, "a")], None),
        ([(0, None, "a")], None),
    ],
)
def test_those_who_are_away_have_time(rows, until):
    """Until the earliest deadline; nobody waits for who is back or too late."""
    seen = history(*rows)
    expected = Reconnects(within=10.0, same_session=True)

    deadlines = expected.deadlines(seen, seen.opened)
    assert min(deadlines, default=None) == (None if until is None else START + until)


# Attempts of a storm: everybody lost at 60.
LOST = [(0, 60, name) for name in "abcd"]
BACK = [(61, None, name) for name in "abcd"]
SPREAD = [(60 + 2 * place, None, name) for place, name in enumerate("abcd")]
TWICE = [(0, 10, "a"), (11, 20, "a")]
# Every two seconds for more than a minute, which no second shows.
HAMMERING = [(60 + 2 * number, 503) for number in range(1, 36)]
STORMS = [
    ([*LOST, *BACK], {"max_per_second": 3}, "4 attempts in one second, more than 3"),
    ([*LOST, *BACK], {"max_per_second": 4}, "stable"),
    ([*LOST, *SPREAD], {"max_per_second": 1}, "stable"),
    (
        [ONCE, (61, 503), (61.2, 503), (61.4, None)],
        {"max_per_second": 2},
        "3 attempts in one second, more than 2",
    ),
    ([ONCE, (61, 503), (62, 503), (63, 503)], {"max_per_second": 1}, "stable"),
    ([ONCE, *HAMMERING], {"max_per_second": 1}, "stable"),
    ([ONCE, *HAMMERING], {"max_per_minute": 30}, "stable"),
    ([ONCE, *HAMMERING], {"max_per_minute": 29}, "30 attempts in one minute, more than 29"),
    (
        [ONCE, *HAMMERING],
        {"max_per_second": 1, "max_per_minute": 29},
        "30 attempts in one minute, more than 29",
    ),
    ([(0, 503), (0.1, 503)], {"max_per_second": 1}, "2 attempts in one second, more than 1"),
    (LOST, {"max_per_second": 1}, "inconclusive: nobody reconnected: there was no storm to see"),
    (
        [*LOST, *BACK],
        {"max_per_second": 9, "jitter": 0.5},
        "4 reconnects differ by 0 s only, not 500 ms or more",
    ),
    (
        [*LOST, (61, None, "a"), (61.3, None, "b"), (61.6, None, "c"), (61.9, None, "d")],
        {"max_per_second": 9, "jitter": 0.5},
        "stable",
    ),
    (
        [*LOST, (61, None, "a"), (61.25, None, "b"), (61.25, None, "c"), (61.5, None, "d")],
        {"max_per_second": 9, "jitter": 0.5},
        "stable",
    ),
    # Who came for the first time at the instant of the first end had lost nothing.
    ([ONCE, (60, None, "c"), (60.5, None, "a")], {"max_per_second": 1}, "stable"),
    # Those that ended within a second are one group.
    (
        [
            *[(0, 60, "a"), (0, 61, "b"), (0, 63, "c"), (0, 64, "d")],
            *[(61, None, "a"), (62.5, None, "b"), (64, None, "c"), (65, None, "d")],
        ],
        {"max_per_second": 9, "jitter": 0.5},
        "2 reconnects differ by 0 s only, not 500 ms or more",
    ),
    (
        [ONCE, (61, None, "a")],
        {"max_per_second": 1, "jitter": 0.1},
        "inconclusive: one reconnect alone shows no jitter: two are needed at least",
    ),
    (
        [*TWICE, (21, None, "a")],
        {"max_per_second": 1, "jitter": 0.1},
        "2 reconnects differ by 0 s only, not 100 ms or more",
    ),
    ([*TWICE, (21.5, None, "a")], {"max_per_second": 1, "jitter": 0.1}, "stable"),
]


@pytest.mark.parametrize(("rows", "keywords", "headline"), STORMS)
def test_storms(rows, keywords, headline):
    """The first connections are no storm; refused attempts are."""
    verdict = NoStorm(**keywords).judge(history(*rows))

    assert verdict.headline == headline
    assert all(violation.rule is Rule.STORM for violation in verdict.violations)


DUPLICATES = [
    ([(0, None, "a"), (0, None, "b")], "stable"),
    ([ONCE, (60, None, "a")], "stable"),
    ([(0, None, "a"), (5, None, "a")], "session 'a' had two open connections"),
    ([(0, 60, "a"), (59, None, "a")], "session 'a' had two open connections"),
    ([(0, None, "a"), (100, None, "a")], "session 'a' had two open connections"),
    ([(0, None, "a"), (5, None, "a"), (6, None, "a")], "session 'a' had 3 open connections"),
    ([(0, 5, "a"), (4, 6, "a"), (7, None, "a")], "session 'a' had two open connections"),
    ([(0, None, None)], "inconclusive: no client named its session"),
    ([], "inconclusive: no client named its session"),
]


@pytest.mark.parametrize(("rows", "headline"), DUPLICATES)
def test_duplicates(rows, headline):
    """One connection of a session at a time."""
    verdict = no_duplicate_session(history(*rows))

    assert verdict.headline == headline


@pytest.mark.parametrize(("back", "outcome"), [(60.996, STABLE), (60.994, UNSTABLE)])
def test_a_timer_of_a_client_may_fire_5_ms_early(back, outcome):
    """As its clock counts; in virtual time not at all."""
    rows = [ONCE, (back, None, "a")]

    assert reconnects(history(*rows, tier=Tier.REAL), backoff=SECOND).outcome is outcome
    assert reconnects(history(*rows), backoff=SECOND).outcome is UNSTABLE


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        ([], "nothing for 40 s"),
        ([(61, 503)], "nothing for 40 s; 1 attempt did not open"),
        ([(61, 503)] * 3, "nothing for 40 s; 3 attempts did not open"),
    ],
)
def test_attempts_that_did_not_open_are_counted(refused, told):
    (violation,) = reconnects(history(ONCE, *refused)).violations

    assert violation.observed == told


def test_duplicates_say_how_many():
    """How often, of how many sessions, and which was the first."""
    seen = history((0, 10, "a"), (0, 10, "b"), (5, None, "b"), (6, None, "a"), (7, None, "a"))
    (violation,) = no_duplicate_session(seen).violations

    assert violation.observed == (
        "3 times of 2 sessions; first session 'b' connected again at 5 s, its connection before was open for "
        "5 s more"
    )


def test_one_duplicate_is_told_as_one():
    (violation,) = no_duplicate_session(history((0, None, "a"), (5, None, "a"))).violations

    assert violation.observed == (
        "once; first session 'a' connected again at 5 s, its connection before was still open"
    )


def test_real_sockets_become_readable_in_any_order():
    """A connection that is opened while the end of the one before is on its way is no duplicate."""
    rows = [(0, 60, "a"), (59.97, None, "a")]

    assert no_duplicate_session(history(*rows, tier=Tier.REAL)).outcome is STABLE
    assert no_duplicate_session(history(*rows)).outcome is UNSTABLE
    just_now = history((0, None, "a"), (100, None, "a"), tier=Tier.REAL)
    assert no_duplicate_session(just_now).outcome is STABLE


def test_the_message_shows_what_happened():
    """Promise, observation, the history by time, what to change, and how far it reaches."""
    seen = history(ONCE, (61, 503), (62, None))
    error = SessionError(reconnects(seen), seen)

    assert str(error) == (
        "session 'a' did not come back within 10 s [server end]\n"
        "  expected  a connection with the same session within 10 s of each end\n"
        "  observed  nothing for 40 s; 2 attempts did not open\n"
        "  history   (last 4 of 4 events)\n"
        "        +0.000 s < attempt 1: opened, session 'a'\n"
        "       +60.000 s = attempt 1 ended: 1006 at 60 s: no close frame received or sent; FIN\n"
        "       +61.000 s < attempt 2: refused with HTTP 503\n"
        "       +62.000 s < attempt 3: no opening handshake\n"
        "  hint      reconnect after every end, 1005 and 1006 too, and each time begin the same session\n"
        "  covered   100 s in virtual time\n"
        "  read on   wsstability explain rule-reconnects"
    )
    assert [attempt.session_id for attempt in error.history.attempts] == ["a", None, None]


def test_the_error_survives_pickling():
    """As all of ours, for pytest-xdist."""
    seen = history(ONCE)
    error = SessionError(reconnects(seen), seen)
    again = pickle.loads(pickle.dumps(error))

    assert (str(again), again.verdict) == (str(error), error.verdict)
    assert len(again.history.attempts) == 1


def test_the_whole_record_is_shown_on_demand():
    """Of a crowd the last ten lines, and all of them with -vv; nothing is diagnosed."""
    seen = history(*[(number, 60, f"s{number}") for number in range(20)])
    error = SessionError(reconnects(seen), seen)
    assert str(error).count("ended: 1006") == 10
    error.retell(error.verdict)
    assert str(error).count("ended: 1006") == 10
    error.retell(error.verdict, whole=True)

    assert str(error).count("ended: 1006") == 20
    assert "history   (last 40 of 40 events)" in str(error)
    assert error.verdict.diagnosis is None


def test_an_inconclusive_message_says_what_is_in_doubt():
    """And shows no hint, because nobody did anything wrong."""
    seen = history((0, None, "a"))
    message = str(SessionError(reconnects(seen), seen))

    assert "  in doubt  no connection has ended but by the client" in message
    assert "hint" not in message


@pytest.mark.parametrize(("code", "outcome"), [(1000, INCONCLUSIVE), (1001, INCONCLUSIVE), (4000, UNSTABLE)])
def test_who_left_does_not_have_to_come_back(code, outcome):
    """A normal closure by the client is its own wish; another code is a reason to try again."""
    seen = history((0, None, "a"))
    line = timeline((60, closed_by_peer(code)), end=End.SERVER, origin=START)
    line.session_id = "a"
    seen.attempts[0].timeline = line

    assert reconnects(seen).outcome is outcome
    awaited = Reconnects(within=50.0, same_session=True).deadlines(seen, seen.opened)
    assert (not awaited) == (code < 4000)


def left(code=1000, *, at=0.0, ended=60.0, session="a", lost=None):
    """A connection that its client closed, with the instant of a loss before or after."""
    line = timeline((ended - at, closed_by_peer(code)), end=End.SERVER, origin=START + at)
    line.session_id = session
    return ConnectionAttempt(START + at, 101, timeline=line, lost_at=None if lost is None else START + lost)


@pytest.mark.parametrize(
    ("attempts", "outcome", "words"),
    [
        # Polite, and back: no farewell.
        ([left(), (62, None, "a")], STABLE, "stable"),
        ([left(), (80, None, "a")], UNSTABLE, "session 'a' came back after 20 s"),
        ([left(1001), (80, None, "a")], UNSTABLE, "session 'a' came back after 20 s"),
        # Another client came, and this one has left.
        ([left(), (62, None, "b")], INCONCLUSIVE, "no connection has ended but"),
        ([left(session=None), (80, None, None)], INCONCLUSIVE, "no connection has ended but"),
        # A client that closes politely because its path was dead has lost its connection.
        ([left(lost=30)], UNSTABLE, "session 'a' did not come back within 10 s"),
        ([left(lost=30), (65, None, "a")], STABLE, "stable"),
        ([left(lost=60)], UNSTABLE, "session 'a' did not come back within 10 s"),
        # What was broken after it had left is no reason.
        ([left(lost=61)], INCONCLUSIVE, "no connection has ended but"),
    ],
)
def test_a_polite_close_is_a_farewell_only_if_nothing_follows(attempts, outcome, words):
    """And if nothing was broken before."""
    made = [each for row in attempts for each in (history(row).attempts if isinstance(row, tuple) else [row])]
    seen = ConnectionHistory(attempts=made, now=START + 100, tier=Tier.VIRTUAL)

    verdict = reconnects(seen)
    assert verdict.outcome is outcome
    assert words in verdict.headline


def said_goodbye(*rows, ended=60.0):
    """A connection that its server closed in the end, and what was said before."""
    line = timeline(*rows, (ended, closed_by_peer(1005)), end=End.SERVER, origin=START)
    line.session_id = "a"
    return ConnectionAttempt(START, 101, timeline=line)


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        ([(59, "<goodbye")], INCONCLUSIVE),
        ([(59, "<text")], UNSTABLE),
        # A client that says it because the server goes has to come back (WAMP's GOODBYE).
        ([(58, ">notice"), (59, "<goodbye")], UNSTABLE),
        ([(58, ">error"), (59, "<goodbye")], UNSTABLE),
        ([(58, "<goodbye"), (59, ">notice")], INCONCLUSIVE),
        # One that begins another session on the same connection has not gone.
        ([(10, "<info"), (20, "<goodbye")], INCONCLUSIVE),
        ([(20, "<goodbye"), (21, "<info")], UNSTABLE),
    ],
)
def test_who_says_goodbye_does_not_have_to_come_back(rows, outcome):
    """However the connection then ends."""
    seen = ConnectionHistory(attempts=[said_goodbye(*rows)], now=START + 100, tier=Tier.VIRTUAL)

    assert reconnects(seen).outcome is outcome


def silent(lost=30.0, *, healed=None):
    """A connection whose path went dead, and that nobody has ended."""
    line = timeline((0, ">hello"), end=End.SERVER, origin=START, until=100)
    line.session_id = "a"
    healed = None if healed is None else START + healed
    return ConnectionAttempt(
        START, 101, timeline=line, lost_by="a fault", lost_at=START + lost, healed_at=healed
    )


@pytest.mark.parametrize(
    ("attempts", "outcome", "rule", "words"),
    [
        ([silent()], UNSTABLE, Rule.LOSS, "session 'a' did not come back within 10 s"),
        ([silent(), (40, None, "a")], STABLE, None, "stable"),
        ([silent(), (40.001, None, "a")], UNSTABLE, Rule.RECONNECTS, "came back after 10.001 s"),
        ([silent(95)], INCONCLUSIVE, None, "session 'a' has been away for 5 s only"),
        ([silent(), (40, None, "b")], UNSTABLE, Rule.RECONNECTS, "came back as session 'b'"),
        # What went on in time took nothing from the client.
        ([silent(healed=39.9)], INCONCLUSIVE, None, "no connection has ended but"),
        ([silent(healed=40)], UNSTABLE, Rule.LOSS, "did not come back within 10 s"),
    ],
)
def test_a_loss_without_an_end(attempts, outcome, rule, words):
    """The time to come back counts from the loss, for nobody tells the client of an end."""
    made = [each for row in attempts for each in (history(row).attempts if isinstance(row, tuple) else [row])]
    seen = ConnectionHistory(attempts=made, now=START + 100, tier=Tier.VIRTUAL)

    verdict = reconnects(seen)
    assert verdict.outcome is outcome
    assert words in verdict.headline
    assert [each.rule for each in verdict.violations] == ([] if rule is None else [rule])


def test_how_long_a_lost_client_has():
    """Until the time for coming back is over, from the loss on."""
    seen = ConnectionHistory(attempts=[silent(95)], now=START + 100, tier=Tier.VIRTUAL)

    assert Reconnects(within=10.0, same_session=True).deadlines(seen, seen.opened) == [START + 105]


def test_a_connection_that_served_is_not_brief():
    """A confirmed session, or data: the next wait is a first one again."""
    for rows in ([(0.0, "<info"), (0.1, ">confirmed")], [(0.1, ">text")], [(0.1, "<audio")]):
        line = timeline(*rows, (0.5, FIN), end=End.SERVER, origin=START + 61)
        line.session_id = "a"
        assert not ConnectionAttempt(START + 61, 101, timeline=line).was_brief
    line = timeline((0.0, ">hello"), (0.1, "<info"), (0.5, FIN), end=End.SERVER, origin=START + 61)
    assert ConnectionAttempt(START + 61, 101, timeline=line).was_brief


def test_many_clients_are_told_apart_in_a_moment():
    """Ten thousand that were lost at once, half of them without a name."""
    lost = [(0, 60, None if number % 2 else f"s{number}") for number in range(10_000)]
    back = [(61, None, None if number % 2 else f"s{number}") for number in range(10_000)]
    seen = history(*lost, *back)

    assert reconnects(seen, same_session=False).outcome is STABLE
    assert len(seen.successors()) == 10_000


def test_a_crowd_has_one_problem():
    """The message of a hundred clients that stay away is a short one."""
    seen = history(*[(0, 60, f"s{number}") for number in range(100)])
    message = str(SessionError(reconnects(seen), seen))

    assert message.count("  expected  ") == 3
    assert "  ...       and 97 more\n" in message
    assert len(message.splitlines()) < 25


@pytest.mark.parametrize("backoff", [None, SECOND])
def test_twice_as_many_clients_take_twice_as_long(backoff):
    """All are lost at once, and each comes back: thousands took a minute."""
    looks = []
    for clients in (200, 400):
        before = [(number / clients, 60, f"s{number}") for number in range(clients)]
        back = [(62 + number / clients, None, f"s{number}") for number in range(clients)]
        seen = history(*before, *back)
        seen = ConnectionHistory(attempts=Counted(seen.attempts), now=seen.now, tier=seen.tier)

        assert reconnects(seen, backoff=backoff).outcome is STABLE
        looks.append(seen.attempts.looks)

    assert looks[1] < 3 * looks[0]

"""The rule about clients whose path or peer went dead, over records of literals."""

import pytest

from pytest_wsstability.core.judge.attempts import ConnectionAttempt, ConnectionHistory
from pytest_wsstability.core.judge.loss import NoticesLoss
from pytest_wsstability.core.judge.reconnects import NoStorm
from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.message.session_error import SessionError
from pytest_wsstability.core.timeline.events import End, Tier
from tests.core.script import FIN, timeline

START = 1000.0
STABLE, UNSTABLE, INCONCLUSIVE = Outcome.STABLE, Outcome.UNSTABLE, Outcome.INCONCLUSIVE


def opened(at=0.0, session="a", *, lost=None, gave_up=None, healed=None, ended=None):
    """An attempt that opened, with the instants of its loss and of its client's end."""
    line = timeline(*[(ended - at, FIN)] if ended is not None else [], end=End.SERVER, origin=START + at)
    line.session_id = session
    made = ConnectionAttempt(START + at, 101, timeline=line, lost_by="faults.Blackhole(direction='both')")
    for name, instant in (("lost_at", lost), ("given_up_at", gave_up), ("healed_at", healed)):
        setattr(made, name, None if instant is None else START + instant)
    return made


def refused(at):
    return ConnectionAttempt(START + at, 503)


def seen(*attempts, now=100.0, tier=Tier.VIRTUAL):
    return ConnectionHistory(attempts=attempts, now=START + now, tier=tier)


UNNOTICED = "session 'a' did not notice within 20 s that its connection was dead"
# The attempts and what is said of them; a loss at 30 s is to be noticed within 20 s.
CASES = [
    ([opened(lost=30, gave_up=50)], "stable"),
    ([opened(lost=30, gave_up=30)], "stable"),
    ([opened(lost=30, gave_up=50.001)], UNNOTICED),
    ([opened(lost=30)], UNNOTICED),
    ([opened(lost=30), opened(50)], "stable"),
    ([opened(lost=30), opened(50.001)], UNNOTICED),
    # It came back as another, which is no matter of this rule; one that was there before is another client.
    ([opened(lost=30), opened(40, "b")], "stable"),
    ([opened(lost=30), opened(20, "b"), opened(40, "b")], UNNOTICED),
    # Clients without names: the next one is it.
    ([opened(session=None, lost=30), opened(40, None)], "stable"),
    ([opened(session=None, lost=30)], "the client did not notice within 20 s that its connection was dead"),
    # It tried, and was refused; with others there nobody can tell who tried.
    ([opened(lost=30), refused(45)], "stable"),
    ([opened(lost=30), refused(20)], UNNOTICED),
    ([opened(lost=30), opened(0, "b"), refused(45)], UNNOTICED),
    # Others that had ended by then, or came then, did not try.
    ([opened(lost=30), opened(0, "b", ended=30), refused(45)], "stable"),
    ([opened(lost=30), opened(20, "b", ended=25), opened(30, "b"), refused(45)], "stable"),
    # It had said goodbye before: that is no sign.
    ([opened(lost=30, gave_up=10)], UNNOTICED),
    # The end that the server sees need not be the client's.
    ([opened(lost=30, ended=60)], UNNOTICED),
    ([opened(lost=80)], UNNOTICED),
    ([opened(lost=90)], "inconclusive: session 'a' has had 10 s only to notice"),
    ([opened(lost=30, healed=49)], "inconclusive: session 'a' lost nothing for long: all went on after 19 s"),
    ([opened(lost=30, healed=50)], UNNOTICED),
    ([opened(lost=30, healed=51)], UNNOTICED),
    ([opened(lost=30, healed=31, gave_up=40)], "stable"),
    (
        [opened(lost=30, gave_up=40), opened(0, "b", lost=30)],
        "session 'b' did not notice within 20 s that its connection was dead",
    ),
]


@pytest.mark.parametrize(("attempts", "headline"), CASES)
def test_who_notices(attempts, headline):
    """Giving up, coming back or trying to is noticing; each counts from the loss."""
    history = seen(*attempts)
    verdict = NoticesLoss(within=20.0).judge(history, history.opened)

    assert verdict.headline == headline
    assert all(violation.rule is Rule.LOSS for violation in verdict.violations)
    assert all(doubt.reason is Reason.TOO_SHORT for doubt in verdict.doubts)


def test_what_was_broken_is_told():
    """The fault, when it was applied, and what the client did."""
    history = seen(opened(lost=30), refused(20))
    message = str(SessionError(NoticesLoss(within=20.0).judge(history, history.opened), history))

    assert "expected  the client gives up or comes back within 20 s of a loss" in message
    assert (
        "observed  faults.Blackhole(direction='both') was applied at 30 s of its connection; it nei"
        in message
    )
    assert "    +30.000 s = attempt 1: faults.Blackhole(direction='both') was applied" in message
    assert "hint      expect a sign of life" in message


@pytest.mark.parametrize(
    ("attempts", "until"),
    [
        ([opened(lost=90)], 110.0),
        ([opened(lost=90), opened(0, "b", lost=85)], 105.0),
        ([opened(lost=90, gave_up=95)], None),
        ([opened(lost=30)], None),
        ([opened(lost=80)], None),
        ([opened()], None),
    ],
)
def test_those_who_have_noticed_nothing_have_time(attempts, until):
    """Until the earliest deadline; nobody waits for who has noticed, nor beyond."""
    history = seen(*attempts)

    deadlines = NoticesLoss(within=20.0).deadlines(history, history.opened)
    assert min(deadlines, default=None) == (None if until is None else START + until)


def test_real_sockets_become_readable_in_any_order():
    """In real time an instant has a width; in virtual time it has none."""
    attempts = [opened(lost=30, gave_up=50.04)]
    outcomes = [
        NoticesLoss(within=20.0).judge(seen(*attempts, tier=tier), attempts).outcome
        for tier in (Tier.REAL, Tier.VIRTUAL)
    ]

    assert outcomes == [STABLE, UNSTABLE]


LOST_TOGETHER = [opened(0, name, lost=30) for name in "abc"]


@pytest.mark.parametrize(
    ("attempts", "keywords", "headline"),
    [
        # Nothing has ended at the server, and who came back is seen all the same.
        ([opened(lost=30), opened(62)], {"max_per_second": 1}, "stable"),
        (
            [*LOST_TOGETHER, *(opened(62, name) for name in "abc")],
            {"max_per_second": 2},
            "3 attempts in one second, more than 2",
        ),
        # One that came first before the loss is none that came back.
        (
            [opened(lost=30), opened(29.9, "b")],
            {"max_per_second": 1},
            "inconclusive: nobody reconnected: there was no storm to see",
        ),
        # The server's deadline comes when the client has been back for long: its wait began with the loss.
        (
            [*(opened(0, name, lost=30, ended=75) for name in "ab"), opened(62, "a"), opened(62.4, "b")],
            {"max_per_second": 9, "jitter": 0.5},
            "2 reconnects differ by 400 ms only, not 500 ms or more",
        ),
        (
            [*(opened(0, name, lost=30) for name in "ab"), opened(62, "a"), opened(62.5, "b")],
            {"max_per_second": 9, "jitter": 0.5},
            "stable",
        ),
    ],
)
def test_a_storm_of_clients_that_lost_their_path(attempts, keywords, headline):
    """A loss that no end at the server shows is one to come back from."""
    verdict = NoStorm(**keywords).judge(seen(*attempts))

    assert verdict.headline == headline

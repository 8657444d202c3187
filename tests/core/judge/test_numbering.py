"""Numbers of messages, and what is missing or double in them."""

import random
from dataclasses import replace

import pytest

from pytest_wsstability.core.judge.numbering import MessageCount, Numbers, count_messages, judge_messages
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.events import Tier


def numbers(*each):
    found = Numbers()
    for number in each:
        found.add(number)
    return found


@pytest.mark.parametrize(
    ("each", "runs", "repeats"),
    [
        ([], [], 0),
        ([1, 2, 3], [(1, 3)], 0),
        ([3, 1, 2], [(1, 3)], 0),
        ([1, 3], [(1, 1), (3, 3)], 0),
        ([1, 3, 2], [(1, 3)], 0),
        ([1, 1, 2, 2], [(1, 2)], 2),
        ([5, 1, 4, 2, 3, 3], [(1, 5)], 1),
        ([-1, 0, 1], [(-1, 1)], 0),
        ([10**30, 10**30 + 1], [(10**30, 10**30 + 1)], 0),
    ],
)
def test_numbers_are_kept_as_runs(each, runs, repeats):
    """In whatever order they come."""
    found = numbers(*each)

    assert (found.runs, found.repeats, found.seen) == (runs, repeats, len(each))


@pytest.mark.parametrize(
    ("each", "reordered", "first"),
    [
        ([1, 2, 3], 0, None),
        ([1, 3, 5], 0, None),
        ([1, 3, 2, 4], 1, (2, 3)),
        ([2, 1], 1, (1, 2)),
        ([1, 5, 2, 4, 6], 2, (2, 5)),
        # Once more is a repeat, whatever came between.
        ([1, 2, 3, 1, 2], 0, None),
        ([1, 3, 2, 2], 1, (2, 3)),
        (["b", "a"], 0, None),
    ],
)
def test_a_number_behind_a_larger_one_is_out_of_order(each, reordered, first):
    """Ids have no order."""
    found = numbers(*each)

    assert (found.reordered, found.first_reordered) == (reordered, first)


def test_a_later_connection_may_begin_with_earlier_numbers():
    """What it sends again is told as double, and what the one before missed is none."""
    found = count_messages([numbers(1, 2, 5, 6), numbers(3, 4, 7), numbers(9, 8)])

    assert (found.lost, found.duplicated) == (0, 0)
    assert (found.reordered, found.first_reordered) == (1, (8, 9))


def test_runs_are_those_of_a_set():
    """A thousand numbers of chance, compared with the plain way."""
    chance = random.Random(3)
    each = [chance.randrange(1000) for _ in range(1000)]
    found = numbers(*each)

    assert {number for first, last in found.runs for number in range(first, last + 1)} == set(each)
    assert found.repeats == len(each) - len(set(each))


def test_the_first_number_that_is_none_is_told():
    """Of whichever connection."""
    right, wrong, later = numbers(1), numbers(2), numbers(3)
    wrong.error, later.error = "True is no number", "1.5 is no number"

    assert count_messages([right, None, wrong, later]).error == "True is no number"
    assert count_messages([right]).error is None


def test_a_stream_without_gaps_takes_no_memory():
    """One run, however long."""
    found = numbers(*range(100_000))

    assert found.runs == [(0, 99_999)]


def test_ids_are_kept_up_to_a_limit():
    """The oldest are forgotten."""
    found = numbers(*[f"id-{number}" for number in range(70_000)])

    assert len(list(found.ids)) == 65_536
    assert next(iter(found.ids)) == "id-4464"


def test_an_id_that_comes_again_is_a_repeat():
    """It is kept once."""
    found = numbers("a", "b", "a")

    assert (list(found.ids), found.repeats, found.seen) == (["a", "b"], 1, 3)


@pytest.mark.parametrize(
    ("connections", "seen", "lost", "duplicated", "gaps", "overlaps"),
    [
        ([], 0, 0, 0, (), ()),
        ([None, numbers(1, 2)], 2, 0, 0, (), ()),
        ([numbers(1, 2), numbers(3, 4)], 4, 0, 0, (), ()),
        ([numbers(1, 2), numbers(5, 6)], 4, 2, 0, ((3, 4),), ()),
        ([numbers(1, 2, 3), numbers(2, 3, 4)], 6, 0, 2, (), ("2 to 3",)),
        ([numbers(1, 2), numbers(2), numbers(2)], 4, 0, 2, (), ("2", "2")),
        ([numbers(1, 1, 4), numbers(4)], 4, 2, 2, ((2, 3),), ("4",)),
        ([numbers("a", "b"), numbers("b", "c")], 4, 0, 1, (), ("b",)),
        ([numbers(1, "a"), numbers(2, "a")], 4, 0, 1, (), ("a",)),
        ([numbers(1, 3, 5, 7, 9)], 5, 4, 0, ((2, 2), (4, 4), (6, 6)), ()),
        ([numbers("a", "b", "c"), numbers("a", "b", "c")], 6, 0, 3, (), ("a", "b", "c")),
        ([numbers(*"abcde"), numbers(*"abcde")], 10, 0, 5, (), ("a", "b", "c", "2 more")),
    ],
)
def test_tally(connections, seen, lost, duplicated, gaps, overlaps):
    """Over all connections of a session."""
    found = replace(count_messages(connections), first_repeat=None, lost_inside=None)

    assert found == MessageCount(seen, lost, duplicated, gaps, overlaps)


@pytest.mark.parametrize(
    ("connections", "which"),
    [
        # The same over and over, as a feed sends it that stands still (python-binance 1090).
        ([numbers(598, 599, 600, 600, 600)], "2 of 5 came twice: 600 first, again on the same connection"),
        ([numbers("a", "b", "b")], "1 of 3 came twice: b first, again on the same connection"),
        (
            [numbers(1, 2), numbers(2, 3, 3)],
            "2 of 5 came twice: 2 again on a later connection, 3 first, again on the same connection",
        ),
        ([numbers(1, 2), numbers(2, 3)], "1 of 4 came twice: 2 again on a later connection"),
    ],
)
def test_what_came_again_is_named(connections, which):
    verdict = judge_messages(
        count_messages(connections), lost_max=0, duplicated_max=0, duration=60, tier=Tier.VIRTUAL
    )

    assert verdict.violations[0].observed == which


OUT = "; those before and behind came on one connection: the sender left them out"
NOT_AGAIN = "; between two connections: the sender did not send again what the first one lost"


@pytest.mark.parametrize(
    ("connections", "which"),
    [
        # Order books of exchanges (kucoin-api-docs 44, bittrex.github.io 33): TCP loses nothing.
        ([numbers(1, 2, 4)], f"1 of 4 lost: 3{OUT}"),
        ([numbers(1, 2), numbers(3, 6, 5)], f"1 of 6 lost: 4{OUT}"),
        # A kernel's output that nobody keeps while the browser is away (jupyter/notebook 4105).
        ([numbers(1, 2), numbers(5, 6)], f"2 of 6 lost: 3 to 4{NOT_AGAIN}"),
        # One of each: the numbers say it.
        ([numbers(1, 3), numbers(5)], "2 of 5 lost: 2, 4"),
    ],
)
def test_who_lost_them_is_told(connections, which):
    """A connection that went on loses nothing; one that ended does."""
    verdict = judge_messages(
        count_messages(connections), lost_max=0, duplicated_max=0, duration=60, tier=Tier.VIRTUAL
    )

    assert verdict.violations[0].observed == which


@pytest.mark.parametrize(
    ("came", "why"),
    [(True, "name its member, Profile(sequence='seq')"), (False, "none came on this connection")],
)
def test_why_none_carried_a_number(came, why):
    """Where none came at all, no member is missing."""
    verdict = judge_messages(
        count_messages([None]), lost_max=0, duplicated_max=0, duration=60, tier=Tier.VIRTUAL, came=came
    )

    assert verdict.doubts[0].text == f"no message carried a number: {why}"


@pytest.mark.parametrize(
    ("found", "limits", "headline"),
    [
        (MessageCount(10, 0, 0), (0, 0), "stable"),
        (MessageCount(10, 2, 0, ((3, 4),)), (0, 0), "messages lost: 2 of 12 lost: 3 to 4"),
        # Three runs of lost numbers are named, and the others counted.
        (
            MessageCount(10, 4, 0, ((3, 4), (6, 6), (8, 8))),
            (0, 0),
            "messages lost: 4 of 14 lost: 3 to 4, 6, 8",
        ),
        (
            MessageCount(10, 6, 0, ((3, 4), (6, 6), (8, 8))),
            (0, 0),
            "messages lost: 6 of 16 lost: 3 to 4, 6, 8 and 2 more",
        ),
        (MessageCount(10, 2, 0, ((3, 4),)), (2, 0), "stable"),
        (
            MessageCount(10, 0, 2, (), ("3 to 4",)),
            (0, 1),
            "messages duplicated: 2 of 10 came twice: 3 to 4 again on a later connection",
        ),
        (MessageCount(10, 0, 2), (0, 2), "stable"),
        (
            MessageCount(0, 0, 0),
            (0, 0),
            "inconclusive: no message carried a number: name its member, Profile(sequence='seq')",
        ),
        (
            MessageCount(1, 0, 0, error="oops"),
            (0, 0),
            "inconclusive: messages could not be numbered: oops",
        ),
    ],
)
def test_messages_are_judged(found, limits, headline):
    """Lost and double ones, each with its own limit."""
    lost_max, duplicated_max = limits
    verdict = judge_messages(
        found, lost_max=lost_max, duplicated_max=duplicated_max, duration=60.0, tier=Tier.VIRTUAL
    )

    assert verdict.headline == headline
    assert all(violation.rule is Rule.MESSAGES for violation in verdict.violations)
    assert all(doubt.reason is Reason.TOO_FEW for doubt in verdict.doubts)


@pytest.mark.parametrize(
    ("allowed", "headline"),
    [(1, "stable"), (0, "messages out of order: 1 of 5 out of order: 3 behind 4 first")],
)
def test_an_order_is_judged(allowed, headline):
    """Its sender is told: a connection keeps the order of what is sent on it."""
    found = count_messages([numbers(1, 2, 4, 3, 5)])
    verdict = judge_messages(
        found, lost_max=0, duplicated_max=0, reordered_max=allowed, duration=60.0, tier=Tier.VIRTUAL
    )

    assert verdict.headline == headline
    assert all(": the sender sent them so" in each.observed for each in verdict.violations)


def test_what_was_allowed_is_told():
    found = MessageCount(10, 2, 2, ((3, 4),))
    verdict = judge_messages(found, lost_max=0, duplicated_max=1, duration=60.0, tier=Tier.VIRTUAL)

    assert [each.expected for each in verdict.violations] == [
        "no message lost",
        "at most 1 message duplicated",
    ]

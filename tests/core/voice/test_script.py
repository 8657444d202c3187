"""How a caller speaks: the same for a seed, within what was asked."""

from itertools import islice, pairwise

import pytest

from pytest_wsstability.voice import Script


def test_a_script_is_the_same_for_a_seed():
    assert list(Script(turns=9, barge_ins=0.3)) == list(Script(turns=9, barge_ins=0.3))
    assert list(Script(turns=9)) != list(Script(turns=9, seed=1))


def test_lengths_and_pauses_are_within_their_ranges():
    turns = list(Script(turns=50, speech=("1s", "2s"), pause="300ms"))

    assert len(turns) == 50
    assert all(1 <= turn.speech <= 2 and turn.pause == 0.3 for turn in turns)
    assert {turn.interrupted_after for turn in turns} == {None}


def test_a_script_without_an_end():
    assert len(list(islice(Script(), 500))) == 500


def test_the_share_of_interruptions():
    """The first answer is one, the last is heard to its end, and the turn that interrupts needs no pause."""
    turns = list(Script(turns=400, barge_ins=0.2))
    cut = [turn.interrupted_after is not None for turn in turns]

    assert cut[0]
    assert not cut[-1]
    assert 50 < sum(cut) < 110
    assert all(after.pause == 0 for turn, after in pairwise(turns) if turn.interrupted_after is not None)
    assert [turn.interrupted_after for turn in Script(turns=1, barge_ins=1)] == [None]


def test_the_turn_of_a_reconnect():
    assert [turn.reconnects for turn in Script(turns=3, reconnect_in=2)] == [False, True, False]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"turns": 0}, r"^turns: 0 is no turn; give a whole number from 1, or None$"),
        ({"turns": 2.0}, r"^turns: 2\.0 is no turn; give a whole number from 1, or None$"),
        ({"turns": True}, r"^turns: True is no turn; give a whole number from 1, or None$"),
        ({"reconnect_in": 0}, r"^reconnect_in: 0 is no turn; give a whole number from 1, or None$"),
        ({"silence": "maybe"}, r"^silence: 'maybe' is unknown; valid ones: 'sent', 'withheld'$"),
        ({"barge_ins": 1.1}, r"^barge_ins: 1\.1; give a share from 0 to 1, such as 0\.2$"),
        ({"barge_ins": True}, r"^barge_ins: True; give a share from 0 to 1, such as 0\.2$"),
        ({"seed": 0.5}, r"^seed: 0\.5 is no whole number$"),
    ],
)
def test_values_that_make_no_sense(values, message):
    """Each is named with what would do."""
    with pytest.raises(ValueError, match=message):
        Script(**values)

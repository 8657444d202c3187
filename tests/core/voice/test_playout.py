"""The player's buffer, against a player that looks at every millisecond."""

import random

import pytest

from pytest_wsstability.core.voice.playout import Playout, Underrun


def played(chunks, *, prebuffer=0.06):
    playout = Playout(prebuffer=prebuffer)
    for at, seconds in chunks:
        playout.chunk(at, seconds)
    return playout


def paced(count, *, every, start=0.0, seconds=0.02):
    return [(start + number * every, seconds) for number in range(count)]


@pytest.mark.parametrize(
    "chunks",
    [
        pytest.param([], id="nothing"),
        pytest.param(paced(500, every=0.02), id="as fast as it plays"),
        pytest.param(paced(500, every=0.01), id="twice as fast"),
        pytest.param(paced(500, every=0.002), id="ten times as fast"),
        pytest.param([(1.0, 10.0)], id="all at once"),
        pytest.param([*paced(3, every=0.02), (0.1, 0.02)], id="as late as the buffer is long"),
    ],
)
def test_audio_that_is_no_fault(chunks):
    assert played(chunks).underrun_count == 0


@pytest.mark.parametrize(
    ("chunks", "underruns"),
    [
        # Three frames fill the buffer at 0.04 s, which is played out at 0.1 s.
        ([*paced(3, every=0.02), (0.1 + 0.002, 0.02)], [Underrun(0.1, 0.002)]),
        # Half as fast as it plays: what waits at the start lasts for three chunks more.
        (paced(5, every=0.04), [Underrun(0.14, 0.02)]),
        # After a gap the player goes on at once.
        ([(0, 0.1), (0.5, 0.1), (0.6, 0.1)], [Underrun(0.1, 0.4)]),
    ],
)
def test_audio_that_comes_too_late(chunks, underruns):
    playout = played(chunks)

    assert [(each.at, each.seconds) for each in playout.underruns] == [
        (pytest.approx(each.at), pytest.approx(each.seconds)) for each in underruns
    ]
    assert playout.underrun_seconds == pytest.approx(sum(each.seconds for each in underruns))


@pytest.mark.parametrize(
    ("behind", "underruns"),
    [
        pytest.param([(1.5, True), (1.9, True)], [], id="nothing is missed behind the last word"),
        pytest.param([(1.5, False)], [(1.0, 0.5)], id="speech that is late"),
        pytest.param([(1.5, True), (1.6, False)], [(1.0, 0.5)], id="a pause that was late, and speech"),
        pytest.param([(1.5, True), (1.9, True), (2.0, False)], [(1.0, 0.5), (1.6, 0.3)], id="twice"),
        pytest.param([(1.5, True), None, (2.0, False)], [], id="the next utterance"),
    ],
)
def test_silence_that_comes_late(behind, underruns):
    """A chunk of 100 ms each, behind a second of speech; None is the end of the utterance."""
    playout = played([(0, 1.0)])
    for each in behind:
        if each is None:
            playout.finish(1.7)
        else:
            playout.chunk(each[0], 0.1, silent=each[1])

    assert [(each.at, pytest.approx(each.seconds)) for each in playout.underruns] == underruns
    assert playout.underrun_count == len(underruns)


@pytest.mark.parametrize(("late", "count"), [(0.0, 0), (0.000_01, 1)])
def test_the_instant_at_which_the_buffer_is_empty(late, count):
    """A chunk at that very instant is in time."""
    assert played([(0, 0.06), (0.06 + late, 0.02)]).underrun_count == count


def test_the_end_of_an_utterance_is_no_underrun():
    playout = played([(0, 1.0)])

    assert playout.finish(0.2) == 1.0
    assert not playout.is_playing
    playout.chunk(30.0, 1.0)
    assert playout.underrun_count == 0


def test_an_interruption_throws_away_what_waits():
    playout = played([(0, 4.0)])

    assert playout.waiting(1.0) == 3.0
    assert playout.interrupt(1.0) == 3.0
    assert playout.dropped == 3.0
    assert playout.waiting(1.0) == 0.0
    assert playout.deepest == 4.0


@pytest.mark.parametrize(("at", "dropped"), [(2.0, 3.0), (5.0, 0.0), (6.0, 0.0)])
def test_of_a_finished_utterance_what_was_not_played_is_thrown_away(at, dropped):
    """Nothing of one that is over by then."""
    playout = played([(0, 5.0)])
    until = playout.finish(1.0)

    assert until == 5.0
    assert playout.interrupt(at, until=until) == dropped
    assert (playout.dropped, playout.dry_at) == (dropped, None)


def test_before_it_begins_a_player_holds_what_came():
    """And not the time until it begins."""
    playout = played([(0, 0.02)])

    assert (playout.waiting(0.03), playout.dry_at) == (0.02, pytest.approx(0.08))
    assert playout.waiting(0.07) == pytest.approx(0.01)
    assert playout.deepest == 0.02


def reference(chunks, prebuffer):
    """Underruns and their milliseconds, by a player that takes one millisecond after the other."""
    waiting, started, first, count, missed, gap = 0, False, None, 0, 0, 0
    queue = list(chunks)
    now = queue[0][0]
    last = queue[-1][0]
    while now <= last:
        while queue and queue[0][0] == now:
            waiting += queue.pop(0)[1]
            first = now if first is None else first
            if gap:
                count, missed, gap = count + 1, missed + gap, 0
        if not started and (waiting >= prebuffer or now >= first + prebuffer):
            started = True
        if started:
            if waiting:
                waiting -= 1
            else:
                gap += 1
        now += 1
    return count, missed


def test_500_random_streams():
    """Chunks of 10 to 200 ms at 0 to 300 ms from each other; whole milliseconds, so that both are exact."""
    dice = random.Random(5)
    for _ in range(500):
        prebuffer, at, chunks = dice.choice([0, 40, 60, 200]), 0, []
        for _ in range(dice.randint(1, 40)):
            chunks.append((at, dice.choice([10, 20, 40, 200])))
            at += dice.choice([0, 5, 20, 40, 100, 300])
        playout = played([(at / 1000, ms / 1000) for at, ms in chunks], prebuffer=prebuffer / 1000)
        count, missed = reference(chunks, prebuffer)

        assert (playout.underrun_count, round(playout.underrun_seconds * 1000)) == (count, missed)

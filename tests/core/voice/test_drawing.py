"""A call as lanes and as a table: who spoke when, and the worst turn first."""

import pytest

from pytest_wsstability.core.call_summary import CallSummary
from pytest_wsstability.core.plain import plain, restore
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from pytest_wsstability.core.voice.call import Call
from pytest_wsstability.core.voice.drawing import lanes, table
from pytest_wsstability.core.voice.summary import summarize_call, turn_cells, worst_first
from tests.core.script import timeline


def call():
    """Four turns: well, slow, with an underrun, spoken over; and a fifth without an answer."""
    made = Call()
    for number, delay in enumerate((0.5, 2.5, 0.5, 0.5), 1):
        at = 10.0 * number
        made.speech_began(at)
        made.speech_ended(at + 2)
        made.transcript(at + 2.2, final=True)
        made.audio(at + 2 + delay, 1.0)
        made.audio(at + (4.0 if number == 3 else 2.1 + delay), 1.0 if number < 4 else 20.0)
        if number < 4:
            made.turn_done(at + 4.6)
    made.speech_began(45.0)
    made.audio(45.1, 0.1)
    made.interrupted(45.2)
    made.speech_ended(47.0)
    made.give_up(58.0)
    return summarize_call(made, 60.0)


def test_lanes():
    """A column a second; the legend has what is drawn."""
    assert lanes(call(), None) == [
        "            0 s            15 s           30 s           45 s           60 s",
        "  user                ##        ##        ##        ##   ##",
        "  agent                 >=          >=      >!=       >==/",
        "            # user speaks   > first audio   = agent is heard   ! underrun   / spoken over",
    ]


@pytest.mark.parametrize(
    ("shape", "drawn", "meaning"),
    [
        (HeartbeatShape.ANSWERED, "+    ?", "+ heartbeat answered   ? heartbeat not answered"),
        # No answer is ever due, so that none is missed.
        (HeartbeatShape.ONE_WAY, ".    .", ". heartbeat"),
    ],
)
def test_heartbeats_that_nobody_answers_are_no_missed_ones(shape, drawn, meaning):
    answer = [(10.1, "<answer")] if shape is HeartbeatShape.ANSWERED else []
    facts = ProtocolFacts(name="x", title="X", heartbeat=shape)
    found = lanes(call(), timeline((10, ">beat"), *answer, (15, ">beat"), until=60, protocol=facts))

    assert [line.split("  ", 2)[2].strip() for line in found if line.startswith("  beats")] == [drawn]
    assert meaning in "   ".join(line.strip() for line in found)


@pytest.mark.parametrize("at", [None, 5.0, 30.0, 59.0])
def test_the_instant_that_matters_is_seen(at):
    """In a call of an hour a minute is drawn."""
    summary = call()
    long = CallSummary(turns=summary.turns, duration=600.0)
    axis = lanes(long, None, at)[0].split(" s")

    instants = [float(each) for each in axis if each.strip()]
    shown = 600.0 if at is None else at
    assert min(instants) - 15 <= shown <= max(instants) + 15


def test_nothing_is_drawn_of_no_call():
    assert lanes(CallSummary(), None) == []


def test_the_worst_turn_stands_first():
    """Without an answer, then with an underrun, then spoken over, then slow."""
    assert [turn.number for turn in worst_first(call().turns)] == [5, 3, 4, 2, 1]


def test_a_table():
    rows = [line.split("  ") for line in table(call(), 4)]

    assert [part.strip() for part in rows[0] if part] == [
        "turn", "speech", "transcript", "first audio", "audio", "underruns", "stops after"
    ]  # fmt: skip
    text = list(table(call(), 4))
    assert "none in 11 s" in text[1]
    assert "1 (" in text[2]
    assert text[-1] == "  and 1 more turns"


def test_a_transcript_that_is_sure_before_the_end_took_no_time():
    made = Call()
    made.speech_began(1.0)
    made.transcript(2.5, final=True)
    made.speech_ended(3.0)

    (cells,) = (turn_cells(turn) for turn in summarize_call(made, 9.0).turns)
    assert (cells.speech, cells.transcript) == ("2 s", "0 s")


def test_the_turn_of_an_instant_stands_first_when_asked():
    """Nothing in its numbers says that its audio is broken."""
    shown = [line.split()[0] for line in table(call(), 4, 21.5)]

    assert shown == ["turn", "2", "5", "3", "4", "and"]


def test_a_summary_is_kept_in_reports():
    """In builtin types, and back."""
    summary = call()

    assert restore(CallSummary, plain(summary)) == summary

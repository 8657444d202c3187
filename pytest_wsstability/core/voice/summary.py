"""A call as reports keep it: its turns, what a player missed, and a few numbers; and as tables show it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import NamedTuple

from ..call_summary import CallSummary, Turn
from ..duration import show_duration as show
from ..samples import Sample
from .call import Call


def summarize_call(call: Call, duration: float) -> CallSummary:
    """That of a call which has lasted so long."""
    late = call.up.lateness
    return CallSummary(
        turns=tuple(map(copy.copy, call.turns)),
        underruns=tuple(call.playout.underruns),
        away=tuple(call.away),
        duration=duration,
        frames=call.up.chunks,
        late_p99=late.quantile(0.99) if late.count and late.carries(0.99) else None,
        late_max=_slowest(late),
        waiting_max=call.up.waiting_max,
        chunks=call.down.chunks,
        audio=call.down.seconds,
        jitter_max=call.down.jitter_max,
        ahead_max=call.playout.deepest,
        rtt_speaking=_slowest(call.rtt_speaking),
        rtt_idle=_slowest(call.rtt_idle),
    )


def _slowest(sample: Sample) -> float | None:
    return sample.maximum if sample.count else None


class TurnCells(NamedTuple):
    """One turn as text, for every table."""

    turn: str
    speech: str
    transcript: str
    token: str
    first_audio: str
    audio: str
    underruns: str
    stop: str


HEAD = TurnCells(
    "turn", "speech", "transcript", "first token", "first audio", "audio", "underruns", "stops after"
)


def turn_cells(turn: Turn) -> TurnCells:
    """The words for a turn."""
    transcript = None
    if turn.final_at is not None and turn.speech_until is not None:
        transcript = max(0.0, turn.final_at - turn.speech_until)
    waited = turn.given_up_at is not None and turn.audio_at is None
    first = f"none in {_time((turn.given_up_at or 0.0) - (turn.speech_until or 0.0))}" if waited else None
    return TurnCells(
        str(turn.number),
        _time(None if turn.speech_until is None else turn.speech_until - turn.speech_from),
        _time(transcript),
        _time(turn.first_token),
        first or _time(turn.first_audio),
        _time(turn.audio_seconds or None),
        f"{turn.underruns} ({_time(turn.underrun_seconds)})" if turn.underruns else "-",
        _time(turn.stop_latency),
    )


def _time(seconds: float | None) -> str:
    return "-" if seconds is None else show(round(seconds, 3))


def show_chunks(count: int) -> str:
    """So many chunks in words."""
    return f"{count} chunk{'s' * (count != 1)} of audio"


def turn_at(turns: Sequence[Turn], at: float) -> Turn:
    """The turn of an instant, of one turn or more: the latest that had begun by then."""
    return next((turn for turn in reversed(turns) if turn.speech_from <= at), turns[0])


def worst_first(turns: Sequence[Turn]) -> list[Turn]:
    """Turns without an answer, then with underruns, then by how long the first audio took."""
    return sorted(
        turns,
        key=lambda turn: (
            turn.given_up_at is None, -turn.underrun_seconds, -(turn.stop_latency or 0.0),
            -(turn.first_audio or 0.0), turn.number,
        ),
    )  # fmt: skip

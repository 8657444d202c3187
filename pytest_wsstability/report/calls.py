"""A spoken conversation drawn: who spoke when, what a player missed, heartbeats, the end; its turns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..core.call_summary import CallSummary
from ..core.duration import show_duration as show
from ..core.result import Result
from ..core.voice.drawing import beats
from ..core.voice.summary import HEAD, turn_cells, worst_first
from .cells import cells

# A drawing in units of its own: a page wide; the user's lane, the agent's, the heartbeats'.
_WIDTH, _USER, _AGENT, _BEATS = 1200, 4, 26, 50
# Nobody reads more turns than this.
_TURNS = 100


def section(result: Result) -> dict[str, Any]:
    """What the template shows of a call."""
    call = result.call
    assert call is not None
    row = cells(result)
    return {
        "test": row.test,
        "outcome": result.verdict.outcome.value,
        "verdict": row.verdict,
        "cause": row.cause,
        "facts": list(_facts(call)),
        "bars": list(_bars(call)),
        "marks": list(_marks(call, result)),
        "ticks": _ticks(call.duration),
        "head": HEAD,
        "turns": [turn_cells(turn) for turn in worst_first(call.turns)[:_TURNS]],
        "more": max(0, len(call.turns) - _TURNS),
    }


def _facts(call: CallSummary) -> Iterator[tuple[str, str]]:
    yield "turns", f"{len(call.turns)} in {show(round(call.duration, 3))}"
    late = "" if call.late_max is None else f", the latest {show(round(call.late_max, 4))} after its deadline"
    yield "frames up", f"{call.frames:,}{late}"
    ahead = f"; at most {show(round(call.ahead_max, 3))} waited to be played"
    yield "audio down", f"{show(round(call.audio, 3))} in {call.chunks:,} chunks{ahead}"
    if call.underruns:
        lost = sum(dry.seconds for dry in call.underruns)
        yield "underruns", f"{len(call.underruns)}, {show(round(lost, 3))} of silence in the middle of speech"
    for name, rtt in (("under audio", call.rtt_speaking), ("while nobody spoke", call.rtt_idle)):
        if rtt is not None:
            yield f"slowest heartbeat {name}", show(round(rtt, 4))


def _place(call: CallSummary, at: float) -> float:
    return round(min(max(at / (call.duration or 1.0), 0.0), 1.0) * _WIDTH, 1)


def _bar(call: CallSummary, word: str, since: float, until: float, y: int, title: str) -> dict[str, Any]:
    x = _place(call, since)
    return {
        "word": word, "x": x, "y": y, "width": round(max(1.0, _place(call, until) - x), 1), "title": title,
    }  # fmt: skip


def _bars(call: CallSummary) -> Iterator[dict[str, Any]]:
    """Who spoke when; over it what a player missed, and where there was no connection."""
    for turn in call.turns:
        until = call.duration if turn.speech_until is None else turn.speech_until
        title = f"turn {turn.number}: the user speaks"
        yield _bar(call, "user", turn.speech_from, until, _USER, title)
        if turn.audio_at is None or turn.heard_until is None:
            continue
        wait = "" if turn.first_audio is None else f", first audio after {show(round(turn.first_audio, 3))}"
        yield _bar(
            call, "agent", turn.audio_at, turn.heard_until, _AGENT, f"turn {turn.number}: the agent{wait}"
        )
    for dry in call.underruns:
        title = f"underrun of {show(round(dry.seconds, 3))}"
        yield _bar(call, "dry", dry.at, dry.at + dry.seconds, _AGENT, title)
    for since, until in call.away:
        yield _bar(call, "away", since, until, _USER, "no connection")


def _marks(call: CallSummary, result: Result) -> Iterator[dict[str, Any]]:
    """Heartbeats below, each with whether it was answered; and the end of the connection."""
    if not result.timelines or call.away:
        return
    timeline, told = result.timelines[0], {True: ": answered", False: ": not answered", None: ""}
    for at, is_answered in beats(timeline):
        word = "open" if is_answered is False else "beat"
        yield _bar(call, word, at, at, _BEATS, f"heartbeat at {show(round(at, 3))}{told[is_answered]}")
    if timeline.close is not None:
        at = timeline.close.at
        yield _bar(call, "end", at, at, _USER, f"the connection ended: {timeline.close.headline()}")


def _ticks(duration: float) -> list[tuple[float, str]]:
    return [(round(_WIDTH * part / 4, 1), show(round(duration * part / 4, 1))) for part in range(5)]

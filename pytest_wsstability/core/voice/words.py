"""The values in the sentences about a spoken conversation, by their names."""

from __future__ import annotations

from collections.abc import Callable

from ..call_summary import Turn
from ..duration import show_duration as show
from ..judge.verdict import Rule
from ..redact import show_message
from .features import VoiceFeatures
from .stage_faults import StageName
from .summary import show_chunks


def _seconds(value: float | None) -> str:
    return show(round(value or 0.0, 3))


def _in_turn(turn: Turn | None) -> str:
    return "" if turn is None else f" in turn {turn.number}"


def _stop(f: VoiceFeatures) -> str:
    turn = f.turn_of(Rule.BARGE_IN)
    return _seconds(turn.stop_latency if turn is not None else None)


def _repeated_since(f: VoiceFeatures) -> str:
    _, at = f.call.repeated_chunks
    return "" if at is None else f", the first at {_seconds(at)}"


def _pace(f: VoiceFeatures) -> str:
    turn = f.turn_of(Rule.UNDERRUNS)
    if turn is None or turn.audio_at is None or turn.audio_until is None or turn.audio_until <= turn.audio_at:
        return ""
    return f": {_seconds(turn.audio_seconds)} of audio came in {_seconds(turn.audio_until - turn.audio_at)}"


def _stages(f: VoiceFeatures) -> str:
    known = {name: seconds for name in StageName if (seconds := f.stage(name)) is not None}
    return ", ".join(f"{name.value} {_seconds(seconds)}" for name, seconds in known.items())


def _no_stage(f: VoiceFeatures) -> str:
    stages = _stages(f)
    return (
        f"no stage took most of it: {stages}" if "," in stages else "the protocol does not tell which stage"
    )


def _untold(f: VoiceFeatures) -> str:
    turn = f.turn_of(Rule.TRANSCRIPTS)
    known = any(each.final_at is not None for each in f.call.turns)
    return f"turn {turn.number}" if turn is not None and known else "any turn"


def _slowest(f: VoiceFeatures) -> str:
    return "a stage" if f.slowest is None else f"the {f.slowest.value} stage"


WORDS: dict[str, Callable[[VoiceFeatures], str]] = {
    "turn": lambda f: _in_turn(f.turn),
    "dry_turn": lambda f: _in_turn(f.turn_of(Rule.UNDERRUNS)),
    "overtaken_turn": lambda f: _in_turn(f.overtaken),
    "resumed_turn": lambda f: _in_turn(f.resumed),
    "interrupted_turn": lambda f: _in_turn(f.turn_of(Rule.BARGE_IN)),
    "foreign": lambda f: f"{show_chunks(f.call.foreign_chunks)}, the first at {_seconds(f.call.foreign_at)}",
    "whose": lambda f: repr(f.call.foreign_session),
    "malformed": lambda f: next(iter(f.call.malformed), ""),
    "lost": lambda f: show_chunks(f.call.lost_chunks),
    "reordered": lambda f: show_chunks(f.call.reordered_chunks),
    "repeated": lambda f: show_chunks(f.call.repeated_chunks[0]),
    "repeated_since": _repeated_since,
    "silent_turn": lambda f: _in_turn(next(iter(f.call.silent_turns), None)),
    "stray": lambda f: show_chunks(f.call.stray_chunks),
    "stray_at": lambda f: _seconds(f.call.stray_at),
    "anew_at": lambda f: _seconds(f.call.forgot_at),
    "stage": lambda f: f.run_name,
    "kept_loop": lambda f: _seconds(f.run.kept_loop if f.run is not None else None),
    "not_reading": lambda f: _seconds(f.run.not_reading if f.run is not None else None),
    "then_ended": lambda f: "; its own keepalive then ended the connection" if f.ended else "",
    "raised": lambda f: f"; the {f.run_name} stage raised" if f.run is not None and f.run.crashed else "",
    "ahead": lambda f: _seconds(f.ahead),
    "audio": lambda f: _seconds(f.turn.audio_seconds if f.turn is not None else None),
    "waiting": lambda f: "a" if f.waiting is None else f.waiting.value,
    "error": lambda f: show_message(f.error or "", 120),
    "late_beat": lambda f: _seconds(f.late_beat),
    "stop": _stop,
    "pace": _pace,
    "rate": lambda f: "" if f.call.rate is None else f"{f.call.rate:,}",
    "other_rate": lambda f: f"{f.other_rate or 0:,}",
    "pause": lambda f: _seconds(f.pause),
    "untold": _untold,
    "slowest": _slowest,
    "slowest_time": lambda f: "" if f.slowest is None else _seconds(f.stage(f.slowest)),
    "stages": _stages,
    "no_stage": _no_stage,
    "first_audio": lambda f: _seconds(f.turn.first_audio if f.turn is not None else None),
}

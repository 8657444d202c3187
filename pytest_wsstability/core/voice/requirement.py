"""What a spoken conversation has to keep up, and the verdict on it."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict, Unpack

from ..call_summary import Turn
from ..duration import Duration, parse_duration
from ..duration import show_duration as show
from ..judge.verdict import Doubt, Finding, Reason, Rule, Verdict, Violation
from ..number import counted, is_whole
from ..timeline.events import Tier
from .audio import FRAME
from .call import Call
from .summary import show_chunks

# From so many turns on, one in twenty is at least one turn: below, nobody knows what one in twenty does.
FEWEST_FOR_P95 = 20
# With fewer, so many are slow that it is not one in twenty: that would be seen less often than this.
_RARE = 0.05
# Keywords that are durations.
_DURATIONS = ("first_audio_p95", "first_audio_within", "barge_in_within", "ahead_max")
# Those about the audio of answers.
_OF_ANSWERS = (*_DURATIONS, "underruns")
# Differences of instants are wrong by less than this.
_SAME = 1e-9


class VoiceKeywords(TypedDict, total=False):
    """What people write for the fields of a `VoiceRequirement`: for editors and type checkers."""

    turns: int | None
    first_audio_p95: Duration | None
    first_audio_within: Duration | None
    underruns: int | None
    barge_in_within: Duration | None
    transcripts: bool
    audio_intact: bool
    ahead_max: Duration | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRequirement:
    """
    What a call has to show. Durations are seconds; None means "not required".

    Raises:
        ValueError: for a value that makes no sense, naming it.

    """

    # So many turns were answered, and each answer was ended.
    turns: int | None = None
    # From the end of the user's speech to the agent's first audio: the 95th percentile, and each one.
    first_audio_p95: float | None = None
    first_audio_within: float | None = None
    # A player ran dry at most so often.
    underruns: int | None = None
    # Audio stops so soon after the user speaks over it.
    barge_in_within: float | None = None
    # Each turn has a final transcript.
    transcripts: bool = False
    # The agent's audio is this session's, readable, complete, in order, within its turns, sent once, and no
    # silence where other answers are none.
    audio_intact: bool = True
    # At most so much audio waits to be played: a player has to keep it.
    ahead_max: float | None = None

    def __post_init__(self) -> None:
        for name, least, what in (("turns", 1, " is no conversation"), ("underruns", 0, "")):
            value = getattr(self, name)
            if value is not None and not is_whole(value, least):
                raise ValueError(f"{name}: {value!r}{what}; give a whole number from {least}")
        for name in _DURATIONS:
            value = getattr(self, name)
            if value is not None and value < FRAME - _SAME:
                raise ValueError(f"{name}: {show(value)} is shorter than a frame of audio ({show(FRAME)})")
        for name in ("transcripts", "audio_intact"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: {getattr(self, name)!r} is not True or False")

    @classmethod
    def of(cls, **values: Unpack[VoiceKeywords]) -> VoiceRequirement:
        """
        A requirement from durations as people write them.

        Raises:
            TypeError: for a name that it does not have.
            ValueError: for a value that makes no sense, naming it.

        """
        valid = [field.name for field in dataclasses.fields(cls)]
        converted: dict[str, Any] = {}
        for name, value in values.items():
            if name not in valid:
                raise TypeError(f"unknown voice keyword {name!r}; valid ones: {', '.join(valid)}")
            timed = name in _DURATIONS and value is not None
            converted[name] = parse_duration(value, name) if timed else value  # type: ignore[arg-type]
        return cls(**converted)

    def check_fits(self, profile: str, *, answers: bool, transcribes: bool) -> None:
        """
        See that a protocol has what is asked for.

        Args:
            profile: its name.
            answers: whether its server speaks.
            transcribes: whether it has final transcripts.

        Raises:
            ValueError: if it has not, which would read as a promise that the agent broke.

        """
        if self.transcripts and not transcribes:
            raise ValueError(
                f"transcripts: the profile {profile!r} has no final transcript; say which message it is "
                "(Audio(final=))"
            )
        spoken = [name for name in _OF_ANSWERS if getattr(self, name) is not None]
        if spoken and not answers:
            raise ValueError(
                f"{spoken[0]}: the server of the profile {profile!r} only transcribes, and sends no audio; "
                "ask for turns and transcripts"
            )

    def check(self, call: Call, *, duration: float, tier: Tier, ended: bool = True) -> Verdict:
        """
        Judge a call.

        Args:
            call: what happened.
            duration: seconds since the opening handshake.
            tier: of the connection.
            ended: whether nothing more will come, so that what is missing is missing.

        """
        return Verdict.of(self.findings(call, duration, ended=ended), horizon=duration, tier=tier)

    def findings(self, call: Call, duration: float, *, ended: bool = True) -> list[Finding]:
        """What a call breaks, and what it leaves in doubt; see `check`."""
        return [finding for rule in _RULES for finding in rule(self, call, duration, ended)]


def answered(call: Call, turn: Turn) -> bool:
    """Whether the agent has said what it had to: an answer and its end, or it was not let speak."""
    if not call.answers:
        return turn.final_at is not None
    return turn.barged_in_at is not None or (turn.audio_at is not None and turn.done_at is not None)


def _turns(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    if asked.turns is None:
        return
    number = sum(answered(call, turn) for turn in call.turns)
    if number >= asked.turns:
        return
    seen = f"{number} of {asked.turns} turns answered"
    missed = next((turn for turn in call.turns if not answered(call, turn)), None)
    if missed is None or not ended:
        yield Doubt(Reason.TOO_SHORT, f"{seen} in {show(duration)}")
        return
    at = missed.speech_until if missed.speech_until is not None else missed.speech_from
    few = f"turn {missed.number} was not answered"
    if missed.audio_at is not None:
        few = f"the answer of turn {missed.number} was never ended"
        last = missed.audio_until or missed.audio_at
        observed = f"{seen}; {few}: {show(missed.audio_seconds)} of audio came, the last at {show(last)}"
    elif missed.speech_until is None:
        observed = f"{seen}; in turn {missed.number} the user never came to an end"
    else:
        what = "audio" if call.answers else "transcript"
        observed = f"{seen}; no {what} came in turn {missed.number}, whose speech ended at {show(at)}"
    yield Violation(Rule.TURNS, at, f"{asked.turns} turns answered", observed, f"{few}; {seen}")


def waited(turn: Turn) -> float | None:
    """Seconds until audio came or was given up; infinite where its answer is over; None so far."""
    if turn.speech_until is None:
        return None
    if turn.wait_until is None:
        return None if turn.done_at is None else math.inf
    return turn.wait_until - turn.speech_until


def slow_turns(call: Call, limit: float) -> tuple[list[tuple[Turn, float]], int]:
    """The turns whose first audio came later than this, or not at all; and of how many."""
    waits = [(turn, seconds) for turn in call.turns if (seconds := waited(turn)) is not None]
    return [(turn, seconds) for turn, seconds in waits if seconds > limit + _SAME], len(waits)


def _first_audio(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    for limit, quantile, name in (
        (asked.first_audio_p95, True, "first audio p95"),
        (asked.first_audio_within, False, "first audio"),
    ):
        if limit is None:
            continue
        slow, of = slow_turns(call, limit)
        if not of:
            yield Doubt(Reason.TOO_FEW, "no turn was answered with audio")
        elif not slow or (quantile and of >= FEWEST_FOR_P95 and len(slow) <= 0.05 * of):
            if quantile and of < FEWEST_FOR_P95:
                yield _too_few_for_p95(of, 0)
        elif quantile and of < FEWEST_FOR_P95 and _tail(len(slow), of) >= _RARE:
            yield _too_few_for_p95(of, len(slow))
        else:
            turn, seconds = max(slow, key=lambda pair: pair[1])
            observed = f"{len(slow)} of {of} turns took longer, turn {turn.number} {show(seconds)}"
            headline = f"first audio after {show(seconds)} in turn {turn.number}"
            at = turn.wait_until or turn.done_at or 0.0
            if seconds == math.inf:
                observed = f"{len(slow)} of {of} turns took longer, turn {turn.number} ended without audio"
                headline = f"no audio in turn {turn.number}"
            elif turn.audio_at is None:
                headline = f"no audio within {show(seconds)} in turn {turn.number}"
            yield Violation(Rule.FIRST_AUDIO, at, f"{name} within {show(limit)}", observed, headline)


def _too_few_for_p95(turns: int, slow: int) -> Doubt:
    seen = f", of which {slow} took longer" if slow else ""
    return Doubt(
        Reason.TOO_FEW,
        f"{turns} turns carry no p95{seen}: speak {FEWEST_FOR_P95}, or ask for first_audio_within",
    )


def _tail(slow: int, of: int) -> float:
    """How often so many of them, or more, are slow if one in twenty is (binomial)."""
    return sum(math.comb(of, k) * 0.05**k * 0.95 ** (of - k) for k in range(slow, of + 1))


def _underruns(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    if asked.underruns is None:
        return
    player = call.playout
    if player.underrun_count > asked.underruns:
        milliseconds = show(player.underrun_seconds)
        observed = (
            f"{counted(player.underrun_count, 'underrun')}, {milliseconds} of silence in the middle of speech"
        )
        expected = f"at most {counted(asked.underruns, 'underrun')}" if asked.underruns else "no underrun"
        yield Violation(Rule.UNDERRUNS, player.underruns[0].at, expected, observed, observed)
    elif not call.down.chunks:
        yield Doubt(Reason.TOO_FEW, "no audio came, so none was missed")


def _ahead(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    limit, deepest = asked.ahead_max, call.playout.deepest
    if limit is None:
        return
    if deepest > limit + _SAME:
        observed = f"{show(round(deepest, 3))} of audio waited to be played"
        expected = f"at most {show(limit)} of audio ahead of its time"
        at = call.playout.deepest_at
        yield Violation(Rule.AHEAD, at, expected, observed, observed)
    elif not call.down.chunks:
        yield Doubt(Reason.TOO_FEW, "no audio came, so none was ahead")


def _barge_ins(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    limit = asked.barge_in_within
    if limit is None:
        return
    # What waits to be played at the end of the call was not heard.
    known = [
        (turn, min(turn.stop_latency, duration - turn.barged_in_at))
        for turn in call.turns
        if turn.stop_latency is not None and turn.barged_in_at is not None
    ]
    if not known:
        few = "nobody spoke over the agent while it was heard; let it answer at length, or raise barge_ins"
        yield Doubt(Reason.TOO_FEW, few)
        return
    turn, seconds = max(known, key=lambda pair: pair[1])
    if seconds > limit + _SAME:
        observed = f"audio went on for {show(seconds)} after the user spoke over it in turn {turn.number}"
        expected = f"audio stops within {show(limit)} of a barge-in"
        yield Violation(Rule.BARGE_IN, turn.barged_in_at or 0.0, expected, observed, observed)


def _transcripts(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    if not asked.transcripts:
        return
    spoken = [turn for turn in call.turns if turn.speech_until is not None]
    missing = [turn for turn in spoken if turn.final_at is None]
    if missing and ended:
        first = missing[0]
        observed = (
            f"{len(missing)} of {len(spoken)} turns without a final transcript, turn {first.number} first"
        )
        at = first.speech_until or 0.0
        yield Violation(Rule.TRANSCRIPTS, at, "a final transcript for each turn", observed, observed)
    elif not spoken:
        yield Doubt(Reason.TOO_FEW, "nobody spoke")


def _audio(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    """Whose audio it is, whether it can be read and heard, is complete, in order, and within its turns."""
    if not asked.audio_intact:
        return
    down, lost = call.down, call.lost_chunks
    silent, (repeats, repeated_at) = call.silent_turns, call.repeated_chunks
    whole = (down.numbers.seen or down.chunks) - down.numbers.repeats + lost
    none = "message" if call.malformed_count == 1 else "messages"
    for broken, at, observed in (
        (
            call.foreign_chunks,
            call.foreign_at,
            f"{show_chunks(call.foreign_chunks)} of session {call.foreign_session!r}",
        ),
        (
            call.malformed_count,
            call.malformed_at,
            f"{call.malformed_count} {none} with audio that is none: {next(iter(call.malformed), '')}",
        ),
        (int(call.forgot_at is not None), call.forgot_at, "1 time the agent counted its turns anew"),
        (lost, down.lost_at, f"{lost} of {show_chunks(whole)} lost"),
        (repeats, repeated_at, f"{show_chunks(repeats)} came twice"),
        (call.reordered_chunks, down.reordered_at, f"{show_chunks(call.reordered_chunks)} came out of order"),
        (call.stray_chunks, call.stray_at, f"{show_chunks(call.stray_chunks)} came outside of any answer"),
        (
            len(silent),
            (silent[0].audio_at or silent[0].speech_until) if silent else None,
            f"{len(silent)} answer{'s' * (len(silent) != 1)} of silence only",
        ),
    ):
        if broken:
            yield Violation(Rule.AUDIO, at or 0.0, "whole audio of this session", observed, observed)


_Rule = Callable[[VoiceRequirement, Call, float, bool], Iterator[Finding]]
# What is wrong with the audio comes first: it explains the others.
_RULES: Sequence[_Rule] = (_audio, _turns, _first_audio, _underruns, _ahead, _barge_ins, _transcripts)

"""What a spoken conversation has to keep up, and the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ..duration import show_duration as show
from ..judge.verdict import Doubt, Finding, Reason, Rule, Verdict, Violation
from ..timeline.events import Tier
from .call import Call, Turn

# From so many turns on, one in twenty is at least one turn: below, a 95th percentile is the slowest one.
FEWEST_FOR_P95 = 20
# Differences of instants are wrong by less than this.
_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRequirement:
    """
    What a call has to show. Durations are seconds; None means "not required".

    Raises:
        ValueError: for a value that makes no sense, naming it.

    """

    # So many turns were answered.
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

    def __post_init__(self) -> None:
        if self.turns is not None and self.turns < 1:
            raise ValueError(f"turns: {self.turns!r} is no conversation; give 1 or more")
        if self.underruns is not None and self.underruns < 0:
            raise ValueError(f"underruns: {self.underruns!r}; give 0 or more")
        for name in ("first_audio_p95", "first_audio_within", "barge_in_within"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name}: {value!r}; give a duration above 0")

    def check(self, call: Call, *, duration: float, tier: Tier, ended: bool = True) -> Verdict:
        """
        Judge a call.

        Args:
            call: what happened.
            duration: seconds since the opening handshake.
            tier: of the connection.
            ended: whether nothing more will come, so that what is missing is missing.

        """
        findings = [finding for rule in _RULES for finding in rule(self, call, duration, ended)]
        return Verdict.of(findings, horizon=duration, tier=tier)


def _answered(turn: Turn) -> bool:
    """Whether the agent has spoken, or was not let speak."""
    return turn.audio_at is not None or turn.barged_in_at is not None


def _turns(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    if asked.turns is None:
        return
    answered = sum(map(_answered, call.turns))
    if answered >= asked.turns:
        return
    seen = f"{answered} of {asked.turns} turns answered"
    silent = next((turn for turn in call.turns if not _answered(turn)), None)
    if silent is None or not ended:
        yield Doubt(Reason.TOO_SHORT, f"{seen} in {show(duration)}")
        return
    at = silent.speech_until if silent.speech_until is not None else silent.speech_from
    observed = f"{seen}; no audio came in turn {silent.number}, whose speech ended at {show(at)}"
    yield Violation(Rule.TURNS, at, f"{asked.turns} turns answered", observed, observed)


def _first_audio(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    times = [(turn, turn.first_audio) for turn in call.turns]
    measured = [(turn, seconds) for turn, seconds in times if seconds is not None]
    for limit, share, name in (
        (asked.first_audio_p95, 0.05, "first audio p95"),
        (asked.first_audio_within, 0.0, "first audio"),
    ):
        if limit is None:
            continue
        if not measured:
            yield Doubt(Reason.TOO_FEW, "no turn was answered with audio")
            continue
        slow = [(turn, seconds) for turn, seconds in measured if seconds > limit + _SAME]
        if len(slow) > share * len(measured):
            turn, seconds = max(slow, key=lambda pair: pair[1])
            observed = f"{len(slow)} of {len(measured)} turns took longer, turn {turn.number} {show(seconds)}"
            if share and len(measured) < FEWEST_FOR_P95:
                observed += f" ({len(measured)} turns are too few for a p95: none may)"
            headline = f"first audio after {show(seconds)} in turn {turn.number}"
            at = turn.audio_at or 0.0
            yield Violation(Rule.FIRST_AUDIO, at, f"{name} within {show(limit)}", observed, headline)


def _underruns(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    if asked.underruns is None:
        return
    player = call.playout
    if player.underrun_count > asked.underruns:
        milliseconds = show(player.underrun_seconds)
        observed = f"{player.underrun_count} underruns, {milliseconds} of silence in the middle of speech"
        expected = f"at most {asked.underruns} underruns" if asked.underruns else "no underrun"
        yield Violation(Rule.UNDERRUNS, player.underruns[0].at, expected, observed, observed)
    elif not call.down.chunks:
        yield Doubt(Reason.TOO_FEW, "no audio came, so none was missed")


def _barge_ins(asked: VoiceRequirement, call: Call, duration: float, ended: bool) -> Iterator[Finding]:
    limit = asked.barge_in_within
    if limit is None:
        return
    stops = [(turn, turn.stop_latency) for turn in call.turns]
    known = [(turn, seconds) for turn, seconds in stops if seconds is not None]
    if not known:
        yield Doubt(Reason.TOO_FEW, "nobody spoke over the agent")
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


_Rule = Callable[[VoiceRequirement, Call, float, bool], Iterator[Finding]]
_RULES: Sequence[_Rule] = (_turns, _first_audio, _underruns, _barge_ins, _transcripts)

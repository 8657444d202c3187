"""One cause of a spoken conversation that failed: what shows it, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..cause import Blame, Cause, Confidence
from ..judge.verdict import Rule
from .features import VoiceFeatures

# Rules about how soon the agent is heard.
SPEED = frozenset({Rule.FIRST_AUDIO, Rule.TURNS, Rule.UNDERRUNS, Rule.BARGE_IN})


@dataclass(frozen=True, slots=True, kw_only=True)
class VoiceRow:
    """A cause, what the record must show, and what is then said; templates are filled with `WORDS`."""

    cause: Cause
    shows: str
    when: Callable[[VoiceFeatures], bool]
    sentence: str
    headline: str
    blame: Blame = Blame.SERVER
    confidence: Confidence = Confidence.HIGH
    remedy: str
    # What else it may be where the agent's record is not held, and what tells the two apart.
    runner_up: Cause | None = None
    experiment: str | None = None

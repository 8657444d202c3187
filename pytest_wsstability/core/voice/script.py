"""How a caller speaks, as data: how many turns, how long, with which pauses, and where it interrupts."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, TypedDict

from ..duration import Duration, parse_duration
from ..number import is_number, is_whole
from .pipeline import parse_range

# Between the agent's first audio and the instant at which the user speaks over it, in seconds.
_BARGES = (0.3, 1.5)


class ScriptKeywords(TypedDict, total=False):
    """The keywords of a `Script`: for editors and type checkers."""

    speech: Duration | tuple[Duration, Duration]
    pause: Duration | tuple[Duration, Duration]
    silence: Literal["sent", "withheld"]
    barge_ins: float
    reconnect_in: int | None
    answer_within: Duration
    sound: str | None
    seed: int


class ScriptTurn(NamedTuple):
    """One turn of a script; seconds."""

    pause: float
    speech: float
    # The next turn begins so long after the agent's first audio; None: after its answer.
    interrupted_after: float | None
    # The connection is lost in the middle of the speech.
    reconnects: bool


@dataclass(frozen=True, init=False)
class Script:
    """
    How a caller speaks. Two durations are from and to, and the seed chooses between them.

    Args:
        turns: so many; None for as long as the connection is held.
        speech: how long each turn is spoken (people: 1.5 to 6 s).
        pause: how long the user thinks before it.
        silence: frames are "sent" while nobody speaks, or "withheld", as by voice activity detection.
        barge_ins: the share of the answers that the user speaks over; at least one if it is above 0.
        reconnect_in: the connection is lost in the middle of this turn, counted from 1, and opened again.
        answer_within: an answer that is not whole by then is given up.
        sound: a WAV file, spoken whole in each turn in the place of noise (mono, 16 bit, the profile's rate).
        seed: of lengths, pauses, interruptions and noise.

    Raises:
        TypeError, ValueError: for a value that makes no sense, naming it.

    """

    turns: int | None
    speech: tuple[float, float]
    pause: tuple[float, float]
    silence: str
    barge_ins: float
    reconnect_in: int | None
    answer_within: float
    sound: str | None
    seed: int

    def __init__(
        self,
        *,
        turns: int | None = None,
        speech: Duration | tuple[Duration, Duration] = ("1.5s", "6s"),
        pause: Duration | tuple[Duration, Duration] = ("300ms", "2s"),
        silence: str = "sent",
        barge_ins: float = 0.0,
        reconnect_in: int | None = None,
        answer_within: Duration = "30s",
        sound: str | None = None,
        seed: int = 0,
    ) -> None:
        for name, count in (("turns", turns), ("reconnect_in", reconnect_in)):
            if count is not None and not is_whole(count, 1):
                raise ValueError(f"{name}: {count!r} is no turn; give a whole number from 1, or None")
        if silence not in ("sent", "withheld"):
            raise ValueError(f"silence: {silence!r} is unknown; valid ones: 'sent', 'withheld'")
        if not is_number(barge_ins) or not 0 <= barge_ins <= 1:
            raise ValueError(f"barge_ins: {barge_ins!r}; give a share from 0 to 1, such as 0.2")
        if not is_whole(seed):
            raise ValueError(f"seed: {seed!r} is no whole number")
        values: dict[str, Any] = {
            "turns": turns,
            "speech": parse_range(speech, "speech"),
            "pause": parse_range(pause, "pause"),
            "silence": silence,
            "barge_ins": barge_ins,
            "reconnect_in": reconnect_in,
            "answer_within": parse_duration(answer_within, "answer_within"),
            "sound": sound,
            "seed": seed,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __iter__(self) -> Iterator[ScriptTurn]:
        """The turns; without end where nobody says how many."""
        chosen = random.Random(f"script {self.seed}")
        number, interrupted = 0, False
        while self.turns is None or number < self.turns:
            number += 1
            # The last turn is heard to its end.
            last = number == self.turns
            # The first answer that may be is interrupted, so that there is one.
            interrupts = chosen.random() < self.barge_ins or (number == 1 and self.barge_ins > 0)
            interrupts = interrupts and not last
            pause = 0.0 if interrupted else chosen.uniform(*self.pause)
            speech = chosen.uniform(*self.speech)
            after = chosen.uniform(*_BARGES) if interrupts else None
            yield ScriptTurn(pause, speech, after, number == self.reconnect_in)
            interrupted = interrupts

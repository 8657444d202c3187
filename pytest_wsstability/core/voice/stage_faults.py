"""Faults of the stages of a voice pipeline, as data: what goes wrong in which turn. One class each."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from ..duration import Duration, parse_duration, parse_optional
from ..number import is_whole


class StageName(Enum):
    """The three stages of a voice agent: speech to text, the model that answers, text to speech."""

    STT = "stt"
    AI = "ai"
    TTS = "tts"


_ANY = frozenset(StageName)
_TTS = frozenset({StageName.TTS})


@dataclass(frozen=True, init=False)
class StageFault:
    """A fault of a stage: in one turn, counted from 1, or in each (None)."""

    # The stages in which it makes sense.
    stages: ClassVar[frozenset[StageName]] = _ANY
    turn: int | None

    def __init__(self, *, turn: int | None = None) -> None:
        self._set(turn=turn)

    def _set(self, *, turn: int | None, **values: Any) -> None:
        name = type(self).__name__
        if turn is not None and not is_whole(turn, 1):
            raise ValueError(
                f"{name}.turn: {turn!r} is no turn; give a whole number from 1, or None for each"
            )
        for field, value in {"turn": turn, **values}.items():
            object.__setattr__(self, field, value)

    def is_in(self, turn: int) -> bool:
        """Whether it is to happen in a turn."""
        return self.turn is None or self.turn == turn

    def __repr__(self) -> str:
        shown = ", ".join(
            f"{each.name}={value!r}"
            for each in dataclasses.fields(self)
            if (value := getattr(self, each.name)) is not None
        )
        return f"voice.{type(self).__name__}({shown})"

    def __init_subclass__(cls) -> None:
        # Without this, @dataclass would write a repr that says neither where the class is nor how to make it.
        cls.__repr__ = StageFault.__repr__  # type: ignore[method-assign]


@dataclass(frozen=True, init=False)
class Slow(StageFault):
    """The stage takes so much longer."""

    by: float

    def __init__(self, by: Duration, *, turn: int | None = None) -> None:
        self._set(turn=turn, by=parse_duration(by, "Slow.by"))


@dataclass(frozen=True, init=False)
class Stalled(StageFault):
    """The stage never gives a result."""


@dataclass(frozen=True, init=False)
class Crashes(StageFault):
    """
    The stage raises in the middle of the turn: text to speech after so much audio, the others at once.

    The turn breaks off and the connection lives on, as where a task dies that nobody waits for; or it
    closes with 1011, as where the handler raises.

    """

    after: float
    closes: bool

    def __init__(self, after: Duration = "1s", *, closes: bool = False, turn: int | None = None) -> None:
        self._set(turn=turn, after=parse_duration(after, "Crashes.after", zero=True), closes=bool(closes))


@dataclass(frozen=True, init=False)
class BlocksReading(StageFault):
    """
    While the stage works nobody reads: a handler that awaits it, and meanwhile does not call receive().

    Messages wait in the server's queue, and then the server stops reading: pongs are not seen either.

    """

    # The stage takes so long; None: as long as it does anyway.
    seconds: float | None

    def __init__(self, seconds: Duration | None = None, *, turn: int | None = None) -> None:
        taken = parse_optional(seconds, "BlocksReading.seconds")
        self._set(turn=turn, seconds=taken)


@dataclass(frozen=True, init=False)
class BlocksLoop(StageFault):
    """The stage works on the server's event loop, which does nothing else for so long."""

    seconds: float

    def __init__(self, seconds: Duration, *, turn: int | None = None) -> None:
        self._set(turn=turn, seconds=parse_duration(seconds, "BlocksLoop.seconds"))


@dataclass(frozen=True, init=False)
class Floods(StageFault):
    """Text to speech sends so many seconds of audio at once, whatever the connection takes."""

    stages = _TTS
    seconds: float

    def __init__(self, seconds: Duration = "60s", *, turn: int | None = None) -> None:
        self._set(turn=turn, seconds=parse_duration(seconds, "Floods.seconds"))


@dataclass(frozen=True, init=False)
class MixesSessions(StageFault):
    """Text to speech sends the audio of somebody else's session."""

    stages = _TTS


@dataclass(frozen=True, init=False)
class DropsAudio(StageFault):
    """One in so many chunks of audio is not sent."""

    stages = _TTS
    every: int

    def __init__(self, every: int = 5, *, turn: int | None = None) -> None:
        self._set(turn=turn, every=_every(every, "DropsAudio.every"))


@dataclass(frozen=True, init=False)
class ReordersAudio(StageFault):
    """One in so many chunks of audio is sent after the one that follows it."""

    stages = _TTS
    every: int

    def __init__(self, every: int = 5, *, turn: int | None = None) -> None:
        self._set(turn=turn, every=_every(every, "ReordersAudio.every"))


@dataclass(frozen=True, init=False)
class LosesContext(StageFault):
    """A session that comes back is a new one to the model: turns and chunks are counted from 1 again."""

    stages = frozenset({StageName.AI})

    def __init__(self) -> None:
        self._set(turn=None)


def _every(value: int, name: str) -> int:
    if not is_whole(value, 2):
        raise ValueError(f"{name}: {value!r}; give a whole number from 2")
    return value

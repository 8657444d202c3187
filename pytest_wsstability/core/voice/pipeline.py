"""The pipeline of a voice agent as data: how long each stage takes, and what goes wrong in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..duration import Duration, parse_duration
from ..number import is_number
from .stage_faults import StageFault, StageName

# Speech is made this much faster than it is played (pipecat paces at twice real time).
RATE = 2.0


@dataclass(frozen=True, init=False)
class Stage:
    """
    One stage: how long until its first result, and of text to speech how fast audio then comes.

    Args:
        delay: until the first result.
        jitter: up to so much longer, by the pipeline's seed.
        rate: of text to speech: seconds of audio a second; 1 is real time, less runs the player dry.
        faults: what goes wrong.

    Raises:
        TypeError, ValueError: for a value that makes no sense, naming it.

    """

    delay: float
    jitter: float
    rate: float | None
    faults: tuple[StageFault, ...]

    def __init__(
        self,
        delay: Duration,
        *,
        jitter: Duration = 0,
        rate: float | None = None,
        faults: StageFault | Iterable[StageFault] = (),
    ) -> None:
        if rate is not None and not (is_number(rate) and rate > 0):
            raise ValueError(f"Stage.rate: {rate!r}; give a number above 0, such as 2.0")
        several = (faults,) if isinstance(faults, StageFault) else tuple(faults)
        for each in several:
            if not isinstance(each, StageFault):
                raise TypeError(
                    f"Stage.faults: {each!r} is no fault of a stage; see pytest_wsstability.voice"
                )
        values = {
            "delay": parse_duration(delay, "Stage.delay", zero=True),
            "jitter": parse_duration(jitter, "Stage.jitter", zero=True),
            "rate": rate,
            "faults": several,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = [f"{self.delay!r}"]
        shown += [
            f"{name}={value!r}"
            for name in ("jitter", "rate", "faults")
            if (value := getattr(self, name)) not in (None, 0.0, ())
        ]
        return f"voice.Stage({', '.join(shown)})"


@dataclass(frozen=True, init=False)
class Pipeline:
    """
    Speech to text, the model that answers, text to speech.

    Args:
        stt, ai, tts: the stages; where a protocol only transcribes, the last two are not used.
        answer: how long answers are: between these two, by the seed.
        vad_start: speech is speech once there is so much of it: then it interrupts an answer.
        vad_stop: it has ended after so much silence, where the client does not say so.
        seed: of the lengths of answers and of jitter.

    Raises:
        TypeError, ValueError: for a value that makes no sense, naming it.

    """

    stt: Stage
    ai: Stage
    tts: Stage
    answer: tuple[float, float]
    vad_start: float
    vad_stop: float
    seed: int

    def __init__(
        self,
        *,
        stt: Stage | Duration = "150ms",
        ai: Stage | Duration = "350ms",
        tts: Stage | Duration = "200ms",
        answer: tuple[Duration, Duration] = ("2s", "6s"),
        vad_start: Duration = "100ms",
        vad_stop: Duration = "200ms",
        seed: int = 0,
    ) -> None:
        values: dict[str, Any] = {
            name.value: _stage(name, given) for name, given in zip(StageName, (stt, ai, tts), strict=True)
        }
        values |= {
            "answer": parse_range(answer, "Pipeline.answer"),
            "vad_start": parse_duration(vad_start, "Pipeline.vad_start", zero=True),
            "vad_stop": parse_duration(vad_stop, "Pipeline.vad_stop"),
            "seed": seed,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def stage(self, name: StageName) -> Stage:
        """One of the three."""
        found: Stage = getattr(self, name.value)
        return found

    @property
    def faults(self) -> tuple[tuple[StageName, StageFault], ...]:
        """Everything that goes wrong, with the stage in which it does."""
        return tuple((name, each) for name in StageName for each in self.stage(name).faults)


def _stage(name: StageName, given: Stage | Duration) -> Stage:
    stage = given if isinstance(given, Stage) else Stage(given)
    if stage.rate is not None and name is not StageName.TTS:
        raise ValueError(f"Pipeline.{name.value}: rate is for tts, which makes audio")
    for fault in stage.faults:
        if name not in fault.stages:
            valid = ", ".join(each.value for each in StageName if each in fault.stages)
            raise ValueError(f"Pipeline.{name.value}: {fault!r} makes no sense there; valid ones: {valid}")
    if name is StageName.TTS and stage.rate is None:
        return Stage(stage.delay, jitter=stage.jitter, rate=RATE, faults=stage.faults)
    return stage


def parse_range(value: Any, name: str) -> tuple[float, float]:
    """
    Seconds from and to, of two durations; of one duration: always that.

    Raises:
        ValueError: if it is neither, or the second is shorter.

    """
    several = value if isinstance(value, tuple | list) else (value, value)
    if len(several) != 2:
        raise ValueError(f"{name}: {value!r}; give a duration, or two: from and to")
    least, most = (parse_duration(each, name) for each in several)
    if least > most:
        raise ValueError(f"{name}: {value!r}: the second is shorter than the first")
    return least, most

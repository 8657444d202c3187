"""Every scenario of a server at once, judged: how many repetitions were right, open to doubt, or wrong."""

from __future__ import annotations

import asyncio
import functools
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field
from enum import Enum

from pytest_wsstability import Outcome
from pytest_wsstability.core.diagnosis import Cause, Confidence, Diagnosis
from pytest_wsstability.core.timeline.events import Direction, Event, EventKind

from .load import busy, waited
from .play import Played, Scenario, play
from .scenarios import SCENARIOS
from .servers import KINDS, Running

# The test process is to blame, or nobody is: with other processes on every core that is an honest answer.
DOUBT = {Cause.HARNESS_BLOCKED, Cause.HARNESS_NOT_READING, Cause.MACHINE_SLEPT, Cause.UNDETERMINED}


class Load(Enum):
    """What else the machine has to do."""

    NONE = "quiet"
    BUSY = "busy"


class Grade(Enum):
    """What a diagnosis was worth."""

    RIGHT = "right"
    DOUBTFUL = "doubtful"
    WRONG = "wrong"


@dataclass
class Result:
    """What came of the repetitions of one scenario."""

    grades: Counter[Grade] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    # How many of the wrong ones were said with high confidence.
    surely_wrong: int = 0
    # Why, for each that was not right; the wrong ones first.
    notes: list[str] = field(default_factory=list)
    # The share of the time for which the test process waited for a core.
    starved: float = 0.0

    def add(self, scenario: Scenario, played: Played) -> None:
        """Judge one repetition: its worst diagnosis counts."""
        if not scenario.causes:
            grade = _survived(played)
            self.surely_wrong += grade is Grade.WRONG
            causes = [played.verdict.outcome.value]
        else:
            grades = [_grade(scenario, played, diagnosis) for diagnosis in played.diagnoses]
            grade = min(grades, key=list(Grade)[::-1].index)
            self.surely_wrong += any(
                each is Grade.WRONG and diagnosis.confidence is Confidence.HIGH
                for each, diagnosis in zip(grades, played.diagnoses, strict=True)
            )
            causes = [diagnosis.cause.value for diagnosis in played.diagnoses]
        self.grades[grade] += 1
        self.causes.update(list(dict.fromkeys(causes)))
        if grade is not Grade.RIGHT:
            note = f"{grade.value}: {played.verdict.headline}\n{_story(played)}"
            self.notes.insert(0 if grade is Grade.WRONG else len(self.notes), note)

    def show(self) -> str:
        """The causes that were found, each with its number."""
        return ", ".join(f"{cause} ({count})" for cause, count in self.causes.most_common())


def _survived(played: Played) -> Grade:
    outcomes = {Outcome.STABLE: Grade.RIGHT, Outcome.INCONCLUSIVE: Grade.DOUBTFUL}
    return outcomes.get(played.verdict.outcome, Grade.WRONG)


def _grade(scenario: Scenario, played: Played, diagnosis: Diagnosis) -> Grade:
    if diagnosis.cause in scenario.causes:
        # What one connection cannot tell apart must not be said with high confidence.
        overdone = len(scenario.causes) > 1 and diagnosis.confidence is Confidence.HIGH
        return Grade.WRONG if overdone else Grade.RIGHT
    if diagnosis.confidence is Confidence.LOW:
        # One connection that was cut proves no timer: the right cause has to be named beside the first one.
        named = {diagnosis.runner_up, *diagnosis.alternatives}
        return Grade.RIGHT if named & set(scenario.causes) else Grade.DOUBTFUL
    excused = diagnosis.cause in DOUBT or played.verdict.outcome is Outcome.INCONCLUSIVE
    return Grade.DOUBTFUL if excused else Grade.WRONG


def _story(played: Played) -> str:
    """What a rule saw, for whoever has to mend it."""
    events = " ".join(_event(event) for event in list(played.timeline)[-12:])
    found = "\n".join(
        f"  {diagnosis}: {'; '.join(map(str, diagnosis.evidence))}" for diagnosis in played.diagnoses
    )
    return f"{found}\n  {played.timeline.close}\n  {events}\n  {played.timeline.tcp[-1:]}"


def _event(event: Event) -> str:
    sign = {Direction.SENT: "<", Direction.RECEIVED: ">", Direction.LOCAL: "="}[event.direction]
    name = event.opcode.name if event.kind is EventKind.FRAME else event.kind.name
    return f"{event.at:.3f}{sign}{name}/{event.size or f'{event.seconds:g}'}"


@functools.cache
def results(kind: str, load: Load) -> Mapping[str, Result]:
    """Play every scenario of a server side by side; once a test run."""
    with ExitStack() as stack:
        start = KINDS[kind].start
        shared = stack.enter_context(start())
        own = {name: stack.enter_context(start()) for name, each in SCENARIOS[kind].items() if each.act}
        busyness: AbstractContextManager[None] = busy() if load is Load.BUSY else nullcontext()
        stack.enter_context(busyness)
        began, before = time.monotonic(), waited()
        found = asyncio.run(_play_all(kind, {name: own.get(name, shared) for name in SCENARIOS[kind]}))
        starved = (waited() - before) / (time.monotonic() - began)
        for result in found.values():
            result.starved = starved
        return found


async def _play_all(kind: str, servers: Mapping[str, Running]) -> dict[str, Result]:
    scenarios = SCENARIOS[kind]
    all_played = await asyncio.gather(*(play(servers[name], scenarios[name]) for name in scenarios))
    found = {}
    for (name, scenario), played in zip(scenarios.items(), all_played, strict=True):
        found[name] = Result()
        for each in played:
            found[name].add(scenario, each)
    return found

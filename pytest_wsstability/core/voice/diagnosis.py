"""Why a spoken conversation failed: its own causes, and else those of its connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..cause import Cause, Confidence, Diagnosis, Evidence
from ..diagnosis import diagnosed
from ..diagnosis.engine import shortened
from ..duration import show_duration as show
from ..judge.verdict import Outcome, Verdict
from ..template_words import TemplateWords
from ..timeline.timeline import Timeline
from .agent_record import AgentRecord
from .call import Call
from .features import VoiceFeatures, voice_features
from .row import VoiceRow
from .rows import ROWS
from .stage_faults import StageName
from .words import WORDS

# An end is told by the connection's own table, unless the agent's record says more.
_OF_THE_AGENT = frozenset({Cause.PEER_NOT_READING, Cause.PEER_FROZEN})


def diagnosed_call(
    verdict: Verdict,
    timelines: Sequence[Timeline],
    call: Call,
    record: AgentRecord | None,
    *,
    origin: float,
    cohort: Sequence[Timeline] = (),
) -> Verdict:
    """
    A final verdict with its diagnosis.

    Args:
        verdict: of the connection and of the conversation together.
        timelines: of the (last) connection: the caller's end, then others.
        call: what the caller saw.
        record: what the agent knows; None where nobody asked it.
        origin: the reading of the clock at which the call began.
        cohort: other connections of the same run.

    """
    if verdict.outcome is not Outcome.UNSTABLE:
        return diagnosed(verdict, timelines, cohort=cohort)
    found = voice_features(call, verdict, record, timelines, origin)
    for row in ROWS:
        if row.when(found) and (not found.ended or row.cause in _OF_THE_AGENT):
            return replace(verdict, diagnosis=_diagnosis(row, found))
    return diagnosed(verdict, timelines, cohort=cohort)


def _diagnosis(row: VoiceRow, f: VoiceFeatures) -> Diagnosis:
    words = TemplateWords(WORDS, f)
    alone = f.agent is None and row.runner_up is not None
    return Diagnosis(
        cause=row.cause,
        # What seems to be missing may have come in words that the profile does not know.
        confidence=row.confidence if f.agent is not None or f.unknown is None else Confidence.MEDIUM,
        blame=row.blame,
        sentence=row.sentence.format_map(words),
        headline=shortened(row.headline.format_map(words)),
        evidence=tuple(_evidence(f)),
        ruled_out=tuple(_ruled_out(row, f)),
        runner_up=row.runner_up if alone else None,
        alternatives=(row.runner_up,) if alone and row.runner_up is not None else (),
        experiment=row.experiment if alone else None,
        remedy=row.remedy,
    )


def _evidence(f: VoiceFeatures) -> Iterator[Evidence]:
    turn = f.turn
    if turn is not None and turn.speech_until is not None:
        steps = [
            f"{name} {show(round(max(0.0, at - turn.speech_until), 3))}"
            for name, at in (
                ("transcript", turn.final_at),
                ("token", turn.token_at),
                ("audio", turn.audio_at),
            )
            if at is not None
        ]
        came = ", ".join(steps) if steps else "nothing came"
        text = (
            f"turn {turn.number}, after the end of the speech at {show(round(turn.speech_until, 3))}: {came}"
        )
        yield Evidence(text, turn.speech_until)
    if f.unknown is not None:
        count, first = f.unknown
        what = (
            "message is none of the profile's"
            if count == 1
            else "messages are none of the profile's, the first"
        )
        yield Evidence(f"{count} {what}: {first}")
    if f.agent is not None:
        stages = [
            f"{name.value} " + ("gave no result" if run.first is None else show(round(run.seconds(0.0), 3)))
            for name in StageName
            if (run := f.agent.stages.get(name)) is not None
        ]
        yield Evidence(f"the agent's record of the turn: {', '.join(stages) or 'no stage was begun'}")
    trips = f.here.heartbeats
    if trips.sent and not f.call.plays_on and not f.here.is_one_way:
        known = trips.known
        slowest = f", the slowest in {show(round(known.maximum, 4))}" if known.count else ""
        yield Evidence(f"{trips.answered} of {trips.sent} heartbeats answered{slowest}")
    elif f.here.close is None:
        yield Evidence(f"the connection is open at {show(round(f.here.duration, 3))}")


def _ruled_out(row: VoiceRow, f: VoiceFeatures) -> Iterator[Evidence]:
    if row.cause is not Cause.PATH_STALLED and f.beats_answered:
        yield Evidence("a late path: the heartbeats were in time")
    if row.cause is Cause.PATH_STALLED and f.agent is not None:
        yield Evidence("a slow pipeline: the agent's record has no stage of more than 800 ms in that turn")

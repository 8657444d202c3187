"""From a timeline to its diagnosis: the first row of the table that fits, and the next one that does."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..cause import Blame, Cause, Confidence, Diagnosis, Hypothesis
from ..duration import show_duration as show
from ..judge.verdict import HARNESS, Outcome, Rule, Verdict
from ..known_timers import CountsFrom
from ..timeline.events import EventKind, FrameKind
from ..timeline.timeline import Timeline
from . import timers
from .evidence import facts, ruled_out
from .experiments import experiment
from .extract import extract
from .features import RECEIVED, SENT, SILENCE, TOGETHER, Features, Shared
from .signature import Signature
from .table import SIGNATURES
from .words import Words

# Characters of a headline.
LONGEST = 70


def diagnose(
    timeline: Timeline,
    others: Sequence[Timeline] = (),
    *,
    cohort: Sequence[Timeline] = (),
    verdict: Verdict | None = None,
) -> Diagnosis:
    """
    Say why a connection ended or broke.

    Args:
        timeline: the record of the end that is judged.
        others: records of other ends of the same connection.
        cohort: records of other connections of the same run, on the same clock.
        verdict: what a requirement made of the timeline; without it, harness trouble is looked for here.

    """
    cohort_ends = _Cohort([each for each in cohort if each is not timeline])
    return _diagnose(timeline, others, cohort_ends, verdict)


def diagnose_all(timelines: Sequence[Timeline]) -> list[Diagnosis]:
    """
    The diagnoses of many connections of one run, each seen beside all others.

    Takes time in proportion to their number, and to how many ended together.

    """
    cohort = _Cohort(timelines)
    return [_diagnose(timeline, (), cohort, None) for timeline in timelines]


# Rules about what messages say, and not about whether the connection carries them.
_CONTENT = frozenset({Rule.MESSAGES, Rule.HANDSHAKE})


def diagnosed(verdict: Verdict, timelines: Sequence[Timeline], *, cohort: Sequence[Timeline] = ()) -> Verdict:
    """
    A final verdict with its diagnosis.

    A stable one needs none, and neither does one that is in doubt only because too little was seen. One
    about the content of messages has one only if a cause is known: the connection's timers say nothing of it.

    Args:
        verdict: what a requirement made of the first timeline.
        timelines: the record that was judged, then those of other ends of the same connection.
        cohort: records of other connections of the same run.

    """
    reasons = {doubt.reason for doubt in verdict.doubts}
    if verdict.outcome is Outcome.STABLE or (not verdict.violations and not reasons & HARNESS):
        return verdict
    found = diagnose(timelines[0], timelines[1:], cohort=cohort, verdict=verdict)
    content = verdict.violations and all(each.rule in _CONTENT for each in verdict.violations)
    if content and found.cause is Cause.UNDETERMINED:
        return verdict
    return replace(verdict, diagnosis=found)


class _Cohort:
    """Other connections, sorted by the instants of their ends, so that neighbours are found quickly."""

    def __init__(self, timelines: Sequence[Timeline]) -> None:
        ended = [each for each in timelines if each.close is not None and not each.close.planned]
        self._ends = sorted(_end(each) for each in ended)
        self._lasts = sorted(each.opened + each.duration for each in timelines)

    def near(self, timeline: Timeline) -> tuple[int, Shared, int]:
        """How many others ended within two seconds, what they share, and how many lived on."""
        if timeline.close is None or not self._lasts:
            return 0, Shared.INSTANT, 0
        mine = _end(timeline)
        low = bisect.bisect_left(self._ends, (mine[0] - TOGETHER,))
        high = bisect.bisect_right(self._ends, (mine[0] + TOGETHER, float("inf")))
        place = bisect.bisect_left(self._ends, mine)
        included = place < len(self._ends) and self._ends[place] == mine
        together = high - low - included
        # A few of a crowd tell what they share.
        crowd = self._ends[low : min(high, low + 16)]
        shared = _shared(crowd, mine, _stood_still(timeline)) if together else Shared.INSTANT
        later = len(self._lasts) - bisect.bisect_right(self._lasts, mine[0] + TOGETHER)
        return together, shared, later


def _end(timeline: Timeline) -> tuple[float, ...]:
    """The instant of the end, the age, and the silence before it: what a timer may have counted."""
    return timeline.opened + timeline.duration, timeline.duration, timeline.silence


def _stood_still(timeline: Timeline) -> float:
    """Seconds for which the test's own loop stood still around the end, so that ends were seen late."""
    if timeline.max_lag == 0.0:
        return 0.0
    since = timeline.duration - TOGETHER
    return sum(each.seconds for each in timeline if each.kind is EventKind.LOOP_LAG and each.at >= since)


# Instants, ages and silences that differ by less are the same.
_SAME = TOGETHER / 20


def _shared(ends: Sequence[tuple[float, ...]], mine: tuple[float, ...], late: float) -> Shared:
    """What connections share that ended within two seconds, all of which may have been seen ``late``."""
    apart, ages, silences = (max(abs(end[part] - mine[part]) for end in ends) for part in range(3))
    # One timer may be seen late by some, but what they share differs least.
    slack = min(max(TOGETHER / 4, 0.02 * mine[2]), max(ages, apart) / 2)
    if mine[2] >= SILENCE and silences <= max(slack, _SAME):
        return Shared.EVERYTHING if max(ages, apart) <= _SAME else Shared.SILENCE
    if ages > max(TOGETHER, 0.02 * mine[1]):
        return Shared.INSTANT
    if max(ages, apart) <= _SAME:
        return Shared.EVERYTHING
    if ages <= max(apart, _SAME):
        return Shared.UNTOLD if ages > _SAME and apart <= late else Shared.AGE
    return Shared.UNTOLD if ages <= apart + late else Shared.INSTANT


def _diagnose(
    timeline: Timeline, others: Sequence[Timeline], cohort: _Cohort, verdict: Verdict | None
) -> Diagnosis:
    together, shared, survivors = cohort.near(timeline)
    features = extract(
        timeline, others, together=together, shared=shared, survivors=survivors, verdict=verdict
    )
    rows = (row for row in SIGNATURES if row.when(features))
    row = next(rows, None)
    return build_diagnosis(features, row, rows) if row is not None else _undetermined(features)


def build_diagnosis(f: Features, row: Signature, following: Iterator[Signature]) -> Diagnosis:
    words = Words(f)
    rival = next((each for each in row.rivals if each.when(f)), None)
    second = rival.cause if rival is not None else row.runner_up
    sentence = row.sentence if rival is None else f"{row.sentence}; {rival.says}"
    if second is None and not row.proved:
        second = next((other.cause for other in following if other.cause is not row.cause), None)
    return Diagnosis(
        cause=row.cause,
        confidence=row.confidence if rival is None else _at_most_medium(row.confidence),
        blame=row.blame.blame(f.end),
        sentence=sentence.format_map(words),
        headline=_short(row.headline.format_map(words)),
        evidence=facts(f, row.evidence),
        ruled_out=ruled_out(f, row.cause, second),
        runner_up=second,
        experiment=experiment(row.cause, second) if second else None,
        remedy=row.remedy.format_map(words) if row.remedy else None,
    )


def _at_most_medium(confidence: Confidence) -> Confidence:
    return Confidence.MEDIUM if confidence is Confidence.HIGH else confidence


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _undetermined(f: Features) -> Diagnosis:
    hypotheses = tuple(sorted(_hypotheses(f), key=lambda each: each.distance)[:3])
    what = "ended" if f.ended else "is open"
    return Diagnosis(
        cause=Cause.UNDETERMINED,
        confidence=Confidence.LOW,
        blame=Blame.NOBODY,
        sentence=f"undetermined: the connection {what} at {show(round(f.age, 2))}, and no cause fits",
        headline="cause undetermined",
        evidence=facts(f, ("end", "silences", "server_pings", "heartbeats", "tcp")),
        ruled_out=ruled_out(f, Cause.UNDETERMINED, None),
        remedy="look at the nearest causes and at the timeline; hold two connections with other traffic "
        "(wsstability probe) to learn more",
        hypotheses=hypotheses,
    )


def _hypotheses(f: Features) -> list[Hypothesis]:
    """Causes that nearly fit, with how far off they are, in shares of their timers."""
    found = [
        _timer(Cause.IDLE_TIMEOUT, f.silence, "silence", f, CountsFrom.IDLE),
        _timer(Cause.MAX_AGE, f.age, "age", f, CountsFrom.AGE),
        _timer(
            Cause.PONG_DEADLINE, f.silent(SENT, FrameKind.PONG), "time without a pong", f, CountsFrom.PONG
        ),
    ]
    if f.cut:
        text = "a crash, a restart, or a proxy that was reloaded: hold a second connection to see"
        found.append(Hypothesis(Cause.RESTART, text, 0.5))
    if f.silent(RECEIVED) > 1.0:
        quiet = show(round(f.silent(RECEIVED), 2))
        text = f"a dead path or a frozen {f.end.peer.value}: nothing came for {quiet}"
        found.append(Hypothesis(Cause.HALF_OPEN, text, 1.0 / f.silent(RECEIVED)))
    return found


def _timer(cause: Cause, observed: float, noun: str, f: Features, kind: CountsFrom) -> Hypothesis:
    near = timers.nearest(observed, kind)
    share = abs(observed - near.seconds) / near.seconds
    text = (
        f"{cause.value} of {show(near.seconds)} ({near.owner}): the {noun} was {show(round(observed, 2))}, "
        f"{100 * share:.0f} % off"
    )
    if cause is Cause.IDLE_TIMEOUT and not f.longest_quiet:
        # A longer silence was survived: no timer of this kind, however near the number is.
        share += 1.0
        text += f", and {show(round(f.longest_silence, 2))} was survived before"
    return Hypothesis(cause, text, round(share, 3))

"""From a timeline to its diagnosis: the first row of the table that fits, and the next one that does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ..cause import Blame, Cause, Confidence, Diagnosis, Hypothesis
from ..duration import show_duration as show
from ..judge.verdict import HARNESS, Outcome, Reason, Rule, Verdict
from ..known_timers import CountsFrom
from ..template_words import TemplateWords
from ..timeline.events import FrameKind
from ..timeline.timeline import Timeline, check_timeline
from . import timers
from .cohort import Cohort
from .evidence import facts, ruled_out
from .experiments import experiment
from .extract import extract
from .features import RECEIVED, SENT, TO_ANSWER, Features
from .signature import Signature
from .table import SIGNATURES
from .words import WORDS

# A timer that is off by a larger share is none of those that nearly fit.
_NEAR = 0.25
# What cannot be where both ends live in one process, with nothing between them that loses frames.
ELSEWHERE = frozenset({Cause.HALF_OPEN, Cause.PATH_STALLED, Cause.NAT_EXPIRED, Cause.PEER_FROZEN})
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

    Raises:
        TypeError: for what is no timeline.

    """
    check_timeline(timeline)
    cohort_ends = Cohort([each for each in cohort if each.serial != timeline.serial])
    return _diagnose(timeline, others, cohort_ends, verdict)


def diagnose_beside(timeline: Timeline, cohort: Cohort, others: Sequence[Timeline] = ()) -> Diagnosis:
    """
    The diagnosis of one connection of many, seen beside all others.

    Takes time in proportion to how many ended together with it.

    Args:
        timeline: the record of the end that is judged.
        cohort: all connections of the run; this one may be among them.
        others: records of other ends of the same connection.

    """
    return _diagnose(timeline, others, cohort, None)


# Rules about what messages say, and not about whether the connection carries them.
_CONTENT = frozenset({Rule.MESSAGES, Rule.HANDSHAKE, Rule.ERRORS, Rule.FLOW, Rule.APART})


def diagnosed(verdict: Verdict, timelines: Sequence[Timeline], *, cohort: Sequence[Timeline] = ()) -> Verdict:
    """
    A final verdict with its diagnosis.

    A stable one needs none, and neither does one that is in doubt only because too little was seen, or
    because a function of the profile raised. One about the content of messages has one only if a cause is
    known: the connection's timers say nothing of it.

    Args:
        verdict: what a requirement made of the first timeline.
        timelines: the record that was judged, then those of other ends of the same connection.
        cohort: records of other connections of the same run.

    """
    reasons = {doubt.reason for doubt in verdict.doubts}
    if verdict.outcome is Outcome.STABLE or (not verdict.violations and not reasons & HARNESS):
        return verdict
    if verdict.outcome is Outcome.INCONCLUSIVE and reasons == {Reason.PROFILE}:
        return verdict
    found = diagnose(timelines[0], timelines[1:], cohort=cohort, verdict=verdict)
    # Nor do they say why an end does not come that somebody waits for.
    silent = _CONTENT if timelines[0].close is not None else _CONTENT | {Rule.CLOSED}
    content = verdict.violations and all(each.rule in silent for each in verdict.violations)
    if content and found.cause is Cause.UNDETERMINED:
        return verdict
    return replace(verdict, diagnosis=found)


def _diagnose(
    timeline: Timeline, others: Sequence[Timeline], cohort: Cohort, verdict: Verdict | None
) -> Diagnosis:
    features = extract(timeline, others, beside=cohort.beside(timeline), verdict=verdict)
    rows = (row for row in SIGNATURES if row.when(features))
    row = next(rows, None)
    return build_diagnosis(features, row, rows) if row is not None else _undetermined(features)


def build_diagnosis(f: Features, row: Signature, following: Iterator[Signature]) -> Diagnosis:
    """
    A diagnosis from the row that fits.

    Args:
        f: the record.
        row: the first row that fits it.
        following: further ones that fit, the next one first.

    """
    words = TemplateWords(WORDS, f)
    impossible = ELSEWHERE if f.timeline.direct else frozenset()
    rivals = [each for each in row.rivals if each.cause not in {row.cause, *impossible} and each.when(f)]
    others = [each.cause for each in rivals]
    if row.runner_up is not None:
        others.append(row.runner_up)
    if not others and not row.proved:
        others += [each.cause for each in following if each.cause is not row.cause][:1]
    alternatives = tuple(each for each in dict.fromkeys(others) if each not in impossible)
    second = alternatives[0] if alternatives else None
    sentence = "; ".join([row.sentence, *[each.says for each in rivals if each.says][:2]])
    confidence = min([row.confidence, *(each.leaves for each in rivals)], key=lambda each: each.rank)
    return Diagnosis(
        cause=row.cause,
        confidence=confidence,
        blame=row.blame.blame(f.end),
        sentence=sentence.format_map(words),
        headline=shortened(row.headline.format_map(words)),
        evidence=facts(f, row.evidence),
        ruled_out=ruled_out(f, row.cause, alternatives),
        runner_up=second,
        experiment=experiment(row.cause, second) if second else None,
        remedy=row.remedy.format_map(words) if row.remedy else None,
        alternatives=alternatives,
        hypotheses=_nearest(f, row.cause) if confidence is Confidence.LOW and f.cut else (),
        together=row.together.format_map(words),
    )


def shortened(text: str) -> str:
    """A headline of at most `LONGEST` characters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _undetermined(f: Features) -> Diagnosis:
    what = "ended" if f.timeline.close is not None else "is open"
    nearest = _nearest(f)
    look = "look at the nearest causes and at the timeline" if nearest else "look at the timeline"
    return Diagnosis(
        cause=Cause.UNDETERMINED,
        confidence=Confidence.LOW,
        blame=Blame.NOBODY,
        sentence=f"undetermined: the connection {what} at {show(round(f.age, 2))}, and no cause fits",
        headline="cause undetermined",
        evidence=facts(f, ("end", "silences", "server_pings", "heartbeats", "tcp")),
        ruled_out=ruled_out(f, Cause.UNDETERMINED, ()),
        remedy=f"{look}; hold two connections with other traffic (wsstability probe) to learn more",
        hypotheses=nearest,
    )


def _nearest(f: Features, *known: Cause) -> tuple[Hypothesis, ...]:
    """The three that are nearest, those aside that are known."""
    found = (each for each in _hypotheses(f) if each.cause not in known)
    return tuple(sorted(found, key=lambda each: each.distance)[:3])


def _hypotheses(f: Features) -> Iterator[Hypothesis]:
    """Causes that nearly fit, with how far off they are, in shares of their timers."""
    if f.cut:
        text = "a crash, a kill, a restart, or a proxy that was reloaded: hold three connections to see"
        yield Hypothesis(Cause.RESTART, text, 0.0)
    for cause, observed, noun, kind in (
        (Cause.IDLE_TIMEOUT, f.silence, "silence", CountsFrom.IDLE),
        (Cause.MAX_AGE, f.age, "age", CountsFrom.AGE),
        (Cause.PONG_DEADLINE, f.silent(SENT, FrameKind.PONG), "time without a pong", CountsFrom.PONG),
    ):
        # A longer silence was survived: no timer of this kind, however near the number is.
        survived = cause is Cause.IDLE_TIMEOUT and not f.longest_quiet
        near = timers.nearest(observed, kind)
        share = abs(observed - near.seconds) / near.seconds
        if survived or share > _NEAR:
            continue
        text = (
            f"{cause.value} of {show(near.seconds)} ({near.owner}): the {noun} was "
            f"{show(round(observed, 2))}, "
            f"{100 * share:.0f} % off"
        )
        yield Hypothesis(cause, text, round(share, 3))
    if f.silent(RECEIVED) > TO_ANSWER:
        quiet = show(round(f.silent(RECEIVED), 2))
        text = f"a dead path or a frozen {f.end.peer.value}: nothing came for {quiet}"
        yield Hypothesis(Cause.HALF_OPEN, text, round(TO_ANSWER / f.silent(RECEIVED), 3))

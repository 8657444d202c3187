"""A diagnosis with another cause: by what the server said, or by what lies between the two ends."""

from __future__ import annotations

from dataclasses import replace

from ..cause import Blame, Cause, Confidence, Diagnosis
from ..duration import show_duration as show
from .engine import shortened
from .experiments import experiment


def told_anew(
    found: Diagnosis, cause: Cause, confidence: Confidence, sentence: str, remedy: str, *, begin: str = ""
) -> Diagnosis:
    """Another cause, told by the server; what the record alone says may be it too, where that is not sure."""
    others = () if confidence is Confidence.HIGH else (found.cause, *found.alternatives)
    new = replace(
        found, cause=cause, confidence=confidence, blame=Blame.SERVER, sentence=sentence,
        headline=shortened(f"{begin}{sentence}"), remedy=remedy, hypotheses=(), ruled_out=(), together="",
    )  # fmt: skip
    return or_else(new, others)


def or_else(found: Diagnosis, others: tuple[Cause, ...]) -> Diagnosis:
    """A diagnosis with other causes beside it."""
    others = tuple(each for each in others if each not in (found.cause, Cause.UNDETERMINED))
    second = others[0] if others else None
    return replace(
        found, runner_up=second, experiment=second and experiment(found.cause, second), alternatives=others
    )


def idle_app(found: Diagnosis, asked: float, sure: Confidence, why: str, *, is_new: bool) -> Diagnosis:
    """An app that does not answer a heartbeat; one that has never answered any may not know them."""
    when = show(round(asked, 3))
    if not is_new:
        what = f"server stopped answering heartbeats at {when}"
        told = told_anew(
            found, Cause.ZOMBIE, sure, f"{what}: {why}, so its app hangs",
            "find what the handler awaits and give that a timeout",
        )  # fmt: skip
        return replace(told, headline=shortened(f"{what}: its app hangs"))
    told = told_anew(
        found, Cause.ZOMBIE, sure,
        f"server has answered no heartbeat, nor that at {when}: {why}, so its app hangs or does not know it",
        "see whether the profile's heartbeat is the server's (--ws-profile); if it is, look at its handler",
    )  # fmt: skip
    return replace(told, headline="no heartbeat was ever answered: does the server know it?")

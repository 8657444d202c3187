"""A diagnosis with another cause: by what the server said, or by what lies between the two ends."""

from __future__ import annotations

from dataclasses import replace

from ..cause import Blame, Cause, Confidence, Diagnosis
from ..duration import show_duration as show
from .client_end import ClientEnd
from .engine import ELSEWHERE, shortened
from .experiments import experiment

# What to do where no heartbeat was ever answered.
IS_IT_KNOWN = "see whether the profile's heartbeat is the server's (--ws-profile)"


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
        f"{IS_IT_KNOWN}; if it is, look at its handler",
    )  # fmt: skip
    return replace(told, headline="no heartbeat was ever answered: does the server know it?")


def without_path(found: Diagnosis, end: ClientEnd) -> Diagnosis:
    """
    A diagnosis that blames no path where there is none.

    Args:
        found: what the records and the server say.
        end: how the connection ended, or that it is open, and whether anything lies between its ends.

    """
    if not end.is_direct:
        return found
    if found.cause in (Cause.HALF_OPEN, Cause.PEER_FROZEN) and end.is_open and end.asked is not None:
        why = "nothing that loses or delays frames lies between the two ends"
        new = not end.was_answered
        found = replace(
            idle_app(found, end.asked, Confidence.MEDIUM, why, is_new=new), evidence=found.evidence
        )
    if found.cause in ELSEWHERE:
        return found
    blame = Blame.SERVER if found.blame is Blame.PATH else found.blame
    others = tuple(each for each in found.alternatives if each not in ELSEWHERE)
    nearest = tuple(each for each in found.hypotheses if each.cause not in ELSEWHERE)
    return or_else(replace(found, blame=blame, hypotheses=nearest), others)

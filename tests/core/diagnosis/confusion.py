"""Which cause each fault is told as, from the client's record alone; by itself it prints the docs page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pytest_wsstability import Cause, Confidence, Diagnosis, run_virtual
from tests.diagnosis_cases import CASES, Case, play

Result = tuple[Case, Diagnosis]

_TITLE = """\
# Which fault is told as which cause

<!-- Made by `python -m tests.core.diagnosis.confusion`, and checked by a test: do not edit. -->

How often the diagnosis is right: each fault of `faults`, each timer of each middlebox and some clients
are played in virtual time, and diagnosed from the client's record alone, without the kernel's view
(virtual time has no TCP). *First*: the cause is right. *Second*: the runner-up is.

"""


def results() -> list[Result]:
    """Each case with its diagnosis."""
    return [(case, run_virtual(play(case))) for case in CASES]


def is_first(case: Case, found: Diagnosis) -> bool:
    """Whether the cause is right."""
    return found.cause in case.right


def is_among_two(case: Case, found: Diagnosis) -> bool:
    """Whether the cause or the runner-up is."""
    return is_first(case, found) or found.runner_up in case.right


def matrix(found: Iterable[Result]) -> str:
    """A Markdown table: a row for each fault, with the causes it was told as."""
    rows: dict[str, list[Result]] = {}
    for case, diagnosis in found:
        rows.setdefault(case.fault, []).append((case, diagnosis))
    lines = ["| fault | cases | told as | first | second |", "|---|---|---|---|---|"]
    for fault, results in rows.items():
        told = Counter((diagnosis.cause, diagnosis.confidence) for _, diagnosis in results)
        first = sum(is_first(*each) for each in results)
        second = sum(is_among_two(*each) for each in results) - first
        words = ", ".join(_told(cause, confidence, count) for (cause, confidence), count in told.items())
        lines.append(f"| {fault} | {len(results)} | {words} | {first} | {second or ''} |")
    return "\n".join(lines)


def _told(cause: Cause, confidence: Confidence, count: int) -> str:
    times = f"{count} x " if count > 1 else ""
    return f"{times}{cause.name.lower().replace('_', ' ')} ({confidence.value})"


def page(found: list[Result]) -> str:
    """The page of the docs."""
    first = sum(is_first(*each) for each in found)
    two = sum(is_among_two(*each) for each in found)
    share = f"{first} of {len(found)} first ({100 * first / len(found):.1f} %), {two} among the first two."
    missed = [
        f"- {case.name}: {diagnosis.sentence}" for case, diagnosis in found if not is_first(case, diagnosis)
    ]
    others = "\n".join(["Not first, because the client's record fits another cause as well:", "", *missed])
    return f"{_TITLE}{share}\n\n{matrix(found)}\n\n{others}\n"


if __name__ == "__main__":
    print(page(results()), end="")

"""How a suite's tests end on a virtual loop, beside how they end on a kernel loop and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple


class Outcome(NamedTuple):
    """How a test ended: passed, failed or skipped; the first line of what it raised, or why it was left."""

    outcome: str
    text: str = ""


class Difference(NamedTuple):
    """Why some tests do not pass on a virtual loop."""

    reason: str
    # Patterns of ids.
    tests: tuple[str, ...]
    # What they raise, as a pattern: a test that fails in another way is new.
    raised: str = "*"
    # Whether real time decides how they end: such a pattern is not stale when all of them pass once, but when
    # no test has its name.
    race: bool = False


class Comparison(NamedTuple):
    """What differs between two runs of a suite."""

    # Those that are not expected, by id.
    new: dict[str, Outcome]
    # How many are, by reason.
    known: dict[str, int]
    # Patterns of ids under which nothing fails on the virtual loop as it is said there.
    stale: list[str]


NOT_REACHED = Outcome("not run", "the process ended before")


def compare(
    kernel: Mapping[str, Outcome], virtual: Mapping[str, Outcome], expected: Sequence[Difference]
) -> Comparison:
    """
    Tests that pass on a kernel loop and not on a virtual one.

    A test that fails on both is no difference, but keeps its pattern from being stale: some tests of other
    people fail now and then on a busy machine.

    """
    failing = {
        test: outcome
        for test, was in kernel.items()
        if was.outcome != "skipped" and (outcome := virtual.get(test, NOT_REACHED)).outcome != "passed"
    }
    differing = {test: outcome for test, outcome in failing.items() if kernel[test].outcome == "passed"}
    named: set[str] = set()
    known: dict[str, int] = {}
    stale = []
    for difference in expected:
        matched: set[str] = set()
        for pattern in difference.tests:
            tests = {
                test
                for test, outcome in failing.items()
                if fnmatchcase(test, pattern) and fnmatchcase(outcome.text, difference.raised)
            }
            matched |= tests
            if not tests and not (difference.race and any(fnmatchcase(test, pattern) for test in kernel)):
                stale.append(pattern)
        known[difference.reason] = len((matched & differing.keys()) - named)
        named |= matched
    return Comparison({test: each for test, each in differing.items() if test not in named}, known, stale)

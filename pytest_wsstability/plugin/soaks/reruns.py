"""Tests that are run again: an attempt that was stable does not undo one that was not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from ...core.judge.verdict import Outcome
from ...core.message.errors import StabilityError
from ...net.errors import OpeningError
from ..stash import attempts_key, settings_key

if TYPE_CHECKING:
    from ..reports.results import Results

# The name of the user property that carries the sentence to reports, and from workers of xdist home.
_PROPERTY = "wsstability_reruns"


def note(item: pytest.Item, results: Results) -> None:
    """Remember an attempt that was unstable, by what failed in it, its subtests included."""
    silent = results.broken_silently
    headlines = [*_raised(results), *(result.verdict.headline for result in silent)]
    if headlines:
        codes = tuple(result.verdict.code for result in silent)
        item.stash.setdefault(attempts_key, []).append((headlines[0].partition("\n")[0], codes))


def _raised(results: Results) -> Iterator[str]:
    for error in results.errors:
        if isinstance(error, StabilityError) and error.verdict.outcome is Outcome.UNSTABLE:
            yield error.verdict.headline
        elif isinstance(error, OpeningError) and error.shortage is None:
            yield str(error)


def judge(item: pytest.Item, results: Results) -> None:
    """
    Judge a test whose last attempt was stable by all of its attempts.

    Raises:
        pytest.fail.Exception: if one was unstable, unless ini ``ws_reruns = report``.

    """
    attempts = item.stash.get(attempts_key, None)
    if attempts is None:
        return
    # What is unstable in an attempt that passes as well, the test asks for.
    asked = Counter(result.verdict.code for result in results.unstable_so_far(item))
    attempts[:] = [each for each in attempts if each is None or not each[1] or Counter(each[1]) - asked]
    attempts.append(None)
    unstable = [each[0] for each in attempts if each is not None]
    if not unstable:
        return
    text = f"stable in {attempts.count(None)} of {len(attempts)} holds; the first unstable one: {unstable[0]}"
    if item.config.stash[settings_key].reruns == "fail":
        pytest.fail(f"{text} (ini ws_reruns = report lets it pass)", pytrace=False)
    item.user_properties[:] = [pair for pair in item.user_properties if pair[0] != _PROPERTY]
    item.user_properties.append((_PROPERTY, text))


def sentence(report: pytest.TestReport) -> str:
    """What a report says about attempts that were not stable; empty for nothing."""
    if report.when != "call" or not report.passed:
        return ""
    return next((str(value) for name, value in report.user_properties if name == _PROPERTY), "")


def lines(passed: Iterable[pytest.TestReport]) -> list[str]:
    """A line for each test that passed though an attempt was unstable."""
    return [f"{report.nodeid}: {text}" for report in passed if (text := sentence(report))]

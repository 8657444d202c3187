"""Tests that are run again: an attempt that was stable does not undo one that was not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from ..options import settings_key

_PACKAGE = __name__.partition(".")[0]

# The name of the user property that carries the sentence to reports, and from workers of xdist home.
_PROPERTY = "wsstability_reruns"


@dataclass(slots=True)
class _Attempts:
    """What came of the attempts at one test; inconclusive ones say nothing and are not counted."""

    unstable: int = 0
    stable: int = 0
    # Of the first unstable one.
    headline: str = ""


_attempts_key = pytest.StashKey[_Attempts]()


def note(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Remember an attempt that was unstable."""
    if call.excinfo is None or call.when == "teardown":
        return
    error = call.excinfo.value
    if type(error).__module__.partition(".")[0] != _PACKAGE:
        return
    from ...core.judge.verdict import Outcome
    from ...core.message.errors import StabilityError
    from ...net.errors import OpeningError

    unstable = isinstance(error, StabilityError) and error.verdict.outcome is Outcome.UNSTABLE
    if unstable or isinstance(error, OpeningError):
        attempts = item.stash.setdefault(_attempts_key, _Attempts())
        attempts.unstable += 1
        headline = error.verdict.headline if isinstance(error, StabilityError) else str(error)
        attempts.headline = attempts.headline or headline.partition("\n")[0]


def judge(item: pytest.Item) -> None:
    """
    Judge a test whose last attempt was stable by all of its attempts.

    Raises:
        pytest.fail.Exception: if one was unstable, unless ini ``ws_reruns = report``.

    """
    attempts = item.stash.get(_attempts_key, None)
    if attempts is None:
        return
    attempts.stable += 1
    text = f"stable in {attempts.stable} of {attempts.stable + attempts.unstable} holds"
    text += f"; the first unstable one: {attempts.headline}"
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

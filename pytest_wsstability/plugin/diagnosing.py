"""Rules of a team's own: the hook that may know better than the table of causes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from ..core.judge.verdict import Verdict
    from ..core.timeline.timeline import Timeline


def ask_hooks(item: pytest.Item, verdict: Verdict, timelines: Sequence[Timeline]) -> Verdict:
    """
    A verdict with the diagnosis of `pytest_wsstability_diagnose`, where an implementation gives one.

    Args:
        item: the test, whose conftest files may have an implementation.
        verdict: the verdict that was raised.
        timelines: the record that was judged, then those of other ends of the same connection.

    """
    if verdict.diagnosis is None or not timelines:
        return verdict
    from ..core.cause import Diagnosis, Evidence

    found = item.ihook.pytest_wsstability_diagnose(timeline=timelines[0], others=tuple(timelines[1:]))
    if found is None:
        return verdict
    if not isinstance(found, Diagnosis):
        # Told where it is read: a warning could not be raised here, where a report is being made.
        mistake = Evidence(f"pytest_wsstability_diagnose: {found!r} is no Diagnosis; the built-in one stays")
        evidence = (mistake, *verdict.diagnosis.evidence)
        found = dataclasses.replace(verdict.diagnosis, evidence=evidence)
    return dataclasses.replace(verdict, diagnosis=found)

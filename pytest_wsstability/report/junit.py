"""What a JUnit report says about a hold and about the run: names and texts of properties."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.result import Result, Run
from ..core.timeline.events import Tier
from .cells import cells, totals

PREFIX = "ws_"


def properties(results: Sequence[Result]) -> list[tuple[str, str]]:
    """
    The properties of a test case.

    Those of its second hold are called ``ws_verdict_2`` and so on; those of a second attempt, which
    stand beside those of the first, ``ws_verdict_attempt_2``.

    """
    found = []
    for number, result in enumerate(results, 1):
        row = cells(result)
        texts = {
            "verdict": row.verdict, "tier": row.tier, "target": row.target, "held": row.held,
            "heartbeats": row.heartbeats, "rtt_p50": row.p50, "rtt_p95": row.p95, "rtt_max": row.slowest,
            "close": row.close, "cause": row.cause,
        }  # fmt: skip
        suffix = "" if number == 1 else f"_{number}"
        suffix += "" if result.attempt == 1 else f"_attempt_{result.attempt}"
        found += [(f"{PREFIX}{name}{suffix}", text) for name, text in texts.items() if text]
    return found


def suite_properties(run: Run) -> list[tuple[str, str]]:
    """The properties of the suite: one for each tier there was, one for each complaint."""
    names = {Tier.REAL: "real_time", Tier.VIRTUAL: "virtual_time"}
    found = [(f"{PREFIX}{names[tier]}", total) for tier in Tier if (total := totals(run.results, tier))]
    return found + [(f"{PREFIX}failed", text) for text in run.complaints]

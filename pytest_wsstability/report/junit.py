"""JUnit: what pytest's own report says besides about a hold and the run, and a report of holds alone."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import quoteattr

from ..core.redact import printable
from ..core.result import Result, Run
from ..core.timeline.events import Tier
from .cells import cells, split_name, totals

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


def render(run: Run) -> str:
    """The holds of a run as test cases, where pytest could not write a report of its tests."""
    failed, errors = sum(result.failed for result in run.results), len(run.complaints)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuites><testsuite name="WebSocket stability" tests="{len(run.results) + errors}" '
        f'failures="{failed}" errors="{errors}" skipped="0" timestamp={_attribute(run.started)}>',
        *_properties(suite_properties(run)),
        *(line for result in run.results for line in _case(result)),
        *(line for complaint in run.complaints for line in _complaint(complaint)),
        "</testsuite></testsuites>",
    ]
    return "".join(f"{line}\n" for line in lines)


def _complaint(text: str) -> list[str]:
    """A case of its own: of a suite that has none but those that passed nobody reads the properties."""
    named = f'<testcase classname="WebSocket stability" name={_attribute(text)} time="0.000">'
    return [named, f'<error type="failed" message={_attribute(text)}/>', "</testcase>"]


def _case(result: Result) -> list[str]:
    path, name = split_name(result.nodeid)
    held = result.lifetime[0] if result.lifetime is not None else 0.0
    lines = [
        f"<testcase classname={_attribute(path)} name={_attribute(name)} file={_attribute(result.path)} "
        f'line="{result.line}" time="{held:.3f}">',
        *_properties(properties([result])),
    ]
    if result.failed:
        verdict = result.verdict
        lines.append(f'<failure type="{verdict.outcome.value}" message={_attribute(verdict.headline)}/>')
    return [*lines, "</testcase>"]


def _properties(pairs: Sequence[tuple[str, str]]) -> list[str]:
    each = [f"<property name={_attribute(name)} value={_attribute(text)}/>" for name, text in pairs]
    return ["<properties>", *each, "</properties>"] if each else []


def _attribute(text: str) -> str:
    # XML 1.0 has no form for control characters and halves of surrogate pairs (section 2.2).
    return quoteattr(printable(text))

"""The table of docs/real-servers.md, from what this run found: WSSTABILITY_REAL_TABLE names the file."""

from __future__ import annotations

from pathlib import Path

from . import bench, healthy
from .play import REPETITIONS
from .scenarios import SCENARIOS
from .servers import KINDS

START, END = "<!-- what was run -->", "<!-- end of what was run -->"


def write(file: Path) -> None:
    """Replace what stands between the marks."""
    before, rest = file.read_text().split(START)
    _, after = rest.split(END)
    file.write_text(f"{before}{START}\n\n{render()}\n\n{END}{after}")


def render() -> str:
    """Versions, causes and false alarms, in Markdown; only of what ran."""
    kinds = [kind for kind in SCENARIOS if KINDS[kind].missing() is None]
    parts = [_section(kind) for kind in kinds]
    absent = [f"- {kind}: not run, {KINDS[kind].missing()}" for kind in SCENARIOS if kind not in kinds]
    return "\n\n".join([*parts, *(["\n".join(absent)] if absent else []), _health()])


def _section(kind: str) -> str:
    quiet, busy = (bench.results(kind, load) for load in bench.Load)
    rows = [
        f"| {name} | {_expected(kind, name)} | {quiet[name].show()} | {busy[name].show()} |"
        for name in SCENARIOS[kind]
    ]
    head = f"| scenario | right | found by {REPETITIONS} | found by {REPETITIONS}, every core busy |"
    return "\n".join([f"## {KINDS[kind].version()}", "", head, "|---|---|---|---|", *rows])


def _expected(kind: str, name: str) -> str:
    return "; or ".join(cause.value for cause in SCENARIOS[kind][name].causes) or "stable"


def _health() -> str:
    health = healthy.holds()
    counts = ", ".join(f"{count} {outcome.value}" for outcome, count in health.outcomes.most_common())
    held = f"{healthy.CONNECTIONS} healthy holds of {healthy.HOLD}, every core busy: {counts}."
    return f"## False alarms\n\n{held}"

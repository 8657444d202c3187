"""Runs to render: real holds in virtual time, and records of any size."""

from __future__ import annotations

import dataclasses
from typing import Any

from pytest_wsstability import Orchestrator, Requirement, hold, run_virtual
from pytest_wsstability.core.result import Result, Run

HOLD = Requirement.of(alive_for="2m", heartbeat_every="25s", session_within="5s")


def result(
    name: str = "test_it", requirement: Requirement = HOLD, *, client: str = "browser", **server: Any
) -> Result:
    """One hold of the reference orchestrator."""
    held = run_virtual(hold(requirement, orchestrator=Orchestrator(**server), client=client))
    return Result(
        nodeid=f"tests/test_voice.py::{name}",
        url=held.url,
        requirement=requirement,
        verdict=held.verdict,
        timelines=tuple(held.timelines),
        path="tests/test_voice.py",
        line=7,
    )


def run(*results: Result, **changes: Any) -> Run:
    """A run of these."""
    made = Run(started="2026-11-24T02:00:00Z", tool="pytest-wsstability", machine="CPython", results=results)
    return dataclasses.replace(made, **changes)

"""Connections that ended at one instant."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.diagnosis.together import together
from pytest_wsstability.core.timeline.events import Tier
from tests.core.script import FIN, PLANNED
from tests.report.made import result


def ended(at, age, end=FIN, tier=Tier.REAL, **values):
    return result((age, end), tier=tier, started_at=at - age, **values)


UP = result(until=120, tier=Tier.REAL)
THREE = [ended(70, 60), ended(70.5, 40), ended(71, 20)]


@pytest.mark.parametrize(
    ("results", "lines"),
    [
        ([], []),
        ([UP] * 5, []),
        ([UP, *THREE[:2]], []),
        (
            [*THREE, UP],
            [
                "3 of 4 connections ended within 1 s, 70 s after the start; "
                "20 s to 60 s old: no timer since their opening"
            ],
        ),
        # As old as each other: a timer may have done it.
        ([ended(60, 60)] * 3, ["3 of 3 connections ended within 0 s, 60 s after the start"]),
        # A second apart, and no more; two seconds of age are what no timer leaves, and no less.
        (
            [ended(60 + at, 60) for at in range(3)],
            ["3 of 3 connections ended within 2 s, 60 s after the start"],
        ),
        ([ended(60 + 1.25 * at, 60) for at in range(3)], []),
        (
            [ended(60, 60 - age) for age in range(3)],
            [
                "3 of 3 connections ended within 0 s, 60 s after the start; "
                "58 s to 60 s old: no timer since their opening"
            ],
        ),
        (
            [ended(60, 60 - age) for age in (0, 0, 1.75)],
            ["3 of 3 connections ended within 0 s, 60 s after the start"],
        ),
        # Not at one instant, not unplanned, not in one time, or asked for.
        ([ended(10, 5), ended(20, 5), ended(30, 5)], []),
        ([ended(60, 60, end=PLANNED)] * 3, []),
        ([ended(60, 60, tier=Tier.VIRTUAL)] * 3, []),
        ([dataclasses.replace(each, expected=True) for each in THREE], []),
        # Workers have clocks of their own.
        ([ended(60, 60, worker=f"gw{number % 2}") for number in range(4)], []),
        (
            [ended(60, 60)] * 3 + [ended(90, 60)] * 4,
            [
                "3 of 7 connections ended within 0 s, 60 s after the start",
                "4 of 7 connections ended within 0 s, 90 s after the start",
            ],
        ),
    ],
)
def test_crowds(results, lines):
    """How many, when, and whether something that counts from their opening may have done it."""
    assert [str(crowd) for crowd in together(results)] == lines

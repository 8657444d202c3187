"""Fault programs made by chance."""

import re

import pytest

from pytest_wsstability import faults
from pytest_wsstability.core.faults.protocol import PROTOCOL_FAULTS
from pytest_wsstability.core.faults.space import ANY_PROFILE, SPACE, compatible
from pytest_wsstability.faults import Drop, Heal, Latency, Program, Reset, Stall

SEEDS = range(300)


def test_every_fault_has_ranges():
    """No class is left out of what chance can choose."""
    assert set(SPACE) == set(faults.FAULTS.values())


def test_the_same_seed_makes_the_same_program():
    """And another seed another one; all of them make sense, print and replay."""
    programs = [Program.random(seed) for seed in SEEDS]

    assert [Program.random(seed) for seed in SEEDS] == programs
    assert len({repr(program) for program in programs}) > len(SEEDS) * 0.9
    for seed, program in zip(SEEDS, programs, strict=True):
        assert program.seed == seed
        assert eval(repr(program), {"faults": faults}) == program
        assert Program.from_dict(program.as_dict()) == program


def test_chance_reaches_every_fault():
    """Some are rare, because little goes with them; none is never there."""
    met = {type(step.fault) for seed in range(2000) for step in Program.random(seed)}

    assert met == set(ANY_PROFILE)
    assert set(SPACE) - met == set(PROTOCOL_FAULTS)


def test_chance_leaves_out_what_needs_a_profile():
    """Unless it is asked for."""
    met = {type(step.fault) for seed in range(200) for step in Program.random(seed, kinds=PROTOCOL_FAULTS)}

    assert met == set(PROTOCOL_FAULTS)


@pytest.mark.parametrize("seed", range(20))
def test_limits_are_kept(seed):
    """How many, when, of which classes, on how many connections."""
    program = Program.random(seed, within="5s", most=2, kinds=[Drop, Stall, Latency], connections=3)

    assert 1 <= len(program) <= 2
    assert all(0 <= step.when <= 5 for step in program)
    assert {type(step.fault) for step in program} <= {Drop, Stall, Latency}
    assert program.connections == 3


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"within": "soon"}, ValueError, "within: 'soon' is not a duration"),
        ({"most": 0}, ValueError, "most: 0 is not a number of faults; give 1 or more"),
        ({"kinds": [Drop()]}, TypeError, "kinds: faults.Drop() is no class of faults"),
        ({"kinds": []}, TypeError, "kinds: is empty"),
        ({"kinds": [Heal]}, ValueError, "kinds: nothing of Heal stands alone"),
    ],
)
def test_wrong_arguments_are_refused(keywords, error, message):
    """The error names the argument."""
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        Program.random(0, **keywords)


def test_what_contradicts_is_left_out():
    """Those that come first are preferred; what is kept is sorted by time."""
    timed = [(5.0, Drop()), (6.0, Stall(1)), (1.0, Stall(2)), (5.0, Reset()), (0.0, Heal())]

    assert compatible(timed) == [(1.0, Stall(2)), (5.0, Drop())]

"""Hypothesis strategies for fault programs, used on the library itself in virtual time."""

from __future__ import annotations

import asyncio
import builtins
import importlib
import re
import sys

import pytest
from hypothesis import HealthCheck, find, given, settings

from pytest_wsstability import ConnectionEnded, OpeningError, Orchestrator, connect, faults, run_virtual
from pytest_wsstability.core.faults.link import LINK_FAULTS
from pytest_wsstability.faults import Drop, Program, Stall
from pytest_wsstability.strategies import fault_programs, faults_of

# Some machines are slow, and so are first examples.
quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(fault_programs())
def test_any_program_prints_and_travels(program):
    """What is printed, and what is sent as JSON, is the same program again."""
    assert eval(repr(program), {"faults": faults}) == program
    assert Program.from_dict(program.as_dict()) == program


@quick
@given(fault_programs(within="10s", kinds=LINK_FAULTS))
def test_no_link_fault_makes_a_client_hang(program):
    """Whatever the link does: opening ends, closing ends, each fault is on time, and no task is left."""

    async def script():
        before = asyncio.all_tasks()
        async with Orchestrator(faults=program, echo=True) as orchestrator:
            try:
                connection = await connect(orchestrator.url, heartbeat=1)
            except OpeningError:
                pass
            else:
                await converse(connection)
                await connection.close()
        # asyncio's own task may still be about to give up a connection that was dropped at once.
        await asyncio.sleep(0.001)
        assert asyncio.all_tasks() == before
        return [applied for applied in orchestrator.applied if applied.lateness]

    assert run_virtual(script()) == []


async def converse(connection):
    """Send numbered messages; what comes back is in order, and nothing is made up."""
    received = []
    try:
        async with asyncio.timeout(15):
            for number in range(10):
                await connection.send(str(number))
                received.append(await connection.recv())
                await asyncio.sleep(1)
    except (TimeoutError, ConnectionEnded):
        pass
    assert received == [str(number) for number in range(len(received))]


def test_a_failing_example_is_printed_as_a_program():
    """What Hypothesis shows can be pasted into a test."""

    @settings(database=None, max_examples=20)
    @given(fault_programs(kinds=[Drop]))
    def never(program):
        assert not program

    with pytest.raises(AssertionError) as caught:
        never()

    notes = "\n".join(caught.value.__notes__)
    assert "program=faults.Program.of([(0.0, faults.Drop())])" in notes


def test_a_failing_program_shrinks_to_the_fault_that_matters():
    """The smallest program that ends a connection within ten seconds."""

    def ends(program):
        async def script():
            async with Orchestrator(faults=program) as orchestrator:
                try:
                    connection = await connect(orchestrator.url)
                except OpeningError:
                    return False
                await asyncio.sleep(10)
                ended = connection.timeline.close is not None
                await connection.close()
                return ended

        return run_virtual(script())

    found = find(fault_programs(within="10s", kinds=[Stall, Drop]), ends, settings=settings(deadline=None))

    assert [step.fault for step in found] == [Drop()]


@quick
@given(fault_programs(within="2s", most=2, kinds=[Drop, Stall], connections=3))
def test_limits_are_kept(program):
    """How many, when, of which classes, on how many connections."""
    assert len(program) <= 2
    assert all(step.when <= 2 and type(step.fault) in (Drop, Stall) for step in program)
    assert program.connections == 3


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: fault_programs(within="soon"), ValueError, "within: 'soon' is not a duration"),
        (lambda: fault_programs(kinds=["drop"]), TypeError, "kinds: 'drop' is no class of faults"),
        (
            lambda: faults_of(Drop()),
            TypeError,
            "kinds: faults.Drop() is no class of faults; give faults.Drop",
        ),
    ],
)
def test_wrong_arguments_are_refused(make, error, message):
    """At once, and not at the first example."""
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make()


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch):
    """Nothing else of the package needs it."""
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "hypothesis":
            raise ModuleNotFoundError("No module named 'hypothesis'")
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "pytest_wsstability.strategies")
    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(
        ImportError, match=r"needs Hypothesis: pip install 'pytest-wsstability\[hypothesis\]'$"
    ):
        importlib.import_module("pytest_wsstability.strategies")

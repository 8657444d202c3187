"""
Hypothesis strategies for fault programs: a shrunk failing program is the bug report.

Needs the extra: ``pip install "pytest-wsstability[hypothesis]"``.

"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from .core.duration import Duration, parse_duration
from .core.faults import Fault, Program
from .core.faults.space import ANY_PROFILE, SPACE, OneOf, Range, compatible, made

try:
    from hypothesis import strategies as st
except ImportError:
    raise ImportError(
        "pytest_wsstability.strategies needs Hypothesis: pip install 'pytest-wsstability[hypothesis]'"
    ) from None

__all__ = ["fault_programs", "faults_of"]


def fault_programs(
    *,
    within: Duration = "30s",
    most: int = 5,
    kinds: Iterable[type[Fault]] | None = None,
    connections: int | None = None,
) -> st.SearchStrategy[Program]:
    """
    Programs of faults that make sense together.

    Args:
        within: the time in which all of it is applied.
        most: how many faults at most; none at least.
        kinds: classes of faults to choose from, such as ``faults.Drop``; None: all but those that need a
            profile with what they act on.
        connections: apply it to the first so many connections only; None: each one.

    Raises:
        TypeError, ValueError: for an argument that makes no sense, naming it.

    """
    end = parse_duration(within, "within")
    chosen = list(ANY_PROFILE if kinds is None else kinds)
    each = st.one_of([faults_of(kind) for kind in chosen])
    # Milliseconds shrink to small round numbers, and floats to odd ones.
    when = st.integers(0, int(end * 1000)).map(lambda milliseconds: milliseconds / 1000)
    return _programs(st.lists(st.tuples(when, each), max_size=most), connections)


# Composite, so that a failing example is printed as a program that can be pasted into a test.
@st.composite
def _programs(
    draw: st.DrawFn, timed: st.SearchStrategy[list[tuple[float, Fault]]], connections: int | None
) -> Program:
    seed = st.integers(0, 2**16)
    return Program.of(compatible(draw(timed)), seed=draw(seed), connections=connections)


def faults_of(kind: type[Fault]) -> st.SearchStrategy[Fault]:
    """
    Faults of one class, with parameters of a sensible size.

    Raises:
        TypeError: if it is no class of faults.

    """
    if kind not in SPACE:
        raise TypeError(f"kinds: {kind!r} is no class of faults; give faults.Drop, for one")
    values = {name: _values(each) for name, each in SPACE[kind].items()}
    return st.builds(partial(made, kind), **values)


def _values(each: Range) -> st.SearchStrategy[object]:
    if isinstance(each, OneOf):
        return st.sampled_from(each.values)
    if isinstance(each.low, int):
        return st.integers(each.low, int(each.high))
    return st.integers(int(each.low * 1000), int(each.high * 1000)).map(lambda thousandth: thousandth / 1000)

"""Ten thousand tests: what collecting them costs beside pytest alone, and what each takes to run."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .figures import Figure, interleaved, middle, spread
from .processes import WITH, WITHOUT, run_pytest, suite

COLLECTED, RUN, ROUNDS = 10_000, 400, 5

_PLAIN = """
import pytest

@pytest.mark.parametrize("number", range({half}))
@pytest.mark.skipif(False, reason="")
def test_soak(request, number):
    pass

@pytest.mark.parametrize("number", range({half}))
@pytest.mark.asyncio
async def test_connect(request, number):
    pass
"""
_OURS = """
import pytest

@pytest.mark.parametrize("number", range({half}))
@pytest.mark.ws_stability(alive_for="2m")
def test_soak(ws_soak, number):
    pass

@pytest.mark.parametrize("number", range({half}))
@pytest.mark.ws_stability(alive_for="2m")
async def test_connect(ws_connection, number):
    pass
"""


def figures() -> Iterator[Figure]:
    """A ratio, and milliseconds a test."""
    half = COLLECTED // 2
    with suite(test_plain=_PLAIN.format(half=half), test_ours=_OURS.format(half=half)) as folder:
        collect = partial(run_pytest, folder, "--collect-only", "-qq")
        # The first runs write the bytecode.
        collect(*WITHOUT, "test_plain.py")
        collect(*WITH, "test_ours.py")
        plain, ours = interleaved(
            [lambda: collect(*WITHOUT, "test_plain.py").cpu, lambda: collect(*WITH, "test_ours.py").cpu],
            ROUNDS,
        )
    ratios = [ours_s / plain_s for plain_s, ours_s in zip(plain, ours, strict=True)]
    of = f"CPU, {middle(ours):.1f} s beside {middle(plain):.1f} s, {spread(ratios, 'pairs')}"
    yield Figure(name="collecting, beside pytest alone", value=middle(ratios), unit="x", limit=1.5, of=of)
    few, many = RUN // 4, RUN
    with suite(test_few=_OURS.format(half=few), test_many=_OURS.format(half=many)) as folder:
        run = partial(run_pytest, folder, "-q", "-k", "test_soak", *WITH)
        run("test_few.py")
        first, second = interleaved([lambda: run("test_few.py").cpu, lambda: run("test_many.py").cpu], ROUNDS)
    each = [1000 * (more - less) / (many - few) for less, more in zip(first, second, strict=True)]
    of = f"holds of two minutes in virtual time, CPU, {spread(each, 'pairs')}"
    yield Figure(name="running one", value=middle(each), unit="ms", limit=15, of=of)

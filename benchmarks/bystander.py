"""What ordinary async tests pay for a plugin that they do not use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .figures import Figure, interleaved, middle, ratios, spread
from .processes import WITH, WITHOUT, run_pytest, suite

TESTS = 200
ROUNDS = 31

_SOURCE = """
import asyncio
import pytest
""" + "".join(
    f"""
@pytest.mark.asyncio
async def test_{number}():
    await asyncio.sleep(0)
    assert {number} + 1 == {number + 1}
"""
    for number in range(TESTS)
)


def figures() -> Iterator[Figure]:
    """The ratio of two runs of the same suite."""
    with suite(test_ordinary=_SOURCE) as folder:
        run = partial(run_pytest, folder, "-q")
        run(*WITHOUT)
        run(*WITH)
        on, off = interleaved([lambda: run(*WITH).cpu, lambda: run(*WITHOUT).cpu], ROUNDS)
    found = ratios(on, off)
    of = f"CPU, {TESTS} tests in {middle(off):.2f} s, {spread(found, 'pairs')}"
    yield Figure(name="suite with / without the plugin", value=middle(found), limit=1.01, of=of)
    of = f"CPU, fastest of {ROUNDS} runs each"
    yield Figure(name="with / without, fastest runs", value=min(on) / min(off), of=of)

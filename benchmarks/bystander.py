"""What ordinary async tests pay for a plugin that they do not use."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .figures import Figure, interleaved, middle, ratios, spread
from .processes import WITH, WITHOUT, instructions, run_pytest, suite

TESTS = 200
ROUNDS = 31
LIMIT = 1.01

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
    """The ratio of two runs of the same suite: of instructions where they can be counted, and of user CPU."""
    with suite(test_ordinary=_SOURCE) as folder:
        run = partial(run_pytest, folder, "-q")
        run(*WITHOUT)
        run(*WITH)
        counted = [instructions(folder, "-q", *arguments) for arguments in (WITHOUT, WITH)]
        on, off = interleaved([lambda: run(*WITH).user, lambda: run(*WITHOUT).user], ROUNDS)
    without, with_us = counted
    if without is not None and with_us is not None:
        of = f"instructions, +{(with_us - without) / 1e6:.0f} to {without / 1e6:.0f} million, exact to 0.1 %"
        yield Figure(name="with / without the plugin, counted", value=with_us / without, limit=LIMIT, of=of)
    found = ratios(on, off)
    of = f"user CPU, {TESTS} tests in {middle(off):.2f} s, {spread(found, 'pairs')}"
    limit = LIMIT if without is None else None
    yield Figure(name="with / without the plugin, measured", value=middle(found), limit=limit, of=of)
    of = f"user CPU, fastest of {ROUNDS} runs each"
    yield Figure(name="with / without, fastest runs", value=min(on) / min(off), of=of)

"""What the plugin adds to a pytest run that does not use it: before the first test, nothing but imports."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .figures import Figure, interleaved, middle, spread
from .processes import WITH, WITHOUT, instructions, run_code, run_pytest, suite

ROUNDS = 41
LIMIT = 1.01
# pytest's exit code for a suite without tests.
_NO_TESTS = 5

_IMPORT = """
import time
import pytest, pytest_asyncio.plugin
start = time.process_time()
import pytest_wsstability.plugin.hooks
print(time.process_time() - start)
"""

_TELL = """
import sys

def pytest_unconfigure():
    heavy = ["websockets", *(f"pytest_wsstability.{room}" for room in ("net", "virtual", "report"))]
    loaded = [name for name in sys.modules for room in heavy if f"{name}.".startswith(f"{room}.")]
    print("LOADED", len(loaded))
"""


def figures() -> Iterator[Figure]:
    """What is added: instructions where they can be counted, milliseconds, modules that nobody needs yet."""
    with suite(test_empty="") as folder:
        run = partial(run_pytest, folder, "--collect-only", "-q", expected=_NO_TESTS)
        # The first runs write the bytecode.
        run(*WITHOUT)
        run(*WITH)
        without, with_us = (
            instructions(folder, "--collect-only", "-q", *arguments, expected=_NO_TESTS)
            for arguments in (WITHOUT, WITH)
        )
        if without is not None and with_us is not None:
            of = f"instructions, +{(with_us - without) / 1e6:.1f} to {without / 1e6:.0f} million"
            yield Figure(
                name="with / without, a run without tests", value=with_us / without, limit=LIMIT, of=of
            )
        off, on = interleaved([lambda: run(*WITHOUT).cpu, lambda: run(*WITH).cpu], ROUNDS)
    added = [1000 * (with_us - without) for without, with_us in zip(off, on, strict=True)]
    of = f"CPU, to {1000 * middle(off):.0f} ms, {spread(added, 'pairs')}"
    yield Figure(name="added to a run without tests", value=middle(added), unit="ms", limit=10, of=of)
    alone = [1000 * float(run_code(_IMPORT)) for _ in range(ROUNDS)]
    of = f"CPU, {spread(alone, 'processes')}; the steadier figure on a busy machine"
    yield Figure(name="its import alone", value=middle(alone), unit="ms", of=of)
    with suite(test_empty="", conftest=_TELL) as folder:
        told = run_pytest(folder, "--collect-only", "-q", "-s", *WITH, expected=_NO_TESTS).output
    loaded = int(told.split("LOADED ")[1].split()[0])
    of = "of websockets and pytest_wsstability.{net,virtual,report}"
    yield Figure(name="modules loaded too early", value=loaded, limit=0, of=of)

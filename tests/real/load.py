"""Keep both cores busy, or all there are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# However long a test run hangs.
LIFETIME = 300
SPIN = f"import time\nend = time.monotonic() + {LIFETIME}\nwhile time.monotonic() < end: pass"


@contextmanager
def busy() -> Iterator[None]:
    """Spin on every core, in processes of their own, for the length of the block."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(os.cpu_count() or 2)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


# Sleeps by turns until its standard input ends, and says by how much it was woken too late at worst.
WATCH = """
import select, sys, time
worst = 0.0
while True:
    began = time.monotonic()
    if select.select([sys.stdin], [], [], 0.01)[0]:
        break
    worst = max(worst, time.monotonic() - began - 0.01)
print(worst)
"""


@contextmanager
def watching() -> Iterator[list[float]]:
    """Seconds that a process which only sleeps waited for a core at worst: told once the block is over."""
    process = subprocess.Popen(
        [sys.executable, "-c", WATCH], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    waited: list[float] = []
    try:
        yield waited
    finally:
        said, _ = process.communicate()
        waited.append(float(said))

"""Keep both cores busy, or all there are."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


def waited() -> float:
    """Seconds for which the main thread has waited for a core so far; 0.0 where the kernel does not tell."""
    try:
        return int(Path("/proc/self/schedstat").read_text().split()[1]) / 1e9
    except OSError:
        return 0.0

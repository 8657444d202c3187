"""Run all benchmarks, or the named ones, and print a table."""

from __future__ import annotations

import argparse
import time
from importlib import import_module

from .figures import HEAD, machine

# Each has a function `figures`, which yields them as they come.
NAMES = (
    "import_cost", "bystander", "fin_to_fail", "heartbeat_cpu", "day", "memory", "recording", "fleet",
    "fleet_real", "fleet_many", "fleet_controller", "html_report", "proxy", "diagnosis", "calibration",
    "soaks", "voice", "many_tests",
)  # fmt: skip


def main() -> int:
    """Print one line for each figure; the exit code is 1 only if asked for and something is over."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(NAMES)}")
    parser.add_argument("--check", action="store_true", help="exit with 1 if a figure is over its limit")
    options = parser.parse_args()
    for name in options.names:
        if name not in NAMES:
            parser.error(f"{name!r} is no benchmark; valid ones: {', '.join(NAMES)}")
    print(HEAD)
    over = 0
    for name in options.names or NAMES:
        print(f"{name}  [{machine()}]")
        start = time.monotonic()
        for figure in import_module(f".{name}", __package__).figures():
            print(f"  {figure.row()}", flush=True)
            over += figure.verdict == "OVER"
        print(f"  took {time.monotonic() - start:.0f} s", flush=True)
    print(f"{over} over their limit" if over else "all within their limits")
    return 1 if options.check and over else 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The measure by itself: any seed, and a system of it once more."""

from __future__ import annotations

import argparse
import os

from . import SYSTEMS, tonight
from .score import claims, measure_all, table
from .systems import draw


def main() -> int:
    """Print the table; the exit code is 1 if what is claimed does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    add = parser.add_argument
    add(
        "--seed",
        type=int,
        default=tonight(),
        help="of the systems (default: another one each day, %(default)s)",
    )
    add("--systems", type=int, default=SYSTEMS, metavar="N", help="how many (default: %(default)s)")
    add("--jobs", type=int, default=os.cpu_count(), metavar="N", help="processes (default: one a CPU)")
    add("--replay", type=int, metavar="NUMBER", help="one system of the seed, and all that is said of it")
    options = parser.parse_args()
    if options.replay is not None:
        system = draw(options.seed, options.replay)
        print(system)
        for claim in claims(system):
            print(claim if claim.holds else f"does not hold: {claim}")
        return 0
    score = measure_all(options.seed, options.systems, options.jobs)
    print(table(score))
    for claim in score.wrong:
        print(claim)
    failures = list(score.failures())
    for failure in failures:
        print(f"does not hold: {failure}")
    if failures:
        print(f"once more: python -m benchmarks.calibration --seed {options.seed} --replay NUMBER")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())

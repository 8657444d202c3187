"""The measure by itself: any seeds, as many as wanted, and a system of one of them once more."""

from __future__ import annotations

import argparse
import os
import time

from pytest_wsstability import Confidence

from . import SYSTEMS, tonight
from .score import Score, claims, measure_all, table
from .systems import draw


def seeds(text: str) -> list[int]:
    """Seeds as people write them: ``7``, ``101-110``, ``1,5,7-9``."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        try:
            span = range(int(first), int(last or first) + 1)
        except ValueError:
            span = range(0)
        if not span:
            raise argparse.ArgumentTypeError(f"{text!r} is no list of seeds: 7, 101-110 or 1,5,7-9")
        found += span
    return list(dict.fromkeys(found))


def main() -> int:
    """Print the tables; the exit code is 1 if what is claimed does not hold of all seeds together."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.calibration", description=__doc__)
    add = parser.add_argument
    add(
        "--seeds", "--seed", dest="seeds", type=seeds, default=[tonight()], metavar="SEEDS",
        help="of the systems: 7, 101-110 or 1,5,7-9 (default: another one each day)",
    )  # fmt: skip
    add("--systems", type=int, default=SYSTEMS, metavar="N", help="how many a seed (default: %(default)s)")
    add("--jobs", type=int, default=os.cpu_count(), metavar="N", help="processes (default: one a CPU)")
    add("--replay", type=int, metavar="NUMBER", help="one system of the seed, and all that is said of it")
    options = parser.parse_args()
    if options.replay is not None:
        system = draw(options.seeds[0], options.replay)
        print(system)
        for claim in claims(system):
            print(claim if claim.holds else f"does not hold: {claim}")
        return 0
    score = Score()
    for seed in options.seeds:
        began = time.perf_counter()
        part = measure_all(seed, options.systems, options.jobs)
        print(f"seed {seed}: {_shares(part)}; {time.perf_counter() - began:.0f} s", flush=True)
        score.take(part)
    print(table(score))
    for wrong in score.wrong:
        print(wrong)
    failures = list(score.failures())
    for failure in failures:
        print(f"does not hold: {failure}")
    if failures:
        print("once more: python -m benchmarks.calibration --seed SEED --replay NUMBER")
    return 1 if failures else 0


def _shares(score: Score) -> str:
    high, medium = score.of(Confidence.HIGH), score.of(Confidence.MEDIUM)
    return (
        f"{score.systems} systems, {score.connections} ends; high {high.right} of {high.of} right, "
        f"medium {medium.right} of {medium.of}, alike with high {score.too_sure}"
    )


if __name__ == "__main__":
    raise SystemExit(main())

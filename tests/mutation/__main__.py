"""
``python -m tests.mutation``: break the code in many places, and list where no test notices.

Exits with 1 if something survives that docs/testing.md does not name, if it names what is killed, or if more
than 5 % survive.

"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import accepted, running
from .covering import TESTS, Covering, measure
from .running import Fate, Result
from .sites import PACKAGE, ROOT, SUBJECTS, Kind, Site, mutant, sample, sites_of, subjects

SHARE = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    sites = [each for path in subjects(options.only or SUBJECTS) for each in sites_of(path)]
    sites = [each for each in sites if each.kind.value in options.kinds]
    chosen = sites if options.all else sample(sites, options.sample, options.seed)
    if options.list:
        made = (mutant(each, (ROOT / PACKAGE / each.path).read_text()) for each in chosen)
        print(*filter(None, made), sep="\n")
        return 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        first = running.copy(Path(folder) / "copy")
        covering = measure(first, Path(folder), options.tests or TESTS)
        trees = running.copies(first, options.jobs)
        print(
            f"{len(chosen)} places, {running.revision()}; the tests took {time.monotonic() - started:.0f} s"
        )
        results = []
        for result in _run(trees, covering, chosen):
            results.append(result)
            if result.lives or options.verbose:
                cost = f"{result.tests:4} tests {result.seconds:5.1f} s"
                print(f"{result.fate.value:9} {cost}  {result.mutant}", flush=True)
    print(f"{time.monotonic() - started:.0f} s")
    return _report(results, whole=not options.only and not options.tests)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    kinds = [kind.value for kind in Kind]
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("only", nargs="*", help="rooms or files; default: all that decide")
    parser.add_argument("--kinds", nargs="+", default=kinds, choices=kinds)
    parser.add_argument("--sample", type=int, default=400, help="so many of the others (default: 400)")
    parser.add_argument("--seed", type=int, default=11, help="of the sample")
    parser.add_argument("--all", action="store_true", help="every mutant there is")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--tests", nargs="+", help="files or folders of tests, in place of the room's own")
    parser.add_argument("--list", action="store_true", help="only say what would be broken")
    parser.add_argument("--verbose", action="store_true", help="list what was killed too")
    return parser.parse_args(arguments)


def _run(trees: Sequence[Path], covering: Covering, sites: Sequence[Site]) -> Iterator[Result]:
    """Each worker breaks a copy of its own."""
    waiting: multiprocessing.Queue[Site | None] = multiprocessing.Queue()
    done: multiprocessing.Queue[Result] = multiprocessing.Queue()
    running.preload()
    running.control(trees[0], covering.quickest(100))
    for site in sites:
        waiting.put(site)
    workers = [
        multiprocessing.get_context("fork").Process(target=_work, args=(tree, covering, waiting, done))
        for tree in trees
    ]
    for worker in workers:
        waiting.put(None)
        worker.start()
    for _ in sites:
        yield done.get()
    for worker in workers:
        worker.join()


def _work(
    tree: Path,
    covering: Covering,
    waiting: multiprocessing.Queue[Site | None],
    done: multiprocessing.Queue[Result],
) -> None:
    while (site := waiting.get()) is not None:
        tests = covering.tests(site)
        done.put(running.run(tree, site, tests, sum(covering.times.get(test, 0.0) for test in tests)))


def _report(results: Sequence[Result], *, whole: bool) -> int:
    results = [each for each in results if each.fate is not Fate.NONE]
    fates = collections.Counter((each.site.kind.value, each.fate.value) for each in results)
    for (kind, fate), count in sorted(fates.items()):
        print(f"{kind:10} {fate:9} {count}")
    alive = [each.mutant for each in results if each.lives]
    killed = {accepted.key(each.mutant) for each in results if not each.lives}
    share = len(alive) / max(1, len(results))
    print(f"{len(alive)} of {len(results)} survive ({share:.1%})")
    known = accepted.read()
    unnamed = [each for each in alive if accepted.key(each) not in known]
    stale = [key for key in known if key in killed]
    print(*(f"not in docs/testing.md: {each}" for each in unnamed), sep="\n")
    print(*(f"docs/testing.md names what is killed: {' '.join(key)}" for key in stale), sep="\n")
    return int(bool(unnamed or stale) or (whole and share > SHARE))


if __name__ == "__main__":
    sys.exit(main())

"""
``python -m tests.mutation``: break the code in many places, and list where no test notices.

Exits with 1 if something survives that docs/testing.md does not name, if it names what is killed, or if more
than 5 % survive.

"""

from __future__ import annotations

import argparse
import collections
import itertools
import multiprocessing
import os
import queue
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

from . import accepted, running
from .covering import MARKS, TESTS, Covering, measure
from .running import Answer, Fate, Limit, Result
from .sites import PACKAGE, ROOT, SUBJECTS, Kind, Mutant, Site, mutant, sample, sites_of, subjects
from .warm import Warm

SHARE = 0.05
# So many tests are asked before the rest of them is loaded.
FEW = 40


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
        for result in _run(trees, covering, options.tests or TESTS, chosen):
            results.append(result)
            if result.lives or options.verbose:
                cost = f"{result.tests:4} tests {result.seconds:5.1f} s"
                print(f"{result.fate.value:9} {cost}  {result.mutant}  {result.killer}", flush=True)
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


def _run(
    trees: Sequence[Path], covering: Covering, collected: Sequence[str], sites: Sequence[Site]
) -> Iterator[Result]:
    """Each worker breaks a copy of its own."""
    waiting: multiprocessing.Queue[Site | None] = multiprocessing.Queue()
    done: multiprocessing.Queue[Result] = multiprocessing.Queue()
    running.preload()
    running.control(trees[0], covering.quickest(100))
    running.control(trees[0], list(filter(running.is_bare, covering.times)))
    for site in sites:
        waiting.put(site)
    fork = multiprocessing.get_context("fork")
    workers = [
        fork.Process(
            target=_work,
            args=(tree, covering, collected, waiting, done),
            kwargs={"controls": number == 0},
        )
        for number, tree in enumerate(trees)
    ]
    for worker in workers:
        waiting.put(None)
        worker.start()
    for _ in sites:
        yield _next(done, workers)
    for worker in workers:
        worker.join()


def _next(done: multiprocessing.Queue[Result], workers: Sequence[BaseProcess]) -> Result:
    while True:
        try:
            return done.get(timeout=1.0)
        except queue.Empty:
            if any(worker.exitcode for worker in workers):
                for worker in workers:
                    worker.terminate()
                raise SystemExit("a worker has ended, so that nothing is said of the other mutants") from None


def _work(
    tree: Path,
    covering: Covering,
    collected: Sequence[str],
    waiting: multiprocessing.Queue[Site | None],
    done: multiprocessing.Queue[Result],
    *,
    controls: bool,
) -> None:
    warm = Warm(tree, collected)
    if controls:
        warm.control(list(covering.times), Limit(sum(covering.times.values())))
    # What noticed mutants of a file lately, the last first, notices its neighbours.
    killers: collections.defaultdict[str, list[str]] = collections.defaultdict(list)
    while (site := waiting.get()) is not None:
        result = _result(tree, covering, warm, site, killers[site.path])
        if result.killer in killers[site.path]:
            killers[site.path].remove(result.killer)
        killers[site.path][:0] = filter(None, [result.killer])
        done.put(result)
    warm.close()


def _result(tree: Path, covering: Covering, warm: Warm, site: Site, killers: Sequence[str]) -> Result:
    started = time.monotonic()
    source = (tree / PACKAGE / site.path).read_text()
    broken = mutant(site, source)
    if broken is None:
        return Result(site, Fate.NONE, None, 0, 0.0)
    tests = covering.tests(site)
    if not tests:
        return Result(site, Fate.UNTESTED, broken, 0, 0.0)
    first = [test for test in killers if test in set(tests)]
    tests = list(dict.fromkeys([*first, *tests]))
    answer = _ask(tree, covering, warm, broken, source, tests)
    return Result(site, running.fate(answer), broken, len(tests), time.monotonic() - started, answer[1])


def _ask(
    tree: Path, covering: Covering, warm: Warm, broken: Mutant, source: str, tests: Sequence[str]
) -> Answer:
    """The warm process is asked first; what lives there lives only if it does where all is loaded anew."""

    def limit(some: Sequence[str]) -> Limit:
        return Limit(sum(covering.times.get(test, 0.0) for test in some))

    seen = warm.run(broken.site.path, source, broken.text, tests, limit(tests))
    if seen is not None and seen[0] != 0:
        return seen
    # Each file of tests has to be loaded, and for some of them the plugin: those that are likely to notice,
    # and take little, go alone.
    bare = list(filter(running.is_bare, tests))
    rest = list(itertools.filterfalse(running.is_bare, tests))
    parts = [bare, rest] if seen else [bare[:FEW], bare[FEW:], rest]
    answer: Answer = (0, "")
    for some in filter(None, parts):
        answer = running.run(tree, broken, some, limit(some))
        if answer[0] == running.NO_SUCH_TEST:
            # A name of one is computed from what is broken: whole files have no such names.
            files = sorted({test.partition("::")[0] for test in some})
            answer = running.run(tree, broken, ["-m", MARKS, *files], limit(covering.of_files(files)))
        if answer[0] != 0:
            break
    return answer


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

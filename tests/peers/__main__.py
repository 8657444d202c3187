"""
``python -m tests.peers [SUITE ...]``: run other people's suites on a kernel loop and on a virtual one.

Exits with 1 if a test passes on the first only and `differences` does not name it, or if that names a test
which differs no more.

"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from .compare import Comparison, Outcome, compare
from .differences import DIFFERENCES
from .suites import SUITES, Suite, lacking, modules_of

ROOT = Path(__file__).parent.parent.parent
# In real seconds for a module; the longest takes 60 on a kernel loop.
LIMIT = 600


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.peers")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"of {', '.join(SUITES)}; all by default")
    names = parser.parse_args(arguments).suites or list(SUITES)
    if unknown := [each for each in names if each not in SUITES]:
        parser.error(f"{unknown[0]!r} is no suite; there are {', '.join(SUITES)}")
    failed = False
    for name in names:
        suite = SUITES[name]
        if (why := lacking(suite)) is not None:
            print(f"{name}: skipped: {why}")
            continue
        kernel, virtual = run(suite, "kernel"), run(suite, "virtual")
        found = compare(kernel, virtual, DIFFERENCES[name])
        show(name, kernel, virtual, found)
        # Two empty runs do not differ either.
        ran = any(each.outcome == "passed" for each in kernel.values())
        failed |= bool(found.new or found.stale) or not ran
    return int(failed)


def run(suite: Suite, kind: str) -> dict[str, Outcome]:
    """The outcomes by id, without the package's name; each module in a process of its own."""
    outcomes = {}
    for module in modules_of(suite):
        print(f"{kind}: {module}", file=sys.stderr)
        for test, outcome in run_module(module, kind, suite.quiet).items():
            outcomes[test.removeprefix(f"{suite.package}.")] = outcome
    return outcomes


def run_module(module: str, kind: str, quiet: Sequence[str]) -> dict[str, Outcome]:
    """
    The outcomes by id. A test that ends the process has failed, and another process goes on behind it.

    Some do: an alarm in real seconds that comes when a test in virtual ones is over is nobody's any more.

    """
    outcomes: dict[str, Outcome] = {}
    command = [sys.executable, "-m", "tests.peers.unittests", kind, module]
    after: list[str] = []
    while True:
        lines, why = output([*command, *after, *(("--quiet", *quiet) if quiet else ())])
        for line in lines.splitlines():
            test = json.loads(line)
            outcomes[test["id"]] = Outcome(test["outcome"], test["text"])
        running = [test for test, outcome in outcomes.items() if outcome.outcome == "running"]
        if why and not running:
            outcomes[module] = Outcome("failed", why)
        if not running:
            return outcomes
        outcomes[running[0]] = Outcome("failed", why)
        after = ["--after", running[0]]


def output(command: Sequence[str]) -> tuple[bytes, str]:
    """What a process prints in a folder of its own, and how it ended if not well."""
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    with tempfile.TemporaryDirectory(prefix="peers-") as folder:
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
                cwd=folder,
                env=environment,
                timeout=LIMIT,
            )
        except subprocess.TimeoutExpired as exc:
            return exc.stdout or b"", f"the process took longer than {LIMIT} s"
    return done.stdout, f"the process ended with {done.returncode}" if done.returncode else ""


def show(name: str, kernel: dict[str, Outcome], virtual: dict[str, Outcome], found: Comparison) -> None:
    """Print what a suite came to."""
    for kind, outcomes in (("kernel", kernel), ("virtual", virtual)):
        counted = Counter(each.outcome for each in outcomes.values())
        parts = (f"{count} {outcome}" for outcome, count in counted.most_common())
        print(f"{name}: {kind}: {', '.join(parts)}")
    for reason, count in found.known.items():
        print(f"{name}: {count} known: {reason}")
    for test, (outcome, text) in found.new.items():
        print(f"{name}: NEW: {test} {outcome}: {text}")
    for pattern in found.stale:
        print(f"{name}: STALE: {pattern} differs no more; take it off tests/peers/differences.py")


if __name__ == "__main__":
    sys.exit(main())

"""
Run the quick tests on every Python on this machine, on the lowest versions that are claimed, and what
touches pytest-asyncio on each of its versions.

``python tests/everywhere.py [NAME ...] [-- PYTEST ARGUMENTS]``

"""

from __future__ import annotations

import contextlib
import glob
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))
# What the tests of the package's own need; the third-party stacks are tried on the newest versions only.
LOWEST = ("--constraint", "lowest.txt")
# The releases of pytest-asyncio, from the first that is supported; the newest one runs all tests above.
ASYNCIO = ("1.1", "1.2", "1.3", "1.4")
# What depends on how pytest-asyncio makes loops and runs tests.
OF_ASYNCIO = tuple(
    f"tests/plugin/test_{name}.py"
    for name in ("seam", "modes", "unused", "clock", "user_fixtures", "orders", "connect", "neighbours")
)


class Environment(NamedTuple):
    """A virtual environment, and what runs in it."""

    python: str
    # Further arguments of ``pip install``.
    extra: tuple[str, ...] = ()
    # Paths of tests; empty for all.
    tests: tuple[str, ...] = ()


def find(version: tuple[int, int], *, needs: str = "venv", first: Sequence[str] = ()) -> str | None:
    """
    A Python of this version that runs and has these modules; None if there is none.

    Those that are named come first. Version managers' shims may not run.

    """
    name = "python{}.{}".format(*version)
    pyenv = os.path.expanduser(os.environ.get("PYENV_ROOT", "~/.pyenv"))
    homes = glob.glob(os.path.join(pyenv, "versions", "{}.{}*".format(*version), "bin", "python"))
    for candidate in filter(None, [*first, shutil.which(name), *sorted(homes, reverse=True)]):
        code = f"import sys, {needs}; print(sys.version_info[:2])"
        with contextlib.suppress(OSError):
            done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
            if done.returncode == 0 and done.stdout.strip() == str(version):
                return candidate
    return None


def environments() -> dict[str, Environment]:
    """All of them, by name, as far as there are Pythons for them."""
    found = {version: python for version in VERSIONS if (python := find(version))}
    known = {f"{major}.{minor}": Environment(python) for (major, minor), python in found.items()}
    if found:
        oldest, newest = found[min(found)], found[max(found)]
        known["lowest"] = Environment(oldest, LOWEST)
        for version in ASYNCIO:
            extra = (f"pytest-asyncio=={version}.*",)
            known[f"asyncio-{version}"] = Environment(newest, extra, OF_ASYNCIO)
    return known


def run(name: str, environment: Environment, arguments: list[str]) -> bool:
    """Make an environment, run the quick tests in it, and say whether they passed."""
    home = ROOT / f".venv-{name}"
    python = str(home / "bin" / "python")
    # Written last, so that an environment that was given up is made anew.
    ready = home / ".ready"
    if not ready.exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([environment.python, "-m", "venv", str(home)], check=True)
        pip = [python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
        subprocess.run([*pip, "--editable", ".", "--group", "test", *environment.extra], cwd=ROOT, check=True)
        ready.touch()
    print(f"== {name}", flush=True)
    quick = "not soak and not servers"
    options = ["--quiet", "--numprocesses", "auto", "-m", quick, "-p", "no:cacheprovider"]
    tests = [python, "-m", "pytest", *options]
    return subprocess.run([*tests, *(arguments or environment.tests)], cwd=ROOT).returncode == 0


def main(arguments: list[str]) -> int:
    """Returns 1 if the tests fail anywhere, 2 if there is nowhere to run them."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    names, rest = arguments[:cut], arguments[cut + 1 :]
    known = environments()
    if unknown := [name for name in names if name not in known]:
        print(f"there is no environment {unknown[0]!r}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    if not known:
        print("no Python of the supported versions runs here", file=sys.stderr)
        return 2
    results = {name: run(name, known[name], rest) for name in names or known}
    for name, passed in results.items():
        print(f"{name}: {'passed' if passed else 'FAILED'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

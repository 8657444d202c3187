"""Run the quick tests on every Python on this machine, and on the lowest versions that are claimed."""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSIONS = ((3, 11), (3, 12), (3, 13), (3, 14))
# What the tests of the package's own need; the third-party stacks are tried on the newest versions only.
LOWEST = ["--constraint", "lowest.txt"]


def find(version: tuple[int, int]) -> str | None:
    """A Python of this version that runs; None if there is none. Version managers' shims may not run."""
    name = "python{}.{}".format(*version)
    homes = glob.glob(os.path.expanduser("~/.pyenv/versions/{}.{}*/bin/python".format(*version)))
    for candidate in filter(None, [shutil.which(name), *sorted(homes, reverse=True)]):
        code = "import sys, venv; print(sys.version_info[:2])"
        done = subprocess.run([candidate, "-c", code], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout.strip() == str(version):
            return candidate
    return None


def run(python: str, name: str, extra: list[str]) -> bool:
    """Make an environment, run the quick tests in it, and say whether they passed."""
    home = ROOT / f".venv-{name}"
    bin_python = str(home / "bin" / "python")
    if not home.exists():
        subprocess.run([python, "-m", "venv", str(home)], check=True)
        pip = [bin_python, "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "--upgrade", "pip>=25.1"], check=True)
        subprocess.run([*pip, "--editable", ".", "--group", "test", *extra], cwd=ROOT, check=True)
    print(f"== {name}", flush=True)
    tests = [bin_python, "-m", "pytest", "--quiet", "-m", "not soak", "-p", "no:cacheprovider"]
    return subprocess.run(tests, cwd=ROOT).returncode == 0


def main() -> int:
    """Returns 1 if the tests fail anywhere, or no Python was found."""
    found = {version: python for version in VERSIONS if (python := find(version))}
    if not found:
        print("no Python of the supported versions runs here", file=sys.stderr)
        return 1
    results = {
        f"{major}.{minor}": run(python, f"{major}.{minor}", []) for (major, minor), python in found.items()
    }
    results["lowest"] = run(found[min(found)], "lowest", LOWEST)
    for name, passed in results.items():
        print(f"{name}: {'passed' if passed else 'FAILED'}")
    return 0 if all(results.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

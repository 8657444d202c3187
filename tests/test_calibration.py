"""The measure of the diagnosis, run as its users run it: a seed and a number are one system, each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    """What the command says."""
    command = [sys.executable, "-m", "benchmarks.calibration", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_system_of_a_seed_is_played_again():
    """What failed in the night is looked at in the morning."""
    first, again, other = (ran("--seed", seed, "--replay", "11") for seed in ("7", "7", "8"))

    assert first.returncode == 0, first.stderr
    assert "connection 0 of" in first.stdout
    assert first.stdout == again.stdout != other.stdout


def test_the_shares_of_some_systems():
    """Too few for what is claimed of a seed, which is said, with the exit code 1."""
    done = ran("--seed", "7", "--systems", "20", "--jobs", "1")

    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("seed 7: 20 systems")
    assert "does not hold: high: 1.0000 right, lower bound" in done.stdout
    assert "--replay NUMBER" in done.stdout


@pytest.mark.parametrize("text", ["x", "9-7", "1,,2"])
def test_what_is_no_list_of_seeds(text):
    """It is named, and how one is written."""
    done = ran("--seeds", text)

    assert done.returncode == 2
    assert f"'{text}' is no list of seeds: 7, 101-110 or 1,5,7-9" in done.stderr

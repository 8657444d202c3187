"""What continuous integration runs: the steps of .ci/run, on the Pythons that the package claims."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yaml"))
CI = (ROOT / ".github/workflows/ci.yaml").read_text()
STEPS = re.findall(r"^(?:make|tests) (\S+)$", (ROOT / ".ci/run").read_text(), re.MULTILINE)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_of_ci_is_a_step_of_the_workflow(step):
    """Who runs .ci/run and who looks at the workflow sees the same."""
    assert re.search(rf"run: (sudo )?make {step}$", CI, re.MULTILINE)


def test_each_target_that_a_workflow_makes_exists():
    """In the Makefile, with a line that says what it is for."""
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    made = {
        name for path in WORKFLOWS for name in re.findall(r"\bmake ([\w-]+)$", path.read_text(), re.MULTILINE)
    }

    assert made <= targets


def test_the_workflow_runs_the_pythons_that_are_claimed():
    """Each classifier has its job."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    claimed = {each.rpartition(" ")[2] for each in project["classifiers"] if "Python :: 3." in each}
    (listed,) = re.findall(r"python: \[(.*)\]", CI)

    assert claimed <= set(re.findall(r'"(3\.\d+)"', listed))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_job_has_a_limit_and_few_rights(path):
    """A job that hangs ends; a token may read, and no more."""
    text = path.read_text()

    assert text.count("timeout-minutes:") == text.count("runs-on:")
    assert "permissions:\n  contents: read" in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_each_workflow_is_one(path):
    """By the schema of GitHub."""
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed (group lint)")
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        str(path),
    ]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 0, done.stdout + done.stderr


def imports(folder):
    """The first parts of what the files of a folder import, with the files."""
    pattern = re.compile(r"^\s*(?:from|import) (\w+)", re.MULTILINE)
    return {
        (name, path.name)
        for path in (ROOT / folder).rglob("*.py")
        for name in pattern.findall(path.read_text())
    }


def test_tests_and_benchmarks_import_nothing_of_each_other():
    """Either can be changed, or run, alone."""
    assert {each for each in imports("tests") if each[0] == "benchmarks"} == set()
    assert {each for each in imports("benchmarks") if each[0] == "tests"} == set()
    assert {each for each in imports("examples") if each[0] in ("tests", "benchmarks")} == set()

"""What continuous integration runs: the steps of .ci/run, on the Pythons that the package claims."""

from __future__ import annotations

import os
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


@pytest.mark.skipif(sys.platform == "win32", reason="it is a script of bash")
@pytest.mark.parametrize(
    ("fails", "code", "made"),
    [
        ("never", 0, len(STEPS)),
        ("'test '", 0, len(STEPS) + 1),
        ("'test '|'test FAILED=1'", 1, STEPS.index("test") + 2),
        ("'lint '", 1, STEPS.index("lint") + 1),
    ],
)
def test_what_failed_has_a_second_look_and_no_third(tmp_path, fails, code, made):
    """Only tests have one: what fails twice fails CI, and nothing runs after it."""
    make = tmp_path / "make"
    make.write_text(f'#!/bin/sh\necho "$@" >>"{tmp_path}/made"\ncase "$1 $2" in {fails}) exit 1;; esac\n')
    make.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}

    done = subprocess.run(["bash", ROOT / ".ci/run"], env=environment, capture_output=True, timeout=60)

    assert done.returncode == code
    assert len((tmp_path / "made").read_text().splitlines()) == made


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


def test_each_workflow_is_one():
    """By the schema of GitHub."""
    pytest.importorskip("check_jsonschema", reason="check-jsonschema is not installed (group lint)")
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, WORKFLOWS),
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

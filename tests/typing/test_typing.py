"""The package as type checkers see it: a user's file, and one with a user's mistakes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
RIGHT, WRONG = HERE / "right.py", HERE / "wrong.py"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def mypy_says(tmp_path_factory):
    """The complaints of mypy --strict, as ``(file name, line)``."""
    pytest.importorskip("mypy")
    cache = tmp_path_factory.mktemp("mypy")
    options = ["--strict", "--no-error-summary", "--cache-dir", str(cache)]
    done = run("mypy", *options, str(RIGHT), str(WRONG))
    found = [
        (Path(name).name, int(line)) for name, line in re.findall(r"^(.+?):(\d+): error:", done, re.MULTILINE)
    ]
    assert found, done
    return found


@pytest.fixture(scope="session")
def pyright_says():
    """The complaints of pyright, which the files ask to be strict, as ``(file name, line)``."""
    pytest.importorskip("pyright")
    done = run("pyright", "--outputjson", "--pythonpath", sys.executable, str(RIGHT), str(WRONG))
    if not done.lstrip().startswith("{"):
        pytest.skip(f"pyright did not start: {done.strip()[:200]}")
    found = [
        (Path(each["file"]).name, each["range"]["start"]["line"] + 1)
        for each in json.loads(done)["generalDiagnostics"]
        if each["severity"] == "error"
    ]
    assert found, done
    return found


def run(module, *arguments):
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240).stdout


def mistakes():
    lines = enumerate(WRONG.read_text().splitlines(), 1)
    return {("wrong.py", number) for number, line in lines if line.endswith("# wrong")}


@pytest.mark.parametrize("checker", ["mypy_says", "pyright_says"])
def test_a_users_file_is_clean(checker, request):
    """Fixtures, marks and objects need no cast and no ignore."""
    assert [each for each in request.getfixturevalue(checker) if each[0] == "right.py"] == []


@pytest.mark.parametrize("checker", ["mypy_says", "pyright_says"])
def test_each_mistake_is_reported(checker, request):
    """A misspelt keyword, a value of the wrong kind, a bare mark: on its own line, and on no other."""
    found = {each for each in request.getfixturevalue(checker) if each[0] == "wrong.py"}

    assert found == mistakes()
    assert len(found) >= 20

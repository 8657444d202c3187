"""Which code is the project's."""

import asyncio
import json.decoder
import os
from fnmatch import fnmatch

import pytest

import pytest_wsstability
from pytest_wsstability.core import project_code
from pytest_wsstability.core.project_code import imported, is_of_project

HERE = os.path.dirname(pytest_wsstability.__file__)


@pytest.mark.parametrize(
    "path",
    [
        os.__file__,
        json.decoder.__file__,
        asyncio.__file__,
        project_code.__file__,
        os.path.join(HERE, "net", "websocket.py"),
        os.path.join(os.sep, "home", "me", ".venv", "lib", "site-packages", "uvicorn", "server.py"),
        os.path.join(os.sep, "usr", "lib", "python3", "dist-packages", "tornado", "web.py"),
        "<frozen importlib._bootstrap>",
    ],
    ids=os.path.basename,
)
def test_a_librarys_file_is_none_of_the_project(path):
    assert not is_of_project(path)


@pytest.mark.parametrize(
    "path",
    [
        __file__,
        "app.py",
        "<string>",
        os.path.join(os.sep, "home", "me", "app", "server.py"),
        # Neither a name that has it in it, nor a neighbour whose name begins as ours.
        os.path.join(os.sep, "home", "me", "my-site-packages", "server.py"),
        f"{HERE}_of_ours.py",
    ],
)
def test_all_other_files_are(path):
    assert is_of_project(path)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (
            "import no_such_library",
            "ModuleNotFoundError: No module named 'no_such_library', at {file}:1 (<module>)",
        ),
        ("A = 1\n1 / 0", "ZeroDivisionError: division by zero, at {file}:2 (<module>)"),
        (
            "from json import nothing",
            "ImportError: cannot import name 'nothing' from 'json' (*), at {file}:1 (<module>)",
        ),
        ("import json\njson.loads()", "TypeError: loads() missing *, at {file}:2 (<module>)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3, at {file}:2 (<module>)"),
        ("OURS = (", "SyntaxError: '(' was never closed (failing_module.py, line 1)"),
    ],
    ids=["library", "error", "name", "arguments", "exit", "syntax"],
)
def test_a_module_that_fails_is_not_said_to_be_missing(tmp_path, monkeypatch, code, words):
    """With what it raises, and where."""
    file = tmp_path / "failing_module.py"
    file.write_text(code)
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ValueError, match=r"^importing failing_module failed: ") as caught:
        imported("failing_module")
    pattern = f"importing failing_module failed: {words.format(file=file)}"
    assert fnmatch(str(caught.value), pattern)


@pytest.mark.parametrize("name", ["no_such_module", "no_such_module.deep", "", ".relative"])
def test_a_module_that_is_not_there(name):
    with pytest.raises(ModuleNotFoundError):
        imported(name)

"""Which code is the project's."""

import asyncio
import json.decoder
import os

import pytest

import pytest_wsstability
from pytest_wsstability.virtual import project_code
from pytest_wsstability.virtual.project_code import is_of_project

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

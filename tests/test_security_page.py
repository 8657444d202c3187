"""SECURITY.md promises nothing that no test shows."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))


@cache
def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("name", NAMED)
def test_each_test_that_is_named_exists(name):
    """In its file, as a test."""
    path, _, function = name.partition("::")

    assert function == "" or function in names_in(path)


def test_each_promise_names_its_test():
    """The last cell of each row is one."""
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    heads = [row for row in rows if row[-1].strip() == "shown by"]
    bodies = [row for row in rows if row not in heads]

    assert len(heads) >= 5
    assert [row for row in bodies if not re.search(r"`tests/[\w/]+\.py::test_\w+`", row[-1])] == []

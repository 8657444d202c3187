"""A walk through docs/architecture.md finds every file and every name that it mentions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "pytest_wsstability"
PAGES = {name: (ROOT / name).read_text() for name in ("docs/architecture.md", "CONTRIBUTING.md")}
PAGE = PAGES["docs/architecture.md"]
# A path between backticks: with a slash in it, or with a suffix that files have.
PATH = re.compile(r"`([\w./*-]*/[\w./*-]*|[\w*.-]+\.(?:py|md|toml|txt|yaml|json))`")
# What stands in a file: `path`: `Name` or `Name.method`.
NAMED = re.compile(r"`([\w/.]+\.py)`: `(\w+)(?:\.(\w+))?`")

PATHS = [(page, path) for page, text in PAGES.items() for path in PATH.findall(text)]
ROWS = [line for line in PAGE.partition("## How to add")[2].splitlines() if line.startswith("| a")]


def found(path):
    """The files of a path, in the package or in the repository; it may have stars."""
    return [*PACKAGE.glob(path.rstrip("/")), *ROOT.glob(path.rstrip("/"))]


def definitions(source):
    """The names that a module defines, and those that each of its classes does."""
    names: dict[str, set[str]] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            names[node.name] = {
                each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names[node.name] = set()
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {each.id: set() for each in targets if isinstance(each, ast.Name)}
    return names


def test_a_path_that_a_page_names_exists():
    """In the package, or in the repository."""
    assert [(page, path) for page, path in PATHS if not found(path)] == []


def test_a_name_stands_where_the_page_says():
    """A function, a class, a method or a table of that file."""
    lost = []
    for path, name, member in NAMED.findall("".join(PAGES.values())):
        names = definitions((PACKAGE / path).read_text())
        if name not in names or (member and member not in names[name]):
            lost.append(f"{path}: {name}.{member}")

    assert lost == []


def test_the_walks_are_found():
    """The patterns above see what the page says."""
    assert len(NAMED.findall(PAGE)) > 40
    assert len(PATH.findall(PAGE)) > 60


def test_every_room_is_on_the_map():
    """A room that is added is explained."""
    rooms = {path.parent.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("__init__.py")} - {"."}
    shown = {path.rstrip("/") for path in PATH.findall(PAGE.partition("## Walk 1")[0])}
    # What a room is for is said with the room, and not again for its own parts.
    small = {room for room in rooms if room.startswith(("plugin/", "report/", "core/voice"))}

    assert rooms - small <= shown


def test_what_is_added_touches_four_files_at_most():
    """What takes more is in the wrong shape."""
    touched = {row: len(PATH.findall(row.split(" | ")[1])) for row in ROWS}

    assert ROWS
    assert {row: files for row, files in touched.items() if not 1 <= files <= 4} == {}

"""Which tests run a line: from one run of the tests under coverage, with a context for each test."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import coverage

from .sites import PACKAGE, Site

# The tests that stand for a room: its own, which are quick, and no others.
TESTS = ("tests/core", "tests/profiles", "tests/virtual")
# Data that is made on import, by where it is: pages have each number of it once more, and tests read them.
PAGES = {
    "profiles/": "tests/profiles/test_pages.py::",
    "core/known_timers.py": "tests/core/diagnosis/test_confusion.py::test_the_page_of_causes",
}
MARKS = "not slow and not soak and not real and not servers"


class Covering:
    """
    The tests for each site.

    Args:
        tree: the copy of the repository that was measured.
        data: coverage's data file.
        times: seconds of each test by its id.

    """

    def __init__(self, tree: Path, data: Path, times: Path) -> None:
        self.tree = tree
        self.times: dict[str, float] = json.loads(times.read_text())
        measured = coverage.CoverageData(str(data))
        measured.read()
        self._lines: dict[str, dict[int, list[str]]] = {
            Path(name).relative_to(tree / PACKAGE).as_posix(): measured.contexts_by_lineno(name)
            for name in measured.measured_files()
        }
        self._sources = {
            path.relative_to(tree / PACKAGE).as_posix(): path.read_text().splitlines()
            for path in (tree / PACKAGE).rglob("*.py")
        }
        self._imports = {
            file: _imports(tree / file) for file in {test.partition("::")[0] for test in self.times}
        }
        self._trees = {name: ast.parse("\n".join(lines)) for name, lines in self._sources.items()}

    def tests(self, site: Site) -> list[str]:
        """
        The tests that run a site's statement, those of the mirrored file first, then the quick ones.

        What runs on import runs in no test: for it stand the tests of the files that import it, those of the
        pages that have its numbers, and where no test runs it again, those that run a line with one of the
        names that it makes.

        """
        lines = self._statement(site)
        found = self._at(site.path, lines)
        if not found:
            found = {test for name in self._names(site) for test in self._users(name)}
        if self._runs_on_import(site.path, lines):
            found.update(self.of_files(self._importing(site.path)))
            pages = [test for path, test in PAGES.items() if site.path.startswith(path)]
            found |= {test for test in self.times if test.startswith(tuple(pages))}
        if not found:
            found = {test for line in self._lines.get(site.path, {}).values() for test in line if test}
        stem = Path(site.path).stem

        def rank(test: str) -> tuple[bool, float]:
            return (f"test_{stem}.py" not in test, self.times.get(test, 0.0))

        return sorted(found, key=rank)

    def _runs_on_import(self, path: str, lines: Iterable[int]) -> bool:
        """Whether it does, as far as is known: what runs in no test may have been run by no test either."""
        contexts = self._lines.get(path, {})
        return any("" in contexts.get(line, ()) for line in lines) or not self._at(path, lines)

    def of_files(self, files: Iterable[str]) -> list[str]:
        """All tests of these files."""
        wanted = set(files)
        return [test for test in self.times if test.partition("::")[0] in wanted]

    def _importing(self, path: str) -> set[str]:
        """The files of tests that import a file, be it from its room, and the one that mirrors it."""
        module = f"{PACKAGE}.{path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
        room, _, name = module.rpartition(".")
        door = self.tree / PACKAGE / Path(path).parent / "__init__.py"
        modules = {module, room} if name in _imports(door) else {module}
        mirror = f"test_{Path(path).name}"
        return {file for file, known in self._imports.items() if known & modules or Path(file).name == mirror}

    def quickest(self, count: int) -> list[str]:
        """So many tests, of all files."""
        return sorted(self.times, key=lambda test: self.times[test])[:count]

    def _at(self, path: str, lines: Iterable[int]) -> set[str]:
        contexts = self._lines.get(path, {})
        return {test for line in lines for test in contexts.get(line, ()) if test}

    def _statement(self, site: Site) -> range:
        """The lines of the smallest statement at a site, without the statements in it."""
        around = self._around(site)
        if not around:
            return range(site.line, site.line + 1)
        smallest = min(around, key=lambda node: (node.end_lineno or 0) - node.lineno)
        body = getattr(smallest, "body", None)
        end = body[0].lineno if isinstance(body, list) and body else (smallest.end_lineno or 0) + 1
        return range(smallest.lineno, max(end, site.line + 1))

    def _around(self, site: Site) -> list[ast.stmt]:
        nodes = ast.walk(self._trees[site.path])
        statements = [node for node in nodes if isinstance(node, ast.stmt)]
        return [node for node in statements if node.lineno <= site.line <= (node.end_lineno or 0)]

    def _names(self, site: Site) -> set[str]:
        """What the statements around a site make: names of modules and classes, classes, functions."""
        names: set[str] = set()
        for node in self._around(site):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                made = (each for target in node.targets for each in ast.walk(target))
                names |= {each.id for each in made if isinstance(each, ast.Name)}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
        # Every class has an `__init__`.
        return {name for name in names if not name.startswith("__")}

    def _users(self, name: str) -> set[str]:
        word = re.compile(rf"\b{re.escape(name)}\b")
        found: set[str] = set()
        for path, lines in self._sources.items():
            found |= self._at(path, (number for number, line in enumerate(lines, 1) if word.search(line)))
        return found


def _imports(path: Path) -> set[str]:
    """The modules that a file imports names from."""
    nodes = ast.walk(ast.parse(path.read_text())) if path.exists() else ()
    return {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


def measure(tree: Path, folder: Path, tests: Iterable[str] = TESTS) -> Covering:
    """Run the tests once in a copy of the repository."""
    data, times = folder / "coverage", folder / "times.json"
    settings = folder / "coveragerc"
    settings.write_text(f"[run]\nsource_pkgs = {PACKAGE}\ndata_file = {data}\n")
    command = [
        sys.executable, "-m", "coverage", "run", f"--rcfile={settings}", "-m", "pytest", "-q", "-x",
        "-p", "no:cacheprovider", "-p", "tests.mutation.contexts",
        "-m", MARKS, *tests,
    ]  # fmt: skip
    environment = {**os.environ, "MUTATION_TIMES": str(times), "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(
            f"the tests must pass before anything is broken:\n{done.stdout[-3000:]}{done.stderr[-2000:]}"
        )
    return Covering(tree, data, times)

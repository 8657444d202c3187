"""The house rules, read from the source: who may import whom, and how large a thing may grow."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "pytest_wsstability"
ROOT = Path(__file__).parent.parent
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(), filename=str(path)) for name, path in FILES.items()}

# A room, and the rooms that it knows.
ROOMS = {
    "core": {"core"},
    "profiles": {"core", "profiles"},
    "net": {"core", "profiles", "net"},
    "virtual": {"core", "profiles", "net", "virtual"},
    "report": {"core", "report"},
    "plugin": {"core", "profiles", "net", "virtual", "report", "plugin"},
    "cli": {"core", "profiles", "net", "virtual", "report", "cli"},
}
# Pure rooms have no clock, no sockets, no loop and no threads.
IMPURE = {
    "asyncio", "concurrent", "datetime", "multiprocessing", "os", "select", "selectors", "signal", "socket",
    "ssl", "subprocess", "threading", "time",
}  # fmt: skip
PURE_ROOMS = {"core", "profiles"}
# What the plugin loads in every test run of every project that has it installed.
ALWAYS_LOADED = {
    PACKAGE,
    *(
        f"{PACKAGE}.{name}"
        for name in (
            "plugin",
            "plugin.hooks",
            "plugin.options",
            "plugin.markers",
            "plugin.hookspecs",
            "plugin.fixtures",
        )
    ),
}


def room(module: str) -> str:
    """The folder of a module; empty for a root module and for what is not ours."""
    parts = module.split(".")
    inside = parts[0] == PACKAGE and len(parts) > 1 and (ROOT / PACKAGE / parts[1]).is_dir()
    return parts[1] if inside else ""


def imports(module: str, nodes: Iterator[ast.AST]) -> Iterator[tuple[str, str]]:
    """What is imported, as ``(module, name)``, relative names resolved; no name for ``import x``."""
    package = module if FILES[module].name == "__init__.py" else module.rpartition(".")[0]
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield (inner, "") if inner in FILES else (source, alias.name)


def at_runtime(tree: ast.Module, *, functions: bool) -> Iterator[ast.AST]:
    """The nodes that are no type checker's only: those that run on load, or those in functions too."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif functions or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def everything(module: str) -> set[tuple[str, str]]:
    return set(imports(module, ast.walk(TREES[module])))


in_rooms = pytest.mark.parametrize("module", [name for name in FILES if room(name)])
each = pytest.mark.parametrize("module", FILES)


def test_the_house_is_found():
    """These rules read real files."""
    assert {"pytest_wsstability.core.judge.rules", "pytest_wsstability.net.websocket"} <= set(FILES)
    assert ("pytest_wsstability.core.timeline.timeline", "Timeline") in everything(
        "pytest_wsstability.core.judge.rules"
    )
    assert ("pytest_wsstability.core.judge.assertions", "") in everything("pytest_wsstability.net.connection")
    assert {room(name) for name in FILES} <= {"", *ROOMS}


@in_rooms
def test_a_room_knows_its_rooms_only(module):
    """core <- profiles <- net <- virtual; report knows core; plugin and cli know all."""
    known = {f"{PACKAGE}.{name}" for name in ROOMS[room(module)]}
    ours = {source for source, _ in everything(module) if source.split(".")[0] == PACKAGE}
    # The faces may name the package itself: its version.
    root = {PACKAGE} if room(module) in ("plugin", "cli") else set()

    assert {source for source in ours if ".".join(source.split(".")[:2]) not in known} <= root


@in_rooms
def test_only_the_plugin_knows_pytest(module):
    """What holds connections and judges them works without pytest, whose names may stand in annotations."""
    if room(module) == "plugin":
        return
    used = {source for source, _ in imports(module, at_runtime(TREES[module], functions=True))}

    assert {source for source in used if source.split(".")[0] in ("pytest", "_pytest")} == set()


@each
def test_private_parts_of_others_stay_private(module):
    """Nothing of _pytest, no underscored name of websockets or pytest, no I/O layer of websockets."""
    foreign = [(source.split("."), name) for source, name in everything(module)]

    for parts, name in foreign:
        assert parts[0] != "_pytest"
        if parts[0] in ("websockets", "pytest", "pytest_asyncio", "pluggy"):
            assert not any(part.startswith("_") for part in (*parts, name))
        if parts[0] == "websockets":
            assert {"asyncio", "legacy", "sync", "trio"}.isdisjoint([*parts[1:2], name])


@pytest.mark.parametrize("module", [name for name in FILES if room(name) in PURE_ROOMS])
def test_pure_rooms_stay_pure(module):
    """The standard library's arithmetic and text: nothing that waits, tells the time or opens a socket."""
    foreign = {source.split(".")[0] for source, _ in everything(module)} - {PACKAGE}

    assert foreign & IMPURE == set()
    assert foreign - sys.stdlib_module_names == set()


@pytest.mark.parametrize("module", [name for name in FILES if room(name) in {"core", "profiles", "net"}])
def test_no_second_clock(module):
    """Time is the loop's, or is given: no wall clock, and no sleep of a thread."""
    calls = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }

    assert calls & {"time.time", "time.sleep", "time.monotonic", "time.perf_counter", "datetime.now"} == set()
    assert not any(source == "time" and name for source, name in everything(module))


def test_no_module_is_named_for_nothing():
    """A module is named for what it does."""
    assert {
        name for name in FILES if name.rpartition(".")[2] in ("utils", "util", "helpers", "common", "misc")
    } == set()


@each
def test_only_the_plugin_defines_hooks(module):
    """
    plugin/hooks.py tells what the plugin does to every test run, running.py what it does to its own tests;
    hookspecs.py declares hooks of its own.

    progress.py is a plugin beside it, with a name of its own, so that it can be switched off alone.

    """
    functions = {
        node.name
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("pytest_")
    }
    if module in (
        f"{PACKAGE}.plugin.hooks",
        f"{PACKAGE}.plugin.running",
        f"{PACKAGE}.plugin.soaks.progress",
    ):
        return
    if module == f"{PACKAGE}.plugin.hookspecs":
        functions = {name for name in functions if not name.startswith("pytest_wsstability_")}

    assert functions == set()


@each
def test_a_file_has_less_than_400_lines(module):
    """What is longer is two things."""
    assert len(FILES[module].read_text().splitlines()) < 400


@each
def test_a_function_has_less_than_50_lines(module):
    """Its docstring not counted."""
    lengths = {}
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0]
            doc = first if ast.get_docstring(node, clean=False) is not None else None
            lengths[node.name] = node.end_lineno - node.lineno + 1
            if doc is not None:
                lengths[node.name] -= doc.end_lineno - doc.lineno + 1

    assert {name: lines for name, lines in lengths.items() if lines >= 50} == {}


def test_no_import_goes_round_in_a_circle():
    """Modules can be read, and loaded, from the bottom up."""
    graph = {
        name: {source for source, _ in imports(name, at_runtime(tree, functions=False)) if source in FILES}
        for name, tree in TREES.items()
    }
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name not in done:
            for source in sorted(graph[name]):
                visit(source, (*path, name))
            done.add(name)

    for name in FILES:
        visit(name, ())


@pytest.mark.parametrize("module", sorted(ALWAYS_LOADED & set(FILES)))
def test_what_is_always_loaded_is_cheap(module):
    """websockets, net, virtual and report load on first use."""
    loaded = {source for source, _ in imports(module, at_runtime(TREES[module], functions=False))}

    assert {source for source in loaded if source.split(".")[0] == "websockets"} == set()
    assert {source for source in loaded if room(source) in {"net", "virtual", "report"}} == set()


def test_installed_but_unused_loads_nothing():
    """What the entry point really pulls in, in a fresh interpreter."""
    script = f"import sys, {PACKAGE}.plugin.hooks; print('\\n'.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout.split()  # fmt: skip

    assert f"{PACKAGE}.plugin.hooks" in loaded
    assert {name for name in loaded if name.split(".")[0] == "websockets"} == set()
    assert {name for name in loaded if room(name) in {"net", "virtual", "report"}} == set()

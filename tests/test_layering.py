"""The house rules, applied to the package, and each shown to fail on a small made-up tree."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.layering import (
    PACKAGE,
    ROOMS,
    RULES,
    Import,
    Tree,
    circles,
    circles_of_rooms,
    lazy_imports,
    metaphors,
    one_class_a_name,
    only_the_plugin_knows_pytest,
    parsed_sentences,
    private_attributes,
    private_imports,
    pure_rooms,
    room_of,
    rooms_inside_rooms,
    rooms_know_their_rooms,
    stash_keys,
)

ROOT = Path(__file__).parent.parent
HOUSE = Tree.read(ROOT / PACKAGE)
# What users import by name, beside the rooms.
PUBLIC = {"faults", "fleet", "marks", "probe", "strategies", "voice"}

# Those who tell pytest what the plugin does: to every test run, to its own tests, and plugins of their own:
# one shows progress, so that it can be switched off alone, one keeps artifacts where they are asked for.
HOOKS = {
    "plugin.hooks", "plugin.running", "plugin.reports.artifacts", "plugin.soaks.progress", "plugin.workers",
}  # fmt: skip

# What the plugin loads in every test run of every project that has it installed.
ALWAYS_LOADED = {
    "plugin", "plugin.hooks", "plugin.options", "plugin.settings", "plugin.markers", "plugin.hookspecs",
    "plugin.stash",
}  # fmt: skip


# What the command loads before it knows which of its commands is asked for.
BEFORE_A_COMMAND = {
    "core", "core.version", "core.redact", "core.secret_forms", "core.secret_names", "core.secret_places",
    "core.secret_shapes", "core.secret_values", "core.unescaped", "core.unfolded", "cli", "cli.exits",
    "cli.output", "cli.stopping", "core.secret_structures",
}  # fmt: skip


# The package


def test_the_house_is_found():
    """These rules read real files."""
    assert {"", "core.judge", "core.judge.rules", "net.websocket"} <= set(HOUSE.trees)
    assert Import("core.assertions", "", True, False, False) in HOUSE.imports["net.connection"]
    assert {room_of(module) for module in HOUSE.trees} - {"", *PUBLIC} == set(ROOMS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps(rule):
    """No rule of the house is broken."""
    assert list(rule(HOUSE)) == []


def test_no_second_clock():
    """Time is the loop's, or is given: no wall clock, and no sleep of a thread."""
    clocks = {"time.time", "time.sleep", "time.monotonic", "time.perf_counter", "datetime.now"}
    modules = [name for name in HOUSE.trees if room_of(name) in {"core", "profiles", "net"}]
    calls = {
        (module, f"{node.value.id}.{node.attr}")
        for module in modules
        for node in ast.walk(HOUSE.trees[module])
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    imported = [found for module in modules for found in HOUSE.imports[module] if found.source == "time"]

    # A message may say what time of day it is, and a look tells whether the clock is the real one: nothing
    # is measured with them.
    others = {("net.conversing", "time.time"), ("net.health", "time.monotonic")}
    assert {call for call in calls if call[1] in clocks} == others
    assert not any(found.name for found in imported)


def test_no_module_is_named_for_nothing():
    """A module is named for what it does."""
    names = {name.rpartition(".")[2] for name in HOUSE.trees}

    assert names & {"utils", "util", "helpers", "common", "misc"} == set()


def test_the_root_is_a_hall():
    """At most fifteen entries stand in the package's root, so that the rooms are seen."""
    entries = {path.name for path in (ROOT / PACKAGE).iterdir()} - {"__pycache__"}

    assert len(entries) <= 15, sorted(entries)


def functions():
    """Each function of the package, with its module."""
    for module, tree in HOUSE.trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield module, node


def test_only_the_plugin_defines_hooks():
    """One file tells what the plugin does to every test run; hookspecs.py declares hooks of its own."""
    hooks = {(module, node.name) for module, node in functions() if node.name.startswith("pytest_")}
    own = {hook for hook in hooks if hook[0] == "plugin.hookspecs"}

    assert {module for module, _ in hooks - own} == HOOKS
    assert all(name.startswith("pytest_wsstability_") for _, name in own)


def test_a_file_of_400_lines_is_one_class():
    """A file is as long as its job: what is longer, and not mainly one class, is two things."""
    long = {}
    for module, source in HOUSE.sources.items():
        lines = len(source.splitlines())
        classes = (node for node in HOUSE.trees[module].body if isinstance(node, ast.ClassDef))
        longest = max((node.end_lineno - node.lineno for node in classes), default=0)
        if lines >= 400 and longest <= lines / 2:
            long[module] = lines

    assert long == {}


def test_a_function_has_less_than_50_lines():
    """Its docstring not counted."""
    lengths = {}
    for module, node in functions():
        first = node.body[0]
        length = node.end_lineno - node.lineno + 1
        if ast.get_docstring(node, clean=False) is not None:
            length -= first.end_lineno - first.lineno + 1
        lengths[module, node.name] = length

    assert {where: length for where, length in lengths.items() if length >= 50} == {}


def test_installed_but_unused_loads_nothing():
    """What the entry point pulls in, in a fresh interpreter: websockets and the rooms load on first use."""
    ours, websockets = loaded_by(f"import {PACKAGE}.plugin.hooks")

    assert ours == ALWAYS_LOADED
    assert websockets == set()


def test_the_help_of_the_command_loads_no_command():
    """One gate: a command's module, and all that it imports at its top, waits until it is asked for."""
    ours, websockets = loaded_by(f"from {PACKAGE}.cli import main", "main(['--help'])")

    assert ours == BEFORE_A_COMMAND
    assert websockets == set()


def loaded_by(*lines):
    """The modules of ours, and those of websockets, that a fresh interpreter has loaded by its end."""
    at_exit = r"import atexit, sys; atexit.register(lambda: print(*sys.modules, sep='\n'))"
    printed = subprocess.run(
        [sys.executable, "-c", "\n".join([at_exit, *lines])],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    ).stdout.split()  # fmt: skip
    ours = {name.removeprefix(f"{PACKAGE}.") for name in printed if name.startswith(f"{PACKAGE}.")}
    return ours, {name for name in printed if room_of(name) == "websockets"}


# Each rule on a made-up tree


def broken(rule, **sources):
    """What a rule finds in a tree of modules, whose dots are written as two underscores."""
    tree = Tree({name.replace("__", "."): text for name, text in sources.items()})
    return [(found.module, found.what) for found in rule(tree)]


def test_a_circle_by_a_lazy_import_is_found():
    """That an import waits for the first call hides a circle from Python, not from the reader."""
    sources = {"core__a": "from .b import b", "core__b": "def b():\n    from . import a"}

    assert broken(circles, **sources) == [("core.a", "core.a <-> core.b")]
    assert broken(lazy_imports, **sources) == [("core.b", "imports core.a in a function")]
    assert broken(circles, core__a="from .b import b", core__b="from .c import c", core__c="") == []


def test_a_circle_by_an_annotation_is_found():
    """Two files that name each other are read together, or not at all."""
    source = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .a import A"

    assert broken(circles, net__a="from .b import b", net__b=source) == [("net.a", "net.a <-> net.b")]


def test_a_circle_of_three_rooms_is_found():
    """Files in rooms may make a circle of rooms without making one of files."""
    sources = {
        "plugin__x": "from .soaks.a import a",
        "plugin__soaks__a": "",
        "plugin__soaks__b": "from ..x import x",
    }

    assert broken(circles, **sources) == []
    assert broken(circles_of_rooms, **sources) == [("plugin.soaks", "plugin.soaks <-> plugin.x")]


@pytest.mark.parametrize(
    "line",
    [
        "from ..plugin import markers",
        "from pytest_wsstability.plugin.markers import plan_of",
        "import pytest_wsstability.plugin",
        "def f():\n    from ..plugin.markers import plan_of",
        "if TYPE_CHECKING:\n    from ..plugin.markers import Plan",
    ],
)
def test_plugin_imported_from_net_is_found(line):
    """In whichever way it is written."""
    ((module, _),) = broken(rooms_know_their_rooms, net__a=line, plugin__markers="")

    assert module == "net.a"


def test_a_room_may_import_those_below():
    """core <- profiles <- net <- virtual; and the faces know the package's version."""
    sources = {
        "": "",
        "core__a": "from . import b",
        "core__b": "",
        "virtual__a": "from ..net import a",
        "net__a": "from ..core.a import x",
        "cli__a": "from .. import __version__",
    }

    assert broken(rooms_know_their_rooms, **sources) == []
    assert broken(rooms_know_their_rooms, **sources, report__a="from ..net import a") == [
        ("report.a", "imports net.a")
    ]


def test_the_order_of_the_rooms_in_core_is_kept():
    """timeline <- judge <- diagnosis <- message; values beside the rooms are known to all."""
    sources = {
        "core__duration": "",
        "core__timeline__a": "from ..duration import x",
        "core__judge__a": "from ..timeline.a import x",
        "core__diagnosis__a": "from ..judge import a",
    }
    upwards = "if TYPE_CHECKING:\n    from ..diagnosis.a import Row"

    assert broken(rooms_inside_rooms, **sources) == []
    assert broken(rooms_inside_rooms, **sources, core__judge__b=upwards) == [
        ("core.judge.b", "imports core.diagnosis.a")
    ]


def test_pytest_outside_of_the_plugin_is_found():
    """For annotations too: a name that pytest gives is the plugin's."""
    source = "if TYPE_CHECKING:\n    import pytest"

    assert broken(only_the_plugin_knows_pytest, virtual__a=source) == [("virtual.a", "imports pytest")]
    assert broken(only_the_plugin_knows_pytest, plugin__a="import pytest") == []


@pytest.mark.parametrize("line", ["import asyncio", "from time import monotonic", "import websockets"])
def test_an_impure_core_is_found(line):
    """Nothing that waits, tells the time or opens a socket, and nothing that must be installed."""
    assert len(broken(pure_rooms, core__a=line)) == 1
    assert broken(pure_rooms, net__a=line) == []


@pytest.mark.parametrize(
    "line",
    [
        "import _pytest.fixtures",
        "from asyncio import _get_running_loop",
        "from websockets.asyncio import client",
    ],
)
def test_a_private_import_is_found(line):
    assert len(broken(private_imports, plugin__a=line)) == 1


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("def f(item): return item._fixtureinfo", "item._fixtureinfo"),
        ("def f(protocol): return protocol._x", "protocol._x"),
        ("def f(loop): loop._ready.clear()", "loop._ready"),
        ("def f(loop): return getattr(loop, '_ready', None)", "getattr(loop, '_ready', None)"),
        (
            "class A:\n def __init__(self, protocol): self._x = protocol\n def f(self): return self._x._x",
            "self._x._x",
        ),
        ("class A:\n _x = 1\ndef f(protocol: Protocol): return protocol._x", "protocol._x"),
        ("class A(asyncio.Protocol):\n def f(self): return self._loop", "self._loop"),
        ("class A(asyncio.SelectorEventLoop):\n def _run_once(self): pass", "overrides _run_once"),
        ("class A(asyncio.SelectorEventLoop):\n def f(self): self._ready = []", "self._ready"),
        ("from core.b import B\nclass A(B):\n def f(self): return self._x", "self._x"),
    ],
)
def test_a_private_attribute_of_another_is_found(body, what):
    """Of an object that this file did not define, however it is reached."""
    sources = {"net__a": f"import asyncio\n{body}", "core__b": "class B: pass"}

    assert broken(private_attributes, **sources) == [("net.a", what)]


@pytest.mark.parametrize(
    "body",
    [
        "class A:\n def __init__(self): self._x = 1\n def f(self, other: A): return self._x + other._x",
        "class A:\n __slots__ = ('_x',)\n def f(self, others: list[A]): return [each._x for each in others]",
        "class A:\n _x = 1\n @classmethod\n def of(cls):\n  made = cls()\n  made._x = 2",
        "from core.b import B\nclass A(B):\n def f(self): return self._y",
        "def f(t): return t._replace(a=1)",
        "import asyncio\nclass A(asyncio.Protocol):\n def f(self): self._mine = 1",
    ],
)
def test_a_private_attribute_of_ones_own_is_left_alone(body):
    """Also of another object of the same class, and of the class of ours that it extends."""
    assert broken(private_attributes, net__a=body, core__b="class B:\n _y = 1") == []


def test_a_seam_may_touch_what_it_lists():
    """The one file a library touches the private names that stand in its own table, and no other."""
    source = "NAMES = ('_ready',)\ndef f(loop): return loop._ready, loop._selector"

    assert broken(private_attributes, virtual__asyncio_seam=source) == [
        ("virtual.asyncio_seam", "loop._selector")
    ]


@pytest.mark.parametrize(
    "line",
    [
        "found = reason.startswith('fault ')",
        "found = (close.local_reason or '').startswith(words)",
        "found = 'the handler raised' in close.local_reason",
        "found = any(word in f.reason for word in words)",
        "found = str(error) == 'timed out'",
        "found = close.reason == 'pongs'",
        "found = re.search('deadline of (.*) s', text)",
        "name = injected.removeprefix('fault ')",
    ],
)
def test_a_sentence_that_is_parsed_is_found(line):
    """From the record to its cause, a fact is an enum or a field."""
    assert len(broken(parsed_sentences, core__diagnosis__a=line)) == 1


@pytest.mark.parametrize(
    "line",
    ["found = reason in REASONS", "found = close.reason is Reason.HANDLER", "found = code in (1000, 1001)"],
)
def test_an_enum_may_be_compared(line):
    assert broken(parsed_sentences, core__diagnosis__a=line) == []


@pytest.mark.parametrize(
    "line",
    ["class Tape: pass", "def strike_now(): pass", "x.deeds", "def f(chance): pass", "class Kind: pass"],
)
def test_a_metaphor_is_found(line):
    """A name says what the thing is in the field."""
    assert len(broken(metaphors, net__a=line)) == 1
    assert broken(metaphors, net__a="def apply_fault(order): return order.bookkeeping") == []
    assert broken(metaphors, net__a="class LineKind: pass") == []


def test_a_class_name_of_two_is_found():
    """Whoever reads it anywhere knows which one is meant."""
    assert broken(one_class_a_name, net__a="class A: pass", core__b="class B: pass") == []
    assert broken(one_class_a_name, net__a="class A: pass", core__b="class A: pass") == [
        ("net.a", "class A"),
        ("core.b", "class A"),
    ]


@pytest.mark.parametrize("source", ["key = pytest.StashKey[int]()", "key: StashKey[int] = StashKey()"])
def test_stash_keys_in_two_modules_are_found(source):
    """One module lists what the plugin keeps with pytest's objects."""
    assert broken(stash_keys, plugin__keys=source) == []
    assert len(broken(stash_keys, plugin__keys=source, plugin__a=source)) == 2

"""
The rules of the house as functions of a source tree: who may import whom, what stays private, what is data.

A tree is made of texts, so that each rule can be shown to fail on a small made-up one; `test_layering`
applies the same functions to the package.

"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

PACKAGE = "pytest_wsstability"

# A room, and the rooms that it knows beside itself.
ROOMS = {
    "core": set(),
    "profiles": {"core"},
    "net": {"core", "profiles"},
    "virtual": {"core", "profiles", "net"},
    "report": {"core"},
    "plugin": {"core", "profiles", "net", "virtual", "report"},
    "cli": {"core", "profiles", "net", "virtual", "report"},
}
# The rooms of core: timeline <- judge <- diagnosis <- message; faults, statistics and probe beside. A room
# that is no key here may know every other one; the files beside the rooms are values, which all may know.
CORE = {
    "timeline": set(),
    "faults": {"timeline"},
    "judge": {"timeline", "faults"},
    "diagnosis": {"timeline", "faults", "judge"},
    "message": {"timeline", "faults", "judge", "diagnosis"},
    "probe": {"timeline", "faults", "judge", "diagnosis"},
    "statistics": {"timeline", "judge"},
}
NET = {"proxy": set(), "server": {"proxy"}}
INNER = {"core": CORE, "net": NET}

# Pure rooms have no clock, no sockets, no loop and no threads.
PURE = {"core", "profiles"}
IMPURE = {
    "asyncio", "concurrent", "datetime", "multiprocessing", "os", "select", "selectors", "signal", "socket",
    "ssl", "subprocess", "threading", "time",
}  # fmt: skip
# What no room but plugin may import.
FRAMEWORK = {"pytest", "_pytest", "pytest_asyncio", "pluggy", "xdist"}
# Libraries whose private names stand in one file each.
LIBRARIES = {"asyncio", "pytest", "_pytest", "pytest_asyncio", "websockets"}
# The one file a library that touches private names: each of them stands in a table of that file, which is
# compared with the installed version.
SEAMS = {"asyncio": "virtual.asyncio_seam"}
# Underscored, and documented all the same.
DOCUMENTED = {
    "_replace", "_asdict", "_fields", "_make", "_getframe", "_current_frames", "_current_exceptions", "_exit",
}  # fmt: skip
# Where what happened becomes what it means: facts come in as data.
DATA_ROOMS = {"core.timeline", "core.judge", "core.diagnosis", "core.message"}
PARSERS = {"startswith", "endswith", "removeprefix", "removesuffix", "partition", "rpartition"}
SEARCHES = {"re.search", "re.match", "re.fullmatch", "re.findall", "re.finditer", "re.split"}
# The one file that reads what a peer wrote: a close reason from the wire is a sentence, and no field.
WIRE_WORDS = "core.timeline.close_reasons"
TEXTS = {"reason", "local_reason", "sentence", "words", "text", "message", "what", "line"}
# Words that must be learned (a lane is a word of drawings).
METAPHORS = {
    "tape",
    "book",
    "strike",
    "striking",
    "passage",
    "luggage",
    "deed",
    "deeds",
    "stranger",
    "chance",
}
# Names that say too little: of what kind, what was said, a link to where.
VAGUE = {
    "Around", "Attempt", "Ended", "Explaining", "Given", "Glance", "Hearing", "Kind", "Known",
    "Left", "Links", "Listening", "Looks", "Many", "Night", "Piece", "Said", "Share", "Standing",
    "Stopping", "Tally", "Telling", "Written", "_said",
}  # fmt: skip


class Violation(NamedTuple):
    """Where a rule is broken: the module, and what stands there."""

    module: str
    what: str


class Import(NamedTuple):
    """
    What a statement imports.

    Attributes:
        source: the module; one of ours is named without the package, which itself is ``""``.
        name: what is taken from it, empty for the module itself.
        ours: whether it is a module of the tree.
        lazy: whether it stands in a function.
        typing: whether only a type checker sees it.

    """

    source: str
    name: str
    ours: bool
    lazy: bool
    typing: bool


class Tree:
    """Modules by dotted name without the package's; a room's ``__init__`` has the room's name."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = {f".{name}".removesuffix(".__init__")[1:]: text for name, text in sources.items()}
        self.rooms = {part for name in sources for part in _parents(name)}
        self.trees = {name: ast.parse(text, filename=name) for name, text in self.sources.items()}
        # What classes define and inherit, by ("own" or "foreign", module, class).
        self.known: dict[tuple[str, str, str], set[str]] = {}

    @classmethod
    def read(cls, folder: Path) -> Tree:
        paths = {
            ".".join(path.relative_to(folder).with_suffix("").parts): path for path in folder.rglob("*.py")
        }
        return cls({name: paths[name].read_text() for name in sorted(paths)})

    @cached_property
    def imports(self) -> dict[str, list[Import]]:
        return {name: list(self._imports(name)) for name in self.trees}

    @cached_property
    def classes(self) -> dict[tuple[str, str], ast.ClassDef]:
        return {
            (name, node.name): node
            for name, tree in self.trees.items()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
        }

    def _imports(self, module: str) -> Iterator[Import]:
        is_room = module == "" or module in self.rooms
        package = module if is_room else module.rpartition(".")[0]
        for node, lazy, typing in _statements(self.trees[module]):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    source, ours = self._ours(alias.name)
                    yield Import(source, "", ours, lazy, typing)
            elif isinstance(node, ast.ImportFrom):
                source, ours = self._source(package, node)
                for alias in node.names:
                    inner = f"{source}.{alias.name}".lstrip(".")
                    if ours and inner in self.trees:
                        yield Import(inner, "", True, lazy, typing)
                    else:
                        yield Import(source, alias.name, ours, lazy, typing)

    def _source(self, package: str, node: ast.ImportFrom) -> tuple[str, bool]:
        if not node.level:
            return self._ours(node.module or "")
        above = package.split(".") if package else []
        above = above[: len(above) - node.level + 1]
        return ".".join([*above, *([node.module] if node.module else [])]), True

    def _ours(self, name: str) -> tuple[str, bool]:
        first, _, rest = name.partition(".")
        return (rest, True) if first == PACKAGE else (name, False)


def _parents(name: str) -> Iterator[str]:
    parts = name.split(".")
    yield from (".".join(parts[:end]) for end in range(1, len(parts)))


def _statements(tree: ast.Module) -> Iterator[tuple[ast.AST, bool, bool]]:
    """Each node, whether it stands in a function, and whether only a type checker reads it."""
    waiting: list[tuple[ast.AST, bool, bool]] = [(tree, False, False)]
    while waiting:
        node, lazy, typing = waiting.pop()
        yield node, lazy, typing
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += [(child, lazy, True) for child in node.body]
            waiting += [(child, lazy, typing) for child in node.orelse]
            continue
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        waiting += [(child, inside, typing) for child in ast.iter_child_nodes(node)]


def room_of(module: str) -> str:
    return module.partition(".")[0]


def inner_room(tree: Tree, module: str) -> str:
    """The room in a room that a module belongs to (``core.judge``); for a file beside the rooms, itself."""
    inner = ".".join(module.split(".")[:2])
    return inner if inner in tree.rooms else module


# The rules


def rooms_know_their_rooms(tree: Tree) -> Iterator[Violation]:
    """core <- profiles <- net <- virtual; report knows core; plugin and cli know all. Types count too."""
    for module, imports in tree.imports.items():
        if room_of(module) not in ROOMS:
            continue
        known = ROOMS[room_of(module)] | {room_of(module)}
        # The faces may name the package itself: its version.
        known = known | {""} if room_of(module) in ("plugin", "cli") else known
        for each in imports:
            if each.ours and room_of(each.source) not in known:
                yield Violation(module, f"imports {each.source}")


def rooms_inside_rooms(tree: Tree) -> Iterator[Violation]:
    """The rooms of core and of net know those below them. Types count too."""
    for module, imports in tree.imports.items():
        order = INNER.get(room_of(module), {})
        inside = _inner_name(tree, module)
        for each in imports:
            there = _inner_name(tree, each.source)
            if not each.ours or room_of(each.source) != room_of(module) or not there or there == inside:
                continue
            if inside in order and there not in order[inside]:
                yield Violation(module, f"imports {each.source}")


def _inner_name(tree: Tree, module: str) -> str:
    found = inner_room(tree, module)
    return found.partition(".")[2] if found in tree.rooms else ""


def circles(tree: Tree) -> Iterator[Violation]:
    """No file knows a file that knows it: lazy imports count, and those of type checkers."""
    graph = {
        module: {each.source for each in imports if each.ours and each.source in tree.trees} - {module}
        for module, imports in tree.imports.items()
        if module
    }
    yield from (Violation(ring[0], " <-> ".join(ring)) for ring in rings(graph))


def circles_of_rooms(tree: Tree) -> Iterator[Violation]:
    """No room in a room knows one that knows it; a file beside the rooms counts as a room."""
    graph: dict[str, set[str]] = {}
    for module, imports in tree.imports.items():
        here = inner_room(tree, module)
        there = {inner_room(tree, each.source) for each in imports if each.ours and each.source in tree.trees}
        if module and module != room_of(module):
            graph.setdefault(here, set()).update(there - {here, ""})
    yield from (Violation(ring[0], " <-> ".join(ring)) for ring in rings(graph))


def rings(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The sets of nodes that reach each other (Tarjan 1972), sorted."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        number[node] = low[node] = len(number)
        stack.append(node)
        for after in sorted(graph.get(node, ())):
            if after not in number:
                visit(after)
                low[node] = min(low[node], low[after])
            elif after in stack:
                low[node] = min(low[node], number[after])
        if low[node] == number[node]:
            at = stack.index(node)
            ring = stack[at:]
            del stack[at:]
            if len(ring) > 1:
                found.append(sorted(ring))

    for node in sorted(graph):
        if node not in number:
            visit(node)
    return found


def only_the_plugin_knows_pytest(tree: Tree) -> Iterator[Violation]:
    """What holds connections and judges them works without pytest, and names nothing of it."""
    for module, imports in tree.imports.items():
        if module and room_of(module) != "plugin":
            for each in imports:
                if not each.ours and room_of(each.source) in FRAMEWORK:
                    yield Violation(module, f"imports {each.source}")


def lazy_imports(tree: Tree) -> Iterator[Violation]:
    """
    An import of ours stands at the top of its file: what cannot, is in the wrong room.

    The gates of the plugin and of the command name what they load, and import no name of it.

    """
    for module, imports in tree.imports.items():
        for each in imports:
            if each.ours and each.lazy:
                yield Violation(module, f"imports {each.source} in a function")


def pure_rooms(tree: Tree) -> Iterator[Violation]:
    """The standard library's arithmetic and text: nothing that waits, tells the time or opens a socket."""
    for module, imports in tree.imports.items():
        if room_of(module) in PURE:
            for each in imports:
                first = each.source.partition(".")[0]
                if not each.ours and (first in IMPURE or first not in sys.stdlib_module_names):
                    yield Violation(module, f"imports {each.source}")


def private_imports(tree: Tree) -> Iterator[Violation]:
    """No underscored module or name of another library, no I/O layer of websockets."""
    for module, imports in tree.imports.items():
        for each in imports:
            parts = [*each.source.split("."), *([each.name] if each.name else [])]
            if each.ours or parts[0] not in LIBRARIES | FRAMEWORK:
                continue
            layer = parts[0] == "websockets" and {"asyncio", "legacy", "sync", "trio"} & {*parts[1:2]}
            if layer or any(part.startswith("_") for part in parts):
                yield Violation(module, f"imports {'.'.join(parts)}")


def private_attributes(tree: Tree) -> Iterator[Violation]:
    """
    An underscored attribute belongs to the file that defines it.

    Of another object it may be read where that is made, by its own class in the same file; of ``self``
    where the class, or one of ours that it extends, defines it, and no class of another library that it
    extends does.

    """
    for module, syntax in tree.trees.items():
        yield from (Violation(module, what) for what in _Privacy(tree, module).visit_all(syntax))


class _Privacy(ast.NodeVisitor):
    def __init__(self, tree: Tree, module: str) -> None:
        self.tree, self.module = tree, module
        self.found: list[tuple[str, str]] = []
        self.here: list[ast.ClassDef] = []
        self.ours: list[set[str]] = [set()]

    def visit_all(self, syntax: ast.Module) -> list[str]:
        self.visit(syntax)
        listed = {
            each.value
            for each in ast.walk(syntax)
            if self.module in SEAMS.values()
            and isinstance(each, ast.Constant)
            and isinstance(each.value, str)
        }
        return sorted({what for name, what in self.found if name not in listed})

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.here.append(node)
        self.generic_visit(node)
        self.here.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        if (
            self.here
            and _is_private(node.name)
            and node.name in _foreign(self.tree, self.module, self.here[-1])
        ):
            self.found.append((node.name, f"overrides {node.name}"))
        self.ours.append(self.ours[-1] | _instances(self.tree, self.module, self.here, node))
        self.generic_visit(node)
        self.ours.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        if _is_private(node.attr) and not self._may(node):
            self.found.append((node.attr, ast.unparse(node)))

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "setattr", "hasattr", "delattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and _is_private(str(name.value)):
                self.found.append((str(name.value), ast.unparse(node)))

    def _may(self, node: ast.Attribute) -> bool:
        value = ast.unparse(node.value)
        if value in ("self", "cls", "super()", "type(self)") and self.here:
            owner = self.here[-1]
            foreign = _foreign(self.tree, self.module, owner)
            return node.attr not in foreign and node.attr in _own(self.tree, self.module, owner)
        if value in self.ours[-1] or (self.module, value) in self.tree.classes:
            return any(
                node.attr in _own(self.tree, self.module, each)
                for (module, _), each in self.tree.classes.items()
                if module == self.module
            )
        return False


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__") and name not in DOCUMENTED and name != "_"


def _instances(
    tree: Tree, module: str, here: list[ast.ClassDef], function: ast.FunctionDef | ast.AsyncFunctionDef
) -> set[str]:
    """The names in a function that hold an object of a class of its own file, as its annotations tell."""
    classes = {name for (where, name) in tree.classes if where == module} | {"Self", "cls"}
    found = set()
    arguments = function.args
    for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
        if each.annotation is not None and classes & _names(each.annotation):
            found.add(each.arg)
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and classes & _names(node.value.func)
        ):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found |= {node.target.id} if classes & _names(node.annotation) else set()
        elif isinstance(node, ast.For | ast.comprehension) and isinstance(node.target, ast.Name):
            found |= {node.target.id} if found & _names(node.iter) else set()
    if here and any(
        isinstance(each, ast.Name) and each.id == "classmethod" for each in function.decorator_list
    ):
        found.add("cls")
    return found


def _names(node: ast.AST) -> set[str]:
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    for each in ast.walk(node):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
            names.add(each.value)
    return names


def _bases(tree: Tree, module: str, owner: ast.ClassDef) -> Iterator[tuple[str, str]]:
    """The classes that a class extends: ``(module, name)`` of ours, or as they are imported."""
    for base in owner.bases:
        target = base.value if isinstance(base, ast.Subscript) else base
        name = ast.unparse(target)
        if (module, name) in tree.classes:
            yield module, name
            continue
        first, _, rest = name.partition(".")
        for each in tree.imports[module]:
            if each.name == first and not rest:
                yield each.source, first
            elif not each.name and each.source.split(".")[-1] == first and rest:
                yield ".".join([each.source, *rest.split(".")[:-1]]), rest.split(".")[-1]


def _own(tree: Tree, module: str, owner: ast.ClassDef) -> set[str]:
    """The names that a class defines: those of the classes of ours that it extends too."""
    if ("own", module, owner.name) not in tree.known:
        tree.known["own", module, owner.name] = _defined(tree, module, owner)
    return tree.known["own", module, owner.name]


def _defined(tree: Tree, module: str, owner: ast.ClassDef) -> set[str]:
    names = {
        each.name for each in ast.walk(owner) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for node in ast.walk(owner):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names |= {node.attr} if ast.unparse(node.value) in ("self", "cls", "new", "made") else set()
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Slots, and what a frozen class sets by name.
            names.add(node.value)
    for where, name in _bases(tree, module, owner):
        if (where, name) in tree.classes:
            names |= _own(tree, where, tree.classes[where, name])
    return names


def _foreign(tree: Tree, module: str, owner: ast.ClassDef) -> set[str]:
    """The private names of the other libraries' classes that a class extends."""
    if ("foreign", module, owner.name) not in tree.known:
        tree.known["foreign", module, owner.name] = _inherited(tree, module, owner)
    return tree.known["foreign", module, owner.name]


def _inherited(tree: Tree, module: str, owner: ast.ClassDef) -> set[str]:
    names: set[str] = set()
    for where, name in _bases(tree, module, owner):
        if (where, name) in tree.classes:
            names |= _foreign(tree, where, tree.classes[where, name])
        elif room_of(where) in LIBRARIES:
            names |= _private_names(where, name)
    return names


@cache
def _private_names(module: str, name: str) -> frozenset[str]:
    names: set[str] = set()
    for each in getattr(import_module(module), name).__mro__:
        if each.__module__.partition(".")[0] in LIBRARIES:
            source = ast.parse(textwrap.dedent(inspect.getsource(each)))
            names |= {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}
            names |= {node.name for node in ast.walk(source) if isinstance(node, ast.FunctionDef)}
    return frozenset(name for name in names if _is_private(name))


def parsed_sentences(tree: Tree) -> Iterator[Violation]:
    """
    From the record to its cause, facts are enums and fields: no sentence is searched or taken apart.

    `str.startswith` and its kin, regular expressions, ``"words" in text``, and a text compared with
    words written out.

    """
    for module, syntax in tree.trees.items():
        if inner_room(tree, module) not in DATA_ROOMS or module == WIRE_WORDS:
            continue
        for node in ast.walk(syntax):
            if _searches(node):
                yield Violation(module, ast.unparse(node))


def _searches(node: ast.AST) -> bool:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in PARSERS or ast.unparse(node.func) in SEARCHES
    if not isinstance(node, ast.Compare):
        return False
    sides = [node.left, *node.comparators]
    for operator, left, right in zip(node.ops, sides, sides[1:], strict=False):
        if isinstance(operator, ast.In | ast.NotIn) and (_is_sentence(left) or _is_text(right)):
            return True
        if isinstance(operator, ast.Eq | ast.NotEq) and (
            (_is_text(left) and _is_sentence(right)) or (_is_text(right) and _is_sentence(left))
        ):
            return True
    return False


def _is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)
    )


def _is_text(node: ast.AST) -> bool:
    if isinstance(node, ast.BoolOp):
        return any(map(_is_text, node.values))
    if isinstance(node, ast.Call):
        return (
            _is_text(node.func.value)
            if isinstance(node.func, ast.Attribute)
            else ast.unparse(node.func) == "str"
        )
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in TEXTS


def metaphors(tree: Tree) -> Iterator[Violation]:
    """A name says what the thing is in the field, and which one."""
    for module, syntax in tree.trees.items():
        names = {part for part in module.split(".")}
        for node in ast.walk(syntax):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name | ast.arg):
                names.add(node.id if isinstance(node, ast.Name) else node.arg)
            elif isinstance(node, ast.Attribute):
                names.add(node.attr)
        for name in sorted(names):
            if name in VAGUE or METAPHORS & set(words_of(name)):
                yield Violation(module, name)


def words_of(name: str) -> list[str]:
    """``JsonlWriter``, ``jsonl_writer`` -> ``jsonl``, ``writer``."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name.replace("_", " "))
    return [word.removesuffix("s") if word not in METAPHORS else word for word in spaced.lower().split()]


def stash_keys(tree: Tree) -> Iterator[Violation]:
    """What the plugin keeps with pytest's objects is listed in one module."""
    found = [
        Violation(module, ast.unparse(node))
        for module, syntax in tree.trees.items()
        for node in ast.walk(syntax)
        if isinstance(node, ast.Call) and "StashKey" in _called(node.func)
    ]
    if len({each.module for each in found}) > 1:
        yield from found


def _called(node: ast.expr) -> str:
    """The name of what is called, without its parameters."""
    node = node.value if isinstance(node, ast.Subscript) else node
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def one_class_a_name(tree: Tree) -> Iterator[Violation]:
    """Whoever reads a class's name knows which one is meant; underscored ones stay in their file."""
    homes: dict[str, list[str]] = {}
    for module, name in tree.classes:
        if not name.startswith("_"):
            homes.setdefault(name, []).append(module)
    for name, modules in homes.items():
        if len(modules) > 1:
            yield from (Violation(module, f"class {name}") for module in modules)


RULES = (
    rooms_know_their_rooms,
    rooms_inside_rooms,
    circles,
    circles_of_rooms,
    only_the_plugin_knows_pytest,
    lazy_imports,
    pure_rooms,
    private_imports,
    private_attributes,
    parsed_sentences,
    metaphors,
    stash_keys,
    one_class_a_name,
)

"""
Where the code is broken, and how: one mutant for each place and operator of cosmic-ray.

Numbers that decide are tripled and divided by three, so that a test must hold them from both sides; a
comparison is moved by its boundary, or turned round; one with a tolerance is moved to the other side of it,
as no reading of a clock meets the tolerance to the last bit. Of everything else a seeded sample is taken.

"""

from __future__ import annotations

import ast
import collections
import functools
import hashlib
import itertools
import pickle
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import cosmic_ray.plugins
import parso.python.tree
from cosmic_ray.ast import Visitor, get_ast, is_number
from cosmic_ray.mutating import MutationVisitor
from cosmic_ray.operators.operator import Operator

ROOT = Path(__file__).parents[2]
PACKAGE = "pytest_wsstability"
# What is mutated: where a wrong number or comparison would make a wrong verdict, cause or clock.
SUBJECTS = (
    "core/judge", "core/diagnosis", "core/timeline", "core/statistics", "core/samples.py",
    "core/known_timers.py", "profiles", "virtual/loop.py", "virtual/memory_loop.py", "virtual/timers.py",
)  # fmt: skip
# A comparison is moved by its boundary where it has one, and turned round where it has none.
COMPARISONS = {
    "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is",
}  # fmt: skip
# By so much two instants differ that are the same; and which operators take it to the other side.
TOLERANCES = {"SAME", "_SAME", "SAME_SILENCE", "self.tolerance", "history.tolerance"}
SIGNS = {"ReplaceBinaryOperator_Add_Sub", "ReplaceBinaryOperator_Sub_Add"}
BOUNDARIES = {"Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt"}


class Kind(Enum):
    """Why a mutant is made."""

    CONSTANT = "constant"
    COMPARISON = "comparison"
    OTHER = "other"


class Site(NamedTuple):
    """
    Where and how a file may be broken.

    Attributes:
        path: the file, relative to the package.
        line: where, from 1.
        code: what stands in that line, without indentation.

    """

    kind: Kind
    path: str
    line: int
    operator: str
    occurrence: int
    code: str = ""


class Mutant(NamedTuple):
    """A broken file: its text, and the line that differs, without indentation, before and after."""

    site: Site
    text: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.site.path}:{self.site.line}: {self.before}  ->  {self.after}"


class _Factor(Operator):  # type: ignore[misc]
    """A number becomes another by a factor."""

    # The (line, column) of the numbers that decide.
    deciding: frozenset[tuple[int, int]] = frozenset()

    def mutation_positions(self, node: Any) -> Iterator[tuple[Any, Any]]:
        if is_number(node) and node.start_pos in self.deciding and self.changed(node.value) is not None:
            yield node.start_pos, node.end_pos

    def mutate(self, node: Any, index: int) -> Any:
        return parso.python.tree.Number(node.prefix + str(self.changed(node.value)), node.start_pos)

    def changed(self, text: str) -> str | None:
        raise NotImplementedError

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()


class Tripled(_Factor):
    def changed(self, text: str) -> str | None:
        value = ast.literal_eval(text)
        return repr(value * 3) if value else "1"


class Thirded(_Factor):
    def changed(self, text: str) -> str | None:
        value = ast.literal_eval(text)
        if not value:
            return None
        return repr(value // 3) if isinstance(value, int) else repr(value / 3)


FACTORS = {"Tripled": Tripled, "Thirded": Thirded}


def subjects(names: Iterable[str] = SUBJECTS) -> list[Path]:
    """The files below these names."""
    found = []
    for name in names:
        path = ROOT / PACKAGE / name
        if not path.exists():
            raise SystemExit(f"{PACKAGE}/{name}: there is no such file or room")
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def sites_of(path: Path) -> list[Site]:
    """Every site of a file."""
    source = path.read_text()
    return list(sites_in(path.relative_to(ROOT / PACKAGE).as_posix(), source))


def sites_in(name: str, source: str) -> Iterator[Site]:
    tree, parsed, lines = ast.parse(source), get_ast(source), source.splitlines()
    quiet, (bounds, signs) = unheard(tree), tolerances(tree)
    for operator_name, operator in _operators(deciding(tree)):
        moves = operator_name.rpartition("Operator_")[2] in BOUNDARIES
        for occurrence, place in enumerate(_positions(parsed, operator)):
            if place in quiet or (moves and place in bounds):
                continue
            turns = operator_name in SIGNS and place in signs
            kind = Kind.COMPARISON if turns else _kind(operator_name)
            yield Site(kind, name, place[0], operator_name, occurrence, lines[place[0] - 1].strip())


def mutant(site: Site, source: str) -> Mutant | None:
    """What stands there then; None where that is no Python, or nothing else than before."""
    parsed, numbers = _prepared(source)
    visitor = MutationVisitor(site.occurrence, dict(_operators(numbers))[site.operator])
    text = visitor.walk(pickle.loads(parsed)).get_code()
    if not visitor.mutation_applied or text == source or not _compiles(text):
        return None
    return Mutant(site, text, *_difference(source, text))


@functools.lru_cache(maxsize=1)
def _prepared(source: str) -> tuple[bytes, frozenset[tuple[int, int]]]:
    """A file as cosmic-ray wants it, and its numbers that decide: parsing takes longer than a copy."""
    return pickle.dumps(get_ast(source)), deciding(ast.parse(source))


def sample(sites: Sequence[Site], others: int, seed: int) -> list[Site]:
    """
    All that are about constants and comparisons, and so many of the others.

    Of these, the line that is broken tells whether it is drawn: an edit changes the draw of its lines only.

    """
    chosen = [each for each in sites if each.kind is not Kind.OTHER]
    rest = [each for each in sites if each.kind is Kind.OTHER]
    alike: collections.Counter[tuple[str, ...]] = collections.Counter()

    def lot(site: Site) -> bytes:
        what = (site.path, site.operator, site.code)
        alike[what] += 1
        return hashlib.sha256(repr((seed, what, alike[what])).encode()).digest()

    return chosen + sorted(rest, key=lot)[:others]


def _kind(operator: str) -> Kind:
    if operator in FACTORS:
        return Kind.CONSTANT
    return Kind.COMPARISON if operator.rpartition("Operator_")[2] in COMPARISONS else Kind.OTHER


def _operators(numbers: frozenset[tuple[int, int]]) -> Iterator[tuple[str, Operator]]:
    for name, factor in FACTORS.items():
        operator = factor()
        operator.deciding = numbers
        yield name, operator
    for name in sorted(cosmic_ray.plugins.operator_names()):
        short = name.partition("/")[2]
        if short.startswith("Variable"):
            continue
        # Other pairs of comparisons than the listed ones say the same twice.
        if "ComparisonOperator" in short and short.rpartition("Operator_")[2] not in COMPARISONS:
            continue
        yield short, cosmic_ray.plugins.get_operator(name)()


class _Finder(Visitor):  # type: ignore[misc]
    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.found: list[tuple[int, int]] = []

    def visit(self, node: Any) -> Any:
        self.found += [start for start, _ in self.operator.mutation_positions(node)]
        return node


def _positions(parsed: Any, operator: Operator) -> list[tuple[int, int]]:
    finder = _Finder(operator)
    finder.walk(parsed)
    return finder.found


def deciding(tree: ast.Module) -> frozenset[tuple[int, int]]:
    """Where numbers stand that decide: in values made on import, and in comparisons, minima and maxima."""
    found: set[tuple[int, int]] = set()
    for node in _on_import(tree):
        found |= _numbers(node)
    for node in ast.walk(tree):
        bounds = isinstance(node, ast.Call) and ast.unparse(node.func) in ("min", "max")
        if bounds or isinstance(node, ast.Compare):
            found |= _numbers(node)
    return frozenset(found)


def _on_import(tree: ast.Module) -> Iterator[ast.AST]:
    """The values of names of modules and classes, and the defaults of arguments."""
    waiting: list[ast.AST] = [*tree.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef):
            waiting += node.body
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            yield node.value
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            yield from [*node.defaults, *filter(None, node.kw_defaults)]


def _numbers(node: ast.AST) -> set[tuple[int, int]]:
    """Where numbers stand in an expression, places in sequences left out."""
    inside = list(ast.walk(node))
    places = [_numbers(each.slice) for each in inside if isinstance(each, ast.Subscript)]
    numbers = [each for each in inside if isinstance(each, ast.Constant) and type(each.value) in (int, float)]
    return {(each.lineno, each.col_offset) for each in numbers}.difference(*places)


def unheard(tree: ast.Module) -> set[tuple[int, int]]:
    """Places that decide nothing: annotations, imports for type checkers, and `__repr__`."""
    found: set[tuple[int, int]] = set()
    for node in ast.walk(tree):
        silent: list[ast.AST | None] = []
        if isinstance(node, ast.arg | ast.AnnAssign):
            silent.append(node.annotation)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            silent.append(node.returns)
            silent += node.body if node.name == "__repr__" else []
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            silent.append(node)
        for each in filter(None, silent):
            found |= _places(each)
    return found


def tolerances(tree: ast.Module) -> tuple[set[tuple[int, int]], set[tuple[int, int]]]:
    """Where comparisons with a tolerance stand, and where one is added or taken off."""
    bounds: set[tuple[int, int]] = set()
    signs: set[tuple[int, int]] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            for left, right in itertools.pairwise([node.left, *node.comparators]):
                if any(map(_is_tolerance, _inside(left, right))):
                    bounds |= _between(_end(left), _start(right))
        elif isinstance(node, ast.BinOp) and _is_tolerance(node.right):
            signs |= _between(_end(node.left), _start(node.right))
    return bounds, signs


def _is_tolerance(node: ast.AST) -> bool:
    return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in TOLERANCES


def _inside(*nodes: ast.AST) -> Iterator[ast.AST]:
    return itertools.chain.from_iterable(map(ast.walk, nodes))


def _places(node: Any) -> set[tuple[int, int]]:
    """Every position from the beginning of a node to its end."""
    return _between(_start(node), _end(node))


def _start(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset


def _between(first: tuple[int, int], last: tuple[int, int]) -> set[tuple[int, int]]:
    lines = range(first[0], last[0] + 1)
    return {(line, column) for line in lines for column in range(200) if first <= (line, column) < last}


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _difference(before: str, after: str) -> tuple[str, str]:
    """The first line that differs, on both sides."""
    old, new = before.splitlines(), after.splitlines()
    at = next(number for number, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1])
    return old[at].strip(), new[at].strip()

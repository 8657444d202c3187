"""Functions that are loaded are given the code of a mutant."""

import importlib.util

import pytest

from tests.mutation.swapping import Functions, changes

SOURCE = """LIMIT = 6


def over(x, limit=LIMIT):
    return x > limit


class Row:
    size = 3

    def full(self, x):
        return [each for each in x if each] and len(x) >= self.size


ROWS = [lambda x: x > 1, lambda x: x > 2]


def counter(by):
    def add(x):
        return x + by

    return add


BY_TWO = counter(2)
"""


def names(before, after):
    found = changes(SOURCE, SOURCE.replace(before, after))
    return found and [one.co_qualname for one, _ in found]


@pytest.mark.parametrize(
    ("before", "after", "functions"),
    [
        ("return x > limit", "return x >= limit", ["over"]),
        ("if each]", "if not each]", ["Row.full"]),
        ("x > 2]", "x > 6]", ["<lambda>"]),
        ("x + by", "x - by", ["counter"]),
        ("", "", []),
    ],
)
def test_what_changes_is_a_function(before, after, functions):
    """Of functions in functions the outermost, which makes the others."""
    assert names(before, after) == functions


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("LIMIT = 6", "LIMIT = 18"),
        ("limit=LIMIT", "limit=None"),
        ("size = 3", "size = 9"),
        ("class Row:", "class Row(dict):"),
    ],
)
def test_what_is_made_on_import_is_no_function(before, after):
    """Constants, defaults and classes are made once."""
    assert names(before, after) is None


@pytest.fixture
def loaded(tmp_path):
    """The source as a module, with the path of its file."""
    path = tmp_path / "a.py"
    path.write_text(SOURCE)
    spec = importlib.util.spec_from_file_location("a", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module, path


@pytest.mark.parametrize(
    ("before", "after", "call", "was", "becomes"),
    [
        ("return x > limit", "return x >= limit", lambda a: a.over(6), False, True),
        (">= self.size", "< self.size", lambda a: a.Row().full([1]), False, True),
        ("x > 2]", "x > 6]", lambda a: [row(4) for row in a.ROWS], [True, True], [True, False]),
    ],
)
def test_a_loaded_function_takes_its_other_code(loaded, before, after, call, was, becomes):
    """Whoever holds the function calls the mutant, the other functions of its line stay."""
    module, path = loaded

    assert call(module) == was
    assert Functions(path.parent).swap(path, changes(SOURCE, SOURCE.replace(before, after)))
    assert call(module) == becomes


def test_what_is_not_loaded_is_not_swapped(tmp_path):
    """The mutant is then run in a process that loads it."""
    assert not Functions(tmp_path).swap(tmp_path / "a.py", changes(SOURCE, SOURCE.replace("x > limit", "x")))


def test_a_function_with_other_variables_around_it_is_not_swapped(tmp_path):
    """Python refuses code that has other free variables."""
    path = tmp_path / "a.py"
    around = "def made(by):\n    def add(x):\n        return x{}\n    return add\n"
    names = {}
    exec(compile(around.format(" + by"), str(path), "exec"), names)
    add = names["made"](1)
    (swap,) = changes(around.format(" + by"), around.format(""))
    inside = [next(each for each in code.co_consts if hasattr(each, "co_code")) for code in swap]

    assert not Functions(tmp_path).swap(path, [tuple(inside)])
    assert add(1) == 2

"""The public names: how many there are, that each is documented, and that code which people copy uses it."""

from __future__ import annotations

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

import pytest_wsstability
from tests.against import inner

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/api.md").read_text()
FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = FENCED.findall(PAGE)
# Their names have pages of their own: each fault and each profile is a row of a table.
MODULES = ("faults", "fleet", "marks", "probe", "profiles", "strategies", "voice")


def sources():
    """The code that people copy: the examples, and what the README and the docs show."""
    for path in (ROOT / "examples").glob("*.py"):
        yield path.read_text()
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        yield from FENCED.findall(path.read_text())


def used():
    """The names in that code, those of attributes too."""
    nodes = [node for source in sources() for node in ast.walk(ast.parse(source))]
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    names |= {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}


def listed():
    """The names in the tables of the page."""
    return re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)


def homes():
    return {name: home for home, names in pytest_wsstability._HOMES.items() for name in names.split()}


def test_there_are_about_45():
    """What a test names every day fits on a page; the rest stands in modules."""
    assert len(pytest_wsstability.__all__) <= 50
    assert sorted(pytest_wsstability.__all__) == sorted(set(pytest_wsstability.__all__))


def test_public_names_and_their_homes_agree():
    """What is promised is what can be found."""
    names = [name for names in pytest_wsstability._HOMES.values() for name in names.split()]

    assert len(names) == len(set(names))
    assert set(names) == set(pytest_wsstability.__all__)
    assert dir(pytest_wsstability) == sorted((*pytest_wsstability.__all__, *pytest_wsstability._MODULES))


def test_the_type_checkers_names_are_the_same():
    """The imports for type checkers list what ``__getattr__`` gives."""
    tree = ast.parse(inspect.getsource(pytest_wsstability))
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    imported = {
        (alias.name, node.module)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert imported == {*homes().items(), *((name, None) for name in pytest_wsstability._MODULES)}


def test_each_public_name_resolves():
    """And what has a docstring to read has one, of its own."""
    values = {name: getattr(pytest_wsstability, name) for name in pytest_wsstability.__all__}

    assert [name for name, value in values.items() if callable(value) and not value.__doc__] == []


def test_an_unknown_name_is_an_attribute_error():
    """As with any module."""
    with pytest.raises(AttributeError, match=r"^module 'pytest_wsstability' has no attribute 'Probe'$"):
        _ = pytest_wsstability.Probe


@pytest.mark.parametrize("module", MODULES)
def test_a_public_module_has_its_names(module):
    """Each resolves, has a docstring, and is no function with a module's name."""
    public = import_module(f"pytest_wsstability.{module}")

    assert public.__all__
    for name in public.__all__:
        value = getattr(public, name)
        assert not callable(value) or value.__doc__, name
        # `marks.voice` is the mark of the fixture `ws_voice`.
        assert name not in MODULES or (module, name) == ("marks", "voice")


def test_no_public_name_is_that_of_a_module():
    """``from pytest_wsstability import probe`` is a module, whatever was imported before."""
    assert not {*pytest_wsstability.__all__} & {*MODULES}
    for module in pytest_wsstability._MODULES:
        assert getattr(pytest_wsstability, module) is import_module(f"pytest_wsstability.{module}")


def test_the_page_lists_each_name_once():
    """docs/api.md is the list that people read."""
    assert sorted(listed()) == sorted(pytest_wsstability.__all__)


def test_the_page_names_each_public_module():
    """Before its first table, where it says what is promised."""
    promised, _, _ = PAGE.partition("\n## ")

    assert [module for module in MODULES if f"`{module}`" not in promised] == []


def test_each_name_is_used_where_people_look():
    """In an example, in the README or in a page of the docs, as code."""
    assert {*pytest_wsstability.__all__} - used() == set()


@pytest.mark.parametrize("module", MODULES)
def test_each_name_of_a_public_module_is_in_the_reference(module):
    """docs/names.md, made from the docstrings, or a table of its own page."""
    public = import_module(f"pytest_wsstability.{module}")
    pages = "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))

    assert [name for name in public.__all__ if not re.search(rf"\b{name}\b", pages)] == []


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_code_of_the_page_runs(pytester, monkeypatch, number):
    """Each block is a test file, and passes."""
    inner.prepare(pytester, monkeypatch)
    pytester.makepyfile(test_block=BLOCKS[number])

    outcomes = pytester.runpytest_inprocess().parseoutcomes()

    assert set(outcomes) == {"passed"}

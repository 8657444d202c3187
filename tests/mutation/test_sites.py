"""Which places are broken, and how; and which tests are asked."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("cosmic_ray", reason="cosmic-ray is not installed (group mutants)")
coverage = pytest.importorskip("coverage")

from tests.mutation import sites  # noqa: E402
from tests.mutation.covering import PAGES, Covering  # noqa: E402
from tests.mutation.sites import PACKAGE, Kind, Site  # noqa: E402


def changes(source, kind=None):
    """What becomes of each line, as ``before -> after``."""
    made = [sites.mutant(site, source) for site in sites.sites_in("core/a.py", source)]
    return {f"{each.before} -> {each.after}" for each in made if each and kind in (None, each.site.kind)}


def test_a_number_that_decides_is_tripled_and_divided():
    """A test must hold it from both sides."""
    assert changes("LIMIT = 6\nSHARE = 0.6\n", Kind.CONSTANT) == {
        "LIMIT = 6 -> LIMIT = 18",
        "LIMIT = 6 -> LIMIT = 2",
        "SHARE = 0.6 -> SHARE = 1.7999999999999998",
        "SHARE = 0.6 -> SHARE = 0.19999999999999998",
    }


@pytest.mark.parametrize(
    "source",
    [
        "class A:\n    limit: float = 6\n",
        "def f(limit=6): ...\n",
        "def f(*, limit=6): ...\n",
        "def f(x): return x > 6\n",
        "def f(x): return min(x, 6)\n",
        "TABLE = {'a': [6]}\n",
    ],
)
def test_numbers_decide_wherever_they_are_compared_or_kept(source):
    """In classes, as defaults, in tables, in comparisons."""
    assert {text.split(" -> ")[1] for text in changes(source, Kind.CONSTANT)} == {
        source.splitlines()[-1].strip().replace("6", number) for number in ("18", "2")
    }


def test_a_place_in_a_sequence_decides_nothing():
    """``parts[1]`` is no limit; its mutants are among the others."""
    assert changes("def f(parts): return parts[1] > x\n", Kind.CONSTANT) == set()
    assert "def f(parts): return parts[1] > x -> def f(parts): return parts[ 2] > x" in changes(
        "def f(parts): return parts[1] > x\n", Kind.OTHER
    )


def test_a_comparison_is_moved_by_its_boundary_or_turned_round():
    """Each has one mutant."""
    source = "def f(a, b): return a < b or a >= b or a == b or a is b\n"

    assert {text.split(" -> ")[1] for text in changes(source, Kind.COMPARISON)} == {
        f"def f(a, b): return {compared}"
        for compared in (
            "a <= b or a >= b or a == b or a is b",
            "a < b or a > b or a == b or a is b",
            "a < b or a >= b or a != b or a is b",
            "a < b or a >= b or a == b or a is not b",
        )
    }


def test_a_comparison_with_a_tolerance_is_moved_to_the_other_side_of_it():
    """Its own boundary is one that no two instants meet."""
    source = "def f(a, b): return a < b - SAME or a < b\n"

    assert {text.split(" -> ")[1] for text in changes(source, Kind.COMPARISON)} == {
        "def f(a, b): return a < b + SAME or a < b",
        "def f(a, b): return a < b - SAME or a <= b",
    }


@pytest.mark.parametrize(
    "source",
    [
        "def f(a: int | None) -> str | None: ...\n",
        "x: int | None\n",
        "if TYPE_CHECKING:\n    LIMIT = 6\n",
        "class A:\n    def __repr__(self): return 'a' if self.x > 6 else 'b'\n",
    ],
)
def test_what_decides_nothing_stays(source):
    """Annotations, imports for type checkers, and how objects look in a debugger."""
    assert changes(source, Kind.CONSTANT) | changes(source, Kind.COMPARISON) == set()


def test_the_sample_is_that_of_its_seed():
    """All constants and comparisons, and so many of the others."""
    found = list(sites.sites_in("core/a.py", "LIMIT = 6\ndef f(a): return not a and a + 1 or a - 2\n"))
    chosen = sites.sample(found, 3, 11)

    assert [each for each in chosen if each.kind is Kind.OTHER] == sites.sample(found, 3, 11)[-3:]
    assert len(chosen) == 2 + 3
    assert sites.sample(found, 999, 11) != []


@pytest.mark.parametrize("edited", ["x = a + 9\n", "def g(a):\n    return a * 2 - a\n\n\n"])
def test_an_edit_elsewhere_draws_no_others(edited):
    """So that what a sample has shown of a line still holds when another one is changed."""
    text = "".join(f"def f{n}(a):\n    return a + {n} or a - {n}\n\n\n" for n in range(20))
    before, after = (
        {(each.operator, each.code) for each in sites.sample([*sites.sites_in("core/a.py", source)], 40, 11)}
        for source in (text, edited + text)
    )

    assert len(before) == 40
    # Those of the edit push out as many at most.
    assert len(before - after) <= sum(1 for _ in sites.sites_in("core/a.py", edited))
    assert all(code in edited for _, code in after - before)


def test_every_subject_exists():
    """A room that is renamed is renamed here."""
    assert len(sites.subjects()) > 40
    with pytest.raises(SystemExit, match=r"^pytest_wsstability/core/jugde: there is no such file or room$"):
        sites.subjects(["core/jugde"])


TEXT = """LIMIT = 6


def f(x):
    return (
        x > LIMIT
    )


def g(x):
    return x
"""


# Files of numbers, and the test of the page that has them once more.
NUMBERS = {
    "profiles/pusher.py": PAGES["profiles/"],
    "core/known_timers.py": PAGES["core/known_timers.py"],
}


@pytest.fixture
def covering(tmp_path):
    """A package of one file that two tests ran."""
    path = tmp_path / PACKAGE / "core/a.py"
    path.parent.mkdir(parents=True)
    path.write_text(
        "LIMIT = 6\n\n\ndef f(x):\n    return (\n        x > LIMIT\n    )\n\n\ndef g(x):\n    return x\n"
    )
    for name in NUMBERS:
        (tmp_path / PACKAGE / name).parent.mkdir(exist_ok=True)
        (tmp_path / PACKAGE / name).write_text("CODES = (4007,)\n")
    data = coverage.CoverageData(str(tmp_path / "data"))
    data.set_context("tests/test_a.py::test_f")
    data.add_lines({str(path): [5, 6]})
    data.set_context("tests/test_b.py::test_g")
    data.add_lines({str(path): [11]})
    data.write()
    (tmp_path / "times.json").write_text(
        json.dumps(
            {"tests/test_a.py::test_f": 1, "tests/test_b.py::test_g": 2, **dict.fromkeys(PAGES.values(), 3)}
        )
    )
    return Covering(tmp_path, tmp_path / "data", tmp_path / "times.json")


@pytest.mark.parametrize(
    ("line", "tests"),
    [
        # What is made on import is asked of those who use its name.
        (1, ["tests/test_a.py::test_f"]),
        (6, ["tests/test_a.py::test_f"]),
        (7, ["tests/test_a.py::test_f"]),
        (11, ["tests/test_b.py::test_g"]),
    ],
)
def test_only_tests_that_run_a_line_are_asked(covering, line, tests):
    """A statement over several lines is run as one."""
    assert covering.tests(Site(Kind.OTHER, "core/a.py", line, "", 0)) == tests


@pytest.mark.parametrize(
    ("line", "is_asked"),
    [
        (f"from {PACKAGE}.core.a import LIMIT", True),
        (f"from {PACKAGE}.core.ab import LIMIT", False),
        (f"from {PACKAGE}.core import LIMIT", True),
        (f"from {PACKAGE} import LIMIT", False),
    ],
)
def test_who_imports_a_file_is_asked_of_what_it_makes_then(covering, line, is_asked):
    """Nothing runs it later; a room offers what its files make."""
    test = "tests/test_a.py::test_f"
    (covering.tree / PACKAGE / "core/__init__.py").write_text("from .a import LIMIT\n")
    (covering.tree / "tests").mkdir()
    (covering.tree / "tests/test_b.py").write_text(f"{line}\n")
    again = Covering(covering.tree, covering.tree / "data", covering.tree / "times.json")

    expected = [test, "tests/test_b.py::test_g"] if is_asked else [test]
    assert again.tests(Site(Kind.CONSTANT, "core/a.py", 1, "", 0)) == expected


def test_who_imports_a_file_is_asked_of_what_runs_then_and_later(covering):
    """A function that makes something on import, and that a test calls as well."""
    data = coverage.CoverageData(str(covering.tree / "data"))
    data.read()
    data.set_context("")
    data.add_lines({str(covering.tree / PACKAGE / "core/a.py"): [11]})
    data.write()
    (covering.tree / "tests").mkdir()
    (covering.tree / "tests/test_a.py").write_text(f"from {PACKAGE}.core.a import LIMIT\n")
    again = Covering(covering.tree, covering.tree / "data", covering.tree / "times.json")

    expected = ["tests/test_a.py::test_f", "tests/test_b.py::test_g"]
    assert again.tests(Site(Kind.OTHER, "core/a.py", 11, "", 0)) == expected


@pytest.mark.parametrize(("path", "page"), NUMBERS.items())
def test_pages_are_asked_of_their_numbers(covering, path, page):
    """Nothing runs them after the import."""
    assert covering.tests(Site(Kind.CONSTANT, path, 1, "", 0)) == [page]

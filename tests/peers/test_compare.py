"""Which differences are new, which are known, and which patterns name none any more."""

from __future__ import annotations

import sys

import pytest

from tests.peers.__main__ import main, run_module
from tests.peers.compare import NOT_REACHED, Comparison, Difference, Outcome, compare
from tests.peers.differences import DIFFERENCES
from tests.peers.suites import SUITES, Suite, lacking

PASSED, FAILED, SKIPPED = Outcome("passed"), Outcome("failed", "OSError: gone"), Outcome("skipped", "no IPv6")
KNOWN = (Difference("signals", ("a.*",), "OSError: *"),)
ONE = Comparison({"b.x": FAILED}, {"signals": 1}, [])
RACE = (KNOWN[0]._replace(race=True),)
ALSO = (Difference("pipes", ("*x",)),)


def both(outcome, one, other):
    """The same outcome for two tests."""
    return {one: outcome, other: outcome}


@pytest.mark.parametrize(
    ("kernel", "virtual", "expected", "found"),
    [
        ({"a.x": PASSED}, {"a.x": PASSED}, (), Comparison({}, {}, [])),
        ({"a.x": PASSED}, {"a.x": FAILED}, (), Comparison({"a.x": FAILED}, {}, [])),
        ({"a.x": PASSED}, {"a.x": SKIPPED}, (), Comparison({"a.x": SKIPPED}, {}, [])),
        ({"a.x": PASSED}, {}, (), Comparison({"a.x": NOT_REACHED}, {}, [])),
        ({"a.x": FAILED}, {"a.x": PASSED}, (), Comparison({}, {}, [])),
        (both(PASSED, "a.x", "b.x"), both(FAILED, "a.x", "b.x"), KNOWN, ONE),
        (both(PASSED, "a.x", "a.y"), both(FAILED, "a.x", "a.y"), KNOWN, Comparison({}, {"signals": 2}, [])),
        ({"a.x": PASSED}, {"a.x": SKIPPED}, KNOWN, Comparison({"a.x": SKIPPED}, {"signals": 0}, ["a.*"])),
        ({"a.x": PASSED}, {"a.x": FAILED}, KNOWN + ALSO, Comparison({}, {"signals": 1, "pipes": 0}, [])),
        ({"a.x": PASSED}, {"a.x": PASSED}, KNOWN, Comparison({}, {"signals": 0}, ["a.*"])),
        ({"b.x": PASSED}, {"b.x": PASSED}, KNOWN, Comparison({}, {"signals": 0}, ["a.*"])),
        ({"a.x": PASSED}, {"a.x": PASSED}, RACE, Comparison({}, {"signals": 0}, [])),
        ({"b.x": PASSED}, {"b.x": PASSED}, RACE, Comparison({}, {"signals": 0}, ["a.*"])),
        ({"a.x": FAILED}, {"a.x": FAILED}, KNOWN, Comparison({}, {"signals": 0}, [])),
        ({"a.x": SKIPPED}, {"a.x": SKIPPED}, KNOWN, Comparison({}, {"signals": 0}, ["a.*"])),
    ],
    ids=[
        "the same",
        "fails on the virtual loop only",
        "is skipped there",
        "is not reached there",
        "fails on the kernel loop only",
        "one is known and one is not",
        "a pattern names several",
        "a known test fails in another way",
        "two reasons for a test",
        "a pattern whose tests pass",
        "a pattern that names no test",
        "a race that ends well",
        "a race that names no test",
        "a pattern whose test fails on both",
        "a pattern whose test is skipped on both",
    ],
)  # fmt: skip
def test_a_difference_is_known_or_new_and_a_pattern_without_one_is_stale(kernel, virtual, expected, found):
    """What passes on a kernel loop has to pass on the virtual one, unless a pattern names it."""
    assert compare(kernel, virtual, expected) == found


def test_each_suite_has_its_list():
    """A list under a name that no suite has would never be looked at."""
    assert DIFFERENCES.keys() == {name for name, suite in SUITES.items() if not suite.missing}


@pytest.mark.parametrize("package", ["nothing_here", "nothing_here.test", "json.nothing_here"])
def test_a_suite_that_is_not_installed_says_so(package):
    """By its package's name, whichever part of it is missing."""
    assert lacking(Suite(package)) == f"{package} is not installed"


def test_a_suite_that_is_not_here_is_skipped_by_name(capsys):
    """It is no failure: aiohttp's wheel has no tests."""
    assert main(["aiohttp"]) == 0
    assert capsys.readouterr().out.startswith("aiohttp: skipped: its wheel has no tests")


def test_an_unknown_suite_is_refused_with_the_known_ones(capsys):
    """Before anything runs."""
    with pytest.raises(SystemExit):
        main(["cpython", "twisted"])
    assert "'twisted' is no suite; there are cpython, tornado, aiohttp" in capsys.readouterr().err


# Each kind of end that a test may come to, in the order of their names.
MODULE = """
import os, unittest

class Tests(unittest.TestCase):
    entered = 0

    @classmethod
    def setUpClass(cls):
        cls.entered += 1

    def test_1(self): pass
    def test_2(self): self.fail("no")
    def test_3(self): self.skipTest("not here")
    def test_4(self): raise KeyboardInterrupt
    def test_5(self): self.assertEqual(self.entered, 1)
    def test_6(self): print("a line of its own"); os._exit(3)
    def test_7(self): open("left behind", "x").close()
"""


needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="the runner ends slow tests by SIGUSR2")


@needs_signals
def test_a_module_is_run_to_its_end_whatever_its_tests_do(tmp_path, monkeypatch):
    """One that interrupts, or ends the process, has failed, and those behind it run; its files go."""
    (tmp_path / "other_people.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert run_module("other_people", "virtual", ["asyncio"]) == {
        "other_people.Tests.test_1": PASSED,
        "other_people.Tests.test_2": Outcome("failed", "AssertionError: no"),
        "other_people.Tests.test_3": Outcome("skipped", "not here"),
        "other_people.Tests.test_4": Outcome("failed", "KeyboardInterrupt: "),
        "other_people.Tests.test_5": PASSED,
        "other_people.Tests.test_6": Outcome("failed", "the process ended with 3"),
        "other_people.Tests.test_7": PASSED,
    }
    assert [path.name for path in tmp_path.iterdir() if path.name != "__pycache__"] == ["other_people.py"]


@needs_signals
def test_a_module_that_cannot_be_run_has_failed(tmp_path, monkeypatch):
    """An empty run would look like one without differences."""
    (tmp_path / "other_people.py").write_text("raise SystemExit(4)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert run_module("other_people", "kernel", ()) == {
        "other_people": Outcome("failed", "the process ended with 4")
    }

"""Installed but unused: a suite that uses nothing of ours does not notice."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import SourceFileLoader

import pytest

import pytest_wsstability
from pytest_wsstability import plugin
from pytest_wsstability.plugin import hooks, hookspecs

SUITE = """
import asyncio
import unittest

import pytest
import pytest_asyncio

counts = {"session": 0, "module": 0, "function": 0}

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_resource():
    counts["session"] += 1
    yield asyncio.get_running_loop()

@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def module_resource():
    counts["module"] += 1
    yield

@pytest_asyncio.fixture
async def resource():
    counts["function"] += 1
    yield

@pytest.mark.asyncio
@pytest.mark.parametrize("number", [1, 2])
async def test_async(session_resource, module_resource, resource, number):
    assert not hasattr(asyncio.get_running_loop(), "is_virtual")

@pytest.mark.asyncio(loop_scope="session")
async def test_session(session_resource):
    await asyncio.sleep(0)

def test_sync(session_resource):
    pass

class TestCase(unittest.TestCase):
    def test_it(self):
        pass

def test_counts():
    assert counts == {"session": 1, "module": 1, "function": 2}
"""


def ids(result: pytest.RunResult) -> list[str]:
    return [line for line in result.stdout.lines if "::" in line]


def test_ids_and_fixtures_are_the_same(run):
    """With and without us: the same tests, the same setups, in the same order."""
    ours = run(SUITE, "--setup-show")
    theirs = run(SUITE, "--setup-show", "-p", "no:wsstability")

    assert ours.parseoutcomes() == theirs.parseoutcomes() == {"passed": 6}

    def setups(result):
        return [
            line.strip() for line in result.stdout.lines if line.strip().startswith(("SETUP", "TEARDOWN"))
        ]

    assert setups(ours) == setups(theirs)
    assert ids(ours) == ids(theirs)


def test_collected_ids_are_the_same(run):
    """What --collect-only prints."""
    ours = run(SUITE, "--collect-only", "-q")

    assert ids(ours) == ids(run(SUITE, "--collect-only", "-q", "-p", "no:wsstability"))
    assert any(line.endswith("test_async[1]") for line in ids(ours))


def test_the_header_has_two_lines_of_ours(run):
    """What is under test, and the versions that a bug report needs; a quiet run has none."""
    assert sum("wsstability:" in line for line in run(SUITE).stdout.lines) == 2
    assert "wsstability" not in run(SUITE, "-q").stdout.str()


def test_nothing_warns(run):
    """With every warning an error."""
    assert run(SUITE, "-W", "error").parseoutcomes() == {"passed": 6}


@pytest.mark.slow
def test_nothing_heavy_is_loaded(pytester):
    """A whole run, in a fresh interpreter; and pytest rewrites no more than what it finds first."""
    # As it does with everything in a distribution that is installed, whose entry point it finds.
    pytester.makepyfile(as_installed="import pytest; pytest.register_assert_rewrite('pytest_wsstability')")
    pytester.makepyfile(
        SUITE
        + """

def test_modules():
    import sys

    loaded = {name for name in sys.modules if name.split(".")[0] == "websockets"}
    ours = ("pytest_wsstability.net.", "pytest_wsstability.virtual.", "pytest_wsstability.report.")
    loaded |= {name for name in sys.modules if name.startswith(ours)}
    assert "pytest_wsstability.plugin.hooks" in sys.modules
    assert loaded == set()
    rewritten = {
        name for name, module in sys.modules.items()
        if name.startswith("pytest_wsstability") and "Rewriting" in type(module.__loader__).__name__
    }
    assert rewritten == {"pytest_wsstability", "pytest_wsstability.plugin"}
"""
    )

    result = pytester.runpytest_subprocess("-W", "error", "-p", "as_installed")

    assert result.parseoutcomes() == {"passed": 7}


def test_the_entry_point_is_quick_to_import():
    """What it adds to a run is a few modules, not a library."""
    script = (
        "import sys, pytest, pytest_asyncio; n = len(sys.modules); import pytest_wsstability.plugin.hooks; "
        "print(len(sys.modules) - n)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert int(done.stdout) < 40


def test_pytest_is_shown_hooks_and_fixtures_only():
    """It asks each name in a plugin what it is, so there are no others."""
    shown = dir(hooks)

    assert {"pytest_addoption", "ws_soak", "_ws_loop"} <= set(shown)
    assert all(name.startswith(("pytest_", "ws_", "_ws_")) for name in shown)
    assert set(dir(hookspecs)) == {"pytest_wsstability_diagnose", "pytest_wsstability_profiles"}


def test_the_finder_finds_ours_only():
    """As Python does: whoever else is imported is none of its business."""
    path = pytest_wsstability.__path__

    found = plugin.PlainFinder.find_spec("pytest_wsstability.faults", path)

    assert type(found.loader) is SourceFileLoader
    assert plugin.PlainFinder.find_spec("pytest_wsstability.nowhere", path) is None
    for other in ("pytest_wsstability", "pytest_wsstability_more", "json", "test_unused"):
        assert plugin.PlainFinder.find_spec(other) is None


@pytest.mark.parametrize("text", ["ordinary", "a longer one, with a comma", "/path/of/a/file.txt"])
def test_ordinary_parameters_load_nothing(text, monkeypatch):
    """What hides secrets loads with the first text that may hold one."""
    # As if no test of this process had loaded it yet.
    monkeypatch.setattr(hooks, "_PACKAGE", "another")
    monkeypatch.setattr(hooks, "secrecy", None)

    assert hooks.pytest_make_parametrize_id(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "ws://name:hunter2@a.example/",
        "eyJhbGciOi.eyJzdWIi.c2ln",
        "/voice?token=hunter2",
        "bearer hunter2hunter2",
        "BASIC aHVudGVyMg==",
    ],
)
def test_a_parameter_that_may_hold_a_secret_is_looked_at(text, monkeypatch):
    """By each of the forms that are known."""
    # As if no test of this process had loaded it yet.
    monkeypatch.setattr(hooks, "_PACKAGE", "another")

    shown = hooks.pytest_make_parametrize_id(text)

    assert shown is not None
    assert "***" in shown


def test_switched_off(run):
    """-p no:wsstability takes all of it away."""
    result = run("def test_it(ws_url): pass", "-p", "no:wsstability")

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["*fixture 'ws_url' not found"])


def test_their_own_random_state_is_left_alone(run):
    """Only virtual tests are seeded."""
    result = run(
        """
        import random

        random.seed(3)
        expected = random.Random(3).random()

        def test_it():
            assert random.random() == expected
        """
    )

    assert result.parseoutcomes() == {"passed": 1}

"""The one private seam of pytest-asyncio: if it changes, the failure is loud."""

from __future__ import annotations

import asyncio

import pytest_asyncio.plugin

SOURCE = """
async def test_it(ws_clock):
    assert ws_clock.is_virtual
"""
ADVICE = "*RuntimeError: pytest-asyncio * does not let us give it a virtual loop ({})*--ws-time real*"


def test_it_has_no_runner(run, monkeypatch):
    """A test never runs in real time by surprise."""
    monkeypatch.delattr(pytest_asyncio.plugin, "Runner")

    result = run(SOURCE)

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines([ADVICE.format("it has no Runner")])


def test_it_uses_another_loop(run, monkeypatch):
    """What it made is looked at, not believed."""

    def stubborn(**_):
        return asyncio.Runner()

    monkeypatch.setattr(pytest_asyncio.plugin, "Runner", stubborn)

    result = run(SOURCE)

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines([ADVICE.format("its runner is <asyncio.runners.Runner *>")])


def test_the_name_is_given_back(run):
    """After a run, and after a test that fails to set up."""
    before = pytest_asyncio.plugin.Runner

    run(SOURCE)
    assert pytest_asyncio.plugin.Runner is before

    run(
        """
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def broken(ws_clock):
            raise OSError

        async def test_it(broken):
            pass
        """
    )
    assert pytest_asyncio.plugin.Runner is before


def test_real_time_needs_no_seam(run, monkeypatch):
    """So that there is a way on."""
    source = SOURCE.replace("assert", "assert not")
    before = pytest_asyncio.plugin.Runner
    seen = []

    class Watched:
        def __new__(cls, *args, **kwargs):
            seen.append(kwargs)
            return before(*args, **kwargs)

    monkeypatch.setattr(pytest_asyncio.plugin, "Runner", Watched)

    assert run(source, "--ws-time=real").parseoutcomes() == {"passed": 1}
    assert len(seen) == 1
    assert seen[0].get("loop_factory") is None

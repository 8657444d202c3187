"""patch_time=True: the time module follows the virtual clock."""

from __future__ import annotations

import time


def test_code_of_theirs_sees_virtual_time(passes):
    """In the test and in its async fixtures; real time is back afterwards."""
    real = time.time, time.monotonic
    source = """
        import asyncio
        import time
        import pytest
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def started():
            return time.monotonic()

        @pytest.mark.ws_stability(time="virtual", patch_time=True)
        async def test_it(started):
            wall = time.time()
            await asyncio.sleep(3600)
            assert time.monotonic() - started == pytest.approx(3600)
            assert time.time() - wall == pytest.approx(3600)

        async def test_the_next_one(ws_clock):
            before = time.monotonic()
            await ws_clock.advance("1h")
            assert time.monotonic() - before < 60
    """

    assert passes(source) == 2
    assert (time.time, time.monotonic) == real


def test_a_class_with_one_loop(passes):
    """Its marker says it for all of its tests."""
    source = """
        import time
        import pytest

        @pytest.mark.ws_stability(time="virtual", patch_time=True)
        @pytest.mark.asyncio(loop_scope="class")
        class TestShared:
            started = None

            async def test_one(self, ws_clock):
                TestShared.started = time.monotonic()
                await ws_clock.advance("1h")

            async def test_two(self, ws_clock):
                assert time.monotonic() - self.started == pytest.approx(3600)
    """
    assert passes(source) == 2


def test_real_time_is_real(passes):
    """There is nothing to follow."""
    source = """
        import time
        import pytest

        before = time.monotonic

        @pytest.mark.ws_stability(patch_time=True)
        async def test_it(ws_clock):
            assert not ws_clock.is_virtual
            assert time.monotonic is before
    """
    assert passes(source, "--ws-time=real") == 1


def test_a_value_that_makes_no_sense(refusal):
    """It is named."""
    printed = refusal(
        """
        import pytest

        @pytest.mark.ws_stability(patch_time="yes")
        async def test_it(ws_clock):
            pass
        """
    )
    assert "test_it: patch_time: 'yes' is neither True nor False" in printed


def test_a_deadline_that_an_app_counts_by_itself_is_seen_with_it_alone(pytester, run):
    """In the hold of a sync test: a server that looks at the time is never idle while that stands still."""
    pytester.makepyfile(
        counts="""
        import asyncio
        import time

        async def app(connection):
            began = time.time()
            while connection.close_code is None and time.time() - began < 60:
                await asyncio.sleep(5)
            await connection.close(4000, "idle")
        """
    )
    source = """
        import pytest

        @pytest.mark.ws_stability(alive_for="10m", profile="frames", patch_time={})
        def test_it(ws_soak): ...
    """

    assert run(source.format(False), "--ws-app=counts:app").parseoutcomes() == {"passed": 1}
    result = run(source.format(True), "--ws-app=counts:app")
    result.stdout.fnmatch_lines(["*(4000 at 60 s of 600 s)*"])

"""patch_time=True: the time module follows the virtual clock of an async test."""

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

"""ws_clock, in both times."""

from __future__ import annotations

import time

import pytest


async def test_virtual(ws_clock):
    """An hour passes at once, exactly."""
    assert ws_clock.is_virtual
    start, real = ws_clock.now, time.perf_counter()
    await ws_clock.advance("1h")
    assert ws_clock.now - start == 3600.0
    assert time.perf_counter() - real < 5


def test_real(passes):
    """The same lines wait."""
    passes(
        """
        import time

        async def test_it(ws_clock):
            assert not ws_clock.is_virtual
            start, real = ws_clock.now, time.perf_counter()
            await ws_clock.advance("50ms")
            assert ws_clock.now - start >= 0.049
            assert time.perf_counter() - real >= 0.049
        """,
        "--ws-time=real",
    )


async def test_nothing_may_pass(ws_clock):
    """Zero lets others run; less is no duration."""
    await ws_clock.advance(0)
    with pytest.raises(ValueError, match=r"^advance: -1 is negative"):
        await ws_clock.advance(-1)


async def test_it_shows_itself(ws_clock):
    """In a failing assertion's output."""
    await ws_clock.advance("1500ms")
    assert repr(ws_clock) == "<Clock virtual, 1.500 s>"


def test_the_marker_chooses_it_for_one_test(passes):
    """Closer than the option."""
    source = """
        import pytest

        @pytest.mark.ws_stability(time="real")
        async def test_real(ws_clock):
            assert not ws_clock.is_virtual

        @pytest.mark.ws_stability(time="virtual")
        async def test_virtual(ws_clock):
            assert ws_clock.is_virtual

        async def test_option(ws_clock):
            assert ws_clock.is_virtual is {by_option}
        """
    assert passes(source.format(by_option=True)) == 3
    assert passes(source.format(by_option=False), "--ws-time=real") == 3
    assert passes(source.format(by_option=True), "--ws-time=virtual") == 3


def test_the_ini_file_chooses_it(passes, ini):
    """For a project whose tests are all real."""
    ini("ws_time = real")

    passes(
        """
        async def test_it(ws_clock):
            assert not ws_clock.is_virtual
        """
    )

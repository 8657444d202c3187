"""The two timers of a connection: one that keeps its beat, one that is put off at no cost."""

import asyncio

import pytest

from pytest_wsstability.net.timers import Deadline, Ticker

pytestmark = pytest.mark.ws_stability(time="virtual")


class Clock:
    """A loop of which only the clock is needed: time passes when the test says so, late or not."""

    def __init__(self):
        self.now = 0.0
        self.set = []

    def time(self):
        return self.now

    def call_at(self, when, callback):
        timer = Timer(when, callback)
        self.set.append(timer)
        return timer

    @property
    def due(self):
        return [timer for timer in self.set if not timer.gone]

    def run_at(self, now):
        """Let the clock stand at an instant, and everything run that is due by then, once."""
        self.now = now
        for timer in [timer for timer in self.due if timer.when <= now]:
            timer.gone = True
            timer.callback()


class Timer:
    def __init__(self, when, callback):
        self.when, self.callback, self.gone = when, callback, False

    def cancel(self):
        self.gone = True


async def test_a_ticker_does_not_drift():
    """The thousandth beat comes at the start and a thousand intervals, as one multiplication has it."""
    loop = asyncio.get_running_loop()
    beats = []
    ticker = Ticker(loop, loop.time(), 0.1, lambda: beats.append(loop.time()))
    await asyncio.sleep(100.05)
    ticker.cancel()

    assert beats == [number * 0.1 for number in range(1, 1001)]


def test_a_late_beat_does_not_shift_the_next():
    """A loop that is busy for a moment."""
    clock, beats = Clock(), []
    Ticker(clock, 0.0, 25.0, lambda: beats.append(clock.now))
    clock.run_at(25.4)

    assert [timer.when for timer in clock.due] == [50.0]
    assert beats == [25.4]


@pytest.mark.parametrize("now", [99.0, 100.0, 110.0])
def test_beats_that_were_slept_through_are_lost(now):
    """A burst of late heartbeats would prove nothing."""
    clock, beats = Clock(), []
    Ticker(clock, 0.0, 25.0, lambda: beats.append(clock.now))
    clock.run_at(now)
    while clock.due and clock.due[0].when <= now:
        clock.run_at(now)

    assert len(beats) <= 2
    assert [timer.when for timer in clock.due] == [100.0 if now < 100 else 125.0]


def test_a_start_in_the_past_is_no_burst():
    """The opening lies a moment back when the ticker is made."""
    clock = Clock()
    clock.now = 10.0
    Ticker(clock, 0.0, 25.0, lambda: None)

    assert [timer.when for timer in clock.due] == [25.0]


def test_a_cancelled_ticker_beats_no_more():
    """Twice is once."""
    clock = Clock()
    ticker = Ticker(clock, 0.0, 25.0, lambda: None)
    ticker.cancel()
    ticker.cancel()

    assert clock.due == []


def test_a_ticker_may_be_cancelled_by_its_own_callback():
    """The last heartbeat may end the connection."""
    clock = Clock()
    tickers = []
    tickers.append(Ticker(clock, 0.0, 25.0, lambda: tickers[0].cancel()))
    clock.run_at(25.0)

    assert clock.due == []


async def test_a_deadline_comes_after_the_last_reset():
    """Exactly."""
    loop = asyncio.get_running_loop()
    fired = []
    deadline = Deadline(loop, 60.0, lambda: fired.append(loop.time()))
    for _ in range(10):
        await asyncio.sleep(30)
        deadline.reset(loop.time())
    await asyncio.sleep(3600)

    assert fired == [360.0]


def test_a_reset_touches_no_timer():
    """A busy connection resets a thousand times a second; one timer a minute finds out."""
    clock, fired = Clock(), []
    deadline = Deadline(clock, 60.0, lambda: fired.append(clock.now))
    for step in range(1, 60_000):
        clock.now = step / 1000
        deadline.reset(clock.now)
    assert len(clock.set) == 1

    clock.run_at(60.0)
    assert fired == []
    assert [timer.when for timer in clock.due] == [59.999 + 60.0]
    clock.run_at(120.0)
    assert fired == [120.0]
    assert clock.due == []


def test_a_reset_at_the_last_moment_counts():
    """At the very instant, before the timer runs."""
    clock, fired = Clock(), []
    deadline = Deadline(clock, 60.0, lambda: fired.append(clock.now))
    clock.now = 60.0
    deadline.reset(60.0)
    clock.run_at(60.0)

    assert fired == []


def test_a_cancelled_deadline_does_not_come():
    """Twice is once."""
    clock = Clock()
    deadline = Deadline(clock, 60.0, lambda: None)
    deadline.cancel()
    deadline.cancel()

    assert clock.due == []

"""The clock jumps exactly, to one timer at a time, and only when nothing else can happen."""

import asyncio
import logging
import random
import signal

import pytest

from pytest_wsstability.virtual import VirtualDeadlock, VirtualLoop, run_virtual

YEAR = 365 * 86400.0


def loop_time():
    return asyncio.get_running_loop().time()


def released(schedule, **options):
    """The order in which timers come; ``schedule`` gets the loop and a callback that writes down a name."""

    async def main():
        seen = []
        schedule(asyncio.get_running_loop(), lambda name: seen.append((loop_time(), name)))
        await asyncio.sleep(1000)
        return seen

    return run_virtual(main(), **options)


def test_it_starts_at_zero_and_says_that_it_is_virtual():
    async def main():
        return loop_time(), asyncio.get_running_loop().is_virtual

    assert run_virtual(main()) == (0.0, True)


@pytest.mark.parametrize("delay", [1e-9, 0.1, 1 / 3, 59.999999999, 86400.0, 400 * 86400.0, 100 * YEAR])
def test_a_sleep_ends_exactly_when_it_should(delay):
    async def main():
        await asyncio.sleep(delay)
        return loop_time()

    assert run_virtual(main()) == delay


def test_sleeps_add_up_as_floats_do():
    async def main():
        for _ in range(1000):
            await asyncio.sleep(0.1)
        return loop_time()

    expected = 0.0
    for _ in range(1000):
        expected += 0.1
    assert run_virtual(main()) == expected


def test_sleep_zero_takes_no_time():
    async def main():
        for _ in range(100):
            await asyncio.sleep(0)
        return loop_time()

    assert run_virtual(main()) == 0.0


def test_timers_come_in_the_order_of_their_instants():
    def schedule(loop, note):
        for delay in (3, 1, 2, 1.5):
            loop.call_later(delay, note, delay)

    assert released(schedule) == [(1, 1), (1.5, 1.5), (2, 2), (3, 3)]


def test_a_timer_in_the_past_comes_at_once():
    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(10)
        done = loop.create_future()
        loop.call_at(5, done.set_result, "late")
        return await done, loop_time()

    assert run_virtual(main()) == ("late", 10)


def test_a_cancelled_timer_does_not_move_the_clock():
    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(1, pytest.fail).cancel()
        await asyncio.sleep(0.5)
        loop.call_later(1, pytest.fail).cancel()
        await asyncio.sleep(0)
        return loop_time()

    assert run_virtual(main()) == 0.5


def test_many_cancelled_timers_are_cleared_out():
    async def main():
        loop = asyncio.get_running_loop()
        kept = loop.call_later(1e6, pytest.fail)
        for _ in range(10_000):
            loop.call_later(1e5, pytest.fail).cancel()
        size = len(loop._timers)
        kept.cancel()
        return size

    assert run_virtual(main()) < 300


@pytest.mark.parametrize(
    ("order", "expected"), [("fifo", ["a", "b", "c", "d"]), ("lifo", ["d", "c", "b", "a"])]
)
def test_the_order_of_ties(order, expected):
    def schedule(loop, note):
        for name in "abcd":
            loop.call_at(60, note, name)

    assert [name for _, name in released(schedule, order=order)] == expected


def test_a_random_order_depends_on_the_seed_alone():
    def schedule(loop, note):
        for number in range(20):
            loop.call_at(60, note, number)

    orders = [tuple(name for _, name in released(schedule, order="random", seed=seed)) for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == list(range(20))


def test_an_unknown_order_is_refused():
    with pytest.raises(ValueError, match=r"^order='any' is not one of 'fifo', 'lifo', 'random'$"):
        VirtualLoop(order="any")


def test_all_that_follows_from_a_timer_comes_before_the_next_one():
    async def main():
        loop = asyncio.get_running_loop()
        seen = []

        async def cascade():
            for step in range(5):
                await asyncio.sleep(0)
                seen.append(f"step {step}")

        loop.call_at(60, lambda: loop.create_task(cascade()))
        loop.call_at(60, seen.append, "second timer")
        await asyncio.sleep(61)
        return seen

    assert run_virtual(main()) == [*(f"step {step}" for step in range(5)), "second timer"]


def test_ties_are_counted():
    async def main():
        loop = asyncio.get_running_loop()
        for when in (60, 60, 60, 61, 62, 62):
            loop.call_at(when, int)
        loop.call_at(61, int).cancel()
        await asyncio.sleep(100)
        return loop.ties

    ties = run_virtual(main())
    assert (ties.count, list(ties.instants)) == (2, [(60, 3), (62, 2)])


def test_the_list_of_ties_is_bounded():
    async def main():
        loop = asyncio.get_running_loop()
        for when in range(1, 201):
            loop.call_at(when, int)
            loop.call_at(when, int)
        await asyncio.sleep(300)
        return loop.ties

    ties = run_virtual(main())
    assert (ties.count, len(ties.instants), ties.instants[-1]) == (200, 64, (200, 2))


def test_timeouts_fire_exactly():
    async def main():
        seen = []
        for wait in (
            lambda: asyncio.wait_for(asyncio.sleep(100), 60),
            lambda: asyncio.wait_for(asyncio.get_running_loop().create_future(), 0.25),
        ):
            with pytest.raises(TimeoutError):
                await wait()
            seen.append(loop_time())
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(20):
                await asyncio.sleep(3600)
        seen.append(loop_time())
        _, pending = await asyncio.wait([asyncio.ensure_future(asyncio.sleep(9))], timeout=5)
        return [*seen, loop_time(), len(pending)]

    assert run_virtual(main()) == [60, 60.25, 80.25, 85.25, 1]


def test_a_timer_that_is_due_does_not_starve_behind_a_spinning_task():
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_later(0, done.set_result, None)
        while not done.done():  # noqa: ASYNC110 (it is about spinning)
            await asyncio.sleep(0)
        return loop_time()

    assert run_virtual(main()) == 0.0


def test_a_deadlock_says_who_waits_where():
    async def waits_for_nothing():
        await asyncio.Queue().get()

    async def main():
        await asyncio.sleep(12.5)
        await asyncio.create_task(waits_for_nothing(), name="reader")

    with pytest.raises(VirtualDeadlock) as deadlock:
        run_virtual(main())
    text = str(deadlock.value)
    first = (
        "virtual time stands still at t=12.5 s: no callback is ready, no timer is set, nothing is in flight"
    )
    assert text.startswith(first)
    assert deadlock.value.at == 12.5
    (line,) = (line for line in deadlock.value.waiting if line.startswith("reader"))
    assert "test_clock.py:" in line
    assert "waits_for_nothing" in line
    assert "asyncio/queues.py:" in line
    assert "--ws-time real" in text
    assert "loop.hold()" in text


def test_after_a_deadlock_the_task_is_cleaned_up():
    cleaned = []

    async def main():
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            await asyncio.sleep(5)
            cleaned.append(loop_time())

    with pytest.raises(VirtualDeadlock):
        run_virtual(main())
    assert cleaned == [5.0]


def test_a_busy_loop_is_a_deadlock(monkeypatch):
    monkeypatch.setattr("pytest_wsstability.virtual.loop._SPINNING", 10_000)

    async def main():
        while True:  # noqa: ASYNC110 (it is about spinning)
            await asyncio.sleep(0)

    with pytest.raises(VirtualDeadlock, match=r"the loop turned 10,000 times .*: a busy sleep\(0\) loop"):
        run_virtual(main())


@pytest.mark.parametrize("place", ["task", "callback", "timer"])
def test_what_a_signal_handler_raises_ends_the_run(place):
    """pytest-timeout fails a test from its handler, wherever that lands: asyncio would log it and go on."""

    class Failed(BaseException):
        pass

    def handler(*_):
        raise Failed

    def land():
        signal.raise_signal(signal.SIGTERM)

    async def main():
        loop = asyncio.get_running_loop()
        if place == "task":
            land()
        elif place == "callback":
            loop.call_soon(land)
        else:
            loop.call_later(5, land)
        await asyncio.sleep(3600)

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with pytest.raises(Failed):
            run_virtual(main())
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_loop_that_is_stopped_can_go_on():
    loop = VirtualLoop()
    loop.call_later(5, loop.stop)
    loop.run_forever()
    assert loop.time() == 5
    assert loop.run_until_complete(asyncio.sleep(5, "done")) == "done"
    assert loop.time() == 10
    loop.close()
    loop.close()
    with pytest.raises(RuntimeError, match="closed"):
        loop.call_later(1, int)


def test_slow_callbacks_are_told_in_debug_mode(caplog):
    async def main():
        loop = asyncio.get_running_loop()
        loop.set_debug(True)
        loop.slow_callback_duration = 0
        await asyncio.sleep(1)

    with caplog.at_level(logging.WARNING, "pytest_wsstability.virtual"):
        run_virtual(main())
    assert "real seconds" in caplog.text


def test_the_global_random_is_seeded_and_restored():
    async def main():
        return random.random()

    random.seed(99)
    state = random.getstate()
    values = [run_virtual(main(), seed=seed) for seed in (1, 1, 2)]
    assert values[0] == values[1] != values[2]
    assert random.getstate() == state


def test_running_inside_a_running_loop_is_refused():
    async def main():
        with pytest.raises(RuntimeError, match=r"^run_virtual\(\) was called from a running event loop"):
            run_virtual(asyncio.sleep(0))

    run_virtual(main())


def test_leftovers_are_cancelled_in_order():
    cancelled = []

    async def left(name):
        try:
            await asyncio.sleep(1e9)
        finally:
            cancelled.append(name)

    async def main():
        tasks = [asyncio.ensure_future(left(name)) for name in range(12)]
        await asyncio.sleep(1)
        return len(tasks)

    assert run_virtual(main()) == 12
    assert cancelled == list(range(12))

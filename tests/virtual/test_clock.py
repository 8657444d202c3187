"""The clock jumps exactly, to one timer at a time, and only when nothing else can happen."""

import asyncio
import contextlib
import gc
import logging
import math
import random
import signal

import pytest

from pytest_wsstability.virtual import VirtualDeadlock, VirtualLoop, run_virtual
from pytest_wsstability.virtual.timers import TimerQueue

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


@pytest.mark.parametrize("count", [1, 60, 101, 102, 500])
def test_of_timers_that_are_all_cancelled_none_moves_the_clock(count):
    """However many were cleared out when which of them was cancelled."""

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(1, int)
        await asyncio.sleep(2)
        for timer in [loop.call_later(10 + index // 2, pytest.fail) for index in range(count)]:
            timer.cancel()
        await loop.create_future()

    with pytest.raises(VirtualDeadlock, match=r"at t=2 s"):
        run_virtual(main())


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


def test_timers_that_come_alone_leave_a_random_order_as_it_is():
    """Only ties need chance."""

    def ties(loop, note):
        for number in range(20):
            loop.call_at(60, note, number)

    def with_others(loop, note):
        for instant in range(1, 50):
            loop.call_at(instant, print)
        ties(loop, note)

    assert released(with_others, order="random", seed=1) == released(ties, order="random", seed=1)


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


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
def test_ties_are_counted(order):
    """Once for each instant, whatever the order."""

    async def main():
        loop = asyncio.get_running_loop()
        for when in (60, 60, 60, 61, 62, 62):
            loop.call_at(when, int)
        loop.call_at(61, int).cancel()
        await asyncio.sleep(100)
        return loop.ties

    ties = run_virtual(main(), order=order)
    assert (ties.count, list(ties.instants)) == (2, [(60, 3), (62, 2)])


@pytest.mark.parametrize("order", ["fifo", "lifo", "random"])
def test_a_timer_is_taken_from_its_instant_on(order):
    """And not before."""
    loop, queue = VirtualLoop(), TimerQueue(order, 0)
    try:
        timer = asyncio.TimerHandle(1.0, print, (), loop)
        queue.push(1.0, timer)
        assert (queue.take(0.75), queue.take(1.0), queue.take(1.0)) == (None, timer, None)
    finally:
        loop.close()


def test_a_timer_set_in_the_past_comes_before_those_that_are_due():
    """They wait at their instant, and it lies before that."""

    def schedule(loop, note):
        def first():
            note("first")
            loop.call_at(59, note, "past")

        loop.call_at(60, first)
        loop.call_at(60, note, "second")
        loop.call_at(60, note, "third")

    assert released(schedule) == [(60, "first"), (60, "past"), (60, "second"), (60, "third")]


@pytest.mark.parametrize("are_last", [False, True])
@pytest.mark.parametrize("gone", [1, 150, 151, 298])
def test_timers_that_are_cancelled_when_their_instant_has_come_do_not_come(gone, are_last):
    """The first of 300 cancels some of the others; more than half of them are cleared out."""
    left = range(299 - gone) if are_last else range(gone, 299)

    def schedule(loop, note):
        def first():
            for number in set(range(299)) - set(left):
                timers[number].cancel()

        loop.call_at(60, first)
        timers = [loop.call_at(60, note, number) for number in range(299)]

    assert released(schedule) == [(60, number) for number in left]


@pytest.mark.parametrize("order", ["fifo", "lifo"])
def test_timers_that_have_come_are_there_no_more(order):
    """Of four, three at one instant, one is left."""

    async def main():
        loop = asyncio.get_running_loop()
        for when in (60, 60, 60, 100):
            loop.call_at(when, int)
        await asyncio.sleep(61)
        return repr(loop)

    assert "timers=1>" in run_virtual(main(), order=order)


@pytest.mark.parametrize("order", ["lifo", "random"])
def test_in_any_order_a_cancelled_timer_does_not_come(order):
    """Not the first of its instant either, whichever that is."""

    def schedule(loop, note):
        timers = [loop.call_at(60, note, number) for number in range(20)]
        for timer in timers[10:]:
            timer.cancel()

    assert sorted(released(schedule, order=order)) == [(60, number) for number in range(10)]


def test_a_timer_that_has_come_is_none_of_those_that_are_cancelled(monkeypatch):
    """asyncio.sleep cancels its own when it is over: nothing is there that would have to be cleared out."""
    noted = []
    monkeypatch.setattr(TimerQueue, "note_cancelled", lambda queue: noted.append(queue))

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(1)
        await asyncio.gather(asyncio.sleep(1), asyncio.sleep(1))
        before = len(noted)
        loop.call_at(60, print).cancel()
        return before, len(noted)

    assert run_virtual(main()) == (0, 1)


def test_a_timer_can_come_once_more():
    """The same one: it can be cancelled again, and is at its new instant."""

    async def main():
        loop = asyncio.get_running_loop()
        came = []

        def ring():
            came.append((loop.time(), timer.when()))
            if len(came) < 3:
                loop.call_again(timer, loop.time() + 10)

        timer = loop.call_at(5, ring)
        await asyncio.sleep(20)
        timers = f"timers={len(loop._timers)}"
        timer.cancel()
        await asyncio.sleep(20)
        return came, timers

    assert run_virtual(main()) == ([(5, 5), (15, 15)], "timers=1")


@pytest.mark.parametrize(("again", "asks"), [(3600.999, False), (3601, True), (7200, True)])
def test_a_timer_that_comes_once_more_can_ask_for_time(again, asks):
    """An hour after it has come, as one that is made: see the horizon."""

    async def main():
        loop = asyncio.get_running_loop()
        over = loop.create_future()

        def ring():
            if loop.time() < 2:
                loop.call_again(timer, again)
            else:
                over.set_result(loop.time())

        timer = loop.call_at(1, ring)
        return await over

    with contextlib.nullcontext() if asks else pytest.raises(VirtualDeadlock, match="is given up"):
        assert run_virtual(main(), horizon=60) == again


def test_no_timer_comes_once_more_on_a_closed_loop():
    loop = VirtualLoop()
    timer = loop.call_at(0, print)
    loop.close()
    with pytest.raises(RuntimeError, match="Event loop is closed"):
        loop.call_again(timer, 1)


def test_a_timer_that_was_cancelled_ties_with_none():
    """Three at one instant of which one is gone are two."""

    async def main():
        loop = asyncio.get_running_loop()
        timers = [loop.call_at(60, print) for _ in range(3)]
        timers[1].cancel()
        await asyncio.sleep(61)
        return loop.ties

    assert list(run_virtual(main()).instants) == [(60, 2)]


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


@pytest.mark.parametrize("debug", [False, True])
def test_a_task_that_failed_is_let_go_at_once(debug):
    """So that asyncio tells in time of an error that nobody took, whatever the garbage collector does."""
    told = []

    async def fails():
        await asyncio.sleep(1)
        raise ValueError

    async def main():
        loop = asyncio.get_running_loop()
        loop.set_debug(debug)
        loop.set_exception_handler(lambda loop, context: told.append(context["message"]))
        await asyncio.wait([asyncio.create_task(fails())])
        return list(told)

    gc.disable()
    try:
        assert run_virtual(main()) == ["Task exception was never retrieved"]
    finally:
        gc.enable()


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


# The horizon.

DAY = 86400


async def beat(seconds):
    while True:  # noqa: ASYNC110 (a timer that is set anew is what it is about)
        await asyncio.sleep(seconds)


async def wait_for_nothing(*others):
    """While other coroutines run."""
    tasks = [asyncio.ensure_future(other) for other in others]
    await asyncio.get_running_loop().create_future()
    assert tasks


def given_up(main, **options):
    """When a coroutine is given up, and what is said."""
    with pytest.raises(VirtualDeadlock, match=r"^virtual time is given up at ") as found:
        run_virtual(main, **options)
    return found.value.at, str(found.value)


def test_a_test_that_only_keepalive_timers_move_ends_at_a_horizon():
    """After a day that nobody asked for; the place in the test comes first."""

    async def main():
        await wait_for_nothing(asyncio.create_task(beat(25), name="keepalive"))

    at, text = given_up(main())
    assert at == DAY
    first = text.splitlines()[1]
    assert "(what the loop runs) waits at " in first
    assert "test_clock.py" in first
    assert "wait_for_nothing" in first
    assert "keepalive waits at" in text
    assert text.endswith("or raise the ini option ws_virtual_horizon")
    assert "for 24 h beyond what was asked for" in text


def test_the_place_is_the_projects_own():
    """Not the standard library's code that the test has called, such as contextlib's."""

    @contextlib.asynccontextmanager
    async def nothing():
        await wait_for_nothing(beat(25))
        yield

    async def main():
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(nothing())

    _, text = given_up(main())
    first = text.splitlines()[1]
    assert first.partition(" waits at ")[2].startswith("tests/virtual/test_clock.py:")
    assert "wait_for_nothing)" in first


def test_an_error_of_what_was_given_up_is_not_told_later():
    """It may end while another runs, and is no error of that."""
    loop, told = VirtualLoop(), []
    loop.set_exception_handler(lambda _, context: told.append(context))
    never = loop.create_future()

    async def main():
        await never
        raise RuntimeError("late")

    try:
        with pytest.raises(VirtualDeadlock):
            loop.run_until_complete(main())
        never.set_result(None)
        loop.run_until_complete(asyncio.sleep(1))
        gc.collect()
    finally:
        loop.close()
    assert told == []


@pytest.mark.parametrize(("slept", "at"), [(3599, 100), (3600, 3700)])
def test_a_timer_of_an_hour_is_asked_for(slept, at):
    """One that is shorter may be anybody's keepalive."""

    async def main():
        beats = asyncio.create_task(beat(10))
        await asyncio.sleep(slept)
        await wait_for_nothing(beats)

    assert given_up(main(), horizon=100)[0] == at


@pytest.mark.slow
@pytest.mark.parametrize(
    ("horizon", "asked", "at"), [(3600, 0, 3600), (100, 0, 100), (3600, 30 * DAY, 30 * DAY + 3600)]
)
def test_the_horizon_lies_beyond_what_was_asked_for(horizon, asked, at):
    """A sleep of the test's own is asked for, however long."""

    async def main():
        beats = asyncio.create_task(beat(100))
        await asyncio.sleep(asked)
        await wait_for_nothing(beats)

    assert given_up(main(), horizon=horizon)[0] == at


@pytest.mark.slow
@pytest.mark.parametrize(("start", "at"), [(3599, 31 * DAY + 3599), (3600, DAY)])
def test_a_long_timer_of_another_task_is_asked_for_if_it_is_set_early(start, at):
    """A fleet's holds are; the daily job of a server, which comes again and again, is not."""

    async def late():
        await asyncio.sleep(3000)
        await asyncio.sleep(start - 3000)
        await asyncio.sleep(30 * DAY)

    async def main():
        await wait_for_nothing(beat(300), late())

    found, _ = given_up(main())
    assert abs(found - at) <= 300


@pytest.mark.parametrize(
    "wait", [asyncio.sleep, lambda seconds: asyncio.wait_for(asyncio.Event().wait(), seconds)]
)
def test_what_sleeps_for_ever_never_ends(wait):
    """`anyio.sleep_forever` is `sleep(math.inf)`: it moves no clock, and is cancelled as any other."""

    async def main():
        tasks = [asyncio.create_task(wait(math.inf), name=name) for name in ("service", "other")]
        await asyncio.sleep(5)
        tasks[0].cancel()
        await asyncio.Event().wait()

    with pytest.raises(
        VirtualDeadlock, match=r"stands still at t=5 s: .* no timer is set(?s:.*)other waits at"
    ):
        run_virtual(main())


def test_what_sleeps_for_ever_asks_for_no_time():
    """Keepalive beside it ends at the horizon."""

    async def main():
        loop = asyncio.get_running_loop()

        def keepalive():
            loop.call_later(25, keepalive)

        keepalive()
        await asyncio.sleep(math.inf)

    with pytest.raises(VirtualDeadlock, match="is given up at t=86400 s"):
        run_virtual(main())


def test_a_timer_that_never_comes_can_be_set_again():
    async def main():
        loop, came = asyncio.get_running_loop(), []
        timer = loop.call_later(1, lambda: came.append(loop.time()))
        await asyncio.sleep(1)
        loop.call_again(timer, math.inf)
        await asyncio.sleep(7200)
        timer.cancel()
        return came, len(loop._timers)

    assert run_virtual(main()) == ([1], 0)


def test_an_hourly_job_does_not_keep_a_test_alive():
    """Each of its timers is an hour long, and none but the first is asked for."""

    async def main():
        await wait_for_nothing(beat(3600))

    assert given_up(main())[0] == DAY + 3600


async def look_again(every):
    """As somebody does who does not know what to wait for."""
    while True:  # noqa: ASYNC110 (see beat)
        await asyncio.sleep(every)


@pytest.mark.parametrize("every", [0.001, 3600, 90 * DAY])
def test_a_loop_that_looks_again_and_again_is_given_up(monkeypatch, every):
    """However far apart: each look asks for its time anew, and so no horizon is ever reached."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._MOST_TIMERS", 1000)

    _, text = given_up(look_again(every))
    assert "1,001 times, and outside of any hold, only timers that are set anew have moved it" in text
    assert "look_again" in text


@pytest.mark.parametrize(("horizon", "most"), [(DAY, 1000), (DAY / 2, 1000), (3 * DAY, 3000)])
def test_a_longer_horizon_allows_more_looks(monkeypatch, horizon, most):
    """The one setting is for both."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._MOST_TIMERS", 1000)

    async def main(looks):
        for _ in range(looks):
            await asyncio.sleep(0.001)

    run_virtual(main(most), horizon=horizon)
    assert f"{most + 1:,} times" in given_up(main(most + 1), horizon=horizon)[1]


def test_looks_during_a_hold_are_its_own(monkeypatch):
    """A hold says how long it lasts; what happens in it is as much as it is."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._MOST_TIMERS", 1000)

    async def main():
        loop = asyncio.get_running_loop()
        loop.ask_until(100)
        while loop.time() < 100:  # noqa: ASYNC110 (see beat)
            await asyncio.sleep(0.01)
        for _ in range(999):
            await asyncio.sleep(0.01)

    run_virtual(main())


def test_each_run_of_a_loop_counts_its_own_looks(monkeypatch):
    """A module's loop runs many tests."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._MOST_TIMERS", 1000)
    loop = VirtualLoop()
    try:
        for _ in range(3):
            loop.run_until_complete(asyncio.wait_for(asyncio.sleep(0.5), 1))
            with contextlib.suppress(TimeoutError):
                loop.run_until_complete(asyncio.wait_for(look_again(0.001), 0.9))
    finally:
        loop.close()


@pytest.mark.slow
def test_each_run_of_a_loop_has_its_own_horizon():
    """A module's loop runs many tests, of a day each."""
    loop = VirtualLoop()
    try:
        for days in (1, 2, 3):
            task = loop.create_task(beat(25))
            loop.run_until_complete(asyncio.wait([task], timeout=0.9 * DAY))
            loop.run_until_complete(asyncio.wait([task], timeout=0.1 * DAY))
            assert loop.time() == pytest.approx(days * DAY)
            task.cancel()
    finally:
        loop.close()


# A tick.


async def turn(times):
    for _ in range(times):
        await asyncio.sleep(0)


def test_an_exact_clock_stands_still_between_two_turns():
    """Where nothing is waited for, nothing passes."""

    async def main():
        await turn(99)
        return loop_time()

    assert run_virtual(main()) == 0.0


def test_a_tick_passes_in_each_turn():
    """For code that wants its clock to move; the same in each run."""

    async def main():
        before = loop_time()
        await turn(99)
        return loop_time() - before

    passed = [run_virtual(main(), tick=1e-6) for _ in range(2)]
    assert passed[0] == passed[1] == pytest.approx(99e-6)


def test_timers_come_in_time_with_a_tick():
    """The clock never goes back, and no timer comes early."""

    async def main():
        loop = asyncio.get_running_loop()
        seen = []
        for when in (1, 1, 2):
            loop.call_at(when, lambda: seen.append(loop_time()))
        await asyncio.sleep(3)
        return seen

    seen = run_virtual(main(), tick=0.25)
    assert seen == sorted(seen)
    assert all(at >= when for at, when in zip(seen, (1, 1, 2), strict=True))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"horizon": 0}, r"^horizon=0: give seconds above 0$"),
        ({"horizon": float("nan")}, r"^horizon=nan: give seconds above 0$"),
        ({"tick": -1e-6}, r"^tick=-1e-06: give seconds from 0 on, below 1$"),
        ({"tick": 1}, r"^tick=1: give seconds from 0 on, below 1$"),
    ],
)
def test_wrong_values_of_a_loop_are_refused(options, message):
    """They name the value and what is valid."""
    with pytest.raises(ValueError, match=message):
        VirtualLoop(**options)


@pytest.mark.parametrize("horizon", [0.5, 1, float("inf")])
def test_a_loop_has_no_time_that_nobody_gave_it(horizon):
    """However short its horizon is: a turn takes none unless that was asked for."""
    loop = VirtualLoop(horizon=horizon)

    async def turns():
        for _ in range(5):
            await asyncio.sleep(0)
        return loop.time()

    try:
        assert loop.run_until_complete(turns()) == 0.0
    finally:
        loop.close()


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


def test_what_follows_from_a_timer_that_stops_the_loop_comes_when_it_goes_on():
    """asyncio finishes the turn in which it was stopped, and none after that."""
    seen = []
    with contextlib.closing(VirtualLoop()) as loop:

        def last():
            loop.call_soon(seen.append, "follows")
            loop.stop()

        loop.call_at(5, last)
        loop.call_at(5, seen.append, "due")
        loop.run_forever()
        stopped = list(seen)
        loop.call_at(6, loop.stop)
        loop.run_forever()

    assert (stopped, seen) == ([], ["follows", "due"])


def test_a_loop_that_is_stopped_before_it_runs_takes_one_turn():
    """And its clock does not move."""
    with contextlib.closing(VirtualLoop()) as loop:
        loop.call_at(5, print, "never")
        loop.stop()
        loop.run_forever()

        assert loop.time() == 0


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

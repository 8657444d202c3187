"""What never comes to rest: the clock goes on all the same, and the loop says who spins where."""

import asyncio
import threading

import pytest

from pytest_wsstability.virtual import VirtualDeadlock, run_virtual


def loop_time():
    return asyncio.get_running_loop().time()


def test_a_timer_that_is_due_does_not_starve_behind_a_spinning_task():
    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_later(0, done.set_result, None)
        while not done.done():  # noqa: ASYNC110 (it is about spinning)
            await asyncio.sleep(0)
        return loop_time()

    assert run_virtual(main()) == 0.0


def test_a_busy_loop_is_a_deadlock(monkeypatch):
    """Nothing in it can ever change."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._SPINNING_FOR_EVER", 20_000)

    async def main():
        while True:  # noqa: ASYNC110 (it is about spinning)
            await asyncio.sleep(0)

    with pytest.raises(VirtualDeadlock, match=r"the loop turned 20,000 times .*: a busy sleep\(0\) loop"):
        run_virtual(main())


async def spin_until(done):
    turns = 0
    while not done():
        await asyncio.sleep(0)
        turns += 1
    return turns


def test_a_spinning_task_that_waits_for_a_timer_gets_it():
    """After 10,000 turns the clock goes to the next timer, and the loop says who spins where."""

    async def main():
        loop = asyncio.get_running_loop()
        await asyncio.sleep(5)
        timers = [loop.create_future() for _ in range(3)]
        for seconds, timer in enumerate(timers, 1):
            loop.call_later(seconds, timer.set_result, None)
        turns = await asyncio.create_task(spin_until(timers[0].done), name="poller")
        more = await spin_until(timers[2].done)
        return turns, more, loop_time(), loop.spins

    turns, more, end, spins = run_virtual(main())
    assert 9_990 <= turns < 12_000
    # Found to spin, it is not asked to prove it again for each timer.
    assert 1_990 <= more < 4_000
    assert end == 8
    ((at, place),) = spins
    assert at == 5
    assert place.startswith("poller at ")
    assert "test_spinning.py" in place
    assert "spin_until" in place


def test_a_loop_that_comes_to_rest_does_not_spin():
    """9,999 turns are work; so are as many again after a timer was waited for."""

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(100, int)
        for _ in range(5):
            for _ in range(9_000):
                await asyncio.sleep(0)
            await asyncio.sleep(1)
        return loop_time(), loop.spins

    assert run_virtual(main()) == (5, [])


async def opened_in_a_row(number, keep, done=None):
    """Connections to a server of this loop, one after the other; whether a timer cut that short."""
    server = await asyncio.start_server(lambda reader, writer: keep.append(writer), "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    for _ in range(number):
        if done is not None and done.done():
            return True
        keep.append((await asyncio.open_connection(host, port))[1])
    return False


async def end(writers):
    # The last one is accepted in the next turn.
    await asyncio.sleep(0.1)
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0.1)


def test_many_connections_in_a_row_are_no_spinning_task():
    """3,600 that are opened turn the loop 10,800 times, and more when they are closed."""

    async def main():
        loop, kept = asyncio.get_running_loop(), []
        loop.call_later(60, print)
        await opened_in_a_row(3_600, kept)
        opened = loop_time()
        await asyncio.sleep(1)
        for writer in kept:
            writer.close()
            await writer.wait_closed()
        return opened, loop_time(), loop.spins

    assert run_virtual(main()) == (0, 1, [])


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "is_cut"), [(14_000, True), (40_000, False)])
def test_connections_for_ever_spin(limit, is_cut, monkeypatch):
    """A client that comes back at once never ends."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._SPINNING_BUSY", limit)

    async def main():
        loop, kept = asyncio.get_running_loop(), []
        done = loop.create_future()
        loop.call_later(60, done.set_result, None)
        cut = await opened_in_a_row(5_000, kept, done)
        await end(kept)
        return cut, len(loop.spins)

    assert run_virtual(main()) == (is_cut, int(is_cut))


def test_a_connection_now_and_then_is_no_excuse_for_a_spinning_task():
    """The task has polled before and after it: no more than the turns around it do not count."""

    async def main():
        loop, kept = asyncio.get_running_loop(), []
        for _ in range(2_500):
            await asyncio.sleep(0)
        await opened_in_a_row(1, kept)
        done = loop.create_future()
        loop.call_later(60, done.set_result, None)
        turns = await spin_until(done.done)
        await end(kept)
        return turns, [at for at, _ in loop.spins]

    turns, spins = run_virtual(main())
    assert 9_900 <= 2_500 + turns <= 13_000
    assert spins == [0]


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "is_cut"), [(14_000, True), (40_000, False)])
def test_whoever_polls_for_connections_that_are_opened_does_not_spin(limit, is_cut, monkeypatch):
    """5,000 of them take 15,000 turns; whoever spins on behind them is found then."""
    monkeypatch.setattr("pytest_wsstability.virtual.loop._SPINNING_BUSY", limit)

    async def main():
        loop, kept = asyncio.get_running_loop(), []
        done = loop.create_future()
        loop.call_later(60, done.set_result, None)
        opening = asyncio.create_task(opened_in_a_row(5_000, kept, done))
        await spin_until(opening.done)
        at = loop_time()
        turns = await spin_until(done.done)
        await end(kept)
        return opening.result(), at, turns, len(loop.spins)

    cut, at, turns, spins = run_virtual(main())
    assert (cut, at, spins) == (is_cut, 60 * is_cut, 1)
    assert is_cut or 8_000 <= turns < 12_000


async def ask_a_server(number):
    async def answer(reader, writer):
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    for _ in range(number):
        writer.write(b"?\n")
        await reader.readline()
    writer.close()
    await writer.wait_closed()


async def ask_a_queue(number):
    there, back = asyncio.Queue(1), asyncio.Queue(1)

    async def answer():
        for _ in range(number):
            await back.put(await there.get())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(answer())
        for each in range(number):
            await there.put(each)
            await back.get()


async def poll_in_part(number, polls):
    """Every second turn is one of `sleep(0)`: the even ones, or the odd ones."""
    if polls:
        await asyncio.sleep(0)
    for _ in range(number):
        await asyncio.sleep(0)
        woken = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(woken.set_result, None)
        await woken


async def run_tasks(number):
    turn = asyncio.Semaphore(1)

    async def one():
        async with turn:
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(number):
            tasks.create_task(one())


@pytest.mark.parametrize(
    "work",
    [(ask_a_server, 6_000), (ask_a_queue, 8_000), (poll_in_part, 10_000, 0), (poll_in_part, 10_000, 1),
     (run_tasks, 12_000)],
    ids=["server", "queue", "even", "odd", "tasks"],
)  # fmt: skip
def test_work_of_many_turns_is_no_spinning_task(work):
    """Nobody waits with `sleep(0)` all the time: no timeout comes in its middle."""
    what, *arguments = work

    async def main():
        async with asyncio.timeout(5):
            await what(*arguments)
        return loop_time(), asyncio.get_running_loop().spins

    assert run_virtual(main()) == (0, [])


@pytest.mark.parametrize(("turns", "spins"), [(95_000, 0), (105_000, 1)])
def test_where_nobody_polls_100000_turns_are_work(turns, spins):
    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(60, print)
        done = loop.create_future()

        def turn(left):
            loop.call_soon(turn, left - 1) if left else done.set_result(None)

        turn(turns)
        await done
        return len(loop.spins)

    assert run_virtual(main()) == spins


def test_the_task_that_polls_all_the_time_is_named():
    """Others stand in `sleep(0)` beside it now and then."""

    async def main():
        loop = asyncio.get_running_loop()
        done = loop.create_future()
        loop.call_later(60, done.set_result, None)
        others = [asyncio.create_task(poll_in_part(20_000, polls), name=f"a{polls}") for polls in (0, 1)]
        await asyncio.create_task(spin_until(done.done), name="poller")
        for each in others:
            each.cancel()
        return [place.partition(" ")[0] for _, place in loop.spins]

    assert run_virtual(main()) == ["poller"]


@pytest.mark.parametrize("timers", [3_340, 3_674])
def test_many_timers_of_one_instant_are_no_spinning_task(timers):
    """Each turns the loop three times, which is at rest before the next one: 10,000 times in all, or more."""

    async def main():
        loop = asyncio.get_running_loop()
        came = []
        for _ in range(timers):
            loop.call_at(60, loop.call_soon, lambda: loop.call_soon(lambda: came.append(loop.time())))
        loop.call_at(61, print)
        await asyncio.sleep(100)
        return set(came), len(came), loop.spins

    assert run_virtual(main()) == ({60.0}, timers, [])


def test_a_spinning_task_does_not_move_the_clock_past_a_job():
    """What is in flight keeps it, however often the loop turns."""
    gate = threading.Event()

    async def main():
        loop = asyncio.get_running_loop()
        loop.call_later(1, pytest.fail)
        job = loop.run_in_executor(None, gate.wait, 20)
        for _ in range(15_000):
            await asyncio.sleep(0)
        gate.set()
        return await job, loop_time(), loop.spins

    assert run_virtual(main()) == (True, 0, [])

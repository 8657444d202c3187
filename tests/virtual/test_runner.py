"""Other ways to run on a virtual loop."""

import asyncio
import sys
import time
import unittest

import pytest

from pytest_wsstability.virtual import VirtualDeadlock, VirtualLoop, run_virtual, virtual_loop_factory


def test_a_runner_with_the_loop_factory():
    with asyncio.Runner(loop_factory=virtual_loop_factory(order="lifo", seed=3)) as runner:
        assert runner.run(asyncio.sleep(1e6, "done")) == "done"
        assert isinstance(runner.get_loop(), VirtualLoop)


def test_the_current_loop_of_the_thread_is_left_alone():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        run_virtual(asyncio.sleep(1))
        assert asyncio.get_event_loop_policy().get_event_loop() is loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


def test_exceptions_come_through():
    async def main():
        await asyncio.sleep(3600)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_virtual(main())


async def fail_and_leave(task):
    """Leave a task behind that has begun, and fail."""
    asyncio.get_running_loop().left = asyncio.create_task(task)
    await asyncio.sleep(0)
    raise ValueError("what ended the run")


async def stay():
    """Wait for ever, and do so once more when cancelled."""
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.Event().wait()


def test_what_is_left_behind_does_not_take_the_place_of_what_ended_the_run():
    """A task that waits for what nobody does is a deadlock by itself."""
    with pytest.raises(ValueError, match="what ended the run") as caught:
        run_virtual(fail_and_leave(stay()))

    assert [entry.name for entry in caught.traceback].count("run_virtual") == 1
    assert caught.value.__context__ is None


def test_without_a_failure_it_is_told():
    """A run that has not come to its end."""

    async def leave():
        asyncio.get_running_loop().left = asyncio.create_task(stay())
        await asyncio.sleep(0)

    with pytest.raises(VirtualDeadlock):
        run_virtual(leave())


def test_a_task_that_is_left_behind_sees_its_own_error_only():
    """What it logs has no traceback of the run's, which it did not cause."""
    seen = []

    async def look():
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            seen.append(error.__context__)

    with pytest.raises(ValueError, match="what ended the run"):
        run_virtual(fail_and_leave(look()))

    assert seen == [None]


def test_async_generators_are_closed():
    closed = []

    async def numbers():
        try:
            while True:
                yield await asyncio.sleep(1, 1)
        finally:
            closed.append(True)

    async def main():
        generator = numbers()
        return await anext(generator), generator

    run_virtual(main())
    assert closed == [True]


def test_anyio_runs_on_it():
    anyio = pytest.importorskip("anyio")

    async def main():
        with anyio.move_on_after(3600):
            await anyio.sleep_forever()
        async with anyio.create_task_group() as group:
            group.start_soon(anyio.sleep, 60)
        with anyio.fail_after(0.001):
            await anyio.to_thread.run_sync(time.sleep, 0.01)
            await anyio.to_thread.run_sync(anyio.from_thread.run_sync, int)
        await anyio.sleep(40)
        return anyio.current_time()

    options = {"loop_factory": virtual_loop_factory()}
    assert anyio.run(main, backend="asyncio", backend_options=options) == 3700


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="IsolatedAsyncioTestCase.loop_factory came with Python 3.13"
)
def test_unittest_runs_on_it():
    class Case(unittest.IsolatedAsyncioTestCase):
        loop_factory = virtual_loop_factory()

        async def test(self):
            await asyncio.sleep(86400)
            assert asyncio.get_running_loop().time() == 86400

    result = unittest.TestResult()
    Case("test").run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])

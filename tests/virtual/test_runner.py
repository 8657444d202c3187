"""Other ways to run on a virtual loop."""

import asyncio
import sys
import time
import unittest

import pytest

from pytest_wsstability.virtual import VirtualLoop, run_virtual, virtual_loop_factory


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

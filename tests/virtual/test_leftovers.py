"""What a run leaves behind does not keep threads that wait for it, nor those who run it."""

import asyncio
import concurrent.futures
import os
import threading
import warnings

import pytest

from pytest_wsstability.plugin.own_loop import run_private
from pytest_wsstability.virtual import VirtualTimeError, leftovers
from pytest_wsstability.virtual.runner import LoopSettings

VIRTUAL = LoopSettings(horizon=3600)
# A job that is given up by these tests ends in them, too.
LONG = 20


@pytest.fixture(params=[VIRTUAL, None], ids=["virtual", "real"])
def run(request):
    """Run a coroutine on a loop of its own, in virtual time and in real time."""
    return lambda coroutine: run_private(coroutine, request.param)


@pytest.fixture
def pool():
    """An executor that is none of the loop's, as that of asgiref."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        yield pool


async def tell(answer):
    """Give a thread its answer, an end of the task included: what asgiref's ``async_to_sync`` does."""
    try:
        await asyncio.Event().wait()
    except BaseException as error:
        answer.set_exception(error)
        raise


def test_a_task_has_its_first_step_before_it_is_cancelled(run, pool):
    """What is cancelled before tells nobody, and the thread that waits for it would wait for ever."""

    async def main():
        loop, asked = asyncio.get_running_loop(), threading.Event()

        def job():
            answer = concurrent.futures.Future()
            loop.call_soon_threadsafe(loop.create_task, tell(answer))
            asked.set()
            ends.append(type(answer.exception(LONG)))

        left.append(loop.run_in_executor(pool, job))
        asked.wait()
        # The run ends before the task is made.
        loop.stop()
        await asyncio.Event().wait()

    left, ends = [], []
    with pytest.raises(RuntimeError, match="stopped before"):
        run(main())
    pool.shutdown()

    assert ends == [asyncio.CancelledError]


def test_what_a_thread_asks_for_after_the_end_is_ended_too(run, pool):
    """A job that outlasts the tasks of its run, and asks the loop again and again."""

    async def main():
        loop, cancelled = asyncio.get_running_loop(), threading.Event()

        def job():
            cancelled.wait(LONG)
            for _ in range(3):
                answer = concurrent.futures.Future()
                loop.call_soon_threadsafe(loop.create_task, tell(answer))
                ends.append(type(answer.exception(LONG)))

        async def stay():
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        left.extend([loop.run_in_executor(pool, job), asyncio.create_task(stay())])
        await asyncio.sleep(0)

    left, ends = [], []
    run(main())
    pool.shutdown()

    assert ends == [asyncio.CancelledError] * 3


@pytest.mark.parametrize("is_default", [True, False])
def test_a_job_that_does_not_end_is_told_and_not_waited_for(run, pool, monkeypatch, is_default):
    monkeypatch.setattr(leftovers, "_GRACE", 0.0)
    over = threading.Event()

    def job():
        over.wait(LONG)
        ended.append(True)

    async def main():
        left.append(asyncio.get_running_loop().run_in_executor(None if is_default else pool, job))

    left, ended = [], []
    try:
        with pytest.warns(RuntimeWarning) as caught:
            run(main())
        assert not ended
    finally:
        over.set()

    (warning,) = caught
    name = "asyncio_0" if is_default else "ThreadPoolExecutor-"
    assert str(warning.message).startswith(f"still at work for a loop that has ended: thread '{name}")
    assert os.path.basename(__file__) in str(warning.message)


def test_an_error_that_ended_the_run_is_told_in_the_place_of_the_warning(pool, monkeypatch):
    monkeypatch.setattr(leftovers, "_GRACE", 0.0)
    over = threading.Event()

    async def main():
        left.append(asyncio.get_running_loop().run_in_executor(pool, over.wait, LONG))
        raise VirtualTimeError("what ended the run")

    left = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(VirtualTimeError, match="what ended the run"):
            run_private(main(), VIRTUAL)
    over.set()

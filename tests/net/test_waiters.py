"""Waiting for something on a connection: it comes, the end comes, or the time is over."""

import asyncio

import pytest

from pytest_wsstability.net.waiters import Changes, Wait, Waiters

pytestmark = pytest.mark.ws_stability(time="virtual")


@pytest.fixture
def waiters():
    """Made by the test itself, on its loop."""
    return lambda: Waiters(asyncio.get_running_loop())


async def started(*coroutines):
    tasks = [asyncio.create_task(each) for each in coroutines]
    await asyncio.sleep(0)
    return tasks


async def test_only_those_who_wait_for_it_are_woken(waiters):
    """The others go on waiting."""
    waiting = waiters()
    session, writable, read, flaw, over, gone = await started(*[waiting.wait(what) for what in Wait])
    waiting.release(Wait.SESSION)
    await asyncio.sleep(1)

    assert session.result() is True
    assert not any(each.done() for each in (writable, read, flaw, over, gone))
    waiting.over()
    waiting.release(Wait.GONE)
    assert await asyncio.gather(writable, read, flaw, over, gone) == [False, False, False, True, True]


async def test_the_end_of_the_connection_wakes_all_but_those_who_wait_for_the_transport(waiters):
    """Whatever else they wait for: it will not come any more."""
    waiting = waiters()
    *tasks, gone = await started(waiting.wait_pong(b"x"), *[waiting.wait(what) for what in Wait])
    waiting.over()
    await asyncio.sleep(1)

    assert [task.result() for task in tasks] == [False, False, False, False, False, True]
    assert not gone.done()
    waiting.release(Wait.GONE)
    await gone


async def test_a_wait_ends_at_its_instant(waiters):
    """Of the loop's clock."""
    loop = asyncio.get_running_loop()
    await waiters().wait(Wait.GONE, loop.time() + 60)

    assert loop.time() == 60.0


async def test_an_instant_in_the_past_is_over_at_once(waiters):
    """No time passes."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(10)
    await waiters().wait(Wait.GONE, 5.0)

    assert loop.time() == 10.0


async def test_a_pong_is_told_by_its_payload(waiters):
    """Another one's pong wakes nobody."""
    waiting = waiters()
    (one,) = await started(waiting.wait_pong(b"one"))
    waiting.pong(b"two")
    await asyncio.sleep(1)
    assert not one.done()
    waiting.pong(b"one")

    assert await one is True


async def test_one_pong_serves_all_who_wait_for_it(waiters):
    """The same payload twice."""
    waiting = waiters()
    tasks = await started(waiting.wait_pong(b"same"), waiting.wait_pong(b"same", 60.0))
    waiting.pong(b"same")

    assert await asyncio.gather(*tasks) == [True, True]


async def test_a_pong_that_does_not_come_is_false(waiters):
    """At the instant, and a late one disturbs nobody."""
    waiting = waiters()
    assert await waiting.wait_pong(b"x", 5.0) is False
    waiting.pong(b"x")

    assert asyncio.get_running_loop().time() == 5.0


async def test_what_comes_twice_is_no_error(waiters):
    """The end may come in the same turn as what was waited for."""
    waiting = waiters()
    (task,) = await started(waiting.wait_pong(b"x"))
    waiting.pong(b"x")
    waiting.pong(b"x")
    waiting.over()

    assert await task is True


async def test_a_cancelled_wait_leaves_nothing(waiters):
    """What comes afterwards finds nobody, and its instant passes quietly."""
    waiting = waiters()
    tasks = await started(waiting.wait(Wait.SESSION, 60.0), waiting.wait_pong(b"x", 60.0))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    waiting.pong(b"x")
    waiting.over()
    await asyncio.sleep(120)

    assert all(task.cancelled() for task in tasks)


@pytest.mark.parametrize("ends", ["told", "cancelled", "over"])
async def test_whoever_waited_for_a_change_is_waited_on_no_more(ends):
    """It came, the waiting was given up, or the time is over."""
    loop, changes = asyncio.get_running_loop(), Changes()
    began = loop.time()
    (waiting,) = await started(changes.wait(began + 5))
    await asyncio.sleep(1)
    if ends == "told":
        changes.tell()
    elif ends == "cancelled":
        waiting.cancel()
    await asyncio.wait([waiting])

    assert (loop.time() - began, changes.count) == (5 if ends == "over" else 1, int(ends == "told"))
    assert (changes._waiting, waiting.cancelled()) == ([], ends == "cancelled")

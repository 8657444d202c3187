"""What handlers of an ASGI app were seen to do."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability.net.apps.watching import AppRecord


async def waits_for_a_message(receive):
    await receive()
    await receive()


async def hangs(receive):
    await receive()
    await asyncio.Event().wait()


async def returns(receive):
    await receive()


@pytest.mark.parametrize(("does", "busy"), [(waits_for_a_message, [False]), (hangs, [True]), (returns, [])])
@pytest.mark.asyncio
@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_handler_is_busy_from_its_last_message_on(does, busy, is_cancelled):
    """Cancelled, it is remembered as it was; one that has returned is not there any more."""
    record, messages = AppRecord(), asyncio.Queue()
    messages.put_nowait({"type": "websocket.connect"})

    async def app(scope, receive, send):
        await does(receive)

    scope = {"type": "websocket", "client": ("127.0.0.1", 4)}
    task = asyncio.create_task(record.watching(app)(scope, messages.get, None))
    for _ in range(5):
        await asyncio.sleep(0)
    if is_cancelled:
        task.cancel()
        await asyncio.wait([task])

    assert [(each.busy_since is not None, each.port) for each in record.handlers] == [(b, 4) for b in busy]
    task.cancel()

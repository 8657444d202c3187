"""What handlers of an ASGI app were seen to do."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import pytest

from pytest_wsstability.net.apps.watching import HANDLING, AppRecord, Handler


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


@pytest.mark.parametrize(
    ("asked", "at", "busy"),
    [
        # Asked for the next message a second later, or sooner.
        (11, 10, 10.0),
        (11, 10.5, 10.0),
        (11, 11, None),
        (11, 9.75, None),
        (10.75, 10.5, None),
        # Not yet.
        (None, 10, 10.0),
        (None, 9.75, None),
    ],
)
def test_what_a_handler_did_at_an_instant_is_told_afterwards(asked, at, busy):
    """Of pauses of a second or more."""
    handler = Handler(4, busy_since=10.0)
    if asked is not None:
        handler.ask(asked)

    assert handler.busy_at(at) == busy


@pytest.mark.parametrize(
    ("then", "at", "since"),
    [
        # It sends a message at once, later, or never; or it ends.
        ([("send", 10.5)], 10.25, None),
        ([("send", 11.0)], 10.0, 10.0),
        ([("send", 11.0)], 11.0, None),
        ([], 99.0, 10.0),
        ([], 9.75, None),
        ([("ask", 10.0)], 99.0, 10.0),
        ([("end", 15.0)], 15.0, 10.0),
        ([("end", 10.5)], 10.5, None),
    ],
)
def test_since_when_a_handler_has_sent_nothing(then, at, since):
    """Though it has asked for the next message: frameworks that read ahead do so at once."""
    handler = Handler(4, silent_since=10.0)
    for does, instant in then:
        getattr(handler, does)(instant)

    assert handler.silent_at(at) == since


def test_a_handler_remembers_its_last_eight_pauses():
    """It may live for days."""
    handler = Handler(4)
    for second in range(0, 20, 2):
        handler.busy_since = float(second)
        handler.ask(second + 1.0)

    assert [since for since, _ in handler.pauses] == [4.0, 6.0, 8.0, 10.0, 12.0, 14.0, 16.0, 18.0]


async def cancels_what_it_awaits():
    task = asyncio.ensure_future(asyncio.sleep(100))
    task.cancel()
    await task


async def waits():
    await asyncio.sleep(100)


async def ended(task, *, by_us):
    """The task, once it is over; or cancelled after a moment."""
    if by_us:
        await asyncio.sleep(0.01)
        task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()


ACCEPT, CLOSE = {"type": "websocket.accept"}, {"type": "websocket.close", "code": 1000}


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("sends", "hears", "does", "by_us", "count"),
    [
        ([ACCEPT], "websocket.receive", cancels_what_it_awaits, False, 1),
        ([ACCEPT], "websocket.receive", waits, True, 0),
        # Before it had accepted, the opening fails.
        ([], "websocket.receive", cancels_what_it_awaits, False, 0),
        # After the end it is nobody's cause.
        ([ACCEPT, CLOSE], "websocket.receive", cancels_what_it_awaits, False, 0),
        ([ACCEPT], "websocket.disconnect", cancels_what_it_awaits, False, 0),
        ([ACCEPT, {"type": "gone"}], "websocket.receive", cancels_what_it_awaits, False, 0),
    ],
)
async def test_a_handler_that_cancels_itself_is_remembered(sends, hears, does, by_us, count):
    """Servers log nothing of it, or what they log of a cancellation too."""
    record = AppRecord()

    async def app(scope, receive, send):
        for message in sends:
            with contextlib.suppress(ConnectionResetError):
                await send(message)
        await receive()
        await does()

    async def receive():
        return {"type": hears}

    async def send(message):
        if message["type"] == "gone":
            raise ConnectionResetError

    scope = {"type": "websocket", "client": ("127.0.0.1", 4)}
    await ended(asyncio.create_task(record.watching(app)(scope, receive, send)), by_us=by_us)

    assert [each.port for each in record.cancelled] == [4] * count
    assert record.left_open == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("close_code", "does", "by_us", "count"),
    [
        (None, cancels_what_it_awaits, False, 1),
        (None, waits, True, 0),
        (1006, cancels_what_it_awaits, False, 0),
    ],
)
async def test_so_is_a_handler_of_websockets(close_code, does, by_us, count):
    """While its connection is open."""
    record = AppRecord()
    connection = SimpleNamespace(close_code=close_code, remote_address=("127.0.0.1", 4))

    await ended(asyncio.create_task(record.watching_handler(lambda _: does())(connection)), by_us=by_us)

    assert [each.port for each in record.cancelled] == [4] * count


def transport(*, closing):
    return SimpleNamespace(is_closing=lambda: closing, get_extra_info=lambda _: ("127.0.0.1", 4))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("of_request", "does", "by_us", "count"),
    [
        (transport(closing=False), cancels_what_it_awaits, False, 1),
        (transport(closing=False), waits, True, 0),
        (transport(closing=True), cancels_what_it_awaits, False, 0),
        (None, cancels_what_it_awaits, False, 0),
    ],
)
async def test_and_so_is_one_of_aiohttp(of_request, does, by_us, count):
    """By a middleware around all others."""
    web = pytest.importorskip("aiohttp.web")
    record, app = AppRecord(), web.Application(middlewares=[web.normalize_path_middleware()])
    record.watch_aiohttp(app)
    request = SimpleNamespace(transport=of_request)

    await ended(asyncio.create_task(app.middlewares[0](request, lambda _: does())), by_us=by_us)

    assert len(app.middlewares) == 2
    assert [each.port for each in record.cancelled] == [4] * count


@pytest.mark.asyncio
async def test_whose_handler_runs_is_known_in_its_own_task_alone():
    """Where the server logs that it failed too; a task that it has started may serve others."""
    seen = {}

    def look(name):
        handling = HANDLING.get(None)
        is_own = handling is not None and handling.task() is asyncio.current_task()
        seen[name] = handling.port if handling is not None and is_own else None

    async def started():
        look("started by it")

    async def app(scope, receive, send):
        look("in it")
        await asyncio.create_task(started())

    async def served(port):
        scope = {"type": "websocket", "client": port and ("127.0.0.1", port)}
        await AppRecord().watching(app)(scope, None, None)
        look("behind it")

    await asyncio.create_task(served(4))
    look("outside")
    assert seen == {"in it": 4, "started by it": None, "behind it": 4, "outside": None}

    # A server that does not tell.
    await asyncio.create_task(served(None))
    assert set(seen.values()) == {None}


@pytest.mark.asyncio
async def test_handlers_of_websockets_and_aiohttp_are_marked_as_those_of_asgi_are():
    """By their connections' ports; a record that has marked none says so."""
    web = pytest.importorskip("aiohttp.web")
    ports = []

    async def look(_):
        ports.append(HANDLING.get().port)

    of_websockets, of_aiohttp, app = AppRecord(), AppRecord(), web.Application()
    assert not of_websockets.marks_handlers
    connection = SimpleNamespace(close_code=None, remote_address=("127.0.0.1", 4))
    await asyncio.create_task(of_websockets.watching_handler(look)(connection))
    of_aiohttp.watch_aiohttp(app)
    await asyncio.create_task(app.middlewares[0](SimpleNamespace(transport=transport(closing=False)), look))

    assert ports == [4, 4]
    assert of_websockets.marks_handlers
    assert of_aiohttp.marks_handlers

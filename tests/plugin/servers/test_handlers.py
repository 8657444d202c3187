"""What the handler of a connection does that no client sees: it returns, raises, is cancelled or hangs."""

from __future__ import annotations

from importlib.metadata import version

import pytest

from tests.plugin.servers.sources import HOLD, asgi


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_returns_is_the_cause(failure, server):
    """Its server cuts the connection then; no client can know why."""
    connection = 'await send({"type": "websocket.accept"}); await asyncio.sleep(7)'
    printed = failure(asgi(connection=connection, server=server))

    assert "the server's handler returned without a close" in printed.partition("\n  expected")[0]
    assert "  evidence  the server's app at 7 s: its function returned\n" in printed
    assert "wsstability explain closed-by-peer" in printed


RETURNS_IN_HOURS = """
import asyncio

def create():
    async def app(scope, receive, send):
        await receive()
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await asyncio.sleep(2 * 3600)

    return app
"""


def test_one_that_returns_after_hours_is_the_cause_whatever_else_was_tried(failure, pytester):
    """Timers meet: the first hour is held once more in another order, with an app whose handler stays."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(hours=RETURNS_IN_HOURS)

    printed = failure(HOLD.replace("1h", "3h"), "--ws-app=hours:create()")
    assert "  evidence  the server's app at 2 h: its function returned\n" in printed


CANCELS = "task = asyncio.ensure_future(asyncio.sleep(60)); await asyncio.sleep(7); task.cancel(); await task"
CANCELLED = "the server's handler raised a CancelledError of its own ("


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_cancels_itself_is_the_cause(failure, server):
    """It awaits what is cancelled elsewhere, of which its server says nothing."""
    connection = f'await send({{"type": "websocket.accept"}}); {CANCELS}'
    printed = failure(asgi(connection=connection, server=server))

    assert CANCELLED in printed
    assert "wsstability explain handler-error" in printed


@pytest.mark.skipif(int(version("websockets").partition(".")[0]) < 17, reason="leaves the connection open")
def test_so_is_one_of_websockets(failure, pytester):
    """Its server closes with 1011, and logs nothing."""
    pytester.makepyfile(cancels=f"import asyncio\nasync def app(connection):\n    {CANCELS}")
    test = "import pytest\n@pytest.mark.ws_stability(alive_for='1m')\ndef test_it(ws_soak): ..."

    assert CANCELLED in failure(test, "--ws-app=cancels:app")


OF_AIOHTTP = f"""
import asyncio
from aiohttp import web

async def handler(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    {CANCELS}

app = web.Application()
app.router.add_get("/", handler)
"""


def test_and_so_is_one_of_aiohttp(failure, pytester):
    """Its server cuts the connection, and logs nothing."""
    pytest.importorskip("aiohttp.web")
    pytester.makepyfile(cancels=OF_AIOHTTP)
    test = "import pytest\n@pytest.mark.ws_stability(alive_for='1m')\ndef test_it(ws_soak): ..."

    assert CANCELLED in failure(test, "--ws-app=cancels:app")


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_whose_framework_logs_its_error_has_failed(failure, server):
    """Sanic does so under ASGI servers: to the server, the app's function returned."""
    fails = """
        await send({"type": "websocket.accept"})
        await asyncio.sleep(7)
        try:
            raise LookupError("no such room")
        except LookupError:
            logging.getLogger("framework").exception("while handling %s", scope["path"])
    """
    source = asgi(connection=fails, server=server).replace("import asyncio", "import asyncio, logging")
    printed = failure(source)

    assert "the server's handler failed: LookupError: no such room (confidence high" in printed
    assert "  fix       see the server's traceback\n" in printed


HANGS = """
import asyncio
import pytest

@pytest.fixture
def ws_app():
    async def app(scope, receive, send):
        assert scope["type"] == "websocket"
        await receive()
        await send({{"type": "websocket.accept"}})
        for _ in range({answers}):
            await receive()
            await send({{"type": "websocket.send", "text": '{{"type": "pong"}}'}})
        await asyncio.sleep(3600)
    return app

@pytest.mark.ws_server({server!r})
{test}
"""

SYNC = """
@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s", heartbeat_within="5s")
def test_it(ws_soak): ...
"""

ASYNC = """
async def test_it(ws_connect):
    hung, idle = await ws_connect(heartbeat="25s"), await ws_connect()
    await asyncio.sleep(90)
    hung.assert_heartbeats_answered(within="5s")
"""


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_hangs_is_the_cause(failure, server):
    """It took the second heartbeat, and never asked for the third."""
    pytest.importorskip(server)
    printed = failure(HANGS.format(answers=2, server=server, test=SYNC))

    assert "server stopped answering heartbeats at 75 s: its handler hangs" in printed
    assert "  evidence  the server's app at 50 s: its handler took a message, and has asked" in printed
    assert "(confidence high, blame server)" in printed


LATE = """
import asyncio

async def app(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    for pause in (0, 0, PAUSE, 0, 0):
        if (await receive())["type"] == "websocket.disconnect":
            return
        await asyncio.sleep(pause)
        await send({"type": "websocket.send", "text": '{"type": "pong"}'})
"""


def test_a_handler_that_is_late_hung_when_the_verdict_fell(failure, pytester):
    """By the time of the report it has long read on, and has ended."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(late=LATE.replace("PAUSE", "7"))
    printed = failure(f"import pytest\n{SYNC}", "--ws-app=late:app")

    assert "server stopped answering heartbeats at 75 s: its handler hangs" in printed
    assert "  evidence  the server's app at 75 s: its handler took a message, and has asked" in printed


RAISES = """
async def app(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    raise KeyError("playerState")
"""


@pytest.mark.parametrize(
    "does",
    [
        "async for _ in connection: pass",
        'await connection.recv(within="1m")',
        'await connection.expect("x", within="1m")',
    ],
)
def test_what_a_handler_raised_is_why_nothing_can_be_received(failure, pytester, does):
    """Reading says so as assertions do."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(raises=RAISES)
    printed = failure(
        f"""
        async def test_it(ws_connect):
            connection = await ws_connect(heartbeat="30s")
            {does}
        """,
        "--ws-app=raises:app",
    )

    assert "ConnectionEnded: the connection ended: 1006" in printed
    assert "likely    the server's handler failed: KeyError: 'playerState'" in printed


def test_of_two_connections_the_port_tells_whose_handler_hangs(failure):
    """That of the other one waits for a message."""
    pytest.importorskip("uvicorn")
    printed = failure(HANGS.format(answers=2, server="uvicorn", test=ASYNC))

    assert "its handler hangs" in printed
    assert "the server's app at 50 s" in printed


@pytest.mark.parametrize(
    "connection",
    [
        'await send({"type": "websocket.accept"}); raise LookupError',
        'await send({"type": "websocket.accept"}); await send({"type": "websocket.close", "code": 4000})',
    ],
)
def test_a_handler_that_fails_or_closes_has_not_returned(failure, connection):
    """Its error, or its code, is what happened."""
    assert "returned without a close" not in failure(asgi(connection=connection))

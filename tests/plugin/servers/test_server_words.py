"""What the server of a test logged or printed at the instant of the end is the cause that is told."""

from __future__ import annotations

import logging
import sys

import pytest

OWN = """
import asyncio, logging
import pytest, pytest_asyncio, websockets

log = logging.getLogger("chat")

async def handler(ws):
    async for message in ws:
        if message == "break":
            raise LookupError("room 7 has no owner")
        if message == "warn":
            log.warning("too many messages of %s", ws.remote_address[1])
            ws.transport.abort()
        await ws.send(message)

@pytest_asyncio.fixture
async def ws_url():
    async with websockets.serve(handler, "127.0.0.1", 0, ping_interval=None) as server:
        yield "ws://127.0.0.1:{}/".format(server.sockets[0].getsockname()[1])
"""
ONE = """
@pytest.mark.ws_stability(time="virtual", profile="frames")
async def test_it(ws_url, ws_connect):
    connection = await ws_connect(ws_url, inbox=0)
    await asyncio.sleep(5)
    await connection.send("{message}")
    await connection.assert_alive_for("1m")
"""
# Two that talk: the error is about the second alone.
TWO = """
@pytest.mark.ws_stability(time="virtual", profile="frames")
@pytest.mark.parametrize("judged", [0, 1])
async def test_it(ws_url, ws_connect, judged):
    held = [await ws_connect(ws_url, inbox=0) for _ in range(2)]
    await asyncio.sleep(5)
    await held[1].send("{message}")
    if judged == 0:
        await asyncio.sleep(0.4)
        held[0].websocket.transport.abort()
    await held[judged].assert_alive_for("1m")
"""


def test_an_error_that_a_handler_raised_is_the_cause(run):
    """A server of the project's own fixture: its log says what the close code does not."""
    result = run(OWN + ONE.format(message="break"))

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(
        [
            "*the server's handler failed: LookupError: room 7 has no owner (confidence high, blame server)*",
            "*evidence  the server's log at 5 s: LookupError: room 7 has no owner*",
        ]
    )


CAUGHT = """
async def handler(ws):
    async for message in ws:
        try:
            raise LookupError("room 7 has no owner")
        except LookupError:
            log.{level}("no room", exc_info=True)
        await ws.close(4000)
"""


@pytest.mark.parametrize(("level", "counts"), [("warning", False), ("error", True)])
def test_an_error_that_is_logged_as_a_warning_was_caught(run, level, counts):
    """Servers log what nobody caught as an error."""
    caught = CAUGHT.replace("{level}", level)
    result = run(OWN.replace("@pytest_asyncio.fixture", caught + "@pytest_asyncio.fixture") + ONE)

    assert ("handler failed: LookupError" in result.stdout.str()) is counts


GROUP = """
async def fails(error):
    raise error

async def handler(ws):
    async for message in ws:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails(ConnectionResetError("Connection lost")))
            group.create_task(fails(LookupError("room 7 has no owner")))
"""


def test_of_a_group_of_errors_the_one_that_tells_is_the_cause(run):
    """What others say of the connection that is over, or that they are a group, tells nothing."""
    result = run(OWN.replace("@pytest_asyncio.fixture", GROUP + "@pytest_asyncio.fixture") + ONE)

    result.stdout.fnmatch_lines(
        ["*the server's handler failed: LookupError: room 7 has no owner (confidence high, blame server)*"]
    )


CLOSED_TWICE = """
import asyncio, pytest
from fastapi import FastAPI, WebSocket

@pytest.fixture
def ws_app():
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(ws: WebSocket):
        await ws.accept()
        try:
            await asyncio.wait_for(ws.receive_text(), 30)
        except TimeoutError:
            await ws.close(4000)
        finally:
            await ws.close()

    return app

@pytest.mark.ws_stability(alive_for="1m")
def test_it(ws_soak): ...
"""


def test_an_error_of_a_connection_that_is_over_is_no_cause(run):
    """The handler closed twice: the second time it was refused, which has ended nothing."""
    result = run(CLOSED_TWICE)

    printed = result.stdout.str()
    assert "once a close message has been sent" in printed
    assert "the server ended the connection on purpose: 4000" in " ".join(printed.split())
    assert "handler failed" not in printed


UNLOGGED = """
import asyncio, logging, pytest, websockets
from aiohttp import web
from fastapi import FastAPI, WebSocket

def set_up():
    import logging.config
    {set_up}

def asgi():
    app = FastAPI()

    @app.websocket("/")
    async def endpoint(ws: WebSocket):
        set_up()
        await ws.accept()
        while True:
            await ws.receive_text()
            {does}
            raise LookupError("no room")

    return app

def aiohttp():
    async def endpoint(request):
        set_up()
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        async for message in ws:
            {does}
            raise LookupError("no room")
        return ws

    app = web.Application()
    app.router.add_get("/", endpoint)
    return app

def handler():
    async def endpoint(ws):
        set_up()
        async for message in ws:
            {does}
            raise LookupError("no room")

    return endpoint

@pytest.fixture
def ws_app():
    return {kind}()

@pytest.mark.ws_server("{server}")
@pytest.mark.ws_stability(profile="frames", client="keepalive")
async def test_it(ws_connect):
    connection = await ws_connect()
    await asyncio.sleep(5)
    await connection.send("x")
    await connection.assert_alive_for("1m")
"""
# What keeps the server's record of it from everybody: the first is what a dictConfig does that says nothing
# else, and with a root it takes the handlers of others away.
SILENCES = [
    "logging.config.dictConfig({'version': 1})",
    "logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, 'root': {'level': 'INFO'}})",
    "logging.disable()",
]
OF_EACH_SERVER = [
    ("uvicorn", "asgi"),
    ("hypercorn", "asgi"),
    ("aiohttp", "aiohttp"),
    ("websockets", "handler"),
]


@pytest.fixture
def loggers():
    """Those of this process, which are put back."""
    root, loggers = logging.getLogger(), logging.getLogger().manager.loggerDict
    handlers, level = [*root.handlers], root.level
    yield
    logging.disable(logging.NOTSET)
    root.handlers[:], root.level = handlers, level
    for each in loggers.values():
        if isinstance(each, logging.Logger):
            each.disabled = False


@pytest.mark.usefixtures("loggers")
@pytest.mark.parametrize("silence", SILENCES)
@pytest.mark.parametrize(("server", "kind"), OF_EACH_SERVER)
def test_an_error_that_nobody_logs_is_the_cause(run, server, kind, silence):
    """Django's LOGGING, a dictConfig in a lifespan: the logger of the server is disabled, or nobody's."""
    result = run(UNLOGGED.format(set_up=silence, does="pass", server=server, kind=kind))

    words = " ".join(result.stdout.str().split())
    assert "likely the server's handler failed: LookupError: no room (confidence high, blame server)" in words
    assert "+5.000 s ERROR raised by a handler of the app LookupError: no room, at " in words


@pytest.mark.parametrize(("server", "kind"), OF_EACH_SERVER)
def test_an_error_that_its_server_logs_is_told_once(run, server, kind):
    """It is taken down before the server logs it."""
    result = run(UNLOGGED.format(set_up="pass", does="pass", server=server, kind=kind))

    result.stdout.fnmatch_lines(["*the server's handler failed: LookupError: no room (confidence high*"])
    result.stdout.no_fnmatch_line("*raised by a handler of the app*")


@pytest.mark.usefixtures("loggers")
@pytest.mark.parametrize(
    ("server", "kind", "close"),
    [
        ("uvicorn", "asgi", "await ws.close(4000)"),
        ("aiohttp", "aiohttp", "await ws.close(code=4000)"),
        ("websockets", "handler", "await ws.close(4000)"),
    ],
)
def test_an_unlogged_error_of_a_connection_that_is_over_is_no_cause(run, server, kind, close):
    """What a handler raises after it has closed has ended nothing."""
    result = run(UNLOGGED.format(set_up=SILENCES[0], does=close, server=server, kind=kind))

    words = " ".join(result.stdout.str().split())
    assert "the server ended the connection on purpose: 4000" in words
    assert "handler failed" not in words
    assert "raised by a handler of the app" not in words


BESIDE = """
import asyncio, contextlib, logging, pytest
import websockets
from aiohttp import web
from fastapi import FastAPI, WebSocket

async def refresh():
    await asyncio.sleep(30)
    try:
        raise LookupError("no prices")
    except LookupError:
        logging.getLogger("feed").exception("refresh failed")

def asgi():
    @contextlib.asynccontextmanager
    async def lifespan(app):
        task = asyncio.create_task(refresh())
        yield
        task.cancel()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/")
    async def endpoint(ws: WebSocket):
        await ws.accept()
        await asyncio.sleep(30)
        {does}
        await ws.close(4000)

    return app

def aiohttp():
    async def endpoint(request):
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await asyncio.sleep(30)
        {does}
        await ws.close(code=4000)
        return ws

    tasks = []

    async def started(app):
        tasks.append(asyncio.create_task(refresh()))

    app = web.Application()
    app.router.add_get("/", endpoint)
    app.on_startup.append(started)
    return app

@pytest.fixture
def ws_app(request):
    return globals()[request.node.callspec.params["kind"]]()

@pytest.mark.ws_stability(alive_for="1m")
@pytest.mark.parametrize("kind", ["asgi", "aiohttp"])
def test_it(ws_soak, kind): ...
"""


def test_an_error_of_a_task_beside_the_handlers_is_not_surely_the_cause(run):
    """At the same instant by accident; what a handler itself raises is."""
    result = run(BESIDE.replace("{does}", ""))

    assert result.parseoutcomes() == {"failed": 2}
    printed = " ".join(result.stdout.str().split())
    assert printed.count("a task of the server failed: LookupError: no prices (confidence medium") == 2

    result = run(BESIDE.replace("{does}", "raise KeyError('user')"))
    printed = " ".join(result.stdout.str().split())
    assert printed.count("the server's handler failed: KeyError: 'user' (confidence high") == 2


def test_a_warning_that_a_handler_logged_is_quoted(run):
    """Its words are read like those of a close reason."""
    result = run(OWN + ONE.format(message="warn"))

    result.stdout.fnmatch_lines(
        [
            "*the server logged: WARNING chat: too many messages of*",
            # The table has the same cause as the failure.
            "*= WebSocket stability =*",
            "*cause: a rate limit: the server logged: WARNING chat: too many *",
        ]
    )


def test_lines_of_the_tests_own_client_are_none_of_the_server(run):
    """What the client logs is not the server's word."""
    client = """
@pytest.mark.ws_stability(time="virtual", profile="frames")
async def test_it(ws_url, ws_connect):
    connection = await ws_connect(ws_url, inbox=0)
    await asyncio.sleep(5)
    logging.getLogger("websockets.client").warning("too many messages: throttled")
    logging.getLogger("pytest_wsstability.wire").warning("too many messages: throttled")
    await connection.send("break")
    await connection.assert_alive_for("1m")
"""
    result = run(OWN.replace("raise LookupError", "return print") + client)

    assert result.parseoutcomes() == {"failed": 1}
    assert "the server logged" not in result.stdout.str()


def test_with_two_connections_a_line_counts_for_the_one_that_it_is_about(run):
    """The other one was cut at the same instant, and is not told of it."""
    result = run(OWN + TWO.format(message="warn"))

    assert result.parseoutcomes() == {"failed": 2}
    result.stdout.fnmatch_lines(["*test_it[[]1]*", "*the server logged: WARNING chat: too many messages*"])
    first = result.stdout.str().partition("test_it[1]")[0]
    assert "the server logged" not in first


SERVER = """
import asyncio, os, sys
from websockets.asyncio.server import serve

async def handler(connection):
    async for message in connection:
        if message == "exit":
            os._exit(7)
        if message == "leave":
            print("LookupError: no room", file=sys.stderr, flush=True)
            await connection.close(1001)
            os._exit(7)
        if message == "bye":
            await connection.close(1000)
            os._exit(0)
        if message == "cut":
            connection.transport.abort()
        if message == "complain":
            print("LookupError: no room", file=sys.stderr, flush=True)
            await connection.send(message)
        if message == "panic":
            print("panic: runtime error: index out of range [3]", file=sys.stderr, flush=True)
            connection.transport.abort()

async def main():
    async with serve(handler, "127.0.0.1", int(sys.argv[1])) as server:
        await server.wait_closed()

asyncio.run(main())
"""
COMMAND = """
@pytest.mark.ws_stability(profile="frames", time="real")
async def test_it(ws_connect):
    connection = await ws_connect(inbox=0)
    await connection.send("{message}")
    await connection.assert_alive_for("1m")
"""
# No other test holds a connection to the command meanwhile.
HELD = """
async def talk(connection):
    await connection.send("{message}")

@pytest.mark.ws_stability(alive_for="1m", profile="frames", time="real", traffic=talk)
def test_it(ws_soak): ...
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("exit", "the server's process ended with exit code 7 (confidence high*"),
        ("leave", "the server's process ended: LookupError: no room (confidence high*"),
        ("bye", "the server's process ended*(confidence medium*"),
        # On a busy machine it may be read too late to be surely of this handler.
        ("panic", "the server's handler failed: panic: runtime error: index out of range*(confidence *"),
    ],
)
@pytest.mark.parametrize("source", [COMMAND, HELD], ids=["connect", "soak"])
def test_a_command_that_ends_or_prints_an_error(pytester, run, source, message, words):
    """In real time, by what the process did at that instant."""
    pytester.makepyfile(server=SERVER)
    source = "import pytest\n" + source.format(message=message)
    result = run(source, f"--ws-command={sys.executable} server.py {{port}}")

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines([f"*{words}"])


@pytest.mark.slow
@pytest.mark.parametrize(("message", "is_told"), [("cut", False), ("exit", True)])
def test_a_process_that_was_started_again_is_told_of_its_own_end(pytester, run, message, is_told):
    """That of the one before cut no connection that was opened after it."""
    pytester.makepyfile(server=SERVER)
    test = COMMAND.format(message=message).replace("ws_connect):", "ws_connect, ws_command):", 1)
    again = test.replace("    connection =", "    await ws_command.restart()\n    connection =")
    result = run("import pytest\n" + again, f"--ws-command={sys.executable} server.py {{port}}")

    assert result.parseoutcomes() == {"failed": 1}
    assert ("the server's process ended" in result.stdout.str()) is is_told


@pytest.mark.slow
def test_what_a_command_printed_in_a_test_before_is_not_about_this_one(pytester, run):
    """Though it was printed within a second of the end."""
    pytester.makepyfile(server=SERVER)
    complains = """
import pytest

@pytest.mark.ws_stability(profile="frames", time="real")
async def test_before(ws_connect):
    connection = await ws_connect()
    await connection.send("complain")
    assert await connection.recv(within="10s") == "complain"
"""
    result = run(
        complains + COMMAND.format(message="cut"), f"--ws-command={sys.executable} server.py {{port}}"
    )

    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    assert "LookupError" not in result.stdout.str().partition("run it again")[0]

"""Voice agents on servers of others: one that awaits the model and does not read, found by name; its fix."""

from contextlib import suppress
from importlib import import_module

import pytest

pytest.importorskip("uvicorn")
# An extension that loads only once: here, so that each run inside finds it.
with suppress(ImportError):
    import_module("httptools")

pytestmark = pytest.mark.slow

SOURCE = """
import asyncio, base64, json
import pytest

CHUNK = base64.b64encode(bytes(3200)).decode()


async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({{"type": "websocket.accept"}})

    async def say(**message):
        await send({{"type": "websocket.send", "text": json.dumps(message)}})

    async def answer(turn):
        # The third turn takes the model half a minute.
        await asyncio.sleep(30 if turn == 3 else 0.3)
        await say(type="transcript", final=True, text="x")
        for _ in range(10):
            await say(type="audio", audio=CHUNK)
        await say(type="turn_end", turn=turn)

    await say(type="connection_established")
    turns, tasks = 0, []
    while (event := await receive())["type"] != "websocket.disconnect":
        message = json.loads(event["text"])
        if message["type"] == "session_info":
            await say(type="session_confirmed", session_id=message["session_id"])
        elif message["type"] == "ping":
            await say(type="pong")
        elif message["type"] == "speech_end":
            turns += 1
            {answer}


@pytest.fixture
def ws_app():
    return app


@pytest.mark.ws_server("uvicorn", ws_ping_interval=5, ws_ping_timeout=5)
@pytest.mark.ws_stability(alive_for="80s"{held})
@pytest.mark.ws_voice(turns=4, answer_within="60s", transcripts=True)
def test_it(ws_voice): ...
"""
# The same over the websockets library alone, which stops reading when sixteen messages wait.
ON_WEBSOCKETS = """
import asyncio, base64, json
import pytest, pytest_asyncio
from websockets.asyncio.server import serve

CHUNK = base64.b64encode(bytes(3200)).decode()


async def handler(websocket):
    async def say(**message):
        await websocket.send(json.dumps(message))

    async def answer(turn):
        await asyncio.sleep(30 if turn == 3 else 0.3)
        await say(type="transcript", final=True, text="x")
        for _ in range(10):
            await say(type="audio", audio=CHUNK)
        await say(type="turn_end", turn=turn)

    await say(type="connection_established")
    turns, tasks = 0, []
    async for text in websocket:
        message = json.loads(text)
        if message["type"] == "session_info":
            await say(type="session_confirmed", session_id=message["session_id"])
        elif message["type"] == "ping":
            await say(type="pong")
        elif message["type"] == "speech_end":
            turns += 1
            {answer}


@pytest_asyncio.fixture
async def ws_url():
    async with serve(handler, "127.0.0.1", 0, ping_interval=5, ping_timeout=5) as server:
        yield f"ws://127.0.0.1:{{server.sockets[0].getsockname()[1]}}/"


@pytest.mark.ws_stability(alive_for="80s"{held}, time="virtual")
@pytest.mark.ws_voice(turns=4, answer_within="60s", transcripts=True)
async def test_it(ws_voice): ...
"""
AWAITS = "await answer(turns)"
IN_A_TASK = "tasks.append(asyncio.create_task(answer(turns)))"


each = pytest.mark.parametrize("source", [SOURCE, ON_WEBSOCKETS], ids=["uvicorn", "websockets"])


@each
def test_the_servers_keepalive_kills_a_healthy_client(run, source):
    """Its pongs wait unread; the caller holds the evidence, and says so."""
    result = run(source.format(answer=AWAITS, held=""))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*FAILED *::test_it - the server stopped reading, so its keepalive missed the pongs (1011 at *"]
    )


@each
def test_heartbeats_that_wait_as_the_turn_does(run, source):
    """Before the keepalive has run out."""
    held = ', heartbeat_every="25s", heartbeat_within="4s"'
    result = run(source.format(answer=AWAITS, held=held))

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*FAILED *::test_it - the agent does not read while it works in turn 3 (*"])


@each
def test_an_answer_in_a_task_of_its_own_is_the_fix(run, source):
    """The same model, as slow: somebody reads meanwhile."""
    held = ', heartbeat_every="25s", heartbeat_within="4s"'
    run(source.format(answer=IN_A_TASK, held=held)).assert_outcomes(passed=1)

"""The servers of others, seen by a client that is not ours either."""

from __future__ import annotations

import asyncio
import json
import time

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.servers import launch

pytestmark = pytest.mark.asyncio

GREETING = {"type": "connection_established"}
PING = {"type": "ping"}
PONG = {"type": "pong"}
INFO = {"type": "session_info", "session_id": "abc"}
CONFIRMED = {"type": "session_confirmed", "session_id": "abc"}

# For what has to come, on a busy machine.
SOON = 10


@pytest.fixture(scope="module", params=["plain", "tls"])
def tls(request, tmp_path_factory):
    return launch.make_tls(tmp_path_factory.mktemp("tls")) if request.param == "tls" else None


@pytest.fixture(scope="module", params=launch.STACKS)
def server(request, tls):
    if reason := launch.missing(request.param):
        pytest.skip(f"{request.param} cannot run here: {reason}")
    with launch.start(request.param, tls=tls) as server:
        yield server


def dial(server: launch.ThirdParty, path: str, **options) -> connect:
    """Connect without pings and without a proxy."""
    # Not the client with threads: over TLS it hung at times, its reader inside SSLSocket.read.
    options |= {"proxy": None, "ping_interval": None, "open_timeout": SOON, "close_timeout": SOON}
    return connect(server.url(path), ssl=server.client_context(), **options)


async def tell(client: ClientConnection, message: dict) -> None:
    await client.send(json.dumps(message))


async def receive(client: ClientConnection) -> str | bytes:
    async with asyncio.timeout(SOON):
        return await client.recv()


async def hear(client: ClientConnection) -> dict:
    return json.loads(await receive(client))


async def ending(server: launch.ThirdParty, path: str) -> ConnectionClosed:
    """Listen to a connection until it ends."""
    async with dial(server, path) as client:
        assert await hear(client) == GREETING
        with pytest.raises(ConnectionClosed) as closed:
            await receive(client)
    return closed.value


async def test_the_story_is_greeting_confirmation_and_pongs(server):
    async with dial(server, "/ws") as client:
        assert await hear(client) == GREETING
        await tell(client, INFO)
        assert await hear(client) == CONFIRMED
        await tell(client, PING)
        assert await hear(client) == PONG


@pytest.mark.parametrize(
    "message", ["hello", "", "{}", '"ping"', "null", '{"type": "session_info"}', b"\x00\xff", b""]
)
async def test_anything_else_is_echoed_with_its_kind(server, message):
    async with dial(server, "/ws") as client:
        assert await hear(client) == GREETING
        await client.send(message)
        assert await receive(client) == message


@pytest.mark.parametrize(
    ("offered", "chosen"), [(["voice.v1"], "voice.v1"), (["other", "voice.v1"], "voice.v1"), (None, None)]
)
async def test_the_subprotocol_is_accepted_when_offered(server, offered, chosen):
    async with dial(server, "/ws", subprotocols=offered) as client:
        assert client.subprotocol == chosen


async def test_an_origin_is_no_reason_to_refuse(server):
    async with dial(server, "/ws", origin="https://example.org") as client:
        assert await hear(client) == GREETING


async def test_protocol_pings_are_answered(server):
    async with dial(server, "/ws") as client:
        async with asyncio.timeout(SOON):
            await (await client.ping())


@pytest.mark.parametrize(
    ("path", "unanswered", "answered", "answer"),
    [("/deaf", PING, INFO, CONFIRMED), ("/unconfirmed", INFO, PING, PONG)],
)
async def test_one_kind_of_message_stays_unanswered(server, path, unanswered, answered, answer):
    async with dial(server, path) as client:
        assert await hear(client) == GREETING
        await tell(client, unanswered)
        await tell(client, answered)
        # Answers keep their order, so the first one never came.
        assert await hear(client) == answer


async def test_slow_heartbeats_hold_up_nothing_else(server):
    async with dial(server, "/slow?delay=0.15") as client:
        assert await hear(client) == GREETING
        start = time.monotonic()
        await tell(client, PING)
        await tell(client, INFO)
        assert await hear(client) == CONFIRMED
        assert await hear(client) == PONG
        # A timer may be due one tick of the loop's clock early.
        assert time.monotonic() - start >= 0.14


async def test_a_slow_heartbeat_for_a_client_that_left_breaks_nothing(server):
    async with dial(server, "/slow?delay=0.05") as client:
        await tell(client, PING)
    async with dial(server, "/slow?delay=0.1") as client:
        assert await hear(client) == GREETING
        await tell(client, PING)
        assert await hear(client) == PONG


@pytest.mark.parametrize("size", [1, 200_000])
async def test_a_big_message_follows_the_greeting(server, size):
    async with dial(server, f"/big?bytes={size}") as client:
        assert await hear(client) == GREETING
        assert await receive(client) == "x" * size
        await tell(client, PING)
        assert await hear(client) == PONG


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 1012, 4000, 4999])
async def test_the_server_closes_with_the_code_asked_for(server, code):
    closed = await ending(server, f"/close/{code}?after=0.02")
    assert (closed.rcvd.code, closed.rcvd.reason) == (code, "planned by the test")
    assert closed.rcvd_then_sent


async def test_the_server_closes_after_the_time_asked_for(server):
    start = time.monotonic()
    assert (await ending(server, "/close/1000")).rcvd.code == 1000
    assert time.monotonic() - start >= 0.19


@pytest.mark.parametrize("after", ["0", "0.05"])
async def test_a_drop_sends_no_close_frame(server, after):
    assert (await ending(server, f"/drop?after={after}")).rcvd is None


@pytest.mark.parametrize("status", [401, 403, 429, 503])
async def test_a_refused_upgrade_has_status_and_body(server, status):
    with pytest.raises(InvalidStatus) as refused:
        await dial(server, f"/refuse/{status}")
    assert refused.value.response.status_code == status
    assert refused.value.response.body.decode().splitlines()[0] == f"no entry: status {status}"


async def test_a_code_that_may_not_be_sent_leaves_the_server_alive(server):
    assert (await ending(server, "/close/1006?after=0")).rcvd is None
    async with dial(server, "/ws") as client:
        assert await hear(client) == GREETING

"""A server that goes down and comes back: what its clients see, how long, and what stays on record."""

import asyncio
import socket

import pytest

from pytest_wsstability import Backoff, OpeningError, Orchestrator, faults
from pytest_wsstability.core.timeline.close import TransportEnd
from tests.net.peers import opened, served
from tests.net.reconnecting_client import ReconnectingClient

pytestmark = pytest.mark.ws_stability(time="virtual")

STEADY = Backoff(first="1s", factor=1, jitter=0)


def now():
    return asyncio.get_running_loop().time()


async def test_sessions_survive_on_record():
    """The same id before and after, on the same address, after exactly that time."""
    async with Orchestrator() as orchestrator, ReconnectingClient(orchestrator.url, backoff=STEADY) as client:
        session = await orchestrator.wait_for_session()
        url = orchestrator.url
        await asyncio.sleep(10)
        await orchestrator.restart(down_for="5s")

        assert now() == 15.0
        assert orchestrator.url == url
        await session.assert_reconnects(within="6s")
        assert [error.stage.value for error in client.errors] == ["TCP connection"] * 4
        assert [each.timeline.opened for each in session.connections] == [0.0, 15.0]
        session.connections[0].assert_closed(code=1006)
        assert session.connections[0].timeline.close.planned


@pytest.mark.parametrize(("how", "code"), [("drop", 1006), (1001, 1001), (1012, 1012)])
async def test_clients_see_how_it_went_down(how, code):
    """FIN, or a close code with its handshake."""
    async with served() as (connection, orchestrator):
        await connection.assert_session_confirmed(within="1s")
        await orchestrator.restart(down_for="5s", how=how)

        connection.assert_closed(code=code, by="server")
        assert connection.timeline.close.transport is TransportEnd.FIN
        assert now() == 5.0


async def test_a_client_that_does_not_answer_holds_up_nothing():
    """It is cut when its time is over, and the server is back in time."""
    async with served(client="stalled") as (connection, orchestrator):
        await connection.assert_session_confirmed(within="1s")
        await orchestrator.restart(down_for="500ms", how=1012)

        assert now() == 0.5
        async with opened(orchestrator.url) as other:
            await other.assert_session_confirmed(within="1s")


async def test_nobody_is_let_in_while_it_is_down():
    """The port refuses."""
    async with Orchestrator() as orchestrator:
        restart = asyncio.create_task(orchestrator.restart(down_for="5s"))
        await asyncio.sleep(4.9)
        with pytest.raises(OpeningError, match="connection refused"):
            async with opened(orchestrator.url):
                pass
        await restart
        async with opened(orchestrator.url):
            pass


async def test_it_may_be_stopped_while_it_is_down():
    """And started again, on the same address."""
    async with Orchestrator() as orchestrator:
        restart = asyncio.create_task(orchestrator.restart(down_for="1h"))
        await asyncio.sleep(5)
        url = orchestrator.url
        await orchestrator.stop()
        with pytest.raises(asyncio.CancelledError):
            await restart
        assert now() == 5.0
        await orchestrator.start()
        assert orchestrator.url == url
        async with opened(url) as connection:
            await connection.assert_session_confirmed(within="1s")


async def test_a_restart_that_nobody_waits_for_goes_on():
    """A test that gives up waiting does not leave the server down."""
    async with Orchestrator() as orchestrator:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(orchestrator.restart(down_for="5s"), 1)
        await asyncio.sleep(5)
        async with opened(orchestrator.url):
            pass


async def test_it_restarts_again_and_again():
    """Each time on the same address."""
    async with Orchestrator() as orchestrator, ReconnectingClient(orchestrator.url, backoff=STEADY) as client:
        for number in range(1, 4):
            await client.wait_for_connection(number)
            await orchestrator.restart(down_for="2s")
        await client.wait_for_connection(4)
        await orchestrator.assert_reconnects(within="3s")


async def test_a_fault_restarts_it_too():
    """Of several connections the first takes it down, and all see it."""
    program = faults.Program.of([("10s", faults.Restart("5s"))], connections=3)
    async with Orchestrator(faults=program) as orchestrator:
        async with opened(orchestrator.url) as one, opened(orchestrator.url) as two:
            await one.wait_closed()
            await two.wait_closed()
            assert now() == 10.0
        async with ReconnectingClient(orchestrator.url, backoff=STEADY) as client:
            connection = await client.wait_for_connection()

            assert connection.timeline.opened == 15.0


async def test_what_is_not_running_cannot_restart():
    """Not yet, not any more, not twice at once."""
    orchestrator = Orchestrator()
    with pytest.raises(RuntimeError, match=r"^restart: the orchestrator is not running; start\(\) it"):
        await orchestrator.restart()
    async with orchestrator:
        restart = asyncio.create_task(orchestrator.restart(down_for="5s"))
        await asyncio.sleep(1)
        with pytest.raises(RuntimeError, match=r"^restart: the orchestrator is down already"):
            await orchestrator.restart()
        await restart
    with pytest.raises(RuntimeError, match=r"^restart: the orchestrator is not running"):
        await orchestrator.restart()


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"how": "kindly"}, r"^how: 'kindly' is neither 'drop' nor a close code; valid codes: 1000-1003"),
        ({"how": 1006}, r"^how: 1006 is neither"),
        ({"how": True}, r"^how: True is neither"),
        ({"down_for": -1}, r"^down_for: -1 is negative"),
        ({"down_for": "a while"}, r"^down_for: 'a while' is not a duration"),
    ],
)
async def test_a_wrong_way_to_go_down_is_refused(keywords, message):
    """Before anything is dropped."""
    async with served() as (connection, orchestrator):
        with pytest.raises(ValueError, match=message):
            await orchestrator.restart(**keywords)

        assert connection.timeline.close is None


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_it_comes_back_over_tcp():
    """The kernel refuses meanwhile, and nobody else can take the port."""
    async with Orchestrator() as orchestrator:
        backoff = Backoff(first="20ms", factor=1)
        async with ReconnectingClient(orchestrator.url, backoff=backoff) as client:
            session = await orchestrator.wait_for_session()
            down_at = now()
            restart = asyncio.create_task(orchestrator.restart(down_for="300ms"))
            await session.connection.wait_closed()
            port = int(orchestrator.url.rstrip("/").rpartition(":")[2])
            with socket.socket() as other, pytest.raises(OSError, match="in use"):
                other.bind(("127.0.0.1", port))
            await restart
            await session.assert_reconnects(within="5s")

            assert len(session.connections) == 2
            assert client.connections[1].timeline.opened >= down_at + 0.3

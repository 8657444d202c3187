"""A server that stands still: what it owes comes late, what came waits, and nothing is lost."""

import asyncio

import pytest

from pytest_wsstability import Cause, Direction, StabilityError, faults
from pytest_wsstability.core.timeline.events import Opcode
from pytest_wsstability.profiles import Profile
from tests.net.peers import connected, opened, served

pytestmark = pytest.mark.ws_stability(time="virtual")


def frozen(when, seconds, **server):
    return {**server, "faults": faults.Program.of([(when, faults.FreezeLoop(seconds))], connections=1)}


async def test_what_comes_meanwhile_is_answered_after():
    """A ping, a message and a new client wait for the same instant."""
    async with connected(frozen("10s", "20s", echo=True)) as (connection, orchestrator):
        await asyncio.sleep(12)
        ping = asyncio.create_task(connection.ping())
        await connection.send("hello")
        opening = asyncio.create_task(_open(orchestrator.url))

        assert await connection.recv() == "hello"
        assert asyncio.get_running_loop().time() == 30.0
        assert await ping == 18.0
        assert await opening == 30.0
        assert connection.timeline.close is None


async def _open(url):
    async with opened(url, open_timeout="1m") as other:
        return other.timeline.opened


async def test_its_pings_come_once_and_late():
    """Of those that were due meanwhile, one goes out."""
    async with connected(frozen("10s", "100s", read_deadline=None)) as (connection, _):
        await asyncio.sleep(140)
        pings = [event.at for event in connection.timeline if event.opcode is Opcode.PING]

        assert pings == [110.0, 120.0]


async def test_its_deadline_looks_at_what_came_first():
    """A heartbeat that was read late resets the deadline that ran out meanwhile; silence does not."""
    server = {"read_deadline": "30s", "deadline_reset_by": "heartbeat", "ping_interval": None}
    async with connected(frozen("10s", "50s", **server), heartbeat="25s") as (connection, _):
        await asyncio.sleep(70)
        assert connection.timeline.close is None
    async with connected(frozen("10s", "50s", **server)) as (connection, _):
        await connection.wait_closed()
        assert connection.timeline.duration == 60.0


async def test_what_its_handler_writes_is_held_back():
    """A stream of audio stops, and comes all at once."""

    async def handler(connection):
        while True:
            await connection.send(b"audio")
            await asyncio.sleep(1)

    raw = Profile(name="raw")
    async with connected(frozen("10.5s", "20s", handler=handler, profile=raw)) as (connection, _):
        await asyncio.sleep(40)
        at = [event.at for event in connection.timeline if event.opcode is Opcode.BINARY]

        assert [second for second in range(11, 30) if second in at] == []
        assert at.count(30.5) == 20


async def test_a_frozen_server_can_be_stopped():
    """A test that ends while its server stands still waits for nothing."""
    async with served(frozen(0, "1h")) as (connection, orchestrator):
        await asyncio.sleep(1)
        await orchestrator.stop()
        await connection.wait_closed()

        connection.assert_closed(code=1001)
        assert asyncio.get_running_loop().time() == 1.0


async def test_a_frozen_server_can_be_restarted():
    """As a watchdog would."""
    async with served(frozen(0, "1h")) as (_, orchestrator):
        await asyncio.sleep(1)
        await orchestrator.restart(down_for="2s")
        async with opened(orchestrator.url) as connection:
            await connection.assert_session_confirmed(within="1s")


async def test_the_longer_of_two_freezes_counts():
    """Also when the longer one came first."""
    program = [("10s", faults.FreezeLoop("30s")), ("20s", faults.FreezeLoop("5s"))]
    async with connected({"faults": program}) as (connection, _):
        await asyncio.sleep(12)

        assert await connection.ping() == 28.0


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_over_tcp_the_kernel_takes_what_comes():
    """Bytes and a connection are accepted, and answered after; nothing is lost."""
    server = frozen(0, "400ms", echo=True)
    async with served(server) as (connection, orchestrator):
        for number in range(100):
            await connection.send(f"message {number}")
        async with opened(orchestrator.url) as other:
            await other.assert_session_confirmed(within="5s")
        got = [await connection.recv() for _ in range(100)]

        assert got == [f"message {number}" for number in range(100)]
        last = connection.timeline.last(direction=Direction.RECEIVED, opcode=Opcode.TEXT)
        frozen_at = orchestrator.sessions[0].connections[0].timeline.opened
        assert connection.timeline.opened + last >= frozen_at + 0.4


@pytest.mark.parametrize("hold", ["5s", "15s"])
async def test_its_session_can_be_held_meanwhile(hold):
    """A look at it while it stands still ends with a verdict, as any other does."""
    async with connected(frozen("3s", "20s"), heartbeat="1s") as (_, orchestrator):
        session = orchestrator.sessions[0]
        with pytest.raises(StabilityError, match="heartbeat"):
            await session.assert_stable(alive_for=hold, heartbeat_every="1s")


@pytest.mark.parametrize(("seconds", "is_frozen"), [("10m", True), ("5s", False)])
async def test_a_client_that_sends_nothing_is_to_blame_when_the_server_goes_on(seconds, is_frozen):
    """As long as it is frozen nobody knows, of any of its clients."""
    server = {"faults": [("10s", faults.FreezeLoop(seconds))], "read_deadline": None, "ping_interval": None}
    async with served(server) as (_, orchestrator), opened(orchestrator.url):
        sessions = [await orchestrator.wait_for_session() for _ in range(2)]
        for each in sessions:
            with pytest.raises(StabilityError) as caught:
                await each.assert_stable(alive_for="1m", heartbeat_every="25s")
            frozen = caught.value.verdict.diagnosis.cause is Cause.INJECTED_FAULT
            assert frozen is is_frozen

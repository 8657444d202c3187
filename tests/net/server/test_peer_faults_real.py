"""Faults of the peer over kernel TCP: the same violations as in memory."""

import asyncio

import pytest

from pytest_wsstability import OpeningError, Orchestrator, StabilityError, faults
from pytest_wsstability.core.timeline.close import TransportEnd
from tests.net.certificates import server_context, trusting
from tests.net.peers import opened, served

pytestmark = [pytest.mark.real, pytest.mark.ws_stability(time="real")]

ENDS = [
    (faults.CloseWith(4000, "enough"), 4000, "received 4000 (private use) enough"),
    (faults.EmptyClose(), 1005, "received 1005 (no status received)"),
    (faults.HandlerError(), 1011, "received 1011 (internal error)"),
    (faults.InvalidCloseCode(1006), 1006, "sent 1002 (protocol error)"),
    (faults.Malformed("unknown_opcode"), 1006, "sent 1002 (protocol error) invalid opcode"),
    (faults.Malformed("reserved_bit"), 1006, "sent 1002 (protocol error) reserved bits must be 0"),
    (faults.MaskedFrame(), 1006, "sent 1002 (protocol error) incorrect masking"),
    (faults.BadUtf8(), 1006, "sent 1007 (invalid payload) invalid UTF-8"),
    (faults.Oversize(2**20 + 1), 1006, "sent 1009 (message too big)"),
    (faults.Restart("100ms"), 1006, "no close frame received or sent"),
]


@pytest.mark.parametrize(("fault", "code", "words"), ENDS, ids=lambda each: getattr(each, "name", None))
async def test_an_end_looks_the_same(fault, code, words):
    """The code, who said what, and the end of the stream."""
    async with served({"faults": [("50ms", fault)]}) as (connection, _):
        with pytest.raises(StabilityError):
            await connection.assert_alive_for("30s")
        await connection.wait_closed()

        close = connection.timeline.close
        assert (close.code, words in str(close)) == (code, True)
        assert close.transport in (TransportEnd.FIN, TransportEnd.RESET)


SILENCES = [
    (faults.WithholdPongs(), {"client": "browser"}, "pings"),
    (faults.WithholdHeartbeats(), {"heartbeat": "100ms"}, "heartbeats"),
    (faults.StopReading(), {"heartbeat": "100ms"}, "heartbeats"),
    (faults.FreezeLoop("1h"), {"heartbeat": "100ms"}, "heartbeats"),
]


@pytest.mark.parametrize(("fault", "client", "what"), SILENCES, ids=lambda each: getattr(each, "name", None))
async def test_a_silence_looks_the_same(fault, client, what):
    """The connection is open, and nothing is answered."""
    async with served({"faults": [fault]}, **client) as (connection, _):
        await asyncio.sleep(0.2)
        if what == "pings":
            connection.websocket.send_ping()
        await connection.websocket.wait_ended(connection.timeline.opened + 1.0)

        asked = getattr(connection.timeline, what)
        assert connection.timeline.close is None
        assert asked.sent > 0
        assert asked.answered == 0


async def test_a_flood_is_as_large_as_it_says():
    """And ends."""
    flood = faults.Flood(200, size=1000, seconds="500ms")
    async with served({"faults": [flood]}) as (connection, _):
        for _ in range(100):
            assert await connection.recv() == bytes(1000)


async def test_a_refused_upgrade_looks_the_same():
    """The status and Retry-After; the next client is let in."""
    program = faults.Program.of([faults.RefuseUpgrade(503, retry_after="7s")], connections=1)
    async with Orchestrator(faults=program) as orchestrator:
        with pytest.raises(OpeningError, match=r"HTTP 503 Service Unavailable \(Retry-After: 7\)"):
            async with opened(orchestrator.url):
                pass
        async with opened(orchestrator.url) as connection:
            await connection.assert_session_confirmed(within="10s")


async def test_a_close_that_is_ignored_looks_the_same():
    """The client's own closing handshake stays unanswered; here it does not wait for its end."""
    async with served({"faults": [faults.IgnoreClose()]}) as (connection, orchestrator):
        await connection.assert_session_confirmed(within="10s")
        connection.websocket.start_close(1000)

        assert not await connection.websocket.wait_ended(connection.websocket.loop.time() + 0.3)
        close = orchestrator.sessions[0].timeline.close
        assert (close.received.code, close.sent, close.transport) == (1000, None, TransportEnd.OPEN)


async def test_the_faults_are_those_of_tls_too(tmp_path):
    """A frozen server, bytes past the protocol, and a restart, behind an encrypted stream."""
    tls = trusting(tmp_path)
    async with Orchestrator(tls=server_context("127.0.0.1"), echo=True) as orchestrator:
        orchestrator.misbehave([faults.FreezeLoop("200ms")])
        async with opened(orchestrator.url, tls=tls) as frozen:
            opened_at = orchestrator.sessions[0].timeline.opened
            await frozen.send("hello")
            assert await frozen.recv() == "hello"
            assert asyncio.get_running_loop().time() >= opened_at + 0.2
        orchestrator.misbehave([faults.MaskedFrame()])
        async with opened(orchestrator.url, tls=tls) as masked:
            await masked.wait_closed()
            assert "incorrect masking" in str(masked.timeline.close)
        orchestrator.misbehave()
        async with opened(orchestrator.url, tls=tls) as restarted:
            await restarted.assert_session_confirmed(within="10s")
            await orchestrator.restart(down_for="50ms", how=1012)
            again = await restarted.reconnect()
            await again.assert_session_resumed(within="10s")
            await again.close()

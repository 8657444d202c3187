"""What the kernel says of a connection, on real sockets: a dead network, a lazy peer, or nothing wrong."""

import asyncio
import sys

import pytest

from pytest_wsstability import Tier, Timeline, run_virtual
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.net import health
from tests.net import blackhole
from tests.net.peers import connected, opened, silent, talking, until

pytestmark = pytest.mark.ws_stability(time="real")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's view is read on Linux only")


@on_linux
@pytest.mark.real
async def test_a_healthy_connection_has_nothing_under_way():
    """At both ends, some time after the last byte."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        for timeline in (connection.timeline, session.timeline):
            await until(lambda of=timeline: of.tcp and of.tcp[-1].unacked == 0)
            last = timeline.tcp[-1]

            assert timeline.tcp_unseen is None
            assert (last.state, last.retransmits, last.backoff, last.probes) == ("ESTABLISHED", 0, 0, 0)
            assert last.send_queue == 0
            assert 0 < last.rtt < 1
            assert last.at > 0


@on_linux
@pytest.mark.real
async def test_a_peer_that_does_not_read_fills_the_queue():
    """Its kernel answers probes of the closed window: nothing is lost, and nothing moves."""

    async def script(peer):
        peer.pause()
        await asyncio.Event().wait()

    async with talking(script) as connection:
        for _ in range(32):
            connection.websocket.send_message(b"x" * 2**20)
        await until(lambda: [s for s in connection.timeline.tcp if s.backoff or s.probes])
        stuck = [sample for sample in connection.timeline.tcp if sample.backoff or sample.probes][-1]

        assert stuck.send_queue > 2**16
        assert (stuck.unacked, stuck.retransmits) == (0, 0)


@on_linux
@pytest.mark.real
@pytest.mark.parametrize("who", ["server", "client"])
async def test_there_is_a_last_look_right_before_the_end(who):
    """However short the connection was: the descriptor is gone later."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        ending = connection if who == "client" else session.connection
        ending.websocket.drop(LocalReason.INTERRUPTED, "on purpose")
        await connection.wait_closed()
        await session.connection.wait_closed()

        states = {end: line.tcp[-1].state for end, line in
                  (("client", connection.timeline), ("server", session.timeline))}  # fmt: skip
        assert states.pop(who) == "ESTABLISHED"
        assert set(states.values()) == {"CLOSE_WAIT"}


@on_linux
@pytest.mark.real
async def test_a_black_hole_is_sent_to_again_and_again():
    """Nothing is acknowledged: unacked stays, retransmits rise, the last acknowledgement grows old."""
    if reason := blackhole.why_not():
        pytest.skip(reason)
    async with blackhole.namespace() as there, opened(there.url, profile="frames") as connection:
        there.cut()
        connection.websocket.send_message("anybody?")
        await until(lambda: any(sample.retransmits >= 2 for sample in connection.timeline.tcp))
        lost = connection.timeline.tcp[-1]

        assert lost.unacked >= 1
        assert lost.send_queue >= len("anybody?")
        assert lost.last_ack_recv > 0.2
        connection.websocket.abort(LocalReason.INTERRUPTED, "seen enough")
        await connection.wait_closed()
        # What the end leaves is no healthy socket.
        assert connection.timeline.tcp[-1].unacked >= 1


@pytest.mark.ws_stability(time="virtual")
async def test_virtual_time_has_no_kernel():
    """Nothing is made up."""
    async with talking(silent) as connection:
        await asyncio.sleep(60)

        assert connection.timeline.tcp == ()
        assert connection.timeline.tcp_unseen == "virtual time has no TCP"


def test_other_systems_do_not_tell(monkeypatch):
    """macOS and Windows have nothing like it that is as good."""
    monkeypatch.setattr(sys, "platform", "darwin")

    assert health.unseen(object()) == "only Linux tells (TCP_INFO), and this is darwin"


@on_linux
def test_what_is_no_tcp_socket_tells_nothing():
    """A pipe, a transport without a socket, and a look at one all the same."""
    line = Timeline(End.CLIENT, Tier.REAL)
    health.sample(line, object(), 1.0)

    assert health.unseen(None) == "the transport has no TCP socket"
    assert line.tcp == ()


@on_linux
def test_a_socket_by_look_only_tells_nothing():
    """uvloop's transports give an object that refuses."""

    class Pseudo:
        family = 2

        def getsockopt(self, *words):
            raise TypeError("not allowed")

    said = health.unseen(Pseudo())
    assert said is not None
    assert said.startswith("the socket cannot be asked (a ")


@on_linux
@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_sockets_are_looked_at_in_turn():
    """A tenth of them each time, and all of them in the end."""
    loop = asyncio.get_running_loop()
    looked = []
    monitor = health.LoopMonitor(loop)
    lines = [Timeline(End.CLIENT, Tier.REAL) for _ in range(20)]
    for number, line in enumerate(lines):
        monitor.watch(line, Asked(looked, number))
    for _ in range(health._ROUNDS):
        before = len(looked)
        monitor._sample()
        assert len(looked) - before == 2
    for line in lines:
        monitor.forget(line)

    assert sorted(looked) == list(range(20))


class Asked:
    """A socket that only notes that it was asked."""

    def __init__(self, looked, number):
        self.looked, self.number = looked, number

    def getsockopt(self, *words):
        self.looked.append(self.number)
        return b""


def test_run_virtual_has_no_monitor():
    """Neither for lags nor for sockets."""

    async def look():
        async with talking(silent) as connection:
            await asyncio.sleep(5)
            return connection.timeline.tcp, asyncio.get_running_loop() in health._monitors

    assert run_virtual(look()) == ((), False)

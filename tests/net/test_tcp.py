"""What the kernel says of a connection, on real sockets: a dead network, a lazy peer, or nothing wrong."""

import asyncio
import sys

import pytest

from pytest_wsstability import Outcome, Requirement, Tier, Timeline, run_virtual
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.events import Direction, End, Opcode, Role
from pytest_wsstability.net import health
from pytest_wsstability.net.holding import hold_open
from pytest_wsstability.profiles import Profile
from tests.net import blackhole
from tests.net.peers import connected, opened, silent, talking, until

pytestmark = pytest.mark.ws_stability(time="real")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's view is read on Linux only")


@on_linux
@pytest.mark.real
async def test_a_healthy_connection_has_nothing_under_way():
    """At both ends, some time after a message that nobody answers."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        for end in (connection, session.connection):
            timeline = end.timeline
            end.websocket.send_message("for your information")
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


@on_linux
@pytest.mark.real
@pytest.mark.slow
async def test_no_heartbeat_is_waited_for_in_a_black_hole():
    """At the end of a hold; the peer's next one is due an hour later, and would not arrive."""
    if reason := blackhole.why_not():
        pytest.skip(reason)
    profile = Profile(name="ours", ping={"type": "ka"}, heartbeats_from="server", interval=3600)
    async with blackhole.namespace() as there, opened(there.url, profile=profile) as connection:
        there.cut()
        verdict = await hold_open(connection.websocket, Requirement.of(alive_for="1s"))

        assert verdict.outcome is Outcome.UNSTABLE
        assert verdict.violations[0].rule is Rule.PROOF
        connection.websocket.abort(LocalReason.INTERRUPTED, "seen enough")


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


class Asked:
    """A socket that only notes when it was asked."""

    def __init__(self, looked, clock):
        self.looked, self.clock = looked, clock

    def getsockopt(self, *words):
        self.looked.append(self.clock.now)
        return b""


class Clock:
    """A loop that is nothing but a clock."""

    now = 100.0

    def time(self):
        return self.now


def looks(*happenings, until):
    """When the kernel was asked, in seconds after the opening: what happened is "wrote" or "heard"."""
    clock, looked = Clock(), []
    monitor = health.LoopMonitor(clock)
    line = Timeline(End.CLIENT, Tier.REAL, origin=clock.now)
    monitor._sockets[line] = Asked(looked, clock)
    ticks = [(number / 10, "tick") for number in range(1, round(until * 10) + 1)]
    for at, what in sorted([*happenings, *ticks]):
        clock.now = 100.0 + at
        if what == "wrote":
            monitor.wrote(line)
        elif what == "heard":
            line.frame(clock.now, Direction.RECEIVED, Opcode.TEXT, 1, Role.DATA, None)
        else:
            monitor._sample()
    return [round(at - 100.0, 3) for at in looked]


@on_linux
@pytest.mark.parametrize(
    ("happenings", "until", "expected"),
    [
        # Nothing was asked.
        ([], 5, []),
        ([(1.0, "heard")], 5, []),
        # The answer came in time, or just too late.
        ([(1.0, "wrote"), (1.15, "heard")], 5, []),
        ([(1.0, "wrote"), (1.25, "heard")], 5, [1.2]),
        # Not yet 200 ms, and then each second until the peer is heard.
        ([(1.0, "wrote")], 1.1, []),
        ([(1.0, "wrote")], 4, [1.2, 2.2, 3.2]),
        ([(1.0, "wrote"), (2.5, "heard")], 5, [1.2, 2.2]),
        # What was heard before says nothing about what is written after it.
        ([(1.0, "heard"), (1.05, "wrote")], 2, [1.3]),
        # Another write does not put the look off.
        ([(1.0, "wrote"), (1.15, "wrote")], 2, [1.2]),
        # What is written behind an answer waits for one of its own.
        ([(1.0, "wrote"), (1.05, "heard"), (1.15, "wrote")], 2, [1.4]),
        ([(1.0, "wrote"), (1.45, "heard"), (1.55, "wrote")], 3, [1.2, 1.8, 2.8]),
        # Asked and answered before, and now not.
        ([(1.0, "wrote"), (1.25, "heard"), (3.0, "wrote")], 4, [1.2, 3.2]),
    ],
)
def test_the_kernel_is_asked_when_it_can_tell_something(happenings, until, expected):
    assert looks(*happenings, until=until) == expected


def test_run_virtual_has_no_monitor():
    """Neither for lags nor for sockets."""

    async def look():
        async with talking(silent) as connection:
            await asyncio.sleep(5)
            return connection.timeline.tcp, asyncio.get_running_loop() in health._monitors

    assert run_virtual(look()) == ((), False)

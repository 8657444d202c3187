"""What the test process says about itself: lag, sleep, and the kernel's view of a socket."""

import asyncio
import itertools
import select
import socket
import sys
import time
from unittest import mock

import pytest

from pytest_wsstability import EventKind, Outcome, Requirement, Tier, Timeline, run_virtual
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.net import health
from tests.net.peers import connected, served, silent, talking, until

real = pytest.mark.ws_stability(time="real")
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's view is read on Linux only")


def block(seconds):
    """Keep the loop busy, as a computation in a test would."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def lags(timeline):
    return [event.seconds for event in timeline if event.kind is EventKind.LOOP_LAG]


@pytest.mark.real
@real
async def test_a_loop_that_stands_still_is_recorded():
    """With how long it stood."""
    async with talking(silent) as connection:
        await asyncio.sleep(0.15)
        block(0.4)
        await asyncio.sleep(0.15)

        assert connection.timeline.max_lag >= 0.2
        assert max(lags(connection.timeline)) == pytest.approx(connection.timeline.max_lag, abs=0.001)


@pytest.mark.real
@real
async def test_who_stood_still_blames_nobody():
    """The answer was there in time, and nobody looked: neither a pass nor the server's fault."""
    async with connected({"answer_heartbeats": "10ms"}) as (connection, _):
        await connection.send('{"type":"ping"}')
        block(0.5)
        await until(lambda: connection.timeline.heartbeats.answered)

        verdict = judge(Requirement.of(heartbeat_within="300ms"), connection.timeline)
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert [doubt.reason for doubt in verdict.doubts] == [Reason.LOOP_LAG]
        assert "the test's own event loop stood still for " in verdict.headline


@pytest.mark.real
@real
async def test_who_was_awake_blames_the_server():
    """The same requirement and a server that is slow."""
    async with connected({"answer_heartbeats": "400ms"}) as (connection, _):
        await connection.send('{"type":"ping"}')
        await until(lambda: connection.timeline.heartbeats.answered)

        verdict = judge(Requirement.of(heartbeat_within="300ms"), connection.timeline)
        lagged = connection.timeline.max_lag >= 0.15
        assert verdict.outcome is (Outcome.INCONCLUSIVE if lagged else Outcome.UNSTABLE)


@pytest.mark.real
@real
async def test_a_lag_is_found_though_it_ends_the_connection():
    """The look that would have found it comes too late, so there is one more at the end."""
    async with connected() as (connection, _):
        await asyncio.sleep(0.05)
        block(0.6)
        await connection.close()

        assert connection.timeline.max_lag >= 0.3


@pytest.mark.ws_stability(time="virtual")
async def test_virtual_loops_cannot_lag():
    """So they are not watched: a computation takes no virtual time."""
    async with talking(silent) as connection:
        block(0.2)
        await asyncio.sleep(3600)

        assert connection.timeline.tier is Tier.VIRTUAL
        assert lags(connection.timeline) == []
        assert asyncio.get_running_loop() not in health._monitors


def test_a_tier_is_that_of_the_loop():
    """Virtual loops say so."""

    async def tier():
        return health.tier_of(asyncio.get_running_loop())

    assert run_virtual(tier()) is Tier.VIRTUAL
    assert asyncio.run(tier()) is Tier.REAL


class Sleeper:
    """A machine that sleeps."""

    def __init__(self, monkeypatch):
        self.asleep = 0.0
        monkeypatch.setattr(health, "_time_asleep", lambda: self.asleep)


@real
@pytest.mark.parametrize(("slept", "recorded"), [(0.5, []), (30.0, [30.0])])
async def test_a_machine_that_slept_is_recorded(monkeypatch, slept, recorded):
    """A laptop's lid."""
    machine = Sleeper(monkeypatch)
    monitor, timeline = watched()
    machine.asleep = slept
    monitor._tick()
    monitor.forget(timeline)

    assert [event.seconds for event in timeline if event.kind is EventKind.SUSPENDED] == recorded
    assert timeline.suspended == sum(recorded)


def watched():
    loop = asyncio.get_running_loop()
    monitor = health.LoopMonitor(loop)
    timeline = Timeline(End.CLIENT, Tier.REAL, origin=loop.time())
    monitor.watch(timeline)
    return monitor, timeline


@real
async def test_the_last_one_stops_the_watch():
    """No timer stays on a loop without connections."""
    monitor, timeline = watched()
    other = Timeline(End.SERVER, Tier.REAL)
    monitor.watch(other)
    timer = monitor._timer
    monitor.forget(timeline)
    assert not monitor.is_idle
    assert not timer.cancelled()
    monitor.forget(other)

    assert monitor.is_idle
    assert monitor._timer is None
    monitor.forget(other)


@real
async def test_ends_at_one_instant_are_not_so_many_lags():
    """A loop that stood still did so once, in each timeline, however many connections end after it."""
    monitor, first = watched()
    timelines = [first, *(Timeline(End.CLIENT, Tier.REAL) for _ in range(3))]
    for timeline in timelines[1:]:
        monitor.watch(timeline)
    block(0.35)
    for timeline in timelines:
        monitor.forget(timeline)

    lags = [[event for event in timeline if event.kind is EventKind.LOOP_LAG] for timeline in timelines]
    assert [len(each) for each in lags] == [1, 1, 1, 1]


@real
async def test_no_monitor_stays_behind():
    """Connections of both ends, and then none."""
    loop = asyncio.get_running_loop()
    async with served() as (connection, _):
        await connection.assert_session_confirmed(within="5s")
        assert loop in health._monitors
        await connection.close()
    assert loop not in health._monitors


@real
async def test_a_timeline_of_virtual_time_is_not_watched():
    """Whatever loop it is on."""
    loop = asyncio.get_running_loop()
    health.watch(loop, Timeline(End.CLIENT, Tier.VIRTUAL))

    assert loop not in health._monitors
    health.forget(loop, Timeline(End.CLIENT, Tier.VIRTUAL))


# The kernel.


@on_linux
def test_the_state_of_a_socket_has_its_name():
    """Those of ss(8) and netstat(8)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert health.tcp_state(server) == "LISTEN"
        with socket.create_connection(server.getsockname()) as client:
            other, _ = server.accept()
            assert health.tcp_state(client) == health.tcp_state(other) == "ESTABLISHED"
            other.close()
            while health.tcp_state(client) == "ESTABLISHED":
                client.recv(1)
            assert health.tcp_state(client) == "CLOSE_WAIT"


def test_what_is_no_tcp_socket_has_no_state():
    """Pipes, nothing at all."""
    one, other = socket.socketpair()
    with one, other:
        assert [health.tcp_state(each) for each in (None, object(), one)] == [None, None, None]


@on_linux
def test_what_the_kernel_has_not_sent_is_counted():
    """A peer that reads nothing fills its window; what is written then stays here."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            other, _ = server.accept()
            with other:
                assert health.unsent(client) == 0
                client.setblocking(False)
                while select.select([], [client], [], 0)[1]:
                    client.send(b"x" * 65_536)
                assert health.unsent(client) > 0
        assert health.unsent(client) == 0


@pytest.mark.parametrize("sock", [None, object()])
def test_what_is_no_socket_holds_nothing_back(sock):
    """Some transports have none."""
    assert health.unsent(sock) == 0


def test_other_systems_do_not_say_what_waits(monkeypatch):
    """Only Linux has SIOCOUTQNSD."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert health.unsent(server) == 0


def test_a_closed_socket_has_no_state():
    """The descriptor is gone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        pass

    assert health.tcp_state(server) is None


def test_other_systems_do_not_tell(monkeypatch):
    """No guess is made."""
    monkeypatch.setattr(sys, "platform", "darwin")
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert health.tcp_state(server) is None
        assert health._time_asleep() == 0.0


@on_linux
@pytest.mark.real
@real
@pytest.mark.parametrize("who", ["server", "client"])
async def test_the_evidence_has_the_state_before_the_end(who):
    """CLOSE_WAIT: the other end had closed. ESTABLISHED or later: this end did."""
    async with connected() as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        if who == "server":
            session.connection.websocket.drop(LocalReason.INTERRUPTED, "on purpose")
        else:
            connection.websocket.drop(LocalReason.INTERRUPTED, "on purpose")
        await connection.wait_closed()
        await session.connection.wait_closed()

        ends = {"client": connection.timeline.close, "server": session.timeline.close}
        assert ends.pop(who).tcp_state == "ESTABLISHED"
        assert next(iter(ends.values())).tcp_state == "CLOSE_WAIT"


# The clock of the loop.


@pytest.fixture
def real_loop():
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@pytest.mark.parametrize(
    ("step", "told"), [(0.0, "stands still"), (0.999, None), (1.0, "jumps"), (15.0, "jumps"), (-1.0, "jumps")]
)
def test_a_clock_that_is_replaced_has_to_go(monkeypatch, real_loop, step, told):
    """As freezegun replaces it; what goes with the real one may be as late as it likes."""
    readings = itertools.count()
    monkeypatch.setattr(time, "monotonic", lambda: 1000 + step * next(readings))
    if told is None:
        health.check_clock(real_loop)
        return
    with pytest.raises(RuntimeError, match=rf"^the clock of the event loop {told}: .*real_asyncio=True"):
        health.check_clock(real_loop)


def test_a_clock_that_is_a_mock_is_told(real_loop):
    """The usual way to stop one: it has no name of its own."""
    with (
        mock.patch("time.monotonic", return_value=5.0),
        pytest.raises(RuntimeError, match=r"Mock, so a hold"),
    ):
        health.check_clock(real_loop)


def test_a_virtual_clock_is_none_that_is_replaced(monkeypatch):
    """And asyncio's own loop with the real clock is not looked at."""

    async def main():
        monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
        health.check_clock(asyncio.get_running_loop())

    run_virtual(main())


@pytest.mark.parametrize(
    "wait",
    [lambda each: each.assert_alive_for("1s"), lambda each: each.assert_session_confirmed(within="1s")],
)
def test_a_wait_by_a_clock_that_stands_still_is_refused(monkeypatch, wait):
    """It would never end."""

    async def main():
        async with connected() as (connection, _):
            with monkeypatch.context() as patched:
                patched.setattr(time, "monotonic", lambda: 1000.0)
                with pytest.raises(RuntimeError, match="stands still"):
                    await wait(connection)

    asyncio.run(main())

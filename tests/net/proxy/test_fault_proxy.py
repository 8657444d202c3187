"""The fault proxy: what passes, what is added while it runs, and what is refused."""

import asyncio
import os
import re

import pytest

from pytest_wsstability import Cause, End, FaultProxy, OpeningError, Orchestrator, connect, diagnose, faults
from pytest_wsstability.core.timeline.events import Direction, Opcode
from tests.net.certificates import server_context, trusting
from tests.net.peers import Peer, opened, serving, until
from tests.net.proxy.times import both_times

pytestmark = pytest.mark.ws_stability(time="virtual")


# What passes.


async def test_frames_stand_on_the_proxys_timeline():
    """Upstream as sent, downstream as received, with their sizes on the wire, from the handshake on."""
    async with (
        Orchestrator(echo=True, profile="frames") as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
    ):
        async with opened(proxy.url, profile="frames") as connection:
            await connection.send("hello")
            assert await connection.recv() == "hello"
            await connection.ping()
            await connection.close(4000, "enough")
        timeline = proxy.timeline

        assert (timeline.end, timeline.opened) == (End.PROXY, connection.timeline.opened)
        sent, received = Direction.SENT, Direction.RECEIVED
        assert [timeline.count(way, Opcode.TEXT) for way in (sent, received)] == [1, 1]
        assert [timeline.bytes(way, Opcode.TEXT) for way in (sent, received)] == [5, 5]
        assert (timeline.count(sent, Opcode.PING), timeline.count(received, Opcode.PONG)) == (1, 1)
        close = timeline.close
        assert (close.sent.code, close.sent.reason, close.received.code) == (4000, "enough", 4000)
        assert (close.received_first, close.local_text) == (False, "the server ended the stream first")


async def test_each_connection_has_a_timeline_of_its_own():
    """In the order of arrival; the proxy's own is that of the latest."""
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy:
        with pytest.raises(LookupError, match=r"has no timeline of a WebSocket: none was opened$"):
            proxy.timeline  # noqa: B018
        async with opened(proxy.url), opened(proxy.url):
            first, second = proxy.connections

            assert (first.number, second.number) == (0, 1)
            assert first.timeline is not second.timeline
            assert proxy.timeline is second.timeline
            assert [session.timeline.close for session in orchestrator.sessions] == [None, None]


@both_times
def test_nothing_is_lost_on_the_way(run):
    """Megabytes both ways, over a link that cuts them up, stalls and heals; the receiver is slow at times."""

    async def script():
        payload = os.urandom(3 * 2**20)
        async with Orchestrator(echo=True, profile="frames", max_size=None) as orchestrator:
            program = [faults.Slicer(50_000), ("10ms", faults.Stall("20ms")), ("60ms", faults.Heal())]
            async with (
                FaultProxy(orchestrator.url, faults=program) as proxy,
                opened(proxy.url, profile="frames", max_size=None) as connection,
            ):
                sending = asyncio.ensure_future(connection.send(payload))
                await asyncio.sleep(0.1)
                connection.websocket.pause_reading()
                await asyncio.sleep(0.1)
                connection.websocket.resume_reading()
                assert await connection.recv() == payload
                await sending

    run(script)


@both_times
def test_a_black_hole_holds_the_sender_back(run):
    """What a link holds is bounded: the sender waits, and all arrives once it is healed."""

    async def script():
        payload = bytes(16 * 2**20)
        async with (
            Orchestrator(echo=True, profile="frames", max_size=None) as orchestrator,
            FaultProxy(orchestrator.url) as proxy,
            opened(proxy.url, profile="frames", max_size=None) as connection,
        ):
            proxy.add(faults.Blackhole("upstream"))
            sending = asyncio.ensure_future(connection.send(payload))
            await asyncio.sleep(0.2)
            held = proxy.connections[0].carried[0]
            assert not sending.done()
            assert held < 2**20
            proxy.heal()
            await sending
            assert await connection.recv() == payload

    run(script)


@both_times
def test_tls_passes_untouched(run, tmp_path):
    """The certificate is the target's own; faults of bytes and time work, frames are not seen."""

    async def script():
        async with (
            Orchestrator(tls=server_context("127.0.0.1")) as orchestrator,
            FaultProxy(orchestrator.url, faults=[("100ms", faults.Drop())]) as proxy,
        ):
            assert proxy.url.startswith("wss://127.0.0.1:")
            connection = await connect(proxy.url, tls=trusting(tmp_path))
            await connection.wait_closed()
            assert connection.timeline.close.code == 1006
            assert [applied.fault for applied in proxy.applied] == [faults.Drop()]
            (passed,) = proxy.connections
            assert min(passed.carried) > 500
            assert (passed.timeline, passed.ending) == (None, "faults.Drop()")
            with pytest.raises(LookupError, match="over TLS the proxy sees no frames"):
                proxy.timeline  # noqa: B018

    run(script)


async def test_bytes_and_ends_are_counted():
    """Both ways, those of the handshake included; and who ended the connection."""
    async with serving(silent_after_upgrade) as url, FaultProxy(url) as proxy:
        async with opened(proxy.url, profile="frames") as connection:
            (passed,) = proxy.connections
            handshake = passed.carried
            await connection.send("hello")
            await until(lambda: passed.carried[0] > handshake[0])
            assert passed.carried == (handshake[0] + 6 + 5, handshake[1])
            assert passed.ending is None
        await until(lambda: passed.ending)
        assert passed.ending == "the client ended the stream first"


@pytest.mark.parametrize("direction", ["upstream", "downstream"])
async def test_a_half_close_is_what_ended_the_connection(direction):
    """And neither end, which both read that the other has."""
    fault = faults.HalfClose(direction)
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url, faults=[(5, fault)]) as proxy:
        async with opened(proxy.url) as connection:
            await connection.wait_closed()
            await connection.both_ended()
        found = diagnose(connection.timeline, [proxy.timeline])

    assert proxy.connections[0].ending == repr(fault)
    assert (found.cause, found.headline) == (Cause.INJECTED_FAULT, f"injected fault {fault!r}")


async def silent_after_upgrade(peer: Peer):
    await peer.upgrade()
    await peer.gone()


async def test_a_lost_close_frame_leaves_a_handshake_open():
    """The client waits for the answer, and gives up."""
    program = [faults.DropControlFrames("close")]
    async with (
        Orchestrator() as orchestrator,
        FaultProxy(orchestrator.url, faults=program) as proxy,
        opened(proxy.url) as connection,
    ):
        connection.websocket.start_close(1000)
        await connection.wait_closed()
        close = connection.timeline.close
        assert (close.sent.code, close.received) == (1000, None)
        assert close.local_text == "the peer did not close within 10 s"


async def test_frames_cannot_be_read_over_tls_later_either():
    """A fault that is added is checked as those that were given."""
    async with FaultProxy("wss://127.0.0.1:9/") as proxy:
        with pytest.raises(ValueError, match=r"^faults: .* must read frames, and over TLS \(wss://\) nobody"):
            proxy.add(faults.DropControlFrames("ping"))
        proxy.add(faults.Latency("1s"))


async def test_the_path_and_query_stay():
    """Only the address is another."""
    proxy = FaultProxy("ws://user:pw@localhost:9/chat?room=1&token=x")
    async with proxy:
        assert re.fullmatch(r"ws://user:pw@127\.0\.0\.1:\d+/chat\?room=1&token=x", proxy.url)
        assert "token=x" not in repr(proxy) + proxy.report()
        assert "pw" not in repr(proxy) + proxy.report()


async def test_handshake_and_certificate_can_keep_the_targets_name(tmp_path):
    """connect(address=) goes through a proxy as to the target itself: same Host, same certificate."""
    async with (
        Orchestrator(tls=server_context("localhost"), host="127.0.0.1") as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
    ):
        url = orchestrator.url.replace("127.0.0.1", "localhost")
        connection = await connect(url, address=proxy.address, tls=trusting(tmp_path))
        assert len(proxy.connections) == 1
        await connection.close()


async def test_an_address_where_nobody_listens_is_named():
    """The one that was dialled, and not that of the URL."""
    async with FaultProxy("ws://127.0.0.1:9/") as proxy:
        address = proxy.address
    with pytest.raises(
        OpeningError, match=rf"^ws://voice.example/ .*: nobody listens on 127.0.0.1:{address[1]}"
    ):
        await connect("ws://voice.example/", address=address)


# Breaking and healing while it runs.


async def test_faults_are_added_and_healed_while_it_runs():
    """Open connections get it at once, and what was held is delivered."""
    async with (
        Orchestrator() as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
        opened(proxy.url, heartbeat=1) as connection,
    ):
        await asyncio.sleep(1.5)
        proxy.add(faults.Blackhole())
        await asyncio.sleep(2)
        assert connection.timeline.heartbeats.answered == 1
        proxy.heal()
        await asyncio.sleep(0.1)
        assert connection.timeline.heartbeats.answered == 3
        assert [(applied.fault, applied.at) for applied in proxy.applied] == [(faults.Blackhole(), 1.5)]


async def test_what_is_healed_does_not_cut_later():
    """Bytes are counted no more once the proxy is healed, however many are still to come."""
    async with (
        Orchestrator() as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
        opened(proxy.url, heartbeat=1) as connection,
    ):
        await asyncio.sleep(0.5)
        proxy.add(faults.CutAfter(100))
        await asyncio.sleep(1)
        proxy.heal()
        await asyncio.sleep(20)
        assert connection.timeline.heartbeats.answered == 21
        assert (proxy.applied, connection.timeline.close) == ([], None)


@pytest.mark.parametrize(
    ("fault", "reaches_the_next"),
    [(faults.Drop(), False), (faults.Latency(1), True), (faults.Reset(), False), (faults.MaxAge(5), True)],
    ids=repr,
)
async def test_what_lasts_is_applied_to_connections_to_come(fault, reaches_the_next):
    """What happens once is applied only to those that are open."""
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy:
        async with opened(proxy.url):
            proxy.add(fault)
        assert bool(proxy.program) is reaches_the_next
        proxy.heal()
        assert not proxy.program


async def test_a_fault_can_be_added_for_a_later_age():
    """Counted from each connection's opening; older ones get it at once."""
    async with (
        Orchestrator() as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
        opened(proxy.url) as old,
    ):
        await asyncio.sleep(4)
        proxy.add(faults.Drop(), at="3s")
        async with opened(proxy.url) as young:
            await young.wait_closed()
            assert (old.timeline.close.at, young.timeline.close.at) == (4.0, 3.0)


async def test_the_repr_tells_the_last_fault():
    """With its place, its time and how many there were."""
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy, opened(proxy.url):
        await asyncio.sleep(2)
        proxy.add(faults.Drop())

        ending = "1 connection(s), 1 fault(s) applied, the last faults.Drop() at 2 s on connection 0>"
        assert repr(proxy).endswith(ending)


async def test_a_proxy_survives_many_connections():
    """Those that are over are forgotten, and faults still reach the one that is open."""
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy:
        for _ in range(100):
            async with opened(proxy.url):
                pass
        async with opened(proxy.url) as connection:
            proxy.add(faults.Drop())
            await connection.wait_closed()
        assert [applied.connection for applied in proxy.applied] == [100]
        assert len(proxy._injector._open) < 50


async def test_only_the_first_connections_get_the_faults():
    """So that a reconnect goes well."""
    program = faults.Program.of([("1s", faults.Drop())], connections=1)
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url, faults=program) as proxy:
        async with opened(proxy.url) as first:
            await first.wait_closed()
        async with opened(proxy.url) as second:
            await asyncio.sleep(100)
            assert second.timeline.close is None


# What makes no sense.


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: FaultProxy("http://a"), ValueError, "url: 'http://a' is not a WebSocket URL"),
        (lambda: FaultProxy("ws://a", faults=["drop"]), TypeError, "faults[0]: 'drop' is no fault"),
        (
            lambda: FaultProxy("ws://a", faults=[faults.WithholdPongs()]),
            ValueError,
            "faults: faults.WithholdPongs() is nothing that a link can do, but a server: ",
        ),
        (
            lambda: FaultProxy("wss://a", faults=[faults.DropControlFrames("ping")]),
            ValueError,
            "faults: faults.DropControlFrames(kinds=['ping'], direction='both') must read frames, ",
        ),
        (
            lambda: FaultProxy("wss://a", faults=[faults.IdleTimeout(60, reset_by="data")]),
            ValueError,
            "faults: faults.IdleTimeout(seconds=60.0, reset_by='data', ends_with='fin') must read frames, ",
        ),
        (
            lambda: Orchestrator(tls=server_context("a"), faults=[faults.DropControlFrames()]),
            ValueError,
            "faults: faults.DropControlFrames(kinds=['ping', 'pong'], direction='both') must read frames, ",
        ),
    ],
)
def test_wrong_arguments_are_refused(make, error, message):
    """Before anything listens."""
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        make()


async def test_wrong_use_is_refused():
    """No URL before the start, no fault after the end, no second start."""
    proxy = FaultProxy("ws://127.0.0.1:9/")
    with pytest.raises(RuntimeError, match=r"^the proxy has no URL before it is started"):
        proxy.url  # noqa: B018
    with pytest.raises(
        RuntimeError, match=r"^add: <FaultProxy not started -> .* is not running, so nothing "
    ):
        proxy.add(faults.Drop())
    async with proxy:
        with pytest.raises(RuntimeError, match=r"^the proxy is running already$"):
            await proxy.start()
        with pytest.raises(TypeError, match=r"^fault: 'drop' is no fault"):
            proxy.add("drop")
        with pytest.raises(ValueError, match=r"^at: -1 is negative"):
            proxy.add(faults.Drop(), at=-1)
        with pytest.raises(
            ValueError, match=r"^faults: faults.Restart\(down_for=0.0\) is nothing that a link"
        ):
            proxy.add(faults.Restart())
    with pytest.raises(RuntimeError, match="is not running"):
        proxy.add(faults.Drop())
    await proxy.close()


async def test_a_port_in_use_is_an_error():
    """It names the address."""
    async with FaultProxy("ws://127.0.0.1:9/") as proxy:
        other = FaultProxy("ws://127.0.0.1:9/", port=proxy.address[1])
        with pytest.raises(OSError, match=r"^\[Errno \d+\] the proxy cannot listen on 127\.0\.0\.1:\d+: "):
            await other.start()

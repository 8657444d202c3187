"""Messages and pings of an open connection, over raw peers and over the reference server."""

import asyncio
import re

import pytest

from pytest_wsstability import ConnectionEnded, Direction, faults
from pytest_wsstability.core.timeline.close import CloseFrame
from pytest_wsstability.core.timeline.events import Opcode
from tests.net.peers import (
    BINARY,
    CONT,
    PING,
    PONG,
    TEXT,
    accepting,
    connected,
    frame,
    opened,
    served,
    serving,
    silent,
    talking,
    until,
)

pytestmark = pytest.mark.ws_stability

EURO = "€uro".encode()


@pytest.mark.parametrize(
    "message",
    ["hello", "", "€ and 𝄞", "x" * 125, "x" * 126, "x" * 65_536, b"\x00\xff", b"", b"x" * 70_000],
    ids=lambda message: f"{type(message).__name__} of {len(message)}",
)
async def test_a_message_comes_back_from_an_echo(message):
    """Text stays text, bytes stay bytes, whatever form their length has on the wire."""
    async with connected({"echo": True}) as (connection, _):
        await connection.send(message)

        assert await connection.recv() == message


async def test_buffers_are_sent_as_binary():
    """A bytearray and a memoryview are bytes, and not lists of fragments."""
    async with connected({"echo": True}) as (connection, _):
        for buffer in (bytearray(b"one"), memoryview(b"two")):
            await connection.send(buffer)

        assert [await connection.recv(), await connection.recv()] == [b"one", b"two"]
        assert connection.timeline.count(Direction.SENT, Opcode.BINARY) == 2


async def test_messages_keep_their_order():
    """First sent, first received."""
    async with connected({"echo": True}) as (connection, _):
        for number in range(100):
            await connection.send(str(number))

        assert [await connection.recv() for _ in range(100)] == [str(number) for number in range(100)]


async def test_an_iterable_is_sent_in_fragments():
    """RFC 6455, section 5.4: the first frame has the opcode, the last has FIN, and masks are the client's."""
    seen = asyncio.get_running_loop().create_future()

    async def script(peer):
        head = [await peer.reader.readexactly(1)]
        # Lengths below 126, then 4 bytes of mask.
        for _ in range(2):
            size = (await peer.reader.readexactly(1))[0]
            assert size & 0x80
            await peer.reader.readexactly(4 + (size & 0x7F))
            head.append(await peer.reader.readexactly(1))
        seen.set_result(head)
        await peer.gone()

    async with talking(script) as connection:
        await connection.send(["one", "two", "three"])

        assert await seen == [b"\x01", b"\x00", b"\x80"]
        assert connection.timeline.count(Direction.SENT, Opcode.CONT) == 2


@pytest.mark.parametrize("fragments", [["a", "b", "c"], [b"a", b"b"], ["only"], ("€", ""), iter(["x", "y"])])
async def test_fragments_come_back_as_one_message(fragments):
    """The receiver's `recv` knows no fragments."""
    fragments = list(fragments)
    async with connected({"echo": True}) as (connection, _):
        await connection.send(iter(fragments))

        assert await connection.recv() == type(fragments[0])().join(fragments)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
async def test_buffers_of_an_async_iterable_are_fragments(kind):
    """As those of a list are; the last one is empty, whatever they are."""

    async def parts():
        yield kind(b"ab")
        yield kind(b"cd")

    async with connected({"echo": True}) as (connection, _):
        await connection.send(parts())

        assert await connection.recv() == b"abcd"


@pytest.mark.ws_stability(time="virtual")
async def test_a_heartbeat_waits_for_the_end_of_a_message_in_fragments():
    """RFC 6455, section 5.4: no other message in between; pings and pongs may be."""
    async with connected({"echo": True, "ping_interval": "10s"}, heartbeat="25s") as (connection, _):
        await asyncio.sleep(20)
        connection.websocket.send_message("first ", fin=False)
        await asyncio.sleep(40)
        assert connection.timeline.heartbeats.sent == 0
        with pytest.raises(RuntimeError, match=r"^send\(\) is in the middle of a message in fragments"):
            await connection.send("between")
        connection.websocket.send_fragment("last", fin=True)

        assert await connection.recv() == "first last"
        await connection.ping()
        assert connection.timeline.heartbeats.sent == connection.timeline.heartbeats.answered == 2
        await connection.assert_alive_for("2m")


async def test_a_message_that_is_given_up_in_the_middle_fails_the_connection():
    """Cut short, it would look whole to the peer; left open, nothing else could be sent for ever."""

    async def script(peer):
        peer.pause()
        await reading.wait()
        peer.writer.transport.resume_reading()
        await peer.gone()

    reading = asyncio.Event()
    async with talking(script) as connection:
        sending = asyncio.create_task(connection.send([b"x" * 2**24] * 4))
        await until(lambda: connection.timeline.count(Direction.SENT) > 0)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        with pytest.raises(ConnectionEnded, match="a message in fragments was not finished"):
            await connection.send("more")

        reading.set()
        await connection.wait_closed()
        assert connection.timeline.close.sent == CloseFrame(1011, "a message in fragments was not finished")
        assert connection.timeline.close.abnormal


async def test_a_fragment_that_cannot_be_sent_fails_the_connection_too():
    """Whatever the reason."""
    async with connected({"echo": True}) as (connection, server):
        with pytest.raises(TypeError):
            await connection.send(["one", None])

        await connection.wait_closed()
        session = server.sessions[0]
        await session.connection.wait_closed()
        assert session.timeline.close.received.code == 1011


@pytest.mark.parametrize(("within", "ends"), [("9s", False), ("11s", True), (None, True)])
async def test_an_end_is_waited_for_so_long(within, ends):
    """A server that should end who is idle, and does not (bun 5905), is found in time."""
    async with connected({"faults": [("10s", faults.CloseWith(1001))]}) as (connection, _):
        if ends:
            await connection.wait_closed(within=within)
            connection.assert_closed(by="server")
            return
        with pytest.raises(
            TimeoutError, match=r"^wait_closed: no end within 9 s; the connection is open at 9(\.\d+)? s,"
        ):
            await connection.wait_closed(within=within)
        assert connection.timeline.close is None


async def test_a_message_refused_before_it_began_fails_nothing():
    """Another task is in the middle of one; it goes on."""
    async with connected({"echo": True}) as (connection, _):
        connection.websocket.send_message("first ", fin=False)
        with pytest.raises(RuntimeError, match=r"in the middle of a message"):
            await connection.send(["not", "now"])
        connection.websocket.send_fragment("last", fin=True)

        assert await connection.recv() == "first last"


async def test_no_fragment_at_all_is_refused():
    """An empty iterable is no message."""
    async with talking(silent) as connection:
        with pytest.raises(ValueError, match=r"^send: no fragment to send$"):
            await connection.send([])


@pytest.mark.parametrize("cut", range(1, len(EURO)))
async def test_a_character_may_be_split_between_fragments(cut):
    """RFC 6455, section 5.6: a fragment of text need not be valid UTF-8, the message must."""

    async def script(peer):
        peer.send(frame(TEXT, EURO[:cut], fin=False), frame(CONT, EURO[cut:]))
        await peer.gone()

    async with talking(script) as connection:
        assert await connection.recv() == "€uro"


async def test_a_ping_may_stand_between_two_fragments():
    """RFC 6455, section 5.4: control frames may be injected; they are answered at once."""
    answered = asyncio.get_running_loop().create_future()

    async def script(peer):
        peer.send(frame(BINARY, b"one", fin=False), frame(PING, b"now?"))
        answered.set_result(await peer.frame())
        peer.send(frame(CONT, b"", fin=False), frame(CONT, b"two"))
        await peer.gone()

    async with talking(script) as connection:
        assert await connection.recv() == b"onetwo"
        assert await answered == (PONG, b"now?")


async def test_frames_cut_anywhere_come_whole():
    """TCP knows no frames."""

    async def script(peer):
        for byte in frame(TEXT, b"hello") + frame(BINARY, b"x" * 200):
            peer.send(bytes([byte]))
            await asyncio.sleep(0)
        await peer.gone()

    async with talking(script) as connection:
        assert [await connection.recv(), await connection.recv()] == ["hello", b"x" * 200]


async def test_frames_that_come_with_the_handshake_are_not_lost():
    """A server may speak in the same segment in which it accepts the upgrade."""

    async def script(peer):
        peer.send(accepting(await peer.request()), frame(TEXT, b"first"))
        await peer.gone()

    async with serving(script) as url, opened(url, profile="frames") as connection:
        assert await connection.recv() == "first"


@pytest.mark.ws_stability(time="virtual")
async def test_ping_gives_the_round_trip_time():
    """The pong with the same payload ends it; another one does not."""

    async def script(peer):
        opcode, payload = await peer.frame()
        assert (opcode, len(payload)) == (PING, 8)
        peer.send(frame(PONG, b"another"))
        await asyncio.sleep(0.25)
        peer.send(frame(PONG, payload))
        await peer.gone()

    async with talking(script) as connection:
        assert await connection.ping() == 0.25
        assert connection.timeline.pings.rtts.count == 1


async def test_two_pings_at_once_find_their_own_pongs():
    """A payload of one's own; answered in the other order."""

    async def script(peer):
        asked = [(await peer.frame())[1] for _ in range(2)]
        for payload in reversed(asked):
            peer.send(frame(PONG, payload))
        await peer.gone()

    async with talking(script) as connection:
        times = await asyncio.gather(connection.ping(b"one"), connection.ping(b"two"))

        assert len(times) == 2
        assert connection.timeline.pings.answered == 2


async def test_a_ping_that_the_end_overtakes_raises():
    """Nobody waits for the pong of a connection that is gone."""

    async def script(peer):
        await peer.frame()

    async with talking(script) as connection:
        with pytest.raises(ConnectionEnded, match=r"^the connection ended: 1006 at "):
            await connection.ping()


async def test_a_pong_nobody_asked_for():
    """RFC 6455, section 5.5.3: a one-way keepalive."""
    seen = asyncio.get_running_loop().create_future()

    async def script(peer):
        seen.set_result(await peer.frame())
        await peer.gone()

    async with talking(script) as connection:
        await connection.pong(b"alive")

        assert await seen == (PONG, b"alive")
        assert connection.timeline.count(Direction.SENT, Opcode.PONG) == 1


async def test_two_pings_at_once_may_have_the_same_payload():
    """One pong answers both (RFC 6455, section 5.5.3), and nobody waits for ever."""
    async with connected({"echo": True}) as (connection, _):
        times = await asyncio.gather(connection.ping(b"same"), connection.ping(b"same"))

        assert len(times) == 2


@pytest.mark.parametrize("what", ["ping", "pong"])
async def test_what_a_control_frame_cannot_carry_is_refused(what):
    """RFC 6455, section 5.5: 125 bytes at most; the connection goes on, and nothing is recorded."""
    async with connected() as (connection, _):
        before = connection.timeline.total
        with pytest.raises(ValueError, match=rf"^{what}: 126 bytes .* at most 125"):
            await getattr(connection, what)(b"x" * 126)

        assert connection.timeline.total == before
        await connection.ping(b"x" * 125)


@pytest.mark.parametrize("what", ["ping", "pong"])
@pytest.mark.parametrize("payload", ["text", 5, [1]])
async def test_a_control_frame_carries_bytes(what, payload):
    """Nothing else is recorded as if it had gone out."""
    async with connected() as (connection, _):
        before = connection.timeline.total
        words = f"^{what}: {re.escape(repr(payload))} is no payload; give at most 125 bytes "
        with pytest.raises(TypeError, match=words):
            await getattr(connection, what)(payload)

        assert (connection.timeline.total, connection.timeline.pings.sent) == (before, 0)


async def test_the_payload_of_a_ping_may_be_a_buffer():
    """Its pong is found all the same."""
    async with connected() as (connection, _):
        assert await connection.ping(bytearray(b"abc")) >= 0
        assert await connection.ping(memoryview(b"abc")) >= 0


async def test_recv_in_two_tasks_is_refused():
    """Who would get the message? The first one keeps its place."""
    async with connected({"echo": True}) as (connection, _):
        first = asyncio.create_task(connection.recv())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match=r"^recv\(\) is already waiting in another task$"):
            await connection.recv()
        await connection.send("for the first")

        assert await first == "for the first"


async def test_a_cancelled_recv_loses_no_message():
    """The next one gets it."""
    async with connected({"echo": True}) as (connection, _):
        waiting = asyncio.create_task(connection.recv())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await connection.send("still here")

        assert await connection.recv() == "still here"


async def test_the_subprotocol_is_what_the_server_chose():
    """Of those that the client offers, by the server's preference."""
    async with connected({"subprotocols": ["v2", "v1"]}, subprotocols=["v1", "v2"]) as (connection, _):
        assert connection.subprotocol in ("v1", "v2")
    async with connected(subprotocols=["v1"]) as (connection, _):
        assert connection.subprotocol is None


async def test_response_headers_are_kept():
    """Those of the server's handshake response, with repeated names."""
    fields = [("X-Server", "eu-1"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    async with connected({"headers": fields}) as (connection, _):
        assert [pair for pair in connection.response_headers if pair in fields] == fields
        assert not any(name == "Sec-WebSocket-Accept" for name, _ in connection.response_headers)


async def lines_of_request(**options):
    """Of the one that such a client opens with."""
    requests = []

    async def script(peer):
        requests.append((await peer.upgrade()).decode())
        await peer.gone()

    async with serving(script) as url, opened(url, **options):
        return requests[0].split("\r\n")


async def test_headers_and_origin_reach_the_server():
    """Ours stand beside those of the handshake; a User-Agent of one's own replaces ours."""
    lines = await lines_of_request(
        headers={"Authorization": "Bearer abc", "User-Agent": "mine/1"}, origin="https://example.org"
    )

    assert {"Authorization: Bearer abc", "Origin: https://example.org", "User-Agent: mine/1"} <= set(lines)
    assert sum(line.lower().startswith("user-agent:") for line in lines) == 1


async def test_a_field_of_ones_own_stands_in_place_of_that_of_the_handshake():
    """A virtual host by its address: RFC 9112, section 3.2, has a request with two of them refused."""
    lines = await lines_of_request(
        headers=[("host", "staging.example"), ("Cookie", "a=1"), ("Cookie", "b=2")]
    )

    assert [line for line in lines if line.lower().startswith("host:")] == ["host: staging.example"]
    assert [line for line in lines if line.startswith("Cookie:")] == ["Cookie: a=1", "Cookie: b=2"]


async def test_a_list_of_ones_own_stands_beside_that_of_the_handshake():
    """A token that travels as a subprotocol is no reason not to offer the one that is spoken."""
    fields = {"Sec-WebSocket-Protocol": "access_token", "Connection": "keep-alive"}
    lines = await lines_of_request(headers=fields, subprotocols=["v1"])

    for name, values in (
        ("Sec-WebSocket-Protocol", ["v1", "access_token"]),
        ("Connection", ["Upgrade", "keep-alive"]),
    ):
        assert [line.split(": ")[1] for line in lines if line.startswith(f"{name}:")] == values


OF_A_BROWSER = {
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Protocol": "chat, superchat",
}


@pytest.mark.parametrize("chosen", ["chat", "superchat"])
async def test_what_a_field_of_ones_own_offers_may_be_chosen(chosen):
    """As the fields of a browser's request, which somebody has copied."""

    async def script(peer):
        await peer.upgrade(
            f"Sec-WebSocket-Protocol: {chosen}", "Sec-WebSocket-Extensions: permessage-deflate"
        )
        await peer.gone()

    async with serving(script) as url, opened(url, headers=OF_A_BROWSER) as connection:
        assert connection.subprotocol == chosen


async def test_compression_is_offered_when_asked_for():
    """permessage-deflate (RFC 7692) shrinks what goes over the wire; the timeline counts the payload."""
    text = "again and again " * 1000
    async with connected({"echo": True, "compression": True}, compression=True) as (connection, _):
        await connection.send(text)

        assert await connection.recv() == text
        assert any(name == "Sec-WebSocket-Extensions" for name, _ in connection.response_headers)
        assert connection.timeline.bytes(Direction.RECEIVED, Opcode.TEXT) >= len(text)


async def test_no_compression_unless_asked_for():
    """Neither end offers it by default."""
    async with connected({"compression": True}) as (connection, _):
        assert not any(name == "Sec-WebSocket-Extensions" for name, _ in connection.response_headers)


async def test_a_handler_talks_through_the_same_class():
    """The server's end has `recv`, `send`, `ping`, iteration and a timeline of its own."""

    async def handler(connection):
        await connection.ping()
        async for message in connection:
            await connection.send(f"{connection.timeline.end.value} got {message}")

    async with served({"handler": handler}) as (connection, _):
        await connection.send("one")

        assert await connection.recv() == "server got one"

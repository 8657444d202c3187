"""Clients of the reference server that speak no WebSocket, or speak it badly."""

import asyncio

import pytest

from pytest_wsstability import Orchestrator
from tests.net.peers import CLOSE, PING, TEXT, frame, opened

pytestmark = pytest.mark.ws_stability

UPGRADE = (
    "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: {}\r\n\r\n"
)


async def ask(orchestrator, *chunks):
    """What the server says, until it closes; after the first answer it is told the next chunk."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port_of(orchestrator))
    answer = b""
    try:
        for chunk in chunks[:-1]:
            writer.write(chunk)
            answer += await reader.readuntil(b"\r\n\r\n")
        writer.write(chunks[-1])
        return answer + await reader.read()
    except ConnectionError:
        return answer
    finally:
        writer.close()


def port_of(orchestrator):
    return int(orchestrator.url.rstrip("/").rpartition(":")[2])


async def test_a_plain_request_is_told_what_this_is():
    """A browser's address bar, or a health check."""
    async with Orchestrator() as orchestrator:
        answer = await ask(orchestrator, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

        assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
        assert orchestrator.sessions == []


@pytest.mark.parametrize(
    "request_",
    [
        UPGRADE.format(8).encode(),
        UPGRADE.format(13).replace("Sec-WebSocket-Key", "X").encode(),
        UPGRADE.format(13).replace("dGhl", "d").encode(),
        UPGRADE.format(13).replace("GET", "POST").encode(),
    ],
    ids=["version 8", "no key", "a short key", "POST"],
)
async def test_a_wrong_upgrade_is_refused(request_):
    """RFC 6455, section 4.2.1."""
    async with Orchestrator() as orchestrator:
        answer = await ask(orchestrator, request_)

        assert not answer.startswith(b"HTTP/1.1 101")
        assert orchestrator.sessions == []


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00" * 20, b"hello\r\n\r\n", b"\r\n\r\n", b"\xff" * 20_000]
)
async def test_garbage_is_sent_away(garbage):
    """And the server goes on."""
    async with Orchestrator() as orchestrator:
        await ask(orchestrator, garbage)

        assert orchestrator.sessions == []
        async with opened(orchestrator.url) as connection:
            await connection.assert_session_confirmed(within="5s")


async def test_a_client_that_goes_before_it_asks_is_forgotten():
    """A port scan."""
    async with Orchestrator() as orchestrator:
        port = port_of(orchestrator)
        for _ in range(20):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
        async with opened(orchestrator.url) as connection:
            await connection.assert_session_confirmed(within="5s")

        assert len(orchestrator.sessions) == 1


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("said", [b"", b"GET / HT", UPGRADE.format(13).encode()[:-2]])
async def test_a_client_that_never_asks_has_ten_seconds(said):
    """Slow loris: half a request is none."""
    async with Orchestrator() as orchestrator:
        assert await ask(orchestrator, said) == b""

        assert asyncio.get_running_loop().time() == 10.0
        assert orchestrator.sessions == []


@pytest.mark.ws_stability(time="virtual")
async def test_a_request_may_come_byte_by_byte():
    """Within those ten seconds."""
    async with Orchestrator(greet=False) as orchestrator:
        port = port_of(orchestrator)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in UPGRADE.format(13).encode():
            writer.write(bytes([byte]))
            await asyncio.sleep(0.01)

        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        writer.close()


# Bytes after the upgrade, and the close code that the server then sends.
BROKEN = {
    "an unmasked frame": (frame(TEXT, b"x"), 1002),
    "a reserved opcode": (frame(0x3, b"x", masked=True), 1002),
    "a ping in fragments": (frame(PING, b"x", fin=False, masked=True), 1002),
    "a close frame of one byte": (frame(CLOSE, b"\x03", masked=True), 1002),
    "text that is not UTF-8": (frame(TEXT, b"\xff", masked=True), 1007),
    "a message of 100 MB": (b"\x82\xff" + (100_000_000).to_bytes(8, "big"), 1009),
}


@pytest.mark.parametrize("case", BROKEN)
async def test_a_client_that_breaks_the_protocol_is_sent_away(case):
    """With the code of RFC 6455, and evidence at the server's end."""
    chunk, code = BROKEN[case]
    async with Orchestrator(greet=False) as orchestrator:
        answer = await ask(orchestrator, UPGRADE.format(13).encode(), chunk)

        _, _, frames = answer.partition(b"\r\n\r\n")
        assert (frames[0], frames[2:4]) == (0x80 | CLOSE, code.to_bytes(2, "big"))
        (session,) = orchestrator.sessions
        await session.connection.wait_closed()
        assert session.timeline.close.sent.code == code
        assert session.timeline.close.parser_error
        assert session.timeline.close.by.value == "server"


@pytest.mark.parametrize("case", BROKEN)
async def test_an_impatient_client_breaks_nothing_but_its_own_connection(case, caplog):
    """RFC 6455, section 4.1: a client waits for the answer to its request."""
    chunk, _ = BROKEN[case]
    async with Orchestrator(greet=False) as orchestrator:
        await ask(orchestrator, UPGRADE.format(13).encode() + chunk)
        async with opened(orchestrator.url, session_id="abc"):
            pass
    assert caplog.records == []


async def test_an_impatient_close_ends_the_connection(caplog):
    """Asked for and given up in one segment."""
    async with Orchestrator() as orchestrator:
        answer = await ask(orchestrator, UPGRADE.format(13).encode() + frame(CLOSE, masked=True))

        assert answer.startswith(b"HTTP/1.1 101")
        assert answer.endswith(bytes((0x80 | CLOSE, 0)))
        (session,) = orchestrator.sessions
        assert (session.id, session.timeline.close.code, session.timeline.close.abnormal) == (
            None,
            1005,
            False,
        )
    assert caplog.records == []


@pytest.mark.ws_stability(time="virtual")
async def test_an_impatient_message_is_taken():
    """Nothing is lost of a client that does not wait."""

    async def handler(connection):
        await connection.send(await connection.recv())

    async with Orchestrator(greet=False, handler=handler) as orchestrator:
        answer = await ask(orchestrator, UPGRADE.format(13).encode() + frame(TEXT, b"early", masked=True))

        assert frame(TEXT, b"early") in answer


@pytest.mark.parametrize("body", [b"a=1&b=2", b"GET /favicon.ico HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_request_with_something_behind_it_is_answered(body, caplog):
    """A body, or the next request of a pipeline."""
    async with Orchestrator() as orchestrator:
        answer = await ask(orchestrator, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + body)

        assert answer.startswith(b"HTTP/1.1 426 Upgrade Required\r\n")
    assert caplog.records == []

"""
Text in a stream that is a WebSocket already.

After a report about http-proxy-middleware (226).

"""

import asyncio
import contextlib

import pytest

from pytest_wsstability import Cause, Confidence
from tests.incidents.ended import ASKING, cause
from tests.incidents.ended import serving as other_serving
from tests.net.peers import TEXT, frame, serving

pytestmark = pytest.mark.ws_stability(time="virtual", profile=ASKING)

TIMEOUT = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
SHORT, LONG = TIMEOUT % (1, b"x"), TIMEOUT % (506, b"<html>" + b"x" * 500)


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (SHORT, "HTTP/1.1 408 Request Timeout"),
        (LONG, "HTTP/1.1 408 Request Timeout"),
        (b"HTTP/1.0 502 Bad Gateway\r\n\r\n", "HTTP/1.0 502 Bad Gateway"),
        # No HTTP: what a process prints, and the banner of another protocol.
        (b"panic: runtime error: index out of range\n", "panic: runtime error: index out of range"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "SSH-2.0-OpenSSH_9.2"),
    ],
)
async def test_text_in_the_place_of_a_frame(ws_connect, written, line):
    """It is quoted, and compression has no part in it."""

    async def server(peer):
        await peer.upgrade()
        await asyncio.sleep(60)
        peer.send(written)
        await asyncio.sleep(0.5)
        with contextlib.suppress(OSError):
            peer.writer.close()

    async with serving(server) as url:
        found = await cause(await ws_connect(url, inbox=0), alive_for="5m")

    assert (found.cause, found.confidence) == (Cause.NO_FRAMES, Confidence.HIGH), found
    assert line in found.sentence
    assert "compression" not in f"{found.sentence} {found.remedy}"


@pytest.mark.parametrize(
    "written", [SHORT, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n"]
)
async def test_text_on_a_connection_that_stays_open(ws_connect, written):
    """Its first bytes look like the head of a frame, for whose rest the client waits."""

    async def server(peer):
        await peer.upgrade()
        await asyncio.sleep(42)
        peer.send(written)
        await asyncio.sleep(1000)

    async with serving(server) as url:
        connection = await ws_connect(url, inbox=0, heartbeat="50s")
        found = await cause(connection, alive_for="3m", heartbeat_within="8s")

    assert (found.cause, found.confidence) == (Cause.NO_FRAMES, Confidence.HIGH), found
    assert written.partition(b"\r")[0].decode() in found.sentence
    assert any("in place of a frame" in str(each) and each.at == 42 for each in found.evidence)


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_half_a_message_that_was_cut_is_no_text_in_the_place_of_a_frame(ws_connect, compression):
    """Whether compression was agreed on or not, where the message is not compressed."""

    async def handler(ws):
        await asyncio.sleep(42)
        ws.transport.write(frame(TEXT, b"my words " * 5_000)[:30_000])
        ws.transport.abort()

    async with other_serving(handler, compression=compression) as url:
        found = await cause(await ws_connect(url, inbox=0, compression=compression), alive_for="3m")

    assert found.cause is Cause.MID_FRAME, found
    assert "my words" not in found.sentence


@pytest.mark.parametrize(
    ("written", "confidence"),
    [
        (b"<html><body>502 Bad Gateway</body></html>", Confidence.MEDIUM),
        (b"read ECONNRESET", Confidence.MEDIUM),
        (b"<br />\n<b>Warning</b>: fread()\n", Confidence.HIGH),
    ],
)
async def test_text_that_frames_follow(ws_connect, written, confidence):
    """The server goes on behind it: it answers the close frame of who could not read the text."""

    async def handler(ws):
        await asyncio.sleep(61)
        ws.transport.write(written)
        await ws.wait_closed()

    async with other_serving(handler) as url:
        found = await cause(await ws_connect(url, inbox=0), alive_for="3m")

    assert (found.cause, found.confidence) == (Cause.NO_FRAMES, confidence), found
    assert written.partition(b"\n")[0].decode() in found.sentence
    assert "compression" not in found.remedy

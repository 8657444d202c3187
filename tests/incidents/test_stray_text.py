"""
Text in a stream that is a WebSocket already.

After a report about http-proxy-middleware (226).

"""

import asyncio
import contextlib

import pytest

from pytest_wsstability import Cause, Confidence
from tests.incidents.ended import ASKING, cause
from tests.net.peers import serving

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

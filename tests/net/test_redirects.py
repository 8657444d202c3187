"""A redirect is shown, and followed where that is asked for (RFC 6455, section 4.1)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from pytest_wsstability import OpeningError, Orchestrator, connect

pytestmark = pytest.mark.ws_stability


@asynccontextmanager
async def redirecting(location, status="302 Found"):
    """A server that sends everybody elsewhere, and keeps the requests."""
    requests = []

    async def answer(reader, writer):
        requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/old?token=secret", requests


async def test_a_redirect_is_shown_and_not_followed():
    """Browsers do not follow them either; secrets of the address are masked."""
    async with redirecting("wss://elsewhere.example/new?token=secret") as (url, _):
        with pytest.raises(OpeningError) as caught:
            await connect(url)

    assert caught.value.status == 302
    assert "HTTP 302 Found: it leads to wss://elsewhere.example/new?token=" in str(caught.value)
    assert "and is not followed (--ws-redirects)" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_redirect_is_followed_as_often_as_asked(scheme):
    """http:// of a web framework means ws://."""
    async with Orchestrator() as server:
        there = server.url.replace("ws:", f"{scheme}:")
        async with redirecting(there) as (url, _), redirecting(url) as (first, _):
            connection = await connect(first, redirects=2)
            await connection.assert_session_confirmed(within=5)
            await connection.close()
            with pytest.raises(OpeningError, match="it leads to "):
                await connect(first, redirects=1)


async def test_a_relative_redirect_stays_on_its_server():
    """And is asked with the same fields."""
    async with redirecting("/new") as (url, requests):
        with pytest.raises(OpeningError):
            await connect(url, redirects=1, headers={"X-Token": "1"})

    assert [request.splitlines()[0] for request in requests] == [
        "GET /old?token=secret HTTP/1.1", "GET /new HTTP/1.1"
    ]  # fmt: skip
    assert all("X-Token: 1" in request for request in requests)


async def test_redirects_in_a_circle_have_an_end():
    """As many as asked for, and that is said."""
    async with redirecting("/old") as (url, requests):
        with pytest.raises(OpeningError, match=r"is not followed \(--ws-redirects 4: so many at most"):
            await connect(url, redirects=4)

    assert len(requests) == 5


async def test_another_host_gets_no_credentials():
    """Fields are for the host that they were given for."""
    async with redirecting("/end") as (end, requests):
        other = end.replace("127.0.0.1", "localhost")
        async with redirecting(other) as (url, _):
            with pytest.raises(OpeningError):
                await connect(url, redirects=1, headers={"Authorization": "Bearer 1"})

    assert len(requests) == 1
    assert "Authorization" not in requests[0]


@pytest.mark.parametrize("location", ["ftp://a.example/", "http://", "javascript:alert(1)"])
async def test_a_redirect_to_what_is_no_websocket_is_shown(location):
    """Not followed, though asked for."""
    async with redirecting(location) as (url, _):
        with pytest.raises(OpeningError, match="HTTP 302 Found: it leads to") as caught:
            await connect(url, redirects=3)

    assert str(caught.value).endswith(
        "is not followed (--ws-redirects 3: so many at most, to ws:// and wss://, and none from wss:// to ws://)"
    )

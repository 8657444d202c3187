"""What the orchestrator answers to a browser that only looks."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import Orchestrator, connect, run_virtual

PAGE = "<!doctype html><title>é</title>"


async def get(orchestrator: Orchestrator, target: str, *fields: str) -> tuple[str, str]:
    """The head and the body of the answer to a request."""
    host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *fields, "", ""]).encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    return head, body


@pytest.mark.parametrize("target", ["/", "/?from=phone"])
def test_the_page(target):
    """A plain request for the root gets the page, as HTML, whole."""

    async def script():
        async with Orchestrator(page=PAGE) as orchestrator:
            return await get(orchestrator, target)

    head, body = run_virtual(script())

    assert head.startswith("HTTP/1.1 200 OK\r\n")
    assert "Content-Type: text/html; charset=utf-8" in head
    assert f"Content-Length: {len(PAGE.encode())}" in head
    assert body == PAGE


@pytest.mark.parametrize(("page", "target"), [(None, "/"), (PAGE, "/favicon.ico"), (PAGE, "//")])
def test_no_page(page, target):
    """Elsewhere, and without a page, a plain request is told to upgrade."""

    async def script():
        async with Orchestrator(page=page) as orchestrator:
            return await get(orchestrator, target)

    head, body = run_virtual(script())

    assert head.startswith("HTTP/1.1 426 Upgrade Required\r\n")
    assert PAGE not in body


def test_an_upgrade_is_no_request_for_a_page():
    """The same address carries WebSocket connections."""

    async def script():
        async with Orchestrator(page=PAGE) as orchestrator:
            connection = await connect(orchestrator.url)
            await connection.assert_session_confirmed(within="1s")
            await connection.close()

    run_virtual(script())

"""`connect(transcript=True)`."""

from __future__ import annotations

import pytest

from pytest_wsstability import Orchestrator, connect

pytestmark = pytest.mark.ws_stability


async def test_what_is_said_is_taken_down_from_the_greeting_on():
    """Both directions, the protocol's own messages too."""
    async with Orchestrator(echo=True) as server:
        connection = await connect(server.url, transcript=True)
        await connection.assert_session_confirmed(within=5)
        await connection.send("hello")
        await connection.send(b"\x01")
        assert await connection.recv() == "hello"
        assert await connection.recv() == b"\x01"
        await connection.close()
    said = [(each.sent, each.payload) for each in connection.transcript]

    assert said[0][0] is False
    assert "connection_established" in said[0][1]
    assert said[-4:] == [(True, "hello"), (True, b"\x01"), (False, "hello"), (False, b"\x01")]


async def test_a_message_in_fragments_is_taken_down_whole():
    """And not as its first fragment."""

    async def parts():
        yield b"\x01"
        yield b"\x02"

    async with Orchestrator(profile="frames", echo=True) as server:
        connection = await connect(server.url, transcript=True, profile="frames")
        await connection.send(["Hello, ", "world"])
        await connection.recv()
        await connection.send(parts())
        await connection.recv()
        await connection.close()

    assert [(each.sent, each.payload) for each in connection.transcript] == [
        (True, "Hello, world"), (False, "Hello, world"), (True, b"\x01\x02"), (False, b"\x01\x02"),
    ]  # fmt: skip


async def test_nobody_takes_anything_down_unless_asked():
    """Secrets and voices stay where they are."""
    async with Orchestrator(echo=True) as server:
        connection = await connect(server.url)
        await connection.send("hello")
        await connection.close()

    assert connection.transcript == ()


async def test_a_reconnect_has_a_transcript_of_its_own():
    """Asked for once, kept for each connection of the client."""
    async with Orchestrator() as server:
        connection = await connect(server.url, transcript=True)
        await connection.assert_session_confirmed(within=5)
        await connection.close()
        again = await connection.reconnect()
        await again.assert_session_confirmed(within=5)
        await again.close()

    assert len(again.transcript) == len(connection.transcript) == 3

"""The last message of the peer: kept if it is a short text, told if it says why nothing comes behind it."""

import asyncio

import pytest

from pytest_wsstability import Confidence, End, Orchestrator, connect, diagnose
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.net.peers import BINARY, TEXT, close, frame, talking

pytestmark = pytest.mark.ws_stability

WHY = "session expired, please log in again"


async def ending(*said, opcode=TEXT):
    """The record of a connection whose peer says something, and closes."""

    async def script(peer):
        await asyncio.sleep(10)
        peer.send(*(frame(opcode, each.encode()) for each in said), close(1000))

    async with talking(script) as connection:
        await connection.wait_closed()
        return connection.timeline


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (["hello"], False),
        (["hello", WHY], True),
        # Only the last message is meant.
        ([WHY, "hello"], False),
        ([WHY.ljust(500)], True),
        ([WHY.ljust(501)], False),
        ([], False),
    ],
)
async def test_it_is_the_last_message_and_short(said, kept):
    """What is long is content."""
    assert ((await ending(*said)).messages.last_words is not None) is kept


async def test_bytes_are_no_words():
    """A binary message says nothing that can be read."""
    assert (await ending(WHY, opcode=BINARY)).messages.last_words is None


async def test_the_clients_last_words_are_kept_by_the_server():
    """Either end keeps what the other has said."""
    async with Orchestrator() as orchestrator:
        connection = await connect(orchestrator.url)
        session = await orchestrator.wait_for_session()
        await connection.send('{"type": "leave", "reason": "logged in from another device"}')
        await connection.close(4001)
        await session.connection.wait_closed()
        line = session.timeline

    assert line.end is End.SERVER
    assert "another device" in line.messages.last_words
    assert diagnose(line).confidence is Confidence.MEDIUM


async def test_a_report_has_them_without_secrets_and_no_other_text():
    """The peer chose the text. A report from before has none."""
    written = (await ending("session expired: Bearer abcdef0123456789")).as_dict()
    other = (await ending("my address is 12 Main Street")).as_dict()

    assert written["messages"]["last_words"] == "session expired: Bearer ***"
    assert Timeline.from_dict(written).messages.last_words == "session expired: Bearer ***"
    assert other["messages"]["last_words"] is None
    assert "Main Street" not in str(other)
    del written["messages"]["last_words"]
    assert Timeline.from_dict(written).messages.last_words is None

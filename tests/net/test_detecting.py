"""Which protocol a server speaks."""

from __future__ import annotations

import asyncio
import re

import pytest

from pytest_wsstability import Orchestrator
from pytest_wsstability.net.detecting import OFFERED, detect
from tests.net.peers import CLOSE, TEXT, accepting, frame, serving

pytestmark = pytest.mark.ws_stability(time="virtual")


@pytest.mark.parametrize(
    ("name", "path", "found"),
    [
        # By what it says.
        ("json", "", "json"),
        ("socketio", "socket.io/", "socketio"),
        ("socketio", "elsewhere", "socketio"),
        ("engineio", "", "socketio"),
        ("openai-realtime", "v1/realtime", "openai-realtime"),
        ("deepgram-agent", "", "deepgram-agent"),
        # By the subprotocol that it chooses.
        ("graphql-transport-ws", "ws", "graphql-transport-ws"),
        ("stomp", "", "stomp"),
        ("mqtt", "", "mqtt"),
        ("ocpp2.0.1", "CP_1", "ocpp2.0.1"),
        # By its path alone.
        ("frames", "signalr", "signalr"),
    ],
)
async def test_a_server_is_recognised(name, path, found):
    """Without a profile."""
    async with Orchestrator(profile=name) as orchestrator:
        assert (await detect(f"{orchestrator.url}{path}")).profile == found


@pytest.mark.parametrize(
    ("messages", "said"), [([], "nothing"), (["hello"], "1 messages"), (["a", "b", "c", "d"], "3 messages")]
)
async def test_a_server_that_nobody_knows_is_told(messages, said):
    """And what was looked at."""

    async def script(peer):
        await peer.upgrade()
        for message in messages:
            peer.send(frame(TEXT, message.encode()))
        await asyncio.sleep(100)

    async with serving(script) as url:
        words = (
            f"^profile: 'auto': {said} came in 3 s, no known subprotocol was chosen, and the path names no "
            "protocol; give the profile's name, module:NAME for your own, or frames for ping frames$"
        )
        with pytest.raises(ValueError, match=words):
            await detect(url)


def test_the_names_that_are_offered_fit_the_buffers_of_servers():
    """Of libwebsockets, as mosquitto has it: 126 bytes are taken, 127 are not (measured)."""
    assert len(", ".join(OFFERED)) <= 126


@pytest.mark.parametrize(("chosen", "found"), [(0, None), (1, "graphql-transport-ws")])
async def test_a_server_that_takes_whatever_comes_first_says_nothing_of_itself(chosen, found):
    """As node's ws does: nobody's protocol is offered before all others."""

    async def script(peer):
        request = await peer.request()
        offered = re.search(r"(?i)\r\nsec-websocket-protocol: ([^\r]+)", request.decode())[1].split(", ")
        peer.send(accepting(request, f"Sec-WebSocket-Protocol: {offered[chosen]}"))
        await asyncio.sleep(100)

    async with serving(script) as url:
        if found is None:
            with pytest.raises(ValueError, match="no known subprotocol was chosen"):
                await detect(url)
        else:
            assert (await detect(url)).profile == found


async def test_a_server_that_ends_at_once_is_told():
    """Nothing hangs."""

    async def script(peer):
        await peer.upgrade()
        peer.send(frame(CLOSE, b"\x03\xe8"))
        await asyncio.sleep(100)

    async with serving(script) as url:
        with pytest.raises(ValueError, match=re.escape("profile: 'auto': nothing came in 3 s")):
            await detect(url)

"""Profiles against servers on node that nobody here wrote, in real time with short timers."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

from pytest_wsstability import StabilityError
from pytest_wsstability.core.timeline.protocol_facts import Likeness
from pytest_wsstability.net.detecting import detect
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.profiles.mqtt import mqtt
from tests.serving import opened

HERE = Path(__file__).parent

pytestmark = [
    pytest.mark.servers,
    pytest.mark.ws_stability(time="real"),
    pytest.mark.skipif(shutil.which("node") is None, reason="node is missing"),
    pytest.mark.skipif(
        not (HERE / "node_modules/aedes").exists(), reason="npm packages are missing: tests/real/install.sh"
    ),
]

PATHS = {"socketio": "socket.io/"}
# How often our client sends heartbeats; None: as the server asks.
EVERY = {"socketio": None, "graphql-transport-ws": "200ms", "mqtt": "1s"}


@contextlib.asynccontextmanager
async def serving(name):
    """A server in a process of its own; gives its URL."""
    process = await asyncio.create_subprocess_exec(
        "node", str(HERE / "apps/protocol_servers.mjs"), name, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(90):
            line = await process.stdout.readline()
        ready, port = line.decode().split()
        assert ready == "READY"
        yield f"ws://127.0.0.1:{port}/{PATHS.get(name, '')}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def beaten(client, times):
    """Wait for so many heartbeats that were answered."""
    async with asyncio.timeout(90):
        while client.timeline.heartbeats.answered < times:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("name", EVERY)
async def test_a_server_of_another_maker(name):
    """Confirms the session, has ten heartbeats, and takes a client back."""
    async with serving(name) as url, opened(url, profile=name, heartbeat=EVERY[name]) as client:
        await client.assert_session_confirmed(within="30s")
        await beaten(client, 10)
        assert client.timeline.close is None
        assert not client.timeline.irregular
        await client.close()
        again = await client.reconnect()
        await again.assert_session_confirmed(within="30s")
        await again.close()


@pytest.mark.parametrize(
    ("name", "options", "codes"),
    [
        # Its answer withheld, or nothing said for one and a half keep-alives.
        ("socketio", {"client": "mute"}, (1005, 1000)),
        ("mqtt", {"profile": mqtt(keep_alive=1), "heartbeat": False}, (1006,)),
        # The ping of its server, 12 s and 12 s.
        ("graphql-transport-ws", {"client": "mute"}, (1006,)),
    ],
)
async def test_a_server_ends_a_silent_client(name, options, codes):
    """With the code that the profile's timer has."""
    async with serving(name) as url, opened(url, **{"profile": name, **options}) as client:
        await client.websocket.wait_over(client.timeline.opened + 90)
        timers = find(name).timers

        assert client.timeline.close.code in codes
        ran = [each for each in timers if client.timeline.close.code in (each.code, *each.also)]
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("10m")
        assert any(caught.value.headline.startswith(each.name) for each in ran), caught.value.headline


@pytest.mark.parametrize(
    ("name", "code"), [("socketio", 1005), ("graphql-transport-ws", 4408), ("mqtt", 1006)]
)
async def test_a_server_ends_a_client_that_begins_no_session(name, code):
    """As the profile's timer says."""
    profile = find(name)
    silent = profile.replace(
        name="silent", session_info=None, session_confirmed=None, session_refused=None, agree=None,
        interval=None, timers=(),
    )  # fmt: skip
    async with serving(name) as url, opened(url, profile=silent) as client:
        await client.websocket.wait_over(client.timeline.opened + 90)

        assert client.timeline.close.code == code


async def test_a_lasting_session_of_a_broker_is_there_again():
    """CONNACK says so."""
    lasting = mqtt(clean=False, keep_alive=60)
    async with serving("mqtt") as url, opened(url, profile=lasting, session_id="c1") as first:
        await first.assert_session_confirmed(within="30s")
        # A session without a subscription is none: SUBSCRIBE to "a/b", quality of service 1.
        await first.send(bytes.fromhex("8208000100" + "03612f6201"))
        await first.recv(within="30s")
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed(within="30s")
        await second.close()


async def test_a_session_of_socketio_is_recovered():
    """With its token and the offset of the last event."""
    name = "socketio-recovery"
    async with serving(name) as url, opened(f"{url}socket.io/", profile=name) as first:
        await first.assert_session_confirmed(within="30s")
        await first.recv(within="30s")
        first.websocket.transport.abort()
        await first.wait_closed()
        second = await first.reconnect()
        await second.assert_session_resumed(within="30s")
        await second.close()


async def test_a_session_of_a_broker_that_is_clean_is_another_one():
    """Nothing was kept."""
    lasting = mqtt(clean=False, keep_alive=60)
    async with serving("mqtt") as url, opened(url, profile="mqtt", session_id="c1") as first:
        await first.assert_session_confirmed(within="30s")
        await first.close()
        second = await first.reconnect(profile=lasting)
        with pytest.raises(StabilityError, match="the server did not know the old one"):
            await second.assert_session_resumed(within="30s")
        await second.close()


@pytest.mark.parametrize("name", EVERY)
async def test_what_a_server_speaks_is_found_out(name):
    """By its first message, or the subprotocol that it chooses."""
    async with serving(name) as url:
        found = await detect(url)

        assert isinstance(found, Likeness)
        assert found.profile == name

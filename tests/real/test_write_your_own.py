"""Profiles of docs/write-your-own.md against the software whose protocols they are, in real time."""

from __future__ import annotations

import pytest

from pytest_wsstability import Cause, StabilityError
from tests.real import nodes
from tests.real.seclusion import needs, secluded
from tests.real.test_protocol_servers import serving
from tests.serving import opened
from tests.test_write_your_own_page import steps

pytestmark = [pytest.mark.servers, pytest.mark.ws_stability(time="real")]

PROSODY = """\
run_as_root = true
daemonize = false
pidfile = "{folder}/prosody.pid"
data_path = "{folder}"
log = "*console"
modules_enabled = {{ "websocket", "ping", "saslauth" }}
modules_disabled = {{ "s2s" }}
http_ports = {{ 5280 }}
http_interfaces = {{ "127.0.0.1" }}
https_ports = {{ }}
c2s_ports = {{ }}
s2s_ports = {{ }}
consider_websocket_secure = true
VirtualHost "localhost"
  authentication = "anonymous"
"""
JANUS = """\
general: {{
  interface = "127.0.0.1"
  plugins_folder = "{folder}"
  session_timeout = 3
  reclaim_session_timeout = 30
}}
loggers: {{ disable = "libjanus_jsonlog.so" }}
transports: {{
  disable = "libjanus_rabbitmq.so,libjanus_pfunix.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_http.so"
}}
"""
JANUS_TRANSPORT = """\
general: { ws = true
  ws_port = 8188
  wss = false }
"""
NATS = """\
host: "127.0.0.1"
websocket { host: "127.0.0.1", port: 8080, no_tls: true }
ping_interval: "1s"
ping_max: 1
"""


@pytest.fixture
def janus(tmp_path):
    (tmp_path / "janus.jcfg").write_text(JANUS.format(folder=tmp_path))
    (tmp_path / "janus.transport.websockets.jcfg").write_text(JANUS_TRANSPORT)
    with secluded(["janus", "-F", str(tmp_path)], 8188) as (port,):
        yield f"ws://127.0.0.1:{port}/"


@pytest.fixture
def prosody(tmp_path):
    config = tmp_path / "prosody.cfg.lua"
    config.write_text(PROSODY.format(folder=tmp_path))
    with secluded(["prosody", "-F", "--config", str(config)], 5280) as (port,):
        # It serves this host, and no other name.
        yield f"ws://localhost:{port}/xmpp-websocket"


@pytest.fixture
def nats(tmp_path):
    config = tmp_path / "nats.conf"
    config.write_text(NATS)
    with secluded(["nats-server", "-c", str(config)], 8080) as (port,):
        yield f"ws://127.0.0.1:{port}/"


async def answered(client, times=10):
    """Wait for so many heartbeats of either end that were answered."""
    await nodes.until(lambda: client.timeline.heartbeats.answered >= times)
    assert client.timeline.close is None
    assert not client.timeline.irregular
    assert client.timeline.looks_like is None


class TestJanus:
    """Of Debian, in a namespace of its own."""

    pytestmark = needs("janus")
    profile = steps("Janus")[-1]

    async def test_a_session(self, janus):
        """Confirmed with a number, kept alive, and claimed by a client that comes back."""
        async with opened(janus, profile=self.profile, heartbeat="1s") as first:
            await first.assert_session_confirmed(within="30s")
            await answered(first)
            first.websocket.transport.abort()
            await first.wait_closed()
            again = await first.reconnect()
            await again.assert_session_resumed(within="30s")
            assert again.session_id == first.session_id
            await again.close()

    async def test_a_session_that_times_out(self, janus):
        """Without a keepalive: Janus says so and stays, and nobody can claim it after."""
        async with opened(janus, profile=self.profile, heartbeat=False) as client:
            with pytest.raises(StabilityError, match=r"an error message at .*timeout"):
                await client.assert_stable(alive_for="15s", session_within="10s")
            client.websocket.transport.abort()
            await client.wait_closed()
            again = await client.reconnect()
            with pytest.raises(StabilityError, match="did not know the session any more"):
                await again.assert_session_resumed(within="30s")
            await again.close()


class TestSocketCluster:
    """Of npm."""

    pytestmark = nodes.needs("socketcluster-server")
    profile = steps("SocketCluster")[-1]

    async def test_a_session(self):
        """Named by the server, with its timeout; empty messages are asked and answered."""
        async with (
            serving("socketcluster") as url,
            opened(f"{url}socketcluster/", profile=self.profile) as client,
        ):
            await client.assert_session_confirmed(within="30s")
            await answered(client)
            assert client.timeline.intervals.timeout == 0.9

    async def test_a_client_that_does_not_answer(self):
        """Is closed with 4001, and the cause is its silence."""
        async with (
            serving("socketcluster") as url,
            opened(f"{url}socketcluster/", profile=self.profile, client="mute") as client,
        ):
            await client.websocket.wait_over(client.timeline.opened + 60)
            with pytest.raises(StabilityError) as caught:
                await client.assert_alive_for("2m")
        assert client.timeline.close.code == 4001
        assert caught.value.verdict.diagnosis.cause is Cause.HEARTBEAT_UNANSWERED


class TestProsody:
    """Of Debian."""

    pytestmark = needs("prosody")

    async def test_a_session(self, prosody):
        """Opens, logs in, opens again, binds an address, and ten pings are answered."""
        async with opened(prosody, profile=steps("XMPP over WebSocket")[-1], heartbeat="500ms") as client:
            await client.assert_session_confirmed(within="30s")
            await answered(client)
            assert "@localhost/" in client.session_id


class TestNats:
    """Of Debian."""

    pytestmark = needs("nats-server")
    profile = steps("NATS")[-1]

    async def test_both_ends_ask(self, nats):
        """Ten heartbeats of this end are answered, and those of the server are."""
        async with opened(nats, profile=self.profile, heartbeat="500ms") as client:
            await answered(client)
            assert client.timeline.server_heartbeats.answered >= 1

    async def test_a_client_that_does_not_answer(self, nats):
        """Is told that it is stale, and the connection ends."""
        async with opened(nats, profile=self.profile, client="mute", heartbeat=False) as client:
            await client.websocket.wait_over(client.timeline.opened + 60)
            with pytest.raises(StabilityError, match="Stale Connection"):
                await client.assert_alive_for("2m")

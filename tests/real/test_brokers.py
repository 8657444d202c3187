"""Profiles against brokers of Debian, in real time: mosquitto, and RabbitMQ with web_mqtt and web_stomp."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_wsstability import OpeningError, StabilityError
from pytest_wsstability.core.timeline.protocol_facts import Likeness
from pytest_wsstability.net.detecting import detect
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.profiles.mqtt import V3, V5, mqtt
from pytest_wsstability.profiles.stomp import stomp
from tests.real import nodes
from tests.real.seclusion import needs, secluded
from tests.serving import opened

pytestmark = [pytest.mark.servers, pytest.mark.ws_stability(time="real")]

PAGE = (Path(__file__).parents[2] / "docs/tutorial-protocols.md").read_text()
MOSQUITTO = """\
listener 1883 127.0.0.1
listener 9001 127.0.0.1
protocol websockets
allow_anonymous true
persistence false
user root
"""
GUEST = {"login": "guest", "passcode": "guest"}
# Each broker with its profiles, and how often our client sends heartbeats.
SPOKEN = [
    pytest.param("mosquitto", mqtt(keep_alive=1), "1s", marks=needs("mosquitto"), id="mosquitto, 3.1.1"),
    pytest.param("mosquitto", mqtt(version=V5), "1s", marks=needs("mosquitto"), id="mosquitto, 5"),
    pytest.param(
        "web_mqtt", mqtt(keep_alive=1, username="guest", password="guest"), "1s",
        marks=needs("rabbitmq-server"),
    ),
    pytest.param("web_stomp", stomp(**GUEST), "1s", marks=needs("rabbitmq-server")),
]  # fmt: skip


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory):
    config = tmp_path_factory.mktemp("mosquitto") / "mosquitto.conf"
    config.write_text(MOSQUITTO)
    with secluded(["mosquitto", "-c", str(config)], 9001) as (port,):
        yield f"ws://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def rabbitmq(tmp_path_factory):
    """The URLs of web_stomp and web_mqtt."""
    folder = tmp_path_factory.mktemp("rabbitmq")
    plugins = folder / "enabled_plugins"
    plugins.write_text("[rabbitmq_web_mqtt,rabbitmq_web_stomp].\n")
    environment = {
        **os.environ,
        "HOME": str(folder),
        "RABBITMQ_NODENAME": "rabbit@localhost",
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
    }
    command = ["/usr/lib/rabbitmq/bin/rabbitmq-server"]
    with secluded(command, 15674, 15675, **environment) as (stomp_port, mqtt_port):
        yield {
            "web_stomp": f"ws://127.0.0.1:{stomp_port}/ws",
            "web_mqtt": f"ws://127.0.0.1:{mqtt_port}/ws",
        }


@pytest.fixture
def url_of(request):
    """Starts only what a test asks for."""

    def found(broker):
        if broker == "mosquitto":
            return request.getfixturevalue("mosquitto")
        return request.getfixturevalue("rabbitmq")[broker]

    return found


@pytest.mark.parametrize(("broker", "profile", "every"), SPOKEN)
async def test_a_broker(broker, profile, every, url_of):
    """Confirms the session, has ten heartbeats, and takes a client back."""
    async with opened(url_of(broker), profile=profile, heartbeat=every) as client:
        await client.assert_session_confirmed(within="30s")
        due = "sent" if profile.pong is None else "answered"
        await nodes.until(lambda: getattr(client.timeline.heartbeats, due) >= 10)
        assert client.timeline.close is None
        assert not client.timeline.irregular
        assert client.subprotocol == profile.subprotocols[0]
        await client.close()
        again = await client.reconnect()
        await again.assert_session_confirmed(within="30s")
        await again.close()


@pytest.mark.parametrize(
    ("broker", "version"),
    [
        pytest.param("mosquitto", V3, marks=needs("mosquitto")),
        pytest.param("mosquitto", V5, marks=needs("mosquitto")),
        pytest.param("web_mqtt", V3, marks=needs("rabbitmq-server")),
    ],
)
async def test_a_lasting_session_is_there_again_and_a_clean_one_is_lost(broker, version, url_of):
    """CONNACK says so, and the assertion says which it was."""
    login = {"username": "guest", "password": "guest"} if broker == "web_mqtt" else {}
    lasting, clean = (mqtt(version=version, clean=each, **login) for each in (False, True))
    async with opened(url_of(broker), profile=lasting, session_id=f"lasting-{version}") as first:
        await first.assert_session_confirmed(within="30s")
        # A session without a subscription is none: SUBSCRIBE to "a/b", quality of service 1.
        properties = b"\0" if version == V5 else b""
        topic = b"\0\3a/b\1"
        await first.send(bytes([0x82, 2 + len(properties + topic), 0, 1]) + properties + topic)
        await first.recv(within="30s")
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed(within="30s")
        await second.close()
        emptied = await second.reconnect(profile=clean)
        await emptied.assert_session_confirmed(within="30s")
        await emptied.close()
        last = await emptied.reconnect(profile=lasting)
        with pytest.raises(StabilityError, match="did not know the session any more"):
            await last.assert_session_resumed(within="30s")
        await last.close()


@pytest.mark.parametrize(
    ("broker", "profile", "words"),
    [
        (
            "web_stomp",
            stomp(login="nobody", passcode="x"),
            "session_info sent at .*, an error at .*Access refused",
        ),
        ("web_mqtt", mqtt(username="nobody", password="x"), "1002 at .*, before the session was confirmed"),
    ],
)
@pytest.mark.parametrize("_", [pytest.param(None, marks=needs("rabbitmq-server"))])
async def test_a_login_that_is_wrong(_, broker, profile, words, url_of):
    """An ERROR of STOMP, and a close code for MQTT; the session is not confirmed."""
    async with opened(url_of(broker), profile=profile) as client:
        with pytest.raises(StabilityError, match=words):
            await client.assert_session_confirmed(within="30s")


@pytest.mark.parametrize(("broker", "profile", "every"), SPOKEN)
async def test_what_a_broker_speaks_is_found_out(broker, profile, every, url_of):
    """By the subprotocol that it chooses; web_mqtt chooses all that are offered, which no client takes."""
    if broker == "web_mqtt":
        with pytest.raises(OpeningError, match="invalid Sec-WebSocket-Protocol header"):
            await detect(url_of(broker))
        return
    found = await detect(url_of(broker))

    assert isinstance(found, Likeness)
    assert find(found.profile).title.partition(" ")[0] == profile.title.partition(" ")[0]


@pytest.mark.parametrize(("broker", "profile", "every"), SPOKEN)
async def test_a_broker_ends_a_silent_client(broker, profile, every, url_of):
    """With the code and after the length that the profile knows, and the cause is that timer."""
    promised = profile.replace(interval=1)
    async with opened(url_of(broker), profile=promised, heartbeat=False) as client:
        await client.assert_session_confirmed(within="30s")
        await client.websocket.wait_over(client.timeline.opened + 90)
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("10m")

    timer = profile.timers[0]
    assert client.timeline.close.code in (timer.code, *timer.also)
    assert caught.value.headline.startswith(timer.name)


@pytest.mark.parametrize("_", [pytest.param(None, marks=needs("mosquitto"))])
def test_the_page_for_a_new_user(_, mosquitto, tmp_path):
    """docs/tutorial-protocols.md, its test of a broker as it stands but for the two minutes."""
    (code,) = re.findall(r"```python\n# test_broker.py\n(.*?)```", PAGE, re.DOTALL)
    short = code.replace('"2m"', '"5s"').replace('"50s"', '"1s"')
    assert len(code.strip().splitlines()) <= 12
    assert short.count("5s") == code.count("5s") + 1
    (tmp_path / "test_broker.py").write_text(short)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--ws-url", mosquitto, "--ws-long"]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout

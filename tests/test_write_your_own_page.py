"""docs/write-your-own.md builds what works: each step is a profile, and both ends speak the last one."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
from pathlib import Path

import pytest

from pytest_wsstability import Orchestrator, Outcome, Requirement, Role, hold
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles import Profile
from tests.net.peers import connected, opened

pytestmark = pytest.mark.ws_stability(time="virtual")

TEXT = (Path(__file__).parent.parent / "docs/write-your-own.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]*?):[^\n]*\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))


def steps(section: str) -> list[Profile]:
    """The profile after each step."""
    found, names = [], {}
    for source in re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL):
        exec(source, names)
        found += [each for each in names.values() if isinstance(each, Profile)][-1:]
    return found


def test_there_are_seven():
    """As the page promises."""
    assert len(SECTIONS) == 7


@pytest.mark.parametrize("section", SECTIONS)
def test_each_step_adds_something(section):
    """And keeps the name."""
    profiles = steps(section)

    assert len(profiles) >= 2
    assert len({profile.name for profile in profiles}) == 1
    assert all(before != after for before, after in itertools.pairwise(profiles))


@pytest.mark.parametrize("section", SECTIONS)
async def test_the_last_step_is_spoken_by_both_ends(section):
    """The session is confirmed where there is one, and ten heartbeats go out."""
    profile = steps(section)[-1]
    async with connected({"profile": profile}) as (client, orchestrator):
        await client.assert_alive_for(10.5 * profile.interval)
        timeline = client.timeline

        assert timeline.heartbeats.sent == 10
        due = profile.shape is HeartbeatShape.ANSWERED
        assert timeline.heartbeats.answered == (10 if due else 0)
        assert not timeline.irregular
        assert not orchestrator.attempts[0].timeline.irregular
        began = timeline.last(direction=0, role=Role.SESSION_INFO)
        assert (began is not None) is (profile.session_info is not None)


@pytest.mark.parametrize(
    ("section", "begins", "member"),
    [
        ("SocketCluster", '{"event": "#handshake", "data": {}, "cid": 1}', '"pingTimeout":20000'),
        ("Home Assistant", '{"type": "auth", "access_token": "x"}', '"ha_version":"2026.1.0"'),
        ("NATS", "CONNECT {}", '"version":"2.9.0"'),
        ("XMPP over WebSocket", "<open />", "<mechanism>ANONYMOUS</mechanism>"),
    ],
)
async def test_the_orchestrator_says_what_clients_of_other_makers_read(section, begins, member):
    """Without it socketcluster-client, home-assistant-js-websocket, nats.ws and @xmpp/client do not go on."""
    profile = steps(section)[-1]
    offered = profile.subprotocols
    async with (
        Orchestrator(profile=profile) as server,
        opened(server.url, profile="frames", subprotocols=offered) as client,
    ):
        await client.send(begins)
        await client.expect(lambda said: member in str(said), within="5s")


def names_of(heading: str) -> dict[str, object]:
    """What the code of a section without a protocol of its own makes."""
    section = TEXT.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    (source,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    names: dict[str, object] = {}
    exec(source, names)
    return names


async def test_each_end_answers_the_other_ones_question():
    """In the words for it: a server that asks otherwise is no orchestrator."""
    profile, heard = names_of("Two kinds of heartbeat")["BOTH"], []

    async def probing(connection):
        for number in range(5):
            await asyncio.sleep(10)
            await connection.send_json({"op": "probe", "n": number})

    async def server(connection):
        probes = asyncio.create_task(probing(connection))
        async for text in connection:
            said = json.loads(text)
            if said["op"] == "ping":
                await connection.send_json({"op": "pong", "n": said["n"]})
            else:
                heard.append(said)
        await probes

    async with Orchestrator(profile="frames", ping_interval=None, handler=server) as orchestrator:
        requirement = Requirement.of(alive_for="55s", heartbeat_every="10s", heartbeat_within="1s")
        held = await hold(requirement, url=orchestrator.url, profile=profile)

    assert held.verdict.outcome is Outcome.STABLE
    assert heard == [{"op": "alive", "n": number} for number in range(5)]


async def test_the_rest_of_a_conversation_is_said_by_the_traffic():
    """An acknowledgement of each ten messages, from the first one on, and a token when the server asks."""
    names, heard = names_of("What a profile leaves to the test"), []

    async def server(connection):
        for number in range(1, 31):
            await connection.send_json({"op": "event"})
            if number % 10 == 0:
                heard.append(await connection.recv_json(within="1s"))
            await asyncio.sleep(1)
        await connection.send_json({"op": "renew"})
        heard.append(await connection.recv_json(within="1s"))
        await connection.wait_closed()

    async with Orchestrator(profile=names["OURS"], ping_interval=None, handler=server) as orchestrator:
        requirement = Requirement.of(alive_for="1m", session_within="1s")
        options = {"profile": names["OURS"], "traffic": names["talk"]}
        held = await hold(requirement, url=orchestrator.url, **options)

    assert held.verdict.outcome is Outcome.STABLE
    acks = [{"op": "ack", "count": count} for count in (10, 20, 30)]
    assert heard == [*acks, {"op": "token", "token": "second"}]


def legacy_graphql() -> Profile:
    """The one that software of another maker proves."""
    return steps("subscriptions-transport-ws")[-1]

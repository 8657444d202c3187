"""
Whatever a peer sends: nothing raises in a callback, nothing is printed raw, and the connection has one end.

``WSSTABILITY_EXAMPLES=2000`` looks longer (`make fuzz`).

"""

import asyncio
import contextlib
import json
import os
import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_wsstability import FaultProxy, OpeningError, Orchestrator, Requirement, run_virtual
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import TransportEnd
from pytest_wsstability.profiles import ID, JSON, Profile
from tests.net.peers import BINARY, CLOSE, CONT, PING, PONG, TEXT, frame, opened, serving, talking
from tests.net.test_writer import attacking, quiet_server

look = settings(
    deadline=None,
    max_examples=int(os.environ.get("WSSTABILITY_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
ASKED = Profile(name="asked", ping={"op": "ping", "id": ID}, pong={"op": "pong", "id": ID})

# JSON as peers may write it: with halves of surrogate pairs, control characters, numbers beyond any size.
names = st.sampled_from(["type", "op", "id", "session_id", "event"])
words = st.sampled_from(["ping", "pong", "session_info", "session_confirmed", "connection_established"])
rough = st.text(st.characters(categories=["Cs", "Cc", "L", "N"]), max_size=6)
values = st.recursive(
    words | rough | st.integers() | st.floats() | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
messages = st.dictionaries(names, values, max_size=4).map(lambda value: json.dumps(value).encode())
payloads = st.binary(max_size=130) | messages | st.sampled_from([b"", b"\x03\xe8", b"\xff", b"\x03"])
frames = st.builds(
    lambda opcode, payload, fin, rsv: {"opcode": opcode, "payload": payload, "fin": fin, "rsv": rsv},
    st.sampled_from([TEXT] * 6 + [BINARY, CONT, CLOSE, PING, PONG, 0x3, 0xB, 0xF]),
    payloads,
    st.booleans() | st.just(True),
    st.sampled_from([0] * 8 + [1, 4, 7]),
)
# Frames, and bytes that are none; sent in pieces of any size.
streams = st.lists(frames | st.binary(max_size=20), max_size=8)
cuts = st.integers(1, 400)
profiles = st.sampled_from([JSON, ASKED, "frames"])


def wire(stream, masked):
    return b"".join(
        each if isinstance(each, bytes) else frame(
            each["opcode"], each["payload"], fin=each["fin"], rsv=each["rsv"], masked=masked
        )
        for each in stream
    )  # fmt: skip


def pieces(data, cut):
    return [data[start : start + cut] for start in range(0, len(data), cut)]


async def unhandled(attack):
    """What went wrong where nobody looks, while something goes on."""
    found = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    result = await attack
    return found, result


def is_sound(timeline):
    """A record that can be judged, kept and printed, whatever it is of."""
    verdict = judge(Requirement.of(alive_for="1s", no_abnormal_closure=True), timeline)
    said = f"{timeline!r} {timeline.close} {verdict.headline} {list(timeline.irregular)}"
    said.encode()
    for char in str(timeline.close):
        assert char.isprintable(), said
    assert str(pickle.loads(pickle.dumps(verdict))) == str(verdict)
    # It is over at one instant, and not after the record's last.
    assert timeline.close is not None
    assert 0 <= timeline.close.at <= timeline.observed_until


async def at_a_client(data, cut, profile):
    async def script(peer):
        for piece in pieces(data, cut):
            peer.send(piece)
            await asyncio.sleep(0.001)

    async with talking(script, profile=profile, heartbeat="100ms") as connection:
        await connection.wait_closed()
        assert connection.timeline.close.transport is not TransportEnd.OPEN
        return [connection.timeline]


async def at_a_server(data, cut, profile):
    async with quiet_server(profile=profile) as orchestrator, attacking(orchestrator) as (client, connection):
        for piece in pieces(data, cut):
            client.send(piece)
            await asyncio.sleep(0.001)
        client.writer.close()
        await connection.wait_closed()
        repr(orchestrator.sessions).encode()
        return [connection.timeline]


async def through_a_proxy(data, cut, profile):
    async def script(peer):
        await peer.upgrade()
        for piece in pieces(data, cut):
            peer.send(piece)
            await asyncio.sleep(0.001)

    async with serving(script) as url, FaultProxy(url) as proxy:
        async with opened(proxy.url, profile=profile) as connection:
            await connection.wait_closed()
        return [connection.timeline, *(link.timeline for link in proxy.connections if link.timeline)]


@pytest.mark.parametrize("way", [at_a_client, at_a_server, through_a_proxy])
@look
@given(stream=streams, cut=cuts, profile=profiles)
def test_frames_of_any_kind(way, stream, cut, profile):
    """Valid ones, broken ones, and bytes that are no frame."""
    data = wire(stream, masked=way is at_a_server)
    found, timelines = run_virtual(unhandled(way(data, cut, profile)))

    assert found == []
    for timeline in timelines:
        is_sound(timeline)


@look
@given(
    data=st.binary(max_size=200) | st.text(max_size=80).map("HTTP/1.1 {}".format).map(str.encode), cut=cuts
)
def test_responses_of_any_kind(data, cut):
    """An answer to the upgrade that is none is an error that says so in printable words."""

    async def script(peer):
        await peer.request()
        for piece in pieces(data, cut):
            peer.send(piece)
            await asyncio.sleep(0.001)

    async def attack():
        async with serving(script) as url:
            with pytest.raises(OpeningError) as caught:
                async with opened(url):
                    pass
        return str(caught.value)

    found, said = run_virtual(unhandled(attack()))
    assert found == []
    assert said.isprintable()
    said.encode()


@look
@given(
    data=st.binary(max_size=200)
    | st.text(max_size=80).map("GET / HTTP/1.1\r\n{}\r\n\r\n".format).map(str.encode),
    cut=cuts,
)
def test_requests_of_any_kind(data, cut):
    """A server answers or goes, and keeps no connection."""

    async def attack():
        async with Orchestrator() as orchestrator:
            host, port = orchestrator.url.removeprefix("ws://").rstrip("/").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            # The server may refuse it before it is whole.
            with contextlib.suppress(ConnectionError):
                for piece in pieces(data, cut):
                    writer.write(piece)
                    await asyncio.sleep(0.001)
                writer.write_eof()
                async with asyncio.timeout(60):
                    await reader.read()
            writer.close()
            return orchestrator.sessions

    assert run_virtual(unhandled(attack())) == ([], [])


# Kinds that were found once.


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("delay", [True, "1s"], ids=["at once", "later"])
@pytest.mark.parametrize("half", [rb"\ud800", rb"x\udfffy", rb"\udc00\ud800"])
async def test_half_a_surrogate_pair_ends_one_connection_politely(half, delay):
    """An id that the answer was to repeat: 1007, and the server goes on."""
    async with quiet_server(profile=ASKED, answer_heartbeats=delay) as orchestrator:
        async with attacking(orchestrator) as (client, connection):
            client.send(frame(TEXT, b'{"op":"ping","id":"%s"}' % half, masked=True))
            await asyncio.sleep(2)

            close = connection.timeline.close
            assert close.sent.code == 1007
            assert "half of a surrogate pair" in close.parser_error
        async with opened(orchestrator.url, profile=ASKED, heartbeat="1s") as other:
            await asyncio.sleep(3.5)
            assert other.timeline.heartbeats.answered >= 2


@pytest.mark.ws_stability(time="virtual")
async def test_a_whole_pair_is_a_character():
    """Escaped, as JSON may have it."""
    async with quiet_server(profile=ASKED) as orchestrator, attacking(orchestrator) as (client, connection):
        client.send(frame(TEXT, rb'{"op":"ping","id":"\ud83d\ude00"}', masked=True))
        await client.reader.readuntil("\U0001f600".encode())

        assert connection.timeline.close is None

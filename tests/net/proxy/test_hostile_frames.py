"""Ends that break the protocol through a fault proxy: it passes what they send, and hides nothing."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_wsstability import FaultProxy, Orchestrator, StabilityError, faults, run_virtual
from pytest_wsstability.core.faults import ControlKind, Flow
from pytest_wsstability.net.proxy.link import Link
from tests.net.peers import CLOSE, CONT, PING, PONG, TEXT, close, frame, opened, serving

pytestmark = pytest.mark.ws_stability(time="virtual")

RESERVED = [0x3, 0x4, 0x5, 0x6, 0x7, 0xB, 0xC, 0xD, 0xE, 0xF]
HOSTILE = {
    **{f"opcode 0x{opcode:X}": frame(opcode, b"x") for opcode in RESERVED},
    "an opcode 0xF without payload": frame(0xF),
    "an opcode 0x3 in fragments": frame(0x3, b"x", fin=False) + frame(CONT, b"y"),
    "a masked frame": frame(TEXT, b"hello", masked=True),
    "reserved bits": frame(TEXT, b"x", rsv=7),
    "a continuation of nothing": frame(CONT, b"x"),
    "a ping of 70,000 bytes": frame(PING, bytes(70_000)),
    "a pong in fragments": frame(PONG, b"x", fin=False),
    "a frame of 2^63 bytes": b"\x82\x7f" + (2**63).to_bytes(8, "big") + bytes(100),
    "a close frame of one byte": frame(CLOSE, b"\x03"),
    "a close frame of 70,000 bytes": frame(CLOSE, b"\x03\xe8" + bytes(70_000)),
    "a close frame with 1006": close(1006),
    "two close frames": close(1000) + close(1011),
    "bytes that are no UTF-8": frame(TEXT, b"\xff"),
}


def watched():
    """What callbacks of this loop raise from now on, and nobody catches."""
    found = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: found.append(context))
    return found


async def cause(url):
    """What a client that only wants to stay says about its server."""
    async with opened(url, profile="frames") as connection:
        with pytest.raises(StabilityError) as caught:
            await connection.assert_alive_for("60s")
        return caught.value.verdict.diagnosis.cause


@pytest.mark.parametrize("box", [(), faults.IdleTimeout("1h", reset_by="data")], ids=["plain", "timer"])
@pytest.mark.parametrize("name", HOSTILE)
async def test_a_client_finds_the_cause_that_it_finds_without_the_proxy(name, box):
    """Also while the proxy has a timer that only messages reset, and so must tell frames apart."""
    unhandled = watched()

    async def script(peer):
        await peer.upgrade()
        peer.send(HOSTILE[name])
        while (await peer.frame())[0] != CLOSE:
            pass

    async with serving(script) as url, FaultProxy(url, faults=box) as proxy:
        assert await cause(proxy.url) == await cause(url)
    assert unhandled == []


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_server_sees_what_its_client_sent(name):
    """Through the proxy or not: the same end, of the same connection only."""
    unhandled = watched()
    ends = []
    async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url) as proxy:
        for url in (orchestrator.url, proxy.url):
            async with opened(url, profile="frames") as connection, opened(url) as other:
                connection.websocket.transport.write(HOSTILE[name])
                session = orchestrator.sessions[-2]
                await asyncio.sleep(70)
                evidence = session.timeline.close
                ends.append((evidence and evidence.code, evidence and evidence.parser_error))
                assert orchestrator.sessions[-1].timeline.close is None
                assert other.timeline.close is None
    assert ends[0] == ends[1]
    assert unhandled == []


class Ends:
    """Both ends of a link: keeps what comes out."""

    def __init__(self):
        self.got = bytearray()

    def more(self):
        pass

    def room(self):
        return 2**30

    def data(self, data):
        self.got += data

    def fin(self):
        pass

    reset = fin


def applied_to_nothing(link, fault):
    raise AssertionError("no fault was given")


ANY_FRAME = st.builds(
    lambda opcode, payload, fin, rsv, masked: frame(opcode, payload, fin=fin, rsv=rsv, masked=masked),
    st.integers(0, 15), st.binary(max_size=300), st.booleans(), st.integers(0, 7), st.booleans(),
)  # fmt: skip
ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@settings(deadline=None)
@given(
    chunks=st.lists(st.one_of(ANY_FRAME, st.binary(max_size=40)), max_size=12),
    dropped=st.sets(st.sampled_from(ControlKind)),
    flow=st.sampled_from([Flow.UPSTREAM, Flow.DOWNSTREAM]),
)
def test_any_bytes_pass(chunks, dropped, flow):
    """In order and unchanged; only frames of the kinds that a fault names may be missing."""

    async def play():
        client, server = Ends(), Ends()
        link = Link(
            asyncio.get_running_loop(), (client, client), (server, server), number=0,
            program=faults.Program.of(), applied=[], apply=applied_to_nothing, name=repr,
        )  # fmt: skip
        link.upstream.data(b"GET / HTTP/1.1\r\n\r\n")
        link.downstream.data(ANSWER)
        for each in link.frame_filters(flow):
            each.drop(frozenset(dropped))
        for chunk in chunks:
            link.channel(flow).data(chunk)
        assert link.timeline is not None
        link.close()
        return bytes((client if flow is Flow.DOWNSTREAM else server).got)

    sent = b"".join(chunks)
    got = run_virtual(play()).partition(b"\r\n\r\n")[2]
    if dropped:
        assert len(got) <= len(sent)
    else:
        assert got == sent

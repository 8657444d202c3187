"""
RFC 6455 in both roles, case by case; and large, many and compressed messages (Autobahn's sections 9 to 13).

`make test` runs every fifth case and the small sizes, `make test-slow` the others, `make conformance` all.
The network is in memory, so that no timing decides.

"""

import asyncio
import contextlib
import json
import random
import zlib

import pytest

from pytest_wsstability import ConnectionEnded, connect, run_virtual
from tests.conformance.cases import CASES
from tests.net.peers import BINARY, CLOSE, CONT, PONG, TEXT, close, frame, serving
from tests.net.test_writer import attacking, quiet_server

MB = 2**20
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate"


def slowly(*values):
    """Parameters for those who have more time."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


def sample(cases, every=5):
    """Some cases for each run; the others are many."""
    return [
        pytest.param(case, id=case.id, marks=[pytest.mark.slow] if number % every else [])
        for number, case in enumerate(cases)
    ]


class EndUnderTest:
    """The raw peer's view of an end under test that echoes."""

    def __init__(self, reader, writer, *, masked):
        self.reader, self.writer = reader, writer
        # Whether this peer is a client.
        self.masked = masked

    def send(self, data):
        self.writer.write(data)

    async def frame(self):
        """The next frame, as first byte and payload; None at the end of the stream."""
        try:
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size > 125:
                size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8), "big")
            # Section 5.1: a client masks, a server does not.
            assert bool(second & 0x80) is not self.masked
            mask = b"" if self.masked else await self.reader.readexactly(4)
            payload = await self.reader.readexactly(size)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        if mask:
            key = int.from_bytes((mask * (size // 4 + 1))[:size], "big")
            payload = (int.from_bytes(payload, "big") ^ key).to_bytes(size, "big")
        return first, payload

    async def message(self):
        """The next message, pong or close frame, as opcode and payload; None at the end of the stream."""
        opcode, parts = None, []
        while (found := await self.frame()) is not None:
            first, payload = found
            if first & 0xF >= CLOSE:
                return first & 0xF, payload
            opcode = first & 0xF if opcode is None else opcode
            parts.append(payload)
            if first & 0x80:
                return opcode, b"".join(parts)
        return None


async def of_a_server(play, *, deflate=None):
    """A server under test, played to by a raw client."""
    fields = [f"{DEFLATE}{deflate}"] if deflate is not None else []
    server = quiet_server(profile="frames", echo=True, max_size=None, compression=deflate is not None)
    async with server as orchestrator, attacking(orchestrator, *fields) as (client, _):
        async with asyncio.timeout(3600):
            return await play(EndUnderTest(client.reader, client.writer, masked=True))


async def of_a_client(play, *, deflate=None):
    """A client under test, played to by a raw server."""
    found = asyncio.get_running_loop().create_future()

    async def script(peer):
        await peer.upgrade(*([f"{DEFLATE}{deflate}"] if deflate is not None else []))
        try:
            found.set_result(await play(EndUnderTest(peer.reader, peer.writer, masked=False)))
        except Exception as exc:
            found.set_exception(exc)

    async with serving(script) as url:
        connection = await connect(url, profile="frames", max_size=None, compression=deflate is not None)
        with contextlib.suppress(ConnectionEnded):
            async for message in connection:
                await connection.send(message)
        async with asyncio.timeout(3600):
            return await found


ROLES = pytest.mark.parametrize("role", [of_a_server, of_a_client])


def playing(case):
    async def play(tested):
        for piece in case.wire(masked=tested.masked):
            tested.send(piece)
            if case.cut != "whole":
                await asyncio.sleep(0.0001)
        got, code, asked = [], None, False
        while True:
            if case.close is None and not asked and len(got) == len(case.got):
                # A moment for what must not come; then the closing handshake.
                await asyncio.sleep(0.1)
                tested.send(frame(CLOSE, b"\x03\xe8", masked=tested.masked))
                asked = True
            found = await tested.message()
            if found is None:
                return got, code
            if found[0] == CLOSE:
                # Section 7.1.5: an empty one is 1005.
                code = int.from_bytes(found[1][:2], "big") if found[1] else 1005
                if not tested.masked:
                    # The server closes TCP, and answers before it if it has not closed first.
                    return got, code
            else:
                got.append(found)

    return play


@ROLES
@pytest.mark.parametrize("case", sample(CASES))
def test_a_case(role, case):
    """The messages that come back, in order, and the code of the close frame."""
    got, code = run_virtual(role(playing(case)))

    if case.close in (1002, 1007) or case.id == "7.1.6":
        # NON-STRICT: what came before the failure need not have been answered. 7.1.6 is informational: a
        # large message and a close frame behind it, which may be read first.
        assert got == list(case.got)[: len(got)]
    else:
        assert got == list(case.got)
    assert code == (1000 if case.close is None else case.close)


def test_all_sections_are_there():
    """Sections 1 to 7, no case twice."""
    assert {case.id.split(".")[0] for case in CASES} == set("1234567")
    assert len({case.id for case in CASES}) == len(CASES)


def test_a_wrong_outcome_is_seen():
    """The runner fails for an end that answers nothing: it is not the cases that pass by themselves."""

    async def deaf(play):
        async def serve(reader, writer):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 101 X\r\n\r\n")
            await reader.read(1)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
            try:
                return await play(EndUnderTest(reader, writer, masked=True))
            finally:
                writer.close()
                await writer.wait_closed()

    assert run_virtual(deaf(playing(CASES[0]))) != (list(CASES[0].got), 1000)


# Section 9: large messages, fragmented and cut; section 10: what this end fragments itself.

SIZES = [2**16, MB, *slowly(2**18, 4 * MB, 8 * MB, 16 * MB)]


async def round_trip(tested, frames, expected):
    tested.writer.transport.set_write_buffer_limits(high=64 * MB)
    for piece in frames:
        tested.send(piece)
        await tested.writer.drain()
    got = await tested.message()
    tested.send(frame(CLOSE, b"\x03\xe8", masked=tested.masked))
    assert got == expected


@ROLES
@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
@pytest.mark.parametrize(
    "fragment", [None, 4096, 2**18, *slowly(64)], ids=lambda size: f"fragments of {size}"
)
@pytest.mark.parametrize("size", SIZES)
def test_a_large_message(role, opcode, fragment, size):
    """Whole, or in fragments."""
    if fragment == 64 and size > MB:
        pytest.skip("16,384 frames are as many as the Autobahn suite sends")
    payload = (b"*" if opcode == TEXT else b"\xfe") * size
    step = fragment or size

    async def play(tested):
        frames = [
            frame(
                opcode if at == 0 else CONT,
                payload[at : at + step],
                fin=at + step >= size,
                masked=tested.masked,
            )
            for at in range(0, size, step)
        ]
        await round_trip(tested, frames, (opcode, payload))

    run_virtual(role(play))


@ROLES
@pytest.mark.parametrize("cut", [1024, *slowly(64)])
def test_a_large_message_in_small_pieces(role, cut):
    """One frame, however TCP cuts it."""
    payload = b"*" * MB

    async def play(tested):
        whole = frame(TEXT, payload, masked=tested.masked)
        await round_trip(tested, [whole[at : at + cut] for at in range(0, len(whole), cut)], (TEXT, payload))

    run_virtual(role(play))


@ROLES
@pytest.mark.parametrize("number", [100, *slowly(1000)])
@pytest.mark.parametrize("size", [0, 1024, *slowly(16, 64, 256, 4096, 16_384)])
def test_many_messages(role, size, number):
    """One after the other, each answered before the next."""

    async def play(tested):
        for each in range(number):
            payload = b"%d" % (each % 10) * size
            tested.send(frame(TEXT, payload, masked=tested.masked))
            assert await tested.message() == (TEXT, payload)
        tested.send(frame(CLOSE, b"\x03\xe8", masked=tested.masked))

    run_virtual(role(play))


@pytest.mark.ws_stability(time="virtual")
async def test_fragments_of_our_own():
    """65,536 bytes in fragments of 1,300: 51 frames, the last one final."""
    payload, heads = b"*" * 65_536, []

    async def script(peer):
        await peer.upgrade()
        tested = EndUnderTest(peer.reader, peer.writer, masked=False)
        while (found := await tested.frame()) is not None:
            heads.append((found[0], len(found[1])))
            if found[0] & 0xF == CLOSE:
                peer.send(close(1000))
                return

    async with serving(script) as url:
        connection = await connect(url, profile="frames")
        await connection.send([payload[at : at + 1300] for at in range(0, len(payload), 1300)])
        await connection.close()

    assert heads[:2] == [(BINARY, 1300), (CONT, 1300)]
    assert heads[-2] == (0x80 | CONT, 65_536 % 1300)
    assert sum(size for _, size in heads[:-1]) == len(payload)


# Sections 12 and 13: permessage-deflate (RFC 7692), with and without context takeover.

MANY = [(16, 1000), (1024, 1000), (8192, 100), (131_072, 100)]
PARAMETERS = ["", "; server_no_context_takeover", "; client_no_context_takeover"]


@ROLES
@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize(
    ("size", "number"), [(1024, 20), *[pytest.param(*each, marks=pytest.mark.slow) for each in MANY]]
)
def test_compressed_messages(role, parameters, fragments, size, number):
    """JSON text as it is usual: what comes back inflates to what was sent."""
    random_text = random.Random(size)

    async def play(tested):
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        inflate = zlib.decompressobj(-15)
        for _ in range(number):
            text = json.dumps({"id": random_text.random(), "text": "lorem ipsum " * 12_000})[:size].encode()
            if "no_context" in parameters:
                deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
            data = (deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))[:-4]
            step = max(1, -(-len(data) // fragments))
            for at in range(0, len(data), step):
                first, last = at == 0, at + step >= len(data)
                tested.send(
                    frame(
                        TEXT if first else CONT, data[at : at + step], fin=last, rsv=4 if first else 0,
                        masked=tested.masked,
                    )
                )  # fmt: skip
            first, got = await tested.frame()
            assert first == 0x80 | 0x40 | TEXT
            if ("server_no" in parameters) is tested.masked and "no_context" in parameters:
                inflate = zlib.decompressobj(-15)
            assert inflate.decompress(got + b"\x00\x00\xff\xff") == text
        tested.send(frame(CLOSE, b"\x03\xe8", masked=tested.masked))

    run_virtual(role(play, deflate=parameters))


def test_the_runner_knows_pongs_from_messages():
    """Both come back, and in order."""
    case = next(case for case in CASES if case.id == "5.6")
    assert [opcode for opcode, _ in case.got] == [PONG, TEXT]

"""Servers that break the protocol after the upgrade, and the evidence that is left of it."""

import asyncio

import pytest

from pytest_wsstability import Direction, End, StabilityError, connect
from pytest_wsstability.core.diagnosis import Cause, Confidence
from pytest_wsstability.core.timeline.close import CloseFrame, TransportEnd
from pytest_wsstability.core.timeline.events import Opcode
from pytest_wsstability.profiles import JSON
from tests.net.peers import (
    BINARY,
    CLOSE,
    CONT,
    PING,
    PONG,
    TEXT,
    Peer,
    accepting,
    close,
    frame,
    length,
    opened,
    serving,
    silent,
    talking,
)

pytestmark = pytest.mark.ws_stability


def then_closing(*chunks):
    """A server that sends this, waits for the client's close frame, and closes the stream."""

    async def script(peer):
        peer.send(*chunks)
        while (await peer.frame())[0] != CLOSE:
            pass

    return script


def then_dropping(*chunks):
    """A server that sends this and closes the stream (FIN)."""

    async def script(peer):
        peer.send(*chunks)

    return script


async def end_of(script, **options):
    """The evidence of a connection to such a server."""
    async with talking(script, **options) as connection:
        await connection.wait_closed()
        return connection.timeline.close


# What the server sends, the code that this end answers with, and what the parser says.
REFUSED = {
    "a masked frame": (frame(TEXT, b"hello", masked=True), 1002, "incorrect masking"),
    "a reserved data opcode": (frame(0x3, b"x"), 1002, "invalid opcode"),
    "a reserved control opcode": (frame(0xB, b"x"), 1002, "invalid opcode"),
    "a reserved bit": (frame(TEXT, b"x", rsv=4), 1002, "reserved bits must be 0"),
    "a continuation of nothing": (frame(CONT, b"x"), 1002, "unexpected continuation frame"),
    "a text frame inside a message": (
        frame(TEXT, b"one", fin=False) + frame(TEXT, b"two"),
        1002,
        "expected a continuation frame",
    ),
    "a ping in fragments": (frame(PING, b"x", fin=False), 1002, "fragmented control frame"),
    "a ping of 126 bytes": (frame(PING, b"x" * 126), 1002, "control frame too long"),
    "a close frame of one byte": (frame(CLOSE, b"\x03"), 1002, "close frame too short"),
    "a close frame with 1006": (close(1006), 1002, "invalid status code"),
    "a close frame with 1005": (close(1005), 1002, "invalid status code"),
    "a close frame with 5000": (close(5000), 1002, "invalid status code"),
    "a close frame with 999": (close(999), 1002, "invalid status code"),
    "a message over the limit": (frame(BINARY, b"x" * 1001), 1009, "1001"),
    "a length in two bytes": (b"\x81\x7e\0\x7d" + b"x" * 125, 1002, "length not in its shortest form"),
    "a length in eight bytes": (
        frame(TEXT, b"x" * 126) + b"\x02\x7f" + (2**16 - 1).to_bytes(8),
        1002,
        "length not in its shortest form",
    ),
    "a length of 64 bits": (b"\x82\x7f" + (2**63).to_bytes(8), 1002, "length of more than 63 bits"),
    "a length of 63 bits": (b"\x82\x7f" + (2**63 - 1).to_bytes(8), 1009, "9223372036854775807"),
    # At once, and not when the frame is whole.
    "the head of a ping of 126 bytes": (b"\x89\x7e", 1002, "control frame too long"),
    "the head of a ping in fragments": (b"\x09\x7d", 1002, "fragmented control frame"),
    "an HTTP response": (b"HTTP/1.1 400 Bad Request\r\n\r\n", 1002, "reserved bits must be 0"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_breaks_the_protocol_is_refused(case):
    """The connection fails with the code of RFC 6455, section 7.4.1; the parser's words are kept."""
    chunk, code, words = REFUSED[case]
    evidence = await end_of(then_closing(chunk), max_size=1000)

    assert evidence.sent.code == code
    assert words in evidence.parser_error
    assert (evidence.received, evidence.code, evidence.by) == (None, 1006, End.CLIENT)
    assert evidence.abnormal
    assert not evidence.mid_frame
    assert f"parser: {evidence.parser_error}" in str(evidence)


@pytest.mark.parametrize("compression", [False, True])
@pytest.mark.parametrize("size", [126, 2**16])
async def test_a_length_in_its_shortest_form_is_taken(size, compression):
    """However its bytes come, and next to the limits of the longer forms."""

    async def script(peer):
        extension = "Sec-WebSocket-Extensions: permessage-deflate"
        peer.send(accepting(await peer.request(), *[extension] * compression))
        for message in (frame(TEXT, b"x" * (size - 1)), frame(BINARY, b"x" * size)):
            for octet in message[:10]:
                peer.send(bytes([octet]))
                await asyncio.sleep(0)
            peer.send(message[10:])
        await peer.gone()

    async with serving(script) as url:
        connection = await connect(url, compression=compression)
        assert await connection.recv() == "x" * (size - 1)
        assert await connection.recv() == b"x" * size
        connection.websocket.let_go()


BAD, HTTP = frame(TEXT, b"hello", masked=True), b"HTTP/1.1 400 Bad Request\r\n\r\n"


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        # Whole, it is refused; of one that is not, nobody knows more.
        ([BAD + close(1000)], "incorrect masking"),
        ([BAD, close(1000)], "incorrect masking"),
        ([BAD[:1], BAD[1:], close(1000)], "incorrect masking"),
        ([HTTP + close(1000)], None),
        ([HTTP, close(1000)], None),
        ([HTTP[:1], HTTP[1:20], HTTP[20:], close(1000)], None),
    ],
)
async def test_what_breaks_the_protocol_behind_our_close_frame_is_told(chunks, words):
    """However it is cut: what stands behind it is no answer to our close frame."""

    async def script(peer):
        while (await peer.frame())[0] != CLOSE:
            pass
        for chunk in chunks:
            peer.send(chunk)
            await asyncio.sleep(0.01)

    async with talking(script) as connection:
        await connection.close()
        evidence = connection.timeline.close

    assert (evidence.sent.code, evidence.received, evidence.code) == (1000, None, 1006)
    assert evidence.parser_error == words
    assert evidence.mid_frame is (words is None)
    assert evidence.stray == b"".join(chunks).decode("latin-1")


@pytest.mark.parametrize(
    ("chunk", "said", "helps"),
    [
        (close(5, "Pong timeout"), "5 (not a valid code) Pong timeout", "5 may not be sent"),
        (frame(CLOSE, b"\x0f\xa1Sitzung abgelaufen: zur\xfcck"), "4001 (private use) Sitzung", "UTF-8"),
        (
            frame(CLOSE, b"\x03\xf0kicked" + b"!" * 120),
            "1008 (policy violation) kicked!",
            "125 bytes at most",
        ),
        (frame(CLOSE, b"\x03\xf0kicked", masked=True), "1008 (policy violation) kicked", "masks wrongly"),
    ],
)
async def test_a_close_frame_that_is_refused_is_quoted(chunk, said, helps):
    """Why the server closed stands in it, whatever is wrong with it."""
    async with talking(then_closing(chunk)) as connection:
        with pytest.raises(StabilityError) as failure:
            await connection.assert_alive_for("1m")
    found = failure.value.verdict.diagnosis

    assert (found.cause, found.confidence) == (Cause.PROTOCOL_ERROR, Confidence.MEDIUM)
    assert said in found.sentence
    assert found.headline.startswith(f"a wrong close frame: {said[:20]}")
    assert found.remedy.startswith("see why the server closes; ")
    assert helps in found.remedy


@pytest.mark.parametrize("reason", [b"\xff", b"\xe2\x82", "é".encode("latin-1")])
async def test_a_close_reason_that_is_not_utf8_is_refused(reason):
    """RFC 6455, section 7.1.6: the reason is UTF-8."""
    evidence = await end_of(then_closing(frame(CLOSE, b"\x03\xe8" + reason)))

    assert evidence.sent.code == 1007
    assert evidence.parser_error is not None
    assert evidence.abnormal


INVALID_TEXT = {
    "a wrong byte": [frame(TEXT, b"abc\xff")],
    "a surrogate": [frame(TEXT, b"\xed\xa0\x80")],
    "an overlong form": [frame(TEXT, b"\xc0\xaf")],
    "a character cut off": [frame(TEXT, "€".encode()[:2])],
    "a wrong byte in the first fragment": [frame(TEXT, b"\xff", fin=False)],
    "a wrong byte in the last fragment": [frame(TEXT, b"a", fin=False), frame(CONT, b"\xff")],
    "a character cut off in fragments": [
        frame(TEXT, "€".encode()[:1], fin=False),
        frame(CONT, "€".encode()[1:2]),
    ],
}


@pytest.mark.parametrize("case", INVALID_TEXT)
async def test_text_that_is_not_utf8_is_refused_with_1007(case):
    """RFC 6455, section 8.1, at the first fragment that shows it."""
    evidence = await end_of(then_closing(*INVALID_TEXT[case]))

    assert evidence.sent.code == 1007
    assert evidence.parser_error.startswith("invalid UTF-8 in a text message: ")
    assert (evidence.by, evidence.code, evidence.abnormal) == (End.CLIENT, 1006, True)
    assert f"parser: {evidence.parser_error}" in str(evidence)


async def test_text_that_is_not_utf8_is_told_before_the_close_frame_behind_it():
    """Though both came at once, and the close frame was answered."""
    async with talking(then_closing(frame(TEXT, b"abc\xff") + close(1011))) as connection:
        with pytest.raises(StabilityError) as failure:
            await connection.assert_alive_for("1m")
    found = failure.value.verdict.diagnosis

    assert (found.cause, found.confidence) == (Cause.PROTOCOL_ERROR, Confidence.MEDIUM)
    assert found.headline == "text messages that are no UTF-8"


async def test_bytes_need_not_be_utf8():
    """Only text has to."""
    async with talking(then_closing(frame(BINARY, b"\xff"), close(1000))) as connection:
        await connection.wait_closed()

        assert await connection.recv() == b"\xff"
        connection.assert_no_abnormal_closure()


@pytest.mark.parametrize("wrong", [frame(TEXT, b"\xff"), frame(0x3, b"x")], ids=["text", "opcode"])
async def test_nothing_is_read_after_a_failure(wrong):
    """RFC 6455, section 7.1.7: what follows is nobody's, even in the same segment."""
    script = then_closing(
        frame(TEXT, b"before"), wrong, frame(TEXT, b"after"), frame(PING, b"after"), close(1000)
    )
    async with talking(script) as connection:
        await connection.wait_closed()

        assert await connection.recv() == "before"
        assert len(connection.websocket.messages.inbox) == 0
        assert connection.timeline.count(Direction.RECEIVED, Opcode.PING) == 0
        assert connection.timeline.close.parser_error
        with pytest.raises(StabilityError):
            connection.assert_no_abnormal_closure()


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1008, 1011, 1012, 1013, 1014, 3000, 4408])
async def test_a_close_frame_of_the_server_is_kept_with_its_reason(code):
    """Whatever it means, the server ended the connection."""
    evidence = await end_of(then_closing(close(code, "node eu-3 restarts")))

    expected = CloseFrame(code, "node eu-3 restarts")
    assert (evidence.received, evidence.sent, evidence.received_first) == (expected, expected, True)
    assert (evidence.code, evidence.by, evidence.transport) == (code, End.SERVER, TransportEnd.FIN)
    assert evidence.abnormal is (code not in (1000, 1001, 3000, 4408))
    assert str(evidence).startswith(f"received {code} (")


async def test_an_empty_close_frame_is_1005():
    """Normal, and so shown."""
    evidence = await end_of(then_closing(frame(CLOSE)))

    assert (evidence.code, evidence.by, evidence.abnormal) == (1005, End.SERVER, False)
    assert str(evidence).startswith("received 1005 (no status received)")


async def test_a_hostile_reason_is_shown_harmlessly():
    """One line, printable, without its secrets; the evidence keeps what came."""
    reason = "bad\r\n\x1b[31mtoken=abc ?token=abc"
    evidence = await end_of(then_closing(close(4000, reason)))

    assert evidence.reason == reason
    assert str(evidence).isprintable()
    assert "?token=***" in str(evidence)


async def test_a_stream_that_just_ends_is_1006():
    """FIN without a close frame, between two frames."""
    evidence = await end_of(then_dropping(frame(TEXT, b"hello")))

    assert (evidence.received, evidence.sent, evidence.parser_error) == (None, None, None)
    assert (evidence.code, evidence.by, evidence.transport) == (1006, End.SERVER, TransportEnd.FIN)
    assert (evidence.mid_frame, evidence.abnormal, evidence.planned) == (False, True, False)
    assert str(evidence) == "no close frame received or sent; FIN"


CUTS = {
    "in the head": frame(TEXT, b"hello")[:1],
    "in the length": b"\x82" + length(70_000)[:3],
    "in the payload": frame(TEXT, b"hello")[:4],
    "in a close frame": close(1000)[:3],
    "after another frame": frame(TEXT, b"whole") + frame(TEXT, b"half")[:3],
}


@pytest.mark.parametrize("cut", CUTS)
async def test_a_stream_that_ends_inside_a_frame_says_so(cut):
    """What a proxy does that gives up in the middle of an upload."""
    evidence = await end_of(then_dropping(CUTS[cut]))

    assert (evidence.mid_frame, evidence.transport, evidence.code) == (True, TransportEnd.FIN, 1006)
    assert evidence.parser_error is None
    assert str(evidence) == "no close frame received or sent; FIN in the middle of a frame"


async def test_a_stream_that_ends_between_two_fragments_is_between_two_frames():
    """The message is cut, the frame is not."""
    evidence = await end_of(then_dropping(frame(TEXT, b"half", fin=False)))

    assert (evidence.mid_frame, evidence.transport) == (False, TransportEnd.FIN)


@pytest.mark.parametrize("before", [b"", frame(TEXT, b"hello")[:4]], ids=["between frames", "in a frame"])
async def test_a_reset_is_told_from_a_fin(before):
    """RST: the peer's process died, or it threw away what we had sent."""
    deaf, unread = asyncio.Event(), asyncio.Event()

    async def script(peer):
        peer.send(before)
        peer.pause()
        deaf.set()
        await unread.wait()
        peer.cut()

    async with talking(script) as connection:
        await deaf.wait()
        await connection.send("unread")
        unread.set()
        await connection.wait_closed()

        evidence = connection.timeline.close
    assert evidence.transport is TransportEnd.RESET
    assert (evidence.code, evidence.by, evidence.abnormal) == (1006, End.SERVER, True)
    assert evidence.mid_frame is bool(before)
    assert str(evidence).startswith("no close frame received or sent; RST")


async def test_a_close_frame_and_then_a_reset():
    """The frame counts; how the stream went down is told beside it."""

    async def script(peer):
        peer.send(close(1011, "crashed"))
        await peer.frame()
        peer.cut()

    evidence = await end_of(script)
    assert (evidence.code, evidence.reason, evidence.by) == (1011, "crashed", End.SERVER)
    assert evidence.transport in (TransportEnd.FIN, TransportEnd.RESET)


async def test_a_fin_right_after_the_close_frame():
    """A server that does not wait for the answer to its close frame."""
    evidence = await end_of(then_dropping(close(1012)))

    assert (evidence.code, evidence.by) == (1012, End.SERVER)
    assert evidence.transport in (TransportEnd.FIN, TransportEnd.RESET)


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 502 Bad Gateway\r\n" * 9, b"\xff" * 64, b"<html>" * 64])
async def test_garbage_fails_the_connection(garbage):
    """An HTTP error page in the middle of a WebSocket, which broken proxies send."""
    evidence = await end_of(then_dropping(garbage))

    assert evidence.abnormal
    assert evidence.received is None
    assert evidence.parser_error or evidence.mid_frame


async def test_a_greeting_and_a_close_in_one_segment():
    """A server that greets and refuses at once; the answer to the greeting has nowhere to go."""
    greeting = b'{"type": "connection_established"}'
    async with talking(then_closing(frame(TEXT, greeting), close(1008, "no")), profile="json") as connection:
        await connection.wait_closed()

        connection.assert_closed(code=1008, reason="no", by="server")
        assert connection.timeline.close.transport is TransportEnd.FIN
        assert connection.timeline.count(Direction.SENT, Opcode.TEXT) == 0


async def test_an_upgrade_and_a_close_in_one_segment():
    """The same for a profile in which the client speaks first."""

    async def script(peer):
        peer.send(accepting(await peer.request()), close(1008, "no"))
        await peer.frame()

    profile = JSON.replace(name="client first", greeting=None)
    async with serving(script) as url, opened(url, profile=profile) as connection:
        await connection.wait_closed()

        connection.assert_closed(code=1008, reason="no", by="server")
        assert connection.timeline.close.transport is TransportEnd.FIN


async def test_messages_and_a_close_in_one_segment_are_all_kept():
    """More than the inbox takes: nothing will follow that could be read later."""
    script = then_closing(*[frame(TEXT, b"x")] * 20, close(1000))
    async with talking(script, inbox=2) as connection:
        await connection.wait_closed()

        assert [message async for message in connection] == ["x"] * 20


@pytest.mark.ws_stability(time="virtual")
async def test_garbage_from_a_server_that_then_stays_is_given_up():
    """The client fails the connection, and waits 10 s for the server to close it."""

    async def script(peer: Peer):
        peer.send(frame(0x3, b"x"))
        await silent(peer)

    async with talking(script) as connection:
        await connection.wait_closed()

        assert connection.websocket.loop.time() == connection.timeline.opened + 10.0
        assert connection.timeline.close.at == 0.0
        assert connection.timeline.close.sent.code == 1002


async def test_a_flood_of_pings_is_answered_in_order():
    """Each pong carries the payload of its ping (RFC 6455, section 5.5.3)."""
    payloads = [b"%d" % number for number in range(500)]
    answers = asyncio.get_running_loop().create_future()

    async def script(peer):
        peer.send(*[frame(PING, payload) for payload in payloads])
        answers.set_result([await peer.frame() for _ in payloads])
        await peer.gone()

    async with talking(script) as connection:
        assert await answers == [(PONG, payload) for payload in payloads]
        assert connection.websocket.is_open


async def test_unsolicited_pongs_are_no_answers():
    """Recorded, and no round trip."""
    async with talking(then_closing(frame(PONG, b"k0000001") * 3, close(1000))) as connection:
        await connection.wait_closed()

        assert connection.timeline.pings.rtts.count == 0
        connection.assert_closed(code=1000)

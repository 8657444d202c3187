"""The few things about bytes on the wire that the sans-I/O layer does not tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, SEND_EOF, Protocol

if TYPE_CHECKING:
    from websockets.datastructures import Headers

_CLOSE = int(Opcode.CLOSE)


def head(frame: bytes) -> tuple[int, int]:
    """
    Opcode and payload length of a serialized frame (RFC 6455, section 5.2).

    The sans-I/O layer answers pings and closes by itself; its output is the only place where those
    frames can be seen, and a pong withheld. It hands over one frame a chunk.

    """
    length = frame[1] & 0x7F
    if length == 126:
        length = int.from_bytes(frame[2:4], "big")
    elif length == 127:
        length = int.from_bytes(frame[2:10], "big")
    return frame[0] & 0x0F, length


def first_field(headers: Headers, name: str) -> str | None:
    """The first field of a name, of which a peer may send several; None where there is none."""
    return next(iter(headers.get_all(name)), None)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, reserved: bool = False, masked: bool = False
) -> bytes:
    """
    A serialized frame that the sans-I/O layer would refuse to write (RFC 6455, section 5.2).

    Args:
        opcode: any of 0 to 15.
        payload: any bytes, of control frames too.
        fin: whether the message ends here.
        reserved: set the first reserved bit.
        masked: mask it, with a mask of zeros.

    """
    first = (0x80 if fin else 0) | (0x40 if reserved else 0) | opcode
    size, mask = len(payload), 0x80 if masked else 0
    if size < 126:
        length = bytes([mask | size])
    elif size < 2**16:
        length = bytes([mask | 126]) + size.to_bytes(2, "big")
    else:
        length = bytes([mask | 127]) + size.to_bytes(8, "big")
    return bytes([first]) + length + (bytes(4) if masked else b"") + payload


def take_close_within_message(protocol: Protocol, *, answers: bool) -> None:
    """
    Take a close frame between the fragments of a message as any other.

    RFC 6455, section 5.4: control frames "MAY be injected in the middle of a fragmented message". The
    sans-I/O layer refuses a close frame there with 1002, the only one that it has read and refuses.

    Args:
        protocol: has just read.
        answers: the close frame is answered with its code, in the place of the refusal.

    """
    received, refusal = protocol.close_rcvd, protocol.close_sent
    if received is None or not isinstance(protocol.parser_exc, ProtocolError) or refusal is None:
        return
    protocol.parser_exc = None
    answer = Frame(Opcode.CLOSE, b"" if received.code == 1005 else received.serialize())
    if answers:
        protocol.close_sent = received
        written = answer.serialize(mask=protocol.side is CLIENT, extensions=[])
        protocol.writes = [
            written if data != SEND_EOF and head(data)[0] == _CLOSE else data for data in protocol.writes
        ]
    protocol.events.append(answer)

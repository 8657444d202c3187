"""The few things about bytes on the wire that the sans-I/O layer does not tell."""

from __future__ import annotations


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

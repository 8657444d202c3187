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

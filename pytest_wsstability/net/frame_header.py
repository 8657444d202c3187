"""
The header of a frame, RFC 6455, section 5.2: whoever of us looks at the bytes of a peer reads it here.

Only `short_frames` reads its own, in one step.

"""

from __future__ import annotations

# Of the second byte: whether a mask follows, and the length, or that two or eight bytes more have it.
MASKED = 0x80
IN_BYTE, _IN_TWO = 125, 126
_LENGTH, _OPCODE = 0x7F, 0x0F

LONGEST = 14
"""Bytes of the longest header: two, eight of the length, four of the mask."""


def read(data: bytes) -> tuple[int, bool, int, int] | None:
    """
    The first byte, whether the payload is masked, where it begins and how long it is.

    None if more of the header has to come. A plain tuple: each frame comes along here.

    """
    have = len(data)
    if have < 2:
        return None
    size, masked, start = data[1] & _LENGTH, data[1] >= MASKED, 2
    if size > IN_BYTE:
        start = 4 if size == _IN_TWO else 10
        if have < start:
            return None
        size = int.from_bytes(data[2:start], "big")
    if masked:
        start += 4
    return (data[0], masked, start, size) if have >= start else None


def has_more(second: int) -> tuple[bool, bool]:
    """Whether more bytes of the header have the length, and whether a mask follows."""
    return second & _LENGTH > IN_BYTE, second >= MASKED


def opcode_of(first: int) -> int:
    """The opcode in the first byte, which may be a reserved one."""
    return first & _OPCODE


def size_of(size: int, *, masked: bool) -> int:
    """
    Bytes of the header of a frame with so many of payload.

    "The minimal number of bytes MUST be used to encode the length".

    """
    return (2 if size <= IN_BYTE else 4 if size < 2**16 else 10) + (4 if masked else 0)

"""
The header of a frame, RFC 6455, section 5.2: whoever of us looks at the bytes of a peer reads it here.

Only `short_frames` reads its own, in one step.

"""

from __future__ import annotations

# Of the second byte: whether a mask follows, and the length, or that two or eight bytes more have it.
MASKED = 0x80
IN_BYTE, _IN_TWO = 125, 126
_LENGTH, _OPCODE = 0x7F, 0x0F
# Of the first byte: the last frame of a message, the bits that only extensions use, and of opcodes, those of
# control frames.
_FINAL, _RESERVED, _CONTROL = 0x80, 0x70, 0x8
# By the length in the second byte: where that in more bytes ends, and the least that it is for. The bit that
# no length has.
_FIELDS, _TOP = {_IN_TWO: (4, _IN_TWO), 127: (10, 2**16)}, 2**63

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


def flaw_of(begun: bytes, *, extended: bool) -> str | None:
    """
    What is wrong with a header, as far as its first bytes tell; None while nothing is.

    Args:
        begun: the first bytes of a frame, in any number.
        extended: whether reserved bits may be set.

    """
    if len(begun) < 2:
        return None
    first, code = begun[0], begun[1] & _LENGTH
    if first & _RESERVED and not extended:
        return "reserved bits must be 0"
    if opcode_of(first) >= _CONTROL and code > IN_BYTE:
        return "control frame too long"
    if opcode_of(first) >= _CONTROL and not first & _FINAL:
        return "fragmented control frame"
    stop, least = _FIELDS.get(code, (2, 0))
    if len(begun) < stop or code <= IN_BYTE:
        return None
    length = int.from_bytes(begun[2:stop], "big")
    if length < least:
        return "length not in its shortest form"
    return None if length < _TOP else "length of more than 63 bits"


def opcode_of(first: int) -> int:
    """The opcode in the first byte, which may be a reserved one."""
    return first & _OPCODE


def size_of(size: int, *, masked: bool) -> int:
    """
    Bytes of the header of a frame with so many of payload.

    "The minimal number of bytes MUST be used to encode the length".

    """
    return (2 if size <= IN_BYTE else 4 if size < 2**16 else 10) + (4 if masked else 0)

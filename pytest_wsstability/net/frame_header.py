"""
The header of a frame, RFC 6455, section 5.2: whoever of us looks at the bytes of a peer reads it here.

Only `short_frames` reads its own, in one step.

"""

from __future__ import annotations

# Of the second byte: whether a mask follows, and the length, or that two or eight bytes more have it.
MASKED = 0x80
IN_BYTE, _IN_TWO = 125, 126
_LENGTH, _OPCODE = 0x7F, 0x0F
# Of the first byte: the last frame of a message, the bits that only extensions use, and the one of them that
# says that a message is compressed; opcodes.
_FINAL, _RESERVED, _COMPRESSED = 0x80, 0x70, 0x40
_CONTINUATION, _CONTROL = 0x0, 0x8
_FIRST_OF_MESSAGES, _OPCODES = frozenset({0x1, 0x2}), frozenset({0x0, 0x1, 0x2, 0x8, 0x9, 0xA})
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


def flaw_of(begun: bytes, *, masked: bool, extended: bool, within: bool) -> str | None:
    """
    What is wrong with a header, as far as its first bytes tell; None while nothing is.

    Args:
        begun: the first bytes of a frame, in any number.
        masked: whether it has to be.
        extended: whether messages may be compressed (RFC 7692, section 6: the first frame says so).
        within: whether it comes in the middle of a message in fragments.

    """
    if len(begun) < 2:
        return None
    first, second = begun[0], begun[1]
    opcode = opcode_of(first)
    may_be_set = _COMPRESSED if extended and opcode in _FIRST_OF_MESSAGES else 0
    if first & _RESERVED & ~may_be_set:
        return "reserved bits must be 0"
    if opcode not in _OPCODES:
        return "invalid opcode"
    if opcode >= _CONTROL and second & _LENGTH > IN_BYTE:
        return "control frame too long"
    if opcode >= _CONTROL and not first & _FINAL:
        return "fragmented control frame"
    if (second >= MASKED) is not masked:
        return "incorrect masking"
    if opcode == _CONTINUATION and not within:
        return "unexpected continuation frame"
    if opcode in _FIRST_OF_MESSAGES and within:
        return "expected a continuation frame"
    return _flaw_of_length(begun, second & _LENGTH)


def _flaw_of_length(begun: bytes, code: int) -> str | None:
    stop, least = _FIELDS.get(code, (2, 0))
    if code <= IN_BYTE or len(begun) < stop:
        return None
    length = int.from_bytes(begun[2:stop], "big")
    if length < least:
        return "length not in its shortest form"
    return None if length < _TOP else "length of more than 63 bits"


def goes_on_after(first: int, *, within: bool) -> bool:
    """Whether a message in fragments is under way behind a frame with this first byte."""
    return within if opcode_of(first) >= _CONTROL else not first & _FINAL


def opcode_of(first: int) -> int:
    """The opcode in the first byte, which may be a reserved one."""
    return first & _OPCODE

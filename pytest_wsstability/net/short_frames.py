"""
Short frames, which is what heartbeats, pings, pongs and frames of audio are, read and written in one step.

The sans-I/O layer reads frames from a stream that may be cut anywhere, of any length, with extensions:
more than a third of what a heartbeat cost in virtual time (measured). Here a frame is whole, final,
unextended and of at most `LONGEST` bytes (RFC 6455, section 5.2), or it is none of ours and the sans-I/O
layer takes it.

"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..core.timeline.events import Opcode
from .frame_header import IN_BYTE, MASKED

try:
    from websockets.speedups import apply_mask
except ImportError:
    # The library without its C extension.
    from websockets.utils import apply_mask

if TYPE_CHECKING:
    from websockets.protocol import Protocol

# 100 ms of audio in base64 are 6,400 bytes at most (24 kHz, 16 bit).
LONGEST = 2**14
_FINAL, _LENGTH = 0x80, 0x7F
_IN_TWO = 126
# Bytes of a header with the length in its second byte, and of one with a mask besides.
_HEADER, _MASKED_HEADER = 2, 6
_CLOSE = int(Opcode.CLOSE)
# The first two bytes of a frame, by opcode and second byte.
_HEADS = {
    int(opcode): tuple(bytes((_FINAL | opcode, second)) for second in range(0x100))
    for opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG)
}
_READ = {_FINAL | opcode: opcode for opcode in _HEADS}
# Masks that were drawn together and that nobody has used: a call of the system for each is a third of what
# writing a short frame costs (measured).
_MASK, _DRAWN = 4, 256
_masks: list[bytes] = []
if hasattr(os, "register_at_fork"):
    # Two processes must not use the same ones.
    os.register_at_fork(after_in_child=_masks.clear)


def read(data: bytes, *, masked: bool) -> tuple[int, bytes] | None:
    """
    Opcode and payload of the short frame that these bytes are; None if they are anything else.

    Close frames and fragments are none of ours: both change what may follow.

    """
    # Written out, without `frame_header`: each frame comes along here.
    have = len(data)
    if have < _HEADER:
        return None
    opcode, second = _READ.get(data[0]), data[1]
    if opcode is None or (second >= MASKED) is not masked:
        return None
    size, start = second & _LENGTH, _MASKED_HEADER if masked else _HEADER
    if size > IN_BYTE:
        # Control frames are never so long (section 5.5), and the length has its minimal form (section 5.2).
        size, start = int.from_bytes(data[2:4], "big") if size == _IN_TWO else 0, start + 2
        if opcode > _CLOSE or not IN_BYTE < size <= LONGEST:
            return None
    if have != start + size:
        return None
    return opcode, apply_mask(data[start:], data[start - 4 : start]) if masked else data[start:]


def write(opcode: int, payload: bytes, *, masked: bool) -> bytes:
    """A short frame; masked with four bytes that nobody can foretell (RFC 6455, section 5.3)."""
    size = len(payload)
    second = size if size <= IN_BYTE else _IN_TWO
    head = _HEADS[opcode][second | MASKED if masked else second]
    if second == _IN_TWO:
        head += size.to_bytes(2, "big")
    if not masked:
        return head + payload
    try:
        mask = _masks.pop()
    except IndexError:
        mask = _draw()
    return head + mask + apply_mask(payload, mask)


def _draw() -> bytes:
    """A new mask, and many for later."""
    drawn = os.urandom(_MASK * _DRAWN)
    _masks.extend(drawn[start : start + _MASK] for start in range(_MASK, len(drawn), _MASK))
    return drawn[:_MASK]


def limit_of(protocol: Protocol) -> int | None:
    """Bytes of a message that a sans-I/O layer takes; None for no limit."""
    # The second is its name in older versions.
    return getattr(protocol, "max_message_size", None) or getattr(protocol, "max_size", None)


def are_possible(protocol: Protocol) -> bool:
    """Whether there are no extensions, nobody reads of each frame in a log, and none is over the limit."""
    limit = limit_of(protocol)
    return not protocol.extensions and not protocol.debug and (limit is None or limit >= LONGEST)

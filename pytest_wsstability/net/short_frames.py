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
_FINAL = 0x80
_IN_TWO = 126
# Bytes of a header with the length in its second byte, and of one with a mask besides.
_HEADER, _MASKED_HEADER = 2, 6
_CLOSE = int(Opcode.CLOSE)
# The first two bytes of a frame, by opcode and second byte.
_HEADS = {
    int(opcode): tuple(bytes((_FINAL | opcode, second)) for second in range(0x100))
    for opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG)
}


def _read(opcode: int, size: int, start: int) -> tuple[int, int, int]:
    """Opcode, bytes before the payload, and bytes in all; 0 where the length stands in two bytes more."""
    return (opcode, start + 2, 0) if size == _IN_TWO else (opcode, start, start + size)


# What they tell of the frame, if it is masked, and if not. Control frames are never long (section 5.5).
_MASKED_HEADS, _PLAIN_HEADS = (
    {
        heads[mask | size]: _read(opcode, size, start)
        for opcode, heads in _HEADS.items()
        for size in range(_IN_TWO if opcode > _CLOSE else _IN_TWO + 1)
    }
    for mask, start in ((MASKED, _MASKED_HEADER), (0, _HEADER))
)
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
    # Without `frame_header`, and by a table: each frame comes along here.
    known = (_MASKED_HEADS if masked else _PLAIN_HEADS).get(data[:_HEADER])
    if known is None:
        return None
    opcode, start, whole = known
    if not whole:
        # The length has its minimal form (section 5.2).
        size = int.from_bytes(data[_HEADER : _HEADER + 2], "big")
        whole = start + size if IN_BYTE < size <= LONGEST else 0
    if len(data) != whole:
        return None
    return opcode, apply_mask(data[start:], data[start - _MASK : start]) if masked else data[start:]


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

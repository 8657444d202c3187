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

try:
    from websockets.speedups import apply_mask
except ImportError:
    # The library without its C extension.
    from websockets.utils import apply_mask

if TYPE_CHECKING:
    from websockets.protocol import Protocol

# 100 ms of audio in base64 are 6,400 bytes at most (24 kHz, 16 bit).
LONGEST = 2**14
# The longest payload whose length stands in the second byte; of longer ones that says that two more have it.
_IN_BYTE, _IN_TWO = 125, 126
_FINAL, _MASKED = 0x80, 0x80
_READ = {_FINAL | each: int(each) for each in (Opcode.TEXT, Opcode.BINARY, Opcode.PING, Opcode.PONG)}
# Control frames are never longer (section 5.5).
_READ_LONGER = {_FINAL | each: int(each) for each in (Opcode.TEXT, Opcode.BINARY)}
_HEADS = tuple(bytes([second]) for second in range(0x100))


def read(data: bytes, *, masked: bool) -> tuple[int, bytes] | None:
    """
    Opcode and payload of the short frame that these bytes are; None if they are anything else.

    Close frames and fragments are none of ours: both change what may follow.

    """
    size = len(data) - (6 if masked else 2)
    if size < 0 or size > LONGEST + 2:
        return None
    if size > _IN_BYTE:
        return _read_longer(data, size - 2, masked=masked)
    if data[1] != (_MASKED | size if masked else size):
        return None
    opcode = _READ.get(data[0])
    if opcode is None:
        return None
    return opcode, apply_mask(data[6:], data[2:6]) if masked else data[2:]


def _read_longer(data: bytes, size: int, *, masked: bool) -> tuple[int, bytes] | None:
    """The same, with the length in two bytes of its own; the minimal form, as section 5.2 demands."""
    opcode = _READ_LONGER.get(data[0])
    if opcode is None or size <= _IN_BYTE or data[1] != (_MASKED | _IN_TWO if masked else _IN_TWO):
        return None
    if data[2] << 8 | data[3] != size:
        return None
    return opcode, apply_mask(data[8:], data[4:8]) if masked else data[4:]


def write(opcode: int, payload: bytes, *, masked: bool) -> bytes:
    """A short frame; masked with four bytes that nobody can foretell (RFC 6455, section 5.3)."""
    size = len(payload)
    length = _HEADS[size] if size <= _IN_BYTE else _HEADS[_IN_TWO] + size.to_bytes(2, "big")
    if not masked:
        return _HEADS[_FINAL | opcode] + length + payload
    length = _HEADS[_MASKED | length[0]] + length[1:]
    mask = os.urandom(4)
    return _HEADS[_FINAL | opcode] + length + mask + apply_mask(payload, mask)


def limit_of(protocol: Protocol) -> int | None:
    """Bytes of a message that a sans-I/O layer takes; None for no limit."""
    # The second is its name in older versions.
    return getattr(protocol, "max_message_size", None) or getattr(protocol, "max_size", None)


def are_possible(protocol: Protocol) -> bool:
    """Whether there are no extensions, nobody reads of each frame in a log, and none is over the limit."""
    limit = limit_of(protocol)
    return not protocol.extensions and not protocol.debug and (limit is None or limit >= LONGEST)


def behind_head(data: bytes) -> int | None:
    """How many bytes follow the head of the opening handshake; None unless these begin with one."""
    end = data.find(b"\r\n\r\n")
    return len(data) - end - 4 if end > 0 and data.startswith((b"GET ", b"HTTP/")) else None


def wire_size(size: int, *, masked: bool) -> int:
    """
    Bytes of a frame with so many of payload, or fewer than it took.

    RFC 6455, section 5.2: "the minimal number of bytes MUST be used to encode the length".

    """
    head = 2 if size <= _IN_BYTE else 4 if size < 2**16 else 10
    return size + head + (4 if masked else 0)

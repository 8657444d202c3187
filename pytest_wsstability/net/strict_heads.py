"""
The heads of frames, RFC 6455, section 5.2: what breaks the protocol there is refused as soon as it is there.

The sans-I/O layer takes a length in more bytes than it needs, and looks at the rest once a frame is whole: an
HTTP response that stands in the stream would be the beginning of a frame for ever.

"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, TypeAlias

from websockets.exceptions import ProtocolError
from websockets.protocol import CLIENT, State

from . import frame_header

if TYPE_CHECKING:
    from websockets.protocol import Protocol

_Read: TypeAlias = Generator[None, None, "bytes | bytearray"]
_FINAL, _RESERVED, _CONTROL = 0x80, 0x70, 0x8
# The least length that two and eight bytes are for, and the bit that is none of it.
_LEAST, _TOP = {2: 126, 8: 2**16}, 2**63


def refuse_wrong_heads(protocol: Protocol) -> None:
    """Let a sans-I/O layer, in either role, refuse them with 1002."""
    reader = protocol.reader
    read = reader.read_exact
    # Whether what is read next of the present frame is its length, the last first; empty between frames.
    parts: list[bool] = []

    def read_head(size: int) -> _Read:
        data = yield from read(size)
        long, masked = frame_header.has_more(data[1])
        _refuse_head(data[0], long=long, extended=bool(protocol.extensions))
        # The payload, the mask, the length.
        parts.extend([False] * (1 + masked) + [True] * long)
        return data

    def read_length(size: int) -> _Read:
        data = yield from read(size)
        _refuse_length(int.from_bytes(data, "big"), _LEAST[size])
        return data

    def read_exact(size: int) -> _Read:
        if parts:
            return read_length(size) if parts.pop() else read(size)
        if protocol.side is CLIENT and protocol.state is State.CONNECTING:
            # The body of an HTTP response.
            return read(size)
        return read_head(size)

    reader.read_exact = read_exact  # type: ignore[method-assign, assignment]


def _refuse_head(first: int, *, long: bool, extended: bool) -> None:
    if first & _RESERVED and not extended:
        raise ProtocolError("reserved bits must be 0")
    if frame_header.opcode_of(first) >= _CONTROL:
        if long:
            raise ProtocolError("control frame too long")
        if not first & _FINAL:
            raise ProtocolError("fragmented control frame")


def _refuse_length(length: int, least: int) -> None:
    if length < least:
        raise ProtocolError("length not in its shortest form")
    if length >= _TOP:
        raise ProtocolError("length of more than 63 bits")

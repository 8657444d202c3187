"""The flight recorder: the last events of a connection, 16 bytes each, in a ring that stops growing."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .events import Direction, Event, Kind, Opcode, Role

# at, then size in bytes (frames) or milliseconds (lags, sleeps: 49 days fit), then four small enums.
_RECORD = struct.Struct("<dIBBBB")
_SIZE = _RECORD.size
_pack, _pack_into = _RECORD.pack, _RECORD.pack_into
_MAX = 0xFFFFFFFF

_KINDS = tuple(Kind)
_DIRECTIONS = tuple(Direction)
_OPCODES = {int(opcode): opcode for opcode in Opcode}
_ROLES = tuple(Role)


class Recorder:
    """
    The last ``capacity`` events, packed.

    An event object costs about 150 bytes and thousands of connections are held at once, so events
    are kept as records of 16 bytes and made into objects when somebody reads them.

    """

    __slots__ = ("_buffer", "_capacity", "_next", "total")

    def __init__(self, capacity: int) -> None:
        self._buffer = bytearray()
        self._capacity = capacity * _SIZE
        # Where the next record goes; behind the end, the ring starts anew.
        self._next = 0
        # How many events were ever appended; the ring holds at most `capacity` of them.
        self.total = 0

    def append(self, at: float, kind: int, direction: int, opcode: int, number: int, role: int) -> None:
        """Record one event; ``number`` is bytes for a frame, milliseconds for a lag."""
        self.total += 1
        if number > _MAX:
            number = _MAX
        position = self._next
        if position == self._capacity:
            position = 0
        if position == len(self._buffer):
            self._buffer += _pack(at, number, kind, direction, opcode, role)
        else:
            _pack_into(self._buffer, position, at, number, kind, direction, opcode, role)
        self._next = position + _SIZE

    def __len__(self) -> int:
        return len(self._buffer) // _SIZE

    def __iter__(self) -> Iterator[Event]:
        # A copy: the ring may move on while the caller looks at its events.
        buffer = bytes(self._buffer[self._next :] + self._buffer[: self._next])
        for at, number, kind, direction, opcode, role in _RECORD.iter_unpack(buffer):
            is_frame = kind == Kind.FRAME
            yield Event(
                at,
                _KINDS[kind],
                _DIRECTIONS[direction],
                _OPCODES[opcode],
                number if is_frame else 0,
                _ROLES[role],
                0.0 if is_frame else number / 1000,
            )

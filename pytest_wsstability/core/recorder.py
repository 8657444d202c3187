"""The flight recorder: the last events of a connection, 16 bytes each, in a ring that stops growing."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .events import Direction, Event, Kind, Opcode, Role

# at, then size in bytes (frames) or milliseconds (lags, sleeps: 49 days fit), then four small enums.
_RECORD = struct.Struct("<dIBBBB")
_SIZE = _RECORD.size
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
        # Where the next record goes once the ring is full.
        self._next = 0
        # How many events were ever appended; the ring holds at most `capacity` of them.
        self.total = 0

    def append(self, at: float, kind: int, direction: int, opcode: int, number: int, role: int) -> None:
        """Record one event; ``number`` is bytes for a frame, milliseconds for a lag."""
        self.total += 1
        if number > _MAX:
            number = _MAX
        if len(self._buffer) < self._capacity:
            self._buffer += _RECORD.pack(at, number, kind, direction, opcode, role)
            return
        _RECORD.pack_into(self._buffer, self._next, at, number, kind, direction, opcode, role)
        self._next += _SIZE
        if self._next == self._capacity:
            self._next = 0

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

"""The flight recorder: the last events of a connection, 18 bytes each, in a ring that stops growing."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import cache

from .events import Direction, Event, EventKind, FaultName, Opcode, Role

# at, then size in bytes (frames), milliseconds (lags, sleeps: 49 days fit) or place in FaultName (in memory
# only), the sort (four small enums), and the lower half of the event's number.
_RECORD = struct.Struct("<dI4sH")
_SORT = struct.Struct("<4B")
_SIZE = _RECORD.size
_pack, _pack_into = _RECORD.pack, _RECORD.pack_into
_MAX = 0xFFFFFFFF
_LOWER = 0xFFFF

_KINDS = tuple(EventKind)
_FAULTS = tuple(FaultName)
_PLACES = {name: place for place, name in enumerate(_FAULTS)}
_DIRECTIONS = tuple(Direction)
_OPCODES = {int(opcode): opcode for opcode in Opcode}
_ROLES = tuple(Role)

# The same record in halves: when it was, and what. Two that differ in their instants only share the second.
_HALVES = struct.Struct("<d8s2x")
_WHOLE = struct.Struct("<d8sH")
_WHAT = struct.Struct("<IBBBB")
_NUMBER = struct.Struct("<H")
# The instant, and what happened: its measure, then its sort, which many events have in common.
Packed = tuple[float, bytes]
UNMEASURED = slice(4, None)


@cache
def sort_of(kind: int, direction: int, opcode: int, role: int) -> bytes:
    """What `Recorder.append` takes for all but the instant, the measure and the number of an event."""
    return _SORT.pack(kind, direction, opcode, role)


class Recorder:
    """
    The last ``capacity`` events, packed.

    An event object costs about 150 bytes and thousands of connections are held at once, so events
    are kept as records of 18 bytes and made into objects when somebody reads them.

    """

    __slots__ = ("_buffer", "_capacity", "_length", "_next")

    def __init__(self, capacity: int) -> None:
        self._buffer = bytearray()
        self._capacity = capacity
        # Where the next record goes, in records; behind the end, the ring starts anew. (Python has the small
        # numbers ready, and makes an object for each large one.)
        self._next = 0
        # How many records there are.
        self._length = 0

    def append(self, at: float, sort: bytes, measure: int, number: int) -> None:
        """
        Record one event.

        Args:
            at: seconds.
            sort: its kind, direction, opcode and role, as `sort_of` gives them.
            measure: bytes for a frame, milliseconds for a lag or sleep, `fault_measure` for a fault.
            number: how many events came before it, in this record and in those beside it.

        """
        if measure > _MAX:
            measure = _MAX
        position = self._next
        if position == self._length:
            if position < self._capacity:
                self._buffer += _pack(at, measure, sort, number & _LOWER)
                self._next = self._length = position + 1
                return
            position = 0
        _pack_into(self._buffer, position * _SIZE, at, measure, sort, number & _LOWER)
        self._next = position + 1

    def __copy__(self) -> Recorder:
        copied = Recorder(self._capacity)
        copied._buffer, copied._next, copied._length = self._buffer[:], self._next, self._length
        return copied

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Event]:
        return (event_of(packed) for _, packed in self.numbered(0))

    def numbered(self, last: int) -> list[tuple[int, Packed]]:
        """The records, oldest first, each with its number; ``last`` is that of the latest event of all."""
        return self._packed(last, len(self))

    def packed_since(self, first: int, last: int) -> Iterable[Packed]:
        """
        The records from a number on, oldest first, as they were packed: no object is made of them.

        Args:
            first: the number of the first event wanted.
            last: the number of the latest event of all.

        """
        end, most = self._next * _SIZE, last + 1 - first
        start = end - most * _SIZE
        if 0 <= start < end and _NUMBER.unpack_from(self._buffer, start + _SIZE - 2)[0] == first & _LOWER:
            # The ring did not wrap and no event is elsewhere, which is the rule.
            return _HALVES.iter_unpack(self._buffer[start:end])
        return [packed for number, packed in self._packed(last, most) if number >= first]

    def _packed(self, last: int, most: int) -> list[tuple[int, Packed]]:
        """At most so many of the latest records, oldest first, each with its number."""
        cut = self._next * _SIZE
        buffer = self._buffer[cut:] + self._buffer[:cut]
        if most < len(self):
            del buffer[: -most * _SIZE or None]
        number, found = last, []
        for at, what, lower in reversed([*_WHOLE.iter_unpack(buffer)]):
            # The upper half follows from the event after it, unless 65,536 others lay between.
            number -= (number - lower) & _LOWER
            found.append((number, (at, what)))
        found.reverse()
        return found


def event_of(packed: Packed) -> Event:
    """The event that was packed."""
    at, what = packed
    measure, kind, direction, opcode, role = _WHAT.unpack(what)
    size = measure if kind == EventKind.FRAME else 0
    fault = _FAULTS[measure] if kind == EventKind.FAULT else None
    seconds = 0.0 if kind in (EventKind.FRAME, EventKind.FAULT) else measure / 1000
    return Event(
        at, _KINDS[kind], _DIRECTIONS[direction], _OPCODES[opcode], size, _ROLES[role], seconds, fault
    )


def fault_measure(name: FaultName) -> int:
    """What `Recorder.append` takes as the measure of a fault."""
    return _PLACES[name]


def measure_of(event: Event) -> int:
    """What `Recorder.append` takes as the measure of an event."""
    if event.fault is not None:
        return fault_measure(event.fault)
    return event.size if event.kind is EventKind.FRAME else round(event.seconds * 1000)

"""
What a record counts and times of its frames, in one list of numbers: where each number stands, and its JSON.

A number takes two thirds less in a list than in an array, which checks what it is given (measured). First
what was sent, then what was received, each so: silences (for each kind of frame its last instant, then the
longest time without one), frames (for each opcode their number, their bytes and the last instant), and the
last instant of each role.

"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plain import restore, word
from .events import Direction, EventKind, FrameKind, Opcode, Role
from .recorder import sort_of

# Behind the number of an opcode's frames, their bytes and their last instant.
BYTES, LAST = 1, 2
# Behind the last instant of a kind of frame, the longest time without one.
LONGEST = 1

_NEVER = -1.0
_WAYS = (Direction.SENT, Direction.RECEIVED)
_FRAMES = tuple(opcode for opcode in Opcode if opcode is not Opcode.NONE)
_SLOT = {int(opcode): slot for slot, opcode in enumerate(_FRAMES)}
_TOLD_ROLES = tuple(role for role in Role if role is not Role.NONE)
_KIND = {int(opcode): FrameKind.DATA for opcode in (Opcode.CONT, Opcode.TEXT, Opcode.BINARY)}
_KIND |= {int(Opcode.PING): FrameKind.PING, int(Opcode.PONG): FrameKind.PONG}
_OPCODES = 2 * len(FrameKind)
_MEANT = _OPCODES + 3 * len(_FRAMES)
_WAY = _MEANT + len(Role)


def silence(kind: int, direction: int) -> int:
    """Where the last instant of a kind of frame stands; behind it, the longest time without one."""
    return _WAY * direction + 2 * kind


def counted(opcode: int, direction: int) -> int:
    """Where the number of an opcode's frames stands; behind it, their bytes and their last instant."""
    return _WAY * direction + _OPCODES + 3 * _SLOT[opcode]


def meant(role: int, direction: int) -> int:
    """Where the last instant of a role stands."""
    return _WAY * direction + _MEANT + role


def _places(
    opcode: int, direction: int, role: Role
) -> tuple[int, int, int, int, int, int, int, int, bytes, bool]:
    """
    What is known of a frame before it comes.

    Where its number, its bytes, the last instants of its opcode and of its role stand, the last of its kind
    and the longest silence of it, and the same of any frame. Then what `Recorder.append` takes, and whether
    it stands in the ring of data frames.

    """
    count, anything = counted(opcode, direction), silence(FrameKind.ANY, direction)
    place = silence(_KIND.get(opcode, FrameKind.ANY), direction)
    where = (count, count + BYTES, count + LAST, meant(role, direction))
    silences = (place, place + LONGEST, anything, anything + LONGEST)
    sort = sort_of(EventKind.FRAME, direction, opcode, role)
    return (*where, *silences, sort, is_data(opcode, role))


def is_data(opcode: int, role: int) -> bool:
    """Whether a frame stands in the ring of data frames."""
    return opcode < Opcode.CLOSE and role <= Role.DATA


# Ready before, because each frame needs them; in dictionaries, which find members of enums faster than
# tuples do. By opcode, direction and role.
PLACES = {
    opcode: {way: {role: _places(opcode, way, role) for role in Role} for way in _WAYS} for opcode in _SLOT
}


def _fresh() -> list[float]:
    figures: list[float] = [0.0] * (2 * _WAY)
    for direction in _WAYS:
        for opcode in _SLOT:
            place = counted(opcode, direction)
            figures[place : place + 3] = 0, 0, _NEVER
        for role in Role:
            figures[meant(role, direction)] = _NEVER
    return figures


# What stands in the list before the first frame.
FRESH = _fresh()


def count(figures: list[float], direction: Direction, opcodes: tuple[Opcode, ...] = ()) -> int:
    """How many frames there were of the opcodes given, or of all."""
    return _sum(figures, 0, direction, opcodes)


def size(figures: list[float], direction: Direction, opcodes: tuple[Opcode, ...] = ()) -> int:
    """How many bytes of payload they had."""
    return _sum(figures, BYTES, direction, opcodes)


def _sum(figures: list[float], place: int, direction: Direction, opcodes: tuple[Opcode, ...]) -> int:
    return int(sum(figures[counted(each, direction) + place] for each in opcodes or _FRAMES))


def last_of_opcode(figures: list[float], direction: Direction, opcode: Opcode) -> float | None:
    """When a frame of an opcode was last seen, in seconds since the opening; None if never."""
    return _instant(figures[counted(opcode, direction) + LAST])


def last_of_role(figures: list[float], direction: Direction, role: Role) -> float | None:
    """The same of a role."""
    return _instant(figures[meant(role, direction)])


def _instant(at: float) -> float | None:
    return None if at == _NEVER else at


def as_dict(figures: list[float]) -> dict[str, Any]:
    """Four fields of a record's JSON; `restore_from` reads them back."""
    return {
        "frames": {word(way): _frames(figures, way) for way in _WAYS},
        "last_opcodes": {word(way): _opcodes_seen(figures, way) for way in _WAYS},
        "last_roles": {word(way): _roles_seen(figures, way) for way in _WAYS},
        "silences": {word(way): _silences(figures, way) for way in _WAYS},
    }


def _frames(figures: list[float], way: Direction) -> dict[str, list[int]]:
    found = {opcode: count(figures, way, (opcode,)) for opcode in _FRAMES}
    return {
        word(opcode): [frames, size(figures, way, (opcode,))] for opcode, frames in found.items() if frames
    }


def _opcodes_seen(figures: list[float], way: Direction) -> dict[str, float]:
    return _seen({word(opcode): last_of_opcode(figures, way, opcode) for opcode in _FRAMES})


def _roles_seen(figures: list[float], way: Direction) -> dict[str, float]:
    return _seen({word(role): last_of_role(figures, way, role) for role in _TOLD_ROLES})


def _seen(found: Mapping[str, float | None]) -> dict[str, float]:
    return {name: round(at, 6) for name, at in found.items() if at is not None}


def _silences(figures: list[float], way: Direction) -> dict[str, list[float]]:
    """When each kind of frame was last seen, and the longest time without it before."""
    places = {word(kind): silence(kind, way) for kind in FrameKind}
    return {
        name: [round(figures[place], 6), round(figures[place + LONGEST], 6)] for name, place in places.items()
    }


def restore_from(data: Mapping[str, Any], where: str) -> list[float]:
    """
    The list that `as_dict` made this of.

    Raises:
        KeyError: for something missing.
        TypeError, ValueError: for something wrong.

    """
    figures = FRESH[:]
    for way in _WAYS:
        _restore_way(figures, way, data, where)
    return figures


def _restore_way(figures: list[float], way: Direction, data: Mapping[str, Any], where: str) -> None:
    name = word(way)
    for opcode, (frames, octets) in data["frames"][name].items():
        place = counted(restore(Opcode, opcode, f"{where}.frames"), way)
        figures[place], figures[place + BYTES] = int(frames), int(octets)
    for opcode, at in data["last_opcodes"][name].items():
        place = counted(restore(Opcode, opcode, f"{where}.last_opcodes"), way)
        figures[place + LAST] = float(at)
    for role, at in data["last_roles"][name].items():
        figures[meant(restore(Role, role, f"{where}.last_roles"), way)] = float(at)
    for kind, (at, longest) in data["silences"][name].items():
        place = silence(restore(FrameKind, kind, f"{where}.silences"), way)
        figures[place], figures[place + LONGEST] = float(at), float(longest)

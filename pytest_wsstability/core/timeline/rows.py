"""Events and texts as rows that JSON has, and back; and close evidence as it may be passed around."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any, TypeVar

from ..plain import restore, word
from ..redact import redact_text, show_text
from .close import CloseEvidence, CloseFrame
from .events import Direction, Event, EventKind, FaultName, Opcode, Role

_Number = TypeVar("_Number", int, float)

# What a name stands for in a row of an event.
_KIND = {word(kind): kind for kind in EventKind}
_DIRECTION = {word(direction): direction for direction in Direction}
_OPCODE = {word(opcode): opcode for opcode in Opcode}
_ROLE = {word(role): role for role in Role}
# And back: rows are written by the thousands.
_WAY_WORD, _OPCODE_WORD, _ROLE_WORD = (
    {int(member): name for name, member in words.items()} for words in (_DIRECTION, _OPCODE, _ROLE)
)


def row(event: Event) -> list[Any]:
    """A row: ``[25.0, "frame", "sent", "text", 15, "heartbeat"]``, ``[3.0, "loop_lag", 1.2]``."""
    at = round(event.at, 6)
    if event.kind is EventKind.FAULT:
        return [at, "fault", None if event.fault is None else event.fault.value]
    if event.kind is not EventKind.FRAME:
        return [at, word(event.kind), event.seconds]
    words = _WAY_WORD[event.direction], _OPCODE_WORD[event.opcode], event.size, _ROLE_WORD[event.role]
    return [at, "frame", *words]


def event_of(each: Any, where: str = "event") -> Event:
    """
    The event that `row` made this of.

    Raises:
        ValueError: if it is no such row; for a fault that is unknown, naming the valid ones.

    """
    if isinstance(each, list) and len(each) == 3 and each[1] == "fault":
        at, _, name = each
        return Event(
            restore(float, at, where), EventKind.FAULT, fault=restore(FaultName, name, f"{where}, fault")
        )
    try:
        at, kind, *rest = each
        if kind != "frame":
            (seconds,) = rest
            return Event(float(at), _KIND[kind], seconds=_measured(float(seconds)))
        direction, opcode, size, role = rest
        size = _measured(int(size))
        return Event(float(at), EventKind.FRAME, _DIRECTION[direction], _OPCODE[opcode], size, _ROLE[role])
    except (KeyError, TypeError, ValueError):
        raise ValueError(f"{where}: {show_text(repr(each))} is no event") from None


def _measured(value: _Number) -> _Number:
    if value < 0:
        raise ValueError("less than nothing")
    return value


def rows_of_texts(texts: Iterable[tuple[float, str]]) -> list[list[Any]]:
    """Texts of messages with their instants, the secrets in them masked."""
    return [[rounded(at), redact_text(text)] for at, text in texts]


def texts_of(rows: Iterable[tuple[Any, Any]]) -> list[tuple[float, str]] | None:
    """The texts that `rows_of_texts` made this of; None of none."""
    return [(float(at), str(text)) for at, text in rows] or None


def rounded(value: Any) -> Any:
    """A float to the microsecond, anything else as it is."""
    return round(value, 6) if type(value) is float else value


def masked(close: CloseEvidence) -> CloseEvidence:
    """The evidence with the secrets masked that texts of the peer and of the system may hold."""
    return dataclasses.replace(
        close,
        received=_masked_frame(close.received),
        sent=_masked_frame(close.sent),
        parser_error=_masked_text(close.parser_error),
        stray=_masked_text(close.stray),
        error=_masked_text(close.error),
        local_detail=_masked_text(close.local_detail),
    )


def _masked_frame(frame: CloseFrame | None) -> CloseFrame | None:
    return None if frame is None else CloseFrame(frame.code, redact_text(frame.reason))


def _masked_text(text: str | None) -> str | None:
    return None if text is None else redact_text(text)

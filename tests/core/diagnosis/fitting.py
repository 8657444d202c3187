"""Which rows of the table of causes fit a record, and which second causes each leaves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pytest_wsstability.core.diagnosis.cohort import Beside
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.features import Features
from pytest_wsstability.core.diagnosis.signature import Signature
from pytest_wsstability.core.timeline.events import Direction, End, Event, EventKind, Opcode, Role
from tests.core.script import FIN, closed_by_peer, timeline

OPEN: dict[str, Any] = {}


def read(
    *rows: tuple[Any, ...],
    end: float = 60,
    how: Mapping[str, Any] | int = FIN,
    beside: Any = (),
    line_end: End = End.CLIENT,
    **more: Any,
) -> Features:
    """
    What is read from a script that ends so.

    Args:
        end: when it ends, or is looked at.
        how: the end, or the code of the peer's close frame; `OPEN` where it is still there.
        beside: what others show, by the names of `Beside`.
        line_end: whose record it is.

    """
    ended = closed_by_peer(how) if isinstance(how, int) else dict(how)
    last = [(end, ended)] if ended else []
    ordered = sorted(rows, key=lambda row: row[0])
    line = timeline(*ordered, *last, until=None if ended else end, end=line_end, **more)
    return extract(line, beside=Beside(**dict(beside)))


def stream(until: float = 60) -> list[tuple[float, str]]:
    """Four messages of the peer in the last seconds."""
    return [(until - at, "<text") for at in (4, 3, 2, 1)]


def after_message(features: Features, size: int) -> Features:
    """The same, right after a message of this end, its largest."""
    at, largest = features.age, replace(features.messages, last_is_largest=True)
    sent = Event(at, EventKind.FRAME, Direction.SENT, Opcode.BINARY, size, Role.DATA)
    return replace(features, tail=replace(features.tail, sent=(sent,)), messages=largest)


def fitting(rows: Iterable[Signature], features: Features) -> list[str]:
    """The causes of the rows that fit, in their order: ``RESTART / MAX_AGE HANDLER_ERROR``."""
    return [_told(row, features) for row in rows if row.when(features)]


def _told(row: Signature, features: Features) -> str:
    left = [rival.cause.name for rival in row.rivals if rival.when(features)]
    return " / ".join([row.cause.name, " ".join(left)] if left else [row.cause.name])

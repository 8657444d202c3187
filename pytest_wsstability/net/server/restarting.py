"""How a server that goes down ends its connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.timeline.close import VALID_CLOSE_CODES, LocalReason, may_be_sent
from .behaviour import DROP

if TYPE_CHECKING:
    from .book import Book

# Seconds that clients have to answer the close frame of a server that goes down.
CLOSE_GRACE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Farewell:
    """What connections see of the end of their server."""

    # None: FIN without a close frame.
    code: int | None
    reason: str
    # The user wants it, so that it is no instability at this end.
    planned: bool = False


def farewell(how: int | str) -> Farewell:
    """
    The farewell that somebody wrote: "drop", or a close code.

    Raises:
        ValueError: if it is neither.

    """
    if how == DROP:
        return Farewell(code=None, reason="the server restarts", planned=True)
    if isinstance(how, int) and not isinstance(how, bool) and may_be_sent(how):
        return Farewell(code=how, reason="the server restarts", planned=True)
    raise ValueError(f"how: {how!r} is neither 'drop' nor a close code; valid codes: {VALID_CLOSE_CODES}")


async def end_all(book: Book, way: Farewell, until: float) -> None:
    """
    End every connection, and wait until nothing of them is left.

    Args:
        book: who is there.
        way: what they see.
        until: the reading of the loop's clock at which those that do not answer are cut.

    """
    for connection in book.open_connections:
        websocket = connection.websocket
        if way.code is not None:
            websocket.start_close(way.code, way.reason, planned=way.planned)
        else:
            websocket.drop(LocalReason.RESTART, way.reason, planned=way.planned)
    if way.code is not None:
        await book.wait_gone(until)
    for websocket in book.websockets:
        if websocket.transport is not None:
            websocket.transport.abort()
    await book.wait_gone()

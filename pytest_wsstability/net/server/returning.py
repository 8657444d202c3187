"""Clients that come back: their server's assertions, over its book."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...core.duration import Duration, parse_duration
from ...core.judge.attempts import ConnectionAttempt
from ...core.judge.backoff import Backoff
from ...core.judge.reconnects import NoStorm, Reconnects, no_duplicate_session
from ...core.judge.session_error import SessionError
from ...core.judge.verdict import Outcome, Verdict

if TYPE_CHECKING:
    from ...core.judge.attempts import ConnectionHistory
    from .book import Book
    from .session import Session


async def assert_reconnects(
    book: Book,
    session: Session | None,
    within: Duration,
    same_session: bool | None,
    backoff: Backoff | Duration | None,
) -> Verdict:
    """See `Session.assert_reconnects`; without a session, every client's connections are judged."""
    __tracebackhide__ = True
    expected = Reconnects(
        within=parse_duration(within, "within"),
        same_session=_same(book, same_session),
        backoff=None if backoff is None else Backoff.of(backoff),
    )
    await _planned(book, session, expected.within)
    await _closing(book, session, expected.within)
    # Those that end while others are waited for are another assertion's.
    history = book.history()
    judged = [attempt for attempt in _attempts(history, session) if attempt.ended is not None]
    while deadlines := expected.deadlines(history, judged):
        # Each of them has to write in the book: before so many have, they cannot all be back.
        await book.changed(min(deadlines), times=len(deadlines))
        history = book.history()
    return _enforce(expected.judge(history, judged), history)


async def _planned(book: Book, session: Session | None, within: float) -> None:
    """Wait for the first end, while faults of the program are still to bring it."""
    seconds = book.struck_until()
    while seconds:
        history = book.history()
        attempts = _attempts(history, session)
        still_open = [attempt.at for attempt in attempts if attempt.ended is None]
        if not still_open or any(attempt.ended is not None and not attempt.left for attempt in attempts):
            return
        # A fault that makes an end silent is noticed some time after it.
        until = min(still_open) + seconds + within
        if history.now >= until:
            return
        await book.changed(until)


async def _closing(book: Book, session: Session | None, within: float) -> None:
    """Wait for connections that are about to end."""
    for connection in session.connections if session is not None else book.open_connections:
        websocket = connection.websocket
        if websocket.is_closing:
            await websocket.wait_ended(websocket.loop.time() + within)


def _attempts(history: ConnectionHistory, session: Session | None) -> list[ConnectionAttempt]:
    if session is None:
        return history.opened
    own = {id(connection.timeline) for connection in session.connections}
    return [attempt for attempt in history.opened if id(attempt.timeline) in own]


def _same(book: Book, same_session: bool | None) -> bool:
    if same_session and not book.has_sessions:
        raise ValueError(
            "same_session: the profile has no sessions, so nobody can tell; give False or nothing"
        )
    return book.has_sessions if same_session is None else same_session


def assert_no_storm(book: Book, max_per_second: float, jitter: Duration | None) -> Verdict:
    """See `Orchestrator.assert_no_reconnect_storm`."""
    __tracebackhide__ = True
    expected = NoStorm(
        max_per_second=_rate(max_per_second),
        jitter=None if jitter is None else parse_duration(jitter, "jitter"),
    )
    history = book.history()
    return _enforce(expected.judge(history), history)


def _rate(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise ValueError(f"max_per_second: {value!r} is not a number of attempts above 0")
    return float(value)


def assert_no_duplicate_session(book: Book) -> Verdict:
    """See `Orchestrator.assert_no_duplicate_session`."""
    __tracebackhide__ = True
    history = book.history()
    return _enforce(no_duplicate_session(history), history)


def _enforce(verdict: Verdict, history: ConnectionHistory) -> Verdict:
    __tracebackhide__ = True
    if verdict.outcome is not Outcome.STABLE:
        raise SessionError(verdict, history)
    return verdict

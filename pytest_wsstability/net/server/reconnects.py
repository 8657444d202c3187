"""Assertions about clients that come back, over what their server saw."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from ...core.duration import Duration, parse_duration, parse_optional
from ...core.judge.attempts import ConnectionAttempt, ConnectionHistory
from ...core.judge.backoff import Backoff
from ...core.judge.loss import NoticesLoss
from ...core.judge.reconnects import NoStorm, Reconnects, no_duplicate_session
from ...core.judge.verdict import Outcome, Verdict
from ...core.message.session_error import SessionError
from ...core.number import is_number
from ..connection import Connection
from .connection_log import ConnectionLog

# Of so many attempts at most, the record is looked at after each change. A look takes about 10 us for each of
# them: for so many seconds for each, the loop of a server and its clients goes on before the next one.
_FEW, _REST = 100, 50e-6


async def assert_reconnects(
    log: ConnectionLog,
    session: Sequence[Connection] | None,
    within: Duration,
    same_session: bool | None,
    backoff: Backoff | Duration | None,
) -> Verdict:
    """
    See `Session.assert_reconnects`.

    Args:
        log: what the server saw.
        session: the connections of one session; None judges those of every client.
        within, same_session, backoff: what is expected.

    """
    __tracebackhide__ = True
    expected = Reconnects(
        within=parse_duration(within, "within"),
        same_session=_same(log, same_session),
        backoff=None if backoff is None else Backoff.of(backoff),
    )
    await _planned(log, session, expected.within)
    await _closing(log, session, expected.within)
    # Those that end while others are waited for are another assertion's.
    history = log.history()
    judged = [
        attempt
        for attempt in _attempts(history, session)
        if attempt.ended is not None or attempt.lost_at is not None
    ]
    while deadlines := expected.deadlines(history, judged):
        # Each of them changes the log: before so many have, they cannot all be back.
        history = await _later(log, min(deadlines), times=len(deadlines))
    return _enforce(expected.judge(history, judged), history)


async def _later(log: ConnectionLog, until: float, *, times: int = 1) -> ConnectionHistory:
    """The history after so many changes, or at this instant of the loop's clock."""
    await log.changed(until, times=times)
    rest = min(_REST * len(log.attempts), until - asyncio.get_running_loop().time())
    if len(log.attempts) > _FEW and rest > 0:
        await asyncio.sleep(rest)
    return log.history()


async def _planned(log: ConnectionLog, session: Sequence[Connection] | None, within: float) -> None:
    """Wait for the first end, while faults of the program are still to bring it."""
    history = log.history()
    while True:
        attempts = _attempts(history, session)
        due = [each.at + each.faults_until for each in attempts if each.ended is None and each.faults_until]
        lost = [
            attempt
            for attempt in attempts
            if (attempt.ended is not None and not attempt.said_goodbye) or attempt.lost_at is not None
        ]
        if lost or not due:
            return
        # A fault that makes an end silent is noticed some time after it.
        until = min(due) + within
        if history.now >= until:
            return
        history = await _later(log, until)


async def _closing(log: ConnectionLog, session: Sequence[Connection] | None, within: float) -> None:
    """Wait for connections that are about to end."""
    for connection in session if session is not None else log.open_connections:
        websocket = connection.websocket
        if websocket.is_closing:
            await websocket.wait_ended(websocket.loop.time() + within)


async def assert_notices_loss(
    log: ConnectionLog, session: Sequence[Connection] | None, within: Duration
) -> Verdict:
    """See `Session.assert_notices_loss`; without a session, every client's connections are judged."""
    __tracebackhide__ = True
    expected = NoticesLoss(within=parse_duration(within, "within"))
    history = log.history()
    while not (judged := _lost(history, session)) and (until := log.due_until()) > history.now:
        history = await _later(log, until)
    if not judged:
        raise ValueError(
            "assert_notices_loss: no fault was applied that a client could notice; give some, such as "
            'ws_orchestrator(faults=[("30s", faults.Blackhole())]), or add one to a proxy on the way'
        )
    while deadlines := expected.deadlines(history, judged):
        history = await _later(log, min(deadlines))
    return _enforce(expected.judge(history, judged), history)


def _lost(history: ConnectionHistory, session: Sequence[Connection] | None) -> list[ConnectionAttempt]:
    return [attempt for attempt in _attempts(history, session) if attempt.lost_at is not None]


def _attempts(history: ConnectionHistory, session: Sequence[Connection] | None) -> list[ConnectionAttempt]:
    if session is None:
        return history.opened
    own = {connection.timeline.serial for connection in session}
    return [each for each in history.opened if each.timeline is not None and each.timeline.serial in own]


def _same(log: ConnectionLog, same_session: bool | None) -> bool:
    if same_session and not log.keeps_sessions:
        raise ValueError(
            "same_session: the profile has no sessions, so nobody can tell; give False or nothing"
        )
    return log.keeps_sessions if same_session is None else same_session


def assert_no_storm(
    log: ConnectionLog,
    max_per_second: float | None,
    max_per_minute: float | None,
    jitter: Duration | None,
) -> Verdict:
    """See `Orchestrator.assert_no_reconnect_storm`."""
    __tracebackhide__ = True
    if max_per_second is None and max_per_minute is None:
        raise TypeError("assert_no_reconnect_storm: give max_per_second, max_per_minute or both")
    expected = NoStorm(
        max_per_second=_rate(max_per_second, "max_per_second"),
        max_per_minute=_rate(max_per_minute, "max_per_minute"),
        jitter=parse_optional(jitter, "jitter"),
    )
    history = log.history()
    return _enforce(expected.judge(history), history)


def _rate(value: Any, name: str) -> float | None:
    if value is None:
        return None
    if not is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{name}: {value!r} is not a number of attempts above 0")
    return float(value)


def assert_no_duplicate_session(log: ConnectionLog) -> Verdict:
    """See `Orchestrator.assert_no_duplicate_session`."""
    __tracebackhide__ = True
    history = log.history()
    return _enforce(no_duplicate_session(history), history)


def _enforce(verdict: Verdict, history: ConnectionHistory) -> Verdict:
    __tracebackhide__ = True
    if verdict.outcome is not Outcome.STABLE:
        raise SessionError(verdict, history)
    return verdict

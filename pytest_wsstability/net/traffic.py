"""A workload of the user's that talks on a connection while it is held."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from ..core.judge.requirement import Requirement
from ..core.judge.verdict import Doubt, Outcome, Reason, Rule, Verdict
from .connection import Connection
from .errors import ConnectionEnded
from .holding import hold_open
from .waiters import Wait
from .websocket import WebSocket

Traffic = Callable[[Connection], Coroutine[Any, Any, object]]

# Messages that are kept for a workload that may take them; of more, the latest.
KEPT = 1024


def inbox_for(traffic: Traffic | None) -> int:
    """How many messages the connection of a hold keeps from its opening on: a workload misses none."""
    return 0 if traffic is None else KEPT


def start_talking(connection: Connection, traffic: Traffic) -> asyncio.Task[None]:
    """Let a workload talk from the session's confirmation on."""
    connection.websocket.messages.keep_latest(KEPT)
    return asyncio.ensure_future(_talk(connection, traffic))


async def stop_talking(connection: Connection, task: asyncio.Task[None]) -> None:
    """
    End a workload, before its connection is closed.

    Raises:
        Exception: what it raised, but for the connection's end, which the verdict tells.

    """
    # A message that it leaves unfinished is no failure of a connection whose hold is over.
    connection.is_ending = True
    task.cancel()
    try:
        # Not `await task`: a cancellation that comes meanwhile is the caller's, and no end of the workload.
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        raise
    with suppress(asyncio.CancelledError, ConnectionEnded):
        task.result()


async def hold_talking(connection: Connection, requirement: Requirement, traffic: Traffic | None) -> Verdict:
    """
    Hold a connection to a requirement while a workload talks; it may end before the hold does.

    What it was to show is not known where it could not begin: no session was confirmed.

    Raises:
        Exception: what the workload raises, when it does.

    """
    if traffic is None:
        return await hold_open(connection.websocket, requirement)
    talk = start_talking(connection, traffic)
    holding = asyncio.ensure_future(hold_open(connection.websocket, requirement))
    try:
        await asyncio.wait([talk, holding], return_when=asyncio.FIRST_COMPLETED)
        if not holding.done():
            await _unless_ended(talk)
        verdict = await holding
    except BaseException:
        holding.cancel()
        # Whoever holds the connection closes it before this runs again.
        talk.cancel()
        raise
    if verdict.outcome is Outcome.STABLE:
        await stop_talking(connection, talk)
    else:
        # What a workload raises on a connection that broke its promise is a consequence of that.
        with suppress(Exception):
            await stop_talking(connection, talk)
    return verdict if _may_talk(connection.websocket) else _unspoken(verdict)


async def _unless_ended(talk: asyncio.Task[None]) -> None:
    with suppress(ConnectionEnded):
        await talk


def _may_talk(websocket: WebSocket) -> bool:
    """Whether the session is confirmed, or the profile has none."""
    confirmed = websocket.timeline is None or websocket.timeline.session_confirmed_at is not None
    return confirmed or not websocket.profile.has_session


def _unspoken(verdict: Verdict) -> Verdict:
    """In doubt because nothing was said: where nothing is broken but for messages that nobody asked for."""
    silent = all(each.rule is Rule.FLOW for each in verdict.violations)
    if not silent or verdict.outcome is Outcome.INCONCLUSIVE:
        return verdict
    doubt = Doubt(
        Reason.TOO_FEW,
        "traffic: it did not begin, because the session was not confirmed; give the profile that the server "
        "speaks, or 'frames' where it has no sessions",
    )
    return Verdict.of([doubt], horizon=verdict.horizon, tier=verdict.tier, notes=verdict.notes)


async def _talk(connection: Connection, traffic: Traffic) -> None:
    websocket = connection.websocket
    if not _may_talk(websocket):
        await websocket.waiters.wait(Wait.SESSION)
    if not websocket.is_over:
        await _unless_cancelled(traffic(connection))


async def _unless_cancelled(talking: Coroutine[Any, Any, object]) -> None:
    """
    Let a workload talk.

    Raises:
        RuntimeError: if something that it waits for is cancelled: who holds it has not stopped it, and takes
            a cancellation for its own.

    """
    try:
        await talking
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise RuntimeError("traffic: something that the workload waited for was cancelled") from error

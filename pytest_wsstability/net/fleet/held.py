"""One connection of a fleet that is held: no task of its own while nothing happens, and its return."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import NamedTuple

from ...core.cause import Cause
from ...core.diagnosis import diagnosed
from ...core.fleet.groups import network_of
from ...core.fleet.requirement import FleetReconnects
from ...core.judge.handshake import judge_resumption
from ...core.judge.requirement import Requirement
from ...core.judge.verdict import Outcome, Verdict
from ..connection import Connection
from ..errors import OpeningError
from ..holding import wait_session

# An attempt has this long at least, in seconds.
_LEAST = 0.001


class Held:
    """
    A connection that is open, and how much of what it does was told.

    Attributes:
        number: of the connection in the plan.
        subnet: the network that it was opened from; empty where the transport does not tell.
        connection: itself.
        look_at: when it is looked at next, as the loop's clock has it; None where a coroutine waits for it.
        sent, answered, messages: heartbeats and messages that frames have told.
        events: how many events its record had then.

    """

    __slots__ = (
        "_look", "answered", "connection", "events", "look_at", "messages", "number", "sent", "subnet",
    )  # fmt: skip

    def __init__(self, number: int, connection: Connection, look: Callable[[Held], object]) -> None:
        self.number = number
        self.connection = connection
        # One function for all of them: a closure for each would cost 250 bytes more.
        self._look = look
        address = connection.local_address
        self.subnet = network_of(address) if address is not None else ""
        self.look_at: float | None = None
        self.sent = self.answered = self.messages = self.events = 0

    def look(self) -> None:
        """Look at it."""
        self._look(self)

    @property
    def ended_at(self) -> float | None:
        """When it ended, as the loop's clock has it; None unless it did, and not by this end's plan."""
        close = self.connection.timeline.close
        return None if close is None or close.planned else self.over_at

    @property
    def over_at(self) -> float | None:
        """When it was over, as the loop's clock has it; None while it is open."""
        timeline = self.connection.timeline
        return None if timeline.close is None else timeline.opened + timeline.close.at


class Reopened(NamedTuple):
    """What came of a return."""

    # None where it was not back in time.
    connection: Connection | None
    attempts: int
    # Whether it may have failed for want of something here: descriptors, local ports, or time to see it.
    is_ours: bool = False


async def reopen(
    connection: Connection,
    asked: FleetReconnects,
    ended: float,
    generator: random.Random,
    failed: Callable[[str], object] = lambda cause: None,
    opened: Callable[[Connection], object] | None = None,
) -> Reopened:
    """
    Open a connection again after it ended, with its session, as often as there is time for.

    Where its session was confirmed, it is back when that is confirmed again.

    Args:
        connection: the one that ended.
        asked: the time that it has, and its waits.
        ended: when it ended, as the loop's clock has it.
        generator: of the waits: each connection has others.
        failed: called with why an attempt failed.
        opened: called with each connection once it is open, whether its session is confirmed or not.

    """
    loop, attempts, lacked = asyncio.get_running_loop(), 0, False
    until = ended + asked.within
    assert connection.opener is not None
    while True:
        wait = asked.backoff.wait(attempts, generator)
        if loop.time() + wait > until:
            return Reopened(None, attempts, is_ours=lacked or not attempts)
        await asyncio.sleep(wait)
        attempts += 1
        try:
            again = await connection.opener.again(
                session_id=connection.session_id,
                resume=connection.websocket.conversation.resumption,
                # Its workload does not come back, and nobody else takes its messages.
                inbox=0,
                open_timeout=max(_LEAST, until - loop.time()),
            )
        except OpeningError as error:
            lacked = lacked or error.shortage is not None
            failed(error.diagnosis.cause.value)
            continue
        again.previous = connection
        if opened is not None:
            opened(again)
        if connection.timeline.session_confirmed_at is None:
            return Reopened(again, attempts)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(again.close)
            verdict = await _resumed(again, connection.session_id, until)
            if verdict.outcome is Outcome.STABLE:
                stack.pop_all()
                return Reopened(again, attempts)
            # Before it is closed: our own close is no part of it.
            failed(cause_of(verdict, again))
        lacked = lacked or verdict.outcome is Outcome.INCONCLUSIVE


async def _resumed(again: Connection, session_id: str | None, until: float) -> Verdict:
    """Whether a session is confirmed again, and the same one where the protocol can tell."""
    opened = again.timeline.opened
    verdict = await wait_session(again.websocket, Requirement(session_within=max(_LEAST, until - opened)))
    if verdict.outcome is not Outcome.STABLE or not again.websocket.profile.keeps_session:
        return verdict
    resumed = again.websocket.conversation.resumed
    return judge_resumption(again.timeline, resumed=resumed, expected=session_id)


def cause_of(verdict: Verdict, connection: Connection) -> str:
    """Why a promise was broken, in a few words; what was broken where nobody knows."""
    diagnosis = diagnosed(verdict, connection.timelines).diagnosis
    is_known = diagnosis is not None and diagnosis.cause is not Cause.UNDETERMINED
    return diagnosis.cause.value if diagnosis is not None and is_known else verdict.headline

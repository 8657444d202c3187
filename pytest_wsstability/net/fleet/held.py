"""One connection of a fleet that is held: no task of its own while nothing happens, and its return."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import NamedTuple

from ...core.fleet.groups import network_of
from ...core.fleet.requirement import FleetReconnects
from ..connection import Connection
from ..errors import OpeningError

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

    # None where it was not open again in time.
    connection: Connection | None
    attempts: int
    # Whether it may have failed for want of something here: descriptors, local ports, or time to try.
    is_ours: bool = False


async def reopen(
    connection: Connection,
    asked: FleetReconnects,
    ended: float,
    generator: random.Random,
    failed: Callable[[OpeningError], object] = lambda error: None,
) -> Reopened:
    """
    Open a connection again after it ended, with its session, as often as there is time for.

    Args:
        connection: the one that ended.
        asked: the time that it has, and its waits.
        ended: when it ended, as the loop's clock has it.
        generator: of the waits: each connection has others.
        failed: called with why an attempt failed.

    """
    loop, attempts, lacked = asyncio.get_running_loop(), 0, False
    assert connection.opener is not None
    while True:
        wait = asked.backoff.wait(attempts, generator)
        if loop.time() + wait > ended + asked.within:
            return Reopened(None, attempts, is_ours=lacked or not attempts)
        await asyncio.sleep(wait)
        attempts += 1
        try:
            again = await connection.opener.again(
                session_id=connection.session_id,
                resume=connection.websocket.conversation.resumption,
                # Its workload does not come back, and nobody else takes its messages.
                inbox=0,
                open_timeout=max(_LEAST, ended + asked.within - loop.time()),
            )
        except OpeningError as error:
            lacked = lacked or error.shortage is not None
            failed(error)
            continue
        again.previous = connection
        return Reopened(again, attempts)

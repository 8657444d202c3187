"""A client under test that keeps its session: it comes back after each end, as a good client does."""

from __future__ import annotations

import asyncio
import random
import uuid
from contextlib import suppress
from typing import Any

from pytest_wsstability.core.duration import Duration, parse_duration, show_duration
from pytest_wsstability.core.judge.backoff import Backoff
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.net.client import connect
from pytest_wsstability.net.connection import Connection
from pytest_wsstability.net.errors import OpeningError
from pytest_wsstability.net.holding import hold_open
from pytest_wsstability.profiles.catalogue import find

# Longer than any test: a connection is held until something is wrong with it.
_FOREVER = 10 * 365 * 24 * 3600.0
# Seconds that a peer which does not answer has for the closing handshake.
_CLOSING = 1.0


class ReconnectingClient:
    """
    The reference client: connects, says which session it is, sends heartbeats, and reconnects.

    Use it as ``async with ReconnectingClient(url) as client:``. It takes a connection for dead whose session
    is not confirmed in time, or whose heartbeat is not answered in time, and then closes it itself. The same
    seed waits the same times.

    Args:
        url: ``ws://`` or ``wss://``.
        backoff: the waits before the attempts; see `Backoff`.
        heartbeat: how often a heartbeat goes out.
        answer_within: the time for its answer, and for the session's confirmation.
        seed: of the jitter.
        options: keywords of `connect`.

    Attributes:
        connections: those that opened, oldest first.
        errors: why the others did not.

    """

    def __init__(
        self,
        url: str,
        *,
        backoff: Backoff | None = None,
        heartbeat: Duration = "25s",
        answer_within: Duration = "5s",
        seed: int = 0,
        **options: Any,
    ) -> None:
        profile = find(options.get("profile", "json"))
        within = parse_duration(answer_within, "answer_within")
        self._url = url
        self._backoff = backoff or Backoff()
        self._random = random.Random(seed)
        self._options = {"session_id": str(uuid.UUID(int=self._random.getrandbits(128))), **options}
        self._options["heartbeat"] = parse_duration(heartbeat, "heartbeat")
        self._requirement = Requirement(
            alive_for=_FOREVER,
            heartbeat_every=self._options["heartbeat"],
            heartbeat_within=within,
            session_within=within if profile.has_session else None,
        )
        self.connections: list[Connection] = []
        self.errors: list[OpeningError] = []
        self._task: asyncio.Task[None] | None = None
        self._waiting: list[asyncio.Future[None]] = []

    async def __aenter__(self) -> ReconnectingClient:
        self._task = asyncio.get_running_loop().create_task(self._run())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._task is not None
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    @property
    def connection(self) -> Connection | None:
        """The connection that is open; None between two of them."""
        latest = self.connections[-1] if self.connections else None
        return latest if latest is not None and latest.timeline.close is None else None

    async def wait_for_connection(self, number: int = 1, *, within: Duration = "10s") -> Connection:
        """
        Wait until so many connections have opened in all.

        Raises:
            TimeoutError: if they have not in time, with the last reason.

        """
        loop = asyncio.get_running_loop()
        seconds = parse_duration(within, "within")
        until = loop.time() + seconds
        while len(self.connections) < number:
            waiter = loop.create_future()
            self._waiting.append(waiter)
            try:
                async with asyncio.timeout_at(until):
                    await waiter
            except TimeoutError:
                last = f"; the last attempt: {self.errors[-1]}" if self.errors else ""
                raise TimeoutError(
                    f"{len(self.connections)} of {number} connections in {show_duration(seconds)}{last}"
                ) from None
            finally:
                self._waiting.remove(waiter)
        return self.connections[number - 1]

    async def _run(self) -> None:
        failed = 0
        while True:
            asked = 0.0
            try:
                connection = await connect(self._url, **self._options)
            except OpeningError as exc:
                self.errors.append(exc)
                asked = _seconds(exc.retry_after)
            else:
                self.connections.append(connection)
                for waiter in self._waiting:
                    if not waiter.done():
                        waiter.set_result(None)
                if await self._keep(connection):
                    failed = 0
            await asyncio.sleep(max(asked, self._backoff.wait(failed, self._random)))
            failed += 1

    async def _keep(self, connection: Connection) -> bool:
        """Hold a connection until it is no good any more; whether it was ever."""
        websocket = connection.websocket
        try:
            await hold_open(websocket, self._requirement)
        except asyncio.CancelledError:
            websocket.start_close(1000, planned=True)
            await self._end(connection)
            raise
        websocket.start_close(4000, "no answer", local_reason=LocalReason.NO_ANSWER)
        await self._end(connection)
        confirmed = connection.timeline.session_confirmed_at is not None
        return confirmed or not websocket.profile.has_session

    async def _end(self, connection: Connection) -> None:
        """Wait for the closing handshake, but not long: a dead link has none."""
        websocket = connection.websocket
        if not await websocket.wait_ended(websocket.loop.time() + _CLOSING):
            websocket.abort(LocalReason.CLOSE_TIMEOUT)
            await websocket.wait_ended()


def _seconds(retry_after: str | None) -> float:
    """What a Retry-After field asks for; nothing where it is a date (RFC 9110, section 10.2.3)."""
    return float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0

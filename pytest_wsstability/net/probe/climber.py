"""One connection of the ladder: it says what its rung says, until its end or its time is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ...core.probe.observation import Observation, RungFate
from ...core.probe.rungs import Rung, Traffic
from ...core.redact import show_text
from ...core.timeline.close import LocalReason, TransportEnd
from ...core.timeline.events import Direction
from ...core.timeline.timeline import Timeline
from ..client import connect
from ..connection import Connection
from ..errors import OpeningError
from ..timers import Ticker
from ..websocket import WebSocket

# Seconds that a pong may take before the connection counts as lost, and the peer's answer to our close.
ANSWER = 5.0
_CLOSING = 1.0


class Climber:
    """
    A connection of the ladder.

    Attributes:
        rung: what it is for.
        observation: what became of it; None while it lasts.

    """

    def __init__(self, rung: Rung, text: str, loop: asyncio.AbstractEventLoop) -> None:
        self.rung = rung
        self.observation: Observation | None = None
        self._text = text
        # Done when it has told enough before its time is over.
        self.concluded: asyncio.Future[None] = loop.create_future()
        self._connection: Connection | None = None
        # Seconds of silence before a ping that nobody answered; None while all were.
        self._lost_after: float | None = None
        # The same where the end was told later.
        self._unanswered: float | None = None

    @property
    def timeline(self) -> Timeline | None:
        """The record so far; None before the connection is open."""
        return self._connection.timeline if self._connection is not None else None

    def conclude(self) -> None:
        """End it early, with what has been seen."""
        if not self.concluded.done():
            self.concluded.set_result(None)

    @property
    def is_lost(self) -> bool:
        """Whether it was lost without a word."""
        return self._lost_after is not None

    @property
    def was_unanswered(self) -> bool:
        """Whether a ping was not answered, and the end told later."""
        return self._unanswered is not None

    def seen(self) -> Observation | None:
        """What is known of it up to now; None before it is open."""
        if self.observation is not None or self._connection is None:
            return self.observation
        return self._seen()

    async def open(self, url: str, options: Mapping[str, Any]) -> None:
        """
        Open the connection.

        Raises:
            OpeningError: if it does not open.

        """
        client = "browser" if self.rung.answers else "mute"
        self._connection = await connect(url, client=client, inbox=0, **options)

    async def climb(self, url: str, options: Mapping[str, Any], seconds: float) -> None:
        """Open the connection, unless it is open, and watch it for so many seconds."""
        try:
            if self._connection is None:
                await self.open(url, options)
        except OpeningError as exc:
            detail = f"{exc.stage.value}: {exc.detail}"
            self.observation = Observation(rung=self.rung, fate=RungFate.NOT_OPENED, detail=show_text(detail))
            return
        assert self._connection is not None
        websocket = self._connection.websocket
        assert websocket.timeline is not None
        until = websocket.timeline.opened + seconds
        ticker = self._start(websocket)
        try:
            if self.rung.slow:
                await self._wait_and_ping(websocket, until)
                self.observation = self._seen()
            elif await self._ends(websocket, until):
                self.observation = self._seen()
            else:
                # What is asked now, and answered, is none of its traffic.
                seen = self._seen()
                await self._ask(websocket)
                lost = self._lost_after
                fate = RungFate.ALIVE if lost is None else RungFate.LOST
                age = seen.age if lost is None else seen.last_received
                self.observation = replace(seen, fate=fate, age=age, gap=lost, pongs=self._seen().pongs)
            await self._leave(websocket)
        except asyncio.CancelledError:
            websocket.abort(LocalReason.INTERRUPTED)
            raise
        finally:
            if ticker is not None:
                ticker.cancel()

    def _seen(self) -> Observation:
        assert self._connection is not None
        return Observation.of(
            self.rung, self._connection.timeline, lost_after=self._lost_after, unanswered=self._unanswered
        )

    def _start(self, websocket: WebSocket) -> Ticker | None:
        rung = self.rung
        if rung.slow or rung.every is None:
            return None
        assert websocket.timeline is not None
        return Ticker(websocket.loop, websocket.timeline.opened, rung.every, lambda: self._say(websocket))

    def _say(self, websocket: WebSocket) -> None:
        def text() -> None:
            websocket.send_message(self._text)

        # Where the heartbeat is a frame, no message would be sent at all.
        all_that_counts = text if websocket.profile.heartbeat_is_frame else websocket.messages.beat
        sayings: dict[Traffic, tuple[Callable[[], object], ...]] = {
            Traffic.TEXT: (text,),
            Traffic.HEARTBEAT: (websocket.messages.beat,),
            Traffic.PING: (websocket.send_ping,),
            Traffic.PONG: (websocket.send_pong,),
            Traffic.ALL: (all_that_counts, websocket.send_ping, websocket.send_pong),
        }
        for say in sayings[self.rung.traffic]:
            # A close frame may have come meanwhile.
            if websocket.is_open:
                say()

    async def _ends(self, websocket: WebSocket, until: float) -> bool:
        """Wait for the end, or the instant, or for the end of the probe; True if it has ended."""
        ended = websocket.loop.create_task(websocket.wait_ended(until))
        waiting: set[asyncio.Future[Any]] = {ended, self.concluded}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        return websocket.transport is None

    async def _wait_and_ping(self, websocket: WebSocket, until: float) -> None:
        """Ping now and then, and find out after which silence nobody is there any more."""
        assert self.rung.every is not None
        assert websocket.timeline is not None
        at = websocket.timeline.opened
        while (at := at + self.rung.every) <= until and not self.concluded.done():
            if await self._ends(websocket, at):
                return
            if self.concluded.done() or not await self._ask(websocket):
                return

    async def _ask(self, websocket: WebSocket) -> bool:
        """Ping; False, and lost, if no pong comes, or only RST."""
        timeline, loop = websocket.timeline, websocket.loop
        assert timeline is not None
        if not websocket.is_open:
            return False
        timeline.observe(loop.time())
        silence, before = timeline.silence, timeline.count(Direction.RECEIVED)
        if await websocket.wait_pong(websocket.send_ping(), loop.time() + ANSWER):
            return True
        close = timeline.close
        said = close is not None and close.transport not in (TransportEnd.RESET, TransportEnd.TIMED_OUT)
        heard = timeline.count(Direction.RECEIVED) > before
        if not said and not heard:
            self._lost_after = silence
        elif said and not heard:
            self._unanswered = silence
        return False

    async def _leave(self, websocket: WebSocket) -> None:
        # Nothing is said behind a close frame.
        websocket.start_close(planned=True)
        if websocket.transport is None:
            return
        if self._lost_after is not None or not await websocket.wait_ended(websocket.loop.time() + _CLOSING):
            websocket.abort(LocalReason.CLOSE_TIMEOUT)
            await websocket.wait_ended()

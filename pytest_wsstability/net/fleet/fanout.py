"""How long a message takes from the connection that sends it to all others that the server sends it on to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from ...core.fleet.frame import FanoutCounts
from ...core.fleet.merge import LAG_SHARE
from ...core.samples import Sample
from ...core.timeline.events import Tier
from ...core.transcript import Transcript
from ..health import tier_of

# Seconds after which a message is not waited for any longer, or twice the longest time that was asked.
GIVEN_UP = 10.0
# A lag is looked for no more often than this, in seconds.
_LEAST_LOOK = 0.005


@dataclass(slots=True)
class _Message:
    """One that is under way."""

    at: float
    # How long this loop had lagged by then, in all.
    lagged: float
    # The numbers of those that have not got it yet.
    waiting: set[int]


class Fanout:
    """
    Measures on one clock: senders and receivers are connections of one worker.

    Args:
        name_of: names a message that is sent on to all, as text that no other one has; None for others.
        within: seconds after which an arrival is late; None where nobody asks.
        p99: seconds that the 99th of a hundred arrivals may take; None where nobody asks.

    """

    def __init__(
        self, name_of: Callable[[str | bytes], str | None], within: float | None, p99: float | None = None
    ) -> None:
        self._name_of, self._within = name_of, within
        # Who is over without a message should have had it after so long; None where nobody asks.
        self._owed_after = p99 if within is None else within
        self._given_up = max(GIVEN_UP, 2 * (within or 0.0), 2 * (p99 or 0.0))
        self._loop = asyncio.get_running_loop()
        self._connected: set[int] = set()
        self._under_way: dict[str, _Message] = {}
        self._messages, self._late, self._missing, self._times = 0, 0, 0, Sample()
        # What was late or did not come because of lags, and how long these were in all.
        self._excused, self._lagged = 0, 0.0
        self._step = max(_LEAST_LOOK, LAG_SHARE * (self._owed_after or 0.0) / 2)
        # Virtual loops cannot lag; without a time nothing is late.
        self._timer: asyncio.TimerHandle | None = None
        if self._owed_after is not None and tier_of(self._loop) is Tier.REAL:
            self._watch_lag()
        # What the user's function has raised first.
        self._error: Exception | None = None

    def listen(self, number: int) -> FanoutTranscript:
        """What a connection sends and receives is looked at from now on; give it to its `WebSocket`."""
        self._connected.add(number)
        return FanoutTranscript(self, number)

    def forget(self, number: int, at: float) -> None:
        """
        A connection is over since an instant: what it should have had by then is missing, and no more owed.

        Args:
            number: of the connection.
            at: when it ended, as the loop's clock has it.

        """
        self._connected.discard(number)
        for message in self._under_way.values():
            if number in message.waiting:
                message.waiting.remove(number)
                if self._owed_after is not None and at - message.at > self._owed_after:
                    self._did_not_come(message, 1, at - message.at)

    def stop(self) -> None:
        """Look for lags no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _watch_lag(self) -> None:
        """Look for lags that a tick of the slot, once a second, does not see."""
        self._lagged = self._all_lagged
        self._timer = self._loop.call_later(self._step, self._watch_lag)

    def _lag(self) -> float:
        """How long this loop has lagged since the last look, at the most; 0 where that is too short."""
        late = self._loop.time() - self._timer.when() if self._timer is not None else 0.0
        return late + self._step if late > LAG_SHARE * (self._owed_after or 0.0) else 0.0

    @property
    def _all_lagged(self) -> float:
        """How long all lags were, with one of which the timer has yet to tell."""
        return self._lagged + self._lag()

    def _explains(self, message: _Message, seconds: float) -> bool:
        """Whether without the lags since it was sent a message that took too long would not have."""
        return seconds - (self._all_lagged - message.lagged) <= (self._owed_after or 0.0)

    def saw(self, number: int, payload: str | bytes, *, sent: bool) -> None:
        """A connection sent or received a message."""
        try:
            name = self._name_of(payload)
            if not isinstance(name, str | None):
                kind = type(name).__name__
                raise ValueError(
                    f"fanout_of: {kind} is no name of a message; give a text of its own, or None"
                )
        except Exception as error:
            # Told by `check`: a transport has no use for it.
            self._error = self._error or error
            return
        if name is None:
            return
        now = self._loop.time()
        if sent and name not in self._under_way:
            self._messages += 1
            self._under_way[name] = _Message(now, self._all_lagged, self._connected - {number})
        elif not sent and name in self._under_way and number in self._under_way[name].waiting:
            self._under_way[name].waiting.remove(number)
            self._arrived(self._under_way[name], now)

    def _arrived(self, message: _Message, now: float) -> None:
        seconds = now - message.at
        late = self._within is not None and seconds > self._within
        if late and self._explains(message, seconds):
            self._excused += 1
            return
        self._times.add(seconds, now)
        self._late += late

    def check(self) -> None:
        """
        See that the function has named what it was asked for.

        Raises:
            Exception: what ``name_of`` raised.

        """
        if self._error is not None:
            raise self._error

    def since(self) -> tuple[FanoutCounts, Sample]:
        """What is known since this was asked before."""
        self._give_up()
        counts = FanoutCounts(
            messages=self._messages, late=self._late, missing=self._missing, excused=self._excused
        )
        times = self._times
        self._messages, self._late, self._missing, self._excused, self._times = 0, 0, 0, 0, Sample()
        return counts, times

    def _give_up(self) -> None:
        """Wait no longer for what was sent so long ago."""
        now = self._loop.time()
        before = now - self._given_up
        for name in [name for name, message in self._under_way.items() if message.at <= before]:
            message = self._under_way.pop(name)
            self._did_not_come(message, len(message.waiting), now - message.at)

    def _did_not_come(self, message: _Message, receivers: int, seconds: float) -> None:
        if self._explains(message, seconds):
            self._excused += receivers
        else:
            self._missing += receivers


class FanoutTranscript(Transcript):
    """A connection's transcript that keeps nothing, and tells `Fanout` of each message."""

    def __init__(self, fanout: Fanout, number: int) -> None:
        # Room for what is sent in fragments, until it is whole; `add` keeps nothing of it.
        super().__init__()
        self._fanout, self._number = fanout, number

    def add(self, at: float, payload: str | bytes, *, sent: bool) -> None:
        """See `Transcript`."""
        self._fanout.saw(self._number, payload, sent=sent)

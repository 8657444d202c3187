"""Holds in the background: many side by side, on one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from ...core.judge.verdict import Outcome
from ...core.url import is_loopback
from ...net.errors import OpeningError
from ...net.hold import Soak
from ...net.hold import hold as open_and_hold
from ...report.progress import Survey

if TYPE_CHECKING:
    from ...core.judge.requirement import Requirement
    from ...core.timeline.timeline import Timeline
    from ...net.connection import Connection

T = TypeVar("T")

# Opening handshakes under way at once: a server's queue of new connections is not long (asyncio: 100).
_OPENING = 32
# Seconds that interrupted holds have for their closing handshakes, all of them together.
_CLOSING = 3.0
# Seconds to wait for the loop beyond that: it may be busy, but must not keep the test run.
_GRACE = 2.0


class HoldInterrupted(Exception):
    """A hold was ended before its connection was open, so there is nothing to judge."""


class Hold:
    """One hold: waiting for its turn, opening, open, or finished."""

    __slots__ = ("connection", "error", "finished", "name", "options", "requirement", "soak", "task", "url")

    def __init__(self, name: str, url: str, requirement: Requirement, options: Mapping[str, Any]) -> None:
        # Who will judge it: the test's node id.
        self.name = name
        self.url = url
        self.requirement = requirement
        self.options = options
        # While it is open.
        self.connection: Connection | None = None
        # What came of it; None while there is nothing yet, and when it did not open.
        self.soak: Soak | None = None
        # Why there is no soak.
        self.error: Exception | None = None
        self.finished = False
        self.task: asyncio.Task[None] | None = None

    @property
    def closing(self) -> bool:
        """Whether it was open, and is not any more."""
        return self.connection is not None and not self.connection.websocket.is_open

    @property
    def broken(self) -> bool:
        """Whether it is known that the requirement is not met."""
        if not self.finished:
            return False
        if self.soak is None:
            return not (isinstance(self.error, OpeningError) and self.error.shortage is not None)
        return self.soak.verdict.outcome is Outcome.UNSTABLE

    @property
    def headline(self) -> str:
        """What came of it, in one line; empty while nothing has."""
        if self.soak is not None:
            return self.soak.verdict.headline
        return str(self.error).partition("\n")[0] if self.error is not None else ""

    def interrupt(self) -> None:
        """Take down what was seen until now; called on the loop of the hold."""
        if self.connection is None:
            self.error = HoldInterrupted("interrupted before the connection was open")
            return
        self.soak = Soak.interrupted(self.requirement, self.connection)


class Holds:
    """
    A loop in a thread of its own, and the holds on it.

    The methods are for the thread of the tests. A hold's timeline grows on the loop's thread, so what it
    says while it runs is asked for there: see `on_loop`.

    """

    def __init__(self, *, concurrency: int | None = None, ramp: float = 10.0) -> None:
        """
        Start the thread.

        Args:
            concurrency: at most so many holds at once; None for no limit.
            ramp: new connections a second to one host, loopback excepted.

        """
        self._concurrency = concurrency
        self._ramp = Ramp(ramp)
        self._changed = threading.Condition()
        # Holds that nobody has heard the end of; see `news`.
        self._news: deque[Hold] = deque()
        self._running: list[Hold] = []
        self._survey = Survey()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name="wsstability-holds", daemon=True
        )
        self._thread.start()
        ready.wait()

    # For the thread of the tests.

    @property
    def running(self) -> list[Hold]:
        """The holds that are started and not finished, in the order of their start."""
        return list(self._running)

    def start(self, holds: Iterable[Hold]) -> None:
        """Start holds: those that there is room for together, the others as room comes."""
        started = list(holds)
        with self._changed:
            self._running += started
        self._loop.call_soon_threadsafe(self._begin, started)

    def wait(self, seconds: float) -> None:
        """Wait until a hold finishes, at most so many seconds."""
        with self._changed:
            if not self._news:
                self._changed.wait(seconds)

    def news(self) -> list[Hold]:
        """The holds that have finished since the last call."""
        with self._changed:
            finished = list(self._news)
            self._news.clear()
        return finished

    def interrupt(self, hold: Hold) -> None:
        """End a hold with a closing handshake; what it saw is kept. Does not wait."""
        self._loop.call_soon_threadsafe(self._interrupt, [hold])

    def stop(self) -> list[Hold]:
        """
        End every hold and the thread, within a few seconds.

        Returns:
            The holds that were not finished.

        """
        ended = self.running
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(_CLOSING + _GRACE)
        return ended

    def survey(self, most: int) -> Survey:
        """How it goes; the last answer again if the loop has no time. See `Survey.of`."""
        self._survey = self.on_loop(lambda: Survey.of(map(_record, self.running), most), self._survey)
        return self._survey

    def on_loop(self, call: Callable[[], T], otherwise: T, *, within: float = 1.0) -> T:
        """The result of a call on the loop's thread; ``otherwise`` if that has no time for it."""
        done = threading.Event()
        results: list[T] = []

        def run() -> None:
            results.append(call())
            done.set()

        self._loop.call_soon_threadsafe(run)
        done.wait(within)
        return results[0] if results else otherwise

    # On the loop.

    def _run(self, ready: threading.Event) -> None:
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            self._loop = runner.get_loop()
            runner.run(self._main(ready))

    async def _main(self, ready: threading.Event) -> None:
        self._stopping = asyncio.Event()
        self._places = asyncio.Semaphore(self._concurrency) if self._concurrency else None
        self._opening = asyncio.Semaphore(_OPENING)
        ready.set()
        await self._stopping.wait()
        holds = self.running
        self._interrupt(holds)
        tasks = [hold.task for hold in holds if hold.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=_CLOSING)
            if late:
                self._abort(holds)
                await asyncio.wait(late, timeout=_GRACE)

    def _begin(self, holds: list[Hold]) -> None:
        for hold in holds:
            hold.task = self._loop.create_task(self._hold(hold))

    def _interrupt(self, holds: Iterable[Hold]) -> None:
        for hold in holds:
            # One that is closing has its verdict, and needs only a moment.
            if hold.task is not None and not hold.finished and not hold.closing:
                hold.interrupt()
                hold.task.cancel()

    def _abort(self, holds: list[Hold]) -> None:
        for hold in holds:
            transport = hold.connection.websocket.transport if hold.connection is not None else None
            if transport is not None:
                transport.abort()

    async def _hold(self, hold: Hold) -> None:
        try:
            async with AsyncExitStack() as stack:
                if self._places is not None:
                    await stack.enter_async_context(self._places)
                await self._ramp.turn(hold.url)
                hold.soak = await self._opened(hold)
        except asyncio.CancelledError:
            # Whoever cancelled it has taken down what it saw.
            assert hold.soak is not None or hold.error is not None
        except Exception as exc:
            hold.error = exc
        finally:
            hold.connection = hold.task = None
            with self._changed:
                hold.finished = True
                self._running.remove(hold)
                self._news.append(hold)
                self._changed.notify_all()

    async def _opened(self, hold: Hold) -> Soak:
        """Take a place among the few that open, and give it up once open."""
        watch = hold.options.get("opened") or (lambda connection: None)

        def opened(connection: Connection) -> None:
            hold.connection = connection
            self._opening.release()
            watch(connection)

        options = {"url": hold.url, **hold.options, "opened": opened}
        await self._opening.acquire()
        try:
            return await open_and_hold(hold.requirement, **options)
        finally:
            if hold.connection is None:
                self._opening.release()


def _record(hold: Hold) -> tuple[str, float, Timeline | None]:
    timeline = hold.connection.timeline if hold.connection is not None else None
    return hold.name, hold.requirement.alive_for or 0.0, timeline


class Ramp:
    """When the next connection to a host may open: politely, one after the other; on loopback at once."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        # When the next one may open, by host, on the loop's clock.
        self._free: dict[str, float] = {}

    async def turn(self, url: str) -> None:
        """Wait for one's turn."""
        await asyncio.sleep(self.delay(url, asyncio.get_running_loop().time()))

    def delay(self, url: str, now: float) -> float:
        """Take the next turn; returns the seconds until it comes."""
        host = urlsplit(url).hostname or ""
        if is_loopback(host):
            return 0.0
        at = max(now, self._free.get(host, now))
        self._free[host] = at + self._gap
        return at - now

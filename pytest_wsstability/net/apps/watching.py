"""What an app does to its server, where nobody else sees it: its lifespan, how handlers read and end."""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ...core.functions import is_coroutine_function
from ...core.url import port_of
from .exits import exits_as_errors

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Handling(NamedTuple):
    """The task that runs the handler of a connection, and the client's port where the server tells it."""

    # Weak, as the task has the context that this is kept in.
    task: Callable[[], asyncio.Task[Any] | None]
    port: int | None


# That of the running code, or of the code that has started it.
HANDLING: ContextVar[Handling] = ContextVar("wsstability_handling")


def _handles(port: int | None) -> None:
    """Mark the running task, and those that it starts, as that of a handler with a connection."""
    task = asyncio.current_task()
    if task is not None:
        HANDLING.set(Handling(weakref.ref(task), port))


# Seconds with a message in hand, or without an answer to one, that may leave a heartbeat without its answer;
# and how many such times are kept of a handler.
_PAUSE, _PAUSES = 1.0, 8


@dataclass(frozen=True, slots=True)
class Unaccepted:
    """A handshake that the app answered with a close, and not with an accept."""

    code: int
    reason: str
    # The client's, where the server tells it.
    port: int | None


@dataclass(frozen=True, slots=True)
class Done:
    """A handler was done with a connection which it had accepted, and had not closed."""

    # The reading of the loop's clock, and the client's port where the server tells it.
    at: float
    port: int | None


@dataclass(slots=True, eq=False)
class Handler:
    """
    A handler with a connection.

    Attributes:
        port: the client's, where the server tells it.
        busy_since: when it took its last message, by the loop's clock; None while it asks for one.
        pauses: when it took messages, and asked for the next long afterwards: the last few.
        silent_since: when it took its last message, as long as it sends none; None after it has sent one. A
            framework that reads ahead (Falcon, Quart) asks for the next message at once.
        silences: when it took messages, and sent the next one of its own long afterwards: the last few.
        has_answered: whether it has accepted the connection, or refused it.

    """

    port: int | None
    busy_since: float | None = None
    pauses: tuple[tuple[float, float], ...] = ()
    silent_since: float | None = None
    silences: tuple[tuple[float, float], ...] = ()
    has_answered: bool = False

    def ask(self, now: float) -> None:
        """It asks for a message, or ends."""
        self.pauses = _with_pause(self.pauses, self.busy_since, now)
        self.busy_since = None

    def send(self, now: float) -> None:
        """It sends a message."""
        self.silences = _with_pause(self.silences, self.silent_since, now)
        self.silent_since = None

    def end(self, now: float) -> bool:
        """It has ended; says whether anything of it is worth being remembered."""
        self.ask(now)
        if self.silent_since is not None and now - self.silent_since < _PAUSE:
            self.silent_since = None
        return bool(self.pauses or self.silences or self.silent_since is not None)

    def busy_at(self, at: float) -> float | None:
        """Since when it had a message, and asked for no other, at an instant; None where it asked."""
        return _begun(self.pauses, self.busy_since, at)

    def silent_at(self, at: float) -> float | None:
        """Since when it had taken a message, and sent none, at an instant; None where it had sent one."""
        return _begun(self.silences, self.silent_since, at)


_Pauses = tuple[tuple[float, float], ...]


def _with_pause(pauses: _Pauses, since: float | None, now: float) -> _Pauses:
    if since is None or now - since < _PAUSE:
        return pauses
    return (*pauses, (since, now))[-_PAUSES:]


def _begun(pauses: _Pauses, since: float | None, at: float) -> float | None:
    if since is not None and since <= at:
        return since
    return next((begin for begin, until in pauses if begin <= at < until), None)


def _untold(error: BaseException) -> None:
    """What ends a handler, where nobody asks."""


@dataclass(slots=True)
class AppRecord:
    """
    What an app under test did.

    Attributes:
        failed: how its lifespan failed: what it raised, or said; None where it did not.
        unaccepted: handshakes that it refused, oldest first.
        left_open: connections that its handlers left open, oldest first.
        cancelled: those whose handler raised a CancelledError that nobody had asked for.
        handlers: those that have a connection, were cancelled with it, or did not read for long.
        port: where it is served; None where it is not.
        marks_handlers: whether what a handler runs is known as such, by `HANDLING`.
        raised: called with what ends a handler whose connection is open. Its server logs that too, where the
            app has left its logger as it was.

    """

    failed: BaseException | str | None = None
    unaccepted: list[Unaccepted] = field(default_factory=list)
    left_open: list[Done] = field(default_factory=list)
    cancelled: list[Done] = field(default_factory=list)
    handlers: dict[Handler, None] = field(default_factory=dict)
    port: int | None = None
    marks_handlers: bool = False
    raised: Callable[[BaseException], object] = _untold

    def watching(self, app: Any) -> Any:
        """The app, watched; itself, where it is no coroutine function, as old ones are not."""
        if not is_coroutine_function(app) or inspect.isclass(app):
            return app
        self.marks_handlers = True
        return _Watched(app, self)

    def watching_handler(self, handler: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
        """A handler of websockets, watched."""

        self.marks_handlers = True

        async def watched(connection: Any) -> None:
            _handles(port_of(connection.remote_address))
            try:
                with exits_as_errors():
                    await handler(connection)
            except asyncio.CancelledError:
                # None while the connection is open.
                if connection.close_code is None:
                    self.ends_cancelled(port_of(connection.remote_address))
                raise
            except Exception as exc:
                if connection.close_code is None:
                    self.raised(exc)
                raise

        return watched

    def watch_aiohttp(self, app: Any) -> None:
        """Watch the handlers of an application of aiohttp that has not been started."""
        from aiohttp import web

        @web.middleware
        async def watched(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
            if request.transport is not None:
                _handles(port_of(request.transport.get_extra_info("peername")))
            try:
                with exits_as_errors():
                    return await handler(request)
            except asyncio.CancelledError:
                if request.transport is not None and not request.transport.is_closing():
                    self.ends_cancelled(port_of(request.transport.get_extra_info("peername")))
                raise
            except web.HTTPException:
                raise
            except Exception as exc:
                if request.transport is not None and not request.transport.is_closing():
                    self.raised(exc)
                raise

        app.middlewares.insert(0, watched)
        self.marks_handlers = True

    def refuses(self, close: Message, port: int | None) -> None:
        """The app answers a handshake with a close."""
        self.unaccepted.append(Unaccepted(close.get("code", 1000), str(close.get("reason") or ""), port))

    def ends_cancelled(self, port: int | None) -> None:
        """A handler ends with a CancelledError, which servers do not log, while its connection is open."""
        task = asyncio.current_task()
        if task is not None and not task.cancelling():
            self.cancelled.append(Done(asyncio.get_running_loop().time(), port))


class _Watched:
    def __init__(self, app: Any, record: AppRecord) -> None:
        self._app, self._record = app, record

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._connection(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        else:
            with exits_as_errors():
                await self._app(scope, receive, send)

    async def _lifespan(self, scope: Any, receive: Receive, send: Send) -> None:
        async def told(message: Message) -> None:
            if message["type"].endswith(".failed") and self._record.failed is None:
                self._record.failed = message.get("message") or message["type"]
            await send(message)

        try:
            with exits_as_errors():
                await self._app(scope, receive, told)
        except Exception as exc:
            # An app without a lifespan raises too: whether that matters, its server says.
            self._record.failed = exc
            raise

    async def _connection(self, scope: Any, receive: Receive, send: Send) -> None:
        is_accepted = is_over = False
        loop, client = asyncio.get_running_loop(), scope.get("client")
        handler = Handler(client[1] if client else None)
        self._record.handlers[handler] = None
        # What the server logs of it afterwards, it logs in this task.
        _handles(handler.port)

        async def received() -> Message:
            nonlocal is_over
            handler.ask(loop.time())
            message = await receive()
            handler.busy_since = loop.time()
            if message["type"] == "websocket.receive":
                handler.silent_since = handler.busy_since
            is_over = is_over or message["type"] == "websocket.disconnect"
            return message

        async def told(message: Message) -> None:
            nonlocal is_accepted, is_over
            handler.has_answered = True
            is_accepted = is_accepted or message["type"] == "websocket.accept"
            handler.send(loop.time())
            if message["type"] == "websocket.close":
                is_over = True
                if not is_accepted:
                    self._record.refuses(message, handler.port)
            try:
                await send(message)
            except Exception:
                is_over = True
                raise

        try:
            with exits_as_errors():
                await self._app(scope, received, told)
        except Exception as exc:
            self._ended(handler, loop.time())
            if not is_over:
                self._record.raised(exc)
            raise
        except asyncio.CancelledError:
            # After the end it may be what the handler has cancelled itself.
            if is_accepted and not is_over:
                self._record.ends_cancelled(handler.port)
            raise
        self._ended(handler, loop.time())
        if is_accepted and not is_over:
            self._record.left_open.append(Done(loop.time(), handler.port))

    def _ended(self, handler: Handler, now: float) -> None:
        if not handler.end(now):
            del self._record.handlers[handler]

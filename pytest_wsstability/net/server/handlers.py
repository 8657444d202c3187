"""The tasks of a server's handler, one for each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from ...core.timeline.close import LocalReason
from ..connection import Connection
from ..errors import ConnectionEnded

T = TypeVar("T")
Handler = Callable[[Connection], Awaitable[None]]


async def echo_messages(connection: Connection) -> None:
    """Send each message back."""
    async for message in connection:
        await connection.send(message)


class Handlers:
    """Runs a handler for each connection, and remembers what it and other functions of the user's raised."""

    def __init__(self, handler: Handler | None) -> None:
        self._handler = handler
        self._tasks: dict[Connection, asyncio.Task[None]] = {}
        self._error: BaseException | None = None

    def __bool__(self) -> bool:
        return self._handler is not None

    def heard(self, call: Callable[[T], object] | None) -> Callable[[T], object] | None:
        """A function of the user's that the event loop calls: what it raises is remembered, not logged."""
        if call is None:
            return None

        def called(value: T) -> None:
            try:
                call(value)
            except Exception as exc:
                self._error = self._error or exc

        return called

    def start(self, connection: Connection) -> None:
        """Run the handler, if there is one."""
        if self._handler is not None:
            task = asyncio.get_running_loop().create_task(self._run(self._handler, connection))
            self._tasks[connection] = task

    async def _run(self, handler: Handler, connection: Connection) -> None:
        try:
            await handler(connection)
        except ConnectionEnded:
            pass
        except Exception as exc:
            self._failed(connection, exc)
        except asyncio.CancelledError as exc:
            if self._tasks[connection].cancelling():
                raise
            if connection.websocket.is_over:
                # It has cancelled what it awaited on the connection, and awaits that once more.
                return
            error = RuntimeError("the handler raised CancelledError, and nobody had cancelled it")
            error.__cause__ = exc
            self._failed(connection, error)
        else:
            connection.websocket.start_close(1000, local_reason=LocalReason.HANDLER_RETURNED)
        finally:
            del self._tasks[connection]

    def _failed(self, connection: Connection, error: Exception) -> None:
        self._error = self._error or error
        connection.websocket.start_close(
            1011, local_reason=LocalReason.HANDLER_RAISED, local_detail=f"the handler raised {error!r}"[:200]
        )

    async def finish(self) -> None:
        """
        Wait for the end of all of them.

        Raises:
            BaseException: what one of them raised, or a function that was `heard`; the first.

        """
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        error, self._error = self._error, None
        if error is not None:
            raise error

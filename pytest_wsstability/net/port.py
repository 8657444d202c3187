"""Where a server listens: an address that stays the same when the server goes down and comes back."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Any

from ..core.number import is_whole
from ..core.timeline.events import Tier
from .health import tier_of

_HERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Port:
    """
    An address to listen on.

    Args:
        host, number: where to listen; number 0 takes a free one, and keeps it.
        tls: the server's context for wss://.
        owner: who listens, for errors.

    Raises:
        TypeError, ValueError: for what is no host, port or context, naming it.

    """

    def __init__(
        self, host: str, number: int, tls: ssl.SSLContext | None, owner: str = "the orchestrator"
    ) -> None:
        if not host:
            # For sockets that is everywhere: a variable that is not set must not open a port to the network.
            raise ValueError("host: it is empty; give 127.0.0.1, or 0.0.0.0 for everywhere")
        if not isinstance(host, str):
            raise TypeError(f"host: {host!r} is no text; give 127.0.0.1, or 0.0.0.0 for everywhere")
        if not isinstance(tls, ssl.SSLContext | None):
            raise TypeError(
                f"tls: {type(tls).__name__} is no ssl.SSLContext; give the server's, with its certificate"
            )
        self._host, self._number = host, _port(number)
        self._tls = tls
        self._owner = owner
        # None while nobody listens.
        self._server: asyncio.Server | None = None
        # Holds the address while nobody listens on it; None in virtual time, where nobody else wants it.
        self._placeholder: socket.socket | None = None
        self.url: str | None = None

    @property
    def asked(self) -> tuple[str, int]:
        """The host and number that it was asked for, or has got."""
        return self._host, self._number

    def moved(self) -> Port:
        """A free port here, of the same server, for one whose address is another's."""
        return Port(_HERE.get(self._host, self._host), 0, self._tls, self._owner)

    @property
    def is_open(self) -> bool:
        """Whether somebody listens."""
        return self._server is not None

    @property
    def addresses(self) -> list[tuple[Any, ...]]:
        """Where somebody listens, as sockets say it."""
        return [sock.getsockname() for sock in self._server.sockets] if self._server is not None else []

    async def open(self, factory: Callable[[], asyncio.Protocol]) -> None:
        """
        Listen.

        Raises:
            OSError: if the address is in use or not ours, naming it.

        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(factory, self._host, self._number, ssl=self._tls)
        except OSError as exc:
            where = f"{self._host}:{self._number}"
            raise OSError(exc.errno, f"{self._owner} cannot listen on {where}: {exc.strerror}") from None
        finally:
            self.release()
        self._number = self._server.sockets[0].getsockname()[1]
        # Who listens everywhere is reached here by the loopback.
        host = _HERE.get(self._host, self._host)
        host = f"[{host}]" if ":" in host else host
        self.url = f"{'wss' if self._tls else 'ws'}://{host}:{self._number}/"

    def close(self, *, reserve: bool = False) -> asyncio.Server | None:
        """
        Listen no more; connections that are there stay.

        Args:
            reserve: keep the address, which refuses connections until it is opened again.

        Returns:
            The server, whose connections may be waited for; None if nobody listened.

        """
        server, self._server = self._server, None
        if server is None:
            return None
        sockets = [(each.family, each.getsockname()) for each in server.sockets]
        server.close()
        if reserve and tier_of(asyncio.get_running_loop()) is Tier.REAL:
            # A free port may become the client's own (the ranges are the same): it would connect to itself.
            family, address = sockets[0]
            self._placeholder = socket.socket(family, socket.SOCK_STREAM)
            self._placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._placeholder.bind(address)
        return server

    def release(self) -> None:
        """Keep the address no longer."""
        if self._placeholder is not None:
            self._placeholder.close()
            self._placeholder = None


def _port(given: object) -> int:
    # Variables of an environment are text.
    number = int(given) if isinstance(given, str) and given.isdecimal() else given
    if is_whole(number, 0) and number <= 65535:
        return int(number)
    raise ValueError(f"port: {given!r} is no port; give one from 1 to 65535, or 0 for a free one")

"""Sockets of the in-memory network: what asyncio and its users ask of a socket, without a descriptor."""

from __future__ import annotations

import errno
import os
import socket
from itertools import count
from typing import Any

Address = tuple[Any, ...]

# Far above the descriptors that a kernel gives, so that none is mistaken for one.
FIRST_NUMBER = 1 << 30
_numbers = count(FIRST_NUMBER)


def os_error(number: int, text: str | None = None) -> OSError:
    """The OSError subclass that belongs to an errno, with the kernel's text or another."""
    return OSError(number, text or os.strerror(number))


class VirtualSocket:
    """
    The part of the socket interface that does not move bytes.

    Its options are kept and given back, and change nothing.

    """

    __slots__ = ("__weakref__", "_number", "_options", "closed", "family", "sockname")

    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, family: socket.AddressFamily, sockname: Address) -> None:
        self.family = family
        self.sockname = sockname
        self._number = next(_numbers)
        # Options that were set; None while none was.
        self._options: dict[tuple[int, int], int | bytes] | None = None
        self.closed = False

    def __repr__(self) -> str:
        state = " closed" if self.closed else ""
        return f"<{type(self).__name__} {show_address(self.sockname)}{state}>"

    def fileno(self) -> int:
        """A number that no kernel gives to a descriptor; -1 once closed."""
        return -1 if self.closed else self._number

    def getsockname(self) -> Address:
        """The own address."""
        if self.closed:
            raise os_error(errno.EBADF)
        return self.sockname

    def getpeername(self) -> Address:
        """The other end's address."""
        raise os_error(errno.ENOTCONN)

    def setsockopt(
        self, level: int, option: int, value: int | bytes | None, length: int | None = None
    ) -> None:
        """Keep an option; it changes nothing."""
        if self._options is None:
            self._options = {}
        self._options[level, option] = length or 0 if value is None else value

    def getsockopt(self, level: int, option: int, length: int = 0) -> int | bytes:
        """What was set, or 0."""
        value = (self._options or {}).get((level, option), 0)
        if length:
            return value if isinstance(value, bytes) else value.to_bytes(length, "little")
        return value

    def setblocking(self, flag: bool) -> None:
        """
        Accept that it never blocks.

        Raises:
            ValueError: for a blocking socket, as asyncio's own sockets do.

        """
        if flag:
            raise ValueError("setblocking(): a socket of a virtual network cannot be blocking")

    def settimeout(self, timeout: float | None) -> None:
        """Accept 0 only."""
        if timeout != 0:
            raise ValueError("settimeout(): only 0 is possible on a socket of a virtual network")

    def gettimeout(self) -> float:
        """Always 0.0: it never blocks."""
        return 0.0

    def get_inheritable(self) -> bool:
        """Never: there is nothing to inherit."""
        return False

    def set_inheritable(self, inheritable: bool) -> None:
        """Change nothing."""

    def close(self) -> None:
        """Give up the socket."""
        self.closed = True


def show_address(address: Any) -> str:
    """``127.0.0.1:8765`` or ``[::1]:8765``; other addresses as they are."""
    if isinstance(address, tuple) and len(address) >= 2:
        host = f"[{address[0]}]" if ":" in str(address[0]) else address[0]
        return f"{host}:{address[1]}"
    return str(address) or "an unknown address"

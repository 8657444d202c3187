"""Which addresses the in-memory network has, and which lie outside of it."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from ..core.redact import redact_url
from .errors import REAL_TIME, VirtualTimeError
from .sockets import Address, show_address

INTERNET = (socket.AF_INET, socket.AF_INET6)

# The answer to a listener's "any address", and to a client that connects to it.
WILDCARDS = {socket.AF_INET: "0.0.0.0", socket.AF_INET6: "::"}
LOOPBACKS = {socket.AF_INET: "127.0.0.1", socket.AF_INET6: "::1"}

logger = logging.getLogger("pytest_wsstability.virtual")

# Called with the words of each error for what leaves the network: an app may have disabled all loggers.
LISTENERS: list[Callable[[str], object]] = []

_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "WSS_PROXY", "WS_PROXY")

AddressInfo = tuple[socket.AddressFamily, socket.SocketKind, int, str, Address]


def is_local_name(host: str) -> bool:
    """RFC 6761, section 6.3: ``localhost`` and all below it are loopback, without asking anybody."""
    host = host.rstrip(".").lower()
    return host in ("localhost", "localhost.localdomain") or host.endswith(".localhost")


# Thousands of connections lead to one address.
@lru_cache(maxsize=256)
def family_of(host: str) -> socket.AddressFamily | None:
    """The family of a literal IP address; None for a name."""
    try:
        version = ip_address(host.partition("%")[0]).version
    except ValueError:
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


def resolve(host: Any, port: Any, *, family: int = 0, passive: bool = False) -> list[AddressInfo] | None:
    """
    Answer like getaddrinfo, without asking anybody.

    Returns:
        What it found, IPv4 first; None if the host is a name that only the real resolver knows.

    Raises:
        socket.gaierror: if the address is not of the wanted family.
        OSError: for an unknown service name.

    """
    host = host.decode() if isinstance(host, bytes) else host
    number = _port(port)
    if not host:
        hosts = WILDCARDS if passive else LOOPBACKS
    elif is_local_name(host):
        hosts = LOOPBACKS
    elif literal := family_of(host):
        hosts = {literal: host}
    else:
        return None
    found = [_info(each, ip, number) for each, ip in hosts.items() if family in (0, each)]
    if not found:
        raise socket.gaierror(socket.EAI_FAMILY, f"address family {family} has no address for {host!r}")
    return found


def _port(port: Any) -> int:
    if port is None or port in ("", b""):
        return 0
    try:
        return int(port)
    except ValueError:
        return socket.getservbyname(port.decode() if isinstance(port, bytes) else port)


def _info(family: socket.AddressFamily, ip: str, port: int) -> AddressInfo:
    address = (ip, port) if family == socket.AF_INET else (ip, port, 0, 0)
    return family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", address


def outside(
    address: Any, what: str = "a TCP connection to", *, names: Iterable[str] = ()
) -> VirtualTimeError:
    """The error for something that leaves the in-memory network, logged; ``names`` are those it does have."""
    proxies = [f"{name}={redact_url(os.environ[name])}" for name in _environment() if os.environ.get(name)]
    hint = f" (a client may have taken it from the environment: {', '.join(proxies)})" if proxies else ""
    known = ", ".join(sorted(names))
    have = f"it has {known}" if known else "nobody listens in it"
    error = VirtualTimeError(
        f"{what} {show_address(address)} leaves the virtual network, so virtual time cannot apply{hint}: "
        f"{have}; start the server on the test's own loop, or {REAL_TIME}"
    )
    # Whoever catches it may never tell, and fail much later for it.
    logger.warning("%s", error, extra={"outside": True})
    for listener in LISTENERS:
        listener(str(error))
    return error


def _environment() -> list[str]:
    return [name for proxy in _PROXIES for name in (proxy, proxy.lower())]


def elsewhere(address: str) -> VirtualTimeError:
    """The error for another process that is told an address of the in-memory network."""
    return VirtualTimeError(
        f"a subprocess is told of {address}, which is in the memory of this process in virtual time, so that "
        f"no other process can reach it; {REAL_TIME}, or mark it ws_stability(time='real')"
    )

"""The way through a proxy towards the target: HTTP CONNECT (RFC 9110, section 9.3.6) or SOCKS."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidProxy
from websockets.headers import build_authorization_basic, build_host

try:
    from websockets.proxy import Proxy, get_proxy, parse_proxy
except ModuleNotFoundError:  # pragma: no cover: websockets 15 has them beside its URIs
    from websockets.uri import Proxy, get_proxy, parse_proxy  # type: ignore[attr-defined, no-redef]

from ..core.redact import redact_url, show_text
from ..core.secret_values import SECRETS
from ..core.url import is_loopback

if TYPE_CHECKING:
    from websockets.uri import WebSocketURI

ENVIRONMENT = "env"
# Where the environment names proxies, that which counts first.
_VARIABLES = ("WSS_PROXY", "WS_PROXY", "SOCKS_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
# Bytes that the head of a proxy's answer may have.
_MOST = 64 * 1024


class ProxyError(OSError):
    """A proxy did not let the connection through."""


def proxy_for(uri: WebSocketURI, proxy: str | None) -> Proxy | None:
    """
    The proxy towards a target; None for none, and for targets on this machine.

    Args:
        uri: the target.
        proxy: a URL, or "env" for what the environment says.

    Raises:
        ValueError: if it is no URL of a proxy.

    """
    here = is_loopback(uri.host)
    if proxy is None or (here and proxy == ENVIRONMENT):
        return None
    if not isinstance(proxy, str):
        raise ValueError(
            f"proxy: the value is {type(proxy).__name__}, not text; give http://host:port, for one"
        )
    url = get_proxy(uri) if proxy == ENVIRONMENT else proxy
    SECRETS.take_url(url)
    if url is None:
        return None
    try:
        found = parse_proxy(url)
    except (InvalidProxy, ValueError) as exc:
        # What stands in the place of a port may be a password, with a host that somebody forgot.
        known = isinstance(exc, InvalidProxy)
        reason = str(exc).replace(url, redact_url(url)) if known else "its host or its port is none"
        raise ValueError(f"proxy: {reason}; give http://host:port, socks5://host:port, or env") from None
    # What is wrong is told for any target: the same option may go with another one tomorrow.
    return None if here else found


def unused_variable(uri: WebSocketURI) -> str | None:
    """A variable of the environment that names a proxy for a target, where none is used."""
    if is_loopback(uri.host) or get_proxy(uri) is None:
        return None
    return next((name for each in _VARIABLES for name in (each, each.lower()) if os.environ.get(name)), None)


async def connect_by_socks(proxy: Proxy, uri: WebSocketURI) -> socket.socket:
    """
    A socket that leads to the target.

    Raises:
        ProxyError: if the proxy refuses, is not found, or python-socks is not installed.
        socket.gaierror: if the name of the target, which is resolved here, is not found.

    """
    try:
        from python_socks import ProxyError as SocksError
        from python_socks import ProxyType
        from python_socks.async_.asyncio import Proxy as SocksProxy
    except ImportError:
        raise ProxyError("a SOCKS proxy needs python-socks: pip install 'python-socks[asyncio]'") from None
    kind = ProxyType.SOCKS5 if proxy.scheme.startswith("socks5") else ProxyType.SOCKS4
    # With h or a, the proxy resolves the name.
    remote = proxy.scheme in ("socks5h", "socks4a")
    socks = SocksProxy(
        kind, proxy.host, proxy.port, proxy.username, proxy.password, rdns=remote
    )  # fmt: skip
    try:
        sock: socket.socket = await socks.connect(uri.host, uri.port)
    except SocksError as exc:
        raise ProxyError(show_text(str(exc))) from None
    except OSError as exc:
        if isinstance(exc.__cause__, socket.gaierror):
            # Its own error has no words for that.
            reason = f"its name does not resolve ({exc.__cause__.strerror})"
            raise ProxyError(reason) from None
        raise
    return sock


async def open_tunnel(transport: asyncio.BaseTransport, proxy: Proxy, uri: WebSocketURI) -> None:
    """
    Let an HTTP proxy connect to the target: what is sent over the transport from then on goes there.

    Raises:
        ProxyError: if it does not, with what it said.

    """
    answer = _Answer()
    transport.set_protocol(answer)
    host = build_host(uri.host, uri.port, uri.secure, always_include_port=True)
    fields = [f"CONNECT {host} HTTP/1.1", f"Host: {host}"]
    if proxy.username is not None:
        credentials = build_authorization_basic(proxy.username, proxy.password or "")
        fields.append(f"Proxy-Authorization: {credentials}")
    transport.write("".join(f"{field}\r\n" for field in [*fields, ""]).encode())  # type: ignore[attr-defined]
    head = await answer.head
    version, _, status = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")
    if not version.startswith("HTTP/") or not status.startswith("2"):
        raise ProxyError(f"it answered {show_text(status or version)} to CONNECT {host}")


class _Answer(asyncio.Protocol):
    """Reads the head of a proxy's answer; nothing follows it before this end speaks."""

    def __init__(self) -> None:
        self.head: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        if self.head.done():
            return
        if b"\r\n\r\n" in self._data:
            self.head.set_result(self._data)
        elif len(self._data) > _MOST:
            self.head.set_exception(ProxyError("its answer to CONNECT does not end"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.head.done():
            self.head.set_exception(ProxyError("it closed the connection instead of answering CONNECT"))

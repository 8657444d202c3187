"""TCP, TLS and the opening handshake, and what to say when one of them fails."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from typing import TYPE_CHECKING

from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus

from ..core.duration import show_duration
from ..core.redact import show_text
from .errors import OpeningError, OpeningStage
from .target import TLS

if TYPE_CHECKING:
    from websockets.uri import WebSocketURI

    from .websocket import WebSocket


async def dial(
    websocket: WebSocket,
    uri: WebSocketURI,
    opening: asyncio.Future[None],
    *,
    tls: TLS,
    timeout: float,
    url: str,
    address: tuple[str, int] | None = None,
) -> None:
    """
    Connect the transport and wait for the opening handshake; ``address`` stands in for the URL's.

    Raises:
        OpeningError: if one of the steps fails or all together take longer than ``timeout`` seconds.

    """
    __tracebackhide__ = True
    context = tls.context() if uri.secure else None
    host, port = address or (uri.host, uri.port)
    reached: asyncio.Transport | None = None
    try:
        async with asyncio.timeout(timeout):
            reached, _ = await websocket.loop.create_connection(
                lambda: websocket,
                host,
                port,
                ssl=context,
                server_hostname=uri.host if context else None,
            )
            await asyncio.shield(opening)
    except (OSError, EOFError, InvalidHandshake) as exc:
        _discard(reached, opening)
        raise _explain(exc, url, (host, port), reached is not None, timeout) from None
    except BaseException:
        _discard(reached, opening)
        raise


def _discard(transport: asyncio.Transport | None, opening: asyncio.Future[None]) -> None:
    if transport is not None:
        transport.abort()
    if opening.done() and not opening.cancelled():
        opening.exception()
    opening.cancel()


def _explain(
    exc: Exception, url: str, address: tuple[str, int], reached: bool, timeout: float
) -> OpeningError:
    host, port = address
    where = f"{host}:{port}"
    if isinstance(exc, socket.gaierror):
        return OpeningError(url, OpeningStage.DNS, f"the name {host!r} does not resolve ({exc.strerror})")
    if isinstance(exc, ssl.SSLCertVerificationError):
        advice = "trust its authority with --ws-ca FILE, or check nothing with --ws-insecure"
        return OpeningError(
            url, OpeningStage.TLS, f"the certificate is not trusted: {exc.verify_message}; {advice}"
        )
    if isinstance(exc, ssl.SSLError):
        return OpeningError(url, OpeningStage.TLS, f"{exc.reason or exc}; does {where} speak TLS?")
    if isinstance(exc, TimeoutError) and exc.errno is None:
        step = "no HTTP response to the upgrade" if reached else f"{where} did not accept a TCP connection"
        return OpeningError(url, OpeningStage.TIMEOUT, f"{step} within {show_duration(timeout)}")
    if isinstance(exc, ConnectionRefusedError):
        return OpeningError(url, OpeningStage.CONNECT, f"nobody listens on {where} (connection refused)")
    if isinstance(exc, InvalidStatus):
        return _refused(exc, url)
    if isinstance(exc, InvalidMessage):
        cause = exc.__cause__
        detail = f"{exc}: {cause}" if cause is not None else str(exc)
        return OpeningError(url, OpeningStage.HANDSHAKE, f"{where}: {show_text(detail)}")
    if isinstance(exc, InvalidHandshake | EOFError):
        return OpeningError(url, OpeningStage.HANDSHAKE, f"{where}: {show_text(str(exc))}")
    error = os.strerror(exc.errno) if isinstance(exc, OSError) and exc.errno else str(exc)
    return OpeningError(url, OpeningStage.HANDSHAKE if reached else OpeningStage.CONNECT, f"{where}: {error}")


def _refused(exc: InvalidStatus, url: str) -> OpeningError:
    response = exc.response
    body = bytes(response.body or b"").decode(errors="replace").strip()
    first_line = show_text(body.splitlines()[0][:2000]) if body else ""
    detail = f"HTTP {response.status_code} {show_text(response.reason_phrase)}".rstrip()
    if retry := response.headers.get("Retry-After"):
        detail += f" (Retry-After: {show_text(retry, 40)})"
    return OpeningError(
        url,
        OpeningStage.HTTP,
        f"{detail}: {first_line}" if first_line else detail,
        status=response.status_code,
        retry_after=retry,
    )

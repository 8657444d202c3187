"""The client's half of the sans-I/O layer: what it offers, and which answers it can read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol

from .websocket import LOGGER

if TYPE_CHECKING:
    from websockets.protocol import Protocol
    from websockets.uri import WebSocketURI

# Of a status line (RFC 1945, section 6.1).
_OLD_HTTP = b"HTTP/1.0 "
# The status line of a refusal (RFC 9112, section 4).
_REFUSAL = re.compile(rb"HTTP/1\.[01] (?!101)([1-5]\d\d)(?: (.*))?$")
# Bytes of an answer that are kept: its head, and what may be shown of its body.
_KEPT = 2**14


class _Protocol(ClientProtocol):
    """A client for which a refusal in HTTP/1.0 is one: old proxies and simple servers know no other."""

    # What has come of the answer, until the connection is open.
    answer = b""

    def receive_data(self, data: bytes | bytearray) -> None:
        # An upgrade needs HTTP/1.1 (RFC 6455, section 4.1): a 101 stays what it is, and is refused.
        refused = data.startswith(_OLD_HTTP) and not data.startswith(_OLD_HTTP + b"101")
        if refused and self.state is State.CONNECTING:
            data = b"HTTP/1.1 " + data[len(_OLD_HTTP) :]
        if self.state is State.CONNECTING and len(self.answer) < _KEPT:
            self.answer += data[:_KEPT]
        super().receive_data(data)
        if self.state is not State.CONNECTING:
            self.answer = b""


def refusal_of(protocol: Protocol) -> Response | None:
    """The refusal whose head has come, though its body has no end or cannot be read; None if none has."""
    head, end, body = getattr(protocol, "answer", b"").partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    status = _REFUSAL.match(first)
    if not end or status is None:
        return None
    fields = Headers()
    for name, colon, value in (line.decode("latin-1").partition(":") for line in lines):
        if colon:
            fields[name.strip()] = value.strip()
    if "Transfer-Encoding" in fields or "Content-Encoding" in fields:
        body = b""
    return Response(int(status[1]), (status[2] or b"").decode("latin-1"), fields, body)


def client_protocol(
    uri: WebSocketURI,
    origin: str | None,
    subprotocols: Sequence[str],
    compression: bool,
    max_size: int | None,
) -> ClientProtocol:
    """A protocol that has sent nothing yet; ``max_size`` is bytes of a message, or None for no limit."""
    return _Protocol(
        uri,
        origin=Origin(origin) if origin is not None else None,
        extensions=[ClientPerMessageDeflateFactory(client_max_window_bits=True)] if compression else None,
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        max_size=max_size,
        logger=LOGGER,
    )

"""The client's half of the sans-I/O layer: what it offers, and which answers it can read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from websockets.client import ClientProtocol
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.protocol import State
from websockets.typing import Origin, Subprotocol

from .websocket import LOGGER

if TYPE_CHECKING:
    from websockets.uri import WebSocketURI

# Of a status line (RFC 1945, section 6.1).
_OLD_HTTP = b"HTTP/1.0 "


class _Protocol(ClientProtocol):
    """A client for which a refusal in HTTP/1.0 is one: old proxies and simple servers know no other."""

    def receive_data(self, data: bytes | bytearray) -> None:
        # An upgrade needs HTTP/1.1 (RFC 6455, section 4.1): a 101 stays what it is, and is refused.
        refused = data.startswith(_OLD_HTTP) and not data.startswith(_OLD_HTTP + b"101")
        if refused and self.state is State.CONNECTING:
            data = b"HTTP/1.1 " + data[len(_OLD_HTTP) :]
        super().receive_data(data)


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

"""The client's half of the sans-I/O layer: what it offers, and which answers it can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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

# Of a status line (RFC 1945, section 6.1), and with a code behind it.
_HTTP, _OLD_HTTP, _WITH_CODE = b"HTTP/1.", b"HTTP/1.0 ", len(b"HTTP/1.0 101")
# An answer that another one follows (RFC 9110, section 15.2).
_INTERIM = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d")
# The status line of a refusal (RFC 9112, section 4).
_REFUSAL = re.compile(rb"HTTP/1\.[01] (?!101)([1-5]\d\d)(?: (.*))?$")
# What no field may hold (RFC 9110, section 5.5).
_UNSAFE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
# What browsers offer: the client's window may be bounded (RFC 7692, section 7.1.2.2).
_DEFLATE = ClientPerMessageDeflateFactory(client_max_window_bits=True)
# Bytes of an answer that are kept: its head, and what may be shown of its body.
_KEPT = 2**14


class _Protocol(ClientProtocol):
    """
    A client that reads more answers than the sans-I/O layer does.

    A refusal in HTTP/1.0 is one: old proxies and simple servers know no other. What comes before the answer,
    as the early hints of a proxy do, is skipped, as browsers do.

    """

    # What has come of the answer, until the connection is open.
    answer = b""
    # What has come of one before its version and status were known; None once they are.
    _begun: bytes | None = b""

    @property
    def is_between_answers(self) -> bool:
        """Whether what has come was whole, and another answer has to follow it."""
        return self._begun == b""

    def receive_data(self, data: bytes | bytearray) -> None:
        if self._begun is not None:
            data = self._begin(self._begun + data)
        if self.state is State.CONNECTING and len(self.answer) < _KEPT:
            self.answer += data[:_KEPT]
        if data:
            super().receive_data(data)
        if self.state is not State.CONNECTING:
            self.answer = b""

    def receive_eof(self) -> None:
        if self._begun:
            begun, self._begun = self._begun, None
            self.receive_data(begun)
        super().receive_eof()

    def _begin(self, data: bytes) -> bytes:
        """What can be read of an answer: nothing, while it has not told its status, or is not the last."""
        while _INTERIM.match(data):
            head, end, rest = data.partition(b"\r\n\r\n")
            if not end and len(head) < _KEPT:
                self._begun = data
                return b""
            if not end:
                break
            data = rest
        if len(data) < _WITH_CODE and _HTTP.startswith(data[: len(_HTTP)]):
            self._begun = data
            return b""
        self._begun = None
        # An upgrade needs HTTP/1.1 (RFC 6455, section 4.1): a 101 stays what it is, and is refused.
        if data.startswith(_OLD_HTTP) and not data.startswith(_OLD_HTTP + b"101"):
            return b"HTTP/1.1 " + data[len(_OLD_HTTP) :]
        return data


def answer_of(protocol: Protocol) -> bytes:
    """What has come of the answer of a server that has not opened the connection; not its whole body."""
    return getattr(protocol, "answer", b"")


def refusal_of(protocol: Protocol, *, whole: bool) -> Response | None:
    """
    The refusal whose head has come, though its body has no end or cannot be read; None if none has.

    Args:
        protocol: the client's.
        whole: whether its head has to have come to its end; one that is too long to be read has not.

    """
    head, end, body = answer_of(protocol).partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    status = _REFUSAL.match(first)
    if status is None or (whole and not end):
        return None
    fields = Headers()
    for name, colon, value in (line.decode("latin-1").partition(":") for line in lines):
        if colon:
            fields[name.strip()] = _UNSAFE.sub(" ", value).strip()
    if "Transfer-Encoding" in fields or "Content-Encoding" in fields:
        body = b""
    return Response(int(status[1]), (status[2] or b"").decode("latin-1"), fields, body)


def take_offers(protocol: ClientProtocol, headers: Iterable[tuple[str, str]]) -> None:
    """Know what fields of the user's own offer, as those of a browser's request: the server may choose it."""
    for name, value in headers:
        match name.lower():
            case "sec-websocket-protocol":
                names = [Subprotocol(each.strip()) for each in value.split(",")]
                protocol.available_subprotocols = [*(protocol.available_subprotocols or ()), *names]
            case "sec-websocket-extensions" if _DEFLATE.name in value:
                protocol.available_extensions = [_DEFLATE]
            case "sec-websocket-key":
                protocol.key = value


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
        extensions=[_DEFLATE] if compression else None,
        subprotocols=[Subprotocol(name) for name in subprotocols] or None,
        max_size=max_size,
        logger=LOGGER,
    )

"""A page for people at the address of a WebSocket server: what it answers to a browser that only looks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from websockets.http11 import Request, Response
    from websockets.server import ServerProtocol


def asks_for_page(request: Request) -> bool:
    """Whether a request is for ``/`` and asks for no upgrade (RFC 9110, section 7.8)."""
    return "Upgrade" not in request.headers and request.path.partition("?")[0] == "/"


def page_response(protocol: ServerProtocol, html: str) -> Response:
    """The page as an HTTP response, after which the stream ends."""
    response = protocol.reject(200, html)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    response.headers["Cache-Control"] = "no-store"
    return response

"""What a server answers over HTTP: refusals, a page for people, and how a session of that page is doing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.exceptions import InvalidMessage
from websockets.http11 import Request, Response

from ..wire import first_field
from .admission import Admission
from .behaviour import Behaviour
from .registry import SessionRegistry
from .status import state_of

if TYPE_CHECKING:
    from websockets.server import ServerProtocol

    from ...profiles import Profile

# A refused client may come back after so many seconds (RFC 9110, section 10.2.3).
_RETRY_AFTER = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """
    What one server may cost; None for no limit.

    Attributes:
        connections: at once; who comes beyond is answered with 503.
        sessions: that have ended and are remembered, the latest ones.

    """

    connections: int | None = None
    sessions: int | None = None


class Responses:
    """
    The requests that do not become connections.

    Args:
        registry: who is connected.
        behaviour: of the server, for the state of a session.
        settings: gives what the server says of itself.
        admission: who may ask at all; None: everybody.
        page: HTML for browsers that ask for ``/``, which may ask for ``/status?session=ID`` then; None: 426.
        limits: of the server; None for none.

    """

    def __init__(
        self,
        registry: SessionRegistry,
        behaviour: Behaviour,
        settings: Callable[[], Mapping[str, str]],
        *,
        admission: Admission | None,
        page: str | None,
        limits: Limits | None,
    ) -> None:
        self._registry = registry
        self._behaviour = behaviour
        self._settings = settings
        self._admission = admission
        self._page = page
        self._limits = limits or Limits()

    def answer(self, protocol: ServerProtocol, request: Request) -> Response | None:
        """The response to a request; None if it may ask for the upgrade (RFC 9110, section 7.8)."""
        refused = self._admission.refusal(request.headers) if self._admission is not None else None
        if refused is not None:
            return _text(protocol, HTTPStatus.FORBIDDEN, f"{refused}\n")
        if "Upgrade" not in request.headers:
            return self._plain(protocol, request) if self._page is not None else None
        most = self._limits.connections
        if most is not None and len(self._registry.websockets) > most:
            response = _text(protocol, HTTPStatus.SERVICE_UNAVAILABLE, f"{most} connections are open\n")
            response.headers["Retry-After"] = str(_RETRY_AFTER)
            return response
        return None

    def _plain(self, protocol: ServerProtocol, request: Request) -> Response | None:
        assert self._page is not None
        path, _, query = request.path.partition("?")
        if path == "/":
            return _text(protocol, HTTPStatus.OK, self._page, "text/html")
        if path == "/status":
            names = parse_qs(query).get("session", ())
            session = self._registry.find(names[0]) if names else None
            state = state_of(session, self._behaviour) if session is not None else None
            body = json.dumps({"settings": self._settings(), "session": state})
            return _text(protocol, HTTPStatus.OK, body, "application/json")
        return None


def asked(protocol: ServerProtocol, request: Request, profile: Profile) -> Response | None:
    """What a server of the protocol answers who asks by HTTP before the opening; None where nothing is."""
    # Before websockets 17 there are requests with GET only.
    method, origin = getattr(request, "method", "GET"), first_field(request.headers, "Origin")
    if profile.http is None:
        return None
    wanted = first_field(request.headers, "Access-Control-Request-Method") if method == "OPTIONS" else None
    try:
        answer = profile.http(wanted or method, request.path)
        if answer is None:
            return None
        status, body = (HTTPStatus(answer.status), answer.body) if wanted is None else (HTTPStatus.OK, "")
        response = _text(protocol, status, body, "application/json")
    except Exception as exc:
        # The user's function runs here, and may give what is no answer.
        why = f"http of the profile {profile.name!r} raised {exc!r}\n"
        return _text(protocol, HTTPStatus.INTERNAL_SERVER_ERROR, why)
    if origin is not None:
        # To a page of another origin a WebSocket is open, and other requests are not (Fetch, section 3.3).
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
    if wanted is not None:
        named = first_field(request.headers, "Access-Control-Request-Headers")
        response.headers["Access-Control-Allow-Headers"] = named or ""
    return response


def too_large() -> Response:
    """The response to a request that has no end (RFC 6585, section 5)."""
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return Response(status.value, status.phrase, Headers([("Connection", "close"), ("Content-Length", "0")]))


def unreadable(protocol: ServerProtocol) -> Response | None:
    """The response to what is no request (RFC 9112, section 2.2); None for one, or where it has no end."""
    failed = protocol.handshake_exc
    cause = failed.__cause__ if isinstance(failed, InvalidMessage) else None
    if cause is None or isinstance(cause, EOFError):
        return None
    return _text(protocol, HTTPStatus.BAD_REQUEST, f"{failed}: {cause}\n")


def _text(protocol: ServerProtocol, status: HTTPStatus, body: str, kind: str = "text/plain") -> Response:
    """A response, after which the stream ends."""
    response = protocol.reject(status, body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response

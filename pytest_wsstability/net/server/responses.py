"""What a server answers over HTTP: refusals, a page for people, and how a session of that page is doing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from ...core.timeline.close import CloseEvidence
from ...core.timeline.events import DeadlineTraffic, Direction, Opcode
from .admission import Admission
from .behaviour import OPCODES, Behaviour
from .registry import SessionRegistry
from .session import Session

if TYPE_CHECKING:
    from websockets.server import ServerProtocol

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
        admission: who may ask at all; None: everybody.
        page: HTML for browsers that ask for ``/``, which may ask for ``/status?session=ID`` then; None: 426.
        limits: of the server.

    """

    def __init__(
        self,
        registry: SessionRegistry,
        behaviour: Behaviour,
        *,
        admission: Admission | None,
        page: str | None,
        limits: Limits,
    ) -> None:
        self._registry = registry
        self._behaviour = behaviour
        self._admission = admission
        self._page = page
        self._limits = limits

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
            if session is None:
                return _text(protocol, HTTPStatus.NOT_FOUND, "no such session\n")
            return _text(protocol, HTTPStatus.OK, json.dumps(self._state(session)), "application/json")
        return None

    def _state(self, session: Session) -> dict[str, Any]:
        """
        What the server knows of the latest connection of a session.

        Instants are seconds since its opening; ``deadline`` is the one by which something must be read.

        """
        timeline, close, behaviour = session.timeline, session.timeline.close, self._behaviour
        timeline.observe(session.connection.websocket.loop.time())
        deadline = behaviour.read_deadline
        if deadline is not None:
            deadline += behaviour.last_reset(timeline) or 0.0
        return {
            "age": timeline.duration,
            "deadline": deadline,
            "received": {
                "messages": timeline.count(Direction.RECEIVED, *OPCODES[DeadlineTraffic.DATA]),
                "heartbeats": timeline.heartbeats.sent,
                "pongs": timeline.count(Direction.RECEIVED, Opcode.PONG),
            },
            "end": None if close is None else {"at": close.at, "why": ended_because(close)},
        }


def ended_because(close: CloseEvidence) -> str:
    """Why a connection ended, in one line of the server's words."""
    return close.local_text or str(close)


def too_large() -> Response:
    """The response to a request that has no end (RFC 6585, section 5)."""
    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return Response(status.value, status.phrase, Headers([("Connection", "close"), ("Content-Length", "0")]))


def _text(protocol: ServerProtocol, status: HTTPStatus, body: str, kind: str = "text/plain") -> Response:
    """A response, after which the stream ends."""
    response = protocol.reject(status, body)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = f"{kind}; charset=utf-8"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response

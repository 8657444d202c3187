"""The client's half of a connection: handshake, session, heartbeats, and what kind of client it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from websockets.client import ClientProtocol
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response

from ..core.judge.handshake import confirmation_flaw
from ..core.redact import show_session
from ..core.timeline.close import LocalReason
from ..core.timeline.events import End, Role
from ..core.timeline.flaws import Flaw
from ..profiles import HangUp, Heard, Say
from .client_protocol import take_offers
from .dialling import NotOfferedError
from .senders import SENDERS
from .shared_fields import Fields, shared_fields
from .target import ClientKind
from .timers import Ticker
from .websocket import WebSocket

if TYPE_CHECKING:
    from websockets.datastructures import Headers

# What libraries do by default (`websockets`, uvicorn: 20 s and 20 s).
KEEPALIVE = 20.0
USER_AGENT = "pytest-wsstability"
# RFC 6455, section 4.2.2: another one for each connection.
_ANSWERS_KEY = "sec-websocket-accept"
# Fields of the handshake that are lists, to which those of the user are added (RFC 9110, section 5.3).
_LISTS = frozenset({"connection", "upgrade", "sec-websocket-extensions", "sec-websocket-protocol"})
# Looked up once and not for each heartbeat.
_ANSWER, _CONFIRMED = Role.HEARTBEAT_ANSWER, Role.SESSION_CONFIRMED
# Fields of the handshake response that servers and proxies sign with, and those that they give each request.
HINTS = SENDERS | {"cf-ray", "x-amzn-requestid", "x-envoy-upstream-service-time", "fly-request-id"}


def _not_offered(fields: Headers, offered: Sequence[str]) -> NotOfferedError | None:
    """What the server chose though it was not offered; of both, the subprotocol."""
    subprotocols = ", ".join(fields.get_all("Sec-WebSocket-Protocol"))
    if subprotocols and subprotocols not in offered:
        return NotOfferedError("subprotocol", subprotocols)
    extensions = ", ".join(fields.get_all("Sec-WebSocket-Extensions"))
    return NotOfferedError("extension", extensions) if extensions else None


# Servers send most of their fields alike.
@lru_cache(maxsize=256)
def _hints(fields: Fields) -> Fields | None:
    """The fields that may tell who answered; None where there are none."""
    return tuple(field for field in fields if field[0].lower() in HINTS) or None


class ClientSide:
    """The client's half of a connection: handshake, session, heartbeats. No I/O of its own."""

    __slots__ = ("_confirmed", "_headers", "_keepalive", "_kind", "_opening", "later", "response_headers")

    def __init__(
        self, kind: ClientKind, opening: asyncio.Future[None], *, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self._kind = kind
        # Done when the opening handshake has ended; None from then on.
        self._opening: asyncio.Future[None] | None = opening
        self._headers = headers
        self.response_headers: tuple[tuple[str, str], ...] = ()
        # Whether the session was confirmed.
        self._confirmed = False
        # Pings of a library; None for other kinds of clients.
        self._keepalive: Ticker | None = None
        # Whether an answer to a heartbeat will be said later; None while all are said at once.
        self.later: Callable[[Say], bool] | None = None

    # What the connection calls (see `Endpoint`).

    def connected(self, websocket: WebSocket) -> None:
        """Send the handshake request."""
        protocol = websocket.protocol
        assert isinstance(protocol, ClientProtocol)
        request: Request = protocol.connect()
        request.headers["User-Agent"] = USER_AGENT
        for name in {name.lower() for name, _ in self._headers} - _LISTS:
            # In place of that of the handshake: a request with two Host fields is refused.
            if name in request.headers:
                del request.headers[name]
        for name, value in self._headers:
            request.headers[name] = value
        take_offers(protocol, self._headers)
        protocol.send_request(request)
        websocket.send_handshake()

    def takes(self, websocket: WebSocket, size: int) -> bool:
        """Responses are bounded by the sans-I/O layer; a body may be long."""
        return True

    def handshake(self, websocket: WebSocket, event: Request | Response | None) -> None:
        """Take the server's response."""
        if self._opening is None or self._opening.done():
            return
        protocol = websocket.protocol
        if (failed := protocol.handshake_exc) is not None:
            assert isinstance(protocol, ClientProtocol)
            if isinstance(failed, NegotiationError) and event is not None:
                failed = _not_offered(event.headers, protocol.available_subprotocols or ()) or failed
            self._opening.set_exception(failed)
            return
        assert isinstance(event, Response)
        fields = event.headers.raw_items()
        self.response_headers = shared_fields([each for each in fields if each[0].lower() != _ANSWERS_KEY])
        # The sans-I/O layer keeps the response for life: 1.7 KiB a connection, measured.
        event.headers.clear()
        websocket.opened(End.CLIENT)
        assert websocket.timeline is not None
        websocket.timeline.hints = _hints(self.response_headers)
        self._opening.set_result(None)
        self._opening = None
        self._start(websocket)

    def _start(self, websocket: WebSocket) -> None:
        timeline = websocket.timeline
        assert timeline is not None
        websocket.withhold_pongs = self._kind is ClientKind.MUTE
        self._check_subprotocol(websocket)
        if self._kind is ClientKind.KEEPALIVE:
            self._keepalive = Ticker(websocket.loop, timeline.opened, KEEPALIVE, self._ping, websocket)
        if websocket.profile.words.client_names_session:
            timeline.session_id = websocket.conversation.session_id
        if not websocket.profile.has_session:
            self._stall(websocket)
        websocket.messages.begin()

    def _check_subprotocol(self, websocket: WebSocket) -> None:
        """Take down that the server chose no subprotocol: clients of the protocol would not go on."""
        wanted, protocol = websocket.profile.subprotocols, websocket.protocol
        assert isinstance(protocol, ClientProtocol)
        offered = [name for name in protocol.available_subprotocols or () if name in wanted]
        if offered and protocol.subprotocol is None:
            assert websocket.timeline is not None
            detail = f"{offered[0]!r} was offered, and none chosen: browsers and node's ws go no further"
            websocket.timeline.irregularity(websocket.loop.time(), Flaw.SUBPROTOCOL, detail)

    def received(self, websocket: WebSocket, now: float, opcode: int, role: Role, key: bytes | None) -> None:
        """Nothing to do: the timeline has it."""

    def message(self, websocket: WebSocket, heard: Heard) -> None:
        """Take down what the server has said about the session."""
        timeline = websocket.timeline
        assert timeline is not None
        if heard.role is _CONFIRMED:
            self._check(websocket, heard)
            self._stall(websocket)
        session_id = websocket.conversation.session_id
        # By then the server has said whether it calls the session otherwise than this end would.
        if timeline.session_id is None and (heard.role is _CONFIRMED or heard.session_id == session_id):
            timeline.session_id = session_id
        timeline.intervals = websocket.conversation.intervals

    def say(self, websocket: WebSocket, say: Say) -> None:
        """Say it, but for answers that a mute client keeps back, and those that are said later."""
        if say.role is not _ANSWER or not (self._kind is ClientKind.MUTE or (self.later and self.later(say))):
            websocket.messages.say(say)

    def turn(self, websocket: WebSocket) -> None:
        """Send the heartbeat that is due."""
        websocket.messages.take_turn()

    def hang_up(self, websocket: WebSocket, hang_up: HangUp) -> None:
        """The monitored client ends nothing: what a protocol's client would end, the verdict tells."""

    def _check(self, websocket: WebSocket, heard: Heard) -> None:
        timeline, session_id = websocket.timeline, heard.session_id
        assert timeline is not None
        names = not heard.resumes and "session_id" in websocket.profile.words.names("session_confirmed")
        flaw = confirmation_flaw(timeline, session_id, again=self._confirmed, names_session=names)
        self._confirmed = True
        if flaw is not None:
            own, other = show_session(timeline.session_id), show_session(session_id)
            wrong = flaw is Flaw.WRONG_SESSION
            detail = f"the server confirmed session {other!r}, not {own!r}" if wrong else f"session {own!r}"
            websocket.messages.flawed(flaw, detail)

    def unexpected_message(self, websocket: WebSocket, payload: str | bytes) -> None:
        """A server may send what it likes before the session stands."""

    def ended(self, websocket: WebSocket) -> None:
        """Stop the timers, and say why the connection did not open, if it did not."""
        if self._keepalive is not None:
            self._keepalive.cancel()
        if self._opening is not None and not self._opening.done():
            self._opening.set_exception(
                EOFError("the server closed the connection before it answered the handshake")
            )

    def _stall(self, websocket: WebSocket) -> None:
        if self._kind is ClientKind.STALLED:
            assert websocket.timeline is not None
            websocket.timeline.deliberately_stalled = True
            websocket.pause_reading()

    def _ping(self, websocket: WebSocket) -> None:
        if not websocket.is_open:
            return
        assert websocket.timeline is not None
        age = websocket.loop.time() - websocket.timeline.opened
        if websocket.timeline.pings.overdue(age, KEEPALIVE):
            websocket.fail(1011, LocalReason.PING_TIMEOUT.value, LocalReason.PING_TIMEOUT)
        else:
            websocket.send_ping()

"""The monitored client: it opens, keeps the session, sends heartbeats, and hides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Unpack
from urllib.parse import urljoin, urlsplit

from websockets.client import ClientProtocol
from websockets.exceptions import NegotiationError
from websockets.http11 import Request, Response

from ..core.duration import Duration, parse_duration
from ..core.judge.handshake import confirmation_flaw
from ..core.redact import redact_url, show_session
from ..core.secret_values import SECRETS
from ..core.timeline.close import LocalReason
from ..core.timeline.events import End, Role
from ..core.timeline.flaws import Flaw
from ..core.transcript import Transcript
from ..core.url import as_websocket, wrong_url
from ..profiles import JSON, HangUp, Heard, Profile, Resumption, Say
from ..profiles.catalogue import find
from .client_protocol import client_protocol
from .connection import Connection
from .conversing import client_conversation
from .dialling import Dialler, SubprotocolError
from .errors import OpeningError
from .keywords import ConnectKeywords
from .shared_fields import Fields, shared_fields
from .target import TLS, ClientKind, Headers, client_kind, parse_headers, parse_url, with_defaults, with_query
from .timers import Ticker
from .tunnel import proxy_for
from .websocket import WebSocket

# Unread messages before reading pauses; 1,024 audio frames of 20 ms are 20 seconds.
INBOX = 1024
MAX_SIZE = 2**20
# What libraries do by default (`websockets`, uvicorn: 20 s and 20 s).
KEEPALIVE = 20.0
USER_AGENT = "pytest-wsstability"
# How a certificate is checked where nothing is said.
_TLS = TLS()
# RFC 6455, section 4.2.2: another one for each connection.
_ANSWERS_KEY = "sec-websocket-accept"
# Looked up once and not for each heartbeat.
_ANSWER, _CONFIRMED = Role.HEARTBEAT_ANSWER, Role.SESSION_CONFIRMED
# Fields of the handshake response that servers and proxies sign with.
HINTS = frozenset({"server", "via", "cf-ray", "x-amzn-requestid", "x-envoy-upstream-service-time",
                   "fly-request-id", "x-backend", "x-served-by"})  # fmt: skip


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
        if not any(name.lower() == "user-agent" for name, _ in self._headers):
            request.headers["User-Agent"] = USER_AGENT
        for name, value in self._headers:
            request.headers[name] = value
        protocol.send_request(request)
        websocket.send_handshake()

    def takes(self, websocket: WebSocket, size: int) -> bool:
        """Responses are bounded by the sans-I/O layer; a body may be long."""
        return True

    def handshake(self, websocket: WebSocket, event: Request | Response | None) -> None:
        """Take the server's response."""
        if self._opening is None or self._opening.done():
            return
        if (failed := websocket.protocol.handshake_exc) is not None:
            chosen = event.headers.get_all("Sec-WebSocket-Protocol") if event is not None else []
            if isinstance(failed, NegotiationError) and chosen:
                failed = SubprotocolError(", ".join(chosen))
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
        websocket.begin()

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
        if timeline.session_id is None:
            timeline.session_id = websocket.conversation.session_id
        timeline.intervals = websocket.conversation.intervals

    def say(self, websocket: WebSocket, say: Say) -> None:
        """Say it, but for answers that a mute client keeps back, and those that are said later."""
        if say.role is not _ANSWER or not (self._kind is ClientKind.MUTE or (self.later and self.later(say))):
            websocket.say(say)

    def turn(self, websocket: WebSocket) -> None:
        """Send the heartbeat that is due."""
        websocket.take_turn()

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
            websocket.flawed(flaw, detail)

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


class Dialled(NamedTuple):
    """How a connection was opened: the arguments of `connect`, but for the session's id."""

    url: str
    client: ClientKind | str
    profile: Profile | str
    heartbeat: Duration | Literal[False] | None
    headers: tuple[tuple[str, str], ...]
    origin: str | None
    subprotocols: tuple[str, ...]
    compression: bool
    tls: TLS | None
    max_size: int | None
    inbox: int
    open_timeout: Duration
    address: tuple[str, int] | None
    source: str | None
    redirects: int
    proxy: str | None
    transcript: bool

    def __repr__(self) -> str:
        return f"<Dialled {redact_url(self.url)}>"

    async def again(self, **changes: Unpack[ConnectKeywords]) -> Connection:
        """Another connection of the same client, with some arguments changed."""
        __tracebackhide__ = True
        return await connect(**{**self._asdict(), **changes})

    async def open(self, session_id: str | None, before: Resumption | None) -> Connection:
        """See `connect`."""
        __tracebackhide__ = True
        target = self
        for _ in range(self.redirects):
            try:
                return await target.dial(session_id, before)
            except OpeningError as error:
                target = target.redirected(error)
        return await target.dial(session_id, before)

    def redirected(self, error: OpeningError) -> Dialled:
        """
        The same towards where a redirect leads; credentials are for the first host and no other.

        Raises:
            OpeningError: the error, if it is no redirect, or one that gives TLS up.

        """
        if error.location is None:
            raise error
        url = as_websocket(urljoin(self.url, error.location))
        if wrong_url(url) or urlsplit(url).scheme < urlsplit(self.url).scheme:
            raise error
        same = urlsplit(url).hostname == urlsplit(self.url).hostname
        return self._replace(url=url, headers=self.headers if same else (), address=None)

    async def dial(self, session_id: str | None, before: Resumption | None) -> Connection:
        """Open it, and follow no redirect."""
        __tracebackhide__ = True
        profile = find(self.profile)
        uri = parse_url(with_query(self.url, profile.query))
        loop = asyncio.get_running_loop()
        opening: asyncio.Future[None] = loop.create_future()
        headers = with_defaults(self.headers, profile.headers)
        side = ClientSide(client_kind(self.client), opening, headers=headers)
        conversation = client_conversation(
            profile,
            session_id=session_id,
            heartbeat=_heartbeat(self.heartbeat),
            beats=self.heartbeat is not False,
            before=before,
            loop=loop,
        )
        _check_fields(self.origin, self.subprotocols)
        _check_limits(self.max_size, self.inbox)
        subprotocols = self.subprotocols or profile.subprotocols
        protocol = client_protocol(uri, self.origin, subprotocols, self.compression, self.max_size)
        websocket = WebSocket(protocol, side, conversation, loop=loop, inbox=self.inbox)
        websocket.transcript = Transcript() if self.transcript else None
        seconds = parse_duration(self.open_timeout, "open_timeout")
        dialler = Dialler(
            websocket, uri, url=self.url, tls=self.tls or _TLS, timeout=seconds, address=self.address,
            source=self.source, proxy=proxy_for(uri, self.proxy) if self.address is None else None,
        )  # fmt: skip
        await dialler.dial(opening)
        websocket.expect_protocol(uri.resource_name, [websocket.subprotocol or ""])
        shown = redact_url(self.url)
        connection = Connection(websocket, url=self.url if shown == self.url else shown)
        connection.response_headers = side.response_headers
        connection.opener = self
        return connection


async def connect(
    url: str,
    *,
    client: ClientKind | str = ClientKind.BROWSER,
    profile: Profile | str = JSON,
    heartbeat: Duration | Literal[False] | None = None,
    session_id: str | None = None,
    resume: Resumption | None = None,
    headers: Headers = (),
    origin: str | None = None,
    subprotocols: Sequence[str] = (),
    compression: bool = False,
    tls: TLS | None = None,
    max_size: int | None = MAX_SIZE,
    inbox: int = INBOX,
    open_timeout: Duration = 10,
    address: tuple[str, int] | None = None,
    source: str | None = None,
    redirects: int = 0,
    proxy: str | None = None,
    transcript: bool = False,
) -> Connection:
    """
    Open a monitored connection.

    Args:
        url: ``ws://`` or ``wss://``.
        client: how the client behaves: "browser", "mute", "stalled" or "keepalive".
        profile: the application protocol: "json", "frames", or a `Profile`.
        heartbeat: seconds, or text such as "25s", between two heartbeats; None: as the protocol or the server
            has it (`json` and `frames`: none); False: none.
        session_id: what the client calls its session; made up when None.
        resume: what an earlier connection remembers, to come back to its session; see `Connection.reconnect`.
        headers: further header fields of the handshake request.
        origin: the ``Origin`` header, as a browser sends it.
        subprotocols: a name to offer, or several, the preferred first; empty: those of the profile.
        compression: offer permessage-deflate (RFC 7692).
        tls: how a ``wss://`` server's certificate is checked.
        max_size: bytes of a message above which the connection fails with 1009; None for no limit.
        inbox: unread messages before reading pauses; 0 throws messages away and never pauses.
        open_timeout: time for each step of the opening: the name, TCP, TLS, the upgrade.
        address: host and port instead of the URL's, such as a proxy's; TLS and HTTP keep the URL's names.
        source: the address of this machine to connect from; None leaves it to the system, as in virtual time.
        redirects: how many redirects are followed; headers are for the first host and no other.
        proxy: what to go through, ``http://``, ``https://`` or ``socks5://``, or "env" for what the
            environment says; never towards this machine.
        transcript: keep what is said, with payloads and secrets: `Connection.transcript`.

    Raises:
        OpeningError: if the connection did not open, saying which step failed.
        ValueError: for an argument that makes no sense, naming it.

    """
    __tracebackhide__ = True
    # Iterables are read once here, so that they are the same for a reconnect.
    pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
    # One name is a sequence of letters, too.
    names = (subprotocols,) if isinstance(subprotocols, str) else tuple(subprotocols)
    # Before anything is checked: what is wrong with one of them must not show another.
    SECRETS.take_opening(url=url, headers=pairs, subprotocols=names, proxy=proxy, session_id=session_id)
    fields = parse_headers(pairs)
    dialled = _shared(
        url, client, profile, heartbeat, fields, origin, names, compression, tls, max_size, inbox,
        open_timeout, address, source, redirects, proxy, transcript,
    )  # fmt: skip
    return await dialled.open(session_id, resume)


# The latest one: thousands of connections are opened alike, and then have it in common.
_latest: list[Dialled] = []


def _shared(*arguments: Any) -> Dialled:
    dialled = Dialled(*arguments)
    if _latest and _latest[0] == dialled:
        return _latest[0]
    _latest[:] = [dialled]
    return dialled


def _heartbeat(heartbeat: Duration | Literal[False] | None) -> float | None:
    return None if heartbeat is None or heartbeat is False else parse_duration(heartbeat, "heartbeat")


def _check_fields(origin: str | None, subprotocols: Sequence[str]) -> None:
    """Refuse what no header can carry: the transport would find out when it is too late to say so."""
    if origin is not None:
        parse_headers([("Origin", origin)])
    parse_headers([("Sec-WebSocket-Protocol", name) for name in subprotocols])


def _check_limits(max_size: int | None, inbox: int) -> None:
    if max_size is not None and max_size < 1:
        raise ValueError(f"max_size: {max_size!r} lets no message through; give bytes, or None for no limit")
    if inbox < 0:
        raise ValueError(f"inbox: {inbox!r} is no number of messages; give 0 to throw them away")

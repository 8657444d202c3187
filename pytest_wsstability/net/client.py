"""The monitored client: it opens, keeps the session, sends heartbeats, and hides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Unpack
from urllib.parse import urljoin, urlsplit

from ..core.duration import Duration, parse_duration
from ..core.number import is_whole
from ..core.redact import redact_url
from ..core.secret_values import SECRETS
from ..core.transcript import Transcript
from ..core.url import as_websocket, wrong_url
from ..profiles import JSON, Profile, Resumption
from ..profiles.catalogue import find
from ..profiles.literals import check_subprotocol
from .client_protocol import client_protocol
from .client_side import ClientSide
from .connection import Connection
from .conversing import client_conversation
from .dialling import Dialler
from .errors import OpeningError
from .keywords import ConnectKeywords
from .target import (
    TLS,
    ClientKind,
    Headers,
    client_kind,
    header_pairs,
    parse_headers,
    parse_url,
    subprotocol_names,
    with_defaults,
    with_query,
)  # fmt: skip
from .tunnel import proxy_for
from .websocket import WebSocket

# Unread messages before reading pauses; 1,024 audio frames of 20 ms are 20 seconds.
INBOX = 1024
MAX_SIZE = 2**20
# How a certificate is checked where nothing is said.
_TLS = TLS()


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
        try:
            url = as_websocket(urljoin(self.url, error.location))
        except ValueError:
            raise error from None
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
        subprotocols = self.subprotocols or profile.subprotocols
        protocol = client_protocol(uri, self.origin, subprotocols, self.compression, self.max_size)
        websocket = WebSocket(protocol, side, conversation, loop=loop, inbox=self.inbox)
        websocket.messages.transcript = Transcript() if self.transcript else None
        seconds = parse_duration(self.open_timeout, "open_timeout")
        dialler = Dialler(
            websocket, uri, url=self.url, tls=self.tls or _TLS, timeout=seconds, address=self.address,
            source=self.source, proxy=proxy_for(uri, self.proxy) if self.address is None else None,
            redirects=self.redirects,
        )  # fmt: skip
        await dialler.dial(opening)
        websocket.messages.expect_protocol(uri.resource_name, [websocket.subprotocol or ""])
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
        profile: the application protocol: "json", another name, "module:NAME", or a `Profile`.
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
        ValueError, TypeError: for an argument that makes no sense, naming it.

    """
    __tracebackhide__ = True
    # Iterables are read once here, so that they are the same for a reconnect.
    pairs = header_pairs(headers)
    names = subprotocol_names(subprotocols)
    # Before anything is checked: what is wrong with one of them must not show another.
    SECRETS.take_opening(url=url, headers=pairs, subprotocols=names, proxy=proxy, session_id=session_id)
    if not isinstance(session_id, str | None):
        # It may be a secret, so it is not shown.
        raise ValueError(f"session_id: the value is {type(session_id).__name__}, not text")
    fields = parse_headers(pairs)
    _check_numbers(max_size, inbox, redirects)
    _check_types(tls, address, resume)
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
    for name in subprotocols:
        check_subprotocol(name)


def check_max_size(max_size: int | None) -> None:
    """
    Refuse what is no number of bytes for a message.

    Raises:
        ValueError: for it, naming it.

    """
    if max_size is not None and not is_whole(max_size, 1):
        raise ValueError(
            f"max_size: {max_size!r} is no number of bytes from 1 on; give one, or None for no limit"
        )


def _check_numbers(max_size: int | None, inbox: int, redirects: int) -> None:
    check_max_size(max_size)
    if not is_whole(inbox, 0):
        raise ValueError(f"inbox: {inbox!r} is no number of messages; give 0 to throw them away")
    if not is_whole(redirects, 0):
        raise ValueError(f"redirects: {redirects!r} is no number of redirects; give 0 to follow none, or 5")


def _check_types(tls: object, address: object, resume: object) -> None:
    if not isinstance(tls, TLS | None):
        raise TypeError(f"tls: {type(tls).__name__} is no TLS; give TLS(ca='ca.pem') or TLS(insecure=True)")
    if address is not None and not (isinstance(address, tuple | list) and len(address) == 2):
        raise TypeError(f"address: {address!r} is no host with a port; give ('127.0.0.1', 8000)")
    if not isinstance(resume, Resumption | None):
        # It may be a token, so it is not shown.
        raise TypeError(
            f"resume: {type(resume).__name__} is no Resumption; give Resumption(session_id=...), or call "
            "reconnect() of the connection before"
        )

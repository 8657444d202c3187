"""Name, TCP, TLS, upgrade: the steps of opening a connection, and what to say when one of them fails."""

from __future__ import annotations

import asyncio
import html
import ipaddress
import os
import re
import socket
import ssl
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, SecurityError

from ..core.diagnosis.stray import Stray
from ..core.duration import show_duration
from ..core.redact import redact_text, redact_url, show_text
from ..core.timeline.events import Tier
from ..profiles.sniffing import OLDER, SUBPROTOCOLS, likeness_of
from .client_protocol import answer_of, refusal_of
from .errors import OpeningError, OpeningStage
from .health import tier_of
from .resources import shortage_of
from .senders import served_by
from .target import TLS, check_route, check_source
from .tunnel import connect_by_socks, open_tunnel, unused_variable
from .wire import first_field

if TYPE_CHECKING:
    from websockets.http11 import Response
    from websockets.proxy import Proxy
    from websockets.uri import WebSocketURI

    from .websocket import WebSocket

# What browsers offer for wss:// (RFC 7301): WebSocket over HTTP/2 (RFC 8441) is another handshake.
ALPN = "http/1.1"
# Seconds for the question whether a server that refused HTTP/1.1 would take HTTP/2.
_ASK = 2.0
# With these it may have: bad request, misdirected request, upgrade required, AWS's 464 (RFC 9110, sections
# 15.5.1, 15.5.20, 15.5.22), HTTP version not supported.
_OF_ANOTHER_VERSION = frozenset({400, 421, 426, 464, 505})
# What helps where a certificate's authority is not why it is not trusted, by OpenSSL's codes (X509_V_ERR_...:
# CERT_NOT_YET_VALID, CERT_HAS_EXPIRED, HOSTNAME_MISMATCH, IP_ADDRESS_MISMATCH).
_TRUST = {
    9: "set the clock that is wrong, here or where it was issued",
    10: "renew it",
    62: "use a name that stands in it",
    64: "use a name that stands in it",
}
# What helps where an end refuses the TLS handshake (RFC 8446, section 6.2), by the end of OpenSSL's reason.
_CERTIFICATE = "the server wants another certificate of this client (--ws-cert FILE)"
_ALERTS = {
    "PROTOCOL_VERSION": "let the server speak TLS 1.2 or newer",
    "UNSUPPORTED_PROTOCOL": "let the server speak TLS 1.2 or newer",
    "HANDSHAKE_FAILURE": "no cipher is common, or the server wants a certificate of you (--ws-cert FILE)",
    "UNRECOGNIZED_NAME": "the server does not know this host name",
    "CERTIFICATE_REQUIRED": "the server wants a certificate of this client (--ws-cert FILE)",
    "BAD_CERTIFICATE": _CERTIFICATE,
    "CERTIFICATE_EXPIRED": _CERTIFICATE,
    "CERTIFICATE_UNKNOWN": _CERTIFICATE,
    "UNKNOWN_CA": _CERTIFICATE,
}
# Which redirects are followed, where any are.
_FOLLOWED = "so many at most, to ws:// and wss://, and none from wss:// to ws://"
# Bytes of a refusal's body that are looked at; Squid's style sheet alone has 2 KB.
_PAGE = 2**14
# What of a page is no word of it, the last of which may be cut off.
_NO_WORDS = re.compile(
    r"<!--.*?(?:-->|\Z)|<(style|script)\b.*?(?:</\1[^<>]*>|\Z)|<[/!?a-z][^<>]*(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
_TITLE = re.compile(r"<title>([^<]*)</title>", re.IGNORECASE)
# Steps that fail without a proxy where only that leads out.
_OF_THE_WAY = frozenset({OpeningStage.DNS, OpeningStage.CONNECT, OpeningStage.TIMEOUT})
Address = tuple[str, int]


class NotOfferedError(InvalidHandshake):
    """
    The server chose what was not offered, which the library's error does not always name.

    Attributes:
        chosen: by what it is, as `OpeningError` has it: ``{"extension": "permessage-deflate"}``.

    """

    def __init__(self, kind: str, chosen: str) -> None:
        self.chosen: dict[str, Any] = {kind: chosen}
        so = _owner_of(chosen) if kind == "subprotocol" else " so" if ";" in chosen else ""
        super().__init__(f"the server chose the {kind} {chosen!r}, which was not offered{so}")


class Dialler:
    """
    Opens one connection, step by step; each step has the whole time.

    Args:
        websocket: what the transport is for.
        uri: the target.
        url: the same, for errors.
        tls: how its certificate is checked.
        timeout: seconds for each step.
        address: host and port in the URL's stead; None for the URL's.
        source: the address of this machine to connect from; None leaves it to the system.
        proxy: what to go through; None for nothing.
        redirects: how many redirects its client follows.

    """

    def __init__(
        self,
        websocket: WebSocket,
        uri: WebSocketURI,
        *,
        url: str,
        tls: TLS,
        timeout: float,
        address: Address | None,
        source: str | None,
        proxy: Proxy | None,
        redirects: int,
    ) -> None:
        self._websocket = websocket
        self._redirects = redirects
        self._uri = uri
        self._url = url
        self._tls = tls
        self._timeout = timeout
        self._host, self._port = address or (uri.host, uri.port)
        if source is not None:
            check_source(source)
        # With any port.
        self._source = (source, 0) if source is not None else None
        # What is on the way, as long as nothing leads past it.
        self._proxy = proxy
        # The address of the proxy that has let the connection through; None where none has.
        self._passed: str | None = None
        if proxy is not None:
            self._host, self._port = proxy.host, proxy.port
        if source is not None:
            check_route(source, self._host)
        self._step = OpeningStage.DNS

    @property
    def _where(self) -> str:
        return f"{self._host}:{self._port}"

    @property
    def _peer(self) -> str:
        """Whom this end talks to now."""
        return self._where if self._proxy is None else f"the proxy {self._where}"

    async def dial(self, opening: asyncio.Future[None]) -> None:
        """
        Connect the transport and wait for the opening handshake.

        Args:
            opening: done when the handshake is.

        Raises:
            OpeningError: if one of the steps fails, or takes longer than it may.

        """
        __tracebackhide__ = True
        context = self._tls.context(ALPN) if self._uri.secure else None
        transport: asyncio.BaseTransport | None = None
        try:
            plain = context is None
            if self._proxy is None:
                transport = await self._connect(await self._resolve(), plain=plain)
            else:
                transport = await self._through(self._proxy, plain=plain)
            if context is not None:
                websocket = self._websocket
                transport = await self._start_tls(transport, websocket, context, self._uri.host, "the server")
                websocket.connection_made(transport)
            self._step = OpeningStage.HTTP
            async with asyncio.timeout(self._timeout):
                await asyncio.shield(opening)
        except (OSError, EOFError, InvalidHandshake) as exc:
            _discard(transport, opening)
            raise self._explain(exc, await self._would_speak_http2(exc)) from None
        except BaseException:
            _discard(transport, opening)
            raise

    async def _through(self, proxy: Proxy, *, plain: bool) -> asyncio.BaseTransport:
        """A transport to the target by way of a proxy."""
        websocket = self._websocket
        if proxy.scheme.startswith("socks"):
            self._step = OpeningStage.PROXY
            async with asyncio.timeout(self._timeout):
                sock = await connect_by_socks(proxy, self._uri)
            self._pass_proxy()
            transport, _ = await websocket.loop.create_connection(
                (lambda: websocket) if plain else asyncio.Protocol, sock=sock
            )
            return transport
        below = await self._connect(await self._resolve(), plain=False)
        try:
            if proxy.scheme == "https":
                context = self._tls.context()
                below = await self._start_tls(below, asyncio.Protocol(), context, self._host, "the proxy")
            self._step = OpeningStage.PROXY
            async with asyncio.timeout(self._timeout):
                await open_tunnel(below, proxy, self._uri)
        except BaseException:
            below.abort()  # type: ignore[attr-defined]
            raise
        self._pass_proxy()
        if plain:
            below.set_protocol(websocket)
            websocket.connection_made(below)
        return below

    def _pass_proxy(self) -> None:
        """From here on the other end is the target."""
        self._passed, self._proxy = self._where, None
        self._host, self._port = self._uri.host, self._uri.port

    async def _resolve(self) -> list[tuple[Any, ...]]:
        """Where the name leads: as ``(host, port, family)``."""
        self._step = OpeningStage.DNS
        loop = self._websocket.loop
        named = (self._host, self._port, socket.AF_UNSPEC)
        if _is_literal(self._host) or tier_of(loop) is Tier.VIRTUAL:
            # The in-process network has its own names, and tells which of them are outside.
            return [named]
        async with asyncio.timeout(self._timeout):
            found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        return [(address[0], address[1], family) for family, _, _, _, address in found] or [named]

    async def _connect(self, addresses: list[tuple[Any, ...]], *, plain: bool) -> asyncio.BaseTransport:
        """TCP to the first address that takes it; of several, each has its share of the time."""
        self._step = OpeningStage.CONNECT
        loop, errors = self._websocket.loop, list[OSError]()
        until = loop.time() + self._timeout
        for left, (host, port, family) in zip(range(len(addresses), 0, -1), addresses, strict=True):
            share = loop.time() + max(0.0, until - loop.time()) / left
            try:
                async with asyncio.timeout_at(share):
                    transport, _ = await loop.create_connection(
                        (lambda: self._websocket) if plain else asyncio.Protocol,
                        host, port, family=family, local_addr=self._source,
                    )  # fmt: skip
                return transport
            except OSError as exc:
                errors.append(exc)
        # The same from all is told once.
        told = list(dict.fromkeys(_words(error) for error in errors))
        if all(shortage_of(error) is not None for error in errors):
            raise errors[0]
        raise errors[0] if len(told) == 1 else OSError(f"{len(errors)} addresses: {'; '.join(told)}")

    async def _start_tls(
        self,
        below: asyncio.BaseTransport,
        protocol: asyncio.BaseProtocol,
        context: ssl.SSLContext,
        host: str,
        peer: str,
    ) -> asyncio.BaseTransport:
        """TLS over a transport, which whoever called this aborts where it fails."""
        self._step = OpeningStage.TLS
        async with asyncio.timeout(self._timeout):
            transport = await self._websocket.loop.start_tls(
                below,  # type: ignore[arg-type]
                protocol,
                context,
                server_hostname=host,
                # The step's own time is shorter, and has better words.
                ssl_handshake_timeout=2 * self._timeout,
            )
        if transport is None:
            raise EOFError(f"{peer} closed the connection in the TLS handshake")
        return transport

    async def _would_speak_http2(self, exc: Exception) -> bool:
        """Whether a TLS server that failed the upgrade would take HTTP/2 instead."""
        status = exc.response.status_code if isinstance(exc, InvalidStatus) else None
        answered = status in _OF_ANOTHER_VERSION or isinstance(exc, InvalidMessage | EOFError)
        if self._passed is not None or self._step is not OpeningStage.HTTP or not answered:
            return False
        if not self._uri.secure:
            return False
        context = self._tls.context("h2")
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_ASK):
                transport, _ = await self._websocket.loop.create_connection(
                    asyncio.Protocol, self._host, self._port, ssl=context, server_hostname=self._uri.host
                )
            chosen = transport.get_extra_info("ssl_object").selected_alpn_protocol()
            transport.abort()
            return bool(chosen == "h2")
        return False

    def _explain(self, exc: Exception, http2: bool) -> OpeningError:
        error = self._error(exc)
        if http2 or _refuses_http1(exc):
            return error.with_more(
                "the server speaks HTTP/2 (ALPN h2), where WebSocket is another handshake (RFC 8441), which "
                "this client does not speak: let the server offer http/1.1 too"
            )
        if self._passed is not None and error.location is None:
            return error.with_more(f"the way led through the proxy {self._passed}")
        return error

    def _error(self, exc: Exception) -> OpeningError:
        where, step = self._where, self._step
        if (shortage := shortage_of(exc)) is not None:
            place = f" at {self._source[0]}" if self._source is not None else ""
            told = f"{shortage.value}{place} here ({_words(exc)})"
            return OpeningError(self._url, step, told, shortage=shortage)
        late = _is_late(exc)
        if step is OpeningStage.HTTP and (late or isinstance(exc, InvalidMessage | EOFError)):
            too_long = isinstance(exc.__cause__, SecurityError)
            refusal = refusal_of(self._websocket.protocol, whole=not too_long)
            if refusal is not None:
                return _refused(refusal, self._url, self._redirects, rest=self._unread(exc))
        came = Stray(answer_of(self._websocket.protocol)) if step is OpeningStage.HTTP else Stray()
        if late and not came.data:
            words = f"{self._late()} within {show_duration(self._timeout)}"
            error = self._failed(OpeningStage.TIMEOUT, words, named=step is not OpeningStage.DNS)
            error.unanswered = step is OpeningStage.HTTP
            return error
        if isinstance(exc, socket.gaierror):
            if step is OpeningStage.PROXY:
                advice = "with socks5h:// or socks4a:// the proxy resolves it"
                detail = f"the name {self._uri.host!r} does not resolve here ({exc.strerror}); {advice}"
                return OpeningError(self._url, OpeningStage.DNS, detail)
            return self._failed(
                OpeningStage.DNS, f"the name {self._host!r} does not resolve ({exc.strerror})"
            )
        if (wrong := _wrong_tls(exc, where, begun=step is OpeningStage.TLS)) is not None:
            return self._failed(OpeningStage.TLS, wrong)
        if isinstance(exc, ConnectionRefusedError):
            return self._failed(OpeningStage.CONNECT, f"nobody listens on {where} (connection refused)")
        if isinstance(exc, InvalidStatus):
            return _refused(exc.response, self._url, self._redirects)
        if isinstance(exc, NotOfferedError):
            return OpeningError(self._url, OpeningStage.HANDSHAKE, _words(exc), **exc.chosen)
        if step is OpeningStage.HTTP:
            return self._no_websocket(exc, came)
        return self._failed(step, f"{self._peer}: {_words(exc)}", named=True)

    def _no_websocket(self, exc: Exception, came: Stray) -> OpeningError:
        """What came, if anything, is no answer to an upgrade."""
        answer, told = came.data, _words(exc)
        if came.is_tls:
            told = "it answered in TLS: write wss:// for ws://"
        elif not came.may_be_http:
            # Parsers say what they miss, as the end of a line, and not what came.
            shown = repr(redact_text(came.line)) if came.is_text else came.shown
            told = f"it answered with what is no HTTP: {shown}"
        elif answer and _is_late(exc):
            told = f"its answer had no end within {show_duration(self._timeout)}"
        elif answer and isinstance(exc, EOFError):
            told = "the server closed the connection in the middle of its answer"
        elif isinstance(exc.__cause__, EOFError) and b"\n" in answer.replace(b"\r\n", b""):
            # Which the sans-I/O layer takes for the end of the stream (RFC 9112, section 2.2).
            told = "a line of its answer ends without a carriage return"
        unanswered = not answer and _is_unanswered(exc)
        detail = f"{self._where}: {told}"
        return OpeningError(self._url, OpeningStage.HANDSHAKE, detail, unanswered=unanswered)

    def _failed(self, stage: OpeningStage, detail: str, *, named: bool = False) -> OpeningError:
        """The error of a step; ``named`` where it says who is at the other end."""
        if self._proxy is not None:
            detail = detail if named else f"{self._peer}: {detail}"
            # What is not reached is the proxy; of the target nothing is known yet.
            stage = stage if stage is OpeningStage.TIMEOUT else OpeningStage.PROXY
        elif self._passed is None and stage in _OF_THE_WAY:
            name = unused_variable(self._uri)
            detail += f"; {name} is set, and is used with --ws-proxy env only" if name is not None else ""
        return OpeningError(self._url, stage, detail)

    def _unread(self, exc: Exception) -> str:
        """Why an answer was not read to its end."""
        if isinstance(exc, TimeoutError):
            return f"the answer had no end within {show_duration(self._timeout)}"
        if isinstance(exc, EOFError):
            return "the connection was cut before the answer had an end"
        cause = exc.__cause__ or exc
        several = "several fields " if isinstance(cause, LookupError) else ""
        return f"the answer cannot be read: {several}{show_text(str(cause))}"

    def _late(self) -> str:
        return {
            OpeningStage.DNS: f"the name {self._host!r} did not resolve",
            OpeningStage.CONNECT: f"{self._peer} did not accept a TCP connection",
            OpeningStage.PROXY: f"{self._peer} did not let the connection through",
            OpeningStage.TLS: f"{self._peer} did not end the TLS handshake (does it speak TLS?)",
        }.get(self._step, "no HTTP response to the upgrade")


def _discard(transport: asyncio.BaseTransport | None, opening: asyncio.Future[None]) -> None:
    if transport is not None:
        transport.abort()  # type: ignore[attr-defined]
    if opening.done() and not opening.cancelled():
        opening.exception()
    opening.cancel()


# Thousands of connections lead to one host.
@lru_cache(maxsize=256)
def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _is_late(exc: Exception) -> bool:
    """Whether the time for a step was over; the kernel's own ETIMEDOUT is something else."""
    return isinstance(exc, TimeoutError) and exc.errno is None


def _is_unanswered(exc: Exception) -> bool:
    """Whether the connection ended in the handshake before there was an answer, whole or not."""
    return any(isinstance(each, EOFError | ConnectionError) for each in (exc, exc.__cause__))


def _owner_of(subprotocol: str) -> str:
    """Whose subprotocol this is, as far as the shipped profiles know."""
    if (name := SUBPROTOCOLS.get(subprotocol)) is not None:
        return f"; that is {likeness_of(name).title}: profile {name!r}"
    older = next((name for name, before in OLDER.items() if subprotocol in before), None)
    return f"; no profile speaks it: it is older than {likeness_of(older).title}" if older else ""


def _words(exc: Exception) -> str:
    """What went wrong, in one printable line."""
    if isinstance(exc, socket.gaierror):
        # Its numbers are no errno.
        return show_text(str(exc.strerror))
    if isinstance(exc, OSError) and exc.errno:
        return os.strerror(exc.errno)
    if isinstance(exc, TimeoutError):
        return "no answer in time"
    cause = exc.__cause__ if isinstance(exc, InvalidMessage) else None
    said = str(exc) or type(exc).__name__
    return show_text(f"{said}: {cause}" if cause is not None else said)


def _wrong_tls(exc: Exception, where: str, *, begun: bool) -> str | None:
    """What went wrong in TLS, and what helps; None where something else did."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        advice = _TRUST.get(exc.verify_code, "trust its authority with --ws-ca FILE")
        told = exc.verify_message.rstrip(".")
        return f"the certificate is not trusted: {told}; {advice}, or check nothing with --ws-insecure"
    if isinstance(exc, ssl.SSLError):
        said = str(exc.reason or exc)
        # Whoever sends an alert speaks TLS.
        other = "see the server's log" if "_ALERT_" in said else f"does {where} speak TLS?"
        return f"{said}; {next((each for end, each in _ALERTS.items() if said.endswith(end)), other)}"
    if begun and isinstance(exc, ConnectionResetError | BrokenPipeError | EOFError):
        return f"{where} ended the connection in the TLS handshake; does it speak TLS? (ws:// goes without)"
    return None


def _refuses_http1(exc: Exception) -> bool:
    """Whether a server's TLS has no use for HTTP/1.1 (RFC 7301, section 3.2)."""
    alert = "NO_APPLICATION_PROTOCOL"
    return isinstance(exc, ssl.SSLError) and alert in str(exc.reason)


def _told(body: bytes, status: int, reason: str) -> str:
    """What a refusal says beside its status: the words of a page, or the first line of a text."""
    text = body[:_PAGE].decode("utf-8-sig", "replace").strip()
    if text.startswith("<"):
        text = html.unescape(_without_title(text, _NO_WORDS.sub(" ", text)))
    else:
        # What it says is smaller than something, or stands for something, is no tag.
        text = text.partition("\n")[0]
    # Pages of frameworks say the status once more, or twice.
    text = re.sub(rf"{status}\W*{re.escape(reason)}" if reason else str(status), " ", text)
    return show_text(" ".join(text.split()))


def _without_title(page: str, words: str) -> str:
    """The words of a page, without those of its title where its heading says them once more."""
    title = _TITLE.search(page)
    if title is None:
        return words
    rest = _NO_WORDS.sub(" ", page[title.end() :])
    once = " ".join(re.findall(r"\w+", title[1].casefold()))
    return rest if once in " ".join(re.findall(r"\w+", rest.casefold())) else words


def _refused(response: Response, url: str, redirects: int, *, rest: str = "") -> OpeningError:
    """The error for a refused upgrade; ``rest`` says why its answer was not read to the end."""
    told = _told(bytes(response.body or b""), response.status_code, response.reason_phrase)
    detail = f"HTTP {response.status_code} {show_text(response.reason_phrase)}".rstrip()
    if retry := first_field(response.headers, "Retry-After"):
        detail += f" (Retry-After: {show_text(retry, 40)})"
    location = first_field(response.headers, "Location") if 300 <= response.status_code < 400 else None
    if location is not None:
        # RFC 6455, section 4.1: a client may follow it; browsers do not.
        why = f"--ws-redirects {redirects}: {_FOLLOWED}" if redirects else "--ws-redirects"
        detail += f": it leads to {show_text(redact_url(location))}, and is not followed ({why})"
    elif told:
        detail += f": {told}"
    if rest:
        detail += f"; {rest}"
    return OpeningError(
        url,
        OpeningStage.HTTP,
        detail,
        status=response.status_code,
        retry_after=retry,
        said=f"{response.reason_phrase} {told}",
        location=location,
        served_by=served_by(response.headers.raw_items()),
    )

"""Where and how to open a connection: URL, headers, TLS, kind of client; checked before it is opened."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from typing import NoReturn, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.uri import WebSocketURI, parse_uri

from ..core.url import wrong_url
from .shared_fields import Fields

# RFC 9110, section 5.5: visible characters of Latin-1, spaces and tabs.
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

T = TypeVar("T")
Headers = Mapping[str, str] | Iterable[tuple[str, str]]


def check_source(source: str) -> None:
    """
    Refuse what is no IP address of an interface: a name might be several.

    Raises:
        ValueError: for anything else, naming it.

    """
    try:
        # A number is an address too, and nobody means that.
        if not isinstance(source, str):
            raise ValueError(source)
        ip_address(source)
    except ValueError:
        raise ValueError(f"source: {source!r} is no IP address of this machine, such as 127.0.0.2") from None


def check_route(source: str, host: str) -> None:
    """
    Refuse an address from which nothing goes to a host, which is one of the other version of IP.

    A name may have addresses of both.

    Raises:
        ValueError: for such a pair.

    """
    try:
        there = ip_address(host.partition("%")[0]).version
    except ValueError:
        return
    if (here := ip_address(source).version) != there:
        raise ValueError(
            f"source: {source!r} is an IPv{here} address, from which nothing goes to {host!r}; give one of "
            f"IPv{there}"
        )


def parse_url(url: str) -> WebSocketURI:
    """
    The parts of a WebSocket URL.

    Raises:
        ValueError: if it is none, saying what is wrong with it.

    """
    # What is no text may have no hash.
    return _parse_url(url if isinstance(url, str) else _refuse(url))


# Thousands of connections to one target have its parts in common.
@lru_cache(maxsize=32)
def _parse_url(url: str) -> WebSocketURI:
    return parse_uri(url) if wrong_url(url) is None else _refuse(url)


def _refuse(url: object) -> NoReturn:
    raise ValueError(f"url: {wrong_url(url)}")


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """A URL with parameters that it does not have yet."""
    if not parameters or not isinstance(url, str):
        return url
    parts = urlsplit(url)
    there = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({name: value for name, value in parameters.items() if name not in there})
    if not more:
        return url
    # A path must be there before a query.
    query = f"{parts.query}&{more}" if parts.query else more
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def subprotocol_names(given: Iterable[str], argument: str = "subprotocols") -> tuple[str, ...]:
    """
    Names of subprotocols, the preferred first, read once; one name is a sequence of letters, too.

    Raises:
        TypeError: for what is neither a name nor several; a name may be a token, and is not shown.

    """
    names = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"{argument}: a name is text, not {type(name).__name__}; give one, or a list with the "
                "preferred first, or nothing for those of the profile"
            )
    return names


def with_defaults(
    headers: tuple[tuple[str, str], ...], defaults: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Header fields, and those of the defaults whose names are not among them."""
    if not defaults:
        return headers
    there = {name.lower() for name, _ in headers}
    return (*headers, *(field for field in defaults.items() if field[0].lower() not in there))


def parse_headers(headers: Headers) -> tuple[tuple[str, str], ...]:
    """
    Header fields as pairs.

    Raises:
        ValueError: if a name or value cannot stand in an HTTP header.

    """
    pairs = header_pairs(headers)
    for name, value in pairs:
        if not name or any(char in name for char in " :\r\n\t"):
            # What was given may be a secret in the wrong place, so it is not shown.
            raise ValueError("header: a name must be there, without spaces, colons and line breaks")
        if not name.isascii():
            raise ValueError("header: a name is ASCII")
        if not isinstance(value, str):
            raise ValueError(f"header {name}: the value is {type(value).__name__}, not text")
        if "\r" in value or "\n" in value:
            raise ValueError(f"header {name}: the value has a line break")
        if not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"header {name}: the value has a character that no header can carry")
    return pairs


def header_pairs(given: Mapping[str, T] | Iterable[tuple[str, T]]) -> tuple[tuple[str, T], ...]:
    """
    Header fields as pairs, read once.

    Raises:
        TypeError: for what has none.

    """
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"headers: {type(given).__name__} is no mapping; give {{'Name': 'value'}}")
    pairs = tuple(given.items() if isinstance(given, Mapping) else given)
    if not all(
        isinstance(pair, tuple | list) and len(pair) == 2 and isinstance(pair[0], str) for pair in pairs
    ):
        raise TypeError("headers: a name and a value, both text, make one; give {'Name': 'value'}")
    return pairs


def merge_headers(*layers: Mapping[str, str | None] | Iterable[tuple[str, str | None]]) -> Fields:
    """
    Header fields of several places, by name: what comes first counts, and None removes the name.

    Raises:
        TypeError: for a place that gives no fields.
        ValueError: if a name or value cannot stand in an HTTP header.

    """
    found: list[tuple[str, str | None]] = []
    for layer in layers:
        pairs = header_pairs(layer)
        known = {name.lower() for name, _ in found}
        # One place may have a name several times.
        found += [(name, value) for name, value in pairs if name.lower() not in known]
    return parse_headers([(name, value) for name, value in found if value is not None])


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """How a wss:// server's certificate is checked, and which certificate the client shows."""

    # A PEM file with the authorities to trust; None trusts those of the system.
    ca: str | None = None
    # Check nothing.
    insecure: bool = False
    # PEM files with the client's certificate and its key, which may be in one; None: the client shows none.
    cert: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        if self.ca is not None and not os.path.isfile(self.ca):
            raise ValueError(
                f"ca: there is no file {self.ca!r}; give a PEM file with the authority's certificate"
            )
        for name in ("cert", "key"):
            path = getattr(self, name)
            if path is not None and not os.path.isfile(path):
                raise ValueError(f"{name}: there is no file {path!r}; give a PEM file of the client's")
        if self.key is not None and self.cert is None:
            raise ValueError("key: a key without a certificate; give cert too")

    def context(self, *protocols: str) -> ssl.SSLContext:
        """
        The context for a client: the same for each that offers these, as long as nothing of it is different.

        To read the authorities of a system takes 20 ms, and they keep a megabyte: too much for each of many.

        Args:
            protocols: of the application, which the client offers (RFC 7301).

        Raises:
            ValueError: if a file holds no certificate, or a key that does not fit it.

        """
        places = (self.ca, self.cert, self.key, *(os.environ.get(name) for name in _AUTHORITIES))
        # A test may say where the keys of its connections go, and put a context of its own there.
        others = (os.environ.get("SSLKEYLOGFILE"), ssl.create_default_context, ssl.SSLContext)
        return _context(self, protocols, (*map(_state_of, places), *others))


# Where OpenSSL looks for the authorities of the system, if these are set.
_AUTHORITIES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def _state_of(path: str | None) -> tuple[str | None, tuple[int, int, int] | None]:
    """What is different when a file is another one, or there is none any more."""
    try:
        found = os.stat(path) if path else None
    except OSError:
        found = None
    return path, None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=8)
def _context(tls: TLS, protocols: tuple[str, ...], files: object) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca)
    except (ssl.SSLError, OSError) as exc:
        raise ValueError(f"ca: {tls.ca!r} cannot be read as PEM ({exc})") from None
    if tls.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert is not None:
        try:
            # Nobody is there to be asked for a password.
            context.load_cert_chain(tls.cert, tls.key, password="")
        except (ssl.SSLError, OSError) as exc:
            raise ValueError(
                f"cert: {tls.cert!r} is no certificate with its key, without a password ({exc})"
            ) from None
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class ClientKind(Enum):
    """
    How the monitored client behaves.

    A default Python client pings every 20 s and so keeps quiet connections alive that a browser would
    lose; the default here is a browser's behaviour.

    """

    # Answers pings, sends none.
    BROWSER = "browser"
    # Withholds pongs.
    MUTE = "mute"
    # Stops reading once its session stands.
    STALLED = "stalled"
    # Pings every 20 s and closes with 1011 when one stays unanswered for 20 s, as libraries do.
    KEEPALIVE = "keepalive"


def client_kind(kind: ClientKind | str) -> ClientKind:
    """
    The kind of client with a name.

    Raises:
        ValueError: if there is no such kind.

    """
    try:
        return ClientKind(kind)
    except ValueError:
        valid = ", ".join(repr(kind.value) for kind in ClientKind)
        raise ValueError(f"client: {kind!r} is no kind of client; valid ones: {valid}") from None

"""Where and how to open a connection: URL, headers, TLS, kind of client; checked before it is opened."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from websockets.uri import WebSocketURI, parse_uri

from ..core.url import wrong_url

# RFC 9110, section 5.5: visible characters of Latin-1, spaces and tabs.
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

Headers = Mapping[str, str] | Iterable[tuple[str, str]]


# Thousands of connections to one target have its parts in common.
@lru_cache(maxsize=32)
def parse_url(url: str) -> WebSocketURI:
    """
    The parts of a WebSocket URL.

    Raises:
        ValueError: if it is none, saying what is wrong with it.

    """
    if reason := wrong_url(url):
        raise ValueError(f"url: {reason}")
    return parse_uri(url)


def with_query(url: str, parameters: Mapping[str, str]) -> str:
    """A URL with parameters that it does not have yet."""
    parts = urlsplit(url)
    there = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    more = urlencode({name: value for name, value in parameters.items() if name not in there})
    if not more:
        return url
    # A path must be there before a query.
    query = f"{parts.query}&{more}" if parts.query else more
    return urlunsplit(parts._replace(path=parts.path or "/", query=query))


def with_defaults(
    headers: tuple[tuple[str, str], ...], defaults: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Header fields, and those of the defaults whose names are not among them."""
    there = {name.lower() for name, _ in headers}
    return (*headers, *(field for field in defaults.items() if field[0].lower() not in there))


def parse_headers(headers: Headers) -> tuple[tuple[str, str], ...]:
    """
    Header fields as pairs.

    Raises:
        ValueError: if a name or value cannot stand in an HTTP header.

    """
    pairs = tuple(headers.items() if isinstance(headers, Mapping) else headers)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TLS:
    """How a wss:// server's certificate is checked."""

    # A PEM file with the authorities to trust; None trusts those of the system.
    ca: str | None = None
    # Check nothing.
    insecure: bool = False

    def __post_init__(self) -> None:
        if self.ca is not None and not os.path.isfile(self.ca):
            raise ValueError(
                f"ca: there is no file {self.ca!r}; give a PEM file with the authority's certificate"
            )

    def context(self) -> ssl.SSLContext:
        """
        The context for a client.

        Raises:
            ValueError: if the file holds no certificate.

        """
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (ssl.SSLError, OSError) as exc:
            raise ValueError(f"ca: {self.ca!r} cannot be read as PEM ({exc})") from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
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

"""Who may connect to a server that browsers can reach: Host and Origin (RFC 6454) of each request."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ...core.redact import show_text
from ...core.url import is_loopback

if TYPE_CHECKING:
    from websockets.datastructures import Headers

_DEFAULT_PORTS = {"http": 80, "https": 443}
_FORM = "an origin is scheme://host or scheme://host:port, such as https://app.example"


@dataclass(frozen=True, slots=True)
class Admission:
    """
    Refuses pages of other sites, and names that another site may have pointed at this machine.

    A page that somebody visits can connect anywhere, with the address of the page as its Origin. By DNS
    rebinding its own name then leads to this server; so a Host must be an address, a name without a dot
    (which no site can have), or one that is known here. Clients that are no browser send no Origin.

    Attributes:
        host: where the server listens.
        origins: allowed besides the server's own, normalized; ``*`` stands for all, hosts included.

    """

    host: str
    origins: frozenset[str] = frozenset()

    @classmethod
    def of(cls, host: str, origins: Iterable[str]) -> Admission:
        """
        What people write.

        Raises:
            TypeError: for a text instead of several.
            ValueError: for what is no origin, naming it.

        """
        if isinstance(origins, str):
            raise TypeError(f"allow_origins: {origins!r} is one text; give a list of them")
        if not isinstance(origins, Iterable):
            raise TypeError(f"allow_origins: {origins!r} is no list; {_FORM}")
        each_one = tuple(origins)
        if wrong := [each for each in each_one if not isinstance(each, str)]:
            raise TypeError(f"allow_origins: {wrong[0]!r} is no text; {_FORM}")
        return cls(host, frozenset(map(_parse_origin, each_one)))

    def refusal(self, headers: Headers) -> str | None:
        """Why a request is refused, naming what came; None if it is not."""
        if "*" in self.origins:
            return None
        hosts, origins = headers.get_all("Host"), headers.get_all("Origin")
        host = _authority(hosts[0]) if len(hosts) == 1 else None
        if host is None or not self._knows(host[0]):
            came = repr(show_text(hosts[0], 100)) if len(hosts) == 1 else f"{len(hosts)} of them"
            return f"Host: {came} is no name of this server"
        if not origins or (len(origins) == 1 and self._allows(origins[0], host)):
            return None
        came = repr(show_text(origins[0], 100)) if len(origins) == 1 else f"{len(origins)} of them"
        return f"Origin: {came} is not allowed to connect to this server"

    def _knows(self, name: str) -> bool:
        known = {self.host.lower(), *(urlsplit(origin).hostname for origin in self.origins)}
        return "." not in name or name.endswith(".localhost") or _is_address(name) or name in known

    def _allows(self, origin: str, host: tuple[str, int | None]) -> bool:
        try:
            normal = _parse_origin(origin)
        except ValueError:
            return False
        if normal in self.origins:
            return True
        parts = urlsplit(normal)
        if parts.scheme not in _DEFAULT_PORTS or parts.hostname is None:
            return False
        # The page is this server's own, or another one of this machine where only that can reach it.
        default = _DEFAULT_PORTS[parts.scheme]
        same = (parts.hostname, parts.port or default) == (host[0], host[1] or default)
        return same or (is_loopback(self.host) and is_loopback(parts.hostname))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _authority(text: str) -> tuple[str, int | None] | None:
    """Host and port of a Host field; None for what is none."""
    try:
        parts = urlsplit(f"//{text}")
        if parts.hostname is None or parts.netloc != text or "@" in text:
            return None
        return parts.hostname, parts.port
    except ValueError:
        return None


def _parse_origin(text: str) -> str:
    """An origin in its normal form, ``*`` and ``null`` as they are."""
    if text in ("*", "null"):
        return text
    try:
        parts = urlsplit(text)
        port, rest = parts.port, (parts.path, parts.query, parts.fragment)
    except ValueError as exc:
        raise ValueError(f"allow_origins: {text!r}: {exc}; {_FORM}") from None
    if not parts.scheme or parts.hostname is None or any(rest) or "@" in parts.netloc:
        raise ValueError(f"allow_origins: {text!r} is no origin; {_FORM}, '*' or 'null'")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"

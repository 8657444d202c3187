"""What is wrong with a WebSocket URL, said before anything is dialled, and who can reach a host."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

from .redact import redact_url

_WEBSOCKET = {"http": "ws", "https": "wss"}


def wrong_url(url: object) -> str | None:
    """What is wrong with a WebSocket URL (RFC 6455, section 3), secrets masked; None if nothing."""
    try:
        reason = _wrong(urlsplit(url), url) if isinstance(url, str) else "it is no text"
    except ValueError:
        # Python's own words quote what may be a part of a password.
        reason = "its host is none"
    if reason is None:
        return None
    if is_relative(url):
        reason = "it is a path on no server"
    return f"{redact_url(str(url))!r} is not a WebSocket URL ({reason}); give ws:// or wss:// and a host"


def as_websocket(url: str) -> str:
    """A URL as it is, but with ws:// for http:// and wss:// for https://, which fixtures of servers give."""
    scheme, colon, rest = url.partition(":")
    return f"{_WEBSOCKET.get(scheme.lower(), scheme)}{colon}{rest}"


def is_relative(url: object) -> bool:
    """Whether a URL is a path on whatever server is under test."""
    return isinstance(url, str) and url.startswith("/") and not url.startswith("//")


def join(base: str, path: str) -> str:
    """A path on the server of a URL (RFC 3986, section 5.3); the query of the base is kept."""
    joined, query = urlsplit(urljoin(base, path)), urlsplit(base).query
    both = "&".join(filter(None, (query, joined.query)))
    return urlunsplit(joined._replace(query=both))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host that is listened on (RFC 6761, section 6.3; RFC 1122)."""
    host = host.strip("[]")
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def is_here(url: str) -> bool:
    """Whether only this machine can reach the host of a URL."""
    return is_loopback(urlsplit(url).hostname or "")


def _wrong(parts: SplitResult, url: str) -> str | None:
    if any(each.isspace() or not each.isprintable() for each in url):
        return "it has a space or a control character; %20 stands for a space"
    if parts.scheme not in ("ws", "wss"):
        # Without the slashes it may be a host, or the name of a user.
        return f"its scheme is {parts.scheme!r}" if "://" in url else "it has no scheme"
    if not parts.hostname:
        return "it has no host"
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        return "its port is none from 1 to 65535"
    if parts.fragment:
        return "it has a fragment"
    try:
        parts.hostname.encode("idna")
    except UnicodeError:
        return f"{parts.hostname!r} is no host name"
    return None


def port_of(address: object) -> int | None:
    """The port in an address as sockets give it; None for one that has none."""
    return address[1] if isinstance(address, tuple) and len(address) > 1 else None

"""Secrets stay out of headers, messages, timelines and reports."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

MASK = "***"

_SECRET_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
_SECRET_WORD = re.compile(
    r"token|key|sig(nature)?$|secret|passw|auth|credential|session|jwt|ticket|code$", re.IGNORECASE
)
# A query value in free text, such as a server's error message that quotes the URL.
_QUERY_VALUE = re.compile(r"([?&;]([\w.\-%]+)=)([^&\s\"'#;]+)")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]+@")
# A JSON web token shows itself: its first part is base64 of '{"'.
_JWT = re.compile(r"\beyJ[\w\-]+\.[\w\-]+\.[\w\-]*")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+[\w.\-+/=~]+", re.IGNORECASE)


def is_secret(name: str) -> bool:
    """Whether the value of a header or query parameter of this name may be a secret."""
    return name.lower() in _SECRET_HEADERS or _SECRET_WORD.search(name) is not None


def redact_url(url: str) -> str:
    """The URL without user information, and with the values of secret query parameters masked."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return redact_text(url)
    if parts.netloc != host:
        host = f"{MASK}@{host}"
    if any(is_secret(name) for name, _ in query):
        masked = ((name, MASK if is_secret(name) else quote(value)) for name, value in query)
        shown = "&".join(f"{quote(name)}={value}" for name, value in masked)
    else:
        shown = parts.query
    return urlunsplit((parts.scheme, host, parts.path, shown, ""))


def redact_header(name: str, value: str) -> str:
    """``Name: value`` with the value masked when it may be a secret."""
    return f"{name}: {MASK if is_secret(name) else redact_text(value)}"


def redact_text(text: str) -> str:
    """Free text (an error, the first line of a body) with query values and credentials masked."""
    text = _USER_INFO.sub(f"{MASK}@", text)
    text = _JWT.sub(MASK, text)
    text = _QUERY_VALUE.sub(lambda match: match[1] + (MASK if is_secret(match[2]) else match[3]), text)
    return _BEARER.sub(lambda match: f"{match[1]} {MASK}", text)


def is_text(text: str) -> bool:
    """Whether text can be encoded: JSON can name half of a surrogate pair, which is no character."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def show_text(text: str, longest: int = 200) -> str:
    """Text that a peer or the system chose, for a message: one line, printable, not long, no secrets."""
    shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in redact_text(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."

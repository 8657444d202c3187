"""Secrets stay out of headers, messages, timelines and reports: the one door for text that leaves."""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from .secret_forms import SHORTEST
from .secret_names import is_secret, is_secret_in_prose, is_secret_member, is_word_of_ours
from .secret_values import MASK, SECRETS, hashed

_T = TypeVar("_T")

# A query value in free text, such as a server's error message that quotes the URL.
_QUERY_VALUE = re.compile(r"([?&;]([\w.\-%]+)=)([^&\s\"'#;]+)")
# The same without a question mark, as in a reason phrase, and as JSON and `repr` have it.
_ASSIGNED = re.compile(r"""(?<![\w.\-%?&])(([\w.\-%]+)=)([^&\s"'#;,)}\]]+)""")
_MEMBER = re.compile(r"""(["']([\w.\-]+)["']\s*:\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_FIELD = re.compile(r"(?:(?<=^)|(?<=[;\n]))(\s*([\w\-]+):[ \t]+)([^;\r\n]+)")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]+@")
# A JSON web token shows itself: its first part is base64 of '{"'.
_JWT = re.compile(r"\beyJ[\w\-]+\.[\w\-]+\.[\w\-]*")
_BEARER = re.compile(r"\b(Bearer|Basic)\s+([\w.\-+/=~]+)", re.IGNORECASE)
# What a header field of this name has is a secret in any text.
_FIELDS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
# As pytest shows the local variables of a frame.
_LOCAL = re.compile(r"^((\w+)\s* = )(['\"].*['\"])$", re.MULTILINE)


def redact_url(url: str) -> str:
    """The URL without user information, and with the values of secret query parameters masked."""
    return _redacted_url(url, SECRETS.state)


# Thousands of connections lead to one URL; what is known may change what is shown of it.
@lru_cache(maxsize=32)
def _redacted_url(url: str, known: object) -> str:
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
        query = parse_qsl(parts.query, keep_blank_values=True)
        # Asked for, because it fails where a password holds the characters that end a host.
        _ = parts.port
        if "@" in url and not parts.netloc and not url.startswith(("/", "?")):
            raise ValueError("user information, and no scheme before it")
    except ValueError:
        scheme, separator, rest = url.partition("://") if "://" in url else ("", "", url)
        shown = f"{scheme}{separator}{MASK}@{rest.rpartition('@')[2]}" if "@" in rest else url
        return redact_text(shown)
    if parts.netloc != host:
        host = f"{MASK}@{host}"
    if any(is_secret(name) for name, _ in query):
        masked = ((name, MASK if is_secret(name) else quote(value)) for name, value in query)
        shown = "&".join(f"{quote(name)}={value}" for name, value in masked)
    else:
        shown = parts.query
    return SECRETS.mask(urlunsplit((parts.scheme, host, parts.path, shown, "")))


def redact_text(text: str) -> str:
    """Free text (an error, the first line of a body) with query values and credentials masked."""
    # By value first: what a pattern takes for the end of a value may stand inside of it.
    text = SECRETS.mask(text)
    if ":" in text:
        text = _MEMBER.sub(_masked_member, text)
        text = _FIELD.sub(_masked_field, text)
    if "=" in text:
        text = _ASSIGNED.sub(lambda m: m[1] + (MASK if is_secret_in_prose(m[2]) else m[3]), text)
    return _redact_forms(text)


def redact_source(text: str) -> str:
    """Text that holds the user's own source: ``token=token`` is code there, and stays."""
    return _redact_forms(SECRETS.mask(text))


def _redact_forms(text: str) -> str:
    """Mask what shows itself by its form, whoever gave it."""
    if "://" in text:
        text = _USER_INFO.sub(f"{MASK}@", text)
    if "eyJ" in text:
        text = _JWT.sub(MASK, text)
    if "=" in text:
        text = _QUERY_VALUE.sub(lambda match: match[1] + (MASK if is_secret(match[2]) else match[3]), text)
        text = _LOCAL.sub(_masked_local, text)
    return _BEARER.sub(_masked_scheme, text)


def _masked_member(match: re.Match[str]) -> str:
    quoted = match[3]
    return f"{match[1]}{quoted[0]}{MASK}{quoted[0]}" if is_secret_member(match[2], quoted[1:-1]) else match[0]


def _masked_field(match: re.Match[str]) -> str:
    if match[2].lower() not in _FIELDS:
        return match[0]
    scheme, space, _ = match[3].partition(" ")
    # The scheme of credentials is no secret (RFC 9110, section 11.4).
    return f"{match[1]}{scheme if space and scheme.isalpha() else ''}{space}{MASK}"


def _masked_scheme(match: re.Match[str]) -> str:
    # "basic authentication" and "the bearer token" are words.
    return match[0] if match[2].strip(".").isalpha() else f"{match[1]} {MASK}"


def _masked_local(match: re.Match[str]) -> str:
    return f"{match[1]}'{MASK}'" if is_secret_in_prose(match[2]) else match[0]


def redact(value: _T) -> _T:
    """A value with every text in it redacted: in data classes, lists, tuples and mappings."""
    return _redacted(value)  # type: ignore[no-any-return]


def _redacted(value: Any) -> Any:
    if type(value) is str:
        return redact_text(value)
    if type(value) is bytes:
        # A character a byte, so that what is no text stays as it is.
        return SECRETS.mask(value.decode("latin-1")).encode("latin-1")
    if isinstance(value, dict):
        return {name: _redacted(each) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(map(_redacted, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        new = {name: _redacted(each) for name, each in old.items()}
        changed = {name: each for name, each in new.items() if each != old[name]}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def is_text(text: str) -> bool:
    """Whether text can be encoded: JSON can name half of a surrogate pair, which is no character."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def show_text(text: str, longest: int = 200) -> str:
    """Text that a peer or the system chose, for a message: one line, printable, not long, no secrets."""
    shown = printable(redact_text(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."


def printable(text: str) -> str:
    """The text in one line, with everything escaped that a terminal obeys or that hides what is there."""
    return text if text.isprintable() else "".join(map(_printable, text))


def _printable(char: str) -> str:
    return char if char.isprintable() else ascii(char)[1:-1]


def show_session(name: str | None) -> str:
    """The name of a session, which its client chose: a stable hash, from 8 characters on."""
    if name is None:
        return "(none)"
    return show_text(name) if len(name) < SHORTEST or is_word_of_ours(name) else hashed(name)

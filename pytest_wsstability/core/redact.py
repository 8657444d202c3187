"""Secrets stay out of headers, messages, timelines and reports: the one door for text that leaves."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

from .secret_forms import SHORTEST
from .secret_names import is_secret_value, is_word_of_ours
from .secret_places import named, placed
from .secret_shapes import issued
from .secret_structures import Span
from .secret_values import MASK, SECRETS, hashed

_T = TypeVar("_T")
_Find = Callable[[str], Iterator[Span]]

# From so many characters on a text that was redacted is known again: a log of megabytes is in the report of
# each phase of a test, and is written to a terminal then. So many results are kept.
_LONG, _KEPT = 10_000, 24
# What a long text was redacted to, by how; and what was known then.
_done: dict[tuple[str, _Find], tuple[str, object]] = {}

# A line break, and what the next line is indented with.
_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")
# Nearly all that is shown are words, in which there is nothing to look for; a token of letters alone, such as
# one of Hugging Face, is longer than most.
_MAY_TELL = re.compile(r"[\d=:.\"']|[\w-]{16}")


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
    if any(is_secret_value(*each) for each in query):
        masked = ((name, MASK if is_secret_value(name, value) else quote(value)) for name, value in query)
        shown = "&".join(f"{quote(name)}={value}" for name, value in masked)
    else:
        shown = parts.query
    return SECRETS.mask(urlunsplit((parts.scheme, host, parts.path, shown, "")), also=_shown)


def redact_text(text: str) -> str:
    """Free text (an error, the first line of a body) without secrets, whoever gave them."""
    return _redacted(text, _told)


def redact_source(text: str) -> str:
    """Text that holds the user's own source: ``token=token`` is code there, and stays."""
    return _redacted(text, _shown)


def _redacted(text: str, also: _Find) -> str:
    if len(text) < _LONG:
        return SECRETS.mask(text, also=also)
    text = str(text)
    state, (shown, then) = SECRETS.state, _done.get((text, also), (text, None))
    if then is not state:
        # In one that showed nothing by itself, what was given since is to be looked for alone.
        is_clean = then is not None and shown == text
        shown = SECRETS.mask(text, also=None if is_clean else also)
        if len(_done) >= _KEPT:
            _done.clear()
        # The result is known as well: it leaves by more than one way.
        _done[text, also] = _done[shown, also] = _done[shown, _shown] = shown, state
    return shown


def _told(text: str) -> Iterator[Span]:
    if _MAY_TELL.search(text):
        yield from named(text)
        yield from _shown(text)


def _shown(text: str) -> Iterator[Span]:
    """What shows itself by its form or its place, whoever gave it."""
    if _MAY_TELL.search(text):
        yield from placed(text)
        yield from issued(text)


def redact(value: _T) -> _T:
    """A value with every text in it redacted: in data classes, lists, tuples and mappings."""
    return in_texts(value, redact_text, _redacted_bytes)


def in_texts(value: _T, change: Callable[[str], str], of_bytes: Callable[[bytes], bytes] | None = None) -> _T:
    """A value with every text in it changed: in data classes, lists, tuples and mappings."""
    return _changed(value, change, of_bytes)  # type: ignore[no-any-return]


def _changed(value: Any, change: Callable[[str], str], of_bytes: Callable[[bytes], bytes] | None) -> Any:
    if type(value) is str:
        return change(value)
    if type(value) is bytes:
        return value if of_bytes is None else of_bytes(value)
    if isinstance(value, dict):
        return {name: _changed(each, change, of_bytes) for name, each in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_changed(each, change, of_bytes) for each in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        old = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
        new = {name: _changed(each, change, of_bytes) for name, each in old.items()}
        changed = {name: each for name, each in new.items() if each != old[name]}
        return dataclasses.replace(value, **changed) if changed else value
    return value


def _redacted_bytes(octets: bytes) -> bytes:
    try:
        return redact_text(octets.decode()).encode()
    except UnicodeDecodeError:
        # A character a byte, so that what is no text stays as it is.
        return SECRETS.mask(octets.decode("latin-1"), also=issued).encode("latin-1")


def is_text(text: str) -> bool:
    """Whether text can be encoded: JSON can name half of a surrogate pair, which is no character."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def show_text(text: str, longest: int = 200) -> str:
    """Text that a peer or the system chose, for a message: one line, printable, not long, no secrets."""
    shown = printable(redact_text(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 3]}..."


def show_message(text: str, longest: int = 200) -> str:
    """The same of a message: what it says, and not how it is indented (Janus' JSON, say)."""
    return show_text(_BREAK.sub(" ", redact_text(text)), longest)


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

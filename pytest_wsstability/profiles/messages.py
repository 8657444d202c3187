"""Messages of a protocol as data that reads and writes them: templates, patterns, pairs of functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..core.functions import gives_later
from .patterns import Pattern
from .placeholders import NAMES, PLACEHOLDER, Unsaid, Unwritable, Values, from_groups
from .templates import Free, compiled, fill, match, told_by
from .wording import Parsed, Wording


@dataclass(frozen=True, slots=True)
class Prefixed:
    """Text and behind it JSON, in one text message: Engine.IO's ``0{"sid": ...}``."""

    prefix: str
    template: Mapping[str, Any] | list[Any]


@dataclass(frozen=True, slots=True)
class Codec:
    """
    A message that functions read and write.

    Attributes:
        read: gives the values by the names of their placeholders, or a truth value; None and False for
            what is another message. "said" is what a record has in the place of a binary error or notice. A
            compiled pattern does it too, with groups named after placeholders.
        write: makes the message of values, or None where it is not said with these; None where nobody has to
            write it.
        names: the placeholders of which it says something: "session_id", "interval" ... Text and compiled
            patterns show theirs; what a function says is otherwise known when it has said it. Speech that
            names "audio" alone is written once for the same audio.

    """

    read: Callable[[Any], Mapping[str, Any] | bool | None] | re.Pattern[str] | re.Pattern[bytes]
    write: Callable[[Values], str | bytes | None] | str | bytes | None = None
    names: tuple[str, ...] = ()


# A message as people write it. A function or a compiled pattern alone can be read and not written.
Message: TypeAlias = (
    Mapping[str, Any]
    | list[Any]
    | str
    | bytes
    | Prefixed
    | Codec
    | re.Pattern[str]
    | re.Pattern[bytes]
    | Callable[[Any], Mapping[str, Any] | bool | None]
)

_VALID = (
    "give JSON as a mapping or a list, text, bytes, Prefixed, Codec, a compiled pattern, a function, or None"
)


# As a page's JSON.stringify writes it.
_stringify = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class _Exact(Wording):
    __slots__ = ()

    def read(self, message: Parsed) -> Values | None:
        return {} if message.payload == self.source else None

    def write(self, values: Values) -> str | bytes:
        return self.source  # type: ignore[no-any-return]


class _Json(Wording):
    __slots__ = ("_prefix", "_template")

    def __init__(self, source: Any, template: Mapping[str, Any] | list[Any], prefix: str = "") -> None:
        self._prefix = prefix
        self._template, names = compiled(template)
        super().__init__(source, frozenset(names))

    def read(self, message: Parsed) -> Values | None:
        payload, prefix = message.payload, self._prefix
        if isinstance(payload, bytes) or (prefix and not payload.startswith(prefix)):
            return None
        found = message.json(len(prefix))
        values: Values = {}
        told = bool(prefix)
        return values if found is not None and match(self._template, found, values, told=told) else None

    def write(self, values: Values) -> str | bytes:
        return self._prefix + _stringify(fill(self._template, values))

    @property
    def is_fixed(self) -> bool:
        return not self.names and not _has_free(self._template)

    def telling(self, message: Parsed) -> int:
        prefix = self._prefix
        return told_by(self._template, message.json(len(prefix))) + bool(prefix)


class _Function(Wording):
    __slots__ = ("_read", "_write")

    def __init__(self, source: Any, read: Any, write: Any, names: tuple[str, ...] = ()) -> None:
        self._read, self._write = read, write
        if isinstance(write, str | bytes):
            self._write = Pattern(write)
        written = self._write.names if isinstance(self._write, Wording) else frozenset()
        read_from = set(read.groupindex) & set(NAMES) if isinstance(read, re.Pattern) else ()
        super().__init__(source, written | frozenset(names).union(read_from))

    def read(self, message: Parsed) -> Values | None:
        if isinstance(self._read, re.Pattern):
            if isinstance(message.payload, bytes) is not isinstance(self._read.pattern, bytes):
                return None
            found = self._read.fullmatch(message.payload)
            return None if found is None else from_groups(found.groupdict())
        values = self._read(message.payload)
        if isinstance(values, Mapping):
            return dict(values)
        return {} if values else None

    def write(self, values: Values) -> str | bytes:
        if self._write is None:
            raise Unwritable("it can only be read: give Codec(read, write)")
        if isinstance(self._write, Wording):
            return self._write.write(values)
        try:
            written: str | bytes | None = self._write(dict(values))
        except Unwritable:
            raise
        except Exception as exc:
            # The user's function runs here.
            raise Unwritable(f"write raised {exc!r} for {values!r}"[:300]) from None
        if written is None:
            raise Unsaid("write gave None")
        return written

    @property
    def is_fixed(self) -> bool:
        return False

    @property
    def is_function(self) -> bool:
        return True

    def telling(self, message: Parsed) -> int:
        return 4

    @property
    def is_writable(self) -> bool:
        return self._write is not None


def wordings(field: str, messages: Any) -> list[Wording]:
    """
    What reads and writes a field: one message, or several in a tuple; None is no message.

    Raises:
        ValueError: if one of them makes no sense, naming the field.

    """
    if messages is None:
        return []
    several = messages if isinstance(messages, tuple) and messages else (messages,)
    try:
        return [wording(each) for each in several]
    except ValueError as exc:
        raise ValueError(f"{field} is {messages!r}; {exc}") from None


def wording(message: Message) -> Wording:
    """
    A message as something that reads and writes it.

    Raises:
        ValueError: if it is no message, or no message can match it, saying why.

    """
    if isinstance(message, str | bytes):
        text = message if isinstance(message, str) else message.decode("latin-1")
        return Pattern(message) if PLACEHOLDER.search(text) else _Exact(message)
    if isinstance(message, Mapping | list):
        if not message:
            empty = json.dumps(message)
            raise ValueError(
                f"any message with more in it would match; the text {empty!r} matches {empty} alone"
            )
        return _Json(message, message)
    if isinstance(message, Prefixed) and message.prefix and isinstance(message.template, Mapping | list):
        return _Json(message, message.template, message.prefix)
    functions = (message.read, message.write) if isinstance(message, Codec) else (message,)
    if any(map(gives_later, functions)):
        raise ValueError("a function gives nothing when it is called: write it with 'def', and return")
    if isinstance(message, Codec) and _reads(message.read):
        strange = [name for name in message.names if name not in NAMES]
        if strange:
            raise ValueError(f"{strange[0]!r} is no placeholder's name; valid ones: {', '.join(NAMES)}")
        return _Function(message, message.read, message.write, message.names)
    if _reads(message):
        return _Function(message, message, None)
    raise ValueError(_VALID)


def _reads(value: Any) -> bool:
    return callable(value) or isinstance(value, re.Pattern)


def _has_free(value: Any) -> bool:
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return isinstance(value, Free) or any(_has_free(each) for each in inner)

"""Messages of a protocol as data that reads and writes them: templates, patterns, pairs of functions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from .placeholders import IN_TEXT, OPTIONAL, PLACEHOLDER, Values, as_text, as_value, from_groups, put, take

# Session steps and heartbeats are short; parsing an audio frame's JSON fifty times a second is not.
MAX_PARSED = 16 * 1024


@dataclass(frozen=True, slots=True)
class Free:
    """Any value when it is read; this one when it is written."""

    value: Any


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
            what is another message. A compiled pattern does it too, with groups named after placeholders.
        write: makes the message of values; None where nobody has to write it.

    """

    read: Callable[[Any], Mapping[str, Any] | bool | None] | re.Pattern[str] | re.Pattern[bytes]
    write: Callable[[Values], str | bytes] | str | bytes | None = None


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


class Unwritable(ValueError):
    """A message that can't be written, or not with these values."""


class Parsed:
    """One received message, and its JSON, which several templates look at and which is parsed once."""

    __slots__ = ("_found", "payload")

    def __init__(self, payload: str | bytes) -> None:
        self.payload = payload
        self._found: dict[int, Any] = {}

    def json(self, start: int = 0) -> Any:
        """The JSON object or array from an index on; None for what is none, or too long to be looked at."""
        if start not in self._found:
            self._found[start] = self._parse(start)
        return self._found[start]

    def _parse(self, start: int) -> Any:
        if isinstance(self.payload, bytes) or len(self.payload) > MAX_PARSED:
            return None
        text = self.payload[start:]
        if not text.lstrip(" \t\r\n").startswith(("{", "[")):
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return None


class Wording:
    """A message that is known to be sound: it reads and writes itself."""

    __slots__ = ("names", "source")

    def __init__(self, source: Any, names: frozenset[str] = frozenset()) -> None:
        # As the user wrote it.
        self.source = source
        # The placeholders in it.
        self.names = names

    def read(self, message: Parsed) -> Values | None:
        """The values in a message; None if it is another one."""
        raise NotImplementedError

    def write(self, values: Values) -> str | bytes:
        """
        The message with values.

        Raises:
            Unwritable: if it can't be written with them, saying why.

        """
        raise NotImplementedError


class _Exact(Wording):
    __slots__ = ()

    def read(self, message: Parsed) -> Values | None:
        return {} if message.payload == self.source else None

    def write(self, values: Values) -> str | bytes:
        return self.source  # type: ignore[no-any-return]


class _Pattern(Wording):
    """Text or bytes around placeholders."""

    __slots__ = ("_parts", "_pattern")

    def __init__(self, source: str | bytes) -> None:
        text = source if isinstance(source, str) else source.decode("latin-1")
        self._parts = PLACEHOLDER.split(text)
        super().__init__(source, frozenset(self._parts[1::2]))
        inner = self._parts[2:-1:2]
        if "" in inner:
            raise ValueError("nothing stands between two placeholders, so that nobody could tell them apart")
        pattern = _expression(self._parts)
        if isinstance(source, str):
            self._pattern: re.Pattern[Any] = re.compile(pattern, re.DOTALL)
        else:
            self._pattern = re.compile(pattern.encode("latin-1"), re.DOTALL)

    def read(self, message: Parsed) -> Values | None:
        if isinstance(message.payload, bytes) is not isinstance(self.source, bytes):
            return None
        return self.read_text(message.payload)

    def read_text(self, text: str | bytes) -> Values | None:
        """The values in a text, which need not be a whole message."""
        match = self._pattern.fullmatch(text)
        return None if match is None else from_groups(match.groupdict())

    def write(self, values: Values) -> str | bytes:
        if isinstance(self.source, str):
            return self.write_text(values)
        parts = [part.encode("latin-1") for part in self._parts]
        for index in range(1, len(parts), 2):
            try:
                parts[index] = as_text(values, self._parts[index]).encode()
            except UnicodeEncodeError as exc:
                raise Unwritable(
                    f"{self._parts[index]}: {exc.object!r} cannot be sent in binary: {exc.reason}"
                ) from None
        return b"".join(parts)

    def write_text(self, values: Values) -> str:
        """The text with values."""
        return "".join(as_text(values, part) if index % 2 else part for index, part in enumerate(self._parts))


def _expression(parts: list[str]) -> str:
    seen: set[str] = set()
    pieces = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            pieces.append(re.escape(part))
        elif part == "any":
            pieces.append(IN_TEXT["any"])
        elif part in seen:
            pieces.append(f"(?P={part})")
        else:
            seen.add(part)
            pieces.append(f"(?P<{part}>{IN_TEXT.get(part, '.+?')})")
    return "".join(pieces)


class _Json(Wording):
    __slots__ = ("_prefix", "_template")

    def __init__(self, source: Any, template: Mapping[str, Any] | list[Any], prefix: str = "") -> None:
        self._prefix = prefix
        self._template, names = _compiled(template)
        super().__init__(source, frozenset(names))

    def read(self, message: Parsed) -> Values | None:
        payload, prefix = message.payload, self._prefix
        if isinstance(payload, bytes) or (prefix and not payload.startswith(prefix)):
            return None
        found = message.json(len(prefix))
        values: Values = {}
        return values if found is not None and match(self._template, found, values) else None

    def write(self, values: Values) -> str | bytes:
        # As a page's JSON.stringify writes it.
        filled = fill(self._template, values)
        return self._prefix + json.dumps(filled, separators=(",", ":"), ensure_ascii=False)


class _Function(Wording):
    __slots__ = ("_read", "_write")

    def __init__(self, source: Any, read: Any, write: Any) -> None:
        self._read, self._write = read, write
        if isinstance(write, str | bytes):
            self._write = _Pattern(write)
        names = self._write.names if isinstance(self._write, Wording) else frozenset()
        super().__init__(source, names)

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
        return self._write(dict(values))  # type: ignore[no-any-return]


def wording(message: Message) -> Wording:
    """
    A message as something that reads and writes it.

    Raises:
        ValueError: if it is no message, or no message can match it, saying why.

    """
    if isinstance(message, str | bytes) and message:
        text = message if isinstance(message, str) else message.decode("latin-1")
        return _Pattern(message) if PLACEHOLDER.search(text) else _Exact(message)
    if isinstance(message, Mapping | list) and message:
        return _Json(message, message)
    if isinstance(message, Prefixed) and message.prefix and isinstance(message.template, Mapping | list):
        return _Json(message, message.template, message.prefix)
    if isinstance(message, Codec) and _reads(message.read):
        return _Function(message, message.read, message.write)
    if _reads(message):
        return _Function(message, message, None)
    raise ValueError(_VALID)


def is_writable(message: Wording) -> bool:
    """Whether it can be sent at all."""
    return not (isinstance(message, _Function) and message._write is None)


def is_fixed(message: Wording) -> bool:
    """Whether it is the same text or bytes each time."""
    return not message.names and not isinstance(message, _Function) and not _has_free(message.source)


def is_function(message: Wording) -> bool:
    """Whether a function or a pattern of the user's reads it."""
    return isinstance(message, _Function)


def _reads(value: Any) -> bool:
    return callable(value) or isinstance(value, re.Pattern)


def _has_free(value: Any) -> bool:
    if isinstance(value, Prefixed):
        return _has_free(value.template)
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return isinstance(value, Free) or any(_has_free(each) for each in inner)


# JSON templates.


@dataclass(frozen=True, slots=True)
class _Whole:
    """A placeholder that is a value of its own."""

    name: str


def _compiled(template: Any, place: str = "") -> tuple[Any, set[str]]:
    """A template whose text with placeholders is ready to match, and the placeholders in it."""
    if isinstance(template, Mapping):
        members, names = {}, set()
        for name, value in template.items():
            if not isinstance(name, str):
                raise ValueError(f"member {name!r}{place} is no text, which JSON cannot say")
            members[name], inner = _compiled(value, f" in {name!r}")
            names |= inner
        return members, names
    if isinstance(template, list):
        compiled = [_compiled(value, place) for value in template]
        return [value for value, _ in compiled], set().union(*(inner for _, inner in compiled))
    if isinstance(template, str):
        whole = PLACEHOLDER.fullmatch(template)
        if whole is not None:
            return _Whole(whole[1]), {whole[1]}
        if PLACEHOLDER.search(template):
            pattern = _Pattern(template)
            return pattern, set(pattern.names)
        return template, set()
    value = template.value if isinstance(template, Free) else template
    if not _is_json(value):
        raise ValueError(f"{value!r}{place} is nothing that JSON can say")
    return template, set()


def _is_json(value: Any) -> bool:
    """Whether a value comes back from JSON as it went in: with text keys, lists, no bytes, no NaN."""
    try:
        return bool(json.loads(json.dumps(value, allow_nan=False)) == value)
    except (TypeError, ValueError, RecursionError):
        return False


def match(template: Any, found: Any, values: Values) -> bool:
    """Whether JSON has everything that a template has; fills ``values`` with what stands for placeholders."""
    if isinstance(template, dict):
        if not isinstance(found, dict):
            return False
        several = len(template) > 1
        for name, part in template.items():
            if name not in found:
                # Servers may confirm without repeating the id, where something else tells the message.
                if not (several and isinstance(part, _Whole) and part.name in OPTIONAL):
                    return False
            elif not match(part, found[name], values):
                return False
        return True
    if isinstance(template, list):
        if not isinstance(found, list) or len(found) < len(template):
            return False
        return all(match(part, value, values) for part, value in zip(template, found, strict=False))
    if isinstance(template, _Whole):
        return take(template.name, found, values)
    if isinstance(template, _Pattern):
        inner = template.read_text(found) if isinstance(found, str) else None
        return inner is not None and all(put(name, value, values) for name, value in inner.items())
    if isinstance(template, Free):
        return True
    # JSON's true and 1 are two things, Python's are one.
    return bool(found == template) and isinstance(found, bool) is isinstance(template, bool)


def fill(template: Any, values: Values) -> Any:
    """JSON with values in the place of placeholders."""
    if isinstance(template, dict):
        return {name: fill(part, values) for name, part in template.items()}
    if isinstance(template, list):
        return [fill(part, values) for part in template]
    if isinstance(template, _Whole):
        return as_value(values, template.name)
    if isinstance(template, _Pattern):
        return template.write_text(values)
    return template.value if isinstance(template, Free) else template

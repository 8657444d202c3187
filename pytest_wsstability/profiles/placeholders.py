"""What stands for values in the messages of a protocol."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ..core.number import as_float

# What stands for a value in a template: as the whole value of a member, or inside text or bytes.

# The session's id: text, or a whole number.
SESSION_ID, SESSION_NUMBER = "{session_id}", "{session_number}"
# What tells a question from its neighbours; its answer carries the same. A whole number, or text.
ID = "{id}"
TEXT_ID = "{text_id}"
# Milliseconds since 1970, or the same in the words of RFC 3339.
NOW = "{now}"
NOW_TEXT = "{now_text}"
# The last number received (see `Profile.sequence`).
SEQUENCE = "{sequence}"
# The interval and the timeout of heartbeats that the sender names: seconds, or milliseconds.
INTERVAL, INTERVAL_MS = "{interval}", "{interval_ms}"
TIMEOUT, TIMEOUT_MS = "{timeout}", "{timeout_ms}"
# What a server gives for coming back to the session.
TOKEN = "{token}"
# Where the client has reached the server, without a query: where to come back to.
URL = "{url}"
# Of a spoken conversation (see `Audio`): audio, a transcript or a token, and the numbers of the turn and of
# the chunk of audio.
AUDIO, TEXT, TURN, NUMBER = "{audio}", "{text}", "{turn}", "{number}"
# Any value; written as null, or as nothing inside text. `Free` says what is written.
ANY = "{any}"

# What a message says by its placeholders, under their names.
Values: TypeAlias = dict[str, Any]

# Values that were made up, for a message that is looked at before it is said; any number does.
SAMPLE: Values = {
    "session_id": "7", "id": 7, "now": 7.0, "sequence": 7, "interval": 7.0, "timeout": 7.0, "token": "7",
    "url": "ws://localhost/",
}  # fmt: skip
NAMES = (
    "session_id", "session_number", "id", "text_id", "now", "now_text", "sequence", "interval", "interval_ms",
    "timeout", "timeout_ms", "token", "url", "any", "audio", "text", "turn", "number",
)  # fmt: skip
PLACEHOLDER = re.compile("{(" + "|".join(NAMES) + ")}")
# Members that a sender may leave out, where something else tells the message.
OPTIONAL = frozenset(
    {
        "session_id", "session_number", "sequence", "interval", "interval_ms", "timeout", "timeout_ms",
        "token", "url", "turn", "number",
    }
)  # fmt: skip
_SECONDS = {"interval": 1.0, "interval_ms": 1000.0, "timeout": 1.0, "timeout_ms": 1000.0}
_ID_NAMES = {"text_id": "id", "session_number": "session_id"}
IN_TEXT = {
    **dict.fromkeys(_SECONDS, r"\d+(?:\.\d+)?"),
    "sequence": r"\d+",
    "session_number": r"\d+",
    "now": r"\d+(?:\.\d+)?",
    "any": r".*?",
}


# What JSON has inside of values.
NESTED = (dict, list)


class Unwritable(ValueError):
    """A message that can't be written, or not with these values."""


class Unsaid(Unwritable):
    """A message that is not said with these values: the function that writes it gave None."""


class Raw(str):
    """Bytes that are no text, in hexadecimal: an id that is 16 random bytes."""

    __slots__ = ("data",)
    data: bytes

    def __new__(cls, data: bytes) -> Raw:
        raw = super().__new__(cls, data.hex())
        raw.data = data
        return raw


def may_name_session(value: Any) -> bool:
    """Whether a member of a message may be a session's id: text or a whole number; None says nothing."""
    return value is None or (isinstance(value, str | int) and not isinstance(value, bool))


def whole(value: Any) -> Any:
    """The value, where it is a number without a fraction as a whole one: in JSON 7.0 is 7."""
    return int(value) if type(value) is float and value.is_integer() else value


def _one_of(*kinds: type) -> Callable[[Any], bool]:
    """Whether a value is of one of these types, or None; a truth value is no number."""
    return lambda value: value is None or (isinstance(value, kinds) and not isinstance(value, bool))


def _is_id(value: Any) -> bool:
    return value is not None and type(value) not in NESTED


# What may stand for a placeholder in JSON: anything, where it is not here.
_FITS: Mapping[str, Callable[[Any], bool]] = {
    "session_id": may_name_session,
    "session_number": _one_of(int),
    "sequence": _one_of(int, str),
    **dict.fromkeys((*_SECONDS, "now"), _one_of(int, float)),
    **dict.fromkeys(("id", "text_id"), _is_id),
}
# A session's id is text, whatever it is written as.
_TEXTS = ("session_id", "session_number")


def take(name: str, found: Any, values: Values) -> bool:
    """Take the value that stands for a placeholder, if it can be one."""
    if name == "any":
        return True
    found = whole(found)
    if name in _FITS and not _FITS[name](found):
        return False
    return put(name, str(found) if name in _TEXTS and found is not None else found, values)


def put(name: str, value: Any, values: Values) -> bool:
    if name in _SECONDS:
        value = None if value is None else as_float(value) / _SECONDS[name]
        name = name.removesuffix("_ms")
    name = _ID_NAMES.get(name, name)
    return bool(values.setdefault(name, value) == value)


def from_groups(groups: Mapping[str, Any]) -> Values | None:
    """Values of a pattern's groups; None where one can't be what its name says."""
    values: Values = {}
    for name, value in groups.items():
        if value is None:
            continue
        try:
            found = _text(value) if isinstance(value, bytes) else value
            if name in _SECONDS or name in ("sequence", "now"):
                found = float(found) if "." in found else int(found)
            done = put(name, found, values)
        except ValueError:
            return None
        if not done:
            return None
    return values


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return Raw(data)


def as_bytes(values: Values, name: str) -> bytes:
    """
    What stands in bytes for a placeholder.

    Raises:
        UnicodeEncodeError: for half of a surrogate pair.

    """
    value = as_value(values, name)
    return value.data if isinstance(value, Raw) else as_text(values, name).encode()


def as_value(values: Values, name: str) -> Any:
    """
    What stands in JSON for a placeholder.

    Raises:
        Unwritable: for a session's id that is no number, where one has to stand.

    """
    if name in _SECONDS:
        seconds = values.get(name.removesuffix("_ms"))
        if seconds is None:
            return None
        scaled = round(seconds * _SECONDS[name], 6)
        return int(scaled) if scaled == int(scaled) else scaled
    if name == "now":
        return round(values.get("now", 0.0) * 1000)
    if name == "now_text":
        return date_text(values.get("now", 0.0))
    if name == "session_number":
        return _as_number(values.get("session_id"))
    if name == "text_id":
        found = values.get("id", "")
        return found if isinstance(found, Raw) else str(found)
    return values.get(name)


def _as_number(session_id: str | None) -> int | None:
    if session_id is None:
        return None
    try:
        return int(session_id)
    except ValueError:
        raise Unwritable(f"{session_id!r} is no whole number, and SESSION_NUMBER stands for one") from None


def as_text(values: Values, name: str) -> str:
    value = as_value(values, name)
    return "" if value is None else str(value)


def date_text(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339 writes them, in UTC: ``2026-01-31T23:59:59Z``."""
    days, second = divmod(int(seconds), 86_400)
    # Days since 0000-03-01, in eras of 400 years: a year then ends with the day that leap years add.
    era, day = divmod(days + 719_468, 146_097)
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month, day = (5 * day + 2) // 153, day - (153 * ((5 * day + 2) // 153) + 2) // 5 + 1
    month += 3 if month < 10 else -9
    year += 400 * era + (month <= 2)
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{year:04}-{month:02}-{day:02}T{clock}Z"

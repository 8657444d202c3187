"""Placeholders that are none: a word in braces that would go out as it is, and then come back as it is."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .messages import Prefixed
from .placeholders import NAMES, PLACEHOLDER

# A word in braces, as people write placeholders; JSON in text has quotes there.
_BRACED = re.compile(r"\{([A-Za-z_][\w.-]*| *(?i:" + "|".join(NAMES) + r") *)\}")
# The name of one alone, as templates of other makers have it: $name, ${name}, {{name}}, <name>, %(name)s.
_FOREIGN = re.compile(r"(?:\$\{?|\{\{ *|<|%\()(?i:(" + "|".join(NAMES) + r"))(?:\}| *\}\}|>|\)s)?")


def check_placeholders(field: str, message: Any) -> None:
    """
    See that no message of a profile has a placeholder that there is not.

    It would go out as it is, and an echo of it would read as a confirmation.

    Raises:
        ValueError: for one that has, with what is meant perhaps.

    """
    for text, is_key in _texts(message):
        if text == "SESSION_ID":
            raise ValueError(f"{field} has the text 'SESSION_ID'; write SESSION_ID without quotes")
        if not is_key and (foreign := _FOREIGN.fullmatch(text)) is not None:
            wrong = f"{field} has {text!r}, which is no placeholder and would go out as it is"
            raise ValueError(f"{wrong}; {_meant(foreign[1])}")
        for found in _BRACED.finditer(text):
            written = found[0]
            if is_key:
                raise ValueError(f"{field} has {written!r} as a member's name; only values are filled in")
            if PLACEHOLDER.fullmatch(written) is None:
                wrong = f"{field} has {written!r}, which is no placeholder and would go out as it is"
                raise ValueError(f"{wrong}; {_meant(found[1])}")


def check_fixed(field: str, values: Mapping[str, str]) -> None:
    """
    See that texts in which nothing is filled in have no placeholder.

    Raises:
        ValueError: for one that has.

    """
    for value in values.values():
        if isinstance(value, str) and (found := PLACEHOLDER.search(value)) is not None:
            raise ValueError(
                f"{field} has {found[0]!r}: nothing is filled in there, so it would go out as it is; open "
                "the connection with the value itself (url=, headers=)"
            )


def check_subprotocol(name: str) -> None:
    """
    See that a subprotocol to offer is one; what stands in it may be a token, and is not shown.

    Raises:
        ValueError: for several in one text, which RFC 6455, section 4.1, parts by commas, and for none.

    """
    if not name:
        # As a variable that nobody has set; servers answer it with 400.
        raise ValueError("subprotocol: it is empty; give a name, or none at all")
    if "," in name or " " in name:
        raise ValueError(
            "subprotocol: a name has no commas and no spaces; give several one by one, the preferred first"
        )


def _meant(word: str) -> str:
    plain = word.strip().casefold().replace("-", "_").replace(" ", "_").replace(".", "_")
    near = difflib.get_close_matches(plain, NAMES, n=1, cutoff=0.7)
    advice = f"did you mean '{{{near[0]}}}'? " if near else ""
    names = ", ".join(f"{{{name}}}" for name in NAMES)
    return f"{advice}valid ones: {names}; Codec(read, write) writes what data cannot say"


def _texts(message: Any) -> Iterator[tuple[str, bool]]:
    """The texts of a message, and whether each is the name of a member."""
    if isinstance(message, str):
        yield message, False
    elif isinstance(message, bytes):
        yield message.decode("latin-1"), False
    elif isinstance(message, Prefixed):
        yield message.prefix, False
        yield from _texts(message.template)
    elif isinstance(message, Mapping):
        for name, value in message.items():
            if isinstance(name, str):
                yield name, True
            yield from _texts(value)
    elif isinstance(message, list | tuple):
        for each in message:
            yield from _texts(each)

"""Secrets in what has parts of its own: a structure of JSON, a field of a form, an element of a page."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from .secret_names import is_of_a_number, is_ordinary, is_secret, is_secret_in_prose, is_secret_value

Span = tuple[int, int]

# None of these looks at a character more than a few times, whatever a peer writes.
QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
# A PIN has four digits at least (ISO 9564-1); with fewer it is that of a board, or a count.
DIGITS = r"\d{4,}(?![\d.eE])"
# Names of what lets in.
LETS_IN = re.compile(r"token|secret|passw|pwd|passphrase|api[_-]?key|credential", re.IGNORECASE)
_PASSWORD = re.compile(r"passw|pwd|passphrase|passcode", re.IGNORECASE)
# A member that lets in, whose value is a structure, or several; then what that is made of: quoted texts, of
# which the last may be cut, with the colon behind a name, numbers, and where structures begin and end.
_STRUCTURE = re.compile(r"""(["'])(?P<name>[\w.\-]+(?: [\w.\-]+){0,3})\1\s*(?::|=>)\s*(?=\{|\[\s*\{)""")
_PART_OF_ONE = re.compile(
    r"(?P<begin>[{\[])|(?P<end>[}\]])"
    rf"""|(?P<value>(?<!\\)(?:{QUOTED}|["'][^"'\\]+\Z)|(?<![\w.]){DIGITS})(?P<named>\s*(?::|=>))?"""
)
# Below a password, what is called so is one, be it a word.
_ITSELF = frozenset({"value", "raw", "plain", "plaintext", "text", "data"})
# A field of a form (RFC 7578), and what stands in it.
_FORM_FIELD = re.compile(
    r"""content-disposition:[ \t]*form-data;[^\r\n]{0,99}?(?<![\w*])name=["']?+(?P<name>[^"';\r\n]++)"""
    r"[^\r\n]{0,299}+(?:\r?\n[^\r\n]{1,299}+){0,8}+\r?\n\r?\n(?P<value>(?:(?!\r?\n--).)*)",
    re.IGNORECASE | re.DOTALL,
)
# A tag of HTML or XML with attributes, and the text behind it: `<input name="token" value="...">`,
# `<meta name="csrf-token" content="...">`, `<string name="token">...</string>`.
_TAG = re.compile(r"<[\w:\-]+\s(?P<attributes>[^<>]{1,1024})>(?P<text>[^<>]*)")
_ATTRIBUTE = re.compile(rf"(?P<name>[\w:\-]+)=(?P<value>{QUOTED})")
_NAMES_ONE, _HAS_ONE = frozenset({"name", "key", "id", "type"}), frozenset({"value", "content"})


def structured(text: str) -> Iterator[Span]:
    """Where values stand in free text whose place in something with parts says that they are secrets."""
    if ":" in text or "=>" in text:
        yield from _structures(text)
    if "name=" in text:
        yield from _form_fields(text)
    if "<" in text and "=" in text:
        yield from _attributes(text)


def _structures(text: str) -> Iterator[Span]:
    """What stands in structures whose name lets in: in ``"password": {"value": "..."}``."""
    done = 0
    for match in _STRUCTURE.finditer(text):
        # What is in one that was looked at is in that.
        if match.start() >= done and LETS_IN.search(match["name"]) and is_secret(match["name"]):
            done = yield from _below(match["name"], text, match.end())


def _below(name: str, text: str, start: int) -> Generator[Span, None, int]:
    """The values in the structure that begins at a place; then where it ends, or the text does."""
    depth, called = 0, ""
    for part in _PART_OF_ONE.finditer(text, start):
        if part["begin"]:
            depth += 1
        elif part["end"]:
            depth -= 1
            if not depth:
                return part.end()
        elif part["named"]:
            called = part["value"].strip("\"'").lower()
        else:
            value = part["value"].strip("\"'")
            if _is_below(name, called, value):
                start = part.start("value") + part["value"].index(value)
                yield start, start + len(value)
    return len(text)


def _is_below(name: str, called: str, value: str) -> bool:
    """Whether a value in a structure of this name is a secret; a count or an instant of a token is none."""
    if value.isdigit():
        return is_of_a_number(name)
    is_one = is_secret_value(name, value) if called in _ITSELF else is_odd(name, value)
    return is_one and not any(map(str.isspace, value))


def _form_fields(text: str) -> Iterator[Span]:
    for match in _FORM_FIELD.finditer(text):
        if is_secret_value(match["name"], match["value"]):
            yield match.span("value")


def _attributes(text: str) -> Iterator[Span]:
    """What an element of a page is given that has the name of a secret."""
    for tag in _TAG.finditer(text):
        attributes = list(_ATTRIBUTE.finditer(text, *tag.span("attributes")))
        named = [each["value"][1:-1] for each in attributes if each["name"].lower() in _NAMES_ONE]
        for name in filter(is_secret, named):
            given = [unquoted(each) for each in attributes if each["name"].lower() in _HAS_ONE]
            for start, end in (*given, tag.span("text")):
                value = text[start:end]
                if not any(map(str.isspace, value)) and (is_odd(name, value) or is_password(name, value)):
                    yield start, end


def is_odd(name: str, value: str) -> bool:
    """Whether a value is no word, and its name says that it is a secret."""
    return is_secret_in_prose(name, value) and not is_ordinary(value)


def is_password(name: str, value: str) -> bool:
    """Whether a word behind "password:" is one: "password: required" tells of it."""
    return _PASSWORD.search(name) is not None and len(value) > 3 and not value.isalpha()


def unquoted(match: re.Match[str]) -> Span:
    """Where the value of a match stands, without quotes around it."""
    quotes = int(match["value"][:1] in ("'", '"'))
    return match.start("value") + quotes, match.end("value") - quotes

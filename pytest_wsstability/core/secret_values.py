"""
The secrets that the user gives, collected where they come in, and found by value wherever text leaves.

One collector for the process: what one test gives may stand in the report of another. Values of 8 characters
and more are found anywhere, in each form in which software writes them; shorter ones, and those that are a
word of our own messages, where they stand beside their name.

"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus

from .secret_forms import CUT, SHORTEST, Forms, Mask
from .secret_names import is_of_a_number, is_ordinary, is_secret, is_secret_value, is_word_of_ours
from .secret_shapes import WEB_TOKEN
from .unescaped import Unescaped, unescaped
from .unfolded import unfolded, unfolded_where_random

MASK = "***"
# Characters of the end of a value that are found behind what was left out.
_LONGEST = 2048
# JSON in JSON in JSON; what is escaped more often than that is no text that somebody reads.
_LAYERS = 3
# So many values are remembered, and as many beside a name; the oldest goes first. Each takes about 2 KiB.
_MOST = 8192
# pytest leaves out what two texts begin or end with alike; the lines of the rest begin with a sign.
_LEFT_OUT = re.compile(r"identical (?:leading|trailing) characters in diff")
_OF_A_DIFF = re.compile(r"^(?:e )? *[-+] (?P<shown>.*)$", re.MULTILINE)
# Fields whose values are the same for everybody.
_ORDINARY_FIELDS = re.compile(
    r"accept(-.*)?|access-control-.*|cache-control|connection|content-.*|dnt|host|origin|pragma|sec-fetch-.*|"
    r"sec-websocket-(version|extensions)|upgrade|user-agent|via|x-requested-with|x-forwarded-(host|proto|port)",
    re.IGNORECASE,
)
# What separates values in a field: schemes, cookies, lists, parameters.
_SEPARATORS = re.compile(r"[\s,;]+")
# Where JSON begins in a text message, and what may be a token around it: behind "oauth:", between tags.
_JSON, _BRACE, _PIECE = json.JSONDecoder(), re.compile(r"[{\[]"), re.compile(r"[\w.+/~=-]{8,}")
# What joins the parts of a value, of which a peer may say one: "Bearer%20...", "s:....", "auth=...&ttl=9".
_JOINT = re.compile(r"[^\w+/~-]+")
# A word before a token, of eight at most: "bearer-...", "Authorization_...", "header-...".
_WORD_BEFORE = re.compile(r"(?=(?:[A-Za-z]+[_-]){1,8}(?![A-Za-z]+[_-]))[A-Za-z]+[_-](?=[\w+/~=-]{8})")
_URL = re.compile(r"[A-Za-z]{2,8}://[^\s\"'<>]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}={0,2}")
# Options of a shell before a command line of its own.
_OF_A_SHELL = frozenset({"c", "ec", "lc"})
# What begins the parts of a URL that may hold secrets, or ends them.
_MAY_HOLD_SECRETS = re.compile(r"[#?@;]")
# As servlets write a session into a path (RFC 3986, section 3.3).
_PATH_PARAMETER = re.compile(r";(?P<name>[\w.-]+)=(?P<value>[^;/@]+)")
# A host, and maybe a port: a name with a domain, an address, or one word with a port. A word alone may be the
# user before a password that begins with "/"; "joe:hunter2" has no port, and so is a user with a password.
_AUTHORITY = re.compile(
    r"(?:localhost|\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)+\.?|[\w-]+(?=:))(?::\d+)?", re.IGNORECASE
)  # fmt: skip
_LOOPBACK = re.compile(r"(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)(?::\d*)?", re.IGNORECASE)
_HALF_A_SCHEME = re.compile(r"^(?:wss?|https?)?:?/*")


class SecretValues:
    """
    What is known to be secret, by value.

    Attributes:
        state: another object whenever something else is known, so that what was masked before may be stale.

    """

    def __init__(self) -> None:
        self.state = object()
        # By value: its forms. A dict keeps the order in which they came.
        self._values: dict[str, tuple[str, ...]] = {}
        # Forms in lower case, and the same by their last 8 characters.
        self._forms = Forms()
        self._tails: dict[str, dict[str, Mask]] = {}
        # Values that are masked beside their name only: pairs in lower case.
        self._named: dict[tuple[str, str], None] = {}
        # What nobody has asked for yet: a name and its value, or a value and what stands for it.
        self._news: deque[tuple[str, str, str]] = deque(maxlen=_MOST)

    # What the user gives.

    def take_opening(
        self,
        *,
        url: object = None,
        headers: Mapping[str, Any] | Iterable[tuple[str, Any]] = (),
        subprotocols: Iterable[Any] = (),
        proxy: object = None,
        session_id: object = None,
    ) -> None:
        """Collect what a connection is opened with, whether or not it makes sense."""
        self.take_url(url)
        self.take_url(proxy)
        self.take_headers(headers)
        self.take_subprotocols(subprotocols)
        self.take_session_id(session_id)

    def take_url(self, url: object) -> None:
        """Collect user information, query values and the fragment."""
        url = _as_text(url)
        if not isinstance(url, str) or not _MAY_HOLD_SECRETS.search(url):
            return
        rest, _, fragment = url.partition("#")
        rest, _, query = rest.partition("?")
        self.take("fragment", fragment, secret=bool(fragment))
        # A password may hold the characters that end a host, where somebody forgot to encode it.
        whole = rest if "@" in rest else url
        _, separator, behind = whole.partition("://")
        if not separator and not url.startswith(("/", "?")):
            # A scheme that somebody forgot, or half of one.
            behind = _HALF_A_SCHEME.sub("", whole)
        for before in _user_information(behind):
            name, _, password = before.partition(":")
            self.take("", name, secret=True)
            self.take(unquote(name), password, secret=True)
            self._take_basic(unquote(before))
        path = [(each["name"], unquote(each["value"])) for each in _PATH_PARAMETER.finditer(behind)]
        for name, value in (*parse_qsl(query), *parse_qsl(fragment), *path):
            self.take(name, value)
        for name, equals, raw in (each.partition("=") for each in query.split("&")):
            if not equals:
                self.take("", unquote(name))
            elif "%" in raw and raw not in (quote(unquote(raw)), quote_plus(unquote(raw))):
                self.take("", raw)

    def take_headers(self, headers: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Collect the values of header fields: whole, and what stands behind schemes and names in them."""
        for pair in headers.items() if isinstance(headers, Mapping) else headers:
            match pair:
                case (str() | bytes() as name, str() | bytes() as value):
                    self._take_header(_as_text(name), _as_text(value).strip())

    def _take_header(self, name: str, value: str) -> None:
        lowered = name.lower()
        if _ORDINARY_FIELDS.fullmatch(lowered):
            return
        if lowered == "sec-websocket-protocol":
            self.take_subprotocols(value.split(","))
            return
        if "://" in value:
            self.take_url(value)
            return
        secret = is_secret_value(name, value)
        words = [word for word in _SEPARATORS.split(value) if word]
        scheme = words[0].lower() if len(words) > 1 and "=" not in words[0] else ""
        if scheme == "basic":
            self._take_basic(_decoded(words[1]))
        if scheme == "bearer" and len(words) == 2:
            secret = True
        if scheme or len(words) == 1:
            self.take(name, value, secret=secret)
        for word in words[1:] if scheme else words:
            inner, equals, rest = word.partition("=")
            if equals and rest.strip("="):
                self.take(inner, rest.strip("\"'"), secret=secret)
            else:
                self.take(name, word, secret=secret)

    def _take_basic(self, credentials: str) -> None:
        """Both parts, and the form in which the Basic scheme has them (RFC 7617)."""
        if not credentials:
            return
        name, colon, password = credentials.partition(":")
        if not colon:
            return
        self.take("", name, secret=True)
        self.take(name, password, secret=True)
        self.take("authorization", base64.b64encode(credentials.encode()).decode(), secret=True)

    def take_subprotocols(self, names: Iterable[Any]) -> None:
        """Collect those that carry a token: ``bearer, eyJ...``, ``base64url.bearer.authorization.eyJ...``."""
        names = _as_text(names)
        if isinstance(names, str):
            names = names.split(",")
        after_scheme = False
        for name in map(_as_text, names):
            if not isinstance(name, str):
                continue
            name = name.strip()
            self.take("subprotocol", name, secret=after_scheme)
            # One that carries its token is no scheme of the next.
            after_scheme = is_secret(name) and is_ordinary(name)

    def take_session_id(self, session_id: object) -> None:
        """Collect the name of a session; a stable hash stands for it, which joins what both ends say."""
        if isinstance(session_id, str) and len(session_id) >= SHORTEST and not is_word_of_ours(session_id):
            self._remember(session_id, hashed(session_id))

    def take_message(self, message: Any, name: str = "") -> None:
        """Collect the texts in a session message: in data, in JSON behind a word, or on their own."""
        if isinstance(message, Mapping):
            for key, value in message.items():
                self.take_message(value, str(key))
        elif isinstance(message, list | tuple):
            for value in message:
                self.take_message(value, name)
        elif isinstance(message, str):
            found, message = _json_in(message)
            self.take_message(found, name)
            self.take(name, message)
            self._take_header(name or "message", message)
        elif type(message) is int and is_of_a_number(name):
            self.take(name, str(message))
        elif isinstance(message, bytes):
            text = message.decode(errors="replace")
            self.take_message(text, name)
            for piece in _PIECE.findall(text):
                # The length that stands before a text may look like its first letter.
                self.take("", piece[1:])

    def take_command(self, command: str) -> None:
        """Collect what a command line gives to its options, variables and URLs."""
        try:
            words = shlex.split(command)
        except ValueError:
            words = command.split()
        option = ""
        for word in words:
            name, equals, value = word.partition("=")
            if option in _OF_A_SHELL and " " in word:
                self.take_command(word)
            elif "://" in word:
                self.take_url(value if equals and "://" not in name else word)
            elif equals:
                self.take(name.lstrip("-"), value)
            elif option and not word.startswith("-"):
                self.take(option, word)
            option = word.lstrip("-") if word.startswith("-") and not equals else ""

    def take(self, name: str, value: str, *, secret: bool | None = None) -> None:
        """
        Collect a value.

        Args:
            name: what it was given as; empty where it has no name.
            value: the text.
            secret: whether its place makes it one; None: its name decides, and where that tells nothing, how
                it looks: names, words and small numbers stay.

        """
        if not value or value == MASK or value.lower() == name.lower():
            # `token=token`, as in an example, tells nobody anything.
            return
        if _LOOPBACK.fullmatch(value):
            return
        secret = secret or is_secret_value(name, value)
        if not secret and (is_ordinary(value) or _ORDINARY_FIELDS.fullmatch(name)):
            return
        if len(value) < SHORTEST or is_word_of_ours(value):
            if secret and name:
                self._name(name.lower(), value.lower())
            return
        if value not in self._values:
            self._remember(value, MASK)
            self._take_inside(value)

    def _take_inside(self, value: str) -> None:
        """Collect what a value is made of, or was encoded from: somebody may say one part alone."""
        found, rest = _json_in(value)
        self.take_message(found)
        for url in _URL.findall(rest):
            self.take_url(url)
        # The parts of a JSON web token are a token each; what was encoded in them is none.
        for part in ".".join(WEB_TOKEN.findall(rest)).split("."):
            if len(part) >= SHORTEST:
                self._remember(part, MASK)
        rest = WEB_TOKEN.sub(" ", _URL.sub(" ", rest))
        before = _WORD_BEFORE.match(rest)
        behind = rest[before.end() :] if before is not None else ""
        pieces = *_PIECE.findall(rest), *_JOINT.split(rest)
        for part in (unquote(value), _text_in_base64(rest), behind, *pieces):
            if len(part) < len(value):
                self.take("", part)

    def news(self) -> list[tuple[str, str, str]]:
        """What was collected since the last call, for another process to `learn`."""
        found = list(self._news)
        self._news.clear()
        return found

    def learn(self, news: Iterable[Sequence[str]]) -> None:
        """Take over what was collected in another process."""
        for name, value, shown in news:
            if name:
                self._name(name, value)
            else:
                self._remember(value, shown)

    def _name(self, name: str, value: str) -> None:
        if (name, value) not in self._named:
            if len(self._named) >= _MOST:
                del self._named[next(iter(self._named))]
            self._named[name, value] = None
            self.state = object()
            self._news.append((name, value, ""))

    def _remember(self, value: str, shown: str) -> None:
        if value in self._values:
            return
        self._news.append(("", value, shown))
        self.state = object()
        if len(self._values) >= _MOST:
            self._forget(next(iter(self._values)))
        self._values[value] = forms = tuple(_forms(value))
        for form in forms:
            plain = form == _lowered(value) and (form.isdecimal() or form.isalpha())
            mask = Mask(shown, alone=plain)
            self._forms.add(form, mask)
            self._tails.setdefault(form[-SHORTEST:], {})[form] = mask

    def _forget(self, value: str) -> None:
        for form in self._values.pop(value):
            self._forms.remove(form)
            alike = self._tails.get(form[-SHORTEST:], {})
            alike.pop(form, None)
            if not alike:
                self._tails.pop(form[-SHORTEST:], None)

    # Where text leaves.

    def mask(self, text: str, *, also: Callable[[str], Iterable[tuple[int, int]]] | None = None) -> str:
        """
        The text with everything masked that is known by value, and where else a function finds secrets.

        A builtin `str`, whatever the text was: execnet sends no subclass to another process.

        """
        text = str(text)
        if self._named:
            text = self._mask_named(text)
        if also is None and (not self._forms or len(text) < SHORTEST):
            return text
        spans = list(self._spans(text, also or _nothing))
        if not spans:
            return text
        shown, done = [], 0
        for start, end, mask in sorted(spans):
            # What is empty tells how it failed, and nothing else.
            if end <= max(start, done):
                continue
            if start >= done:
                shown += [text[done:start], mask]
            done = end
        return "".join([*shown, text[done:]])

    def _spans(
        self, text: str, also: Callable[[str], Iterable[tuple[int, int]]]
    ) -> Iterator[tuple[int, int, str]]:
        """Where values stand in a text, as they are and under escapes, and escapes of escapes."""
        shown, layers = text, list[Unescaped]()
        while True:
            lowered = _lowered(shown)
            others = ((start, end, MASK) for start, end in also(shown))
            whole = *self._forms.find(lowered), *self._cut_short(lowered), *others
            for start, end, mask in (*whole, *self._over_lines(shown, also)):
                for layer in reversed(layers):
                    start, end = layer.origin(start), layer.end(end)
                yield start, end, mask
            inner = unescaped(shown) if len(layers) < _LAYERS else None
            if inner is None:
                return
            layers.append(inner)
            shown = inner.text

    def _over_lines(
        self, text: str, also: Callable[[str], Iterable[tuple[int, int]]]
    ) -> Iterator[tuple[int, int, str]]:
        """Where values go over lines; what is within one is found there."""
        if self._forms and (whole := unfolded(text)) is not None:
            for start, end, mask in self._forms.find(_lowered(whole.text)):
                found, span = whole.text[start:end], whole.span(start, end)
                # A word may be two: "sun", and "flower" in the next line.
                is_word = found.isdecimal() or (found.isalpha() and is_ordinary(found))
                if span is not None and not is_word:
                    yield *span, mask
        if (parts := unfolded_where_random(text)) is not None:
            for start, end in also(parts.text):
                if (span := parts.span(start, end)) is not None:
                    yield *span, MASK

    def _cut_short(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Where part of a value stands beside what was left out: ``...end of a token``, a line of a diff."""
        lines = [each.span("shown") for each in _OF_A_DIFF.finditer(text)] if _LEFT_OUT.search(text) else []
        for line, stop in lines:
            yield from (
                (line + start, line + end, mask) for start, end, mask in self._forms.find(text[line:stop])
            )
        starts = [*(cut.end() for cut in CUT.finditer(text)), *(line for line, _ in lines)]
        if not starts:
            return
        # Once for all of them: a text may be nothing but dots.
        first = min(starts) + SHORTEST
        ends = [end for end in range(first, len(text) + 1) if text[end - SHORTEST : end] in self._tails]
        for start in starts:
            near = ends[bisect_left(ends, start + SHORTEST) : bisect_right(ends, start + _LONGEST)]
            # The longest, as the end of one value may begin that of another.
            for end in reversed(near):
                shown, forms = text[start:end], self._tails[text[end - SHORTEST : end]]
                found = [mask.shown for form, mask in forms.items() if form.endswith(shown)]
                if found:
                    yield start, end, found[0]
                    break

    def _mask_named(self, text: str) -> str:
        lowered = text.lower()
        for name, value in self._named:
            if name in lowered and value in lowered:
                beside = (
                    rf"({re.escape(name)}[\"']?\s*[:=]\s*[\"']?(?:[a-z]+\s+)?){re.escape(value)}(?![a-z0-9])"
                )
                text = re.sub(beside, rf"\1{MASK}", text, flags=re.IGNORECASE)
        return text


def _as_text(value: Any) -> Any:
    """What somebody gives as bytes, by mistake or as ASGI has its header fields, as text."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _nothing(text: str) -> tuple[()]:
    return ()


def _user_information(behind: str) -> list[str]:
    """What stands before the host: none if a host begins it, and an ``@`` is in its path or query."""
    authority = re.split(r"[/?#]", behind, maxsplit=1)[0]
    if _AUTHORITY.fullmatch(authority):
        return []
    found = (each.rpartition("@")[0] for each in (authority, behind))
    # A password may have a "/", "?" or "#" that nobody encoded: both the shortest and the longest are taken.
    return [each for each in dict.fromkeys(found) if each]


def hashed(name: str) -> str:
    """What stands for the name of a session: the same at both ends and in every run."""
    return f"#{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}"


def _lowered(text: str) -> str:
    """In lower case, each character by itself: the dotted I would become two, and a sigma two kinds."""
    if text.isascii():
        return text.lower()
    return "".join(lower if len(lower := char.lower()) == 1 else char for char in text)


def _forms(value: str) -> set[str]:
    """
    A value as software writes it, in lower case: with spaces as a form has them, in Base64, in hexadecimal.

    What escapes make of it is found in the text without them (`unescaped`).

    """
    encoded = value.encode("utf-8", "surrogatepass")
    found = {
        value,
        value.replace(" ", "+"),
        # As a shell has it between single quotes.
        value.replace("'", "'\"'\"'"),
        unquote(value),
        unquote_plus(value),
        encoded.decode("latin-1"),
        encoded.hex(),
        encoded.hex(" "),
        encoded.hex(":"),
        # As .NET has it.
        encoded.hex("-"),
    }
    for written in {encoded, json.dumps(value)[1:-1].encode()}:
        found.update(_in_base64(written))
    return {form for each in found if len(form := _lowered(each)) >= SHORTEST and not is_word_of_ours(form)}


def _in_base64(octets: bytes) -> Iterator[str]:
    """What stands for these bytes wherever they are in something longer, in both alphabets."""
    # They begin at one of three places of a group.
    for offset in range(3):
        whole = base64.b64encode(bytes(offset) + octets).decode()
        # Characters that depend on what stands before and behind are not their own.
        own = whole[(0, 2, 3)[offset] :].rstrip("=")
        inner = own[:-1] if (offset + len(octets)) % 3 else own
        yield inner
        yield inner.translate(str.maketrans("+/", "-_"))


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return ""


def _text_in_base64(text: str) -> str:
    """The text that somebody has encoded, as AWS AppSync has its headers; empty if there is none."""
    decoded = _decoded(text.replace("-", "+").replace("_", "/")) if _BASE64.fullmatch(text) else ""
    return decoded if decoded.isprintable() else ""


def _json_in(text: str) -> tuple[Any, str]:
    """The JSON that begins at the first brace, and the text around it; None where that is none."""
    brace = _BRACE.search(text)
    if brace is None:
        return None, text
    try:
        found, end = _JSON.raw_decode(text, brace.start())
    except (ValueError, RecursionError):
        return None, text
    return found, f"{text[: brace.start()]} {text[end:]}".strip()


SECRETS = SecretValues()

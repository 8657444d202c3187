"""Secrets that nobody gave, and that stand where a text says what they are: beside a name, in a URL."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator

from .secret_forms import SHORTEST
from .secret_names import (
    is_measured,
    is_of_a_number,
    is_ordinary,
    is_secret_in_prose,
    is_secret_member,
    is_secret_value,
)
from .secret_structures import DIGITS, LETS_IN, QUOTED, Span, is_odd, is_password, structured, unquoted

# None of these looks at a character more than a few times, whatever a peer writes.
# What may stand before a quoted value: the prefix of a literal, `Some("`, `SecretStr('`, Erlang's `<<"`.
_BEFORE = r"""(?:(?:rb?|br?|u|<<|(?:Some|Ok|Just|String|Secret\w{0,9})\()(?=["']))"""
# What is no value: dots in advice, the bracket that opens a structure, what stands before a quote.
_A_VALUE = rf"""(?!(?:[\[({{]++|\.{{3}}|…)(?:[&\s"'#;,)}}\]]|\Z)|{_BEFORE})"""
# `user[password]`, as forms of PHP and Rails have it.
_A_NAME = r"(?P<name>[\w.\-%]+(?:\[[\w.\-%]*\])*+)"
# A query value in free text, such as a server's error message that quotes the URL; it may quote another.
_QUERY_VALUE = re.compile(rf"""[?&;]{_A_NAME}={_A_VALUE}(?P<value>(?:[^&\s"'#;?]|\?(?![\w.\-%]+=))+)""")
# What stands behind a value in a sentence; a bracket is around a URL, or ends the id of a test.
_BEHIND = ")]}>:.,"
# What was masked in such an id, the number by which pytest tells it from another, and further parameters; so
# far and no further, for a peer may send thousands that have no end.
_MASKED_IN_ID = re.compile(r"\*{3}\d*(?:-[^\]\n]{0,300})?\]")
# The same without a question mark, as in a reason phrase, in logs and in Ruby.
_ASSIGNED = re.compile(rf"""(?<![\w.\-%?&]){_A_NAME}=>?+{_A_VALUE}(?P<value>[^&\s"'#;,)}}\]]+)""")
_ASSIGNED_QUOTED = re.compile(rf"(?<![\w.\-%?&]){_A_NAME}=>?{_BEFORE}?(?=(?P<value>{QUOTED}))")
# As JSON and `repr` have it, PHP's `var_dump` and Erlang; a list, as Go has header fields; a pair, as ASGI
# has them. The value may hold others, as JSON in JSON.
_MEMBER = re.compile(
    rf"""b?(["'])(?P<name>[\w.\-\[\]]+(?: [\w.\-\[\]]+){{0,3}})\1(?:\]|>>)?\s*(?::|=>)\s*"""
    rf"""(?:(?:string\(\d+\) |{_BEFORE})?(?=(?P<value>{QUOTED}|{DIGITS}))"""
    rf"""|\[\s*(?=(?P<items>b?(?:{QUOTED})(?:\s*,\s*b?(?:{QUOTED}))*)))"""
)
_ITEM = re.compile(rf"(?P<value>{QUOTED})")
_PAIR = re.compile(rf"""[(\[]b?(["'])(?P<name>[\w.\-]+)\1,\s*b?(?=(?P<value>{QUOTED}))""")
# A pair of Erlang's.
_TUPLE = re.compile(
    r"""{(?:<<)?"?(?P<name>[\w.\-]+)"?(?:>>)?,\s?(?:<<)?"(?=[^\s\d"]*\d)(?P<value>[\w.+/~=\-]{11,}[\w=])\""""
)
# The name of a field in one member and its value in another, as HAR, Kubernetes and Postman have them, in
# either order and with some others between; and in YAML.
_NAME_MEMBER = r"""["'](?:name|key|header)["']\s*:\s*(?P<quote>["'])(?P<name>[\w.\-\[\] ]+)(?P=quote)"""
_VALUE_MEMBER = rf"""["']value["']\s*:\s*(?P<value>{QUOTED})"""
_BETWEEN = rf"""\s*,\s*(?:["']\w+["']\s*:\s*(?:{QUOTED}|[\w.\-]+)\s*,\s*){{0,4}}"""
_SAID_APART = re.compile(f"{_NAME_MEMBER}{_BETWEEN}{_VALUE_MEMBER}")
_SAID_BEFORE = re.compile(f"{_VALUE_MEMBER}{_BETWEEN}{_NAME_MEMBER}")
_SAID_IN_YAML = re.compile(
    r"""\bname:[ \t]*["']?(?P<name>[\w.\-]+)["']?[ \t\r]*\n[ \t]*value:[ \t]*["']?(?P<value>[^\s"']+)"""
)
# A header field whose value is a secret in any text.
_CREDENTIALS = re.compile(
    r"""(?P<quote>["'])?(?<![\w\-])(?:proxy-)?(?:authorization|(?P<cookie>(?:set-)?cookie)):[ \t]+"""
    r"""(?P<scheme>[A-Za-z][\w\-]*+[ \t]+)?(?P<value>(?(quote)[^\r\n"']+|[^;\r\n]+))""",
    re.IGNORECASE,
)
# What is as long, and no word, is no scheme.
_KEY_LENGTH = 12
# What stands for a value in advice: a variable of a shell, a name in brackets, dots.
_PLACEHOLDER = re.compile(r"\$(?:\w+|\{\w+\})|<[\w -]+>|\.\.\.|…")
_COOKIE = re.compile(r""";[ \t]*(?P<name>[\w.\-]+)(?:=(?P<value>[^;\r\n"']*))?""")
_OF_A_COOKIE = frozenset({"domain", "expires", "max-age", "path", "samesite"})
# Any other header field, and whatever else is written like one; a line may end as `repr` writes it. A bracket
# follows where Go prints a map.
_FIELD = re.compile(
    rf"(?<![\w.\-%]){_A_NAME}:(?:[ \t]+|\[|(?=[\"'`])){_BEFORE}?[\"'`]?"
    r"(?P<value>(?:[^\s\"'`,;\\]|\\(?![nr]))*[^\s\"'`,;\\.:!?)\]}>])"
)
# The same without a space, where the last word is that of a secret, and as much follows as tokens have:
# "auth-service:..." is the tag of an image.
_JOINED = re.compile(r":(?P<value>[\w.+/~=\-]{11,}[\w=])")
_NAME_BEFORE = re.compile(
    r"(?<![\w.\-/])[\w\-]*(?:token|key|secret|pass(?:wd|word|phrase|code)|pwd|authorization|credentials?"
    r"|(?:sess|session[_-]?)id|sid|jwt|ticket|signature)\Z",
    re.IGNORECASE,
)
_LONGEST_NAME = 64
# `aws_secret_access_key = ...`, as files of settings have it, PHP's `print_r` and Erlang; a program calls
# something there.
_SET = re.compile(
    rf"(?<![\w.\-%]){_A_NAME}\]?[ \t]+(?::=|=>?)[ \t]+(?:<<)?[\"']?"
    r"(?=[^\s\d]*\d)(?P<value>[\w.+/~=\-]{11,}[\w=])(?![\w.(\[])"
)
# `--access-token ...`, in a line or a list of words.
_OPTION = re.compile(
    r"""(?<![\w.\-])--(?P<name>[A-Za-z][\w.\-]*)(?:["'],\s*b?["']|[ \t]+["']?)(?P<value>[^\s"'\-][^\s"']*)"""
)
# Subprotocols that are offered, one of which may be a token: as a field, a member or a pair.
_OFFERED = re.compile(
    r"sec-websocket-protocol[\"']?[ \t]*[:=,][ \t]*b?[\"'\[]?"
    r"(?P<value>[\w.+/=~%!|\-]+(?:,[ \t]*[\w.+/=~%!|\-]+)*)",
    re.IGNORECASE,
)
_NAME_OF_ONE = re.compile(r"[^\s,]+")
# `<token>...</token>`, as XMPP, SOAP and settings in XML have it.
_ELEMENT = re.compile(r"<(?P<name>[\w.\-]++)[^<>]*>(?P<value>[^\s<>]+)</")
# `curl -u joe:...`, `wscat --auth joe:...`. With others, "-u" may be anything: a group, an URL, a test.
_OF_A_CLIENT = re.compile(r"\b(?:curl|websocat|wscat)\b")
_USER = re.compile(
    r"(?<!\S)(?:-u|-U|--(?:proxy-)?user|--(?:basic-)?auth)(?:[ \t]+|=)?[\"']?"
    r"[^\s:\"'=]+:(?P<value>[^\s\"']+)"
)
# "Incorrect API key provided: ...", "token ... has expired", "invalid secret '...'"; a key of any kind, but
# of a table or a store, where it has as many hexadecimal digits as keys have.
_NAMED_KEY = (
    r"(?:api|access|account|auth|encryption|master|private|secret|shared|signing|subscription)[ _-]?key"
)
_OTHERS = ("cache", "foreign", "hash", "object", "partition", "primary", "public", "routing", "row", "sort")
_KEY = (
    rf"key{''.join(rf'(?<!{each}[ -]key)' for each in _OTHERS)}"
    rf"(?=s?[ \t:=\"'`<(]{{1,3}}[0-9a-f]{{32}}(?!\w))"
)
# Behind "a signing key that matches" is the id of one.
_SENTENCE = re.compile(
    rf"(?<![^\W_])(?:{_NAMED_KEY}|{_KEY}|[a-z]{{0,9}}token|(?:client)?secret|passw(?:or)?d|credential|sessionid)s?"
    r"(?:[ \t]+(?:(?:is|was)[ \t]+)?"
    r"|(?:[ \t]+(?!matches\b)[a-z]+){0,3}(?:[ \t]*(?:[:=]>?|->)[ \t]*|[ \t]+(?=[\"'`<(])))[\"'`<(]?"
    r"(?P<value>[\w+/~][\w.+/=~%\-]{10,}[\w=])",
    re.IGNORECASE,
)
# But a challenge has parameters behind its scheme (RFC 9110, section 11.6.1).
_SCHEMED = re.compile(
    r"\b(?P<scheme>Bearer|Basic)[ \t]+(?![a-z_]+=\"\w|--)(?P<value>[\w.\-+/=~]+)", re.IGNORECASE
)
# SASL's PLAIN, which is a password in Base64 (RFC 4616), as IRC, SMTP and XMPP say it.
_SASL = re.compile(
    r"""(?:\bAUTH(?:ENTICATE)?(?:[ \t]+PLAIN)?[ \t]+|\bmechanism=["']PLAIN["'][^<>]{0,99}>)"""
    r"(?P<value>[A-Za-z0-9+/]{8,}={0,2})"
)
# As pytest shows the local variables of a frame.
_LOCAL = re.compile(r"^(?P<name>\w+)\s* = (?P<value>['\"].*['\"])$", re.MULTILINE)
# What a test got from a peer stands in differences and exceptions, amid the test's source: there only what
# lets in, and is no word, is a secret. Ids of sessions tell which differ.
_STATED = re.compile(
    rf"""(?<![\w.\-])(?P<name>[\w.\-]+)["']?(?::[ \t]*|[ \t]?=>?[ \t]?){_BEFORE}?["']?"""
    r"""(?=(?P<value>[\w.+/~\-]{12,}+={0,2}+)(?![\w(\[]))"""
)
# ... and no amount or instant is: `token_issued_ns = 1764499780123456789`.
_AMOUNT = re.compile(r"[+\-]?\d+")
# Digits amid the words of a name in a program: `OAuth2AccessToken`, `x25519_private_key`.
_AMID_WORDS = re.compile(r"\bOAuth(?=\d)|(?<=[A-Za-z])V?\d{1,5}(?=[A-Z_.])")
_URL = re.compile(r"""://(?P<authority>[^/?#\s]*)(?=(?P<rest>[^\s"'<>]{0,256}))""")
# A host that is one by itself; one word may be the beginning of a password.
_HOST = re.compile(
    r"(?:localhost|\[[0-9a-f:.]+\]|[\w-]+(?:\.[\w-]+)+\.?|[\w-]+(?=:\d))(?::\d+)?$", re.IGNORECASE
)


def named(text: str) -> Iterator[Span]:
    """Where values stand in free text (an error, a log record) whose name says that they are secrets."""
    if ":" in text or "," in text or "=>" in text:
        yield from _members(text)
    if ":" in text:
        yield from _fields(text)
    yield from _offered(text)
    yield from structured(text)
    if "=" in text:
        yield from _values(_ASSIGNED, text, is_secret_in_prose)
        yield from _values(_ASSIGNED_QUOTED, text, is_secret_in_prose)
        yield from _telling(_SET, text)
    if "--" in text:
        yield from _telling(_OPTION, text)
    if "</" in text:
        yield from _telling(_ELEMENT, text)
    for match in _SENTENCE.finditer(text):
        if _has_digits(match["value"]) and not is_measured(match["value"]):
            yield match.span("value")


def placed(text: str) -> Iterator[Span]:
    """Where secrets stand in any text, a program's source included: in URLs, behind schemes, in variables."""
    if "://" in text:
        yield from _user_information(text)
    if "=" in text:
        yield from _values(_QUERY_VALUE, text, is_secret_value)
        yield from _values(_LOCAL, text, is_secret_in_prose)
    yield from (each.span("value") for each in _STATED.finditer(text) if _lets_in(each))
    if "--" in text:
        yield from (each.span("value") for each in _OPTION.finditer(text) if _lets_in(each))
    if (client := _OF_A_CLIENT.search(text)) is not None:
        yield from (match.span("value") for match in _USER.finditer(text, client.end()))
    for match in _SASL.finditer(text):
        if not is_ordinary(match["value"]):
            yield match.span("value")
    for match in _SCHEMED.finditer(text):
        # "basic authentication" and "the bearer token" are words, and so is "basic re-exports": Base64, which
        # stands behind that one, has no hyphens.
        is_token = match["scheme"].lower() == "bearer" or "-" not in match["value"]
        if is_token and not match["value"].strip(".").isalpha():
            yield match.span("value")


def _members(text: str) -> Iterator[Span]:
    for match in _MEMBER.finditer(text):
        name, value = match["name"], match["value"]
        if value is None:
            items = _ITEM.finditer(text, *match.span("items"))
            # Tokens of a language model are pieces of words.
            yield from (
                unquoted(each)
                for each in items
                if len(each[0]) > SHORTEST + 1 and is_odd(name, each[0][1:-1])
            )
        elif " " in name:
            # Those of headings are words: "Key Takeaways", "Session Notes".
            if " " not in value and is_odd(name, value[1:-1]):
                yield unquoted(match)
        elif is_of_a_number(name) if value.isdigit() else is_secret_member(name, value[1:-1]):
            yield unquoted(match)
    for pattern in (_PAIR, _SAID_APART, _SAID_BEFORE):
        for match in pattern.finditer(text):
            if is_odd(match["name"], match["value"][1:-1]):
                yield unquoted(match)
    yield from _telling(_TUPLE, text)
    yield from _telling(_SAID_IN_YAML, text)


def _fields(text: str) -> Iterator[Span]:
    told = 0
    for match in _CREDENTIALS.finditer(text):
        start, end = match.span("value")
        if match["scheme"] and len(key := match["scheme"].strip()) >= _KEY_LENGTH and not is_ordinary(key):
            # A key without one, and words behind it.
            start = match.start("scheme")
        if not (match["quote"] or _begins(text, match.start())):
            # Amid a sentence, which goes on behind it.
            end = start + len(text[start:end].split(maxsplit=1)[0])
        if not _PLACEHOLDER.fullmatch(text, start, end):
            # The scheme of credentials is no secret (RFC 9110, section 11.4).
            yield start, end
        # What one field has is looked at once, though it may look like others.
        if match["cookie"] and match.end() >= told:
            told = yield from _cookies(text, match.end())
    yield from _telling(_FIELD, text)
    for match in _JOINED.finditer(text):
        start = match.start()
        name = _NAME_BEFORE.search(text, max(0, start - _LONGEST_NAME), start)
        if name is not None and is_secret_in_prose(name[0], match["value"]) and _is_random(match["value"]):
            yield match.span("value")


def _telling(pattern: re.Pattern[str], text: str) -> Iterator[Span]:
    """Words behind a name that are its value, and that a secret."""
    for match in pattern.finditer(text):
        name, value = match["name"], match["value"]
        if is_secret_in_prose(name, value) and (_is_random(value) or is_password(name, value)):
            yield match.span("value")


def _offered(text: str) -> Iterator[Span]:
    """Those of subprotocols that do not look like words."""
    for match in _OFFERED.finditer(text):
        for name in _NAME_OF_ONE.finditer(text, *match.span("value")):
            if not is_ordinary(name[0]):
                yield name.span()


def _begins(text: str, place: int) -> bool:
    """Whether a line, or a part of it behind a semicolon, begins at a place."""
    before = text[max(0, place - 16) : place].rstrip(" \t")
    return not before or before[-1] in ";\r\n"


def _cookies(text: str, start: int) -> Generator[Span, None, int]:
    """The second and later cookies of a field, all but attributes and what looks like words; then its end."""
    while match := _COOKIE.match(text, start):
        start = match.end()
        name, value = match["name"], match["value"] or ""
        if name.lower() not in _OF_A_COOKIE and (is_secret_value(name, value) or not is_ordinary(value)):
            yield match.span("value")
    return start


def _is_random(value: str) -> bool:
    """Whether a word of a sentence is none: "RabbitMQ" is."""
    return not is_ordinary(value) and (len(value) >= 12 or not value.isalpha())


def _lets_in(match: re.Match[str]) -> bool:
    name, value = match["name"], match["value"]
    if LETS_IN.search(name) is None or not (is_secret_in_prose(name, value) and _has_digits(value)):
        return False
    if match.string[match.start("value") - 1] in "\"'":
        return True
    # Without quotes it may be a number, or a name in the program.
    if _AMOUNT.fullmatch(value):
        return is_of_a_number(name)
    return not is_ordinary(_AMID_WORDS.sub("_", value))


def _has_digits(value: str) -> bool:
    """Whether a word that may be one of a program or a sentence is none."""
    return any(map(str.isdigit, value)) and not is_ordinary(value)


def _values(pattern: re.Pattern[str], text: str, is_one: Callable[[str, str], bool]) -> Iterator[Span]:
    for match in pattern.finditer(text):
        start, end = unquoted(match)
        if start == match.start("value"):
            end = start + len(text[start:end].rstrip(_BEHIND))
        if is_one(match["name"], text[start:end]) and not _MASKED_IN_ID.match(text, start):
            yield start, end


def _user_information(text: str) -> Iterator[Span]:
    for match in _URL.finditer(text):
        authority, rest = match["authority"], match["rest"]
        before, at, host = authority.rpartition("@")
        # A password may have a "/", "?", "#" or "@" that nobody encoded, where no host follows it; it stands
        # behind a colon. "file:///node_modules/@types/" has neither, nor has "http://web/@joe".
        if "@" in rest and ":" in authority and not _HOST.fullmatch(host if at else authority):
            before = (authority + rest).rpartition("@")[0]
        if before:
            yield match.start("authority"), match.start("authority") + len(before)

"""Which names of header fields, query parameters, cookies and members say that their value is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
# OpenID Connect's name for a hash of the session; Keycloak puts the session's id there.
_NAMES = frozenset({"session_state"})
# Secret wherever it stands in a name in small letters: `accessToken`, `apikey`.
_PART = re.compile(
    r"token|key|secret|passw|passphrase|passcode|auth|credential|session|sessid|jwt|ticket|signature"
    r"|senha|contrase[nñ]a|kennwort|motdepasse|парол|密码|密碼|パスワード"
)
# What may stand between two words of a name.
_GAP = "[^a-z0-9]?"
# Words of other things that have such a part, in small letters with the words apart: an `author_name`; a key
# of a table, a queue or a pair, which everybody may know; the name of a key; and what asks for credentials.
_OTHER = re.compile(
    r"(?<![a-z])(?:author(?!i[sz])|key(?:board|down|frame|pad|point|press|stroke|up(?![a-z])|word)|tokeni[sz]"
    r"|secretar(?:y|ies)|(?:www|proxy)-authenticate(?![a-z])|(?:don|hoc|hot|joc|mon|tur|whis)key"
    rf"|(?:primary|foreign|sort|public|partition|routing){_GAP}keys?(?![a-z])|key{_GAP}name(?![a-z]))"
)
# As a whole word of a name: "ping" and "design" are none.
_WORDS = frozenset({"pwd", "pass", "sid", "otp", "pin", "hmac", "hash", "bearer", "sig"})
# What somebody does, or by which way, with a code that lets in.
_ACCESS = (
    rf"access|activation|backup|confirm(?:ation)?|device|e?mail|exchange|gift|invit(?:e|ation)|join|link(?:ing)?"
    rf"|log{_GAP}in|mfa|2{_GAP}fa|one{_GAP}time|otp|pair(?:ing)?|phone|pin|qr|recovery|reset|temp(?:orary)?"
    rf"|security|sign{_GAP}in|sms|totp|unlock|user|verif(?:y|ication)|voucher"
)
# Such a code; named no further it may be that of OAuth 2.0 (RFC 6749), whose other half is the verifier of
# RFC 7636. That of an error, of a status or of a country lets nobody in.
_CODE = re.compile(rf"(?:x-)?code$|.*code{_GAP}verifier|(?:.*[^a-z])?(?:{_ACCESS}){_GAP}codes?(?![a-z])")
# The code of an error: a few digits, with a word or not, a state of SQL, a result of Windows. Six digits and
# more may be a one-time password.
_OF_AN_ERROR = re.compile(
    r"\d{1,5}|(?:[A-Za-z]{1,4}[_-]?|(?:[A-Z]+[_-])+)\d{3,7}|\d[0-9A-Z]{2}\d\d|0x[0-9a-fA-F]{1,8}"
)
# A key of a table or a queue, or one that lets in, as Azure and PagerDuty have them: the value tells.
_TWOFOLD = re.compile(rf"(?:primary|secondary|routing){_GAP}key", re.IGNORECASE)
# The last word of what tells of a secret, and is none: `passCount`, `tokenType`, `token_file`.
_ABOUT = frozenset({
    "age", "algorithm", "budget", "count", "dir", "duration", "endpoint", "error", "exception", "expiration",
    "expiry", "file", "format", "index", "kind", "length", "lifetime", "limit", "method", "mode", "ms",
    "path", "rate", "reason", "second", "seconds", "size", "state", "status", "timeout", "total", "ttl",
    "type", "version", "within",
})  # fmt: skip
# What is counted, by its plural: `max_tokens=4096`, `tokens_left`, `sessions=12`.
_COUNTED = re.compile(r"(?:credential|key|secret|session|signature|ticket|token)s(?![a-z])")
# What tells whether there is a secret, and is none, whatever its name: "auth_enabled=true".
_FLAG = re.compile(r"true|false|none|null|yes|no|on|off", re.IGNORECASE)
# ... and for how long, "session=30m", but where what looks so may be a password.
_DURATION = re.compile(r"\d{1,6}(?:\.\d+)?(?:ms|s|m|min|h|%)", re.IGNORECASE)
# A number that lets in has one of these names; one beside another name is an amount or an instant.
_OF_A_NUMBER = re.compile(r"(?:.*[^A-Za-z])?(?:otp|pin|pwd|pass(?:word|code)?)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
# What has been measured, or worked out.
_FRACTION = re.compile(r"[+\-]?\d+\.\d+(?:e[+\-]?\d+)?m?s?", re.IGNORECASE)
# Secret as a query parameter, and everywhere else a common word of harmless texts.
_COMMON = re.compile(r"(?:.*\[)?(?:session|code|key|keys|hash|auth)\]?$", re.IGNORECASE)
# A word of a name ("tokenTTL", "token_ttl" and "TOKEN-TTL" have two), and where one begins in camel case.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NEXT_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# Words of 8 letters and more that our own messages, reports and the protocol are made of: a password of that
# kind tells nobody anything, and a report without these words neither.
ORDINARY_WORDS = frozenset({
    "abnormal", "accepted", "answered", "application", "authorization", "bandwidth", "certificate",
    "conclusive", "confidence", "confirmed", "connection", "connections", "continuation", "deadline",
    "deadline_reset_by", "deadlines", "diagnosis", "duration", "evidence", "expected", "experiment",
    "extension", "extensions", "fragment", "fragments", "greeting", "handshake", "headline",
    "heartbeat", "heartbeats", "inconclusive", "interrupted", "interval", "intervals", "keep-alive",
    "keepalive", "latency", "localhost", "loopback", "malformed", "measured", "message", "messages",
    "middlebox", "observed", "orchestrator", "password", "payload", "permessage", "permessage-deflate",
    "protocol", "protocols", "received", "recorded", "refused", "requirement", "reserved", "response",
    "rotation", "sequence", "session_confirmed", "session_info", "sessions", "severity", "silence",
    "software", "stability", "subprotocol", "subprotocols", "suspended", "terminal", "timeline",
    "timelines", "timeouts", "transport", "undetermined", "unexpected", "unstable", "upstream",
    "username", "violation", "violations", "virtual", "websocket", "websockets", "withheld",
    # The session that the fault WrongSession confirms.
    "somebody-elses-session",
})  # fmt: skip
# Words without a vowel of those that are written together.
_SHORT_WORDS = (
    "Cmd|Css|Ctrl|Ctx|Dns|Dst|Fps|Gps|Grpc|Html|Https?|Jpg|Llm|Mcp|Mqtt|Msgs?|Pdf|Png|Ptr|Rpc|Rtc|Rtp|Rtt|Sdk|Sdp"
    "|Sms|Sql|Src|Std|Str|Stt|Svg|Tcp|Tls|Ttl|Tts|Txt|Vpn|Ws|Xml"
)
# Each word has three letters with a vowel among them, or is a known one: "joinRoom", "UserById", "openTcp".
_WRITTEN_TOGETHER = (
    rf"(?:(?=[AEIOU]|[A-Z][a-z]*[aeiouy])[A-Z][a-z]{{2,}}|By|Id|ID|In|Of|On|To|{_SHORT_WORDS})+"
)
# Names, numbers, versions: "graphql-transport-ws", "room-7", "v12.stomp", "opus48000"; words that are written
# together, "joinRoomV2", "UserById"; a year; models of telephones; date and time of ISO 8601. Random tokens
# that look so, measured on 600,000 of each kind: of 8 letters and digits 1 in 84, of 12 1 in 900, of 16
# 1 in 8,700, of 22 1 in 300,000; of 8 hexadecimal digits 1 in 84, of 12 1 in 4,800, of 16 1 in 600,000.
_ORDINARY_PIECE = re.compile(
    # "room", "Room12", "V2"; "opus48000"; "joinV2".
    r"[A-Za-z]?[a-z]*\d{0,2}|[A-Za-z][a-z]{2,}\d{3,5}|[a-z]+V\d{1,2}"
    # "joinRoomV2", "UserById"; "Review2025".
    rf"|[a-z]*{_WRITTEN_TOGETHER}(?:V?\d{{1,2}}|(?:19|20)\d\d)?"
    r"|[a-z]?[A-Z][a-z]{2,}\d{1,2}(?:Pro|Max|Plus|Mini|Ultra|Lite)+"
    r"|[A-Z]+|[A-Z]{3,}\d{1,2}|\d{1,4}|\d\dT\d\d|\d{2,6}Z|k8s|i18n|base64url|[a-z]\d{3}|SHA\d{3}"
    # A day, and an instant of it; sizes of pictures; what is measured.
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:T\d{6}Z)?|\d{3,4}x\d{3,4}"
    r"|\d{1,5}(?:ms|[kM]?Hz|khz|bit|kbps|fps)"
)
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")
# Beside a word: "gpt-4o-realtime", "match-000123".
_ODD_PIECE, _WORD_BESIDE = re.compile(r".{1,3}|\d{5,6}"), re.compile(r"[a-z]{3}")
# Names of a team's own (ini `ws_secrets`), in lower case.
_own: frozenset[str] = frozenset()


def name_own(names: Iterable[str]) -> None:
    """Take these names for those of secrets too, as whole words or whole names."""
    global _own
    _own = frozenset(name.strip().lower() for name in names)


def is_secret(name: str) -> bool:
    """Whether the value of a header, cookie, parameter or member of this name may be a secret."""
    lowered = name.lower()
    words = [word.lower() for word in _WORD.findall(name)]
    if lowered in _HEADERS or lowered in _NAMES or lowered in _own or not _own.isdisjoint(words):
        return True
    # But the state of an authorization must not be guessed (RFC 6749, section 10.12).
    if len(words) > 1 and words[-1] in _ABOUT and not ("auth" in lowered and words[-1] == "state"):
        return False
    # Words of other things are seen where the words stand apart, and parts where they do not: `passWord`.
    spaced = _NEXT_WORD.sub("_", name).lower()
    rest, others = _OTHER.subn("_", spaced)
    if _PART.search(rest if others else lowered) or not _WORDS.isdisjoint(words):
        return True
    return _CODE.match(spaced) is not None


def is_secret_value(name: str, value: str) -> bool:
    """The same of a name with its value, which may be a flag, a duration, or how many there are."""
    if not is_secret(name):
        return False
    if _is_own(name):
        return True
    if _NUMBER.fullmatch(value):
        return _COUNTED.search(_NEXT_WORD.sub("_", name).lower()) is None
    if _FLAG.fullmatch(value):
        return False
    return is_of_a_number(name) or _DURATION.fullmatch(value) is None


def _is_own(name: str) -> bool:
    return bool(_own) and not _own.isdisjoint((name.lower(), *map(str.lower, _WORD.findall(name))))


def is_of_a_number(name: str) -> bool:
    """Whether a secret of this name may be a number: a PIN, a password."""
    return _OF_A_NUMBER.fullmatch(name) is not None


def is_measured(value: str) -> bool:
    """Whether a value is a number with a fraction, as in "time to first token: 0.4523871898651123 s"."""
    return _FRACTION.fullmatch(value) is not None


def is_secret_in_prose(name: str, value: str) -> bool:
    """The same where ``name=value`` stands in any text, and may be anything: "code=1006" is no secret."""
    if _is_own(name):
        return True
    if _COMMON.match(name) or (is_measured(value) and not is_of_a_number(name)):
        return False
    return is_secret_value(name, value)


def is_secret_member(name: str, value: str) -> bool:
    """
    The same where ``"name": "value"`` stands in JSON, and the value may tell.

    A code like "RATE_LIMITED" is that of an error. The primary key of a table has a name; one that looks
    random lets somebody in, as Azure's do.

    """
    if _TWOFOLD.fullmatch(name):
        return not is_ordinary(value)
    if name.lower() == "code" and "code" not in _own:
        return _OF_AN_ERROR.fullmatch(value) is None and not is_ordinary(value)
    return is_secret_value(name, value)


def is_word_of_ours(value: str) -> bool:
    """Whether a value is a word of our own messages, which cannot be told from it."""
    return value.lower() in ORDINARY_WORDS


def is_ordinary(value: str) -> bool:
    """
    Whether a value looks like names, words and small numbers: ``graphql-transport-ws``, ``room-7``.

    Beside a word one short piece may look like nothing, or be the number of something:
    ``gpt-4o-realtime``, ``llama3.1-70b``, ``match-000123``.

    """
    odd = [piece for piece in _BETWEEN.split(value) if not _ORDINARY_PIECE.fullmatch(piece)]
    if len(odd) == 1 and _ODD_PIECE.fullmatch(odd[0]):
        return _WORD_BESIDE.search(value) is not None
    return not odd

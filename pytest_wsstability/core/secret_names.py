"""Which names of header fields, query parameters, cookies and members say that their value is a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HEADERS = frozenset({"authorization", "cookie", "set-cookie", "proxy-authorization"})
# Anywhere in a name.
_PART = re.compile(r"token|key|secret|passw|auth|credential|session|jwt|ticket|signature", re.IGNORECASE)
# As a whole word of a name: "ping" and "design" are none.
_WORDS = frozenset({"pwd", "pass", "sid", "otp", "pin", "hmac", "hash", "bearer", "sig", "code"})
# Secret as a query parameter, and everywhere else a common word of harmless texts.
_COMMON = re.compile(r"(?:session|code|key|keys|hash|auth)$|session.?within", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
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
# Names, numbers, versions: "graphql-transport-ws", "room-7", "v12.stomp", "ocpp1.6"; words that are written
# together, "joinRoom" and "UserById". Of random letters and digits, 1 in 2,600 tokens of 16 characters looks
# so (measured), and 1 in 400 of 12.
_ORDINARY_PIECE = re.compile(
    r"[A-Za-z]?[a-z]*\d{0,2}|[a-z]*(?:[A-Z][a-z]{2,}|By|Id|ID|In|Of|On|To)+\d{0,2}|[A-Z]+|\d{1,4}"
)
_BETWEEN = re.compile(r"[^A-Za-z0-9]+")
_ODD, _WORD_BESIDE = 3, re.compile(r"[a-z]{3}")
# Names of a team's own (ini `ws_secrets`), in lower case.
_own: frozenset[str] = frozenset()


def name_own(names: Iterable[str]) -> None:
    """Take these names for those of secrets too, as whole words or whole names."""
    global _own
    _own = frozenset(name.strip().lower() for name in names)


def is_secret(name: str) -> bool:
    """Whether the value of a header, cookie, parameter or member of this name may be a secret."""
    lowered = name.lower()
    if lowered in _HEADERS or lowered in _own or _PART.search(name):
        return True
    words = {word.lower() for word in _WORD.findall(name)}
    return not words.isdisjoint(_WORDS) or not words.isdisjoint(_own)


def is_secret_in_prose(name: str) -> bool:
    """The same where ``name=value`` stands in any text, and may be anything: "code=1006" is no secret."""
    return is_secret(name) and (name.lower() in _own or not _COMMON.match(name))


def is_word_of_ours(value: str) -> bool:
    """Whether a value is a word of our own messages, which cannot be told from it."""
    return value.lower() in ORDINARY_WORDS


def is_ordinary(value: str) -> bool:
    """
    Whether a value looks like names, words and small numbers: ``graphql-transport-ws``, ``room-7``.

    Beside a word one short piece may look like nothing: ``gpt-4o-realtime``, ``llama3.1-70b``.

    """
    odd = [piece for piece in _BETWEEN.split(value) if not _ORDINARY_PIECE.fullmatch(piece)]
    return not odd or (len(odd) == 1 and len(odd[0]) <= _ODD and _WORD_BESIDE.search(value) is not None)

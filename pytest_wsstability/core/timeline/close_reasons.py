"""
What a close reason speaks of, told by its keywords.

A reason is what the peer's people wrote for people: it tells more than the code before it, which a ping
timeout was seen to share with five other causes.

"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Topic(Enum):
    """What a close reason may speak of; the value stands in a sentence."""

    KEEPALIVE = "a keepalive"
    IDLE = "idleness"
    TIMEOUT = "a timeout"
    SLOW = "a slow consumer"
    RATE = "a rate limit"
    SIZE = "a size limit"
    RESTART = "a restart or shutdown"
    ORIGIN = "an origin"
    DUPLICATE = "a second connection"
    TOKEN = "credentials"
    SESSION_OVER = "a session that is over"
    PROTOCOL = "the protocol"
    UPSTREAM = "an upstream"
    OVERLOAD = "overload"
    ERROR = "an error"


def _words(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(rf"\b(?:{each})\b" for each in alternatives))


# Read in the order of `Topic`; each was seen in software or reports of others.
_KEYWORDS: dict[Topic, re.Pattern[str]] = {
    Topic.KEEPALIVE: _words(r"keep[- ]?alives?", r"heart[- ]?beats?", r"pings?", r"pongs?"),
    Topic.IDLE: _words(
        r"idle\w*", r"inactiv\w*", r"silen(?:t|ce)",
        r"no (?:audio|data|activity|messages?|traffic|input|frames?)(?! rate)",
    ),
    Topic.TIMEOUT: _words(r"time[- ]?outs?", r"timed[- ]?out", r"deadline\w*"),
    Topic.SLOW: _words(
        r"(?:too )?slow(?! down)\w*", r"lag(?:s|ged|ging)?", r"(?:falling|fell) behind", r"back-?pressure",
        r"(?:buffer|queue|backlog)s? (?:is |are )?(?:full|overflow\w*|exceed\w*|limit)",
        r"(?:send|write|output|outbound) (?:buffer|queue)\w*", r"(?:can ?not|can't) keep up", r"overflow\w*",
    ),
    Topic.RATE: _words(
        r"rate", r"rate[- ]?limit\w*", r"too (?:fast|often|frequent\w*)", r"flood\w*", r"spam\w*",
        r"throttl\w*", r"quotas?", r"too many (?:requests?|messages?|frames?|commands?|updates?|pings?)",
    ),
    Topic.SIZE: _words(
        r"too (?:big|large)", r"(?:message|frame|payload|data) (?:is |was )?too long", r"read limit",
        r"over-?siz\w*", r"(?:message|frame|payload) (?:size|length)",
        r"size", r"exceeds? (?:the )?limit of \d+", r"max\w* (?:payload|length)",
    ),
    Topic.RESTART: _words(
        r"re-?start\w*", r"re-?deploy\w*", r"deploy(?:ing|ment|s)?", r"maintenance",
        r"shut(?:ting)?[- ]?down",
        r"going down", r"drain\w*", r"reload(?:ing|ed)?", r"upgrading", r"rolling (?:update|upgrade)",
        r"sigterm", r"(?:server|instance|pod|process|node|worker|service) (?:is )?"
        r"(?:stopp\w+|terminat\w+|clos\w+|exit\w*|going away)",
    ),
    Topic.ORIGIN: _words(
        r"origins?(?! (?:server|unreach\w*|error|timed?))", r"cors", r"cross-?origin"
    ),
    Topic.DUPLICATE: _words(
        r"duplicat\w*", r"already (?:connected|open|in use|logged in|subscribed|exists)", r"replaced",
        r"superseded", r"taken over", r"elsewhere", r"(?:another|other|newer?) (?:connection|session|client|"
        r"device|tab|login|location)s?", r"multiple (?:connections|sessions|logins)",
    ),
    Topic.TOKEN: _words(
        r"tokens?", r"jwt", r"credentials?", r"un-?auth\w*", r"authenti\w*", r"authori[sz]\w*",
        r"auth", r"log(?:ged)?[- ]?(?:in|out)", r"api[- _]?key", r"forbidden", r"permissions?",
        r"access denied", r"not allowed", r"policy violation: auth\w*",
    ),
    Topic.SESSION_OVER: _words(
        r"session (?:has |is |was )?(?:expired|ended|over|limit|too long)", r"session expir\w*",
        r"expired session", r"(?:invalid|unknown|stale|no such) session",
        r"session (?:is |was )?(?:no longer valid|not valid|invalid\w*|not found|unknown)",
        r"max\w* (?:session|connection)?\s?(?:duration|age|life-?time|time)",
        r"(?:duration|life-?time|time|connection age) (?:limit|exceeded|reached|is over)",
    ),
    Topic.PROTOCOL: _words(
        r"protocol", r"malformed", r"unexpected (?:token|frame|opcode|message)", r"pars(?:e|ing) \w+",
        r"invalid (?:frame|utf\S*|json|message|payload|opcode|data)", r"unsupported", r"decod(?:e|ing)",
        r"bad (?:frame|message|json|request)",
    ),
    Topic.UPSTREAM: _words(r"upstream", r"bad gateway", r"backend", r"origin (?:server|unreach\w*|error)"),
    Topic.OVERLOAD: _words(
        r"overload\w*", r"capacity", r"(?:too )?busy", r"connection limit",
        r"too many (?:connections?|clients?|users?|sockets?|sessions?)", r"max\w* connections",
        r"resources? exhausted",
    ),
    Topic.ERROR: _words(
        r"errors?", r"exceptions?", r"traceback", r"crash\w*", r"fail(?:ed|ure)s?", r"panic\w*", r"unhandled",
        r"\w+(?:error|exception)",
    ),
}  # fmt: skip

# What makes a message of the peer one about something that went wrong; a member that is empty does not.
_WRONG = _words(
    r"(?:errors?|exceptions?)(?!['\"]?\s*:\s*(?:null|false|none|0|['\"]{2}|\[\]|\{\}))", r"fail(?:ed|ures?)",
    r"expired", r"invalid\w*", r"revoked", r"denied", r"rejected", r"un-?authori[sz]ed",
    r"unauthenticated", r"forbidden",
)  # fmt: skip
# Between the words of "SlowConsumer".
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Words that only look like a keyword: tokens of a parser or of a language model, not credentials.
_OTHER_TOKENS = re.compile(
    r"unexpected token|(?:max\w*|context|too many|input|output) tokens?|tokens? (?:limit|quota|per|count)"
)
# A topic says all that these do: "keepalive ping timeout" is one thing, "timeout: restart" is two.
_COVERS: dict[Topic, frozenset[Topic]] = {
    Topic.KEEPALIVE: frozenset({Topic.IDLE, Topic.TIMEOUT}),
    Topic.IDLE: frozenset({Topic.TIMEOUT}),
    Topic.SLOW: frozenset({Topic.SIZE}),
    Topic.RATE: frozenset({Topic.OVERLOAD}),
    Topic.SIZE: frozenset({Topic.PROTOCOL}),
    Topic.RESTART: frozenset({Topic.OVERLOAD, Topic.SESSION_OVER}),
    Topic.ORIGIN: frozenset({Topic.TOKEN}),
    Topic.DUPLICATE: frozenset({Topic.TOKEN}),
    Topic.TOKEN: frozenset({Topic.TIMEOUT, Topic.SESSION_OVER}),
    Topic.SESSION_OVER: frozenset({Topic.TIMEOUT}),
    Topic.UPSTREAM: frozenset({Topic.OVERLOAD, Topic.TIMEOUT}),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a close reason speaks of."""

    # None where no keyword is in it.
    topic: Topic | None = None
    # A second topic that contradicts the first; None if there is none.
    other: Topic | None = None
    # Whether there are words at all, in whatever language.
    has_words: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether it speaks of one thing."""
        return self.topic is not None and self.other is None


# There is no close reason.
NO_REASON = Reading()


def names(reason: str, words: tuple[str, ...]) -> bool:
    """Whether a close reason has one of these in it, in whatever case."""
    text = reason.casefold()
    return any(word.casefold() in text for word in words)


def names_whole(text: str, words: Iterable[str]) -> bool:
    """Whether one of these stands in a text by itself, and not as a part of a longer word or number."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words)


@lru_cache(maxsize=1024)
def read_reason(reason: str) -> Reading:
    """Read a close reason; an empty one speaks of nothing."""
    text = _plain(reason)
    if not text:
        return NO_REASON
    found = [topic for topic, keywords in _KEYWORDS.items() if keywords.search(text)]
    if Topic.TOKEN in found and not _KEYWORDS[Topic.TOKEN].search(_OTHER_TOKENS.sub(" ", text)):
        found.remove(Topic.TOKEN)
    left = [topic for topic in found if not any(topic in _COVERS.get(each, ()) for each in found)]
    if Topic.ERROR in left and len(left) > 1:
        left.remove(Topic.ERROR)
    first, second = (*left, None, None)[:2]
    return Reading(first, second, has_words=True)


def says_wrong(text: str) -> bool:
    """Whether a message of the peer says that something went wrong, and not only that an end is near."""
    return _WRONG.search(_plain(text)) is not None


def _plain(text: str) -> str:
    """Words apart, in small letters."""
    parted = _CAMEL.sub(" ", unicodedata.normalize("NFKC", text)).replace("_", " ")
    return " ".join(parted.casefold().split())

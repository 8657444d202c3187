"""
What a close reason speaks of, told by its keywords.

A reason is what the peer's people wrote for people: it tells more than the code before it, which a ping
timeout was seen to share with five other causes.

"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from .lone_words import has_others, is_one_of_many
from .reason_words import HINTS, KEYWORDS, OTHERWISE, any_of
from .reason_words import Topic as Topic
from .refused_heartbeats import BEAT

# What makes a message of the peer one about something that went wrong.
_WRONG = any_of(
    r"errors?", r"exceptions?", r"fail(?:ed|ures?)", r"expired", r"invalid\w*", r"revoked", r"denied",
    r"rejected", r"un-?authori[sz]ed", r"unauthenticated", r"forbidden", r"disabled", r"too many \w+",
)  # fmt: skip
# What says that nothing did: a member that is empty, "errors: 0", "failed=0".
_EMPTY = re.compile(
    r"""\b\w{1,100}["']?\s{0,9}[:=]\s{0,9}(?:(?:null|false|none|0(?:\.0+)?)\b(?!\.)|["']{2}|\[\]|\{\})""",
    re.IGNORECASE,
)
# What calls a message an error: a command ("ERROR" of STOMP, "-ERR" of NATS; "Error in ..." is a sentence),
# or of JSON a whole value, or the name of a member ("errMsg", "last_error", and not "preferred").
_CALLED_ERROR = re.compile(
    r"""^\W*(?-i:ERR(?:OR)?)\b(?!["'])|(["'])(?:errors?|err|fail(?:ed|ure)?)\1|"""
    r"""(["'])(?:\w*error\w*|"""
    r"""(?:\w*_|\w*(?-i:[a-z0-9](?=E)))?err(?:s|no|num|code|msg|str|(?-i:[_A-Z\d])\w*)?)\2"""
    r"""(?=\s*:)""",
    re.IGNORECASE,
)
# What was asked, which an answer in JSON repeats ("op": "ping"); not what says why.
_ASKED_WITH = re.compile(
    r"""(["'])(?!(?:reason|message|msg|detail|description|code)s?\1)\w+\1\s*:\s*"""
    rf"""(["']){BEAT}\2""",
    re.IGNORECASE,
)
# That nobody logged in in time; not that a token, or who checks it, timed out.
_WAITED = any_of(
    r"(?:un)?auth(?!\w*tokens?)\w*\W+(?:(?:handshake|message|request|was|has|within)\W+)?"
    r"(?:time[- ]?out|timed[- ]?out|in time|deadline)"
)
# How a close reason quotes the end of a connection behind its sender: that of its own has not come yet.
_OF_ANOTHER = re.compile(r"\b(?:sent|received) 1\d{3} \(|\bno close frame\b")
# The name of a member of JSON, and the one whose value says why.
_MEMBER = re.compile(r"""(["'])\w{1,100}\1\s{0,9}:""")
_REASON = re.compile(r"""(["'])reason\1\s{0,9}:\s{0,9}["']\w""")
# A message that is a heartbeat or a state, and what it says of credentials that were accepted: all is well.
_AT_REST = re.compile(rf"\W*(?:{BEAT}|keep[- ]?alives?|idle|inactive)[\W\d]*")
_ACCEPTED = any_of(
    r"(?<!not )(?<!be )(?<!yet )(?<!longer )(?<!un-)(?:authenticated|authori[sz]ed)",
    r"tokens? (?:was |is |has been )?(?:refreshed|renewed|accepted)",
)
# What asks a client to come back, where nothing else says why.
_COME_BACK = r"(?:(?:please )?(?:try to )?|session |(?:\w+:)?request )re-?connect"
_ONLY_ASKS_BACK = re.compile(rf"{_COME_BACK}(?: (?:now|again|later|please))?[.!]?")
# The same in a message: all that it says, a whole value of its own (Twitch's session_reconnect, Bitstamp's
# bts:request_reconnect), or politely in a sentence, and not of a wallet or a bank.
_ASKS_BACK = re.compile(
    rf"""^\W*{_COME_BACK}\W*$|"(?:session|(?:\w+:)?request) re-?connect"|"""
    r"\bplease (?:try to )?re-?connect\b"
    r"(?! (?:your|the) (?!connection|client|session|stream|(?:web ?)?socket))"
)
# That a request went well, as a whole value or text: "success": true, "rate_limits.updated".
_WELL = re.compile(
    r"""(?:^|["'.])(?:logged[- _]in|updated|success\w*|ok)(?:$|["'.!](?!\s{0,9}:))|"""
    r"""(["'])(?:success\w*|ok)\1\s{0,9}:\s{0,9}true""",
    re.IGNORECASE,
)
# A name in the code of a program, as its errors quote it: "KeyError: 'token'".
_NAME = re.compile(r"['`]\w+'")
# Between the words of "SlowConsumer".
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# Words that hyphens join, as an identifier: "max-duration-exceeded", alone or as a value of JSON. Between
# these and the rest of theirs a hyphen stands in sentences, too ("re-connect").
_JOINED = re.compile(r"""(?:^|(?<="))[^\W\d_]+(?:-[^\W\d_]+)+(?="\s{0,9}[,}\]]|\.?$)""")
_HYPHEN = re.compile(r"\b(?:back|cross|half|hand|life|log|over|re|sub|take|un)-|-")
# A topic says all that these do: "keepalive ping timeout" is one thing, "timeout: restart" is two.
_COVERS: dict[Topic, frozenset[Topic]] = {
    Topic.SETUP: frozenset({Topic.IDLE, Topic.TIMEOUT, Topic.TOKEN}),
    Topic.KEEPALIVE: frozenset({Topic.IDLE, Topic.TIMEOUT, Topic.SESSION_OVER}),
    Topic.IDLE: frozenset({Topic.TIMEOUT, Topic.SESSION_OVER}),
    Topic.SLOW: frozenset({Topic.SIZE, Topic.TIMEOUT}),
    Topic.RATE: frozenset({Topic.OVERLOAD}),
    Topic.SIZE: frozenset({Topic.PROTOCOL}),
    Topic.RESTART: frozenset({Topic.OVERLOAD, Topic.SESSION_OVER}),
    Topic.ORIGIN: frozenset({Topic.TOKEN, Topic.UPSTREAM}),
    Topic.DUPLICATE: frozenset({Topic.TOKEN}),
    Topic.TOKEN: frozenset({Topic.TIMEOUT, Topic.SESSION_OVER, Topic.SESSION_UNKNOWN}),
    Topic.SESSION_OVER: frozenset({Topic.TIMEOUT}),
    Topic.UPSTREAM: frozenset({Topic.OVERLOAD, Topic.TIMEOUT}),
}
# What many things end with: it does not tell whose word stands beside it.
GENERAL = frozenset({Topic.TIMEOUT, Topic.ERROR})


@dataclass(frozen=True, slots=True)
class Reading:
    """What a close reason speaks of."""

    # None where no keyword is in it.
    topic: Topic | None = None
    # A second topic that contradicts the first; None if there is none.
    other: Topic | None = None
    # Whether the words that tell the topic mean other things too.
    is_vague: bool = False
    # Whether one word tells the topic, in a sentence whose other words may give it another meaning.
    is_lone: bool = False
    # Whether there are words at all, in whatever language.
    has_words: bool = False

    @property
    def is_clear(self) -> bool:
        """Whether it speaks of one thing, in words that mean nothing else."""
        return self.topic is not None and self.other is None and not self.is_vague

    def beside(self, code: Topic) -> Reading:
        """What is left of it where the protocol's code means this: vague words, and a timeout, yield."""
        yields = self.topic is not code and (self.is_vague or self.topic is Topic.TIMEOUT)
        return Reading(has_words=True) if yields else self


# There is no close reason, or it says what the code says (API Gateway: 1001, "Going away"), or that a message
# before it says why (IBM Watson, AssemblyAI).
NO_REASON = Reading()
_ELSEWHERE = re.compile(r"see (?:the )?(?:(?:previous|last|preceding|error) )+(?:message|frame|event)\b.*")
_NAMES_OF_CODES = frozenset({"going away", "normal closure", "normal close"})


def names(reason: str, words: tuple[str, ...]) -> bool:
    """Whether a close reason has one of these in it, in whatever case."""
    text = reason.casefold()
    return any(word.casefold() in text for word in words)


def names_whole(text: str, words: Iterable[str]) -> bool:
    """Whether one of these stands in a text by itself, and not as a part of a longer word or number."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) for word in words)


def asks_to_reconnect(reason: str) -> bool:
    """Whether a close reason asks to come back, and says nothing else."""
    return _ONLY_ASKS_BACK.fullmatch(_plain(reason)) is not None


@lru_cache(maxsize=1024)
def read_reason(reason: str) -> Reading:
    """Read a close reason; an empty one speaks of nothing."""
    text = _plain(reason)
    says_no_cause = _ELSEWHERE.fullmatch(text) or _ONLY_ASKS_BACK.fullmatch(text)
    if not text or text.strip(".") in _NAMES_OF_CODES or says_no_cause:
        return NO_REASON
    found = _topics(text, KEYWORDS)
    hinted = _topics(_NAME.sub(" ", text), HINTS) - found if found <= GENERAL else frozenset()
    all_found = [topic for topic in Topic if topic in found | hinted]
    left = [topic for topic in all_found if not any(topic in _COVERS.get(each, ()) for each in all_found)]
    if Topic.ERROR in left and len(left) > 1:
        left.remove(Topic.ERROR)
    first, second = (*left, None, None)[:2]
    is_clear = bool(left) and first not in hinted | GENERAL
    is_lone = is_clear and is_one_of_many(text, _told(text))
    return Reading(first, second, is_vague=first in hinted, is_lone=is_lone, has_words=True)


def tells_clearly(said: Reading) -> bool:
    """Whether something tells of one thing, by more than one word among others, and that is none of many."""
    return said.is_clear and not said.is_lone and said.topic not in GENERAL


def read_close(reason: str) -> Reading:
    """Read the reason of a close frame, which is about another connection where it quotes how one ended."""
    return Reading(Topic.UPSTREAM, has_words=True) if _OF_ANOTHER.search(reason) else read_reason(reason)


def waited_for_credentials(reason: str) -> bool:
    """Whether a close reason says that no credentials came in time: "Authentication Timeout"."""
    return _WAITED.search(_plain(reason)) is not None


def says_nothing_else(reason: str) -> bool:
    """Whether no word stands beside those that tell a topic that may be of something else."""
    text = _plain(reason)
    return not has_others(text, _told(text))


def _told(text: str) -> set[str]:
    """What of a text has a topic."""
    patterns = (*KEYWORDS.values(), *HINTS.values())
    return {match[0] for pattern in patterns for match in pattern.finditer(text)}


def _topics(text: str, words: Mapping[Topic, re.Pattern[str]]) -> frozenset[Topic]:
    """The topics that have a word in a text, outside of the phrases in which it means something else."""
    parts = {topic: OTHERWISE[topic].sub(" ", text) if topic in OTHERWISE else text for topic in words}
    return frozenset(topic for topic, pattern in words.items() if pattern.search(parts[topic]))


def read_error(text: str) -> Reading:
    """
    Read a message that the protocol calls an error, as a close reason.

    That it is one (``"type": "error"``, the name of a member) says nothing of what went wrong, and nor
    does what it answers (``"op": "ping"``).

    """
    return read_reason(_ASKED_WITH.sub(" ", _CALLED_ERROR.sub(" ", text)))


@lru_cache(maxsize=1024)
def read_message(text: str) -> Reading:
    """
    Read a message that the protocol gives no meaning, as the reason of a close frame.

    The names of its members say nothing (a greeting has ``"idle_timeout": 60``), nor does what it says while
    all is well.

    """
    if _OF_ANOTHER.search(text):
        return read_close(text)
    values = _plain(_MEMBER.sub(" ", _ASKED_WITH.sub(" ", _EMPTY.sub(" ", text))))
    said = NO_REASON if _AT_REST.fullmatch(values) else read_error(_ACCEPTED.sub(" ", values))
    asks_back = said.topic in (None, Topic.RESTART) and _ASKS_BACK.search(values)
    return Reading(Topic.RESTART, has_words=True) if asks_back else said


def is_called_error(text: str) -> bool:
    """Whether a message calls itself an error, as a command or in JSON, and not only speaks of one."""
    # An answer of JSON-RPC has a member for one, which is null.
    return _CALLED_ERROR.search(_EMPTY.sub(" ", text)) is not None


def says_wrong(text: str) -> bool:
    """Whether a message of the peer says that something went wrong, and not only that an end is near."""
    return _WRONG.search(OTHERWISE[Topic.ERROR].sub(" ", _plain(_EMPTY.sub(" ", text)))) is not None


@lru_cache(maxsize=1024)
def tells_why(text: str) -> bool:
    """Whether a message that the protocol gives no meaning tells why the end that follows it comes."""
    return tells_of_trouble(text) or _REASON.search(text) is not None


def tells_of_trouble(text: str) -> bool:
    """
    Whether it does so without an end behind it: it speaks of what ends connections.

    One that says that a request went well does not, whatever it was about.

    """
    said = read_message(text)
    return says_wrong(text) or (said.is_clear and not said.is_lone and _WELL.search(text) is None)


def _plain(text: str) -> str:
    """Words apart, in small letters."""
    parted = _CAMEL.sub(" ", unicodedata.normalize("NFKC", text)).replace("_", " ")
    return " ".join(_JOINED.sub(_apart, parted).casefold().split())


def _apart(joined: re.Match[str]) -> str:
    """Words that hyphens join, with spaces between them."""
    return _HYPHEN.sub(lambda hyphen: " " if hyphen[0] == "-" else hyphen[0], joined[0])

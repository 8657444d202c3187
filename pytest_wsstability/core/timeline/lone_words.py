"""Whether one word is all that tells what a close reason is about, in a sentence about something else."""

from __future__ import annotations

import re
from collections.abc import Collection

# Words that leave the meaning of the one beside them as it is: of grammar, of connections and their ends, of
# limits, of what people are asked to do.
_BESIDE = frozenset(
    word
    for line in (
        "a an the this that its your our is was are be been being has have had will did does going now soon",
        "again later please for to of on in at by due because and or from with within as it we you too many",
        "not no out away time timed long ms seconds minutes internal scheduled planned progress",
        "connection connections socket websocket ws session server service system instance node pod host",
        "process worker container application cluster client peer user",
        "message messages request requests stream frame frames data response answer",
        "close closed closing disconnect disconnected disconnecting terminated terminating ended ending end",
        "lost reason code error failed failure invalid bad missing missed wrong required denied rejected",
        "refused detected limit limited reached exceeded expired timeout answered receive received sent read",
        "try retry reconnect exit exiting",
        "info warn warning debug notice signal handling caught pid port http app applications workers "
        "servers sockets sessions clients master main all gracefully graceful immediately complete bye",
        "waiting start starting started finished active after since while when before during reading",
        "already call conversation meeting",
    )
    for word in line.split()
)
_WORD = re.compile(r"[^\W\d_]{2,}")
# The name of a field in a line of JSON or of key=value, as loggers write them: it is no word of the sentence.
_FIELD = re.compile(r'"[\w ]+"\s*:|\b\w+=')


def is_one_of_many(text: str, told: Collection[str]) -> bool:
    """
    Whether a single word of a text tells something, and others beside it may give it another meaning.

    Args:
        text: in small letters, words apart.
        told: the parts of it that tell something.

    """
    return len(told) == 1 and all(len(_WORD.findall(each)) == 1 for each in told) and has_others(text, told)


def has_others(text: str, told: Collection[str]) -> bool:
    """Whether words of a text that tell nothing may give others another meaning; arguments as above."""
    for each in told:
        text = text.replace(each, " ")
    return any(word not in _BESIDE for word in _WORD.findall(_FIELD.sub(" ", text)))

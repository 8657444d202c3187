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
    )
    for word in line.split()
)
_WORD = re.compile(r"[^\W\d_]{2,}")


def is_one_of_many(text: str, told: Collection[str]) -> bool:
    """
    Whether a single word of a text tells something, and others beside it may give it another meaning.

    Args:
        text: in small letters, words apart.
        told: the parts of it that tell something.

    """
    if len(told) != 1:
        return False
    (word,) = told
    beside = _WORD.findall(text.replace(word, " "))
    return len(_WORD.findall(word)) == 1 and any(each not in _BESIDE for each in beside)

"""Whether an end is the one that was announced, or came for another reason."""

from __future__ import annotations

from ..timeline.close import REFUSALS, CloseEvidence
from ..timeline.close_reasons import Topic, read_close

# What the reason of an end that was announced may speak of.
_GOES = frozenset({Topic.RESTART, Topic.SESSION_OVER, Topic.OVERLOAD})


def ends_otherwise(close: CloseEvidence) -> bool:
    """Whether the peer's close frame says another reason than that it goes: in words, or as a refusal."""
    if close.received is None:
        return False
    reading = read_close(close.reason)
    if reading.is_clear:
        return reading.topic not in _GOES
    return close.code in REFUSALS

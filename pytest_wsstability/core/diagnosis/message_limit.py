"""A second cause that the number of messages tells: a limit on how many messages this end may send."""

from __future__ import annotations

from ..cause import Cause, Confidence
from .features import Features, is_data
from .signature import Rival

# Numbers of messages that people write into limits, from 100 on, and ten times as many: one number in a
# hundred is one, so that ends by accident are seldom at them.
_LIMITS, _FEWEST = (100, 200, 250, 300, 400, 500, 600, 750, 800, 900), 100


def _after_round_number(f: Features) -> bool:
    """Whether it ended right after a message of this end with which it had sent a round number of them."""
    sent = f.messages_sent
    while sent >= 10 * _FEWEST and sent % 10 == 0:
        sent //= 10
    return sent in _LIMITS and any(is_data(event) for event in f.tail.sent)


# A limit on the number of messages looks like an age where they are sent at even intervals.
NTH_MESSAGE = Rival(
    Cause.RATE_LIMITED,
    "it came right after a message of this end whose number is round, from 100 on",
    _after_round_number,
    "it came right after the {nth_message}th message of the {end}, so a limit on their number fits too",
    Confidence.LOW,
)

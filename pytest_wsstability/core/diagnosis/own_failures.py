"""
Second causes where the peer says that it failed itself, or what failed behind it.

1011 is an error of the sender's own (RFC 6455, section 7.4.1): what its words are about may lie behind it.

"""

from __future__ import annotations

import re
from dataclasses import replace

from ..cause import Cause, Confidence
from ..timeline.close_reasons import Topic, names_whole, says_nothing_else
from .features import Features
from .signature import Rival

LOW = Confidence.LOW

OF_ITS_UPSTREAM = Rival(
    Cause.UPSTREAM_FAILED,
    "the code is 1011, an error of the sender's own",
    lambda f: f.code == 1011,
    "1011 is an error of the {peer}'s own, so what a service behind it said to it fits too",
)
# Celery, of a worker of its own: "Worker exited prematurely: signal 9 (SIGKILL)".
OF_ITS_WORKER = replace(
    OF_ITS_UPSTREAM,
    shows="the code is 1011, and words stand beside those of a restart",
    when=lambda f: f.code == 1011 and not says_nothing_else(f.reason),
)
OF_ITS_WORK = Rival(
    Cause.HANDLER_ERROR,
    "the code is 1011, an error of the sender's own",
    lambda f: f.code == 1011 and f.reading.topic is Topic.TIMEOUT,
    "1011 is an error of the {peer}'s own, so a timeout of its own work (a database, a model) fits too",
)
# How reasons name a deadline for what is read: "read tcp 10.0.0.1:80: i/o timeout".
READING = ("read", "i/o", "recv")
# How languages call it that any time is over, that for the next message among them, and the connection;
# the module of a driver beside it (redis.exceptions.TimeoutError) names what timed out.
_OF_ANY_TIMER = re.compile(
    r"\b(?:asyncio|builtins|concurrent|exceptions|futures)\.|\bcontext (?=deadline exceeded)"
    r"|\bconnection[ _-]?(?=time[ _-]?d?[ _-]?out)",
    re.IGNORECASE,
)


def names_its_work(f: Features) -> bool:
    """Whether words stand beside a timeout that may name what timed out (a database, a model, a turn)."""
    is_timeout = f.reading.topic is Topic.TIMEOUT
    beside = _OF_ANY_TIMER.sub("", f.reason)
    return is_timeout and not says_nothing_else(beside) and not names_whole(f.reason, READING)


OF_NAMED_WORK = Rival(
    Cause.HANDLER_ERROR,
    "words stand beside the timeout that may name what timed out",
    names_its_work,
    "the words beside it may name what timed out, which need not be this connection",
    LOW,
)

"""
Rows for an end, of a connection or of its messages, whose reason stands in the last message.

No protocol calls that message an error, so it may be content, too: it never says a cause with certainty.

"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..cause import Cause, Confidence
from ..judge.verdict import Rule
from ..timeline.close_reasons import GENERAL, Topic, is_called_error, says_wrong, tells_clearly
from ..timeline.forms import is_of_a_form
from . import rivals, rows_said
from .features import REACTION, Features
from .rivals import CAUSES, NOTHING_BUT_UNKNOWN_WORDS, OTHERS_ENDED
from .rows_stopped import is_dried_up
from .signature import Blamed, Claim, Rival, Signature

MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW

_OF_HEARTBEATS = frozenset({Rule.HEARTBEATS, Rule.CADENCE})
# Codes that mean more by convention than words that may mean anything.
_TELLING = (1013, 4401, 4403, 4408, 4409, 4429)
_TIMERS = frozenset({Topic.KEEPALIVE, Topic.IDLE, Topic.TIMEOUT})
_REMEDIES = {row.cause: row.remedy for row in rows_said.ROWS}
_BLAMED = {row.cause: row.blame for row in rows_said.ROWS}
_SEND_OFTENER = "send what the {peer} counts (a heartbeat, a message) more often than it asks for"
_LOOK = "see what the message asks for"


def _tell(f: Features, topic: Topic | None, *, closed: bool) -> bool:
    """Whether they speak of this (None: of nothing with a keyword), with or without a close frame behind."""
    said = f.told
    if f.last_words is None or not f.ended or (f.code is not None) is not closed or said.topic is not topic:
        return False
    return f.code not in _TELLING or f.clearly_told


_BY_CHANCE = Rival(
    Cause.CLOSED_BY_PEER,
    "messages came as often as every ten seconds, or of its form, and the last does not call itself an error",
    lambda f: f.may_be_content,
    "messages came so often, or were so alike, that it may be content like the others",
    LOW,
)


def _may_mean_another(f: Features) -> bool:
    return not f.told.is_clear or f.told.is_lone


def _unsure(cause: Cause) -> Rival:
    return Rival(
        cause,
        "its words mean other things too, or it has one that tells among others, or speaks of two things",
        _may_mean_another,
        "its words may mean something else",
        LOW,
    )


# The reason tells no more than that.
FAILED = Rival(
    Cause.HANDLER_ERROR,
    "the close reason speaks of an error",
    lambda f: f.reading.topic is Topic.ERROR,
    "the close reason speaks of an error, and of nothing else",
)
_RIVALS = (_BY_CHANCE, FAILED, _unsure(Cause.CLOSED_BY_PEER), NOTHING_BUT_UNKNOWN_WORDS, OTHERS_ENDED)


def _told_of_its_stream(f: Features, topic: Topic) -> bool:
    """Whether messages that are due stay away, and nothing else does, behind one that speaks of this."""
    stopped = Rule.FLOW in f.broken and not f.broken & _OF_HEARTBEATS and is_dried_up(f)
    return stopped and f.asked_since is None and f.told.topic is topic


def _row(cause: Cause, what: str, confidence: Confidence, *, closed: bool, **more: Any) -> Signature:
    end = "it closed with {code}" if closed else "the connection was cut"
    return Signature(
        claim=Claim(cause, confidence, _BLAMED.get(cause, Blamed.PEER)),
        shows=f"the peer's last message, right before a {'close frame' if closed else 'cut'}, {what}",
        sentence=f"the {{peer}}'s last message, right before {end}, was {{last_words!r}}",
        headline="the {peer} said {last_words}",
        evidence=("last_words", "end", "last_sent"),
        source="documentation and reports of applications",
        **more,
    )


def _remedy(topic: Topic) -> str | None:
    return _SEND_OFTENER if topic in _TIMERS else _REMEDIES.get(CAUSES[topic], _LOOK)


def _topics(*, closed: bool) -> Iterator[Signature]:
    for topic, cause in CAUSES.items():
        yield _row(
            cause,
            f"speaks of {topic.value}, and the protocol does not call it an error",
            MEDIUM if closed and topic not in GENERAL else LOW,
            closed=closed,
            when=partial(_tell, topic=topic, closed=closed),
            remedy=_remedy(topic),
            rivals=_RIVALS if closed else (),
            runner_up=_other(cause, closed=closed),
        )


def _other(cause: Cause, *, closed: bool) -> Cause | None:
    """The next likely cause; None where it is the first: the next row that fits tells it."""
    other = Cause.CLOSED_BY_PEER if closed else Cause.RESTART
    return other if other is not cause else None


def _alone(f: Features, topic: Topic) -> bool:
    """Whether they are of no form of before, and neither an open question nor others show another cause."""
    return (
        _tell(f, topic, closed=False)
        and tells_clearly(f.told)
        and not f.timeline.messages.last_is_usual
        and f.asked_since is None
        and not rivals.repeats_silence(f)
        and not rivals.repeats_age(f)
    )


def _with_the_cut(f: Features) -> bool:
    return f.age - (f.timeline.messages.last_at or 0.0) <= REACTION


def _call_it_an_error(f: Features, topic: Topic) -> bool:
    """Whether they do, which a coincidence of numbers does not outweigh, but what others show does."""
    is_error = f.last_words is not None and is_called_error(f.last_words)
    return is_error and _alone(f, topic) and (_with_the_cut(f) or not f.comes_often)


def _tell_a_status(f: Features, topic: Topic) -> bool:
    """Whether they do not, are a message to a program all the same, and came with the cut."""
    words = f.last_words
    is_status = words is not None and is_of_a_form(words) and not is_called_error(words)
    return is_status and _alone(f, topic) and _with_the_cut(f)


def _called_errors() -> Iterator[Signature]:
    for topic, cause in CAUSES.items():
        # What ran out is told by what was silent for so long.
        if topic not in GENERAL | _TIMERS:
            yield _row(
                cause,
                f"calls itself an error and speaks of {topic.value}, no message of its form came before, "
                "it came with the cut if it ends a stream, no question was open, and no others ended at "
                "this age or after this silence",
                MEDIUM,
                closed=False,
                when=partial(_call_it_an_error, topic=topic),
                remedy=_remedy(topic),
                rivals=(OTHERS_ENDED,),
                runner_up=_other(cause, closed=False),
            )


def _statuses() -> Iterator[Signature]:
    for topic, cause in CAUSES.items():
        if topic not in GENERAL | _TIMERS:
            yield _row(
                cause,
                f"is a JSON object that speaks of {topic.value}, no message of its form came before, it came "
                "with the cut, no question was open, and no others ended at this age or after this silence",
                LOW,
                closed=False,
                when=partial(_tell_a_status, topic=topic),
                remedy=_remedy(topic),
                rivals=(OTHERS_ENDED,),
            )


def _of_no_topic(f: Features, *, wrong: bool, closed: bool) -> bool:
    words = f.last_words
    # 1011 is an error of the sender's own (RFC 6455, section 7.4.1).
    return (
        words is not None and _tell(f, None, closed=closed) and (says_wrong(words) or f.code == 1011) is wrong
    )


def _unclear(*, closed: bool) -> Iterator[Signature]:
    other = Cause.CLOSED_BY_PEER if closed else Cause.RESTART
    for wrong, cause, runner_up in (
        (True, Cause.HANDLER_ERROR, other),
        (False, other, Cause.HANDLER_ERROR),
    ):
        yield _row(
            cause,
            "says that something went wrong" if wrong else "says why, in words that are no keywords",
            LOW,
            closed=closed,
            when=partial(_of_no_topic, wrong=wrong, closed=closed),
            remedy=_LOOK,
            runner_up=runner_up,
        )


def _stopped() -> Iterator[Signature]:
    for topic, cause in CAUSES.items():
        yield Signature(
            claim=Claim(cause, LOW if topic in GENERAL else MEDIUM, _BLAMED.get(cause, Blamed.PEER)),
            shows="messages are due by the requirement and do not come; the last of them speaks of "
            f"{topic.value}",
            when=partial(_told_of_its_stream, topic=topic),
            sentence="no message came for {without_message}, since {last_message_at} ({messages_before}), "
            "and the last one was {last_words!r}",
            headline="the {peer} said {last_words}, and no more",
            evidence=("last_words", "messages", "heartbeats"),
            remedy=f"{_LOOK}; where it ends a subscription, subscribe again",
            rivals=(_unsure(Cause.ONE_WAY_DEAD),),
            runner_up=Cause.ONE_WAY_DEAD,
            source="reports (supabase 16684, realtime-js 246)",
        )


def _announced(f: Features) -> bool:
    others = rivals.repeats_silence(f) or rivals.repeats_age(f)
    return f.cut and f.parting_words is not None and not others


# What announced a cut, and was the last of a stream: the silence behind it is no timer's.
ANNOUNCED = (
    Signature(
        claim=Claim(Cause.RESTART, MEDIUM, Blamed.PEER),
        shows="no close frame, and a stream of the peer's messages ended up to two minutes before, with one "
        "of another form that says it restarts, or asks to come back; no others ended at this age or after "
        "this silence",
        when=_announced,
        sentence="the {peer} said {parting_words!r} at {last_message_at}, and no more: it announced the end",
        headline="announced by the {peer}: {parting_words}",
        evidence=("messages", "end", "silences"),
        remedy="let the client come back when it is told to; let the {peer} close with 1001 or 1012 then",
        source="documentation (OKX's notice 64008, Gate), reports (pyTwitchAPI 286)",
    ),
)
# A close frame came behind them, and its code is no cause by itself.
CLOSED = tuple(_topics(closed=True))
# The same, where they have no keyword: what the record shows says more.
UNCLEAR = tuple(_unclear(closed=True))
# No close frame came, and a timer that fits does so by chance.
CALLED_ERRORS = tuple(_called_errors())
STATUSES = tuple(_statuses())
# No close frame came, and no timer fits.
CUT = (*_topics(closed=False), *_unclear(closed=False))
# The connection lives, and messages that are due stay away behind them.
STOPPED = tuple(_stopped())

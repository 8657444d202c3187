"""Rows for what the application's protocol says: its timers, its close codes, its error messages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..cause import Cause, Confidence
from ..judge.verdict import Rule
from ..timeline.close_reasons import Topic, read_error
from ..timeline.flaws import Flaw
from ..timeline.protocol_facts import Awaited
from . import rivals, rows_said
from .features import Features
from .protocol import AWAITED, SAID_BEFORE, awaits, meaning, ran_out, said_wrong
from .rivals import CAUSES
from .rows_session import REFUSED
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

# Causes that have one remedy, whatever says them (the words of a close reason, a code, a message, a line of a
# log), with the rows that have it.
ONE_REMEDY: dict[Cause, Signature] = {
    row.cause: row
    for row in rows_said.ROWS
    if row.cause
    in {
        Cause.SLOW_CONSUMER,
        Cause.RATE_LIMITED,
        Cause.MESSAGE_TOO_BIG,
        Cause.OVERLOADED,
        Cause.SESSION_DUPLICATED,
        Cause.SESSION_LOST,
    }
}

# Words that a reason may speak of where a timer ran out.
_OF_TIMERS = (None, Topic.KEEPALIVE, Topic.IDLE, Topic.TIMEOUT)
# What each timer waits for, as the end of "... ran out: ".
_WAITED = {
    Awaited.ANSWER: "a heartbeat of the {peer} was not answered for {timer_waited}",
    Awaited.PONG: "a ping of the {peer} was not answered for {timer_waited}",
    Awaited.SESSION: "the {end} had not set up its session {timer_waited} after the opening",
    Awaited.HEARTBEAT: "the {end} sent no heartbeat for {timer_waited}",
    Awaited.MESSAGE: "the {end} sent no message for {timer_waited}",
    Awaited.AGE: "the connection was {age} old",
}
_EVIDENCE = {
    Awaited.ANSWER: ("peer_heartbeats", "end"),
    Awaited.PONG: ("server_pings", "end"),
    Awaited.SESSION: ("session", "end"),
    Awaited.HEARTBEAT: ("heartbeats", "silences", "end"),
    Awaited.MESSAGE: ("silences", "end"),
    Awaited.AGE: ("end", "silences"),
}


def _remedy(cause: Cause, look: str) -> str:
    """What to change, and where to look."""
    return f"{ONE_REMEDY[cause].remedy}; {look}" if cause in ONE_REMEDY else look


def _is_sure(f: Features, what: Awaited) -> bool:
    """Whether the close frame has the timer's words, or its code after exactly its length."""
    ran = awaits(f, what)
    if ran is None or f.code is None or not ran.is_overdue:
        return False
    if ran.named:
        return True
    return ran.fits and what is not Awaited.AGE and f.reading.topic in _OF_TIMERS


def _may_be(f: Features, what: Awaited) -> bool:
    ran = awaits(f, what)
    if ran is None or ran.named:
        return ran is not None
    return f.reading.topic in _OF_TIMERS and (ran.fits or not _tells_another(f))


def _tells_another(f: Features) -> bool:
    """Whether an error message came right before the end that does not speak of a timer."""
    said = said_wrong(f)
    if said is None or f.age - said[0] > SAID_BEFORE:
        return False
    return read_error(said[1]).topic not in _OF_TIMERS[1:]


def _is_cut(f: Features) -> bool:
    return f.code is None


def _waited_longer(f: Features) -> bool:
    ran = ran_out(f)
    return f.code is not None and ran is not None and not ran.fits and not ran.named


def _waited_less(f: Features) -> bool:
    ran = ran_out(f)
    return ran is not None and ran.named and not ran.is_overdue


_DOUBTS = (
    rivals.OTHERS_ENDED,
    Rival(
        Cause.RESTART,
        "no close frame came",
        _is_cut,
        "without a close frame, a crash or a restart at that instant fits too",
    ),
    Rival(
        Cause.CLOSED_BY_PEER,
        "it was waited for longer than the timer's length",
        _waited_longer,
        "the length is not exactly its own, so another reason fits too",
    ),
    Rival(
        Cause.KEEPALIVE_TIMEOUT,
        "the reason names it though it was waited for less than its length",
        _waited_less,
        "which is less than its length: its keepalive missed what was sent, or counts something else",
    ),
)


def _timers() -> Iterator[Signature]:
    for what, cause in AWAITED.items():
        by_age = what is Awaited.AGE
        for sure in (True, False):
            confidence = HIGH if sure else MEDIUM
            yield Signature(
                claim=Claim(cause, confidence, Blamed.PEER if by_age else Blamed.SELF),
                shows=f"a timer of the protocol that waits for {what.value} fits: its words, or its code "
                "after exactly its length"
                if sure
                else f"the same, after a longer time or without a close frame ({what.value})",
                when=partial(_is_sure if sure else _may_be, what=what),
                sentence=f"{{timer}} {'ran out' if sure else 'fits'}: {_WAITED[what]}",
                headline="{timer} ran out" if sure else "{timer} fits",
                evidence=_EVIDENCE[what],
                remedy="{timer_remedy}",
                rivals=(rivals.OTHERS_ENDED,) if sure else _DOUBTS,
                runner_up=Cause.CLOSED_BY_PEER,
                source="the profiles, each with its software",
            )


TIMERS = tuple(_timers())


def _means(f: Features, topic: Topic) -> bool:
    known = meaning(f)
    return known is not None and known.topic is topic and not known.planned


def _speaks_of(f: Features, topic: Topic | None) -> bool:
    """Whether the last message that says what is wrong speaks of this; None: of nothing with a keyword."""
    said = said_wrong(f)
    return said is not None and read_error(said[1]).topic is topic


def _ends_with_error(f: Features, topic: Topic | None) -> bool:
    """Whether such a message came right before the end."""
    said = said_wrong(f)
    return f.ended and said is not None and f.age - said[0] <= SAID_BEFORE and _speaks_of(f, topic)


# What a message says that came right before a code is about that end, too.
SAID_ELSE = tuple(
    Rival(
        cause,
        f"an error message of the peer right before the end speaks of {topic.value}",
        partial(_ends_with_error, topic=topic),
        f"the {{peer}}'s last message speaks of {topic.value}, so that fits too",
    )
    for topic, cause in CAUSES.items()
)


def _codes() -> Iterator[Signature]:
    for topic, cause in CAUSES.items():
        is_ours = topic in (Topic.KEEPALIVE, Topic.DUPLICATE, Topic.PROTOCOL)
        yield Signature(
            claim=Claim(cause, HIGH, Blamed.SELF if is_ours else Blamed.PEER),
            shows=f"the protocol's close code speaks of {topic.value}",
            when=partial(_means, topic=topic),
            sentence="the {peer} closed with {code}, which in {protocol} is: {meaning}",
            headline="{meaning}",
            evidence=("end", "last_sent", "session"),
            remedy=_remedy(
                cause, "see the protocol's page on its close codes, and what the {end} did before"
            ),
            rivals=(rivals.OTHERS_ENDED, *SAID_ELSE),
            runner_up=Cause.CLOSED_BY_PEER,
            source="the profiles, each with its software",
        )


def _says_error(f: Features, topic: Topic | None) -> bool:
    return not f.ended and Rule.ERRORS in f.broken and _speaks_of(f, topic)


def _went_silent(f: Features) -> bool:
    """Whether messages had come, and none since the error message."""
    last, said = f.timeline.messages.last_at, said_wrong(f)
    return last is not None and said is not None and last <= said[0]


def _errors() -> Iterator[Signature]:
    for topic, cause in ((None, Cause.HANDLER_ERROR), *CAUSES.items()):
        what = topic.value if topic is not None else "something without a keyword"
        confidence = MEDIUM if topic is not None else LOW
        yield Signature(
            claim=Claim(cause, confidence, Blamed.PEER),
            shows=f"an error message of the peer right before the end speaks of {what}",
            when=partial(_ends_with_error, topic=topic),
            sentence="the {peer} said in a message {said!r}, and ended the connection right after it",
            headline="an error message before the end: {said}",
            evidence=("errors", "end", "last_sent"),
            remedy=_remedy(cause, "see what the message asks for"),
            rivals=(rivals.OF_ITS_SIZE,) if cause is Cause.HANDLER_ERROR else (),
            runner_up=Cause.CLOSED_BY_PEER,
            source="documentation of the protocols",
        )
        yield Signature(
            claim=Claim(cause, confidence, Blamed.PEER),
            shows=f"an error message of the peer speaks of {what}, and the connection stays open",
            when=partial(_says_error, topic=topic),
            sentence="the {peer} said in a message {said!r} at {said_at}, and kept the connection open",
            headline="an error message: {said}",
            evidence=("errors", "messages", "heartbeats"),
            remedy=_remedy(
                cause, "see what the message asks for; where it ends a subscription, subscribe again"
            ),
            rivals=(
                Rival(
                    Cause.ONE_WAY_DEAD,
                    "messages came before it, and none since",
                    _went_silent,
                    "no message came since the one at {last_message_at}: what was subscribed to is over",
                ),
            ),
            runner_up=Cause.ONE_WAY_DEAD,
            source="reports (supabase 16684, realtime-js 246)",
        )


def _explained(f: Features) -> bool:
    """Whether the record itself shows what was not answered; and 1000 is everybody's, whatever it means."""
    return (
        f.code == 1000
        or f.peer_heartbeats.open_since is not None
        or f.peer_pings.unanswered is not None
        or rivals.repeats_silence(f)
    )


CODES = (
    Signature(
        claim=Claim(Cause.PLANNED_ROTATION, HIGH, Blamed.NOBODY),
        shows="the protocol calls the close code a planned end",
        when=lambda f: (known := meaning(f)) is not None and known.planned,
        sentence="the {peer} closed with {code}, which in {protocol} is planned: {meaning}",
        headline="planned: {meaning}",
        evidence=("end",),
        remedy="test that the client comes back: the end itself is planned (allow_close= allows it)",
        runner_up=Cause.RESTART,
        source="the profiles, each with its software",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, HIGH, Blamed.SELF),
        shows="the protocol's close code speaks of a keepalive, and the peer's heartbeat was not answered",
        when=lambda f: _means(f, Topic.KEEPALIVE) and f.peer_heartbeats.open_since is not None,
        sentence="the {peer}'s heartbeat at {heartbeat} was not answered, and {heartbeat_gap} later it "
        "closed with {code}, which in {protocol} is: {meaning}",
        headline="heartbeat of the {peer} unanswered for {heartbeat_gap}",
        evidence=("peer_heartbeats", "end"),
        remedy="answer the {peer}'s heartbeats",
        runner_up=Cause.CLOSED_BY_PEER,
        source="the profiles, each with its software",
    ),
    *_codes(),
    *REFUSED,
    *_errors(),
    Signature(
        claim=Claim(Cause.CLOSED_BY_PEER, MEDIUM, Blamed.PEER),
        shows="the protocol gives the close code a meaning that is no cause of the others",
        when=lambda f: (known := meaning(f)) is not None and known.topic is None and not _explained(f),
        sentence="the {peer} closed with {code}, which in {protocol} is: {meaning}",
        headline="{meaning}",
        evidence=("end", "last_sent", "peer_heartbeats"),
        remedy="see the protocol's page on its close codes, and what the {end} did before",
        rivals=(rivals.OTHERS_ENDED,),
        runner_up=Cause.RESTART,
        source="the profiles, each with its software",
    ),
)

# What to change for each way in which a peer breaks its protocol.
_MENDED = {
    Flaw.INTERVAL: "let the {peer} name an interval that can be kept",
    Flaw.SEQUENCE: "see why the {peer} sends an older number: it counts anew, or messages overtake others",
    Flaw.SUBPROTOCOL: "let the {peer} choose one of the subprotocols that are offered (under --ws-app: "
    "@pytest.mark.ws_server(subprotocols=[...])), or give the profile that it speaks",
    Flaw.VERSION: "give the profile of the version that the {peer} speaks, or let it speak this one",
    Flaw.FRAMING: "see what the {peer} sends in the place of a message: another protocol, or a wrong length",
}


def _first_flaw(f: Features) -> Flaw | None:
    """The first thing that the peer did against its protocol; None if it did nothing."""
    return next((each.flaw for each in f.timeline.irregular if each.flaw in _MENDED), None)


def _breaks(f: Features, flaw: Flaw) -> bool:
    """Whether this is the first thing that the peer, which is still there, did against its protocol."""
    return not f.ended and Rule.PROTOCOL in f.broken and _first_flaw(f) is flaw


def _ends_another_version(f: Features) -> bool:
    """Whether a server of another version ended it, without a word, before there was a session."""
    unconfirmed = f.timeline.session_confirmed_at is None
    by_peer = f.close is not None and f.close.local_reason is None
    return by_peer and not f.reason and unconfirmed and _first_flaw(f) is Flaw.VERSION


# Whatever its close code, and the time after which it came, mean in the version that was asked for.
VERSIONS = (
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, MEDIUM, Blamed.PEER),
        shows="the peer spoke another version of the protocol, and ended the connection without a word "
        "before there was a session",
        when=_ends_another_version,
        sentence="the {peer} spoke {flaw}, and ended the connection before there was a session",
        headline="{flaw}",
        evidence=("flaws", "end", "last_received"),
        remedy=_MENDED[Flaw.VERSION],
        rivals=(rivals.OTHERS_ENDED,),
        runner_up=Cause.RESTART,
        source="measured with socket.io 4.8 (allowEIO3), and 2.5",
    ),
)

FLAWS = tuple(
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.PEER),
        shows=f"the peer broke its protocol: {flaw.value}",
        when=partial(_breaks, flaw=flaw),
        sentence="the {peer} broke its protocol: {flaw}",
        headline="{flaw}",
        evidence=("flaws", "last_received"),
        remedy=remedy,
        source="the profiles, each with its software",
    )
    for flaw, remedy in _MENDED.items()
)

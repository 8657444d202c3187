"""Rows for what stands between the ends: what neither ended, and what one sent whole, by their records."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import replace
from functools import partial

from ..cause import Cause, Confidence
from .both import asks_by_ping, ended_between, heartbeat_came, heartbeat_lost, sent_whole
from .features import Features
from .rivals import age_number, repeats_age
from .rows_close import idle_in_disguise
from .rows_idle_server import UNTIL_LATE, may_be_slow
from .rows_open import half_frame
from .signature import Blamed, Claim, Rival, Signature

MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW

_ENDS = (Blamed.SELF, Blamed.PEER, Blamed.SERVER, Blamed.CLIENT)
# What a proxy, a load balancer or a tunnel has too; no handler fails in it, and it knows no messages.
_OF_A_BOX = (Cause.RESTART, Cause.READ_DEADLINE)
# Close codes of whoever is told to stop, and of whoever refuses what was sent (RFC 6455, section 7.4.1, and
# IANA's registry): a proxy that reads messages does that too.
_STOPS, _REFUSES = (1001, 1012), (1002, 1003, 1007, 1009, 1010)
_LOOK = (
    "see the log of what stands between the two ends (a proxy, a load balancer, a tunnel) at that instant: a "
    "reload, a deployment, a limit"
)


def _closed(f: Features) -> bool:
    return ended_between(f) and not f.cut and f.reading.topic is None and f.code not in _REFUSES


def told_from_both(
    rows: Iterable[Signature], *, of_a_box: Container[Cause] = _OF_A_BOX
) -> Iterator[Signature]:
    """Rows that blame an end only where the other end's record does not clear it; and the path else."""
    for row in rows:
        if row.blame not in _ENDS:
            yield row
            continue
        yield replace(row, when=partial(_fits, row.when, between=False))
        if row.cause in of_a_box:
            yield replace(
                row,
                shows=f"both ends held, neither of which ended it: {row.shows}",
                when=partial(_fits, row.when, between=True),
                sentence=f"neither end ended it, by their own records; {row.sentence}",
                claim=row.claim._replace(blame=Blamed.PATH),
                remedy=_LOOK,
            )


def _fits(when: Callable[[Features], bool], f: Features, *, between: bool) -> bool:
    return when(f) and ended_between(f) is between


CLOSED = (
    Signature(
        claim=Claim(Cause.RESTART, MEDIUM, Blamed.PATH),
        shows="both ends held: each got a close frame that the other has not sent, whose words and code say "
        "nothing else",
        when=_closed,
        sentence="neither end closed the connection, by their own records: both got {code_short}, so what "
        "stands between them sent it, as proxies do that are reloaded or stopped",
        headline="closed between the two ends: {code_short}",
        evidence=("end", "together"),
        remedy=f"{_LOOK}; reconnect with jitter",
        rivals=(
            Rival(
                Cause.IDLE_TIMEOUT,
                "the last silence was the longest, and timers are as long",
                idle_in_disguise,
                "it came after a silence of {silence}, so an idle timeout of it fits too",
                LOW,
            ),
            Rival(
                Cause.MAX_AGE,
                "other connections show the age, or limits have it",
                lambda f: repeats_age(f) or age_number(f),
                "a limit on the age fits too",
                LOW,
            ),
            Rival(
                Cause.MAX_AGE,
                "the code is none of somebody who is told to stop",
                lambda f: f.code not in _STOPS,
                "the code does not say that it was told to stop, so a limit of it fits too",
                LOW,
            ),
        ),
        runner_up=Cause.MAX_AGE,
        source="measured with Caddy",
    ),
)

OPEN = (
    Signature(
        claim=Claim(Cause.HALF_FRAME, MEDIUM, Blamed.PATH),
        shows="both ends held: a frame of the peer began, its rest never came, and its record has more "
        "frames that it sent than have come",
        when=lambda f: f.code is None and half_frame(f) and sent_whole(f) and not f.still_arrives,
        sentence="a frame of the {peer} began at {half_frame}, and its rest has not come since "
        "({half_frame_for}), though the {peer} has sent it whole, by its own record: the path holds it up",
        headline="half a frame since {half_frame}, held up on the way",
        evidence=("half_frame", "questions", "tcp"),
        remedy="look at what stands between the two ends: a buffer that is not flushed, a slow link, a proxy "
        "that stands still",
        runner_up=Cause.HALF_OPEN,
        source="measured in virtual time",
    ),
)

# Of a heartbeat that stays open the record of the other end tells the rest.
ASKED = (
    Signature(
        claim=Claim(Cause.ZOMBIE, MEDIUM, Blamed.PEER),
        shows="both ends held: a heartbeat came to the server, by its own record, and no answer left it",
        when=heartbeat_came,
        sentence="the heartbeat at {asked_since} came to the {peer}, by its own record, and it has not "
        "answered: the path carries, and the application does nothing, or is slow",
        headline="the {peer} got the heartbeat at {asked_since}, and did not answer",
        evidence=("questions", "own_pings", "server_pings"),
        remedy="{heartbeat_first}look at what the {peer} does with heartbeats, and was told to do with them",
        rivals=(
            Rival(
                Cause.NO_PONGS,
                "the heartbeats are ping frames",
                asks_by_ping,
                "a library answers ping frames, so one that sends no pongs fits too",
                LOW,
            ),
        ),
        runner_up=Cause.SLOW_ANSWERS,
        source="measured in virtual time",
    ),
    Signature(
        claim=Claim(Cause.HALF_OPEN, MEDIUM, Blamed.PATH),
        shows="both ends held: a heartbeat did not come to a server that reads, by its own record, or the "
        "answer that left it did not come back",
        when=heartbeat_lost,
        sentence="the heartbeat at {asked_since}, or the answer to it, is lost or held up on the way: more "
        "was sent than came, by the records of both ends",
        headline="heartbeat or answer lost on the way since {asked_since}",
        evidence=("questions", "silences"),
        remedy="look at what stands between the two ends, and at faults of the link that the test applied",
        rivals=(
            may_be_slow(lambda f: f.age - (f.own_heartbeats.open_since or 0.0) < UNTIL_LATE),
            Rival(
                Cause.CONTROL_FRAMES_LOST,
                "the heartbeats are ping frames",
                asks_by_ping,
                "ping frames were all that was asked, so a path that loses control frames fits too",
                LOW,
            ),
        ),
        runner_up=Cause.PATH_STALLED,
        source="measured in virtual time",
    ),
)

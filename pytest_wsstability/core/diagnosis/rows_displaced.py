"""Rows for a connection that ends because there is another of its session, whatever it ends with."""

from __future__ import annotations

from dataclasses import replace

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from . import timers
from .rivals import OTHERS_ENDED
from .rows_close import says_little
from .signature import Blamed, Claim, Rival, Signature

MEDIUM, LOW = Confidence.MEDIUM, Confidence.LOW

ROWS = (
    Signature(
        claim=Claim(Cause.SESSION_DUPLICATED, MEDIUM, Blamed.SELF),
        shows="no close frame, or a code that says little, right after another connection of the same "
        "session had opened",
        when=lambda f: (f.cut or says_little(f)) and f.beside.same_session_opened,
        sentence="another connection with the id of this one's session had opened right before it ended: a "
        "{peer} that allows one of each session fits",
        headline="another connection of the same session opened",
        evidence=("end", "session", "last_received"),
        remedy="give each connection an id of its own, or close the old one before the new one",
        rivals=(
            Rival(
                Cause.MAX_AGE,
                "the age is a known limit, or a number that people write",
                lambda f: timers.is_number(f.age, f.tier, CountsFrom.AGE),
                "at {age} a limit on the age fits too, before which a client may have opened another",
                LOW,
            ),
            Rival(
                Cause.IDLE_TIMEOUT,
                "nothing had come or gone for longer than before, for as long as timers are",
                lambda f: f.longest_quiet and timers.is_number(f.silence, f.tier, CountsFrom.IDLE),
                "after {idle} without a byte an idle timeout fits too, before which a client may have opened "
                "another",
                LOW,
            ),
            replace(OTHERS_ENDED, leaves=LOW),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (aws-mqtt-websockets 22)",
    ),
    Signature(
        claim=Claim(Cause.SESSION_DUPLICATED, MEDIUM, Blamed.SELF),
        shows="no close frame, or a code that says little, in answer to the session's first message, while "
        "another connection of the same session is open",
        when=lambda f: (
            (f.cut or (says_little(f) and f.code != 1011))
            and f.answers_session
            and f.beside.same_session_open
        ),
        sentence="it ended in answer to the session's first message, while an older connection with this "
        "session's id is open: a {peer} that allows one of each session fits",
        headline="an older connection of the same session is open",
        evidence=("session", "end", "last_received"),
        remedy="close the old connection before the new one, or let the server drop the older of the two "
        "(one whose path is dead stays open there until a keepalive notices)",
        rivals=(Rival(Cause.HANDLER_ERROR, "a handler may have failed on it", lambda f: True),),
        runner_up=Cause.SESSION_NOT_CONFIRMED,
        source="reports (ocpp-go 314 and 358)",
    ),
)

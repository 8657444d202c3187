"""Rows for close codes. The code alone is a poor witness: a ping timeout was seen as six of them."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.events import End
from . import rivals, timers
from .features import Features
from .signature import Blamed, Signature

HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM

_POLICY = (1008, 3000, 3003, 4401, 4403)
_CREDENTIALS = ("token", "jwt", "credential", "unauth", "authenti", "authoriz", "login")
_SHUTDOWN = ("shutting down", "shutdown", "restart", "redeploy", "maintenance")


def of_credentials(f: Features) -> bool:
    """Whether the close code or its reason says that credentials ran out or do not suffice."""
    return f.code in (3000, 3003, 4401, 4403) or any(word in f.reason for word in _CREDENTIALS)


def _shuts_down(f: Features) -> bool:
    return f.code == 1012 or (f.code is not None and any(word in f.reason for word in _SHUTDOWN))


def _idle_in_disguise(f: Features) -> bool:
    """Whether a close without a fault came after the longest silence, of a length that timers have."""
    fits = timers.known(f.silence, f.tier, CountsFrom.IDLE) or timers.is_round(f.silence, f.tier)
    return f.code in (1000, 1001, 1005) and f.longest_quiet and f.silence >= 5.0 and bool(fits)


ROWS = (
    Signature(
        cause=Cause.AUTH_EXPIRED,
        shows="1008, 3000, 3003, 4401 or 4403 was received, or a reason that names a token",
        when=lambda f: f.code in _POLICY or (f.code is not None and of_credentials(f)),
        confidence=HIGH,
        sentence="the {peer} closed for a policy, at an age of {age}: {code}",
        headline="policy: {code_short}",
        blame=Blamed.PEER,
        evidence=("end", "last_sent"),
        remedy="renew the token before it expires (this one lived {age}), or allow the client what it does",
        runner_up=Cause.CLOSED_BY_PEER,
        source="RFC 6455, section 7.4.1",
    ),
    Signature(
        cause=Cause.SESSION_DUPLICATED,
        shows="4409 was received",
        when=lambda f: f.code == 4409,
        confidence=HIGH,
        sentence="the {peer} has this session already: {code}",
        headline="the session exists already (4409)",
        blame=Blamed.SELF,
        evidence=("end",),
        remedy="close the old connection before the new one, or let the server drop the older of the two",
        source="documentation (graphql-ws, Discord)",
    ),
    Signature(
        cause=Cause.SESSION_NOT_CONFIRMED,
        shows="4408 was received, or a close before the session was confirmed whose reason names a timeout",
        when=lambda f: f.code == 4408,
        confidence=HIGH,
        sentence="the {peer} waited in vain for the session to be set up: {code}",
        headline="the session was not set up in time (4408)",
        blame=Blamed.SELF,
        evidence=("end", "session"),
        remedy="send the session's first message right after the opening",
        source="source of graphql-ws",
    ),
    Signature(
        cause=Cause.OVERLOADED,
        shows="1013 or 4429 was received",
        when=lambda f: f.code in (1013, 4429),
        confidence=HIGH,
        sentence="the {peer} sheds load: {code}",
        headline="the {peer} sheds load ({code_short})",
        blame=Blamed.PEER,
        evidence=("end",),
        remedy="come back later and with jitter; raise the {peer}'s limit on connections",
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
    Signature(
        cause=Cause.UPSTREAM_FAILED,
        shows="1014 was received",
        when=lambda f: f.code == 1014,
        confidence=HIGH,
        sentence="a gateway lost its own connection to the server: {code}",
        headline="a gateway lost its upstream (1014)",
        blame=Blamed.PATH,
        evidence=("end",),
        remedy="look at the gateway's log, and at the server behind it",
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
    Signature(
        cause=Cause.RESTART,
        shows="1012 was received, or a reason that names a restart or shutdown",
        when=_shuts_down,
        confidence=HIGH,
        sentence="the {peer} restarts: {code}",
        headline="the {peer} restarts ({code_short})",
        blame=Blamed.PEER,
        evidence=("end", "together"),
        remedy="drain before a restart, and reconnect with jitter",
        runner_up=Cause.PLANNED_ROTATION,
        source="uvicorn sends it at shutdown (measured)",
    ),
    Signature(
        cause=Cause.RESTART,
        shows="1000, 1001, 1005 or 1011 was received, and other connections ended within 2 s, at other ages "
        "and after other silences",
        when=lambda f: f.code in (1000, 1001, 1005, 1011) and f.ended_for_one_reason and f.end is End.CLIENT,
        confidence=HIGH,
        sentence="{together} other connections ended within 2 s, this one with {code}: a restart or a "
        "deployment",
        headline="restart: {together} more ended within 2 s",
        blame=Blamed.PEER,
        evidence=("together", "end"),
        remedy="drain before a restart, and reconnect with jitter",
        runner_up=Cause.PLANNED_ROTATION,
        source="measured",
    ),
    Signature(
        cause=Cause.PEER_LEFT,
        shows="the server's record: the client sent 1001 (a page left)",
        when=lambda f: f.code == 1001 and f.end is End.SERVER,
        confidence=HIGH,
        sentence="the client went away: {code}",
        headline="the client went away (1001)",
        blame=Blamed.PEER,
        evidence=("end",),
        remedy="a browser sends 1001 when its page is left or reloaded: keep the page open",
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
    Signature(
        cause=Cause.HANDLER_ERROR,
        shows="1011 was received, without the words of a keepalive",
        when=lambda f: f.code == 1011,
        confidence=HIGH,
        sentence="the {peer}'s handler failed: {code}",
        headline="the {peer}'s handler failed (1011)",
        blame=Blamed.PEER,
        evidence=("end", "last_sent"),
        remedy="see the {peer}'s traceback; {after_sending}",
        runner_up=Cause.PEER_FROZEN,
        source="measured with websockets",
    ),
    Signature(
        cause=Cause.IDLE_AS_NORMAL,
        shows="1000, 1001 or 1005 was received after the longest silence, of a length that timers have",
        when=_idle_in_disguise,
        confidence=MEDIUM,
        sentence="the {peer} closed with {code} after {idle} without a byte either way: an idle timeout "
        "in the form of a normal close fits",
        headline="{code_short} after {idle} of silence: idle timeout?",
        blame=Blamed.PEER,
        evidence=("end", "silences"),
        remedy="send something more often than every {half_idle}",
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (Helius, Phoenix)",
    ),
    Signature(
        cause=Cause.RESTART,
        shows="1001 was received",
        when=lambda f: f.code == 1001,
        confidence=MEDIUM,
        sentence="the {peer} went away, as servers do that shut down or restart: {code}",
        headline="the {peer} went away (1001): shutdown or restart",
        blame=Blamed.PEER,
        evidence=("end", "together"),
        remedy="drain before a restart, and reconnect with jitter",
        runner_up=Cause.PLANNED_ROTATION,
        source="websockets and Caddy send it at shutdown (measured)",
    ),
    Signature(
        cause=Cause.CLOSED_BY_PEER,
        shows="any other close code was received",
        when=lambda f: f.code is not None,
        confidence=MEDIUM,
        rivals=(rivals.TOKEN,),
        sentence="the {peer} ended the connection on purpose: {code}",
        headline="closed by the {peer} on purpose ({code_short})",
        blame=Blamed.PEER,
        evidence=("end", "last_sent"),
        remedy="see why the {peer} closes: its function returned, or its own rules say so",
        runner_up=Cause.IDLE_AS_NORMAL,
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
)

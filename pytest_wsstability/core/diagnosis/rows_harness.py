"""Rows for what the test process did to itself, and for ends that somebody planned."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..judge.verdict import Reason, Rule
from ..timeline.close import LocalReason
from ..timeline.events import End, FaultName
from .features import Features
from .protocol import announced
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW


# Reasons that say more than that this end closed, whatever code it sent.
_REASONS = frozenset({
    LocalReason.READ_DEADLINE, LocalReason.PING_TIMEOUT, LocalReason.HANDLER_RAISED, LocalReason.NO_ANSWER,
    LocalReason.UNFINISHED_MESSAGE, LocalReason.FAULT, LocalReason.GOODBYE, LocalReason.PROTOCOL_TIMER,
})  # fmt: skip


# Faults of what is said, behind which a close frame is answered all the same; and those that make all late,
# so that an answer can be missing only where this end gave up waiting.
_OF_MESSAGES = frozenset({
    FaultName.SLICER, FaultName.WITHHOLD_PONGS, FaultName.WITHHOLD_HEARTBEATS, FaultName.LATE_HEARTBEATS,
    FaultName.LATE_ANSWERS, FaultName.WRONG_IDS, FaultName.DUPLICATE_ANSWERS, FaultName.NEVER_CONFIRM,
    FaultName.LATE_CONFIRM, FaultName.WRONG_SESSION, FaultName.DUPLICATE_CONFIRM, FaultName.REFUSE_SESSION,
    FaultName.REFUSE_RESUME, FaultName.SEND_NOTICE, FaultName.SEND_ERROR,
})  # fmt: skip
_OF_TIME = frozenset({FaultName.LATENCY, FaultName.BANDWIDTH, FaultName.STALL})


def _own_close(f: Features) -> bool:
    """Whether this end closed because its user asked for it, and for no reason of its own."""
    close = f.close
    if close is None or close.planned:
        return close is not None
    return f.sent_code in (1000, 1001) and close.local_reason not in _REASONS and not close.parser_error


def _unanswered(f: Features) -> bool:
    """Whether the peer broke a promise about the end: it did not answer the close frame of this end."""
    close = f.close
    asked = close is not None and close.sent is not None and close.received is None
    return asked and not f.broken.isdisjoint({Rule.CLOSED, Rule.CLOSURE}) and _own_close(f)


def _gave_up(f: Features) -> bool:
    return f.close is not None and f.close.local_reason is LocalReason.CLOSE_TIMEOUT


def _may_miss_the_answer(f: Features) -> bool:
    """Whether a fault of the test may be why a close frame was not answered."""
    return bool(f.faults - _OF_MESSAGES - (frozenset() if _gave_up(f) else _OF_TIME))


def _reads_nothing(f: Features) -> bool:
    """Whether this end was told to read nothing."""
    return f.timeline.deliberately_stalled and f.timeline.paused_total + f.paused_for > 0


def _is_frozen(f: Features) -> bool:
    """Whether this end is a server that the test has frozen, and that is so still."""
    return f.end is End.SERVER and f.timeline.frozen and not f.ended


ROWS = (
    Signature(
        claim=Claim(Cause.MACHINE_SLEPT, HIGH, Blamed.HARNESS),
        shows="the machine slept in the two minutes before the end (boot clock against running clock)",
        when=lambda f: Reason.SUSPENDED in f.harness,
        sentence="the machine slept for {slept}: the result says nothing about the server",
        headline="the machine slept for {slept}",
        evidence=("end", "slept"),
        remedy="run the test on a machine that does not sleep",
        runner_up=Cause.HARNESS_BLOCKED,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.HARNESS_BLOCKED, HIGH, Blamed.HARNESS),
        shows="the test's event loop stood still for 1 s, or half the time that an answer has, before "
        "the end",
        when=lambda f: Reason.LOOP_LAG in f.harness,
        sentence="the test's own event loop stood still for {lag}, so pings and answers were late: the "
        "result says nothing about the server",
        headline="the test's own event loop stood still for {lag}",
        evidence=("end", "lag"),
        remedy="run blocking calls in a thread (asyncio.to_thread), or the test on a quieter machine",
        runner_up=Cause.PING_UNANSWERED,
        source="measured: 4 s of a blocked loop",
    ),
    Signature(
        claim=Claim(Cause.HARNESS_NOT_READING, HIGH, Blamed.HARNESS),
        shows="reading was paused before the end, because messages were not taken",
        when=lambda f: Reason.READING_PAUSED in f.harness and not f.timeline.deliberately_stalled,
        sentence="the test did not take its messages, so reading was paused, and pings behind them were "
        "not answered: the result says nothing about the server",
        headline="messages were not taken, so reading was paused",
        evidence=("end", "paused"),
        remedy="take messages with recv(), or pass inbox=0 to throw them away",
        runner_up=Cause.PING_UNANSWERED,
        source="measured: more than 16 unread frames",
    ),
    Signature(
        claim=Claim(Cause.HARNESS_NOT_READING, HIGH, Blamed.SELF),
        shows='this end reads nothing on purpose (client="stalled"), and the connection ended',
        when=lambda f: _reads_nothing(f) and f.ended,
        sentence="the {end} reads nothing, as it was told to, and the {peer} ended the connection: "
        "pings behind unread messages were not answered",
        headline='the {end} reads nothing (client="stalled")',
        evidence=("end", "paused"),
        remedy='expected of client="stalled" where the server has a keepalive; else let the client read',
        runner_up=Cause.PING_UNANSWERED,
        source="design",
    ),
    Signature(
        claim=Claim(Cause.HARNESS_NOT_READING, HIGH, Blamed.SELF),
        shows='this end reads nothing on purpose (client="stalled", faults.StopReading), and what is due of '
        "the peer may wait unread",
        when=_reads_nothing,
        sentence="the {end} reads nothing, as it was told to: what the {peer} sent since waits unread",
        headline="the {end} reads nothing, as it was told to",
        evidence=("paused",),
        remedy="judge the {peer} at its own end, or let the {end} read",
        source="design",
    ),
    Signature(
        claim=Claim(Cause.INJECTED_FAULT, HIGH, Blamed.NOBODY),
        shows="at the server: faults.FreezeLoop was applied, and is not over",
        when=_is_frozen,
        sentence="the test froze the server, which has read nothing for {rx}: what the {peer} sent since "
        "waits",
        headline="the server is frozen (faults.FreezeLoop)",
        evidence=("last_received",),
        remedy="judge the {peer} by what it does then (assert_notices_loss, assert_reconnects), or hold it "
        "before or after",
        source="design",
    ),
    Signature(
        claim=Claim(Cause.PLANNED_ROTATION, HIGH, Blamed.NOBODY),
        shows="the peer gave notice (the profile's `notice`: go away, disconnect, server restart) "
        "at most two minutes before the end, and its close frame says no other reason",
        when=announced,
        sentence="the {peer} gave notice {noticed} before the end: a planned rotation",
        headline="planned rotation, announced {noticed} before",
        evidence=("notice", "end"),
        remedy="test that the client resumes: the end itself was announced (max_age_ok= allows it)",
        runner_up=Cause.RESTART,
        source="documentation of the protocols",
    ),
    Signature(
        claim=Claim(Cause.INJECTED_FAULT, MEDIUM, Blamed.NOBODY),
        shows="a promise about the end is broken: this end closed, its close frame was not answered, and the "
        "test had applied a fault that was not healed, and is not one of messages alone; one that makes all "
        "late only where this end gave up waiting",
        when=lambda f: _unanswered(f) and _may_miss_the_answer(f),
        sentence="the {end} closed the connection, and its close frame was not answered, behind a fault that "
        "the test had applied",
        headline="the close frame of the {end} was not answered, behind a fault of the test",
        evidence=("end", "last_received"),
        proved=True,
        remedy="close the connection before the fault, or after it is healed, or expect another end of it",
        source="design",
    ),
    Signature(
        claim=Claim(Cause.CLOSED_HERE, MEDIUM, Blamed.PEER),
        shows="a promise about the end is broken: this end closed, and its close frame was not answered",
        when=_unanswered,
        sentence="the {end} closed the connection, and the {peer} did not answer its close frame "
        "(RFC 6455, section 5.5.1)",
        headline="the {peer} did not answer the close frame of the {end}",
        evidence=("end", "last_received"),
        proved=True,
        remedy="let the {peer} read to the end, and answer a close frame with one before it ends the stream; "
        "look for a proxy that cuts there",
        rivals=(
            Rival(
                Cause.HALF_OPEN,
                "nothing came until this end gave up waiting, and nothing had answered before either, or "
                "the kernel had sent again in vain",
                lambda f: _gave_up(f) and (f.asked_since is not None or f.network_dead),
                "nothing answered the {end} before that either, so a dead path fits as well",
                LOW,
            ),
            Rival(
                Cause.HALF_OPEN,
                "nothing came until this end gave up waiting",
                _gave_up,
                "nothing came until the {end} gave up waiting, so a dead path fits too",
            ),
        ),
        source="reports (vert.x 2486, jetty 11088)",
    ),
    Signature(
        claim=Claim(Cause.CLOSED_HERE, HIGH, Blamed.NOBODY),
        shows="this end's user, or its code, closed the connection",
        when=_own_close,
        sentence="the {end} closed the connection itself",
        headline="closed by the {end}",
        evidence=("end",),
        remedy="hold the connection open for as long as the requirement says",
        source="design",
    ),
    Signature(
        claim=Claim(Cause.INJECTED_FAULT, HIGH, Blamed.NOBODY),
        shows="a fault proxy or orchestrator of the test says that it ended the connection",
        when=lambda f: f.injected is not None,
        sentence="the test injected it: {injected}",
        headline="injected fault {injected}",
        evidence=("end", "silences"),
        proved=True,
        remedy="{injected_advice}allow this end in the requirement, or look at how the client comes back",
        source="design",
    ),
)

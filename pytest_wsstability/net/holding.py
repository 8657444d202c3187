"""Hold a connection to a requirement: wake when something may be broken, and not once more."""

from __future__ import annotations

import asyncio
import dataclasses

from ..core.diagnosis.extract import extract
from ..core.judge.heartbeat_rules import peer_beats
from ..core.judge.hold_checks import HoldChecks, due_by_itself
from ..core.judge.progress import goes_on
from ..core.judge.proof import asks_proof, needs_proof
from ..core.judge.requirement import PROOF_TIMEOUT, Requirement
from ..core.judge.rules import judge
from ..core.judge.verdict import Note, Noted, Verdict
from ..core.timeline.close import TransportEnd
from ..core.timeline.timeline import Timeline
from .health import ask_until, check_clock
from .websocket import WebSocket

# After a connection is over, seconds in which its transport may end too, so that how it did is known.
SETTLED = 0.05
# Seconds that the other end of a connection has to notice that it is over.
KNOWN_LATE = 1.0
# Seconds that a session has for its confirmation where nobody says how many.
SESSION_WITHIN = 10.0
# Turns of the loop that a server on it needs to see an end, and to log what its handler raised: websockets
# 17.4 needs three after the end of the stream.
_TURNS = 8
_SAME = 1e-9


async def hold_open(websocket: WebSocket, requirement: Requirement) -> Verdict:
    """
    Watch a connection until the requirement is met, broken, or can't be judged any more.

    Time alone breaks promises (a heartbeat that stays unanswered), and so do the end of the connection, an
    error message and what is wrong with the session or the protocol; nothing else has to wake the watcher.
    Heartbeats that are judged and open when the hold is over are waited for. Where they tell that the peer is
    there, none begins then; any other hold ends with a proof of life, and so does one at whose end the peer
    was silent (see `needs_proof`).

    """
    timeline = websocket.timeline
    assert timeline is not None
    _forget_failed_proof(websocket, timeline)
    rest_from = start_hold(websocket, requirement)
    try:
        return _with_spins(await _watch(websocket, requirement, timeline), websocket.loop, timeline)
    finally:
        if rest_from is not None:
            websocket.messages.end_hold(rest_from)


def start_hold(websocket: WebSocket, requirement: Requirement) -> float | None:
    """
    From now on no heartbeat begins that the hold would not see answered, where it judges them.

    One that is due before the hold has its last answer goes out then: a longer hold may count it.

    Where it does not judge them, they go on while it waits for a proof of life: a later hold counts them, and
    the answer to one is a sign of life too.

    Returns:
        The reading of the loop's clock from which heartbeats rest; None where they do not.

    Raises:
        RuntimeError: if the loop's clock does not go by itself.

    """
    timeline = websocket.timeline
    assert timeline is not None
    if requirement.alive_for is None:
        return None
    check_clock(websocket.loop)
    until = timeline.opened + requirement.alive_for
    ask_until(websocket.loop, until)
    if asks_proof(requirement, timeline):
        return None
    websocket.messages.begin_hold(until)
    return until


def _forget_failed_proof(websocket: WebSocket, timeline: Timeline) -> None:
    """A proof of life that did not come in its time is the matter of the hold that asked for it."""
    asked, now = timeline.proof_asked_at, websocket.loop.time() - timeline.opened
    failed = asked is not None and timeline.proof_at is None and now >= asked + PROOF_TIMEOUT - _SAME
    if failed and timeline.close is None:
        timeline.forget_proof()


def look_again(websocket: WebSocket, checks: HoldChecks) -> float | None:
    """
    When to look at a connection next, as the loop's clock has it.

    For those who hold many without a coroutine for each. None: something is to be judged now, by `hold_open`.

    """
    timeline = websocket.timeline
    assert timeline is not None
    timeline.observe(websocket.loop.time())
    if not goes_on(checks.requirement, timeline) or checks.is_broken(timeline):
        return None
    at = checks.next_check(timeline)
    return None if at is None else timeline.opened + at


def _with_spins(verdict: Verdict, loop: asyncio.AbstractEventLoop, timeline: Timeline) -> Verdict:
    """The verdict, with the instants at which virtual time went on though a task never came to rest."""
    spins = dict.fromkeys(getattr(loop, "spins", ()))
    notes = [
        Note(Noted.SPIN, at - timeline.opened, f"virtual time went on, though {place} spun without a wait")
        for at, place in spins
        if at >= timeline.opened
    ]
    return dataclasses.replace(verdict, notes=(*verdict.notes, *notes)) if notes else verdict


async def _watch(websocket: WebSocket, requirement: Requirement, timeline: Timeline) -> Verdict:
    checks, proof = HoldChecks(requirement), _Proof()
    while True:
        timeline.observe(websocket.loop.time())
        proof.put_down(timeline)
        if timeline.close is not None:
            # The verdict is as good as known. How TCP ends adds to the evidence.
            await websocket.wait_ended(websocket.loop.time() + SETTLED)
            # A server on this loop writes its log when it has seen the end too.
            for _ in range(_TURNS):
                await asyncio.sleep(0)
            proof.put_down(timeline)
            return judge(requirement, timeline)
        if checks.is_broken(timeline):
            verdict = judge(requirement, timeline)
            # The diagnosis asks what the kernel knew at this moment; an end has been recorded with it.
            websocket.ask_kernel()
            return verdict
        over = requirement.alive_for is not None and timeline.duration >= requirement.alive_for - _SAME
        if over and proof.asked_at is None and _wants_proof(requirement, timeline):
            await proof.wait(websocket, requirement)
            continue
        at = checks.next_check(timeline)
        if at is None:
            return await _stalled(websocket, requirement, timeline) if over else judge(requirement, timeline)
        if over:
            # What is waited for may come before it is overdue.
            ask_until(websocket.loop, timeline.opened + at)
            await websocket.wait_bytes(timeline.opened + at)
        elif await websocket.wait_flaw(timeline.opened + at):
            # An end that follows tells more of it.
            await websocket.wait_over(min(timeline.opened + at, websocket.loop.time() + KNOWN_LATE))


def _wants_proof(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether nothing else tells that the peer is there at the end of a hold, and it is not proved yet."""
    proved = timeline.proof_at is not None and _proves(requirement, timeline)
    return not timeline.paused and not proved and needs_proof(requirement, timeline)


def _proves(requirement: Requirement, timeline: Timeline) -> bool:
    """Whether the proof of life in the record, of whatever hold, was asked for after the end of this one."""
    hold, asked = requirement.alive_for or 0.0, timeline.proof_asked_at
    return asked is not None and asked >= hold - _SAME


class _Proof:
    """
    The proof of life of one hold.

    A record has one, that of the hold which looks at it: others may have asked for theirs meanwhile.

    Attributes:
        asked_at: the reading of the loop's clock at the ping; None before it.

    """

    def __init__(self) -> None:
        self.asked_at: float | None = None
        self._came_at: float | None = None

    def put_down(self, timeline: Timeline) -> None:
        """Put it into the record, if it was asked for."""
        if self.asked_at is not None:
            timeline.ask_proof(self.asked_at)
            if self._came_at is not None:
                timeline.prove(self._came_at)

    async def wait(self, websocket: WebSocket, requirement: Requirement) -> None:
        """One ping, and more time if that brings nothing: any byte of the peer will do, or its FIN."""
        timeline = websocket.timeline
        assert timeline is not None
        if not _proves(requirement, timeline):
            websocket.send_proof()
        assert timeline.proof_asked_at is not None
        self.asked_at = timeline.opened + timeline.proof_asked_at
        within, until = requirement.answer_within, self.asked_at + PROOF_TIMEOUT
        # Meanwhile heartbeats rest, and a hold that follows allows each to be late by less than an answer.
        early = until if within is None else min(self.asked_at + within / 2, until)
        try:
            came = await websocket.wait_bytes(early)
            if not came and not websocket.is_over:
                came = await _more_comes(websocket, requirement, until)
        except asyncio.CancelledError:
            timeline.forget_proof()
            raise
        close = timeline.close
        if came or (close is not None and close.transport is TransportEnd.FIN):
            self._came_at = websocket.loop.time()


async def _more_comes(websocket: WebSocket, requirement: Requirement, until: float) -> bool:
    """
    Whether a byte comes that the hold can count on, after a ping that brought none so far.

    Some servers answer no pings, and some paths lose them. A peer that has answered heartbeats answers
    another; one that sends them, or messages that have to keep coming, sends the next one. None is waited for
    on a path of which the kernel knows that it is dead.

    Args:
        websocket: the connection.
        requirement: what it is held to.
        until: the reading of the loop's clock until which the ping may bring one.

    """
    timeline = websocket.timeline
    assert timeline is not None
    due = [until, *(timeline.opened + at for at in due_by_itself(requirement, timeline))]
    if timeline.heartbeats.answered and not peer_beats(timeline):
        websocket.messages.beat()
        due.append(websocket.loop.time() + (requirement.answer_within or PROOF_TIMEOUT))
    if await websocket.wait_bytes(until):
        return True
    timeline.observe(websocket.loop.time())
    websocket.ask_kernel()
    return not extract(timeline).network_dead and await websocket.wait_bytes(max(due))


async def _stalled(websocket: WebSocket, requirement: Requirement, timeline: Timeline) -> Verdict:
    """
    Before a stalled client may pass, see whether the peer is still there.

    While reading is paused neither FIN nor RST can be seen, so read on until a ping is answered: bytes that
    waited unread tell nothing.

    """
    transport = websocket.transport
    if timeline.deliberately_stalled and timeline.paused:
        assert transport is not None
        websocket.end_hidden_since = timeline.paused_since
        # For the record, reading stays paused until there is a sign of life: without one, nothing is known
        # since then.
        transport.resume_reading()
        answered = False
        try:
            pong = websocket.send_ping()
            answered = await websocket.wait_pong(pong, websocket.loop.time() + PROOF_TIMEOUT)
        finally:
            # Whoever is cancelled here leaves it as it was too.
            if answered:
                websocket.end_hidden_since = None
                websocket.resume_reading()
            elif timeline.close is None:
                transport.pause_reading()
    return judge(requirement, timeline)


async def both_over(here: WebSocket, there: WebSocket) -> None:
    """Where one end of a connection is over, wait until both are, or for `KNOWN_LATE` seconds."""
    if here.is_over or there.is_over:
        until = here.loop.time() + KNOWN_LATE
        for end in (here, there):
            await end.wait_over(until)


async def wait_session(websocket: WebSocket, requirement: Requirement) -> Verdict:
    """Wait until the session is confirmed, the time for it is over, or the connection has ended."""
    timeline = websocket.timeline
    assert timeline is not None
    assert requirement.session_within is not None
    check_clock(websocket.loop)
    await websocket.wait_session(timeline.opened + requirement.session_within)
    timeline.observe(websocket.loop.time())
    return judge(requirement, timeline)

"""Hold a connection to a requirement: wake when something may be broken, and not once more."""

from __future__ import annotations

from ..core.judge.requirement import Requirement
from ..core.judge.rules import judge, next_check
from ..core.judge.verdict import Verdict
from ..core.timeline.timeline import Timeline
from .health import ask_until
from .websocket import WebSocket

# Seconds a peer has to answer the ping that ends the hold of a stalled client.
PROOF_TIMEOUT = 5.0
# After a connection is over, seconds in which its transport may end too, so that how it did is known.
SETTLED = 0.05
# Seconds that the other end of a connection has to notice that it is over.
KNOWN_LATE = 1.0


async def hold_open(websocket: WebSocket, requirement: Requirement) -> Verdict:
    """
    Watch a connection until the requirement is met, broken, or can't be judged any more.

    Time alone breaks promises (a heartbeat that stays unanswered), and so does the end of the
    connection; nothing else has to wake the watcher.

    """
    timeline = websocket.timeline
    assert timeline is not None
    if requirement.alive_for is not None:
        ask_until(websocket.loop, timeline.opened + requirement.alive_for)
    while True:
        timeline.observe(websocket.loop.time())
        verdict = judge(requirement, timeline)
        if timeline.close is not None:
            # The verdict is as good as known. How TCP ends adds to the evidence.
            await websocket.wait_ended(websocket.loop.time() + SETTLED)
            return judge(requirement, timeline)
        if verdict.violations:
            # The diagnosis asks what the kernel knew at this moment; an end has been recorded with it.
            websocket.ask_kernel()
            return verdict
        at = next_check(requirement, timeline)
        if at is None or _is_over(requirement, timeline):
            return await _proof_of_life(websocket, requirement)
        await websocket.wait_over(timeline.opened + at)


async def both_over(here: WebSocket, there: WebSocket) -> None:
    """Where one end of a connection is over, wait until both are, or for `KNOWN_LATE` seconds."""
    if here.is_over or there.is_over:
        until = here.loop.time() + KNOWN_LATE
        for end in (here, there):
            await end.wait_over(until)


def _is_over(requirement: Requirement, timeline: Timeline) -> bool:
    return requirement.alive_for is not None and timeline.duration >= requirement.alive_for - 1e-9


async def _proof_of_life(websocket: WebSocket, requirement: Requirement) -> Verdict:
    """
    Before a stalled client may pass, see whether the peer is still there.

    While reading is paused neither FIN nor RST can be seen, so read on until a ping is answered.

    """
    timeline, transport = websocket.timeline, websocket.transport
    assert timeline is not None
    if timeline.deliberately_stalled and timeline.paused and requirement.alive_for is not None:
        assert transport is not None
        websocket.end_hidden_since = timeline.paused_since
        # For the record, reading stays paused until there is a sign of life: without one, nothing is known
        # since then.
        transport.resume_reading()
        pong = websocket.send_ping()
        if await websocket.wait_pong(pong, websocket.loop.time() + PROOF_TIMEOUT):
            websocket.end_hidden_since = None
            websocket.resume_reading()
        elif timeline.close is None:
            transport.pause_reading()
    return judge(requirement, timeline)


async def wait_session(websocket: WebSocket, requirement: Requirement) -> Verdict:
    """Wait until the session is confirmed, the time for it is over, or the connection has ended."""
    timeline = websocket.timeline
    assert timeline is not None
    assert requirement.session_within is not None
    await websocket.wait_session(timeline.opened + requirement.session_within)
    timeline.observe(websocket.loop.time())
    return judge(requirement, timeline)

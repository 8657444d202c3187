"""A client that leaves a channel and joins it again on one connection, as a page does."""

from __future__ import annotations

import asyncio

import pytest
import websockets

from pytest_wsstability import Orchestrator
from pytest_wsstability.core.timeline.events import Direction, Role

pytestmark = pytest.mark.ws_stability(time="virtual")
CABLE = '{{"command":"{}","identifier":"{{\\"channel\\":\\"{}\\"}}"}}'.format
PUSHER = '{{"event":"pusher:{}","data":{{"channel":"{}"}}}}'.format
TOPIC = '["1","{2}","{1}","{0}",{{}}]'.format
# By profile: how a channel is joined, and how it is left.
WAYS = {
    "phoenix": (lambda name: TOPIC("phx_join", name, "1"), lambda name: TOPIC("phx_leave", name, "8")),
    "pusher": (lambda name: PUSHER("subscribe", name), lambda name: PUSHER("unsubscribe", name)),
    "actioncable": (lambda name: CABLE("subscribe", name), lambda name: CABLE("unsubscribe", name)),
    "socketio": (lambda name: "40", lambda name: "41"),
}


async def said(profile, *steps):
    """What a server makes of a client that joins (``+a``) and leaves (``-a``), and is cut off."""
    join, leave = WAYS[profile]
    async with Orchestrator(profile=profile, read_deadline=None, ping_interval=None) as orchestrator:
        names = ["actioncable-v1-json"] if profile == "actioncable" else None
        async with websockets.connect(orchestrator.url, subprotocols=names) as client:
            for step in steps:
                await asyncio.sleep(1)
                await client.send((join if step[0] == "+" else leave)(step[1:]))
            await asyncio.sleep(1)
            client.transport.abort()
            await asyncio.sleep(1)
        (attempt,) = orchestrator.attempts
        return attempt


def flaws(attempt):
    """What was wrong with its session."""
    return [each.flaw.value for each in attempt.timeline.irregular]


@pytest.mark.parametrize("profile", WAYS)
async def test_it_may_join_again(profile):
    """It begins its session anew; and is to come back, which it need not while it has left."""
    left, back = await said(profile, "+a", "-a"), await said(profile, "+a", "-a", "+a")

    assert flaws(left) == flaws(back) == []
    assert left.said_goodbye
    assert not back.said_goodbye
    confirmed = [each for each in back.timeline if each.role is Role.SESSION_CONFIRMED]
    assert [each.direction for each in confirmed] == [Direction.SENT] * 2


@pytest.mark.parametrize("profile", WAYS)
@pytest.mark.parametrize("steps", [("+a", "+a"), ("+a", "-a", "+a", "+a")])
async def test_it_may_not_join_twice(profile, steps):
    """Without leaving in between."""
    assert flaws(await said(profile, *steps)) == ["session_info twice"]


@pytest.mark.parametrize("profile", ["phoenix", "pusher", "actioncable"])
@pytest.mark.parametrize(
    ("steps", "gone"),
    [
        (("+a", "+b", "-a"), False),
        (("+a", "+b", "-b"), False),
        (("+a", "+b", "-a", "+a"), False),
        (("+a", "-a", "+b"), False),
        (("+a", "+b", "-a", "-b"), True),
        # It was in none of that name.
        (("+a", "-b"), False),
    ],
)
async def test_who_stays_in_another_has_not_gone(profile, steps, gone):
    """A client has gone with the last of its channels."""
    attempt = await said(profile, *steps)

    assert flaws(attempt) == []
    assert attempt.said_goodbye is gone

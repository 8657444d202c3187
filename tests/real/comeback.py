"""How clients on node come back, in real time with their own timers; see tests/protocols/comeback.py."""

from __future__ import annotations

import asyncio
import itertools
import math
from dataclasses import dataclass, field
from functools import partial

from pytest_wsstability import Orchestrator, faults
from tests.protocols.comeback import BRIEFLY, ENDS, Client
from tests.real import nodes
from tests.test_write_your_own_page import steps

# A client that has not come back after so many seconds does not: the longest wait below is 12 s.
NEVER = 20.0
# For how long refused attempts are watched.
REFUSED = 45.0
# How long a session has lasted when it is ended.
OLD = 0.7


def _client(name, profile, *claims, program=None, **notes):
    opened = partial(_opened, program or profile)
    return Client(name, profile, opened, *claims, **notes)


def _opened(program, orchestrator):
    return nodes.client(program, orchestrator.url, "own")


CLIENTS = [
    _client(
        "socket.io-client 4.8", "socketio", (0.5, 1.5), ((0.5, 1.5), (1, 3), (2, 5), (4, 5)), (1, 1),
        note="a close before the packet 0 is noticed after 20 s only",
    ),
    _client(
        "graphql-ws 6.4", "graphql-transport-ws", (1.3, 4), ((1.3, 4),), (1, 4),
        others={"1000": (0, 0), "1011": None},
        note="reads codes; gives up at the first refused upgrade, and after 5 attempts that fail",
    ),
    _client(
        "phoenix 1.8", "phoenix", (0.01, 0.01), ((0.01, 0.01), (0.05, 0.05), (0.1, 0.1)), (10, math.inf),
        note="at once and without end, where the server closes each connection",
    ),
    _client(
        "@microsoft/signalr 10.0", "signalr", (0, 0), ((0, 0), (2, 2), (10, 10)), (1, 3),
        note="gives up after the fourth attempt that fails, 30 s after the third",
    ),
    _client("@stomp/stompjs 7.5", "stomp", (5, 5), ((5, 5), (5, 5), (5, 5)), (1, 2), note="no jitter"),
    _client("mqtt 5.16", "mqtt", (1, 1), ((1, 1), (1, 1), (1, 1)), (3, 10), note="no jitter, no growth"),
    _client(
        "@rails/actioncable 8.1", "actioncable", (6, 12), ((6, 12), (6.9, 8), (7.9, 9.2)), (0, 2),
        note="when its monitor looks at the connection next",
    ),
    _client(
        "pusher-js 8.6", "pusher", (1, 1), ((1, 1), (15, 15)), (3, 10), others={"4001": None},
        note="reads codes: 4001 to 4099 and those from 4300 on end it for good",
    ),
    _client(
        "autobahn 22.11 (npm)", "wamp", (1, 3), ((1, 3), (1.5, 5), (3, 9)), (2, 9),
        note="no growth where a connection opened",
    ),
    _client(
        "jssip 3.13", steps("SIP over WebSocket")[-1], (2, 2), ((2, 2), (2, 4), (2, 8)), (2, 5),
        program="sip", note="no growth where a connection opened",
    ),
]  # fmt: skip


@dataclass
class Found:
    """What one client did."""

    # Seconds from each end to the next attempt; None where none came.
    after: dict[str, float | None] = field(default_factory=dict)
    # Seconds before each refused attempt.
    refused: list[float] = field(default_factory=list)
    # Attempts where each connection is closed at once.
    at_once: int = 0


def measured() -> dict[str, Found]:
    """Many of them at once: they wait for the most part."""

    async def everything():
        found = {client.name: Found() for client in CLIENTS}
        await asyncio.gather(
            *(play(each, found[each.name]) for play in (_ends, _refusals) for each in CLIENTS)
        )
        # Those that make storms want the machine for themselves.
        await asyncio.gather(*(_closures(each, found[each.name]) for each in CLIENTS))
        return found

    return asyncio.run(everything())


async def _established(orchestrator: Orchestrator, client: Client):
    """The open connection, when its session has lasted for a moment."""

    def ready():
        connection = orchestrator.sessions[-1].connections[-1] if orchestrator.sessions else None
        if connection is None or connection.timeline.close is not None:
            return False
        has_session = connection.websocket.profile.has_session
        return not has_session or connection.timeline.session_confirmed_at is not None

    await nodes.until(ready)
    await asyncio.sleep(OLD)
    return orchestrator.sessions[-1].connections[-1].websocket


def _end(websocket, end: str) -> float:
    """End it, and say when: the client's wait is not shorter than what is measured from here."""
    if end.isdigit():
        websocket.start_close(int(end))
    else:
        websocket.transport.abort()
    return websocket.loop.time()


async def _ends(client: Client, found: Found) -> None:
    # What it does not come back from ends its series.
    order = sorted(ENDS, key=lambda end: end in client.others and client.others[end] is None)
    async with Orchestrator(profile=client.profile) as orchestrator, client.open(orchestrator):
        for end in order:
            websocket = await _established(orchestrator, client)
            before = len(orchestrator.attempts)
            ended = _end(websocket, end)
            found.after[end] = None
            try:
                await nodes.until(lambda before=before: len(orchestrator.attempts) > before, NEVER)
            except TimeoutError:
                return
            found.after[end] = orchestrator.attempts[before].at - ended


async def _attempts(client: Client, then: faults.Fault, seconds: float) -> list[float]:
    async with Orchestrator(profile=client.profile) as orchestrator, client.open(orchestrator):
        websocket = await _established(orchestrator, client)
        orchestrator.misbehave([then])
        ended = _end(websocket, "1012")
        await asyncio.sleep(seconds)
        instants = [ended, *(each.at for each in orchestrator.attempts[1:])]
        return [at - before for before, at in itertools.pairwise(instants)]


async def _refusals(client: Client, found: Found) -> None:
    found.refused = await _attempts(client, faults.RefuseUpgrade(503, retry_after=7), REFUSED)


async def _closures(client: Client, found: Found) -> None:
    found.at_once = len(await _attempts(client, faults.AcceptThenClose(1013), BRIEFLY))

"""
A hold over a path that loses packets, in a network namespace that this process has to itself.

``python -m tests.real.lossy_path WITHIN WAYS WHAT``: a server answers heartbeats and pings on loopback; three
seconds on, what nft is to drop of the packets to it ("dport"), or of those and its own ("dport sport"), is
dropped, or ``freeze`` stops the server instead. The hold ends with the first heartbeat that is not answered
in time. What is said of it is printed, in JSON.

"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys

from pytest_wsstability import Connection, Requirement, connect
from pytest_wsstability.core.diagnosis import Diagnosis, diagnose
from pytest_wsstability.net.holding import hold_open
from tests.real.profiles import BEATS
from tests.real.servers import APPS, Running, guarded, tool
from tests.real.traffic import pings

FREEZE = "freeze"
# Counted from the opening: calm before, so that what comes after is the rule's.
ACT_AT = 3.0
# Dropped as it arrives: the kernel tells the sender of what is dropped as it leaves.
CHAIN = "add table inet loss; add chain inet loss arrives { type filter hook input priority 0; }"
DROP = "add rule inet loss arrives tcp {way} {port} {what} drop"


async def held(server: Running, within: str, ways: str, what: str) -> dict[str, object]:
    """What is said of one hold, during which something happens."""
    connection = await connect(server.url(), profile=BEATS, heartbeat="500ms", inbox=0)
    tasks = [
        asyncio.ensure_future(pings(0.5)(connection)),
        asyncio.ensure_future(_act(server, ways, what)),
    ]
    try:
        wanted = Requirement.of(alive_for="40s", heartbeat_every="500ms", heartbeat_within=within)
        verdict = await hold_open(connection.websocket, wanted)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    found = diagnose(connection.timeline, verdict=verdict)
    connection.websocket.let_go()
    return _said(connection, verdict.outcome.value, found)


async def _act(server: Running, ways: str, what: str) -> None:
    await asyncio.sleep(ACT_AT)
    if what == FREEZE:
        server.signal(signal.SIGSTOP)
    else:
        rules = [CHAIN, *(DROP.format(way=way, port=server.port, what=what) for way in ways.split())]
        await asyncio.to_thread(subprocess.run, [tool("nft") or "nft", "; ".join(rules)], check=True)


def _said(connection: Connection, outcome: str, found: Diagnosis) -> dict[str, object]:
    return {
        "outcome": outcome,
        "cause": found.cause.name,
        "confidence": found.confidence.value,
        "beside": [each.name for each in found.alternatives],
        "sent_again": max((look.retransmits for look in connection.timeline.tcp), default=0),
    }


def main() -> None:
    subprocess.run([tool("ip") or "ip", "link", "set", "lo", "up"], check=True)
    within, ways, what = sys.argv[1:]
    with guarded("backend", sys.executable, str(APPS / "backend.py")) as server:
        print(json.dumps(asyncio.run(held(server, within, ways, what))))


if __name__ == "__main__":
    main()

"""One story told over each carrier of link faults: the virtual network's own, and a proxy in either time."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pytest_wsstability import FaultProxy, Orchestrator, run_virtual
from pytest_wsstability.core.faults import AppliedFault, Program
from pytest_wsstability.net.proxy.injector import FaultInjector
from tests.net.peers import opened

LINK, PROXY, REAL = "virtual link", "proxy in virtual time", "proxy in real time"


@asynccontextmanager
async def way(carrier, url, program):
    """A URL that leads to the given one over faults, and the list of faults that were applied."""
    if carrier is not LINK:
        async with FaultProxy(url, faults=program) as proxy:
            yield proxy.url, proxy.applied, proxy
        return
    injector = FaultInjector(program)
    parts = urlsplit(url)
    asyncio.get_running_loop().link_connections((parts.hostname, parts.port), injector)
    try:
        yield url, injector.applied, injector
    finally:
        injector.close()


@dataclass
class End:
    """How one end saw the connection end; None where it did not."""

    code: int | None
    how: str | None
    mid_frame: bool
    at: float | None

    @classmethod
    def of(cls, timeline):
        close = timeline.close
        if close is None:
            return cls(None, None, False, None)
        return cls(close.code, close.transport.name, close.mid_frame, close.at)


@dataclass
class Story:
    """What came of it."""

    client: End
    server: End
    applied: list[AppliedFault]
    slowest: float | None
    # How late the loop was at the worst, which on a busy machine may be a story of its own.
    lag: float


async def tell(carrier, program, *, unit=1.0, heartbeat=0.3, hold=1.2, server=None):
    """Hold a connection to an orchestrator that pings, and drops who does not answer."""
    keywords = {"ping_interval": 0.25 * unit, "read_deadline": 0.41 * unit, **(server or {})}
    orchestrator = Orchestrator(**keywords)
    program = Program.of(program)
    async with (
        orchestrator,
        way(carrier, orchestrator.url, program) as (url, applied, _),
        opened(url, heartbeat=heartbeat * unit) as connection,
    ):
        loop = asyncio.get_running_loop()
        until = connection.timeline.opened + hold * unit
        await connection.websocket.wait_ended(until)
        # The other end may see it later, and an end that nobody tells does not end at all.
        (session,) = orchestrator.sessions
        await session.connections[0].websocket.wait_ended(until)
        await asyncio.sleep(max(0.0, until - loop.time()))
        rtts = connection.timeline.heartbeats.rtts
        slowest = rtts.maximum if rtts.count else None
        lag = connection.timeline.max_lag
        return Story(End.of(connection.timeline), End.of(session.timeline), list(applied), slowest, lag)


def told(carrier, program, **options):
    """The story, in the time of its carrier."""
    if carrier is REAL:
        return asyncio.run(tell(carrier, program, **options))
    return run_virtual(tell(carrier, program, **options))

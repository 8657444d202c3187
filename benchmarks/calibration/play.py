"""A system played in virtual time: what each client's end recorded, and what was done to it."""

from __future__ import annotations

import asyncio
import math
import random
import struct
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from pytest_wsstability import FaultProxy, Requirement, connect, faults, run_virtual
from pytest_wsstability.core.judge.verdict import Verdict
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.timeline.timeline import Timeline
from pytest_wsstability.net.connection import Connection
from pytest_wsstability.net.holding import hold_open
from pytest_wsstability.profiles import JSON, Profile

from .peer import Host
from .systems import Client, Path, System

# struct tcp_info of linux/tcp.h: state, retransmits, probes, backoff, unacked, last_ack_recv (ms), rtt (us).
_TCP_INFO = struct.Struct("=BxBBB3x16xI28xI8xI")
_ESTABLISHED = 1
# A gateway that gives notice.
_GATEWAY = Profile(
    name="gateway",
    greeting={"type": "connection_established"},
    session_info={"type": "session_info", "session_id": "{session_id}"},
    session_confirmed={"type": "session_confirmed", "session_id": "{session_id}"},
    ping={"type": "ping"},
    pong={"type": "pong"},
    notice={"type": "go_away"},
)
_PROFILES: dict[str, Profile | str] = {"json": JSON, "frames": "frames", "gateway": _GATEWAY}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One connection of a system."""

    number: int
    timeline: Timeline
    verdict: Verdict
    # Why the server, or the path, ended it: a tag; empty where neither did.
    tag: str
    # When it was opened, in seconds of the system.
    opened: float


def play(system: System) -> list[Seen]:
    """Play a system; its connections, those that never opened aside."""
    return run_virtual(_play(system), seed=system.seed)


async def _play(system: System) -> list[Seen]:
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with AsyncExitStack() as stack:
        host = Host(system.server, system.seed)
        port = await host.start()
        stack.push_async_callback(host.stop)
        url = f"ws://127.0.0.1:{port}"
        proxy = None
        if not system.path.is_plain:
            proxy = FaultProxy(url, faults=list(_faults(system.path)))
            url = (await stack.enter_async_context(proxy)).url.rstrip("/")
            for at, fault in _instants(system.path):
                loop.call_at(began + at, proxy.add, fault)
        opened = [
            asyncio.ensure_future(_connection(system, f"{url}/{number}", number, began + at))
            for number, at in enumerate(system.opens)
        ]
        found = [each for each in await asyncio.gather(*opened) if each is not None]
        seen = []
        for number, connection, verdict in found:
            peer = host.peers.get(number)
            tag = peer.tag if peer is not None else ""
            if not tag and proxy is not None:
                tag = _path_tag(proxy, number)
            line = connection.timeline.sealed()
            seen.append(
                Seen(number=number, timeline=line, verdict=verdict, tag=tag, opened=line.opened - began)
            )
        for _, connection, _ in found:
            connection.websocket.let_go()
    return seen


def _path_tag(proxy: FaultProxy, number: int) -> str:
    """Which timer of the path ended the connection of a client; empty if none did."""
    applied = [each.fault for each in proxy.applied if each.connection == number]
    for fault in applied:
        if isinstance(fault, faults.IdleTimeout):
            return f"idle {fault.reset_by.value} {fault.ends_with.value}"
        if isinstance(fault, faults.MaxAge):
            return "age"
    return ""


def _faults(path: Path) -> Iterator[Any]:
    if path.latency:
        yield faults.Latency(path.latency, jitter=path.jitter)
    if path.bandwidth:
        yield faults.Bandwidth(path.bandwidth)
    if path.idle:
        yield faults.IdleTimeout(path.idle, reset_by=path.idle_reset_by, ends_with=path.idle_ends)
    if path.age:
        yield faults.MaxAge(path.age, ends_with=path.age_ends)
    if path.eats:
        yield faults.DropControlFrames(path.eats, direction=path.eats_way)


def _instants(path: Path) -> Iterator[tuple[float, Any]]:
    if path.dead_at is not None:
        yield path.dead_at, faults.Blackhole(path.dead)
    if path.stalls_at is not None:
        yield path.stalls_at, faults.Stall(path.stalls_for)


async def _connection(
    system: System, url: str, number: int, at: float
) -> tuple[int, Connection, Verdict] | None:
    loop, client = asyncio.get_running_loop(), system.client
    await asyncio.sleep(at - loop.time())
    options: dict[str, Any] = {"heartbeat": client.heartbeat} if client.heartbeat else {}
    try:
        connection = await connect(
            url, client=client.kind, profile=_PROFILES[client.profile], open_timeout=30,
            inbox=0 if client.takes else 16, **options,
        )  # fmt: skip
    except OSError:
        return None
    line = connection.timeline
    if system.real:
        line.tier = Tier.REAL
    tasks = [asyncio.ensure_future(each) for each in _traffic(system, client, connection, number)]
    asked = {"heartbeat_within": system.within, "pings_within": system.within} if system.within else {}
    if system.session_within:
        asked["session_within"] = system.session_within
    # Timers of the machine on which all connections are watched: one deadline for all.
    hold = max(1.0, system.hold - (loop.time() - at))
    verdict = await hold_open(connection.websocket, Requirement.of(alive_for=hold, **asked))
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return number, connection, verdict


def _traffic(system: System, client: Client, connection: Connection, number: int) -> Iterator[Any]:
    if client.talk_every is not None:
        yield _talk(client, connection, system.seed + number)
    if client.big is not None:
        yield _later(client.big[0], connection.send(b"x" * client.big[1]))
    if client.closes_at is not None:
        yield _later(client.closes_at, connection.close())
    if system.kernel:
        yield _kernel(system, connection)


async def _later(seconds: float, what: Any) -> None:
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        what.close()
        raise
    with suppress(ConnectionError):
        await what


async def _talk(client: Client, connection: Connection, seed: int) -> None:
    rng = random.Random(seed)
    assert client.talk_every is not None
    at, every = client.talk_from, client.talk_every
    await asyncio.sleep(client.talk_from)
    with suppress(ConnectionError):
        while at <= client.talk_until:
            wait = every * rng.uniform(0.7, 1.3)
            at += wait
            await asyncio.sleep(wait)
            await connection.send("x" * client.talk_size)


# The kernel's view of a real clock's system, as it was measured: see `TcpSample`.


async def _kernel(system: System, connection: Connection) -> None:
    """Samples each second of what a kernel would say."""
    loop, line, path = asyncio.get_running_loop(), connection.timeline, system.path
    began = line.opened
    line.tcp_unseen = None
    while connection.timeline.close is None:
        await asyncio.sleep(1.0)
        now = loop.time()
        # Where the way back is dead, acknowledgements do not come either.
        dead_at = path.dead_at if path.dead_at is not None else path.stalls_at
        dead = (
            dead_at is not None
            and now >= dead_at
            and (path.dead_at is not None or now < dead_at + path.stalls_for)
        )
        spoke = [at for at in (line.last(direction=0, opcode=op) for op in (1, 2, 9, 10)) if at is not None]  # type: ignore[arg-type]
        since = max(spoke, default=0.0) + began
        behind = [at + began for at in spoke if dead_at is not None and at + began >= dead_at]
        if dead and dead_at is not None and behind:
            waited = now - min(behind)
            again = int(math.log2(waited / 0.3 + 1))
            info = _TCP_INFO.pack(_ESTABLISHED, again, 0, again, 1, int(1000 * (now - dead_at)), 2000)
            line.kernel(now, info, 40)
        else:
            queue = (
                connection.websocket.transport.get_write_buffer_size()
                if connection.websocket.transport
                else 0
            )
            info = _TCP_INFO.pack(_ESTABLISHED, 0, 0, 0, 0, int(1000 * max(0.0, now - since)), 2000)
            line.kernel(now, info, queue)

"""How clients that nobody here wrote come back: what the page about them says, and how it is measured."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_wsstability import Orchestrator, faults
from pytest_wsstability.profiles.discord import discord
from tests.protocols.test_more_python_software import discord_client, slack_client, wamp_component
from tests.protocols.test_python_software import deepgram_client

# When the server ends the first connection, and for how long it looks at what comes then.
END, WATCHED = 5.0, 40.0
# And for how long where it ends each of them.
BRIEFLY = 10.0
# Any port is free in the virtual network.
PORT = 8765


# Clients: each an async context manager of an orchestrator.


@contextlib.asynccontextmanager
async def socketio_client(orchestrator):
    socketio = pytest.importorskip("socketio")
    client = socketio.AsyncClient()
    await client.connect(orchestrator.url.replace("ws:", "http:"), transports=["websocket"])
    try:
        yield
    finally:
        # What its reconnecting died of comes out here.
        with contextlib.suppress(TypeError):
            await client.shutdown()
        if client.eio.http is not None:
            await client.eio.http.close()


@contextlib.asynccontextmanager
async def autobahn_client(orchestrator):
    async with wamp_component(orchestrator.url):
        yield


@contextlib.asynccontextmanager
async def slack_aiohttp(orchestrator):
    async with slack_client(orchestrator, "aiohttp"):
        yield


@contextlib.asynccontextmanager
async def slack_websockets(orchestrator):
    async with slack_client(orchestrator, "websockets"):
        yield


@contextlib.asynccontextmanager
async def discord_bot(orchestrator):
    with pytest.MonkeyPatch.context() as patch:
        async with discord_client(orchestrator, patch):
            yield


@contextlib.asynccontextmanager
async def gql_client(orchestrator):
    gql = pytest.importorskip("gql")
    from gql.transport.websockets import WebsocketsTransport

    transport = WebsocketsTransport(url=orchestrator.url, subprotocols=["graphql-transport-ws"])
    client = gql.Client(transport=transport)
    await client.connect_async()
    try:
        yield
    finally:
        with contextlib.suppress(Exception):
            await client.close_async()


@contextlib.asynccontextmanager
async def openai_client(orchestrator):
    openai = pytest.importorskip("openai")
    client = openai.AsyncOpenAI(api_key="k", websocket_base_url=orchestrator.url.rstrip("/"))
    async with client.realtime.connect(model="gpt-realtime") as connection:

        async def listen():
            with contextlib.suppress(Exception):
                async for _ in connection:
                    pass

        listening = asyncio.create_task(listen())
        yield
        listening.cancel()


@contextlib.asynccontextmanager
async def deepgram_stream(orchestrator):
    async with deepgram_client(orchestrator) as client:
        options = {"model": "nova-3", "encoding": "linear16", "sample_rate": 16000}
        async with client.listen.v1.connect(**options) as stream:
            listening = asyncio.create_task(stream.start_listening())
            yield
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)


# What ends the connection: a fault, or None for no close frame.
ENDS = {
    "1000": faults.CloseWith(1000),
    "1001": faults.CloseWith(1001),
    "1011": faults.CloseWith(1011),
    "4001": faults.CloseWith(4001),
    "no close frame": faults.Restart(),
}


def _between(attempts: list[float]) -> list[float]:
    return [round(at - before, 3) for before, at in zip([0.0, *attempts], attempts, strict=False)]


async def waits(client: Client, end: str) -> list[float]:
    """Seconds from the end of the first connection to the next one; empty if none came."""
    program = faults.Program.of([(END, ENDS[end])], connections=1)
    async with client.orchestrator(program) as orchestrator, client.open(orchestrator):
        await asyncio.sleep(END + WATCHED)
        return _after_the_first(orchestrator)[:1]


async def waits_when_refused(client: Client) -> list[float]:
    """Seconds before each attempt, where each is refused with 503 and ``Retry-After: 7``."""
    return _between(await _attempts(client, faults.RefuseUpgrade(503, retry_after=7), WATCHED))


async def attempts_when_ended_at_once(client: Client) -> int:
    """How often it comes within `BRIEFLY` seconds, where each connection is closed with 1013 at once."""
    return len(await _attempts(client, faults.AcceptThenClose(1013), BRIEFLY))


async def _attempts(client: Client, then: faults.Fault, seconds: float) -> list[float]:
    """The instants of attempts after the first connection was closed with 1011, if this is done to each."""
    program = faults.Program.of([(END, faults.CloseWith(1011))], connections=1)
    async with client.orchestrator(program) as orchestrator, client.open(orchestrator):
        await asyncio.sleep(END / 2)
        orchestrator.misbehave([then])
        await asyncio.sleep(END / 2 + seconds)
        return _after_the_first(orchestrator)


def _after_the_first(orchestrator: Orchestrator) -> list[float]:
    first, *others = orchestrator.attempts
    return [round(each.at - first.ended, 3) for each in others]


Range = tuple[float, float]


@dataclass(frozen=True)
class Client:
    """A client, and what the page says of it; ranges in seconds, because most of them draw lots."""

    name: str
    profile: Any
    open: Callable[[Orchestrator], Any]
    # The wait after each of `ENDS`; None: it does not come back.
    after: Range | None
    # The waits before the first attempts that are refused.
    refused: tuple[Range, ...] = ()
    # How many attempts where each connection is ended at once.
    ended_at_once: tuple[float, float] = (0, 0)
    # What to know about it.
    note: str = ""
    # Ends after which it waits otherwise; None: it does not come back.
    others: Mapping[str, Range | None] = field(default_factory=dict)

    def orchestrator(self, program: faults.Program) -> Orchestrator:
        """The server that it is given."""
        port = PORT if self.name == "discord.py 2.7" else 0
        return Orchestrator(profile=self.profile, faults=program, port=port)


CLIENTS = [
    Client(
        "python-socketio 5.18",
        "socketio",
        socketio_client,
        (0.5, 1.5),
        ((0.5, 1.5), (1, 3), (2, 6), (2.5, 7.5)),
        (1, 1),
        "dies of a close frame before the packet 0, and never comes again",
    ),
    Client(
        "autobahn 26.10",
        "wamp",
        autobahn_client,
        (1, 4),
        ((1, 4), (1.5, 6), (2.5, 9)),
        (1, 6),
        "each wait is about 1.5 times the one before, though a connection opened",
    ),
    Client(
        "slack_sdk 3.48, aiohttp",
        "slack",
        slack_aiohttp,
        (0, 0),
        ((0, 0), (5, 5), (5, 5), (5, 5)),
        (50, math.inf),
        "at once and without end, where the server closes each connection",
    ),
    Client(
        "slack_sdk 3.48, websockets",
        "slack",
        slack_websockets,
        (0, 10),
        ((0, 10), (10, 10), (10, 10)),
        (1, 2),
        "at the next tick of 10 s",
    ),
    Client(
        "discord.py 2.7",
        discord(resume_url=f"ws://127.0.0.1:{PORT}/"),
        discord_bot,
        (0, 0),
        ((0, 0), (0, 2), (0, 4), (0, 8)),
        (50, math.inf),
        "at once and without end, where the server closes each connection",
    ),
    Client("gql 4.4", "graphql-transport-ws", gql_client, None, note="the program has to connect again"),
    Client(
        "openai 3.57",
        "openai-realtime",
        openai_client,
        None,
        note="the program has to connect again",
    ),
    Client("deepgram-sdk 7.17", "deepgram", deepgram_stream, None, note="the program has to connect again"),
]

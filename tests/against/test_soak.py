"""The story's numbers in real time: holds of 130 s on kernel sockets, all side by side on one loop."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, ExitStack
from typing import NamedTuple

import pytest

from pytest_wsstability import Orchestrator, Requirement, Soak, StabilityError, Tier, hold
from tests.servers import launch

pytestmark = [pytest.mark.soak, pytest.mark.real]

HOLD = 130
# The deadline, and what a busy machine may add to it.
DEATH = range(59, 65)
HEARTBEAT = "25s"
READ_DEADLINE = "server: read deadline of 60 s ran out"


class Row(NamedTuple):
    """A client at the reference orchestrator with its default numbers: 60 s, 30 s."""

    client: str
    heartbeat: str | None = None
    deadline_reset_by: str = "pong"


ROWS = {
    "browser": Row("browser"),
    "browser with heartbeats": Row("browser", HEARTBEAT),
    "keepalive": Row("keepalive"),
    "mute": Row("mute"),
    "mute with heartbeats": Row("mute", HEARTBEAT),
    "mute, any frame": Row("mute", deadline_reset_by="any"),
    "mute with heartbeats, any frame": Row("mute", HEARTBEAT, "any"),
    "stalled": Row("stalled"),
}
SURVIVE = ["browser", "browser with heartbeats", "keepalive", "mute with heartbeats, any frame"]
# With what would have helped.
DIE = {
    "mute": "answer ping frames with pong frames",
    "mute with heartbeats": "answer ping frames with pong frames",
    "mute, any frame": "let the client send frames more often than every 30 s",
}


@pytest.fixture(scope="module")
def soaks():
    """Every hold of this file, finished: by the name of its row or stack."""
    with ExitStack() as stack:
        running = [name for name in launch.STACKS if launch.missing(name) is None]
        urls = {name: stack.enter_context(launch.start(name)).url("/ws") for name in running}
        return asyncio.run(hold_all(urls))


async def hold_all(urls: dict[str, str]) -> dict[str, Soak]:
    async with AsyncExitStack() as stack:
        holds = {name: held(url, "browser", HEARTBEAT) for name, url in urls.items()}
        for name, row in ROWS.items():
            # One server a client, so that each has the session of its own in its book.
            server = Orchestrator(deadline_reset_by=row.deadline_reset_by)
            await stack.enter_async_context(server)
            holds[name] = held(server.url, row.client, row.heartbeat, orchestrator=server)
        return dict(zip(holds, await asyncio.gather(*holds.values()), strict=True))


async def held(url: str, client: str, heartbeat: str | None, **options) -> Soak:
    values = {"alive_for": HOLD, "session_within": "5s"}
    if heartbeat is not None:
        values |= {"heartbeat_every": heartbeat, "heartbeat_within": "5s"}
    return await hold(Requirement.of(**values), url=url, client=client, **options)


def assert_survived(soaked: Soak) -> None:
    verdict = soaked.assert_stable()
    assert verdict.horizon == HOLD
    assert verdict.tier is Tier.REAL
    if soaked.requirement.heartbeat_every is not None:
        soaked.assert_heartbeats_answered(within="5s", at_least=5)
    soaked.assert_no_abnormal_closure()


@pytest.mark.parametrize("name", SURVIVE)
def test_survives(soaks, name):
    """Who answers pings lives where pongs count; who sends heartbeats lives where any frame counts."""
    assert_survived(soaks[name])


@pytest.mark.parametrize("name", launch.STACKS)
def test_third_party_server_survives(soaks, name):
    """The story after its fix, on servers that others wrote."""
    if reason := launch.missing(name):
        pytest.skip(f"{name} cannot run here: {reason}")
    assert_survived(soaks[name])


@pytest.mark.parametrize("name", DIE)
def test_dies_at_the_deadline(soaks, name):
    """The message has the client's 1006 and the server's reason."""
    with pytest.raises(StabilityError, match=r"1006 at ") as error:
        soaks[name].assert_stable()

    assert READ_DEADLINE in str(error.value)
    assert DIE[name] in str(error.value)
    client, server = soaks[name].timelines
    assert int(client.close.at) in DEATH
    assert int(server.close.at) in DEATH
    soaks[name].assert_closed(code=1006, by="server")


def test_stalled_client_hears_of_its_death_in_the_end(soaks):
    """It answers no ping that it has not read, dies at the deadline, and learns it when it reads on."""
    with pytest.raises(StabilityError, match=r"seen late, nothing was read since") as error:
        soaks["stalled"].assert_stable()

    assert READ_DEADLINE in str(error.value)
    client, server = soaks["stalled"].timelines
    assert int(server.close.at) in DEATH
    assert client.close.at >= HOLD
    assert client.close.code == 1006

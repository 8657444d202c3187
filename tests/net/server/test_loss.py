"""Clients whose path or server goes dead without a word: whether they notice, and when."""

import asyncio
import re

import pytest

from pytest_wsstability import Backoff, FaultProxy, Orchestrator, SessionError, faults, run_virtual
from tests.net.peers import opened, served
from tests.net.reconnecting_client import ReconnectingClient

STEADY = Backoff(first="1s", factor=1, jitter=0)
NOTHING = r"^assert_notices_loss: no fault was applied that a client could notice; give some, such as "
# Nothing that the server does ends a connection by itself.
QUIET = {"read_deadline": None, "ping_interval": None}


def now():
    return asyncio.get_running_loop().time()


def watchful(url, **options):
    """A client that gives a connection up when a heartbeat is not answered for 5 s, and comes back."""
    return ReconnectingClient(url, heartbeat="10s", answer_within="5s", backoff=STEADY, **options)


DEAD = [
    faults.Blackhole(),
    faults.Blackhole("upstream"),
    faults.Blackhole("downstream"),
    faults.Stall("5m"),
    faults.FreezeLoop("5m"),
    faults.StopReading(),
    faults.WithholdHeartbeats(),
]


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("fault", DEAD, ids=repr)
async def test_a_client_that_watches_its_heartbeats_notices(fault):
    """It is waited for, first until the fault is applied, then until the client gives up."""
    program = faults.Program.of([("30s", fault)], connections=1)
    async with Orchestrator(faults=program, **QUIET) as orchestrator, watchful(orchestrator.url):
        session = await orchestrator.wait_for_session()
        await session.assert_notices_loss(within="20s")

        assert 30.0 < now() <= 50.0
        await orchestrator.assert_notices_loss(within="20s")


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("fault", DEAD, ids=repr)
async def test_a_client_that_only_waits_does_not_notice(fault):
    """After exactly that time, with the fault and what did not happen."""
    async with (
        Orchestrator(faults=[("30s", fault)], **QUIET) as orchestrator,
        opened(orchestrator.url, session_id="abc", heartbeat="10s"),
    ):
        session = await orchestrator.wait_for_session()
        said = rf"^session 'abc' did not notice within 20 s.*\n.*\n.*{re.escape(repr(fault))} was applied at"
        with pytest.raises(SessionError, match=said):
            await session.assert_notices_loss(within="20s")

        assert now() == 50.0


@pytest.mark.ws_stability(time="virtual")
async def test_a_fault_that_is_added_later_counts():
    """By a fault proxy on the way, which this server knows nothing of."""
    async with (
        Orchestrator(**QUIET) as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
        FaultProxy(proxy.url) as outer,
        opened(outer.url, session_id="abc", heartbeat="10s") as connection,
    ):
        session = await orchestrator.wait_for_session()
        await asyncio.sleep(12)
        with pytest.raises(ValueError, match=NOTHING):
            await session.assert_notices_loss(within="20s")
        outer.add(faults.Latency("10ms"))
        with pytest.raises(ValueError, match=NOTHING):
            await session.assert_notices_loss(within="20s")
        outer.add(faults.Blackhole())
        waiting = asyncio.ensure_future(session.assert_notices_loss(within="20s"))
        await asyncio.sleep(8)
        connection.websocket.start_close(1000)
        await waiting

        assert now() == 20.0


@pytest.mark.ws_stability(time="virtual")
async def test_a_fault_of_a_proxy_that_is_still_due_is_waited_for():
    """Like one of the orchestrator's own."""
    async with (
        Orchestrator(**QUIET) as orchestrator,
        FaultProxy(orchestrator.url, faults=[("30s", faults.Blackhole())]) as proxy,
        opened(proxy.url, session_id="abc"),
    ):
        with pytest.raises(SessionError, match=r"^session 'abc' did not notice within 10 s"):
            await orchestrator.assert_notices_loss(within="10s")

        assert now() == 40.0


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize(
    "heal", [lambda proxy: proxy.heal(), lambda proxy: proxy.add(faults.Heal())], ids=["heal", "Heal"]
)
async def test_a_path_that_was_dead_for_a_moment_proves_nothing(heal):
    """All goes on before a client has to notice."""
    async with (
        Orchestrator(**QUIET) as orchestrator,
        FaultProxy(orchestrator.url) as proxy,
        opened(proxy.url, session_id="abc"),
    ):
        session = await orchestrator.wait_for_session()
        proxy.add(faults.Blackhole())
        await asyncio.sleep(5)
        heal(proxy)
        with pytest.raises(SessionError, match=r"^inconclusive: session 'abc' lost nothing for long"):
            await session.assert_notices_loss(within="20s")


@pytest.mark.ws_stability(time="virtual")
async def test_a_client_that_closes_politely_after_a_loss_has_to_come_back():
    """Its close frame is no wish of its user's."""
    async with (
        Orchestrator(faults=[("10s", faults.WithholdPongs())], **QUIET) as orchestrator,
        opened(orchestrator.url, session_id="abc") as connection,
    ):
        session = await orchestrator.wait_for_session()
        await asyncio.sleep(15)
        await connection.close(1000)
        await session.assert_notices_loss(within="20s")
        with pytest.raises(SessionError, match=r"^session 'abc' did not come back within 5 s"):
            await session.assert_reconnects(within="5s")


TOLD = [
    ("10s", faults.Drop()),
    ("10s", faults.Reset()),
    ("10s", faults.HalfClose("upstream")),
    ("10s", faults.CloseWith(1012)),
    ("10s", faults.Restart("1s")),
    faults.MaxAge("10s"),
]


@pytest.mark.ws_stability(time="virtual")
@pytest.mark.parametrize("fault", TOLD, ids=repr)
async def test_an_end_that_is_told_is_noticed(fault):
    """A client that hears of it does not have to find out."""
    async with served({"faults": [fault]}) as (_, orchestrator):
        await orchestrator.assert_notices_loss(within="1s")

        assert now() == 10.0


@pytest.mark.ws_stability(time="real")
async def test_in_real_time():
    """Over kernel sockets, with a proxy of the orchestrator's own."""
    program = faults.Program.of([("100ms", faults.Blackhole())], connections=1)
    async with Orchestrator(faults=program, **QUIET) as orchestrator:
        options = {"heartbeat": "50ms", "answer_within": "200ms", "backoff": Backoff.of("10ms")}
        async with ReconnectingClient(orchestrator.url, **options):
            session = await orchestrator.wait_for_session()
            await session.assert_notices_loss(within="30s")


@pytest.mark.parametrize("within", [0, "-1s", "soon"])
def test_wrong_values(within):
    """The name of the argument, and what came."""

    async def script():
        async with Orchestrator() as orchestrator:
            await orchestrator.assert_notices_loss(within=within)

    with pytest.raises(ValueError, match=r"^within: "):
        run_virtual(script())


@pytest.mark.ws_stability(time="virtual")
async def test_a_storm_over_a_minute():
    """A client that tries every two seconds for ever, and no second shows it."""
    orchestrator = Orchestrator(faults=[faults.RefuseUpgrade(503)])
    async with orchestrator, ReconnectingClient(orchestrator.url, backoff=Backoff.of("2s")):
        await asyncio.sleep(120)
        orchestrator.assert_no_reconnect_storm(max_per_second=1)
        with pytest.raises(SessionError, match=r"^30 attempts in one minute, more than 10"):
            orchestrator.assert_no_reconnect_storm(max_per_minute=10)
        with pytest.raises(TypeError, match=r"^assert_no_reconnect_storm: give max_per_second, "):
            orchestrator.assert_no_reconnect_storm()


@pytest.mark.ws_stability(time="virtual")
async def test_a_server_that_lets_in_for_a_moment_only_is_no_success():
    """A client whose waits begin anew with each opening hammers it; one whose waits grow does not."""
    for factor in (1, 2):
        backoff = Backoff(first="1s", factor=factor, longest="30s", jitter=0)
        orchestrator = Orchestrator(faults=[faults.AcceptThenClose(1013)])
        async with orchestrator, ReconnectingClient(orchestrator.url, backoff=backoff, profile="json"):
            await asyncio.sleep(100)
            growing = Backoff(first="1s", factor=2, longest="30s", jitter=0)
            try:
                await orchestrator.assert_reconnects(within="60s", same_session=False, backoff=growing)
                found = "stable"
            except SessionError as exc:
                found = str(exc).partition("\n")[0]
        assert ("came after 1 s, not 2 s or more" in found) == (factor == 1)

"""Clients that come back, or do not: the assertions of the orchestrator and of its sessions."""

import asyncio

import pytest

from pytest_wsstability import Backoff, OpeningError, Orchestrator, SessionError, connect, faults
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.profiles import JSON
from tests.net.peers import opened, served
from tests.net.reconnecting_client import ReconnectingClient

pytestmark = pytest.mark.ws_stability(time="virtual")

STEADY = Backoff(first="1s", factor=2, longest="30s", jitter=0)
ERRORS = JSON.replace(name="errors", error={"type": "error"})


def now():
    return asyncio.get_running_loop().time()


def drop(session):
    session.connection.websocket.drop(LocalReason.INTERRUPTED, "the test drops it")


async def test_a_client_that_comes_back_is_waited_for():
    """The assertion ends with the reconnect, not at the end of the time."""
    async with Orchestrator() as orchestrator, ReconnectingClient(orchestrator.url, backoff=STEADY):
        session = await orchestrator.wait_for_session()
        drop(session)
        await session.assert_reconnects(within="30s", same_session=True, backoff=STEADY)

        assert now() == 1.0
        assert len(session.connections) == 2
        session.connections[0].websocket.drop(LocalReason.INTERRUPTED, "gone already")
        await orchestrator.assert_reconnects(within="1s")


async def test_a_client_that_stays_away_fails():
    """After exactly that time."""
    async with served(session_id="abc") as (connection, orchestrator):
        await connection.assert_session_confirmed(within="1s")
        session = await orchestrator.wait_for_session()
        drop(session)
        await session.connection.wait_closed()
        with pytest.raises(SessionError, match=r"^session 'abc' did not come back within 30 s"):
            await session.assert_reconnects(within="30s")

        assert now() == 30.0
        with pytest.raises(SessionError, match=r"^session 'abc' did not come back within 20 s"):
            await orchestrator.assert_reconnects(within="20s")


async def test_a_client_that_comes_back_as_another_fails():
    """Unless the session does not matter."""
    async with served(session_id="abc") as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        await first.close(4000)
        async with opened(orchestrator.url, session_id="xyz") as second:
            await second.assert_session_confirmed(within="1s")
            session = await orchestrator.wait_for_session("abc")
            await session.assert_reconnects(within="5s", same_session=False)
            with pytest.raises(SessionError, match=r"^session 'abc' came back as session 'xyz'"):
                await session.assert_reconnects(within="5s")


async def test_a_connection_that_is_open_was_not_followed():
    """Nothing ended, so nothing can be said; the hold goes on."""
    async with served(session_id="abc") as (_, orchestrator):
        session = await orchestrator.wait_for_session()
        with pytest.raises(SessionError, match=r"^inconclusive: no connection has ended but"):
            await session.assert_reconnects(within="5s")

        assert now() == 0.0


@pytest.mark.parametrize("program", [[("30s", faults.CloseWith(1012))], [faults.MaxAge("30s")]])
async def test_an_end_that_is_planned_is_waited_for(program):
    """The test has nothing to do between the session and the assertion; both faults are due at 30 s."""
    async with (
        Orchestrator(faults=program) as orchestrator,
        ReconnectingClient(orchestrator.url, backoff=STEADY),
    ):
        session = await orchestrator.wait_for_session()
        await session.assert_reconnects(within="10s", same_session=True, backoff=STEADY)

        assert now() == 31.0


@pytest.mark.parametrize("second", [[], [("5s", faults.SendError())], [("2h", faults.CloseWith(1012))]])
async def test_an_end_is_waited_for_whatever_is_done_to_those_that_come_later(second):
    """Faults of a connection are those of its opening."""
    async with (
        Orchestrator(faults=[("30s", faults.CloseWith(1012))], profile=ERRORS) as orchestrator,
        ReconnectingClient(orchestrator.url, backoff=STEADY, profile=ERRORS),
    ):
        session = await orchestrator.wait_for_session()
        orchestrator.misbehave(second)
        await session.assert_reconnects(within="10s", same_session=True, backoff=STEADY)

        assert now() == 31.0


async def test_faults_of_those_that_came_before_are_not_waited_for():
    async with Orchestrator(faults=[("30s", faults.CloseWith(1012))]) as orchestrator:
        orchestrator.misbehave()
        async with opened(orchestrator.url, session_id="abc"):
            session = await orchestrator.wait_for_session()
            with pytest.raises(SessionError, match=r"^inconclusive: no connection has ended but"):
                await session.assert_reconnects(within="5s")
            with pytest.raises(ValueError, match=r"^assert_notices_loss: no fault was applied"):
                await session.assert_notices_loss(within="5s")

            assert now() == 0.0


async def test_a_loss_is_waited_for_whatever_is_done_to_those_that_come_later():
    async with served({"faults": [("30s", faults.StopReading())]}, session_id="abc") as (_, orchestrator):
        session = await orchestrator.wait_for_session()
        orchestrator.misbehave()
        with pytest.raises(SessionError, match="did not notice within 5 s"):
            await session.assert_notices_loss(within="5s")

        assert now() == 35.0


async def test_a_planned_end_that_does_not_come_is_inconclusive():
    """An idle timeout that traffic keeps away ends nothing: no pass, and no hang."""
    async with (
        Orchestrator(faults=[faults.IdleTimeout("30s")]) as orchestrator,
        ReconnectingClient(orchestrator.url, heartbeat="20s"),
    ):
        session = await orchestrator.wait_for_session()
        with pytest.raises(SessionError, match=r"^inconclusive: no connection has ended but"):
            await session.assert_reconnects(within="10s")

        assert now() == 40.0


async def test_a_client_that_left_is_not_waited_for():
    """Nobody is there whom the fault could be applied to."""
    async with Orchestrator(faults=[("30s", faults.Drop())]) as orchestrator:
        async with opened(orchestrator.url, session_id="abc") as connection:
            session = await orchestrator.wait_for_session()
            await connection.close(1000)
        with pytest.raises(SessionError, match=r"^inconclusive: no connection has ended but"):
            await session.assert_reconnects(within="10s")

        assert now() == 0.0


async def test_where_there_are_no_sessions_any_connection_counts():
    """Nobody can tell one client from another, and asking for it is an error."""
    async with Orchestrator(profile="frames") as orchestrator:
        async with ReconnectingClient(orchestrator.url, profile="frames", backoff=STEADY):
            session = await orchestrator.wait_for_session()
            drop(session)
            await session.assert_reconnects(within="5s")
        with pytest.raises(ValueError, match=r"^same_session: the profile has no sessions"):
            await session.assert_reconnects(within="5s", same_session=True)


async def test_waits_that_are_too_short_fail():
    """A client that hammers a server that refuses it."""
    hasty = Backoff(first="100ms", factor=1, jitter=0)
    program = faults.Program.of([faults.RefuseUpgrade(503)], connections=3)
    async with Orchestrator(faults=program) as orchestrator:
        async with ReconnectingClient(orchestrator.url, backoff=hasty) as client:
            await client.wait_for_connection()
            with pytest.raises(
                SessionError, match=r"3 attempts in one second, more than 2|4 attempts in one"
            ):
                orchestrator.assert_no_reconnect_storm(max_per_second=2)
            session = await orchestrator.wait_for_session()
            drop(session)
            with pytest.raises(SessionError, match=r"^attempt 1 came after 100 ms, not 1 s or more"):
                await session.assert_reconnects(within="10s", backoff="1s")

        assert [error.status for error in client.errors] == [503, 503, 503]


async def test_growing_waits_are_no_storm():
    """The control."""
    program = faults.Program.of([faults.RefuseUpgrade(503)], connections=3)
    async with (
        Orchestrator(faults=program) as orchestrator,
        ReconnectingClient(orchestrator.url, backoff=STEADY) as client,
    ):
        await client.wait_for_connection()
        orchestrator.assert_no_reconnect_storm(max_per_second=1)


@pytest.mark.parametrize(("jitter", "passes"), [(0.0, False), (0.5, True)])
async def test_clients_that_were_lost_together_come_back_apart(jitter, passes):
    """Jitter spreads them; without it they are one crowd."""
    backoff = Backoff(first="10s", jitter=jitter)
    async with Orchestrator() as orchestrator:
        clients = [ReconnectingClient(orchestrator.url, seed=seed, backoff=backoff) for seed in range(20)]
        tasks = [await client.__aenter__() for client in clients]
        for client in tasks:
            await client.wait_for_connection()
        for session in list(orchestrator.sessions):
            drop(session)
        await asyncio.sleep(30)
        await orchestrator.assert_reconnects(within="15s")
        if passes:
            orchestrator.assert_no_reconnect_storm(max_per_second=10, jitter="5s")
        else:
            with pytest.raises(SessionError, match="20 attempts in one second, more than 10"):
                orchestrator.assert_no_reconnect_storm(max_per_second=10, jitter="5s")
            with pytest.raises(SessionError, match="20 reconnects differ by 0 s only, not 5 s or more"):
                orchestrator.assert_no_reconnect_storm(max_per_second=100, jitter="5s")
        for client in clients:
            await client.__aexit__(None, None, None)


async def test_a_session_with_two_connections_fails():
    """A client that opens the next before it has closed the last."""
    async with served(session_id="abc") as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        orchestrator.assert_no_duplicate_session()
        await asyncio.sleep(5)
        async with opened(orchestrator.url, session_id="abc") as second:
            await second.assert_session_confirmed(within="1s")
            with pytest.raises(SessionError, match=r"^session 'abc' had two open connections"):
                orchestrator.assert_no_duplicate_session()


async def test_a_refused_client_is_told_when_to_come_back():
    """Retry-After is whole seconds (RFC 9110, section 10.2.3)."""
    refusal = faults.RefuseUpgrade(429, retry_after="2m")
    async with Orchestrator(faults=[refusal]) as orchestrator:
        with pytest.raises(OpeningError, match=r"HTTP 429 Too Many Requests \(Retry-After: 120\)") as caught:
            async with opened(orchestrator.url):
                pass

        assert caught.value.status == 429
        assert orchestrator.sessions == []
        assert [str(attempt) for attempt in orchestrator.attempts] == [
            "refused with HTTP 429, Retry-After: 120"
        ]


async def test_a_client_that_does_not_wait_as_it_was_told_is_found():
    """RFC 9110, section 10.2.3: how long the client ought to wait; one that does passes."""
    busy = faults.Program.of([faults.RefuseUpgrade(503, retry_after="10s")], connections=1)
    async with served(session_id="abc") as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        session = await orchestrator.wait_for_session("abc")
        for wait in ("10s", "5s"):
            orchestrator.misbehave(busy)
            await session.connection.close(1012)
            backoff = Backoff(first=wait, factor=1, jitter=0)
            again = await first.reconnect(within="1m", backoff=backoff)
            await again.assert_session_confirmed(within="1s")
            if wait == "10s":
                await session.assert_reconnects(within="1m")
        with pytest.raises(SessionError, match=r"^attempt 2 came after 5 s, not 10 s or more, as Retry"):
            await session.assert_reconnects(within="1m")
        await again.close()


async def test_a_server_may_begin_and_cease_to_misbehave():
    """For those who come from then on; those who are there notice nothing."""
    async with Orchestrator(faults=[("5s", faults.CloseWith(4001))]) as orchestrator:
        first = await connect(orchestrator.url)
        orchestrator.misbehave([("1s", faults.CloseWith(4002))])
        second = await connect(orchestrator.url)
        orchestrator.misbehave()
        third = await connect(orchestrator.url)
        await asyncio.sleep(10)

        assert [each.timeline.close.code for each in (first, second)] == [4001, 4002]
        assert third.timeline.close is None
        with pytest.raises(ValueError, match=r"^misbehave: faults.Drop\(\) is a fault of the link; "):
            orchestrator.misbehave([faults.Drop()])
        await third.close()


@pytest.mark.parametrize("status", [401, 403, 429, 503, 599])
async def test_an_upgrade_may_be_refused_with_any_status(status):
    """Those without a name too."""
    async with Orchestrator(faults=[faults.RefuseUpgrade(status)]) as orchestrator:
        with pytest.raises(OpeningError) as caught:
            async with opened(orchestrator.url):
                pass

        assert caught.value.status == status


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"max_per_second": 0}, "^max_per_second: 0 is not a number of attempts above 0$"),
        ({"max_per_second": "many"}, "^max_per_second: 'many' is not a number"),
        ({"max_per_second": 10**400}, "^max_per_second: 10+ is not a number"),
        ({"max_per_second": 5, "jitter": -1}, "^jitter: -1 is negative"),
    ],
)
async def test_limits_of_a_storm_are_numbers(keywords, message):
    """Named with what is valid."""
    async with Orchestrator() as orchestrator:
        with pytest.raises(ValueError, match=message):
            orchestrator.assert_no_reconnect_storm(**keywords)
        with pytest.raises(ValueError, match=r"^within: "):
            await orchestrator.assert_reconnects(within="soon")
        with pytest.raises(ValueError, match=r"^backoff: "):
            await orchestrator.assert_reconnects(within="5s", backoff="never")


async def heartbeats_of(orchestrator, *, before, after):
    """What is said of a client that sent so many heartbeats before and after its reconnect."""
    for number, count in enumerate((before, after)):
        async with opened(orchestrator.url, session_id="abc") as connection:
            session = await orchestrator.wait_for_session("abc")
            await connection.assert_session_confirmed(within="1s")
            for _ in range(count):
                await asyncio.sleep(10)
                await connection.send('{"type":"ping"}')
            if number or not before:
                with pytest.raises(AssertionError) as caught:
                    await session.assert_stable(alive_for="60s", heartbeat_every="10s", heartbeat_within="5s")
                return str(caught.value)
    raise AssertionError("nothing was judged")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (0, "the client never sent a heartbeat: none came in"),
        (3, "the client sent no heartbeat after it reconnected: none came in"),
    ],
)
async def test_a_client_without_heartbeats_is_told_that(before, words):
    """Not that its answers are slow: it never asked, or not any more."""
    async with Orchestrator(ping_interval=None, read_deadline=None) as orchestrator:
        said = await heartbeats_of(orchestrator, before=before, after=0)

    assert words in said
    assert ("and 3 on the connections before" in said) == (before == 3)
    assert "slow" not in said

"""ws_orchestrator: the reference server on the loop of the test."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from pytest_wsstability import StabilityError, faults
from pytest_wsstability.profiles import JSON


async def client(url):
    async with connect(url, ping_interval=None) as websocket:
        await websocket.recv()
        await websocket.send(json.dumps({"type": "session_info", "session_id": "abc"}))
        await websocket.recv()
        while True:
            await asyncio.sleep(25)
            await websocket.send(json.dumps({"type": "ping"}))
            await websocket.recv()


async def test_a_foreign_client_is_its_subject(ws_orchestrator):
    """A client of any library comes to its URL, and the session is asked."""
    task = asyncio.create_task(client(ws_orchestrator.url))
    session = await ws_orchestrator.wait_for_session("abc", within="5s")
    await session.assert_alive_for("2m")
    session.assert_heartbeats_answered(within="1s", at_least=4)
    await session.assert_session_confirmed(within="1s")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_foreign_client_that_sends_no_heartbeat_fails(failure):
    """The server's end of the story."""
    printed = failure(
        """
        import asyncio

        import pytest
        from websockets.asyncio.client import connect

        @pytest.mark.ws_orchestrator(deadline_reset_by="heartbeat")
        async def test_it(ws_orchestrator):
            async with connect(ws_orchestrator.url, ping_interval=None) as websocket:
                await websocket.send('{"type": "session_info", "session_id": "abc"}')
                session = await ws_orchestrator.wait_for_session()
                await session.assert_alive_for("2m")
        """
    )

    assert "[server end]" in printed
    assert "read deadline" in printed


@pytest.mark.ws_orchestrator(read_deadline="10s", ping_interval=None, on_deadline=4000, greet=False)
async def test_its_marker_sets_it_up(ws_orchestrator, ws_connect):
    """The keywords of `Orchestrator`."""
    assert ws_orchestrator.behaviour.read_deadline == 10.0
    connection = await ws_connect()
    await connection.wait_closed()
    connection.assert_closed(code=4000, by="server")
    assert connection.timeline.duration == 10.0


OURS = JSON.replace(name="ours", ping={"op": "PING"}, pong={"op": "PONG"})


@pytest.mark.ws_stability(profile=OURS, alive_for="2m", heartbeat_every="25s")
async def test_it_speaks_the_profile_of_the_test(ws_connection, ws_orchestrator):
    """Said once, for both ends."""
    assert ws_orchestrator.profile is OURS


async def test_it_is_one_for_all_fixtures_of_a_test(ws_url, ws_orchestrator, ws_connect):
    """ws_url leads to it."""
    assert ws_url == ws_orchestrator.url
    await ws_connect()
    assert len(ws_orchestrator.sessions) == 1


@pytest.mark.parametrize("number", range(3))
async def test_each_test_has_its_own(ws_orchestrator, ws_connect, number):
    """Nothing is left of the one before."""
    await ws_connect()
    assert len(ws_orchestrator.sessions) == 1


def test_an_error_of_its_handler_is_an_error_of_the_test(run):
    """It does not vanish in a task."""
    result = run(
        """
        import pytest

        async def broken(connection):
            raise LookupError("no such room")

        @pytest.mark.ws_orchestrator(handler=broken)
        async def test_it(ws_orchestrator, ws_connect):
            connection = await ws_connect()
            await connection.wait_closed()
        """
    )

    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    result.stdout.fnmatch_lines(["*LookupError: no such room"])


@pytest.mark.ws_orchestrator(faults=[("30s", faults.WithholdHeartbeats())])
async def test_its_faults_are_those_of_the_marker(ws_connect):
    """Faults are applied to each connection, and a hold finds them."""
    connection = await ws_connect(heartbeat="25s")
    with pytest.raises(StabilityError, match="sent at 50 s: no answer"):
        await connection.assert_stable(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")


def test_faults_fail_a_soak(failure):
    """The marker's own hold."""
    printed = failure(
        """
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_orchestrator(faults=[("30s", faults.CloseWith(1011, "oops"))])
        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak):
            pass
        """
    )

    assert "observed  1011 at 30 s: received 1011 (internal error) oops" in printed


def test_a_fault_behind_the_end_of_a_hold_is_refused(refusal):
    """It would read as one that was survived."""
    printed = refusal(
        """
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_orchestrator(faults=[("3m", faults.WithholdPongs())])
        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak):
            pass
        """
    )

    assert "faults: faults.WithholdPongs() at 180 s would never be applied, because" in printed


def test_wrong_faults_are_refused_at_collection(refusal):
    """Contradictions, and faults that the profile cannot have."""
    printed = refusal(
        """
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_orchestrator(faults=[faults.NeverConfirm(), faults.DuplicateConfirm()])
        async def test_it(ws_orchestrator):
            pass
        """
    )

    assert "test_it: faults: faults.DuplicateConfirm() at 0 s" in printed


async def test_clients_are_asserted_on(ws_orchestrator):
    """Restart, reconnect, no storm, no duplicate."""

    async def client():
        async for websocket in connect(ws_orchestrator.url, ping_interval=None):
            with contextlib.suppress(ConnectionClosed):
                await websocket.recv()
                await websocket.send('{"type": "session_info", "session_id": "abc"}')
                while True:
                    await websocket.recv()

    task = asyncio.create_task(client())
    session = await ws_orchestrator.wait_for_session("abc")
    await ws_orchestrator.restart(down_for="5s", how=1012)
    await session.assert_reconnects(within="60s", same_session=True)
    ws_orchestrator.assert_no_reconnect_storm(max_per_second=2)
    ws_orchestrator.assert_no_duplicate_session()
    session.assert_handshake()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_a_client_that_does_not_come_back_fails(failure):
    """With the record of what it did, and without our frames."""
    printed = failure(
        """
        async def test_it(ws_orchestrator, ws_connect):
            await ws_connect(session_id="abc")
            session = await ws_orchestrator.wait_for_session("abc")
            await ws_orchestrator.restart(down_for="5s")
            await session.assert_reconnects(within="30s")
        """
    )

    assert "SessionError: session 'abc' did not come back within 30 s [server end]" in printed
    assert "+0.000 s < attempt 1: opened, session 'abc'" in printed
    assert "reconnects.py" not in printed


REFUSED = """
import asyncio
import pytest
from pytest_wsstability import OpeningError, faults

@pytest.mark.ws_orchestrator(faults=[faults.RefuseUpgrade(503)])
async def test_it(ws_orchestrator, ws_connect):
    for _ in range(5):
        with pytest.raises(OpeningError):
            await ws_connect()
    ws_orchestrator.assert_no_reconnect_storm(max_per_second=2)
"""


def test_a_storm_of_clients_that_never_got_in_fails(failure, pytester):
    """No connection opened, so that there is no timeline; the report has the failure all the same."""
    printed = failure(REFUSED, "-vv", "--ws-report=report.json")

    assert "SessionError: 5 attempts in one second, more than 2 [server end]" in printed
    assert "+0.000 s < attempt 5: refused with HTTP 503" in printed
    assert "0 of 1 holds stable, 1 unstable; " in printed
    assert "5 attempts in one second, more than 2" in (pytester.path / "report.json").read_text()

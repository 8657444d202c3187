"""What a session takes down of its tests."""

from __future__ import annotations

import pytest

# Prints what was taken down: outcome, whether it was expected, target, horizon, worker.
CONFTEST = """
from pytest_wsstability.plugin.reports.results import results_of

def pytest_terminal_summary(terminalreporter, config):
    for result in results_of(config):
        verdict = result.verdict
        terminalreporter.write_line(
            f"TAKEN {result.nodeid.partition('::')[2]} {verdict.outcome.value} "
            f"{'expected' if result.expected else 'counts'} {verdict.horizon:g} "
            f"{result.url.partition(':')[0]} {len(result.timelines)} {result.path} {result.line} "
            f"{result.worker}"
        )
"""


@pytest.fixture
def taken(run):
    """Run a test module and give what was taken down, without the line's first word."""

    def runner(source: str, *args: str) -> list[str]:
        lines = run(source, *args, conftest=CONFTEST).stdout.lines
        return sorted(line.removeprefix("TAKEN ").strip() for line in lines if line.startswith("TAKEN "))

    return runner


SUITE = """
import pytest
from pytest_wsstability import StabilityError

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
def test_soak(ws_soak):
    pass

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_red(ws_soak):
    pass

@pytest.mark.ws_stability(alive_for="2m")
async def test_connection(ws_connection):
    pass

async def test_connect(ws_connect):
    await (await ws_connect(heartbeat="25s")).assert_alive_for("1h")
    await ws_connect()

async def test_asked_for(ws_connect):
    with pytest.raises(StabilityError):
        await (await ws_connect(client="mute")).assert_alive_for("2m")
"""
TAKEN = [
    "test_asked_for unstable expected 60 ws 2 test_it.py 20",
    "test_connect stable counts 3600 ws 2 test_it.py 16",
    "test_connection stable counts 120 ws 2 test_it.py 12",
    "test_red unstable counts 60 ws 2 test_it.py 8",
    "test_soak stable counts 120 ws 2 test_it.py 4",
]


def test_each_connection_that_was_judged(taken, pytester):
    """Soaks, marked connections and others; not a connection that nobody asserted anything about."""
    pytester.makepyfile(test_it=SUITE)

    assert [line for line in taken("") if line] == TAKEN


@pytest.mark.slow
def test_with_xdist(taken, pytester):
    """The workers send theirs home, and say which worker it was."""
    pytester.makepyfile(test_it=SUITE)
    lines = taken("", "-n", "2", "-p", "no:looptime_plugin")

    assert [line.rpartition(" ")[0] for line in lines] == TAKEN
    assert {line.rpartition(" ")[2] for line in lines} == {"gw0", "gw1"}


def test_sessions_at_the_orchestrator(taken):
    """A client of any kind, judged where it arrives."""
    (line,) = taken(
        """
        from pytest_wsstability import connect

        async def test_it(ws_orchestrator):
            connection = await connect(ws_orchestrator.url, heartbeat="25s")
            session = await ws_orchestrator.wait_for_session()
            await session.assert_alive_for("2m")
            session.assert_no_abnormal_closure()
            await connection.close()
        """
    )

    assert line.startswith("test_it stable counts 120 ws 1 ")


def test_what_a_client_did_between_its_connections(taken):
    """No single connection is judged, and the failure is a result all the same."""
    (line,) = taken(
        """
        from pytest_wsstability import connect

        async def test_it(ws_orchestrator):
            connection = await connect(ws_orchestrator.url)
            await ws_orchestrator.wait_for_session()
            await ws_orchestrator.sessions[0].connection.close(1012)
            await ws_orchestrator.assert_reconnects(within="5s")
        """
    )

    assert line.startswith("test_it unstable counts 5  0 ")


def test_a_timeline_of_ones_own(taken):
    """The plain functions know no connection; a failure of theirs is a result all the same."""
    (line,) = taken(
        """
        from pytest_wsstability import assert_alive_for, connect

        async def test_it(ws_orchestrator):
            connection = await connect(ws_orchestrator.url, client="mute")
            await connection.wait_closed()
            assert_alive_for(connection.timeline, "2m")
        """
    )

    assert line.startswith("test_it unstable counts 60  1 ")


def test_a_second_look_at_a_stable_soak(taken):
    """What the test asserts on top counts: the hold is not stable if that fails."""
    (line,) = taken(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        def test_it(ws_soak):
            ws_soak.assert_heartbeats_answered(within="5s", at_least=40)
        """
    )

    assert line.startswith("test_it inconclusive counts 120 ws 2 ")


def test_of_several_connections_the_one_that_failed_counts(taken):
    """The other one died because the test wanted it."""
    lines = taken(
        """
        import pytest
        from pytest_wsstability import StabilityError

        async def test_it(ws_connect):
            first, second = await ws_connect(client="mute"), await ws_connect(client="mute")
            with pytest.raises(StabilityError):
                await first.assert_alive_for("2m")
            await second.assert_alive_for("90s")
        """
    )

    assert [line.split()[1:4] for line in lines] == [
        ["unstable", "counts", "60"],
        ["unstable", "expected", "60"],
    ]


def test_a_target_that_cannot_be_reached(taken, unused_port):
    """No timeline, and yet a result: the hold was required, and there was none."""
    (line,) = taken(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak):
            pass
        """,
        f"--ws-url=ws://127.0.0.1:{unused_port}/",
    )

    assert line.startswith("test_it unstable counts 0 ws 0 ")


def test_an_expected_failure(taken):
    """xfail asks for it, too."""
    (line,) = taken(
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        @pytest.mark.ws_stability(alive_for="2m", client="mute")
        def test_it(ws_soak):
            pass
        """
    )

    assert line.startswith("test_it unstable expected 60 ")

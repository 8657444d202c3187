"""ws_connection: one open connection, held to the marker whatever the body looks at."""

from __future__ import annotations

import pytest

from pytest_wsstability import Connection


async def test_it_is_open_and_its_session_confirmed(ws_connection, ws_url):
    """What a body finds, without a marker."""
    assert isinstance(ws_connection, Connection)
    assert ws_connection.url == ws_url
    assert ws_connection.timeline.session_confirmed_at == 0.0
    assert await ws_connection.ping() + 1 > 0.0


@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")
async def test_an_empty_body_holds_the_marker(ws_connection, ws_clock):
    """Nothing is asserted by hand."""


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ('ws_orchestrator(read_deadline="60s", ping_interval=None)', "1006 at 60 s of 120 s"),
        ('ws_stability(client="mute")', "1006 at 60 s of 120 s"),
        ("ws_orchestrator(answer_heartbeats=False)", "heartbeats not answered within 5 s"),
        ("ws_orchestrator(confirm_sessions=False)", "session not confirmed within 3 s"),
    ],
)
def test_an_empty_body_and_a_broken_server_fail(failure, broken, words):
    """No vacuous pass."""
    printed = failure(
        f"""
        import pytest

        @pytest.mark.{broken}
        @pytest.mark.ws_stability(
            alive_for="2m", heartbeat_every="25s", heartbeat_within="5s", session_within="3s"
        )
        async def test_it(ws_connection):
            pass
        """
    )

    assert words in printed
    assert "pytest_wsstability/" not in printed.partition("FAILURES")[2]


def test_a_body_that_looked_at_less_fails_too(failure):
    """The requirement is checked after it in any case."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_orchestrator(ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            await ws_connection.assert_alive_for("30s")
            print("so far so good")
        """
    )

    assert "so far so good" in printed
    assert "1006 at 60 s of 120 s" in printed


def test_a_body_that_fails_wins(failure):
    """Its failure is shown, not what the requirement would say after."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_orchestrator(ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            assert ws_connection.url == "mine"
        """
    )

    assert "assert 'ws://127.0.0.1:" in printed
    assert "1006" not in printed


def test_a_session_that_is_not_confirmed_is_a_failure_and_no_error(failure):
    """Without a marker it has 10 seconds; the body does not run."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_orchestrator(confirm_sessions=False)
        async def test_it(ws_connection):
            print("the body ran")
        """
    )

    assert "session not confirmed within 10 s" in printed
    assert "the body ran" not in printed


def test_a_session_that_is_confirmed_late_fails(failure):
    """The marker's time for it counts."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_orchestrator(confirm_sessions="4s")
        @pytest.mark.ws_stability(session_within="3s")
        async def test_it(ws_connection):
            pass
        """
    )

    assert "session not confirmed within 3 s" in printed


@pytest.mark.ws_stability(profile="frames", alive_for="2m", heartbeat_every="25s")
async def test_a_profile_without_sessions_waits_for_none(ws_connection):
    """The frames profile has nothing to confirm."""
    assert ws_connection.session_id is None


def test_a_body_that_closes_early_fails_its_marker(failure):
    """Two minutes were promised; who closes after one has not seen them."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            await ws_connection.assert_alive_for("1m")
            await ws_connection.close()
        """
    )

    assert "60 s" in printed


def test_xfail_knows_it(run):
    """The check after the body belongs to the call."""
    result = run(
        """
        import pytest
        from pytest_wsstability import StabilityError

        @pytest.mark.xfail(raises=StabilityError, strict=True)
        @pytest.mark.ws_orchestrator(ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            pass
        """
    )

    assert result.parseoutcomes() == {"xfailed": 1}


def test_a_skip_in_the_body_stays_one(run):
    """Nothing is checked after it."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_orchestrator(ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            pytest.skip("not today")
        """
    )

    assert result.parseoutcomes() == {"skipped": 1}


def test_pytestmark_of_a_module_reaches_every_test(run):
    """One requirement for a file."""
    result = run(
        """
        import pytest

        pytestmark = [pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")]

        async def test_good(ws_connection):
            pass

        @pytest.mark.ws_orchestrator(ping_interval=None)
        async def test_bad(ws_connection):
            pass
        """
    )

    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(["FAILED *::test_bad - *1006 at 60 s *"])


@pytest.mark.ws_orchestrator(echo=True)
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
async def test_messages_of_the_body_do_not_disturb_the_hold(ws_connection):
    """The inbox of a connection is for the body; the hold afterwards needs nobody to empty it."""
    await ws_connection.send("hello")
    assert await ws_connection.recv() == "hello"
    await ws_connection.send("nobody takes this one")

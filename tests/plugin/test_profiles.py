"""Profiles of the user's: by hook, by name, by value."""

from __future__ import annotations

import pytest

CONFTEST = """
from pytest_wsstability.profiles import JSON

def pytest_wsstability_profiles(config):
    assert config.option is not None
    return [JSON.replace(name="ours", ping={"op": "PING"}, pong={"op": "PONG"})]
"""
SOURCE = """
async def test_it(ws_orchestrator, ws_connect):
    connection = await ws_connect(heartbeat="25s")
    await connection.assert_alive_for("2m")
    connection.assert_heartbeats_answered(within="1s", at_least=4)
    assert connection.websocket.profile.name == ws_orchestrator.profile.name == "ours"
"""


def test_an_option_names_one_of_a_conftest(passes):
    """Given by the hook."""
    passes(SOURCE, "--ws-profile=ours", conftest=CONFTEST)


def test_the_ini_file_names_it(passes, ini):
    """For a project whose tests all speak it."""
    ini("ws_profile = ours")

    passes(SOURCE, conftest=CONFTEST)


@pytest.mark.parametrize("where", ["--ws-profile=ours.protocol:OURS", "ws_profile = ours.protocol:OURS"])
def test_a_module_where_pytest_is_run_has_it(passes, pytester, ini, where):
    """Without a conftest that brings the folder in, as `--ws-app` and `wsstability hold` have it."""
    pytester.mkpydir("ours").joinpath("protocol.py").write_text(
        "from pytest_wsstability.profiles import JSON\nOURS = JSON.replace(name='ours')\n"
    )
    if not where.startswith("-"):
        ini(where)

    passes(SOURCE, *([where] if where.startswith("-") else []))


@pytest.mark.parametrize(
    "markers",
    [
        "@pytest.mark.ws_stability(profile='ours')",
        "@pytest.mark.ws_stability(profile='ours')\n@pytest.mark.ws_orchestrator(profile='ours')",
    ],
)
def test_a_marker_names_it(passes, markers):
    """For a test; the server's marker may name it too."""
    passes("import pytest\n\n" + markers + SOURCE, conftest=CONFTEST)


def test_an_unknown_one_lists_it(run):
    """Valid names include those of the hook."""
    result = run("def test_it(): pass", "--ws-profile=our", conftest=CONFTEST)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--ws-profile: profile: 'our' is unknown; valid ones: 'json', 'frames'" in result.stderr.str()


def test_one_may_replace_ours(passes):
    """A team that calls its own protocol "json"."""
    passes(
        """
        async def test_it(ws_connect):
            connection = await ws_connect()
            assert connection.websocket.profile.ping == {"op": "PING"}
        """,
        conftest=CONFTEST.replace('"ours"', '"json"'),
    )


def test_frames(passes):
    """Heartbeats are ping frames, and there is no session."""
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")
        async def test_it(ws_connection):
            assert not ws_connection.websocket.profile.has_session
        """,
        "--ws-profile=frames",
    )


@pytest.mark.parametrize("mark", ['heartbeat_interval="10s"', 'faults=[("1s", faults.LateHeartbeats("1s"))]'])
def test_the_marker_of_the_server_is_read_with_the_profile_of_the_option(passes, mark):
    """What its servers do, and not those of the default."""
    passes(
        f"""
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_orchestrator({mark})
        @pytest.mark.ws_stability(alive_for="1m")
        def test_it(ws_soak): ...
        """,
        "--ws-profile=socketio",
    )


READ_ONLY = """
from pytest_wsstability.profiles import JSON, Codec

def pytest_wsstability_profiles(config):
    return [JSON.replace(name="ours", pong=Codec(lambda text: text == "PONG"))]
"""


@pytest.mark.parametrize(("fixture", "outcome"), [("ws_url", "passed"), ("ws_orchestrator", "errors")])
def test_a_profile_that_no_server_can_speak_is_refused_where_one_is_asked_for(run, fixture, outcome):
    """The mark of a module is for those of its tests that use one."""
    source = f"""
        import pytest

        pytestmark = pytest.mark.ws_orchestrator(read_deadline="60s")

        def test_it({fixture}): ...
        """

    args = ("--ws-profile=ours", "--ws-url=ws://127.0.0.1:9/")
    assert run(source, *args, conftest=READ_ONLY).parseoutcomes() == {outcome: 1}


@pytest.mark.parametrize(
    ("mark", "requirement", "stable"),
    [
        ("", 'heartbeat_every="25s"', True),
        ("", 'heartbeat_every="7s", heartbeat_within="2s"', True),
        # The mark of the server counts before the test.
        ('heartbeat_interval="10s"', 'heartbeat_every="25s", heartbeats_at_least=11', True),
        ('heartbeat_interval="60s"', 'heartbeat_every="25s"', False),
        # Nobody says how often.
        ("", 'heartbeat_within="2s"', False),
    ],
)
@pytest.mark.parametrize("profile", ["twilio", "elevenlabs"])
def test_a_server_that_alone_sends_heartbeats_sends_them_as_often_as_the_test_wants(
    run, profile, mark, requirement, stable
):
    """Where the protocol has no interval: a client's go out as often as the test says, too."""
    result = run(
        f"""
        import pytest

        @pytest.mark.ws_orchestrator({mark})
        @pytest.mark.ws_stability(alive_for="2m", profile={profile!r}, {requirement})
        def test_it(ws_soak): ...
        """
    )

    assert result.parseoutcomes() == {"passed" if stable else "failed": 1}

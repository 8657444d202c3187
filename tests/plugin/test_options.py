"""Options: a wrong value is a usage error that names it; the header line says what is under test."""

from __future__ import annotations

import pytest

from pytest_wsstability.plugin.option_values import READERS
from pytest_wsstability.plugin.options import OPTIONS
from pytest_wsstability.plugin.settings import Settings

NOTHING = "def test_it(): pass"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--ws-url=ftp://a.example/"], "--ws-url: 'ftp://a.example/' is not a WebSocket URL"),
        (
            ["--ws-url=/voice"],
            "--ws-url: '/voice' is not a WebSocket URL (it is a path on no server); give ws://",
        ),
        (["--ws-url=a.example:80"], "--ws-url: 'a.example:80' is not a WebSocket URL"),
        (["--ws-url=ws://a.example:99999/"], "--ws-url: 'ws://a.example:99999/' is not a WebSocket URL"),
        (["--ws-url=ws://a.example/#part"], "is not a WebSocket URL (it has a fragment)"),
        (["--ws-time=fast"], "argument --ws-time: invalid choice: 'fast'"),
        (["--ws-diagnose=guess"], "argument --ws-diagnose: invalid choice: 'guess'"),
        (["--ws-inconclusive=ignore"], "argument --ws-inconclusive: invalid choice: 'ignore'"),
        (["--ws-profile=jsn"], "--ws-profile: profile: 'jsn' is unknown; valid ones: 'json', 'frames'"),
        (["--ws-header=Authorization"], "--ws-header: "),
        (["--ws-header=My Name: value"], "--ws-header: "),
        (["--ws-header=: value"], "--ws-header: "),
        (["--ws-ca=nowhere.pem"], "--ws-ca: there is no file 'nowhere.pem'"),
        (["--ws-seed=one"], "argument --ws-seed: invalid int value: 'one'"),
        (["-o", "ws_time=fast"], "ws_time: 'fast' is none of auto, virtual, real"),
        (["-o", "ws_inconclusive=ignore"], "ws_inconclusive: 'ignore' is none of fail, skip"),
        (["-o", "ws_url=nothing"], "ini ws_url: 'nothing' is not a WebSocket URL"),
        (["-o", "ws_headers=nothing"], "ws_headers: "),
        (
            ["-o", "ws_command_url=localhost:{port}/ws"],
            "ini ws_command_url: 'localhost:8000/ws' is not a WebSocket URL (it has no scheme); give ws:// "
            "or wss:// and a host, such as ws://127.0.0.1:{port}/ws",
        ),
        (["-o", "ws_profile=jsn"], "profile: 'jsn' is unknown"),
        # What a script writes whose variable is not set.
        (["--ws-artifacts="], "--ws-artifacts: it is empty; write a folder"),
        (["--ws-keep-audio="], "--ws-keep-audio: it is empty; write a folder"),
        (["--ws-cluster="], "--ws-cluster: it is empty; write the address of a scheduler, such as tcp://"),
        (["--ws-workers="], "--ws-workers: it is empty; write a spec of execnet, such as 4*popen"),
    ],
)
def test_a_wrong_value_is_a_usage_error(run, args, words):
    """Exit code 4, one sentence, no traceback."""
    result = run(NOTHING, *args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()
    assert "Traceback" not in result.stderr.str()


def test_a_wrong_url_of_the_environment_is_named(run, monkeypatch):
    """The message says where it came from."""
    monkeypatch.setenv("WS_URL", "a.example")

    result = run(NOTHING)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "WS_URL: 'a.example' is not a WebSocket URL" in result.stderr.str()


def test_a_secret_in_a_wrong_url_is_masked(run):
    """Usage errors end up in logs of CI, too."""
    result = run(NOTHING, "--ws-url=http://u:hunter2@a.example/?token=hunter2")

    assert "hunter2" not in result.stderr.str()


@pytest.mark.parametrize(
    ("args", "line"),
    [
        ([], "wsstability: target the reference orchestrator, time auto (virtual), profile json"),
        (["--ws-time=real"], "wsstability: target the reference orchestrator, time real, profile json"),
        (
            ["--ws-url=wss://u:hunter2@a.example/ws?token=hunter2", "--ws-profile=frames"],
            "wsstability: target wss://*@a.example/ws?token=*** (from --ws-url), "
            "time auto (real: the target is remote), profile frames",
        ),
        (
            ["-o", "ws_url=ws://a.example/", "-o", "ws_profile=frames", "-o", "ws_time=virtual"],
            "wsstability: target ws://a.example/ (from ini ws_url), time virtual, profile frames",
        ),
    ],
)
def test_the_header_line(run, args, line):
    """Target, where it came from, clock, profile; no secrets."""
    result = run(NOTHING, *args)

    result.stdout.fnmatch_lines([line])
    assert "hunter2" not in result.stdout.str()


def test_the_help_lists_them(pytester):
    """In a group of their own."""
    result = pytester.runpytest_inprocess("--help")

    result.stdout.fnmatch_lines(["WebSocket stability:", "  --ws-url=URL *", "  --ws-long *"])


def test_the_option_wins_over_the_ini_file(passes, ini):
    """For the clock and the profile."""
    ini("ws_time = real", "ws_profile = frames")

    passes(
        """
        async def test_it(ws_clock, ws_connect):
            assert ws_clock.is_virtual
            await (await ws_connect()).assert_session_confirmed(within="1s")
        """,
        "--ws-time=virtual",
        "--ws-profile=json",
    )


def test_what_virtual_tests_draw_is_forgotten_after_them(passes):
    """The test before and after draw as ever."""
    source = """
        import random

        seen = []

        def test_state():
            random.seed(5)
            seen.append(random.random())
            random.seed(5)

        async def test_it(ws_clock):
            random.random()

        def test_restored():
            assert random.random() == seen[0]
        """
    assert passes(source) == 3


def test_each_setting_has_one_row():
    """What the table reads is what the plugin knows."""
    names = [option.name for option in OPTIONS]

    assert len(names) == len(set(names))
    assert {*names, "targets", "header_layers"} == set(Settings.__annotations__) | {"url", "app", "command"}


def test_what_is_read_is_an_option():
    """No reader is left over from one that is gone."""
    assert set(READERS) <= {option.name for option in OPTIONS}


def test_the_header_has_the_versions(run):
    """Those that a bug report needs, beside pytest's own."""
    result = run(NOTHING)

    result.stdout.fnmatch_lines(["wsstability: pytest-wsstability *, websockets *, pytest-asyncio *"])

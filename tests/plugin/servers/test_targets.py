"""What is under test where several ways name it: options, environment, fixtures and the ini file."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.usefixtures("project_app")


@pytest.mark.parametrize(
    ("args", "env", "ini_line", "fixture", "expected"),
    [
        ([], "", "", False, "reference"),
        ([], "", "ws_app = app:app", False, "app"),
        ([], "", "ws_app = app:app", True, "fixture"),
        ([], "ws://127.0.0.1:9/env", "ws_app = app:app", True, "ws://127.0.0.1:9/env"),
        (["--ws-app=app:app"], "ws://127.0.0.1:9/env", "", True, "app"),
        (["--ws-url=ws://127.0.0.1:9/cli"], "", "ws_app = app:app", True, "ws://127.0.0.1:9/cli"),
    ],
)
def test_what_counts_first(passes, ini, monkeypatch, args, env, ini_line, fixture, expected):
    """The command line before the environment, that before an overridden ws_app, that before the ini file."""
    pytest.importorskip("uvicorn")
    if env:
        monkeypatch.setenv("WS_URL", env)
    ini(ini_line)
    conftest = """
        import pytest

        @pytest.fixture
        def ws_app():
            async def handler(connection):
                await connection.send("fixture")
                async for message in connection: ...
            return handler
        """
    source = f"""
        from pytest_wsstability.plugin.targets import AppURL, ReferenceURL

        async def test_it(ws_url, ws_connect):
            expected = {expected!r}
            if expected.startswith("ws:"):
                assert ws_url == expected
                return
            assert type(ws_url) is (ReferenceURL if expected == "reference" else AppURL)
            connection = await ws_connect(profile="json" if expected == "reference" else "frames")
            if expected == "fixture":
                assert await connection.recv() == "fixture"
        """
    passes(source, *args, conftest=conftest if fixture else None)


def test_an_overridden_ws_url_is_the_last_word(passes):
    """As pytest has it; its path joins the mark's, and http:// is taken as ws://."""
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(url="/voice", time="virtual")
        async def test_it(ws_connect, ws_orchestrator):
            connection = await ws_connect(profile="frames")
            assert connection.url == ws_orchestrator.url.rstrip("/") + "/voice?a=1"
        """,
        "--ws-app=app:app",
        conftest="""
        import pytest

        @pytest.fixture
        def ws_url(ws_orchestrator):
            return ws_orchestrator.url.replace("ws://", "http://") + "?a=1"
        """,
    )


@pytest.mark.parametrize(
    ("args", "names"),
    [
        (["--ws-url=ws://a.example/", "--ws-app=app:app"], "--ws-url and --ws-app"),
        (["--ws-url=ws://a.example/", "--ws-command=node x"], "--ws-url and --ws-command"),
        (["--ws-app=app:app", "--ws-command=node x"], "--ws-app and --ws-command"),
    ],
)
def test_two_targets_on_the_command_line_are_one_too_many(run, args, names):
    """A usage error: exit code 4."""
    result = run("def test_it(): ...", *args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {names}: give one of them, not both"])

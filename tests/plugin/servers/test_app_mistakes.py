"""Apps and servers that are none, and factories that make none: what is wrong, and what to write."""

from __future__ import annotations

import pytest

from tests.plugin.servers.sources import HOLD

pytestmark = pytest.mark.usefixtures("project_app")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("app", ["'app' names no app; write module:name, or module:factory()"]),
        ("", ["it is empty; write module:name, or module:factory()"]),
        ("app:", ["'app:' names no app"]),
        ("./app:app", ["'./app:app' names a file; write module:name, or module:factory(), such as app:app"]),
        ("src/inner/main.py:make()", ["names a file; write ", ", such as src.inner.main:make()"]),
        ("{here}/inner/main.py:app", [" names a file; write ", ", such as inner.main:app"]),
        ("../elsewhere/main.py:app", [" names a file; write ", ", such as main:app"]),
        ("app.py:app", ["'app.py:app' names a file; write ", ", such as app:app"]),
        ("other.py:app", ["there is no module 'other' in"]),
        ("app:factory(1)", ["names no app; write module:name", "; one that takes arguments is called by a"]),
        ("nowhere:app", ["there is no module 'nowhere'", "write module:name"]),
        ("app:apq", ["app has no 'apq'; write app:app or app:"]),
        ("empty:app", ["empty has no 'app' (it has number, text)"]),
        (
            "app:create",
            ["create is no app that", "if it makes the app from settings and debug, give what it "],
        ),
        (
            "inner:app",
            ["there is no module 'inner'", "src/inner is there: install it (pip install -e .), or"],
        ),
        (
            "reads:app",
            ["importing reads failed: KeyError: 'NOT_SET', at ", "set the variable NOT_SET, in the"],
        ),
        (
            "app:number",
            ["a builtins.int is no app; give an ASGI app, an aiohttp", "; what has a server of its own "],
        ),
        (
            "app:wsgi",
            [
                "wsgi is a WSGI app, which has no WebSockets of its own",
                "flask-sock or the like runs by --ws-",
            ],
        ),
        (
            "app:sync",
            ["sync is no app", "a handler of websockets is 'async def', and one of websockets.sync"],
        ),
        (
            "exits:app",
            ["importing exits failed: SystemExit: 2, at ", "exits.py:2 (<module>); what reads arg"],
        ),
        ("spelt:app", ["importing spelt failed: SyntaxError: '(' was never closed (spelt.py, line 1)\n"]),
        ("app:Class", ["Class is a class; give an instance of it"]),
        (
            "app:nothing",
            ["nothing takes no argument: if it makes the app, write 'module:name()', or call it in the "],
        ),
        ("broken:app", ["importing broken failed: ZeroDivisionError: division by zero, at ", "broken.py:1 "]),
        (
            "needs:app",
            ["importing needs failed: ModuleNotFoundError: No module named 'missing_library', at "],
        ),
    ],
)
def test_an_app_that_is_none_is_told_before_any_test_runs(run, pytester, spec, words):
    """With the value, what it is, and what to write."""
    pytester.makepyfile(
        spelt="app = (",
        broken="1 / 0", needs="import missing_library", empty="number, text = 1, ''",
        reads="import os\nos.environ['NOT_SET']", exits="import sys\nsys.exit(2)",
    )  # fmt: skip
    pytester.mkpydir("src").joinpath("inner").mkdir()
    result = run(HOLD, f"--ws-app={spec.replace('{here}', str(pytester.path))}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = (line for line in result.stderr.lines if line.startswith("ERROR: --ws-app: "))
    assert [word for word in words if word not in f"{line}\n"] == []


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ('"gunicorn"', ["ws_server: 'gunicorn' is no server; valid ones: uvicorn, hypercorn, aiohttp"]),
        ('"uvicorn", ws_ping=20', ["ws_ping is no setting of uvicorn; did you mean ws_ping_"]),
        ('"uvicorn", port=80', ["port is no setting of uvicorn"]),
        ('"hypercorn", websocket_ping=20', ["did you mean websocket_ping_interval?"]),
        ('"uvicorn", "hypercorn"', ["takes the name of one server"]),
        ("", ["says nothing; name a server, or give settings"]),
    ],
)
def test_a_server_that_is_none_is_an_error_at_collection(refusal, mark, words):
    """It names the test, the value and the valid ones."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("hypercorn")
    printed = refusal(
        HOLD.replace("def test_it", f"@pytest.mark.ws_server({mark})\ndef test_it"), "--ws-app=app:app"
    )
    assert "test_it" in printed
    assert [word for word in words if word not in printed] == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gunicorn", "'gunicorn' is no server; valid ones: uvicorn, hypercorn, aiohttp, tornado, *, daphne"),
        ("gunicorn(workers=", "'gunicorn' is no server; valid ones: uvicorn, *"),
        ("gunicorn -w 2", "'gunicorn -w 2' is no server; write uvicorn, or uvicorn(ws_ping_interval=20)"),
        ("uvicorn(", "'uvicorn(': its settings have names, and values as in Python: uvicorn(*)"),
        ("uvicorn(20)", "'uvicorn(20)': its settings have names, and values as in Python: *"),
        ("uvicorn(ws_ping_interval=20s)", "'uvicorn(ws_ping_interval=20s)': its settings have names, *"),
        ("uvicorn(ws=open('x'))", """"uvicorn(ws=open('x'))": its settings have names, *"""),
    ],
)
def test_a_server_in_the_ini_that_is_none_is_a_usage_error(run, ini, text, words):
    """What is wrong, the server or its settings, is said; nothing of it is run."""
    ini(f"ws_server = {text}")
    result = run(HOLD, "--ws-app=app:app")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: ini ws_server: {words}"])


SERVED = """
    import pytest

    {of_class}
    class TestAll:
        {mark}
        @pytest.mark.ws_stability(alive_for="2s", profile="frames")
        def test_it(self, ws_soak):
            pass
"""

MARK = '@pytest.mark.ws_server("uvicorn", ws_ping_interval=20)'


def test_a_server_without_an_app_is_an_error_at_collection(refusal):
    """The reference orchestrator would be judged in its place."""
    printed = refusal(SERVED.format(of_class="", mark=MARK))
    assert "test_it: ws_server: no app is under test that it could serve; give one by --ws-app" in printed


def test_a_server_is_no_mistake_where_another_run_or_test_has_its_app(passes, run, unused_port):
    """The mark of a class is for those of its tests that have one; a URL may stand for the app too."""
    assert passes(SERVED.format(of_class=MARK, mark="")) == 1
    elsewhere = run(SERVED.format(of_class="", mark=MARK), f"--ws-url=ws://127.0.0.1:{unused_port}/")
    assert elsewhere.parseoutcomes() == {"failed": 1}
    assert "did not open" in elsewhere.stdout.str()


def test_a_server_that_is_not_installed_is_named_with_its_pip_line(run, monkeypatch):
    """The extra that brings it, and the other server of the kind."""
    monkeypatch.setattr("pytest_wsstability.net.apps.serving.is_installed", lambda server: False)
    result = run(HOLD, "--ws-app=app:app")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([
        "ERROR: --ws-app: uvicorn is not installed: pip install 'pytest-wsstability[[]uvicorn]' "
        "or pip install 'pytest-wsstability[[]hypercorn]'"
    ])  # fmt: skip


def test_a_factory_that_raises_is_told(run):
    """With the place, in one message and without a traceback of ours."""
    result = run(HOLD, "--ws-app=app:raises()")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["calling app:raises() failed: KeyError: 'no settings', at *app.py:* (raises)"]
    )


@pytest.mark.parametrize("name", ["exits", "exits_later"])
def test_a_factory_that_ends_the_program_is_told(run, name):
    """As argparse does in a main function; the run goes on."""
    result = run(HOLD, f"--ws-app=app:{name}()")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [f"calling app:{name}() failed: SystemExit: 3, at *; what reads arguments, or serves, belongs under*"]
    )


def test_a_factory_that_needs_arguments_is_told(run):
    """Which, and where they can be given."""
    result = run(HOLD, "--ws-app=app:create()")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([
        "app:create() is called without arguments, and takes settings and debug: give what it makes by a "
        "fixture ws_app"
    ])  # fmt: skip


@pytest.mark.parametrize(("seconds", "outcome"), [(59, "passed"), (61, "errors")])
def test_a_factory_that_does_not_return_is_told(run, pytester, seconds, outcome):
    """A script's ``main()`` serves for ever, and makes no app."""
    pytester.makepyfile(
        served=f"""
        import asyncio, app
        async def main():
            await asyncio.sleep({seconds})
            return app.app
        """
    )
    result = run(HOLD, "--ws-app=served:main()")

    assert result.parseoutcomes() == {outcome: 1}
    if outcome == "errors":
        result.stdout.fnmatch_lines([
            "served:main() gave no app within 60 s; name what makes it, not what serves it; that was *"
        ])  # fmt: skip


SERVING = """
import conftest

# As uvicorn.run(app) does.
assert conftest.said.wait(60)

async def handler(connection):
    await connection.wait_closed()
"""

HEARING = """
import threading
import pytest
from pytest_wsstability.plugin import slow

slow.SLOW = 0.01
said = threading.Event()

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    write = reporter.write_line

    def write_line(line, **markup):
        write(line, **markup)
        if line.startswith("wsstability: importing serving takes "):
            said.set()

    reporter.write_line = write_line
"""


@pytest.mark.slow
def test_an_import_that_serves_is_told(pytester, monkeypatch):
    """It would never end, and nothing said why no test runs."""
    pytester.makeconftest(HEARING)
    pytester.makepyfile(
        serving=SERVING,
        test_it="""
        import pytest

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_it(ws_soak): ...
        """,
    )
    result = pytester.runpytest_subprocess("--ws-app=serving:handler", "-p", "no:looptime_plugin")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["wsstability: importing serving takes * s so far; what reads arguments, or serves,*"]
    )

"""``--ws-app`` and the fixture ``ws_app``: the app under test, served by what its users deploy."""

from __future__ import annotations

import re
import sys
import traceback
from importlib.metadata import version

import pytest

HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="1h", heartbeat_every="25s", profile="frames")
def test_it(ws_soak):
    assert ws_soak.timeline.tier.name == "VIRTUAL"
"""
BOTH = (
    HOLD
    + """
@pytest.mark.ws_stability(alive_for="1h", heartbeat_every="25s", profile="frames")
async def test_async(ws_connect, ws_clock):
    assert ws_clock.is_virtual
    connection = await ws_connect()
    await connection.send("hello")
    assert await connection.recv() == "hello"
    await connection.assert_stable()
"""
)

pytestmark = pytest.mark.usefixtures("project_app")


def test_an_app_needs_one_option_and_no_conftest(passes):
    """An hour in virtual time, in a sync and in an async test."""
    pytest.importorskip("uvicorn")
    assert passes(BOTH, "--ws-app=app:app") == 2


def test_the_ini_file_names_the_app(passes, ini):
    """And the header says what is under test."""
    pytest.importorskip("uvicorn")
    ini("ws_app = app:factory()", "ws_server = uvicorn(ws_ping_interval=50)")
    assert passes(HOLD) == 1


@pytest.mark.parametrize(
    ("package", "server"),
    [
        ("uvicorn", '"uvicorn", ws="websockets-sansio", ws_ping_interval=20'),
        ("wsproto", '"uvicorn", ws="wsproto", ws_ping_interval=20'),
        ("uvicorn", '"uvicorn", ws="auto", ws_ping_interval=20'),
        ("hypercorn", '"hypercorn", websocket_ping_interval=20'),
    ],
)
def test_each_server_of_asgi_apps(passes, package, server):
    """With its own settings, by its own names: the client sees their pings."""
    pytest.importorskip(package)
    passes(
        HOLD.replace("def test_it", f"@pytest.mark.ws_server({server})\ndef test_it")
        + "    assert ws_soak.timeline.pings is not None\n",
        "--ws-app=app:app",
    )


FIXTURES = {
    "aiohttp": """
@pytest.fixture
def ws_app():
    from aiohttp import web

    async def handle(request):
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        async for message in websocket:
            await websocket.send_str(message.data)
        return websocket

    app = web.Application()
    app.router.add_get("/", handle)
    return app
""",
    "tornado": """
@pytest.fixture
def ws_app():
    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    class Echo(WebSocketHandler):
        def on_message(self, message):
            self.write_message(message)

    return Application([("/", Echo)])
""",
    "websockets": """
@pytest.fixture
async def ws_app():
    async def handler(connection):
        async for message in connection:
            await connection.send(message)

    return handler
""".replace("@pytest.fixture", "@pytest_asyncio.fixture"),
}


@pytest.mark.parametrize("package", FIXTURES)
def test_each_kind_of_app_from_a_fixture(passes, package):
    """An overridden ws_app needs no option, sync or async."""
    pytest.importorskip(package)
    conftest = f"import pytest, pytest_asyncio\n{FIXTURES[package]}"
    assert passes(BOTH, conftest=conftest) == 2


def test_an_app_is_known_by_its_class_not_by_what_is_loaded(passes, monkeypatch):
    """A run inside a run forgets the modules it has imported: the package keeps them as attributes."""
    pytest.importorskip("aiohttp.web")
    monkeypatch.delitem(sys.modules, "aiohttp.web")
    assert passes(BOTH, conftest=f"import pytest, pytest_asyncio\n{FIXTURES['aiohttp']}") == 2


def test_its_own_keepalive_ends_a_mute_client(failure):
    """uvicorn's settings count in virtual seconds: pinged after 20, given up after 20 more."""
    pytest.importorskip("uvicorn")
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_server(ws_ping_interval=20, ws_ping_timeout=20)
        @pytest.mark.ws_stability(alive_for="2m", client="mute", profile="frames")
        def test_it(ws_soak): ...
        """,
        "--ws-app=app:app",
    )
    assert "at 40 s of 120 s" in printed


def test_the_lifespan_is_run_and_logged_at_its_instants(failure):
    """Lines of the last minute stand below the failure, counted from the opening."""
    pytest.importorskip("uvicorn")
    printed = failure(
        """
        async def test_it(ws_connect, ws_clock):
            connection = await ws_connect(profile="frames")
            await ws_clock.advance("70s")
            await connection.send("break")
            await connection.assert_alive_for("72s")
        """,
        "--ws-app=app:app",
    )
    log = printed.partition("log of the app")[2]
    assert "+70.000 s  ERROR   uvicorn.error: Exception in ASGI application" in log
    assert "RuntimeError: boom, at " in log
    assert "app.py:" in log
    # That was 70 s before.
    assert "lifespan.startup" not in log


def test_an_app_in_real_time_is_served_on_loopback(passes):
    """With the same lines: --ws-time real, or the mark."""
    pytest.importorskip("uvicorn")
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="200ms", profile="frames")
        def test_sync(ws_soak):
            assert ws_soak.timeline.tier.name == "REAL"

        async def test_async(ws_connect, ws_clock):
            assert not ws_clock.is_virtual
            connection = await ws_connect(profile="frames")
            await connection.send("hello")
            assert await connection.recv(within="10s") == "hello"
        """,
        "--ws-app=app:app",
        "--ws-time=real",
    )


def test_an_app_that_leaves_the_virtual_network_is_told(failure):
    """A database that is really there cannot be reached in virtual time; the way out is named."""
    pytest.importorskip("uvicorn")
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="10s", heartbeat_every="2s", profile="frames", url="/out")
        def test_it(ws_soak): ...
        """,
        "--ws-app=app:app",
    )
    told = printed.partition("virtual time -")[2] + printed.rpartition("- virtual time -")[2]
    assert "10.1.2.3:6379 leaves the virtual network" in printed
    assert "give the test ws_stability(time='real')" in told


def test_a_path_joins_the_base(passes):
    """The mark's relative URL, on the app and on the reference orchestrator."""
    pytest.importorskip("uvicorn")
    source = """
        import pytest

        @pytest.mark.ws_stability(
            alive_for="1m", heartbeat_every="25s", profile={profile!r}, url="/voice?room=1"
        )
        def test_sync(ws_soak):
            assert ws_soak.url.endswith("/voice?room=1")

        @pytest.mark.ws_stability(profile={profile!r}, url="/voice")
        async def test_async(ws_connect):
            assert (await ws_connect()).url.endswith("/voice")
        """
    assert passes(source.format(profile="frames"), "--ws-app=app:app") == 2
    assert passes(source.format(profile="json")) == 2


def test_only_an_app_of_a_factory_is_served_again(passes, pytester):
    """For another order of simultaneous timers: a knife edge at 20 s makes a second look."""
    pytest.importorskip("uvicorn")
    source = """
        import pytest

        @pytest.mark.ws_server(ws_ping_interval=25, ws_ping_timeout=10)
        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", profile="frames")
        def test_it(ws_soak):
            import app
            assert len(app.made) == {count}
        """
    passes(source.format(count=2), "--ws-app=app:factory()")
    passes(source.format(count=0), "--ws-app=app:app")


def test_time_follows_the_clock_of_a_sync_test(passes):
    """patch_time, which is for async tests too."""
    passes(
        """
        import time
        import pytest

        seen = []

        @pytest.fixture
        def ws_app():
            async def handler(connection):
                seen.append(time.monotonic())
                async for message in connection: ...
                seen.append(time.monotonic())
            return handler

        @pytest.mark.ws_stability(alive_for="1h", profile="frames", patch_time=True)
        def test_it(ws_soak):
            assert 3599 < seen[1] - seen[0] < 3610
        """
    )


def test_a_fleet_of_an_app(passes):
    """A hundred connections to the team's own app, in virtual time."""
    pytest.importorskip("uvicorn")
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(
            alive_for="2m", heartbeat_every="25s", profile="frames", connections=100, survival=0.9
        )
        def test_it(ws_fleet): ...
        """,
        "--ws-app=app:app",
    )


# What is under test.


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


def test_an_overriding_fixture_gets_the_app_of_the_ini_file(passes, ini):
    """As fixtures do that change something of the app for a test."""
    pytest.importorskip("uvicorn")
    ini("ws_app = app:app")
    conftest = """
        import pytest

        @pytest.fixture
        def ws_app(ws_app):
            assert ws_app.__module__ == "app"
            return ws_app
    """
    assert passes(BOTH, conftest=conftest) == 2


# Bad input.


def test_a_fixture_without_a_return_is_told(run):
    """And no kind of app is asked for that nobody gave."""
    pytest.importorskip("uvicorn")
    fixture = "@pytest.fixture\ndef ws_app(): ...\n"
    result = run(BOTH.replace("import pytest\n", f"import pytest\n{fixture}", 1))

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["the fixture ws_app gave None; let it return the app"] * 2)


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


def test_an_application_of_aiohttp_that_was_started_before_is_told(run, pytester):
    """It lives once, on one loop: the second test says what to write, and with that both pass."""
    pytest.importorskip("aiohttp.web")
    pytester.makepyfile(
        voice="""
        from aiohttp import web

        async def handle(request):
            websocket = web.WebSocketResponse()
            await websocket.prepare(request)
            async for message in websocket:
                pass
            return websocket

        def create_app():
            app = web.Application()
            app.router.add_get("/", handle)
            return app

        app = create_app()
        """
    )
    two = """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_it(ws_soak, number): ...
        """
    result = run(two, "--ws-app=voice:app")

    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    assert "give a function that makes one, --ws-app module:create_app()" in result.stdout.str()
    assert "During handling" not in result.stdout.str()
    assert run(two, "--ws-app=voice:create_app()").parseoutcomes() == {"passed": 2}


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


def test_a_factory_may_be_a_coroutine_function(passes):
    """It runs on the loop that serves what it makes."""
    assert passes(HOLD, "--ws-app=app:build()") == 1


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_lifespan_that_fails_is_told(run, server):
    """With what the app logged, which says why."""
    pytest.importorskip(server)
    result = run(
        f"""
        import logging
        import pytest

        @pytest.fixture
        def ws_app():
            async def app(scope, receive, send):
                assert scope["type"] == "lifespan"
                await receive()
                logging.getLogger("mine").error("the database is gone")
                await send({{"type": "lifespan.startup.failed", "message": "no database"}})
            return app

        @pytest.mark.ws_server({server!r})
        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_sync(ws_soak): ...

        @pytest.mark.ws_server({server!r})
        async def test_async(ws_connect): ...
        """
    )
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([
        f"*the app did not start under {server}*",
        "*log of the app*",
        "*the database is gone*",
        f"*the app did not start under {server}*",
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


@pytest.mark.parametrize(
    ("time", "words"), [("virtual", "; that was virtual time, which waits for no thread of *"), ("real", "")]
)
def test_a_lifespan_that_never_starts_is_told(run, monkeypatch, time, words):
    """After a minute, of virtual time too; it may wait for a thread that virtual time does not know of."""
    pytest.importorskip("uvicorn")
    if time == "real":
        monkeypatch.setattr("pytest_wsstability.net.apps.serving.STARTUP", 0.1)
    result = run(
        """
        import asyncio
        import pytest

        @pytest.fixture
        def ws_app():
            async def app(scope, receive, send):
                await asyncio.sleep(3600 * 24)
            return app

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_it(ws_soak): ...
        """,
        f"--ws-time={time}",
    )
    result.assert_outcomes(errors=1)
    seconds = "60" if time == "virtual" else "0"
    result.stdout.fnmatch_lines([f"the app did not start within {seconds} s under uvicorn{words}"])


def test_signals_stay_pytests(passes):
    """Ctrl-C ends the run, and not the server alone."""
    pytest.importorskip("uvicorn")
    passes(
        """
        import signal

        async def test_it(ws_connect):
            handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
            await ws_connect(profile="frames")
            assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers
            assert not any("uvicorn" in str(each) for each in handlers)
        """,
        "--ws-app=app:app",
    )


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
from pytest_wsstability.plugin.servers import apps

apps._SLOW = 0.01
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


ROUTED = """
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute


async def talk(websocket):
    if "token" in websocket.query_params:
        await websocket.accept()
    else:
        await websocket.close(4401)


async def page(request): ...


paths = ("/ws", "/rooms/{name}", "/files/{name:path}")
app = Starlette(routes=[Route("/", page), *(WebSocketRoute(path, talk) for path in paths)])
"""


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("/", "the app has /ws, /rooms/{name}, /files/{name:path}, and not /: ws_stability(url='/ws')"),
        ("/ws/", "the app has /ws, /rooms/{name}, /files/{name:path}, and not /ws/: ws_stability(url='/ws')"),
        ("/ws", None),
        ("/rooms/lobby", None),
        # A parameter takes one part of a path, but for those of paths.
        ("/rooms/lobby/x", "the app has /ws, /rooms/{name}, /files/{name:path}, and not /rooms/lobby/x"),
        ("/files/a/b", None),
    ],
)
def test_a_path_without_a_websocket(failure, pytester, url, said):
    """The paths that have one are told where the path is why; and where to read on, in any case."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    pytester.makepyfile(routed=ROUTED)
    printed = failure(
        f"""
        import pytest

        @pytest.mark.ws_stability(alive_for="1h", profile="frames", url={url!r})
        def test_it(ws_soak): ...
        """,
        "--ws-app=routed:app",
    )

    assert "did not open (upgrade refused): HTTP 403 Forbidden" in printed
    assert "  fix       give what the server asks for: a token " in printed
    assert "  read on   wsstability explain opening-http" in printed
    assert (said is None) == ("  routes  " not in printed)
    assert said is None or said in " ".join(printed.split())


def test_a_path_that_channels_does_not_have(failure, pytester):
    """The routes stand below its validators and middleware."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("channels")
    pytester.makepyfile(
        routed="""
        import django.conf
        django.conf.settings.configure(ALLOWED_HOSTS=["app.example"])
        from channels.generic.websocket import AsyncWebsocketConsumer
        from channels.routing import ProtocolTypeRouter, URLRouter
        from channels.security.websocket import AllowedHostsOriginValidator
        from django.urls import re_path

        talk = AsyncWebsocketConsumer.as_asgi()
        routes = URLRouter([re_path(r"ws/(?P<room>[a-z]+)/$", talk)])
        app = ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(routes)})
        """
    )
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="1h", profile="frames", url="/ws")
        def test_it(ws_soak): ...
        """,
        "--ws-app=routed:app",
    )

    assert "the app has /ws/<room>/, and not /ws: ws_stability(url='/ws/<room>/')" in " ".join(
        printed.split()
    )
    assert "an Origin (ws_stability(origin=...), without which Channels'" in " ".join(printed.split())


def test_a_fleet_at_a_path_without_a_websocket_is_told_the_routes(failure, pytester):
    """Below what its connections were refused with."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    pytester.makepyfile(routed=ROUTED)
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="1m", profile="frames", connections=3, url="/room")
        def test_it(ws_fleet): ...
        """,
        "--ws-app=routed:app",
    )

    assert "the app has /ws, /rooms/{name}, /files/{name:path}, and not /room" in " ".join(printed.split())


# What an app does that no client sees.

ASGI = """
import asyncio
import pytest

@pytest.fixture
def ws_app():
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                {lifespan}
                await send({{"type": message["type"] + ".complete"}})
                if message["type"] == "lifespan.shutdown":
                    return
        await receive()
        {connection}
    return app

@pytest.mark.ws_server({server})
@pytest.mark.ws_stability(alive_for="1m", profile="frames")
def test_it(ws_soak): ...
"""
ACCEPTS = 'await send({"type": "websocket.accept"}); await receive()'


def asgi(*, connection=ACCEPTS, lifespan="pass", server="uvicorn", more=""):
    """A test of an app that does this."""
    pytest.importorskip(server)
    return ASGI.format(connection=connection, lifespan=lifespan, server=f"{server!r}{more}")


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize(
    ("close", "said"),
    [
        ('"code": 1008, "reason": "no token"', "1008 no token"),
        ('"code": 4401', "4401"),
        ('"reason": [{"loc": "room"}]', "1000 [{'loc': 'room'}]"),
        ('"code": 1000', None),
    ],
)
def test_why_an_app_did_not_accept(failure, server, close, said):
    """A server answers 403 to whatever its app closed with; a router closes what has no route with 1000."""
    printed = failure(asgi(connection=f'await send({{"type": "websocket.close", {close}}})', server=server))
    lines = [line for line in printed.splitlines() if line.startswith("  app ")]

    assert "HTTP 403" in printed
    assert lines == ([f"  app       closed it before it had accepted: {said}"] if said else [])


def test_an_error_before_the_accept_is_named(failure):
    """The server answers 500; its log says why."""
    printed = failure(asgi(connection='raise LookupError("no such room")'))

    assert "not opened: HTTP 500" in printed
    assert "  fix       see the server's traceback: its handler failed before it had accepted" in printed
    assert re.search(r"\n  log       LookupError: no such room, at \S+\.py:\d+ \(app\)\n", printed)


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_returns_is_the_cause(failure, server):
    """Its server cuts the connection then; no client can know why."""
    connection = 'await send({"type": "websocket.accept"}); await asyncio.sleep(7)'
    printed = failure(asgi(connection=connection, server=server))

    assert "the server's handler returned without a close" in printed.partition("\n  expected")[0]
    assert "  evidence  the server's app at 7 s: its function returned\n" in printed
    assert "wsstability explain closed-by-peer" in printed


CANCELS = "task = asyncio.ensure_future(asyncio.sleep(60)); await asyncio.sleep(7); task.cancel(); await task"
CANCELLED = "the server's handler raised a CancelledError of its own ("


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_cancels_itself_is_the_cause(failure, server):
    """It awaits what is cancelled elsewhere, of which its server says nothing."""
    connection = f'await send({{"type": "websocket.accept"}}); {CANCELS}'
    printed = failure(asgi(connection=connection, server=server))

    assert CANCELLED in printed
    assert "wsstability explain handler-error" in printed


@pytest.mark.skipif(int(version("websockets").partition(".")[0]) < 17, reason="leaves the connection open")
def test_so_is_one_of_websockets(failure, pytester):
    """Its server closes with 1011, and logs nothing."""
    pytester.makepyfile(cancels=f"import asyncio\nasync def app(connection):\n    {CANCELS}")
    test = "import pytest\n@pytest.mark.ws_stability(alive_for='1m')\ndef test_it(ws_soak): ..."

    assert CANCELLED in failure(test, "--ws-app=cancels:app")


OF_AIOHTTP = f"""
import asyncio
from aiohttp import web

async def handler(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    {CANCELS}

app = web.Application()
app.router.add_get("/", handler)
"""


def test_and_so_is_one_of_aiohttp(failure, pytester):
    """Its server cuts the connection, and logs nothing."""
    pytest.importorskip("aiohttp.web")
    pytester.makepyfile(cancels=OF_AIOHTTP)
    test = "import pytest\n@pytest.mark.ws_stability(alive_for='1m')\ndef test_it(ws_soak): ..."

    assert CANCELLED in failure(test, "--ws-app=cancels:app")


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_whose_framework_logs_its_error_has_failed(failure, server):
    """Sanic does so under ASGI servers: to the server, the app's function returned."""
    fails = """
        await send({"type": "websocket.accept"})
        await asyncio.sleep(7)
        try:
            raise LookupError("no such room")
        except LookupError:
            logging.getLogger("framework").exception("while handling %s", scope["path"])
    """
    source = asgi(connection=fails, server=server).replace("import asyncio", "import asyncio, logging")
    printed = failure(source)

    assert "the server's handler failed: LookupError: no such room (confidence high" in printed
    assert "  fix       see the server's traceback\n" in printed


@pytest.mark.parametrize("level", ["INFO", "WARNING"])
@pytest.mark.parametrize("stop", ["pass", 'logging.error("pool", exc_info=OSError("it is closed"))'])
def test_what_is_logged_when_the_app_is_stopped_is_no_cause(failure, level, stop):
    """The app is stopped when its hold is over, at one virtual instant; its log is shown all the same."""
    closes = (
        'await send({"type": "websocket.accept"}); await asyncio.sleep(7); '
        'await send({"type": "websocket.close", "code": 4000})'
    )
    lifespan = f'if message["type"] == "lifespan.shutdown": {stop}'
    source = asgi(connection=closes, lifespan=lifespan).replace("import asyncio", "import asyncio, logging")
    printed = failure(source, f"--log-level={level}")

    assert "the server ended the connection on purpose: 4000" in printed
    assert "the server's log at" not in printed
    assert ("uvicorn.error: Shutting down" in printed.partition("log of the app")[2]) is (level == "INFO")


HANGS = """
import asyncio
import pytest

@pytest.fixture
def ws_app():
    async def app(scope, receive, send):
        assert scope["type"] == "websocket"
        await receive()
        await send({{"type": "websocket.accept"}})
        for _ in range({answers}):
            await receive()
            await send({{"type": "websocket.send", "text": '{{"type": "pong"}}'}})
        await asyncio.sleep(3600)
    return app

@pytest.mark.ws_server({server!r})
{test}
"""
SYNC = """
@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="25s", heartbeat_within="5s")
def test_it(ws_soak): ...
"""
ASYNC = """
async def test_it(ws_connect):
    hung, idle = await ws_connect(heartbeat="25s"), await ws_connect()
    await asyncio.sleep(90)
    hung.assert_heartbeats_answered(within="5s")
"""


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
def test_a_handler_that_hangs_is_the_cause(failure, server):
    """It took the second heartbeat, and never asked for the third."""
    pytest.importorskip(server)
    printed = failure(HANGS.format(answers=2, server=server, test=SYNC))

    assert "server stopped answering heartbeats at 75 s: its handler hangs" in printed
    assert "  evidence  the server's app at 50 s: its handler took a message, and has asked" in printed
    assert "(confidence high, blame server)" in printed


LATE = """
import asyncio

async def app(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    for pause in (0, 0, PAUSE, 0, 0):
        if (await receive())["type"] == "websocket.disconnect":
            return
        await asyncio.sleep(pause)
        await send({"type": "websocket.send", "text": '{"type": "pong"}'})
"""


def test_a_handler_that_is_late_hung_when_the_verdict_fell(failure, pytester):
    """By the time of the report it has long read on, and has ended."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(late=LATE.replace("PAUSE", "7"))
    printed = failure(f"import pytest\n{SYNC}", "--ws-app=late:app")

    assert "server stopped answering heartbeats at 75 s: its handler hangs" in printed
    assert "  evidence  the server's app at 75 s: its handler took a message, and has asked" in printed


RAISES = """
async def app(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    raise KeyError("playerState")
"""


@pytest.mark.parametrize(
    "does",
    [
        "async for _ in connection: pass",
        'await connection.recv(within="1m")',
        'await connection.expect("x", within="1m")',
    ],
)
def test_what_a_handler_raised_is_why_nothing_can_be_received(failure, pytester, does):
    """Reading says so as assertions do."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(raises=RAISES)
    printed = failure(
        f"""
        async def test_it(ws_connect):
            connection = await ws_connect(heartbeat="30s")
            {does}
        """,
        "--ws-app=raises:app",
    )

    assert "ConnectionEnded: the connection ended: 1006" in printed
    assert "likely    the server's handler failed: KeyError: 'playerState'" in printed


def test_of_two_connections_the_port_tells_whose_handler_hangs(failure):
    """That of the other one waits for a message."""
    pytest.importorskip("uvicorn")
    printed = failure(HANGS.format(answers=2, server="uvicorn", test=ASYNC))

    assert "its handler hangs" in printed
    assert "the server's app at 50 s" in printed


@pytest.mark.parametrize(
    "connection",
    [
        'await send({"type": "websocket.accept"}); raise LookupError',
        'await send({"type": "websocket.accept"}); await send({"type": "websocket.close", "code": 4000})',
    ],
)
def test_a_handler_that_fails_or_closes_has_not_returned(failure, connection):
    """Its error, or its code, is what happened."""
    assert "returned without a close" not in failure(asgi(connection=connection))


@pytest.mark.parametrize("offered", ["", ', subprotocol="v1"'])
def test_a_subprotocol_that_was_not_offered_is_named(failure, offered):
    """With what to write."""
    source = asgi(connection='await send({"type": "websocket.accept", "subprotocol": "v9"}); await receive()')
    printed = failure(source.replace('profile="frames"', f'profile="frames"{offered}'))

    assert "not opened: the server chose the subprotocol 'v9', which was not offered" in printed
    assert "  fix       offer the subprotocol that the server speaks (ws_stability(subprotocol=" in printed


def test_why_a_lifespan_failed_stands_first(run):
    """In the summary's line too, where pytest cuts."""
    result = run(asgi(lifespan='raise OSError("no database")', more=", lifespan='on'"))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([
        "its lifespan failed: OSError: no database, at *; the app did not start under uvicorn; what it *",
        "ERROR test_*::test_it - Failed: its lifespan failed: OSError: no database*",
    ])  # fmt: skip


ONCE = """
import pytest

started = []

async def app(scope, receive, send):
    assert (await receive())["type"] == "lifespan.startup"
    started.append(1)
    if len(started) == {wrong}:
        raise RuntimeError("no start")
    await send({{"type": "lifespan.startup.complete"}})
    await receive()
    await send({{"type": "lifespan.shutdown.complete"}})

@pytest.fixture
def ws_app():
    return app

@pytest.mark.ws_server("uvicorn", lifespan="on")
@pytest.mark.ws_stability(profile="frames")
@pytest.mark.parametrize("number", [1, 2])
async def test_it(ws_url, number): ...
"""


@pytest.mark.parametrize(("wrong", "is_told"), [(1, False), (2, True)])
def test_an_app_that_starts_once_only_is_told_to_be_made_anew(run, wrong, is_told):
    """Sanic's router is final then, and a session manager may have run."""
    pytest.importorskip("uvicorn")
    result = run(ONCE.format(wrong=wrong))

    result.assert_outcomes(passed=1, errors=1)
    told = result.stdout.str()
    assert "its lifespan failed: RuntimeError: no start, at " in told
    assert ("; the same app was started in a test before: if it starts once only, give" in told) is is_told


TWICE = """
import pytest

@pytest.mark.ws_stability(profile="frames")
@pytest.mark.parametrize("number", [1, 2])
async def test_it(ws_url, number): ...
"""
NAMED = """
from app import app

names = []

def create():
    if len(names) == {free}:
        raise LookupError("the name is taken")
    names.append("chat")
    return app
"""


@pytest.mark.parametrize(("free", "is_told"), [(0, False), (1, True)])
def test_a_factory_that_makes_one_app_only_is_told_what_stays(run, project_app, pytester, free, is_told):
    """Sanic refuses a second app of the same name."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(named=NAMED.format(free=free))
    result = run(TWICE, "--ws-app", "named:create()")

    result.assert_outcomes(passed=int(is_told), errors=2 - is_told)
    told = result.stdout.str()
    assert "calling named:create() failed: LookupError: the name is taken, at " in told
    assert ("; it made an app for a test before, and what it registers" in told) is is_told


GROUP = ExceptionGroup("unhandled errors in a TaskGroup (1 sub-exception)", [OSError("no database")])
TOLD = {"type": "lifespan.startup.failed", "message": "".join(traceback.format_exception(GROUP))}


@pytest.mark.parametrize("lifespan", [f"raise {GROUP!r}", f"await send({TOLD!r}); return"])
def test_why_a_task_group_of_a_lifespan_failed_stands_first(run, lifespan):
    """The error in the group, whether it was raised or told as a whole traceback."""
    result = run(asgi(lifespan=lifespan, more=", lifespan='on'"))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["its lifespan failed: OSError: no database*"])


@pytest.mark.parametrize("server", ["uvicorn", "hypercorn"])
@pytest.mark.parametrize(
    ("at_the_end", "said"),
    [
        ('raise OSError("disk full")', "the app's lifespan failed at its end: OSError: disk full, at "),
        ("await asyncio.Event().wait()", "the app did not stop within 30 s under "),
    ],
)
def test_an_app_that_does_not_stop_well_is_warned_of(run, server, at_the_end, said):
    """The verdict stands: the connection was held."""
    lifespan = f'if message["type"] == "lifespan.shutdown": {at_the_end}'
    result = run(asgi(lifespan=lifespan, server=server), "-W", "always")

    assert result.parseoutcomes() == {"passed": 1, "warnings": 1}
    result.stdout.fnmatch_lines([f"*StabilityWarning: *::test_it: {said}*"])


LOSSY = """
import json

async def app(websocket):
    number = 0
    async for raw in websocket:
        asked, number = json.loads(raw), number + 1
        if number % 3:
            await websocket.send(json.dumps({**asked, "op": "pong"}))
"""


@pytest.mark.parametrize("more", ["", ", match_ids=True"])
def test_an_app_that_drops_each_third_heartbeat_is_unstable(run, pytester, more):
    """Although those after it are answered, with their ids, before its time is up."""
    pytester.makepyfile(lossy=LOSSY)
    result = run(
        f"""
        import pytest
        from pytest_wsstability.profiles import ID, Profile

        OURS = Profile(name="ours", ping={{"op": "ping", "id": ID}}, pong={{"op": "pong", "id": ID}}{more})

        @pytest.mark.ws_stability(alive_for="10m", heartbeat_every="5s", heartbeat_within="11s", profile=OURS)
        def test_it(ws_soak): ...
        """,
        "--ws-app=lossy:app",
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "*observed  1 of 5 missed (sent at 15 s: no answer)",
        "*beats *+ *+ *! *+ *+",
        "*4 of 5 heartbeats answered; the one at 15 s was not",
    ])  # fmt: skip

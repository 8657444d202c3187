"""How an app starts and stops: lifespans that fail or never end, and apps that start once only."""

from __future__ import annotations

import traceback

import pytest

from tests.plugin.servers.sources import asgi

pytestmark = pytest.mark.usefixtures("project_app")


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


def test_why_a_lifespan_failed_stands_first(run):
    """In the summary's line too, where pytest cuts."""
    result = run(asgi(lifespan='raise OSError("no database")', more=", lifespan='on'"))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([
        "its lifespan failed: OSError: no database, at *; the app did not start under uvicorn; what it *",
        "ERROR test_*::test_it - Failed: its lifespan failed: OSError: no database*",
    ])  # fmt: skip


GROUP = ExceptionGroup("unhandled errors in a TaskGroup (1 sub-exception)", [OSError("no database")])

TOLD = {"type": "lifespan.startup.failed", "message": "".join(traceback.format_exception(GROUP))}


@pytest.mark.parametrize("lifespan", [f"raise {GROUP!r}", f"await send({TOLD!r}); return"])
def test_why_a_task_group_of_a_lifespan_failed_stands_first(run, lifespan):
    """The error in the group, whether it was raised or told as a whole traceback."""
    result = run(asgi(lifespan=lifespan, more=", lifespan='on'"))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["its lifespan failed: OSError: no database*"])


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


STARTS_ONCE = """
from app import app as inner

starts = []

async def app(scope, receive, send):
    if scope["type"] == "lifespan" and starts:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no second start"})
    else:
        starts.append(scope["type"])
        await inner(scope, receive, send)

def create():
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


HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="10m", heartbeat_every="20s", profile="frames")
def test_it(ws_soak):
    assert ws_soak.ties
"""


@pytest.mark.parametrize("spec", ["named:create()", "once:create()"])
def test_a_factory_that_makes_one_app_only_is_asked_for_one(run, project_app, pytester, spec):
    """Timers meet in the hold, and no second app is to be had in which they come in another order."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(named=NAMED.format(free=1), once=STARTS_ONCE)
    result = run(HOLD, "--ws-app", spec)

    result.assert_outcomes(passed=1)


def test_an_app_that_ends_its_process_ends_no_tests(run):
    """Chainlit's lifespan ends with os._exit(0), with which a run of no test looked as if all had passed."""
    pytest.importorskip("uvicorn")
    result = run(
        """
        import os
        import pytest

        @pytest.fixture
        def ws_app():
            async def app(scope, receive, send):
                while scope["type"] == "lifespan":
                    message = await receive()
                    if message["type"] == "lifespan.shutdown":
                        os._exit(0)
                    await send({"type": "lifespan.startup.complete"})
                await receive()
                await send({"type": "websocket.accept"})
                if scope["path"] == "/exits":
                    os._exit(1)
                while (await receive())["type"] != "websocket.disconnect":
                    pass
            return app

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_stays_up(ws_soak): ...

        @pytest.mark.ws_stability(alive_for="1m", profile="frames", url="/exits")
        def test_a_handler_that_exits(ws_soak): ...
        """,
        "-Wdefault",
    )
    result.assert_outcomes(passed=1, failed=1, warnings=2)
    result.stdout.fnmatch_lines([
        "*the server's handler failed: RuntimeError: os._exit(1) would end pytest too, and was not done*",
        "*the app's lifespan failed at its end: RuntimeError: os._exit(0) would end pytest too, and was not*",
    ])  # fmt: skip


@pytest.mark.parametrize("signal", ["on_startup", "on_shutdown", "on_cleanup"])
@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("sys.exit(0)", "RuntimeError: sys.exit(0) would end pytest too, and was not done"),
        ("os._exit(0)", "RuntimeError: os._exit(0) would end pytest too, and was not done"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
    ],
)
def test_an_app_of_aiohttp_that_fails_at_its_ends(run, signal, code, words):
    """Its end is told as that of an ASGI app: the connection was stable."""
    pytest.importorskip("aiohttp.web")
    result = run(
        f"""
        import os
        import sys
        import pytest
        from aiohttp import web

        async def handler(request):
            websocket = web.WebSocketResponse()
            await websocket.prepare(request)
            async for message in websocket:
                pass
            return websocket

        async def says(app):
            {code}

        @pytest.fixture
        def ws_app():
            app = web.Application()
            app.router.add_get("/", handler)
            app.{signal}.append(says)
            return app

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_it(ws_soak): ...
        """,
        "-Wdefault",
    )
    starts = signal == "on_startup"
    result.assert_outcomes(passed=not starts, errors=starts, warnings=not starts)
    if starts:
        result.stdout.fnmatch_lines([f"the app did not start under aiohttp: {words}*"])
    else:
        result.stdout.fnmatch_lines([f"*: the app's clean-up failed: {words}, at *.py:* (*"])


@pytest.mark.parametrize("kind", ["asgi", "websockets", "aiohttp"])
def test_a_handler_that_calls_sys_exit_spoils_no_other_test(run, kind):
    """SystemExit goes through every task to the end of the loop, and pytest's next setup failed with it."""
    pytest.importorskip({"asgi": "uvicorn"}.get(kind, kind))
    result = run(
        f"""
        import sys
        import pytest

        async def asgi(scope, receive, send):
            await receive()
            await send({{"type": "websocket.accept"}})
            sys.exit(0)

        async def websockets(connection):
            sys.exit(0)

        def aiohttp():
            from aiohttp import web

            async def handler(request):
                await web.WebSocketResponse().prepare(request)
                sys.exit(0)

            app = web.Application()
            app.router.add_get("/", handler)
            return app

        @pytest.fixture
        def ws_app():
            return {kind}{"()" if kind == "aiohttp" else ""}

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_first(ws_soak): ...

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        async def test_second(ws_connect):
            await (await ws_connect()).assert_alive_for("1m")
        """,
        "-Wdefault",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*handler failed: RuntimeError: sys.exit(0) would end pytest too, and was*"] * 2
    )


@pytest.mark.parametrize("kind", ["tornado", "task", "callback"])
def test_a_sys_exit_on_the_loop_of_a_hold_spoils_no_other_test(run, kind):
    """What no handler of ours stands around: pytest forgets to take down what a SystemExit has set up."""
    pytest.importorskip("tornado" if kind == "tornado" else "websockets")
    result = run(
        f"""
        import asyncio
        import sys
        import pytest

        def tornado():
            from tornado import web, websocket

            class Handler(websocket.WebSocketHandler):
                def open(self):
                    sys.exit(0)

            return web.Application([("/", Handler)])

        async def exiting():
            sys.exit(0)

        async def task(connection):
            exits = asyncio.create_task(exiting())
            await connection.wait_closed()

        async def callback(connection):
            asyncio.get_running_loop().call_later(5, sys.exit, 0)
            await connection.wait_closed()

        async def healthy(connection):
            await connection.wait_closed()

        @pytest.fixture
        def ws_app(request):
            if "second" in request.node.name:
                return healthy
            return {kind}{"()" if kind == "tornado" else ""}

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_first(ws_soak): ...

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_second(ws_soak): ...
        """
    )
    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines(["E*RuntimeError: sys.exit(0) would end pytest too, and was not done"])

"""``--ws-app`` and the fixture ``ws_app``: the app under test, served by what its users deploy."""

from __future__ import annotations

import sys

import pytest

from tests.plugin.servers.sources import HOLD

pytestmark = pytest.mark.usefixtures("project_app")

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


def test_a_factory_may_be_a_coroutine_function(passes):
    """It runs on the loop that serves what it makes."""
    assert passes(HOLD, "--ws-app=app:build()") == 1


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


def test_a_fixture_without_a_return_is_told(run):
    """And no kind of app is asked for that nobody gave."""
    pytest.importorskip("uvicorn")
    fixture = "@pytest.fixture\ndef ws_app(): ...\n"
    result = run(BOTH.replace("import pytest\n", f"import pytest\n{fixture}", 1))

    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["the fixture ws_app gave None; let it return the app"] * 2)


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

"""What the app under test logged or did, in the causes of a fleet: the same as for a single hold."""

from __future__ import annotations

import json

import pytest

APP = """
import asyncio, json

async def accepted(scope, receive, send):
    assert scope["type"] == "websocket"
    await receive()
    await send({"type": "websocket.accept"})

async def raises(scope, receive, send):
    if scope["type"] == "websocket":
        await accepted(scope, receive, send)
        await asyncio.sleep(20)
        raise LookupError("room 7 has no owner")

ended = []

async def half(scope, receive, send):
    if scope["type"] == "websocket":
        await accepted(scope, receive, send)
        await asyncio.sleep(20)
        ended.append(1)
        if len(ended) % 2:
            raise LookupError("room 7 has no owner")

async def hangs(scope, receive, send):
    if scope["type"] == "websocket":
        await accepted(scope, receive, send)
        await receive()
        await asyncio.sleep(3600)

async def renames(scope, receive, send):
    if scope["type"] == "websocket":
        await accepted(scope, receive, send)
        while (message := await receive())["type"] != "websocket.disconnect":
            await send({"type": "websocket.send", "text": json.dumps({"type": "pongg"})})

async def fails_first(scope, receive, send):
    assert scope["type"] != "websocket", "no room"

def ws_handler():
    async def handler(websocket):
        await asyncio.sleep(20)
        raise LookupError("room 7 has no owner")
    return handler

def aiohttp_app():
    from aiohttp import web

    async def handler(request):
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        await asyncio.sleep(20)
        raise LookupError("room 7 has no owner")

    app = web.Application()
    app.router.add_get("/", handler)
    return app
"""
TEST = """
import pytest

@pytest.mark.ws_stability(alive_for="1m", {more})
def test_it({fixture}): ...
"""
RAISED = "the server's handler failed: LookupError: room 7 has no owner"


@pytest.fixture
def printed(pytester, run):
    """What a fleet, or a single hold, of an app prints."""
    pytester.makepyfile(rooms=APP)

    def runner(app, *args, fixture="ws_fleet", **more):
        more = {"connections": 6, **more} if fixture == "ws_fleet" else more
        marks = ", ".join(f"{name}={value!r}" for name, value in more.items())
        result = run(TEST.format(more=marks, fixture=fixture), f"--ws-app=rooms:{app}", *args)
        assert result.parseoutcomes() == {"failed": 1}
        return " ".join(result.stdout.str().split())

    return runner


@pytest.mark.parametrize(
    ("app", "needs"), [("raises", "uvicorn"), ("ws_handler()", "websockets"), ("aiohttp_app()", "aiohttp")]
)
def test_an_error_that_the_handlers_raise_is_the_cause(printed, app, needs):
    """Where the log says whom it is about, and where it does not (aiohttp)."""
    pytest.importorskip(needs)
    found = printed(app)

    assert "an error in the handler: 6 of 6 ended" in found
    assert (
        f"example connection 0, at 20 s: {RAISED} (confidence high) fix see the server's traceback" in found
    )
    assert f"likely {RAISED}" in printed(app, fixture="ws_soak")


@pytest.mark.parametrize("connections", [6, pytest.param(600, marks=pytest.mark.slow)])
def test_two_causes_at_one_instant_are_told_apart(printed, connections):
    """By the port of the connection whose handler logs; also where the log has more than it shows."""
    pytest.importorskip("uvicorn")
    found = printed("half", connections=connections, ramp=0)

    half = connections // 2
    assert f"cause {half} a handler that returned without a close (age 20 s)" in found
    assert f"cause {half} an error in the handler (age 20 s)" in found


def test_handlers_that_hang(printed):
    """By what each did when its heartbeat came."""
    pytest.importorskip("uvicorn")
    found = printed("hangs", profile="json", heartbeat_every="10s", heartbeat_within="5s")

    assert "an end that stopped reading: 6 of 6 broke a promise" in found
    assert "server stopped answering heartbeats at 10 s: its handler hangs (confidence high)" in found


def test_answers_that_the_profile_does_not_know_are_no_application_that_does_nothing(printed):
    """The cause of a group claims no more than its records show, and says what to change."""
    pytest.importorskip("uvicorn")
    found = printed("renames", profile="json", heartbeat_every="10s", heartbeat_within="5s")

    assert "answers to heartbeats that the profile does not know: 6 of 6 broke a promise" in found
    assert "no answer that the profile knows: a text message of 17 B (confidence medium)" in found
    assert "fix compare what the server answers with the answer in the profile (--ws-profile)" in found
    assert "does nothing" not in found


ROUTED = """
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute

async def talk(websocket):
    await websocket.close(4401, "no token")

app = Starlette(routes=[WebSocketRoute("/chat", talk)])
"""


def test_a_path_that_the_app_lacks_is_the_cause(run, pytester):
    """By the path of each connection; one that is there is refused for what the app says."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("starlette")
    pytester.makepyfile(routed=ROUTED)
    result = run(
        """
        import pytest


        @pytest.mark.ws_stability(alive_for="1m", connections=6, url="/room")
        def test_lacks(ws_fleet): ...

        @pytest.mark.ws_stability(alive_for="1m", connections=6, url="/chat")
        def test_has(ws_fleet): ...
        """,
        "--ws-app=routed:app",
        "--ws-report=made.json",
    )
    found = " ".join(result.stdout.str().split())

    assert "no WebSocket of the app at /room: 6 of 6 did not open" in found
    assert "the app has /chat, and not /room fix ws_stability(url='/chat')" in found
    assert "credentials that were not accepted: 6 of 6 did not open" in found
    assert "app closed it before it had accepted: 4401 no token" in found
    results = json.loads((pytester.path / "made.json").read_text())["results"]
    told = {each["fleet"]["groups"][0]["cause"]: each["fleet"]["groups"][0]["remedy"] for each in results}
    assert told["no WebSocket of the app at /room"] == "ws_stability(url='/chat')"


def test_a_fleet_that_a_test_opens_itself_is_told_the_same(run, pytester):
    """When it fails."""
    pytest.importorskip("uvicorn")
    pytester.makepyfile(rooms=APP)
    result = run(
        """
        import pytest
        from pytest_wsstability import fleet

        @pytest.mark.asyncio
        async def test_it(ws_url):
            async with fleet.open_fleet(ws_url, connections=6, alive_for="1m") as opened:
                pass
            opened.assert_stable()
        """,
        "--ws-app=rooms:raises",
        "--ws-report=made.json",
    )

    assert result.parseoutcomes() == {"failed": 1}
    assert "an error in the handler: 6 of 6 ended" in " ".join(result.stdout.str().split())
    (made,) = json.loads((pytester.path / "made.json").read_text())["results"]
    assert made["fleet"]["groups"][0]["cause"] == "an error in the handler"


def test_an_error_before_the_accept_is_quoted(printed):
    """As for a single opening that failed."""
    pytest.importorskip("uvicorn")
    found = printed("fails_first")

    assert "an error in the handler: 6 of 6 did not open" in found
    assert "log AssertionError: no room, at " in found


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("workers", [(), ("--ws-workers=2*popen",)])
def test_in_real_time_here_and_in_worker_processes(pytester, run, workers):
    """The app runs in this process, and the clock of its log is that of the workers."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("execnet")
    pytester.makepyfile(rooms=APP.replace("sleep(20)", "sleep(0.5)"))
    source = TEST.format(more="connections=6", fixture="ws_fleet").replace("1m", "2s")
    result = run(source, "--ws-app=rooms:half", "--ws-time=real", "--ws-long", *workers)
    found = " ".join(result.stdout.str().split())

    assert "cause 3 a handler that returned without a close" in found
    assert "cause 3 an error in the handler" in found


@pytest.mark.real
@pytest.mark.parametrize(("app", "needs"), [("raises", "uvicorn"), ("aiohttp_app()", "aiohttp")])
def test_a_single_hold_in_real_time_has_its_app_alone(pytester, run, app, needs):
    """Other holds may run beside it, and none of them has this server."""
    pytest.importorskip(needs)
    pytester.makepyfile(rooms=APP.replace("sleep(20)", "sleep(0.2)"))
    source = TEST.format(more="", fixture="ws_soak").replace("1m", "1s")
    result = run(source, f"--ws-app=rooms:{app}", "--ws-time=real")

    assert f"likely {RAISED}" in " ".join(result.stdout.str().split())

"""How far virtual time goes in a test: to a horizon, past a task that spins, and a little in each turn."""

from __future__ import annotations

import json
import threading

import pytest

from pytest_wsstability.core.duration import parse_duration
from pytest_wsstability.plugin import options
from pytest_wsstability.virtual.loop import HORIZON

ENDLESS = """
async def test_it(ws_connect):
    connection = await ws_connect(heartbeat="25s")
    await connection.recv()
"""


@pytest.mark.slow
def test_a_message_that_never_comes(run):
    """Heartbeats alone move the clock: after a day the test fails, and names the line that waits."""
    result = run(ENDLESS)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "virtual time is given up at t=86400 s: for 24 h beyond what was asked for, *",
        "*(what the loop runs) waits at test_*.py:3 (test_it), in *",
        '*bound the wait, such as recv(within="10s") or asyncio.timeout(10), or raise the ini option *',
    ])  # fmt: skip


# Waits that nothing ends, as tests have them; the number is that of the line.
WAITS = {
    "messages": "async for _ in connection: pass",
    "an event": "await asyncio.Event().wait()",
    "the end": "await connection.wait_closed()",
    "several at once": "await asyncio.gather(connection.recv(), asyncio.Event().wait())",
    "a timeout of None": "await asyncio.wait_for(connection.recv(), None)",
    "a task of the test's": "await asyncio.create_task(connection.recv())",
    "looks every second": "while not connection.timeline.close: await asyncio.sleep(1)",
    "looks every hour": "while not connection.timeline.close: await asyncio.sleep(3600)",
    "looks every hundredth": "while not connection.timeline.close: await asyncio.sleep(0.01)",
    "steps of the clock": "while not connection.timeline.close: await ws_clock.advance('1h')",
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS)
def test_a_wait_that_nothing_ends(run, ini, monkeypatch, wait):
    """Heartbeats move the clock, and so may the test itself: it fails all the same, and names the line."""
    ini("ws_virtual_horizon = 1h")
    monkeypatch.setattr("pytest_wsstability.virtual.loop._MOST_TIMERS", 3000)
    result = run(
        f"""
        import asyncio

        async def test_it(ws_connect, ws_clock):
            connection = await ws_connect(heartbeat="25s")
            {wait}
        """
    )

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["virtual time is given up at t=*", "*(what the loop runs) waits at test_*.py:5 (test_it)*"]
    )


HANGING = """
import asyncio
import itertools

import websockets

async def handler(ws):
    for number in itertools.count():
        await asyncio.sleep(1)
        if number == 100:
            await asyncio.Event().wait()
        await ws.send("tick")

async def test_it(ws_connect):
    async with websockets.serve(handler, "127.0.0.1", 0, ping_interval=None) as server:
        port = server.sockets[0].getsockname()[1]
        connection = await ws_connect(f"ws://127.0.0.1:{port}/", profile="frames", inbox=0)
        await connection.assert_stable(alive_for="10m", message_every="60s")
"""


def test_what_broke_before_a_test_stood_still(run):
    """A server that hangs is not taken down either (Finnhub-API 517): the failure is told all the same."""
    result = run(HANGING)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([
        "virtual time stands still at t=*",
        "  before    unstable: no message for 60 s (every 60 s): since the last one at *",
        "  likely    *no message came for 60 s, *",
    ])  # fmt: skip


def test_a_wait_in_a_fixture_that_nothing_ends(run, ini):
    """It is an error of the setup, which names the fixture's line."""
    ini("ws_virtual_horizon = 1h")
    result = run(
        """
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def greeted(ws_connect):
            connection = await ws_connect(heartbeat="25s")
            await connection.recv()
            yield connection

        async def test_it(greeted): ...
        """
    )

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["virtual time is given up at t=*", "*waits at test_*.py:6 (greeted)*"])


def test_a_horizon_of_the_projects_own(run, ini):
    """ws_virtual_horizon is a duration."""
    ini("ws_virtual_horizon = 10m")

    result = run(ENDLESS)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*given up at t=6* s: for 600 s beyond what was asked for, *"])


@pytest.mark.slow
def test_a_hold_is_asked_for(passes, ini):
    """However short the horizon, a hold of two days ends."""
    ini("ws_virtual_horizon = 1m")
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="48h", heartbeat_every="10m")
        def test_sync(ws_soak): ...

        async def test_async(ws_connect, ws_clock):
            connection = await ws_connect(heartbeat="10m")
            await connection.assert_alive_for("48h")
            await ws_clock.advance("48h")
        """
    )


def test_the_default_is_the_loops():
    """The help says it once more, because options are read without the loop."""
    (option,) = [each for each in options.OPTIONS if each.name == "virtual_horizon"]

    assert parse_duration(option.help.rpartition("default: ")[2], "help") == HORIZON


@pytest.mark.parametrize("value", ["soon", "0", "-1h"])
def test_a_horizon_that_is_none(run, ini, value):
    """Refused before anything runs."""
    ini(f"ws_virtual_horizon = {value}")

    result = run("def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: ini ws_virtual_horizon: *"])


SPINNING = """
import asyncio
import pytest
import pytest_asyncio

pytestmark = pytest.mark.filterwarnings("default")

@pytest_asyncio.fixture
async def poller():
    async def poll():
        while True:
            await asyncio.sleep(0)

    task = asyncio.create_task(poll())
    yield
    task.cancel()

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", session_within="5s")
async def test_it(poller, ws_soak): ...
"""


def test_a_task_that_spins_does_not_stop_the_clock(run):
    """The hold ends as it would in real time, and the test is told who spins, and where."""
    result = run(SPINNING)

    result.assert_outcomes(passed=1, warnings=1)
    result.stdout.fnmatch_lines([
        "*StabilityWarning: test_*.py::test_it: virtual time went on at t=* s, though * at *test_*.py:1? "
        "(poller.<locals>.poll), in asyncio/tasks.py:* turned the loop again and again without a wait: use *"
    ])  # fmt: skip


def test_a_verdict_names_the_task_that_spun(pytester, run):
    """In every report, beside a hold that was stable."""
    run(SPINNING, "--ws-report=out.json", "--ws-report=out.md")

    (hold,) = json.loads((pytester.path / "out.json").read_text())["results"]
    assert hold["verdict"]["outcome"] == "stable"
    assert hold["verdict"]["notes"][0]["noted"] == "a task that spun"
    assert "(poller.<locals>.poll)" in hold["verdict"]["notes"][0]["text"]
    assert "a task that spun: virtual time went on" in (pytester.path / "out.md").read_text()


def test_a_tick(passes, ini):
    """ws_virtual_tick is microseconds a turn, for code that wants a latency above 0."""
    ini("ws_virtual_tick = 1")
    passes(
        """
        import asyncio

        async def test_it(ws_clock, ws_connect):
            connection = await ws_connect()
            assert 0 < await connection.ping() < 0.001
        """
    )


THREAD = """
import asyncio, threading
import pytest
from pytest_wsstability.virtual import loop as virtual_loop

@pytest.fixture
def ws_app():
    async def app(scope, receive, send):
        await receive()
        if scope["type"] == "lifespan":
            await send({"type": "lifespan.startup.complete"})
            await receive()
            return await send({"type": "lifespan.shutdown.complete"})
        if scope["path"] == "/slow":
            await ask()
        await send({"type": "websocket.accept"})
        await receive()
        try:
            await ask()
        finally:
            # As the end of a connection of aiosqlite.
            await ask()
    return app

async def ask():
    loop, answer = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def work():
        virtual_loop.asked.wait(60)
        loop.call_soon_threadsafe(lambda: answer.done() or answer.set_result(None))

    threading.Thread(target=work, name="database").start()
    await answer

"""


@pytest.mark.parametrize(
    "test",
    [
        '@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")\n'
        "def test_it(ws_soak): ...",
        '@pytest.mark.ws_stability(alive_for="2m", url="/slow")\ndef test_it(ws_soak): ...',
        '@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", connections=2)\n'
        "def test_it(ws_fleet): ...",
        '@pytest.mark.ws_stability(alive_for="2m", url="/slow", connections=2)\ndef test_it(ws_fleet): ...',
        '@pytest.mark.ws_stability(url="/slow")\n@pytest.mark.ws_voice(turns=1)\ndef test_it(ws_voice): ...',
        "async def test_it(ws_connect):\n"
        '    connection = await ws_connect(heartbeat="25s")\n'
        '    await connection.assert_stable(alive_for="2m", heartbeat_within="5s")',
        "async def test_it(ws_connect):\n"
        '    connection = await ws_connect(heartbeat="25s")\n'
        "    async with asyncio.TaskGroup() as group:\n"
        '        group.create_task(connection.assert_stable(alive_for="2m", heartbeat_within="5s"))',
        "async def test_it(ws_connect):\n"
        "    connection = await ws_connect()\n"
        '    await connection.send("hello")\n'
        '    await connection.expect("hello", within="5s")',
        "async def test_it(ws_connect):\n"
        "    connection = await ws_connect()\n"
        '    await connection.send("hello")\n'
        "    async with asyncio.timeout(5):\n"
        "        await connection.recv()",
    ],
)
def test_a_handler_that_waits_for_a_thread_is_not_blamed(run, monkeypatch, test):
    """The clock passed the thread by: that it wakes the loop after all is what is told, and told once."""
    pytest.importorskip("uvicorn")
    asked = threading.Event()
    monkeypatch.setattr("pytest_wsstability.virtual.loop.asked", asked, raising=False)
    monkeypatch.setattr("pytest_wsstability.virtual.loop.sleep", lambda _: asked.set(), raising=False)
    try:
        printed = run(THREAD + test, "-Wignore", "-Wdefault:::pytest_wsstability").stdout.str()
    finally:
        asked.set()

    assert "thread 'database' woke the loop with" in printed
    assert "or run this test in real time (--ws-time real)" in " ".join(printed.split())
    assert "its handler" not in printed
    assert " ".join(printed.split()).count("put the thread's work in") == 1
    assert "stands still" not in printed
    assert "lifespan failed" not in printed


def test_each_test_of_a_loop_is_told_of_its_late_thread(run):
    """What one test was told is no news of another that has the loop, too."""
    printed = run(
        """
        import asyncio, threading
        import pytest

        @pytest.mark.ws_stability(time="virtual")
        @pytest.mark.asyncio(loop_scope="class")
        class TestIt:
            @pytest.mark.parametrize("number", range(3))
            async def test_it(self, ws_connect, number):
                await asyncio.sleep(60)
                wake = asyncio.get_running_loop().call_soon_threadsafe
                thread = threading.Thread(target=wake, args=(int,))
                thread.start()
                thread.join()
                await asyncio.sleep(60)
        """
    ).stdout.str()

    assert " ".join(printed.split()).count("put the thread's work in") == 3

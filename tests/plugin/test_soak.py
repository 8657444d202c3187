"""ws_soak: one hold for tests of every style, whoever runs them."""

from __future__ import annotations

import json
import threading

import anyio
import anyio.lowlevel
import pytest
import trio
import trio.lowlevel

from pytest_wsstability import Outcome, Soak, Tier


def test_in_a_class(passes):
    """The class may carry the mark."""
    assert (
        passes(
            """
            import pytest

            @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
            class TestVoice:
                def test_hold(self, ws_soak):
                    ws_soak.assert_heartbeats_answered(within="5s", at_least=4)

                async def test_async_hold(self, ws_soak):
                    ws_soak.assert_heartbeats_answered(within="5s", at_least=4)
            """
        )
        == 2
    )


@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", session_within="5s")
def test_what_it_gives(ws_soak):
    """The requirement, the verdict and both ends' timelines, ready to be asked."""
    assert isinstance(ws_soak, Soak)
    assert ws_soak.requirement.alive_for == 120.0
    assert ws_soak.verdict.outcome is Outcome.STABLE
    assert ws_soak.verdict.tier is Tier.VIRTUAL
    assert ws_soak.verdict.horizon == 120.0
    assert [timeline.end.value for timeline in ws_soak.timelines] == ["client", "server"]
    assert ws_soak.timeline.heartbeats.answered == 4
    ws_soak.assert_alive_for("2m")
    ws_soak.assert_session_confirmed(within="5s")
    ws_soak.assert_no_abnormal_closure()
    ws_soak.assert_stable()


@pytest.mark.parametrize("time", ["virtual", "real"])
def test_a_run_leaves_no_thread(passes, time):
    """Virtual time looks at all threads before each move of its clock: a leak of them would slow it down."""
    before = set(threading.enumerate())
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="100ms")
        def test_it(ws_soak): ...

        @pytest.mark.ws_stability(alive_for="100ms")
        async def test_async(ws_connection):
            await ws_connection.assert_alive_for("100ms")
        """,
        f"--ws-time={time}",
    )

    assert set(threading.enumerate()) <= before


def test_a_day_takes_no_time(passes):
    """The point of virtual time."""
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="24h", heartbeat_every="25s")
        def test_it(ws_soak):
            assert ws_soak.verdict.horizon == 24 * 3600
        """,
        "--timeout=20",
    )


@pytest.mark.trio
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
async def test_under_trio(ws_soak):
    """A trio test has no asyncio loop, and needs none."""
    await trio.lowlevel.checkpoint()
    ws_soak.assert_alive_for("2m")


def test_in_trio_mode(passes, ini):
    """Where every async test is trio's, ours is too."""
    ini("trio_mode = true")

    passes(
        """
        import pytest
        import trio

        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        async def test_it(ws_soak):
            await trio.sleep(0)
            ws_soak.assert_alive_for("2m")
        """
    )


@pytest.mark.anyio
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
async def test_under_anyio(ws_soak, anyio_backend_name):
    """On each of its backends."""
    await anyio.lowlevel.checkpoint()
    ws_soak.assert_alive_for("2m")


def test_under_anyio_by_its_fixture(passes):
    """anyio also runs async tests that use the anyio_backend fixture, with a module-wide mark."""
    passes(
        """
        import anyio
        import pytest

        pytestmark = pytest.mark.anyio

        @pytest.fixture
        def anyio_backend():
            return "trio"

        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        async def test_it(ws_soak):
            await anyio.sleep(0)
        """
    )


def test_in_a_unittest_test_case(passes):
    """By usefixtures, for the class or for one method."""
    assert (
        passes(
            """
            import unittest

            import pytest

            @pytest.mark.usefixtures("ws_soak")
            @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
            class TestVoice(unittest.TestCase):
                def test_it(self):
                    self.assertTrue(True)

            class TestOther(unittest.TestCase):
                @pytest.mark.usefixtures("ws_soak")
                @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
                def test_it(self):
                    pass
            """
        )
        == 2
    )


UNITTEST = """
import unittest

import pytest

from pytest_wsstability import faults

RED = [
    pytest.mark.usefixtures("ws_soak"),
    pytest.mark.ws_stability(alive_for="2m"),
    pytest.mark.ws_orchestrator(faults=[("30s", faults.Drop())]),
]

class TestVoice(unittest.TestCase):
    pytestmark = RED

    @unittest.skip("until the gateway is there")
    def test_skipped(self):
        pass

    @unittest.expectedFailure
    def test_known(self):
        pass

    def test_red(self):
        pass

@unittest.skip("not now")
class TestLater(unittest.TestCase):
    pytestmark = RED

    def test_it(self):
        pass

@unittest.skip("a function, too")
@pytest.mark.ws_stability(alive_for="2m")
def test_of_a_function(ws_soak):
    pass
"""


def test_decorators_of_unittest(run, pytester):
    """A test that it skips holds nothing, and one that is to fail may be unstable."""
    result = run(UNITTEST, "--ws-report=a.json", "-rs")
    results = json.loads((pytester.path / "a.json").read_text())["results"]

    assert result.parseoutcomes() == {"skipped": 3, "xfailed": 1, "failed": 1}
    result.stdout.fnmatch_lines_random(["SKIPPED * until the gateway is there", "SKIPPED * not now"])
    assert [(each["nodeid"].rpartition("::")[2], each["expected"]) for each in results] == [
        ("test_known", True),
        ("test_red", False),
    ]


def test_in_an_isolated_asyncio_test_case(passes):
    """unittest runs its async tests on loops of its own."""
    passes(
        """
        import asyncio
        import unittest

        import pytest

        @pytest.mark.usefixtures("ws_soak")
        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        class TestVoice(unittest.IsolatedAsyncioTestCase):
            async def test_it(self):
                await asyncio.sleep(0)
        """
    )


def test_a_unittest_test_case_fails_too(failure):
    """The hold is judged there as well."""
    printed = failure(
        """
        import unittest

        import pytest

        @pytest.mark.usefixtures("ws_soak")
        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
        class TestVoice(unittest.TestCase):
            def test_it(self):
                pass
        """
    )

    assert "1006 at 60 s of 120 s" in printed


def test_in_real_time(passes):
    """The same lines on the real clock and kernel sockets."""
    passes(
        """
        import pytest
        from pytest_wsstability import Tier

        @pytest.mark.ws_stability(alive_for=0.2, heartbeat_every=0.05)
        def test_it(ws_soak):
            assert ws_soak.verdict.tier is Tier.REAL
        """,
        "--ws-time=real",
    )


SERVER = """
import pytest
import pytest_asyncio

{fixture}

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
async def test_it(ws_soak, ws_clock):
    assert ws_clock.is_virtual
    assert ws_clock.now == pytest.approx(120.0, abs=0.1)
    ws_soak.assert_heartbeats_answered(within="5s", at_least=4)
    ws_soak.assert_alive_for("2m")
"""


def test_against_a_websockets_server_on_the_loop_of_the_test(passes):
    """An async fixture's server lives on the loop of the test, so the hold goes there."""
    passes(
        SERVER.format(
            fixture="""
from websockets.asyncio.server import serve

@pytest_asyncio.fixture
async def ws_url():
    async def answer(websocket):
        async for message in websocket:
            await websocket.send(message.replace("ping", "pong"))

    async with serve(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"ws://127.0.0.1:{port}/"
"""
        )
    )


def test_against_an_aiohttp_server_on_the_loop_of_the_test(passes):
    """Another library, the same."""
    passes(
        SERVER.format(
            fixture="""
from aiohttp import web

async def voice(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for message in websocket:
        await websocket.send_json({**message.json(), "type": "pong"})
    return websocket

@pytest_asyncio.fixture
async def ws_url():
    app = web.Application()
    app.router.add_get("/voice", voice)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    yield f"ws://127.0.0.1:{port}/voice"
    await runner.cleanup()
"""
        )
    )


@pytest.mark.parametrize(
    "seconds",
    [
        pytest.param(60, marks=pytest.mark.ws_stability(alive_for="1m")),
        pytest.param(120, marks=pytest.mark.ws_stability(alive_for="2m")),
    ],
)
def test_marker_that_changes_by_parameter(ws_soak, seconds):
    """Each parameter may have a requirement of its own."""
    assert ws_soak.verdict.horizon == seconds

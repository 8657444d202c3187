"""--ws-diagnose: a test that lost its connection to a URL probes it, or says how that is done."""

from __future__ import annotations

import pytest

# A server of the user's on the test's own loop: to the plugin, a URL like any other.
SERVER = """
    import pytest_asyncio
    from pytest_wsstability import Orchestrator

    @pytest_asyncio.fixture
    async def server():
        async with Orchestrator(read_deadline="60s", ping_interval=None) as orchestrator:
            yield orchestrator

    @pytest_asyncio.fixture
    async def ws_url(server):
        return server.url
"""
LOST = """
    async def test_it(ws_connect):
        connection = await ws_connect()
        await connection.assert_alive_for("2m")
"""


def test_a_probe_follows_the_failure(failure):
    """Its findings stand under it: the timer, what resets it, each connection."""
    out = failure(LOST, "--ws-diagnose=probe", conftest=SERVER)

    assert "wsstability probe" in out
    assert "  found     read deadline 60 s, reset by pongs only; " in out
    assert "an unsolicited pong every 25 s is safe (125 s survived), every 55 s leaves none" in out
    assert "  covered   250 s in virtual time" in out
    # Who waits is told for what.
    assert "with 12 connections for 250 s" in out


def test_nothing_is_probed_by_default(failure):
    """Twelve more connections are for those who ask."""
    out = failure(LOST, conftest=SERVER)

    # The text of the failure may advise a probe; the findings of one are not there.
    assert "  found     " not in out
    assert "probing" not in out


def test_a_soak_is_probed_too(failure):
    """In whatever way it was held."""
    source = """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_soak):
            pass
    """

    assert "  found     read deadline 60 s" in failure(source, "--ws-diagnose=probe", conftest=SERVER)


def test_a_url_is_probed_once(run):
    """The second failure shows the same findings."""
    source = """
        import pytest
        import pytest_asyncio
        from pytest_wsstability import Orchestrator

        pytestmark = [
            pytest.mark.asyncio(loop_scope="module"), pytest.mark.ws_stability(time="virtual")
        ]

        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def server():
            async with Orchestrator(read_deadline="60s", ping_interval=None) as orchestrator:
                yield orchestrator

        @pytest_asyncio.fixture(loop_scope="module")
        async def ws_url(server):
            return server.url

        @pytest.mark.parametrize("number", [1, 2])
        async def test_it(ws_connect, number):
            connection = await ws_connect()
            await connection.assert_alive_for("2m")

        async def test_count(server):
            assert len(server.sessions) == 2 + 12 + 1
    """
    marked = (
        'pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.ws_stability(time="virtual")]'
    )
    source = source.replace('pytestmark = pytest.mark.asyncio(loop_scope="module")', marked)
    result = run(source, "--ws-diagnose=probe")
    out = result.stdout.str()

    assert result.parseoutcomes() == {"failed": 2, "passed": 1}
    assert out.count("  found     read deadline 60 s") == 2
    assert out.count("probing ws://") == 1


@pytest.mark.parametrize(
    "body",
    [
        # An answer that is late, and a connection that lives.
        'await connection.assert_alive_for("10s")\n        connection.assert_pings_answered(within="1s")',
        # No failure of stability.
        "assert 1 == 2",
    ],
)
def test_other_failures_are_not_probed(failure, body):
    """Only a lost connection has a timer behind it."""
    source = f"""
    async def test_it(ws_connect):
        connection = await ws_connect()
        {body}
    """

    assert "probing" not in failure(source, "--ws-diagnose=probe", conftest=SERVER)


def test_an_end_that_says_why_is_not_probed(failure):
    """No timer is behind a token that expired, whatever is asked for."""
    source = """
        import pytest
        import pytest_asyncio
        from websockets.asyncio.server import serve

        async def answer(connection):
            await connection.close(4401, "token expired")

        @pytest_asyncio.fixture
        async def ws_url():
            async with serve(answer, "127.0.0.1", 0) as server:
                yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

        @pytest.mark.ws_stability(profile="frames")
        async def test_it(ws_connect):
            connection = await ws_connect()
            await connection.assert_alive_for("2m")
    """
    printed = failure(source, "--ws-diagnose=probe")

    assert "probing" not in printed
    assert "wsstability probe" not in printed


def test_the_reference_orchestrator_is_not_probed(failure):
    """Its timers are known; the failure names them."""
    source = """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", client="mute")
        def test_it(ws_soak):
            pass
    """

    assert "probing" not in failure(source, "--ws-diagnose=probe")


def test_a_url_that_is_gone_is_told(failure):
    """The server died with the connection: there is nothing to probe."""
    conftest = SERVER.replace("yield orchestrator", "yield orchestrator\n").replace(
        "async def ws_url(server):",
        "async def ws_url(server):\n        asyncio.get_running_loop().call_later(5, stop, server)",
    )
    stop = """
    import asyncio

    def stop(server):
        asyncio.ensure_future(server.stop())
    """

    out = failure(LOST, "--ws-diagnose=probe", conftest=stop + conftest)

    assert "nobody listens on 127.0.0.1:" in out
    assert "; so nothing was found out" in out


@pytest.mark.real
def test_in_real_time_the_command_is_shown(failure):
    """What to run next, with its length; secrets are masked."""
    conftest = SERVER.replace('"60s"', '"300ms"').replace("server.url", 'server.url + "?token=hunter2"')
    source = LOST.replace('"2m"', '"2s"')
    out = failure(source, "--ws-time=real", conftest=conftest)

    assert "wsstability probe 'ws://127.0.0.1:" in out
    assert "--max 30s   (or run this test with --ws-diagnose probe)" in out
    assert "hunter2" not in out

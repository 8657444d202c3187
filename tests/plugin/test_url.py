"""ws_url: who says where to connect to, and what that means for the clock."""

from __future__ import annotations

import pytest

URL = "ws://{}.example:8000/ws"
LOOK = """
import pytest

{marks}
async def test_it(ws_url):
    print("URL", ws_url)
"""


def url_of(result: pytest.RunResult) -> str:
    return result.stdout.str().partition("URL ")[2].split()[0]


@pytest.mark.parametrize(
    ("sources", "winner"),
    [
        (["marker", "option", "env", "ini"], "marker"),
        (["option", "env", "ini"], "option"),
        (["env", "ini"], "env"),
        (["ini"], "ini"),
        (["marker", "ini"], "marker"),
    ],
)
def test_the_closest_source_wins(run, ini, monkeypatch, sources, winner):
    """Marker, --ws-url, WS_URL, ini ws_url."""
    marks, args = "", []
    if "marker" in sources:
        marks = f'@pytest.mark.ws_stability(url="{URL.format("marker")}")'
    if "option" in sources:
        args.append(f"--ws-url={URL.format('option')}")
    if "env" in sources:
        monkeypatch.setenv("WS_URL", URL.format("env"))
    if "ini" in sources:
        ini(f"ws_url = {URL.format('ini')}")

    assert url_of(run(LOOK.format(marks=marks), "-s", *args)) == URL.format(winner)


def test_by_default_it_is_the_reference_orchestrator(run):
    """With nothing said."""
    assert url_of(run(LOOK.format(marks=""), "-s")).startswith("ws://127.0.0.1:")


def test_an_empty_environment_variable_says_nothing(run, monkeypatch):
    """CI systems set what they do not know to nothing."""
    monkeypatch.setenv("WS_URL", "")

    assert url_of(run(LOOK.format(marks=""), "-s")).startswith("ws://127.0.0.1:")


@pytest.mark.parametrize("by", ["marker", "option"])
def test_a_url_makes_the_clock_real(passes, by):
    """What is remote has a clock of its own."""
    mark = '@pytest.mark.ws_stability(url="ws://remote.example/")' if by == "marker" else ""
    args = ["--ws-url=ws://remote.example/"] if by == "option" else []

    passes(
        f"""
        import pytest

        {mark}
        async def test_it(ws_clock, ws_url):
            assert not ws_clock.is_virtual
        """,
        *args,
    )


def test_an_override_in_a_conftest_is_remote(passes):
    """A sync fixture names a server that runs elsewhere: the clock is real."""
    passes(
        """
        async def test_it(ws_url, ws_clock):
            assert ws_url == "ws://elsewhere.example/"
            assert not ws_clock.is_virtual
        """,
        conftest="""
        import pytest

        @pytest.fixture
        def ws_url():
            return "ws://elsewhere.example/"
        """,
    )


def test_an_override_that_starts_a_server_on_the_loop_is_virtual(passes):
    """An async fixture, or one that uses one, runs where the test runs."""
    passes(
        """
        async def test_it(ws_connect, ws_clock, ws_url):
            assert ws_clock.is_virtual
            connection = await ws_connect(heartbeat="25s")
            await connection.assert_alive_for("1h")
        """,
        conftest="""
        import pytest
        import pytest_asyncio
        from pytest_wsstability import Orchestrator

        @pytest_asyncio.fixture
        async def server():
            async with Orchestrator() as orchestrator:
                yield orchestrator

        @pytest.fixture
        def ws_url(server):
            return server.url
        """,
    )


def test_an_override_that_extends_ours_is_virtual(passes):
    """A path behind the reference orchestrator's address."""
    passes(
        """
        async def test_it(ws_connect, ws_clock, ws_url):
            assert ws_clock.is_virtual
            assert ws_url.endswith("/voice?lang=en")
            await (await ws_connect()).assert_alive_for("1h")
        """,
        conftest="""
        import pytest

        @pytest.fixture
        def ws_url(ws_url):
            return ws_url + "voice?lang=en"
        """,
    )


def test_an_override_reaches_ws_soak(passes):
    """A sync test holds a connection to a server of the user's in a thread, in real time."""
    passes(
        """
        import pytest
        from pytest_wsstability import Tier

        @pytest.mark.ws_stability(alive_for=0.2, heartbeat_every=0.05)
        def test_it(ws_soak):
            assert ws_soak.verdict.tier is Tier.REAL
            ws_soak.assert_heartbeats_answered(within=5, at_least=2)
        """,
        conftest="""
        import threading

        import pytest
        from websockets.sync.server import serve

        @pytest.fixture(scope="session")
        def ws_url():
            def answer(websocket):
                for message in websocket:
                    websocket.send('{"type": "pong"}')

            with serve(answer, "127.0.0.1", 0) as server:
                thread = threading.Thread(target=server.serve_forever)
                thread.start()
                yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}/"
                server.shutdown()
                thread.join()
        """,
    )


def test_the_marker_may_say_that_an_override_is_virtual(passes):
    """Where the rule of thumb is wrong, the marker is right."""
    passes(
        """
        import pytest

        @pytest.mark.ws_stability(time="virtual")
        async def test_it(ws_url, ws_clock):
            assert ws_clock.is_virtual
        """,
        conftest="""
        import pytest

        @pytest.fixture
        def ws_url():
            return "ws://elsewhere.example/"
        """,
    )


@pytest.mark.parametrize("fixture", ["ws_soak", "ws_connect", "ws_connection"])
@pytest.mark.parametrize(("url", "reason"), [("127.0.0.1:9/", "it has no scheme"), (None, "no scheme")])
def test_a_fixture_that_gives_no_url_is_named(run, fixture, url, reason):
    """In one line, and without the frames of pytest."""
    result = run(
        f"""
        import pytest

        @pytest.fixture
        def ws_url():
            return {url!r}

        @pytest.mark.ws_stability(alive_for="2s", time="real")
        async def test_it({fixture}):
            pass
        """
    )

    assert result.parseoutcomes() == {"errors": 1}
    printed = result.stdout.str()
    assert "::test_it - Failed: the fixture ws_url: " in printed
    assert reason in printed
    assert "plugin.py" not in printed

"""A middlebox stands in front of whatever a test opens: holds without a loop, connections without a URL."""

from __future__ import annotations

import pytest

IDLE = "idle 60 s (reset by any byte, either way)"
SOAK = """
import pytest

@pytest.mark.ws_stability(alive_for="{alive}", heartbeat_every="{every}")
@pytest.mark.ws_middlebox("{box}")
@pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)
@pytest.mark.filterwarnings("ignore::pytest_wsstability.StabilityWarning")
{test}(ws_soak, ws_middlebox):
    assert ws_middlebox.name == "{box}"
"""


@pytest.mark.parametrize("test", ["def test_it", "async def test_it"])
def test_a_soak_goes_through_the_box(failure, test):
    """Without a loop of the test's too; box, timer and interval stand in the failure."""
    printed = failure(SOAK.format(alive="20m", every="70s", box="nginx", test=test))

    assert f"injected fault nginx: {IDLE} (1006 at 60 s of 1200 s)" in printed
    assert f"applied   nginx ended connection 0 at 60 s: {IDLE}" in printed
    assert "remedy    a heartbeat or ping every 30 s or less would do" in printed
    assert [word for word in ("client", "server", "proxy") if f"  {word:<9} =" not in printed] == []


@pytest.mark.parametrize("test", ["def test_it", "async def test_it"])
def test_a_soak_that_keeps_the_box_quiet_passes(passes, test):
    """The control: the same with a heartbeat that does."""
    assert passes(SOAK.format(alive="20m", every="30s", box="nginx", test=test)) == 1


@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="20s")
@pytest.mark.ws_middlebox("heroku", "nginx")
def test_the_box_of_a_hold_tells_what_passed(ws_middlebox, ws_soak):
    """In a test without a loop it is that of the finished hold."""
    assert ws_soak.proxy is ws_middlebox
    (connection,) = ws_middlebox.connections
    assert repr(connection.timeline).endswith("120.000 s, 25 events, 1000 at 120 s>")
    assert ws_middlebox.applied == []


@pytest.mark.parametrize("test", ["def test_it", "async def test_it"])
def test_in_real_time_too(failure, test):
    """On kernel sockets, on a loop of the hold's own."""
    printed = failure(
        f"""
        import pytest
        from pytest_wsstability import faults
        from pytest_wsstability.faults import MIDDLEBOXES
        import pytest_wsstability.core.faults.middleboxes as middleboxes
        from dataclasses import replace

        @pytest.fixture(autouse=True)
        def soon(monkeypatch):
            box = replace(MIDDLEBOXES["haproxy"], faults=(faults.IdleTimeout("100ms"),))
            monkeypatch.setattr(middleboxes, "MIDDLEBOXES", dict(MIDDLEBOXES, haproxy=box))

        @pytest.mark.ws_stability(alive_for="2m", time="real")
        @pytest.mark.ws_middlebox("haproxy")
        {test}(soon, ws_soak, ws_middlebox): ...
    """
    )

    assert "injected fault haproxy: idle 100 ms" in printed
    assert "remedy    a heartbeat or ping every 50 ms or less would do, or raise timeout tunnel" in printed


def test_a_hold_of_another_server_goes_through_the_box(failure):
    """A server outside, held in the background: only the box and the client are seen, and the box named."""
    from tests.serving import serving

    with serving() as url:
        printed = failure(
            """
            import pytest
            from pytest_wsstability import faults
            from pytest_wsstability.faults import MIDDLEBOXES
            import pytest_wsstability.core.faults.middleboxes as middleboxes
            from dataclasses import replace

            @pytest.fixture(autouse=True)
            def soon(monkeypatch):
                box = replace(MIDDLEBOXES["haproxy"], faults=(faults.IdleTimeout("100ms"),))
                monkeypatch.setattr(middleboxes, "MIDDLEBOXES", dict(MIDDLEBOXES, haproxy=box))

            @pytest.mark.ws_stability(alive_for="20s")
            @pytest.mark.ws_middlebox("haproxy")
            def test_it(soon, ws_soak, ws_middlebox): ...
        """,
            f"--ws-url={url}",
        )

    assert "injected fault haproxy: idle 100 ms" in printed
    assert "applied   haproxy ended connection 0" in printed


@pytest.mark.parametrize(
    "body",
    [
        """
        async def test_it(ws_connect, ws_middlebox):
            connection = await ws_connect(heartbeat="70s")
            await connection.assert_alive_for("20m")
        """,
        """
        @pytest.mark.ws_stability(alive_for="20m", heartbeat_every="70s")
        @pytest.mark.filterwarnings("ignore::pytest_wsstability.StabilityWarning")
        async def test_it(ws_connection, ws_middlebox): ...
        """,
    ],
)
def test_a_connection_that_is_given_no_url_goes_through_the_box(failure, body):
    """A test for each box that opens none through it would pass for nothing."""
    from textwrap import dedent

    printed = failure(
        "import pytest\n"
        'pytestmark = [pytest.mark.ws_middlebox("nginx"),\n'
        "    pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)]\n" + dedent(body)
    )

    assert f"injected fault nginx: {IDLE} (1006 at 60 s of 1200 s)" in printed


def test_a_server_of_the_user_is_not_blamed_for_the_box(failure):
    """What the box did stands on its own timeline, where no server of ours has one."""
    printed = failure("""
        import pytest
        import pytest_asyncio
        from websockets.asyncio.server import serve

        async def keep(connection):
            await connection.wait_closed()

        @pytest_asyncio.fixture
        async def ws_url():
            async with serve(keep, "127.0.0.1", 0, ping_interval=None) as server:
                yield "ws://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]

        @pytest.mark.ws_middlebox("nginx")
        async def test_it(ws_connect, ws_middlebox):
            connection = await ws_connect(profile="frames", heartbeat="70s")
            await connection.assert_alive_for("20m")
    """)

    assert f"injected fault nginx: {IDLE} (1006 at 60 s of 1200 s)" in printed


def test_a_test_without_loop_and_hold_says_what_to_do(run):
    """There is nothing on which a box could run."""
    result = run("""
        import pytest

        @pytest.mark.ws_middlebox("nginx")
        def test_it(ws_middlebox): ...
    """)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*write 'async def', or use ws_soak, which needs no loop*"])


BYPASSED = """
import pytest
from pytest_wsstability import faults

@pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)
@pytest.mark.ws_middlebox("nginx")
async def test_box(ws_connect, ws_url, ws_middlebox):
    await (await ws_connect({url})).assert_alive_for("{hold}")

async def test_proxy(ws_connect, ws_proxy):
    proxy = await ws_proxy(faults=[("90s", faults.Drop())])
    await (await ws_connect({proxy})).assert_alive_for("{hold}")
"""


def test_a_path_that_nothing_takes_is_warned_of(run):
    """Such a test would pass whatever the path does."""
    result = run(BYPASSED.format(url="ws_url", proxy="", hold="20m"), "-Wdefault")

    assert result.parseoutcomes()["passed"] == 2
    printed = " ".join(result.stdout.str().split())
    assert (
        "::test_box[nginx]: no connection went through the middlebox nginx, so nothing was broken: connect "
        "to ws_middlebox.url, as ws_connect() does without a URL"
    ) in printed
    assert "::test_proxy: no connection went through <FaultProxy ws://127.0.0.1:" in printed
    assert "of ws_proxy(faults=), so nothing was broken: connect to its url" in printed


@pytest.mark.parametrize("url", ["", "ws_middlebox.url"])
def test_a_path_that_was_taken_is_not(passes, url):
    """Whatever came of it."""
    assert passes(BYPASSED.format(url=url, proxy="proxy.url", hold="30s")) == 2


async def test_a_path_that_breaks_nothing_may_stay_unused(ws_connect, ws_proxy):
    """Nor is there a word about one of a test that asks for its fixture alone."""
    await ws_proxy()
    await ws_connect()


@pytest.mark.ws_middlebox("nginx", "heroku")
async def test_a_box_whose_timers_alone_are_looked_at(ws_middlebox):
    """Nobody connects past it."""
    assert ws_middlebox.preset.faults[0].seconds > 25


@pytest.mark.parametrize("past", ["ws_url", "ws_orchestrator.url"])
def test_a_client_of_ones_own_past_the_box(run, past):
    """The reference server has seen it."""
    source = f"""
    import pytest
    from websockets.asyncio.client import connect

    @pytest.mark.ws_middlebox("nginx")
    async def test_it(ws_middlebox, ws_url, ws_orchestrator):
        async with connect({past}): ...
    """
    result = run(source, "-Wdefault")

    assert result.parseoutcomes()["warnings"] == 1
    result.stdout.fnmatch_lines(["*no connection went through the middlebox nginx, so nothing was broken*"])


def test_a_fleet_is_not_held_past_its_box(refusal):
    """It would say nothing of the box, and pass."""
    source = """
    import pytest

    @pytest.mark.ws_stability(alive_for="5m", connections=3)
    @pytest.mark.ws_middlebox("nginx")
    async def test_it(ws_fleet, ws_middlebox): ...
    """
    assert "::test_it: ws_middlebox: the fleet of ws_fleet goes past it; hold one" in refusal(source)


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_conversation_goes_through_the_box(passes, kind):
    """In a sync test, it was an AssertionError that no hold of ws_soak had been asked for."""
    source = f"""
    import pytest

    @pytest.mark.ws_voice(turns=1)
    @pytest.mark.ws_middlebox("nginx")
    {kind} test_it(ws_voice, ws_middlebox):
        assert ws_voice.proxy.connections
    """
    assert passes(source) == 1

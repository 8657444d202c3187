"""ws_connect: a factory of connections with the marker's defaults, all closed in the end."""

from __future__ import annotations

import pytest

from pytest_wsstability import Orchestrator


@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")
async def test_the_marker_gives_the_defaults(ws_connect):
    """Heartbeat, client and profile are said once."""
    connection = await ws_connect()
    await connection.assert_stable()
    assert connection.timeline.heartbeats.answered == 4


@pytest.mark.ws_stability(heartbeat_every="25s", client="mute", profile="json")
async def test_keywords_win_over_the_marker(ws_connect):
    """For one connection."""
    connection = await ws_connect(heartbeat="10s", client="browser", session_id="abc")
    await connection.assert_alive_for("2m")
    connection.assert_heartbeats_answered(within="5s")
    assert connection.timeline.heartbeats.answered == 11
    assert connection.session_id == "abc"


async def test_async_with_closes(ws_connect, ws_orchestrator):
    """At the end of the block."""
    async with ws_connect(heartbeat="25s") as connection:
        await connection.assert_alive_for("1m")
    connection.assert_closed(code=1000, by="client")
    (session,) = ws_orchestrator.sessions
    session.assert_closed(code=1000, by="client")


async def test_another_url(ws_connect, ws_url):
    """Given by hand, for a second server."""
    async with Orchestrator() as other:
        async with ws_connect(other.url) as connection:
            await connection.assert_session_confirmed(within="1s")
        assert connection.url == other.url != ws_url
        assert len(other.sessions) == 1


def test_all_are_closed_at_teardown(passes):
    """With a closing handshake, before the orchestrator stops."""
    assert (
        passes(
            """
            import pytest_asyncio

            seen = []

            @pytest_asyncio.fixture
            async def witness(ws_orchestrator):
                yield
                seen.extend(ws_orchestrator.sessions)

            async def test_three(witness, ws_connect):
                for _ in range(3):
                    await ws_connect()

            def test_after():
                assert len(seen) == 3
                for session in seen:
                    session.assert_closed(code=1000, by="client")
            """
        )
        == 2
    )


def test_a_peer_that_answers_no_close_does_not_hang_the_teardown(passes):
    """In real time, too, closing ends."""
    passes(
        """
        import asyncio
        import pytest

        @pytest.mark.ws_stability(client="stalled")
        async def test_it(ws_connect):
            await ws_connect()
        """,
        "--timeout=20",
    )


def test_failures_show_both_ends(failure):
    """The orchestrator of the test stands beside its client."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_orchestrator(ping_interval=None)
        async def test_it(ws_connect):
            first, second = await ws_connect(), await ws_connect()
            await second.assert_alive_for("2m")
        """
    )

    assert "  client    =" in printed
    assert "  server    =" in printed


def test_an_opening_error_is_a_failure_of_the_body(failure):
    """The line of the user and one sentence."""
    printed = failure(
        """
        async def test_it(ws_connect, ws_orchestrator):
            url = ws_orchestrator.url
            await ws_orchestrator.stop()
            await ws_connect(url)
        """
    )

    assert ">       await ws_connect(url)" in printed
    assert "did not open (TCP connection): nobody listens on 127.0.0.1:" in printed
    assert "pytest_wsstability/" not in printed.partition("FAILURES")[2]


def test_a_remote_server_in_virtual_time_is_refused(run):
    """The message says why and what to do, at the line of the user."""
    result = run(
        """
        async def test_it(ws_connect):
            await ws_connect("ws://127.0.0.1:9/nowhere")
        """
    )

    result.stdout.fnmatch_lines(
        ['>       await ws_connect("ws://127.0.0.1:9/nowhere")', "E  *127.0.0.1:9*--ws-time real*"]
    )
    assert "pytest_wsstability/" not in result.stdout.str().partition("FAILURES")[2]


def test_an_opening_error_in_real_time(run):
    """The same sentence from the kernel's refusal."""
    result = run(
        """
        async def test_it(ws_connect):
            await ws_connect("ws://127.0.0.1:1/nowhere")
        """,
        "--ws-time=real",
    )

    result.stdout.fnmatch_lines(
        [
            "E  *OpeningError: ws://127.0.0.1:1/nowhere did not open (TCP connection): "
            "nobody listens on 127.0.0.1:1 (connection refused)"
        ]
    )
    assert "pytest_wsstability/" not in result.stdout.str().partition("FAILURES")[2]


def test_a_wrong_keyword_is_named(failure):
    """By Python itself."""
    assert "unexpected keyword argument 'heart_beat'" in failure(
        """
        async def test_it(ws_connect):
            await ws_connect(heart_beat="25s")
        """
    )


def test_a_connection_needs_a_loop(run):
    """A sync test is told what to do instead."""
    result = run(
        """
        def test_it(ws_connect):
            pass
        """
    )

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["a ws_? fixture of this test needs the event loop of a*ws_soak*"])
    assert "fixtures.py" not in result.stdout.str()


def test_a_trio_test_is_told_the_same(run):
    """Connections are asyncio's."""
    result = run(
        """
        import pytest

        @pytest.mark.trio
        async def test_it(ws_connect):
            pass
        """
    )

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["a ws_? fixture of this test needs the event loop of a*ws_soak*"])


def test_in_a_class_with_the_mark_of_pytest_asyncio(passes):
    """A second mark is not needed, and does no harm."""
    passes(
        """
        import pytest

        @pytest.mark.asyncio
        class TestIt:
            async def test_it(self, ws_connect):
                await (await ws_connect()).assert_alive_for("10m")
        """
    )


def test_in_real_time(passes):
    """The same lines on the real clock."""
    passes(
        """
        async def test_it(ws_connect, ws_clock):
            connection = await ws_connect(heartbeat="50ms")
            await connection.assert_alive_for("200ms")
            connection.assert_heartbeats_answered(within="200ms", at_least=2)
            assert not ws_clock.is_virtual
        """,
        "--ws-time=real",
    )


def test_a_reconnect_is_closed_too(passes):
    """As every connection of the factory, with the orchestrator's end beside it."""
    passes(
        """
        import pytest

        kept = []

        async def test_it(ws_connect, ws_orchestrator):
            first = await ws_connect()
            await first.assert_session_confirmed(within="5s")
            await ws_orchestrator.restart(down_for="5s")
            kept.append(await first.reconnect(within="10s"))
            await kept[0].assert_session_resumed()
            assert kept[0].others == (ws_orchestrator.sessions[0].timeline,)

        def test_that():
            assert kept[0].timeline.close.planned
        """
    )

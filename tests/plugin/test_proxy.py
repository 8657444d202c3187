"""The ws_proxy fixture, and faults of the link on the test's own orchestrator."""

from __future__ import annotations

import re

import pytest


def test_a_proxy_breaks_what_passes(passes):
    """In front of the URL under test, or of any other; all are closed in the end."""
    assert (
        passes("""
        import pytest
        from pytest_wsstability import Orchestrator, faults

        async def test_default(ws_connect, ws_proxy):
            proxy = await ws_proxy(faults=[("5s", faults.Drop())])
            connection = await ws_connect(proxy.url)
            await connection.wait_closed()
            assert connection.timeline.close.at == 5.0
            (applied,) = proxy.applied
            assert (applied.fault, applied.at, applied.lateness) == (faults.Drop(), 5.0, 0.0)

        async def test_another_url(ws_connect, ws_proxy):
            async with Orchestrator(profile="frames") as other:
                proxy = await ws_proxy(other.url)
                async with ws_connect(proxy.url, profile="frames"):
                    assert len(other.sessions) == 1
    """)
        == 2
    )


@pytest.mark.parametrize("fixture", ["ws_soak", "ws_fleet", "ws_voice", "ws_connection"])
def test_what_holds_goes_through_a_proxy_that_the_url_is_overridden_with(passes, fixture):
    """Whoever holds it: the proxy has carried each connection."""
    mark = {
        "ws_fleet": "ws_stability(alive_for='1m', connections=3)",
        "ws_voice": "ws_voice(turns=2)",
    }.get(fixture, "ws_stability(alive_for='1m')")
    passes(f"""
        import pytest
        import pytest_asyncio
        from pytest_wsstability import faults
        from pytest_wsstability.voice import Pipeline

        proxies = []

        @pytest_asyncio.fixture
        async def ws_url(ws_proxy, ws_url):
            proxies.append(await ws_proxy(ws_url, faults=[faults.Latency("10ms")]))
            return proxies[0].url

        @pytest.mark.ws_orchestrator(voice=Pipeline())
        @pytest.mark.{mark}
        async def test_it({fixture}):
            assert len(proxies[0].applied) == {3 if fixture == "ws_fleet" else 1}
    """)


@pytest.mark.parametrize("time", ["virtual", "real"])
def test_a_proxy_is_in_the_time_of_its_test(passes, time):
    """The same test runs on the in-process network and on kernel sockets."""
    assert (
        passes(
            """
        from pytest_wsstability import faults

        async def test_it(ws_connect, ws_proxy, ws_clock):
            proxy = await ws_proxy(faults=[("100ms", faults.Reset())])
            connection = await ws_connect(proxy.url)
            await connection.wait_closed()
            assert connection.timeline.close.transport.value == "RST"
            assert proxy.applied[0].at >= 0.1
    """,
            f"--ws-time={time}",
        )
        == 1
    )


def test_a_failure_shows_strikes_and_the_program(failure):
    """Three ends of the connection, and the program as it can be pasted into a test."""
    printed = failure("""
        from pytest_wsstability import faults

        async def test_it(ws_connect, ws_proxy):
            proxy = await ws_proxy(faults=[("5s", faults.Drop())])
            connection = await ws_connect(proxy.url)
            await connection.assert_alive_for("1m")
    """)

    lines = [line.removeprefix("E").strip() for line in printed.splitlines()]
    assert "program   faults.Program.of([(5.0, faults.Drop())])" in lines
    assert "applied   faults.Drop() at 5 s on connection 0" in lines
    # On a busy machine they open late, behind a silence.
    words = ("client", "server", "proxy")
    assert [word for word in words if re.search(f"  {word:<9} [=-]", printed) is None] == []


@pytest.mark.parametrize("time", ["virtual", "real"])
def test_the_orchestrator_can_stand_behind_a_broken_link(failure, time):
    """On the virtual network the link has the fault, on kernel sockets a proxy; failures look alike."""
    printed = failure(
        """
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_orchestrator(faults=[("200ms", faults.Drop())])
        async def test_it(ws_connect, ws_orchestrator):
            connection = await ws_connect()
            await connection.wait_closed()
            assert [applied.fault for applied in ws_orchestrator.applied] == [faults.Drop()]
            await connection.assert_alive_for("1s")
    """,
        f"--ws-time={time}",
    )

    assert "faults of the orchestrator faults.Program.of([(0.2, faults.Drop())])" in printed
    # On a busy machine they open late, behind a silence.
    words = ("client", "server", "proxy")
    assert [word for word in words if re.search(f"  {word:<9} [=-]", printed) is None] == []


def test_a_soak_meets_faults_of_the_link(failure):
    """ws_soak starts the orchestrator of the marker, faults and all."""
    printed = failure("""
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_stability(alive_for="1m")
        @pytest.mark.ws_orchestrator(faults=[("5s", faults.Reset())])
        def test_it(ws_soak): ...
    """)

    assert "injected fault faults.Reset() (1006 at 5 s of 60 s)" in printed


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ('["drop"]', ["faults[0]: 'drop' is no fault", "faults.Drop()"]),
        ("[faults.Drop]", ["faults[0]: faults.Drop is a class"]),
        ("[(-1, faults.Drop())]", ["faults[0]: -1 is negative"]),
        (
            "[faults.Drop(), faults.Reset()]",
            ["faults.Reset() at 0 s: faults.Drop() has ended the connection"],
        ),
        (
            '[("2m", faults.Drop())]',
            ["faults.Drop() at 120 s would never be applied", "the hold ends after 60 s"],
        ),
    ],
)
def test_faults_that_make_no_sense_are_errors_at_collection(refusal, faults, words):
    """The test is named, and the value; a program that is longer than the hold is one of them."""
    printed = refusal(f"""
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_stability(alive_for="1m")
        @pytest.mark.ws_orchestrator(faults={faults})
        def test_it(ws_soak): ...
    """)

    (line,) = (line for line in printed.splitlines() if "::test_it: " in line)
    assert all(word in line for word in words)


def test_a_forward_proxy_that_opens_no_way_fails_its_test(run):
    """Which says what to change; the tests behind it run."""
    result = run("""
    import asyncio
    import pytest

    async def refuse(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(b"HTTP/1.1 407 Proxy Authentication Required\\r\\nContent-Length: 0\\r\\n\\r\\n")
        writer.close()

    @pytest.mark.ws_stability
    async def test_refused(ws_connect):
        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            await ws_connect("ws://inside.example/", proxy=f"http://127.0.0.1:{port}")

    def test_behind():
        pass
    """)

    assert result.parseoutcomes() == {"failed": 1, "passed": 1}
    result.stdout.fnmatch_lines(
        [
            "*it answered 407 Proxy Authentication Required to CONNECT inside.example:80*",
            "*fix       see what the proxy says: 407 or 401 asks for a user and a password in *",
        ]
    )


@pytest.mark.parametrize("fault", ["Latency('20s')", "Bandwidth(10)", "Blackhole()", "Drop()"])
def test_a_handshake_that_a_proxy_keeps_back_is_not_the_servers(run, fault):
    """What to change is the fault; that of the server would be to look at its process."""
    printed = run(f"""
        from pytest_wsstability import faults

        async def test_it(ws_connect, ws_proxy):
            proxy = await ws_proxy(faults=[faults.{fault}])
            await ws_connect(proxy.url)
    """).stdout.str()

    name = fault.partition("(")[0]
    assert f'fix       the test injected it at the opening; ("30s", faults.{name}(' in printed


@pytest.mark.parametrize("fault", ["Latency('20ms')", "Stall('3s')", "DropControlFrames()"])
def test_a_server_that_answers_nothing_is_none_of_a_proxys_faults(run, fault):
    """The proxy has passed on all that came, be it a little later."""
    printed = run(f"""
        import asyncio
        from pytest_wsstability import faults

        async def silent(reader, writer):
            await reader.read()
            writer.close()

        async def test_it(ws_connect, ws_proxy):
            server = await asyncio.start_server(silent, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            proxy = await ws_proxy(f"ws://127.0.0.1:{{port}}/", faults=[faults.{fault}])
            await ws_connect(proxy.url)
    """).stdout.str()

    assert "fix       see the server's log" in printed

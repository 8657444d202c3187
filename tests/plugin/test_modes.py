"""pytest-asyncio's modes and loop scopes: strict and auto, function to session."""

from __future__ import annotations

import pytest

TESTS = """
import asyncio
import pytest

async def test_ours(ws_connect, ws_clock):
    assert ws_clock.is_virtual
    await (await ws_connect(heartbeat="25s")).assert_alive_for("1h")

@pytest.mark.asyncio
async def test_marked(ws_connect, ws_clock):
    assert ws_clock.is_virtual
    await (await ws_connect(heartbeat="25s")).assert_alive_for("1h")

@pytest.mark.asyncio
async def test_not_ours():
    assert not getattr(asyncio.get_running_loop(), "is_virtual", False)

@pytest.mark.ws_stability(alive_for="1h")
def test_sync(ws_soak):
    pass
"""
MODES = pytest.mark.parametrize("mode", ["strict", "auto"])


@MODES
def test_both_modes(passes, mode):
    """No second mark in strict mode, no harm in auto mode."""
    assert passes(TESTS, f"--asyncio-mode={mode}") == 4


@MODES
@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_a_default_scope_of_tests(passes, ini, mode, scope):
    """A project whose tests share a loop: ours get one of their own, unless they say otherwise."""
    ini(f"asyncio_default_test_loop_scope = {scope}")
    source = TESTS.replace("@pytest.mark.asyncio\nasync def test_marked", "async def test_marked")

    assert passes(source, f"--asyncio-mode={mode}") == 4


def test_a_mark_of_pytest_asyncio_and_a_default_scope_of_tests_are_refused(run, ini):
    """The mark without a scope means the default scope, and that loop is real and shared."""
    ini("asyncio_default_test_loop_scope = session")

    result = run(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_it(ws_connect, ws_clock):
            assert ws_clock.is_virtual
        """
    )

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["*test_it: runs in virtual time, but its loop is the session's*"])


@MODES
def test_a_module_scope_with_the_module_marked(passes, mode):
    """One virtual loop for the module; its clock goes on from test to test."""
    assert (
        passes(
            """
            import asyncio
            import pytest

            pytestmark = [pytest.mark.ws_stability(time="virtual"), pytest.mark.asyncio(loop_scope="module")]
            loops = set()

            async def test_first(ws_clock, ws_connect):
                loops.add(asyncio.get_running_loop())
                await (await ws_connect()).assert_alive_for("1h")
                assert ws_clock.now >= 3600

            async def test_second(ws_clock, ws_connect):
                loops.add(asyncio.get_running_loop())
                assert len(loops) == 1
                assert ws_clock.now >= 3600
                await (await ws_connect()).assert_alive_for("1h")
            """,
            f"--asyncio-mode={mode}",
        )
        == 2
    )


def test_a_class_scope_with_the_class_marked(passes):
    """The same for a class; other tests of the module are not touched."""
    assert (
        passes(
            """
            import asyncio
            import pytest
            import pytest_asyncio

            @pytest_asyncio.fixture(loop_scope="class", scope="class")
            async def shared():
                yield asyncio.get_running_loop()

            @pytest.mark.ws_stability(time="virtual")
            @pytest.mark.asyncio(loop_scope="class")
            class TestVoice:
                async def test_first(self, shared, ws_connect, ws_clock):
                    assert shared is asyncio.get_running_loop()
                    assert ws_clock.is_virtual

                async def test_second(self, shared, ws_connect, ws_clock):
                    assert shared is asyncio.get_running_loop()
                    await (await ws_connect()).assert_alive_for("24h")

            @pytest.mark.asyncio
            async def test_outside():
                assert not getattr(asyncio.get_running_loop(), "is_virtual", False)
            """
        )
        == 3
    )


@pytest.mark.parametrize(
    ("scope", "give"),
    [
        ("class", "the class the mark ws_stability(time='virtual'), the test time='real'"),
        ("module", "the module the mark ws_stability(time='virtual'), the test time='real'"),
        # There is no place where a session could be marked.
        ("session", "the test ws_stability(time='real')"),
    ],
)
def test_a_virtual_test_on_a_real_shared_loop_is_refused(run, scope, give):
    """It would wait for real, or stop the clock of others: the message says what to write."""
    result = run(
        f"""
        import pytest

        class TestIt:
            @pytest.mark.asyncio(loop_scope="{scope}")
            async def test_it(self, ws_connect):
                pass
        """
    )

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(
        [
            f"*test_it: runs in virtual time, but its loop is the {scope}'s, and that is real; give {give}, "
            "or loop_scope='function'"
        ]
    )
    assert "clock.py" not in result.stdout.str()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.ws_stability(time="real")
async def test_a_real_test_may_share_a_loop(ws_connect, ws_clock):
    """As ever with pytest-asyncio."""
    assert not ws_clock.is_virtual
    await (await ws_connect()).assert_alive_for("50ms")


def test_the_same_suite_in_real_time(passes):
    """The mark that strict mode needs is added for either clock."""
    source = TESTS.replace('"1h"', '"50ms"').replace("assert ws_clock.is_virtual", "")

    assert passes(source, "--ws-time=real") == 4


SHARED_SERVER = """
import pytest
import pytest_asyncio
from websockets.asyncio.server import serve

async def echo(connection):
    async for message in connection:
        await connection.send(message)

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ws_url():
    async with serve(echo, "127.0.0.1", 0) as server:
        yield "ws://127.0.0.1:{}".format(server.sockets[0].getsockname()[1])
"""
HELD = """
@pytest.mark.ws_stability(time="{time}", profile="frames")
@pytest.mark.parametrize("number", [1, 2])
async def test_it(ws_connect, number):
    connection = await ws_connect({options})
    await connection.assert_alive_for("50ms")
"""


@MODES
def test_a_real_test_runs_on_the_loop_of_all_tests(passes, ini, mode):
    """On which a server of the session runs, too."""
    ini("asyncio_default_test_loop_scope = session")

    assert passes(SHARED_SERVER + HELD.format(time="real", options=""), f"--asyncio-mode={mode}") == 2


# What a server shows whose loop stands still: its kernel opens connections, and nobody answers.
STANDING = """
import socket
import pytest
import pytest_asyncio

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ws_url():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield "ws://127.0.0.1:{}".format(server.getsockname()[1])
"""


@pytest.mark.parametrize(
    ("time", "says"),
    [
        ("real", "did not open (timeout): no HTTP response to the upgrade within 200 ms"),
        ("virtual", "leaves the virtual network"),
    ],
)
def test_a_server_on_another_loop_than_the_tests_is_told(run, time, says):
    """Each parameter is told; before, its process was said to stand still."""
    result = run(STANDING + HELD.format(time=time, options="open_timeout='200ms'"))

    assert result.parseoutcomes() == {"failed": 2}
    printed = " ".join(result.stdout.str().replace("E   ", " ").split())
    assert says in printed
    assert printed.count(
        "server ws_url comes from the async fixture 'ws_url': a server on its event loop, the session's, "
        "stands still while this test runs on another; give the test ws_stability(time='real') and "
        "@pytest.mark.asyncio(loop_scope='session')"
    ) == 2  # fmt: skip


OPENS = """
import pytest
import pytest_asyncio

@pytest_asyncio.fixture{scope}
async def connection(ws_connect):
    return await ws_connect()

async def test_it(connection):
    await connection.assert_alive_for("1h")
"""


SHARED_LOOP = ("-o", "asyncio_default_fixture_loop_scope=session")


def test_a_connection_of_a_fixture_on_another_loop_is_refused(run):
    """Nothing that a virtual test has is there: it was told that nobody listens."""
    result = run(OPENS.format(scope=""), *SHARED_LOOP)

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(
        [
            "*ws_connect() is awaited on another event loop than the test's, which is virtual*"
            "@pytest_asyncio.fixture(loop_scope='function') before the fixture*"
        ]
    )


def test_a_connection_of_a_fixture_with_the_scope_that_is_told(passes):
    """As the error says."""
    assert passes(OPENS.format(scope="(loop_scope='function')"), *SHARED_LOOP) == 1

"""Runners of tests: what is said where pytest-asyncio does not run one."""

from __future__ import annotations

import pytest

from tests.serving import serving

SOAK = """
import pytest

@pytest.mark.ws_stability(alive_for="2m")
def test_it(ws_soak):
    pass
"""


def test_ws_soak_without_pytest_asyncio(run, pytester):
    """It needs no loop of the test's, and so no plugin that gives one."""
    pytester.makefile(".ini", pytest="[pytest]")

    assert run(SOAK, "-p", "no:asyncio", "-p", "no:looptime_plugin").parseoutcomes() == {"passed": 1}


def test_ws_connect_without_pytest_asyncio(run, pytester):
    """What does not work says so, and what does."""
    pytester.makefile(".ini", pytest="[pytest]")

    result = run("def test_it(ws_connect): pass", "-p", "no:asyncio", "-p", "no:looptime_plugin")

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(["*needs pytest-asyncio, which is switched off; take '-p no:asyncio' away,*"])


@pytest.mark.slow
def test_strict_markers_without_pytest_asyncio(pytester):
    """Its mark, which nobody has declared then, is given to no test."""
    pytester.makefile(".ini", pytest="[pytest]\nfilterwarnings = error")
    pytester.makepyfile(f"{SOAK}\nasync def test_async(ws_connect): ...\n")
    options = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:looptime_plugin", "--strict-markers")
    # In a process of its own: a mark is looked up when it is made, and made once.
    result = pytester.runpytest_subprocess(*options)

    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    result.stdout.fnmatch_lines(["*needs pytest-asyncio, which is switched off; take '-p no:asyncio' away,*"])


@pytest.mark.slow
def test_plugins_that_are_named_one_by_one(pytester, monkeypatch):
    """Where pytest loads none by itself, pytest-asyncio may be given by its module."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile("async def test_it(ws_connect): await ws_connect()")
    options = ("-p", "pytest_asyncio.plugin", "-p", "pytest_wsstability.plugin.hooks")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)

    assert result.parseoutcomes()["passed"] == 1


GIVEN = """
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

{mark}
@given(st.integers(5, 50))
@settings(max_examples=2, suppress_health_check=list(HealthCheck), deadline=None)
async def test_it(ws_connect, seconds):
    connection = await ws_connect(heartbeat=seconds)
    await connection.assert_alive_for("2m")
"""


def test_given_on_an_async_test_is_told_what_helps(run):
    """It is written 'async def' already; the mark is what it lacks."""
    pytest.importorskip("hypothesis")

    result = run(GIVEN.format(mark=""))

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines(
        ["*and this is none: mark it with @pytest.mark.asyncio, which stands above @given*"]
    )


def test_given_with_the_mark_runs(passes):
    """As the message says."""
    pytest.importorskip("hypothesis")

    assert passes(GIVEN.format(mark="@pytest.mark.asyncio")) == 1


OTHERS = """
import unittest

import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

class Take:
    @pytest.fixture(autouse=True)
    def take(self, ws_connect):
        self.connect = ws_connect

{source}
"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("def test_it(ws_connect): pass", "*and this is none: write 'async def', or use ws_soak*"),
        (
            "@pytest.mark.anyio\nasync def test_it(ws_connect): pass",
            "*mark it with @pytest.mark.asyncio instead of @pytest.mark.anyio; or open the connection in the "
            "test, with connect() of pytest_wsstability*",
        ),
        (
            "class Test(Take, unittest.IsolatedAsyncioTestCase):\n    async def test_it(self): pass",
            "*methods of unittest.TestCase have none of pytest-asyncio's: write a function, or a class *",
        ),
        (
            "class Test(Take, unittest.TestCase):\n    def test_it(self): pass",
            "*methods of unittest.TestCase have none of pytest-asyncio's: write a function, or a class *",
        ),
    ],
)
def test_another_runner_is_told_what_helps(run, source, words):
    """What is written already is not asked for."""
    result = run(OTHERS.format(source=source))

    assert result.parseoutcomes() == {"errors": 1}
    result.stdout.fnmatch_lines([words])


@pytest.mark.parametrize("base", ["unittest.IsolatedAsyncioTestCase", "unittest.TestCase"])
def test_a_test_case_opens_its_connection_itself(passes, base):
    """As the message says; ws_soak needs no loop."""
    assert (
        passes(
            f"""
        import unittest

        import pytest
        from pytest_wsstability import Orchestrator, connect, run_virtual

        class Test({base}):
            @pytest.mark.ws_stability(alive_for="2m")
            @pytest.mark.usefixtures("ws_soak")
            def test_soak(self):
                pass

            def test_connect(self):
                async def main():
                    async with Orchestrator() as server:
                        connection = await connect(server.url, heartbeat="25s")
                        await connection.assert_alive_for("2m")
                        await connection.close()
                run_virtual(main())
        """
        )
        == 2
    )


ASYNC_SERVER = """
import pytest, pytest_asyncio, websockets

{fixture}

@pytest.mark.ws_stability(alive_for="2m"{more})
{kind} test_it(ws_soak):
    pass
"""
SERVED = """
@pytest_asyncio.fixture
async def ws_url():
    async def handler(ws):
        await ws.wait_closed()
    async with websockets.serve(handler, "127.0.0.1", 0) as server:
        yield "ws://127.0.0.1:%d/" % server.sockets[0].getsockname()[1]
"""
BEHIND = (
    SERVED.replace("ws_url", "mine")
    + """
@pytest.fixture
def ws_url(mine):
    return mine + "?x=1"
"""
)


@pytest.mark.parametrize(("fixture", "name"), [(SERVED, "ws_url"), (BEHIND, "mine")])
def test_a_sync_soak_of_a_server_on_the_loop_is_refused(refusal, fixture, name):
    """The loop of the fixture stands still while the hold lasts: 'async def' is what helps."""
    printed = refusal(ASYNC_SERVER.format(fixture=fixture, kind="def", more=""))

    assert f"runs on the event loop of the async fixture '{name}', which stands still during" in printed
    assert "write 'async def' before this test" in printed


def test_an_async_soak_of_a_server_on_the_loop(passes):
    """As the message says; its profile is the frames alone."""
    assert passes(ASYNC_SERVER.format(fixture=SERVED, kind="async def", more=', profile="frames"')) == 1


@pytest.mark.slow
@pytest.mark.real
def test_in_real_time_the_failure_says_why_nothing_opens(pytester):
    """A URL on loopback may lead to another process there, so it is tried."""
    pytester.makepyfile(ASYNC_SERVER.format(fixture=SERVED, kind="def", more=""))
    # A process of its own: the server never closes what it accepted.
    result = pytester.runpytest_subprocess("-p", "no:looptime_plugin", "-W", "ignore", "--ws-time=real")
    printed = " ".join(result.stdout.str().split())

    assert result.parseoutcomes() == {"failed": 1}
    assert "did not open (timeout): no HTTP response to the upgrade within 10 s" in printed
    assert "server ws_url comes from the async fixture 'ws_url'" in printed
    assert "write 'async def' before this test" in printed


BY_NAME = """
import pytest

pytestmark = pytest.mark.ws_stability(alive_for="2m")

{test}
"""


@pytest.mark.parametrize("name", ["ws_soak", "ws_connection", "ws_connect", "ws_orchestrator", "ws_clock"])
def test_a_fixture_that_an_async_body_asks_for_by_name(run, name):
    """Its loop runs by then, and pytest-asyncio would say no more than that Runner.run() cannot be called."""
    test = f"async def test_it(request): request.getfixturevalue({name!r})"
    result = run(BY_NAME.format(test=test))

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines([
        "request.getfixturevalue() cannot set up a ws_[*] fixture while the event loop of the test runs: let "
        "the test take it as an argument, or ask for it in a fixture that is no 'async def'"
    ])  # fmt: skip


ASKING = {
    "a test": "def test_it(request): request.getfixturevalue('ws_soak')",
    "an async test": "async def test_it(request): request.getfixturevalue('ws_soak')",
    "what a fixture gives": """
@pytest.fixture
def later(request): return lambda: request.getfixturevalue('ws_soak')
def test_it(later): later()
""",
    "a method of unittest": """
class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def keep(self, request): self.request = request
    def test_it(self): self.request.getfixturevalue('ws_soak')
""",
    "a fixture": """
@pytest.fixture
def held(request): return request.getfixturevalue('ws_soak')
def test_it(held): ...
""",
    # As a step of pytest-bdd does.
    "a decorator": """
def steps(call):
    def test_it(request):
        for name in inspect.signature(call).parameters:
            request.getfixturevalue(name)
    return test_it
@steps
def test_it(ws_soak): ...
""",
}
HANDLED = """
import asyncio, inspect, unittest
import pytest
hold = pytest.mark.ws_stability(alive_for="50ms")
pytestmark = [pytest.mark.asyncio, {module}]
{test}
"""


async def leave(connection):
    """End a connection at once."""


@pytest.mark.real
@pytest.mark.parametrize("test", ASKING.values(), ids=ASKING)
@pytest.mark.parametrize(("server", "outcome"), [({"handler": leave}, "failed"), ({}, "passed")])
def test_what_a_test_asks_for_by_name_is_judged(run, test, server, outcome):
    """A hold of a server that runs elsewhere needs no loop, so it may begin in the body."""
    with serving(**server) as url:
        result = run(HANDLED.format(test=test, module="hold"), f"--ws-url={url}", "-Wignore")

    assert result.parseoutcomes() == {outcome: 1}


@pytest.mark.real
@pytest.mark.parametrize(("server", "outcome"), [({"handler": leave}, "failed"), ({}, "passed")])
def test_a_mark_of_a_test_that_asks_by_name(run, server, outcome):
    """Whether anything is held to it is known when the test has run."""
    source = HANDLED.format(test=f"@hold\n{ASKING['a test']}", module="")
    with serving(**server) as url:
        result = run(source, f"--ws-url={url}", "-Wignore")

    assert result.parseoutcomes() == {outcome: 1}


@pytest.mark.parametrize("parameters", ["request", "ws_orchestrator, request", "request, number"])
def test_a_mark_of_a_test_that_might_ask_by_name_and_does_not(run, parameters):
    """Nothing is held to it, which is no pass; each parameter of a test is one by itself."""
    source = f"""
    import pytest

    @pytest.fixture(params=[1, 2])
    def number(request): return request.param

    @pytest.mark.ws_stability(alive_for="2m")
    async def test_it({parameters}): ...
    """
    result = run(source)

    assert result.parseoutcomes() == {"failed": 2 if "number" in parameters else 1}
    result.stdout.fnmatch_lines(["*nothing in this test was held to its mark ws_stability(alive_for='120s')"])


def test_a_fixture_with_a_mark_of_the_test_that_asks_by_name(passes):
    """It was an error of the collection."""
    test = """
@pytest.fixture(params=["ws_soak", "ws_connection"])
def held(request):
    return request.getfixturevalue(request.param)

@pytest.mark.ws_stability(heartbeat_every="25s")
async def test_it(held): ...
"""
    assert passes("pytestmark = []\n" + BY_NAME.format(test=test)) == 2


IN_THE_BODY = """
import asyncio, inspect, unittest
import pytest

async def leave(connection): await asyncio.sleep(30)

pytestmark = [pytest.mark.ws_stability(alive_for="2m"), *{more}]
{test}
"""


@pytest.mark.parametrize("test", [test for name, test in ASKING.items() if name != "an async test"])
@pytest.mark.parametrize(
    ("more", "outcome"), [("[]", "passed"), ("[pytest.mark.ws_orchestrator(handler=leave)]", "failed")]
)
def test_a_soak_that_a_sync_test_asks_for_by_name(run, test, more, outcome):
    """Of the reference server too: it brings its own loop, whenever it begins."""
    assert run(IN_THE_BODY.format(test=test, more=more)).parseoutcomes() == {outcome: 1}


def test_a_soak_by_name_without_a_mark(run):
    """Nobody could say so before."""
    result = run("def test_it(request): request.getfixturevalue('ws_soak')")

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["ws_soak: how long? give the test a ws_stability marker with alive_for"])


def test_a_fixture_may_ask_for_ours_by_name(passes):
    """Fixtures that are no coroutines are set up before the loop runs."""
    test = """
@pytest.fixture(params=["ws_soak", "ws_connection"])
def held(request):
    return request.getfixturevalue(request.param)

async def test_it(held):
    held.assert_no_abnormal_closure()
"""
    assert passes(BY_NAME.format(test=test)) == 2


def test_a_fixture_that_gives_the_url_may_ask_for_the_orchestrator_by_name(passes):
    """The hold is on the loop on which that runs, and no thread beside it: there it would stand still."""
    passes(
        """
        import pytest

        @pytest.fixture
        def ws_url(request): return request.getfixturevalue("ws_orchestrator").url

        @pytest.mark.ws_stability(alive_for="50ms")
        async def test_it(ws_soak): ...
        """
    )


BOTH = """
import pytest
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend(): return "asyncio"

@pytest.mark.asyncio
@pytest.mark.ws_stability(alive_for="24h")
async def test_it({fixture}): ...
"""


@pytest.mark.parametrize("fixture", ["ws_connect", "ws_connection", "ws_clock"])
def test_a_test_of_two_runners_is_told_to_leave_one(run, fixture):
    """Where anyio sets up its fixtures, they are on another loop than that of pytest-asyncio."""
    result = run(BOTH.format(fixture=fixture).replace('alive_for="24h"', "time='virtual'"))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*, and anyio sets up the fixtures of this one, on another: take @pytest.mark.anyio away from the *"]
    )
    assert "pytest_wsstability/" not in result.stdout.str()


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_a_soak_of_a_test_of_two_runners_needs_no_loop(passes, mode):
    """It was held on the loop of anyio, a day in real time."""
    passes(BOTH.format(fixture="ws_soak"), f"--asyncio-mode={mode}", "--timeout=20")


def test_a_soak_of_a_server_on_the_loop_of_anyio_is_refused(refusal):
    """That loop runs when the fixtures and the test do."""
    printed = refusal(
        """
        import pytest

        @pytest.fixture
        def anyio_backend(): return "asyncio"

        @pytest.fixture
        async def ws_url(): yield "ws://127.0.0.1:1/"

        @pytest.mark.anyio
        @pytest.mark.ws_stability(alive_for="1m")
        async def test_it(ws_soak): ...
        """
    )

    assert (
        "which stands still during a hold, as anyio has it: mark this test with asyncio in place of"
        in printed
    )

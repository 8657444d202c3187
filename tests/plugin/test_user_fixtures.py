"""Async fixtures of the user's in virtual tests: on the same loop, by the same clock."""

from __future__ import annotations

import asyncio
import time

import pytest


def test_timers_of_a_fixture_are_exact(passes):
    """What a fixture started before the test ticks while the test waits."""
    passes(
        """
        import asyncio
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def ticks():
            seen = []
            loop = asyncio.get_running_loop()

            async def tick():
                while True:
                    await asyncio.sleep(20)
                    seen.append(loop.time())

            task = asyncio.create_task(tick())
            yield seen
            task.cancel()

        async def test_it(ticks, ws_clock):
            await ws_clock.advance("301s")
            assert ticks == [20.0 * (index + 1) for index in range(15)]
        """
    )


def test_a_fixture_of_auto_mode(passes):
    """In auto mode an ordinary fixture mark is enough."""
    passes(
        """
        import asyncio
        import pytest

        @pytest.fixture
        async def started():
            await asyncio.sleep(100)
            yield asyncio.get_running_loop().time()
            await asyncio.sleep(3600)

        async def test_it(started, ws_clock):
            assert started == 100.0
            assert ws_clock.now == 100.0
        """,
        "--asyncio-mode=auto",
        "--timeout=20",
    )


@pytest.mark.parametrize("kind", ["yield", "return"])
def test_an_async_fixture_that_strict_mode_leaves_alone(run, kind):
    """In each test, not only in the first; and never where another error stopped the setup."""
    result = run(
        f"""
        import pytest

        @pytest.fixture
        async def ws_url():
            {kind} "ws://127.0.0.1:9/"

        @pytest.fixture
        def broken():
            raise ValueError("no database")

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        async def test_soak(ws_soak): ...

        async def test_connect(ws_connect): ...

        async def test_another(broken, ws_connect): ...
        """,
        "-Wignore",
        "--asyncio-mode=strict",
    )
    result.assert_outcomes(errors=3)
    told = (
        "the fixture 'ws_url' is async, and pytest-asyncio in its strict mode leaves it alone: write "
        "@pytest_asyncio.fixture before it, or asyncio_mode = auto into the ini file"
    )
    assert [told, told, "E       ValueError: no database"] == [
        line for line in result.outlines if line in (told, "E       ValueError: no database")
    ]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("ws_soak, thing", "Failed: its lifespan failed: no database"),
        ("thing, ws_soak", "Failed: its lifespan failed: no database"),
        ("wide, thing, ws_soak", "Failed: ScopeMismatch: "),
        ("missing, thing, ws_soak", "fixture 'missing' not found"),
    ],
)
def test_what_fails_beside_an_async_fixture_that_another_runs(run, arguments, told):
    """The error is told, and no fixture of pytest-trio is blamed, or one that was not reached yet."""
    result = run(
        f"""
        import pytest

        @pytest.fixture
        async def thing(): ...

        @pytest.fixture(scope="module")
        def wide(thing): ...

        @pytest.fixture
        def ws_app():
            async def app(scope, receive, send):
                await receive()
                await send({{"type": "lifespan.startup.failed", "message": "no database"}})

            return app

        @pytest.mark.trio
        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        async def test_held({arguments}): ...
        """,
        "-Wignore",
        "--asyncio-mode=strict",
    )
    result.assert_outcomes(errors=1)
    assert told in result.stdout.str()
    assert "leaves it alone" not in result.stdout.str()


def test_a_sync_fixture_finds_the_loop(passes):
    """The current loop is the test's, as it is with any pytest-asyncio test."""
    passes(
        """
        import asyncio
        import pytest

        @pytest.fixture
        def future(ws_clock):
            return asyncio.get_event_loop().create_future()

        async def test_it(future, ws_clock):
            asyncio.get_running_loop().call_later(60, future.set_result, "done")
            assert await future == "done"
            assert ws_clock.now == 60.0
        """
    )


def test_no_current_loop_is_left_behind(passes):
    """Later tests find what they would find without us."""
    assert (
        passes(
            """
            import asyncio
            import gc

            async def test_it(ws_connect):
                await ws_connect()

            def test_after():
                asyncio.run(asyncio.sleep(0))
                gc.collect()
            """,
            "-p",
            "no:looptime_plugin",
        )
        == 2
    )


def test_a_session_fixture_has_a_real_loop_of_its_own(passes):
    """It is not for one test, so it does not follow the clock of one."""
    assert (
        passes(
            """
            import asyncio
            import pytest
            import pytest_asyncio

            @pytest_asyncio.fixture(scope="session", loop_scope="session")
            async def shared():
                yield asyncio.get_running_loop()

            async def test_ours(shared, ws_clock):
                assert not getattr(shared, "is_virtual", False)
                assert shared is not asyncio.get_running_loop()

            @pytest.mark.asyncio(loop_scope="session")
            async def test_theirs(shared):
                assert shared is asyncio.get_running_loop()
            """
        )
        == 2
    )


def test_a_test_that_waits_for_nothing_is_told_so(run):
    """Nothing can ever happen any more: no hang, a message."""
    result = run(
        """
        import asyncio

        async def test_it(ws_clock):
            await asyncio.get_running_loop().create_future()
        """,
        "--timeout=20",
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["virtual time stands still*", "*waits at *:4 (test_it)"])


async def test_a_thread_of_the_user_is_waited_for(ws_clock):
    """Work in an executor takes real time, and the clock stands still for it."""
    async with asyncio.timeout(1):
        await asyncio.to_thread(time.sleep, 0.05)
    assert ws_clock.now == 0.0


def test_unfinished_tasks_do_not_outlive_the_test(passes):
    """They are cancelled at its end, without a warning."""
    assert (
        passes(
            """
            import asyncio

            cancelled = []

            async def forever():
                try:
                    await asyncio.sleep(10**9)
                except asyncio.CancelledError:
                    cancelled.append(True)
                    raise

            async def test_it(ws_clock):
                test_it.task = asyncio.create_task(forever())
                await asyncio.sleep(0)

            def test_after():
                assert cancelled == [True]
            """
        )
        == 2
    )


PARAMETERS = """
import pytest

seen = []

@pytest.fixture(params=["x", "y"])
def token(request): return request.param

@pytest.fixture
def ws_headers(token):
    seen.append(token)
    return {"X-Token": token}

@pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s")
def test_soak(ws_soak): ...

async def test_connect(ws_connect):
    await ws_connect()

async def test_without_a_connection(ws_url): ...

def test_seen():
    assert seen == ["x", "y", "x", "y"]
"""
APPS = """
import pytest

TWO = pytest.param("two", marks=pytest.mark.skip)

@pytest.fixture(params=["one", TWO], ids=["first", "second"], scope="module")
def ws_app(request):
    async def handler(connection):
        await connection.send(request.param)
        await connection.wait_closed()
    return handler

async def test_it(ws_connect):
    connection = await ws_connect(profile="frames")
    assert await connection.recv(within="5s") == "one"
"""


def test_each_parameter_of_a_fixture_behind_ws_headers_is_a_test(run):
    """pytest itself sees no test that asks for it."""
    result = run(PARAMETERS, "-p", "no:randomly")

    assert result.parseoutcomes() == {"passed": 6}


@pytest.mark.parametrize(
    ("args", "outcomes"), [([], {"passed": 1, "skipped": 1}), (["--ws-app=other:handler"], {"passed": 1})]
)
def test_each_parameter_of_ws_app_is_a_test(run, pytester, args, outcomes):
    """With its marks and its id; where another app is under test, there is one."""
    pytester.makepyfile(
        other="async def handler(connection): await connection.send('one'); await connection.wait_closed()"
    )
    result = run(APPS, "-v", *args)

    assert result.parseoutcomes() == outcomes
    assert ("test_it[[]first]" in result.stdout.str().replace("[", "[[]")) is (len(outcomes) == 2)


OVERRIDDEN = """
import pytest

@pytest.fixture{given}
def ws_app(ws_app): return ws_app

@pytest.mark.ws_stability(alive_for="1m", profile="frames")
def test_it(ws_soak): ...
"""
OVERRIDING = """
import pytest

@pytest.fixture(params=["one", "two"])
def ws_app(request):
    async def handler(connection):
        await connection.wait_closed()
    return handler
"""


@pytest.mark.parametrize(
    ("given", "names"), [("", ["one", "two"]), ("(params=['three'])", ["three"])], ids=["none", "its own"]
)
def test_parameters_of_a_fixture_that_is_overridden_are_those_of_the_one_that_takes_it(
    run, pytester, given, names
):
    """As pytest has it: the closest parameters count."""
    pytester.makeconftest(OVERRIDING)
    result = run(OVERRIDDEN.replace("{given}", given), "-v")

    assert result.parseoutcomes() == {"passed": len(names)}
    result.stdout.fnmatch_lines_random([f"*::test_it[[]{name}] PASSED*" for name in names])


def test_a_fixture_without_any_parameter_skips_its_tests(run):
    """As pytest has it for a fixture that a test asks for."""
    result = run(PARAMETERS.replace('["x", "y"]', "[]"), "-k", "soak or connect")

    assert result.parseoutcomes() == {"skipped": 2, "passed": 1, "deselected": 1}


NAMED = """
import pytest

@pytest.fixture
def database(): ...

@pytest.fixture
def user(database): ...

@pytest.fixture
def ws_headers(user): return {}

@pytest.fixture
def settings(): ...

@pytest.fixture
def ws_app(settings):
    async def handler(connection):
        await connection.wait_closed()
    return handler

@pytest.mark.ws_stability(alive_for="1m")
def test_soak(ws_soak): ...

@pytest.mark.parametrize("number", [1, 2])
async def test_parameters(ws_connect, number): ...

class TestElsewhere:
    @pytest.fixture
    def ws_url(self, ws_orchestrator): return ws_orchestrator.url

    async def test_no_app(self, ws_connect): ...
"""
NAMES = """
def pytest_collection_modifyitems(items):
    own = ["database", "settings", "user", "ws_app", "ws_headers"]
    for item in items:
        print(item.name, *(name for name in own if name in item.fixturenames), "end")
"""


def test_a_test_names_what_is_behind_the_fixtures_that_it_is_given_by_name(run, pytester):
    """Other plugins look there: pytest-django makes a database for tests that name one."""
    pytester.makeconftest(NAMES)
    result = run(NAMED, "-s")

    assert result.parseoutcomes() == {"passed": 4}
    names = "database settings user ws_app ws_headers"
    result.stdout.fnmatch_lines_random(
        [
            f"*test_soak {names} end",
            f"*test_parameters[[]1] {names} end",
            f"*test_parameters[[]2] {names} end",
            "*test_no_app database user ws_headers end",
        ]
    )


MARKED = """
import pytest

seen = []

@pytest.fixture(params=["x", "y"])
def ws_headers(request):
    seen.append(request.param)
    return {"X-Token": request.param}

@pytest.mark.parametrize("ws_headers", ["z"], indirect=True)
@pytest.mark.ws_stability(alive_for="1m")
def test_indirect(ws_soak): ...

@pytest.mark.parametrize("number, ws_headers", [(1, {"X-Token": "given"})])
async def test_direct(ws_connect, number): await ws_connect()

def test_seen():
    assert seen == ["z"]
"""


def test_parameters_that_a_mark_gives_count(run):
    """As for a fixture that the test asks for itself."""
    assert run(MARKED, "-p", "no:randomly").parseoutcomes() == {"passed": 3}


NAMESAKES = """
import asyncio, time
import pytest, pytest_asyncio

@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def ws_app(): return "app"

@pytest_asyncio.fixture
async def ws_url(ws_app): return "/ws"

@pytest.fixture
def ws_connect(ws_url): return lambda: ws_url

@pytest.fixture
def ws_soak(): return "bread"

class Lazy:
    @property
    def __class__(self): raise RuntimeError("not configured")

settings = Lazy()

@pytest.mark.asyncio
async def test_on_a_loop(ws_connect, ws_soak):
    before = time.monotonic()
    await asyncio.sleep(0.01)
    assert time.monotonic() - before >= 0.01
    assert ws_connect() == "/ws"

@pytest.mark.asyncio(loop_scope="session")
async def test_on_the_loop_of_the_session(ws_app): assert ws_app == "app"

def test_sync(ws_soak): assert ws_soak == "bread"
"""


def test_fixtures_of_the_project_by_the_same_names_make_no_test_ours(run):
    """A suite that had such fixtures before runs as it did: in real time, on the loops that it says."""
    result = run(NAMESAKES)

    result.assert_outcomes(passed=3)
    assert "WebSocket stability" not in result.stdout.str()


URL = """
import pytest_asyncio
from pytest_wsstability import Orchestrator

@pytest_asyncio.fixture
async def ws_url():
    async with Orchestrator() as server: yield server.url
"""
CONNECTS = """
from pytest_wsstability import connect

async def test_it(ws_url):
    connection = await connect(ws_url)
    await connection.assert_alive_for("24h")
    await connection.close()
"""
WAITS = """
import asyncio

async def test_it(ws_url): await asyncio.sleep(86400)
"""


@pytest.mark.parametrize(
    ("conftest", "source"),
    [(URL, WAITS), ("import pytest\n@pytest.fixture\ndef ws_url(): return None\n", URL + CONNECTS)],
)
def test_an_import_of_the_plugin_leaves_a_test_with_such_a_fixture_ours(passes, conftest, source):
    """Of the fixture, or of the test: it runs in virtual time, without a mark of pytest-asyncio."""
    passes(source, "--timeout=20", conftest=conftest)


def test_a_fixture_that_rests_on_the_one_that_it_overrides_leaves_the_test_ours(passes):
    """So do fixtures of ours that use one of the project's."""
    passes(
        """
        import pytest

        @pytest.fixture
        def ws_url(ws_url): return ws_url

        @pytest.fixture
        def ws_headers(): return {"X-Test": "1"}

        async def test_its_own_name(ws_url): assert ws_url.startswith("ws://")
        async def test_another(ws_connect, ws_headers): await ws_connect()
        """
    )

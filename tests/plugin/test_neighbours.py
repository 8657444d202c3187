"""Beside other plugins and options of pytest."""

from __future__ import annotations

import pytest
import pytest_asyncio.plugin

pytestmark = pytest.mark.slow

MIXED = """
import asyncio
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
def test_soak(ws_soak):
    pass

async def test_connect(ws_connect, ws_clock):
    assert ws_clock.is_virtual
    await (await ws_connect(heartbeat="25s")).assert_alive_for("1h")

@pytest.mark.asyncio
async def test_theirs():
    await asyncio.sleep(0)

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_red(ws_soak):
    pass

async def test_red_too(ws_connect):
    await (await ws_connect(client="mute")).assert_alive_for("2m")
"""


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_xdist(run, mode):
    """Reports travel between processes, with their words and their headlines."""
    # In a fresh process looptime makes a current loop that nobody closes, which warns.
    result = run(MIXED, "-n", "2", f"--asyncio-mode={mode}", "-p", "no:looptime_plugin")

    assert result.parseoutcomes() == {"passed": 3, "failed": 2}
    result.stdout.fnmatch_lines_random(
        [
            "FAILED *::test_red - *1006 at 60 s of 120 s*",
            "FAILED *::test_red_too - *1006 at 60 s of 120 s*",
            "*  server    [=-]*",
            "*  fix  *answer ping frames with pong frames*",
        ]
    )
    assert "INTERNALERROR" not in result.stdout.str()


def test_xdist_and_an_inconclusive_skip(run):
    """A skip that we make is one that travels."""
    result = run(
        """
        async def test_it(ws_connect):
            (await ws_connect()).assert_heartbeats_answered(within="5s")
        """,
        "-n",
        "1",
        "--ws-inconclusive=skip",
        "-rs",
    )

    assert result.parseoutcomes() == {"skipped": 1}
    result.stdout.fnmatch_lines(["SKIPPED * inconclusive: *"])


def test_xdist_says_why_its_workers_begin_no_test(run):
    """Where pytest alone would end with an error of usage."""
    result = run(MIXED, "-n", "2", "-p", "no:looptime_plugin", "--ws-app=nowhere:app")

    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*Interrupted: --ws-app: there is no module 'nowhere'*"])
    assert "INTERNALERROR" not in result.stdout.str()


def test_xdist_and_a_mark_of_a_conftest_that_makes_no_sense(run):
    """It is told once, and the other tests run, as with any error of the collection there."""
    conftest = """
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.ws_stability(alive_four='1m'))
    """
    result = run(MIXED, "-n", "2", "-p", "no:looptime_plugin", conftest=conftest)

    assert result.parseoutcomes() == {"passed": 2, "failed": 2, "errors": 1}
    result.stdout.fnmatch_lines(["*::test_soak: unknown requirement 'alive_four'*"])


@pytest.mark.parametrize("method", ["signal", "thread"])
def test_timeout(run, method):
    """It counts real seconds: an hour of virtual time does not trip it."""
    result = run(MIXED, "--timeout=30", f"--timeout-method={method}")

    assert result.parseoutcomes() == {"passed": 3, "failed": 2}
    result.stdout.no_fnmatch_line("*Timeout*")


def test_timeout_ends_what_spins(run):
    """A test that keeps virtual time busy for ever is stopped by the real clock."""
    result = run(
        """
        import asyncio

        async def test_it(ws_clock):
            while True:
                await asyncio.sleep(1)
        """,
        "--timeout=0.5",
    )

    # The signal may land inside the loop and cost it a timer, which the teardown then says, too.
    outcomes = result.parseoutcomes()
    assert outcomes.pop("failed") == 1
    assert set(outcomes) <= {"errors"}
    result.stdout.fnmatch_lines(["*Timeout*0.5*"])


def test_timeout_ends_a_callback(run):
    """Its signal is raised inside a callback of the loop, where asyncio catches what is raised."""
    result = run(
        """
        import asyncio

        async def test_it(ws_clock):
            def spin():
                while True:
                    pass

            asyncio.get_running_loop().call_later(1, spin)
            await asyncio.sleep(5)
        """,
        "--timeout=0.5",
        "--timeout-method=signal",
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*Timeout*0.5*"])


def test_looptime_on_the_same_suite(run):
    """Its own tests are its, ours are ours."""
    pytest.importorskip("looptime")
    result = run(
        """
        import asyncio
        import pytest

        @pytest.mark.asyncio
        @pytest.mark.looptime
        async def test_theirs():
            await asyncio.sleep(3600)

        async def test_ours(ws_clock, ws_connect):
            await (await ws_connect(heartbeat="25s")).assert_alive_for("1h")
            assert ws_clock.now == 3600.0
        """,
        "--timeout=20",
    )

    assert result.parseoutcomes() == {"passed": 2}


def test_anyio_tests_beside_ours(run):
    """Each with its own runner."""
    result = run(
        """
        import anyio
        import pytest

        @pytest.mark.anyio
        async def test_theirs():
            await anyio.sleep(0)

        async def test_ours(ws_connect, ws_clock):
            assert ws_clock.is_virtual
            await (await ws_connect()).assert_alive_for("1h")
        """
    )

    assert result.parseoutcomes() == {"passed": 3}


UVLOOP = """
import asyncio
import pytest

async def test_ours(ws_connect, ws_clock):
    assert ws_clock.is_virtual
    await (await ws_connect(heartbeat="25s")).assert_alive_for("1h")

@pytest.mark.asyncio
async def test_theirs():
    assert "uvloop" in type(asyncio.get_running_loop()).__module__

@pytest.mark.asyncio
async def test_ours_marked(ws_connect, ws_clock):
    assert ws_clock.is_virtual

@pytest.mark.ws_stability(alive_for="2m")
def test_sync(ws_soak):
    pass
"""


FACTORIES = """
import uvloop

def pytest_asyncio_loop_factories(config, item):
    return {"uvloop": uvloop.new_event_loop}
"""
with_factories = pytest.mark.skipif(
    not hasattr(pytest_asyncio.plugin, "PytestAsyncioSpecs"),
    reason="this pytest-asyncio has no hook for loop factories",
)


@with_factories
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_uvloop_by_the_hook_of_pytest_asyncio(passes, mode):
    """Our tests are virtual, the others have the loop that the project chose."""
    pytest.importorskip("uvloop")

    assert passes(UVLOOP, f"--asyncio-mode={mode}", conftest=FACTORIES) == 4


@with_factories
@pytest.mark.parametrize("mark", ["", "@pytest.mark.asyncio"], ids=["unmarked", "marked"])
@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_uvloop_in_real_time(passes, mode, mark):
    """A real test runs on the loop that the project chose, with a mark of pytest-asyncio or without."""
    pytest.importorskip("uvloop")
    passes(
        f"""
        import asyncio

        import pytest

        {mark}
        async def test_it(ws_connect):
            assert "uvloop" in type(asyncio.get_running_loop()).__module__
            connection = await ws_connect(heartbeat="40ms")
            await connection.assert_alive_for("100ms")
            connection.assert_heartbeats_answered(within="30s", at_least=1)
        """,
        "--ws-time=real",
        f"--asyncio-mode={mode}",
        conftest=FACTORIES,
    )


def test_every_warning_an_error(run):
    """With -W error and asyncio's debug mode."""
    result = run(MIXED, "-W", "error", "-o", "asyncio_debug=true")

    assert result.parseoutcomes() == {"passed": 3, "failed": 2}


def test_collect_only(run):
    """Nothing is started."""
    result = run(MIXED, "--collect-only", "-q")

    assert result.ret == 0
    assert len([line for line in result.stdout.lines if "::test_" in line]) == 5


def test_setup_show_and_plan(run):
    """Each fixture of ours is listed; --setup-plan sets none up."""
    shown = run(MIXED, "--setup-show")
    assert shown.parseoutcomes() == {"passed": 3, "failed": 2}
    shown.stdout.fnmatch_lines(["*SETUP    F ws_soak *", "*SETUP    F ws_connect *"])

    planned = run(MIXED, "--setup-plan")
    assert planned.ret == 0
    assert "INTERNALERROR" not in planned.stdout.str()


def test_last_failed(pytester):
    """--lf runs the two red ones again."""
    pytester.makepyfile(MIXED)
    pytester.runpytest_inprocess()

    again = pytester.runpytest_inprocess("--lf")

    assert again.parseoutcomes() == {"failed": 2}


def test_fixtures_are_documented(pytester):
    """--fixtures prints a sentence for each."""
    result = pytester.runpytest_inprocess("--fixtures", "-q")

    names = ["ws_url", "ws_connect", "ws_connection", "ws_soak", "ws_orchestrator", "ws_clock"]
    for name in names:
        result.stdout.fnmatch_lines([f"{name} -- *", "    [A-Z]*"])

"""A hold that fails does so in the call phase of its test: FAILED, not ERROR."""

from __future__ import annotations

import pytest

MUTE = """
import pytest
from pytest_wsstability import StabilityError

{marks}
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_it(ws_soak):
    print("the body ran")
"""


def test_it_is_a_failure_and_no_error(run):
    """Setup passes, the call fails."""
    result = run(MUTE.format(marks=""), "-rA")

    assert result.parseoutcomes() == {"failed": 1}
    assert "the body ran" not in result.stdout.str()


def test_xfail_knows_it(run):
    """A known instability can be expected, strictly and by its type."""
    result = run(MUTE.format(marks="@pytest.mark.xfail(raises=StabilityError, strict=True)"))

    assert result.parseoutcomes() == {"xfailed": 1}
    assert result.ret == 0


def test_xfail_of_another_type_fails(run):
    """An instability is an AssertionError and nothing else."""
    result = run(MUTE.format(marks="@pytest.mark.xfail(raises=OSError, strict=True)"))

    assert result.parseoutcomes() == {"failed": 1}


def test_strict_xfail_of_a_stable_one_fails(run):
    """When the server is mended, the mark must go."""
    result = run(
        """
        import pytest

        @pytest.mark.xfail(strict=True)
        @pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak):
            pass
        """
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*XPASS(strict)*"])


def test_the_body_runs_after_a_stable_hold(run):
    """And may fail for its own reasons."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        def test_it(ws_soak):
            ws_soak.assert_heartbeats_answered(within="5s", at_least=5)
        """
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines([">       ws_soak.assert_heartbeats_answered(*", "FAILED *"])


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_server_that_is_not_there_is_named(run, unused_port, kind):
    """One sentence: where, which step, what to make of it; no frames of asyncio."""
    result = run(
        f"""
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", url="ws://127.0.0.1:{unused_port}/voice?token=hunter2")
        {kind} test_it(ws_soak):
            pass
        """
    )

    printed = result.stdout.str()
    sentence = f"ws://127.0.0.1:{unused_port}/voice?token=*** did not open (TCP connection): nobody listens"
    assert result.ret == 1
    assert sentence in printed
    assert "hunter2" not in printed
    assert "pytest_wsstability/" not in printed.partition("ERRORS")[2]
    assert "base_events.py" not in printed


def test_an_async_test_fails_in_its_call_phase(failure):
    """On a loop of its own test, too."""
    printed = failure(
        """
        import pytest

        @pytest.mark.ws_orchestrator(ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        async def test_it(ws_soak):
            raise AssertionError("the body must not run")
        """
    )

    assert "1006 at 60 s of 120 s" in printed
    assert "the body must not run" not in printed


def test_teardown_of_the_test_still_runs(run):
    """What a fixture opened is closed after a failed hold."""
    result = run(
        """
        import pytest

        @pytest.fixture
        def resource():
            yield
            print("resource closed")

        @pytest.mark.ws_stability(alive_for="2m", client="mute")
        def test_it(resource, ws_soak):
            pass
        """,
        "-s",
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*resource closed*"])


def test_a_rerun_of_the_same_suite_gives_the_same_words(run):
    """Virtual time is deterministic: same times, order and sizes."""
    first, second = (run(MUTE.format(marks=""), "-q").stdout.str().partition("FAILURES")[2] for _ in "12")

    assert "  client    =" in first
    assert first.rpartition(" in ")[0] == second.rpartition(" in ")[0]


NOT_OPEN = {
    "ws_soak": "@MARK\ndef test_it(ws_soak): pass",
    "ws_soak, async": "@MARK\nasync def test_it(ws_soak): pass",
    "ws_connection": "@MARK\nasync def test_it(ws_connection): pass",
    "ws_connect": "@MARK\nasync def test_it(ws_connect): await ws_connect()",
    "a fixture": """
@pytest_asyncio.fixture
async def mine(ws_connect):
    return await ws_connect()

@MARK
async def test_it(mine): pass
""",
    "a fixture that rests on a hold": """
@pytest.fixture
def timeline(ws_soak):
    return ws_soak.timeline

@MARK
def test_it(timeline): pass
""",
}


@pytest.mark.parametrize("source", NOT_OPEN.values(), ids=NOT_OPEN)
def test_an_opening_that_failed_is_a_failed_test_with_a_fix(failure, unused_port, source):
    """In the call phase, whoever opened it, and no error of a fixture."""
    mark = f'@pytest.mark.ws_stability(alive_for="2s", url="ws://127.0.0.1:{unused_port}/")'

    printed = failure(f"import pytest, pytest_asyncio\n{source.replace('@MARK', mark)}")

    assert "did not open (TCP connection): nobody listens on" in printed
    assert "fix       see whether the server listens on this port" in printed
    assert "- not opened: nobody listens on" in printed


BROKEN = """
    import pytest
    from pytest_wsstability import faults

    @pytest.mark.ws_orchestrator(faults=[{fault}])
    @pytest.mark.ws_stability(alive_for="1m")
    {kind} test_it(ws_soak):
        pass
"""


@pytest.mark.parametrize("kind", ["def", "async def"])
@pytest.mark.parametrize(
    ("fault", "stage"), [("faults.Drop()", "opening handshake"), ("faults.Blackhole()", "timeout")]
)
def test_a_fault_of_the_test_that_keeps_it_from_opening_is_named(failure, kind, fault, stage):
    """And no server or path is suspected, on whichever loop."""
    printed = " ".join(failure(BROKEN.format(kind=kind, fault=fault)).split())

    assert f"did not open ({stage})" in printed
    assert f"applied {fault[:-1]}" in printed
    assert f'fix the test injected it at the opening; ("30s", {fault[:-1]}' in printed
    assert "Socket.IO" not in printed
    assert "firewall" not in printed


def test_a_refusal_that_the_test_injected_is_named(failure):
    """The server's answer says it too; what to change about such an answer stays."""
    printed = " ".join(failure(BROKEN.format(kind="def", fault="faults.RefuseUpgrade(503)")).split())

    assert "faults of the orchestrator faults.Program.of([(0.0, faults.RefuseUpgrade(status=503," in printed
    assert "fix see whether a server stands behind the gateway" in printed


def test_a_fault_after_the_opening_is_no_reason_of_another_that_fails(failure):
    """What was dropped at 5 s had opened; the next attempt meets a server that is down."""
    printed = failure(
        """
        import pytest
        from pytest_wsstability import faults

        @pytest.mark.ws_orchestrator(faults=[("5s", faults.Drop())])
        async def test_it(ws_connect, ws_clock):
            await ws_connect()
            await ws_clock.advance("6s")
            await ws_connect(open_timeout="1us")
        """
    )

    assert "applied   faults.Drop() at 5 s" in printed
    assert "the test injected it at the opening" not in printed


def test_a_fleet_that_did_not_open_is_a_failed_test_with_a_fix(failure, unused_port):
    """As one connection is."""
    printed = failure(
        f"""
        import pytest

        @pytest.mark.ws_long
        @pytest.mark.ws_stability(alive_for="2s", connections=3, url="ws://127.0.0.1:{unused_port}/")
        def test_it(ws_fleet):
            pass
        """,
        "--ws-long",
    )

    assert "an address where nothing listens: 3 of 3 did not open" in printed
    assert "fix       see whether the server listens on this port" in printed


def test_a_fixture_of_a_module_that_did_not_open_fails_each_test(run, unused_port):
    """With the same words, each time once."""
    result = run(
        f"""
        import pytest, pytest_asyncio
        from pytest_wsstability import connect

        pytestmark = pytest.mark.ws_stability(time="real")

        @pytest_asyncio.fixture(scope="module", loop_scope="module")
        async def shared():
            return await connect("ws://127.0.0.1:{unused_port}/")

        @pytest.mark.asyncio(loop_scope="module")
        @pytest.mark.parametrize("number", [1, 2])
        async def test_it(shared, number, ws_url):
            pass
        """
    )

    assert result.parseoutcomes() == {"failed": 2}
    assert result.stdout.str().count("fix       see whether") == 2


LATE = """
import pytest

OPEN = []

@pytest.fixture
def admitted():
    OPEN.append(1)
    yield
    OPEN.clear()

@pytest.fixture
def with_admitted(admitted): ...

@pytest.fixture
def ws_app():
    async def app(scope, receive, send):
        if scope["type"] == "websocket":
            await receive()
            await send({{"type": "websocket.accept" if OPEN else "websocket.close"}})
            while OPEN and (await receive())["type"] != "websocket.disconnect": pass

    return app

@pytest.mark.ws_stability(alive_for="1s", profile="frames")
def test_it({names}): ...
"""


def test_a_fixture_behind_the_hold_is_told(failure):
    """pytest sets fixtures up in the order of the arguments."""
    printed = failure(LATE.format(names="ws_soak, admitted, tmp_path"))

    assert "order     ws_soak had opened before admitted was set up: name ws_soak behind it" in printed


def test_a_fixture_behind_the_hold_that_is_not_written_in_python_is_no_project_s(failure):
    """Its file is not known."""
    pid = "import os\npid = pytest.fixture(name='pid')(os.getpid)\n"
    printed = failure(LATE.format(names="ws_soak, pid").replace("OPEN = []", f"{pid}OPEN = []"))

    assert "  order " not in printed


@pytest.mark.parametrize("names", ["admitted, ws_soak", "with_admitted, ws_soak, admitted"])
def test_one_before_it_counts(passes, names):
    """So does one that another needs first."""
    passes(LATE.format(names=names))


def test_only_fixtures_of_the_project_are_told(failure):
    """tmp_path decides nothing here."""
    assert "  order  " not in failure(LATE.format(names="ws_soak, tmp_path"))

"""pytest-timeout beside holds in real time: their own length counts."""

from __future__ import annotations

import pytest

from tests.serving import Crowd, serving

HOLD = """
import pytest

{mark}
@pytest.mark.ws_stability(alive_for="{alive_for}")
def test_it(ws_soak):
    pass

def test_timeout_of_others(pytestconfig, request):
    assert request.node.get_closest_marker("timeout") is None
"""
RAISED = "wsstability: the timeout of {} s is too short for the holds of 1 test; theirs is the hold and 30 s"


@pytest.fixture
def url():
    """A server that keeps every promise."""
    with serving(handler=Crowd(0).handle) as url:
        yield url


@pytest.mark.real
@pytest.mark.parametrize("how", ["option", "ini", "environment"])
def test_a_timeout_of_all_tests_does_not_end_a_hold(run, ini, monkeypatch, url, how):
    """A second for every test, and a hold of a second and a half."""
    options = ["--timeout=1"] if how == "option" else []
    if how == "ini":
        ini("timeout = 1")
    if how == "environment":
        monkeypatch.setenv("PYTEST_TIMEOUT", "1")

    result = run(HOLD.format(alive_for="1500ms", mark=""), f"--ws-url={url}", *options)

    assert result.parseoutcomes() == {"passed": 2}
    result.stdout.fnmatch_lines([RAISED.format(1)])


@pytest.mark.real
def test_a_long_timeout_stays(run, url):
    """Nothing is said, and nothing is changed."""
    result = run(HOLD.format(alive_for="200ms", mark=""), f"--ws-url={url}", "--timeout=60")

    assert result.parseoutcomes() == {"passed": 2}
    result.stdout.no_fnmatch_line("wsstability: the timeout *")


@pytest.mark.parametrize(
    "mark",
    ["@pytest.mark.timeout(30)", "@pytest.mark.timeout(timeout=30)", "pytestmark = pytest.mark.timeout(30)"],
)
def test_a_shorter_timeout_of_the_test_is_a_mistake(refusal, mark):
    """One of the two is wrong, and only its author knows which."""
    printed = refusal(HOLD.format(alive_for="2m", mark=mark), "--ws-url=ws://127.0.0.1:1")

    assert "test_it: timeout: 30 s is shorter than the hold (125 s with the wait " in printed
    assert "give 155 or more" in printed


def test_a_shorter_timeout_that_a_conftest_gives_is_a_mistake(refusal):
    """It would end the hold in the middle."""
    conftest = """
        import pytest

        def pytest_collection_modifyitems(items):
            items[0].add_marker(pytest.mark.timeout(30))
    """
    source = HOLD.format(alive_for="2m", mark="")
    printed = refusal(source, "--ws-url=ws://127.0.0.1:1", conftest=conftest)

    assert "test_it: timeout: 30 s is shorter than the hold (125 s with the wait " in printed


@pytest.mark.parametrize(
    "mark",
    [
        "@pytest.mark.timeout(0)",
        "@pytest.mark.timeout(150)",
        "@pytest.mark.timeout(30, func_only=True)",
        "@pytest.mark.timeout()",
    ],
)
def test_timeouts_that_let_it_hold(run, mark):
    """None, a longer one, and one that is for the test's own body."""
    result = run(HOLD.format(alive_for="2m", mark=mark), "--ws-url=ws://127.0.0.1:1", "--collect-only", "-q")

    assert result.ret == 0


def test_a_connection_is_held_after_the_body(refusal):
    """So a timeout for the call alone ends it, too."""
    source = """
        import pytest

        @pytest.mark.timeout(30, func_only=True)
        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            pass
        """

    assert "30 s is shorter than the hold (125 s with" in refusal(source, "--ws-url=ws://127.0.0.1:1")


@pytest.mark.real
def test_an_ini_for_the_call_alone(run, ini, url):
    """It spares ws_soak, which holds before, and is raised for ws_connection."""
    ini("timeout = 1", "timeout_func_only = true")
    source = (
        HOLD.format(alive_for="1200ms", mark="")
        + """
@pytest.mark.ws_stability(alive_for="1200ms")
async def test_connection(ws_connection):
    pass
"""
    )

    result = run(source, f"--ws-url={url}")

    assert result.parseoutcomes() == {"passed": 3}
    result.stdout.fnmatch_lines([RAISED.format(1)])


def test_virtual_time_takes_no_time(run):
    """An hour of it fits into any timeout, which stays."""
    result = run(HOLD.format(alive_for="1h", mark="@pytest.mark.timeout(30)"), "--timeout=20")

    assert result.parseoutcomes() == {"passed": 2}
    result.stdout.no_fnmatch_line("wsstability: the timeout *")


def test_without_the_plugin(run):
    """Whoever has no pytest-timeout has no such line."""
    result = run("def test_it(): pass", "-p", "no:timeout")

    assert result.parseoutcomes() == {"passed": 1}

"""What is wrong in a marker is an error at collection that names the test, the value and the valid ones."""

from __future__ import annotations

from textwrap import dedent

import pytest

SOURCE = """
import pytest

@pytest.mark.{marker}
def test_it(ws_soak):
    pass
"""
HOLD = 'ws_stability(alive_for="2m", {})'


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        (
            HOLD.format("hearbeat_every=25"),
            ["unknown requirement 'hearbeat_every'", "heartbeat_every", "url"],
        ),
        (HOLD.format('heartbeat_every="25 minutes"'), ["heartbeat_every: '25 minutes'", '"25s"']),
        (HOLD.format("heartbeat_every=0"), ["heartbeat_every: must be longer than 0"]),
        (HOLD.format('heartbeat_every="2m"'), ["heartbeat_every: 120 s is not shorter", "alive_for=120 s"]),
        (HOLD.format("session_within=-1"), ["session_within: -1 is negative"]),
        (HOLD.format("heartbeat_missed_max=1"), ["heartbeat_missed_max: only makes sense with"]),
        (HOLD.format("heartbeat_every=25, heartbeat_missed_max=0.5"), ["heartbeat_missed_max: 0.5 is not"]),
        (HOLD.format("allow_close=999"), ["allow_close: 999 is no close code", "1000-1003"]),
        (HOLD.format('allow_close="1001"'), ["allow_close: '1001' is no close code"]),
        (HOLD.format('profile="jsn"'), ["profile: 'jsn' is unknown", "'json', 'frames'"]),
        (
            HOLD.format('profile={"ping": 1}'),
            ["profile: a value of the type dict is unknown", "'json', 'frames'"],
        ),
        (
            HOLD.format("aliveFor=2"),
            ["valid ones: alive_for, ", "handshake, message_every, ", ", url, headers, "],
        ),
        (HOLD.format('client="firefox"'), ["client: 'firefox'", "'browser', 'mute', 'stalled', 'keepalive'"]),
        (HOLD.format('time="fast"'), ["time: 'fast' is none of auto, virtual, real"]),
        (HOLD.format('url="ftp://a.example"'), ["url: 'ftp://a.example' is not", "ws:// or wss://"]),
        (HOLD.format("url=8000"), ["url: '8000' is not a WebSocket URL"]),
        (HOLD.format('url="ws://"'), ["url: 'ws://' is not a WebSocket URL"]),
        (HOLD.format('session_within=5, profile="frames"'), ["session_within: the profile 'frames' has no"]),
        ('ws_stability("2m")', ["ws_stability: takes keywords only, not '2m'"]),
        ("ws_stability(heartbeat_every=25)", ["ws_soak: how long?", "alive_for"]),
        ("ws_stability(alive_for=None)", ["ws_soak: how long?", "alive_for"]),
        ("ws_stability(max_age_ok=60)", ["max_age_ok: only makes sense with alive_for"]),
        ("ws_long", ["ws_soak: how long?", "alive_for"]),
        (
            "ws_orchestrator(read_dedline=60)",
            ["unknown orchestrator keyword 'read_dedline'", "read_deadline"],
        ),
        ('ws_orchestrator(read_deadline="1 day")', ["read_deadline: '1 day' is not a duration"]),
        ('ws_orchestrator(deadline_reset_by="pnog")', ["deadline_reset_by:", "'pnog'", "'pong', 'ping'"]),
        ('ws_orchestrator(on_deadline="close")', ["on_deadline: 'close' is neither 'drop' nor a close code"]),
        ("ws_orchestrator(60)", ["ws_orchestrator: takes keywords only, not 60"]),
        ("ws_orchestrator(echo=True, handler=print)", ["echo: there is a handler already"]),
        ('ws_orchestrator(profile="jsn")', ["profile: 'jsn' is unknown", "'json', 'frames'"]),
    ],
)
def test_a_mistake_is_an_error_at_collection(refusal, marker, words):
    """One line, no traceback."""
    printed = refusal(SOURCE.format(marker=marker))

    start = "test_a_mistake_is_an_error_at_collection.py::test_it: "
    (line,) = (line for line in printed.splitlines() if line.startswith(start))
    for word in words:
        assert word in line
    assert "Traceback" not in printed
    assert "pytest_wsstability/" not in printed


def test_a_secret_in_a_wrong_url_is_masked(refusal):
    """Also in messages about it."""
    printed = refusal(SOURCE.format(marker=HOLD.format('url="ftp://u:hunter2@a.example/?token=hunter2"')))

    assert "is not a WebSocket URL" in printed
    assert "hunter2" not in printed.partition("ERRORS")[2]


def test_a_marker_that_nothing_checks(refusal):
    """A promise that nobody keeps an eye on would always be kept."""
    printed = refusal(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_orchestrator):
            pass
        """
    )

    assert "::test_it: ws_stability: nothing in this test is held to it; use one of the fixtures" in printed
    assert "ws_connect, ws_connection, ws_fleet, ws_soak" in printed


@pytest.mark.parametrize(
    ("mark", "advice"),
    [
        ("ws_stabilty(alive_for='2m')", "there is no mark ws_stabilty; did you mean ws_stability?"),
        ("ws_Stability(alive_for='2m')", "there is no mark ws_Stability; did you mean ws_stability?"),
        ("wslong", "there is no mark wslong; did you mean ws_long?"),
        ("ws_orchestra(ping_interval=None)", "there is no mark ws_orchestra; did you mean ws_orchestrator?"),
        ("ws_soak(alive_for='2m')", "there is no mark ws_soak; ws_soak is a fixture (marks: ws_long, "),
    ],
)
def test_a_name_that_is_nearly_that_of_a_mark(refusal, mark, advice):
    """It would be ignored, and the test would pass."""
    printed = refusal(
        f"""
        import pytest
        @pytest.mark.{mark}
        async def test_it(ws_connect): await ws_connect()
        """,
        "-Wignore::pytest.PytestUnknownMarkWarning",
    )

    assert f"::test_it: {advice}" in printed
    assert "; one of the project's own stands under the ini option markers)" in printed


def test_marks_of_the_project_may_be_called_alike(passes, ini):
    """Those that its ini file names, or its fixture of the same name reads; others are, if less alike."""
    ini("markers =", "  ws_servers: tests of all servers")
    passes(
        """
        import pytest
        @pytest.mark.ws_servers
        @pytest.mark.ws_service
        @pytest.mark.ws_soak
        @pytest.mark.ws_proxy(port=1)
        async def test_it(ws_connect, ws_proxy):
            assert ws_proxy == {"port": 1}
            await ws_connect()

        @pytest.fixture
        def ws_proxy(request): return request.node.get_closest_marker("ws_proxy").kwargs
        """,
        "-Wignore::pytest.PytestUnknownMarkWarning",
    )


@pytest.mark.parametrize("place", ["@", "pytestmark = "])
def test_a_marker_with_a_fixture_of_the_project_that_hides_ours(refusal, place):
    """It would hold nothing, and pass."""
    printed = refusal(
        f"""
        import pytest
        @pytest.fixture
        def ws_soak(): return None
        {place}pytest.mark.ws_stability(alive_for="2m")
        def test_it(ws_soak): ...
        """
    )

    assert "::test_it: ws_stability: nothing in this test is held to it; use one of the fixtures" in printed
    assert "; ws_soak is the project's own here, give it another name" in printed


@pytest.mark.parametrize(
    "fixture",
    ["(ws_connect): return ws_connect", "(request): return request.getfixturevalue('ws_connect')"],
)
def test_a_marker_with_one_fixture_of_ours_beside_one_of_the_projects(passes, fixture):
    """What holds the test to it is there, or is asked for by name."""
    passes(
        f"""
        import pytest
        @pytest.fixture
        def ws_connection{fixture}
        @pytest.mark.ws_stability(alive_for="2m")
        async def test_it(ws_connection):
            await (await ws_connection()).assert_stable()
        """
    )


ELSEWHERE = {
    "a parameter, whose id is named": (
        """
        @pytest.mark.parametrize(
            "hold",
            [
                pytest.param(1, marks=pytest.mark.ws_stability(alive_for="1m"), id="good"),
                pytest.param(2, marks=pytest.mark.ws_stability(alive_for="long"), id="bad"),
            ],
        )
        def test_it(ws_soak, hold): ...
        """,
        "::test_it[bad]: alive_for: 'long' is not a duration",
    ),
    "a class": (
        """
        @pytest.mark.ws_stability(alive_for="long")
        class TestIt:
            def test_first(self, ws_soak): ...
        """,
        "::TestIt::test_first: alive_for: 'long' is not a duration",
    ),
    "a module": (
        """
        pytestmark = pytest.mark.ws_stability(tine="virtual")
        def test_it(ws_soak): ...
        """,
        "::test_it: unknown requirement 'tine'",
    ),
}


@pytest.mark.parametrize(("source", "words"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_a_mistake_in_a_mark_that_is_not_on_the_test_itself(refusal, source, words):
    """It is read with the tests that it is for."""
    assert words in refusal("import pytest\n" + dedent(source))


def test_mistakes_are_found_with_collect_only(refusal):
    """Before anything runs."""
    printed = refusal(SOURCE.format(marker='ws_stability(alive_for="long")'), "--collect-only")

    assert "::test_it: alive_for: 'long' is not a duration" in printed


def test_other_modules_are_collected(run, pytester):
    """With --continue-on-collection-errors the rest runs."""
    pytester.makepyfile(test_good="def test_good(): pass")

    result = run(SOURCE.format(marker='ws_stability(alive_for="long")'), "--continue-on-collection-errors")

    assert result.parseoutcomes() == {"passed": 1, "errors": 1}


LATE = [
    (HOLD.format("hearbeat_every=25"), "::test_it: unknown requirement 'hearbeat_every'; valid "),
    (HOLD.format('heartbeat_every="2m"'), "::test_it: heartbeat_every: 120 s is not shorter "),
    ("ws_orchestrator(read_dedline=60)", "::test_it: unknown orchestrator keyword "),
]


@pytest.mark.parametrize(("marker", "words"), [*LATE, ("ws_long", "::test_it: ws_soak: how long?")])
def test_of_a_unittest_test_case(refusal, marker, words):
    """Pytest makes its tests without asking a hook; it was an INTERNALERROR."""
    assert words in refusal(f"""
        import unittest
        import pytest

        @pytest.mark.{marker}
        class Test(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _soak(self, ws_soak): ...

            def test_it(self): ...
    """)


CONFTEST = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.{marker})
"""


@pytest.mark.parametrize(("marker", "words"), LATE)
def test_of_a_conftest_that_marks_tests(refusal, marker, words):
    """Added when the tests are made, it is checked then."""
    source = SOURCE.format(marker='ws_stability(alive_for="1m")')

    assert words in refusal(source, conftest=CONFTEST.format(marker=marker))


def test_each_late_mistake_is_told_and_the_rest_runs(run):
    """With --continue-on-collection-errors, as of the other ones."""
    source = "def test_it(ws_soak): ...\ndef test_too(ws_soak): ...\ndef test_other(): ..."

    result = run(source, "--continue-on-collection-errors", "--junitxml=out.xml")

    assert result.parseoutcomes() == {"passed": 1, "errors": 2}
    result.stdout.fnmatch_lines(["*::test_it: ws_soak: how long?*", "*::test_too: ws_soak: how long?*"])


def test_a_conftest_may_say_how_long(passes):
    """Of tests that have no mark of their own; a mark of its own counts before it."""
    conftest = """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                if item.get_closest_marker("ws_stability") is None:
                    item.add_marker(pytest.mark.ws_stability(alive_for="3m", heartbeat_every="25s"))
    """
    source = """
        import pytest

        def test_without(ws_soak):
            assert ws_soak.requirement.alive_for == 180

        @pytest.mark.ws_stability(alive_for="1m")
        def test_with(ws_soak):
            assert ws_soak.requirement.alive_for == 60
    """
    assert passes(source, conftest=conftest) == 2


def test_a_mark_of_a_conftest_counts(passes):
    """It was not looked at where the test had been made with a mark of its own."""
    conftest = CONFTEST.format(marker='ws_stability(heartbeat_every="10s")')
    source = """
        import pytest

        @pytest.mark.ws_stability(alive_for="1m")
        @pytest.mark.parametrize("number", [1, 2])
        def test_it(ws_soak, number):
            assert (ws_soak.requirement.alive_for, ws_soak.requirement.heartbeat_every) == (60, 10)

        @pytest.mark.ws_stability(alive_for="1m")
        async def test_async(ws_connection):
            assert ws_connection.requirement.heartbeat_every == 10
    """
    assert passes(source, conftest=conftest) == 3

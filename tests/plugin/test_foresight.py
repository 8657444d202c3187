"""Warnings at collection: numbers of a test that do not go together."""

from __future__ import annotations

import pytest

SOAK = """
    import pytest

    {more}
    @pytest.mark.ws_orchestrator({server})
    @pytest.mark.ws_stability({requirement})
    def test_it(ws_soak):
        pass
"""
# Shown, and no error as this project's ini would have it.
SHOWN = ("-W", "default::pytest_wsstability.StabilityWarning")
HEARTBEATS = 'read_deadline="55s", ping_interval=None, deadline_reset_by="heartbeat"'
RACE = {"more": "", "server": HEARTBEATS, "requirement": 'alive_for="2m", heartbeat_every="55s"'}
REAL = 'alive_for="2m", heartbeat_every="25s", time="real"'


@pytest.fixture
def warned(run):
    """What collecting a test module warns of, the node ids taken off."""

    def runner(source: str, *args: str) -> list[str]:
        result = run(source, "--collect-only", "-q", *SHOWN, *args)
        assert result.ret == 0
        name = "StabilityWarning: "
        lines = [line.partition(name)[2] for line in result.stdout.lines if name in line]
        return [line.partition(": ")[2] for line in lines]

    return runner


def test_a_race_is_warned_of(warned):
    """The heartbeat and the timer have one number, and the order of two timers decides."""
    assert warned(SOAK.format(**RACE)) == [
        "a heartbeat every 55 s against the orchestrator's read deadline of 55 s: 1.00 of it, and from 0.9 "
        "on it is a race; 24.75 s or less is safe"
    ]


def test_the_warning_names_the_test(run):
    """And stands in pytest's own summary of warnings, with file and line."""
    result = run(SOAK.format(**RACE), *SHOWN)

    result.stdout.fnmatch_lines(
        ["*warnings summary*", "*StabilityWarning: *.py::test_it: a heartbeat every 55 s*"]
    )


def test_it_can_be_an_error_or_nothing(run):
    """As every warning: by filters of the ini file or the command line."""
    source = SOAK.format(**{**RACE, "requirement": 'alive_for="2m", heartbeat_every="50s"'})

    result = run(source)
    assert result.parseoutcomes() == {"errors": 1}
    # One sentence, no traceback.
    assert "Traceback" not in result.stdout.str()
    assert "plugin.py" not in result.stdout.str()
    result = run(source, "-W", "ignore::pytest_wsstability.StabilityWarning")
    assert result.parseoutcomes() == {"passed": 1}


def test_a_profile_that_nobody_speaks_is_warned_of(run):
    """Though the hold is stable: it proves nothing about the session."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_orchestrator(profile="socketio")
        @pytest.mark.ws_stability(alive_for="20s")
        def test_it(ws_soak):
            pass
        """,
        *SHOWN,
    )

    result.stdout.fnmatch_lines(
        ["*StabilityWarning: *::test_it: nothing here looks like `json`; this looks like Engine.IO 4: "
         "--ws-profile socketio"]
    )  # fmt: skip
    assert result.parseoutcomes() == {"passed": 1, "warnings": 1}


def test_a_mark_takes_it_off(run):
    """Where it is meant."""
    more = '@pytest.mark.filterwarnings("ignore::pytest_wsstability.StabilityWarning")'
    source = SOAK.format(**{**RACE, "more": more, "requirement": 'alive_for="2m", heartbeat_every="50s"'})

    assert run(source).parseoutcomes() == {"passed": 1}


@pytest.mark.parametrize(
    ("server", "requirement", "said"),
    [
        # The hold is over before what it is about.
        ('read_deadline="10m"', 'alive_for="2m"',
         ["alive_for=120 s is over before the orchestrator's read deadline of 600 s can be, so it proves "
          "nothing about it"]),
        # Pongs that come when the deadline has run out.
        ('read_deadline="30s", ping_interval="30s"', 'alive_for="2m"',
         ["a pong every 30 s against the orchestrator's read deadline of 30 s: 1.00 of it, and from 0.9 on "
          "it is a race; 13.5 s or less is safe"]),
        ('read_deadline="60s"', REAL + ', client="mute"',
         ["nothing resets the orchestrator's read deadline of 60 s (a heartbeat every 25 s and a pong, which "
          "this client keeps back do not): it ends the hold of 120 s"]),
        # In virtual time the hold says so itself, and at once.
        ('read_deadline="60s"', 'alive_for="2m", heartbeat_every="25s", client="mute"', []),
        # All is well.
        ("", 'alive_for="2m", heartbeat_every="25s"', []),
        ("", 'alive_for="30s"', []),
        # A handler may say what the plugin does not know.
        ('read_deadline="60s", ping_interval=None, handler=print', REAL, []),
        # A protocol's own timers, with the intervals that it names:
        # the server's default, and the interval that the profile or the orchestrator names.
        ("", 'profile="phoenix", alive_for="5m", heartbeat_every="58s"',
         ["a heartbeat every 58 s against the timeout of Phoenix' socket transport of 60 s: 0.97 of it, and "
          "from 0.9 on it is a race; 27 s or less is safe"]),
        ("", 'profile="deepgram", alive_for="1m", heartbeat_every="9s"',
         ["a heartbeat every 9 s against Deepgram's timeout without audio of 10 s: 0.90 of it, and from 0.9 "
          "on it is a race; 4.5 s or less is safe"]),
        # What the client promises counts.
        ("", 'profile="mqtt", alive_for="10m", heartbeat_every="85s"', []),
        ("", 'profile="mqtt", alive_for="10m"', []),
        ("", 'profile="engineio", alive_for="10m"', []),
        ("", 'profile="phoenix", alive_for="10m", heartbeat_every="30s"', []),
        # In real time what ends the hold in any case is told before somebody waits for it.
        ("", 'profile="openai-realtime", alive_for="2h", time="real"',
         ["nothing resets OpenAI's limit of 60 minutes a session of 1 h: it ends the hold of 2 h"]),
    ],
)  # fmt: skip
def test_what_is_known_before_the_run(warned, server, requirement, said):
    """By the markers alone."""
    assert warned(SOAK.format(more="", server=server, requirement=requirement)) == said


def test_where_it_is_an_error_each_of_the_parameters_has_it(run):
    """None of them runs with the numbers for which another is refused."""
    source = SOAK.format(**{**RACE, "more": '@pytest.mark.parametrize("number", [1, 2])'})
    result = run(source.replace("(ws_soak)", "(ws_soak, number)"), "--continue-on-collection-errors")

    assert result.parseoutcomes() == {"errors": 2}


def test_a_mark_of_a_conftest_is_looked_at(run):
    """Once, with the others of the test."""
    conftest = """
        import pytest

        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.ws_orchestrator(read_deadline="30s", ping_interval="29s"))
    """
    source = SOAK.format(**{**RACE, "server": ""}) + "\n    test_too = test_it\n"
    result = run(source, "--collect-only", *SHOWN, conftest=conftest)

    warnings = [line for line in result.stdout.lines if "StabilityWarning: " in line]
    assert len(warnings) == 2
    assert "::test_it: " in warnings[0]
    assert "::test_too: " in warnings[1]


def test_an_expected_failure_is_no_concern(warned):
    """Whoever wrote xfail knows."""
    assert warned(SOAK.format(**{**RACE, "more": "@pytest.mark.xfail"})) == []


def test_another_server_has_numbers_of_its_own(warned):
    """Nothing is known of it."""
    assert warned(SOAK.format(**{**RACE, "server": ""}), "--ws-url=ws://staging.example/") == []


def test_a_mark_of_the_module_is_for_holds_of_all_lengths(warned):
    """Short ones beside long ones are no mistake."""
    source = """
        import pytest

        pytestmark = pytest.mark.ws_orchestrator(read_deadline="10m")

        @pytest.mark.ws_stability(alive_for="5s")
        def test_it(ws_soak):
            pass
    """

    assert warned(source) == []


def test_middleboxes_are_looked_at_one_by_one(warned):
    """A heartbeat of 55 s races with two of them, and the hold is too short for a third."""
    source = """
        import pytest

        @pytest.mark.ws_middlebox("nginx", "heroku", "azure-lb", "gcp-lb")
        @pytest.mark.ws_orchestrator(read_deadline=None, ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="55s")
        def test_it(ws_soak, ws_middlebox):
            pass
    """

    assert sorted(line.split(",")[0] for line in warned(source)) == [
        "a heartbeat every 55 s against the idle timeout of heroku of 55 s: 1.00 of it",
        "a heartbeat every 55 s against the idle timeout of nginx of 60 s: 0.92 of it",
        "alive_for=120 s is over before the idle timeout of azure-lb of 240 s can be",
    ]


def test_a_heartbeat_in_the_body_is_not_known(warned):
    """ws_connect is told there what the marker does not say."""
    source = """
        import pytest

        @pytest.mark.ws_orchestrator(read_deadline="60s", ping_interval=None)
        @pytest.mark.ws_stability(alive_for="2m", time="real")
        async def test_it(ws_connect):
            connection = await ws_connect(heartbeat="25s")
    """

    assert warned(source) == []


OWN = """
import pytest, pytest_asyncio, websockets

@pytest_asyncio.fixture
async def own():
    async def pong(ws):
        async for _ in ws:
            await ws.send('{{"type":"pong"}}')
    async with websockets.serve(pong, "127.0.0.1", 0, ping_interval=None) as server:
        yield "ws://127.0.0.1:%d" % server.sockets[0].getsockname()[1]

{marks}
@pytest.mark.ws_orchestrator(read_deadline="55s", ping_interval=None, deadline_reset_by="heartbeat")
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="55s")
async def test_it(ws_connect, own):
    connection = await ws_connect({url}, heartbeat="25s")
    await connection.assert_alive_for("10s")
    assert {passes}
"""
IGNORED = '@pytest.mark.filterwarnings("ignore::pytest_wsstability.StabilityWarning")'
IS_A_RACE = "a heartbeat every 55 s against the orchestrator's read deadline of 55 s: 1.00 of it, and from"


@pytest.mark.parametrize(("url", "told"), [("own", False), ("None", True)])
@pytest.mark.parametrize("passes", [True, False])
def test_a_server_that_is_not_used_has_no_margins(run, url, told, passes):
    """A test of ws_connect says in its body where it goes: then it is known whose timers count."""
    result = run(OWN.format(marks="", url=url, passes=passes), *SHOWN)

    assert result.parseoutcomes() == {
        "passed" if passes else "failed": 1,
        **({"warnings": 1} if told else {}),
    }
    printed = result.stdout.str()
    assert (IS_A_RACE in printed) is told


@pytest.mark.parametrize(("url", "told"), [("own", False), ("None", True)])
def test_a_failure_shows_the_margins_of_the_server_that_was_used(failure, url, told):
    """And of no other."""
    printed = failure(OWN.format(marks=IGNORED, url=url, passes=False))

    assert ("of 55 s: 1.00 of it" in printed) is told


def test_a_warning_of_the_call_is_an_error_where_filters_say_so(run):
    """And marks of filters count."""
    assert "failed" in run(OWN.format(marks="", url="None", passes=True)).parseoutcomes()
    assert run(OWN.format(marks=IGNORED, url="None", passes=True)).parseoutcomes() == {"passed": 1}


def test_a_failure_shows_the_margins(failure):
    """What was near, beside what broke."""
    source = SOAK.format(
        more="", server="answer_heartbeats=False", requirement='alive_for="2m", heartbeat_every="25s"'
    )

    printed = failure(source)
    assert "margins" in printed
    assert "a pong every 30 s against the orchestrator's read deadline of 60 s: 0.50 of it" in printed


def test_a_server_that_has_no_read_deadline_by_its_profile_has_no_margin_of_one(failure):
    """Protocols with timers of their own have them in its place."""
    source = SOAK.format(
        more="",
        server="heartbeat_interval=60",
        requirement='alive_for="2m", heartbeat_every="25s", profile="socketio"',
    )

    printed = failure(source)
    assert "due every 60 s" in " ".join(printed.split())
    assert "read deadline of 60 s" not in printed


FAULTS = """
    import pytest, pytest_asyncio
    from pytest_wsstability import Orchestrator, faults

    @pytest_asyncio.fixture
    async def own():
        async with Orchestrator() as server: yield server.url

    {ws_url}

    @pytest.mark.ws_orchestrator(faults=[("30s", faults.Stall("1s"))])
    @pytest.mark.ws_stability(alive_for="1m")
    async def test_soak(ws_soak): ...

    @pytest.mark.ws_orchestrator(faults=[("30s", faults.Stall("1s"))])
    async def test_connect(ws_connect): await (await ws_connect()).assert_alive_for("1m")
"""


def test_faults_of_a_mark_that_reach_nobody_are_warned_of(run):
    """The test passes, and what it is about did not happen."""
    own = "@pytest.fixture\n    def ws_url(own): return own"
    result = run(FAULTS.format(ws_url=own), *SHOWN)

    result.assert_outcomes(passed=2, warnings=2)
    told = [line.partition("StabilityWarning: ")[2] for line in result.stdout.lines if "faults=) was" in line]
    assert [line.partition("::")[2] for line in told] == [
        f"{name}: no fault of ws_orchestrator(faults=) was injected, for the server under test is that of "
        "the fixture ws_url; ws_proxy(faults=) breaks the link to any server"
        for name in ("test_soak", "test_connect")
    ]


@pytest.mark.parametrize(
    "ws_url",
    ["", "@pytest.fixture\n    def ws_url(ws_orchestrator): return ws_orchestrator.url"],
)
def test_faults_of_a_mark_that_were_injected_are_not(passes, ws_url):
    """A fixture of the project's may lead to the reference server."""
    passes(FAULTS.format(ws_url=ws_url))


def test_a_mark_without_faults_is_not(passes):
    """One of several parameters may have none."""
    source = FAULTS.format(ws_url="@pytest.fixture\n    def ws_url(own): return own")
    passes(source.replace('[("30s", faults.Stall("1s"))]', "[]"))

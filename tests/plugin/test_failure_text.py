"""What a failure looks like in pytest's output."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from xml.etree import ElementTree

import pytest

SOAK = """
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_it(ws_soak):
    raise AssertionError("the body must not run")
"""
CONNECT = """
import pytest

@pytest.mark.ws_stability(client="mute")
async def test_it(ws_connect):
    connection = await ws_connect(heartbeat="25s")
    await connection.assert_alive_for("2m")
"""
BOTH = pytest.mark.parametrize("source", [SOAK, CONNECT], ids=["ws_soak", "ws_connect"])
HEADLINE = "pongs withheld, pong-only read deadline 60 s (1006 at 60 s of 120 s)"


@BOTH
def test_the_message_has_all_its_parts(run, source):
    """The promise, what was seen, both ends' last events, what to change, and how far it reaches."""
    run(source).stdout.fnmatch_lines(
        [
            f"*{HEADLINE} [[]client end]",
            "*  expected  alive for 120 s",
            "*  observed  1006 at 60 s: *",
            "*  server    *read deadline of 60 s ran out*",
            "*  client    =*X",
            "*    beats * + * +",
            "*    pings * !",
            "*  server    =*X",
            "*  likely    the client withheld pongs; the server's 60 s read deadline, reset only by pongs, *",
            "*  evidence  1 ping came, 0 answered by the client; the one at 30 s was not",
            "*  fix       *",
            "*  covered   60 s in virtual time",
            "*  read on   wsstability explain ping-unanswered",
        ]
    )


@BOTH
def test_no_line_of_ours_is_shown(failure, source):
    """People read their own test, not the plugin."""
    printed = failure(source)

    assert "pytest_wsstability/" not in printed.partition("FAILURES")[2]
    assert "raise StabilityError" not in printed


def test_a_hold_without_a_line_of_the_test_names_its_place(run):
    """ws_soak fails before the body: file and line stand in the message, as everywhere else in pytest."""
    printed = run(SOAK).stdout.str()

    assert re.search(r"^  test      test_\w+\.py:3$", printed, re.MULTILINE)
    assert "  test      " not in run(CONNECT).stdout.str()


def test_the_end_stands_by_the_clock_on_the_wall(run):
    """In real time, for the log of the server; virtual time has none."""
    source = """
        import pytest

        @pytest.fixture
        def ws_app():
            async def handler(connection):
                await connection.close(4401, "token expired")

            return handler

        @pytest.mark.ws_stability(alive_for="1m", profile="frames")
        def test_it(ws_soak): ...
        """
    before = datetime.now(UTC).replace(microsecond=0)
    printed = run(source, "--ws-time=real").stdout.str()
    moment = re.search(r"^  ended at  (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) UTC$", printed, re.MULTILINE)

    assert moment is not None
    assert before <= datetime.fromisoformat(f"{moment[1]}+00:00") <= datetime.now(UTC)
    assert "ended at" not in run(source, "--ws-time=virtual").stdout.str()


def test_the_failing_line_of_the_user_is_shown(run):
    """The arrow stands at the assertion."""
    run(CONNECT).stdout.fnmatch_lines(
        [">       await connection.assert_alive_for(*", f"E  *StabilityError: {HEADLINE} [[]client end]"]
    )


@BOTH
def test_the_short_summary_shows_the_headline(run, source):
    """One line that says what happened."""
    run(source).stdout.fnmatch_lines([f"FAILED *::test_it - {HEADLINE}"])


@BOTH
def test_the_short_summary_stays_one_line_under_ci(run, monkeypatch, source):
    """Under CI pytest does not cut the summary, so a whole block would be printed twice."""
    monkeypatch.setenv("CI", "1")

    result = run(source)

    summary = result.stdout.str().partition("short test summary info")[2].splitlines()
    assert [line for line in summary if line.startswith("FAILED")] == [f"FAILED {result_id()} - {HEADLINE}"]
    assert not any("expected" in line for line in summary)


def result_id() -> str:
    return "test_the_short_summary_stays_one_line_under_ci.py::test_it"


@BOTH
@pytest.mark.parametrize("style", ["auto", "long", "short", "line", "native", "no"])
def test_every_traceback_style_works(run, source, style):
    """Whatever --tb says, the test fails for the same reason."""
    result = run(source, f"--tb={style}")

    assert result.ret == 1
    assert "INTERNALERROR" not in result.stdout.str()
    result.stdout.fnmatch_lines([f"FAILED *::test_it - {HEADLINE}"])


@BOTH
def test_junit_has_the_headline_and_the_block(run, pytester, source):
    """What CI systems show beside a test."""
    run(source, "--junitxml=out.xml")

    (failed,) = ElementTree.parse(pytester.path / "out.xml").iter("failure")
    assert failed.get("message") == HEADLINE
    assert "read deadline of 60 s ran out" in failed.text


@BOTH
def test_the_body_in_verbose_mode(run, source):
    """-vv shows every event of both ends, and nothing twice."""
    printed = run(source, "-vv").stdout.str()

    assert len(re.findall(r"server timeline \(last 11 of 11 events\)", printed)) == 1
    assert len(re.findall("  likely    ", printed)) == 1
    assert "+30.000 s < ping 8 B" in printed


def test_a_failure_outside_of_us_is_left_alone(run):
    """An ordinary assertion looks as ever."""
    result = run(
        """
        async def test_it(ws_connect):
            connection = await ws_connect()
            assert connection.url == "ws://elsewhere"
        """
    )

    result.stdout.fnmatch_lines(["E       AssertionError: assert 'ws://127*' == 'ws://elsewhere'"])
    assert result.ret == 1


@pytest.mark.parametrize(
    "wait",
    [
        "await asyncio.wait_for(connection.recv(), 5)",
        "async with asyncio.timeout(5): await connection.recv()",
    ],
)
def test_what_asyncio_has_cancelled_shows_no_frames_of_ours(failure, wait):
    """The limit is the user's, and the line that waited as well."""
    printed = failure(
        f"""
        import asyncio

        async def test_it(ws_connect):
            connection = await ws_connect()
            {wait}
        """
    )

    assert "TimeoutError" in printed
    # A place in front of a line of code, as pytest has it; not in what a variable shows.
    assert [line for line in printed.splitlines() if re.match(r"\S*pytest_wsstability/\S+:\d+: ", line)] == []


def test_a_failure_in_a_helper_of_the_user_keeps_its_frames(run):
    """Only our frames are hidden."""
    run(
        """
        import pytest

        async def hold(connection):
            await connection.assert_alive_for("2m")

        @pytest.mark.ws_stability(client="mute")
        async def test_it(ws_connect):
            await hold(await ws_connect())
        """
    ).stdout.fnmatch_lines([">       await hold(*", ">       await connection.assert_alive_for(*"])


def test_waiting_for_a_session_fails_readably(run):
    """The orchestrator's side of a test fails in the same way."""
    result = run(
        """
        async def test_it(ws_orchestrator):
            await ws_orchestrator.wait_for_session(within="5s")
        """
    )

    result.stdout.fnmatch_lines(
        [
            ">       await ws_orchestrator.wait_for_session(*",
            "E  *NoSessionError: no session came to ws://127.0.0.1:*/ within 5 s",
            "E  *  observed  no client opened a connection",
        ]
    )
    assert "pytest_wsstability/" not in result.stdout.str().partition("FAILURES")[2]


def test_a_project_whose_folder_is_named_like_a_library_keeps_its_frames(run, pytester):
    """Where a file lies decides, not what a folder is called."""
    folder = pytester.mkdir("asyncio")
    (folder / "test_inside.py").write_text(
        "async def test_inside(ws_connect):\n"
        "    connection = await ws_connect(client='mute')\n"
        "    await connection.assert_alive_for('2m')\n"
    )

    result = pytester.runpytest_inprocess("asyncio/test_inside.py")

    result.stdout.fnmatch_lines([">       await connection.assert_alive_for('2m')"])


@pytest.mark.parametrize(("when", "coloured"), [("yes", True), ("no", False)])
def test_colours_on_terminals_only(run, when, coloured):
    """The cause stands out where a terminal has colours; elsewhere nothing but the text is written."""
    printed = run(SOAK, f"--color={when}").stdout.str()

    assert ("\x1b[32m  fix       " in printed) is coloured
    assert ("\x1b[" in printed) is coloured
    assert "  likely    the client withheld pongs; the server's 60 s read deadline" in printed


GROUP = """
import asyncio

async def test_it(ws_connect, ws_orchestrator, ws_clock):
    async with asyncio.TaskGroup() as group:
        for _ in range({count}):
            connection = await ws_connect()
            group.create_task(connection.assert_alive_for("2m"))
        await ws_clock.advance("60s")
        await ws_orchestrator.restart()
"""


@pytest.mark.parametrize(("count", "more"), [(1, ""), (2, ", and 1 more")])
def test_a_failure_in_a_task_group_is_told_as_one(run, count, more):
    """Each with its cause, none with frames of ours, and the command that runs it again."""
    result = run(GROUP.format(count=count), f"--junitxml={count}.xml")

    result.stdout.fnmatch_lines(
        [
            "*StabilityError: the server restarts *",
            "*  read on   *",
            "* run it again *",
            f"FAILED *::test_it - the server restarts (1006 at 60 s of 120 s){more}",
        ]
    )
    printed = result.stdout.str().partition("FAILURES")[2]
    assert printed.count("  likely    ") == count
    assert "pytest_wsstability/" not in printed


def test_nothing_is_collected_while_a_failure_is_put_into_words(pytester):
    """
    What asyncio logs of a task that is collected is parsed, too.

    On Python 3.11 that ended the run with an INTERNALERROR, where pytest was about to parse a file.

    """
    pytester.makepyfile(
        """
        import gc
        import pytest

        class Told(Exception):
            def __str__(self):
                return f"collected: {gc.isenabled()}"

        @pytest.mark.ws_stability(alive_for="1s")
        def test_fails(ws_soak):
            raise Told

        def test_goes_on():
            assert gc.isenabled()
        """
    )
    result = pytester.runpytest()

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["E *.Told: collected: False"])


def test_garbage_is_collected_while_another_plugin_runs_a_test_again(passes):
    """As pytest-retry does it, around the report of the first attempt."""
    conftest = """
    import gc

    import pytest

    seen = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(item, call):
        report = yield
        seen.append(gc.isenabled())
        return report

    @pytest.fixture
    def collected():
        return seen
    """
    source = """
    async def test_ours(ws_clock): ...

    def test_theirs(collected):
        assert all(collected)
    """
    assert passes(source, conftest=conftest) == 2

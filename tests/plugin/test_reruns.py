"""Tests that are run again: each attempt holds again, and instability stays known."""

from __future__ import annotations

import json
import re

import pytest

from tests.serving import serving

pytest.importorskip("pytest_rerunfailures")

HOLD = """
import pytest

@pytest.mark.ws_stability(alive_for="200ms")
def test_it(ws_soak):
    pass

def test_other():
    pass
"""
VIRTUAL = """
import pytest

attempts = []

{mark}
async def test_it(ws_connect, ws_orchestrator):
    attempts.append(1)
    connection = await ws_connect(client="browser" if len(attempts) > {unstable} else "mute")
    await connection.assert_alive_for("2m")
"""
SENTENCE = "stable in 1 of 3 holds; the first unstable one: *1006 at 60 s of 120 s*"


class Moody:
    """A server that closes the first connections at once, and keeps those after them."""

    def __init__(self, bad: int) -> None:
        self.left = bad
        self.count = 0

    async def handle(self, connection):
        self.count += 1
        self.left -= 1
        if self.left >= 0:
            await connection.close(1011, "overloaded")
        await connection.wait_closed()


@pytest.mark.real
def test_it_holds_again(run):
    """Each attempt has a connection of its own, and in the end the test fails all the same."""
    moody = Moody(1)
    with serving(handler=moody.handle) as url:
        result = run(HOLD, f"--ws-url={url}", "--reruns=2")

    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 2}
    assert moody.count == 3
    result.stdout.fnmatch_lines(
        ["FAILED *::test_it - *stable in 2 of 3 holds; the first unstable one: *1011 at *"]
    )


@pytest.mark.real
def test_one_that_is_never_stable(run):
    """The failure is its own."""
    moody = Moody(9)
    with serving(handler=moody.handle) as url:
        result = run(HOLD, f"--ws-url={url}", "--reruns=1")

    assert result.parseoutcomes() == {"passed": 1, "failed": 1, "rerun": 1}
    assert moody.count == 2
    result.stdout.fnmatch_lines(["FAILED *::test_it - *1011 at *"])


def test_in_virtual_time(run):
    """The same rule, by the flaky mark."""
    result = run(VIRTUAL.format(unstable=2, mark="@pytest.mark.flaky(reruns=2)"))

    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    result.stdout.fnmatch_lines([f"FAILED *::test_it - *{SENTENCE}"])


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["-n1", "-p", "no:looptime_plugin"]], ids=["alone", "xdist"])
def test_report_lets_it_pass(run, ini, options):
    """With ws_reruns = report, as whoever reruns has asked; the result says so."""
    ini("ws_reruns = report")

    result = run(VIRTUAL.format(unstable=2, mark=""), "--reruns=2", "-v", *options)

    assert result.parseoutcomes() == {"passed": 1, "rerun": 2}
    result.stdout.fnmatch_lines(["*STABLE IN 1 OF 3 HOLDS*", f"*::test_it: {SENTENCE}"])


def test_an_inconclusive_attempt_is_no_instability(run):
    """What the evidence could not carry may be tried again."""
    result = run(
        """
        attempts = []

        async def test_it(ws_connect):
            attempts.append(1)
            connection = await ws_connect(heartbeat="1s")
            if len(attempts) > 1:
                await connection.assert_alive_for("10s")
            connection.assert_heartbeats_answered(within="5s", at_least=2)
        """,
        "--reruns=1",
    )

    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}


def test_a_value_that_makes_no_sense(run, ini):
    """Refused before anything runs."""
    ini("ws_reruns = pass")

    result = run("def test_it(): pass")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: ini ws_reruns: 'pass' is none of fail, report"])


def test_reports_have_each_attempt(run, ini, pytester):
    """Which was unstable stays known, beside the one that was not."""
    ini("ws_reruns = report")
    source = VIRTUAL.format(mark="", unstable=2)
    result = run(source, "--reruns=2", "--ws-report=a.json", "--junitxml=j.xml", "--ws-fail-on=unstable > 0")
    attempts = json.loads((pytester.path / "a.json").read_text())["results"]

    assert [(each["attempt"], each["verdict"]["outcome"]) for each in attempts] == [
        (1, "unstable"),
        (2, "unstable"),
        (3, "stable"),
    ]
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["    *::test_it (attempt 2)", "✗ ws_fail_on unstable > 0: 2 of 3 holds *"])
    text = (pytester.path / "j.xml").read_text()
    assert re.findall(r'name="(ws_verdict\w*)" value="(\w+)"', text) == [
        ("ws_verdict", "UNSTABLE"),
        ("ws_verdict_attempt_2", "UNSTABLE"),
        ("ws_verdict_attempt_3", "stable"),
    ]


# What pytest-retry does: it runs a test again inside the hook that reports its first attempt.
RETRY = """
import pytest

@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    left = 2
    while call.when == "call" and not report.passed and left:
        left -= 1
        nextitem = pytest.Class.from_parent(item.session, name="next")
        item.ihook.pytest_runtest_teardown(item=item, nextitem=nextitem)
        item._initrequest()
        pytest.CallInfo.from_call(lambda: item.ihook.pytest_runtest_setup(item=item), when="setup")
        again = pytest.CallInfo.from_call(lambda: item.ihook.pytest_runtest_call(item=item), when="call")
        last = pytest.TestReport.from_item_and_call(item, again)
        report.outcome, report.longrepr = last.outcome, last.longrepr
"""


@pytest.mark.parametrize(("reruns", "outcomes"), [("fail", {"failed": 1}), ("report", {"passed": 1})])
def test_attempts_that_no_report_tells_of(run, ini, pytester, reruns, outcomes):
    """Each of them is a result of its own, is counted by gates, and none is one that the test expected."""
    ini(f"ws_reruns = {reruns}")
    source = VIRTUAL.format(mark="", unstable=2)
    result = run(source, "--ws-report=a.json", "--ws-fail-on=unstable > 0", conftest=RETRY)
    attempts = json.loads((pytester.path / "a.json").read_text())["results"]

    assert [(each["attempt"], each["verdict"]["outcome"], each["expected"]) for each in attempts] == [
        (1, "unstable", False),
        (2, "unstable", False),
        (3, "stable", False),
    ]
    assert result.parseoutcomes() == outcomes
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["✗ ws_fail_on unstable > 0: 2 of 3 holds *"])
    if reruns == "fail":
        result.stdout.fnmatch_lines([f"FAILED *::test_it - *{SENTENCE}"])


def test_the_last_of_such_attempts_is_what_fails(run):
    """The failure tells its words, and not those of the first."""
    result = run(
        """
        attempts = []

        async def test_it(ws_connect, ws_orchestrator):
            attempts.append(1)
            connection = await ws_connect(client="mute")
            await connection.assert_alive_for(f"{1 + len(attempts)}m")
        """,
        conftest=RETRY,
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["FAILED *::test_it - *(1006 at 60 s of 240 s)*"])
    result.stdout.fnmatch_lines(["virtual time: 0 of 3 holds stable, 3 unstable*"])


@pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="this pytest has no subtests")
def test_subtests_are_no_attempts(run):
    """A test with a subtest that failed fails over that, and was not run again."""
    result = run("""
        async def test_it(ws_connect, ws_orchestrator, subtests):
            connection = await ws_connect(client="mute")
            with subtests.test("alive"):
                await connection.assert_alive_for("2m")
            with subtests.test("closure"):
                connection.assert_no_abnormal_closure()
    """)

    result.stdout.fnmatch_lines([
        "SUBFAILED[[]alive[]] *::test_it - *1006 at 60 s of 120 s*",
        "SUBFAILED[[]closure[]] *::test_it - *1006 at 60 s*",
        "FAILED *::test_it - contains 2 failed subtests",
    ])  # fmt: skip
    result.stdout.no_fnmatch_line("*stable in 1 of *")


SUBTESTS = pytest.mark.skipif(not hasattr(pytest, "Subtests"), reason="this pytest has no subtests")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param('with subtests.test("alive"): await hold', marks=SUBTESTS),
        "async with asyncio.TaskGroup() as group: group.create_task(hold)",
    ],
    ids=["a subtest", "a task group"],
)
def test_what_was_unstable_inside_another_makes_its_attempt_so(run, body):
    """Run again, and stable then: the test fails all the same."""
    result = run(
        f"""
        import asyncio

        attempts = []

        async def test_it(ws_connect, ws_orchestrator{", subtests" * ("subtests" in body)}):
            attempts.append(1)
            connection = await ws_connect(client="browser" if len(attempts) > 1 else "mute")
            hold = connection.assert_alive_for("2m")
            {body}
            assert len(attempts) > 1
        """,
        "--reruns=1",
    )

    result.stdout.fnmatch_lines(["FAILED *::test_it - *stable in 1 of 2 holds; *"])


SOFT = """
import pytest

def pytest_configure(config):
    config.soft = []

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call" and item.config.soft and report.passed:
        report.outcome, report.longrepr = "failed", item.config.soft.pop()
    return report
"""


def test_a_soft_assertion_that_was_unstable_makes_its_attempt_so(run):
    """As those of pytest-check, which raise nothing and let the report fail."""
    result = run(
        """
        attempts = []

        async def test_it(ws_connect, ws_orchestrator, pytestconfig):
            attempts.append(1)
            connection = await ws_connect(client="browser" if len(attempts) > 1 else "mute")
            try:
                await connection.assert_alive_for("2m")
            except AssertionError as error:
                pytestconfig.soft.append(str(error))
        """,
        "--reruns=1",
        conftest=SOFT,
    )

    assert result.parseoutcomes() == {"failed": 1, "rerun": 1}
    result.stdout.fnmatch_lines(["FAILED *::test_it - *stable in 1 of 2 holds; *"])


def test_a_soft_assertion_about_something_else_is_no_instability(run):
    """The connection was stable in each attempt."""
    result = run(
        """
        attempts = []

        async def test_it(ws_connect, ws_orchestrator, pytestconfig):
            attempts.append(1)
            await (await ws_connect()).assert_alive_for("2m")
            if len(attempts) == 1:
                pytestconfig.soft.append("something else")
        """,
        "--reruns=1",
        conftest=SOFT,
    )

    assert result.parseoutcomes() == {"passed": 1, "rerun": 1}


EXPECTED = """
    import pytest
    from pytest_wsstability import StabilityError

    attempts = []

    async def test_it(ws_connect, ws_orchestrator, pytestconfig):
        attempts.append(1)
        first = len(attempts) == 1
        with pytest.raises(StabilityError):
            await (await ws_connect(client="mute")).assert_alive_for("2m")
        try:
            await (await ws_connect(client="mute" if first and {other} else "browser")).assert_alive_for("2m")
        except StabilityError:
            pass
        if first:
            pytestconfig.soft.append("something else")
"""


@pytest.mark.parametrize(("other", "outcomes"), [(False, {"passed": 1}), (True, {"failed": 1})])
def test_an_instability_that_a_test_asks_for_is_none_of_its_attempts(run, other, outcomes):
    """It is there in the attempt that passes, too; a second one of the kind is not, and was unstable."""
    result = run(EXPECTED.format(other=other), "--reruns=1", conftest=SOFT)

    assert result.parseoutcomes() == {**outcomes, "rerun": 1}
    if other:
        result.stdout.fnmatch_lines(["FAILED *::test_it - *stable in 1 of 2 holds; *"])

"""No empty pass: an assertion that was never awaited, and a mark that nothing checked, fail their test."""

from __future__ import annotations

import asyncio
import logging

import pytest

from pytest_wsstability import StabilityError

AWAIT = """
import asyncio

import pytest
import pytest_asyncio

from pytest_wsstability import Orchestrator, connect, run_virtual

{source}
"""
NEVER = "assert_alive_for() was never awaited, so it asserted nothing: write  await"

FORGOTTEN = {
    "a connection": """
async def test_it(ws_connect):
    c = await ws_connect(client="mute", heartbeat="25s")
    c.assert_alive_for("10m")  # here
""",
    "a session": """
async def test_it(ws_orchestrator):
    c = await connect(ws_orchestrator.url)
    session = await ws_orchestrator.wait_for_session()
    session.assert_alive_for("2m")  # here
    await c.close()
""",
    "no fixture of ours": """
@pytest.mark.asyncio
async def test_it():
    async with Orchestrator() as server:
        c = await connect(server.url)
        c.assert_alive_for("2m")  # here
        await c.close()
""",
    "a sync test": """
def test_it():
    async def main():
        async with Orchestrator() as server:
            c = await connect(server.url)
            c.assert_alive_for("2m")  # here
            await c.close()
    run_virtual(main())
""",
    "an async fixture": """
@pytest_asyncio.fixture
async def call(ws_connect):
    c = await ws_connect()
    c.assert_alive_for("2m")  # here
    yield c

async def test_it(call):
    pass
""",
    "an expected failure": """
@pytest.mark.xfail(strict=True)
async def test_it(ws_connect):
    c = await ws_connect()
    c.assert_alive_for("2m")  # here
""",
    "a function of the test's": """
async def check(c):
    c.assert_alive_for("2m")  # here

async def test_it(ws_connect):
    await check(await ws_connect())
""",
}


NOTHING_DONE = {
    "opening": (
        """
async def test_it(ws_connect):
    ws_connect(client="mute")  # here
""",
        "ws_connect() was never awaited, so nothing was opened: write await ws_connect(...)",
    ),
    "advancing": (
        """
async def test_it(ws_connect, ws_clock):
    c = await ws_connect(client="mute", heartbeat="25s")
    ws_clock.advance("10m")  # here
    assert c.timeline.close is None
""",
        "advance() was never awaited, so no time passed: write await ws_clock.advance(...)",
    ),
    "sending": (
        """
async def test_it(ws_connection):
    ws_connection.send("a")  # here
""",
        "send() was never awaited, so nothing was sent: write await ....send(...)",
    ),
    "receiving": (
        """
async def test_it(ws_connection):
    assert ws_connection.recv_json(within="5s")  # here
""",
        "recv_json() was never awaited, so nothing was received: write await ....recv_json(...)",
    ),
    "reconnecting in a class": (
        """
class TestIt:
    @pytest.mark.parametrize("number", [1])
    async def test_it(self, ws_connect, number):
        c = await ws_connect()
        await c.close()
        c.reconnect()  # here
""",
        "reconnect() was never awaited, so nothing was opened: write await ....reconnect(...)",
    ),
    "a restart": (
        """
async def test_it(ws_orchestrator, ws_connection):
    ws_orchestrator.restart()  # here
""",
        "restart() was never awaited, so the server stayed up: write await ....restart(...)",
    ),
    "a session": (
        """
async def test_it(ws_orchestrator):
    session = ws_orchestrator.wait_for_session("of nobody")  # here
""",
        "wait_for_session() was never awaited, so nobody waited for a session: write "
        "await ....wait_for_session(...)",
    ),
    "a proxy, in a fixture": (
        """
@pytest_asyncio.fixture
async def path(ws_proxy):
    return ws_proxy()  # here

async def test_it(path, ws_connection):
    pass
""",
        "ws_proxy() was never awaited, so no proxy was started: write await ws_proxy(...)",
    ),
}


@pytest.mark.parametrize(("source", "said"), NOTHING_DONE.values(), ids=NOTHING_DONE)
def test_what_nobody_awaits_did_not_happen(failure, source, said):
    """A connection that was never opened, and time that never passed, are no pass either."""
    written = AWAIT.format(source=source)
    line = next(number for number, text in enumerate(written.splitlines(), 1) if "# here" in text)

    printed = " ".join(failure(written).split())

    assert f"{line - 1}: {said}" in printed


async def test_connections_that_open_together_were_awaited(ws_connect, ws_clock):
    """`gather` and `async with` await, as well as `await` does."""
    await asyncio.gather(ws_connect(), ws_connect())
    async with ws_connect() as c:
        await asyncio.gather(ws_clock.advance("1m"), c.assert_alive_for("1m"))


@pytest.mark.parametrize("source", FORGOTTEN.values(), ids=FORGOTTEN)
def test_an_assertion_that_nobody_awaits_fails_the_test(failure, source):
    """With its line, whoever made the connection."""
    written = AWAIT.format(source=source)
    line = next(number for number, text in enumerate(written.splitlines(), 1) if "# here" in text)

    printed = failure(written)

    assert f".py:{line - 1}: {NEVER}" in printed


@pytest.mark.slow
def test_a_module_that_loads_the_package_when_it_runs(pytester):
    """In a process of its own: here it is loaded already."""
    pytester.makepyfile(
        """
        import pytest
        import pytest_wsstability as ws

        @pytest.mark.asyncio
        async def test_it():
            async with ws.Orchestrator() as server:
                c = await ws.connect(server.url)
                c.assert_alive_for("2m")
                await c.close()
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-p", "no:looptime_plugin")

    assert result.parseoutcomes()["failed"] == 1
    result.stdout.fnmatch_lines([f"*.py:8: {NEVER}*"])


@pytest.mark.slow
def test_an_item_of_another_plugin_may_call_anything_its_module(pytester):
    """It is not looked at, for it may be no module at all; in a process of its own, as above."""
    pytester.makeconftest(
        """
        import pytest

        class Page(pytest.Item):
            module = ["no module"]
            def runtest(self): ...

        class Pages(pytest.File):
            def collect(self): yield Page.from_parent(self, name="page")

        def pytest_collect_file(file_path, parent):
            return Pages.from_parent(parent, path=file_path) if file_path.suffix == ".txt" else None
        """
    )
    path = pytester.makefile(".txt", "")

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", path)

    assert result.parseoutcomes() == {"passed": 1}


def test_one_of_two_parameters(run):
    """The other one passes."""
    result = run(
        """
        import pytest

        @pytest.mark.parametrize("number", [1, 2])
        async def test_it(ws_connect, number):
            c = await ws_connect(heartbeat="25s")
            waiting = c.assert_alive_for("2m")
            if number == 1:
                await waiting
        """
    )

    assert result.parseoutcomes() == {"passed": 1, "failed": 1}


def test_a_fixture_that_forgets_at_its_end(run):
    """It is an error of the teardown: the test was over."""
    result = run(
        AWAIT.format(
            source="""
@pytest_asyncio.fixture
async def call(ws_connect):
    c = await ws_connect()
    yield c
    c.assert_alive_for("2m")

async def test_it(call):
    pass
"""
        )
    )

    assert result.parseoutcomes() == {"passed": 1, "errors": 1}
    result.stdout.fnmatch_lines([f"*{NEVER}*"])


def test_each_of_several_is_named(failure):
    """A line each."""
    printed = failure(
        """
        async def test_it(ws_connect, ws_orchestrator):
            c = await ws_connect()
            c.assert_session_confirmed(within="1s")
            c.expect("x", within="1s")
            ws_orchestrator.assert_reconnects(within="1s")
        """
    )

    for name in ("assert_session_confirmed", "expect", "assert_reconnects"):
        assert f"{name}() was never awaited" in printed


async def test_whatever_uses_it_is_enough(ws_connect):
    """Awaited by the test, a task, gather or a timeout, or closed."""
    c = await ws_connect(heartbeat="25s")
    await c.assert_alive_for("1s")
    await asyncio.create_task(c.assert_alive_for("2s"))
    await asyncio.gather(c.assert_alive_for("3s"), c.assert_session_confirmed(within=1))
    async with asyncio.timeout(9):
        await c.assert_alive_for("4s")
    c.assert_alive_for("5s").close()
    watch = asyncio.create_task(c.assert_alive_for("5m"))
    await asyncio.sleep(1)
    watch.cancel()


LEFT = {
    "a task": "asyncio.create_task(c.assert_alive_for('10m'))",
    "a task that has run": "asyncio.create_task(c.assert_alive_for('10m')); await asyncio.sleep(1)",
    "a task of the test's": "asyncio.create_task(check(c))",
}


@pytest.mark.parametrize("body", LEFT.values(), ids=LEFT)
def test_one_that_waits_still_when_the_test_ends_is_warned_of(run, body):
    """Nobody hears what comes of it."""
    source = f"""
        import asyncio

        async def check(c):
            await c.assert_alive_for("10m")

        async def test_it(ws_connect):
            c = await ws_connect(heartbeat="25s")
            task = None
            {body}
    """
    assert run(source).parseoutcomes().get("failed") == 1

    result = run(source, "-W", "default")
    assert result.parseoutcomes()["passed"] == 1
    result.stdout.fnmatch_lines(
        ["*assert_alive_for() was still waiting when the test ended, so it asserted *"]
    )


UNHEARD = {
    "waited for": "await asyncio.wait([asyncio.create_task(c.assert_alive_for('2m'))])",
    "slept over": "task = asyncio.create_task(c.assert_alive_for('2m')); await asyncio.sleep(130)",
    "beside another": "await asyncio.wait({asyncio.create_task(c.assert_alive_for('2m')), "
    "asyncio.create_task(asyncio.sleep(200))})",
    "in a function": "await asyncio.wait([asyncio.create_task(check(c))])",
}


@pytest.mark.parametrize("body", UNHEARD.values(), ids=UNHEARD)
@pytest.mark.parametrize("marks", ["", "@pytest.mark.xfail"])
def test_a_failure_that_nobody_hears_of_fails_the_test(run, body, marks):
    """In a task whose result nobody took: asyncio would only log it."""
    result = run(
        f"""
        import asyncio

        import pytest

        async def check(c):
            await c.assert_alive_for("2m")

        {marks}
        async def test_it(ws_connect):
            c = await ws_connect(client="mute", heartbeat="25s")
            {body}
        """
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(
        ["*failed in a task whose result nobody took, so the test went on: *1006 at 60 s*"]
    )


def test_a_failure_over_more_than_one_connection_is_heard_of_as_well(run):
    """Each error of ours is: those of sessions, fleets and calls too."""
    result = run(
        """
        import asyncio

        async def test_it(ws_orchestrator, ws_connect):
            await ws_connect()
            await ws_orchestrator.restart()
            await asyncio.wait([asyncio.create_task(ws_orchestrator.assert_reconnects(within="1s"))])
        """
    )

    assert result.parseoutcomes() == {"failed": 1}
    result.stdout.fnmatch_lines(["*in a task whose result nobody took, *: * did not come back within 1 s*"])


async def test_a_failure_that_is_logged_as_no_error_is_nobodys(ws_connect):
    """Who logs it has caught it: asyncio tells of what nobody takes as an error."""
    connection = await ws_connect(client="mute", heartbeat="25s")
    try:
        await connection.assert_alive_for("2m")
    except AssertionError:
        logging.getLogger("asyncio").warning("cut, as it should be", exc_info=True)


async def test_a_failure_that_is_taken_from_its_task_is_heard(ws_connect):
    """Whoever takes the result may do with it what he likes."""
    c = await ws_connect(client="mute", heartbeat="25s")
    task = asyncio.create_task(c.assert_alive_for("2m"))
    await asyncio.wait([task])
    assert isinstance(task.exception(), StabilityError)
    results = await asyncio.gather(c.assert_alive_for("2m"), return_exceptions=True)
    assert isinstance(results[0], StabilityError)


def test_messages_that_were_not_due_yet_show_nothing(failure):
    """Right after the opening no gap can be too long."""
    printed = failure(
        """
        async def test_it(ws_connect):
            c = await ws_connect()
            c.assert_messages_flow(every="10s")
        """
    )

    assert "inconclusive: no message came in 0 s, and none was due: one every 10 s" in printed


def test_one_that_a_fixture_waits_for_is_none(passes):
    """It looks at the connection as long as the test lasts, and is awaited after it."""
    assert passes(
        """
        import asyncio
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def watched(ws_connect):
            c = await ws_connect(heartbeat="25s")
            watch = asyncio.create_task(c.assert_alive_for("2m"))
            yield c
            await watch

        async def test_it(watched, ws_clock):
            await ws_clock.advance("1m")
        """
    )


def test_a_body_that_failed_is_told_alone(failure):
    """What it raised is the news."""
    printed = failure(
        """
        async def test_it(ws_connect):
            c = await ws_connect()
            c.assert_alive_for("2m")
            raise KeyError("mine")
        """
    )

    assert "KeyError: 'mine'" in printed
    assert "never awaited" not in printed


def test_what_a_body_that_failed_did_not_do_is_warned_of(run):
    """It may be why: nothing came back from a server that never went down."""
    source = """
        async def test_it(ws_orchestrator, ws_connection):
            ws_orchestrator.restart()
            await ws_connection.expect("back", within="5s")
    """
    result = run(source, "-W", "default")

    assert result.parseoutcomes()["failed"] == 1
    printed = " ".join(result.stdout.str().split())
    assert "TimeoutError: expect: back did not come" in printed
    assert "restart() was never awaited, so the server stayed up" in printed
    assert "RuntimeWarning" not in printed


async def test_what_is_done_beside_the_test_may_wait_beyond_it(ws_connect, ws_orchestrator):
    """A reader of messages, and a wait that was given up."""
    c, d = await ws_connect(), await ws_connect()
    tasks = [asyncio.create_task(d.recv()), asyncio.create_task(c.wait_closed())]
    for waiting in (c.recv(), ws_orchestrator.wait_for_session("of nobody")):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(waiting, 1)
    tasks.append(asyncio.create_task(c.send("late")))
    tasks[-1].cancel()
    await asyncio.gather(c.send("a"), c.ping())


def test_a_run_in_a_test_keeps_its_own(run):
    """A test of pytest inside a test takes nothing of the outer one."""
    result = run(
        """
        pytest_plugins = ["pytester"]

        async def test_it(ws_connect, pytester):
            c = await ws_connect()
            waiting = c.assert_alive_for("1s")
            pytester.makepyfile("def test_it(): pass")
            assert pytester.runpytest_inprocess("-p", "no:asyncio", "-p", "no:looptime_plugin").ret == 0
            await waiting
        """
    )

    assert result.parseoutcomes() == {"passed": 1}


# Marks.

MARKED = """
import pytest

{marks}
@pytest.mark.ws_stability({mark})
async def test_it(ws_connect):
    c = await ws_connect()
    {body}
"""
EVERY = 'heartbeat_every="25s"'
ALL = 'alive_for="2m", heartbeat_every="25s", session_within="5s"'


def marked(body: str = "pass", mark: str = ALL, marks: str = "") -> str:
    return MARKED.format(body=body, mark=mark, marks=marks)


@pytest.mark.parametrize(
    ("mark", "body"),
    [
        (ALL, "pass"),
        (ALL, "c.assert_no_abnormal_closure()"),
        (ALL, 'c.assert_rtt(p95="1s") if c.timeline.heartbeats.answered else None'),
        (EVERY, 'await c.assert_alive_for("2m")'),
        ('session_within="5s"', "assert c.timeline.session_confirmed_at is None"),
        ("handshake=True", 'await c.assert_session_confirmed(within="5s")'),
        # A hold that is cancelled before its end has judged nothing.
        (
            ALL,
            "import asyncio; t = asyncio.ensure_future(c.assert_stable()); await c.ping(); t.cancel()",
        ),
    ],
)
def test_a_mark_that_nothing_checks_fails_the_test(failure, mark, body):
    """In the call phase, with what it says and what to write."""
    printed = failure(marked(body, mark))

    assert "nothing in this test was held to its mark ws_stability(" in printed
    assert "write  await connection.assert_stable()" in printed


def test_the_mark_is_told_as_it_is_written(failure):
    """In the units of a duration."""
    printed = failure(marked(mark='alive_for="2m", allow_close=[1012, 1001], messages_at_least=2'))

    assert "ws_stability(alive_for='120s', allow_close=[1001, 1012], messages_at_least=2)" in printed


@pytest.mark.parametrize(
    ("mark", "body"),
    [
        (ALL, "await c.assert_stable()"),
        (ALL, 'await c.assert_alive_for("1m")'),
        (ALL, 'await c.assert_session_confirmed(within="5s")'),
        (EVERY, 'await c.assert_alive_for("1m"); c.assert_heartbeats_answered(within="5s")'),
        (ALL, 'pytest.raises(AssertionError, c.assert_heartbeats_answered, within="5s")'),
        (ALL, "from pytest_wsstability import judge; judge(c.requirement, c.timeline)"),
        # These are no requirement.
        ('client="mute", profile="json", time="virtual"', "pass"),
        # What a closer mark takes back.
        ("alive_for=None", "pass"),
    ],
)  # fmt: skip
def test_a_mark_that_was_checked(passes, mark, body):
    """By assert_stable, or by one that judges one of its keywords, whatever it says."""
    marks = "@pytest.mark.ws_orchestrator(read_deadline=None)"

    assert passes(marked(body, mark, marks)) == 1


def test_one_that_is_expected_to_fail_is_not_excused(run):
    """A failure that is expected is one of the connection's."""
    result = run(marked(marks="@pytest.mark.xfail"))

    assert result.parseoutcomes() == {"failed": 1}


@pytest.mark.parametrize("body", ["pytest.skip('today')", "pytest.xfail('known')"])
def test_a_body_that_has_not_passed(run, body):
    """Nothing was claimed."""
    assert "failed" not in run(marked(body)).parseoutcomes()


def test_a_class_with_tests_of_all_kinds(run):
    """The mark of a class or module is for those that use it; others are left alone."""
    result = run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
        class TestIt:
            def test_none_of_ours(self):
                pass

            async def test_the_orchestrator_alone(self, ws_orchestrator):
                pass

            def test_a_soak(self, ws_soak):
                pass

            async def test_a_connection(self, ws_connection):
                pass

            @pytest.mark.ws_stability(alive_for=None, heartbeat_every=None)
            async def test_taken_back(self, ws_connect):
                await ws_connect()

            async def test_forgotten(self, ws_connect):
                await ws_connect()
        """
    )

    assert result.parseoutcomes() == {"passed": 5, "failed": 1}
    result.stdout.fnmatch_lines(["FAILED *::test_forgotten - nothing in this test was held to its mark *"])


def test_a_fixture_checks_it(passes):
    """Where the connection is one of a fixture's."""
    assert passes(
        """
        import pytest
        import pytest_asyncio

        @pytest_asyncio.fixture
        async def call(ws_connect):
            c = await ws_connect()
            await c.assert_session_confirmed(within="1s")
            return c

        @pytest.mark.ws_stability(session_within="5s")
        async def test_it(call):
            pass
        """
    )


AFTERWARDS = """
import pytest
import pytest_asyncio

@pytest_asyncio.fixture
async def call(ws_connect):
    c = await ws_connect(heartbeat="25s")
    yield c
    {after}

{marks}
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")
async def test_it(call):
    {body}
"""


def test_a_fixture_checks_it_when_the_test_is_over(passes):
    """As ws_connection does."""
    assert passes(AFTERWARDS.format(after="await c.assert_stable()", body="pass", marks="")) == 1


@pytest.mark.parametrize("marks", ["", "@pytest.mark.xfail"])
def test_a_fixture_that_checks_nothing_when_the_test_is_over(run, marks):
    """Which is known once it is torn down."""
    result = run(AFTERWARDS.format(after="pass", body="pass", marks=marks))

    assert result.parseoutcomes()["errors"] == 1
    result.stdout.fnmatch_lines(["*nothing in this test was held to its mark *"])


@pytest.mark.parametrize("body", ["pytest.skip('today')", "assert not call"])
def test_a_body_that_has_not_passed_is_told_alone(run, body):
    """Whatever the fixture does not check after it."""
    result = run(AFTERWARDS.format(after="pass", body=body, marks=""))

    assert "errors" not in result.parseoutcomes()

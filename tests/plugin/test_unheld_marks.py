"""Marks that nothing looks at: of a class without a connection, without a server, or added too late."""

from __future__ import annotations

import pytest

NOBODY = (
    "ws_stability: no test of this {kind} is held to it; let those that are to be use one of the fixtures"
)
HEAD = """
import unittest
import pytest
from pytest_wsstability import Orchestrator, connect
hold = pytest.mark.ws_stability(alive_for="2m")
"""

OF_CLASSES = {
    "of unittest": """
@hold
class Test(unittest.TestCase):
    def test_it(self): ...
""",
    "of asyncio": """
@hold
class Test(unittest.IsolatedAsyncioTestCase):
    async def test_it(self):
        async with Orchestrator() as server:
            await (await connect(server.url)).close()
""",
    "as a field": """
class Test:
    pytestmark = [hold]
    @pytest.mark.parametrize("number", [1, 2])
    def test_it(self, number): ...
""",
    "of classes": """
@hold
class Test:
    class TestOne:
        def test_it(self): ...
    class TestTwo:
        async def test_it(self, ws_orchestrator): ...
""",
}


@pytest.mark.parametrize("source", OF_CLASSES.values(), ids=OF_CLASSES)
def test_the_mark_of_a_class_that_holds_nothing(refusal, source):
    """Every test of it would pass, whatever the server does."""
    printed = refusal(HEAD + source)

    assert f"::Test: {NOBODY.format(kind='class')}" in printed
    assert '@pytest.mark.usefixtures("ws_soak")' in printed


@pytest.mark.parametrize(
    "source",
    [
        "def test_it(): ...",
        "class Test(unittest.TestCase):\n    def test_it(self): ...",
        "class Test:\n    class TestIt:\n        def test_it(self): ...\ndef test_too(): ...",
        "class TestEmpty:\n    limit = 3\ndef test_it(): ...",
    ],
)
def test_the_mark_of_a_module_that_holds_nothing(refusal, source):
    """In classes or outside."""
    printed = refusal(f"{HEAD}pytestmark = hold\n{source}")

    assert f".py: {NOBODY.format(kind='module')}" in printed


HELD = {
    "one of its tests": """
@hold
class Test:
    def test_it(self): ...
    def test_soak(self, ws_soak): ...
""",
    "in a class of it": """
@hold
class Test:
    def test_it(self): ...
    class TestSoak:
        def test_soak(self, ws_soak): ...
""",
    "by usefixtures": """
@hold
@pytest.mark.usefixtures("ws_soak")
class Test(unittest.TestCase):
    def test_it(self): ...
""",
    "by a fixture of all": """
@hold
class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def keep(self, ws_soak): ...
    def test_it(self): ...
""",
    "perhaps by name": """
@hold
class Test:
    def test_it(self, request): ...
""",
    "by what reads it": """
@pytest.fixture
def own(request): return request.node.get_closest_marker("ws_stability").kwargs
@hold
class Test:
    def test_it(self, own): assert own == {"alive_for": "2m"}
""",
    "in a class that inherits it": """
@hold
class Test:
    def test_it(self): ...
    def test_soak(self, ws_soak): ...
class TestPlain(Test):
    test_soak = None
""",
    "where it asks for nothing": """
@pytest.mark.ws_stability(time="virtual", client="mute")
class Test:
    def test_it(self): ...
""",
    "where the module asks": """
pytestmark = hold
def test_soak(ws_soak): ...
@pytest.mark.ws_stability(time="virtual", alive_for=None, session_within=None)
class Test:
    async def test_it(self, ws_orchestrator): ...
@pytest.mark.ws_stability(time="virtual")
class TestToo:
    async def test_it(self, ws_orchestrator): ...
@pytest.mark.ws_stability(time="virtual")
async def test_it(ws_orchestrator): ...
""",
    "without tests": """
@hold
class TestBase: ...
class Test(TestBase):
    def test_soak(self, ws_soak): ...
""",
}


@pytest.mark.parametrize("source", HELD.values(), ids=HELD)
def test_the_mark_of_a_class_that_holds_something(passes, source):
    """It is for those of its tests that use it."""
    assert passes(HEAD + source)


@pytest.mark.parametrize("chosen", ["-kplain", "::TestPlain", "::TestPlain::test_it"])
def test_a_run_of_some_tests_of_a_module(pytester, chosen):
    """Those that are held to its mark are passed over."""
    source = "pytestmark = hold\nclass TestPlain:\n    def test_it(self): ...\nclass TestSoak:\n"
    pytester.makepyfile(HEAD + source + "    def test_soak(self, ws_soak): ...\n")
    path = "test_a_run_of_some_tests_of_a_module.py"
    chosen = [path + chosen] if chosen.startswith("::") else [chosen]

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", *chosen)

    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == 0


def test_the_last_failures_of_a_module(pytester):
    """pytest leaves out the tests that passed before it tells what it has collected."""
    source = "pytestmark = hold\ndef test_soak(ws_soak): ...\ndef test_it(): assert False"
    pytester.makepyfile(HEAD + source)
    pytester.runpytest_inprocess()

    result = pytester.runpytest_inprocess("--last-failed")

    assert result.parseoutcomes() == {"failed": 1}


@pytest.mark.parametrize(
    "source",
    [
        "@hold\n@pytest.mark.skip\nclass Test:\n    def test_it(self): ...",
        "@hold\n@unittest.skip('later')\nclass Test(unittest.TestCase):\n    def test_it(self): ...",
        "@pytest.mark.skip\n@pytest.mark.ws_orchestrator(ping_interval=None)\ndef test_it(): ...",
    ],
)
def test_what_is_skipped_is_not_refused(run, source):
    """It promises nothing."""
    assert run(HEAD + source).parseoutcomes() == {"skipped": 1}


def test_fixtures_that_a_hook_gives_to_tests(passes):
    """Once they are made."""
    conftest = """
    def pytest_collection_modifyitems(items):
        for item in items:
            if item.get_closest_marker("ws_stability"):
                item.fixturenames.append("ws_soak")
    """
    source = "@hold\nclass Test:\n    def test_it(self): ..."
    assert passes(HEAD + source, conftest=conftest) == 1


@pytest.mark.parametrize("body", ["return {ask}", "def make(): return {ask}\n    return make()"])
def test_an_installed_plugin_whose_fixture_asks_by_name(pytester, body):
    """What it asks for is read in its code; others that take `request` give nothing of ours."""
    ask = "request.getfixturevalue('ws_soak')"
    folder = pytester.mkdir("site-packages")
    (folder / "ws_of_a_team.py").write_text(
        f"import pytest\n@pytest.fixture\ndef stable(request):\n    {body.format(ask=ask)}\n"
        "@pytest.fixture\ndef name(request): return request.node.name\n"
    )
    pytester.syspathinsert(folder)
    source = "@hold\nclass Test:\n    def test_it(self, {fixture}): ...\n"
    held = pytester.makepyfile(test_held=HEAD + source.format(fixture="stable"))
    plain = pytester.makepyfile(test_plain=HEAD + source.format(fixture="name"))

    arguments = ("-pws_of_a_team", "-pno:cacheprovider")
    results = [pytester.runpytest_inprocess(*arguments, path) for path in (held, plain)]

    assert [each.parseoutcomes() for each in results] == [{"passed": 1}, {"errors": 1}]


def test_doctests_of_a_module_with_a_mark(run):
    """pytest collects them in a module of their own, in which nothing is held."""
    source = '''
    """
    >>> 1 + 1
    2
    """
    import pytest
    pytestmark = pytest.mark.ws_stability(alive_for="1m")
    def test_it(ws_soak): ...
    '''
    assert run(source, "--doctest-modules").parseoutcomes() == {"passed": 2}


# A server that no test starts.

SERVED = """
import pytest
from pytest_wsstability import faults
rude = pytest.mark.ws_orchestrator(faults=[("30s", faults.WithholdPongs())])
"""


@pytest.mark.parametrize(
    "source",
    [
        "@rude\ndef test_it(): ...",
        "@rude\nasync def test_it(ws_clock): ...",
        "@pytest.mark.parametrize('n', [pytest.param(1, marks=rude)])\ndef test_it(n): ...",
    ],
)
def test_a_server_that_the_test_does_not_start(refusal, source):
    """Its faults would break nothing, and the test would pass."""
    printed = refusal(SERVED + source)

    assert ": ws_orchestrator: this test starts none; use the fixture ws_orchestrator, or one that" in printed


@pytest.mark.parametrize(
    "source",
    [
        "pytestmark = rude\ndef test_it(): ...",
        "@rude\nclass Test:\n    def test_it(self): ...",
        "@rude\nasync def test_it(ws_orchestrator): ...",
        "@rude\n@pytest.mark.ws_stability(alive_for='40s', heartbeat_every='5s')\ndef test_it(ws_soak): ...",
        "@pytest.fixture\ndef own(request): return request.node.get_closest_marker('ws_orchestrator')\n"
        "@rude\ndef test_it(own): assert own.kwargs",
        "@pytest.fixture\ndef own(ws_url): ...\n@rude\nasync def test_it(own): ...",
    ],
)
def test_a_server_that_it_may_start(run, source):
    """Or whose mark something of the project's reads; that of a class is for those that start one."""
    assert run(SERVED + source, "-Wignore").parseoutcomes() == {"passed": 1}


def test_a_server_of_a_conftest_that_marks_every_test(passes):
    """Those that start none have nothing of it."""
    conftest = """
    import pytest

    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.ws_orchestrator(ping_interval=None))
    """
    assert passes("def test_it(): ...\nasync def test_too(ws_orchestrator): ...", conftest=conftest) == 2


# Added too late.

ADDED = "request.applymarker(pytest.mark.{mark})"
LATE = "{name} was added while the test was set up or ran, when nothing looks at it any more: write it at"
MARKS = ["ws_stability(alive_for='5m')", "ws_orchestrator(read_deadline=20)"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("where", ["fixture", "body", "hook"])
@pytest.mark.parametrize("xfail", ["", "@pytest.mark.xfail"])
def test_a_mark_that_is_added_when_the_test_runs(failure, mark, where, xfail):
    """What the marks say was read when the test was collected, so it would be kept by nobody."""
    added = ADDED.format(mark=mark)
    source = f"""
    import pytest

    @pytest.fixture(autouse=True)
    def late(request): {added if where == "fixture" else "..."}

    {xfail}
    @pytest.mark.ws_stability(alive_for="1m")
    async def test_it(ws_connection, request): {added if where == "body" else "..."}
    """
    in_hook = added.replace("request.applymarker", "item.add_marker")
    conftest = f"""
    import pytest

    def pytest_runtest_setup(item): {in_hook if where == "hook" else "..."}
    """
    printed = " ".join(failure(source, conftest=conftest).split())

    assert LATE.format(name=mark.partition("(")[0]) in printed


def test_marks_that_may_be_added_when_the_test_runs(run):
    """Those of others, and what is looked at only then."""
    source = """
    import pytest

    @pytest.fixture(autouse=True)
    def late(request):
        request.applymarker(pytest.mark.xfail)
        request.applymarker(pytest.mark.ws_of_ours)

    @pytest.mark.ws_stability(alive_for="1m")
    async def test_it(ws_connection): ...
    """
    assert run(source, "-Wignore").parseoutcomes() == {"xpassed": 1}


def test_a_mark_for_what_a_fixture_asks_for_after_it(passes):
    """Nothing was read before."""
    source = """
    import pytest

    @pytest.fixture
    def held(request):
        request.applymarker(pytest.mark.ws_stability(alive_for="1m", time="virtual"))
        return request.getfixturevalue("ws_soak")

    @pytest.mark.asyncio
    async def test_it(held):
        assert held.requirement.alive_for == 60
    """
    assert passes(source) == 1


def test_a_fleet_of_a_test_that_might_ask_for_it_and_does_not(run):
    """Whether it does is known when it has run."""
    source = """
    import pytest

    @pytest.fixture(autouse=True)
    def ask(request): return request.getfixturevalue

    @pytest.mark.ws_stability(connections=3)
    def test_it(): ...

    @pytest.mark.ws_stability(alive_for="1m", connections=3)
    def test_soak(ask): ask("ws_soak")

    @pytest.mark.ws_stability(alive_for="1m", connections=3)
    def test_fleet(ask): ask("ws_fleet")
    """
    result = run(source)

    assert result.parseoutcomes() == {"failed": 2, "passed": 1}
    result.stdout.fnmatch_lines(["connections: only makes sense with the fixture ws_fleet"] * 2)


# Traffic that nobody begins.

TALKS = """
import pytest
async def talk(connection): await connection.send("hello")
talks = pytest.mark.ws_stability(alive_for="1m", traffic=talk)
{source}
"""


def test_traffic_of_a_test_that_connects_by_itself(refusal):
    """It would say nothing, and what depends on it would pass."""
    source = "@talks\nasync def test_it(ws_connect): await (await ws_connect()).assert_stable()"

    assert "::test_it: traffic: talks while ws_soak, ws_connection or" in refusal(TALKS.format(source=source))


@pytest.mark.parametrize(
    "source",
    [
        "@talks\ndef test_it(ws_soak): ...",
        "@talks\nasync def test_it(ws_connect, ws_connection): ...",
        "pytestmark = talks\nasync def test_it(ws_connect): await (await ws_connect()).assert_stable()",
        "pytestmark = talks\n@pytest.mark.ws_stability(traffic=None)\n"
        "async def test_it(ws_connect): await (await ws_connect()).assert_stable()",
    ],
)
def test_traffic_that_somebody_begins(passes, source):
    """That of a module is for those of its tests that hold by themselves."""
    assert passes(TALKS.format(source=source)) == 1


def test_traffic_that_a_conftest_gives_to_every_test(passes):
    """Those that connect by themselves have nothing of it."""
    conftest = """
    import pytest

    async def talk(connection): await connection.send("hello")

    def pytest_collection_modifyitems(items):
        for item in items:
            item.add_marker(pytest.mark.ws_stability(traffic=talk))
    """
    source = "async def test_it(ws_connect): await (await ws_connect()).assert_alive_for('1m')"
    assert (
        passes(TALKS.format(source=source + "\n@talks\ndef test_too(ws_soak): ..."), conftest=conftest) == 2
    )

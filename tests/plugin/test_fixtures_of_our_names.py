"""Fixtures and parameters of the project's that have the name of one of ours, and nothing to do with it."""

from __future__ import annotations

import pytest

# Those that hold a test, shape it or are started for it; others are made to be overridden.
NAMES = ("ws_connection", "ws_soak", "ws_fleet", "ws_voice", "ws_middlebox", "ws_command")
OWN = """
import pytest

@pytest.fixture
def {name}():
    return "own"
"""
BESIDE = """
def test_alone({name}): assert {name} == "own"

async def test_beside({name}, ws_clock): assert {name} == "own"

@pytest.mark.ws_stability(alive_for="1m")
async def test_held({name}, ws_connect):
    await (await ws_connect()).assert_stable()
"""
EMPTY = """
@pytest.mark.ws_stability(alive_for="1m")
async def test_it({name}, ws_connect): assert {name} == "own"
"""


@pytest.mark.parametrize("name", NAMES)
def test_they_ask_for_nothing_beside_ours(passes, name):
    """A test that uses such a fixture and one of ours is no test of what the name stands for with us."""
    assert passes((OWN + BESIDE).format(name=name)) == 3


@pytest.mark.parametrize("name", NAMES)
def test_they_hold_nothing(failure, name):
    """A mark beside such a fixture is not checked by it."""
    assert "nothing in this test was held to its mark" in failure((OWN + EMPTY).format(name=name))


@pytest.mark.parametrize("name", ["ws_fleet", "ws_voice"])
def test_no_test_of_others_is_long_by_its_name(run, name):
    """What is skipped without --ws-long is what these fixtures of ours hold in real time."""
    source = OWN + 'def test_theirs({name}): assert {name} == "own"\nasync def test_ours(ws_clock): ...\n'
    run(source.format(name=name)).assert_outcomes(passed=2)


def test_no_test_of_others_is_put_last_by_its_name(run):
    """What leads out of this process is held with others, and behind the rest; this is no hold."""
    source = OWN + 'def test_theirs(ws_soak): assert ws_soak == "own"\nasync def test_ours(ws_clock): ...\n'
    result = run(source.format(name="ws_soak"), "-v", "--ws-url=ws://127.0.0.1:9")

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*::test_theirs PASSED*", "*::test_ours PASSED*"])


@pytest.mark.parametrize("name", ["ws_url", *NAMES])
def test_parameters_by_these_names_are_the_projects_too(passes, name):
    """A suite that only reads URLs may call one so; its loops stay its own, and nothing is asked of it."""
    source = f"""
    import asyncio

    import pytest

    @pytest.mark.parametrize("{name}", ["own"])
    @pytest.mark.asyncio
    async def test_theirs({name}):
        assert {name} == "own"
        assert not hasattr(asyncio.get_running_loop(), "is_virtual")
    """
    assert passes(source) == 1


def test_parameters_by_these_names_hold_nothing(refusal):
    """The mark of a test that is given one is a promise that nobody keeps."""
    source = """
    import pytest

    @pytest.mark.parametrize("ws_soak", [1])
    @pytest.mark.ws_stability(alive_for="1m")
    def test_it(ws_soak): ...
    """
    assert "ws_soak is the project's own here, give it another name" in refusal(source)


def test_parameters_of_such_a_fixture_are_no_middleboxes(passes):
    """A hold that went through the one of that name would end after 55 s."""
    source = """
    import pytest

    @pytest.fixture(params=[1, "heroku"])
    def ws_middlebox(request): return request.param

    @pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)
    @pytest.mark.ws_stability(alive_for="2m")
    def test_it(ws_soak, ws_middlebox): ...
    """
    assert passes(source) == 2

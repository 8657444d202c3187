"""Parameters by the names of fixtures of ours, given in their place or to them (``indirect=True``)."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("name", "parametrize"),
    [
        ("ws_url", '"ws_url", ["ws://127.0.0.1:9"], indirect=True'),
        ("ws_url", '["number", "ws_url"], [(1, "ws://127.0.0.1:9")], indirect=["ws_url"]'),
        ("ws_url", '"number, ws_url", [(1, "ws://127.0.0.1:9")], indirect=True'),
        ("ws_orchestrator", 'argnames="ws_orchestrator", argvalues=[{"read_deadline": "1s"}], indirect=True'),
    ],
)
def test_one_that_nobody_looks_at_is_refused(refusal, name, parametrize):
    """The test would pass with another target than its parameter names."""
    printed = refusal(
        f"""
        import pytest

        @pytest.fixture
        def number(request): return request.param

        @pytest.mark.parametrize({parametrize})
        @pytest.mark.ws_stability(alive_for="1s")
        async def test_it(request, {"number, " if "number" in parametrize else ""}ws_connection, {name}): ...
        """
    )
    assert f"{name}: takes no parameter (indirect=True), so nobody would look at it" in printed


def test_a_fixture_of_the_projects_takes_one(passes):
    """Ours that it rests on is given the same, and leaves it to the other."""
    source = """
    import pytest

    @pytest.fixture
    def ws_url(ws_url, request):
        return f"{ws_url}/{request.param}"

    @pytest.mark.parametrize("ws_url", ["voice", "chat"], indirect=True)
    async def test_it(ws_connect, ws_url):
        assert ws_url.endswith(("/voice", "/chat"))
        await ws_connect()
    """
    assert passes(source) == 2


def test_a_middlebox_is_none(refusal):
    """The hold would go past it, and pass."""
    source = """
    import pytest

    @pytest.mark.parametrize("ws_middlebox", ["heroku"])
    @pytest.mark.ws_stability(alive_for="2m")
    def test_it(ws_soak, ws_middlebox): ...
    """
    assert "ws_middlebox: nothing goes through what parametrize gives; name" in refusal(source)


@pytest.mark.parametrize("test", ["def test_it(ws_soak", "async def test_it(ws_connection"])
def test_a_reference_server_is_none(refusal, test):
    """Another one would be held, and pass."""
    source = f"""
    import pytest

    @pytest.mark.parametrize("ws_orchestrator", [{{"read_deadline": "1s"}}])
    @pytest.mark.ws_stability(alive_for="2m")
    {test}, ws_orchestrator): ...
    """
    assert "ws_orchestrator: the server under test does not look at what parametrize" in refusal(source)


def test_an_orchestrator_beside_another_target_is_a_word_of_the_projects(passes):
    source = """
    import pytest, pytest_asyncio
    from pytest_wsstability import Orchestrator

    @pytest_asyncio.fixture
    async def ws_url():
        async with Orchestrator() as server:
            yield server.url

    @pytest.mark.parametrize("ws_orchestrator", ["kubernetes", "nomad"])
    @pytest.mark.ws_stability(alive_for="2m")
    async def test_it(ws_connection, ws_orchestrator): ...
    """
    assert passes(source) == 2


def test_a_middlebox_of_the_projects_is_its_own(passes):
    """It says where it stands by itself."""
    source = """
    import pytest

    @pytest.fixture
    def ws_middlebox(): ...

    @pytest.mark.parametrize("ws_middlebox", ["heroku"])
    @pytest.mark.ws_stability(alive_for="2m")
    def test_it(ws_soak, ws_middlebox): ...
    """
    assert passes(source) == 1


HOOK = """
def pytest_generate_tests(metafunc):
    if {name!r} in metafunc.fixturenames:
        metafunc.parametrize({name!r}, [{value}], indirect={indirect})
"""


@pytest.mark.parametrize("name", ["ws_url", "ws_orchestrator"])
def test_one_that_a_hook_gives_is_refused_too(refusal, name):
    printed = refusal(
        f"async def test_it(ws_connect, {name}): await ws_connect()",
        conftest=HOOK.format(name=name, value={"read_deadline": "1s"}, indirect=True),
    )
    assert f"{name}: takes no parameter (indirect=True), so nobody would look at it" in printed


@pytest.mark.parametrize("by_hook", [False, True])
@pytest.mark.parametrize(
    "test", ["def test_it(ws_soak, ws_url): ...", "async def test_it(ws_connection, ws_url): ..."]
)
def test_a_url_in_the_place_of_ours_is_under_test_and_runs_elsewhere(run, unused_port, test, by_hook):
    """In real time, as the URL of a fixture of the project's."""
    url = f"ws://127.0.0.1:{unused_port}"
    mark = "" if by_hook else f"@pytest.mark.parametrize('ws_url', ['{url}'])"
    source = f"""
import pytest
{mark}
@pytest.mark.ws_stability(alive_for="1s")
{test}
"""
    conftest = HOOK.format(name="ws_url", value=repr(url), indirect=False) if by_hook else None

    result = run(source, conftest=conftest)

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*nobody listens on 127.0.0.1:{unused_port} (connection refused)*"])


def test_a_url_of_a_server_on_the_loop_stays_in_virtual_time(passes):
    """That of an async fixture, as a URL of the options is looked at."""
    source = """
    import pytest, pytest_asyncio, websockets

    @pytest_asyncio.fixture
    async def server():
        async def echo(connection):
            async for message in connection:
                await connection.send(message)

        async with websockets.serve(echo, "127.0.0.1", 8123):
            yield

    @pytest.mark.parametrize("ws_url", ["ws://127.0.0.1:8123/a", "ws://127.0.0.1:8123/b"])
    @pytest.mark.ws_stability(alive_for="1h", profile="frames")
    async def test_it(server, ws_connection, ws_url, ws_clock):
        assert ws_clock.is_virtual
    """
    assert passes(source) == 2


def test_a_url_of_the_reference_server_stays_in_virtual_time(passes, unused_port):
    """Which runs on the test's loop too."""
    source = f"""
    import pytest

    @pytest.mark.parametrize("ws_url", ["ws://127.0.0.1:{unused_port}/a"])
    @pytest.mark.ws_orchestrator(port={unused_port})
    @pytest.mark.ws_stability(alive_for="1h")
    async def test_it(ws_orchestrator, ws_connection, ws_clock):
        assert ws_clock.is_virtual
    """
    assert passes(source) == 1


@pytest.mark.parametrize("argument", ["", ", ws_app"])
@pytest.mark.parametrize(("code", "outcome"), [(None, "passed"), (1011, "failed")])
def test_an_app_in_the_place_of_ours_is_under_test(run, code, outcome, argument):
    """And not the reference server, which every test of an app would pass with."""
    source = f"""
    import pytest, websockets

    async def app(connection):
        async for message in connection:
            if {code}:
                await connection.close({code})
            await connection.send(message)

    @pytest.mark.parametrize("ws_app", [app])
    async def test_it(ws_connect{argument}):
        connection = await ws_connect(profile="frames")
        await connection.send("hello")
        assert await connection.recv(within="5s") == "hello"
    """
    run(source).assert_outcomes(**{outcome: 1})


@pytest.mark.parametrize(("heartbeat", "outcome"), [("25s", "passed"), ("90s", "failed")])
def test_a_middlebox_is_chosen_by_its_name(run, heartbeat, outcome):
    source = f"""
    import pytest

    @pytest.mark.parametrize("ws_middlebox", ["nginx", "aws-alb"], indirect=True)
    @pytest.mark.ws_orchestrator(ping_interval=None, read_deadline=None)
    @pytest.mark.ws_stability(alive_for="10m", heartbeat_every="{heartbeat}")
    def test_it(ws_soak, ws_middlebox, request):
        assert ws_middlebox.name in request.node.name
    """
    run(source).assert_outcomes(**{outcome: 2})


@pytest.mark.parametrize(
    ("mark", "name", "words"),
    [
        ("", "ngnix", "ws_middlebox: 'ngnix' is unknown; valid ones: "),
        ("@pytest.mark.ws_middlebox('heroku')", "nginx", "this mark names some, and parametrize others"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(refusal, mark, name, words):
    source = f"""
import pytest
@pytest.mark.parametrize("ws_middlebox", ["{name}"], indirect=True)
@pytest.mark.ws_stability(alive_for="1m")
{mark}
def test_it(ws_soak, ws_middlebox): ...
"""
    assert words in refusal(source)

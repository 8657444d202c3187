"""How the connections of a test open: header fields, subprotocols, Origin, paths, fresh tokens."""

from __future__ import annotations

import asyncio

import pytest

# A handler that tells what it was sent.
CONFTEST = """
import json
import pytest

@pytest.fixture
def ws_app():
    async def handler(connection):
        names = ("X-Token", "X-Team", "X-Kind", "X-None", "Origin")
        headers = connection.request.headers
        await connection.send(json.dumps({
            "headers": {name: headers.get_all(name) for name in names if name in headers},
            "subprotocol": connection.subprotocol,
            "offered": headers.get_all("Sec-WebSocket-Protocol"),
            "path": connection.request.path,
        }))
        async for message in connection:
            await connection.send(message)

    return handler
"""
TOLD = """
import json
import pytest
import pytest_asyncio

async def told(ws_connect, **options):
    connection = await ws_connect(profile="frames", **options)
    return json.loads(await connection.recv(within="5s"))
"""


def test_header_fields_merge_by_name(passes, ini):
    """Mark before fixture before option before ini file; None removes one."""
    ini("ws_headers = X-Token: ini", "    X-Team: ini", "    X-None: ini", "    X-Kind: ini")
    passes(
        TOLD
        + """
@pytest.fixture
def ws_headers():
    return {"X-Token": "fixture", "x-team": "fixture", "X-None": None}

@pytest.mark.ws_stability(headers={"X-Token": "mark"})
async def test_it(ws_connect):
    assert (await told(ws_connect))["headers"] == {
        "X-Token": ["mark"], "X-Team": ["fixture"], "X-Kind": ["option", "again"]
    }
""",
        "--ws-header=X-Team: option",
        "--ws-header=X-Kind: option",
        "--ws-header=X-Kind: again",
        conftest=CONFTEST,
    )


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_fresh_token_for_each_test(passes, kind):
    """ws_headers may be sync or async, for ws_connect and for ws_soak."""
    fixture = {
        "sync": "@pytest.fixture\ndef ws_headers(): return {'X-Token': make()}",
        "async": "@pytest_asyncio.fixture\nasync def ws_headers(): return {'X-Token': make()}",
    }[kind]
    passes(
        TOLD
        + f"""
made = []

def make():
    made.append(f"token {{len(made)}}")
    return made[-1]

{fixture}

@pytest.mark.parametrize("number", [0, 1])
async def test_it(ws_connect, number):
    assert (await told(ws_connect))["headers"]["X-Token"] == [f"token {{number}}"]

@pytest.mark.ws_stability(alive_for="1m", profile="frames")
def test_soak(ws_soak):
    assert made[-1] == "token 2"
""",
        conftest=CONFTEST,
    )


def test_subprotocols_and_origin(passes):
    """The mark's, else the fixture's, else the option's."""
    passes(
        TOLD
        + """
@pytest.mark.ws_stability(subprotocol="v2", origin="https://app.example")
async def test_mark(ws_connect):
    found = await told(ws_connect)
    assert (found["offered"], found["headers"]["Origin"]) == (["v2"], ["https://app.example"])

class TestFixture:
    @pytest.fixture
    def ws_subprotocols(self):
        return ["v3", "v4"]

    async def test_fixture(self, ws_connect):
        assert (await told(ws_connect))["offered"] == ["v3, v4"]

async def test_option(ws_connect):
    assert (await told(ws_connect))["offered"] == ["v1"]
""",
        "--ws-subprotocol=v1",
        conftest=CONFTEST.replace("return handler", "return handler").replace(
            "async def handler", "async def handler"
        ),
    )


@pytest.mark.parametrize(
    ("keyword", "words"),
    [
        ('headers=["X"]', ["headers: list is no mapping; give {'Name': 'value'}"]),
        ('headers={"X Y": "1"}', ["header: a name must be there, without spaces"]),
        ('headers={"X": 3}', ["header X: the value is int, not text"]),
        (
            "subprotocol='v2, v1'",
            ["subprotocol: a name has no commas and no spaces; give several one by one"],
        ),
        ("subprotocol=3", ["subprotocol: 3 is no name; give one, or a list with the preferred first"]),
        ('subprotocol=["a", 3]', ["subprotocol: ['a', 3] is no name"]),
        ("origin=3", ["origin: 3 is no text; give it as a browser sends it"]),
        (
            "traffic=3",
            ["traffic: 3 is no coroutine function; give 'async def talk(connection): ...', not called"],
        ),
        (
            'url="voice"',
            ["url: 'voice' is not a WebSocket URL", "or a path of the server under test, such as"],
        ),
    ],
)
def test_a_mistake_is_an_error_at_collection(refusal, keyword, words):
    """It names the test, the value and the valid ones."""
    printed = refusal(
        f"""
        import pytest

        @pytest.mark.ws_stability({keyword})
        async def test_it(ws_connect): ...
        """
    )
    assert [word for word in words if word not in printed] == []


# Traffic.


def test_traffic_talks_while_a_soak_holds(passes):
    """From the session's confirmation to the end of the hold; that it returns before is fine."""
    passes(
        """
        import asyncio
        import pytest

        said = []

        async def talk(connection):
            assert connection.timeline.session_confirmed_at is not None
            while True:
                await asyncio.sleep(10)
                await connection.send("hello")
                said.append(await connection.recv())

        async def once(connection):
            await connection.send("once")

        @pytest.mark.ws_orchestrator(echo=True)
        @pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s", traffic=talk)
        def test_soak(ws_soak):
            # Once more in another order of simultaneous timers.
            assert set(said) == {"hello"}
            assert 5 <= len(said) <= 12

        @pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s", traffic=once)
        async def test_connection(ws_connection, ws_clock):
            await ws_clock.advance("1m")
        """
    )


async def talk(connection):
    while True:
        await asyncio.sleep(0.01)
        await connection.send("hello")


@pytest.mark.slow
@pytest.mark.ws_orchestrator(echo=True)
@pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s", traffic=talk)
def test_traffic_that_reads_nothing_stops_no_reading(ws_soak):
    """Of the messages that nobody takes, the latest are kept."""
    assert not ws_soak.timeline.paused


@pytest.mark.parametrize("fixture", ["ws_soak", "ws_connection"])
def test_what_traffic_raises_fails_the_test(run, fixture):
    """With its own words, and at its own time."""
    kind, body = ("def", "...") if fixture == "ws_soak" else ("async def", "await ws_clock.advance('30s')")
    clock = "" if fixture == "ws_soak" else ", ws_clock"
    result = run(
        f"""
        import asyncio
        import pytest

        async def talk(connection):
            await asyncio.sleep(10)
            raise LookupError("no answer to the question")

        @pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s", traffic=talk)
        {kind} test_it({fixture}{clock}):
            {body}
        """
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*LookupError: no answer to the question*"])


def test_a_broken_promise_is_told_before_what_follows_from_it(failure):
    """Traffic that trips over a dead server is no cause."""
    printed = failure(
        """
        import pytest

        async def talk(connection):
            while True:
                await connection.recv(within="1m")

        @pytest.mark.ws_orchestrator(read_deadline="20s", deadline_reset_by="ping")
        @pytest.mark.ws_stability(alive_for="1m", traffic=talk)
        def test_it(ws_soak): ...
        """
    )
    assert "1006 at 20 s" in printed


@pytest.mark.parametrize(
    ("fixture", "value", "words"),
    [
        ("ws_headers", "None", "headers: NoneType is no mapping; give {'Name': 'value'}"),
        ("ws_headers", "'Authorization: hunter2'", "headers: str is no mapping; give {'Name': 'value'}"),
        (
            "ws_headers",
            "{3: 'X'}",
            "headers: a name and a value, both text, make one; give {'Name': 'value'}",
        ),
        (
            "ws_headers",
            "[('X',)]",
            "headers: a name and a value, both text, make one; give {'Name': 'value'}",
        ),
        ("ws_headers", "b'X: 3'", "headers: a name and a value, both text, make one; give {'Name': 'value'}"),
        ("ws_headers", "{'X': 3}", "header X: the value is int, not text"),
        ("ws_subprotocols", "3", "subprotocol: 3 is no name; give one, or a list with the preferred first"),
    ],
)
def test_a_wrong_value_of_a_fixture_is_told(run, fixture, value, words):
    """In one line, without our frames, for ws_soak as for ws_connect."""
    result = run(
        f"""
        import pytest

        @pytest.fixture
        def {fixture}(): return {value}

        @pytest.mark.ws_stability(alive_for="1m")
        def test_soak(ws_soak): ...

        async def test_connect(ws_connect): ...
        """
    )

    assert result.parseoutcomes() == {"errors": 2}
    result.stdout.fnmatch_lines([f"the fixture {fixture}: {words}".replace("[", "[[]")] * 2)
    result.stdout.no_fnmatch_line("*Error: *")


def test_one_subprotocol_is_a_name_and_not_its_letters(passes):
    """Of the fixture, and as an argument."""
    passes(
        TOLD
        + """
@pytest.fixture
def ws_subprotocols(): return "v2"

async def test_fixture(ws_connect):
    assert (await told(ws_connect))["offered"] == ["v2"]

async def test_argument(ws_connect):
    assert (await told(ws_connect, subprotocols="v3"))["offered"] == ["v3"]
""",
        conftest=CONFTEST,
    )

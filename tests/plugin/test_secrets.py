"""Credentials: sent to the target and to nobody else, and printed nowhere."""

from __future__ import annotations

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from _pytest._code.code import ReprEntry, ReprTraceback

from pytest_wsstability.plugin.secrecy import redact_report

SEEN = """
import pytest_asyncio
from websockets.asyncio.server import serve

seen = {}

def note(name):
    async def answer(websocket):
        seen[name] = dict(websocket.request.headers.raw_items())
        async for _ in websocket:
            pass
    return answer

def url(server):
    return f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"

@pytest_asyncio.fixture
async def ws_url():
    async with serve(note("target"), "127.0.0.1", 0) as server:
        yield url(server)
"""


def test_headers_go_to_the_target(passes):
    """As given, from the option and the ini file."""
    passes(
        SEEN
        + """
async def test_it(ws_connect):
    async with ws_connect():
        assert seen["target"]["Authorization"] == "Bearer a:b"
        assert seen["target"]["X-Team"] == "voice"
""",
        "--ws-header=Authorization: Bearer a:b",
        "-o",
        "ws_headers=X-Team: voice",
    )


def test_headers_go_to_no_other_server(passes):
    """A second server is not trusted with them, nor one on the same host and another port."""
    passes(
        SEEN
        + """
async def test_it(ws_connect):
    async with serve(note("other"), "127.0.0.1", 0) as server:
        async with ws_connect(), ws_connect(url(server)):
            pass
    assert "Authorization" in seen["target"]
    assert "Authorization" not in seen["other"]
""",
        "--ws-header=Authorization: Bearer hunter2",
    )


def test_another_path_of_the_target_gets_them(passes):
    """The same server."""
    passes(
        SEEN
        + """
async def test_it(ws_connect, ws_url):
    async with ws_connect(ws_url + "other"):
        assert "Authorization" in seen["target"]
""",
        "--ws-header=Authorization: Bearer hunter2",
    )


def test_headers_of_one_connection_replace_them(passes):
    """What is said closest wins."""
    passes(
        SEEN
        + """
async def test_it(ws_connect):
    async with ws_connect(headers={"X-Own": "1"}):
        assert "Authorization" not in seen["target"]
        assert seen["target"]["X-Own"] == "1"
""",
        "--ws-header=Authorization: Bearer hunter2",
    )


FAILING = {
    "soak": """
import pytest

@pytest.mark.ws_stability(alive_for="2m", client="mute")
def test_it(ws_soak):
    pass
""",
    "soak, async": """
import pytest

@pytest.mark.ws_stability(alive_for="2m", client="mute")
async def test_it(ws_soak, ws_url):
    pass
""",
    "connect": """
async def test_it(ws_connect):
    connection = await ws_connect(client="mute")
    await connection.assert_alive_for("2m")
""",
    "connection": """
import pytest

@pytest.mark.ws_stability(alive_for="2m", client="mute")
async def test_it(ws_connection):
    pass
""",
    "body": """
async def test_it(ws_connect):
    connection = await ws_connect()
    assert connection is None
""",
    "opening": """
import pytest

@pytest.mark.ws_stability(time="real")
async def test_it(ws_connect):
    await ws_connect("ws://127.0.0.1:1/?token=hunter2-secret")
""",
    "opening, soak": """
import pytest

@pytest.mark.ws_stability(time="real", alive_for=1, url="ws://u:hunter2-secret@127.0.0.1:1/?token=hunter2-secret")
def test_it(ws_soak):
    pass
""",
}


@pytest.mark.parametrize(
    "args", [["-vv", "--tb=long", "-l"], ["-rA", "--tb=short"], ["--setup-show"]], ids=str
)
@pytest.mark.parametrize("name", FAILING)
def test_output_masks_them(run, name, args):
    """In every style, local variables included."""
    result = run(FAILING[name], "--ws-header=Authorization: Bearer hunter2-secret", *args)

    assert result.ret == 1
    printed = result.stdout.str() + result.stderr.str()
    # The source of the test itself is the user's to show.
    own = [line.strip() for line in FAILING[name].splitlines() if line]
    leaks = [
        line
        for line in printed.splitlines()
        if "hunter2" in line and not any(mine in line for mine in own if "hunter2" in mine)
    ]
    assert leaks == []


def test_a_url_with_secrets_is_masked_in_locals(run):
    """The URL of the command line, which fixtures hand to the test."""
    result = run(
        """
        import pytest

        async def test_it(ws_connect):
            await ws_connect()
        """,
        "--ws-url=ws://u:hunter2@127.0.0.1:1/ws?token=hunter2",
        "-vv",
        "--tb=long",
        "-l",
    )

    assert result.ret == 1
    assert "hunter2" not in result.stdout.str()


def test_what_was_logged_goes_by_its_name(failure):
    """And what was printed; a message of the test itself is its source's. Nobody gave these to the run."""
    printed = failure(
        """
        import logging

        async def test_it(ws_connect):
            logging.getLogger("app").warning("%s", {"password": "hunter2-secret", "max_tokens": "4096"})
            print("X-Api-Key: Zz99" + "aa88bb77")
            raise ValueError("refused: sk-proj-" + "hunter2Secret")
        """,
        "-l",
    )

    assert "{'password': '***', 'max_tokens': '4096'}" in printed
    assert "X-Api-Key: ***" in printed
    assert "refused: ***" in printed
    assert "sk-proj-hunter2Secret" not in printed


OF_A_PEER = """
import subprocess
import sys

import pytest

TOKEN = "Zz99" + "aa88bb77"
SAID = {"type": "welcome", "access_token": TOKEN, "session_id": "550e8400-e29b-41d4-a716-446655440000"}

async def test_difference(ws_connect):
    assert SAID == {"type": "welcome"}

async def test_note(ws_connect):
    error = ValueError(f"access_token={TOKEN}")
    error.add_note(f"password: '{TOKEN}'")
    raise ExceptionGroup("of a peer", [error])

async def test_command(ws_connect):
    subprocess.run([sys.executable, "-c", "raise SystemExit(3)", "--access-token", TOKEN], check=True)

@pytest.mark.parametrize("given", [SAID], ids=lambda said: "token=" + said["access_token"])
async def test_parameter(ws_connect, given):
    assert given is None
"""


@pytest.mark.parametrize(
    "options",
    [
        ["-l", "-vv"],
        ["--tb=short", "-rA"],
        ["--tb=native"],
        pytest.param(["-n1", "-v"], marks=pytest.mark.slow),
    ],
    ids=" ".join,
)
def test_what_a_peer_gave_in_what_a_test_raises(pytester, run, options):
    """What lets in is hidden beside its name; the id of a session, which tells what differs, is not."""
    result = run(OF_A_PEER, "--junitxml=j.xml", "-p", "no:cacheprovider", *options)

    result.assert_outcomes(failed=4)
    texts = result.stdout.str(), (pytester.path / "j.xml").read_text()
    assert all("Zz99aa88bb77" not in each for each in texts)
    assert "550e8400-e29b-41d4-a716-446655440000" in texts[0]


def test_subprotocols_are_offered(passes):
    """In their order; the server's choice is told."""
    passes(
        """
        import pytest

        @pytest.mark.ws_orchestrator(subprotocols=["v2", "v1"])
        async def test_it(ws_connect):
            assert (await ws_connect()).subprotocol == "v1"
            assert (await ws_connect(subprotocols=["v2"])).subprotocol == "v2"
        """,
        "--ws-subprotocol=v0",
        "--ws-subprotocol=v1",
    )


LOGS = """
import logging

def test_it(ws_url, caplog):
    logging.warning("at %s", ws_url)
    assert "hunter2hunter" in caplog.text
    assert "hunter2hunter" in caplog.messages[0]
    assert "hunter2hunter" in f"{ws_url} {ws_url!s}" + ws_url
    assert "hunter2hunter" not in repr([ws_url])
    assert False
"""


@pytest.mark.parametrize("options", [[], ["-o", "log_cli=true"]])
def test_tests_see_what_was_given(run, options):
    """What fixtures and caplog give is whole; the `repr` of the URL and records that are shown are not."""
    result = run(LOGS, "--ws-url=ws://127.0.0.1:1/?token=hunter2hunter", *options)

    result.stdout.fnmatch_lines(["*assert False", "*at ws://127.0.0.1:1/?token=[*][*][*]*"])
    assert "hunter2hunter" not in result.stdout.str().replace('"hunter2hunter"', "")


def test_a_file_that_cannot_be_collected(run):
    """Its error goes through the same door."""
    result = run('raise RuntimeError("no login with hunter2hunter")', "--ws-header=X-Key: hunter2hunter")

    result.stdout.fnmatch_lines(["E * RuntimeError: no login with [*][*][*]"])
    assert "hunter2hunter" not in result.stdout.str()


OVER_LINES = """
TOKEN = b"begin." * 10 + b"hunter2/" * 10
KEY = "-----BEGIN PRIVATE " + "KEY-----\\n" + "hunter4/" * 8 + "\\n-----END PRIVATE " + "KEY-----"

async def test_compared(ws_connect):
    await ws_connect(headers={"X-Token": TOKEN.decode()})
    assert [(b"x-token", TOKEN)] == []

async def test_shortened(ws_connect):
    await ws_connect(headers={"X-Token": TOKEN.decode()})
    assert TOKEN.decode() == "begin." * 10 + "x"

async def test_raised(ws_connect):
    raise ValueError("cannot load:\\n" + KEY)
"""


@pytest.mark.parametrize("options", [[], ["-vv"], ["--tb=native", "-vv"], ["--tb=short"]], ids=" ".join)
def test_a_secret_that_goes_over_lines(pytester, run, monkeypatch, options):
    """A traceback has a line for each; in CI pytest shows all of a difference, and breaks long literals."""
    monkeypatch.setenv("CI", "true")
    result = run(OVER_LINES, "--junitxml=j.xml", *options)

    assert result.parseoutcomes() == {"failed": 3}
    for text in (result.stdout.str(), (pytester.path / "j.xml").read_text()):
        shown = [line for line in text.splitlines() if "TOKEN = " not in line and "KEY = " not in line]
        assert not re.search("hunter[24]/hunter", "\n".join(shown))


@pytest.mark.parametrize("lines", [[], [7], [("a", 7)], None, 7, ("a", "b"), "ab", {"a": "b"}])
def test_what_another_plugin_calls_lines_stays(lines):
    """A failure of its own items may have anything there."""
    report = SimpleNamespace(longrepr=SimpleNamespace(lines=lines), sections=[])
    redact_report(report)

    assert report.longrepr.lines == lines


def test_a_failure_that_another_plugin_represents_its_own_way():
    """One that extends pytest's classes is a part of what pytest prints, and has to stay one."""

    class Entry(ReprEntry):
        """As pytest-mypy-plugins has one."""

    entry = Entry(["E  wss://anna:hunter2@host/"], None, None, None, "short")
    report = SimpleNamespace(longrepr=ReprTraceback([entry], None, "short"), sections=[])
    redact_report(report)

    assert report.longrepr.reprentries == [entry]
    assert str(report.longrepr) == "E  wss://***@host/"


PROPERTIES = """
import collections
import enum
from dataclasses import dataclass

import pytest

SECRET = "hunter2&hunter3"
Point = collections.namedtuple("Point", "x y")
State = enum.Enum("State", "OPEN")
Key = enum.Enum("Key", {"REAL": SECRET})

@dataclass(frozen=True)
class Frozen:
    at: str = "home"

class Itself:
    def __init__(self):
        self.me = self

class Mute:
    def __str__(self):
        raise RuntimeError("no database here")

class Holder:
    token = SECRET
    def __str__(self):
        return f"holds {self.token}"

nested = ["deep"]
nested += [nested, nested]
SEEN = [
    Point(1, 2), State.OPEN, State, Frozen(), Itself(), Mute(), collections, collections.OrderedDict(a=1),
    collections.defaultdict(list), KeyError("a"), int, {1, 2}, nested,
]

@pytest.mark.ws_stability(alive_for="1s", headers={"X-Token": SECRET})
def test_soak(ws_soak): ...

@pytest.mark.parametrize("number", range(len(SEEN)))
def test_it(record_property, number):
    record_property("seen", SEEN[number])

def test_holder(record_property):
    record_property("holder", Holder())
    record_property("inside", [Holder(), Key.REAL])
    assert Holder.token == SECRET

def test_seen(reported):
    *theirs, looped, shown, inside = reported
    assert all(value is given for value, given in zip(theirs, SEEN, strict=False))
    assert str(looped).startswith("['deep', [")
    assert (shown, inside) == ("holds ***", ["holds ***", "Key.REAL"])
"""
REPORTED = """
import pytest

properties = []

def pytest_runtest_logreport(report):
    if report.when == "call":
        properties.extend(value for _, value in report.user_properties)

@pytest.fixture
def reported():
    return properties
"""


def test_objects_that_other_tests_give_to_reports_stay_theirs(passes):
    """A test gives `record_property` what it likes; only what is printed with a secret becomes its text."""
    assert passes(PROPERTIES, conftest=REPORTED) == 16


@pytest.mark.parametrize("line", ["badge, room", "badge; room", "badge=abc", '"badge"'])
def test_several_names_in_a_line_are_refused(run, ini, line):
    """They would be one name, which nothing has."""
    ini("ws_secrets =", f"    {line}")
    result = run("def test_it(ws_url): ...")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*ini ws_secrets: {line!r} is no name; give one a line,*"])


def test_names_of_a_teams_own(run, ini):
    """Those of ini ``ws_secrets`` too, where nobody gave the value."""
    ini("ws_secrets =", "    badge")
    result = run(
        """
        import pytest
        from websockets.asyncio.server import serve

        def refuse(connection, request):
            return connection.respond(403, '{"badge": "abc", "room": "abc"}')

        @pytest.mark.ws_stability(time="real")
        async def test_it(ws_connect):
            async with serve(None, "127.0.0.1", 0, process_request=refuse) as server:
                await ws_connect(f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        """
    )

    result.stdout.fnmatch_lines(['*HTTP 403 Forbidden: {"badge": "[*][*][*]", "room": "abc"}'])


@pytest.mark.parametrize(("error", "shown"), [("KeyError", True), ("OpeningError", False)])
def test_a_mistake_of_ours_keeps_its_frames(run, error, shown):
    """Only errors that say what a user did are told without the places in this package."""
    result = run(
        f"""
        from pytest_wsstability.net.errors import OpeningError, OpeningStage

        def options(target):
            raise {"KeyError('x')" if shown else "OpeningError(target, OpeningStage.DNS, 'x')"}

        async def test_it(ws_connect):
            ws_connect._options_for = options
            await ws_connect("ws://127.0.0.1:1/?token=hunter2hunter")
        """,
        "--full-trace",
        "-l",
    )

    printed = result.stdout.str()
    assert result.parseoutcomes() == {"failed": 1}
    assert error in printed
    assert ("connector.py:" in printed) is shown


IN_JUNIT = """
import pytest

SECRET = "hunter2&hunter3"

@pytest.fixture(scope="session", autouse=True)
def suite(record_testsuite_property):
    record_testsuite_property("given", SECRET)

@pytest.mark.ws_stability(alive_for="1s")
@pytest.mark.parametrize("headers", [{"X-Token": SECRET}], ids=str)
async def test_it(ws_connect, headers, record_property):
    record_property("sent", headers)
    record_property(SECRET, [headers])
    await ws_connect(headers=headers)
    assert {passes}
"""


@pytest.mark.parametrize("passes", [True, False])
def test_names_and_properties_in_junit(pytester, run, passes):
    """What pytest writes besides its reports: names of tests, properties of the whole run."""
    source = IN_JUNIT.replace("{passes}", str(passes))
    run(source, "--junitxml=out/j.xml", "-o", "junit_family=xunit1", "-p", "no:cacheprovider")

    text = (pytester.path / "out/j.xml").read_text()
    assert "hunter" not in text
    properties = [each.attrib for each in ElementTree.fromstring(text).iter("property")]
    assert {"name": "given", "value": "***"} in properties
    assert {"name": "sent", "value": "{'X-Token': '***'}"} in properties
    assert {"name": "***", "value": "[{'X-Token': '***'}]"} in properties


IN_A_WORKER = """
import warnings

import pytest

@pytest.mark.ws_stability(alive_for="1s", headers={"Cookie": "sid=hunter2hunter2"})
async def test_it(ws_connect):
    await ws_connect()
    warnings.warn("sent hunter2hunter2")
"""


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["pass", "assert 0"])
def test_the_controller_shows_no_secret_of_a_worker(pytester, outcome):
    """A warning is told by xdist, and printed by a process that was given nothing."""
    pytester.makepyfile(f"{IN_A_WORKER}    {outcome}\n")

    # A process of its own, because in this one secrets of other tests may be known.
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n1", "-W", "default")

    result.stdout.fnmatch_lines(["*UserWarning: sent [*][*][*]"])
    result.stdout.no_fnmatch_line("*hunter2hunter2*")

"""Summary and reports of one run say the same."""

from __future__ import annotations

import asyncio
import json
import threading
from xml.etree import ElementTree

import pytest

from pytest_wsstability.report import jsonl
from tests.serving import Crowd, serving

pytestmark = pytest.mark.slow

REPORTS = ("a.json", "b.jsonl", "c.md", "j.xml")
VIRTUAL = """
import pytest
from pytest_wsstability import StabilityError

hold = pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s")

@hold
@pytest.mark.parametrize("number", range(4))
def test_stable(ws_soak, number):
    pass

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
@pytest.mark.parametrize("number", range(2))
def test_mute(ws_soak, number):
    pass

async def test_two(ws_connect):
    for client in ("browser", "mute"):
        connection = await ws_connect(heartbeat="25s", client=client)
        await connection.assert_alive_for("2m")

async def test_doubtful(ws_connect):
    (await ws_connect(heartbeat="25s")).assert_heartbeats_answered(within="5s")

async def test_asked_for(ws_connect):
    with pytest.raises(StabilityError):
        await (await ws_connect(client="mute")).assert_alive_for("2m")
"""
# Name of the test, verdict and cause of each connection; the cause up to its first colon.
CUT = "pongs withheld, pong-only read deadline"[:25]
HELD = sorted(
    [
        *((f"test_stable[{number}]", "stable", "") for number in range(4)),
        *((f"test_mute[{number}]", "UNSTABLE", CUT) for number in range(2)),
        ("test_two", "stable", ""),
        ("test_two", "UNSTABLE", CUT),
        ("test_doubtful", "INCONCLUSIVE", "inconclusive: 0 of at least"[:25]),
        ("test_asked_for", "expected", CUT),
    ]
)


@pytest.fixture
def told(run, pytester):
    """Run a module and give what each of the reports says: sorted ``(test, verdict, cause)``."""

    def runner(source: str, *args: str):
        options = [f"--ws-report={name}" for name in REPORTS[:3]]
        result = run(source, "-v", *options, "--junitxml=j.xml", "-p", "no:looptime_plugin", *args)
        paths = [pytester.path / name for name in REPORTS]
        return result, {
            "json": from_results(json.loads(paths[0].read_text())["results"]),
            "jsonl": from_results(
                [
                    each.as_dict()
                    for each in jsonl.parse(paths[1].read_text().splitlines(keepends=True), "b").results
                ]
            ),
            "md": from_markdown(paths[2].read_text()),
            "junit": from_junit(ElementTree.parse(paths[3]).getroot()[0]),
            "terminal": from_terminal(result.stdout.lines),
        }

    return runner


def entry(nodeid, verdict, cause):
    # A terminal breaks long causes: their beginning says which one it is.
    return nodeid.rpartition("::")[2], verdict, cause[:25]


def from_results(results):
    found = []
    for each in results:
        outcome = each["verdict"]["outcome"]
        verdict = "expected" if each["expected"] else outcome if outcome == "stable" else outcome.upper()
        cause = "" if outcome == "stable" else each["verdict"]["headline"]
        found.append(entry(each["nodeid"], verdict, cause))
    return sorted(found)


def from_markdown(text):
    unescape = {"&#91;": "[", "&#93;": "]", "&#58;": ":"}
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| verdict")]
    for escaped, char in unescape.items():
        rows = [row.replace(escaped, char) for row in rows]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return sorted(entry(row[2], row[0], row[1]) for row in cells)


def from_junit(suite):
    found = []
    for case in suite.findall("testcase"):
        named = {each.get("name"): each.get("value") for each in case.findall("properties/property")}
        for suffix in ("", "_2"):
            if f"ws_verdict{suffix}" in named:
                cause = named.get(f"ws_cause{suffix}", "")
                found.append(entry(f"::{case.get('name')}", named[f"ws_verdict{suffix}"], cause))
    return sorted(found)


def from_terminal(lines):
    """Rows of the table: the numbers, the test below or beside them, the cause below that."""
    found, start = [], next(index for index, line in enumerate(lines) if "= WebSocket stability =" in line)
    for index, line in enumerate(lines[start:], start):
        words = line.split()
        if line.startswith("  ") and words[0] in ("stable", "UNSTABLE", "INCONCLUSIVE", "expected"):
            beside = "::" in line
            name = next(word for word in words if "::" in word) if beside else lines[index + 1].strip()
            # Where there are several targets, what tells this one from the others stands behind the name.
            name = name.partition(" at ")[0]
            below = lines[index + (1 if beside else 2)]
            cause = below.partition("cause: ")[2] if "    cause: " in below else ""
            found.append(entry(name, words[0], cause))
    return sorted(found)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")])
def test_they_agree(told, arguments):
    """Every connection that was judged, once, with its verdict and its cause, in each of them."""
    result, found = told(VIRTUAL, *arguments)

    assert result.parseoutcomes() == {"passed": 5, "failed": 4}
    assert found == dict.fromkeys(found, HELD)
    total = "5 of 9 holds stable, 3 unstable, 1 inconclusive, 1 ended as the test expected"
    result.stdout.fnmatch_lines([f"virtual time: {total}*"])


REAL = """
import time
import pytest

@pytest.mark.parametrize("number", range(15))
@pytest.mark.ws_stability(alive_for="4s", heartbeat_every="500ms", heartbeat_within="20s")
def test_good(ws_soak, number):
    pass

@pytest.mark.parametrize("number", range(14))
@pytest.mark.ws_stability(alive_for="1h", heartbeat_every="500ms", heartbeat_within="20s", url="{killed}")
def test_killed(ws_soak, number):
    pass

@pytest.mark.ws_stability(alive_for="3s", heartbeat_every="500ms", heartbeat_within="1s")
async def test_stalled(ws_connection):
    await ws_connection.ping()
    # A blocking call in the test: the answers wait, and nobody but the test is to blame.
    time.sleep(2.5)
"""


class Mortal(Crowd):
    """A server whose process dies, as far as clients can see, once all are connected."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._all: list = []
        self._lock = threading.Lock()

    async def handle(self, connection) -> None:
        with self._lock:
            self._all.append(connection)
            full = len(self._all) == self._size
        if full:
            asyncio.get_running_loop().call_later(1.0, self._die)
        await super().handle(connection)

    def _die(self) -> None:
        for connection in self._all:
            connection.websocket.transport.abort()


@pytest.mark.real
def test_thirty_soaks_on_two_workers_with_a_dead_server_and_a_stall(told):
    """Verdicts are right, nothing is lost, and all reports agree."""
    with serving() as url, serving(handler=Mortal(14).handle) as killed:
        result, found = told(REAL.format(killed=killed), "-n", "2", f"--ws-url={url}", "--ws-time=real")

    assert result.parseoutcomes() == {"passed": 15, "failed": 15}
    verdicts = {name: [verdict for test, verdict, _ in found["json"] if test.startswith(name)] for name in
                ("test_good", "test_killed", "test_stalled")}  # fmt: skip
    assert verdicts["test_good"] == ["stable"] * 15
    assert verdicts["test_killed"] == ["UNSTABLE"] * 14
    assert verdicts["test_stalled"] == ["INCONCLUSIVE"]
    assert found == dict.fromkeys(found, found["json"])

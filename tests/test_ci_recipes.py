"""The command lines of docs/ci.md, each of them run, with seconds instead of hours."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from pytest_wsstability import cli
from pytest_wsstability.core.statistics.gates import FIGURES
from tests.serving import serving

pytestmark = pytest.mark.real

PAGE = (Path(__file__).parent.parent / "docs/ci.md").read_text()
INI = "[pytest]\nasyncio_default_fixture_loop_scope = function\n"
SUITE = """
import pytest

@pytest.mark.ws_stability(alive_for="1s", heartbeat_every="250ms", heartbeat_within="20s")
def test_hold(ws_soak):
    pass

@pytest.mark.ws_long
@pytest.mark.ws_stability(alive_for="1500ms", heartbeat_every="250ms", heartbeat_within="20s")
def test_long(ws_soak):
    pass
"""


def commands(start: str) -> list[list[str]]:
    """The lines of the page that begin with a command, as words."""
    lines = [line.strip() for line in PAGE.splitlines()]
    return [shlex.split(line) for line in lines if line.startswith(start)]


@pytest.fixture
def project(pytester, monkeypatch):
    """A small suite, in an environment like that of a CI job."""
    for name in ("PYTEST_ADDOPTS", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "WS_URL"):
        monkeypatch.delenv(name, raising=False)
    pytester.makefile(".ini", pytest=INI)
    pytester.makepyfile(SUITE)
    return pytester


@pytest.fixture
def url():
    """Staging."""
    with serving() as url:
        yield url


@pytest.fixture
def run(project):
    return lambda command: project.runpytest_inprocess("-p", "no:cacheprovider", *command[1:])


def test_the_page_has_these_commands():
    """A new one needs a test."""
    assert [command[-1] for command in commands("pytest ")] == ["ws.json", "nightly", "soak.jsonl"]
    assert len(commands("wsstability hold")) == len(commands("wsstability report")) == 1


def test_pull_request(run, project):
    """Virtual time, both tests, within moments."""
    result = run(commands("pytest ")[0])

    assert result.parseoutcomes() == {"passed": 2}
    assert {
        each["verdict"]["tier"] for each in json.loads((project.path / "ws.json").read_text())["results"]
    } == {"virtual time"}
    assert (project.path / "junit.xml").exists()


@pytest.mark.slow
def test_nightly(run, project, url, monkeypatch):
    """Real time, with artifacts; and the second night beside the first."""
    monkeypatch.setenv("WS_URL", url)
    command = commands("pytest ")[1]
    first, second = run(command), run([*command, "--ws-compare", "nightly"])

    assert first.parseoutcomes() == second.parseoutcomes() == {"passed": 2}
    assert first.ret == second.ret == 0
    assert all((project.path / name).stat().st_size for name in ("ws.json", "ws.jsonl", "ws.md"))
    second.stdout.fnmatch_lines(["compared with 0001_nightly: *", "run kept as *0002_nightly.json"])


@pytest.mark.slow
def test_weekly_by_the_suite(run, project, url, monkeypatch):
    """The long ones, on disk while they run."""
    monkeypatch.setenv("WS_URL", url)
    result = run(commands("pytest ")[2])

    assert result.parseoutcomes() == {"passed": 1, "deselected": 1}
    assert '"record":"result"' in (project.path / "soak.jsonl").read_text()


def test_weekly_by_the_command(url, capsys):
    """Without a suite: a second instead of an hour."""
    (words,) = commands("wsstability hold")
    shorter = {"$WS_URL": url, "1h": "1s", "25s": "400ms"}
    arguments = [shorter.get(word, word) for word in words[1 : words.index(">")]]

    assert cli.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "stable"


def test_several_nights(run, project, monkeypatch):
    """Files of both forms."""
    monkeypatch.chdir(project.path)
    run(["pytest", "--ws-report=night1.json", "--ws-report=night2.jsonl"])
    (command,) = commands("wsstability report")

    assert cli.main(command[1:]) == 0
    assert "2 of 2 holds stable" in (project.path / "all.md").read_text()


def test_the_page_names_every_figure():
    """And none that there is not."""
    (sentence,) = re.findall(r"^Gates know (.*?) They look", PAGE, re.DOTALL | re.MULTILINE)

    assert {name for name in re.findall(r"`(\w+)`", sentence)} == set(FIGURES)

"""The examples as a user runs them, and the names in pages: options, keywords, commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_wsstability import cli
from pytest_wsstability.voice import Pipeline
from tests.against import inner
from tests.servers import launch
from tests.serving import serving

ROOT = Path(__file__).parent.parent
EXAMPLES = {
    "test_client_under_test.py": {"passed": 2},
    "test_custom_heartbeat.py": {"passed": 4},
    "test_deadline_table.py": {"passed": 8},
    "test_faults.py": {"passed": 10},
    "test_fleet.py": {"passed": 2},
    "test_own_server.py": {"passed": 2},
    "test_reconnect.py": {"passed": 4},
    "test_random_faults.py": {"passed": 2},
    "test_story.py": {"passed": 2, "xfailed": 1},
    "test_url.py": {"passed": 3},
    "test_voice_agent.py": {"passed": 4, "xfailed": 4},
}
# Those with a process of their own, which has a clock of its own; and the files that they bring.
OUTSIDE = {
    "test_browser_microphone.py": ("microphone_page.html", {"passed": 1}),
    "test_browser_page.py": ("voice_page.html", {"passed": 2, "skipped": 1}),
    "test_clients.py": ("voice_client.cjs", {"passed": 2}),
}
LONG = "SKIPPED [[]1[]] *: ws_long: takes long in real time; run it with --ws-long"


@pytest.fixture(autouse=True)
def project(pytester, monkeypatch):
    """An empty project, without settings from the environment of this run."""
    inner.prepare(pytester, monkeypatch)
    return pytester


def copy(project, name: str) -> None:
    """Bring an example into the project."""
    project.makepyfile(**{name.removesuffix(".py"): (ROOT / "examples" / name).read_text()})


def test_every_example_is_counted():
    """A new file has to say here what comes of it."""
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == {*EXAMPLES, *OUTSIDE}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name == "test_voice_agent.py" else name
        for name in EXAMPLES
    ],
)
def test_example_in_virtual_time(project, name):
    """Each file alone, in strict mode, without any setting: exactly these outcomes."""
    copy(project, name)

    result = inner.run(project)

    assert result.parseoutcomes() == EXAMPLES[name]
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.slow
def test_examples_together(project):
    """All files in one run."""
    for name in EXAMPLES:
        copy(project, name)

    outcomes = inner.run(project).parseoutcomes()

    assert outcomes == {key: sum(each.get(key, 0) for each in EXAMPLES.values()) for key in outcomes}
    assert set(outcomes) == {"passed", "xfailed"}


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.parametrize("name", OUTSIDE)
def test_example_with_a_process(project, monkeypatch, name):
    """A browser, and node: what is there runs, and what is not is skipped by name."""
    companion, outcomes = OUTSIDE[name]
    copy(project, name)
    (project.path / companion).write_text((ROOT / "examples" / companion).read_text())
    monkeypatch.setenv("NODE_PATH", str(launch.HERE / "node_modules"))

    result = inner.run(project, "-rs")

    missing = [
        line for line in result.outlines if "no Chromium" in line or "node" in line or "[browser]" in line
    ]
    if missing:
        pytest.skip(missing[-1])
    assert result.parseoutcomes() == outcomes
    assert result.ret == pytest.ExitCode.OK


# A server under test, in real time.


@pytest.mark.real
def test_url_example_against_a_server_of_others(project):
    """The short tests of the file hold; the long one says how to run it."""
    name = next((name for name in launch.STACKS if launch.missing(name) is None), None)
    if name is None:
        pytest.skip("; ".join(f"{name}: {launch.missing(name)}" for name in launch.STACKS))
    copy(project, "test_url.py")

    with launch.start(name) as server:
        result = inner.run(project, f"--ws-url={server.url('/ws')}", "-rs")

    assert result.parseoutcomes() == {"passed": 2, "skipped": 1}
    result.stdout.fnmatch_lines([f"wsstability: target {server.url('/ws')} (from --ws-url)*", LONG])


@pytest.mark.soak
def test_voice_example_against_a_url(project):
    """The session persists there too: six turns of a conversation, and a lost connection in the third."""
    copy(project, "test_voice_agent.py")

    with serving(voice=Pipeline(stt="20ms", ai="20ms", tts="20ms", answer="1s")) as url:
        result = inner.run(project, f"--ws-url={url}", "--ws-long", "-k", "session_persists")

    assert result.parseoutcomes() == {"passed": 1, "deselected": 7}


@pytest.mark.slow
@pytest.mark.real
def test_url_example_in_real_time(project):
    """The same against the reference orchestrator, because an option says so."""
    copy(project, "test_url.py")

    result = inner.run(project, "--ws-time=real", "-rs")

    assert result.parseoutcomes() == {"passed": 2, "skipped": 1}
    result.stdout.fnmatch_lines(["wsstability: target the reference orchestrator, time real*", LONG])


# What the story prints.


def test_expected_failure_prints_as_much(project):
    """With --xfail-tb, the whole message."""
    copy(project, "test_story.py")

    inner.run(project, "--xfail-tb", "-rx", "-k", "test_before_the_fix").stdout.fnmatch_lines(
        [
            "*pongs withheld, * (1006 at 60 s of 120 s) [[]client end]",
            "*  expected  alive for 120 s",
            "*  likely    the client withheld pongs; *",
            "*  read on   wsstability explain ping-unanswered",
            "XFAIL test_story.py::test_before_the_fix - before the fix: *",
        ]
    )


# The names that pages give.


def test_options_of_pages_exist(project):
    """Those of the plugin, in prose and on command lines."""
    listed = set(re.findall(r"--ws-[\w-]+", inner.run(project, "--help").stdout.str()))
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md"]
    unknown = {page.name: set(re.findall(r"--ws-[\w-]+", page.read_text())) - listed for page in pages}

    assert {name: options for name, options in unknown.items() if options} == {}


@pytest.mark.parametrize("marker", ["ws_stability", "ws_orchestrator"])
def test_marker_keywords_of_the_reference_are_those_that_are_valid(project, marker):
    """The message of a wrong keyword lists the valid ones."""
    project.makepyfile(f"""
        import pytest

        @pytest.mark.{marker}(no_such_keyword=1)
        async def test_it(ws_connect): ...
    """)

    listed = re.search(r"'no_such_keyword'; valid ones: (.*)", inner.run(project).stdout.str())[1]

    table = (ROOT / "docs/marks.md").read_text().partition(f"## `{marker}`\n")[2].partition("\n## ")[0]
    # That one is for assert_closed, which makes it: nobody can write it in a marker.
    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == set(listed.split(", ")) - {"closed"}


@pytest.mark.parametrize("command", ["explain", "fleet", "hold", "probe", "report", "serve"])
def test_commands_of_pages_exist(capsys, command):
    """Each option on a command line of a page is one of that command."""
    pages = "".join(path.read_text() for path in (ROOT / "README.md", *ROOT.glob("docs/*.md")))
    lines = re.findall(rf"^(?:\$ |    )?wsstability {command} .*", pages, re.MULTILINE)

    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main([command, "--help"])

    listed = capsys.readouterr().out
    assert lines
    assert {option for line in lines for option in re.findall(r"--[\w-]+", line)} <= set(
        re.findall(r"--[\w-]+", listed)
    )

"""Report files: what they hold, and what is refused before the run."""

from __future__ import annotations

import json
import os
import subprocess
from xml.etree import ElementTree

import pytest

from tests.plugin.test_summary import GREEN, RED


def test_reports_are_written_as_often_as_asked_for(run, pytester):
    """Each in its form; folders are made."""
    result = run(
        RED, "--ws-report=a.json", "--ws-report=deep/er/b.md", "--ws-report", "c.jsonl", "--ws-report=d.json"
    )

    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    assert [
        each["verdict"]["outcome"] for each in json.loads((pytester.path / "a.json").read_text())["results"]
    ]
    assert (pytester.path / "a.json").read_text() == (pytester.path / "d.json").read_text()
    assert (pytester.path / "deep/er/b.md").read_text().startswith("## WebSocket stability")
    assert json.loads((pytester.path / "c.jsonl").read_text().splitlines()[0])["record"] == "run"
    assert not list(pytester.path.glob(".*.part"))
    result.stdout.fnmatch_lines(["report written to *a.json", "report written to *b.md"])


def test_a_test_that_changes_directory(run, pytester):
    """The file goes where the command line meant."""
    run("import os\n" + GREEN + "    os.chdir('/')\n", "--ws-report=a.json")

    assert (pytester.path / "a.json").exists()


def test_a_run_without_holds(run, pytester):
    """A report that says so is worth more than the one of last week."""
    (pytester.path / "a.json").write_text("old")
    run("def test_it(): pass", "--ws-report=a.json")

    assert json.loads((pytester.path / "a.json").read_text())["results"] == []


def test_collecting_writes_nothing(run, pytester):
    """Nothing was held."""
    run(GREEN, "--collect-only", "--ws-report=a.json")

    assert not (pytester.path / "a.json").exists()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a.pdf", "ERROR: --ws-report: 'a.pdf': a report cannot be '.pdf'; valid ones: .json, .jsonl, .md*"),
        ("a", "ERROR: --ws-report: 'a': without a suffix its form is not known; valid ones: .json, *"),
        ("folder.json", "ERROR: --ws-report: 'folder.json' is a directory; give a file"),
        (
            "file.md/a.json",
            "ERROR: --ws-report: 'file.md/a.json' cannot be written: 'file.md' is a file, and no directory",
        ),
        (
            "file.md/b/a.json",
            "ERROR: --ws-report: * cannot be written: 'file.md' is a file, and no directory",
        ),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_run(run, pytester, path, message):
    """An hour later it would be too late."""
    (pytester.path / "folder.json").mkdir()
    (pytester.path / "file.md").touch()
    result = run(GREEN, f"--ws-report={path}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


@pytest.mark.skipif(os.name != "posix", reason="elsewhere not everybody may make links")
def test_a_link_that_leads_nowhere_is_refused_before_the_run(run, pytester):
    """It stands in the place of the folder, and is no file either."""
    (pytester.path / "nowhere").symlink_to("elsewhere")
    result = run(GREEN, "--ws-report=nowhere/a.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ws-report: 'nowhere/a.json' cannot be written: File exists"])


def test_a_folder_without_permission_is_refused_before_the_run(pytester):
    """As another user, for root may write anywhere."""
    folder = pytester.mkdir("closed")
    folder.chmod(0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("this user may write anywhere (root)")
    result = pytester.runpytest("--ws-report=closed/a.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ws-report: 'closed/a.json' cannot be written: Permission denied"])


@pytest.fixture
def small_disk(pytester):
    """A disk of 16 KiB."""
    folder = pytester.mkdir("small")
    command = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10)
    except OSError:
        pytest.skip("there is no mount command to make a small disk with")
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True, timeout=10)


def test_a_full_disk_costs_one_report(run, pytester, small_disk):
    """It says so; the others, and the summary, are there, and so is the old one."""
    old = small_disk / "a.json"
    old.write_text("old")
    (small_disk / "filler").write_bytes(bytes(8192))
    result = run(RED, "--ws-report=small/a.json", "--ws-report=small/b.jsonl", "--ws-report=c.json")

    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    result.stdout.fnmatch_lines(
        [
            "virtual time: 1 of 2 holds stable*",
            "the report a.json was not written: No space left on device",
            "report written to *c.json",
            "the report b.jsonl was not written: No space left on device",
        ]
    )
    assert old.read_text() == "old"
    assert result.ret == 1
    assert len(json.loads((pytester.path / "c.json").read_text())["results"]) == 2


HOSTILE = """
import json
import pytest

EVIL = (
    "</script><script>alert(1)</script>\\x1b[31m\\n::error::owned\\n![x](http://evil.example) ?token=hunter2"
)

async def test_it(ws_connect, ws_orchestrator):
    connection = await ws_connect(heartbeat="25s")
    await ws_orchestrator.sessions[-1].connection.close(4000, EVIL[:123])
    await connection.wait_closed()
    await connection.assert_alive_for("2m")
"""


def test_a_hostile_close_reason_does_nothing_anywhere(run, pytester, monkeypatch):
    """It is shown, and no more."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    names = ["a.json", "b.jsonl", "c.md", "j.xml"]
    reports = [f"--ws-report={name}" for name in names[:3]]
    result = run(HOSTILE, *reports, "--junitxml=j.xml")

    assert result.parseoutcomes() == {"failed": 1}
    printed = result.stdout.str()
    texts = {name: (pytester.path / name).read_text() for name in names}
    for text in (printed, *texts.values()):
        assert "\x1b[31m" not in text
        assert "4000" in text
        assert "hunter2" not in text.replace(HOSTILE, "")
    assert not any(line.startswith("::error::owned") for line in printed.splitlines())
    assert "<script>" not in texts["j.xml"]
    ElementTree.fromstring(texts["j.xml"])


PAYLOAD = """
import json
import pytest

EVIL = "</script><script>alert(1)</script>\\x1b[31m\\n::error::owned |`@all`"

async def speak(connection):
    await connection.send(json.dumps({"type": "session_confirmed", "session_id": EVIL}))
    await connection.send(json.dumps({"type": EVIL, EVIL: [EVIL]}))
    await connection.wait_closed()

@pytest.mark.ws_orchestrator(handler=speak, headers=[("Server", EVIL[:34]), ("Via", "<script>")])
@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute", handshake=True)
def test_it(ws_soak):
    pass
"""


def test_a_hostile_header_and_payload_do_nothing_anywhere(run, pytester, monkeypatch):
    """Neither starts a line, a tag or an escape sequence of its own."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    names = ["a.json", "b.jsonl", "c.md", "j.xml"]
    result = run(PAYLOAD, *(f"--ws-report={name}" for name in names[:3]), "--junitxml=j.xml", "-vv")

    assert result.parseoutcomes() == {"failed": 1}
    texts = {name: (pytester.path / name).read_text() for name in names}
    printed = result.stdout.str()
    assert not any("\x1b[31m" in text for text in (printed, *texts.values()))
    assert not any(line.lstrip().startswith("::error::owned") for line in printed.splitlines())
    shown = "\n".join(line for line in texts["c.md"].splitlines() if not line.startswith("    "))
    assert "<script" not in shown + texts["j.xml"]
    ElementTree.fromstring(texts["j.xml"])
    assert json.loads(texts["a.json"])["results"][0]["verdict"]["outcome"] == "unstable"


def test_credentials_are_in_no_report(run, pytester):
    """Of the URL, of headers, and of what the server says."""
    source = """
        import pytest
        from tests.serving import serving

        @pytest.fixture
        def ws_url():
            async def leave(connection):
                await connection.close(4401, "Bearer hunter2 of ?token=hunter2 has expired")

            with serving(handler=leave) as url:
                yield url.replace("ws://", "ws://user:hunter2@") + "?token=hunter2&room=7"

        @pytest.mark.ws_stability(alive_for="2m", time="real")
        def test_it(ws_soak):
            pass
    """
    names = ["a.json", "b.jsonl", "c.md", "d.html", "j.xml"]
    options = [f"--ws-report={name}" for name in names[:4]]
    header = "--ws-header=Authorization: Bearer hunter2"
    result = run(source, header, "--junitxml=j.xml", "--ws-save=x", *options)

    assert result.parseoutcomes() == {"failed": 1}
    kept = list(pytester.path.glob(".wsstability/*/*.json"))
    texts = [
        result.stdout.str(),
        *(path.read_text() for path in (*map(pytester.path.joinpath, names), *kept)),
    ]
    assert len(texts) == 7
    for text in texts:
        # Where HTML lets a browser break lines.
        assert "room=7" in text.replace("<wbr>", "")
        assert "hunter2" not in text.replace("<wbr>", "")


def test_junit_has_properties_and_one_headline(run, pytester):
    """Of each test case and of the suite; the whole story is the text of the failure."""
    run(RED, "--junitxml=j.xml")
    suite = ElementTree.parse(pytester.path / "j.xml").getroot()[0]

    def properties(element):
        return {each.get("name"): each.get("value") for each in element.findall("properties/property")}

    assert properties(suite) == {
        "ws_virtual_time": "1 of 2 holds stable, 1 unstable; watched for 120 s at most"
    }
    cases = {case.get("name"): case for case in suite.findall("testcase")}
    assert properties(cases["test_soak"])["ws_verdict"] == "stable"
    assert properties(cases["test_red"])["ws_close"] == "1006"
    (failure,) = cases["test_red"].findall("failure")
    assert "\n" not in failure.get("message")
    assert "(1006 at 60 s of 120 s)" in failure.get("message")
    assert "  client    =" in failure.text

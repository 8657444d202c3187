"""--ws-artifacts: a folder for each test, and what other plugins get of it."""

from __future__ import annotations

import json
import os
from xml.etree import ElementTree

import pytest

from pytest_wsstability.core.result import Run

SUITE = """
import logging
import pytest

@pytest.fixture
def ws_app():
    async def handler(connection):
        logging.getLogger("voice").warning("token of agent-7 is over")
        await connection.close(4401, "token expired")

    return handler

@pytest.mark.ws_stability(alive_for="2m", profile="frames")
def test_red(ws_soak): ...

class TestGreen:
    @pytest.fixture
    def ws_app(self):
        async def handler(connection):
            async for _ in connection:
                pass

        return handler

    @pytest.mark.ws_stability(alive_for="2m", profile="frames")
    def test_green(self, ws_soak): ...

def test_of_others(): ...
"""


def kept(pytester):
    """The names of the folders of the one run."""
    (run,) = (pytester.path / "kept").iterdir()
    return sorted(each.name for each in run.iterdir() if each.is_dir())


def test_a_failure_has_a_folder(run, pytester):
    """What was seen, what was said of it, what the server logged, and a picture; the failure says where."""
    result = run(SUITE, "--ws-artifacts=kept")
    (name,) = kept(pytester)
    (folder,) = (each for each in (pytester.path / "kept").glob(f"*/{name}"))

    assert sorted(each.name for each in folder.iterdir()) == [
        "failure.txt", "lanes.svg", "server.txt", "timelines.json"
    ]  # fmt: skip
    result.stdout.fnmatch_lines(["*- artifacts -*", f"kept/*Z/{name}"])
    assert "test_red" in name
    assert '"token expired": the server ended the session' in (folder / "failure.txt").read_text()
    assert "token of agent-7 is over" in (folder / "server.txt").read_text()
    (held,) = Run.from_dict(json.loads((folder / "timelines.json").read_text())).results
    assert held.nodeid.endswith("::test_red")
    assert ElementTree.parse(folder / "lanes.svg").getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_a_folder_is_not_called_by_a_token(run, pytester):
    """One that a test gives to its connection, and has in its id; another token has another folder."""
    run(
        """
        import pytest

        @pytest.mark.ws_stability(alive_for="1s", time="virtual")
        @pytest.mark.parametrize("token", ["hunter2hunterQ", "hunter3hunterQ"])
        async def test_red(ws_connect, token):
            await ws_connect(headers={"Authorization": f"Bearer {token}"})
            assert False
        """,
        "--ws-artifacts=kept",
    )

    assert len(kept(pytester)) == 2
    assert not any("hunter" in name for name in kept(pytester))


@pytest.mark.parametrize(("keep", "count"), [("on", 2), ("failures", 1)])
def test_which_tests_have_one(run, pytester, keep, count):
    """Those that failed, or all that held something."""
    run(SUITE, "--ws-artifacts=kept", f"--ws-keep={keep}")

    assert len(kept(pytester)) == count


def test_off(run, pytester):
    """The option is in the ini file, and for once nothing is wanted."""
    run(SUITE, "--ws-artifacts=kept", "--ws-keep=off")

    assert not (pytester.path / "kept").exists()


def test_old_runs_are_removed(run, pytester):
    """As many stay as were asked for, this one included; what is not ours stays in any case."""
    for name in ("20250101T000000Z", "20250102T000000Z", "20250103T000000Z"):
        (pytester.path / "kept" / name).mkdir(parents=True)
        (pytester.path / "kept" / name / ".wsstability-run").touch()
    for name in ("20240101T000000Z", "notes"):
        (pytester.path / "kept" / name).mkdir()
    run(SUITE, "--ws-artifacts=kept", "--ws-keep-runs=2")
    left = sorted(each.name for each in (pytester.path / "kept").iterdir())

    assert left[:2] == ["20240101T000000Z", "20250103T000000Z"]
    assert left[-1] == "notes"
    assert len(left) == 4


def test_junit_names_the_files_as_gitlab_reads_them(run, pytester, monkeypatch):
    """Within the project, a line each, in the test's system-out."""
    monkeypatch.setenv("CI_PROJECT_DIR", str(pytester.path))
    run(SUITE, "--ws-artifacts=kept", "--junitxml=out.xml")
    cases = {case.get("name"): case for case in ElementTree.parse(pytester.path / "out.xml").iter("testcase")}
    lines = cases["test_red"].find("system-out").text.splitlines()

    assert [os.path.basename(line.removesuffix("]]")) for line in lines] == [
        "failure.txt", "lanes.svg", "server.txt", "timelines.json"
    ]  # fmt: skip
    assert all(line.startswith("[[ATTACHMENT|kept/") for line in lines)
    assert cases["test_green"].find("system-out") is None


def test_jenkins_wants_whole_paths(run, pytester, monkeypatch):
    """Without GitLab's variable."""
    monkeypatch.delenv("CI_PROJECT_DIR", raising=False)
    run(SUITE, "--ws-artifacts=kept", "--junitxml=out.xml")
    (output,) = ElementTree.parse(pytester.path / "out.xml").iter("system-out")

    assert output.text.startswith(f"[[ATTACHMENT|{pytester.path}/kept/")


def test_allure_gets_them(run, pytester):
    """Attached to the test."""
    pytest.importorskip("allure_pytest", reason="allure-pytest is not installed")
    result = run(SUITE, "--ws-artifacts=kept", "--alluredir=results")
    found = [json.loads(path.read_text()) for path in (pytester.path / "results").glob("*-result.json")]
    by_name = {each["name"]: [one["name"] for one in each.get("attachments", ())] for each in found}

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert {"failure.txt", "lanes.svg", "timelines.json"} <= set(by_name["test_red"])
    assert "lanes.svg" not in by_name["test_green"]


def test_pytest_html_links_them(run, pytester):
    """Beside the test."""
    pytest.importorskip("pytest_html", reason="pytest-html is not installed")
    result = run(SUITE, "--ws-artifacts=kept", "--html=out.html", "-W", "ignore")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "lanes.svg" in (pytester.path / "out.html").read_text()


FULL = """
from pathlib import Path

write = Path.write_text

def full(path, *args, **options):
    if path.name == "timelines.json":
        raise OSError(28, "No space left on device")
    return write(path, *args, **options)

Path.write_text = full
"""

# looptime asks for a current loop in a fresh process, which is deprecated from Python 3.12 on.
ALONE = ("-p", "no:looptime_plugin")


@pytest.mark.slow
@pytest.mark.parametrize("where", ["", "-n1"])
def test_a_full_disk_is_no_success(pytester, where):
    """All tests passed; a line says that folders are not whole, and the exit code is 1."""
    pytester.makeconftest(FULL)
    pytester.makepyfile(SUITE)
    options = ["-kgreen", "--ws-artifacts=kept", "--ws-keep=on"]
    result = pytester.runpytest_subprocess(*where.split(), *ALONE, *options)

    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["artifacts of 1 test were not written: No space left on device"])


@pytest.mark.slow
def test_workers_write_theirs(pytester):
    """Into the folder of the one run."""
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile(SUITE)
    result = pytester.runpytest_subprocess("-n1", *ALONE, "--ws-artifacts=kept", "--junitxml=out.xml")
    (name,) = kept(pytester)

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "test_red" in name
    assert "[[ATTACHMENT|" in (pytester.path / "out.xml").read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--ws-artifacts=file"], "--ws-artifacts: 'file' cannot be written: 'file' is a file, "),
        (["--ws-keep=some"], "argument --ws-keep: invalid choice: 'some'"),
        (["--ws-keep-runs=0"], "--ws-keep-runs: '0' is no count; give a whole number from 1"),
        (["--ws-har=."], "--ws-har: '.' is a directory; give a file"),
        (["--ws-har-payloads"], "--ws-har-payloads: where to? give --ws-har FILE too"),
    ],
)
def test_a_mistake_ends_the_run(run, pytester, options, words):
    """Before anything runs."""
    (pytester.path / "file").touch()
    result = run(SUITE, *options)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert words in result.stderr.str()


# HTTP Archives.


def messages(pytester):
    """Those of the one entry."""
    (entry,) = json.loads((pytester.path / "out.har").read_text())["log"]["entries"]
    return entry["_webSocketMessages"]


TALK = """
import pytest

async def talk(connection):
    await connection.send("my secret")
    await connection.recv()
    await connection.send(b"\\x00\\x01")

@pytest.mark.ws_orchestrator(echo=True)
@pytest.mark.ws_stability(alive_for="1m", heartbeat_every="25s", traffic=talk)
def test_it(ws_soak): ...
"""


def test_an_archive_has_sizes_unless_payloads_are_asked_for(passes, pytester):
    """What was said may be a secret, or somebody's voice."""
    passes(TALK, "--ws-har=out.har")
    sent = [each for each in messages(pytester) if each["type"] == "send" and each["opcode"] in (1, 2)]

    assert "my secret" not in (pytester.path / "out.har").read_text()
    assert 9 in [each["_length"] for each in sent]
    assert {each["data"] for each in messages(pytester)} == {""}


def test_payloads_on_request(passes, pytester):
    """Text as it is, binary as base64, from the greeting on."""
    passes(TALK, "--ws-har=out.har", "--ws-har-payloads")
    said = [(each["type"], each["opcode"], each["data"]) for each in messages(pytester)]

    assert ("send", 1, "my secret") in said
    assert ("receive", 1, "my secret") in said
    assert ("send", 2, "AAE=") in said
    assert said[0][0] == "receive"
    assert "connection_established" in said[0][2]


@pytest.mark.slow
def test_workers_send_payloads_home(pytester):
    """The archive is the controller's."""
    pytest.importorskip("xdist", reason="pytest-xdist is not installed")
    pytester.makepyfile(TALK)
    options = ["--ws-har=out.har", "--ws-har-payloads"]
    pytester.runpytest_subprocess("-n1", *ALONE, *options).assert_outcomes(passed=1)

    assert "my secret" in [each["data"] for each in messages(pytester)]

"""
Autobahn's own cases, all 517 of them, in both roles; skipped by name where it cannot run.

`make conformance` installs it and runs these; `test_cases.py` needs nothing installed.

"""

from __future__ import annotations

import asyncio
import json
import multiprocessing

import pytest

from pytest_wsstability import OpeningError, connect
from tests.conformance import wstest


@pytest.fixture
def installed():
    """Skip by name where Autobahn's own suite cannot run."""
    if (reason := wstest.missing()) is not None:
        pytest.skip(reason)


ROLES = pytest.mark.parametrize("role", [wstest.of_a_server, wstest.of_a_client])
# The sections one by one where they take minutes, and how many cases each has: 517 in all.
REST = tuple(f"{section}.*" for section in range(1, 11))
COMPRESSED = [f"{section}.{part}.*" for section, parts in ((12, 5), (13, 7)) for part in range(1, parts + 1)]
SECTIONS = pytest.mark.parametrize(
    ("cases", "number"),
    [
        pytest.param(REST, 301, id="1 to 10"),
        *(pytest.param((name,), 18, id=name.removesuffix(".*")) for name in COMPRESSED),
    ],
)
# Seconds for a section; idle the longest take two minutes.
WITHIN = 900


def needs_autobahn(test):
    """Mark a test that runs Autobahn's own programs."""
    for mark in (pytest.mark.autobahn, pytest.mark.servers, pytest.mark.usefixtures("installed")):
        test = mark(test)
    return test


def run(role, folder, *cases):
    """The outcomes of a role."""

    async def bounded():
        async with asyncio.timeout(WITHIN):
            return await role(folder, *cases)

    return asyncio.run(bounded())


@needs_autobahn
@ROLES
@SECTIONS
def test_all_cases_pass(role, cases, number, tmp_path):
    """OK, NON-STRICT or INFORMATIONAL, messages and closing handshake alike."""
    found = run(role, tmp_path / "reports", *cases)

    print(wstest.counted(found))
    assert "\n".join(str(each) for each in found if not each.passed) == ""
    assert len(found) == number


@needs_autobahn
@ROLES
def test_the_heaviest_case_passes_under_load(role, tmp_path):
    """9.4.1, 4 MiB in fragments of 64 bytes, beside a process that spins."""
    spinning = multiprocessing.get_context("spawn").Process(target=spin, daemon=True)
    spinning.start()
    try:
        found = run(role, tmp_path / "reports", "9.4.1")
    finally:
        spinning.kill()
        spinning.join()

    assert [each.id for each in found] == ["9.4.1"]
    assert found[0].passed, str(found[0])


def spin():
    """Take a core until the process is killed."""
    while True:
        pass


@needs_autobahn
def test_the_fuzzing_server_is_on_loopback_only(tmp_path):
    """Another address of this machine, though of loopback too, leads to nobody."""

    async def elsewhere():
        async with wstest.fuzzing_server(tmp_path / "reports", "1.1.1") as url:
            await wstest.echo(f"{url}/getCaseCount")
            with pytest.raises(OpeningError, match="refused"):
                await connect(url.replace("127.0.0.1", "127.0.0.2"), profile="frames")

    asyncio.run(elsewhere())


REPORT = {
    "behavior": "OK", "behaviorClose": "OK", "remoteCloseCode": 1000, "duration": 1,
    "reportfile": "case.json",
}  # fmt: skip
WHOLE = {
    "description": "Send a ping.",
    "expectation": "A pong.",
    "result": "None\ncame.",
    "resultClose": "Clean.",
}


@pytest.mark.parametrize(
    ("behavior", "close", "passed"),
    [
        ("OK", "OK", True),
        ("NON-STRICT", "OK", True),
        ("INFORMATIONAL", "INFORMATIONAL", True),
        ("UNIMPLEMENTED", "OK", False),
        ("FAILED", "OK", False),
        ("OK", "UNCLEAN", False),
        ("OK", "WRONG CODE", False),
        ("OK", "FAILED BY CLIENT", False),
    ],
)
def test_a_case_is_judged_by_messages_and_close(tmp_path, behavior, close, passed):
    """What has not passed is told by its number, in Autobahn's own words."""
    short = {**REPORT, "behavior": behavior, "behaviorClose": close}
    (tmp_path / "index.json").write_text(json.dumps({wstest.AGENT: {"2.2": short}}))
    (tmp_path / "case.json").write_text(json.dumps(WHOLE))
    (found,) = wstest.outcomes(tmp_path)

    assert found.passed is passed
    assert str(found).splitlines() == [
        f"2.2: {behavior}, closed {close}",
        "  description: Send a ping.",
        "  expectation: A pong.",
        "  result: None came.",
        "  resultClose: Clean.",
    ]


def test_without_python27_it_says_so(tmp_path, monkeypatch):
    """By name, and nothing is made."""
    monkeypatch.setattr(wstest, "READY", tmp_path / "absent")
    monkeypatch.setattr(wstest, "HOME", tmp_path / "home")
    monkeypatch.setattr(wstest, "find", lambda *_, **__: None)

    assert wstest.missing() == "no Python 2.7: Autobahn's own fuzzing client and server not run"
    assert wstest.install() == wstest.missing()
    assert not list(tmp_path.iterdir())


def test_a_shim_that_does_not_run_is_no_python(tmp_path, monkeypatch):
    """A version manager's stand-in exists and answers 127."""
    shim = tmp_path / "python2.7"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PYTHON27", str(tmp_path / "nowhere"))

    assert wstest.python27() is None

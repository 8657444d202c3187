"""Plugins whose wrappers are inside ours: they find a report as pytest makes it."""

from __future__ import annotations

import pytest

# What pytest-json-report, pytest-html and others read of a report, in both styles of wrappers.
INNER = """
import pytest

SEEN = []

def read(report):
    text, crash, traceback = str(report.longrepr or ""), None, []
    if hasattr(report.longrepr, "reprcrash"):
        crash = report.longrepr.reprcrash
        SEEN.append((crash.path, crash.lineno, crash.message))
        for entry in report.longrepr.reprtraceback.reprentries:
            traceback.append(str(entry))
            location = getattr(entry, "reprfileloc", None)
            traceback.append(location and (location.path, location.lineno, location.message))
    return text, crash, traceback

class Phases:
    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item):
        item.phases = {"setup"}
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item):
        item.phases.add("call")
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_teardown(self, item):
        item.phases.add("teardown")
        yield

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        yield
        item.phases.remove(call.when)

class Old:
    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item, call):
        outcome = yield
        read(outcome.get_result())

class New:
    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        read(report)
        return report

class After:
    def pytest_runtest_logreport(self, report):
        read(report)

def pytest_configure(config):
    for each in (Phases(), Old(), New(), After()):
        config.pluginmanager.register(each)
"""
FAILURES = {
    "a hold": """
import pytest

@pytest.mark.ws_stability(alive_for="2m", heartbeat_every="25s", client="mute")
def test_it(ws_soak):
    pass
""",
    "an assertion of the orchestrator's": """
import asyncio, json
import pytest, websockets

async def client(url):
    async with websockets.connect(url, ping_interval=None) as ws:
        await ws.recv()
        await ws.send(json.dumps({"type": "session_info", "session_id": "twice"}))
        async for _ in ws:
            pass

async def test_it(ws_orchestrator, ws_clock):
    tasks = [asyncio.create_task(client(ws_orchestrator.url)) for _ in range(2)]
    await ws_clock.advance("1m")
    for task in tasks:
        task.cancel()
    ws_orchestrator.assert_no_duplicate_session()
""",
    "an opening": """
import pytest

@pytest.mark.ws_stability(alive_for="2m", url="ws://127.0.0.1:9/", time="real")
def test_it(ws_soak):
    pass
""",
    "a deadlock": """
import asyncio

async def test_it(ws_clock):
    await asyncio.Event().wait()
""",
    "an empty pass": """
import pytest

@pytest.mark.ws_stability(alive_for="2m")
async def test_it(ws_connect):
    pass
""",
    "an assertion of the test's own": """
async def test_it(ws_connect):
    assert (await ws_connect()) is None
""",
}


@pytest.mark.parametrize("order", ["fifo", "all"])
@pytest.mark.parametrize("source", FAILURES.values(), ids=FAILURES)
def test_a_failure_of_any_kind_can_be_read(run, source, order):
    """No internal error, and one failure for each order of timers."""
    result = run(source, f"--ws-order={order}", conftest=INNER)

    outcomes = result.parseoutcomes()
    assert outcomes.pop("failed") in (1, 2)
    assert outcomes.pop("skipped", 1) == 1
    assert outcomes == {}
    assert "INTERNALERROR" not in result.stdout.str()


LOST = """
import asyncio
import gc
import logging

import pytest

@pytest.mark.asyncio
async def test_theirs(capsys, monkeypatch):
    # Those of the run that this one is in.
    monkeypatch.setattr(logging.root, "handlers", [])

    async def fails():
        raise LookupError("lost")

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    del task
    gc.collect()
    assert "Task exception was never retrieved" in capsys.readouterr().err

async def test_ours(ws_clock): ...
"""


def test_what_asyncio_logs_is_printed_where_nobody_takes_logs(passes):
    """Without handlers, logging writes to stderr; what listens for lost assertions is none."""
    assert passes(LOST, "-p", "no:logging") == 2

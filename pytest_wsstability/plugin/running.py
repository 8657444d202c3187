"""The pytest face of a run in which something is ours: hooks around its tests, and at its end."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from . import failures as reporting
from . import margins as foresight
from . import markers, orders, probing, results
from .clock import is_virtual, patches_time, refuse_mixed_time
from .files import writing as reports
from .fixtures import connection_key, fault_reports, loop_key, session_within, soak_key
from .options import settings_key
from .soaks import reruns, timeouts
from .soaks import scheduling as soaks
from .soaks import xdist as spreading


def start(config: pytest.Config) -> None:
    """
    Begin to take down what the tests hold.

    Raises:
        pytest.UsageError: for a report, gate or baseline that makes no sense.

    """
    results.start(config)
    reports.prepare(config)


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return timeouts.lines(config)


# Around the runners of pytest-asyncio only, and only of those that a virtual test asked for.
@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    if fixturedef.argname.endswith("_scoped_runner") and is_virtual(request.node):
        from . import pytest_asyncio_seam

        if pytest_asyncio_seam.is_runner(fixturedef.argname):
            chance = orders.chance_of(request.node)
            runner = yield from pytest_asyncio_seam.with_virtual_loop(
                request, order=chance.order, seed=chance.seed
            )
            request.node.stash[orders.ties_key] = runner.get_loop().ties
            if patches_time(request.node):
                pytest_asyncio_seam.patch_time(request, runner)
            return runner
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    held = item.session.stash.get(soaks.soaks_key, None)
    if held is None:
        return (yield)
    if item.config.stash[settings_key].soak_early and not item.config.getoption("setupplan"):
        held.start_early()
    held.look(item)
    result = yield
    held.forget(item)
    return result


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    # Before the JUnit report is written, and before the terminal shows the summary.
    soaks.stop(session)
    reports.finish(session)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    passed = terminalreporter.getreports("passed")
    for line in [*soaks.never_lines(config), *reruns.lines(passed)]:
        terminalreporter.write_line(line)
    reports.summarise(terminalreporter, config)


def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    if text := reruns.sentence(report):
        return "passed", "r", (text.partition(";")[0].upper(), {"yellow": True})
    return None


def pytest_runtest_setup(item: pytest.Item) -> None:
    if markers.uses_us(item):
        refuse_mixed_time(item)
        orders.skip_needless(item)
    is_long = item.get_closest_marker(markers.LONG) is not None
    if is_long and not item.config.stash[settings_key].long and not is_virtual(item):
        pytest.skip("ws_long: takes long in real time; run it with --ws-long")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    __tracebackhide__ = True
    soak = item.stash.get(soak_key, None)
    if soak is not None:
        soak.assert_stable()
    connection = item.stash.get(connection_key, None)
    if connection is not None and connection.websocket.profile.has_session:
        within = session_within(connection.requirement)
        item.stash[loop_key].run_until_complete(connection.assert_session_confirmed(within=within))
    result = yield
    if connection is not None and connection.requirement is not None:
        # The body may have looked at something else: the requirement is checked in any case.
        item.stash[loop_key].run_until_complete(connection.assert_stable())
    reruns.judge(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo is not None:
        reporting.tell_of_faults(fault_reports(item), call.excinfo.value)
        reporting.hide_frames(item.config, call.excinfo)
        reporting.retell(item, call.excinfo)
    ours = markers.uses_us(item)
    if ours:
        reruns.note(item, call)
        results.before_report(item, call)
    report = yield
    if call.excinfo is not None:
        reporting.refine(item, call.excinfo, report)
        if ours:
            foresight.add_margins(item, report)
            probing.after_failure(item, call.excinfo, report)
    if ours:
        orders.compare(item, call, report)
        results.after_report(item, report)
    return report


# On the controller of xdist, for what its workers send.
@pytest.hookimpl(wrapper=True)
def pytest_report_from_serializable(
    config: pytest.Config, data: dict[str, Any]
) -> Generator[None, pytest.TestReport | None, pytest.TestReport | None]:
    report = yield
    spreading.note_failure(config, report)
    results.unpack(config, report)
    return report

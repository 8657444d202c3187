"""The pytest face: hooks only."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest

from . import hookspecs, markers, probing, reporting, reports, results, soaks, spreading
from .clock import is_virtual, refuse_mixed_time
from .fixtures import (  # noqa: F401 - pytest finds fixtures in the plugin's namespace
    _ws_loop,
    _ws_loop_class,
    _ws_loop_function,
    _ws_loop_module,
    _ws_loop_package,
    _ws_loop_session,
    connection_key,
    fault_reports,
    loop_key,
    session_within,
    soak_key,
    ws_clock,
    ws_connect,
    ws_connection,
    ws_middlebox,
    ws_orchestrator,
    ws_proxy,
    ws_soak,
    ws_url,
)
from .settings import add_options, add_report_options, read_settings, settings_key


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)
    add_report_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[settings_key] = settings = read_settings(config)
    results.start(config)
    reports.prepare(config)
    for description in markers.DESCRIPTIONS:
        config.addinivalue_line("markers", description)
    if settings.profile not in ("json", "frames"):
        try:
            markers.find_profile(config, None)
        except ValueError as exc:
            raise pytest.UsageError(f"--ws-profile: {exc}") from None


def pytest_report_header(config: pytest.Config) -> str:
    return reporting.header(config.stash[settings_key])


# The last of the wrappers is the innermost: pytest-asyncio, which wraps too, then sees the mark.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    made = yield
    for item in made if isinstance(made, list) else [made]:
        if not isinstance(item, pytest.Function) or not markers.uses_us(item):
            continue
        try:
            markers.check(item)
        except (TypeError, ValueError) as exc:
            raise collector.CollectError(f"{item.nodeid}: {exc}") from None
        if markers.needs_runner(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="function"))
    return made


# Before pytest-asyncio, which gives each marked test here the loop that the project has chosen by its hook.
@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, Any, Any]:
    test = metafunc.definition
    # What is wrong with its markers is said when the test is made.
    with suppress(TypeError, ValueError):
        if names := markers.middleboxes_of(test):
            metafunc.parametrize(markers.MIDDLEBOX, names, indirect=True)
        if markers.uses_us(test) and markers.needs_runner(test) and not is_virtual(test):
            test.add_marker(pytest.mark.asyncio(loop_scope="function"))
    return (yield)


# Around the runners of pytest-asyncio only, and only of those that a virtual test asked for.
@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    if fixturedef.argname.endswith("_scoped_runner") and is_virtual(request.node):
        from .virtual import asyncio_seam

        if asyncio_seam.is_runner(fixturedef.argname):
            chance = request.config.stash[settings_key].chance
            return (yield from asyncio_seam.with_virtual_loop(request, order=chance.order, seed=chance.seed))
    return (yield)


# The last to order them: a plugin that shuffles has shuffled, and what is chosen is chosen.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    soaks.put_last(session)


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
    for line in soaks.unjudged_lines(config):
        terminalreporter.write_line(line)
    reports.summarise(terminalreporter, config)


# On the controller of xdist, for each worker that is about to start.
@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    from .progress import mode_of, progress_of

    progress_of(node.config)
    node.workerinput["wsstability_progress"] = mode_of(node.config)
    spreading.tell_worker(node)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> Generator[None, Any, Any]:
    return spreading.around(config, (yield))


def pytest_runtest_setup(item: pytest.Item) -> None:
    if markers.uses_us(item):
        refuse_mixed_time(item)
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
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo is not None:
        reporting.tell_of_faults(fault_reports(item), call.excinfo.value)
        reporting.hide_frames(item.config, call.excinfo)
    ours = markers.uses_us(item)
    if ours:
        results.before_report(item, call)
    report = yield
    if call.excinfo is not None:
        reporting.refine(item, call.excinfo, report)
        if ours:
            probing.after_failure(item, call.excinfo, report)
    if ours:
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

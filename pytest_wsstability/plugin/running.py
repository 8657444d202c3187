"""
What is done to tests that are ours: made, collected, run, reported, and summed up.

hooks.py loads this module, and with it all the others, when the first such test is seen; its hooks run from
the end of the collection on.

"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import pytest

from ..core.message.errors import StabilityError
from ..core.redact import redact_url, show_text
from ..net.apps.kinds import AppError
from ..net.errors import OpeningError
from ..net.traffic import stop_talking
from . import by_name, empty_passes, failures, margins, orders, probing, secrecy
from . import clock as clock
from . import fixtures as fixtures
from . import fleets as fleets
from . import soaked as soaked
from . import voices as voices
from .checking import check, check_again, remember_marks
from .checking import check_settings as check_settings
from .markers import MIDDLEBOX, is_expected_to_fail, needs_runner, uses_us
from .own_loop import late_threads
from .plans import (
    base_target_of,
    is_too_long,
    is_virtual,
    middleboxes_of,
    patches_time,
    refuse_mixed_time,
    runs_command,
    same_function,
    share_plan,
    target_of,
)
from .project_fixtures import naming_unhandled, parametrized
from .reports import artifacts, terminal
from .reports.files import reports_of
from .reports.results import results_of
from .seams import pytest_asyncio as asyncio_seam
from .seams.pytest import nothing_collected
from .servers.apps import check_app, warn_of_stop
from .servers.command import CommandError
from .servers.commands import check_command, commands_of
from .servers.output import add_output, taking_down
from .settings import Settings, TargetKind
from .soaks import reruns, scheduling, timeouts
from .stash import (
    connection_key,
    loop_key,
    settings_key,
    spins_key,
    stopping_key,
    talk_key,
    ties_key,
    unopened_key,
)
from .stopping import StopSignals, undisturbed
from .targets import fault_reports, warn_of_bypassed
from .workers import is_worker, tell_secrets, telling_refusal


# One mark for all tests: what they have in common is seen by it.
@cache
def _runner(*, is_virtual: bool) -> pytest.MarkDecorator:
    # Real time is that of any loop: there a test has the one that the project gives to all of its tests.
    return pytest.mark.asyncio(loop_scope="function") if is_virtual else pytest.mark.asyncio


# Called by hooks.py.

receive = scheduling.receive


def enter(config: pytest.Config, name: str) -> None:
    """
    Let the hooks of this module run from now on, and begin to take down what the tests hold.

    Raises:
        pytest.UsageError: for a report, gate or baseline that makes no sense.

    """
    config.pluginmanager.register(sys.modules[__name__], name)
    # Its event loops of each scope, which are asked for by name when a test is set up.
    config.pluginmanager.register(fixtures, f"{name}-loops")
    config.stash[stopping_key] = stopping = StopSignals()
    if not is_worker(config):
        stopping.begin()
    reports_of(config)
    artifacts.prepare(config)


def shown(settings: Settings) -> str:
    """What is under test for people, and where it was given."""
    target = settings.target
    name = redact_url(target.value) if target.kind is TargetKind.URL else show_text(target.value)
    return f"{name} (from {target.source})"


def check_made(collector: pytest.Collector, made: Sequence[pytest.Function]) -> None:
    """
    See what is wrong with the tests that were made of a function, and give them a runner if they need one.

    Raises:
        pytest.Collector.CollectError: for markers that make no sense, naming the test and the value.

    """
    marks, runner = list[pytest.Mark](), None
    for before, item in zip([None, *made], made, strict=False):
        # Thousands of parameters have the marks of one function: what is known of one test is known of all.
        same = before is not None and list(map(id, item.own_markers)) == list(map(id, marks))
        same = same and before is not None and item.fixturenames == before.fixturenames
        remember_marks(item)
        # Each middlebox has numbers of its own.
        if before is not None and same and MIDDLEBOX not in item.fixturenames:
            share_plan(before, item)
        else:
            marks = list(item.own_markers)
            _check_made(collector, item)
            by_name.complete(item)
            runner = _runner(is_virtual=is_virtual(item)) if needs_runner(item) else None
        if runner is not None:
            item.add_marker(runner)


def _check_made(collector: pytest.Collector, item: pytest.Function) -> None:
    try:
        check(item)
    except (TypeError, ValueError) as exc:
        raise collector.CollectError(f"{item.nodeid}: {exc}") from None


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Make a test for each middlebox and each order of timers, and give it a runner if it needs one."""
    test = metafunc.definition
    # What is wrong with its markers is said when the test is made.
    with suppress(TypeError, ValueError):
        by_name.parametrize(metafunc)
        names = middleboxes_of(test)
        if names and MIDDLEBOX not in parametrized(test):
            metafunc.parametrize(MIDDLEBOX, names, indirect=True)
        if is_virtual(test):
            orders.parametrize(metafunc)
        elif needs_runner(test):
            test.add_marker(_runner(is_virtual=False))


def collected(session: pytest.Session) -> None:
    """Put the tests that hold a target outside this process last, and let timeouts fit them."""
    secrecy.watch(session.config)
    tell_secrets(session.config, first=True)
    check_again(session)
    with telling_refusal(session):
        check_targets(session)
        fleets.check_resources(session)
    scheduling.put_last(session)
    timeouts.raise_global(session.config, session.items)


def check_targets(session: pytest.Session) -> None:
    """
    See that the app or command of the options can be started, before any test runs.

    Raises:
        pytest.UsageError: if not, with what to write.

    """
    seen: set[tuple[object, ...]] = set()
    for item in session.items:
        # Of tests that differ in their parameters only, one is enough.
        function = same_function(item)
        if function in seen or not uses_us(item):
            continue
        seen.add(function)
        if target_of(item).kind is TargetKind.FIXTURE:
            continue
        target = base_target_of(item)
        try:
            if runs_command(item):
                check_command(item)
            elif target.kind is TargetKind.APP:
                check_app(item)
        except (AppError, CommandError) as exc:
            raise pytest.UsageError(f"{target.source}: {exc}") from None


# Hooks.


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    return timeouts.lines(config)


# Around the runners of pytest-asyncio only, and only of those that a virtual test asked for.
@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    # With --setup-plan no fixture is set up.
    planned = request.config.getoption("setupplan")
    if asyncio_seam.is_runner(fixturedef.argname) and is_virtual(request.node) and not planned:
        runner = yield from asyncio_seam.with_virtual_loop(request, orders.order_of(request.node))
        request.node.stash[ties_key] = runner.get_loop().ties
        request.node.stash[spins_key] = runner.get_loop().spins
        if patches_time(request.node):
            asyncio_seam.patch_time(request, runner)
        return runner
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    held = scheduling.soaks_of(item.session)
    if item.config.stash[settings_key].soak_early and not item.config.getoption("setupplan"):
        held.start_early()
    held.look()
    with taking_down(item), empty_passes.watched(item):
        result = yield
    held.forget(item)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, None, None]:
    # Before the JUnit report is written, and before the terminal shows the summary.
    whole = True
    try:
        scheduling.stop(session)
    except KeyboardInterrupt:
        # The second one: nobody waits for the rest any more, which has only been written down.
        session.exitstatus, whole = pytest.ExitCode.INTERRUPTED, False
    with undisturbed():
        reports_of(session.config).finish(session, whole=whole)
    try:
        yield
    finally:
        if not is_worker(session.config):
            secrecy.redact_junit(session.config)


def pytest_unconfigure(config: pytest.Config) -> None:
    commands_of(config).stop()
    config.stash[stopping_key].end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    passed = terminalreporter.getreports("passed")
    for line in [*scheduling.never_lines(config), *reruns.lines(passed)]:
        terminalreporter.write_line(line)
    terminal.summarise(terminalreporter, config)


def pytest_report_teststatus(
    report: pytest.TestReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    if text := reruns.sentence(report):
        return "passed", "r", (text.partition(";")[0].upper(), {"yellow": True})
    return None


# The innermost of the wrappers: what is skipped or refused here has been begun by the others.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    __tracebackhide__ = True
    empty_passes.begin(item)
    if uses_us(item):
        # Those of an attempt whose end was told by no report.
        reruns.note(item, results_of(item.config))
        results_of(item.config).begin(item)
        refuse_mixed_time(item)
        orders.first_runs_of(item.config).skip_needless(item)
    if is_too_long(item):
        pytest.skip("ws_long: takes long in real time; run it with --ws-long")
    try:
        with naming_unhandled(item):
            return (yield)
    except OpeningError as error:
        if item.config.getoption("setuponly"):
            raise
        # What is under test did not open: that is a failure of the test, and no error of a fixture.
        item.stash[unopened_key] = error


# The innermost too: a phase that failed has been begun by every plugin that reports it.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    __tracebackhide__ = True
    try:
        with late_threads(item):
            return (yield from _call(item))
    except BaseException as error:
        # pytest-retry tells of no other attempt than the first.
        if uses_us(item):
            results_of(item.config).raised(error)
            if isinstance(error, StabilityError) and is_expected_to_fail(item):
                pytest.xfail(error.headline)
        raise


def _call(item: pytest.Item) -> Generator[None, Any, Any]:
    __tracebackhide__ = True
    if unopened_key in item.stash:
        raise item.stash[unopened_key]
    empty_passes.refuse_late_mark(item)
    judged = soaked.judge_holds(item)
    connection = item.stash.get(connection_key, None)
    if connection is not None and connection.websocket.profile.has_session:
        within = fixtures.session_within(connection.requirement)
        item.stash[loop_key].run_until_complete(connection.assert_session_confirmed(within=within))
    empty_passes.begin_body(item)
    try:
        result = yield
        empty_passes.warn_of_unfinished(item)
        # What the body has asked for by name, as the steps of pytest-bdd do.
        soaked.judge_holds(item, before=judged)
        if connection is not None and connection.requirement is not None:
            # The body may have looked at something else: the requirement is checked in any case.
            item.stash[loop_key].run_until_complete(connection.assert_stable())
        if (talk := item.stash.get(talk_key, None)) is not None:
            talking = stop_talking(item.stash[connection_key], talk)
            item.stash[loop_key].run_until_complete(talking)
    finally:
        margins.warn_of_spins(item)
        margins.warn_of_use(item)
        margins.warn_of_idle_faults(item)
    warn_of_bypassed(item)
    empty_passes.refuse_late_mark(item)
    empty_passes.refuse(item)
    reruns.judge(item, results_of(item.config))
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    __tracebackhide__ = True
    unused = empty_passes.drop_unused(item)
    result = yield
    empty_passes.warn_of_unused(item, unused)
    warn_of_stop(item)
    empty_passes.refuse_at_end(item)
    return result


# The outermost, so that nothing is in the report unseen.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    if call.excinfo is not None:
        failures.tell_of_faults(fault_reports(item), call.excinfo.value)
        failures.hide_frames(call.excinfo)
        failures.retell(item, call.excinfo)
    ours = uses_us(item)
    kept = artifacts.artifacts_of(item.config)
    if ours:
        failures.tell_what_broke(call.excinfo, lambda: results_of(item.config).unstable_so_far(item))
        results_of(item.config).before_report(item, call)
        if call.when == "teardown":
            reruns.note(item, results_of(item.config))
    report = yield
    if call.excinfo is not None:
        excinfo = results_of(item.config).last(call.excinfo) if ours else call.excinfo
        if excinfo is not call.excinfo:
            failures.retell(item, excinfo)
        empty_passes.insist(excinfo, report)
        failures.refine(item, excinfo, report)
        if ours:
            margins.add_margins(item, report)
            add_output(item, report)
            probing.after_failure(item, excinfo, report)
            secrecy.redact_report(report)
            if kept is not None:
                kept.note(item, report)
    if ours:
        orders.first_runs_of(item.config).compare(item, call, report)
        if report.when == "teardown" and kept is not None:
            kept.write(item, report)
        results_of(item.config).after_report(item, report)
    secrecy.redact_report(report)
    tell_secrets(item.config)
    return report


# The innermost: other plugins run tests again around it, as pytest-retry does.
@pytest.hookimpl(wrapper=True, trylast=True, specname="pytest_runtest_makereport")
def pytest_look_up_lines() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    with nothing_collected():
        return (yield)

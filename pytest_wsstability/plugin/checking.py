"""What is wrong with the options, and with the marks of a test, found before anything runs."""

from __future__ import annotations

import inspect
from collections.abc import Set
from difflib import get_close_matches
from typing import Any

import pytest

from ..core.faults import Program
from ..core.url import as_websocket, wrong_url
from ..net.apps.kinds import AppError
from . import margins, orders, secrecy, unheld_marks
from .asked import HOW_LONG, NO_FLEET
from .markers import (
    FIXTURES,
    FLEET,
    JUDGES,
    MARKS,
    MIDDLEBOX,
    ORCHESTRATOR,
    SERVER,
    STABILITY,
    VOICE,
    fixtures_of,
    has_pytest_asyncio,
    is_marked_itself,
    is_of_anyio,
    is_skipped,
    needs_runner,
    params_of,
    take_over_unittest_skip,
    uses_us,
    written_at,
)
from .plans import (
    asks,
    base_target_of,
    find_profile,
    is_virtual,
    loop_scope,
    middleboxes_of,
    orchestrator_of,
    plan_of,
    runs_command,
    same_function,
    target_of,
)  # fmt: skip
from .project_fixtures import async_url, may_ask_by_name, our_fixtures, overrides, parametrized, replaces_ours
from .seams.pytest_asyncio import fixture_loop_scope
from .server_choice import check_server, parse_server
from .settings import TargetKind
from .soaks import timeouts
from .stash import async_url_key, marks_key, orchestrator_options_key, plan_key, settings_key, voice_key
from .voice_marks import voice_of

# What these say is read when a test is collected.
_READ_ONCE = frozenset({STABILITY, ORCHESTRATOR, MIDDLEBOX, VOICE})
_LATE = (
    " was added while the test was set up or ran, when nothing looks at it any more: write it at the test or "
    "at a parameter, pytest.param(..., marks=...), or let the hook pytest_collection_modifyitems add it"
)
# How much of a mark's name has to be the same, so that it is one misspelt, and none of the project's.
_ALIKE = 0.88


def check_settings(config: pytest.Config) -> None:
    """
    See that the options name a URL that is one, a profile that there is, and a horizon that is a duration.

    Raises:
        pytest.UsageError: if not.

    """
    settings = config.stash[settings_key]
    target = settings.target
    if target.kind is TargetKind.URL and (reason := wrong_url(as_websocket(target.value))):
        raise pytest.UsageError(f"{target.source}: {reason}")
    try:
        if settings.server is not None:
            parse_server(settings.server)
    except AppError as exc:
        raise pytest.UsageError(f"ini ws_server: {exc}") from None
    try:
        orders.order_by(settings)
    except ValueError as exc:
        raise pytest.UsageError(str(exc)) from None
    try:
        find_profile(config, None)
    except ValueError as exc:
        raise pytest.UsageError(f"--ws-profile: {exc}") from None


def check(item: pytest.Item) -> None:
    """
    Find what is wrong with the markers of a test.

    Raises:
        TypeError, ValueError: for a value that makes no sense, naming it.

    """
    _check_spelling(item)
    _check_parameters(item)
    plan = plan_of(item)
    orchestrator = orchestrator_of(item)
    middleboxes_of(item)
    names = our_fixtures(item)
    if plan.requirement is not None:
        _check_judges(item, names)
    if plan.requirement is not None and plan.requirement.alive_for is not None:
        _check_program(orchestrator, plan.requirement.alive_for)
    if not is_skipped(item):
        _check_starts(item)
        _check_traffic(item, names)
    if FLEET not in names and plan.fleet is not None and not _asks_later(item):
        raise ValueError(NO_FLEET)
    voice_of(item)
    _check_target(item)
    _check_loop(item, is_held_without_a_loop=not {"ws_soak", FLEET}.isdisjoint(names))


def _check_spelling(item: pytest.Item) -> None:
    """See that no mark is meant for one of ours and has another name: nobody would look at it."""
    for mark in item.iter_markers():
        if mark.name in MARKS or not mark.name.lower().startswith("ws"):
            continue
        known = {line.partition(":")[0].partition("(")[0].strip() for line in item.config.getini("markers")}
        near = get_close_matches(mark.name.lower(), MARKS, 1, cutoff=_ALIKE)
        # A fixture of the project's may read a mark of its own name.
        is_fixture = bool(mark.kwargs) and mark.name in FIXTURES and not overrides(mark.name, item)
        if mark.name in known or not (near or is_fixture):
            continue
        advice = f"did you mean {near[0]}?" if near else f"{mark.name} is a fixture"
        raise ValueError(
            f"there is no mark {mark.name}; {advice} (marks: {', '.join(sorted(MARKS))}; one of the "
            "project's own stands under the ini option markers)"
        )


def _check_parameters(item: pytest.Item) -> None:
    """See that no fixture of ours is given a parameter, which would say what nobody looks at."""
    # That of a middlebox is its name; one of the project's may take a parameter, and ours behind it. What
    # stands in the place of one of ours hides it.
    given = {*parametrized(item), *params_of(item)} - {MIDDLEBOX}
    for name in sorted(our_fixtures(item) & given):
        if not overrides(name, item):
            raise ValueError(
                f"{name}: takes no parameter (indirect=True), so nobody would look at it; override {name} by "
                "a fixture that does, or let marks of the parameter say it: pytest.param(..., "
                'marks=pytest.mark.ws_stability(url="..."))'
            )
    is_reference = target_of(item).kind is TargetKind.REFERENCE
    if is_reference and replaces_ours(ORCHESTRATOR, item) and not JUDGES.isdisjoint(our_fixtures(item)):
        raise ValueError(
            f"{ORCHESTRATOR}: the server under test does not look at what parametrize gives; let marks of "
            "the parameter say it: pytest.param(..., marks=pytest.mark.ws_orchestrator(...))"
        )


def _asks_later(item: pytest.Item) -> bool:
    """Whether only a run of a marked test tells what holds it to its mark; see empty_passes.py."""
    return any(map(asks, item.own_markers)) and JUDGES.isdisjoint(fixtures_of(item)) and may_ask_by_name(item)


def _check_judges(item: pytest.Item, names: Set[str]) -> None:
    """See that something holds the test to its requirement."""
    judges = JUDGES & names
    hidden = sorted(JUDGES.intersection(fixtures_of(item)) - judges)
    # The mark of a class or module is for those of its tests that use one.
    asked = hidden or any(map(asks, item.own_markers))
    if asked and not judges and not _asks_later(item):
        why = f"; {hidden[0]} is the project's own here, give it another name" if hidden else ""
        raise ValueError(
            f"{STABILITY}: nothing in this test is held to it; use one of the fixtures "
            f"{', '.join(sorted(JUDGES))}{why}"
        )


def _check_starts(item: pytest.Item) -> None:
    """See that a test whose own mark says how the reference server behaves may start one."""
    starts = not {"ws_orchestrator", "ws_url"}.isdisjoint(fixtures_of(item))
    if written_at(item, ORCHESTRATOR) and not starts and not may_ask_by_name(item):
        raise ValueError(
            f"{ORCHESTRATOR}: this test starts none; use the fixture ws_orchestrator, or one that connects "
            "to it: ws_connect, ws_connection, ws_soak, ws_url"
        )


def _check_traffic(item: pytest.Item, names: Set[str]) -> None:
    """See that somebody talks in a test whose own mark says how."""
    own = any("traffic" in mark.kwargs for mark in written_at(item, STABILITY))
    # With ws_voice it is refused elsewhere.
    held = not names.isdisjoint({"ws_soak", "ws_connection", FLEET, VOICE})
    if own and plan_of(item).traffic is not None and not held and not may_ask_by_name(item):
        raise ValueError(
            "traffic: talks while ws_soak, ws_connection or ws_fleet hold, and the test uses none of them; "
            "start a task in the test, or use ws_connection"
        )


def check_again(session: pytest.Session) -> None:
    """
    Check what only the marks of all files together say, and tests that were made without asking a hook.

    A conftest gives marks to tests that are made (``item.add_marker``), and pytest makes those of a
    ``unittest.TestCase`` itself. A test in which something is wrong is an error of the collection.

    """
    seen, wrong = set[tuple[object, ...]](), set[pytest.Item]()
    for item in filter(uses_us, session.items):
        take_over_unittest_skip(item)
        # Tests that differ in their parameters only are warned of once; each middlebox has its own numbers.
        function = same_function(item) if MIDDLEBOX not in fixtures_of(item) else (item,)
        if text := _what_is_wrong(item, warn=function not in seen):
            wrong.add(item)
            _tell_wrong(item, text)
        else:
            seen.add(function)
    for node, text in unheld_marks.wrong([item for item in session.items if item not in wrong]):
        wrong.update(item for item in session.items if node in item.iter_parents())
        _tell_wrong(node, f"{node.nodeid}: {text}")
    session.items[:] = [item for item in session.items if item not in wrong]


def _tell_wrong(node: pytest.Item | pytest.Collector, text: str) -> None:
    """Report what is wrong as an error of the collection."""
    report = pytest.CollectReport(node.nodeid, "failed", text, [])
    secrecy.redact_report(report)
    node.ihook.pytest_collectreport(report=report)


def _what_is_wrong(item: pytest.Item, *, warn: bool) -> str:
    try:
        if remember_marks(item):
            check(item)
        _check_length(item)
        if warn:
            margins.warn(item)
    except (TypeError, ValueError) as exc:
        return f"{item.nodeid}: {exc}"
    except margins.StabilityWarning as exc:
        return str(exc)
    wrong = timeouts.too_short(item)
    return f"{item.nodeid}: {wrong}" if wrong else ""


def remember_marks(item: pytest.Item) -> bool:
    """
    Remember which marks of ours a test has itself, and forget what those said that it had before.

    Returns:
        Whether they are others than when this was called before.

    """
    marks = [id(mark) for mark in item.own_markers if mark.name in MARKS]
    if item.stash.get(marks_key, None) == marks:
        return False
    item.stash[marks_key] = marks
    read: tuple[pytest.StashKey[Any], ...] = (plan_key, orchestrator_options_key, voice_key)
    for key in read:
        if key in item.stash:
            del item.stash[key]
    return True


def late_mark(item: pytest.Item) -> str:
    """What is wrong with a mark that a test was given after its marks were read; empty if there is none."""
    known = item.stash.get(marks_key, None)
    if known is None:
        return ""
    late = [mark for mark in item.own_markers if mark.name in _READ_ONCE and id(mark) not in known]
    return late[0].name + _LATE if late else ""


def _check_loop(item: pytest.Item, *, is_held_without_a_loop: bool) -> None:
    """A server on the loop of an async fixture stands still while a test runs on none, or on another."""
    found = async_url(item) if target_of(item).kind is TargetKind.FIXTURE else None
    if found is None:
        return
    name, definition = found
    source = f"ws_url comes from the async fixture {name!r}: a server on its event loop"
    is_async = inspect.iscoroutinefunction(getattr(item, "function", None))
    if isinstance(item, pytest.Function) and is_async and not is_of_anyio(item):
        if not has_pytest_asyncio(item.config):
            return
        scope = fixture_loop_scope(definition, item.config)
        # One in virtual time that says none gets its own.
        own = "function" if needs_runner(item) and is_virtual(item) else loop_scope(item)
        if scope != own:
            item.stash[async_url_key] = (
                f"{source}, the {scope}'s, stands still while this test runs on another; give the test "
                f"ws_stability(time='real') and @pytest.mark.asyncio(loop_scope={scope!r})"
            )
        return
    if not is_held_without_a_loop:
        return
    still, advice = "during a sync test", "write 'async def' before this test"
    if is_async:
        still, advice = "during a hold, as anyio has it", "mark this test with asyncio in place of anyio"
    # Later, pytest-asyncio has made sync functions of async fixtures.
    item.stash[async_url_key] = f"{source} stands still {still}; {advice}"
    if is_virtual(item):
        raise ValueError(
            f"the server behind ws_url runs on the event loop of the async fixture {name!r}, which stands "
            f"still {still}: {advice}; or give it ws_stability(time='real') if {name!r} only finds out "
            "where a server is that runs elsewhere"
        )


def _check_target(item: pytest.Item) -> None:
    check_server(item)
    # The mark of a class or module is for those of its tests that have an app.
    served = is_marked_itself(item, SERVER)
    if served and target_of(item).kind is TargetKind.REFERENCE:
        raise ValueError(
            f"{SERVER}: no app is under test that it could serve; give one by --ws-app module:app, the ini "
            "ws_app or a fixture ws_app"
        )
    if "ws_command" in our_fixtures(item) and not runs_command(item):
        raise ValueError(
            "ws_command: no command is under test; run with --ws-command 'node server.js --port {port}'"
        )
    if target_of(item).kind is TargetKind.FIXTURE or not runs_command(item):
        return
    if is_virtual(item):
        source = base_target_of(item).source
        raise ValueError(
            f"time: 'virtual', but {source} is a process of its own, which has real time; leave time out"
        )


def _check_length(item: pytest.Item) -> None:
    """See that a hold is told how long it is; a conftest may say that of tests without a mark."""
    plan, names = plan_of(item), our_fixtures(item)
    endless = plan.requirement is None or plan.requirement.alive_for is None
    if "ws_soak" in names and endless:
        raise ValueError(HOW_LONG)
    if FLEET in names and (endless or plan.fleet is None):
        raise ValueError(
            f"{FLEET}: how many, for how long? give the test a {STABILITY} marker with connections "
            "and alive_for"
        )


def _check_program(orchestrator: dict[str, Any], hold: float) -> None:
    """A fault that is due after the hold would prove nothing."""
    if "faults" in orchestrator:
        Program.of(orchestrator["faults"]).check_within(hold)

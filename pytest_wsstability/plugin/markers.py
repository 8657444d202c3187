"""Our marks and fixtures by name, and a look at a test that every test can afford."""

from __future__ import annotations

import inspect
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

STABILITY = "ws_stability"
ORCHESTRATOR = "ws_orchestrator"
LONG = "ws_long"
MIDDLEBOX = "ws_middlebox"
FLEET = "ws_fleet"
VOICE = "ws_voice"
SERVER = "ws_server"

DESCRIPTIONS = (
    "ws_stability(alive_for, heartbeat_every, heartbeat_within, heartbeat_missed_max, session_within, "
    "rtt_p95, allow_close, max_age_ok, url, headers, subprotocol, origin, traffic, profile, client, time, "
    "patch_time; connections, survival, confidence, ramp, refused_max, stalled, drain, reconnects, sources, "
    "options_of, url_of, fanout_of, fanout_within, fanout_p99 with ws_fleet): "
    "the stability that a WebSocket must show",
    "ws_orchestrator(read_deadline, ping_interval, deadline_reset_by, on_deadline, greet, confirm_sessions, "
    "answer_heartbeats, echo, ...): how the reference orchestrator behaves",
    "ws_server(name, **settings): the server that serves the app under test, and its own settings",
    "ws_voice(turns, first_audio_p95, first_audio_within, underruns, barge_in_within, transcripts, "
    "audio_intact, ahead_max; speech, pause, silence, barge_ins, reconnect_in, answer_within, sound, seed): "
    "what a spoken conversation must show, and how the caller speaks",
    "ws_long: long when it runs in real time; then it needs --ws-long",
    "ws_middlebox(*names): the proxies and load balancers that the ws_middlebox fixture stands for; else all",
)

FIXTURES = frozenset({
    "ws_url", "ws_connect", "ws_connection", "ws_soak", "ws_orchestrator", "ws_clock", "ws_proxy",
    "ws_app", "ws_command", "ws_headers", "ws_subprotocols", FLEET, MIDDLEBOX, VOICE,
})  # fmt: skip
# Without one of these a requirement would be checked by nobody.
JUDGES = frozenset({"ws_connect", "ws_connection", "ws_soak", FLEET, VOICE})
_REQUIREMENTS = frozenset({STABILITY, ORCHESTRATOR, MIDDLEBOX, SERVER, VOICE})
_STABILITY = frozenset({STABILITY})
MARKS = _REQUIREMENTS | {LONG}
# Other plugins' marks that say who runs an async test.
_RUNNERS = ("asyncio", "anyio", "trio")


def uses_us(item: pytest.Item) -> bool:
    """Whether a test has a fixture or marker of ours."""
    return _is_marked(item, _REQUIREMENTS) or _has_fixture(item)


def is_below_a_requirement(node: pytest.Collector) -> bool:
    """Whether a collector, or one above it, has a mark that says what a connection must show."""
    return _is_marked(node, _STABILITY)


def any_concerns_us(items: Iterable[pytest.Item]) -> bool:
    """Whether anything is to be done when one of these tests runs: it uses us, or is long."""
    parents: dict[pytest.Collector | None, bool] = {}
    for item in items:
        if _has_fixture(item):
            return True
        for mark in item.own_markers:
            if mark.name in MARKS:
                return True
        parent = item.parent
        if parent not in parents:
            parents[parent] = _is_marked(parent, MARKS)
        if parents[parent]:
            return True
    return False


def any_names_the_package(items: Iterable[pytest.Item]) -> bool:
    """Whether the module of a test has the package by its name, and so may load all of it when it runs."""
    package = sys.modules[__name__.partition(".")[0]]
    # Of other items nobody knows what they call so, or what is done when they are asked.
    parents = {item.parent: item for item in items if isinstance(item, pytest.Function)}
    modules = {id(item.module): item.module for item in parents.values()}
    names = [getattr(module, "__dict__", {}) for module in modules.values()]
    return any(value is package for each in names for value in [*each.values()])


def id_of(node: pytest.Item | pytest.Collector) -> str:
    """The id by which pytest takes a test; xdist writes its group behind that (``--dist loadgroup``)."""
    if not isinstance(node, pytest.Item) or node.parent is None:
        return node.nodeid
    own = f"{node.parent.nodeid}::{node.name}"
    return own if node.nodeid.startswith(f"{own}@") else node.nodeid


def fixtures_of(item: pytest.Item) -> Sequence[str]:
    """The names of the fixtures that a test uses; empty for an item that is no function, and has none."""
    return getattr(item, "fixturenames", ())


def params_of(node: pytest.Item | pytest.Collector) -> Mapping[str, Any]:
    """What a test is parametrized with, by name."""
    return getattr(getattr(node, "callspec", None), "params", {})


def _has_fixture(item: pytest.Item) -> bool:
    """Whether a test has a fixture of ours, and not only some of the project's by the same names."""
    names = FIXTURES.intersection(fixtures_of(item))
    if not names:
        return False
    # A run without such a name does not load it.
    fixtures = import_module(f"{__package__}.project_fixtures")
    return not all(fixtures.hides(name, item) for name in names) or fixtures.imports_us(names, item)


def _is_marked(node: pytest.Item | pytest.Collector | None, names: frozenset[str]) -> bool:
    # Every test of a run is asked, so not by `iter_markers`, which takes four times as long.
    while node is not None:
        for mark in node.own_markers:
            if mark.name in names:
                return True
        node = node.parent
    return False


def is_marked_itself(item: pytest.Item, name: str) -> bool:
    """Whether a test has a mark of its own, and not that of its class or module alone."""
    return any(mark.name == name for mark in item.own_markers)


def written_at(item: pytest.Item, name: str) -> list[pytest.Mark]:
    """The marks of a name at the function of a test or its parameters, without those that a conftest adds."""
    written = getattr(getattr(item, "obj", None), "pytestmark", ())
    of_parameter = getattr(getattr(item, "callspec", None), "marks", ())
    return [mark for mark in (*written, *of_parameter) if getattr(mark, "name", None) == name]


def closest_first(node: pytest.Item | pytest.Collector, name: str) -> Iterator[pytest.Mark]:
    """
    The marks of a name that a test, class or module has, the closest first.

    pytest lists those of a parameter after those of its function, and those of a base class before those of
    the class that inherits them.

    """
    yield from (mark for mark in getattr(getattr(node, "callspec", None), "marks", ()) if mark.name == name)
    for each in node.iter_parents():
        found = [mark for mark in each.own_markers if mark.name == name]
        if len(found) > 1 and isinstance(each, pytest.Class):
            found.sort(key=partial(_generation, each.obj.__mro__))
        yield from found


def _generation(classes: Sequence[type], mark: pytest.Mark) -> int:
    """How far up the class is that has a mark; 0 for one that was added to a test's own class."""
    holders = (number for number, each in enumerate(classes) if mark in marks_in(each))
    return next(holders, 0)


def marks_in(cls: type) -> list[object]:
    """The marks that a class has itself, and not by a base class."""
    written = cls.__dict__.get("pytestmark", [])
    return [getattr(each, "mark", each) for each in (written if isinstance(written, list) else [written])]


def is_skipped(item: pytest.Item) -> bool:
    """Whether a test is skipped wherever it runs: no pass of it promises anything."""
    return item.get_closest_marker("skip") is not None


def take_over_unittest_skip(item: pytest.Item) -> None:
    """Give a test that unittest skips in its body pytest's own mark, so that its fixtures hold nothing."""
    for each in (getattr(item, "obj", None), getattr(item, "cls", None)):
        if getattr(each, "__unittest_skip__", False):
            item.add_marker(pytest.mark.skip(reason=getattr(each, "__unittest_skip_why__", "")))
            return


def is_expected_to_fail(item: pytest.Item) -> bool:
    """Whether a test has the decorator ``unittest.expectedFailure``, which sees what its body raises only."""
    test, case = getattr(item, "obj", None), getattr(item, "cls", None)
    return any(getattr(each, "__unittest_expecting_failure__", False) for each in (test, case))


def has_pytest_asyncio(config: pytest.Config) -> bool:
    """Whether pytest-asyncio is switched on, by its own name or, as with ``-p``, by that of its module."""
    plugin = sys.modules.get("pytest_asyncio.plugin")
    return plugin is not None and config.pluginmanager.is_registered(plugin)


def is_of_anyio(item: pytest.Item) -> bool:
    """Whether anyio sets up the async fixtures of a test, which it does on a loop of its own."""
    has_plugin = item.config.pluginmanager.has_plugin("anyio")
    return has_plugin and "anyio_backend" in fixtures_of(item)


def needs_runner(item: pytest.Function) -> bool:
    """Whether pytest-asyncio is to run a test: no mark, fixture of anyio or mode of trio says who does."""
    # Where it is switched off, nobody knows its mark.
    if not inspect.iscoroutinefunction(item.function) or not has_pytest_asyncio(item.config):
        return False
    if any(map(item.get_closest_marker, _RUNNERS)) or is_of_anyio(item):
        return False
    return not (item.config.pluginmanager.has_plugin("trio") and item.config.getini("trio_mode"))

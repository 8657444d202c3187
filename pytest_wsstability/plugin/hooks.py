"""
The pytest face: the hooks that every run has, and the fixtures.

What is done around tests is in running.py, which loads with the first test that is ours: a run without
one pays for imports, options and a look at each test, and for nothing else.

"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest

from . import hookspecs, markers
from .fixtures import (  # noqa: F401 - pytest finds fixtures in the plugin's namespace
    _ws_loop,
    _ws_loop_class,
    _ws_loop_function,
    _ws_loop_module,
    _ws_loop_package,
    _ws_loop_session,
    _ws_order,
    ws_clock,
    ws_connect,
    ws_connection,
    ws_middlebox,
    ws_orchestrator,
    ws_proxy,
    ws_soak,
    ws_url,
)
from .options import add_options, add_report_options, read_settings, settings_key


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)
    add_report_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[settings_key] = settings = read_settings(config)
    for description in markers.DESCRIPTIONS:
        config.addinivalue_line("markers", description)
    if settings.profile not in ("json", "frames"):
        try:
            markers.find_profile(config, None)
        except ValueError as exc:
            raise pytest.UsageError(f"--ws-profile: {exc}") from None
    if settings.wants_reports:
        _use(config)


def pytest_report_header(config: pytest.Config) -> str:
    from . import failures as reporting

    return reporting.header(config.stash[settings_key])


# The last of the wrappers is the innermost: pytest-asyncio, which wraps too, then sees the mark.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    made = yield
    for item in made if isinstance(made, list) else [made]:
        if not isinstance(item, pytest.Function) or not markers.uses_us(item):
            continue
        from . import margins as foresight

        try:
            markers.check(item)
        except (TypeError, ValueError) as exc:
            raise collector.CollectError(f"{item.nodeid}: {exc}") from None
        if item.get_closest_marker("timeout") is not None:
            from .soaks import timeouts

            if wrong := timeouts.too_short(item):
                raise collector.CollectError(f"{item.nodeid}: {wrong}")
        try:
            foresight.warn(item)
        except foresight.StabilityWarning as exc:
            raise collector.CollectError(str(exc)) from None
        if markers.needs_runner(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="function"))
    return made


# Before pytest-asyncio, which gives each marked test here the loop that the project has chosen by its hook.
@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, Any, Any]:
    test = metafunc.definition
    if markers.uses_us(test):
        from . import orders
        from .clock import is_virtual

        # What is wrong with its markers is said when the test is made.
        with suppress(TypeError, ValueError):
            if names := markers.middleboxes_of(test):
                metafunc.parametrize(markers.MIDDLEBOX, names, indirect=True)
            if is_virtual(test):
                orders.parametrize(metafunc)
            elif markers.needs_runner(test):
                test.add_marker(pytest.mark.asyncio(loop_scope="function"))
    return (yield)


# The last to order them: a plugin that shuffles has shuffled, and what is chosen is chosen.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if any(map(markers.concerns_us, session.items)):
        _use(session.config)
        from .soaks import scheduling as soaks
        from .soaks import timeouts

        soaks.put_last(session)
        timeouts.raise_global(session.config, session.items)


# On the controller of xdist, for each worker that is about to start.
@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    _use(node.config)
    from . import results
    from .soaks import xdist as spreading
    from .soaks.progress import mode_of, progress_of

    results.tell_worker(node)
    progress_of(node.config)
    node.workerinput["wsstability_progress"] = mode_of(node.config)
    spreading.tell_worker(node)


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> Generator[None, Any, Any]:
    from .soaks import xdist as spreading

    return spreading.around(config, (yield))


def _use(config: pytest.Config) -> None:
    """Let the hooks of running.py run from now on; twice is once."""
    name = "wsstability-running"
    if not config.pluginmanager.has_plugin(name):
        from . import running

        config.pluginmanager.register(running, name)
        running.start(config)

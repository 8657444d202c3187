"""
Virtual loops for pytest-asyncio's tests: the one place that touches its private parts.

Its hook for loop factories is left alone on purpose: implementing it parametrizes a session fixture,
and sessions that never asked for virtual time would set their fixtures up once a test (measured on
1.4 and 1.5). Instead, while the runner of a virtual test (class, module) is set up, the name by
which pytest-asyncio finds `asyncio.Runner` gives one with a virtual loop. Nothing is parametrized, no
id changes, no other test notices.

"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Generator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest_asyncio
import pytest_asyncio.plugin as pytest_asyncio_plugin

from ...virtual.leftovers import end_leftovers
from ...virtual.loop import VirtualLoop
from ...virtual.patching import patched_time

if TYPE_CHECKING:
    import pytest

    from ...virtual.runner import LoopSettings

_NAME = "Runner"
# On the function of a fixture: the scope that it was given itself, and that it is pytest-asyncio's.
_SCOPE, _OWN = "_loop_scope", "_force_asyncio_fixture"
_RUNNER = re.compile(r"_(function|class|module|package|session)_scoped_runner")


def is_runner(fixture_name: str) -> bool:
    """Whether this is the fixture in which pytest-asyncio makes the loop of a scope."""
    return _RUNNER.fullmatch(fixture_name) is not None


def fixture_loop_scope(definition: pytest.FixtureDef[Any], config: pytest.Config) -> str:
    """The scope of the loop on which an async fixture runs, before it has been set up."""
    own: str | None = getattr(definition.func, _SCOPE, None)
    return own or config.getini("asyncio_default_fixture_loop_scope") or definition.scope


def is_left_alone(definition: pytest.FixtureDef[Any], config: pytest.Config) -> bool:
    """Whether an async fixture has not the decorator without which strict mode does not set it up."""
    mode: str = config.getoption("asyncio_mode") or config.getini("asyncio_mode")
    return mode == "strict" and not getattr(definition.func, _OWN, False)


def with_virtual_loop(request: pytest.FixtureRequest, settings: LoopSettings) -> Generator[None, Any, Any]:
    """
    Set a runner fixture up with a virtual loop: the rest of a ``pytest_fixture_setup`` wrapper.

    Raises:
        RuntimeError: if the runner has another loop, which means that pytest-asyncio has changed.

    """
    original = getattr(pytest_asyncio_plugin, _NAME, None)
    if original is None:
        raise RuntimeError(_changed("it has no Runner"))

    def virtual_runner(*, debug: bool | None = None, **_: Any) -> asyncio.Runner:
        # A factory of the user's own (uvloop, for one) has a clock that cannot be virtual.
        runner: asyncio.Runner = original(debug=debug, loop_factory=settings)
        return runner

    setattr(pytest_asyncio_plugin, _NAME, virtual_runner)
    try:
        runner = yield
    finally:
        setattr(pytest_asyncio_plugin, _NAME, original)
    if not isinstance(runner, asyncio.Runner) or not isinstance(runner.get_loop(), VirtualLoop):
        raise RuntimeError(_changed(f"its runner is {runner!r}"))
    # A Runner with a loop factory leaves that to others, and pytest-asyncio would make a loop and lose it.
    asyncio.set_event_loop(runner.get_loop())
    request.addfinalizer(lambda: asyncio.set_event_loop(None))
    # Libraries draw their backoff from here: the same seed gives the same times.
    request.addfinalizer(partial(random.setstate, random.getstate()))
    random.seed(settings.seed)
    request.addfinalizer(partial(_end, runner))
    return runner


def _end(runner: asyncio.Runner) -> None:
    """See `end_leftovers`: a runner that closes cancels tasks that have had no step yet."""
    loop = runner.get_loop()
    if isinstance(loop, VirtualLoop) and not loop.is_closed():
        runner.run(end_leftovers(loop.jobs))


def patch_time(request: pytest.FixtureRequest, runner: asyncio.Runner) -> None:
    """Let the time module follow the loop of a runner as long as that lives; see `patched_time`."""
    stack = ExitStack()
    stack.enter_context(patched_time(runner.get_loop()))
    request.addfinalizer(stack.close)


def _changed(what: str) -> str:
    return (
        f"pytest-asyncio {pytest_asyncio.__version__} does not let us give it a virtual loop ({what}): "
        "run with --ws-time real, and tell the maintainers of pytest-wsstability"
    )

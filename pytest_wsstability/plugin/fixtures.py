"""What the ws_* fixtures do; they are declared in hooks.py, where every run finds them."""

from __future__ import annotations

import asyncio
import inspect
import time
import unittest
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from ..core.faults.middleboxes import middlebox
from ..core.url import as_websocket
from ..net.apps.kinds import AppError
from ..net.connector import Connector
from ..net.holding import SESSION_WITHIN
from ..net.proxy.proxies import MiddleboxProxy, Proxies
from ..net.server.orchestrator import Orchestrator
from ..net.traffic import Traffic, start_talking
from ..virtual.errors import VirtualTimeError
from ..virtual.loop import VirtualLoop
from ..virtual.runner import is_loop_running
from .markers import FLEET, MIDDLEBOX, VOICE, has_pytest_asyncio, is_of_anyio
from .own_server import orchestrator_options, own_orchestrator
from .plans import base_target_of, has_a_loop, is_virtual, loop_scope, plan_of, runs_command
from .project_fixtures import hides, our_fixtures, overrides
from .seams.pytest import asking
from .servers.apps import load, served, source_of
from .servers.command import CommandError, ServerProcess
from .servers.commands import commands_of, refuse
from .settings import TargetKind
from .slow import tell_if_slow
from .stash import (
    command_key,
    command_since_key,
    connection_key,
    connector_key,
    loop_key,
    orchestrator_key,
    proxies_key,
    settings_key,
    talk_key,
)
from .targets import (
    AppURL,
    GivenURL,
    ReferenceURL,
    aimed,
    joined,
    prepare_opening,
    proxies_of,
    watched_options,
    watcher,
)

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement
    from ..net.connection import Connection


# The loop of a test has the scope that its asyncio marker says, and each scope has a runner of its own.


def _loop_fixture(scope: Any) -> Callable[..., Any]:
    @pytest_asyncio.fixture(loop_scope=scope, name=f"_ws_loop_{scope}")
    async def loop() -> AsyncIterator[asyncio.AbstractEventLoop]:
        yield asyncio.get_running_loop()

    return loop


_ws_loop_function = _loop_fixture("function")
_ws_loop_class = _loop_fixture("class")
_ws_loop_module = _loop_fixture("module")
_ws_loop_package = _loop_fixture("package")
_ws_loop_session = _loop_fixture("session")


@pytest.fixture
def _ws_order(request: pytest.FixtureRequest) -> str:
    """Which of simultaneous timers comes first, in tests that run in two orders; see orders.py."""
    order: str = request.param
    return order


def loop_of(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoop:
    """The event loop on which a test will run."""
    item = request.node
    if not has_pytest_asyncio(item.config):
        pytest.fail(
            "a ws_* fixture of this test needs pytest-asyncio, which is switched off; "
            "take '-p no:asyncio' away, or use ws_soak in a sync test, which needs no loop",
            pytrace=False,
        )
    if not pytest_asyncio.is_async_test(item):
        pytest.fail(
            "a ws_* fixture of this test needs the event loop of a pytest-asyncio "
            f"test, and this is none: {_what_helps(item)}, or use ws_soak, which needs no loop",
            pytrace=False,
        )
    if is_of_anyio(item):
        pytest.fail(
            "a ws_* fixture of this test needs the event loop of a pytest-asyncio test, and anyio sets up "
            "the fixtures of this one, on another: take @pytest.mark.anyio away from the test, its class and "
            "its module (pytestmark), and the fixture anyio_backend; or open the connection in the test, "
            "with connect() of pytest_wsstability, where it runs on asyncio",
            pytrace=False,
        )
    if is_loop_running():
        pytest.fail(
            "request.getfixturevalue() cannot set up a ws_* fixture while the event loop of the test runs: "
            "let the test take it as an argument, or ask for it in a fixture that is no 'async def'",
            pytrace=False,
        )
    loop: asyncio.AbstractEventLoop = request.getfixturevalue(f"_ws_loop_{loop_scope(request.node)}")
    request.node.stash[loop_key] = loop
    if isinstance(loop, VirtualLoop):
        loop.forget_late_thread()
    request.addfinalizer(tell_if_slow(request.node, loop))
    return loop


def _what_helps(item: pytest.Item) -> str:
    """What makes a test one of pytest-asyncio's."""
    # Hypothesis puts an ordinary function around the test, which pytest-asyncio knows by its mark.
    inner = getattr(getattr(getattr(item, "obj", None), "hypothesis", None), "inner_test", None)
    if inspect.iscoroutinefunction(inner):
        return "mark it with @pytest.mark.asyncio, which stands above @given"
    if issubclass(getattr(item, "cls", None) or object, unittest.TestCase):
        return (
            "methods of unittest.TestCase have none of pytest-asyncio's: write a function, or a class "
            "without this base; or open the connection in the test, with connect() of pytest_wsstability"
        )
    if not inspect.iscoroutinefunction(getattr(item, "obj", None)):
        return "write 'async def'"
    others = [name for name in ("anyio", "trio") if item.get_closest_marker(name) is not None]
    instead = f" instead of @pytest.mark.{others[0]}" if others else ""
    return (
        f"mark it with @pytest.mark.asyncio{instead}; or open the connection in the test, with connect() of "
        "pytest_wsstability, where it runs on asyncio"
    )


def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """What ``ws_url`` gives."""
    item = request.node
    target = base_target_of(item)
    # An overridden ws_url joins the path of the marker itself: this is its base.
    path = None if overrides("ws_url", item) else plan_of(item).path
    if runs_command(item):
        yield joined(request.getfixturevalue("ws_command").url, path)
    elif target.kind is TargetKind.URL:
        yield GivenURL(joined(as_websocket(target.value), path))
    elif target.kind is TargetKind.APP:
        yield from _app_url(request)
    elif _holds_without_a_loop(request):
        yield ReferenceURL()
    else:
        running: Orchestrator = request.getfixturevalue("ws_orchestrator")
        yield ReferenceURL(joined(running.url, path))


def _app_url(request: pytest.FixtureRequest) -> Iterator[AppURL]:
    """The app on the test's loop; empty where a hold will serve it on a loop of its own."""
    if _holds_without_a_loop(request):
        yield AppURL()
        return
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
    stack = AsyncExitStack()
    source = source_of(request)
    yield AppURL(loop.run_until_complete(stack.enter_async_context(served(request.node, source))))
    loop.run_until_complete(stack.aclose())


def app(request: pytest.FixtureRequest) -> Any:
    """What ``ws_app`` gives: the app that an option names, also to a fixture that overrides it."""
    given = request.config.stash[settings_key].target
    if base_target_of(request.node).kind is not TargetKind.APP or given.kind is not TargetKind.APP:
        return None
    try:
        made = load(request.config, given.value).make()
    except AppError as error:
        refuse(f"{given.source}: {error}")
    if asyncio.iscoroutine(made):
        made.close()
        told = f"{given.source}: {given.value} is a coroutine function: await it in a fixture of your own"
        refuse(told)
    return made


def command(request: pytest.FixtureRequest) -> ServerProcess:
    """What ``ws_command`` gives."""
    try:
        process = commands_of(request.config).of(request.node)
    except CommandError as error:
        refuse(str(error))
    request.node.stash[command_key] = process
    request.node.stash[command_since_key] = time.monotonic()
    return process


def orchestrator(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[Orchestrator]:
    """What ``ws_orchestrator`` gives."""
    running = Orchestrator(**orchestrator_options(request))
    loop.run_until_complete(running.start())
    request.node.stash[orchestrator_key] = running
    yield running
    loop.run_until_complete(running.stop())


def connect(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, ws_url: str
) -> Iterator[Connector]:
    """What ``ws_connect`` gives."""
    ws_url = aimed(request.node, ws_url)
    prepare_opening(request)
    connector = Connector(
        _way(request, ws_url),
        lambda target: _options(request.node, ws_url, target, loop),
        requirement=plan_of(request.node).requirement,
        orchestrator=own_orchestrator(request, ws_url),
        proxies=lambda: proxies_of(request.node),
        opened=watcher(request.node),
    )
    request.node.stash[connector_key] = connector
    yield connector
    loop.run_until_complete(connector.close_all())


def _options(item: pytest.Item, ws_url: str, target: str, loop: asyncio.AbstractEventLoop) -> dict[str, Any]:
    """
    The options of a connection that opens.

    Raises:
        VirtualTimeError: on a real loop, where that of the test is virtual: nothing that it serves is there.

    """
    if is_virtual(item) and asyncio.get_running_loop() is not loop:
        raise VirtualTimeError(
            "ws_connect() is awaited on another event loop than the test's, which is virtual, as that of an "
            "async fixture may be (asyncio_default_fixture_loop_scope): write "
            f"@pytest_asyncio.fixture(loop_scope={loop_scope(item)!r}) before the fixture"
        )
    return watched_options(item, ws_url, target)


def proxy(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, ws_url: str) -> Iterator[Proxies]:
    """What ``ws_proxy`` gives."""
    ws_url = aimed(request.node, ws_url)
    proxies = Proxies(ws_url)
    request.node.stash.setdefault(proxies_key, []).append(proxies)
    yield proxies
    loop.run_until_complete(proxies.close())


def box(request: pytest.FixtureRequest, ws_url: str) -> Iterator[MiddleboxProxy]:
    """What ``ws_middlebox`` gives."""
    if _holds_without_a_loop(request):
        # It needs a loop, and only the hold had one: this is the box that the hold went through.
        yield request.getfixturevalue(VOICE if VOICE in our_fixtures(request.node) else "ws_soak").proxy
        return
    ws_url = aimed(request.node, ws_url)
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
    proxies = Proxies(ws_url)
    request.node.stash.setdefault(proxies_key, []).append(proxies)
    started = MiddleboxProxy(ws_url, middlebox(request.param))
    loop.run_until_complete(proxies.start(started))
    yield started
    loop.run_until_complete(proxies.close())


def connection(request: pytest.FixtureRequest, connector: Connector) -> Connection:
    """What ``ws_connection`` gives."""
    loop: asyncio.AbstractEventLoop = request.node.stash[loop_key]
    opened = loop.run_until_complete(connector.open())
    if opened.websocket.profile.has_session:
        # Whether it came is judged when the test is called, so that it fails and is no error of a fixture.
        until = opened.timeline.opened + session_within(opened.requirement)
        loop.run_until_complete(opened.websocket.wait_session(until))
    request.node.stash[connection_key] = opened
    traffic = plan_of(request.node).traffic
    if traffic is not None:
        request.node.stash[talk_key] = loop.run_until_complete(_started(opened, traffic))
    return opened


async def _started(opened: Connection, traffic: Traffic) -> asyncio.Task[None]:
    return start_talking(opened, traffic)


def session_within(requirement: Requirement | None) -> float:
    """Seconds that a session has for its confirmation: what the marker says, or `SESSION_WITHIN`."""
    within = requirement.session_within if requirement is not None else None
    return SESSION_WITHIN if within is None else within


def _holds_without_a_loop(request: pytest.FixtureRequest) -> bool:
    """Whether a finished hold is the only one in a test that needs a loop, and brings its own."""
    # One that is asked for by name, as in steps of pytest-bdd, is no fixture of the test before it is there.
    asked = {"ws_soak", FLEET, VOICE}.intersection([*request.fixturenames, *asking(request)])
    has_one = any(not hides(name, request.node) for name in asked)
    return has_one and not has_a_loop(request.node)


def _way(request: pytest.FixtureRequest, url: str) -> str:
    """Where connections of a test lead that are given no URL: through its middlebox, if it has one."""
    if MIDDLEBOX not in request.fixturenames or hides(MIDDLEBOX, request.node):
        return url
    started: MiddleboxProxy = request.getfixturevalue(MIDDLEBOX)
    return started.url

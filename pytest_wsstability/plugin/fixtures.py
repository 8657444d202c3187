"""What the ws_* fixtures do; they are declared in hooks.py, where every run finds them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from ..core.duration import Duration, parse_duration
from ..core.faults.middleboxes import middlebox
from ..net.connector import Connector
from ..net.hold import Soak, hold
from ..net.proxy.proxies import MiddleboxProxy, Proxies
from ..net.server.orchestrator import Orchestrator
from .markers import FLEET, MIDDLEBOX
from .orders import TimerOrder, in_another_order, order_of, run_hold
from .plans import is_virtual, leads_out, loop_scope, orchestrator_of, plan_of
from .soaks.scheduling import soaks_of
from .stash import (
    connection_key,
    connector_key,
    loop_key,
    orchestrator_key,
    proxies_key,
    settings_key,
    soak_key,
)
from .targets import ReferenceURL, connect_options, hold_options, proxies_of, watcher

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement
    from ..net.connection import Connection


class Clock:
    """The clock of a test: ``now`` in seconds, and a way to let time pass."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def now(self) -> float:
        """Seconds on the loop's clock; differences of it are durations, in either time."""
        return self._loop.time()

    @property
    def is_virtual(self) -> bool:
        """Whether waiting costs nothing."""
        return bool(getattr(self._loop, "is_virtual", False))

    async def advance(self, duration: Duration) -> None:
        """Let so much time pass: at once in virtual time, by waiting in real time."""
        await asyncio.sleep(parse_duration(duration, "advance", zero=True))

    def __repr__(self) -> str:
        return f"<Clock {'virtual' if self.is_virtual else 'real'}, {self.now:.3f} s>"


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


def loop_of(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoop:
    """The event loop on which a test will run."""
    if not pytest_asyncio.is_async_test(request.node):
        pytest.fail(
            f"{request.node.nodeid}: a ws_* fixture of this test needs the event loop of a pytest-asyncio "
            "test, and this is none: write 'async def', or use ws_soak, which needs no loop",
            pytrace=False,
        )
    loop: asyncio.AbstractEventLoop = request.getfixturevalue(f"_ws_loop_{loop_scope(request.node)}")
    request.node.stash[loop_key] = loop
    return loop


def url(request: pytest.FixtureRequest) -> str:
    """What ``ws_url`` gives."""
    given = plan_of(request.node).url or request.config.stash[settings_key].url
    if given is not None:
        return given
    if _holds_without_a_loop(request):
        return ReferenceURL()
    orchestrator: Orchestrator = request.getfixturevalue("ws_orchestrator")
    return ReferenceURL(orchestrator.url)


def orchestrator(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop) -> Iterator[Orchestrator]:
    """What ``ws_orchestrator`` gives."""
    running = Orchestrator(**_orchestrator_options(request))
    loop.run_until_complete(running.start())
    request.node.stash[orchestrator_key] = running
    yield running
    loop.run_until_complete(running.stop())


def connect(
    request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, ws_url: str
) -> Iterator[Connector]:
    """What ``ws_connect`` gives."""
    connector = Connector(
        _way(request, ws_url),
        lambda target: connect_options(request.node, ws_url, target),
        requirement=plan_of(request.node).requirement,
        orchestrator=_own_orchestrator(request, ws_url),
        proxies=lambda: proxies_of(request.node),
        opened=watcher(request.node),
    )
    request.node.stash[connector_key] = connector
    yield connector
    loop.run_until_complete(connector.close_all())


def proxy(request: pytest.FixtureRequest, loop: asyncio.AbstractEventLoop, ws_url: str) -> Iterator[Proxies]:
    """What ``ws_proxy`` gives."""
    proxies = Proxies(ws_url)
    request.node.stash.setdefault(proxies_key, []).append(proxies)
    yield proxies
    loop.run_until_complete(proxies.close())


def box(request: pytest.FixtureRequest, ws_url: str) -> Iterator[MiddleboxProxy]:
    """What ``ws_middlebox`` gives."""
    if _holds_without_a_loop(request):
        # It needs a loop, and only the hold had one: this is the box that the hold went through.
        yield request.getfixturevalue("ws_soak").proxy
        return
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
    return opened


def session_within(requirement: Requirement | None) -> float:
    """Seconds that a session has for its confirmation: what the marker says, or 10."""
    within = requirement.session_within if requirement is not None else None
    return 10.0 if within is None else within


def soaked(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    """What ``ws_soak`` gives."""
    if leads_out(request.node):
        held = soaks_of(request.session).judge(request.node, ws_url)
    elif pytest_asyncio.is_async_test(request.node):
        held = _on_the_loop_of_the_test(request, ws_url)
    else:
        held = run_hold(_requirement(request), _hold_maker(request, ws_url), _timers(request))
    request.node.stash[soak_key] = held
    return held


def _on_the_loop_of_the_test(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    """A hold where the server of a user's fixture may live."""
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
    options = hold_options(request.node, ws_url)
    running = _own_orchestrator(request, ws_url)
    held = loop.run_until_complete(hold(_requirement(request), url=ws_url, orchestrator=running, **options))
    # The reference orchestrator can be had twice; a server of the user's cannot.
    if isinstance(ws_url, ReferenceURL):
        return in_another_order(held, _hold_maker(request, ws_url), _timers(request))
    return held


def _hold_maker(
    request: pytest.FixtureRequest, ws_url: str
) -> Callable[[Requirement], Coroutine[Any, Any, Soak]]:
    """Holds on loops of their own, each with an orchestrator of its own if that is the target."""
    options = hold_options(request.node, ws_url)
    own = isinstance(ws_url, ReferenceURL)

    def again(requirement: Requirement) -> Coroutine[Any, Any, Soak]:
        server = Orchestrator(**_orchestrator_options(request)) if own else None
        return hold(requirement, url=None if own else ws_url, orchestrator=server, **options)

    return again


def _requirement(request: pytest.FixtureRequest) -> Requirement:
    requirement = plan_of(request.node).requirement
    assert requirement is not None
    return requirement


def _holds_without_a_loop(request: pytest.FixtureRequest) -> bool:
    """Whether ws_soak or ws_fleet is the only one in a test that needs a loop, and brings its own."""
    has_one = not {"ws_soak", FLEET}.isdisjoint(request.fixturenames)
    return has_one and not pytest_asyncio.is_async_test(request.node)


def _own_orchestrator(request: pytest.FixtureRequest, url: str) -> Orchestrator | None:
    """The test's running orchestrator, if it has one: its timelines then stand beside the client's."""
    if not isinstance(url, ReferenceURL) and "ws_orchestrator" not in request.fixturenames:
        return None
    running: Orchestrator = request.getfixturevalue("ws_orchestrator")
    return running


def _way(request: pytest.FixtureRequest, url: str) -> str:
    """Where connections of a test lead that are given no URL: through its middlebox, if it has one."""
    if MIDDLEBOX not in request.fixturenames:
        return url
    started: MiddleboxProxy = request.getfixturevalue(MIDDLEBOX)
    return started.url


def _timers(request: pytest.FixtureRequest) -> TimerOrder | None:
    """What virtual time leaves open; None in real time."""
    return order_of(request.node) if is_virtual(request.node) else None


def _orchestrator_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"profile": plan_of(request.node).profile, **orchestrator_of(request.node)}

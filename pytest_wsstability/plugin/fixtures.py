"""The ws_* fixtures: thin, each one job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from .markers import MIDDLEBOX, orchestrator_of, plan_of
from .options import settings_key

if TYPE_CHECKING:
    from ..core.judge.requirement import Requirement
    from ..net.connection import Connection
    from ..net.connector import Connector
    from ..net.hold import Soak
    from ..net.proxy.proxies import MiddleboxProxy, Proxies
    from ..net.proxy.proxy import FaultProxy
    from ..net.server.orchestrator import Orchestrator
    from .clock import Clock
    from .soaks.private_loops import Chance

# What the test is judged by before and after its body; see `plugin.pytest_runtest_call`.
soak_key = pytest.StashKey["Soak"]()
connection_key = pytest.StashKey["Connection"]()
loop_key = pytest.StashKey[asyncio.AbstractEventLoop]()
# The fault proxies of a test; not there where it has none.
proxies_key = pytest.StashKey["list[Proxies]"]()
# What the test may have asserted something about; see `results`.
connector_key = pytest.StashKey["Connector"]()
orchestrator_key = pytest.StashKey["Orchestrator"]()


def forget(item: pytest.Item) -> None:
    """Drop what a test held, for the test may run again, and others should not keep it in memory."""
    keys: tuple[pytest.StashKey[Any], ...] = (soak_key, connection_key, connector_key, orchestrator_key)
    for key in keys:
        if key in item.stash:
            del item.stash[key]


def session_within(requirement: Requirement | None) -> float:
    """Seconds that a session has for its confirmation: what the marker says, or 10."""
    within = requirement.session_within if requirement is not None else None
    return 10.0 if within is None else within


class ReferenceURL(str):
    """The URL of the test's own reference orchestrator; empty where only ws_soak will start one."""

    __slots__ = ()


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
def _ws_loop(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoop:
    """The event loop on which the test will run."""
    from .clock import loop_scope

    if not pytest_asyncio.is_async_test(request.node):
        pytest.fail(
            f"{request.node.nodeid}: a ws_* fixture of this test needs the event loop of a pytest-asyncio "
            "test, and this is none: write 'async def', or use ws_soak, which needs no loop",
            pytrace=False,
        )
    loop: asyncio.AbstractEventLoop = request.getfixturevalue(f"_ws_loop_{loop_scope(request.node)}")
    request.node.stash[loop_key] = loop
    return loop


@pytest.fixture
def _ws_order(request: pytest.FixtureRequest) -> str:
    """Which of simultaneous timers comes first, in tests that run in two orders; see orders.py."""
    order: str = request.param
    return order


@pytest.fixture
def ws_url(request: pytest.FixtureRequest) -> str:
    """
    The URL under test: marker, ``--ws-url``, ``WS_URL``, ini ``ws_url``, else the reference orchestrator's.

    Override it to test your own server.

    """
    url = plan_of(request.node).url or request.config.stash[settings_key].url
    if url is not None:
        return url
    if "ws_soak" in request.fixturenames and not pytest_asyncio.is_async_test(request.node):
        return ReferenceURL()
    orchestrator: Orchestrator = request.getfixturevalue("ws_orchestrator")
    return ReferenceURL(orchestrator.url)


@pytest.fixture
def ws_orchestrator(
    request: pytest.FixtureRequest, _ws_loop: asyncio.AbstractEventLoop
) -> Iterator[Orchestrator]:
    """A running reference `Orchestrator` on the test's own loop, set up by the ws_orchestrator marker."""
    from ..net.server.orchestrator import Orchestrator

    orchestrator = Orchestrator(**_orchestrator_options(request))
    _ws_loop.run_until_complete(orchestrator.start())
    request.node.stash[orchestrator_key] = orchestrator
    yield orchestrator
    _ws_loop.run_until_complete(orchestrator.stop())


@pytest.fixture
def ws_connect(
    request: pytest.FixtureRequest, _ws_loop: asyncio.AbstractEventLoop, ws_url: str
) -> Iterator[Connector]:
    """Async factory of monitored connections: ``connection = await ws_connect(heartbeat="25s")``."""
    from ..net.connector import Connector

    connector = Connector(
        _way(request, ws_url),
        lambda target: connect_options(request.node, ws_url, target),
        requirement=plan_of(request.node).requirement,
        orchestrator=_own_orchestrator(request, ws_url),
        proxies=lambda: proxies_of(request.node),
    )
    request.node.stash[connector_key] = connector
    yield connector
    _ws_loop.run_until_complete(connector.close_all())


@pytest.fixture
def ws_proxy(
    request: pytest.FixtureRequest, _ws_loop: asyncio.AbstractEventLoop, ws_url: str
) -> Iterator[Proxies]:
    """Async factory of fault proxies in front of ``ws_url``: ``proxy = await ws_proxy(faults=[...])``."""
    from ..net.proxy.proxies import Proxies

    proxies = Proxies(ws_url)
    request.node.stash.setdefault(proxies_key, []).append(proxies)
    yield proxies
    _ws_loop.run_until_complete(proxies.close())


@pytest.fixture
def ws_middlebox(request: pytest.FixtureRequest, ws_url: str) -> Iterator[MiddleboxProxy]:
    """A proxy or load balancer in front of ``ws_url``, one test for each: ``url``, ``name``, ``preset``."""
    from ..core.faults.middleboxes import middlebox
    from ..net.proxy.proxies import MiddleboxProxy, Proxies

    if "ws_soak" in request.fixturenames and not pytest_asyncio.is_async_test(request.node):
        # It needs a loop, and only the hold had one: this is the box that the hold went through.
        yield request.getfixturevalue("ws_soak").proxy
        return
    loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
    proxies = Proxies(ws_url)
    request.node.stash.setdefault(proxies_key, []).append(proxies)
    box = MiddleboxProxy(ws_url, middlebox(request.param))
    loop.run_until_complete(proxies.start(box))
    yield box
    loop.run_until_complete(proxies.close())


@pytest.fixture
def ws_clock(_ws_loop: asyncio.AbstractEventLoop) -> Clock:
    """The clock of the test: ``now``, ``is_virtual``, ``await advance("30s")``."""
    from .clock import Clock

    return Clock(_ws_loop)


@pytest.fixture
def ws_connection(request: pytest.FixtureRequest, ws_connect: Connector) -> Connection:
    """One open connection to ``ws_url``, set up by the ws_stability marker, session confirmed."""
    loop: asyncio.AbstractEventLoop = request.node.stash[loop_key]
    connection = loop.run_until_complete(ws_connect.open())
    if connection.websocket.profile.has_session:
        # Whether it came is judged when the test is called, so that it fails and is no error of a fixture.
        until = connection.timeline.opened + session_within(connection.requirement)
        loop.run_until_complete(connection.websocket.wait_session(until))
    request.node.stash[connection_key] = connection
    return connection


@pytest.fixture
def ws_soak(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    """The finished hold that the ws_stability marker describes; needs no event loop of the test's."""
    from ..net.hold import hold
    from ..net.server.orchestrator import Orchestrator
    from .clock import leads_out
    from .soaks.private_loops import in_another_order, run_hold

    if leads_out(request.node):
        from .soaks.scheduling import soaks_of

        soaked = soaks_of(request.session).judge(request.node, ws_url)
        request.node.stash[soak_key] = soaked
        return soaked
    plan = plan_of(request.node)
    assert plan.requirement is not None
    options = hold_options(request.node, ws_url)
    own = isinstance(ws_url, ReferenceURL)

    def again(requirement: Requirement) -> Coroutine[Any, Any, Soak]:
        orchestrator = Orchestrator(**_orchestrator_options(request)) if own else None
        return hold(requirement, url=None if own else ws_url, orchestrator=orchestrator, **options)

    if pytest_asyncio.is_async_test(request.node):
        # On the test's own loop, because the server of a user's fixture may live there too.
        loop: asyncio.AbstractEventLoop = request.getfixturevalue("_ws_loop")
        orchestrator = _own_orchestrator(request, ws_url)
        soaked = loop.run_until_complete(
            hold(plan.requirement, url=ws_url, orchestrator=orchestrator, **options)
        )
        # The reference orchestrator can be had twice; a server of the user's cannot.
        if own:
            soaked = in_another_order(soaked, again, _chance(request))
    else:
        soaked = run_hold(plan.requirement, again, _chance(request))
    request.node.stash[soak_key] = soaked
    return soaked


# What they share.


def _own_orchestrator(request: pytest.FixtureRequest, url: str) -> Orchestrator | None:
    """The test's running orchestrator, if it has one: its timelines then stand beside the client's."""
    if not isinstance(url, ReferenceURL) and "ws_orchestrator" not in request.fixturenames:
        return None
    orchestrator: Orchestrator = request.getfixturevalue("ws_orchestrator")
    return orchestrator


def _way(request: pytest.FixtureRequest, url: str) -> str:
    """Where connections of a test lead that are given no URL: through its middlebox, if it has one."""
    if MIDDLEBOX not in request.fixturenames:
        return url
    box: MiddleboxProxy = request.getfixturevalue(MIDDLEBOX)
    return box.url


def proxies_of(item: pytest.Item) -> list[FaultProxy]:
    """The fault proxies that a test has started."""
    return [proxy for proxies in item.stash.get(proxies_key, ()) for proxy in proxies.proxies]


def fault_reports(item: pytest.Item) -> list[str]:
    """What was broken on purpose in a test, as far as it was applied, and how to break it again."""
    soak = item.stash.get(soak_key, None)
    held = [soak.proxy] if soak is not None and soak.proxy is not None else []
    reports = [proxy.report() for proxy in [*held, *proxies_of(item)] if proxy.applied or proxy.failures]
    orchestrator = item.stash.get(orchestrator_key, None)
    if orchestrator is not None and orchestrator.program:
        lines = [f"faults of the orchestrator {orchestrator.program!r}"]
        reports.append("\n".join([*lines, *(f"  applied   {applied}" for applied in orchestrator.applied)]))
    return reports


def hold_options(item: pytest.Item, url: str) -> dict[str, Any]:
    """What the marker and the options say about a hold; it goes through the middlebox of the test."""
    options = connect_options(item, url, url)
    name = getattr(getattr(item, "callspec", None), "params", {}).get(MIDDLEBOX)
    if name is not None:
        from ..core.faults.middleboxes import middlebox
        from ..net.proxy.proxies import MiddleboxProxy

        options["through"] = partial(MiddleboxProxy, preset=middlebox(name))
    return options


def connect_options(item: pytest.Item, under_test: str, target: str) -> dict[str, Any]:
    """What the marker and the options say about a connection to a target."""
    from ..net.target import TLS
    from .files.recording import tape_key

    settings, plan = item.config.stash[settings_key], plan_of(item)
    options: dict[str, Any] = {"client": plan.client, "profile": plan.profile}
    tape = item.config.stash.get(tape_key, None)
    if tape is not None:
        options["opened"] = partial(tape.watch, item.nodeid, plan.requirement)
    if plan.requirement is not None:
        options["heartbeat"] = plan.requirement.heartbeat_every
    if (found := _behind_proxy(item, target)) is not None:
        # Names in the handshake and in certificates are the server's; only the way is another.
        target, options["address"] = found
        options["url"] = target
    # Credentials are for the server under test and for no other.
    if urlsplit(target).netloc == urlsplit(under_test).netloc:
        options["headers"] = settings.headers
        options["subprotocols"] = settings.subprotocols
        options["tls"] = TLS(ca=settings.ca, insecure=settings.insecure)
    return options


def _behind_proxy(item: pytest.Item, url: str) -> tuple[str, tuple[str, int]] | None:
    """Where the URL of a fault proxy of the test leads, and where the proxy listens."""
    proxies = proxies_of(item)
    if not proxies:
        return None
    from ..net.proxy.proxies import behind

    found = behind(proxies, url)
    return (found[0], found[1].address) if found is not None else None


def _chance(request: pytest.FixtureRequest) -> Chance | None:
    """What virtual time leaves open; None in real time."""
    from .clock import is_virtual
    from .orders import chance_of

    return chance_of(request.node) if is_virtual(request.node) else None


def _orchestrator_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"profile": plan_of(request.node).profile, **orchestrator_of(request.node)}

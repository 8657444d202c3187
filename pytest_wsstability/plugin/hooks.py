"""
What every run of pytest sees of the plugin, and no more than that.

Hooks that look whether a test is ours, and the fixtures by name. What they do is in running.py and the
modules behind it, which load all together with the first test that is ours: a run without one pays for
options, declarations and a look at each test.

PYTEST_DONT_REWRITE, or pytest would warn that it cannot: the package finds this module before pytest does.

"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from . import hookspecs
from .markers import DESCRIPTIONS, any_concerns_us, any_names_the_package, is_below_a_requirement, uses_us
from .options import add_options, header, read_settings
from .stash import settings_key

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from ..net.connection import Connection
    from ..net.connector import Connector
    from ..net.fleet.fleet import Fleet
    from ..net.hold import Soak
    from ..net.proxy.proxies import MiddleboxProxy, Proxies
    from ..net.server.orchestrator import Orchestrator
    from ..net.target import Headers
    from ..net.voice.soak import VoiceSoak
    from . import running as inside
    from . import secrecy, unheld_marks, workers
    from .clock import Clock
    from .servers.command import ServerProcess
    from .soaks import xdist
    from .workers import WorkerLink
else:

    class _LazyModule:
        """Stands for a module, and loads it when something of it is asked for."""

        def __init__(self, module: str) -> None:
            self.module = module

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_"):
                # pytest looks for fixtures, and asks everything that it finds here what it is.
                raise AttributeError(name)
            return getattr(import_module(f"{__package__}.{self.module}"), name)

    inside = _LazyModule("running")
    # Light ones, which runs with pytest-xdist load.
    workers, xdist = _LazyModule("workers"), _LazyModule("soaks.xdist")
    secrecy = _LazyModule("secrecy")
    unheld_marks = _LazyModule("unheld_marks")

_INSIDE = "wsstability-running"
_PACKAGE = __name__.partition(".")[0]
# Parameters of so many characters hold no secret that is known by value, and no URL.
_SHORT = 7
# Without one of these in it, in lower case, a text shows no secret by its form.
_FORMS = ("://", "eyj", "=", "bearer", "basic")


def __dir__() -> list[str]:
    # pytest asks everything that it finds here what it is: it is to find hooks and fixtures only.
    return [name for name in globals() if name.startswith(("pytest_", "ws_", "_ws_"))]


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    config.stash[settings_key] = settings = read_settings(config)
    for description in DESCRIPTIONS:
        config.addinivalue_line("markers", description)
    if settings.gives_secrets:
        secrecy.collect(settings)
    if settings.need_a_look:
        inside.check_settings(config)
    if settings.wants_reports:
        _enter(config)


# The first: the header of the run is printed when the others are called.
@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.stash[settings_key].gives_secrets:
        secrecy.watch(session.config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    settings = config.stash[settings_key]
    return header(settings, inside.shown(settings) if settings.targets else settings.target.kind.value)


# The last of the wrappers is the innermost: pytest-asyncio, which wraps too, then sees the mark.
@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    made = yield
    # Asked for every name in a module, of which most make no test.
    if made is not None:
        items = made if isinstance(made, list) else (made,)
        if ours := [each for each in items if isinstance(each, pytest.Function) and uses_us(each)]:
            inside.check_made(collector, ours)
    return made


# The outermost: what other plugins add to the report of a file that cannot be collected is seen too.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.failed:
        secrecy.redact_report(report)
    return report


# The innermost: of tests that another plugin leaves out, as --lf does, some may be held to a mark.
@pytest.hookimpl(wrapper=True, trylast=True, specname="pytest_make_collect_report")
def pytest_note_collected(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.passed and is_below_a_requirement(collector):
        unheld_marks.note(collector, report.result)
    return report


def pytest_make_parametrize_id(val: object) -> str | None:
    # A URL with a token in it would be printed with every line about the test.
    return secrecy.parameter_id(val) if isinstance(val, str) and _may_hide(val) else None


def _may_hide(text: str) -> bool:
    """Whether a secret may be in a text: by its form, or by value where one was given."""
    if len(text) <= _SHORT:
        return False
    lowered = text.lower()
    return f"{_PACKAGE}.core.secret_values" in sys.modules or any(form in lowered for form in _FORMS)


# Before pytest-asyncio, which gives each marked test here the loop that the project has chosen by its hook.
@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Generator[None, Any, Any]:
    if uses_us(metafunc.definition):
        inside.parametrize(metafunc)
    return (yield)


# The last to order them: a plugin that shuffles has shuffled, and what is chosen is chosen.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    if any_concerns_us(session.items):
        _enter(session.config)
        inside.collected(session)
    elif f"{_PACKAGE}.net.connection" in sys.modules or any_names_the_package(session.items):
        # Tests that open connections by themselves may forget to await what they assert.
        _enter(session.config)


# On the controller of xdist, for each worker that is about to start.
@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    config = node.config

    def received(link: WorkerLink) -> None:
        _enter(config)
        inside.receive(config, link)

    workers.links_of(config).welcome(node, received)


# ... and for what is done when all have started: which tests go where, and when it is to end.
@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config) -> Generator[None, Any, Any]:
    return xdist.around(config, (yield))


def _enter(config: pytest.Config) -> None:
    """Let the hooks of running.py run from now on, unless they do already."""
    if not config.pluginmanager.has_plugin(_INSIDE):
        inside.enter(config, _INSIDE)


# The fixtures.


@pytest.fixture
def _ws_loop(request: pytest.FixtureRequest) -> AbstractEventLoop:
    """The event loop on which the test will run."""
    return inside.fixtures.loop_of(request)


@pytest.fixture
def ws_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """
    The URL under test.

    That of the marker, of ``--ws-url``, ``--ws-app`` or ``--ws-command``, of ``WS_URL``, of the fixture
    ``ws_app``, of the ini file; else the reference orchestrator's. Override it for a server of your fixtures.

    """
    yield from inside.fixtures.url(request)


@pytest.fixture
def ws_app(request: pytest.FixtureRequest) -> Any:
    """
    The app under test, or None: an ASGI app, an aiohttp or Tornado application, or a websockets handler.

    Override it, and the app is served by the server that its users deploy (see the marker ``ws_server``).

    """
    return inside.fixtures.app(request)


@pytest.fixture
def ws_headers() -> Headers:
    """
    Header fields with which the connections of a test open: none. Override it, for a fresh token.

    Those of the marker count before, those of options and ini file after; None as a value removes a field.

    """
    return {}


@pytest.fixture
def ws_subprotocols() -> Sequence[str] | None:
    """Subprotocols that the connections of a test offer; None: those of the options. Override it."""
    return None


@pytest.fixture
def ws_command(request: pytest.FixtureRequest) -> ServerProcess:
    """The process of ``--ws-command``: ``await restart()``, ``kill()``, ``freeze()``, ``resume()``."""
    return inside.fixtures.command(request)


@pytest.fixture
def ws_orchestrator(request: pytest.FixtureRequest, _ws_loop: AbstractEventLoop) -> Iterator[Orchestrator]:
    """A running reference `Orchestrator` on the test's own loop, set up by the ws_orchestrator marker."""
    yield from inside.fixtures.orchestrator(request, _ws_loop)


@pytest.fixture
def ws_connect(
    request: pytest.FixtureRequest, _ws_loop: AbstractEventLoop, ws_url: str
) -> Iterator[Connector]:
    """
    Async factory of monitored connections: ``connection = await ws_connect(heartbeat="25s")``.

    It opens what is under test; ``ws_connect("/voice")`` a path on that server, a whole URL another one.
    For a task of its own: ``group.create_task(ws_connect.open(heartbeat="25s"))``.

    """
    yield from inside.fixtures.connect(request, _ws_loop, ws_url)


@pytest.fixture
def ws_proxy(request: pytest.FixtureRequest, _ws_loop: AbstractEventLoop, ws_url: str) -> Iterator[Proxies]:
    """Async factory of fault proxies in front of ``ws_url``: ``proxy = await ws_proxy(faults=[...])``."""
    yield from inside.fixtures.proxy(request, _ws_loop, ws_url)


@pytest.fixture
def ws_middlebox(request: pytest.FixtureRequest, ws_url: str) -> Iterator[MiddleboxProxy]:
    """A proxy or load balancer in front of ``ws_url``, one test for each: ``url``, ``name``, ``preset``."""
    yield from inside.fixtures.box(request, ws_url)


@pytest.fixture
def ws_clock(_ws_loop: AbstractEventLoop) -> Clock:
    """The clock of the test: ``now``, ``is_virtual``, ``await advance("30s")``."""
    return inside.clock.Clock(_ws_loop)


@pytest.fixture
def ws_connection(request: pytest.FixtureRequest, ws_connect: Connector) -> Connection:
    """One open connection to ``ws_url``, set up by the ws_stability marker, session confirmed."""
    return inside.fixtures.connection(request, ws_connect)


@pytest.fixture
def ws_soak(request: pytest.FixtureRequest, ws_url: str) -> Soak:
    """The finished hold that the ws_stability marker describes; needs no event loop of the test's."""
    return inside.soaked.soaked(request, ws_url)


@pytest.fixture(scope="session")
def ws_cluster(request: pytest.FixtureRequest) -> str | None:
    """The Dask cluster on which fleets run in real time: override it to give a ``distributed.Client``."""
    cluster: str | None = request.config.stash[settings_key].cluster
    return cluster


@pytest.fixture
def ws_fleet(request: pytest.FixtureRequest, ws_url: str) -> Fleet:
    """The finished fleet that the ws_stability marker describes: many connections as one requirement."""
    return inside.fleets.held(request, ws_url)


@pytest.fixture
def ws_voice(request: pytest.FixtureRequest, ws_url: str) -> VoiceSoak:
    """The finished spoken conversation that the ws_voice marker describes, and its connection."""
    return inside.voices.spoken(request, ws_url)

"""The target of a test where the test brings it: its orchestrator, or a server that only a hold starts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

from ..core.timeline.events import End
from ..net.errors import OpeningError
from ..net.server.orchestrator import Orchestrator
from .plans import orchestrator_of, plan_of
from .servers.apps import served, source_of
from .stash import orchestrator_key
from .targets import AppURL, ReferenceURL, joined
from .voice_marks import with_agent

if TYPE_CHECKING:
    import pytest

    from ..profiles import Profile

OwnServer = Callable[[], AbstractAsyncContextManager[tuple[str, Orchestrator | None]]]


def own_server(request: pytest.FixtureRequest, ws_url: str) -> OwnServer:
    """
    What starts the target on the running loop, where only a hold brings one, and stops it after.

    Returns:
        A function that gives the URL, and the reference orchestrator behind it if it is that.

    """
    source = source_of(request) if isinstance(ws_url, AppURL) and not ws_url else None
    own = own_orchestrator(request, ws_url) if ws_url else None

    @asynccontextmanager
    async def reached() -> AsyncIterator[tuple[str, Orchestrator | None]]:
        async with AsyncExitStack() as stack:
            if source is not None:
                yield await stack.enter_async_context(served(request.node, source)), None
            elif isinstance(ws_url, ReferenceURL) and not ws_url:
                running = await stack.enter_async_context(Orchestrator(**orchestrator_options(request)))
                try:
                    yield joined(running.url, plan_of(request.node).path), running
                except OpeningError:
                    # What the test broke itself is told with it.
                    request.node.stash[orchestrator_key] = running
                    raise
            else:
                yield ws_url, own

    return reached


def own_orchestrator(request: pytest.FixtureRequest, url: str) -> Orchestrator | None:
    """The test's running orchestrator, if it has one: its timelines then stand beside the client's."""
    if not isinstance(url, ReferenceURL) and "ws_orchestrator" not in request.fixturenames:
        return None
    running = request.getfixturevalue("ws_orchestrator")
    # One of the project's by this name, or a parameter, may be anything.
    return running if isinstance(running, Orchestrator) else None


def orchestrator_options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The keywords of the test's orchestrator."""
    plan = plan_of(request.node)
    options = {"profile": plan.profile, **with_agent(request.node, orchestrator_of(request.node))}
    every = plan.requirement.heartbeat_every if plan.requirement is not None else None
    if every is not None and _only_the_server_beats(options["profile"]):
        # Where neither the protocol nor the mark says how often, the test does, as for a client's.
        options.setdefault("heartbeat_interval", every)
    return options


def _only_the_server_beats(profile: Profile) -> bool:
    """Whether the server sends messages as heartbeats, and nothing in the protocol says how often."""
    ours = profile.heartbeat_is_frame or profile.beats(End.CLIENT)
    return not ours and profile.beats(End.SERVER) and profile.interval is None

"""The reference server: the orchestrator of the story, with every timer in the open."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, Unpack

from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from ...core.asserted import awaited, doing
from ...core.duration import Duration, parse_duration
from ...core.faults import AppliedFault, Fault, Program
from ...core.judge.attempts import ConnectionAttempt
from ...core.judge.backoff import Backoff
from ...core.judge.verdict import Verdict
from ...core.voice.agent_record import AgentRecord
from ...core.voice.pipeline import Pipeline
from ...profiles import JSON, Profile
from ...profiles.catalogue import find
from ..client import INBOX, MAX_SIZE, check_max_size
from ..connection import Connection
from ..conversing import server_conversation
from ..port import Port
from ..proxy.link import Link
from ..proxy.path import Path, follow
from ..proxy.proxy import FaultProxy, links_to
from ..target import Headers, parse_headers, subprotocol_names
from ..websocket import LOGGER, WebSocket
from .admission import Admission
from .agents import VoiceAgents
from .behaviour import DROP, BehaviourKeywords, behaviour_of, restart_code
from .handlers import Handler, Handlers, echo_messages
from .peer_faults import PeerFaults
from .protocol_faults import check
from .reconnects import assert_no_duplicate_session, assert_no_storm, assert_notices_loss, assert_reconnects
from .registry import NoSessionError, SessionRegistry
from .replies import reply_to
from .responses import Limits, Responses
from .session import Session
from .side import ServerSide
from .status import settings_of

__all__ = ["NoSessionError", "Orchestrator"]

# Seconds that clients have to answer the close frame of a server that goes down.
CLOSE_GRACE = 1.0

Faults = Program | Fault | Iterable[Any]


class OrchestratorKeywords(BehaviourKeywords, total=False):
    """All keywords of an `Orchestrator`, for where they are handed on to it."""

    profile: Profile | str
    echo: bool
    handler: Handler | None
    voice: Pipeline | None
    host: str
    port: int
    tls: ssl.SSLContext | None
    subprotocols: Sequence[str]
    compression: bool
    headers: Headers
    max_size: int | None
    ended: Callable[[Connection], object] | None
    refused: Callable[[ConnectionAttempt], object] | None
    page: str | None
    faults: Faults
    allow_origins: Iterable[str] | None
    limits: Limits | None


class Orchestrator:
    """
    A WebSocket server that speaks a profile's protocol and records what it sees.

    Use it as ``async with Orchestrator() as orchestrator:``, or through the ``ws_orchestrator`` fixture.

    Args:
        behaviour: keywords of `Behaviour`: ``read_deadline`` (default 60 s), ``ping_interval`` (30 s),
            ``deadline_reset_by`` (a set of "pong", "ping", "data", "heartbeat", "any"; default "pong"),
            ``on_deadline`` ("drop" or a close code), and ``greet``, ``confirm_sessions``,
            ``answer_heartbeats`` (True, False, or a delay).
        profile: the application protocol.
        echo: send each application message back.
        handler: a coroutine function that is given each `Connection`; it may `recv` and `send`, and the
            connection is closed with 1000 when it returns.
        voice: be a voice agent with this pipeline.
        host, port: where to listen; port 0 takes a free one.
        tls: the server's context for wss://.
        subprotocols: names to choose from; empty: the profile's, and none where a client offers none of them.
        compression: accept permessage-deflate (RFC 7692).
        headers: further header fields of the handshake response.
        max_size: bytes of a message above which a connection fails with 1009; None for no limit.
        ended: called with each connection that has ended.
        refused: called with each of the `attempts` that did not become a connection, once it is over.
        page: HTML for browsers that ask for ``/`` without an upgrade; None answers them with HTTP 426. The
            page may ask ``/status?session=ID`` for what the server knows of its session, as JSON.
        allow_origins: sites whose pages may connect besides the server's own (``https://app.example``,
            ``*`` for all); with it, names are refused that another site may have pointed at this server (DNS
            rebinding). None checks nothing.
        limits: how many connections at once, and how many sessions that are over are remembered.
        faults: what goes wrong on purpose with each connection, and when after its opening: a list of faults
            and of pairs such as ``("30s", faults.WithholdPongs())``, or a ``faults.Program``.

    Raises:
        TypeError, ValueError: for a keyword or value that makes no sense, naming it.

    """

    def __init__(
        self,
        *,
        profile: Profile | str = JSON,
        echo: bool = False,
        handler: Handler | None = None,
        voice: Pipeline | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        subprotocols: Sequence[str] = (),
        compression: bool = False,
        headers: Headers = (),
        max_size: int | None = MAX_SIZE,
        ended: Callable[[Connection], object] | None = None,
        refused: Callable[[ConnectionAttempt], object] | None = None,
        page: str | None = None,
        allow_origins: Iterable[str] | None = None,
        limits: Limits | None = None,
        faults: Faults = (),
        **behaviour: Unpack[BehaviourKeywords],
    ) -> None:
        self.profile = find(profile)
        self.behaviour = behaviour_of(self.profile, **behaviour)
        _check(max_size, limits, echo=echo, handler=handler, voice=voice)
        # None where nobody speaks.
        self._agents = None if voice is None else VoiceAgents.of(voice, self.profile, self._block)
        self._handlers = Handlers(echo_messages if echo else handler)
        self._port, self._subprotocols = Port(host, port, tls), _offered(subprotocols)
        self._select = None if self._subprotocols else _chooser(self.profile.subprotocols)
        self._extensions = [ServerPerMessageDeflateFactory()] if compression else None
        self._headers, self._max_size = parse_headers(headers), max_size
        self._registry = SessionRegistry(
            self.profile, on_open=self._begin, on_close=self._end, on_goodbye=self._part,
            faults_until=lambda: self.program.end, keep=limits.sessions if limits is not None else None,
        )  # fmt: skip
        if allow_origins is not None or page is not None or limits is not None:
            admission = Admission.of(host, allow_origins) if allow_origins is not None else None
            self._registry.answer = self._responses(admission, page, limits).answer
        self.program = Program.of(faults)
        check(self.program, self.profile)
        self._faults = PeerFaults(self.program, self._registry, self._restart_by_fault)
        # None: clients reach the server directly.
        self._path = Path(self.program.link, tls=tls is not None) if self.program.link else None
        self._registry.links_to = self._links_to
        self._registry.on_refused, self._ended = self._handlers.heard(refused), self._handlers.heard(ended)
        self._running = False
        # Down and about to come back; None while it is up or stopped.
        self._restarting: asyncio.Task[None] | None = None

    def _responses(self, admission: Admission | None, page: str | None, limits: Limits | None) -> Responses:
        return Responses(
            self._registry, self.behaviour, self._settings, admission=admission, page=page, limits=limits
        )

    def _begin(self, connection: Connection) -> None:
        if self._agents is not None:
            self._agents.start(connection)
        elif self._handlers:
            self._handlers.start(connection)
        elif self.profile.reply is not None:
            reply_to(connection)

    def _part(self, connection: Connection, part: Callable[[], None]) -> None:
        """A client goes. What an agent has heard is answered first; a handler says goodbye by itself."""
        if self._agents is not None:
            self._agents.part(connection, part)
        elif not self._handlers:
            part()

    def _end(self, connection: Connection) -> None:
        if self._agents is not None:
            self._agents.stop(connection)
        if self._ended is not None:
            self._ended(connection)

    def _block(self, seconds: float) -> None:
        """A stage of the voice pipeline works on the event loop."""
        self._faults.freeze.start(self._registry.websockets, seconds)

    @property
    def pipeline(self) -> Pipeline | None:
        """That of the voice agent; None where the server is none."""
        return None if self._agents is None else self._agents.pipeline

    def agent_record(self, connection: Connection) -> AgentRecord | None:
        """
        What the voice agent knows of the turns of a connection.

        Args:
            connection: either end of it.

        """
        if self._agents is None:
            return None
        mine = connection if connection.opener is None else connection.peer
        return None if mine is None else self._agents.record(mine)

    def _settings(self) -> dict[str, str]:
        return settings_of(self.behaviour, self.profile, self.program)

    @property
    def url(self) -> str:
        """
        Where clients connect to.

        Raises:
            RuntimeError: if the orchestrator was never started.

        """
        url = self._path.url(self._port.url) if self._path is not None else self._port.url
        if url is None:
            raise RuntimeError(
                "the orchestrator has no URL before it is started: use 'async with' or start()"
            )
        return url

    @property
    def applied(self) -> list[AppliedFault]:
        """Faults of the link that were applied, with planned and actual instants, in order."""
        return self._path.applied if self._path is not None else []

    @property
    def sessions(self) -> list[Session]:
        """Every session so far, in the order of arrival, with a connection for each time it (re)connected."""
        return self._registry.sessions

    @property
    def attempts(self) -> Sequence[ConnectionAttempt]:
        """Everybody who connected, in the order of arrival: connections, and those who were refused."""
        return self._registry.attempts

    def __repr__(self) -> str:
        return f"<Orchestrator {self._port.url or 'not started'}, {len(self.sessions)} session(s)>"

    async def __aenter__(self) -> Orchestrator:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """
        Listen.

        Raises:
            OSError: if the address is in use or not ours, naming it.

        """
        if self._running:
            raise RuntimeError("the orchestrator is running already")
        await self._open()
        self._running = True

    async def _open(self) -> None:
        if self._path is not None and self._port.url is None:
            self._port = self._path.place(self._port)
        await self._port.open(self._connection)
        if self._path is not None:
            try:
                await self._path.open(self._port)
            except OSError:
                self._port.close()
                raise

    def _connection(self) -> WebSocket:
        protocol = ServerProtocol(
            subprotocols=self._subprotocols or None,
            select_subprotocol=self._select,
            extensions=self._extensions,
            max_size=self._max_size,
            logger=LOGGER,
        )
        side = ServerSide(self.behaviour, self._registry, self._headers, self._faults)
        inbox, loop = INBOX if self._handlers else 0, asyncio.get_running_loop()
        conversation = server_conversation(
            self.profile, interval=self.behaviour.heartbeat_interval, knows=self._registry.knows, loop=loop
        )
        return WebSocket(protocol, side, conversation, loop=loop, inbox=inbox)

    async def stop(self) -> None:
        """
        Close every connection with 1001 and wait until nothing of the server is left.

        Raises:
            BaseException: what a handler, `ended` or `refused` raised, the first of them.

        """
        if not self._running:
            return
        self._running = False
        if self._restarting is not None:
            self._restarting.cancel()
            await asyncio.gather(self._restarting, return_exceptions=True)
        self._faults.freeze.thaw()
        server = self._port.close()
        self._port.release()
        deadline = asyncio.get_running_loop().time() + CLOSE_GRACE
        await self._registry.end_all(1001, "server shutdown", until=deadline)
        try:
            await self._handlers.finish()
            if self._agents is not None:
                self._agents.finish()
        finally:
            if self._path is not None:
                await self._path.close()
            if server is not None:
                await server.wait_closed()

    @doing("the server stayed up")
    async def restart(self, *, down_for: Duration = "1s", how: int | str = "drop") -> None:
        """
        Go down with all sessions, and come back on the same address; what was recorded stays.

        Args:
            down_for: how long nobody listens, so that connections are refused. (What a client attempts
                meanwhile is seen by nobody.)
            how: what clients see of the end: "drop" (FIN without a close frame, as of a process that dies),
                or a close code such as 1001 or 1012.

        Raises:
            RuntimeError: if the orchestrator is not running, or is down already.

        """
        code, seconds = restart_code(how), parse_duration(down_for, "down_for", zero=True)
        if not self._running:
            raise RuntimeError("restart: the orchestrator is not running; start() it, or use 'async with'")
        if self._restarting is not None:
            raise RuntimeError("restart: the orchestrator is down already, and about to come back")
        await asyncio.shield(self._go_down(code, seconds))

    def _restart_by_fault(self, seconds: float) -> None:
        # Of several connections whose programs say so, the first takes the server down.
        if self._running and self._restarting is None:
            self._go_down(restart_code(DROP), seconds)

    def _go_down(self, code: int | None, seconds: float) -> asyncio.Task[None]:
        self._restarting = task = asyncio.get_running_loop().create_task(self._down(code, seconds))
        return task

    async def _down(self, code: int | None, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        up_at = loop.time() + seconds
        self._faults.freeze.thaw()
        self._port.close(reserve=True)
        if self._path is not None:
            self._path.down()
        await self._registry.end_all(code, "the server restarts", until=min(up_at, loop.time() + CLOSE_GRACE))
        await asyncio.sleep(up_at - loop.time())
        self._restarting = None
        await self._open()

    def misbehave(self, faults: Faults = ()) -> None:
        """
        From now on do these faults to the clients that come, instead of those of before; nothing: none.

        Args:
            faults: faults of the peer, as for the constructor; their ``connections`` are counted from now on.

        Raises:
            TypeError, ValueError: for faults that make no sense, or that are the link's.

        """
        program = Program.of(faults)
        check(program, self.profile)
        if program.link:
            raise ValueError(
                f"misbehave: {program.link.steps[0].fault!r} is a fault of the link; give it to the "
                "constructor, or to a proxy in front of the server"
            )
        steps = (*self.program.link.steps, *program.steps)
        self.program = replace(program, steps=steps)
        self._faults.change(program)

    def witness(self, connection: Connection, *, through: Iterable[FaultProxy] = ()) -> None:
        """
        Show this server's timeline with the failures of a client's connection, if it leads here.

        Both ends are joined by the client's address, through the fault proxies that are given; through a
        relay that nobody here knows of, by the session that the client names.

        Args:
            connection: the client's end.
            through: proxies that may be on the way; their timelines are shown too.

        """
        transport = connection.websocket.transport
        if transport is None:
            return
        address, between = follow(transport.get_extra_info("sockname"), list(through))
        if self._path is not None:
            address, more = self._path.route(address)
            between += more
        mine = self._registry.seen_by(address)
        if mine is not None:
            connection.others = (mine.timeline, *between)
            connection.peer, mine.peer = mine, connection
        else:
            connection.find_peer = self._registry.other_end

    def _links_to(self, client: Any) -> list[Link]:
        own = self._path.links_to(client) if self._path is not None else []
        return [*own, *links_to(client)]

    @doing("nobody waited for a session")
    async def wait_for_session(self, id: str | None = None, *, within: Duration = "10s") -> Session:
        """
        Wait for a client's session.

        Args:
            id: what the client calls it; None takes the first one, or the first connection where the
                profile has no sessions.
            within: how long to wait.

        Raises:
            NoSessionError: if none came in time, saying what came instead.

        """
        __tracebackhide__ = True
        return await self._registry.wait_for_session(id, within, self.url)

    # Assertions on all clients; those on one are its `Session`'s.

    @awaited
    async def assert_reconnects(
        self,
        *,
        within: Duration,
        same_session: bool | None = None,
        backoff: Backoff | Duration | None = None,
    ) -> Verdict:
        """
        Every client came back after each end that it did not wish itself; waits for them.

        Args:
            within: the time from the end to the opening of the next connection.
            same_session: it must carry the same session id; None: if the profile has sessions.
            backoff: no attempt may come sooner: a `Backoff`, or a duration for equal waits.

        Raises:
            SessionError: if one did not, or no connection has ended.

        """
        __tracebackhide__ = True
        return await assert_reconnects(self._registry, None, within, same_session, backoff)

    @awaited
    async def assert_notices_loss(self, *, within: Duration) -> Verdict:
        """
        Every client notices that its path or this server went dead; see `Session.assert_notices_loss`.

        Raises:
            SessionError: if one did not.
            ValueError: if no such fault was applied.

        """
        __tracebackhide__ = True
        return await assert_notices_loss(self._registry, None, within)

    def assert_no_reconnect_storm(
        self,
        *,
        max_per_second: float | None = None,
        max_per_minute: float | None = None,
        jitter: Duration | None = None,
    ) -> Verdict:
        """
        Clients came back in good order.

        Args:
            max_per_second, max_per_minute: attempts in any second or minute after the first end or loss,
                refused ones included; one of the two at least.
            jitter: seconds by which the waits of clients must differ that lost their connections together (or
                those of one client from time to time); None: not required.

        Raises:
            SessionError: if they did not, or nobody reconnected.

        """
        __tracebackhide__ = True
        return assert_no_storm(self._registry, max_per_second, max_per_minute, jitter)

    def assert_no_duplicate_session(self) -> Verdict:
        """
        No session had two open connections at once.

        Raises:
            SessionError: if one had, or no client named its session.

        """
        __tracebackhide__ = True
        return assert_no_duplicate_session(self._registry)


def _offered(subprotocols: Sequence[str]) -> list[Subprotocol]:
    return [Subprotocol(name) for name in subprotocol_names(subprotocols)]


def _check(max_size: int | None, limits: Limits | None, **speakers: Any) -> None:
    check_max_size(max_size)
    if not isinstance(limits, Limits | None):
        raise TypeError(f"limits: {limits!r} is no Limits; give Limits(connections=100, sessions=1000)")
    _check_one(**speakers)


def _check_one(*, echo: bool, handler: Handler | None, voice: Pipeline | None) -> None:
    """See that not two want to talk on one connection."""
    if echo and handler is not None:
        raise ValueError("echo: there is a handler already; give one of the two")
    if voice is not None and (echo or handler is not None):
        raise ValueError(f"voice: there is {'echo' if echo else 'a handler'} already; give one of them")


def _chooser(
    names: Sequence[str],
) -> Callable[[ServerProtocol, Sequence[Subprotocol]], Subprotocol | None] | None:
    """Chooses the first of these that is offered, and serves those who offer none; None without names."""
    if not names:
        return None
    return lambda _, offered: next((Subprotocol(name) for name in names if name in offered), None)

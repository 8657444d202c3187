"""What users hold of a WebSocket: messages, and assertions on what it lived through."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from ..core import assertions
from ..core.assertions import Judged, StabilityError
from ..core.duration import Duration
from ..core.judgement import Judgement
from ..core.requirement import Requirement
from ..core.timeline import Timeline
from ..core.verdict import Outcome, Verdict
from .errors import ConnectionEnded
from .hold import hold, wait_session
from .websocket import WebSocket


class Connection(Judged):
    """
    An open WebSocket connection, at either end.

    Iterating gives application messages until a normal closure. Heartbeats, pongs and session
    messages are the profile's: they stand on the timeline and are not given to `recv`.

    Attributes:
        url: the target, secrets masked; empty at a server.
        session_id: what the client calls its session; None where there is none.
        requirement: what `assert_stable` checks when it is given nothing; None without a marker.
        judgement: what was asserted so far and what came of it; None before the first assertion.
        others: timelines of other ends of this connection, shown with failures.
        response_headers: the fields of the server's handshake response; empty at a server.

    """

    __slots__ = (
        "judgement", "others", "requirement", "response_headers", "session_id", "url", "websocket"
    )  # fmt: skip

    def __init__(self, websocket: WebSocket, *, url: str = "", session_id: str | None = None) -> None:
        self.websocket = websocket
        self.url = url
        self.session_id = session_id
        self.requirement: Requirement | None = None
        self.judgement: Judgement | None = None
        self.others: tuple[Timeline, ...] = ()
        self.response_headers: tuple[tuple[str, str], ...] = ()

    @property
    def timeline(self) -> Timeline:
        """Everything that this end saw, up to now."""
        timeline = self.websocket.timeline
        assert timeline is not None
        timeline.observe(self.websocket.loop.time())
        return timeline

    @property
    def timelines(self) -> Sequence[Timeline]:
        """This end's timeline, then those of other ends of this connection, as far as we hold them."""
        return (self.timeline, *self.others)

    @property
    def subprotocol(self) -> str | None:
        """What the server chose; None if nothing."""
        return self.websocket.protocol.subprotocol

    def __repr__(self) -> str:
        return f"<Connection {self.url or self.session_id or ''}: {self.timeline!r}>"

    async def send(self, message: str | bytes | Iterable[str | bytes]) -> None:
        """
        Send a text (``str``) or binary (``bytes``) message; an iterable is sent in fragments.

        Waits while the transport's buffer is full.

        Raises:
            ConnectionEnded: if the connection has ended or is closing.

        """
        websocket = self.websocket
        if isinstance(message, str | bytes | bytearray | memoryview):
            payload = message if isinstance(message, str) else bytes(message)
            websocket.send_message(payload, websocket.profile.read(payload)[0])
            await websocket.drain()
            return
        fragments = list(message)
        if not fragments:
            raise ValueError("send: no fragment to send")
        for index, fragment in enumerate(fragments):
            send = websocket.send_fragment if index else websocket.send_message
            send(fragment, fin=index == len(fragments) - 1)
            await websocket.drain()

    async def recv(self) -> str | bytes:
        """
        The next application message.

        Raises:
            ConnectionEnded: if the connection has ended and all messages are taken.

        """
        return await self.websocket.receive()

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while True:
            try:
                message = await self.recv()
            except ConnectionEnded as exc:
                if exc.evidence.abnormal:
                    raise
                return
            yield message

    async def ping(self, data: bytes | None = None) -> float:
        """
        Send a ping frame and wait for its pong.

        Returns:
            The round trip time in seconds.

        Raises:
            ConnectionEnded: if the connection ends before the pong comes.

        """
        sent = self.websocket.loop.time()
        if not await self.websocket.wait_pong(self.websocket.send_ping(data)):
            raise self.websocket.ended_error()
        return self.websocket.loop.time() - sent

    async def pong(self, data: bytes = b"") -> None:
        """Send a pong that nobody asked for: a one-way keepalive (RFC 6455, section 5.5.3)."""
        self.websocket.send_pong(data)
        await self.websocket.drain()

    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """
        Close and wait for the end, which this end planned. Does nothing when it has ended.

        Raises:
            ValueError: for a code that may not stand on the wire.

        """
        self.websocket.start_close(code, reason, planned=True)
        await self.websocket.wait_ended()

    async def wait_closed(self) -> None:
        """Wait for the end of the connection, whoever ends it."""
        await self.websocket.wait_ended()

    async def assert_alive_for(self, duration: Duration) -> None:
        """
        The connection stays open so long after its opening handshake.

        Waits for the rest of that time; ends at the first violation.

        Raises:
            StabilityError: if the connection ends before, or the evidence cannot carry the claim.

        """
        __tracebackhide__ = True
        await self._hold(assertions.alive_for(duration))

    async def assert_session_confirmed(self, *, within: Duration) -> None:
        """The session is confirmed so soon after the opening handshake; waits for it."""
        __tracebackhide__ = True
        requirement = assertions.session_confirmed(within)
        self._raise_unless_stable(requirement, await wait_session(self.websocket, requirement))

    async def assert_stable(self, **requirement: Any) -> Verdict:
        """
        Every part of the requirement holds; the keywords are those of the ``ws_stability`` marker.

        Without keywords it is the marker's own requirement. Waits as `assert_alive_for` does.

        Raises:
            StabilityError: if the verdict is not STABLE.
            TypeError, ValueError: for a keyword or value that makes no sense, or if there is no requirement.

        """
        __tracebackhide__ = True
        if requirement:
            return await self._hold(Requirement.of(**requirement))
        if self.requirement is None:
            raise ValueError(
                "assert_stable: no requirement; give keywords such as alive_for, or a ws_stability marker"
            )
        return await self._hold(self.requirement)

    async def _hold(self, requirement: Requirement) -> Verdict:
        __tracebackhide__ = True
        return self._raise_unless_stable(requirement, await hold(self.websocket, requirement))

    def note(self, requirement: Requirement, verdict: Verdict) -> None:
        """Take down what was judged, for reports."""
        self.judgement = Judgement(requirement, verdict).after(self.judgement)

    def _raise_unless_stable(self, requirement: Requirement, verdict: Verdict) -> Verdict:
        __tracebackhide__ = True
        self.note(requirement, verdict)
        if verdict.outcome is not Outcome.STABLE:
            raise StabilityError(requirement, verdict, self.timelines)
        return verdict

"""What users hold of a WebSocket: messages, and assertions on what it lived through."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, Unpack, cast

from ..core import assertions
from ..core.asserted import asserting, awaited, doing
from ..core.assertions import Judged
from ..core.diagnosis.silence import diagnose_silence, is_overdue
from ..core.duration import Duration, parse_duration, parse_optional, show_duration
from ..core.judge.backoff import Backoff
from ..core.judge.handshake import judge_resumption
from ..core.judge.judgement import Judgement
from ..core.judge.numbering import MessageCount, count_messages, judge_messages
from ..core.judge.requirement import Requirement, RequirementKeywords, count
from ..core.judge.verdict import Outcome, Verdict
from ..core.message import explain_record
from ..core.redact import show_session, show_text
from ..core.timeline.events import SAME, Direction, Role
from ..core.timeline.timeline import Timeline
from ..core.transcript import TranscriptMessage
from .errors import ConnectionEnded, OpeningError, OpeningStage
from .holding import both_over, hold_open, wait_session
from .keywords import ConnectKeywords
from .matching import Match, matcher
from .websocket import LINGER, WebSocket

# Messages that are shown where another one was expected.
_SHOWN = 3
# What makes JSON of a model of pydantic or a dataclass, by what these have: with which settings, a test says.
_AS_JSON = {"model_dump": "its model_dump(mode='json')", "__dataclass_fields__": "dataclasses.asdict() of it"}


class Opener(Protocol):
    """How a connection was opened."""

    async def again(self, **changes: Unpack[ConnectKeywords]) -> Connection:
        """Another connection of the same client, with some arguments changed."""


class Keeper(Protocol):
    """Who closes connections in the end."""

    def keep(self, connection: Connection) -> None:
        """One more."""

    def beside(self, connection: Connection) -> Sequence[Timeline]:
        """What others saw that lead to the same target."""


class Connection(Judged):
    """
    An open WebSocket connection, at either end.

    Iterating gives application messages until a normal closure, or the peer's answer to one of this end.
    Heartbeats, pongs and session messages are the profile's: they stand on the timeline and are not given to
    `recv`.

    Attributes:
        url: the target, secrets masked; empty at a server.
        requirement: what `assert_stable` checks when it is given nothing; None without a marker.
        judgement: what was asserted so far and what came of it; None before the first assertion.
        others: timelines of other ends of this connection, shown with failures.
        peer: the other end, where it is ours too; None where it is not.
        response_headers: the fields of the server's handshake response, but for the one that answers the
            client's key and has no other use; empty at a server.
        previous: the connection before `reconnect`; None for the first one, and at a server.
        opener: opens it again; None at a server.
        keeper: who closes it in the end; None if nobody does.
        is_ending: whether this end is about to close it, so that no message has to be finished any more.

    """

    __slots__ = (
        "find_peer", "is_ending", "judgement", "keeper", "opener", "others", "peer", "previous",
        "requirement", "response_headers", "url", "websocket",
    )  # fmt: skip

    def __init__(self, websocket: WebSocket, *, url: str = "") -> None:
        self.websocket = websocket
        self.url = url
        self.requirement: Requirement | None = None
        self.judgement: Judgement | None = None
        self.others: tuple[Timeline, ...] = ()
        self.peer: Connection | None = None
        # Finds it once the session is known; None where nobody can.
        self.find_peer: Callable[[Connection], Connection | None] | None = None
        self.response_headers: tuple[tuple[str, str], ...] = ()
        self.previous: Connection | None = None
        self.opener: Opener | None = None
        self.keeper: Keeper | None = None
        self.is_ending = False

    @property
    def timeline(self) -> Timeline:
        """Everything that this end saw, up to now."""
        self.observe()
        assert self.websocket.timeline is not None
        return self.websocket.timeline

    @property
    def transcript(self) -> Sequence[TranscriptMessage]:
        """What was said so far, with payloads; empty unless `connect` was asked for a transcript."""
        found = self.websocket.messages.transcript
        return () if found is None else tuple(found.messages)

    def observe(self) -> None:
        """Say on the timeline that this end has watched until now."""
        if self.websocket.timeline is not None:
            self.websocket.timeline.observe(self.websocket.loop.time())

    @property
    def session_id(self) -> str | None:
        """What its session is called, whoever named it; None where there is none, or none yet."""
        timeline = self.websocket.timeline
        return None if timeline is None else timeline.session_id

    @property
    def timelines(self) -> Sequence[Timeline]:
        """This end's timeline, then those of other ends of this connection, as far as we hold them."""
        self._meet()
        if self.peer is not None:
            self.peer.observe()
        return (self.timeline, *self.others)

    def _meet(self) -> None:
        """Look for the other end, if it may be ours and only its session can tell."""
        other = self.find_peer(self) if self.peer is None and self.find_peer is not None else None
        if other is not None:
            self.peer, other.peer = other, self
            self.others = (other.timeline, *self.others)

    def cohort(self) -> Sequence[Timeline]:
        """What other connections of the same test to the same target saw."""
        return self.keeper.beside(self) if self.keeper is not None else ()

    @property
    def local_address(self) -> str | None:
        """The IP address of this end; None where there is none, or none any more."""
        transport = self.websocket.transport
        address = transport.get_extra_info("sockname") if transport is not None else None
        return address[0] if isinstance(address, tuple) else None

    @property
    def subprotocol(self) -> str | None:
        """What the server chose; None if nothing."""
        return self.websocket.subprotocol

    def __repr__(self) -> str:
        return f"<Connection {self.url or show_session(self.session_id)}: {self.timeline!r}>"

    @doing("nothing was sent")
    async def send(self, message: str | bytes | Iterable[str | bytes] | AsyncIterable[str | bytes]) -> None:
        """
        Send a text (``str``) or binary (``bytes``) message; an iterable is sent in fragments.

        Waits while the transport's buffer is full. The fragments of an async iterable go out as they come,
        and pings between them. A message in fragments that is given up in the middle (by a cancellation,
        say) fails the connection with 1011: the peer could not tell what it has from a whole one. Not so in
        a workload (``traffic=``) that is ended with its hold: the close that follows tells.

        Raises:
            ConnectionEnded: if the connection has ended or is closing.
            TypeError: for what is no message, such as a mapping (see `send_json`).

        """
        __tracebackhide__ = True
        websocket = self.websocket
        if isinstance(message, str | bytes | bytearray | memoryview):
            payload = message if isinstance(message, str) else bytes(message)
            heard = websocket.conversation.read_own(payload)
            websocket.send_message(payload, heard.role, key=heard.key)
            await websocket.drain()
            return
        if isinstance(message, Mapping):
            raise TypeError(
                f"send: a {type(message).__name__} is no message; send_json() sends it as JSON, json.dumps() "
                "makes text of it"
            )
        if not isinstance(message, Iterable | AsyncIterable):
            raise TypeError(
                f"send: a {type(message).__name__} is no message; give str, bytes, or an iterable of them"
            )
        # For a type checker, bytes are an iterable still.
        await self._send_fragments(cast("Iterable[str | bytes] | AsyncIterable[str | bytes]", message))

    async def _send_fragments(self, fragments: Iterable[str | bytes] | AsyncIterable[str | bytes]) -> None:
        __tracebackhide__ = True
        websocket, first, text = self.websocket, True, True
        try:
            async for fragment, fin in _with_fin(fragments):
                if not isinstance(fragment, str | bytes | bytearray | memoryview):
                    raise TypeError(_no_fragment(fragments, fragment))
                if not first and isinstance(fragment, str) is not text:
                    raise TypeError("send: the fragments of a message are all str or all bytes")
                text = isinstance(fragment, str)
                if first:
                    websocket.send_message(fragment, fin=fin)
                else:
                    websocket.send_fragment(fragment, fin=fin)
                first = False
                await websocket.drain()
        except BaseException:
            if not first and not self.is_ending:
                websocket.give_message_up()
            raise
        if first:
            raise ValueError("send: no fragment to send")

    @doing("nothing was sent")
    async def send_json(self, value: Any) -> None:
        """
        Send a value as JSON text, written as a page's ``JSON.stringify`` does.

        Raises:
            ConnectionEnded: if the connection has ended or is closing.
            TypeError, ValueError: for what JSON cannot say.

        """
        __tracebackhide__ = True
        try:
            text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError) as exc:
            way = next((f"; give {way}" for name, way in _AS_JSON.items() if hasattr(value, name)), "")
            raise type(exc)(f"send_json: {exc}{way}") from None
        await self.send(text)

    @doing("nothing was received")
    async def recv(self, *, within: Duration | None = None) -> str | bytes:
        """
        The next application message.

        Args:
            within: how long to wait for it; None waits as long as the connection lives.

        Raises:
            ConnectionEnded: if the connection has ended and all messages are taken; with the cause if
                something went wrong.
            TimeoutError: if none came in time.

        """
        __tracebackhide__ = True
        seconds = parse_optional(within, "within")
        message = await self._next(seconds)
        if message is None:
            assert seconds is not None
            raise self._late(f"recv: no message came within {show_duration(seconds)}; {self._quiet()}")
        return message

    @doing("nothing was received")
    async def recv_json(self, *, within: Duration | None = None) -> Any:
        """
        The value of the next application message, which is JSON.

        Args:
            within: see `recv`.

        Raises:
            ValueError: if it is not JSON, showing the message.
            ConnectionEnded, TimeoutError: see `recv`.

        """
        __tracebackhide__ = True
        message = await self.recv(within=within)
        try:
            return json.loads(message)
        except (ValueError, RecursionError) as exc:
            raise ValueError(f"recv_json: not JSON ({exc}): {_shown(message)}") from None

    @awaited
    async def expect(self, match: Match, *, within: Duration) -> str | bytes:
        """
        The next application message that matches; those before it are taken, and lost.

        Args:
            match: the exact text or bytes, a mapping of members that the JSON object has (at any depth), a
                compiled pattern that is found in it, or a function of the message.
            within: how long to wait for it.

        Raises:
            TimeoutError: if none came in time, with what came instead.
            ConnectionEnded: if the connection ended before; with the cause if something went wrong.
            TypeError: for what matches no message.

        """
        __tracebackhide__ = True
        matches, seconds = matcher(match), parse_duration(within, "within")
        until = self.websocket.loop.time() + seconds
        passed: list[str | bytes] = []
        while (message := await self._next(until - self.websocket.loop.time())) is not None:
            if matches(message):
                return message
            passed.append(message)
        others = ", ".join(_shown(each) for each in passed[-_SHOWN:])
        came = f"{len(passed)} others came, the last: {others}" if passed else self._quiet()
        wanted = _shown(match) if isinstance(match, str | bytes) else show_text(repr(match))
        raise self._late(f"expect: {wanted} did not come within {show_duration(seconds)}; {came}")

    async def _next(self, seconds: float | None, *, to_the_end: bool = False) -> str | bytes | None:
        """The next message; None when the time is over."""
        __tracebackhide__ = True
        websocket = self.websocket
        until = None if seconds is None else websocket.loop.time() + seconds
        try:
            return await websocket.messages.receive(until, to_the_end=to_the_end)
        except ConnectionEnded as exc:
            raise self._explained(exc) from None

    def _explained(self, error: ConnectionEnded) -> ConnectionEnded:
        """The error with the cause, where something went wrong."""
        if not error.evidence.abnormal or error.evidence.planned:
            return error
        records = [timeline.sealed() for timeline in self.timelines]
        return ConnectionEnded(error.evidence, records, self.cohort())

    def _late(self, told: str) -> TimeoutError:
        """The error about what did not come, with the cause, where the record shows one."""
        if not is_overdue(self.timeline):
            # Who asks for messages again and again goes on; the records of others are many.
            return TimeoutError(told)
        records = [timeline.sealed() for timeline in self.timelines]
        found = diagnose_silence(records, cohort=self.cohort())
        return TimeoutError(told if found is None else explain_record([told], records, found))

    def _quiet(self) -> str:
        """How the connection is while nothing comes."""
        line = self.timeline
        at, now = line.last(direction=Direction.RECEIVED, role=Role.DATA), line.duration
        last = "no message ever came" if at is None else f"the last one came at {show_duration(round(at, 3))}"
        heard = now - line.silent_for(Direction.RECEIVED)
        if line.count(Direction.RECEIVED) and (at is None or heard > at + SAME):
            last += f"; the last frame of any kind came at {show_duration(round(heard, 3))}"
        return f"the connection is open at {show_duration(round(now, 3))}, and {last}"

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while True:
            try:
                message = await self._next(None, to_the_end=True)
            except ConnectionEnded as exc:
                if exc.evidence.abnormal:
                    raise
                return
            assert message is not None
            yield message

    @doing("no ping was sent")
    async def ping(self, data: bytes | None = None) -> float:
        """
        Send a ping frame and wait for its pong.

        Args:
            data: its payload, at most 125 bytes; made up when None.

        Returns:
            The round trip time in seconds.

        Raises:
            ConnectionEnded: if the connection ends before the pong comes.
            TypeError, ValueError: for a payload that is not bytes, or longer.

        """
        __tracebackhide__ = True
        sent = self.websocket.loop.time()
        if not await self.websocket.wait_pong(self.websocket.send_ping(data)):
            raise self.websocket.ended_error()
        return self.websocket.loop.time() - sent

    @doing("no pong was sent")
    async def pong(self, data: bytes = b"") -> None:
        """
        Send a pong that nobody asked for: a one-way keepalive (RFC 6455, section 5.5.3).

        Args:
            data: its payload, at most 125 bytes.

        Raises:
            ConnectionEnded: if the connection has ended.
            TypeError, ValueError: for a payload that is not bytes, or longer.

        """
        self.websocket.send_pong(data)
        await self.websocket.drain()

    @doing("nothing was closed")
    async def close(self, code: int | None = 1000, reason: str = "") -> None:
        """
        Close and wait for the end, which this end planned. Does nothing when it has ended.

        Args:
            code: the close code; None sends an empty close frame.
            reason: the close reason, at most 123 bytes of UTF-8.

        Raises:
            ValueError: for a code that may not stand on the wire, or a reason that is no text or longer.

        """
        await self.websocket.close(code, reason)

    @doing("nobody waited for the end")
    async def wait_closed(self, *, within: Duration | None = None) -> None:
        """
        Wait for the end of the connection, whoever ends it.

        Args:
            within: how long to wait for it; None waits as long as the connection lives.

        Raises:
            TimeoutError: if it did not come in time.

        """
        __tracebackhide__ = True
        seconds, now = parse_optional(within, "within"), self.websocket.loop.time()
        if seconds is None:
            await self.websocket.wait_ended()
        elif not await self.websocket.wait_ended(now + seconds):
            raise self._late(f"wait_closed: no end within {show_duration(seconds)}; {self._quiet()}")

    @doing("nothing was opened")
    async def reconnect(
        self,
        *,
        within: Duration | None = None,
        backoff: Backoff | None = None,
        **changes: Unpack[ConnectKeywords],
    ) -> Connection:
        """
        Open a connection to the same server with the same session id, after this one has ended.

        Args:
            within: how long all of it may take, an attempt that is under way then included; None tries once.
            backoff: the waits between the attempts; see `Backoff`.
            changes: keywords of `connect` that are others now, such as ``headers`` with a token to resume.

        Returns:
            A connection with a timeline of its own; its ``previous`` is this one.

        Raises:
            RuntimeError: if this connection is still open, or is a server's.
            OpeningError: if none opened, with the reason of the last attempt, or that the time ended in it.

        """
        __tracebackhide__ = True
        if self.opener is None:
            raise RuntimeError("reconnect: only a client can; this is a server's end")
        seconds = parse_optional(within, "within")
        if self.websocket.transport is not None and not self.websocket.is_closing:
            raise RuntimeError("reconnect: the connection is still open; close() it, or wait_closed()")
        until = None if seconds is None else self.websocket.loop.time() + seconds
        refused: list[OpeningError] = []
        try:
            async with asyncio.timeout_at(until):
                # This one is over: no peer keeps the next one waiting by leaving TCP open.
                if not await self.websocket.wait_ended(self.websocket.loop.time() + LINGER):
                    self.websocket.let_go()
                again = await self._retry(self.opener, backoff or Backoff(), until, changes, refused)
        except TimeoutError:
            if seconds is None:
                raise
            raise self._not_in_time(seconds, refused) from None
        again.previous = self
        again.requirement = self.requirement
        if self.keeper is not None:
            again.keeper = self.keeper
            self.keeper.keep(again)
        return again

    async def _retry(
        self,
        opener: Opener,
        backoff: Backoff,
        until: float | None,
        changes: ConnectKeywords,
        refused: list[OpeningError],
    ) -> Connection:
        __tracebackhide__ = True
        loop, jitter = self.websocket.loop, random.Random(0)
        changes.setdefault("session_id", self.session_id)
        changes.setdefault("resume", self.websocket.conversation.resumption)
        while True:
            try:
                return await opener.again(**changes)
            except OpeningError as error:
                wait = backoff.wait(len(refused), jitter)
                if until is None or loop.time() + wait >= until:
                    raise
                refused.append(error)
            await asyncio.sleep(wait)

    def _not_in_time(self, seconds: float, refused: Sequence[OpeningError]) -> OpeningError:
        """The error of an attempt that was under way when the time was over, and of the one before."""
        words = f"reconnect: not open again within {show_duration(seconds)}"
        before = f"; the attempt before: {refused[-1].detail}" if refused else ""
        return OpeningError(self.url, OpeningStage.TIMEOUT, words + before)

    @property
    def message_count(self) -> MessageCount:
        """Messages received that carry a number (`Profile.sequence`), here and before each `reconnect`."""
        chain: list[Connection] = [self]
        while chain[-1].previous is not None:
            chain.append(chain[-1].previous)
        return count_messages(connection.websocket.messages.numbers for connection in reversed(chain))

    @awaited
    async def assert_session_resumed(
        self,
        *,
        within: Duration = "5s",
        lost_max: int = 0,
        duplicated_max: int = 0,
        reordered_max: int = 0,
    ) -> None:
        """
        After `reconnect`: the server confirmed the same session in time, and lost or repeated no message.

        Messages are counted where they carry numbers; see `assert_messages_intact`.

        Args:
            within: time for the confirmation: seconds, or text such as "5s".
            lost_max, duplicated_max, reordered_max: so many messages may be missing, have come twice, or have
                come behind a larger number.

        Raises:
            StabilityError: if the session was not confirmed, or another one was, or messages are not intact.
            ValueError: if this connection is no reconnect, or nobody can come back with its protocol.

        """
        __tracebackhide__ = True
        if self.previous is None:
            raise ValueError("assert_session_resumed: this is a first connection, and no reconnect()")
        profile = self.websocket.profile
        if not profile.has_session:
            raise ValueError(
                f"assert_session_resumed: the profile {profile.name!r} has no session; "
                "assert_messages_intact() counts messages without one"
            )
        if not profile.keeps_session:
            raise ValueError(
                f"assert_session_resumed: with the profile {profile.name!r} each connection is a session "
                "of its own; assert_session_confirmed() waits for the new one"
            )
        await self.assert_session_confirmed(within=within)
        resumed = self.websocket.conversation.resumed
        verdict = judge_resumption(self.timeline, resumed=resumed, expected=self.previous.session_id)
        self._conclude(Requirement(), verdict)
        if self.message_count.seen:
            self.assert_messages_intact(
                lost_max=lost_max, duplicated_max=duplicated_max, reordered_max=reordered_max
            )

    def assert_messages_intact(
        self, *, lost_max: int = 0, duplicated_max: int = 0, reordered_max: int = 0
    ) -> None:
        """
        Of the messages received here, and before each `reconnect`, none is missing, double or out of order.

        They are told by the numbers or ids they carry (`Profile.sequence`, by default the JSON member "seq").
        Of whole numbers those between the first and the last that came are expected, each once, and on one
        connection none behind a larger one; of ids it can only be told which came twice.

        Args:
            lost_max, duplicated_max, reordered_max: so many may be missing, have come twice, or have come
                behind a larger number.

        Raises:
            StabilityError: if there are more, or no message carried a number.

        """
        __tracebackhide__ = True
        self.judge_messages(self.message_count, lost_max, duplicated_max, reordered_max)

    def judge_messages(
        self, found: MessageCount, lost_max: int, duplicated_max: int, reordered_max: int
    ) -> None:
        """Raise if more messages were lost, came twice or out of order than may be."""
        __tracebackhide__ = True
        verdict = judge_messages(
            found,
            lost_max=count(lost_max, "lost_max"),
            duplicated_max=count(duplicated_max, "duplicated_max"),
            reordered_max=count(reordered_max, "reordered_max"),
            duration=self.timeline.duration,
            tier=self.timeline.tier,
            came=self.timeline.messages.count > 0,
        )
        self._conclude(Requirement(), verdict)

    @awaited
    async def assert_alive_for(self, duration: Duration) -> None:
        """
        The connection stays open so long after its opening handshake.

        Waits for the rest of that time; ends at the first violation.

        Raises:
            StabilityError: if the connection ends before, or the evidence cannot carry the claim.

        """
        __tracebackhide__ = True
        await self._hold(assertions.alive_for(duration))

    @awaited
    async def assert_session_confirmed(self, *, within: Duration) -> None:
        """
        The session is confirmed so soon after the opening handshake; waits for it.

        Raises:
            StabilityError: if it is not.
            ValueError: if the profile has no session to confirm.

        """
        __tracebackhide__ = True
        requirement, profile = assertions.session_confirmed(within), self.websocket.profile
        if not profile.has_session:
            raise ValueError(
                f"assert_session_confirmed: the profile {profile.name!r} has no session to confirm; "
                "say which message confirms it (session_confirmed=)"
            )
        verdict = await wait_session(self.websocket, requirement)
        asserting(requirement)
        self._conclude(requirement, verdict)

    @awaited
    async def assert_stable(self, **requirement: Unpack[RequirementKeywords]) -> Verdict:
        """
        Every part of the requirement holds; the keywords are those of the ``ws_stability`` marker.

        Without keywords it is the marker's own requirement. Waits as `assert_alive_for` does.

        Raises:
            StabilityError: if the verdict is not STABLE.
            TypeError, ValueError: for a keyword or value that makes no sense, or if there is no requirement.

        """
        __tracebackhide__ = True
        if requirement or self.requirement is None:
            return await self._hold(assertions.stable(requirement))
        return await self._hold(self.requirement)

    async def _hold(self, requirement: Requirement) -> Verdict:
        __tracebackhide__ = True
        requirement.check_fits(self.websocket.profile.facts)
        verdict = await hold_open(self.websocket, requirement)
        # Not before: one that is cancelled, or left to wait, has asserted nothing.
        asserting(requirement)
        if verdict.outcome is not Outcome.STABLE:
            await self.both_ended()
        return self._conclude(requirement, verdict)

    async def both_ended(self) -> None:
        """After one end of the connection is over, give the other, if it is ours, a moment to be so too."""
        self._meet()
        if self.peer is not None and self.peer.websocket.loop is self.websocket.loop:
            await both_over(self.websocket, self.peer.websocket)

    def note(self, judgement: Judgement) -> None:
        """Take down what was judged, for reports."""
        self.judgement = judgement.after(self.judgement)


async def _with_fin(
    fragments: Iterable[str | bytes] | AsyncIterable[str | bytes],
) -> AsyncIterator[tuple[str | bytes, bool]]:
    """
    Each fragment, with whether it is the last one.

    Which is the last of an async iterable only its end tells: an empty one follows then, so that none waits.

    """
    if isinstance(fragments, AsyncIterable):
        last: str | bytes | None = None
        async for last in fragments:
            yield last, False
        if last is not None:
            # Not type(last)(): there is no empty memoryview.
            yield "" if isinstance(last, str) else b"", True
        return
    whole = list(fragments)
    for index, fragment in enumerate(whole, 1):
        yield fragment, index == len(whole)


def _no_fragment(message: object, fragment: object) -> str:
    """What to write where an iterable is no message in fragments: a list of values, a model of pydantic."""
    if hasattr(message, "model_dump_json"):
        return f"send: a {type(message).__name__} is no message; send its model_dump_json()"
    return (
        f"send: a fragment is str or bytes, not {type(fragment).__name__}; send_json() sends a list or a "
        "mapping as JSON"
    )


def _shown(message: str | bytes) -> str:
    return show_text(message if isinstance(message, str) else repr(bytes(message)), 80)

"""The server's half of a connection: handshake, greeting, session, heartbeats, read deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol

from ...core.duration import show_duration as show
from ...core.judge.attempts import goodbye_at
from ...core.judge.handshake import info_flaw
from ...core.redact import is_text, redact_text, show_session
from ...core.timeline.close import LocalReason
from ...core.timeline.events import DeadlineTraffic, End, EventKind, Opcode, Role
from ...core.timeline.flaws import Flaw
from ...profiles import Say
from ...profiles.near_miss import why_not
from ..connection import Connection
from ..timers import Deadline, Ticker
from ..wire import first_field
from .behaviour import DROP, Behaviour, last_traffic
from .peer_faults import PeerFaults, refusal
from .registry import SessionRegistry
from .responses import asked, too_large, unreadable

if TYPE_CHECKING:
    from ...core.faults import Step
    from ...core.timeline.timeline import Timeline
    from ...profiles import HangUp, Heard
    from ..websocket import WebSocket

# A client that never asks for the upgrade must not stay for ever.
OPEN_TIMEOUT = 10.0
# Bytes of a request, as servers limit them by default (nginx: 4 times 8 KiB).
MAX_HEAD = 32 * 1024
# Characters of a session's id: it is kept for as long as the session is, longer than any connection.
MAX_SESSION_ID = 4096

# Looked up once and not for each frame.
_PING, _ANSWER, _HEARTBEAT = int(Opcode.PING), Role.HEARTBEAT_ANSWER, Role.HEARTBEAT
_GREETING, _CONFIRMED = Role.GREETING, Role.SESSION_CONFIRMED
_INFO, _GOODBYE = Role.SESSION_INFO, Role.GOODBYE
_OFFERS = "Sec-WebSocket-Protocol"


class ServerSide:
    """What one connection of the `Orchestrator` does."""

    __slots__ = (
        "_confirmation", "_connection", "_deadline", "_faults", "_head", "_headers", "_late", "_pings",
        "_registry", "_steps", "_timer", "behaviour",
    )  # fmt: skip

    def __init__(
        self,
        behaviour: Behaviour,
        registry: SessionRegistry,
        headers: tuple[tuple[str, str], ...],
        faults: PeerFaults,
    ) -> None:
        # Faults change it while the connection lives.
        self.behaviour = behaviour
        self._registry = registry
        self._headers = headers
        self._faults = faults
        # What goes wrong with this connection on purpose.
        self._steps: tuple[Step, ...] = ()
        # None until the opening handshake has ended.
        self._connection: Connection | None = None
        self._deadline: Deadline | None = None
        self._pings: Ticker | None = None
        # The confirmation of the session; None until it was said.
        self._confirmation: Say | None = None
        # What is to be said after a delay.
        self._late: tuple[asyncio.TimerHandle, ...] = ()
        # Bytes that have come before the opening handshake has ended.
        self._head = 0
        # Gives up on a client that does not ask for the upgrade.
        self._timer: asyncio.TimerHandle | None = None

    # What the connection calls (see `Endpoint`).

    def connected(self, websocket: WebSocket) -> None:
        """Wait for the client's request, but not for ever."""
        self._registry.on_connect(websocket)
        self._faults.freeze.add(websocket)
        self._timer = websocket.loop.call_later(OPEN_TIMEOUT, self._give_up, websocket)

    def takes(self, websocket: WebSocket, size: int) -> bool:
        """Whether the request is still of a size that requests have; otherwise the client is refused."""
        self._head += size
        if self._head <= MAX_HEAD:
            return True
        if websocket.transport is not None and not websocket.transport.is_closing():
            self._registry.on_response(websocket, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, None)
            websocket.transport.write(too_large().serialize())
            websocket.transport.close()
        return False

    def handshake(self, websocket: WebSocket, event: Request | Response | None) -> None:
        """Answer the client's request."""
        protocol = websocket.protocol
        assert isinstance(protocol, ServerProtocol)
        if isinstance(event, Request):
            response = self._respond(websocket, protocol, event)
            if response.status_code != 101:
                later = response.headers.get("Retry-After")
                seconds = float(later) if later is not None else None
                body = bytes(response.body or b"")
                self._registry.on_response(websocket, response.status_code, seconds, body)
            if protocol.parser_exc or protocol.close_rcvd:
                # RFC 6455, section 4.1: a client waits for this answer. What it sent with its request has
                # ended the stream for the sans-I/O layer.
                assert websocket.transport is not None
                if response.status_code != 101:
                    websocket.transport.write(response.serialize())
                websocket.transport.close()
                return
            for name, value in self._headers:
                response.headers[name] = value
            protocol.send_response(response)
        else:
            self._refuse(websocket, protocol)
        websocket.send_handshake()
        if protocol.state is not State.OPEN:
            # A refused upgrade or no HTTP at all: the answer is written, the stream can go.
            if websocket.transport is not None:
                websocket.transport.close()
            return
        self._cancel_timer()
        # The parser of the sans-I/O layer keeps the request for life, as the client's does the response.
        assert isinstance(event, Request)
        # It may come in several fields (RFC 6455, section 11.3.4).
        offered = [name.strip() for each in event.headers.get_all(_OFFERS) for name in each.split(",")]
        host, path = first_field(event.headers, "Host") or "", event.path.partition("?")[0]
        event.headers.clear()
        assert websocket.transport is not None
        scheme = "ws" if websocket.transport.get_extra_info("sslcontext") is None else "wss"
        websocket.conversation.reached(f"{scheme}://{host}{path}")
        websocket.opened(End.SERVER)
        websocket.messages.expect_protocol(event.path, offered)
        if offered and protocol.subprotocol is None:
            assert websocket.timeline is not None
            # One of them may be a token, which its place tells.
            masked = redact_text(f"{_OFFERS}: {', '.join(offered)}")
            websocket.timeline.unchosen = masked.partition(": ")[2]
        self._start(websocket)

    def _refuse(self, websocket: WebSocket, protocol: ServerProtocol) -> None:
        """Answer what is no request; once, as its body may come behind it."""
        refused, transport = unreadable(protocol), websocket.transport
        if refused is not None and transport is not None and not transport.is_closing():
            self._registry.on_response(websocket, refused.status_code, None, bytes(refused.body or b""))
            transport.write(refused.serialize())

    def _respond(self, websocket: WebSocket, protocol: ServerProtocol, request: Request) -> Response:
        answer = self._registry.answer
        response = answer(protocol, request) if answer is not None else None
        # Java's HTTP client offers HTTP/2 with each request: "Upgrade: h2c".
        upgrades = any("websocket" in each.lower() for each in request.headers.get_all("Upgrade"))
        if response is None and upgrades:
            self._steps = self._faults.on_upgrade(self._registry.on_upgrade())
            response = refusal(self._steps, protocol)
        elif response is None:
            response = asked(protocol, request, websocket.profile)
        return response or protocol.accept(request)

    def _start(self, websocket: WebSocket) -> None:
        behaviour, loop, timeline = self.behaviour, websocket.loop, websocket.timeline
        assert timeline is not None
        if websocket.profile.heartbeat_is_frame and behaviour.answer_heartbeats != 0.0:
            websocket.withhold_pongs = True
        self._connection = Connection(websocket)
        if behaviour.read_deadline is not None:
            self._deadline = Deadline(loop, behaviour.read_deadline, self._overdue, websocket)
        if behaviour.ping_interval is not None:
            self._pings = Ticker(loop, timeline.opened, behaviour.ping_interval, self._ping, websocket)
        self._registry.on_open(self._connection)
        for step in self._steps:
            self.after(websocket, step.when, partial(self._faults.apply, self, websocket, step.fault))
        websocket.messages.begin()

    def received(self, websocket: WebSocket, now: float, opcode: int, role: Role, key: bytes | None) -> None:
        """Reset the read deadline, if this is what resets it."""
        if self._deadline is not None and self.behaviour.resets(opcode, role):
            self._deadline.reset(now)
        delay = self.behaviour.answer_heartbeats
        if delay and opcode == _PING and websocket.withhold_pongs:
            self.after(websocket, delay, lambda: websocket.send_pong(key or b""))

    def message(self, websocket: WebSocket, heard: Heard) -> None:
        """Take down what the client has said about its session."""
        assert websocket.timeline is not None
        websocket.timeline.intervals = websocket.conversation.intervals
        role = heard.role
        if role is _GOODBYE and self._connection is not None:
            self._registry.on_goodbye(self._connection, partial(self._part, websocket, heard))
        if role is not _INFO:
            return
        session_id = heard.session_id
        if session_id is not None and not is_text(session_id):
            # It could neither be confirmed nor shown. RFC 6455, section 7.4.1: not consistent with its type.
            websocket.start_close(1007, "session id", local_reason=LocalReason.SESSION_ID)
        elif session_id is not None and len(session_id) > MAX_SESSION_ID:
            websocket.start_close(1009, "session id", local_reason=LocalReason.SESSION_ID)
        else:
            if not websocket.conversation.joins_another(heard):
                self._check(websocket, heard)
            if not websocket.profile.has_session:
                self._begin_session(websocket)

    def say(self, websocket: WebSocket, say: Say) -> None:
        """Say it, when the behaviour says so."""
        behaviour, role = self.behaviour, say.role
        if role is _ANSWER and behaviour.answer_heartbeats is None:
            # Never: a server that is mute may have thousands of clients.
            return
        if role is _CONFIRMED and not behaviour.refuse_sessions and not websocket.is_over:
            # Whoever has closed in the same read has begun its session all the same.
            self._begin_session(websocket)
        if role is _ANSWER:
            self.after(
                websocket, behaviour.answer_heartbeats, partial(self._answer_heartbeat, websocket, say)
            )
        elif role is _CONFIRMED and behaviour.refuse_sessions:
            websocket.messages.say(Say(Role.SESSION_REFUSED, say.values))
        elif role is _CONFIRMED:
            self.after(websocket, behaviour.confirm_sessions, partial(self.confirm, websocket, say))
        else:
            delays = {_GREETING: behaviour.greet, _HEARTBEAT: behaviour.send_heartbeats}
            self.after(websocket, delays.get(role, 0.0), partial(websocket.messages.say, say))

    def _answer_heartbeat(self, websocket: WebSocket, say: Say) -> None:
        answer = say.with_another_id() if self.behaviour.wrong_ids else say
        for _ in range(self.behaviour.answers):
            websocket.messages.say(answer)

    def turn(self, websocket: WebSocket) -> None:
        """Send the heartbeat that is due, or find that a timer of the protocol ran out."""
        # Of several instants that a frozen server slept through, one is late and the others are lost.
        if not self._faults.freeze.holds(websocket, lambda: self.turn(websocket)):
            websocket.messages.take_turn()

    def hang_up(self, websocket: WebSocket, hang_up: HangUp) -> None:
        """End the connection as the protocol does."""
        timer = hang_up.timer
        assert websocket.timeline is not None
        websocket.timeline.mark(websocket.loop.time(), EventKind.DEADLINE)
        reason = LocalReason.PROTOCOL_TIMER
        detail = f"{timer.name} of {show(hang_up.seconds)} ran out, waiting for {timer.awaits.value}"
        websocket.explain(awaited=timer.awaits)
        _end(websocket, timer.code, reason, words=timer.reason, detail=detail)

    def _part(self, websocket: WebSocket, heard: Heard) -> None:
        """Answer a client that goes, and end its connection, as the servers of its protocol do."""
        timeline, profile = websocket.timeline, websocket.profile
        assert timeline is not None
        if goodbye_at(timeline) is None:
            return
        if profile.goodbye_answer is not None:
            self.after(websocket, 0.0, partial(websocket.messages.say, Say(Role.DATA, heard.values)))
        if profile.goodbye_code is not None:
            self.after(websocket, 0.0, partial(_end, websocket, profile.goodbye_code, LocalReason.GOODBYE))

    def _begin_session(self, websocket: WebSocket) -> None:
        assert self._connection is not None
        session_id = websocket.conversation.session_id
        if session_id is not None:
            self._registry.on_session(self._connection, session_id)

    def _check(self, websocket: WebSocket, heard: Heard) -> None:
        timeline, profile = websocket.timeline, websocket.profile
        assert timeline is not None
        names = profile.words.client_names_session and not heard.resumes
        greets = profile.greeting is not None
        flaw = info_flaw(timeline, heard.session_id, has_greeting=greets, names_session=names)
        if flaw is not None:
            detail = f"session {show_session(heard.session_id)!r}"
            if flaw is Flaw.CHANGED:
                detail += f" after {show_session(timeline.session_id)!r}"
            websocket.messages.flawed(flaw, detail)

    def unexpected_message(self, websocket: WebSocket, payload: str | bytes) -> None:
        """Remember what a client said in the place of session_info."""
        expected = websocket.profile.session_info
        assert expected is not None
        websocket.messages.flawed(Flaw.UNEXPECTED, why_not(expected, payload))

    def confirm(self, websocket: WebSocket, say: Say) -> None:
        """Confirm the session, as often and as whose as the behaviour says."""
        self._confirmation = say
        for _ in range(self.behaviour.confirmations):
            websocket.messages.say(say, session_id=self.behaviour.confirm_as)

    def confirm_again(self, websocket: WebSocket) -> None:
        """Say the confirmation once more, if it was said."""
        if self._confirmation is not None:
            self.confirm(websocket, self._confirmation)

    def ended(self, websocket: WebSocket) -> None:
        """Stop the timers."""
        self._cancel_timer()
        for timer in (self._deadline, self._pings, *self._late):
            if timer is not None:
                timer.cancel()
        self._late = ()
        self._registry.on_close(websocket, self._connection)

    # What it does by itself.

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self, websocket: WebSocket) -> None:
        if self._faults.freeze.holds(self, lambda: self._give_up(websocket)) or self._timer is None:
            return
        if websocket.transport is not None:
            websocket.transport.abort()

    def after(self, websocket: WebSocket, delay: float | None, say: Callable[[], object]) -> None:
        """Do something after so many seconds, 0 at once and None never, if the connection is still open."""
        if delay == 0:
            self._if_open(websocket, say)
        elif delay is not None and websocket.is_open:
            loop = websocket.loop
            now = loop.time()
            pending = [timer for timer in self._late if timer.when() > now]
            self._late = (*pending, loop.call_later(delay, self._if_open, websocket, say))

    def _if_open(self, websocket: WebSocket, say: Callable[[], object]) -> None:
        if websocket.is_open and not self._faults.freeze.holds(say, lambda: self._if_open(websocket, say)):
            say()

    def _ping(self, websocket: WebSocket) -> None:
        # Of several ticks that a frozen server slept through, one is late and the others are lost.
        if websocket.is_open and not self._faults.freeze.holds(self._pings, lambda: self._ping(websocket)):
            websocket.send_ping()

    def _overdue(self, websocket: WebSocket) -> None:
        behaviour, timeline = self.behaviour, websocket.timeline
        assert timeline is not None
        assert behaviour.read_deadline is not None
        assert self._deadline is not None
        if not websocket.is_open or self._faults.freeze.holds(self._deadline, self._deadline.check):
            return
        timeline.mark(websocket.loop.time(), EventKind.DEADLINE)
        kinds = tuple(kind for kind in DeadlineTraffic if kind in behaviour.deadline_reset_by)
        websocket.explain(deadline=behaviour.read_deadline, reset_by=kinds)
        reason = f"read deadline of {show(behaviour.read_deadline)} ran out ({_resets(behaviour, timeline)})"
        if behaviour.on_deadline == DROP:
            websocket.drop(LocalReason.READ_DEADLINE, reason)
        else:
            assert isinstance(behaviour.on_deadline, int)
            websocket.start_close(
                behaviour.on_deadline,
                "read deadline",
                local_reason=LocalReason.READ_DEADLINE,
                local_detail=reason,
            )


def _end(
    websocket: WebSocket, code: int, reason: LocalReason, *, words: str = "", detail: str | None = None
) -> None:
    """End a connection so that its client records the code: 1005 is an empty close frame, 1006 none."""
    if code == 1006:
        websocket.drop(reason, detail)
    else:
        sent = None if code == 1005 else code
        websocket.start_close(sent, words, local_reason=reason, local_detail=detail)


def _resets(behaviour: Behaviour, timeline: Timeline) -> str:
    """What resets the deadline and when it last did, and what came in vain."""
    kinds = [kind for kind in DeadlineTraffic if kind in behaviour.deadline_reset_by]
    words = " and ".join(kind.plural for kind in kinds)
    last = behaviour.last_reset(timeline)
    parts = [f"only {words} reset it" if DeadlineTraffic.ANY not in kinds else "any frame resets it"]
    parts.append("none came" if last is None else f"the last came at {show(last)}")
    if DeadlineTraffic.ANY not in kinds:
        # Data frames last: a heartbeat is one, and has the better name.
        for kind in (
            DeadlineTraffic.HEARTBEAT,
            DeadlineTraffic.PONG,
            DeadlineTraffic.PING,
            DeadlineTraffic.DATA,
        ):
            at = last_traffic(kind, timeline)
            if kind not in kinds and at is not None and (last is None or at > last):
                parts.append(f"{kind.plural}, the last at {show(at)}, do not")
                break
    return "; ".join(parts)

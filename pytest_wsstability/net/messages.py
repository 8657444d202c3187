"""The messages of one connection, either role: what each is for, what is answered, and who takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar

from ..core.judge.numbering import Numbers
from ..core.timeline.events import Direction, End, Role
from ..core.timeline.flaws import Flaw
from ..core.timeline.timeline import Timeline
from ..profiles import HangUp, Unwritable
from ..profiles.placeholders import Unsaid
from ..profiles.sniffing import FIRST, is_ping, is_variant, likeness_of, sniff_messages, sniff_request
from .ending import Phase
from .inbox import Inbox
from .timers import call_again
from .waiters import Wait

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..core.transcript import Transcript
    from ..profiles import Conversation, Heard, Say
    from ..profiles.placeholders import Values

# Members of an enum, looked up once: before Python 3.12 that takes ten times as long as a name.
_RECEIVED, _NONE, _DATA = Direction.RECEIVED, Role.NONE, Role.DATA
_CONFIRMED, _HEARTBEAT, _HEARTBEAT_ANSWER = Role.SESSION_CONFIRMED, Role.HEARTBEAT, Role.HEARTBEAT_ANSWER
_REFUSED, _INFO, _GOODBYE = Role.SESSION_REFUSED, Role.SESSION_INFO, Role.GOODBYE
_SAID = frozenset({Role.ERROR, Role.NOTICE})
_IS_OPEN = Phase.OPEN
# Loops call back a little early.
_EARLY = 1e-6
# Characters of an error message that are kept, and of the last text.
_TOLD = 500
# Enough messages were looked at that are not the protocol's.
_SNIFFED = ("",) * FIRST

# Takes a message: when it came, its text or bytes (none of a control frame), and what it is for.
Listener: TypeAlias = Callable[[float, str | bytes, Role], bool]


class Frames(Protocol):
    """What carries the messages: the half of a `WebSocket` that messages ask for something."""

    timeline: Timeline | None
    phase: Phase

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent."""

    @property
    def is_over(self) -> bool:
        """Whether the connection has come to its end."""

    @property
    def awaits_close(self) -> bool:
        """Whether a close frame of this end is not answered yet."""

    def write_message(self, now: float, payload: str | bytes, role: Role, key: bytes | None) -> None:
        """Put a message on the wire."""

    def send_ping(self, *, role: Role) -> bytes:
        """Send a ping frame."""

    def fail(self, code: int, reason: str) -> None:
        """Fail the connection (RFC 6455, section 7.1.7)."""

    def pause_reading(self) -> None:
        """Take no bytes from the transport any more."""

    def resume_reading(self) -> None:
        """Take bytes from the transport again."""

    def wake(self, what: Wait) -> None:
        """It has come, for those who wait for it."""

    def ended_error(self) -> Exception:
        """What to raise when somebody uses a connection that has ended."""


_Frames = TypeVar("_Frames", bound=Frames)
_Asking = TypeVar("_Asking", bound=Frames, contravariant=True)


class MessageEndpoint(Protocol[_Asking]):
    """What the messages of a connection ask of its role: a client, or the reference server."""

    def received(self, websocket: _Asking, now: float, opcode: int, role: Role, key: bytes | None) -> None:
        """A frame came; its role is that of the message it completes, its key a ping's or pong's payload."""

    def message(self, websocket: _Asking, heard: Heard) -> None:
        """A message of the protocol came, such as a heartbeat; what the conversation answers comes after."""

    def say(self, websocket: _Asking, say: Say) -> None:
        """The conversation wants something said: `MessageLayer.say` it, now or later, or keep it back."""

    def turn(self, websocket: _Asking) -> None:
        """The instant has come for which the conversation has asked: `MessageLayer.take_turn`, if at all."""

    def hang_up(self, websocket: _Asking, hang_up: HangUp) -> None:
        """A timer of the protocol ran out at this end."""

    def unexpected_message(self, websocket: _Asking, payload: str | bytes) -> None:
        """A message that is not the protocol's came before session_info, where clients begin sessions."""


def _is_taken(number: int | str, values: Values) -> bool:
    """
    Whether a number is none of the message itself, by what the profile takes it for.

    An answer carries its question's, a heartbeat the last that was received, a confirmation the session's.

    """
    others = (values.get("id"), values.get("sequence"), values.get("token"))
    return number in others or str(number) == values.get("session_id")


class MessageLayer(Generic[_Frames]):
    """
    The messages that frames carry; a `WebSocket` makes it and gives it each message that is whole.

    The `Conversation` has no clock and does no I/O: it is told what comes, and asked at the instants that it
    names; the endpoint decides whether and when what it wants said is said.

    Attributes:
        conversation: what this end says in the application's protocol.
        rest_from: the reading of the loop's clock from which no heartbeat begins: the end of the last of the
            holds that go on; None outside of a hold, and where answers are cumulative.
        inbox: application messages that nobody has taken.
        listener: takes messages as they come, with their role, in the place of the inbox; an answer of True
            keeps an application message from the inbox. None where nobody does.
        numbers: the numbers that messages received carry; None until the first.
        transcript: the messages with their payloads; None unless somebody asked for them.

    """

    __slots__ = (
        "_alarm", "_alarm_at", "_endpoint", "_frames", "_holds", "_kept_back", "_loop", "_strange",
        "_subprotocols", "conversation", "inbox", "listener", "numbers", "rest_from", "transcript",
    )  # fmt: skip

    def __init__(
        self,
        frames: _Frames,
        endpoint: MessageEndpoint[_Frames],
        conversation: Conversation,
        *,
        loop: asyncio.AbstractEventLoop,
        inbox: int,
    ) -> None:
        self._frames, self._endpoint, self._loop = frames, endpoint, loop
        self.conversation = conversation
        # Calls at the instant for which the conversation asks; None before it asks for one. That instant;
        # None once it has come.
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None
        # The first messages, while none of them is the protocol's; None once one is.
        self._strange: tuple[str | bytes, ...] | None = ()
        # Those that the client offered, or the one that was chosen.
        self._subprotocols: tuple[str, ...] = ()
        # When the holds end that go on.
        self._holds: tuple[float, ...] = ()
        self.rest_from: float | None = None
        # Whether a heartbeat was due that a hold has kept back.
        self._kept_back = False
        self.inbox = Inbox(inbox)
        self.listener: Listener | None = None
        self.numbers: Numbers | None = None
        self.transcript: Transcript | None = None

    @property
    def _timeline(self) -> Timeline:
        """The record: there is one as soon as there can be messages."""
        assert self._frames.timeline is not None
        return self._frames.timeline

    def message(self, now: float, opcode: int, size: int, payload: str | bytes) -> None:
        """A message is whole with a frame of so many bytes."""
        timeline = self._frames.timeline
        assert timeline is not None
        heard = self.conversation.hear(payload, now)
        role = heard.role
        timeline.frame(now, _RECEIVED, opcode, size, role, heard.key)
        self._endpoint.received(self._frames, now, opcode, role, None)
        if self.transcript is not None:
            self.transcript.add(now - timeline.opened, payload, sent=False)
        self._heard(heard, payload, now)
        for each in heard.rest:
            timeline.further(now, _RECEIVED, opcode, each.role, each.key)
            self._heard(each, payload, now)

    def _heard(self, heard: Heard, payload: str | bytes, now: float) -> None:
        """One message has come; several may come in a frame."""
        role, said = heard.role, payload if heard.payload is None else heard.payload
        if heard.problem is not None:
            self.flawed(*heard.problem)
        if self.conversation.profile.sequence is not None and role is not _NONE:
            self._count(heard, said)
        if role is _HEARTBEAT_ANSWER:
            # Nothing is said to it, and a timer that waited for it finds out when it rings.
            if self._strange is not None:
                self._fits()
            self._endpoint.message(self._frames, heard)
        elif role is _DATA or role is _GOODBYE:
            self._application_message(now, said)
            if role is _GOODBYE:
                self._endpoint.message(self._frames, heard)
        elif role is not _NONE:
            if self._strange is not None:
                self._fits()
            if role in _SAID or (role is _REFUSED and self._is_refused(heard)):
                words = None if heard.values is None else heard.values.get("said")
                self._record_said(role, now, words if isinstance(words, str) else said)
            self._endpoint.message(self._frames, heard)
            for say in self.conversation.answer(heard):
                self._endpoint.say(self._frames, say)
            if self.conversation.at is not None:
                self._set_alarm()
            if role is _CONFIRMED or role is _INFO:
                self._note_session(role, heard.resumes)
            if self.listener is not None:
                self.listener(now, said, role)

    def _record_said(self, role: Role, now: float, payload: str | bytes) -> None:
        """Take down what the peer said of an error, of the end, or of a session that it refuses."""
        text = (payload if isinstance(payload, str) else repr(payload[:_TOLD]))[:_TOLD]
        if role is Role.NOTICE:
            self._timeline.notice_message(now, text)
        elif role is _REFUSED and self._timeline.session_confirmed_at is None:
            self._timeline.refusal_message(now, text)
        else:
            # Who refuses a session that was confirmed has ended it.
            self._timeline.error_message(now, text)
            self._frames.wake(Wait.FLAW)

    def _note_session(self, role: Role, resumes: bool) -> None:
        """Either end asks for a session, or confirms it."""
        if role is _INFO:
            self._timeline.session_resumes = resumes
        else:
            self._frames.wake(Wait.SESSION)

    def _is_refused(self, heard: Heard) -> bool:
        """Whether the peer refuses this client its session, and not an earlier one that is gone."""
        return self.conversation.end is End.CLIENT and not self.conversation.begins_another(heard)

    def flawed(self, flaw: Flaw, detail: str) -> None:
        """Record what is wrong with a message of the session's handshake, or with the protocol."""
        self._timeline.irregularity(self._loop.time(), flaw, detail)
        self._frames.wake(Wait.FLAW)

    def _application_message(self, now: float, payload: str | bytes) -> None:
        self._timeline.message(now, payload if isinstance(payload, str) and len(payload) <= _TOLD else None)
        if is_ping(payload):
            self._timeline.unknown_ping(now)
        profile = self.conversation.profile
        if self._strange is not None and self._strange is not _SNIFFED:
            self._sniff(self._strange, payload)
        if self._timeline.session_info_at is None and profile.session_info is not None:
            self._endpoint.unexpected_message(self._frames, payload)
        if self.listener is not None and self.listener(now, payload, _DATA):
            return
        if (self.inbox.full and self._frames.awaits_close) or not self.inbox.put(payload):
            # Nobody takes messages here, or they would keep the peer's close frame out.
            self._timeline.dropped_reads += 1
        elif self.inbox.full:
            self._frames.pause_reading()

    def _count(self, heard: Heard, payload: str | bytes) -> None:
        """Take down the number of a message; a peer may number its heartbeats and confirmations, too."""
        number: int | str | None = None
        error: str | None = None
        try:
            number = self.conversation.profile.number(payload)
        except Exception as exc:
            # The user's function runs here; what it raises is told when somebody asks for the numbers. Of the
            # profile's own messages it need not know.
            error = repr(exc)[:200] if heard.role is _DATA else None
        if number is not None and _is_taken(number, heard.values or {}):
            return
        if number is None and error is None:
            return
        if self.numbers is None:
            self.numbers = Numbers()
        if number is not None:
            self.numbers.add(number)
        self.numbers.error = self.numbers.error or error

    def expect_protocol(self, path: str, subprotocols: Iterable[str]) -> None:
        """Note which protocol the handshake request speaks of, unless that is the connection's own."""
        self._subprotocols = tuple(filter(None, subprotocols))
        name = sniff_request(path, self._subprotocols) if self._strange is not None else None
        if name is not None and not is_variant(self.conversation.profile, name):
            self._timeline.looks_like = likeness_of(name)

    def _sniff(self, before: tuple[str | bytes, ...], payload: str | bytes) -> None:
        """See what the peer speaks instead, as long as nothing was the protocol's."""
        first = (*before, payload)
        name = sniff_messages(first, self.conversation.end.peer, self._subprotocols)
        if name is not None and name != self.conversation.profile.name:
            self._timeline.looks_like = likeness_of(name)
        self._strange = first if name is None and len(first) < FIRST else _SNIFFED

    def _fits(self) -> None:
        """The peer speaks the protocol."""
        self._strange = self._timeline.looks_like = None

    # What this end says.

    def begin(self) -> None:
        """The opening handshake has ended: say what the conversation begins with."""
        for say in self.conversation.opened(self._loop.time()):
            self._endpoint.say(self._frames, say)
        self._set_alarm()

    def say(self, say: Say, *, session_id: str | None = None) -> None:
        """
        Say what the conversation wants said, unless no message can be sent any more.

        Args:
            say: what it is.
            session_id: see `Conversation.write`.

        """
        if not self._frames.is_open:
            # A close frame that came in the same read has ended all sending.
            return
        now, conversation = self._loop.time(), self.conversation
        if say.role is _HEARTBEAT and conversation.profile.heartbeat_is_frame:
            self._frames.send_ping(role=_HEARTBEAT)
        else:
            try:
                payload = conversation.write(say, now, session_id=session_id)
            except Unsaid:
                return
            except Unwritable as exc:
                self.flawed(Flaw.FUNCTION, str(exc))
                return
            anew = say.role is _HEARTBEAT and conversation.profile.words.is_counted_anew
            key = conversation.key(say, payload) if anew else say.key
            try:
                self._frames.write_message(now, payload, say.role, key)
            except UnicodeEncodeError:
                # The peer's own id or token, which this end was to repeat: JSON can name what UTF-8 cannot.
                self._frames.fail(1007, "half of a surrogate pair in a message, which no text can carry")
                return
            if say.role is _CONFIRMED or say.role is _INFO:
                self._note_session(say.role, say.resumes)
        if conversation.said(say, now):
            self._set_alarm()

    def beat(self) -> None:
        """Send a heartbeat now, if this end sends any: the one that is kept back, or else one more."""
        if self.conversation.profile.beats(self.conversation.end):
            self._kept_back = False
            self._endpoint.say(self._frames, self.conversation.beat())

    def take_turn(self) -> None:
        """Do what the conversation wants done at this instant."""
        if self._frames.phase is not _IS_OPEN:
            return
        now = self._loop.time()
        for act in self.conversation.due(now):
            if isinstance(act, HangUp):
                self._endpoint.hang_up(self._frames, act)
            elif act.role is not _HEARTBEAT:
                self._endpoint.say(self._frames, act)
            elif self._rests(now):
                self._kept_back = True
            else:
                unanswered = self._is_unanswered()
                self._endpoint.say(self._frames, act)
                if unanswered:
                    self.conversation.shift()
        self._set_alarm()

    def _rests(self, now: float) -> bool:
        """Whether a hold keeps heartbeats back."""
        return self.rest_from is not None and now >= self.rest_from - _EARLY

    def _is_unanswered(self) -> bool:
        """
        Whether the answer to the last heartbeat of this client is missing, and would not be told by an id.

        The heartbeat after the next then goes out earlier, in another rhythm: the answers that follow tell
        which ones they are to (see `RoundTrips`). Where no answer ever comes, there is nothing to tell.

        """
        if self.conversation.end is not End.CLIENT:
            return False
        trips = self._timeline.heartbeats
        return (trips.answered > 0 or trips.sent == 1) and trips.awaits_last

    def _set_alarm(self) -> None:
        """See that the conversation is asked when it wants to be; once too early does no harm."""
        at, alarm, set_for = self.conversation.at, self._alarm, self._alarm_at
        if at is None or (set_for is not None and set_for <= at):
            return
        if alarm is not None and set_for is not None:
            alarm.cancel()
            alarm = None
        self._alarm, self._alarm_at = call_again(self._loop, alarm, at, self._ring), at

    def _ring(self) -> None:
        self._alarm_at = None
        self._endpoint.turn(self._frames)

    def begin_hold(self, until: float) -> None:
        """The connection is held until then: a shorter hold keeps no heartbeats of a longer one back."""
        self._holds += (until,)
        self._set_rest()

    def end_hold(self, until: float) -> None:
        """One of the holds that end then is over; they end in any order."""
        others = list(self._holds)
        others.remove(until)
        self._holds = tuple(others)
        self._set_rest()

    def _set_rest(self) -> None:
        # An answer to several heartbeats comes only when the last of them has gone out.
        is_cumulative = self.conversation.profile.cumulative
        self.rest_from = None if is_cumulative else max(self._holds, default=None)
        now = self._loop.time()
        if self._kept_back and self._frames.is_open and not self._rests(now):
            # A longer hold would miss it. Not at once: it is none of the record that was judged.
            self._kept_back = False
            self.conversation.catch_up(now)
            self._set_alarm()

    # What is taken.

    async def receive(self, until: float | None = None, *, to_the_end: bool = False) -> str | bytes | None:
        """
        The next application message; None when the instant ``until`` of the loop's clock comes first.

        Args:
            until: see above; None waits as long as the connection lives.
            to_the_end: where this end closes, wait for what the peer says before its answer too.

        Raises:
            ConnectionEnded: if the connection is over, and all messages are taken.

        """
        while not self.inbox:
            if self._frames.is_over and not (to_the_end and self._may_end_well()):
                raise self._frames.ended_error()
            if until is not None and self._loop.time() >= until:
                return None
            await self.inbox.wait(self._loop, until)
        message = self.inbox.take()
        timeline = self._frames.timeline
        if timeline is not None and timeline.paused and self.inbox.low and not timeline.deliberately_stalled:
            self._frames.resume_reading()
        return message

    def _may_end_well(self) -> bool:
        """Whether the peer has yet to answer a close frame of this end, and all is well if it does."""
        timeline = self._frames.timeline
        evidence = timeline.close if timeline is not None else None
        if self._frames.phase is not Phase.CLOSING or evidence is None or evidence.received is not None:
            return False
        return not replace(evidence, received=evidence.sent).abnormal

    def keep_latest(self, limit: int) -> None:
        """Read on from now on, whoever takes messages: of more than so many, the latest are kept."""
        self.inbox.keep_latest(limit)
        if not self._timeline.deliberately_stalled:
            self._frames.resume_reading()

    def ended(self) -> None:
        """The transport is gone: nothing is due any more."""
        if self._alarm is not None and self._alarm_at is not None:
            self._alarm.cancel()

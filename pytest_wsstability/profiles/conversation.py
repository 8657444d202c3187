"""A profile's state on one connection, for one of its ends: no I/O, no clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from ..core.duration import show_duration as show
from ..core.timeline.events import End, Role
from ..core.timeline.flaws import Flaw
from ..core.timeline.protocol_facts import Awaited, Intervals, ProtocolTimer
from ..core.timeline.round_trips import SHIFT
from .placeholders import NAMES, Values
from .profile import Profile
from .records import Records, TooLong
from .speech import HangUp, Heard, Problem, Say

# Intervals that a peer may name, in seconds: a heartbeat each week proves nothing, and a hundred a second
# nothing more.
SHORTEST, LONGEST = 0.1, 86_400.0
# Loops call back a little early.
_EARLY = 1e-6
# A peer that never answers for a month must not fill the memory.
_MAX_ASKED = 1024
# Of more channels on one connection it is not told which of them a client has left.
_MAX_JOINED = 256

_DATA, _NONE = Role.DATA, Role.NONE
_HEARTBEAT, _ANSWER, _REQUEST = Role.HEARTBEAT, Role.HEARTBEAT_ANSWER, Role.HEARTBEAT_REQUEST
_INFO, _CONFIRMED, _REFUSED = Role.SESSION_INFO, Role.SESSION_CONFIRMED, Role.SESSION_REFUSED
_GOODBYE = Role.GOODBYE
# Messages in which a peer names the session and the intervals.
_NAMING = frozenset({Role.GREETING, Role.STEP, _INFO, _CONFIRMED})
# What is said to a question of this end.
_ANSWERS = frozenset({_ANSWER, _CONFIRMED, _REFUSED})
# After these the peer may name them still.
_EARLY_STEPS = frozenset({Role.GREETING, Role.STEP})
_NAMED = {
    "client": "a heartbeat interval of the client", "server": "a heartbeat interval of the server",
    "timeout": "a timeout",
}  # fmt: skip
# A heartbeat without an id.
_BEAT = Say(_HEARTBEAT)
# What is said to one.
_PLAIN_ANSWER = (Say(_ANSWER),)
# A frame that completes no message.
_PART = Heard(_NONE)


class Resumption(NamedTuple):
    """What a client remembers of a connection, to come back to its session on the next one."""

    session_id: str | None = None
    # What the server gave for it.
    token: object = None
    # The last number or id received.
    sequence: int | str | None = None


class _State:
    """What a conversation has to remember where its protocol is more than fixed messages."""

    __slots__ = (
        "anew", "announced", "asked", "asked_at", "beat_at", "before", "began", "confirmed", "epoch",
        "heard_at", "joined", "knows", "number", "opened", "records", "sequence", "token", "told", "url",
        "waits",
    )  # fmt: skip

    def __init__(self) -> None:
        self.knows: Callable[[str], bool] | None = None
        self.before: Resumption | None = None
        self.epoch = 0.0
        self.records: Records | None = None
        # The last id that this end made up, and what it asked for with which.
        self.number = 0
        self.asked: dict[str, Role] = {}
        self.token: object = None
        # Where the client has reached this server.
        self.url: str | None = None
        # What the peer's messages of the handshake have said under names of the profile's own.
        self.told: Values = {}
        self.sequence: int | str | None = None
        # Instants: the opening, the peer's last message and heartbeat, this end's oldest open question.
        self.opened = self.heard_at = 0.0
        self.beat_at: float | None = None
        self.asked_at: float | None = None
        # Whether this end has said that it will end the connection.
        self.announced = False
        # Whether this end's heartbeats wait for the session's confirmation.
        self.waits = False
        # What the client has begun its session with, and what has confirmed it first.
        self.began: Values | None = None
        self.confirmed: Values | None = None
        # The channels that the client has joined and not left; whether it was not in the one it joined last.
        self.joined: tuple[str, ...] = ()
        self.anew = False


class Conversation:
    """
    What one end of one connection says, and what it makes of what it hears.

    Messages and instants go in; what is to be sent, an end to make, and the next instant at which it
    wants to be asked again (`at`) come out. Nothing is sent here: whoever holds the connection sends what
    it is given, or delays it, or keeps it back, and tells `said` what went out.

    Attributes:
        profile: the protocol.
        end: whose words these are.
        session_id: what this end calls the session; None where there is none, or none yet.
        intervals: what both ends go by; None until something was named.
        at: when `due` wants to be called, on the clock of the instants given; None: not at all.
        resumed: whether a client that came back has its session again; None where that is not known.

    """

    __slots__ = (
        "_beats_from",
        "_every",
        "_named",
        "_next_beat",
        "_peer",
        "_peer_beats",
        "_place",
        "_state",
        "at",
        "end",
        "intervals",
        "profile",
        "resumed",
        "session_id",
    )

    def __init__(
        self,
        profile: Profile,
        end: End,
        *,
        session_id: str | None = None,
        interval: float | None = None,
        beats: bool = True,
        knows: Callable[[str], bool] | None = None,
        before: Resumption | None = None,
        epoch: float | None = None,
    ) -> None:
        """
        A conversation before its connection is open.

        Args:
            profile: the protocol.
            end: whose words these are.
            session_id: the session's id, if this end names it.
            interval: seconds between this end's heartbeats, whatever the protocol or the peer says.
            beats: whether this end sends heartbeats at all.
            knows: at a server, whether it has a session that a client comes back to.
            before: at a client that comes back, what it remembers of the connection before.
            epoch: seconds since 1970 at the instant 0 of the clock.

        """
        self.profile = profile
        self.end = end
        # Looked up once: of an enum that takes long.
        self._peer = end.peer
        self._peer_beats = profile.beats(self._peer)
        self.session_id = session_id
        self.intervals: Intervals | None = None
        self.at: float | None = None
        self.resumed: bool | None = None
        # How many of the handshake's steps are done.
        self._place = 0
        # Whether the test has said how often this end sends heartbeats; seconds between two; the next one.
        self._named = interval is not None or not beats
        self._every = interval if beats else None
        self._next_beat: float | None = None
        # Since when this end counts its heartbeats: the n-th one goes out n intervals later.
        self._beats_from = 0.0
        # None where the protocol is fixed messages and nothing else.
        self._state: _State | None = None
        if profile.remembers(end) or knows is not None or before is not None:
            self._state = _State()
            self._state.knows, self._state.before = knows, before
            self._state.epoch = epoch or 0.0
            self._state.waits = profile.heartbeats_in_session and end is End.CLIENT
            if profile.records is not None:
                self._state.records = Records(profile.records)

    # What goes in, and what comes out.

    def opened(self, now: float) -> Sequence[Say]:
        """The opening handshake has ended; gives what this end says at once."""
        if self._state is not None:
            self._state.opened = self._state.heard_at = now
        waits = self.end is End.CLIENT and self.profile.words.interval_is_named
        if not self._named and not waits:
            self._every = self.profile.interval if self.profile.beats(self.end) else None
        self._start_beats(now)
        self.at = self._earliest()
        return tuple(self._steps())

    def reached(self, url: str) -> None:
        """At a server: where its client has reached it, which some protocols say."""
        if self._state is not None:
            self._state.url = url

    def hear(self, payload: str | bytes, now: float) -> Heard:
        """What came from the peer; of several messages in a frame the first that is the protocol's."""
        if self._state is not None:
            return self._hear(payload, now, self._state)
        heard = self.profile.words.hear(payload, self._peer)
        if heard.values is not None and heard.role in _NAMING:
            self._learn_session(heard)
        return heard

    def answer(self, heard: Heard) -> Sequence[Say]:
        """What this end says to a message that it has heard."""
        role = heard.role
        if role is _ANSWER or role is _DATA or role is _NONE:
            return ()
        if role is _HEARTBEAT:
            due = self._peer_beats and self.profile.pong is not None
            if not due:
                return ()
            return _PLAIN_ANSWER if heard.values is None else (Say(_ANSWER, heard.values),)
        if role is _REQUEST:
            # One that was asked for shifts none of those that are due.
            return () if self._next_beat is None else (self.beat(),)
        if self.begins_another(heard):
            assert self._state is not None
            # Once: a server that refuses the new one too would be asked without an end.
            self._state.before = None
            return (Say(_INFO, self._asking("session_info", _INFO)),)
        script = self.profile.words.script
        if self._place < len(script) and script[self._place] == (self._peer, role, heard.step):
            self._place += 1
        if role is _INFO and self.end is End.SERVER:
            return self._serve(heard)
        return tuple(self._steps())

    def begins_another(self, heard: Heard) -> bool:
        """Whether the session that this client came back to is gone, so that it begins another one."""
        before = self._state.before if self._state is not None else None
        if before is None or not heard.resumes or heard.role is not _REFUSED:
            return False
        return self._can_resume(before)

    @property
    def began(self) -> Values:
        """What the client's session_info has said, where that is remembered."""
        return (self._state.began if self._state is not None else None) or {}

    def joins_another(self, heard: Heard) -> bool:
        """Whether a client that has begun its session joins another channel, or one that it had left."""
        state = self._state
        return state is not None and (state.anew or self._is_of_another(heard, state.began))

    def _channel(self, heard: Heard) -> str:
        """What is joined or left, as far as the profile names it."""
        return repr([(heard.values or {}).get(name) for name in sorted(self.profile.words.channel)])

    def _is_of_another(self, heard: Heard, own: Values | None) -> bool:
        """Whether this is about another channel than its own, one that a workload joins."""
        said, known = heard.values or {}, own or {}
        names = self.profile.words.channel & said.keys() & known.keys()
        return any(said[name] != known[name] for name in names)

    def due(self, now: float) -> Sequence[Say | HangUp]:
        """What this end does at `at`; a late call does not shift the heartbeats that come later."""
        acts: list[Say | HangUp] = []
        if self._next_beat is not None and now >= self._next_beat - _EARLY:
            assert self._every is not None
            # Beats that a blocked loop slept through are lost: a burst of late ones proves nothing.
            done = int((now + _EARLY - self._beats_from) / self._every)
            self._next_beat = self._beats_from + (done + 1) * self._every
            acts.append(self.beat())
        for timer, since, seconds in self._running() if self._state is not None else ():
            if now >= since + seconds - _EARLY:
                self.at = None
                return [*acts, HangUp(timer, seconds)]
            if self._announces(timer) and now >= since + seconds - (timer.announced or 0.0) - _EARLY:
                assert self._state is not None
                self._state.announced = True
                acts.append(Say(Role.NOTICE))
        self.at = self._earliest()
        return acts

    def shift(self) -> None:
        """Put the heartbeats that come next forward by a quarter of the interval."""
        if self._next_beat is not None and self._every is not None:
            self._beats_from -= SHIFT * self._every
            self._next_beat -= SHIFT * self._every
            self.at = self._earliest()

    def catch_up(self, now: float) -> None:
        """A heartbeat was due and kept back: it goes out now, and those that come later when they are due."""
        if self._next_beat is not None:
            self._next_beat = now
            self.at = self._earliest()

    def beat(self) -> Say:
        """A heartbeat of this end, to be sent now."""
        return _BEAT if self._state is None else Say(_HEARTBEAT, self._asking("ping", _HEARTBEAT))

    def said(self, say: Say, now: float) -> bool:
        """What `opened`, `answer`, `due` or `beat` gave has gone out; gives whether that has moved `at`."""
        if self._state is None or say.role is not _HEARTBEAT or self._state.asked_at is not None:
            return False
        self._state.asked_at = now
        self.at = self._earliest()
        return True

    def write(self, say: Say, now: float, *, session_id: str | None = None) -> str | bytes:
        """
        The text or bytes of what is to be said, as it is at this instant.

        Args:
            say: what `opened`, `answer`, `due` or `beat` gave.
            now: the instant at which it goes out.
            session_id: another session's, for a confirmation that is wrong on purpose.

        Raises:
            Unwritable: if it can't be written, naming the message and the value; `Unsaid` if it is not to be.

        """
        words = self.profile.words
        fixed = words.fixed.get((say.role, say.step, say.resumes))
        if fixed is not None:
            return fixed
        values: Values = {**self._values(now), **(say.values or {})}
        if session_id is not None:
            values["session_id"] = session_id
        return words.write(say.role, values, step=say.step, resumes=say.resumes)

    def key(self, say: Say, payload: str | bytes) -> bytes | None:
        """What tells a message that this end has written from its neighbours, as it says it."""
        heard = self.read_own(payload)
        return heard.key if heard.role is say.role else say.key

    def forget(self) -> None:
        """Know no session any more that a client could come back to."""
        if self._state is not None:
            self._state.knows = None

    def read_own(self, payload: str | bytes) -> Heard:
        """What a message is for that somebody else sends at this end."""
        if isinstance(self.profile.records, str) and isinstance(payload, str):
            payload = payload.removesuffix(self.profile.records)
        return self.profile.words.hear(payload, self.end)

    @property
    def resumption(self) -> Resumption:
        """What a client remembers for its next connection."""
        state = self._state
        return Resumption(self.session_id, *((state.token, state.sequence) if state is not None else ()))

    # Hearing.

    def _hear(self, payload: str | bytes, now: float, state: _State) -> Heard:
        state.heard_at = now
        if state.records is None:
            return self._hear_one(payload, now, state)
        try:
            records = state.records.take(payload)
        except TooLong as exc:
            return Heard(_NONE, problem=Problem(Flaw.FRAMING, str(exc)))
        except Exception as exc:
            # The user's function runs here.
            return Heard(_NONE, problem=self._raised("records", exc, payload))
        found = [self._hear_one(record, now, state)._replace(payload=record) for record in records]
        if not found:
            return _PART
        first = next((each for each in found if each.role is not _DATA), found[0])
        found.remove(first)
        return first._replace(rest=tuple(found))

    def _hear_one(self, payload: str | bytes, now: float, state: _State) -> Heard:
        heard = self.profile.words.hear(payload, self._peer)
        if self.profile.match_ids and heard.values is not None and "id" in heard.values:
            heard = self._by_id(heard, state)
        role = heard.role
        if role is _HEARTBEAT:
            state.beat_at = now
        elif role is _ANSWER:
            state.asked_at = None
        elif role is _INFO:
            channel = self._channel(heard)
            state.anew = state.began is not None and channel not in state.joined
            if channel not in state.joined and len(state.joined) < _MAX_JOINED:
                state.joined += (channel,)
            if state.began is None:
                state.began = heard.values or {}
        elif role is _GOODBYE:
            left = self._channel(heard)
            state.joined = tuple(channel for channel in state.joined if channel != left)
            if state.joined:
                # It stays in others.
                return Heard(_DATA)
        elif (role is _CONFIRMED or role is _REFUSED) and self._is_of_another(heard, state.confirmed):
            return Heard(_DATA)
        elif role is _CONFIRMED or role is _REFUSED:
            self._note_resumption(heard, state)
            if role is _CONFIRMED and state.confirmed is None:
                state.confirmed = heard.values
            if role is _CONFIRMED and state.waits:
                state.waits = False
                self._start_beats(now)
                self.at = self._earliest()
        if self.profile.words.uses_sequence and self.end is End.CLIENT and heard.problem is None:
            heard = self._count(heard, payload, state)
        return self._learn(heard, now, state)

    def _note_resumption(self, heard: Heard, state: _State) -> None:
        if state.before is None or self.resumed is not None:
            return
        same = state.before.session_id is None or heard.session_id in (None, state.before.session_id)
        said = (heard.values or {}).get("resumed", True)
        self.resumed = heard.role is _CONFIRMED and same and bool(said)
        if self.resumed and heard.resumes and heard.session_id is None:
            # Who confirms that a session goes on need not say its name again.
            self.session_id = state.before.session_id

    def _by_id(self, heard: Heard, state: _State) -> Heard:
        """What an answer answers, where its id alone tells: results of other questions look the same."""
        if heard.role not in _ANSWERS:
            return heard
        asked = state.asked.pop(str((heard.values or {})["id"]), None)
        if asked is None:
            return Heard(_DATA)
        if asked is _HEARTBEAT:
            return heard._replace(role=_ANSWER)
        return heard if heard.role is _REFUSED else heard._replace(role=_CONFIRMED)

    def _learn(self, heard: Heard, now: float, state: _State) -> Heard:
        """Take over what the peer names: the session, a token to come back with, intervals, numbers."""
        values = heard.values or {}
        state.token = values.get("token", state.token)
        if heard.role not in _NAMING:
            return heard
        if own := {name: value for name, value in values.items() if name not in NAMES}:
            state.told = {**state.told, **own}
        self._learn_session(heard)
        named = "interval" in values or "timeout" in values
        # What the server has not named by now, it leaves to the client.
        left = heard.role not in _EARLY_STEPS and self.profile.words.interval_is_named
        if named or (left and (self.intervals is None or self.profile.agree is not None)):
            return self._agree(heard, values, now)
        return heard

    def _learn_session(self, heard: Heard) -> None:
        session_id = heard.session_id
        if self.end is End.SERVER and heard.resumes:
            session_id = self._known(heard)
        elif self.end is End.CLIENT and self.profile.words.client_names_session:
            return
        if session_id is not None:
            self.session_id = session_id

    def _known(self, heard: Heard) -> str | None:
        """The session that a client comes back to, by its name or its token; None if it is not known."""
        name = heard.session_id or (heard.values or {}).get("token")
        knows = self._state.knows if self._state is not None else None
        return name if isinstance(name, str) and knows is not None and knows(name) else None

    def _count(self, heard: Heard, payload: str | bytes, state: _State) -> Heard:
        """Remember the last number received."""
        try:
            number = self.profile.number(payload)
        except Exception:
            # Told where messages are counted.
            return heard
        if number is None:
            return heard
        last, state.sequence = state.sequence, number
        if not isinstance(last, int) or not isinstance(number, int) or number >= last:
            return heard
        return heard._replace(problem=Problem(Flaw.SEQUENCE, f"number {number} came after number {last}"))

    def _agree(self, heard: Heard, values: Values, now: float) -> Heard:
        own = self._own_intervals()
        client, server = (own, values) if self.end is End.CLIENT else (values, own)
        try:
            agreed = (self.profile.agree or self._agreed)(client, server)
        except Exception as exc:
            return heard._replace(problem=self._raised("agree", exc, client, server))
        strange = [
            (field, seconds)
            for field, seconds in agreed._asdict().items()
            if seconds is not None and not SHORTEST <= seconds <= LONGEST
        ]
        self.intervals = agreed._replace(**{field: None for field, _ in strange})
        every = self.intervals.client if self.end is End.CLIENT else self.intervals.server
        if not self._named and self.profile.beats(self.end):
            # The protocol's own interval stands in for one that makes no sense.
            self._every = self.profile.interval if strange else every
            self._start_beats(now)
        self.at = self._earliest()
        if not strange:
            return heard
        named = " and ".join(f"{_NAMED[field]} of {show(seconds)}" for field, seconds in strange)
        detail = f"{named}; {show(SHORTEST)} to {show(LONGEST)} make sense"
        return heard._replace(problem=Problem(Flaw.INTERVAL, detail))

    def _agreed(self, client: Values, server: Values) -> Intervals:
        """What holds where a protocol does not say how both ends' words become one: the server's word."""
        every = server.get("interval", client.get("interval"))
        timeout = server.get("timeout", client.get("timeout"))
        beats = self.profile.beats
        return Intervals(every if beats(End.CLIENT) else None, every if beats(End.SERVER) else None, timeout)

    def _raised(self, field: str, exc: Exception, *given: object) -> Problem:
        what = " and ".join(repr(each)[:80] for each in given)
        raised = f"{field} of the profile {self.profile.name!r} raised {exc!r} for {what}"
        return Problem(Flaw.FUNCTION, raised)

    # Saying.

    def _steps(self) -> Iterator[Say]:
        """The steps of the handshake that are this end's to take now."""
        script = self.profile.words.script
        while self._place < len(script):
            by, role, step = script[self._place]
            if by is not self.end:
                return
            self._place += 1
            yield self._start() if role is _INFO else Say(role, step=step)

    def _start(self) -> Say:
        before = self._state.before if self._state is not None else None
        if before is None or not self._can_resume(before):
            return Say(_INFO, self._asking("session_info", _INFO))
        values = {**(self._asking("resume", _INFO) or {}), "session_id": before.session_id}
        return Say(_INFO, {**values, "token": before.token, "sequence": before.sequence}, resumes=True)

    def _can_resume(self, before: Resumption) -> bool:
        """Whether what a client remembers is enough to come back."""
        names = self.profile.words.names("resume")
        known = before.session_id is not None or before.token is not None
        return self.profile.resume is not None and known and not ("token" in names and before.token is None)

    def _serve(self, heard: Heard) -> Sequence[Say]:
        """What a server says to a client that begins its session, or comes back to one."""
        if self.profile.session_confirmed is None:
            return ()
        # What the client has named, this end has said its own about.
        own = ("session_id", "token", "interval", "timeout")
        values = {name: value for name, value in (heard.values or {}).items() if name not in own}
        known = heard.resumes and self._known(heard) is not None
        if heard.resumes and not known and self.profile.resume_refused is not None:
            return (Say(_REFUSED, values, resumes=True),)
        confirmed = Say(_CONFIRMED, values, resumes=known and self.profile.resumed is not None)
        # What to come back with is said behind it.
        return (confirmed, Say(Role.STEP)) if self.profile.token is not None else (confirmed,)

    def _start_beats(self, now: float) -> None:
        self._beats_from = now
        waits = self._state is not None and self._state.waits
        beats = self._every is not None and self.profile.beats(self.end) and not waits
        self._next_beat = now + self._every if beats and self._every is not None else None

    def _asking(self, field: str, role: Role) -> Values | None:
        """The id of a question, where it has one."""
        state = self._state
        if state is None or "id" not in self.profile.words.names(field):
            return None
        state.number += 1
        if self.profile.match_ids:
            state.asked[str(state.number)] = role
            if len(state.asked) > _MAX_ASKED:
                del state.asked[next(iter(state.asked))]
        return {"id": state.number}

    def _own_intervals(self) -> Values:
        named = {"interval": self._every or self.profile.interval, "timeout": self.profile.timeout}
        return {name: seconds for name, seconds in named.items() if seconds is not None}

    def _values(self, now: float) -> Values:
        """What stands for the placeholders of a message that goes out now."""
        state = self._state
        values: Values = {"session_id": self.session_id, "now": now, **self._own_intervals()}
        if state is not None:
            values = {**state.told, **values}
            values["now"] += state.epoch
            values["sequence"] = state.sequence
            values["url"] = state.url
            values["token"] = self.session_id if state.token is None else state.token
        return values

    # Timers.

    def _running(self) -> Iterator[tuple[ProtocolTimer, float, float]]:
        """The timers of this end that run: since when, and for how many seconds."""
        state = self._state
        if state is None or self.end is not End.SERVER:
            return
        agreed = self.intervals or Intervals()
        for timer in self.profile.timers:
            if timer.by is not End.SERVER or not timer.played:
                continue
            of = End.SERVER if timer.awaits is Awaited.ANSWER else End.CLIENT
            every = self._every if of is End.SERVER else (agreed.client or self.profile.interval)
            seconds = timer.runs(every, agreed.timeout or self.profile.timeout)
            since = _since(timer, state)
            if seconds is not None and since is not None:
                yield timer, since, seconds

    def _announces(self, timer: ProtocolTimer) -> bool:
        """Whether a timer has yet to say that it will end the connection."""
        return timer.announced is not None and self._state is not None and not self._state.announced

    def _earliest(self) -> float | None:
        if self._state is None:
            return self._next_beat
        instants = [
            since + seconds - (timer.announced or 0.0) * self._announces(timer)
            for timer, since, seconds in self._running()
        ]
        if self._next_beat is not None:
            instants.append(self._next_beat)
        return min(instants, default=None)


def _since(timer: ProtocolTimer, state: _State) -> float | None:
    """Since when a timer runs; None while it does not."""
    if timer.awaits is Awaited.ANSWER:
        return state.asked_at
    if timer.awaits is Awaited.SESSION:
        return state.opened if state.began is None else None
    if timer.awaits is Awaited.HEARTBEAT:
        return state.opened if state.beat_at is None else state.beat_at
    return state.heard_at if timer.awaits is Awaited.MESSAGE else state.opened

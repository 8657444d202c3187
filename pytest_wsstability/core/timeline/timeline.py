"""The record of one connection at one end: the only thing that assertions, verdicts and reports look at."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from ..plain import plain, restore, restore_number, word
from ..redact import redact_text
from . import counters
from .arrivals import Arrivals
from .close import CloseEvidence, TransportEnd
from .counters import PLACES
from .delays import Delay, delays_of, rows_of_delays, with_delay
from .events import Direction, End, Event, EventKind, FaultName, FrameKind, Opcode, Role, Tier
from .flaws import Flaw, Irregularity
from .flood import FLOOD_BYTES, FLOOD_FRAMES, began, is_flood
from .gaps import Gap, longest_before, shared, with_one_more
from .lags import add_lag, told_lags
from .protocol_facts import HeartbeatShape, Intervals, Likeness, ProtocolFacts
from .recorder import Packed, Recorder, fault_measure, measure_of, sort_of
from .recorder import event_of as event_of_packed
from .round_trips import RoundTrips
from .rows import event_of, masked, rounded, row, rows_of_texts, texts_of
from .tcp import TcpSample, add_sample, packed, samples

_T = TypeVar("_T")

# Signals are what explains an end; data frames have their own ring, so that a minute of audio
# cannot push the last heartbeats out of the record.
SIGNAL_CAPACITY = 80
DATA_CAPACITY = 64
# Wrong messages of a session's handshake that are kept, and texts of each sort: the first.
IRREGULAR = 8

# Why a timeline holds no samples of TCP.
NO_KERNEL = "virtual time has no TCP"
NOBODY_LOOKED = "nobody has looked"

# Plain integers for the way that each frame takes: members of an enum are looked up, and slowly.
_RECEIVED = int(Direction.RECEIVED)
_FRAME = int(EventKind.FRAME)
_CLOSE, _PING, _PONG = int(Opcode.CLOSE), int(Opcode.PING), int(Opcode.PONG)
# Of control frames, those with which this end asks, and is answered.
_ASKED_OR_ANSWERED = (_PING, _PONG)
# Members of an enum, looked up once.
_DATA, _HEARTBEAT, _HEARTBEAT_ANSWER = Role.DATA, Role.HEARTBEAT, Role.HEARTBEAT_ANSWER
_INFO, _CONFIRMED, _PROOF_OF_LIFE = Role.SESSION_INFO, Role.SESSION_CONFIRMED, Role.PROOF_OF_LIFE
_OPENED, _ENDED, _STANDS = EventKind.OPENED, EventKind.ENDED, TransportEnd.OPEN
_LOOP_LAG, _SLEPT = EventKind.LOOP_LAG, EventKind.SUSPENDED
_PAUSED, _RESUMED = EventKind.READING_PAUSED, EventKind.READING_RESUMED
_HEARD = counters.silence(FrameKind.ANY, _RECEIVED)
_HEARD_DATA = counters.silence(FrameKind.DATA, _RECEIVED)

# Where nothing was asked; nobody adds to it.
_NO_TRIPS = RoundTrips()

# Numbers of the records of this process.
_serials = itertools.count()

# Plain attributes that a report has under the same names.
_SAME = (
    "session_info_at", "session_resumes", "session_confirmed_at", "longest_silence", "max_lag", "max_lag_at",
    "suspended", "paused_total", "deliberately_stalled", "dropped_reads", "observed_until", "tcp_unseen",
    "ping_answered_at", "unsent", "unsent_since", "drained_at", "half_frame_since", "half_frame_last",
    "half_frame_pause", "proof_asked_at", "proof_at", "heartbeats_before", "unknown_ping_at", "unknown_pings",
)  # fmt: skip
# Those of them that reports of the same schema may lack: they were added to it.
_ADDED = ("session_resumes", "half_frame_last", "half_frame_pause", "unknown_ping_at", "unknown_pings")
# What a recording adds to in place, and a sealed record has of its own.
_GROWING = (
    "_arrivals", "_data", "_errors", "_figures", "_heartbeats", "_irregular", "_lags", "_notices", "_pings",
    "_refusals", "_server_heartbeats", "_signals", "_tcp",
)  # fmt: skip


class Timeline:
    """
    What one end saw of one connection.

    Iterating gives the last events, oldest first: `SIGNAL_CAPACITY` control frames, heartbeats,
    session steps and local events, and `DATA_CAPACITY` data frames. Counters, last instants, round
    trip times and gaps are exact over the whole life. Instants are seconds since the opening
    handshake ended.

    """

    __slots__ = (
        "_answers_due", "_arrivals", "_data", "_data_gaps", "_errors", "_figures", "_heartbeats",
        "_irregular", "_lags", "_last_any", "_notices", "_origin", "_paused_at", "_peer_ping", "_pings",
        "_refusals", "_server_heartbeats", "_signals", "_tcp", "close", "delays", "deliberately_stalled",
        "direct", "drained_at", "dropped_reads", "end", "ended_serial", "frozen", "half_frame_last",
        "half_frame_pause", "half_frame_since", "heartbeat_sender", "heartbeats_before", "hints", "intervals",
        "longest_silence", "looks_like", "max_lag", "max_lag_at", "observed_until", "paused_total",
        "ping_answered_at", "port", "proof_asked_at", "proof_at", "protocol", "serial",
        "session_confirmed_at", "session_id", "session_info_at", "session_resumes", "suspended", "tcp_unseen",
        "tier", "total", "unchosen", "unknown_ping_at", "unknown_pings", "unsent", "unsent_since",
    )  # fmt: skip

    def __init__(
        self,
        end: End,
        tier: Tier = Tier.REAL,
        *,
        origin: float = 0.0,
        protocol: ProtocolFacts | None = None,
    ) -> None:
        self.end = end
        self.tier = tier
        # Which record of this process it is: one that was sealed has that of the record it was taken of.
        self.serial = next(_serials)
        # Where its end stands among the openings and ends of this process, as instants of virtual time do not
        # tell; None where it has not ended, or was seen by another process.
        self.ended_serial: int | None = None
        # The clock's reading when the opening handshake ended.
        self._origin = origin
        # How many events there were in all, those that fell out of the record included.
        self.total = 0
        self._signals = Recorder(SIGNAL_CAPACITY)
        self._data: Recorder | None = None
        self._figures = counters.FRESH[:]
        self._last_any = 0.0
        # Fields of the handshake response that may tell who answered it; None where there are none.
        self.hints: tuple[tuple[str, str], ...] | None = None
        # Seconds without a byte either way: the longest, the one still running or ended by a close frame
        # excluded.
        self.longest_silence = 0.0
        # The payload of the peer's last ping, and when this end last answered one; None if never.
        self._peer_ping: bytes | None = None
        self.ping_answered_at: float | None = None
        # Reading: since when it is paused (None when it is not), and for how long it was in all.
        self._paused_at: float | None = None
        self.paused_total = 0.0
        # On purpose this end reads nothing (client="stalled"), which excuses nothing, or does nothing now.
        self.deliberately_stalled = self.frozen = False
        # Application messages thrown away because nobody asked for them.
        self.dropped_reads = 0
        # The ping at the end of a hold went out, and a byte of the peer came after it; None while it has not.
        self.proof_asked_at: float | None = None
        self.proof_at: float | None = None
        # How far this end watched.
        self.observed_until = 0.0
        # None until the connection is over; then what is known about its end, which may grow (see `over`).
        self.close: CloseEvidence | None = None
        self._start_protocol(protocol)
        self._start_looks()
        self.mark(origin, _OPENED)

    def _start_protocol(self, protocol: ProtocolFacts | None) -> None:
        """What is said in the application's protocol: nothing yet."""
        # What is spoken; None where nobody knows.
        self.protocol = protocol
        # What both ends go by; None until one of them has named something.
        self.intervals: Intervals | None = None
        # What the peer speaks instead; None where it speaks the protocol, or nobody can tell.
        self.looks_like: Likeness | None = None
        # At a server: the subprotocols that were offered, masked, where it chose none of them.
        self.unchosen: str | None = None
        self._answers_due = protocol is None or protocol.heartbeat is not HeartbeatShape.ONE_WAY
        # Where none is: times without a message of the peer, each longer than those before it.
        self._data_gaps: tuple[Gap, ...] = ()
        self._heartbeats: RoundTrips | None = None
        self._pings: RoundTrips | None = None
        # Those of the server, where both ends send some.
        self._server_heartbeats: RoundTrips | None = None
        # Who sends the heartbeats: SENT is this end, RECEIVED the peer; None until the first. Where both
        # ends do, it is the client. What the other end sends of the same shape (an echo, a ping of its own)
        # is else no heartbeat of ours.
        self.heartbeat_sender: Direction | None = None
        self.session_id: str | None = None
        self.session_info_at: float | None = None
        # What was sent then resumes a session, by the profile's `resume`.
        self.session_resumes = False
        self.session_confirmed_at: float | None = None
        self._irregular: list[Irregularity] | None = None
        # Application messages received; None until the first.
        self._arrivals: Arrivals | None = None
        # Messages that the protocol calls an error, with their instants: the first ones.
        self._errors: list[tuple[float, str]] | None = None
        # Messages that announce the end, in the same way.
        self._notices: list[tuple[float, str]] | None = None
        self._refusals: list[tuple[float, str]] | None = None

    def _start_looks(self) -> None:
        """What is seen of the machine, its kernel and the way beside the frames: nothing yet."""
        # Nothing lies between its two ends that loses or delays frames, and one process has both.
        self.direct = False
        # At a proxy: what its faults kept back.
        self.delays: tuple[Delay, ...] = ()
        # The local port of this end, by which the log of its peer may call it; None where that is not known.
        self.port: int | None = None
        # The kernel's view of the connection, packed (see `tcp`); None until the first look.
        self._tcp: bytearray | None = None
        # Bytes that this end has written and that have not left it, and since when there are some; 0 and
        # None where all have, or nobody looked.
        self.unsent = 0
        self.unsent_since: float | None = None
        # When fewer were last seen to wait than at the look before; None if never.
        self.drained_at: float | None = None
        # Since when a frame of the peer is there in part; None between frames.
        self.half_frame_since: float | None = None
        # When bytes of it came last, and the longest time between two pieces of it.
        self.half_frame_last: float | None = None
        self.half_frame_pause = 0.0
        # When the peer last sent a ping message that the profile does not answer, and how many it has sent
        # since this end last said something of its own; None and 0 if none.
        self.unknown_ping_at: float | None = None
        self.unknown_pings = 0
        # Heartbeats of the client on earlier connections of its session, at a server; None on the first.
        self.heartbeats_before: int | None = None
        # Why `tcp` is empty; None where the kernel is asked.
        self.tcp_unseen: str | None = NO_KERNEL if self.tier is Tier.VIRTUAL else NOBODY_LOOKED
        # Worst lag of our own event loop in seconds, and when.
        self.max_lag = self.max_lag_at = 0.0
        # The longest, each as its end and its seconds; None while there was none.
        self._lags: array[float] | None = None
        # Seconds the machine slept meanwhile.
        self.suspended = 0.0

    # Recording. `now` is the clock's reading, the same clock as `origin`.

    def frame(
        self, now: float, direction: Direction, opcode: int, size: int, role: Role, key: bytes | None = None
    ) -> None:
        """
        Record a frame.

        Args:
            now: the clock's reading.
            direction: seen from this end.
            opcode: as RFC 6455, section 5.2, has it.
            size: bytes of payload.
            role: what it is for.
            key: what tells a ping or heartbeat from its neighbours (its payload or id). A pong of this end
                without one answers the peer's ping; one with a key does only if the ping had the same.

        """
        at = now - self._origin
        # Written out, and without sums that are known before: each frame comes along here.
        count, sizes, seen, meant, place, longest, anything, longest_any, sort, is_data = PLACES[opcode][
            direction
        ][role]
        figures = self._figures
        figures[count] += 1
        figures[sizes] += size
        if opcode != _CLOSE:
            gap = at - self._last_any
            if gap > self.longest_silence:
                self.longest_silence = shared(gap)
            gap = at - figures[place]
            if gap > figures[longest]:
                figures[longest] = shared(gap)
                if place == _HEARD_DATA and not self._answers_due:
                    self._data_gaps = with_one_more(self._data_gaps, (gap, at - gap))
            gap = at - figures[anything]
            if gap > figures[longest_any]:
                figures[longest_any] = shared(gap)
            figures[place] = figures[anything] = at
        self._last_any = self.observed_until = figures[meant] = figures[seen] = at
        number = self.total
        self.total = number + 1
        if is_data:
            if self._data is None:
                self._data = Recorder(DATA_CAPACITY)
            self._data.append(at, sort, size, number)
            return
        self._signals.append(at, sort, size, number)
        if self.close is not None:
            # What is over is not answered any more.
            return
        if opcode > _CLOSE:
            self._control(at, direction, opcode, role, key)
        if role > _DATA:
            self._step(at, direction, opcode, role, key)

    def _control(self, at: float, direction: Direction, opcode: int, role: Role, key: bytes | None) -> None:
        """What a ping or a pong asks or answers."""
        if opcode == _ASKED_OR_ANSWERED[direction]:
            if role is _PROOF_OF_LIFE:
                return
            if opcode == _PING:
                if self._pings is None:
                    self._pings = RoundTrips()
                self._pings.ask(at, key)
            elif self._pings is not None:
                self._pings.answer(at, key, older=True)
        elif opcode == _PING:
            self._peer_ping = key
        elif key is None or key == self._peer_ping:
            self.ping_answered_at = at

    def further(
        self, now: float, direction: Direction, opcode: int, role: Role, key: bytes | None = None
    ) -> None:
        """Record one more message of a frame that is recorded already; its bytes are counted."""
        at = now - self._origin
        self._figures[counters.meant(role, direction)] = at
        if role > _DATA:
            self._signals.append(at, sort_of(_FRAME, direction, opcode, role), 0, self.total)
            self.total += 1
            self._step(at, direction, opcode, role, key)

    def _step(self, at: float, direction: Direction, opcode: int, role: Role, key: bytes | None) -> None:
        if role is _HEARTBEAT:
            ours = direction is self.heartbeat_sender
            trips = self._heartbeats if ours else self._heartbeats_of(direction, at)
            if trips is not None:
                trips.ask(at, key, due=self._answers_due)
        elif role is _HEARTBEAT_ANSWER:
            asker = 1 - direction
            trips = self._heartbeats if asker == self.heartbeat_sender else self._server_heartbeats
            if trips is not None:
                older = opcode == _PONG or (self.protocol is not None and self.protocol.cumulative)
                trips.answer(at, key, older=older)
            elif asker == _RECEIVED:
                # The test has answered what its profile does not.
                self.unknown_ping_at, self.unknown_pings = None, 0
        elif role is _INFO:
            # An end may say what is the other's to say: that asks for nothing, and confirms nothing.
            if self.session_info_at is None and direction is self._from_client:
                self.session_info_at = at
        elif role is _CONFIRMED and self.session_confirmed_at is None and direction is not self._from_client:
            self.session_confirmed_at = at
            if self._arrivals is not None:
                self._arrivals.restart(at)

    @property
    def _from_client(self) -> Direction:
        return Direction.SENT if self.end is End.CLIENT else Direction.RECEIVED

    def _heartbeats_of(self, sender: Direction, at: float) -> RoundTrips | None:
        """Where heartbeats of another end than the first are counted; None where they are none."""
        both = self.protocol is not None and self.protocol.both_ask
        if both and sender is not self._from_client:
            if self._server_heartbeats is None:
                self._server_heartbeats = RoundTrips()
            return self._server_heartbeats
        if self.heartbeat_sender is None or self._is_due_from(sender):
            if self._heartbeats is not None and self._answers_due and sender is Direction.SENT:
                self.unknown_ping_at, self.unknown_pings = self._heartbeats.last_at, self._heartbeats.sent
            begun = self.heartbeats_begun if sender is Direction.SENT else None
            self._heartbeats, self.heartbeat_sender = RoundTrips(begun or 0.0), sender
            return self._heartbeats
        if sender is Direction.RECEIVED and self._answers_due and not self.heartbeats.open:
            # What comes while one of this end is open may be that, sent back.
            self._note_unknown_ping(at)
        return None

    def _is_due_from(self, sender: Direction) -> bool:
        """Whether heartbeats are this one's alone, by the protocol: the other's ask for nothing."""
        ends = frozenset() if self.protocol is None else self.protocol.heartbeats_from
        return ends == {self.end if sender is Direction.SENT else self.end.peer}

    def mark(self, now: float, kind: EventKind, seconds: float = 0.0) -> None:
        """
        Record a local event that is no frame.

        A lag of the loop (LOOP_LAG) that went into what the peer sent is recorded as FLOOD.

        """
        at = max(0.0, now - self._origin)
        if kind is _LOOP_LAG and self._is_flood(at, seconds):
            kind = EventKind.FLOOD
        self.observed_until = max(self.observed_until, at)
        milliseconds = round(seconds * 1000)
        self._signals.append(at, _sort_of_local(kind), milliseconds, self.total)
        self.total += 1
        if kind is _LOOP_LAG:
            self._was_late(at, seconds)
        elif kind is _SLEPT:
            self.suspended += seconds
        elif kind is _PAUSED:
            self._paused_at = at
        elif kind is _RESUMED and self._paused_at is not None:
            self.paused_total += at - self._paused_at
            self._paused_at = None

    def _was_late(self, at: float, seconds: float) -> None:
        if seconds > self.max_lag:
            self.max_lag, self.max_lag_at = seconds, at
        if self._lags is None:
            self._lags = array("d")
        add_lag(self._lags, at, seconds)

    def _is_flood(self, at: float, seconds: float) -> bool:
        few = self.total < FLOOD_FRAMES and self.bytes(Direction.RECEIVED) < FLOOD_BYTES
        if few or self.heard_at < began(at, seconds):
            # Thousands of connections on a loop that is late would make it later by a look at their events.
            return False
        return is_flood(itertools.chain(self._signals, self._data or ()), at, seconds)

    def message(self, now: float, text: str | None = None) -> None:
        """
        Record that an application message came, whole; its frames are recorded by themselves.

        Args:
            now: the clock's reading.
            text: what it says, if that is a short text: the last one may tell why nothing comes behind it.

        """
        if self._arrivals is None:
            self._arrivals = Arrivals(self.session_confirmed_at or 0.0)
        self._arrivals.add(now - self._origin, text)

    def error_message(self, now: float, text: str) -> None:
        """Record a message that the protocol calls an error; the first `IRREGULAR` are kept."""
        self._errors = _with_one_more(self._errors, (now - self._origin, text))

    def notice_message(self, now: float, text: str) -> None:
        """Record a message that announces the end; the first `IRREGULAR` are kept."""
        self._notices = _with_one_more(self._notices, (now - self._origin, text))

    def refusal_message(self, now: float, text: str) -> None:
        """Record a message that refuses an unconfirmed session; the first `IRREGULAR` are kept."""
        self._refusals = _with_one_more(self._refusals, (now - self._origin, text))

    def ask_proof(self, now: float) -> None:
        """Record that the ping at the end of a hold has gone out."""
        self.proof_asked_at, self.proof_at = now - self._origin, None

    def prove(self, now: float) -> None:
        """Record that the peer has shown a sign of life after that."""
        self.proof_at = now - self._origin

    def forget_proof(self) -> None:
        """Record that nobody waits for the proof of life that was asked for: another hold asks anew."""
        self.proof_asked_at = self.proof_at = None

    def kernel(self, now: float, info: bytes, send_queue: int) -> None:
        """Record what ``TCP_INFO`` and ``SIOCOUTQ`` say about the socket; see `add_sample`."""
        if self._tcp is None:
            self._tcp = bytearray()
        add_sample(self._tcp, now - self._origin, info, send_queue)

    def queued(self, now: float, size: int) -> None:
        """Record how many bytes that this end has written have not left it yet, as long as that matters."""
        if self.close is not None:
            return
        if size < self.unsent:
            self.drained_at = now - self._origin
        if size == 0:
            self.unsent_since = None
        elif self.unsent_since is None:
            self.unsent_since = now - self._origin
        self.unsent = size

    def unknown_ping(self, now: float) -> None:
        """Record that a message of the peer is a ping which the profile does not answer."""
        self._note_unknown_ping(now - self._origin)

    def _note_unknown_ping(self, at: float) -> None:
        before, said = self.unknown_ping_at, self.last(direction=Direction.SENT, role=Role.DATA)
        self.unknown_ping_at = at
        is_open = before is not None and (said is None or said < before)
        self.unknown_pings = self.unknown_pings + 1 if is_open else 1

    def half_frame(self, now: float, there: bool, *, began: bool = False) -> None:
        """
        Record whether a frame of the peer is there in part, each time that bytes came.

        Args:
            now: the clock's reading.
            there: whether one is.
            began: whether it began with these bytes, behind the rest of others.

        """
        at = now - self._origin
        if not there:
            self.half_frame_since = self.half_frame_last = None
        elif began or self.half_frame_last is None:
            self.half_frame_since = self.half_frame_last = at
            self.half_frame_pause = 0.0
        else:
            self.half_frame_pause = max(self.half_frame_pause, at - self.half_frame_last)
            self.half_frame_last = at

    def fault_applied(self, now: float, fault: FaultName) -> None:
        """Record that a fault was applied to the connection here, on purpose."""
        at, which = now - self._origin, fault_measure(fault)
        self._signals.append(at, _sort_of_local(EventKind.FAULT), which, self.total)
        self.total += 1
        self.observed_until = max(self.observed_until, at)

    def kept_back(self, direction: Direction, since: float, until: float, *, again: bool) -> None:
        """
        Record that faults of the link keep back what passes a proxy.

        Args:
            direction: seen from the client.
            since: the clock's reading when it came.
            until: when it leaves.
            again: whether it is the same fault that kept something back in this direction before.

        """
        found = Delay(direction, since - self._origin, until - self._origin, until - since)
        self.delays = with_delay(self.delays, found, again=again)

    def irregularity(self, now: float, flaw: Flaw, detail: str) -> None:
        """Record what is wrong with a message of the session's handshake; the first `IRREGULAR` are kept."""
        found = Irregularity(now - self._origin, flaw, detail)
        self._irregular = _with_one_more(self._irregular, found)

    def over(self, now: float, evidence: CloseEvidence) -> None:
        """
        Record that the connection is over, or what else this end has learned about its end.

        A connection is over with the first of a close frame either way, this end's own failure (1002, 1007,
        1009) and the end of the transport. Tell it at each of them, at once: the first call fixes the
        instant, ``close.at``, and the later ones only add to the evidence, until the transport has ended.

        Args:
            now: the clock's reading.
            evidence: all that is known by now; its transport is `TransportEnd.OPEN` until that has ended.

        """
        known = self.close
        if known is None:
            self.ended_serial = next(_serials)
        elif known.transport is not _STANDS:
            return
        elif evidence.at != known.at:
            evidence = dataclasses.replace(evidence, at=known.at)
        self.close = evidence
        if evidence.transport is not _STANDS:
            self.mark(now, _ENDED)

    def sealed(self) -> Timeline:
        """
        The record as it stands: what happens from now on does not change it.

        Costs as much as 4 KiB and some ten microseconds, so that each verdict can have one.

        """
        copied = copy.copy(self)
        for name in _GROWING:
            value = getattr(self, name)
            setattr(copied, name, value if value is None else copy.copy(value))
        return copied

    def observe(self, now: float) -> None:
        """Say that this end has watched until ``now``; what is over is not watched any longer."""
        if self.close is None:
            self.observed_until = max(self.observed_until, now - self._origin)

    # Reading.

    def __iter__(self) -> Iterator[Event]:
        return map(event_of_packed, self.packed())

    def packed(self) -> list[Packed]:
        """The same events as they are recorded: an object for each takes most of what a drawing needs."""
        records = self._signals.numbered(self.total - 1)
        if self._data is not None:
            records += self._data.numbered(self.total - 1)
            # The number decides between frames of one instant.
            records.sort(key=lambda record: (record[1][0], record[0]))
        return [packed for _, packed in records]

    def __len__(self) -> int:
        return len(self._signals) + len(self._data or ())

    def __repr__(self) -> str:
        state = self.close.headline() if self.close else "open"
        return f"<Timeline {self.end.value}, {self.duration:.3f} s, {self.total} events, {state}>"

    @property
    def opened(self) -> float:
        """The reading of the end's own clock, in seconds, when the opening handshake ended."""
        return self._origin

    @property
    def duration(self) -> float:
        """Seconds from the end of the opening handshake to the end, or to the last look at an open one."""
        return self.close.at if self.close else self.observed_until

    @property
    def heartbeats(self) -> RoundTrips:
        """Heartbeats and their answers, whoever sends them; the client's where both ends do."""
        return self._heartbeats or _NO_TRIPS

    @property
    def is_one_way(self) -> bool:
        """Whether no answer is ever due to a heartbeat."""
        return not self._answers_due

    @property
    def peer_sends_heartbeats(self) -> bool:
        """Whether the peer is one of those who send heartbeats, by the protocol and by what was agreed."""
        if self.protocol is None or self.end.peer not in self.protocol.heartbeats_from:
            return False
        return self.intervals is None or self.peer_interval is not None

    @property
    def heartbeats_begun(self) -> float | None:
        """From when on this end sends them: from the session's confirmation, where they wait for it."""
        waits = self.protocol is not None and self.protocol.heartbeats_in_session
        return self.session_confirmed_at if waits else 0.0

    @property
    def peer_interval(self) -> float | None:
        """Seconds between two heartbeats of the peer, as both ends agreed or the protocol has it."""
        if self.intervals is None:
            return None if self.protocol is None else self.protocol.every
        return self.intervals.client if self.end is End.SERVER else self.intervals.server

    @property
    def server_heartbeats(self) -> RoundTrips:
        """The server's heartbeats and their answers, where the client sends some of its own too."""
        return self._server_heartbeats or _NO_TRIPS

    @property
    def own_heartbeats(self) -> RoundTrips:
        """The heartbeats of this end."""
        if self.protocol is not None and self.protocol.both_ask and self.end is End.SERVER:
            return self.server_heartbeats
        return _NO_TRIPS if self.heartbeat_sender is Direction.RECEIVED else self.heartbeats

    @property
    def pings(self) -> RoundTrips:
        """Ping frames that this end sent, and the pongs that answered them."""
        return self._pings or _NO_TRIPS

    @property
    def irregular(self) -> Sequence[Irregularity]:
        """What was wrong with the session's handshake, as far as this end saw it."""
        return self._irregular or ()

    @property
    def messages(self) -> Arrivals:
        """The application messages that this end received."""
        return self._arrivals or Arrivals(self.session_confirmed_at or 0.0)

    @property
    def messages_received(self) -> int:
        """How many application messages this end received."""
        return self._arrivals.count if self._arrivals is not None else 0

    @property
    def lags(self) -> Sequence[tuple[float, float]]:
        """The longest lags of our own event loop, as ``(end, seconds)``, in the order in which they were."""
        return told_lags(self._lags)

    @property
    def errors(self) -> Sequence[tuple[float, str]]:
        """Messages that the protocol calls an error, as ``(at, text)``: the first ones."""
        return self._errors or ()

    @property
    def notices(self) -> Sequence[tuple[float, str]]:
        """Messages that announce the end, as ``(at, text)``: the first ones."""
        return self._notices or ()

    @property
    def refusals(self) -> Sequence[tuple[float, str]]:
        """The messages that refused the session before it was confirmed, as ``(at, text)``: the first."""
        return self._refusals or ()

    @property
    def paused(self) -> bool:
        """Whether this end had stopped reading when it last looked."""
        return self._paused_at is not None

    @property
    def paused_since(self) -> float | None:
        """Since when this end reads nothing; None while it reads."""
        return self._paused_at

    @property
    def silence(self) -> float:
        """Seconds without a byte either way, up to the end or to the last look."""
        return max(0.0, self.duration - self._last_any)

    @property
    def tcp(self) -> tuple[TcpSample, ...]:
        """
        The kernel's view of the connection, oldest first: 200 ms after something was written that was not
        answered, each second from then on until the peer is heard, and right before the end.

        The last `TCP_CAPACITY` of them, without the inner ones of a row in which all is well. Empty
        where there is no such view: `tcp_unseen` says why.

        """
        return samples(self._tcp)

    @property
    def heard_at(self) -> float:
        """When the last frame came, in seconds since the opening; 0.0 before the first."""
        return self._figures[_HEARD]

    def silent_for(self, direction: Direction, kind: FrameKind = FrameKind.ANY) -> float:
        """Seconds without such frames in a direction, up to the end or the last look; no close frames."""
        return max(0.0, self.duration - self._figures[counters.silence(kind, direction)])

    def longest_gap(self, direction: Direction, kind: FrameKind = FrameKind.ANY) -> float:
        """The longest time without such frames in a direction, the one still running excluded."""
        return self._figures[counters.silence(kind, direction) + counters.LONGEST]

    def data_gap_before(self, until: float) -> Gap:
        """
        The time without a message of the peer of which most lies before an instant, as ``(seconds, from)``.

        The one still running is excluded. Of a connection on which answers to heartbeats are due, and of a
        record that was read back, only the longest is known.

        """
        if self._data_gaps:
            return longest_before(self._data_gaps, until)
        longest = self._figures[_HEARD_DATA + counters.LONGEST]
        return longest, self._figures[_HEARD_DATA] - longest

    def signals_since(self, number: int) -> Iterable[Packed]:
        """All but data frames from a number on (see `total`), packed, as far as the record reaches."""
        return self._signals.packed_since(number, self.total - 1)

    def between(self, start: float, end: float) -> list[Event]:
        """The events with ``start <= at < end``, as far as the record reaches."""
        return [event for event in self if start <= event.at < end]

    def last(
        self, *, direction: Direction, opcode: Opcode | None = None, role: Role | None = None
    ) -> float | None:
        """
        When a frame of an opcode, or else of a role, was last seen in a direction; None if never.

        Returns:
            Seconds since the opening handshake ended.

        Raises:
            ValueError: unless one of the two is given.

        """
        if opcode is not None and role is None:
            return counters.last_of_opcode(self._figures, direction, opcode)
        if role is not None and opcode is None:
            return counters.last_of_role(self._figures, direction, role)
        raise ValueError("last: give an opcode or a role, and not both")

    def count(self, direction: Direction, *opcodes: Opcode) -> int:
        """Frames in a direction, of the opcodes given or of all."""
        return counters.count(self._figures, direction, opcodes)

    def bytes(self, direction: Direction, *opcodes: Opcode) -> int:
        """Payload bytes in a direction, of the opcodes given or of all."""
        return counters.size(self._figures, direction, opcodes)

    # Written and read back.

    def as_dict(self, events: Iterable[Event] | None = None) -> dict[str, Any]:
        """
        The record in exact builtin types; `from_dict` reads it back.

        Args:
            events: the events to put in; None takes those that the record still holds.

        """
        sender = self.heartbeat_sender
        return {
            "end": self.end.value,
            "tier": self.tier.value,
            "protocol": None if self.protocol is None else plain(self.protocol),
            "intervals": None if self.intervals is None else plain(self.intervals._asdict()),
            "looks_like": None if self.looks_like is None else plain(self.looks_like),
            "unchosen": self.unchosen,
            "duration": rounded(self.duration),
            **{name: rounded(getattr(self, name)) for name in _SAME},
            "paused_since": rounded(self._paused_at),
            "last_frame_at": rounded(self._last_any),
            "heartbeat_sender": None if sender is None else word(sender),
            "heartbeats": self.heartbeats.as_dict(),
            "server_heartbeats": (
                None if self._server_heartbeats is None else self._server_heartbeats.as_dict()
            ),
            "pings": self.pings.as_dict(),
            **counters.as_dict(self._figures),
            "messages": self.messages.as_dict(),
            "errors": rows_of_texts(self.errors),
            "notices": rows_of_texts(self.notices),
            "refusals": rows_of_texts(self.refusals),
            "lags": [[rounded(at), rounded(seconds)] for at, seconds in self.lags],
            "delays": rows_of_delays(self.delays),
            "hints": [[name, redact_text(value)] for name, value in self.hints or ()],
            "tcp": [plain(look) for look in self.tcp],
            "irregular": [
                [rounded(each.at), word(each.flaw), redact_text(each.detail)] for each in self.irregular
            ],
            "close": None if self.close is None else plain(masked(self.close)),
            "total": self.total,
            "events": [row(event) for event in (self if events is None else events)],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], where: str = "timeline") -> Timeline:
        """
        The record that `as_dict` made this of.

        Raises:
            KeyError: for something missing.
            TypeError, ValueError: for something wrong.

        """
        timeline = cls(
            restore(End, data["end"], f"{where}.end"),
            restore(Tier, data["tier"], f"{where}.tier"),
            protocol=restore(ProtocolFacts | None, data["protocol"], f"{where}.protocol"),
        )
        if data["intervals"] is not None:
            timeline.intervals = Intervals(**data["intervals"])
        timeline.looks_like = restore(Likeness | None, data["looks_like"], f"{where}.looks_like")
        timeline.unchosen = restore(str | None, data.get("unchosen"), f"{where}.unchosen")
        events = [event_of(each, f"{where}.events[{index}]") for index, each in enumerate(data["events"])]
        timeline._replay(events, int(data["total"]))
        timeline.tcp_unseen = restore(str | None, data["tcp_unseen"], f"{where}.tcp_unseen")
        for name in _SAME:
            if name == "tcp_unseen" or (name in _ADDED and name not in data):
                continue
            setattr(timeline, name, restore_number(data[name], getattr(timeline, name), f"{where}.{name}"))
        timeline._paused_at = restore_number(data["paused_since"], None, f"{where}.paused_since")
        timeline._last_any = float(data["last_frame_at"])
        sender = data["heartbeat_sender"]
        timeline.heartbeat_sender = None if sender is None else restore(Direction, sender, f"{where}.sender")
        timeline._tcp = packed(restore(tuple[TcpSample, ...], data["tcp"], f"{where}.tcp"))
        timeline._heartbeats = RoundTrips.from_dict(data["heartbeats"])
        if data["server_heartbeats"] is not None:
            timeline._server_heartbeats = RoundTrips.from_dict(data["server_heartbeats"])
        timeline._pings = RoundTrips.from_dict(data["pings"])
        timeline._arrivals = Arrivals.from_dict(data["messages"])
        timeline._errors = texts_of(data["errors"])
        timeline._notices = texts_of(data["notices"])
        timeline._refusals = texts_of(data.get("refusals", ()))
        worst = [(timeline.max_lag_at, timeline.max_lag)] if timeline.max_lag else ()
        for at, seconds in data.get("lags", worst):
            timeline._was_late(float(at), float(seconds))
        timeline.delays = delays_of(data, where)
        timeline._figures = counters.restore_from(data, where)
        timeline.hints = tuple((str(name), str(value)) for name, value in data["hints"]) or None
        timeline._irregular = [
            Irregularity(float(at), restore(Flaw, flaw, f"{where}.irregular"), str(detail))
            for at, flaw, detail in data["irregular"]
        ]
        close = data["close"]
        timeline.close = None if close is None else CloseEvidence.from_dict(close, f"{where}.close")
        return timeline

    def _replay(self, events: Sequence[Event], total: int) -> None:
        """Fill the rings: as large as what there is, since nothing will be added."""
        frames = sum(map(_is_data, events))
        self.total = max(len(events), total)
        self._signals = signals = Recorder(max(1, len(events) - frames))
        self._data = data = Recorder(frames) if frames else None
        for number, event in enumerate(events, self.total - len(events)):
            ring = data if data is not None and _is_data(event) else signals
            sort = sort_of(event.kind, event.direction, event.opcode, event.role)
            ring.append(event.at, sort, measure_of(event), number)


def _with_one_more(kept: list[_T] | None, found: _T) -> list[_T]:
    """The first `IRREGULAR` are kept."""
    kept = [] if kept is None else kept
    if len(kept) < IRREGULAR:
        kept.append(found)
    return kept


def _sort_of_local(kind: EventKind) -> bytes:
    """The sort of an event that is no frame."""
    return sort_of(kind, Direction.LOCAL, Opcode.NONE, Role.NONE)


def _is_data(event: Event) -> bool:
    """Whether an event stands in the ring of data frames."""
    return event.kind is EventKind.FRAME and counters.is_data(event.opcode, event.role)


def check_timeline(given: object) -> None:
    """
    See that something is the record of an end.

    Raises:
        TypeError: if it is none, such as what has one.

    """
    if not isinstance(given, Timeline):
        kind = type(given).__name__
        raise TypeError(f"timeline: {kind} is no Timeline; give that of a connection, connection.timeline")

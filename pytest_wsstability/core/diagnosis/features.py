"""What the rules look at, as numbers and yes or no; `extract` reads it from a timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ..judge.verdict import Reason, Rule
from ..timeline.close import CloseEvidence, TransportEnd
from ..timeline.close_reasons import (
    NO_REASON,
    Reading,
    Topic,
    is_called_error,
    names,
    names_whole,
    read_message,
    tells_clearly,
    waited_for_credentials,
)
from ..timeline.delays import Delay
from ..timeline.events import Direction, End, Event, EventKind, FaultName, FrameKind, Opcode, Role, Tier
from ..timeline.tcp import TcpSample
from ..timeline.timeline import Timeline
from .cohort import SAME_SILENCE, SILENCE, Beside, Shared, broke_silence, is_lively
from .stray import Stray
from .timers import LATE_SHARE

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED

# An end so soon after a frame may be the answer to it; round trips that were measured count threefold.
REACTION = 0.05
# So many of a kind show how often they come.
EVEN = 3
# Seconds that the other end has to answer.
TO_ANSWER = 1.0
# Answers come at once that follow each other by no more seconds: far less than lies between two questions,
# so that only a wait can have gathered them.
AT_ONCE = 0.03
# Intervals of a timer that differ by more, in seconds and as a share, are uneven: real loops are late by
# less (measured with every core busy).
UNEVEN, UNEVEN_SHARE = 0.3, 0.2
# Seconds without anything heard that lost packets explain: 30 % lost cost up to 3 s (a doubled timeout of
# retransmission, three times in a row).
LOSS = 4.0
# Times that something was sent again in vain: on a path that loses nothing else, and on one that was seen to
# lose packets and went on, where 30 % lost take eight transmissions in a row once in 15,000 times.
AGAIN, AGAIN_WITH_LOSS = 2, 7
# Seconds within which a server gives up on credentials that do not come: strawberry-graphql waits for 60 s,
# Hocuspocus and Pusher for 30 s. Doubled, it is less than tokens live for.
FOR_CREDENTIALS = 120.0
# A message tells why the connection ends where the end follows within so many seconds: who writes one and
# closes does both at once, and the network takes them along together.
LAST_WORDS = 1.0
# A notice is about an end that follows within so many seconds: Gemini Live gives the longest that is known,
# about one minute, and doubled it is no accident yet.
ANNOUNCED = 120.0
# Messages a second from which on one of them stands so by chance in one case of ten.
OFTEN = 0.1
# How reasons say that there are no credentials, and not that they expired or do not suffice.
_WANTED = (
    "unauthorized", "unauthorised", "unauthenticated", "not authorized", "not authorised",
    "not authenticated", "authentication required", "authorization required", "auth required",
    "login required", "not logged in",
    "no token", "missing token", "token missing", "token required", "credentials required", "no credentials",
)  # fmt: skip
# Seconds that something lies behind at a proxy before it counts as late.
BEHIND = 1.0
# Messages of this size may be over somebody's limit; the smallest known one is 512 (gorilla's chat example).
BIG = 512
_OPCODES: dict[FrameKind, tuple[Opcode, ...]] = {
    FrameKind.PING: (Opcode.PING,),
    FrameKind.PONG: (Opcode.PONG,),
    FrameKind.ANY: (Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.PONG),
}


@dataclass(frozen=True, slots=True)
class PeerPings:
    """Ping frames of the peer, and the pongs of this end."""

    received: int
    ponged: int
    # When the last ping came, and when the last pong went out; None if never.
    last: float | None
    last_pong: float | None
    # The first ping that this end had time to answer and did not; None when there is none.
    unanswered: float | None
    # The slowest answer in the record, in seconds.
    latest: float
    # When the first ping came; None if that is not on record.
    first: float | None
    # The shortest and the longest time between two pings in the record, in seconds; 0 with fewer than two.
    shortest_gap: float
    longest_gap: float

    @property
    def irregular(self) -> bool:
        """Whether they came at uneven intervals, as from a loop that is blocked now and then."""
        return self.longest_gap - self.shortest_gap > max(UNEVEN, UNEVEN_SHARE * self.shortest_gap)


@dataclass(frozen=True, slots=True)
class Asked:
    """Heartbeats, or ping frames, of one end and what the other answered."""

    sent: int
    answered: int
    # When the youngest question was asked; None if none was.
    last: float | None
    # The oldest open question that there was time to answer; None when there is none.
    open_since: float | None
    slowest: float
    # The middle of the round trips, in seconds; 0 without any.
    usual: float
    # When the youngest question that was answered had been asked; None if none was.
    last_answered: float | None
    # How often several answers came at once to questions that waited, and the longest of those waits.
    bunches: int
    stood_still: float


@dataclass(frozen=True, slots=True)
class Tail:
    """What happened in the last moment before the end, close frames aside."""

    # The last frames, and the silence before them.
    sent: tuple[Event, ...]
    received: tuple[Event, ...]
    quiet_before: float

    @property
    def message(self) -> Event | None:
        """The last application message that this end sent; None when it sent none."""
        return next(
            (event for event in reversed(self.sent) if event.role <= Role.DATA and is_data(event)), None
        )

    @property
    def only_sent(self) -> bool:
        """Whether this end spoke last, and nobody answered."""
        return bool(self.sent) and not self.received


@dataclass(frozen=True, slots=True)
class Messages:
    """Application messages that this end sent, as far as the record reaches."""

    # Bytes of the largest; 0 if there was none.
    largest: int
    # Whether the last one was larger than any before.
    last_is_largest: bool
    # Whether none had gone out for a while before the last one.
    last_is_rare: bool
    # Whether they are so dense that any end comes right after one.
    streaming: bool
    # How soon after the last one an end may be the answer to it, in seconds.
    reaction: float
    # How many of this end and of the peer are in the record, the session's handshake aside.
    said: int
    heard: int
    # Whether messages of the peer came so densely before the end that they may have waited for each other.
    received_stream: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyView:
    """What a proxy of the test saw of the same connection."""

    # Seconds by which what it had from the server reached the client later, at the end.
    behind: float
    # Whether a ping of the server passed it, and the client's pong to it did not.
    pong_missing: bool
    # Whether what went out behind the missing pong has passed it, so that it is not on its way.
    overtaken: bool = False
    # The same as `behind` of the server's first frame; None where that is not on record.
    behind_first: float | None = None
    # What its faults kept back; instants are those of the record that is diagnosed.
    delays: Sequence[Delay] = ()

    def kept_back(self, since: float, until: float) -> tuple[float, float]:
        """Seconds between two instants for which its faults kept something back: there, and back."""

        def longest(direction: Direction) -> float:
            return max((seconds for each, seconds in meanwhile if each is direction), default=0.0)

        meanwhile = [
            (each.direction, min(each.seconds, min(each.until, until) - max(each.since, since)))
            for each in self.delays
            if each.since <= until and each.until >= since
        ]
        return longest(SENT), longest(RECEIVED)

    def kept_back_at(self, direction: Direction, at: float) -> float:
        """
        Seconds that its faults kept back what was on its way in a direction at an instant.

        0.0 where they had kept back something as long before: that was survived.

        """
        ours = [each for each in self.delays if each.direction is direction and each.since <= at]
        # Where it began longer ago, what came first has left.
        kept = [each for each in ours if each.until >= at and at - each.since < 2 * each.seconds]
        longest = max((each.seconds for each in kept), default=0.0)
        return longest if all(each.seconds < longest for each in ours if each not in kept) else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """One timeline, as the rules see it. Instants are seconds since the opening handshake ended."""

    timeline: Timeline
    # What is on record, oldest first.
    events: Sequence[Event]
    end: End
    tier: Tier
    close: CloseEvidence | None
    # The end, or the last look at an open one.
    age: float
    # Seconds without a byte either way before it, and the longest that was survived before.
    silence: float
    longest_silence: float
    # Heartbeats, and ping frames, of this end and of the peer.
    own_heartbeats: Asked
    peer_heartbeats: Asked
    own_pings: Asked
    peer_pings: PeerPings
    tail: Tail
    messages: Messages
    confirmations: int
    notice: float | None
    # Trouble in the test process that may have caused what happened.
    harness: frozenset[Reason]
    lag: float
    # The kernel's last look at the connection (see `timeline.tcp`); None where there was none.
    tcp: TcpSample | None
    # Promises that were broken; empty when nobody judged.
    broken: frozenset[Rule]
    # Faults of the test that were applied, at whichever end or between them, and not healed.
    faults: frozenset[FaultName]
    # The fault that a proxy or orchestrator of the test says it ended the connection with; None if none did.
    injected: str | None
    # What would have kept it open, where the fault's owner knows; None where nobody does.
    advice: str | None
    # The other end of the same connection; None when we do not hold it.
    other: Features | None
    # What other connections of the run show.
    beside: Beside
    # What a proxy of the test saw; None where there is none.
    between: ProxyView | None
    # What the close reason speaks of.
    reading: Reading
    # What stood where a frame should.
    stray: Stray

    @property
    def ended(self) -> bool:
        """Whether the connection is gone."""
        return self.close is not None

    @property
    def cut(self) -> bool:
        """Whether the stream ended without a word: no close frame either way, and not by this end."""
        close = self.close
        return (
            close is not None
            and close.received is None
            and close.sent is None
            and close.transport not in (TransportEnd.ABORTED, TransportEnd.CLOSED)
        )

    @property
    def code(self) -> int | None:
        """The close code that the peer sent; None when it sent no close frame."""
        return self.close.received.code if self.close and self.close.received else None

    @property
    def reason(self) -> str:
        """The close reason of the peer in lower case."""
        return self.close.reason.lower() if self.close else ""

    @property
    def last_words(self) -> str | None:
        """
        The peer's last message, if it tells why nothing came behind it.

        Where the connection ended, the peer or the path ended it right then.

        """
        close, at = self.close, self.timeline.messages.last_at
        if at is None or (close is not None and (close.by is self.end or close.at - at > LAST_WORDS)):
            return None
        return self.timeline.messages.last_words

    @property
    def parting_words(self) -> str | None:
        """The peer's last message, if it says that it restarts, and the stream before it ended with it."""
        messages, words = self.timeline.messages, self.timeline.messages.last_words
        close, at = self.close, messages.last_at
        if words is None or at is None or close is None or close.by is self.end:
            return None
        said, stopped = read_message(words), messages.longest_gap < close.at - at <= ANNOUNCED
        is_alone = self.comes_often and not messages.last_is_usual
        return words if stopped and is_alone and said.topic is Topic.RESTART and tells_clearly(said) else None

    @property
    def told(self) -> Reading:
        """What these words speak of."""
        return NO_REASON if self.last_words is None else read_message(self.last_words)

    @property
    def clearly_told(self) -> bool:
        """Whether they tell of one thing, and not only that there was an error, or a timeout."""
        return not self.may_be_content and tells_clearly(self.told)

    @property
    def may_be_content(self) -> bool:
        """
        Whether such messages of the peer came so often that one stands right before an end by chance.

        They came in a stream, or were of its form. One that calls itself an error does not, and is no content
        like the others.

        """
        messages, words = self.timeline.messages, self.last_words
        is_often = self.comes_often or (messages.count > 1 and messages.last_is_usual)
        return is_often and not (words is not None and is_called_error(words))

    @property
    def comes_often(self) -> bool:
        """Whether messages of the peer came in a stream before the last one."""
        others = self.timeline.messages.count - 1
        return others > 0 and others >= OFTEN * self.age

    @property
    def unknown_ping(self) -> float | None:
        """
        Seconds since the peer's last ping message that the profile does not answer.

        None where there was none, or this end has said something of its own since.

        """
        at, said = self.timeline.unknown_ping_at, self.timeline.last(direction=SENT, role=Role.DATA)
        return None if at is None or (said is not None and said >= at) else self.age - at

    @property
    def may_lack_credentials(self) -> bool:
        """Whether a peer that wants credentials may have waited for some that never came."""
        logged_in = (
            self.timeline.session_info_at is not None and self.timeline.session_confirmed_at is not None
        )
        waited = waited_for_credentials(self.reason) or names(
            self.reason, ("timeout", "timed out", "time out")
        )
        wanted = not self.reason or waited or names_whole(self.reason, _WANTED)
        return wanted and not logged_in and self.age <= FOR_CREDENTIALS

    @property
    def credentials_overdue(self) -> bool:
        """Whether the peer says that it did: "Authentication Timeout"."""
        waited = self.reading.topic is Topic.TOKEN and waited_for_credentials(self.reason)
        return waited and self.may_lack_credentials

    @property
    def sent_code(self) -> int | None:
        """The close code that this end sent first, of its own; None when it sent none."""
        close = self.close
        if close is None or close.sent is None or close.received_first:
            return None
        return close.sent.code

    @property
    def upload(self) -> float:
        """Seconds that bytes of this end have waited to leave it, some of which just did; 0 without any."""
        line = self.timeline
        if not line.unsent or line.unsent_since is None or line.drained_at is None:
            return 0.0
        return self.age - line.unsent_since if self.age - line.drained_at <= BEHIND else 0.0

    @property
    def stream_is_behind(self) -> bool:
        """Whether a proxy of the test shows that what the server sends waits for a slow client or link."""
        return self.between is not None and self.between.behind > BEHIND and self.streamed_to

    @property
    def answers_session(self) -> bool:
        """Whether it ended with the answer to the message that sets up or resumes the session."""
        asked = any(event.role is Role.SESSION_INFO for event in self.tail.sent)
        return self.ended and asked and self.timeline.session_confirmed_at is None

    @property
    def ended_before_session(self) -> bool:
        """Whether it ended while an answer to that message was still due: nothing had waited long by then."""
        began = self.timeline.session_info_at
        young = began is not None and self.age - began < TO_ANSWER
        return self.answers_session or (self.ended and young and self.timeline.session_confirmed_at is None)

    @property
    def paused_for(self) -> float:
        """Seconds since when this end reads nothing; 0 while it reads."""
        since = self.timeline.paused_since
        return 0.0 if since is None else self.age - since

    @property
    def asked_since(self) -> float | None:
        """Since when a heartbeat or ping of this end is open; None when none is."""
        open_since = (self.own_heartbeats.open_since, self.own_pings.open_since)
        return min((at for at in open_since if at is not None), default=None)

    @property
    def quiet_before_asked(self) -> float:
        """
        Seconds without a frame either way before the oldest question that is open.

        0 without one, and where as long a silence had been survived.

        """
        since = self.asked_since
        if since is None:
            return 0.0
        frames = [each.at for each in self.events if each.kind is EventKind.FRAME and each.at < since]
        *survived, quiet = (after - before for before, after in pairwise([*(frames or [0.0]), since]))
        return quiet if quiet > max(survived, default=0.0) + SAME_SILENCE else 0.0

    @property
    def hears(self) -> bool:
        """Whether the peer was heard since the oldest question to it that stayed open."""
        since = self.asked_since
        # What was on its way when the question went out is no sign of life after it.
        rtt = max(REACTION, self.own_heartbeats.slowest, self.own_pings.slowest)
        return since is not None and self.silent(RECEIVED) < self.age - since - rtt

    @property
    def still_arrives(self) -> bool:
        """Whether bytes of one frame have come for more than a second, without a pause as long."""
        line = self.timeline
        if line.half_frame_since is None or line.half_frame_last is None:
            return False
        pause = max(line.half_frame_pause, self.age - line.half_frame_last)
        return self.age - line.half_frame_since > TO_ANSWER >= pause

    @property
    def prompt_pongs(self) -> bool:
        """Whether pings of the peer came, and each was answered at once."""
        return (
            self.peer_pings.ponged > 0
            and self.peer_pings.unanswered is None
            and self.peer_pings.latest < TO_ANSWER
        )

    @property
    def network_dead(self) -> bool:
        """
        Whether the kernel sent again and again, and nothing was acknowledged or came (measured: 7 of 7).

        Where packets are lost, some are sent again too; but something is heard.

        """
        tcp = self.tcp
        return (
            tcp is not None
            and tcp.unacked >= 1
            and tcp.retransmits >= (AGAIN_WITH_LOSS if self.lost_before else AGAIN)
            and self.silent(RECEIVED) > max(LOSS, 3 * self.own_heartbeats.slowest, 3 * self.own_pings.slowest)
        )

    @property
    def lossy(self) -> bool:
        """Whether the kernel was seen to send something again."""
        return any(look.retransmits or look.backoff for look in self.timeline.tcp)

    @property
    def lost_before(self) -> bool:
        """Whether the kernel had to send something again, and the peer was heard after that."""
        heard = self.age - self.silent(RECEIVED)
        return any(look.retransmits and look.at < heard for look in self.timeline.tcp)

    @property
    def network_fine(self) -> bool:
        """
        Whether the peer's kernel acknowledged what was asked (measured: 26 of 26 with a frozen process).

        A frame that went out as the kernel was looked at is not acknowledged yet, and says nothing.

        """
        tcp, since = self.tcp, self.asked_since
        if tcp is None or self.lossy:
            return False
        if since is not None and tcp.at - tcp.last_ack_recv > since:
            return True
        return not (tcp.unacked or tcp.send_queue)

    @property
    def ended_for_one_reason(self) -> bool:
        """Whether others ended within two seconds that share the instant with this one, and no timer."""
        return self.beside.together > 0 and self.beside.shared is Shared.INSTANT

    @property
    def lively(self) -> bool:
        """Whether it ended in the middle of traffic: no silence before the end was the longest."""
        return is_lively(self.timeline)

    @property
    def read_since_pong(self) -> bool:
        """
        Whether the peer answered something that went out behind this end's last pong.

        Bytes arrive in their order, so it had read the pong then.

        """
        last = self.peer_pings.last_pong
        answered = (self.own_heartbeats.last_answered, self.own_pings.last_answered)
        return last is not None and any(at is not None and at > last for at in answered)

    @property
    def peer_due(self) -> bool:
        """Whether frames of the peer's own should have come since the oldest question, from those before."""
        since = self.asked_since
        if since is None:
            return False
        usual = [self.timeline.longest_gap(RECEIVED, kind) for kind in self._own_kinds()]
        return any(0 < gap < self.age - since - TO_ANSWER for gap in usual)

    def _own_kinds(self) -> Iterator[FrameKind]:
        """Kinds of frames that the peer sends without being asked."""
        if self.peer_pings.received > 1:
            yield FrameKind.PING
        if self.messages.heard > self.own_heartbeats.answered + 1:
            yield FrameKind.DATA

    @property
    def since_ping(self) -> float:
        """Seconds from the first unanswered ping of the peer, or else from its last one, to the end."""
        pings = self.peer_pings
        return self.age - (pings.unanswered if pings.unanswered is not None else pings.last or 0.0)

    @property
    def pings_stopped(self) -> bool:
        """Whether pings of the peer had come at even intervals, and one was due by the end."""
        pings = self.peer_pings
        even = pings.last is not None and pings.received >= EVEN and not pings.irregular
        return even and self.age - (pings.last or 0.0) > pings.longest_gap + TO_ANSWER

    @property
    def streamed_to(self) -> bool:
        """Whether messages of the peer came in such numbers that they may wait for each other."""
        return self.messages.received_stream

    @property
    def bunches(self) -> int:
        """How often answers of the peer came several at once, after a wait."""
        return max(self.own_heartbeats.bunches, self.own_pings.bunches)

    @property
    def round_trip(self) -> float:
        """Seconds that the slowest answer took, the confirmation of the session included; 0 without any."""
        asked, confirmed = self.timeline.session_info_at, self.timeline.session_confirmed_at
        session = 0.0 if asked is None or confirmed is None else confirmed - asked
        return max(session, self.own_heartbeats.slowest, self.own_pings.slowest)

    @property
    def pong_under_way(self) -> bool:
        """Whether a pong may have been on its way as long as the peer can have waited for one."""
        first = self.peer_pings.first
        return first is not None and self.round_trip >= self.age - first

    @property
    def slow_meanwhile(self) -> bool:
        """
        Whether an answer that came behind the peer's last ping took longer than the peer waited then.

        A ping that comes with the end, as where one goes out the moment that another is missed, is not the
        one that it waited for.

        """
        last = self.peer_pings.last if self.since_ping >= TO_ANSWER else None
        trips = (self.timeline.own_heartbeats.rtts, self.timeline.pings.rtts)
        slow = [pair for each in trips for pair in each.slowest_above(self.since_ping)]
        return last is not None and any(at + rtt >= last for at, rtt in slow)

    @property
    def unread_first(self) -> bool:
        """
        Whether messages of this end may wait in front of the question that is open.

        A peer that reads no more then answers no ping either: some read one message ahead (measured).

        """
        beat, ping = self.own_heartbeats.open_since, self.own_pings.open_since
        return self.messages.streaming or (beat is not None and ping is not None and beat < ping)

    @property
    def never_answered(self) -> bool:
        """Whether no heartbeat and no ping of this end was ever answered: the peer may not know them."""
        return not self.own_heartbeats.answered and not self.own_pings.answered

    @property
    def passive(self) -> bool:
        """Whether nothing was said since the session stood, so that silence and age cannot be told apart."""
        return self.age - self.silence < max(SILENCE, LATE_SHARE * self.age)

    def silent(self, direction: Direction, traffic: FrameKind = FrameKind.ANY) -> float:
        """Seconds without this traffic before the end."""
        return self.timeline.silent_for(direction, traffic)

    @property
    def messages_sent(self) -> int:
        """How many messages this end has sent, heartbeats and the session's among them."""
        return self.timeline.count(SENT, Opcode.TEXT, Opcode.BINARY)

    def spoken(self, direction: Direction, traffic: FrameKind) -> int:
        """How many frames of a kind went in a direction, the session's few messages aside."""
        if traffic is FrameKind.DATA:
            return self.messages.heard if direction is RECEIVED else self.messages.said
        return self.timeline.count(direction, *_OPCODES[traffic])

    def broke_silence(self, direction: Direction, traffic: FrameKind = FrameKind.ANY) -> bool:
        """Whether the silence before the end was the longest: only then may a timer have run out."""
        return broke_silence(self.timeline, direction, traffic)

    @property
    def longest_quiet(self) -> bool:
        """The same for bytes either way."""
        return self.silence > self.longest_silence + SAME_SILENCE

    @property
    def after_largest_message(self) -> bool:
        """Whether the end came with the answer to the largest message that this end sent."""
        message = self.tail.message
        return message is not None and message.size >= BIG and self.messages.last_is_largest


def is_data(event: Event) -> bool:
    """Whether an event is a text, binary or continuation frame."""
    return event.kind is EventKind.FRAME and event.opcode < Opcode.CLOSE

"""Rows for close frames without telling words: a code alone proves little, a ping timeout was seen as six."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..known_timers import CountsFrom
from ..timeline.close import NORMAL, OF_APPLICATIONS
from ..timeline.events import End, Event, FrameKind, Opcode, Role
from . import rivals, timers
from .cohort import SILENCE
from .features import RECEIVED, SENT, TO_ANSWER, Features, is_data
from .protocol import ORDINARY
from .replies import ended_by_first_heartbeat
from .rows_on_purpose import ON_PURPOSE
from .rows_said_keepalive import NOTHING_LEFT, behind_at_proxy, behind_own_bytes, ended_by_timers_code
from .signature import Blamed, Claim, Rival, Signature

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW

# Codes with which servers end what somebody else made them end.
_POLITE = NORMAL | {1008, 1011}
# Codes of applications that mean one thing wherever they were seen (see `rows_codes.POLICIES`).
_CONVENTIONS = frozenset({3003, 4401, 4403, 4408, 4409, 4429})
# Others that end at the same instant, from so many on, are no accident.
_CROWD = 2


def says_little(f: Features) -> bool:
    """Whether the code is a polite one, or an application's own whose words are not understood."""
    own = f.code in OF_APPLICATIONS and f.code not in _CONVENTIONS
    return f.code in _POLITE or (own and f.reading.topic is None)


def _engine_io(f: Features) -> bool:
    """
    Whether the peer's last word was a text of one byte that nothing answered, the first of that kind.

    A ping of Engine.IO is the text "2"; a client that does not know it is not asked again (SockJS says "h",
    and wants no answer). One that has heard such heartbeats does; "1" is a close.

    """
    heard = [each for each in f.events if each.direction is RECEIVED and is_data(each)][-2:]
    if f.code not in ORDINARY or not heard or f.age - heard[-1].at < TO_ANSWER or _asks_in_a_byte(f):
        return False
    in_vain = [_is_byte(each) and f.silent(SENT, FrameKind.DATA) > f.age - each.at for each in heard]
    return in_vain[-1] and sum(in_vain) == 1


def _is_byte(event: Event) -> bool:
    return event.opcode is Opcode.TEXT and event.size == 1


def _asks_in_a_byte(f: Features) -> bool:
    """Whether the peer's heartbeats are texts of one byte, as Engine.IO's are."""
    beats = [each for each in f.events if each.direction is RECEIVED and each.role is Role.HEARTBEAT]
    return bool(beats) and _is_byte(beats[-1])


def idle_in_disguise(f: Features) -> bool:
    """Whether a close without a fault came after the longest silence, of a length that timers have."""
    return (
        f.code in NORMAL
        and f.longest_quiet
        and f.silence >= 5.0
        and timers.is_number(f.silence, f.tier, CountsFrom.IDLE)
    )


ROWS = (
    Signature(
        claim=Claim(Cause.SLOW_CONSUMER, MEDIUM, Blamed.SELF),
        shows="a polite close code, 1013, or one of an application, and a proxy of the test shows that what "
        "the server sent was still on its way to the client",
        when=lambda f: (says_little(f) or f.code == 1013) and f.stream_is_behind,
        sentence="what the {peer} sends comes {behind} late through the proxy, and the {peer} closed with "
        "{code}: its queue for a client that takes messages slower than they are sent fits",
        headline="slow consumer? {behind} behind when it was closed",
        evidence=("between", "end", "last_received"),
        remedy="read faster, or on a faster link; let the {peer} send less, or drop what is old",
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (zeek/broker 442)",
    ),
    Signature(
        claim=Claim(Cause.ENGINE_IO_PING_TIMEOUT, MEDIUM, Blamed.SELF),
        shows="1000 or an empty close frame, and the peer's last heartbeat, of one byte, was not answered",
        when=lambda f: f.code in ORDINARY and f.peer_heartbeats.open_since is not None and _asks_in_a_byte(f),
        sentence="the {peer}'s heartbeat at {heartbeat} was not answered, and {heartbeat_gap} later it "
        "closed with {code}: the ping timeout of Engine.IO looks so",
        headline="heartbeat of the {peer} unanswered for {heartbeat_gap}",
        evidence=("end", "peer_heartbeats"),
        remedy="answer the {peer}'s heartbeats (Engine.IO 4: 2 with 3) within pingTimeout",
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured with engine.io 6 and python-engineio",
    ),
    Signature(
        claim=Claim(Cause.ENGINE_IO_PING_TIMEOUT, MEDIUM, Blamed.SELF),
        shows="1000 or an empty close frame, and the peer's last message was a text of one byte that nothing "
        "answered, the first of its kind",
        when=_engine_io,
        sentence="the {peer}'s last message was one byte, {last_heard_ago} before it closed with {code}, and "
        "nothing answered it: the ping of Engine.IO (2) and its timeout look so",
        headline="a message of one byte unanswered: Engine.IO's ping?",
        evidence=("last_received", "end"),
        remedy="speak the {peer}'s protocol: answer 2 with 3 within pingTimeout (profile Engine.IO, "
        "Socket.IO)",
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured with python-engineio",
    ),
    Signature(
        claim=Claim(Cause.HEARTBEAT_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="a close frame, and the peer's last heartbeat was not answered",
        when=lambda f: f.code is not None and f.peer_heartbeats.open_since is not None,
        sentence="the {peer}'s heartbeat at {heartbeat} was not answered, and {heartbeat_gap} later it "
        "closed",
        headline="heartbeat of the {peer} unanswered for {heartbeat_gap}",
        evidence=("end", "peer_heartbeats"),
        remedy="answer the {peer}'s heartbeats",
        runner_up=Cause.CLOSED_BY_PEER,
        source="defaults of servers, from their source",
    ),
    Signature(
        claim=Claim(Cause.PING_UNANSWERED, MEDIUM, Blamed.SELF),
        shows="a close frame, and a ping of the peer was not answered",
        when=lambda f: (
            ended_by_timers_code(f) and f.peer_pings.unanswered is not None and not behind_own_bytes(f)
        ),
        sentence="the {end} did not answer the ping at {ping}; {ping_gap} later it was closed with {code}",
        headline="pongs withheld, closed {ping_gap} after a ping",
        evidence=("server_pings", "end"),
        remedy="answer ping frames with pong frames",
        rivals=(
            Rival(
                Cause.CLOSED_BY_PEER,
                "the time since the ping is nobody's timer",
                lambda f: not timers.is_number(f.since_ping, f.tier, CountsFrom.PING),
                "whether it closed for that is not seen",
                LOW,
            ),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured: a ping timeout was seen as 1011, 1000, 1008, 1001 and empty",
    ),
    Signature(
        claim=Claim(Cause.PONG_LATE, MEDIUM, Blamed.PEER),
        shows="a close frame, and the pong waits behind bytes that are still on their way",
        when=lambda f: ended_by_timers_code(f) and (behind_own_bytes(f) or behind_at_proxy(f)),
        sentence="the pong of the {end} was still on its way when the {peer} closed with {code}: a keepalive "
        "that ran out meanwhile fits",
        headline="pong late, behind other bytes",
        evidence=("unsent", "between", "server_pings", "end"),
        remedy="let the {peer} wait longer for a pong, or count whatever arrives; or send smaller messages",
        rivals=(NOTHING_LEFT,),
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (autobahn-python 1327)",
    ),
    Signature(
        claim=Claim(Cause.MESSAGE_TOO_BIG, MEDIUM, Blamed.SELF),
        shows="a polite close code came with the answer to the largest message that this end sent",
        when=lambda f: f.code in _POLITE and f.after_largest_message and not f.ended_for_one_reason,
        sentence="the {peer} closed with {code} right after a message of {last_size}, the largest that the "
        "{end} sent: a size limit of less than that fits",
        headline="closed right after a message of {last_size}: too big?",
        evidence=("last_sent", "end", "largest"),
        remedy="send smaller messages, or raise the limit (max_size, ws_max_size, maxPayload, SetReadLimit)",
        rivals=(
            Rival(
                Cause.HANDLER_ERROR,
                "the code is 1011, or says that something failed",
                lambda f: f.code == 1011,
                "a handler that failed on it fits too",
            ),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports",
    ),
    Signature(
        claim=Claim(Cause.RESTART, MEDIUM, Blamed.PEER),
        shows="1000, 1001, 1005 or 1011 was received, other connections ended within 2 s, at other ages and "
        "after other silences, and it did not answer the session's first message",
        when=lambda f: (
            f.code in {*NORMAL, 1011}
            and f.ended_for_one_reason
            and f.end is End.CLIENT
            and not f.answers_session
        ),
        sentence="{together} other connections ended within 2 s, this one with {code}: a restart or a "
        "deployment fits",
        headline="restart? {together} more ended within 2 s",
        evidence=("together", "end"),
        remedy="drain before a restart, and reconnect with jitter",
        rivals=(
            *rivals.NO_COMMON_EVENT,
            rivals.NOTHING_BUT_UNKNOWN_WORDS,
            Rival(
                Cause.HANDLER_ERROR,
                "the code is 1011",
                lambda f: f.code == 1011,
                "something that all handlers need and that failed fits too",
                LOW,
            ),
            Rival(
                Cause.CLOSED_BY_PEER,
                "the code is 1000 or none, or one other connection ended with it",
                lambda f: f.code in ORDINARY or f.beside.together < _CROWD,
                "a server that closes some on purpose fits too",
                LOW,
            ),
        ),
        runner_up=Cause.PLANNED_ROTATION,
        source="measured",
    ),
)

# Behind the codes of a policy: what else a code may be.
LAST = (
    Signature(
        claim=Claim(Cause.PEER_LEFT, MEDIUM, Blamed.PEER),
        shows="the server's record: the client sent 1001 (a page left)",
        when=lambda f: f.code == 1001 and f.end is End.SERVER,
        sentence="the client went away: {code}",
        headline="the client went away",
        evidence=("end",),
        remedy="a browser sends 1001 when its page is left or reloaded: keep the page open",
        rivals=(
            Rival(
                Cause.IDLE_AS_NORMAL,
                "it came after the longest silence, of a length that timers have",
                idle_in_disguise,
                "{idle} had passed without a byte either way, so an idle timeout of the client fits too",
                LOW,
            ),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="RFC 6455, section 7.4.1, and IANA's registry",
    ),
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, MEDIUM, Blamed.PEER),
        shows="1011 was received",
        when=lambda f: f.code == 1011,
        sentence="the {peer}'s handler failed: {code}",
        headline="the {peer}'s handler failed",
        evidence=("end", "last_sent"),
        remedy="see the {peer}'s traceback; {after_sending}",
        rivals=(
            Rival(
                Cause.RESTART,
                "it did not come right after a message of this end",
                lambda f: f.tail.message is None or f.messages.streaming,
                "it came by itself, so a shutdown or a timer fits too",
                LOW,
            ),
            Rival(
                Cause.KEEPALIVE_TIMEOUT,
                "pings of the peer came",
                lambda f: f.peer_pings.received > 0,
                "some keepalives that give up say the same",
            ),
        ),
        runner_up=Cause.RESTART,
        source="measured with websockets",
    ),
    Signature(
        claim=Claim(Cause.IDLE_AS_NORMAL, MEDIUM, Blamed.PEER),
        shows="1000, 1001 or 1005 was received after the longest silence, of a length that timers have",
        when=idle_in_disguise,
        sentence="the {peer} closed with {code} after {idle} without a byte either way: an idle timeout "
        "in the form of a normal close fits",
        headline="idle timeout? {idle} of silence",
        evidence=("end", "silences"),
        remedy="send something more often than every {half_idle}",
        rivals=(
            Rival(
                Cause.RESTART,
                "others that last spoke at one instant ended with it",
                rivals.ENDED_TOGETHER.when,
                "{together} others that last spoke when it did ended with it, so a restart fits too",
                LOW,
            ),
            Rival(
                Cause.CLOSED_BY_PEER,
                "nobody else was closed after such a silence",
                lambda f: not rivals.repeats_silence(f),
                leaves=LOW,
            ),
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (Helius, Phoenix)",
    ),
    Signature(
        claim=Claim(Cause.READ_DEADLINE, LOW, Blamed.SELF),
        shows="1000 or 1005 was received after the longest time without messages of this end, of a length "
        "that timers have, though it had sent some",
        when=lambda f: (
            f.code in ORDINARY
            and f.end is End.CLIENT
            and f.silent(SENT, FrameKind.DATA) <= f.age - SILENCE
            and rivals.NO_MESSAGE_FOR_LONG.when(f)
        ),
        sentence="the {peer} closed with {code} when the {end} had sent no message for {silent_data}: a "
        "deadline that only messages put off, in the form of a normal close, fits",
        headline="read deadline? no message sent for {silent_data}",
        evidence=("end", "silences", "server_pings"),
        remedy="send messages (heartbeats) more often than every {half_silent_data}",
        runner_up=Cause.CLOSED_BY_PEER,
        source="reports (certstream-server 59, cobinhood/api-public 22)",
    ),
    Signature(
        claim=Claim(Cause.RESTART, MEDIUM, Blamed.PEER),
        shows="1001 was received",
        when=lambda f: f.code == 1001,
        sentence="the {peer} went away, as servers do that shut down or restart: {code}",
        headline="the {peer} went away: shutdown or restart",
        evidence=("end", "together"),
        remedy="drain before a restart, and reconnect with jitter",
        rivals=(
            rivals.LIMIT_ON_AGE,
            rivals.NO_MESSAGE_FOR_LONG,
            Rival(
                Cause.CLOSED_BY_PEER,
                "other connections lived on",
                lambda f: f.beside.survivors > 0,
                "other connections lived on, so this one may have been meant",
                LOW,
            ),
            Rival(
                Cause.CLOSED_BY_PEER,
                "no other connection of another age and silence ended with it",
                lambda f: not f.ended_for_one_reason,
                "none of another age and silence ended with it, so it may be for a reason of its own",
                LOW,
            ),
        ),
        runner_up=Cause.PLANNED_ROTATION,
        source="websockets and Caddy send it at shutdown (measured)",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, MEDIUM, Blamed.SELF),
        shows="1000 or 1005 was received right behind the first heartbeat, which nobody had answered",
        when=lambda f: f.code in (1000, 1005) and ended_by_first_heartbeat(f),
        sentence="the {peer} closed with {code} {own_beat_gap} after the first heartbeat of the {end}: one "
        "that does not know it may end the connection so",
        headline="closed right after the first heartbeat: does the {peer} know it?",
        evidence=("end", "questions"),
        remedy="{heartbeat_first}see the {peer}'s log at that instant",
        rivals=(
            Rival(
                Cause.CLOSED_BY_PEER,
                "the age is a known limit or a round number",
                lambda f: timers.is_number(f.age, f.tier, CountsFrom.AGE, CountsFrom.IDLE),
                "its age is as long as limits are",
                LOW,
            ),
            rivals.ANOTHER_OPENED,
        ),
        runner_up=Cause.CLOSED_BY_PEER,
        source="measured with ejabberd 23.01",
    ),
    Signature(
        claim=Claim(Cause.RESTART, LOW, Blamed.PEER),
        shows="a code of applications that nobody is known for, without a reason, and two or more other "
        "connections ended within 2 s, at other ages and after other silences",
        when=lambda f: (
            f.code in OF_APPLICATIONS
            and not f.reason
            and f.ended_for_one_reason
            and f.beside.together >= _CROWD
            and f.end is End.CLIENT
        ),
        sentence="{together} other connections ended within 2 s, this one with {code}: a restart, a "
        "deployment, or something that all of them need and that was lost fits",
        headline="restart? {together} more ended within 2 s",
        evidence=("together", "end"),
        remedy="see the {peer}'s log at that instant, and give the close a reason; drain before a restart, "
        "and reconnect with jitter",
        rivals=(
            *rivals.NO_COMMON_EVENT,
            Rival(
                Cause.CLOSED_BY_PEER,
                "any code of applications may be meant",
                lambda f: True,
                "a server that closes some on purpose fits too",
            ),
        ),
        runner_up=Cause.UPSTREAM_FAILED,
        source="measured",
    ),
    *ON_PURPOSE,
)

"""The shortest experiment that tells two causes apart."""

from __future__ import annotations

from ..cause import Cause

_TALK = "send a message every second: "
_PACE = "send at another pace: a limit on the number of messages ends it at the same one of them"
_TCP = "look at TCP_INFO while it is open (Linux, real time): "
_PINGS = "send ping frames beside the heartbeats: "
_ANSWER = "answer, and look again: a close on purpose stays"
_HERE = "run it again on a quiet machine, messages taken at once: what stays is the client's"
_TOKEN = "use a token of another lifetime: the age at the end moves with it"
_THREE = "hold three connections of other ages (or run wsstability probe): a restart ends all at one instant"
_WHY = "see the other end's log at that instant: a close on purpose has a line of code"
_SUBSCRIBE = "subscribe again on the same connection: only a dead subscription then speaks"
_ALONE = "send the same again over a fast, idle link: what is late because of other bytes is then in time"
_FRESH = "set up a new session on a fresh connection: only a lost one works then"
_CAPTURE = "capture the bytes at both ends (tcpdump): what one sent, and the other did not get, is the path's"

_BEHIND = "see the server's log at that instant: what a service behind it said stands there"
_ONE_WRITER = "let one task of the other end write at a time: what stays is written by somebody else"
_FREE = "set the session up once no other connection has it: one that is allowed once is confirmed then"

_C = Cause
_PAIRS: tuple[tuple[Cause, Cause, str], ...] = (
    (_C.SESSION_DUPLICATED, _C.MAX_AGE,
     "open the second one at another age: a limit on the age stays where it is"),
    (_C.SESSION_DUPLICATED, _C.IDLE_TIMEOUT,
     "open the second one right after a message: a timeout of silence is then far"),
    (_C.SESSION_DUPLICATED, _C.SESSION_NOT_CONFIRMED, _FREE),
    (_C.SESSION_DUPLICATED, _C.HANDLER_ERROR, _FREE),
    (_C.SESSION_DUPLICATED, _C.PROTOCOL_ERROR, _FREE),
    (_C.IDLE_TIMEOUT, _C.MAX_AGE, f"{_TALK}an idle timeout is then survived, a maximum age not"),
    (_C.IDLE_TIMEOUT, _C.PONG_DEADLINE, f"{_TALK}an idle timeout is then survived, a pong-only deadline not"),
    (_C.IDLE_TIMEOUT, _C.CONTROL_FRAMES_LOST, "ping twice as often: an idle timeout is then survived"),
    (_C.IDLE_TIMEOUT, _C.PROTOCOL_ERROR, f"{_TALK}an idle timeout is then survived"),
    (_C.SESSION_NOT_CONFIRMED, _C.IDLE_TIMEOUT, "ping every second: an idle timeout is then survived"),
    (_C.IDLE_TIMEOUT, _C.HEARTBEAT_UNANSWERED, f"{_TALK}an idle timeout is then survived"),
    (_C.IDLE_TIMEOUT, _C.READ_DEADLINE, f"{_TALK}if it then lives, let only the other end talk"),
    (_C.MAX_AGE, _C.PONG_DEADLINE,
     "send an unsolicited pong every second: the deadline is then survived, a maximum age not"),
    (_C.MAX_AGE, _C.CONTROL_FRAMES_LOST,
     "send an unsolicited pong every second and look at the server whether it arrives"),
    (_C.READ_DEADLINE, _C.MAX_AGE, f"{_TALK}a read deadline is then survived, a maximum age not"),
    (_C.READ_DEADLINE, _C.PONG_DEADLINE, f"{_TALK}only a pong-only deadline still ends it"),
    (_C.PING_UNANSWERED, _C.PONG_DEADLINE,
     "answer the pings: if it still dies at the same age, it was neither"),
    (_C.CLOSED_HERE, _C.HALF_OPEN, "ping right before the close: a dead path answers nothing"),
    (_C.HALF_OPEN, _C.PEER_FROZEN, f"{_TCP}a frozen process acknowledges, a dead path does not"),
    (_C.HALF_OPEN, _C.PATH_STALLED, "wait for a minute: what was held up comes then, of a dead path nothing"),
    (_C.HALF_OPEN, _C.PEER_NOT_READING, f"{_TCP}what a peer does not read is still acknowledged"),
    (_C.HALF_OPEN, _C.BACKPRESSURE, f"{_TCP}a slow reader acknowledges, a dead path does not"),
    (_C.HALF_OPEN, _C.PING_UNANSWERED, f"{_TCP}a dead path acknowledges nothing"),
    (_C.HALF_OPEN, _C.HEARTBEAT_UNANSWERED, _CAPTURE),
    (_C.HALF_OPEN, _C.ZOMBIE, f"{_PINGS}a zombie answers them, a dead path does not"),
    (_C.ZOMBIE, _C.PEER_NOT_READING, f"{_PINGS}a zombie answers them, an end that reads nothing does not"),
    (_C.HALF_OPEN, _C.NO_PONGS, "send a message that is answered: a dead path does not bring the answer"),
    (_C.NO_PONGS, _C.CONTROL_FRAMES_LOST,
     "ping without the proxy: only an end without pongs is still silent"),
    (_C.MESSAGE_TOO_BIG, _C.HANDLER_ERROR, "send the same message in half the size: a limit lets it pass"),
    (_C.PING_UNANSWERED, _C.READ_DEADLINE, "answer the pings: a deadline for messages still ends it"),
    (_C.PING_UNANSWERED, _C.IDLE_TIMEOUT, "answer the pings: an idle timeout still ends it"),
    (_C.NAT_EXPIRED, _C.HANDLER_ERROR, "send the same message on a fresh connection: a crash comes again"),
    (_C.MAX_AGE, _C.AUTH_EXPIRED, _TOKEN),
    (_C.PEER_FROZEN, _C.ZOMBIE, f"{_PINGS}a zombie answers them, a frozen process does not"),
    (_C.PEER_FROZEN, _C.NO_PONGS, "send a message that is answered: a frozen process brings no answer"),
    (_C.PEER_FROZEN, _C.PEER_NOT_READING,
     "ask with pings alone, and no message before: who just reads no more answers them"),
    (_C.MAX_AGE, _C.PLANNED_ROTATION, _TOKEN),
    (_C.NAT_EXPIRED, _C.HALF_OPEN, "send more often: an expired state is then prevented, a dead path not"),
    (_C.PEER_FROZEN, _C.PATH_STALLED, "ping another server on the same path: only a stalled path delays it"),
    (_C.MAX_AGE, _C.KEEPALIVE_TIMEOUT, "open it again without pings: a keepalive then ends nothing"),
    (_C.NO_PONGS, _C.ZOMBIE, "ask with a message that is sure to be answered: a zombie answers none"),
    (_C.AUTH_EXPIRED, _C.RATE_LIMITED, "send less: a limit is then survived, an expired token not"),
    (_C.SLOW_ANSWERS, _C.PEER_FROZEN, "ask more often: what stands still answers several at once"),
    (_C.SLOW_ANSWERS, _C.PATH_STALLED, "compare with the round trip of ping frames, which the path makes"),
    (_C.IDLE_AS_NORMAL, _C.CLOSED_BY_PEER, f"{_TALK}an idle timeout is then survived, a wanted close not"),
    (_C.IDLE_AS_NORMAL, _C.MAX_AGE, f"{_TALK}an idle timeout is then survived, a maximum age not"),
    (_C.IDLE_AS_NORMAL, _C.RESTART, f"{_TALK}an idle timeout is then survived, a restart not"),
    (_C.CONTROL_FRAMES_LOST, _C.HALF_OPEN, "send a message that is answered: a dead path brings no answer"),
    (_C.CONTROL_FRAMES_LOST, _C.PEER_NOT_READING, "send a message that is answered: who reads answers it"),
    (_C.ENGINE_IO_PING_TIMEOUT, _C.CLOSED_BY_PEER, _ANSWER),
    (_C.HEARTBEAT_UNANSWERED, _C.CLOSED_BY_PEER, _ANSWER),
    (_C.HEARTBEAT_UNANSWERED, _C.PATH_STALLED, _CAPTURE),
    (_C.PING_UNANSWERED, _C.CLOSED_BY_PEER, _ANSWER),
    (_C.HANDLER_ERROR, _C.PEER_FROZEN, f"{_PINGS}a frozen process answers late before it fails"),
    (_C.HARNESS_BLOCKED, _C.PING_UNANSWERED, _HERE),
    (_C.HARNESS_BLOCKED, _C.RESTART, "run it again on a quiet machine, with a second connection beside it"),
    (_C.HARNESS_NOT_READING, _C.PING_UNANSWERED, _HERE),
    (_C.MACHINE_SLEPT, _C.HARNESS_BLOCKED, "look at the system's log: a sleep stands in it"),
    (_C.HEARTBEATS_SKIPPED, _C.SLOW_ANSWERS, "wait longer: a slow answer comes, no other does"),
    (_C.HEARTBEATS_STOPPED, _C.HALF_OPEN, "send a ping: an end whose timers sleep or are gone answers it"),
    (_C.ONE_WAY_DEAD, _C.HALF_OPEN, "ping when messages stay away: a dead path answers nothing"),
    (_C.ONE_WAY_DEAD, _C.ZOMBIE, "ask for something: a zombie answers nothing, a lost subscription the rest"),
    (_C.READ_DEADLINE, _C.HALF_OPEN, f"{_TALK}a read deadline is then survived, a dead path not"),
    (_C.SESSION_NOT_CONFIRMED, _C.ZOMBIE, f"{_PINGS}a zombie answers pings, and no message at all"),
    (_C.AUTH_EXPIRED, _C.CLOSED_BY_PEER, _TOKEN),
    (_C.HANDLER_ERROR, _C.IDLE_TIMEOUT, "send it at another time: a handler that fails on it fails then too"),
    (_C.PEER_LEFT, _C.IDLE_AS_NORMAL, f"{_TALK}an idle timeout is then survived, a page that is left not"),
    (_C.PROTOCOL_ERROR, _C.PEER_LEFT, "let the client offer no subprotocol: one that quits does so then too"),
    (_C.AUTH_EXPIRED, _C.READ_DEADLINE, f"{_TALK}a read deadline is then survived, an expired token not"),
    (_C.KEEPALIVE_TIMEOUT, _C.READ_DEADLINE, f"{_TALK}a read deadline is then survived, a missed pong not"),
    (_C.MAX_AGE, _C.HANDLER_ERROR, "send the last message sooner: an error comes with it, an age does not"),
    (_C.MAX_AGE, _C.PING_UNANSWERED, "answer the pings: if it still dies at the same age, it was neither"),
    (_C.MID_FRAME, _C.SLOW_CONSUMER, "take the messages over a fast link: a crash stays"),
    (_C.OVERLOADED, _C.RATE_LIMITED, "open one connection and send little: overload stays"),
    (_C.SESSION_NOT_CONFIRMED, _C.HANDLER_ERROR, _FRESH),
    (_C.SESSION_NOT_CONFIRMED, _C.HALF_OPEN, f"{_PINGS}a dead path answers none"),
    (_C.SESSION_NOT_CONFIRMED, _C.SESSION_LOST, _FRESH),
    (_C.PONG_LATE, _C.PEER_NOT_READING, _ALONE),
    (_C.PONG_LATE, _C.MID_FRAME, _ALONE),
    (_C.PONG_LATE, _C.SLOW_CONSUMER, _ALONE),
    (_C.PONG_LATE, _C.PEER_FROZEN, "compare with the round trip of a bare ping to another server"),
    (_C.PONG_LATE, _C.PATH_STALLED, _ALONE),
    (_C.PONG_LATE, _C.CLOSED_BY_PEER, _ALONE),
    (_C.PONG_LATE, _C.NO_PONGS, _ALONE),
    (_C.PONG_LATE, _C.ZOMBIE, _ALONE),
    (_C.PONG_LATE, _C.IDLE_TIMEOUT, _ALONE),
    (_C.PONG_LATE, _C.READ_DEADLINE, _ALONE),
    (_C.PONG_LATE, _C.HALF_OPEN, "wait longer for the pong: a dead path brings none"),
    (_C.PEER_NOT_READING, _C.KEEPALIVE_TIMEOUT,
     "send a question behind the pong: who answers it has read the pong"),
    (_C.SESSION_LOST, _C.SESSION_EXPIRED,
     "come back at once, by another way: what expired is then still known, what one process lost is not"),
    (_C.NO_FRAMES, _C.PROTOCOL_ERROR, _ONE_WRITER),
    (_C.NO_FRAMES, _C.HANDLER_ERROR,
     "see the other end's log at that instant: what a handler raised stands there"),
    (_C.AUTH_EXPIRED, _C.SESSION_NOT_CONFIRMED, "send valid credentials right after the opening"),
    (_C.HALF_FRAME, _C.HALF_OPEN, f"{_TCP}a dead path acknowledges nothing"),
    (_C.SLOW_ANSWERS, _C.ZOMBIE, _ALONE),
    (
        _C.PATH_STALLED,
        _C.HANDLER_ERROR,
        "do the same without the fault: a timeout of its own work comes all the same",
    ),
    (_C.SLOW_ANSWERS, _C.SESSION_NOT_CONFIRMED, "wait longer: what is late comes then"),
    (_C.SLOW_ANSWERS, _C.NO_PONGS, _ALONE),
    (_C.SLOW_ANSWERS, _C.PEER_NOT_READING, _ALONE),
    (_C.SLOW_ANSWERS, _C.HALF_FRAME,
     "wait longer: a large frame comes to its end, one of a wrong length does not"),
    (_C.READ_DEADLINE, _C.SESSION_NOT_CONFIRMED, "send the session's first message late, on purpose"),
    (_C.SLOW_CONSUMER, _C.CLOSED_BY_PEER, "take the messages over a fast link: a wanted close stays"),
    (_C.SESSION_EXPIRED, _C.MAX_AGE, "use a session of another age: the end moves with it"),
    (_C.MESSAGE_TOO_BIG, _C.CLOSED_BY_PEER, "send the same message in half the size: a limit lets it pass"),
    (_C.MESSAGE_TOO_BIG, _C.PROTOCOL_ERROR, "send it without a proxy, and with compression off"),
    (_C.HANDLER_ERROR, _C.KEEPALIVE_TIMEOUT,
     "answer each ping at once, and send what was sent last: an error comes again"),
    (_C.BACKPRESSURE, _C.PEER_FROZEN,
     "ping it on a second connection: a process that stands still answers none"),
    (_C.RATE_LIMITED, _C.UPSTREAM_FAILED, _BEHIND),
    (_C.RATE_LIMITED, _C.MAX_AGE, _PACE),
    (_C.RATE_LIMITED, _C.HANDLER_ERROR, _PACE),
    (_C.RATE_LIMITED, _C.RESTART, _PACE),
    (_C.RATE_LIMITED, _C.CLOSED_BY_PEER, _PACE),
    (_C.AUTH_EXPIRED, _C.UPSTREAM_FAILED, _BEHIND),
    (_C.SESSION_EXPIRED, _C.UPSTREAM_FAILED, _BEHIND),
    (_C.SESSION_EXPIRED, _C.MESSAGE_TOO_BIG, "send messages of half the size: a limit lets them pass"),
    (_C.PROTOCOL_ERROR, _C.UPSTREAM_FAILED, _BEHIND),
    (_C.READ_DEADLINE, _C.HANDLER_ERROR, f"{_TALK}a read deadline is then survived, a slow service is not"),
    (_C.PONG_DEADLINE, _C.HANDLER_ERROR, _BEHIND),
    (_C.IDLE_TIMEOUT, _C.HANDLER_ERROR, f"{_TALK}an idle timeout is then survived, an error is not"),
    (_C.UPSTREAM_FAILED, _C.HANDLER_ERROR, "connect to the server itself, past the proxy"),
    (_C.UPSTREAM_FAILED, _C.THROTTLED, "open one connection alone: a limit lets it in"),
    (_C.UNAUTHORIZED, _C.REFUSED,
     "ask with the credentials of one who is let in: a wrong path stays refused"),
    (_C.SESSION_DUPLICATED, _C.REFUSED, "open with a session of its own: a second connection is let in then"),
    (_C.NO_WEBSOCKET, _C.UPSTREAM_FAILED, "connect to the server itself, past proxies and port forwards"),
)  # fmt: skip
_EXPERIMENTS = {frozenset(pair): text for *pair, text in _PAIRS}
# What tells one from any other that has no experiment of its own with it; the first that fits.
_FROM_ANY = (
    (_C.RESTART, _THREE),
    (_C.CLOSED_BY_PEER, _WHY),
    (_C.KEEPALIVE_TIMEOUT, _CAPTURE),
    (_C.ONE_WAY_DEAD, _SUBSCRIBE),
)


def experiment(one: Cause, other: Cause) -> str | None:
    """What separates the two; None where no short way is known."""
    pair = frozenset((one, other))
    return _EXPERIMENTS.get(pair) or next((text for cause, text in _FROM_ANY if cause in pair), None)

"""Close reasons of the kinds that servers write, in their words and in others."""

from __future__ import annotations

import random

# Some are of software that is known, the others are of the same mould; none was looked up in a table of
# keywords.
_TEXT = """
keepalive:
    keepalive ping timeout
    No response from heartbeat
    heartbeat timeout
    ping timeout
    Pong not received in time
    missed heartbeats
    HEARTBEAT_TIMEOUT
    client did not answer ping
    Ping/pong timeout
    keep-alive timeout
    HeartbeatExpired
    no pong
    connection lost: ping timed out
    unresponsive
    client gone
    4201 pong not received
idle:
    idle timeout
    Connection idle
    inactivity timeout
    timeout
    NET-0001: no audio received
    closed due to inactivity
    IDLE_TIMEOUT
    no messages for too long
    read deadline exceeded
    i/o timeout
    Session idle for too long
    ConnectionTimeout
    no activity
    expired by timer
restart:
    Service Restart
    server restarting
    shutting down
    server shutdown
    deploying new version
    going down for maintenance
    SERVER_RESTART
    redeploy
    pod terminating
    draining connections
    restart
    rolling update
    ServerShuttingDown
    bye, new version coming
    process exiting
token:
    token expired
    Unauthorized
    invalid token
    JWT expired
    authentication failed
    auth timeout
    credentials expired
    please log in again
    access token has expired
    TOKEN_EXPIRED
    forbidden
    authorization required
    not allowed
    InvalidApiKey
    signature mismatch
session over:
    session expired
    maximum session duration reached
    session ended
    max connection age
    session time limit exceeded
    SessionExpired
    connection lifetime exceeded
    time is up
rate:
    rate limit exceeded
    too many requests
    RATE_LIMITED
    message rate too high
    flood detected
    slow down: too many messages
    quota exceeded
    throttled
    you are sending too fast
    TooManyRequests
    limit reached
size:
    message too big
    Message too large
    frame exceeds limit of 1000 bytes
    max payload size exceeded
    payload too large
    MESSAGE_TOO_BIG
    websocket: read limit exceeded
    data too long
    oversized frame
slow:
    client is too slow
    slow consumer
    SLOW_CONSUMER
    send buffer overflow
    client lagging
    write queue full
    outbound queue limit exceeded
    client cannot keep up
    falling behind
    SlowConsumer
    backpressure
origin:
    origin not allowed
    Invalid Origin
    Origin mismatch
    bad origin
    CORS: origin rejected
duplicate:
    duplicate connection
    another connection was opened
    already connected
    replaced by new connection
    logged in elsewhere
    Session taken over
    new session started
    DUPLICATE_SESSION
    superseded
overload:
    server overloaded
    too many connections
    try again later
    at capacity
    server busy
    connection limit reached
    OVERLOADED
    resource exhausted
    too many clients
upstream:
    upstream failed
    bad gateway
    backend unavailable
    upstream timed out
    UPSTREAM_ERROR
error:
    internal server error
    unhandled exception
    KeyError: 'id'
    InternalError
    something went wrong
    Unexpected condition
    panic: runtime error
    NullPointerException
done:
    bye
    done
    stream finished
    Normal closure
    game over
    call ended
    end of feed
"""


def _read(text: str) -> dict[str, tuple[str, ...]]:
    """Lists of lines, each under its name and a colon."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.strip().splitlines():
        if not line.startswith(" "):
            name = line.removesuffix(":")
        else:
            found.setdefault(name, []).append(line.strip())
    return {name: tuple(words) for name, words in found.items()}


_WORDS = _read(_TEXT)
# Of other languages and other codes, of control characters, and as long as fits.
FOREIGN = (
    "\u63a5\u7d9a\u304c\u7d42\u4e86\u3057\u307e\u3057\u305f",
    "Verbindung getrennt",
    "conexi\u00f3n terminada",
    "\u0441\u043e\u0435\u0434\u0438\u043d\u0435\u043d\u0438\u0435 \u0437\u0430\u043a\u0440\u044b\u0442\u043e",
    "E_4711",
    "code=7",
    "closed by server",
    "connection closed",
    "see log",
    "\x01\x02\x03",
    "x" * 100,
)


def words_of(tag: str, rng: random.Random) -> str:
    """A reason of a kind, or one that is foreign."""
    words = rng.choice(FOREIGN if tag == "foreign" else _WORDS[tag])
    if rng.random() < 0.15:
        numbered = f"[{rng.randint(1, 9999)}] {words}"
        words = rng.choice((words.upper(), words.capitalize(), numbered, f"{words}."))
    return words.encode()[:120].decode(errors="ignore")


def is_foreign(words: str) -> bool:
    """Whether a reason is one that nobody is expected to understand."""
    plain = words.casefold().strip(".").split("] ")[-1]
    return any(plain == each.casefold() for each in FOREIGN)

"""Close reasons, and what they speak of."""

import time

import pytest

from pytest_wsstability.core.timeline.close_reasons import (
    Reading,
    Topic,
    is_called_error,
    read_error,
    read_message,
    read_reason,
    says_nothing_else,
    tells_why,
)

T = Topic


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("keepalive ping timeout", T.KEEPALIVE),
        ("No response from heartbeat", T.KEEPALIVE),
        ("HeartbeatTimeout", T.KEEPALIVE),
        ("ping_timeout", T.KEEPALIVE),
        # Vapi
        ("exceeded-max-duration", T.SESSION_OVER),
        ("session-not-found", T.SESSION_UNKNOWN),
        ("Too-Many-Connections", T.OVERLOAD),
        ("no-audio-received.", T.IDLE),
        # Hyphens within words
        ("re-deploy", T.RESTART),
        ("NET-0001: no audio within the timeout window", T.IDLE),
        ("Connection idle for too long", T.IDLE),
        ("closed: inactivity", T.IDLE),
        ("session timeout", T.TIMEOUT),
        ("i/o deadline exceeded", T.TIMEOUT),
        (
            "failed to handle control frame opPing: WebSocket closed: read timed out: deadline exceeded",
            T.TIMEOUT,
        ),
        ("failed to handle control frame opPong: ping timeout", T.KEEPALIVE),
        ("Policy error: client is too slow.", T.SLOW),
        ("SlowConsumer", T.SLOW),
        ("slow", T.SLOW),
        ("write queue full", T.SLOW),
        ("rate_limit_exceeded", T.RATE),
        ("too many requests, server busy", T.RATE),
        ("frame with 5000 bytes exceeds limit of 1000 bytes", T.SIZE),
        ("websocket: read limit exceeded", T.SIZE),
        ("read limited at 32769 bytes", T.SIZE),
        # Tomcat
        (
            "No async message support and buffer too small. Buffer size: [8,192], Message size: [10,240]",
            T.SIZE,
        ),
        ("Going away: deployment", T.RESTART),
        ("server shutting down", T.RESTART),
        ("Origin not allowed", T.ORIGIN),
        ("logged in elsewhere", T.DUPLICATE),
        ("token timed out", T.TOKEN),
        # PeerServer says it and closes with 1005.
        ("Invalid key provided", T.TOKEN),
        ("Incorrect password supplied", T.TOKEN),
        ("Unauthorized", T.TOKEN),
        ("session expired", T.SESSION_OVER),
        ("maximum session duration reached", T.SESSION_OVER),
        ("24h connection limit", T.SESSION_OVER),
        # Spring
        ("STOMP 'content-length' header value 136642 exceeds configured buffer size limit 65536", T.SIZE),
        ("2 hour limit reached", T.SESSION_OVER),
        ("unexpected token < in JSON", T.PROTOCOL),
        ("bad rsv RSV1: true RSV2: false RSV3: false", T.PROTOCOL),
        ("received unmasked frame", T.PROTOCOL),
        ("Client frame is not masked", T.PROTOCOL),
        # coder/websocket; Jetty; tungstenite; gorilla/websocket; websockets; faye-websocket; Tomcat.
        ("unexpected data message", T.PROTOCOL),
        ("RSV1 not allowed to be set", T.PROTOCOL),
        ("Client MUST mask all frames", T.PROTOCOL),
        ("Control frame too big (payload must be 125 bytes or less)", T.PROTOCOL),
        ("FIN not set on control", T.PROTOCOL),
        ("data before FIN", T.PROTOCOL),
        ("continuation after FIN", T.PROTOCOL),
        ("bad close code 999", T.PROTOCOL),
        ("wrong masking key", T.PROTOCOL),
        ("bad MASK, len > 125 for control", T.PROTOCOL),
        ("expected a continuation frame", T.PROTOCOL),
        ("Received new data frame but previous continuous frame is unfinished", T.PROTOCOL),
        ("A WebSocket frame was sent with an unrecognised opCode of [7]", T.PROTOCOL),
        # autobahn.
        ("message exceeds payload limit of 100 octets", T.SIZE),
        # websockify.
        ("Failed to connect to downstream server", T.UPSTREAM),
        ("Target closed", T.UPSTREAM),
        ("lost connection to redis", T.UPSTREAM),
        ("lost connection to the database server", T.UPSTREAM),
        ("exceeds the connection limit of 5", T.OVERLOAD),
        ("exceeds the rate limit of 100", T.RATE),
        ("exceeds the limit of 65536", T.SIZE),
        ("Unexpected continuation frame", T.PROTOCOL),
        ("No activity for 60 seconds", T.IDLE),
        ("no data in 30s", T.IDLE),
        ("client did not authenticate in time", T.TOKEN),
        ("did not send identify in time", T.SETUP),
        ("You did not log in in time", T.SETUP),
        ("not registered in time", T.SETUP),
        ("MASK must be set", T.PROTOCOL),
        ("received control frame that is fragmented", T.PROTOCOL),
        ("upstream timed out", T.UPSTREAM),
        ("origin server unreachable", T.UPSTREAM),
        ("too many connections", T.OVERLOAD),
        ("Internal server error", T.ERROR),
        ("KeyError: 'x'", T.ERROR),
        ("KeyError: 'token'", T.ERROR),
        ("NoMethodError: undefined method `duplicate' for nil", T.ERROR),
        # Of the program itself, and of nothing that came.
        ("panic: runtime error: invalid memory address or nil pointer dereference", T.ERROR),
        ("Connection closed with an error. InvalidOperationException: no room", T.ERROR),
        ("InvalidCastException", T.ERROR),
        ("InvalidStateError: the task is done", T.ERROR),
        ("\uff54\uff49\uff4d\uff45\uff4f\uff55\uff54", T.TIMEOUT),
        # What software and services of others say, each by its own report or source.
        ("Connection initialisation timeout", T.SETUP),
        ("Did not receive auth message within 10 seconds", T.SETUP),
        ("Handshake timeout", T.SETUP),
        ("login timed out", T.SETUP),
        ("No IDENTIFY within 10s", T.SETUP),
        ("waiting for the first message: timed out", T.SETUP),
        ("no hello message within 3 s", T.SETUP),
        ("Connection unused, you have to create a subscription within 10 seconds", T.SETUP),
        ("client failed ping-pong", T.KEEPALIVE),
        ("Idle for 300241ms > 300000ms", T.IDLE),
        ("Close for not receive ping from client", T.KEEPALIVE),
        ("No response from ping frame.", T.KEEPALIVE),
        ("Missed too many pings", T.KEEPALIVE),
        ("too many missed heartbeats", T.KEEPALIVE),
        ("Too many unanswered pings", T.KEEPALIVE),
        ("session expired: no heartbeat", T.KEEPALIVE),
        ("Connection Idle Timeout", T.IDLE),
        ("Session closed: max idle time exceeded", T.IDLE),
        ("Timed out waiting for audio", T.IDLE),
        ("input_timeout_exceeded", T.IDLE),
        ("Have not received a new text input within the timeout of 20 seconds.", T.IDLE),
        ("Client has not sent any audio in 10 seconds", T.IDLE),
        ("ErrSlowConsume", T.SLOW),
        ("ErrSlowRead", T.SLOW),
        ("Slow Consumer (Write Deadline)", T.SLOW),
        ("Slow Consumer (Pending Bytes)", T.SLOW),
        ("Client unable to keep up with pending messages", T.SLOW),
        ("Client exceeded max pending messages", T.SLOW),
        ("Too many messages queued", T.SLOW),
        ("too many pending messages", T.SLOW),
        ("Exceeded msg rate", T.RATE),
        ("slow down", T.RATE),
        ("You are sending messages too quickly", T.RATE),
        ("Ping interval too short", T.RATE),
        ("heartbeat interval is too fast", T.RATE),
        ("pings too frequent", T.RATE),
        ("banned: too many failed logins", T.RATE),
        ("too many reconnects", T.RATE),
        ("audio sent faster than real-time", T.RATE),
        ("too many invalid messages", T.PROTOCOL),
        ("decompression failed", T.PROTOCOL),
        ("zlib error", T.PROTOCOL),
        ("bad opcode", T.PROTOCOL),
        ("server rebooting", T.RESTART),
        ("Concurrency limit reached", T.OVERLOAD),
        ("heartbeat interval timed out", T.KEEPALIVE),
        ("no more than 120 commands per minute", T.RATE),
        ("Max frame length of 65536 has been exceeded.", T.SIZE),
        ("Frame size of 131000 bytes exceeds maximum accepted frame size", T.SIZE),
        ("Text message size [65537] exceeds maximum size [65536]", T.SIZE),
        ("CloudFlare WebSocket proxy restarting", T.RESTART),
        ("server shutdown connection closed", T.RESTART),
        ("shutting down all connections", T.RESTART),
        ("session shutdown due to server restart", T.RESTART),
        ("game server is shutting down", T.RESTART),
        ("The web application is stopping", T.RESTART),
        ("reset because its code was updated", T.RESTART),
        ("session takeover", T.DUPLICATE),
        ("New connection established with this id", T.DUPLICATE),
        ("Your session hit the maximum duration of 60 minutes.", T.SESSION_OVER),
        ("Connection expired", T.SESSION_OVER),
        ("session ttl exceeded", T.SESSION_OVER),
        ("24 hours limit", T.SESSION_OVER),
        ("connection time limit", T.SESSION_OVER),
        # Gemini Live's, as it comes: a reason has 123 bytes.
        (
            "Connection aborted because the client failed to close the connection after receiving a GoAway "
            "signal once the session durat",
            T.SESSION_OVER,
        ),
        ("Exceeded maximum allowed stream duration of 305 seconds.", T.SESSION_OVER),
        ("Maximum call length reached", T.SESSION_OVER),
        ("conversation exceeded max length of 300 seconds", T.SESSION_OVER),
        ("the session duration has elapsed", T.SESSION_OVER),
        ("no more messages received", T.IDLE),
        ("no data", T.IDLE),
        ("No response: timeout", T.TIMEOUT),
        ("container exited", T.RESTART),
        ("worker was sent SIGKILL", T.RESTART),
        ("Request contains an invalid argument.", T.PROTOCOL),
        ("invalid_request_error", T.PROTOCOL),
        ("Session ID unknown", T.SESSION_UNKNOWN),
        ("Handshake was canceled.", T.SETUP),
        ("connection_init timeout", T.SETUP),
        # What the server itself sets up is no session of the client.
        ("timed out waiting for the agent to initialize", T.TIMEOUT),
        ("server cannot keep up", T.OVERLOAD),
        ("Reached maximum number of concurrent sessions", T.OVERLOAD),
        ("only 5 connections per IP allowed", T.OVERLOAD),
        ("payload of 5242880 bytes exceeds limit", T.SIZE),
        ("The connection will soon be closed for a service upgrade", T.RESTART),
        ("pod evicted", T.RESTART),
        ("instance is being replaced", T.RESTART),
        ("client id in use", T.DUPLICATE),
        ("connection already open", T.DUPLICATE),
        ("could not reach origin", T.UPSTREAM),
        ("origin dns error", T.UPSTREAM),
        ("CSRF check failed", T.TOKEN),
        ("account was suspended", T.TOKEN),
        ("Control frame too long", T.PROTOCOL),
        ("Payload is not valid UTF-8", T.PROTOCOL),
        ("Missing required field: model", T.PROTOCOL),
        ("Input Duration Violation: 35.0 ms. Expected between 50 and 1000 ms", T.PROTOCOL),
        ("Invalid session", T.SESSION_UNKNOWN),
        ("Only one connection per user", T.DUPLICATE),
        ("request from origin https://a.example not allowed", T.ORIGIN),
        ("https://a.example is not an accepted origin.", T.ORIGIN),
        ("forbidden: invalid session token", T.TOKEN),
        ("Binary messages are not allowed", T.PROTOCOL),
        ("unknown command", T.PROTOCOL),
        ("Gateway Timeout", T.UPSTREAM),
        ("Maximum number of connections exceeded.", T.OVERLOAD),
        ("Too many concurrent sessions", T.OVERLOAD),
        ("[ORIGINAL ERROR] generic::resource_exhausted: com.google", T.OVERLOAD),
        ("message limit reached", T.RATE),
        ("Message limit of 1000 was reached", T.RATE),
        ("Max number of messages per day reached", T.RATE),
        ("maximum requests per connection exceeded", T.RATE),
        ("App over connection quota", T.OVERLOAD),
        ("channel limit", T.OVERLOAD),
        ("Too many channels", T.OVERLOAD),
    ],
)
def test_a_keyword_tells_the_topic(reason, topic):
    """Whatever the case, and however the words are joined."""
    assert read_reason(reason) == Reading(topic, None, has_words=True)


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("Kicked by moderator: spamming", T.RATE),
        ("forbidden word in chat", T.TOKEN),
        ("unauthorizedMove", T.TOKEN),
        ("shutdown of your turret", T.RESTART),
        ("overload of cargo", T.OVERLOAD),
        ("restart of match server", T.RESTART),
        ("idle players removed", T.IDLE),
    ],
)
def test_one_word_among_others_is_all_that_tells(reason, topic):
    """In a log it still does: its lines are sentences."""
    reading = read_reason(reason)

    assert reading == Reading(topic, None, is_lone=True, has_words=True)
    assert reading.is_clear


@pytest.mark.parametrize("reason", ["client restart required", "page reload needed"])
def test_what_a_client_has_to_do_is_no_restart_of_the_server(reason):
    """It has words, and no topic."""
    assert read_reason(reason) == Reading(None, None, has_words=True)


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("answers are slow", T.SLOW),
        ("request queue full", T.SLOW),
        ("backpressure in the broker", T.SLOW),
        ("rate this conversation", T.RATE),
        ("message size", T.SIZE),
        ("drain cleaner", T.RESTART),
        ("origin moved", T.ORIGIN),
        ("other session", T.DUPLICATE),
        ("login node is full", T.TOKEN),
        ("unsupported region", T.PROTOCOL),
        ("no such backend", T.UPSTREAM),
        ("busy line", T.OVERLOAD),
        ("connection unused", T.IDLE),
        # That there was an error, and a timeout, tells neither of whom.
        ("internal error: connection unused, timed out", T.IDLE),
        ("stale connection", T.KEEPALIVE),
        ("peer did not respond", T.KEEPALIVE),
        ("No response from client", T.KEEPALIVE),
        ("Buffer size 535566 bytes for session x exceeds the allowed limit 524288", T.SLOW),
        ("Send time 10001 (ms) for session x exceeded the allowed limit 10000", T.SLOW),
        ("maximum queue size exceeded", T.SLOW),
        ("write timeout", T.SLOW),
        ("writer timeout", T.SLOW),
        ("write tcp 10.0.0.1:80->10.0.0.2:5000: i/o timeout", T.SLOW),
        ("max buffered amount exceeded", T.SLOW),
        ("high-water mark exceeded", T.SLOW),
        ("server is full", T.OVERLOAD),
        ("The service is currently unavailable.", T.OVERLOAD),
        ("503 Service Unavailable", T.OVERLOAD),
        ("You exceeded your current quota, please check your plan", T.RATE),
        ("Account has exceeded usage limits", T.RATE),
        ("new version available", T.RESTART),
        ("expired", T.SESSION_OVER),
        ("proxy error", T.UPSTREAM),
        ("dial tcp 10.0.0.1: connect: connection refused", T.UPSTREAM),
        ("duplicate key", T.DUPLICATE),
        ("username already in use", T.DUPLICATE),
        ("userBanned", T.TOKEN),
        ("listen key has expired", T.TOKEN),
        ("insufficient_funds", T.TOKEN),
        ("Insufficient credits", T.TOKEN),
        ("connect ECONNREFUSED 127.0.0.1:8080", T.UPSTREAM),
        ("Server is migrating", T.RESTART),
        ("Subprotocol not acceptable", T.PROTOCOL),
        ("Invalid sample rate", T.PROTOCOL),
        ("Subscription error: invalid symbol", T.PROTOCOL),
        ("signature expired", T.TOKEN),
        ("wrong access key", T.TOKEN),
        ("wrong username or password", T.TOKEN),
        # Of a handshake, of a message, of cryptography.
        ("Invalid Sec-WebSocket-Key header", T.PROTOCOL),
        ("invalid key in the map", T.PROTOCOL),
        ("Invalid key size", T.PROTOCOL),
        ("invalid key: colour", T.PROTOCOL),
        ("Session limit reached", T.SESSION_OVER),
        ("cannot keep up with audio", T.SLOW),
        ("liveness probe failed", T.RESTART),
        ("zombie connection", T.KEEPALIVE),
        ("Operation is not implemented, or supported, or enabled.", T.PROTOCOL),
        ("The host ended the session; session over", T.SESSION_OVER),
        ("turn time limit exceeded", T.SESSION_OVER),
        # Spring's 4500.
        ("Failed to send message to WebSocket session within the configured send limit", T.SLOW),
        # In a minute, or at once.
        ("too many logins for this account", T.RATE),
        ("stale", T.SETUP),
    ],
)
def test_a_word_that_means_other_things_too_is_a_hint(reason, topic):
    """It tells the topic, and is not clear."""
    reading = read_reason(reason)

    assert reading == Reading(topic, None, is_vague=True, has_words=True)
    assert not reading.is_clear


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("too many pings", T.RATE),
        ("Ping rate exceeded", T.RATE),
        ("heartbeats too often", T.RATE),
        ("token bucket empty", T.RATE),
        ("login flood", T.RATE),
        ("invalid ping payload", T.PROTOCOL),
        ("pong without ping", T.PROTOCOL),
        # A heartbeat that the peer does not know.
        ("Unknown message type: ping", T.PROTOCOL),
        ("unknown op: pong", T.PROTOCOL),
        ("unknown {'op': 'pong'}", T.PROTOCOL),
        # Of a connection that was over before; gunicorn and Puma, of a worker.
        ("sending ping failed: connection closed", T.ERROR),
        ("Failed to write ping frame: stream closed", T.ERROR),
        ("failed to send a heartbeat: reset by peer", T.ERROR),
        # Of one that did not come.
        ("client failed to send a ping in time, connection closed", T.KEEPALIVE),
        ("[CRITICAL] WORKER TIMEOUT (pid:42)", T.RESTART),
        ("worker timeout", T.TIMEOUT),
        # Not of a process of Erlang's.
        ("Connection terminated: shutdown", T.RESTART),
        ("exit: shutdown", T.RESTART),
        ("! Terminating timed out worker: 43", T.RESTART),
        ("invalid type: heartbeat", T.PROTOCOL),
        ("Unsupported message: ping", T.PROTOCOL),
        ("ping: unknown command", T.PROTOCOL),
        ("ping is not a valid command", T.PROTOCOL),
        ("heartbeat not supported", T.PROTOCOL),
        ("Heartbeats are not supported", T.PROTOCOL),
        ("ping frames are not supported", T.PROTOCOL),
        ("ping unsupported", T.PROTOCOL),
        ("unknown heartbeat", T.PROTOCOL),
        ("image compression failed", T.ERROR),
        ("database migration failed", T.ERROR),
        ("Too many failed logins", T.RATE),
        ("Method not found: ping", T.PROTOCOL),
        ("no such method: ping", T.PROTOCOL),
        ("no handler registered for event 'ping'", T.PROTOCOL),
        ("unexpected token < in JSON", T.PROTOCOL),
        ("bad rsv RSV1: true RSV2: false RSV3: false", T.PROTOCOL),
        ("received unmasked frame", T.PROTOCOL),
        ("Client frame is not masked", T.PROTOCOL),
        ("MASK must be set", T.PROTOCOL),
        ("received control frame that is fragmented", T.PROTOCOL),
        ("message was too big for the output buffer", T.SIZE),
        ("origin returned 502", T.UPSTREAM),
        ("lost connection to origin", T.UPSTREAM),
        ("auth timeout", T.TOKEN),
    ],
)
def test_a_word_in_a_phrase_of_another_topic_is_no_word_of_its_own(reason, topic):
    """Pings that come too often are no keepalive that ran out; a hint beside clear words says nothing."""
    assert read_reason(reason) == Reading(topic, None, has_words=True)


def test_a_ping_that_did_not_come_is_none_that_could_not_be_sent():
    assert read_reason("you did not send ping: closed").topic is T.KEEPALIVE
    assert read_reason("cannot send ping: closed").topic is None


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("keepalive expired", T.KEEPALIVE), ("the client was silent", T.IDLE), ("slow client", T.SLOW),
        ("pending bytes", T.SLOW), ("you fell too far behind", T.SLOW), ("rate exceeded", T.RATE),
        ("exceeded the allowed rate", T.RATE), ("message rate", T.RATE), ("ping rate", T.RATE),
        ("send less often", T.RATE), ("throttled", T.RATE), ("message too long", T.SIZE),
        ("payload length exceeded", T.SIZE), ("size limit", T.SIZE), ("over 1024 bytes", T.SIZE),
        ("redeploying", T.RESTART), ("maintenance", T.RESTART), ("going down", T.RESTART),
        ("draining", T.RESTART), ("rolling update", T.RESTART), ("CORS", T.ORIGIN),
        ("cross-origin", T.ORIGIN), ("invalid origin", T.ORIGIN), ("duplicate connection", T.DUPLICATE),
        ("already connected", T.DUPLICATE), ("replaced by 5f3a", T.DUPLICATE),
        ("connection replaced", T.DUPLICATE), ("superseded", T.DUPLICATE), ("taken over", T.DUPLICATE),
        ("another tab", T.DUPLICATE), ("multiple connections", T.DUPLICATE), ("stale token", T.TOKEN),
        ("credentials", T.TOKEN), ("please log in again", T.TOKEN), ("logged out", T.TOKEN),
        ("user disabled", T.TOKEN), ("session too long", T.SESSION_OVER), ("session expiry", T.SESSION_OVER),
        ("expired session", T.SESSION_OVER), ("no connection with that id", T.SESSION_UNKNOWN),
        ("protocol mismatch", T.PROTOCOL), ("parsing JSON", T.PROTOCOL), ("could not be decoded", T.PROTOCOL),
        ("unsupported data", T.PROTOCOL), ("bad request", T.PROTOCOL), ("unexpected end", T.PROTOCOL),
        ("reserved bits", T.PROTOCOL), ("masked frame", T.PROTOCOL), ("fragmented", T.PROTOCOL),
        ("validation", T.PROTOCOL), ("schema", T.PROTOCOL), ("bad gateway", T.UPSTREAM),
        ("at capacity", T.OVERLOAD), ("capacity exceeded", T.OVERLOAD), ("too busy", T.OVERLOAD),
        ("server busy", T.OVERLOAD), ("max users reached", T.OVERLOAD), ("max connections", T.OVERLOAD),
        ("concurrent users exceeded", T.OVERLOAD), ("exception", T.ERROR), ("traceback", T.ERROR),
        ("crashed", T.ERROR), ("panic", T.ERROR), ("unhandled", T.ERROR), ("INTERNALERROR", T.ERROR),
    ],
)  # fmt: skip
def test_each_keyword_tells_the_topic_by_itself(reason, topic):
    """Whatever else software says beside it."""
    assert read_reason(reason) == Reading(topic, None, has_words=True)


@pytest.mark.parametrize(
    ("reason", "topic"),
    [
        ("connection is stale", T.KEEPALIVE), ("unresponsive", T.KEEPALIVE), ("missed acks", T.KEEPALIVE),
        ("too slow for this room", T.SLOW), ("lagging", T.SLOW), ("lag is too high", T.SLOW),
        ("too far behind", T.SLOW), ("write buffer", T.SLOW), ("reloading", T.RESTART),
        ("deploy", T.RESTART), ("upgrading", T.RESTART),
        ("stopping", T.RESTART), ("rebalancing", T.RESTART), ("handoff", T.RESTART),
        ("scaling down", T.RESTART), ("replaced", T.DUPLICATE), ("session conflict", T.DUPLICATE),
        ("old connection", T.DUPLICATE), ("token", T.TOKEN), ("auth", T.TOKEN), ("not valid", T.PROTOCOL),
        ("connection refused", T.UPSTREAM), ("broken pipe", T.UPSTREAM), ("dial", T.UPSTREAM),
        ("unexpected EOF", T.UPSTREAM), ("capacity", T.OVERLOAD),
    ],
)  # fmt: skip
def test_each_hint_tells_the_topic_where_nothing_is_clearer(reason, topic):
    assert read_reason(reason) == Reading(topic, None, is_vague=True, has_words=True)


@pytest.mark.parametrize(
    ("reason", "topic", "is_vague"),
    [
        ("TLS handshake timeout", T.TIMEOUT, False),
        # Of another connection: a shell's, a desktop's, a database's.
        ("SSH handshake timeout", T.TIMEOUT, False),
        ("RDP user login timed out", T.TIMEOUT, False),
        ("[ODBC Driver 17 for SQL Server]Login timeout expired", T.TIMEOUT, False),
        # MySQL's advice, and a model that Azure's OpenAI has not.
        ("Lock wait timeout exceeded; try restarting transaction", None, False),
        ("The API deployment for this resource does not exist", None, False),
        # What was wanted, where a connection is for a login alone.
        ("Authentication successful", None, False),
        ("login completed", None, False),
        ("successfully logged in", None, False),
        ("heart rate sensor gone", None, False),
        ("the backend cannot keep up", T.UPSTREAM, True),
        ("redis client is slow", T.SLOW, True),
        ("ping frame too large", T.SIZE, False),
        ("oversized ping", T.SIZE, False),
        ("control frame length exceeded", T.PROTOCOL, False),
        ("maintenance downtime or capacity problems", T.OVERLOAD, True),
        ("you must reload", None, False),
        ("please reload the page", None, False),
        ("no permission to access this resource", None, False),
        ("unexpected token rejected", T.PROTOCOL, False),
        ("token limit", None, False),
    ],
)
def test_a_phrase_leaves_what_its_word_does_not_mean(reason, topic, is_vague):
    """What is left of the reason tells its topic, if anything does."""
    assert read_reason(reason) == Reading(topic, None, is_vague=is_vague, has_words=True)


@pytest.mark.parametrize(
    "reason",
    [
        "unknown error: ping timeout",
        "unknown client, no pong in 30 s",
        "invalid operation: heartbeat expired",
        "unexpected event: heartbeat missed",
        "no message or ping within 30 s",
        "no handler answered our last ping and no pong came",
        "heartbeat not found",
        "ping not received",
        "unknown heartbeat timeout",
        "lost too many pongs",
        "client skipped too many heartbeats",
        "too many failed pings",
    ],
)
def test_a_heartbeat_that_did_not_come_is_a_keepalive(reason):
    """Whatever else is unknown or unexpected there, and too many of them came no too often."""
    found = read_reason(reason)
    assert found.topic is T.KEEPALIVE
    assert found.other is not T.RATE


@pytest.mark.parametrize(
    "reason",
    [
        "sample rate changed",
        "interest rate feed over",
        "font size",
        "slow query",
        "lagging replica",
        "stack overflow",
        "no data found",
        "no message with this id",
        "new session required",
        "please restart your client",
        "shopping cart closed",
        "operation generated",
        "the original author left",
        "goodbye",
        "max tokens reached",
        "maximum context length is 8192 tokens",
        "Exceeded max audio length of 20 seconds.",
        # Of the connection of a proxy.
        "http2: server sent GOAWAY and closed the connection",
        "input audio buffer overflow",
        "duplicate message id",
        # What uvicorn logs of each.
        "connection open",
        "too many concurrent logins",
        "Already authenticated.",
        "authentication service unavailable",
        "timestamp offset too large",
        "processing time limit exceeded",
        "16000 samples per second",
        "Server closed the connection",
        "application terminated the session",
        "Server stopped responding to client",
        "please restart the session",
        # What is shut down or begun again is a part of the server, or of this client.
        "Session shutting down",
        "the kernel is restarting",
        "room 7 is being restarted",
        "shutting down voice pipeline",
        "restart of match 7",
        # Of a command or a shell behind the connection: who has exited sends no close frame.
        "process exited with code 1",
        "Connection closed: no error",
        "Cannot read property 'token' of undefined",
        "process exited (0)",
        "Phoenix.Socket transport terminated: {:shutdown, :peer_closed}",
        "Process exited: 137",
        "container terminated with exit code 137",
        "The terminal process terminated",
        "** (exit) shutdown: :closed",
        # The end of a stream.
        "no more data",
        "no further messages.",
        "Could not acquire lock: timeout",
        "connection shutdown",
        "application closing websocket of user 3",
        "took too long to shut down",
        "database timeout",
        "Model initialization timeout",
        "Deadline expired before operation could complete.",
        "maximum context length reached",
        "exceeded CPU time limit",
        "\u63a5\u7d9a\u304c\u7d42\u4e86\u3057\u307e\u3057\u305f" * 5,
        "\x00\x01\x02\x1b[31m",
        "Verbindung beendet",
        "?" * 123,
        "stale cache",
        "message limit",
        # Of whatever a limit is.
        "exceeds retry limit of 3",
        "exceeds the message limit of 100",
        # How many wait is no limit on how many are sent.
        "max messages buffered exceeded",
        "maximum messages in the queue reached",
        "max requests in flight exceeded",
        # One of the two ends.
        "lost connection to you",
        "lost connection to the client",
        "Lost the connection to your session",
        "lost connection to this peer",
        "lost connection to player 2",
        "too many audio channels",
        "unexpected system message",
        "continuation after a pause",
        "missing mask for inpainting",
        "video: continuous frame rate 30",
        "maximum number of messages in history reached",
        # No time.
        "no data for 20240101",
        "no messages in 12 rooms",
        "thread not joined in time",
        "sales target closed at 5%",
        "refreshed list of 3 downstream servers",
        "callers must mask card numbers",
        "could not get identifier of the node",
    ],
)
def test_words_without_a_keyword_have_no_topic(reason):
    """A part of a word is none, and neither is another language."""
    assert read_reason(reason) == Reading(None, None, has_words=bool(reason.strip()))


@pytest.mark.parametrize(
    ("reason", "topics"),
    [
        ("timeout: restart", (T.TIMEOUT, T.RESTART)),
        ("token expired or origin server unreachable", (T.TOKEN, T.UPSTREAM)),
        ("rate limit or message too big", (T.RATE, T.SIZE)),
    ],
)
def test_words_that_contradict_each_other_have_two_topics(reason, topics):
    """Neither is then clear."""
    reading = read_reason(reason)

    assert (reading.topic, reading.other, reading.is_clear) == (*topics, False)


@pytest.mark.parametrize(
    ("message", "topic"),
    [
        ('{"type": "error", "message": "boom"}', None),
        ('{"error": {"code": 401}}', None),
        ("{'status': 'failed', 'errorMessage': 'boom'}", None),
        ('{"error": "internal_error"}', T.ERROR),
        ('{"error": true, "message": "Server error"}', T.ERROR),
        ('{"type": "error", "message": "Failed to subscribe"}', T.ERROR),
        ('{"type": "error", "error": {"code": "rate_limit_exceeded"}}', T.RATE),
        ("-ERR 'Slow Consumer'", T.SLOW),
        # The command of a frame of STOMP, with what Spring says.
        ("ERROR\nmessage:Bad CONNECT\n\n", None),
        ("Error while processing CONNECT", T.ERROR),
        ("ERROR\nmessage:Broker not available.\n\n", T.UPSTREAM),
        ("ERROR\nmessage:Connection to broker closed.\n\n", T.UPSTREAM),
        ("ERROR\nmessage:Internal error\n\n", T.ERROR),
        ("-ERR 'Permissions Violation'", T.TOKEN),
        # What was asked is repeated in the answer.
        ('{"success": false, "ret_msg": "Request not authorized", "op": "ping"}', T.TOKEN),
        ('{"error": "bad symbol", "method":"ping"}', None),
        ('{"type":"error","error":{"message":"boom"},"in_reply_to":"heartbeat"}', None),
        ("{'request': {'type': 'PING'}, 'message': 'token expired'}", T.TOKEN),
        # What says why, and longer words.
        ('{"type": "error", "reason": "heartbeat"}', T.KEEPALIVE),
        ('{"error": "x", "detail": "ping"}', T.KEEPALIVE),
        ('{"type": "error", "message": "ping timeout"}', T.KEEPALIVE),
        ('{"type": "ping_timeout"}', T.KEEPALIVE),
    ],
)
def test_what_calls_a_message_an_error_tells_no_topic(message, topic):
    """What stands beside it does."""
    assert read_error(message).topic is topic


@pytest.mark.parametrize(
    ("name", "is_error"),
    [
        (name, True)
        for name in ("error", "lasterror", "errno", "err_msg", "errMsg", "ErrorCode", "isErr", "last_err")
    ]
    + [(name, False) for name in ("preferred", "referrer", "interrupted", "overrides")],
)
def test_the_name_of_a_member_calls_a_message_an_error(name, is_error):
    assert is_called_error(f'{{"{name}": "x", "text": "banned"}}') is is_error


@pytest.mark.parametrize(
    ("reason", "nothing_else"),
    [
        ("Shutting down", True),
        ("the server is restarting now", True),
        ("Received SIGTERM, shutting down gracefully", True),
        ("Waiting for application shutdown.", True),
        ('{"level":30,"time":1764250512345,"msg":"server is shutting down"}', True),
        ('time=13:15 level=info msg="shutting down"', True),
        ("shutting down mixer", False),
        ("restarting level 3", False),
        ("maintenance of turrets", False),
    ],
)
def test_what_stands_beside_the_words_that_tell(reason, nothing_else):
    """Words of grammar and of servers say nothing else; what is unknown may."""
    assert says_nothing_else(reason) is nothing_else


@pytest.mark.parametrize("text", [f"session {'1' * 20_000}", "utf-" * 20_000])
def test_a_long_text_is_read_at_once(text):
    """What a server prints may be of any length; read in steps that grow with its square, it took 14 s."""
    before = time.process_time()

    read_reason(text)

    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("reason", "says_why"),
    [
        ("see the previous message for the error details.", False),
        ("See last message", False),
        ("See Error message for details", False),
        ("token expired, see the previous message", True),
    ],
)
def test_a_reason_that_sends_its_reader_elsewhere_says_nothing(reason, says_why):
    """IBM Watson's 1011, and AssemblyAI's 3006."""
    assert read_reason(reason).has_words is says_why


def test_an_empty_reason_says_nothing():
    """No words are something else than words that nobody knows."""
    assert read_reason("") == Reading()
    assert read_reason("  \t ") == Reading()
    # Nor do the names of codes, which some write behind them.
    assert read_reason("Going away") == read_reason("Normal closure.") == Reading()


@pytest.mark.parametrize(
    ("text", "tells"),
    [
        ("session expired, please log in again", True),
        ('{"type": "error", "message": "oops"}', True),
        ('{"type": "end", "reason": "caller hung up"}', True),
        ('{"op": "maintenance", "in": 0}', True),
        # Content.
        ("hello", False),
        ('{"price": 3.2}', False),
        ('{"type": "transcript", "text": "I have to go"}', False),
        # Names of members are no news, and neither is an error that is none.
        ('{"type": "welcome", "idle_timeout": 60, "session": "a"}', False),
        ('{"id": 1, "error": null}', False),
        ('{"type": "end", "reason": ""}', False),
        ('{"type": "summary", "passed": 12, "failed": 0, "errors_total": 0}', False),
        ('{"type": "summary", "passed": 11, "failed": 1}', True),
        ('{"errorCode": 0, "errMsg": "", "data": [], "failed": false}', False),
        ('{"errorCode": 7}', True),
        ('{"error_rate": 0.0, "is_error": false}', False),
        ('{"error_rate": 0.01}', True),
        ("passed=12 failed=0", False),
        ("12 passed, 0 failed", False),
        ("10 failed", True),
        ("finished without errors", False),
        # Heartbeats and states by themselves, and credentials that were accepted.
        ('{"type": "ping", "id": 7}', False),
        ('["heartbeat", 7]', False),
        (":keepalive", False),
        ("keepalive missed", True),
        ('{"status": "idle"}', False),
        ("idle for 60 seconds", True),
        ('{"type": "authenticated"}', False),
        ('[{"status": "auth_success", "message": "authenticated"}]', False),
        ('{"type": "token_refreshed"}', False),
        ("not authorized", True),
        ("un-authorized", True),
        # What a login and a subscription are answered; and where they went wrong.
        ("Authenticated", False),
        ('{"type":"auth","status":"authorized","expires":3600}', False),
        ('{"event":"subscribe","success":true,"limit":"10 messages per second"}', False),
        ('{"type":"rate_limits.updated"}', False),
        ("Not authenticated", True),
        ('{"status":"unauthorized"}', True),
        ('{"event":"subscribe","success":false,"detail":"10 messages per second"}', True),
        ('{"status":"ok","detail":"token expired"}', True),
    ],
)
def test_a_message_tells_why_the_end_comes(text, tells):
    """By its words, whatever the protocol is."""
    assert tells_why(text) is tells


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ('{"idle_timeout": 60, "reason": "caller hung up"}', None),
        ('{"rate_limit": 10, "error": "session expired"}', T.SESSION_OVER),
        # A server that passes on what its library says of the connection behind it.
        ('{"error": "sent 1011 (internal error) keepalive ping timeout"}', T.UPSTREAM),
        ('{"error": "you must be authenticated"}', T.TOKEN),
        ('{"error": "no longer authorized"}', T.TOKEN),
        ('{"error": "not yet authenticated"}', T.TOKEN),
        ('{"error": "no such user", "status": "authenticated"}', None),
        # A server that asks its clients to come back (Twitch, Bitstamp), and one that says why, too.
        ('{"event": "info", "msg": "Stopping. Please try to reconnect"}', T.RESTART),
        ('{"type": "RECONNECT"}', T.RESTART),
        (
            '{"metadata": {"message_id": "84", "message_type": "session_reconnect"}, "payload": {"session": '
            '{"id": "AQoQ", "status": "reconnecting", "reconnect_url": "wss://eventsub.wss.twitch.tv?id=1"}}}',
            T.RESTART,
        ),
        ('{"event": "bts:request_reconnect", "channel": "", "data": ""}', T.RESTART),
        ('{"msg": "Please reconnect the client"}', T.RESTART),
        ('{"user": "anna", "text": "please reconnect your wallet"}', None),
        ('{"error": "token expired, please reconnect"}', T.TOKEN),
        ('{"player": "anna", "event": "reconnect"}', None),
        ('{"event": "reconnected"}', None),
    ],
)
def test_names_of_members_and_what_is_well_tell_no_topic(text, topic):
    """Whatever else the message says."""
    assert (read_message(text).topic, read_message(text).other) == (topic, None)

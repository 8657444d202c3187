"""Errors that a handler gets because its connection is over are no causes of its end."""

import time

import pytest

from pytest_wsstability.core.diagnosis.consequences import is_consequence, may_be_consequence
from pytest_wsstability.core.diagnosis.lines import LineKind, printed

SOCKJS = "org.springframework.web.socket.sockjs.SockJsTransportFailureException: Failed to write content="
DOTNET = "System.Net.WebSockets.WebSocketException"
LOST = "The remote party closed the WebSocket connection without completing the close handshake."
STATE = (
    "The WebSocket is in an invalid state ('{}') for this operation. Valid states are: 'Open, CloseReceived'"
)


@pytest.mark.parametrize(
    "raised",
    [
        # What libraries raise, each by its own type.
        "ConnectionClosedError: no close frame received or sent",
        "starlette.websockets.WebSocketDisconnect: (1006, '')",
        "WebSocketDisconnected: ",
        "ClientDisconnected: ",
        "autobahn.exception.Disconnected: Attempt to send on a closed protocol",
        "ClientConnectionResetError: Cannot write to closing transport",
        "WebSocketClosedError: ",
        "StreamClosedError: Stream is closed",
        "WebsocketClosed: ",
        "SocketIsClosedError: ",
        "WebSocketConnectionClosedException: Connection to remote host was lost.",
        "ConnectionAbortedError: ",
        "BrokenPipeError: [Errno 32] Broken pipe",
        "ClosedResourceError: ",
        "BrokenResourceError: ",
        "EndOfStream: ",
        "EOFError: ",
        "IncompleteReadError: 0 bytes read on a total of 2 expected bytes",
        "CancelledError: ",
        "java.nio.channels.ClosedChannelException: null",
        "org.eclipse.jetty.io.EofException: Closed",
        "java.io.EOFException: null",
        "org.apache.catalina.connector.ClientAbortException: java.io.IOException: Broken pipe",
        "WSMessageTypeError: Received message 257:None is not WSMsgType.TEXT",
        "WSMessageTypeError: Received message 8:1001 is not WSMsgType.TEXT",
        # A group is printed before those in it.
        "ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
        "  | BaseExceptionGroup: unhandled errors in a TaskGroup (2 sub-exceptions)",
        # What they say in words alone.
        "RuntimeError: Unexpected ASGI message 'websocket.close', after sending 'websocket.close'.",
        'RuntimeError: Cannot call "send" once a close message has been sent.',
        'RuntimeError: Cannot call "receive" once a disconnect message has been received.',
        'RuntimeError: WebSocket is not connected. Need to call "accept" first.',
        "RuntimeError: WebSocket connection is closed.",
        "RuntimeError: unable to perform operation on <TCPTransport closed=True>; the handler is closed",
        "UnexpectedMessageError: Unexpected message type, websocket.send given the state ASGIState.CLOSED",
        "LocalProtocolError: Event cannot be sent in state ConnectionState.CLOSED",
        "WebSocketError: Socket is dead",
        "SSLError: application data after close notify",
        "OSError: [Errno 104] Connection reset by peer",
        "Error: WebSocket is not open: readyState 2 (CLOSING)",
        "Error: WebSocket is not open: readyState 3 (CLOSED)",
        "Uncaught Error: write EPIPE",
        "Error: read ECONNRESET",
        "Error: This socket has been ended by the other party",
        "Error [ERR_STREAM_DESTROYED]: Cannot call write after a stream was destroyed",
        "java.io.IOException: Connection reset by peer",
        "java.net.SocketException: Connection reset",
        "IOError: closed stream",
        "panic: repeated read on failed websocket connection",
        'Exception in thread "http-1" java.io.IOException: Broken pipe',
        'Exception in thread "http-1" java.nio.channels.ClosedChannelException',
        "thread 'main' (42) panicked at src/main.rs:1:5: an `Err` value: ConnectionClosed",
        "panic: write tcp 127.0.0.1:80->127.0.0.1:5: use of closed network connection",
        "thread 'main' panicked at 'called `Result::unwrap()` on an `Err` value: ConnectionClosed'",
        "thread 'main' panicked at 'an `Err` value: Protocol(ResetWithoutClosingHandshake)'",
        "RuntimeError: the client has disconnected",
        # Ruby's, with the type behind the words.
        "server.rb:3:in `write': Broken pipe (Errno::EPIPE)",
        "server.rb:3:in 'IO#write': closed stream (IOError)",
        "server.rb:3:in `readline': end of file reached (EOFError)",
        # .NET's, with a number behind the type, and with a state.
        f"{DOTNET} (0x80004005): {LOST}",
        "Unhandled exception. System.Net.Sockets.SocketException (104): Connection reset by peer",
        *(f"{DOTNET}: {STATE.format(each)}" for each in ("Aborted", "Closed", "CloseSent", "CloseReceived")),
        "terminate called after throwing an instance of 'boost::system::system_error'   what():  Broken pipe",
        # One that passes on another: Spring, Java, .NET.
        f"{SOCKJS}'h'; nested exception is java.io.IOException: Broken pipe",
        f"{SOCKJS}'h'",
        "java.util.concurrent.CompletionException: java.io.IOException: Broken pipe",
        "java.lang.RuntimeException: no answer Caused by: java.io.IOException: Connection reset by peer",
        "java.io.IOException: java.nio.channels.ClosedChannelException",
        "java.util.concurrent.ExecutionException: java.io.IOException: java.io.IOException: Broken pipe",
        f"System.AggregateException: One or more errors occurred. ---> {DOTNET} (0x80004005): {LOST}",
    ],
)
def test_an_error_of_a_connection_that_is_over(raised):
    """Whatever ended it: such an error comes of a timeout as of a close on purpose."""
    assert is_consequence(raised)


@pytest.mark.parametrize(
    "raised",
    [
        "KeyError: 'user'",
        "ValueError: the client disconnected is no state",
        "RuntimeError: dictionary changed size during iteration",
        "Error: connect ECONNREFUSED 127.0.0.1:5432",
        "panic: runtime error: index out of range [3]",
        "thread 'main' panicked at 'index out of bounds'",
        "TypeError: Cannot read properties of undefined",
        "Error: WebSocket is not open: readyState 0 (CONNECTING)",
        "RuntimeError: Expected ASGI message 'websocket.send', but got 'x'",
        # What a client that is there has sent.
        "WSMessageTypeError: Received message 2:b'a' is not WSMsgType.TEXT",
        "OSError: [Errno 28] No space left on device",
        # What stands behind the handler has gone, and not its own connection.
        "ServerDisconnectedError: Server disconnected",
        "ConnectionError: Connection closed by server.",
        "ClientOSError: [Errno 104] Connection reset by peer",
        "ReadError: [Errno 104] Connection reset by peer",
        "InterfaceError: connection is closed",
        "IncompleteReadError: 0 bytes read on a total of 4 expected bytes",
        "DisconnectionError: a raw connection",
        "SocketClosedUnexpectedlyError: Socket closed unexpectedly",
        "Error: Socket closed unexpectedly",
        'Exception in thread "pool-1" java.sql.SQLException: Connection reset',
        "java.sql.SQLException: Connection reset",
        f"{DOTNET}: {STATE.format('None')}",
        "java.util.concurrent.CompletionException: java.lang.NullPointerException: no user",
        # A service behind the handler may have lost its own connection.
        "org.example.RedisSystemException: x; nested exception is java.io.IOException: Broken pipe",
        "java.lang.RuntimeException: org.RedisException: y Caused by: java.io.IOException: Broken pipe",
    ],
)
def test_an_error_of_anything_else(raised):
    """It may have ended the connection."""
    assert not is_consequence(raised)


@pytest.mark.parametrize(
    ("raised", "is_over"),
    [
        ("kotlinx.coroutines.JobCancellationException: Parent job", True),
        ("okhttp3.internal.http2.StreamResetException: stream", True),
        ("InterfaceError: connection is closed", True),
        ("ServerDisconnectedError: Server", True),
        ("KeyError: 'closest'", False),
        ("ValueError: presets of a bureau", False),
        ("ValueError: the values are too close", False),
        # PostgreSQL's, of a statement that failed before.
        ("InFailedSQLTransactionError: current transaction is aborted, commands ignored", False),
        # Names in the code: those are mistakes in it.
        ("AttributeError: 'NoneType' object has no attribute 'close'", False),
        ("KeyError: 'cancelled_orders'", False),
        ("TypeError: Cannot read properties of undefined (reading 'reset')", False),
        ("TypeError: ws.disconnect is not a function", False),
        ("ReferenceError: closed is not defined", False),
        ("TypeError: reset is not a constructor", False),
        ("TypeError: cancel() missing 1 required positional argument: 'order'", False),
        ("panic: websocket: close 1006 (abnormal): unexpected EOF", True),
        ("panic: websocket: close sent", True),
        ("Error: connect ECONNREFUSED 127.0.0.1:5432", False),
        # What brought it about is a consequence.
        ("org.example.RedisSystemException: x; nested exception is java.io.IOException: Broken pipe", True),
        ("org.example.RedisSystemException: x; nested exception is java.io.IOException: no route", False),
        ("** (exit) {:shutdown, :peer_closed}", True),
    ],
)
def test_an_error_that_says_that_something_is_over(raised, is_over):
    """The connection, or what its handler needs: which of them, it does not say."""
    assert may_be_consequence(raised) is is_over


@pytest.mark.parametrize(
    "words",
    [
        "write ECONNABORTED", "connection was aborted", "the socket was closed", "socket already closed",
        "socket disconnected", "handler closed", "transport closed", "the stream is closed",
        "peer disconnected", "client is disconnected", "client was disconnected", "state closing",
        "alreadyclosed", "close handshake", "closing handshake", "read: reset by peer", "closing transport",
    ],
)  # fmt: skip
def test_each_word_for_a_connection_that_is_gone(words):
    """Behind the types that anything is raised with."""
    assert is_consequence(f"Exception: {words}")
    assert is_consequence(f"Unhandled Error: {words}")


@pytest.mark.parametrize(
    "word", ["closing", "closure", "close frame", "after close", "not open", "aborted", "gone", "ended"]
)
def test_each_word_for_what_may_be_over(word):
    assert may_be_consequence(f"Boom: {word}")


@pytest.mark.parametrize("head", ["Error: ", "x:1:in '"])
@pytest.mark.parametrize("unit", ["x:1:in '': ", ":1", "': ", "a", "a.", "Aa"])
def test_a_long_error_is_read_soon(head, unit):
    """Its length may be anything, as what a handler raised may quote a message of the peer."""
    raised = head + 10_000 * unit
    since = time.process_time()

    assert printed(0.0, raised).kind is (LineKind.RAISED if head == "Error: " else LineKind.SAID)
    assert not is_consequence(raised)
    assert not may_be_consequence(raised)
    assert time.process_time() - since < 1


def test_a_long_margin_is_read_soon():
    """As tables that a server prints have it."""
    since = time.process_time()

    assert printed(0.0, "|" * 40_000).kind is LineKind.SAID
    assert time.process_time() - since < 1

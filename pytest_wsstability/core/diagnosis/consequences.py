"""Errors that a handler gets because its connection is over: what ended that, they do not say."""

from __future__ import annotations

import re

# Those that are told by their type. A group of errors says less than those in it. What is behind the
# handler has some as well: a server that goes, a socket of redis in Node, a "disconnection" of SQLAlchemy.
_TYPES = re.compile(
    r"(?:[\w.]+\.)?(?:(?!Server)\w*Disconnect(?!ion)\w*|\w*ConnectionClosed\w*|"
    r"\w*[Ss]ocket(?:Is)?Closed(?!Unexpectedly)\w*|"
    r"\w*Connection(?:Reset|Aborted)\w*|BrokenPipeError|StreamClosedError|(?:Closed|Broken)ResourceError|"
    r"EndOfStream|ClosedChannelException|ClientAbortException|EOF(?:Error|Exception)|EofException|"
    r"CancelledError|(?:Base)?ExceptionGroup|SockJsTransportFailureException)\b|"
    # Of websockets, before the head of a frame; a service behind the handler reads other lengths.
    r"(?:[\w.]+\.)?IncompleteReadError: \d bytes read on a total of 2 expected|"
    # aiohttp's receive_str() where the peer closes, or this end has: opcode 8, and its own above 255.
    r"(?:[\w.]+\.)?WSMessageTypeError: Received message (?:8|25[678]):"
)
# Types that anything is raised with (a database, or a service behind a handler, has some of its own), and the
# words with which a connection that is gone refuses to be used.
_AT_LARGE = re.compile(
    r"(?:[\w.]+\.)?(?:Errno::\w+|Error|Exception|RuntimeError|OSError|IOError|IOException|SocketException|SSLError|"
    r"LocalProtocolError|UnexpectedMessageError|WebSocketE(?:rror|xception)|AggregateException|"
    r"(?:http: )?panic|thread '.*'(?: \(\d+\))? panicked|terminate called after throwing)\b"
)
_GONE = re.compile(
    r"broken pipe|\bepipe\b|\beconn(?:reset|aborted)\b|connection (?:was )?(?:reset|aborted)|reset by peer|"
    r"after sending 'websocket\.close'|once a (?:close|disconnect) message|closing transport|"
    r"socket (?:connection )?(?:is |was |has been |already )*"
    r"(?:not (?:open(?!: readyState [01])|connected)|clos\w+|dead|disconnected|ended)\b(?! unexpectedly)|"
    r"failed websocket|"
    r"(?:stream|handler|transport) (?:is |was )?(?:already )?(?:closed|destroyed)|"
    r"closed (?:network connection|stream)|(?:client|peer) (?:has |is |was )?disconnected|"
    r"state (?:\w+\.)?clos(?:ed|ing)|\b(?:connection|already)closed\b|withoutclosinghandshake|"
    r"clos(?:e|ing) handshake|after close notify|"
    # .NET.
    r"invalid state \('(?:aborted|closed|close(?:sent|received))'\)",
    re.IGNORECASE,
)
# What stands between an error and the one that brought it about: Spring, Java, .NET, or its type alone.
_CAUSED = re.compile(r"(?:; nested exception is| Caused by:| --->|:) (?=(?:\w+\.)+\w*(?:Error|Exception)\b)")
# Types that pass on another error of the connection; those of a service behind the handler may say more.
_PASSES_ON = re.compile(
    r"(?:[\w.]+\.)?(?:Completion|Execution|Aggregate|Runtime|(?:Unchecked)?IO|\w*(?:SockJs|WebSocket)\w*)Exception\b"
)
# What an error says that something is over which it needs: its connection, perhaps, or a service behind it.
_OVER = re.compile(
    r"\b(?:clos(?:ed|ing|ure)|close (?:sent|frame|\d{4})|after (?:close|end)|cancel\w*|"
    r"(?<!transaction is )abort\w*|dispos\w*|disconnect\w*|reset|gone|ended|hang up|"
    r"not (?:open|connected)|bad file descriptor)\b"
)
# How websockets quotes the close frame that came.
_RECEIVED = re.compile(r"\breceived (\d{4}) \(")
# A name in the code, which an error is about: "has no attribute 'close'", "reset() missing 1 argument".
_NAME = re.compile(r"['`][\w.]+['`]|\b\w+(?:\(\)| is not (?:defined|a (?:function|constructor))\b)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What stands before it where it is printed: the bar of a group's traceback, words of Node, .NET and Java.
_BEFORE = re.compile(
    r"^[\s|]*(?:uncaught |unhandled (?:exception[.:] )?|exception in thread \"[^\"]*\" )?", re.IGNORECASE
)
# Ruby prints the type last, behind the place and the words.
_OF_RUBY = re.compile(r"^\S+:\d+:in [`'][^']*': (?P<words>.*) \((?P<type>[A-Z]\w*(?:::\w+)*)\)$")


def is_consequence(raised: str) -> bool:
    """
    Whether an error is one that a handler gets because its connection is over.

    Args:
        raised: its type and its words.

    """
    *outer, own = _chain(raised)
    return _is_of_end(own) and all(_TYPES.match(each) or _PASSES_ON.match(each) for each in outer)


def closed_with(raised: str) -> int | None:
    """
    The code of the close frame that an error says had come; None where it quotes none.

    Args:
        raised: its type and its words: "ConnectionClosedError: received 1002 (protocol error); ...".

    """
    found = _RECEIVED.search(raised)
    return None if found is None else int(found[1])


def may_be_consequence(raised: str) -> bool:
    """
    Whether an error says that something is over, so that it may come of the end as well as bring it about.

    Args:
        raised: its type and its words.

    """
    if _is_of_end(_chain(raised)[-1]):
        return True
    text = _CAMEL.sub(" ", _NAME.sub("", raised)).replace("_", " ")
    return _OVER.search(text.casefold()) is not None


def _chain(raised: str) -> list[str]:
    """An error, that which brought it about, and so on."""
    return _CAUSED.split(_OF_RUBY.sub(r"\g<type>: \g<words>", _BEFORE.sub("", raised)))


def _is_of_end(text: str) -> bool:
    if _TYPES.match(text):
        return True
    return _AT_LARGE.match(text) is not None and _GONE.search(text) is not None

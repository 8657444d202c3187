"""Errors that a handler gets because its connection is over: what ended that, they do not say."""

from __future__ import annotations

import re

# Those that are told by their type. A group of errors says less than those in it; a server that goes is one
# behind the handler.
_TYPES = re.compile(
    r"(?:[\w.]+\.)?(?:(?!Server)\w*Disconnect\w*|\w*ConnectionClosed\w*|\w*[Ss]ocket(?:Is)?Closed\w*|"
    r"\w*Connection(?:Reset|Aborted)\w*|BrokenPipeError|StreamClosedError|(?:Closed|Broken)ResourceError|"
    r"EndOfStream|ClosedChannelException|ClientAbortException|EOF(?:Error|Exception)|EofException|"
    r"IncompleteReadError|CancelledError|(?:Base)?ExceptionGroup)\b|"
    # aiohttp's receive_str() where the peer closes, or this end has: opcode 8, and its own above 255.
    r"(?:[\w.]+\.)?WSMessageTypeError: Received message (?:8|25[678]):"
)
# Types that anything is raised with (a database, or a service behind a handler, has some of its own), and the
# words with which a connection that is gone refuses to be used.
_AT_LARGE = re.compile(
    r"(?:[\w.]+\.)?(?:Error|Exception|RuntimeError|OSError|IOError|IOException|SocketException|SSLError|"
    r"LocalProtocolError|UnexpectedMessageError|WebSocketError|(?:http: )?panic|thread '.*' panicked)\b"
)
_GONE = re.compile(
    r"broken pipe|\bepipe\b|\beconn(?:reset|aborted)\b|connection (?:was )?(?:reset|aborted)|reset by peer|"
    r"after sending 'websocket\.close'|once a (?:close|disconnect) message|closing transport|"
    r"socket (?:connection )?(?:is |was |has been |already )*"
    r"(?:not (?:open(?!: readyState [01])|connected)|clos\w+|dead|disconnected|ended)|failed websocket|"
    r"(?:stream|handler|transport) (?:is |was )?(?:already )?(?:closed|destroyed)|"
    r"closed (?:network connection|stream)|(?:client|peer) (?:has |is |was )?disconnected|"
    r"state (?:\w+\.)?clos(?:ed|ing)|\b(?:connection|already)closed\b|withoutclosinghandshake|"
    r"clos(?:e|ing) handshake|after close notify",
    re.IGNORECASE,
)
# What stands before it where it is printed: the bar of a group's traceback, a word of Node's.
_BEFORE = re.compile(r"^[\s|]*(?:uncaught |unhandled )?", re.IGNORECASE)


def is_consequence(raised: str) -> bool:
    """
    Whether an error is one that a handler gets because its connection is over.

    Args:
        raised: its type and its words.

    """
    text = _BEFORE.sub("", raised)
    if _TYPES.match(text):
        return True
    return _AT_LARGE.match(text) is not None and _GONE.search(text) is not None

"""Rows for what stood in the stream: bytes that are no frames, a frame that was refused, or one too big."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..timeline.close import TransportEnd
from .features import Features
from .signature import Blamed, Claim, Rival, Signature

HIGH = Confidence.HIGH


def _refused(f: Features) -> bool:
    """Whether this end's parser refused what came; a close frame that had come before says more."""
    close = f.close
    return close is not None and close.received is None and close.parser_error is not None


def _tls_failed(f: Features) -> bool:
    """Whether TLS failed before anybody had closed."""
    close = f.close
    if close is None or close.received is not None or close.sent is not None:
        return False
    return close.transport is TransportEnd.TLS_FAILED


def _refused_before_close(f: Features) -> bool:
    """Whether this end refused a message that stood before the peer's close frame in the same bytes."""
    close = f.close
    # What stands behind a close frame is no message, and is kept as the bytes that it is.
    return close is not None and bool(close.received_first and close.parser_error) and close.stray is None


_BINARY = "let the {peer} send bytes as binary messages, and cut no text inside of a character"
# A client fails the connection there, and reads no further (RFC 6455, section 7.1.7).
BEFORE_CLOSE = (
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, Confidence.MEDIUM, Blamed.PEER),
        shows="a message that is no text came in the same bytes as the close frame behind it",
        when=_refused_before_close,
        sentence="the {peer} sent as text what is no text, right before its close frame: {parser_error}",
        headline="text messages that are no UTF-8",
        evidence=("end", "parser"),
        remedy=_BINARY,
        rivals=(
            Rival(
                Cause.CLOSED_BY_PEER,
                "there is a close frame",
                lambda f: True,
                "its close frame says why the {peer} closed",
            ),
        ),
        source="RFC 6455, section 8.1",
    ),
)

ROWS = (
    Signature(
        claim=Claim(Cause.HANDLER_ERROR, Confidence.MEDIUM, Blamed.PEER),
        shows="an HTTP response with status 500 stood where a frame should",
        when=lambda f: f.code is None and f.stray.is_http_failure,
        sentence="{stray} stood in the stream that was a WebSocket already: the {peer}'s handler failed, and "
        "the HTTP server that runs it answered so",
        headline="the {peer}'s handler failed: {stray} in the stream",
        evidence=("stray", "end", "last_received"),
        remedy="see the {peer}'s traceback; catch what the handler raises, and close with 1011",
        runner_up=Cause.NO_FRAMES,
        source="measured: flask-sock under Werkzeug and gunicorn, Eventlet",
    ),
    Signature(
        claim=Claim(Cause.NO_FRAMES, HIGH, Blamed.PATH),
        shows="an HTTP response stood where a frame should",
        when=lambda f: f.code is None and f.stray.is_http,
        sentence="an HTTP response stood in the stream that was a WebSocket already: {stray}",
        headline="an HTTP response in the stream: {stray}",
        evidence=("stray", "end", "last_received"),
        remedy="a proxy or an HTTP server wrote it, and no WebSocket endpoint: look at the proxy's handling "
        "of upgrades, and at its request timeout",
        proved=True,
        source="reports (http-proxy-middleware 226), measured",
    ),
    Signature(
        claim=Claim(Cause.NO_FRAMES, HIGH, Blamed.PATH),
        shows="text stood where a frame should",
        when=lambda f: f.code is None and f.stray.is_text,
        sentence="bytes that are no frames stood in the stream of the WebSocket: {stray}",
        headline="bytes that are no frames: {stray}",
        evidence=("stray", "end", "last_received"),
        remedy="see which process behind this port, or on the path, writes such text",
        rivals=(
            Rival(
                Cause.PROTOCOL_ERROR,
                "the text looks like JSON, as messages are",
                lambda f: f.stray.is_json,
                "it looks like a message, so one of the {peer} whose head is wrong or lost (two tasks that "
                "write at once, a write that was cut short) fits too",
            ),
            Rival(
                Cause.PROTOCOL_ERROR,
                "bytes that are no text stand right behind it",
                lambda f: f.stray.runs_into_bytes,
                "no end of a line parts it from what follows, so the rest of a message whose head was wrong "
                "fits too",
            ),
        ),
        proved=True,
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.NO_FRAMES, HIGH, Blamed.PATH),
        shows="a record of TLS stood where a frame should",
        when=lambda f: f.code is None and f.stray.is_tls,
        sentence="a record of TLS stood in the stream of the WebSocket: somebody on the path speaks TLS "
        "inside of it, or once more than the {end} does",
        headline="a record of TLS in the stream",
        evidence=("stray", "end", "last_received"),
        remedy="see where TLS ends on the path (ws:// or wss:// to each hop)",
        proved=True,
        source="RFC 8446, section 5.1",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.PEER),
        shows="this end's parser refused a close frame, for its code or its reason",
        when=lambda f: _refused(f) and f.stray.close is not None,
        sentence="the {peer} closed, with a close frame that breaks the protocol ({parser_error}): "
        "{stray_close}",
        headline="a wrong close frame: {stray_close}",
        evidence=("end", "parser", "stray", "last_received"),
        remedy="see why the {peer} closes; {frame_remedy}",
        rivals=(
            Rival(
                Cause.CLOSED_BY_PEER,
                "there is a reason in it",
                lambda f: f.stray.close is not None and bool(f.stray.close.reason),
                "its reason says why it closed",
            ),
        ),
        source="reports (ws 1677, undici 3206)",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.PEER),
        shows="this end sent 1007: a text message was no text",
        when=lambda f: f.sent_code == 1007,
        sentence="the {peer} sent as text what is no text: {parser_error}",
        headline="text messages that are no UTF-8",
        evidence=("end", "parser", "last_received"),
        remedy=_BINARY,
        source="reports (gorilla/websocket 184, k8s-client-go 2)",
    ),
    Signature(
        claim=Claim(Cause.PROTOCOL_ERROR, HIGH, Blamed.PEER),
        shows="this end sent 1002: its parser refused what came",
        when=lambda f: _refused(f) and f.sent_code != 1009,
        sentence="the {peer}, or something on the path, sent what breaks the protocol: {parser_error}",
        headline="frames that break the protocol",
        evidence=("end", "parser", "stray", "last_received"),
        remedy="{frame_remedy}",
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.MESSAGE_TOO_BIG, HIGH, Blamed.PEER),
        shows="this end sent 1009: a message was over its max_size",
        when=lambda f: f.sent_code == 1009,
        sentence="the {peer} sent a message over the {end}'s limit: {parser_error}",
        headline="a message over the {end}'s max_size",
        evidence=("end", "parser"),
        remedy="let the {peer} send smaller messages, or raise max_size at the {end}",
        source="measured",
    ),
    Signature(
        claim=Claim(Cause.NO_FRAMES, Confidence.MEDIUM, Blamed.PATH),
        shows="TLS failed at this end, in the open connection",
        when=_tls_failed,
        sentence="TLS of the open connection failed at the {end}: {transport_error}",
        headline="TLS failed in the open connection",
        evidence=("end", "last_received"),
        remedy="see who on the path writes plain text into TLS, or changes bytes; an alert in the words of "
        "the failure is the {peer}'s, and its log says why",
        proved=True,
        source="measured: plain text, and a changed record",
    ),
)

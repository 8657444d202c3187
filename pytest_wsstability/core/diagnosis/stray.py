"""What stood in the stream where a frame should: read from its bytes, not from a parser's words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..redact import redact_text, show_text
from ..timeline.close import VALID_CLOSE_CODES, CloseFrame, may_be_sent

# Bytes that are all printable are text from so many on: of a frame, the first is not, but by accident.
_TEXT = 8
# RFC 6455, section 5.2: the bits and fields of the first two bytes, a length with the bit of a mask before
# it; section 5.5: the limit of a control frame.
_RESERVED, _OPCODE, _LENGTH = 0x70, 0x0F, 0x7F
_CONTROL = 0x8
_LONGEST_CONTROL = 125
# A close frame, which is never in fragments; the bytes of a mask.
_CLOSE, _FINAL, _MASK = 0x8, 0x80, 4
# RFC 6455, section 7.4.1: what an end reports where no code came, no close frame, or no TLS handshake.
_NEVER_SENT = frozenset({1005, 1006, 1015})
# Where a length of two or of eight bytes ends, and the least that it is for.
_FIELDS = {126: (4, 126), 127: (10, 2**16)}
_OPCODES = frozenset({0x0, 0x1, 0x2, 0x8, 0x9, 0xA})
_TEXT_RUN = re.compile(rb"[\t\r\n -~]*")
_HTTP = b"HTTP/"
# Of WSGI servers, whose handlers take the socket of a request; proxies answer 502 or 504.
_FAILED = re.compile(rb"HTTP/1\.[01] 500\b")
_JSON = frozenset({b"{", b"[", b'"', b",", b":"})
_CONTINUATION = 0x0
# Types of TLS records: change_cipher_spec, alert, handshake, application_data.
_TLS_TYPES = frozenset({20, 21, 22, 23})
# RFC 1952, section 2.3.1, and RFC 9112, section 7.1.
_GZIP = b"\x1f\x8b"
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,6}\r\n")
_WRONG = "the {} writes wrong frames: see its library's version, and what is between the ends"
# Characters of it that a sentence shows.
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Stray:
    """The first bytes of something that is no frame, or a wrong one; empty where there was no such thing."""

    data: bytes = b""

    @property
    def is_text(self) -> bool:
        """Whether it begins with text rather than a frame, and not with a chunk: frames may follow."""
        return len(self._text.strip(b"\n")) >= _TEXT and not _CHUNK.match(self.data)

    @property
    def runs_into_bytes(self) -> bool:
        """Whether it is text that no end of a line parts from what follows, as a message and a frame are."""
        return self.is_text and len(self._text) < len(self.data) and self._text[-1:] != b"\n"

    @property
    def _text(self) -> bytes:
        """What it begins with as far as that is text."""
        run = _TEXT_RUN.match(self.data)
        return run[0] if run else b""

    @property
    def is_json(self) -> bool:
        """Whether it begins as JSON, or what may be a part of it, does."""
        return self.data[:1] in _JSON

    @property
    def is_http(self) -> bool:
        """Whether it begins as an HTTP response does (RFC 9112, section 4)."""
        return self.data[: len(_HTTP)] == _HTTP

    @property
    def may_be_http(self) -> bool:
        """The same, of bytes that may be the first ones only."""
        return self.data[: len(_HTTP)] == _HTTP[: len(self.data)]

    @property
    def is_http_failure(self) -> bool:
        """Whether that response says that its server failed, as one does whose handler raised."""
        return _FAILED.match(self.data) is not None

    @property
    def line(self) -> str:
        """Its first line, shortened."""
        text = self._text.lstrip() if self.is_text else self.data
        return show_text(text.split(b"\n")[0].decode("latin-1").strip(), _SHOWN)

    @property
    def shown(self) -> str:
        """Its first bytes and its first line; bytes that may be a secret only as what masks them."""
        text = self.data.decode("latin-1")
        return f"{self.data[:16].hex(' ')} ({self.line})" if redact_text(text) == text else self.line

    @property
    def is_tls(self) -> bool:
        """Whether it begins as a record of TLS does (RFC 8446, section 5.1)."""
        head = self.data[:3]
        return len(head) == 3 and head[0] in _TLS_TYPES and head[1] == 3 and head[2] <= 4

    @property
    def close(self) -> CloseFrame | None:
        """What it says as a close frame, whatever is wrong with it; None where it is none, or has no code."""
        if len(self.data) < 2 or self.data[0] != _FINAL | _CLOSE:
            return None
        length = self.data[1] & _LENGTH
        body = self.data[_FIELDS.get(length, (2, 0))[0] :]
        if self.data[1] > _LENGTH:
            mask, body = body[:_MASK], body[_MASK:]
            body = bytes(byte ^ mask[at % _MASK] for at, byte in enumerate(body))
        if len(body) < 2:
            return None
        return CloseFrame(int.from_bytes(body[:2], "big"), body[2:].decode(errors="replace"))

    @property
    def _has_long_length(self) -> bool:
        """Whether the length of the frame that it would be stands in more bytes than it needs."""
        stop, least = _FIELDS.get(self.data[1] & _LENGTH, (0, 0))
        field = self.data[2:stop]
        return len(field) == stop - 2 and int.from_bytes(field, "big") < least

    def remedy(self, end: str, peer: str) -> str:
        """What to look at, going by the head of the frame that it would be."""
        if len(self.data) < 2:
            return f"see what the {peer} wrote, byte by byte (its log, or a capture)"
        if self.data[: len(_GZIP)] == _GZIP:
            return "a proxy compresses the stream as it does HTTP (gzip): exclude WebSockets from that"
        if _CHUNK.match(self.data):
            return "a proxy puts the stream into chunks of HTTP: let it pass an upgraded connection whole"
        first, second = self.data[0], self.data[1]
        opcode = first & _OPCODE
        if first & _RESERVED:
            return (
                "test again with compression off: what goes away then is permessage-deflate of the "
                f"{peer} or of a proxy; else the {peer} writes wrong frames"
            )
        if opcode not in _OPCODES:
            return (
                f"the {peer} writes opcode {opcode:#x}, which means nothing (RFC 6455, section 5.2): where "
                "it comes now and then, two tasks of it write at once; let one of them write, or take a lock"
            )
        if opcode >= _CONTROL and (second & _LENGTH) > _LONGEST_CONTROL:
            return f"let the {peer} write control frames of 125 bytes at most (RFC 6455, section 5.5)"
        if (second > _LENGTH) is (end == "client"):
            return f"the {peer}, or a proxy, takes the wrong role: it masks wrongly (RFC 6455, section 5.1)"
        if self._has_long_length:
            return f"let the {peer} write lengths in as few bytes as they need (RFC 6455, section 5.2)"
        if opcode == _CONTINUATION:
            return f"a fragment came that continues nothing: see what the {peer}, or a proxy, left out"
        if self.close is not None:
            return _remedy_of_close(self.close, peer)
        if opcode < _CONTROL:
            return (
                f"if a message began inside another: two tasks of the {peer} write at once, and messages may "
                "not be mixed (RFC 6455, section 5.4): let one of them write, or take a lock; else see its "
                "library's version"
            )
        return _WRONG.format(peer)


def _remedy_of_close(close: CloseFrame, peer: str) -> str:
    """What to look at where a close frame was refused whose head is right."""
    if close.code in _NEVER_SENT:
        return (
            f"{close.code} may not be sent (RFC 6455, section 7.4.1): a proxy that sends it passes on what "
            "its library reports of the connection behind it: see what ended that one"
        )
    if not may_be_sent(close.code):
        return f"{close.code} may not be sent: let the {peer} close with one of {VALID_CLOSE_CODES}"
    if close.reason:
        return f"let the {peer} write its reason in UTF-8, in 123 bytes at most, and cut no character of it"
    return _WRONG.format(peer)


NOTHING_STRAY = Stray()

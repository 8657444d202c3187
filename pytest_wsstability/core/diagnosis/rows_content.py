"""Rows for what was said: a parser that refused a frame, or a message that was too big."""

from __future__ import annotations

from ..cause import Cause, Confidence
from .signature import Blamed, Signature

HIGH = Confidence.HIGH


ROWS = (
    Signature(
        cause=Cause.PROTOCOL_ERROR,
        shows="this end sent 1002 or 1007: its parser refused what came",
        when=lambda f: f.close is not None and f.close.parser_error is not None and f.sent_code != 1009,
        confidence=HIGH,
        sentence="the {peer}, or something on the path, sent what breaks the protocol: {parser_error}",
        headline="frames that break the protocol",
        blame=Blamed.PEER,
        evidence=("end", "parser", "last_received"),
        remedy="test again with compression off: what goes away then is permessage-deflate of the "
        "{peer} or of a proxy; else the {peer} writes wrong frames",
        source="measured",
    ),
    Signature(
        cause=Cause.MESSAGE_TOO_BIG,
        shows="this end sent 1009: a message was over its max_size",
        when=lambda f: f.sent_code == 1009,
        confidence=HIGH,
        sentence="the {peer} sent a message over the {end}'s limit: {parser_error}",
        headline="a message over the {end}'s max_size",
        blame=Blamed.PEER,
        evidence=("end", "parser"),
        remedy="let the {peer} send smaller messages, or raise max_size at the {end}",
        source="measured",
    ),
    Signature(
        cause=Cause.MESSAGE_TOO_BIG,
        shows="1009 was received",
        when=lambda f: f.code == 1009,
        confidence=HIGH,
        sentence="the {end} sent a message over the {peer}'s limit (the largest on record: {largest})",
        headline="a message over the {peer}'s size limit",
        blame=Blamed.SELF,
        evidence=("end", "largest"),
        remedy="send smaller messages, or raise the {peer}'s limit (max_size, ws_max_size, maxPayload, "
        "SetReadLimit)",
        source="measured",
    ),
    Signature(
        cause=Cause.PROTOCOL_ERROR,
        shows="1002, 1003, 1007 or 1010 was received: the peer refused what this end sent",
        when=lambda f: f.code in (1002, 1003, 1007, 1010),
        confidence=HIGH,
        sentence="the {peer} refused what it got from the {end}: {code}",
        headline="the {peer} refused a frame of the {end}",
        blame=Blamed.SELF,
        evidence=("end", "last_sent"),
        remedy="test again with compression off; look for a proxy that changes frames",
        source="measured",
    ),
)

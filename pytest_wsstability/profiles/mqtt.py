"""
MQTT 3.1.1 and 5 over WebSocket: a stream of packets in binary frames.

Client: ``CONNECT`` with its client id and keep-alive. Server: ``CONNACK``. The client sends ``PINGREQ``
when it has said nothing for the keep-alive (the server's word counts in version 5), and ``PINGRESP``
answers it. The client id is the session's name; ``mqtt(clean=False)`` comes back to it. Where a client leaves
it empty, the broker makes one up, and says so in version 5.

"""

from __future__ import annotations

import math
import uuid
from collections.abc import Callable

from ..core.secret_values import SECRETS
from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, Intervals, ProtocolTimer
from .messages import Codec
from .placeholders import Unwritable, Values
from .profile import Profile
from .records import TooLong

# The first byte of a packet, and the level that stands in CONNECT.
CONNECT, CONNACK, DISCONNECT = 0x10, 0x20, 0xE0
PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 0x30, 0x40, 0x50, 0x60, 0x70
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 0x80, 0x90, 0xA0, 0xB0
V3, V5 = 4, 5
# Reason codes of a DISCONNECT that say no fault of the client: normal, busy, shutting down, by an order,
# another server, moved, too old (MQTT 5, section 3.14.2.1).
_GOING = frozenset({0x00, 0x89, 0x8B, 0x98, 0x9C, 0x9D, 0xA0})
# What others say, in the words of the same section.
_WRONG = {
    0x80: "unspecified error", 0x81: "malformed packet", 0x82: "protocol error",
    0x83: "implementation specific error", 0x87: "not authorized", 0x8D: "keep alive timeout",
    0x8E: "session taken over", 0x8F: "topic filter invalid", 0x90: "topic name invalid",
    0x93: "receive maximum exceeded", 0x94: "topic alias invalid", 0x95: "packet too large",
    0x96: "message rate too high", 0x97: "quota exceeded", 0x99: "payload format invalid",
    0x9A: "retain not supported", 0x9B: "QoS not supported", 0x9E: "shared subscriptions not supported",
    0x9F: "connection rate exceeded", 0xA1: "subscription identifiers not supported",
    0xA2: "wildcard subscriptions not supported",
}  # fmt: skip
# Properties of version 5 that are looked at: the interval that the server wants, how long it keeps a session,
# the words of a broker for what was wrong.
SERVER_KEEP_ALIVE, SESSION_EXPIRY, REASON_STRING = 0x13, 0x11, 0x1F
# What a broker calls a client that has left that to it.
ASSIGNED_CLIENT_ID = 0x12
# How many bytes the properties of a CONNACK have, by their numbers; text has its length in two bytes before
# it (MQTT 5, sections 2.2.2.2 and 3.2.2.3).
_SIZES = {
    0x11: 4, 0x13: 2, 0x21: 2, 0x22: 2, 0x24: 1, 0x25: 1, 0x27: 4, 0x28: 1, 0x29: 1, 0x2A: 1,
}  # fmt: skip
_TEXTS = frozenset({0x12, 0x15, 0x16, 0x1A, 0x1C, 0x1F})
_PAIR = 0x26


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The packets in what has come; MQTT 5, section 2.1.4: how long they are."""
    found: list[bytes] = []
    while True:
        size, used = _length(data[1:5])
        if size is None or len(data) < 1 + used + size:
            return found, data
        found.append(data[: 1 + used + size])
        data = data[1 + used + size :]


def _length(data: bytes) -> tuple[int | None, int]:
    """A number in one to four bytes, and how many; None where more have to come."""
    size = 0
    for index, byte in enumerate(data):
        size |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return size, index + 1
    if len(data) == 4:
        raise TooLong("a length of more than four bytes")
    return None, len(data)


def _sized(body: bytes) -> bytes:
    """Bytes behind their number."""
    size, length = len(body), bytearray()
    while True:
        size, byte = size >> 7, size & 0x7F
        length.append(byte | (0x80 if size else 0))
        if not size:
            return bytes(length) + body


def _packet(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + _sized(body)


def _body(message: str | bytes, kind: int) -> bytes | None:
    if isinstance(message, str) or not message or message[0] & 0xF0 != kind:
        return None
    return message[1 + _length(message[1:5])[1] :]


def _text(value: str) -> bytes:
    try:
        data = value.encode()
    except UnicodeEncodeError as exc:
        raise Unwritable(f"{value!r} cannot be sent in binary: {exc.reason}") from None
    if len(data) > 0xFFFF:
        raise Unwritable(f"{value[:40]!r}... has {len(data)} bytes; at most 65535 can be sent")
    return len(data).to_bytes(2) + data


def _read_connect(message: str | bytes) -> Values | None:
    body = _body(message, CONNECT)
    if body is None or body[:6] not in (b"\0\x04MQTT", b"\0\x06MQIs"):
        return None
    after = 2 + int.from_bytes(body[:2])
    level, flags, keep_alive = body[after], body[after + 1], int.from_bytes(body[after + 2 : after + 4])
    rest = body[after + 4 :]
    if level == V5:
        size, used = _length(rest[:4])
        rest = rest[used + (size or 0) :]
    name = rest[2 : 2 + int.from_bytes(rest[:2])].decode()
    # MQTT 3.1.1, section 3.1.3.1: it may be empty.
    return {
        "session_id": name or f"auto-{uuid.uuid4()}", "assigned": not name, "interval": float(keep_alive),
        "level": level, "clean": bool(flags & 2),
    }  # fmt: skip


def _read_connack(message: str | bytes) -> Values | None:
    body = _body(message, CONNACK)
    if body is None or len(body) < 2 or body[1] != 0:
        return None
    values: Values = {"present": bool(body[0] & 1)}
    keep_alive = _property(body[2:], SERVER_KEEP_ALIVE)
    if keep_alive is not None:
        values["keep_alive"] = float(int.from_bytes(keep_alive))
    return values


def _property(data: bytes, wanted: int) -> bytes | None:
    """A property of version 5; None where it does not stand."""
    size, used = _length(data[:4])
    data = data[used : used + (size or 0)]
    while data:
        kind = data[0]
        if kind in _TEXTS:
            length = 2 + int.from_bytes(data[1:3])
        elif kind == _PAIR:
            first = 2 + int.from_bytes(data[1:3])
            length = first + 2 + int.from_bytes(data[1 + first : 3 + first])
        else:
            length = _SIZES.get(kind, len(data))
        if kind == wanted:
            return data[1 : 1 + length]
        data = data[1 + length :]
    return None


def agree(client: Values, server: Values) -> Intervals:
    """MQTT 5, section 3.2.2.3.14: what the server names counts, else what the client promises; 0 is none."""
    every = server.get("keep_alive", client.get("interval"))
    return Intervals(client=every or None, timeout=every / 2 if every else None)


def _refused(message: str | bytes) -> Values | None:
    body = _body(message, CONNACK)
    return None if body is None or len(body) < 2 or body[1] == 0 else {"code": body[1]}


def _connack(level: int, code: int) -> Callable[[Values], bytes]:
    def write(values: Values) -> bytes:
        present = bool(values.get("present")) and not values.get("clean", True)
        name = bytes([ASSIGNED_CLIENT_ID]) + _text(values["session_id"]) if values.get("assigned") else b""
        properties = _sized(name) if values.get("level", level) == V5 else b""
        return _packet(CONNACK, bytes([present, code]) + properties)

    return write


_TIMERS = (
    ProtocolTimer(
        name="MQTT's keep-alive",
        by=End.SERVER,
        awaits=Awaited.MESSAGE,
        intervals=1.5,
        code=1006,
        also=(1000,),
        words=("MQTT died",),
        remedy="send PINGREQ (or anything) within the keep-alive that CONNECT promises",
        source="aedes 1.2.0 measured (mosquitto 2.0.11 later, RabbitMQ 3.10.8 after 3 with 1000)",
    ),
    ProtocolTimer(
        name="the broker's wait for CONNECT",
        by=End.SERVER,
        awaits=Awaited.SESSION,
        seconds=30,
        code=1006,
        also=(1000,),
        remedy="send CONNECT right after the opening",
        source="aedes 1.2.0 measured (RabbitMQ 3.10.8: 60 s, mosquitto never)",
    ),
    ProtocolTimer(
        name="the client's keep-alive timeout",
        by=End.CLIENT,
        awaits=Awaited.ANSWER,
        seconds=30,
        code=1006,
        remedy="answer PINGREQ with PINGRESP within half a keep-alive",
        source="mqtt 5.16.0 (npm), measured; paho-mqtt 2.2.0 after a whole one",
    ),
)


# aedes and web_mqtt of RabbitMQ 3.10 speak 3.1.1 only.
_PROVED = (
    "mqtt 5.16 (npm, client)", "mosquitto 2.0 (server)", "aedes 1.2 (server)",
    "RabbitMQ 3.10 web_mqtt (server)",
)  # fmt: skip


def _goes(message: str | bytes) -> bool:
    """Whether a broker says that it goes, or sends the client elsewhere, and not what was wrong."""
    body = _body(message, DISCONNECT)
    # Without a reason code it is 0.
    return body is not None and (body[:1] or b"\0")[0] in _GOING


def _went_wrong(message: str | bytes) -> Values | None:
    """What a broker says was wrong when it ends a connection: its reason code in words, and its own words."""
    body = _body(message, DISCONNECT) or b""
    if body[:1] == b"" or (name := _WRONG.get(body[0])) is None:
        return None
    told = (_property(body[1:], REASON_STRING) or b"")[2:].decode(errors="replace")
    return {"said": f"DISCONNECT {body[0]:#x}, {name}{told and ': '}{told}"}


def _reply(message: str | bytes, began: Values) -> bytes | None:
    """What a broker acknowledges: subscriptions, and messages of quality of service 1 and 2."""
    if isinstance(message, str) or not message:
        return None
    kind = message[0] & 0xF0
    body = _body(message, kind) or b""
    if kind == PUBLISH:
        quality, after = message[0] >> 1 & 3, 2 + int.from_bytes(body[:2])
        return _packet(PUBACK if quality == 1 else PUBREC, body[after : after + 2]) if quality else None
    number, rest = body[:2], body[2:]
    if kind == PUBREL:
        return _packet(PUBCOMP, number)
    if kind not in (SUBSCRIBE, UNSUBSCRIBE):
        return None
    is_5, subscribes = began.get("level") == V5, kind == SUBSCRIBE
    if is_5:
        size, used = _length(rest[:4])
        rest = rest[used + (size or 0) :]
    codes = _codes(rest, subscribes=subscribes) if is_5 or subscribes else b""
    return _packet(SUBACK if subscribes else UNSUBACK, number + b"\0" * is_5 + codes)


def _codes(filters: bytes, *, subscribes: bool) -> bytes:
    """For each topic filter the quality of service that was asked for, or 0 where it is given up."""
    codes = bytearray()
    while filters:
        after = 2 + int.from_bytes(filters[:2])
        codes.append((filters[after : after + 1] or b"\0")[0] & 3 if subscribes else 0)
        filters = filters[after + subscribes :]
    return bytes(codes)


def _came_back(message: str | bytes) -> Values | None:
    values = _read_connack(message)
    return None if values is None else {**values, "resumed": values["present"]}


def mqtt(
    *,
    version: int = V3,
    clean: bool = True,
    keep_alive: float = 60,
    username: str | None = None,
    password: str | None = None,
    name: str | None = None,
) -> Profile:
    """
    MQTT for one broker.

    Args:
        version: 4 for 3.1.1, 5 for 5.
        clean: begin a new session; False comes back to the one of the same client id, which the broker keeps.
        keep_alive: seconds, which the client promises.
        username, password: who connects; None sends none.
        name: of the profile.

    Raises:
        ValueError: for another version.

    """
    # Whole: in the bytes of a CONNECT nothing tells where it begins.
    SECRETS.take("password", password or "", secret=True)
    if version not in (V3, V5):
        raise ValueError(f"version: {version!r}; valid ones: 4 (3.1.1) and 5")

    def connect(values: Values) -> bytes:
        flags = (0x02 if clean else 0) | (0x80 if username else 0) | (0x40 if password else 0)
        # An hour, so that a session outlives its connection.
        expiry = b"" if clean else bytes([SESSION_EXPIRY]) + (3600).to_bytes(4)
        properties = _sized(expiry) if version == V5 else b""
        # In whole seconds, and 0 would promise nothing.
        interval = math.ceil(values.get("interval") or 0).to_bytes(2)
        body = _text("MQTT") + bytes([version, flags]) + interval + properties + _text(values["session_id"])
        return _packet(CONNECT, body + b"".join(_text(each) for each in (username, password) if each))

    unauthorized = 0x87 if version == V5 else 5
    return Profile(
        name=name or ("mqtt" if version == V3 else "mqtt5"),
        title="MQTT 3.1.1" if version == V3 else "MQTT 5",
        specification="https://docs.oasis-open.org/mqtt/mqtt/"
        + ("v3.1.1/os/mqtt-v3.1.1-os.html" if version == V3 else "v5.0/mqtt-v5.0.html"),
        session_info=Codec(_read_connect, connect, ("session_id", "interval")),
        session_confirmed=Codec(_read_connack if clean else _came_back, _connack(version, 0)),
        session_refused=Codec(_refused, _connack(version, unauthorized)),
        notice=Codec(_goes, b"\xe0\x02\x8b\x00"),
        error=Codec(_went_wrong, b"\xe0\x02\x80\x00") if version == V5 else None,
        goodbye=Codec(lambda message: _body(message, DISCONNECT) is not None, b"\xe0\x00"),
        reply=_reply,
        # As mosquitto and aedes (measured); RabbitMQ closes with 1000.
        goodbye_code=1006,
        ping=b"\xc0\x00",
        pong=b"\xd0\x00",
        interval=keep_alive,
        agree=agree,
        timeout=keep_alive / 2,
        records=split,
        subprotocols=("mqtt",),
        timers=_TIMERS,
        proved_with=_PROVED if version == V3 else _PROVED[:2],
    )


MQTT = mqtt()
MQTT5 = mqtt(version=V5)

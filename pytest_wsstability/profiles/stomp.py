"""
STOMP 1.2 over WebSocket: both ends agree on how often each sends a line feed.

Client: ``CONNECT`` with what it can send and wants to get (``heart-beat``). Server: ``CONNECTED`` with
the same and the ``session``. Then each end sends a line feed at the interval that both agree on, which
nobody answers. An ``ERROR`` refuses. ``DISCONNECT`` is answered with the ``RECEIPT`` that it asks for. Each
connection is a session of its own. With a login: ``stomp(login="guest", passcode="guest")``.

"""

from __future__ import annotations

import math
import re

from ..core.timeline.events import End
from ..core.timeline.protocol_facts import Awaited, Intervals, ProtocolTimer
from .messages import Codec
from .placeholders import Values
from .profile import Profile

_ESCAPES = {"\\r": "\r", "\\n": "\n", "\\c": ":", "\\\\": "\\"}
_ESCAPED = re.compile(r"\\[rnc\\]")


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The frames in what has come; a line feed alone is a heartbeat, one behind a frame is none."""
    if not data.strip(b"\r\n"):
        return [b"\n"] if data else [], b""
    *frames, rest = data.split(b"\0")
    found = [frame.lstrip(b"\r\n") for frame in frames]
    # STOMP 1.2: a frame may be followed by line ends.
    return found, rest.lstrip(b"\r\n") if found else rest


def frame(command: str, **headers: str) -> str:
    """The text of a frame without a body."""
    lines = [f"{name.replace('_', '-')}:{value}" for name, value in headers.items()]
    return "\n".join([command, *lines, "", "\0"])


def headers(message: str | bytes, command: str) -> dict[str, str] | None:
    """The header fields of a frame; None if it has another command."""
    text = message.decode("utf-8", "replace") if isinstance(message, bytes) else message
    first, *lines = text.replace("\r\n", "\n").partition("\n\n")[0].split("\n")
    if first != command:
        return None
    fields = (line.partition(":") for line in lines)
    found: dict[str, str] = {}
    for name, _, value in fields:
        # STOMP 1.2: the first of several counts.
        found.setdefault(name, _unescape(value))
    return found


def _unescape(value: str) -> str:
    # In one go: of two backslashes and a "c" the first two are one.
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], value)


def _escape(value: str) -> str:
    # The backslash first: it stands in the others.
    for written, meant in reversed(_ESCAPES.items()):
        value = value.replace(meant, written)
    return value


def _heart_beat(fields: dict[str, str]) -> Values:
    """What the sender can send, and what it wants to get, in seconds; 0 for nothing."""
    sends, _, wants = fields.get("heart-beat", "0,0").partition(",")
    return {"sends": _seconds(sends), "wants": _seconds(wants)}


def _seconds(milliseconds: str) -> float:
    """An interval; what is none is too long for one, and so told as the sender's."""
    text = milliseconds.strip()
    return float(text) / 1000 if text.isdecimal() else math.inf


def _written(values: Values) -> str:
    every = round((values.get("interval") or 0) * 1000)
    return f"{every},{every}"


def agree(client: Values, server: Values) -> Intervals:
    """STOMP 1.2, "Heart-beating": the larger of what one can send and the other one wants; 0 means none."""
    can, wanted = _pair(client), _pair(server)
    from_client = max(can[0], wanted[1]) if can[0] and wanted[1] else None
    from_server = max(wanted[0], can[1]) if wanted[0] and can[1] else None
    return Intervals(from_client, from_server)


def _pair(values: Values) -> tuple[float, float]:
    own: float = values.get("interval", 0.0)
    return float(values.get("sends", own)), float(values.get("wants", own))


def _read_connect(message: str | bytes) -> Values | None:
    fields = headers(message, "CONNECT") or headers(message, "STOMP")
    return None if fields is None else _heart_beat(fields)


def _read_connected(message: str | bytes) -> Values | None:
    fields = headers(message, "CONNECTED")
    if fields is None:
        return None
    return {"session_id": fields.get("session"), **_heart_beat(fields)}


def _read_disconnect(message: str | bytes) -> Values | None:
    fields = headers(message, "DISCONNECT")
    return None if fields is None else {"receipt": fields.get("receipt")}


def _write_receipt(values: Values) -> str | None:
    """Nothing for a client that asks for none."""
    asked = values.get("receipt")
    return None if asked is None else frame("RECEIPT", receipt_id=_escape(asked))


def _reply(message: str | bytes, began: Values) -> str | None:
    """The receipt that any frame may ask for."""
    text = message if isinstance(message, str) else message.decode("utf-8", "replace")
    return _write_receipt(headers(text, text.partition("\n")[0].rstrip("\r")) or {})


_TIMERS = (
    ProtocolTimer(
        name="the broker's heart-beat tolerance",
        by=End.SERVER,
        awaits=Awaited.MESSAGE,
        intervals=3.0,
        code=1000,
        reason="STOMP died",
        also=(1006,),
        words=("STOMP died",),
        remedy="send a line feed at the interval that was agreed on, or agree on a longer one",
        source="RabbitMQ 3.10.8 web_stomp, measured",
    ),
    ProtocolTimer(
        name="the client's heart-beat tolerance",
        by=End.CLIENT,
        awaits=Awaited.MESSAGE,
        intervals=2.0,
        code=1005,
        remedy="send a line feed at the interval that was agreed on",
        source="@stomp/stompjs 7.5.0, measured",
    ),
)


def stomp(
    *, host: str = "/", login: str | None = None, passcode: str | None = None, name: str = "stomp"
) -> Profile:
    """
    STOMP for one broker.

    Args:
        host: the virtual host.
        login, passcode: who connects; None sends none.
        name: of the profile.

    """

    def connect(values: Values) -> str:
        who = {"login": login, "passcode": passcode}
        given = {field: value for field, value in who.items() if value is not None}
        return frame("CONNECT", accept_version="1.2", host=host, heart_beat=_written(values), **given)

    def connected(values: Values) -> str:
        session = values.get("session_id") or ""
        return frame("CONNECTED", version="1.2", session=session, heart_beat=_written(values))

    return Profile(
        name=name,
        title="STOMP 1.2",
        specification="https://stomp.github.io/stomp-specification-1.2.html",
        session_info=Codec(_read_connect, connect, ("interval",)),
        session_confirmed=Codec(_read_connected, connected, ("session_id", "interval")),
        error=Codec(lambda message: headers(message, "ERROR") is not None, frame("ERROR", message="refused")),
        reply=_reply,
        goodbye=Codec(_read_disconnect, frame("DISCONNECT", receipt="goodbye")),
        goodbye_answer=Codec(lambda message: headers(message, "RECEIPT") is not None, _write_receipt),
        ping="\n",
        heartbeats_from="both",
        interval=10,
        agree=agree,
        records=split,
        subprotocols=("v12.stomp",),
        timers=_TIMERS,
        proved_with=("@stomp/stompjs 7.5 (client)", "RabbitMQ 3.10 web_stomp (server)"),
    )


STOMP = stomp()

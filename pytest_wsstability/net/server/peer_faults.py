"""What faults of the peer make a server do: one small function a fault, found by its class."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ...core.faults import (
    AcceptThenClose,
    BadUtf8,
    CloseWith,
    EmptyClose,
    Fault,
    Flood,
    FreezeLoop,
    HandlerError,
    IgnoreClose,
    InvalidCloseCode,
    Malformation,
    Malformed,
    MaskedFrame,
    Oversize,
    Program,
    RefuseUpgrade,
    Restart,
    Step,
    StopReading,
    WithholdPongs,
)
from ...core.timeline.close import CloseFrame, LocalReason
from ...core.timeline.events import FRAME_OPCODES, Opcode, Role
from ..websocket import FIN
from ..wire import frame
from .connection_log import ConnectionLog
from .freezing import Freeze
from .protocol_faults import PROTOCOL, Misbehaving

if TYPE_CHECKING:
    from websockets.http11 import Response
    from websockets.server import ServerProtocol

    from ..websocket import WebSocket

# A flood is sent in so many bursts a second at most.
_BURSTS = 100.0


class PeerFaults:
    """
    The faults of one server.

    Args:
        program: what is done to each connection, and when; the part that is done to the link is another's.
        log: who is there.
        restart: takes the server down for so many seconds.

    """

    def __init__(self, program: Program, log: ConnectionLog, restart: Callable[[float], object]) -> None:
        self._program = program.peer
        # The number of the first connection that is counted.
        self._first = 0
        self.freeze = Freeze()
        self._log = log
        self._restart = restart

    def on_upgrade(self, number: int) -> tuple[Step, ...]:
        """What is done to the connection with this number, counted from 0."""
        return self._program.steps if self._program.applies_to(number - self._first) else ()

    def change(self, program: Program) -> None:
        """Do this to the connections that come from now on, and count them anew."""
        self._program = program
        self._first = self._log.count

    def apply(self, side: Misbehaving, websocket: WebSocket, fault: Fault) -> None:
        """Do it to an open connection."""
        assert websocket.timeline is not None
        websocket.timeline.fault_applied(websocket.loop.time(), fault.name)
        if fault.is_loss:
            everybody = isinstance(fault, FreezeLoop | Restart)
            for each in self._log.websockets if everybody else (websocket,):
                seconds = fault.seconds if isinstance(fault, FreezeLoop) else None
                self._log.on_loss(each, repr(fault), seconds=seconds)
        if isinstance(fault, FreezeLoop):
            self.freeze.start(self._log.websockets, fault.seconds)
        elif isinstance(fault, Restart):
            self._restart(fault.down_for)
        else:
            _APPLY[type(fault)](side, websocket, fault)


def refusal(steps: tuple[Step, ...], protocol: ServerProtocol) -> Response | None:
    """The answer to a request for an upgrade that is refused on purpose; None if it is not."""
    fault = next((step.fault for step in steps if isinstance(step.fault, RefuseUpgrade)), None)
    if fault is None:
        return None
    status = fault.status
    known = status in list(HTTPStatus)
    response = protocol.reject(
        HTTPStatus(status) if known else HTTPStatus.BAD_REQUEST, "refused by a fault\n"
    )
    if not known:
        response.status_code, response.reason_phrase = status, ""
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(int(fault.retry_after))
    return response


# What is done, and with what behaviour the server goes on.


def _withhold_pongs(side: Misbehaving, websocket: WebSocket, fault: WithholdPongs) -> None:
    websocket.withhold_pongs = True
    if websocket.profile.heartbeat_is_frame:
        # Pongs that are heartbeat answers may be due later.
        side.behaviour = dataclasses.replace(side.behaviour, answer_heartbeats=None)


def _close(side: Misbehaving, websocket: WebSocket, fault: CloseWith | AcceptThenClose | EmptyClose) -> None:
    code = None if isinstance(fault, EmptyClose) else fault.code
    reason = fault.reason if isinstance(fault, CloseWith) else ""
    websocket.start_close(code, reason, local_reason=LocalReason.FAULT, local_detail=repr(fault))


def _handler_error(side: Misbehaving, websocket: WebSocket, fault: HandlerError) -> None:
    words = f"the handler raised an exception, by {fault!r}"
    websocket.start_close(1011, local_reason=LocalReason.HANDLER_RAISED, local_detail=words)


def _invalid_close_code(side: Misbehaving, websocket: WebSocket, fault: InvalidCloseCode) -> None:
    payload = fault.code.to_bytes(2, "big")
    websocket.explain(local_reason=LocalReason.FAULT, local_detail=repr(fault))
    websocket.send_raw(frame(Opcode.CLOSE, payload), Opcode.CLOSE, len(payload), close=CloseFrame(fault.code))


def _ignore_close(side: Misbehaving, websocket: WebSocket, fault: IgnoreClose) -> None:
    websocket.withheld |= {int(Opcode.CLOSE), FIN}


def _oversize(side: Misbehaving, websocket: WebSocket, fault: Oversize) -> None:
    websocket.send_message(bytes(fault.bytes), Role.DATA)


def _malformed(side: Misbehaving, websocket: WebSocket, fault: Malformed | BadUtf8 | MaskedFrame) -> None:
    kind = fault.kind if isinstance(fault, Malformed) else type(fault)
    opcode, payload, flags = _MALFORMED[kind]
    close = None
    if kind is Malformation.SHORT_CLOSE:
        close = CloseFrame(1005)
        websocket.explain(local_reason=LocalReason.FAULT, local_detail=repr(fault))
    known = Opcode(opcode) if opcode in FRAME_OPCODES else None
    websocket.send_raw(frame(opcode, payload, **flags), known, len(payload), close=close)


_MALFORMED: dict[Malformation | type[Fault], tuple[int, bytes, dict[str, bool]]] = {
    BadUtf8: (Opcode.TEXT, b"not UTF-8: \xff", {}),
    MaskedFrame: (Opcode.TEXT, b"masked", {"masked": True}),
    Malformation.RESERVED_BIT: (Opcode.TEXT, b"reserved bit", {"reserved": True}),
    Malformation.UNKNOWN_OPCODE: (0x3, b"unknown opcode", {}),
    Malformation.FRAGMENTED_PING: (Opcode.PING, b"part", {"fin": False}),
    Malformation.LONG_PING: (Opcode.PING, bytes(126), {}),
    Malformation.STRAY_CONTINUATION: (Opcode.CONT, b"of nothing", {}),
    Malformation.SHORT_CLOSE: (Opcode.CLOSE, b"\x03", {}),
}


def _stop_reading(side: Misbehaving, websocket: WebSocket, fault: StopReading) -> None:
    assert websocket.timeline is not None
    websocket.timeline.deliberately_stalled = True
    websocket.pause_reading()


def _flood(side: Misbehaving, websocket: WebSocket, fault: Flood) -> None:
    start = websocket.loop.time()
    pause = max(1 / fault.messages_per_second, 1 / _BURSTS)
    _burst(side, websocket, fault, start, pause, 0)


def _burst(
    side: Misbehaving, websocket: WebSocket, fault: Flood, start: float, pause: float, sent: int
) -> None:
    passed = min(websocket.loop.time() - start, fault.seconds)
    due = int(passed * fault.messages_per_second + 1e-6) + 1
    while sent < due and websocket.is_open and websocket.is_writable:
        websocket.send_message(bytes(fault.size), Role.DATA)
        sent += 1
    if passed < fault.seconds:
        # What a full buffer did not take is lost, so that a client that does not read fills no memory here.
        side.after(websocket, pause, partial(_burst, side, websocket, fault, start, pause, max(sent, due)))


_APPLY: dict[type[Fault], Callable[[Misbehaving, WebSocket, Any], None]] = {
    WithholdPongs: _withhold_pongs,
    CloseWith: _close,
    EmptyClose: _close,
    InvalidCloseCode: _invalid_close_code,
    IgnoreClose: _ignore_close,
    HandlerError: _handler_error,
    Oversize: _oversize,
    Malformed: _malformed,
    BadUtf8: _malformed,
    MaskedFrame: _malformed,
    StopReading: _stop_reading,
    Flood: _flood,
    AcceptThenClose: _close,
    **PROTOCOL,
}

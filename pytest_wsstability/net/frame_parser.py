"""Reads all but short frames: the sans-I/O layer of `websockets`, and what it does not tell of the bytes."""

from __future__ import annotations

from websockets.exceptions import ProtocolError
from websockets.protocol import CLIENT, Protocol, State

from ..core.timeline.events import Opcode
from .heads import Heads
from .inbox import Assembly
from .wire import take_close_within_message

_TEXT, _OPEN = int(Opcode.TEXT), State.OPEN


class FrameParser:
    """
    Reads handshakes and frames, wherever the stream is cut.

    A connection whose frames are all short has none between its opening and its end.

    Attributes:
        protocol: the sans-I/O layer.
        heads: where the peer's frames begin.

    """

    __slots__ = ("_assembly", "heads", "protocol")

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.heads = Heads()
        # A message whose first fragments are there; None between messages.
        self._assembly: Assembly | None = None

    @property
    def is_between(self) -> bool:
        """Whether no frame and no message is there in part, so that a short frame may come."""
        return self._assembly is None and not self.heads.there and self.protocol.state is _OPEN

    @property
    def is_wrong_inside(self) -> bool:
        """Whether a whole frame was refused for what is in it: data that do not decompress, a close frame."""
        # The reason of a close frame is all the text that the sans-I/O layer decodes.
        return isinstance(self.protocol.parser_exc, (ProtocolError, UnicodeDecodeError))

    @property
    def is_between_answers(self) -> bool:
        """Whether a client skips the answer that has come: another follows (RFC 9110, section 15.2)."""
        return getattr(self.protocol, "is_between_answers", False)

    def find_flaw(self, data: bytes) -> tuple[int, str] | None:
        """Where in what comes a frame breaks the protocol, and how; see `Heads.find_flaw`."""
        masked = self.protocol.side is not CLIENT
        extended, within = bool(self.protocol.extensions), self._assembly is not None
        return self.heads.find_flaw(data, masked=masked, extended=extended, within=within)

    def receive(self, data: bytes, *, answers: bool) -> None:
        """Give bytes to the sans-I/O layer; ``answers``: see `take_close_within_message`."""
        self.protocol.receive_data(data)
        take_close_within_message(self.protocol, answers=answers)

    def assemble(self, opcode: int, data: bytes | bytearray | memoryview, *, fin: bool) -> str | bytes | None:
        """
        The message that a data frame completes; None when more fragments follow.

        Raises:
            UnicodeDecodeError: if text is not UTF-8.

        """
        if self._assembly is None:
            if fin:
                return str(data, "utf-8") if opcode == _TEXT else bytes(data)
            self._assembly = Assembly(text=opcode == _TEXT)
        payload = self._assembly.add(data, fin=fin)
        if payload is not None:
            self._assembly = None
        return payload

    def stray(self) -> str | None:
        """The first bytes of the frame that is not whole, or that was refused."""
        is_whole = self.is_wrong_inside and not self.heads.is_flawed
        begun = self.heads.doubtful if is_whole else self.heads.begun
        return begun.decode("latin-1") or None

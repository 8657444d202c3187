"""Audio of a user: a frame each 20 ms, at absolute deadlines, whatever else happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from ...core.timeline.flaws import Flaw
from ...core.voice.audio import FRAME
from ...core.voice.call import Call
from ...profiles import Audio, Unwritable
from ...profiles.placeholders import Unsaid
from ..websocket import WebSocket

_EARLY = 1e-6
# Frames between two looks at how much waits unsent.
_LOOK = 50


def say(websocket: WebSocket, write: Callable[[], str | bytes]) -> int:
    """Send what is written, and give its size; 0 where a function says nothing, or raised: a flaw."""
    try:
        payload = write()
    except Unsaid:
        return 0
    except Unwritable as exc:
        websocket.messages.flawed(Flaw.FUNCTION, str(exc))
        return 0
    websocket.send_message(payload)
    return len(payload)


class Microphone:
    """
    Sends frames of audio over the connection of a caller.

    The n-th frame is due n times 20 ms after the start: one that goes out late shifts none that follow. What
    was due while there was no connection goes out when there is one again, as from a page that keeps it.

    """

    def __init__(
        self,
        audio: Audio,
        call: Call,
        loop: asyncio.AbstractEventLoop,
        *,
        origin: float,
        sends_silence: bool,
        spoken: Callable[[], object],
    ) -> None:
        """
        A microphone that is off.

        Args:
            audio: the messages of the protocol.
            call: where it is taken down.
            loop: the loop of the connection.
            origin: the reading of its clock from which instants count.
            sends_silence: whether frames go out while nobody speaks.
            spoken: called when what was to be said is said.

        """
        self._audio, self._call, self._loop, self._origin = audio, call, loop, origin
        self._sends_silence, self._spoken = sends_silence, spoken
        self._websocket: WebSocket | None = None
        self._timer: asyncio.TimerHandle | None = None
        # Deadlines count from here; the number of the next frame.
        self._start, self._next = 0.0, 0
        # What is being said, and how far it is; none of it while nobody speaks.
        self._frames: Sequence[bytes] = ()
        self._at = self._until = 0
        self._silence = audio.format.silence
        # Frames that went out in all, which some protocols number.
        self.sent = 0
        self.is_muted = False

    @property
    def is_speaking(self) -> bool:
        """Whether something is still to be said."""
        return self._at < self._until

    def attach(self, websocket: WebSocket) -> None:
        """Use this connection from now on."""
        self._websocket = websocket
        self._go_on()

    def detach(self) -> None:
        """There is no connection: wait for the next."""
        self._websocket = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def speak(self, frames: Sequence[bytes], count: int) -> None:
        """Say so many of these frames from now on; behind the last one comes the first again."""
        self._frames, self._at, self._until = frames, 0, count
        self._go_on()

    def _go_on(self) -> None:
        if self._timer is not None or self._websocket is None:
            return
        if not self.is_speaking and not self._sends_silence:
            return
        if self._next == 0 or (not self._sends_silence and self._at == 0):
            self._start, self._next = self._loop.time(), 0
        self._timer = self._loop.call_at(self._start + self._next * FRAME, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        while self._websocket is not None and (due := self._start + self._next * FRAME) <= now + _EARLY:
            if not self._websocket.is_open:
                # Whoever holds the connection knows; what is due waits for the next one.
                return
            self._next += 1
            if self.is_speaking:
                self._send(self._websocket, now, due, speaking=True)
                if not self.is_speaking:
                    self._spoken()
            elif self._sends_silence:
                self._send(self._websocket, now, due, speaking=False)
            if not self._sends_silence and not self.is_speaking:
                return
        if self._websocket is not None and self._timer is None:
            self._timer = self._loop.call_at(self._start + self._next * FRAME, self._tick)

    def _send(self, websocket: WebSocket, now: float, due: float, *, speaking: bool) -> None:
        frame = self._frames[self._at % len(self._frames)] if speaking else self._silence
        if speaking:
            self._at += 1
        if self.is_muted:
            return
        self.sent += 1
        session_id = websocket.conversation.session_id
        size = say(
            websocket, lambda: self._audio.write_speech(frame, session_id=session_id, number=self.sent)
        )
        self._call.sent(now - self._origin, FRAME, due=due - self._origin, size=size)
        if self.sent % _LOOK == 0 and websocket.transport is not None:
            self._call.up.bytes_waiting(websocket.transport.get_write_buffer_size())

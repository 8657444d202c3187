"""How audio stands on the wire, as far as its length in time is concerned."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from . import mulaw


class Encoding(Enum):
    """How a sample is written; the value is what users type."""

    # Signed 16 bit, little endian: OpenAI's "pcm16", Deepgram's "linear16".
    PCM16 = "pcm16"
    # ITU-T G.711, 8 bit: Twilio's "audio/x-mulaw".
    MULAW = "mulaw"

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return 2 if self is _PCM16 else 1


# Looked up once: before Python 3.12 that takes ten times as long as a name.
_PCM16, _MULAW = Encoding.PCM16, Encoding.MULAW

# Seconds of a frame: what voice protocols send at once (RFC 3551, section 4.2: 20 ms).
FRAME = 0.02
# The peak from which on a frame is speech, of 32,768: 36 dB below the loudest.
LOUD = 512
# One of so many samples is looked at: speech is louder than this in all of them. Eleven divides no rate, so
# that no tone of whole Hz keeps step with it: of 1 kHz at 8 kHz, each eighth sample is the same.
_LOOK = 11

# High bytes of 16 bit samples that are not loud, down to minus as much; and codes of mu-law that are not.
_QUIET = bytes(range(LOUD >> 8)) + bytes(range(0x100 - (LOUD >> 8), 0x100))
_QUIET_MULAW = bytes(code for code in range(0x100) if mulaw.LOUDNESS[code] < LOUD >> 7)
# The same of silence: what a codec makes of none is less than a high byte, or 42 dB below the loudest.
_NOTHING = b"\x00\xff"
_NOTHING_MULAW = bytes(code for code in range(0x100) if mulaw.LOUDNESS[code] < 2)

# Samples a second that voice protocols use: 8,000 is the telephone's, 24,000 OpenAI's, 22,050 and 44,100 are
# among ElevenLabs', 48,000 is the browser's. Each has whole samples in a frame.
RATES = (8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """
    Mono audio: an encoding and a rate in samples a second.

    Raises:
        ValueError: for a rate that is not one of `RATES`.

    """

    encoding: Encoding = Encoding.PCM16
    rate: int = 16_000

    def __post_init__(self) -> None:
        if self.rate not in RATES:
            raise ValueError(
                f"rate: {self.rate!r} samples a second; valid ones: {', '.join(map(str, RATES))}"
            )

    @property
    def bytes_per_second(self) -> int:
        """Bytes of a second of audio."""
        return self.rate * self.encoding.width

    def seconds(self, size: int) -> float:
        """How long ``size`` bytes of audio play."""
        return size / self.bytes_per_second

    def size(self, seconds: float) -> int:
        """How many bytes so many seconds of audio take: whole samples."""
        return round(seconds * self.rate) * self.encoding.width

    @property
    def frame_size(self) -> int:
        """Bytes of a frame."""
        return self.size(FRAME)

    @property
    def silence(self) -> bytes:
        """A frame in which nobody speaks."""
        return bytes(self.frame_size) if self.encoding is Encoding.PCM16 else b"\xff" * self.frame_size

    def is_loud(self, data: bytes) -> bool:
        """Whether somebody speaks in this audio."""
        if self.encoding is _MULAW:
            return len(data[::_LOOK].translate(None, _QUIET_MULAW)) > 0
        # What is left of the high bytes alone: a tenth of what it takes to look at numbers (measured).
        return len(data[1 :: 2 * _LOOK].translate(None, _QUIET)) > 0

    def is_silence(self, data: bytes) -> bool:
        """Whether nothing at all can be heard in this audio."""
        if self.encoding is _MULAW:
            return not data.translate(None, _NOTHING_MULAW)
        return not data[1::2].translate(None, _NOTHING)

    def samples(self, data: bytes) -> Sequence[int]:
        """Audio as samples of 16 bit."""
        if self.encoding is Encoding.MULAW:
            return mulaw.expand(data)
        if sys.byteorder == "little":
            return memoryview(data).cast("h")
        swapped = array("h", data)
        swapped.byteswap()
        return swapped

    def written(self, samples: Sequence[int]) -> bytes:
        """Samples of 16 bit as this audio."""
        if self.encoding is Encoding.MULAW:
            return mulaw.compress(samples)
        found = array("h", samples)
        if sys.byteorder != "little":
            found.byteswap()
        return found.tobytes()

    def __str__(self) -> str:
        return f"{self.encoding.value} at {self.rate / 1000:g} kHz"

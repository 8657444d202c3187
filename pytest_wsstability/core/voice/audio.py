"""How audio stands on the wire, as far as its length in time is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Encoding(Enum):
    """How a sample is written; the value is what users type."""

    # Signed 16 bit, little endian: OpenAI's "pcm16", Deepgram's "linear16".
    PCM16 = "pcm16"
    # ITU-T G.711, 8 bit: Twilio's "audio/x-mulaw".
    MULAW = "mulaw"

    @property
    def width(self) -> int:
        """Bytes of a sample."""
        return 2 if self is Encoding.PCM16 else 1


# Samples a second that voice protocols use; 24,000 is OpenAI's, 8,000 the telephone's.
RATES = (8_000, 16_000, 24_000)


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

    def __str__(self) -> str:
        return f"{self.encoding.value} at {self.rate // 1000} kHz"

"""ITU-T G.711 mu-law: 14 bits of a sample in 8, as the telephone has them."""

from __future__ import annotations

from collections.abc import Iterable

# G.711, table 2a: the bias that makes the ends of segments powers of two, and the largest magnitude.
_BIAS, _CLIP = 0x84, 32_635


def _expanded(code: int) -> int:
    code = ~code & 0xFF
    magnitude = (((code & 0x0F) << 3) + _BIAS << ((code & 0x70) >> 4)) - _BIAS
    return -magnitude if code & 0x80 else magnitude


def _compressed(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    biased = min(abs(sample), _CLIP) + _BIAS
    segment = biased.bit_length() - 8
    return ~(sign | segment << 4 | (biased >> segment + 3) & 0x0F) & 0xFF


# The sample of each code; and its magnitude in 256 steps, for a quick look at how loud audio is.
SAMPLES = tuple(map(_expanded, range(256)))
LOUDNESS = bytes(min(255, abs(sample) >> 7) for sample in SAMPLES)


def compress(samples: Iterable[int]) -> bytes:
    """Samples of 16 bit as mu-law."""
    return bytes(map(_compressed, samples))


def expand(data: bytes) -> list[int]:
    """Mu-law as samples of 16 bit."""
    return [SAMPLES[code] for code in data]

"""What callers and agents say: noise as loud as speech, or a WAV file; and WAV files to hear."""

from __future__ import annotations

import io
import random
import wave
from collections.abc import Iterable
from functools import lru_cache

from .audio import FRAME, RATES, AudioFormat, Encoding

# Frames that are made; then they come again.
_FRAMES = 100
# From one seed to the next; has no factor in common with their number, so that a hundred seeds differ.
_STEP = 37
# Of a voice: its pitch, and syllables a second.
_PITCH, _SYLLABLES = 120, 4
_PEAK = 12_000


class WrongSound(ValueError):
    """A WAV file that cannot be spoken."""


@lru_cache(maxsize=256)
def noise(seed: int, form: AudioFormat) -> tuple[bytes, ...]:
    """
    Frames of noise that is as loud as speech, with its pitch and its syllables; the same for a seed.

    One voice, which begins elsewhere for each seed: to make another takes 20 ms, in which no loop runs.

    """
    frames = _voice(form)
    begins = seed * _STEP % _FRAMES
    return (*frames[begins:], *frames[:begins])


@lru_cache
def _voice(form: AudioFormat) -> tuple[bytes, ...]:
    chosen = random.Random(0)
    period = form.rate // _PITCH
    size = form.rate // 50
    frames = []
    for index in range(_FRAMES):
        # Never quieter than a third: a pause in the middle of a word is no end of speech.
        phase = index * FRAME * _SYLLABLES % 1.0
        loud = _PEAK * (0.33 + 0.67 * (1 - abs(2 * phase - 1)))
        hiss = chosen.randbytes(size)
        frames.append(
            form.written(
                [
                    int(loud * (0.7 - 1.4 * ((index * size + at) % period) / period + (hiss[at] - 128) / 640))
                    for at in range(size)
                ]
            )
        )
    return tuple(frames)


def frames_of_wav(data: bytes, form: AudioFormat, name: str = "WAV") -> tuple[bytes, ...]:
    """
    The frames of a WAV file; the last one is filled up with silence.

    Args:
        data: the file: mono, 16 bit, at the rate of the format.
        form: how they are sent.
        name: of the file, for messages.

    Raises:
        WrongSound: if it is no WAV file, or another one, naming what it is and what it should be.

    """
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            found = file.readframes(file.getnframes())
            # A file that was cut may end in the middle of a sample.
            found = found[: len(found) - len(found) % (channels * width)]
    except (wave.Error, EOFError) as exc:
        raise WrongSound(f"{name}: no WAV file of PCM: {str(exc) or 'it ends too early'}") from None
    wanted = f"give mono, 16 bit, {form.rate:,} samples a second"
    if channels != 1:
        raise WrongSound(f"{name}: {channels} channels; {wanted}")
    if width != 2:
        raise WrongSound(f"{name}: {8 * width} bit; {wanted}")
    if rate != form.rate:
        raise WrongSound(f"{name}: {rate:,} samples a second; {wanted}")
    if not found:
        raise WrongSound(f"{name}: it is empty; {wanted}")
    sound = form.written(AudioFormat(Encoding.PCM16, form.rate).samples(found))
    size = form.frame_size
    frames = [sound[start : start + size] for start in range(0, len(sound), size)]
    frames[-1] += form.silence[len(frames[-1]) :]
    return tuple(frames)


def wav_of(audio: Iterable[bytes], form: AudioFormat) -> bytes:
    """A WAV file (mono, 16 bit) of audio, for a person's ears."""
    assert form.rate in RATES
    linear = AudioFormat(Encoding.PCM16, form.rate)
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(form.rate)
        file.writeframes(b"".join(linear.written(form.samples(each)) for each in audio))
    return kept.getvalue()

"""What is spoken: noise as loud as speech, WAV files, and mu-law as G.711 has it."""

import io
import math
import sys
import wave
from types import SimpleNamespace

import pytest

from pytest_wsstability.core.voice import audio, mulaw
from pytest_wsstability.core.voice.sound import frames_of_wav, noise, wav_of
from pytest_wsstability.voice import AudioFormat, Encoding, WrongSound

FORMATS = [
    AudioFormat(encoding, rate) for encoding in Encoding for rate in audio.RATES
]  # fmt: skip
each = pytest.mark.parametrize("form", FORMATS, ids=str)


def wav(*, channels=1, width=2, rate=16_000, frames=800):
    kept = io.BytesIO()
    with wave.open(kept, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(b"\x10" * (channels * width * frames))
    return kept.getvalue()


@each
def test_silence_is_what_cannot_be_heard(form):
    """Less than a high byte of a sample, in all of them."""
    quiet, audible = ([0] * 79 + [value] for value in (-200, 300))

    assert form.is_silence(form.silence)
    assert form.is_silence(form.written(quiet))
    assert not form.is_silence(form.written(audible))
    assert not form.is_loud(form.written(audible))
    assert not any(map(form.is_silence, noise(3, form)))


@each
def test_noise_is_speech_in_every_frame(form):
    """So that no voice activity detection hears an end of speech in the middle of a word."""
    frames = noise(3, form)

    assert {len(frame) for frame in frames} == {form.frame_size}
    assert all(map(form.is_loud, frames))
    assert frames == noise(3, form)
    assert frames != noise(4, form)


@each
def test_silence_is_none(form):
    assert len(form.silence) == form.frame_size
    assert not form.is_loud(form.silence)


@each
def test_audio_is_samples_and_back(form):
    """What an encoding can say exactly comes back as it was."""
    exact = [mulaw.SAMPLES[code] for code in range(0, 256, 3)]

    assert list(form.samples(form.written(exact))) == exact


@pytest.mark.parametrize(
    ("other", "data"), [(False, b"\x01\x02\xff\xff"), (True, b"\x02\x01\xff\xff")], ids=["own", "other"]
)
def test_samples_are_turned_round_where_the_machine_has_them_so(monkeypatch, other, data):
    """On the wire they are little endian; a machine that is taken for the other kind swaps their bytes."""
    orders = ["little", "big"]
    order = orders[(sys.byteorder == "little") is other]
    monkeypatch.setattr(audio, "sys", SimpleNamespace(byteorder=order))
    form = AudioFormat()

    assert list(form.samples(data)) == [0x0201, -1]
    assert form.written([0x0201, -1]) == data


@pytest.mark.parametrize(
    ("sample", "code"),
    # ITU-T G.711, table 2a: the ends of segments; the two zeros; the loudest.
    [(0, 0xFF), (-1, 0x7F), (32_124, 0x80), (-32_124, 0x00), (15_996, 0x90), (-15_996, 0x10), (40_000, 0x80)],
)
def test_mu_law(sample, code):
    assert mulaw.compress([sample]) == bytes([code])


def test_mu_law_is_right_within_a_step():
    """Of the segment: a sixteenth of the magnitude, or four."""
    samples = range(-32_635, 32_636, 17)

    for sample, found in zip(samples, mulaw.expand(mulaw.compress(samples)), strict=True):
        assert abs(sample - found) <= max(4, abs(sample) / 16 + 8)


def test_a_file_in_frames():
    """Of 20 ms; the last is filled up."""
    form = AudioFormat()
    frames = frames_of_wav(wav(frames=800), form)

    assert [len(frame) for frame in frames] == [640, 640, 640]
    assert frames[2][320:] == bytes(320)


@pytest.mark.parametrize(("cut", "frames"), [(0, 2), (1, 2), (2, 2), (640, 1), (641, 1)])
def test_a_file_that_was_cut(cut, frames):
    """It is spoken as far as it goes, also where it ends in the middle of a sample."""
    found = frames_of_wav(wav(frames=640)[: -cut or None], AudioFormat())

    assert [len(frame) for frame in found] == [640] * frames


def test_a_file_for_the_telephone():
    form = AudioFormat(Encoding.MULAW, 8_000)

    assert [len(frame) for frame in frames_of_wav(wav(rate=8_000, frames=320), form)] == [160, 160]


@each
def test_what_was_heard_is_written_as_16_bit(form):
    written = wav_of(noise(0, form), form)

    with wave.open(io.BytesIO(written)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, form.rate)
        assert file.getnframes() == 2 * form.rate


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (wav(rate=44_100), r"^a\.wav: 44,100 samples a second; give mono, 16 bit, 16,000 samples a second$"),
        (wav(width=1), r"^a\.wav: 8 bit; give mono"),
        (wav(channels=2), r"^a\.wav: 2 channels; give mono"),
        (wav(frames=0), r"^a\.wav: it is empty; give mono"),
        (b"", r"^a\.wav: no WAV file of PCM: it ends too early$"),
        (b"ID3 no wav at all" * 9, r"^a\.wav: no WAV file of PCM: file does not start with RIFF id$"),
    ],
)
def test_files_that_cannot_be_spoken(data, message):
    """Named with what they are and what they should be."""
    with pytest.raises(WrongSound, match=message):
        frames_of_wav(data, AudioFormat(), "a.wav")


@pytest.mark.parametrize(
    ("sample", "loud"),
    [(511, False), (512, True), (32_767, True), (0, False), (-1, False), (-512, False), (-513, True)],
)
def test_how_loud_speech_is(sample, loud):
    """The high byte of one sample decides."""
    assert AudioFormat().is_loud(AudioFormat().written([sample] * 320)) is loud


@each
def test_a_tone_is_speech(form):
    """One of 1 kHz, as test signals are, or any other: none keeps step with the samples looked at."""
    for hz in range(100, form.rate // 2, 100):
        sine = [round(8000 * math.sin(2 * math.pi * hz * n / form.rate)) for n in range(form.rate // 50)]
        assert form.is_loud(form.written(sine)), hz


def test_how_loud_speech_of_the_telephone_is():
    """The magnitude of one sample decides, whatever its sign."""
    form = AudioFormat(Encoding.MULAW, 8_000)
    for code in range(256):
        (sample,) = form.samples(bytes([code]))
        assert form.is_loud(bytes([code]) * 160) is (abs(sample) >= 512)

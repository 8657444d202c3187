"""Audio that went out and audio that came: lateness, gaps, jitter, numbers."""

import random
from itertools import pairwise

import pytest

from pytest_wsstability.core.voice.audio import AudioFormat, Encoding
from pytest_wsstability.core.voice.stream import HeardAudio, SentAudio


@pytest.mark.parametrize(
    ("encoding", "rate", "size"),
    [
        ("mulaw", 8_000, 160),
        ("pcm16", 8_000, 320),
        ("pcm16", 16_000, 640),
        ("pcm16", 22_050, 882),
        ("pcm16", 24_000, 960),
        ("pcm16", 32_000, 1280),
        ("pcm16", 44_100, 1764),
        ("pcm16", 48_000, 1920),
    ],
)
def test_20_ms_on_the_wire(encoding, rate, size):
    audio = AudioFormat(Encoding(encoding), rate)

    assert audio.size(0.02) == size
    assert audio.seconds(size) == pytest.approx(0.02)


def test_a_rate_that_nobody_speaks():
    with pytest.raises(ValueError, match=r"^rate: 96000 samples a second; valid ones: 8000, 16000, 22050, "):
        AudioFormat(rate=96_000)


def test_an_even_stream_has_no_jitter():
    stream = HeardAudio()
    for number in range(100):
        stream.chunk(5 + number * 0.02, 0.02, size=640, sequence=number)

    assert stream.jitter_max == pytest.approx(0.0, abs=1e-12)
    assert stream.gaps.maximum == pytest.approx(0.02)
    assert (stream.chunks, stream.size) == (100, 64_000)
    assert stream.seconds == pytest.approx(2.0)


def test_frames_that_go_out_late():
    """Each after its own deadline; one that is early is not late."""
    sent = SentAudio()
    for number, late in enumerate([0.0, 0.003, -0.001, 0.25]):
        sent.chunk(5 + number * 0.02 + late, 0.02, due=5 + number * 0.02, size=640)
        sent.bytes_waiting(100 * number % 300)

    assert (sent.chunks, sent.size, sent.waiting_max) == (4, 2560, 200)
    assert sent.seconds == pytest.approx(0.08)
    assert (sent.lateness.minimum, sent.lateness.maximum) == (0.0, pytest.approx(0.25))


def test_jitter_is_that_of_rfc_3550():
    """Section 6.4.1, as its formula stands there, over 500 random streams."""
    dice = random.Random(9)
    for _ in range(500):
        at, stream, pairs = 0.0, HeardAudio(), []
        for _ in range(dice.randint(2, 60)):
            at += dice.uniform(0, 0.06)
            seconds = dice.choice([0.01, 0.02, 0.04])
            pairs.append((at, seconds))
            stream.chunk(at, seconds)
        jitter = 0.0
        for (before, length), (now, _) in pairwise(pairs):
            jitter += (abs(now - before - length) - jitter) / 16

        assert stream.jitter == pytest.approx(jitter, abs=1e-12)


def test_one_late_chunk_moves_the_jitter_by_a_sixteenth_each_way():
    stream = HeardAudio()
    for at in (0.0, 0.02, 0.056, 0.06):
        stream.chunk(at, 0.02)

    assert stream.jitter == pytest.approx(0.001 + (0.016 - 0.001) / 16)


def test_a_pause_is_neither_gap_nor_jitter():
    stream = HeardAudio()
    stream.chunk(0.0, 0.02)
    stream.pause()
    stream.chunk(60.0, 0.02)

    assert stream.gaps.count == 0
    assert stream.jitter == 0.0


@pytest.mark.parametrize(
    ("numbers", "runs", "repeats", "reordered"),
    [
        ([1, 2, 3], [(1, 3)], 0, 0),
        ([1, 2, 4], [(1, 2), (4, 4)], 0, 0),
        ([1, 2, 2], [(1, 2)], 1, 0),
        ([1, 3, 2], [(1, 3)], 0, 1),
        ([1, 3, 2, 2], [(1, 3)], 1, 1),
    ],
)
def test_numbers_that_are_missing_repeated_or_out_of_order(numbers, runs, repeats, reordered):
    stream = HeardAudio()
    for at, number in enumerate(numbers):
        stream.chunk(float(at), 0.02, sequence=number)

    assert (stream.numbers.runs, stream.numbers.repeats, stream.reordered) == (runs, repeats, reordered)


@pytest.mark.parametrize(
    ("answers", "resumes", "runs", "repeats"),
    [
        ([[1, 2, 3], [4, 5]], None, [(1, 5)], 0),
        ([[1, 2, 3], [1, 2], [1]], None, [(1, 6)], 0),
        ([[0], [0], [0, 1]], None, [(0, 3)], 0),
        ([[1, 2, 3], [1, 3]], None, [(1, 4), (6, 6)], 0),
        # In the middle of an answer it comes again, and so does what is no first number.
        ([[1, 2, 1]], None, [(1, 2)], 1),
        ([[1, 2, 3], [2, 3]], None, [(1, 3)], 2),
        # On another connection it was forgotten, unless each answer was numbered so before.
        ([[1, 2], [1, 2]], 1, [(1, 2)], 2),
        ([[1, 2], [3], [1, 2]], 1, [(1, 5)], 0),
        ([[1], [1], [1, 2]], 2, [(1, 4)], 0),
    ],
)
def test_chunks_are_numbered_in_the_call_or_in_each_answer(answers, resumes, runs, repeats):
    """The first number, at the start of an answer, begins a count of its own."""
    stream, at = HeardAudio(), 0.0
    for place, numbers in enumerate(answers):
        stream.resumes = stream.resumes or place == resumes
        for first, number in enumerate(numbers):
            at += 1
            stream.chunk(at, 0.02, sequence=number, opens=not first)

    assert (stream.numbers.runs, stream.numbers.repeats) == (runs, repeats)


def test_chunks_that_are_numbered_anew_after_a_pause_too():
    """A greeting of two sentences is one answer."""
    stream = HeardAudio()
    for at in (1.0, 2.0):
        stream.chunk(at, 0.02, sequence=1)
        stream.pause()

    assert stream.numbers.repeats == 0


@pytest.mark.parametrize(
    ("numbers", "lost", "repeated", "reordered"),
    [
        ([1, 2, 3], None, None, None),
        ([1, 3, 4, 6], 1.0, None, None),
        # What seemed to be lost was late; what came after that is lost.
        ([1, 3, 2, 4, 6], 4.0, None, 2.0),
        ([1, 2, 2, 3, 3], None, 2.0, None),
        ([1, 3, 2, 5, 4], None, None, 2.0),
    ],
)
def test_the_first_chunk_that_shows_it_has_its_instant(numbers, lost, repeated, reordered):
    stream = HeardAudio()
    for at, number in enumerate(numbers):
        stream.chunk(float(at), 0.02, sequence=number)

    assert (stream.lost_at, stream.repeated_at, stream.reordered_at) == (lost, repeated, reordered)

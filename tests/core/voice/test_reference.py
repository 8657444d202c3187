"""Every number of a call, against a slow reference, on 500 generated conversations."""

import math
import random
from collections import Counter

import pytest

from pytest_wsstability.core.judge.verdict import Outcome
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.core.voice.call import Call
from pytest_wsstability.core.voice.requirement import VoiceRequirement
from tests.core.voice.reference import conversation, kept, reference, told


def test_500_conversations():
    """Underruns, gaps, jitter, loss and order, latencies, barge-ins, lateness, round trips: all of them."""
    seen = Counter()
    for seed in range(500):
        events, numbered = conversation(seed)
        expected, found = reference(events), kept(told(events, numbered=numbered))

        assert found.keys() == expected.keys()
        for part, values in expected.items():
            for word, value in values.items():
                assert found[part][word] == pytest.approx(value, abs=1e-6), f"{word} of {part}, seed {seed}"
                seen[word] += _says_something(value)
    # Each is other than nothing often enough, so that a wrong one is found.
    assert min(seen.values()) > 40, seen
    assert len(seen) == 17


def _says_something(value):
    return any(map(_says_something, value)) if isinstance(value, tuple) else bool(value)


def test_the_percentile_is_the_nearest_rank():
    """Of 500 lists of 20 to 80 turns: the verdict is that of sorting them."""
    dice, outcomes = random.Random(3), Counter()
    for _ in range(500):
        waits = [dice.choice([0.5, 0.6, 0.7, dice.uniform(0.7, 0.83)]) for _ in range(dice.randint(20, 80))]
        call = Call()
        for number, wait in enumerate(waits):
            call.speech_began(100.0 * number)
            call.speech_ended(100.0 * number + 1)
            call.audio(100.0 * number + 1 + wait, 1.0)
            call.turn_done(100.0 * number + 3)
        fits = sorted(waits)[math.ceil(0.95 * len(waits)) - 1] <= 0.8
        verdict = VoiceRequirement(first_audio_p95=0.8).check(call, duration=1e4, tier=Tier.VIRTUAL)

        assert (verdict.outcome is Outcome.STABLE) == fits
        outcomes[fits] += 1
    assert min(outcomes.values()) > 100

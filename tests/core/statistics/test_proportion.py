"""Exact bounds of proportions: against tables, against scipy, and by summing up how often they hold."""

import random
from math import comb

import pytest

from pytest_wsstability.core.statistics.proportion import (
    connections_needed,
    lower_bound,
    quantile_ranks,
    upper_bound,
)


@pytest.mark.parametrize(
    ("of", "shown"), [(1, 0.05), (5, 0.5493), (10, 0.7411), (20, 0.8609), (100, 0.9705), (3_000, 0.99900)]
)
def test_what_so_many_connections_show_when_none_is_lost(of, shown):
    """The nth root of 0.05: the share that survives n times with a probability of 5 %."""
    assert lower_bound(of, of) == pytest.approx(0.05 ** (1 / of), rel=1e-12)
    assert lower_bound(of, of) == pytest.approx(shown, abs=5e-5)
    assert upper_bound(of, of) == 1.0


@pytest.mark.parametrize(
    ("target", "lost", "needed"),
    [
        (0.9, 0, 29), (0.9, 1, 46), (0.95, 0, 59), (0.99, 0, 299), (0.99, 5, 1_049), (0.999, 0, 2_995),
        (0.999, 1, 4_742), (0.999, 3, 7_752), (0.9999, 0, 29_956),
    ],
)  # fmt: skip
def test_how_many_connections_decide(target, lost, needed):
    """One connection fewer does not show the target."""
    assert connections_needed(target, lost=lost) == needed
    assert lower_bound(needed - lost, needed) > target
    assert lower_bound(needed - 1 - lost, needed - 1) <= target


@pytest.mark.parametrize(("confidence", "needed"), [(0.9, 22), (0.95, 29), (0.99, 44)])
def test_more_confidence_needs_more_connections(confidence, needed):
    assert connections_needed(0.9, confidence=confidence) == needed


@pytest.mark.slow
def test_scipy_agrees():
    """1,000 random cases, to 1e-9."""
    beta = pytest.importorskip("scipy.stats").beta
    dice = random.Random(17)
    for _ in range(1_000):
        of = dice.choice([1, 2, 7, 20, 100, 1_000, 3_000, 10_000, 100_000])
        survived = dice.choice([dice.randint(0, of), max(0, of - dice.randint(0, 5))])
        confidence = dice.choice([0.8, 0.9, 0.95, 0.99])
        low = beta.ppf(1 - confidence, survived, of - survived + 1) if survived else 0.0
        high = beta.ppf(confidence, survived + 1, of - survived) if survived < of else 1.0

        assert lower_bound(survived, of, confidence=confidence) == pytest.approx(low, abs=1e-9)
        assert upper_bound(survived, of, confidence=confidence) == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize("of", [1, 5, 20, 59, 120])
def test_the_bounds_hold_as_often_as_they_say(of):
    """Summed exactly over all outcomes, for shares from 0.5 % to 99.95 %."""
    lows = [lower_bound(survived, of) for survived in range(of + 1)]
    highs = [upper_bound(survived, of) for survived in range(of + 1)]
    for share in [number / 200 for number in range(1, 200)] + [0.999, 0.9995]:
        odds = [comb(of, k) * share**k * (1 - share) ** (of - k) for k in range(of + 1)]

        assert sum(odd for odd, low in zip(odds, lows, strict=True) if low <= share) >= 0.95 - 1e-9
        assert sum(odd for odd, high in zip(odds, highs, strict=True) if high >= share) >= 0.95 - 1e-9


@pytest.mark.parametrize(("survived", "of"), [(-1, 5), (6, 5), (0, 0)])
@pytest.mark.parametrize("bound", [lower_bound, upper_bound])
def test_numbers_that_are_no_proportion(bound, survived, of):
    with pytest.raises(ValueError, match=rf"^{survived} of {of} connections is no proportion$"):
        bound(survived, of)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.5])
def test_a_confidence_is_a_share(confidence):
    with pytest.raises(ValueError, match=r"^confidence: .*; give a share between 0 and 1, such as 0\.95$"):
        lower_bound(1, 2, confidence=confidence)


@pytest.mark.parametrize("target", [0, 1, 1.5, -1])
def test_a_target_that_nothing_shows(target):
    with pytest.raises(ValueError, match=r"^survival: .* can't be shown by any number"):
        connections_needed(target)


def test_more_connections_than_there_are_have_bounds_all_the_same():
    """Of 4 * 10**12 the fraction is left before it has converged; what it had reached is near enough."""
    of = 4 * 10**12

    # 1.6448536 standard errors of 0.5 / sqrt(of).
    assert 0.5 - lower_bound(of // 2, of) == pytest.approx(4.1121340e-7, rel=0.01)
    assert upper_bound(of // 2, of) - 0.5 == pytest.approx(4.1121340e-7, rel=0.01)


@pytest.mark.parametrize(
    ("count", "fraction", "ranks"),
    [
        # As tables for the median have it; the longest is a bound from 5, 59 and 299 on.
        (1, 0.5, (0, 2)),
        (4, 0.5, (0, 5)),
        (5, 0.5, (0, 5)),
        (6, 0.5, (1, 6)),
        (100, 0.5, (40, 61)),
        (58, 0.95, (51, 59)),
        (59, 0.95, (50, 59)),
        (299, 0.99, (289, 299)),
    ],
)
def test_the_ranks_between_which_a_quantile_lies(count, fraction, ranks):
    assert quantile_ranks(count, fraction) == ranks


@pytest.mark.parametrize("fraction", [0.5, 0.95, 0.99])
def test_a_quantile_lies_between_its_ranks_as_often_as_is_said(fraction):
    """Summed exactly over how many are below it, for numbers up to 700, and two large ones."""
    binom = pytest.importorskip("scipy.stats").binom
    for count in (*range(1, 701), 10_000, 1_000_000):
        low, high = quantile_ranks(count, fraction)

        assert binom.cdf(high - 1, count, fraction) - binom.cdf(low - 1, count, fraction) >= 0.95 - 1e-9

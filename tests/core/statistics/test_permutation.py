"""Permutation tests, against sums over all draws and scipy."""

from __future__ import annotations

import math
import random

import pytest

from pytest_wsstability.core.statistics.permutation import (
    SIGNIFICANT,
    _sum_bound,
    count_probability,
    sum_probability,
)


@pytest.mark.parametrize(
    ("group", "rest", "probability"),
    [
        # One of all draws, the best of them; as great as any; all alike.
        ([9.0, 8.0, 7.0, 6.0, 5.0], [4.0, 3.0, 2.0, 1.0, 0.0], 1 / 252),
        ([0.0, 1.0], [2.0, 3.0, 4.0], 1.0),
        ([1.0] * 3, [1.0] * 4, 1.0),
        # The larger of two groups, by the smaller.
        ([9.0, 8.0, 7.0, 6.0, 5.0], [1.0, 6.5], 3 / 21),
        # One beside 300 has one of 301 places.
        ([298.5], [float(each) for each in range(300)], 2 / 301),
    ],
)
def test_the_probability_of_a_sum(group, rest, probability):
    """Counted by hand."""
    assert sum_probability(group, rest) == pytest.approx(probability)


def test_sums_that_are_the_same_are_as_great():
    """In another order, 0.1 + 0.2 + 0.3 is less than 0.3 + 0.2 + 0.1 by its last bit."""
    assert sum_probability([0.3, 0.2, 0.1], [0.1, 0.2, 0.3]) == pytest.approx(14 / 20)


@pytest.mark.parametrize(("count", "told"), [(13, 0.0005), (12, 0.0046), (11, 1.0)])
def test_of_many_draws_some_tell(count, told):
    """Of fifteen and fifteen, half lost: the hypergeometric tail is 0.0001, 0.0013 and 0.014."""
    group, rest = [1.0] * count + [0.0] * (15 - count), [1.0] * (15 - count) + [0.0] * count
    found = sum_probability(group, rest)

    assert found == pytest.approx(told, abs=0.005)
    assert (found <= SIGNIFICANT) == (count > 11)
    assert sum_probability(group[::-1], rest[::-1]) == found


def test_what_is_clear_is_told_without_draws():
    """Of 5,000 and 5,000 scores, by either end: below what 999 draws could tell, above the true one."""
    group, rest = [1.0] * 450 + [0.0] * 4_550, [1.0] * 250 + [0.0] * 4_750
    exact = count_probability(450, drawn=5_000, kind=700, everybody=10_000)
    turned = [[-each for each in scores] for scores in (rest, group)]

    assert exact < sum_probability(group, rest) < 0.001
    assert sum_probability(turned[0], [*turned[1], 0.0]) < 0.001


@pytest.mark.parametrize("count", range(5, 41))
def test_no_sum_is_told_as_less_probable_than_it_is_without_draws(count):
    """Forty of eighty, half lost: where draws would tell, the bound may be above, and never below."""
    drawn = sorted([1.0] * 40 + [0.0] * 40)
    exact = count_probability(count, drawn=40, kind=40, everybody=80)

    assert _sum_bound(drawn, 40, count) >= exact


@pytest.mark.parametrize(
    ("reached", "bound"), [(20.0, 1.0), (19.0, 1.0), (21.0, math.exp(-3 / 61)), (30.0, math.exp(-30 / 7))]
)
def test_the_bound_of_a_sum(reached, bound):
    """Forty of eighty, half lost: the mean is 20, the variance of one 1/4, and none is 1/2 above its own."""
    assert _sum_bound([0.0] * 40 + [1.0] * 40, 40, reached) == pytest.approx(bound)


def test_others_agree_on_sums():
    """Where every draw is looked at, to 1e-12."""
    stats, dice = pytest.importorskip("scipy.stats"), random.Random(17)
    for _ in range(10):
        group, rest = ([dice.gauss(0, 1) for _ in range(dice.randint(2, 6))] for _ in range(2))
        theirs = stats.permutation_test(
            (group, rest), lambda one, _: sum(one), n_resamples=10_000, alternative="greater"
        )

        assert sum_probability(group, rest) == pytest.approx(theirs.pvalue, abs=1e-12)


def test_others_agree_on_counts():
    """200 random draws, to 1e-12."""
    stats, dice = pytest.importorskip("scipy.stats"), random.Random(17)
    for _ in range(200):
        everybody = dice.randint(1, 500)
        kind, drawn = dice.randint(0, everybody), dice.randint(0, everybody)
        count = dice.randint(0, min(kind, drawn))
        found = count_probability(count, drawn=drawn, kind=kind, everybody=everybody)

        assert found == pytest.approx(stats.hypergeom.sf(count - 1, everybody, kind, drawn), abs=1e-12)

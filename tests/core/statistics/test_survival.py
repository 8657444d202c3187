"""The product-limit estimate, against figures worked out by hand, and against scipy."""

from __future__ import annotations

import math
import random
from itertools import combinations

import pytest

from pytest_wsstability.core.statistics.proportion import lower_bound, upper_bound
from pytest_wsstability.core.statistics.survival import (
    EndEvents,
    _log_rank_scores,
    band,
    end_events,
    loss,
    share_at,
    survival,
)


@pytest.mark.parametrize(
    ("lifetimes", "steps"),
    [
        ([], []),
        ([(120, False)] * 3, []),
        ([(60, True)], [(60, 0.0)]),
        ([(60, True), (120, False)], [(60, 0.5)]),
        # The one that was no longer watched at 20 counts until then, and not as lost.
        ([(10, True), (20, False), (30, True), (40, False)], [(10, 0.75), (30, 0.375)]),
        # Watched to the very age at which another ended: still at risk there.
        ([(10, False), (10, True)], [(10, 0.5)]),
        # 6-MP group of Freireich et al. (1963), the textbook's example.
        (
            [(6, True)] * 3
            + [
                (6, False),
                (7, True),
                (9, False),
                (10, True),
                (10, False),
                (11, False),
                (13, True),
                (16, True),
            ]
            + [(17, False), (19, False), (20, False), (22, True), (23, True), (25, False), (32, False)]
            + [(32, False), (34, False), (35, False)],
            [(6, 0.8571), (7, 0.8067), (10, 0.7529), (13, 0.6902), (16, 0.6275), (22, 0.5378), (23, 0.4482)],
        ),
    ],
)
def test_estimate(lifetimes, steps):
    """Ages and shares, in order."""
    found = survival(reversed(lifetimes))

    assert [age for age, _ in found] == [age for age, _ in steps]
    assert [share for _, share in found] == pytest.approx([share for _, share in steps], abs=5e-5)


def scipy_curve():
    """What scipy says: the shares at ages, of lifetimes."""
    stats = pytest.importorskip("scipy.stats")

    def curve_of(lifetimes):
        data = stats.CensoredData(
            uncensored=[age for age, ended in lifetimes if ended],
            right=[age for age, ended in lifetimes if not ended],
        )
        return stats.ecdf(data).sf.evaluate

    return curve_of


def lifelines_curve():
    """What lifelines says."""
    fitter = pytest.importorskip("lifelines").KaplanMeierFitter()

    def curve_of(lifetimes):
        fitter.fit([age for age, _ in lifetimes], [ended for _, ended in lifetimes])
        return fitter.survival_function_at_times

    return curve_of


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("oracle", [scipy_curve, lifelines_curve])
def test_others_agree(oracle):
    """1,000 random cases with ties and censored ones, to 1e-9."""
    curve_of, dice = oracle(), random.Random(17)
    for _ in range(1_000):
        ages = [
            dice.choice([float(dice.randint(1, 20)), dice.uniform(0, 20)]) for _ in range(dice.randint(1, 80))
        ]
        lifetimes = [(age, dice.random() < 0.6) for age in ages]
        found = survival(lifetimes)
        theirs = curve_of(lifetimes)([age for age, _ in found])

        assert [share for _, share in found] == pytest.approx(list(theirs), abs=1e-9)


TREATED = (
    [(6, True)] * 3
    + [(6, False), (7, True), (9, False), (10, True), (10, False), (11, False), (13, True), (16, True)]
    + [(17, False), (19, False), (20, False), (22, True), (23, True), (25, False), (32, False)]
    + [(32, False), (34, False), (35, False)]
)
PLACEBO = [(age, True) for age in (1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23)]


def test_a_loss_is_named_at_the_age_where_it_is_greatest():
    """The textbook's two groups: log-rank 16.79 without forgiveness for ages."""
    found = loss(TREATED, PLACEBO)

    assert found is not None
    assert found.age == 12
    assert found.was.share == pytest.approx(0.7529, abs=5e-5)
    assert found.now.share == pytest.approx(4 / 21)
    assert loss(PLACEBO, TREATED) is None
    assert loss(TREATED, TREATED) is None


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ([], [(1, True)]),
        ([(1, False)], []),
        ([(120, False)], [(60, True)]),
        ([(120, False)] * 3, [(60, True)] * 3),
    ],
)
def test_few_connections_are_no_loss(was, now):
    """Chance explains them."""
    assert loss(was, now) is None


@pytest.mark.parametrize(("age", "is_loss"), [(57.15, False), (57.14, True)])
def test_ages_are_forgiven_a_twentieth(age, is_loss):
    """60 s divided by 1.05 are 57.143 s."""
    assert (loss([(60.0, True)] * 20, [(age, True)] * 20) is not None) == is_loss


@pytest.mark.parametrize(
    ("before", "now", "told"),
    # The most draws that are one in a hundred of all, as far as the scores of ages allow.
    [
        (300, 1, 3),
        (99, 1, 1),
        (98, 1, 0),
        (10, 1, 0),
        (1, 10, 0),
        (1, 100, 1),
        (20, 2, 2),
        (5, 5, 2),
        (4, 4, 0),
    ],
)
def test_a_loss_is_chance_in_one_of_a_hundred_however_unequal_the_numbers(before, now, told):
    """Each way of drawing those of now from all is as probable as the others where nothing has changed."""
    ages = [1.06**place for place in range(before + now)]
    losses = 0
    for chosen in combinations(range(before + now), now):
        mine = [(ages[place], True) for place in chosen]
        theirs = [(age, True) for place, age in enumerate(ages) if place not in chosen]
        losses += loss(theirs, mine) is not None

    assert losses == told
    assert losses <= math.comb(before + now, now) / 100


@pytest.mark.slow
@pytest.mark.parametrize(("before", "now"), [(300, 1), (300, 5), (20, 3), (3, 20), (30, 30), (12, 60)])
@pytest.mark.parametrize("rate", [0.0005, 0.003, 0.02])
def test_a_loss_is_as_seldom_as_it_says_when_watching_ends(before, now, rate):
    """1,000 pairs of seeded samples of one distribution; 0.018 is 2.5 standard errors above 0.01."""
    dice = random.Random(before)

    def lifetimes(number):
        drawn = [dice.expovariate(rate) for _ in range(number)]
        return [(min(age, 100.0), age < 100) for age in drawn]

    assert sum(loss(lifetimes(before), lifetimes(now)) is not None for _ in range(1_000)) <= 18


def test_equal_numbers_show_a_loss():
    """Five that all ended early, of five and five; and twelve of thirty, of which three were lost before."""
    assert loss([(100.0, False)] * 5, [(float(age), True) for age in range(50, 55)]) is not None
    few = [(float(10 * place), True) for place in range(1, 4)]
    many = [(7.0 * place, True) for place in range(1, 13)]
    assert loss([*few, *[(100.0, False)] * 27], [*many, *[(100.0, False)] * 18]) is not None


def test_others_agree_on_scores():
    """Summed, they are what is lost beyond what was to be expected: lifelines, scipy in its statistic."""
    stats, dice = pytest.importorskip("scipy.stats"), random.Random(5)
    for _ in range(50):
        was, now = (
            [(float(dice.randint(1, 20)), dice.random() < 0.6) for _ in range(dice.randint(4, 40))]
            for _ in range(2)
        )
        scores = _log_rank_scores(was, now)
        data = [
            stats.CensoredData(
                uncensored=[age for age, ended in each if ended],
                right=[age for age, ended in each if not ended],
            )
            for each in (now, was)
        ]
        theirs = stats.logrank(*data)

        assert math.fsum(scores[0]) == pytest.approx(-math.fsum(scores[1]), abs=1e-9)
        assert (sum(scores[1]) > 0) == (theirs.statistic > 0)


@pytest.mark.parametrize(
    ("lifetimes", "age", "share", "low", "high"),
    [
        ([(120, False)] * 10, 120, 1.0, 0.6915, 1.0),
        ([(60, True)] * 10, 120, 0.0, 0.0, 0.3085),
        ([(60, True)] * 5 + [(120, False)] * 5, 59, 1.0, 0.6915, 1.0),
        # Clopper and Pearson's own interval of 5 of 10, as nothing was censored.
        ([(60, True)] * 5 + [(120, False)] * 5, 120, 0.5, 0.1871, 0.8129),
        # Half of them were watched until 30 only: the interval is that of fewer.
        ([(30, False)] * 5 + [(60, True)] * 2 + [(120, False)] * 3, 120, 0.6, 0.1466, 0.9473),
    ],
)
def test_share_and_interval(lifetimes, age, share, low, high):
    """As many connections as carry the estimate make the interval."""
    found = share_at(lifetimes, age)

    assert (found.share, found.low, found.high) == pytest.approx((share, low, high), abs=5e-5)


def test_a_band_without_censoring_is_clopper_and_pearsons():
    """95 of 100 are up after 9 s."""
    lifetimes = [*[(10.0, False)] * 95, *[(3.0, True)] * 3, *[(5.0, True)] * 2]
    expected = (lower_bound(95, 100), upper_bound(95, 100))

    assert band(lifetimes, 9.0) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("age", "low"), [(9.9, 0.8609), (10.0, 0.8609), (10.1, 0.0)])
def test_a_band_says_nothing_beyond_the_longest_watched(age, low):
    """Nothing was lost: not [1, 1], and no claim for an age that nobody reached."""
    assert band([(10.0, False)] * 20, age) == pytest.approx((low, 1.0), abs=5e-5)


@pytest.mark.parametrize(("age", "high"), [(9.9, 1.0), (10.0, 0.7776)])
def test_what_ends_at_an_age_is_not_up_after_it(age, high):
    """Five of ten ended at 10 s."""
    found = band([*[(10.0, True)] * 5, *[(20.0, False)] * 5], age)

    assert found[1] == pytest.approx(high, abs=5e-5)


def test_censored_connections_carry_less_but_are_not_lost():
    """Ten of twenty were watched for half the time only."""
    halved = band([*[(10.0, False)] * 10, *[(5.0, False)] * 10], 9.0)

    assert halved == pytest.approx((lower_bound(10, 10), 1.0))


@pytest.mark.slow
def test_a_band_holds_as_often_as_it_says_when_watching_ends_at_random():
    """400 seeded samples of 30 with exponential lifetimes; 0.93 is 2 standard errors below 0.95."""
    dice, low_holds, high_holds = random.Random(3), 0, 0
    true = math.exp(-20 / 50)
    for _ in range(400):
        sample = [(dice.expovariate(1 / 50), dice.uniform(0, 60)) for _ in range(30)]
        low, high = band([(min(pair), pair[0] <= pair[1]) for pair in sample], 20.0)
        low_holds += low <= true
        high_holds += high >= true

    assert low_holds >= 372
    assert high_holds >= 372


@pytest.mark.parametrize(
    ("instants", "found"),
    [
        ([], EndEvents(0, 0, 1.0)),
        ([5], EndEvents(1, 1, 1.0)),
        ([5, 20, 40], EndEvents(3, 3, 1.0)),
        ([20, 5, 6.99], EndEvents(3, 2, 5 / 3)),
        ([5, 7], EndEvents(2, 2, 1.0)),
        ([10.0 + i / 1000 for i in range(100)], EndEvents(100, 1, 100.0)),
        # One every half a second is a trickle and no event.
        ([10.0 + i / 2 for i in range(12)], EndEvents(12, 3, 4.0)),
    ],
)
def test_ends_within_two_seconds_are_one_event(instants, found):
    assert end_events(instants) == found

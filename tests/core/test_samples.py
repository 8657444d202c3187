"""Round trip times in bounded memory, against the sorted list they stand for."""

import json
import math
import random

import pytest

from pytest_wsstability.core.samples import Sample


def sample(*values):
    """Each value belongs to the instant of its position."""
    made = Sample()
    for at, value in enumerate(values):
        made.add(value, float(at))
    return made


MILLISECONDS = [number / 1000 for number in range(1, 101)]


@pytest.mark.parametrize(
    ("values", "fraction", "quantile"),
    [
        ([0.3], 0.95, 0.3),
        ([0.1, 0.2, 0.3], 0.5, 0.2),
        # The least, and not the middle of a bucket around it.
        ([0.3, 0.4], 0.0, 0.3),
        ([0.5, 0.6], 0.0, 0.5),
        # Fewer than 20: the slowest.
        (MILLISECONDS[:19], 0.95, 0.019),
        # From 20 on: the one that 95 % do not exceed.
        (MILLISECONDS[:20], 0.95, 0.019),
        (MILLISECONDS, 0.95, 0.095),
        (MILLISECONDS, 1.0, 0.1),
    ],
)
def test_quantile_of_a_few_is_exact(values, fraction, quantile):
    """The nearest rank, exact among the sixteen slowest."""
    assert sample(*values).quantile(fraction) == quantile


@pytest.mark.parametrize("fraction", [0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0])
def test_quantile_of_many_is_right_within_half_a_percent(fraction):
    """The histogram stands for the sorted list."""
    chance = random.Random(6455)
    values = [chance.lognormvariate(-3, 1.5) for _ in range(5000)]
    in_order = sorted(values)
    true = in_order[math.ceil(fraction * 5000) - 1]

    assert sample(*values).quantile(fraction) == pytest.approx(true, rel=0.00501)


@pytest.mark.parametrize(("count", "fraction"), [(17, 0.05), (18, 0.05), (18, 0.1), (40, 0.6), (40, 0.61)])
def test_quantile_is_that_of_its_rank_where_the_slowest_begin(count, fraction):
    """Sixteen are kept, and the one before them is told by the histogram."""
    values = MILLISECONDS[:count]
    true = values[math.ceil(fraction * count) - 1]

    assert sample(*values).quantile(fraction) == pytest.approx(true, rel=0.01)


def test_quantile_lies_between_the_extremes():
    """A histogram's bucket is wider than equal values, which must not be told slower than they are."""
    assert sample(*[0.1] * 1000).quantile(0.5) == 0.1


def test_an_empty_sample_has_no_quantile():
    """Nothing was measured, so nothing is said."""
    with pytest.raises(ValueError, match=r"^no quantile of an empty sample$"):
        Sample().quantile(0.95)


@pytest.mark.parametrize(
    ("values", "limit", "above"),
    [
        ([], 1.0, 0),
        ([1.0, 2.0, 3.0], 2.0, 1),
        ([1.0, 2.0, 3.0], 1.999, 2),
        ([2.0] * 10, 2.0, 0),
        # More than sixteen: whole buckets above the limit.
        ([1.0] * 30 + [5.0] * 40, 2.0, 40),
        ([5.0] * 40, 5.0, 0),
        ([0.0] * 30, 0.0, 0),
        ([3.0] * 16 + [1.0] * 50, 2.0, 16),
    ],
)
def test_above_counts_what_is_longer(values, limit, above):
    """A value equal to the limit is not above it."""
    assert sample(*values).above(limit) == above


def test_above_never_counts_too_many():
    """Beyond sixteen the count may miss those within one percent of the limit, and blames no other."""
    chance = random.Random(6455)
    values = [chance.uniform(0.01, 1.0) for _ in range(2000)]
    true = sum(value > 0.5 for value in values)
    near = sum(0.5 < value <= 0.505 for value in values)

    assert true - near <= sample(*values).above(0.5) <= true


def test_the_slowest_come_with_their_instants():
    """The slowest above a limit, in the order in which they happened; sixteen at most."""
    assert sample(1.0, 9.0, 2.0, 8.0).slowest_above(2.0) == [(1.0, 9.0), (3.0, 8.0)]

    many = sample(*[5.0] * 20, 6.0)
    assert len(many.slowest_above(1.0)) == 16
    assert many.slowest_above(1.0)[-1] == (20.0, 6.0)

    # Each keeps its own instant, whichever were pushed out before it.
    rising = sample(
        *(float(number) for number in range(30, 0, -1)), *(float(number) for number in range(31, 41))
    )
    assert rising.slowest_above(34.0) == [(float(30 + n), float(31 + n)) for n in range(4, 10)]
    assert rising.slowest_above(24.0)[:6] == [(float(n), float(30 - n)) for n in range(6)]


def test_extremes_are_exact():
    """Minimum, maximum and count are not estimates."""
    made = sample(*(number / 7 for number in range(1, 1000)))

    assert (made.count, made.minimum, made.maximum) == (999, 1 / 7, 999 / 7)


def filled(*values):
    sample = Sample()
    for number, value in enumerate(values):
        sample.add(value, float(number))
    return sample


@pytest.mark.parametrize("count", [0, 1, 16, 17, 400])
def test_there_and_back(count):
    """A sample in a report is the sample."""
    sample = filled(*(0.001 * (1 + n % 37) for n in range(count)))
    back = Sample.from_dict(json.loads(json.dumps(sample.as_dict())))

    assert back.as_dict() == sample.as_dict()
    assert (back.count, back.above(0.01)) == (sample.count, sample.above(0.01))
    if count:
        assert back.quantile(0.95) == pytest.approx(sample.quantile(0.95), abs=1e-9)


def test_merging_is_adding_the_counts():
    """The quantile of both is that of one sample of all; the mean of two quantiles would be another."""
    one, other = [0.01 * n for n in range(1, 31)], [0.5 + 0.001 * n for n in range(100)]
    merged = filled(*one)
    merged.merge(filled(*other))

    together = filled(*one, *other)
    assert (merged.count, merged.minimum, merged.maximum) == (130, 0.01, 0.599)
    assert [merged.quantile(q) for q in (0.5, 0.95)] == [together.quantile(q) for q in (0.5, 0.95)]
    assert merged.above(0.55) == together.above(0.55)


def test_ddsketch_agrees():
    """The sums of seven parts, whose errors of half a percent and of one part in 10,000 may add up."""
    sketches = pytest.importorskip("ddsketch")
    dice, ours, theirs = random.Random(17), Sample(), sketches.DDSketch(relative_accuracy=0.005)
    for _ in range(7):
        mine, sketch = Sample(), sketches.DDSketch(relative_accuracy=0.005)
        for _ in range(1_500):
            value = dice.lognormvariate(-4, 1)
            mine.add(value, 0.0)
            sketch.add(value)
        ours.merge(mine)
        theirs.merge(sketch)

    assert ours.count == theirs.count == 10_500
    for fraction in (0.01, 0.25, 0.5, 0.75, 0.95, 0.99):
        assert ours.quantile(fraction) == pytest.approx(theirs.get_quantile_value(fraction), rel=0.02)


@pytest.mark.parametrize("split", [0, 1, 8, 15, 16, 17, 24])
@pytest.mark.parametrize("count", [15, 16, 17, 40])
def test_merging_few_and_many(count, split):
    """Up to sixteen are kept as they are, beyond that they are counted: together it is one sample."""
    values = [0.001 * (1 + n * 7 % 40) for n in range(count)]
    merged, together = filled(*values[:split]), filled(*values)
    other = Sample()
    for at, value in list(enumerate(values))[split:]:
        other.add(value, float(at))
    merged.merge(other)

    assert merged.as_dict() == together.as_dict()
    assert merged.histogram([0.01, 0.02]) == together.histogram([0.01, 0.02])
    assert [merged.quantile(q) for q in (0.01, 0.5, 1.0)] == [together.quantile(q) for q in (0.01, 0.5, 1.0)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"buckets": [[700, 1]]}, r"^a sample of 2 whose buckets hold 1$"),
        ({"slowest": [[0.0, 0.1]]}, r"^a sample of 2 of which the slowest are 1$"),
        ({"max": 0.3}, r"^a sample whose slowest is 0\.2, and not 0\.3$"),
    ],
)
def test_a_sample_that_contradicts_itself_is_refused(changes, said):
    """What is read from a file fits together, or is told."""
    with pytest.raises(ValueError, match=said):
        Sample.from_dict({**filled(0.1, 0.2).as_dict(), **changes})


@pytest.mark.parametrize(("fraction", "needed"), [(0.5, 5), (0.95, 59), (0.99, 299)])
def test_how_many_a_quantile_needs(fraction, needed):
    """With one less, 95 % confidence has no upper bound in the sample."""
    assert not filled(*[0.01] * (needed - 1)).carries(fraction)
    assert filled(*[0.01] * needed).carries(fraction)
    assert 1 - fraction**needed >= 0.95 > 1 - fraction ** (needed - 1)


@pytest.mark.parametrize(("seconds", "told"), [(0.0, 0.0), (0.99e-6, 0.0), (1e-6, 1e-6), (1e-3, 1e-3)])
def test_what_takes_less_than_a_microsecond_takes_no_time(seconds, told):
    """Beside others that took none, and some that were slow."""
    sample = filled(*[0.0] * 5, *[seconds] * 20, *[1.0] * 16)

    assert sample.quantile(0.5) == pytest.approx(told, rel=0.00501)

"""What connections that ended have in common, and what they only seem to."""

import dataclasses
import random

import pytest

from pytest_wsstability.core.fleet.frame import Ending, Fate
from pytest_wsstability.core.fleet.groups import group_endings, network_of
from pytest_wsstability.core.fleet_summary import Feature


def said(group):
    return [str(each) for each in group.shared]


def ending(number, age, opened, *, silence=0.0, cause="restart", served_by=""):
    return Ending(
        number=number,
        fate=Fate.ENDED,
        age=age,
        at=opened + age,
        silence=silence,
        cause=cause,
        served_by=served_by,
    )


def groups(endings, *, workers=None, backends=None, of=1, one_clock=False):
    return group_endings(
        endings,
        workers=workers or {"0": 100},
        backends=backends or {},
        worker_of=lambda each: str(each.number % of),
        one_clock=one_clock,
    )


def features(endings, **values):
    return [shared.feature for shared in groups(endings, **values)[0].shared]


def spread(count, seed=1, *, over=30.0):
    dice = random.Random(seed)
    return [dice.uniform(0, over) for _ in range(count)]


def test_one_instant_of_connections_that_opened_at_different_times():
    """A restart at 61.2 s: their ages are spread as their openings were."""
    endings = [ending(n, 61.2 - opened, opened) for n, opened in enumerate(spread(40))]
    (group,) = groups(endings)

    assert [each.feature for each in group.shared] == [Feature.INSTANT]
    assert (group.cause, len(group), said(group)) == ("restart", 40, ["one instant, 61.2 s"])


def test_one_age_of_connections_that_opened_at_different_times():
    endings = [ending(n, 60.0, opened, cause="maximum age") for n, opened in enumerate(spread(40))]

    assert features(endings) == [Feature.AGE]
    (group,) = groups(endings)
    assert (group.cause, len(group), said(group)) == ("maximum age", 40, ["one age, 60 s"])


def test_one_silence_though_the_last_bytes_came_at_different_ages():
    """An idle timeout of 60 s."""
    pairs = zip(spread(40), spread(40, 2), strict=True)
    endings = [ending(n, heard + 60, opened, silence=60) for n, (opened, heard) in enumerate(pairs)]

    assert features(endings) == [Feature.SILENCE]


@pytest.mark.parametrize("interval", [1.2, 1.6, 2.0, 2.2])
@pytest.mark.parametrize("longer", [(), (8.0,), (5.0, 20.0, 8.0)])
def test_ends_between_two_heartbeats_are_no_silence(interval, longer):
    """
    Where heartbeats are so close, silences are within two seconds of each other, whatever ended them.

    One connection in ten may have been silent for longer, as one whose heartbeats were late.

    """
    seen = []
    for seed in range(20):
        silences = [*longer, *spread(30 - len(longer), seed + 200, over=interval)]
        rows = zip(spread(30, seed), spread(30, seed + 100, over=600), silences, strict=True)
        seen += features([ending(n, age, at, silence=quiet) for n, (at, age, quiet) in enumerate(rows)])

    assert len(seen) <= 2


@pytest.mark.parametrize(("width", "shares"), [(1.0, [Feature.SILENCE]), (2.0, [])])
def test_a_timer_of_a_second_that_is_looked_at_once_a_second_is_one_silence(width, shares):
    """Silences of one to two seconds; of nothing to two they are what heartbeats leave."""
    heard = zip(spread(40), spread(40, 2, over=600), spread(40, 3, over=width), strict=True)
    endings = [
        ending(n, at + late + 2 - width, opened, silence=late + 2 - width)
        for n, (opened, at, late) in enumerate(heard)
    ]

    assert features(endings) == shares


def test_an_age_that_is_an_instant_is_neither():
    """All opened at once: nothing tells the two from each other."""
    assert features([ending(n, 60.0, 0.0) for n in range(40)]) == []


@pytest.mark.parametrize("after", [40, 600, 3600])
@pytest.mark.parametrize(("width", "shares"), [(2.2, [Feature.INSTANT]), (2.4, [])])
def test_what_is_one_instant(width, shares, after):
    """Two seconds for nine in ten of them, however late: a restart of one backend after another is none."""
    instants = [after + width * n / 39 for n in range(40)]
    endings = [
        ending(n, at - opened, opened)
        for n, (at, opened) in enumerate(zip(instants, spread(40), strict=True))
    ]

    assert features(endings) == shares


@pytest.mark.parametrize(("width", "shares"), [(33.0, [Feature.AGE]), (35.0, [])])
def test_what_is_one_age(width, shares):
    """Of ten minutes a twentieth, for nine in ten of them."""
    ages = [600 + width * n / 39 - width / 2 for n in range(40)]
    opened = random.Random(3).sample(range(0, 600, 10), 40)

    assert (
        features([ending(n, age, at) for n, (age, at) in enumerate(zip(ages, opened, strict=True))]) == shares
    )


def test_ends_at_random_share_nothing():
    """20 seeds; one in a hundred may seem to."""
    seen = []
    for seed in range(20):
        pairs = zip(spread(30, seed), spread(30, seed + 100, over=120), strict=True)
        seen += features([ending(n, age, opened) for n, (opened, age) in enumerate(pairs)])

    assert len(seen) <= 2


def test_one_that_has_a_reason_of_its_own_does_not_hide_the_others():
    endings = [ending(n, 61.2 - opened, opened) for n, opened in enumerate(spread(40))]
    endings.append(ending(99, 200.0, 3.0))

    assert features(endings) == [Feature.INSTANT]


@pytest.mark.parametrize(("count", "shares"), [(3, []), (6, [Feature.INSTANT])])
def test_a_few_share_everything(count, shares):
    assert features([ending(n, 61.2 - opened, opened) for n, opened in enumerate(spread(count))]) == shares


@pytest.mark.parametrize(("one_clock", "shares"), [(False, []), (True, [Feature.INSTANT])])
def test_instants_of_different_clocks_are_not_compared(one_clock, shares):
    """Several workers of one machine have one clock."""
    endings = [ending(n, 61.2 - opened, opened) for n, opened in enumerate(spread(40))]

    assert features(endings, workers={"0": 20, "1": 20}, of=2, one_clock=one_clock) == shares


@pytest.mark.parametrize(
    ("behind", "shares"),
    [(["b"] * 20, [Feature.BACKEND]), (["a", "b", "c"] * 7, []), (["b"] * 19 + ["a"], [Feature.BACKEND])],
)
def test_a_backend_that_has_more_than_its_share(behind, shares):
    ages = spread(len(behind), 4, over=200)
    endings = [ending(n, age, 0.0, served_by=b) for n, (age, b) in enumerate(zip(ages, behind, strict=True))]

    assert features(endings, backends={"a": 30, "b": 30, "c": 30}) == shares


def test_the_only_backend_is_shared_by_all_and_no_reason():
    ages = spread(20, 4, over=200)
    endings = [ending(n, age, 0.0, served_by="b") for n, age in enumerate(ages)]

    assert features(endings, backends={"b": 60}) == []


@pytest.mark.parametrize(
    ("behind", "backends", "shares"),
    [
        (["b"] * 20, {"a": 30, "b": 20}, [Feature.BACKEND]),
        # More of one backend than were told to have opened there.
        (["b"] * 20, {"a": 30, "b": 19}, []),
        # More than were told to have opened at all.
        (["b"] * 19 + ["a"], {"a": 0, "b": 19}, []),
    ],
)
def test_a_backend_of_which_more_ended_than_opened(behind, backends, shares):
    """A frame that told of openings may never have come: what was not counted has no odds."""
    ages = spread(len(behind), 4, over=200)
    endings = [ending(n, age, 0.0, served_by=b) for n, (age, b) in enumerate(zip(ages, behind, strict=True))]

    assert features(endings, backends=backends) == shares


def test_a_worker_that_has_more_than_its_share():
    ages = spread(20, 4, over=200)
    endings = [ending(2 * n, age, age / 7) for n, age in enumerate(ages)]

    assert features(endings, workers={"0": 60, "1": 60}, of=2) == [Feature.WORKER]


def test_the_largest_group_comes_first():
    endings = [ending(n, 60.0 + n, 0.0) for n in range(5)]
    endings += [ending(n, 90.0 + n, 0.0, cause="") for n in range(7)]
    found = groups(endings)

    assert [(group.cause, len(group)) for group in found] == [("undetermined", 7), ("restart", 5)]
    assert said(found[1]) == []


def test_the_same_endings_give_the_same_groups():
    endings = [ending(n, 61.2 - opened, opened) for n, opened in enumerate(spread(40))]

    assert groups(endings) == groups(endings)


@pytest.mark.parametrize(
    ("regions", "expected"),
    [
        # Two workers of a region that is lost, and two that are not.
        (("eu", "eu", "us", "us"), ["all with REGION=eu"]),
        # All have one label: it says nothing.
        (("eu", "eu", "eu", "eu"), []),
        (None, []),
    ],
)
def test_a_label_that_those_that_ended_share(regions, expected):
    """Those of the first two of four workers, at ages that have nothing in common."""
    endings = [
        ending(number, age=5.0 + 37.0 * place % 50, opened=0.0)
        for place, number in enumerate(number for number in range(80) if number % 4 < 2)
    ]
    labels = {str(n): (f"REGION={region}", "KIND=small") for n, region in enumerate(regions or ())}
    (group,) = group_endings(
        endings,
        workers={str(n): 20 for n in range(4)},
        backends={},
        worker_of=lambda each: str(each.number % 4),
        labels=labels,
    )

    assert [word for word in said(group) if word.startswith("all with")] == expected


def test_a_subnet_that_ends():
    """Ten of a hundred ended, all of the twenty that came from one network."""
    ended = [
        dataclasses.replace(ending(number, 10.0 + 7 * number, 3.0 * number), subnet="127.0.2.0/24")
        for number in range(10)
    ]
    (group,) = group_endings(
        ended,
        workers={"0": 100},
        backends={},
        worker_of=lambda each: "0",
        subnets={"127.0.1.0/24": 80, "127.0.2.0/24": 20},
    )
    (alone,) = group_endings(
        ended, workers={"0": 100}, backends={}, worker_of=lambda each: "0", subnets={"127.0.2.0/24": 100}
    )

    assert said(group) == ["all from 127.0.2.0/24"]
    assert said(alone) == []


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        # All that was watched: that none of the others' ended there was not seen.
        (lambda number: "a" if number % 2 == 0 else "b", []),
        # One of two backends, to which both workers had connections.
        (lambda number: "a", ["all behind a"]),
    ],
)
def test_a_worker_that_was_lost_is_no_comparison(behind, expected):
    """Worker 1, its region and its backend: its connections may have ended too, for all that is known."""
    endings = [
        ending(number, age=5.0 + 37.0 * number % 50, opened=0.0, served_by=behind(number))
        for number in range(0, 40, 2)
    ]
    (group,) = group_endings(
        endings,
        workers={"0": 40, "1": 40},
        unwatched=["1"],
        backends={"a": 40} if behind(1) == "b" else {"a": 20, "b": 20},
        worker_of=lambda each: str(each.number % 2),
        labels={"0": ("REGION=eu",), "1": ("REGION=us",)},
    )

    assert said(group) == expected


@pytest.mark.parametrize(("others", "expected"), [("a", ["all behind a"]), ("b", [])])
def test_what_a_lost_worker_told_before_is_told_too(others, expected):
    """What is said of a group is true of those that are not compared."""
    endings = [
        ending(number, age=5.0 + 37.0 * number % 50, opened=0.0, served_by="a" if number % 2 == 0 else others)
        for number in range(20)
    ]
    (group,) = group_endings(
        endings,
        workers={"0": 40, "1": 40},
        unwatched=["1"],
        backends={"a": 20, "b": 20},
        worker_of=lambda each: str(each.number % 2),
    )

    assert said(group) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [("10.1.2.3", "10.1.2.0/24"), ("2001:db8::5", "2001:db8::/64"), ("/run/socket", ""), ("", "")],
)
def test_the_network_of_an_address(address, network):
    assert network_of(address) == network

"""What a fleet has to show: three verdicts by bounds, pinned on both sides of each."""

import random
import re

import pytest

from pytest_wsstability.core.fleet.frame import Ending, FanoutCounts, Fate, Frame, Return
from pytest_wsstability.core.fleet.merge import FleetMerge
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import Drain, FleetReconnects, FleetRequirement, busiest_second
from pytest_wsstability.core.judge.verdict import Outcome, Reason, Rule
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.timeline.events import Tier

STABLE, UNSTABLE, INCONCLUSIVE = Outcome.STABLE, Outcome.UNSTABLE, Outcome.INCONCLUSIVE


def fleet(of, *, ended=0, rotated=0, refused=0, unobserved=0, held=0, age=30.0):
    """A fleet of so many, of which these were not stable at 60 s; ``held`` ones are not over."""
    fates = [Fate.ENDED] * ended + [Fate.ROTATED] * rotated + [Fate.REFUSED] * refused
    fates += [Fate.UNOBSERVED] * unobserved
    endings = tuple(
        Ending(number=number, fate=fate, age=0.0 if fate is Fate.REFUSED else age, at=age)
        for number, fate in enumerate(fates)
    )
    merge = FleetMerge(FleetPlan(connections=of, hold=60.0))
    last = of - held - 1
    stable = ((len(fates), last),) if last >= len(fates) else ()
    merge.add(Frame(slot=0, attempt=1, sequence=0, at=60.0, endings=endings, stable=stable, is_last=not held))
    return merge


def check(merge, **asked):
    return FleetRequirement(**asked).check(merge, tier=Tier.VIRTUAL)


@pytest.mark.parametrize(
    ("of", "ended", "survival", "outcome"),
    [
        (2_995, 0, 0.999, STABLE),
        (2_994, 0, 0.999, INCONCLUSIVE),
        (4_742, 1, 0.999, STABLE),
        (4_741, 1, 0.999, INCONCLUSIVE),
        # Six or more of 3,000 end in 8 %, seven or more in 3 % of such fleets if 0.999 live on.
        (3_000, 6, 0.999, INCONCLUSIVE),
        (3_000, 7, 0.999, UNSTABLE),
        (59, 0, 0.95, STABLE),
        (58, 0, 0.95, INCONCLUSIVE),
        (20, 3, 0.95, INCONCLUSIVE),
        (20, 4, 0.95, UNSTABLE),
        (20, 20, 0.5, UNSTABLE),
    ],
)
def test_the_bounds_decide(of, ended, survival, outcome):
    assert check(fleet(of, ended=ended), survival=survival).outcome is outcome


@pytest.mark.parametrize(("confidence", "outcome"), [(0.9, STABLE), (0.95, INCONCLUSIVE)])
def test_more_confidence_asks_for_more(confidence, outcome):
    """2,302 without a loss: 0.999 with 90 %."""
    assert check(fleet(2_302), survival=0.999, confidence=confidence).outcome is outcome


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        ({}, STABLE),
        ({"ended": 1}, UNSTABLE),
        ({"rotated": 3}, STABLE),
        ({"unobserved": 1}, INCONCLUSIVE),
        ({"unobserved": 1, "ended": 1}, UNSTABLE),
        ({"held": 1}, INCONCLUSIVE),
        ({"refused": 1}, UNSTABLE),
    ],
)
def test_without_a_share_all_have_to_live(parts, outcome):
    assert check(fleet(100, **parts)).outcome is outcome


@pytest.mark.parametrize(("unobserved", "outcome"), [(0, STABLE), (1, INCONCLUSIVE), (2_000, INCONCLUSIVE)])
def test_whoever_was_not_watched_may_have_been_lost(unobserved, outcome):
    verdict = check(fleet(2_995, unobserved=unobserved), survival=0.999)

    assert verdict.outcome is outcome
    assert [doubt.reason for doubt in verdict.doubts] == [Reason.UNOBSERVED] * bool(unobserved)


@pytest.mark.parametrize(
    ("doubted", "lost", "survival", "text"),
    [
        (3, 0, None, "3 of 10 in doubt, such as connection 0: no ping was answered"),
        (
            3,
            2,
            None,
            "2 of 10 connections were not observed to their end; 3 of 10 in doubt, such as connection 0: no "
            "ping was answered; 2 of 10 connections of worker 0 unobserved from 60 s on: it was stopped",
        ),
        (
            3,
            0,
            0.5,
            "between 39.338% and 100% live on, 50% is asked; 3 of 10 in doubt, such as connection 0: no ping "
            "was answered",
        ),
        (
            0,
            3,
            0.5,
            "between 39.338% and 100% live on, 50% is asked; 3 of 10 connections were not observed to their "
            "end",
        ),
    ],
)
def test_who_was_watched_and_is_in_doubt_is_not_said_to_be_unobserved(doubted, lost, survival, text):
    endings = tuple(
        Ending(number=number, fate=Fate.UNOBSERVED, age=60.0, at=60.0, headline="no ping was answered")
        for number in range(doubted)
    )
    merge = FleetMerge(FleetPlan(connections=10, hold=60.0))
    merge.add(
        Frame(
            slot=0, attempt=1, sequence=0, at=60.0, opened=10, endings=endings, stable=((doubted, 9 - lost),),
            is_last=True,
        )
    )  # fmt: skip

    assert [doubt.text for doubt in check(merge, survival=survival).doubts] == [text]


@pytest.mark.parametrize(
    ("asked", "unobserved", "age", "reasons"),
    [
        ({}, 2, 30.0, []),
        ({"drain": Drain(per_second=5)}, 0, 30.0, []),
        # Two may be lost, but neither at once nor with any code.
        ({"drain": Drain(per_second=5)}, 2, 30.0, [Reason.UNOBSERVED]),
        ({"reconnects": FleetReconnects(within="10s")}, 2, 30.0, [Reason.UNOBSERVED]),
        ({"fanout_within": 1.0}, 2, 30.0, [Reason.UNOBSERVED]),
        # What never opened has nothing to show.
        ({"drain": Drain(per_second=5), "refused_max": 0.02}, 2, 0.0, []),
    ],
)
def test_a_share_that_may_end_does_not_answer_for_what_is_asked_of_each(asked, unobserved, age, reasons):
    merge = fleet(100, unobserved=unobserved, age=age)
    sent = Sample()
    sent.add(0.1, 1.0)
    merge.fanout, merge.fanout_times = FanoutCounts(messages=1), sent
    verdict = check(merge, survival=0.9, **asked)

    assert [doubt.reason for doubt in verdict.doubts] == reasons
    assert not verdict.violations


def test_whoever_was_not_watched_may_have_lived():
    """Seven of 3,000 ended, which is too many; had the 100 unobserved ones lived it still would be."""
    assert check(fleet(3_000, ended=7, unobserved=100), survival=0.999).outcome is UNSTABLE
    assert check(fleet(3_000, ended=6, unobserved=2_994), survival=0.999).outcome is INCONCLUSIVE


@pytest.mark.parametrize(("ended", "outcome"), [(6, INCONCLUSIVE), (7, UNSTABLE)])
def test_it_is_over_early_only_if_the_others_cannot_change_it(ended, outcome):
    """2,000 of 3,000 are still held; none of them may end."""
    verdict = check(fleet(3_000, ended=ended, held=2_000), survival=0.999)

    assert verdict.outcome is outcome
    assert [doubt.reason for doubt in verdict.doubts] == ([Reason.TOO_SHORT] if ended == 6 else [])


def test_a_pass_is_never_early():
    assert check(fleet(10_000, held=1), survival=0.9).outcome is INCONCLUSIVE


def test_planned_rotations_show_nothing_for_the_time_after_them():
    """60 connections, of which 20 rotated half way: 40 are fewer than the 59 that 0.95 needs."""
    assert check(fleet(80, rotated=20), survival=0.95).outcome is STABLE
    assert check(fleet(60, rotated=20), survival=0.95).outcome is INCONCLUSIVE


@pytest.mark.parametrize(
    ("parts", "age", "outcome"),
    [
        # 8 of 100: Clopper and Pearson's lower bound is 0.86, whenever the loss was told.
        ({"ended": 8}, 59.9, INCONCLUSIVE),
        ({"ended": 8}, 60.0, INCONCLUSIVE),
        # A proof of life that did not come, a heartbeat that was overdue after the end.
        ({"ended": 8}, 65.0, INCONCLUSIVE),
        ({"ended": 4}, 65.0, STABLE),
        ({"unobserved": 8}, 59.9, INCONCLUSIVE),
        ({"unobserved": 8}, 60.0, INCONCLUSIVE),
        ({"unobserved": 100}, 60.001, INCONCLUSIVE),
        ({"unobserved": 4}, 60.001, STABLE),
        # Who was rotated after the end has lived to it.
        ({"rotated": 100}, 60.0, STABLE),
        ({"rotated": 100}, 65.0, STABLE),
        ({"rotated": 100}, 59.9, INCONCLUSIVE),
    ],
)
def test_what_is_told_after_the_hold_belongs_to_it(parts, age, outcome):
    """Else whoever is silent at the end, or in doubt, would have lived through it."""
    assert check(fleet(100, **parts, age=age), survival=0.9).outcome is outcome


def test_no_lower_bound_is_above_the_upper_one():
    """300 fleets of random fates and ages, before the end of the hold, at it and after it."""
    dice = random.Random(7)
    kinds = (Fate.STABLE, Fate.ENDED, Fate.ROTATED, Fate.REFUSED, Fate.UNOBSERVED)
    for _ in range(300):
        of = dice.choice((1, 2, 5, 30, 100))
        fates = dice.choices(kinds, [dice.random() ** 4 for _ in kinds], k=of)
        endings = tuple(
            Ending(number=number, fate=fate, age=dice.choice((0.0, 30.0, 59.9, 60.0, 60.001, 70.0)), at=60.0)
            for number, fate in enumerate(fates)
            if fate is not Fate.STABLE
        )
        stable = tuple((number, number) for number, fate in enumerate(fates) if fate is Fate.STABLE)
        merge = FleetMerge(FleetPlan(connections=of, hold=60.0))
        merge.add(Frame(slot=0, attempt=1, sequence=0, at=70.0, endings=endings, stable=stable, is_last=True))
        asked = FleetRequirement(survival=0.9, confidence=dice.choice((0.5, 0.9, 0.95, 0.999)))
        least, most = asked.bounds(merge)

        assert 0 <= least <= most <= 1, (fates, endings)


@pytest.mark.parametrize(("refused", "outcome"), [(1, STABLE), (2, UNSTABLE)])
def test_openings_are_a_share_of_their_own(refused, outcome):
    verdict = check(fleet(1_000, refused=refused), survival=0.99, refused_max=0.001)

    assert verdict.outcome is outcome
    assert [each.rule for each in verdict.violations] == [Rule.OPENED] * (refused - 1)


@pytest.mark.parametrize(
    ("refused_max", "of", "allowed"),
    [(0.29, 100, 29), (0.07, 100, 7), (0.1, 30, 3), (0.299, 100, 29), (0.2899999, 100, 28), (0.01, 99, 0)],
)
def test_a_share_of_the_plan_is_a_number_of_connections(refused_max, of, allowed):
    """0.29 of 100 is 29, though the product of floats is a little less."""
    for refused, outcome in ((allowed, STABLE), (allowed + 1, UNSTABLE)):
        verdict = check(fleet(of, refused=refused), survival=0.5, refused_max=refused_max)

        assert verdict.outcome is outcome


def half_opened(*, refused, excused=0, shortage=0, lost=0):
    """A hundred of two workers: why some did not open, or nobody saw whether they did."""
    merge = FleetMerge(FleetPlan(connections=100, hold=60.0, workers=2), heartbeat_within=5.0)
    fates = [Fate.REFUSED] * refused + [Fate.UNOBSERVED] * shortage
    endings = [Ending(number=2 * place, fate=fate, age=0.0, at=1.0) for place, fate in enumerate(fates)]
    merge.add(Frame(slot=0, attempt=1, sequence=0, at=1.0, endings=tuple(endings)))
    late = tuple(
        Ending(number=2 * (len(fates) + place), fate=Fate.REFUSED, age=0.0, at=2.0)
        for place in range(excused)
    )
    merge.add(Frame(slot=0, attempt=1, sequence=1, at=2.0, lag=0.51, endings=late))
    stable = ((2 * (len(fates) + excused), 98),)
    opened = 50 - len(fates) - excused
    merge.add(Frame(slot=0, attempt=1, sequence=2, at=60.0, opened=opened, stable=stable, is_last=True))
    stable = ((1, 99 - 2 * lost),)
    merge.add(Frame(slot=1, attempt=1, sequence=0, at=60.0, opened=50 - lost, stable=stable))
    merge.lose(1, "it was silent for 6 s")
    return merge


@pytest.mark.parametrize(
    ("merge", "refused_max", "doubt"),
    [
        (half_opened(refused=0), 0.0, None),
        (half_opened(refused=0, excused=1), 0.0, "1 of 100 were not seen to open, where all have to"),
        (half_opened(refused=0, shortage=1), 0.0, "1 of 100 were not seen to open, where all have to"),
        (half_opened(refused=0, lost=1), 0.0, "1 of 100 were not seen to open, where all have to"),
        # They decide nothing.
        (half_opened(refused=2, excused=1, shortage=1, lost=1), 0.05, None),
        (
            half_opened(refused=2, excused=2, shortage=1, lost=1),
            0.05,
            "4 of 100 were not seen to open, 2 more did not, where at most 5 may not",
        ),
    ],
)
def test_an_opening_that_nobody_saw_is_in_doubt(merge, refused_max, doubt):
    """It is no refusal, and no opening either; with a share to live nothing else would say so."""
    verdict = check(merge, survival=0.8, refused_max=refused_max)

    assert verdict.outcome is (INCONCLUSIVE if doubt else STABLE)
    assert [each.text for each in verdict.doubts] == ([doubt] if doubt else [])
    assert {each.reason for each in verdict.doubts} <= {Reason.UNOBSERVED}


def test_too_many_refusals_are_too_many_whatever_nobody_saw():
    verdict = check(half_opened(refused=2, excused=3), survival=0.8, refused_max=0.01)

    assert [each.rule for each in verdict.violations] == [Rule.OPENED]


def test_a_fleet_that_did_not_open_shows_nothing():
    verdict = check(fleet(10, refused=10), survival=0.9, refused_max=0.99)

    assert verdict.outcome is UNSTABLE
    assert [doubt.text for doubt in check(fleet(1), survival=0.5).doubts] != ["no connection opened"]


@pytest.mark.parametrize(
    ("parts", "age", "covered"),
    [
        ({}, 30.0, 60.0),
        ({"refused": 100}, 30.0, 0.0),
        ({"rotated": 100}, 30.0, 30.0),
        ({"rotated": 99}, 30.0, 60.0),
        ({"unobserved": 100}, 30.0, 30.0),
        # What has ended does not live on.
        ({"ended": 1, "rotated": 99}, 30.0, 60.0),
        ({"held": 1, "rotated": 99}, 30.0, 60.0),
    ],
)
def test_nothing_is_claimed_beyond_what_was_watched(parts, age, covered):
    assert check(fleet(100, **parts, age=age)).horizon == covered


def test_an_undecided_fleet_says_how_many_would_decide():
    (nothing_lost,) = check(fleet(20), survival=0.999).doubts
    (some_lost,) = check(fleet(3_000, ended=3), survival=0.9985).doubts

    assert nothing_lost.text == (
        "between 86.089% and 100% live on, 99.9% is asked; "
        "2,995 connections would decide if none of them ends"
    )
    assert some_lost.text.endswith(" connections would decide if the same share of them ends")
    needed = int(some_lost.text.partition("; ")[2].partition(" ")[0].replace(",", ""))
    decided = check(fleet(needed, ended=round(needed / 1_000)), survival=0.9985)
    undecided = check(fleet(needed - 1, ended=round((needed - 1) / 1_000)), survival=0.9985)
    assert (decided.outcome, undecided.outcome) == (STABLE, INCONCLUSIVE)


@pytest.mark.parametrize(
    ("connections", "text"),
    [
        (20, "20 connections can show at most 0.861; 0.999 needs 2,995"),
        # With as many digits as tell it from what is asked.
        (2_990, "2,990 connections can show at most 0.998999; 0.999 needs 2,995"),
        (2_994, "2,994 connections can show at most 0.9989999; 0.999 needs 2,995"),
        (2_995, None),
    ],
)
def test_what_cannot_be_shown_is_told_before(connections, text):
    assert FleetRequirement(survival=0.999).forecast(connections) == text
    assert FleetRequirement().forecast(connections) is None


def test_a_share_that_is_almost_all_is_told_as_it_was_written():
    """It was rounded to all: "1 needs ..." and "100% of connections"."""
    forecast = FleetRequirement(survival=0.9999999).forecast(20)
    (violation,) = check(fleet(20, ended=20), survival=0.9999995).violations

    assert forecast == "20 connections can show at most 0.861; 0.9999999 needs 29,957,322"
    assert violation.expected == "99.99995% of connections live for 60 s"


def test_bounds_are_told_from_what_is_asked():
    """The lower one is below it, by less than five digits show."""
    doubt = check(fleet(2_994), survival=0.999).doubts[0].text

    assert doubt.startswith("between 99.89999% and 100% live on, 99.9% is asked; ")


@pytest.mark.parametrize(
    ("instants", "most"),
    [
        ([], (0, 0.0)),
        ([5.0], (1, 5.0)),
        ([5.0, 6.0], (1, 5.0)),
        ([5.0, 5.99, 6.5], (2, 5.0)),
        ([1, 1, 9], (2, 1)),
    ],
)
def test_the_busiest_second(instants, most):
    assert busiest_second(instants) == most


def drained(*ends, fate=Fate.ROTATED, closed_here=False, lag=0.0):
    """All ended by plan, which was told at 60 s; the worker lagged so much between 30 and 31 s."""
    merge = FleetMerge(FleetPlan(connections=len(ends), hold=60.0))
    endings = tuple(
        Ending(number=number, fate=fate, age=at, at=at, code=code, closed_here=closed_here)
        for number, (at, code) in enumerate(ends)
    )
    for sequence, (at, seconds) in enumerate([(30.0, 0.0), (31.0, lag)]):
        merge.add(Frame(slot=0, attempt=1, sequence=sequence, at=at, lag=seconds))
    merge.add(Frame(slot=0, attempt=1, sequence=2, at=60.0, endings=endings, is_last=True))
    return check(merge, drain=Drain(per_second=2))


@pytest.mark.parametrize(
    ("ends", "observed"),
    [
        ([(1, 1001), (1.5, 1012), (2, 1001)], []),
        ([(1, 1001), (1.5, 1001), (1.9, 1001)], ["3 ended in the second from 1 s on"]),
        ([(1, 1001), (5, 1006)], ["1 with 1006 (abnormal closure)"]),
        ([(1, 1001), (5, None)], ["1 with 1006 (abnormal closure)"]),
        ([(1, 1000), (5, 4001), (9, 1000)], ["2 with 1000 (normal closure), 1 with 4001"]),
        ([(each, 4001) for each in range(1_000)], ["1,000 with 4001"]),
    ],
)
def test_a_drain_is_slow_and_says_so(ends, observed):
    verdict = drained(*ends)

    assert [each.rule for each in verdict.violations] == [Rule.DRAIN] * len(observed)
    for violation, text in zip(verdict.violations, observed, strict=True):
        assert violation.observed.startswith(text)


@pytest.mark.parametrize(
    ("instants", "lag", "outcome"),
    [
        ([30.9] * 3, 0.1, UNSTABLE),
        # In a second and a lag of up to one there may be four.
        ([30.9] * 3, 0.11, INCONCLUSIVE),
        ([30.9] * 4, 1.0, INCONCLUSIVE),
        ([30.9] * 5, 1.0, UNSTABLE),
        ([30.9] * 5, 1.1, INCONCLUSIVE),
        ([30.9] * 2, 3.0, STABLE),
        # The lag has nothing to do with those.
        ([9.0] * 3, 3.0, UNSTABLE),
        ([9.0] * 3 + [30.9] * 4, 3.0, UNSTABLE),
    ],
)
def test_a_lag_excuses_a_drain_as_far_as_it_lasted(instants, lag, outcome):
    """What ended meanwhile was seen in one moment."""
    verdict = drained(*[(at, 1001) for at in instants], lag=lag)

    assert verdict.outcome is outcome
    if outcome is INCONCLUSIVE:
        (doubt,) = verdict.doubts
        assert doubt.reason is Reason.LOOP_LAG
        assert doubt.text.startswith(
            f"{len(instants)} ended in the second from 30.9 s on, while their worker"
        )


@pytest.mark.parametrize(
    ("fate", "closed_here", "counted"),
    [
        (Fate.ENDED, False, True),
        (Fate.ROTATED, False, True),
        # A client that closes when it is told to.
        (Fate.ROTATED, True, True),
        # Whoever missed a heartbeat and was open still.
        (Fate.ENDED, True, False),
    ],
)
def test_the_ends_of_a_drain_are_ends(fate, closed_here, counted):
    verdict = drained((1, None), fate=fate, closed_here=closed_here)

    assert (Rule.DRAIN in {each.rule for each in verdict.violations}) is counted


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"survival": 1.5}, r"^survival: 1\.5; give a share between 0 and 1, such as 0\.999$"),
        ({"survival": 1}, r"^survival: 1; "),
        ({"survival": 0}, r"^survival: 0; "),
        ({"confidence": 95}, r"^confidence: 95; give a share between 0 and 1, such as 0\.95$"),
        ({"refused_max": 1}, r"^refused_max: 1; give a share from 0 to below 1$"),
        ({"survival": "0.9"}, r"^survival: '0\.9'; give a share between 0 and 1, such as 0\.999$"),
        ({"confidence": None}, r"^confidence: None; give a share between 0 and 1, such as 0\.95$"),
        ({"refused_max": False}, r"^refused_max: False; give a share from 0 to below 1$"),
    ],
)
def test_shares_that_nothing_can_show(values, message):
    with pytest.raises(ValueError, match=message):
        FleetRequirement(**values)


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ("1001", "drain: codes: '1001' is no close code; give codes such as 1001 or [1001, 1012]"),
        (None, "drain: codes: None is no close code; give codes "),
        ([1001, 99999], "drain: codes: 99999 is no close code; valid ones: "),
        (["1001"], "drain: codes: '1001' is no close code; valid ones: "),
        ([], "drain: codes: none is given; give at least one, such as 1001"),
    ],
)
def test_codes_with_which_nothing_ends(codes, message):
    """Each end would be called wrong, whatever its code."""
    with pytest.raises(ValueError, match=re.escape(message)):
        Drain(per_second=5, codes=codes)


def test_a_drain_with_one_code():
    assert Drain(per_second=5, codes=1001).codes == {1001}


def returned(*afters, gap=0.0, **values):
    """A fleet of ten: so many ended at 10 s, and were back (None: given up) after these seconds."""
    of = len(afters)
    endings = tuple(Ending(number=each, fate=Fate.ENDED, age=10.0, at=10.0) for each in range(of))
    returns = tuple(
        Return(number=number, at=20.0 + gap * number, after=after, attempts=1)
        for number, after in enumerate(afters)
    )
    merge = FleetMerge(FleetPlan(connections=10, hold=60.0), values.pop("heartbeat_within", None))
    made = Frame(
        slot=0, attempt=1, sequence=0, at=60.0, endings=endings, returns=returns, stable=((of, 9),),
        is_last=True, **values,
    )  # fmt: skip
    merge.add(made)
    return merge


@pytest.mark.parametrize(
    ("afters", "outcome", "rules"),
    [
        ((), STABLE, []),
        ((5.0, 9.0), STABLE, []),
        ((5.0, None), UNSTABLE, [Rule.RECONNECTS]),
    ],
)
def test_what_ended_has_to_come_back(afters, outcome, rules):
    """That it ended is counted, and is not what was asked."""
    merge = returned(*afters)
    verdict = check(merge, reconnects=FleetReconnects(within="10s"))

    assert (verdict.outcome, [each.rule for each in verdict.violations]) == (outcome, rules)
    assert merge.count.ended == len(afters)
    # Without it, all have to live.
    assert check(merge).outcome is (UNSTABLE if afters else STABLE)


@pytest.mark.parametrize(("excused", "outcome"), [(False, UNSTABLE), (True, INCONCLUSIVE)])
def test_what_came_back_keeps_what_is_asked_of_each(excused, outcome):
    """One of two that came back broke a promise without an end, which is told beside its return."""
    returns = (
        Return(number=0, at=15.0, after=5.0, attempts=1),
        Return(number=1, at=15.0, after=5.0, attempts=1),
        Return(number=1, at=22.0, after=None, attempts=0, broke=True, excused=excused, why="it was deaf"),
    )
    endings = tuple(Ending(number=each, fate=Fate.ENDED, age=10.0, at=10.0) for each in range(2))
    merge = FleetMerge(FleetPlan(connections=10, hold=60.0))
    made = Frame(
        slot=0,
        attempt=1,
        sequence=0,
        at=60.0,
        endings=endings,
        returns=returns,
        stable=((2, 9),),
        is_last=True,
    )
    merge.add(Frame.from_dict(made.as_dict()))
    verdict = check(merge, reconnects=FleetReconnects(within="10s"))

    assert verdict.outcome is outcome
    told = [] if excused else ["1 of 2 that came back broke a promise and did not end"]
    assert [each.observed for each in verdict.violations] == told
    assert [each.at for each in verdict.violations] == ([] if excused else [22.0])
    # It was back all the same.
    words = "1 did not come back within 10 s, or broke a promise after that, while their worker lagged"
    words += ", or could not open or watch them"
    assert [each.text for each in verdict.doubts] == ([words] if excused else [])


@pytest.mark.parametrize(("survival", "outcome"), [(None, UNSTABLE), (0.5, STABLE)])
def test_an_end_that_was_not_to_be_is_not_made_good_by_a_return(survival, outcome):
    """Unless a share may be lost in any way: two of twenty ended, one of them abnormally."""
    returns = (
        Return(number=0, at=15.0, after=5.0, attempts=1, abnormal_at=10.0),
        Return(number=1, at=15.0, after=5.0, attempts=1),
    )
    endings = tuple(Ending(number=each, fate=Fate.ENDED, age=10.0, at=10.0) for each in range(2))
    merge = FleetMerge(FleetPlan(connections=20, hold=60.0))
    made = Frame(
        slot=0, attempt=1, sequence=0, at=60.0, endings=endings, returns=returns, stable=((2, 19),),
        is_last=True,
    )  # fmt: skip
    merge.add(Frame.from_dict(made.as_dict()))
    verdict = check(merge, reconnects=FleetReconnects(within="10s"), survival=survival)

    assert verdict.outcome is outcome
    told = [(each.rule, each.at, each.observed) for each in verdict.violations]
    assert told == [(Rule.CLOSURE, 10.0, "1 of 2 ends were abnormal closures")][: survival is None]


def broken(*closed_here, of=10):
    """A fleet of ten: so many were not stable, of which the server ended some, and these came back."""
    endings = tuple(
        Ending(number=number, fate=Fate.ENDED, age=10.0 + number, at=10.0, closed_here=here)
        for number, here in enumerate(closed_here)
    )
    returns = tuple(
        Return(number=number, at=20.0, after=5.0, attempts=1)
        for number, here in enumerate(closed_here)
        if not here
    )
    merge = FleetMerge(FleetPlan(connections=of, hold=60.0))
    made = Frame(
        slot=0, attempt=1, sequence=0, at=60.0, endings=endings, returns=returns,
        stable=((len(closed_here), of - 1),), is_last=True,
    )  # fmt: skip
    merge.add(made)
    return merge


def test_what_breaks_a_promise_and_does_not_end_cannot_come_back():
    """Without an end nobody opens it again."""
    asked = FleetReconnects(within="10s")
    verdict = check(broken(False, True, True), reconnects=asked)

    assert verdict.outcome is UNSTABLE
    (violation,) = verdict.violations
    assert (violation.rule, violation.at) == (Rule.SURVIVAL, 11.0)
    assert violation.observed == "2 of 10 broke a promise and did not end"
    assert violation.expected == "every connection lives for 60 s, or ends and comes back"
    assert check(broken(False, False, False), reconnects=asked).outcome is STABLE


@pytest.mark.parametrize(
    ("closed_here", "asked", "observed", "expected"),
    [
        ([False], {}, "1 of 10 ended", "all connections live for 60 s"),
        (
            [True, True],
            {},
            "2 of 10 broke a promise",
            "all connections live and keep what was promised for 60 s",
        ),
        (
            [False, True, True],
            {},
            "1 of 10 ended and 2 broke a promise",
            "all connections live and keep what was promised for 60 s",
        ),
        (
            [True] * 9,
            {"survival": 0.9},
            "9 of 10 broke a promise: at most 39.416% live on (95% confidence)",
            "90% of connections live for 60 s",
        ),
    ],
)
def test_what_breaks_a_promise_is_told_from_what_ends(closed_here, asked, observed, expected):
    merge = broken(*closed_here)
    (violation,) = check(merge, **asked).violations

    assert (violation.observed, violation.expected) == (observed, expected)
    assert (merge.count.ended, merge.count.broke) == (len(closed_here), sum(closed_here))


@pytest.mark.parametrize(("lost", "outcome"), [(4, STABLE), (20, UNSTABLE)])
def test_a_share_that_lives_may_hold_such_too(lost, outcome):
    merge = broken(*[True] * lost, of=100)

    assert check(merge, reconnects=FleetReconnects(within="10s"), survival=0.9).outcome is outcome


def unwatched(*afters, cut_short=None, lose=False, interrupt=False, hold=60.0, **ending):
    """All ended at 10 s, of which these were back or given up when the worker was heard last."""
    of, ending = 2, {"fate": Fate.ENDED, **ending}
    endings = tuple(Ending(number=each, age=10.0, at=10.0, **ending) for each in range(of))
    returns = tuple(
        Return(number=number, at=20.0, after=after, attempts=1) for number, after in enumerate(afters)
    )
    merge = FleetMerge(FleetPlan(connections=of, hold=hold))
    made = Frame(
        slot=0, attempt=1, sequence=0, at=30.0, opened=of, endings=endings, returns=returns,
        is_last=cut_short is not None, cut_short=bool(cut_short),
    )  # fmt: skip
    merge.add(made)
    if lose:
        merge.lose(0, "its process died")
    if interrupt:
        merge.interrupt()
    return merge


@pytest.mark.parametrize(
    ("merge", "reasons", "unseen"),
    [
        # The worker came to its end: all of it was watched.
        (unwatched(5.0, 5.0, cut_short=False), [], 0),
        (unwatched(5.0, cut_short=False), [Reason.UNOBSERVED], 1),
        (unwatched(cut_short=False), [Reason.UNOBSERVED], 2),
        # What was back then may have ended again.
        (unwatched(5.0, 5.0, cut_short=True), [Reason.UNOBSERVED], 2),
        (unwatched(5.0, 5.0, lose=True), [Reason.UNOBSERVED], 2),
        (unwatched(lose=True), [Reason.UNOBSERVED], 2),
        (unwatched(5.0, 5.0, interrupt=True), [Reason.INTERRUPTED, Reason.UNOBSERVED], 2),
        (unwatched(5.0, 5.0, cut_short=True, interrupt=True), [Reason.INTERRUPTED, Reason.UNOBSERVED], 2),
        (unwatched(5.0, 5.0, cut_short=False, interrupt=True), [], 0),
        # An end by plan, as in a drain, is one to come back from; this end's own is none.
        (unwatched(lose=True, fate=Fate.ROTATED), [Reason.UNOBSERVED], 2),
        (unwatched(interrupt=True, fate=Fate.ROTATED), [Reason.INTERRUPTED, Reason.UNOBSERVED], 2),
        (unwatched(5.0, 5.0, cut_short=False, fate=Fate.ROTATED), [], 0),
        (unwatched(lose=True, fate=Fate.ROTATED, closed_here=True), [], 0),
        # They are waited for.
        (unwatched(), [Reason.TOO_SHORT], 2),
        (unwatched(5.0, 5.0), [Reason.TOO_SHORT], 2),
    ],
)
def test_a_return_that_nobody_saw_is_in_doubt(merge, reasons, unseen):
    verdict = check(merge, reconnects=FleetReconnects(within="10s"))

    assert [each.reason for each in verdict.doubts] == reasons
    assert verdict.outcome is (INCONCLUSIVE if reasons else STABLE)
    if reasons:
        assert verdict.doubts[-1].text == f"{unseen} of 2 that ended were not seen to come back and to stay"


def test_a_return_that_was_given_up_is_known():
    """Whatever became of the worker then."""
    verdict = check(unwatched(5.0, None, lose=True), reconnects=FleetReconnects(within="10s"))

    assert [each.observed for each in verdict.violations] == ["1 of 2 that ended did not come back"]


def test_an_interrupted_fleet_without_returns_has_none_to_see():
    """Each end was seen, and with a share to live that is all that was asked."""
    assert check(unwatched(interrupt=True), survival=0.001).doubts[0].reason is Reason.TOO_FEW


@pytest.mark.parametrize(
    ("within", "backoff", "wait"),
    [("1s", None, "1.2 s"), ("1200ms", None, "1.2 s"), ("500ms", "500ms", "500 ms"), ("1201ms", None, None)],
)
def test_the_first_wait_leaves_time_for_an_attempt(within, backoff, wait):
    """By default it takes up to 1.2 s: in less than that nobody comes back, and no server is to blame."""
    if wait is None:
        assert FleetReconnects(within=within, backoff=backoff).within == 1.201
        return
    told = rf"^reconnects: .* may be over before the first attempt, which waits up to {wait}; give more, or"
    with pytest.raises(ValueError, match=told):
        FleetReconnects(within=within, backoff=backoff)


def test_survival_may_be_asked_for_beside():
    verdict = check(returned(5.0, 5.0, 5.0, 5.0, 5.0), reconnects=FleetReconnects(within="10s"), survival=0.9)

    assert [each.rule for each in verdict.violations] == [Rule.SURVIVAL]


@pytest.mark.parametrize(("gap", "rules"), [(0.49, [Rule.STORM]), (0.5, [])])
def test_a_storm(gap, rules):
    """Three in a second, where two are allowed."""
    asked = FleetReconnects(within="10s", per_second=2)
    verdict = check(returned(5.0, 5.0, 5.0, gap=gap), reconnects=asked)

    assert [each.rule for each in verdict.violations] == rules
    assert not verdict.doubts


@pytest.mark.parametrize(
    ("back", "lag", "outcome"),
    [(3, 0.1, UNSTABLE), (3, 0.11, INCONCLUSIVE), (4, 1.0, INCONCLUSIVE), (5, 1.0, UNSTABLE)],
)
def test_a_lag_excuses_a_storm_as_far_as_it_lasted(back, lag, outcome):
    verdict = check(returned(*[5.0] * back, lag=lag), reconnects=FleetReconnects(within="10s", per_second=2))

    assert verdict.outcome is outcome
    if outcome is INCONCLUSIVE:
        assert verdict.doubts[0].text.startswith(f"{back} came back in the second from 20 s on, while their ")


@pytest.mark.parametrize(("lag", "outcome"), [(0.5, UNSTABLE), (0.51, INCONCLUSIVE)])
def test_a_worker_that_lagged_blames_nobody_for_a_return(lag, outcome):
    merge = returned(None, heartbeat_within=5.0, lag=lag)

    assert check(merge, reconnects=FleetReconnects(within="10s")).outcome is outcome


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"within": "soon"}, r"^reconnects: 'soon'"),
        ({"within": "5s", "per_second": 0}, r"^per_second: 0; give how many may come back in a second"),
        ({"within": "5s", "backoff": "never"}, r"^backoff: 'never'"),
    ],
)
def test_wrong_reconnects(values, message):
    with pytest.raises(ValueError, match=message):
        FleetReconnects(**values)


def fanned_out(*times, **counts):
    merge = FleetMerge(FleetPlan(connections=2, hold=60.0))
    sample = Sample()
    for seconds in times:
        sample.add(seconds, 1.0)
    frame = Frame(
        slot=0, attempt=1, sequence=0, at=60.0, stable=((0, 1),), is_last=True,
        fanout=FanoutCounts(**counts), fanout_times=sample,
    )  # fmt: skip
    merge.add(frame)
    return merge


@pytest.mark.parametrize(
    ("merge", "asked", "outcome"),
    [
        (fanned_out(0.1, messages=1), {"fanout_within": 0.2}, STABLE),
        (fanned_out(0.3, messages=1, late=1), {"fanout_within": 0.2}, UNSTABLE),
        (fanned_out(0.1, messages=1, missing=1), {"fanout_within": 0.2}, UNSTABLE),
        (fanned_out(messages=1, missing=1), {"fanout_within": 0.2}, UNSTABLE),
        (fanned_out(0.1, messages=1, excused=1), {"fanout_within": 0.2}, INCONCLUSIVE),
        # Nothing that could be late is no pass.
        (fanned_out(), {"fanout_within": 0.2}, INCONCLUSIVE),
        (fanned_out(messages=1), {"fanout_within": 0.2}, INCONCLUSIVE),
        (fanned_out(), {}, STABLE),
        # A p99 needs 299.
        (fanned_out(*[0.1] * 299, messages=1), {"fanout_p99": 0.2}, STABLE),
        (fanned_out(*[0.1] * 298, messages=1), {"fanout_p99": 0.2}, INCONCLUSIVE),
        (fanned_out(*[0.1] * 395, *[0.9] * 4, messages=1), {"fanout_p99": 0.2}, UNSTABLE),
        (fanned_out(*[0.1] * 396, *[0.9] * 3, messages=1), {"fanout_p99": 0.2}, STABLE),
        # What did not come is one of the last.
        (fanned_out(*[0.1] * 395, messages=1, missing=3), {"fanout_p99": 0.2}, STABLE),
        (fanned_out(*[0.1] * 395, messages=1, missing=4), {"fanout_p99": 0.2}, UNSTABLE),
        (fanned_out(*[0.1] * 395, 0.9, messages=1, missing=2), {"fanout_p99": 0.2}, STABLE),
        (fanned_out(*[0.1] * 395, 0.9, messages=1, missing=3), {"fanout_p99": 0.2}, UNSTABLE),
        # What is excused counts where it could be one of the last too many.
        (fanned_out(*[0.1] * 395, messages=1, missing=2, excused=1), {"fanout_p99": 0.2}, STABLE),
        (fanned_out(*[0.1] * 395, messages=1, missing=2, excused=2), {"fanout_p99": 0.2}, INCONCLUSIVE),
        (fanned_out(messages=1, missing=299), {"fanout_p99": 0.2}, UNSTABLE),
        (fanned_out(messages=1, missing=298), {"fanout_p99": 0.2}, INCONCLUSIVE),
    ],
)
def test_messages_that_fan_out(merge, asked, outcome):
    assert check(merge, **asked).outcome is outcome


@pytest.mark.parametrize(
    ("merge", "observed"),
    [
        (fanned_out(*[0.1] * 395, messages=1, missing=4), "4 of 399 did not come"),
        (
            fanned_out(*[0.1] * 395, 0.9, messages=1, missing=3),
            "p99 900 ms of 396 arrivals, and 3 did not come",
        ),
        (fanned_out(*[0.9] * 299, messages=1), "p99 900 ms of 299 arrivals"),
    ],
)
def test_what_the_latest_messages_were(merge, observed):
    (violation,) = check(merge, fanout_p99=0.2).violations

    assert violation.observed == observed


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        (0, "no message was sent on that fanout_of knows"),
        (1_000, "of 1,000 messages none had others of its worker to come to in time"),
    ],
)
def test_messages_that_nobody_else_was_there_for(messages, text):
    (doubt,) = check(fanned_out(messages=messages), fanout_within=0.2).doubts

    assert doubt.text == text


def test_messages_that_were_all_excused_were_sent():
    (doubt,) = check(fanned_out(messages=1, excused=9), fanout_within=0.2).doubts

    assert doubt.reason is Reason.LOOP_LAG


def test_what_cannot_be_seen_is_not_asked():
    with pytest.raises(ValueError, match=r"^fanout_p99: which messages\? give fanout_of too"):
        FleetRequirement.of(fanout_p99=0.1)


def interrupted(*, ended=0, stable=0):
    """Of a hundred, so many had ended, or were over, when somebody interrupted them."""
    merge = FleetMerge(FleetPlan(connections=100, hold=60.0))
    endings = tuple(Ending(number=number, fate=Fate.ENDED, age=30.0, at=30.0) for number in range(ended))
    over = ((ended, ended + stable - 1),) if stable else ()
    merge.add(Frame(slot=0, attempt=1, sequence=0, at=30.0, opened=100, endings=endings, stable=over))
    merge.interrupt()
    return merge


@pytest.mark.parametrize(
    ("merge", "asked", "outcome"),
    [
        (interrupted(), {}, INCONCLUSIVE),
        (interrupted(), {"survival": 0.9}, INCONCLUSIVE),
        # What ended, ended; and so many that no outcome of the others could change it.
        (interrupted(ended=1), {}, UNSTABLE),
        (interrupted(ended=20), {"survival": 0.9}, UNSTABLE),
        (interrupted(ended=5), {"survival": 0.9}, INCONCLUSIVE),
        # It was over by then.
        (interrupted(stable=100), {}, STABLE),
    ],
)
def test_an_interrupted_fleet_has_shown_what_it_had_by_then(merge, asked, outcome):
    verdict = check(merge, **asked)

    assert verdict.outcome is outcome
    assert verdict.horizon == 30.0
    if outcome is INCONCLUSIVE:
        assert verdict.doubts[0].reason is Reason.INTERRUPTED
        assert verdict.headline.startswith("inconclusive: interrupted at 30 s of 60 s; ")


@pytest.mark.parametrize(
    ("parts", "age", "text"),
    [
        ({"rotated": 100}, 30.0, "between 0% and 100% live on, 90% is asked; 100 rotated before 60 s"),
        ({"rotated": 88, "ended": 2}, 59.9, "88 rotated before 60 s"),
        # These have lived to the end.
        ({"rotated": 88, "ended": 8}, 60.0, "638 connections would decide if the same share of them ends"),
    ],
)
def test_no_number_would_decide_where_connections_rotate(parts, age, text):
    """It was 29 for a hundred, all of which rotated."""
    (doubt,) = check(fleet(100, **parts, age=age), survival=0.9).doubts

    assert (doubt.reason, doubt.text[-len(text) :]) == (Reason.TOO_FEW, text)


def test_a_share_that_no_number_would_decide():
    """One in a thousand ended, and 99.9 % is asked: more connections come closer to it and to no verdict."""
    (doubt,) = check(fleet(1_000, ended=1), survival=0.999).doubts

    assert doubt.reason is Reason.TOO_FEW
    assert doubt.text == "between 99.527% and 99.995% live on, 99.9% is asked"


def test_one_a_second_is_the_fewest():
    assert FleetReconnects(within="5s", per_second=1).per_second == 1
    assert Drain.of(1).per_second == 1

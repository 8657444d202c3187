"""A fleet as data: what reports say of it."""

import dataclasses
import json
import pickle

import pytest

from pytest_wsstability.core.fleet.failure import (
    FleetError,
    count_line,
    events_line,
    explain_fleet,
    fleet_headline,
    group_line,
    more_lines,
    rtt_line,
    worker_line,
)
from pytest_wsstability.core.fleet.frame import RTT_LIMITS, Ending, Fate, Frame, Return
from pytest_wsstability.core.fleet.groups import group_endings
from pytest_wsstability.core.fleet.merge import COLUMNS
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import FleetReconnects, FleetRequirement
from pytest_wsstability.core.fleet.summary import summarize
from pytest_wsstability.core.fleet_summary import EndEvents, FleetSummary
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Rule, Verdict, Violation
from pytest_wsstability.core.plain import plain, restore
from pytest_wsstability.core.samples import Sample
from pytest_wsstability.core.statistics.survival import band
from pytest_wsstability.core.timeline.events import Tier
from tests.core.fleet.merging import merged

PLAN = FleetPlan(connections=100, hold=60, ramp=0)


def ended(number, age, cause="restart", **values):
    return Ending(number=number, fate=Fate.ENDED, age=age, at=age, cause=cause, **values)


def summary(*endings, plan=PLAN, asked=None, **values):
    lost = {each.number for each in endings}
    stable = tuple((number, number) for number in range(plan.connections) if number not in lost)
    values = {"opened": plan.connections, "endings": endings, "stable": stable, **values}
    merge = merged(plan, [Frame(slot=0, attempt=1, sequence=0, at=60.0, is_last=True, **values)])
    groups = group_endings(merge.endings, workers={"0": 100}, backends={}, worker_of=lambda each: "0")
    return summarize(merge, groups, asked or FleetRequirement(survival=0.9))


def test_it_survives_json():
    rtts = Sample()
    for _ in range(60):
        rtts.add(0.02, 1.0)
    made = summary(ended(3, 20.0), ended(4, 21.0), rtts=rtts, heartbeats_sent=9, heartbeats_answered=8)

    assert restore(FleetSummary, json.loads(json.dumps(plain(made)))) == made


def test_groups_have_their_ages_and_first_end():
    (group,) = summary(ended(7, 31.5), ended(4, 20.25, headline="closed with 1012")).groups

    assert (group.connections, group.youngest, group.oldest) == (2, 20.25, 31.5)
    assert (group.example, group.example_age, group.example_headline) == (4, 20.25, "closed with 1012")
    assert group_line(group) == "2 restart (ages 20.25 s to 31.5 s)"
    (same,) = summary(ended(7, 40.0), ended(4, 40.0)).groups
    assert group_line(same) == "2 restart (age 40 s)"


def test_what_to_change_and_how_sure_that_is_stand_below_the_example():
    """Of the first cause: its own advice, and not that for an opening which failed of the same."""
    made = summary(
        ended(4, 20.25, "an error in the handler", headline="boom", confidence="low", remedy="look")
    )
    verdict = FleetRequirement().check(merged(PLAN, []), tier=Tier.VIRTUAL)
    text = explain_fleet(verdict, made)

    assert "  example   connection 4, at 20.25 s: boom (confidence low)\n  fix       look\n" in text
    assert "before it had accepted" not in text


@pytest.mark.parametrize(
    ("rule", "first"),
    [
        (Rule.OPENED, "nobody listens: broken"),
        (Rule.SURVIVAL, "restart: broken"),
        (Rule.DRAIN, "restart: broken"),
        (Rule.RECONNECTS, "too many: broken"),
        (Rule.STORM, "broken"),
        (Rule.FANOUT, "broken"),
    ],
)
def test_the_first_line_has_the_cause_of_what_was_broken(rule, first):
    """Why connections ended is not why others did not open, or did not come back."""
    refused = [Ending(number=n, fate=Fate.REFUSED, age=0.0, at=1.0, cause="nobody listens") for n in range(4)]
    lost = [Return(number=9, at=9.0, after=None, attempts=3, why=why) for why in ("", "too many", "too many")]
    asked = FleetRequirement(reconnects=FleetReconnects(within=9))
    made = summary(*refused, *[ended(n, 9.0) for n in (5, 6, 7)], asked=asked, returns=tuple(lost))
    verdict = Verdict.of([Violation(rule, 9.0, "all", "some", "broken")], horizon=60.0, tier=Tier.VIRTUAL)
    text = explain_fleet(verdict, made)

    assert text.splitlines()[0] == first
    assert ("  example   connection 5, " in text) is (rule in (Rule.SURVIVAL, Rule.DRAIN))


def test_ends_by_plan_have_no_cause_of_openings_that_failed():
    refused = Ending(number=1, fate=Fate.REFUSED, age=0.0, at=1.0, cause="nobody listens")
    verdict = Verdict.of([Violation(Rule.DRAIN, 9.0, "5", "9", "broken")], horizon=60.0, tier=Tier.VIRTUAL)

    assert fleet_headline(verdict, summary(refused)) == "broken"


def test_bounds_are_those_of_the_verdict():
    made = summary(ended(1, 5.0))

    # beta.ppf(0.05, 99, 2) and beta.ppf(0.95, 100, 1) of scipy.
    assert (made.low, made.high) == pytest.approx((0.9534402, 0.9994872), abs=1e-6)
    assert (made.survival, made.confidence) == (0.9, 0.95)


def test_a_curve_begins_at_one_and_ends_where_nobody_was_watched_any_more():
    made = summary(ended(1, 5.0), ended(2, 30.0))

    assert [(point.age, round(point.share, 4)) for point in made.curve] == [
        (0.0, 1.0), (5.0, 0.99), (30.0, 0.98), (60.0, 0.98),
    ]  # fmt: skip
    lifetimes = [(5.0, True), (30.0, True), *[(60.0, False)] * 98]
    for point in made.curve:
        assert (point.low, point.high) == pytest.approx(band(lifetimes, point.age))
        assert point.low <= point.share <= point.high


@pytest.mark.parametrize(("ends", "points"), [(99, 101), (100, 102), (101, 53)])
def test_a_curve_of_many_steps_is_thinned(ends, points):
    """Never its last step: where it ends is what counts."""
    plan = FleetPlan(connections=200, hold=600)
    made = summary(*[ended(number, number + 1.0) for number in range(ends)], plan=plan)

    assert len(made.curve) == points
    assert made.curve[-1].share == pytest.approx(1 - ends / 200)


@pytest.mark.parametrize(
    ("at", "column"), [(0.0, 0), (0.999, 0), (1.0, 1), (59.0, 59), (60.0, 59), (1e6, 59)]
)
def test_ends_stand_in_the_stretch_of_their_instant(at, column):
    made = summary(ended(1, at))

    assert made.stretch == 1.0
    assert [each.ended for each in made.stretches].index(1) == column
    assert len(made.stretches) == COLUMNS


@pytest.mark.parametrize(
    ("ramp", "hold", "stretches", "stretch"),
    [
        (0, 0.5, 1, 1.0),
        (2, 12, 14, 1.0),
        (2, 12.5, 15, 1.0),
        (0, 59, 59, 1.0),
        (0, 60, 60, 1.0),
        (60, 540, 60, 10.0),
    ],
)
def test_a_short_fleet_has_fewer_stretches(ramp, hold, stretches, stretch):
    """Nothing is drawn of a time that was not watched."""
    made = summary(ended(1, 0.1), plan=FleetPlan(connections=100, hold=hold, ramp=ramp))

    assert (len(made.stretches), made.stretch) == (stretches, stretch)


def test_round_trips_over_time():
    counts = tuple(range(len(RTT_LIMITS) + 1))
    made = summary(rtt_counts=counts)

    assert made.stretches[-1].rtts == counts


@pytest.mark.parametrize(("rtts", "line"), [
    (0, None),
    (4, "max 20 ms of 4 heartbeats"),
    (5, "p50 20 ms, max 20 ms of 5 heartbeats"),
    (59, "p50 20 ms, p95 20 ms, max 20 ms of 59 heartbeats"),
    (299, "p50 20 ms, p95 20 ms, p99 20 ms, max 20 ms of 299 heartbeats"),
])  # fmt: skip
def test_quantiles_need_their_round_trips(rtts, line):
    sample = Sample()
    for _ in range(rtts):
        sample.add(0.02, 1.0)
    made = summary(rtts=sample)

    assert made.rtts == rtts
    if line is not None:
        assert rtt_line(made) == line


def test_the_message_of_a_failure():
    made = summary(*[ended(number, 20.0 + number / 100, headline="closed with 1012") for number in range(40)])
    verdict = FleetRequirement(survival=0.9).check(
        merged(PLAN, [Frame(slot=0, attempt=1, sequence=0, at=60.0, endings=tuple(
            ended(number, 20.0 + number / 100) for number in range(40)
        ), is_last=True)]),
        tier=Tier.VIRTUAL,
    )  # fmt: skip

    assert explain_fleet(verdict, made).splitlines() == [
        "restart: 40 of 100 ended before 60 s",
        "  expected  90% of connections live for 60 s",
        "  observed  40 of 100 ended: at most 68.247% live on (95% confidence)",
        "  of these  100 planned: 60 stable, 40 ended",
        "  cause     40 restart (ages 20 s to 20.39 s)",
        "  example   connection 0, at 20 s: closed with 1012",
        "  events    40 ends in 1 event; design effect 40",
        "  ended     ....................@.......................................",
        "            0 s                                                     60 s",
        "            @ is 40 in 1 s",
        "  covered   60 s in virtual time",
        "  read on   wsstability explain rule-survival",
    ]
    assert count_line(made.count) == "100 planned: 60 stable, 40 ended"
    assert events_line(made) == "40 ends in 1 event; design effect 40"


@pytest.mark.parametrize(
    ("effect", "told"), [(316.9, "317"), (999.4, "999"), (999.5, "1,000"), (1e5, "100,000")]
)
def test_a_large_design_effect_has_all_of_its_digits(effect, told):
    events = EndEvents(ends=100_000, events=1, design_effect=effect)

    line = events_line(dataclasses.replace(summary(), events=events))
    assert line == f"100,000 ends in 1 event; design effect {told}"


def test_connections_that_did_not_open_are_no_ends_over_time():
    refused = [Ending(number=n, fate=Fate.REFUSED, age=0.0, at=1.0, cause="tcp") for n in range(3)]
    made = summary(*refused)
    verdict = FleetRequirement().check(merged(PLAN, []), tier=Tier.VIRTUAL)

    assert made.events.ends == 0
    assert lines_of("events", explain_fleet(verdict, made)) == []
    # A report of an earlier version says otherwise.
    earlier = dataclasses.replace(made, events=EndEvents(ends=3, events=1, design_effect=3.0))
    assert "  ended     " not in explain_fleet(verdict, earlier)


def test_connections_that_did_not_open_have_no_age():
    """Opened over a minute: that they share 0 s is nothing that they have in common."""
    refused = [
        Ending(number=n, fate=Fate.REFUSED, age=0.0, at=float(n), cause="nobody listens") for n in range(60)
    ]
    (group,) = summary(*refused).groups

    assert group_line(group) == "60 nobody listens"
    (mixed,) = summary(*refused[1:3], ended(0, 9.0, cause="nobody listens")).groups
    assert group_line(mixed) == "3 nobody listens (ages 0 s to 9 s)"


def test_ends_beside_connections_that_did_not_open():
    refused = [Ending(number=n, fate=Fate.REFUSED, age=0.0, at=1.0, cause="tcp") for n in range(3)]

    assert summary(*refused, ended(5, 20.0), ended(6, 20.1)).events == EndEvents(2, 1, 2.0)


@pytest.mark.parametrize(
    ("hold", "lane", "axis"),
    [(14, ".@............", "0 s       14 s"), (8, ".@......", "0 s  8 s"), (3, ".@.", "0 s 3 s")],
)
def test_ends_of_a_short_fleet(hold, lane, axis):
    plan = FleetPlan(connections=100, hold=hold)
    made = summary(ended(1, 1.5), ended(2, 1.6), plan=plan)
    lines = explain_fleet(FleetRequirement().check(merged(plan, []), tier=Tier.VIRTUAL), made).splitlines()

    at = lines.index(f"  ended     {lane}")
    assert lines[at + 1] == f"            {axis}"


def test_what_breaks_a_promise_did_not_end():
    """And a cause that nobody knows is no headline."""
    lost = [
        ended(number, 5.0, cause="undetermined", closed_here=number > 0, headline="no heartbeat for 5 s")
        for number in range(3)
    ]
    made = summary(*lost)
    frames = [Frame(slot=0, attempt=1, sequence=0, at=60.0, endings=tuple(lost), is_last=True)]
    verdict = FleetRequirement().check(merged(PLAN, frames), tier=Tier.VIRTUAL)
    lines = explain_fleet(verdict, made).splitlines()

    assert lines[0].startswith("1 of ")
    assert "  of these  100 planned: 97 stable, 1 ended, 2 broke a promise" in lines
    assert "  events    3 failures in 1 event; design effect 3" in lines
    assert f"  failed    .....@{'.' * 54}" in lines
    assert "  example   connection 0, at 5 s: no heartbeat for 5 s" in lines


def test_more_ends_are_darker():
    made = summary(
        *[ended(number, 1.0) for number in range(14)], ended(20, 3.0), ended(21, 5.0), ended(22, 5.5)
    )
    verdict = FleetRequirement().check(merged(PLAN, []), tier=Tier.VIRTUAL)

    assert "  ended     .@.:.:......" in explain_fleet(verdict, made)


def two_workers(*more):
    """Eight connections of two workers, each of which ended of a cause of its own; and further frames."""
    plan = FleetPlan(connections=8, hold=60, workers=2)
    causes = [ended(number, 10.0 + number, f"cause {number}") for number in range(8)]
    frames = [
        Frame(slot=slot, attempt=1, sequence=0, at=60.0, endings=tuple(causes[slot::2]), is_last=True)
        for slot in (0, 1)
    ]
    merge = merged(plan, [*frames, *more])
    groups = group_endings(
        merge.endings, workers={"0": 4, "1": 4}, backends={}, worker_of=lambda each: str(each.number % 2)
    )
    asked = FleetRequirement()
    return asked.check(merge, tier=Tier.VIRTUAL), summarize(merge, groups, asked)


def lines_of(word, text):
    """The lines of a message that begin with a word, without it."""
    return [line[12:] for line in text.splitlines() if line[2:12].strip() == word]


def test_a_message_has_the_largest_causes_only():
    """Six of them, and how many more there are; the whole of it has each one and no such line."""
    short, whole = explain_fleet(*two_workers()), explain_fleet(*two_workers(), whole=True)
    all_of_them = [f"1 cause {n} (age {10 + n} s)" for n in range(8)]

    assert lines_of("cause", short) == all_of_them[:6]
    assert lines_of("...", short) == ["and 2 more causes"]
    assert lines_of("cause", whole) == all_of_them
    assert lines_of("...", whole) == []


def test_a_message_says_what_became_of_each_worker():
    """Of one there is nothing to compare."""
    assert lines_of("worker", explain_fleet(*two_workers())) == ["0: 4 ended", "1: 4 ended"]
    verdict, _ = two_workers()
    assert lines_of("worker", explain_fleet(verdict, summary(ended(1, 5.0)))) == []


def test_the_line_of_a_worker_has_all_of_its_connections():
    """Those that rotated or stopped reading too: in an evenly stalled fleet each n-th is one."""
    fates = (Fate.ENDED, Fate.ROTATED, Fate.ROTATED, Fate.REFUSED, Fate.UNOBSERVED, Fate.STALLED)
    endings = tuple(Ending(number=n, fate=fate, age=9.0, at=9.0) for n, fate in enumerate(fates))
    told = Frame(slot=0, attempt=1, sequence=0, at=60.0, endings=endings, stable=((6, 7),), is_last=True)
    (worker,) = merged(FleetPlan(connections=8, hold=60), [told]).workers

    assert worker_line(worker) == (
        "0: 2 stable, 1 ended, 2 rotated, 1 did not open, 1 unobserved, 1 stopped reading"
    )


def test_a_message_says_which_frames_were_not_counted():
    """And why, most of all where an engine ran something twice."""
    unplanned = Frame(slot=7, attempt=1, sequence=0, at=60.0)
    late = Frame(slot=1, attempt=1, sequence=1, at=61.0)

    assert lines_of("refused", explain_fleet(*two_workers(unplanned, late, unplanned))) == [
        "frames of workers: 2 of a slot that was not planned, 1 of a frame after the last one of its slot"
    ]
    assert lines_of("refused", explain_fleet(*two_workers())) == []


def test_a_stable_fleet_has_nothing_to_read_on():
    """No rule and no doubt explains it."""
    merge = merged(
        FleetPlan(connections=3, hold=60),
        [Frame(slot=0, attempt=1, sequence=0, at=60.0, opened=3, stable=((0, 2),), is_last=True)],
    )
    asked = FleetRequirement()

    assert explain_fleet(asked.check(merge, tier=Tier.VIRTUAL), summarize(merge, [], asked)).splitlines() == [
        "stable",
        "  of these  3 planned: 3 stable",
        "  covered   60 s in virtual time",
    ]


@pytest.mark.parametrize(
    ("afters", "lines"),
    [
        ((), []),
        ((2.0, 3.0), [("back", "2 came back, max 3 s, at most 2 in a second")]),
        ((2.0, None), [("back", "1 came back, 1 did not, max 2 s, at most 1 in a second")]),
        ((None,), [("back", "0 came back, 1 did not")]),
    ],
)
def test_how_many_came_back(afters, lines):
    """Only what there is: no number of those that did not where all did, no times where none did."""
    returns = tuple(
        Return(number=number, at=20.0, after=after, attempts=1) for number, after in enumerate(afters)
    )
    asked = FleetRequirement(reconnects=FleetReconnects(within="10s"))

    assert list(more_lines(summary(returns=returns, asked=asked))) == lines


def test_the_error_travels_between_processes():
    """It is rebuilt from its parts, and found under its public name."""
    verdict, made = two_workers()
    error = FleetError(Requirement.of(alive_for="60s"), verdict, made)
    other = pickle.loads(pickle.dumps(error))

    assert type(other) is FleetError
    assert str(other) == str(error) == explain_fleet(verdict, made)
    assert other.headline == "cause 0: 8 of 8 ended"
    assert (other.requirement, other.verdict, other.summary) == (error.requirement, verdict, made)
    assert f"{FleetError.__module__}.{FleetError.__qualname__}" == "pytest_wsstability.fleet.FleetError"

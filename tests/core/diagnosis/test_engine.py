"""From a timeline to its diagnosis: how long a headline is, and which causes are near where none fits."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis import Cause, diagnose
from pytest_wsstability.core.diagnosis.engine import shortened
from tests.core.script import FIN, timeline


def near(*rows):
    """The causes that are near an end, each with how far off it is."""
    return {each.cause: each.distance for each in diagnose(timeline(*rows)).hypotheses}


@pytest.mark.parametrize(("length", "shown"), [(70, "x" * 70), (71, "x" * 67 + "...")])
def test_a_headline_has_70_characters_at_most(length, shown):
    """As `Diagnosis.headline` promises."""
    assert shortened("x" * length) == shown


@pytest.mark.parametrize(
    ("age", "distance"), [(44.75, None), (45, 0.25), (47.25, 0.212), (75, 0.25), (75.25, None)]
)
def test_a_timer_is_near_within_a_quarter_of_its_length(age, distance):
    """The pong wait of gorilla's chat is 60 s: what is farther off is none that people know."""
    rows = [(10, "<text"), (20, ">text"), (age - 0.2, "<text"), (age, FIN)]

    assert near(*rows).get(Cause.PONG_DEADLINE) == distance


@pytest.mark.parametrize(("quiet", "distance"), [(1, None), (1.1, 0.909), (4, 0.25)])
def test_a_dead_path_is_near_once_nothing_came_for_a_second(quiet, distance):
    """As long as the other end has to answer; the longer it lasts, the nearer."""
    talk = [row for at in range(5, 45, 5) for row in ((at, ">beat"), (at + 0.5, "<answer"))]
    rows = [*talk, (47.25 - quiet, "<text"), (47, ">pong"), (47.25, FIN)]

    assert near(*rows).get(Cause.HALF_OPEN) == distance


@pytest.mark.parametrize(("until", "is_near"), [(11, False), (20, True)])
def test_nearest_causes_are_pointed_at_where_there_are_some(until, is_near):
    """A connection that is open may have none."""
    found = diagnose(timeline((10, "<text"), (10.5, "<text"), until=until))

    assert found.cause is Cause.UNDETERMINED
    assert bool(found.hypotheses) is is_near
    assert found.remedy.startswith("look at the nearest causes" if is_near else "look at the timeline")


@pytest.mark.parametrize(("direct", "named"), [(False, True), (True, False)])
def test_a_rival_that_cannot_be_is_not_named(direct, named):
    """A path dead one way, where no path lies between an app that answers nothing and its client."""
    talk = [(at, "<text") for at in range(5, 60, 5)]
    rows = sorted([*talk, (11, ">beat"), (11.1, "<answer"), (41, ">beat")], key=lambda row: row[0])
    record = timeline(*rows, until=60)
    record.direct = direct
    found = diagnose(record)

    assert found.cause is Cause.ZOMBIE
    assert ("dead one way" in found.sentence) is named
    assert (Cause.HALF_OPEN in found.alternatives) is named

"""A fleet drawn: numbers of the summary as places in a drawing."""

import dataclasses
import re

import pytest

from pytest_wsstability.core.fleet_summary import CurvePoint, FleetRecord, Stretch
from pytest_wsstability.report.charts import round_trips_text
from pytest_wsstability.report.fleets import heat_map, over_time, records, section, survival
from pytest_wsstability.report.html import render
from tests.report.made import BEATS, FIN, HOSTILE, fleet, good, result, returned, run


def made(**changes):
    return dataclasses.replace(fleet().fleet, **changes)


def point(age, share, low, high):
    return CurvePoint(age=age, share=share, low=low, high=high)


def test_a_curve_is_level_between_its_steps():
    drawn = survival(
        made(curve=(point(0, 1.0, 1.0, 1.0), point(30, 0.5, 0.25, 0.75), point(60, 0.5, 0.25, 0.75)))
    )

    assert drawn["line"] == "M72.0 0.0 L336.0 0.0 L336.0 80.0 L600.0 80.0 L600.0 80.0"
    assert drawn["band"].startswith("M72.0 0.0 L336.0 0.0 L336.0 40.0 L600.0 40.0")
    assert drawn["band"].endswith("L72.0 0.0Z")
    assert drawn["text"] == "50% live on at 60 s"
    assert drawn["asked"] == 8.0


@pytest.mark.parametrize(
    ("low", "bottom"), [(0.0, "0%"), (0.499, "0%"), (0.5, "50%"), (0.899, "50%"), (0.9, "90%"), (0.99, "99%")]
)
def test_the_axis_begins_where_the_band_does(low, bottom):
    """A loss of one in a thousand is seen."""
    drawn = survival(made(curve=(point(0, 1.0, 1.0, 1.0), point(60, 1.0, low, 1.0))))

    assert drawn["marks"][-1] == (160.0, bottom)


def test_bars_stand_where_things_happened():
    stretches = (
        Stretch(opened=10, ended=0, rtts=(0,) * 13), Stretch(opened=0, ended=5, rtts=(0,) * 13),
    )  # fmt: skip
    drawn = over_time(made(stretch=30.0, stretches=stretches))

    assert [(bar["word"], bar["x"], bar["y"], bar["height"]) for bar in drawn["bars"]] == [
        ("opened", 72.0, 0.0, 80.0),
        ("ended", 336.0, 80.0, 40.0),
    ]
    assert drawn["bars"][1]["title"] == "5 ended within 30 s from 30 s on"
    assert drawn["most"] == "10"


def test_rows_of_a_heat_map_are_those_that_hold_something():
    rtts = (0, 0, 0, 0, 3, 0, 1) + (0,) * 6
    drawn = heat_map(made(stretch=30.0, stretches=(Stretch(opened=0, ended=0, rtts=rtts),)))

    assert [text for _, text in drawn["marks"]] == ["≤ 20 ms", "≤ 50 ms", "≤ 100 ms"]
    assert [(box["opacity"], box["title"]) for box in drawn["boxes"]] == [
        (0.75, "3 ≤ 20 ms from 0 s on"),
        (0.25, "1 ≤ 100 ms from 0 s on"),
    ]


def test_no_round_trips_are_no_map():
    assert heat_map(made(stretches=(Stretch(opened=0, ended=0, rtts=(0,) * 13),))) == {}


def test_a_section_says_what_the_failure_says():
    shown = section(fleet())

    assert (shown["verdict"], shown["cause"]) == ("UNSTABLE", "restart: 12 of 100 ended before 120 s")
    assert shown["groups"] == ["12 restart (one age, 60 s)"]
    assert shown["facts"][0] == ("connections", "100 planned: 88 stable, 12 ended")


def test_the_page_shows_fleets_and_escapes_what_servers_say():
    """Beside single holds, which have none."""
    page = render(run(fleet(headline=HOSTILE), good()))

    assert page.count('<section class="fleet">') == 1
    assert "100 planned: 88 stable, 12 ended" in page
    assert "<script>alert" not in page
    # No style in an attribute: the page's policy would drop it.
    assert not re.search(r"<(rect|path|text|svg)[^>]* style=", page)


def test_returns_and_messages_that_fan_out_have_lines():
    facts = dict(section(returned())["facts"])

    assert facts["back"] == "3 came back, 1 did not, p50 100 ms, max 4 s, at most 2 in a second"
    assert facts["fan-out"] == ("2 messages, 190 arrivals, 5 late, 3 did not come, p50 100 ms, max 900 ms")
    assert "back" not in dict(section(fleet())["facts"])


def kept(*rows, number=7, cause="", until=None):
    timeline = result(*rows, until=until).timelines[0]
    return FleetRecord(number=number, cause=cause, timeline=timeline)


def test_a_record_is_a_lane_with_a_stroke_for_each_event():
    """Sent is up, received is down, what happened here is both; all begin at their opening."""
    ended = kept(*BEATS[:2], (60, FIN), cause="restart")
    first, second = records([ended, kept(*BEATS[:2], until=30, number=8)])

    assert (first["name"], first["why"]) == ("connection 7", "restart, 60 s")
    assert (second["why"], second["text"]) == ("stable, 30 s", "connection 8: stable, 30 s: open")
    assert first["life"] == "M0 10H600.0"
    assert second["life"] == "M0 10H300.0"
    strokes = dict(first["strokes"])
    assert strokes["end"] == "M600.0 2v16"
    assert strokes["answered"].startswith("M250.0 10v-8M25")
    assert strokes["answered"].count("v8") == 1


def test_a_cause_from_elsewhere_is_text():
    """A report file may name any: what a browser or a reader obeys is escaped."""
    (lane,) = records([kept(*BEATS[:2], cause="a\0\x1b[2J\u202eb")])

    assert lane["why"].startswith(r"a\x00\x1b[2J\u202eb, ")


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ((fleet(),), "no hold of a single connection; each fleet has a drawing of its own"),
        ((fleet(), good()), "0 of 1 connections ended unplanned"),
    ],
)
def test_the_page_does_not_say_that_a_fleet_opened_nothing(results, told):
    """Its connections are drawn in its own section, and not in that of the holds."""
    page = render(run(*results))

    assert told in page
    assert "no connection was opened" not in page
    assert "no round trip was recorded" not in page


def test_what_a_hold_beside_a_fleet_lacks_is_told():
    """It is there, and heard no heartbeats."""
    assert round_trips_text([], (fleet(), good())) == "no round trip was recorded"


def test_the_page_draws_the_records_of_a_fleet():
    page = render(run(fleet()))

    assert page.count('<tr><th scope="row">connection ') == 1
    assert "<details open><summary>1 connections kept whole" in page
    assert "kept whole" not in render(run(fleet(lost=0)))

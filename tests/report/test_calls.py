"""A spoken conversation drawn: turns as bars, what a player missed, heartbeats; the worst turn first."""

import json
import re
from dataclasses import replace

import pytest

from pytest_wsstability.core.result import Result
from pytest_wsstability.report import json_file, markdown
from pytest_wsstability.report.calls import section
from pytest_wsstability.report.html import render
from tests.core.script import timeline
from tests.report.made import HOSTILE, ONE_WAY, good, run, spoken


def bars(word):
    shown = section(spoken())
    return [each for each in (*shown["bars"], *shown["marks"]) if each["word"] == word]


@pytest.mark.parametrize(
    ("word", "number"), [("user", 3), ("agent", 3), ("dry", 1), ("beat", 4), ("open", 0)]
)
def test_what_is_drawn(word, number):
    """A bar for each, within the page."""
    assert len(bars(word)) == number
    assert all(0 <= each["x"] <= 1200 and each["width"] >= 1 for each in bars(word))


def test_a_bar_stands_where_it_was():
    """Two minutes are 1,200 units; the user speaks from 30 s to 32 s."""
    (first, *_) = bars("user")

    assert (first["x"], first["width"]) == (300.0, 20.0)
    assert first["title"] == "turn 1: the user speaks"
    assert bars("agent")[1]["title"] == "turn 2: the agent, first audio after 2.5 s"
    assert bars("dry")[0]["title"] == "underrun of 500 ms"


def test_heartbeats_that_nobody_answers_are_no_missed_ones():
    """No answer is ever due in a protocol whose heartbeats go one way."""
    made = spoken()
    marks = section(replace(made, timelines=(timeline((10, ">beat"), until=120, protocol=ONE_WAY),)))["marks"]

    assert [(each["word"], each["title"]) for each in marks] == [("beat", "heartbeat at 10 s")]


def test_an_agent_that_had_said_all_was_not_heard_until_the_user_spoke_again():
    made = spoken()
    turns = (*made.call.turns[:2], replace(made.call.turns[2], barged_in_at=99.0))
    shown = section(replace(made, call=replace(made.call, turns=turns)))

    assert [each["width"] for each in shown["bars"] if each["word"] == "agent"] == [
        each["width"] for each in bars("agent")
    ]


def test_the_facts_and_the_turns():
    shown = section(spoken())

    assert ("turns", "3 in 120 s") in shown["facts"]
    assert ("underruns", "1, 500 ms of silence in the middle of speech") in shown["facts"]
    assert [turn.turn for turn in shown["turns"]] == ["3", "2", "1"]
    assert shown["verdict"] == "UNSTABLE"


def test_the_page_shows_calls_and_escapes_what_servers_say():
    """Beside holds on which nobody speaks."""
    page = render(run(spoken(headline=HOSTILE), good()))

    assert page.count('<section class="call">') == 1
    assert "first audio after 2.5 s" in page
    assert "<script>alert" not in page
    assert not re.search(r"<(rect|text|svg)[^>]* style=", page)


def test_markdown_has_the_lanes_and_the_table():
    text = markdown.render(run(spoken()))

    assert "      agent " in text
    assert "none" not in text
    assert re.search(r"^      turn  speech  transcript  first audio  audio +underruns$", text, re.MULTILINE)


def test_a_call_is_read_back():
    """From a report."""
    made = run(spoken(), good())
    (first, second) = json.loads(json_file.render(made))["results"]

    assert Result.from_dict(first).call == made.results[0].call
    assert (second["call"], Result.from_dict(second).call) == (None, None)

"""The lanes as a picture that stands by itself."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

from pytest_wsstability.report.svg import render
from tests.core.script import timeline
from tests.report.held import result
from tests.report.made import ONE_WAY, hostile

SVG = "{http://www.w3.org/2000/svg}"


def parts(held):
    root = ElementTree.fromstring(render(held))
    texts = [(each.get("class"), each.text) for each in root.iter(f"{SVG}text")]
    paths = [(each.get("class"), each.get("d")) for each in root.iter(f"{SVG}path")]
    return texts, paths


def test_both_ends_are_below_each_other_on_one_axis():
    """With round ticks, the close codes, and the end that has to change something."""
    texts, _ = parts(result(client="mute"))
    words = [text for _, text in texts]

    assert ("blamed", "client end") in texts
    assert ("name", "server end") in texts
    assert words.count("heartbeats") == words.count("pings") == 2
    assert words.count("1006") == 2
    assert [word for word in words if word.endswith(" s")] == [f"{at} s" for at in range(0, 61, 10)]


def test_an_unanswered_question_looks_unanswered():
    """A ring where it was asked, and dots to the end, at both ends; those that were answered have ticks."""
    _, paths = parts(result(client="mute"))

    assert [name for name, _ in paths].count("open") == [name for name, _ in paths].count("wait") == 2
    # Two heartbeats at each end.
    assert [name for name, _ in paths].count("beat") == 4
    assert "ping" not in [name for name, _ in paths]


def test_heartbeats_that_nobody_answers_are_no_missed_ones():
    """No answer is ever due."""
    line = timeline((10, ">beat"), (20, "<beat"), until=30, protocol=ONE_WAY)
    _, paths = parts(replace(result(), timelines=(line,)))

    assert [(name, d.count("M")) for name, d in paths if name in ("beat", "open", "wait")] == [("beat", 2)]


def test_a_stable_hold_has_nothing_open():
    """The control."""
    _, paths = parts(result())

    assert {"open", "wait", "end"}.isdisjoint({name for name, _ in paths})


def test_what_a_server_sends_is_text():
    """No markup of a peer's, and no escape sequence."""
    drawn = render(hostile())

    assert "<script" not in drawn
    assert "\x1b" not in drawn
    assert len(re.findall("<svg", drawn)) == 1

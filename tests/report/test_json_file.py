"""The JSON file of a run."""

from __future__ import annotations

import json

import pytest

from pytest_wsstability.core.result import Run
from pytest_wsstability.report.json_file import render
from tests.report.made import cut, expected, good, hostile, run


@pytest.mark.parametrize("made", [run(), run(good()), run(good(), cut(), expected(cut()), hostile())])
def test_it_is_read_back(made):
    """And is the same run again."""
    assert Run.from_dict(json.loads(render(made))).as_dict() == json.loads(render(made)) == made.as_dict()


def test_a_result_a_line():
    """So that two runs can be compared line by line."""
    lines = render(run(good(), cut())).splitlines()

    assert len(lines) == 4
    assert json.loads(lines[1].rstrip(","))["nodeid"] == "test_it.py::test_it"


def test_without_events():
    """A run that is kept for comparison needs its figures only."""
    text = render(run(good()), events=False)

    assert json.loads(text)["results"][0]["timelines"][0]["events"] == []
    assert len(text) < len(render(run(good())))


def test_hostile_texts_are_ascii():
    """Neither a terminal nor an editor can be fooled by it, nor by a script's end in it."""
    text = render(run(hostile()))

    assert text.isascii()
    assert "\x1b" not in text

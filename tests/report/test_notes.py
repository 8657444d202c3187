"""What there is to know beside a verdict: in every report."""

from __future__ import annotations

import dataclasses
import json

import pytest

from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.verdict import Note, Noted, Outcome
from pytest_wsstability.core.message import explain
from pytest_wsstability.core.result import Result
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.report.cells import cells
from pytest_wsstability.report.html import render as render_html
from pytest_wsstability.report.markdown import render as render_markdown
from pytest_wsstability.report.terminal import summary
from tests.report.made import BEATS, cut, good, result, run

SILENT = Requirement.of(alive_for="2m")
SPUN = Note(Noted.SPIN, 12.5, "virtual time went on, though Task-3 at app.py:4 (wait) spun without a wait")


def proved(*rows, **values):
    """A hold that judges no heartbeats, and its proof of life."""
    made = result(*rows, until=120, requirement=SILENT, tier=Tier.REAL, **values)
    line = made.timelines[0]
    line.ask_proof(1000 + 120)
    line.prove(1000 + 120.25)
    line.observe(1000 + 120.25)
    from pytest_wsstability.core.judge.rules import judge

    return dataclasses.replace(made, verdict=judge(SILENT, line))


def spun(made):
    return dataclasses.replace(made, verdict=dataclasses.replace(made.verdict, notes=(SPUN,)))


def test_a_proof_of_life_is_a_note_of_the_verdict():
    """With how long it took, and in no statistics of pings."""
    made = proved()

    assert made.verdict.outcome is Outcome.STABLE
    (note,) = made.verdict.notes
    assert (note.noted, note.at) == (Noted.PROOF, 120.25)
    assert note.text == "a byte of the peer 250 ms after the ping at the end of the hold, at 120 s"
    assert made.timelines[0].pings.sent == 0
    assert made.verdict.horizon == 120


@pytest.mark.parametrize("made", [proved(), spun(good(tier=Tier.REAL))], ids=["proof", "spin"])
def test_every_report_names_it(made):
    """The summary, Markdown, HTML and JSON."""
    name = made.verdict.notes[0].noted.value
    terminal = "\n".join(line.text for line in summary(run(made)))

    for text in (terminal, render_markdown(run(made)), render_html(run(made)), json.dumps(made.as_dict())):
        assert name in text


def test_a_table_says_it_where_heartbeats_stand():
    """A hold that ended with a proof of life says so there, beside the heartbeats that it saw."""
    assert cells(proved()).heartbeats == "proof of life"
    assert cells(proved(*BEATS)).heartbeats == "4/4, proof of life"
    assert cells(result(until=120, requirement=SILENT)).heartbeats == "-"
    assert cells(good()).heartbeats == "4/4"
    assert cells(proved()).note == ""
    assert cells(spun(good())).note == f"a task that spun: {SPUN.text}"


def test_a_failure_names_it():
    """It may have to do with it."""
    made = spun(cut())

    text = explain(made.verdict, made.timelines)

    assert f"  note      a task that spun: {SPUN.text}" in text.splitlines()


def test_a_file_gives_it_back():
    """As it was written."""
    for made in (proved(), spun(good())):
        again = Result.from_dict(json.loads(json.dumps(made.as_dict())))
        assert again.verdict.notes == made.verdict.notes

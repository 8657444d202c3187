"""Every fault and preset, told from the client's record alone: how often the cause is right."""

from pathlib import Path

import pytest

from pytest_wsstability import Confidence, faults, run_virtual
from pytest_wsstability.faults import MIDDLEBOXES
from tests.core.diagnosis import confusion
from tests.core.diagnosis.page import page
from tests.diagnosis_cases import CASES, WITHOUT_CASE, play

DOCS = Path(__file__).parents[3] / "docs"
# Taken once: the same play gives the same record, which other tests prove.
FOUND = {}


def found(case):
    if case.name not in FOUND:
        FOUND[case.name] = run_virtual(play(case))
    return FOUND[case.name]


def test_names_are_unique():
    """Each case has a result of its own."""
    assert len({case.name for case in CASES}) == len(CASES)


def test_every_fault_and_every_preset_has_a_case():
    """None is forgotten, and a new one has to say what it is to be told as."""
    kinds = {kind.__name__ for kind in faults.FAULTS.values()} - WITHOUT_CASE
    boxes = {name for name, box in MIDDLEBOXES.items() if box.faults}

    assert kinds | boxes <= {case.fault for case in CASES} | {"IdleTimeout", "MaxAge"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_cause_is_among_the_first_two(case):
    """And what is wrong is never said with high confidence."""
    diagnosis = found(case)

    assert confusion.is_among_two(case, diagnosis), diagnosis
    assert confusion.is_first(case, diagnosis) or diagnosis.confidence is not Confidence.HIGH, diagnosis


def test_the_cause_is_right_in_95_of_100():
    """The record does not carry more: the rest look the same from one end."""
    first = sum(confusion.is_first(case, found(case)) for case in CASES)

    assert first >= 0.95 * len(CASES)


def test_the_matrix_in_the_docs_is_this_one():
    """python -m tests.core.diagnosis.confusion > docs/confusion.md"""
    assert (DOCS / "confusion.md").read_text() == confusion.page([(case, found(case)) for case in CASES])


def test_the_page_of_causes_is_made_from_the_table():
    """python -m tests.core.diagnosis.page > docs/diagnosis.md"""
    assert (DOCS / "diagnosis.md").read_text() == page()

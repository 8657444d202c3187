"""The table of the mutants that may live, which is read without the software that makes them."""

from __future__ import annotations

from pathlib import Path

import pytest

import pytest_wsstability
from tests.mutation import accepted

PACKAGE = Path(pytest_wsstability.__file__).parent
ROWS = accepted.read()


@pytest.mark.parametrize("path", sorted({path for path, _, _ in ROWS}))
def test_each_row_names_a_line_that_is_in_its_file(path):
    """A row of a line that was changed since excuses nothing."""
    lines = {line.strip() for line in (PACKAGE / path).read_text().splitlines()}

    assert {before for row, before, _ in ROWS if row == path} <= lines


def test_each_row_changes_its_line_and_says_why_that_may_live():
    assert ROWS
    assert all(before != after for _, before, after in ROWS)
    assert all(ROWS.values())

"""What a person reads of fifteen kinds of failures: files, compared exactly."""

from __future__ import annotations

import pytest

from tests.report.pictures import CASES, FOLDER, WIDTHS, path_of, picture


@pytest.fixture(scope="module")
def results():
    """Each kind once."""
    return {name: make() for name, make in CASES.items()}


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_it_reads_as_it_did(results, name, width):
    """Whoever changes words looks at all of them: python -m tests.report.pictures, and git diff."""
    assert picture(results[name], width) == path_of(name, width).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_cause_stands_in_the_first_columns(results, name):
    """A summary is cut behind the test's id: what comes first is no code, no URL, and no name of an end."""
    headline = results[name].verdict.headline

    assert not headline[:4].isdecimal()
    assert not headline.startswith(("ws://", "wss://", "client end", "server end"))


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", CASES)
def test_nothing_is_wider_than_the_terminal(results, name, width):
    """Lines break between words."""
    assert max(map(len, picture(results[name], width).splitlines())) <= width


def test_no_file_is_left_of_a_kind_that_went():
    """Each file is one of the kinds."""
    expected = {path_of(name, width) for name in CASES for width in WIDTHS}

    assert set(FOLDER.glob("*/*.txt")) == expected
    assert len(CASES) >= 15

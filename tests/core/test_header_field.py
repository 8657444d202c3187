"""A header field as it is written on a command line."""

import pytest

from pytest_wsstability.core.header_field import header_field


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("X-Trace: 7", ("X-Trace", "7")),
        ("  X-Trace :7  ", ("X-Trace", "7")),
        ("Cookie: a=1; at=12:30", ("Cookie", "a=1; at=12:30")),
        ("X-Empty:", ("X-Empty", "")),
    ],
)
def test_the_name_ends_at_the_first_colon(line, field):
    assert header_field(line) == field


@pytest.mark.parametrize("line", ["", "X-Trace", ": 7", " : 7", "Bearer abc: def", "hush hush:"])
def test_a_line_without_a_name_is_refused_and_not_shown(line):
    """All of it may be the secret."""
    with pytest.raises(ValueError, match=r"^a value without a header's name; give 'Name: value'$"):
        header_field(line)

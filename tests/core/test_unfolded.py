"""Text whose lines go on in the next, and where each of its places was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_wsstability.core.unfolded import unfolded, unfolded_where_random

# Random, as a column of 37 has it; the last piece is short.
FIRST, SECOND, LAST = (
    "/ws?token=aB3dE5fG7hJ9kL2mN4pQ6rS8tU1",
    "vW3xY5zA7bC9dE2fG4hJ6kL8mN1pQ3rS5tU7v",
    "W9xY1zA3",
)


@pytest.mark.parametrize("text", ["", "one line", "one line \t"])
def test_one_line_goes_on_nowhere(text):
    """Most texts are one."""
    assert unfolded(text) is None
    assert unfolded_where_random(text) is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a b\nc d", "a\0bc\0d"),
        ("│ a   │\n│ b     │", "ab"),
        ("E         a\nE         b", "ab"),
        ("a\r\n\r\n  b", "ab"),
        # A word, and no margin of pytest's.
        ("E a\nEb", "E\0aEb"),
    ],
)
def test_words_at_the_ends_of_lines(text, line):
    """With what is between words of one line left out, and what pads or frames it."""
    assert unfolded(text).text == line


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "  ", "│ ", "E   "]),
            st.from_regex(r"[a-d]{0,3}( [a-d]{1,3})?", fullmatch=True),
        )
    )
)
def test_places(lines):
    """What goes over lines is where its first and its last character are."""
    text = "\n".join(f"{margin}{line}" for margin, line in lines)
    whole = unfolded(text)
    if whole is None:
        return
    for start in range(len(whole.text)):
        for end in range(start + 1, len(whole.text) + 1):
            span = whole.span(start, end)
            if span is not None and "\0" not in whole.text[start:end]:
                assert text[span[0]] == whole.text[start]
                assert text[span[1] - 1] == whole.text[end - 1]
                assert "\n" in text[span[0] : span[1]]


@pytest.mark.parametrize(
    ("lines", "joined"),
    [
        ((FIRST, SECOND, f"{LAST} HTTP/1.1"), f"{FIRST}{SECOND}\n{LAST} HTTP/1.1"),
        ((f"{FIRST} ", f"  {SECOND} HTTP/1.1"), f"{FIRST}{SECOND} HTTP/1.1"),
    ],
)
def test_what_looks_random_goes_on(lines, joined):
    """As far as it is long enough to look so."""
    assert unfolded_where_random("\n".join(lines)).text == joined


@pytest.mark.parametrize(
    "following",
    [
        "INFO:     connection open",
        "2025-11-30T12:00:00.123Z opened",
        "DATABASE_URL2=postgres://h/2",
        "tests/core/test_secret2.py",
        "graphql-transport-ws",
        SECOND[:15],
        f"{SECOND}: gone",
        "",
    ],
)
def test_the_next_line_is_another(following):
    """It looks like words, names something, or is short."""
    assert unfolded_where_random(f"{FIRST}\n{following}") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1732968000.123456", "1732968001.223456"),
        ("20251130T120000.123Z", "20251130T120000.124Z"),
        ("01JDXK3N7RQ8Z5V2W4Y6A1B3C5", "01JDXK3N7RQ8Z5V2W4Y6A1B3C6"),
        ("550e8400-e29b-41d4-a716-446655440000", "550e8400-e29b-41d4-a716-446655440001"),
    ],
)
def test_lines_of_a_log_begin_alike(one, other):
    """With an instant, or with the id of a request; a piece has no such beginning in the line before."""
    assert unfolded_where_random(f"{one} GET {FIRST}\n{other} open") is None
    assert unfolded_where_random(f"GET {FIRST}\n{other} open") is not None


@pytest.mark.parametrize("before", [FIRST[-29:], f"{FIRST}.. .", "the server has refused what it was given"])
def test_the_line_before_has_an_end(before):
    """It is shorter than a column, or ends as a sentence does."""
    assert unfolded_where_random(f"{before}\n{SECOND}") is None

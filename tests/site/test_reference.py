"""The pages of the reference say what the code says: ``python -m tests.site.reference`` writes them."""

from __future__ import annotations

import re

import pytest

from tests.site.pages import DOCS, text_of
from tests.site.reference import BEGIN, MADE, made, marks_page, table


@pytest.mark.parametrize("name", MADE)
def test_a_page_is_current(name):
    """Below the line that says so, it is made."""
    assert (DOCS / f"{name}.md").read_text() == made(name)


@pytest.mark.parametrize("name", MADE)
def test_a_page_has_a_head_and_a_body(name):
    """Written by hand, and made."""
    head, _, body = text_of(f"docs/{name}.md").partition(BEGIN)

    assert head.startswith("# ")
    assert len(head.split()) > 15
    assert len(body.split()) > 50


def test_each_keyword_says_something():
    """A keyword that is new has a sentence."""
    page = text_of("docs/marks.md")

    assert re.findall(r"^\| `\w+` \| .* \| +\|$", page, re.MULTILINE) == []
    assert len(re.findall(r"^\| `\w+` \|", page, re.MULTILINE)) > 45


def test_what_a_keyword_says_is_kept():
    """Each mark's own, though two have one of the same name; a new one says nothing yet."""
    page = (
        "## `ws_stability`\n\n| `headers` | x | of the client |\n"
        "## `ws_orchestrator`\n\n| `headers` | x | of the server |\n"
    )
    made = marks_page(page)

    assert "| `headers` | `Headers` | of the client |" in made
    assert "| `headers` | `Headers` | of the server |" in made
    assert "| `alive_for` | `Duration \\| None` | |" in made


def test_bars_are_no_columns():
    """In a table."""
    assert table(("a",), [("b|c",)]) == "| a |\n| --- |\n| b\\|c |\n"

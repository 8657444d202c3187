"""Text without one layer of escapes, and where each of its places was."""

from __future__ import annotations

import html
import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_wsstability.core import unescaped as module
from pytest_wsstability.core.redact import redact_text
from pytest_wsstability.core.unescaped import unescaped, without_colours


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a%2Fb%c3%a4", "a/bä"),
        # No UTF-8: a character a byte, as older software has it.
        ("%E4%ff", "äÿ"),
        (r"\xc3\xa4 \xe4", "ä ä"),
        (r"\u0041\ud83d\ude00B", "A😀B"),
        (r"\U0001f600", "😀"),
        (r"\ud800x", "\ud800x"),
        (r"a\"b\/c\\d\n", 'a"b/c\\d\n'),
        (r"\*a\_b", "*a_b"),
        ("&lt;&#228;&#xE4;&apos;", "<ää'"),
        ("&#9999999;", "\ufffd"),
        # Colours, and a link.
        ("\x1b[1;31merror\x1b[0m: \x1b[38;5;3mno", "error: no"),
        ("\x1b]8;;http://a\x1b\\here\x1b]8;;\x07.", "here."),
        # A literal that is broken, as `pprint` and pytest do.
        ("(b'ab'\n b'cd')", "(b'abcd')"),
        ("E   +   'ab '\nE   +   'cd'\nE   +   'ef',", "E   +   'ab cdef',"),
    ],
)
def test_one_layer_goes(text, plain):
    """Percent signs, backslashes, entities."""
    found = unescaped(text)

    assert found is not None
    assert found.text == plain


@pytest.mark.parametrize(
    "text", ["", "plain", "100% of a\\k & c; %zz \\q &nix;", "['a',\n 'b']", "'a'\n\n'b'"]
)
def test_what_is_no_escape_stays(text):
    """There is no other text then."""
    assert unescaped(text) is None


@pytest.mark.parametrize("margin", [" ", "E ", "- "])
def test_a_long_margin_is_looked_at_in_one_go(margin):
    """As a peer may write it behind a quote and a line end: 20,000 spaces took four seconds."""
    before = time.process_time()

    assert unescaped("'\n" + margin * 50_000) is None
    assert time.process_time() - before < 2


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("ab%2Fc", [0, 1, 2, 5, 6]),
        ("%c3%a4x", [0, 6, 7]),
        (r"\ud83d\ude00x", [0, 12, 13]),
        (r"\n\nx", [0, 2, 4, 5]),
        ("x&amp;", [0, 1, 6]),
        ("\x1b[36ma\x1b[0m=b\x1b[0m", [5, 10, 11, 16]),
    ],
)
def test_places(text, origins):
    """Each place, the end included, leads to where it was written."""
    found = unescaped(text)

    assert [found.origin(place) for place in range(len(found.text) + 1)] == origins


def test_what_stands_before_a_place_ends_before_the_colours():
    """Those that end what is masked stay."""
    found = unescaped("\x1b[36ma\x1b[0m=b\x1b[0m")

    assert [found.end(place) for place in range(4)] == [0, 6, 11, 12]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[32minfo\x1b[39m: open", "info: open"),
        ("plain \\x1b[32m", "plain \\x1b[32m"),
        # Not whole.
        ("\x1b[32", "\x1b[32"),
    ],
)
def test_colours_alone_go(text, plain):
    """What else is escaped stays."""
    assert without_colours(text) == plain


@pytest.mark.parametrize("escape", [lambda text: quote(text, safe=""), html.escape, json.dumps])
@settings(deadline=None, max_examples=50)
@given(before=st.text(max_size=5), inside=st.text(min_size=1, max_size=5), behind=st.text(max_size=5))
def test_what_was_escaped_is_found_where_it_is(escape, before, inside, behind):
    """The part of the written text that a part of the plain one comes from says the same."""
    try:
        written = escape(before + inside + behind)
    except UnicodeEncodeError:
        return
    found = unescaped(written)
    if found is None:
        assert before + inside + behind in written
        return
    start = found.text.find(inside)
    assert start >= 0
    again = unescaped(written[found.origin(start) : found.origin(start + len(inside))])
    assert inside in (again.text if again else written)


@pytest.mark.parametrize(
    ("text", "looks"),
    [(r"{\"a\": \"b\/c\\n\"}", 0), ("a &lt;b&gt;", 0), ("a%20b", 1), (r"{\"token\": \"abc\"}", 4)],
)
def test_what_holds_no_secret_is_not_taken_apart(monkeypatch, text, looks):
    """Where the characters were of JSON in JSON is asked for a secret only."""
    asked = []
    decoded = module._decoded
    monkeypatch.setattr(module, "_decoded", lambda match: asked.append(match) or decoded(match))

    assert ("***" in redact_text(text)) == ("token" in text)
    assert len(asked) == looks

"""The pictures of the README are of what is printed."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.site.pictures import FAILURE, REPORT, drawn, shown_failure


def test_the_picture_of_a_failure_is_current():
    """`python -m tests.site.pictures` draws it, from a page whose failure is real."""
    assert FAILURE.read_text() == drawn(shown_failure())


def test_every_word_is_in_the_picture():
    """Which is well-formed, whatever is in it."""
    text = "a < b\n  expected  alive & well\n            =---X\n"
    words = [
        each.text for each in ElementTree.fromstring(drawn(text)).iter("{http://www.w3.org/2000/svg}text")
    ]

    assert words == ["a < b", "expected", "alive & well", "=---X"]


def test_the_picture_of_the_report_is_one():
    """A PNG, and small enough for a page."""
    assert REPORT.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert REPORT.stat().st_size < 300_000

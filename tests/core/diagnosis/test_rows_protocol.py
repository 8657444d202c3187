"""Rows for what the application's protocol says, that need no profile."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.cause import Confidence
from pytest_wsstability.core.diagnosis.rows_protocol import CODES
from tests.core.diagnosis.fitting import OPEN, fitting, read


@pytest.mark.parametrize(
    ("at", "text", "causes"),
    [
        (55, "rate limit exceeded", ["RATE_LIMITED"]),
        (54.75, "rate limit exceeded", []),
        (55, "oh", ["HANDLER_ERROR"]),
    ],
)
def test_an_error_message_is_about_an_end_within_five_seconds(at, text, causes):
    """Servers write one, and close."""
    assert fitting(CODES, read((1, ">text"), (at, "<error", text))) == causes
    assert fitting(CODES, read((1, ">text"), (at, "<error", text), how=OPEN)) == []


@pytest.mark.parametrize(
    ("text", "confidence"), [("rate limit exceeded", Confidence.MEDIUM), ("oh", Confidence.LOW)]
)
def test_an_error_without_a_keyword_says_little(text, confidence):
    """It is told in its own words all the same."""
    features = read((1, ">text"), (59, "<error", text))
    (row,) = [row for row in CODES if row.when(features)]

    assert row.confidence is confidence
    assert ("without a keyword" in row.shows) is (confidence is Confidence.LOW)

"""Numbers as people write them, and as messages say them."""

import pytest

from pytest_wsstability.core.number import counted, is_number


@pytest.mark.parametrize(
    ("value", "answer"),
    [(0, True), (-1.5, True), (float("inf"), True), (10**308, True), (10**400, False), (-(10**400), False),
     (True, False), ("1", False), (None, False)],
)  # fmt: skip
def test_a_number_is_one_that_a_float_can_hold(value, answer):
    """Of a larger one, Python says OverflowError wherever it is reckoned with."""
    assert is_number(value) is answer


@pytest.mark.parametrize(("number", "text"), [(0, "0 messages"), (1, "1 message"), (1200, "1,200 messages")])
def test_one_is_no_several(number, text):
    """Expected values are read by people."""
    assert counted(number, "message") == text

"""Text around placeholders, whatever a peer writes there."""

import time

import pytest

from pytest_wsstability.profiles import ID, SESSION_ID, TEXT
from pytest_wsstability.profiles.patterns import Pattern


@pytest.mark.parametrize(("length", "is_read"), [(1, True), (256, True), (257, False)])
def test_a_value_that_stands_twice(length, is_read):
    """It is the same in both places; one that stands once may be as long as it likes."""
    value = "x" * length

    assert Pattern(f"{SESSION_ID}:{SESSION_ID}").read_text(f"{value}:{value}") == (
        {"session_id": value} if is_read else None
    )
    assert Pattern(f"{SESSION_ID}:").read_text(f"{value}:") == {"session_id": value}
    assert Pattern(f"{ID}={TEXT}={ID}").read_text(f"7={value}=7") == {"id": "7", "text": value}
    assert Pattern(f"{ID}={TEXT}={ID}").read_text(f"7={value}=8") is None


@pytest.mark.parametrize("repeated", ["a x a y ", "a x y ", "a"])
def test_each_place_of_it_is_tried_a_few_times(repeated):
    """Where its end may be is for the peer to say: 16,000 characters took ten seconds."""
    before = time.process_time()

    assert Pattern(f"{ID} x {TEXT} y {ID}").read_text(repeated * (64_000 // len(repeated))) is None
    assert time.process_time() - before < 5

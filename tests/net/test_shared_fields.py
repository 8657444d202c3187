"""Fields that many responses have in common."""

from __future__ import annotations

from pytest_wsstability.net import shared_fields
from pytest_wsstability.net.shared_fields import shared


def test_the_same_field_is_one_object():
    """A name too, where the values differ."""
    first, again = shared("X-Same", "1"), shared(b"X-Same".decode(), "1")
    other = shared(b"X-Same".decode(), "2")

    assert first is again
    assert other == ("X-Same", "2")
    assert other[0] is first[0]


def test_a_server_of_many_names_fills_no_memory(monkeypatch):
    """What is beyond the limit is nobody else's."""
    monkeypatch.setattr(shared_fields, "_fields", {})

    for number in range(1000):
        assert shared(f"X-{number}", "1") == (f"X-{number}", "1")
    assert len(shared_fields._fields) == 256

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


def test_the_same_fields_are_one_tuple():
    """Thousands of connections to one server have theirs in common."""
    one = shared_fields.shared_fields(iter([("X-Same", "1"), ("X-Other", "2")]))

    assert shared_fields.shared_fields([(b"X-Same".decode(), "1"), ("X-Other", b"2".decode())]) is one
    assert shared_fields.shared_fields([("X-Other", "2"), ("X-Same", "1")]) == (
        ("X-Other", "2"),
        ("X-Same", "1"),
    )


def test_a_server_of_many_names_fills_no_memory(monkeypatch):
    """What is beyond the limit is nobody else's."""
    monkeypatch.setattr(shared_fields, "_fields", {})

    for number in range(1000):
        assert shared(f"X-{number}", "1") == (f"X-{number}", "1")
    assert len(shared_fields._fields) == 256

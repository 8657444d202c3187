"""Whether messages are of one form."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.forms import is_of_a_form, is_of_a_stream

FIRING = '{"alert": "TooManyRequests", "status": "firing"}'
DEEP = "{" + '"a": {' * 100_000


@pytest.mark.parametrize(
    ("text", "before", "usual"),
    [
        # The same text, whatever else comes between.
        ("session expired", ["session expired", "hello", "session expired"], True),
        ("session expired", ["hello", "hello", "session expired"], False),
        # The same members, in whatever order, and of one kind.
        (FIRING, ['{"alert": "Latency", "status": "firing"}', '{"status": "firing", "alert": "Disk"}'], True),
        (FIRING, ['{"alert": "Latency", "status": "firing"}', "hello"], False),
        (FIRING, ['{"alert": "Latency", "status": "over"}'] * 4, False),
        (FIRING, ['{"alert": "Latency", "status": "firing", "host": 1}'] * 4, False),
        ('{"type": "kicked", "data": "bye"}', ['{"type": "tick", "data": "1"}'] * 4, False),
        ('{"a": {"type": "kicked"}}', ['{"a": {"type": "tick"}}'] * 4, False),
        ('{"a": {"text": "kicked"}}', ['{"a": {"text": "tick"}}'] * 4, True),
        # A time, as in feeds of markets, and the name of an event.
        (
            '{"t": 1764500003, "text": "kicked"}',
            [f'{{"t": 176450000{n}, "text": "a"}}' for n in range(3)],
            True,
        ),
        ('{"t": "kicked", "d": 1}', ['{"t": "tick", "d": 1}'] * 4, False),
        # An array around an object has that one's, whatever else is in it.
        ('[{"ev": "T", "p": 3}]', ['[{"ev": "T", "p": 1}, {"ev": "T", "p": 2}]'] * 2, True),
        ('[{"status": "kicked", "p": 3}]', ['[{"status": "ok", "p": 1}]'] * 4, False),
        ('{"d": [{"p": 1}]}', ['{"d": []}', '{"d": [{"q": 1}]}'], True),
        # Text has no form, and nor have arrays of text, and what is broken.
        ("ERROR: kicked", ["hello"] * 4, False),
        ('["kicked"]', ['["tick"]'] * 4, False),
        ('{"text": kicked}', ['{"text": tick}'] * 4, False),
        (DEEP, [DEEP + " "] * 4, False),
        ("kicked", [None] * 4, False),
        ("kicked", [], False),
    ],
)
def test_messages_of_its_form_came_before(text, before, usual):
    """Two are enough."""
    assert is_of_a_stream(text, before) is usual


@pytest.mark.parametrize(
    ("text", "has_one"), [("{}", True), ('[{"a": 1}]', True), ("[]", False), ("[1]", False), ("a: 1", False)]
)
def test_messages_to_programs_have_a_form(text, has_one):
    """An object, or an array around one."""
    assert is_of_a_form(text) is has_one

"""Whether messages are of one form."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.forms import is_of_a_stream

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
        # Text has no form, and nor have lists, and what is broken.
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

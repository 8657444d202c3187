"""When one word is all that tells, in a sentence about something else."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.timeline.lone_words import is_one_of_many


@pytest.mark.parametrize(
    ("text", "told", "is_lone"),
    [
        ("forbidden word in chat", {"forbidden"}, True),
        ("unauthorized move", {"unauthorized"}, True),
        # The whole reason, numbers and single letters aside.
        ("forbidden", {"forbidden"}, False),
        ("[403] forbidden.", {"forbidden"}, False),
        ("jwt: x", {"jwt"}, False),
        ("jwt: xy", {"jwt"}, True),
        # With words that say no more than that there was a connection, and that it ends.
        ("the server is restarting, please reconnect", {"restarting"}, False),
        # Two words belong together; and where two parts tell, the one confirms the other.
        ("rate limit of cargo", {"rate limit"}, False),
        ("maintenance of turrets", {"maintenance"}, True),
        ("maintenance of turrets, restarting", {"maintenance", "restarting"}, False),
        ("something else", set(), False),
    ],
)
def test_one_word_among_others_is_no_proof(text, told, is_lone):
    """What stands beside it may be what the sentence is about."""
    assert is_one_of_many(text, told) is is_lone

"""docs/profiles.md and the pages below it say what the profiles say, and the examples work."""

from __future__ import annotations

import re

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.profiles import Profile
from tests.profiles_page import BEGIN, FOLDER, PAGE, pages, shipped

TEXT = PAGE.read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", TEXT.partition(BEGIN)[0], re.DOTALL)


def test_the_list_is_that_of_the_profiles():
    """`python -m tests.profiles_page` writes it."""
    assert TEXT.partition(BEGIN)[2].strip() == shipped().strip()


def test_each_profile_has_its_page():
    """With its own numbers, and no page is left of one that went."""
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == pages()


@pytest.mark.parametrize("source", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_makes_a_profile(source):
    """That both ends can speak."""
    found: dict[str, object] = {}
    exec(source, found)
    profiles = [each for each in found.values() if isinstance(each, Profile) and each.name.startswith("ours")]

    (profile,) = profiles
    for end in End.CLIENT, End.SERVER:
        profile.check_written_by(end)
    written = profile.words.write(Role.HEARTBEAT, {"id": 1, "session_id": "s"})
    sender = End.CLIENT if profile.beats(End.CLIENT) else End.SERVER
    assert profile.words.hear(written, sender).role is Role.HEARTBEAT


def test_there_are_four_examples():
    """As the page promises."""
    assert len(EXAMPLES) == 4

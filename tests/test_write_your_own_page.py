"""docs/write-your-own.md builds what works: each step is a profile, and both ends speak the last one."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from pytest_wsstability import Role
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles import Profile
from tests.net.peers import connected

pytestmark = pytest.mark.ws_stability(time="virtual")

TEXT = (Path(__file__).parent.parent / "docs/write-your-own.md").read_text()
SECTIONS = dict(re.findall(r"^## ([^\n]*?):[^\n]*\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))


def steps(section: str) -> list[Profile]:
    """The profile after each step."""
    found, names = [], {}
    for source in re.findall(r"```python\n(.*?)```", SECTIONS[section], re.DOTALL):
        exec(source, names)
        found += [each for each in names.values() if isinstance(each, Profile)][-1:]
    return found


def test_there_are_seven():
    """As the page promises."""
    assert len(SECTIONS) == 7


@pytest.mark.parametrize("section", SECTIONS)
def test_each_step_adds_something(section):
    """And keeps the name."""
    profiles = steps(section)

    assert len(profiles) >= 2
    assert len({profile.name for profile in profiles}) == 1
    assert all(before != after for before, after in itertools.pairwise(profiles))


@pytest.mark.parametrize("section", SECTIONS)
async def test_the_last_step_is_spoken_by_both_ends(section):
    """The session is confirmed where there is one, and ten heartbeats go out."""
    profile = steps(section)[-1]
    async with connected({"profile": profile}) as (client, orchestrator):
        await client.assert_alive_for(10.5 * profile.interval)
        timeline = client.timeline

        assert timeline.heartbeats.sent == 10
        due = profile.shape is HeartbeatShape.ANSWERED
        assert timeline.heartbeats.answered == (10 if due else 0)
        assert not timeline.irregular
        assert not orchestrator.attempts[0].timeline.irregular
        began = timeline.last(direction=0, role=Role.SESSION_INFO)
        assert (began is not None) is (profile.session_info is not None)


def legacy_graphql() -> Profile:
    """The one that software of another maker proves."""
    return steps("subscriptions-transport-ws")[-1]

"""Timers that tell nobody: between the longest silence that was survived and the shortest that was not."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_wsstability.core.probe.lengths import bracket
from pytest_wsstability.core.probe.rungs import Traffic
from tests.core.ladder_script import seen

NOBODY_KNOWS = dict.fromkeys(Traffic)


def lost(name, age, **more):
    """A connection of the ladder that was last heard at an age, and is dead."""
    return dataclasses.replace(seen(name, "lost 0"), age=age, gap=None, **more)


@pytest.mark.parametrize(
    ("all_seen", "resets", "between"),
    [
        # Nobody was lost: nothing is known.
        ([seen("slow 57", "alive")], NOBODY_KNOWS, None),
        # A silence of 57 s was survived, one of 115 s was not.
        ([seen("slow 57", "alive"), seen("slow 115", "lost 115")], NOBODY_KNOWS, (57.0, 115.0)),
        ([seen("slow 115", "lost 115")], NOBODY_KNOWS, (0.0, 115.0)),
        # The longest that is shorter than the shortest that was not.
        (
            [
                seen("slow 28", "alive"),
                seen("slow 57", "alive"),
                seen("slow 115", "lost 115"),
                seen("slow 230", "lost 230"),
            ],
            NOBODY_KNOWS,
            (57.0, 115.0),
        ),
        # Its own pings were never answered: it proves nothing.
        ([seen("slow 57", "alive", pongs=0), seen("slow 115", "lost 115")], NOBODY_KNOWS, (0.0, 115.0)),
        # The server pinged, so that it was not silent.
        (
            [seen("slow 57", "alive", server_pings=3), seen("slow 115", "lost 115")],
            NOBODY_KNOWS,
            (0.0, 115.0),
        ),
        # Pings reset nothing: silences between them tell nothing.
        ([seen("slow 57", "alive"), seen("slow 115", "lost 115")], {Traffic.PING: False}, None),
        # Its own traffic resets nothing: it lived until a message that came too late.
        ([seen("text", "60")], {**NOBODY_KNOWS, Traffic.TEXT: False}, (57.0, 60.0)),
        ([lost("text", 60.0, pongs=1)], {**NOBODY_KNOWS, Traffic.TEXT: False}, (60.0, 63.0)),
        ([lost("text", 60.0, pongs=0)], {**NOBODY_KNOWS, Traffic.TEXT: False}, None),
        ([seen("text", "alive")], {**NOBODY_KNOWS, Traffic.TEXT: False}, None),
        # It only heard the server's pings, and was lost between two of them.
        ([lost("quiet", 60.0, server_ping_every=20.0)], NOBODY_KNOWS, (60.0, 80.0)),
        ([lost("quiet", 60.0, server_ping_every=None)], NOBODY_KNOWS, None),
    ],
)
def test_the_bracket_of_a_silent_timer(all_seen, resets, between):
    """In seconds."""
    assert bracket(all_seen, resets) == between

"""What a client's timeline says of one connection of the ladder."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.probe.observation import Observation, RungFate
from pytest_wsstability.core.probe.rungs import Rung, Traffic
from pytest_wsstability.core.timeline.close import TransportEnd
from tests.core.script import FIN, PLANNED, closed_by_peer, timeline

PING = Rung(traffic=Traffic.PING, every=30.0)


def observe(*rows, until=None, lost_after=None):
    return Observation.of(PING, timeline(*rows, until=until), lost_after=lost_after)


@pytest.mark.parametrize(
    ("end", "fate", "code"),
    [
        (FIN, RungFate.ENDED, None),
        (closed_by_peer(4408, "idle"), RungFate.ENDED, 4408),
        # What this end did itself says nothing of a timer.
        (PLANNED, RungFate.ALIVE, None),
        ({"transport": TransportEnd.ABORTED}, RungFate.ALIVE, None),
    ],
)
def test_how_it_ended(end, fate, code):
    """An end that the server or the path made."""
    seen = observe((60, end))

    assert (seen.fate, seen.code, seen.age) == (fate, code, 60.0)
    assert bool(seen.detail) is (fate is RungFate.ENDED)
    assert seen.gone is (fate is RungFate.ENDED)


def test_one_that_was_not_answered_is_lost_since_it_was_last_heard():
    """The stream is open, and nobody is there."""
    seen = observe((10, "<text"), (100, ">ping"), until=105, lost_after=90.0)

    assert (seen.fate, seen.age, seen.gap, seen.gone) == (RungFate.LOST, 10.0, 90.0, True)


def test_the_last_signs_of_each_kind():
    """Close frames are no sign of life."""
    seen = observe((5, ">text"), (6, "<text"), (20, ">ping"), (21, "<pong"), (30, "<close"), (30, FIN))

    assert (seen.last_sent, seen.last_received, seen.last_message, seen.last) == (20.0, 21.0, 6.0, 21.0)
    assert seen.pongs == 1


def test_nothing_was_said():
    seen = observe(until=60)

    assert (seen.last, seen.last_message, seen.server_pings, seen.server_ping_every) == (0.0, 0.0, 0, None)
    assert seen.first_server_ping is None


def test_the_servers_own_pings():
    """The first, and the usual time between two."""
    seen = observe((20, "<ping"), (40, "<ping"), (61, "<ping"), (80, "<ping"), until=90)

    assert (seen.server_pings, seen.first_server_ping, seen.server_ping_every) == (4, 20.0, 20.0)


def test_the_servers_own_heartbeats():
    """Those that are messages, and not its client's."""
    seen = observe((5, ">beat"), (25, "<beat"), (26, "<text"), (50, "<beat"), until=60)

    assert seen.server_heartbeats == (25.0, 50.0)


def test_as_builtin_values():
    assert observe((60, closed_by_peer(4408, "idle"))).as_dict() == {
        "traffic": Traffic.PING.value,
        "every": 30.0,
        "answers_pings": False,
        "fate": "ended",
        "age": 60.0,
        "detail": "received 4408 (private use) idle; then sent 4408 (private use) idle; FIN",
        "close_code": 4408,
        "server_pings": 0,
        "lost_after": None,
    }

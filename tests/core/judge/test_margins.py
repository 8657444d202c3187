"""Intervals against timeouts, by their numbers."""

import pytest

from pytest_wsstability.core.judge.margins import KnownTimer, TrafficRates, concerns, margin

PONGS = {"by_heartbeat": False, "by_pong": True, "by_ping": False, "by_server_ping": False}
ANY = {"by_heartbeat": True, "by_pong": True, "by_ping": True, "by_server_ping": True}


def timer(seconds=60.0, chosen=True, **by):
    return KnownTimer(name="the read deadline", seconds=seconds, chosen=chosen, **{**PONGS, **by})


BOTH = TrafficRates(heartbeat_every=25.0, server_ping_every=30.0)
MUTE = TrafficRates(heartbeat_every=25.0, server_ping_every=30.0, answers=False)


@pytest.mark.parametrize(
    ("by", "traffic", "what", "share"),
    [
        ({}, BOTH, "a pong every 30 s", 0.5),
        (ANY, BOTH, "a heartbeat every 25 s", 0.42),
        (ANY, TrafficRates(ping_every=20.0), "a ping every 20 s", 0.33),
        (ANY, TrafficRates(server_ping_every=45.0, answers=False), "a ping of the server every 45 s", 0.75),
        ({}, MUTE, None, 0),
        (ANY, TrafficRates(), None, 0),
    ],
)  # fmt: skip
def test_the_margin_is_that_of_the_most_frequent_traffic_that_counts(by, traffic, what, share):
    """As a share of the timeout."""
    found = margin(timer(**by), traffic)
    text = what and f"{what} against the read deadline of 60 s: {share:.2f} of it"

    assert (str(found) if found is not None else None) == text


@pytest.mark.parametrize(
    ("hold", "of", "traffic", "said"),
    [
        # Safe.
        (120, timer(**ANY), TrafficRates(heartbeat_every=25), []),
        (120, timer(**ANY), TrafficRates(heartbeat_every=53), []),
        (120, timer(), TrafficRates(server_ping_every=30), []),
        # A race: the same number on both sides, or nearly.
        (120, timer(55, **ANY), TrafficRates(heartbeat_every=55),
         ["a heartbeat every 55 s against the read deadline of 55 s: 1.00 of it, "
          "and from 0.9 on it is a race; 24.75 s or less is safe"]),
        (120, timer(**ANY), TrafficRates(heartbeat_every=54),
         ["a heartbeat every 54 s against the read deadline of 60 s: 0.90 of it, and from 0.9 on "
          "it is a race; 27 s or less is safe"]),
        (120, timer(), TrafficRates(server_ping_every=60),
         ["a pong every 60 s against the read deadline of 60 s: 1.00 of it, "
          "and from 0.9 on it is a race; 27 s or less is safe"]),
        (120, timer(100), TrafficRates(server_ping_every=102),
         ["a pong every 102 s against the read deadline of 100 s: 1.02 of it, "
          "and from 0.9 on it is a race; 45 s or less is safe"]),
        # Too late for certain.
        (120, timer(), TrafficRates(server_ping_every=90),
         ["a pong every 90 s against the read deadline of 60 s: 1.50 of it, "
          "and it always comes too late; 27 s or less is safe"]),
        # What is sent does not count.
        (120, timer(), MUTE,
         ["nothing resets the read deadline of 60 s (a heartbeat every 25 s and a pong, which this "
          "client keeps back do not): it ends the hold of 120 s"]),
        (120, timer(), TrafficRates(heartbeat_every=25),
         ["nothing resets the read deadline of 60 s (a heartbeat every 25 s does not): it ends the "
          "hold of 120 s"]),
        (120, timer(), TrafficRates(),
         ["nothing resets the read deadline of 60 s: it ends the hold of 120 s"]),
        # Over before the timer can be.
        (30, timer(), MUTE,
         ["alive_for=30 s is over before the read deadline of 60 s can be, so it proves nothing about it"]),
        (60, timer(), MUTE,
         ["alive_for=60 s is over before the read deadline of 60 s can be, so it proves nothing about it"]),
        (30, timer(chosen=False), MUTE, []),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_arithmetic(hold, of, traffic, said):
    """One sentence for each timer."""
    assert concerns(hold, [of], traffic, with_certain_ends=True) == said


@pytest.mark.parametrize(
    ("of", "traffic", "count"),
    [
        (timer(), MUTE, 0),
        (timer(), TrafficRates(server_ping_every=90), 0),
        (timer(), TrafficRates(server_ping_every=60), 1),
        # 1.02 of it, and more.
        (timer(100), TrafficRates(server_ping_every=102), 1),
        (timer(100), TrafficRates(server_ping_every=102.1), 0),
    ],
)
def test_certain_ends_can_be_left_to_the_hold(of, traffic, count):
    """A race cannot: it may pass."""
    assert len(concerns(120, [of], traffic, with_certain_ends=False)) == count


def test_each_timer_is_looked_at():
    """Those of the path and that of the server."""
    timers = [timer(55, **ANY), timer(60, **ANY)]

    assert len(concerns(120, timers, TrafficRates(heartbeat_every=55), with_certain_ends=False)) == 2

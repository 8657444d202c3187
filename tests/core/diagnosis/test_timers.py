"""Whether a time fits a timer: each limit from both sides."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis import timers
from pytest_wsstability.core.known_timers import CountsFrom
from pytest_wsstability.core.timeline.events import Tier


@pytest.mark.parametrize(
    ("observed", "kind", "seconds"),
    [
        (40.0, CountsFrom.IDLE, 50),
        # It is nearer to 60 s by seconds, and to 100 s by what that is of them.
        (76.0, CountsFrom.IDLE, 100),
        (1e9, CountsFrom.IDLE, 3600),
        (1.0, CountsFrom.IDLE, 30),
        (1e9, CountsFrom.PONG, 60),
    ],
)
def test_the_nearest_timer_is_so_in_shares_of_its_length(observed, kind, seconds):
    """Of those that count from the same."""
    assert timers.nearest(observed, kind).seconds == seconds


@pytest.mark.parametrize(
    ("observed", "seconds", "tier", "does"),
    [
        # Virtual time is exact to 50 ms, as a link may be slow.
        (59.96, 60.0, Tier.VIRTUAL, True),
        (59.94, 60.0, Tier.VIRTUAL, False),
        (60.04, 60.0, Tier.VIRTUAL, True),
        (60.06, 60.0, Tier.VIRTUAL, False),
        # Real time: 0.35 s early, 1.5 s late.
        (59.7, 60.0, Tier.REAL, True),
        (59.6, 60.0, Tier.REAL, False),
        (61.4, 60.0, Tier.REAL, True),
        (61.6, 60.0, Tier.REAL, False),
        # Of long timers 2 %: 6 s of five minutes.
        (305.9, 300.0, Tier.REAL, True),
        (306.1, 300.0, Tier.REAL, False),
        (3671.0, 3600.0, Tier.REAL, True),
        (3673.0, 3600.0, Tier.REAL, False),
        # The limits themselves, where floats meet them.
        (0.0, 0.05, Tier.VIRTUAL, True),
        (0.1, 0.05, Tier.VIRTUAL, True),
        (0.0, 0.35, Tier.REAL, True),
        (61.5, 60.0, Tier.REAL, True),
    ],
)
def test_a_time_fits_a_timer(observed, seconds, tier, does):
    """A little early, because it started before our clock did; later, as servers have ticks."""
    assert timers.fits(observed, seconds, tier) is does


@pytest.mark.parametrize(
    ("observed", "tier", "is_round"),
    [
        # Whole seconds up to ten, then steps of 5 s, 30 s, a minute, five minutes.
        (7.0, Tier.VIRTUAL, True),
        (7.5, Tier.VIRTUAL, False),
        (10.0, Tier.VIRTUAL, True),
        (11.0, Tier.VIRTUAL, True),
        (12.0, Tier.VIRTUAL, False),
        (45.0, Tier.VIRTUAL, True),
        (47.0, Tier.VIRTUAL, False),
        (120.0, Tier.VIRTUAL, True),
        (125.0, Tier.VIRTUAL, False),
        (150.0, Tier.VIRTUAL, True),
        (160.0, Tier.VIRTUAL, False),
        (600.0, Tier.VIRTUAL, True),
        (630.0, Tier.VIRTUAL, False),
        (660.0, Tier.VIRTUAL, True),
        (690.0, Tier.VIRTUAL, False),
        (7200.0, Tier.VIRTUAL, True),
        (7260.0, Tier.VIRTUAL, False),
        (7500.0, Tier.VIRTUAL, True),
        # Between two numbers of a step, and numbers of no wider one.
        (0.04, Tier.VIRTUAL, False),
        (1.0, Tier.VIRTUAL, True),
        (7.34, Tier.VIRTUAL, False),
        (50.0, Tier.VIRTUAL, True),
        (210.0, Tier.VIRTUAL, True),
        (620.0, Tier.VIRTUAL, False),
        (2460.0, Tier.VIRTUAL, True),
        (7300.0, Tier.VIRTUAL, False),
        # In real time nothing below a minute, then wider steps.
        (45.0, Tier.REAL, False),
        (59.5, Tier.REAL, False),
        (59.7, Tier.REAL, True),
        (61.4, Tier.REAL, True),
        (61.6, Tier.REAL, False),
        (75.0, Tier.REAL, False),
        (90.0, Tier.REAL, True),
        (600.0, Tier.REAL, True),
        (630.0, Tier.REAL, False),
        (660.0, Tier.REAL, True),
        (7200.0, Tier.REAL, True),
        (7260.0, Tier.REAL, False),
        (7500.0, Tier.REAL, True),
        (30.0, Tier.REAL, False),
        (61.5, Tier.REAL, True),
        (100.0, Tier.REAL, False),
        (210.0, Tier.REAL, True),
        (620.0, Tier.REAL, False),
        (2460.0, Tier.REAL, True),
        (7300.0, Tier.REAL, False),
    ],
)
def test_numbers_that_people_write(observed, tier, is_round):
    """45 s and 10 min stand in settings, 47.3 s does not."""
    assert timers.is_round(observed, tier) is is_round


@pytest.mark.parametrize(
    ("observed", "shown"),
    [
        (33.2, "33 s"),
        (32.7, "33 s"),
        (33.4, "about 33.4 s"),
        (2.08, "2 s"),
        (2.2, "about 2.2 s"),
        (5.25, "5 s"),
    ],
)
def test_the_length_of_a_timer_in_a_sentence(observed, shown):
    """A whole number where it is near one: 0.35 s of long times, a twentieth of short ones."""
    assert timers.value(observed, Tier.REAL) == shown


def test_a_timer_that_is_known_gives_its_own_length():
    """And its owners, each once."""
    observed = 60.9

    assert timers.value(observed, Tier.REAL, CountsFrom.IDLE) == "60 s"
    assert "nginx" in timers.owners(observed, Tier.REAL, CountsFrom.IDLE)
    assert timers.owners(observed, Tier.VIRTUAL, CountsFrom.IDLE) == ""


@pytest.mark.parametrize(
    ("observed", "owners"), [(15.01, "Deno"), (30, "node ws (README isAlive loop)"), (20, "Engine.IO")]
)
def test_who_ends_a_client_so_long_after_a_ping_that_it_did_not_answer(observed, owners):
    assert owners in timers.owners(observed, Tier.REAL, CountsFrom.PING)


@pytest.mark.parametrize(
    ("observed", "signed", "owners"),
    [
        (15, "", "Ktor, Deno"),
        (15, "Server: nginx/1.22.1", "Ktor, Deno"),
        (15, "Server: Python/3.11 aiohttp/3.14.5", ""),
        (15, "Server: TornadoServer/6.5", ""),
        (20, "Server: uvicorn", "websockets or uvicorn"),
        (20, "Via: 1.1 Caddy", "websockets or uvicorn, Engine.IO"),
    ],
)
def test_a_server_that_signs_its_answer_is_the_one_that_pings(observed, signed, owners):
    """What stands before it may sign in its stead, and pings nobody."""
    assert timers.owners(observed, Tier.VIRTUAL, CountsFrom.PING, signed=signed) == owners


def test_what_stands_before_a_server_has_timers_of_its_own():
    assert "nginx" in timers.owners(60, Tier.VIRTUAL, CountsFrom.IDLE, signed="Server: uvicorn")

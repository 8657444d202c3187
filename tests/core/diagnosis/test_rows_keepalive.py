"""Rows for keepalives of this end that gave up."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_keepalive import ROWS
from pytest_wsstability.core.timeline.close import CloseEvidence, CloseFrame, TransportEnd
from pytest_wsstability.core.timeline.events import End
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import GIVEN_UP, timeline

PING = [(40, ">ping", b"1")]
PING_2 = [(40, ">ping", b"2")]
LATE, MUTE, DEAD = "PONG_LATE", "NO_PONGS", "HALF_OPEN"


def causes(*rows, code=1011):
    how = {"transport": TransportEnd.FIN, "sent": CloseFrame(code)}
    return [each.partition(" ")[0] for each in fitting(ROWS, read(*rows, how=how))]


@pytest.mark.parametrize(("waiting", "first"), [(0, MUTE), (1, LATE), (70_000, LATE)])
def test_a_ping_waits_behind_what_has_not_left(waiting, first):
    """A byte is enough, if the peer is heard."""
    assert causes((39, "queued", waiting), *PING, (59.5, "<text"))[0] == first


@pytest.mark.parametrize(("heard", "is_dead"), [(58.75, True), (59, False)])
def test_a_second_without_a_byte_may_be_a_dead_path(heard, is_dead):
    """Less is between any two messages."""
    assert (DEAD in causes(*PING, (heard, "<text"))) is is_dead


def test_only_1011_is_what_a_keepalive_says():
    """Of the codes that this end may have sent."""
    assert causes(*PING) == [DEAD]
    assert causes(*PING, code=1002) == []


@pytest.mark.parametrize(
    ("answered", "heard", "is_late"),
    [
        # The first ping went out at 20 s; the second, 19 s before the end, stays open.
        (38.5, 59.5, True),
        (38.5, 58.9, False),
        # What came since would have been on its way for longer than any answer.
        (30, 59.5, False),
    ],
)
def test_a_pong_may_be_as_late_as_the_one_before_it(answered, heard, is_late):
    """Where bytes come up to the end, and none of them shows that the last ping was passed over."""
    rows = [(20, ">ping", b"1"), (answered, "<pong", b"1"), (41, ">ping", b"2"), (heard, "<text")]

    assert (causes(*rows) == [LATE]) is is_late


def test_no_answer_before_makes_no_pong_late():
    """One that took a second, or none, tells nothing of the next."""
    how = {"transport": TransportEnd.FIN, "sent": CloseFrame(1011)}
    rows = [(20, ">ping", b"1"), (21, "<pong", b"1"), (59.2, ">ping", b"2"), (59.5, "<text")]

    assert fitting(ROWS, read(*rows, how=how)) == []
    rows[1] = (21.001, "<pong", b"1")
    assert fitting(ROWS, read(*rows, how=how)) == [LATE]


@pytest.mark.parametrize(
    ("took", "heard", "first"),
    [
        # The open ping waited for 20 s.
        (10, 59.5, "PONG_LATE"),
        (9.9375, 59.5, "NO_PONGS"),
        (0.5, 59.5, "NO_PONGS"),
        # The peer had said nothing of its own before either.
        (10, None, "PONG_LATE / HALF_OPEN"),
        (0.5, None, "HALF_OPEN"),
    ],
)
def test_pongs_that_took_half_as_long_before_are_late_again(took, heard, first):
    """A peer that answers no ping has never answered one."""
    how = {"transport": TransportEnd.FIN, "sent": CloseFrame(1011)}
    talk = [] if heard is None else [(at, "<text") for at in (5, 15, 25, 35, 45, heard)]
    rows = [*talk, (20, ">ping", b"1"), (20 + took, "<pong", b"1"), *PING_2]

    assert fitting(ROWS, read(*rows, how=how))[0].partition(" / CONTROL")[0] == first


def test_a_peer_that_stopped_sending_is_not_late():
    """Frames of its own were due meanwhile, and none came: a dead path is likelier."""
    how = {"transport": TransportEnd.FIN, "sent": CloseFrame(1011)}
    talk = [(at, "<text") for at in (5, 10, 15, 20, 25, 30, 35)]
    rows = [*talk, (20, ">ping", b"1"), (30, "<pong", b"1"), *PING_2]

    assert fitting(ROWS, read(*rows, how=how))[0] == "HALF_OPEN"


@pytest.mark.parametrize(
    ("pieces", "first"),
    [
        # A download over a slow link (wstunnel 400): its bytes come to the end.
        (range(50, 60), "PONG_LATE"),
        # A frame that came at once, or whose rest stays away.
        ([59.5], "NO_PONGS"),
        ([50, 50.5], "NO_PONGS"),
        ([], "NO_PONGS"),
    ],
)
def test_a_pong_behind_a_frame_that_still_arrives(pieces, first):
    """It was answered before, so it is late and not missing."""
    line = timeline((1, ">ping", b"0"), (1.1, "<pong", b"0"), *PING, (48, "<text"))
    for at in pieces:
        line.half_frame(1000 + at, True)
    line.over(1060, CloseEvidence(end=End.CLIENT, at=60.0, **{**GIVEN_UP, "sent": CloseFrame(1011)}))

    assert fitting(ROWS, extract(line))[0].partition(" ")[0] == first

"""Rows for a connection that ends because there is another of its session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis.rows_displaced import ROWS
from pytest_wsstability.core.timeline.events import Direction, Event, EventKind, Opcode, Role
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import FIN, closed_by_peer

TALK = [(10, ">text"), (10.5, "<text")]


@pytest.mark.parametrize(
    ("how", "fits"),
    [
        (FIN, True),
        *((closed_by_peer(code), True) for code in (1000, 1001, 1005, 1008, 1011, 4000)),
        *((closed_by_peer(code), False) for code in (1002, 1012, 4401)),
        (closed_by_peer(4000, "idle timeout"), False),
    ],
)
def test_another_connection_of_the_same_session_may_have_taken_its_place(how, fits):
    """Unless the end says something else."""
    features = read(*TALK, end=47.3, how=how, beside={"same_session_opened": True})
    alone = read(*TALK, end=47.3, how=how)

    assert fitting(ROWS, features) == (["SESSION_DUPLICATED"] if fits else [])
    assert fitting(ROWS, alone) == []


@pytest.mark.parametrize(
    ("end", "more", "left"),
    [
        (47.3, {}, []),
        # A client that knows the limit opens another before it.
        (60, {}, ["MAX_AGE"]),
        (47.3, {"together": 2}, ["RESTART"]),
        # Nothing had been said for 60 s, and for 59.
        (70.5, {}, ["IDLE_TIMEOUT"]),
        (69.5, {}, []),
    ],
)
def test_what_else_ends_a_connection_when_another_comes(end, more, left):
    """A limit on its age, or on a silence, and what ends others with it."""
    features = read(*TALK, end=end, beside={"same_session_opened": True, **more})

    assert fitting(ROWS, features) == [" / ".join(["SESSION_DUPLICATED", *left])]


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("role", [Role.SESSION_INFO, Role.DATA])
@pytest.mark.parametrize(
    ("how", "fits"),
    [
        (FIN, True),
        *((closed_by_peer(code), True) for code in (1000, 1001, 1005, 1008, 4000)),
        *((closed_by_peer(code), False) for code in (1002, 1011, 1012, 4401)),
        (closed_by_peer(4000, "token expired"), False),
    ],
)
def test_an_older_connection_of_the_same_session_may_have_its_place(how, fits, role, beside):
    """Where the end answers what sets up the session, and says nothing else."""
    features = read(end=0.1, how=how, beside={"same_session_open": beside})
    said = Event(0.05, EventKind.FRAME, Direction.SENT, Opcode.TEXT, 40, role)
    features = replace(features, tail=replace(features.tail, sent=(said,)))
    is_one = fits and beside and role is Role.SESSION_INFO

    assert fitting(ROWS, features) == (["SESSION_DUPLICATED / HANDLER_ERROR"] if is_one else [])

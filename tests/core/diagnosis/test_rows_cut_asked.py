"""Rows for ends without a close frame right after something that this end sent."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis import diagnose
from pytest_wsstability.core.diagnosis.rows_cut_asked import LAST, ROWS
from pytest_wsstability.core.timeline.events import End
from tests.core.diagnosis.fitting import after_message, fitting, read
from tests.core.script import FIN, RST, closed_by_peer, timeline

ALL = (*ROWS, *LAST)
PINGED, ASKED = [(59.97, "<ping"), (59.97, ">pong")], [(59.97, ">ping", b"1")]


@pytest.mark.parametrize(
    ("rows", "is_first"),
    [
        (PINGED, True),
        (ASKED, True),
        ([*ASKED, (59.98, "<pong", b"1")], False),
        ([(50, "<ping"), (50, ">pong"), *PINGED], False),
        ([(50, "<ping"), (50, ">pong"), (55, "<ping"), (55, ">pong"), *PINGED], False),
        ([*ASKED, (59.97, "<ping")], False),
        ([(50, "<ping"), (50, ">pong")], False),
        ([*PINGED, (59.98, "<text")], False),
        ([*PINGED, (59.97, ">text")], False),
    ],
)
def test_the_first_ping_may_be_what_ended_it(rows, is_first):
    """Of either end, or its pong, as the last frame."""
    causes = fitting(ALL, read(*rows))

    assert any(each.startswith("CONTROL_FRAMES") or "PING_REFUSED" in each for each in causes) is is_first


@pytest.mark.parametrize(("heard", "fits"), [(59.5, True), (60, False)])
def test_a_kernel_resets_what_its_process_left_unread(heard, fits):
    """This end spoke last, in a stream, and had answered each ping at once."""
    spoken = [(56.5 + at / 2, ">text") for at in range(8)]
    rows = [(10, "<ping"), (10, ">pong"), *spoken, (heard, "<text")]
    causes = fitting(ALL, read(*rows, end=60.25, how=RST))

    assert any(each.startswith("PEER_NOT_READING") for each in causes) is fits


@pytest.mark.parametrize(
    ("size", "rivals"), [(511, "HANDLER_ERROR"), (512, "HANDLER_ERROR / MESSAGE_TOO_BIG")]
)
def test_a_message_below_the_smallest_limit_was_not_too_big(size, rivals):
    """Half of it would tell nothing."""
    talk = [(at, ">text") for at in (5, 20)]
    features = after_message(read(*talk, (20.01, "<text"), end=40.3), size)

    assert fitting(LAST, features)[0] == rivals


@pytest.mark.parametrize(
    ("silence", "since", "fits"), [(240, [], True), (239.9375, [], False), (240, [(250, "<text")], False)]
)
def test_the_first_word_after_a_long_silence_may_have_found_nobody(silence, since, fits):
    """Nobody is known to forget sooner; and the longest silence tells."""
    last = silence + (since[-1][0] if since else 1)
    rows = [(0.5, ">text"), (1, "<text"), *since, (last, ">text")]
    causes = fitting(ROWS, read(*rows, end=last + 0.01))

    assert causes[-1].startswith("HANDLER_ERROR")
    assert ("NAT_EXPIRED" in causes[-1]) is fits


BEATS = [(25, ">beat", 1), (25.01, "<answer", 1)]
TALK = [(at + more, kind) for at in (5, 10, 15) for more, kind in ((0, ">text"), (0.01, "<text"))]


@pytest.mark.parametrize(
    ("rows", "last", "fits"),
    [
        # After 60 s: known of many. After 45 s and 61 s, of nobody.
        (BEATS, (85.02, ">beat", 2), "IDLE_TIMEOUT"),
        (BEATS, (85.36, ">beat", 2), "IDLE_TIMEOUT"),
        (BEATS, (85.37, ">beat", 2), None),
        (BEATS, (70.02, ">beat", 2), None),
        (TALK, (75.02, ">text"), "IDLE_TIMEOUT / HANDLER_ERROR"),
        # The first of its kind, and a larger message than any before.
        ([], (60.02, ">beat", 1), "IDLE_TIMEOUT / HANDLER_ERROR"),
        ([], (60.02, ">ping", b"1"), "IDLE_TIMEOUT / CONTROL_FRAMES_LOST"),
        (TALK[:4], (70.02, ">text"), "IDLE_TIMEOUT / HANDLER_ERROR"),
        (TALK[:2], (65.02, ">text"), None),
        (TALK, (75.02, ">audio"), None),
        # A longer silence was survived, and an answer came.
        ([*BEATS, (90, ">text")], (150.01, ">beat", 2), None),
    ],
)
def test_a_frame_may_meet_the_idle_timeout_on_its_way(rows, last, fits):
    """One that is sent as rarely as the timeout allows does; what the peer has borne before does no harm."""
    found = fitting(ROWS, read(*rows, last, end=last[0] + 0.01))

    assert next((each for each in found if each.startswith("IDLE_TIMEOUT")), None) == fits


def test_whose_answer_came_has_met_no_idle_timeout():
    found = fitting(ROWS, read(*BEATS, (85.02, ">beat", 2), (85.03, "<answer", 2), end=85.04))

    assert not any(each.startswith("IDLE_TIMEOUT") for each in found)


@pytest.mark.parametrize(
    ("before", "end", "fits"), [(TALK, 300.0, True), (TALK, 301.0, False), ([], 300.0, False)]
)
def test_a_maximum_age_may_come_right_after_a_message(before, end, fits):
    """Whose likes went before."""
    found = fitting(ROWS, read(*before, (end - 0.01, ">text"), end=end))

    assert found[-1].startswith("HANDLER_ERROR")
    assert ("MAX_AGE" in found[-1]) is fits


def test_whose_word_was_answered_has_not_been_forgotten():
    """Though it was the first after a long silence."""
    rows = [(0.5, ">text"), (1, "<text"), (241, ">text"), (241.01, "<text")]

    causes = fitting(ROWS, read(*rows, end=241.02))

    assert causes[-1].startswith("HANDLER_ERROR")
    assert "NAT_EXPIRED" not in causes[-1]


@pytest.mark.parametrize(
    ("rows", "end", "first"),
    [
        ([], 0, "HANDLER_ERROR"),
        ([], 0.99, "HANDLER_ERROR"),
        ([], 1.0, "RESTART"),
        ([(0.1, "<text")], 0.99, "RESTART"),
        ([(0.1, ">text")], 0.99, "RESTART"),
        ([(0.1, "<ping", b"1"), (0.1, ">pong", b"1")], 0.99, "HANDLER_ERROR"),
    ],
)
def test_a_connection_that_is_cut_as_soon_as_it_is_open(rows, end, first):
    """Before anything was said, its handler is likelier than a restart at that instant; neither is sure."""
    found = fitting(LAST, read(*rows, end=end))

    assert found[0] == first
    assert (fitting(LAST, read(*rows, end=end, how=1000))) == []
    assert fitting(LAST, read(*rows, end=end, line_end=End.SERVER))[0] == "PEER_LEFT"


@pytest.mark.parametrize(
    ("rows", "end", "unchosen", "first"),
    [
        ([], 0.99, "chat, ***", "PROTOCOL_ERROR"),
        # What the server said first, the client has not read.
        ([(0, ">text")], 0.02, "chat, ***", "PROTOCOL_ERROR"),
        ([], 1.0, "chat, ***", "PEER_LEFT"),
        ([], 0.99, None, "PEER_LEFT"),
        # Not a client that goes on all the same.
        ([(0.1, "<text")], 0.99, "chat, ***", "PEER_LEFT"),
        ([(0.1, "<ping", b"1")], 0.99, "chat, ***", "PEER_LEFT"),
    ],
)
def test_a_client_that_was_chosen_no_subprotocol_is_gone_at_once(rows, end, unchosen, first):
    """As browsers and node's ws are; others go on without one."""
    features = read(*rows, end=end, line_end=End.SERVER)
    features.timeline.unchosen = unchosen

    assert fitting(LAST, features)[0] == first


@pytest.mark.parametrize(
    ("rows", "end", "how", "fits"),
    [
        ([(33, ">beat")], 33.46875, FIN, True),
        ([(33, ">beat")], 33.53125, FIN, False),
        # A tenth of the age: beside a heartbeat of two seconds any end is near.
        ([(2, ">beat")], 2.21875, FIN, True),
        ([(2, ">beat")], 2.25, FIN, False),
        # A box that has forgotten the connection answers with RST; and what was answered once is known.
        ([(33, ">beat")], 33.0625, RST, False),
        ([(11, ">beat"), (11, "<answer"), (33, ">beat")], 33.0625, FIN, False),
        ([(11, ">beat"), (33, ">beat")], 33.0625, FIN, False),
        ([(33, ">beat"), (33, "<answer")], 33.0625, FIN, False),
        ([(33, ">beat as ping", b"1")], 33.0625, FIN, False),
        ([(33, ">beat"), (33.03125, ">text")], 33.0625, FIN, False),
        # What came of the server then is no answer.
        ([(33, ">beat"), (33.03125, "<text")], 33.0625, FIN, True),
    ],
)
def test_the_first_heartbeat_may_be_what_ended_it(rows, end, how, fits):
    """A handler that fails on what it does not know ends the connection so, and as often with 1000."""
    cut, closed = (diagnose(timeline(*rows, (end, each))) for each in (how, closed_by_peer(1000)))

    assert (cut.headline == "cut right after the first heartbeat: does the server know it?") is fits
    if how is FIN:
        told = "closed right after the first heartbeat: does the server know it?"
        assert (closed.headline == told) is fits


@pytest.mark.parametrize(
    ("rows", "end", "fits"),
    [
        ([(33, ">beat"), (33, "<answer")], 33.0625, True),
        ([(1, ">text"), (2, "<text"), (33, ">beat"), (33, "<answer")], 33.0625, True),
        ([(33, ">beat"), (33, "<answer")], 33.53125, False),
        # One that was borne before is no reason now; nor is it where the handler went on.
        ([(11, ">beat"), (11, "<answer"), (33, ">beat"), (33, "<answer")], 33.0625, False),
        ([(33, ">beat"), (33, "<answer"), (33.03125, "<text")], 33.0625, False),
        ([(33, ">beat as ping", b"1"), (33, "<answer as pong", b"1")], 33.0625, False),
    ],
)
def test_a_handler_may_answer_the_first_heartbeat_and_then_fail(rows, end, fits):
    """A restart comes then by chance only, and ends others too."""
    one = timeline(*rows, (end, FIN))
    found = diagnose(one)
    others = [timeline(*rows, (end + more, FIN)) for more in (0.03125, 0.0625)]

    assert (found.headline == "cut right after the first heartbeat's answer: handler failed?") is fits
    assert "handler" not in diagnose(one, cohort=others).headline


@pytest.mark.parametrize(("at", "confidence"), [(33, "medium"), (5, "low")])
def test_a_first_heartbeat_at_a_round_age_may_be_an_accident(at, confidence):
    """A limit of the server, or of a box."""
    for how in (FIN, closed_by_peer(1000)):
        found = diagnose(timeline((at, ">beat"), (at + 0.03125, how)))

        assert "right after the first heartbeat" in found.headline
        assert found.confidence.value == confidence


@pytest.mark.parametrize("at", [30, 60])
def test_a_cut_at_a_known_timer_is_not_for_the_first_heartbeat(at):
    """It may have been on its way while that went out."""
    found = diagnose(timeline((at, ">beat"), (at + 0.03125, FIN)))

    assert "the first heartbeat" not in found.headline

"""What an end of a connection knows about its end, fact by fact."""

from __future__ import annotations

import ssl

import pytest
from websockets.frames import Close
from websockets.protocol import CLIENT, State
from websockets.protocol import Protocol as FrameProtocol

from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.net.ending import KnownEnd, Phase, Sign, seen_by, transport_end

SENT, RECEIVED = CloseFrame(1000, "done"), CloseFrame(1001, "bye")


@pytest.mark.parametrize(
    ("before", "sign", "after"),
    [
        (Phase.OPEN, Sign.CLOSE_SENT, Phase.CLOSING),
        (Phase.OPEN, Sign.FIN, Phase.HALF_CLOSED),
        (Phase.CLOSING, Sign.CLOSE_RECEIVED, Phase.CLOSING),
        (Phase.CLOSING, Sign.FIN, Phase.HALF_CLOSED),
        (Phase.HALF_CLOSED, Sign.CLOSE_SENT, Phase.HALF_CLOSED),
        (Phase.HALF_CLOSED, Sign.LOST, Phase.CLOSED),
        (Phase.CLOSED, Sign.FIN, Phase.CLOSED),
        # What did not open cannot be over by a close frame.
        (Phase.OPENING, Sign.CLOSE_RECEIVED, Phase.OPENING),
        (Phase.OPENING, Sign.LOST, Phase.CLOSED),
    ],
)
def test_only_the_first_sign_of_its_kind_changes_the_phase(before: Phase, sign: Sign, after: Phase) -> None:
    assert before.after(sign) is after


def test_nothing_known_is_an_open_transport_at_the_age_that_is_given() -> None:
    evidence = KnownEnd().evidence(End.CLIENT, 12.5)
    assert (evidence.at, evidence.transport, evidence.end) == (12.5, TransportEnd.OPEN, End.CLIENT)


def test_the_instant_of_the_first_sign_stays() -> None:
    ending = KnownEnd()
    ending.learn({"at": 3.0}, hidden_since=None)
    assert ending.evidence(End.CLIENT, 12.5).at == 3.0


def test_the_first_reason_of_this_end_counts_and_keeps_its_detail() -> None:
    ending = KnownEnd()
    ending.learn({"local_reason": LocalReason.READ_DEADLINE, "local_detail": "60 s"}, hidden_since=None)
    later = {"local_reason": LocalReason.CLOSE_TIMEOUT, "local_detail": "10 s", "error": "lost"}
    assert ending.learn(later, hidden_since=None)
    evidence = ending.evidence(End.SERVER, 0.0)
    assert (evidence.local_reason, evidence.local_detail) == (LocalReason.READ_DEADLINE, "60 s")
    assert evidence.error == "lost"


def test_what_is_known_already_is_no_news_and_none_says_nothing() -> None:
    ending = KnownEnd()
    assert ending.learn({"sent": SENT}, hidden_since=None)
    assert not ending.learn({"sent": SENT, "received": None}, hidden_since=None)
    assert ending.evidence(End.CLIENT, 0.0).sent == SENT


def test_an_end_that_was_hidden_is_not_once_the_peer_has_answered() -> None:
    ending = KnownEnd()
    assert ending.learn({}, hidden_since=4.0)
    assert ending.evidence(End.CLIENT, 0.0).hidden_since == 4.0
    assert ending.learn({}, hidden_since=None)
    assert ending.evidence(End.CLIENT, 0.0).hidden_since is None


@pytest.mark.parametrize(
    ("facts", "first"),
    [
        ([{"received": RECEIVED}, {"sent": SENT}], True),
        ([{"sent": SENT}, {"received": RECEIVED}], False),
        # In one read, ours is the answer.
        ([{"received": RECEIVED, "sent": SENT}], True),
        ([{"received": RECEIVED}], None),
        ([{"sent": SENT}], None),
    ],
)
def test_whose_close_frame_came_first(facts: list[dict[str, CloseFrame]], first: bool | None) -> None:
    ending = KnownEnd()
    for each in facts:
        ending.learn({**each}, hidden_since=None)
    assert ending.evidence(End.CLIENT, 0.0).received_first is first


@pytest.mark.parametrize(
    ("error", "end"),
    [
        (ConnectionResetError(), TransportEnd.RESET),
        (BrokenPipeError(), TransportEnd.RESET),
        (ConnectionAbortedError(), TransportEnd.RESET),
        (TimeoutError(), TransportEnd.TIMED_OUT),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), TransportEnd.TLS_FAILED),
        (OSError("no route"), TransportEnd.FAILED),
        (RuntimeError(), TransportEnd.FAILED),
    ],
)
def test_an_error_of_the_transport_says_how_the_stream_ended(error: Exception, end: TransportEnd) -> None:
    assert transport_end(error) is end


@pytest.mark.parametrize(
    ("error", "facts"),
    [
        (None, {}),
        (ValueError("bad opcode"), {"parser_error": "bad opcode"}),
        (ValueError(), {"parser_error": "ValueError()"}),
        # Between two frames nothing is missing; within one, the stream ended in the middle of it.
        (EOFError("unexpected end of stream"), {}),
        (EOFError("stream ends after 1 bytes, expected 2 bytes"), {"mid_frame": True, "stray": "\x81"}),
    ],
)
def test_what_the_parser_says(error: Exception | None, facts: dict[str, object]) -> None:
    protocol = FrameProtocol(CLIENT, state=State.OPEN)
    protocol.parser_exc = error
    assert seen_by(protocol, "\x81") == {"received": None, **facts}


def test_a_close_frame_of_the_peer_is_taken_over_in_builtin_types() -> None:
    protocol = FrameProtocol(CLIENT, state=State.OPEN)
    protocol.close_rcvd = Close(1001, "bye")
    received = seen_by(protocol, None)["received"]
    assert received == RECEIVED
    assert type(received.code) is int

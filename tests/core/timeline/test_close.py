"""Close codes, and what the evidence of an end is read as."""

import dataclasses

import pytest

from pytest_wsstability.core.timeline.close import (
    CLOSE_CODES,
    CloseEvidence,
    CloseFrame,
    LocalReason,
    TransportEnd,
    check_close,
    describe_code,
    may_be_sent,
)
from pytest_wsstability.core.timeline.events import End
from tests.core.script import FIN, PLANNED, RST, closed_by_peer

ABORTED = {"transport": TransportEnd.ABORTED}


def evidence(end=End.CLIENT, at=60.0, **fields):
    return CloseEvidence(**{"end": end, "at": at, **fields})


@pytest.mark.parametrize(
    ("code", "sendable"),
    [
        (0, False),
        (999, False),
        (1000, True),
        (1001, True),
        (1002, True),
        (1003, True),
        (1004, False),
        (1005, False),
        (1006, False),
        (1007, True),
        (1008, True),
        (1009, True),
        (1010, True),
        (1011, True),
        (1012, True),
        (1013, True),
        (1014, True),
        (1015, False),
        (1016, False),
        (2999, False),
        (3000, True),
        (3999, True),
        (4000, True),
        (4999, True),
        (5000, False),
    ],
)
def test_which_codes_may_stand_on_the_wire(code, sendable):
    """RFC 6455, section 7.4: 1004 is reserved; 1005, 1006 and 1015 are never sent."""
    assert may_be_sent(code) is sendable


@pytest.mark.parametrize(("code", "reason"), [(None, ""), (1000, ""), (4999, "x" * 123), (1001, "é" * 61)])
def test_what_a_close_frame_can_say(code, reason):
    """A code with up to 123 bytes of reason, or nothing."""
    check_close(code, reason)


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (1006, "", "close code: 1006 may not be sent"),
        (1000.0, "", "close code: 1000.0 may not be sent"),
        ("1000", "", "close code: '1000' may not be sent"),
        (1000, b"bye", "close reason: b'bye' is no text"),
        (1000, "x" * 124, "close reason: at most 123 bytes"),
        (1000, "é" * 62, "close reason: at most 123 bytes"),
        (None, "bye", "and only with a code"),
    ],
)
def test_what_a_close_frame_cannot_say(code, reason, words):
    """RFC 6455, sections 5.5 and 7.4."""
    with pytest.raises(ValueError, match=words):
        check_close(code, reason)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1000, "1000 (normal closure)"),
        (1005, "1005 (no status received)"),
        (1006, "1006 (abnormal closure)"),
        (1011, "1011 (internal error)"),
        (1012, "1012 (service restart)"),
        (3000, "3000 (registered by a library)"),
        (3999, "3999 (registered by a library)"),
        (4000, "4000 (private use)"),
        (4408, "4408 (private use)"),
        (4999, "4999 (private use)"),
        (2999, "2999 (not a valid code)"),
        (1016, "1016 (not a valid code)"),
        (5000, "5000 (not a valid code)"),
    ],
)
def test_a_code_is_shown_with_its_name(code, words):
    """Nobody should have to look up a number."""
    assert describe_code(code) == words


KEEPALIVE = CloseFrame(1011, "keepalive ping timeout")

ENDS = {
    "FIN without a close frame": (
        FIN,
        (1006, End.SERVER, True),
        "no close frame received or sent; FIN",
    ),
    "RST": (
        {**RST, "error": "[Errno 104] Connection reset by peer"},
        (1006, End.SERVER, True),
        "no close frame received or sent; RST",
    ),
    "no acknowledgement": (
        {"transport": TransportEnd.TIMED_OUT},
        (1006, End.SERVER, True),
        "no close frame received or sent; no acknowledgement from the peer (ETIMEDOUT)",
    ),
    "some other failure": (
        {"transport": TransportEnd.TLS_FAILED, "error": "[SSL] record layer failure"},
        (1006, End.SERVER, True),
        "no close frame received or sent; TLS failed ([SSL] record layer failure)",
    ),
    "aborted here": (
        {
            **ABORTED,
            "local_reason": LocalReason.READ_DEADLINE,
            "local_detail": "read deadline of 60 s ran out",
        },
        (1006, End.CLIENT, True),
        "no close frame received or sent; aborted by this end; client: read deadline of 60 s ran out",
    ),
    "closed here without a frame": (
        {"transport": TransportEnd.CLOSED},
        (1006, End.CLIENT, True),
        "no close frame received or sent; closed by this end",
    ),
    "cut within a frame": (
        {**FIN, "mid_frame": True},
        (1006, End.SERVER, True),
        "no close frame received or sent; FIN in the middle of a frame",
    ),
    "parser error": (
        {**FIN, "sent": CloseFrame(1002, "invalid opcode"), "parser_error": "invalid opcode: 0x5"},
        (1006, End.CLIENT, True),
        "sent 1002 (protocol error) invalid opcode; no close frame received; FIN; "
        "parser: invalid opcode: 0x5",
    ),
    "own keepalive": (
        {"transport": TransportEnd.CLOSED, "sent": KEEPALIVE, "local_reason": LocalReason.PING_TIMEOUT},
        (1006, End.CLIENT, True),
        "sent 1011 (internal error) keepalive ping timeout; no close frame received; closed by this end; "
        "client: keepalive ping timeout",
    ),
    "peer 1000": (
        closed_by_peer(1000, "bye"),
        (1000, End.SERVER, False),
        "received 1000 (normal closure) bye; then sent 1000 (normal closure) bye; FIN",
    ),
    "peer 1001": (
        closed_by_peer(1001),
        (1001, End.SERVER, False),
        "received 1001 (going away); then sent 1001 (going away); FIN",
    ),
    "peer, empty close frame": (
        closed_by_peer(1005),
        (1005, End.SERVER, False),
        "received 1005 (no status received); then sent 1005 (no status received); FIN",
    ),
    "peer 1011": (
        closed_by_peer(1011, "keepalive ping timeout"),
        (1011, End.SERVER, True),
        "received 1011 (internal error) keepalive ping timeout; "
        "then sent 1011 (internal error) keepalive ping timeout; FIN",
    ),
    "peer 1012": (
        closed_by_peer(1012),
        (1012, End.SERVER, True),
        "received 1012 (service restart); then sent 1012 (service restart); FIN",
    ),
    "peer 4408": (
        closed_by_peer(4408, "idle"),
        (4408, End.SERVER, False),
        "received 4408 (private use) idle; then sent 4408 (private use) idle; FIN",
    ),
    "peer, no answer sent": (
        {**RST, "received": CloseFrame(1012)},
        (1012, End.SERVER, True),
        "received 1012 (service restart); no close frame sent; RST",
    ),
    "peer's close frame, then cut here": (
        closed_by_peer(
            1000, transport=TransportEnd.ABORTED, local_detail="the peer did not close within 10 s"
        ),
        (1000, End.SERVER, False),
        "received 1000 (normal closure); then sent 1000 (normal closure); aborted by this end; "
        "client: the peer did not close within 10 s",
    ),
    "closed here": (
        PLANNED,
        (1000, End.CLIENT, False),
        "sent 1000 (normal closure); then received 1000 (normal closure); FIN",
    ),
    "a failure behind a clean handshake": (
        {**PLANNED, "sent": CloseFrame(1011, "boom"), "received": CloseFrame(1011, "boom")},
        (1011, End.CLIENT, True),
        "sent 1011 (internal error) boom; then received 1011 (internal error) boom; FIN",
    ),
    "1011 sent, 1000 received": (
        {**PLANNED, "sent": CloseFrame(1011), "received": CloseFrame(1000)},
        (1000, End.CLIENT, True),
        "sent 1011 (internal error); then received 1000 (normal closure); FIN",
    ),
    "closed here, no answer": (
        {**FIN, "sent": CloseFrame(1000), "planned": True},
        (1006, End.CLIENT, True),
        "sent 1000 (normal closure); no close frame received; FIN",
    ),
    "seen late": (
        {**FIN, "hidden_since": 0.25},
        (1006, End.SERVER, True),
        "no close frame received or sent; FIN; seen late, nothing was read since 250 ms",
    ),
}


@pytest.mark.parametrize(("fields", "reading", "words"), ENDS.values(), ids=ENDS)
def test_an_end_is_read_from_all_its_evidence(fields, reading, words):
    """The code an API reports, the end that began it, and whether something went wrong are three things."""
    close = evidence(**fields)

    assert (close.code, close.by, close.abnormal) == reading
    assert str(close) == words


@pytest.mark.parametrize(
    ("code", "abnormal"),
    [
        (1000, False), (1001, False), (1002, True), (1003, True), (1004, True), (1005, False), (1006, True),
        (1007, True), (1008, True), (1009, True), (1010, True), (1011, True), (1012, True), (1013, True),
        (1014, True), (1015, True), (2999, True), (3000, False), (4999, False), (5000, True),
    ],
)  # fmt: skip
def test_which_closing_handshakes_are_abnormal(code, abnormal):
    """1000, 1001, an empty close frame, and the codes of an application, say that nothing went wrong."""
    assert evidence(**closed_by_peer(code)).abnormal is abnormal


def test_evidence_is_a_value():
    """It cannot be changed after the fact, and equals its like."""
    close = evidence(**FIN)

    assert close == evidence(**FIN)
    with pytest.raises(dataclasses.FrozenInstanceError):
        close.planned = True
    with pytest.raises(dataclasses.FrozenInstanceError):
        KEEPALIVE.code = 1000


def test_each_end_reads_its_own_evidence():
    """The server whose read deadline ran out knows that it was the server; the client sees a FIN."""
    assert evidence(End.SERVER, **ABORTED).by is evidence(End.CLIENT, **FIN).by is End.SERVER


def test_headline_is_code_and_age():
    """1006 alone is not a diagnosis; 1006 at 60 s is where one begins."""
    assert evidence(at=60.0, **FIN).headline() == "1006 at 60 s"
    assert evidence(at=0.25, **closed_by_peer(4408)).headline() == "4408 at 250 ms"


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("idle\n  hint      buy more", "1000 (normal closure) idle\\n  hint      buy more"),
        ("\x1b[31mred", "1000 (normal closure) \\x1b[31mred"),
        ("vorüber", "1000 (normal closure) vorüber"),
        ("Bearer abc.def rejected", "1000 (normal closure) Bearer *** rejected"),
        ("x" * 300, f"1000 (normal closure) {'x' * 197}..."),
    ],
)
def test_a_hostile_reason_stays_text(reason, shown):
    """The peer chooses the reason: it can't forge lines, colour a terminal, or give away a token."""
    assert str(CloseFrame(1000, reason)) == shown
    assert evidence(**closed_by_peer(1000, reason)).reason == reason


def test_each_code_that_iana_has_registered_below_1016_is_known():
    """1004 and 1015 too, which nobody may send."""
    assert set(CLOSE_CODES) == set(range(1000, 1016))
    assert [code for code in CLOSE_CODES if not may_be_sent(code)] == [1004, 1005, 1006, 1015]

"""Rows for close codes that say little: what must be on record beside each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_wsstability.core.diagnosis.cohort import Shared
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.features import ProxyView
from pytest_wsstability.core.diagnosis.rows_close import LAST, ROWS
from pytest_wsstability.core.diagnosis.rows_said_keepalive import ended_by_timers_code
from pytest_wsstability.core.timeline.close import CloseEvidence
from pytest_wsstability.core.timeline.events import End, Opcode, Role
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from tests.core.diagnosis.fitting import after_message, fitting, read, stream
from tests.core.script import RECEIVED, SENT, closed_by_peer, timeline

TALK = [(10, ">text"), (10.5, "<text")]


@pytest.mark.parametrize(
    ("code", "reason", "behind", "fits"),
    [
        *((code, "", 1.25, True) for code in (1000, 1001, 1005, 1008, 1011, 3000, 4000, 4999)),
        *((code, "", 1.25, False) for code in (1002, 2999, 3003, 4401, 4403, 4408, 4409, 4429, 5000)),
        # A second is none; words that are understood say more.
        (1000, "", 1.0, False),
        (4000, "idle timeout", 1.25, False),
        (4000, "so long", 1.25, True),
    ],
)
def test_a_slow_client_is_told_of_codes_that_say_little(code, reason, behind, fits):
    """With a proxy that shows how late the stream came."""
    features = read(*stream(), how=closed_by_peer(code, reason))
    features = replace(features, between=ProxyView(behind=behind, pong_missing=False))

    assert ("SLOW_CONSUMER" in fitting(ROWS, features)) is fits


def test_a_stream_is_what_a_client_is_too_slow_for():
    """A message of half a minute ago is none."""
    features = replace(read(*TALK, how=1000), between=ProxyView(behind=9.0, pong_missing=False))

    assert fitting(ROWS, features) == []


ENGINE_IO, BEATEN = "ENGINE_IO_PING_TIMEOUT", "HEARTBEAT_UNANSWERED"


@pytest.mark.parametrize(
    ("rows", "code", "causes"),
    [
        ([(10, "<2")], 1000, [ENGINE_IO, BEATEN]),
        ([(10, "<2")], 1005, [ENGINE_IO, BEATEN]),
        ([(10, "<2")], 1001, [BEATEN]),
        ([(10, "<beat")], 1000, [BEATEN]),
        ([(10, "<beat"), (10, ">answer")], 1000, []),
    ],
)
def test_a_heartbeat_of_one_byte_is_that_of_engine_io(rows, code, causes):
    """Closed with 1000 or without a code; others close for a heartbeat with any."""
    assert fitting(ROWS, read(*rows, how=code)) == causes


@pytest.mark.parametrize(
    ("at", "opcode", "size", "answers", "fits"),
    [
        (10, Opcode.TEXT, 1, [], True),
        (10, Opcode.TEXT, 1, [5], True),
        # Three bytes, or not as text; answered, or with less than a second to do it.
        (10, Opcode.TEXT, 3, [], False),
        (10, Opcode.TEXT, 0, [], False),
        (10, Opcode.BINARY, 1, [], False),
        (10, Opcode.TEXT, 1, [10], False),
        (59, Opcode.TEXT, 1, [], True),
        (59.25, Opcode.TEXT, 1, [], False),
    ],
)
def test_a_client_that_does_not_know_engine_io_is_asked_in_a_message_of_one_byte(
    at, opcode, size, answers, fits
):
    """And is closed when it says nothing."""
    line = timeline(*((each, ">text") for each in answers if each < at))
    line.frame(1000 + at, RECEIVED, opcode, size, Role.DATA)
    for each in answers:
        if each >= at:
            line.frame(1000 + each, SENT, Opcode.TEXT, 100, Role.DATA)
    line.over(1060, CloseEvidence(end=line.end, at=60, **closed_by_peer(1000)))

    assert (ENGINE_IO in fitting(ROWS, extract(line))) is fits


@pytest.mark.parametrize(
    ("said", "answers", "fits"),
    [
        ((10, 35), [], False),
        # Its server asks again where it was answered, and no more.
        ((10, 35), [12], True),
        ((35,), [], True),
    ],
)
def test_a_byte_that_was_said_before_and_asked_nothing_asks_nothing_now(said, answers, fits):
    """SockJS says "h" each 25 s, and a feed may have prices of one digit."""
    line = timeline()
    for at, direction in sorted([(at, RECEIVED) for at in said] + [(at, SENT) for at in answers]):
        line.frame(1000 + at, direction, Opcode.TEXT, 1, Role.DATA)
    line.over(1060, CloseEvidence(end=line.end, at=60, **closed_by_peer(1000)))

    assert (ENGINE_IO in fitting(ROWS, extract(line))) is fits


def test_a_heartbeat_that_nobody_answers_is_none_of_engine_io():
    """The profile knows it: SockJS' "h"."""
    facts = ProtocolFacts(
        name="x", title="X", heartbeat=HeartbeatShape.ONE_WAY, heartbeats_from=frozenset({End.SERVER})
    )

    assert ENGINE_IO not in fitting(ROWS, read((10, "<2"), how=1000, protocol=facts))


@pytest.mark.parametrize(("beat", "fits"), [("<2", False), ("<beat", True)])
def test_another_packet_of_engine_io_is_no_ping_for_a_client_that_answers_its_pings(beat, fits):
    """Packet 1 of a session that the server ends; heartbeats that are longer are of another protocol."""
    line = timeline((5, beat), (5, ">answer"))
    line.frame(1010, RECEIVED, Opcode.TEXT, 1, Role.DATA)
    line.over(1060, CloseEvidence(end=line.end, at=60, **closed_by_peer(1000)))

    assert (ENGINE_IO in fitting(ROWS, extract(line))) is fits


@pytest.mark.parametrize(
    ("code", "spoke", "fits"),
    [
        *((code, [10, 30], True) for code in (1000, 1005)),
        # 1001 is what a server says that goes: a deadline is one cause among others.
        *((code, [10, 30], False) for code in (1001, 1008, 1011, 4000)),
        # 29 s are nobody's timer, and less than it has been silent before.
        (1000, [10, 31], False),
        (1000, [0.5, 35], False),
        # It never spoke, so that any age is as long.
        (1000, [], False),
    ],
)
def test_a_close_after_a_silence_of_this_end_may_be_a_deadline_for_its_messages(code, spoke, fits):
    """As Cowboy's is, which has a normal close for it, though its own messages go on."""
    rows = [(at, "<text") for at in range(1, 60, 3)] + [(at, ">text") for at in spoke]

    assert ("READ_DEADLINE" in fitting(LAST, read(*rows, how=code))) is fits


@pytest.mark.parametrize(("spoke", "fits"), [([10, 30], True), ([10, 31], False)])
def test_a_server_that_says_that_it_goes_may_mean_a_deadline_for_messages(spoke, fits):
    rows = [(at, "<text") for at in range(1, 60, 3)] + [(at, ">text") for at in spoke]
    first = fitting(LAST, read(*rows, how=1001))[0]

    assert first.startswith("RESTART / ")
    assert ("READ_DEADLINE" in first) is fits


@pytest.mark.parametrize(
    ("code", "silence", "fits"),
    [
        (1000, 5, True),
        (1001, 5, True),
        (1005, 5, True),
        (1002, 5, False),
        # A number that people write, of five seconds at least.
        (1000, 6, True),
        (1000, 4, False),
        (1000, 5.5, False),
    ],
)
def test_a_normal_close_after_the_longest_silence_may_be_an_idle_timeout(code, silence, fits):
    """Nothing was sent but at two seconds."""
    causes = fitting(LAST, read((2, ">text"), end=2 + silence, how=code))

    assert ("IDLE_AS_NORMAL / CLOSED_BY_PEER" in causes) is fits


@pytest.mark.parametrize(
    ("code", "size", "causes"),
    [
        (1000, 512, ["MESSAGE_TOO_BIG"]),
        (1000, 511, []),
        # A handler that failed says 1011.
        (1011, 512, ["MESSAGE_TOO_BIG / HANDLER_ERROR"]),
        (1002, 512, []),
    ],
)
def test_a_message_of_half_a_kilobyte_may_be_too_big(code, size, causes):
    """The smallest limit that is known."""
    assert fitting(ROWS, after_message(read(*TALK, how=code), size)) == causes


@pytest.mark.parametrize(
    ("code", "together", "causes"),
    [
        *((code, 0, []) for code in (1000, 1001, 1005, 1011)),
        (1008, 2, []),
        (1001, 1, ["RESTART / IDLE_TIMEOUT CLOSED_BY_PEER"]),
        (1001, 2, ["RESTART / IDLE_TIMEOUT"]),
        (1000, 2, ["RESTART / IDLE_TIMEOUT CLOSED_BY_PEER"]),
        (1005, 2, ["RESTART / IDLE_TIMEOUT CLOSED_BY_PEER"]),
        (1011, 2, ["RESTART / IDLE_TIMEOUT HANDLER_ERROR"]),
    ],
)
def test_others_that_were_closed_at_the_same_instant_show_a_restart(code, together, causes):
    """Two of them with 1001 or 1011: a server closes some with 1000 on purpose too."""
    assert fitting(ROWS, read(*TALK, how=code, beside={"together": together})) == causes


LAST_OF_ALL = "CLOSED_BY_PEER"


@pytest.mark.parametrize(
    ("code", "rows", "beside", "causes"),
    [
        (1011, [], {}, ["HANDLER_ERROR / RESTART"]),
        (1011, [(20, "<ping"), (20, ">pong")], {}, ["HANDLER_ERROR / RESTART KEEPALIVE_TIMEOUT"]),
        (1001, [], {"together": 1}, ["RESTART"]),
        (1001, [], {"together": 1, "survivors": 1}, ["RESTART / CLOSED_BY_PEER"]),
        (1001, [], {}, ["RESTART / CLOSED_BY_PEER"]),
        (4711, [], {}, []),
        # A server may end two of one room on purpose; of many, a restart or what all of them need.
        (4711, [], {"together": 1}, []),
        (4711, [], {"together": 2}, ["RESTART / IDLE_TIMEOUT CLOSED_BY_PEER"]),
        (3999, [], {"together": 11}, ["RESTART / IDLE_TIMEOUT CLOSED_BY_PEER"]),
        (2999, [], {"together": 11}, []),
    ],
)
def test_what_a_code_is_where_nothing_else_tells(code, rows, beside, causes):
    """Behind each row stands that of all codes."""
    assert fitting(LAST, read(*TALK, *rows, end=57.3, how=code, beside=beside)) == [*causes, LAST_OF_ALL]


@pytest.mark.parametrize(
    ("rows", "rivals"),
    [
        ([(10, "<text")], ""),
        ([(10, "<text"), (12, "<text")], " / HEARTBEAT_UNANSWERED"),
        ([(10, ">text"), (10, "<text"), (12, "<text")], ""),
        ([(57.2, ">text")], " / HANDLER_ERROR RESTART"),
    ],
)
def test_two_messages_that_nobody_answered_may_be_heartbeats(rows, rivals):
    """And a code right after a message may be a handler's that failed on it."""
    assert fitting(LAST, read(*rows, end=57.3, how=4711)) == [f"{LAST_OF_ALL}{rivals}"]


@pytest.mark.parametrize(
    ("code", "is_one"),
    [
        *((code, True) for code in (1000, 1001, 1005, 1008, 1011, 3000, 3008, 4999)),
        *((code, False) for code in (1002, 2999, 5000)),
    ],
)
def test_codes_of_ping_timeouts(code, is_one):
    """Those that were measured, and all of applications."""
    assert ended_by_timers_code(read(*TALK, how=code)) is is_one


@pytest.mark.parametrize(("after", "fits"), [(0.04, True), (0.5, False)])
def test_a_close_right_after_a_message_leaves_a_handler_that_failed(after, fits):
    """Also where messages go out each few seconds."""
    talk = [row for at in range(6, 60, 6) for row in ((at, ">text"), (at + 0.01, "<text"))]
    (found,) = fitting(LAST, read(*talk, (60, ">text"), end=60 + after, how=1000))

    assert found.startswith("CLOSED_BY_PEER")
    assert ("HANDLER_ERROR" in found) is fits


@pytest.mark.parametrize(("until", "first"), [(60, "READ_DEADLINE"), (57.3, "HEARTBEAT_UNANSWERED")])
def test_a_deadline_for_messages_comes_before_a_heartbeat_that_nobody_knows(until, first):
    """The peer streamed, and this end said nothing, for a minute or for a number that nobody writes."""
    (found,) = fitting(LAST, read(*((at, "<text") for at in range(5, 57, 5)), end=until, how=1000))

    assert found.startswith(f"CLOSED_BY_PEER / {first}")


@pytest.mark.parametrize(("end", "causes"), [(130, "PEER_LEFT / IDLE_AS_NORMAL"), (133, "PEER_LEFT")])
def test_a_client_that_leaves_after_a_silence(end, causes):
    """A charge point gives up after 110 s without traffic, with 1001 (lbbrhzn/ocpp 2030); pages leave too."""
    features = read((20, "<text"), (20, ">text"), end=end, how=1001, line_end=End.SERVER)

    assert fitting(LAST, features)[0] == causes


@pytest.mark.parametrize(
    ("shared", "fits"),
    [
        (Shared.SILENCE, "IDLE_AS_NORMAL / RESTART CLOSED_BY_PEER"),
        (Shared.EVERYTHING, "IDLE_AS_NORMAL / RESTART CLOSED_BY_PEER"),
        (Shared.AGE, "IDLE_AS_NORMAL / CLOSED_BY_PEER"),
    ],
)
def test_all_that_were_silent_since_one_instant(shared, fits):
    """Behind what was said to all, a restart finds them as silent as an idle timeout does."""
    others = {"together": 3, "shared": shared}

    assert fitting(LAST, read((20, "<text"), (30, "<text"), end=60, how=1001, beside=others))[0] == fits

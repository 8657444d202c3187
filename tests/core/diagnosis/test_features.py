"""What the table of causes asks of a record: each answer on both sides of its limit, and at it."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.cohort import Beside, Shared
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.timeline.events import FrameKind
from tests.core.script import FIN, RECEIVED, SENT, timeline

# A ping and a heartbeat of this end that took half a second, and one of each that nobody answered.
PING, BEAT = [(10, ">ping", b"1"), (10.5, "<pong", b"1")], [(10, ">beat"), (10.5, "<answer")]
OPEN_PING, OPEN_BEAT = [(40, ">ping", b"2")], [(40, ">beat")]


def read(*rows, end=60, looks=(), **known):
    """The features of a script that ends so."""
    return extract(timeline(*rows, (end, FIN), looks=looks), **known)


def pings(*instants):
    """Pings of the peer, answered at once."""
    return [row for at in instants for row in ((at, "<ping"), (at, ">pong"))]


ANSWERS = [
    # Heard after the question and a round trip, or 50 ms where none is known.
    ("hears", [*OPEN_PING, (40.04, "<text")], False),
    ("hears", [*OPEN_PING, (40.06, "<text")], True),
    ("hears", [*PING, *OPEN_PING, (40.5, "<text")], False),
    ("hears", [*PING, *OPEN_PING, (40.75, "<text")], True),
    ("hears", [*BEAT, *OPEN_PING, (40.5, "<text")], False),
    ("hears", [*BEAT, *OPEN_BEAT, (40.75, "<text")], True),
    # The oldest question counts, and without any there is nothing to hear.
    ("hears", [*OPEN_BEAT, (50, ">ping", b"2"), (45, "<text")], True),
    ("hears", [(45, "<text")], False),
    # Within a second, and all of them.
    ("prompt_pongs", [], False),
    ("prompt_pongs", [(10, "<ping"), (10.75, ">pong")], True),
    ("prompt_pongs", [(10, "<ping"), (11, ">pong")], False),
    ("prompt_pongs", [(10, "<ping"), (10, ">pong"), (20, "<ping")], False),
    # The answer to what went out behind the pong, not with it.
    ("read_since_pong", [*pings(10), (10, ">beat"), (10.5, "<answer")], False),
    ("read_since_pong", [*pings(10), (10.25, ">beat"), (10.5, "<answer")], True),
    ("read_since_pong", [*pings(10), (10.25, ">ping", b"1"), (10.5, "<pong", b"1")], True),
    ("read_since_pong", [(10, "<ping"), (10.25, ">beat"), (10.5, "<answer")], False),
    # Pings each ten seconds, of which one is due for more than a second.
    ("peer_due", [*pings(10, 20), (48.5, ">ping", b"1")], True),
    ("peer_due", [*pings(10, 20), (49, ">ping", b"1")], False),
    ("peer_due", pings(10, 20), False),
    # A single ping makes no interval, nor do two at one instant; each half second is one.
    ("peer_due", [*pings(10), (48.5, ">ping", b"1")], False),
    ("peer_due", [*pings(0, 0), (48.5, ">ping", b"1")], False),
    ("peer_due", [*pings(0.5, 1), (48.5, ">ping", b"1")], True),
    # Answers are nothing of the peer's own; two messages besides are.
    ("peer_due", [*BEAT, (15, "<text"), *OPEN_PING], False),
    ("peer_due", [*BEAT, (15, "<text"), (16, "<text"), *OPEN_PING], True),
    # The slowest answer took as long as the peer can have waited for a pong.
    ("pong_under_way", [(0, ">info"), (2, "<confirmed"), *pings(58)], True),
    ("pong_under_way", [(0, ">info"), (2, "<confirmed"), *pings(57.75)], False),
    ("pong_under_way", [(0, ">info"), *pings(58)], False),
    ("pong_under_way", [*BEAT, *pings(59.5)], True),
    ("pong_under_way", [*PING, *pings(59.25)], False),
    ("pong_under_way", BEAT, False),
    # The heartbeat went out before the ping.
    ("unread_first", [(39, ">beat"), *OPEN_PING], True),
    ("unread_first", [*OPEN_BEAT, *OPEN_PING], False),
    ("unread_first", [*OPEN_PING, (41, ">beat")], False),
    ("unread_first", OPEN_BEAT, False),
    ("never_answered", [*OPEN_BEAT, *OPEN_PING], True),
    ("never_answered", BEAT, False),
    ("never_answered", PING, False),
    # Nothing later than a fiftieth of a minute.
    ("passive", [], True),
    ("passive", [(1.1, "<text")], True),
    ("passive", [(1.3, "<text")], False),
    # Pings that differ by a fifth of ten seconds.
    ("irregular", pings(10, 20, 32), False),
    ("irregular", pings(10, 20, 32.25), True),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "answer"), ANSWERS)
def test_what_is_asked_of_a_record(name, rows, answer):
    """Instants are halves and quarters, so that the limit itself is met to the last bit."""
    features = read(*sorted(rows, key=lambda row: row[0]))

    assert getattr(features.peer_pings if name == "irregular" else features, name) is answer


@pytest.mark.parametrize(("longer", "is_longest"), [(-0.005, False), (0.005, False), (0.02, True)])
def test_a_silence_is_the_longest_by_a_hundredth_of_a_second(longer, is_longest):
    """One that came as late as those before was survived before."""
    features = read(*((at, "<text") for at in range(10, 60, 10)), end=60 + longer)

    assert features.longest_quiet is is_longest
    assert features.broke_silence(RECEIVED) is is_longest


def test_messages_of_a_direction_are_those_that_were_spoken_in_it():
    """The handshake of the session is none; control frames are counted as frames."""
    talk = [(10, ">text"), (20, ">text"), (30, "<text"), (40, "<ping"), (40, ">pong")]
    features = read((0, "<hello"), (0, ">info"), (0, "<confirmed"), *talk)

    said = {kind: [features.spoken(way, kind) for way in (SENT, RECEIVED)] for kind in FrameKind}
    assert said == {
        FrameKind.DATA: [2, 1], FrameKind.PING: [0, 1], FrameKind.PONG: [1, 0], FrameKind.ANY: [4, 4],
    }  # fmt: skip


@pytest.mark.parametrize(("last", "is_passive"), [(0.75, True), (1, False)])
def test_nothing_was_said_if_the_last_byte_came_within_the_first_second(last, is_passive):
    """A silence of that length less is no timer's, so that it may be counted from the opening."""
    assert read((last, "<text"), end=40).passive is is_passive


@pytest.mark.parametrize(("longest", "is_uneven"), [(10.25, False), (12.1, True), (11.9, False)])
def test_intervals_that_differ_by_a_fifth_are_uneven(longest, is_uneven):
    """And by 0.3 s at least: real loops are late by less."""
    assert read((10, "<ping"), (20, "<ping"), (20 + longest, "<ping")).peer_pings.irregular is is_uneven


@pytest.mark.parametrize(("longest", "is_uneven"), [(1.28, False), (1.32, True)])
def test_short_intervals_may_differ_by_300_ms(longest, is_uneven):
    assert read((10, "<ping"), (11, "<ping"), (11 + longest, "<ping")).peer_pings.irregular is is_uneven


@pytest.mark.parametrize(
    ("retransmits", "unacked", "heard", "dead"),
    [
        (2, 1, 55.9, True),
        (1, 1, 55.9, False),
        (2, 0, 55.9, False),
        # What lost packets explain: four seconds.
        (2, 1, 56.1, False),
        (2, 1, 56, False),
    ],
)
def test_a_dead_network_sends_again_and_hears_nothing(retransmits, unacked, heard, dead):
    """One thing sent again is loss."""
    looks = [{"at": 60, "retransmits": retransmits, "unacked": unacked, "last_ack_recv": 4.0}]

    assert read((heard, "<text"), looks=looks).network_dead is dead


@pytest.mark.parametrize(
    ("before", "heard", "again", "dead"),
    [
        # Sent again before, and heard after that: seven times more.
        (1, 51, 6, False),
        (1, 51, 7, True),
        # Not heard since, or nothing was lost before.
        (1, 49, 2, True),
        (1, 50, 2, True),
        (0, 51, 2, True),
    ],
)
def test_a_path_that_lost_packets_before_is_dead_after_more_of_them(before, heard, again, dead):
    """Eight transmissions in a row are lost once in 15,000 times, of 30 %."""
    lost = {"at": 50, "retransmits": before, "unacked": before}
    looks = [lost, {"at": 60, "retransmits": again, "unacked": 1, "last_ack_recv": 9.0}]

    assert read((heard, "<text"), looks=looks).network_dead is dead


@pytest.mark.parametrize(("field", "value"), [("retransmits", 1), ("backoff", 1)])
def test_a_network_that_sends_again_is_not_fine(field, value):
    """A retransmission counts, and so does a doubled timeout; without either the network is fine."""
    look = {"at": 60, "last_ack_recv": 0.0}

    assert read((50, "<text"), looks=[look]).network_fine
    assert not read((50, "<text"), looks=[{**look, field: value}]).network_fine
    assert read((50, "<text"), looks=[{**look, field: value}]).lossy


@pytest.mark.parametrize("asks", [">ping", ">beat"])
@pytest.mark.parametrize(("heard", "is_dead"), [(54.25, False), (54, False), (53.75, True)])
def test_a_slow_path_is_dead_after_three_of_its_round_trips(asks, heard, is_dead):
    """Answers of two seconds: six without anything heard are no wonder."""
    key, answer = ([b"1"], "<pong") if asks == ">ping" else ([], "<answer")
    looks = [{"at": 60, "retransmits": 2, "unacked": 1, "last_ack_recv": 6.0}]
    features = read((10, asks, *key), (12, answer, *key), (heard, "<text"), looks=looks)

    assert features.network_dead is is_dead


@pytest.mark.parametrize(
    ("rows", "look", "is_fine"),
    [
        # All acknowledged; a segment or bytes that are not.
        ([], {}, True),
        ([], {"unacked": 1}, False),
        ([], {"send_queue": 1}, False),
        # Acknowledged after the question had gone out, and not with it.
        (OPEN_PING, {"unacked": 1, "last_ack_recv": 19.5}, True),
        (OPEN_PING, {"unacked": 1, "last_ack_recv": 20.0}, False),
    ],
)
def test_a_network_is_fine_whose_kernels_have_acknowledged_what_was_asked(rows, look, is_fine):
    """What went out as the kernel was looked at says nothing."""
    assert read(*rows, looks=[{"at": 60, "last_ack_recv": 50.0, **look}]).network_fine is is_fine


@pytest.mark.parametrize(
    ("beside", "is_one_reason"),
    [
        (Beside(), False),
        (Beside(together=1), True),
        (Beside(together=1, shared=Shared.AGE), False),
    ],
)
def test_one_other_that_ended_with_it_makes_one_reason(beside, is_one_reason):
    """If nothing but the instant is what they share."""
    assert read(beside=beside).ended_for_one_reason is is_one_reason

"""What is read from a timeline for the table of causes: each limit from both sides."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.diagnosis.extract import extract
from tests.core.script import FIN, RST, timeline


def read(*rows, end=60, how=FIN, **options):
    """The features of a script that ends so."""
    return extract(timeline(*rows, (end, how), **options))


def asked(*instants, rtt=0.01):
    """Pings of this end that are answered."""
    keys = {at: bytes([int(at)]) for at in instants}
    return [row for at, key in keys.items() for row in ((at, ">ping", key), (at + rtt, "<pong", key))]


def together(at, *waits):
    """Pings of this end that waited so long, and are answered at one instant."""
    keys = {bytes([200 + number]): wait for number, wait in enumerate(waits)}
    return [(at - wait, ">ping", key) for key, wait in keys.items()] + [(at, "<pong", key) for key in keys]


@pytest.mark.parametrize(("gap", "is_rare"), [(9.9, False), (10.0, True), (12.0, True)])
def test_a_message_after_ten_seconds_without_one_is_rare(gap, is_rare):
    """An end right after it is the answer to it."""
    assert read((20, ">text"), (20 + gap, ">text")).messages.last_is_rare is is_rare


def test_the_only_message_is_a_rare_one():
    assert read((20, ">text")).messages.last_is_rare


@pytest.mark.parametrize(("before", "counts"), [(0.45, True), (0.55, False)])
def test_an_end_within_half_a_second_answers_a_rare_message(before, counts):
    """However busy the machine is; after a message that is not rare, within 50 ms."""
    assert bool(read((60 - before, ">text")).tail.sent) is counts


@pytest.mark.parametrize(("before", "counts"), [(0.045, True), (0.055, False)])
def test_an_end_within_50_ms_answers_any_message(before, counts):
    features = read((55, ">text"), (60 - before, ">text"))

    assert bool(features.tail.sent) is counts


@pytest.mark.parametrize(("count", "is_stream"), [(3, False), (4, True)])
def test_more_than_three_messages_in_five_seconds_are_a_stream(count, is_stream):
    """Any end comes right after one of them."""
    inside = [(55.1 + n, ">text") for n in range(count)]
    outside = [(54.9 - n, ">text") for n in range(9)]

    assert read(*sorted(inside + outside)).messages.streaming is is_stream


@pytest.mark.parametrize(("before", "is_open"), [(0.24, False), (0.26, True)])
def test_this_end_has_a_quarter_of_a_second_to_answer(before, is_open):
    """Its own answers travel nowhere."""
    assert (read((60 - before, "<ping")).pings.unanswered is not None) is is_open


@pytest.mark.parametrize(("before", "is_open"), [(0.99, False), (1.01, True)])
def test_the_other_end_has_a_second_to_answer(before, is_open):
    assert (read((60 - before, ">ping", b"a")).asked.open_since is not None) is is_open


@pytest.mark.parametrize(("before", "is_open"), [(2.9, False), (3.1, True)])
def test_where_answers_are_slow_one_may_be_half_as_slow_again(before, is_open):
    """Answers of 2 s: one that is not there after 3 s is missing."""
    features = read(*asked(10, rtt=2.0), (60 - before, ">ping", b"a"))

    assert (features.asked.open_since is not None) is is_open


@pytest.mark.parametrize(
    ("first", "second", "bunches"),
    [
        # Both slow, and at one instant.
        (1.0, 0.5, 1),
        # At one instant, and quick.
        (0.24, 0.2, 0),
        (0.27, 0.26, 1),
    ],
)
def test_answers_that_come_together_are_a_bunch(first, second, bunches):
    """From a quarter of a second on: an end that stood still answers everything at once."""
    rows = [*asked(10, 12, 14), *together(30, first, second)]

    assert read(*rows).asked.bunches == bunches


@pytest.mark.parametrize(("rtt", "bunches"), [(0.4, 1), (0.6, 0)])
def test_a_bunch_is_five_times_as_slow_as_the_quickest_answer(rtt, bunches):
    """Answers of 100 ms and more make half a second nothing special."""
    quick = rtt / 5 if bunches else rtt / 4
    rows = [*asked(10, 12, 14, rtt=quick), *together(30, rtt + 0.01, rtt + 0.005)]

    assert read(*rows).asked.bunches == bunches


@pytest.mark.parametrize(("longest", "is_uneven"), [(10.25, False), (12.1, True), (11.9, False)])
def test_intervals_that_differ_by_a_fifth_are_uneven(longest, is_uneven):
    """And by 0.3 s at least: real loops are late by less."""
    assert read((10, "<ping"), (20, "<ping"), (20 + longest, "<ping")).pings.irregular is is_uneven


@pytest.mark.parametrize(("longest", "is_uneven"), [(1.28, False), (1.32, True)])
def test_short_intervals_may_differ_by_300_ms(longest, is_uneven):
    assert read((10, "<ping"), (11, "<ping"), (11 + longest, "<ping")).pings.irregular is is_uneven


@pytest.mark.parametrize(
    ("retransmits", "unacked", "heard", "dead"),
    [
        (2, 1, 55.9, True),
        (1, 1, 55.9, False),
        (2, 0, 55.9, False),
        # What lost packets explain: four seconds.
        (2, 1, 56.1, False),
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


@pytest.mark.parametrize(("late", "counts"), [(0.04, True), (0.06, False)])
def test_a_lag_right_before_the_end_may_have_hidden_it(late, counts):
    """The end may be older by the lag, so that what went out before it may have caused it."""
    rows = [(40, ">text"), (59.2, ">text"), (60 - late, "lag", 0.9)]

    assert bool(read(*rows, how=RST).tail.sent) is counts


@pytest.mark.parametrize(("at", "counts"), [(-119, True), (-121, False)])
def test_a_lag_of_two_minutes_ago_is_forgotten(at, counts):
    """Two rounds of the slowest common keepalive."""
    assert bool(read((200 + at, "lag", 0.6), end=200).lag) is counts

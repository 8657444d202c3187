"""The kernel's view, from literal bytes."""

import copy
import pickle

import pytest

from pytest_wsstability.core.timeline.events import End, Tier
from pytest_wsstability.core.timeline.tcp import TCP_CAPACITY, TcpSample, add_sample, samples, state_name
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.kernel import info


def recorded(*rows):
    """The samples that stay of ``(at, info, send_queue)``."""
    buffer = bytearray()
    for row in rows:
        add_sample(buffer, *row)
    return samples(buffer)


def test_each_field_is_read_from_its_place():
    """Milliseconds and microseconds become seconds."""
    what = info(8, retransmits=3, probes=1, backoff=2, unacked=7, last_ack_recv=1250, rtt=20_500)

    assert recorded((61.5, what, 4096)) == (TcpSample(61.5, "CLOSE_WAIT", 7, 3, 2, 1, 1.25, 4096, 0.0205),)


def test_what_a_later_kernel_adds_is_left_alone():
    """The kernel adds fields at the end only."""
    assert recorded((1.0, info(unacked=2) + bytes(200), 0))[0].unacked == 2


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (1, "ESTABLISHED"),
        (7, "CLOSE"),
        (8, "CLOSE_WAIT"),
        (11, "CLOSING"),
        (0, None),
        (13, None),
        (200, None),
    ],
)
def test_a_state_has_its_name(number, name):
    """As ss(8) prints it; None for a number that the kernel does not use."""
    assert state_name(info(number)) == name


@pytest.mark.parametrize(("number", "name"), [(12, "NEW_SYN_RECV"), (13, "13"), (200, "200")])
def test_a_state_of_a_later_kernel_is_told_by_its_number(number, name):
    """One that has no name yet."""
    assert recorded((1.0, info(number), 0))[0].state == name


def test_a_closed_socket_adds_nothing():
    """Its queues were thrown away, so it would look healthy."""
    assert recorded((1.0, info(unacked=3, retransmits=4), 90), (2.0, info(7), 0)) == recorded(
        (1.0, info(unacked=3, retransmits=4), 90)
    )


def test_the_last_ones_stay():
    """Bounded, oldest first."""
    kept = recorded(*((float(n), info(unacked=1, retransmits=n), 10) for n in range(20)))

    assert [sample.at for sample in kept] == [float(n) for n in range(20 - TCP_CAPACITY, 20)]


def test_a_row_without_trouble_is_its_first_and_last():
    """An hour in which all is well does not push out what was wrong before it."""
    trouble = (1.0, info(unacked=1, retransmits=2), 50)
    kept = recorded(
        (0.0, info(), 0), trouble, *((float(n), info(last_ack_recv=n), 0) for n in range(2, 3600))
    )

    assert [sample.at for sample in kept] == [0.0, 1.0, 2.0, 3599.0]
    assert kept[-1].last_ack_recv == 3.599
    assert [sample.at for sample in recorded(*((float(n), info(), 0) for n in range(3)))] == [0.0, 2.0]


@pytest.mark.parametrize(
    "different",
    [
        info(unacked=1), info(retransmits=1), info(backoff=1), info(probes=1), info(8),
    ],
)  # fmt: skip
def test_any_trouble_is_a_row_of_its_own(different):
    """Something under way, repeated, probed, or a new state."""
    kept = recorded((1.0, info(), 0), (2.0, info(), 0), (3.0, different, 0), (4.0, different, 0))

    assert [sample.at for sample in kept] == [1.0, 2.0, 3.0, 4.0]


def test_a_queue_is_trouble():
    """Bytes that nobody takes."""
    kept = recorded((1.0, info(), 0), (2.0, info(), 0), (3.0, info(), 1), (4.0, info(), 2**40))

    assert [sample.send_queue for sample in kept] == [0, 0, 1, 2**32 - 1]


def test_a_timeline_holds_its_samples():
    """Instants count from the opening, as all others do."""
    line = Timeline(End.CLIENT, Tier.REAL, origin=1000.0)
    assert line.tcp == ()
    line.kernel(1003.5, info(), 0)

    assert [sample.at for sample in line.tcp] == [3.5]
    assert pickle.loads(pickle.dumps(line)).tcp == copy.deepcopy(line).tcp == line.tcp


def test_a_timeline_says_why_it_holds_none():
    """So that a diagnosis can say what it could not see."""
    assert Timeline(End.CLIENT, Tier.VIRTUAL).tcp_unseen == "virtual time has no TCP"
    assert Timeline(End.CLIENT, Tier.REAL).tcp_unseen == "nobody has looked"

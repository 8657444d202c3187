"""Rows of the table that no fault of one end shows: both ends, the kernel's view, other clients."""

import pytest

from pytest_wsstability.core.diagnosis import Blame, Cause, diagnose
from pytest_wsstability.core.diagnosis.experiments import experiment
from pytest_wsstability.core.diagnosis.rivals import CONTRADICTED
from pytest_wsstability.core.diagnosis.rows_last_words import FAILED
from pytest_wsstability.core.diagnosis.rows_protocol import SAID_ELSE
from pytest_wsstability.core.diagnosis.table import SIGNATURES
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import DeadlineTraffic, End
from tests.core.script import FIN, RST, closed_by_peer, timeline

SERVER = End.SERVER
KEEPALIVE = "keepalive ping timeout"
GAVE_UP = {"transport": TransportEnd.FIN, "sent": CloseFrame(1011, KEEPALIVE)}
DEAD = {"unacked": 3, "send_queue": 60, "last_ack_recv": 9.0, "retransmits": 3}


def deadline(*reset_by):
    """The end of a server whose read deadline of 60 s ran out."""
    return {
        "transport": TransportEnd.ABORTED,
        "deadline": 60.0,
        "reset_by": reset_by,
        "local_reason": LocalReason.READ_DEADLINE,
    }


def ended(at, end=SERVER, **how):
    """The record of an end that only shows how it ended."""
    return timeline((at, {**FIN, **how}), end=end)


def told(line, *others, **requirement):
    verdict = judge(Requirement.of(**requirement), line) if requirement else None
    return diagnose(line, others, verdict=verdict)


def check(found, cause, blame, words):
    assert (found.cause, found.blame) == (cause, blame), found
    assert words in found.sentence


PINGED = [(30, "<ping"), (30, ">pong")]
PONGED = [(10, ">ping", b"0"), (10, "<pong", b"0")]


@pytest.mark.parametrize(
    ("client", "server", "cause", "blame", "words"),
    [
        (
            timeline(*PINGED, (60, FIN)),
            timeline(
                (30, ">ping", b"1"), (40, "<text"), (60, deadline(DeadlineTraffic.PONG)), end=SERVER
            ),
            Cause.CONTROL_FRAMES_LOST, Blame.PATH, "lost on the way",
        ),
        (
            timeline((25, ">beat"), (25, "<answer"), (60, FIN)),
            timeline((25, "<beat"), (25, ">answer"), (60, deadline(DeadlineTraffic.PONG)), end=SERVER),
            Cause.PONG_DEADLINE, Blame.SERVER, "it sent no pings",
        ),
        (
            timeline((20, ">text"), (60, FIN)),
            timeline((20, "<text"), (60, deadline(DeadlineTraffic.HEARTBEAT)), end=SERVER),
            Cause.READ_DEADLINE, Blame.CLIENT, "heartbeats reset it",
        ),
        (
            timeline((20, ">text"), (33, closed_by_peer(1011))),
            ended(33, sent=CloseFrame(1011), local_reason=LocalReason.HANDLER_RAISED,
                  local_detail="the handler raised KeyError()"),
            Cause.HANDLER_ERROR, Blame.SERVER, "KeyError()",
        ),
        (
            timeline((33, closed_by_peer(1000))),
            ended(33, sent=CloseFrame(1000), local_reason=LocalReason.HANDLER_RETURNED),
            Cause.CLOSED_BY_PEER, Blame.SERVER, "handler returned",
        ),
        (
            timeline((33, RST)),
            ended(33, End.PROXY, transport=TransportEnd.ABORTED, local_reason=LocalReason.FAULT,
                  local_detail="faults.Reset()"),
            Cause.INJECTED_FAULT, Blame.NOBODY, "faults.Reset()",
        ),
    ],
)  # fmt: skip
def test_both_ends(client, server, cause, blame, words):
    """The other end's record leaves no doubt, so there is no runner-up."""
    found = diagnose(client, [server])

    check(found, cause, blame, words)
    assert found.confidence.value == "high"
    assert found.runner_up in (None, Cause.HALF_OPEN)


def test_a_server_that_heard_nothing_at_all_may_read_no_more():
    """Its client has answered the ping."""
    server = timeline((30, ">ping", b"1"), (60, deadline(DeadlineTraffic.PONG)), end=SERVER)
    found = diagnose(timeline(*PINGED, (60, FIN)), [server])

    check(found, Cause.CONTROL_FRAMES_LOST, Blame.PATH, "a server that reads no more fits too")
    assert found.confidence.value == "low"


def test_a_box_that_ended_it_says_what_would_have_helped():
    """Its own remedy stands first."""
    injected = {
        "transport": TransportEnd.ABORTED,
        "local_reason": LocalReason.FAULT,
        "local_detail": "nginx: idle 60 s",
    }
    proxy = ended(60, End.PROXY, **injected, advice="a heartbeat or ping every 30 s or less would do")

    found = diagnose(timeline((60, FIN)), [proxy])
    assert found.cause is Cause.INJECTED_FAULT
    assert found.remedy.startswith("a heartbeat or ping every 30 s or less would do; or allow")


@pytest.mark.parametrize(
    ("rows", "cause", "blame", "words"),
    [
        (
            [(30, ">ping", b"1"), (60, deadline(DeadlineTraffic.PONG))],
            Cause.PING_UNANSWERED,
            Blame.CLIENT,
            "answered no ping",
        ),
        (
            [(20, "<text"), (60, deadline(DeadlineTraffic.DATA))],
            Cause.READ_DEADLINE,
            Blame.CLIENT,
            "data frames reset it",
        ),
        ([(33, closed_by_peer(1001))], Cause.PEER_LEFT, Blame.CLIENT, "the client went away"),
        ([(33, closed_by_peer(1009))], Cause.MESSAGE_TOO_BIG, Blame.SERVER, "over the client's limit"),
    ],
)
def test_the_server_alone(rows, cause, blame, words):
    """A session of the orchestrator is judged by what the server saw of its client."""
    check(told(timeline(*rows, end=SERVER)), cause, blame, words)


@pytest.mark.parametrize(
    ("rows", "look", "cause", "confidence", "words"),
    [
        (
            [*PINGED, (50, closed_by_peer(1011, KEEPALIVE))],
            DEAD,
            Cause.HALF_OPEN,
            "medium",
            "did not get through",
        ),
        ([(20, ">ping", b"1"), (40, GAVE_UP)], DEAD, Cause.HALF_OPEN, "high", "nothing that the client sent"),
        ([*PONGED, (20, ">ping", b"1"), (40, GAVE_UP)], {}, Cause.PEER_FROZEN, "low", "stands still"),
        ([*PONGED, (20, ">ping", b"1"), (40, FIN)], {}, Cause.PEER_FROZEN, "low", "stood still for 30 s"),
    ],
)
def test_the_kernel_saw_the_end(rows, look, cause, confidence, words):
    """What was acknowledged tells a dead path from a dead process, or from one that shuts down gracefully."""
    line = timeline(*rows, looks=[{"at": rows[-1][0] - 0.5, **look}])

    found = told(line)
    assert (found.cause, found.confidence.value) == (cause, confidence), found
    assert words in found.sentence
    assert any(evidence.text.startswith("kernel at ") for evidence in found.evidence)


def test_a_queue_that_nobody_takes_is_backpressure():
    """Nothing is lost, and a window of zero is probed."""
    line = timeline((2, ">beat"), looks=[{"at": 9, "send_queue": 3_700_000, "probes": 1}], until=10)

    check(told(line), Cause.BACKPRESSURE, Blame.SERVER, "3613 KiB wait")


# A heartbeat of the client's, sent back to it.
ECHOED = [(5, ">beat"), (5.01, "<beat")]


@pytest.mark.parametrize(
    ("rows", "is_echo"),
    [
        (ECHOED, True),
        ([*ECHOED, (10, ">beat"), (10.9, "<beat")], True),
        # Later, of another size, once only, or answered before.
        ([(5, ">beat"), (6, "<beat")], False),
        ([(5, ">beat"), (5.01, "<text")], False),
        ([*ECHOED, (10, ">beat")], False),
        ([(1, ">beat"), (1, "<answer"), *ECHOED], False),
    ],
)
def test_an_echo_is_no_answer(rows, is_echo):
    """What comes back is what went out: the server is there, and does not know heartbeats."""
    found = told(timeline(*rows, until=rows[-1][0] + 5))

    assert ("sends back what it is sent" in found.sentence) is is_echo
    if is_echo:
        assert (found.cause, found.blame, found.confidence.value) == (Cause.ZOMBIE, Blame.SERVER, "medium")


@pytest.mark.parametrize(
    ("rows", "until", "is_echo"),
    [
        ([*ECHOED, (10, ">beat")], 10, True),
        ([*ECHOED, (10, ">beat")], 10.9, True),
        ([*ECHOED, (10, ">beat")], 11, False),
        # One that is not back tells nothing yet.
        ([(5, ">beat"), (10, ">beat")], 10, False),
        ([(10, ">beat")], 10, False),
    ],
)
def test_a_heartbeat_that_went_out_just_now_has_no_echo_yet(rows, until, is_echo):
    """Where one has until the next to be answered, that goes out as this is missed."""
    found = told(timeline(*rows, until=until))

    assert ("sends back what it is sent" in found.sentence) is is_echo


STUCK = [(2, ">beat"), (2, "queued", 70_000)]


def test_a_queue_of_this_end_that_none_takes_is_backpressure():
    """Where there is no kernel to ask: bytes wait, and for a second none has left."""
    found = told(timeline(*STUCK, until=3.1))

    check(found, Cause.BACKPRESSURE, Blame.SERVER, "68 KiB of the client wait since 2 s, and none was seen")
    assert (found.confidence.value, found.runner_up) == ("medium", Cause.HALF_OPEN)


@pytest.mark.parametrize(
    ("rows", "looks"),
    [
        # Not for long enough.
        ([*STUCK, (2.9, "<text")], ()),
        # Some left a moment ago.
        ([*STUCK, (60, "queued", 69_000)], ()),
        # Less than what a link holds.
        ([(2, ">beat"), (2, "queued", 65_535), (60, "<text")], ()),
        # The kernel says that they are under way.
        ([*STUCK, (60, "<text")], [{"at": 60, "unacked": 4, "send_queue": 70_000}]),
        # What ended it says more.
        ([*STUCK, (60, FIN)], ()),
    ],
)
def test_a_queue_that_shows_nothing(rows, looks):
    """A slow path and a slow peer have one as well."""
    line = timeline(*rows, looks=looks, until=max(rows[-1][0], 2.99))

    assert told(line).cause is not Cause.BACKPRESSURE


@pytest.mark.parametrize(
    ("rows", "cause", "words"),
    [
        ([(40, "<beat"), (65, closed_by_peer(4000))], Cause.HEARTBEAT_UNANSWERED, "25 s later it closed"),
        ([(40, "<beat"), (65, FIN)], Cause.HEARTBEAT_UNANSWERED, "25 s later the connection was cut"),
        ([(40, closed_by_peer(1011, KEEPALIVE))], Cause.KEEPALIVE_TIMEOUT, "no ping of it arrived"),
        ([(9, ">text"), (50, closed_by_peer(4008, "idle timeout"))], Cause.IDLE_TIMEOUT, "after 41 s"),
        (
            [(9, ">text"), (30, "<text"), (50, closed_by_peer(4008, "idle timeout"))],
            Cause.READ_DEADLINE, "41 s after",
        ),
        (
            [*((at, ">text") for at in range(5, 58, 5)), (57, closed_by_peer(4008, "timed out"))],
            Cause.PONG_DEADLINE, "kept talking",
        ),
        ([(20, ">beat"), (40, FIN)], Cause.HALF_OPEN, "nothing came from the server in the 40 s"),
        (
            [(1, ">text"), (1, "<text"), (7, ">text"), (7.1, "<text"), (13, ">text"), (13.01, FIN)],
            Cause.HANDLER_ERROR, "right after",
        ),
    ],
)  # fmt: skip
def test_the_client_alone(rows, cause, words):
    """Ends that no fault of the package brings about."""
    found = told(timeline(*rows))

    assert found.cause is cause, found
    assert words in found.sentence


@pytest.mark.parametrize(
    ("rows", "until", "cause", "words"),
    [
        ([(9, ">ping", b"1"), (12, "<text"), (14, "<text")], 15, Cause.NO_PONGS, "answers no ping since 9 s"),
        (
            [(9, ">ping", b"1"), (9, ">beat"), (12, "<text"), (14, "<text")],
            15, Cause.PEER_NOT_READING, "answers nothing since 9 s",
        ),
        ([(9, ">ping", b"1"), (9, ">beat")], 15, Cause.HALF_OPEN, "a process that stands still"),
        (
            [(at, what) for at in range(1, 60, 2) for what in (">beat", "<answer", "<feed")[: 3 - (at > 20)]],
            60, Cause.ONE_WAY_DEAD, "it may have nothing to say",
        ),
    ],
)  # fmt: skip
def test_a_connection_that_is_still_open(rows, until, cause, words):
    """What is silent, and what goes on beside it."""
    found = told(timeline(*rows, until=until))

    assert found.cause is cause, found
    assert words in found.sentence


def test_a_client_whose_heartbeats_stopped():
    """A hidden tab, as the server sees it."""
    line = timeline((25, "<beat"), (25, ">answer"), end=SERVER, until=120)
    found = told(line, alive_for="2m", heartbeat_every="25s")

    check(found, Cause.HEARTBEATS_STOPPED, Blame.CLIENT, "no heartbeat for 95 s")
    assert "worker" in found.remedy


def test_a_close_that_others_share_is_a_restart():
    """1001 beside two others in the middle of traffic: a restart fits, and a room that closes too."""
    talk = [row for at in range(1, 20) for row in ((at, ">beat"), (at + 0.1, "<answer"))]
    lively = [
        timeline(
            *((at, what) for at, what in talk if at < age), (age, closed_by_peer(1001)), origin=1020 - age
        )
        for age in (19.5, 12.5, 4.5)
    ]
    silent = [timeline((20 + at, closed_by_peer(1001)), origin=1000 - at) for at in (0, 5, 11)]

    found = diagnose(lively[0], cohort=lively)
    assert (found.cause, found.confidence.value) == (Cause.RESTART, "medium")
    assert "2 other connections" in found.sentence
    found = diagnose(silent[0], cohort=silent)
    assert (found.cause, found.confidence.value) == (Cause.RESTART, "low")


def test_an_end_that_was_announced_is_planned():
    """Whatever the code, if the profile's notice came before."""
    line = timeline((50, "<notice"), (60, closed_by_peer(1011)))

    check(told(line), Cause.PLANNED_ROTATION, Blame.NOBODY, "10 s before the end")


def test_no_two_rows_say_the_same():
    """Each row says what its record shows, in words of its own."""
    shows = [row.shows for row in SIGNATURES]

    assert len(set(shows)) == len(shows)


def test_each_second_cause_has_an_experiment():
    """What else it may be is no help without a way to tell; words that contradict each other have none."""
    pairs = {(row.cause, row.runner_up) for row in SIGNATURES if row.runner_up is not None}
    for row in SIGNATURES:
        pairs |= {
            (row.cause, rival.cause)
            for rival in row.rivals
            if rival not in (*CONTRADICTED, *SAID_ELSE, FAILED)
        }

    without = {
        f"{one.name} {other.name}" for one, other in pairs if one is not other and not experiment(one, other)
    }
    assert without == set()

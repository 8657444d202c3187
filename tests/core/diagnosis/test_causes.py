"""Each row of the table of causes, by a timeline that shows it."""

import pytest

from pytest_wsstability.core.diagnosis import Blame, Cause, Confidence, diagnose
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import DeadlineTraffic, End
from tests.core.script import FIN, PLANNED, RST, closed_by_peer, in_order, timeline

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
SERVER, PATH, CLIENT, HARNESS, NOBODY = Blame.SERVER, Blame.PATH, Blame.CLIENT, Blame.HARNESS, Blame.NOBODY

SESSION = [(0.01, "<hello"), (0.01, ">info"), (0.02, "<confirmed")]


def beats(until, every=25):
    """Heartbeats and their answers."""
    return [
        row for at in range(every, until, every) for row in ((at, ">beat"), (at + 0.01, "<answer"))
    ]  # fmt: skip


def pings(until, every=30):
    """Pings of the server and the pongs of the client."""
    return [row for at in range(every, until, every) for row in ((at, "<ping"), (at, ">pong"))]


KEEPALIVE = "keepalive ping timeout"
SENT_1011 = {"transport": TransportEnd.FIN, "sent": CloseFrame(1011, KEEPALIVE)}

ENDED = [
    # The test process.
    ([(50, "slept", 30.0), (60, FIN)], Cause.MACHINE_SLEPT, HIGH, HARNESS),
    ([(58.5, "lag", 4.0), (60, FIN)], Cause.HARNESS_BLOCKED, HIGH, HARNESS),
    ([(50, "paused"), (60, RST)], Cause.HARNESS_NOT_READING, HIGH, HARNESS),
    ([(60, PLANNED)], Cause.CLOSED_HERE, HIGH, NOBODY),
    # Timers.
    ([*SESSION, *beats(45), (85.02, FIN)], Cause.IDLE_TIMEOUT, MEDIUM, PATH),
    ([*SESSION, *beats(45), (72.3, FIN)], Cause.IDLE_TIMEOUT, LOW, PATH),
    ([*SESSION, (60, FIN)], Cause.IDLE_TIMEOUT, MEDIUM, PATH),
    (in_order(SESSION, beats(300), pings(300), [(300, FIN)]), Cause.MAX_AGE, LOW, PATH),
    (in_order(SESSION, beats(60), [(60, FIN)]), Cause.PONG_DEADLINE, MEDIUM, SERVER),
    (in_order(SESSION, beats(60), [(30, "<ping"), (60, FIN)]), Cause.PING_UNANSWERED, MEDIUM, CLIENT),
    # Close frames.
    ([(30, "<ping"), (50, closed_by_peer(1011, KEEPALIVE))], Cause.PING_UNANSWERED, HIGH, CLIENT),
    (
        [(20, "<ping"), (20, ">pong"), (40, closed_by_peer(1011, KEEPALIVE))],
        Cause.KEEPALIVE_TIMEOUT, MEDIUM, SERVER,
    ),
    ([(33.3, closed_by_peer(1011))], Cause.HANDLER_ERROR, LOW, SERVER),
    ([(33.2, ">text"), (33.3, closed_by_peer(1011))], Cause.HANDLER_ERROR, MEDIUM, SERVER),
    ([(33.3, closed_by_peer(1012))], Cause.RESTART, HIGH, SERVER),
    ([(33.3, closed_by_peer(1001))], Cause.RESTART, LOW, SERVER),
    ([(33.3, closed_by_peer(1013))], Cause.OVERLOADED, LOW, SERVER),
    ([(33.3, closed_by_peer(1014))], Cause.UPSTREAM_FAILED, HIGH, PATH),
    ([(900, closed_by_peer(4401, "token expired"))], Cause.AUTH_EXPIRED, HIGH, SERVER),
    ([(33.3, closed_by_peer(4409))], Cause.SESSION_DUPLICATED, MEDIUM, CLIENT),
    ([(33, ">audio"), (33.3, closed_by_peer(1009))], Cause.MESSAGE_TOO_BIG, HIGH, CLIENT),
    ([(33, ">beat"), (33.3, closed_by_peer(1009))], Cause.MESSAGE_TOO_BIG, MEDIUM, CLIENT),
    ([(33, ">text"), (33.3, closed_by_peer(1002))], Cause.PROTOCOL_ERROR, HIGH, CLIENT),
    ([(33.3, closed_by_peer(4711))], Cause.CLOSED_BY_PEER, LOW, SERVER),
    ([*SESSION, (60, closed_by_peer(1000))], Cause.IDLE_AS_NORMAL, LOW, SERVER),
    ([*SESSION, (600, closed_by_peer(1000))], Cause.IDLE_AS_NORMAL, LOW, SERVER),
    (
        [(33, {**FIN, "sent": CloseFrame(1002), "parser_error": "invalid opcode"})],
        Cause.PROTOCOL_ERROR, HIGH, SERVER,
    ),
    (
        [(33, {**FIN, "sent": CloseFrame(1009), "parser_error": "over size limit"})],
        Cause.MESSAGE_TOO_BIG, HIGH, SERVER,
    ),
    # Seen on real servers, with timers of a few seconds: pings, a heartbeat and a cut in the same breath.
    ([(1, "<ping"), (1.999, closed_by_peer(1011, KEEPALIVE))], Cause.PING_UNANSWERED, HIGH, CLIENT),
    (
        in_order([(2, "<ping"), (3, FIN)], [(at / 10, ">beat") for at in range(4, 30, 4)]),
        Cause.PING_UNANSWERED, MEDIUM, CLIENT,
    ),
    ([(1, "<2"), (1.8, closed_by_peer(1005))], Cause.ENGINE_IO_PING_TIMEOUT, MEDIUM, CLIENT),
    # Other protocols end so too: gql closes with 1000.
    ([(1, "<beat"), (1.8, closed_by_peer(1000))], Cause.HEARTBEAT_UNANSWERED, MEDIUM, CLIENT),
    ([(1, "<ping"), (1, ">pong"), (1.3, ">text"), (1.31, FIN)], Cause.HANDLER_ERROR, MEDIUM, SERVER),
    ([(1, "<ping"), (1, ">pong"), (1.47, ">text"), (1.64, FIN)], Cause.HANDLER_ERROR, MEDIUM, SERVER),
    (
        [(2.01, ">text"), (2.011, "<ping"), (2.011, ">pong"), (2.2, FIN)],
        Cause.HANDLER_ERROR, MEDIUM, SERVER,
    ),
    (
        [(1, "<ping"), (1, ">pong"), (1.61, ">text"), (2.577, "lag", 0.836), (2.577, FIN)],
        Cause.HANDLER_ERROR, MEDIUM, SERVER,
    ),
    (
        [(1, ">text"), (1, "<text"), (30, ">text"), (30.2, "<text"), (30.4, FIN)],
        Cause.RESTART, LOW, SERVER,
    ),
    # Cut without a word.
    ([(33.3, {**FIN, "mid_frame": True})], Cause.MID_FRAME, MEDIUM, SERVER),
    ([(33.3, {"transport": TransportEnd.TIMED_OUT})], Cause.HALF_OPEN, HIGH, PATH),
    ([*SESSION, (60, {"transport": TransportEnd.TLS_FAILED})], Cause.NO_FRAMES, MEDIUM, PATH),
    ([*SESSION, (350, ">beat"), (350.01, RST)], Cause.NAT_EXPIRED, MEDIUM, PATH),
    (in_order(SESSION, beats(40), [(47.1, "<text"), (47.3, FIN)]), Cause.RESTART, LOW, SERVER),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "cause", "confidence", "blame"), ENDED)
def test_an_ended_connection(rows, cause, confidence, blame):
    """What the client's record alone shows."""
    found = diagnose(timeline(*rows))

    assert (found.cause, found.confidence, found.blame) == (cause, confidence, blame), found


def test_own_keepalive_gave_up():
    """Nothing came any more, or everything but pongs."""
    silent = timeline((20, ">ping", b"1"), (40, SENT_1011))
    talking = timeline((20, ">ping", b"1"), (30, "<text"), (39, "<text"), (40, SENT_1011))

    assert diagnose(silent).cause is Cause.HALF_OPEN
    found = diagnose(talking)
    assert found.cause is Cause.NO_PONGS
    # Of a client of coder/websocket that sends alone, which the remedy called one without pongs.
    assert found.remedy.startswith("let the server read while it sends")


def test_others_that_end_at_the_same_time_are_a_restart():
    """Connections of other ages that end within two seconds ended for one reason."""
    talk = [row for at in range(1, 50) for row in ((at, ">beat"), (at + 0.1, "<answer"))]
    ages = [
        timeline(*((at, what) for at, what in talk if at < 47.3), (47.3, FIN), origin=1000),
        timeline(*((at, what) for at, what in talk if at < 7.3), (7.3, FIN), origin=1040),
    ]
    elsewhere = timeline((200, FIN), origin=1000)

    beside, alone = diagnose(ages[0], cohort=[*ages, elsewhere]), diagnose(ages[0], cohort=[elsewhere])
    assert (beside.cause, beside.confidence) == (Cause.RESTART, MEDIUM)
    assert (alone.cause, alone.confidence) == (Cause.RESTART, LOW)


def test_a_restart_ends_connections_at_once_and_an_age_limit_each_in_its_turn():
    """What differs less is what they share: the instant, or the age."""
    starts = [0, 0.25, 0.5, 0.75]
    stopped = [timeline((1, "<text"), (2.5 - start, FIN), origin=1000 + start) for start in starts]
    talk = [(at / 10, what) for at in range(2, 30, 2) for what in (">beat", "<answer")]
    aged = [timeline(*talk, (3, FIN), origin=1000 + start) for start in starts]

    assert {diagnose(each, cohort=stopped).cause for each in stopped} == {Cause.RESTART}
    assert {diagnose(each, cohort=aged).cause for each in aged} == {Cause.MAX_AGE}


def test_ends_at_one_age_are_no_proof_of_an_age_limit_while_pongs_are_untried():
    """A Go server whose deadline only pongs reset, and which never pings, ends all at one age (measured)."""
    starts = [0, 0.25, 0.5]
    talk = [(at / 10, what) for at in range(2, 30, 2) for what in (">beat", "<answer")]
    ping = [(1.5, "<ping"), (1.5, ">pong")]

    def found(*parts):
        aged = [timeline(*in_order(talk, *parts), (3, FIN), origin=1000 + start) for start in starts]
        return diagnose(aged[0], cohort=aged)

    untried, answered = found(), found(ping)
    assert (untried.cause, untried.confidence) == (Cause.MAX_AGE, LOW)
    assert Cause.PONG_DEADLINE in untried.alternatives
    # One ping that was answered is no more: a keepalive that misses pongs would end all so too.
    assert (answered.cause, answered.confidence) == (Cause.MAX_AGE, LOW)
    assert Cause.KEEPALIVE_TIMEOUT in answered.alternatives


def test_a_loop_that_stood_still_cannot_tell_an_age_from_a_restart():
    """It saw every end at one instant; a lag that is short beside the ages' difference changes nothing."""
    talk = [(at / 10, what) for at in range(2, 20, 2) for what in (">beat", "<answer")]

    def ended(lag):
        ages = [2.5 - start for start in (0, 0.3, 0.6)]
        return [timeline(*talk, (age, "lag", lag), (age, FIN), origin=1002.5 - age) for age in ages]

    assert diagnose(ended(0.9)[0], cohort=ended(0.9)).cause is Cause.HARNESS_BLOCKED
    assert diagnose(ended(0.1)[0], cohort=ended(0.1)).cause is Cause.RESTART


def test_an_idle_timeout_of_many_is_no_restart():
    """Each was silent for as long, though a slow test process saw the ends at one instant."""
    silent = [
        timeline((0.5, ">beat"), (0.5, "<answer"), (1.9 - at, "<text"), (4.9 - at, FIN), origin=1000 + at)
        for at in (0, 0.2, 0.4)
    ]

    assert {diagnose(each, cohort=silent).cause for each in silent} == {Cause.IDLE_TIMEOUT}


def test_a_last_silence_a_little_longer_than_the_others_is_no_idle_timeout():
    """An age is found whenever it runs out between two heartbeats, however late the end was seen."""
    rows = [(at / 10, what) for at in range(4, 445, 4) for what in (">beat", "<answer")]

    assert diagnose(timeline(*rows, (44.99, FIN))).cause is Cause.MAX_AGE


def test_a_message_like_those_before_it_was_not_too_big():
    """Audio frames all have one size; the largest message, and the only one so large, may have been."""
    audio = [(at / 10, ">audio") for at in range(1, 31)]
    answers = [(at / 2, "<text") for at in range(1, 7)]
    stream = timeline(*in_order(audio, answers), (3.02, FIN))
    after_small_ones = timeline((1, ">text"), (2, ">text"), (3, ">audio"), (3.02, FIN))

    assert diagnose(stream).cause is not Cause.MESSAGE_TOO_BIG
    assert diagnose(after_small_ones).cause is Cause.MESSAGE_TOO_BIG


def test_a_pong_that_was_on_its_way_is_no_sign_of_life():
    """A process that freezes right after it answered a ping is no zombie."""
    frozen = timeline(
        (2, ">beat"), (2.001, "<answer"), (2.5, ">beat"), (2.5, ">ping", b"1"), (2.501, "<pong", b"1"),
        (3, ">beat"), (3, ">ping", b"2"), (3.5, ">beat"), until=3.6,
    )  # fmt: skip
    zombie = timeline(
        (2, ">beat"), (2.001, "<answer"), (2.5, ">beat"), (3, ">ping", b"2"), (3.001, "<pong", b"2"),
        until=3.6,
    )  # fmt: skip

    assert diagnose(frozen).cause is Cause.HALF_OPEN
    assert diagnose(zombie).cause is Cause.ZOMBIE


@pytest.mark.parametrize(
    ("look", "cause"),
    [
        ({"at": 3.4}, Cause.PEER_FROZEN),
        # Asked in the millisecond in which the next frame went out, as happens.
        ({"at": 3.0, "unacked": 1, "send_queue": 21, "last_ack_recv": 0.45}, Cause.PEER_FROZEN),
        ({"at": 3.0, "unacked": 2, "send_queue": 36, "last_ack_recv": 0.9}, Cause.HALF_OPEN),
        (
            {"at": 3.4, "unacked": 3, "send_queue": 60, "last_ack_recv": 1.4, "retransmits": 2},
            Cause.HALF_OPEN,
        ),
    ],
)
def test_the_kernel_tells_a_frozen_process_from_a_dead_path(look, cause):
    """What counts is that the question was acknowledged, not what has just gone out."""
    rows = [(2, ">beat"), (2.001, "<answer"), (2.5, ">beat"), (3, ">beat")]

    assert diagnose(timeline(*rows, looks=[look], until=3.5)).cause is cause


@pytest.mark.parametrize(
    ("look", "headline"),
    [
        # The question went out at 2.5 s: the last acknowledgement is from after it, or not.
        (
            {"unacked": 1, "last_ack_recv": 0.499},
            "the server stopped answering at 2.5 s; its TCP still acknowledges",
        ),
        ({"unacked": 1, "last_ack_recv": 0.5}, None),
        # With nothing outstanding, its age is nothing.
        (
            {"unacked": 0, "last_ack_recv": 0.5},
            "the server stopped answering at 2.5 s; its TCP still acknowledges",
        ),
        ({"send_queue": 1, "last_ack_recv": 0.5}, None),
    ],
)
def test_the_kernel_speaks_of_the_question_from_its_instant_on(look, headline):
    """An acknowledgement of what came before it proves nothing of a process that has not answered."""
    rows = [(2, ">beat"), (2.001, "<answer"), (2.5, ">beat"), (3, ">beat")]
    found = diagnose(timeline(*rows, looks=[{"at": 3.0, **look}], until=3.5))

    assert (found.headline if found.cause is Cause.PEER_FROZEN else None) == headline


@pytest.mark.parametrize(
    ("looks", "confidence"),
    [
        ([], LOW),
        # Too soon after the first question, and behind the answers, a path that stalls is calm as well.
        ([{"at": 10.9}, {"at": 22.0}], LOW),
        ([{"at": 15.0, "unacked": 2, "send_queue": 30, "retransmits": 3}], LOW),
        ([{"at": 11.0}], MEDIUM),
        ([{"at": 11.1}], MEDIUM),
        ([{"at": 21.9}], MEDIUM),
    ],
)
def test_late_answers_that_come_at_once_are_the_process_if_the_path_carried_meanwhile(looks, confidence):
    """A path that stood still delivers them so too, and acknowledges nothing until then."""
    line = timeline(
        (10, ">ping", b"1"),
        (15, ">ping", b"2"),
        (22, "<pong", b"1"),
        (22, "<pong", b"2"),
        until=30,
        looks=looks,
    )
    verdict = judge(Requirement.of(pings_within="3s"), line)

    found = diagnose(line, verdict=verdict)
    assert (found.cause, found.confidence, found.runner_up) == (
        Cause.PEER_FROZEN, confidence, Cause.PATH_STALLED,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answers", "cause"),
    [
        ([(22, b"1"), (22.02, b"2")], Cause.PEER_FROZEN),
        ([(22.004, b"1"), (22.006, b"2")], Cause.PEER_FROZEN),
        ([(22, b"1"), (22.04, b"2")], Cause.SLOW_ANSWERS),
        # A single late one shows no more than that it was late.
        ([(15.1, b"1"), (15.2, b"2")], Cause.SLOW_ANSWERS),
    ],
)
def test_late_answers_come_at_once_within_30_ms(answers, cause):
    """Wherever on the clock."""
    line = timeline(
        (10, ">ping", b"1"), (15, ">ping", b"2"), *((at, "<pong", key) for at, key in answers), until=30
    )
    verdict = judge(Requirement.of(pings_within="3s"), line)

    assert diagnose(line, verdict=verdict).cause is cause


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        # Two heartbeats that were answered are looked at, and the pings otherwise.
        ([(10, ">beat"), (15, ">beat"), (22, "<answer"), (22, "<answer")], Cause.PEER_FROZEN),
        ([(10, ">beat"), (15, ">beat"), (15.1, "<answer"), (22, "<answer")], Cause.SLOW_ANSWERS),
        (
            [
                (10, ">ping", b"1"), (15, ">ping", b"2"), (16, ">beat"),
                (22, "<pong", b"1"), (22, "<pong", b"2"), (22, "<answer"),
            ],
            Cause.PEER_FROZEN,
        ),
    ],
)  # fmt: skip
def test_late_heartbeats_come_before_late_pings(rows, cause):
    line = timeline(*rows, until=30)
    verdict = judge(Requirement.of(heartbeat_within="3s"), line)

    assert diagnose(line, verdict=verdict).cause is cause


@pytest.mark.parametrize(("until", "confidence"), [(27.9, LOW), (28.1, MEDIUM)])
def test_a_silence_that_lost_answers_explain_proves_no_process_that_stands_still(until, confidence):
    """Four seconds: the peer's kernel sends again what is lost on its way back, and nobody here sees that."""
    pinged = [row for at in range(1, 25) for row in ((at, "<ping"), (at, ">pong"))]
    line = timeline(
        *pinged,
        (24, ">ping", b"1"),
        (24, "<pong", b"1"),
        (25, ">ping", b"2"),
        until=until,
        looks=[{"at": 27.5}],
    )

    found = diagnose(line)
    assert (found.cause, found.confidence) == (Cause.PEER_FROZEN, confidence)
    assert Cause.HALF_OPEN in found.alternatives


def test_an_age_of_what_was_opened_together_is_no_deadline_that_only_pongs_reset():
    """One instant ended all: a limit on the age and a restart fit as well."""
    lines = [timeline(*in_order(SESSION, beats(60), [(60, FIN)])) for _ in range(3)]

    found = diagnose(lines[0], cohort=lines)
    assert (found.cause, found.confidence, found.runner_up) == (Cause.PONG_DEADLINE, LOW, Cause.RESTART)
    assert Cause.MAX_AGE in found.alternatives


@pytest.mark.parametrize(("others", "confidence"), [(0, MEDIUM), (1, LOW)])
def test_another_of_the_same_age_leaves_a_limit_on_it(others, confidence):
    """Both end there, with traffic to the end: a deadline that only pongs reset looks no different."""
    lines = [
        timeline(*in_order(SESSION, beats(60), [(60, FIN)]), origin=1000 + 7 * number)
        for number in range(1 + others)
    ]

    found = diagnose(lines[0], cohort=lines)
    assert (found.cause, found.confidence) == (Cause.PONG_DEADLINE, confidence)
    assert (Cause.MAX_AGE in found.alternatives) is True


@pytest.mark.parametrize(
    ("answered", "confidence"), [([], LOW), ([(22, ">beat"), (22.1, "<answer")], MEDIUM)]
)
def test_uneven_pings_of_a_server_that_may_not_read_prove_no_blocked_loop(answered, confidence):
    """A handler that awaits while audio comes in looks so on a busy machine (uvicorn, measured)."""
    audio = [(at / 5, ">audio") for at in range(1, 200)]
    pinged = [row for at in (5, 10, 15, 21.5) for row in ((at, "<ping"), (at, ">pong"))]
    line = timeline(*in_order(audio, pinged, answered), (40, closed_by_peer(1011, KEEPALIVE)))

    found = diagnose(line)
    assert (found.cause, found.confidence) == (Cause.PEER_FROZEN, confidence)
    assert (Cause.PEER_NOT_READING in found.alternatives) is (confidence is LOW)


def test_unread_bytes_are_thrown_away_with_a_reset():
    """A handler that awaits while audio comes in never sees the pong (uvicorn, one time in twenty)."""
    audio = [(at / 50, ">audio") for at in range(1, 100)]
    ping = [(1, "<ping"), (1, ">pong")]

    assert diagnose(timeline(*in_order(audio, ping), (2, RST))).cause is Cause.PEER_NOT_READING
    assert diagnose(timeline(*in_order(audio, ping), (2.13, RST))).cause is Cause.PEER_NOT_READING
    assert diagnose(timeline(*in_order(audio), (2, RST))).cause is not Cause.PEER_NOT_READING
    beats = [(at / 10, what) for at in range(4, 20, 4) for what in (">beat", "<answer")]
    assert (
        diagnose(timeline(*in_order(beats, ping), (2, ">beat"), (2, RST))).cause is not Cause.PEER_NOT_READING
    )


def test_both_ends_are_known():
    """The sentence names the end, the timer and what would have reset it."""
    client = timeline(*in_order(SESSION, beats(60), [(30, "<ping"), (60, FIN)]))
    server = timeline(
        (0, ">hello"), (25, "<beat"), (25, ">answer"), (30, ">ping", b"1"), (50, "<beat"), (60, "deadline"),
        (60, {"transport": TransportEnd.ABORTED, "deadline": 60.0, "reset_by": (DeadlineTraffic.PONG,),
              "local_reason": LocalReason.READ_DEADLINE, "local_detail": "read deadline of 60 s ran out"}),
        end=End.SERVER,
    )  # fmt: skip
    found = diagnose(client, [server])

    assert found.sentence == (
        "the client withheld pongs; the server's 60 s read deadline, reset only by pongs, closed it"
    )
    assert found.headline == "pongs withheld, pong-only read deadline 60 s"
    assert (found.cause, found.confidence, found.blame) == (Cause.PING_UNANSWERED, HIGH, CLIENT)
    assert diagnose(server, [client]).sentence == found.sentence


def test_an_end_that_nothing_explains_shows_the_nearest_causes():
    """The nearest first, each with its distance; a timer that is off by half is none of them."""
    found = diagnose(timeline(*in_order(SESSION, beats(40), [(47.1, "<text"), (47.3, FIN)])))

    assert [each.cause for each in found.hypotheses] == [Cause.PONG_DEADLINE]
    assert [each.distance for each in found.hypotheses] == sorted(each.distance for each in found.hypotheses)

"""Records that look like one cause, and may be another: never told with high confidence."""

import pytest

from pytest_wsstability.core.diagnosis import Cause, Confidence, diagnose
from pytest_wsstability.core.timeline.close import CloseFrame, TransportEnd
from pytest_wsstability.core.timeline.events import Tier
from tests.core.script import FIN, RST, closed_by_peer, in_order, timeline

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
SESSION = [(0.01, "<hello"), (0.01, ">info"), (0.02, "<confirmed")]
GAVE_UP = {"transport": TransportEnd.FIN, "sent": CloseFrame(1011, "keepalive ping timeout")}


def beats(until, every):
    """Heartbeats and their answers."""
    return [row for at in range(every, until, every) for row in ((at, ">beat"), (at + 0.01, "<answer"))]


def told(*rows, **more):
    found = diagnose(timeline(*rows, **more))
    return found.cause, found.confidence, found.runner_up


ANSWERED = [(1, ">text"), (1.01, "<text")]
LOOKALIKES = [
    # A reset after a quiet while: nobody forgets after 11 s, but limits and handlers answer at once.
    ([*ANSWERED, (12, ">audio"), (12.01, RST)], Cause.MESSAGE_TOO_BIG, MEDIUM, Cause.HANDLER_ERROR),
    ([*ANSWERED, (12, ">text"), (12.01, RST)], Cause.NAT_EXPIRED, LOW, Cause.HANDLER_ERROR),
    # From a silence on that bindings of NATs are kept open with, that is likelier.
    ([*ANSWERED, (26, ">ping", b"1"), (26.01, RST)], Cause.NAT_EXPIRED, MEDIUM, Cause.RESTART),
    ([*ANSWERED, (12, ">ping", b"1"), (12.01, RST)], Cause.NAT_EXPIRED, LOW, Cause.RESTART),
    ([*ANSWERED, (351, ">ping", b"1"), (351.01, RST)], Cause.NAT_EXPIRED, MEDIUM, Cause.RESTART),
    # A client without pongs, and a server that was killed, or whose proxy was bored.
    (
        in_order(SESSION, beats(47, 10), [(30, "<ping"), (47.3, FIN)]),
        Cause.PING_UNANSWERED, LOW, Cause.RESTART,
    ),
    (
        in_order(SESSION, beats(90, 10), [(at, "<ping") for at in (20, 40, 60, 80)], [(90, FIN)]),
        Cause.PING_UNANSWERED, LOW, Cause.RESTART,
    ),
    ([*SESSION, (20, "<ping"), (80, FIN)], Cause.PING_UNANSWERED, MEDIUM, Cause.IDLE_TIMEOUT),
    # Codes and reasons about what this end sent, where it sent none, or some.
    ([(5, closed_by_peer(1009))], Cause.MESSAGE_TOO_BIG, LOW, Cause.CLOSED_BY_PEER),
    ([(5, closed_by_peer(1009, "message too big"))], Cause.MESSAGE_TOO_BIG, LOW, Cause.CLOSED_BY_PEER),
    ([*ANSWERED, (5, closed_by_peer(1009, "message too big"))], Cause.MESSAGE_TOO_BIG, HIGH, None),
    # An error in general words, which SignalR has for a message over its limit too.
    (
        [*ANSWERED, (12, ">audio"), (12.01, closed_by_peer(1011, "Internal error"))],
        Cause.HANDLER_ERROR, MEDIUM, Cause.MESSAGE_TOO_BIG,
    ),
    (
        [*ANSWERED, (12, ">audio"), (12.01, "<error", "an error"), (12.01, closed_by_peer(1000))],
        Cause.HANDLER_ERROR, MEDIUM, Cause.MESSAGE_TOO_BIG,
    ),
    (
        [*ANSWERED, (12, ">text"), (12.01, closed_by_peer(1011, "Internal error"))],
        Cause.HANDLER_ERROR, MEDIUM, Cause.PEER_FROZEN,
    ),
    ([(5, closed_by_peer(4429, "too many requests"))], Cause.RATE_LIMITED, LOW, Cause.CLOSED_BY_PEER),
    ([*ANSWERED, (5, closed_by_peer(4429, "too many requests"))], Cause.RATE_LIMITED, HIGH, None),
    ([(48.3, closed_by_peer(1002))], Cause.PROTOCOL_ERROR, LOW, Cause.CLOSED_BY_PEER),
    ([(5, closed_by_peer(1002, "protocol error"))], Cause.PROTOCOL_ERROR, LOW, Cause.CLOSED_BY_PEER),
    ([(1, ">ping"), (1.04, closed_by_peer(1002))], Cause.PROTOCOL_ERROR, HIGH, Cause.CLOSED_BY_PEER),
    # Some applications refuse so what they do not know (OpenFrontIO).
    ([*ANSWERED, (5, ">text"), (5.01, closed_by_peer(1002, "game not found"))], Cause.PROTOCOL_ERROR, LOW,
     Cause.CLOSED_BY_PEER),
    ([*ANSWERED, (5, ">text"), (5.01, closed_by_peer(1002, "unmasked frame"))],
     Cause.PROTOCOL_ERROR, HIGH, None),
    # What is refused is refused at once; Bandit and Tomcat 7 close who is silent so.
    ([(1, ">ping"), (1.9, closed_by_peer(1002))], Cause.PROTOCOL_ERROR, LOW, Cause.IDLE_TIMEOUT),
    ([(60, closed_by_peer(1002))], Cause.IDLE_TIMEOUT, MEDIUM, Cause.PROTOCOL_ERROR),
    ([*ANSWERED, (61, closed_by_peer(1002))], Cause.IDLE_TIMEOUT, MEDIUM, Cause.PROTOCOL_ERROR),
    (
        [*ANSWERED, (30, "<text"), (61, closed_by_peer(1002))],
        Cause.IDLE_TIMEOUT, MEDIUM, Cause.PROTOCOL_ERROR,
    ),
    ([*ANSWERED, (48.3, closed_by_peer(1002))], Cause.PROTOCOL_ERROR, LOW, Cause.IDLE_TIMEOUT),
    ([(5, closed_by_peer(1003))], Cause.PROTOCOL_ERROR, LOW, Cause.CLOSED_BY_PEER),
    ([*ANSWERED, (5, closed_by_peer(1003))], Cause.PROTOCOL_ERROR, MEDIUM, Cause.CLOSED_BY_PEER),
    # Words that mean other things too.
    ([*ANSWERED, (5, closed_by_peer(1008, "too slow"))], Cause.SLOW_CONSUMER, MEDIUM, Cause.CLOSED_BY_PEER),
    ([*ANSWERED, (5, closed_by_peer(4000, "login node"))], Cause.AUTH_EXPIRED, MEDIUM, Cause.CLOSED_BY_PEER),
    ([*ANSWERED, (5, closed_by_peer(1008, "too many pings"))], Cause.RATE_LIMITED, HIGH, None),
    # Reasons that name a time: whose it is stands beside it.
    (
        [*SESSION, (900, closed_by_peer(1008, "session timeout"))],
        Cause.READ_DEADLINE, MEDIUM, Cause.MAX_AGE,
    ),
    (
        [*SESSION, *ANSWERED, (900, closed_by_peer(4401, "token timed out"))],
        Cause.AUTH_EXPIRED, HIGH, Cause.CLOSED_BY_PEER,
    ),
    (
        in_order(SESSION, beats(900, 25), [(900, closed_by_peer(4000, "token expired"))]),
        Cause.AUTH_EXPIRED, HIGH, Cause.CLOSED_BY_PEER,
    ),
    ([(33.3, closed_by_peer(1011, "server shutting down"))], Cause.RESTART, HIGH, Cause.PLANNED_ROTATION),
    # An expired token without a code: an age that tokens have, and no more.
    (
        in_order(SESSION, beats(900, 25), [(900, closed_by_peer(1000))]),
        Cause.CLOSED_BY_PEER, LOW, Cause.AUTH_EXPIRED,
    ),
    (
        in_order(SESSION, beats(900, 25), [(30, "<ping"), (30, ">pong"), (900, FIN)]),
        Cause.MAX_AGE, LOW, Cause.AUTH_EXPIRED,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "cause", "confidence", "runner_up"), LOOKALIKES)
def test_what_fits_as_well_is_the_runner_up(rows, cause, confidence, runner_up):
    """High is for records that leave no second cause."""
    assert told(*rows) == (cause, confidence, runner_up)


@pytest.mark.parametrize(
    ("rows", "until", "cause", "confidence", "runner_up"),
    [
        # A server that does not know this heartbeat.
        ([*SESSION, (25, ">beat")], 30, Cause.ZOMBIE, LOW, Cause.PEER_FROZEN),
        # A handler that hangs, in a process that would still answer pings.
        (
            [*SESSION, (25, ">beat"), (25.1, "<answer"), (50, ">beat")],
            55, Cause.PEER_FROZEN, LOW, Cause.ZOMBIE,
        ),
        # A server that answers no ping, and has nothing to say.
        ([(20, ">ping", b"1"), (40, GAVE_UP)], 40, Cause.PEER_FROZEN, LOW, Cause.NO_PONGS),
        # A message that waits in front of the ping, for a handler that reads no more.
        (
            [
                (5, ">ping", b"1"), (5, "<pong", b"1"), (10, ">beat"), (10, "<answer"),
                (20, ">beat"), (25, ">ping", b"2"),
            ],
            30, Cause.PEER_FROZEN, LOW, Cause.PEER_NOT_READING,
        ),
        (
            [(5, ">ping", b"1"), (5, "<pong", b"1"), (25, ">ping", b"2"), (45, GAVE_UP)],
            45, Cause.PEER_FROZEN, LOW, Cause.PEER_NOT_READING,
        ),
        # Its own pings were due, and did not come either.
        (
            [
                *((at, "<ping") for at in range(3, 24, 4)), *((at, ">pong") for at in range(3, 24, 4)),
                (24, ">ping", b"1"), (24, "<pong", b"1"), (25, ">ping", b"2"), (45, GAVE_UP),
            ],
            45, Cause.PEER_FROZEN, MEDIUM, Cause.RESTART,
        ),
    ],
)  # fmt: skip
def test_acknowledged_and_not_answered(rows, until, cause, confidence, runner_up):
    """A process that stands still is proved by pings that were answered before, with nothing in front."""
    assert told(*rows, looks=[{"at": until - 0.5}], until=until) == (cause, confidence, runner_up)


@pytest.mark.parametrize(
    ("silence", "tier", "confidence"),
    [
        # A default of nginx and others; what it may be late; and what nobody has.
        (60.2, Tier.REAL, MEDIUM), (61.4, Tier.REAL, MEDIUM), (61.6, Tier.REAL, LOW), (59.6, Tier.REAL, LOW),
        # Below a minute, a number proves nothing in real time; in virtual time people choose it.
        (45.2, Tier.REAL, LOW), (40.0, Tier.REAL, LOW), (25.0, Tier.REAL, LOW),
        (45.0, Tier.VIRTUAL, MEDIUM), (45.2, Tier.VIRTUAL, LOW),
        # Above, one in sixteen instants is near one.
        (90.2, Tier.REAL, MEDIUM), (91.6, Tier.REAL, LOW), (75.0, Tier.REAL, LOW), (180.0, Tier.REAL, MEDIUM),
        (660.4, Tier.REAL, MEDIUM), (690.0, Tier.REAL, LOW),
    ],
)  # fmt: skip
def test_a_silent_end_of_one_connection_is_never_certain(silence, tier, confidence):
    """The number prefers a timer, or nothing does; a crash is among its causes, with the experiment."""
    line = timeline(*SESSION, (20, ">text"), (20.1, "<text"), (20.1 + silence, FIN), tier=tier)
    found = diagnose(line)

    assert (found.cause, found.confidence) == (Cause.IDLE_TIMEOUT, confidence)
    assert Cause.RESTART in found.alternatives
    assert "three connections" in found.experiment


def test_connections_opened_at_one_instant_prove_no_maximum_age():
    """A server that was killed ends them all at one age too."""
    rows = in_order(SESSION, beats(33, 5), [(10, "<ping"), (10, ">pong")])
    lines = [timeline(*rows, (33.4, FIN), origin=1000 + at / 100) for at in range(5)]
    found = diagnose(lines[0], cohort=lines)

    assert (found.cause, found.confidence, found.runner_up) == (Cause.RESTART, LOW, Cause.MAX_AGE)


@pytest.mark.parametrize(("apart", "cause"), [(1, Cause.RESTART), (2, Cause.MAX_AGE)])
def test_two_that_were_opened_at_one_instant_and_others_that_lived_as_long_at_another(apart, cause):
    """Two of these exclude that the age is an accident."""
    talk = [(at, "<text") for at in range(10, 50, 10)]
    lines = [timeline(*talk, (43.3, FIN), origin=origin) for origin in (1000, 1000, *[1020] * apart)]
    found = diagnose(lines[0], cohort=lines)

    assert (found.cause, found.confidence) == (cause, LOW)


def test_a_server_that_speaks_to_all_at_once_shows_no_maximum_age_when_it_is_killed():
    """The silence before the end is the same for all, and the ages are not."""
    lines = [
        timeline(*((at - origin, "<text") for at in range(50, 91, 10)), (93.3 - origin, FIN), origin=origin)
        for origin in (0, 10, 20, 30, 40)
    ]
    found = diagnose(lines[0], cohort=lines)

    assert (found.cause, found.confidence) == (Cause.RESTART, LOW)


def test_closes_after_one_silence_are_no_restart():
    """Whoever closes what is idle ends connections together that were opened together."""
    lines = [timeline((20, "<text"), (80, closed_by_peer(1000)), origin=1000 + at / 3) for at in range(5)]

    assert diagnose(lines[0], cohort=lines).cause is Cause.IDLE_AS_NORMAL


def test_errors_of_all_handlers_at_once_are_a_restart():
    """A shutdown was seen as 1011 too."""
    lines = [
        timeline((20 - at, "<text"), (33 - 3 * at, closed_by_peer(1011)), origin=1000 + 3 * at)
        for at in range(5)
    ]

    assert diagnose(lines[0], cohort=lines).cause is Cause.RESTART
    assert diagnose(lines[0]).cause is Cause.HANDLER_ERROR


def test_a_server_that_was_killed_under_clients_without_pongs():
    """A keepalive that looks at all at one tick does the same, so neither is certain."""
    lines = [
        timeline(*SESSION, (30 - 5 * at, "<ping"), (45 - 5 * at, FIN), origin=1000 + 5 * at)
        for at in range(5)
    ]
    found = diagnose(lines[0], cohort=lines)

    assert (found.cause, found.confidence, found.runner_up) == (Cause.PING_UNANSWERED, MEDIUM, Cause.RESTART)


def test_an_age_of_one_connection_proves_no_limit_in_real_time():
    """A server that was killed while heartbeats went well has some age; a neighbour of 0.7 s proves none."""
    rows = [row for at in range(1, 5) for row in ((at, ">beat"), (at + 0.001, "<answer"))]
    same_age = [timeline(*rows, (4.48, FIN), origin=1000 + at, tier=Tier.REAL) for at in (0, 0.7)]
    killed = [timeline(*rows, (4.7 - at, FIN), origin=1000 + at, tier=Tier.REAL) for at in (0, 0.7)]
    alone, aged, restarted = (
        diagnose(same_age[0]), diagnose(same_age[0], cohort=same_age), diagnose(killed[0], cohort=killed),
    )  # fmt: skip

    assert (alone.cause, alone.confidence) == (Cause.RESTART, LOW)
    assert (aged.cause, aged.confidence, aged.runner_up) == (Cause.MAX_AGE, LOW, Cause.PONG_DEADLINE)
    assert (restarted.cause, restarted.confidence) == (Cause.RESTART, MEDIUM)
    assert Cause.MAX_AGE in restarted.alternatives


def test_a_heartbeat_is_what_a_handler_failed_on():
    """The remedy names the last message, whatever its role."""
    found = diagnose(timeline(*ANSWERED, (12, ">beat"), (12.002, closed_by_peer(1011))))

    assert found.cause is Cause.HANDLER_ERROR
    assert found.remedy == "see the server's traceback; it came right after a message of 15 B of this end"


@pytest.mark.parametrize(
    ("rows", "is_first"),
    [
        ([*SESSION, (0.99, closed_by_peer(4401))], True),
        ([*SESSION, (1, closed_by_peer(4401))], False),
        ([(120, closed_by_peer(4401))], True),
        ([(120.01, closed_by_peer(4401))], False),
        ([(9, ">text"), (10, closed_by_peer(4001, "unauthorized"))], True),
        ([(9, ">text"), (10, closed_by_peer(4001, "token expired"))], False),
    ],
)
def test_credentials_that_were_refused_or_never_came_are_given_and_not_renewed(rows, is_first):
    """A token that was refused right after the opening has not expired."""
    found = diagnose(timeline(*rows))

    assert found.cause is Cause.AUTH_EXPIRED
    assert found.remedy.startswith("give what it asks for, in a header" if is_first else "renew the token")


KEEPALIVE = "keepalive ping timeout"
UPLOAD = [(5, ">audio"), (5, "queued", 900_000), (20, "<ping", b"1"), (20, "queued", 900_000)]
CLOSED_WINDOW = {"at": 39.0, "probes": 1, "send_queue": 900_000}
WAITED_WINDOW = {"at": 39.0, "backoff": 3, "send_queue": 900_000}
LOST = {"at": 39.0, "unacked": 3, "backoff": 2, "retransmits": 2, "send_queue": 900_000}


@pytest.mark.parametrize(
    ("end", "rows", "looks", "expected"),
    [
        # Bytes leave: the path is slow.
        (closed_by_peer(1011, KEEPALIVE), [(40, "queued", 400_000)], (), (Cause.PONG_LATE, HIGH)),
        # None was seen to leave: a peer that reads nothing looks the same.
        (closed_by_peer(1011, KEEPALIVE), [], (), (Cause.PONG_LATE, MEDIUM)),
        (closed_by_peer(1000), [(40, "queued", 400_000)], (), (Cause.PONG_LATE, MEDIUM)),
        (FIN, [(40, "queued", 400_000)], (), (Cause.PONG_LATE, MEDIUM)),
        # The kernel knows that the window is closed, or that packets are lost.
        (closed_by_peer(1011, KEEPALIVE), [], (CLOSED_WINDOW,), (Cause.PEER_NOT_READING, MEDIUM)),
        (closed_by_peer(1011, KEEPALIVE), [], (WAITED_WINDOW,), (Cause.PEER_NOT_READING, MEDIUM)),
        (closed_by_peer(1011, KEEPALIVE), [], (LOST,), (Cause.PONG_LATE, MEDIUM)),
        # What this end throws away at the end had not left it.
        (
            closed_by_peer(1011, KEEPALIVE), [(40, "queued", 400_000), (41, "queued", 0)], (),
            (Cause.PONG_LATE, HIGH),
        ),
    ],
)  # fmt: skip
def test_a_pong_that_waits_behind_bytes_of_its_own_end(end, rows, looks, expected):
    """A slow path and a peer that reads nothing are told apart by what leaves; pongs are not withheld."""
    found = diagnose(timeline(*sorted([*UPLOAD, *rows, (40, end)], key=lambda row: row[0]), looks=looks))

    assert (found.cause, found.confidence) == expected, found
    assert found.cause is not Cause.PING_UNANSWERED


TALK = [(at / 2, ">audio") for at in range(1, 60)]
PONGED = [(20, "<ping"), (20, ">pong")]


@pytest.mark.parametrize(
    ("end", "confirmed", "expected"),
    [
        # An answer took as long as the peer waited for its pong: the pong may be on its way.
        (closed_by_peer(1011, KEEPALIVE), 10.01, (Cause.KEEPALIVE_TIMEOUT, MEDIUM)),
        (closed_by_peer(1011, KEEPALIVE), 9.99, (Cause.PEER_NOT_READING, MEDIUM)),
        (RST, 10.01, (Cause.PEER_NOT_READING, LOW)),
        (RST, 9.99, (Cause.PEER_NOT_READING, MEDIUM)),
    ],
)
def test_a_path_that_is_slower_than_the_peer_waits(end, confirmed, expected):
    """The session's confirmation is a round trip too: the peer need not have stopped reading."""
    session = [(0, "<hello"), (0, ">info"), (confirmed, "<confirmed")]
    found = diagnose(timeline(*in_order(session, TALK, PONGED, [(30, end)]), looks=({"at": 25.0},)))

    assert (found.cause, found.confidence) == expected, found
    assert (Cause.PONG_LATE in found.alternatives) == (confirmed > 10), found
    assert ("an answer took 10.01 s before" in found.sentence) == (confirmed > 10), found


def test_a_question_to_a_slow_peer_proves_no_deaf_one():
    """Records of this kind came from paths of 8 and 15 s each way."""
    session = [(0, "<hello"), (0, ">info"), (15.9, "<confirmed")]
    asked = [(15, "<ping"), (15, ">pong"), (20, ">ping", b"1")]
    ended = closed_by_peer(3000, "HEARTBEAT_TIMEOUT")
    slow = diagnose(timeline(*in_order(session, asked, [(25, ended)])))
    deaf = diagnose(timeline(*in_order(SESSION, asked, [(25, ended)])))

    assert slow.cause is Cause.KEEPALIVE_TIMEOUT
    assert deaf.cause is Cause.PEER_NOT_READING


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (1000, (Cause.SESSION_NOT_CONFIRMED, MEDIUM)),
        (4000, (Cause.SESSION_NOT_CONFIRMED, MEDIUM)),
        (1011, (Cause.HANDLER_ERROR, LOW)),
    ],
)
def test_an_internal_error_is_no_answer_to_the_session(code, expected):
    """A handler that fails right after the opening may never have seen the session's first message."""
    found = diagnose(timeline((0.001, ">info"), (0.002, closed_by_peer(code))))

    assert (found.cause, found.confidence) == expected


@pytest.mark.parametrize(("at", "is_its"), [(1.1, True), (1.3, False)])
@pytest.mark.parametrize("reason", ["Session timed out", "Idle timeout"])
def test_a_session_that_had_timed_out_before(at, is_its, reason):
    """Its server may look for it for a while, and nothing on this connection was idle for long by then."""
    found = diagnose(timeline((0.1, "<hello"), (0.2, ">info"), (at, closed_by_peer(4000, reason))))

    assert (found.cause is Cause.SESSION_NOT_CONFIRMED) is is_its


def counted(number, *, every=3.0, end=FIN, late=0.0):
    """A client that has sent so many messages at even intervals, each answered, when the connection ends."""
    rows = [row for at in range(1, number) for row in ((every * at, ">text"), (every * at + 0.001, "<text"))]
    return timeline(*rows, (every * number, ">text"), (every * number + 0.001 + late, end))


@pytest.mark.parametrize(
    ("number", "is_round"),
    [
        (100, True),
        (101, False),
        (99, False),
        (90, False),
        (250, True),
        (350, False),
        (900, True),
        (1000, True),
        (2500, True),
    ],
)
@pytest.mark.parametrize(
    ("end", "first"),
    [(FIN, {Cause.MAX_AGE, Cause.HANDLER_ERROR}), (closed_by_peer(1000), {Cause.CLOSED_BY_PEER})],
)
def test_a_limit_on_the_number_of_messages_looks_like_an_age(end, first, number, is_round):
    """At even intervals both fit; the number of the last message tells that it may be one."""
    found = diagnose(counted(number, end=end))

    assert found.cause in first
    assert (Cause.RATE_LIMITED in found.alternatives) is is_round
    assert (f"right after the {number}th message of the client" in found.sentence) is is_round
    if is_round:
        assert found.confidence is LOW


def test_an_end_that_came_later_than_the_last_message_is_none_of_their_number():
    """Nothing answers it."""
    assert Cause.RATE_LIMITED in diagnose(counted(100)).alternatives
    assert Cause.RATE_LIMITED not in diagnose(counted(100, late=1.0)).alternatives


@pytest.mark.parametrize("end", [FIN, closed_by_peer(1000)])
def test_a_pong_after_a_round_number_of_messages_is_no_message(end):
    """Though it is the last that went out."""
    talk = [
        row for at in range(1, 101) for row in ((at, ">text"), (at, "<text"), (at, "<ping"), (at, ">pong"))
    ]
    at_once, later = ([*talk, (100.001, end)], [*talk, (101, "<ping"), (101, ">pong"), (101.001, end)])

    assert Cause.RATE_LIMITED in diagnose(timeline(*at_once)).alternatives
    assert Cause.RATE_LIMITED not in diagnose(timeline(*later)).alternatives

"""Causes that the application's protocol names: its timers, its close codes, its error messages."""

import pytest

from pytest_wsstability import Requirement, judge
from pytest_wsstability.core.diagnosis import Blame, Cause, Confidence, diagnose, diagnosed
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.protocol import ran_out
from pytest_wsstability.core.timeline.close_reasons import Topic
from pytest_wsstability.core.timeline.events import End, Tier
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import (
    Awaited,
    Intervals,
    ProtocolCode,
    ProtocolFacts,
    ProtocolTimer,
)
from pytest_wsstability.profiles.catalogue import shipped
from tests.core.script import FIN, GIVEN_UP, closed_by_peer, timeline

HIGH, MEDIUM, LOW = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW
SERVER, CLIENT = End.SERVER, End.CLIENT
ENGINE_IO = Intervals(server=25, timeout=20)
# As a robot's log has it.
GO_AWAY = (
    "Connection aborted because the client failed to close the connection after receiving a GoAway signal "
    "once the session durat"
)


def facts(name):
    """What a shipped profile tells core."""
    return shipped(name.lower().replace("_", "-")).facts


def talk(until, *, first=1, every=5):
    """Messages of this end, each answered."""
    return [
        row
        for at in range(first, int(until), every)
        for row in ((at, ">text"), (at + 0.1, "<text"))
    ]  # fmt: skip


# At the client's end, but where another one is named.
SESSION = [(0, ">info"), (0, "<confirmed")]

TIMERS = [
    # Engine.IO's ping, with the intervals that its packet 0 named: Node's empty close frame, Python's 1000.
    ("ENGINEIO", [(25, "<beat"), (45, closed_by_peer(1005))], ENGINE_IO, Cause.HEARTBEAT_UNANSWERED, HIGH),
    ("ENGINEIO", [(25, "<beat"), (45, closed_by_peer(1000))], ENGINE_IO, Cause.HEARTBEAT_UNANSWERED, HIGH),
    ("SOCKETIO", [(25, "<beat"), (45, closed_by_peer(1005))], ENGINE_IO, Cause.HEARTBEAT_UNANSWERED, HIGH),
    # Named intervals count, and not the defaults.
    (
        "ENGINEIO", [(10, "<beat"), (15, closed_by_peer(1005))], Intervals(server=10, timeout=5),
        Cause.HEARTBEAT_UNANSWERED, HIGH,
    ),
    # Answered, or too early: what the code means, and no timer.
    (
        "ENGINEIO", [(25, "<beat"), (25, ">answer"), (45, closed_by_peer(1005))], ENGINE_IO,
        Cause.CLOSED_BY_PEER, MEDIUM,
    ),
    # Two meanings of 4408, by who sends it.
    ("GRAPHQL_TRANSPORT_WS", [(3, closed_by_peer(4408))], None, Cause.SESSION_NOT_CONFIRMED, HIGH),
    (
        "GRAPHQL_TRANSPORT_WS", [(60, closed_by_peer(4408, "Connection initialisation timeout"))], None,
        Cause.SESSION_NOT_CONFIRMED, HIGH,
    ),
    (
        "GRAPHQL_TRANSPORT_WS", [(9, closed_by_peer(4409, "Subscriber for 1 already exists"))], None,
        Cause.SESSION_DUPLICATED, HIGH,
    ),
    ("GRAPHQL_TRANSPORT_WS", [(9, closed_by_peer(4401))], None, Cause.AUTH_EXPIRED, HIGH),
    ("GRAPHQL_TRANSPORT_WS", [(9, closed_by_peer(4400))], None, Cause.PROTOCOL_ERROR, HIGH),
    # use/ws pings each 12 s and cuts without a word.
    (
        "GRAPHQL_TRANSPORT_WS", [(0, ">info"), (0, "<confirmed"), (12, "<ping"), (13, ">text"), (24, FIN)],
        None, Cause.PING_UNANSWERED, MEDIUM,
    ),
    # Phoenix' transport, SignalR's client timeout (by the server), STOMP's tolerance, MQTT's keep-alive.
    ("PHOENIX", [(5, ">text"), (65, closed_by_peer(1000))], None, Cause.READ_DEADLINE, HIGH),
    ("SIGNALR", [(5, ">text"), *[(at, "<beat") for at in (15, 30)], (35, FIN)], None,
     Cause.READ_DEADLINE, MEDIUM),
    (
        "STOMP", [(5, ">text"), (35, closed_by_peer(1000, "STOMP died"))], Intervals(client=10, server=10),
        Cause.READ_DEADLINE, HIGH,
    ),
    ("MQTT", [(5, ">text"), (20, FIN)], Intervals(client=10), Cause.READ_DEADLINE, MEDIUM),
    # A silence that is as long as the one before may be its length; a longer one was survived.
    (
        "MQTT", [(5, ">text"), (20, ">text"), (35, FIN)], Intervals(client=10),
        Cause.READ_DEADLINE, MEDIUM,
    ),
    (
        "MQTT",
        [*SESSION, (4.75, ">text"), (5, "<text"), (20, ">text"), (21, "<text"), (35, FIN)],
        Intervals(client=10), Cause.MAX_AGE, LOW,
    ),
    # RabbitMQ waits three keep-alives, so that the length is not the protocol's own.
    ("MQTT", [(5, ">text"), (35, closed_by_peer(1000))], Intervals(client=10), Cause.READ_DEADLINE, MEDIUM),
    ("MQTT", [(5, ">text"), (35, closed_by_peer(1000, "MQTT died"))], Intervals(client=10),
     Cause.READ_DEADLINE, HIGH),
    # It says so of other ends too; in less than one keep-alive of 10 s, none was missed.
    ("MQTT", [(5, ">text"), (15, closed_by_peer(1000, "MQTT died"))], Intervals(client=10),
     Cause.READ_DEADLINE, MEDIUM),
    ("MQTT", [(5, ">text"), (14.75, closed_by_peer(1000, "MQTT died"))], Intervals(client=10),
     Cause.CLOSED_BY_PEER, LOW),
    ("STOMP", [(5, ">text"), (15, closed_by_peer(1000, "STOMP died"))], Intervals(client=10, server=10),
     Cause.READ_DEADLINE, MEDIUM),
    ("STOMP", [(5, ">text"), (14.75, closed_by_peer(1000, "STOMP died"))], Intervals(client=10, server=10),
     Cause.CLOSED_BY_PEER, LOW),
    # Deepgram, whatever ping frames say.
    (
        "DEEPGRAM",
        [(5, ">audio"), (10, "<ping"), (10, ">pong"), (15, closed_by_peer(1011, "see dpgr.am/net0001"))],
        None, Cause.READ_DEADLINE, HIGH,
    ),
    (
        "DEEPGRAM", [(5, ">audio"), (15, closed_by_peer(1011, "NET-0001: no audio"))],
        None, Cause.READ_DEADLINE, HIGH,
    ),
    # It names its timer though audio went out: no HIGH.
    (
        "DEEPGRAM", [(5, ">audio"), (8, ">audio"), (11, closed_by_peer(1011, "NET-0001"))],
        None, Cause.READ_DEADLINE, MEDIUM,
    ),
    ("DEEPGRAM", [(5, ">audio"), (6, closed_by_peer(1008))], None, Cause.PROTOCOL_ERROR, HIGH),
    # OpenAI's hour: a restart at that instant fits too, unless it is said.
    ("OPENAI_REALTIME", [*talk(3600), (3600, closed_by_peer(1001))], None, Cause.MAX_AGE, MEDIUM),
    # Google has limits of other lengths too (30 min was reported); its words tell.
    ("GEMINI_LIVE", [*talk(1815), (1815, closed_by_peer(1008, GO_AWAY))], None, Cause.MAX_AGE, HIGH),
    ("GEMINI_LIVE", [*talk(300), (300, closed_by_peer(1008, GO_AWAY))], None, Cause.MAX_AGE, MEDIUM),
    (
        "OPENAI_REALTIME",
        [*talk(3600), (3600.5, closed_by_peer(1001, "Your session hit the maximum duration of 60 minutes."))],
        None, Cause.MAX_AGE, HIGH,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "intervals", "cause", "confidence"), TIMERS)
def test_a_timer_or_code_of_the_protocol(name, rows, intervals, cause, confidence):
    """It counts as the peer's own words."""
    found = diagnose(timeline(*rows, protocol=facts(name), intervals=intervals))

    assert (found.cause, found.confidence) == (cause, confidence), found


@pytest.mark.parametrize("name", ["ENGINEIO", "GRAPHQL_TRANSPORT_WS", "PHOENIX", "MQTT", "OPENAI_REALTIME"])
def test_a_clear_reason_comes_before_a_timer_that_is_not_named(name):
    """Words come first, whatever the instant."""
    rows = [(25, "<beat"), (45, closed_by_peer(1000, "server is restarting"))]
    found = diagnose(timeline(*rows, protocol=facts(name), intervals=Intervals(15, 25, 20)))

    assert (found.cause, found.confidence) == (Cause.RESTART, HIGH), found


# At the server's end: the client's own timers.
CLIENTS = [
    (
        "PHOENIX", [(30, "<beat"), (60, closed_by_peer(1000, "heartbeat timeout"))],
        Cause.HEARTBEAT_UNANSWERED, HIGH,
    ),
    ("PHOENIX", [(30, "<beat"), (60, closed_by_peer(1000))], Cause.HEARTBEAT_UNANSWERED, HIGH),
    # A page that just leaves.
    ("PHOENIX", [(30, "<beat"), (30, ">answer"), (47, closed_by_peer(1000))], Cause.CLOSED_BY_PEER, LOW),
    # 4408 of a client: its own ping was not answered.
    (
        "GRAPHQL_TRANSPORT_WS",
        [(0, "<info"), (0, ">confirmed"), (10, "<beat"), (15, closed_by_peer(4408))],
        Cause.HEARTBEAT_UNANSWERED, HIGH,
    ),
    ("GRAPHQL_TRANSPORT_WS", [(0, "<info"), (10, closed_by_peer(4504))], Cause.SESSION_NOT_CONFIRMED, HIGH),
    # SignalR's server timeout: the server sent nothing for 30 s.
    ("SIGNALR", [(5, ">text"), (35, closed_by_peer(1005))], Cause.READ_DEADLINE, HIGH),
]  # fmt: skip


@pytest.mark.parametrize(("name", "rows", "cause", "confidence"), CLIENTS)
def test_a_timer_of_the_client(name, rows, cause, confidence):
    """The server's record shows what the client waited for."""
    found = diagnose(timeline(*rows, protocol=facts(name), end=SERVER))

    assert (found.cause, found.confidence) == (cause, confidence), found


def test_the_sentence_names_the_timer_and_its_length_and_the_remedy_is_the_protocols():
    """A user of the protocol reads its own words."""
    rows = [(25, "<beat"), (45, closed_by_peer(1000))]
    found = diagnose(timeline(*rows, protocol=facts("ENGINEIO"), intervals=ENGINE_IO))

    assert found.sentence == (
        "Engine.IO's ping timeout of 20 s ran out: a heartbeat of the server was not answered for 20 s"
    )
    assert found.remedy == "answer each packet 2 with a packet 3, or raise pingTimeout"
    assert found.blame is Blame.CLIENT


@pytest.mark.parametrize(("end", "fits"), [(44.6, False), (44.7, True), (46.5, True), (46.6, False)])
def test_how_far_off_its_length_a_timer_may_be(end, fits):
    """In real time servers are late; a client's clock starts before theirs."""
    rows = [(25, "<beat"), (end, closed_by_peer(1005))]
    found = diagnose(timeline(*rows, protocol=facts("ENGINEIO"), intervals=ENGINE_IO, tier=Tier.REAL))

    assert (found.confidence is HIGH) is fits, found


@pytest.mark.parametrize(
    ("intervals", "end", "fits"),
    [
        (None, 25, True),
        (None, 35, False),
        (Intervals(server=15), 25, True),
        (Intervals(client=15), 35, True),
        (Intervals(client=15), 25, False),
    ],
)
def test_a_timer_in_intervals_runs_by_those_that_were_named_or_else_by_the_protocols(intervals, end, fits):
    """Of the end that is waited for."""
    awaited = ProtocolTimer(
        name="its patience", by=SERVER, awaits=Awaited.MESSAGE, intervals=2, code=1000, remedy="send"
    )
    protocol = ProtocolFacts(name="ours", title="Ours", every=10.0, timers=(awaited,))
    rows = [(5, ">text"), (end, closed_by_peer(1000))]
    found = diagnose(timeline(*rows, protocol=protocol, intervals=intervals))

    assert ((found.cause, found.confidence) == (Cause.READ_DEADLINE, HIGH)) is fits


@pytest.mark.parametrize(
    ("beats", "end", "ran"),
    [([], 19.5, False), ([], 19.75, True), ([5], 24.5, False), ([5], 24.75, True), ([5, 15], 30, False)],
)
def test_a_timer_of_heartbeats_runs_from_the_last_or_from_the_opening(beats, end, ran):
    """Twenty seconds, and as early as timers are."""
    awaited = ProtocolTimer(name="its patience", by=SERVER, awaits=Awaited.HEARTBEAT, seconds=20, code=1000)
    protocol = ProtocolFacts(name="ours", title="Ours", timers=(awaited,))
    line = timeline(*((at, ">beat") for at in beats), (end, closed_by_peer(1000)), protocol=protocol)

    assert (ran_out(extract(line)) is not None) is ran


def test_others_that_ended_with_it_leave_a_restart():
    """One instant of all is no timer of each."""
    rows = [(25, "<beat"), (45, closed_by_peer(1000))]
    line = timeline(*rows, protocol=facts("ENGINEIO"), intervals=ENGINE_IO, origin=1000)
    others = [
        timeline(*[row for row in talk(age)], (age, closed_by_peer(1000)), origin=1045 - age)
        for age in (7, 90)
    ]
    found = diagnose(line, cohort=[line, *others])

    assert found.confidence is MEDIUM
    assert Cause.RESTART in found.alternatives


@pytest.mark.parametrize(
    ("notice", "cause"),
    [(880, Cause.PLANNED_ROTATION), (879.9, Cause.CLOSED_BY_PEER), (10, Cause.CLOSED_BY_PEER)],
)
def test_a_notice_is_about_an_end_that_follows_soon(notice, cause):
    """A message of long ago has announced something else."""
    line = timeline(*talk(900), (notice, "<notice"), (1000, closed_by_peer(4000)))

    assert diagnose(line).cause is cause


def test_a_code_that_the_protocol_calls_planned_is_a_rotation():
    """Announced or not: the protocol says that it comes."""
    code = ProtocolCode(code=4000, meaning="rebalanced", planned=True)
    protocol = ProtocolFacts(name="ours", title="Ours", codes=(code,))
    found = diagnose(timeline((50, closed_by_peer(4000)), protocol=protocol))

    assert (found.cause, found.confidence) == (Cause.PLANNED_ROTATION, HIGH)
    assert "which in Ours is planned: rebalanced" in found.sentence


@pytest.mark.parametrize("topic", list(Topic))
def test_each_topic_of_a_code_is_a_cause(topic):
    """A profile of one's own names its codes, and they are read like a reason."""
    code = ProtocolCode(code=4321, meaning="what it means", topic=topic)
    protocol = ProtocolFacts(name="ours", title="Ours", codes=(code,))
    found = diagnose(timeline((50, closed_by_peer(4321)), protocol=protocol))

    assert found.confidence is HIGH
    assert found.cause not in (Cause.CLOSED_BY_PEER, Cause.UNDETERMINED)
    assert "which in Ours is: what it means" in found.sentence


ERROR = '{"event": "system", "status": "error", "message": "%s"}'


@pytest.mark.parametrize(
    ("said", "cause", "confidence"),
    [
        ("access token has expired", Cause.AUTH_EXPIRED, MEDIUM),
        ("too many messages", Cause.RATE_LIMITED, MEDIUM),
        ("internal error", Cause.HANDLER_ERROR, MEDIUM),
        ("unknown channel, failed to subscribe", Cause.HANDLER_ERROR, MEDIUM),
        ("BTC-XYZ is not a valid product", Cause.PROTOCOL_ERROR, MEDIUM),
        # That the message is called an error says nothing of what went wrong.
        ("etwas ging schief", Cause.HANDLER_ERROR, LOW),
        ("subscription limit reached", Cause.HANDLER_ERROR, LOW),
    ],
)
def test_an_error_message_right_before_an_end_tells_why(said, cause, confidence):
    """A close code without words comes after what was said in a message."""
    found = diagnose(timeline(*talk(50), (50, "<error", ERROR % said), (50.1, closed_by_peer(4000))))

    assert (found.cause, found.confidence) == (cause, confidence), found
    assert said in found.sentence


def test_an_error_message_of_long_ago_tells_nothing_of_an_end():
    """Five seconds, as it is sent and the connection closed at once."""
    rows = [*talk(50), (44.9, "<error", ERROR % "access token has expired"), (50, closed_by_peer(4000))]

    assert diagnose(timeline(*rows)).cause is Cause.CLOSED_BY_PEER


def test_an_error_message_on_a_connection_that_stays_open_is_quoted():
    """The server said so, and sent no event any more."""
    rows = [
        *[(at, "<feed") for at in range(10, 3601, 10)],
        (3600, "<error", ERROR % "access token has expired"),
    ]
    line = timeline(*rows, until=7200)
    found = diagnosed(judge(Requirement.of(alive_for="2h"), line), [line]).diagnosis

    assert (found.cause, found.confidence) == (Cause.AUTH_EXPIRED, MEDIUM), found
    assert "access token has expired" in found.sentence
    assert "no message came since the one at 1 h" in found.sentence


def feed(until, *, silent_from, every=1, beats=25):
    """A feed that stops, with heartbeats that go on."""
    rows = [(at, "<feed") for at in range(1, silent_from, every)]
    return [
        *rows,
        *[row for at in range(beats, until, beats) for row in ((at, ">beat"), (at + 0.1, "<answer"))],
    ]


PINGS = [row for at in range(20, 100, 20) for row in ((at, "<ping"), (at, ">pong"))]


def test_a_feed_that_stops_while_heartbeats_go_on_is_a_dead_subscription():
    """The connection lives; the last message may have left the record long ago."""
    line = timeline(*sorted(feed(3700, silent_from=3600)), until=3700)
    verdict = judge(Requirement.of(message_every="10s"), line)
    found = diagnosed(verdict, [line]).diagnosis

    assert (found.cause, found.confidence) == (Cause.ONE_WAY_DEAD, MEDIUM), found
    assert "no message came for 101 s, since 3599 s" in found.sentence
    assert "3599 came before, never more than 1 s apart" in found.sentence


@pytest.mark.parametrize(
    ("rows", "requirement"),
    [
        # The pings of the server alone show that it lives.
        (
            [
                (1, "<feed"),
                (2, "<feed"),
                (3, "<feed"),
                *[r for t in range(20, 100, 20) for r in ((t, "<ping"), (t, ">pong"))],
            ],
            {"message_every": "10s"},
        ),
        # Without a promise about messages it may have nothing to say.
        (feed(300, silent_from=100), {"heartbeat_within": "1ms"}),
    ],
)
def test_other_silent_feeds(rows, requirement):
    """Further inputs of the same kind."""
    line = timeline(*sorted(rows), until=max(row[0] for row in rows) + 1)
    found = diagnosed(judge(Requirement.of(**requirement), line), [line]).diagnosis

    assert found.cause in (Cause.ONE_WAY_DEAD, Cause.SLOW_ANSWERS), found


def test_single_answers_are_no_feed():
    """Two messages and then none are no stream that stopped."""
    line = timeline((1, "<feed"), (2, "<feed"), (50, ">beat"), (50.1, "<answer"), until=60)
    verdict = diagnosed(judge(Requirement.of(message_every="10s"), line), [line])

    found = verdict.diagnosis
    assert (found.cause, found.confidence) == (Cause.ONE_WAY_DEAD, LOW)
    assert "no stream of messages began in 60 s" in found.sentence


@pytest.mark.parametrize(
    ("said", "cause", "confidence"),
    [
        ("access token has expired", Cause.AUTH_EXPIRED, MEDIUM),
        ("unauthorized", Cause.AUTH_EXPIRED, MEDIUM),
        # Slack, where an app's connections are switched off, or too many.
        ("link_disabled", Cause.HANDLER_ERROR, LOW),
        ("too_many_websockets", Cause.HANDLER_ERROR, LOW),
        # Nothing is wrong, but the end is near.
        ("please reconnect", Cause.PLANNED_ROTATION, HIGH),
        ("server restarts in 5 s", Cause.PLANNED_ROTATION, HIGH),
    ],
)
def test_a_notice_that_says_what_is_wrong_is_no_rotation(said, cause, confidence):
    """The message has two uses: what stands in it tells which."""
    found = diagnose(timeline(*talk(50), (49, "<notice", said), (50, closed_by_peer(4000))))

    assert (found.cause, found.confidence) == (cause, confidence), found


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        (closed_by_peer(4000), Cause.PLANNED_ROTATION),
        (closed_by_peer(1012, "restarting"), Cause.PLANNED_ROTATION),
        (closed_by_peer(1008, "rate limit exceeded"), Cause.RATE_LIMITED),
        (closed_by_peer(1011, "keepalive ping timeout"), Cause.PING_UNANSWERED),
        (closed_by_peer(1009), Cause.MESSAGE_TOO_BIG),
    ],
)
def test_a_close_frame_that_says_another_reason_was_not_the_one_that_was_announced(how, cause):
    """What it says is the cause, however short before it a notice came."""
    assert diagnose(timeline(*talk(50), (45, "<notice"), (46, "<ping", b"1"), (50, how))).cause is cause


@pytest.mark.parametrize(
    ("flaw", "remedy"),
    [
        (Flaw.INTERVAL, "name an interval that can be kept"),
        (Flaw.SEQUENCE, "sends an older number"),
        (Flaw.SUBPROTOCOL, "choose one of the subprotocols that are offered"),
        (Flaw.VERSION, "give the profile of the version"),
        (Flaw.FRAMING, "in the place of a message"),
    ],
)
def test_what_a_peer_does_against_its_protocol_is_the_cause(flaw, remedy):
    """The first of several; a function of the profile that raised is none of it."""
    line = timeline((1, ">text"), (1, "<text"), until=60)
    line.irregularity(1001.0, Flaw.FUNCTION, "pong raised")
    line.irregularity(1002.0, flaw, "the detail")
    line.irregularity(1003.0, Flaw.FRAMING, "another")
    found = diagnose(line, verdict=judge(Requirement.of(alive_for=60), line))

    assert (found.cause, found.confidence) == (Cause.PROTOCOL_ERROR, HIGH)
    assert found.headline == f"{flaw.value}: the detail"
    assert remedy in found.remedy


def test_an_end_has_another_cause_than_what_a_peer_did_against_its_protocol():
    """A peer that goes is explained by how it went."""
    line = timeline((1, ">text"), (1, "<text"), (60, FIN))
    line.irregularity(1002.0, Flaw.SEQUENCE, "the detail")
    found = diagnose(line, verdict=judge(Requirement.of(alive_for=60), line))

    assert found.cause is not Cause.PROTOCOL_ERROR


ANOTHER = (Flaw.VERSION, "'40': an Engine.IO 3 server")


@pytest.mark.parametrize(
    ("flaw", "confirmed", "how", "is_cause"),
    [
        # What 1005 means in the version that was asked for, or how long was waited for, says nothing then.
        (ANOTHER, False, closed_by_peer(1005), True),
        (ANOTHER, False, FIN, True),
        (ANOTHER, False, closed_by_peer(1008, "rate limit exceeded"), False),
        (ANOTHER, True, closed_by_peer(1005), False),
        # The client's own keepalive gave up.
        (ANOTHER, False, GIVEN_UP, False),
        ((Flaw.SEQUENCE, "7 after 9"), False, closed_by_peer(1005), False),
    ],
)
@pytest.mark.parametrize("age", [1, 50])
def test_an_end_before_there_was_a_session_is_another_versions(age, flaw, confirmed, how, is_cause):
    """socket.io with allowEIO3, and socket.io 2 after its ping timeout: the session is never confirmed."""
    rows = [(0.1, "<hello"), (0.1, ">info"), *([(0.2, "<confirmed")] if confirmed else [])]
    line = timeline(*rows, (age, how), protocol=shipped("socketio").facts, intervals=ENGINE_IO)
    line.irregularity(1000.2, *flaw)
    found = diagnose(line, verdict=judge(Requirement.of(alive_for=60), line))

    told = (found.cause, found.confidence, found.blame) == (Cause.PROTOCOL_ERROR, MEDIUM, Blame.SERVER)
    assert told is is_cause
    assert (found.headline == "another version of the protocol: '40': an Engine.IO 3 server") is is_cause


@pytest.mark.parametrize(
    ("said_at", "said", "confidence"),
    [
        # Hasura: the code is of a message that the protocol does not have, the reason for it a token.
        (50, "Could not verify JWT: JWTExpired", MEDIUM),
        (45, "Could not verify JWT: JWTExpired", MEDIUM),
        (44.9, "Could not verify JWT: JWTExpired", HIGH),
        # Of the same, or of nothing.
        (50, "unknown message type", HIGH),
        (50, "sorry", HIGH),
    ],
)
def test_an_error_message_right_before_a_code_is_about_the_end_too(said_at, said, confidence):
    """Where both speak of different things, neither is certain."""
    rows = [*talk(44), (said_at, "<error", said), (50, closed_by_peer(4400))]
    found = diagnose(timeline(*rows, protocol=facts("GRAPHQL_TRANSPORT_WS")))

    assert (found.cause, found.confidence) == (Cause.PROTOCOL_ERROR, confidence)
    assert (Cause.AUTH_EXPIRED in found.alternatives) is (confidence is MEDIUM)


@pytest.mark.parametrize(
    ("protocol", "end", "words"),
    [
        ("ENGINEIO", [(50, closed_by_peer(1009))], "send smaller messages, or raise the server's limit"),
        (
            "GRAPHQL_TRANSPORT_WS", [(50, closed_by_peer(4409))],
            "close the old connection before the new one, or let the server drop the older of the two; see",
        ),
        ("STOMP", [(49, "<error", "too many requests"), (50, closed_by_peer(1002))], "send less often, or"),
        # What it asks for depends on who says it.
        ("STOMP", [(49, "<error", "bad token"), (50, closed_by_peer(1002))], "see what the message asks for"),
    ],
)  # fmt: skip
def test_a_code_and_a_message_are_told_with_what_to_change(protocol, end, words):
    """The same as behind a close reason that says the same, where there is one remedy."""
    found = diagnose(timeline(*talk(48), *end, protocol=facts(protocol)))

    assert found.remedy.startswith(words)

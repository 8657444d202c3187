"""The record of one connection at one end."""

import copy
import pickle

import pytest

from pytest_wsstability.core.timeline.close import CloseEvidence, CloseFrame, TransportEnd
from pytest_wsstability.core.timeline.events import Direction, End, EventKind, FrameKind, Opcode, Role, Tier
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.lags import LAGS
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from pytest_wsstability.core.timeline.timeline import DATA_CAPACITY, IRREGULAR, SIGNAL_CAPACITY, Timeline
from tests.core.script import FIN, FRAMES, RECEIVED, SENT, closed_by_peer, look, timeline

CLIENT, SERVER = End.CLIENT, End.SERVER
CLOSED = {"received": CloseFrame(1012), "sent": CloseFrame(1012), "received_first": True}
LINGERS = {"transport": TransportEnd.OPEN, **CLOSED}
AUDIO = [(number / 50, "<audio") for number in range(1, 3001)]


def test_counters_are_exact_past_the_capacity_of_the_ring():
    """A minute of audio is 3,000 frames; the ring holds 64 of them, the counters all."""
    line = timeline(*AUDIO, (60.01, ">text"), (60.02, ">ping"), (60.03, "<pong"))

    assert line.count(RECEIVED) == 3001
    assert line.count(RECEIVED, Opcode.BINARY) == 3000
    assert line.count(SENT, Opcode.TEXT, Opcode.PING) == 2
    assert line.count(SENT, Opcode.BINARY) == 0
    assert line.bytes(RECEIVED) == 3000 * 640 + 4
    assert line.bytes(RECEIVED, Opcode.BINARY) == 3000 * 640
    assert line.bytes(SENT) == 104
    # The opening, the frames, and nothing else.
    assert line.total == 3004
    assert len(line) == len(list(line)) == DATA_CAPACITY + 3


@pytest.mark.parametrize("what", ["<audio", "<text", "<rest"])
def test_data_frames_cannot_push_out_heartbeats(what):
    """Heartbeats are what explains an end, and stay on record however much is said after them."""
    line = timeline((25, ">beat"), (26, "<answer"), *((26 + n / 50, what) for n in range(1, 1001)))

    assert [event.role for event in line][:3] == [Role.NONE, Role.HEARTBEAT, Role.HEARTBEAT_ANSWER]
    assert len(line) == 3 + DATA_CAPACITY


def test_signals_have_a_ring_of_their_own():
    """The last 80 control frames, heartbeats and local events, oldest first, merged with the data."""
    line = timeline((0.5, "<audio"), *((float(n), "<ping") for n in range(1, 301)))

    assert len(line) == SIGNAL_CAPACITY + 1
    assert [event.at for event in line] == [0.5, *(float(n) for n in range(221, 301))]


@pytest.mark.parametrize(
    "rows",
    [
        ["<audio", "<ping", ">pong", "<audio", ">beat", "<text", FIN],
        [">beat", "<audio", ">info", "<audio", "<audio", FIN],
        ["<audio", FIN],
    ],
)
def test_events_of_one_instant_stay_in_their_order(rows):
    """A data frame is not told after the end of the transport that it came before."""
    line = timeline(*((60.0, row) for row in rows))

    sizes = [FRAMES[row[1:]][1] for row in rows if row is not FIN]
    assert [event.size for event in line][1:-1] == sizes
    assert [event.kind for event in line][-1] is EventKind.ENDED


def test_events_say_what_happened():
    """Kind, direction, opcode, size, role and duration come back as they were recorded."""
    line = timeline((1, ">info"), (2, "<audio"), (3, "lag", 0.25), (4, FIN))

    assert [
        (e.at, e.kind, e.direction, e.opcode, e.size, e.role, e.seconds) for e in line
    ] == [
        (0, EventKind.OPENED, Direction.LOCAL, Opcode.NONE, 0, Role.NONE, 0),
        (1, EventKind.FRAME, SENT, Opcode.TEXT, 42, Role.SESSION_INFO, 0),
        (2, EventKind.FRAME, RECEIVED, Opcode.BINARY, 640, Role.DATA, 0),
        (3, EventKind.LOOP_LAG, Direction.LOCAL, Opcode.NONE, 0, Role.NONE, 0.25),
        (4, EventKind.ENDED, Direction.LOCAL, Opcode.NONE, 0, Role.NONE, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({"direction": SENT, "role": Role.HEARTBEAT}, 50),
        ({"direction": RECEIVED, "role": Role.HEARTBEAT}, None),
        ({"direction": RECEIVED, "role": Role.HEARTBEAT_ANSWER}, 26),
        ({"direction": RECEIVED, "role": Role.NONE}, 30),
        ({"direction": RECEIVED, "opcode": Opcode.PING}, 30),
        ({"direction": SENT, "opcode": Opcode.PONG}, None),
        ({"direction": SENT, "opcode": Opcode.TEXT}, 50),
        ({"direction": RECEIVED, "opcode": Opcode.CONT}, None),
    ],
)
def test_last_frame_of_a_kind(asked, at):
    """When a frame of an opcode or of a role was last seen, by direction."""
    line = timeline((25, ">beat"), (26, "<answer"), (30, "<ping"), (50, ">beat"))

    assert line.last(**asked) == at


@pytest.mark.parametrize("asked", [{}, {"opcode": Opcode.TEXT, "role": Role.DATA}])
def test_last_wants_an_opcode_or_a_role(asked):
    """Both or neither would be a question without an answer."""
    with pytest.raises(ValueError, match=r"^last: give an opcode or a role, and not both$"):
        timeline().last(direction=SENT, **asked)


def test_between_has_its_start_and_not_its_end():
    """Half-open, so that neighbouring spans share no event."""
    line = timeline((1, "<text"), (2, "<ping"), (3, "<text"))

    assert [event.at for event in line.between(1, 3)] == [1, 2]


@pytest.mark.parametrize(
    ("rows", "until", "silence", "longest"),
    [
        ([], 30, 30, 0),
        ([(10, "<text"), (40, ">text")], 45, 5, 30),
        ([(10, "<text"), (60, FIN)], 90, 50, 10),
        # A close frame at 60 is the end, though the transport went later.
        ([(58, "<text"), (60, "<close"), (60, closed_by_peer(1000))], 90, 0, 58),
    ],
)
def test_silence_is_without_a_byte_either_way(rows, until, silence, longest):
    """The one that still runs, and the longest that is over."""
    line = timeline(*rows, until=until)

    assert (line.silence, line.longest_silence) == (silence, longest)


def test_paused_reading_is_added_up():
    """Each pause counts from its start; the one that still lasts is not in the sum."""
    line = timeline((10, "paused"), (14, "resumed"), (20, "paused"), until=30)

    assert (line.paused, line.paused_since, line.paused_total) == (True, 20, 4)
    line.mark(1031.0, EventKind.READING_RESUMED)
    assert (line.paused, line.paused_since, line.paused_total) == (False, None, 15)
    # Resumed twice is resumed once.
    line.mark(1032.0, EventKind.READING_RESUMED)
    assert line.paused_total == 15


def test_the_worst_lag_outlives_the_ring():
    """When our own loop was worst, and all the sleep of the machine."""
    line = timeline(
        (1, "lag", 0.5), (2, "lag", 4.0), (3, "lag", 1.0), (4, "slept", 30.0), (5, "slept", 28_800.0)
    )

    assert (line.max_lag, line.max_lag_at, line.suspended) == (4.0, 2, 28_830.0)
    assert [event.seconds for event in line][-1] == 28_800.0


def test_the_longest_lags_outlive_the_ring():
    """The shortest goes where there is one more, and one that is no longer than that is not taken."""
    rows = [(at, "lag", 20.0 - at) for at in range(1, LAGS + 1)]
    assert timeline(*rows).lags == [(at, 20.0 - at) for at in range(1, LAGS + 1)]

    line = timeline(*rows, (100, "lag", 4.0))
    assert line.lags == timeline(*rows).lags
    sealed = line.sealed()
    line.mark(1101.0, EventKind.LOOP_LAG, 4.001)
    assert line.lags == [*sealed.lags[:-1], (101.0, 4.001)]
    assert sealed.lags[-1] == (LAGS, 4.0)
    assert Timeline.from_dict(line.as_dict()).lags == line.lags
    # What a version before wrote has the worst of them.
    written = {name: value for name, value in line.as_dict().items() if name != "lags"}
    assert Timeline.from_dict(written).lags == [(1, 19.0)]


def test_what_a_report_of_the_same_schema_lacks_was_added_to_it():
    """A reader of properties that were added later takes them for what they are where nothing happened."""
    line = timeline((1, ">text"))
    written = line.as_dict()
    for name in (
        "session_resumes",
        "half_frame_last",
        "half_frame_pause",
        "unknown_ping_at",
        "unknown_pings",
    ):
        del written[name]

    assert Timeline.from_dict(written).as_dict() == line.as_dict()
    with pytest.raises(KeyError, match="session_info_at"):
        Timeline.from_dict({name: each for name, each in written.items() if name != "session_info_at"})


@pytest.mark.parametrize(
    ("rows", "received"), [([], 0), ([(1, "<text")], 0), ([(1, "<feed"), (2, "<feed")], 2)]
)
def test_messages_of_the_application_are_counted(rows, received):
    assert timeline(*rows).messages_received == received


def test_duration_ends_with_the_connection():
    """An open connection lasts to the last look, an ended one to its end, however long one looks at it."""
    line = timeline((10, "<text"), until=42)
    assert line.duration == 42

    ended = timeline((10, "<text"), (60, FIN), until=120)
    assert ended.duration == 60
    assert ended.opened == 1000.0


def test_a_connection_is_over_with_the_first_sign_of_its_end():
    """A close frame ends it; that TCP goes on for 9 s, and how it then ends, only adds to the evidence."""
    line = timeline((60, "<close"), (60, ">close"), (60, LINGERS), (64, "<text"), (69, "lag", 0.2))

    assert (line.close.at, line.duration, line.close.transport) == (60, 60, TransportEnd.OPEN)
    line.observe(1069)
    assert line.duration == 60
    assert EventKind.ENDED not in [event.kind for event in line]

    line.over(1069, CloseEvidence(end=End.CLIENT, at=69, transport=TransportEnd.RESET, **CLOSED))
    assert (line.close.at, line.duration, line.close.transport) == (60, 60, TransportEnd.RESET)
    assert [(event.at, event.kind) for event in line][-1] == (69, EventKind.ENDED)


def test_the_end_of_the_transport_is_the_last_word():
    """What is told after it changes nothing."""
    line = timeline((60, FIN), (60, closed_by_peer(1011)))

    assert (line.close.transport, line.close.received) == (TransportEnd.FIN, None)
    assert sum(event.kind is EventKind.ENDED for event in line) == 1


def test_a_sealed_record_does_not_grow():
    """Whatever happens later is not in it, and nothing is lost of what was."""
    rows = [
        (1, ">info"), (2, "<confirmed"), (3, "<audio"), (25, ">beat"), (26, "<answer"), (30, ">ping", b"1"),
        (30.5, "<pong", b"1"), (50, ">beat"), (51, "lag", 0.3), (52, "paused"),
    ]  # fmt: skip
    line = timeline(*rows, looks=[{"at": 40}])
    line.irregularity(1053, Flaw.UNEXPECTED, "hello")
    sealed, before = line.sealed(), line.as_dict()

    for at, what in ((54, "<answer"), (55, ">beat"), (56, "<audio"), (57, ">ping"), (58, "<pong")):
        line.frame(1000 + at, SENT if what[0] == ">" else RECEIVED, *FRAMES[what[1:]])
    line.mark(1059, EventKind.READING_RESUMED)
    line.kernel(1060, *look(at=60, unacked=3))
    line.irregularity(1061, Flaw.REPEATED, "again")
    line.over(1062, CloseEvidence(end=End.CLIENT, at=62, **FIN))

    assert sealed.as_dict() == before != line.as_dict()


def test_a_new_timeline_knows_nothing_yet():
    """Nothing was seen, nothing was late, nothing was thrown away."""
    line = Timeline(End.SERVER)

    assert (line.tier, line.opened, line.duration, line.close) == (Tier.REAL, 0.0, 0.0, None)
    assert (line.max_lag, line.max_lag_at, line.suspended, line.paused_total) == (0.0, 0.0, 0.0, 0.0)
    assert (line.silence, line.longest_silence, line.dropped_reads) == (0.0, 0.0, 0)
    assert (line.session_id, line.session_info_at, line.session_confirmed_at) == (None, None, None)
    assert (line.paused, line.deliberately_stalled, line.heartbeat_sender) == (False, False, None)
    assert line.last(direction=SENT, role=Role.DATA) is None
    assert [event.kind for event in line] == [EventKind.OPENED]


def test_first_session_steps_count():
    """A second session_info or confirmation does not make the session younger."""
    line = timeline((1, ">info"), (2, "<confirmed"), (3, ">info"), (4, "<confirmed"))

    assert (line.session_info_at, line.session_confirmed_at) == (1, 2)


@pytest.mark.parametrize(
    ("end", "asks", "confirms"), [(End.CLIENT, ">", "<"), (End.SERVER, "<", ">"), (End.PROXY, "<", ">")]
)
def test_a_session_step_counts_of_the_end_whose_it_is(end, asks, confirms):
    """A server that sends session_info asks for nothing, and a client's confirmation confirms nothing."""
    wrong = timeline((1, f"{confirms}info"), (2, f"{asks}confirmed"), end=end)
    right = timeline((1, f"{asks}info"), (2, f"{confirms}confirmed"), end=end)

    assert (wrong.session_info_at, wrong.session_confirmed_at) == (None, None)
    assert (right.session_info_at, right.session_confirmed_at) == (1, 2)


@pytest.mark.parametrize(
    ("rows", "sent", "answered", "sender"),
    [
        ([], 0, 0, None),
        ([(25, ">beat"), (25.1, "<answer")], 1, 1, SENT),
        ([(25, "<beat"), (25.1, ">answer")], 1, 1, RECEIVED),
        # An answer of this end cannot answer this end's own question.
        ([(25, ">beat"), (25.1, ">answer")], 1, 0, SENT),
        # An echo is no answer, and no heartbeat of ours.
        ([(25, ">beat"), (25.1, "<beat")], 1, 0, SENT),
        ([(1, "<answer")], 0, 0, None),
    ],
)
def test_heartbeats_have_one_sender(rows, sent, answered, sender):
    """Whoever sends the first heartbeat is asked for the rest; the other end answers."""
    line = timeline(*rows)

    assert (line.heartbeats.sent, line.heartbeats.answered, line.heartbeat_sender) == (sent, answered, sender)


OURS = ProtocolFacts(name="ours", title="Ours")
ONE_WAY = ProtocolFacts(name="one", title="One-way", heartbeat=HeartbeatShape.ONE_WAY)


@pytest.mark.parametrize(
    ("end", "protocol", "rows", "sent", "answered", "sender", "unknown"),
    [
        # The peer was first, in the words of the client's heartbeat, once and again.
        (CLIENT, OURS, [(2, "<beat"), (5, ">beat"), (5, "<answer")], 1, 1, SENT, (2, 1)),
        (CLIENT, OURS, [(2, "<beat"), (4, "<beat"), (5, ">beat")], 1, 0, SENT, (4, 2)),
        # It asks between those of this end.
        (CLIENT, OURS, [(5, ">beat"), (5, "<answer"), (6, "<beat"), (10, ">beat")], 2, 1, SENT, (6, 1)),
        # Where one of this end is open it may be an echo.
        (CLIENT, OURS, [(5, ">beat"), (6, "<beat")], 1, 0, SENT, (None, 0)),
        # The test answers by itself.
        (CLIENT, OURS, [(5, ">beat"), (5, "<answer"), (6, "<beat"), (6, ">answer")], 1, 1, SENT, (None, 0)),
        # To one that is one-way nothing is due.
        (CLIENT, ONE_WAY, [(2, "<beat"), (5, ">beat"), (7, "<beat")], 1, 0, SENT, (None, 0)),
        # This end alone is silent: the peer's are what there is.
        (CLIENT, OURS, [(2, "<beat"), (4, "<beat")], 2, 0, RECEIVED, (None, 0)),
        # At the server.
        (SERVER, OURS, [(2, ">beat"), (5, "<beat"), (5, ">answer")], 1, 1, RECEIVED, (None, 0)),
    ],
)  # fmt: skip
def test_heartbeats_are_those_of_the_end_that_sends_them_by_the_protocol(
    end, protocol, rows, sent, answered, sender, unknown
):
    """A ping of the other end that came first was all that counted: the answers of the server were none."""
    line = timeline(*rows, end=end, protocol=protocol)

    assert (line.heartbeats.sent, line.heartbeats.answered, line.heartbeat_sender) == (sent, answered, sender)
    assert (line.unknown_ping_at, line.unknown_pings) == unknown


def test_pings_of_this_end_are_paired_with_pongs():
    """By payload; pings of the peer are its own affair."""
    line = timeline((20, ">ping", b"1"), (20.5, "<pong", b"1"), (30, "<ping", b"x"), (30, ">pong", b"x"))

    assert (line.pings.sent, line.pings.answered, line.pings.rtts.maximum) == (1, 1, 0.5)
    assert line.heartbeats.sent == 0


def test_repr_names_end_age_and_state():
    """For a debugger: which end, how old, how many events, how it ended."""
    assert repr(timeline((10, "<text"), until=12.5)) == "<Timeline client, 12.500 s, 2 events, open>"
    assert repr(timeline((60, FIN), end=End.SERVER)) == "<Timeline server, 60.000 s, 2 events, 1006 at 60 s>"


@pytest.mark.parametrize("replica", [copy.deepcopy, lambda line: pickle.loads(pickle.dumps(line))])
def test_a_timeline_travels(replica):
    """To a report, or to another process."""
    line = timeline((25, ">beat"), (26, "<answer"), (60, FIN))
    other = replica(line)

    assert list(other) == list(line)
    assert other.heartbeats.rtts.maximum == 1
    assert other.close.transport is TransportEnd.FIN


def test_silences_are_exact_by_direction_and_kind():
    """However long the record is: the one that runs, and the longest before; close frames do not count."""
    rows = [(10, ">text"), (40, "<ping"), (40, ">pong"), (45, "<text"), (70, "<close"), (70, FIN)]
    line = timeline(*rows)

    assert [line.silent_for(way) for way in (SENT, RECEIVED)] == [30, 25]
    assert [line.longest_gap(way) for way in (SENT, RECEIVED)] == [30, 40]
    assert (line.silent_for(SENT, FrameKind.DATA), line.longest_gap(SENT, FrameKind.DATA)) == (60, 10)
    assert (line.silent_for(RECEIVED, FrameKind.PONG), line.longest_gap(RECEIVED, FrameKind.PONG)) == (70, 0)
    assert [line.silent_for(way, FrameKind.PING) for way in (SENT, RECEIVED)] == [70, 30]
    assert [line.silent_for(way, FrameKind.PONG) for way in (SENT, RECEIVED)] == [30, 70]
    assert line.longest_silence == 30


def test_a_silence_that_a_close_frame_ends_is_still_running():
    """What a close frame ends is what may have brought it about."""
    assert timeline((20, "<text"), (80, "<close"), (80, FIN)).longest_silence == 20


def test_a_pong_answers_the_ping_that_it_was_sent_for():
    """RFC 6455, section 5.5.3: an unsolicited pong, or one with another payload, answers nothing."""
    line = timeline((10, "<ping", b"a"), (11, ">pong", b""), (12, ">pong", b"b"), until=13)
    assert line.ping_answered_at is None

    for key in (b"a", None):
        answered = timeline((10, "<ping", b"a"), (11, ">pong", key), until=13)
        assert answered.ping_answered_at == 11


@pytest.mark.parametrize(
    ("beat", "answer", "open_since"),
    [(">beat", "<answer", 10), (">beat as ping", "<answer as pong", None), (">ping", "<pong", None)],
)
def test_only_a_pong_frame_answers_what_was_asked_before(beat, answer, open_since):
    """RFC 6455, section 5.5.3, is about ping frames: an id in a message answers its own heartbeat."""
    line = timeline((10, beat, b"1"), (15, beat, b"2"), (16, answer, b"2"), until=20)
    trips = line.pings if beat == ">ping" else line.heartbeats

    assert trips.oldest_pending == open_since
    assert trips.answered == (1 if open_since else 2)


@pytest.mark.parametrize(("cumulative", "open_since"), [(True, None), (False, 10)])
def test_a_protocol_may_have_cumulative_answers(cumulative, open_since):
    """An id in a message then answers those before it, too; in a record that was read back as well."""
    facts = ProtocolFacts(name="x", title="X", cumulative=cumulative)
    rows = [(10, ">beat", b"1"), (15, ">beat", b"2"), (16, "<answer", b"2")]
    line = timeline(*rows, until=20, protocol=facts)

    assert line.heartbeats.oldest_pending == open_since
    assert Timeline.from_dict(line.as_dict()).protocol == facts


def test_an_answer_that_is_one_of_many_messages_of_a_frame_answers_its_own_heartbeat():
    """The first message of the frame was another."""
    line = timeline((10, ">beat", b"1"), (15, ">beat", b"2"), (16, "<text"), until=20)
    line.further(1016, RECEIVED, Opcode.TEXT, Role.HEARTBEAT_ANSWER, b"2")

    assert (line.heartbeats.answered, line.heartbeats.oldest_pending) == (1, 10)


def test_what_has_not_left_is_counted_since_the_queue_was_empty():
    """The first look that found bytes, until one that found none."""
    line = timeline(until=1)
    for at, size in ((2, 0), (3, 5000), (4, 2000)):
        line.queued(1000 + at, size)
    assert (line.unsent, line.unsent_since) == (2000, 3)

    line.queued(1005, 0)
    assert (line.unsent, line.unsent_since) == (0, None)


def test_half_a_frame_is_there_since_its_first_byte():
    """More of the same frame changes nothing; the rest ends it."""
    line = timeline(until=1)
    for at in (3, 4, 7, 9):
        line.half_frame(1000 + at, True)
    assert (line.half_frame_since, line.half_frame_last, line.half_frame_pause) == (3, 9, 3)

    line.half_frame(1010, False)
    assert (line.half_frame_since, line.half_frame_last) == (None, None)


def test_ping_messages_of_another_protocol_are_counted_while_this_end_says_nothing():
    """Its own heartbeats are nothing to the peer."""
    line = timeline((1, ">text"), until=1)
    assert (line.unknown_ping_at, line.unknown_pings) == (None, 0)
    for at in (2, 3):
        line.unknown_ping(1000 + at)
    line.frame(1004, SENT, Opcode.TEXT, 9, Role.HEARTBEAT, b"")
    line.unknown_ping(1005)
    assert (line.unknown_ping_at, line.unknown_pings) == (5, 3)

    line.frame(1005, SENT, Opcode.TEXT, 9, Role.DATA, b"")
    line.unknown_ping(1006)
    assert (line.unknown_ping_at, line.unknown_pings) == (6, 1)


def test_half_a_frame_behind_the_rest_of_another_is_a_new_one():
    """It is there since these bytes, and has had no pause."""
    line = timeline(until=1)
    for at in (3, 7):
        line.half_frame(1000 + at, True)
    line.half_frame(1008, True, began=True)

    assert (line.half_frame_since, line.half_frame_last, line.half_frame_pause) == (8, 8, 0)


def test_the_proof_of_life_is_no_ping_of_the_statistics():
    """It is on record, with what came after it, and measures nothing."""
    line = timeline((1, ">ping", b"1"), (1.5, "<pong", b"1"), until=120)
    line.frame(1120, SENT, Opcode.PING, 8, Role.PROOF_OF_LIFE, b"p")
    line.ask_proof(1120)
    assert (line.proof_asked_at, line.proof_at) == (120, None)
    line.frame(1120.2, RECEIVED, Opcode.PONG, 8, Role.NONE, b"p")
    line.prove(1120.2)

    assert (line.proof_asked_at, line.proof_at) == (120, pytest.approx(120.2))
    assert (line.pings.sent, line.pings.answered, line.pings.rtts.maximum) == (1, 1, 0.5)
    assert [event.role for event in line if event.role][-1] is Role.PROOF_OF_LIFE

    line.forget_proof()
    assert (line.proof_asked_at, line.proof_at) == (None, None)


def test_messages_that_are_errors_are_kept():
    """The first ones, with their words."""
    line = timeline(until=10)
    for number in range(20):
        line.error_message(1001.0 + number, f"error {number}")

    assert line.errors[0] == (1, "error 0")
    assert len(line.errors) == 8
    assert Timeline.from_dict(line.as_dict()).errors == line.errors


def test_messages_that_refuse_the_session_are_kept():
    """The first ones; a report of an earlier version has none."""
    line = timeline(until=10)
    for number in range(20):
        line.refusal_message(1001.0 + number, f"refused {number}")
    written = line.as_dict()

    assert line.refusals[0] == (1, "refused 0")
    assert len(line.refusals) == 8
    assert Timeline.from_dict(written).refusals == line.refusals
    assert (
        Timeline.from_dict({name: each for name, each in written.items() if name != "refusals"}).refusals
        == ()
    )


def test_bytes_are_seen_to_leave_where_fewer_wait_than_before():
    """The instant of the last look that found fewer."""
    line = timeline(until=1)
    for at, size in ((2, 5000), (3, 5000), (4, 4000), (5, 4500)):
        line.queued(1000 + at, size)

    assert line.drained_at == 4


def test_what_an_end_throws_away_has_not_left():
    """A look after the end finds an empty queue, and says nothing."""
    line = timeline(until=1)
    line.queued(1002, 5000)
    line.over(1003, CloseEvidence(end=End.CLIENT, at=3, **LINGERS))
    line.queued(1004, 0)

    assert (line.unsent, line.unsent_since) == (5000, 2)


def test_when_the_last_frame_came():
    """Of any kind, and of none that this end sent."""
    assert timeline(until=9).heard_at == 0.0
    assert timeline((5, "<text"), (6, "<ping"), (7, ">text"), until=9).heard_at == 6.0


def test_what_happened_since_a_number():
    """All but data, for who has written what came before."""
    line = timeline((1, ">beat"), (2, "<answer"), (3, "<text"), (4, ">beat"), (5, "<close"), until=9)
    whole = list(line.signals_since(0))

    assert [at for at, *_ in whole] == [0, 1, 2, 4, 5]
    assert list(Timeline.from_dict(line.as_dict()).signals_since(0)) == whole
    assert list(line.signals_since(line.total - 1)) == whole[-1:]
    assert list(line.signals_since(line.total)) == []


@pytest.mark.parametrize("name", ["ESTABLISHED", ""])
def test_what_the_kernel_saw_is_read_back(name):
    """A state that it did not name stays without a name."""
    fields = {"unacked": 2, "retransmits": 3, "backoff": 1, "probes": 1, "last_ack_recv": 1.25}
    line = timeline(until=60, looks=[{"at": 59, "state": 1 if name else 0, **fields, "send_queue": 90}])
    back = Timeline.from_dict(line.as_dict())

    assert back.tcp == line.tcp
    assert back.tcp[0].state == name


def test_of_two_lags_as_long_the_first_is_told():
    """And when it was."""
    line = timeline((10, "lag", 2.0), (20, "lag", 2.0), (30, "lag", 1.0))

    assert (line.max_lag, line.max_lag_at) == (2.0, 10)


@pytest.mark.parametrize(("sizes", "drained"), [((9, 9), None), ((9, 8), 2), ((8, 9), None)])
def test_bytes_have_left_when_fewer_wait(sizes, drained):
    """As many are others, or none has gone."""
    line = timeline(*((at, "queued", size) for at, size in enumerate(sizes, 1)))

    assert line.drained_at == drained


def test_the_first_of_many_notices_are_kept():
    """As many as of messages that are wrong."""
    line = timeline(*((at, "<notice", f"{at}") for at in range(IRREGULAR + 1)), until=100)
    for at in range(IRREGULAR + 1):
        line.irregularity(1000 + at, Flaw.CONFIRMED_AGAIN, str(at))

    assert [text for _, text in line.notices] == [str(at) for at in range(IRREGULAR)]
    assert [each.detail for each in line.irregular] == [str(at) for at in range(IRREGULAR)]


def test_a_silence_of_less_than_a_second_is_told():
    """And one of nothing is none."""
    assert timeline((1, ">text"), until=1.25).silent_for(Direction.SENT) == 0.25
    assert timeline((1, ">text"), until=1).silent_for(Direction.SENT) == 0.0


def test_what_comes_after_the_end_leaves_no_silence_below_nothing():
    """A peer may go on to send until its own close frame has gone out."""
    line = timeline((10, ">close"))
    line.over(1010, CloseEvidence(end=End.CLIENT, at=10, transport=TransportEnd.OPEN))
    line.frame(1012, RECEIVED, Opcode.TEXT, 5, Role.DATA)

    assert (line.duration, line.heard_at, line.silent_for(RECEIVED)) == (10, 12, 0.0)


def test_a_close_frame_answers_no_ping():
    """It goes the same way as a pong."""
    assert timeline((1, "<ping"), (2, ">close")).ping_answered_at is None
    assert timeline((1, "<ping"), (2, ">pong")).ping_answered_at == 2

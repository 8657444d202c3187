"""Rows for connections that are still there: each limit of what they need."""

from __future__ import annotations

import pytest

from pytest_wsstability.core.cause import Confidence
from pytest_wsstability.core.diagnosis import Cause, diagnose
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_open import LAST
from pytest_wsstability.core.diagnosis.rows_open import ROWS as FIRST
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from tests.core.diagnosis.fitting import OPEN, fitting, read
from tests.core.script import FRAMES, SENT, timeline

ROWS = (*FIRST, *LAST)


def causes(*rows, **more):
    return fitting(ROWS, read(*rows, how=OPEN, **more))


@pytest.mark.parametrize(("since", "is_missing"), [(54.75, True), (55, False)])
def test_the_rest_of_a_frame_is_missing_after_five_seconds(since, is_missing):
    """Until then it is late."""
    line = timeline((1, ">text"), (1.1, "<text"), until=50)
    line.half_frame(1000 + since, True)
    line.observe(1060)

    assert fitting(ROWS, extract(line)) == (["HALF_FRAME"] if is_missing else [])


@pytest.mark.parametrize(
    ("look", "is_full"),
    [
        ({"send_queue": 65_536}, True),
        ({"send_queue": 65_535}, False),
        ({"probes": 1}, True),
        ({"probes": 0}, False),
        ({"probes": 1, "unacked": 1}, False),
    ],
)
def test_a_queue_of_64_kib_or_a_probe_shows_a_full_window(look, is_full):
    """Of a kernel that has everything acknowledged that it sent."""
    found = causes((1, ">text"), looks=[{"at": 60, **look}])

    assert ("BACKPRESSURE / PEER_FROZEN" in found) is is_full


@pytest.mark.parametrize(
    ("asked", "cause"), [([(50, ">beat")], "ZOMBIE"), ([(50, ">beat"), (50, ">ping")], "PEER_FROZEN")]
)
@pytest.mark.parametrize("heard", [None, "<hello", "<text", "<ping"])
def test_a_proxy_that_passes_no_frame_looks_like_a_server_that_knows_nothing(asked, cause, heard):
    """Its kernel acknowledges everything; one frame of the server shows that frames pass."""
    rows = [*([(1, heard)] if heard else []), *asked]
    found = diagnose(timeline(*rows, until=60, looks=[{"at": 60}]))

    assert found.cause.name == cause
    assert ("a proxy that passes the upgrade and no frames fits too" in found.sentence) is (heard is None)


@pytest.mark.parametrize(("heard", "rivals"), [(54.75, " / PEER_FROZEN"), (55, "")])
def test_a_peer_that_takes_nothing_and_was_not_heard_for_five_seconds_may_stand_still(heard, rivals):
    """Until then it is a reader that is slow."""
    found = causes((1, ">text"), (heard, "<text"), looks=[{"at": 60, "probes": 1}])

    assert found[0] == f"BACKPRESSURE{rivals}"


@pytest.mark.parametrize(
    ("queued", "size", "end", "is_stuck"),
    [
        (58.75, 65_536, 60, True),
        (58.75, 65_535, 60, False),
        (59, 70_000, 60, False),
        # From the first instant on.
        (0, 70_000, 1.5, True),
    ],
)
def test_bytes_are_stuck_when_none_left_for_a_second(queued, size, end, is_stuck):
    """Without a kernel that could be asked."""
    assert causes((0, ">text"), (queued, "queued", size), end=end) == (["BACKPRESSURE"] if is_stuck else [])


@pytest.mark.parametrize(("back", "is_echo"), [(5, True), (5.5, True), (6, False)])
def test_an_echo_comes_within_a_second(back, is_echo):
    """Whatever row comes behind it: a peer that is heard, or is not."""
    found = causes((5, ">beat"), (back, "<beat"), end=10)

    assert (found[0] == "ZOMBIE") is is_echo


BOTH = frozenset({End.CLIENT, End.SERVER})


@pytest.mark.parametrize(
    ("shape", "senders", "is_echo"),
    [
        (HeartbeatShape.ANSWERED, {End.CLIENT}, True),
        (HeartbeatShape.ANSWERED, BOTH, False),
        (HeartbeatShape.ONE_WAY, {End.CLIENT}, False),
    ],
)
def test_a_heartbeat_of_the_server_is_no_echo_of_the_clients(shape, senders, is_echo):
    """Nor is anything one where no answer is ever due."""
    protocol = ProtocolFacts(name="x", title="X", heartbeat=shape, heartbeats_from=frozenset(senders))
    found = causes((5, ">beat"), (5, "<beat"), end=10, protocol=protocol)

    assert ("ZOMBIE" in found) is is_echo


@pytest.mark.parametrize(("pinged", "is_zombie"), [(39, False), (41, True)])
def test_a_ping_that_was_answered_since_shows_who_is_there(pinged, is_zombie):
    """Its answer came after the heartbeat that was not answered."""
    found = causes((40, ">beat"), (pinged, ">ping", b"1"), (pinged + 0.5, "<pong", b"1"))

    assert (found[0] == "ZOMBIE") is is_zombie


@pytest.mark.parametrize(("pinged", "rivals"), [(39.75, " / HALF_OPEN PEER_NOT_READING"), (40, "")])
def test_a_ping_that_went_out_with_the_heartbeat_and_was_answered_shows_the_way_there(pinged, rivals):
    """That the peer is heard shows the way back only."""
    heard = [(at, "<text") for at in range(42, 60)]
    found = causes((40, ">beat"), (pinged, ">ping", b"1"), (pinged + 0.5, "<pong", b"1"), *heard)

    assert found[0] == f"ZOMBIE{rivals}"


@pytest.mark.parametrize(
    ("before", "is_known"),
    [
        ((), False),
        ([(1, "<text")], False),
        ([(1, ">beat"), (1.5, "<answer")], True),
        ([(0, ">info"), (0, "<confirmed")], True),
    ],
)
def test_a_server_that_never_answered_may_not_know_the_heartbeat(before, is_known):
    """Its answers, or its session, show that it speaks the profile."""
    pinged = [(41, ">ping", b"1"), (41.5, "<pong", b"1")]
    found = diagnose(timeline(*before, (40, ">beat"), *pinged, until=60))

    assert found.cause is Cause.ZOMBIE
    assert found.remedy.startswith(
        "look at the server's" if is_known else "see whether the profile's heartbeat"
    )


@pytest.mark.parametrize(("since", "is_before"), [(57.75, True), (58.75, True), (59, False)])
def test_half_a_frame_stands_before_the_answer_to_what_was_asked_then(since, is_before):
    """Two seconds ago: what comes behind it cannot be read, nor an answer that it is itself, for a second."""
    line = timeline((1, ">text"), (1.1, "<text"), (since, "<text"))
    line.half_frame(1000 + since, True)
    line.frame(1058, SENT, *FRAMES["beat"])
    line.observe(1060)

    assert ("HALF_FRAME" in [each.partition(" ")[0] for each in fitting(ROWS, extract(line))]) is is_before


@pytest.mark.parametrize(
    ("pieces", "asked", "first"),
    [
        # Bytes of one frame for more than a second, without a pause as long: it is large, and the link slow.
        ((58.75, 59.25), 57, "SLOW_ANSWERS"),
        ((59, 59.5), 57, "HALF_OPEN"),
        (range(30, 60), 29, "SLOW_ANSWERS"),
        (range(29, 60), 45, "SLOW_ANSWERS"),
        # Pauses, until now or between: what comes are answers, and their bytes are taken for the frame's.
        ((*range(30, 59), 58.75), 29, "HALF_FRAME"),
        ((*range(30, 59), 59.25), 29, "HALF_FRAME"),
        # Nothing was asked that could wait.
        (range(30, 60), None, "HALF_FRAME"),
    ],
)
def test_a_frame_that_still_arrives_holds_up_answers(pieces, asked, first):
    """What does not arrive any more, or in spurts, is half a frame."""
    beat = [(asked, ">beat")] if asked is not None else []
    line = timeline((1, ">text"), (1.1, "<text"), *beat)
    for at in pieces:
        line.half_frame(1000 + at, True)
    line.observe(1060)

    assert fitting(ROWS, extract(line))[0] == first


FEED, BEHIND = [(at, "<text") for at in (56, 57, 58, 59)], "SLOW_ANSWERS"


@pytest.mark.parametrize(
    ("rows", "pieces", "first"),
    [
        ([*FEED, (50, ">beat")], (59.5,), f"ZOMBIE / {BEHIND} HALF_OPEN PEER_NOT_READING"),
        ([*FEED, (50, ">beat")], (), "ZOMBIE / HALF_OPEN PEER_NOT_READING"),
        ([*FEED, (50, ">ping")], (59.5,), f"NO_PONGS / {BEHIND} HALF_OPEN"),
        ([*FEED, (50, ">beat"), (50, ">ping")], (59.5,), f"PEER_NOT_READING / {BEHIND} HALF_OPEN ZOMBIE"),
        ([*FEED, (50, ">beat"), (50, ">ping")], (), "PEER_NOT_READING / HALF_OPEN ZOMBIE"),
        # One message is no stream.
        ([FEED[-1], (50, ">beat")], (59.5,), "ZOMBIE / HALF_OPEN PEER_NOT_READING"),
    ],
)
def test_answers_may_wait_behind_a_stream_that_comes_in_pieces(rows, pieces, first):
    """A frame that is there in part shows that more is on its way."""
    line = timeline(*sorted(rows, key=lambda row: row[0]))
    for at in pieces:
        line.half_frame(1000 + at, True)
    line.observe(1060)

    assert fitting(ROWS, extract(line))[0] == first


OTHERWISE, SPEAKS = "ZOMBIE", "ZOMBIE / HALF_OPEN"
TICKS = [(at, "<text") for at in (1, 4)]


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        # In virtual time an answer has the instant of its question, and stands behind it.
        ([(20, ">beat"), (20, "<text")], OTHERWISE),
        ([(20, ">beat"), (20, "<audio")], OTHERWISE),
        ([(20, ">beat"), (20, "<half")], OTHERWISE),
        ([(20, "<text"), (20, ">beat")], "HALF_OPEN"),
        # In real time it comes a moment later; after a second, it is none.
        ([(20, ">beat"), (20.03125, "<text")], OTHERWISE),
        ([(20, ">beat"), (20.75, "<text")], OTHERWISE),
        ([(20, ">beat"), (21, "<text")], "ZOMBIE / HALF_OPEN PEER_NOT_READING"),
        # Behind each that is open.
        ([(20, ">beat"), (20, "<text"), (40, ">beat"), (40, "<text")], OTHERWISE),
        ([(20, ">beat"), (20, "<text"), (40, ">beat")], "HALF_OPEN"),
        # One with another id, and those before it that were answered.
        ([(20, ">beat", b"1"), (20, "<answer", b"9")], OTHERWISE),
        ([(10, ">beat", b"1"), (10, "<answer", b"1"), (20, ">beat", b"2"), (20, "<text")], OTHERWISE),
        # What was on its way: an answer takes a second here.
        ([(10, ">beat"), (11, "<answer"), (20, ">beat"), (20.25, "<text")], "HALF_OPEN"),
        ([(10, ">beat"), (11, "<answer"), (20, ">beat"), (20.5, "<text")], OTHERWISE),
        # Messages of its own accord, but for one, leave a doubt; and where they go on, they show a zombie.
        ([*TICKS[:1], (20, ">beat"), (20, "<text")], OTHERWISE),
        ([*TICKS, (20, ">beat"), (20, "<text")], SPEAKS),
        ([*TICKS, (20, ">beat"), (20, "<text"), (30, "<text")], "ZOMBIE / HALF_OPEN PEER_NOT_READING"),
        # An error says by itself what is wrong; and a ping frame is answered without a profile.
        ([(20, ">beat"), (20, "<error", "no such op")], "HALF_OPEN"),
        ([(20, ">beat as ping", b"1"), (20, "<text")], "HALF_OPEN / NO_PONGS"),
    ],
)
def test_a_message_right_behind_a_heartbeat_is_an_answer_that_is_not_known(rows, first):
    """What tells is its place in the record."""
    assert causes(*rows)[0] == first


@pytest.mark.parametrize(
    ("rows", "end", "is_told"),
    [
        ([(20, ">beat"), (20, "<text"), (40, ">beat")], 40, True),
        ([(20, ">beat"), (20, "<text"), (40, ">beat")], 40.75, True),
        ([(20, ">beat"), (20, "<text"), (40, ">beat")], 41, False),
        # An answer to another one is one that the profile knows.
        ([(20, ">beat", b"1"), (20, "<text"), (40, ">beat", b"2"), (40.5, "<answer", b"1")], 40.75, False),
        ([(20, ">beat"), (40, ">beat")], 40, False),
    ],
)
def test_a_heartbeat_that_went_out_just_now_has_nothing_behind_it_yet(rows, end, is_told):
    """Where one has until the next to be answered, that goes out as this is missed."""
    assert (causes(*rows, end=end)[:1] == [OTHERWISE]) is is_told


def test_what_came_behind_a_heartbeat_is_quoted():
    """With its kind and size, or as an answer to another id."""
    unknown = diagnose(timeline((20, ">beat"), (20, "<text"), until=25))
    other = diagnose(timeline((20, ">beat", b"1"), (20.5, "<answer", b"9"), until=25))

    assert unknown.headline == "no answer that the profile knows: a text message of 100 B"
    assert "a text message of 100 B came 0 s behind the heartbeat at 20 s" in map(str, unknown.evidence)
    assert "an answer of 15 B to another id came right behind the heartbeat at 20 s" in other.sentence


def test_an_error_in_the_place_of_an_answer_is_quoted_in_its_words():
    """It says what the profile has to send; of a message that tells no error, no word is shown."""
    said = '{\n  "janus": "error",\n  "error": {"reason": "Invalid element type (transaction)"}\n}'
    told, silent = (
        diagnose(timeline((20, ">beat"), (20, "<feed", text), until=25)) for text in (said, "balance: 1000")
    )

    line = 'the server\'s last message at 20 s: { "janus": "error", "error": {"reason": "Invalid element type'
    assert any(str(each).startswith(line) for each in told.evidence), told.evidence
    assert silent.sentence == told.sentence
    assert not any("balance" in str(each) for each in silent.evidence)


@pytest.mark.parametrize(("since", "is_it"), [(56, True), (56.25, False)])
def test_half_a_frame_may_be_the_answer_for_a_second_after_the_question(since, is_it):
    """Bytes that come one by one are no silence."""
    line = timeline((1, ">text"), (1.1, "<text"), (55, ">beat"))
    line.half_frame(1000 + since, True)
    line.observe(1060)

    assert ("HALF_FRAME" in fitting(ROWS, extract(line))) is is_it
    assert "no whole frame received for 58.9 s" in str(diagnose(line).evidence) or is_it


SKIPPED = "HEARTBEATS_SKIPPED"


@pytest.mark.parametrize(
    ("rows", "first"),
    [
        # One in three, by their ids; without those each answer may be a late one to the heartbeat before.
        (
            [
                (10, ">beat", b"1"),
                (15, ">beat", b"2"),
                (15, "<answer", b"2"),
                (20, ">beat", b"3"),
                (20, "<answer", b"3"),
            ],
            SKIPPED,
        ),
        (
            [(10, ">beat"), (15, ">beat"), (15, "<answer"), (20, ">beat"), (20, "<answer")],
            f"{SKIPPED} / SLOW_ANSWERS",
        ),
        # Not those before it, and none after it: it may have stopped there.
        ([(5, ">beat", b"1"), (5, "<answer", b"1"), (10, ">beat", b"2"), (15, ">beat", b"3")], "HALF_OPEN"),
    ],
)
def test_a_heartbeat_without_an_answer_between_others_was_passed_over(rows, first):
    """Neither does the application stand still, nor the process."""
    assert causes(*rows, end=26)[0] == first


def test_what_was_passed_over_is_named_with_those_that_were_not():
    """By their instants; and a slow answer is what it may be instead."""
    answered = [row for at in (15, 20, 25) for row in ((at, ">beat"), (at, "<answer"))]
    found = diagnose(timeline((10, ">beat"), *answered, until=26))
    one = diagnose(timeline((10, ">beat"), *answered[:2], until=26))

    assert "at 10 s, and answered those at 15 s and 20 s that went out after it" in found.sentence
    assert "at 10 s, and answered the one at 15 s that went out after it" in one.sentence
    assert found.runner_up is Cause.SLOW_ANSWERS
    assert found.confidence is Confidence.LOW
    assert found.experiment


HEARD = [(0, ">text"), (0, "<text")]


@pytest.mark.parametrize(
    ("rows", "fits"),
    [
        # A shell that nobody typed into (kubernetes-client/javascript 478, wstunnel 6): AWS's network load
        # balancers forget after 350 s, Azure's after 240 s.
        ([*HEARD, (240, ">beat")], True),
        ([*HEARD, (240, ">ping")], True),
        ([*HEARD, (239.9, ">beat")], False),
        ([(240, ">beat")], True),
        # A silence as long was survived, so nobody forgot it.
        ([*HEARD, (360, ">beat"), (360, "<answer"), (720, ">beat")], False),
        ([*HEARD, (360, ">text"), (360, "<text"), (700, ">beat")], False),
        ([(370, ">text"), (370, "<text"), (720, ">beat")], False),
        ([*HEARD, (300, ">beat"), (300, "<answer"), (700, ">beat")], True),
        # Something was said right before it.
        ([*HEARD, (300, ">text"), (310, ">beat")], False),
    ],
)
def test_what_forgets_the_silent_answers_nothing(rows, fits):
    """The first word after a silence that was longer than ever, and as long as somebody remembers."""
    found = diagnose(timeline(*rows, until=730))

    assert (Cause.NAT_EXPIRED in found.alternatives) is fits
    assert ("had forgotten the connection fits too" in found.sentence) is fits
    assert (found.cause, found.confidence) == (Cause.HALF_OPEN, Confidence.LOW)

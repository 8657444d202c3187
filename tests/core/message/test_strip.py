"""The last minute of each end, drawn to scale."""

from textwrap import dedent

import pytest

from pytest_wsstability.core.message.strip import WIDTH, axis, strips
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape, ProtocolFacts
from pytest_wsstability.core.timeline.timeline import Timeline
from tests.core.script import FIN, closed_by_peer, timeline

ONE_WAY = ProtocolFacts(name="one", title="One-way", heartbeat=HeartbeatShape.ONE_WAY)


def drawn(*lines):
    return "\n".join(strips(lines))


def test_the_last_minute_only():
    """What was before is left out; the axis says so."""
    expected = """
                    60 s           75 s           90 s           105 s          120 s
          client    ----------------------------------------=-------------------X
            beats                                           +
                    - silence   = bytes   X end   + answered
    """
    line = timeline((10, ">beat"), (100, ">beat"), (100.1, "<answer"), (120, FIN))

    assert dedent(drawn(line)) == dedent(expected).strip("\n")


def test_an_instant_without_room_is_left_out():
    """Instants of a day and hundredths of a second are wider than what lies between two of them."""
    assert axis(100_000.5, 100_000.55).split(" s")[:-1] == [
        f"{' ' * before}{at}" for before, at in ((12, "100000.5"), (2, "100000.51"), (1, "100000.52"),
                                                 (13, "100000.54"), (1, "100000.55"))
    ]  # fmt: skip


def test_ends_with_clocks_of_their_own_stand_below_each_other():
    """A server that opened half a second later saw the same ping half a second earlier on its own clock."""
    client = timeline((10, "<ping"), (10, ">pong"), (20, FIN), origin=1000.0)
    server = timeline((9.5, ">ping", b"1"), (9.5, "<pong", b"1"), (19.5, FIN), end=End.SERVER, origin=1000.5)

    rows = {line[:11].strip(): line[12:] for line in strips([client, server])}
    assert rows["client"].index("=") == rows["server"].index("=") == WIDTH // 2
    assert rows["client"].index("X") == rows["server"].index("X") == WIDTH


def test_frames_that_fell_out_of_the_record_are_not_silence():
    """A second of audio fills the ring: before it, nothing is known."""
    rows = [(at / 50, ">audio") for at in range(1, 1500)]

    lane = drawn(timeline(*rows, (30, FIN))).splitlines()[1]
    assert "-" not in lane
    assert ":" in lane


def test_what_this_end_did_wrong_has_signs():
    """Late loops, sleep, and reading that was paused."""
    rows = [(10, "paused"), (20, "resumed"), (30, "lag", 4.0), (40, "slept", 9.0), (60, FIN)]

    lane = drawn(timeline(*rows)).splitlines()[1][12:]
    assert lane == "-" * 10 + "~" * 10 + "-" * 10 + "L" + "-" * 9 + "Z" + "-" * 19 + "X"


def test_an_unanswered_question_covers_an_answered_one():
    """Where two share a column, the bad one is seen."""
    rows = [(59.1, ">beat"), (59.2, "<answer"), (59.4, ">beat"), (60, closed_by_peer(1011))]

    lanes = drawn(timeline(*rows)).splitlines()
    assert lanes[2].rstrip().endswith("!")
    assert "+" not in lanes[2]


def signs(line, lane="beats"):
    found = [row for row in strips([line]) if row.startswith(f"    {lane}")]
    return "".join(found[0].split()[1:]) if found else ""


@pytest.mark.parametrize(
    ("rows", "drawn"),
    [
        # Every third one is lost, and the answers to the others do not count for it.
        (
            [(5, ">beat", b"1"), (6, "<answer", b"1"), (10, ">beat", b"2"), (11, "<answer", b"2"),
             (15, ">beat", b"3"), (20, ">beat", b"4"), (21, "<answer", b"4")],
            "++!+",
        ),
        # An answer to another id, or a second one, is nobody's.
        ([(10, ">beat", b"1"), (11, "<answer", b"9"), (20, ">beat", b"2"), (21, "<answer", b"9")], "!!"),
        (
            [(10, ">beat", b"1"), (11, "<answer", b"1"), (20, ">beat", b"2"), (21, "<answer", b"1")],
            "+!",
        ),
        # Each comes behind the next question.
        (
            [(10, ">beat", b"1"), (20, ">beat", b"2"), (21, "<answer", b"1"), (30, ">beat", b"3"),
             (31, "<answer", b"2"), (32, "<answer", b"3")],
            "+++",
        ),
        # A pong frame answers the older pings too; a message does not.
        ([(10, ">beat as ping", b"1"), (20, ">beat as ping", b"2"), (21, "<answer as pong", b"2")], "++"),
        ([(10, ">beat", b"1"), (20, ">beat", b"2"), (21, "<answer", b"2")], "!+"),
        # The server asks.
        ([(10, "<beat", b"1"), (11, ">answer", b"1"), (20, "<beat", b"2")], "+!"),
    ],
)  # fmt: skip
def test_heartbeats_are_drawn_as_they_are_counted(rows, drawn):
    """As many are drawn as answered as the record has, also when it is read back."""
    line = timeline(*rows, until=40)

    assert signs(line) == drawn
    assert line.heartbeats.answered == drawn.count("+")
    assert len(line.heartbeats.open) == drawn.count("!")
    assert signs(Timeline.from_dict(line.as_dict())) == drawn


def test_pings_are_drawn_as_they_are_counted():
    """A pong answers the older ones, and one with a payload of its own answers none."""
    line = timeline((10, ">ping", b"1"), (20, ">ping", b"2"), (21, "<pong", b"2"), (30, ">ping", b"3"),
                    (31, "<pong", b"?"), until=40)  # fmt: skip

    assert signs(line, "pings") == "++!"


def test_what_was_asked_after_the_end_is_not_answered():
    """It is on record, and counts for nothing."""
    line = timeline(
        (10, ">beat"), (11, "<answer"), (20, closed_by_peer(1001)), (20.5, ">beat"), (20.5, "<answer")
    )

    assert signs(line) == "+!"
    assert line.heartbeats.sent == 1


def test_heartbeats_that_nobody_answers_are_seen():
    """Where no answer is ever due, none is missing."""
    line = timeline((10, ">beat"), (20, ">beat"), until=40, protocol=ONE_WAY)

    assert signs(line) == "oo"


def test_a_connection_without_a_second_is_not_drawn():
    """There is nothing to scale."""
    assert strips([timeline((0, FIN))]) == []

"""Failures in words: whole messages, as people see them."""

from textwrap import dedent

import pytest

from pytest_wsstability.core.close import CloseFrame, TransportEnd
from pytest_wsstability.core.events import Direction, End, Event, Kind, Opcode, Role
from pytest_wsstability.core.message import event_line, explain
from pytest_wsstability.core.requirement import ExpectedClose, Requirement
from tests.core.script import FIN, PLANNED, closed_by_peer, timeline

DEADLINE = {"transport": TransportEnd.ABORTED, "local_reason": "read deadline of 60 s ran out"}

# The story: the page sends JSON pings and the server resets its deadline in its pong handler only.
MUTE_CLIENT = timeline(
    (0.01, "<hello"), (0.01, ">info"), (0.02, "<confirmed"), (25, ">beat"), (25.01, "<answer"),
    (30, "<ping"), (50, ">beat"), (50.01, "<answer"), (60, FIN),
)  # fmt: skip
ITS_SERVER = timeline(
    (0, ">hello"), (0.01, "<info"), (0.01, ">confirmed"), (25, "<beat"), (25, ">answer"), (30, ">ping"),
    (50, "<beat"), (50, ">answer"), (60, "deadline"), (60, DEADLINE),
    end=End.SERVER,
)  # fmt: skip


def message(written, *lines, whole=False):
    requirement = Requirement.of(**written)
    return explain(requirement, requirement.check(lines[0]), lines, whole=whole)


def shows(written, *lines, expected, **how):
    assert message(written, *lines, **how) == dedent(expected).strip("\n")


def test_the_story():
    """A client that answers no ping frames dies at 60 s, and the server's record says why."""
    shows(
        {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s", "session_within": "5s"},
        MUTE_CLIENT,
        ITS_SERVER,
        expected="""
        the client end lost its connection: 1006 at 60 s of 120 s: no close frame received or sent; FIN
          expected  alive for 120 s
          observed  1006 at 60 s: no close frame received or sent; FIN
          server    no close frame received or sent; aborted by this end; server: read deadline of 60 s ran out
          client timeline (last 6 of 10 events)
               +25.000 s > text 15 B (heartbeat)
               +25.010 s < text 15 B (heartbeat answer)
               +30.000 s < ping 4 B
               +50.000 s > text 15 B (heartbeat)
               +50.010 s < text 15 B (heartbeat answer)
               +60.000 s = transport ended
          server timeline (last 6 of 11 events)
               +25.000 s > text 15 B (heartbeat answer)
               +30.000 s > ping 4 B
               +50.000 s < text 15 B (heartbeat)
               +50.000 s > text 15 B (heartbeat answer)
               +60.000 s = read deadline ran out
               +60.000 s = transport ended
          hint      1 ping of the server was not answered by this client: answer ping frames with pong frames
          covered   60 s in virtual time; nothing is known beyond
        """,  # noqa: E501
    )


def test_the_story_from_the_server():
    """The server judges its own record, with the client's beside it."""
    shows(
        {"no_abnormal_closure": True},
        ITS_SERVER,
        MUTE_CLIENT,
        expected="""
        1006 at 60 s: no close frame received or sent; aborted by this end; server: read deadline of 60 s ran out [server end]
          expected  no abnormal closure
          observed  no close frame received or sent; aborted by this end; server: read deadline of 60 s ran out
          client    no close frame received or sent; FIN
          server timeline (last 6 of 11 events)
               +25.000 s > text 15 B (heartbeat answer)
               +30.000 s > ping 4 B
               +50.000 s < text 15 B (heartbeat)
               +50.000 s > text 15 B (heartbeat answer)
               +60.000 s = read deadline ran out
               +60.000 s = transport ended
          client timeline (last 6 of 10 events)
               +25.000 s > text 15 B (heartbeat)
               +25.010 s < text 15 B (heartbeat answer)
               +30.000 s < ping 4 B
               +50.000 s > text 15 B (heartbeat)
               +50.010 s < text 15 B (heartbeat answer)
               +60.000 s = transport ended
          hint      1 ping of the server was not answered by this client: answer ping frames with pong frames
          covered   60 s in virtual time; nothing is known beyond
        """,  # noqa: E501
    )


def test_an_end_with_a_close_frame():
    """The close frame speaks for itself, and the knob for planned ends is shown."""
    shows(
        {"alive_for": "2m"},
        timeline((30, "<text"), (60, "<close"), (60, ">close"), (60, closed_by_peer(1001, "deploy"))),
        expected="""
        the client end lost its connection: 1001 at 60 s of 120 s: received 1001 (going away) deploy; then sent 1001 (going away) deploy; FIN
          expected  alive for 120 s
          observed  1001 at 60 s: received 1001 (going away) deploy; then sent 1001 (going away) deploy; FIN
          client timeline (last 5 of 5 events)
                +0.000 s = opening handshake ended
               +30.000 s < text 100 B
               +60.000 s < close 2 B
               +60.000 s > close 2 B
               +60.000 s = transport ended
          hint      if this end is planned: allow_close=1001
          covered   60 s in virtual time; nothing is known beyond
        """,  # noqa: E501
    )


def test_more_than_one_broken_promise():
    """Each promise stands beside what was seen of it."""
    shows(
        {"heartbeat_within": "5s", "session_within": "5s"},
        timeline((1, "<hello"), (1, ">info"), (25, ">beat"), until=40),
        expected="""
        session not confirmed within 5 s: session_info sent at 1 s, never confirmed [client end]
          expected  session confirmed within 5 s
          observed  session_info sent at 1 s, never confirmed
          expected  every heartbeat answered within 5 s
          observed  1 of 1 missed (sent at 25 s: no answer)
          client timeline (last 4 of 4 events)
                +0.000 s = opening handshake ended
                +1.000 s < text 33 B (greeting)
                +1.000 s > text 42 B (session info)
               +25.000 s > text 15 B (heartbeat)
          covered   40 s in virtual time; nothing is known beyond
        """,
    )


def test_trouble_of_our_own():
    """An inconclusive verdict says what is in doubt, and what to change here."""
    shows(
        {"alive_for": "2m"},
        timeline((50, "paused"), (56, "lag", 4.0), (57, "slept", 30.0), (60, FIN)),
        expected="""
        inconclusive: the test's own event loop stood still for 4 s; the machine slept for 30 s; reading was paused, because messages were not taken with recv(): pings and closes behind them were not seen in time [client end]
          expected  alive for 120 s
          observed  1006 at 60 s: no close frame received or sent; FIN
          in doubt  the test's own event loop stood still for 4 s
          in doubt  the machine slept for 30 s
          in doubt  reading was paused, because messages were not taken with recv(): pings and closes behind them were not seen in time
          client timeline (last 5 of 5 events)
                +0.000 s = opening handshake ended
               +50.000 s = reading paused
               +56.000 s = own event loop 4 s late
               +57.000 s = machine slept 30 s
               +60.000 s = transport ended
          hint      run blocking calls in a thread (asyncio.to_thread), or the test on a quieter machine
          hint      take messages with recv(), or pass inbox=0 to throw them away
          covered   50 s in virtual time; nothing is known beyond
        """,  # noqa: E501
    )


AUDIO = [(30 + number / 50, ("<audio", ">audio")[number % 2]) for number in range(1500)]


def test_audio_does_not_hide_the_heartbeats():
    """Data frames in a row are one line."""
    shows(
        {"alive_for": "2m"},
        timeline((25, ">beat"), (25.01, "<answer"), *AUDIO, (60, FIN)),
        expected="""
        the client end lost its connection: 1006 at 60 s of 120 s: no close frame received or sent; FIN
          expected  alive for 120 s
          observed  1006 at 60 s: no close frame received or sent; FIN
          client timeline (last 68 of 1504 events)
                +0.000 s = opening handshake ended
               +25.000 s > text 15 B (heartbeat)
               +25.010 s < text 15 B (heartbeat answer)
               +58.720 s . 64 data frames, 40960 B, until +59.980 s
               +60.000 s = transport ended
          covered   60 s in virtual time; nothing is known beyond
        """,
    )


def test_the_whole_record_on_request():
    """Every event on its own line."""
    lines = message({"alive_for": "2m"}, timeline(*AUDIO, (60, FIN)), whole=True).splitlines()

    assert "  client timeline (last 66 of 1502 events)" in lines
    assert "       +59.980 s > binary 640 B" in lines
    assert len(lines) == 3 + 1 + 66 + 1


NO_PONG = "1 ping of the server was not answered by this client: answer ping frames with pong frames"
NO_PONGS = "2 pings of the server were not answered by this client: answer ping frames with pong frames"
SILENT = (
    "no byte either way for the last 60 s: an idle timeout fits, which more frequent heartbeats prevent; "
    "so does a maximum age, which they do not"
)


@pytest.mark.parametrize(
    ("rows", "hints"),
    [
        ([(30, "<ping"), (60, FIN)], [NO_PONG]),
        ([(20, "<ping"), (40, "<ping"), (60, FIN)], [NO_PONGS]),
        ([(30, "<ping"), (30, ">pong"), (50, "<text"), (60, FIN)], []),
        # A server's last ping may come with its FIN.
        ([(30, "<ping"), (30, ">pong"), (60, "<ping"), (60, FIN)], []),
        ([(30, "<ping"), (30, ">pong"), (58.5, "<ping"), (60, FIN)], [NO_PONG]),
        # A moment without a byte is nobody's timer.
        ([(0.9, FIN)], []),
        ([(1.5, FIN)], [SILENT.replace("60 s", "1.5 s")]),
        ([(60, FIN)], [SILENT]),
        ([(50, "<text"), (110, FIN)], [SILENT]),
        # A longer silence was survived before, so this one killed nothing.
        ([(45, "<text"), (60, FIN)], []),
        ([(60, closed_by_peer(1011, "oops"))], ["if this end is planned: allow_close=1011"]),
        ([(60, PLANNED)], []),
    ],
)
def test_hints_follow_from_the_record(rows, hints):
    """What to change is said where the facts alone say it, and else not."""
    lines = message({"alive_for": "2m"}, timeline(*rows)).splitlines()

    assert [line[12:] for line in lines if line.startswith("  hint")] == hints


def test_a_stall_on_purpose_is_not_told_to_read():
    """The hint for a full inbox would contradict what the test asked for."""
    line = timeline((0.5, "paused"), until=120)
    line.deliberately_stalled = True

    assert "hint" not in message({"alive_for": 120}, line)


def test_messages_stay_short_and_keep_secrets():
    """However long or hostile the texts of others are, a message is lines of known length, and no token."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    reason = f"ws://joe:hunter2@host/ws?access_token=s3cret\x1b[2J\n {token} {'x' * 500}"
    end = {
        "transport": TransportEnd.FAILED,
        "error": reason,
        "parser_error": reason,
        "local_reason": reason,
        "received": CloseFrame(1008, reason),
    }
    beats = [(at / 100, ">beat") for at in range(1, 1000)]
    line = timeline(*beats, (60, end))
    text = message(
        {"alive_for": "2m", "heartbeat_within": 5, "closed": ExpectedClose(reason=reason)},
        line,
        timeline((60, end), end=End.SERVER),
    )

    for secret in ("hunter2", "s3cret", token, "\x1b"):
        assert secret not in text
    assert max(map(len, text.splitlines())) < 1500
    assert len(text.splitlines()) < 30


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Event(0, Kind.OPENED), "    +0.000 s = opening handshake ended"),
        (Event(1, Kind.FRAME, Direction.SENT, Opcode.CONT, 5, Role.DATA), "    +1.000 s > continuation 5 B"),
        (Event(9, Kind.FRAME, Direction.RECEIVED, Opcode.PONG, 0, Role.NONE), "    +9.000 s < pong 0 B"),
        (
            Event(86400.5, Kind.FRAME, Direction.RECEIVED, Opcode.TEXT, 9, Role.SESSION_CONFIRMED),
            "+86400.500 s < text 9 B (session confirmed)",
        ),
        (Event(1, Kind.LOOP_LAG, seconds=0.25), "    +1.000 s = own event loop 250 ms late"),
        (Event(1, Kind.READING_RESUMED), "    +1.000 s = reading resumed"),
    ],
)
def test_one_event_in_one_line(event, line):
    """When, which way, what."""
    assert event_line(event) == line


def test_stable_needs_few_words():
    """A kept promise can be shown as well, with what it covers."""
    assert message({"alive_for": 60}, timeline((30, "<text"), until=60)).splitlines() == [
        "stable",
        "  client timeline (last 2 of 2 events)",
        "        +0.000 s = opening handshake ended",
        "       +30.000 s < text 100 B",
        "  covered   60 s in virtual time; nothing is known beyond",
    ]

"""Failures in words: whole messages, as people see them."""

from textwrap import dedent

import pytest

from pytest_wsstability.core.diagnosis import diagnosed
from pytest_wsstability.core.judge.requirement import ExpectedClose, Requirement
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.message import event_line, explain
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import (
    DeadlineTraffic,
    Direction,
    End,
    Event,
    EventKind,
    Opcode,
    Role,
)
from tests.core.script import FIN, closed_by_peer, timeline

DEADLINE = {
    "transport": TransportEnd.ABORTED,
    "local_reason": LocalReason.READ_DEADLINE,
    "local_detail": "read deadline of 60 s ran out",
    "deadline": 60.0,
    "reset_by": (DeadlineTraffic.PONG,),
}

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
    return explain(diagnosed(judge(requirement, lines[0]), lines), lines, whole=whole)


def shows(written, *lines, expected, **how):
    assert message(written, *lines, **how) == dedent(expected).strip("\n")


def test_the_story():
    """A client that answers no ping frames dies at 60 s, and the server's record says why."""
    shows(
        {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s", "session_within": "5s"},
        MUTE_CLIENT,
        ITS_SERVER,
        expected="""
        pongs withheld, pong-only read deadline 60 s (1006 at 60 s of 120 s) [client end]
          expected  alive for 120 s
          observed  1006 at 60 s: no close frame received or sent; FIN
          server    no close frame received or sent; aborted by this end; server: read deadline of 60 s ran out
                    0 s            15 s           30 s           45 s           60 s
          client    =------------------------=----=-------------------=---------X
            beats                            +                        +
            pings                                 !
          server    =------------------------=----=-------------------=---------X
            beats                            +                        +
            pings                                 !
                    - silence   = bytes   X end   + answered   ! not answered
          likely    the client withheld pongs; the server's 60 s read deadline, reset only by pongs, closed it (confidence high, blame client)
          evidence  1 ping came, 0 answered by the client; the one at 30 s was not
          evidence  2 of 2 heartbeats answered
          evidence  server: read deadline of 60 s ran out
          not       an idle timeout: 24.98 s of silence was survived before, the last was 9.99 s
          not       a frozen server: it answered heartbeats until 50 s
          fix       answer ping frames with pong frames in the client; or reset the deadline in the server's read loop too, so that heartbeats count (gorilla: SetReadDeadline after each read)
          covered   60 s in virtual time
          read on   wsstability explain ping-unanswered
        """,  # noqa: E501
    )


def test_the_story_from_the_server():
    """The server judges its own record, with the client's beside it."""
    shows(
        {"no_abnormal_closure": True},
        ITS_SERVER,
        MUTE_CLIENT,
        expected="""
        pongs withheld, pong-only read deadline 60 s (1006 at 60 s) [server end]
          expected  no abnormal closure
          observed  no close frame received or sent; aborted by this end; server: read deadline of 60 s ran out
          client    no close frame received or sent; FIN
                    0 s            15 s           30 s           45 s           60 s
          server    =------------------------=----=-------------------=---------X
            beats                            +                        +
            pings                                 !
          client    =------------------------=----=-------------------=---------X
            beats                            +                        +
            pings                                 !
                    - silence   = bytes   X end   + answered   ! not answered
          likely    the client withheld pongs; the server's 60 s read deadline, reset only by pongs, closed it (confidence high, blame client)
          evidence  1 ping came, 0 answered by the client; the one at 30 s was not
          evidence  2 of 2 heartbeats answered
          evidence  server: read deadline of 60 s ran out
          fix       answer ping frames with pong frames in the client; or reset the deadline in the server's read loop too, so that heartbeats count (gorilla: SetReadDeadline after each read)
          covered   60 s in virtual time
          read on   wsstability explain ping-unanswered
        """,  # noqa: E501
    )


def test_an_end_with_a_close_frame():
    """The close frame speaks for itself, and the knob for planned ends is shown."""
    shows(
        {"alive_for": "2m"},
        timeline((30, "<text"), (60, "<close"), (60, ">close"), (60, closed_by_peer(1001, "deploy"))),
        expected="""
        the server restarts or shuts down (1001 at 60 s of 120 s) [client end]
          expected  alive for 120 s
          observed  1001 at 60 s: received 1001 (going away) deploy; then sent 1001 (going away) deploy; FIN
                    0 s            15 s           30 s           45 s           60 s
          client    ------------------------------=-----------------------------X
                    - silence   = bytes   X end
          likely    the server restarts or shuts down: 1001 (going away) deploy; its words may mean something else (confidence medium, blame server)
          evidence  received 1001 (going away) deploy; then sent 1001 (going away) deploy; FIN
          not       a keepalive of the server: no ping of it was seen
          runner-up a close of the other end on purpose; to tell: hold three connections of other ages (or run wsstability probe): a restart ends all at one instant
          fix       drain before a restart, and reconnect with jitter
          planned?  allow_close=1001 allows this end
          covered   60 s in virtual time
          read on   wsstability explain restart
        """,  # noqa: E501
    )


def test_more_than_one_broken_promise():
    """Each promise stands beside what was seen of it."""
    shows(
        {"heartbeat_within": "5s", "session_within": "5s"},
        timeline((1, "<hello"), (1, ">info"), (25, ">beat"), until=40),
        expected="""
        session_info sent at 1 s, and no answer (session not confirmed within 5 s) [client end]
          expected  session confirmed within 5 s
          observed  session_info sent at 1 s, never confirmed
          expected  every heartbeat answered within 5 s
          observed  1 of 1 missed (sent at 25 s: no answer)
                    0 s            10 s           20 s           30 s           40 s
          client    -=-----------------------------------=----------------------
            beats                                        !
                    - silence   = bytes   ! not answered
          likely    the session was not confirmed: session_info sent at 1 s, and no answer; nothing at all was heard since, so a dead path or a process that stands still fits too (confidence medium, blame server)
          evidence  session_info sent at 1 s, and no answer
          evidence  0 of 1 heartbeats answered; the one at 25 s was not
          evidence  last message received: 33 B at 1 s
          runner-up a dead path (half-open); to tell: send ping frames beside the heartbeats: a dead path answers none
          fix       see whether the profile's session is one of the server's protocol (--ws-profile; frames has none); if it is, why the server does not confirm it
          covered   40 s in virtual time
          read on   wsstability explain session-not-confirmed
        """,  # noqa: E501
    )


def test_trouble_of_our_own():
    """An inconclusive verdict says what is in doubt, and what to change here."""
    shows(
        {"alive_for": "2m"},
        timeline((50, "paused"), (56, "lag", 4.0), (57, "slept", 30.0), (60, FIN)),
        expected="""
        inconclusive: the machine slept for 30 s [client end]
          expected  alive for 120 s
          observed  1006 at 60 s: no close frame received or sent; FIN
          in doubt  the machine slept for 30 s
          in doubt  reading was paused, because messages were not taken with recv(): pings and closes behind them were not seen in time
                    0 s            15 s           30 s           45 s           60 s
          client    --------------------------------------------------~~~~~~LZ~~X
                    - silence   ~ reading paused   L loop lag   Z asleep   X end
          likely    the machine slept for 30 s: the result says nothing about the server (confidence high, blame harness)
          evidence  no close frame received or sent; FIN
          evidence  the machine slept for 30 s
          not       a keepalive of the server: no ping of it was seen
          runner-up the test's own event loop stood still; to tell: look at the system's log: a sleep stands in it
          fix       run the test on a machine that does not sleep
          covered   50 s in virtual time
          read on   wsstability explain machine-slept
        """,  # noqa: E501
    )


SESSION = [(0.01, "<hello"), (0.01, ">info"), (0.02, "<confirmed")]
AUDIO = [(30 + number / 50, ("<audio", ">audio")[number % 2]) for number in range(1500)]


def test_audio_does_not_hide_the_heartbeats():
    """What fell out of the record is not drawn as silence."""
    shows(
        {"alive_for": "2m"},
        timeline((25, ">beat"), (25.01, "<answer"), *AUDIO, (60, FIN)),
        expected="""
        pong-only read deadline 60 s, and no pings (1006 at 60 s of 120 s) [client end]
          expected  alive for 120 s
          observed  1006 at 60 s: no close frame received or sent; FIN
                    0 s            15 s           30 s           45 s           60 s
          client    :::::::::::::::::::::::::=::::::::::::::::::::::::::::::::==X
            beats                            +
                    = bytes   : not on record any more   X end   + answered
          likely    a read deadline of 60 s that only pongs reset: traffic flowed to the end, and no ping came that asks for a pong; one connection cannot tell it from a crash or a restart at that instant (confidence medium, blame server)
          evidence  no ping of the server arrived at the client
          evidence  last byte either way 20 ms before the end (at 59.98 s); the longest silence before was 25 s
          evidence  no close frame received or sent; FIN
          not       an idle timeout: 25 s of silence was survived before, the last was 20 ms
          not       a keepalive of the server: no ping of it was seen
          runner-up a restart or a deployment; to tell: hold three connections of other ages (or run wsstability probe): a restart ends all at one instant
          fix       let the server send pings before its deadline, and reset it on whatever it reads (gorilla: SetReadDeadline in the read loop)
          covered   60 s in virtual time
          read on   wsstability explain pong-deadline
        """,  # noqa: E501
    )


def test_an_undetermined_end():
    """The nearest causes, and what speaks against others."""
    shows(
        {"alive_for": "2m"},
        timeline((25, ">beat"), (25.01, "<answer"), (40, "<text"), (47.3, FIN)),
        expected="""
        cut by no known timer: crash or restart? (1006 at 47.3 s of 120 s) [client end]
          expected  alive for 120 s
          observed  1006 at 47.3 s: no close frame received or sent; FIN
                    0 s         10 s         20 s         30 s        40 s
          client    -------------------------------=------------------=---------X
            beats                                  +
                    - silence   = bytes   X end   + answered
          likely    the connection was cut at 47.3 s, 7.3 s after the last byte, and no known timer is as long: a crash, a kill or a restart fits, and so does a limit that nobody else shows (confidence low, blame server)
          nearest   a dead path or a frozen server: nothing came for 7.3 s
          nearest   a read deadline that only pongs reset of 60 s (gorilla/websocket's chat example): the time without a pong was 47.3 s, 21 % off
          evidence  no close frame received or sent; FIN
          evidence  last byte either way 7.3 s before the end (at 40 s); the longest silence before was 25 s; nothing sent for 22.3 s
          evidence  no ping of the server arrived at the client
          not       an idle timeout: 25 s of silence was survived before, the last was 7.3 s
          not       a keepalive of the server: no ping of it was seen
          runner-up a maximum age; to tell: hold three connections of other ages (or run wsstability probe): a restart ends all at one instant
          fix       see the server's log and its process at that instant; a server that is told to stop should close with 1001 or 1012
          covered   47.3 s in virtual time
          read on   wsstability explain restart
        """,  # noqa: E501
    )


def test_a_message_stays_below_25_lines():
    """However many ends, promises and facts there are; with -vv everything is told."""
    beats = [row for at in range(1, 50) for row in ((at, ">beat"), (at + 0.1, "<ping"), (at + 0.1, ">pong"))]
    rows = [*SESSION, *beats, (50, "<text"), (60, FIN)]
    ends = [timeline(*rows, end=end) for end in (End.CLIENT, End.SERVER, End.PROXY)]
    written = {"alive_for": "2m", "heartbeat_within": "5s", "no_abnormal_closure": True, "pings_within": 1}

    assert len(message(written, *ends).splitlines()) <= 25
    assert len(message(written, *ends, whole=True).splitlines()) > 250


def test_an_open_connection_without_answers():
    """What is drawn ends where the judge looked last, and shows which question stayed open."""
    shows(
        {"heartbeat_within": "5s"},
        timeline(
            *SESSION, (25, ">beat"), (25.01, "<answer"), (30, "<ping"), (30, ">pong"), (50, ">beat"), until=55
        ),
        expected="""
        no answer, and nothing else was due: dead path? (1 of 2 heartbeats not answered within 5 s) [client end]
          expected  every heartbeat answered within 5 s
          observed  1 of 2 missed (sent at 50 s: no answer)
                    0 s             15 s            30 s             45 s
          client    =--------------------------=----=---------------------=-----
            beats                              +                          !
            pings                                   +
                    - silence   = bytes   + answered   ! not answered
          likely    the heartbeat at 50 s was not answered, and nothing else was due since: a dead path (half-open), a process that stands still, or a dead application fit (confidence low, blame path)
          evidence  1 of 2 heartbeats answered; the one at 50 s was not
          evidence  last byte either way 5 s ago (at 50 s); the longest silence before was 24.98 s; nothing received for 25 s; no message received for 29.99 s
          evidence  the kernel's view of the connection (TCP_INFO) was not seen here: virtual time has no TCP
          runner-up an application that does nothing behind a connection that lives; to tell: send ping frames beside the heartbeats: a zombie answers them, a dead path does not
          fix       send ping frames beside the heartbeats, or allow one missed heartbeat, to learn more
          covered   55 s in virtual time
          read on   wsstability explain half-open
        """,  # noqa: E501
    )


def test_paused_slept_and_lagging():
    """Trouble of the test process has signs of its own."""
    shows(
        {"alive_for": "2m"},
        timeline((10, "paused"), (29.5, "resumed"), (30, "<close"), (30, closed_by_peer(1011, "oops"))),
        expected="""
        inconclusive: messages were not taken, so reading was paused [client end]
          expected  alive for 120 s
          observed  1011 at 30 s: received 1011 (internal error) oops; then sent 1011 (internal error) oops; FIN
          in doubt  reading was paused, because messages were not taken with recv(): pings and closes behind them were not seen in time
                    0 s                 10 s                20 s                30 s
          client    --------------------~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~-X
                    - silence   ~ reading paused   X end
          likely    the test did not take its messages, so reading was paused, and pings behind them were not answered: the result says nothing about the server (confidence high, blame harness)
          evidence  received 1011 (internal error) oops; then sent 1011 (internal error) oops; FIN
          evidence  reading paused for 19.5 s
          runner-up pings that were not answered with pongs; to tell: run it again on a quiet machine, messages taken at once: what stays is the client's
          fix       take messages with recv(), or pass inbox=0 to throw them away
          covered   10 s in virtual time
          read on   wsstability explain harness-not-reading
        """,  # noqa: E501
    )


def test_the_whole_record_on_request():
    """Every event on its own line, below the message."""
    lines = message({"alive_for": "2m"}, timeline(*AUDIO, (60, FIN)), whole=True).splitlines()

    assert "  client timeline (last 66 of 1502 events)" in lines
    assert "       +59.980 s > binary 640 B" in lines
    assert len(lines[lines.index("  client timeline (last 66 of 1502 events)") :]) == 1 + 66


@pytest.mark.parametrize(
    ("rows", "knob"),
    [
        ([(60, closed_by_peer(1011, "oops"))], ["allow_close=1011 allows this end"]),
        ([(60, FIN)], []),
    ],
)
def test_the_knob_for_planned_ends(rows, knob):
    """An end with a code can be allowed; one without cannot."""
    lines = message({"alive_for": "2m"}, timeline(*rows)).splitlines()

    assert [line[12:] for line in lines if line.startswith("  planned?")] == knob


def test_a_stall_on_purpose_is_not_told_to_read():
    """The hint for a full inbox would contradict what the test asked for."""
    line = timeline((0.5, "paused"), until=120)
    line.deliberately_stalled = True

    assert "recv()" not in message({"alive_for": 120}, line).partition("fix")[2]


def test_messages_stay_short_and_keep_secrets():
    """However long or hostile the texts of others are, a message is lines of known length, and no token."""
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
    reason = f"ws://joe:hunter2@host/ws?access_token=s3cret\x1b[2J\n {token} {'x' * 500}"
    end = {
        "transport": TransportEnd.FAILED,
        "error": reason,
        "parser_error": reason,
        "local_detail": reason,
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
        (Event(0, EventKind.OPENED), "    +0.000 s = opening handshake ended"),
        (
            Event(1, EventKind.FRAME, Direction.SENT, Opcode.CONT, 5, Role.DATA),
            "    +1.000 s > continuation 5 B",
        ),
        (Event(9, EventKind.FRAME, Direction.RECEIVED, Opcode.PONG, 0, Role.NONE), "    +9.000 s < pong 0 B"),
        (
            Event(86400.5, EventKind.FRAME, Direction.RECEIVED, Opcode.TEXT, 9, Role.SESSION_CONFIRMED),
            "+86400.500 s < text 9 B (session confirmed)",
        ),
        (Event(1, EventKind.LOOP_LAG, seconds=0.25), "    +1.000 s = own event loop 250 ms late"),
        (Event(1, EventKind.READING_RESUMED), "    +1.000 s = reading resumed"),
    ],
)
def test_one_event_in_one_line(event, line):
    """When, which way, what."""
    assert event_line(event) == line


def test_stable_needs_few_words():
    """A kept promise can be shown as well, with what it covers."""
    assert message({"alive_for": 60}, timeline((30, "<text"), until=60)).splitlines() == [
        "stable",
        "  covered   60 s in virtual time",
    ]

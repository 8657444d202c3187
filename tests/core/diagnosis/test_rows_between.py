"""Ends that neither end brought about, by the records of both."""

from __future__ import annotations

import pytest

from pytest_wsstability import diagnose
from pytest_wsstability.core.assertions import judge
from pytest_wsstability.core.cause import Blame, Cause, Confidence
from pytest_wsstability.core.diagnosis.both import ended_between, session_lost
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.rows_between import ASKED
from pytest_wsstability.core.judge.requirement import Requirement
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import End
from pytest_wsstability.core.timeline.protocol_facts import Awaited, ProtocolFacts, ProtocolTimer
from tests.core.diagnosis.fitting import fitting
from tests.core.script import FIN, PLANNED, RST, closed_by_peer, timeline

LEFT = {"transport": TransportEnd.FIN, "sent": CloseFrame(1000), "received": CloseFrame(1000)}


def ends(here, there, *, rows=(), more=()):
    """A client's record and its server's."""
    client = timeline(*rows, (47.3, here))
    return client, timeline(*more, (47.3, there), end=End.SERVER)


@pytest.mark.parametrize(
    ("here", "there", "fits"),
    [
        (FIN, FIN, True),
        (RST, FIN, True),
        (closed_by_peer(1001), closed_by_peer(1001), True),
        # The server cut it, or says why it did.
        (FIN, {"transport": TransportEnd.ABORTED}, False),
        (FIN, {**FIN, "local_reason": LocalReason.RESTART}, False),
        (closed_by_peer(1000), {**LEFT, "received_first": False}, False),
        # Nobody was heard any more, which nobody need have done.
        (FIN, {"transport": TransportEnd.TIMED_OUT}, False),
    ],
)
def test_what_both_ends_were_told_of_came_from_between_them(here, there, fits):
    client, server = ends(here, there)

    assert ended_between(extract(client, [server])) is ended_between(extract(server, [client])) is fits
    assert not ended_between(extract(client))


@pytest.mark.parametrize(
    ("rows", "alone", "both"),
    [
        # A handler that crashes on a message leaves another record.
        ([(20, ">text"), (47.29, ">text")], Cause.HANDLER_ERROR, Cause.RESTART),
        # A limit on messages is a server's.
        ([(20, ">text"), (47.29, ">audio")], Cause.MESSAGE_TOO_BIG, Cause.RESTART),
        # Nor does a server enforce pongs by a FIN that it receives.
        ([(20, "<ping"), (40, "<ping"), (47.2, ">text")], Cause.PING_UNANSWERED, Cause.RESTART),
        ([(20, ">text"), (40, "<text"), (46.1, ">beat"), (46.1, "<answer")], Cause.RESTART, Cause.RESTART),
    ],
)
def test_an_end_that_is_cleared_by_its_record_is_not_to_blame(rows, alone, both):
    client, server = ends(FIN, FIN, rows=rows)
    told = diagnose(client, [server])

    assert diagnose(client).cause is alone
    assert (told.cause, told.blame) == (both, Blame.PATH)
    assert told.sentence.startswith("neither end ended it, by their own records; ")
    assert told.remedy.startswith("see the log of what stands between")


def test_a_timer_of_what_stands_between_is_told_as_before():
    client, server = ends(FIN, FIN, rows=[(1, ">text"), (2.3, "<text")])

    assert diagnose(client, [server]).cause is diagnose(client).cause is Cause.IDLE_TIMEOUT


@pytest.mark.parametrize(
    ("code", "reason", "cause", "confidence"),
    [
        (1001, "", Cause.RESTART, Confidence.MEDIUM),
        (1012, "", Cause.RESTART, Confidence.MEDIUM),
        (1000, "", Cause.RESTART, Confidence.LOW),
        # Words say more, and so do codes of whoever refuses a message.
        (1001, "idle timeout", Cause.IDLE_TIMEOUT, None),
        (1009, "", Cause.MESSAGE_TOO_BIG, None),
        (1002, "", Cause.PROTOCOL_ERROR, None),
    ],
)
def test_a_close_frame_that_neither_end_has_sent(code, reason, cause, confidence):
    """Caddy sends one each way when it is reloaded; "the client went away" would be wrong at the server."""
    client, server = ends(closed_by_peer(code, reason), closed_by_peer(code, reason))

    for told in (diagnose(client, [server]), diagnose(server, [client])):
        assert told.cause is cause
        assert confidence is None or (told.confidence, told.blame) == (confidence, Blame.PATH)
    assert diagnose(client, [server]).runner_up is not None


@pytest.mark.parametrize(
    ("rows", "at", "confidence", "other"),
    [
        ([(10, ">text"), (40, "<text")], 100, Confidence.LOW, Cause.IDLE_TIMEOUT),
        ([(30, ">text"), (40, "<text"), (61.3, ">text")], 61.3, Confidence.MEDIUM, Cause.MAX_AGE),
        ([*((each, ">text") for each in range(1, 600, 7))], 600, Confidence.LOW, Cause.MAX_AGE),
    ],
)
def test_a_close_frame_that_neither_end_has_sent_may_come_of_a_timer(rows, at, confidence, other):
    end = closed_by_peer(1001)
    client, server = timeline(*rows, (at, end)), timeline((at, end), end=End.SERVER)
    told = diagnose(client, [server])

    assert (told.cause, told.confidence, told.runner_up) == (Cause.RESTART, confidence, other)


def test_a_timer_of_a_client_that_was_cut_off_has_ended_nothing():
    """Engine.IO's clients leave when no heartbeat comes; this one did not."""
    timer = ProtocolTimer(
        name="the client's timeout", by=End.CLIENT, awaits=Awaited.MESSAGE, seconds=25.0, remedy="see it"
    )
    facts = ProtocolFacts(name="p", title="P", timers=(timer,))
    there = timeline((22.3, ">text"), (30, "<text"), (47.3, FIN), end=End.SERVER, protocol=facts)
    here = timeline((22.3, "<text"), (30, ">text"), (47.3, FIN), protocol=facts)

    assert "the client's timeout" in diagnose(there).sentence
    assert "the client's timeout" not in diagnose(there, [here]).sentence
    assert diagnose(there, [here]).blame is Blame.PATH


@pytest.mark.parametrize(
    ("sent", "until", "blame"),
    [
        # The server has sent what came, and the frame whose rest is missing.
        ([(10, ">text"), (40, ">text")], 50, Blame.PATH),
        ([(10, ">text")], 50, Blame.SERVER),
    ],
)
def test_half_a_frame_that_was_sent_whole_is_held_up_on_the_way(sent, until, blame):
    here = timeline((10, "<text"), (39, ">beat"), until=until)
    here.half_frame(1040, True)
    told = diagnose(here, [timeline(*sent, until=until, end=End.SERVER)])

    assert (told.cause, told.blame) == (Cause.HALF_FRAME, blame)


def test_a_frame_that_still_arrives_is_slow():
    here = timeline((39, ">beat"), until=42)
    for at in (40, 40.75, 41.5):
        here.half_frame(1000 + at, True)

    assert diagnose(here, [timeline((40, ">text"), until=42, end=End.SERVER)]).cause is Cause.SLOW_ANSWERS


# The client's two heartbeats at 10 s and 40 s, of which the first is answered.
BEATS = [(10, ">beat"), (10.1, "<answer"), (40, ">beat")]
GOT = [(10, "<beat"), (10, ">answer")]


@pytest.mark.parametrize(
    ("rows", "more", "cause", "blame"),
    [
        # It came, and no answer left; it did not come; the answer did not come back.
        (BEATS, [*GOT, (40, "<beat")], Cause.ZOMBIE, Blame.SERVER),
        (BEATS, GOT, Cause.HALF_OPEN, Blame.PATH),
        (BEATS, [*GOT, (40, "<beat"), (40, ">answer")], Cause.HALF_OPEN, Blame.PATH),
        # Of two that are open only the first need have come.
        ([*BEATS, (49, ">beat")], [*GOT, (40, "<beat")], Cause.ZOMBIE, Blame.SERVER),
        ([*BEATS, (49, ">beat")], GOT, Cause.HALF_OPEN, Blame.PATH),
    ],
)
def test_the_server_record_tells_whether_a_heartbeat_came(rows, more, cause, blame):
    """Nor need anybody guess whether the path is dead."""
    here = timeline(*rows, until=55)
    told = diagnose(here, [timeline(*more, until=55, end=End.SERVER)])

    assert (told.cause, told.blame, told.confidence) == (cause, blame, Confidence.MEDIUM)
    assert diagnose(here).confidence is Confidence.LOW


# Ping frames by which a client asks: of its library at 20 s and 40 s, its heartbeats at 25 s and 50 s.
PINGS = [
    (20, ">ping", b"1"), (20, "<pong", b"1"), (25, ">beat as ping", b"2"), (25, "<answer as pong", b"2"),
    (40, ">ping", b"3"), (50, ">beat as ping", b"4"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("came", "answered", "told"),
    [
        ([20, 25, 40, 50], [20, 25], ["ZOMBIE / NO_PONGS"]),
        ([20, 25, 40], [20, 25], ["HALF_OPEN / CONTROL_FRAMES_LOST"]),
        ([20, 25, 40, 50], [20, 25, 50], ["HALF_OPEN / CONTROL_FRAMES_LOST"]),
    ],
)
def test_heartbeats_that_are_ping_frames_are_counted_with_all_pings(came, answered, told):
    """A server cannot tell them apart; one that withholds pongs leaves no path to blame."""
    rows = [*((at, "<beat as ping") for at in came), *((at, ">answer as pong") for at in answered)]
    there = timeline(*sorted(rows, key=lambda row: row[0]), until=65, end=End.SERVER)

    assert fitting(ASKED, extract(timeline(*PINGS, until=65), [there])) == told


@pytest.mark.parametrize(("until", "told"), [(49.9, ["HALF_OPEN / PATH_STALLED"]), (50.1, ["HALF_OPEN"])])
def test_within_ten_seconds_what_is_lost_may_be_late(until, told):
    """As what goes through a slow path is."""
    there = timeline(*GOT, until=until, end=End.SERVER)

    assert fitting(ASKED, extract(timeline(*BEATS, until=until), [there])) == told


def test_a_client_that_left_afterwards_leaves_the_records_as_they_are():
    """Its close has ended both, long after the heartbeat was due."""
    here = timeline(*BEATS, (60, PLANNED))
    there = timeline(*GOT, (40, "<beat"), (60, closed_by_peer(1000)), end=End.SERVER)
    verdict = judge(Requirement.of(heartbeat_within="5s"), here)

    assert fitting(ASKED, extract(here, [there], verdict=verdict)) == ["ZOMBIE"]


@pytest.mark.parametrize("way", ["paused", "stalled", "ended"])
def test_a_server_that_reads_nothing_does_not_show_that_the_path_is_dead(way):
    """What came may wait unread."""
    rows = {"paused": [(20, "paused")], "stalled": [], "ended": [(45, FIN)]}[way]
    there = timeline(*GOT, *rows, until=None if way == "ended" else 55, end=End.SERVER)
    there.deliberately_stalled = way == "stalled"
    here = timeline(*BEATS, until=55)

    assert fitting(ASKED, extract(here, [there])) == []


LATE = [(10, ">beat"), (16, "<answer"), (30, ">beat"), (36, "<answer")]
SOON = [(13, "<beat"), (13, ">answer"), (33, "<beat"), (33, ">answer")]
NEVER_LATE = Requirement.of(heartbeat_within=1)


def blamed(here, there, requirement):
    """Who is to blame for a broken promise, by the records of both ends."""
    found = diagnose(here, [there], verdict=judge(requirement, here))
    return found.cause, found.blame


@pytest.mark.parametrize(
    ("server", "cause", "blame"),
    [
        (SOON, Cause.SLOW_ANSWERS, Blame.PATH),
        # It took half of the time, or more than that.
        ([(13, "<beat"), (16, ">answer"), (33, "<beat"), (36, ">answer")], Cause.SLOW_ANSWERS, Blame.PATH),
        (
            [(13, "<beat"), (16.5, ">answer"), (33, "<beat"), (36, ">answer")],
            Cause.SLOW_ANSWERS,
            Blame.SERVER,
        ),
        # What stood still, or did not read, has seen the question late.
        ([(12, "paused"), (13, "resumed"), *SOON], Cause.SLOW_ANSWERS, Blame.SERVER),
        ([(10, "frozen"), (13, "thawed"), *SOON], Cause.SLOW_ANSWERS, Blame.SERVER),
        ([*SOON[:2], (20, "lag", 3), *SOON[2:]], Cause.SLOW_ANSWERS, Blame.PATH),
        ([*SOON[:2], (20, "lag", 3.5), *SOON[2:]], Cause.SLOW_ANSWERS, Blame.SERVER),
        # One that knows no heartbeats has not told when it answered.
        ([(13, "<text"), (13, ">text"), (33, "<text"), (33, ">text")], Cause.SLOW_ANSWERS, Blame.SERVER),
    ],
)
def test_answers_that_a_server_gave_soon_are_late_by_the_path(server, cause, blame):
    here, there = timeline(*LATE, until=60), timeline(*server, until=60, end=End.SERVER)

    assert blamed(here, there, NEVER_LATE) == (cause, blame)
    assert diagnose(here, verdict=judge(NEVER_LATE, here)).blame is Blame.SERVER


def test_late_answers_that_came_at_once_and_were_given_soon_tell_of_a_path_that_stood_still():
    rows = [(10, ">beat"), (12, ">beat"), (15, "<answer"), (15, "<answer")]
    server = [(10, "<beat"), (10, ">answer"), (12, "<beat"), (12, ">answer")]
    here, there = timeline(*rows, until=60), timeline(*server, until=60, end=End.SERVER)

    assert blamed(here, there, NEVER_LATE) == (Cause.PATH_STALLED, Blame.PATH)


@pytest.mark.parametrize(
    ("server", "blame"), [(SOON, Blame.PATH), ([(10, "<beat"), (16, ">answer"), *SOON[2:]], Blame.SERVER)]
)
def test_an_answer_that_is_due_behind_late_ones_is_of_who_was_late(server, blame):
    here = timeline(*LATE, (50, ">beat"), (59, "<text"), until=60)
    there = timeline(*server, (53, "<beat"), (58, ">text"), until=60, end=End.SERVER)

    assert blamed(here, there, Requirement.of(heartbeat_within=4)) == (Cause.SLOW_ANSWERS, blame)


@pytest.mark.parametrize(
    ("server", "cause", "blame", "confidence"),
    [
        # It has not come; the confirmation left, and has not come back.
        ([], Cause.HALF_OPEN, Blame.PATH, Confidence.LOW),
        ([(3, "<info"), (3, ">confirmed")], Cause.HALF_OPEN, Blame.PATH, Confidence.LOW),
        # It has come, so that no path is in doubt, though nothing was heard.
        ([(3, "<info")], Cause.SESSION_NOT_CONFIRMED, Blame.SERVER, Confidence.HIGH),
        # A message that this server does not know.
        ([(3, "<text")], Cause.SESSION_NOT_CONFIRMED, Blame.SERVER, Confidence.HIGH),
        # What it has not read may have come.
        ([(0, "paused")], Cause.SESSION_NOT_CONFIRMED, Blame.SERVER, Confidence.MEDIUM),
    ],
)
def test_the_server_record_tells_whether_a_session_was_asked_for(server, cause, blame, confidence):
    here, there = timeline((0, ">info"), until=5), timeline(*server, until=5, end=End.SERVER)
    found = diagnose(here, [there], verdict=judge(Requirement.of(session_within=4), here))

    assert (found.cause, found.blame, found.confidence) == (cause, blame, confidence)


@pytest.mark.parametrize(("waited", "confidence"), [(9.75, Confidence.LOW), (10, Confidence.MEDIUM)])
def test_what_asks_for_a_session_and_is_late_for_ten_seconds_is_lost(waited, confidence):
    here, there = timeline((1, ">info"), until=1 + waited), timeline(until=1 + waited, end=End.SERVER)
    found = diagnose(here, [there], verdict=judge(Requirement.of(session_within=4), here))

    assert (found.cause, found.confidence) == (Cause.HALF_OPEN, confidence)


@pytest.mark.parametrize("ended", ["client", "server", ""])
def test_a_session_is_lost_where_both_ends_are_still_there(ended):
    """An end tells more, and both stand before it in the table."""
    rows, more = ([(45, FIN)] if ended == each else [] for each in ("client", "server"))
    here = timeline((0, ">info"), *rows, until=None if rows else 50)
    there = timeline(*more, until=None if more else 50, end=End.SERVER)

    assert session_lost(extract(here, [there])) is (ended == "")


@pytest.mark.parametrize(("confirmed", "blame"), [(3, Blame.PATH), (6, Blame.PATH), (6.25, Blame.SERVER)])
def test_a_session_that_was_confirmed_soon_and_came_late_is_late_by_the_path(confirmed, blame):
    """Half of the time is soon."""
    here = timeline((0, ">info"), (6, "<confirmed"), until=10)
    there = timeline((3, "<info"), (confirmed, ">confirmed"), until=10, end=End.SERVER)

    assert blamed(here, there, Requirement.of(session_within=1)) == (Cause.SLOW_ANSWERS, blame)

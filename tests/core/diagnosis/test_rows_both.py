"""Rows for ends that are known from both sides, each with its neighbours."""

from __future__ import annotations

import pytest

from pytest_wsstability import diagnose
from pytest_wsstability.core.cause import Blame, Cause
from pytest_wsstability.core.diagnosis.extract import extract
from pytest_wsstability.core.diagnosis.protocol import AWAITED
from pytest_wsstability.core.diagnosis.rows_both import ROWS
from pytest_wsstability.core.diagnosis.signature import Blamed
from pytest_wsstability.core.timeline.close import CloseFrame, LocalReason, TransportEnd
from pytest_wsstability.core.timeline.events import DeadlineTraffic, End
from pytest_wsstability.core.timeline.protocol_facts import Awaited, ProtocolFacts
from tests.core.diagnosis.fitting import fitting, read
from tests.core.script import FIN, closed_by_peer, timeline

FACTS = ProtocolFacts(name="p", title="P")
PONGS_ONLY = {"deadline": 60.0, "reset_by": (DeadlineTraffic.PONG,)}


def ended_here(**facts):
    """An end that this end brought about, with a close frame of its own."""
    return {"transport": TransportEnd.FIN, "sent": CloseFrame(4000), "received_first": False, **facts}


def timed_out(what, *, reason=LocalReason.PROTOCOL_TIMER, protocol=FACTS):
    """A server's record that says which timer ran out."""
    how = ended_here(local_reason=reason, awaited=what)
    return read((1, "<beat"), how=how, line_end=End.SERVER, protocol=protocol)


@pytest.mark.parametrize("what", Awaited)
def test_a_server_that_says_which_timer_ran_out_is_believed(what):
    assert fitting(ROWS, timed_out(what)) == [AWAITED[what].name]


def test_only_a_timer_of_a_protocol_is_told_as_one():
    assert fitting(ROWS, timed_out(Awaited.ANSWER, reason=LocalReason.RESTART)) == []
    assert fitting(ROWS, timed_out(Awaited.ANSWER, protocol=None)) == []
    assert fitting(ROWS, read((1, "<beat"), how=FIN, line_end=End.SERVER, protocol=FACTS)) == []


def test_whom_to_look_at_when_a_timer_ran_out():
    """The client for what it did not send; the server for a maximum age."""
    told = {
        what: next((row.blame, row.runner_up) for row in ROWS if row.when(timed_out(what)))
        for what in Awaited
    }

    assert told.pop(Awaited.AGE) == (Blamed.SERVER, Cause.PLANNED_ROTATION)
    assert set(told.values()) == {(Blamed.CLIENT, Cause.HALF_OPEN)}


@pytest.mark.parametrize(("at", "told"), [(55.0, True), (54.99, False)])
def test_a_goodbye_explains_the_end_right_after_it(at, told):
    """For five seconds, at both ends; a client that knows nothing of its server's record has no such word."""
    there = timeline((at, "<goodbye"), (60, closed_by_peer(1005)), end=End.SERVER, protocol=FACTS)
    here = timeline((60.01, FIN), protocol=FACTS)

    assert fitting(ROWS, extract(there, [here])) == ["CLOSED_BY_PEER"] * told
    assert fitting(ROWS, extract(here, [there])) == ["CLOSED_HERE"] * told
    assert fitting(ROWS, extract(here)) == []


def test_a_server_that_ends_after_a_goodbye_did_not_do_so_by_itself():
    """Its record says why."""
    how = ended_here(local_reason=LocalReason.GOODBYE, sent=CloseFrame(1000))
    (there,) = [timeline((59, "<goodbye"), (60, how), end=End.SERVER, protocol=FACTS)]

    assert diagnose(there).headline == "the client said goodbye"
    assert diagnose(there).blame is Blame.CLIENT


@pytest.mark.parametrize(
    ("reason", "at_client", "at_server"),
    [
        (LocalReason.RESTART, ["RESTART"], []),
        (LocalReason.HANDLER_RETURNED, ["CLOSED_BY_PEER"], []),
        (LocalReason.HANDLER_RAISED, ["HANDLER_ERROR"], ["HANDLER_ERROR"]),
    ],
)
def test_what_a_server_did_is_told_from_the_client_s_record(reason, at_client, at_server):
    """Of its own record a server that restarts, or returns, has nothing to explain."""
    there = timeline((60, ended_here(local_reason=reason)), end=End.SERVER)
    here = timeline((60.01, FIN))

    assert fitting(ROWS, extract(here, [there])) == at_client
    assert fitting(ROWS, extract(there, [here])) == at_server


def pinged(*at_client, ponged=(), heard=(), kinds=(DeadlineTraffic.PONG,)):
    """A server that pinged twice and whose deadline pongs reset, and what its client saw of it."""
    rows = [(at, ">ping", b"%d" % at) for at in (20, 40)] + [(at, "<beat") for at in heard]
    rows += [(at, "<pong", b"%d" % at) for at in ponged]
    ended = (100, ended_here(deadline=60.0, reset_by=kinds))
    there = timeline(*sorted(rows, key=lambda row: row[0]), ended, end=End.SERVER)
    return fitting(ROWS, extract(timeline(*at_client, (100, FIN)), [there]))


def answered(*instants):
    """Pings of the server that its client got and answered at once."""
    return [row for at in instants for row in ((at + 0.01, "<ping"), (at + 0.01, ">pong"))]


@pytest.mark.parametrize(
    ("client", "server", "lost"),
    [
        # A ping never came, and those that came were answered, or not.
        (answered(20), {"ponged": (20.02,)}, True),
        (answered(20), {"ponged": ()}, True),
        ([(20.01, "<ping")], {"ponged": ()}, False),
        # Each ping came and was answered; the server has fewer pongs, or all.
        (answered(20, 40), {"ponged": (20.02,), "heard": (50,)}, True),
        (answered(20, 40), {"ponged": (20.02,), "heard": (40,)}, True),
        (answered(20, 40), {"ponged": (20.02, 40.02), "heard": (50,)}, False),
    ],
)
@pytest.mark.parametrize(
    "kinds", [(DeadlineTraffic.PONG,), (DeadlineTraffic.PONG, DeadlineTraffic.HEARTBEAT)]
)
def test_control_frames_that_were_lost_are_counted_at_both_ends(client, server, lost, kinds):
    """Whatever else would have reset the deadline, pongs would have too."""
    found = pinged(*client, **server, kinds=tuple(map(DeadlineTraffic, kinds)))

    assert any(each.startswith("CONTROL_FRAMES_LOST") for each in found) is lost


@pytest.mark.parametrize(
    ("kinds", "sent", "fits"),
    [
        ((DeadlineTraffic.DATA,), True, False),
        ((DeadlineTraffic.ANY,), True, True),
        ((DeadlineTraffic.PONG,), False, False),
    ],
)
def test_a_deadline_that_pongs_do_not_reset_says_nothing_of_them(kinds, sent, fits):
    """Nor does one of a server that pinged nobody."""
    pings = [(40, ">ping", b"1")] if sent else [(40, ">text")]
    how = ended_here(deadline=60.0, reset_by=kinds)
    there = timeline(*pings, (41, "<beat"), (100, how), end=End.SERVER)
    found = fitting(ROWS, extract(timeline((50, ">text"), (100, FIN)), [there]))

    assert any(each.startswith("CONTROL_FRAMES_LOST") for each in found) is fits


@pytest.mark.parametrize(
    ("said", "came", "second"),
    [
        # A message that went out behind the ping that never came; one before it; none.
        ((40.25,), (40.26,), ""),
        ((39,), (39.01,), " / HALF_OPEN"),
        ((40.25,), (), " / HALF_OPEN"),
        # Of two messages, the one before the ping is what came so late.
        ((39, 40.25), (55,), " / HALF_OPEN"),
        ((39, 40.25), (39.01, 55), ""),
    ],
)
def test_pings_are_lost_for_sure_where_what_went_out_behind_them_came(said, came, second):
    """Order is kept, so that a slow path brings neither, and a dead one nothing."""
    rows = [(40, ">ping", b"1"), *((at, ">text") for at in said), (50, "<beat")]
    ended = (100, ended_here(**PONGS_ONLY))
    there = timeline(*sorted(rows, key=lambda row: row[0]), ended, end=End.SERVER)
    here = timeline(*((at, "<text") for at in came), (100, FIN))

    assert fitting(ROWS, extract(here, [there]))[0] == "CONTROL_FRAMES_LOST" + second


@pytest.mark.parametrize(
    ("said", "heard", "second"),
    [((41,), (41.01,), ""), ((39,), (41.01,), " / HALF_OPEN"), ((41,), (), " / HALF_OPEN PEER_NOT_READING")],
)
def test_pongs_are_lost_for_sure_where_what_went_out_behind_them_came(said, heard, second):
    there = timeline(
        (40, ">ping", b"1"),
        *((at, "<text") for at in heard),
        (100, ended_here(**PONGS_ONLY)),
        end=End.SERVER,
    )
    rows = [(40.01, "<ping"), (40.01, ">pong"), *((at, ">text") for at in said)]
    here = timeline(*sorted(rows, key=lambda row: row[0]), (100, FIN))

    assert fitting(ROWS, extract(here, [there]))[0] == "CONTROL_FRAMES_LOST" + second


def test_a_pong_that_came_late_is_none_that_is_missing():
    """The message behind it shows nothing of the next one."""
    ended = (100, ended_here(**PONGS_ONLY))
    pings = [(30, ">ping", b"1"), (40, ">ping", b"2")]
    there = timeline(*pings, (55, "<pong", b"1"), (56, "<text"), ended, end=End.SERVER)
    ponged = [(40.5, "<ping"), (40.5, ">pong"), (42, ">text"), (50, "<ping"), (50, ">pong"), (51, ">text")]

    told = fitting(ROWS, extract(timeline(*ponged, (100, FIN)), [there]))

    assert told[0] == "CONTROL_FRAMES_LOST / HALF_OPEN"


@pytest.mark.parametrize(
    ("came", "heard", "paused", "cause"),
    [
        # The client has seen nothing since the ping that it did not answer, nor has the server.
        ([], [], False, "HALF_OPEN"),
        ([(40, "<text")], [(40, "<beat")], False, "HALF_OPEN"),
        # What comes one way says nothing of the other: the ping is lost, or late, alone or with all else.
        ([], [(40.25, "<beat")], False, "CONTROL_FRAMES_LOST"),
        ([(40.25, "<text")], [], False, "CONTROL_FRAMES_LOST"),
        # A client that does not read sees nothing.
        ([], [], True, "READ_DEADLINE"),
    ],
)
def test_a_path_that_carries_nothing_has_lost_more_than_control_frames(came, heard, paused, cause):
    """The server that gives the client up on a dead path is not heard to do so."""
    there = timeline((40, ">ping", b"1"), *heard, (100, ended_here(**PONGS_ONLY)), end=End.SERVER)
    here = timeline((10, "<text"), *came, until=120)
    here.deliberately_stalled = paused

    assert fitting(ROWS, extract(here, [there]))[0].split(" / ")[0] == cause


@pytest.mark.parametrize(
    ("until", "how", "told"),
    [
        (50.5, None, "HALF_OPEN"),
        (49.5, None, "HALF_OPEN / PATH_STALLED"),
        # A client that gave up by itself has not heard of the server's end either.
        (60, {"transport": TransportEnd.ABORTED, "local_reason": LocalReason.PING_TIMEOUT}, "HALF_OPEN"),
        (60, {"transport": TransportEnd.RESET}, "CONTROL_FRAMES_LOST / HALF_OPEN"),
    ],
)
def test_a_path_is_dead_when_nothing_came_for_longer_than_slow_ones_take(until, how, told):
    """Ten seconds; and who hears of the end hears something."""
    ended = (45, ended_here(**PONGS_ONLY))
    there = timeline((10, ">text"), (10, "<text"), (40, ">ping", b"1"), ended, end=End.SERVER)
    here = timeline((10, "<text"), (10, ">text"), *([(until, how)] if how else []), until=until)

    assert fitting(ROWS, extract(here, [there]))[0] == told


@pytest.mark.parametrize(("at", "cause"), [(39.75, "HALF_OPEN"), (40.25, "CONTROL_FRAMES_LOST / HALF_OPEN")])
def test_a_path_that_brings_part_of_a_frame_is_slow_and_not_dead(at, cause):
    there = timeline((40, ">ping", b"1"), (90, ended_here(**PONGS_ONLY)), end=End.SERVER)
    here = timeline((10, ">text"), until=90)
    here.half_frame(1000 + at, True)

    assert fitting(ROWS, extract(here, [there]))[0] == cause


@pytest.mark.parametrize(
    ("said", "heard", "second"),
    [
        # What went out within a second may be on its way.
        (51, 50, ""),
        (51.25, 50, " / HALF_OPEN"),
        (60, 60, ""),
        # So may what went out within the last second; what comes while the server closes has come too late.
        (88.75, 50, " / HALF_OPEN"),
        (89, 50, ""),
    ],
)
@pytest.mark.parametrize(
    ("how", "cause"),
    [
        (
            {"local_reason": LocalReason.READ_DEADLINE, "deadline": 30, "reset_by": (DeadlineTraffic.DATA,)},
            "READ_DEADLINE",
        ),
        ({"local_reason": LocalReason.PROTOCOL_TIMER, "awaited": Awaited.MESSAGE}, "READ_DEADLINE"),
    ],
)
def test_a_timer_that_waited_for_what_the_client_has_sent_may_have_waited_on_a_dead_path(
    how, cause, said, heard, second
):
    """Or the server reads no more; the client is not to blame alone."""
    late = [(90, ">close"), (90, "<text")] if said > heard else []
    there = timeline((heard, "<text"), *late, (90, ended_here(**how)), end=End.SERVER, protocol=FACTS)
    here = timeline((said, ">text"), (90, FIN), protocol=FACTS)

    assert fitting(ROWS, extract(here, [there])) == [cause + second]


def test_a_timer_of_a_server_whose_client_is_not_on_record_has_no_second_cause():
    how = {"local_reason": LocalReason.PROTOCOL_TIMER, "awaited": Awaited.ANSWER}
    there = timeline((10, "<text"), (90, ended_here(**how)), end=End.SERVER, protocol=FACTS)

    assert fitting(ROWS, extract(there)) == ["HEARTBEAT_UNANSWERED"]


@pytest.mark.parametrize(
    ("came", "said", "heard", "second"),
    [
        # The client had the question in time, and its answer is nowhere; or it gave none.
        (70, [(70, ">answer")], [], " / HALF_OPEN"),
        (70, [], [], ""),
        # Other frames of it that came are no answer.
        (70, [(70, ">answer")], [(80, "<text")], " / HALF_OPEN"),
        # It got the question late, or not.
        (89.25, [(89.25, ">answer")], [], " / PATH_STALLED"),
        (None, [], [], " / PATH_STALLED"),
    ],
)
def test_a_heartbeat_that_the_client_has_not_got_in_time_is_the_path_s(came, said, heard, second):
    how = ended_here(local_reason=LocalReason.PROTOCOL_TIMER, awaited=Awaited.ANSWER)
    there = timeline((70, ">beat"), *heard, (90, how), end=End.SERVER, protocol=FACTS)
    got = [] if came is None else [(came, "<beat")]
    here = timeline(*got, *said, (90, FIN), protocol=FACTS)

    assert fitting(ROWS, extract(here, [there])) == ["HEARTBEAT_UNANSWERED" + second]


@pytest.mark.parametrize(
    ("server", "came", "fits"),
    [
        # The ping never came, though the message behind it did; or its pong was lost so.
        ([(51, "<text")], [], True),
        ([(40, "<ping"), (40, ">pong"), (51, ">text")], [(51, "<text")], True),
        # Nothing behind it came, or no pong was sent.
        ([], [], False),
        ([(40, "<ping"), (40, ">pong")], [], False),
        ([(40, "<ping"), (51, "<text")], [], False),
    ],
)
def test_pings_of_a_client_are_lost_where_what_went_out_behind_them_came(server, came, fits):
    """Whoever judges; a server that ended the connection has its own reason."""
    gave_up = {"transport": TransportEnd.ABORTED, "local_reason": LocalReason.PING_TIMEOUT}
    here = timeline((40, ">ping", b"1"), (50, ">text"), *came, (60, gave_up))
    there = timeline(*server, (60, FIN), end=End.SERVER)
    restarted = timeline(*server, (60, {**FIN, "local_reason": LocalReason.RESTART}), end=End.SERVER)

    told = ["CONTROL_FRAMES_LOST"] * fits
    assert fitting(ROWS, extract(here, [there])) == fitting(ROWS, extract(there, [here])) == told
    assert "CONTROL_FRAMES_LOST" not in fitting(ROWS, extract(here, [restarted]))

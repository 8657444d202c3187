"""A server under test and its sessions: reconnect with the same id, and count what was lost or came twice."""

import asyncio
import json
from contextlib import suppress

import pytest

from pytest_wsstability import Backoff, OpeningError, Orchestrator, StabilityError, connect, faults
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.net.errors import OpeningStage
from pytest_wsstability.net.websocket import LINGER
from pytest_wsstability.profiles import FRAMES, ID, JSON, SEQUENCE, SESSION_ID, Profile
from pytest_wsstability.profiles.catalogue import SHIPPED, find
from tests.net.peers import BINARY, TEXT, close, connected, frame, opened, served, serving, silent, talking

pytestmark = pytest.mark.ws_stability(time="virtual")


class Stream:
    """A server that numbers what it says to a session; it may forget or repeat some when a client returns."""

    def __init__(self, *, lost=0, repeated=0):
        self.next = 1
        self.skip = lost - repeated

    async def __call__(self, connection):
        if self.next > 1:
            self.next += self.skip
        while True:
            await connection.send(json.dumps({"type": "token", "seq": self.next}))
            self.next += 1
            await asyncio.sleep(1)


async def after_a_drop(stream, **client):
    """A client's second connection, 10 numbered messages after the first and 10 more after it."""
    async with Orchestrator(handler=stream) as orchestrator:
        first = await connect(orchestrator.url, session_id="abc", **client)
        await asyncio.sleep(9.5)
        await first.close(4000)
        second = await first.reconnect()
        await asyncio.sleep(9.5)
        await second.close()
        return second


async def test_a_session_that_goes_on_passes():
    """The same id, and each number once."""
    second = await after_a_drop(Stream())

    await second.assert_session_resumed(within="1s")
    second.assert_messages_intact()
    assert (second.message_count.seen, second.message_count.lost, second.message_count.duplicated) == (
        20,
        0,
        0,
    )
    assert second.session_id == second.previous.session_id == "abc"


@pytest.mark.parametrize(
    ("stream", "words"),
    [
        ({"lost": 3}, "messages lost: 3 of 23 lost: 11 to 13"),
        ({"repeated": 2}, "messages duplicated: 2 of 20 came twice: 9 to 10 again on a later connection"),
    ],
)
async def test_messages_lost_and_repeated_are_found(stream, words):
    """Between the connections, with their numbers."""
    second = await after_a_drop(Stream(**stream))
    with pytest.raises(StabilityError) as caught:
        await second.assert_session_resumed()

    assert caught.value.verdict.violations[0].rule is Rule.MESSAGES
    assert caught.value.verdict.headline == words
    await second.assert_session_resumed(lost_max=3, duplicated_max=2)


@pytest.mark.parametrize(
    ("fault", "cause", "words"),
    [
        (
            faults.NeverConfirm(),
            "session_info sent at 0 s, and no answer",
            "session_info sent at 0 s, never confirmed",
        ),
        (
            faults.WrongSession(),
            "another session was confirmed",
            "the server confirmed session 'somebody-elses-session', not 'abc'",
        ),
    ],
)
async def test_a_session_that_does_not_go_on_fails(fault, cause, words):
    """Whatever the messages say."""
    async with served({"faults": [fault]}, session_id="abc") as (first, _):
        await first.close()
        second = await first.reconnect()
        headline = rf"{cause} \(session not confirmed within 2 s\)"
        with pytest.raises(StabilityError, match=f"^{headline}.*\n.*\n  observed  {words}"):
            await second.assert_session_resumed(within="2s")
        await second.close()


NAMED = Profile(
    name="named",
    session_info={"op": 2},
    session_confirmed={"ready": SESSION_ID},
    resume={"op": 6, "session": SESSION_ID},
    resumed={"resumed": SESSION_ID},
)


async def test_what_asks_for_a_session_resumes_one_from_the_second_connection_on():
    """By the profile's `resume`, on the records of both ends."""
    async with Orchestrator(profile=NAMED) as orchestrator:
        first = await connect(orchestrator.url, profile=NAMED)
        await first.assert_session_confirmed(within="1s")
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed(within="2s")
        await second.close()
        server = [line for session in orchestrator.sessions for line in session.timelines]

    assert [each.timeline.session_resumes for each in (first, second)] == [False, True]
    assert server[-1].session_resumes


KEEPING = [name for name in SHIPPED if find(name).has_session and find(name).keeps_session]


@pytest.mark.parametrize("name", KEEPING)
async def test_the_reference_server_knows_the_session_that_a_client_comes_back_to(name):
    """With each shipped profile that can come back to one."""
    async with connected({"profile": name}) as (first, orchestrator):
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed(within="1s")
        await second.close()

        assert len(orchestrator.sessions) == 1


async def test_where_nothing_is_numbered_the_session_alone_counts():
    """Asked for messages, nobody can tell."""
    async with connected() as (first, _):
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed()
        with pytest.raises(StabilityError, match=r"^inconclusive: no message carried a number"):
            second.assert_messages_intact()
        await second.close()


def third_byte(message):
    return message[2] if isinstance(message, bytes) else None


@pytest.mark.parametrize(
    ("sequence", "messages", "seen"),
    [
        ("seq", ['{"seq":1}', '{"seq":2}', '{"other":3}', "seq", '{"seq":null}'], 2),
        ("event_id", ['{"event_id":"a"}', '{"event_id":"b"}'], 2),
        (third_byte, [b"\0\0\1", b"\0\0\2", "text"], 2),
        (None, ['{"seq":1}'], 0),
        ("seq", ['["seq"]', '{"seq":', '{"x":{"seq":1}}'], 0),
    ],
)
async def test_what_numbers_messages_is_the_profiles(sequence, messages, seen):
    """A member of JSON, or a function of a message; at the server's end too."""
    ours = JSON.replace(name="ours", sequence=sequence)
    async with connected({"profile": ours, "echo": True}) as (connection, orchestrator):
        for message in messages:
            await connection.send(message)
            await connection.recv()

        assert connection.message_count.seen == orchestrator.sessions[0].message_count.seen == seen
        assert connection.message_count.error is None


NUMBERED = Profile(
    name="numbered",
    greeting={"op": "hello"},
    ping={"op": "ping", "n": ID},
    pong={"op": "pong", "n": ID},
    error={"op": "error"},
    sequence="n",
)
TICKING = Profile(name="ticking", ping={"op": "tick"}, heartbeats_from="server", sequence="n")
BEHIND = Profile(name="behind", ping={"op": "tick", "n": SEQUENCE}, heartbeats_from="both", sequence="n")


async def numbers_of(profile, messages, opcode=TEXT):
    """What a client counts of these messages of a server."""

    async def say(peer):
        for message in messages:
            peer.send(frame(opcode, message.encode()))
        peer.send(close(1000))
        await silent(peer)

    async with talking(say, profile=profile) as connection:
        await connection.wait_closed()
        return connection.message_count


@pytest.mark.parametrize(
    ("profile", "messages", "seen"),
    [
        (TICKING, ['{"n":1}', '{"op":"tick","n":2}', '{"op":"tick","n":3}', '{"n":4}'], 4),
        (NUMBERED, ['{"n":1}', '{"op":"hello","n":2}', '{"op":"error","n":3}', '{"n":4}'], 4),
        # The client has counted these, or the one that says again what it has received.
        (NUMBERED, ['{"n":1}', '{"op":"pong","n":1}', '{"op":"pong","n":7}', '{"n":2}'], 2),
        (BEHIND, ['{"n":1}', '{"op":"tick","n":9}', '{"n":2}'], 2),
    ],
    ids=["heartbeats", "a greeting and an error", "answers", "the last number received"],
)
async def test_what_the_protocol_says_is_numbered_too(profile, messages, seen):
    """Where the number is its sender's own, nothing is lost between the messages around it."""
    found = await numbers_of(profile, messages)

    assert (found.seen, found.lost, found.duplicated, found.error) == (seen, 0, 0, None)


async def test_what_tells_that_a_session_goes_on_is_numbered():
    """Discord's RESUMED is the event after those that the client had missed."""
    said = iter(
        [
            ['{"op":0,"t":"READY","s":1,"d":{"session_id":"abc"}}', '{"op":0,"t":"X","s":2}'],
            ['{"op":0,"t":"X","s":3}', '{"op":0,"t":"RESUMED","s":4,"d":{}}', '{"op":0,"t":"X","s":5}'],
        ]
    )

    async def gateway(peer):
        for message in ('{"op":10,"d":{"heartbeat_interval":41250}}', *next(said)):
            peer.send(frame(TEXT, message.encode()))
        await silent(peer)

    async with talking(gateway, profile="discord") as first:
        await first.assert_session_confirmed(within="1s")
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed(within="1s")
        await second.close()

    assert (second.message_count.seen, second.message_count.lost) == (5, 0)


@pytest.mark.parametrize("name", [b'"abc"', b"7"], ids=["text", "number"])
async def test_the_name_of_a_session_is_no_number_of_a_message(name):
    """A server says it again at each return."""
    ours = Profile(
        name="named",
        session_info={"op": "join"},
        resume={"op": "join", "id": SESSION_ID},
        session_confirmed={"op": "joined", "id": SESSION_ID},
        sequence="id",
    )

    async def room(peer):
        peer.send(frame(TEXT, b'{"op":"joined","id":%b}' % name))
        await silent(peer)

    async with talking(room, profile=ours) as first:
        await first.assert_session_confirmed(within="1s")
        await first.close()
        second = await first.reconnect()
        await second.assert_session_resumed(within="1s")
        await second.close()

    assert (second.message_count.seen, second.message_count.duplicated) == (0, 0)


async def test_a_function_need_not_know_the_protocols_own_messages():
    """What it raises for a heartbeat is no doubt about the numbers."""
    ours = TICKING.replace(sequence=lambda message: json.loads(message)["n"])
    found = await numbers_of(ours, ['{"n":1}', '{"op":"tick"}', '{"n":2}'])

    assert (found.seen, found.lost, found.error) == (2, 0, None)


@pytest.mark.parametrize(("binary_json", "seen"), [(True, 2), (False, 0)])
async def test_json_in_binary_frames_is_numbered_where_the_profile_reads_it(binary_json, seen):
    """As all else of it is read."""
    ours = TICKING.replace(binary_json=binary_json)

    assert (await numbers_of(ours, ['{"n":1}', '{"n":3}'], BINARY)).seen == seen


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda message: {}[0], "messages could not be numbered: KeyError(0)"),
        (
            lambda message: 1.5,
            "could not be numbered: TypeError('1.5 is no whole number and no id')",
        ),
    ],
)
async def test_a_function_that_fails_breaks_no_connection(function, words):
    """It is told when the numbers are asked for."""
    ours = JSON.replace(name="ours", sequence=function)
    async with connected({"profile": ours, "echo": True}) as (connection, _):
        await connection.send("hello")
        await connection.recv()
        with pytest.raises(StabilityError) as caught:
            connection.assert_messages_intact()

        assert words in str(caught.value)


@pytest.mark.parametrize("sequence", ["", 5, ["seq"]])
def test_a_sequence_is_a_name_or_a_function(sequence):
    """Named, with what is valid."""
    with pytest.raises(ValueError, match=r"^profile 'json': sequence is .*; give the name of a JSON"):
        JSON.replace(sequence=sequence)


async def test_a_client_that_repeats_itself_is_found_at_the_server():
    """Over all connections of the session."""
    async with Orchestrator() as orchestrator:
        async with opened(orchestrator.url, session_id="abc") as first:
            await first.assert_session_confirmed(within="1s")
            for number in (1, 2, 3):
                await first.send(json.dumps({"seq": number}))
            await first.close()
        async with opened(orchestrator.url, session_id="abc") as second:
            await second.assert_session_confirmed(within="1s")
            for number in (3, 4, 6):
                await second.send(json.dumps({"seq": number}))
            await second.ping()
            session = await orchestrator.wait_for_session("abc")
            with pytest.raises(StabilityError) as caught:
                session.assert_messages_intact(duplicated_max=1)
            assert caught.value.verdict.headline == "messages lost: 1 of 6 lost: 5"
            with pytest.raises(StabilityError, match=r"^messages duplicated: 1 of 6 came twice: 3 again"):
                session.assert_messages_intact(lost_max=1)


# Reconnecting.


async def test_a_reconnect_is_another_connection_of_the_same_client():
    """With the same options, but for those that are changed."""
    async with Orchestrator(max_size=50) as orchestrator:
        first = await connect(orchestrator.url, heartbeat="10s", session_id="abc")
        await first.close()
        second = await first.reconnect(heartbeat="5s", headers={"Authorization": "Bearer x"})
        await asyncio.sleep(11)

        assert second is not first
        assert second.previous is first
        assert second.timeline.heartbeats.sent == 2
        assert [each.id for each in orchestrator.sessions] == ["abc"]
        await second.close()


async def test_a_server_that_is_down_is_tried_again():
    """For so long, with growing waits."""
    async with served() as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        restart = asyncio.create_task(orchestrator.restart(down_for="5s"))
        await first.wait_closed()
        with pytest.raises(OpeningError, match="connection refused"):
            await first.reconnect()
        second = await first.reconnect(within="30s", backoff=Backoff(first="2s", jitter=0))
        assert second.timeline.opened == 6.0
        await restart
        await second.assert_session_resumed()
        await second.close()


@pytest.mark.parametrize(("within", "last"), [("9s", 6.0), ("9001ms", 9.0), ("10s", 9.0)])
async def test_it_gives_up_in_time(within, last):
    """No attempt comes after the time that was given, nor begins when it is over."""
    async with connected() as (first, orchestrator):
        await orchestrator.stop()
        with pytest.raises(OpeningError, match="connection refused"):
            await first.reconnect(within=within, backoff=Backoff(first="3s", factor=1, jitter=0))

        assert asyncio.get_running_loop().time() == last


def coming_back(second):
    """A server that ends its first connection at once, and treats those after it as a script says."""
    number = 0

    async def script(peer):
        nonlocal number
        number += 1
        if number == 1:
            await peer.upgrade()
            peer.send(close(1001))
            await peer.gone()
        else:
            await peer.request()
            await second(peer, number)

    return script


@pytest.mark.parametrize(("takes", "answered"), [(1.999, True), (2.001, False)])
async def test_the_time_bounds_each_attempt_too(takes, answered):
    """A server that takes TCP and answers late has no ten seconds for each step."""

    async def late(peer, _):
        await asyncio.sleep(takes)
        with suppress(OSError):
            peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    async with serving(coming_back(late)) as url, opened(url, profile="frames") as first:
        await first.wait_closed()
        begun = first.websocket.loop.time()
        with pytest.raises(OpeningError) as caught:
            await first.reconnect(within="2s")

        assert first.websocket.loop.time() - begun == pytest.approx(min(takes, 2.0))
        if answered:
            assert caught.value.status == 503
        else:
            assert caught.value.stage is OpeningStage.TIMEOUT
            assert caught.value.detail == "reconnect: not open again within 2 s"


async def test_an_attempt_that_the_time_cuts_names_the_one_before():
    """Which may have had the reason."""

    async def busy_then_silent(peer, number):
        if number == 2:
            peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        await peer.gone()

    backoff = Backoff(first="1s", jitter=0)
    async with serving(coming_back(busy_then_silent)) as url, opened(url, profile="frames") as first:
        await first.wait_closed()
        words = r"\(timeout\): reconnect: not open again within 3 s; the attempt before: .*503"
        with pytest.raises(OpeningError, match=words):
            await first.reconnect(within="3s", backoff=backoff)


async def test_one_attempt_is_one_whatever_the_waits():
    """Without a time there is no second one."""
    async with connected() as (first, orchestrator):
        await orchestrator.stop()
        with pytest.raises(OpeningError, match="connection refused"):
            await first.reconnect(backoff=Backoff(first=0))

        assert asyncio.get_running_loop().time() == 0.0


async def test_a_peer_that_has_closed_and_leaves_tcp_open_holds_up_no_reconnect():
    """It had its time: the next connection does not wait for the end of this one."""
    number = 0

    async def script(peer):
        nonlocal number
        await peer.upgrade()
        number += 1
        if number == 1:
            await asyncio.sleep(1)
            peer.send(close(1012))
        await peer.gone()

    async with serving(script) as url, opened(url, profile="frames") as first:
        await first.websocket.wait_over()
        second = await first.reconnect(within="2s")

        assert second.timeline.opened - first.timeline.opened == pytest.approx(1.0 + LINGER)
        second.websocket.let_go()


async def test_a_close_that_is_not_answered_keeps_nobody_waiting():
    """Its connection is let go after a tenth of a second, and the next one opens."""
    async with talking(silent) as first:
        first.websocket.start_close(1000, planned=True)
        second = await first.reconnect(within="3s")

        assert second.timeline.opened - first.timeline.opened == pytest.approx(0.1)
        second.websocket.let_go()


@pytest.mark.parametrize("within", ["0s", "soon"])
async def test_a_time_that_is_none_is_refused_first(within):
    """Before anything is waited for."""
    async with connected() as (first, _):
        first.websocket.start_close(1000)
        with pytest.raises(ValueError, match=r"^within: "):
            await first.reconnect(within=within)

        assert asyncio.get_running_loop().time() == 0.0


async def test_a_connection_that_is_closing_is_waited_for():
    """It will have ended in a moment."""
    async with connected() as (first, _):
        first.websocket.drop(LocalReason.INTERRUPTED, "the test drops it")
        second = await first.reconnect()
        await second.close()


async def test_a_connection_that_is_open_cannot_reconnect():
    """It would be a second one of the session."""
    async with connected() as (connection, orchestrator):
        with pytest.raises(RuntimeError, match=r"^reconnect: the connection is still open; close\(\) it"):
            await connection.reconnect()
        with pytest.raises(RuntimeError, match=r"^reconnect: only a client can; this is a server's end"):
            await orchestrator.sessions[0].connection.reconnect()


async def test_where_there_is_no_session_none_is_resumed():
    """The messages may be counted all the same."""
    numbered = FRAMES.replace(name="numbered", sequence="seq")
    async with connected({"profile": numbered, "echo": True}) as (first, _):
        await first.send('{"seq":1}')
        await first.recv()
        await first.close()
        second = await first.reconnect()
        await second.send('{"seq":3}')
        await second.recv()
        with pytest.raises(ValueError, match=r"^assert_session_resumed: the profile 'numbered' has no"):
            await second.assert_session_resumed()
        with pytest.raises(StabilityError, match=r"^messages lost: 1 of 3 lost: 2 "):
            second.assert_messages_intact()
        await second.close()


async def test_a_first_connection_resumes_nothing():
    """There is nothing before it."""
    async with connected() as (connection, _):
        with pytest.raises(ValueError, match=r"^assert_session_resumed: this is a first connection"):
            await connection.assert_session_resumed()
        for keywords in ({"lost_max": -1}, {"duplicated_max": "few"}):
            with pytest.raises(ValueError, match=r"_max: .* is not a count"):
                connection.assert_messages_intact(**keywords)

"""Every shipped profile, spoken by the monitored client and by the orchestrator."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest

from pytest_wsstability import (
    Cause,
    ConnectionEnded,
    Direction,
    End,
    Orchestrator,
    Outcome,
    Requirement,
    Role,
    StabilityError,
    faults,
    hold,
)
from pytest_wsstability.core.message.protocol import misfit
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import HeartbeatShape
from pytest_wsstability.profiles import ID, JSON, NOW_TEXT, SEQUENCE, SESSION_ID, Codec, Profile
from pytest_wsstability.profiles.catalogue import SHIPPED, find
from tests.net.peers import TEXT, answer_pings, frame, opened, served, serving, talking

pytestmark = pytest.mark.ws_stability(time="virtual")

SENT, RECEIVED = Direction.SENT, Direction.RECEIVED
PROFILES = {name: find(name) for name in SHIPPED}
SESSIONS = [name for name, profile in PROFILES.items() if profile.has_session]
# Those whose heartbeats are sent without being asked for.
BEATING = [name for name, profile in PROFILES.items() if profile.interval is not None]


@pytest.mark.parametrize("name", SESSIONS)
async def test_a_session_is_confirmed(name):
    """At both ends, under one name where it has one."""
    async with served({"profile": name}) as (client, orchestrator):
        await client.assert_session_confirmed(within="1s")
        session = await orchestrator.wait_for_session(within="1s")
        await session.assert_session_confirmed(within="1s")

        words = PROFILES[name].words
        named = {"session_id"} & words.names("session_info") | {"session_id"} & words.names(
            "session_confirmed"
        )
        if named:
            assert client.session_id == session.id == session.timeline.session_id
        assert not client.timeline.irregular
        assert not session.timeline.irregular


async def test_a_session_that_a_function_reads_is_the_servers():
    """The client has named none, so that of the server is no other one."""
    profile = Profile(
        name="read",
        session_confirmed=Codec(
            lambda text: {"session_id": text[3:]} if text.startswith("id ") else None,
            lambda values: f"id {values['session_id']}",
        ),
    )
    async with served({"profile": profile}) as (client, server):
        await client.assert_session_confirmed(within="1s")
        session = await server.wait_for_session(within="1s")

        assert client.session_id == session.id
        assert not client.timeline.irregular


def named_in(text):
    """The session in "id S1"."""
    return {"session_id": text[3:]} if text.startswith("id ") else None


@pytest.mark.parametrize("before", ["hello", "soon", "ping"])
async def test_what_comes_before_such_a_session_names_none(before):
    """The name that this end has made up counts for nothing."""
    words = {"hello": "greeting", "soon": "notice", "ping": "ping"}
    beats = {"heartbeats_from": "server", "interval": 30} if before == "ping" else {}
    profile = Profile(name="read", session_confirmed=named_in, **{words[before]: before}, **beats)

    async def script(peer):
        for message in (before, "id S1"):
            peer.send(frame(TEXT, message.encode()))
            await asyncio.sleep(0.5)
        await peer.gone()

    async with talking(script, profile=profile) as client:
        await asyncio.sleep(0.2)
        assert client.session_id is None
        await client.assert_session_confirmed(within="1s")

        assert client.session_id == "S1"
        assert not client.timeline.irregular


@pytest.mark.parametrize("name", ["phoenix", "socketio"])
async def test_a_session_that_is_refused_is_not_held(name):
    """Though the connection and its heartbeats go on, and nothing asks for a session in time."""
    server = {"profile": name, "faults": [faults.RefuseSession()]}
    async with served(server, profile=name) as (client, _):
        with pytest.raises(StabilityError, match=r"refused at 0 s") as caught:
            await client.assert_alive_for("2m")

        ((at, text),) = client.timeline.refusals
        assert at == 0.0
        assert text[:20] in str(caught.value)


@pytest.mark.parametrize(("cumulative", "within", "missed"), [(True, 21, 0), (True, 19, 2), (False, 21, 3)])
async def test_an_answer_may_be_one_to_all_heartbeats_before_it(cumulative, within, missed):
    """A server that acknowledges each third one: the first of three waits for two intervals."""
    profile = Profile(
        name="acks", ping={"t": "beat", "n": ID}, pong={"t": "ack", "n": ID}, cumulative=cumulative
    )

    async def script(peer):
        for number in range(1, 7):
            await peer.frame()
            if number % 3 == 0:
                peer.send(frame(TEXT, b'{"t":"ack","n":%d}' % number))
        await peer.gone()

    async with talking(script, profile=profile, heartbeat=10) as client:
        await asyncio.sleep(65)

        assert client.timeline.heartbeats.missed(65, within) == missed


@pytest.mark.parametrize(
    ("hold", "until", "outcome"),
    [
        # The last of three goes out when the hold is over, or within it.
        ("60s", None, None),
        ("69s", None, None),
        ("71s", None, None),
        ("80s", None, None),
        # One to the fourth never comes.
        ("60s", 3, "1 of 5 heartbeats not answered within 21 s"),
    ],
)
async def test_a_cumulative_answer_may_wait_for_a_heartbeat_behind_the_hold(hold, until, outcome):
    profile = Profile(name="acks", ping={"t": "beat", "n": ID}, pong={"t": "ack", "n": ID}, cumulative=True)

    async def script(peer):
        for number in range(1, 10):
            await peer.frame()
            if number % 3 == 0 and number <= (until or number):
                peer.send(frame(TEXT, b'{"t":"ack","n":%d}' % number))
        await peer.gone()

    told = contextlib.nullcontext() if outcome is None else pytest.raises(StabilityError, match=outcome)
    async with talking(script, profile=profile, heartbeat=10) as client:
        with told:
            await client.assert_stable(alive_for=hold, heartbeat_every="10s", heartbeat_within="21s")


async def test_a_session_that_is_gone_is_not_refused():
    """The client begins another one in its place."""
    profile = Profile(
        name="returns",
        session_info={"t": "login"},
        session_confirmed={"t": "in", "id": SESSION_ID},
        resume={"t": "back", "id": SESSION_ID},
        resume_refused={"t": "gone"},
    )
    server = {"profile": profile, "faults": [faults.RefuseResume()]}
    async with served(server, profile=profile) as (client, _):
        await client.assert_session_confirmed(within="5s")
        await client.close()
        again = await client.reconnect()
        await again.assert_stable(alive_for="1m")

        assert again.timeline.last(direction=RECEIVED, role=Role.SESSION_REFUSED) == 0.0
        assert not again.timeline.refusals


@pytest.mark.parametrize(("refused_at", "alarms"), [("before", 0), ("after", 1)])
async def test_a_session_that_is_refused_after_it_was_confirmed_is_over(refused_at, alarms):
    """Though the connection and its heartbeats go on: a token that was revoked, say."""
    says = {"before": ['{"t":"no"}', '{"t":"in"}'], "after": ['{"t":"in"}', '{"t":"no"}']}[refused_at]
    profile = Profile(
        name="revoked",
        session_info={"t": "login"},
        session_confirmed={"t": "in"},
        session_refused={"t": "no"},
    )

    async def script(peer):
        await peer.frame()
        for message in says:
            await asyncio.sleep(0.5)
            peer.send(frame(TEXT, message.encode()))
        await peer.gone()

    async with talking(script, profile=profile) as client:
        await client.assert_session_confirmed(within="5s")
        await asyncio.sleep(1)

        assert list(client.timeline.errors) == [(1.0, '{"t":"no"}')] * alarms


@pytest.mark.parametrize(("fault", "is_planned"), [(faults.SendNotice(), True), (faults.SendError(), False)])
async def test_a_router_of_wamp_that_shuts_down_is_told_from_one_that_ends_a_session(fault, is_planned):
    """Both say GOODBYE; what is allowed is the first."""
    behaviour = [("20s", fault), ("21s", faults.CloseWith(1001))]
    told = contextlib.nullcontext() if is_planned else pytest.raises(StabilityError, match="killed")
    server = {"profile": "wamp", "faults": behaviour}
    async with served(server, profile="wamp") as (client, _):
        with told:
            await client.assert_stable(alive_for="1m", max_age_ok="10s")


@pytest.mark.parametrize(
    ("name", "words", "outcome"),
    [
        ("signalr", '{"type":7}\x1e', Outcome.UNSTABLE),
        ("signalr", '{"type":7,"allowReconnect":false}\x1e', Outcome.UNSTABLE),
        ("signalr", '{"type":7,"allowReconnect":true}\x1e', Outcome.INCONCLUSIVE),
        ("actioncable", '{"type":"disconnect","reason":"remote","reconnect":false}', Outcome.UNSTABLE),
        ("actioncable", '{"type":"disconnect","reason":"remote","reconnect":true}', Outcome.INCONCLUSIVE),
    ],
)
async def test_an_end_from_which_clients_do_not_come_back_is_not_planned(name, words, outcome):
    """Their libraries stay away unless they are told to come back."""

    async def end(connection):
        await asyncio.sleep(20)
        await connection.send(words)

    async with Orchestrator(profile=name, handler=end) as orchestrator:
        soak = await hold(Requirement.of(alive_for="1m"), url=orchestrator.url, profile=name)

        assert soak.verdict.outcome is outcome


async def test_the_greatest_age_of_openai_is_announced_and_can_be_allowed():
    """The service says session_expired and closes: no error of a hold that expects it."""
    profile = PROFILES["openai-realtime"]
    async with served({"profile": profile}) as (client, _):
        await client.assert_stable(alive_for="2h", max_age_ok="59m")

        assert client.timeline.close.code == 1001
        assert client.timeline.close.reason == "Your session hit the maximum duration of 60 minutes."
        (notice,) = client.timeline.notices
        assert notice[0] == pytest.approx(3599.9)
        with pytest.raises(StabilityError) as caught:
            await client.assert_stable(alive_for="2h")
        assert caught.value.verdict.diagnosis.cause is Cause.MAX_AGE


# What a client says, what it is answered, and how the connection then ends; None: it stays.
GOODBYES = {
    "deepgram": ('{"type":"CloseStream"}', r'\{"type":"Metadata".*', 1000),
    "wamp": ('[6,{},"wamp.close.close_realm"]', r'\[6,\{\},"wamp\.close\.goodbye_and_out"\]', None),
    "stomp": ("DISCONNECT\nreceipt:a\\cb\n\n\0", "RECEIPT\nreceipt-id:a\\\\cb\n\n\0?", 1000),
    "mqtt": (b"\xe0\x00", None, 1006),
    "mqtt5": (b"\xe0\x00", None, 1006),
    "rtvi": ('{"label":"rtvi-ai","type":"disconnect-bot","id":"1"}', None, 1000),
    "socketio": ("41", None, None),
    "socketio-recovery": ("41", None, None),
    "signalr": ('{"type":7}\x1e', None, None),
    "phoenix": ('["1","2","room:lobby","phx_leave",{}]', r'.*"phx_reply", \{"status": "ok".*', None),
    "pusher": ('{"event":"pusher:unsubscribe","data":{"channel":"my-channel"}}', None, None),
    "actioncable": (
        '{"command":"unsubscribe","identifier":"{\\"channel\\":\\"ChatChannel\\"}"}', None, None,
    ),
}  # fmt: skip


def test_goodbyes_are_those_of_the_profiles():
    """All of them, but for pipecat's, which is that of rtvi in protobuf."""
    assert {name for name, profile in PROFILES.items() if profile.goodbye is not None} == {
        *GOODBYES,
        "pipecat",
    }


@pytest.mark.parametrize("name", GOODBYES)
async def test_a_client_that_says_goodbye(name):
    """It is answered, and its connection ended, as servers of the protocol do; it need not come back."""
    said, answer, code = GOODBYES[name]
    async with served({"profile": name}) as (client, orchestrator):
        await asyncio.sleep(1)
        await client.send(said)
        if answer is not None:
            heard = await client.recv(within="1s")
            text = heard.decode() if isinstance(heard, bytes) else heard
            assert re.fullmatch(answer, text, re.DOTALL)
        await asyncio.sleep(1)

        close = client.timeline.close
        assert (None if close is None else close.code) == code
        if code is not None:
            (attempt,) = orchestrator.attempts
            assert attempt.timeline.close.local_reason is LocalReason.GOODBYE
            assert attempt.said_goodbye


@pytest.mark.parametrize("name", ["pipecat"])
async def test_a_client_that_says_goodbye_in_protobuf(name):
    said = bytes(PROFILES[name].words.write(Role.GOODBYE, {}))
    async with served({"profile": name}) as (client, _):
        await client.send(said)
        await asyncio.sleep(1)

        assert client.timeline.close.code == 1000


async def test_who_asks_for_no_receipt_gets_none():
    """STOMP 1.2, "DISCONNECT": the receipt is the client's wish."""
    async with served({"profile": "stomp"}) as (client, _):
        await client.send("DISCONNECT\n\n\0")
        await asyncio.sleep(1)

        assert client.timeline.close.code == 1000
        assert not client.timeline.irregular
        with pytest.raises(ConnectionEnded):
            await client.recv(within="1s")


async def test_what_a_function_leaves_unsaid():
    """A server that answers every other heartbeat: nothing is wrong with the profile."""
    ours = Profile(
        name="ours",
        ping=Codec(re.compile("hb (?P<id>[0-9]+)"), "hb {id}"),
        pong=Codec(
            re.compile("ok (?P<id>[0-9]+)"),
            lambda values: f"ok {values['id']}" if int(values["id"]) % 2 else None,
            names=("id",),
        ),
        interval=5,
    )
    async with served({"profile": ours}) as (client, orchestrator):
        await asyncio.sleep(21)

        trips = client.timeline.heartbeats
        assert (trips.sent, trips.answered) == (4, 2)
        assert not orchestrator.sessions[0].timeline.irregular


@pytest.mark.parametrize("name", ["socketio", "signalr", "wamp"])
async def test_a_client_that_closes_after_its_goodbye_has_left(name):
    """With an empty close frame, as libraries do, which alone says nothing."""
    said, _, _ = GOODBYES[name]
    async with Orchestrator(profile=name) as orchestrator:
        for words in ([said], []):
            async with opened(orchestrator.url, profile=name) as client:
                await client.assert_session_confirmed(within="1s")
                for each in words:
                    await client.send(each)
                client.websocket.start_close(None)

        assert [each.said_goodbye for each in orchestrator.attempts] == [True, False]
        assert not any(each.timeline.errors or each.timeline.notices for each in orchestrator.attempts)


async def test_what_answers_the_routers_goodbye_is_none():
    """A second one would be an error to the client (autobahn)."""
    behaviour = [("1s", faults.SendNotice())]
    server = {"profile": "wamp", "faults": behaviour}
    async with served(server, profile="wamp") as (client, _):
        await asyncio.sleep(2)
        await client.send('[6,{},"wamp.close.normal"]')

        with pytest.raises(TimeoutError):
            await client.recv(within="1s")


async def test_a_handler_says_goodbye_itself():
    """It is given the message, and the connection is its own."""
    heard = []

    async def handler(connection):
        heard.append(await connection.recv())
        await asyncio.sleep(5)
        await connection.send("bye")

    server = Orchestrator(profile="deepgram", handler=handler)
    async with server as orchestrator, opened(orchestrator.url, profile="deepgram") as client:
        await client.send('{"type":"CloseStream"}')

        assert await client.recv(within="6s") == "bye"
        assert heard == ['{"type":"CloseStream"}']


@pytest.mark.parametrize("name", BEATING)
async def test_ten_heartbeats(name):
    """In the right direction, answered where an answer is due, and nobody ends anything."""
    profile = PROFILES[name]
    every = {"ocpp": 300, "ocpp2.0.1": 300}.get(name, profile.interval)
    async with served({"profile": name}) as (client, orchestrator):
        await asyncio.sleep(10.5 * every)
        await client.assert_alive_for(10 * every)
        (session,) = orchestrator.sessions

        sender = SENT if profile.beats(End.CLIENT) else RECEIVED
        assert client.timeline.heartbeat_sender is sender
        assert session.timeline.heartbeat_sender is not sender
        for timeline in (client.timeline, session.timeline):
            assert timeline.heartbeats.sent == 10
            due = profile.shape is HeartbeatShape.ANSWERED
            assert timeline.heartbeats.answered == (10 if due else 0)
            assert timeline.heartbeats.oldest_pending is None
        if profile.facts.both_ask:
            assert client.timeline.server_heartbeats.sent == 10


@pytest.mark.parametrize(
    ("name", "options", "end"),
    [
        ("engineio", {"client": "mute"}, "Engine.IO's ping timeout of 20 s ran out"),
        ("socketio", {"client": "mute"}, "Engine.IO's ping timeout of 20 s ran out"),
        ("phoenix", {"heartbeat": False}, "the timeout of Phoenix' socket transport of 60 s ran out"),
        ("phoenix", {"heartbeat": "70s"}, "the timeout of Phoenix' socket transport of 60 s ran out"),
        ("signalr", {"heartbeat": False}, "SignalR's client timeout of 30 s ran out"),
        ("stomp", {"heartbeat": False}, "the broker's heart-beat tolerance of 30 s ran out"),
        ("mqtt", {"heartbeat": False}, "MQTT's keep-alive of 90 s ran out"),
        ("deepgram", {"heartbeat": False}, "Deepgram's timeout without audio of 10 s ran out"),
        ("deepgram", {"heartbeat": "11s"}, "Deepgram's timeout without audio of 10 s ran out"),
        ("openai-realtime", {}, "OpenAI's limit of 60 minutes a session of 3600 s ran out"),
    ],
)
async def test_the_orchestrator_runs_the_protocols_timers(name, options, end):
    """As the protocol's own server does, and says which it was."""
    async with served({"profile": name}, **options) as (client, orchestrator):
        await client.websocket.wait_ended()
        close = orchestrator.sessions[0].timeline.close

        assert close.local_reason is LocalReason.PROTOCOL_TIMER
        assert close.local_detail.startswith(end.replace("3600 s", "1 h"))
        timer = next(each for each in PROFILES[name].timers if end.startswith(each.name))
        assert client.timeline.close.code == timer.code


async def test_a_mute_client_keeps_its_answers_back():
    """Of every heartbeat; it still sends its own."""
    async with (
        Orchestrator(profile="graphql-transport-ws", heartbeat_interval="5s") as orchestrator,
        opened(orchestrator.url, profile="graphql-transport-ws", client="mute", heartbeat="7s") as client,
    ):
        await asyncio.sleep(31)

        assert (client.timeline.heartbeats.sent, client.timeline.heartbeats.answered) == (4, 4)
        beats = orchestrator.sessions[0].timeline.server_heartbeats
        assert (beats.sent, beats.answered) == (6, 0)


async def test_intervals_that_the_server_names_are_recorded():
    """At both ends."""
    async with served({"profile": "ocpp", "heartbeat_interval": "40s"}) as (client, _):
        await asyncio.sleep(201)

        assert client.timeline.intervals.client == 40
        assert client.timeline.heartbeats.sent == 5


@pytest.mark.parametrize(
    ("name", "knows", "resumed"),
    [
        ("socketio-recovery", True, True),
        ("socketio-recovery", False, False),
        ("json", True, True),
        ("stomp", True, False),
    ],
)
async def test_a_client_comes_back(name, knows, resumed):
    """To its session, where the protocol and the server know it."""
    async with served({"profile": name}) as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        await first.close()
        if not knows:
            orchestrator._registry._by_id.clear()
        second = await first.reconnect()
        await second.assert_session_confirmed(within="1s")

        assert second.websocket.conversation.resumed in (resumed, None)
        assert (second.session_id == first.session_id) is resumed
        await second.close()


async def test_a_session_that_is_lost_is_told():
    """The assertion says that another one was confirmed."""
    async with served({"profile": "socketio-recovery"}) as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        await first.close()
        orchestrator._registry._by_id.clear()
        second = await first.reconnect()
        with pytest.raises(StabilityError) as caught:
            await second.assert_session_resumed(within="1s")
        await second.close()

        assert "was confirmed: the server did not know the old one" in str(caught.value)


async def test_a_server_withholds_its_own_heartbeats():
    """Where the protocol has it ask."""
    async with (
        Orchestrator(profile="engineio", faults=[("60s", faults.WithholdHeartbeats())]) as orchestrator,
        opened(orchestrator.url, profile="engineio") as client,
    ):
        await asyncio.sleep(200)

        assert client.timeline.heartbeats.sent == 2
        with pytest.raises(StabilityError):
            await client.assert_stable(alive_for="180s", heartbeat_every="25s")


@pytest.mark.parametrize(
    "fault", [faults.WithholdHeartbeats(), faults.Blackhole()], ids=["it stops to ask", "a dead path"]
)
async def test_a_server_that_asks_no_more_is_not_stable_because_it_was_answered_before(fault):
    """`heartbeat_within` alone, as for Socket.IO: it named 25 s, and 37.5 s are too long."""
    async with served({"profile": "socketio", "faults": [("60s", fault)]}) as (client, _):
        with pytest.raises(StabilityError, match=r"^no message for 37\.5 s ") as caught:
            await client.assert_stable(alive_for="10m", heartbeat_within="5s")

    assert client.timeline.duration == pytest.approx(87.5, abs=0.1)
    assert "the server sent no heartbeat for 37.5 s" in str(caught.value)


@pytest.mark.parametrize("name", ["frames", "deepgram", "twilio"])
async def test_a_session_that_nobody_confirms_is_an_error_of_the_test(name):
    """The profile has none, and the server is not to blame."""
    async with served({"profile": name}) as (client, _):
        words = (
            f"^assert_session_confirmed: the profile {name!r} has no session to confirm; "
            r"say which message confirms it \(session_confirmed=\)$"
        )
        with pytest.raises(ValueError, match=words):
            await client.assert_session_confirmed(within="1s")


async def test_no_greeting_is_missed_where_the_protocol_has_none():
    """The client begins by itself."""
    async with served({"profile": "engineio", "confirm_sessions": False}) as (client, _):
        with pytest.raises(StabilityError) as caught:
            await client.assert_session_confirmed(within="1s")

        assert "no greeting arrived" not in caught.value.verdict.violations[0].observed


# What a profile brings to the opening.


async def test_a_profile_brings_its_subprotocol_and_its_query():
    """The user's own come first."""
    async with Orchestrator(profile="mqtt") as orchestrator:
        async with opened(orchestrator.url, profile="mqtt") as client:
            assert client.subprotocol == "mqtt"
        async with opened(orchestrator.url, profile="mqtt", subprotocols=["other"]) as client:
            assert client.subprotocol is None
            assert not client.timeline.irregular


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("/", "GET /?EIO=4&transport=websocket "),
        ("", "GET /?EIO=4&transport=websocket "),
        ("/socket.io/?a=1", "GET /socket.io/?a=1&EIO=4&transport=websocket "),
        ("/socket.io/?EIO=3", "GET /socket.io/?EIO=3&transport=websocket "),
    ],
)
async def test_a_profile_adds_to_the_url_what_is_not_there(url, asked):
    """As the protocol's clients do."""
    requests = []

    async def script(peer):
        requests.append((await peer.upgrade()).decode())

    profile = find("engineio").replace(headers={"X-One": "1", "X-Two": "2"})
    async with (
        serving(script) as address,
        opened(address.rstrip("/") + url, profile=profile, headers={"x-two": "mine"}),
    ):
        pass

    assert requests[0].startswith(asked)
    assert "X-One: 1" in requests[0]
    assert "X-Two: 2" not in requests[0]


async def test_a_subprotocol_that_was_not_chosen_is_told():
    """Browsers and node's ws would have gone no further."""

    async def script(peer):
        await asyncio.sleep(100)

    async with talking(script, profile="mqtt") as client:
        (flaw,) = client.timeline.irregular

        assert (flaw.flaw, flaw.detail) == (
            Flaw.SUBPROTOCOL,
            "'mqtt' was offered, and none chosen: browsers and node's ws go no further",
        )
        with pytest.raises(StabilityError, match="a subprotocol that was not chosen"):
            await client.assert_alive_for("1s")


# Bad input.


def fails(*_):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (Profile(name="x", ping="p", pong=fails), "pong raised RuntimeError('boom') for 'hello'"),
        (
            Profile(name="x", session_info=Codec(fails, fails), session_confirmed="ok"),
            "session_info: write raised RuntimeError('boom')",
        ),
    ],
)
async def test_a_function_that_raises_fails_the_test(profile, words):
    """Nobody on the connection is blamed."""

    async def script(peer):
        peer.send(frame(TEXT, b"hello"))
        await answer_pings(peer)

    async with talking(script, profile=profile) as client:
        await asyncio.sleep(1)
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2s")

    assert caught.value.verdict.outcome.value == "inconclusive"
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("opening", "words"),
    [
        (
            '0{"sid":"s","pingInterval":0,"pingTimeout":20000}',
            "a heartbeat interval of the server of 0 s; 100 ms to 24 h make sense",
        ),
        (
            '0{"sid":"s","pingInterval":604800000,"pingTimeout":20000}',
            "a heartbeat interval of the server of 168 h; 100 ms to 24 h make sense",
        ),
    ],
)
async def test_an_interval_that_makes_no_sense_fails_the_test(opening, words):
    """With the value and the valid ones."""

    async def script(peer):
        peer.send(frame(TEXT, opening.encode()))
        await asyncio.sleep(100)

    async with talking(script, profile="engineio") as client:
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2s")

    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("profile", "messages", "words"),
    [
        (
            "socketio",
            ['0{"sid":"s","pingInterval":25000,"pingTimeout":20000}', "40"],
            "another version of the protocol: '40': an Engine.IO 3 server, which joins by itself and waits",
        ),
        (
            Profile(name="numbers", ping={"op": "hb", "last": SEQUENCE}, sequence="n"),
            ['{"n":7}', '{"n":5}'],
            "a sequence number that goes back: number 5 came after number 7",
        ),
        (
            "signalr",
            ["x" * 1_100_000],
            "a message without an end: 1100000 bytes came without the end of a message",
        ),
    ],
)
async def test_a_peer_that_breaks_its_protocol_is_unstable(profile, messages, words):
    """The verdict says how, and nothing hangs."""

    async def script(peer):
        for message in messages:
            peer.send(frame(TEXT, message.encode()))
        await answer_pings(peer)

    async with talking(script, profile=profile, max_size=None) as client:
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2s")

    assert caught.value.verdict.outcome.value == "unstable"
    assert words in " ".join(str(caught.value).split())


async def test_two_patterns_that_match_one_message_prove_nothing():
    """Both are named, with the message."""
    profile = Profile(name="x", greeting=re.compile("h.*"), notice=re.compile(".*o"))

    async def script(peer):
        peer.send(frame(TEXT, b"hello"))
        await answer_pings(peer)

    async with talking(script, profile=profile) as client:
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2s")

    assert caught.value.verdict.outcome.value == "inconclusive"
    assert "both match 'hello'" in str(caught.value)


async def test_a_greeting_of_10_mb_is_no_greeting():
    """It is told, and nothing hangs."""

    async def script(peer):
        await peer.upgrade()
        peer.send(frame(TEXT, b'{"type":"connection_established","x":"' + b"x" * 10_000_000 + b'"}'))
        await asyncio.sleep(100)

    async with serving(script) as url, opened(url, max_size=None) as client:
        with pytest.raises(StabilityError) as caught:
            await client.assert_session_confirmed(within="3s")

    assert "no greeting" in str(caught.value)


@pytest.mark.parametrize(
    ("profile", "session_id", "words"),
    [
        (
            "mqtt",
            "\ud800",
            "session_id: '\\ud800' cannot be sent in UTF-8: surrogates not allowed at position 0",
        ),
        (
            "json",
            "a\udc00",
            "session_id: 'a\\udc00' cannot be sent in UTF-8: surrogates not allowed at position 1",
        ),
        ("mqtt", "x" * 65536, "session_id: session_info: 'x"),
    ],
)
async def test_a_session_id_that_cannot_be_sent_is_refused(profile, session_id, words):
    """Before anything is opened."""
    with pytest.raises(ValueError, match="session_id") as caught:
        async with opened("ws://127.0.0.1:1/", profile=profile, session_id=session_id):
            pass

    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("profile", "interval", "words"),
    [
        ("json", "5s", "heartbeat_interval: '5s': servers of the profile 'json' neither send heartbeats"),
        ("frames", 5, "heartbeat_interval: 5: servers of the profile 'frames' neither send heartbeats"),
        ("deepgram", 5, "heartbeat_interval: 5: servers of the profile 'deepgram' neither send heartbeats"),
    ],
)
def test_a_heartbeat_of_a_server_that_sends_none_is_refused(profile, interval, words):
    """By name."""
    with pytest.raises(ValueError, match=f"^{words}"):
        Orchestrator(profile=profile, heartbeat_interval=interval)


def test_a_profile_that_can_only_be_read_cannot_be_played():
    """The field is named, and what helps."""
    profile = Profile(name="x", ping="p", pong=lambda message: message.startswith("pong"))
    words = (
        r"profile 'x': pong can only be read, and the server has to send it: give pong=Codec\(read, write\)"
    )
    with pytest.raises(ValueError, match=f"^{words}$"):
        Orchestrator(profile=profile)


async def test_a_protocols_own_timers_stand_in_for_the_storys():
    """The orchestrator's read deadline and pings are for protocols without timers of their own."""
    assert (Orchestrator().behaviour.read_deadline, Orchestrator().behaviour.ping_interval) == (60, 30)
    for name in ("mqtt", "engineio", "openai-realtime"):
        behaviour = Orchestrator(profile=name).behaviour
        assert (behaviour.read_deadline, behaviour.ping_interval) == (None, None)
    assert Orchestrator(profile="mqtt", ping_interval="20s").behaviour.ping_interval == 20


async def test_the_time_of_day_is_said():
    """By a loop that began at its instant 0."""
    profile = Profile(name="x", ping={"at": NOW_TEXT, "id": ID}, pong={"ok": ID})
    async with served({"profile": profile}, heartbeat="5s") as (client, _):
        await asyncio.sleep(6)
        assert client.timeline.heartbeats.answered == 1
        assert client.websocket.conversation._state.epoch > 1_500_000_000


def test_what_a_profile_lacks_stays_out_of_the_requirement():
    """No answer is due where heartbeats are one-way."""
    assert Requirement.of(heartbeat_every="5s").answer_within == 5
    assert JSON.shape is HeartbeatShape.ANSWERED
    assert Role.ERROR.name == "ERROR"


# A profile that nobody speaks.


@pytest.mark.parametrize(
    ("spoken", "asked", "told"),
    [
        (
            "socketio",
            "json",
            "nothing here looks like `json`; this looks like Engine.IO 4: --ws-profile socketio",
        ),
        ("socketio", "frames", "this looks like Engine.IO 4: --ws-profile socketio"),
        (
            "openai-realtime",
            "json",
            "nothing here looks like `json`; this looks like OpenAI Realtime: --ws-profile openai-realtime",
        ),
        (
            "json",
            "socketio",
            "nothing here looks like `socketio`; this looks like JSON messages: --ws-profile json",
        ),
    ],
)
async def test_a_profile_that_nobody_speaks_is_noticed(spoken, asked, told):
    """The failure names the one that is spoken."""
    async with served({"profile": spoken}, profile=asked) as (client, _):
        with pytest.raises(StabilityError) as caught:
            await client.assert_stable(alive_for="5s", heartbeat_every="1s", heartbeats_at_least=9)

        assert f"  profile   {told}" in str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("asked", "options", "told"),
    [
        ("graphql-transport-ws", {}, "GraphQL over WebSocket: --ws-profile graphql-transport-ws"),
        ("mqtt", {"subprotocols": ["other"]}, "MQTT 3.1.1: --ws-profile mqtt"),
        ("phoenix", {}, "Phoenix channels: --ws-profile phoenix"),
    ],
)
async def test_the_orchestrator_notices_a_client_of_another_protocol(asked, options, told):
    """By what it says, or what it offered."""
    async with served(profile=asked, **options) as (_, orchestrator):
        await asyncio.sleep(1)

        spoken = misfit(orchestrator.attempts[0].timeline)
        assert spoken == f"nothing here looks like `json`; this looks like {told}"


@pytest.mark.parametrize("name", SHIPPED)
async def test_a_profile_that_is_spoken_looks_like_nothing_else(name):
    """At either end, and whatever the path says."""
    async with (
        Orchestrator(profile=name) as orchestrator,
        opened(f"{orchestrator.url}graphql", profile=name) as client,
    ):
        await asyncio.sleep(1)
        if PROFILES[name].has_session:
            assert client.timeline.looks_like is None
            if PROFILES[name].session_info is not None:
                assert orchestrator.sessions[0].timeline.looks_like is None


async def test_a_message_of_the_protocol_that_comes_late_counts():
    """Whatever came before it looked like."""

    async def script(peer):
        await peer.upgrade()
        peer.send(frame(TEXT, b'{"type":"session.created","session":{"id":"s"}}'))
        await asyncio.sleep(1)
        peer.send(frame(TEXT, b'{"type":"connection_established"}'))
        await asyncio.sleep(100)

    async with serving(script) as url, opened(url) as client:
        await asyncio.sleep(0.5)
        assert client.timeline.looks_like.profile == "openai-realtime"
        await asyncio.sleep(1)
        assert client.timeline.looks_like is None


async def test_intervals_that_were_named_stand_in_a_failure():
    """So that nobody has to look for them."""
    async with served({"profile": "engineio", "heartbeat_interval": "40s"}, client="mute") as (client, _):
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("2m")

    assert (
        "  agreed    heartbeats of the server every 40 s; 20 s for an answer"
        in str(caught.value).splitlines()
    )

"""Conversations: instants and messages in, messages and instants out, no socket and no clock."""

from __future__ import annotations

import json
import re
import sys

import pytest

from pytest_wsstability.core.timeline.events import End, Role
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.core.timeline.protocol_facts import Awaited, ProtocolTimer
from pytest_wsstability.profiles import (
    FRAMES,
    ID,
    INTERVAL,
    INTERVAL_MS,
    JSON,
    SEQUENCE,
    SESSION_ID,
    TIMEOUT_MS,
    TOKEN,
    Codec,
    Conversation,
    HangUp,
    Intervals,
    Prefixed,
    Profile,
    Resumption,
    SessionStep,
)
from pytest_wsstability.profiles.catalogue import find
from pytest_wsstability.profiles.records import Records
from pytest_wsstability.profiles.speech import Say
from tests.profiles.dialogue import Dialogue

CLIENT, SERVER = End.CLIENT, End.SERVER

# The shapes of heartbeat.
BY_ID = Profile(name="by-id", ping={"op": "ping", "id": ID}, pong={"op": "pong", "id": ID})
RPC = Profile(
    name="rpc",
    session_info={"id": ID, "method": "initialize"},
    session_confirmed={"id": ID, "result": {}},
    ping={"id": ID, "method": "ping"},
    pong={"id": ID, "result": {}},
    match_ids=True,
)
ONE_WAY = Profile(name="one-way", ping={"type": "KeepAlive"}, interval=5)
BOTH_WAYS = Profile(name="both-ways", ping="\n", heartbeats_from="both")
BOTH_ASK = Profile(name="both-ask", ping={"type": "ping"}, pong={"type": "pong"}, heartbeats_from="both")
ECHO = Profile(name="echo", ping="hb", pong="hb")

# Named by the server: the session and the intervals; the server asks.
ENGINE = Profile(
    name="engine",
    session_confirmed=Prefixed(
        "0", {"sid": SESSION_ID, "pingInterval": INTERVAL_MS, "pingTimeout": TIMEOUT_MS}
    ),
    ping="2",
    pong="3",
    heartbeats_from="server",
    interval=25,
    timeout=20,
    timers=(
        ProtocolTimer(
            name="the ping timeout", by=SERVER, awaits=Awaited.ANSWER, seconds=20, code=1005,
        ),
    ),
)  # fmt: skip
# Hello with an interval, identify or resume, numbered events.
GATEWAY = Profile(
    name="gateway",
    greeting={"op": 10, "d": {"heartbeat_interval": INTERVAL_MS}},
    session_info={"op": 2, "d": {"token": "t"}},
    session_confirmed={"op": 0, "t": "READY", "d": {"session_id": SESSION_ID}},
    resume={"op": 6, "d": {"session_id": SESSION_ID, "seq": SEQUENCE}},
    resumed={"op": 0, "t": "RESUMED"},
    resume_refused={"op": 9},
    ping={"op": 1, "d": SEQUENCE},
    pong={"op": 11},
    sequence="s",
)
LINES = Profile(name="lines", ping='{"type":6}', heartbeats_from="both", records="\x1e")
AUTH = Profile(
    name="auth",
    greeting="who?",
    steps=(SessionStep(CLIENT, "user"), SessionStep(SERVER, "challenge"), SessionStep(CLIENT, "proof")),
    session_info="login",
    session_confirmed="in",
)


def talk(profile, end=CLIENT, **state):
    return Conversation(profile, end, **state)


def said(conversation, acts, now=0.0):
    return [(act.role, conversation.write(act, now)) for act in acts]


def run(conversation, until, now=0.0):
    """What a conversation does by itself, as ``(instant, what)``."""
    done = []
    while conversation.at is not None and conversation.at <= until:
        now = conversation.at
        for act in conversation.due(now):
            if isinstance(act, HangUp):
                return [*done, (now, act.timer.name)]
            done.append((now, conversation.write(act, now)))
            conversation.said(act, now)
    return done


def test_what_went_out_tells_whether_the_next_instant_has_moved():
    """The first open question does, where an answer has its time."""
    client, server = talk(JSON, interval=25.0), talk(ENGINE, SERVER)
    for each in (client, server):
        each.opened(0.0)
        (beat,) = each.due(25.0)
        assert each.at == 50.0

    assert [client.said(beat, 25.0), client.at] == [False, 50.0]
    assert [server.said(Say(Role.SESSION_CONFIRMED), 25.0), server.at] == [False, 50.0]
    assert [server.said(beat, 25.0), server.at] == [True, 45.0]
    assert [server.said(beat, 26.0), server.at] == [False, 45.0]


# Sessions.


def test_a_client_waits_for_the_greeting():
    """Then it names its session, once."""
    client = talk(JSON, session_id="s-1")
    assert client.opened(0.0) == ()

    greeting = client.hear('{"type":"connection_established"}', 0.1)
    assert said(client, client.answer(greeting)) == [
        (Role.SESSION_INFO, '{"type":"session_info","session_id":"s-1"}')
    ]
    assert client.answer(client.hear('{"type":"connection_established"}', 0.2)) == ()
    confirmed = client.hear('{"type":"session_confirmed","session_id":"s-1"}', 0.3)
    assert (confirmed.role, confirmed.session_id) == (Role.SESSION_CONFIRMED, "s-1")
    assert client.answer(confirmed) == ()


def test_a_server_greets_and_confirms_whom_the_client_names():
    """With the client's own id."""
    server = talk(JSON, SERVER)
    assert said(server, server.opened(0.0)) == [(Role.GREETING, '{"type":"connection_established"}')]

    info = server.hear('{"type":"session_info","session_id":"s-1"}', 0.1)
    assert said(server, server.answer(info)) == [
        (Role.SESSION_CONFIRMED, '{"type":"session_confirmed","session_id":"s-1"}')
    ]
    assert server.session_id == "s-1"


def test_a_confirmation_can_be_wrong_on_purpose():
    """Somebody else's session."""
    server = talk(JSON, SERVER)
    server.opened(0.0)
    (confirm,) = server.answer(server.hear('{"type":"session_info","session_id":"s-1"}', 0.1))

    assert '"other"' in server.write(confirm, 0.2, session_id="other")


def test_nested_ids_confirm_the_right_session_and_no_other():
    """At any depth, in both roles."""
    nested = Profile(
        name="nested",
        session_info={"type": "join", "d": {"id": SESSION_ID}},
        session_confirmed={"type": "joined", "d": {"id": SESSION_ID}},
    )
    client, server = talk(nested, session_id="abc"), talk(nested, SERVER)
    (join,) = client.opened(0.0)
    written = client.write(join, 0.0)
    (confirm,) = server.answer(server.hear(written, 0.1))

    assert written == '{"type":"join","d":{"id":"abc"}}'
    assert client.hear(server.write(confirm, 0.1), 0.2).session_id == "abc"
    assert client.hear('{"type":"joined","d":{"id":"xyz"}}', 0.3).session_id == "xyz"
    # An echo of the request is no confirmation.
    assert client.hear(written, 0.4).role is Role.SESSION_INFO


def test_a_server_names_the_session():
    """In what it says first; the client takes it over."""
    server, client = talk(ENGINE, SERVER, session_id="sid-9"), talk(ENGINE, session_id="mine")
    (opening,) = server.opened(0.0)
    client.opened(0.0)
    text = server.write(opening, 0.0)

    assert text == '0{"sid":"sid-9","pingInterval":25000,"pingTimeout":20000}'
    heard = client.hear(text, 0.1)
    assert (heard.role, client.session_id) == (Role.SESSION_CONFIRMED, "sid-9")
    assert client.intervals == Intervals(client=None, server=25.0, timeout=20.0)


def _read_welcome(text):
    found = json.loads(text)
    return {"session_id": found["sid"], "interval": found["every"]} if found["op"] == "welcome" else None


@pytest.mark.parametrize(
    "says",
    [
        {"steps": (SessionStep(SERVER, {"op": "welcome", "sid": SESSION_ID, "every": INTERVAL}),)},
        {"session_confirmed": _read_welcome},
        {"session_confirmed": Codec(_read_welcome, lambda values: "{}")},
        {"greeting": Codec(_read_welcome)},
        {
            "session_confirmed": re.compile(
                '{"op":"welcome","sid":"(?P<session_id>[^"]+)","every":(?P<interval>[0-9]+)}'
            )
        },
    ],
    ids=["step", "function", "codec", "greeting", "pattern"],
)
def test_whatever_names_the_session_and_the_interval_is_heard(says):
    """A step as the greeting does; a function that does not say beforehand what it will tell, too."""
    client = talk(Profile(name="told", ping="hb", pong="ack", **says), session_id="mine")
    client.opened(0.0)
    client.hear('{"op":"welcome","sid":"theirs","every":5}', 1.0)

    assert client.session_id == "theirs"
    assert client.intervals == Intervals(5.0, None, None)
    assert run(client, 12.0) == [(6.0, "hb"), (11.0, "hb")]


def test_who_names_the_session_itself_keeps_its_name():
    """Whatever a function reads in the server's messages."""
    profile = Profile(name="told", session_info={"join": SESSION_ID}, session_confirmed=_read_welcome)
    client = talk(profile, session_id="mine")
    client.opened(0.0)
    client.hear('{"op":"welcome","sid":"theirs","every":5}', 1.0)

    assert client.session_id == "mine"


@pytest.mark.parametrize(
    ("channel", "role"), [("ChatChannel", Role.SESSION_REFUSED), ("AdminChannel", Role.DATA)]
)
def test_a_channel_that_a_workload_has_asked_for_is_refused_to_it(channel, role):
    """The session is that of the channel that was confirmed."""
    client = talk(find("actioncable"))
    client.opened(0.0)
    answer = '{"identifier":"{\\"channel\\":\\"%s\\"}","type":"%s_subscription"}'
    before = client.hear(answer % (channel, "reject"), 0.5).role
    client.hear(answer % ("ChatChannel", "confirm"), 1.0)

    assert before is Role.SESSION_REFUSED
    assert client.hear(answer % (channel, "reject"), 2.0).role is role


def test_a_step_leaves_the_interval_to_what_comes_later():
    """The confirmation is what has the last word."""
    profile = Profile(
        name="late",
        steps=(SessionStep(SERVER, "step"),),
        session_info="login",
        session_confirmed=f"in every {INTERVAL}",
        ping="hb",
        pong="ack",
        interval=3,
    )
    client = talk(profile)
    client.opened(0.0)
    said(client, client.answer(client.hear("step", 1.0)))
    assert (client.at, client.intervals) == (None, None)
    client.hear("in every 7", 2.0)

    assert (client.at, client.intervals.client) == (9.0, 7.0)


def test_steps_are_taken_in_turn():
    """Each end says its own when the other one has said what comes before."""
    client, server = talk(AUTH), talk(AUTH, SERVER)
    assert client.opened(0.0) == ()
    spoken = []
    from_server = said(server, server.opened(0.0))
    while from_server:
        spoken += from_server
        from_client = [
            each for _, text in from_server for each in said(client, client.answer(client.hear(text, 1.0)))
        ]
        spoken += from_client
        from_server = [
            each for _, text in from_client for each in said(server, server.answer(server.hear(text, 1.0)))
        ]

    assert [text for _, text in spoken] == ["who?", "user", "challenge", "proof", "login", "in"]
    assert [role for role, _ in spoken[1:4]] == [Role.STEP] * 3


@pytest.mark.parametrize("interval", [None, 4.0])
@pytest.mark.parametrize("named", ["", f" every {INTERVAL}"])
def test_heartbeats_may_wait_for_the_session(interval, named):
    """Whoever says how often; the server's wait for nothing."""
    profile = Profile(
        name="waits",
        greeting=f"who?{named}",
        session_info="login",
        session_confirmed="in",
        ping="ping",
        pong="pong",
        heartbeats_from="both",
        heartbeats_in_session=True,
        interval=4,
    )
    client, server = talk(profile, interval=interval), talk(profile, SERVER)
    server.opened(0.0)
    client.opened(0.0)
    client.answer(client.hear("who? every 4" if named else "who?", 0.0))
    assert (client.at, server.at) == (None, 4.0)

    client.hear("in", 10.0)
    client.hear("in", 12.0)
    assert run(client, 19.0) == [(14.0, "ping"), (18.0, "ping")]


def test_a_start_without_confirmation():
    """The client says it, and nobody answers."""
    stream = Profile(name="stream", session_info={"event": "start", "streamSid": SESSION_ID})
    client, server = talk(stream, session_id="MZ1"), talk(stream, SERVER)
    (start,) = client.opened(0.0)
    heard = server.hear(client.write(start, 0.0), 0.0)

    assert (heard.role, heard.session_id) == (Role.SESSION_INFO, "MZ1")
    assert server.answer(heard) == ()
    assert not stream.has_session


# Resuming.


def test_a_client_comes_back_with_the_last_number_it_received():
    """On the next connection, in the place of session_info."""
    first = talk(GATEWAY)
    first.opened(0.0)
    first.answer(first.hear('{"op":10,"d":{"heartbeat_interval":1000}}', 0.0))
    first.hear('{"op":0,"t":"READY","s":1,"d":{"session_id":"S"}}', 0.1)
    first.hear('{"op":0,"t":"MESSAGE","s":7,"d":{}}', 0.2)
    assert first.resumption == Resumption("S", None, 7)

    second = talk(GATEWAY, before=first.resumption)
    second.opened(0.0)
    hello = second.hear('{"op":10,"d":{"heartbeat_interval":1000}}', 0.0)
    assert said(second, second.answer(hello)) == [
        (Role.SESSION_INFO, '{"op":6,"d":{"session_id":"S","seq":7}}')
    ]


@pytest.mark.parametrize(("known", "answer"), [(True, '{"op":0,"t":"RESUMED"}'), (False, '{"op":9}')])
def test_a_server_knows_who_comes_back(known, answer):
    """Or refuses."""
    server = talk(GATEWAY, SERVER, session_id="new", knows=lambda name: known and name == "S")
    server.opened(0.0)
    resume = server.hear('{"op":6,"d":{"session_id":"S","seq":7}}', 0.1)

    assert [text for _, text in said(server, server.answer(resume))] == [answer]


def test_a_session_that_is_gone_is_begun_anew_once():
    """A server that refuses the new one too would be asked without an end."""
    client = talk(GATEWAY, before=Resumption("S", None, 7))
    client.opened(0.0)
    client.answer(client.hear('{"op":10,"d":{"heartbeat_interval":1000}}', 0.0))
    gone = [said(client, client.answer(client.hear('{"op":9}', at))) for at in (0.1, 0.2)]

    assert gone == [[(Role.SESSION_INFO, '{"op":2,"d":{"token":"t"}}')], []]
    assert client.resumed is False


@pytest.mark.parametrize("before", [None, Resumption()])
def test_who_came_back_to_no_session_begins_none_anew(before):
    """What is refused is the session that it has begun."""
    client = talk(GATEWAY, before=before)
    client.opened(0.0)
    client.answer(client.hear('{"op":10,"d":{"heartbeat_interval":1000}}', 0.0))
    refused = client.hear('{"op":9}', 0.1)

    assert (refused.role, client.answer(refused)) == (Role.SESSION_REFUSED, ())


def test_a_token_of_the_server_is_what_comes_back():
    """Where the id alone is not enough."""
    profile = Profile(
        name="tokens",
        session_info="hello",
        session_confirmed={"sid": SESSION_ID, "pid": TOKEN},
        resume={"pid": TOKEN},
    )
    first = talk(profile)
    first.opened(0.0)
    first.hear('{"sid":"s","pid":"p-1"}', 0.1)
    second = talk(profile, before=first.resumption)

    assert [text for _, text in said(second, second.opened(0.0))] == ['{"pid":"p-1"}']


@pytest.mark.parametrize(
    ("before", "written"),
    [
        (Resumption("s", "p-1"), '{"pid":"p-1"}'),
        (Resumption(None, "p-1"), '{"pid":"p-1"}'),
        # The id alone does not bring this one back.
        (Resumption("s"), "hello"),
        (Resumption(), "hello"),
    ],
)
def test_who_comes_back_with_a_token_has_one(before, written):
    """An id is not needed beside it."""
    profile = Profile(name="t", session_info="hello", session_confirmed={"pid": TOKEN}, resume={"pid": TOKEN})
    client = talk(profile, before=before)

    assert [text for _, text in said(client, client.opened(0.0))] == [written]


@pytest.mark.parametrize(("name", "written"), [("s", '{"sid":"s"}'), (None, "hello")])
def test_who_comes_back_with_an_id_has_one(name, written):
    """Nothing else brings this one back."""
    sid = {"sid": SESSION_ID}
    profile = Profile(name="ids", session_info="hello", session_confirmed={"ok": sid}, resume=sid)
    client = talk(profile, before=Resumption(name))

    assert [text for _, text in said(client, client.opened(0.0))] == [written]


def test_a_token_is_that_of_the_server_or_the_id_where_it_gave_none():
    """A server that is asked for one has nothing else either."""
    profile = Profile(name="tokens", session_confirmed={"pid": TOKEN}, ping={"with": TOKEN})
    client, server = talk(profile, session_id="c"), talk(profile, SERVER, session_id="s")
    beat = client.beat()
    before = client.write(beat, 0.0)
    client.hear('{"pid":"p-1"}', 0.1)

    assert (before, client.write(beat, 0.2)) == ('{"with":"c"}', '{"with":"p-1"}')
    assert server.write(Say(Role.SESSION_CONFIRMED), 0.0) == '{"pid":"s"}'


def test_a_number_that_goes_back_is_told():
    """With both numbers."""
    client = talk(GATEWAY)
    client.opened(0.0)
    client.hear('{"op":0,"s":9}', 0.1)
    problem = client.hear('{"op":0,"s":8}', 0.2).problem

    assert problem == (Flaw.SEQUENCE, "number 8 came after number 9")
    assert client.hear('{"op":0,"s":8}', 0.3).problem is None


def test_a_number_that_is_none_leaves_the_last_one():
    """What is wrong with it is told where messages are counted."""
    client = talk(GATEWAY)
    client.opened(0.0)
    client.hear('{"op":0,"s":7}', 0.1)

    assert client.hear('{"op":0,"s":[8]}', 0.2).problem is None
    assert client.resumption.sequence == 7


def test_a_server_that_forgets_knows_nobody():
    """As one that restarts without its memory."""
    server = talk(GATEWAY, SERVER, session_id="new", knows=lambda name: name == "S")
    server.opened(0.0)
    server.forget()
    resume = server.hear('{"op":6,"d":{"session_id":"S","seq":7}}', 0.1)

    assert [text for _, text in said(server, server.answer(resume))] == ['{"op":9}']
    talk(JSON, SERVER).forget()


# Heartbeats.


def test_heartbeats_keep_their_instants():
    """A late call shifts none of the later ones, and those that were slept through are lost."""
    client = talk(JSON, interval=25.0)
    client.opened(100.0)
    assert client.at == 125.0
    assert [act.role for act in client.due(126.0)] == [Role.HEARTBEAT]
    assert client.at == 150.0
    assert client.due(149.0) == []
    assert len(client.due(205.0)) == 1
    assert client.at == 225.0


def test_a_server_waits_for_an_answer_as_long_as_its_protocol_says():
    """Where nobody named another time; the timer's own is for protocols that say none."""
    patience = ProtocolTimer(name="patience", by=SERVER, awaits=Awaited.ANSWER, seconds=20, code=1000)
    profile = Profile(
        name="x", ping="?", pong="!", heartbeats_from="server", interval=10, timeout=5, timers=(patience,)
    )
    for each, ends in ((profile, 15.0), (profile.replace(timeout=None), 30.0)):
        server = talk(each, SERVER)
        server.opened(0.0)
        assert run(server, 60.0)[-1] == (ends, "patience")


def test_heartbeats_are_put_forward_by_a_quarter_of_their_interval():
    """Those that come next, and all after them; what has none to send puts nothing forward."""
    client, silent = talk(JSON, interval=8.0), talk(JSON)
    for each in (client, silent):
        each.opened(0.0)
        each.shift()

    assert client.at == 6.0
    client.due(6.0)
    assert client.at == 14.0
    assert silent.at is None


def test_a_loop_may_call_back_a_little_early():
    """By less than its clock can tell."""
    client = talk(JSON, interval=25.0)
    client.opened(0.0)

    assert len(client.due(25.0 - 1e-9)) == 1
    assert client.at == 50.0


@pytest.mark.parametrize(
    ("profile", "end", "state", "written"),
    [
        # Nobody said how often.
        (JSON, CLIENT, {}, []),
        # The protocol's own interval, and what the test says instead.
        (ONE_WAY, CLIENT, {}, [(5.0, '{"type":"KeepAlive"}'), (10.0, '{"type":"KeepAlive"}')]),
        (ONE_WAY, CLIENT, {"interval": 8.0}, [(8.0, '{"type":"KeepAlive"}')]),
        (ONE_WAY, CLIENT, {"beats": False}, []),
        (ONE_WAY, SERVER, {}, []),
        (BOTH_WAYS, CLIENT, {"interval": 9.0}, [(9.0, "\n")]),
        (BOTH_WAYS, SERVER, {"interval": 9.0}, [(9.0, "\n")]),
        (BY_ID, CLIENT, {"interval": 6.0}, [(6.0, '{"op":"ping","id":1}'), (12.0, '{"op":"ping","id":2}')]),
    ],
)
def test_who_sends_heartbeats_and_how_often(profile, end, state, written):
    """For 12 seconds."""
    conversation = talk(profile, end, **state)
    conversation.opened(0.0)

    assert run(conversation, 12.0) == written


@pytest.mark.parametrize(
    ("profile", "end", "question", "answer"),
    [
        (JSON, SERVER, '{"type":"ping"}', ['{"type":"pong"}']),
        # The client of a protocol in which only clients ask answers nobody: an echo would answer itself.
        (JSON, CLIENT, '{"type":"ping"}', []),
        (BOTH_ASK, CLIENT, '{"type":"ping"}', ['{"type":"pong"}']),
        (BOTH_ASK, SERVER, '{"type":"ping"}', ['{"type":"pong"}']),
        (BY_ID, SERVER, '{"op":"ping","id":"x-7"}', ['{"op":"pong","id":"x-7"}']),
        (ENGINE, CLIENT, "2", ["3"]),
        (ENGINE, SERVER, "2", []),
        (ECHO, SERVER, "hb", ["hb"]),
        (ONE_WAY, SERVER, '{"type":"KeepAlive"}', []),
        (BOTH_WAYS, SERVER, "\n", []),
    ],
)
def test_who_answers_heartbeats(profile, end, question, answer):
    """The end that is asked, with the question's id; a one-way heartbeat nobody."""
    conversation = talk(profile, end)
    conversation.opened(0.0)
    heard = conversation.hear(question, 1.0)

    assert heard.role is Role.HEARTBEAT
    assert [text for _, text in said(conversation, conversation.answer(heard))] == answer


def test_an_answer_carries_its_key():
    """So that it is matched to its question."""
    client = talk(BY_ID, interval=6.0)
    client.opened(0.0)
    (beat,) = client.due(6.0)

    assert beat.key == b"1"
    assert client.hear('{"op":"pong","id":1}', 6.1).key == b"1"
    assert client.hear('{"op":"pong","id":"1"}', 6.1).key == b"1"


def test_a_heartbeat_without_an_id_has_no_key():
    """Whatever else the protocol counts."""
    assert talk(GATEWAY).beat().key is None


def test_an_answer_can_be_wrong_on_purpose():
    """It carries another id."""
    server = talk(BY_ID, SERVER)
    (pong,) = server.answer(server.hear('{"op":"ping","id":4}', 1.0))
    (other,) = server.answer(server.hear('{"op":"ping","id":"a"}', 1.0))

    assert server.write(pong.with_another_id(), 1.0) == '{"op":"pong","id":5}'
    assert server.write(other.with_another_id(), 1.0) == '{"op":"pong","id":"ax"}'
    without = Say(Role.HEARTBEAT_ANSWER)
    assert without.with_another_id() is without


def test_an_echo_is_an_answer_where_the_protocol_says_so():
    """Told by who sends it."""
    client, server = talk(ECHO), talk(ECHO, SERVER)

    assert client.hear("hb", 1.0).role is Role.HEARTBEAT_ANSWER
    assert server.hear("hb", 1.0).role is Role.HEARTBEAT


def test_answers_are_told_by_their_ids_alone():
    """Results of other questions look the same, and are data."""
    client = talk(RPC, interval=5.0)
    (info,) = client.opened(0.0)
    assert client.write(info, 0.0) == '{"id":1,"method":"initialize"}'
    (beat,) = client.due(5.0)
    assert client.write(beat, 5.0) == '{"id":2,"method":"ping"}'

    assert client.hear('{"id":2,"result":{}}', 5.1).role is Role.HEARTBEAT_ANSWER
    assert client.hear('{"id":1,"result":{}}', 5.2).role is Role.SESSION_CONFIRMED
    assert client.hear('{"id":2,"result":{}}', 5.3).role is Role.DATA
    assert client.hear('{"id":99,"result":{}}', 5.4).role is Role.DATA


@pytest.mark.parametrize(("others", "role"), [(1023, Role.HEARTBEAT_ANSWER), (1024, Role.DATA)])
def test_of_so_many_questions_the_last_1024_are_remembered(others, role):
    """A peer that never answers fills no memory."""
    client = talk(RPC, interval=1.0)
    client.opened(0.0)
    for number in range(1 + others):
        client.write(client.beat(), float(number))

    assert client.hear('{"id":2,"result":{}}', 5000.0).role is role


@pytest.mark.parametrize(
    ("asked", "message", "role"),
    [
        ("login", '{"id":1,"error":{}}', Role.SESSION_REFUSED),
        ("login", '{"id":1,"result":{}}', Role.SESSION_CONFIRMED),
        ("login", '{"id":2,"error":{}}', Role.DATA),
        # An error is an answer too: the server lives.
        ("ping", '{"id":1,"error":{}}', Role.HEARTBEAT_ANSWER),
    ],
)
def test_a_refusal_is_told_by_its_id_too(asked, message, role):
    """Errors of other questions look the same."""
    client = talk(RPC.replace(session_refused={"id": ID, "error": {}}))
    if asked == "login":
        said(client, client.opened(0.0))
    else:
        client.write(client.beat(), 0.0)

    assert client.hear(message, 1.0).role is role


# Intervals.


def test_the_server_names_the_interval():
    """From that instant on the client sends heartbeats, with the last number received."""
    client = talk(GATEWAY)
    client.opened(0.0)
    assert client.at is None
    client.answer(client.hear('{"op":10,"d":{"heartbeat_interval":4000}}', 1.0))
    assert client.intervals == Intervals(4.0, None, None)
    client.hear('{"op":0,"t":"READY","s":3,"d":{"session_id":"S"}}', 1.5)

    assert run(client, 10.0) == [(5.0, '{"op":1,"d":3}'), (9.0, '{"op":1,"d":3}')]


def test_the_test_has_the_last_word_about_the_interval():
    """What the server names is remembered, and not gone by."""
    client = talk(GATEWAY, interval=30.0)
    client.opened(0.0)
    client.hear('{"op":10,"d":{"heartbeat_interval":4000}}', 1.0)

    assert (client.at, client.intervals.client) == (30.0, 4.0)


def test_both_ends_agree():
    """Each names what it can send and wants to receive; a function says what comes of it."""

    def agree(client, server):
        return Intervals(client=max(client["interval"], server["interval"]), server=None)

    profile = Profile(
        name="agreed",
        session_info={"hb": INTERVAL},
        session_confirmed={"ok": 1, "hb": INTERVAL},
        ping="\n",
        interval=10,
        agree=agree,
    )
    client, server = talk(profile), talk(profile, SERVER, interval=15.0)
    (info,) = client.opened(0.0)
    assert client.at is None
    heard = server.hear(client.write(info, 0.0), 0.0)
    (confirm,) = server.answer(heard)
    client.hear(server.write(confirm, 0.0), 0.5)

    assert client.intervals == server.intervals == Intervals(client=15.0)
    assert client.at == 15.5


@pytest.mark.parametrize(
    ("named", "told"),
    [
        (0, "a heartbeat interval of the client of 0 s; 100 ms to 24 h make sense"),
        (99, "a heartbeat interval of the client of 99 ms; 100 ms to 24 h make sense"),
        (604_800_000, "a heartbeat interval of the client of 168 h; 100 ms to 24 h make sense"),
        # No float holds it.
        (10**400, "a heartbeat interval of the client of inf s; 100 ms to 24 h make sense"),
    ],
    ids=["0", "99 ms", "a week", "for ever"],
)
def test_an_interval_that_makes_no_sense_is_told(named, told):
    """Nobody goes by it."""
    client = talk(GATEWAY)
    client.opened(0.0)
    problem = client.hear(f'{{"op":10,"d":{{"heartbeat_interval":{named}}}}}', 1.0).problem

    assert problem == (Flaw.INTERVAL, told)
    assert (client.at, client.intervals) == (None, Intervals())


@pytest.mark.parametrize("named", [100, 86_400_000])
def test_the_shortest_and_the_longest_interval(named):
    """Both still make sense."""
    client = talk(GATEWAY)
    client.opened(0.0)

    assert client.hear(f'{{"op":10,"d":{{"heartbeat_interval":{named}}}}}', 1.0).problem is None
    assert client.at == 1.0 + named / 1000


# Timers of a server.


def test_a_server_ends_the_connection_of_a_client_that_does_not_answer():
    """So long after its question, as its protocol has it."""
    server = talk(ENGINE, SERVER, session_id="s")
    server.opened(0.0)

    assert run(server, 100.0) == [(25.0, "2"), (45.0, "the ping timeout")]


def test_an_answer_in_time_goes_on():
    """And the next question has its own time."""
    server = talk(ENGINE, SERVER, session_id="s")
    server.opened(0.0)
    assert run(server, 25.0) == [(25.0, "2")]
    server.hear("3", 44.9)

    assert run(server, 100.0) == [(50.0, "2"), (70.0, "the ping timeout")]


def timed(awaits, **values):
    timer = ProtocolTimer(name="timer", by=SERVER, awaits=awaits, **values)
    return Profile(name="x", session_info="hi", session_confirmed="ok", ping="p", pong="q", timers=(timer,))


@pytest.mark.parametrize(
    ("awaits", "heard", "end"),
    [
        (Awaited.SESSION, [], 10.0),
        (Awaited.SESSION, [(3.0, "hi")], None),
        (Awaited.SESSION, [(3.0, "p")], 10.0),
        (Awaited.MESSAGE, [], 10.0),
        (Awaited.MESSAGE, [(3.0, "anything")], 13.0),
        (Awaited.HEARTBEAT, [(3.0, "anything")], 10.0),
        (Awaited.HEARTBEAT, [(3.0, "p"), (8.0, "p")], 18.0),
        (Awaited.AGE, [(3.0, "p"), (8.0, "hi")], 10.0),
    ],
)
def test_what_resets_a_timer(awaits, heard, end):
    """What it waits for, and nothing else."""
    server = talk(timed(awaits, seconds=10), SERVER)
    server.opened(0.0)
    for instant, message in heard:
        assert run(server, instant) == []
        server.hear(message, instant)

    assert run(server, 50.0) == ([] if end is None else [(end, "timer")])


def test_a_timer_counts_intervals_that_the_client_names():
    """One and a half of them, say."""
    timer = ProtocolTimer(name="keep-alive", by=SERVER, awaits=Awaited.MESSAGE, intervals=1.5)
    profile = Profile(
        name="x", session_info={"keep": INTERVAL}, session_confirmed="ok", ping="p", pong="q", timers=(timer,)
    )
    server = talk(profile, SERVER)
    server.opened(0.0)
    server.hear('{"keep":20}', 1.0)

    assert run(server, 100.0) == [(31.0, "keep-alive")]


def test_the_monitored_client_runs_no_timers():
    """It watches, and hides nothing."""
    client = talk(timed(Awaited.MESSAGE, seconds=10), CLIENT)
    client.opened(0.0)

    assert client.at is None


@pytest.mark.parametrize("given", [{}, {"seconds": 1, "intervals": 1}])
def test_a_timer_has_one_length(given):
    """Seconds or intervals."""
    with pytest.raises(ValueError, match=r"^timer 'x': give seconds or intervals, and not both$"):
        ProtocolTimer(name="x", by=SERVER, awaits=Awaited.AGE, **given)


def test_a_timer_is_run_by_an_end():
    """Text would be neither of them, and the timer nobody's."""
    with pytest.raises(ValueError, match=r"^timer 'x': by is 'server'; give End.CLIENT or End.SERVER$"):
        ProtocolTimer(name="x", by="server", awaits=Awaited.AGE, seconds=1)


# Messages and frames.


def test_several_messages_in_a_frame():
    """The protocol's own comes first, whatever its place."""
    client = talk(LINES)
    client.opened(0.0)
    heard = client.hear('{"type":1}\x1e{"type":6}\x1e{"type":3}\x1e', 1.0)

    assert (heard.role, heard.payload) == (Role.HEARTBEAT, '{"type":6}')
    assert [(each.role, each.payload) for each in heard.rest] == [
        (Role.DATA, '{"type":1}'),
        (Role.DATA, '{"type":3}'),
    ]


def test_a_message_over_two_frames():
    """It is there when its end is."""
    client = talk(LINES)
    client.opened(0.0)

    assert client.hear('{"ty', 1.0).role is Role.NONE
    assert client.hear('pe":6}\x1e', 1.1).role is Role.HEARTBEAT


@pytest.mark.parametrize(
    ("frames", "messages"),
    [
        (['{"a":1}\n{"b":[2]}', "[3]\n"], ['{"a":1}', '{"b":[2]}', "[3]"]),
        (["[1,2]"], ["[1,2]"]),
        # Half of one: its end may come.
        (['{"a":{"b":1}', "}\n"], ['{"a":{"b":1}}']),
        (['["}', '"]\n'], ['["}"]']),
        # Other text has an end, or waits for it.
        (["one\ntw", "o\n"], ["one", "two"]),
        (["12", "3\n"], ["123"]),
    ],
)
def test_lines_of_json_need_no_line_end_behind_the_last(frames, messages):
    """Centrifugo's has none."""
    records = Records("\n")

    assert [each for frame in frames for each in records.take(frame)] == messages


@pytest.mark.parametrize(("separator", "found"), [("\n", 1), ("\r\n", 1), ("\x1e", 0), ("|", 0)])
def test_what_is_no_line_end_has_to_come(separator, found):
    """Clients of SignalR call a message without it incomplete."""
    assert len(Records(separator).take('{"a":1}')) == found


def test_a_separator_is_written_too():
    """Behind each message."""
    server = talk(LINES, SERVER, interval=5.0)
    server.opened(0.0)

    assert run(server, 5.0) == [(5.0, '{"type":6}\x1e')]


def test_a_message_without_an_end_is_told():
    """And forgotten, at a mebibyte."""
    client = talk(LINES)
    client.opened(0.0)
    assert client.hear("x" * 2**20, 1.0).problem is None
    heard = client.hear("x", 1.1)

    assert heard.problem == (Flaw.FRAMING, "1048577 bytes came without the end of a message")
    assert client.hear('{"type":6}\x1e', 1.2).role is Role.HEARTBEAT


def by_length(data):
    """Messages behind a byte that says how long they are."""
    found = []
    while data and len(data) > data[0]:
        found.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return found, data


def test_a_stream_of_bytes():
    """Cut by a function, whatever the frames are."""
    profile = Profile(name="stream", ping=b"\xc0", pong=b"\xd0", records=by_length)
    client = talk(profile)
    client.opened(0.0)

    assert client.hear(b"\x02a", 1.0).role is Role.NONE
    heard = client.hear(b"b\x01\xd0\x01", 1.1)
    assert (heard.role, [each.payload for each in heard.rest]) == (Role.HEARTBEAT_ANSWER, [b"ab"])


def fails(*_):
    raise RuntimeError("boom")


@pytest.mark.parametrize(
    ("profile", "detail"),
    [
        (
            Profile(name="x", ping="p", pong=fails),
            "pong raised RuntimeError('boom') for 'hello'",
        ),
        (
            Profile(name="x", records=fails),
            "records of the profile 'x' raised RuntimeError('boom') for 'hello'",
        ),
    ],
)
def test_a_function_that_raises_is_told_with_the_message(profile, detail):
    """Nothing raises out of a conversation."""
    client = talk(profile)
    client.opened(0.0)
    problem = client.hear("hello", 1.0).problem

    assert problem == (Flaw.FUNCTION, detail)


def test_what_a_function_agreed_on_is_told_when_it_raises():
    """With both ends' words."""
    profile = Profile(name="x", session_info="i", session_confirmed=f"every {INTERVAL}", agree=fails)
    client = talk(profile)
    client.opened(0.0)

    assert client.hear("every 5", 1.0).problem == (
        Flaw.FUNCTION,
        "agree of the profile 'x' raised RuntimeError('boom') for {} and {'interval': 5.0}",
    )


def test_what_somebody_else_sends_here_has_a_role_too():
    """A heartbeat that a test writes by hand is one."""
    client = talk(LINES)

    assert client.read_own('{"type":6}\x1e').role is Role.HEARTBEAT
    assert client.read_own("hello\x1e").role is Role.DATA


@pytest.mark.parametrize("profile", [JSON, FRAMES, ONE_WAY, BOTH_WAYS, ECHO])
@pytest.mark.parametrize("end", [CLIENT, SERVER])
def test_a_conversation_without_state_is_small(profile, end):
    """Less than 200 bytes, for thousands of them."""
    conversation = talk(profile, end)
    conversation.opened(0.0)
    if profile is JSON:
        conversation.answer(conversation.hear('{"type":"connection_established"}', 0.0))

    assert conversation._state is None
    assert sys.getsizeof(conversation) < 200


def test_a_function_that_cuts_is_asked_what_is_written():
    """What ends a message stands in what is written, and not in what is read."""

    def lines(data):
        *found, rest = data.split(b"\r\n")
        return found, rest

    ping = Codec(lambda line: line == b"PING", b"PING\r\n")
    wrong = Codec(lambda line: line == b"PING", b"PONG\r\n")

    assert Profile(name="x", ping=ping, records=lines).records is lines
    with pytest.raises(ValueError, match=r"^profile 'x': ping can match no message: b'PONG"):
        Profile(name="x", ping=wrong, records=lines)


def test_a_step_that_comes_again_is_said_again():
    """Who opens, logs in and opens again: a step is told by where the handshake is."""
    ask, answer = SessionStep(End.CLIENT, "open"), SessionStep(End.SERVER, "opened")
    login = SessionStep(End.CLIENT, "login")
    profile = Profile(
        name="again", steps=(ask, answer, login, ask, answer), session_info="bind", session_confirmed="bound"
    )
    dialogue = Dialogue(profile).run(1)

    said = [f"{who} {message}" for _, who, message in dialogue.said]
    assert said == ["C open", "S opened", "C login", "C open", "S opened", "C bind", "S bound"]

"""The session's handshake at both ends: what clients and servers say wrongly, and that it is found."""

import asyncio

import pytest

from pytest_wsstability import Direction, Role, StabilityError, faults
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.flaws import Flaw
from pytest_wsstability.profiles import JSON, Profile
from tests.net.peers import connected, served

pytestmark = pytest.mark.ws_stability(time="virtual")

RAW = Profile(name="raw")
INFO = '{"type":"session_info","session_id":"abc"}'


async def said(*messages, **server):
    """The session of a client that says this, one message a second."""
    async with served(server, profile=RAW) as (client, orchestrator):
        for message in messages:
            await client.send(message)
            await asyncio.sleep(1)
        return orchestrator.sessions[0]


CASES = [
    ([INFO, INFO], {}, Flaw.REPEATED, "session_info twice: session 'abc'"),
    ([INFO, INFO.replace("abc", "xyz")], {}, Flaw.CHANGED, "another session id: session 'xyz' after 'abc'"),
    ([INFO], {"greet": "5s"}, Flaw.EARLY, "session_info before the greeting: session 'abc'"),
    (['{"type":"session_info"}'], {}, Flaw.MALFORMED, "session_info without a session id"),
    (
        ['{"type":"sessionInfo","session_id":"s"}'],
        {},
        Flaw.UNEXPECTED,
        '\'type\' is "sessionInfo", not "session_',
    ),
    (['{"type":"session_info"'], {}, Flaw.UNEXPECTED, "a text message of 22 characters that is no JSON"),
    (
        ['{"type":"session_info","session_id":["abc"]}'],
        {},
        Flaw.UNEXPECTED,
        "'session_id' is an array, which names no session",
    ),
    (["[1]"], {}, Flaw.UNEXPECTED, "JSON that is no object but an array"),
    ([INFO.encode()], {}, Flaw.UNEXPECTED, "a binary message of 42 B, not the text expected"),
]


@pytest.mark.parametrize(("messages", "server", "flaw", "words"), CASES)
async def test_a_client_that_says_it_wrongly_is_found(messages, server, flaw, words):
    """At the server's end, with what was wrong with the message."""
    session = await said(*messages, **server)
    assert [each.flaw for each in session.timeline.irregular] == [flaw]
    with pytest.raises(StabilityError) as caught:
        session.assert_handshake()

    (violation,) = caught.value.verdict.violations
    assert violation.rule is Rule.HANDSHAKE
    assert words in violation.line
    # The connection's timers have nothing to do with it.
    assert "undetermined" not in str(caught.value)


async def test_what_a_client_says_by_mistake_is_not_quoted():
    """It may hold a secret; what the profile fixes is quoted."""
    session = await said('{"type":"hello","session_id":"s","token":"hunter2"}')
    with pytest.raises(StabilityError) as caught:
        session.assert_handshake()

    assert "hunter2" not in str(caught.value)


async def test_a_client_that_says_it_right_passes():
    """And goes on to say what it likes."""
    session = await said(INFO, "hello", b"\x00" * 640)

    session.assert_handshake()
    assert session.timeline.irregular == ()


async def test_a_client_that_never_says_it_fails_when_it_goes():
    """Before, it may still come."""
    async with served(profile=RAW) as (client, orchestrator):
        (session,) = orchestrator.sessions
        with pytest.raises(StabilityError, match=r"^inconclusive: the client never sent session_info so far"):
            session.assert_handshake()
        await client.close()
        await session.connection.wait_closed()
        with pytest.raises(StabilityError, match=r"^the client never sent session_info "):
            session.assert_handshake()


async def test_only_the_first_mistakes_are_kept():
    """A client that says wrong things for hours fills no memory."""
    session = await said(*["x"] * 100)

    assert len(session.timeline.irregular) == 8
    assert session.timeline.irregular[-1].at == 7.0


async def test_a_server_that_confirms_unasked_is_found():
    """Before session_info, at the client's end."""
    early = JSON.replace(greeting={"type": "session_confirmed"}, session_confirmed={"type": "confirmed"})
    server = {"profile": early, "confirm_sessions": False}
    async with served(server, profile="json", session_id="abc") as (connection, _):
        await asyncio.sleep(1)
        with pytest.raises(StabilityError, match=r"^session confirmed before session_info: session 'abc'"):
            connection.assert_handshake()


async def test_a_session_that_is_somebody_elses_is_not_confirmed():
    """Though a confirmation came in time."""
    async with served({"faults": [faults.WrongSession()]}, session_id="abc") as (connection, _):
        headline = r"another session was confirmed \(session not confirmed within 5 s\)"
        words = "the server confirmed session 'somebody-elses-session', not 'abc'"
        with pytest.raises(StabilityError, match=f"^{headline}.*\n.*\n  observed  {words}"):
            await connection.assert_session_confirmed(within="5s")


async def test_both_ends_of_a_good_handshake_pass():
    """The control."""
    async with connected() as (connection, orchestrator):
        connection.assert_handshake()
        orchestrator.sessions[0].assert_handshake()


SECOND_CHANNELS = {
    "phoenix": '["1","1","room:%s","phx_join",{}]',
    "actioncable": '{"command":"subscribe","identifier":"room %s"}',
    "pusher": '{"event":"pusher:subscribe","data":{"channel":"%s"}}',
}


@pytest.mark.parametrize("name", SECOND_CHANNELS)
@pytest.mark.parametrize(("second", "flaws"), [("b", []), ("a", [Flaw.REPEATED])])
async def test_a_client_that_joins_a_second_channel_has_begun_its_session_once(name, second, flaws):
    """Each is confirmed; the same one twice is a mistake."""
    joins = SECOND_CHANNELS[name]
    session = await said(joins % "a", joins % second, profile=name)

    assert [each.flaw for each in session.timeline.irregular] == flaws
    sent = [each.role for each in session.timeline if each.direction is Direction.SENT]
    assert sent.count(Role.SESSION_CONFIRMED) == 2


async def test_a_workload_that_joins_a_second_channel_has_been_confirmed_once():
    """At the client's end."""
    async with connected({"profile": "actioncable"}) as (connection, orchestrator):
        await connection.send_json({"command": "subscribe", "identifier": "another"})
        await connection.expect({"type": "confirm_subscription", "identifier": "another"}, within="1s")

        connection.assert_handshake()
        orchestrator.sessions[0].assert_handshake()


@pytest.mark.parametrize(("profile", "level"), [("mqtt", 4), ("mqtt5", 5)])
async def test_a_client_of_mqtt_may_leave_its_name_to_the_broker(profile, level):
    """As paho-mqtt and aiomqtt do, where their user gives none."""
    body = b"\0\x04MQTT" + bytes([level, 2, 0, 60]) + (b"\0" if level == 5 else b"") + b"\0\0"
    session = await said(b"\x10" + bytes([len(body)]) + body, profile=profile)

    session.assert_handshake()
    assert session.id.startswith("auto-")


async def test_where_there_is_no_session_there_is_no_mistake():
    """Messages are messages."""
    async with connected({"profile": "frames"}) as (connection, orchestrator):
        await connection.send("hello")
        await connection.ping()

        assert orchestrator.sessions[0].timeline.irregular == ()

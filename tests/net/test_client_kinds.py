"""What each kind of client does of itself, and what it leaves to the server's timers."""

import asyncio

import pytest

from pytest_wsstability import Direction, End, EventKind, Outcome, Requirement, Role, StabilityError
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Reason
from pytest_wsstability.core.timeline.close import TransportEnd
from pytest_wsstability.core.timeline.events import Opcode
from tests.net.peers import (
    CLOSE,
    PING,
    PONG,
    TEXT,
    accepting,
    connected,
    frame,
    opened,
    served,
    serving,
    silent,
    talking,
)

pytestmark = pytest.mark.ws_stability(time="virtual")


def sent(connection, *opcodes):
    return connection.timeline.count(Direction.SENT, *opcodes)


async def test_a_browser_answers_pings_and_sends_none():
    """For an hour, with the pong that RFC 6455 demands for each ping."""
    async with connected({"ping_interval": "30s"}) as (connection, _):
        await connection.assert_alive_for("1h")

        # The ping that is due at the end of the hour may come before or after the look at it.
        assert sent(connection, Opcode.PONG) in (119, 120)
        # The one that proves at the end that the server is there is the hold's.
        assert sent(connection, Opcode.PING) == 1
        assert connection.timeline.proof_asked_at == 3600
        assert sent(connection) - sent(connection, Opcode.PONG) == 2


async def test_a_browser_echoes_the_payload_of_a_ping():
    """RFC 6455, section 5.5.3."""
    answer = asyncio.get_running_loop().create_future()

    async def script(peer):
        peer.send(frame(PING, b"\x00\xffpayload"))
        answer.set_result(await peer.frame())
        await peer.gone()

    async with talking(script):
        assert await answer == (PONG, b"\x00\xffpayload")


async def test_a_mute_client_answers_no_ping_and_is_dropped():
    """The server's read deadline of 60 s finds nothing: 1006 at both ends, whoever did it."""
    async with connected(client="mute") as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.wait_closed()

        assert sent(connection, Opcode.PONG) == 0
        # The ping that is due with the deadline may come before it or not.
        assert connection.timeline.count(Direction.RECEIVED, Opcode.PING) in (1, 2)
        evidence = connection.timeline.close
        assert (evidence.code, evidence.at, evidence.by) == (1006, 60.0, End.SERVER)
        assert session.timeline.close.local_text == (
            "read deadline of 60 s ran out "
            "(only pongs reset it; none came; data frames, the last at 0 s, do not)"
        )


async def test_a_mute_client_still_speaks():
    """Only its pongs are withheld: those that it was not asked for, too, are the user's own."""
    async with connected({"echo": True}, client="mute", heartbeat="25s") as (connection, _):
        await connection.send("hello")
        assert await connection.recv() == "hello"
        await connection.pong(b"by hand")
        await connection.wait_closed()

        assert sent(connection, Opcode.PONG) == 1
        assert connection.timeline.heartbeats.answered == 2
        # The pong by hand was the last that reset the deadline.
        assert connection.timeline.close.at == 60.0


async def test_a_stalled_client_reads_nothing_once_its_session_stands():
    """It is paused on purpose, so the pause excuses nothing."""
    async with connected(client="stalled") as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await session.connection.wait_closed()

        assert connection.timeline.deliberately_stalled
        assert connection.timeline.paused
        assert connection.timeline.count(Direction.RECEIVED, Opcode.PING) == 0
        assert session.timeline.close.at == 60.0
        assert connection.timeline.close is None


async def test_a_stalled_client_learns_late_what_the_server_did():
    """The hold ends with a look: the end is found, and said to be seen late."""
    async with connected(client="stalled") as (connection, _):
        with pytest.raises(StabilityError) as caught:
            await connection.assert_alive_for("2m")

        evidence = connection.timeline.close
        assert caught.value.verdict.outcome is Outcome.UNSTABLE
        assert (evidence.code, evidence.by, evidence.hidden_since) == (1006, End.SERVER, 0.0)
        assert "seen late, nothing was read since 0 s" in str(caught.value)


async def test_a_stalled_client_with_a_living_server_passes():
    """A server without a deadline waits for ever, and answers the ping that ends the hold."""
    async with connected({"read_deadline": None}, client="stalled") as (connection, _):
        verdict = await connection.assert_stable(alive_for="2m")

        assert (verdict.outcome, verdict.horizon) == (Outcome.STABLE, 120.0)
        assert connection.timeline.count(Direction.RECEIVED, Opcode.PONG) == 1


async def test_a_dead_peer_under_a_stalled_client_is_not_alive():
    """Neither a pong nor an end within 5 s: nothing is known, and that is no pass."""

    async def script(peer):
        await peer.frame()
        peer.pause()
        await asyncio.sleep(7200)

    async with talking(script, client="stalled") as connection:
        await connection.send("you are dead now")
        with pytest.raises(StabilityError) as caught:
            await connection.assert_alive_for("2m")

        assert caught.value.verdict.outcome is Outcome.INCONCLUSIVE
        assert [doubt.reason for doubt in caught.value.verdict.doubts] == [Reason.READING_PAUSED]
        assert asyncio.get_running_loop().time() == connection.timeline.opened + 125.0
        assert connection.timeline.paused


async def test_a_stalled_client_of_a_profile_without_sessions_stalls_at_once():
    """There is nothing to wait for."""
    async with talking(silent, client="stalled") as connection:
        assert connection.timeline.paused
        assert connection.timeline.deliberately_stalled


async def test_a_stalled_client_can_close():
    """It reads on for the answer to its own close frame."""
    async with connected(client="stalled") as (connection, _):
        await asyncio.sleep(45)
        await connection.close()

        connection.assert_closed(code=1000, by="client")
        assert asyncio.get_running_loop().time() == connection.timeline.opened + 45.0


async def test_a_keepalive_client_pings_every_20_seconds():
    """As libraries do; quiet timers on the way never see what a browser would do to them."""
    async with connected({"deadline_reset_by": "ping", "ping_interval": None}, client="keepalive") as (
        one,
        _,
    ):
        await one.assert_alive_for("1h")

        assert sent(one, Opcode.PING) in (179, 180)
        one.assert_pings_answered(within="1s")


async def test_a_keepalive_client_gives_up_at_exactly_40_seconds():
    """Pinged at 20 s, unanswered for 20 s, closed with 1011 and the words that people search for."""
    async with connected({"profile": "frames", "answer_heartbeats": False}, client="keepalive") as (
        one,
        server,
    ):
        session = await server.wait_for_session()
        await one.wait_closed()

        evidence = one.timeline.close
        assert (evidence.at, evidence.sent.code, evidence.sent.reason) == (
            40.0,
            1011,
            "keepalive ping timeout",
        )
        assert (evidence.by, evidence.local_text) == (End.CLIENT, "keepalive ping timeout")
        assert evidence.abnormal
        session.assert_closed(code=1011, reason="keepalive ping timeout", by="client")


async def test_a_keepalive_client_waits_from_each_ping_and_not_from_the_last_pong():
    """The first two pings are answered: the third, at 60 s, is given up at 80 s."""

    async def script(peer):
        for _ in range(2):
            opcode, payload = await peer.frame()
            assert opcode == PING
            await asyncio.sleep(19)
            peer.send(frame(PONG, payload))
        await peer.frame()
        opcode, payload = await peer.frame()
        assert (opcode, payload[:2]) == (CLOSE, (1011).to_bytes(2, "big"))

    async with talking(script, client="keepalive") as connection:
        await connection.wait_closed()

        assert connection.timeline.close.at == 80.0


async def test_a_keepalive_client_whose_peer_is_gone_is_1006_after_50_seconds():
    """20 s to the ping, 20 s for the pong, 10 s for the answer to the close frame."""
    async with talking(silent, client="keepalive") as connection:
        await connection.wait_closed()

        evidence = connection.timeline.close
        assert (evidence.code, evidence.at, evidence.transport) == (1006, 40.0, TransportEnd.CLOSED)
        assert asyncio.get_running_loop().time() == connection.timeline.opened + 50.0
        assert evidence.local_text == "keepalive ping timeout"


async def test_a_keepalive_client_with_a_full_inbox_gives_up_as_quickly():
    """What is unread then is nobody's; the server's FIN is seen at once."""

    async def script(peer):
        peer.send(frame(TEXT, b"take me"), frame(TEXT, b"and me"))
        await peer.frame()
        while (await peer.frame())[0] != CLOSE:
            pass

    async with talking(script, client="keepalive", inbox=1) as connection:
        await connection.wait_closed()

        assert asyncio.get_running_loop().time() == connection.timeline.opened + 40.0
        assert connection.timeline.close.sent.code == 1011


# Heartbeats.


def beats(connection):
    return [
        event.at
        for event in connection.timeline
        if event.kind is EventKind.FRAME
        and event.role is Role.HEARTBEAT
        and event.direction is Direction.SENT
    ]


@pytest.mark.parametrize("every", [25.0, 0.1, 1 / 3])
async def test_heartbeats_go_out_at_multiples_of_the_interval(every):
    """Counted from the opening: 0.1 s has no drift after a hundred of them."""
    async with connected(heartbeat=every) as (connection, _):
        await asyncio.sleep(every * 100.5)

        opened_at = connection.timeline.opened
        # The record holds the last of them and their answers.
        expected = [opened_at + number * every - opened_at for number in range(1, 101)]
        assert beats(connection)[-20:] == expected[-20:]
        connection.assert_heartbeats_answered(within="1s", at_least=100)


async def test_heartbeats_do_not_shift_the_session():
    """They count from the opening, and not from the confirmation."""
    async with connected({"confirm_sessions": "10s"}, heartbeat="25s") as (connection, _):
        await asyncio.sleep(60)

        assert beats(connection) == [25.0, 50.0]


async def test_no_heartbeat_unless_asked_for():
    """The default client says nothing of itself."""
    async with connected() as (connection, _):
        await asyncio.sleep(300)

        assert connection.timeline.heartbeats.sent == 0


async def test_heartbeats_end_with_the_connection():
    """None is sent after a close frame, and no timer is left."""
    async with connected(heartbeat="25s") as (connection, _):
        await asyncio.sleep(60)
        await connection.close()
        await asyncio.sleep(120)

        assert connection.timeline.heartbeats.sent == 2


async def test_the_frames_profile_beats_with_pings():
    """Protocol pings, answered by any server; the pong with the payload is the answer."""
    async with connected({"profile": "frames"}, heartbeat="25s") as (connection, orchestrator):
        session = await orchestrator.wait_for_session()
        await connection.assert_alive_for("2m")

        assert connection.timeline.heartbeats.sent == 4
        assert sent(connection, Opcode.PING) == 5
        connection.assert_heartbeats_answered(within="1s", at_least=4)
        session.assert_heartbeats_answered(within="1s", at_least=4)
        # The server's own pings are none of its client's heartbeats.
        assert session.timeline.count(Direction.SENT, Opcode.PING) in (3, 4)
        assert session.timeline.heartbeats.sent == 4


@pytest.mark.parametrize("profile", ["json", "frames"])
async def test_unanswered_heartbeats_are_found(profile):
    """At the first one that is overdue, and not at the end of the hold."""
    server = {"profile": profile, "answer_heartbeats": False, "read_deadline": None}
    async with connected(server, heartbeat="25s") as (connection, _):
        with pytest.raises(StabilityError, match=r"1 of 1 heartbeats not answered within 5 s"):
            await connection.assert_stable(alive_for="2m", heartbeat_every="25s", heartbeat_within="5s")

        assert asyncio.get_running_loop().time() == connection.timeline.opened + 30.0


@pytest.mark.parametrize("profile", ["json", "frames"])
async def test_late_answers_have_their_exact_round_trip_time(profile):
    """A server that needs 1.5 s for each."""
    async with connected({"profile": profile, "answer_heartbeats": "1.5s"}, heartbeat="25s") as (
        connection,
        _,
    ):
        await connection.assert_alive_for("2m")

        assert connection.timeline.heartbeats.rtts.quantile(1.0) == pytest.approx(1.5)
        connection.assert_heartbeats_answered(within="1.5s", at_least=4)
        connection.assert_rtt(p95="1.6s")
        with pytest.raises(StabilityError):
            connection.assert_heartbeats_answered(within="1.4s")
        with pytest.raises(StabilityError):
            connection.assert_rtt(p95="1.4s")


async def test_requirements_see_whose_heartbeats_they_are():
    """A client that sends none is told so, and its server is not blamed."""
    async with connected() as (connection, _):
        await asyncio.sleep(120)
        verdict = judge(Requirement.of(heartbeat_within="5s"), connection.timeline)

        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert 'none was sent: heartbeat="25s" sends them' in verdict.headline


async def test_a_confirmation_after_a_long_time_stalls_then():
    """The client reads until its session stands."""
    async with served({"confirm_sessions": "10s"}, client="stalled") as (connection, _):
        await asyncio.sleep(9)
        assert not connection.timeline.paused
        await asyncio.sleep(2)

        assert connection.timeline.paused_since == 10.0


async def test_an_unanswered_handshake_starts_no_heartbeats():
    """Timers count from the opening; nothing is sent before."""
    seen = []

    async def script(peer):
        request = await peer.request()
        await asyncio.sleep(8)
        peer.send(accepting(request))
        opcode, _ = await peer.frame()
        seen.append((asyncio.get_running_loop().time(), opcode))
        await peer.gone()

    async with serving(script) as url, opened(url, profile="frames", heartbeat="5s"):
        await asyncio.sleep(6)
        assert seen == [(13.0, PING)]

"""Each fault of the peer makes an assertion fail with its own violation, and a healthy server passes it."""

import asyncio

import pytest

from pytest_wsstability import Direction, StabilityError, faults
from pytest_wsstability.core.faults.peer import PEER_FAULTS
from pytest_wsstability.core.faults.protocol import PROTOCOL_FAULTS
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.message import event_line
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.core.timeline.events import Opcode
from tests.net.peers import connected, served

pytestmark = pytest.mark.ws_stability(time="virtual")


def lines_of(session):
    return [event_line(event) for event in session.timeline]


async def waited(connection, seconds):
    await connection.websocket.wait_ended(connection.timeline.opened + seconds)


# What is asserted: of the client's connection, or of the session at the server.


async def alive(connection, session):
    await connection.assert_alive_for("2m")


async def confirmed(connection, session):
    await connection.assert_session_confirmed(within="3s")


async def handshake(connection, session):
    await waited(connection, 20)
    connection.assert_handshake()


async def heartbeats(connection, session):
    await waited(connection, 110)
    connection.assert_heartbeats_answered(within="5s", at_least=2)


async def pings(connection, session):
    await waited(connection, 100)
    connection.assert_pings_answered(within="5s")


async def no_abnormal_closure(connection, session):
    await waited(connection, 60)
    connection.assert_no_abnormal_closure()


async def goodbye(connection, session):
    await waited(connection, 20)
    await connection.close()
    connection.assert_closed(code=1000)


async def client_answers_pings(connection, session):
    await waited(connection, 59)
    session.assert_pings_answered(within="5s")


async def comes_back(connection, session):
    await waited(connection, 20)
    if connection.timeline.close is None:
        connection.websocket.drop(LocalReason.INTERRUPTED, "the control drops it")
    await session.assert_reconnects(within="30s")


RULES = {
    alive: Rule.ALIVE,
    confirmed: Rule.SESSION,
    handshake: Rule.HANDSHAKE,
    heartbeats: Rule.HEARTBEATS,
    pings: Rule.PINGS,
    no_abnormal_closure: Rule.CLOSURE,
    goodbye: Rule.CLOSED,
    client_answers_pings: Rule.PINGS,
    comes_back: Rule.RECONNECTS,
}
KEEPALIVE = {"client": "keepalive"}
READS_NOTHING = {"inbox": 20}
AT_10 = "10s"

# The fault, when it is applied, the assertion that it breaks, words of the violation, and the client.
TABLE = [
    (faults.WithholdPongs(), "30s", pings, "not answered within 5 s: sent at 40 s", KEEPALIVE),
    (faults.WithholdHeartbeats(), AT_10, heartbeats, "4 of 4 heartbeats not answered within 5 s", {}),
    (faults.NeverConfirm(), 0, confirmed, "session_info sent at 0 s, never confirmed", {}),
    (faults.LateConfirm("4s"), 0, confirmed, "session_info sent at 0 s, never confirmed", {}),
    (faults.WrongSession(), 0, confirmed, "the server confirmed session 'somebody-elses-session', not '", {}),
    (faults.WrongSession(), 0, handshake, "another session confirmed: the server confirmed session", {}),
    (faults.WrongSession(), AT_10, handshake, "another session confirmed: the server confirmed session", {}),
    (faults.DuplicateConfirm(), 0, handshake, "session confirmed twice: session 'abc'", {}),
    (faults.DuplicateConfirm(), AT_10, handshake, "session confirmed twice: session 'abc'", {}),
    (
        faults.CloseWith(4000, "enough"),
        AT_10,
        alive,
        "4000 at 10 s of 120 s: received 4000 (private use) en",
        {},
    ),
    (faults.CloseWith(1011), AT_10, no_abnormal_closure, "1011 at 10 s: received 1011 (internal error)", {}),
    (faults.EmptyClose(), AT_10, alive, "1005 at 10 s of 120 s: received 1005 (no status received)", {}),
    (faults.InvalidCloseCode(), AT_10, no_abnormal_closure, "1006 at 10 s: sent 1002 (protocol error)", {}),
    (faults.InvalidCloseCode(5000), AT_10, alive, "1006 at 10 s of 120 s: sent 1002 (protocol error)", {}),
    (faults.IgnoreClose(), AT_10, goodbye, "did not close within 10 s", {}),
    (faults.HandlerError(), AT_10, no_abnormal_closure, "1011 at 10 s: received 1011", {}),
    (faults.Oversize(2**20 + 1), AT_10, no_abnormal_closure, "sent 1009 (message too big)", {}),
    (faults.BadUtf8(), AT_10, no_abnormal_closure, "sent 1007 (invalid payload) invalid UTF-8", {}),
    (faults.MaskedFrame(), AT_10, no_abnormal_closure, "sent 1002 (protocol error) incorrect masking", {}),
    (faults.StopReading(), AT_10, alive, "1006 at 60 s of 120 s", {}),
    (faults.FreezeLoop("25s"), AT_10, heartbeats, "sent at 25 s: answered after 10 s", {}),
    (faults.Flood(100), AT_10, client_answers_pings, "1 of 1 pings not answered within 5 s", READS_NOTHING),
    (faults.AcceptThenClose(), 0, alive, "1013 at 0 s of 120 s: received 1013 (try again later)", {}),
    (faults.Restart("5s"), AT_10, alive, "1006 at 10 s of 120 s: no close frame received or sent; FIN", {}),
    (faults.Restart("5s"), AT_10, comes_back, "session 'abc' did not come back within 30 s", {}),
    *[
        (faults.Malformed(kind), AT_10, no_abnormal_closure, f"sent 1002 (protocol error) {words}", {})
        for kind, words in {
            "reserved_bit": "reserved bits must be 0",
            "unknown_opcode": "invalid opcode",
            "fragmented_ping": "fragmented control frame",
            "long_ping": "control frame too long",
            "stray_continuation": "unexpected continuation frame",
            "short_close": "close frame too short",
        }.items()
    ],
]
CASES = [pytest.param(*row, id=f"{row[0].name} at {row[1]}: {row[2].__name__}") for row in TABLE]


@pytest.mark.parametrize(("fault", "when", "assertion", "words", "client"), CASES)
async def test_a_fault_is_found(fault, when, assertion, words, client):
    """By the assertion about what it breaks, with that violation first."""
    options = {"session_id": "abc", "heartbeat": "25s", **client}
    async with served({"faults": [(when, fault)]}, **options) as (connection, orchestrator):
        session = orchestrator.sessions[0]
        with pytest.raises(StabilityError) as caught:
            await assertion(connection, session)

        violation = caught.value.verdict.violations[0]
        assert violation.rule is RULES[assertion]
        assert words in violation.line
        assert f"= fault {fault.name}" in "\n".join(lines_of(session))


CONTROLS = {assertion: client for _, _, assertion, _, client in TABLE if assertion is not comes_back}


@pytest.mark.parametrize("assertion", CONTROLS, ids=lambda each: each.__name__)
async def test_a_healthy_server_passes(assertion):
    """With the same client, and no fault."""
    options = {"session_id": "abc", "heartbeat": "25s", **CONTROLS[assertion]}
    async with connected(**options) as (connection, orchestrator):
        await assertion(connection, orchestrator.sessions[0])


def test_every_fault_has_its_row():
    """A new one needs an assertion that finds it."""
    elsewhere = {faults.RefuseUpgrade, *PROTOCOL_FAULTS}

    assert {type(row[0]) for row in TABLE} | elsewhere == {*PEER_FAULTS, *PROTOCOL_FAULTS}


async def test_faults_strike_at_their_instants():
    """In order, exactly; each is on the server's timeline."""
    program = [
        ("40s", faults.CloseWith(1012)),
        ("20s", faults.WithholdHeartbeats()),
        faults.DuplicateConfirm(),
    ]
    async with connected({"faults": program}, heartbeat="25s") as (connection, orchestrator):
        await connection.wait_closed()
        session = orchestrator.sessions[0]
        await session.connection.wait_closed()

        applied = [line.split() for line in lines_of(session) if "= fault" in line]
        assert [(at, name) for at, _, _, _, name in applied] == [
            ("+0.000", "duplicate_confirm"), ("+20.000", "withhold_heartbeats"), ("+40.000", "close_with"),
        ]  # fmt: skip
        assert asyncio.get_running_loop().time() == connection.timeline.opened + 40.0


async def test_a_server_that_ignores_closes_still_says_its_own():
    """Only answers are withheld: at its end it says goodbye."""
    async with served({"faults": [faults.IgnoreClose()]}) as (connection, orchestrator):
        await orchestrator.stop()
        await connection.wait_closed()

        connection.assert_closed(code=1001, by="server")


@pytest.mark.parametrize("fault", [faults.InvalidCloseCode(1006), faults.Malformed("short_close")])
async def test_what_was_sent_past_the_protocol_is_evidence(fault):
    """The server's record says what it sent, and that the client's answer came after; no second close."""
    async with served({"faults": [(1, fault)]}) as (connection, orchestrator):
        session = orchestrator.sessions[0]
        await connection.wait_closed()
        await session.connection.wait_closed()

        close = session.timeline.close
        assert close.sent.code == {"invalid_close_code": 1006, "malformed": 1005}[fault.name]
        assert close.received.code == 1002
        assert close.received_first is False
        assert session.timeline.count(Direction.SENT, Opcode.CLOSE) == 1
        assert connection.timeline.count(Direction.RECEIVED, Opcode.CLOSE) == 0

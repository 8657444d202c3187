"""What a client's record holds for the diagnosis: who signed the handshake, and what was announced."""

import pytest

from pytest_wsstability import Cause, Orchestrator, Requirement, Role, diagnose, faults, hold
from pytest_wsstability.core.cause import Blame, Confidence
from pytest_wsstability.profiles import JSON
from tests.net.peers import served

pytestmark = pytest.mark.ws_stability(time="virtual")

OURS = JSON.replace(name="ours", notice={"type": "go_away"})


async def test_who_signed_the_answer_is_a_hint():
    """Fields that servers and proxies sign with are kept, and no others."""
    headers = [("Server", "nginx/1.22.1"), ("X-Secret", "s3cret"), ("Via", "1.1 vegur")]
    silent = {"ping_interval": None, "read_deadline": None}
    program = [(60, faults.Drop())]
    async with served({"headers": headers, "faults": program, **silent}) as (connection, _):
        assert connection.timeline.hints == (("Server", "nginx/1.22.1"), ("Via", "1.1 vegur"))

        await connection.wait_closed()
        found = diagnose(connection.timeline)

    assert found.cause is Cause.IDLE_TIMEOUT
    assert "the response had Server: nginx/1.22.1, Via: 1.1 vegur" in found.sentence
    assert "s3cret" not in found.sentence


async def test_without_signatures_there_is_no_hint():
    """Nothing is kept for it."""
    async with served() as (connection, _):
        assert connection.timeline.hints is None


async def test_an_end_after_a_notice_is_planned():
    """The profile says which message announces it."""

    async def leave(connection):
        await connection.send('{"type": "go_away", "seconds": 5}')
        await connection.wait_closed()

    server = {"handler": leave, "faults": [(5, faults.CloseWith(1011))], "profile": OURS}
    async with served(server, profile=OURS) as (connection, _):
        await connection.wait_closed()

    assert any(event.role is Role.NOTICE for event in connection.timeline)
    assert diagnose(connection.timeline).cause is Cause.PLANNED_ROTATION


@pytest.mark.parametrize(
    ("fault", "server", "cause"),
    [
        # What it reads while it closes has come too late to be heard.
        (faults.StopReading(), {"profile": "engineio"}, Cause.PEER_NOT_READING),
        (faults.StopReading(), {"read_deadline": "60s"}, Cause.PEER_NOT_READING),
        (faults.FreezeLoop("90s"), {"read_deadline": "60s"}, Cause.PEER_FROZEN),
    ],
)
async def test_a_server_that_gave_up_on_what_it_had_not_read_is_to_blame(fault, server, cause):
    """Its own record says that it read nothing, or stood still."""
    orchestrator = Orchestrator(faults=[(40, fault)], **server)
    requirement = Requirement.of(alive_for="4m")
    profile = server.get("profile", "json")
    soak = await hold(requirement, orchestrator=orchestrator, profile=profile, client="browser")

    found = soak.verdict.diagnosis
    assert (found.cause, found.confidence, found.blame) == (cause, Confidence.HIGH, Blame.SERVER)


async def test_a_heartbeat_that_the_server_has_sent_waits_on_the_way():
    """Behind a flood, on a link that is slow: "the server sent no heartbeat" would be wrong."""
    server = {"profile": "elevenlabs", "heartbeat_interval": "10s"}
    program = [faults.Bandwidth(50), (12, faults.Flood(200, size=100))]
    requirement = Requirement.of(heartbeat_every="10s", alive_for="60s")
    orchestrator = Orchestrator(faults=program, **server)
    soak = await hold(requirement, orchestrator=orchestrator, profile="elevenlabs", client="browser")

    found = soak.verdict.diagnosis
    assert (found.cause, found.blame) == (Cause.SLOW_ANSWERS, Blame.PATH)

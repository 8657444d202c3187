"""What a client's record holds for the diagnosis: who signed the handshake, and what was announced."""

import pytest

from pytest_wsstability import Cause, Orchestrator, Role, diagnose, faults
from pytest_wsstability.profiles import JSON
from tests.net.peers import opened

pytestmark = pytest.mark.ws_stability(time="virtual")

OURS = JSON.replace(name="ours", notice={"type": "go_away"})


async def test_who_signed_the_answer_is_a_hint():
    """Fields that servers and proxies sign with are kept, and no others."""
    headers = [("Server", "nginx/1.22.1"), ("X-Secret", "s3cret"), ("Via", "1.1 vegur")]
    silent = {"ping_interval": None, "read_deadline": None}
    program = [(60, faults.Drop())]
    async with (
        Orchestrator(headers=headers, faults=program, **silent) as orchestrator,
        opened(orchestrator.url) as connection,
    ):
        assert connection.timeline.hints == (("Server", "nginx/1.22.1"), ("Via", "1.1 vegur"))

        await connection.wait_closed()
        found = diagnose(connection.timeline)

    assert found.cause is Cause.IDLE_TIMEOUT
    assert "the response had Server: nginx/1.22.1, Via: 1.1 vegur" in found.sentence
    assert "s3cret" not in found.sentence


async def test_without_signatures_there_is_no_hint():
    """Nothing is kept for it."""
    async with Orchestrator() as orchestrator, opened(orchestrator.url) as connection:
        assert connection.timeline.hints is None


async def test_an_end_after_a_notice_is_planned():
    """The profile says which message announces it."""

    async def leave(connection):
        await connection.send('{"type": "go_away", "seconds": 5}')
        await connection.wait_closed()

    server = {"handler": leave, "faults": [(5, faults.CloseWith(1011))], "profile": OURS}
    async with Orchestrator(**server) as orchestrator, opened(orchestrator.url, profile=OURS) as connection:
        await connection.wait_closed()

    assert any(event.role is Role.NOTICE for event in connection.timeline)
    assert diagnose(connection.timeline).cause is Cause.PLANNED_ROTATION

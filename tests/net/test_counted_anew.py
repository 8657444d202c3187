"""A heartbeat whose counter is a byte, and begins anew after 255."""

from __future__ import annotations

import pytest

from pytest_wsstability import Orchestrator, StabilityError, faults
from pytest_wsstability.profiles import Codec, Profile
from tests.net.peers import opened, served

pytestmark = pytest.mark.ws_stability(time="virtual")


def counted(kind):
    """A message of two bytes: its kind, and the counter."""

    def read(message):
        return {"id": message[1]} if isinstance(message, bytes) and message[:1] == kind else None

    return Codec(read, lambda values: kind + bytes([values["id"] % 256]), names=("id",))


BYTE = Profile(name="byte", ping=counted(b"P"), pong=counted(b"A"), interval=1)
EACH = {"alive_for": "15m", "heartbeat_every": "1s", "heartbeat_within": "500ms"}


async def test_answers_belong_to_their_questions():
    """Though the counter was the same some time before."""
    async with served({"profile": BYTE}) as (client, _):
        await client.assert_stable(**EACH)

        assert client.timeline.heartbeats.answered == 899
        assert client.timeline.heartbeats.unmatched == 0


async def test_one_that_is_not_answered_is_missed():
    """The next one of its number is another one."""
    late = [("300s", faults.WithholdHeartbeats())]
    async with (
        Orchestrator(profile=BYTE, faults=late, read_deadline=None, ping_interval=None) as server,
        opened(server.url, profile=BYTE) as client,
    ):
        with pytest.raises(StabilityError) as caught:
            await client.assert_stable(**EACH)

        assert caught.value.verdict.violations[0].at == pytest.approx(300.5, abs=1.1)

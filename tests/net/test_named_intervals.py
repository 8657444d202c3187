"""Servers that name the interval of heartbeats: whatever they say, no client spins, floods or raises."""

from __future__ import annotations

import asyncio
import json

import pytest

from pytest_wsstability import Direction, StabilityError
from tests.net.peers import TEXT, frame, talking
from tests.net.test_fuzzing import unhandled

pytestmark = pytest.mark.ws_stability(time="virtual")

GREETINGS = {
    "engineio": '0{{"sid":"abcdefghij","upgrades":[],"pingInterval":{0},"pingTimeout":{0}}}',
    "discord": '{{"op":10,"d":{{"heartbeat_interval":{0}}},"s":null,"t":null}}',
    "pusher": '{{"event":"pusher:connection_established","data":'
    '"{{\\"socket_id\\":\\"1.2\\",\\"activity_timeout\\":{0}}}"}}',
}
# No heartbeat can be sent at these.
SENSELESS = ["0", "-1", "-25000", "1e-9", "1e308", "1e309", "Infinity", "-Infinity", "1" + "0" * 400]
# These are no intervals at all, and the protocol's own stands in.
NONE = ["true", "false", "null", "[]", "{{}}", "NaN", "9" * 5000]


async def held(profile, interval):
    """What a hold of 30 s says, and what the client sent in it."""

    async def script(peer):
        peer.send(frame(TEXT, GREETINGS[profile].format(interval.replace("{{}}", "{}")).encode()))
        await asyncio.sleep(3600)

    async with talking(script, profile=profile) as connection:
        with pytest.raises(StabilityError) as caught:
            await connection.assert_alive_for("30s")
        return str(caught.value), connection.timeline.count(Direction.SENT)


@pytest.mark.parametrize("profile", GREETINGS)
@pytest.mark.parametrize("interval", SENSELESS, ids=lambda text: text[:9])
async def test_an_interval_that_makes_no_sense_is_told(profile, interval):
    """At once, by its value, and the ones that do make sense."""
    found, (said, sent) = await unhandled(held(profile, interval))

    assert found == []
    assert "an interval that makes no sense: " in said
    assert "100 ms to 24 h make sense" in said
    assert sent < 5


@pytest.mark.parametrize("profile", GREETINGS)
@pytest.mark.parametrize("interval", NONE, ids=lambda text: text[:8])
async def test_what_is_no_interval_is_none(profile, interval):
    """The client goes by its own, and the verdict is of what it saw."""
    found, (_, sent) = await unhandled(held(profile, interval))

    assert found == []
    assert sent < 5


def test_the_greetings_are_the_protocols_own():
    """With an interval as it is meant they are valid JSON."""
    for text in GREETINGS.values():
        assert json.loads(text.format(25000).removeprefix("0"))

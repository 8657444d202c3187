"""Each protocol of the first tier, broken in the ways that its teams meet: every defect is found."""

from __future__ import annotations

import asyncio

import pytest

from pytest_wsstability import StabilityError, faults
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.profiles.catalogue import find
from tests.net.peers import served

pytestmark = pytest.mark.ws_stability(time="virtual")

WITHHELD = {"faults": [faults.WithholdHeartbeats()]}
MUTE = {"client": "mute"}

# The profile, the server, the client, how long and how often heartbeats have to come, which rule is broken
# at the client, and words of it.
AT_THE_CLIENT = [
    # The server sends no heartbeats, or answers none.
    ("engineio", WITHHELD, {}, "2m", "25s", Rule.CADENCE, "never sent a heartbeat in 37.5 s"),
    ("socketio", WITHHELD, {}, "2m", "25s", Rule.CADENCE, "never sent a heartbeat in 37.5 s"),
    (
        "graphql-transport-ws",
        WITHHELD,
        {"heartbeat": "12s"},
        "1m",
        "12s",
        Rule.HEARTBEATS,
        "1 of 1 heartbeats",
    ),
    ("phoenix", WITHHELD, {}, "2m", "30s", Rule.HEARTBEATS, "1 of 1 heartbeats not answered"),
    ("signalr", WITHHELD, {}, "2m", "15s", Rule.HEARTBEATS, "no message for 20 s"),
    ("stomp", WITHHELD, {}, "2m", "10s", Rule.HEARTBEATS, "no message for 15 s"),
    ("mqtt", WITHHELD, {}, "5m", "60s", Rule.HEARTBEATS, "1 of 1 heartbeats not answered"),
    ("mqtt5", WITHHELD, {}, "5m", "60s", Rule.HEARTBEATS, "1 of 1 heartbeats not answered"),
    ("ocpp", WITHHELD, {}, "11m", "5m", Rule.HEARTBEATS, "1 of 1 heartbeats not answered"),
    ("ocpp2.0.1", WITHHELD, {}, "11m", "5m", Rule.HEARTBEATS, "1 of 1 heartbeats not answered"),
    (
        "openai-realtime",
        {"faults": [faults.WithholdPongs()]},
        {"heartbeat": "20s"},
        "1m",
        "20s",
        Rule.HEARTBEATS,
        "1 of 1 heartbeats not answered",
    ),
    # The client sends none, or answers none, or less often than the server waits.
    ("engineio", {}, MUTE, "2m", None, Rule.ALIVE, "1005 at 45 s of 120 s"),
    ("socketio", {}, MUTE, "2m", None, Rule.ALIVE, "1005 at 45 s of 120 s"),
    ("phoenix", {}, {"heartbeat": False}, "2m", None, Rule.ALIVE, "1000 at 60 s of 120 s"),
    ("phoenix", {}, {"heartbeat": "61s"}, "2m", None, Rule.ALIVE, "1000 at 60 s of 120 s"),
    ("signalr", {}, {"heartbeat": False}, "2m", None, Rule.ALIVE, "1006 at 30 s of 120 s"),
    ("signalr", {}, {"heartbeat": "31s"}, "2m", None, Rule.ALIVE, "1006 at 30 s of 120 s"),
    ("stomp", {}, {"heartbeat": False}, "2m", None, Rule.ALIVE, "1000 at 30 s of 120 s"),
    ("mqtt", {}, {"heartbeat": False}, "2m", None, Rule.ALIVE, "1006 at 90 s of 120 s"),
    ("mqtt5", {}, {"heartbeat": False}, "2m", None, Rule.ALIVE, "1006 at 90 s of 120 s"),
    ("deepgram", {}, {"heartbeat": False}, "2m", None, Rule.ALIVE, "1011 at 10 s of 120 s"),
    ("deepgram", {}, {"heartbeat": "11s"}, "2m", None, Rule.ALIVE, "1011 at 10 s of 120 s"),
    ("openai-realtime", {}, {}, "2h", None, Rule.ALIVE, "1001 at 1 h of 2 h"),
    ("gemini-live", {}, {}, "15m", None, Rule.ALIVE, "1008 at 600 s of 900 s"),
    # The server asks less often than it has promised.
    ("engineio", {"faults": [("30s", faults.LateHeartbeats("40s"))]}, {}, "3m", "25s", Rule.CADENCE, "25 s"),
    # An interval above the timeout that was agreed on.
    ("stomp", {"faults": [faults.LateHeartbeats("25s")]}, {}, "2m", "10s", Rule.HEARTBEATS, "no message for"),
]


def named(row):
    server = row[1]["faults"][0] if row[1] else ""
    return f"{row[0]} {server} {row[2]}"


@pytest.mark.parametrize(("profile", "server", "client", "hold", "every", "rule", "words"), AT_THE_CLIENT)
async def test_a_defect_is_found_at_the_client(profile, server, client, hold, every, rule, words):
    """By the hold, with the instant or the number that shows it."""
    beats = {"heartbeat_every": every, "heartbeat_within": "5s"} if every else {}
    async with served({"profile": profile, **server}, **client) as (connection, _):
        with pytest.raises(StabilityError) as caught:
            await connection.assert_stable(alive_for=hold, **beats)

    violation = caught.value.verdict.violations[0]
    assert violation.rule is rule
    assert words in violation.line


@pytest.mark.parametrize(
    ("profile", "client", "every", "words"),
    [
        ("engineio", MUTE, "25s", "not answered within 5 s"),
        ("socketio", MUTE, "25s", "not answered within 5 s"),
        ("graphql-transport-ws", {"heartbeat": False}, "12s", "never sent a heartbeat"),
        ("phoenix", {"heartbeat": False}, "30s", "never sent a heartbeat in 60 s"),
        ("signalr", {"heartbeat": False}, "15s", "no message for"),
        ("stomp", {"heartbeat": False}, "10s", "no message for"),
        ("mqtt", {"heartbeat": False}, "60s", "never sent a heartbeat in 90 s"),
        ("ocpp", {"heartbeat": False}, "60s", "never sent a heartbeat"),
        ("ocpp", {"heartbeat": "2m"}, "60s", "no heartbeat for 120 s (every 60 s)"),
        ("deepgram", {"heartbeat": False}, "5s", "never sent a heartbeat in 10 s"),
        ("twilio", MUTE, "20s", "not answered within 5 s"),
    ],
)
async def test_a_client_under_test_that_is_silent_is_found(profile, client, every, words):
    """By what the orchestrator recorded of it."""
    server = {"heartbeat_interval": "20s"} if profile == "twilio" else {}
    async with served({"profile": profile, **server}, **client) as (connection, orchestrator):
        await connection.websocket.wait_over(connection.timeline.opened + 590)
        await asyncio.sleep(1)
        (session,) = orchestrator.sessions
        with pytest.raises(StabilityError) as caught:
            await session.assert_stable(heartbeat_every=every, heartbeat_within="5s")

    assert any(words in violation.line for violation in caught.value.verdict.violations), caught.value


@pytest.mark.parametrize(
    ("profile", "end", "code"),
    [
        ("graphql-transport-ws", "the connection initialisation timeout of 3 s ran out", 4408),
        ("socketio", "Socket.IO's connect timeout of 45 s ran out", 1005),
        ("signalr", "SignalR's handshake timeout of 15 s ran out", 1006),
        ("mqtt", "the broker's wait for CONNECT of 30 s ran out", 1006),
    ],
)
async def test_a_client_that_does_not_begin_its_session_is_ended(profile, end, code):
    """By the protocol's own timer, with its own code."""
    silent = find(profile).replace(
        name="silent", session_info=None, session_confirmed=None, session_refused=None, timers=(), steps=(),
        resume=None, resumed=None, agree=None,
    )  # fmt: skip
    async with served({"profile": profile}, profile=silent, heartbeat=False) as (connection, orchestrator):
        with pytest.raises(StabilityError) as caught:
            await connection.assert_alive_for("2m")
        server = orchestrator.attempts[0].timeline.close

    assert connection.timeline.close.code == code
    assert server.local_reason is LocalReason.PROTOCOL_TIMER
    assert server.local_detail.startswith(end)
    assert caught.value.verdict.violations[0].rule is Rule.ALIVE


@pytest.mark.parametrize(
    "profile",
    ["socketio", "graphql-transport-ws", "phoenix", "signalr", "stomp", "mqtt", "ocpp", "openai-realtime"],
)
async def test_a_session_that_is_never_confirmed_is_found(profile):
    """Whoever names it."""
    async with served({"profile": profile, "faults": [faults.NeverConfirm()]}) as (connection, _):
        with pytest.raises(StabilityError, match="session not confirmed within 3 s"):
            await connection.assert_session_confirmed(within="3s")


@pytest.mark.parametrize(
    ("profile", "code"), [("graphql-transport-ws", 4403), ("stomp", 1002), ("deepgram", 1008)]
)
async def test_a_session_that_is_refused_with_a_code_is_found(profile, code):
    """Where the protocol refuses by a close code."""
    async with served({"profile": profile, "faults": [faults.AcceptThenClose(code)]}) as (connection, _):
        with pytest.raises(StabilityError, match=f"{code} at 0 s of 30 s"):
            await connection.assert_alive_for("30s")

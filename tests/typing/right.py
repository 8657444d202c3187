"""What a user writes, completely typed: mypy and pyright find nothing to say."""

# pyright: strict

from __future__ import annotations

from pytest_wsstability import (
    Backoff,
    Clock,
    Connection,
    Connector,
    FaultProxy,
    Orchestrator,
    Requirement,
    ServerProcess,
    Soak,
    Timeline,
    Verdict,
    assert_stable,
    connect,
    faults,
    fleet,
    judge,
    marks,
    run_virtual,
    voice,
)
from pytest_wsstability.profiles import JSON, Profile


@marks.stability(alive_for="2m", heartbeat_every=25, heartbeat_within="5s", client="mute", allow_close={1012})
@marks.orchestrator(read_deadline="60s", deadline_reset_by={"pong", "data"}, on_deadline=1001)
@marks.long()
def test_soak(ws_soak: Soak) -> None:
    verdict: Verdict = ws_soak.assert_stable()
    ws_soak.assert_stable(alive_for="2m", heartbeat_missed_max=1)
    ws_soak.assert_rtt(p95="80ms")
    print(verdict.outcome.value, verdict.horizon, ws_soak.timeline.duration)


@marks.middlebox("nginx", "aws-alb")
async def test_connections(ws_connect: Connector, ws_orchestrator: Orchestrator) -> None:
    connection = await ws_connect(heartbeat="25s", headers={"Authorization": "Bearer x"}, client="keepalive")
    await connection.assert_alive_for("2m")
    connection.assert_heartbeats_answered(within="5s", at_least=4)
    again = await connection.reconnect(within="10s", backoff=Backoff(first="1s"), headers=[("X-Resume", "1")])
    session = await ws_orchestrator.wait_for_session(again.session_id, within="5s")
    await session.assert_stable(session_within="5s")
    async with ws_connect(profile="frames", subprotocols=["chat"]) as other:
        await other.ping()


@marks.stability(connections=3, alive_for="1m")
@marks.voice(turns=1)
async def test_what_fixtures_give(
    ws_clock: Clock,
    ws_proxy: faults.Proxies,
    ws_middlebox: faults.MiddleboxProxy,
    ws_command: ServerProcess,
    ws_connection: Connection,
    ws_fleet: fleet.Fleet,
    ws_voice: voice.VoiceSoak,
) -> None:
    await ws_clock.advance("30s")
    proxy: FaultProxy = await ws_proxy(ws_middlebox.url, faults=silence("10s"))
    await ws_connection.send(f"{ws_clock.now:.3f} {ws_clock.is_virtual} {proxy.url} {ws_middlebox.name}")
    await ws_command.restart()
    print([line.text for line in ws_command.lines], ws_command.port)
    ws_fleet.assert_stable()
    ws_voice.assert_stable()


async def hold(url: str) -> float:
    requirement = Requirement.of(alive_for="24h", rtt_p95=0.2, closed=None)
    mine: Profile = JSON.replace(name="mine")
    orchestrator = Orchestrator(read_deadline=None, answer_heartbeats="80ms", echo=True, profile=mine)
    async with orchestrator:
        connection = await connect(url, client="browser", profile=mine, heartbeat="25s")
        verdict = judge(requirement, connection.timeline)
        return verdict.horizon


def check(timeline: Timeline) -> None:
    assert_stable(timeline, alive_for="2m", no_abnormal_closure=True)


def silence(at: str) -> list[object]:
    return [(at, faults.Drop()), ("30s", faults.Latency("80ms", jitter="10ms"))]


HORIZON: float = run_virtual(hold("ws://127.0.0.1/"))

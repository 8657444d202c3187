"""The ladder against servers whose timers are known, in virtual time; a few in real time."""

import asyncio
import contextlib

import pytest

from pytest_wsstability import OpeningError, Orchestrator, Tier
from pytest_wsstability.core.probe.findings import Policy, TimerKind
from pytest_wsstability.core.probe.observation import RungFate
from pytest_wsstability.core.probe.rungs import MOST_CONNECTIONS, Rung, Traffic
from pytest_wsstability.core.probe.words import sentence
from pytest_wsstability.core.timeline.close import LocalReason
from pytest_wsstability.net.probe import Prober, probe_url
from pytest_wsstability.net.probe.climber import Climber
from pytest_wsstability.net.probe.prober import TEXT
from tests.net.peers import frame, serving, until

pytestmark = pytest.mark.ws_stability(time="virtual")

QUIET = {"read_deadline": None, "ping_interval": None}
DEADLINE, IDLE, KEEPALIVE = TimerKind.READ_DEADLINE, TimerKind.IDLE, TimerKind.KEEPALIVE


async def probed(server, **options):
    async with Orchestrator(**server) as orchestrator:
        return await probe_url(orchestrator.url, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seconds", [20, *(pytest.param(each, marks=pytest.mark.slow) for each in (55, 100)), 240]
)
@pytest.mark.parametrize("pings", [None, 0.5])
@pytest.mark.parametrize(
    ("reset_by", "kind", "policies"),
    [
        ("pong", DEADLINE, {Policy.PONGS}),
        # Where the server pings too, its bytes are seen not to count.
        ("any", IDLE, {Policy.ANY, Policy.CLIENT}),
        ("data", IDLE, {Policy.MESSAGES}),
        ("heartbeat", IDLE, {Policy.HEARTBEATS}),
        ("ping", IDLE, {Policy.PINGS}),
        ({"pong", "data"}, IDLE, {Policy.SOME}),
    ],
)
async def test_every_read_deadline_is_found(seconds, pings, reset_by, kind, policies):
    """Its length within 1 %, and what resets it; the server's pings are seen, if it sends any."""
    server = {
        "read_deadline": seconds,
        "ping_interval": pings and pings * seconds,
        "deadline_reset_by": reset_by,
    }
    findings = await probed(server, max="10m")

    assert findings.doubts == ()
    assert findings.idle.kind is kind
    assert findings.idle.policy in policies
    assert findings.idle.seconds == pytest.approx(seconds, rel=0.01)
    assert findings.max_age is None
    assert findings.server_ping_every == (pings and pytest.approx(pings * seconds, rel=0.01))
    assert findings.tier is Tier.VIRTUAL


@pytest.mark.parametrize("profile", ["json", "frames"])
async def test_the_profile_without_heartbeat_messages_has_one_kind_less(profile):
    """Its heartbeats are ping frames."""
    findings = await probed({**QUIET, "read_deadline": 60, "profile": profile}, profile=profile)

    assert findings.idle.policy is Policy.PONGS
    assert (Traffic.HEARTBEAT in findings.resets) is (profile == "json")
    ladder = [each for each in findings.observations if not each.rung.trial]
    assert len(ladder) == MOST_CONNECTIONS


@pytest.mark.parametrize("age", [15.0, 30.0, 300.0])
async def test_a_maximum_age_is_found(age):
    """A handler that returns, whatever was said: nothing helps."""

    async def leave(connection):
        await asyncio.sleep(age)

    findings = await probed({**QUIET, "handler": leave})

    assert findings.idle is None
    assert findings.max_age.seconds == pytest.approx(age, rel=0.01)


async def test_nothing_is_found_where_there_is_nothing():
    """As far as it was waited."""
    findings = await probed(QUIET, max="20m")

    assert (findings.timers, findings.doubts) == ((), ())
    assert findings.horizon == pytest.approx(1200)
    assert {each.fate for each in findings.observations} == {RungFate.ALIVE}


async def test_a_restart_is_no_timer():
    """All end together, at ages a quarter of a second apart."""
    async with Orchestrator(**QUIET) as orchestrator:
        probing = asyncio.create_task(probe_url(orchestrator.url))
        await asyncio.sleep(100)
        for session in orchestrator.sessions:
            session.connection.websocket.drop(LocalReason.INTERRUPTED, "a restart")
        findings = await probing

    assert findings.timers == ()
    assert findings.doubts == ("connections of different ages ended together: a restart, and no timer",)


async def test_a_server_without_pongs_is_not_lost():
    """It answers no pings, and lives: silence after them proves nothing."""
    async with serving(deaf) as url:
        findings = await probe_url(url, max="2m", profile="frames")

    assert {each.fate for each in findings.observations} == {RungFate.LOST}
    assert findings.doubts == (
        "the server answers no pings, so a connection lost without a word cannot be told",
    )


async def deaf(peer):
    await peer.upgrade()
    await peer.gone()


async def test_what_the_server_refuses_is_told():
    """1003 for a text: that connection says nothing about timers, and the others do."""

    async def strict(connection):
        async for _ in connection:
            await connection.close(1003)

    findings = await probed({**QUIET, "read_deadline": 60, "handler": strict, "deadline_reset_by": "any"})

    assert findings.notes[0].startswith("the server refuses text: received 1003 (unsupported data)")
    assert findings.idle.seconds == pytest.approx(60, rel=0.01)
    assert findings.resets == {Traffic.HEARTBEAT: True, Traffic.PING: True, Traffic.PONG: True}


async def test_a_probe_that_is_stopped_tells_what_it_saw():
    """An interrupt in the middle."""
    async with Orchestrator(read_deadline=60, ping_interval=None) as orchestrator:
        prober = Prober(orchestrator.url, seconds="1h")
        asyncio.get_running_loop().call_later(130, prober.stop)
        findings = await prober.run()

    assert findings.horizon == pytest.approx(130, abs=3)
    assert (findings.idle.policy, findings.idle.seconds) == (Policy.PONGS, pytest.approx(60, rel=0.01))


async def test_a_probe_leaves_nothing_behind():
    """No connection at the server, and no task here."""
    async with Orchestrator(**QUIET) as orchestrator:
        tasks = len(asyncio.all_tasks())
        await probe_url(orchestrator.url, max="1m")

        assert len(orchestrator.sessions) == MOST_CONNECTIONS
        assert all(session.timeline.close is not None for session in orchestrator.sessions)
        assert len(asyncio.all_tasks()) == tasks


async def test_a_probe_that_is_cancelled_leaves_nothing_behind():
    """Every connection is cut."""
    async with Orchestrator(**QUIET) as orchestrator:
        probing = asyncio.create_task(probe_url(orchestrator.url))
        await asyncio.sleep(30)
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing
        await until(lambda: all(session.timeline.close for session in orchestrator.sessions))

        assert len(orchestrator.sessions) == MOST_CONNECTIONS


async def test_nothing_is_opened_where_the_first_is_refused():
    """No hammering on a closed door."""
    asked = []

    async def refuse(peer):
        asked.append(await peer.request())
        peer.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    async with serving(refuse) as url:
        with pytest.raises(OpeningError, match=r"HTTP 503"):
            await probe_url(url)
    assert len(asked) == 1


async def test_a_limit_on_connections_leaves_a_part():
    """The rest did not open, and is told."""
    asked = []

    async def some(peer):
        asked.append(None)
        if len(asked) > 9:
            await peer.request()
            peer.send(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n")
            return
        await deaf(peer)

    async with serving(some) as url:
        findings = await probe_url(url, max="1m", profile="frames")

    assert findings.notes[0].startswith("3 of 12 connections did not open: upgrade refused: HTTP 429")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"max": "soon"}, r"^max: 'soon' is not a duration"),
        ({"max": 0}, r"^max: must be longer than 0"),
        ({"every": "x"}, r"^every: 'x' is not a duration"),
        ({"every": "3m"}, r"^every: '3m' is too seldom for a wait of 600 s; at most a quarter$"),
        ({"profile": "xml"}, r"^profile: 'xml' is unknown"),
        # As an argument in another encoding than the system's comes.
        (
            {"text": "caf\udce9"},
            r"^text: it has half of a character, which no message can carry; give UTF-8$",
        ),
    ],
)
async def test_wrong_values_are_named(options, said):
    """Before anything is dialled."""
    with pytest.raises(ValueError, match=said):
        await probe_url("ws://127.0.0.1:1", **options)


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_a_read_deadline_in_real_time():
    """On kernel sockets, scaled down; a busy machine is late, and the policy is the same."""
    server = {"read_deadline": "1500ms", "ping_interval": None}
    findings = await probed(server, max="4s")

    if any("event loop stood still" in doubt for doubt in findings.doubts):
        pytest.skip("the machine is too busy to measure anything")
    assert findings.idle.policy is Policy.PONGS
    assert findings.idle.seconds == pytest.approx(1.5, rel=0.25)
    assert findings.tier is Tier.REAL


# What is advised.


def pong_to(ping):
    """The answer to a client's ping, which is masked."""
    key, payload = ping[2:6], ping[6 : 6 + (ping[1] & 127)]
    return frame(0xA, bytes(byte ^ key[number % 4] for number, byte in enumerate(payload)))


class Sweeper:
    """A server that looks at all of its connections each so many seconds, and ends those over a limit."""

    def __init__(self, tick, limit, *, counts):
        self.tick, self.limit, self.counts = tick, limit, counts
        self.since = {}

    async def script(self, peer):
        loop = asyncio.get_running_loop()
        await peer.upgrade()
        self.since[peer] = loop.time()
        while True:
            data = await peer.reader.read(2**16)
            if not data:
                return
            if self.counts:
                self.since[peer] = loop.time()
            if data[0] & 0x0F == 0x9:
                peer.send(pong_to(data))

    async def sweep(self):
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.tick)
            for peer, since in list(self.since.items()):
                if loop.time() - since >= self.limit:
                    del self.since[peer]
                    peer.writer.close()


async def swept(tick, limit, *, counts, **options):
    sweeper = Sweeper(tick, limit, counts=counts)
    async with serving(sweeper.script) as url:
        sweeping = asyncio.create_task(sweeper.sweep())
        findings = await probe_url(url, profile="frames", **options)
        sweeping.cancel()
    return findings


@pytest.mark.parametrize("tick", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("limit", [10.0, 47.0])
async def test_a_maximum_age_that_is_looked_at_now_and_then(tick, limit):
    """Daphne, Bun and uWebSockets do: one timer, right but for its tick, and nothing that is safe."""
    findings = await swept(tick, limit, counts=False, max="3m")

    assert findings.doubts == ()
    assert findings.idle is None
    assert findings.advice == ()
    age = findings.max_age
    assert age.least - tick <= limit <= age.seconds + age.error + 0.5
    assert age.error <= tick


@pytest.mark.parametrize("tick", [1.0, 4.0])
async def test_an_idle_timeout_that_is_looked_at_now_and_then(tick):
    """The same for what traffic resets: what is safe is reckoned from the least that it can be, and tried."""
    findings = await swept(tick, 20.0, counts=True, max="3m")

    assert findings.max_age is None
    assert findings.idle.least - tick <= 20.0 <= findings.idle.seconds + findings.idle.error + 0.5
    assert findings.advice[0].survived >= 40.0
    assert findings.advice[0].safe <= 10


@pytest.mark.parametrize(
    "server",
    [
        {"read_deadline": 60},
        {"read_deadline": 17, "deadline_reset_by": "any", "ping_interval": None},
        {"read_deadline": 33, "deadline_reset_by": "data", "ping_interval": 11},
        {"read_deadline": 45, "deadline_reset_by": "heartbeat", "ping_interval": 20},
        {"read_deadline": 25, "deadline_reset_by": {"ping", "data"}, "ping_interval": None},
    ],
)
async def test_what_is_called_safe_survives(server):
    """As long again, three times over: a test of the word."""
    findings = await probed({"ping_interval": None, **server}, max="8m")

    assert findings.advice
    for advice in findings.advice[:2]:
        assert advice.survived >= 2 * findings.idle.seconds
        rung = Rung(traffic=advice.traffic, every=advice.safe)
        async with Orchestrator(**{"ping_interval": None, **server}) as orchestrator:
            climber = Climber(rung, TEXT, asyncio.get_running_loop())
            await climber.climb(orchestrator.url, {"profile": "json"}, 6 * findings.idle.seconds)
        assert climber.observation.fate is RungFate.ALIVE


async def test_without_time_for_a_trial_nothing_is_called_safe():
    """It is reckoned, and said to be."""
    findings = await probed({"read_deadline": 60, "ping_interval": None}, max="100s")

    assert [advice.survived for advice in findings.advice] == [None]
    assert "leaves a margin (untried)" in sentence(findings)
    assert "is safe" not in sentence(findings)


async def test_frames_alone_say_everything_with_texts():
    """A deadline that only messages reset is no maximum age, where the heartbeat is a ping frame."""
    server = {"read_deadline": 30, "deadline_reset_by": "data", "ping_interval": None, "profile": "frames"}
    findings = await probed(server, profile="frames", max="3m")

    assert findings.max_age is None
    assert findings.resets[Traffic.TEXT]


@pytest.mark.parametrize("seconds", [3.0, 20.0])
async def test_a_proxy_that_tells_the_end_later_has_the_timer_from_which_on_it_is_silent(seconds):
    """Envoy gives a client one second to close: 3 s are not 4 s."""

    async def script(peer):
        await peer.upgrade()
        while True:
            try:
                async with asyncio.timeout(seconds):
                    data = await peer.reader.read(2**16)
            except TimeoutError:
                await asyncio.sleep(1.0)
                return peer.writer.close()
            if not data:
                return None
            if data[0] & 0x0F == 0x9:
                peer.send(pong_to(data))

    async with serving(script) as url:
        findings = await probe_url(url, profile="frames", max=20 * seconds)

    assert findings.idle.seconds == pytest.approx(seconds, rel=0.05)
    assert findings.idle.told_late == pytest.approx(1.0, abs=0.2)
    assert "from then on nothing is answered" in sentence(findings)


@pytest.mark.parametrize("seconds", [3.0, 20.0])
async def test_a_maximum_age_that_is_told_later_is_the_age_from_which_on_nothing_is_answered(seconds):
    """Envoy again: it gives a client one second to close."""

    async def script(peer):
        await peer.upgrade()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while data := await peer.reader.read(2**16):
                    if data[0] & 0x0F == 0x9:
                        peer.send(pong_to(data))
                return
        await asyncio.sleep(1.0)
        peer.writer.close()

    async with serving(script) as url:
        findings = await probe_url(url, profile="frames", max=20 * seconds, every="300ms")

    assert findings.doubts == ()
    assert [timer.kind for timer in findings.timers] == [TimerKind.MAX_AGE]
    assert findings.max_age.seconds == pytest.approx(seconds, abs=findings.max_age.error + 0.05)
    assert findings.max_age.error <= 0.1 * seconds
    assert findings.max_age.told_late == pytest.approx(1.0, abs=0.1 * seconds)
    assert "whatever the traffic (from then on nothing is answered" in sentence(findings)

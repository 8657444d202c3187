"""The ladder through proxies with a timer, in virtual time: every reset policy and every way to end."""

import pytest

from pytest_wsstability import FaultProxy, Orchestrator, faults
from pytest_wsstability.core.faults.middleboxes import MIDDLEBOXES
from pytest_wsstability.core.probe.findings import Policy
from pytest_wsstability.core.probe.rungs import MOST_CONNECTIONS
from pytest_wsstability.net.probe import probe_url
from tests.net.peers import until

pytestmark = pytest.mark.ws_stability(time="virtual")

QUIET = {"read_deadline": None, "ping_interval": None}
# What can be told behind a server that says nothing by itself: bytes of the server only come as answers.
QUIET_POLICIES = {
    "any": Policy.ANY,
    "upstream": Policy.ANY,
    "downstream": Policy.SERVER,
    "each": Policy.SERVER,
    "data": Policy.MESSAGES,
}


def slowly(*values):
    """Parameters that show the same once more."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


async def probed(*timers, server=QUIET, **options):
    async with Orchestrator(**server) as orchestrator, FaultProxy(orchestrator.url, faults=timers) as proxy:
        return await probe_url(proxy.url, **options)


@pytest.mark.parametrize("ends_with", ["fin", "reset"])
@pytest.mark.parametrize("reset_by", QUIET_POLICIES)
@pytest.mark.parametrize("seconds", [60, *slowly(15, 350)])
async def test_an_idle_timeout_that_is_told(seconds, reset_by, ends_with):
    """Within 1 %, and the policy."""
    findings = await probed(faults.IdleTimeout(seconds, reset_by=reset_by, ends_with=ends_with), max="15m")

    assert (findings.doubts, findings.max_age) == ((), None)
    assert findings.idle.policy is QUIET_POLICIES[reset_by]
    assert findings.idle.seconds == pytest.approx(seconds, rel=0.01)
    assert not findings.idle.silent


@pytest.mark.parametrize("ends_with", ["silence", "blackhole"])
@pytest.mark.parametrize("reset_by", QUIET_POLICIES)
@pytest.mark.parametrize("seconds", [60, *slowly(240)])
async def test_an_idle_timeout_that_tells_nobody(seconds, reset_by, ends_with):
    """The policy, and bounds that hold; within 1 % where further silences can be tried."""
    timer = faults.IdleTimeout(seconds, reset_by=reset_by, ends_with=ends_with)
    findings = await probed(timer, max=seconds * 8, every=seconds / 30)

    assert findings.doubts == ()
    assert findings.idle.silent
    assert findings.idle.policy is QUIET_POLICIES[reset_by]
    low, high = findings.idle.least, findings.idle.seconds + findings.idle.error
    assert low <= seconds + 0.01
    assert high >= seconds - 0.01
    # Where the busy connections end by what they say, they measure it as often as they speak.
    assert high - low <= seconds / 30 + 0.01
    if reset_by in ("any", "upstream"):
        assert findings.idle.seconds == pytest.approx(seconds, rel=0.01)


@pytest.mark.parametrize("reset_by", ["upstream", "each", "data"])
async def test_the_servers_own_bytes_are_seen_not_to_count(reset_by):
    """Its pings come every 20 s, and a client that answers none is cut all the same."""
    server = {"read_deadline": None, "ping_interval": 20}
    findings = await probed(faults.IdleTimeout(60, reset_by=reset_by), server=server)

    assert findings.idle.policy is (Policy.MESSAGES if reset_by == "data" else Policy.CLIENT)
    assert findings.idle.seconds == pytest.approx(60, rel=0.01)
    assert findings.idle.answering_helps is (reset_by != "data")


@pytest.mark.parametrize("reset_by", ["any", "downstream"])
async def test_the_servers_own_bytes_hide_a_longer_timeout(reset_by):
    """Nothing ends while it pings: no timer is made up."""
    server = {"read_deadline": None, "ping_interval": 20}
    findings = await probed(faults.IdleTimeout(60, reset_by=reset_by), server=server)

    assert (findings.timers, findings.doubts) == ((), ())


@pytest.mark.parametrize("ends_with", ["fin", "reset", "silence", "blackhole"])
@pytest.mark.parametrize("seconds", [15, 300])
async def test_a_maximum_age(seconds, ends_with):
    """Whatever is said; no idle timeout is made of it."""
    findings = await probed(faults.MaxAge(seconds, ends_with=ends_with), every=seconds / 100)

    assert (findings.doubts, findings.idle) == ((), None)
    assert findings.max_age.seconds == pytest.approx(seconds, rel=0.01)


async def test_an_idle_timeout_and_a_maximum_age():
    """Two timers in one box."""
    findings = await probed(faults.IdleTimeout(60, reset_by="data"), faults.MaxAge(300))

    assert [round(timer.seconds) for timer in findings.timers] == [60, 300]
    assert findings.idle.policy is Policy.MESSAGES


async def test_a_path_and_a_server_with_a_timer_each():
    """A load balancer of 55 s before a deadline of 60 s that only pongs reset: both are found."""
    server = {"read_deadline": 60, "ping_interval": None}
    findings = await probed(faults.IdleTimeout(55), server=server)

    assert [timer.seconds for timer in findings.timers] == [pytest.approx(s, rel=0.01) for s in (55, 60)]
    assert [timer.policy for timer in findings.timers] == [Policy.ANY, Policy.PONGS]


async def test_narrowing_stays_polite_and_in_time():
    """Twelve connections at a time, and nothing after the time that was given."""
    most, now = 0, 0

    async with Orchestrator(**QUIET) as orchestrator:
        timers = [faults.IdleTimeout(60, ends_with="silence")]
        async with FaultProxy(orchestrator.url, faults=timers) as proxy:
            findings = await probe_url(proxy.url, max="10m")
        await until(lambda: all(session.timeline.close for session in orchestrator.sessions))
        lives = [
            change
            for each in findings.observations
            for change in ((each.opened_at, 1), (each.opened_at + max(each.age, each.gap or 0.0), -1))
        ]
    for _, change in sorted(lives):
        now += change
        most = max(most, now)

    assert len(findings.observations) > MOST_CONNECTIONS
    assert most <= MOST_CONNECTIONS
    assert findings.horizon <= 601


@pytest.mark.parametrize("name", MIDDLEBOXES)
async def test_every_middlebox_is_known_by_its_timers(name):
    """Idle timeout, what resets it, and maximum age of every preset, within 1 %."""
    box = MIDDLEBOXES[name]
    idle = next((fault for fault in box.faults if isinstance(fault, faults.IdleTimeout)), None)
    age = next((fault for fault in box.faults if isinstance(fault, faults.MaxAge)), None)
    shortest = min((fault.seconds for fault in box.faults), default=60.0)
    longest = max((fault.seconds for fault in box.faults), default=60.0)
    # A timer that tells nobody takes further silences.
    silent = idle is not None and idle.ends_with not in (faults.EndsWith.FIN, faults.EndsWith.RESET)
    findings = await probed(*box.faults, max=longest * (8 if silent else 2.5), every=shortest / 12)

    assert findings.doubts == ()
    assert (findings.idle is None) is (idle is None)
    assert (findings.max_age is None) is (age is None)
    if idle is not None:
        assert findings.idle.seconds == pytest.approx(idle.seconds, rel=0.01)
        assert findings.idle.error <= 0.01 * idle.seconds
        assert findings.idle.policy is QUIET_POLICIES[idle.reset_by.value]
        assert findings.idle.silent is silent
    if age is not None:
        assert findings.max_age.seconds == pytest.approx(age.seconds, rel=0.01)

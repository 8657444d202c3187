"""A hold wakes when something may be broken, ends at the first violation, and proves what it passes."""

import asyncio

import pytest

from pytest_wsstability import (
    Orchestrator,
    Outcome,
    Requirement,
    StabilityError,
    connect,
    faults,
    hold,
    run_virtual,
)
from pytest_wsstability.core.judge.hold_checks import HoldChecks
from pytest_wsstability.core.judge.requirement import ExpectedClose
from pytest_wsstability.core.judge.verdict import Noted, Reason, Rule
from pytest_wsstability.core.timeline.events import Role
from pytest_wsstability.net.holding import hold_open, wait_session
from pytest_wsstability.profiles import Profile
from tests.net.peers import PING, PONG, TEXT, answer_pings, close, connected, frame, silent, talking

pytestmark = pytest.mark.ws_stability(time="virtual")


async def held(connection, **requirement):
    """The verdict, and the age of the connection when it was given."""
    verdict = await hold_open(connection.websocket, Requirement.of(**requirement))
    return verdict, asyncio.get_running_loop().time() - connection.timeline.opened


async def test_a_hold_ends_when_it_is_over():
    """At the very end of it, with the whole of it as horizon."""
    async with connected(heartbeat="25s") as (connection, _):
        verdict, age = await held(connection, alive_for="2m", heartbeat_every="25s")

        assert (verdict.outcome, verdict.horizon, age) == (Outcome.STABLE, 120.0, 120.0)


@pytest.mark.parametrize("holds", [[20], [10, 20], [20, 10], [20, 20], [5, 10, 20]])
async def test_heartbeats_rest_at_the_end_of_the_last_hold(holds):
    """And go on after it: holds that overlap end in any order."""
    async with connected(heartbeat="2s") as (connection, _):
        await asyncio.gather(*(connection.assert_alive_for(duration) for duration in holds))
        assert connection.timeline.heartbeats.sent == 9

        await asyncio.sleep(61)
        assert connection.timeline.heartbeats.last_at == 80


async def test_a_hold_that_waits_for_an_answer_keeps_no_heartbeat_of_a_longer_one_back():
    """The shorter one is over at 10 s, and has its last answer at 12 s."""
    async with talking(lambda peer: answer_pings(peer, 3), heartbeat="1s") as connection:
        asked = {"heartbeat_every": 1, "heartbeat_within": 4}
        # The longest begins first: each end of another leaves it.
        ages = await asyncio.gather(*(held(connection, alive_for=each, **asked) for each in (30, 5, 10)))

        assert [(verdict.outcome, age) for verdict, age in ages] == [
            (Outcome.STABLE, age) for age in (32, 7, 12)
        ]
        assert connection.timeline.heartbeats.sent == 29


async def test_a_hold_that_judges_no_heartbeats_keeps_none_back():
    """One falls due while it waits for its proof of life, and a later hold counts it."""
    async with talking(lambda peer: answer_pings(peer, 0.5), heartbeat="10s") as connection:
        verdict, age = await held(connection, alive_for="1m")
        assert (verdict.outcome, age) == (Outcome.STABLE, 60.5)

        verdict, _ = await held(connection, alive_for="2m", heartbeat_every="10s")
        assert (verdict.outcome, verdict.doubts) == (Outcome.STABLE, ())
        assert connection.timeline.heartbeats.sent == 11


@pytest.mark.parametrize(("first", "after", "goes_out"), [("30s", 0.5, 30), ("28s", 6.0, 31)])
async def test_a_heartbeat_that_a_hold_kept_back_goes_out_once_it_is_over(first, after, goes_out):
    """It was due at 30 s. A longer hold that follows counts it, and those that come later are not shifted."""
    async with talking(lambda peer: answer_pings(peer, after), heartbeat="5s") as connection:
        asked = {"heartbeat_every": "5s", "heartbeat_within": "6.5s"}
        verdict, _ = await held(connection, alive_for=first, **asked)
        assert (verdict.outcome, connection.timeline.heartbeats.last_at) == (Outcome.STABLE, 25)
        await asyncio.sleep(0.1)
        assert connection.timeline.heartbeats.last_at == goes_out

        verdict, _ = await held(connection, alive_for="1m", **asked)
        assert (verdict.outcome, verdict.doubts) == (Outcome.STABLE, ())
        trips = connection.timeline.heartbeats
        assert (trips.sent, trips.last_at) == (11, 55)


@pytest.mark.parametrize(
    ("every", "after", "outcome", "over"),
    [
        ("3.5s", 0, Outcome.STABLE, 63),
        ("25s", 0, Outcome.STABLE, 65),
        ("25s", 4.9, Outcome.STABLE, 69.9),
        ("25s", 5.1, Outcome.UNSTABLE, 70),
        # None was answered before.
        ("66s", 0, Outcome.UNSTABLE, 65),
    ],
)
async def test_the_answer_to_a_heartbeat_proves_as_much_as_a_pong(every, after, outcome, over):
    """On a way that lets no ping pass: one comes due within 5 s of the end of the hold, or goes out then."""

    async def script(peer):
        while True:
            opcode, _ = await peer.frame()
            if opcode == TEXT:
                asyncio.get_running_loop().call_later(after, peer.send, frame(TEXT, b"pong"))

    words = Profile(name="words", ping="ping", pong="pong")
    async with talking(script, profile=words, heartbeat=every) as connection:
        verdict, age = await held(connection, alive_for="1m")

        assert (verdict.outcome, age) == (outcome, pytest.approx(over))


async def test_a_hold_that_is_cancelled_keeps_no_heartbeat_back():
    """Its end is then no instant to rest from."""
    async with connected(heartbeat="2s") as (connection, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await connection.assert_alive_for("10s")
        await asyncio.sleep(26)

        assert connection.timeline.heartbeats.last_at == 30


@pytest.mark.parametrize("dropped_at", [0.0, 1.0, 59.999, 119.999])
async def test_a_hold_ends_with_the_connection(dropped_at):
    """And not at its own end."""

    async def script(peer):
        await asyncio.sleep(dropped_at)

    async with talking(script) as connection:
        verdict, age = await held(connection, alive_for="2m")

        assert (verdict.outcome, age) == (Outcome.UNSTABLE, pytest.approx(dropped_at))
        assert verdict.violations[0].rule is Rule.ALIVE


@pytest.mark.parametrize(
    ("requirement", "rule", "at"),
    [
        ({"heartbeat_every": "25s", "heartbeat_within": "5s"}, Rule.HEARTBEATS, 30.0),
        ({"heartbeat_within": "7s"}, Rule.HEARTBEATS, 32.0),
        (
            {"heartbeat_within": "5s", "heartbeat_missed_max": 2},
            Rule.HEARTBEATS,
            # The next but one after a heartbeat without an answer is a quarter of the interval early.
            73.75,
        ),
        ({"session_within": "3s"}, Rule.SESSION, 3.0),
    ],
    ids=["a heartbeat", "without a cadence", "the third heartbeat", "the session"],
)
async def test_a_hold_ends_at_the_first_violation(requirement, rule, at):
    """At the instant at which the promise is broken."""
    server = {"confirm_sessions": False, "answer_heartbeats": False}
    async with connected(server, heartbeat="25s") as (connection, _):
        verdict, age = await held(connection, alive_for="10m", **requirement)

        assert (verdict.outcome, age) == (Outcome.UNSTABLE, at)
        assert verdict.violations[0].rule is rule


async def test_a_ping_of_the_user_that_stays_unanswered_ends_it():
    """Pinged at 10 s: broken at 15 s."""
    async with talking(silent) as connection:
        asyncio.get_running_loop().call_later(10, connection.websocket.send_ping)
        verdict, age = await held(connection, alive_for="2m", pings_within="5s")

        assert (verdict.violations[0].rule, age) == (Rule.PINGS, 15.0)


async def test_one_slow_answer_of_many_breaks_no_hold():
    """The first of 20 heartbeats has its answer after 900 ms: one in twenty may be as slow."""

    async def script(peer):
        _, payload = await peer.frame()
        await asyncio.sleep(0.9)
        peer.send(frame(PONG, payload))
        await answer_pings(peer)

    async with talking(script, heartbeat="1s") as connection:
        asked = {"heartbeat_every": "1s", "heartbeat_within": "5s", "rtt_p95": "500ms"}
        verdict, age = await held(connection, alive_for="21s", **asked)

        assert (verdict.outcome, age) == (Outcome.STABLE, 21)


@pytest.mark.parametrize(("spoken", "broken_at"), [(0, 5), (3, 8)])
async def test_a_feed_that_stops_ends_a_hold_at_once(spoken, broken_at):
    """Five seconds after the last message, and not at the end of an hour."""

    async def script(peer):
        for _ in range(spoken):
            await asyncio.sleep(1)
            peer.send(frame(TEXT, b"x"))
        await answer_pings(peer)

    async with talking(script, inbox=0) as connection:
        verdict, age = await held(connection, alive_for="1h", message_every="5s")

        assert (verdict.violations[0].rule, age) == (Rule.FLOW, pytest.approx(broken_at, abs=1e-6))


@pytest.mark.parametrize(("feed", "broken", "over"), [(True, [], 23.5), (False, [Rule.FLOW], 12.5)])
async def test_messages_are_due_from_the_confirmation_of_the_session_on(feed, broken, over):
    """It comes after 7.5 s, of which the feed has no share."""

    async def script(peer):
        peer.send(frame(TEXT, b'{"type":"connection_established"}'))
        await asyncio.sleep(7.5)
        peer.send(frame(TEXT, b'{"type":"session_confirmed"}'))
        while feed:
            await asyncio.sleep(4)
            peer.send(frame(TEXT, b"x"))
        await peer.gone()

    async with talking(script, profile="json", inbox=0) as connection:
        verdict, age = await held(connection, alive_for="20s", message_every="5s")

        assert [violation.rule for violation in verdict.violations] == broken
        assert age == pytest.approx(over, abs=1e-6)


async def test_a_requirement_without_a_duration_is_judged_at_once():
    """Nothing to wait for: what is there now counts."""
    async with connected(heartbeat="25s") as (connection, _):
        await asyncio.sleep(60)
        verdict, age = await held(connection, heartbeat_within="5s", no_abnormal_closure=True)

        assert (verdict.outcome, age) == (Outcome.STABLE, 60.0)


async def test_a_requirement_without_a_duration_waits_for_what_is_open():
    """A heartbeat that was just asked may still be answered."""
    async with connected({"answer_heartbeats": "3s"}, heartbeat="25s") as (connection, _):
        await asyncio.sleep(26)
        verdict, age = await held(connection, heartbeat_within="5s")

        assert (verdict.outcome, age) == (Outcome.STABLE, 30.0)


async def test_a_session_is_waited_for_without_a_hold():
    """Until it stands, or its time is over."""
    async with connected({"confirm_sessions": "4s"}) as (connection, _):
        requirement = Requirement.of(session_within="5s")
        verdict = await wait_session(connection.websocket, requirement)

        assert verdict.outcome is Outcome.STABLE
        assert asyncio.get_running_loop().time() == 4.0


async def test_a_session_that_the_end_overtakes():
    """The wait ends with the connection."""

    async def script(peer):
        await asyncio.sleep(1)
        peer.send(close(1008, "no"))

    async with talking(script, profile="json") as connection:
        verdict = await wait_session(connection.websocket, Requirement.of(session_within="5s"))

        assert verdict.outcome is Outcome.UNSTABLE
        assert asyncio.get_running_loop().time() == 1.0


async def test_a_hold_of_a_connection_that_has_ended_is_over():
    """Whatever it asks for."""
    async with connected() as (connection, _):
        await asyncio.sleep(5)
        await connection.close()
        verdict, age = await held(connection, alive_for="2m")

        assert (verdict.outcome, age) == (Outcome.INCONCLUSIVE, 5.0)
        assert verdict.doubts[0].reason is Reason.TOO_SHORT


async def test_a_hold_of_a_connection_that_is_old_enough_is_over():
    """The duration counts from the opening."""
    async with connected() as (connection, _):
        await asyncio.sleep(150)
        verdict, age = await held(connection, alive_for="2m")

        assert (verdict.outcome, verdict.horizon, age) == (Outcome.STABLE, 120.0, 150.0)


@pytest.mark.parametrize(("codes", "outcome"), [([1001], Outcome.STABLE), ([1012], Outcome.UNSTABLE)])
async def test_an_allowed_close_ends_it_well(codes, outcome):
    """The peer may end it early with one of the codes."""

    async def script(peer):
        await asyncio.sleep(30)
        peer.send(close(1001))
        await peer.frame()

    async with talking(script) as connection:
        verdict, age = await held(connection, alive_for="2m", allow_close=codes)

        assert (verdict.outcome, age) == (outcome, 30.0)


@pytest.mark.parametrize(
    ("ends_at", "code", "outcome", "over"),
    [
        (40, 1001, Outcome.STABLE, 40),
        (40, 1012, Outcome.UNSTABLE, 40),
        (70, 1001, Outcome.UNSTABLE, 60),
    ],
)
async def test_an_end_that_is_expected_may_come_within_the_hold(ends_at, code, outcome, over):
    """Not before the hold is over is it missing."""

    async def script(peer):
        await asyncio.sleep(ends_at)
        peer.send(close(code))
        await peer.frame()

    async with talking(script) as connection:
        expected = ExpectedClose(code=1001)
        verdict, age = await held(connection, alive_for="60s", max_age_ok="30s", closed=expected)

        assert (verdict.outcome, age) == (outcome, over)
        assert [each.rule for each in verdict.violations] == [Rule.CLOSED] * (outcome is Outcome.UNSTABLE)


async def test_our_own_rhythm_breaks_no_promise_of_the_server():
    """One heartbeat is not answered, as may be: the next but one is early, to tell the answers apart."""

    async def script(peer):
        peer.send(frame(TEXT, b'{"type":"connection_established"}'))
        beats = 0
        while True:
            _, payload = await peer.frame()
            if b"session_info" in payload:
                peer.send(frame(TEXT, b'{"type":"session_confirmed"}'))
            elif b"ping" in payload:
                beats += 1
                if beats != 3:
                    peer.send(frame(TEXT, b'{"type":"pong"}'))

    async with talking(script, profile="json", heartbeat="10s") as connection:
        asked = {"heartbeat_every": 10, "heartbeat_within": 5, "heartbeat_missed_max": 1}
        verdict, age = await held(connection, alive_for=120, heartbeats_apart=9, **asked)

        assert (verdict.outcome, age) == (Outcome.STABLE, 120)
        assert connection.timeline.heartbeats.shortest_gap == 7.5


async def test_a_hold_wakes_seldom(monkeypatch):
    """Six hours of heartbeats are a thousand looks, and not one a second."""
    async with connected(heartbeat="25s") as (connection, _):
        looks = []
        requirement = Requirement.of(alive_for="6h", heartbeat_every="25s", heartbeat_within="5s")
        is_broken = HoldChecks.is_broken

        def look(checks, timeline):
            looks.append(timeline.duration)
            return is_broken(checks, timeline)

        monkeypatch.setattr(HoldChecks, "is_broken", look)
        verdict = await hold_open(connection.websocket, requirement)

        assert verdict.outcome is Outcome.STABLE
        assert 6 * 3600 / 25 <= len(looks) <= 2 * 6 * 3600 / 25


async def test_a_proof_of_life_that_is_given_up_is_asked_for_anew_at_once():
    """What comes to the first ping shows that the peer lives, too."""
    async with talking(lambda peer: answer_pings(peer, 0.3)) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10.1):
                await held(connection, alive_for=10)
        verdict, age = await held(connection, alive_for=10)

        assert (verdict.outcome, age) == (Outcome.STABLE, pytest.approx(10.3))


async def test_what_was_proved_is_proved():
    """However deaf the peer is when the same is asked again."""

    async def script(peer):
        _, payload = await peer.frame()
        peer.send(frame(PONG, payload))
        await peer.gone()

    async with talking(script) as connection:
        await held(connection, alive_for=10)
        await asyncio.sleep(10)
        verdict, age = await held(connection, alive_for=10)

        assert (verdict.outcome, age) == (Outcome.STABLE, 20)


async def test_a_proof_of_life_that_failed_is_none_after_the_end():
    """Nobody can ask anew then."""
    async with talking(silent) as connection:
        first, _ = await held(connection, alive_for=10)
        await connection.close()
        second, _ = await held(connection, alive_for=10)

        assert (first.outcome, second.outcome) == (Outcome.UNSTABLE, Outcome.INCONCLUSIVE)


@pytest.mark.parametrize("later", [5, 10, 40])
async def test_a_proof_of_life_that_was_given_up_is_no_matter_of_a_later_hold(later):
    """The first hold is cancelled while its ping is on its way; each hold asks anew."""
    async with talking(lambda peer: answer_pings(peer, 0.3)) as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10.1):
                await held(connection, alive_for=10)
        await asyncio.sleep(10)
        verdict, age = await held(connection, alive_for=later)

        assert (verdict.outcome, age) == (Outcome.STABLE, pytest.approx(max(later, 20.1) + 0.3))


@pytest.mark.parametrize("later", [10, 40])
async def test_a_proof_of_life_that_failed_is_no_matter_of_a_later_hold(later):
    """The peer was deaf for a while; the verdict of the first hold stands."""

    async def script(peer):
        await peer.frame()
        await answer_pings(peer)

    async with talking(script) as connection:
        first, age = await held(connection, alive_for=10)
        assert (first.violations[0].rule, age) == (Rule.PROOF, 15)
        second, _ = await held(connection, alive_for=later)

        assert second.outcome is Outcome.STABLE


@pytest.mark.parametrize(("begins", "outcome"), [(14.9, Outcome.UNSTABLE), (15.1, Outcome.STABLE)])
async def test_a_hold_that_begins_while_a_proof_is_waited_for_waits_for_the_same(begins, outcome):
    """It ended before the ping went out, too; once that has failed, it asks anew."""

    async def script(peer):
        await peer.frame()
        await answer_pings(peer)

    async with talking(script) as connection:
        first = asyncio.ensure_future(held(connection, alive_for=10))
        await asyncio.sleep(begins)
        second, _ = await held(connection, alive_for=5)

        assert ((await first)[0].outcome, second.outcome) == (Outcome.UNSTABLE, outcome)


@pytest.mark.parametrize(
    ("byte_at", "outcomes"),
    [
        (14.9, [Outcome.STABLE, Outcome.STABLE]),
        (15.1, [Outcome.UNSTABLE, Outcome.STABLE]),
        (15.9, [Outcome.UNSTABLE, Outcome.STABLE]),
        (16.1, [Outcome.UNSTABLE, Outcome.UNSTABLE]),
    ],
)
@pytest.mark.parametrize("first", [10, 11])
async def test_each_of_two_holds_that_overlap_has_a_proof_of_life_of_its_own(first, byte_at, outcomes):
    """They end at 10 s and at 11 s, and each has five seconds from then on, whichever began first."""

    async def script(peer):
        await asyncio.sleep(byte_at)
        peer.send(frame(TEXT, b"there"))
        await peer.gone()

    async with talking(script) as connection:
        durations = sorted([10, 11], key=lambda each: each != first)
        verdicts = await asyncio.gather(*(held(connection, alive_for=each) for each in durations))

        told = dict(zip(durations, verdicts, strict=True))
        assert [told[10][0].outcome, told[11][0].outcome] == outcomes
        assert [told[10][1], told[11][1]] == [min(byte_at, 15), min(byte_at, 16)]


async def test_a_hold_that_is_cancelled_takes_no_proof_of_life_from_another():
    """The other has asked at 10 s, and hears nothing for five seconds."""
    async with talking(silent) as connection:
        longer = asyncio.ensure_future(held(connection, alive_for=11))
        shorter = asyncio.ensure_future(held(connection, alive_for=10))
        await asyncio.sleep(12)
        longer.cancel()
        verdict, age = await shorter

        assert (verdict.violations[0].rule, age) == (Rule.PROOF, 15)


@pytest.mark.parametrize(
    ("dead_from", "allowed", "outcome"),
    [(51, 3, Outcome.UNSTABLE), (94, 1, Outcome.UNSTABLE), (101, 1, Outcome.UNSTABLE)],
)
async def test_a_hold_whose_last_heartbeats_may_be_missed_ends_with_a_proof_of_life(
    dead_from, allowed, outcome
):
    """Three at 68.75, 93.75 and 118.75 s are missed in the first, one at 100 s in the second, then none."""

    async def script(peer):
        while True:
            opcode, payload = await peer.frame()
            if opcode == PING and asyncio.get_running_loop().time() - start < dead_from:
                peer.send(frame(PONG, payload))

    async with talking(script, heartbeat="25s") as connection:
        start = connection.timeline.opened
        asked = {"heartbeat_every": "25s", "heartbeat_within": "5s", "heartbeat_missed_max": allowed}
        verdict, _ = await held(connection, alive_for="2m", **asked)

        assert verdict.outcome is outcome
        assert [each.rule for each in verdict.violations] == [Rule.PROOF] * (outcome is Outcome.UNSTABLE)


@pytest.mark.parametrize("order", ["fifo", "lifo"])
def test_a_ping_timeout_at_the_end_of_a_hold_is_no_end_of_a_stable_one(order):
    """The ping at 40 s is given up at 60 s, before the hold asks or after it."""

    async def script(peer):
        _, payload = await peer.frame()
        peer.send(frame(PONG, payload))
        await peer.gone()

    async def main():
        async with talking(script, client="keepalive") as connection:
            return await held(connection, alive_for="1m")

    verdict, _ = run_virtual(main(), order=order)
    assert [each.rule for each in verdict.violations] == [Rule.PROOF]


# Stalled clients.


async def test_a_stalled_client_looks_before_it_passes():
    """One ping, answered at once, at the end of the hold."""

    async def script(peer):
        opcode, payload = await peer.frame()
        assert opcode == PING
        peer.send(frame(TEXT, b"unread"), frame(PONG, payload))
        await peer.gone()

    async with talking(script, client="stalled") as connection:
        verdict, age = await held(connection, alive_for="2m")

        assert (verdict.outcome, verdict.horizon, age) == (Outcome.STABLE, 120.0, 120.0)


@pytest.mark.parametrize(("after", "outcome"), [(4.999, Outcome.STABLE), (5.001, Outcome.INCONCLUSIVE)])
async def test_a_stalled_clients_peer_has_five_seconds_for_the_proof(after, outcome):
    """Then nothing is known, and that is no pass."""

    async def script(peer):
        _, payload = await peer.frame()
        await asyncio.sleep(after)
        peer.send(frame(PONG, payload))
        await peer.gone()

    async with talking(script, client="stalled") as connection:
        verdict, age = await held(connection, alive_for="2m")

        assert verdict.outcome is outcome
        assert age == pytest.approx(min(after, 5.0) + 120.0)
        assert verdict.horizon == (120.0 if outcome is Outcome.STABLE else 0.0)


async def test_a_stalled_client_finds_an_old_end():
    """Dropped at 60 s, found at 120 s: unstable, as old as the pause at most."""

    async def script(peer):
        await asyncio.sleep(60)
        peer.send(close(1011, "overload"))

    async with talking(script, client="stalled") as connection:
        verdict, age = await held(connection, alive_for="2m")

        assert (verdict.outcome, age) == (Outcome.UNSTABLE, 120.0)
        assert connection.timeline.close.code == 1011
        assert connection.timeline.close.hidden_since == 0.0


async def test_a_stalled_client_whose_hold_is_cancelled_reads_nothing():
    """As the record says: not even while its peer was asked."""

    async def script(peer):
        await peer.frame()
        await asyncio.sleep(20)
        peer.send(close(1001))
        await peer.gone()

    async with talking(script, client="stalled") as connection:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(121):
                await held(connection, alive_for="2m")
        assert connection.timeline.paused
        assert not connection.websocket.transport.is_reading()
        await asyncio.sleep(60)

        assert connection.timeline.close is None


async def test_a_stalled_client_without_a_hold_proves_nothing():
    """Only a pass needs a proof."""
    async with talking(silent, client="stalled") as connection:
        await asyncio.sleep(60)
        verdict, age = await held(connection, no_abnormal_closure=True)

        assert (verdict.outcome, age) == (Outcome.STABLE, 60.0)
        assert connection.timeline.paused


async def test_assertions_end_at_the_first_violation_too():
    """`assert_alive_for` and `assert_stable` are holds."""

    async def script(peer):
        await asyncio.sleep(60)

    async with talking(script) as connection:
        with pytest.raises(StabilityError, match="1006 at 60 s of 120 s"):
            await connection.assert_alive_for("2m")
        assert asyncio.get_running_loop().time() == 60.0


@pytest.mark.filterwarnings("ignore::pytest_wsstability.StabilityWarning")
async def test_a_hold_beside_a_task_that_spins_says_so():
    """Its clock went on for the spinning task, and that stands with the verdict; a spin before does not."""

    async def spin(until):
        while asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0)

    now = asyncio.get_running_loop().time()
    timer = asyncio.create_task(asyncio.sleep(1))
    await spin(now + 1)
    await timer
    await asyncio.sleep(1)
    async with connected(heartbeat="25s") as (connection, _):
        spinning = asyncio.create_task(spin(connection.timeline.opened + 30))
        verdict, _ = await held(connection, alive_for="2m", heartbeat_every="25s")
        await spinning

    assert verdict.outcome is Outcome.STABLE
    assert {note.noted for note in verdict.notes} == {Noted.SPIN}
    assert all(0 <= note.at <= 30 for note in verdict.notes)
    assert "test_holding.py" in verdict.notes[0].text


async def test_a_hold_ends_with_what_is_wrong_with_the_session():
    """A second later: an end that follows would tell more of it; what was not required goes on."""
    server = {"faults": [("5s", faults.DuplicateConfirm())]}
    async with connected(server) as (connection, _):
        asked, unasked = await asyncio.gather(
            held(connection, alive_for="1h", handshake=True), held(connection, alive_for="20s")
        )

        assert ([each.rule for each in asked[0].violations], asked[1]) == ([Rule.HANDSHAKE], 6.0)
        assert (unasked[0].outcome, unasked[1]) == (Outcome.STABLE, 20.0)


@pytest.mark.parametrize(
    ("closes_after", "rule", "at"),
    [(None, Rule.ERRORS, 6.0), (0.9, Rule.ALIVE, 5.9), (1.1, Rule.ERRORS, 6.0)],
)
async def test_a_hold_ends_with_an_error_message(closes_after, rule, at):
    """Or with the end that it announced."""

    async def script(peer):
        await asyncio.sleep(5)
        peer.send(frame(TEXT, b'{"type":"error"}'))
        await asyncio.sleep(closes_after or 100)
        peer.send(close(4001, "token expired"))

    async with talking(script, profile=Profile(name="mine", error={"type": "error"})) as connection:
        verdict, age = await held(connection, alive_for="1m")

        assert (verdict.violations[0].rule, age) == (rule, at)


async def test_a_hold_ends_with_the_hold_though_an_error_came_right_before():
    """Nothing is waited for beyond it."""

    async def script(peer):
        await asyncio.sleep(9.5)
        peer.send(frame(TEXT, b'{"type":"error"}'))
        await asyncio.sleep(100)

    async with talking(script, profile=Profile(name="mine", error={"type": "error"})) as connection:
        verdict, age = await held(connection, alive_for="10s")

        assert (verdict.violations[0].rule, age) == (Rule.ERRORS, 10.0)


LAST = [("101s", faults.Blackhole())]
NO_PINGS = [("1s", faults.DropControlFrames())]
NO_TIMERS = {"read_deadline": None, "ping_interval": None}


@pytest.mark.parametrize(
    ("profile", "every"),
    [
        *((name, {"heartbeat_every": "25s"}) for name in ("json", "socketio", "pusher", "stomp", "signalr")),
        # Of those that send heartbeats, an interval is known though none is required.
        *((name, {}) for name in ("socketio", "stomp", "signalr")),
    ],
)
@pytest.mark.parametrize(
    ("program", "outcome"), [(LAST, Outcome.UNSTABLE), (NO_PINGS, Outcome.STABLE), ([], Outcome.STABLE)]
)
async def test_a_hold_rests_on_no_answer_that_came_an_interval_before_its_end(
    profile, every, program, outcome
):
    """A ping tells; and a heartbeat, where pings are not answered: the next of a peer that sends them."""
    async with Orchestrator(profile=profile, faults=program, **NO_TIMERS) as server:
        asked = Requirement.of(alive_for="110s", heartbeat_within="5s", **every)
        made = await hold(asked, url=server.url, profile=profile)

        assert made.verdict.outcome is outcome
        assert {each.rule for each in made.verdict.violations} <= {Rule.PROOF}


async def test_a_server_that_went_between_a_ping_and_a_heartbeat_is_told():
    """It answers no pings, and from 101 s on nothing."""
    program = [*NO_PINGS, *LAST]
    async with Orchestrator(faults=program, **NO_TIMERS) as server:
        asked = Requirement.of(alive_for="110s", heartbeat_every="25s", heartbeat_within="5s")
        made = await hold(asked, url=server.url)

        assert [each.rule for each in made.verdict.violations] == [Rule.PROOF]
        # Half of the time that an answer has for the ping, and all of it for the heartbeat behind it.
        assert made.timeline.duration == pytest.approx(117.5)
        assert made.timeline.heartbeats.sent == 5


@pytest.mark.parametrize(
    ("every", "within", "first", "beats"),
    [
        # The one that is due at 60 s goes out behind the ping, and is no second one.
        (10, 2, 60, [50, 61, 70]),
        (25, 5, 100, [75, 102.5, 125]),
        # Five seconds are the most that it waits.
        (30, 25, 60, [30, 65, 90]),
        # None is due so soon: it is one more.
        (10, 2, 58, [50, 59, 60]),
    ],
)
async def test_a_proof_of_life_makes_no_heartbeat_late_for_the_hold_that_follows(every, within, first, beats):
    """Of a server that answers no pings: heartbeats rest while the first hold waits for that."""

    async def script(peer):
        while True:
            opcode, payload = await peer.frame()
            if opcode == TEXT:
                peer.send(frame(TEXT, b"pong" + payload[4:]))

    words = Profile(name="words", ping="ping{id}", pong="pong{id}")
    async with talking(script, profile=words, heartbeat=every) as connection:
        asked = {"heartbeat_every": every, "heartbeat_within": within}
        verdict, age = await held(connection, alive_for=first, **asked)
        assert (verdict.outcome, age) == (Outcome.STABLE, beats[1])

        verdict, _ = await held(connection, alive_for=first + 2 * every - 1, **asked)
        assert (verdict.outcome, verdict.doubts) == (Outcome.STABLE, ())
        sent = [event.at for event in connection.timeline if event.role is Role.HEARTBEAT]
        assert sent[sent.index(beats[0]) :][:3] == beats


@pytest.mark.parametrize(("beats", "outcome", "over"), [(6, Outcome.STABLE, 60), (5, Outcome.UNSTABLE, 65)])
@pytest.mark.parametrize("interval", [None, 10.0])
@pytest.mark.parametrize("asked", [{}, {"heartbeat_within": "1s"}])
async def test_the_next_heartbeat_of_a_server_proves_as_much_as_a_pong(beats, outcome, over, interval, asked):
    """One comes every 10 s, as its profile says or not, and the next of a peer that is there within 15 s."""

    async def script(peer):
        for _ in range(beats):
            await asyncio.sleep(10)
            peer.send(frame(TEXT, b"ping"))
        await peer.gone()

    words = Profile(name="words", ping="ping", pong="pong", heartbeats_from="server", interval=interval)
    async with talking(script, profile=words) as connection:
        verdict, age = await held(connection, alive_for="52s", **asked)

        assert (verdict.outcome, age) == (outcome, pytest.approx(over))


@pytest.mark.parametrize(("spoken", "outcome", "over"), [(6, Outcome.STABLE, 60), (5, Outcome.UNSTABLE, 62)])
async def test_a_message_that_is_due_proves_as_much_as_a_pong(spoken, outcome, over):
    """One comes every 10 s, and 12 s are allowed, from a peer that answers no pings."""

    async def script(peer):
        for _ in range(spoken):
            await asyncio.sleep(10)
            peer.send(frame(TEXT, b"x"))
        await peer.gone()

    async with talking(script, inbox=0) as connection:
        verdict, age = await held(connection, alive_for="51s", message_every="12s")

        assert (verdict.outcome, age) == (outcome, pytest.approx(over, abs=1e-6))


@pytest.mark.parametrize(("dead_from", "outcome"), [(101, Outcome.UNSTABLE), (200, Outcome.STABLE)])
async def test_a_hold_rests_on_no_heartbeat_that_was_missed_early(dead_from, outcome):
    """The first is not answered, as may be: with an id, none of the later answers is taken for its own."""

    async def script(peer):
        beats = 0
        while True:
            opcode, payload = await peer.frame()
            beats += opcode == TEXT
            if asyncio.get_running_loop().time() - start > dead_from or (opcode == TEXT and beats == 1):
                continue
            peer.send(frame(PONG, payload) if opcode == PING else frame(TEXT, b"pong" + payload[4:]))

    words = Profile(name="words", ping="ping{id}", pong="pong{id}")
    async with talking(script, profile=words, heartbeat="25s") as connection:
        start = connection.timeline.opened
        asked = {"heartbeat_every": "25s", "heartbeat_within": "5s", "heartbeat_missed_max": 1}
        verdict, _ = await held(connection, alive_for="2m", **asked)

        assert verdict.outcome is outcome
        assert [each.rule for each in verdict.violations] == [Rule.PROOF] * (outcome is Outcome.UNSTABLE)


@pytest.mark.parametrize(("program", "outcome"), [([], Outcome.STABLE), (LAST, Outcome.UNSTABLE)])
async def test_a_server_waits_for_the_next_heartbeat_of_a_client_that_answers_no_pings(program, outcome):
    """The last of the hold came 10 s before its end, and the next is due when the ping was given up."""
    async with Orchestrator(faults=program, **NO_TIMERS) as server:
        client = await connect(server.url, heartbeat="25s", client="mute")
        (connection,) = (await server.wait_for_session()).connections
        asked = Requirement.of(alive_for="110s", heartbeat_every="25s")
        verdict = await hold_open(connection.websocket, asked)
        await client.close()

        assert verdict.outcome is outcome

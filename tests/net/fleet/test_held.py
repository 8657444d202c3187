"""Connections that end and come back, in virtual time: counted, told, judged."""

import asyncio
import dataclasses
from random import Random
from types import SimpleNamespace

import pytest

from pytest_wsstability import Orchestrator, Requirement, StabilityError, faults, run_virtual
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import FleetRequirement
from pytest_wsstability.core.judge.verdict import Doubt, Outcome, Reason, Rule, Verdict
from pytest_wsstability.core.timeline.events import Tier
from pytest_wsstability.fleet import FleetReconnects, open_fleet
from pytest_wsstability.net.errors import OpeningError, OpeningStage
from pytest_wsstability.net.fleet import slot
from pytest_wsstability.net.fleet.fleet import prepared, run_fleet
from pytest_wsstability.net.fleet.held import Reopened, reopen
from pytest_wsstability.net.fleet.job import FleetJob
from pytest_wsstability.profiles import SESSION_ID, Profile

ALIVE = {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s"}


def fleet(*restarts, down_for="1s", connections=20, behaviour=None, **asked):
    """A fleet whose server restarts at these instants."""

    async def main():
        async with Orchestrator(**(behaviour or {})) as orchestrator:
            start = asyncio.get_running_loop().time()
            async with open_fleet(orchestrator.url, connections=connections, **{**ALIVE, **asked}) as made:
                for at in restarts:
                    await asyncio.sleep(start + at - asyncio.get_running_loop().time())
                    await orchestrator.restart(down_for=down_for)
            return made, orchestrator.sessions

    return run_virtual(main())


def test_all_come_back_after_a_restart_with_their_sessions():
    made, sessions = fleet(61.2, reconnects="10s")
    returns = made.summary.returns

    assert made.verdict.outcome is Outcome.STABLE
    # The end is counted all the same.
    assert (made.count.ended, made.count.stable) == (20, 0)
    assert (returns.back, returns.lost) == (20, 0)
    # A wait of 0.8 s to 1.2 s, and of 1.6 s to 2.4 s where the server was not up by then.
    assert 0.8 <= returns.longest <= 3.6
    assert len(sessions) == 20
    assert {len(session.connections) for session in sessions} == {2}


def test_no_two_wait_alike():
    """Jitter is drawn for each: clients that ended together do not come back together."""
    made, _ = fleet(61.2, reconnects=FleetReconnects(within="30s"))

    assert len({round(each.at, 3) for each in made.merge.returns}) >= 18


def test_who_ends_twice_comes_back_twice():
    made, _ = fleet(30.0, 60.0, reconnects="10s")

    assert made.count.ended == 20
    assert (made.summary.returns.back, made.summary.returns.lost) == (40, 0)
    # Heartbeats of those that came back count too: at 25 s, and 25 s after each return.
    assert made.merge.heartbeats_answered >= 20 * 3


@pytest.mark.parametrize(
    ("fault", "asked", "told"),
    [
        (faults.Drop(), {"no_abnormal_closure": True}, ["20 of 20 ends were abnormal closures"]),
        (faults.Drop(), {}, []),
        (faults.CloseWith(1001), {"no_abnormal_closure": True}, []),
    ],
)
def test_who_comes_back_after_an_end_that_was_not_to_be(fault, asked, told):
    """It may end, but not in each way."""
    made, _ = fleet(behaviour={"faults": [("70s", fault)]}, reconnects="10s", **asked)

    assert made.summary.returns.back == 20
    assert [each.observed for each in made.verdict.violations] == told
    assert [each.at for each in made.verdict.violations] == pytest.approx([70.0] * len(told), abs=0.01)


def test_the_records_of_our_own_server_tell_of_who_came_back_too():
    """Heartbeats that reach a server which answers none are lost on no dead path."""

    async def main():
        async with Orchestrator(faults=[("40s", faults.WithholdHeartbeats())]) as orchestrator:
            asked = {**ALIVE, "connections": 2, "heartbeat_every": "15s", "reconnects": "10s"}
            async with open_fleet(orchestrator.url, orchestrator=orchestrator, **asked) as made:
                await asyncio.sleep(29)
                await orchestrator.restart(down_for="1s")
            return made

    whys = {each.why for each in run_virtual(main()).merge.returns if each.broke}
    assert whys == {"an application that does nothing behind a connection that lives"}


@pytest.mark.parametrize(
    ("profile", "end"),
    [("signalr", faults.CloseWith(1001)), ("signalr", faults.Drop()), ("mqtt5", faults.Drop())],
)
def test_who_was_told_of_the_end_comes_back_as_who_was_not(profile, end):
    """A deployment that announces itself is no worse than one that does not."""
    server = {"profile": profile, "faults": [("60s", faults.SendNotice()), ("61s", end)]}
    asked = {"heartbeat_every": None, "heartbeat_within": None, "options": {"profile": profile}}
    made, _ = fleet(behaviour=server, reconnects="10s", **asked)

    assert made.verdict.outcome is Outcome.STABLE
    assert made.summary.returns.back == 20


def test_who_was_told_of_the_end_has_to_come_back():
    server = {"profile": "mqtt5", "faults": [("60s", faults.SendNotice())]}
    asked = {"heartbeat_every": None, "heartbeat_within": None, "options": {"profile": "mqtt5"}}
    made, _ = fleet(61.0, down_for="20s", behaviour=server, reconnects="5s", **asked)

    assert made.count.rotated == 20
    assert [each.observed for each in made.verdict.violations] == ["20 of 20 that ended did not come back"]


def test_each_end_is_looked_at_however_often_a_connection_comes_back():
    """A server that goes down twice without a close frame."""
    made, _ = fleet(30.0, 60.0, reconnects="10s", no_abnormal_closure=True)

    assert [each.observed for each in made.verdict.violations] == ["40 of 40 ends were abnormal closures"]


def test_an_abnormal_closure_that_may_be_this_ends_own_is_no_promise_broken(monkeypatch):
    """It stood still when the server gave it up, each time."""
    held = slot.hold_open

    async def excused(connection, requirement, *rest):
        verdict = await held(getattr(connection, "websocket", connection), requirement)
        doubt = Doubt(Reason.LOOP_LAG, "it stood still")
        found = [dataclasses.replace(each, excuses=(doubt,)) for each in verdict.violations]
        return Verdict.of(found, horizon=verdict.horizon, tier=verdict.tier)

    monkeypatch.setattr(slot, "hold_open", excused)
    monkeypatch.setattr(slot, "hold_talking", excused)
    made, _ = fleet(30.0, 60.0, reconnects="10s", no_abnormal_closure=True)

    assert made.verdict.outcome is Outcome.INCONCLUSIVE
    assert (made.count.unobserved, made.merge.returns_excused) == (20, 20)


def test_who_does_not_come_back_in_time_is_told():
    made, _ = fleet(61.2, reconnects="5s", down_for="20s", ramp="10s")
    with pytest.raises(StabilityError) as failed:
        made.assert_stable()

    assert [each.rule for each in made.verdict.violations] == [Rule.RECONNECTS]
    assert "  observed  20 of 20 that ended did not come back\n" in str(failed.value)
    assert "  back      0 came back, 20 did not\n" in str(failed.value)
    # Why, and not why they had ended.
    assert str(failed.value).startswith("an address where nothing listens: 20 of 20 that ended did not come ")


@pytest.mark.parametrize("drain", [None, 20])
def test_who_is_not_answered_any_more_and_does_not_end_is_no_return(drain):
    """The server is silent from 30 s on: all miss a heartbeat, none ends, and none is let go."""
    silent = {"faults": [("30s", faults.WithholdHeartbeats())]}
    made, _ = fleet(reconnects="10s", behaviour=silent, drain=drain)

    assert made.verdict.outcome is Outcome.UNSTABLE
    assert [each.rule for each in made.verdict.violations] == [Rule.SURVIVAL]
    assert made.verdict.violations[0].observed == "20 of 20 broke a promise and did not end"
    assert {each.closed_here for each in made.merge.endings} == {True}


@pytest.mark.parametrize(
    ("interrupted", "back", "outcome"),
    [(30.7, 0, Outcome.INCONCLUSIVE), (60.0, 5, Outcome.INCONCLUSIVE), (130.0, 5, Outcome.STABLE)],
)
def test_who_was_not_watched_after_it_came_back_has_shown_nothing(interrupted, back, outcome):
    """All end at 30 s; somebody stops the fleet before they are back, while they are held on, or after it."""

    async def main():
        async with Orchestrator() as orchestrator:
            asked = FleetRequirement.of(reconnects="10s")
            job = FleetJob(
                url=orchestrator.url, requirement=Requirement.of(**ALIVE), reconnects=asked.reconnects
            )
            made = prepared(job, FleetPlan(connections=5, hold=120.0), asked)
            running = asyncio.create_task(run_fleet(made, job))
            await asyncio.sleep(30)
            await orchestrator.restart(down_for="500ms")
            await asyncio.sleep(interrupted - 30.5)
            running.cancel()
            await asyncio.wait([running])
            return made

    made = run_virtual(main())

    assert (made.count.ended, len(made.merge.returns)) == (5, back)
    assert made.verdict.outcome is outcome


def come_back_to(*second, restart=30.0, profile=None, **asked):
    """A fleet of four whose server restarts, and does this to the connections that come then."""
    options = {} if profile is None else {"profile": profile}

    async def main():
        async with Orchestrator(**options) as orchestrator:
            async with open_fleet(
                orchestrator.url, connections=4, alive_for="1m", reconnects="10s", options=options, **asked
            ) as made:
                await asyncio.sleep(restart)
                orchestrator.misbehave(second)
                await orchestrator.restart(down_for="1s")
            return made

    return run_virtual(main())


LATER = Profile(
    name="later",
    session_info={"op": "start"},
    session_confirmed={"op": "started", "id": SESSION_ID},
    resume={"op": "resume", "id": SESSION_ID},
)


@pytest.mark.parametrize(
    ("fault", "profile", "cause"),
    [
        (faults.NeverConfirm(), None, "a session that was not confirmed"),
        (faults.StopReading(), None, "a session that was not confirmed"),
        (faults.WrongSession(), None, "a session that was lost"),
        (faults.AcceptThenClose(1013), None, "overload"),
        (faults.RefuseResume(), LATER, "a session that was lost"),
    ],
)
def test_who_has_no_session_again_is_not_back(fault, profile, cause):
    """It is open, and that is all."""
    made = come_back_to(fault, profile=profile)

    assert made.verdict.outcome is Outcome.UNSTABLE
    assert [each.observed for each in made.verdict.violations] == ["4 of 4 that ended did not come back"]
    assert made.summary.returns.why == cause
    assert come_back_to(profile=profile).verdict.outcome is Outcome.STABLE


def test_where_no_session_was_confirmed_none_has_to_be():
    async def main():
        async with Orchestrator(confirm_sessions=False) as orchestrator:
            async with open_fleet(orchestrator.url, connections=4, reconnects="10s", **ALIVE) as made:
                await asyncio.sleep(30)
                await orchestrator.restart(down_for="1s")
            return made

    assert run_virtual(main()).verdict.outcome is Outcome.STABLE


def test_what_came_back_is_held_to_what_each_is_held_to():
    """It answers no heartbeat, and does not end: there is nothing to come back from."""
    made = come_back_to(faults.WithholdHeartbeats(), heartbeat_every="5s")

    (violation,) = made.verdict.violations
    assert (made.verdict.outcome, violation.rule) == (Outcome.UNSTABLE, Rule.RECONNECTS)
    assert violation.observed == "4 of 4 that came back broke a promise and did not end"
    # 5 s after the return for the heartbeat, and 5 s for its answer.
    assert 41.0 < violation.at < 43.0
    returns = made.summary.returns
    assert (returns.back, returns.lost, returns.why) == (4, 0, "a dead path (half-open)")
    # That is asked of the rest of the hold only: none is due in it.
    short = come_back_to(faults.WithholdHeartbeats(), restart=57.5, heartbeat_every="5s")
    assert short.verdict.outcome is Outcome.STABLE


BEATS = Profile(name="beats", ping={"op": "beat"}, pong={"op": "ok"}, heartbeats_from="server", interval=10)


@pytest.mark.parametrize(("restart", "outcome"), [(42.0, Outcome.UNSTABLE), (46.0, Outcome.STABLE)])
def test_heartbeats_of_a_server_are_due_where_there_is_time_for_one(restart, outcome):
    """The first came after 10 s: 15 s must be left, of about 16 s and 12 s here."""
    asked = {"profile": BEATS, "heartbeat_within": "5s", "restart": restart}

    assert come_back_to(faults.WithholdHeartbeats(), **asked).verdict.outcome is outcome
    assert come_back_to(**asked).verdict.outcome is Outcome.STABLE


@pytest.mark.parametrize("restarts", [(30.0, 36.0), (5.0,)])
def test_a_connection_without_a_heartbeat_does_not_hide_when_one_is_due(restarts):
    """The last one ended before its first: what came before it tells, or else the interval of the profile."""
    asked = {"alive_for": "2m", "heartbeat_within": "5s", "options": {"profile": BEATS}, "reconnects": "10s"}

    async def main(*faulty):
        async with Orchestrator(profile=BEATS) as orchestrator:
            start = asyncio.get_running_loop().time()
            async with open_fleet(orchestrator.url, connections=4, **asked) as made:
                for at in restarts:
                    await asyncio.sleep(start + at - asyncio.get_running_loop().time())
                    if at == restarts[-1]:
                        orchestrator.misbehave(faulty)
                    await orchestrator.restart(down_for="1s")
            return made.verdict.outcome

    assert run_virtual(main(faults.WithholdHeartbeats())) is Outcome.UNSTABLE
    assert run_virtual(main()) is Outcome.STABLE


async def chat(connection):
    for _ in range(100):
        await connection.send("hello")
        await asyncio.sleep(1)


def test_what_is_counted_over_a_whole_hold_is_not_asked_of_a_part():
    """Nor are messages of a workload that does not come back."""
    asked = {"heartbeat_every": "5s", "heartbeats_at_least": 3, "messages_at_least": 3, "rtt_p95": "1s"}
    slow = [faults.LateAnswers("2s")]

    async def main():
        async with Orchestrator(echo=True) as orchestrator:
            async with open_fleet(
                orchestrator.url, connections=4, alive_for="1m", reconnects="10s", traffic=chat,
                message_every="3s", **asked,
            ) as made:  # fmt: skip
                await asyncio.sleep(40)
                orchestrator.misbehave(slow)
                await orchestrator.restart(down_for="1s")
            return made

    made = run_virtual(main())
    assert (made.verdict.outcome, made.summary.returns.back) == (Outcome.STABLE, 4)


class Opener:
    """In the place of a connection's own, which does what a test says: nothing, or an error."""

    def __init__(self, *errors):
        self._errors = list(errors)

    async def again(self, **options):
        if self._errors and (error := self._errors.pop(0)) is not None:
            raise error
        return SimpleNamespace(previous=None)


def refusal(shortage=None):
    return OpeningError("ws://127.0.0.1:9/", OpeningStage.CONNECT, "no", shortage=shortage)


NO_DESCRIPTOR = Reason.DESCRIPTORS


@pytest.mark.parametrize(
    ("errors", "ended", "attempts", "is_ours"),
    [
        ([refusal()] * 9, 0.0, 5, False),
        ([refusal(NO_DESCRIPTOR)] * 9, 0.0, 5, True),
        # It may have come back at the one attempt that could not be made.
        ([refusal(NO_DESCRIPTOR), *[refusal()] * 9], 0.0, 5, True),
        # This end saw the end too late.
        ([], -4.5, 0, True),
        ([refusal()] * 9, -4.0, 1, False),
    ],
)
def test_what_fails_for_want_of_something_here_is_not_the_servers(errors, ended, attempts, is_ours):
    """Five attempts, a second apart; the end is that many seconds ago when it is seen."""
    websocket = SimpleNamespace(conversation=SimpleNamespace(resumption=None))
    connection = SimpleNamespace(opener=Opener(*errors), session_id=None, websocket=websocket)
    asked = FleetReconnects(within="5s", backoff="1s")

    assert run_virtual(reopen(connection, asked, ended, Random(0))) == (None, attempts, is_ours)


def test_who_comes_back_lacked_nothing():
    made, _ = fleet(61.2, reconnects="10s")

    assert {each.excused for each in made.merge.returns} == {False}


def test_returns_that_failed_here_leave_it_open(monkeypatch):
    async def lacking(*arguments):
        return Reopened(None, 3, is_ours=True)

    monkeypatch.setattr(slot, "reopen", lacking)
    made, _ = fleet(61.2, reconnects="10s")

    assert made.verdict.outcome is Outcome.INCONCLUSIVE
    assert [each.text for each in made.verdict.doubts] == [
        "20 did not come back within 10 s, or broke a promise after that, while their worker lagged, "
        "or could not open or watch them"
    ]


@pytest.mark.parametrize(
    ("reason", "outcome", "excused"),
    [(Reason.READING_PAUSED, Outcome.INCONCLUSIVE, 20), (Reason.TOO_FEW, Outcome.STABLE, 0)],
)
def test_a_return_in_doubt_leaves_it_open(monkeypatch, reason, outcome, excused):
    """But for too few of what is counted: a part of a hold may be too short for it."""

    async def doubtful(websocket, requirement):
        doubt = Doubt(reason, "not seen")
        return Verdict.of([doubt], horizon=requirement.alive_for, tier=Tier.VIRTUAL)

    monkeypatch.setattr(slot, "hold_open", doubtful)
    made, _ = fleet(61.2, reconnects="10s")

    assert (made.verdict.outcome, made.merge.returns_excused) == (outcome, excused)
    assert made.summary.returns.back == 20


def test_a_storm_is_told():
    """Equal waits bring all of them back in one second."""
    asked = FleetReconnects(within="30s", backoff="3s", per_second=5)
    made, _ = fleet(61.2, reconnects=asked)

    assert [each.rule for each in made.verdict.violations] == [Rule.STORM]
    assert made.summary.returns.busiest == 20


def test_without_an_end_nothing_comes_back():
    made, sessions = fleet(reconnects="10s")

    assert (made.count.stable, made.summary.returns.back, len(made.merge.returns)) == (20, 0, 0)
    assert {len(session.connections) for session in sessions} == {1}


def test_a_connection_that_came_back_is_held_to_the_end_of_the_first_hold():
    async def main():
        loop = asyncio.get_running_loop()
        async with Orchestrator() as orchestrator:
            start = loop.time()
            async with open_fleet(orchestrator.url, connections=3, reconnects="10s", **ALIVE):
                await asyncio.sleep(60)
                await orchestrator.restart(down_for="1s")
            return loop.time() - start

    assert 120 <= run_virtual(main()) < 122


def test_who_ends_with_its_hold_has_lived_through_it():
    """It is stable and not let go by plan, no end of a drain, and nobody opens it again."""
    made, sessions = fleet(
        behaviour={"faults": [("2m", faults.Drop())]}, ramp="10s", drain=1, reconnects="10s", survival=0.8
    )

    assert made.verdict.outcome is Outcome.STABLE
    assert (made.count.stable, made.count.rotated, made.summary.returns.back) == (20, 0, 0)
    assert {len(session.connections) for session in sessions} == {1}


@pytest.mark.parametrize(("at", "rotated", "back"), [("119.9s", 20, 20), ("2m", 0, 0)])
def test_who_ends_by_plan_before_its_hold_is_over_comes_back(at, rotated, back):
    behaviour = {"faults": [(at, faults.CloseWith(1001))]}
    made, _ = fleet(behaviour=behaviour, ramp="10s", drain=5, reconnects="10s")

    assert (made.count.rotated, made.summary.returns.back) == (rotated, back)


@pytest.mark.parametrize(("at", "back"), [("119.9s", 20), ("120.1s", 0)])
def test_who_ends_while_its_last_heartbeat_is_waited_for_has_nothing_to_come_back_to(at, back):
    """Nobody opens it again, and nobody waits for that."""
    behaviour = {"faults": [("99s", faults.WithholdHeartbeats()), (at, faults.Drop())]}
    made, _ = fleet(behaviour=behaviour, ramp="10s", heartbeat_within="30s", reconnects="10s")

    assert made.verdict.outcome is Outcome.STABLE
    assert (made.count.ended, made.summary.returns.back) == (20, back)


async def chatters(connection):
    """A server that says 20 things a second."""
    while True:
        await connection.send("tick")
        await asyncio.sleep(0.05)


async def idles(connection):
    await connection.wait_closed()


@pytest.mark.parametrize("traffic", [None, idles])
def test_who_came_back_reads_on_though_nobody_takes_its_messages(traffic):
    """1,400 messages in 70 s, and then the second end; a workload talks on the first connection alone."""
    behaviour = {"handler": chatters}
    made, _ = fleet(29.0, 100.0, connections=2, behaviour=behaviour, reconnects="10s", traffic=traffic)

    assert (made.summary.returns.back, made.summary.returns.lost) == (4, 0)

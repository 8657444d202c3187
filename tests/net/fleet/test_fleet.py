"""Fleets in virtual time, from the plan to the message of a failure."""

import asyncio
import re
import ssl
from urllib.parse import urlsplit

import pytest
import websockets

from pytest_wsstability import FaultProxy, Orchestrator, StabilityError, faults, run_virtual
from pytest_wsstability.core.faults import Program
from pytest_wsstability.core.fleet.failure import group_line
from pytest_wsstability.core.fleet.plan import FleetPlan
from pytest_wsstability.core.fleet.requirement import Drain
from pytest_wsstability.core.judge.verdict import Outcome, Rule
from pytest_wsstability.core.plain import plain
from pytest_wsstability.net import resources
from pytest_wsstability.net.fleet.engine import InProcess, WorkerError
from pytest_wsstability.net.fleet.fleet import open_fleet, planned, too_much
from pytest_wsstability.net.fleet.workers import Workers
from tests.net.certificates import server_context, trusting

ALIVE = {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s"}


def fleet(act=None, *, behaviour=None, **asked):
    async def main():
        async with Orchestrator(**(behaviour or {})) as orchestrator:
            async with open_fleet(orchestrator.url, **{**ALIVE, "connections": 20, **asked}) as made:
                if act is not None:
                    await act(orchestrator, made)
            return made

    return run_virtual(main())


def test_a_fleet_that_is_stable():
    made = fleet(survival=0.85)

    assert made.assert_stable().outcome is Outcome.STABLE
    assert repr(made).endswith(": 20 planned: 20 stable>")


def test_the_connections_of_a_fleet_share_what_tls_takes(tmp_path, monkeypatch):
    """A context of its own would keep a megabyte of authorities for each, and hold the loop up for 20 ms."""
    made, make = [], ssl.create_default_context

    def counted(**given):
        made.append(given)
        return make(**given)

    monkeypatch.setattr(ssl, "create_default_context", counted)
    options = {"tls": trusting(tmp_path)}
    held = fleet(behaviour={"tls": server_context("127.0.0.1")}, options=options)

    assert held.count.stable == 20
    assert len(made) == 1


def test_a_fleet_that_cannot_show_what_is_asked():
    with pytest.raises(StabilityError, match=r"^inconclusive: between 86\.089% .* 2,995 connections would"):
        fleet(survival=0.999).assert_stable()


def test_a_fleet_whose_sessions_are_not_confirmed_says_so():
    """None of its connections has ended, and no cause is known: what was promised is told."""
    made = fleet(behaviour={"confirm_sessions": False}, session_within="5s")
    with pytest.raises(StabilityError) as failed:
        made.assert_stable()
    first, *lines = str(failed.value).splitlines()

    assert first == "20 of 20 broke a promise"
    assert "  expected  all connections live and keep what was promised for 120 s" in lines
    assert "  of these  20 planned: 20 broke a promise" in lines
    (example,) = (line for line in lines if line.startswith("  example"))
    assert example.startswith("  example   connection 0, at 5 s: session not confirmed within 5 s: ")


def test_a_restart_under_a_fleet_is_one_cause_in_one_event():
    async def restart(orchestrator, made):
        await asyncio.sleep(61.2)
        assert made.count.open == 20
        await orchestrator.restart(down_for="1s")

    made = fleet(restart, survival=0.85, ramp="10s")
    with pytest.raises(StabilityError) as failed:
        made.assert_stable()
    (group,) = made.groups
    (told,) = made.summary.groups
    message = str(failed.value)

    assert made.verdict.outcome is Outcome.UNSTABLE
    assert len(group) == 20
    assert "one instant, 61.2 s" in group_line(told)
    assert message.startswith(f"{group.cause}: ")
    assert "  of these  20 planned: 20 ended\n" in message
    assert "  events    20 ends in 1 event; design effect 20\n" in message


@pytest.mark.parametrize(
    ("known", "cause"), [(True, "a restart or a deployment"), (False, "an idle timeout, or a maximum age")]
)
def test_the_records_of_our_own_server_tell_why_connections_end(known, cause):
    """All open at one instant, and end at one: the clients alone can't tell what it was."""

    async def main():
        async with Orchestrator() as orchestrator:
            own = orchestrator if known else None
            async with open_fleet(orchestrator.url, orchestrator=own, alive_for="2m", connections=5) as made:
                await asyncio.sleep(30)
                await orchestrator.restart(down_for="1s")
            return made

    assert [group.cause for group in run_virtual(main()).summary.groups] == [cause]


@pytest.mark.parametrize("ramp", ["10s", "60s"])
def test_an_age_is_one_cause_however_slowly_they_open(ramp):
    """Nobody's limit, and one end in a second: beside those of its own second none shows an age."""
    made = fleet(behaviour={"faults": [("47s", faults.Drop())]}, ramp=ramp, connections=60)
    (told,) = made.summary.groups

    assert group_line(told) == "60 a maximum age (one age, 47 s)"
    assert {cause: len(kept) for cause, kept in made.records.items()} == {"a maximum age": 20}


def test_the_block_is_left_when_the_fleet_is_finished():
    async def look(orchestrator, made):
        assert made.count.open == 20

    assert fleet(look).count.open == 0


def test_a_fleet_is_spread_over_all_workers_of_its_engine():
    class Three(InProcess):
        def __len__(self):
            return 3

    made = fleet(engine=Three(), connections=5)

    assert [worker.connections for worker in made.summary.workers] == [2, 2, 1]
    assert made.count.stable == 5


@pytest.mark.parametrize(
    "mine", [AssertionError("mine"), pytest.skip.Exception("mine"), ExceptionGroup("a", [OSError()])]
)
def test_an_error_in_the_block_ends_the_fleet(mine):
    """It is raised as it is: an assertion of the block is no group of errors, and a skip is a skip."""
    seen = []

    async def fail(orchestrator, made):
        seen.append(made)
        await asyncio.sleep(1)
        raise mine

    with pytest.raises(type(mine)) as failed:
        fleet(fail)

    assert failed.value is mine
    assert seen[0].merge.interrupted_at == 1.0


def test_a_fleet_that_is_ended_was_watched_until_then():
    """Its server answers no close frame: what waits for that is not held."""
    seen = []

    async def fail(orchestrator, made):
        seen.append(made)
        await asyncio.sleep(31)
        raise LookupError

    with pytest.raises(LookupError):
        fleet(fail, behaviour={"faults": [faults.IgnoreClose()]})

    assert (seen[0].merge.interrupted_at, seen[0].verdict.horizon) == (31.0, 31.0)


def test_what_a_function_raises_ends_the_block():
    async def wait(orchestrator, made):
        await asyncio.sleep(1000)

    def options_of(number):
        raise LookupError(f"no token for {number}")

    with pytest.raises(LookupError, match=r"^no token for 0$"):
        fleet(wait, options_of=options_of)


def test_a_fleet_needs_a_length():
    with pytest.raises(ValueError, match=r"^alive_for: how long is each connection held\?"):
        fleet(alive_for=None, heartbeat_every=None, heartbeat_within=None)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"connections": "5"}, "connections: '5' is no fleet; give a whole number from 1"),
        ({"stalled": 1.5}, "stalled: 1.5; give how many of the connections stop reading"),
        ({"options_of": 5}, "options_of: 5 is no function of the number of a connection"),
        ({"fanout_of": "x"}, "fanout_of: 'x' is no function of a message"),
        ({"traffic": 5}, "traffic: 5 is no function of a connection"),
        ({"options": 5}, "options: 5 are no options; give a dict, such as {'session_id': 'caller-0'}"),
        ({"options": [("client", "mute")]}, "options: [('client', 'mute')] are no options; give a dict, "),
        ({"sources": "127.0.0.2"}, "sources: '127.0.0.2' is one address; give a list, such as "),
        ({"sources": None}, "sources: None are no addresses; give a list, such as "),
        ({"sources": [1]}, "source: 1 is no IP address of this machine, such as 127.0.0.2"),
        ({"engine": "2*popen"}, "engine: '2*popen' is none; give fleet.Workers(['2*popen']), for one"),
        (
            {"engine": Workers(["popen"])},
            "engine: other processes have no virtual time; leave it out, or run in ",
        ),
        ({"url_of": lambda number: None}, "url_of: connection 0: url: 'None' is not a WebSocket URL"),
        (
            {"options_of": lambda number: {"header": {}}},
            "options_of: connection 0: 'header' is no keyword of connect; valid ones: client, ",
        ),
        ({"options": {"client": "ie6"}}, "client: 'ie6' is no kind of client; valid ones: 'browser', "),
        ({"options": {"profile": "none"}}, "profile: 'none' is unknown; valid ones: "),
        ({"options": {"header": {}}}, "options: 'header' is no keyword of connect; valid ones: client, "),
        # Nothing would look at it.
        ({"no_error_messages": True}, "no_error_messages: the profile 'json' calls no message an error"),
        (
            {"handshake": True, "options": {"profile": "frames"}},
            "handshake: the profile 'frames' has no session",
        ),
    ],
)
def test_what_makes_no_fleet_is_told_before_one_opens(value, message):
    """As a mark tells it."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        fleet(**value)


def test_a_fleet_in_virtual_time_is_compared_with_the_memory_that_is_left(monkeypatch):
    monkeypatch.setattr(resources, "_memory", lambda: 20 * 18 * 1024 - 1)

    with pytest.raises(WorkerError, match=r"^20 connections in virtual time need about 0 MiB of memory; 0 "):
        fleet()


@pytest.mark.parametrize(
    ("url", "told"), [(5, "'5' is not a WebSocket URL (it is no text)"), ("ws://[::1", "'ws://[::1' is not ")]
)
def test_a_url_that_is_none_is_told_as_such(url, told):
    async def main():
        async with open_fleet(url, connections=1, alive_for=1):
            pass

    with pytest.raises(ValueError, match=f"^url: {re.escape(told)}"):
        run_virtual(main())


@pytest.mark.parametrize(
    ("url", "ramp", "opens"),
    [
        ("ws://127.0.0.1:1/", None, 500),
        ("wss://staging.example/", None, 50),
        ("ws://127.0.0.1:1/", "5s", 200),
    ],
)
def test_connections_open_gently(url, ramp, opens):
    assert planned(url, connections=1_000, alive_for=600.0, ramp=ramp).opens_per_second == pytest.approx(
        opens
    )


def test_a_ramp_that_nobody_chose_leaves_half_of_the_hold():
    assert planned("wss://staging.example/", connections=1_000, alive_for=10.0).ramp == 5.0


@pytest.mark.parametrize(
    ("profile", "told"), [("socketio", None), ("json", "the profile 'json' calls no message an error")]
)
def test_what_is_required_is_compared_with_the_profile_of_each_connection(profile, told):
    """A function may give it: what the others would speak says nothing."""

    async def main():
        async with Orchestrator(profile="socketio") as orchestrator:
            asked = {"alive_for": "1m", "no_error_messages": True}
            own = {"options_of": lambda number: {"profile": profile}}
            async with open_fleet(orchestrator.url, connections=2, **asked, **own) as made:
                pass
            return made

    if told is None:
        assert run_virtual(main()).count.stable == 2
        return
    with pytest.raises(ValueError, match=told):
        run_virtual(main())


@pytest.mark.parametrize(
    ("url", "connections", "ramp", "told"),
    [
        ("wss://staging.example/", 1_000, 20.0, None),
        ("wss://staging.example/", 1_001, 60.0, "1,001 connections (at most 1,000 without agreement)"),
        ("wss://staging.example/", 1_000, 19.0, "52.6 opens a second (at most 50 without agreement)"),
        ("ws://127.0.0.1:1/", 100_000, 1.0, None),
    ],
)
def test_a_load_that_somebody_has_to_agree_to(url, connections, ramp, told):
    assert too_much(url, FleetPlan(connections=connections, hold=600.0, ramp=ramp)) == told


@pytest.mark.parametrize("agreed", [False, True])
def test_a_block_treats_a_host_elsewhere_gently(agreed):
    """The name leads to this machine, which nobody can tell."""

    async def main():
        async with Orchestrator() as orchestrator:
            url, port = urlsplit(orchestrator.url), urlsplit(orchestrator.url).port
            elsewhere = url._replace(netloc="staging.example").geturl()
            options = {"address": ("127.0.0.1", port)}
            asked = {"connections": 51, "ramp": "1s", "options": options, "load_agreed": agreed}
            async with open_fleet(elsewhere, **ALIVE, **asked) as made:
                pass
            return made

    if agreed:
        assert run_virtual(main()).count.stable == 51
        return
    with pytest.raises(
        ValueError,
        match=r"^51 opens a second \(at most 50 without agreement\): give load_agreed=True if its ",
    ):
        run_virtual(main())


@pytest.mark.parametrize(("refused_max", "outcome"), [(0.05, Outcome.STABLE), (0.04, Outcome.UNSTABLE)])
def test_a_share_may_fail_to_open(refused_max, outcome):
    """One of 20: the server is away for a moment while it opens."""

    async def away(orchestrator, made):
        await asyncio.sleep(0.9)
        await orchestrator.restart(down_for="300ms")

    asked = {"ramp": "20s", "alive_for": "30s", "reconnects": "10s", "refused_max": refused_max}
    made = fleet(away, **asked)

    assert made.count.refused == 1
    assert made.verdict.outcome is outcome


def test_connections_that_stop_reading_are_not_judged():
    """Evenly among the others: 3 of 20 are the first, the 7th and the 14th."""
    made = fleet(survival=0.8, stalled=3)

    assert (made.count.stalled, made.count.stable, made.count.judged) == (3, 17, 17)
    assert made.verdict.outcome is Outcome.STABLE
    assert repr(made).endswith(": 20 planned: 17 stable, 3 stopped reading>")


def test_a_server_that_a_stalled_neighbour_holds_up_is_found():
    """It awaits each client in turn: those behind the one that does not read wait too."""

    async def broadcast(websockets):
        while True:
            for websocket in list(websockets):
                await websocket.send("x" * 100_000)
            await asyncio.sleep(1)

    async def main(stalled):
        opened = set()

        async def handler(websocket):
            opened.add(websocket)
            try:
                async for _ in websocket:
                    pass
            finally:
                opened.discard(websocket)

        async with websockets.serve(handler, "127.0.0.1", 0, ping_interval=None, compression=None) as server:
            port = server.sockets[0].getsockname()[1]
            talking = asyncio.ensure_future(broadcast(opened))
            asked = {"alive_for": "1m", "message_every": "5s", "connections": 10, "stalled": stalled}
            async with open_fleet(f"ws://127.0.0.1:{port}", options={"profile": "frames"}, **asked) as made:
                pass
            talking.cancel()
            return made

    assert run_virtual(main(0)).verdict.outcome is Outcome.STABLE
    held_up = run_virtual(main(1))
    assert held_up.verdict.outcome is Outcome.UNSTABLE
    assert (held_up.count.ended, held_up.count.stalled) == (9, 1)


@pytest.mark.parametrize("ramp", ["10s", "60s"])
@pytest.mark.parametrize(
    ("drain", "code", "observed"),
    [
        (20, 1012, None),
        (19, 1012, "20 ended in the second from 61.2 s on"),
        (20, 1011, "20 with 1011"),
    ],
)
def test_a_drain(drain, code, observed, ramp):
    """
    All at once with 1012: 20 a second are allowed, 19 are not; another code is none of a drain.

    Who opened less than 25 s before had no heartbeat to be answered yet, and ended as planned all the same.

    """

    async def restart(orchestrator, made):
        await asyncio.sleep(61.2)
        await orchestrator.restart(down_for="1s", how=code)

    made = fleet(restart, drain=drain, ramp=ramp)
    if observed is None:
        assert (made.count.rotated, made.verdict.outcome) == (20, Outcome.STABLE)
    else:
        assert any(observed in each.observed for each in made.verdict.violations)


@pytest.mark.parametrize("planned", [{"max_age_ok": "30s"}, {"allow_close": 1000}])
@pytest.mark.parametrize(
    ("drain", "outcome"),
    [(20, Outcome.UNSTABLE), (Drain(per_second=20, codes=[1000, 1001]), Outcome.STABLE)],  # type: ignore[arg-type]
)
def test_what_is_planned_anyway_has_a_code_of_the_drain_too(planned, drain, outcome):
    """It is no loss."""

    async def restart(orchestrator, made):
        await asyncio.sleep(61.2)
        await orchestrator.restart(down_for="1s", how=1000)

    made = fleet(restart, drain=drain, **planned)

    assert (made.count.rotated, made.verdict.outcome) == (20, outcome)
    assert [each.rule for each in made.verdict.violations] == [Rule.DRAIN] * (outcome is Outcome.UNSTABLE)


@pytest.mark.parametrize(("ramp", "outcome"), [("1s", Outcome.INCONCLUSIVE), ("24s", Outcome.STABLE)])
def test_a_drain_before_any_heartbeat_shows_nothing(ramp, outcome):
    """Of the others one at least was answered."""

    async def restart(orchestrator, made):
        await asyncio.sleep(20 if ramp == "1s" else 25.5)
        await orchestrator.restart(down_for="1s", how=1012)

    made = fleet(restart, drain=20, ramp=ramp)

    assert (made.count.rotated, made.verdict.outcome) == (20, outcome)
    if outcome is Outcome.INCONCLUSIVE:
        (doubt,) = made.verdict.doubts
        assert doubt.text.startswith(
            "all 20 were let go by plan too soon: 0 of at least 1 heartbeats answered"
        )


def test_messages_are_counted():
    """Three are sent on each connection, and come back."""

    async def talk(connection):
        for _ in range(3):
            await connection.send("hello")
            await asyncio.sleep(1)

    made = fleet(survival=0.8, traffic=talk, behaviour={"echo": True})

    assert made.summary.messages == 3 * 20


def test_each_connection_has_options_and_a_target_of_its_own():
    seen = []

    async def look(orchestrator, made):
        await asyncio.sleep(10)
        seen.extend(sorted(session.id for session in orchestrator.sessions))

    fleet(look, survival=0.8, connections=3, options_of=lambda number: {"session_id": f"caller-{number}"})

    assert seen == ["caller-0", "caller-1", "caller-2"]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_fleet():
    """200 connections for ten minutes with losses, twice; and otherwise with another seed."""

    def once(seed):
        async def main():
            program = Program.of([faults.Latency("80ms", jitter="70ms")], seed=seed)
            async with Orchestrator() as orchestrator, FaultProxy(orchestrator.url, faults=program) as path:
                asked = {**ALIVE, "connections": 200, "alive_for": "10m", "ramp": "20s"}
                async with open_fleet(path.url, **asked) as made:
                    await asyncio.sleep(200)
                    await orchestrator.restart(down_for="1s")
                return plain(made.summary)

        return run_virtual(main(), seed=seed)

    first = once(1)
    assert first["count"]["ended"] == 200
    assert once(1) == first
    assert once(2) != first

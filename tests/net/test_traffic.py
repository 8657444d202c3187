"""A workload of the user's, from its begin to its end."""

import asyncio

import pytest

from pytest_wsstability import Direction, Orchestrator, Outcome, Requirement, faults, hold
from pytest_wsstability.core.judge.verdict import Rule
from pytest_wsstability.core.timeline.events import Opcode
from pytest_wsstability.fleet import open_fleet
from pytest_wsstability.net.traffic import KEPT, start_talking, stop_talking
from tests.net.peers import CLOSE, PING, PONG, TEXT, accepting, connected, frame, serving

pytestmark = pytest.mark.ws_stability(time="virtual")


async def slow_to_end(connection):
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(2)


async def count_to_ten(connection):
    for number in range(10):
        await connection.send(str(number))
    await connection.wait_closed()


@pytest.mark.parametrize("profile", ["frames", "json"])
async def test_a_workload_gets_the_first_messages_too(profile):
    """Those that came with the opening handshake, or before the confirmation."""
    heard = []

    async def listens(connection):
        async for message in connection:
            heard.append(message)

    async with Orchestrator(profile=profile, handler=count_to_ten) as server:
        held = await hold(Requirement.of(alive_for="1s"), url=server.url, profile=profile, traffic=listens)

    assert heard == [str(number) for number in range(10)]
    assert held.verdict.outcome is Outcome.STABLE


@pytest.mark.parametrize("number", [KEPT - 1, KEPT, 3 * KEPT])
async def test_reading_does_not_stop_for_what_comes_before_a_workload(number):
    """In one piece with the handshake, and nobody takes it."""

    async def script(peer):
        peer.send(accepting(await peer.request()) + frame(TEXT, b"tick") * number)
        while (opcode := (await peer.frame())[0]) != CLOSE:
            peer.send(frame(PONG) * (opcode == PING))

    async def idles(connection):
        await connection.wait_closed()

    async with serving(script) as url:
        held = await hold(Requirement.of(alive_for="10s"), url=url, profile="frames", traffic=idles)

    assert not held.timeline.paused
    assert held.timeline.count(Direction.RECEIVED, Opcode.TEXT) == number


@pytest.mark.parametrize("confirms", [True, False])
async def test_a_workload_that_could_not_begin_is_in_doubt(confirms):
    """The session was not confirmed: whatever it would have shown is not known."""
    begun = []

    async def begins(connection):
        begun.append(connection)
        await connection.wait_closed()

    async with Orchestrator(confirm_sessions=confirms) as server:
        held = await hold(Requirement.of(alive_for="10s"), url=server.url, traffic=begins)
        async with open_fleet(server.url, connections=2, alive_for="10s", traffic=begins) as made:
            pass

    assert len(begun) == (3 if confirms else 0)
    assert held.verdict.outcome is (Outcome.STABLE if confirms else Outcome.INCONCLUSIVE)
    assert (made.count.stable, made.count.unobserved) == ((2, 0) if confirms else (0, 2))
    if not confirms:
        assert "traffic: it did not begin, because the session was not confirmed" in held.verdict.headline
        assert "connection 0: traffic: it did not begin" in made.verdict.headline


async def is_mute(connection):
    await connection.wait_closed()


async def test_messages_that_a_workload_could_have_asked_for_are_missed():
    requirement = Requirement.of(alive_for="10s", messages_at_least=1)
    async with Orchestrator() as server:
        held = await hold(requirement, url=server.url, traffic=is_mute)

    assert [each.rule for each in held.verdict.violations] == [Rule.FLOW]


@pytest.mark.parametrize("asked", [{"messages_at_least": 1}, {"message_every": "5s"}])
async def test_messages_that_a_workload_could_not_ask_for_are_in_doubt(asked):
    """A server of another protocol greets nobody, and is not blamed for what nobody said."""

    async def script(peer):
        peer.send(accepting(await peer.request()))
        while (opcode := (await peer.frame())[0]) != CLOSE:
            peer.send(frame(PONG) * (opcode == PING))

    async with serving(script) as url:
        held = await hold(Requirement.of(alive_for="10s", **asked), url=url, traffic=is_mute)

    assert held.verdict.outcome is Outcome.INCONCLUSIVE
    assert held.verdict.headline.startswith("inconclusive: traffic: it did not begin, ")


async def test_what_else_is_broken_is_told_where_a_workload_could_not_begin():
    asked = {"alive_for": "10s", "session_within": "2s", "messages_at_least": 1}
    async with Orchestrator(confirm_sessions=False) as server:
        held = await hold(Requirement.of(**asked), url=server.url, traffic=slow_to_end)

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.violations[0].rule is Rule.SESSION


async def waits_for_what_is_cancelled(connection):
    other = asyncio.ensure_future(asyncio.sleep(60))
    asyncio.get_running_loop().call_later(3, other.cancel)
    await other


async def test_a_workload_whose_own_task_was_cancelled_is_an_error():
    """Whoever holds the connection would take the cancellation for its own."""
    async with Orchestrator() as server:
        told = r"^traffic: something that the workload waited for was cancelled"
        with pytest.raises(RuntimeError, match=told):
            await hold(Requirement.of(alive_for="1m"), url=server.url, traffic=waits_for_what_is_cancelled)
        with pytest.raises(RuntimeError, match=told):
            async with open_fleet(
                server.url, connections=2, alive_for="1m", traffic=waits_for_what_is_cancelled
            ):
                pass


async def test_a_hold_waits_until_its_workload_has_cleaned_up():
    async with Orchestrator() as server:
        loop = asyncio.get_running_loop()
        held = await hold(Requirement.of(alive_for="10s"), url=server.url, traffic=slow_to_end)

        assert held.verdict.outcome is Outcome.STABLE
        assert loop.time() - held.timeline.opened == pytest.approx(12.0, abs=0.1)


async def test_a_cancellation_while_a_workload_cleans_up_is_the_callers():
    """Taken for the workload's own, it would be lost: a timeout that never comes."""
    loop = asyncio.get_running_loop()
    async with Orchestrator() as server:
        begun = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(11):
                await hold(Requirement.of(alive_for="10s"), url=server.url, traffic=slow_to_end)

        assert loop.time() - begun == pytest.approx(11.0, abs=0.1)


async def test_a_clean_up_ends_with_the_patience_of_its_caller():
    """Nothing runs on behind whoever gave up."""
    async with connected() as (connection, _):
        talk = start_talking(connection, slow_to_end)
        await asyncio.sleep(1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await stop_talking(connection, talk)
        await asyncio.sleep(0.5)

        assert talk.cancelled()


async def speak(connection):
    async def sound():
        while True:
            yield b"x" * 100
            await asyncio.sleep(0.1)

    await connection.send(sound())


@pytest.mark.parametrize(
    ("faulty", "outcome"), [([], Outcome.STABLE), ([faults.WithholdPongs()], Outcome.UNSTABLE)]
)
async def test_a_message_that_the_end_of_a_hold_cuts_is_no_failure(faulty, outcome):
    """The hold ends its workload: both ends see a planned close, and no 1011 of the client before it."""
    requirement = Requirement.of(alive_for="10s", heartbeat_every="4s", heartbeat_within="2s")
    async with Orchestrator(profile="frames", faults=faulty) as server:
        held = await hold(requirement, url=server.url, profile="frames", traffic=speak)

        assert (held.verdict.outcome, held.timeline.close) == (outcome, None)
        there = server.sessions[0].timeline.close
        assert (there.received.code, there.abnormal) == (1000, False)


async def test_a_message_that_an_interruption_cuts_is_no_failure_either():
    """Whoever cancels a hold closes its connection as planned."""
    async with Orchestrator(profile="frames") as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await hold(Requirement.of(alive_for="10s"), url=server.url, profile="frames", traffic=speak)
        await server.sessions[0].connection.wait_closed()

        assert server.sessions[0].timeline.close.received.code == 1000


async def test_a_message_that_fails_before_the_end_fails_the_connection():
    """What the workload itself gives up is a failure still."""

    async def broken(connection):
        async def sound():
            yield b"x"
            raise LookupError

        await connection.send(sound())

    async with Orchestrator() as server:
        with pytest.raises(LookupError):
            await hold(Requirement.of(alive_for="10s"), url=server.url, traffic=broken)

        assert server.sessions[0].timeline.close.received.code == 1011

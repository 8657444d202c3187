"""A hold from start to end: opened, held, closed; and then an object without a loop."""

import asyncio

import pytest

from pytest_wsstability import (
    Cause,
    Confidence,
    OpeningError,
    Orchestrator,
    Outcome,
    Requirement,
    Soak,
    StabilityError,
    hold,
    run_virtual,
)
from pytest_wsstability.core.judge.rules import judge
from pytest_wsstability.core.judge.verdict import Rule
from tests.core.script import FIN, timeline
from tests.net.peers import BINARY, answering, close, frame, serving

STORY = {"alive_for": "2m", "heartbeat_every": "25s", "heartbeat_within": "5s"}


def soaked(requirement=STORY, *, server=None, **options):
    """A finished hold in virtual time."""
    orchestrator = Orchestrator(**server) if server is not None else None
    return run_virtual(hold(Requirement.of(**requirement), orchestrator=orchestrator, **options))


def test_it_starts_a_server_of_its_own():
    """Without a URL; the requirement's heartbeats go out."""
    held = soaked()

    assert held.verdict.outcome is Outcome.STABLE
    assert held.timeline.heartbeats.sent == 4
    assert [timeline.end.value for timeline in held.timelines] == ["client", "server"]
    assert held.url.startswith("ws://127.0.0.1:")
    assert repr(held).startswith(f"<Soak {held.url}: stable, <Timeline client, 120.000 s")


def test_it_takes_the_server_that_it_is_given():
    """Started and stopped with the held."""
    held = soaked(server={"ping_interval": None})

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.violations[0].rule is Rule.ALIVE
    assert held.timelines[1].close.local_text.startswith("read deadline of 60 s ran out")


def test_it_holds_to_a_url():
    """And leaves that server running."""

    async def main():
        async with Orchestrator() as orchestrator:
            held = await hold(Requirement.of(**STORY), url=orchestrator.url, orchestrator=orchestrator)
            again = await hold(Requirement.of(**STORY), url=orchestrator.url)
            return held, again, len(orchestrator.sessions)

    held, again, sessions = run_virtual(main())
    assert (held.verdict.outcome, again.verdict.outcome) == (Outcome.STABLE, Outcome.STABLE)
    assert (len(held.timelines), len(again.timelines), sessions) == (2, 1, 2)


def test_its_assertions_are_ordinary_calls():
    """Nothing waits any more; no loop is needed."""
    held = soaked({**STORY, "session_within": "3s"})

    assert held.assert_stable() is held.verdict
    assert held.assert_stable(alive_for="1m").outcome is Outcome.STABLE
    with pytest.raises(ValueError, match=r"^assert_stable: alive_for=None asks for nothing"):
        held.assert_stable(alive_for=None)
    held.assert_alive_for("2m")
    held.assert_session_confirmed(within="1s")
    held.assert_heartbeats_answered(within="5s", at_least=4)
    held.assert_rtt(p95="1s")
    held.assert_no_abnormal_closure()


@pytest.mark.parametrize(
    ("server", "assertion"),
    [
        ({"ping_interval": None}, lambda held: held.assert_stable()),
        ({"ping_interval": None}, lambda held: held.assert_alive_for("2m")),
        ({"ping_interval": None}, lambda held: held.assert_no_abnormal_closure()),
        ({"ping_interval": None}, lambda held: held.assert_closed(code=1000)),
        ({"answer_heartbeats": False}, lambda held: held.assert_heartbeats_answered(within="5s")),
        ({"answer_heartbeats": "3s"}, lambda held: held.assert_rtt(p95="2s")),
        ({"confirm_sessions": False}, lambda held: held.assert_session_confirmed(within="3s")),
        ({"confirm_sessions": "4s"}, lambda held: held.assert_session_confirmed(within="3s")),
        ({}, lambda held: held.assert_pings_answered(within="1s")),
        ({}, lambda held: held.assert_alive_for("3m")),
    ],
)
def test_each_assertion_has_a_server_that_fails_it(server, assertion):
    """With the diagnosis of both ends."""
    held = soaked(server=server)
    with pytest.raises(StabilityError, match=r"\n  server    [-=]"):
        assertion(held)


def test_the_failure_of_a_hold_is_told_as_it_ended():
    """The close that follows is ours, and does not stand in the record."""
    held = soaked(server={"answer_heartbeats": False})
    with pytest.raises(StabilityError) as caught:
        held.assert_stable()

    assert "1 of 1 heartbeats not answered within 5 s" in str(caught.value)
    assert "close" not in str(caught.value).partition("observed")[2].partition("evidence")[0]


@pytest.mark.parametrize(
    ("requirement", "profile", "told"),
    [
        (
            {"no_error_messages": True},
            "json",
            "^no_error_messages: the profile 'json' calls no message an error",
        ),
        ({"handshake": True}, "frames", "^handshake: the profile 'frames' has no session"),
        ({"session_within": "5s"}, "frames", "^session_within: the profile 'frames' has no session"),
    ],
)
def test_what_the_protocol_does_not_have_cannot_be_held(requirement, profile, told):
    """Nothing would look at it, and the hold would be stable."""
    with pytest.raises(ValueError, match=told):
        soaked({"alive_for": "10s", **requirement}, server={"profile": profile}, profile=profile)


def test_a_stream_of_data_does_not_stop_it():
    """Nobody takes the messages of a hold: they are counted and thrown away."""

    async def main():
        async def script(peer):
            await peer.upgrade()
            for _ in range(3000):
                peer.send(frame(BINARY, b"x" * 640))
                await asyncio.sleep(0.02)
            peer.send(close(1000))
            await peer.gone()

        async with serving(script) as url:
            return await hold(Requirement.of(alive_for="1m"), url=url, profile="frames")

    held = run_virtual(main())
    assert held.verdict.outcome is Outcome.STABLE
    assert held.timeline.dropped_reads >= 2999
    assert not held.timeline.paused_total


def test_opened_is_given_the_open_connection():
    """For a live view."""
    seen = []
    soaked(
        opened=lambda connection: seen.append((connection.websocket.is_open, connection.timeline.duration))
    )

    assert seen == [(True, 0.0)]


def test_what_opened_raises_closes_the_connection_and_the_server():
    """Nothing hangs."""

    def opened(connection):
        raise LookupError

    with pytest.raises(LookupError):
        soaked(opened=opened)


def test_what_opened_raises_closes_the_connection_to_a_url():
    """At once, and not when somebody stops the server."""
    kept = []

    def opened(connection):
        kept.append(connection)
        raise LookupError

    async def main():
        async with Orchestrator() as server:
            with pytest.raises(LookupError):
                await hold(Requirement.of(alive_for="2m"), url=server.url, opened=opened)
            return kept[0].timeline.close, server.sessions[0].timeline.close

    here, there = run_virtual(main())
    assert (here.received.code, here.at, here.planned) == (1000, 0.0, True)
    assert there.received.code == 1000


def test_a_connection_that_does_not_open_is_no_verdict():
    """There is nothing to say about its stability."""

    async def main():
        async with serving(answering(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")) as url:
            await hold(Requirement.of(alive_for="1m"), url=url)

    with pytest.raises(OpeningError, match="HTTP 403 Forbidden"):
        run_virtual(main())


def test_options_are_those_of_connect():
    """A heartbeat of one's own takes the place of the requirement's."""
    held = soaked({"alive_for": "2m"}, heartbeat="10s", client="mute")

    assert held.timeline.heartbeats.sent == 5
    assert held.timeline.close.at == 60.0


@pytest.mark.real
@pytest.mark.ws_stability(time="real")
async def test_it_runs_in_real_time_too():
    """A short one."""
    held = await hold(Requirement.of(alive_for="300ms", heartbeat_every="50ms", heartbeat_within="5s"))

    assert held.verdict.outcome in (Outcome.STABLE, Outcome.INCONCLUSIVE)
    assert held.timeline.duration >= 0.3
    assert held.ties == 0


def test_connections_that_ended_together_explain_each_other():
    """A cut after an odd silence may be anything alone, and is a restart beside one that ended with it."""
    requirement = Requirement.of(alive_for="2m")
    lines = [timeline((3, "<text"), (47.3 - at, FIN), origin=1000 + at) for at in (0, 20)]
    holds = [Soak(requirement, judge(requirement, line), [line], url="ws://there") for line in lines]
    assert holds[0].verdict.diagnosis.confidence is Confidence.LOW

    holds[0].beside(lines)

    assert holds[0].verdict.diagnosis.cause is Cause.RESTART
    with pytest.raises(StabilityError, match=r"restart: 1 more ended within 2 s"):
        holds[0].assert_stable()
    assert holds[0].judgement.verdict is holds[0].verdict


def test_a_stable_hold_needs_no_explanation():
    """Whatever ended beside it."""
    requirement = Requirement.of(alive_for="20s")
    line = timeline((3, "<text"), until=20)
    held = Soak(requirement, judge(requirement, line), [line], url="ws://there")

    held.beside([timeline((20, FIN))])

    assert held.verdict.diagnosis is None

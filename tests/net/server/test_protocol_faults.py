"""Faults of a server against its protocol: what they do, what finds them, and where they make no sense."""

from __future__ import annotations

import asyncio
import contextlib
import re

import pytest

from pytest_wsstability import Cause, Direction, Orchestrator, Role, StabilityError, connect, faults
from pytest_wsstability.core.faults.protocol import PROTOCOL_FAULTS
from pytest_wsstability.core.judge.verdict import Noted, Outcome, Rule
from pytest_wsstability.profiles import ID, JSON, SESSION_NUMBER, Profile
from pytest_wsstability.profiles.catalogue import SHIPPED
from tests.net.peers import connected, opened, served

pytestmark = pytest.mark.ws_stability(time="virtual")

NUMBERED = Profile(name="numbered", ping={"op": "ping", "id": ID}, pong={"op": "pong", "id": ID}, interval=10)


async def violation_of(assertion, *arguments, **keywords):
    """The first one that an assertion tells."""
    try:
        found = assertion(*arguments, **keywords)
        if found is not None:
            await found
    except StabilityError as exc:
        return exc.verdict.violations[0]
    pytest.fail("nothing was found")


@pytest.mark.parametrize(
    ("profile", "fault", "words"),
    [
        (NUMBERED, faults.LateAnswers("4s"), "10 of 10 heartbeats not answered within 3 s"),
        ("frames", faults.LateAnswers("4s"), "10 of 10 heartbeats not answered within 3 s"),
        (NUMBERED, faults.WrongIds(), "10 of 10 heartbeats not answered within 3 s"),
        ("phoenix", faults.WrongIds(), "not answered within 3 s"),
    ],
)
async def test_answers_that_are_late_or_to_nothing(profile, fault, words):
    """The heartbeats count as missed."""
    server = {"profile": profile, "faults": [fault], "read_deadline": None}
    async with connected(server, heartbeat="10s") as (client, _):
        await asyncio.sleep(109)
        violation = await violation_of(client.assert_heartbeats_answered, within="3s", at_least=2)

        assert violation.rule is Rule.HEARTBEATS
        assert words in violation.line


async def test_a_wrong_id_is_on_record_at_the_server():
    """It knows that it has answered nothing."""
    async with connected({"profile": NUMBERED, "faults": [faults.WrongIds()]}) as (_, orchestrator):
        await asyncio.sleep(35)
        heartbeats = orchestrator.sessions[0].timeline.heartbeats

        assert (heartbeats.sent, heartbeats.answered) == (3, 0)


@pytest.mark.parametrize(
    ("profile", "counted"), [(NUMBERED, (0, 3)), (NUMBERED.replace(ping="?", pong="!"), (3, 0))]
)
async def test_answers_that_come_twice(profile, counted):
    """The second one is an answer to nothing, and nobody takes it for another's: allowed, and noted."""
    async with connected({"profile": profile, "faults": [faults.DuplicateAnswers()]}) as (client, _):
        verdict = await client.assert_stable(alive_for="35s", heartbeat_every="10s", heartbeat_within="1s")
        heartbeats = client.timeline.heartbeats
        answers = [event for event in client.timeline if event.role is Role.HEARTBEAT_ANSWER]

        assert (heartbeats.sent, heartbeats.answered, len(answers)) == (3, 3, 6)
        assert (heartbeats.unasked, heartbeats.unmatched) == counted
        (note,) = verdict.notes
        assert note.noted is Noted.STRAY
        assert note.text == "3 answers came to heartbeats that were not open: a second one, or to another id"


async def test_heartbeats_of_the_server_that_are_late():
    """Once: from then on they are as far apart as before."""
    late = [("60s", faults.LateHeartbeats("20s"))]
    async with connected({"profile": "engineio", "faults": late}) as (client, _):
        violation = await violation_of(
            client.assert_stable, alive_for="2m", heartbeat_every="25s", heartbeat_within="15s"
        )

        assert violation.rule is Rule.CADENCE
        assert "no heartbeat for 37.5 s (every 25 s)" in violation.line


@pytest.mark.parametrize("profile", ["socketio", "signalr", "mqtt", "mqtt5", "ocpp", "phoenix"])
async def test_a_session_that_is_refused(profile):
    """In the protocol's words, and the assertion says when."""
    async with served({"profile": profile, "faults": [faults.RefuseSession()]}) as (client, _):
        with pytest.raises(StabilityError) as caught:
            await client.assert_session_confirmed(within="3s")

        (violation,) = caught.value.verdict.violations
        assert violation.rule is Rule.SESSION
        told = "session_info sent at 0 s, refused at 0 s"
        assert told in violation.line
        assert caught.value.headline.startswith(f"{told}: ")
        assert caught.value.headline.endswith(" (session not confirmed within 3 s)")
        assert "dead path" not in str(caught.value)
        assert client.timeline.last(direction=Direction.RECEIVED, role=Role.SESSION_REFUSED) == 0


async def test_an_error_instead_of_the_confirmation_is_told():
    """STOMP, as many others, refuses with its word for errors; which says more than that nothing came."""
    server = {"profile": "stomp", "faults": [faults.NeverConfirm(), faults.SendError()]}
    async with served(server, profile="stomp") as (client, _):
        with pytest.raises(StabilityError) as caught:
            await client.assert_session_confirmed(within="3s")

        told = "session_info sent at 0 s, an error at 0 s: 'ERROR"
        assert caught.value.headline.startswith(told)
        assert told in caught.value.verdict.violations[0].observed
        assert caught.value.verdict.diagnosis.cause is Cause.SESSION_NOT_CONFIRMED


async def test_a_session_that_nobody_resumes():
    """The client begins another one, and the assertion says so."""
    async with served({"profile": "socketio-recovery", "faults": [faults.RefuseResume()]}) as (first, _):
        await first.assert_session_confirmed(within="1s")
        await first.close()
        second = await first.reconnect()
        with pytest.raises(StabilityError) as caught:
            await second.assert_session_resumed(within="1s")
        await second.close()

        (violation,) = caught.value.verdict.violations
        assert violation.rule is Rule.RESUMED
        assert "the server did not know the old one" in violation.line
        assert caught.value.headline == "the server did not know the session any more (session not resumed)"
        assert caught.value.verdict.diagnosis.cause is Cause.SESSION_LOST


async def test_a_resume_that_is_refused_in_words_begins_anew():
    """As the protocol's own clients do."""
    profile = JSON.replace(
        name="words",
        session_info={"op": "identify"},
        session_confirmed={"op": "ready", "id": "{session_id}"},
        resume={"op": "resume", "id": "{session_id}"},
        resumed={"op": "resumed"},
        resume_refused={"op": "invalid"},
    )
    async with served({"profile": profile, "faults": [faults.RefuseResume()]}) as (first, orchestrator):
        await first.assert_session_confirmed(within="1s")
        await first.close()
        second = await first.reconnect()
        violation = await violation_of(second.assert_session_resumed, within="1s")
        await second.close()

        assert "was confirmed: the server did not know the old one" in violation.line
        assert second.session_id != first.session_id
        assert [session.id for session in orchestrator.sessions] == [first.session_id, second.session_id]


async def test_a_session_that_is_a_number_is_somebody_elses():
    """Both ends make one up that is, and the wrong one is a number too; a client can't call it otherwise."""
    profile = JSON.replace(
        name="numbers",
        session_info={"op": "join", "id": SESSION_NUMBER},
        session_confirmed={"op": "joined", "id": SESSION_NUMBER},
    )
    server = Orchestrator(profile=profile, faults=[faults.WrongSession()])
    async with server as orchestrator, opened(orchestrator.url, profile=profile) as client:
        violation = await violation_of(client.assert_session_confirmed, within="1s")
        assert client.session_id.isdigit()
        assert violation.rule is Rule.SESSION
        with pytest.raises(ValueError, match="session_id: session_info: 'abc' is no whole number"):
            await connect(orchestrator.url, profile=profile, session_id="abc")


@pytest.mark.parametrize(
    "profile", ["deepgram", "openai-realtime", "phoenix", "signalr", "socketio", "stomp"]
)
async def test_an_error_message(profile):
    """Every hold finds it."""
    server = {"profile": profile, "faults": [("5s", faults.SendError())]}
    async with connected(server) as (client, _):
        violation = await violation_of(client.assert_stable, alive_for="20s")

        assert violation.rule is Rule.ERRORS
        assert client.timeline.errors[0][0] == 5


@pytest.mark.parametrize("profile", ["actioncable", "signalr", "mqtt5"])
async def test_an_announced_end_is_no_instability(profile):
    """Nor a pass: the hold was not as long as it should be."""
    program = [("8s", faults.SendNotice()), ("10s", faults.CloseWith(1001))]
    async with connected({"profile": profile, "faults": program}) as (client, _):
        with pytest.raises(StabilityError) as caught:
            await client.assert_alive_for("20s")

        verdict = caught.value.verdict
        assert verdict.outcome is Outcome.INCONCLUSIVE
        assert "the server announced the end at 8 s (1001 at 10 s); max_age_ok= allows it" in str(
            caught.value
        )
        await client.assert_stable(alive_for="20s", max_age_ok="5s")


@pytest.mark.parametrize(
    "program",
    [
        [("10s", faults.CloseWith(1001))],
        [("8s", faults.SendNotice()), ("10s", faults.CloseWith(1011))],
    ],
    ids=["nothing said", "1011"],
)
async def test_another_end_is_an_instability(program):
    """Without a word, or by an error."""
    async with connected({"profile": "actioncable", "faults": program}) as (client, _):
        violation = await violation_of(client.assert_alive_for, "20s")

        assert violation.rule is Rule.ALIVE


async def test_a_client_that_does_not_come_back_from_an_announced_end_is_unstable():
    """Though it closed politely, as it was asked to."""
    notice = [("8s", faults.SendNotice())]
    async with connected({"profile": "actioncable", "faults": notice}) as (client, orchestrator):
        await asyncio.sleep(9)
        await client.close()
        violation = await violation_of(orchestrator.assert_reconnects, within="5s", same_session=False)

        assert violation.rule is Rule.RECONNECTS


@pytest.mark.parametrize(
    ("profile", "fault", "why"),
    [
        ("json", "LateHeartbeats('1s')", "servers of the profile 'json' send no heartbeats"),
        ("frames", "LateHeartbeats('1s')", "servers of the profile 'frames' send no heartbeats"),
        ("deepgram", "LateAnswers('1s')", "servers of the profile 'deepgram' answer no heartbeats"),
        ("engineio", "LateAnswers('1s')", "servers of the profile 'engineio' answer no heartbeats"),
        ("json", "WrongIds()", "answers to heartbeats of the profile 'json' carry no id"),
        ("frames", "WrongIds()", "servers of the profile 'frames' answer no heartbeats with messages"),
        ("stomp", "DuplicateAnswers()", "servers of the profile 'stomp' answer no heartbeats with messages"),
        ("deepgram", "WithholdHeartbeats()", "servers of the profile 'deepgram' neither send heartbeats nor"),
        ("json", "RefuseSession()", "the profile 'json' has no message that refuses a session"),
        ("json", "RefuseResume()", "nobody resumes a session of the profile 'json'"),
        ("json", "SendNotice()", "the profile 'json' has no message that announces the end"),
        ("json", "SendError()", "the profile 'json' has no error message"),
        ("deepgram", "NeverConfirm()", "the profile 'deepgram' has no session to confirm"),
        ("ocpp", "WrongSession()", "the profile 'ocpp' confirms sessions without their id"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(profile, fault, why):
    """By name, with what the profile lacks."""
    made = eval(f"faults.{fault}", {"faults": faults})
    with pytest.raises(ValueError, match=f"^faults: {re.escape(repr(made))}: {re.escape(why)}"):
        Orchestrator(profile=profile, faults=[made])


@pytest.mark.parametrize("name", SHIPPED)
def test_every_profile_takes_a_fault_or_says_why_not(name):
    """None is refused for another reason than what the profile lacks."""
    for kind in PROTOCOL_FAULTS:
        fault = kind("1s") if "delay" in kind.__dataclass_fields__ else kind()
        with contextlib.suppress(ValueError):
            assert Orchestrator(profile=name, faults=[fault]).program.peer.steps[0].fault is fault
            continue
        with pytest.raises(ValueError, match=repr(name)):
            Orchestrator(profile=name, faults=[fault])

"""A conversation from its opening to its verdict: what ends it, and what is then said."""

import asyncio
import base64
import dataclasses
import json
import pickle

import pytest

from pytest_wsstability import Orchestrator, Outcome, Requirement, StabilityError, faults, run_virtual
from pytest_wsstability.core.cause import Cause
from pytest_wsstability.core.faults import Program
from pytest_wsstability.core.judge.verdict import Reason, Rule
from pytest_wsstability.core.timeline.events import EventKind
from pytest_wsstability.profiles import JSON, RAW, Codec, Unwritable
from pytest_wsstability.voice import Pipeline, Script, Slow, Stage, VoiceError, VoiceRequirement, hold_call
from tests.net.voice.calls import spoken


def test_the_conversation_ends_and_the_connection_is_held_on():
    """Two turns, and two minutes."""
    held = spoken(asked={"turns": 2})

    assert held.verdict.outcome is Outcome.STABLE
    assert held.verdict.horizon == pytest.approx(120, abs=0.1)
    assert len(held.turns) == 2


def test_the_hold_is_over_and_the_conversation_goes_on():
    """Twenty turns take longer than ten seconds; the connection has to carry them all."""
    held = spoken(asked={"turns": 5}, held={"alive_for": "10s"})

    assert held.verdict.outcome is Outcome.STABLE
    assert len(held.turns) == 5
    assert held.verdict.horizon > 25


ASKS = JSON.replace(name="asks", heartbeats_from="server", interval=7)


def lost(fault=None, *, profile="json", turn=3, **held):
    """Four turns; the fault is done to the connection that is lost in the given one, and not to the next."""
    program = Program.of([] if fault is None else [fault], connections=1)
    return spoken(
        asked={"turns": 4},
        script={"reconnect_in": turn},
        held=held,
        profile=profile,
        server={"faults": program},
    )


@pytest.mark.parametrize(
    ("fault", "held", "rule", "cause"),
    [
        (
            faults.WithholdHeartbeats(),
            {"heartbeat_every": "1s", "heartbeat_within": "900ms"},
            Rule.HEARTBEATS,
            Cause.ZOMBIE,
        ),
        (faults.DuplicateConfirm(), {"handshake": True}, Rule.HANDSHAKE, None),
        (faults.WrongSession(), {}, Rule.SESSION, None),
    ],
)
def test_what_the_connection_broke_before_it_was_lost_counts(fault, held, rule, cause):
    """With what both ends saw of it, up to its loss; the loss itself breaks nothing."""
    found = lost(fault, **held)

    assert (found.verdict.outcome, found.verdict.violations[0].rule) == (Outcome.UNSTABLE, rule)
    assert [each.close for each in found.timelines] == [None, None]
    assert cause is None or found.verdict.diagnosis.cause is cause
    for asked in (held, {**held, "no_abnormal_closure": True}):
        assert lost(**asked).verdict.outcome is Outcome.STABLE


@pytest.mark.parametrize(("turn", "seen"), [(1, 0), (2, 1)])
def test_a_connection_that_was_lost_need_not_have_seen_all_heartbeats_of_the_server(turn, seen):
    """It was lost before the first one, or the second; the next sees as many as are asked for."""
    found = lost(profile=ASKS, turn=turn, heartbeat_within="5s", heartbeats_at_least=2)

    assert found.verdict.outcome is Outcome.STABLE
    first, _ = found.call.away[0]
    assert first // 7 == seen


def test_without_turns_it_lasts_as_long_as_the_hold():
    """What is under way then is not missing."""
    held = spoken(asked={"transcripts": True}, held={"alive_for": "1m"})

    assert held.verdict.outcome is Outcome.STABLE
    assert 5 < len(held.turns) < 12
    assert held.verdict.horizon == pytest.approx(60, abs=0.1)


def test_the_first_violation_ends_it():
    """Nobody waits for the other turns."""
    held = spoken(asked={"turns": 50, "first_audio_within": "30s"}, ai=Stage("45s"))

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.horizon < 40


def test_a_session_that_is_never_confirmed_is_not_spoken_to():
    held = spoken(server={"faults": [faults.NeverConfirm()]}, held={})

    assert held.verdict.violations[0].rule is Rule.SESSION
    assert held.turns == []


def test_a_connection_has_to_live_though_nobody_says_how_long():
    """To the end of the conversation."""
    held = spoken(held={}, server={"faults": [("15s", faults.CloseWith(1000))]})

    assert held.verdict.violations[0].rule is Rule.ALIVE
    assert held.verdict.violations[0].headline.startswith("1000 at 15 s")


def test_marks_that_wait_for_audio_are_no_late_heartbeats():
    """The caller itself answers them, when the audio before them is played."""
    asked, held = {"turns": 2, "barge_in_within": "300ms"}, {"heartbeat_within": "100ms"}
    held = spoken(asked=asked, held=held, profile="twilio")

    assert held.verdict.outcome is Outcome.STABLE
    assert len(held.turns) == 2


def test_heartbeats_of_the_client_are_judged_where_a_player_plays_on():
    """AudioHook's ping; marks alone, which the server sends, wait for audio."""
    ours = with_functions(plays_on=True, answer_end=None, answer_quiet="2s")
    asked, held = {"turns": 2}, {"heartbeat_every": "5s", "heartbeat_within": "1s"}

    assert spoken(asked=asked, held=held, profile=ours).verdict.outcome is Outcome.STABLE
    mute = {"faults": [faults.WithholdHeartbeats()]}
    found = spoken(asked=asked, held=held, profile=ours, server=mute).verdict
    assert (found.outcome, found.violations[0].rule) == (Outcome.UNSTABLE, Rule.HEARTBEATS)


CHUNK = base64.b64encode(bytes(3200)).decode()


def hung_up(*, turns, after, code, end=True, profile=JSON):
    """A conversation of so many turns with an agent that hangs up with its answer of one turn."""

    async def handler(connection):
        number = 0
        async for message in connection:
            if json.loads(message)["type"] != "speech_end":
                continue
            number += 1
            await connection.send_json({"type": "audio", "audio": CHUNK})
            if end:
                await connection.send_json({"type": "turn_end"})
            if number == after:
                await connection.close(code)
                return

    async def main():
        async with Orchestrator(profile=profile, handler=handler) as orchestrator:
            return await hold_call(
                Requirement(), VoiceRequirement(turns=turns), Script(turns=turns), url=orchestrator.url,
                profile=profile,
            )  # fmt: skip

    return run_virtual(main()).verdict


QUIET = JSON.replace(audio=dataclasses.replace(JSON.audio, answer_end=None, answer_quiet="1s"))


@pytest.mark.parametrize("profile", [JSON, QUIET], ids=["said", "heard"])
@pytest.mark.parametrize(
    ("after", "code", "rules"),
    [
        (2, 1000, []),
        (2, 1011, [Rule.ALIVE]),
        (2, 1001, [Rule.ALIVE]),
        (1, 1000, [Rule.ALIVE]),
    ],
)
def test_an_agent_may_hang_up_when_all_turns_were_answered(profile, after, code, rules):
    """With 1000, and no sooner; also where nobody says that an answer is whole."""
    verdict = hung_up(turns=2, after=after, code=code, profile=profile)

    assert [each.rule for each in verdict.violations][:1] == rules


def test_an_agent_that_hangs_up_in_its_last_answer_ends_it_too_early():
    """Where it says that an answer is whole, and has not."""
    verdict = hung_up(turns=1, after=1, code=1000, end=False)

    assert [each.rule for each in verdict.violations] == [Rule.ALIVE, Rule.TURNS]


SILENCE, SPEECH = (base64.b64encode(each * 320).decode() for each in (b"\x00\x00", b"\x30\x20"))


@pytest.mark.parametrize("profile", [JSON, QUIET], ids=["said", "heard"])
@pytest.mark.parametrize(("waits", "outcome"), [(0.5, Outcome.STABLE), (0.9, Outcome.UNSTABLE)])
def test_an_agent_that_never_stops_to_send(profile, waits, outcome):
    """Its track is silent while it says nothing; how soon it answers is told by its sound."""

    async def handler(connection):
        speaks_at, loop = float("inf"), asyncio.get_running_loop()

        async def track():
            while True:
                speaks = speaks_at <= loop.time() < speaks_at + 1
                await connection.send_json({"type": "audio", "audio": SPEECH if speaks else SILENCE})
                await asyncio.sleep(0.02)
                if speaks and loop.time() >= speaks_at + 1:
                    await connection.send_json({"type": "turn_end"})

        sends = asyncio.create_task(track())
        try:
            async for message in connection:
                if json.loads(message)["type"] == "speech_end":
                    speaks_at = loop.time() + waits
        finally:
            sends.cancel()

    async def main():
        async with Orchestrator(profile=profile, handler=handler) as orchestrator:
            return await hold_call(
                Requirement(), VoiceRequirement(turns=3, first_audio_within=0.8, underruns=0),
                Script(turns=3, answer_within="5s"), url=orchestrator.url, profile=profile,
            )  # fmt: skip

    held = run_virtual(main())
    assert (held.verdict.outcome, len(held.turns)) == (outcome, 3)


@pytest.mark.parametrize(
    ("peak", "outcome"), [(0, Outcome.UNSTABLE), (0xFF, Outcome.UNSTABLE), (0x100, Outcome.STABLE)]
)
def test_what_is_quiet_is_no_silence(peak, outcome):
    """A voice that fades in is heard from its beginning, and a low one among others is an answer."""
    low, speech = (
        {"type": "audio", "audio": base64.b64encode(each.to_bytes(2, "little") * 3200).decode()}
        for each in (peak, 0x2030)
    )

    async def handler(connection):
        answers = iter([[low, low, low, speech], [low], [speech]])
        async for message in connection:
            if json.loads(message)["type"] == "speech_end":
                for chunk in next(answers):
                    await connection.send_json(chunk)
                    await asyncio.sleep(0.2)
                await connection.send_json({"type": "turn_end"})

    async def main():
        async with Orchestrator(handler=handler) as orchestrator:
            return await hold_call(
                Requirement(), VoiceRequirement(turns=3, first_audio_within=0.5), Script(turns=3),
                url=orchestrator.url,
            )  # fmt: skip

    assert run_virtual(main()).verdict.outcome is outcome


def test_a_lag_of_the_test_itself_blames_nobody():
    """What was read late may have come in time."""

    async def main():
        async with Orchestrator(voice=Pipeline()) as orchestrator:
            made = []

            def opened(connection):
                made.append(connection)
                connection.websocket.loop.call_later(8.2, stand_still)

            def stand_still():
                timeline = made[0].websocket.timeline
                timeline.mark(made[0].websocket.loop.time(), EventKind.LOOP_LAG, 6.0)

            return await hold_call(
                Requirement(), VoiceRequirement(first_audio_within=0.6, turns=1), Script(turns=1),
                url=orchestrator.url, opened=opened,
            )  # fmt: skip

    # The answer comes 0.7 s after the end of the speech, in the middle of what the loop slept through.
    held = run_virtual(main())
    due = held.turns[0].audio_at
    assert 8.2 - 6.0 < due < 8.4
    assert held.verdict.outcome is Outcome.INCONCLUSIVE
    assert [doubt.reason for doubt in held.verdict.doubts] == [Reason.LOOP_LAG]


def test_the_assertions_have_the_words_of_the_marker():
    """Each says the same as the keyword."""
    held = spoken(asked={"turns": 3}, script={"barge_ins": 0.5})

    held.assert_turns(3)
    held.assert_first_audio(within="700ms")
    held.assert_barge_in(within="300ms")
    held.assert_transcripts()
    held.assert_underruns(at_most=0)
    held.assert_audio_intact()
    held.assert_voice(turns=3, ahead_max="10s")
    held.assert_alive_for("2m")
    with pytest.raises(ValueError, match=r"^assert_first_audio: give p95=, within=, or both$"):
        held.assert_first_audio()
    with pytest.raises(ValueError, match=r"^wav: the agent's audio was not kept; run with --ws-keep"):
        held.wav()
    with pytest.raises(VoiceError, match=r"^inconclusive: 3 of 4 turns answered in 120 s \[client end\]"):
        held.assert_turns(4)
    assert held.judgement.verdict.outcome is Outcome.INCONCLUSIVE


def test_a_failure_survives_pickling_and_can_be_told_whole():
    """As workers of pytest-xdist need it."""
    held = spoken(asked={"turns": 6, "first_audio_within": "800ms"}, ai=Stage("350ms", faults=Slow("2s")))
    with pytest.raises(StabilityError) as caught:
        held.assert_stable()
    again = pickle.loads(pickle.dumps(caught.value))

    assert isinstance(again, VoiceError)
    assert str(again) == str(caught.value)
    assert "and 2 more turns" in str(again)
    again.retell(again.verdict, whole=True, more=["  test      here"])
    assert "and 2 more turns" not in str(again)
    assert str(again).endswith("  test      here")


@pytest.mark.parametrize(
    ("requirement", "script", "message"),
    [
        ({}, {}, r"^turns: how many\? without alive_for nothing else ends the conversation$"),
        ({"alive_for": 60.0}, {"reconnect_in": 1}, r"^reconnect_in: the connection is lost on purpose"),
        ({}, {"turns": 2, "reconnect_in": 3}, r"^reconnect_in: 3 is beyond the last of 2 turns$"),
    ],
)
def test_conversations_without_an_end(requirement, script, message):
    async def main():
        await hold_call(
            Requirement(**requirement), VoiceRequirement(), Script(**script), url="ws://127.0.0.1:9/"
        )

    with pytest.raises(ValueError, match=message):
        run_virtual(main())


def test_a_protocol_without_audio():
    async def main():
        await hold_call(
            Requirement(), VoiceRequirement(), Script(turns=1), url="ws://127.0.0.1:9/", profile="mqtt"
        )

    with pytest.raises(ValueError, match=r"^profile: 'mqtt' has no audio; valid ones: "):
        run_virtual(main())


@pytest.mark.parametrize(
    ("profile", "asked", "message"),
    [
        (
            "twilio",
            {"transcripts": True},
            r"^transcripts: the profile 'twilio' has no final transcript",
        ),
        (
            "deepgram",
            {"underruns": 0},
            r"^underruns: the server of the profile 'deepgram' only transcribes",
        ),
        ("deepgram", {"barge_in_within": 1}, r"^barge_in_within: the server of the profile 'deepgram'"),
    ],
)
def test_what_a_protocol_does_not_have_cannot_be_asked(profile, asked, message):
    """Before anything opens, and by the assertions."""

    async def main():
        await hold_call(
            Requirement(), VoiceRequirement(**asked), Script(turns=1), url="ws://127.0.0.1:9/",
            profile=profile,
        )  # fmt: skip

    with pytest.raises(ValueError, match=message):
        run_virtual(main())
    held = spoken(asked={"turns": 1}, profile=profile, held={})
    with pytest.raises(ValueError, match=message):
        held.assert_voice(**asked)


def raising(values):
    raise KeyError("no")


def with_functions(**messages):
    return JSON.replace(name="ours", audio=dataclasses.replace(JSON.audio, **messages))


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"speech": Codec(RAW.read, raising)}, "speech: write raised KeyError('no') for "),
        ({"speech_end": Codec(bool, raising)}, "speech_end: write raised KeyError('no') for "),
    ],
)
def test_a_function_that_raises_blames_no_agent(message, said):
    """What was not said for it was not answered; and nobody waits for ever."""
    held = spoken(profile=with_functions(**message), held={"alive_for": "1m"}, known=False)

    assert (held.verdict.outcome, held.verdict.doubts[0].reason) == (Outcome.INCONCLUSIVE, Reason.PROFILE)
    assert held.verdict.doubts[0].text.startswith(said)


def test_an_end_is_one_though_a_function_raised():
    """Whoever closes says so; what nobody answered before is not blamed."""
    server, ours = (
        {"faults": [("15s", faults.CloseWith(1011))]},
        with_functions(speech=Codec(RAW.read, raising)),
    )
    found = spoken(profile=ours, held={}, asked={"turns": 2}, known=False, server=server).verdict

    assert (found.outcome, found.violations[0].rule) == (Outcome.UNSTABLE, Rule.ALIVE)


def test_a_function_that_holds_speech_back_sends_it_in_larger_messages():
    """AssemblyAI takes no less than 50 ms at once; it is called for each frame, also for the same ones."""
    kept, sizes = [], []

    def write(values):
        kept.append(values["audio"])
        if len(kept) < 5:
            return None
        sizes.append(len(b"".join(kept)))
        message = b"".join(kept)
        kept.clear()
        return message

    held = spoken(profile=with_functions(speech=Codec(RAW.read, write), endpointing=True), asked={"turns": 2})

    assert held.verdict.outcome is Outcome.STABLE
    assert set(sizes) == {3200}
    assert held.summary.frames == pytest.approx(5 * len(sizes), abs=5)


@pytest.mark.parametrize("field", ["final", "answer_started", "answer_sent", "interrupted"])
def test_what_a_function_does_not_say_of_an_answer_is_left_out(field):
    """The turn goes on without it."""
    ours = with_functions(**{field: Codec(lambda message: None, lambda values: None)})

    assert spoken(profile=ours, asked={"turns": 2}).verdict.outcome is Outcome.STABLE


@pytest.mark.parametrize("field", ["token", "answer_started", "answer_sent", "interrupted"])
def test_what_a_function_of_an_answer_raises_is_raised_when_the_server_stops(field):
    """Wherever it is called: in a timer, in the agent's task, or while the user is heard."""
    ours = with_functions(**{field: Codec(lambda message: None, raising)})

    with pytest.raises(Unwritable, match=rf"^{field}: write raised KeyError\('no'\) for "):
        spoken(profile=ours, asked={"turns": 2})


@pytest.mark.parametrize(
    ("messages", "end"),
    [({"speech": RAW.read}, "client"), ({"ask": bool}, "client"), ({"partial": bool}, "server")],
)
def test_what_can_only_be_read_cannot_be_sent(messages, end):
    """What neither end sends by itself may be."""
    (name,) = messages
    wrong = rf"profile 'ours': {name} can only be read, and the {end} has to send it: give {name}=Codec\("
    with pytest.raises(ValueError, match=wrong):
        spoken(profile=with_functions(**messages), asked={"turns": 1})

    assert spoken(profile=with_functions(tool_call=bool), asked={"turns": 1}).turns


def test_ten_callers_of_one_agent():
    """Each has a session, turns and audio of its own, and none waits for another."""
    asked = VoiceRequirement(turns=3, first_audio_within=0.8, underruns=0, transcripts=True)

    async def main():
        async with Orchestrator(voice=Pipeline()) as orchestrator:
            held = await asyncio.gather(
                *[
                    hold_call(
                        Requirement(), asked, Script(turns=3, seed=seed, barge_ins=0.3),
                        url=orchestrator.url, orchestrator=orchestrator,
                    )
                    for seed in range(10)
                ]
            )  # fmt: skip
            return held, [orchestrator.agent_record(each.connection) for each in orchestrator.sessions]

    held, records = run_virtual(main())

    assert [each.verdict.outcome for each in held] == [Outcome.STABLE] * 10
    assert [[turn.number for turn in record.turns] for record in records] == [[1, 2, 3]] * 10
    assert len({each.turns[1].speech_from for each in held}) == 10

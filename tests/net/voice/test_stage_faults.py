"""Each fault of a stage: red with its cause, as both ends and as the caller alone see it; and controls."""

import pytest

from pytest_wsstability import Blame, Cause, Confidence, Outcome, faults
from pytest_wsstability.voice import (
    BlocksLoop,
    BlocksReading,
    Crashes,
    DropsAudio,
    Floods,
    LosesContext,
    MixesSessions,
    Pipeline,
    ReordersAudio,
    Slow,
    Stage,
    Stalled,
)
from tests.net.voice.calls import spoken

SLOW, STALLED, BROKE_OFF = Cause.STAGE_SLOW, Cause.STAGE_STALLED, Cause.TURN_BROKE_OFF
# A path on which a flood of audio takes its time, and speech at twice real time (88 kB/s) does not.
NARROW = {"faults": [("0s", faults.Bandwidth(100_000))]}


def stt(*broken, **stage):
    return {"stt": Stage("150ms", faults=broken, **stage)}


def ai(*broken, **stage):
    return {"ai": Stage("350ms", faults=broken, **stage)}


def tts(*broken, **stage):
    return {"tts": Stage("200ms", faults=broken, **stage)}


CASES = {
    "slow stt": (stt(Slow("2s", turn=3)), SLOW, "the stt stage is slow: 2.15 s", SLOW),
    "slow ai": (ai(Slow("2s", turn=3)), SLOW, "the ai stage is slow: 2.35 s", SLOW),
    "slow tts": (tts(Slow("2s", turn=3)), SLOW, "the tts stage is slow: 2.2 s", SLOW),
    "speech slower than real time": (
        tts(rate=0.8), SLOW, "the tts stage is slower than real time", SLOW,
    ),
    "stalled stt": (stt(Stalled(turn=3)), STALLED, "the stt stage gives no result", STALLED),
    "stalled ai": (ai(Stalled(turn=3)), STALLED, "the ai stage gives no result", STALLED),
    "stalled tts": (tts(Stalled(turn=3)), STALLED, "the tts stage gives no result", STALLED),
    # The caller alone cannot tell a stage that raised from one that stalls, and says so.
    "ai crashes": (ai(Crashes(turn=3)), BROKE_OFF, "the ai stage raised in turn 3", STALLED),
    "tts crashes in the middle": (
        tts(Crashes("1s", turn=3)), BROKE_OFF, "the answer broke off in turn 3", BROKE_OFF,
    ),
    "tts crashes, and closes": (
        tts(Crashes("1s", turn=3, closes=True)), Cause.HANDLER_ERROR, "the server's handler raised an error",
        Cause.HANDLER_ERROR,
    ),
    "audio of others": (
        tts(MixesSessions(turn=3)), Cause.AUDIO_OF_OTHERS, "audio of another session", Cause.AUDIO_OF_OTHERS,
    ),
    "audio is dropped": (
        tts(DropsAudio(turn=3)), Cause.AUDIO_LOST, "the agent lost 5 chunks of audio", Cause.AUDIO_LOST,
    ),
    "audio is reordered": (
        tts(ReordersAudio(turn=3)), Cause.AUDIO_REORDERED, "audio out of order", Cause.AUDIO_REORDERED,
    ),
}  # fmt: skip


@pytest.mark.parametrize("known", [True, False], ids=["both ends", "the caller alone"])
@pytest.mark.parametrize("name", CASES)
def test_a_fault_ends_in_its_own_cause(name, known):
    """The agent is to blame, and not the path."""
    stages, cause, headline, alone = CASES[name]
    found = spoken(known=known, **stages).verdict

    assert found.outcome is Outcome.UNSTABLE
    assert found.diagnosis.cause is (cause if known else alone)
    assert found.diagnosis.blame is Blame.SERVER
    assert found.headline.startswith(f"{headline} (") or not known


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(
    ("stages", "headline"),
    [
        # More than the others together, and just not.
        ({"stt": "300ms", "ai": "510ms", "tts": "200ms"}, "the ai stage is slow: 510 ms"),
        ({"stt": "300ms", "ai": "490ms", "tts": "200ms"}, "the pipeline is slow: 990 ms"),
        ({"stt": "400ms", "ai": "400ms", "tts": "200ms"}, "the pipeline is slow: 1 s"),
    ],
)
def test_no_stage_is_blamed_that_is_as_slow_as_another(stages, headline, known):
    """All of them together are too slow then, and each is shown."""
    found = spoken(known=known, pipeline=Pipeline(**stages)).verdict

    assert found.diagnosis.cause is SLOW
    assert found.headline.startswith(f"{headline} (")
    shown = ", ".join(f"{name} {each.removesuffix('ms')} ms" for name, each in stages.items())
    assert found.diagnosis.sentence.endswith(f": {shown}")


def test_the_healthy_control_is_green():
    """The same conversation without a fault, with all that is asked."""
    held = spoken()

    assert held.verdict.outcome is Outcome.STABLE
    assert len(held.turns) == 6
    assert held.verdict.horizon >= 120


@pytest.mark.parametrize("profile", ["openai-realtime", "deepgram-agent", "elevenlabs", "twilio", "pipecat"])
@pytest.mark.parametrize(
    ("fault", "headline"),
    [
        (DropsAudio(turn=2), "the agent lost 4 chunks of audio"),
        (ReordersAudio(turn=2), "audio out of order"),
    ],
)
def test_audio_without_numbers_is_told_by_the_agents_record(profile, fault, headline):
    """A caller alone cannot: what it hears is whole."""
    options = {"profile": profile, "asked": {"turns": 3}, "held": {}, "script": {}, "answer": ("2s", "2s")}
    options |= tts(fault)

    assert spoken(known=True, **options).verdict.headline.startswith(headline)
    assert spoken(known=False, **options).verdict.outcome is Outcome.STABLE


def test_a_crash_that_the_caller_alone_sees_may_be_a_stall():
    """And the experiment that tells the two apart is named."""
    found = spoken(known=False, **ai(Crashes(turn=3))).verdict.diagnosis

    assert (found.cause, found.runner_up) == (STALLED, BROKE_OFF)
    assert found.experiment == "look at the agent's log: a stage that raised has a traceback there"


@pytest.mark.parametrize("silence", ["sent", "withheld"])
def test_an_agent_that_cannot_hear_the_end_of_the_speech(silence):
    """It waits for silence, of which nothing is sent: that is the caller's doing."""
    asked, pipeline = {"turns": 1}, Pipeline(vad_stop="1h")
    script = {"silence": silence, "answer_within": "5s"}
    found = spoken(
        known=False, held={}, asked=asked, script=script, profile="twilio", pipeline=pipeline
    ).verdict

    assert found.diagnosis.cause is STALLED
    assert found.diagnosis.blame is (Blame.CLIENT if silence == "withheld" else Blame.SERVER)
    assert ("withheld the silence" in found.diagnosis.sentence) is (silence == "withheld")


# The two that kill connections.


def test_a_handler_that_awaits_and_does_not_read():
    """Heartbeats stay unanswered; the agent's record says which stage it awaited."""
    found = spoken(**ai(BlocksReading("25s", turn=3))).verdict

    assert found.diagnosis.cause is Cause.PEER_NOT_READING
    assert found.headline.startswith("the agent does not read while its ai stage works (")
    assert "call receive() in a task of its own" in found.diagnosis.remedy


def test_a_handler_that_does_not_read_dies_of_its_own_keepalive():
    """Pings each 10 s, and a pong that is never read: the server ends a healthy client's connection."""
    held = spoken(
        server={"ping_interval": "10s", "read_deadline": "25s"}, held={"alive_for": "2m"}, asked={"turns": 6},
        script={"answer_within": "60s"}, **ai(BlocksReading("70s", turn=3)),
    )  # fmt: skip
    found = held.verdict

    assert found.violations[0].headline.startswith("1006 at ")
    assert found.diagnosis.cause is Cause.PEER_NOT_READING
    assert "its own keepalive then ended the connection" in found.diagnosis.sentence


def test_a_stage_that_blocks_the_event_loop():
    """Nothing is done meanwhile, no ping answered."""
    found = spoken(**ai(BlocksLoop("9s", turn=3))).verdict

    assert found.diagnosis.cause is Cause.PEER_FROZEN
    assert found.headline.startswith("the ai stage blocks the agent's event loop (")


@pytest.mark.parametrize("fault", [BlocksReading("25s", turn=3), BlocksLoop("25s", turn=3)])
def test_the_caller_alone_sees_that_nothing_was_answered(fault):
    """Neither the speech nor the heartbeats; it cannot tell the two apart, and says so."""
    found = spoken(known=False, **ai(fault)).verdict

    assert found.outcome is Outcome.UNSTABLE
    assert found.violations[0].rule.value == "heartbeats answered"
    assert found.headline.startswith("the agent does not read while it works in turn 3 (")
    assert found.diagnosis.confidence is Confidence.MEDIUM
    assert found.diagnosis.runner_up is Cause.PEER_FROZEN


@pytest.mark.parametrize("at", ["12s", "14s", "16s", "18s", "20s"])
def test_a_path_that_dies_is_no_handler_that_does_not_read(at):
    """Whether the user speaks, waits or listens: nothing came after the end of the speech."""
    held = spoken(known=False, server={"faults": [(at, faults.Blackhole())]})

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.diagnosis.cause is not Cause.PEER_NOT_READING


# Floods hurt where the path is narrow: what is behind them waits.


def test_a_flood_of_audio_on_a_narrow_path():
    """Heartbeats wait behind a minute of audio, and a barge-in cannot take it back."""
    held = spoken(server=NARROW, **tts(Floods("60s", turn=1)))

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.diagnosis.cause is Cause.AUDIO_FLOOD
    assert held.verdict.diagnosis.remedy.startswith("pace text to speech at twice real time")


def test_a_narrow_path_is_no_flood():
    """The same path carries speech at twice real time."""
    assert spoken(server=NARROW, asked={"turns": 6, "transcripts": True}).verdict.outcome is Outcome.STABLE


def test_audio_far_ahead_can_be_forbidden_on_any_path():
    """A phone has to keep it."""
    asked = {"turns": 2, "ahead_max": "20s"}

    assert spoken(asked=asked).verdict.outcome is Outcome.STABLE
    found = spoken(asked=asked, script={}, **tts(Floods("60s"))).verdict
    assert found.outcome is Outcome.UNSTABLE
    assert found.diagnosis.cause is Cause.AUDIO_FLOOD


# After a reconnect.


def test_context_that_is_lost_at_a_reconnect():
    """Told by the numbers of turns and chunks, and by the agent's own record."""
    asked, script = {"turns": 4}, {"reconnect_in": 3}
    for known in (True, False):
        found = spoken(
            asked=asked, script=script, held={}, known=known, ai=Stage("350ms", faults=LosesContext())
        ).verdict
        assert found.diagnosis.cause is Cause.CONTEXT_LOST
    assert spoken(asked=asked, script=script, held={}).verdict.outcome is Outcome.STABLE


# Told apart from causes of the network.


def stalled(seconds):
    return {"faults": [("12s", faults.Stall(seconds))]}


LONG = {"answer": ("8s", "9s"), "tts": Stage("200ms", rate=1.02)}


@pytest.mark.parametrize("known", [True, False])
def test_a_path_that_stands_still_is_no_slow_pipeline(known):
    """The player runs dry, and the heartbeat that was under way is as late."""
    held = spoken(
        known=known, server=stalled("3s"), asked={"turns": 6, "underruns": 0}, script={},
        held={"alive_for": "2m", "heartbeat_every": "1s", "heartbeat_within": "900ms",
              "heartbeat_missed_max": 20}, **LONG,
    )  # fmt: skip

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.violations[0].rule.value == "no underrun"
    assert held.verdict.diagnosis.cause is Cause.PATH_STALLED
    assert held.verdict.diagnosis.blame is Blame.PATH


def test_a_dead_path_is_none_of_the_agents_causes():
    """The connection's own table says it."""
    held = spoken(server={"faults": [("12s", faults.Blackhole())]})

    assert held.verdict.outcome is Outcome.UNSTABLE
    assert held.verdict.diagnosis.blame in (Blame.PATH, Blame.NOBODY)


def test_a_connection_that_is_dropped_in_mid_turn_is_no_crash():
    """1006, and a cause of the connection."""
    held = spoken(server={"faults": [("12s", faults.Drop())]})

    assert held.verdict.violations[0].headline.startswith("1006 at 12 s")
    assert held.verdict.diagnosis.cause is Cause.INJECTED_FAULT

"""The rows of an agent that does not read while it works."""

from __future__ import annotations

from ..cause import Cause, Confidence
from ..judge.verdict import Rule
from .row import SPEED, VoiceRow

# What such an agent breaks.
_OF_READING = SPEED | {Rule.HEARTBEATS}

NOT_READING = (
    VoiceRow(
        cause=Cause.PEER_FROZEN,
        shows="the agent's record: a stage kept the event loop",
        when=lambda f: f.run is not None and f.run.kept_loop > 0,
        sentence="the {stage} stage kept the agent's event loop for {kept_loop}{turn}: nothing else was "
        "done, and no ping answered",
        headline="the {stage} stage blocks the agent's event loop",
        remedy="run the stage in a thread or a process of its own (asyncio.to_thread)",
    ),
    VoiceRow(
        cause=Cause.PEER_NOT_READING,
        shows="the agent's record: nobody read while a stage was awaited",
        when=lambda f: f.run is not None and f.run.not_reading > 0,
        sentence="the agent awaits its {stage} stage for {not_reading}{turn} and does not read: heartbeats "
        "and pongs wait unread{then_ended}",
        headline="the agent does not read while its {stage} stage works",
        remedy="call receive() in a task of its own, and hand the audio to the pipeline over a bounded "
        "queue; a longer ping timeout only hides it",
    ),
    VoiceRow(
        cause=Cause.PEER_NOT_READING,
        shows="the caller's record alone: heartbeats that were sent after the end of the speech wait as the "
        "turn does, though something came since",
        when=lambda f: f.agent is None and Rule.HEARTBEATS in f.rules and f.waits_with_beats,
        sentence="the agent answers neither the speech{turn} nor the heartbeats since: its handler awaits a "
        "stage and does not read, or its event loop stands still",
        headline="the agent does not read while it works{turn}",
        confidence=Confidence.MEDIUM,
        remedy="call receive() in a task of its own, and hand the audio to the pipeline over a bounded "
        "queue; run what computes in a thread (asyncio.to_thread)",
        runner_up=Cause.PEER_FROZEN,
        experiment="send ping frames too: a server whose handler awaits answers the first of them, one "
        "whose loop is blocked answers none",
    ),
    VoiceRow(
        cause=Cause.PEER_NOT_READING,
        shows="the caller's record alone: a heartbeat that was sent after the end of the speech was answered "
        "when audio had come for a while",
        when=lambda f: f.agent is None and bool(_OF_READING & f.rules) and f.overtaken is not None,
        sentence="the answer{overtaken_turn} was heard before a heartbeat was answered that had been sent "
        "before it: the agent's handler awaits the answer, and does not read meanwhile",
        headline="the agent does not read while it answers{overtaken_turn}",
        confidence=Confidence.MEDIUM,
        remedy="call receive() in a task of its own, and hand the audio to the pipeline over a bounded "
        "queue; answer in another task",
        runner_up=Cause.PATH_STALLED,
        experiment="send ping frames too: most servers answer those while their handler awaits something, "
        "and a path that stands still carries none",
    ),
    VoiceRow(
        cause=Cause.PEER_NOT_READING,
        shows="the caller's record alone: heartbeats that were sent after the end of the speech were "
        "answered right before anything came of the turn, and others were late in such turns alone",
        when=lambda f: f.agent is None and bool(_OF_READING & f.rules) and f.resumed is not None,
        sentence="what was sent after the end of the speech{resumed_turn} waited as long as the turn did, a "
        "heartbeat {late_beat}: the agent's handler awaits a stage and does not read meanwhile, or its event "
        "loop stands still",
        headline="the agent does not read while it works{resumed_turn}",
        confidence=Confidence.MEDIUM,
        remedy="call receive() in a task of its own, and hand the audio to the pipeline over a bounded "
        "queue; run what computes in a thread (asyncio.to_thread)",
        runner_up=Cause.PATH_STALLED,
        experiment="send ping frames too: most servers answer those while their handler awaits something, "
        "and a path that stands still carries none",
    ),
)

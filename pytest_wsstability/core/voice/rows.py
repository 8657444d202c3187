"""The table of causes of a spoken conversation, in the order in which it is read."""

from __future__ import annotations

from ..cause import Blame, Cause, Confidence
from ..judge.verdict import Rule
from .call import GOES_ON
from .features import FLOOD, VoiceFeatures
from .row import SPEED, VoiceRow
from .rows_reading import NOT_READING

HIGH, MEDIUM = Confidence.HIGH, Confidence.MEDIUM
_AUDIO_WAITED_FOR = frozenset({Rule.TURNS, Rule.FIRST_AUDIO})
_WAITED_FOR = _AUDIO_WAITED_FOR | {Rule.TRANSCRIPTS}


def _flood_hurts(f: VoiceFeatures) -> bool:
    # What waits behind a flood is late: heartbeats, the end of the audio at a barge-in.
    if f.rule is Rule.AHEAD:
        return True
    return f.ahead >= FLOOD and (f.late_beat is not None or Rule.BARGE_IN in f.rules)


def _nothing_heard(f: VoiceFeatures) -> bool:
    waits = f.turn is not None and f.turn.audio_at is None and f.turn.speech_until is not None
    return waits and bool(_WAITED_FOR & f.rules) and not f.path_is_late


def _waits_for_tool(f: VoiceFeatures) -> bool:
    """Whether the last that came of a turn is the call of a tool, and no error was told."""
    turn = f.turn if _AUDIO_WAITED_FOR & f.rules and f.error is None else None
    if turn is None or turn.tool_at is None or turn.done_at is not None:
        return False
    return turn.audio_until is None or turn.audio_until <= turn.tool_at


def _has_no_end(f: VoiceFeatures) -> bool:
    return Rule.TURNS in f.rules and f.turn is not None and f.turn.audio_at is not None


def _goes_on(f: VoiceFeatures) -> bool:
    """Whether audio of an answer still came when the wait for its end was over."""
    if not _has_no_end(f) or f.turn is None or f.turn.given_up_at is None or f.turn.audio_until is None:
        return False
    return f.call.ends_by_quiet or f.turn.given_up_at - f.turn.audio_until <= GOES_ON


def _never_cleared(f: VoiceFeatures) -> bool:
    """Whether a player that waits for the agent's word was never told to stop."""
    turn = f.turn_of(Rule.BARGE_IN) if Rule.BARGE_IN in f.rules and f.call.plays_on else None
    return turn is not None and turn.done_at is None


def _never_transcribed(f: VoiceFeatures) -> bool:
    turn = f.turn_of(Rule.TRANSCRIPTS) if Rule.TRANSCRIPTS in f.rules else None
    return turn is not None and turn.audio_at is not None


def _forgot(f: VoiceFeatures) -> bool:
    known = f.record is not None and f.record.forgot is not None and Rule.AUDIO in f.rules
    anew = f.call.forgot_at is not None or f.call.down.numbers.repeats > 0
    return known or (bool(f.call.away) and anew)


def _overlaps(f: VoiceFeatures) -> bool:
    """Whether an answer that was not broken off ran into the next turns, before any audio was nobody's."""
    turn = f.turn_of(Rule.BARGE_IN) if Rule.BARGE_IN in f.rules else None
    cut, wrong = (turn.barged_in_at if turn is not None else None), (f.call.stray_at, f.call.forgot_at)
    return cut is not None and cut < min((at for at in wrong if at is not None), default=cut)


ROWS = (
    VoiceRow(
        cause=Cause.AUDIO_OF_OTHERS,
        shows="audio that names another session",
        when=lambda f: f.call.foreign_chunks > 0,
        sentence="the agent sent the audio of session {whose}: {foreign}",
        headline="audio of another session",
        remedy="look at how the agent finds the connection of a session: a global, a variable of a loop, a "
        "dictionary that a reconnect did not update",
    ),
    VoiceRow(
        cause=Cause.AUDIO_UNREADABLE,
        shows="a message that is audio by its type, and has no base64, no whole samples, a file (WAV, MP3, "
        "WebM) or nothing in it",
        when=lambda f: bool(f.call.malformed),
        sentence="the agent sent audio that is none: {malformed}",
        headline="audio that cannot be read",
        remedy="compare encoding, sample width and rate with what the profile says",
    ),
    VoiceRow(
        cause=Cause.CONTEXT_LOST,
        shows="after a reconnect the agent counts turns or chunks anew, or its record says that it forgot",
        when=_forgot,
        sentence="the session came back, and the agent had forgotten the conversation: it counts anew",
        headline="the conversation was forgotten at a reconnect",
        remedy="keep the model's context by session and not by connection, and take it up again when the "
        "session is confirmed",
    ),
    VoiceRow(
        cause=Cause.AUDIO_LOST,
        shows="numbers of audio chunks that never came; or, where they have none, the agent's record",
        when=lambda f: f.call.lost_chunks > 0,
        sentence="{lost} never came; TCP loses none, so the agent did",
        headline="the agent lost {lost}",
        remedy="look for a queue that throws away what is too much, and for chunks that are skipped when a "
        "task is late",
    ),
    VoiceRow(
        cause=Cause.AUDIO_REORDERED,
        shows="audio chunks with a lower number than one that came before; or, where they have none, the "
        "agent's record",
        when=lambda f: f.call.reordered_chunks > 0,
        sentence="{reordered} came behind a later one; TCP keeps the order, so the agent did not",
        headline="audio out of order",
        remedy="send the chunks of an answer from one task, or from one queue",
    ),
    VoiceRow(
        cause=Cause.AUDIO_TWICE,
        shows="numbers of audio chunks that came again, an answer of which each chunk came twice in a row, "
        "or two answers or more behind which the same was said once more",
        when=lambda f: f.call.repeated_chunks[0] > 0,
        sentence="{repeated} came twice{repeated_since}: TCP repeats none, so the agent did",
        headline="audio was sent twice",
        remedy="look for two tasks that send the same answer: one that a connection before left behind, or "
        "one more listener for each turn",
    ),
    VoiceRow(
        cause=Cause.AUDIO_AFTER_END,
        shows="audio that came when no answer was under way",
        when=lambda f: f.call.stray_chunks > 0 and not _overlaps(f),
        sentence="{stray} came outside of any answer, the first at {stray_at}",
        headline="audio behind the end of its turn",
        remedy="say that the turn is over after its last chunk, and cancel the answer's task before",
    ),
    VoiceRow(
        cause=Cause.AUDIO_AFTER_END,
        shows="a number of a turn that an earlier turn had, on the same connection",
        when=lambda f: f.call.forgot_at is not None and not _overlaps(f),
        sentence="at {anew_at} the agent gave a turn a number that an earlier one had: what is said of an "
        "answer comes when it is over, or the agent counts anew",
        headline="the number of an earlier turn at {anew_at}",
        confidence=MEDIUM,
        remedy="take the number of a turn when its answer begins, and keep it to its end; cancel the "
        "answer's task before the next one begins",
        runner_up=Cause.CONTEXT_LOST,
        experiment="listen to it (--ws-keep-audio): an agent that has forgotten begins again",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="an answer of silence only, where others can be heard",
        when=lambda f: bool(f.call.silent_turns),
        sentence="the answer{silent_turn} is silence only, where others can be heard: the tts stage made no "
        "speech of it",
        headline="an answer of silence only{silent_turn}",
        remedy="see in the agent's log which text the tts stage was given, and what it gave; compare its "
        "encoding with the profile's",
    ),
    *NOT_READING,
    VoiceRow(
        cause=Cause.NOT_INTERRUPTED,
        shows="audio was heard after the user spoke over it, in a protocol whose player goes on until the "
        "agent says so, and it never did",
        when=_never_cleared,
        sentence="the agent was heard for {stop} after the user spoke over it{interrupted_turn}, and never "
        "told the player to throw away what it had",
        headline="the player was never told to stop",
        remedy="say it as soon as speech begins (Twilio: clear): not to send any more is not enough",
    ),
    VoiceRow(
        cause=Cause.AUDIO_FLOOD,
        shows=f"{FLOOD:g} s of audio or more ahead of real time, and what waits behind it is late",
        when=_flood_hurts,
        sentence="the agent sent {ahead} of audio ahead of its time: heartbeats wait behind it, and a "
        "barge-in cannot take it back",
        headline="audio is sent {ahead} ahead of its time",
        remedy="pace text to speech at twice real time (pipecat does), and stay a few seconds ahead at most",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="a call of a tool, and nothing of the turn since",
        when=_waits_for_tool,
        sentence="the agent called a tool{turn}, and nothing came of it: the caller, who is the client here, "
        "answers no tools, and nobody else did",
        headline="a tool was called{turn}, and nobody answered",
        blame=Blame.CLIENT,
        confidence=MEDIUM,
        remedy="give the model no tools in this test, or speak to a server of yours that answers them; if it "
        "does, give each tool a timeout there",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="look at the agent's log: a tool that raised has a traceback there",
    ),
    VoiceRow(
        cause=Cause.TURN_GOES_ON,
        shows="audio still came when the wait for the end of the answer was over, or was still played where "
        "quiet alone ends it, and no player ran dry",
        when=lambda f: _goes_on(f) and Rule.UNDERRUNS not in f.rules,
        sentence="the answer{turn} went on when its end was waited for no longer: {audio} of audio had come",
        headline="the answer went on for too long{turn}",
        confidence=MEDIUM,
        remedy="give answers a limit in the agent; or wait for them for longer (answer_within), if they may "
        "be so long",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="double answer_within: an answer that only is long comes to its end",
    ),
    VoiceRow(
        cause=Cause.TURN_BROKE_OFF,
        shows="audio came, and neither more of it nor the end of the turn; the connection lives",
        when=lambda f: _has_no_end(f) and not _goes_on(f),
        sentence="the answer broke off{turn} after {audio} of audio: no more came, and no end of the "
        "turn{raised}",
        headline="the answer broke off{turn}",
        remedy="see the agent's traceback: await the task of a turn, and end the turn in its finally",
    ),
    VoiceRow(
        cause=Cause.TURN_BROKE_OFF,
        shows="the agent's record: a stage raised; the connection lives",
        when=lambda f: f.run is not None and f.run.crashed,
        sentence="the {stage} stage raised{turn}, and nobody told the user",
        headline="the {stage} stage raised{turn}",
        remedy="see the agent's traceback: await the task of a turn, and end the turn in its finally",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="a turn without audio, and an error message since it began",
        when=lambda f: _nothing_heard(f) and f.error is not None,
        sentence="the agent said {error!r} in the place of an answer{turn}",
        headline="an error message in the place of an answer{turn}",
        confidence=MEDIUM,
        remedy="see what the message asks for",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="look at the agent's log: a stage that raised has a traceback there",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="nothing came of a turn, in a protocol that does not say when speech has ended, and silence "
        "was withheld",
        when=lambda f: _nothing_heard(f) and f.waiting is None and not f.call.tells_end,
        sentence="nothing came of the speech{turn}: the protocol does not say that it has ended, and the "
        "caller withheld the silence by which it can be heard",
        headline="nobody said that the speech had ended",
        blame=Blame.CLIENT,
        confidence=MEDIUM,
        remedy='send silence (silence="sent"), or let the agent take a second without audio for the end',
        runner_up=Cause.TURN_BROKE_OFF,
        experiment='run it with silence="sent"',
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="a turn without audio while heartbeats are in time; the agent's record, or what of the turn "
        "came and what did not, says which stage was waited for",
        when=lambda f: _nothing_heard(f) and f.waiting is not None,
        sentence="the {waiting} stage gave no result{turn}, while the connection lived",
        headline="the {waiting} stage gives no result",
        remedy="give each stage a timeout, and say something when it runs out",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="look at the agent's log: a stage that raised has a traceback there",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="the caller's record alone: a turn that was ended, and of which nothing had come",
        when=lambda f: _nothing_heard(f) and f.turn is not None and f.turn.done_at is not None,
        sentence="the agent ended its answer{turn}, and nothing had come of it: a stage failed, or refused",
        headline="an answer without anything in it{turn}",
        confidence=MEDIUM,
        remedy="see in the agent's log, and in the message that ended the answer, why it did",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="look at the agent's log: a stage that raised has a traceback there",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="the caller's record alone: of a turn came transcripts that were not final, and nothing else",
        when=lambda f: _nothing_heard(f) and f.turn is not None and f.turn.transcript_at is not None,
        sentence="the speech{turn} was understood in part, and no final transcript came, nor anything else: "
        "the end of the speech was not noticed, or the stt stage stopped in the middle",
        headline="no final transcript of the speech{turn}, nor anything else",
        confidence=MEDIUM,
        remedy="see in the agent's log whether it noticed the end of the speech: how long its silence has to "
        "be, and whether the message that says so reached the service",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="look at the agent's log: a stage that raised has a traceback there",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="the caller's record alone: nothing came of a turn, neither transcript nor audio, while "
        "heartbeats are in time",
        when=_nothing_heard,
        sentence="nothing came of the speech{turn}, no transcript and no audio, while the connection lived: "
        "the first stage gave no result, or the end of the speech was not noticed",
        headline="nothing came of the speech{turn}",
        confidence=MEDIUM,
        remedy="give each stage a timeout; see in the agent's log whether it noticed the end of the speech",
        runner_up=Cause.TURN_BROKE_OFF,
        experiment="look at the agent's log: a stage that raised has a traceback there",
    ),
    VoiceRow(
        cause=Cause.PATH_STALLED,
        shows="heartbeats were late too, and the agent's stages, where its record is held, were not",
        when=lambda f: bool(SPEED & f.rules) and f.path_is_late,
        sentence="the way was late, and not the pipeline: a heartbeat took {late_beat}",
        headline="the path is late: a heartbeat took {late_beat}",
        blame=Blame.PATH,
        confidence=MEDIUM,
        remedy="look at the network between the user and the agent; let the player hold more audio before "
        "it begins",
        runner_up=Cause.PEER_FROZEN,
        experiment="send ping frames beside the heartbeats, and look at TCP_INFO (Linux, real time): a "
        "blocked agent acknowledges, a path that stands still does not",
    ),
    VoiceRow(
        cause=Cause.NOT_INTERRUPTED,
        shows="audio went on after the user spoke over it, while heartbeats were in time",
        when=lambda f: Rule.BARGE_IN in f.rules,
        sentence="the agent spoke on for {stop} after the user spoke over it{interrupted_turn}",
        headline="the agent speaks on while the user speaks",
        remedy="listen while you speak: cancel the answer's task when speech begins, and drop what is queued",
    ),
    VoiceRow(
        cause=Cause.STAGE_SLOW,
        shows="a player ran dry while heartbeats were in time, and one silence was as long as the others of "
        "the turn together",
        when=lambda f: Rule.UNDERRUNS in f.rules and f.pause is not None,
        sentence="a player had nothing for {pause} in the middle of the answer{dry_turn}: something was "
        "awaited there, such as a tool or the next sentence",
        headline="the answer paused for {pause}{dry_turn}",
        confidence=MEDIUM,
        remedy="look at what the agent awaits in the middle of an answer: make it sooner, say something "
        "meanwhile, or end the turn before it",
    ),
    VoiceRow(
        cause=Cause.STAGE_SLOW,
        shows="the caller's record alone: a player ran dry again and again, at the very pace of audio of a "
        "lower rate that is sent in real time",
        when=lambda f: Rule.UNDERRUNS in f.rules and f.agent is None and f.other_rate is not None,
        sentence="speech is made more slowly than it is played{dry_turn}{pace}; or it has {other_rate} "
        "samples a second, and not the {rate} of the profile",
        headline="the tts stage is slower than real time",
        confidence=MEDIUM,
        remedy="compare its rate with what the profile says; make speech faster than real time",
        runner_up=Cause.AUDIO_UNREADABLE,
        experiment="listen to it (--ws-keep-audio): a voice at a wrong rate is too high",
    ),
    VoiceRow(
        cause=Cause.STAGE_SLOW,
        shows="a player ran dry while heartbeats were in time",
        when=lambda f: Rule.UNDERRUNS in f.rules,
        sentence="speech is made more slowly than it is played{dry_turn}{pace}",
        headline="the tts stage is slower than real time",
        remedy="make speech faster than real time, or begin to send when the first seconds are made",
    ),
    VoiceRow(
        cause=Cause.STAGE_SLOW,
        shows="late first audio while heartbeats were in time, and a stage that took longer than the others "
        "together",
        when=lambda f: bool(_AUDIO_WAITED_FOR & f.rules) and f.slowest is not None,
        sentence="{slowest} took {slowest_time}{turn}: {stages}",
        headline="{slowest} is slow: {slowest_time}",
        remedy="stream between the stages, and begin to speak with the first sentence",
    ),
    VoiceRow(
        cause=Cause.STAGE_SLOW,
        shows="late first audio while heartbeats were in time, and no such stage, or no message that tells "
        "the stages apart",
        when=lambda f: Rule.FIRST_AUDIO in f.rules,
        sentence="the pipeline took {first_audio}{turn}, and {no_stage}",
        headline="the pipeline is slow: {first_audio}",
        confidence=MEDIUM,
        remedy="measure each stage in the agent's own log",
    ),
    VoiceRow(
        cause=Cause.STAGE_STALLED,
        shows="a turn that was answered, and no final transcript of it",
        when=_never_transcribed,
        sentence="the agent answered, and sent no final transcript of {untold}",
        headline="no final transcript of {untold}",
        confidence=MEDIUM,
        remedy="send one of each turn, also where its answer is broken off; a service may have to be asked "
        "for them (OpenAI: audio.input.transcription in session.update)",
    ),
)

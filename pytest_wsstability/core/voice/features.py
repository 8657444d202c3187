"""What the rows of a spoken conversation look at: the turn that failed, as both ends saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..call_summary import Turn
from ..judge.verdict import Rule, Verdict
from ..timeline.events import Direction
from ..timeline.timeline import Timeline
from .agent_record import AgentRecord, AgentTurn, StageRun
from .audio import RATES
from .call import Call
from .requirement import answered, waited
from .stage_faults import StageName
from .summary import turn_at

# A heartbeat that takes this much longer than it does else came late over the same thing as the audio.
LATE_BEAT = 0.25
# Seconds of audio ahead of real time from which on it is a flood: what players and browsers keep is less.
FLOOD = 20.0
# A stage that takes longer than people want all of them to take (0.8 s from voice to voice) is slow.
SLOW = 0.8
# The share of a turn's wait that a heartbeat waits with it at least which tells that neither was read.
_SHARE = 0.5
# Chunks from which a pace is told, and how near it has to be to that of another rate.
FEWEST_FOR_RATE, NEAR_RATE = 10, 0.02
# Sums of seconds are wrong by less than this.
_SAME = 1e-6


@dataclass(frozen=True, kw_only=True)
class VoiceFeatures:
    """A call that failed."""

    call: Call
    # What was broken first, and all of it.
    rule: Rule
    rules: frozenset[Rule]
    # The turn that shows it; None if there is none.
    turn: Turn | None
    # What the agent knows of that turn; None where nobody asked it.
    agent: AgentTurn | None
    record: AgentRecord | None
    # The caller's end of the last connection, and the server's; None where it is not held.
    here: Timeline
    there: Timeline | None
    # The reading of the agent's clock at which the caller's instants begin.
    origin: float

    @property
    def slowest(self) -> StageName | None:
        """
        The stage that took longer in the turn than the others together.

        By the agent's record or else by what came when; None if there is none, and if nobody knows. Where no
        message tells the stages apart, what is left of the wait is theirs.

        """
        times = {name: seconds for name in StageName if (seconds := self.stage(name)) is not None}
        found = max(times, key=lambda name: times[name]) if times else None
        late = waited(self.turn) if self.turn is not None and self.agent is None else None
        whole = max(sum(times.values()), late or 0.0)
        return found if found is not None and 2 * times[found] > whole else None

    def turn_of(self, rule: Rule) -> Turn | None:
        """The turn that shows how a rule was broken, which need not be the one that was broken first."""
        return _turn(self.call, rule, self.here.duration)

    def stage(self, name: StageName) -> float | None:
        """How long a stage took, or takes until now; None where nobody knows."""
        if self.agent is not None:
            run = self.agent.stages.get(name)
            return None if run is None else run.seconds(self.origin + self.here.duration)
        turn = self.turn
        if turn is None or turn.speech_until is None:
            return None
        begins = {
            StageName.STT: turn.speech_until,
            StageName.AI: turn.final_at,
            StageName.TTS: turn.token_at,
        }[name]
        ends = {StageName.STT: turn.final_at, StageName.AI: turn.token_at, StageName.TTS: turn.audio_at}[name]
        return None if begins is None or ends is None else max(0.0, ends - begins)

    @property
    def run(self) -> StageRun | None:
        """The stage that kept the agent from everything else, or raised; None if none did."""
        runs = self.agent.stages.values() if self.agent is not None else ()
        return next((run for run in runs if run.crashed or run.not_reading or run.kept_loop), None)

    @property
    def run_name(self) -> str:
        """Which stage `run` is."""
        runs = self.agent.stages.items() if self.agent is not None else ()
        return next((name.value for name, run in runs if run is self.run), "a stage")

    @property
    def waiting(self) -> StageName | None:
        """The stage that has not given a result in the turn; None if all have that were begun."""
        if self.agent is not None:
            return next((name for name, run in self.agent.stages.items() if run.first is None), None)
        turn = self.turn
        if turn is None or turn.speech_until is None or turn.audio_at is not None:
            return None
        if turn.token_at is not None:
            return StageName.TTS
        return StageName.AI if turn.final_at is not None else None

    @property
    def late_beat(self) -> float | None:
        """The slowest heartbeat of the caller, if it is much slower than the usual one; None if none is."""
        if self.call.plays_on:
            # They are the agent's, and wait for its audio.
            return None
        trips = self.here.heartbeats
        slow = max(trips.rtts.maximum, 0.0) if trips.rtts.count else 0.0
        asked = trips.last_at
        if trips.awaits_last and asked is not None:
            slow = max(slow, self.here.duration - asked)
        return slow if slow >= LATE_BEAT else None

    @property
    def path_is_late(self) -> bool:
        """Whether the way was late, and the agent was not, as far as both are known."""
        if self.late_beat is None:
            return False
        stages = [self.stage(name) or 0.0 for name in StageName] if self.agent is not None else []
        return not any(seconds >= SLOW for seconds in stages)

    @property
    def waits_with_beats(self) -> bool:
        """
        Whether heartbeats that were sent after the end of the speech wait as the turn does.

        Something came since, so that the way was not dead by then.

        """
        turn = self.turn
        if turn is None or turn.speech_until is None or turn.audio_at is not None or self.call.away:
            return False
        came = self.here.duration - self.here.silent_for(Direction.RECEIVED)
        asked = [at for at in self.here.heartbeats.open if at >= turn.speech_until]
        return bool(asked) and came > turn.speech_until

    @property
    def overtaken(self) -> Turn | None:
        """
        The first turn whose audio came before the answer to a heartbeat that had been sent well before it.

        None if there is none: who reads answers the heartbeat first.

        """
        if self.call.away or self.call.plays_on:
            return None
        trips = self.here.heartbeats
        waits = [(at, at + seconds) for at, seconds in trips.rtts.slowest_above(LATE_BEAT)]
        # Who answers none at all may have read them.
        waits += [(at, self.here.duration) for at in trips.open if trips.answered]
        return next((turn for turn in self.call.turns if _overtakes(turn, waits)), None)

    @property
    def resumed(self) -> Turn | None:
        """
        The first turn of which something came as soon as a late heartbeat was answered.

        It was sent since the end of the speech, and no heartbeat was late but in turns that waited so: a way
        that stands still keeps no such hours. None if there is none.

        """
        if self.call.away or self.call.plays_on:
            return None
        turns = self.call.turns
        late = [(at, at + seconds) for at, seconds in self.here.heartbeats.rtts.slowest_above(LATE_BEAT)]
        if not all(any(_waited_with(turn, *each) for turn in turns) for each in late):
            return None
        most = (turn for turn in turns if any(_waited_with(turn, *each) >= _SHARE for each in late))
        return next(most, None)

    @property
    def beats_answered(self) -> bool:
        """Whether heartbeats came back while the turn waited: the connection and the agent's loop live."""
        return self.here.heartbeats.answered > 0 and self.late_beat is None and not self.call.plays_on

    @property
    def unknown(self) -> tuple[int, str] | None:
        """Messages of a turn without audio that are none of the protocol's, and the first; or None."""
        turn = self.turn
        return None if turn is None or turn.audio_at is not None else self.call.unknown.get(turn.number)

    @property
    def error(self) -> str | None:
        """What the agent said of an error since the turn began, by its profile or its words; or None."""
        turn = self.turn
        if turn is None or self.call.away:
            return None
        told = (text for at, text in self.here.errors if at >= turn.speech_from)
        return next(told, self.call.complaints.get(turn.number))

    @property
    def other_rate(self) -> int | None:
        """
        The rate of which the audio of the turn that ran dry seems to be, if it is not the protocol's own.

        Audio that is sent in real time and taken for a higher rate is too short for its time.

        """
        turn, down = self.turn_of(Rule.UNDERRUNS), self.call.down
        if turn is None or turn.audio_at is None or turn.audio_until is None or self.call.rate is None:
            return None
        # The last chunk plays as long as it took for each of them to come.
        chunks = turn.audio_seconds * down.chunks / down.seconds
        if round(chunks) < FEWEST_FOR_RATE or 2 * turn.underruns < FEWEST_FOR_RATE:
            return None
        came = (turn.audio_until - turn.audio_at) * chunks / (chunks - 1)
        found = turn.audio_seconds / came * self.call.rate
        lower = (rate for rate in RATES if rate < self.call.rate)
        return next((rate for rate in lower if abs(found / rate - 1) < NEAR_RATE), None)

    @property
    def pause(self) -> float | None:
        """
        The longest silence in the turn that ran dry, if it is as long as all others together.

        None where the turn ran dry again and again, as it does when all of its audio is made too slowly.

        """
        turn = self.turn_of(Rule.UNDERRUNS)
        if turn is None or turn.audio_at is None or turn.audio_until is None:
            return None
        dry = [each for each in self.call.playout.underruns if turn.audio_at <= each.at <= turn.audio_until]
        longest = max((each.seconds for each in dry), default=0.0)
        # Of many underruns the latest are not kept.
        is_most = 2 * longest >= turn.underrun_seconds - _SAME and len(dry) == turn.underruns
        return longest if is_most else None

    @property
    def ended(self) -> bool:
        """Whether the connection came to an end that nobody wished."""
        return self.here.close is not None and not self.here.close.planned

    @property
    def ahead(self) -> float:
        """The most seconds of audio that were ahead of real time, by the record that knows best."""
        turns = self.record.turns if self.record is not None else ()
        return max([self.call.playout.deepest, *(turn.ahead for turn in turns)])


def _overtakes(turn: Turn, waits: Sequence[tuple[float, float]]) -> bool:
    """Whether its audio came while a heartbeat waited that was sent since the end of the speech."""
    if turn.speech_until is None or turn.audio_at is None:
        return False
    before, after = turn.audio_at - LATE_BEAT, turn.audio_at + LATE_BEAT
    return any(turn.speech_until <= asked <= before and until >= after for asked, until in waits)


def _waited_with(turn: Turn, asked: float, until: float) -> float:
    """
    How much of its wait a heartbeat waited with it, as a share; 0 where that waited otherwise.

    With it waits what was sent since the end of its speech, and was answered when something came of it.

    """
    came = [at for at in (turn.transcript_at, turn.token_at, turn.audio_at) if at is not None]
    if turn.speech_until is None or not came:
        return 0.0
    since, reply = turn.speech_until, min(came)
    if asked < since or not reply - SLOW <= until <= reply + LATE_BEAT:
        return 0.0
    return (until - asked) / (reply - since)


def voice_features(
    call: Call, verdict: Verdict, record: AgentRecord | None, timelines: Sequence[Timeline], origin: float
) -> VoiceFeatures:
    """
    What there is to look at.

    Args:
        call: what the caller saw.
        verdict: with a violation.
        record: what the agent knows; None where nobody asked it.
        timelines: of the last connection: the caller's end, then the server's if it is held.
        origin: the reading of the clock at which the call began.

    """
    rule = verdict.violations[0].rule
    turn = _turn(call, rule, verdict.violations[0].at)
    there = next((each for each in timelines[1:] if each.end is not timelines[0].end), None)
    return VoiceFeatures(
        call=call,
        rule=rule,
        rules=frozenset(violation.rule for violation in verdict.violations),
        turn=turn,
        agent=_agent_turn(record, turn, origin),
        record=record,
        here=timelines[0],
        there=there,
        origin=origin,
    )


def _turn(call: Call, rule: Rule, at: float) -> Turn | None:
    turns = call.turns
    if not turns:
        return None
    if rule is Rule.FIRST_AUDIO:
        return max(turns, key=lambda turn: waited(turn) or 0.0)
    if rule is Rule.TURNS:
        return next((turn for turn in turns if not answered(call, turn)), turns[-1])
    if rule is Rule.UNDERRUNS:
        dry = max(turns, key=lambda turn: turn.underrun_seconds)
        # A player may have missed something of the greeting, which is no turn.
        return dry if dry.underruns else None
    if rule is Rule.BARGE_IN:
        return max(turns, key=lambda turn: turn.stop_latency or 0.0)
    if rule is Rule.TRANSCRIPTS:
        return next((turn for turn in turns if turn.final_at is None), turns[-1])
    return turn_at(turns, at)


def _agent_turn(record: AgentRecord | None, turn: Turn | None, origin: float) -> AgentTurn | None:
    """The agent's turn whose speech began last before the end of the user's."""
    if record is None or turn is None:
        return None
    until = origin + (turn.speech_until if turn.speech_until is not None else turn.speech_from + 1.0)
    since = origin + turn.speech_from
    found = [each for each in record.turns if since - 1.0 <= each.heard_from <= until]
    return found[-1] if found else None

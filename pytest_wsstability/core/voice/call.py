"""A spoken conversation as one end saw it: its turns, and the streams of both directions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from ..call_summary import Turn
from ..samples import Sample
from ..timeline.close_reasons import Topic, read_message, says_wrong, tells_of_trouble
from .agent_record import AgentTurn
from .answer_sound import AnswerSounds
from .playout import PREBUFFER, Playout
from .stream import HeardAudio, SentAudio
from .utterances import Utterances

# Messages that are no audio, and are kept.
_MALFORMED = 8
# Characters of a message that is read for what went wrong: what says so is short.
_READ = 500
# Topics of what agents say of an end of speech too ("silence_timeout"), which is no complaint.
_OF_SILENCE = frozenset({Topic.KEEPALIVE, Topic.IDLE, Topic.TIMEOUT})
# Seconds from which on audio behind an answer is a remark: the chunks that are left of it come sooner.
REMARKS_AFTER = 1.0
# Seconds between two chunks of an utterance that goes on.
_PAUSE = 0.5
# Seconds after a chunk and what it plays, and at most since it came, in which the next one follows without a
# pause: answers take longer to begin.
_SLACK, _RUNS_ON = 0.1, 0.25
# Seconds ahead of real time from which on it is another answer, which came meanwhile.
_BURST = 0.5
# Seconds for which silence is waited for as for a greeting, unless it has its end: who greets is heard before
# (a model's first words take 1 to 3 s), and a track sends silence for ever.
_SILENT_GREETING = 5.0
# Seconds after which audio of a remark may go on: agents send chunks of 2 s at most, and pause in between.
GOES_ON = 3.0


@dataclass(slots=True)
class Call:
    """
    The spoken conversation of one connection, in bounded memory but for one `Turn` each.

    The caller tells it what happened, in the order of the instants; a connection that was opened again
    goes on with the same call.

    """

    prebuffer: float = PREBUFFER
    # Whether the agent speaks, and does not only transcribe.
    answers: bool = True
    # Whether it sends final transcripts.
    transcribes: bool = True
    # Whether the end of the speech is told by a message, or by silence that goes out.
    tells_end: bool = True
    # Whether the player throws nothing away before the agent says so, whoever speaks over it.
    plays_on: bool = False
    # Whether an answer is whole when a player has had nothing to play for a while.
    ends_by_quiet: bool = False
    # Samples a second of the agent's audio, by the protocol; None where nobody says.
    rate: int | None = None
    said: Utterances = field(default_factory=Utterances)
    up: SentAudio = field(default_factory=SentAudio)
    down: HeardAudio = field(default_factory=HeardAudio)
    sounds: AnswerSounds = field(default_factory=AnswerSounds)
    # Round trips of heartbeats while audio flows either way, and while nobody speaks.
    rtt_speaking: Sample = field(default_factory=Sample)
    rtt_idle: Sample = field(default_factory=Sample)
    # Audio of the agent outside of any turn of its own: after it said that it is done.
    stray_chunks: int = 0
    stray_at: float | None = None
    # Audio of another session: how much, the first one's instant, and whose.
    foreign_chunks: int = 0
    foreign_at: float | None = None
    foreign_session: str | None = None
    # Connections after the first, as from when no connection was there until when one was.
    away: list[tuple[float, float]] = field(default_factory=list)
    # Where in `turns` the agent's own numbers went back: it has forgotten what was before.
    forgot_at: float | None = None
    # Chunks that the agent lost, and swapped, by its own record: told where they carry no numbers.
    dropped: int = 0
    swapped: int = 0
    # Messages that could not be read as the protocol's audio: how many, the first one's instant, and why not;
    # the first few.
    malformed_count: int = 0
    malformed_at: float | None = None
    malformed: list[str] = field(default_factory=list)
    # Messages that are none of the protocol's, by the number of the turn: how many, and what the first lacks.
    unknown: dict[int, tuple[int, str]] = field(default_factory=dict)
    # The first of them that speaks of what went wrong, by the number of the turn.
    complaints: dict[int, str] = field(default_factory=dict)
    playout: Playout = field(init=False)
    # Chunks of what the agent says unasked: nobody's, if it does not say that it has ended.
    _unended: int = field(init=False, default=0, repr=False)
    # Whether the agent said of an answer that it is whole well before a player had played it.
    _ends_early: bool = field(init=False, default=False, repr=False)
    # Whether the agent sends silence all the time: while the user speaks, too.
    _is_endless: bool = field(init=False, default=False, repr=False)
    # The last audio outside of any turn.
    _stray_until: float = field(init=False, default=0.0, repr=False)
    # The turn whose answer is whole because nothing is heard of it any more: more of it may come.
    _quiet: Turn | None = field(init=False, default=None, repr=False)
    # Until when audio follows without a pause on what went on after a barge-in, and seconds of that.
    _runs_until: float = field(init=False, default=0.0, repr=False)
    _ran_on: float = field(init=False, default=0.0, repr=False)
    # Whether final transcripts come while the user still speaks.
    _in_pieces: bool = field(init=False, default=False, repr=False)
    # The turn of which a final transcript had come, and then more that was not final: another one is due.
    _in_parts: Turn | None = field(init=False, default=None, repr=False)
    # When a player has played the last chunk that is no silence; None before the first.
    _sound_until: float | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self.playout = Playout(prebuffer=self.prebuffer)

    @property
    def turns(self) -> list[Turn]:
        """The turns, in their order."""
        return self.said.turns

    @property
    def turn(self) -> Turn | None:
        """The latest turn; None before the first."""
        return self.said.turn

    @property
    def greeting(self) -> Turn | None:
        """What the agent said before the first turn; None if it did not greet."""
        return self.said.greeting

    @property
    def greeting_until(self) -> float | None:
        """When a player has played what came of the greeting so far; None if the agent does not greet."""
        greeting, until = self.greeting, self.sound_until
        if greeting is None or self.turns:
            return None
        if greeting.played_until is None and until is not None and not self.sounds.any_heard:
            return min(until, greeting.speech_from + _SILENT_GREETING)
        return greeting.played_until or until

    def speech_began(self, at: float) -> Turn:
        """The user begins to speak: a new turn, and a barge-in where the agent still speaks."""
        said = self.said
        if said.remark is not None and self._has_stopped(said.remark, at):
            self._end_remark(said.remark, at)
        turn = said.latest
        if turn is not None and turn.audio_at is not None and self._speaks(turn, at):
            turn.barged_in_at, dry = at, self.sound_until
            if self._sound_until is not None and self._sound_until <= at:
                # Nothing was left but silence, or an end that was not said.
                turn.played_until = self._sound_until
            if self.plays_on:
                turn.audio_until = dry or turn.played_until
            else:
                self.playout.interrupt(at, until=turn.played_until)
        self.down.pause()
        self._unended, self._ran_on = 0, 0.0
        return said.begin_turn(at)

    def over(self, at: float) -> None:
        """The call or its connection is over: what is still being said unasked would have had its end."""
        remark = self.said.remark
        if remark is not None and remark.audio_until is not None and at - remark.audio_until > GOES_ON:
            self._end_remark(remark, at)

    def _has_stopped(self, remark: Turn, at: float) -> bool:
        """Whether no more comes of a remark: it was played, or its agent would have said its end long ago."""
        is_late = remark.audio_until is not None and at - remark.audio_until > GOES_ON
        return not self.playout.waiting(at) or (is_late and self._ends_early)

    def _end_remark(self, remark: Turn, at: float) -> None:
        """Nothing is heard of it any more: it is nobody's, unless its end was said."""
        if remark.done_at is None:
            self._count_strays(self._unended, remark.speech_from)
            remark.done_at = self.playout.finish(at)

    def _count_strays(self, chunks: int, at: float) -> None:
        if chunks:
            self.stray_chunks += chunks
            self.stray_at = at if self.stray_at is None else self.stray_at

    def _speaks(self, turn: Turn, at: float) -> bool:
        """Whether the agent is still heard: its answer is not whole, or is not played to its end."""
        return turn.done_at is None or (turn.played_until is not None and at < turn.played_until)

    def speech_ended(self, at: float) -> None:
        """The user has said what is to be said."""
        if (turn := self.turn) is not None:
            turn.speech_until = at
        self._end_spoken_over(at)

    def _end_spoken_over(self, at: float) -> None:
        """The user has spoken to the end over a remark that goes on: it is no answer to what was said."""
        remark = self.said.before
        if remark is None or remark is self.greeting or remark.number or remark.done_at is not None:
            return
        since, until = remark.barged_in_at, remark.audio_until
        if since is not None and until is not None and until - since >= REMARKS_AFTER and at - until < _PAUSE:
            self._count_strays(self._unended, since)
            self._unended = 0

    def sent(self, at: float, seconds: float, *, due: float, size: int = 0) -> None:
        """A chunk of the user's audio went out."""
        self.up.chunk(at, seconds, due=due, size=size)

    def transcript(self, at: float, *, final: bool, is_empty: bool = False) -> None:
        """The agent has sent what it understood, which may be no word."""
        turn = self._whose_transcript(final=final)
        if turn is None or (is_empty and turn is not self._in_parts):
            return
        turn.transcript_at = at if turn.transcript_at is None else turn.transcript_at
        if final:
            turn.final_at = at if turn.final_at is None else turn.final_at
        elif not is_empty and self._is_part(turn):
            turn.final_at, self._in_parts = None, turn

    def _whose_transcript(self, *, final: bool) -> Turn | None:
        """The latest turn's; a final one that is still due of the turn before, while the user speaks on."""
        turn, before = self.turn, self.said.before
        if not final or turn is None or turn.speech_until is not None:
            return turn
        if (
            before is not None
            and before.number
            and before.speech_until is not None
            and before.final_at is None
        ):
            is_cut = before.barged_in_at is not None and not self._in_pieces
            if is_cut or before is self._in_parts:
                return before
        self._in_pieces = True
        return turn

    def _is_part(self, turn: Turn) -> bool:
        """Whether its final transcript was one of a part, if words come now: before it was spoken."""
        return turn.final_at is not None and (turn.speech_until is None or turn.final_at < turn.speech_until)

    def token(self, at: float) -> None:
        """The agent has sent text of its answer."""
        if (turn := self.turn) is not None and turn.token_at is None:
            turn.token_at = at

    def tool_called(self, at: float) -> None:
        """The agent waits for the result of a tool."""
        self.token(at)
        if (turn := self.turn) is not None:
            turn.tool_at = at

    def audio(
        self,
        at: float,
        seconds: float,
        *,
        size: int = 0,
        sequence: int | None = None,
        timestamp: float | None = None,
        number: int | None = None,
        data: bytes = b"",
        silent: bool = False,
    ) -> None:
        """
        A chunk of the agent's audio came.

        Args:
            at: when.
            seconds: how long it plays.
            size: its bytes on the wire.
            sequence, timestamp: see `HeardAudio.chunk`.
            number: what the agent calls its turn.
            data: its samples.
            silent: whether nothing at all can be heard in them.

        """
        said = self.said
        if not self.sounds.any_heard:
            self._learn_silence(at, silent=silent)
        if silent and not self.is_answer(number):
            self._is_endless = self._is_endless or self._speaks_over_silence(at)
            self.down.chunk(at, seconds, size=size, sequence=sequence, timestamp=timestamp)
            if (mute := said.open(number)) is not None and mute.audio_at is None:
                self.sounds.chunk(mute.number, data, heard=False)
            return
        turn = self._whose(number, at)
        opens = turn is not None and turn.audio_at is None
        self.down.chunk(at, seconds, size=size, sequence=sequence, timestamp=timestamp, opens=opens)
        if turn is None:
            self._stray_until = at
            self._count_strays(1, at)
            return
        self._unended += turn is said.remark or turn is said.before
        is_heard = not (silent and self.sounds.any_heard)
        turn.audio_until = at if is_heard else turn.audio_until
        if turn.barged_in_at is not None:
            self._run_on(at, seconds, since=turn.barged_in_at, silent=silent)
            # A player that was interrupted throws away what comes late, unless it waits for the agent's word.
            if self.plays_on:
                self.playout.chunk(at, seconds)
                turn.audio_until = self._sound_until = self.playout.dry_at
            return
        if turn.audio_at is None:
            turn.audio_at = at
            if self.plays_on and not self.playout.waiting(at):
                # Nothing is left of an answer that nobody ended.
                self.playout.finish(at)
        self.sounds.chunk(turn.number, data, heard=not silent)
        if turn is said.remark and not silent:
            self.sounds.more(len(self.turns), data, opens=opens)
        self._play(turn, at, seconds, silent=not is_heard)
        self._sound_until = self.playout.dry_at if is_heard else self._sound_until

    def _run_on(self, at: float, seconds: float, *, since: float, silent: bool) -> None:
        """Audio goes on after a barge-in: until when more of it may come, though the user has ended."""
        if not silent:
            self._ran_on += seconds
            is_paced = self._ran_on <= at - since + _BURST
            self._runs_until = at + min(seconds + _SLACK, _RUNS_ON) if is_paced else 0.0

    def _whose(self, number: int | None, at: float) -> Turn | None:
        """Of which of the agent's utterances audio is that comes now; None for nobody's."""
        if not self.turns:
            return self._greet(at)
        cut = self.said.interrupted(number)
        if cut is None and number is None and at <= self._runs_until:
            cut = self.said.may_run_on
        return cut or self._open(number, at) or self._begin_remark(at) or self._go_on()

    def _open(self, number: int | None, at: float) -> Turn | None:
        """The answer that is not over; nothing has come of it where all was heard while the user spoke."""
        turn = self.said.open(number)
        if turn is not None and turn is self.turn and self.was_heard_meanwhile(turn, at):
            turn.done_at = self.playout.finish(self.sound_until or at)
            _take_back(turn)
        return turn

    def _go_on(self) -> Turn | None:
        """The latest answer, if it seemed to be whole because nothing was heard of it: this is more of it."""
        turn = self._quiet
        if turn is None or turn is not self.said.latest:
            return None
        self._quiet = turn.done_at = turn.played_until = None
        return turn

    def _play(self, turn: Turn, at: float, seconds: float, *, silent: bool) -> None:
        """A player has more of an answer."""
        turn.audio_seconds += seconds
        count, lost = self.playout.underrun_count, self.playout.underrun_seconds
        self.playout.chunk(at, seconds, silent=silent)
        turn.underruns += self.playout.underrun_count - count
        turn.underrun_seconds += self.playout.underrun_seconds - lost

    def is_answer(self, number: int | None = None) -> bool:
        """
        Whether silence that comes now is part of an answer.

        Else it is what an agent sends that never stops to send. One that was never heard is taken for one
        whose answers are meant so, unless it sends while the user speaks for the first time: tests have such
        agents.

        """
        if not self.sounds.any_heard:
            return not self._is_endless
        turn, cut = self.said.open(number), self.said.interrupted(number)
        is_broken_off = turn is None or turn.barged_in_at is not None or cut is not None
        return not is_broken_off and turn is not None and turn.audio_at is not None

    def _learn_silence(self, at: float, *, silent: bool) -> None:
        """
        Forget the silence of an agent that was not heard yet, if it is none of its answers'.

        It is not where the agent is heard now, or sends it while the user speaks for the first time.

        """
        begins = len(self.turns) == 1 and self._speaks_over_silence(at) and not self._is_endless
        self._is_endless = self._is_endless or begins
        if begins or not silent:
            self._forget_silence(at)

    def _speaks_over_silence(self, at: float) -> bool:
        """Whether silence that comes now is none of an answer's: the user has spoken for a while."""
        turn = self.turn
        return turn is not None and turn.speech_until is None and at - turn.speech_from >= REMARKS_AFTER

    def _forget_silence(self, at: float) -> None:
        """Take what came before the first sound of all for silence, and for the start of no answer."""
        turn, greeting = self.turn, self.greeting
        self.said.greeting = None if turn is None else greeting
        if greeting is not None:
            # The number that its silence had may be that of the first answer.
            greeting.agent_number = None
        if turn is not None and turn.done_at is None:
            turn.audio_at, turn.audio_seconds = None, 0.0
        # Nor was anything of it to be played, or missed.
        self.playout = Playout(prebuffer=self.prebuffer)
        for each in self.said:
            each.underruns, each.underrun_seconds = 0, 0.0

    @property
    def sound_until(self) -> float | None:
        """When a player has played the last that can be heard; None between utterances."""
        dry, until = self.playout.dry_at, self._sound_until
        return dry if dry is None or until is None else min(dry, until)

    def _greet(self, at: float) -> Turn:
        """The greeting, to which all belongs that is said before the user speaks, also in several pieces."""
        greeting = self.greeting or self.said.begin_unasked(at)
        greeting.done_at = greeting.played_until = None
        return greeting

    def was_heard_meanwhile(self, turn: Turn, at: float) -> bool:
        """Whether all that came of an answer was played while the user still spoke: "mm-hm"."""
        until = at if turn.speech_until is None else turn.speech_until
        played = turn.played_until
        if played is None and self.ends_by_quiet and turn.audio_at is not None and turn is self.said.latest:
            # Nobody says that it was all.
            played = self.sound_until
        return turn.number > 0 and played is not None and played <= until

    def _begin_remark(self, at: float) -> Turn | None:
        """
        A remark, if it comes a while after the latest answer: audio right behind that is left of it.

        Or the answer, where all that came of it was heard while the user still spoke.

        """
        latest = self.said.latest
        if latest is None or latest.done_at is None:
            return None
        if self.was_heard_meanwhile(latest, at):
            self._quiet = None
            _take_back(latest)
            return latest
        if latest is self._quiet or at - max(latest.done_at, self._stray_until) < REMARKS_AFTER:
            return None
        self._unended = 0
        return self.said.begin_unasked(at)

    def turn_done(self, at: float, *, number: int | None = None) -> None:
        """The agent has said that its turn is over."""
        turn, named = self.said.open(number), self.said.named(number)
        if turn is not None and turn is self.turn and turn.audio_at is None and turn is not named:
            # Said late, of the answer that the user spoke over.
            turn = self.said.cut or turn
        self.down.pause()
        is_over = named is not None and named.barged_in_at is not None and named.done_at is not None
        if turn is not None and (turn.is_unanswered or is_over):
            # Said once more of the answer that the user speaks over, or spoke over.
            return
        if turn is not None:
            turn.done_at = at
        if turn is self.said.remark:
            self._unended = 0
        if turn is self.said.latest:
            ends = self.playout.finish(at)
            if turn is not None and turn.audio_at is not None:
                turn.played_until = ends
                self._ends_early = self._ends_early or ends - at > REMARKS_AFTER

    def fell_quiet(self, at: float) -> None:
        """Nothing has been heard for so long that the answer is whole: when a player had played it."""
        turn, dry = self.said.latest, self.sound_until
        if turn is not None and turn.audio_at is not None and dry is not None:
            turn.done_at = turn.played_until = dry
            self._quiet, self._unended = turn, 0
        self.down.pause()
        self.playout.finish(at)

    def interrupted(self, at: float) -> None:
        """The agent has said that its answer is broken off."""
        cut = next((each for each in self.said if each.barged_in_at and each.done_at is None), None)
        latest = self.said.latest
        if cut is None and latest is not None and latest.audio_at and self._speaks(latest, at):
            # By its own wish: it heard what was no speech, or the user, who had begun just before it.
            self._unended = 0
            self.playout.interrupt(at, until=latest.played_until)
            if latest.speech_until is None:
                _take_back(latest)
                self.down.pause()
            else:
                cut = latest
        if cut is not None:
            cut.done_at = at
            self.down.pause()
        if cut is not None and self.plays_on and cut.barged_in_at is not None:
            self.playout.interrupt(at)
            cut.audio_until = min(at, cut.audio_until or at)

    def foreign(self, at: float, session_id: str) -> None:
        """A chunk of audio came that is another session's; a player would play it all the same."""
        if self.foreign_at is None:
            self.foreign_at, self.foreign_session = at, session_id
        self.foreign_chunks += 1

    def numbered(self, at: float, number: int) -> None:
        """The agent gave its turn a number: they only grow, unless it has forgotten some."""
        turn = self.said.open(number)
        if turn is None or turn.agent_number is not None or self._is_late(number):
            return
        turn.agent_number = number
        before = next(
            (each.agent_number for each in reversed(self.turns) if each is not turn and each.agent_number), 0
        )
        if number > before:
            self.down.resumes = False
        elif turn is self.said.remark and number == before:
            # It speaks on, and counts no turn.
            return
        elif self.forgot_at is None and before:
            self.forgot_at = at

    def _is_late(self, number: int) -> bool:
        """Whether it is that of the answer that the user spoke over, and not of one that is counted anew."""
        named = self.said.named(number)
        if named is None or named.barged_in_at is None or named is not self.said.before:
            return False
        return not self.away or self.away[-1][1] < named.barged_in_at

    def malformed_audio(self, at: float, what: str) -> None:
        """A message should have carried audio, and did not."""
        self.malformed_count += 1
        self.malformed_at = at if self.malformed_at is None else self.malformed_at
        if len(self.malformed) < _MALFORMED:
            self.malformed.append(what)

    def unknown_message(self, why_not: Callable[[], str], text: str = "") -> None:
        """A message is none of the protocol's; ``why_not`` says what it lacks to be audio of an answer."""
        number = len(self.turns)
        if number not in self.complaints and 0 < len(text) <= _READ and _complains(text):
            self.complaints[number] = text
        count, first = self.unknown.get(number, (0, ""))
        self.unknown[number] = count + 1, first or why_not()

    def came_back(self, since: float, at: float) -> None:
        """A connection was opened again; nothing is heard of what was to be played meanwhile."""
        self.away.append((since, at))
        self.over(since)
        self.said.remark, self._unended = None, 0
        self.down.pause()
        self.down.resumes = True
        self.playout.finish(at)

    def give_up(self, at: float) -> None:
        """Nobody waits any longer for the answer of the latest turn."""
        if (turn := self.turn) is not None:
            turn.given_up_at = at

    def round_trip(self, at: float, seconds: float) -> None:
        """A heartbeat was answered."""
        turn = self.turn
        speaking = turn is not None and (turn.speech_until is None or self.playout.is_playing)
        (self.rtt_speaking if speaking else self.rtt_idle).add(seconds, at)

    @property
    def silent_turns(self) -> list[Turn]:
        """
        Turns whose whole answer is silence, where others can be heard.

        Where silence comes all the time, its end has to say that there was an answer.

        """
        return [
            turn
            for turn in self.turns
            if (turn.done_at is not None or (turn.given_up_at is not None and not self._is_endless))
            and turn.barged_in_at is None
            and self.sounds.is_silent(turn.number)
        ]

    @property
    def repeated_chunks(self) -> tuple[int, float | None]:
        """Chunks of the agent's audio that came twice, by their numbers or their samples; and since when."""
        doubled = self.sounds.doubled
        if not doubled:
            return self.down.numbers.repeats, self.down.repeated_at
        first = next((turn for turn in reversed([*self.said]) if turn.number in doubled), None)
        return sum(doubled.values()), None if first is None else first.audio_at

    @property
    def lost_chunks(self) -> int:
        """Chunks of the agent's audio that never came, by their numbers or by the agent's record."""
        runs = self.down.numbers.runs
        return sum(start - end - 1 for (_, end), (start, _) in pairwise(runs)) + self.dropped

    @property
    def reordered_chunks(self) -> int:
        """Chunks of the agent's audio that came behind their successors, told in the same way."""
        return self.down.reordered + self.swapped

    def told_by_agent(self, turns: Iterable[AgentTurn]) -> None:
        """What the agent's record says of its turns, which numbers say where there are some."""
        if not self.down.numbers.seen:
            known = list(turns)
            self.dropped = sum(turn.dropped for turn in known)
            self.swapped = sum(turn.reordered for turn in known)

    @property
    def underruns(self) -> int:
        """How often a player had nothing to play in the middle of an utterance."""
        return self.playout.underrun_count


def _take_back(turn: Turn) -> None:
    """What came of its answer is none: it was over before the user had ended."""
    if turn.token_at is not None and (turn.done_at is None or turn.token_at <= turn.done_at):
        turn.token_at = None
    turn.audio_at = turn.audio_until = turn.done_at = turn.played_until = None
    turn.agent_number, turn.audio_seconds = None, 0.0


def _complains(text: str) -> bool:
    """Whether a message speaks of what went wrong."""
    trouble = tells_of_trouble(text) and read_message(text).topic not in _OF_SILENCE
    return trouble or says_wrong(text)

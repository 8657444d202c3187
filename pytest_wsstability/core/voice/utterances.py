"""What the agent of a call has said, in one piece each, and whose a message is that comes now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain, islice

from ..call_summary import Turn


@dataclass(slots=True)
class Utterances:
    """
    The greeting, an answer for each turn of the user, and what is said unasked since the latest one.

    Agents may number their turns; where they do not, a message is of the latest utterance, or of the one
    before it while the user speaks over that.

    """

    turns: list[Turn] = field(default_factory=list)
    # What the agent says before the user has ever spoken, as a turn that is none; None while it says nothing.
    greeting: Turn | None = None
    # What it says unasked since the latest turn, as a turn that is none ("are you still there?").
    remark: Turn | None = None
    # What it said last before the latest turn.
    before: Turn | None = None

    def __iter__(self) -> Iterator[Turn]:
        """The latest first."""
        said = chain(
            (self.remark, self.turn, self.before), islice(reversed(self.turns), 1, None), (self.greeting,)
        )
        return (each for each in said if each is not None)

    @property
    def turn(self) -> Turn | None:
        """The latest turn; None before the first."""
        return self.turns[-1] if self.turns else None

    @property
    def latest(self) -> Turn | None:
        """The latest turn, what the agent has said unasked since, or the greeting before the first."""
        return self.remark or self.turn or self.greeting

    def begin_turn(self, at: float) -> Turn:
        """The user begins to speak."""
        self.before, self.remark = self.latest, None
        began = Turn(len(self.turns) + 1, at)
        self.turns.append(began)
        return began

    def begin_unasked(self, at: float) -> Turn:
        """The agent says something unasked: a remark, or the greeting before the first turn."""
        said = Turn(0, at, at)
        if self.turns:
            self.remark = said
        else:
            self.greeting = said
        return said

    def named(self, number: int | None) -> Turn | None:
        """The latest one to which the agent has given this number."""
        if number is None:
            return None
        latest = self.latest
        if latest is not None and latest.agent_number == number:
            # This is asked of each chunk, and a call may have thousands of turns.
            return latest
        return next((each for each in self if each.agent_number == number), None)

    def open(self, number: int | None = None) -> Turn | None:
        """
        The one that is not over, of which a message is: that of the number, or else the latest.

        Where agents give none, it is the interrupted one while the user speaks over it.

        """
        named = self.named(number)
        if named is not None and named.done_at is None:
            return named
        turn = self.latest
        if turn is None or turn.done_at is not None:
            return None
        before = self.spoken_over
        return turn if before is None or before.done_at is not None else before

    @property
    def cut(self) -> Turn | None:
        """What was said before the latest turn, if the user spoke over it and its end was not said."""
        before = self.before
        is_cut = before is not None and before.barged_in_at is not None and before.done_at is None
        return before if is_cut else None

    @property
    def spoken_over(self) -> Turn | None:
        """What was said before the latest turn, while the user speaks over it and no answer came."""
        turn, before = self.turn, self.before
        if turn is None or turn.speech_until is not None or turn.token_at is not None:
            return None
        return before if before is not None and before.barged_in_at is not None else None

    @property
    def may_run_on(self) -> Turn | None:
        """The answer, or greeting, that was spoken over without an end, while nothing of the next came."""
        turn, cut = self.turn, self.cut
        has_begun = turn is None or turn.token_at is not None or turn.audio_at is not None
        return None if has_begun or cut is None or not (cut.number or cut is self.greeting) else cut

    def interrupted(self, number: int | None) -> Turn | None:
        """The interrupted one whose audio goes on, also where the agent has said that it is over."""
        named = self.named(number)
        if named is None:
            return self.spoken_over
        return named if named.barged_in_at is not None else None

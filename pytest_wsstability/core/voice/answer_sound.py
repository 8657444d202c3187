"""What an answer sounds like, as far as that shows that nobody can hear it as it was meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class AnswerSound:
    """The chunks of one answer: how many can be heard, and how many of those came twice in a row."""

    heard: int = 0
    twice: int = 0

    @property
    def is_doubled(self) -> bool:
        """Whether each chunk came twice: of those that come three times or more it is a third at most."""
        return 3 * self.twice > self.heard


class AnswerSounds:
    """
    Those of a call, by the number of the turn; 0 is the greeting.

    Chunks that are all the same tell nothing, and neither do answers that are all silent: tests have such
    agents.

    """

    __slots__ = ("_again", "_before", "_of", "any_heard")

    # Chunks that came twice from which on it was no chance.
    FEWEST = 10

    def __init__(self) -> None:
        self._of: dict[int, AnswerSound] = {}
        # Whether there was ever a chunk that is no silence.
        self.any_heard = False
        # The latest chunk, and whether it was the same as the one before it.
        self._before, self._again = b"", False

    def chunk(self, number: int, data: bytes, *, heard: bool) -> None:
        """A chunk of an answer came."""
        answer = self._of.setdefault(number, AnswerSound())
        again = heard and data == self._before
        answer.heard += heard
        self.any_heard = self.any_heard or heard
        answer.twice += again and not self._again
        self._before, self._again = data, again

    def is_silent(self, number: int) -> bool:
        """Whether nothing of an answer can be heard, though something of others can."""
        answer = self._of.get(number)
        return answer is not None and not answer.heard and self.any_heard

    @property
    def doubled(self) -> dict[int, int]:
        """How many chunks came twice of answers of which each chunk did, by their numbers."""
        found = {number: each.twice for number, each in self._of.items() if each.is_doubled}
        return found if sum(found.values()) >= self.FEWEST else {}

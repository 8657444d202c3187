"""What an answer sounds like, as far as that shows that nobody can hear it as it was meant."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from zlib import crc32


@dataclass(slots=True)
class AnswerSound:
    """The chunks of one answer: how many can be heard, and how many of those came twice in a row."""

    heard: int = 0
    twice: int = 0
    # Of those that can be heard, as one piece: their bytes, and a checksum.
    size: int = 0
    checksum: int = 0

    def hear(self, data: bytes) -> None:
        """A chunk came that can be heard."""
        self.heard += 1
        self.size += len(data)
        self.checksum = crc32(data, self.checksum)

    @property
    def whole(self) -> tuple[int, int]:
        """What tells it from other answers."""
        return self.size, self.checksum

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

    __slots__ = ("_again", "_before", "_more", "_of", "any_heard")

    # Chunks that came twice from which on it was no chance; and answers that did.
    FEWEST = 10
    FEWEST_ANSWERS = 2

    def __init__(self) -> None:
        self._of: dict[int, AnswerSound] = {}
        # What was said last behind each of them.
        self._more: dict[int, AnswerSound] = {}
        # Whether there was ever a chunk that is no silence.
        self.any_heard = False
        # The latest chunk, and whether it was the same as the one before it.
        self._before, self._again = b"", False

    def chunk(self, number: int, data: bytes, *, heard: bool) -> None:
        """A chunk of an answer came."""
        answer = self._of.setdefault(number, AnswerSound())
        again = heard and data == self._before
        if heard:
            answer.hear(data)
        self.any_heard = self.any_heard or heard
        answer.twice += again and not self._again
        self._before, self._again = data, again

    def more(self, number: int, data: bytes, *, opens: bool) -> None:
        """A chunk came of what is said behind an answer; ``opens``: the first one."""
        if opens or number not in self._more:
            self._more[number] = AnswerSound()
        self._more[number].hear(data)

    def is_silent(self, number: int) -> bool:
        """Whether nothing of an answer can be heard, though something of others can."""
        answer = self._of.get(number)
        return answer is not None and not answer.heard and self.any_heard

    @property
    def doubled(self) -> dict[int, int]:
        """How many chunks came twice of answers of which each chunk did, by their numbers."""
        found = {number: each.twice for number, each in self._of.items() if each.is_doubled}
        return self._repeated | (found if sum(found.values()) >= self.FEWEST else {})

    @property
    def _repeated(self) -> dict[int, int]:
        """
        The chunks of answers behind which the same was said once more.

        One that sounds like another one tells nothing, and neither does one alone: an agent may ask again.

        """
        known = Counter(each.whole for each in self._of.values())
        found = {
            number: answer.heard
            for number, more in self._more.items()
            if (answer := self._of.get(number)) is not None
            and answer.whole == more.whole
            and known[answer.whole] == 1
        }
        return found if len(found) >= self.FEWEST_ANSWERS else {}

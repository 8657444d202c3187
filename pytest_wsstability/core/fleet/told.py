"""What the server of a fleet said and did, brought into the causes of the connections that ended."""

from __future__ import annotations

import bisect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from ..cause import Blame, Cause, Confidence, Diagnosis
from ..diagnosis.client_end import AT_THE_END, ClientEnd
from ..diagnosis.lines import LineKind, ServerLine
from ..diagnosis.server_lines import with_own_lines
from ..diagnosis.told_anew import without_path
from .frame import Ending, Fate

# An error that names nobody is about the ends that are nearest to it, and those that are farther by no more
# than this, in seconds: for so long a busy machine is at work on one event.
AS_NEAR = 0.05
# So many errors of one instant that name nobody are looked at.
MOST_AT_ONCE = 100
_WORD = re.compile(r"\w+")


def retold(
    endings: Iterable[Ending],
    lines: Iterable[ServerLine],
    doing: Callable[[ClientEnd], Iterable[ServerLine]],
) -> list[Ending]:
    """
    Endings with what the server said of them, as `with_lines` has it for one connection.

    Args:
        endings: of a fleet.
        lines: of the server, by the clock that the endings have too, oldest first.
        doing: what the handler of a connection did then: whether it had returned, or was busy.

    """
    endings = list(endings)
    ended = {each.number: each.seen for each in endings if each.fate is Fate.ENDED and each.seen is not None}
    said = _said_of(ended, lines)
    return [
        each
        if (seen := ended.get(each.number)) is None or each.found is None
        else _retold(each, each.found, seen, [*said.get(each.number, ()), *doing(seen)])
        for each in endings
    ]


def _retold(ending: Ending, cause: Cause, seen: ClientEnd, lines: Sequence[ServerLine]) -> Ending:
    found = Diagnosis(
        cause=cause, confidence=Confidence(ending.confidence), blame=Blame.SERVER, sentence=ending.headline,
        headline=ending.headline, remedy=ending.remedy, together=ending.cause,
    )  # fmt: skip
    told = without_path(with_own_lines(found, seen, lines), seen)
    return replace(
        ending, cause=told.together or told.cause.value, found=told.cause, headline=told.headline,
        confidence=told.confidence.value, remedy=told.remedy or "",
    )  # fmt: skip


def _said_of(ended: Mapping[int, ClientEnd], lines: Iterable[ServerLine]) -> dict[int, list[ServerLine]]:
    """The lines that are about each connection which ended, by its number."""
    about = _About({number: seen for number, seen in ended.items() if not seen.is_open})
    found: dict[int, list[ServerLine]] = defaultdict(list)
    for line in lines:
        for number in about.of(line):
            found[number].append(line)
    return found


class _About:
    """Whom the lines of a server are about: thousands of lines, and thousands of connections."""

    def __init__(self, ended: Mapping[int, ClientEnd]) -> None:
        self._ended = ended
        self._ordered = sorted(ended, key=self._at)
        self._by_port: dict[int | None, list[int]] = defaultdict(list)
        for number, seen in ended.items():
            for port in seen.ports:
                self._by_port[port].append(number)
        self._by_word = _by_rarest_word({number: seen.names for number, seen in ended.items()})
        # Whom the same words name, and at which instants they were said of nobody.
        self._named: dict[str, list[int]] = {}
        self._unnamed: dict[int, set[str]] = defaultdict(set)

    def of(self, line: ServerLine) -> Sequence[int]:
        """The numbers of the connections that a line is about."""
        if line.port in self._by_port:
            return self._by_port[line.port]
        if line.text not in self._named:
            words = set(_WORD.findall(line.text))
            maybe = {number for word in words for number in self._by_word.get(word, ())}
            self._named[line.text] = [each for each in sorted(maybe) if self._ended[each].is_named_by(line)]
        if line.port is not None or self._named[line.text]:
            return self._named[line.text]
        # Once more the same words at the same instant say nothing more, nor do hundreds of a kind.
        before = self._unnamed[round(line.at / AS_NEAR)]
        if line.text in before or (len(before) >= MOST_AT_ONCE and not line.is_about_all):
            return ()
        before.add(line.text)
        near = self._within(line.at)
        if line.is_about_all:
            return near
        if line.kind is not LineKind.RAISED:
            return ()
        least = min((abs(self._at(each) - line.at) for each in near), default=0.0)
        return [each for each in near if abs(self._at(each) - line.at) <= least + AS_NEAR]

    def _within(self, at: float) -> Sequence[int]:
        low = bisect.bisect_left(self._ordered, at - AT_THE_END, key=self._at)
        return self._ordered[low : bisect.bisect_right(self._ordered, at + AT_THE_END, key=self._at)]

    def _at(self, number: int) -> float:
        return self._ended[number].at


def _by_rarest_word(names: Mapping[int, Iterable[str]]) -> dict[str, list[int]]:
    """
    The numbers of connections, by the word of each of their names that the fewest others have.

    A text in which a name stands by itself has each word of it. To look for each name in each line takes
    minutes.

    """
    words = {(number, name): _WORD.findall(name) for number, own in names.items() for name in own}
    often = Counter(word for own in words.values() for word in own)
    found: dict[str, list[int]] = defaultdict(list)
    for (number, _), own in words.items():
        if own:
            found[min(own, key=often.__getitem__)].append(number)
    return found

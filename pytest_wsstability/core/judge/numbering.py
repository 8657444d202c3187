"""Which messages came, by the numbers or ids that they carry: what is missing, double, or out of order."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from ..number import counted
from ..redact import show_text
from ..timeline.events import Tier
from .verdict import Doubt, Finding, Reason, Rule, Verdict, Violation

Number = int | str

# Ids that are kept; of numbers only the ends of each unbroken run are.
_IDS = 65536
# Numbers in a message of a failure.
_SHOWN = 3


class Numbers:
    """The numbers (or ids) of the messages that one connection received."""

    __slots__ = (
        "_ends", "_ids", "_starts", "error", "first_reordered", "first_repeat", "reordered", "repeats", "seen"
    )  # fmt: skip

    def __init__(self) -> None:
        # Unbroken runs of whole numbers, by their first and last ones, in order.
        self._starts: list[int] = []
        self._ends: list[int] = []
        # A dict, because a set has no oldest one; None until the first id.
        self._ids: dict[str, None] | None = None
        # Messages with a number or an id.
        self.seen = 0
        # How many came again on this connection, and the first that did; None if none.
        self.repeats = 0
        self.first_repeat: Number | None = None
        # How many came behind a larger number for the first time, and the first such pair; None if none.
        self.reordered = 0
        self.first_reordered: tuple[int, int] | None = None
        # Why messages could not be numbered; None while they could.
        self.error: str | None = None

    def add(self, number: Number) -> None:
        """A message with this number, or this id, came."""
        self.seen += 1
        if not (self._add_id(number) if isinstance(number, str) else self._add_number(number)):
            self.repeats += 1
            if self.first_repeat is None:
                self.first_repeat = number

    def _add_id(self, name: str) -> bool:
        if self._ids is None:
            self._ids = {}
        if name in self._ids:
            return False
        if len(self._ids) == _IDS:
            del self._ids[next(iter(self._ids))]
        self._ids[name] = None
        return True

    def _add_number(self, number: int) -> bool:
        starts, ends = self._starts, self._ends
        place = bisect_right(starts, number)
        if place and number <= ends[place - 1]:
            return False
        if ends and number < ends[-1]:
            self.reordered += 1
            if self.first_reordered is None:
                self.first_reordered = number, ends[-1]
        joins_left = place > 0 and ends[place - 1] == number - 1
        joins_right = place < len(starts) and starts[place] == number + 1
        if joins_left and joins_right:
            ends[place - 1] = ends[place]
            del starts[place], ends[place]
        elif joins_left:
            ends[place - 1] = number
        elif joins_right:
            starts[place] = number
        else:
            starts.insert(place, number)
            ends.insert(place, number)
        return True

    @property
    def runs(self) -> list[tuple[int, int]]:
        """Unbroken runs of whole numbers, both ends included, in order."""
        return list(zip(self._starts, self._ends, strict=True))

    @property
    def ids(self) -> Iterable[str]:
        """The ids, oldest first."""
        return self._ids or ()


@dataclass(frozen=True, slots=True)
class MessageCount:
    """Messages of one session, over all its connections."""

    # With a number or an id.
    seen: int
    # Whole numbers between the first and the last one that never came; of ids nobody knows.
    lost: int
    # Came again, on the same connection or a later one.
    duplicated: int
    # The first few runs of lost numbers, and of numbers (or ids) that came again on a later connection, with
    # a word on how many more there are of these.
    gaps: tuple[tuple[int, int], ...] = ()
    overlaps: tuple[str, ...] = ()
    # How many of the lost ones one connection saw the numbers before and behind of; None if nobody knows.
    lost_inside: int | None = None
    # The first that came again on the same connection; None if none did.
    first_repeat: str | None = None
    # Whole numbers that came behind a larger one on the same connection, and the first such pair.
    reordered: int = 0
    first_reordered: tuple[int, int] | None = None
    # Why messages could not be numbered; None if they could.
    error: str | None = None


def count_messages(connections: Iterable[Numbers | None]) -> MessageCount:
    """Count over the connections of a session, oldest first; None for one that saw no numbered message."""
    each = [numbers for numbers in connections if numbers is not None]
    runs: list[tuple[int, int]] = []
    ids: set[str] = set()
    again: list[str] = []
    duplicated = sum(numbers.repeats for numbers in each)
    first_repeats = [numbers.first_repeat for numbers in each]
    for numbers in each:
        for first, last in numbers.runs:
            for start, end in _overlaps(runs, first, last):
                duplicated += end - start + 1
                again.append(_show(start, end))
        runs = _union([*runs, *numbers.runs])
        for name in numbers.ids:
            if name in ids:
                duplicated += 1
                again.append(show_text(name, 40))
        ids.update(numbers.ids)
    gaps = [(end + 1, start - 1) for (_, end), (start, _) in pairwise(runs)]
    spans = [(numbers.runs[0][0], numbers.runs[-1][1]) for numbers in each if numbers.runs]
    return MessageCount(
        seen=sum(numbers.seen for numbers in each),
        lost=sum(last - first + 1 for first, last in gaps),
        duplicated=duplicated,
        gaps=tuple(gaps[:_SHOWN]),
        overlaps=(*again[:_SHOWN], *([f"{len(again) - _SHOWN} more"] if len(again) > _SHOWN else [])),
        lost_inside=sum(last - first + 1 for first, last in gaps if _is_inside(first, last, spans)),
        first_repeat=next((show_text(str(first), 40) for first in first_repeats if first is not None), None),
        reordered=sum(numbers.reordered for numbers in each),
        first_reordered=next((numbers.first_reordered for numbers in each if numbers.reordered), None),
        error=next((numbers.error for numbers in each if numbers.error is not None), None),
    )


def _overlaps(runs: Iterable[tuple[int, int]], first: int, last: int) -> list[tuple[int, int]]:
    common = [(max(start, first), min(end, last)) for start, end in runs]
    return [(start, end) for start, end in common if start <= end]


def _is_inside(first: int, last: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start < first and last < end for start, end in spans)


def _union(runs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(runs):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined


def _show(first: int, last: int) -> str:
    return str(first) if first == last else f"{first} to {last}"


def judge_messages(
    found: MessageCount,
    *,
    lost_max: int,
    duplicated_max: int,
    reordered_max: int = 0,
    duration: float,
    tier: Tier,
    came: bool = True,
) -> Verdict:
    """
    Whether no more messages than these were lost, came twice or out of order, over a session's connections.

    Args:
        found: what was counted.
        lost_max, duplicated_max, reordered_max: so many may be.
        duration: seconds for which the last of the connections was watched.
        tier: where it ran.
        came: whether a message came on it, with a number or without.

    """
    findings: list[Finding] = []
    if found.lost > lost_max:
        gaps = ", ".join(_show(first, last) for first, last in found.gaps)
        more = found.lost - sum(last - first + 1 for first, last in found.gaps)
        gaps += f" and {more} more" if more else ""
        observed = f"{found.lost} of {found.seen - found.duplicated + found.lost} lost: {gaps}"
        findings.append(_violation("lost", lost_max, observed, duration, _where(found)))
    if found.duplicated > duplicated_max:
        which = f": {', '.join(found.overlaps)} again on a later connection" if found.overlaps else ""
        if found.first_repeat is not None:
            which += f"{',' if which else ':'} {found.first_repeat} first, again on the same connection"
        observed = f"{found.duplicated} of {found.seen} came twice{which}"
        findings.append(_violation("duplicated", duplicated_max, observed, duration))
    if found.reordered > reordered_max and found.first_reordered is not None:
        late, larger = found.first_reordered
        observed = f"{found.reordered} of {found.seen} out of order: {late} behind {larger} first"
        where = (
            "; TCP keeps the order of a connection: the sender sent them so; where it may, "
            f"reordered_max={found.reordered}"
        )
        findings.append(_violation("out of order", reordered_max, observed, duration, where))
    if not findings and found.error is not None:
        findings.append(Doubt(Reason.TOO_FEW, f"messages could not be numbered: {found.error}"))
    elif not found.seen:
        why = "name its member, Profile(sequence='seq')" if came else "none came on this connection"
        findings.append(Doubt(Reason.TOO_FEW, f"no message carried a number: {why}"))
    return Verdict.of(findings, horizon=duration, tier=tier)


def _where(found: MessageCount) -> str:
    """Which end of TCP lost them: it loses nothing of what was sent on a connection that went on."""
    if found.lost_inside == found.lost:
        return "; those before and behind came on one connection: the sender left them out"
    if found.lost_inside == 0:
        return "; between two connections: the sender did not send again what the first one lost"
    return ""


def _violation(what: str, most: int, observed: str, at: float, where: str = "") -> Violation:
    expected = f"no message {what}" if not most else f"at most {counted(most, 'message')} {what}"
    return Violation(Rule.MESSAGES, at, expected, f"{observed}{where}", f"messages {what}", observed)

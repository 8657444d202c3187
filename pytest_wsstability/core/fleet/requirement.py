"""
What is asked of many connections as one, and the verdict on it, by exact bounds.

Three verdicts: STABLE only where the share that survives is above what is asked with the confidence that is
asked; UNSTABLE only where it is below with that confidence; INCONCLUSIVE between, with how many connections
would decide. A connection that nobody watched to its end counts as lost for the first and as alive for the
second; one whose end was planned is censored at its age.

"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..duration import Duration, parse_duration
from ..duration import show_duration as show
from ..fleet_summary import FleetCount
from ..judge.backoff import Backoff
from ..judge.requirement import close_codes
from ..judge.verdict import Doubt, Finding, Reason, Rule, Verdict, Violation
from ..number import counted, is_number, is_whole
from ..samples import NEEDED, Sample
from ..statistics.proportion import CONFIDENCE, connections_needed, lower_bound, upper_bound
from ..statistics.survival import band
from ..timeline.close import describe_code
from ..timeline.events import Tier
from .frame import Ending, FanoutCounts, Fate, Return
from .merge import FleetMerge
from .plan import MOST

# What an end without a close frame is called (RFC 6455, section 7.1.5).
_ABNORMAL = 1006
# Numbers of connections that differ by less are the same.
_SAME = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Drain:
    """How a server that goes down lets its connections go."""

    # At most so many ends in any second.
    per_second: int
    # Close codes with which they end (RFC 6455, section 7.4.1; 1012: IANA's registry): all of them, whatever
    # else makes an end a planned one.
    codes: frozenset[int] = frozenset({1001, 1012})

    def __post_init__(self) -> None:
        if not is_whole(self.per_second, 1):
            raise ValueError(f"drain: {self.per_second!r}; give how many may end in a second, such as 5")
        codes = close_codes(self.codes, "drain: codes")
        if not codes:
            raise ValueError("drain: codes: none is given; give at least one, such as 1001")
        object.__setattr__(self, "codes", codes)

    @classmethod
    def of(cls, value: Drain | int) -> Drain:
        """
        Read what a mark or an option says: 5 stands for five ends a second, with 1001 or 1012.

        Raises:
            ValueError: for anything else.

        """
        return value if isinstance(value, Drain) else cls(per_second=value)

    def with_planned(self, allowed: int | Iterable[int] = ()) -> frozenset[int]:
        """Close codes that are planned ends: these and those that are allowed anyway."""
        return self.codes | ({allowed} if isinstance(allowed, int) else set(allowed))


@dataclass(frozen=True, slots=True, kw_only=True, init=False)
class FleetReconnects:
    """
    Connections that end come back: each opens again, with the same session, until the end of its hold.

    Where its session was confirmed it is back when that is confirmed again; then it is held as before.

    Args:
        within: the time that each has, from its end on.
        backoff: what it waits before each attempt; by default 1 s and more, a fifth of it random.
        per_second: at most so many come back in any second; None for any number.

    Raises:
        ValueError: for a value that makes no sense, naming it.

    """

    within: float
    backoff: Backoff
    per_second: int | None

    def __init__(
        self, *, within: Duration, backoff: Backoff | Duration | None = None, per_second: int | None = None
    ) -> None:
        if per_second is not None and not is_whole(per_second, 1):
            raise ValueError(
                f"per_second: {per_second!r}; give how many may come back in a second, such as 50"
            )
        seconds = parse_duration(within, "reconnects")
        waits = Backoff() if backoff is None else Backoff.of(backoff)
        # A server must not be blamed for what nobody has tried.
        if (wait := waits.most(0)) >= seconds:
            raise ValueError(
                f"reconnects: {show(seconds)} may be over before the first attempt, which waits up to "
                f"{show(wait)}; give more, or a shorter backoff: FleetReconnects(within=..., backoff=...)"
            )
        object.__setattr__(self, "within", seconds)
        object.__setattr__(self, "backoff", waits)
        object.__setattr__(self, "per_second", per_second)

    @classmethod
    def of(cls, value: FleetReconnects | Duration) -> FleetReconnects:
        """
        Read what a mark or an option says: "30s" is the time that each has.

        Raises:
            ValueError: for anything else.

        """
        return value if isinstance(value, FleetReconnects) else cls(within=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetRequirement:
    """
    What a fleet has to show, beside what each of its connections has to.

    Raises:
        ValueError: for a number that nothing can show, naming it.

    """

    # The share of the connections that opened and live to the end of their hold; None: all of these do, but
    # where they may come back (`reconnects`), which then is what is asked.
    survival: float | None = None
    # The probability with which the verdict is right, one-sided.
    confidence: float = CONFIDENCE
    # The share of the connections that may fail to open.
    refused_max: float = 0.0
    drain: Drain | None = None
    reconnects: FleetReconnects | None = None
    # Seconds in which a message that one connection sends reaches all others of its worker, and in which it
    # reaches 99 % of them.
    fanout_within: float | None = None
    fanout_p99: float | None = None

    def __post_init__(self) -> None:
        if self.survival is not None and not (is_number(self.survival) and 0 < self.survival < 1):
            raise ValueError(f"survival: {self.survival!r}; give a share between 0 and 1, such as 0.999")
        if not (is_number(self.confidence) and 0 < self.confidence < 1):
            raise ValueError(f"confidence: {self.confidence!r}; give a share between 0 and 1, such as 0.95")
        if not (is_number(self.refused_max) and 0 <= self.refused_max < 1):
            raise ValueError(f"refused_max: {self.refused_max!r}; give a share from 0 to below 1")

    @classmethod
    def of(cls, *, measures_fanout: bool = False, **values: Any) -> FleetRequirement:
        """
        Read what a mark, an option or a call says: durations, and short forms of drains and returns.

        Args:
            measures_fanout: somebody says which messages fan out.
            values: the fields; None where nothing is asked.

        Raises:
            ValueError: for a value that nothing can show, naming it.

        """
        reads: dict[str, Callable[[Any], Any]] = {
            "drain": Drain.of,
            "reconnects": FleetReconnects.of,
            "fanout_within": partial(parse_duration, name="fanout_within"),
            "fanout_p99": partial(parse_duration, name="fanout_p99"),
        }
        for name, value in values.items():
            if value is None or name not in reads:
                continue
            if name.startswith("fanout_") and not measures_fanout:
                raise ValueError(
                    f"{name}: which messages? give fanout_of too, which names those that fan out"
                )
            values[name] = reads[name](value)
        return cls(**values)

    def forecast(self, connections: int) -> str | None:
        """What so few connections cannot show even if none is lost; None where they can."""
        if self.survival is None:
            return None
        shown = lower_bound(connections, connections, confidence=self.confidence)
        if shown > self.survival:
            return None
        needed = connections_needed(self.survival, confidence=self.confidence)
        most, asked = _apart(shown, self.survival, digits=3), f"{self.survival:.12g}"
        return f"{counted(connections, 'connection')} can show at most {most}; {asked} needs {needed:,}"

    def check(self, merge: FleetMerge, *, tier: Tier) -> Verdict:
        """Judge what the fleet has shown up to now."""
        findings = [
            *self._interrupted(merge),
            *self._opens(merge.count, merge.unopened),
            *self._survival(merge),
            *self._drained(merge),
            *self._came_back(merge),
            *self._fans_out(merge),
        ]
        reached = merge.plan.hold if merge.interrupted_at is None else merge.interrupted_at
        horizon = min(reached, merge.plan.hold, _followed(merge))
        return Verdict.of(findings, horizon=horizon, tier=tier)

    def _interrupted(self, merge: FleetMerge) -> Iterator[Finding]:
        """A fleet that somebody ended has shown what it had by then, unless all of it was over."""
        unseen = merge.count.unobserved or (self.reconnects is not None and merge.unreturned)
        if merge.interrupted_at is not None and unseen:
            reached, whole = round(merge.interrupted_at, 1), merge.plan.ramp + merge.plan.hold
            yield Doubt(Reason.INTERRUPTED, f"interrupted at {show(reached)} of {show(whole)}")

    def _opens(self, count: FleetCount, unopened: int) -> Iterator[Finding]:
        # The product of two floats may be a little less than the whole number that is meant: 0.29 of 100.
        allowed = math.floor(self.refused_max * count.planned + _SAME)
        if count.refused > allowed:
            observed = f"{count.refused:,} of {count.planned:,} did not open"
            expected = (
                "every connection opens"
                if not allowed
                else f"at most {allowed:,} {'does' if allowed == 1 else 'do'} not open"
            )
            yield Violation(Rule.OPENED, 0.0, expected, observed, observed)
        elif count.refused + unopened > allowed:
            seen = f"{unopened:,} of {count.planned:,} were not seen to open"
            more = f", {count.refused:,} more did not" if count.refused else ""
            bound = f"at most {allowed:,} may not" if allowed else "all have to"
            yield Doubt(Reason.UNOBSERVED, f"{seen}{more}, where {bound}")

    def _survival(self, merge: FleetMerge) -> Iterator[Finding]:
        count = merge.count
        opened = count.judged
        if not opened:
            yield Doubt(Reason.TOO_FEW, "no connection opened")
            return
        young = [each for each in merge.endings if each.fate is Fate.ROTATED and each.headline]
        if len(young) == opened:
            yield Doubt(Reason.TOO_FEW, f"all {opened:,} were let go by plan too soon: {young[0].headline}")
        if self.survival is None:
            yield from self._all(merge, opened)
            return
        least, most = self.bounds(merge)
        expected = f"{as_written(self.survival)} of connections live for {show(merge.plan.hold)}"
        seen = _lost(count, opened)
        if most < self.survival:
            at = min((each.age for each in merge.endings if each.fate is Fate.ENDED), default=0.0)
            bound = percent(most, apart=self.survival)
            observed = f"{seen}: at most {bound} live on ({as_written(self.confidence)} confidence)"
            yield Violation(Rule.SURVIVAL, at, expected, observed, f"{seen} before {show(merge.plan.hold)}")
        elif count.open:
            yield Doubt(Reason.TOO_SHORT, f"{count.open:,} of {opened:,} are still held")
        elif least <= self.survival:
            yield self._undecided(merge, least, most)
        elif self._asks_each and count.unobserved > merge.unopened:
            # So many may be lost, but not in any way.
            yield Doubt(Reason.UNOBSERVED, _unobserved(merge))

    @property
    def _asks_each(self) -> bool:
        """Whether something is asked of each connection, however large the share is that may end."""
        return not (self.drain is None and self.reconnects is None and self.fanout_within is None)

    def _all(self, merge: FleetMerge, opened: int) -> Iterator[Finding]:
        count, hold = merge.count, show(merge.plan.hold)
        lost, observed = [each for each in merge.endings if each.fate is Fate.ENDED], _lost(count, opened)
        expected = f"all connections live for {hold}"
        if count.broke:
            expected = f"all connections live and keep what was promised for {hold}"
        if self.reconnects is not None:
            lost = [each for each in lost if each.closed_here]
            observed = f"{len(lost):,} of {opened:,} broke a promise and did not end"
            expected = f"every connection lives for {hold}, or ends and comes back"
        if lost:
            at = min(each.age for each in lost)
            yield Violation(Rule.SURVIVAL, at, expected, observed, observed)
        elif count.open:
            yield Doubt(Reason.TOO_SHORT, f"{count.open:,} of {opened:,} are still held")
        elif count.unobserved:
            yield Doubt(Reason.UNOBSERVED, _unobserved(merge))

    def bounds(self, merge: FleetMerge) -> tuple[float, float]:
        """
        Between which shares the one that survives lies; (0, 1) where nothing opened.

        Whoever was not watched is counted as lost for the first, and as alive for the second, as are those
        that are still open.

        """
        count = merge.count
        if not count.judged:
            return 0.0, 1.0
        lifetimes = merge.lifetimes(lost=Fate.UNOBSERVED)
        least = band(lifetimes, merge.plan.hold, confidence=self.confidence)[0]
        most = upper_bound(count.judged - count.ended, count.judged, confidence=self.confidence)
        return least, most

    def _undecided(self, merge: FleetMerge, least: float, most: float) -> Doubt:
        assert self.survival is not None
        count, hold = merge.count, merge.plan.hold
        low, high = (percent(each, apart=self.survival) for each in (least, most))
        between = f"between {low} and {high} live on, {as_written(self.survival)} is asked"
        if count.unobserved:
            return Doubt(Reason.UNOBSERVED, f"{between}; {_unobserved(merge, whole=False)}")
        if rotated := sum(each.fate is Fate.ROTATED and each.age < hold for each in merge.endings):
            # More connections of which as many rotate need not show more.
            return Doubt(Reason.TOO_FEW, f"{between}; {rotated:,} rotated before {show(hold)}")
        needed = self._deciding(count.judged, count.ended)
        ends = "the same share of them ends" if count.ended else "none of them ends"
        more = f"; {needed:,} connections would decide if {ends}" if needed else ""
        return Doubt(Reason.TOO_FEW, between + more)

    def _deciding(self, opened: int, ended: int) -> int | None:
        """How many connections would decide, the share that ends being what it was; None for too many."""
        assert self.survival is not None
        if not ended:
            return connections_needed(self.survival, confidence=self.confidence)
        low, high = opened, opened
        while not self._decides(high, opened, ended):
            low, high = high, high * 2
            if high > MOST:
                return None
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if self._decides(middle, opened, ended) else (middle, high)
        return high

    def _decides(self, connections: int, opened: int, ended: int) -> bool:
        assert self.survival is not None
        alive = connections - round(connections * ended / opened)
        return (
            lower_bound(alive, connections, confidence=self.confidence) > self.survival
            or upper_bound(alive, connections, confidence=self.confidence) < self.survival
        )

    def _drained(self, merge: FleetMerge) -> Iterator[Finding]:
        if self.drain is None:
            return
        ends = [
            each
            for each in merge.endings
            if each.fate is Fate.ROTATED or (each.fate is Fate.ENDED and not each.closed_here)
        ]
        most = self.drain.per_second
        expected = f"at most {counted(most, 'connection')} {'ends' if most == 1 else 'end'} in a second"
        yield from _too_many(Rule.DRAIN, _lagging(merge, ends), most, "ended", expected)
        codes = Counter(_ABNORMAL if each.code is None else each.code for each in ends)
        wrong = {code: number for code, number in sorted(codes.items()) if code not in self.drain.codes}
        if wrong:
            observed = ", ".join(f"{number:,} with {describe_code(code)}" for code, number in wrong.items())
            first = min(each.at for each in ends if (each.code or _ABNORMAL) in wrong)
            expected = f"all end with {' or '.join(map(str, sorted(self.drain.codes)))}"
            yield Violation(Rule.DRAIN, first, expected, observed, observed)

    def _came_back(self, merge: FleetMerge) -> Iterator[Finding]:
        if self.reconnects is None:
            return
        within = show(self.reconnects.within)
        broke = [each for each in merge.returns if each.broke]
        back = [each for each in merge.returns if each.after is not None]
        lost = [each for each in merge.returns if each.after is None and not each.broke]
        if lost:
            observed = f"{len(lost):,} of {len(lost) + len(back):,} that ended did not come back"
            expected = f"every connection that ends is open again within {within}"
            yield Violation(Rule.RECONNECTS, min(each.at for each in lost), expected, observed, observed)
        if broke:
            observed = f"{len(broke):,} of {len(back):,} that came back broke a promise and did not end"
            expected = "every connection that comes back keeps what is asked of each"
            yield Violation(Rule.RECONNECTS, min(each.at for each in broke), expected, observed, observed)
        if self.survival is None and merge.abnormal:
            observed = f"{len(merge.abnormal):,} of {merge.ends:,} ends were abnormal closures"
            yield Violation(Rule.CLOSURE, min(merge.abnormal), "no abnormal closure", observed, observed)
        if not lost and not broke and merge.returns_excused:
            yield Doubt(
                Reason.LOOP_LAG,
                f"{merge.returns_excused:,} did not come back within {within}, or broke a promise "
                "after that, while their worker lagged, or could not open or watch them",
            )
        if unseen := merge.unreturned:
            text = f"{unseen:,} of {len(merge.ended):,} that ended were not seen to come back and to stay"
            yield Doubt(Reason.UNOBSERVED if merge.is_over else Reason.TOO_SHORT, text)
        if (limit := self.reconnects.per_second) is not None:
            verb = "comes" if limit == 1 else "come"
            expected = f"at most {counted(limit, 'connection')} {verb} back in a second"
            yield from _too_many(Rule.STORM, _lagging(merge, back), limit, "came back", expected)

    def _fans_out(self, merge: FleetMerge) -> Iterator[Finding]:
        counts, times = merge.fanout, merge.fanout_times
        if self.fanout_within is None and self.fanout_p99 is None:
            return
        if not counts.messages or not times.count + counts.missing + counts.excused:
            seen = f"of {counts.messages:,} messages none had others of its worker to come to in time"
            nothing = "no message was sent on that fanout_of knows"
            yield Doubt(Reason.TOO_FEW, seen if counts.messages else nothing)
            return
        if self.fanout_within is not None and counts.late + counts.missing:
            of = times.count + counts.missing
            observed = f"{counts.late:,} of {of:,} were later, {counts.missing:,} did not come"
            expected = f"a message reaches every connection within {show(self.fanout_within)}"
            yield Violation(Rule.FANOUT, 0.0, expected, observed, f"messages that fan out: {observed}")
        elif self.fanout_within is not None and counts.excused:
            yield _lagged(counts)
        if self.fanout_p99 is not None:
            yield from self._fanout_p99(times, counts, self.fanout_p99)

    def _fanout_p99(self, times: Sample, counts: FanoutCounts, limit: float) -> Iterator[Finding]:
        missing = counts.missing
        if times.count + missing < NEEDED[0.99]:
            yield Doubt(Reason.TOO_FEW, f"{times.count:,} messages arrived: too few for a p99 (299)")
        elif observed := _over_p99(times, missing, limit):
            expected = f"99% of the connections have a message within {show(limit)}"
            yield Violation(Rule.FANOUT, 0.0, expected, observed, f"messages that fan out: {observed}")
        elif _over_p99(times, missing + counts.excused, limit):
            yield _lagged(counts)


def _over_p99(times: Sample, missing: int, limit: float) -> str:
    """What took longer than the 99th of a hundred may; empty where nothing did."""
    # What did not come is later than all that did.
    of = times.count + missing
    rank = math.ceil(0.99 * of - _SAME)
    if rank > times.count:
        return f"{missing:,} of {of:,} did not come"
    if (found := times.quantile(rank / times.count)) <= limit:
        return ""
    more = f", and {missing:,} did not come" if missing else ""
    return f"p99 {show(found)} of {times.count:,} arrivals{more}"


def _lagged(counts: FanoutCounts) -> Doubt:
    return Doubt(Reason.LOOP_LAG, f"{counts.excused:,} messages were late while their worker lagged")


def _followed(merge: FleetMerge) -> float:
    """
    How long a connection was watched at most; infinite while some are held, or where some ended.

    What has ended does not live on; but of one that was let go by plan nobody knows whether it would have.

    """
    if merge.count.open or merge.count.ended:
        return math.inf
    return max((age for age, _ in merge.lifetimes()), default=0.0)


def _lost(count: FleetCount, opened: int) -> str:
    """``12 of 100 ended and 3 broke a promise``: the latter are open, or would be."""
    ended = count.ended - count.broke
    if not ended and count.broke:
        return f"{count.broke:,} of {opened:,} broke a promise"
    broke = f" and {count.broke:,} broke a promise" if count.broke else ""
    return f"{ended:,} of {opened:,} ended{broke}"


def percent(share: float, *, apart: float | None = None) -> str:
    """A share as people read it, ``99.95%``, with the digits that tell it from another one."""
    return f"{_apart(share * 100, None if apart is None else apart * 100, digits=5)}%"


def as_written(share: float) -> str:
    """A share as somebody wrote it."""
    return f"{share * 100:.12g}%"


def _apart(number: float, other: float | None, *, digits: int) -> str:
    """A number with so many digits, or with more where these do not tell it from another one."""
    more = (f"{number:.{each}g}" for each in range(digits, 17))
    apart = (each for each in more if other is None or float(each) != float(f"{other:.12g}"))
    return next(apart, f"{number:.{digits}g}")


def _lagging(merge: FleetMerge, seen: Iterable[Ending | Return]) -> list[tuple[float, float]]:
    """Instants at which something was seen, each with how much its worker lagged then."""
    return [(each.at, merge.lag_at(each.number, each.at)) for each in seen]


def _too_many(
    rule: Rule, seen: Sequence[tuple[float, float]], limit: int, what: str, expected: str
) -> Iterator[Finding]:
    """
    Whether more was seen in a second than may be, by instants and lags.

    A worker that lagged sees at once what happened in all of that time: it excuses so much and no more.

    """
    most, at = busiest_second(at for at, lag in seen if not lag)
    lagged = 0.0
    if most <= limit:
        most, at = busiest_second(at for at, _ in seen)
        lagged = max((lag for instant, lag in seen if at <= instant < at + 1.0), default=0.0)
    observed = f"{most:,} {what} in the second from {show(at)} on"
    if most > limit * math.ceil(1.0 + lagged):
        yield Violation(rule, at, expected, observed, observed)
    elif most > limit:
        yield Doubt(Reason.LOOP_LAG, f"{observed}, while their worker lagged {show(lagged)}")


def busiest_second(instants: Iterable[float]) -> tuple[int, float]:
    """The most ends in any second, and when it began; (0, 0.0) for none."""
    ordered = sorted(instants)
    most, began, first = 0, 0.0, 0
    for place, at in enumerate(ordered):
        while at - ordered[first] >= 1.0:
            first += 1
        if place - first + 1 > most:
            most, began = place - first + 1, ordered[first]
    return most, began


def _unobserved(merge: FleetMerge, *, whole: bool = True) -> str:
    """Of whom nobody knows whether they lived: those that were not watched, and those that were in doubt."""
    count, doubted = merge.count, merge.doubted[1] if merge.doubted is not None else 0
    told = merge.reasons[: 3 if whole else min(doubted, 1)]
    if unseen := count.unobserved - doubted:
        told = [f"{unseen:,} of {count.planned:,} connections were not observed to their end", *told]
    return "; ".join(told)

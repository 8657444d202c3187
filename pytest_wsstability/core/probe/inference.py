"""What the ends of a ladder's connections mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..duration import show_duration as show
from ..timeline.events import Tier
from . import lengths
from .findings import Advice, Findings, FoundTimer, Policy, TimerKind, safe_interval, unsafe_interval
from .observation import Observation, RungFate
from .policy import classify, matrix, tolerance
from .rungs import Traffic

# Our own loop may stand still for so long, as a share of what was measured, before nothing is believed.
_LAG_SHARE = 0.05
# Connections of different ages that end within so many seconds of each other: one event.
_TOGETHER = 0.3
# A timer was survived by who lived so many times as long.
SURVIVED = 2.0
# Of a connection that asks now and then, so many questions without an answer before its end.
_UNANSWERED = 2.0
# A server that ends who does not answer has asked so often by then; one that asks on has not ended anybody.
_ASKED = 2
# A refusal comes this soon, in seconds, after what is refused.
_REFUSED_WITHIN = 1.0

_KINDS = {Policy.PONGS: TimerKind.READ_DEADLINE, Policy.OWN_PONG: TimerKind.KEEPALIVE}
# What is advised, the profile's own heartbeat first.
_ADVISED = (Traffic.HEARTBEAT, Traffic.PING, Traffic.PONG, Traffic.TEXT)


def infer(observations: Sequence[Observation], *, tier: Tier = Tier.REAL) -> Findings:
    """
    Find the timers.

    Args:
        observations: what became of each connection of the `ladder`, and of those of `waits`.
        tier: the clock that they lived by.

    """
    ladder = _Ladder(observations)
    age = ladder.max_age()
    silence, resets = ladder.silence_timers(age)
    timers = sorted([*silence, *([age] if age else [])], key=lambda timer: timer.seconds)
    return Findings(
        timers=tuple(timers),
        resets=resets,
        advice=ladder.advice(silence, resets, age),
        server_ping_every=ladder.server_ping_every(),
        horizon=max((each.age for each in observations), default=0.0),
        tier=tier,
        observations=tuple(observations),
        notes=tuple(ladder.notes),
        doubts=(*ladder.doubts, *_lag(observations)),
    )


def _lag(observations: Sequence[Observation]) -> list[str]:
    seen = [each for each in observations if each.fate is not RungFate.NOT_OPENED]
    worst = max((each.lag for each in seen), default=0.0)
    shortest = min((each.age for each in seen if each.gone), default=float("inf"))
    if worst <= max(0.5, _LAG_SHARE * min(shortest, 60.0)):
        return []
    return [f"our own event loop stood still for {show(worst)}, so the times are not the server's"]


class _Ladder:
    """The connections by what they do."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        self.notes: list[str] = []
        # What died of the first timer though it seems to have outlived it: see `_later`.
        self.next_look: set[Traffic] = set()
        self.doubts: list[str] = []
        seen = [each for each in observations if each.fate is not RungFate.NOT_OPENED]
        self.trials = [each for each in seen if each.rung.trial]
        self.again = [each for each in seen if each.rung.again]
        self.all = [each for each in seen if not each.rung.trial and not each.rung.again]
        self.quiet = self._one(Traffic.SILENCE, answers=True)
        self.mute = self._one(Traffic.SILENCE, answers=False)
        self.everything = self._one(Traffic.ALL, answers=True)
        self.slow = [each for each in self.all if each.rung.slow]
        self.refused = self._refused()
        self.busy = {
            each.rung.traffic: each
            for each in self.all
            if not each.rung.answers and each.rung.every is not None and each not in self.refused
        }
        self._note_unopened(observations)
        self._doubt()

    def _note_unopened(self, observations: Sequence[Observation]) -> None:
        unopened = [each for each in observations if each.fate is RungFate.NOT_OPENED]
        if unopened:
            self.notes.append(
                f"{len(unopened)} of {len(observations)} connections did not open: {unopened[0].detail}"
            )

    def _doubt(self) -> None:
        """What makes the whole ladder doubtful, whatever its connections show."""
        if self.mute is None or self.everything is None:
            self.doubts.append("a connection that the others are compared with did not open")
        if self._turned_away():
            self.doubts.append(
                f"the server ends each connection at once, before it has said a word: {self.all[0].detail}"
            )
        if any(each.fate is RungFate.LOST for each in self.all) and not any(each.pongs for each in self.all):
            self.doubts.append(
                "the server answers no pings, so a connection lost without a word cannot be told"
            )
        if self._restarted():
            self.doubts.append("connections of different ages ended together: a restart, and no timer")

    def _one(self, traffic: Traffic, *, answers: bool) -> Observation | None:
        rungs = (each for each in self.all if not each.rung.slow)
        return next((e for e in rungs if e.rung.traffic is traffic and e.rung.answers is answers), None)

    def _refused(self) -> list[Observation]:
        """Those that the server closed for what they said: right after their first words, as no other."""
        silent = self.mute.age if self.mute is not None else 0.0
        refused = []
        for each in self.all:
            every = each.rung.every
            if each.rung.slow or every is None or each.fate is not RungFate.ENDED or each.code is None:
                continue
            if every <= each.age <= every + _REFUSED_WITHIN and silent > each.age + tolerance(each.age):
                refused.append(each)
                self.notes.append(f"the server refuses {each.rung.traffic.value}: {each.detail}")
        return refused

    def _turned_away(self) -> bool:
        """Whether all were ended before they had said a word, as for credentials that are wrong."""
        return bool(self.all) and all(
            each.fate is RungFate.ENDED
            and each.age <= min(each.rung.every or _REFUSED_WITHIN, _REFUSED_WITHIN)
            for each in self.all
        )

    def _restarted(self) -> bool:
        ended = [each for each in self.all if each.fate is RungFate.ENDED and each not in self.refused]
        if len(ended) < 3 or len(ended) < len(self.all) - len(self.refused):
            # Somebody outlived it.
            return False
        instants = [each.ended_at for each in ended]
        ages = [each.age for each in ended]
        together = max(instants) - min(instants) <= _TOGETHER < (max(ages) - min(ages)) / 2
        return together and not self._repeats(ages)

    def _repeats(self, ages: Sequence[float]) -> bool:
        """Whether what was opened afterwards ended at the same ages, but for one look of the server."""
        low, high = min(ages) - lengths.LONGEST_TICK, max(ages) + lengths.LONGEST_TICK
        return bool(self.again) and all(each.gone and low <= each.age <= high for each in self.again)

    def server_ping_every(self) -> float | None:
        """Seconds between two pings of the server, or from the opening to the one that was seen."""
        first = [each.first_server_ping for each in self.all]
        found = [every for every in (*(e.server_ping_every for e in self.all), *first) if every is not None]
        return found[0] if found else None

    # The maximum age.

    def max_age(self) -> FoundTimer | None:
        """What ends the connection that says everything and answers everything."""
        busiest = self.everything
        if busiest is None or not busiest.gone or busiest in self.refused or self.doubts:
            return None
        if (busiest.rung.every or 0.0) > 0.5 * busiest.age and busiest.fate is RungFate.ENDED:
            # It said too little for so short a life.
            return None
        alike = self._ended_like(busiest)
        tick = lengths.tick(alike)
        if self.again:
            # Two rounds at other instants of the server's clock: what their ages differ by is its tick too.
            tick = max(tick, max(each.age for each in alike) - min(each.age for each in alike))
        near = tolerance(busiest.age) + tick
        if any(each.age > busiest.age + near for each in self.all):
            self.doubts.append(
                f"{busiest.rung.name} ended alone, at {show(busiest.age)}: {busiest.detail or 'lost'}"
            )
            return None
        middle, error = lengths.length(
            [each.age for each in alike if abs(each.age - busiest.age) <= near], tick
        )
        if tick:
            self._note_looks()
        if busiest.fate is RungFate.LOST:
            self.notes.append("a path that died for all at that moment would look the same: probe again")
            # It was alive at its last sign of life, and not at the next that was due.
            late = (busiest.rung.every or 0.0) / 2
            return _maximum_age(middle + late, error + late, silent=True)
        if (bounds := _answered_until(alike, busiest.rung.every)) is not None:
            seconds = sum(bounds) / 2
            return _maximum_age(seconds, (bounds[1] - bounds[0]) / 2, told_late=middle - seconds)
        return _maximum_age(middle, error)

    def _ended_like(self, busiest: Observation) -> list[Observation]:
        """Those that ended as it did, at its age or at its instant, or later."""
        least = busiest.age - tolerance(busiest.age)
        return [
            each
            for each in [*self.all, *self.again]
            if each.fate is busiest.fate
            and each not in self.refused
            and (each.age >= least or abs(each.ended_at - busiest.ended_at) <= lengths.AT_ONCE)
        ]

    # The timers that end what says too little.

    def silence_timers(self, age: FoundTimer | None) -> tuple[list[FoundTimer], dict[Traffic, bool | None]]:
        """What ends the connection that says nothing, and the traffic that keeps one alive."""
        mute = self.mute
        if mute is None or self.doubts:
            return [], {}
        if not mute.gone:
            self._note_odd_ends(age)
            return [], {}
        if age is not None and (
            mute.fate is RungFate.LOST or mute.age >= age.seconds - tolerance(age.seconds)
        ):
            return [], {}
        if (asked := self._asked_in_messages(mute)) is not None:
            return [
                FoundTimer(
                    kind=TimerKind.KEEPALIVE, seconds=mute.age - asked, error=0.0, policy=Policy.OWN_ANSWER
                )
            ], {}
        later = self._later(mute, age)
        first, resets = self._first(mute, {each.rung.traffic for each in later})
        second, not_enough = self._second(later, resets)
        for kind in not_enough:
            resets[kind] = False
        return [timer for timer in (first, second) if timer], resets

    def _asked_in_messages(self, mute: Observation) -> float | None:
        """When the server first asked in a message, if it ends who does not answer; else None."""
        quiet, asked = self.quiet, mute.server_heartbeats
        if quiet is None or mute.fate is not RungFate.ENDED or mute.server_pings or len(asked) > _ASKED:
            return None
        # Who says nothing but answers lives on, and control frames are none: else any byte may have helped.
        outlived = quiet.age > mute.age + 2 * tolerance(mute.age)
        resets = matrix(self.busy, mute)
        told = outlived and resets.get(Traffic.PING) is False and resets.get(Traffic.PONG) is False
        return asked[0] if told and asked else None

    def _first(
        self, mute: Observation, outlived: set[Traffic]
    ) -> tuple[FoundTimer | None, dict[Traffic, bool | None]]:
        resets = {
            kind: kind not in self.next_look and (kind in outlived or reset)
            for kind, reset in matrix(self.busy, mute).items()
        }
        policy = classify(resets, self.busy, mute)
        if policy is Policy.UNKNOWN:
            self.doubts.append(
                f"silence ends after {show(mute.age)}, and no busy connection tells what prevents it: "
                "send more often (--every)"
            )
        if mute.fate is RungFate.LOST:
            return self._between(policy, resets), resets
        return self._seen(mute, policy, resets), resets

    def _later(self, mute: Observation, age: FoundTimer | None) -> list[Observation]:
        """Busy ones that outlived the first timer and died together of something else than their age."""
        if mute.fate is RungFate.LOST:
            return []
        later = [
            each
            for each in self.busy.values()
            if each.fate is RungFate.ENDED
            and each.age - mute.age >= max(2 * tolerance(mute.age), each.rung.every or 0.0)
            and not (age is not None and abs(each.age - age.seconds) <= tolerance(age.seconds))
        ]
        if lengths.tick([mute, *later]):
            self._note_looks()
            self.next_look = {each.rung.traffic for each in later}
            return []
        together = [each for each in later if abs(each.age - later[0].age) <= tolerance(later[0].age)]
        if len(later) < 2 or len(together) < len(later):
            self.notes += [f"{e.rung.name} ended alone, at {show(e.age)}: {e.detail}" for e in later]
            return []
        return later

    def _second(
        self, later: Sequence[Observation], resets: Mapping[Traffic, bool | None]
    ) -> tuple[FoundTimer | None, list[Traffic]]:
        """Behind the first timer, one that part of the traffic does not reset."""
        if not later:
            return None, []
        kinds = [each.rung.traffic for each in later]
        rest = {kind: kind not in kinds for kind, reset in resets.items() if reset}
        policy = classify(rest, self.busy, later[0])
        middle, error = lengths.length([each.age for each in later], 0.0)
        timer = FoundTimer(
            kind=_KINDS.get(policy, TimerKind.IDLE), seconds=middle, error=error, policy=policy
        )
        return timer, kinds

    def _seen(self, mute: Observation, policy: Policy, resets: Mapping[Traffic, bool | None]) -> FoundTimer:
        dead = [mute, *(self.busy[kind] for kind, reset in resets.items() if reset is False)]
        if not mute.server_pings:
            dead += self._silent_too()
        lives = [each.age - _since(each, policy) for each in dead]
        tick = lengths.tick(dead)
        near = tolerance(lives[0]) + tick
        middle, error = lengths.length([each for each in lives if abs(each - lives[0]) <= near], tick)
        first = mute.first_server_ping
        late = 0.0
        silent = lengths.bracket(self.all, resets) if any(each.pongs for each in self.all) else None
        if silent is not None and silent[1] < min(lives) - tolerance(lives[0]):
            late = min(lives) - silent[1]
            middle, error = (silent[0] + silent[1]) / 2, (silent[1] - silent[0]) / 2
        unsure = 0.0 if policy in _FROM_OPENING or late else _since(mute, policy) / 2
        if 2 * unsure > tolerance(mute.age):
            # It counts from what came last, or, if that resets nothing, from the opening.
            middle += unsure
        return FoundTimer(
            kind=_KINDS.get(policy, TimerKind.IDLE),
            seconds=middle,
            error=max(error, unsure),
            policy=policy,
            told_late=late,
            after_ping=mute.age - first if first is not None else None,
            answering_helps=self._answering_helps(),
        )

    def _silent_too(self) -> list[Observation]:
        """Others that ended in silence: who answers, where nothing was asked, and who had not pinged yet."""
        waiting = [each for each in self.slow if each.age < (each.rung.every or 0.0)]
        quiet = [self.quiet] if self.quiet is not None else []
        return [each for each in (*quiet, *waiting) if each.fate is RungFate.ENDED]

    def _between(self, policy: Policy, resets: Mapping[Traffic, bool | None]) -> FoundTimer | None:
        """A timer that tells nobody."""
        found = lengths.bracket(self.all, resets)
        if found is None:
            self.doubts.append(
                "silent connections were lost without a word, after a silence whose length cannot be told"
            )
            return None
        low, high = found
        return FoundTimer(
            kind=_KINDS.get(policy, TimerKind.IDLE),
            seconds=(low + high) / 2,
            error=(high - low) / 2,
            policy=policy,
            silent=True,
            answering_helps=self._answering_helps(),
        )

    def _answering_helps(self) -> bool:
        quiet, mute = self.quiet, self.mute
        return bool(quiet and mute and mute.server_pings and quiet.fate is RungFate.ALIVE)

    def _note_looks(self) -> None:
        note = (
            "connections of different ages ended at one instant: the server looks at all of them at once, so "
            "their ages depend on when they opened"
        )
        if note not in self.notes:
            self.notes.append(note)

    # What is advised, and what came of it.

    def advice(
        self, timers: Sequence[FoundTimer], resets: Mapping[Traffic, bool | None], age: FoundTimer | None
    ) -> tuple[Advice, ...]:
        """How often to send what keeps a connection alive; what was tried and died is not advised."""
        least = min((timer.least for timer in timers), default=0.0)
        if least <= 0:
            return ()
        unsafe, longest = unsafe_interval(least), max(timer.seconds + timer.error for timer in timers)
        found = []
        for kind in (kind for kind in _ADVISED if resets.get(kind)):
            tried = [each for each in self.trials if each.rung.traffic is kind]
            dead = [each for each in tried if each.gone and not _of_age(each, age)]
            lived = [each for each in tried if each not in dead and each.age >= SURVIVED * longest]
            self.notes += [f"{each.rung.name} did not keep it alive: {_at(each)}" for each in dead]
            if lived:
                best = max(lived, key=lambda each: each.rung.every or 0.0)
                found.append(Advice(kind, best.rung.every or 0.0, unsafe, best.age))
            elif not dead:
                found.append(Advice(kind, safe_interval(least), unsafe))
        return tuple(found)

    def _note_odd_ends(self, age: FoundTimer | None) -> None:
        for each in self.all:
            if each.gone and each not in self.refused and not _of_age(each, age):
                self.notes.append(f"{each.rung.name} ended alone, at {show(each.age)}: {each.detail}")


# These timers start with the opening, as nothing that resets them was said by one that is silent.
_FROM_OPENING = frozenset({Policy.PONGS, Policy.OWN_PONG, Policy.HEARTBEATS, Policy.PINGS, Policy.NOTHING})


def _since(one: Observation, policy: Policy) -> float:
    """From when the timer ran that ended a connection whose own traffic did not reset it."""
    if policy in _FROM_OPENING:
        return 0.0
    if policy is Policy.CLIENT:
        return one.last_sent
    if policy is Policy.ANY or (one.rung.traffic is Traffic.SILENCE and not one.server_pings):
        return one.last
    # What else it said did not count, but for the session's few messages.
    return one.last_message if one.rung.traffic is not Traffic.TEXT else 0.0


def _of_age(one: Observation, age: FoundTimer | None) -> bool:
    """Whether it ended at the maximum age."""
    if age is None:
        return False
    return abs(one.age - age.told_late - age.seconds) <= tolerance(age.seconds) + age.error


def _maximum_age(seconds: float, error: float, *, silent: bool = False, told_late: float = 0.0) -> FoundTimer:
    """A maximum age, which no traffic resets."""
    return FoundTimer(
        kind=TimerKind.MAX_AGE, seconds=seconds, error=error, policy=Policy.NOTHING, silent=silent,
        told_late=told_late,
    )  # fmt: skip


def _at(one: Observation) -> str:
    return f"it ended at {show(round(one.age, 2))}: {one.detail or 'lost'}"


def _answered_until(alike: Sequence[Observation], quick: float | None) -> tuple[float, float] | None:
    """The ages up to and from which nothing was answered, where the end was told later; else None."""
    asking = [
        (each, every)
        for each in alike
        if each.pongs and (every := each.rung.every) and every <= (quick or 0.0)
    ]
    if not asking or any(each.age - each.last_received < _UNANSWERED * every for each, every in asking):
        return None
    low = max(each.last_received for each, _ in asking)
    return low, max(low, min(each.last_received + every for each, every in asking))

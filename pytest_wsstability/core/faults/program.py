"""A fault program: what is done to each connection, and when. A value: printed, sent and replayed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from ..duration import Duration, parse_duration, show_duration
from ..number import is_whole
from .catalogue import fault_of
from .contradictions import contradiction
from .fault import Fault, Place
from .space import ANY_PROFILE, SPACE, OneOf, compatible, made

# What users may write for one step.
ScheduledFault = Fault | tuple[Duration, Fault] | list[Any]

# A random program: how often another fault is drawn for one that fits, and how many are due at the opening.
_TRIES = 10
_AT_ONCE = 0.3
_STEP = 'a fault such as faults.Drop(), or a pair such as ("5s", faults.Drop())'


@dataclass(frozen=True, slots=True)
class Step:
    """A fault and when it is applied: seconds since the connection was opened."""

    when: float
    fault: Fault

    def __str__(self) -> str:
        return f"{self.fault!r} at {show_duration(self.when)}"


@dataclass(frozen=True, slots=True)
class AppliedFault:
    """
    A fault that was applied to a connection.

    Instants are seconds since the connection was opened. Timers of faults (idle timeout, age) count as
    applied when they run out, and what counts bytes when it has counted.

    """

    fault: Fault
    # Which connection, counted from 0 in the order of arrival.
    connection: int
    planned: float
    at: float

    @property
    def lateness(self) -> float:
        """Seconds between the planned and the actual instant; 0.0 in virtual time."""
        # What is left of a difference of two readings of a clock is no time.
        return round(self.at - self.planned, 9)

    def __str__(self) -> str:
        late = f", {show_duration(self.lateness)} late" if self.lateness else ""
        return f"{self.fault!r} at {show_duration(self.planned)} on connection {self.connection}{late}"


@dataclass(frozen=True, slots=True, repr=False)
class Program:
    """
    Faults in the order in which they are applied to a connection. `Program.of` makes and checks one.

    Its `repr` makes the same program again; where something is random (jitter), ``seed`` decides.

    """

    # By time; those of one instant in the order in which they were given.
    steps: tuple[Step, ...] = ()
    seed: int = 0
    # Only the first so many connections get them; None: each one.
    connections: int | None = None

    @classmethod
    def of(
        cls,
        faults: Program | ScheduledFault | Iterable[ScheduledFault] = (),
        *,
        seed: int = 0,
        connections: int | None = None,
    ) -> Program:
        """
        A program from what people write.

        Args:
            faults: faults, which are applied at once, and ``(when, fault)`` pairs, ``when`` counted from the
                opening of the connection; a `Program` is taken as it is.
            seed: decides what is random.
            connections: apply them to the first so many connections only, so that a reconnect goes well.

        Raises:
            TypeError: for what is no fault.
            ValueError: for a wrong time, or for faults that contradict each other.

        """
        if isinstance(faults, Program):
            return faults
        if not is_whole(seed):
            raise TypeError(f"seed: {seed!r} is no whole number")
        if connections is not None and not is_whole(connections, 1):
            raise ValueError(f"connections: {connections!r} is not a number of connections; give 1 or more")
        steps = sorted(_steps(faults), key=lambda step: step.when)
        if reason := contradiction([(step.when, step.fault) for step in steps]):
            raise ValueError(f"faults: {reason}")
        return cls(tuple(steps), seed, connections)

    @classmethod
    def random(
        cls,
        seed: int,
        *,
        within: Duration = "30s",
        most: int = 5,
        kinds: Iterable[type[Fault]] | None = None,
        connections: int | None = None,
    ) -> Program:
        """
        A random program: the same seed makes the same one.

        Args:
            seed: decides everything.
            within: the time in which all of it is applied.
            most: how many faults at most; one at least.
            kinds: classes of faults to choose from; None: all but those that need a profile with what they
                act on.
            connections: see `of`.

        Raises:
            TypeError, ValueError: for a keyword that makes no sense, naming it.

        """
        end = parse_duration(within, "within")
        if not is_whole(most, 1):
            raise ValueError(f"most: {most!r} is not a number of faults; give 1 or more")
        choice = list(ANY_PROFILE if kinds is None else kinds)
        if not choice or (wrong := [kind for kind in choice if kind not in SPACE]):
            raise TypeError(f"kinds: {wrong[0]!r} is no class of faults" if choice else "kinds: is empty")
        rng = Random(seed)
        wanted = rng.randint(1, most)
        drawn: list[tuple[float, Fault]] = []
        for _ in range(_TRIES * wanted):
            if len(drawn) == wanted:
                break
            # Some happen at the opening only, and the opening has the most to break.
            when = 0.0 if rng.random() < _AT_ONCE else round(rng.uniform(0.0, end), 3)
            drawn = compatible([*drawn, (when, _drawn(rng.choice(choice), rng))])
        if not drawn:
            raise ValueError(f"kinds: nothing of {', '.join(kind.__name__ for kind in choice)} stands alone")
        return cls.of(drawn, seed=seed, connections=connections)

    def __repr__(self) -> str:
        steps = ", ".join(f"({step.when!r}, {step.fault!r})" for step in self.steps)
        seed = f", seed={self.seed}" if self.seed else ""
        connections = f", connections={self.connections}" if self.connections is not None else ""
        return f"faults.Program.of([{steps}]{seed}{connections})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The same for IPython's printer, which Hypothesis uses."""
        printer.text(repr(self))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    @property
    def link(self) -> Program:
        """The part that is done to the way between the ends."""
        return self._only(Place.LINK)

    @property
    def peer(self) -> Program:
        """The part that the server does."""
        return self._only(Place.PEER)

    @property
    def end(self) -> float:
        """The age of a connection in seconds at which the last fault was applied, with what it waits for."""
        return max(map(_applied_at, self.steps), default=0.0)

    def _only(self, place: Place) -> Program:
        return replace(self, steps=tuple(step for step in self.steps if step.fault.place is place))

    def applies_to(self, number: int) -> bool:
        """Whether the connection with this number, counted from 0, gets any of it."""
        return bool(self.steps) and (self.connections is None or number < self.connections)

    def check_within(self, hold: float) -> None:
        """
        See that every fault is due during a hold of so many seconds.

        Raises:
            ValueError: naming the first that does not.

        """
        for step in self.steps:
            at = max(step.when, getattr(step.fault, "at", 0.0))
            if at >= hold:
                raise ValueError(
                    f"faults: {step.fault!r} at {show_duration(at)} would never be applied, because the hold "
                    f"ends after {show_duration(hold)}"
                )

    def as_dict(self) -> dict[str, Any]:
        """The program as builtin values, for JSON."""
        steps = [{"when": step.when, **step.fault.as_dict()} for step in self.steps]
        return {"seed": self.seed, "connections": self.connections, "steps": steps}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Program:
        """
        What `as_dict` gave; ``seed``, ``connections`` and each ``when`` may be left out.

        Raises:
            TypeError, ValueError: for what is no program, naming it.

        """
        if not isinstance(data, Mapping) or not isinstance(data.get("steps", ()), list | tuple):
            raise TypeError('faults: a program in JSON is an object with "steps", a list')
        if unknown := [name for name in data if name not in ("seed", "connections", "steps")]:
            raise ValueError(f"faults: unknown key {unknown[0]!r}; valid ones: seed, connections, steps")
        pairs = [_from_dict(position, step) for position, step in enumerate(data.get("steps", ()))]
        return cls.of(pairs, seed=data.get("seed", 0), connections=data.get("connections"))


def _applied_at(step: Step) -> float:
    later: float = getattr(step.fault, "seconds", 0.0)
    return max(step.when + later, getattr(step.fault, "at", 0.0))


def _drawn(kind: type[Fault], rng: Random) -> Fault:
    values: dict[str, Any] = {}
    for name, each in SPACE[kind].items():
        if isinstance(each, OneOf):
            values[name] = rng.choice(each.values)
        elif isinstance(each.low, int):
            values[name] = rng.randint(each.low, int(each.high))
        else:
            values[name] = round(rng.uniform(each.low, each.high), 3)
    return made(kind, **values)


def _from_dict(position: int, data: Any) -> tuple[Duration, Fault]:
    where = f"faults[{position}]"
    if not isinstance(data, Mapping) or "fault" not in data:
        raise TypeError(f'{where}: {data!r} is no step; give an object with "fault" and "when"')
    values = {str(name): value for name, value in data.items()}
    try:
        when = values.pop("when", 0.0)
        return when, fault_of(values.pop("fault"), values)
    except ValueError as exc:
        raise ValueError(f"{where}: {exc}") from None


def _steps(faults: ScheduledFault | Iterable[ScheduledFault]) -> Iterator[Step]:
    if isinstance(faults, Fault):
        yield Step(0.0, faults)
        return
    if isinstance(faults, str | bytes | Mapping) or not isinstance(faults, Iterable):
        raise TypeError(f"faults: {_no_fault(faults)}")
    for position, written in enumerate(faults):
        yield _step(f"faults[{position}]", written)


def _step(where: str, written: Any) -> Step:
    if isinstance(written, Step):
        return written
    if isinstance(written, tuple | list):
        if len(written) != 2 or isinstance(written[0], Fault):
            raise TypeError(f"{where}: {written!r} is no pair of a time and a fault; give {_STEP}")
        fault = checked_fault(written[1], where)
        return Step(parse_duration(written[0], where, zero=True), fault)
    return Step(0.0, checked_fault(written, where))


def checked_fault(written: Any, where: str = "fault") -> Fault:
    """
    A single fault, as it is.

    Raises:
        TypeError: if it is none.

    """
    if not isinstance(written, Fault):
        raise TypeError(f"{where}: {_no_fault(written)}")
    return written


def _no_fault(written: Any) -> str:
    if isinstance(written, type) and issubclass(written, Fault):
        return f"faults.{written.__name__} is a class; give one of it, such as {written.example()}"
    return f"{written!r} is no fault; give {_STEP}"

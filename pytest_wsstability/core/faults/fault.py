"""What all faults have in common: a name, a repr that can be pasted back, a form for JSON."""

from __future__ import annotations

import dataclasses
import inspect
import math
from collections.abc import Iterable
from enum import Enum
from typing import Any, ClassVar, Self, TypeVar

from ..number import is_number, is_whole
from ..timeline.events import FaultName

Member = TypeVar("Member", bound=Enum)


class Place(Enum):
    """Where a fault is done."""

    # On the way between the ends.
    LINK = "link"
    # By an end that misbehaves.
    PEER = "peer"


class Flow(Enum):
    """The bytes of one direction, or all."""

    # From the client to the server.
    UPSTREAM = "upstream"
    # From the server to the client.
    DOWNSTREAM = "downstream"
    BOTH = "both"

    @property
    def directions(self) -> tuple[Flow, ...]:
        """The single directions."""
        return (Flow.UPSTREAM, Flow.DOWNSTREAM) if self is Flow.BOTH else (self,)


@dataclasses.dataclass(frozen=True, slots=True)
class FaultLabel:
    """How a fault is called on the record of the connection that it ended."""

    text: str
    # What would have kept the connection open; None where that is not known.
    advice: str | None = None


@dataclasses.dataclass(frozen=True, init=False)
class Fault:
    """Something done to a connection on purpose; durations are seconds, sizes are bytes."""

    # How the fault is called in JSON, on timelines and in reports.
    name: ClassVar[FaultName]
    place: ClassVar[Place]
    # Whether the connection is over once the fault was applied.
    ends: ClassVar[bool] = False
    # Whether it takes from a client the signs that its peer lives: an end, silence, or withheld answers.
    is_loss: ClassVar[bool] = False
    # Whether bytes wait in the link for its sake.
    keeps_back: ClassVar[bool] = False

    def _set(self, **values: Any) -> None:
        # Frozen, as all values here; the constructors convert what people write.
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self._values().items())
        return f"faults.{type(self).__name__}({shown})"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """The same for IPython's printer, which Hypothesis uses."""
        printer.text(repr(self))

    def _values(self) -> dict[str, Any]:
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}

    def as_dict(self) -> dict[str, Any]:
        """The fault as builtin values: ``{"fault": "latency", "delay": 0.08, "jitter": 0.0}``."""
        return {"fault": self.name.value, **self._values()}

    def __init_subclass__(cls) -> None:
        # Without this, @dataclass would write a repr that says neither where the class is nor how to make it.
        cls.__repr__ = Fault.__repr__  # type: ignore[method-assign]

    @classmethod
    def example(cls) -> str:
        """How the fault is written, with the names of what it takes: ``faults.Stall(seconds)``."""
        return f"faults.{cls.__name__}({', '.join(field.name for field in dataclasses.fields(cls))})"

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """
        A fault of this class from what it takes, by name, as `as_dict` gives it.

        Raises:
            ValueError: for a parameter that it does not have, one that is missing, or a wrong value.

        """
        valid = [field.name for field in dataclasses.fields(cls)]
        for name in values:
            if name not in valid:
                has = f"valid ones: {', '.join(valid)}" if valid else "it takes none"
                raise ValueError(f"{cls.name}: unknown parameter {name!r}; {has}")
        try:
            return cls(**values)
        except TypeError:
            given = ", ".join(values) or "nothing"
            parameters = inspect.signature(cls).parameters.values()
            needed = [each.name for each in parameters if each.default is each.empty]
            raise ValueError(f"{cls.name}: needs {', '.join(needed)}; got {given}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, frozenset):
        return sorted(_plain(each) for each in value)
    return value


# What the constructors convert with; `name` is "Class.field".


def whole(value: Any, name: str, *, least: int, unit: str) -> int:
    """A whole number, such as bytes."""
    if not is_whole(value, least):
        raise ValueError(f"{name}: {value!r} is not a number of {unit}; give a whole number from {least}")
    return value


def positive(value: Any, name: str, *, unit: str) -> float:
    """A number above 0, such as a rate."""
    if not is_number(value) or not 0 < value < math.inf:
        raise ValueError(f"{name}: {value!r} is not a number of {unit} above 0")
    return float(value)


def member(value: Any, name: str, members: type[Member]) -> Member:
    """One of a closed set, by its value."""
    try:
        return members(value)
    except ValueError:
        valid = ", ".join(repr(each.value) for each in members)
        raise ValueError(f"{name}: {value!r} is unknown; valid ones: {valid}") from None


def some(values: Any, name: str, members: type[Member]) -> frozenset[Member]:
    """Some of a closed set, one or an iterable of them."""
    several = isinstance(values, Iterable) and not isinstance(values, str)
    found = frozenset(member(value, name, members) for value in (values if several else [values]))
    if not found:
        valid = ", ".join(repr(each.value) for each in members)
        raise ValueError(f"{name}: is empty; valid ones: {valid}, or several in a set")
    return found


def text(value: Any, name: str) -> str:
    """Text."""
    if not isinstance(value, str):
        raise ValueError(f"{name}: {value!r} is not text")
    return value

"""Let the time module follow the virtual clock, for code that does not ask the loop."""

from __future__ import annotations

import asyncio
import copyreg
import datetime
import threading
import time
import typing
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

_RealDatetime = datetime.datetime
# What forgets the types that `typing` has made of others and gives again: it has no public name.
_FORGETTING = "_cleanups"


class _FollowsReal(type):
    """
    Makes ``isinstance(x, datetime.datetime)`` true for the real ones, and the class itself equal to theirs.

    A library that is imported meanwhile may look types up in a table (pydantic), and outlives this class.

    """

    def __eq__(cls, other: object) -> bool:
        return other is cls or other is _RealDatetime

    def __hash__(cls) -> int:
        return hash(_RealDatetime)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _RealDatetime)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, _RealDatetime)


class _VirtualDatetime(_RealDatetime, metaclass=_FollowsReal):
    """Reads the patched clock and makes real datetimes."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return _RealDatetime(*args, **kwargs)

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Any:
        return _RealDatetime.fromtimestamp(time.time(), tz)

    @classmethod
    def today(cls) -> Any:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Any:
        return _RealDatetime.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Callable[[Any], Any]) -> Any:
        # Models of pydantic that are made meanwhile, as with a library's first import, outlive this class.
        return handler(_RealDatetime)


# It is `datetime.datetime` as long as it stands there, for `pickle` too.
_VirtualDatetime.__module__, _VirtualDatetime.__qualname__ = (
    _RealDatetime.__module__,
    _RealDatetime.__qualname__,
)


def _reduced(value: datetime.datetime) -> tuple[Any, ...]:
    """A real datetime as `pickle` writes it, under the name that its class has lost meanwhile."""
    return _VirtualDatetime, value.__reduce_ex__(4)[1]


@contextmanager
def patched_time(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """
    Let wall clock and monotonic clock follow the loop, in this thread only.

    Patched are ``time.time``, ``time.monotonic``, their ``_ns`` forms, and ``now``, ``today`` and ``utcnow``
    of ``datetime.datetime``. They start at the real time.

    It replaces attributes of the modules `time` and `datetime`. So it cannot reach names imported before
    (``from time import monotonic``, ``from datetime import datetime``) nor clocks read in C, such as file
    times and TLS certificates. ``time.perf_counter`` and ``time.sleep`` stay real.

    """
    owner = threading.get_ident()
    start = loop.time()

    def following(real: Callable[[], float]) -> Callable[[], float]:
        origin = real() - start
        return lambda: origin + loop.time() if threading.get_ident() == owner else real()

    def following_ns(real: Callable[[], int]) -> Callable[[], int]:
        origin = real() - round(start * 1e9)
        return lambda: origin + round(loop.time() * 1e9) if threading.get_ident() == owner else real()

    with ExitStack() as stack:
        # What is made later of the real one is not to be what was made of the other, which is equal to it.
        stack.callback(_forget_types)
        for name in ("time", "monotonic"):
            stack.enter_context(patch.object(time, name, following(getattr(time, name))))
            stack.enter_context(patch.object(time, f"{name}_ns", following_ns(getattr(time, f"{name}_ns"))))
        stack.enter_context(patch.object(datetime, "datetime", _VirtualDatetime))
        stack.enter_context(patch.dict(copyreg.dispatch_table, {_RealDatetime: _reduced}))
        yield


def _forget_types() -> None:
    for forget in getattr(typing, _FORGETTING, ()):
        forget()

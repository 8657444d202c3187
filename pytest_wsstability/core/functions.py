"""Functions that people give, such as an application, or what reads a message."""

from __future__ import annotations

import inspect


def is_coroutine_function(function: object) -> bool:
    """Whether a call gives a coroutine: it, or a method of its class, is ``async def``."""
    return any(map(inspect.iscoroutinefunction, _called(function)))


def gives_later(function: object) -> bool:
    """
    Whether what a function gives has to be awaited or iterated first.

    As a truth value that is always true: an ``async def`` that compares would match every message.

    """
    kinds = (inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return is_coroutine_function(function) or any(
        is_kind(way) for is_kind in kinds for way in _called(function)
    )


def _called(function: object) -> tuple[object, object]:
    """What a call runs: of an object it is a method; a partial and a bound method are looked into."""
    return function, getattr(function, "__call__", None)  # noqa: B004

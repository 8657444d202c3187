"""Functions that people give, such as what reads a message."""

from __future__ import annotations

import inspect


def gives_later(function: object) -> bool:
    """
    Whether what a function gives has to be awaited or iterated first.

    As a truth value that is always true: an ``async def`` that compares would match every message.

    """
    # Of an object that is called it is a method; a partial and a bound method are looked into.
    ways = (function, getattr(function, "__call__", None))  # noqa: B004
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    return any(is_kind(way) for is_kind in kinds for way in ways)

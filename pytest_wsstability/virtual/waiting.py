"""Where tasks wait, and threads stand: for the message of a deadlock, or of what is left of a run."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
from collections.abc import Collection, Iterable
from types import AsyncGeneratorType, CodeType, FrameType
from typing import Any

from ..core.project_code import is_of_project

# A message with a thousand tasks helps nobody.
_MOST = 10

_ASYNCIO = os.path.dirname(asyncio.__file__)


def describe_waiting(loop: asyncio.AbstractEventLoop, main: asyncio.Future[Any] | None = None) -> list[str]:
    """One line for each unfinished task of the loop, ``main`` and then oldest first, with where it waits."""
    tasks = in_order(asyncio.all_tasks(loop))
    tasks.sort(key=lambda task: task is not main)
    lines = [f"{_name(task, main)} waits at {_place(task)}" for task in tasks[:_MOST]]
    if len(tasks) > _MOST:
        lines.append(f"... and {len(tasks) - _MOST} more")
    return lines


def pollers(loop: asyncio.AbstractEventLoop) -> set[str]:
    """The names of the tasks that wait with ``sleep(0)``."""
    return {task.get_name() for task in asyncio.all_tasks(loop) if _polls(task)}


def _polls(task: asyncio.Task[Any]) -> bool:
    # Straight to the innermost coroutine, as there may be thousands of tasks.
    awaitable: Any = task.get_coro()
    while (inner := getattr(awaitable, "cr_await", None)) is not None:
        awaitable = inner
    frames = _chain(awaitable)
    return bool(frames) and frames[-1][0].co_name == "__sleep0"


def describe_spinning(loop: asyncio.AbstractEventLoop, names: Collection[str]) -> str:
    """The first task of these names that waits with ``sleep(0)``, with the place where it does."""
    for task in in_order(asyncio.all_tasks(loop)):
        if task.get_name() in names and _polls(task):
            return f"{task.get_name()} at {_place(task)}"
    return "a task"


def _name(task: asyncio.Task[Any], main: asyncio.Future[Any] | None) -> str:
    return f"{task.get_name()} (what the loop runs)" if task is main else task.get_name()


def in_order(tasks: set[asyncio.Task[Any]]) -> list[asyncio.Task[Any]]:
    """Tasks sorted by name, Task-9 before Task-10: the order of a set differs from run to run."""
    return sorted(tasks, key=lambda task: (len(task.get_name()), task.get_name()))


def _place(task: asyncio.Task[Any]) -> str:
    """The innermost place in the project's own code, else outside asyncio, and what it waits in."""
    return _place_in(_chain(task.get_coro()))


def place_in_thread(frame: FrameType | None) -> str:
    """The same of a thread, given its innermost frame."""
    frames = []
    while frame is not None:
        frames.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back
    return _place_in(frames[::-1])


def places_of(threads: Iterable[threading.Thread]) -> list[str]:
    """The same of several, each with its name."""
    frames = sys._current_frames()
    return [
        f"thread {thread.name!r} at {place_in_thread(frames.get(thread.ident or 0))}" for thread in threads
    ]


def _place_in(frames: list[tuple[CodeType, int]]) -> str:
    if not frames:
        return "an unknown place"
    innermost = frames[-1]
    outer = [frame for frame in frames if not _in_asyncio(frame[0])]
    own = [frame for frame in outer if is_of_project(frame[0].co_filename)] or outer
    if not own or own[-1] == innermost:
        return _show(innermost)
    return f"{_show(own[-1])}, in {_show(innermost)}"


def _chain(awaitable: Any) -> list[tuple[CodeType, int]]:
    """The code and line of a coroutine, of the one it awaits, and so on."""
    frames = []
    while awaitable is not None:
        frame: FrameType | None = _attribute(awaitable, "cr_frame", "gi_frame", "ag_frame")
        if frame is not None:
            frames.append((frame.f_code, frame.f_lineno))
        awaitable = _attribute(awaitable, "cr_await", "gi_yieldfrom", "ag_await") or _generator_of(awaitable)
    return frames


def _attribute(awaitable: Any, *names: str) -> Any:
    return next((found for name in names if (found := getattr(awaitable, name, None)) is not None), None)


def _generator_of(awaitable: Any) -> Any:
    """The asynchronous generator whose next value is awaited: an async fixture is one."""
    if not type(awaitable).__name__.startswith("async_generator_"):
        return None
    # What ``anext(generator)`` gives has no attribute that leads to the generator.
    return next((each for each in gc.get_referents(awaitable) if isinstance(each, AsyncGeneratorType)), None)


def _in_asyncio(code: CodeType) -> bool:
    return code.co_filename.startswith(_ASYNCIO)


def _show(frame: tuple[CodeType, int]) -> str:
    code, line = frame
    name = getattr(code, "co_qualname", code.co_name)
    path = code.co_filename
    shown = f"asyncio/{os.path.basename(path)}" if _in_asyncio(code) else _relative(path)
    return f"{shown}:{line} ({name})"


def _relative(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative

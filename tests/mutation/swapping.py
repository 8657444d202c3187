"""Which functions a mutant changes, and how loaded functions are given their other code."""

from __future__ import annotations

import functools
import gc
import inspect
from collections import defaultdict
from pathlib import Path
from types import CodeType, FunctionType

Swap = tuple[CodeType, CodeType]


def changes(before: str, after: str) -> list[Swap] | None:
    """
    The code of each function that differs, before and after; None if something else differs too.

    What is made on import, such as a constant, a default or a class, is made of it no more than once: for
    such a mutant everything has to be loaded anew.

    """
    return _changes(_compiled(before), compile(after, "", "exec"))


@functools.lru_cache(maxsize=1)
def _compiled(text: str) -> CodeType:
    return compile(text, "", "exec")


def _changes(before: CodeType, after: CodeType) -> list[Swap] | None:
    if before == after:
        return []
    if before.co_flags & inspect.CO_OPTIMIZED:
        return [(before, after)]
    if _own(before) != _own(after):
        return None
    found: list[Swap] = []
    for one, other in zip(before.co_consts, after.co_consts, strict=True):
        inside = _changes(one, other) if isinstance(one, CodeType) else []
        if inside is None:
            return None
        found += inside
    return found


def _own(code: CodeType) -> tuple[object, ...]:
    """What a code does, without the codes in it. Python compares what it has learned of a code too."""
    constants = [(type(each), None if isinstance(each, CodeType) else each) for each in code.co_consts]
    return code.co_code, code.co_names, constants


class Functions:
    """The functions of a folder that are loaded in this process, by where they stand."""

    def __init__(self, folder: Path) -> None:
        self._found: defaultdict[tuple[str, str, int], list[FunctionType]] = defaultdict(list)
        # tests/conftest.py freezes what is collected, and what is frozen nobody finds.
        gc.unfreeze()
        for each in gc.get_objects():
            if type(each) is FunctionType and each.__code__.co_filename.startswith(f"{folder}/"):
                self._found[_place(each.__code__.co_filename, each.__code__)].append(each)
        gc.freeze()

    def swap(self, path: Path, changes: list[Swap]) -> bool:
        """Give the functions of a file their other code; False if they are not found, or cannot take it."""
        for before, after in changes:
            found = self._of(str(path), before)
            if not found or any(len(each.__code__.co_freevars) != len(after.co_freevars) for each in found):
                return False
            for function in found:
                function.__code__ = after
        return True

    def _of(self, path: str, code: CodeType) -> list[FunctionType]:
        found = self._found[_place(path, code)]
        # Of several on one line, the right one is that which is the same.
        return found if len(found) == 1 else [each for each in found if _own(each.__code__) == _own(code)]


def _place(path: str, code: CodeType) -> tuple[str, str, int]:
    return path, code.co_qualname, code.co_firstlineno

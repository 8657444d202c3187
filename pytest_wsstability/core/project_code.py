"""Which code is the project's, in a traceback or a stack: what a team reads first."""

from __future__ import annotations

import traceback
from importlib import import_module
from pathlib import PurePath
from typing import Any

# Files of the interpreter, which cannot be opened.
FROZEN = "<frozen "
_STDLIB = PurePath(traceback.__file__).parent
_HERE = PurePath(__file__).parent.parent
_INSTALLED = {"site-packages", "dist-packages"}


def is_of_project(path: str) -> bool:
    """Whether a file is none of the standard library, of an installed package, or of this one."""
    file = PurePath(path)
    is_apart = path.startswith(FROZEN) or file.is_relative_to(_STDLIB) or file.is_relative_to(_HERE)
    return not is_apart and _INSTALLED.isdisjoint(file.parts)


def place_of(error: BaseException) -> str:
    """The innermost place in the project's own code, as what follows the error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if is_of_project(each.filename)]
    own = own or [each for each in frames if not each.filename.startswith(FROZEN)][-1:]
    return f", at {own[-1].filename}:{own[-1].lineno} ({own[-1].name})" if own else ""


def imported(name: str) -> Any:
    """
    A module of the project's.

    Raises:
        ModuleNotFoundError: if it is not there.
        ValueError: if it fails, with the place where it does; one that it imports may not be there.

    """
    if not name or name.startswith("."):
        raise ModuleNotFoundError(f"{name!r} is no name of a module")
    try:
        return import_module(name)
    except (Exception, SystemExit) as exc:
        if isinstance(exc, ModuleNotFoundError) and f"{name}.".startswith(f"{exc.name}."):
            raise
        # The words of a SyntaxError have the place, and no line of the project has run.
        place = "" if isinstance(exc, SyntaxError) else place_of(exc)
        raise ValueError(f"importing {name} failed: {type(exc).__name__}: {exc}{place}") from exc

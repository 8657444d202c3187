"""Which code is the project's, in a traceback or a stack: what a team reads first."""

from __future__ import annotations

import os

# Files of the interpreter, which cannot be opened.
FROZEN = "<frozen "
_STDLIB = os.path.dirname(os.__file__) + os.sep
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_INSTALLED = {"site-packages", "dist-packages"}


def is_of_project(path: str) -> bool:
    """Whether a file is none of the standard library, of an installed package, or of this one."""
    return not path.startswith((_STDLIB, _HERE, FROZEN)) and _INSTALLED.isdisjoint(path.split(os.sep))

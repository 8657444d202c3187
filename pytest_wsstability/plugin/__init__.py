"""
The pytest face, and what keeps pytest from rewriting the package.

pytest rewrites the assertions in all modules of a distribution that has an entry point for it. In here none
is written for whoever reads a test; and where no bytecode is written, as in many containers, each run would
compile the package again, which took two thirds of the time of a run with one test.

"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_INSIDE = __name__.partition(".")[0] + "."


class PlainFinder:
    """Finds the modules of this package as Python does, before pytest looks for them."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of a module of ours; None for every other one."""
        return PathFinder.find_spec(name, path, target) if name.startswith(_INSIDE) else None


sys.meta_path.insert(0, PlainFinder)

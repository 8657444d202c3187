"""The mutants that may live: rows of a table of docs/testing.md, each with its reason."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Needs cosmic-ray, which the table does not.
    from .sites import Mutant

PAGE = Path(__file__).parents[2] / "docs/testing.md"
_ROW = re.compile(r"^\| `([\w/]+\.py)` \| `(.+?)` \| `(.+?)` \| (.+) \|$", re.MULTILINE)

Key = tuple[str, str, str]


def key(mutant: Mutant) -> Key:
    """What a row names a mutant by: the file, and the line before and after; no number of a line."""
    return mutant.site.path, mutant.before, mutant.after


def read() -> dict[Key, str]:
    """The reasons by mutant."""
    # A bar in a cell is escaped.
    rows = ([cell.replace("\\|", "|") for cell in row] for row in _ROW.findall(PAGE.read_text()))
    return {(path, code, change): why for path, code, change, why in rows}
